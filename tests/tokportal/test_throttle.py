"""The pace of calls to TokPortal: the token bucket, and the wait that an answer asks for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tokportal_wire import (
    NOW,
    VIDEO,
    App,
    StillClock,
    ok,
    portal,
)

from sheetsync.tokportal.throttle import TokenBucket, retry_after


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
