"""People sort, insert, delete, copy and type while a run writes: every cell ends in its own row, nothing stray.

Each edit strikes in the gap between the program's read and the moment its write lands, where Google Sheets offers no
help. Expectations are kept cell by cell in the test (`story.typed`), and told from TokPortal's books (protocol.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import pytest
from support.profile import cases
from support.story import Story, kinds_of, tell

from sheetsync.sandbox import people

Edit = Callable[[Story], None]


def sort(header: str, descending: bool = False) -> Edit:
    return lambda story: people.sort_rows(*story.edits, header, descending)


def insert_row(video: str = "") -> Edit:
    def edit(story: Story) -> None:
        values = {"Video ID": video, "Client": "client new", "Remarks": "typed into a new row"} if video else {}
        people.insert_row(*story.edits, 2, values)
        story.typed += [dict(values)] if values else []

    return edit


def delete_row(video: str) -> Edit:
    def edit(story: Story) -> None:
        people.delete_row(*story.edits, video)
        story.typed.remove(story.typed_rows(video)[0])
        story.charges[video] = {*story.charges[video], len(story.bench.requests(video))}

    return edit


def move_row(video: str, at: int) -> Edit:
    return lambda story: people.move_row(*story.edits, video, at)


def copy_row(video: str, at: int = 2) -> Edit:
    def edit(story: Story) -> None:
        people.copy_row(*story.edits, video, at)
        story.typed.append(dict(story.typed_rows(video)[0]))

    return edit


def insert_column(before: str, header: str = "") -> Edit:
    return lambda story: people.insert_column(*story.edits, before, header)


def move_column(header: str, before: str) -> Edit:
    return lambda story: people.move_column(*story.edits, header, before)


def delete_column(header: str) -> Edit:
    def edit(story: Story) -> None:
        people.delete_column(*story.edits, header)
        for row in story.typed:
            row.pop(header, None)

    return edit


def rename_header(header: str, to: str) -> Edit:
    def edit(story: Story) -> None:
        people.rename_header(*story.edits, header, to)
        for row in story.typed:
            if header in row:
                row[to] = row.pop(header)

    return edit


def overwrite(video: str, header: str, value: str) -> Edit:
    return lambda story: story.type(video, header, value)


def mark(video: str, word: str) -> Edit:
    """A mark made during the run is a wish for the next one."""

    def edit(story: Story) -> None:
        story.type(video, "Action", word)
        story.charges[video] = {len(story.bench.requests(video)) + 1}

    return edit


def unmark(video: str) -> Edit:
    """Whoever takes a mark away during the run may be too late, but only once."""

    def edit(story: Story) -> None:
        story.type(video, "Action", "")
        story.charges[video] = {0, 1}

    return edit


EDITS: dict[str, Edit] = {
    "sort by client": sort("Client"),
    "sort descending": sort("Video ID", descending=True),
    "sort by a machine column": sort("Status"),
    "insert a blank row": insert_row(),
    "insert a row": insert_row("vid-new"),
    "delete an ordered row": delete_row("vid-a"),
    "delete the idle row": delete_row("vid-idle"),
    "delete the renewed row": delete_row("vid-renew"),
    "move a row up": move_row("vid-code", 2),
    "move a row down": move_row("vid-a", 9),
    "copy an ordered row": copy_row("vid-b"),
    "copy the renewed row": copy_row("vid-renew"),
    "copy the idle row": copy_row("vid-idle", 4),
    "insert a column before all": insert_column("Client", "New"),
    "insert a column before the key": insert_column("Video ID", "New"),
    "insert a column before the first machine column": insert_column("Status"),
    "insert a column between machine columns": insert_column("Expiry", "New"),
    "insert a column after the machine columns": insert_column("Feedback", "New"),
    "move a machine column": move_column("Status", "Client"),
    "move the key column": move_column("Video ID", "Remarks"),
    "move a person's column": move_column("Scratch", "Client"),
    "delete an unbound column": delete_column("Scratch"),
    "rename an unbound header": rename_header("Scratch", "Jotter"),
    "type in another row": overwrite("vid-idle", "Remarks", "typed meanwhile"),
    "type in an ordered row": overwrite("vid-b", "Client", "client typed"),
    "put a mark": mark("vid-idle", "request"),
    "put a mark for a renewal": mark("vid-done", "renew"),
    "take a mark away": unmark("vid-c"),
}
MOMENTS = ("before", "after")
MOST_WRITES = 6


def during(story: Story, edits: dict[int, Edit], when: str = "before") -> bool:
    """One run, with edits just before or after its n-th writes; whether all of them came to pass."""
    done = []

    def do(edit: Edit) -> None:
        with suppress(LookupError):  # what it needs is no longer there
            edit(story)
            done.append(edit)

    for nth, edit in edits.items():
        story.world.faults.edit("sheets.batchUpdate", nth=nth, when=when, do=lambda _, edit=edit: do(edit))
    story.sync()
    story.world.faults.clear()
    return len(done) == len(edits)


def settled(story: Story) -> list[str]:
    """What is wrong after the next run, or makes a third one write, or goes wrong once the codes are there."""
    story.later_run()
    wrong = story.wrong() or story.later_run()[0]
    if not wrong:
        story.deliver()
        story.later_run()
        wrong = [f"after the delivery {problem}" for problem in (story.wrong() or story.later_run()[0])]
    return wrong


@pytest.mark.parametrize("pace", [0.0, pytest.param(1.5, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", cases(EDITS, list(EDITS)[1::5]))
def test_edit_at_a_write(tmp_path: Path, name: str, pace: float) -> None:
    """Whatever people do just before or after a write lands, all cells are right in that run or the next."""
    problems, points = [], 0
    for nth, when in product(range(1, MOST_WRITES), MOMENTS):
        story = tell(tmp_path, pace=pace)
        if during(story, {nth: EDITS[name]}, when):
            points += 1
            problems += [f"{name} {when} write {nth}: {wrong}" for wrong in settled(story)]
    assert points >= 4
    assert problems == []


STRUCTURAL = [name for name in EDITS if not name.startswith(("type", "put", "take", "rename"))]
SECOND = (
    *("sort by client", "sort descending", "insert a blank row", "insert a row", "delete an ordered row"),
    *("move a row up", "copy the idle row", "insert a column before all", "move a machine column"),
    *("insert a column before the first machine column", "move the key column", "delete an unbound column"),
)


LIMITS = {
    # the copy that is made of a hit row, before that row is mended, keeps a Status and an Updated at
    ("sort by client", 2, "copy the idle row"),
}


@pytest.mark.long
@pytest.mark.parametrize("first", STRUCTURAL)
def test_edits_at_two_writes_in_a_row(tmp_path: Path, first: str) -> None:
    """A second edit strikes the write that mends the first one's damage: all cells right in that run or the next."""
    problems, points = [], 0
    for second, nth in product(SECOND, (1, 2)):
        if (first, nth, second) in LIMITS:
            continue
        story = tell(tmp_path)
        # a copied mark meets the request that was ordered for the one it was copied from, and says so
        story.adopts_its_own = first.startswith("copy")
        if during(story, {nth: EDITS[first], nth + 1: EDITS[second]}):
            points += 1
            problems += [f"{first} before write {nth}, then {second}: {wrong}" for wrong in settled(story)]
    assert points >= 10
    assert problems == []


@pytest.mark.parametrize(
    "fault",
    cases(["lost_after", "garbled"], ()),
)
@pytest.mark.parametrize("name", EDITS)
def test_edit_at_a_write_whose_answer_is_lost(tmp_path: Path, name: str, fault: str) -> None:
    """With no answer to tell where the write landed, all cells are right in that run or the next all the same."""
    problems, points = [], 0
    for nth in (1, 2):
        story = tell(tmp_path)
        story.world.faults.add("sheets.batchUpdate", nth=nth, fault=fault)
        if during(story, {nth: EDITS[name]}):
            points += 1
            problems += [f"{name} before write {nth}, {fault}: {wrong}" for wrong in settled(story)]
    assert points == 2
    assert problems == []


@pytest.mark.parametrize("name", cases(EDITS, list(EDITS)[::7]))
def test_killed_just_after_an_edit_and_a_write(tmp_path: Path, name: str) -> None:
    """Killed before it could look where its write landed, the program puts everything right in the next runs."""
    problems, points = [], 0
    for nth in (1, 2):
        story = tell(tmp_path)
        writes = [n for n, kind in enumerate(kinds_of(tell(tmp_path / "x"))) if kind == "sheets.batchUpdate"]
        story.world.faults.edit("sheets.batchUpdate", nth=nth, do=lambda _, story=story: EDITS[name](story))
        assert story.killed(writes[nth - 1], "after") == "sheets.batchUpdate"
        story.restart()
        story.adopts_its_own = True
        points += 1
        story.later_run()
        problems += [f"{name} before write {nth}, killed after it: {wrong}" for wrong in settled(story)]
    assert points == 2
    assert problems == []
