"""The clock of a run: passed in from the command line, so that tests can hold the time."""

import time
from datetime import UTC, datetime, timedelta
from math import inf

KEPT_FOR_THE_SHEET = 1 / 4
"""This share of a run TokPortal is not asked in: the sheet has yet to be told what is known."""


class Clock:
    """Real time. `now` is aware UTC; `monotonic` and `sleep` are in seconds.

    `ends_at` is the monotonic instant at which the run has to be over, `asks_until` that after which TokPortal is left
    alone; without a run they never come. `ahead` is for a sandbox, whose time people move.
    """

    ends_at = asks_until = inf
    is_stopped = False

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self._ahead = ahead

    def ends_in(self, seconds: float) -> None:
        """A run begins that has so much time."""
        self.ends_at = self.monotonic() + seconds
        self.asks_until = self.ends_at - seconds * KEPT_FOR_THE_SHEET

    def stop(self) -> None:
        """Somebody wants the run to end: the call in hand is finished, and none begins."""
        self.is_stopped = True
        self.ends_in(0)

    def left(self) -> float:
        """Seconds until the run has to be over."""
        return self.ends_at - self.monotonic()

    def left_to_ask(self) -> float:
        """Seconds in which TokPortal may still be asked."""
        return self.asks_until - self.monotonic()

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        """Seconds that only ever grow, also while the machine sleeps: for deadlines, freshness and rate limits."""
        # Linux's monotonic clock stands still in a suspend: an order looked at before the night would seem seconds old
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, for as long as nobody stops the run."""
        until = self.monotonic() + seconds
        # in slices: a signal's handler may set no event that its own thread waits for
        while not self.is_stopped and (left := until - self.monotonic()) > 0:
            time.sleep(min(left, 0.2))
