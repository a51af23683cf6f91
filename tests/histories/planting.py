"""Bugs for tests of the tests, and the search for the history that finds one.

A bug is planted by putting a broken twin in the place of one of the program's own functions. A twin that nobody
finds would mean that the machine proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from histories import wider
from histories.history import of_seed, play
from histories.seen import Violation

BUDGET = 1000
"""Histories that CI plays: a planted bug must be found among them."""

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Bug:
    """A mistake that somebody may make one day, and the invariants that may catch it.

    `since` is where the search begins, for those that are found late: any of CI's histories will do.
    """

    plant: Callable[[Patch], None]
    breaks: tuple[int, ...]
    world: str = ""
    since: int = 0

    def is_found(self, patch: Patch) -> bool:
        """Whether the machine finds it, by an invariant that it breaks; without it the same history is in order."""
        world = wider.of(self.world)
        self.plant(patch)
        seeds = (*range(self.since, BUDGET), *range(self.since))
        seed = next((seed for seed in seeds if self._breaks(_violations(seed, world))), None)
        patch.undo()
        return seed is not None and _violations(seed, world) == []

    def _breaks(self, found: list[Violation]) -> bool:
        return any(violation.invariant in self.breaks for violation in found)


def _violations(seed: int, world: frozenset[str]) -> list[Violation]:
    """What the judge says of a history."""
    return play(of_seed(seed, 50, world), world=world).violations
