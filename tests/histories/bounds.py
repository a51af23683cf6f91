"""The judge of availability in the wider world: what waits is looked at within so many runs, and a row that waits is no
failure of the run; a run ends by the time it was given, whatever answers or does not (issue 9, holes 17 to 19 and 23).

Only runs that came to their end undisturbed count: what struck the others is their excuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from histories import wider
from histories.desk import ACTION, KEY, VIDEOS, Desk
from histories.invariants import Judge
from histories.seen import Run, reached_the_sheet, text
from sheetsync.sandbox.world import Call
from sheetsync.sync.report import Report

MOST = 18
"""Runs after which each marked row and each open request has been looked at: 4 * (N - 1) / m, the bound of plan/due.py.

Of five videos and three looks a run that is 16; of ten, five of them ill, and one look 36, twice as many.
"""

LONGEST = {"TokPortal": 30, "Google": 90}
"""Seconds that a call may last, from its first byte to the last of its answer."""

NEVER = datetime.min.replace(tzinfo=UTC)
RESTS = timedelta(hours=6)
"""A refused mark rests, at most so long."""

ROW_ALONE = (400, 404, 409, 422)


@dataclass(slots=True)
class Look:
    """What one run was answered."""

    statuses: list[tuple[str, int, str]] = field(default_factory=list)  # kind, status, video
    waiting: frozenset[str] = frozenset()
    began: datetime = datetime.min


class Bounds:
    """Watches the runs of one desk."""

    def __init__(self, desk: Desk, judge: Judge, world: frozenset[str]) -> None:
        self._desk, self._judge, self._world = desk, judge, world
        self._looks: dict[int, Look] = {}
        self._since: dict[tuple[str, str], int] = {}  # machine and video: runs since the last look
        self._known: dict[str, set[str]] = {machine.name: set() for machine in desk.machines}
        self._refused: dict[tuple[str, str], datetime] = {}  # machine and video: when its order was refused last

    def began(self, run: Run) -> None:
        """A run begins: what waits now waits for it."""
        self._desk.slowest.clear()
        waiting = frozenset(self._waiting(run.machine.name))
        self._looks[id(run)] = Look(waiting=waiting, began=self._desk.world.clock.now())

    def _waiting(self, name: str) -> set[str]:
        """Videos with a mark, and videos of which the machine knows that something is open."""
        portal, there = self._desk.portal, set()
        for row in self._desk.typed:
            video, mark = text(self._desk.cell(row, KEY)), text(self._desk.cell(row, ACTION)).casefold()
            latest = portal.latest(video)
            if self._desk.is_formula(row, ACTION):
                # what a formula makes is never ordered, and looked at with pauses, also a while after it is mended
                self._refused[name, video] = self._desk.world.clock.now()
            rests = self._desk.world.clock.now() - self._refused.get((name, video), NEVER) < RESTS
            is_open = latest is not None and portal.is_open(latest) and latest.id in self._known[name]
            if is_open or (mark in ("request", "renew") and not rests):
                there.add(video)
        return there & (set(VIDEOS) - portal.ill)

    def answered(self, run: Run, call: Call, heard: bool) -> None:
        """A call has been answered, or not."""
        video = unquote(call.path.split("/")[4]) if call.kind in ("portal.poll", "portal.order") else ""
        self._looks[id(run)].statuses.append((call.kind, call.status if heard else 0, video))

    def state_lost(self, name: str) -> None:
        """A ledger is gone: it begins anew."""
        self._known[name].clear()
        self._since = {place: n for place, n in self._since.items() if place[0] != name}

    def ended(self, run: Run, report: Report | None) -> None:
        """A run is over; None if it was killed."""
        look, name = self._looks.pop(id(run)), run.machine.name
        polled = {video for kind, status, video in look.statuses if kind == "portal.poll" and status == 200}
        if "dripping" in self._world:
            self._in_time(run, look)
        refused = {video for kind, status, video in look.statuses if kind == "portal.order" and status in ROW_ALONE}
        self._refused |= {(name, video): self._desk.world.clock.now() for video in refused}
        if report is None or not reached_the_sheet(report):
            return
        self._known[name] |= {latest.id for video in polled if (latest := self._desk.portal.latest(video))}
        self._count(name, look, polled)
        # where time is short, what was not reached is unfinished business of the run
        if "refusals" in self._world and "starvation" not in self._world and not run.people:
            self._row_alone(look, report)

    def _count(self, name: str, look: Look, polled: set[str]) -> None:
        ill = self._desk.portal.ill
        struck = any(status >= 400 or not status for _, status, video in look.statuses if video not in ill)
        for video in VIDEOS:
            if video not in look.waiting or video in polled:
                self._since[name, video] = 0
            elif not struck:
                self._since[name, video] = self._since.get((name, video), 0) + 1
                self._too_long(name, video)

    def _too_long(self, name: str, video: str) -> None:
        switches = {"starvation", "ill"} & self._world
        for switch in sorted(switches):
            # an ill video takes the time of three others, and there are as many of them
            if self._since[name, video] > MOST * len(switches):
                self._say(switch, f"{name} has not looked at {video} for {self._since[name, video]} runs")

    def _in_time(self, run: Run, look: Look) -> None:
        took, most = self._desk.world.clock.now() - look.began - run.away, self._desk.max_seconds
        if took > timedelta(seconds=most):
            self._say("dripping", f"a run took {took}, {most} seconds are allowed")
        for service, seconds in self._desk.slowest.items():
            if seconds > LONGEST[service]:
                self._say("dripping", f"a call to {service} lasted {seconds} seconds")

    def _row_alone(self, look: Look, report: Report) -> None:
        refused = [video for kind, status, video in look.statuses if kind == "portal.order" and status in ROW_ALONE]
        others = [status for kind, status, video in look.statuses if not (kind == "portal.order" and video in refused)]
        at_fault = all(not _can_be_ordered(self._desk, video) for video in refused)
        unsettled = any(hold.reason.startswith("An order was sent and its answer was lost") for hold in report.holds)
        told = report.warnings or report.uncertain or report.exit_code == 3 or unsettled  # something else is the matter
        if refused and at_fault and not told and all(200 <= status < 300 for status in others) and report.exit_code:
            self._say("refusals", f"the order for {refused} was refused, and the run ended with {report.exit_code}")

    def _say(self, switch: str, what: str) -> None:
        self._judge.say(100 + wider.HOLES[switch], what)


def _can_be_ordered(desk: Desk, video: str) -> bool:
    """Whether the video has what an order needs."""
    found = desk.portal.videos.get(video)
    return found is not None and found.finalized and found.live_link and found.manager and found.coverage
