"""PURE: which cells differ from what they should say, and which writes landed in the wrong place.

Google Sheets has no conditional write (Sheets reference 3.2): between our read and our write, people may sort,
insert or delete. So each write asks, in the same atomic call, for the headers and keys as they stood when it
landed; this module compares, and says what to put back. Knows no network, file, clock or log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sheetsync.columns import key_text, normal, rows_of, says
from sheetsync.model import Scalar, Snapshot
from sheetsync.projection import Target

CellValue = str | int | float | bool | datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """One cell to write. `line` is the row number, `column` 0-based, `key` the video id that should stand there."""

    line: int
    column: int
    key: str
    value: CellValue


@dataclass(frozen=True, slots=True)
class Landed:
    """Headers and keys as they stood when a write landed; `keys` is None where the key column had moved."""

    headers: Sequence[Scalar]
    keys: Mapping[int, Scalar] | None


def cell_at(snapshot: Snapshot, line: int, column: int) -> Scalar:
    """A cell of the grid; beyond its end, empty."""
    cells = snapshot.grid[line - 1] if 0 < line <= len(snapshot.grid) else ()
    return cells[column] if 0 <= column < len(cells) else ""


def key_at(snapshot: Snapshot, line: int) -> str:
    """The video id that stands in a line."""
    return key_text(cell_at(snapshot, line, snapshot.columns["video_id"]))


def edits(snapshot: Snapshot, targets: Iterable[Target], now: datetime) -> tuple[Edit, ...]:
    """The difference between what the cells should say and what they say.

    `Updated at` goes with every change of a row and never alone. It also makes a row's write recognisable, should
    its answer be lost.
    """
    found: list[Edit] = []
    for target in targets:
        changes = [
            _edit(snapshot, target, column, value)
            for column, value in target.values.items()
            if not says(target.row.cells.get(column, ""), value, snapshot.time_zone)
        ]
        if target.clear_mark:
            changes.append(_edit(snapshot, target, "action", ""))
        if changes:
            found += [*changes, _edit(snapshot, target, "updated_at", now)]
    return tuple(found)


def _edit(snapshot: Snapshot, target: Target, column: str, value: CellValue) -> Edit:
    return Edit(target.row.number, snapshot.columns[column], target.row.key, value)


def landed_right(written: Iterable[Edit], landed: Landed, before: Snapshot) -> bool:
    """Whether every cell landed in the row of its key and under its header."""
    return not any(_is_astray(edit, landed, before) for edit in written)


def _is_astray(edit: Edit, landed: Landed, before: Snapshot) -> bool:
    if landed.keys is None:
        return True
    same_row = key_text(landed.keys.get(edit.line, "")) == edit.key
    return not (same_row and _header(landed.headers, edit.column) == _header(before.headers, edit.column))


def _header(headers: Sequence[Scalar], column: int) -> str:
    return normal(headers[column]) if column < len(headers) else ""


def astray(written: Sequence[Edit], landed: Landed | None, before: Snapshot, after: Snapshot) -> tuple[Edit, ...]:
    """What to put back after a write: cells that were hit by mistake, with what they said before.

    `before` is the read that the write was made from, `after` a read made since. With `landed` the place of each
    cell is known; without it (the answer was lost, or the run was killed) a row counts as hit only where it carries
    all that was written for another key. A cell that somebody has changed since is left alone.
    """
    meant = {(edit.key, _header(before.headers, edit.column)): edit.value for edit in written}
    put_back: dict[tuple[int, int], Edit] = {}
    for edit, key, header, line, column in _misplaced(written, landed, before, after):
        if meant.get((key, header)) == edit.value:
            # two rows were given the same value and have changed places: it stands where it should
            continue
        was = _cell_before(before, after, key, header, line)
        if _holds(after, line, column, edit.value) and cell_at(after, line, column) != was:
            put_back[line, column] = Edit(line, column, key, was)
    return tuple(put_back.values())


def mended(snapshot: Snapshot, put_back: Sequence[Edit]) -> Snapshot:
    """The sheet as it will be once everything is put back."""
    if not put_back:
        return snapshot
    grid = [list(line) for line in snapshot.grid]
    for edit in put_back:
        line = grid[edit.line - 1]
        line.extend([""] * (edit.column + 1 - len(line)))
        if not isinstance(edit.value, datetime):  # what stood in a cell is a scalar
            line[edit.column] = edit.value
    cells = tuple(tuple(line) for line in grid)
    return replace(snapshot, grid=cells, rows=rows_of(cells, snapshot.columns))


def _misplaced(
    written: Sequence[Edit], landed: Landed | None, before: Snapshot, after: Snapshot
) -> Iterator[tuple[Edit, str, str, int, int]]:
    """Each cell that went astray: the edit, the key and header it hit, and where these stand in `after`."""
    for line, group in groupby(sorted(written, key=lambda edit: edit.line), key=lambda edit: edit.line):
        cells = list(group)
        if landed is not None and landed.keys is not None:
            hits = [(edit, key_text(landed.keys.get(line, "")), line, landed.headers) for edit in cells]
        else:
            hits = [
                (edit, key_at(after, at), at, after.headers)
                for at in _lines_hit(cells, before, after)
                for edit in cells
            ]
        for edit, key, at, headers in hits:
            header = _header(headers, edit.column)
            if key == edit.key and header == _header(before.headers, edit.column):
                continue
            column = _column_of(after, header, edit.column)
            if column >= 0:
                yield from ((edit, key, header, place, column) for place in _lines_of(after, key, at))


def _lines_hit(cells: Sequence[Edit], before: Snapshot, after: Snapshot) -> list[int]:
    """Lines that carry all that was written for one row: under another key, or under other headers."""
    moved = any(_header(before.headers, e.column) != _header(after.headers, e.column) for e in cells)
    lines = [cells[0].line] if moved else range(2, len(after.grid) + 1)
    return [line for line in lines if _carries(after, line, cells) and (moved or key_at(after, line) != cells[0].key)]


def _carries(after: Snapshot, line: int, cells: Sequence[Edit]) -> bool:
    return all(_holds(after, line, edit.column, edit.value) for edit in cells) and any(e.value != "" for e in cells)


def _lines_of(after: Snapshot, key: str, line: int) -> list[int]:
    """Where a key stands now; a row without a key can only be found where it was."""
    if not key:
        return [line] if key_at(after, line) == "" else []
    return [row.number for row in after.rows if row.key == key]


def _column_of(after: Snapshot, header: str, column: int) -> int:
    """Where a header stands now; a column without one can only be found where it was."""
    if _header(after.headers, column) == header:
        return column
    return next((i for i, name in enumerate(after.headers) if header and normal(name) == header), -1)


def _cell_before(before: Snapshot, after: Snapshot, key: str, header: str, line: int) -> Scalar:
    """What stood under a key and a header before the write; where there was no such cell, nothing did."""
    column = next((i for i, name in enumerate(before.headers) if header and normal(name) == header), -1)
    lines = [row.number for row in before.rows if key and row.key == key]
    if not lines:
        return ""
    # of rows with one key, the n-th is taken for the n-th
    turn = [row.number for row in after.rows if row.key == key].index(line)
    return cell_at(before, lines[min(turn, len(lines) - 1)], column)


def _holds(snapshot: Snapshot, line: int, column: int, value: CellValue) -> bool:
    """Whether a cell holds what was written to it; put-back cells may be any scalar."""
    cell = cell_at(snapshot, line, column)
    if isinstance(value, bool | float):
        return type(cell) is type(value) and cell == value
    return says(cell, value, snapshot.time_zone)


# --- the journal: a write that was begun and whose end nobody saw ---------------------------------------------


def to_journal(written: Sequence[Edit], before: Snapshot) -> str:
    """A write about to be sent, with all that is needed to put back what it may hit."""
    cells = [
        [e.line, e.column, e.key, e.value.isoformat() if isinstance(e.value, datetime) else e.value,
         isinstance(e.value, datetime)]
        for e in written
    ]  # fmt: skip
    return json.dumps(
        {
            "edits": cells,
            "grid": before.grid,
            "columns": dict(before.columns),
            "time_zone": before.time_zone,
            "read_at": before.read_at.isoformat(),
        },
        ensure_ascii=False,
    )


def from_journal(text: str) -> tuple[tuple[Edit, ...], Snapshot]:
    """A write that a killed run had begun, and the read it was made from."""
    data = json.loads(text)
    written = tuple(
        Edit(line, column, key, datetime.fromisoformat(value) if is_date else value)
        for line, column, key, value, is_date in data["edits"]
    )
    grid = tuple(tuple(line) for line in data["grid"])
    before = Snapshot(
        sheet_id=0,
        title="",
        time_zone=data["time_zone"],
        columns=data["columns"],
        rows=rows_of(grid, data["columns"]),
        grid=grid,
        read_at=datetime.fromisoformat(data["read_at"]),
    )
    return written, before
