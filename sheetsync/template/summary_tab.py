"""PURE: what `init` adds to make the Summary tab: the tab, the words of its block, and two charts drawn from it.

Owns what counts as missing there. What the block says, and keeps saying, is `projection/summary.py`'s. Knows no
network or file.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

from sheetsync.columns import letter
from sheetsync.model import Tracker
from sheetsync.projection import summary
from sheetsync.template import batch, style
from sheetsync.template.spreadsheet import Cell, GridRange, Spreadsheet, Tab, column_range

Json = dict[str, Any]

SIZE = {"rowCount": 60, "columnCount": 12}
BLOCK = GridRange(0, summary.ROWS, 0, summary.COLUMNS)
WIDTHS = (176, 148, 24, 148, 130, 290, 130, 130)
"""Of the columns A to H."""

_HEADERS = ((summary.STAGE_HEADER, 0, 2), (summary.WEEK_HEADER, 0, 2), (summary.NEXT_HEADER, summary.NEXT_COLUMN, 5))
_NEXT = summary.NEXT_HEADER + 1, summary.NEXT_HEADER + 1 + summary.NEXT
_DATES = (
    (column_range(1, summary.CHANGE, summary.CHANGE + 1), style.MOMENT),
    (column_range(0, summary.WEEK_HEADER + 1, summary.ROWS), style.DAY),
    (column_range(summary.EXPIRES, *_NEXT), style.MOMENT),
)
_TO_RENEW = style.ColourRule("expiry", "renewal needed", style.AMBER)
_CHARTS = (
    ("Codes by stage", "BAR", GridRange(summary.STAGE_HEADER, summary.WEEK_HEADER, 0, 2), 0),
    ("Codes that expire, by week", "COLUMN", GridRange(summary.WEEK_HEADER, summary.ROWS, 0, 2), 400),
)


def changes(spreadsheet: Spreadsheet, tracker: Tracker) -> tuple[tuple[batch.Change, ...], tuple[str, ...]]:
    """What the Summary tab lacks; and in words, why a tab of that name is left alone."""
    # the first new tab of the batch may be the tracker's
    tab, made = batch.tab_or_new(spreadsheet, tracker.summary_tab, SIZE, nth=1, hideGridlines=True)
    if _is_ours(tab, tracker):
        return (*made, *_missing(tab, tracker)), ()
    return (), (
        f"tab '{tab.title}' is left alone: its cell A1 does not say '{summary.title(tracker)}', so it is not "
        "sheetsync's. Rename it, and run `sheetsync init` again to get a summary",
    )


def _is_ours(tab: Tab, tracker: Tracker) -> bool:
    """An empty block is nobody's yet."""
    return tab.cell(0, 0).value == summary.title(tracker) or all(cell.value == "" for cell in _cells(tab, BLOCK))


def _cells(tab: Tab, cells: GridRange) -> list[Cell]:
    return [tab.cell(*place) for place in product(range(cells.top, cells.bottom), range(cells.left, cells.right))]


def _missing(tab: Tab, tracker: Tracker) -> Iterator[batch.Change]:
    """What is missing, in an order in which one batch can add it."""
    rows, columns = summary.ROWS, summary.COLUMNS
    yield from batch.append_dimension(tab, "ROWS", rows - tab.row_count, f"room for {rows} rows")
    yield from batch.append_dimension(tab, "COLUMNS", columns - tab.column_count, f"room for {columns} columns")
    yield from _labels(tab, tracker)
    yield from _header_colours(tab)
    yield from _date_formats(tab)
    yield from batch.column_widths(tab, [(at, pixels, letter(at)) for at, pixels in enumerate(WIDTHS)], "widths")
    if not tab.is_protected(BLOCK):
        yield batch.edit_warning(tab, BLOCK, "sheetsync writes this block.", summary.RANGE)
    yield from batch.conditional_formats(tab, [(_TO_RENEW, column_range(summary.EXPIRY, *_NEXT), "codes to renew")])
    yield from _charts(tab)


def _labels(tab: Tab, tracker: Tracker) -> Iterator[batch.Change]:
    for place, text in sorted(summary.labels(tracker).items()):
        if tab.cell(*place).value != "":
            continue
        cell: Json = {"userEnteredValue": {"stringValue": text}}
        fields = "userEnteredValue"
        if place == (0, 0):
            cell["userEnteredFormat"] = {"textFormat": {"bold": True, "fontSize": 14}}
            fields += ",userEnteredFormat.textFormat(bold,fontSize)"
        yield batch.update_cells(tab, *place, [cell], fields, "words", text)


def _header_colours(tab: Tab) -> Iterator[batch.Change]:
    for row, left, width in _HEADERS:
        if not tab.cell(row, left).has("backgroundColor"):
            cells = [style.MACHINE_HEADER] * width
            yield batch.update_cells(tab, row, left, cells, style.HEADER_FIELDS, "header colours", f"row {row + 1}")


def _date_formats(tab: Tab) -> Iterator[batch.Change]:
    for cells, number_format in _DATES:
        if not any(cell.has("numberFormat") for cell in _cells(tab, cells)):
            where = f"rows {cells.top + 1} to {cells.bottom}"
            yield batch.format_cells(tab, cells, {"numberFormat": number_format}, "date formats", where)


def _charts(tab: Tab) -> Iterator[batch.Change]:
    """Found again by what they draw from: people may give them another title, place or kind."""
    for title, kind, table, offset in _CHARTS:
        if not any(source.meets(table) for source in tab.chart_sources):
            chart = _chart(tab, title, kind, table, offset)
            yield batch.change(tab, "addChart", {"chart": chart}, "a chart", title)


def _chart(tab: Tab, title: str, kind: str, table: GridRange, offset: int) -> Json:
    names, counts = (
        {"sourceRange": {"sources": [column_range(column, table.top, table.bottom).of_tab(tab.sheet_id)]}}
        for column in (0, 1)
    )
    # the values of a bar chart run along the bottom
    axis = "BOTTOM_AXIS" if kind == "BAR" else "LEFT_AXIS"
    basic = {
        "chartType": kind,
        "legendPosition": "NO_LEGEND",
        "headerCount": 1,
        "domains": [{"domain": names}],
        "series": [{"series": counts, "targetAxis": axis, "colorStyle": style.colour("4c8bf5")}],
    }
    # below what expires next, the second chart on the right of the first
    anchor = {"sheetId": tab.sheet_id, "rowIndex": _NEXT[1], "columnIndex": summary.NEXT_COLUMN}
    place = {"anchorCell": anchor, "offsetXPixels": offset, "offsetYPixels": 12}
    size = {"widthPixels": 390, "heightPixels": 300}
    return {"spec": {"title": title, "basicChart": basic}, "position": {"overlayPosition": {**place, **size}}}
