"""PURE: when a code that people keep ends by what stands beside it (design 5), and what a run remembers of its row.

Owns which end in Expires at was worked out there, and which its people typed. What is said beside such a code is
`cells.py`'s, what goes with it `kept.py`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sheetsync.columns import instant, is_error
from sheetsync.model import AdCodeRequest, Entry, Origin, Row, fingerprint
from sheetsync.projection.window import RowContext, Window, code_in, readable, typed_days
from sheetsync.steps import KeptRow


def typed_code(context: RowContext) -> Entry:
    """A code that people typed into a row without a request, as a generation of its own.

    Received at + Authorization days gives its end, else a date they typed into Expires at.
    """
    row = context.row
    ends = held_end(context) or received_end(context) or typed_end(context)
    request = AdCodeRequest(fingerprint(code_in(row)), row.key, "", row.text("platform").casefold(), code_in(row))
    return Entry(request, Origin.TYPED, None, None, context.now, ends=ends)


def held_end(context: RowContext) -> datetime | None:
    """The end that was told last of the same code, while a cell that gives it shows an error; None if none does."""
    row, seen = context.row, context.seen
    gives = ("authorization_days",) if received_end(context) else ("received_at", "expires_at")
    is_unheard = any(is_error(row.cells.get(key, "")) for key in gives)
    return seen.ends if seen and is_unheard and seen.code == code_in(row) else None


def received_end(context: RowContext) -> datetime | None:
    """When a code that came from elsewhere ends by the row's Received at and days."""
    row, received = context.row, _typed_date(context, "received_at")
    is_instagram = row.text("platform").casefold() == "instagram"
    return received + timedelta(days=typed_days(row, context.tracker)) if received and not is_instagram else None


def typed_end(context: RowContext) -> datetime | None:
    """The end that people typed into Expires at; none that was worked out there."""
    return None if is_ours(context) else _typed_date(context, "expires_at")


def is_ours(context: RowContext) -> bool:
    """Whether Expires at says what was worked out for this very row."""
    return bool(_said_of_ours(context))


def row_kept(context: RowContext, window: Window | None) -> KeptRow:
    """What there is to remember of a row of a video whose people keep codes; `window` is that of the one it shows.

    An end was worked out if it follows from what stands beside the code; it counts until Expires at says another: the
    write that should say it may fail.
    """
    ends = window.ends if window and code_in(context.row) and not context.row.shown_id else None
    is_new = ends and window and (window.source != "estimate" or received_end(context))
    worked_out = {*_said_of_ours(context), *([ends] if ends and is_new else [])}
    return KeptRow(_name(context.row), tuple(sorted(worked_out)))


def _said_of_ours(context: RowContext) -> list[datetime]:
    """Which of its own ends Expires at says: to the second, since a sheet's dates are fractions of days."""
    says = _typed_date(context, "expires_at")
    return [ends for ends in _before(context).worked_out if says and abs(says - ends) < timedelta(seconds=1)]


def _before(context: RowContext) -> KeptRow:
    """What the run before saw of this very row."""
    seen = context.seen.kept if context.seen else ()
    rows = sorted((context.row, *context.duplicates), key=lambda row: row.number)
    found = _paired(rows, seen).get(context.row.number)
    # a row that was not there is a copy of one of them
    return found or KeptRow("", tuple(ends for kept in seen for ends in kept.worked_out))


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
