"""The TokPortal client: what is sent, what a refusal becomes, and what is never told."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from math import inf

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokportal_wire import (
    CALLS,
    CODE,
    DATA,
    KEY,
    NOW,
    ORDERED,
    URL,
    VIDEO,
    App,
    StillClock,
    no,
    ok,
    portal,
)

from sheetsync import __version__
from sheetsync.errors import CallRefused, CredentialsError, SheetsyncError
from sheetsync.tokportal.client import TokPortal


def test_order_sends_the_body_byte_for_byte_with_its_key() -> None:
    """The intent's body and idempotency key go out exactly as they are on disk."""
    app = App(ok(ORDERED, 201))
    body = '{"note":  "Größe 10, \\u00e9"}'
    portal(app).order(VIDEO, body, "5d2d6f5e", inf)
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


def test_the_servers_clock_is_remembered() -> None:
    """`doctor` compares the Date header of the last answer with this machine's clock."""
    app = App(ok({"data": None}, Date="Tue, 16 Jun 2026 10:22:05 GMT"), ok({"data": None}, Date="nonsense"))
    client = portal(app)
    assert client.server_time is None
    client.latest(VIDEO)
    client.latest(VIDEO)
    assert client.server_time == NOW + timedelta(seconds=5)


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
    portal(App(ok(ORDERED, 201, X_TokPortal_Request_ID="req_5"))).order(VIDEO, '{"note":"private"}', "k", inf)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "sheetsync.tokportal"]
    assert line == f"POST /api/ext/videos/{VIDEO}/ad-code-request: 201, req_5, 0 ms"


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
