"""Plays many histories and says what became of them: `python -m tests.soak --histories 1000 --seed 0`.

A failing history prints one line that plays it again: `python -m tests.soak --replay SEED`. Its seed also draws the
world that it is played in, half the time a wider one (histories/wider.py names the switches); `--world money` names it
instead, `--world plain` is the one without. `--red` plays the histories that once went wrong, hole by hole.
"""

from __future__ import annotations

import argparse
import ast
import gc
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from histories import wider
from histories.history import Outcome, Step, of_seed, play, shrink
from histories.red import RED
from support import ledgers

CHUNK = 50
MOST_TOLD = 5  # of one chunk
World = frozenset[str]
MUTED: set[int] = set()


@dataclass(slots=True)
class Figures:
    """Sums over histories; `failed` are the seeds with their first violation."""

    histories: int = 0
    steps: int = 0
    runs: int = 0
    calls: int = 0
    crashes: int = 0
    charges: int = 0
    corrections: int = 0
    failed: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, seed: int, outcome: Outcome) -> None:
        """One more history."""
        self.histories += 1
        for name in ("steps", "runs", "calls", "crashes", "charges", "corrections"):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        if outcome.violations:
            first = outcome.violations[0]
            self.failed.append((seed, first.invariant, first.text))

    def __iadd__(self, other: Figures) -> Figures:
        for name in ("histories", "steps", "runs", "calls", "crashes", "charges", "corrections", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __str__(self) -> str:
        return (
            f"{self.histories} histories, {self.steps} steps, {self.runs} runs, {self.calls} calls, "
            f"{self.crashes} crashes, {self.charges} charges, {self.corrections} corrections, "
            f"{len(self.failed)} violations"
        )


def world_of(seed: int) -> World:
    """The world that a seed draws where none is named: half the time the plain one, else one switch, or two."""
    chance = random.Random(f"the world of {seed}")
    return frozenset(chance.sample(sorted(wider.SWITCHES), chance.choice((0, 0, 0, 1, 1, 2))))


def chunk(seeds: Sequence[int], steps: int, world: World | None = None) -> Figures:
    """Some histories, one after the other, in this world or each in its own."""
    figures = Figures()
    gc.disable()  # looking for cycles once after each short history, not all along, saves a quarter of the time
    gc.freeze()
    for seed in seeds:
        gc.collect()
        there = world_of(seed) if world is None else world
        try:
            figures.add(seed, play(of_seed(seed, steps, there), world=there, muted=frozenset(MUTED)))
        except Exception as error:  # the judge itself went wrong: that must not end a soak
            figures.failed.append((seed, 0, f"the judge failed: {error!r}"))
    gc.unfreeze()
    gc.enable()
    return figures


def soak(histories: int, seed: int, steps: int, jobs: int, world: World | None = None) -> Figures:
    """All of them."""
    chunks = [range(at, min(at + CHUNK, seed + histories)) for at in range(seed, seed + histories, CHUNK)]
    total = Figures()
    if jobs <= 1:
        for seeds in chunks:
            total += _told(chunk(seeds, steps, world), steps, world)
        return total
    with ProcessPoolExecutor(jobs) as pool:
        for figures in pool.map(chunk, chunks, [steps] * len(chunks), [world] * len(chunks)):
            total += _told(figures, steps, world)
    return total


def _told(figures: Figures, steps: int, world: World | None) -> Figures:
    more = ("" if world is None else _named(world)) + ("" if steps == 50 else f" --steps {steps}")
    for seed, invariant, what in figures.failed[:MOST_TOLD]:
        print(f"violation of {invariant}: {what}\n    python -m tests.soak --replay {seed}{more}", flush=True)
    return figures


def _named(world: World) -> str:
    return f" --world {','.join(sorted(world)) or 'plain'}"


def replay(seed: int, steps: int, world: World) -> int:
    """The history of a seed, shrunk, with what happened in it."""
    history = of_seed(seed, steps, world)
    found = play(history, world=world, muted=frozenset(MUTED)).violations
    if not found:
        steps_played = play(history, world=world, muted=frozenset(MUTED)).steps
        print(f"seed {seed},{_named(world)}: {steps_played} steps, no violation")
        return 0

    def fails(fewer: Sequence[Step]) -> bool:
        left = play(fewer, world=world, muted=frozenset(MUTED)).violations[:1]
        return [violation.invariant for violation in left] == [found[0].invariant]

    short = shrink(history, fails)
    print(f"shrunk from {len(history)} to {len(short)} steps; the same, whatever the rules become:")
    print(f'    python -m tests.soak{_named(world)} --play "{short!r}"')
    return show(short, world)


def red() -> int:
    """The histories that were red before a hole was mended, and what becomes of them now."""
    left = 0
    for story in RED:
        found = play(story.steps, world=wider.of(story.world), muted=story.muted).violations[:1]
        left += bool(found)
        said = f"red: violation of {found[0].invariant}: {found[0].text}" if found else "mended"
        print(f"hole {story.hole}, {story.what} ({story.world}, seed {story.seed}): {said}")
    return 1 if left else 0


def show(steps: Sequence[Step], world: World) -> int:
    """A history step by step, with the calls and cells of its runs."""
    outcome = play(steps, traced=True, world=world, muted=frozenset(MUTED))
    print("\n".join(outcome.trace))
    for violation in outcome.violations:
        print(f"violation of {violation.invariant}: {violation.text}")
    return 1 if outcome.violations else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", type=int, metavar="SEED")
    parser.add_argument("--play", metavar="STEPS", help="a history as --replay prints it")
    parser.add_argument("--world", default="", help="of histories/wider.py, separated by commas; else the seed's own")
    parser.add_argument("--but", default="", help="numbers of invariants not to be judged, as 101,104")
    parser.add_argument("--red", action="store_true", help="play the histories that once went wrong")
    parser.add_argument("--ledger", choices=ledgers.KINDS, default="sqlite", help="where the ledgers are kept")
    parser.add_argument("--shared", action="store_true", help="both machines have one ledger, on PostgreSQL")
    options = parser.parse_args()
    if options.shared and options.ledger != "postgresql":
        parser.error("--shared is for --ledger postgresql: in a file, one machine has it")
    ledgers.choose(options.ledger, options.shared)
    if options.red:
        return red()
    world = wider.of(options.world) if options.world else None
    MUTED.update(map(int, filter(None, options.but.split(","))))
    if options.play is not None:
        return show(ast.literal_eval(options.play), world or frozenset())
    if options.replay is not None:
        return replay(options.replay, options.steps, world_of(options.replay) if world is None else world)
    started = time.monotonic()
    figures = soak(options.histories, options.seed, options.steps, options.jobs, world)
    print(f"{figures}, {time.monotonic() - started:.0f} seconds")
    for invariant, many in sorted(Counter(invariant for _, invariant, _ in figures.failed).items()):
        print(f"    {many} of {invariant}")
    return 1 if figures.failed else 0


if __name__ == "__main__":
    sys.exit(main())
