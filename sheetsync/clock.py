"""The clock of a run: passed in from the command line, so that tests can hold the time."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time. `now` is aware UTC; `monotonic` and `sleep` are in seconds."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow: for budgets and rate limits."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
