"""What spreadsheets.get answers: a book as JSON, built field by field along a mask.

Source: reference/google-sheets.md section 2.2 (what is printed and what is left out).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sheetsync.sandbox.google import number_format, tables
from sheetsync.sandbox.google.a1 import Area
from sheetsync.sandbox.google.cells import Cell, Json, effective, to_extended
from sheetsync.sandbox.google.colours import THEME
from sheetsync.sandbox.google.errors import bad_mask
from sheetsync.sandbox.google.fields import BadMask, Mask, below, compile_mask, pick
from sheetsync.sandbox.google.grid import ATTACHED, Row, Sheet, Spreadsheet
from sheetsync.sandbox.google.protection import may_edit
from sheetsync.sandbox.wire import PIECE, Pieces

DEFAULT_FORMAT: Json = {
    "backgroundColor": THEME["BACKGROUND"],
    "padding": {"top": 2, "right": 3, "bottom": 2, "left": 3},
    "verticalAlignment": "BOTTOM",
    "wrapStrategy": "OVERFLOW_CELL",
    "textFormat": {
        "foregroundColor": {},
        "fontFamily": "arial,sans,sans-serif",
        "fontSize": 10,
        "bold": False,
        "italic": False,
        "strikethrough": False,
        "underline": False,
        "foregroundColorStyle": {"rgbColor": {}},
    },
    "backgroundColorStyle": {"rgbColor": THEME["BACKGROUND"]},
}
_THEME: Json = {
    "primaryFontFamily": "Arial",
    "themeColors": [{"colorType": name, "color": {"rgbColor": colour}} for name, colour in THEME.items()],
}

_CELL_NAMES = """userEnteredValue effectiveValue formattedValue userEnteredFormat effectiveFormat hyperlink note
textFormatRuns dataValidation pivotTable dataSourceTable dataSourceFormula chipRuns"""
_SHEET_NAMES = """properties data merges conditionalFormats filterViews protectedRanges basicFilter charts bandedRanges
developerMetadata rowGroups columnGroups slicers tables"""
_BOOK_PROPERTIES = """title locale autoRecalc timeZone defaultFormat iterativeCalculationSettings spreadsheetTheme
importFunctionsExternalUrlAccessAllowed"""
_SHEET_PROPERTIES = """sheetId title index sheetType gridProperties hidden tabColor tabColorStyle rightToLeft
dataSourceSheetProperties"""


def _names(text: str) -> Json:
    return dict.fromkeys(text.split())


_SPREADSHEET: Json = {
    **_names("spreadsheetId namedRanges spreadsheetUrl developerMetadata dataSources dataSourceSchedules"),
    "properties": _names(_BOOK_PROPERTIES),
    "sheets": {
        **_names(_SHEET_NAMES),
        "properties": _names(_SHEET_PROPERTIES),
        "data": {
            **_names("startRow startColumn rowMetadata columnMetadata"),
            "rowData": {"values": _names(_CELL_NAMES)},
        },
    },
}
_KNOWN: dict[str, Json] = {
    "Spreadsheet": _SPREADSHEET,
    "Drive": {},
    "BatchUpdate": {"spreadsheetId": None, "replies": None, "updatedSpreadsheet": _SPREADSHEET},
}


@lru_cache(maxsize=512)
def checked_mask(text: str, message: str) -> Mask:
    """The compiled `fields` parameter for a message; 400 for a name which the message does not have."""
    try:
        mask = compile_mask(text)
        _check(mask, _KNOWN[message] or None, "")
    except BadMask as error:
        raise bad_mask(str(error)) from None
    return mask


def _check(mask: Mask, known: Json | None, path: str) -> None:
    for name, under in (mask or {}).items():
        if known is not None and name not in known:
            raise BadMask(path + name)
        _check(under, (known or {}).get(name), f"{path}{name}.")


@dataclass(slots=True)
class View:
    """Who looks at which part of a book."""

    book: Spreadsheet
    user: str
    ranges: list[tuple[Sheet, Area]] = field(default_factory=list)

    def sheets(self) -> list[Sheet]:
        """The sheets that are shown: with ranges, only those a range lies on."""
        if not self.ranges:
            return self.book.sheets
        return [sheet for sheet in self.book.sheets if any(sheet is held for held, _ in self.ranges)]

    def areas(self, sheet: Sheet) -> list[Area]:
        """The parts of a sheet whose cells are shown."""
        return [area for held, area in self.ranges if held is sheet] if self.ranges else [sheet.area()]


def spreadsheet(view: View, mask: Mask, grid_data: bool) -> Json:
    """A Spreadsheet. A mask decides by itself whether cells are shown."""
    answer: Json = {}
    for name, build in _BOOK.items():
        if mask is None or name in mask:
            value = build(view)
            if value is not None:
                answer[name] = pick(value, below(mask, name))
    if mask is None or "sheets" in mask:
        under = below(mask, "sheets")
        answer["sheets"] = [_sheet(view, sheet, under, grid_data or mask is not None) for sheet in view.sheets()]
    return answer


def _book_properties(view: View) -> Json:
    book = view.book
    return {
        "title": book.title,
        "locale": book.locale,
        "autoRecalc": book.auto_recalc,
        "timeZone": book.time_zone,
        "defaultFormat": DEFAULT_FORMAT,
        "spreadsheetTheme": _THEME,
    }


_BOOK: dict[str, Callable[[View], Any]] = {
    "spreadsheetId": lambda view: view.book.id,
    "properties": _book_properties,
    "namedRanges": lambda view: view.book.named_ranges or None,
    "spreadsheetUrl": lambda view: f"https://docs.google.com/spreadsheets/d/{view.book.id}/edit",
    "developerMetadata": lambda view: _metadata(view.book, "spreadsheet", True) or None,
}


def sheet_properties(sheet: Sheet) -> Json:
    """SheetProperties."""
    return {
        "sheetId": sheet.sheet_id,
        "title": sheet.title,
        "index": sheet.book.sheets.index(sheet),
        "sheetType": "GRID",
        "gridProperties": {
            "rowCount": sheet.row_count,
            "columnCount": sheet.column_count,
            **sheet.grid_properties,
        },
        **sheet.properties,
    }


def _sheet(view: View, sheet: Sheet, mask: Mask, grid_data: bool) -> Json:
    answer: Json = {}
    if mask is None or "properties" in mask:
        answer["properties"] = pick(sheet_properties(sheet), below(mask, "properties"))
    if grid_data and (mask is None or "data" in mask):
        under = below(mask, "data")
        answer["data"] = [_grid_data(sheet, area, under) for area in view.areas(sheet)]
    for name in ATTACHED:
        if (mask is None or name in mask) and (lying := attached(view, sheet, name)):
            answer[name] = pick(lying, below(mask, name))
    if sheet.basic_filter is not None and (mask is None or "basicFilter" in mask):
        answer["basicFilter"] = pick(sheet.basic_filter, below(mask, "basicFilter"))
    if sheet.book.metadata and (mask is None or "developerMetadata" in mask):
        held = _metadata(sheet.book, "sheetId", sheet.sheet_id)
        if held:
            answer["developerMetadata"] = pick(held, below(mask, "developerMetadata"))
    return answer


def attached(view: View, sheet: Sheet, name: str) -> list[Json]:
    """Objects on a sheet; of a protected range, its editors only for those who may edit it."""
    lying = sheet.attached.get(name, [])
    if name == "protectedRanges":
        return [protected(view.book, held, view.user) for held in lying]
    if name == "tables":
        return [tables.shown(sheet, held) for held in lying]
    return [*lying, *tables.bands(sheet)] if name == "bandedRanges" else lying


def protected(book: Spreadsheet, held: Json, user: str) -> Json:
    """A ProtectedRange as one user sees it."""
    # `editors` is visible only to those who may edit, and to them not whole: Sheets reference 3.6, and 2.2.
    if not may_edit(book, held, user):
        return {key: value for key, value in held.items() if key != "editors"}
    users = held.get("editors", {}).get("users", [])
    part = users if user == book.owner or held.get("warningOnly") else [one for one in users if one == user]
    return {**held, "editors": {"users": part}, "requestingUserCanEdit": True}


def _metadata(book: Spreadsheet, key: str, value: Any) -> list[Json]:
    return [held for held in book.metadata if held["location"].get(key) == value]


def _grid_data(sheet: Sheet, area: Area, mask: Mask) -> Json:
    answer: Json = {}
    if area.top and (mask is None or "startRow" in mask):
        answer["startRow"] = area.top
    if area.left and (mask is None or "startColumn" in mask):
        answer["startColumn"] = area.left
    if mask is None or "rowData" in mask:
        under = below(mask, "rowData")
        rows = _row_data(sheet, area, None if under is None else below(under, "values"))
        if rows:
            answer["rowData"] = rows
    if mask is None or "rowMetadata" in mask:
        under = below(mask, "rowMetadata")
        answer["rowMetadata"] = [pick(line_properties(sheet, "ROWS", row), under) for row in range(*area[:2])]
    if mask is None or "columnMetadata" in mask:
        under = below(mask, "columnMetadata")
        answer["columnMetadata"] = [pick(line_properties(sheet, "COLUMNS", c), under) for c in range(*area[2:])]
    return answer


def line_properties(sheet: Sheet, dimension: str, index: int) -> Json:
    """DimensionProperties of one row or column."""
    lines, size = (sheet.row_properties, 21) if dimension == "ROWS" else (sheet.column_properties, 100)
    held = lines[index] if index < len(lines) else None
    answer = {"pixelSize": size, **(held or {})}
    for entry in sheet.book.metadata:
        span = entry["location"].get("dimensionRange")
        if (
            span
            and (span.get("sheetId", 0), span["dimension"]) == (sheet.sheet_id, dimension)
            and (span["startIndex"] <= index < span["endIndex"])
        ):
            answer.setdefault("developerMetadata", []).append(entry)
    return answer


def _row_data(sheet: Sheet, area: Area, mask: Mask) -> list[Json] | Pieces:
    """Rows of cells, without empty ends."""
    lines = sheet.rows[area.top : area.bottom]
    wanted = _CELL if mask is None else {name: _CELL[name] for name in mask if name in _CELL}
    while lines and not any(cell is not None for cell in lines[-1][area.left : area.right]):
        lines.pop()

    def rows(start: int, end: int) -> list[Json]:
        return [_row(line[area.left : area.right], wanted, mask) for line in lines[start:end]]

    return Pieces(len(lines), rows) if len(lines) > PIECE else rows(0, PIECE)


def _row(part: Row, wanted: dict[str, Callable[[Cell], Any]], mask: Mask) -> Json:
    while part and part[-1] is None:
        part.pop()
    return {"values": [{} if cell is None else _cell(cell, wanted, mask) for cell in part]} if part else {}


def _cell(cell: Cell, wanted: dict[str, Callable[[Cell], Any]], mask: Mask) -> Json:
    answer: Json = {}
    for name, build in wanted.items():
        value = build(cell)
        if value is not None:
            answer[name] = value if mask is None or mask[name] is None else pick(value, mask[name])
    return answer


def _effective_format(cell: Cell) -> Json | None:
    if cell.format is None and cell.value is None:
        return None
    own = cell.format or {}
    text = {**DEFAULT_FORMAT["textFormat"], **own.get("textFormat", {})}
    return {**DEFAULT_FORMAT, **own, "textFormat": text}


def _extra(name: str) -> Callable[[Cell], Any]:
    return lambda cell: (cell.extra or {}).get(name)


_CELL: dict[str, Callable[[Cell], Any]] = {
    "userEnteredValue": lambda cell: to_extended(cell.value),
    "effectiveValue": effective,
    "formattedValue": lambda cell: None if cell.value is None else number_format.shown(cell),
    "userEnteredFormat": lambda cell: cell.format,
    "effectiveFormat": _effective_format,
    "note": lambda cell: cell.note,
    "dataValidation": lambda cell: cell.validation,
    "hyperlink": _extra("hyperlink"),
    "textFormatRuns": _extra("textFormatRuns"),
    "chipRuns": _extra("chipRuns"),
}
