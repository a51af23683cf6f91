"""The TokPortal client against answers made at the wire, and against the sandbox."""

from __future__ import annotations

import inspect
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sheetsync import __version__
from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, CallUncertain, CredentialsError, SheetsyncError, Unavailable
from sheetsync.sandbox.wire import ConnectionLost, Request, TimedOut
from sheetsync.sandbox.world import World
from sheetsync.tokportal import parsing
from sheetsync.tokportal.client import TokPortal
from sheetsync.tokportal.throttle import TokenBucket, retry_after

KEY = "sk_" + "5ec7e7" * 10
CODE = "#TTSpark_AbC123XyZ"
URL = "https://tokportal.test"
VIDEO = "6f1c2a5e-0000-4000-8000-00000000abcd"
NOW = datetime(2026, 6, 16, 10, 22, tzinfo=UTC)
DATA = {
    "ad_code_request_id": "req-1",
    "video_id": VIDEO,
    "status": "pending",
    "platform": "tiktok",
    "code": None,
    "note": "Q3",
    "created_at": "2026-06-16T10:22:00Z",
}
ORDERED = {"data": DATA, "credits_charged": 7, "credits_remaining": 1240}


class StillClock(Clock):
    """Time that moves only when somebody sleeps; remembers for how long."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.naps: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.elapsed += seconds


class App:
    """TokPortal as a list of answers: one for each request, the last one for all that follow."""

    def __init__(self, *given_answers: httpx.Response | Exception) -> None:
        self.answers = list(given_answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def portal(app: Callable[[httpx.Request], httpx.Response], clock: Clock | None = None) -> TokPortal:
    return TokPortal(KEY, URL, clock or StillClock(), httpx.MockTransport(app))


def ok(payload: object, status: int = 200, **headers: str) -> httpx.Response:
    content = json.dumps(payload).encode()
    return httpx.Response(status, content=content, headers={name.replace("_", "-"): v for name, v in headers.items()})


def no(status: int, code: str = "SOME_CODE", message: str = "Some words.", **headers: str) -> httpx.Response:
    return ok({"error": {"code": code, "message": message}}, status, **headers)


def order(client: TokPortal, body: str = "{}") -> Any:
    return client.order(VIDEO, body, "key-1")


CALLS: dict[str, Callable[[TokPortal], object]] = {
    "balance": lambda client: client.balance(),
    "latest": lambda client: client.latest(VIDEO),
    "order": order,
    "correct": lambda client: client.correct("req-1", "does not work"),
}
READS = ("balance", "latest")
CHANGES = ("order", "correct")


# What is sent


def test_order_sends_the_body_byte_for_byte_with_its_key() -> None:
    """The intent's body and idempotency key go out exactly as they are on disk."""
    app = App(ok(ORDERED, 201))
    body = '{"note":  "Größe 10, \\u00e9"}'
    portal(app).order(VIDEO, body, "5d2d6f5e")
    (request,) = app.seen
    assert (request.method, str(request.url)) == ("POST", f"{URL}/api/ext/videos/{VIDEO}/ad-code-request")
    assert request.content == body.encode()
    assert request.headers["Idempotency-Key"] == "5d2d6f5e"
    assert request.headers["X-API-Key"] == KEY
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-TokPortal-Client"] == f"sheetsync/{__version__}"
    assert "Authorization" not in request.headers


def test_correction_goes_outside_api_ext_with_bearer() -> None:
    """The API page documents the correction with another path and another header than all other calls."""
    app = App(httpx.Response(200, text="<html>done</html>"))
    portal(app).correct("req-1", 'say "no"')
    (request,) = app.seen
    assert (request.method, str(request.url)) == ("PATCH", f"{URL}/api/ad-code-requests/req-1")
    assert json.loads(request.content) == {"status": "pending_corrections", "feedback": 'say "no"'}
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert "X-API-Key" not in request.headers


@pytest.mark.parametrize(
    ("video_id", "segment"),
    [
        ("../x", b"..%2Fx"),
        ("..", b"%2E%2E"),
        (".", b"%2E"),
        ("a?b#c", b"a%3Fb%23c"),
        ("a b%2F", b"a%20b%252F"),
        ("ü\ud800\n", b"%C3%BC%ED%A0%80%0A"),
    ],
)
def test_no_video_id_changes_the_path(video_id: str, segment: bytes) -> None:
    """Whatever stands in the key cell stays one path segment."""
    app = App(ok({"data": None}))
    portal(app).latest(video_id)
    assert app.seen[0].url.raw_path == b"/api/ext/videos/" + segment + b"/ad-code-request"


def test_time_outs_are_ten_and_thirty_seconds() -> None:
    """A call may take 10 s to connect and 30 s to answer."""
    app = App(ok({"data": None}))
    portal(app).latest(VIDEO)
    timeout = app.seen[0].extensions["timeout"]
    assert (timeout["connect"], timeout["read"]) == (10, 30)


def test_no_cookie_is_sent_back() -> None:
    """The API key alone says who calls."""
    app = App(ok({"data": None}, Set_Cookie="session=1; Path=/"))
    with portal(app) as client:
        client.latest(VIDEO)
        client.latest(VIDEO)
    assert "Cookie" not in app.seen[1].headers


@pytest.mark.parametrize("key", ["", "sk_ü", "sk_a\nX: y", "sk a"])
def test_a_key_that_no_header_carries_is_refused_unseen(key: str) -> None:
    """A broken key is named as such before any library can print it."""
    with pytest.raises(CredentialsError) as caught:
        TokPortal(key, URL, StillClock())
    assert not key or key not in str(caught.value)


# What is read


def test_latest_reads_the_documented_answer() -> None:
    """Every field of the API page arrives, times in UTC and whole seconds."""
    data = {
        **DATA,
        "status": "in_review",
        "code": CODE,
        "submitted_at": "2026-06-16T16:05:00.987654321+02:00",
        "delivered_at": None,
        "something_new": {"x": 1},
    }
    found = portal(App(ok({"data": data}))).latest(VIDEO)
    assert found is not None
    assert (found.id, found.video_id, found.status, found.code) == ("req-1", VIDEO, "in_review", CODE)
    assert (found.platform, found.note) == ("tiktok", "Q3")
    assert (found.created_at, found.delivered_at) == (NOW, None)
    assert found.submitted_at == datetime(2026, 6, 16, 14, 5, tzinfo=UTC)


def test_null_data_means_no_request() -> None:
    """Only an explicit null says that a video has no ad code request."""
    assert portal(App(ok({"data": None}))).latest(VIDEO) is None


UNREADABLE: dict[str, object] = {
    "no object": [],
    "no data": {},
    "data is a list": {"data": []},
    "data is false": {"data": False},
    "data null beside an error": {"data": None, "error": {"code": "X"}},
    "no id": {"data": {**DATA, "ad_code_request_id": None}},
    "empty id": {"data": {**DATA, "ad_code_request_id": ""}},
    "blank id": {"data": {**DATA, "ad_code_request_id": " "}},
    "id with blanks around": {"data": {**DATA, "ad_code_request_id": "req-1 "}},
    "id too long": {"data": {**DATA, "ad_code_request_id": "x" * 201}},
    "id with half a character": {"data": {**DATA, "ad_code_request_id": "x\ud800"}},
    "id is a number": {"data": {**DATA, "ad_code_request_id": 7}},
    "no status": {"data": {**DATA, "status": None}},
    "code is a number": {"data": {**DATA, "code": 7}},
    "code too long": {"data": {**DATA, "code": "x" * 5001}},
    "code with a line break": {"data": {**DATA, "code": "a\nb"}},
    "another video": {"data": {**DATA, "video_id": "another"}},
    "video id is a number": {"data": {**DATA, "video_id": 7}},
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_does_not_say_enough_is_no_observation(payload: object) -> None:
    """An answer that cannot be trusted is never read as "no request", upon which an order would follow."""
    with pytest.raises(Unavailable, match="cannot be read"):
        portal(App(ok(payload))).latest(VIDEO)


@pytest.mark.parametrize("payload", [*UNREADABLE.values(), {"data": None}])
def test_an_unreadable_answer_to_an_order_is_uncertain(payload: object) -> None:
    """The order was answered with success: it may have been charged, so GET decides."""
    app = App(ok(payload, 201))
    with pytest.raises(CallUncertain):
        order(portal(app))
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("code", "", None),
        ("code", "  ", None),
        ("code", f" {CODE}\n", CODE),
        ("code", "=1+1", "=1+1"),
        ("status", "Something_new", "Something_new"),
        ("platform", None, ""),
        ("platform", 7, ""),
        ("note", "x" * 600, "x" * 500),
        ("video_id", VIDEO.upper(), VIDEO),
        ("video_id", None, VIDEO),
        ("created_at", "2026-06-16T10:22:00+00:00", NOW),
        ("created_at", "2026-06-16T12:22:00.5+02:00", NOW),
        ("created_at", "2026-06-16T10:22:00", None),
        ("created_at", "2026-06-16", None),
        ("created_at", "yesterday", None),
        ("created_at", 1781605320, None),
        ("created_at", "9999-12-31T23:59:59-23:59", None),
        ("created_at", "0001-01-01T00:00:00+23:59", None),
    ],
)
def test_optional_fields_are_read_with_tolerance(field: str, value: object, expected: object) -> None:
    """What the sheet can do without never spoils an answer."""
    found = portal(App(ok({"data": {**DATA, field: value}}))).latest(VIDEO)
    assert getattr(found, field) == expected


def test_order_reads_credits_beside_data() -> None:
    """The credits stand beside `data`, not in it (API page, "Response (201)")."""
    done = order(portal(App(ok(ORDERED, 201))))
    assert (done.request.id, done.credits_charged, done.credits_remaining, done.replayed) == ("req-1", 7, 1240, False)


def test_a_replay_is_told_apart() -> None:
    """`Idempotent-Replayed: true` marks an answer for which nothing was charged again."""
    assert order(portal(App(ok(ORDERED, 201, Idempotent_Replayed="true")))).replayed


@pytest.mark.parametrize("odd", [True, 7.0, "7", None, [], float("nan"), 10**30, -7])
def test_odd_charges_are_no_charges(odd: object) -> None:
    """A charge is a whole number that a cell can hold, or unknown; the order itself stays accepted."""
    answer = httpx.Response(201, content=json.dumps({**ORDERED, "credits_charged": odd}))
    assert order(portal(App(answer))).credits_charged is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"total_credits": 1250, "credits": 1}, 1250),
        ({"credits": 1250}, 1250),
        ({"total_credits": None, "credits": 3}, 3),
        ({"total_credits": 0}, 0),
        ({"total_credits": -5}, -5),
    ],
)
def test_balance_reads_both_shapes(data: object, expected: int) -> None:
    """`total_credits ?? credits` (reference/tokportal.md 8)."""
    assert portal(App(ok({"data": data}))).balance() == expected


@pytest.mark.parametrize("data", [None, {}, {"credits": True}, {"credits": 7.5}, {"total_credits": "9"}, [], 1250])
def test_an_unreadable_balance_is_no_balance(data: object) -> None:
    """No order is made upon a guessed balance."""
    with pytest.raises(Unavailable, match="balance"):
        portal(App(ok({"data": data}))).balance()


# Refusals


@pytest.mark.parametrize("status", [401, 403])
def test_balance_tells_a_key_that_may_not(status: int) -> None:
    """The first call of a run: 401 and 403 both stop it."""
    with pytest.raises(CredentialsError, match=f"{status} SOME_CODE Some words"):
        portal(App(no(status))).balance()


@pytest.mark.parametrize("call", ["latest", "order"])
def test_401_stops_the_run(call: str) -> None:
    """401 concerns the key, not the row."""
    app = App(no(401, "AUTH_REVOKED_KEY"))
    with pytest.raises(CredentialsError, match="AUTH_REVOKED_KEY"):
        CALLS[call](portal(app))
    assert len(app.seen) == 1


@pytest.mark.parametrize("call", ["latest", "order", "correct"])
@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 410, 418, 422, 451])
def test_a_definite_4xx_is_a_refusal(call: str, status: int) -> None:
    """Nothing was done; status, code, message and support id are kept for the row."""
    app = App(no(status, "X_CODE", "Why not.", X_TokPortal_Request_ID="req_77"))
    with pytest.raises(CallRefused) as caught:
        CALLS[call](portal(app))
    refused = caught.value
    assert (refused.http_status, refused.code, refused.message) == (status, "X_CODE", "Why not.")
    assert (refused.request_id, len(app.seen)) == ("req_77", 1)


def test_401_to_a_correction_is_a_refusal() -> None:
    """It is not known whether the correction route takes API keys: its 401 says nothing of the key."""
    with pytest.raises(CallRefused):
        portal(App(no(401))).correct("req-1", "x")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": "Just words"}', "", "Just words"),
        (b'{"error": {"message": "m"}}', "", "m"),
        (b'{"code": "C", "message": "m"}', "C", "m"),
        (b'{"error": "words", "code": "C"}', "C", "words"),
        (b'{"error": {"code": 7, "message": ["m"]}}', "", ""),
        (b"plain text", "", "plain text"),
        (b"<html><b>403</b></html>", "", "a web page instead of an answer"),
        (b"", "", ""),
        (b"[1]", "", ""),
        (b'{"error": {"message": "a\\u0000\\n\\ud800\\u202e b"}}', "", "a b"),
        (json.dumps({"error": {"message": "x" * 999}}).encode(), "", "x" * 300),
    ],
)
def test_error_bodies_of_any_shape(body: bytes, code: str, message: str) -> None:
    """What a refusal says is kept in one clean line, whatever its envelope."""
    with pytest.raises(CallRefused) as caught:
        portal(App(httpx.Response(400, content=body))).latest(VIDEO)
    assert (caught.value.code, caught.value.message) == (code, message)


# No clear answer


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize("status", [301, 302, 307, 304, 408, 500, 501, 502, 503, 504, 520, 599])
def test_a_change_without_a_clear_answer_is_uncertain_and_sent_once(call: str, status: int) -> None:
    """After anything unclear only a look may follow, never a second order."""
    app = App(no(status, Location="https://elsewhere.test/", Retry_After="1"))
    clock = StillClock()
    with pytest.raises(CallUncertain):
        CALLS[call](portal(app, clock))
    assert (len(app.seen), clock.naps) == (1, [])


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("status", [301, 304, 501, 520])
def test_a_read_without_a_clear_answer_is_unavailable(call: str, status: int) -> None:
    """No redirect is followed, and what will not pass is not asked again."""
    app = App(no(status, Location="https://elsewhere.test/"))
    with pytest.raises(Unavailable):
        CALLS[call](portal(app))
    assert len(app.seen) == 1


@pytest.mark.parametrize("call", READS)
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_read_is_tried_four_times(call: str, status: int) -> None:
    """What passes is asked again with growing pauses, within bounds."""
    app, clock = App(no(status, X_Request_ID="abc")), StillClock()
    with pytest.raises(Unavailable, match=f"{status} SOME_CODE.*abc"):
        CALLS[call](portal(app, clock))
    assert len(app.seen) == 4
    assert 7 <= clock.elapsed <= 12


def test_a_read_goes_on_after_a_failure_that_passed() -> None:
    """One bad moment does not cost the row its observation."""
    app = App(no(503), httpx.ReadError("reset"), ok({"data": None}))
    client = portal(app)
    assert client.latest(VIDEO) is None
    assert client.calls == 3


def _httpx_errors() -> list[type[Exception]]:
    found = [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)]
    return sorted(found, key=lambda kind: kind.__name__)


def _made(kind: type[Exception]) -> Exception:
    request = httpx.Request("GET", URL)
    if kind is httpx.HTTPStatusError:
        return httpx.HTTPStatusError(f"about {KEY}", request=request, response=httpx.Response(500))
    takes_text = kind not in (httpx.RequestNotRead, httpx.ResponseNotRead, httpx.StreamClosed, httpx.StreamConsumed)
    return kind(f"about {KEY}") if takes_text else kind()


ONCE = {"CookieConflict", "DecodingError", "HTTPError", "HTTPStatusError", "InvalidURL", "RequestError"} | {
    *("RequestNotRead", "ResponseNotRead", "StreamClosed", "StreamConsumed", "StreamError"),
    *("TooManyRedirects", "UnsupportedProtocol"),
}


@pytest.mark.parametrize("kind", _httpx_errors(), ids=lambda kind: kind.__name__)
def test_every_httpx_error_is_mapped(kind: type[Exception]) -> None:
    """Nothing of httpx gets out: reads become Unavailable, changes uncertain after one sending."""
    for call, run in CALLS.items():
        app = App(_made(kind))
        with pytest.raises(SheetsyncError) as caught:
            run(portal(app))
        assert isinstance(caught.value, Unavailable if call in READS else CallUncertain)
        assert KEY not in f"{caught.value} {caught.value!r}"
        assert len(app.seen) == (1 if call in CHANGES or kind.__name__ in ONCE else 4)


def test_silence_is_said_in_plain_words() -> None:
    """A person at the sheet reads how long was waited, not the name of an exception."""
    with pytest.raises(CallUncertain, match="TokPortal did not answer within 30 s; it may have been done"):
        order(portal(App(httpx.ReadTimeout(""))))
    with pytest.raises(Unavailable, match=r"^No connection to TokPortal$"):
        portal(App(httpx.ConnectError("[Errno -2]"))).latest(VIDEO)


@pytest.mark.parametrize("url", ["ftp://tokportal.test", "https://[::1", "nonsense", "https://a\nb"])
def test_an_impossible_address_is_named(url: str) -> None:
    """An address that cannot be called points at the setting."""
    client = TokPortal(KEY, url, StillClock())
    with pytest.raises(Unavailable, match=r"tokportal\.api_url"):
        client.latest(VIDEO)


# Waiting as told


def _slow_down(header: str | None, body: object = None, status: int = 429) -> httpx.Response:
    payload = {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Slow.", "details": {"retry_after_seconds": body}}}
    return ok(payload, status, **({} if header is None else {"Retry_After": header}))


@pytest.mark.parametrize(("header", "body"), [("7", 2), ("2", 7), ("7", None), (None, 7)])
def test_an_order_waits_the_larger_time_and_is_resent_as_it_was(header: str | None, body: object) -> None:
    """429 says that nothing was ordered: same key, same body, after the larger of both waits."""
    app, clock = App(_slow_down(header, body), ok(ORDERED, 201)), StillClock()
    done = portal(app, clock).order(VIDEO, '{"note":"n"}', "key-9")
    assert done.credits_charged == 7
    assert clock.elapsed == pytest.approx(7)
    first, second = app.seen
    assert (first.content, first.headers["Idempotency-Key"]) == (second.content, second.headers["Idempotency-Key"])


@pytest.mark.parametrize("call", CHANGES)
def test_a_change_gives_up_after_three_resends(call: str) -> None:
    """A 429 that does not end is a refusal with its status: nothing was done."""
    app, clock = App(_slow_down("5")), StillClock()
    with pytest.raises(CallRefused) as caught:
        CALLS[call](portal(app, clock))
    assert (caught.value.http_status, caught.value.code, len(app.seen)) == (429, "RATE_LIMIT_EXCEEDED", 4)
    assert clock.elapsed == pytest.approx(15)


def test_an_order_unclear_after_a_429_is_not_sent_again() -> None:
    """Only the 429 is resent; the time-out that follows it is uncertain."""
    app = App(_slow_down("1"), httpx.ReadTimeout(""), ok(ORDERED, 201))
    with pytest.raises(CallUncertain):
        order(portal(app))
    assert len(app.seen) == 2


@pytest.mark.parametrize(("call", "error"), [("latest", Unavailable), ("order", CallRefused), ("correct", CallRefused)])
def test_a_wait_above_a_minute_is_left_to_the_next_run(call: str, error: type[SheetsyncError]) -> None:
    """Neither this call nor the next one waits or knocks while TokPortal wants an hour of silence."""
    app, clock = App(_slow_down("3600")), StillClock()
    client = portal(app, clock)
    for _ in range(2):
        with pytest.raises(error) as caught:
            CALLS[call](client)
    assert (len(app.seen), client.calls, clock.naps) == (1, 1, [])
    assert "3600 s" in str(caught.value)
    assert getattr(caught.value, "http_status", 429) == 429


def test_a_read_waits_as_told() -> None:
    """Retry-After is obeyed where it is longer than the pause of its own."""
    app, clock = App(_slow_down("40", status=503), ok({"data": None})), StillClock()
    portal(app, clock).latest(VIDEO)
    assert clock.elapsed == pytest.approx(40)


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", None, 7),
        (" 7 ", 9, 9),
        ("Tue, 16 Jun 2026 10:22:30 GMT", None, 30),
        ("Tue, 16 Jun 2026 10:21:30 GMT", 4.5, 4.5),
        ("soon", "9", 0),
        ("-5", -5, 0),
        ("\u0667", True, 0),
        ("999999999", float("nan"), 86400),
        (None, float("inf"), 86400),
        (None, 10**400, 86400),
        ("1, 2", None, 0),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, body: object, seconds: float) -> None:
    """Seconds, an HTTP date, the body, or nonsense: always a wait that can be waited."""
    assert retry_after(header, body, NOW) == seconds


def test_a_retry_date_is_compared_with_the_servers_own_clock() -> None:
    """A machine whose clock is wrong waits the right time all the same."""
    dates = {"Date": "Tue, 16 Jun 2020 10:00:00 GMT", "Retry-After": "Tue, 16 Jun 2020 10:00:09 GMT"}
    app, clock = App(httpx.Response(429, headers=dates), ok(ORDERED, 201)), StillClock()
    order(portal(app, clock))
    assert clock.elapsed == pytest.approx(9)


# The pace


def test_the_bucket_keeps_120_a_minute_after_its_burst() -> None:
    """60 at once, then two a second (reference/tokportal.md 6.1)."""
    clock = StillClock()
    client = portal(App(ok({"data": None})), clock)
    for _ in range(60):
        client.latest(VIDEO)
    assert clock.elapsed == 0
    for _ in range(120):
        client.latest(VIDEO)
    assert clock.elapsed == pytest.approx(60)


def test_remaining_lowers_and_never_raises() -> None:
    """Other machines may share the key: what the server counts as left is obeyed, only downwards."""
    clock = StillClock()
    bucket = TokenBucket(clock, burst=2)
    bucket.lower(1)
    bucket.lower(100)
    for _ in range(2):
        assert bucket.take(60) == 0
    assert clock.elapsed == pytest.approx(0.5)


def test_the_client_obeys_x_ratelimit_remaining() -> None:
    """After an answer with nothing left the next call waits for a token."""
    clock = StillClock()
    client = portal(App(ok({"data": None}, X_RateLimit_Remaining="0")), clock)
    client.latest(VIDEO)
    client.latest(VIDEO)
    assert clock.elapsed == pytest.approx(0.5)


def test_a_hold_holds_every_call() -> None:
    """After a 429 the whole client is silent as long as told, then goes on slowly."""
    clock = StillClock()
    bucket = TokenBucket(clock)
    bucket.hold(7)
    assert bucket.take(5) == pytest.approx(7)
    assert clock.naps == []
    bucket.take(60)
    assert clock.elapsed == pytest.approx(7)
    bucket.take(60)
    assert clock.elapsed == pytest.approx(7.5)


def test_a_clock_that_stands_still_ends_the_wait_too() -> None:
    """What was slept counts as passed, so that a frozen clock cannot hang a run."""

    class Frozen(StillClock):
        def sleep(self, seconds: float) -> None:
            self.naps.append(seconds)

    clock = Frozen()
    bucket = TokenBucket(clock, burst=1)
    for _ in range(3):
        bucket.take(60)
    assert clock.naps == pytest.approx([0.5, 0.5])


def test_threads_share_one_bucket_and_one_count() -> None:
    """Polls run on a pool: no call is lost from the count, no token is spent twice."""

    class Shared(StillClock):
        lock = threading.Lock()

        def sleep(self, seconds: float) -> None:
            with self.lock:
                super().sleep(seconds)

    clock = Shared()
    client = portal(lambda request: ok({"data": None}), clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.latest(VIDEO), range(100)))
    assert client.calls == 100
    assert clock.elapsed >= 19.9


def test_the_servers_clock_is_remembered() -> None:
    """`doctor` compares the Date header of the last answer with this machine's clock."""
    app = App(ok({"data": None}, Date="Tue, 16 Jun 2026 10:22:05 GMT"), ok({"data": None}, Date="nonsense"))
    client = portal(app)
    assert client.server_time() is None
    client.latest(VIDEO)
    client.latest(VIDEO)
    assert client.server_time() == NOW + timedelta(seconds=5)


# Secrets


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_neither_key_nor_code_gets_into_errors_or_log(call: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Even a server that echoes them puts no secret into a message, a repr or the log."""
    caplog.set_level(logging.DEBUG)
    words = f"bad key {KEY} for code {CODE} {'x' * 240} {KEY}"
    answer = ok({"error": {"code": KEY, "message": words}, "data": {"code": CODE}}, status, X_Request_ID=KEY)
    client = portal(App(answer))
    try:
        CALLS[call](client)
    except SheetsyncError as error:
        told, chain = "", error
        while isinstance(chain, BaseException):
            told += f"{chain} {chain!r}"
            chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
        assert KEY[:12] not in told
        assert CODE not in told
    assert KEY[:12] not in caplog.text + repr(client)
    assert CODE not in caplog.text


def test_the_log_names_the_call_and_nothing_of_its_bodies(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path, status, support id and milliseconds, at DEBUG."""
    caplog.set_level(logging.DEBUG, "sheetsync.tokportal")
    portal(App(ok(ORDERED, 201, X_TokPortal_Request_ID="req_5"))).order(VIDEO, '{"note":"private"}', "k")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "sheetsync.tokportal"]
    assert line == f"POST /api/ext/videos/{VIDEO}/ad-code-request: 201, req_5, 0 ms"


# Anything at all

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ("data", "error", "code", "message", "details", "credits", "credits_charged", "total_credits")
_DATA = st.dictionaries(st.sampled_from(sorted(DATA)), _JSON | st.sampled_from(["req-1", VIDEO, "pending"]), max_size=7)
_NEAR = st.dictionaries(st.sampled_from(_FIELDS), _JSON | _DATA, max_size=5)
_BODY = st.binary(max_size=80) | (_JSON | _NEAR).map(lambda value: json.dumps(value).encode())
_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
_HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "X-RateLimit-Remaining", "X-Request-ID", "Content-Type", "Location"])
    | st.sampled_from(["Content-Encoding", "Set-Cookie", "Idempotent-Replayed"]),
    _TEXT | st.sampled_from(["gzip", "text/html; charset=base64", "3", "true", "http://[x", "//", "a=b; max-age=x"]),
    max_size=3,
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    call=st.sampled_from(sorted(CALLS)),
    status=st.sampled_from([200, 201, 204, 301, 400, 401, 404, 408, 429, 500, 503]) | st.integers(200, 599),
    headers=_HEADERS,
    body=_BODY,
)
def test_no_answer_raises_anything_foreign(call: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """Whatever comes back is a value or one of our own errors, and values are of their types."""

    def app(request: httpx.Request) -> httpx.Response:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        return httpx.Response(status, headers=raw, stream=httpx.ByteStream(body))

    try:
        found = CALLS[call](portal(app))
    except SheetsyncError as error:
        str(error).encode()
    else:
        assert call != "balance" or type(found) is int


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"1" * 10_000, b"\xff\xfe\x00", b"NaN", b"null"])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_monstrous_bodies_are_only_unreadable(body: bytes, status: int) -> None:
    """Depth beyond Python's stack and numbers beyond its limit are answers that cannot be read, no more."""
    for call, run in CALLS.items():
        if (call, status) != ("correct", 200):
            with pytest.raises(SheetsyncError):
                run(portal(App(httpx.Response(status, content=body))))


@given(st.text() | _JSON)
def test_plain_text_is_one_short_line_that_can_be_stored(value: object) -> None:
    """What goes into a cell and a log encodes, has no control characters and keeps its length."""
    text = parsing.plain(value, 50, KEY)
    text.encode()
    assert len(text) <= 50
    assert all(ord(character) >= 32 for character in text)


# Against the sandbox


def _at(world: World) -> Callable[[httpx.Request], httpx.Response]:
    """The sandbox behind a real httpx client, without sockets."""

    def app(request: httpx.Request) -> httpx.Response:
        path, _, _ = request.url.raw_path.decode().partition("?")
        try:
            found = world.handle(Request(request.method, path, (), dict(request.headers), request.content))
        except TimedOut as error:
            raise httpx.ReadTimeout(str(error)) from error
        except ConnectionLost as error:
            raise httpx.ReadError(str(error)) from error
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body)

    return app


class WorldClock(Clock):
    """The sandbox's time, which sleeping moves on."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()

    def monotonic(self) -> float:
        return self._world.clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._world.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def world() -> World:
    made = World()
    made.portal.add_video(VIDEO)
    return made


@pytest.fixture
def client(world: World) -> TokPortal:
    return TokPortal(world.portal.key, URL, WorldClock(world), httpx.MockTransport(_at(world)))


def test_a_code_from_order_to_correction(world: World, client: TokPortal) -> None:
    """Order, poll, correct and poll again, with the credits that go with it."""
    before = client.balance()
    assert client.latest(VIDEO) is None
    done = client.order(VIDEO, '{"note":"Q3"}', "key-1")
    assert (done.credits_charged, done.credits_remaining) == (7, before - 7)
    submitted = world.portal.submit(VIDEO)
    found = client.latest(VIDEO)
    assert found is not None
    assert (found.id, found.status, found.code) == (done.request.id, "in_review", submitted.code)
    client.correct(found.id, "Code rejected in Ads Manager")
    again = client.latest(VIDEO)
    assert again is not None
    assert again.status == "pending_corrections"


def test_the_same_key_and_body_is_a_replay(world: World, client: TokPortal) -> None:
    """The second lock: a repeated order with the same key is charged once."""
    first, second = (client.order(VIDEO, "{}", "key-1") for _ in range(2))
    assert (first.replayed, second.replayed) == (False, True)
    assert first.request == second.request
    assert len(world.portal.requests) == 1


@pytest.mark.parametrize("fault", ["500", "503", "html502", "slow_after", "garbled", "lost_before", "lost_after"])
def test_an_order_that_meets_a_fault_is_uncertain_and_charged_at_most_once(
    world: World, client: TokPortal, fault: str
) -> None:
    """Whether or not it took effect, the client sends one order and claims nothing."""
    world.faults.add("portal.order", fault=fault)
    with pytest.raises(CallUncertain):
        client.order(VIDEO, "{}", "key-1")
    assert client.calls == 1
    assert len(world.portal.requests) <= 1


@pytest.mark.parametrize("mode", ["body_larger", "header_larger", "equal", "http_date"])
def test_a_429_in_every_documented_form_is_waited_out(world: World, client: TokPortal, mode: str) -> None:
    """However TokPortal says how long, the order follows after it, once."""
    world.portal.switches.set({"retry_after": mode})
    world.faults.add("portal.order", fault="429")
    start = world.clock.now()
    assert client.order(VIDEO, "{}", "key-1").credits_charged == 7
    assert world.clock.now() - start >= timedelta(seconds=1)
    assert len(world.portal.requests) == 1


@pytest.mark.parametrize("mode", [404, 405, "html"])
def test_a_correction_route_that_is_gone_is_a_refusal(world: World, client: TokPortal, mode: object) -> None:
    """The correction stands in no list of operations: its absence is an answer, also as a web page."""
    world.portal.switches.set({"patch_route": mode})
    with pytest.raises(CallRefused):
        client.correct(client.order(VIDEO, "{}", "key-1").request.id, "does not work")


@pytest.mark.parametrize(("shape", "readable"), [("new", True), ("old", True), ("neither", False)])
def test_balance_shapes_of_the_sandbox(world: World, client: TokPortal, shape: str, readable: bool) -> None:
    """Both documented shapes are read; with neither, nothing is guessed."""
    world.portal.switches.set({"balance_shape": shape})
    if readable:
        assert client.balance() == world.portal.credits
    else:
        with pytest.raises(Unavailable):
            client.balance()


def test_five_hundred_polls_meet_no_429(world: World, client: TokPortal) -> None:
    """The pace stays within the bucket of the server."""
    for _ in range(500):
        client.latest(VIDEO)
    assert client.calls == 500
