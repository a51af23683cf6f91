"""Spreadsheets, their sheets and cells, and what inserting, deleting, moving and sorting do to them.

Both the Sheets API and the people of the sandbox edit through this file. It knows nothing of HTTP.
Source: reference/google-sheets.md sections 2.2 and 3; sorting order as in the Sheets editor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sheetsync.sandbox.google import a1, spills
from sheetsync.sandbox.google.a1 import Address, Area, Dimension
from sheetsync.sandbox.google.cells import (
    Cell,
    Json,
    Scalar,
    cell_or_none,
    inherited,
    number,
    typed,
    with_value,
)
from sheetsync.sandbox.google.merges import covered
from sheetsync.sandbox.google.sorting import rearranged, sorted_parts

Row = list[Cell | None]
T = TypeVar("T")

ATTACHED = ("protectedRanges", "conditionalFormats", "charts", "bandedRanges", "filterViews", "merges", "tables")


class Sheet:
    """One tab. Rows and cells are replaced, never changed in place; rows beyond the last cell are not kept."""

    def __init__(self, book: Spreadsheet, sheet_id: int, title: str, rows: int = 1000, columns: int = 26) -> None:
        self.book = book
        self.sheet_id = sheet_id
        self.title = title
        self.row_count = rows
        self.column_count = columns
        self.properties: Json = {}  # hidden, tabColorStyle, …
        self.grid_properties: Json = {}  # frozenRowCount, hideGridlines, …
        self.rows: list[Row] = []
        self.row_properties: list[Json | None] = []
        self.column_properties: list[Json | None] = []
        self.attached: dict[str, list[Json]] = {}
        self.basic_filter: Json | None = None
        self.ids: dict[Dimension, list[str | None]] = {"ROWS": [], "COLUMNS": []}  # see line_ids.py; may end early
        self.recalculate: Callable[[], None] | None = None  # what formulas elsewhere do after each change
        self.has_arrays = False  # or had some: formulas that fill more cells than their own
        self.displaced = 0  # rows by which the next write of cells lands too low
        self.version = 0
        self._filled = 0  # no row from here on has a value; may be too high, never too low

    # What is in a cell.

    def cell(self, row: int, column: int) -> Cell | None:
        """The cell, None when empty."""
        if row >= len(self.rows):
            return None
        line = self.rows[row]
        return line[column] if column < len(line) else None

    def value(self, row: int, column: int) -> Scalar | None:
        """What is in a cell, as entered (a Formula for a formula); None when empty."""
        cell = self.cell(row, column)
        return None if cell is None else cell.value

    def note(self, row: int, column: int) -> str | None:
        """The note on a cell."""
        cell = self.cell(row, column)
        return None if cell is None else cell.note

    def put(self, row: int, column: int, cell: Cell | None) -> None:
        """Replaces a cell. The caller says `touch` once it is done."""
        self.put_part(row, column, [cell])

    def put_part(self, row: int, left: int, part: Row) -> None:
        """Replaces neighbouring cells of one row. The caller says `touch` once it is done."""
        self.rows += [[] for _ in range(row + 1 - len(self.rows))]
        self.has_arrays = self.has_arrays or any(map(spills.is_array, part))
        merges = self.attached.get("merges", ())
        part = [None if covered(merges, row, at) else cell for at, cell in enumerate(part, left)] if merges else part
        line = self.rows[row] + [None] * (left - len(self.rows[row]))
        self.rows[row] = line[:left] + part + line[left + len(part) :]
        if row >= self._filled:
            self._filled = row + 1

    def change(self, area: Area, changed: Callable[[Cell | None], Cell | None]) -> None:
        """Replaces every cell of an area by what `changed` makes of it; equal cells may be asked for once only."""
        done: dict[Cell | None, Cell | None] = {None: changed(None)}
        bottom = area.bottom if done[None] is not None else min(area.bottom, len(self.rows))
        for row in range(area.top, bottom):
            part = _part(self.rows[row] if row < len(self.rows) else [], area.left, area.right)
            for cell in part:
                if cell not in done:
                    done[cell] = changed(cell)
            self.put_part(row, area.left, [done[cell] for cell in part])
        self.touch()

    def set_value(self, row: int, column: int, value: Scalar | None) -> None:
        """Puts a value into a cell as it is; format, note and validation stay."""
        self._inside(row, column)
        kept = number(value) if isinstance(value, float) else None if value == "" else value
        self.put(row, column, with_value(self.cell(row, column), kept))
        self.touch()

    def enter(self, row: int, column: int, text: str) -> None:
        """Types a text into a cell, as a person does: numbers, dates and TRUE become values."""
        self._inside(row, column)
        self.put(row, column, entered(self.cell(row, column), text))
        self.touch()

    def set_note(self, row: int, column: int, note: str | None) -> None:
        """Puts a note on a cell, or takes it away."""
        cell = self.cell(row, column) or Cell(None)
        self.put(row, column, cell_or_none(cell.value, cell.format, note, cell.validation, cell.extra))
        self.touch()

    def _inside(self, row: int, column: int) -> None:
        if not (0 <= row < self.row_count and 0 <= column < self.column_count):
            raise IndexError(f"no cell {row}, {column} in {self.title}: {self.row_count} x {self.column_count}")

    # Size.

    @property
    def rows_used(self) -> int:
        """Rows up to the last one with a value."""
        rows, last = self.rows, min(self._filled, len(self.rows))
        while last and not _used(rows[last - 1]):
            last -= 1
        self._filled = last
        return last

    @property
    def columns_used(self) -> int:
        """Columns up to the last one with a value."""
        return max((_used(line) for line in self.rows), default=0)

    def table(self) -> list[list[Scalar | None]]:
        """All values as a rectangle, None where a cell is empty."""
        width = self.columns_used
        return [[self.value(row, column) for column in range(width)] for row in range(self.rows_used)]

    def area(self, top: int = 0, bottom: int | None = None, left: int = 0, right: int | None = None) -> Area:
        """A rectangle of this sheet; what is left out reaches to the edge."""
        return Area(
            top, self.row_count if bottom is None else bottom, left, self.column_count if right is None else right
        )

    def touch(self) -> None:
        """Something changed."""
        if self.recalculate is not None:
            self.recalculate()
        if self.has_arrays:
            spills.settle(self)
        self.version += 1
        self.book.touch()

    # Rows and columns come, go and move.

    def insert_rows(self, at: int, count: int = 1, *, like: int | None = None) -> None:
        """Inserts rows before row `at`; format and validation are taken from row `like` (default: the one there)."""
        source = self.rows[at if like is None else like] if (at if like is None else like) < len(self.rows) else []
        fresh = [inherited(cell) for cell in source]
        # Below the last row that is kept all are empty: only their number grows.
        if at < len(self.rows):
            self.rows[at:at] = [fresh] * count
            self._filled += count
        self._lines_came("ROWS", at, count)

    def insert_columns(self, at: int, count: int = 1, *, like: int | None = None) -> None:
        """Inserts columns before column `at`; format and validation are taken from column `like`."""
        source = at if like is None else like
        for index, line in enumerate(self.rows):
            if at < len(line):
                fresh = [inherited(line[source]) if source < len(line) else None] * count
                self.rows[index] = line[:at] + fresh + line[at:]
        self._lines_came("COLUMNS", at, count)

    def _lines_came(self, dimension: Dimension, at: int, count: int) -> None:
        if dimension == "ROWS":
            self.row_count += count
        else:
            self.column_count += count
        for lines in self._beside(dimension):
            if at < len(lines):
                lines[at:at] = [None] * count
        self.book.follow(self.sheet_id, lambda range_: a1.shift_range(range_, dimension, at, count), dimension)
        self.touch()

    def delete_rows(self, at: int, count: int = 1) -> None:
        """Deletes rows, with their cells, notes and whatever lay wholly on them."""
        del self.rows[at : at + count]
        self._filled = min(self._filled, len(self.rows))
        self.row_count -= count
        self._lines_went("ROWS", at, count)

    def delete_columns(self, at: int, count: int = 1) -> None:
        """Deletes columns, with their cells, notes and whatever lay wholly on them."""
        self.rows = [line[:at] + line[at + count :] for line in self.rows]
        self.column_count -= count
        self._lines_went("COLUMNS", at, count)

    def _lines_went(self, dimension: Dimension, at: int, count: int) -> None:
        for lines in self._beside(dimension):
            del lines[at : at + count]
        self.book.follow(self.sheet_id, lambda range_: a1.shift_range(range_, dimension, at, -count), dimension)
        self.touch()

    def move_rows(self, start: int, end: int, to: int) -> None:
        """Moves the rows start..end (exclusive) before the row that is now at `to`."""
        _move(self.rows, start, end, to, [])
        self._filled = len(self.rows)
        self._lines_moved("ROWS", start, end, to)

    def move_columns(self, start: int, end: int, to: int) -> None:
        """Moves the columns start..end (exclusive) before the column that is now at `to`."""
        self.rows = [line[:] for line in self.rows]
        for line in self.rows:
            _move(line, start, end, to, None)
        self._lines_moved("COLUMNS", start, end, to)

    def _lines_moved(self, dimension: Dimension, start: int, end: int, to: int) -> None:
        for lines in self._beside(dimension):
            _move(lines, start, end, to, None)
        self.book.follow(self.sheet_id, lambda range_: a1.move_range(range_, dimension, start, end, to), dimension)
        self.touch()

    def lines(self, dimension: Dimension) -> list[Json | None]:
        """DimensionProperties of the rows or columns, None where they are the default; may end early."""
        return self.row_properties if dimension == "ROWS" else self.column_properties

    def _beside(self, dimension: Dimension) -> tuple[list[Any], list[Any]]:
        """What is kept beside the cells, line by line."""
        return self.lines(dimension), self.ids[dimension]

    def sort(self, area: Area, by: int | Sequence[int], ascending: bool | Sequence[bool] = True) -> None:
        """Sorts the cells of an area by columns (counted in the sheet), the first one weighing most."""
        columns = [by] if isinstance(by, int) else list(by)
        directions = [ascending] * len(columns) if isinstance(ascending, bool) else list(ascending)
        bottom = min(area.bottom, len(self.rows))
        parts = [_part(line, area.left, area.right) for line in self.rows[area.top : bottom]]
        before = parts
        for column, up in reversed(list(zip(columns, directions, strict=True))):
            parts = sorted_parts(parts, column - area.left, up)
        for row, part in enumerate(parts, area.top):
            line = self.rows[row]
            self.rows[row] = _part(line, 0, area.left) + part + line[area.right :]
        rearranged(self.ids["ROWS"], range(area.top, bottom), before, parts)
        self._filled = max(self._filled, bottom)
        self.touch()

    # Undo.

    def state(self) -> tuple[Any, ...]:
        """Everything, copied as far as it can change."""
        lists = (self.rows[:], self.row_properties[:], self.column_properties[:])
        attached = {name: held[:] for name, held in self.attached.items()}
        size = (self.title, self.row_count, self.column_count, self.properties, self.grid_properties)
        ids = {dimension: held[:] for dimension, held in self.ids.items()}
        return (*lists, attached, *size, self.basic_filter, ids, self.version, self._filled)

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Puts back what `state` gave."""
        self.rows, self.row_properties, self.column_properties, self.attached = state[:4]
        self.title, self.row_count, self.column_count, self.properties, self.grid_properties = state[4:9]
        self.basic_filter, self.ids, self.version, self._filled = state[9:]


class Spreadsheet:
    """A book: sheets, named ranges and developer metadata; who may use it; when it last changed."""

    def __init__(self, book_id: str, title: str, time_zone: str, now: Callable[[], datetime]) -> None:
        self.id = book_id
        self.title = title
        self.time_zone = time_zone
        self.locale = "en_US"
        self.auto_recalc = "ON_CHANGE"
        self.owner = "owner@sandbox.test"
        self.is_strict = False  # dropdowns that take their own words alone hold for programs, too
        self.shared_with: set[str] = set()
        self.viewers: set[str] = set()
        self.sheets: list[Sheet] = []
        self.named_ranges: list[Json] = []
        self.metadata: list[Json] = []
        self.quirks: frozenset[str] = frozenset()
        self.version, self.ids = 1, 0
        self.created = self.modified = now()
        self._now = now

    def fresh_id(self) -> int:
        """A new id for a sheet, protected range, chart …: the same ones in every run of the sandbox."""
        self.ids += 1
        return (self.ids * 1_103_515_245 + 12_345) % 2_147_483_647

    def add_sheet(self, title: str, sheet_id: int | None = None, rows: int = 1000, columns: int = 26) -> Sheet:
        """Adds an empty tab at the end."""
        sheet = Sheet(self, self.fresh_id() if sheet_id is None else sheet_id, title, rows, columns)
        self.sheets.append(sheet)
        self.touch()
        return sheet

    def sheet(self, title: str) -> Sheet:
        """The tab with that title."""
        for sheet in self.sheets:
            if sheet.title == title:
                return sheet
        raise KeyError(title)

    def sheet_by_id(self, sheet_id: int) -> Sheet | None:
        """The tab with that id."""
        for sheet in self.sheets:
            if sheet.sheet_id == sheet_id:
                return sheet
        return None

    def touch(self) -> None:
        """Something changed."""
        self.version += 1
        self.modified = self._now()

    def follow(self, sheet_id: int, moved: Callable[[Json], Json | None], dimension: Dimension) -> None:
        """Carries every range on a sheet along when its rows or columns come, go or move."""

        def on_sheet(range_: Json) -> Json | None:
            return moved(range_) if a1.sheet_of(range_) == sheet_id else range_

        for sheet in self.sheets:
            for name, held in sheet.attached.items():
                sheet.attached[name] = list(_carried(held, on_sheet))
            if sheet.basic_filter is not None:
                sheet.basic_filter = _carry(sheet.basic_filter, on_sheet)
        self.named_ranges = list(_carried(self.named_ranges, on_sheet))
        if self.metadata:
            kept = (_carry_metadata(held, on_sheet, dimension) for held in self.metadata)
            self.metadata = [held for held in kept if held is not None]

    def locate(self, address: Address) -> tuple[Sheet, Address] | None:
        """The sheet an address lies on, and the address with its named range or bare title resolved."""
        # A text without `!` may be a tab's title or a named range; the title goes first: Sheets reference 2.2.
        wanted = address.title or address.name
        if not wanted:
            return (self.sheets[0], address) if self.sheets else None
        for sheet in self.sheets:
            if sheet.title == wanted:
                return self._named(address.name) if address.title and address.name else (sheet, address)
        return None if address.title else self._named(address.name)

    def _named(self, name: str) -> tuple[Sheet, Address] | None:
        for held in self.named_ranges:
            if held["name"] == name:
                area, sheet = held["range"], self.sheet_by_id(a1.sheet_of(held["range"]))
                ends = [area.get(key) for key in (*a1.ROW_KEYS, *a1.COLUMN_KEYS)]
                return None if sheet is None else (sheet, Address(sheet.title, *ends))
        return None

    def state(self) -> tuple[Any, ...]:
        """Everything a failing batch must put back."""
        book = (self.title, self.time_zone, self.locale, self.auto_recalc, self.version, self.modified, self.ids)
        return book, self.sheets[:], [sheet.state() for sheet in self.sheets], self.named_ranges[:], self.metadata[:]

    def set_state(self, state: tuple[Any, ...]) -> None:
        """Puts back what `state` gave."""
        book, self.sheets, sheets, self.named_ranges, self.metadata = state
        self.title, self.time_zone, self.locale, self.auto_recalc, self.version, self.modified, self.ids = book
        for sheet, held in zip(self.sheets, sheets, strict=True):
            sheet.set_state(held)


def entered(cell: Cell | None, text: str) -> Cell | None:
    """A cell after a person typed into it."""
    format_ = cell.format if cell is not None else None
    value, number_format = typed(text, (format_ or {}).get("numberFormat"))
    changed = with_value(cell, value)
    if changed is None or number_format is None or (format_ and "numberFormat" in format_):
        return changed
    return Cell(value, {**(format_ or {}), "numberFormat": number_format}, changed.note, changed.validation)


def _used(line: Row) -> int:
    for index in range(len(line) - 1, -1, -1):
        cell = line[index]
        if cell is not None and cell.value is not None:
            return index + 1
    return 0


def _move(lines: list[T], start: int, end: int, to: int, blank: T) -> None:
    if min(start, to) >= len(lines):
        return
    lines.extend([blank] * (max(end, to) - len(lines)))
    block = lines[start:end]
    del lines[start:end]
    at = to - len(block) if to > start else to
    lines[at:at] = block


def _part(line: Row, left: int, right: int) -> Row:
    part = line[left:right]
    return part + [None] * (right - left - len(part))


def _carried(objects: list[Json], moved: Callable[[Json], Json | None]) -> Iterable[Json]:
    for held in objects:
        carried = _carry(held, moved)
        if carried is not None:
            yield carried


def _carry(held: Json, moved: Callable[[Json], Json | None]) -> Json | None:
    """An object with all its ranges moved; None when the range it lives on is gone."""
    if a1.is_range(held):
        return moved(held)
    carried: Json = {}
    for key, value in held.items():
        if isinstance(value, dict):
            value = _carry(value, moved)
            if value is None and key == "range":
                return None
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            value = list(_carried(value, moved))
            if not value and key == "ranges":
                return None
        if value is not None:
            carried[key] = value
    return carried


def _carry_metadata(held: Json, moved: Callable[[Json], Json | None], dimension: Dimension) -> Json | None:
    location = held["location"]
    span = location.get("dimensionRange")
    if not span or span["dimension"] != dimension:
        return held
    keys = a1.ROW_KEYS if dimension == "ROWS" else a1.COLUMN_KEYS
    went = moved({"sheetId": a1.sheet_of(span), keys[0]: span["startIndex"], keys[1]: span["endIndex"]})
    if went is None:
        return None
    where = {**span, "startIndex": went[keys[0]], "endIndex": went[keys[1]]}
    return {**held, "location": {**location, "dimensionRange": where}}
