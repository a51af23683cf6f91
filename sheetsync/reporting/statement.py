"""PURE: what a report tells, as frozen values: each code with its row, its money and its story.

Owns which codes a report is about, and in which month a credit counts. When a code ends and which one is in use are the
projection's. Instants are in the time zone of their spreadsheet, as people read them there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sheetsync.columns import normal
from sheetsync.model import Scalar
from sheetsync.projection.figures import EARLIER


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: the days from `first` to `last` (both with it), a client, a campaign. Empty is all."""

    first: date | None = None
    last: date | None = None
    client: str = ""
    campaign: str = ""

    def covers(self, at: datetime | None) -> bool:
        """Whether a moment is in the period; one that nobody knows was before all others."""
        if at is None:
            return self.first is None
        return (self.first or date.min) <= at.date() <= (self.last or date.max)

    def meets(self, begin: datetime, end: datetime | None) -> bool:
        """Whether a time is in the period with any part of it; without an end it goes on."""
        is_begun = self.last is None or begin.date() <= self.last
        return is_begun and (self.first is None or end is None or end.date() >= self.first)

    def is_about(self, cells: Mapping[str, Scalar]) -> bool:
        """Whether a row is of the client and of the campaign."""
        wanted = (("client", self.client), ("campaign", self.campaign))
        return all(not name or normal(cells.get(key, "")) == normal(name) for key, name in wanted)

    @property
    def period(self) -> str:
        """The period in words."""
        if not (self.first or self.last):
            return "all time"
        return " ".join(f"{word} {day}" for word, day in (("from", self.first), ("to", self.last)) if day is not None)


@dataclass(frozen=True, slots=True)
class Amount:
    """Credits that were charged, or with a minus came back, and when; None: before there was this ledger."""

    at: datetime | None
    credits: int

    @property
    def month(self) -> str:
        """As 2026-06."""
        return f"{self.at:%Y-%m}" if self.at else EARLIER


@dataclass(frozen=True, slots=True)
class Line:
    """A code of a video, or the request that is to bring one, or what a video had cost before this ledger.

    `cells` are those of its row, by column key (what is told of a row as a whole only where `is_in_use`, or where the
    video has no code in use), `row` its number (None: it is gone) and `link` leads there; `client` is never empty.
    `codes` are all that the request brought, oldest first; `state` is the stage of the code in use, else a word for
    what became of the request. `amounts` are those of the period; `is_unpriced` if nobody told what it was charged.
    """

    tracker: str
    video: str
    client: str
    cells: Mapping[str, Scalar]
    row: int | None
    link: str
    state: str
    request_id: str = ""
    status: str = ""
    codes: tuple[str, ...] = ()
    is_in_use: bool = False
    has_stage: bool = False
    asked_at: datetime | None = None
    received_at: datetime | None = None
    ends: datetime | None = None
    word: str = ""
    amounts: tuple[Amount, ...] = ()
    is_unpriced: bool = False
    approvals: tuple[str, ...] = ()
    warn_hours: int = 0

    def text(self, key: str) -> str:
        """A cell as text; a whole number without its '.0'."""
        value = self.cells.get(key, "")
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    @property
    def charged(self) -> int:
        """Credits charged in the period."""
        return sum(amount.credits for amount in self.amounts if amount.credits > 0)

    @property
    def refunded(self) -> int:
        """Credits that came back in the period."""
        return -sum(amount.credits for amount in self.amounts if amount.credits < 0)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.text("creator") or self.video


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a video, oldest first, and who let its orders pass."""

    tracker: str
    video: str
    name: str
    client: str
    approvals: tuple[str, ...]
    events: tuple[tuple[datetime, str], ...]


class Total(NamedTuple):
    """The credits of a client in a month."""

    client: str
    month: str
    charged: int
    refunded: int

    @property
    def spent(self) -> int:
        """Refunds deducted."""
        return self.charged - self.refunded


@dataclass(frozen=True, slots=True)
class Statement:
    """The report. `balance` is what TokPortal said last, and when; it is nobody's in particular, so that a report for
    one client or campaign has none. `clients` and `campaigns` are those there are.
    """

    asked: Asked
    made_at: datetime
    trackers: tuple[str, ...]
    lines: tuple[Line, ...]
    stories: tuple[Story, ...]
    clients: frozenset[str]
    campaigns: frozenset[str]
    balance: tuple[int, datetime] | None = None

    @property
    def in_use(self) -> tuple[Line, ...]:
        """The codes in use."""
        return tuple(line for line in self.lines if line.is_in_use)

    @property
    def totals(self) -> tuple[Total, ...]:
        """Credits by client and month, in that order."""
        return tuple(_totals((line.client, amount) for line in self.lines for amount in line.amounts))

    @property
    def months(self) -> tuple[Total, ...]:
        """The same of all clients."""
        return tuple(_totals(("", amount) for line in self.lines for amount in line.amounts))

    @property
    def in_all(self) -> Total:
        """The same of all time."""
        return Total("", "", sum(t.charged for t in self.months), sum(t.refunded for t in self.months))

    @property
    def unpriced(self) -> int:
        """Orders of which nobody told the price."""
        return sum(line.is_unpriced for line in self.lines)


def _totals(amounts: Iterator[tuple[str, Amount]]) -> Iterator[Total]:
    charged, refunded = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for client, amount in amounts:
        of = charged if amount.credits > 0 else refunded
        of[client, amount.month] += abs(amount.credits)
    # what was before this ledger is before every month
    for client, month in sorted({*charged, *refunded}, key=lambda key: (key[0], key[1] != EARLIER, key[1])):
        yield Total(client, month, charged[client, month], refunded[client, month])
