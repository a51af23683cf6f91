"""PURE: the batch that `init` sends: its requests, each with what it does in words.

Owns how the requests are spelled that both tabs need. When a tab needs one is `tracker_tab.py`'s and
`summary_tab.py`'s.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sheetsync.template.spreadsheet import DEFAULT_WIDTH, GridRange, Spreadsheet, Tab
from sheetsync.template.style import ColourRule

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One request of the batch, and what it does in words: which tab, what kind of thing, and where."""

    request: Json
    tab: str
    what: str
    where: tuple[str, ...] = ()


def change(tab: Tab, kind: str, request: Json, what: str, *where: str) -> Change:
    """A change of one tab; `kind` is the name of Google's request."""
    return Change({kind: request}, f"tab '{tab.title}'", what, where)


def sentences(changes: Iterable[Change]) -> list[str]:
    """All changes in words; those of one kind in one line."""
    grouped: dict[str, list[str]] = {}
    for each in changes:
        grouped.setdefault(f"{each.tab}: {each.what}", []).extend(each.where)
    return [f"{what}: {', '.join(where)}" if where else what for what, where in grouped.items()]


def in_short(changes: Iterable[Change]) -> list[str]:
    """All changes in a line for each tab: what kinds of thing, and how many of each where they are several."""
    tabs: dict[str, Counter[str]] = {}
    for each in changes:
        tabs.setdefault(each.tab, Counter())[each.what] += len(each.where) or 1
    return [
        f"{tab}: " + ", ".join(what + (f" ({many})" if many > 1 else "") for what, many in kinds.items())
        for tab, kinds in tabs.items()
    ]


def tab_or_new(
    spreadsheet: Spreadsheet, title: str, size: Json, nth: int, **grid: bool
) -> tuple[Tab, tuple[Change, ...]]:
    """The tab with a title; if there is none, an empty one and the request that makes it, the nth of the batch."""
    if tab := spreadsheet.tab(title):
        return tab, ()
    # as if two rows had been read: what the row below the header lacks, the whole tab lacks
    tab = Tab(spreadsheet.new_id(nth), title, size["rowCount"], size["columnCount"], rows_read=2)
    properties = {"sheetId": tab.sheet_id, "title": title, "gridProperties": {**size, **grid}}
    return tab, (change(tab, "addSheet", {"properties": properties}, "a new tab"),)


def append_dimension(tab: Tab, dimension: str, length: int, what: str) -> Iterator[Change]:
    """ROWS or COLUMNS at the end of a tab, where `length` is above zero."""
    if length > 0:
        request = {"sheetId": tab.sheet_id, "dimension": dimension, "length": length}
        yield change(tab, "appendDimension", request, what)


def update_cells(tab: Tab, row: int, column: int, cells: list[Json], fields: str, what: str, *where: str) -> Change:
    """Cells that stand beside each other, from a 0-based row and column on."""
    start = {"sheetId": tab.sheet_id, "rowIndex": row, "columnIndex": column}
    request = {"start": start, "rows": [{"values": cells}], "fields": fields}
    return change(tab, "updateCells", request, what, *where)


def format_cells(tab: Tab, cells: GridRange, style: Json, what: str, *where: str) -> Change:
    """Some fields of `userEnteredFormat` in every cell of a range."""
    fields = f"userEnteredFormat({','.join(style)})"
    request = {"range": cells.of_tab(tab.sheet_id), "cell": {"userEnteredFormat": style}, "fields": fields}
    return change(tab, "repeatCell", request, what, *where)


def column_widths(tab: Tab, wanted: Iterable[tuple[int, int, str]], what: str) -> Iterator[Change]:
    """Widths for columns that nobody has widened or narrowed, given as (column, pixels, name)."""
    for column, pixels, name in wanted:
        # Google does not tell its own width from the same one chosen by a person
        if tab.width(column) == DEFAULT_WIDTH != pixels:
            span = {"sheetId": tab.sheet_id, "dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1}
            request = {"range": span, "properties": {"pixelSize": pixels}, "fields": "pixelSize"}
            yield change(tab, "updateDimensionProperties", request, what, name)


def edit_warning(tab: Tab, cells: GridRange, description: str, *where: str) -> Change:
    """A warning, not a lock: people who know what they do can still type there."""
    held = {"range": cells.of_tab(tab.sheet_id), "description": description, "warningOnly": True}
    return change(tab, "addProtectedRange", {"protectedRange": held}, "a warning before people type into", *where)


def conditional_formats(tab: Tab, wanted: Iterable[tuple[ColourRule, GridRange, str]]) -> Iterator[Change]:
    """The rules that no column of the tab has yet, after those of people, which win where both hold."""
    missing = [rule for rule in wanted if not tab.has_conditional_format(rule[0].condition, rule[1].left)]
    for index, (rule, cells, where) in enumerate(missing, start=len(tab.conditional_formats)):
        boolean = {"condition": rule.condition.json(), "format": {"backgroundColorStyle": rule.colour}}
        request = {"rule": {"ranges": [cells.of_tab(tab.sheet_id)], "booleanRule": boolean}, "index": index}
        yield change(tab, "addConditionalFormatRule", request, "a colour for", where)
