"""The values of alerting: what there is to tell, what it was decided from, and what became of telling it.

Owns the types. No value holds a code, nor a receiver's address: a receiver is known by its key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sheetsync.authorizations import Trouble
from sheetsync.model import PRICE
from sheetsync.steps import RowSeen


class Kind(StrEnum):
    """What an alert is about."""

    ENDS = "code ends"
    RECEIVED = "code received"
    ANSWERED = "correction answered"
    CANCELLED = "request cancelled"
    WAITS = "row waits"
    CREDITS = "credits low"
    PRICE = "price not expected"
    TIKTOK = "TikTok does not let us look"
    REFUSED = "run refused"
    FAILING = "runs fail"
    GOOD = "runs are good again"
    TEST = "test"


LONGEST_PAUSE = timedelta(hours=1)
"""No receiver that failed rests longer."""

HAPPENINGS = frozenset({Kind.RECEIVED, Kind.ANSWERED, Kind.CANCELLED})
"""What happened once; all else is told because it is so, and for as long as it is so."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody has to know. The same matter has the same `id` in every run and on every machine.

    `tracker` is empty where it concerns all; `subject` is what an alert of a later time would be about, too, and
    `moment` (UTC) tells the two apart: the end of the code, the first of the runs that failed.
    """

    id: str
    kind: Kind
    tracker: str
    text: str
    video_id: str = ""
    creator: str = ""
    client: str = ""
    owner: str = ""
    link: str = ""
    subject: str = ""
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert on its way to one receiver, which is known by its key; `label` names it without secrets.

    `message` is the message that may have arrived or not; empty where it certainly did not, or was never tried.
    """

    alert_id: str
    receiver: str
    label: str
    message: str
    attempts: int
    retry_at: datetime
    sent_at: datetime | None = None
    problem: str = ""

    def rests(self, now: datetime) -> bool:
        """Whether it is not to be tried yet. What is further off was put down before the clock was set back."""
        return now < self.retry_at <= now + LONGEST_PAUSE


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as the ledger holds it, with its deliveries. `over_at`: since when it is no longer so."""

    alert: Alert
    decided_at: datetime
    over_at: datetime | None = None
    closed_at: datetime | None = None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody is still to be told."""
        return self.over_at is None and self.closed_at is None

    def delivery(self, receiver: str) -> Delivery | None:
        """What became of telling this receiver."""
        return next((each for each in self.deliveries if each.receiver == receiver), None)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the ledger, by its number."""

    id: int
    video_id: str
    kind: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A recorded run, as far as alerts go."""

    started_at: datetime
    exit_code: int
    summary: str


@dataclass(frozen=True, slots=True)
class TrackerFacts:
    """What the ledger knows of one tracker.

    `happenings` are the events since the last look, `known_codes` the requests that had brought a code before them;
    `latest` is (request id, status) by video; `runs` are those since the last good one, which began at `last_good`.
    `open` are the happenings that not everybody has been told, `told` the newest alert of each subject; `trouble` is
    why TikTok does not let us look.
    """

    rows: Mapping[str, RowSeen] = field(default_factory=dict)
    happenings: tuple[Happening, ...] = ()
    known_codes: frozenset[str] = frozenset()
    latest: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    runs: tuple[RunEnded, ...] = ()
    last_good: datetime | None = None
    open: tuple[Alert, ...] = ()
    told: Mapping[str, Alert] = field(default_factory=dict)
    cursor: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class PurseFacts:
    """What the ledger knows of an API key: the newest balance, the price of a code, and why orders are locked.

    `low` is the alert that already says that the credits are low.
    """

    api_key: str = ""
    balance: tuple[int, datetime] | None = None
    price: int = PRICE
    lock: str = ""
    locked_at: datetime | None = None
    low: Alert | None = None
