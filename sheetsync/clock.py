"""The clock of a run: passed in from the command line, so that tests can hold the time."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time. `now` is aware UTC; `monotonic` and `sleep` are in seconds."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow, also while the machine sleeps: for deadlines, freshness and rate limits."""
        # Linux's monotonic clock stands still in a suspend: an order looked at before the night would seem seconds old
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
