"""The words of the design as frozen values: what travels between the steps of a run.

Owns the types and the few facts that belong to them (which statuses are final, what an order costs).
Does no I/O and decides nothing; all instants are aware datetimes in UTC.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any, Self

from sheetsync.authorizations import Access, Authorization
from sheetsync.fills import Fill

_ID = re.compile(r"(?=.*[0-9_-])(?=.*[A-Za-z])[\w.:-]+")
"""What may be a request's id; TokPortal's are UUIDs. `n/a`, `-` or a number is what a team's own list had there."""

PRICE = 7  # until a person accepts another (`sync --accept-price`)
"""Credits for one ad code (API page, "Cost: 7 credits per ad code")."""

Scalar = str | int | float | bool
"""A cell's value as Sheets gives it with UNFORMATTED_VALUE; an empty cell is the empty string."""

Value = str | int | datetime
"""What a machine cell should say: text, a number, or an aware instant. The empty string empties the cell."""

CellValue = Scalar | datetime
"""What is written into a cell; what is put back may be any scalar."""


class Mark(StrEnum):
    """What a person asks for in the Action cell."""

    REQUEST = "request"
    RENEW = "renew"
    CORRECT = "correct"


def fingerprint(code: str) -> str:
    """A code as logs and terminals may show it: enough to tell two apart, not enough to use one."""
    return f"code {sha256(code.encode(errors='surrogatepass')).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Tracker:
    """One worksheet of one spreadsheet, with its settings (design 6).

    `spreadsheet` is the bare id; `require` and `approve` name columns by key, or by header where they are the team's
    own; `columns` maps a column key to the header that this sheet uses for it; `approve` None means the default
    approvals, where the sheet has or had them; `price` is what an ad code may cost (credits); `summary_tab` is the tab
    that its summary is kept in; `groups` are the groups of columns that `init` makes, None the usual ones, and those
    for a new tab alone.
    """

    name: str
    spreadsheet: str
    worksheet: str
    authorization_days: int = 30
    warn_hours: int = 72
    max_orders_per_run: int = 25
    keep_credits: int = 0
    require: tuple[str, ...] = ()
    approve: tuple[str, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    summary_tab: str = "Summary"
    price: int = PRICE
    groups: tuple[str, ...] | None = None
    max_orders_at_sheet: int = 0
    fill: Fill = field(default_factory=Fill)
    tiktok: Access = field(default_factory=Access)

    @property
    def gates(self) -> tuple[str, ...]:
        """The columns that are named for orders to rest on."""
        return (*self.require, *(self.approve or ()))


@dataclass(frozen=True, slots=True)
class AdCodeRequest:
    """TokPortal's order for one code. Statuses not known today are kept as they came."""

    id: str
    video_id: str
    status: str
    platform: str = ""
    code: str | None = None
    note: str | None = None
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    delivered_at: datetime | None = None

    @property
    def lacks_its_code(self) -> bool:
        """Finished, as TokPortal says, and no code was named: an answer that came too early, or none that ever will."""
        return self.status == "finalized" and not self.code

    @property
    def is_open(self) -> bool:
        """Open unless finalized or cancelled (design 2): an unknown status counts as open, which never orders."""
        # whoever adds a status later must not make us order beside a request that still runs
        return self.status not in ("finalized", "cancelled")


class HoldKind(Enum):
    """Who has to move."""

    PERSON = "person"  # the row waits for somebody: not a failure of the run
    NEXT_RUN = "next run"  # something was unavailable or uncertain: this run is incomplete


@dataclass(frozen=True, slots=True)
class Failure:
    """An observation that failed: nothing is known, or a definite 4xx concerns this video. A note may show `text`,
    which may name `code`; with `is_earlier` the run before told it, of the very same row. Without `may_order` that run
    found what makes a mark there no order."""

    kind: HoldKind
    text: str
    code: str = ""
    is_earlier: bool = False
    may_order: bool = True

    @property
    def is_final(self) -> bool:
        """Whether asking again changes nothing: the row says so, marked or not."""
        return self.kind is HoldKind.PERSON


@dataclass(frozen=True, slots=True)
class Observation:
    """What TokPortal answered about one video in this run: its latest ad code request, or that there is none.

    With a failure, `request` is an older one that it named: nothing follows from it, but what it brought is kept.
    """

    video_id: str
    request: AdCodeRequest | None = None
    failure: Failure | None = None


class Origin(StrEnum):
    """How the last mark came by an ad code request."""

    ORDERED = "ordered"  # an intent of ours was accepted
    ADOPTED_OPEN = "adopted open"  # a mark met an open one
    ADOPTED_EXISTING = "adopted existing"  # a mark met a finished one that the row did not show
    ADOPTED_RENEWED = "adopted renewed"  # a mark met a newer one than the row showed
    FOUND = "found"  # seen without a mark (the ledger was lost, or it was ordered elsewhere)
    IMPORTED = "imported"  # a row told of it, and TokPortal did not confirm it yet
    TYPED = "typed"  # no request at all: a code that people had typed into the row, by its fingerprint


@dataclass(frozen=True, slots=True)
class Entry:
    """An ad code request as the ledger holds it: a generation of its video. Credits are None where nobody told them.

    `authorization_days` are those of its row while it was the latest; `ends` is the end (UTC) that a row told of a code
    which TokPortal did not confirm.
    """

    request: AdCodeRequest
    origin: Origin
    credits_charged: int | None
    credits_left: int | None
    seen_at: datetime
    authorization_days: int | None = None
    ends: datetime | None = None

    @property
    def cost(self) -> int | None:
        """What it costs by now (credits): nothing where it was cancelled, and so refunded; None if nobody told."""
        is_refunded = self.request.status == "cancelled" and self.credits_charged is not None
        return 0 if is_refunded else self.credits_charged


@dataclass(frozen=True, slots=True)
class Typed:
    """What people typed into a cell that belongs to a code: the value read last, and each by the code it was typed for.

    The code is the one that the row showed when the value was first read; the empty text is the next one.
    """

    last: Scalar
    by_code: Mapping[str, Scalar]


class IntentState(StrEnum):
    """Where a paid order stands."""

    SENDING = "sending"  # on disk, no answer recorded: after a crash this is the same as uncertain
    UNCERTAIN = "uncertain"  # the call ended without a clear answer
    ACCEPTED = "accepted"
    REFUSED = "refused"  # a definite 4xx: the key is spent
    LAPSED = "lapsed"  # looked at twice, it never happened, and nobody wants it any more


@dataclass(frozen=True, slots=True)
class Intent:
    """The record, on disk before the call, that a paid order is about to be sent."""

    id: int
    video_id: str
    mark: Mark
    previous_id: str | None
    idempotency_key: str
    body: str
    run_id: str
    created_at: datetime
    state: IntentState


@dataclass(frozen=True, slots=True)
class Refusal:
    """TokPortal's last definite no to this row's mark; the next try is not before `retry_at`."""

    video_id: str
    mark: Mark
    http_status: int
    text: str
    attempts: int
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Price:
    """What an ad code may cost for one API key. `lock` says why no order is sent until a person accepts a price.

    `lifted` are the locks that a person has lifted so, line by line: a Summary tab that still says one tells of nothing
    new.
    """

    credits: int = PRICE
    is_accepted: bool = False
    lock: str = ""
    lifted: str = ""

    def lifts(self, said: str) -> bool:
        """Whether what a Summary tab says of a lock has been lifted."""
        return said in self.lifted.split("\n")

    def and_lifted(self, said: str) -> str:
        """`lifted`, and this lock as well."""
        return "\n".join(dict.fromkeys([*filter(None, self.lifted.split("\n")), *filter(None, [said])]))

    def of(self, charged: int | None) -> int:
        """What an order cost: what was told, else what is expected."""
        return self.credits if charged is None else charged

    def covers(self, charged: int | None) -> bool:
        """Whether a charge is as expected; of a price that a person accepted, also a lower one."""
        return charged == self.credits or (self.is_accepted and charged is not None and charged < self.credits)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of one tracker, as the plan and the projection see it.

    All are by video id; `unsettled` holds intents that are sending or uncertain. `served` are marks that are
    done and could not be cleared, each with the request that its row shows since. `columns_seen` are the keys of the
    columns that the sheet has ever had, `owners` the video of every request that was ever seen, by its id;
    `looked` is when TokPortal was last asked about a video, whatever it answered. `earlier` holds the requests of a
    video before its latest, newest first, `codes` the video of every code ever seen; `typed` is by (video id, column),
    `opening` what the sheet said that a video had cost before this ledger (credits). `is_rebuilt` until a person has
    confirmed what was made of the sheet and TokPortal after a loss; `braked` are the wishes (video id, mark) that a
    run found too many, until they stand still; `authorizations` is what TikTok said of codes, by their names.
    """

    latest: Mapping[str, Entry] = field(default_factory=dict)
    unsettled: Mapping[str, Intent] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    served: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    columns_seen: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    looked: Mapping[str, datetime] = field(default_factory=dict)
    earlier: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[tuple[str, str], Typed] = field(default_factory=dict)
    opening: Mapping[str, int] = field(default_factory=dict)
    is_rebuilt: bool = False
    braked: frozenset[tuple[str, str]] = frozenset()
    authorizations: Mapping[str, Authorization] = field(default_factory=dict)

    @property
    def open_videos(self) -> frozenset[str]:
        """Videos whose latest request is open."""
        return frozenset(video for video, entry in self.latest.items() if entry.request.is_open)

    @property
    def videos(self) -> frozenset[str]:
        """Every video that was ever requested, or that the sheet said had cost something."""
        return frozenset({*self.latest, *self.earlier, *self.opening})

    def generations(self, video: str) -> tuple[Entry, ...]:
        """Every ad code request of a video, newest first."""
        latest = self.latest.get(video)
        return (*([latest] if latest else []), *self.earlier.get(video, ()))

    def cost(self, video: str) -> int | None:
        """What a video has cost so far, refunds deducted (credits); None where nobody told any of it."""
        told = [entry.cost for entry in self.generations(video) if entry.cost is not None]
        opening = self.opening.get(video, 0)
        return opening + sum(told) if told or opening else None

    @property
    def unpriced(self) -> int:
        """How many orders were charged an amount that nobody told."""
        entries = [entry for video in self.videos for entry in self.generations(video)]
        return sum(entry.origin is Origin.ORDERED and entry.cost is None for entry in entries)

    def only(self, videos: frozenset[str]) -> Self:
        """What is known of these videos; of all, if none is named."""
        if not videos:
            return self
        by_video: dict[str, Any] = {
            name: {video: found for video, found in getattr(self, name).items() if video in videos}
            for name in ("latest", "unsettled", "refusals", "earlier", "opening")
        }
        return replace(self, **by_video, braked=frozenset(wish for wish in self.braked if wish[0] in videos))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the tracker as it was read. `number` is its row number in the sheet then (the header is 1).

    `key` is the video id as trimmed text; `cells` holds raw values by column key, empty cells left out; `columns` are
    those of the tracker, `locked` those that sheetsync may not write here, `hidden` those under a merged cell, which
    stay empty; `owed` are the headers of cells that a write of ours hit and a protected range keeps from being put
    back. `is_plain` if none tells of a request, a mark or a window; `url` is a Video URL that is kept beside the cells.
    """

    number: int
    key: str
    cells: Mapping[str, Scalar]
    columns: frozenset[str] = frozenset()
    locked: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    is_plain: bool = field(default=False, compare=False)
    url: Scalar | None = field(default=None, compare=False)
    owed: frozenset[str] = frozenset()

    def text(self, column: str) -> str:
        """The cell as trimmed text; an absent column reads as empty."""
        value = self.cells.get(column, "")
        return value.strip() if isinstance(value, str) else str(value)

    @property
    def mark(self) -> str:
        """What stands in Action, whatever its case: a mark, nothing, or a word that is none."""
        return "" if self.is_plain else self.text("action").casefold()

    @property
    def shown_id(self) -> str:
        """The ad code request that the row shows: what its person saw when making a mark. A filler (`-`) is none."""
        said = "" if self.is_plain else self.text("request_id")
        return said if said and isinstance(self.cells["request_id"], str) and _ID.fullmatch(said) else ""

    @property
    def wish(self) -> tuple[str, str]:
        """What a person asked for, and what the row showed then: a mark is compared by both."""
        return self.mark, self.shown_id


Grid = Sequence[tuple[Scalar, ...]]
"""Raw values, row by row; Google leaves out trailing empty cells."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A range that cannot be written, 0-based and half-open, with exceptions (`free`): protected from this service
    account, or merged, so that the first cell alone holds a value; or a typed column, whose format is its table's.
    """

    top: int
    bottom: float
    left: int
    right: float
    free: tuple["Lock", ...] = ()
    is_merge: bool = False

    def covers(self, row: int, column: int) -> bool:
        """Whether a cell, by row number and 0-based column, may not be written."""
        inside = self.top < row <= self.bottom and self.left <= column < self.right
        return inside and not any(free.covers(row, column) for free in self.free)


@dataclass(frozen=True, slots=True)
class SummaryBlock:
    """The block of the Summary tab as it was read: all of it is sheetsync's."""

    sheet_id: int
    title: str
    grid: Grid
    typed: tuple[Lock, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One read of the tracker: everything in the tab, and where each bound column is.

    `grid` holds the raw values of every row, the header row first; `columns` maps column keys to 0-based indexes
    into them; `read_at` is the wall clock's word for when, `read_monotonic` tells how long ago that is (seconds).
    `summary` is None where there is no Summary tab of this tracker. `is_current` is False where the sheet is
    known to say something else by now: cells have been written since, or what a killed run left is shown as repaired.
    `typed` are the cells of typed columns, whose formats are their table's.
    """

    sheet_id: int
    title: str
    time_zone: str
    columns: Mapping[str, int]
    rows: tuple[Row, ...]
    grid: Grid
    read_at: datetime
    summary: SummaryBlock | None = None
    is_current: bool = True
    read_monotonic: float = 0.0
    locks: tuple[Lock, ...] = ()
    typed: tuple[Lock, ...] = ()

    def bars(self, row: int, column: int) -> bool:
        """Whether a cell cannot be written: it lies under a merged one, or in a range that keeps sheetsync out."""
        return any(lock.covers(row, column) for lock in self.locks)

    @property
    def headers(self) -> tuple[Scalar, ...]:
        """The header row."""
        return self.grid[0] if self.grid else ()

    @property
    def beside(self) -> Grid:
        """What was read of the Summary tab; nothing where there is none."""
        return self.summary.grid if self.summary else ()

    @property
    def keys(self) -> frozenset[str]:
        """The video ids that have a row."""
        return frozenset(row.key for row in self.rows)

    @property
    def rows_with_key(self) -> int:
        """How many rows are of a video."""
        return sum(1 for row in self.rows if row.key)

    def cell(self, row: int, column: int) -> Scalar:
        """A cell by row number and 0-based column; beyond the grid, empty."""
        cells = self.grid[row - 1] if 0 < row <= len(self.grid) else ()
        return cells[column] if 0 <= column < len(cells) else ""
