"""TokPortal's documents leave open how it behaves; under every two of the possibilities the invariants hold.

Each configuration plays the table of marks (design 3) with faults in it, and some histories drawn at random.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from histories.history import Outcome, Player, Step, of_seed
from histories.outside import JUMPS
from histories.pairs import Choice, all_pairs, pairs_of
from histories.people import MARKS
from sheetsync.sandbox.tokportal.switches import CHOICES

pytestmark = pytest.mark.long

CONFIGURATIONS = all_pairs(CHOICES)
RANDOM = 4
LATER, LONG = JUMPS.index(61), JUMPS.index(26 * 3600)
REQUEST, RENEW, CORRECT = (MARKS.index(word) for word in ("request", "renew", "correct"))
CANCEL, SUBMIT, STEP = 0, 1, 2
A, B, C, D = range(4)
LOST_AFTER, SERVER_ERROR, LATE = 11, 1, 8


def sync(*strikes: Step, machine: int = 0) -> list[Step]:
    """A run more than a minute later."""
    return [("jump", LATER), ("sync", machine, 0, tuple(strikes))]


def order_meets(fault: int) -> Step:
    """A fault at the order."""
    return ("portal.order", 0, "before", ("fault", fault))


def delivered(row: int) -> list[Step]:
    """The manager hands in a code and it is finished."""
    return [("jump", LONG), ("manager", row, SUBMIT), *sync(), ("jump", LONG), ("manager", row, STEP), *sync()]


TABLE: list[Step] = [
    # request: none, open, finalized and shown
    *(("mark", A, REQUEST), *sync(), ("mark", A, REQUEST), *sync(), *delivered(A), ("mark", A, REQUEST), *sync()),
    # renew: finalized and shown, then open; the answer is lost
    *(("mark", A, RENEW), *sync(order_meets(LOST_AFTER)), *sync(), ("mark", A, RENEW), *sync(), ("unmark", A)),
    # request: open elsewhere, cancelled elsewhere, cancelled and shown
    *(("order_elsewhere", B), ("mark", B, REQUEST), *sync(), ("jump", LONG), ("manager", B, CANCEL), *sync()),
    *(("mark", B, REQUEST), *sync(order_meets(SERVER_ERROR)), *sync(), *sync(), *delivered(B)),
    # correct: finalized, then reported already; a new code comes
    *(("edit", B, 0), ("mark", B, CORRECT), *sync(), ("jump", LONG), *delivered(B), ("unmark", B)),
    # renew: none; request: finalized and not shown
    *(("mark", C, RENEW), *sync(), ("order_elsewhere", C), *delivered(C), ("mark", C, REQUEST), *sync(), ("unmark", C)),
    # request: the order takes effect when its sender has long given up
    *(("mark", D, REQUEST), *sync(order_meets(LATE)), *sync(), *sync(), *sync(machine=1), *delivered(D)),
]


def played(steps: Sequence[Step], switches: Choice) -> Outcome:
    """A history in which TokPortal behaves like this."""
    player = Player()
    player.desk.portal.switches.set(switches)
    logging.getLogger().addHandler(player.desk.listener)
    try:
        for step in steps:
            player.play(step)
        player.finish()
    finally:
        logging.getLogger().removeHandler(player.desk.listener)
    return player.close()


def test_every_pair_is_there() -> None:
    """The configurations leave no two values out."""
    left = pairs_of(CHOICES)
    for chosen in CONFIGURATIONS:
        left = {pair for pair in left if not all(chosen[name] == value for name, value in pair)}
    assert left == set()


def test_the_table_does_what_it_says() -> None:
    """Under the likelier behaviours the table orders four codes, and all rows end right."""
    outcome = played(TABLE, {})
    assert (outcome.charges, outcome.violations) == (4, [])


@pytest.mark.parametrize("number", range(len(CONFIGURATIONS)))
def test_table_of_marks(number: int) -> None:
    """No invariant is broken, whatever two behaviours come together."""
    switches = CONFIGURATIONS[number]
    assert played(TABLE, switches).violations == []
    for seed in range(number * RANDOM, (number + 1) * RANDOM):
        steps = [step for step in of_seed(seed) if step[0] != "switch"]
        assert played(steps, switches).violations == [], f"seed {seed}, {switches}"
