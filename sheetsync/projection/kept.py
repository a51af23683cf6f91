"""PURE: a code that people keep in a row where nothing was ever requested (design 5).

Owns what sheetsync has said beside it that has to go with it, once they take it out. What it says beside one that is
there is `cells.py`'s, which code the row shows `in_use.py`'s.
"""

from collections.abc import Iterable

from sheetsync.columns import BY_KEY, PAID_STATUSES, header_of, instant
from sheetsync.model import Row, Tracker
from sheetsync.projection.in_use import is_typed
from sheetsync.projection.window import known_end, readable, received_end
from sheetsync.steps import RowSeen

EXPIRIES = ("ok", "renewal needed", "expired", "no window")
STAGES = ("received", "renewal needed", "expired", *PAID_STATUSES)
"""Those of a code: the others are of a request."""


def is_kept(rows: Iterable[Row], time_zone: str, tracker: Tracker, earlier: RowSeen | None) -> bool:
    """Whether people keep a code in one of a video's rows, or took it out and what was said beside it still stands."""
    if any(is_typed(row, ()) for row in rows):
        return True
    return bool(earlier and earlier.has_typed_code and any(left_over(row, time_zone, tracker) for row in rows))


def left_over(row: Row, time_zone: str, tracker: Tracker) -> frozenset[str]:
    """The machine columns of a row that say what only follows from a code. Other words there are people's own."""
    if row.shown_id or row.text("spark_code"):
        return frozenset()
    headers = {header_of(key, tracker.columns) for key in BY_KEY}
    ends = readable(lambda: instant(row.cells.get("expires_at", ""), time_zone))
    says = {
        "expiry": row.text("expiry") in EXPIRIES,
        "stage": row.text("stage") in STAGES,
        "missing": row.text("missing") != "" and {*row.text("missing").split(", ")} <= {*headers, "window"},
        # the same date may be typed anew; one that nothing else in the row gives is people's own
        "expires_at": ends is not None and ends in (known_end(row, time_zone), received_end(row, time_zone, tracker)),
    }
    return frozenset(key for key, is_ours in says.items() if is_ours)
