"""A synthetic world: when people order codes, and what becomes of each order, drawn from a seed. Instants are minutes.

Knows nothing of the program, nor of the order in which it looks: managers have working hours, weekends and a pace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

HOUR, DAY = 60.0, 24 * 60.0
NEVER = math.inf


@dataclass(frozen=True)
class Change:
    """From `at` on TokPortal says so; there are so many codes by then. `by_mark`: it was asked for in the sheet."""

    at: float
    status: str
    codes: int = 0
    by_mark: bool = False


@dataclass(frozen=True)
class Manager:
    """Works on some days of the week for some hours, at a pace (1: the usual, 3: three times as slow)."""

    begins: float
    hours: float
    days: frozenset[int]
    pace: float

    @classmethod
    def drawn(cls, draw: Random) -> Manager:
        """Most are in Europe, some in America or Asia; one in three works on Saturdays, one in seven is slow."""
        begins = draw.uniform(7, 11) + draw.choice((0, 0, 0, 6, -7))
        days = frozenset(range(6 if draw.random() < 0.3 else 5))
        pace = math.exp(draw.gauss(0, 0.5)) * (3 if draw.random() < 0.15 else 1)
        return cls(begins * HOUR, draw.uniform(6, 9.5) * HOUR, days, pace)

    def after(self, at: float, work: float) -> float:
        """When so many minutes of work are done that are begun with at an instant."""
        day = int((at - self.begins) // DAY)
        while True:
            begins = max(at, day * DAY + self.begins)
            left = day * DAY + self.begins + self.hours - begins
            if day % 7 in self.days and left > 0:
                if work <= left:
                    return begins + work
                work -= left
            day += 1

    def is_at_work(self, at: float) -> bool:
        """Whether news may come from them now."""
        day, since = divmod(at - self.begins, DAY)
        return int(day) % 7 in self.days and since < self.hours


@dataclass(frozen=True)
class Order:
    """An ad code request: when it was ordered, of whom, and what becomes of it."""

    at: float
    manager: Manager
    changes: tuple[Change, ...]


Fate = Callable[[Random, float, Manager], tuple[Change, ...]]


def by_people(draw: Random, at: float, manager: Manager) -> tuple[Change, ...]:
    """Accepted, worked at for a time with a heavy tail, reported now and then, confirmed by the third day.

    2 % lie about: most of them are cancelled after weeks, 0.5 % of all never end. 4 % are cancelled by the manager.
    """
    luck = draw.random()
    if luck < 0.02:
        return (Change(at + draw.uniform(14, 56) * DAY if luck > 0.005 else NEVER, "cancelled"),)
    accepted = manager.after(at, draw.lognormvariate(math.log(25), 1.1))
    if luck < 0.06:
        given_up = manager.after(accepted, draw.uniform(1, 16) * HOUR)
        return Change(accepted, "accepted"), Change(given_up, "cancelled")
    brought, codes = manager.after(accepted, manager.pace * draw.lognormvariate(math.log(75), 1.3)), 1
    changes = [Change(accepted, "accepted"), Change(brought, "in_review", codes)]
    while draw.random() < 0.1:
        reported = brought + draw.uniform(0.5, 40) * HOUR
        # half of them in TokPortal's dashboard, of which nobody tells the sheet
        changes.append(Change(reported, "pending_corrections", codes, by_mark=draw.random() < 0.5))
        brought, codes = manager.after(reported, manager.pace * draw.lognormvariate(math.log(75), 1.3)), codes + 1
        changes.append(Change(brought, "in_review", codes))
    confirmed = 72 if draw.random() < 0.7 else draw.uniform(2, 72)
    return *changes, Change(brought + confirmed * HOUR, "finalized", codes)


def evenly(draw: Random, at: float, manager: Manager, weeks: int = 4) -> tuple[Change, ...]:
    """At any time within some weeks, by day or night, whatever its age; and no status tells anything."""
    return (Change(at + draw.uniform(0, weeks * 7) * DAY, "finalized", 1),)


def orders(seed: int, days: int, a_day: float, fate: Fate) -> list[Order]:
    """What is ordered on working days, in clumps, of eight managers; the oldest first."""
    draw = Random(seed)
    managers = [Manager.drawn(draw) for _ in range(8)]
    ordered: list[float] = []
    for day in range(days):
        left = sum(draw.random() < 0.5 for _ in range(round(2 * a_day * 7 / 5))) if day % 7 < 5 else 0
        while left > 0:
            clump, begins = min(left, draw.choice((1, 1, 2, 3, 8))), day * DAY + draw.uniform(8, 19) * HOUR
            ordered += [begins + draw.uniform(0, 10) for _ in range(clump)]
            left -= clump
    return [
        Order(at, manager, fate(draw, at, manager)) for at in sorted(ordered) for manager in [draw.choice(managers)]
    ]
