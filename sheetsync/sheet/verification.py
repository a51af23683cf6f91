"""PURE: which cells differ from what they should say, and whether a write landed where it should.

Google Sheets has no conditional write (Sheets reference 3.2): between our read and our write, people may sort,
insert or delete. So each write asks, in the same atomic call, for the headers and lines as they stood when it
landed. What a write that went astray owes the sheet is `repair.py`'s. Knows no network, file, clock or log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sheetsync.columns import key_text, normal, rows_of, says
from sheetsync.model import Scalar, Snapshot
from sheetsync.projection.cells import Target
from sheetsync.sheet.matching import bests, content, key_header, machine_headers

CellValue = str | int | float | bool | datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """One cell to write. `line` is the row number, `column` 0-based, `key` the video id that should stand there.

    With `was`, the cell is emptied only if it says just that (Sheets `findReplace`: the one compare-and-set that
    Google has). A mark is cleared so: it can hit no other cell, and no mark that was made in the meantime.
    """

    line: int
    column: int
    key: str
    value: CellValue
    was: str = ""


@dataclass(frozen=True, slots=True)
class Landed:
    """The header line and the written lines as they stood when a write landed, in the same atomic call."""

    headers: Sequence[Scalar]
    lines: Mapping[int, Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Sent:
    """One write: its edits, where they landed (None: nobody saw), and the read that they were made from."""

    edits: tuple[Edit, ...]
    landed: Landed | None
    before: Snapshot


def cell_at(snapshot: Snapshot, line: int, column: int) -> Scalar:
    """A cell of the grid; beyond its end, empty."""
    return _cell(snapshot.grid[line - 1] if 0 < line <= len(snapshot.grid) else (), column)


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
            mark = str(target.row.cells.get("action", ""))
            changes.append(replace(_edit(snapshot, target, "action", ""), was=mark))
        if changes:
            found += [*changes, _edit(snapshot, target, "updated_at", now)]
    return tuple(found)


def _edit(snapshot: Snapshot, target: Target, column: str, value: CellValue) -> Edit:
    return Edit(target.row.number, snapshot.columns[column], target.row.key, value)


def landed_right(written: Iterable[Edit], landed: Landed, before: Snapshot) -> bool:
    """Whether every cell landed in the row of its key and under its header, and every mark was cleared."""
    at, edits = _key_column(landed.headers, before), tuple(written)
    return (
        at >= 0
        and all(
            key_text(_cell(landed.lines.get(edit.line, ()), at)) == edit.key
            and header_at(landed.headers, edit.column) == header_at(before.headers, edit.column)
            and not (edit.was and _cell(landed.lines[edit.line], edit.column) == edit.was)
            for edit in edits
        )
        and _are_their_twins({edit.line for edit in edits}, landed, before)
    )


def _are_their_twins(lines: Iterable[int], landed: Landed, before: Snapshot) -> bool:
    """Whether, of several rows with one key, it is the meant one that a line holds: they may have changed places."""
    keys = {line: key_at(before, line) for line in lines}
    twins: dict[str, list[int]] = {key: [] for key in keys.values()}
    for row in before.rows:
        if row.key in twins:
            twins[row.key].append(row.number)
    ours = machine_headers(before)
    for line, key in keys.items():
        numbers = twins[key]
        if len(numbers) > 1:
            found = content(landed.headers, landed.lines[line], ours)
            said = {n: content(before.headers, before.grid[n - 1], ours) for n in numbers}
            best = bests(found, said, key_header(before))
            if best and line not in best:
                return False
    return True


def _key_column(headers: Sequence[Scalar], before: Snapshot) -> int:
    """Where the key's header stands; -1 if it is gone."""
    name = key_header(before)
    return next((index for index, header in enumerate(headers) if normal(header) == name), -1)


def header_at(headers: Sequence[Scalar], column: int) -> str:
    """A header for comparison; empty where there is none."""
    return normal(_cell(headers, column))


def _cell(line: Sequence[Scalar], column: int) -> Scalar:
    return line[column] if 0 <= column < len(line) else ""


def holds(snapshot: Snapshot, line: int, column: int, value: CellValue, time_zone: str) -> bool:
    """Whether a cell holds what was written to it; cells that were put back may hold any scalar."""
    cell = cell_at(snapshot, line, column)
    if isinstance(value, bool | float):
        return isinstance(cell, bool) == isinstance(value, bool) and cell == value
    return says(cell, value, time_zone)


# --- the journal: a write that was begun and whose end nobody saw ---------------------------------------------


def to_journal(rounds: Iterable[Sent]) -> str:
    """Writes that are not known to stand where they should, with all that is needed to put back what they hit."""
    return json.dumps([_round_to_json(sent) for sent in rounds], ensure_ascii=False)


def _round_to_json(sent: Sent) -> dict[str, object]:
    before = sent.before
    return {
        "edits": [
            [e.line, e.column, e.key, e.value.isoformat(), True, e.was]
            if isinstance(e.value, datetime)
            else [e.line, e.column, e.key, e.value, False, e.was]
            for e in sent.edits
        ],
        "grid": before.grid,
        "columns": dict(before.columns),
        "time_zone": before.time_zone,
        "read_at": before.read_at.isoformat(),
        "landed": sent.landed and {"headers": sent.landed.headers, "lines": [*sent.landed.lines.items()]},
    }


def from_journal(text: str) -> tuple[Sent, ...]:
    """The writes of a run that was killed, and the reads they were made from. Where they landed nobody saw."""
    return tuple(_round_from_json(data) for data in json.loads(text))


def _round_from_json(data: Mapping[str, Any]) -> Sent:
    edits = tuple(
        Edit(line, column, key, datetime.fromisoformat(value) if is_date else value, was)
        for line, column, key, value, is_date, was in data["edits"]
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
    landed = data["landed"] and Landed(data["landed"]["headers"], dict(data["landed"]["lines"]))
    return Sent(edits, landed, before)
