"""One history: a list of steps drawn from a seed, played on a desk under the eyes of the judge.

A step is a name and small numbers, so that any step means something in any world: a history stays playable when
steps are taken out of it, which is how a failing one is shrunk.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from support import ledgers

from histories import endings, moves, outside, people, wider
from histories.desk import ACTION, KEY, Desk, Machine
from histories.invariants import Judge
from histories.seen import Run, Violation
from histories.verdict import all_right
from histories.wire import PRICE, Wire
from sheetsync.errors import Unexpected
from sheetsync.sandbox.faults import FAULTS
from sheetsync.sandbox.wire import Request
from sheetsync.sync.report import Report

Step = tuple[Any, ...]
KINDS = ("*", "*", "*", "sheets.batchUpdate", "sheets.batchUpdate", "portal.order", "portal.poll", "values.batchGet")
NUMBER = 1000
"""Below this lie the numbers of a step."""

RULES = {**people.RULES, **outside.RULES, **wider.RULES}
UNMERGED = ("sort", "move", "move_column", "copy")
"""What Google refuses to do with merged cells."""
STATES: dict[str, Callable[[Machine], None]] = {"save": Machine.save, "lose": Machine.lose, "restore": Machine.restore}
OFTEN = {"sync": 44, "save": 2, "lose": 1, "restore": 1} | {
    name: rule[2] for name, rule in (people.RULES | outside.RULES).items()
}


class Crash(BaseException):
    """The process is killed: nothing in the program may see it coming or clean up after it."""


@dataclass(slots=True)
class Active:
    """A run under way, and what is still to strike it."""

    run: Run
    left: list[Step]
    seen: dict[str, int] = field(default_factory=dict)
    dead: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a history."""

    steps: int = 0
    calls: int = 0
    runs: int = 0
    crashes: int = 0
    charges: int = 0
    corrections: int = 0
    violations: list[Violation] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)


class Player:
    """Plays steps on a desk."""

    def __init__(self, traced: bool = False, world: frozenset[str] = frozenset()) -> None:
        settings = {"max_orders_per_run": 3} | wider.settings(world)
        self.desk = Desk(record_bodies=bool(world), approve=("caption_final",), **settings)
        self.judge = Judge(self.desk)
        for switch in sorted(world):
            if prepare := wider.SWITCHES[switch].prepare:
                prepare(self.desk)
        self.wire = Wire(self.desk, self.judge, world) if world else None
        self.judge.wire = self.wire
        self.desk.world.hooks.append(self._hook)
        self.active: list[Active] = []
        self.outcome = Outcome()
        self._traced = traced
        self.judge.diary = self.outcome.trace if traced else None

    # --- steps -------------------------------------------------------------------------------------------------

    def play(self, step: Step) -> None:
        """One step between runs."""
        if self._traced:
            self.outcome.trace.append(" ".join(map(str, step)))
        self._do(step)
        self.outcome.steps += 1

    def _do(self, step: Step) -> None:
        if self.wire:
            self.wire.moment()
        self._does(step)
        if self.wire:
            self.wire.moment()

    def _does(self, step: Step) -> None:
        name, *numbers = step
        if name == "sync":
            self._sync(self.desk.machines[numbers[0] % 2], numbers[1], numbers[2])
            self._disturbed()  # another machine's writes are as little expected as people's
        elif name in STATES:
            machine = self.desk.machines[numbers[0] % 2]
            with_it = self.desk.machines if ledgers.is_shared() else (machine,)
            if not any(active.run.machine in with_it for active in self.active):
                self._state(machine, name, with_it)
        elif self._is_refused(name):
            return
        elif name == "pause":
            outside.pause(self.desk, *numbers)
        else:
            RULES[name][0](self.desk, *numbers)
            if name in people.RULES or name in wider.RULES:
                self._disturbed()

    def _is_refused(self, name: str) -> bool:
        merged = name in UNMERGED and self.desk.sheet.attached.get("merges")
        return bool(merged) or (name in people.RULES and not self.desk.can_be_edited)

    def _disturbed(self) -> None:
        for active in self.active:
            active.run.people = True

    def _state(self, machine: Machine, change: str, with_it: Sequence[Machine]) -> None:
        for each in with_it if change != "save" else ():
            self.judge.state_lost(each)
            if self.wire:
                self.wire.state_lost(each.name)
        if self.wire and change == "save":
            self.wire.questions.copied(machine.name)
        elif self.wire and change == "restore":
            self.wire.questions.brought_back(machine.name)
        STATES[change](machine)

    def _sync(self, machine: Machine, quiet: int, strikes: Sequence[Step]) -> Report | None:
        if any(active.run.machine is machine for active in self.active):
            return None
        some, stale = self.desk.chosen, dict(self.desk.portal.stale_polls)
        report = self.run(machine, strikes)
        # what was not reached in the time of this run, the next one looks at
        is_whole = report and report.exit_code == 0 and not report.deferred and not some and not _leaves_orders(report)
        # a replica that lagged in this run does not lag in the next: that one is told otherwise
        is_unchanged = self.desk.portal.stale_polls == stale
        if is_whole and is_unchanged and not strikes and quiet % 3 == 0 and not self.active:
            self.quiet(machine)
        return report

    def _twin_waits(self) -> bool:
        """Whether a mark stands beside a row with the same video: its turn may come once the first one is served."""
        desk = self.desk
        keys = [str(desk.cell(row, KEY)).strip() for row in desk.typed]
        return any(
            desk.cell(row, ACTION) != "" and keys.count(key) > 1 for row, key in zip(desk.typed, keys, strict=True)
        )

    def quiet(self, machine: Machine) -> None:
        """5: a run on an unchanged world sends no POST, no PATCH, no write."""
        desk, other = self.desk, self.desk.reports.get("beside")
        stands = self._twin_waits() or desk.refilled or desk.is_kept_out
        if stands or (other and (other.exit_code or other.deferred)):
            return  # what could not be written is written, or tried, again
        before = len(self.desk.world.calls)
        self.run(machine, ())
        sent = [call.kind for call in self.desk.world.calls[before:] if call.method != "GET"]
        if sent:
            self.judge.say(5, f"a second run on an unchanged world sent {sent}")

    def run(self, machine: Machine, strikes: Sequence[Step], **wanted: Any) -> Report | None:
        """A run, and what strikes it; None if it was killed."""
        self.desk.later(1)  # no two processes begin in the same second
        # of rows that a run is not for it says nothing: as if people had just come to them
        active = Active(Run(machine, len(self.desk.world.calls), people=bool(self.desk.chosen)), list(strikes))
        self.active.append(active)
        self.judge.runs.append(active.run)
        self.outcome.runs += 1
        if self.wire:
            self.wire.began(active.run, wanted.get("allow_orders"), wanted.get("accept_price"))
        report, struck = None, (bool(strikes), self.desk.world.faults.struck)
        was_well = self.desk.beside and self.desk.beside.well()
        try:
            report = self.desk.sync(machine, **wanted)
        except Crash:
            self.outcome.crashes += 1
        except Exception as error:
            self.judge.say(0, f"a traceback: {error!r}")
        finally:
            self.judge.runs.pop()
            self.active.pop()
        if report and isinstance(report.error, Unexpected):
            self.judge.say(0, f"a mistake of the program's own: {report.error}")
        if self.wire:
            self.wire.ended(active.run, report)
        if self.desk.beside:
            self.desk.beside.charged()
        if was_well and struck == (False, self.desk.world.faults.struck):
            self.desk.beside.judged(active.run, was_well)
        if report:
            self.judge.ended(active.run, report)
            endings.ended(self.judge, active.run, report)
        else:
            self.judge.killed(active.run)
            endings.logs(self.judge, [])
        if self._traced:
            kinds = [call.kind.split(".")[1] for call in self.desk.world.calls[active.run.first_call :]]
            told = "killed" if report is None else f"exit {report.exit_code} {report.error or ''}"
            self.outcome.trace.append(f"    {machine.name}: {' '.join(kinds)} -> {told}")
        return report

    # --- what strikes a run ------------------------------------------------------------------------------------

    def _hook(self, moment: str, index: int, kind: str, request: Request) -> None:
        if not self.active:
            return
        if self.active[-1].dead:
            raise Crash
        run = self.active[-1].run
        if self.desk.beside and self.desk.beside.owns(kind, request):
            if kind == "portal.order" and self.wire:
                self.wire.beside(run, moment, index)
            self._strike(moment, index, kind)
            return
        if moment == "after":
            self.judge.after(index, kind)
            if self.wire:
                self.wire.answered(run, index, kind, request)
        else:
            self.judge.tried(kind, request)
            if self.wire:
                self.wire.sending(run, kind, request)
        self._strike(moment, index, kind)
        if moment == "before":
            self.judge.before(kind, request)

    def _strike(self, moment: str, index: int, kind: str) -> None:
        active = self.active[-1]
        if not active.left:
            return
        if moment == "before":
            for name in ("*", kind):
                active.seen[name] = active.seen.get(name, -1) + 1
        here = [s for s in active.left if s[2] == moment and active.seen.get(s[0], -1) == s[1] and s[0] in ("*", kind)]
        active.left = [strike for strike in active.left if strike not in here]
        for *_, step in here:
            self._strikes(active, moment, index, kind, step)

    def _strikes(self, active: Active, moment: str, index: int, kind: str, step: Step) -> None:
        if self._traced:
            self.outcome.trace.append(f"      at call {index} ({kind}): {' '.join(map(str, step))}")
        if step[0] == "crash":
            active.dead = True
            raise Crash
        if step[0] == "fault" and moment == "before":
            self._fault(index, kind, FAULTS[step[1] % len(FAULTS)])
        elif step[0] in wider.ASLEEP and kind == "portal.order" and moment == "before":
            return
        elif step[0] != "fault":
            before = self.desk.world.clock.now()
            self._do(step)
            for each in self.active:
                each.run.away += self.desk.world.clock.now() - before

    def _fault(self, index: int, kind: str, fault: str) -> None:
        if fault == "late" and not kind.startswith("portal."):
            fault = "slow"
        if fault == "garbled":
            # another machine's run may have made calls meanwhile, in the same instant
            self.judge.garbled = len(self.desk.world.calls)
        self.desk.world.faults.add("*", fault=fault, seconds=(5.0, 45.0, 90.0)[index % 3])

    # --- the end -----------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """7: when faults stop, all rows are right within three runs."""
        desk = self.desk
        desk.world.faults.clear()
        outside.restored(desk)
        moves.restored(desk)
        people.name_back(desk)
        desk.later(7 * 3600)
        report = None
        for n, machine in enumerate((*desk.machines, *desk.machines, desk.machines[0])):
            desk.later(61)
            # whoever runs a machine says once what a code may cost now
            report = self.run(machine, (), allow_orders=100, accept_price=PRICE if n < len(desk.machines) else None)
        # with a ledger each, two machines may have different words for one row: a stated limit
        for machine in (desk.machines[1], desk.machines[0]) if ledgers.is_shared() else desk.machines[:1]:
            before = len(desk.world.calls)
            report = self.run(machine, (), allow_orders=100)
            sent = [call.kind for call in desk.world.calls[before:] if call.method != "GET"]
            if sent:
                self.judge.say(7, f"after three runs without faults a fourth still sent {sent}")
        if report and not self.judge.violations:
            for wrong in all_right(desk, self.judge, report):
                self.judge.say(7, wrong)
            if self.wire:
                self.wire.finished()
            endings.codes_kept(self.judge)

    def close(self) -> Outcome:
        """The figures."""
        out = self.outcome
        out.corrections = sum(len(request.feedback) for request in self.desk.portal.requests)
        out.calls, out.charges = len(self.desk.world.calls), self.judge.charges
        out.violations = self.judge.violations
        for machine in self.desk.machines:
            machine.close()
        return out


# --- drawing -----------------------------------------------------------------------------------------------------


def _leaves_orders(report: Report) -> bool:
    """Whether an order is the next run's turn: its credits were kept for one that came to nothing, or marks went."""
    sent, reasons = report.ordered + report.renewed, [hold.reason for hold in report.holds]
    left_credits = len(report.plan.orders) > sent and any("Not enough credits" in reason for reason in reasons)
    return left_credits or any(reason.startswith("Waits for the next run: too many") for reason in reasons)


def draw(rng: random.Random, steps: int, world: frozenset[str] = frozenset()) -> list[Step]:
    """The steps of a seed; of a scene, all its steps."""
    often = OFTEN | {name: rule[2] for name, rule in wider.rules(world).items()} | dict.fromkeys(world, wider.SCENE)
    strikes = [name for switch in sorted(world) for name in wider.SWITCHES[switch].strikes]
    found: list[Step] = []
    names = sorted(often) if world else list(often)  # a set has no order that a seed could rely on
    for name in rng.choices(names, [often[name] for name in names], k=steps):
        if name in world:
            found += rng.choice(wider.SWITCHES[name].scenes)(rng)
        else:
            found.append(draw_step(rng, name, strikes))
    return found


def draw_step(rng: random.Random, name: str, more: Sequence[str] = ()) -> Step:
    """A step of that name; `more` may strike a run, too."""
    if name == "sync":
        many = rng.choice((0, 0, 0, 1, 1, 2, 3))
        return (name, _machine(rng), rng.randrange(NUMBER), tuple(draw_strike(rng, more) for _ in range(many)))
    count = 1 if name in STATES else RULES[name][1]
    return (name, *(rng.randrange(NUMBER) for _ in range(count)))


STRIKES = ("fault", "fault", "crash", "crash", "sync", "pause", "manager", "people", "people", "people", "outside")


def draw_strike(rng: random.Random, more: Sequence[str] = ()) -> Step:
    """Something that strikes a run at one of its calls: (kind of call, how many before it, when, step)."""
    kind = rng.choice(KINDS)
    nth = rng.randrange(14) if kind == "*" else rng.choice((0, 0, 0, 1, 1, 2))
    what = rng.choice((*STRIKES, *more))
    if what in ("people", "outside"):
        rules = people.RULES if what == "people" else outside.RULES
        what = rng.choice([name for name in rules if name not in outside.BETWEEN])
    if what == "sync":
        step: Step = ("sync", 1, 1, ())
    elif what in ("crash", "fault", "pause"):
        step = (what, *(rng.randrange(NUMBER) for _ in range(what != "crash")))
    else:
        step = draw_step(rng, what)
    return (kind, nth, "before" if what == "fault" else rng.choice(("before", "after")), step)


def _machine(rng: random.Random) -> int:
    return int(rng.random() < 0.15)


# --- playing -----------------------------------------------------------------------------------------------------


def play(
    steps: Sequence[Step],
    traced: bool = False,
    world: frozenset[str] = frozenset(),
    muted: frozenset[int] = frozenset(),
) -> Outcome:
    """A whole history, up to its first violation of an invariant that is not muted."""
    player = Player(traced, world)
    player.judge.muted = muted
    root = logging.getLogger()
    level = root.level
    root.addHandler(player.desk.listener)
    root.setLevel(logging.DEBUG)
    try:
        for step in steps:
            player.play(step)
            if player.judge.violations:
                break
        else:
            player.finish()
    finally:
        root.removeHandler(player.desk.listener)
        root.setLevel(level)
    return player.close()


def of_seed(seed: int, steps: int = 50, world: frozenset[str] = frozenset()) -> list[Step]:
    """The history of a seed in a world."""
    return draw(random.Random(seed), steps, world)


def shrink(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """A shorter history that still fails."""
    kept = list(steps)
    size = max(1, len(kept) // 2)
    while size:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + size :]
            if fails(fewer):
                kept = fewer
            else:
                at += size
        size //= 2
    return _calmer(kept, fails)


def _calmer(steps: list[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    """The same with fewer strikes."""
    for at, step in enumerate(steps):
        if step[0] != "sync":
            continue
        for strike in step[3]:
            left = tuple(other for other in steps[at][3] if other is not strike)
            fewer = [*steps[:at], (*steps[at][:3], left), *steps[at + 1 :]]
            if fails(fewer):
                steps = fewer
    return steps
