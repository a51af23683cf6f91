"""The pace of calls to TokPortal: the token bucket, and the wait that an answer asks for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from math import ceil

import httpx
import pytest
from tokportal_wire import (
    NOW,
    VIDEO,
    App,
    StillClock,
    ok,
    portal,
)

from sheetsync.tokportal.throttle import BURST, TokenBucket, retry_after


def test_a_server_that_tells_nothing_is_asked_60_times_at_once() -> None:
    """Half of a full bucket, then two a second (reference/tokportal.md 6.1): others may use the same key."""
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
    bucket = TokenBucket(clock)
    bucket.told(1)
    bucket.told(100)
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


def test_a_full_bucket_is_used_whole_once_the_server_tells_of_it() -> None:
    """120 at once, the 600th after 240 s: what the server's own bucket forces, and no 429."""
    clock = StillClock()
    server = Server(clock)
    client = portal(server, clock)
    for _ in range(120):
        client.latest(VIDEO)
    assert clock.elapsed == 0
    for _ in range(480):
        client.latest(VIDEO)
    assert clock.elapsed <= 240 * 1.03
    assert server.refused == 0


def test_polls_leave_calls_to_the_orders() -> None:
    """The last ten of a full bucket are there at once for a call that leaves none."""
    clock = StillClock()
    client = portal(Server(clock), clock)
    for _ in range(110):
        client.latest(VIDEO, leave=10)
    assert clock.elapsed == 0
    client.latest(VIDEO, leave=10)
    assert clock.elapsed == pytest.approx(0.5)
    for _ in range(10):
        client.latest(VIDEO)
    assert clock.elapsed == pytest.approx(0.5)


def test_calls_that_must_be_left_to_others_are_waited_for_with_patience_once() -> None:
    """Another machine takes what comes back: whoever leaves calls to others gives up when its patience is over."""

    class Shared(StillClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            bucket.told(0)

    clock = Shared()
    bucket = TokenBucket(clock)
    bucket.told(0)
    assert bucket.take(60, leave=40) > 0
    assert clock.elapsed <= 60


@pytest.mark.parametrize("sliding", [False, True])
@pytest.mark.parametrize("into", [0, 40])
def test_a_server_that_counts_in_minutes_is_never_asked_too_often(sliding: bool, into: float) -> None:
    """120 in a minute of its clock, or in any 60 s, also where a run begins in the middle of one: no 429 in 600 polls.

    It takes the minutes that this forces, where these end together; two for each where every call ends its own.
    """
    clock = StillClock()
    clock.elapsed = into
    server = Minutes(clock, sliding)
    client = portal(server, clock)
    for _ in range(600):
        client.latest(VIDEO)
    assert server.refused == 0
    assert clock.elapsed - into <= (600 if sliding else 250)


@pytest.mark.parametrize("reset", ["17", "99999999999", "soon", "1781605320"])
def test_a_reset_that_cannot_be_is_none(reset: str) -> None:
    """Seconds instead of an instant, nonsense, long past: what is left is obeyed all the same."""
    clock = StillClock()
    client = portal(App(ok({"data": None}, X_RateLimit_Remaining="1", X_RateLimit_Reset=reset)), clock)
    for _ in range(3):
        client.latest(VIDEO)
    assert clock.elapsed < 1.5


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
    bucket = TokenBucket(clock, untold=BURST - 1)
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


class Server:
    """TokPortal's bucket as its documents describe it."""

    def __init__(self, clock: StillClock) -> None:
        self.clock, self.full_at, self.refused = clock, clock.monotonic(), 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        now = self.clock.monotonic()
        self.full_at = max(self.full_at, now)
        is_there = self.full_at - now <= 59.5 + 1e-6
        self.full_at += 0.5 * is_there
        left = int(120 - (self.full_at - now) * 2 + 1e-6)
        return self.answer(is_there, left, self.full_at)

    def answer(self, is_there: bool, left: int, full_at: float) -> httpx.Response:
        self.refused += not is_there
        told = {
            "Date": format_datetime(self.clock.now(), usegmt=True),
            "X_RateLimit_Remaining": str(left),
            "X_RateLimit_Reset": str(ceil(self.clock.now().timestamp() + full_at - self.clock.monotonic())),
        }
        return ok({"data": None}, 200 if is_there else 429, **told)


class Minutes(Server):
    """A server that counts in minutes of its clock, or in the last 60 s of any moment."""

    def __init__(self, clock: StillClock, sliding: bool) -> None:
        super().__init__(clock)
        self.sliding, self.sent = sliding, list[float]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        now = self.clock.elapsed
        since = now - 60 if self.sliding else now // 60 * 60
        self.sent = [at for at in self.sent if (at > since if self.sliding else at >= since)]
        is_there = len(self.sent) < 120
        self.sent += [now] if is_there else []
        ends = (now if self.sliding else since) + 60
        return self.answer(is_there, 120 - len(self.sent), self.clock.monotonic() + ends - now)


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
