"""Array formulas: what one cell's formula fills is seen in cells below and beside it, which hold nothing of their own.

The sandbox knows those that are a table of texts, such as `={"a";"b"}`. Where a cell in the way holds something, all
that spilled is gone, and the formula shows `#REF!`; the formula itself stays, and spills again once they are empty.
"""

from __future__ import annotations

import re
from typing import Protocol

from sheetsync.sandbox.google.cells import Cell, Formula, Spilled, with_value

_ARRAY = re.compile(r'=\{("[^"]*"(?:[,;]"[^"]*")*)\}')


class Grid(Protocol):
    """A sheet."""

    rows: list[list[Cell | None]]
    row_count: int
    column_count: int

    def cell(self, row: int, column: int) -> Cell | None: ...
    def put(self, row: int, column: int, cell: Cell | None) -> None: ...


def is_array(cell: Cell | None) -> bool:
    """Whether a formula stands in the cell that fills several."""
    return cell is not None and type(cell.value) is Formula and _ARRAY.fullmatch(cell.value) is not None


def settle(sheet: Grid) -> None:
    """Let everything that spills lie where it does by now."""
    arrays = []
    for row, line in enumerate(sheet.rows):
        for column, cell in enumerate(line):
            if cell is not None and type(cell.value) is Spilled:
                sheet.put(row, column, with_value(cell, None))
            elif cell is not None and is_array(cell):
                arrays.append((row, column, cell))
    for row, column, cell in arrays:
        _spill(sheet, row, column, cell)


def _spill(sheet: Grid, top: int, left: int, anchor: Cell) -> None:
    texts = [re.findall(r'"([^"]*)"', line) for line in str(anchor.value)[2:-1].split(";")]
    cells = {(top + down, left + across): text for down, line in enumerate(texts) for across, text in enumerate(line)}
    shown = cells.pop((top, left))
    beyond = any(row >= sheet.row_count or column >= sheet.column_count for row, column in cells)
    if beyond or any((held := sheet.cell(*place)) is not None and held.value is not None for place in cells):
        shown, cells = "#REF!", {}
    for place, text in cells.items():
        sheet.put(*place, with_value(sheet.cell(*place), Spilled(text)))
    # a cell is replaced, never changed: another copy of the sheet may hold it, too
    fresh = Cell(anchor.value, anchor.format, anchor.note, anchor.validation)
    fresh.shown = shown
    sheet.put(top, left, fresh)
