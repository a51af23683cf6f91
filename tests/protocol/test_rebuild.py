"""A ledger that is lost at any call and made again of sheet and TokPortal: the cells stay, orders wait for a person.

What is right in the end is told by support/story.py from TokPortal's books and from what people typed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.story import ORDERED, Story, tell

from sheetsync.sync.rebuild import Rebuilt, rebuild


def rebuilt(story: Story) -> Rebuilt:
    """The command, on this machine."""
    bench = story.bench
    with bench.portal() as portal:
        return rebuild(bench.tracker, bench.api(), portal, bench.ledger, bench.clock, "rebuild")


def confirm(story: Story) -> None:
    story.bench.ledger.recorder(story.bench.tracker.name, "confirm", story.bench.clock).rebuilt(is_confirmed=True)


def orders(story: Story) -> int:
    return len(story.portal.requests)


def test_the_same_cells(tmp_path: Path) -> None:
    """What sheet and TokPortal tell is as before: a run after it writes nothing but notes."""
    story = tell(tmp_path)
    assert story.sync().exit_code == 0
    story.deliver()
    story.sync()
    story.restart("lost")
    made = rebuilt(story)
    before, bench = story.bench.table(), story.bench
    note, updated = bench.column("sync_note"), bench.column("updated_at")
    assert (made.videos, made.unanswered, made.ordering) == (9, (), ())
    assert made.requests >= 8
    confirm(story)
    assert story.sync().exit_code == 0

    def without_words(table: list[list[object]]) -> list[list[object]]:
        return [[cell for at, cell in enumerate(line) if at not in (note, updated)] for line in table]

    assert without_words(story.bench.table()) == without_words(before)
    sent, report = story.later_run()
    assert (sent, report.exit_code) == ([], 0)


def test_nothing_is_ordered_before_a_person_has_confirmed(tmp_path: Path) -> None:
    """Marks wait, with the reason; codes are fetched and corrections sent all the same; then the orders go."""
    story = tell(tmp_path)
    story.restart("lost")
    rebuilt(story)
    before = orders(story)
    report = story.sync()
    assert report.exit_code == 3
    assert "sheetsync ledger rebuild --confirm" in str(report.error)
    assert orders(story) == before
    assert "has to confirm" in story.bench.cell("vid-a", "sync_note")
    assert story.bench.cell("vid-a", "action") == "request"
    confirm(story)
    assert story.recover() == []


@pytest.mark.long
def test_lost_at_any_call(tmp_path: Path) -> None:
    """Whatever the killed run had sent, the rebuilt ledger and a person's word charge nobody twice."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path)
        kind = story.killed(index, "after")
        if not kind:
            break
        points += 1
        story.restart("lost")
        rebuilt(story)
        before = orders(story)
        story.bench.later(seconds=61)
        story.sync()
        held = [] if orders(story) == before else ["ordered before it was confirmed"]
        confirm(story)
        problems += [f"killed after call {index} ({kind}): {wrong}" for wrong in held + story.recover()]
    assert points >= 24
    assert problems == []


def test_killed_while_it_is_made(tmp_path: Path) -> None:
    """Half a ledger holds orders, too; made again, it is whole."""
    problems, points = [], 0
    for index in range(100):
        story = tell(tmp_path)
        story.restart("lost")
        kind = story.killed(index, "before", of=lambda told=story: rebuilt(told))  # type: ignore[misc]
        if not kind:
            break
        points += 1
        story.restart("kept")
        before = orders(story)
        story.sync()
        held = [] if orders(story) == before else ["half a ledger ordered"]
        rebuilt(story)
        confirm(story)
        problems += [f"killed before call {index} ({kind}): {wrong}" for wrong in held + story.recover()]
    assert points >= 10
    assert problems == []


def test_tokportal_is_silent_for_some(tmp_path: Path) -> None:
    """What was not told is named, and asked again by the next call of it."""
    story = tell(tmp_path)
    story.restart("lost")
    story.world.faults.add("portal.poll", nth=2, fault="500", times=10)
    made = rebuilt(story)
    assert made.unanswered
    story.world.faults.clear()
    assert rebuilt(story).unanswered == ()
    confirm(story)
    assert story.recover() == []


def test_a_claim_of_the_killed_run_is_named(tmp_path: Path) -> None:
    """A row that says `ordering` is the one trace of an order without an answer."""
    index = 0
    while (story := tell(tmp_path)).killed(index, "before") != "portal.order":
        index += 1
    story.restart("lost")
    assert set(ORDERED) <= set(rebuilt(story).ordering)
