"""What Summary tabs asked people to allow, as each machine's ledger knows it: the wishes and the number to type.

Owns that memory, which is lost, copied and brought back as the ledgers are. What a run reads, asks for and takes is
seen by wire.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Wishes = Mapping[str, Collection[tuple[str, str]]]
"""By video, its marks, each with the latest request (or nothing) that TokPortal told then."""


@dataclass(frozen=True, slots=True)
class Question:
    """A number that was asked for, and for what: of a video that a run did not look at, what was asked for before."""

    number: int = 0
    wishes: Wishes = field(default_factory=dict)

    def is_for(self, video: str, now: Wishes) -> bool:
        """Whether one of the video's wishes of now is what was asked for."""
        return not set(now.get(video, ())).isdisjoint(self.wishes.get(video, ()))


NOTHING = Question()


class Questions:
    """The last question of each machine's ledger, and of the copy of it."""

    def __init__(self) -> None:
        self._open: dict[str, Question] = {}
        self._copied: dict[str, Question] = {}

    def asked(self, machine: str, number: int, wishes: Wishes) -> None:
        """Summary was seen to ask."""
        before = self._open.get(machine, NOTHING).wishes
        self._open[machine] = Question(number, {**before, **wishes})

    def taken(self, machine: str) -> Question:
        """A run uses a number: what it may be for, which is then void."""
        return self._open.pop(machine, NOTHING)

    def lost(self, machine: str) -> None:
        """The ledger is gone."""
        self._open.pop(machine, None)

    def copied(self, machine: str) -> None:
        """Somebody copies the ledger."""
        self._copied[machine] = self._open.get(machine, NOTHING)

    def brought_back(self, machine: str) -> None:
        """The ledger is again what its copy is, if there is one: it knows what that knew."""
        self._open[machine] = self._copied.get(machine, NOTHING)
