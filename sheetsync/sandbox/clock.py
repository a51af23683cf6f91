"""The sandbox's time: stands still until it is moved, or runs on from wherever it was put.

Owns the only look at the machine's clock. Does not own what falls due as time passes (world.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 6, 16, 10, 22, tzinfo=UTC)


class Clock:
    """The sandbox's time: stands still until it is moved, or is real time plus an offset."""

    def __init__(self, start: datetime | None = None, *, real_time: bool = False) -> None:
        self.real_time = real_time
        self.on_change: Callable[[], None] | None = None
        self._still = START
        self._offset = timedelta()
        if start is not None or not real_time:
            self._put(start or START)

    def now(self) -> datetime:
        """The present, in UTC."""
        return _real_now() + self._offset if self.real_time else self._still

    def advance(self, step: timedelta) -> None:
        """Move the present by a step, forward or back."""
        self.set(self.now() + step)

    def set(self, moment: datetime) -> None:
        """Put the present somewhere. Raises ValueError for a time without a zone."""
        if moment.tzinfo is None:
            raise ValueError("the clock needs a time zone")
        self._put(moment)
        if self.on_change is not None:
            self.on_change()

    def reset(self) -> None:
        """Back to now; a clock that stands still goes back to where such clocks start."""
        self.set(_real_now() if self.real_time else START)

    def _put(self, moment: datetime) -> None:
        self._still = moment.astimezone(UTC)
        if self.real_time:
            self._offset = self._still - _real_now()

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {"still": self._still.isoformat(), "offset": self._offset.total_seconds(), "real_time": self.real_time}

    def restore(self, saved: dict[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self.real_time = saved["real_time"]
        self._still = datetime.fromisoformat(saved["still"])
        self._offset = timedelta(seconds=saved["offset"])


def _real_now() -> datetime:
    return datetime.now(UTC)
