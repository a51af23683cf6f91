"""PURE: the spreadsheet as it is: tabs, headers, notes, data validation, formats, protected ranges, charts.

Owns which fields of Google's answers describe that, and the frozen types they are read into. Decides nothing: what
is missing is `tracker_tab.py`'s and `summary_tab.py`'s. Knows no network, file, clock or log.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, groupby, islice
from typing import Any, Self, TypeVar

from sheetsync.columns import normal
from sheetsync.model import Scalar

Json = Mapping[str, Any]
T = TypeVar("T")

TABS_FIELDS = (
    "properties(timeZone,autoRecalc),sheets(properties(sheetId,title,"
    "gridProperties(rowCount,columnCount,frozenRowCount,frozenColumnCount)),"
    "merges,protectedRanges(range,unprotectedRanges,description,warningOnly,requestingUserCanEdit),"
    "conditionalFormats(ranges,booleanRule(condition)),basicFilter(range),bandedRanges(range),"
    "tables(name,range,columnProperties(columnIndex,columnType,dataValidationRule(condition))),charts(spec))"
)
GRID_FIELDS = (
    "sheets(properties(sheetId),data(startRow,startColumn,columnMetadata(pixelSize),rowData(values(effectiveValue,"
    "note,userEnteredFormat(backgroundColor,backgroundColorStyle,numberFormat,wrapStrategy),dataValidation(condition)"
    "))))"
)
ROWS_READ = 1000
"""How far down a tab is read cell by cell; further down it is taken to be as the last row read."""

DEFAULT_WIDTH = 100  # pixels: Google's own for a new column
UNTYPED = "COLUMN_TYPE_UNSPECIFIED"
OF_THE_TYPE = frozenset(("numberFormat", "dataValidation"))
"""What the type of a table's column says of its cells, and Google lets nobody else say (Sheets reference 8)."""

EDGE = 2**31 - 1  # the end of a range that reaches to the edge of the tab: above any index that Google takes
FIRST_NEW_ID = 1_000_001
_PLACE = re.compile(r"\$?[A-Z]{1,3}\d+|\s")
_GRID_RANGE = {"startRowIndex": 0, "endRowIndex": EDGE, "startColumnIndex": 0, "endColumnIndex": EDGE}
"""Google's fields of a range, and what each means when it is left out."""


@dataclass(frozen=True, slots=True)
class GridRange:
    """A rectangle of a tab, 0-based and half-open."""

    top: int = 0
    bottom: int = EDGE
    left: int = 0
    right: int = EDGE

    def covers(self, other: Self) -> bool:
        """Whether all of another range lies in this one."""
        down = self.top <= other.top and other.bottom <= self.bottom
        return down and self.left <= other.left and other.right <= self.right

    def meets(self, other: Self) -> bool:
        """Whether the two have a cell in common."""
        down = self.top < other.bottom and other.top < self.bottom
        return down and self.left < other.right and other.left < self.right

    def of_tab(self, sheet_id: int) -> dict[str, int]:
        """The range as Google's requests name it: an end that reaches to the edge is left out."""
        places = zip(_GRID_RANGE, (self.top, self.bottom, self.left, self.right), strict=True)
        return {"sheetId": sheet_id, **{name: place for name, place in places if place != EDGE}}


def column_range(column: int, top: int = 0, bottom: int = EDGE) -> GridRange:
    """Cells of one column."""
    return GridRange(top, bottom, column, column + 1)


def side_by_side(things: Iterable[T], place: Callable[[T], int]) -> list[list[T]]:
    """Rows or columns, given in the order of their places, in runs without a gap."""
    runs = groupby(enumerate(things), key=lambda pair: place(pair[1]) - pair[0])
    return [[thing for _, thing in run] for _, run in runs]


@dataclass(frozen=True, slots=True)
class Condition:
    """Google's BooleanCondition, of a data validation or a conditional format. Without a kind there is none."""

    kind: str = ""
    values: tuple[str, ...] = ()

    @property
    def form(self) -> tuple[str, tuple[str, ...]]:
        """What it is recognised by: a formula without what moves along with rows and columns in it."""
        return self.kind, tuple(_PLACE.sub("", value) if value.startswith("=") else value for value in self.values)

    def json(self) -> dict[str, Any]:
        """The condition as Google's requests spell it."""
        values = [{"userEnteredValue": value} for value in self.values]
        return {"type": self.kind, **({"values": values} if values else {})}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell has of its own. `fields` are the names of all that is set, those of its format among them."""

    value: Scalar = ""
    fields: frozenset[str] = frozenset()
    validation: Condition = Condition()

    def has(self, field: str) -> bool:
        """Whether a field is set: `note`, `dataValidation`, or one of `userEnteredFormat`."""
        return _without_style(field) in self.fields


def _without_style(field: str) -> str:
    """A colour is `backgroundColor` as much as `backgroundColorStyle`: Google knows both, and answers with either."""
    return field.removesuffix("Style")


@dataclass(frozen=True, slots=True)
class ConditionalFormat:
    """A conditional format rule, as far as it is recognised by: not by its colour, which people may change."""

    ranges: tuple[GridRange, ...]
    condition: Condition


@dataclass(frozen=True, slots=True)
class ProtectedRange:
    """A protected range; `stops_us` if it is kept for others and not for this service account."""

    range: GridRange
    unprotected: tuple[GridRange, ...] = ()
    stops_us: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its headers included: the types of its columns, by their place in the tab, and what dropdowns offer."""

    name: str
    range: GridRange
    types: Mapping[int, str]
    words: Mapping[int, Condition]

    def of_the_type(self, row: int, column: int) -> bool:
        """Whether a cell lies below the header of a typed column."""
        return column in self.types and self.range.top < row < self.range.bottom


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. `rows_read`: so many rows are read cell by cell; `cells` holds them without their empty ends."""

    sheet_id: int
    title: str
    row_count: int
    column_count: int
    frozen_rows: int = 0
    frozen_columns: int = 0
    cells: tuple[tuple[Cell, ...], ...] = ()
    rows_read: int = 0
    widths: tuple[int, ...] = ()
    conditional_formats: tuple[ConditionalFormat, ...] = ()
    protected_ranges: tuple[ProtectedRange, ...] = ()
    chart_sources: tuple[GridRange, ...] = ()
    merges: tuple[GridRange, ...] = ()
    banded_ranges: tuple[GridRange, ...] = ()
    tables: tuple[Table, ...] = ()
    has_filter: bool = False

    def cell(self, row: int, column: int) -> Cell:
        """A cell by 0-based row and column; beyond what was read, an empty one. In a typed column it has what that has.

        So nothing counts as missing that Google would refuse to have added.
        """
        cells = self.cells[row] if row < len(self.cells) else ()
        cell = cells[column] if column < len(cells) else Cell()
        for table in self.tables:
            if table.of_the_type(row, column):
                return Cell(cell.value, cell.fields | OF_THE_TYPE, table.words.get(column, cell.validation))
        return cell

    @property
    def headers(self) -> tuple[Scalar, ...]:
        """The first row."""
        return tuple(cell.value for cell in self.cells[0]) if self.cells else ()

    @property
    def used_columns(self) -> int:
        """Columns up to the last one with a value in the rows read."""
        return max((n + 1 for row in self.cells for n, cell in enumerate(row) if cell.value != ""), default=0)

    def below_header(self, column: int) -> list[Cell]:
        """The cells of a column below the header, one for each row read."""
        return [self.cell(row, column) for row in range(1, self.rows_read)]

    def ranges_without(self, field: str, column: int) -> list[GridRange]:
        """The pieces of a column below its header whose cells lack a field."""
        lacking = [row for row, cell in enumerate(self.below_header(column), start=1) if not cell.has(field)]
        # nobody formats a thousand rows one by one: below the rows read it goes on as the last of them
        bottom = {self.rows_read: self.row_count}
        ends = [(run[0], run[-1] + 1) for run in side_by_side(lacking, int)]
        return [column_range(column, top, bottom.get(end, end)) for top, end in ends]

    def width(self, column: int) -> int:
        """A column's width in pixels."""
        return self.widths[column] if column < len(self.widths) else DEFAULT_WIDTH

    def is_protected(self, cells: GridRange) -> bool:
        """Whether one protected range, a warning or a lock, covers all these cells."""
        return any(protected.range.covers(cells) for protected in self.protected_ranges)

    def has_conditional_format(self, condition: Condition, column: int) -> bool:
        """Whether a rule with this condition holds in a column, in whatever colour people have given it since."""
        return any(
            rule.condition.form == condition.form and any(range_.meets(column_range(column)) for range_ in rule.ranges)
            for rule in self.conditional_formats
        )


@dataclass(frozen=True, slots=True)
class Spreadsheet:
    """A spreadsheet: its tabs, and when its formulas are calculated anew."""

    tabs: tuple[Tab, ...]
    recalculates: str = ""

    def tab(self, title: str) -> Tab | None:
        """The tab with a title; one that differs only in case or spaces if there is none."""
        exact = (tab for tab in self.tabs if tab.title == title)
        alike = (tab for tab in self.tabs if normal(tab.title) == normal(title))
        return next(exact, None) or next(alike, None)

    def new_id(self, nth: int) -> int:
        """The nth id that no tab has: a new tab is given one, so that the same batch can fill it."""
        used = {tab.sheet_id for tab in self.tabs}
        return next(islice((n for n in count(FIRST_NEW_ID) if n not in used), nth, None))


def spreadsheet_of(tabs: Json, cells: Json | None = None) -> Spreadsheet:
    """The tabs of an answer to TABS_FIELDS; with cells those that an answer to GRID_FIELDS has."""
    sheets = cells.get("sheets", ()) if cells else ()
    grids = {sheet.get("properties", {}).get("sheetId", 0): (sheet.get("data") or [{}])[0] for sheet in sheets}
    recalculates = tabs.get("properties", {}).get("autoRecalc", "")
    return Spreadsheet(tuple(_tab(sheet, grids) for sheet in tabs.get("sheets", ())), recalculates)


def _tab(sheet: Json, grids: Mapping[int, Json]) -> Tab:
    properties = sheet.get("properties", {})
    grid, cells = properties.get("gridProperties", {}), grids.get(properties.get("sheetId", 0), {})
    return Tab(
        sheet_id=properties.get("sheetId", 0),
        title=properties.get("title", ""),
        row_count=grid.get("rowCount", 0),
        column_count=grid.get("columnCount", 0),
        frozen_rows=grid.get("frozenRowCount", 0),
        frozen_columns=grid.get("frozenColumnCount", 0),
        rows_read=min(grid.get("rowCount", 0), ROWS_READ),
        cells=tuple(tuple(map(_cell, row.get("values", ()))) for row in cells.get("rowData", ())),
        widths=tuple(column.get("pixelSize", DEFAULT_WIDTH) for column in cells.get("columnMetadata", ())),
        conditional_formats=tuple(
            ConditionalFormat(_ranges(rule.get("ranges", ())), _condition(rule.get("booleanRule", {})))
            for rule in sheet.get("conditionalFormats", ())
        ),
        protected_ranges=tuple(map(_protected_range, sheet.get("protectedRanges", ()))),
        chart_sources=tuple(_sources(sheet.get("charts", []))),
        merges=_ranges(sheet.get("merges", ())),
        banded_ranges=_ranges(banded.get("range", {}) for banded in sheet.get("bandedRanges", ())),
        tables=tuple(map(_table, sheet.get("tables", ()))),
        has_filter="basicFilter" in sheet,
    )


def _range(held: Json) -> GridRange:
    return GridRange(*(held.get(name, end) for name, end in _GRID_RANGE.items()))


def _ranges(held: Iterable[Json]) -> tuple[GridRange, ...]:
    return tuple(map(_range, held))


def _condition(held: Json) -> Condition:
    condition = held.get("condition", {})
    values = tuple(str(value.get("userEnteredValue", "")) for value in condition.get("values", ()))
    return Condition(condition.get("type", ""), values)


def _table(held: Json) -> Table:
    whole, columns = _range(held.get("range", {})), held.get("columnProperties", ())
    placed = [(whole.left + column.get("columnIndex", 0), column) for column in columns]
    types = {at: column["columnType"] for at, column in placed if column.get("columnType", UNTYPED) != UNTYPED}
    words = {at: _condition(column["dataValidationRule"]) for at, column in placed if "dataValidationRule" in column}
    return Table(held.get("name", ""), whole, types, words)


def _protected_range(held: Json) -> ProtectedRange:
    unprotected = _ranges(held.get("unprotectedRanges", ()))
    stops_us = not (held.get("warningOnly") or held.get("requestingUserCanEdit"))
    return ProtectedRange(_range(held.get("range", {})), unprotected, stops_us, held.get("description", ""))


def _sources(held: Any) -> Iterator[GridRange]:
    """Every range that charts draw from, however deep a kind of chart keeps it."""
    if isinstance(held, Mapping):
        yield from _ranges(held.get("sources", ()))
        held = list(held.values())
    if isinstance(held, list):
        for value in held:
            yield from _sources(value)


def _cell(held: Json) -> Cell:
    fields = {**held, **held.get("userEnteredFormat", {})}
    return Cell(
        _scalar(held.get("effectiveValue", {})),
        frozenset(_without_style(name) for name, value in fields.items() if value != ""),
        _condition(held.get("dataValidation", {})),
    )


def _scalar(value: Json) -> Any:
    """An ExtendedValue, which has one field at most, as a scalar; an error as its name."""
    found = next(iter(value.values()), "")
    return found.get("type", "") if isinstance(found, Mapping) else found
