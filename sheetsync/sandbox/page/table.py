"""One tab of a spreadsheet as an HTML table: a grid that the page's script makes into something to type into.

Owns what a cell says of itself (ids, what was typed, dropdowns, warnings) and how far its text runs. Does not own
colours and fonts (look.py), the page round it (page.py), nor what keys and mouse do (grid.js, editor.js).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from sheetsync.sandbox.google import a1
from sheetsync.sandbox.google.cells import Cell, Formula, typed
from sheetsync.sandbox.google.filters import is_shown
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.line_ids import id_of
from sheetsync.sandbox.google.number_format import shown
from sheetsync.sandbox.page.look import style_of

SPARE_ROWS, MOST_ROWS = 4, 500
NUMBERS_WIDTH, LETTER_WIDTH = 40, 8  # pixels: of the column with the row numbers, and of a letter at most
Json = Mapping[str, Any]


def table(sheet: Sheet) -> str:
    """The used part of a tab, with a few empty rows below it to type into."""
    return _Table(sheet).html()


@dataclass(frozen=True)
class _Table:
    sheet: Sheet

    @cached_property
    def columns(self) -> list[int]:
        """Those that are shown."""
        there = range(min(max(self.sheet.columns_used, 6), self.sheet.column_count))
        return [column for column in there if not _properties(self.sheet, column).get("hiddenByUser")]

    @cached_property
    def widths(self) -> dict[int, int]:
        return {column: int(_properties(self.sheet, column).get("pixelSize", 110)) for column in self.columns}

    @cached_property
    def lefts(self) -> dict[int, int]:
        """Where frozen columns stay when the tab is scrolled sideways."""
        frozen = [column for column in self.columns if column < self.sheet.grid_properties.get("frozenColumnCount", 0)]
        return {
            column: NUMBERS_WIDTH + sum(self.widths[before] for before in frozen[:n]) for n, column in enumerate(frozen)
        }

    @cached_property
    def warnings(self) -> list[tuple[a1.Area, list[a1.Area], str]]:
        """Where people are warned before they type: the area, what is free in it, and the words."""
        size = (self.sheet.row_count, self.sheet.column_count)
        return [
            (
                a1.area_of(held["range"], *size),
                [a1.area_of(free, *size) for free in held.get("unprotectedRanges", ())],
                held.get("description") or "A protected range.",
            )
            for held in self.sheet.attached.get("protectedRanges", ())
            if "range" in held
        ]

    def _warning(self, row: int, column: int) -> int | None:
        """Which of the warnings is given before this cell takes typing."""
        at = a1.Area(row, row + 1, column, column + 1)
        for number, (area, free, _) in enumerate(self.warnings):
            if area.holds(at) and not any(part.holds(at) for part in free):
                return number
        return None

    def html(self) -> str:
        sheet = self.sheet
        rows = range(min(sheet.rows_used + SPARE_ROWS, sheet.row_count, MOST_ROWS))
        widths = "".join(
            f'<col{" class=frozen" if column in self.lefts else ""} style="width:{self.widths[column]}px">'
            for column in self.columns
        )
        frozen = NUMBERS_WIDTH + sum(self.widths[column] for column in self.lefts)
        words = json.dumps([words for _, _, words in self.warnings], ensure_ascii=False)
        letters, body = "".join(map(self._letter, self.columns)), "\n".join(map(self._row, rows))
        return (
            f'<table class="grid" role="grid" aria-label="{escape(sheet.title)}" data-sheet="{sheet.sheet_id}" '
            f'data-book="{escape(sheet.book.id)}" data-warnings="{escape(words)}" style="--frozen:{frozen}px">'
            f'<colgroup><col class="n">{widths}</colgroup>'
            f'<tr class="letters"><th aria-label="All cells"></th>{letters}</tr>{body}</table>'
        )

    def _letter(self, column: int) -> str:
        """The letter over a column, with its menu and what its filter hides."""
        name, hidden = a1.column_name(column), sorted(self._hidden(column))
        classes = " ".join(["frozen"] * (column in self.lefts) + ["filtered"] * bool(hidden))
        marks = (f' class="{classes}"' if classes else "") + (
            f' data-hidden="{escape(json.dumps(hidden))}"' if hidden else ""
        )
        left = f' style="left:{self.lefts[column]}px"' if column in self.lefts else ""
        return (
            f'<th scope="col" data-column="{id_of(self.sheet, "COLUMNS", column)}"{marks}{left}>{name}'
            f'<button class="open" tabindex="-1" aria-label="Menu of column {name}">▾</button></th>'
        )

    def _hidden(self, column: int) -> set[str]:
        """What cells of rows that a filter of this column hides show."""
        for spec in (self.sheet.basic_filter or {}).get("filterSpecs", ()):
            values = spec.get("filterCriteria", {}).get("hiddenValues", ())
            if spec.get("columnIndex", 0) == column and values:
                cells = (self.sheet.cell(row, column) or Cell(None) for row in range(1, self.sheet.rows_used))
                return {shown(cell) for cell in cells if str(cell.shown) in values}
        return set()

    def _row(self, row: int) -> str:
        is_head = row < max(1, self.sheet.grid_properties.get("frozenRowCount", 0))
        marks = (" class=head" if row == 0 else "") + ("" if is_head or is_shown(self.sheet, row) else " hidden")
        cells = "".join(self._cell(row, column) for column in self.columns)
        line = id_of(self.sheet, "ROWS", row)
        return f'<tr data-row="{line}"{marks}><th class="n" scope="row">{row + 1}</th>{cells}</tr>'

    def _cell(self, row: int, column: int) -> str:
        cell = self.sheet.cell(row, column)
        left = f"left:{self.lefts[column]}px;" if column in self.lefts else ""
        style = style_of(self.sheet, row, column) + left
        classes = list(self._classes(cell, column))
        marks = "".join(_marks(cell)) + (f' style="{escape(style)}"' if style else "")
        warning = self._warning(row, column)
        if warning is not None:
            marks += f' data-warning="{warning}"'
        if classes:
            marks += f' class="{" ".join(classes)}"'
        return f'<td data-r="{row}" data-c="{column}" tabindex="-1"{marks}>{self._content(cell, row, column)}</td>'

    def _classes(self, cell: Cell | None, column: int) -> Iterator[str]:
        if column in self.lefts:
            yield "frozen"
        if cell is None:
            return
        if cell.note:
            yield "noted"
        if (cell.format or {}).get("wrapStrategy") == "WRAP":
            yield "wrapped"
        if _kind(cell):
            yield {"BOOLEAN": "tick", "ONE_OF_LIST": "list"}[_kind(cell)]

    def _content(self, cell: Cell | None, row: int, column: int) -> str:
        if cell is None:
            return "<span></span>"
        if _kind(cell) == "BOOLEAN":
            return f"<span>{'☑' if cell.value is True else '☐'}</span>"
        text = shown(cell)
        wide = self._room(cell, text, row, column)
        return f"<span{f' class=over style=width:{wide}px' if wide else ''}>{escape(text)}</span>"

    def _room(self, cell: Cell, text: str, row: int, column: int) -> int:
        """How wide a text is that runs on over the empty cells beside it; 0 where it stays in its own."""
        own = (cell.format or {}).get("wrapStrategy", "OVERFLOW_CELL") == "OVERFLOW_CELL"
        if not own or not isinstance(cell.value, str) or _kind(cell) or column in self.lefts:
            return 0
        font = (cell.format or {}).get("textFormat", {})
        size = font.get("fontSize", 10) / 10 * (1.15 if font.get("bold") else 1)
        needed, wide = round(LETTER_WIDTH * size * len(text)) + 14, self.widths[column]
        if needed <= wide:
            return 0
        for beside in self.columns[self.columns.index(column) + 1 :]:
            other = self.sheet.cell(row, beside)
            if wide >= needed or (other is not None and (other.value is not None or _kind(other))):
                break
            wide += self.widths[beside]
        return min(wide, needed) if wide > self.widths[column] else 0


def _kind(cell: Cell) -> str:
    """How a cell is chosen rather than typed: BOOLEAN, ONE_OF_LIST, or empty."""
    kind = str((cell.validation or {}).get("condition", {}).get("type", ""))
    return kind if kind in ("BOOLEAN", "ONE_OF_LIST") else ""


def _marks(cell: Cell | None) -> Iterator[str]:
    """What the script has to know: the text that an editor opens with, what may be chosen; and the note."""
    if cell is None:
        return
    text = typed_text(cell)
    if text != shown(cell):
        yield f' data-typed="{escape(text)}"'
    if cell.note:
        yield f' title="{escape(cell.note)}"'
    if _kind(cell) == "BOOLEAN":
        yield f' aria-checked="{str(cell.value is True).lower()}"'
    if _kind(cell) == "ONE_OF_LIST":
        values = (cell.validation or {}).get("condition", {}).get("values", ())
        choices = [str(value.get("userEnteredValue", "")) for value in values]
        yield f' data-choices="{escape(json.dumps(choices, ensure_ascii=False))}"'


def typed_text(cell: Cell) -> str:
    """What a person would type to have this cell."""
    value = cell.value
    if type(value) is Formula:
        return str(value)
    text = shown(cell)
    looks_otherwise = isinstance(value, str) and typed(text, (cell.format or {}).get("numberFormat"))[0] != value
    return "'" + text if looks_otherwise else text


def _properties(sheet: Sheet, column: int) -> Json:
    held = sheet.column_properties[column] if column < len(sheet.column_properties) else None
    return held or {}
