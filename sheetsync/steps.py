"""What a plan is made of: the steps that a run carries out, the holds that wait, and what is remembered of it all.

Owns the types. Which step a mark becomes is the plan's, carrying it out `execute.py`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sheetsync.model import PRICE, AdCodeRequest, Entry, HoldKind, Intent, Mark, Origin, Scalar, fingerprint


@dataclass(frozen=True, slots=True)
class Order:
    """Order an ad code (7 credits) if TokPortal's latest request is still `previous_id`.

    A renewal bears the mark `renew`. `resend` is the uncertain intent that is sent again, with its key and body.
    """

    video_id: str
    row: int
    mark: Mark
    previous_id: str | None
    body: str
    resend: Intent | None = None

    @property
    def kind(self) -> str:
        """The step's name in a printed plan."""
        return "renew" if self.mark is Mark.RENEW else "order"


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over what is already there, 0 credits, and clear the mark. `settles` is the intent this explains."""

    video_id: str
    row: int | None
    mark: Mark | None
    request: AdCodeRequest
    origin: Origin
    settles: Intent | None = None
    kind: ClassVar[str] = "adopt"


@dataclass(frozen=True, slots=True)
class Correct:
    """Report a code that does not work, free of charge, if the request is still as the row shows it."""

    video_id: str
    row: int
    request: AdCodeRequest
    feedback: str
    mark: Mark = Mark.CORRECT
    kind: ClassVar[str] = "correct"


@dataclass(frozen=True, slots=True)
class Lapse:
    """Give up an uncertain intent that never happened and that no mark asks for any more."""

    video_id: str
    intent: Intent
    row: ClassVar[None] = None
    kind: ClassVar[str] = "lapse"


Step = Order | Adopt | Correct | Lapse


@dataclass(frozen=True, slots=True)
class Hold:
    """A marked row that is not served now, with the reason in words for the person at the sheet.

    `code` is the one that the reason names, if it names one. What is not `in_note` concerns this row alone, whose note
    cannot say it: the run's output does. With `may_order`, its mark is an order as soon as
    the row's gates are open: a run looks at these also where it hears nothing of the video.
    """

    video_id: str
    row: int
    reason: str
    kind: HoldKind = HoldKind.PERSON
    code: str = ""
    in_note: bool = True
    may_order: bool = False

    @property
    def printed(self) -> str:
        """The reason for terminals, logs and JSON: a code that it names stands there as a fingerprint only."""
        return self.reason.replace(self.code, fingerprint(self.code)) if self.code else self.reason


@dataclass(frozen=True, slots=True)
class Offer:
    """Orders that a person may allow in the Summary tab: just these, as (video id, mark, latest request or nothing)."""

    wishes: frozenset[tuple[str, str, str]]
    credits: int

    @property
    def orders(self) -> int:
        """How many: the number to type."""
        return len(self.wishes)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run is going to do: printed by `plan`, carried out by `sync`.

    `refused` says why no order is sent, if there were too many; `price` is that of one. What was too many is `offered`,
    where a person may allow it in the Summary tab, or `approved`, where one has; `braked` is what the next run compares
    its wishes with. `unseen` are wishes that may be orders too: TokPortal was not heard about their videos.
    """

    steps: tuple[Step, ...] = ()
    holds: tuple[Hold, ...] = ()
    price: int = PRICE
    refused: str = ""
    offered: Offer | None = None
    approved: Offer | None = None
    braked: frozenset[tuple[str, str]] = frozenset()
    unseen: frozenset[tuple[str, str]] = frozenset()

    @property
    def wishes(self) -> frozenset[tuple[str, str]]:
        """What its orders are for: (video id, mark)."""
        return frozenset((step.video_id, step.mark) for step in self.orders)

    @property
    def as_offer(self) -> Offer:
        """Its orders as a person may allow them."""
        return Offer(
            frozenset((step.video_id, step.mark, step.previous_id or "") for step in self.orders), self.credits
        )

    @property
    def orders(self) -> tuple[Order, ...]:
        """The steps that cost credits."""
        return tuple(step for step in self.steps if isinstance(step, Order))

    @property
    def for_marks(self) -> tuple[Step, ...]:
        """The steps that serve a mark: its row says what came of it."""
        return tuple(step for step in self.steps if not isinstance(step, Lapse) and step.mark)

    @property
    def in_turn(self) -> tuple[Order, ...]:
        """The same, as they are sent: of those whose answer was lost before, the one that was tried longest ago comes
        first, and all of them last, so that none keeps the others from theirs.
        """
        again = [step for step in self.orders if step.resend]
        tried = sorted(again, key=lambda step: step.resend.created_at if step.resend else datetime.min)
        return (*(step for step in self.orders if not step.resend), *tried)

    @property
    def credits(self) -> int:
        """What the plan spends."""
        return self.price * len(self.orders)


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A cell's value, and the code it is of. With `is_last` it was read just now; else it only found its code."""

    video_id: str
    column: str
    code: str
    value: Scalar
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class KeptRow:
    """What a run saw of one of the rows of a video whose people keep codes there, in the order of the sheet.

    `code` is the fingerprint of its code, `worked_out` the ends that were written into Expires at, or were to be,
    because of other cells of theirs; `received`, `days` and `typed` are what they typed into Received at, Authorization
    days and Expires at.
    """

    code: str = ""
    worked_out: tuple[datetime, ...] = ()
    received: datetime | None = None
    days: int | None = None
    typed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RowSeen:
    """What a run saw of a video's row, for `status` and for alerts: whose it is, why it waits, its code in use and when
    that ends.

    `request_id` is the request that brought the code, a fingerprint where people typed it; `hold` names no code.
    `owner` is who is to move for it, `place` where it stands, as a link's fragment; empty until a run saw it. `begins`
    is when the code's window began; `code_since` when the code was first seen in use here, `waits_since` since when
    the row waits for a person. `row_was` names what its rows said when that hold was told; `has_typed_code` that its
    people keep a code there, or that what was said beside one still stands; `kept` is then each of its rows, for of
    duplicates each has an end of its own. `may_order` is the hold's.
    """

    video_id: str
    creator: str = ""
    client: str = ""
    hold: str = ""
    request_id: str = ""
    code: str = ""
    ends: datetime | None = None
    owner: str = ""
    place: str = ""
    begins: datetime | None = None
    is_retired: bool = False
    is_renewing: bool = False
    code_since: datetime | None = None
    waits_since: datetime | None = None
    row_was: str = ""
    has_typed_code: bool = False
    kept: tuple[KeptRow, ...] = ()
    may_order: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What rows say and a run has to remember before it writes them.

    `days` is of each latest request (video id, request id, days), `charges` what a request cost by its row (video id,
    request id, credits), `opening` what a video had cost before this ledger (video id, credits).
    """

    typed: tuple[TypedValue, ...] = ()
    imported: tuple[Entry, ...] = ()
    days: tuple[tuple[str, str, int], ...] = ()
    charges: tuple[tuple[str, str, int], ...] = ()
    opening: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a video; `at` is aware UTC. Of kind `code`, detail["code"] is the code in clear."""

    at: datetime
    tracker: str
    video_id: str
    run_id: str
    kind: str
    detail: Mapping[str, object]


def place_of(sheet_id: int, row: int) -> str:
    """Where a row is within its spreadsheet, as a link says it."""
    return f"gid={sheet_id}&range={row}:{row}"


def link_to(spreadsheet: str, place: str) -> str:
    """Where a click shows that place; empty where there is none."""
    return f"https://docs.google.com/spreadsheets/d/{spreadsheet}/edit#{place}" if place else ""


@dataclass(frozen=True, slots=True)
class SentRow:
    """A new row whose arrival nobody has seen: texts and the headers they were meant for, both by 0-based column."""

    cells: Mapping[int, str]
    headers: Mapping[int, str]
    sent_at: datetime
