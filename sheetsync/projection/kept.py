"""PURE: a code that people keep in a row where nothing was ever requested (design 5).

Owns what sheetsync has said beside it that has to go with it, once they take it out. What it says beside one that is
there is `cells.py`'s, when that one ends `kept_end.py`'s, which code the row shows `in_use.py`'s.
"""

from collections.abc import Collection

from sheetsync.columns import BY_KEY, PAID_STATUSES, is_error
from sheetsync.projection.in_use import is_typed
from sheetsync.projection.kept_end import is_ours
from sheetsync.projection.window import RowContext, code_in

EXPIRIES = ("ok", "renewal needed", "expired", "no window")
STAGES = ("received", "renewal needed", "expired", *PAID_STATUSES)
"""Those of a code: the others are of a request."""


def is_kept(contexts: Collection[RowContext]) -> bool:
    """Whether people keep a code in one of a video's rows, or took it out and what was said beside it still stands."""
    if any(is_typed(context.row, ()) for context in contexts):
        return True
    # while its cell shows an error, nobody knows whether the code is there
    return any(
        context.seen
        and context.seen.has_typed_code
        and (left_over(context) or is_error(context.row.cells.get("spark_code", "")))
        for context in contexts
    )


def left_over(context: RowContext) -> frozenset[str]:
    """The machine columns of a row that say what only follows from a code. Other words there are people's own."""
    row = context.row
    if row.shown_id or code_in(row) or is_error(row.cells.get("spark_code", "")):
        return frozenset()
    headers = {context.header(key) for key in BY_KEY}
    says = {
        "expiry": row.text("expiry") in EXPIRIES,
        "stage": row.text("stage") in STAGES,
        "missing": row.text("missing") != "" and {*row.text("missing").split(", ")} <= {*headers, "window"},
        "expires_at": is_ours(context),
    }
    return frozenset(key for key, is_left in says.items() if is_left)
