"""PURE: when a code that people keep ends by what stands beside it (design 5), and what a run remembers of its row.

Owns which end in Expires at was worked out there, and which its people typed; and what counts while a cell shows an
error. What is said beside such a code is `cells.py`'s, what goes with it `kept.py`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sheetsync.columns import days, instant, is_error
from sheetsync.model import AdCodeRequest, Entry, Origin, Row, fingerprint
from sheetsync.projection.window import RowContext, Window, code_in, readable, typed_days
from sheetsync.steps import KeptRow


def typed_code(context: RowContext) -> Entry:
    """A code that people typed into a row without a request, as a generation of its own.

    Received at + Authorization days gives its end, else a date they typed into Expires at.
    """
    row = context.row
    ends = received_end(context) or _told(context).typed
    request = AdCodeRequest(fingerprint(code_in(row)), row.key, "", row.text("platform").casefold(), code_in(row))
    return Entry(request, Origin.TYPED, None, None, context.now, ends=ends)


def received_end(context: RowContext) -> datetime | None:
    """When a code that came from elsewhere ends by the row's Received at and days."""
    told = _told(context)
    if not told.received or context.row.text("platform").casefold() == "instagram":
        return None
    return told.received + timedelta(days=told.days or context.tracker.authorization_days)


def is_ours(context: RowContext) -> bool:
    """Whether Expires at says what was worked out for this very row."""
    return bool(_said_of(context, _before(context).worked_out))


def row_kept(context: RowContext, window: Window | None) -> KeptRow:
    """What there is to remember of a row of a video whose people keep codes; `window` is that of the one it shows.

    An end was worked out if it follows from what stands beside the code; it counts until Expires at says another: the
    write that should say it may fail.
    """
    if is_error(context.row.cells.get("spark_code", "")):
        # nobody knows whether its code is another one
        return _before(context)
    told, ends = _told(context), window.ends if window and _name(context.row) and not context.row.shown_id else None
    is_new = ends and window and (window.source != "estimate" or received_end(context))
    return replace(told, worked_out=tuple(sorted({*told.worked_out, *([ends] if ends and is_new else [])})))


def _told(context: RowContext) -> KeptRow:
    """What a row says of when its code ends; of a cell that shows an error, what it said before of the same code."""
    row, before = context.row, _before(context)
    of_code = before if before.code == _name(row) else _of_its_end(context, before)
    told, ours = replace(of_code, code=_name(row)), _said_of(context, before.worked_out)
    if not is_error(row.cells.get("received_at", "")):
        told = replace(told, received=_typed_date(context, "received_at"))
    if not is_error(row.cells.get("authorization_days", "")):
        told = replace(told, days=readable(lambda: days(row.cells.get("authorization_days", ""))))
    if not is_error(row.cells.get("expires_at", "")):
        told = replace(told, typed=None if ours else _typed_date(context, "expires_at"))
    return replace(told, worked_out=tuple(ours))


def _of_its_end(context: RowContext, before: KeptRow) -> KeptRow:
    """What a row that was not seen with its code said, by the end that was told last of it: where that was seen in the
    first row, or by an earlier version. None of it where the code is another one.
    """
    row, seen = context.row, context.seen
    ends = seen.ends if seen and seen.code == code_in(row) else None
    if not ends:
        return KeptRow()
    received, is_worked_out = _typed_date(context, "received_at"), _said_of(context, before.worked_out)
    return KeptRow(
        received=ends - timedelta(days=typed_days(row, context.tracker)) if is_worked_out else None,
        days=(ends - received).days if received else None,
        typed=ends,
    )


def _said_of(context: RowContext, worked_out: Iterable[datetime]) -> list[datetime]:
    """Which of these ends Expires at says: to the second, since a sheet's dates are fractions of days."""
    says = _typed_date(context, "expires_at")
    return [ends for ends in worked_out if says and abs(says - ends) < timedelta(seconds=1)]


def _before(context: RowContext) -> KeptRow:
    """What the run before saw of this very row."""
    seen = context.seen.kept if context.seen else ()
    rows = sorted((context.row, *context.duplicates), key=lambda row: row.number)
    found, name = _paired(rows, seen).get(context.row.number), _name(context.row)
    if found and (found.code == name or not name):
        return found
    # a row that was not there is a copy of one of them, one whose code is new there perhaps of one with that code
    copied = [ends for kept in seen if not found or kept.code == name for ends in kept.worked_out]
    found = found or KeptRow()
    return replace(found, worked_out=(*found.worked_out, *copied))


def _paired(rows: Sequence[Row], seen: Iterable[KeptRow]) -> Mapping[int, KeptRow]:
    """Which row is which, by its number: the one with its code, since rows are moved; of the others, whose code was
    taken out or typed over, each in its turn.
    """
    left, found = list(seen), dict[int, KeptRow]()
    for row in rows:
        same = next((kept for kept in left if code_in(row) and kept.code == _name(row)), None)
        if same:
            left.remove(same)
            found[row.number] = same
    others = (row.number for row in rows if row.number not in found)
    return found | dict(zip(others, left, strict=False))


def _name(row: Row) -> str:
    """A row's code as the ledger may hold it; empty without one."""
    return fingerprint(code_in(row)) if code_in(row) else ""


def _typed_date(context: RowContext, column: str) -> datetime | None:
    return readable(lambda: instant(context.row.cells.get(column, ""), context.time_zone))
