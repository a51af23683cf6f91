"""PURE: what `init` adds to make the Summary tab: the tab, the words of its block, and two charts drawn from it.

Owns what counts as missing there. What the block says, and keeps saying, is `summary.py`'s. Knows no network or file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sheetsync.columns import DATE_FORMAT
from sheetsync.model import Tracker
from sheetsync.projection import summary
from sheetsync.template import style as looks
from sheetsync.template.spreadsheet import DEFAULT_WIDTH, Area, Book, Cell, Tab
from sheetsync.template.tracker_tab import Change, grid_range, has_tint, new_tab

Json = dict[str, Any]

SIZE = {"rowCount": 60, "columnCount": 12}
BLOCK = Area(0, summary.LINES, 0, summary.COLUMNS)
WIDTHS = (176, 148, 24, 148, 130, 290, 130, 130)
"""Of the columns A to H."""

_HEADERS = ((summary.STAGE_HEADER, 0, 2), (summary.WEEK_HEADER, 0, 2), (summary.NEXT_HEADER, summary.NEXT_COLUMN, 5))
_DAY, _MOMENT = {"type": "DATE", "pattern": "yyyy-mm-dd"}, {"type": "DATE_TIME", "pattern": DATE_FORMAT}
_EXPIRES = Area(summary.NEXT_HEADER + 1, summary.NEXT_HEADER + 1 + summary.NEXT, summary.EXPIRES, summary.EXPIRES + 1)
_DATES = (
    (Area(summary.CHANGE, summary.CHANGE + 1, 1, 2), _MOMENT),
    (Area(summary.WEEK_HEADER + 1, summary.LINES, 0, 1), _DAY),
    (_EXPIRES, _MOMENT),
)
_CHARTS = (
    ("Codes by stage", "BAR", Area(summary.STAGE_HEADER, summary.WEEK_HEADER, 0, 2), 0),
    ("Codes that expire, by week", "COLUMN", Area(summary.WEEK_HEADER, summary.LINES, 0, 2), 400),
)


def changes(book: Book, tracker: Tracker, taken: Iterable[int] = ()) -> tuple[tuple[Change, ...], str]:
    """What the Summary tab lacks; and in words, why a tab of that name is left alone. `taken`: ids of tabs to come."""
    tab = book.tab(tracker.summary_tab)
    if tab is None:
        tab, change = new_tab(book.free_id(taken), tracker.summary_tab, SIZE, hideGridlines=True)
        return (change, *SummaryTab(tab, tracker).changes()), ""
    if not _is_ours(tab, tracker):
        return (), (
            f"tab '{tab.title}' is left alone: its cell A1 does not say '{summary.title(tracker)}', so it is not "
            "sheetsync's. Rename it, and run `sheetsync init` again to get a summary"
        )
    return tuple(SummaryTab(tab, tracker).changes()), ""


def _is_ours(tab: Tab, tracker: Tracker) -> bool:
    """An empty block is nobody's yet."""
    block = [tab.cell(line, column).value for line in range(summary.LINES) for column in range(summary.COLUMNS)]
    return tab.cell(0, 0).value == summary.title(tracker) or all(value == "" for value in block)


class SummaryTab:
    """A tab that is, or becomes, the summary of a tracker."""

    def __init__(self, tab: Tab, tracker: Tracker) -> None:
        self._tab, self._tracker = tab, tracker

    def changes(self) -> Iterator[Change]:
        """What is missing, in an order in which one batch can add it."""
        yield from self._room()
        yield from self._labels()
        yield from self._headers()
        yield from self._dates()
        yield from self._widths()
        yield from self._protection()
        yield from self._tints()
        yield from self._charts()

    def _change(self, kind: str, request: Json, what: str, where: str = "") -> Change:
        return Change({kind: request}, f"tab '{self._tab.title}'", what, where)

    def _room(self) -> Iterator[Change]:
        for dimension, there, needed in (
            ("ROWS", self._tab.line_count, summary.LINES),
            ("COLUMNS", self._tab.column_count, summary.COLUMNS),
        ):
            if there < needed:
                request = {"sheetId": self._tab.sheet_id, "dimension": dimension, "length": needed - there}
                yield self._change("appendDimension", request, f"room for {needed} {dimension.lower()}")

    def _labels(self) -> Iterator[Change]:
        for (line, column), text in sorted(summary.labels(self._tracker).items()):
            if self._tab.cell(line, column).value != "":
                continue
            cell: Json = {"userEnteredValue": {"stringValue": text}}
            fields = "userEnteredValue"
            if (line, column) == (0, 0):
                cell["userEnteredFormat"] = {"textFormat": {"bold": True, "fontSize": 14}}
                fields += ",userEnteredFormat.textFormat(bold,fontSize)"
            yield self._cells(line, column, [cell], fields, "words", text)

    def _cells(self, line: int, column: int, cells: list[Json], fields: str, what: str, where: str) -> Change:
        start = {"sheetId": self._tab.sheet_id, "rowIndex": line, "columnIndex": column}
        return self._change("updateCells", {"start": start, "rows": [{"values": cells}], "fields": fields}, what, where)

    def _headers(self) -> Iterator[Change]:
        style = {"userEnteredFormat": {"backgroundColorStyle": looks.GREY, "textFormat": {"bold": True}}}
        fields = "userEnteredFormat(backgroundColorStyle,textFormat.bold)"
        for line, left, width in _HEADERS:
            if not self._tab.cell(line, left).coloured:
                where = f"row {line + 1}"
                yield self._cells(line, left, [style] * width, fields, "header colours", where)

    def _dates(self) -> Iterator[Change]:
        for area, style in _DATES:
            if not any(cell.number_format for cell in self._in(area)):
                cells = {"cell": {"userEnteredFormat": {"numberFormat": style}}}
                request = {"range": grid_range(self._tab, area), **cells, "fields": "userEnteredFormat.numberFormat"}
                yield self._change("repeatCell", request, "date formats", f"rows {area.top + 1} to {area.bottom}")

    def _in(self, area: Area) -> list[Cell]:
        lines, columns = range(area.top, area.bottom or 0), range(area.left, area.right or 0)
        return [self._tab.cell(line, column) for line in lines for column in columns]

    def _widths(self) -> Iterator[Change]:
        for column, pixels in enumerate(WIDTHS):
            if self._tab.width(column) == DEFAULT_WIDTH:
                span = {"dimension": "COLUMNS", "startIndex": column, "endIndex": column + 1}
                request = {"range": {"sheetId": self._tab.sheet_id, **span}, "properties": {"pixelSize": pixels}}
                where = "ABCDEFGH"[column]
                yield self._change("updateDimensionProperties", {**request, "fields": "pixelSize"}, "widths", where)

    def _protection(self) -> Iterator[Change]:
        if not any(held.area.covers(BLOCK) for held in self._tab.protections):
            range_ = grid_range(self._tab, BLOCK)
            held = {"range": range_, "description": "sheetsync writes this block.", "warningOnly": True}
            request = {"protectedRange": held}
            yield self._change("addProtectedRange", request, "a warning before people type into", summary.RANGE)

    def _tints(self) -> Iterator[Change]:
        tint = looks.Tint("expiry", "renewal needed", looks.AMBER)
        if not has_tint(self._tab, tint, summary.EXPIRY):
            area = Area(_EXPIRES.top, _EXPIRES.bottom, summary.EXPIRY, summary.EXPIRY + 1)
            request = {"rule": tint.rule([grid_range(self._tab, area)]), "index": len(self._tab.rules)}
            yield self._change("addConditionalFormatRule", request, "a colour for", "codes to renew")

    def _charts(self) -> Iterator[Change]:
        """Found again by what they draw from: people may give them another title, place or kind."""
        for title, kind, table, offset in _CHARTS:
            if not any(any(source.meets(table) for source in drawn) for drawn in self._tab.charts):
                yield self._change("addChart", {"chart": self._chart(title, kind, table, offset)}, "a chart", title)

    def _chart(self, title: str, kind: str, table: Area, offset: int) -> Json:
        names, counts = (self._data(Area(table.top, table.bottom, column, column + 1)) for column in (0, 1))
        # the values of a bar chart run along the bottom
        axis = "BOTTOM_AXIS" if kind == "BAR" else "LEFT_AXIS"
        series = {"series": counts, "targetAxis": axis, "colorStyle": looks.colour("4c8bf5")}
        basic = {
            "chartType": kind,
            "legendPosition": "NO_LEGEND",
            "headerCount": 1,
            "domains": [{"domain": names}],
            "series": [series],
        }
        anchor = {"sheetId": self._tab.sheet_id, "rowIndex": _EXPIRES.bottom, "columnIndex": summary.NEXT_COLUMN}
        place = {"anchorCell": anchor, "offsetXPixels": offset, "widthPixels": 390, "heightPixels": 300}
        return {
            "spec": {"title": title, "basicChart": basic},
            "position": {"overlayPosition": {**place, "offsetYPixels": 12}},
        }

    def _data(self, area: Area) -> Json:
        return {"sourceRange": {"sources": [grid_range(self._tab, area)]}}
