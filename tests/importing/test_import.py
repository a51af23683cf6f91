"""A file of a person's goes into columns of people, by key: nothing else is touched, whatever people and crashes do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest
from support.bench import PERSON, TAB, Bench
from support.fragile import Fragile
from support.profile import cases
from support.story import Crash

from sheetsync import columns
from sheetsync.importing.comparing import Preview
from sheetsync.importing.importing import Imported, Importer
from sheetsync.importing.table import read_table
from sheetsync.ledger.store import Ledger
from sheetsync.model import Snapshot
from sheetsync.sandbox import people
from sheetsync.sandbox.wire import ConnectionLost, Request
from sheetsync.sheet import requests

HEADERS = (*PERSON, "creator", "spend", *columns.MACHINE_KEYS, "conversions", "prompt")
VIDEOS = tuple(f"vid-{letter}" for letter in "abcdef")
FILE = "video_id,spend,conversions\n" + "".join(f"{video},{10 + n}.5,{n}\n" for n, video in enumerate(VIDEOS[:4]))
WANTED = {video: (10.5 + n, n) for n, video in enumerate(VIDEOS[:4])}
OURS = ("spend", "conversions", "updated_at")


def made(videos: tuple[str, ...] = VIDEOS) -> Bench:
    """Rows that people have filled; those of the file bear other numbers still, or none."""
    bench = Bench(videos, headers=[columns.header_of(key, {}) for key in HEADERS])
    for number, video in enumerate(videos):
        bench.type(video, "client", f"client {number % 3}")
        bench.type(video, "creator", f"@creator{number}")
        bench.type(video, "prompt", f"a prompt of {video}")
        bench.type(video, "spend", 7 if number == 1 else number)
    return bench


def importer(bench: Bench, ledger: Ledger | None = None) -> Importer:
    return Importer(bench.tracker, bench.api(), ledger or bench.ledger, bench.clock, "run")


def looked(bench: Bench) -> tuple[Importer, Snapshot, Preview]:
    table = read_table("week.csv", FILE.encode(), "video_id", ["spend", "conversions"], {})
    one = importer(bench)
    return one, *one.look(table, dry_run=False)


def imported(
    bench: Bench, text: str = FILE, between: Callable[[], object] = lambda: None, ledger: Ledger | None = None
) -> Imported:
    names = [name for name in text.split("\n")[0].split(",") if name != "video_id"]
    table = read_table("week.csv", text.encode(), "video_id", names, {})
    one = importer(bench, ledger)
    seen, preview = one.look(table, dry_run=False)
    between()
    return one.write(seen, preview)


def others(bench: Bench) -> dict[str, dict[str, Any]]:
    """What stands in every row but for what an import writes, by video."""
    at = bench.column("video_id")
    videos = [str(line[at]) for line in bench.table()[1:] if line[at] != ""]
    return {video: {key: cell for key, cell in bench.row(video).items() if key not in OURS} for video in videos}


def wrong(bench: Bench, before: dict[str, dict[str, Any]], wanted: dict[str, tuple[float, int]] = WANTED) -> list[str]:
    """What is not as it should be: a cell of the file that is not there, or any other that is not as it was."""
    there = others(bench)
    found = [f"{video}: {there[video]}, not {row}" for video, row in before.items() if there.get(video, row) != row]
    for video in there:
        number = VIDEOS.index(video) if video in VIDEOS else 1 if video == "vid-typed" else -1
        said = (bench.cell(video, "spend"), bench.cell(video, "conversions"))
        kept = (7 if number == 1 else number, "") if number >= 0 else ("", "")
        found += [f"{video}: says {said}"] if said != wanted.get(video, kept) else []
        is_stamped = bench.cell(video, "updated_at") != ""
        found += [f"{video}: stamped"] if is_stamped and video not in wanted else []
    numbers = {columns.normal(columns.header_of(key, {})) for key in OURS}
    names = [columns.normal(str(name)) for name in bench.table()[0]]
    for line in bench.table()[1:]:
        said_here = {name for name, cell in zip(names, line, strict=False) if cell != ""}
        found += [f"half a row: {line}"] if said_here and said_here <= numbers | {""} else []
    return found


def test_columns_are_filled_by_key() -> None:
    """Numbers as numbers, in the rows of the file alone; one read, one write; again it changes nothing."""
    bench = made()
    before = others(bench)
    assert imported(bench).written == 8
    assert wrong(bench, before) == []
    assert bench.kinds() == ["sheets.get", "values.batchGet", "sheets.batchUpdate"]
    again = bench.table()
    assert imported(bench).written == 0
    assert bench.table() == again
    assert bench.kinds().count("sheets.batchUpdate") == 1


def test_what_each_kind_of_column_holds() -> None:
    """Text is never parsed, a date is one in the sheet's own time, a box is ticked; an empty field changes nothing."""
    keys = ("video_id", "action", "client", "known_expiry", "post_live", *columns.MACHINE_KEYS, "prompt")
    bench = Bench(("vid-a",), [columns.header_of(key, {}) for key in keys], "America/New_York")
    bench.type("vid-a", "client", "Acme")
    imported(bench, 'video_id,prompt,known_expiry,post_live,client\nvid-a,"=1+1, twice",2026-08-01 12:00,yes,\n')
    assert bench.cell("vid-a", "prompt") == "=1+1, twice"
    assert bench.cell("vid-a", "known_expiry") == 46235.5
    assert bench.cell("vid-a", "post_live") is True
    assert bench.cell("vid-a", "client") == "Acme"


def test_a_cell_that_a_person_changed_since_the_preview() -> None:
    """It stays, and is named; all others are written."""
    bench = made()
    before = others(bench)
    report = imported(bench, between=lambda: (bench.later(minutes=1), bench.type("vid-b", "spend", 99)))
    (left,) = report.left
    assert (left.key, left.column, left.row) == ("vid-b", "spend", 3)
    assert left.why == "changed since the preview: it said '7' and says '99' now"
    assert report.written == 7
    assert wrong(bench, before, WANTED | {"vid-b": (99, 1)}) == []


def test_a_date_that_was_changed_is_told_as_people_see_it() -> None:
    """Not as the number that it is to a program."""
    bench = made()
    bench.type("vid-a", "known_expiry", 46235.5)
    text = "video_id,known_expiry\nvid-a,2026-09-01\n"
    report = imported(bench, text, lambda: (bench.later(minutes=1), bench.type("vid-a", "known_expiry", 46236)))
    said = "it said '2026-08-01 12:00' and says '2026-08-02 00:00' now"
    assert [left.why for left in report.left] == [f"changed since the preview: {said}"]


def test_a_row_or_a_column_that_is_gone_since_the_preview() -> None:
    """Named; the others are written."""
    bench = made()
    report = imported(
        bench, between=lambda: (bench.later(minutes=1), people.delete_row(bench.world, bench.book, TAB, "vid-a"))
    )
    assert {(left.key, left.row, left.why) for left in report.left} == {("vid-a", None, "its row is gone")}
    assert report.written == 6
    bench = made()
    report = imported(
        bench, between=lambda: (bench.later(minutes=1), people.delete_column(bench.world, bench.book, TAB, "Spend"))
    )
    assert {left.why for left in report.left} == {"its column is gone"}
    assert (report.written, bench.cell("vid-c", "conversions")) == (4, 2)


def test_rows_that_have_one_key() -> None:
    """Neither is written: it is not known which one is meant."""
    bench = made()
    bench.sheet.set_value(bench.line("vid-f"), bench.column("video_id"), "vid-a")
    one, seen, preview = looked(bench)
    assert [left.why for left in preview.left] == ["rows 2, 7 have the same Video ID: keep one of them"] * 2
    assert one.write(seen, preview).written == 6
    assert [bench.cell("vid-a", "spend", turn) for turn in (0, 1)] == [0, 5]


@pytest.mark.parametrize("key", ["spend", "updated_at"])
def test_cells_that_are_protected(key: str) -> None:
    """Google would refuse the whole write for one of them: they are left, and the others written."""
    bench = made()
    at, line = bench.column(key), bench.line("vid-c")
    area = {"sheetId": bench.sheet.sheet_id, "startRowIndex": line, "endRowIndex": line + 1}
    area |= {"startColumnIndex": at, "endColumnIndex": at + 1}
    held = {"protectedRangeId": 7, "range": area, "editors": {"users": [bench.book.owner]}}
    bench.sheet.attached["protectedRanges"] = [held]
    bench.sheet.touch()
    one, seen, preview = looked(bench)
    assert {(left.key, left.row) for left in preview.left} == {("vid-c", 4)}
    assert one.write(seen, preview).written == (7 if key == "spend" else 6)
    assert bench.cell("vid-c", "spend") == 2


def test_cells_under_a_merged_one() -> None:
    """What is written there would be swallowed."""
    bench = made()
    at = bench.column("conversions")
    area = {"sheetId": bench.sheet.sheet_id, "startRowIndex": 1, "endRowIndex": 3}
    merge = {"range": {**area, "startColumnIndex": at, "endColumnIndex": at + 1}, "mergeType": "MERGE_ALL"}
    bench.api().update(bench.book.id, {"requests": [{"mergeCells": merge}]}, "spreadsheetId")
    one, seen, preview = looked(bench)
    assert [(left.key, left.why) for left in preview.left] == [("vid-b", "it lies under a merged cell: unmerge it")]
    assert one.write(seen, preview).written == 7


def test_a_typed_column_that_does_not_take_it() -> None:
    """What Google refuses is told in its words, and nothing was written."""
    bench = made()
    bench.world.google.refuses = "typed_column"
    before = bench.table()
    report = imported(bench)
    assert report.written == 0
    assert report.unverified == set(WANTED)
    assert "refused a write" in str(report.refusal)
    assert bench.table() == before


def test_a_sync_after_it_changes_nothing() -> None:
    """What was written is people's: a sync leaves it, and the ledger owes nothing."""
    bench = made()
    imported(bench)
    before = bench.table()
    report = bench.sync()
    assert (report.exit_code, report.cells_written) == (0, 0)
    assert bench.table() == before


# --- people between its read and its write, and kills --------------------------------------------------------------


def sort_rows(bench: Bench) -> None:
    people.sort_rows(bench.world, bench.book, TAB, "Video ID", descending=True)


def sort_by_what_is_written(bench: Bench) -> None:
    people.sort_rows(bench.world, bench.book, TAB, "Spend")


def insert_row(bench: Bench) -> None:
    people.insert_row(bench.world, bench.book, TAB, 2)


def insert_row_of_a_video(bench: Bench) -> None:
    people.insert_row(bench.world, bench.book, TAB, 3, {"Video ID": "vid-new", "Client": "client new"})


def delete_row(bench: Bench) -> None:
    people.delete_row(bench.world, bench.book, TAB, "vid-b")


def delete_another_row(bench: Bench) -> None:
    people.delete_row(bench.world, bench.book, TAB, "vid-f")


def insert_column(bench: Bench) -> None:
    people.insert_column(bench.world, bench.book, TAB, "Spend")


def insert_column_before_all(bench: Bench) -> None:
    people.insert_column(bench.world, bench.book, TAB, "Video ID")


def move_column(bench: Bench) -> None:
    people.move_column(bench.world, bench.book, TAB, "Conversions", "Client")


def retype_a_key(bench: Bench) -> None:
    if "vid-b" in others(bench):
        people.overwrite(bench.world, bench.book, TAB, "vid-b", "Video ID", "vid-typed")


def move_row(bench: Bench) -> None:
    people.move_row(bench.world, bench.book, TAB, "vid-d", 2)


PEOPLE = [
    sort_rows,
    sort_by_what_is_written,
    insert_row,
    insert_row_of_a_video,
    delete_row,
    delete_another_row,
    insert_column,
    insert_column_before_all,
    move_column,
    move_row,
    retype_a_key,
]


def at_write(bench: Bench, do: Callable[[Bench], None], moment: str = "before", nth: int = 1) -> None:
    """Somebody does something in the instant of the nth write."""
    writes = [nth]

    def hook(when: str, index: int, kind: str, request: Request) -> None:
        if kind == "sheets.batchUpdate" and when == moment:
            writes[0] -= 1
            if writes[0] == 0:
                do(bench)

    bench.world.hooks.append(hook)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("do", PEOPLE)
def test_people_between_read_and_write(do: Callable[[Bench], None], moment: str) -> None:
    """Each number stands in the row of its video, under its header, and nothing else has changed."""
    bench = made()
    before = others(bench)
    at_write(bench, do, moment)
    report = imported(bench)
    assert report.unverified == frozenset()
    # a Video ID that is typed over later takes with it what its row says
    typed_later = {"vid-typed": WANTED["vid-b"]} if moment == "after" else {}
    assert wrong(bench, before, WANTED | typed_later) == []
    assert imported_rest(bench).written == 0


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("do", PEOPLE)
def test_people_between_two_of_its_calls(
    do: Callable[[Bench], None], nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is where a write takes several calls, and rows move between them."""
    monkeypatch.setattr(requests, "CELLS_PER_WRITE", 6)
    bench = made()
    before = others(bench)
    at_write(bench, do, nth=nth)
    assert imported(bench).unverified == frozenset()
    assert wrong(bench, before, WANTED | ({"vid-typed": WANTED["vid-b"]} if nth == 2 else {})) == []


def imported_rest(bench: Bench) -> Imported:
    """The file again, without the lines of rows that people have deleted."""
    there = others(bench)
    lines = FILE.splitlines(keepends=True)
    return imported(bench, "".join(line for line in lines if line.split(",")[0] in {"video_id", *there}))


@pytest.mark.parametrize(("after", "cells"), [("import", 6400), pytest.param("sync", 6, marks=pytest.mark.long)])
@pytest.mark.parametrize("moment", cases(["before", "after"], ["after"]))
@pytest.mark.parametrize("do", cases(PEOPLE, PEOPLE[::3]))
def test_killed_at_every_call_while_people_move(
    do: Callable[[Bench], None], moment: str, after: str, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before or after any call: another import comes to the whole; a sync leaves nothing that is wrong."""
    monkeypatch.setattr(requests, "CELLS_PER_WRITE", cells)
    problems, points = [], 0
    for at in range(40):
        bench = made()
        before = others(bench)
        at_write(bench, do)

        def kill(when: str, index: int, kind: str, request: Request, at: int = at) -> None:
            if index == at and when == moment:
                raise Crash

        bench.world.hooks.append(kill)
        try:
            imported(bench)
        except Crash:
            points += 1
        else:
            break
        finally:
            bench.world.hooks.clear()
        bench.later(minutes=5)
        if after == "sync":
            assert bench.sync().exit_code == 0
            problems += [f"killed {moment} call {at}, after sync: {what}" for what in astray(bench, before)]
        imported_rest(bench)
        problems += [f"killed {moment} call {at}: {what}" for what in wrong(bench, before)]
    assert points >= 3
    assert problems == []


@pytest.mark.parametrize("moment", cases(["before", "after"], ["after"]))
@pytest.mark.parametrize("do", cases(PEOPLE, PEOPLE[::3]))
def test_killed_between_two_commits_while_people_move(do: Callable[[Bench], None], moment: str) -> None:
    """Killed before or after the ledger has taken down what is being written: the next import comes to the whole."""
    problems, struck = [], list[str]()
    for at in range(20):
        bench = made()
        before = others(bench)
        at_write(bench, do)
        fragile = Fragile(bench.ledger, at, moment)
        with suppress(Crash):
            imported(bench, ledger=cast(Ledger, fragile))
        bench.world.hooks.clear()
        if not fragile.struck:
            break
        struck.append(fragile.struck)
        bench.later(minutes=5)
        imported_rest(bench)
        problems += [f"killed {moment} commit {at}, {struck[-1]}: {what}" for what in wrong(bench, before)]
    assert {"begin_write", "end_write"} <= set(struck)
    assert problems == []


def astray(bench: Bench, before: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong whether or not the killed import had come to a row."""
    wanted = {}
    for video, numbers in WANTED.items():
        if video in others(bench):
            said = (bench.cell(video, "spend"), bench.cell(video, "conversions"))
            number = VIDEOS.index(video)
            old = (7 if number == 1 else number, "")
            wanted[video] = old if said == old else numbers
    return wrong(bench, before, wanted)


def lose(bench: Bench) -> None:
    raise ConnectionLost("lost")


@pytest.mark.parametrize("cells", [6400, 6])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_lost_answer(moment: str, nth: int, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for, and written where it is not found; so it is for the second of two calls, after a sort."""
    monkeypatch.setattr(requests, "CELLS_PER_WRITE", cells)
    bench = made()
    before = others(bench)
    at_write(bench, sort_rows)
    at_write(bench, lose, moment, nth)
    imported(bench)
    assert wrong(bench, before) == []


def test_a_second_call_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google did nothing of it: what the first one wrote stands, and the rest is written in the next round."""
    monkeypatch.setattr(requests, "CELLS_PER_WRITE", 6)
    bench = made()
    before = others(bench)
    at_write(bench, lambda bench: setattr(bench.world.google, "refuses", "typed_column"), nth=2)
    at_write(bench, lambda bench: setattr(bench.world.google, "refuses", ""), "after", nth=2)
    assert imported(bench).written == 8
    assert wrong(bench, before) == []


def test_many_rows() -> None:
    """5,000 rows: one read, and three writes of two columns with the time of their change, about 1 MB each."""
    videos = tuple(f"vid-{number}" for number in range(5000))
    bench = Bench(headers=[columns.header_of(key, {}) for key in HEADERS])
    bench.sheet.row_count = len(videos) + 1
    creator = bench.column("creator")
    for line, video in enumerate(videos, start=1):
        bench.sheet.set_value(line, 0, video)
        bench.sheet.set_value(line, creator, f"@c{line}")
    text = "video_id,spend,conversions\n" + "".join(f"{video},{n}.25,{n}\n" for n, video in enumerate(videos))
    sizes: list[int] = []
    bench.world.hooks.append(lambda when, at, kind, request: sizes.append(len(request.body or b"")))
    assert imported(bench, text).written == 10_000
    assert bench.kinds() == ["sheets.get", "values.batchGet", *["sheets.batchUpdate"] * 3]
    assert max(sizes) < 2_000_000
    assert [bench.cell(video, "spend") for video in ("vid-0", "vid-4999")] == [0.25, 4999.25]


# the limit that the room's README names: a key typed over while rows move, too
TWICE = [do for do in PEOPLE if do is not retype_a_key]


@pytest.mark.long
@pytest.mark.parametrize("cells", [6400, 6])
@pytest.mark.parametrize("first", TWICE)
def test_people_at_two_writes_in_a_row(
    first: Callable[[Bench], None], cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one strikes the write that mends what the first one has done: right in that import or the next."""
    monkeypatch.setattr(requests, "CELLS_PER_WRITE", cells)

    def at_second(bench: Bench) -> None:
        with suppress(LookupError):  # what it needs is no longer there
            second(bench)

    problems = []
    for second in TWICE:
        bench = made()
        before = others(bench)
        at_write(bench, first)
        at_write(bench, at_second, nth=2)
        imported(bench)
        bench.later(minutes=5)
        imported_rest(bench)
        problems += [f"{first.__name__}, {second.__name__}: {what}" for what in wrong(bench, before)]
    assert problems == []
