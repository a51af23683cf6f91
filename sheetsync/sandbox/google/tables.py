"""Tables ("Convert to table"): named ranges whose columns may have types, and what Google refuses in typed columns.

Number formats and validations of a typed column are the table's own. A value of any kind is taken, as the editor takes
one that is not of the column's type; a row written below a table, or a column beside it, is no part of it.
Source: reference/google-sheets.md sections 3.6 and 8; the requests' descriptions in the discovery document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zlib import crc32

from sheetsync.sandbox.google.a1 import Area, area_of
from sheetsync.sandbox.google.cells import with_value
from sheetsync.sandbox.google.edit import Edit, mask_of, without_nulls
from sheetsync.sandbox.google.errors import TYPED_FORMAT, TYPED_VALIDATION
from sheetsync.sandbox.google.fields import overlay
from sheetsync.sandbox.google.grid import Sheet

Json = dict[str, Any]

_CHIPS = ("FILES_CHIP", "PEOPLE_CHIP", "FINANCE_CHIP", "PLACE_CHIP", "RATINGS_CHIP")
TYPES = ("DOUBLE", "CURRENCY", "PERCENT", "DATE", "TIME", "DATE_TIME", "TEXT", "BOOLEAN", "DROPDOWN", *_CHIPS)


def areas(sheet: Sheet) -> list[Area]:
    """Where the tables of a sheet lie, header rows included."""
    return [area_of(held["range"], sheet.row_count, sheet.column_count) for held in sheet.attached.get("tables", ())]


def _typed(sheet: Sheet) -> Iterator[Area]:
    """The cells below the headers of typed columns."""
    for held in sheet.attached.get("tables", ()):
        whole = area_of(held["range"], sheet.row_count, sheet.column_count)
        for column in held["columns"]:
            left = column["range"]["startColumnIndex"]
            yield Area(whole.top + 1, whole.bottom, left, left + 1)


def is_typed(sheet: Sheet, row: int, column: int) -> bool:
    """Whether a cell stands below the header of a typed column."""
    cell = Area(row, row + 1, column, column + 1)
    return any(typed.holds(cell) for typed in _typed(sheet))


def guard(sheet: Sheet, area: Area, mask: Mapping[str, Any]) -> None:
    """Raises ValueError where the masked fields of cells include what only the type of their column says."""
    if "tables" not in sheet.attached or not any(typed.meets(area) for typed in _typed(sheet)):
        return
    if "dataValidation" in mask:
        raise ValueError(TYPED_VALIDATION)
    if "table_takes_formats" in sheet.book.quirks:
        return
    if "userEnteredFormat" in mask and "numberFormat" in (mask["userEnteredFormat"] or ("numberFormat",)):
        raise ValueError(TYPED_FORMAT)


def shown(sheet: Sheet, held: Json) -> Json:
    """A Table as Google prints it: every column, by its place in the table."""
    whole = area_of(held["range"], sheet.row_count, sheet.column_count)
    types = {column["range"]["startColumnIndex"]: column for column in held["columns"]}
    columns = []
    for index, at in enumerate(range(whole.left, whole.right)):
        typed = {key: value for key, value in types.get(at, {}).items() if key != "range"}
        # a zero is left out, as in all of Google's JSON (2.2)
        place = {"columnIndex": index} if index else {}
        columns.append({**place, "columnName": str(sheet.value(whole.top, at) or ""), **typed})
    return {**{key: value for key, value in held.items() if key != "columns"}, "columnProperties": columns}


def bands(sheet: Sheet) -> list[Json]:
    """A table's colours are alternating ones: its range shows among the banded ranges, too."""
    return [
        {"bandedRangeId": crc32(held["tableId"].encode()) >> 1, "range": held["range"]}
        for held in sheet.attached.get("tables", ())
    ]


def add(edit: Edit, given: Json) -> Json:
    """Makes a table of a range whose first row holds the headers; gives it as it is printed."""
    sheet, held = _checked(edit, {"tableId": str(edit.book.fresh_id()), **given})
    sheet.attached.setdefault("tables", []).append(held)
    sheet.touch()
    return shown(sheet, held)


def _checked(edit: Edit, given: Json, but: str = "") -> tuple[Sheet, Json]:
    """A table as it is kept; `but` is the id of the one that it replaces."""
    sheet, area = edit.writable(given.get("range"))
    if area.bottom - area.top < 2:
        raise ValueError("A table needs a header row and at least one row below it.")
    everywhere = [held for tab in edit.book.sheets for held in tab.attached.get("tables", ()) if held["tableId"] != but]
    taken = {held["name"].casefold() for held in everywhere}
    name = given.get("name") or next(f"Table{n}" for n in range(1, len(taken) + 2) if f"table{n}" not in taken)
    if name.casefold() in taken:
        raise ValueError(f"A table with the name '{name}' already exists.")
    _check_free(sheet, area, but)
    columns = _columns(edit, sheet, area, given.get("columnProperties") or [])
    kept = {key: value for key, value in given.items() if key != "columnProperties"}
    return sheet, {**kept, "name": name, "range": edit.stored(given["range"]), "columns": columns}


def _check_free(sheet: Sheet, area: Area, but: str) -> None:
    size = (sheet.row_count, sheet.column_count)
    others = [held for held in sheet.attached.get("tables", ()) if held["tableId"] != but]
    lying = [*others, *({"range": merge} for merge in sheet.attached.get("merges", ()))]
    lying += sheet.attached.get("bandedRanges", ())
    lying += [sheet.basic_filter] if sheet.basic_filter else []
    if any(area_of(held["range"], *size).meets(area) for held in lying):
        raise ValueError("A table can't overlap another table, a filter, merged cells or alternating colors.")


def _columns(edit: Edit, sheet: Sheet, area: Area, given: list[Json]) -> list[Json]:
    """The typed columns, each on the column it stands in; header cells say the columns' names."""
    columns, names = [], {column.get("columnIndex", 0): column.get("columnName", "") for column in given}
    for column in given:
        at, kind = area.left + column.get("columnIndex", 0), column.get("columnType", "COLUMN_TYPE_UNSPECIFIED")
        rule = column.get("dataValidationRule")
        if not area.left <= at < area.right:
            raise ValueError(f"columnIndex[{column.get('columnIndex', 0)}] is outside of the table.")
        if kind not in TYPES and kind != "COLUMN_TYPE_UNSPECIFIED":
            raise ValueError(f"Invalid columnType: {kind}")
        if rule and (kind != "DROPDOWN" or rule.get("condition", {}).get("type") != "ONE_OF_LIST"):
            raise ValueError("A dataValidationRule is a ONE_OF_LIST of a DROPDOWN column.")
        if kind in TYPES:
            place = edit.stored({"sheetId": sheet.sheet_id, "startColumnIndex": at, "endColumnIndex": at + 1})
            columns.append({"range": place, "columnType": kind, **({"dataValidationRule": rule} if rule else {})})
    for index, at in enumerate(range(area.left, area.right)):
        name = names.get(index) or sheet.value(area.top, at) or f"Column {index + 1}"
        sheet.put(area.top, at, with_value(sheet.cell(area.top, at), name))
    return columns


def _found(edit: Edit, table_id: Any) -> tuple[Sheet, int]:
    for sheet in edit.book.sheets:
        for index, held in enumerate(sheet.attached.get("tables", ())):
            if held["tableId"] == table_id:
                return sheet, index
    raise ValueError(f"No table with id: {table_id}")


def _add_table(edit: Edit, payload: Json) -> Json:
    return {"addTable": {"table": add(edit, without_nulls(payload.get("table") or {}))}}


def _update_table(edit: Edit, payload: Json) -> None:
    mask, given = mask_of(payload), without_nulls(payload.get("table") or {})
    sheet, index = _found(edit, given.get("tableId"))
    old = sheet.attached["tables"][index]
    changed = {**overlay(shown(sheet, old), given, mask), "tableId": old["tableId"]}
    _, sheet.attached["tables"][index] = _checked(edit, changed, but=old["tableId"])
    sheet.touch()


def _delete_table(edit: Edit, payload: Json) -> None:
    """The table goes with all that stands in it."""
    sheet, index = _found(edit, payload.get("tableId"))
    area = areas(sheet)[index]
    edit.guard(sheet, area)
    del sheet.attached["tables"][index]
    sheet.change(area, lambda cell: with_value(cell, None))


KINDS = {
    "addTable": (_add_table, "table"),
    "updateTable": (_update_table, "table fields"),
    "deleteTable": (_delete_table, "tableId"),
}
