"""Histories of people, managers, faults, crashes and two machines: the invariants of issue 4 hold in each of them.

The seeded histories are the same in every run, so that a failure in CI fails everywhere; its seed replays it
(`python -m tests.soak --replay SEED`). The state machine draws from the same rules and shrinks what it finds.
More of both by hand: `python -m tests.soak --histories 20000`.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from histories import outside, people
from histories.history import NUMBER, STRIKES, Player, of_seed, play

HISTORIES = int(os.environ.get("SHEETSYNC_HISTORIES", "1000"))
PARTS = 100
QUICK = 5
"""Parts that are no long tests."""
STEPS = 50

numbers = st.integers(0, NUMBER - 1)
machines = st.sampled_from((0, 0, 0, 0, 0, 1))
PEOPLE = [name for name in people.RULES if name != "mark"]
OUTSIDE = [name for name in outside.RULES if name not in ("manager", *outside.BETWEEN)]


@pytest.mark.parametrize(
    "part", [pytest.param(n, marks=[pytest.mark.long] if n >= QUICK else []) for n in range(PARTS)]
)
def test_seeded_histories(part: int) -> None:
    """A thousand histories of fifty steps: no invariant is ever broken."""
    share = HISTORIES // PARTS
    problems = []
    for seed in range(part * share, (part + 1) * share):
        for violation in play(of_seed(seed, STEPS)).violations[:1]:
            problems.append(f"{violation.invariant}: {violation.text} (python -m tests.soak --replay {seed})")
    assert problems == []


def named(rules: dict[str, Any], names: list[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """A step of one of these rules."""
    return st.one_of([st.tuples(st.just(name), *[numbers] * rules[name][1]) for name in names])


steps_of_people, steps_outside = named(people.RULES, list(people.RULES)), named(outside.RULES, OUTSIDE)
struck = {
    "fault": st.tuples(st.just("fault"), numbers),
    "crash": st.just(("crash",)),
    "sync": st.just(("sync", 1, 1, ())),
    "pause": st.tuples(st.just("pause"), numbers),
    "manager": named(outside.RULES, ["manager"]),
    "people": steps_of_people,
    "outside": steps_outside,
}
strikes = st.one_of(
    st.tuples(st.just("*"), st.integers(0, 13), st.sampled_from(("before", "after")), st.one_of(list(struck.values()))),
    st.tuples(
        st.sampled_from(("sheets.batchUpdate", "portal.order", "portal.poll", "values.batchGet")),
        st.integers(0, 2),
        st.sampled_from(("before", "after")),
        st.one_of(list(struck.values())),
    ),
)


class Histories(RuleBasedStateMachine):
    """The same steps as a seed draws, drawn by hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self.player = Player()

    @initialize(first=st.tuples(st.just("mark"), numbers, numbers))
    def begin(self, first: tuple[Any, ...]) -> None:
        """Somebody wants something."""
        logging.getLogger().addHandler(self.player.desk.listener)
        self.player.play(first)

    @rule(n=numbers, word=numbers)
    def mark(self, n: int, word: int) -> None:
        """Somebody wants something."""
        self.player.play(("mark", n, word))

    @rule(step=named(people.RULES, PEOPLE))
    def edit(self, step: tuple[Any, ...]) -> None:
        """Somebody edits the sheet."""
        self.player.play(step)

    @rule(n=numbers, does=numbers)
    def manager(self, n: int, does: int) -> None:
        """A manager moves a request on, or cancels it."""
        self.player.play(("manager", n, does))

    @rule(step=steps_outside)
    def elsewhere(self, step: tuple[Any, ...]) -> None:
        """TokPortal, credits, keys or sharing change."""
        self.player.play(step)

    @rule(n=numbers)
    def code(self, n: int) -> None:
        """A request gets its code."""
        self.player.play(("code", n))

    @rule(n=numbers)
    def jump(self, n: int) -> None:
        """Time passes."""
        self.player.play(("jump", n))

    @rule(machine=machines, quiet=numbers)
    def sync(self, machine: int, quiet: int) -> None:
        """A run, undisturbed, and perhaps another that must do nothing."""
        self.player.play(("sync", machine, quiet, ()))

    @rule(machine=machines, struck_by=st.lists(strikes, min_size=1, max_size=3))
    def struck_sync(self, machine: int, struck_by: list[tuple[Any, ...]]) -> None:
        """A run that faults, crashes, people or another machine strike at any call."""
        self.player.play(("sync", machine, 1, tuple(struck_by)))

    @rule(machine=machines, change=st.sampled_from(("save", "lose", "restore")))
    def state(self, machine: int, change: str) -> None:
        """A state file is copied, lost, or brought back from the copy."""
        self.player.play((change, machine))

    @invariant()
    def holds(self) -> None:
        """Nothing the judge saw is against the invariants."""
        assert self.player.judge.violations == []

    def teardown(self) -> None:
        """When faults stop, all rows are right within three runs."""
        try:
            if not self.player.judge.violations:
                self.player.finish()
                assert self.player.judge.violations == []
        finally:
            logging.getLogger().removeHandler(self.player.desk.listener)
            self.player.close()


@pytest.mark.long
def test_state_machine() -> None:
    """Hypothesis finds no history that breaks an invariant."""
    assert set(STRIKES) == set(struck)
    examples = int(os.environ.get("SHEETSYNC_EXAMPLES", "100"))
    quick = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Histories, settings=quick)  # type: ignore[no-untyped-call]
