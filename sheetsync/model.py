"""The words of the design as frozen values: what travels between the steps of a run.

Owns the types and the few facts that belong to them (which statuses are final, what an order costs).
Does no I/O and decides nothing; all instants are aware datetimes in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum

PRICE = 7
"""Credits for one ad code (API page, "Cost: 7 credits per ad code")."""

Scalar = str | int | float | bool
"""A cell's value as Sheets gives it with UNFORMATTED_VALUE; an empty cell is the empty string."""


class Mark(StrEnum):
    """What a person asks for in the Action cell."""

    REQUEST = "request"
    RENEW = "renew"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class Tracker:
    """One worksheet of one spreadsheet, with its settings (design 6).

    `spreadsheet` is the bare id; `require` and `approve` name columns by key; `columns` maps a column key to
    the header that this sheet uses for it; `summary_tab` is the tab that its summary is kept in.
    """

    name: str
    spreadsheet: str
    worksheet: str
    authorization_days: int = 30
    warn_hours: int = 72
    max_orders_per_run: int = 25
    keep_credits: int = 0
    require: tuple[str, ...] = ()
    approve: tuple[str, ...] = ("caption_final", "sound_cleared")
    columns: Mapping[str, str] = field(default_factory=dict)
    summary_tab: str = "Summary"


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
    def is_open(self) -> bool:
        """Open unless finalized or cancelled (design 2): an unknown status counts as open, which never orders."""
        return self.status not in ("finalized", "cancelled")


class FailureKind(StrEnum):
    """Why TokPortal could not be observed for a video."""

    UNAVAILABLE = "unavailable"  # nothing is known; the next run asks again
    REFUSED = "refused"  # a definite 4xx that concerns this video


@dataclass(frozen=True, slots=True)
class Failure:
    """An observation that did not succeed; `text` is fit for the Sync note."""

    kind: FailureKind
    text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What TokPortal answered about one video in this run: its latest ad code request, or that there is none."""

    video_id: str
    request: AdCodeRequest | None = None
    failure: Failure | None = None


class Origin(StrEnum):
    """How the ledger came to know an ad code request."""

    ORDERED = "ordered"  # an intent of ours was accepted
    ADOPTED_OPEN = "adopted open"  # a mark met an open one
    ADOPTED_EXISTING = "adopted existing"  # a mark met a finished one that the row did not show
    ADOPTED_RENEWED = "adopted renewed"  # a mark met a newer one than the row showed
    FOUND = "found"  # seen without a mark (the ledger was lost, or it was ordered elsewhere)


@dataclass(frozen=True, slots=True)
class Entry:
    """An ad code request as the ledger holds it. Credits are None where no answer ever told them."""

    request: AdCodeRequest
    origin: Origin
    credits_charged: int | None
    credits_left: int | None
    seen_at: datetime


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
class Known:
    """What the ledger knows of one tracker, as the plan and the projection see it.

    All are by video id; `unsettled` holds intents that are sending or uncertain.
    """

    latest: Mapping[str, Entry] = field(default_factory=dict)
    unsettled: Mapping[str, Intent] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the tracker as it was read. `number` is the line in the sheet then (the header is 1).

    `key` is the video id as trimmed text; `cells` holds raw values by column key, empty cells left out;
    `columns` are the columns that the tracker has.
    """

    number: int
    key: str
    cells: Mapping[str, Scalar]
    columns: frozenset[str] = frozenset()

    def text(self, column: str) -> str:
        """The cell as trimmed text; an absent column reads as empty."""
        value = self.cells.get(column, "")
        return value.strip() if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One read of the tracker: everything in the tab, and where each bound column is.

    `grid` holds the raw values of every line, the header line first; `columns` maps column keys to
    0-based indexes into them. `summary` is the block of the Summary tab, `summary_sheet_id` None where there is none.
    """

    sheet_id: int
    title: str
    time_zone: str
    columns: Mapping[str, int]
    rows: tuple[Row, ...]
    grid: tuple[tuple[Scalar, ...], ...]
    read_at: datetime
    row_count: int = 0
    column_count: int = 0
    summary_sheet_id: int | None = None
    summary: tuple[tuple[Scalar, ...], ...] = ()

    @property
    def headers(self) -> tuple[Scalar, ...]:
        """The header line."""
        return self.grid[0] if self.grid else ()


@dataclass(frozen=True, slots=True)
class Order:
    """Order an ad code (7 credits) if TokPortal's latest request is still `previous_id`."""

    video_id: str
    row: int
    mark: Mark
    previous_id: str | None
    body: str
    resend: Intent | None = None


@dataclass(frozen=True, slots=True)
class Renew:
    """Order another code (7 credits) for a video whose finished request the row shows."""

    video_id: str
    row: int
    previous_id: str
    body: str
    mark: Mark = Mark.RENEW
    resend: Intent | None = None


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over what is already there, 0 credits, and clear the mark. `settles` is the intent this explains."""

    video_id: str
    row: int | None
    mark: Mark | None
    request: AdCodeRequest
    origin: Origin
    settles: Intent | None = None


@dataclass(frozen=True, slots=True)
class Correct:
    """Report a code that does not work, free of charge, if the request is still as the row shows it."""

    video_id: str
    row: int
    request: AdCodeRequest
    feedback: str
    mark: Mark = Mark.CORRECT


@dataclass(frozen=True, slots=True)
class Lapse:
    """Give up an uncertain intent that never happened and that no mark asks for any more."""

    video_id: str
    intent: Intent


Step = Order | Renew | Adopt | Correct | Lapse


class HoldKind(Enum):
    """Who has to move."""

    PERSON = "person"  # the row waits for somebody: not a failure of the run
    WORLD = "world"  # something was unavailable or uncertain: the run is incomplete


@dataclass(frozen=True, slots=True)
class Hold:
    """A marked row that is not served now, with the reason in words for the person at the sheet."""

    video_id: str
    row: int
    reason: str
    kind: HoldKind = HoldKind.PERSON


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run is going to do: printed by `plan`, carried out by `sync`."""

    steps: tuple[Step, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def orders(self) -> tuple[Order | Renew, ...]:
        """The steps that cost credits."""
        return tuple(step for step in self.steps if isinstance(step, Order | Renew))

    @property
    def credits(self) -> int:
        """What the plan spends."""
        return PRICE * len(self.orders)
