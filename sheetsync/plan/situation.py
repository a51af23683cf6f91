"""PURE: what a plan is made from. Owns the value and the few questions that several files of the plan ask of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sheetsync import notes
from sheetsync.model import Failure, HoldKind, Known, Mark, Observation, Row, Tracker
from sheetsync.steps import Offer

NOT_REACHED = Failure(HoldKind.NEXT_RUN, notes.NOT_REACHED)
KEY_REFUSED = Failure(HoldKind.NEXT_RUN, notes.KEY_REFUSED)

BALANCE_LAGS = timedelta(minutes=1)
"""How long after an order the balance may be told as it was before."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the person at the command line allows beyond the limits."""

    orders: int | None = None
    shrunken: bool = False
    price: int | None = None


@dataclass(frozen=True, slots=True)
class AtSheet:
    """Where in the Summary tab a person may allow orders (nowhere, if empty), what it asks, and if that is allowed."""

    place: str = ""
    asked: Offer | None = None
    is_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan is made from. `balance` is None where it could not be read, or was not needed.

    `unsettled_elsewhere` counts the orders that nobody knows the end of and that this plan does not look at: of other
    videos than those that were chosen, and of other trackers, which spend from the same balance; `untold` those of the
    last minute before `asked_at`, when the balance was told, whose answer told none: it may not know of them.
    """

    rows: Sequence[Row]
    known: Known
    observations: Mapping[str, Observation]
    tracker: Tracker
    now: datetime
    run_id: str
    balance: int | None = None
    allowed: Allowed = Allowed()
    at_sheet: AtSheet = AtSheet()
    price_lock: str = ""
    unsettled_elsewhere: int = 0
    untold: int = 0
    asked_at: datetime | None = None

    def failure(self, video_id: str) -> Failure | None:
        """Why nothing is known of this video from this run."""
        observation = self.observations.get(video_id)
        return observation.failure if observation else NOT_REACHED


def chosen(rows: Sequence[Row], videos: frozenset[str]) -> Sequence[Row]:
    """The rows of these videos; all rows, if none is named."""
    return [row for row in rows if row.key in videos] if videos else rows


def acting(rows: Iterable[Row]) -> list[Row]:
    """The rows whose mark acts: of duplicates, the first marked one (design 3)."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.mark:
            # rows without a key are no duplicates of each other: each is named
            first.setdefault(row.key or f" row {row.number}", row)
    return list(first.values())


def is_looked_at(row: Row, known: Known, now: datetime) -> bool:
    """Whether TokPortal is asked for this mark; a report that rests may have arrived, or been made by hand."""
    return row.mark == Mark.CORRECT or not is_resting(row, known, now)


def is_resting(row: Row, known: Known, now: datetime) -> bool:
    """Whether TokPortal refused this very mark a moment ago: it is tried again with growing pauses (design 4)."""
    # a different mark is a different wish: it is not kept waiting for the no to another one
    refusal = known.refusals.get(row.key)
    return bool(refusal and refusal.mark == row.mark and now < refusal.retry_at)
