"""Lines of which the text is kept say what they said, and a row that tells of nothing is the same row, later."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SHEET, snapshot

from sheetsync.columns import BY_KEY, MACHINE_KEYS, rows_of
from sheetsync.lines import TELLING, Lines, RowMaker, as_lines
from sheetsync.model import Known, Lock, Scalar
from sheetsync.projection.concerned import concerned

HEADERS = tuple(column.header for column in BY_KEY.values())
COLUMNS = {key: at for at, key in enumerate(BY_KEY)}
CELLS = st.sampled_from(["", "", "", "", "vid-a", 7, 0, False, 1.5, " ", "https://t.com/1"])
LINES = st.lists(st.lists(CELLS, max_size=len(HEADERS)).map(tuple), max_size=6)
LOCK = Lock(2, 3, 0, 2)


def read(lines: list[tuple[Scalar, ...]], locks: tuple[Lock, ...] = ()) -> tuple[RowMaker, Lines]:
    maker = RowMaker(lambda _: COLUMNS, locks)
    return maker, Lines([maker.keep(list(line), json.dumps(line)) for line in (HEADERS, *lines)])


@settings(max_examples=300, deadline=None)
@given(lines=LINES, is_locked=st.booleans())
def test_rows_and_lines_are_those_that_were_read(lines: list[tuple[Scalar, ...]], is_locked: bool) -> None:
    """Whatever was kept of a line, its cells, key and mark are the same; only what tells of nothing is plain."""
    locks = (LOCK,) if is_locked else ()
    maker, kept = read(lines, locks)
    grid = (HEADERS, *lines)
    assert kept == grid
    assert kept[1:] == grid[1:]
    texts = (b"".join(each.to_json()) for each in (kept, as_lines(grid)))
    assert [json.loads(text) for text in texts] == [json.loads(json.dumps(grid))] * 2
    assert b"".join(Lines([]).to_json()) == b"[]"
    rows = rows_of(grid, COLUMNS, locks)
    assert tuple(maker.rows) == rows
    for row, other in zip(maker.rows, rows, strict=True):
        assert (row.mark, row.shown_id, dict(row.cells)) == (other.mark, other.shown_id, dict(other.cells))
        assert row.is_plain == (other.cells.keys().isdisjoint(TELLING) and not other.locked)


def test_every_machine_cell_and_every_mark_tells() -> None:
    """A column that is added to these has to be looked at by a run."""
    assert {*MACHINE_KEYS, "action"} <= set(TELLING)


def test_rows_of_a_video_that_is_known_or_told_of_elsewhere_are_concerned() -> None:
    """A row that tells of nothing is looked into where its video is known, or where a duplicate of it tells."""
    wide = {"status": "in_review"}
    lines: list[tuple[Scalar, ...]] = [
        tuple({**{"video_id": key}, **cells}.get(column, "") for column in BY_KEY)
        for key, cells in (("vid-a", {}), ("vid-b", {}), ("vid-b", wide), ("vid-c", {}), ("", {"client": "Acme"}))
    ]
    maker, _ = read(lines)
    assert [row.number for row in concerned(maker.rows, Known())] == [3, 4]
    assert [row.number for row in concerned(maker.rows, Known(opening={"vid-a": 7}))] == [2, 3, 4]
    assert [row.number for row in concerned(maker.rows, Known(), {"vid-c", ""})] == [3, 4, 5]


def test_rows_that_nobody_sorted_out_are_all_concerned() -> None:
    """Rows made of cells, as repairs make them, are looked into."""
    sheet = snapshot(("vid-a",) + ("",) * (len(SHEET) - 1))
    assert concerned(sheet.rows, Known()) == list(sheet.rows)
