"""A run may be killed at any call, with its ledger kept, lost or brought back from a copy: nobody is charged twice.

The process dies by an exception that nothing may catch; the ledger is closed and opened again from its file. What is
right in the end is told by protocol.py from TokPortal's books and from what people typed.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import cast

import pytest
from support.fragile import Fragile
from support.profile import cases
from support.story import ORDERED, Crash, kinds_of, tell

from sheetsync.ledger.store import Ledger

MOMENTS = ("before", "after")
STATES = ("kept", "lost", "old")


def test_undisturbed(tmp_path: Path) -> None:
    """Without a disturbance one run does it all: this is what every other test here must come to."""
    story = tell(tmp_path)
    assert story.sync().exit_code == 0
    assert story.wrong() + story.later_run()[0] == []


@pytest.mark.parametrize(
    ("moment", "state", "pace"),
    cases(
        [*product(MOMENTS, STATES, [0.0]), *product(MOMENTS, ("kept", "lost"), [1.5])],
        [("before", "kept", 0.0), ("after", "lost", 0.0), ("after", "old", 0.0)],
    ),
)
def test_killed_at_any_call(tmp_path: Path, moment: str, state: str, pace: float) -> None:
    """Killed before or after any call, the later runs finish the work: charged once, every cell right."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path, pace=pace)
        kind = story.killed(index, moment)
        if not kind:
            break
        points += 1
        story.restart(state)
        problems += [f"killed {moment} call {index} ({kind}), state {state}: {wrong}" for wrong in story.recover()]
    assert points >= 24
    assert problems == []


@pytest.mark.parametrize("moment", cases(MOMENTS, ("after",)))
@pytest.mark.parametrize("state", cases(STATES, ("lost",)))
def test_next_run_within_the_minute(tmp_path: Path, moment: str, state: str) -> None:
    """Runs that follow a killed one at once look before they order: still charged once."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path)
        kind = story.killed(index, moment)
        if not kind:
            break
        points += 1
        story.restart(state)
        for _ in range(2):
            story.bench.later(seconds=5)
            story.sync()
        problems += [f"killed {moment} call {index} ({kind}), state {state}: {wrong}" for wrong in story.recover()]
    assert points >= 24
    assert problems == []


@pytest.mark.long
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("first", range(4))
def test_recovery_killed_too(tmp_path: Path, first: int, state: str) -> None:
    """A second kill, at every call of the run that recovers from the first: charged once, every cell right."""
    problems, points = [], 0
    last = len(kinds_of(tell(tmp_path, ORDERED)))
    for index in range(first, last, 4):
        for second in range(index % 2, 30, 2):
            moment, again = MOMENTS[(index + second // 4) % 2], MOMENTS[(index // 2 + second // 2) % 2]
            story = tell(tmp_path, ORDERED)
            kind = story.killed(index, moment)
            assert kind
            story.restart(state)
            story.bench.later(seconds=61)
            next_kind = story.killed(second, again)
            if not next_kind:
                break
            points += 1
            story.restart("kept" if state == "kept" else "lost")
            where = f"killed {moment} call {index} ({kind}), then {again} call {second} ({next_kind}), state {state}"
            problems += [f"{where}: {wrong}" for wrong in story.recover()]
    assert points >= 8
    assert problems == []


@pytest.mark.parametrize("state", STATES)
def test_codes_arrive_while_the_program_is_down(tmp_path: Path, state: str) -> None:
    """A code that is finished between the kill and the next run reaches the row of the order that was killed."""
    problems = []
    kinds = kinds_of(tell(tmp_path, ORDERED))
    written = max(index for index, kind in enumerate(kinds) if kind == "sheets.batchUpdate")
    for index in range(written, len(kinds)):
        story = tell(tmp_path, ORDERED)
        kind = story.killed(index, "after")
        for request in [r for r in story.portal.requests if r.status == "pending"]:
            story.portal.submit(request.video_id)
            story.portal.deliver(request.video_id)
        story.restart(state)
        problems += [f"killed after call {index} ({kind}), state {state}: {wrong}" for wrong in story.recover()]
    assert problems == []


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("state", STATES)
def test_killed_between_commits(tmp_path: Path, moment: str, state: str) -> None:
    """Killed before or after any commit to the ledger, where no call is near: charged once, every cell right."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path)
        fragile = Fragile(story.bench.ledger, index, moment)
        try:
            story.bench.sync(cast(Ledger, fragile))
        except Crash:
            assert fragile.struck
        if not fragile.struck:
            break
        points += 1
        story.restart(state)
        problems += [f"killed {moment} {fragile.struck} ({index}), state {state}: {w}" for w in story.recover()]
    assert points >= 15
    assert problems == []
