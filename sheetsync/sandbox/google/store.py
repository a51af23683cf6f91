"""A book as JSON and back, for the sandbox's state file.

A sheet's rows are written in blocks, each a piece of JSON by itself. In a block, equal cells are written once, and
equal rows in a row once with their number: formatted empty rows are many.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from typing import Any

from sheetsync.sandbox.google import spills
from sheetsync.sandbox.google.cells import Cell, Formula, Spilled
from sheetsync.sandbox.google.grid import Row, Sheet, Spreadsheet

Json = dict[str, Any]
Key = tuple[str, int, int]
Keep = Callable[[Key, list[Row], bool], Json]
"""Makes JSON of a block of rows: given book, sheet and number of the block, its rows, and whether it is a full one."""

BLOCK = 2000

_BOOK = (
    "title",
    "time_zone",
    "locale",
    "auto_recalc",
    "owner",
    "is_strict",
    "named_ranges",
    "metadata",
    "version",
    "ids",
)
_SHEET = (
    "sheet_id",
    "title",
    "row_count",
    "column_count",
    "properties",
    "grid_properties",
    "row_properties",
    "column_properties",
    "attached",
    "basic_filter",
    "version",
)


def dump_rows(rows: list[Row]) -> Json:
    """Some rows as JSON."""
    cells: dict[Cell | None, int] = {None: 0}
    lines: list[list[Any]] = []
    for row in rows:
        numbers = [cells.setdefault(cell, len(cells)) for cell in row]
        if lines and lines[-1][1] == numbers:
            lines[-1][0] += 1
        else:
            lines.append([1, numbers])
    return {"cells": [_dump_cell(cell) for cell in cells if cell is not None], "rows": lines}


def dump_book(book: Spreadsheet, keep: Keep = lambda _, rows, __: dump_rows(rows)) -> Json:
    """A book as JSON."""
    return {
        "id": book.id,
        **{name: copy(getattr(book, name)) for name in _BOOK},
        "shared_with": sorted(book.shared_with),
        "viewers": sorted(book.viewers),
        "created": book.created.isoformat(),
        "modified": book.modified.isoformat(),
        "sheets": [_dump_sheet(sheet, keep) for sheet in book.sheets],
    }


def restore_book(
    data: Json, now: Callable[[], datetime], read: Callable[[Json], Json] = lambda held: held
) -> Spreadsheet:
    """A book from what `dump_book` gave; `read` gives the rows that `keep` put away."""
    book = Spreadsheet(data["id"], data["title"], data["time_zone"], now)
    book.sheets = [_restore_sheet(book, held, read) for held in data["sheets"]]
    for name in _BOOK:
        # what an earlier version did not keep is as in a new book
        setattr(book, name, data.get(name, getattr(book, name)))
    book.shared_with, book.viewers = set(data["shared_with"]), set(data["viewers"])
    book.created = datetime.fromisoformat(data["created"])
    book.modified = datetime.fromisoformat(data["modified"])
    return book


def _dump_sheet(sheet: Sheet, keep: Keep) -> Json:
    blocks = [sheet.rows[at : at + BLOCK] for at in range(0, len(sheet.rows), BLOCK)]
    key = (sheet.book.id, sheet.sheet_id)
    kept = [keep((*key, number), rows, len(rows) == BLOCK) for number, rows in enumerate(blocks)]
    copied = {name: copy(getattr(sheet, name)) for name in _SHEET}
    copied["attached"] = {name: lying[:] for name, lying in sheet.attached.items()}
    return {**copied, "blocks": kept}


def _restore_sheet(book: Spreadsheet, data: Json, read: Callable[[Json], Json]) -> Sheet:
    sheet = Sheet(book, data["sheet_id"], data["title"], data["row_count"], data["column_count"])
    for name in _SHEET:
        setattr(sheet, name, data[name])
    # what an earlier version kept was one block
    for held in map(read, data.get("blocks", [data])):
        cells: list[Cell | None] = [None, *map(_restore_cell, held["cells"])]
        for count, numbers in held["rows"]:
            for _ in range(count):
                sheet.put_part(len(sheet.rows), 0, [cells[number] for number in numbers])
    if sheet.has_arrays:
        spills.settle(sheet)
    return sheet


def _dump_cell(cell: Cell) -> list[Any]:
    # what spills into a cell is nothing of its own
    value = None if isinstance(cell.value, Spilled) else cell.value
    return [value, isinstance(cell.value, Formula), cell.format, cell.note, cell.validation, cell.extra]


def _restore_cell(held: list[Any]) -> Cell:
    value, formula, *rest = held
    return Cell(Formula(value) if formula else value, *rest)
