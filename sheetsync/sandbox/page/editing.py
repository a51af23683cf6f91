"""What a person does at the page, and how it is undone: typing, lines that come and go, sorting, filters, tabs.

Owns undo and redo: a change that is carried out gives the change that takes it back. Lines are named by their ids
(google/line_ids.py), so that what is typed goes to the row that was clicked, wherever it has moved, or is refused.
Does not own what an edit does to cells and ranges (grid.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sheetsync.sandbox.google import a1, filters
from sheetsync.sandbox.google.a1 import Dimension
from sheetsync.sandbox.google.cells import Cell, Scalar, cell_or_none, with_value
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet, entered
from sheetsync.sandbox.google.line_ids import give, id_of, index_of
from sheetsync.sandbox.google.number_format import shown

Json = Mapping[str, Any]
Place = tuple[str, str]
"""The ids of a cell's row and column."""


class Change(Protocol):
    """Carried out by calling it."""

    def __call__(self) -> Change:
        """The change that takes this one back."""


class Hand:
    """What the person at the page has done, and has taken back."""

    def __init__(self) -> None:
        self._done: list[Change] = []
        self._undone: list[Change] = []

    def edit(self, book: Spreadsheet, body: Json) -> None:
        """`{"do": …, …}` of the page's script. Raises LookupError or ValueError, in words for the person."""
        match body["do"]:
            case "undo":
                self._step(self._done, self._undone)
            case "redo":
                self._step(self._undone, self._done)
            case do if do in _CHANGES:
                self._done.append(_CHANGES[do](book, body)())
                self._undone.clear()
            case do:
                raise ValueError(f"the page cannot {do!r}")

    def _step(self, from_: list[Change], to: list[Change]) -> None:
        if not from_:
            raise ValueError("There is nothing left of that.")
        to.append(from_.pop()())


@dataclass(frozen=True)
class Type:
    """Values into cells: a text as a person types it, a number or a tick as it is, None empties."""

    sheet: Sheet
    values: Mapping[Place, Scalar | None]

    def __call__(self) -> Change:
        at = {place: _at(self.sheet, place) for place in self.values}
        before = {place: self.sheet.cell(*where) for place, where in at.items()}
        # all of them are made before any is written: what cannot be typed leaves nothing
        after = {place: _typed(before[place], value) for place, value in self.values.items()}
        return _put(self.sheet, at, before, after)


@dataclass(frozen=True)
class PutBack:
    """Cells as they were, but for those that somebody has changed since."""

    sheet: Sheet
    cells: Mapping[Place, Cell | None]
    mine: Mapping[Place, Scalar | None]

    def __call__(self) -> Change:
        ids = self.sheet.ids
        there = [place for place in self.cells if place[0] in ids["ROWS"] and place[1] in ids["COLUMNS"]]
        at = {place: _at(self.sheet, place) for place in there}
        at = {place: where for place, where in at.items() if self.sheet.value(*where) == self.mine[place]}
        if not at:
            raise ValueError("Somebody has changed these cells since: they stay.")
        now = {place: self.sheet.cell(*where) for place, where in at.items()}
        return _put(self.sheet, at, now, {place: _as_it_was(self.cells[place], now[place]) for place in at})


@dataclass(frozen=True)
class Insert:
    """Empty lines before, or after, a line; they look like the one they come after."""

    sheet: Sheet
    dimension: Dimension
    beside: str
    after: bool = False

    def __call__(self) -> Change:
        at = index_of(self.sheet, self.dimension, self.beside) + self.after
        if self.dimension == "ROWS":
            self.sheet.insert_rows(at, like=at - 1 if at > 1 else None)  # never like the header
        else:
            self.sheet.insert_columns(at, like=max(at - 1, 0))
        return Delete(self.sheet, self.dimension, [id_of(self.sheet, self.dimension, at)])


@dataclass(frozen=True)
class Delete:
    """Lines, with all that is in them."""

    sheet: Sheet
    dimension: Dimension
    lines: Sequence[str]

    def __call__(self) -> Change:
        sheet, is_rows = self.sheet, self.dimension == "ROWS"
        found = sorted((index_of(sheet, self.dimension, line), line) for line in self.lines)
        if len(found) >= (sheet.row_count if is_rows else sheet.column_count):
            raise ValueError("A tab keeps one row and one column at least.")
        kept = [(at, line, _cells(sheet, self.dimension, at)) for at, line in found]
        for at, _ in reversed(found):
            (sheet.delete_rows if is_rows else sheet.delete_columns)(at)
        return Restore(sheet, self.dimension, kept)


@dataclass(frozen=True)
class Restore:
    """Lines that were deleted: where they were, by number, id and cells."""

    sheet: Sheet
    dimension: Dimension
    lines: Sequence[tuple[int, str, Sequence[Cell | None]]]

    def __call__(self) -> Change:
        sheet, is_rows = self.sheet, self.dimension == "ROWS"
        for was, line, cells in self.lines:
            at = min(was, sheet.row_count if is_rows else sheet.column_count)
            (sheet.insert_rows if is_rows else sheet.insert_columns)(at)
            give(sheet, self.dimension, at, line)
            for across, cell in enumerate(cells):
                sheet.put(*((at, across) if is_rows else (across, at)), cell)
        sheet.touch()
        return Delete(sheet, self.dimension, [line for _, line, _ in self.lines])


@dataclass(frozen=True)
class Sort:
    """The rows below the header by one column; where a filter hides some, those stay."""

    sheet: Sheet
    column: str
    ascending: bool

    def __call__(self) -> Change:
        sheet, column = self.sheet, index_of(self.sheet, "COLUMNS", self.column)
        before = [id_of(sheet, "ROWS", row) for row in range(1, sheet.rows_used)]
        if sheet.basic_filter:
            filters.sort_shown(sheet, column, self.ascending)
        else:
            sheet.sort(sheet.area(top=1), column, self.ascending)
        return Order(sheet, before)


@dataclass(frozen=True)
class Order:
    """Rows in this order, in the places where they stand now; what came since stays where it is."""

    sheet: Sheet
    rows: Sequence[str]

    def __call__(self) -> Change:
        sheet = self.sheet
        now = {line: at for at, line in enumerate(sheet.ids["ROWS"]) if line is not None}
        wanted = [line for line in self.rows if line in now]
        places = sorted(now[line] for line in wanted)
        before = [id_of(sheet, "ROWS", place) for place in places]
        moved = [sheet.rows[now[line]] if now[line] < len(sheet.rows) else [] for line in wanted]
        for place, line, cells in zip(places, wanted, moved, strict=True):
            give(sheet, "ROWS", place, line)
            sheet.put_part(place, 0, cells + [None] * (sheet.column_count - len(cells)))
        sheet.touch()
        return Order(sheet, before)


@dataclass(frozen=True)
class Filter:
    """The tab's filter as a whole; None takes it away."""

    sheet: Sheet
    spec: dict[str, Any] | None

    def __call__(self) -> Change:
        before, self.sheet.basic_filter = self.sheet.basic_filter, self.spec
        self.sheet.touch()
        return Filter(self.sheet, before)


@dataclass(frozen=True)
class Tabs:
    """The tabs that a book has."""

    book: Spreadsheet
    sheets: Sequence[Sheet]

    def __call__(self) -> Change:
        before, self.book.sheets = self.book.sheets, list(self.sheets)
        self.book.touch()
        return Tabs(self.book, before)


def _put(
    sheet: Sheet,
    at: Mapping[Place, tuple[int, int]],
    before: Mapping[Place, Cell | None],
    after: Mapping[Place, Cell | None],
) -> PutBack:
    for place, where in at.items():
        sheet.put(*where, after[place])
    sheet.touch()
    return PutBack(sheet, before, {place: sheet.value(*where) for place, where in at.items()})


def _typed(cell: Cell | None, value: Scalar | None) -> Cell | None:
    return entered(cell, value) if isinstance(value, str) else with_value(cell, value)


def _as_it_was(old: Cell | None, now: Cell | None) -> Cell | None:
    """The value and format of old; what it is checked against, and its note, are not the typist's."""
    old, now = old or Cell(None), now or Cell(None)
    return cell_or_none(old.value, old.format, now.note, now.validation, old.extra)


def _at(sheet: Sheet, place: Place) -> tuple[int, int]:
    """A cell by row and column. Raises LookupError."""
    return index_of(sheet, "ROWS", place[0]), index_of(sheet, "COLUMNS", place[1])


def _cells(sheet: Sheet, dimension: Dimension, at: int) -> list[Cell | None]:
    if dimension == "ROWS":
        return [sheet.cell(at, column) for column in range(sheet.column_count)]
    return [sheet.cell(row, at) for row in range(len(sheet.rows))]


def _sheet(book: Spreadsheet, body: Json) -> Sheet:
    found = book.sheet_by_id(int(body["sheet"]))
    if found is None:
        raise LookupError("That tab is gone.")
    return found


def _type(book: Spreadsheet, body: Json) -> Change:
    """`rows` and `columns` are ids, None for lines that the page did not show; `values` a list for each row."""
    sheet = _sheet(book, body)
    rows, columns = _named(sheet, "ROWS", body["rows"]), _named(sheet, "COLUMNS", body["columns"])
    values = {
        (row, column): value
        for row, line in zip(rows, body["values"], strict=True)
        for column, value in zip(columns, line, strict=True)
    }
    return Type(sheet, values)


def _named(sheet: Sheet, dimension: Dimension, lines: Sequence[str | None]) -> list[str]:
    """Ids for all: who has none is the next line that is shown, a new one below the last."""
    found: list[str] = []
    for line in lines:
        if line is None:
            at = index_of(sheet, dimension, found[-1]) + 1
            while dimension == "ROWS" and not filters.is_shown(sheet, at) and at < sheet.rows_used:
                at += 1
            if at >= sheet.row_count and dimension == "ROWS":
                sheet.insert_rows(at)
            if at >= sheet.column_count and dimension == "COLUMNS":
                sheet.insert_columns(at)
            line = id_of(sheet, dimension, at)
        found.append(line)
    return found


def _filter(book: Spreadsheet, body: Json) -> Change:
    """Hides the rows whose cell in `column` shows one of the texts in `hidden`; where that is empty, none."""
    sheet = _sheet(book, body)
    if sheet.attached.get("tables"):
        raise ValueError("This tab has a table: the sandbox filters none.")
    column = index_of(sheet, "COLUMNS", body["column"])
    whole = a1.Area(0, max(sheet.rows_used, 1), 0, max(sheet.columns_used, 1))
    held = sheet.basic_filter or {"range": a1.grid_range(whole, sheet.sheet_id)}
    specs = [spec for spec in held.get("filterSpecs", ()) if spec.get("columnIndex", 0) != column]
    if body["hidden"]:
        cells = (sheet.cell(row, column) or Cell(None) for row in range(1, sheet.rows_used))
        values = sorted({str(cell.shown) for cell in cells if shown(cell) in body["hidden"]})
        specs.append({"columnIndex": column, "filterCriteria": {"hiddenValues": values}})
    return Filter(sheet, {**held, "filterSpecs": specs})


def _add_tab(book: Spreadsheet, _: Json) -> Change:
    titles = {sheet.title for sheet in book.sheets}
    title = next(name for n in range(2, len(titles) + 3) if (name := f"Sheet{n}") not in titles)
    return Tabs(book, [*book.sheets, Sheet(book, book.fresh_id(), title)])


_CHANGES: Mapping[str, Callable[[Spreadsheet, Json], Change]] = {
    "type": _type,
    "insert": lambda book, body: Insert(_sheet(book, body), body["dimension"], body["beside"], bool(body.get("after"))),
    "delete": lambda book, body: Delete(_sheet(book, body), body["dimension"], body["lines"]),
    "sort": lambda book, body: Sort(_sheet(book, body), body["column"], bool(body["ascending"])),
    "filter": _filter,
    "add_tab": _add_tab,
}
