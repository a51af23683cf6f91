"""PURE: the time a code may be used, and where it stands in its life (design 5).

Owns when a window ends, `ok`, `renewal needed` and `expired`, the stage, and which fields are still missing. Which
cells say it is `cells.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sheetsync import notes
from sheetsync.columns import BadCell, days, header_of, instant
from sheetsync.model import AdCodeRequest, Entry, Row, Scalar, Tracker

T = TypeVar("T")

OWNERS = ("creator_owner", "paid_owner", "renewal_owner")
NEEDED_WITH_A_CODE = (*OWNERS, "market", "ad_account", "campaign", "objective", "video_url", "creator")
"""Columns that a team fills in for a code it uses (spark-code-operations, the ledger's fields)."""


@dataclass(frozen=True, slots=True)
class RowContext:
    """A row, and all that its machine cells depend on.

    `waiting` is the mark that is not done yet, `reason` why; `duplicates` are the numbers of the other rows of its key.
    """

    row: Row
    time_zone: str
    tracker: Tracker
    now: datetime
    entry: Entry | None = None
    waiting: str = ""
    reason: str = ""
    duplicates: tuple[int, ...] = ()

    def header(self, column: str) -> str:
        """The header that people know a column by."""
        return header_of(column, self.tracker.columns)


@dataclass(frozen=True, slots=True)
class TypedWindow:
    """What people say of a window: its end (UTC) and its days, None where they say nothing; and what is unreadable."""

    expiry: datetime | None
    days: int | None
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Window:
    """The time a code may be used: its end (UTC), and the word for where `now` stands in it."""

    ends: datetime | None
    word: str


def shown_code(request: AdCodeRequest) -> str:
    """The code as the row shows it: none for a cancelled request, whose code is dead."""
    return request.code or "" if request.status != "cancelled" else ""


def window_of(context: RowContext, request: AdCodeRequest) -> Window:
    """When the authorization can end at the earliest, and `ok`, `renewal needed`, `expired` or `no window`.

    Known expiry wins; else created_at + Authorization days. TokPortal reports no window (reference 2.5), and
    the clock runs from the code's generation, so this is the early edge. Empty without a code.
    """
    if not shown_code(request):
        return Window(None, "")
    typed = typed_window(context)
    ends = typed.expiry
    # Instagram codes have no fixed duration (peers 1.5): there only a typed date tells
    if ends is None and request.created_at and request.platform != "instagram":
        ends = request.created_at + timedelta(days=typed.days or context.tracker.authorization_days)
    if ends is None:
        return Window(None, "no window")
    # the very second of the end is expired already, and warn_hours before it is time already (design 5)
    if context.now >= ends:
        return Window(ends, "expired")
    if context.now >= ends - timedelta(hours=context.tracker.warn_hours):
        return Window(ends, "renewal needed")
    return Window(ends, "ok")


def typed_window(context: RowContext) -> TypedWindow:
    """What people typed about the window; a cell that cannot be read counts as empty, and is told."""
    problems: list[str] = []

    def read(column: str, parse: Callable[[Scalar], T]) -> T | None:
        try:
            return parse(context.row.cells.get(column, ""))
        except BadCell as problem:
            # the estimate keeps the alarm alive
            problems.append(notes.cell_problem(context.header(column), problem))
            return None

    expiry = read("known_expiry", lambda cell: instant(cell, context.time_zone))
    return TypedWindow(expiry, read("authorization_days", days), problems)


def stage(row: Row, request: AdCodeRequest, expiry: str) -> str:
    """Where the code stands in its life: the first that holds (design 5)."""
    paid = row.text("paid_status").casefold()
    if paid == "retired":
        # a person's last word on a code: no alarm is raised over it any more
        return "retired"
    if expiry in ("expired", "renewal needed"):
        return expiry
    if paid in ("spending", "paused", "activated"):
        return paid
    if shown_code(request):
        return "received"
    return "requested" if request.is_open else ""


def missing(context: RowContext, request: AdCodeRequest, window: Window) -> str:
    """The ledger fields still empty once a code is there, by their headers; empty means operationally ready."""
    if not shown_code(request):
        return ""
    row, wanted = context.row, list(NEEDED_WITH_A_CODE)
    if window.word == "renewal needed":
        wanted.append("renewal_decision")
    if row.text("paid_status").casefold() == "retired":
        wanted.append("retirement_reason")
    # a column that the sheet does not have is not missed
    names = [context.header(key) for key in wanted if key in row.columns and not row.text(key)]
    return ", ".join(names + (["window"] if window.word == "no window" else []))
