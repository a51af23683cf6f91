"""PURE: what a spreadsheet looks like now: tabs, headers, notes, dropdowns, formats, protections, rules, charts.

Owns which fields of Google's answers describe that, and the frozen types they are read into. Decides nothing: what
is missing is `template.py`'s. Knows no network, file, clock or log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sheetsync.columns import normal
from sheetsync.model import Scalar

Json = Mapping[str, Any]

TABS_FIELDS = (
    "properties(timeZone),sheets(properties(sheetId,title,"
    "gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)),"
    "merges,protectedRanges(range,unprotectedRanges,description,warningOnly,requestingUserCanEdit),"
    "conditionalFormats(ranges,booleanRule(condition)),basicFilter(range),bandedRanges(range),tables(range),"
    "charts(spec))"
)
GRID_FIELDS = (
    "sheets(properties(sheetId),data(startRow,startColumn,columnMetadata(pixelSize),rowData(values(effectiveValue,"
    "note,userEnteredFormat(backgroundColor,backgroundColorStyle,numberFormat,wrapStrategy),dataValidation(condition)"
    "))))"
)
LINES_LOOKED_AT = 1000
"""How far down a tab is looked at cell by cell; further down it is taken to be as the last line looked at."""

DEFAULT_WIDTH = 100  # pixels: Google's own for a new column


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of a tab, 0-based and half-open; an end that is None reaches to the edge."""

    top: int = 0
    bottom: int | None = None
    left: int = 0
    right: int | None = None

    def has_column(self, column: int) -> bool:
        """Whether some of its cells stand in a column."""
        return self.left <= column and (self.right is None or column < self.right)

    def has_line(self, line: int) -> bool:
        """Whether some of its cells stand in a line (0-based)."""
        return self.top <= line and (self.bottom is None or line < self.bottom)

    def covers(self, other: Area) -> bool:
        """Whether all of another area lies in this one."""
        down = self.bottom is None or (other.bottom is not None and other.bottom <= self.bottom)
        across = self.right is None or (other.right is not None and other.right <= self.right)
        return self.top <= other.top and self.left <= other.left and down and across

    def meets(self, other: Area) -> bool:
        """Whether the two have a cell in common."""
        return _overlap(self.top, self.bottom, other.top, other.bottom) and _overlap(
            self.left, self.right, other.left, other.right
        )


def _overlap(start: int, end: int | None, other_start: int, other_end: int | None) -> bool:
    return (end is None or other_start < end) and (other_end is None or start < other_end)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell has of its own. `rule` is the kind of its data validation, `words` its dropdown."""

    value: Scalar = ""
    note: bool = False
    coloured: bool = False
    number_format: str = ""
    wrap: bool = False
    rule: str = ""
    words: tuple[str, ...] = ()


EMPTY = Cell()


@dataclass(frozen=True, slots=True)
class Rule:
    """A conditional format, as far as it is recognised by: where it holds, and its condition."""

    areas: tuple[Area, ...]
    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Protection:
    """A protected range; `stops_us` if it is kept for others and not for this service account."""

    area: Area
    free: tuple[Area, ...] = ()
    stops_us: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. `cells` holds the lines looked at, without empty ends; `looked_at` says how many lines those are."""

    sheet_id: int
    title: str
    line_count: int
    column_count: int
    frozen_lines: int = 0
    frozen_columns: int = 0
    cells: tuple[tuple[Cell, ...], ...] = ()
    looked_at: int = 0
    widths: tuple[int, ...] = ()
    rules: tuple[Rule, ...] = ()
    protections: tuple[Protection, ...] = ()
    charts: tuple[tuple[Area, ...], ...] = ()
    merges: tuple[Area, ...] = ()
    bands: tuple[Area, ...] = ()
    has_filter: bool = False
    has_table: bool = False

    def cell(self, line: int, column: int) -> Cell:
        """A cell by 0-based line and column; beyond what was looked at, an empty one."""
        cells = self.cells[line] if line < len(self.cells) else ()
        return cells[column] if column < len(cells) else EMPTY

    @property
    def headers(self) -> tuple[Scalar, ...]:
        """The first line."""
        return tuple(cell.value for cell in self.cells[0]) if self.cells else ()

    @property
    def used_columns(self) -> int:
        """Columns up to the last one with a value in the lines looked at."""
        return max((n + 1 for line in self.cells for n, cell in enumerate(line) if cell.value != ""), default=0)

    def below_header(self, column: int) -> list[Cell]:
        """The cells of a column below the header, one for each line looked at."""
        return [self.cell(line, column) for line in range(1, self.looked_at)]

    def gaps(self, column: int, lacks: Callable[[Cell], bool], top: int = 1) -> list[tuple[int, int]]:
        """Runs of lines from `top` on whose cell lacks something: (first, end), 0-based and half-open."""
        runs: list[tuple[int, int]] = []
        for line in range(top, self.looked_at):
            if lacks(self.cell(line, column)):
                start = runs.pop()[0] if runs and runs[-1][1] == line else line
                runs.append((start, line + 1))
        if runs and runs[-1][1] == self.looked_at < self.line_count:
            runs[-1] = (runs[-1][0], self.line_count)
        return runs

    def width(self, column: int) -> int:
        """A column's width in pixels."""
        return self.widths[column] if column < len(self.widths) else DEFAULT_WIDTH


@dataclass(frozen=True, slots=True)
class Book:
    """A spreadsheet: its tabs."""

    tabs: tuple[Tab, ...]

    def tab(self, title: str) -> Tab | None:
        """The tab with a title; one that differs only in case or spaces if there is none."""
        for same in (lambda tab: tab.title == title, lambda tab: normal(tab.title) == normal(title)):
            for tab in self.tabs:
                if same(tab):
                    return tab
        return None

    def free_id(self, taken: Iterable[int] = ()) -> int:
        """An id that no tab has: a new tab is given it, so that the same batch can fill it."""
        used = {tab.sheet_id for tab in self.tabs} | set(taken)
        return next(n for n in range(1_000_001, 2_000_000) if n not in used)


# --- reading Google's answers ---------------------------------------------------------------------------------


def book_of(answer: Json) -> Book:
    """The tabs without their cells, out of an answer to TABS_FIELDS."""
    return Book(tuple(_tab(sheet) for sheet in answer.get("sheets", [])))


def with_cells(book: Book, answer: Json, looked_at: Mapping[int, int]) -> Book:
    """The tabs with their cells, out of an answer to GRID_FIELDS; `looked_at` is lines by sheet id."""
    grids = {sheet.get("properties", {}).get("sheetId", 0): sheet for sheet in answer.get("sheets", [])}
    return Book(tuple(_filled(tab, grids.get(tab.sheet_id, {}), looked_at.get(tab.sheet_id, 0)) for tab in book.tabs))


def _tab(sheet: Json) -> Tab:
    properties = sheet.get("properties", {})
    grid = properties.get("gridProperties", {})
    return Tab(
        sheet_id=properties.get("sheetId", 0),
        title=properties.get("title", ""),
        line_count=grid.get("rowCount", 0),
        column_count=grid.get("columnCount", 0),
        frozen_lines=grid.get("frozenRowCount", 0),
        frozen_columns=grid.get("frozenColumnCount", 0),
        rules=tuple(_rule(held) for held in sheet.get("conditionalFormats", [])),
        protections=tuple(_protection(held) for held in sheet.get("protectedRanges", [])),
        charts=tuple(tuple(_sources(held.get("spec", {}))) for held in sheet.get("charts", [])),
        merges=tuple(area(held) for held in sheet.get("merges", [])),
        bands=tuple(area(held.get("range", {})) for held in sheet.get("bandedRanges", [])),
        has_filter="basicFilter" in sheet,
        has_table=bool(sheet.get("tables")),
    )


def area(range_: Json) -> Area:
    """A GridRange."""
    return Area(
        range_.get("startRowIndex", 0),
        range_.get("endRowIndex"),
        range_.get("startColumnIndex", 0),
        range_.get("endColumnIndex"),
    )


def _rule(held: Json) -> Rule:
    condition = held.get("booleanRule", {}).get("condition", {})
    return Rule(tuple(area(range_) for range_ in held.get("ranges", [])), condition.get("type", ""), _words(condition))


def _words(condition: Json) -> tuple[str, ...]:
    return tuple(str(value.get("userEnteredValue", "")) for value in condition.get("values", []))


def _protection(held: Json) -> Protection:
    free = tuple(area(range_) for range_ in held.get("unprotectedRanges", []))
    stops_us = not held.get("warningOnly", False) and not held.get("requestingUserCanEdit", False)
    return Protection(area(held.get("range", {})), free, stops_us, held.get("description", ""))


def _sources(held: Any) -> Iterator[Area]:
    """Every range that a chart draws from, however deep its kind of chart keeps it."""
    if isinstance(held, Mapping):
        for range_ in held.get("sources", ()):
            yield area(range_)
        for value in held.values():
            yield from _sources(value)
    elif isinstance(held, list):
        for value in held:
            yield from _sources(value)


def _filled(tab: Tab, sheet: Json, looked_at: int) -> Tab:
    blocks: Sequence[Json] = sheet.get("data") or [{}]
    block = blocks[0]
    return replace(
        tab,
        cells=tuple(tuple(_cell(cell) for cell in line.get("values", [])) for line in block.get("rowData", [])),
        looked_at=looked_at,
        widths=tuple(column.get("pixelSize", DEFAULT_WIDTH) for column in block.get("columnMetadata", [])),
    )


def _cell(held: Json) -> Cell:
    if not held:
        return EMPTY
    style = held.get("userEnteredFormat", {})
    condition = held.get("dataValidation", {}).get("condition", {})
    number = style.get("numberFormat", {})
    return Cell(
        value=scalar(held.get("effectiveValue", {})),
        note=bool(held.get("note")),
        coloured="backgroundColor" in style or "backgroundColorStyle" in style,
        number_format=number.get("pattern", "") or number.get("type", ""),
        wrap="wrapStrategy" in style,
        rule=condition.get("type", ""),
        words=_words(condition),
    )


def scalar(value: Json) -> Scalar:
    """An ExtendedValue as a scalar; an error as its name."""
    for kind in ("stringValue", "numberValue", "boolValue"):
        if kind in value:
            found: Scalar = value[kind]
            return found
    return str(value.get("errorValue", {}).get("type", ""))
