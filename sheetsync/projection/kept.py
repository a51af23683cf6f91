"""PURE: a code that people keep in a row where nothing was ever requested (design 5).

Owns what sheetsync has said beside it that has to go with it, once they take it out, and which end it has worked out.
What it says beside one that is there is `cells.py`'s, which code the row shows `in_use.py`'s.
"""

from collections.abc import Iterable
from datetime import datetime

from sheetsync.columns import BY_KEY, PAID_STATUSES, header_of, is_error
from sheetsync.model import Row, Tracker
from sheetsync.projection.in_use import Code, is_typed
from sheetsync.projection.window import RowContext, code_in, is_ours, received_end, said_of
from sheetsync.steps import RowSeen

EXPIRIES = ("ok", "renewal needed", "expired", "no window")
STAGES = ("received", "renewal needed", "expired", *PAID_STATUSES)
"""Those of a code: the others are of a request."""


def is_kept(rows: Iterable[Row], time_zone: str, tracker: Tracker, earlier: RowSeen | None) -> bool:
    """Whether people keep a code in one of a video's rows, or took it out and what was said beside it still stands."""
    if any(is_typed(row, ()) for row in rows):
        return True
    if not (earlier and earlier.has_typed_code):
        return False
    # while its cell shows an error, nobody knows whether the code is there
    return any(left_over(row, time_zone, tracker, earlier) or is_error(row.cells.get("spark_code", "")) for row in rows)


def worked_out(context: RowContext, used: Code | None) -> datetime | None:
    """The end that Expires at says because of what stands, or stood, beside a code of people's own; else None.

    A date that they typed there themselves is theirs.
    """
    row, zone = context.row, context.time_zone
    ends = used.window.ends if used and is_typed(row, ()) else None
    if ends and used and (used.window.source != "estimate" or received_end(row, zone, context.tracker)):
        return ends
    return said_of(row, zone, context.worked_out)


def left_over(row: Row, time_zone: str, tracker: Tracker, earlier: RowSeen) -> frozenset[str]:
    """The machine columns of a row that say what only follows from a code. Other words there are people's own."""
    if row.shown_id or code_in(row) or is_error(row.cells.get("spark_code", "")):
        return frozenset()
    headers = {header_of(key, tracker.columns) for key in BY_KEY}
    says = {
        "expiry": row.text("expiry") in EXPIRIES,
        "stage": row.text("stage") in STAGES,
        "missing": row.text("missing") != "" and {*row.text("missing").split(", ")} <= {*headers, "window"},
        "expires_at": is_ours(row, time_zone, earlier.worked_out),
    }
    return frozenset(key for key, is_left in says.items() if is_left)
