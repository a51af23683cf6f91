"""`python -m tests.benchmarks.news`: how late a code is in its cell, where a run has room for few of the open requests.

Years of synthetic managers (`support/managers.py`), a run every 5 minutes, and three orders of looks: the program's own
`due`; round-robin, longest ago first; oldest request first. Printed are ratios to round-robin: mean and 95th percentile
of the time from a code at TokPortal to its cell, the same mean for all other news, and the longest time without a look.
`--long` leaves out one factor at a time, and adds the hour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.looks import EVERY, MONDAY, ROUND_ROBIN, RULES, Case, Delays, Rule, simulate
from support.managers import DAY, Fate, by_people, evenly, orders

from sheetsync.model import AdCodeRequest

LONG_AGO = MONDAY - timedelta(days=1000)


def no_status(case: Case, now: int) -> AdCodeRequest:
    return replace(case.request, status="pending", code=None)


def no_age(case: Case, now: int) -> AdCodeRequest:
    return replace(case.request, created_at=None)


def and_its_managers_hours(case: Case, now: int) -> AdCodeRequest:
    """As if the ledger knew who works when: a request whose manager is off is told to be old."""
    manager = case.order.manager
    off = not manager.is_at_work(now) and not manager.is_at_work(case.looked)
    return replace(case.request, created_at=LONG_AGO) if off else case.request


def and_usual_hours(case: Case, now: int) -> AdCodeRequest:
    """The hours in which most codes come: all that a ledger can know. In the others every request is told to be old."""
    is_usual = 6 <= now % DAY / 60 < 18 and now // DAY % 7 < 5
    return case.request if is_usual else replace(case.request, created_at=LONG_AGO)


FACTORS = {
    ROUND_ROBIN: RULES[ROUND_ROBIN],
    "ours": RULES["ours"],
    "by status alone": Rule(told=no_age),
    "by age alone": Rule(told=no_status),
    "ours, and the usual hours": Rule(told=and_usual_hours, is_hourly=True),
    "ours, and each manager's own hours": Rule(told=and_its_managers_hours, is_hourly=True),
}


@dataclass(frozen=True)
class World:
    """What is played: what becomes of orders, how many there are a day, and how many looks a run."""

    title: str
    fate: Fate
    a_day: float
    rooms: Sequence[int]
    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)


WORLDS = (
    World("managers who work as people do", by_people, 1.5, (4, 2, 1)),
    World("codes that come at any time within four weeks, whatever the hour, age and status", evenly, 0.4, (1,)),
)
LONG = (
    World("managers who work as people do: one factor at a time, and the hour", by_people, 1.5, (2,), FACTORS),
    World("codes that come at any time within eight weeks", partial(evenly, weeks=8), 0.2, (1,)),
)


def compare(world: World, room: int, seeds: Sequence[int], days: int) -> None:
    """Print a line for each order of looks: its ratios to round-robin, over all years, and how far apart these were."""
    years = [orders(seed, days, world.a_day, world.fate) for seed in seeds]
    found = {name: [simulate(year, days, room, rule) for year in years] for name, rule in world.rules.items()}
    usual = found[ROUND_ROBIN]
    load = sum(delays.opened for delays in usual) / sum(delays.runs for delays in usual) / room
    print(f"{load:.1f} open requests a look ({room} looks a run), {sum(len(delays.code) for delays in usual):,} codes")
    for name, delays in found.items():
        print(f"  {name:34} {_line(delays, usual)}", flush=True)


def _line(found: Sequence[Delays], usual: Sequence[Delays]) -> str:
    ours, theirs = [delays.figures() for delays in found], [delays.figures() for delays in usual]
    mean, late, other, longest = (sum(f[n] for f in ours) / (sum(f[n] for f in theirs) or 1) for n in range(4))
    means = sorted(one[0] / of[0] for one, of in zip(ours, theirs, strict=True))
    runs = max(delays.longest for delays in found) / EVERY
    beside = f"{other:7.2f} x" if other else "   none  "
    return (
        f"mean {mean:7.2f} x ({means[0]:.2f} to {means[-1]:.2f})  95th {late:7.2f} x  other news {beside}  "
        f"longest without a look {longest:7.1f} x: {runs:,.0f} runs"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.news", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="how many years")
    parser.add_argument("--days", type=int, default=365, help="how long a year is")
    parser.add_argument("--long", action="store_true", help="also one factor at a time, and the hour: twice the time")
    options = parser.parse_args()
    for world in (*WORLDS, *(LONG if options.long else ())):
        print(f"{world.title}:")
        for room in world.rooms:
            compare(world, room, range(1, options.seeds + 1), options.days)


if __name__ == "__main__":
    main()
