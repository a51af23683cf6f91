"""A year of looks at synthetic managers (`managers.py`), in the order of the program's own `due` and in two others.

Owns what a run has room for, and how late all news was. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import nsmallest

from sheetsync.model import AdCodeRequest, Entry, Known, Origin, Tracker
from sheetsync.plan.due import due
from support.managers import DAY, Change, Order

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = 5
"""Minutes from run to run."""

_TRACKER = Tracker("news", "spreadsheet", "Tracker")


@dataclass
class Case:
    """An open request: what will become of it, how much of that was seen, and what the ledger says."""

    order: Order
    request: AdCodeRequest
    ahead: list[Change]
    looked: float
    codes: int = 0

    @property
    def next(self) -> Change:
        return self.ahead[-1]


Told = Callable[[Case, int], AdCodeRequest]
"""What the ledger says of a case, in which `due` finds its order."""


@dataclass(frozen=True)
class Rule:
    """An order of looks: by a property of the cases, least first; or that of `due`, by what it is `told`.

    It is told anew when something changed; where the hour counts, for each run.
    """

    least: Callable[[Case], float] | None = None
    told: Told | None = None
    is_hourly: bool = False


@dataclass
class Delays:
    """What came of a year, in minutes."""

    code: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    longest: float = 0.0
    opened: int = 0  # open requests, over all runs
    runs: int = 0

    def figures(self) -> tuple[float, float, float, float]:
        """Mean and 95th percentile for codes, mean for other news, longest time without a look."""
        codes, other = sorted(self.code), self.other or [0.0]
        return sum(codes) / len(codes), codes[int(0.95 * len(codes))], sum(other) / len(other), self.longest


def instant(at: float) -> datetime:
    return MONDAY + timedelta(minutes=at)


def simulate(world: Sequence[Order], days: int, room: int, rule: Rule) -> Delays:
    """Play it with room for so many looks a run."""
    year = _Year(room, rule)
    coming = list(reversed(world))
    for now in range(EVERY, int(days * DAY), EVERY):
        while coming and coming[-1].at <= now:
            year.ordered(coming.pop(), now)
        year.run(now)
    year.ends(int(days * DAY))
    return year.delays


class _Year:
    """The open requests, and the ledger as far as `due` is told of it."""

    def __init__(self, room: int, rule: Rule) -> None:
        self._room, self._rule = room, rule
        self._open: dict[str, Case] = {}
        self._entries: dict[str, Entry] = {}
        self._looked: dict[str, datetime] = {}
        self._known = Known(latest=self._entries, looked=self._looked)
        self._ids = 0
        self.delays = Delays()

    def ordered(self, order: Order, now: int) -> None:
        self._ids += 1
        video = f"v{self._ids:06}"
        request = AdCodeRequest(f"r{self._ids}", video, "pending", created_at=instant(order.at))
        self._open[video] = Case(order, request, list(reversed(order.changes)), now)
        self._looked[video] = instant(now)
        self._tell(video, now)

    def run(self, now: int) -> None:
        if not self._open:
            return
        for video, case in self._open.items():
            # what a mark asked for is looked at by itself: marks have a share of their own
            if case.ahead[-1].by_mark and case.next.at <= now:
                self._look(video, now)
        videos = self._first(now) if len(self._open) > self._room else list(self._open)
        self.delays.runs, self.delays.opened = self.delays.runs + 1, self.delays.opened + len(self._open)
        for video in videos:
            self._look(video, now)
            if not self._open[video].request.is_open:
                del self._open[video], self._looked[video]
                self._entries.pop(video, None)

    def ends(self, now: int) -> None:
        """What nobody has seen yet is late already."""
        for case in self._open.values():
            while case.ahead and case.next.at <= now:
                self._count(case, case.ahead.pop(), now)
            self.delays.longest = max(self.delays.longest, now - case.looked)

    def _first(self, now: int) -> Sequence[str]:
        if least := self._rule.least:
            return nsmallest(self._room, self._open, key=lambda video: least(self._open[video]))
        if self._rule.is_hourly:
            for video in self._open:
                self._tell(video, now)
        return due((), self._known, instant(now), "UTC", _TRACKER)[: self._room]

    def _look(self, video: str, now: int) -> None:
        case = self._open[video]
        self.delays.longest = max(self.delays.longest, now - case.looked)
        case.looked, self._looked[video] = now, instant(now)
        if case.next.at > now:
            return
        while case.ahead and case.next.at <= now:
            change = case.ahead.pop()
            self._count(case, change, now)
            code = f"code {change.codes}" if change.codes else None
            case.request = replace(case.request, status=change.status, code=code)
        self._tell(video, now)

    def _count(self, case: Case, change: Change, now: int) -> None:
        if not change.by_mark:
            (self.delays.code if change.codes > case.codes else self.delays.other).append(now - change.at)
        case.codes = change.codes

    def _tell(self, video: str, now: int) -> None:
        case, told = self._open[video], self._rule.told
        if told:
            self._entries[video] = Entry(told(case, now), Origin.ORDERED, 7, None, instant(case.looked))


def as_it_is(case: Case, now: int) -> AdCodeRequest:
    return case.request


ROUND_ROBIN = "round-robin"
RULES = {
    ROUND_ROBIN: Rule(least=lambda case: case.looked),
    "oldest first": Rule(least=lambda case: case.order.at),
    "ours": Rule(told=as_it_is),
}
