"""Tables ("Convert to table"): ranges whose columns have a type, in which Google takes values and no formats.

Owns `addTable` and `deleteTable`, and what is refused in typed columns. Source: Sheets reference 8.
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.a1 import Area, area_of
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.edit import Edit, without_nulls
from sheetsync.sandbox.google.grid import Sheet

Json = dict[str, Any]

REFUSED = "You can't set the number format of cells in a typed column."


def table_at(sheet: Sheet, row: int, column: int) -> Json | None:
    """The table that a cell lies in, below its header row."""
    cell = Area(row, row + 1, column, column + 1)
    for held in sheet.attached.get("tables", ()):
        area = area_of(held["range"], sheet.row_count, sheet.column_count)
        if area._replace(top=area.top + 1).holds(cell):
            return held
    return None


def check_formats(edit: Edit, payload: Json) -> None:
    """Refuse an `updateCells` that formats numbers where a table's column decides that. Raises ValueError."""
    start = payload.get("start") or {}
    if "numberFormat" not in (payload.get("fields") or "") or "table_takes_formats" in edit.book.quirks:
        return
    if start and table_at(edit.sheet(start.get("sheetId")), start.get("rowIndex") or 0, start.get("columnIndex") or 0):
        raise ValueError(REFUSED)


def _add_table(edit: Edit, payload: Json) -> Json:
    given = without_nulls(payload.get("table") or {})
    sheet, area = edit.writable(given.get("range"))
    tables = sheet.attached.setdefault("tables", [])
    if any(area_of(held["range"], sheet.row_count, sheet.column_count).meets(area) for held in tables):
        raise ValueError("You can't create a table over another table.")
    held = {"tableId": str(edit.book.fresh_id()), **given, "range": edit.stored(given.get("range"))}
    tables.append(held)
    for column in given.get("columnProperties", ()):
        sheet.put(area.top, area.left + column.get("columnIndex", 0), Cell(column["columnName"]))
    sheet.touch()
    return {"addTable": {"table": held}}


def _delete_table(edit: Edit, payload: Json) -> None:
    for sheet in edit.book.sheets:
        for at, held in enumerate(sheet.attached.get("tables", ())):
            if held["tableId"] == payload.get("tableId"):
                edit.guard(sheet, area_of(held["range"], sheet.row_count, sheet.column_count))
                del sheet.attached["tables"][at]
                sheet.touch()
                return
    raise ValueError(f"No table with id: {payload.get('tableId')}")


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
    "addTable": (_add_table, "table"),
    "deleteTable": (_delete_table, "tableId"),
    "mergeCells": (_merge_cells, "range mergeType"),
}
