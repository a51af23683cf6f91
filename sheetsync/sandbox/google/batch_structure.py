"""Requests of a batch that change the book's properties, its sheets, and their rows and columns.

Source: reference/google-sheets.md sections 2.2 and 3.6; the requests' descriptions in the discovery document.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sheetsync.sandbox.google.a1 import Area, Dimension
from sheetsync.sandbox.google.edit import Edit, as_kept, check_size, mask_of
from sheetsync.sandbox.google.fields import overlay
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.render import sheet_properties

Json = dict[str, Any]

_SIZE = ("rowCount", "columnCount")
_FIXED = ("sheetId", "title", "index", "sheetType", "gridProperties")


def _update_spreadsheet_properties(edit: Edit, payload: Json) -> None:
    mask, given = mask_of(payload), payload.get("properties") or {}
    wanted = given if mask is None else mask
    if "title" in wanted and given.get("title"):
        edit.book.title = given["title"]
    if "locale" in wanted and given.get("locale"):
        edit.book.locale = given["locale"]
    if "timeZone" in wanted and given.get("timeZone"):
        edit.book.time_zone = _known_zone(given["timeZone"])
    if "autoRecalc" in wanted and given.get("autoRecalc"):
        if given["autoRecalc"] not in ("ON_CHANGE", "MINUTE", "HOUR"):
            raise ValueError(f"Invalid autoRecalc: {given['autoRecalc']}")
        edit.book.auto_recalc = given["autoRecalc"]
    edit.book.touch()


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError) as error:
        raise ValueError(f"Invalid timeZone: {name}") from error


def _add_sheet(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("properties") or {})
    title = given.get("title") or _free_title(edit)
    _check_title(edit, title)
    sheet_id = given.get("sheetId")
    if sheet_id is not None and edit.book.sheet_by_id(sheet_id) is not None:
        raise ValueError(f"A sheet with the id {sheet_id} already exists. Please use another id.")
    if sheet_id is not None and sheet_id < 0:
        raise ValueError(f"Invalid sheetId: {sheet_id}")
    grid = given.get("gridProperties", {})
    _check_grid(edit, grid, grid.get("rowCount", 1000), grid.get("columnCount", 26))
    sheet = edit.book.add_sheet(title, sheet_id, grid.get("rowCount", 1000), grid.get("columnCount", 26))
    if given.get("index") is not None:
        _place(edit, sheet, given["index"])
    sheet.grid_properties = {key: value for key, value in grid.items() if key not in _SIZE and value}
    sheet.properties = {key: value for key, value in given.items() if key not in _FIXED and value}
    return {"addSheet": {"properties": sheet_properties(sheet)}}


def _free_title(edit: Edit) -> str:
    taken = {sheet.title for sheet in edit.book.sheets}
    return next(f"Sheet{index}" for index in range(1, len(taken) + 2) if f"Sheet{index}" not in taken)


def _check_title(edit: Edit, title: str, but: Sheet | None = None) -> None:
    if any(sheet.title.casefold() == title.casefold() for sheet in edit.book.sheets if sheet is not but):
        raise ValueError(f'A sheet with the name "{title}" already exists. Please enter another name.')


def _place(edit: Edit, sheet: Sheet, index: int) -> None:
    if not 0 <= index < len(edit.book.sheets):
        raise ValueError(f"Invalid index: {index}. There are {len(edit.book.sheets)} sheets.")
    edit.book.sheets.remove(sheet)
    edit.book.sheets.insert(index, sheet)


def _delete_sheet(edit: Edit, payload: Json) -> None:
    sheet = edit.sheet(payload.get("sheetId"))
    edit.guard(sheet, sheet.area())
    if len(edit.book.sheets) == 1:
        raise ValueError("You can't remove all the sheets in a document.")
    edit.book.sheets.remove(sheet)
    book = edit.book
    book.named_ranges = [held for held in book.named_ranges if held["range"].get("sheetId", 0) != sheet.sheet_id]
    book.metadata = [held for held in book.metadata if not _lies_on(held["location"], sheet.sheet_id)]
    book.touch()


def _lies_on(location: Json, sheet_id: int) -> bool:
    return sheet_id in (location.get("sheetId"), location.get("dimensionRange", {}).get("sheetId"))


def _update_sheet_properties(edit: Edit, payload: Json) -> None:
    mask, given = mask_of(payload), as_kept(payload.get("properties") or {})
    sheet = edit.sheet(given.get("sheetId"))
    edit.guard_structure(sheet)
    changed = overlay(sheet_properties(sheet), given, mask)
    if mask is None or "title" in mask:
        if not changed.get("title"):
            raise ValueError("The title of a sheet must not be empty.")
        _check_title(edit, changed["title"], but=sheet)
        sheet.title = changed["title"]
    if mask is None or "gridProperties" in mask:
        _resize(edit, sheet, changed.get("gridProperties", {}))
    if (mask is None or "index" in mask) and "index" in given:
        # An index counts places before the sheet is taken out of its own.
        _place(edit, sheet, given["index"] - (given["index"] > edit.book.sheets.index(sheet)))
    sheet.properties = {key: value for key, value in changed.items() if key not in _FIXED and value}
    # Checked after the change, which is undone with the batch: Sheets reference 2.2 has this very message.
    if all(held.properties.get("hidden") for held in edit.book.sheets):
        raise ValueError("You can't hide all the sheets in a document.")
    sheet.touch()


def _resize(edit: Edit, sheet: Sheet, grid: Json) -> None:
    rows, columns = grid.get("rowCount", sheet.row_count), grid.get("columnCount", sheet.column_count)
    _check_grid(edit, grid, rows, columns, sheet)
    if rows < sheet.row_count:
        _delete(edit, sheet, "ROWS", rows, sheet.row_count)
    if columns < sheet.column_count:
        _delete(edit, sheet, "COLUMNS", columns, sheet.column_count)
    sheet.row_count, sheet.column_count = rows, columns
    sheet.grid_properties = {key: value for key, value in grid.items() if key not in _SIZE and value}


def _check_grid(edit: Edit, grid: Json, rows: int, columns: int, sheet: Sheet | None = None) -> None:
    if rows < 1 or columns < 1:
        raise ValueError("You can't delete all the rows or columns on the sheet.")
    if not 0 <= grid.get("frozenRowCount", 0) < rows or not 0 <= grid.get("frozenColumnCount", 0) < columns:
        raise ValueError("You can't freeze all visible rows or columns on the sheet.")
    check_size(edit.book, rows, columns, sheet)


def _grow(edit: Edit, sheet: Sheet, dimension: Dimension, count: int) -> None:
    """Refuses what would make the book too large."""
    wide = dimension == "COLUMNS"
    check_size(edit.book, sheet.row_count + count * (not wide), sheet.column_count + count * wide, sheet)


def _span(edit: Edit, range_: Json | None) -> tuple[Sheet, Dimension, int, int]:
    """A DimensionRange: sheet, dimension, start and exclusive end."""
    given = range_ or {}
    sheet, dimension = edit.sheet(given.get("sheetId")), _dimension(given)
    start, end = given.get("startIndex") or 0, given.get("endIndex")
    end = _size(sheet, dimension) if end is None else end
    if not 0 <= start < end:
        raise ValueError(f"range.startIndex[{start}] must be less than range.endIndex[{end}]")
    return sheet, dimension, start, end


def _dimension(given: Json) -> Dimension:
    if given.get("dimension") == "ROWS":
        return "ROWS"
    if given.get("dimension") == "COLUMNS":
        return "COLUMNS"
    raise ValueError("No dimension specified.")


def _size(sheet: Sheet, dimension: Dimension) -> int:
    return sheet.row_count if dimension == "ROWS" else sheet.column_count


def _lines(sheet: Sheet, dimension: Dimension, start: int, end: int) -> Area:
    return sheet.area(top=start, bottom=end) if dimension == "ROWS" else sheet.area(left=start, right=end)


def _insert_dimension(edit: Edit, payload: Json) -> None:
    sheet, dimension, start, end = _span(edit, payload.get("range"))
    edit.guard_structure(sheet)
    before = bool(payload.get("inheritFromBefore"))
    if before and start == 0:
        raise ValueError("inheritFromBefore cannot be true if startIndex is 0")
    if start > _size(sheet, dimension):
        raise ValueError(f"range.startIndex[{start}] is after the last index of the sheet")
    _grow(edit, sheet, dimension, end - start)
    insert = sheet.insert_rows if dimension == "ROWS" else sheet.insert_columns
    insert(start, end - start, like=start - 1 if before else start)


def _append_dimension(edit: Edit, payload: Json) -> None:
    sheet, count = edit.sheet(payload.get("sheetId")), payload.get("length") or 0
    edit.guard_structure(sheet)
    if count < 1:
        raise ValueError("length must be greater than 0")
    _grow(edit, sheet, _dimension(payload), count)
    if _dimension(payload) == "ROWS":
        sheet.row_count += count
    else:
        sheet.column_count += count
    sheet.touch()


def _delete_dimension(edit: Edit, payload: Json) -> None:
    sheet, dimension, start, end = _span(edit, payload.get("range"))
    _delete(edit, sheet, dimension, start, end)


def _delete(edit: Edit, sheet: Sheet, dimension: Dimension, start: int, end: int) -> None:
    size, word = _size(sheet, dimension), "row" if dimension == "ROWS" else "column"
    if end > size:
        tried = f"Tried to delete {word} index {max(start, size)} but there are only {size} {word}s."
        raise ValueError(f"Cannot delete a {word} that doesn't exist. {tried}")
    if end - start == size:
        raise ValueError(f"You can't delete all the {word}s on the sheet.")
    frozen = sheet.grid_properties.get(f"frozen{word.title()}Count", 0)
    if start <= frozen and end == size and frozen:
        raise ValueError(f"Sorry, it is not possible to delete all non-frozen {word}s.")
    edit.guard(sheet, _lines(sheet, dimension, start, end))
    (sheet.delete_rows if dimension == "ROWS" else sheet.delete_columns)(start, end - start)


def _move_dimension(edit: Edit, payload: Json) -> None:
    sheet, dimension, start, end = _span(edit, payload.get("source"))
    to = payload.get("destinationIndex") or 0
    size = _size(sheet, dimension)
    if end > size or not 0 <= to <= size or start < to < end:
        raise ValueError("destinationIndex must lie on the sheet and outside the source")
    edit.guard(sheet, _lines(sheet, dimension, min(start, to), max(end, to)))
    (sheet.move_rows if dimension == "ROWS" else sheet.move_columns)(start, end, to)


def _update_dimension_properties(edit: Edit, payload: Json) -> None:
    mask, given = mask_of(payload), as_kept(payload.get("properties") or {})
    sheet, dimension, start, end = _span(edit, payload.get("range"))
    if end > _size(sheet, dimension):
        raise ValueError(f"range.endIndex[{end}] is after the last index of the sheet")
    edit.guard_structure(sheet)
    lines = sheet.lines(dimension)
    lines.extend([None] * (end - len(lines)))
    for index in range(start, end):
        lines[index] = overlay(lines[index] or {}, given, mask) or None
    sheet.touch()


def _auto_resize_dimensions(edit: Edit, payload: Json) -> None:
    """The sandbox has no fonts to measure with: sizes go back to the default."""
    sheet, dimension, start, end = _span(edit, payload.get("dimensions"))
    lines = sheet.lines(dimension)
    for index in range(start, min(end, len(lines))):
        lines[index] = {key: value for key, value in (lines[index] or {}).items() if key != "pixelSize"} or None
    sheet.touch()


def _merge_cells(edit: Edit, payload: Json) -> None:
    """All of a range into one cell, which keeps what stood at its top left."""
    sheet, area = edit.writable(payload.get("range"))
    if payload.get("mergeType") != "MERGE_ALL":
        raise ValueError("The sandbox merges with MERGE_ALL only.")
    anchor = sheet.cell(area.top, area.left)
    sheet.attached.setdefault("merges", []).append(edit.stored(payload.get("range")))
    for row in range(area.top, area.bottom):
        sheet.put_part(row, area.left, [None] * (area.right - area.left))
    sheet.put(area.top, area.left, anchor)
    sheet.touch()


KINDS = {
    "mergeCells": (_merge_cells, "range mergeType"),
    "updateSpreadsheetProperties": (_update_spreadsheet_properties, "properties fields"),
    "addSheet": (_add_sheet, "properties"),
    "deleteSheet": (_delete_sheet, "sheetId"),
    "updateSheetProperties": (_update_sheet_properties, "properties fields"),
    "insertDimension": (_insert_dimension, "range inheritFromBefore"),
    "appendDimension": (_append_dimension, "sheetId dimension length tableId"),
    "deleteDimension": (_delete_dimension, "range"),
    "moveDimension": (_move_dimension, "source destinationIndex"),
    "updateDimensionProperties": (_update_dimension_properties, "range dataSourceSheetRange properties fields"),
    "autoResizeDimensions": (_auto_resize_dimensions, "dimensions dataSourceSheetDimensions"),
}
