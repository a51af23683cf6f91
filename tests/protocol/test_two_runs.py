"""Two runs at once: with one ledger the second is locked out, with two of them each wish is still charged once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import ledgers
from support.story import Story, kinds_of, tell

from sheetsync.errors import Locked
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.wire import Request
from sheetsync.sync.report import Report

MOMENTS = ("before", "after")


def interrupt(story: Story, index: int, moment: str, do: Callable[[], object]) -> str:
    """The first machine's run, with something done just before or after its call number `index`; the call's kind."""
    seen, inside, struck = 0, False, ""

    def hook(when: str, _: int, kind: str, request: Request) -> None:
        nonlocal seen, inside, struck
        if inside:
            return
        if when == moment and seen == index:
            inside, struck = True, kind
            do()
            inside = False
        seen += when == "after"

    with story.hook(hook):
        story.sync()
    return struck


@pytest.mark.parametrize("moment", MOMENTS)
def test_one_ledger(tmp_path: Path, moment: str) -> None:
    """The second run on one ledger is told who holds it, exits with 4 and makes no call, whenever it comes."""
    problems: list[str] = []
    kinds = kinds_of(tell(tmp_path))
    for index in range(len(kinds)):
        story = tell(tmp_path)
        with Ledger(ledgers.at(story.path), durable=False) as second:
            reports: list[tuple[Report, int]] = []

            def run(story: Story = story, second: Ledger = second, reports: list[tuple[Report, int]] = reports) -> None:
                before = len(story.world.calls)
                reports.append((story.bench.sync(second), len(story.world.calls) - before))

            assert interrupt(story, index, moment, run)
        [(report, calls)] = reports
        if report.exit_code != 4 or not isinstance(report.error, Locked) or calls:
            problems.append(f"{moment} call {index}: {report}, {calls} calls")
        problems += story.wrong()
    assert problems == []


def test_lock_ends_with_its_run(tmp_path: Path) -> None:
    """A run that was killed holds nobody up."""
    story = tell(tmp_path)
    story.killed(10, "after")
    with Ledger(ledgers.at(story.path), durable=False) as second:
        assert story.bench.sync(second).exit_code in (0, 1)


@pytest.mark.long
@pytest.mark.parametrize(("knows", "pace"), [("nothing", 0.0), ("nothing", 1.5), ("history", 1.5)])
@pytest.mark.parametrize("moment", MOMENTS)
def test_two_ledgers(tmp_path: Path, moment: str, knows: str, pace: float) -> None:
    """A second machine's whole run at any point of the first one's: each wish charged once, every cell right."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path, pace=pace)
        other = tmp_path / "other.db"
        ledgers.write(other, story.saved if knows == "history" else None)
        with Ledger(ledgers.at(other), durable=False) as second:
            kind = interrupt(story, index, moment, lambda story=story, second=second: story.bench.sync(second))
            if not kind:
                break
            points += 1
            # neither ledger has seen all of it
            story.lost = True
            where = f"the other machine ran {moment} call {index} ({kind})"
            problems += [f"{where}: {wrong}" for wrong in story.recover()]
            story.bench.later(seconds=61)
            story.bench.sync(second)
            problems += [f"{where}, and once more: {wrong}" for wrong in story.wrong()]
    assert points >= 24
    assert problems == []


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_two_ledgers_come_to_rest(tmp_path: Path, moment: str) -> None:
    """Two machines with a ledger each do not go on correcting each other's cells, but for whose note it is."""
    problems = []
    for index in range(0, len(kinds_of(tell(tmp_path))), 3):
        story = tell(tmp_path)
        with Ledger(None) as second:
            kind = interrupt(story, index, moment, lambda story=story, second=second: story.bench.sync(second))
            shown = []
            for _ in range(3):
                story.later_run()
                story.bench.later(seconds=61)
                story.bench.sync(second)
                shown.append(without(story, "Sync note", "Updated at"))
            problems += [f"{moment} call {index} ({kind})"] if shown[-1] != shown[-2] else []
    assert problems == []


def without(story: Story, *headers: str) -> list[list[Any]]:
    """The grid, these columns left out."""
    table = story.bench.table()
    left = [n for n, header in enumerate(table[0]) if header not in headers]
    return [[line[n] for n in left] for line in table]


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_two_ledgers_and_a_kill(tmp_path: Path, moment: str) -> None:
    """The second machine takes over from a first one that was killed at any call, which then comes back."""
    problems = []
    for index in range(len(kinds_of(tell(tmp_path)))):
        story = tell(tmp_path)
        assert story.killed(index, moment)
        with Ledger(None) as second:
            story.bench.later(seconds=5)
            story.bench.sync(second)
            story.restart()
            story.lost = True
            problems += [f"killed {moment} call {index}: {wrong}" for wrong in story.recover()]
    assert problems == []
