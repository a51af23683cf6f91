"""PURE: what `init` adds to make the Summary tab: the tab, the words of its blocks, two charts, and two formulas.

Owns what counts as missing there. What the blocks say, and keep saying, is `projection/summary.py`'s and
`projection/figures.py`'s. The second block is made only where nothing of anybody's stands: a run writes it only where
it has been made. Knows no network or file.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from sheetsync.columns import letter
from sheetsync.model import Tracker
from sheetsync.projection import figures, summary
from sheetsync.projection.videos import Place
from sheetsync.template import batch, style
from sheetsync.template.spreadsheet import Cell, GridRange, Spreadsheet, Tab, column_range

Json = dict[str, Any]

SIZE = {"rowCount": 60, "columnCount": 18}
BLOCK = GridRange(0, summary.ROWS, 0, summary.COLUMNS)
BESIDE = GridRange(0, figures.ROWS, figures.LEFT, figures.LEFT + figures.COLUMNS)
WIDTHS = (176, 148, 24, 148, 130, 290, 130, 130, 24, 148, 148, 104, 104, 104, 104)
"""Of the columns A to O."""

_HEADERS = ((summary.STAGE_HEADER, 0, 2), (summary.WEEK_HEADER, 0, 2), (summary.NEXT_HEADER, summary.NEXT_COLUMN, 5))
_HEADERS_BESIDE = (
    (figures.WAITS_HEADER, figures.LEFT, 2),
    (figures.SPENT_HEADER, figures.LEFT, 3 + figures.MONTHS),
    (figures.PAST_HEADER, figures.LEFT, 4),
)
_NEXT = summary.NEXT_HEADER + 1, summary.NEXT_HEADER + 1 + summary.NEXT
_DATES = (
    (column_range(1, summary.CHANGE, summary.CHANGE + 1), style.MOMENT),
    (column_range(0, summary.WEEK_HEADER + 1, summary.ROWS), style.DAY),
    (column_range(summary.EXPIRES, *_NEXT), style.MOMENT),
)
_DATES_BESIDE = (
    (column_range(figures.LEFT + 1, figures.BEAT[0], figures.GOOD[0] + 1), style.MOMENT),
    (column_range(figures.LEFT, figures.PAST_HEADER + 1, figures.ROWS), style.MOMENT),
)
_ALLOW_ROW = figures.ALLOW[0]
_WARNINGS = (  # all of the block but the row in which people type
    (GridRange(0, _ALLOW_ROW, BESIDE.left, BESIDE.right), f"{figures.RANGE}, the rows above {figures.ALLOW_CELL}"),
    (GridRange(_ALLOW_ROW + 1, figures.ROWS, BESIDE.left, BESIDE.right), "and those below it"),
)
_TO_RENEW = style.ColourRule("expiry", "renewal needed", style.AMBER)

# `;` and whole numbers: a spreadsheet in any language reads them, and `,` only some
_LATE = "NOW()-{0}>2/24"
_AGES = (
    f'=IF(K3="";"no run yet";IF({_LATE.format("K3")};'
    '"No run for "&ROUND((NOW()-K3)*24)&" hours: is cron alive?";"in time"))',
    f"=IF(ISNUMBER(K4);IF({_LATE.format('K4')};"
    '"No good run for "&ROUND((NOW()-K4)*24)&" hours: run sheetsync doctor";"in time");"in time")',
)
_NO_RUN = style.ColourRule("", f"={_LATE.format('$K$3')}", style.RED)
_NO_GOOD_RUN = style.ColourRule("", f"={_LATE.format('$K$4')}", style.RED)
_RED = (
    # the title too: it stands in the first screen, however small that is
    (_NO_RUN, column_range(0, 0, 1), "no run for two hours"),
    (_NO_RUN, GridRange(2, 3, figures.LEFT + 1, figures.LEFT + 3), "no run for two hours"),
    (_NO_GOOD_RUN, GridRange(3, 4, figures.LEFT + 1, figures.LEFT + 3), "no good run for two hours"),
)
_CHARTS = (
    ("Codes by stage", "BAR", GridRange(summary.STAGE_HEADER, summary.WEEK_HEADER, 0, 2), 0),
    ("Codes that expire, by week", "COLUMN", GridRange(summary.WEEK_HEADER, summary.ROWS, 0, 2), 400),
)


def changes(spreadsheet: Spreadsheet, tracker: Tracker) -> tuple[tuple[batch.Change, ...], tuple[str, ...]]:
    """What the Summary tab lacks; and in words, why a tab of that name is left alone."""
    # the first new tab of the batch may be the tracker's
    tab, made = batch.tab_or_new(spreadsheet, tracker.summary_tab, SIZE, nth=1, hideGridlines=True)
    if _is_ours(tab, tracker):
        if _is_free(tab, BESIDE, figures.title(tracker)):
            both = *_missing(tab, tracker, BESIDE.right), *_missing_beside(tab, tracker), *_hourly(spreadsheet)
            return (*made, *both), ()
        return (*made, *_missing(tab, tracker, BLOCK.right)), (
            f"cells {figures.RANGE} of tab '{tab.title}' are in use, so the last run, what was spent and who is waited "
            "for are not shown. Move what stands there, and run `sheetsync init` again",
        )
    return (), (
        f"tab '{tab.title}' is left alone: its cell A1 does not say '{summary.title(tracker)}', so it is not "
        "sheetsync's. Rename it, and run `sheetsync init` again to get a summary",
    )


def _is_ours(tab: Tab, tracker: Tracker) -> bool:
    return _is_free(tab, BLOCK, summary.title(tracker))


def _is_free(tab: Tab, block: GridRange, title: str) -> bool:
    """Whether a block is ours, by its first cell; an empty one is nobody's yet."""
    return tab.cell(block.top, block.left).value == title or all(cell.value == "" for cell in _cells(tab, block))


def _cells(tab: Tab, cells: GridRange) -> list[Cell]:
    return [tab.cell(*place) for place in product(range(cells.top, cells.bottom), range(cells.left, cells.right))]


def _missing(tab: Tab, tracker: Tracker, columns: int) -> Iterator[batch.Change]:
    """What is missing, in an order in which one batch can add it."""
    rows = summary.ROWS
    yield from batch.append_dimension(tab, "ROWS", rows - tab.row_count, f"room for {rows} rows")
    yield from batch.append_dimension(tab, "COLUMNS", columns - tab.column_count, f"room for {columns} columns")
    yield from _labels(tab, summary.labels(tracker), (0, 0))
    yield from _header_colours(tab, _HEADERS)
    yield from _date_formats(tab, _DATES)
    yield from _widths(tab, 0, figures.LEFT - 1)
    if not tab.is_protected(BLOCK):
        yield batch.edit_warning(tab, BLOCK, "sheetsync writes this block.", summary.RANGE)
    yield from batch.conditional_formats(tab, [(_TO_RENEW, column_range(summary.EXPIRY, *_NEXT), "codes to renew")])
    yield from _charts(tab)


def _missing_beside(tab: Tab, tracker: Tracker) -> Iterator[batch.Change]:
    yield from _labels(tab, figures.labels(tracker), (0, figures.LEFT))
    for place, formula in zip(figures.AGES, _AGES, strict=True):
        if tab.cell(*place).value == "":
            cells: list[Json] = [{"userEnteredValue": {"formulaValue": formula}}]
            yield batch.update_cells(
                tab, *place, cells, "userEnteredValue", "a formula", letter(place[1]) + str(place[0] + 1)
            )
    yield from _header_colours(tab, _HEADERS_BESIDE)
    yield from _date_formats(tab, _DATES_BESIDE)
    yield from _widths(tab, figures.LEFT - 1, len(WIDTHS))
    if not tab.cell(*figures.ALLOW).has("numberFormat"):
        # where people type: blue as the headers for people are, and a number that shows as it was typed
        look: Json = {"backgroundColorStyle": style.BLUE, "numberFormat": {"type": "NUMBER", "pattern": "0"}}
        yield batch.format_cells(tab, _cell(*figures.ALLOW), look, "a cell to allow orders in", figures.ALLOW_CELL)
    for part, where in _WARNINGS:
        if not tab.is_protected(part):
            yield batch.edit_warning(tab, part, "sheetsync writes this block.", where)
    yield from batch.conditional_formats(tab, _RED)


def _cell(row: int, column: int) -> GridRange:
    return GridRange(row, row + 1, column, column + 1)


def _hourly(spreadsheet: Spreadsheet) -> Iterator[batch.Change]:
    """Where nothing changes, nothing is calculated: a last run would never grow old."""
    if spreadsheet.recalculates == "ON_CHANGE":
        request = {"properties": {"autoRecalc": "HOUR"}, "fields": "autoRecalc"}
        what = "calculated every hour, not only when something changes"
        yield batch.Change({"updateSpreadsheetProperties": request}, "the spreadsheet", what)


def _widths(tab: Tab, first: int, end: int) -> Iterator[batch.Change]:
    wanted = [(at, WIDTHS[at], letter(at)) for at in range(first, end)]
    return batch.column_widths(tab, wanted, "widths")


def _labels(tab: Tab, labels: Mapping[Place, str], title: Place) -> Iterator[batch.Change]:
    for place, text in sorted(labels.items()):
        if tab.cell(*place).value != "":
            continue
        cell: Json = {"userEnteredValue": {"stringValue": text}}
        fields = "userEnteredValue"
        if place == title:
            cell["userEnteredFormat"] = {"textFormat": {"bold": True, "fontSize": 14}}
            fields += ",userEnteredFormat.textFormat(bold,fontSize)"
        yield batch.update_cells(tab, *place, [cell], fields, "words", text)


def _header_colours(tab: Tab, headers: Iterable[tuple[int, int, int]]) -> Iterator[batch.Change]:
    for row, left, width in headers:
        if not tab.cell(row, left).has("backgroundColor"):
            cells = [style.MACHINE_HEADER] * width
            yield batch.update_cells(tab, row, left, cells, style.HEADER_FIELDS, "header colours", f"row {row + 1}")


def _date_formats(tab: Tab, dates: Iterable[tuple[GridRange, Json]]) -> Iterator[batch.Change]:
    for cells, number_format in dates:
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
    size = {"widthPixels": 390, "heightPixels": 260}
    return {"spec": {"title": title, "basicChart": basic}, "position": {"overlayPosition": {**place, **size}}}
