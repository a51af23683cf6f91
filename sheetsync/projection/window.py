"""PURE: the time a code may be used, and where it stands in its life (design 5).

Owns when a window ends and who says so, `ok`, `renewal needed` and `expired`, the stage, and which fields are still
missing; and which code a typed date or decision belongs to. When a code that people keep ends is `kept_end.py`'s, which
code the row shows `in_use.py`'s, which cells say it `cells.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sheetsync import notes
from sheetsync.authorizations import Authorization, code_name
from sheetsync.columns import BadCell, days, header_of, instant, is_error, same
from sheetsync.model import AdCodeRequest, Entry, Known, Row, Scalar, Tracker
from sheetsync.steps import RowSeen

T = TypeVar("T")

OWNERS = ("creator_owner", "paid_owner", "renewal_owner")
NEEDED_WITH_A_CODE = (*OWNERS, "market", "ad_account", "campaign", "objective", "video_url", "creator")
"""Columns that a team fills in for a code it uses (spark-code-operations, the ledger's fields)."""


@dataclass(frozen=True, slots=True)
class RowContext:
    """A row, and all that its machine cells depend on.

    `waiting` is the mark that is not done yet, `reason` why; `duplicates` are the other rows of its key, in the order
    of the sheet; `seen` is what the run before saw of it.
    """

    row: Row
    time_zone: str
    tracker: Tracker
    now: datetime
    known: Known = field(default_factory=Known)
    waiting: str = ""
    reason: str = ""
    duplicates: tuple[Row, ...] = ()
    seen: RowSeen | None = None

    @property
    def entry(self) -> Entry | None:
        """The video's latest request."""
        return self.known.latest.get(self.row.key)

    @property
    def first(self) -> Row:
        """The row whose typed dates and decisions count: of duplicates the first (design 5)."""
        return min((self.row, *self.duplicates), key=lambda row: row.number)

    def name_of(self, code: str) -> str:
        """What people's words for the newest code that says this are kept under."""
        return name_of(code, self.known.generations(self.row.key))

    @property
    def newest(self) -> str:
        """The newest code that a request of the row's video brought, by its name."""
        codes = (usable_code(entry.request) for entry in self.known.generations(self.row.key))
        return self.name_of(next(filter(None, codes), ""))

    def header(self, column: str) -> str:
        """The header that people know a column by."""
        return header_of(column, self.tracker.columns)


@dataclass(frozen=True, slots=True)
class Window:
    """The time a code may be used: its end (UTC), the word for where `now` stands in it, who says so, and its state."""

    ends: datetime | None
    word: str
    source: str = field(default="", compare=False)
    state: str = field(default="", compare=False)


def code_in(row: Row) -> str:
    """The code that stands in a row; none where its cell shows an error, or is a checkbox."""
    cell = row.cells.get("spark_code", "")
    return "" if isinstance(cell, bool) or is_error(cell) else row.text("spark_code")


def usable_code(request: AdCodeRequest) -> str:
    """The code that a request brought: none of a cancelled one, whose code is dead."""
    return request.code or "" if request.status != "cancelled" else ""


def name_of(code: str, generations: Sequence[Entry]) -> str:
    """What people's words for a code are kept under: the code, with the request that brought it last where a renewal
    has brought the same one again (peers 0.5). `generations` are those up to now, newest first.
    """
    brought = [entry.request.id for entry in generations if code and usable_code(entry.request) == code]
    return f"{code} {brought[0]}" if len(brought) > 1 else code


def code_seen(row: Row, known: Known) -> str:
    """The code that people saw in a row, by its name: what they typed beside it was about that one. Empty where there
    was none.

    Where somebody typed over it, it is the newest one that the ledger knows. A row that was copied, or is used again
    for another video, still shows that of the other one, and a row without a request that of its people.
    """
    shown, generations = code_in(row), known.generations(row.key)
    if not (shown and row.shown_id) or known.owners.get(row.shown_id, row.key) != row.key:
        return shown
    codes = [code for entry in generations if (code := usable_code(entry.request))]
    seen = codes[0] if codes and known.codes.get(shown) != row.key and shown not in codes else shown
    # later requests than the one that the row shows brought nothing that its people saw
    later = next((n for n, entry in enumerate(generations) if entry.request.id == row.shown_id), 0)
    return name_of(seen, generations[later:])


def typed_for(context: RowContext, column: str, code: str) -> Scalar:
    """What people typed into a cell for a code, by its name: it belongs to the one that was shown when it was first
    read, or, where none was, to the next one (design 5).
    """
    first = context.first
    value, memory = first.cells.get(column, ""), context.known.typed.get((first.key, column))
    # what is being loaded, or cannot be, says nothing new
    is_new = memory is None or not (same(value, memory.last) or is_error(value))
    # typed beside no code it is of the one that the row comes to show, not of each that the video has
    names = (code,) if context.newest not in ("", code) else (code, "")
    if is_new and code_seen(first, context.known) in names:
        return value
    said = memory.by_code if memory else {}
    return next((said[name] for name in names if name in said), "")


def window_of(context: RowContext, entry: Entry) -> Window:
    """When the authorization can end at the earliest, and `ok`, `renewal needed`, `expired` or `no window`.

    Empty without a code.
    """
    if not usable_code(entry.request):
        return Window(None, "")
    ends, source = _ends(context, entry)
    told = told_by_tiktok(context, entry)
    return replace(window_at(context, ends), source=source if ends else "", state=told.state if told else "")


def window_at(context: RowContext, ends: datetime | None) -> Window:
    """The window that ends then, as of now."""
    return Window(ends, expiry_word(ends, context.now, context.tracker.warn_hours))


def expiry_word(ends: datetime | None, now: datetime, warn_hours: int) -> str:
    """Where `now` stands in the time of a code that ends then."""
    if ends is None:
        return "no window"
    # the very second of the end is expired already, and warn_hours before it is time already (design 5)
    if now >= ends:
        return "expired"
    return "renewal needed" if now >= ends - timedelta(hours=warn_hours) else "ok"


def _ends(context: RowContext, entry: Entry) -> tuple[datetime | None, str]:
    """When a code ends, and who says so: of Known expiry and TikTok the earlier; else created_at + Authorization days.

    TokPortal reports no window (reference 2.5), and the clock runs from the code's generation, so this is the early
    edge.
    """
    told, request = told_by_tiktok(context, entry), entry.request
    known = (known_expiry(context, entry), "typed"), (told.ends if told else None, "TikTok")
    said = [(ends, source) for ends, source in known if ends]
    if said:
        return min(said, key=lambda each: each[0])
    # Instagram codes have no fixed duration (peers 1.5): there only a typed date tells
    if entry.ends or not request.created_at or request.platform == "instagram":
        return entry.ends, "estimate"
    return request.created_at + timedelta(days=_days(context, entry)), "estimate"


def known_expiry(context: RowContext, entry: Entry) -> datetime | None:
    """The end that people typed for the code of a generation."""
    generations = context.known.generations(context.row.key)
    since = generations[generations.index(entry) :] if entry in generations else ()
    cell = typed_for(context, "known_expiry", name_of(usable_code(entry.request), since))
    # a cell that cannot be read counts as empty, and is told: the estimate keeps the alarm alive
    return readable(lambda: instant(cell, context.time_zone))


def told_by_tiktok(context: RowContext, entry: Entry) -> Authorization | None:
    """What TikTok said of a generation's code. Without a token nothing of it counts."""
    request = entry.request
    if not context.tracker.tiktok.is_on or request.platform == "instagram" or not usable_code(request):
        return None
    told = context.known.authorizations.get(code_name(usable_code(request)))
    return told if told and is_of_this(request, told) else None


def is_of_this(request: AdCodeRequest, told: Authorization) -> bool:
    """Whether it was said since this request brought the code: a renewal may bring the same one again (peers 0.5)."""
    since = request.submitted_at or request.created_at
    # TokPortal tells times in whole seconds
    return since is None or told.asked_at - since >= timedelta(seconds=1)


def _days(context: RowContext, entry: Entry) -> int:
    """Those of the row, and once a renewal was ordered, those that the row had until then (design 5).

    So also while the cell shows an error.
    """
    is_told = entry is context.entry and not is_error(context.first.cells.get("authorization_days", ""))
    if not is_told and entry.authorization_days is not None:
        return entry.authorization_days
    return typed_days(context.first, context.tracker)


def typed_days(row: Row, tracker: Tracker) -> int:
    """For how many days a row's creator authorizes the post."""
    return readable(lambda: days(row.cells.get("authorization_days", ""))) or tracker.authorization_days


def readable(parse: Callable[[], T]) -> T | None:
    """What a cell says; None where it cannot be understood."""
    try:
        return parse()
    except BadCell:
        return None


def unreadable(context: RowContext) -> list[str]:
    """What is wrong with the cells that people typed about the window, for the note."""
    problems = []

    def look(column: str, parse: Callable[[Scalar], object]) -> None:
        cell = context.row.cells.get(column, "")
        if is_error(cell):
            problems.append(notes.shows_an_error(context.header(column), context.row.text(column)))
            return
        try:
            parse(cell)
        except BadCell as problem:
            problems.append(notes.cell_problem(context.header(column), problem))

    look("known_expiry", lambda cell: instant(cell, context.time_zone))
    look("authorization_days", days)
    if code_in(context.row) and not (context.row.shown_id or context.known.generations(context.row.key)):
        # of a code that people keep, these tell when it ends
        look("received_at", lambda cell: instant(cell, context.time_zone))
        look("expires_at", lambda cell: instant(cell, context.time_zone))
    return problems


def is_retired(context: RowContext, code: str) -> bool:
    """Whether people retired this code: the word belongs to the one that was shown when they said it."""
    words = context.row.text("paid_status"), str(typed_for(context, "paid_status", context.name_of(code))).strip()
    return all(word.casefold() == "retired" for word in words[: 2 if code else 1])


def stage(context: RowContext, code: str, expiry: str, is_open: bool) -> str:
    """Where the code stands in its life: the first that holds (design 5). `is_open` is of the latest request."""
    paid = context.row.text("paid_status").casefold()
    if is_retired(context, code):
        # a person's last word on a code: no alarm is raised over it any more
        return "retired"
    if expiry in ("expired", "renewal needed"):
        return expiry
    if paid in ("spending", "paused", "activated"):
        return paid
    if code:
        return "received"
    return "requested" if is_open else ""


def missing(context: RowContext, code: str, expiry: str) -> str:
    """The ledger fields still empty once a code is there, by their headers; empty means operationally ready."""
    if not code:
        return ""
    row, wanted = context.row, list(NEEDED_WITH_A_CODE)
    if is_retired(context, code):
        wanted.append("retirement_reason")
    # a column that the sheet does not have is not missed
    empty = [key for key in wanted if key in row.columns and (not row.text(key) or is_error(row.cells.get(key, "")))]
    names = [context.header(key) for key in empty]
    return ", ".join([*names, *_undecided(context, code, expiry), *(["window"] if expiry == "no window" else [])])


def _undecided(context: RowContext, code: str, expiry: str) -> Sequence[str]:
    """Renewal decision, when renewal is needed: one that was made for an earlier code says nothing of this one."""
    is_due = expiry == "renewal needed" and "renewal_decision" in context.row.columns
    said = typed_for(context, "renewal_decision", context.name_of(code))
    decided = not is_error(said) and str(said).strip() and context.row.text("renewal_decision")
    return [] if decided or not is_due else [context.header("renewal_decision")]
