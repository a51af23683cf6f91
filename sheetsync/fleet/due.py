"""When a tracker is due, and how late it is: pure.

Owns the boundaries of its periods. They are the same on every machine, since they follow from the time and from the
tracker's place among all; so that not all trackers are due in one minute, they are spread over the period.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def is_due(last_begun: datetime | None, now: datetime, minutes: int, place: float = 0.0) -> bool:
    """Whether a period has begun since the last run did. `place`, from 0 to 1, is where in the period it begins.

    A run further ahead than a period was recorded by a clock that was set back since: it is due, and puts that right.
    """
    if last_begun is None or last_begun > now + MINUTE * minutes:
        return True
    return last_begun < _begun(now, minutes, place)


def lag(last_begun: datetime, now: datetime, minutes: int, place: float = 0.0) -> timedelta:
    """For how long a tracker has been due: since the period began that no run has served. Zero where it is not due."""
    return max(timedelta(0), now - _begun(last_begun, minutes, place) - MINUTE * minutes)


def places(trackers: Iterable[str]) -> Mapping[str, float]:
    """Where in the period that of each tracker begins."""
    names = sorted(trackers)
    return {name: place / len(names) for place, name in enumerate(names)}


def _begun(moment: datetime, minutes: int, place: float) -> datetime:
    """When the period began that holds this moment."""
    offset = MINUTE * int(minutes * place)
    return moment - (moment - _EPOCH - offset) % (MINUTE * minutes)


def due(trackers: Sequence[str], last_begun: Mapping[str, datetime], now: datetime, minutes: int) -> list[str]:
    """The trackers that are due, who has waited longest first."""
    found = [name for name, place in places(trackers).items() if is_due(last_begun.get(name), now, minutes, place)]
    return sorted(found, key=lambda name: last_begun.get(name, _EPOCH))
