"""A run is killed at every call, and the run that recovers from it is killed too: all invariants hold throughout.

`test_protocol_kills.py` kills once, with every step in the sheet, and looks at the end; here the judge of the
histories watches each call of an order and a renewal, a correction and a code that arrives.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from histories.history import Player, Step
from histories.outside import JUMPS
from histories.people import MARKS
from histories.verdict import all_right

pytestmark = pytest.mark.long

LATER, LONG = JUMPS.index(61), JUMPS.index(26 * 3600)
REQUEST, RENEW, CORRECT = (MARKS.index(word) for word in ("request", "renew", "correct"))
MOMENTS = ("before", "after")
STATES = ("kept", "lost", "old")
EVERY = int(os.environ.get("SHEETSYNC_EVERY_KILL", "3"))
"""Of the second kills so many share one place in CI; 1 plays them all, in some five minutes of two cores."""
SYNC: Step = ("sync", 0, 1, ())


def prelude(*rows: int) -> list[Step]:
    """These rows have a finished code, and the state file has been copied since."""
    ordered = [*(("mark", row, REQUEST) for row in rows), SYNC, ("jump", LONG)]
    submitted = [*(("manager", row, 1) for row in rows), ("jump", LONG), *(("manager", row, 2) for row in rows), SYNC]
    return [*ordered, *submitted, ("save", 0)]


STORIES: dict[str, list[Step]] = {
    "an order and a renewal": [*prelude(1), ("mark", 0, REQUEST), ("mark", 1, RENEW)],
    "a correction and a code": [
        *(*prelude(1), ("mark", 0, REQUEST), SYNC, ("jump", LONG), ("save", 0)),
        *(("manager", 0, 1), ("edit", 1, 0), ("mark", 1, CORRECT)),
    ],
}


@contextmanager
def told(story: str) -> Iterator[Player]:
    """The story up to the run that is killed."""
    player = Player()
    logging.getLogger().addHandler(player.desk.listener)
    try:
        for step in STORIES[story]:
            player.play(step)
        yield player
    finally:
        logging.getLogger().removeHandler(player.desk.listener)
        player.close()


def killed(player: Player, index: int, moment: str) -> bool:
    """A run that is killed at its call number `index`; whether it came that far."""
    before = player.outcome.crashes
    player.play(("sync", 0, 1, (("*", index, moment, ("crash",)),)))
    return player.outcome.crashes > before


def recovered(player: Player) -> list[str]:
    """Two runs later all is right, and a third has nothing to do."""
    for _ in range(2):
        player.play(("jump", LATER))
        report = player.run(player.desk.machines[0], ())
    player.quiet(player.desk.machines[0])
    assert report
    return [*(v.text for v in player.judge.violations), *all_right(player.desk, player.judge, report)]


def kills(story: str) -> Iterator[tuple[int, str]]:
    """Every call of the undisturbed run, before and after."""
    with told(story) as player:
        before = len(player.desk.world.calls)
        player.play(SYNC)
        calls = len(player.desk.world.calls) - before
    yield from ((index, moment) for index in range(calls) for moment in MOMENTS)


def seconds(first: tuple[int, str]) -> Iterator[tuple[int, str]]:
    """The calls at which the recovery is killed: of all of them one in EVERY, other ones for each first kill."""
    points = ((index, moment) for index in range(100) for moment in MOMENTS)
    yield from islice(points, first[0] % EVERY, None, EVERY)


def twice(story: str, first: tuple[int, str], state: str, problems: list[str]) -> int:
    """Kills at `first`, then at calls of the recovery; how many there were."""
    points = 0
    for index, moment in seconds(first):
        with told(story) as player:
            assert killed(player, *first)
            if state != "kept":
                player.play(("lose" if state == "lost" else "restore", 0))
            player.play(("jump", LATER))
            if not killed(player, index, moment):
                return points
            points += 1
            where = f"killed {first}, state {state}, then {moment} {index}"
            problems += [f"{where}: {wrong}" for wrong in recovered(player)]
    raise AssertionError("the recovery does not end")


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("half", [0, 1])
def test_killed_twice(story: str, state: str, half: int) -> None:
    """Charged once, every cell right, whatever two calls the two kills strike, with the state kept, lost or old."""
    problems: list[str] = []
    points = sum(twice(story, first, state, problems) for first in list(kills(story))[half::2])
    assert points >= 40 // EVERY
    assert problems == []
