"""A book as JSON and back, for the sandbox's state file.

Equal cells are written once, and equal rows in a row once with their number: formatted empty rows are many.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import datetime
from typing import Any

from sheetsync.sandbox.google import spills
from sheetsync.sandbox.google.cells import Cell, Formula, Spilled
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet

Json = dict[str, Any]

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


def dump_book(book: Spreadsheet) -> Json:
    """A book as JSON."""
    return {
        "id": book.id,
        **{name: copy(getattr(book, name)) for name in _BOOK},
        "shared_with": sorted(book.shared_with),
        "viewers": sorted(book.viewers),
        "created": book.created.isoformat(),
        "modified": book.modified.isoformat(),
        "sheets": [_dump_sheet(sheet) for sheet in book.sheets],
    }


def restore_book(data: Json, now: Callable[[], datetime]) -> Spreadsheet:
    """A book from what `dump_book` gave."""
    book = Spreadsheet(data["id"], data["title"], data["time_zone"], now)
    book.sheets = [_restore_sheet(book, held) for held in data["sheets"]]
    for name in _BOOK:
        # what an earlier version did not keep is as in a new book
        setattr(book, name, data.get(name, getattr(book, name)))
    book.shared_with, book.viewers = set(data["shared_with"]), set(data["viewers"])
    book.created = datetime.fromisoformat(data["created"])
    book.modified = datetime.fromisoformat(data["modified"])
    return book


def _dump_sheet(sheet: Sheet) -> Json:
    cells: dict[Cell | None, int] = {None: 0}
    rows: list[list[Any]] = []
    for line in sheet.rows:
        numbers = [cells.setdefault(cell, len(cells)) for cell in line]
        if rows and rows[-1][1] == numbers:
            rows[-1][0] += 1
        else:
            rows.append([1, numbers])
    held = [_dump_cell(cell) for cell in cells if cell is not None]
    copied = {name: copy(getattr(sheet, name)) for name in _SHEET}
    copied["attached"] = {name: lying[:] for name, lying in sheet.attached.items()}
    return {**copied, "cells": held, "rows": rows}


def _restore_sheet(book: Spreadsheet, data: Json) -> Sheet:
    sheet = Sheet(book, data["sheet_id"], data["title"], data["row_count"], data["column_count"])
    for name in _SHEET:
        setattr(sheet, name, data[name])
    cells: list[Cell | None] = [None, *(_restore_cell(held) for held in data["cells"])]
    at = 0
    for count, numbers in data["rows"]:
        for _ in range(count):
            sheet.put_part(at, 0, [cells[number] for number in numbers])
            at += 1
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
