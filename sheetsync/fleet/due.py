"""When a tracker is due: pure.

Owns the boundaries of its periods. They are the same on every machine, since they follow from the time and from the
tracker's place among all; so that not all trackers are due in one minute, they are spread over the period.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def is_due(last_begun: datetime | None, now: datetime, minutes: int, place: float = 0.0) -> bool:
    """Whether a period has begun since the last run did. `place`, from 0 to 1, is where in the period it begins."""
    offset = MINUTE * int(minutes * place)
    begun = now - (now - _EPOCH - offset) % (MINUTE * minutes)
    return last_begun is None or last_begun < begun


def due(trackers: Sequence[str], last_begun: Mapping[str, datetime], now: datetime, minutes: int) -> list[str]:
    """The trackers that are due, who has waited longest first."""
    places = {name: place / len(trackers) for place, name in enumerate(sorted(trackers))}
    found = [name for name in places if is_due(last_begun.get(name), now, minutes, places[name])]
    return sorted(found, key=lambda name: last_begun.get(name, _EPOCH))
