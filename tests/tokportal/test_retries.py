"""Which calls the TokPortal client repeats, after what and how long."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from math import inf

import httpx
import pytest
from tokportal_wire import (
    CALLS,
    CHANGES,
    KEY,
    ORDERED,
    READS,
    URL,
    VIDEO,
    App,
    StillClock,
    no,
    ok,
    order,
    portal,
)

from sheetsync.errors import CallNotSent, CallRefused, CallUncertain, SheetsyncError, Unavailable
from sheetsync.tokportal.client import TokPortal


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize("status", [301, 302, 307, 304, 408, 500, 501, 502, 503, 504, 520, 599])
def test_a_change_without_a_clear_answer_is_uncertain_and_sent_once(call: str, status: int) -> None:
    """After anything unclear only a look may follow, never a second order."""
    app = App(no(status, Location="https://elsewhere.test/", Retry_After="1"))
    clock = StillClock()
    # a redirect of a correction says no more than a page with 200 would: whoever sent it looks anyway
    with nullcontext() if call == "correct" and status < 400 else pytest.raises(CallUncertain):
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
    """How long was waited, or what was not reached (a wrong `api_url`), not the name of an exception."""
    with pytest.raises(CallUncertain, match="TokPortal did not answer in time; it may have been done"):
        order(portal(App(httpx.ReadTimeout(""))))
    with pytest.raises(Unavailable, match=r"^No connection to TokPortal at tokportal\.test$"):
        portal(App(httpx.ConnectError("[Errno -2]"))).latest(VIDEO)


@pytest.mark.parametrize("url", ["ftp://tokportal.test", "https://[::1", "nonsense", "https://a\nb"])
def test_an_impossible_address_is_named(url: str) -> None:
    """An address that cannot be called points at the setting."""
    client = TokPortal(KEY, url, StillClock())
    with pytest.raises(Unavailable, match=r"tokportal\.api_url"):
        client.latest(VIDEO)


def _slow_down(header: str | None, body: object = None, status: int = 429) -> httpx.Response:
    payload = {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Slow.", "details": {"retry_after_seconds": body}}}
    return ok(payload, status, **({} if header is None else {"Retry_After": header}))


@pytest.mark.parametrize(("header", "body"), [("7", 2), ("2", 7), ("7", None), (None, 7)])
def test_an_order_waits_the_larger_time_and_is_resent_as_it_was(header: str | None, body: object) -> None:
    """429 says that nothing was ordered: same key, same body, after the larger of both waits."""
    app, clock = App(_slow_down(header, body), ok(ORDERED, 201)), StillClock()
    done = portal(app, clock).order(VIDEO, '{"note":"n"}', "key-9", inf)
    assert done.credits_charged == 7
    assert clock.elapsed == pytest.approx(7)
    first, second = app.seen
    assert (first.content, first.headers["Idempotency-Key"]) == (second.content, second.headers["Idempotency-Key"])


def test_an_order_that_comes_too_late_is_not_sent() -> None:
    """A 429 took the time: what was looked at may be true no more, so that it is looked at again."""
    app, clock = App(_slow_down("7"), ok(ORDERED, 201)), StillClock()
    with pytest.raises(CallNotSent):
        portal(app, clock).order(VIDEO, "{}", "key-9", clock.monotonic() + 5)
    assert len(app.seen) == 1


def test_an_order_in_time_is_sent() -> None:
    """Up to the very instant."""
    app, clock = App(ok(ORDERED, 201)), StillClock()
    assert portal(app, clock).order(VIDEO, "{}", "key-9", clock.monotonic()).credits_charged == 7


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


def test_a_retry_date_is_compared_with_the_servers_own_clock() -> None:
    """A machine whose clock is wrong waits the right time all the same."""
    dates = {"Date": "Tue, 16 Jun 2020 10:00:00 GMT", "Retry-After": "Tue, 16 Jun 2020 10:00:09 GMT"}
    app, clock = App(httpx.Response(429, headers=dates), ok(ORDERED, 201)), StillClock()
    order(portal(app, clock))
    assert clock.elapsed == pytest.approx(9)
