"""Requests of a batch that change cells: updateCells, appendCells, repeatCell, setDataValidation, sortRange.

Source: reference/google-sheets.md section 3.6; the requests' descriptions in the discovery document.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sheetsync.sandbox.google import tables
from sheetsync.sandbox.google.a1 import Area, column_name
from sheetsync.sandbox.google.cells import Cell, cell_or_none, from_extended
from sheetsync.sandbox.google.checks import check_condition
from sheetsync.sandbox.google.edit import Edit, as_kept, check_size, mask_of
from sheetsync.sandbox.google.fields import Mask, overlay
from sheetsync.sandbox.google.filters import is_shown
from sheetsync.sandbox.google.find import find_replace
from sheetsync.sandbox.google.grid import Sheet

Json = dict[str, Any]

_EXTRA = ("textFormatRuns", "chipRuns")
_WRITABLE = frozenset(("userEnteredValue", "userEnteredFormat", "note", "dataValidation", *_EXTRA))
_READ_ONLY = frozenset(("effectiveValue", "formattedValue", "effectiveFormat", "hyperlink"))
_ALL: Json = dict.fromkeys(_WRITABLE)
_VALUE_ONLY: Json = {"userEnteredValue": None}


def cell_mask(payload: Json) -> Json:
    """The mask over CellData of a request; the root `*` means all that can be written."""
    return _cell_mask(payload.get("fields") or "")


@lru_cache(maxsize=256)
def _cell_mask(text: str) -> Json:
    mask = mask_of({"fields": text})
    if mask is None:
        return _ALL
    for name in mask:
        if name not in _WRITABLE and name not in _READ_ONLY:
            raise ValueError(f"Invalid field: {name}")
    return mask


def applied(old: Cell | None, data: Json, mask: Json) -> Cell | None:
    """A cell after the masked fields were taken from the data; what the data lacks is cleared."""
    if mask == _VALUE_ONLY:
        value = from_extended(data.get("userEnteredValue"))
        return cell_or_none(value) if old is None else cell_or_none(value, old.format, old.note, old.validation)
    held = old or Cell(None)
    value, extra = held.value, held.extra or {}
    if "userEnteredValue" in mask:
        value, extra = from_extended(data.get("userEnteredValue")), {}
    format_ = _masked_format(held.format or {}, data, mask)
    note = data.get("note") if "note" in mask else held.note
    validation = _validation(data.get("dataValidation")) if "dataValidation" in mask else held.validation
    for name in _EXTRA:
        if name in mask:
            extra = overlay(extra, as_kept(data), {name: None})
    return cell_or_none(value, format_, note, validation, extra)


def _validation(given: Json | None) -> Json | None:
    rule: Json | None = as_kept(given)
    if rule:
        check_condition(rule.get("condition"), validation=True)
    return rule


def _masked_format(old: Json, data: Json, mask: Json) -> Json:
    if "userEnteredFormat" not in mask:
        return old
    under: Mask = mask["userEnteredFormat"]
    new = as_kept(data.get("userEnteredFormat") or {})
    changed = overlay(old, new, under)
    # "numberFormat: type is required": Sheets reference 3.6.
    number = changed.get("numberFormat")
    if number is not None and not number.get("type"):
        raise ValueError("Invalid numberFormat: type is required")
    return changed


def _update_cells(edit: Edit, payload: Json) -> None:
    """With `start` the rows alone are written; with `range`, the rest of the range is cleared under the mask."""
    mask, rows = cell_mask(payload), payload.get("rows") or []
    if payload.get("range") is not None:
        sheet, area = edit.writable(payload["range"])
        _check_fits(rows, area)
        rows = _filled_up(rows, area)
    else:
        sheet, area = _started(edit, payload.get("start") or {}, rows)
        area = area._replace(top=area.top + sheet.displaced, bottom=area.bottom + sheet.displaced)
    for row, data in enumerate(rows, area.top):
        _write_row(edit, sheet, row, area.left, (data or {}).get("values") or [], mask)
    sheet.touch()


def _started(edit: Edit, start: Json, rows: list[Json]) -> tuple[Sheet, Area]:
    sheet = edit.sheet(start.get("sheetId"))
    top, left = start.get("rowIndex") or 0, start.get("columnIndex") or 0
    width = max((len((row or {}).get("values") or ()) for row in rows), default=0)
    area = Area(top, top + len(rows), left, left + width)
    _check_span("row", top, area.bottom, sheet.row_count)
    _check_span("column", left, area.right, sheet.column_count)
    return sheet, area


def _check_span(name: str, start: int, end: int, size: int) -> None:
    if not 0 <= start < size:
        raise ValueError(f"GridCoordinate.{name}Index[{start}] is after last {name} in grid[{size}]")
    if end > size:
        raise ValueError(f"Attempting to write {name}: {size}, beyond the last {name} of: {size - 1}")


def _check_fits(rows: list[Json], area: Area) -> None:
    last = area.top + len(rows)
    if last > area.bottom:
        raise ValueError(f"Attempting to write row: {area.bottom}, beyond the last requested row of: {area.bottom - 1}")
    width = max((len((row or {}).get("values") or ()) for row in rows), default=0)
    if area.left + width > area.right:
        said = f"Attempting to write column: {area.right}, beyond the last requested column of: {area.right - 1}"
        raise ValueError(said)


def _filled_up(rows: list[Json], area: Area) -> list[Json]:
    width, height = area.right - area.left, area.bottom - area.top
    given = [list((row or {}).get("values") or ()) for row in rows]
    full = [row + [{}] * (width - len(row)) for row in given]
    return [{"values": row} for row in full + [[{}] * width] * (height - len(full))]


def _write_row(edit: Edit, sheet: Sheet, row: int, left: int, values: list[Json | None], mask: Json) -> None:
    if not values:
        return
    area = Area(row, row + 1, left, left + len(values))
    edit.guard(sheet, area)
    tables.guard(sheet, area, mask)
    if edit.book.is_strict and "userEnteredValue" in mask:
        _check_words(sheet, area, values)
    part = [applied(sheet.cell(row, left + at), data or {}, mask) for at, data in enumerate(values)]
    if row < len(sheet.rows) or any(part):
        sheet.put_part(row, left, part)


def _check_words(sheet: Sheet, area: Area, values: list[Json | None]) -> None:
    """Of programs it is said that they may write anything (reference 3.6); this is how a person is refused."""
    for column, data in enumerate(values, area.left):
        cell, value = sheet.cell(area.top, column), from_extended((data or {}).get("userEnteredValue"))
        rule = (cell and cell.validation) or {}
        words = [held.get("userEnteredValue") for held in rule.get("condition", {}).get("values", ())]
        if rule.get("strict") and words and value is not None and value not in words:
            place = f"{column_name(column)}{area.top + 1}"
            raise ValueError(
                f"The data you entered in cell {place} violates the data validation rules set on this cell."
            )


def _append_cells(edit: Edit, payload: Json) -> None:
    """Writes below the last row with data, adding rows where the sheet ends."""
    # Unlike values.append it looks for no table: the last row with any value decides.
    sheet, mask, rows = edit.sheet(payload.get("sheetId")), cell_mask(payload), payload.get("rows") or []
    top = sheet.rows_used
    check_size(edit.book, max(sheet.row_count, top + len(rows)), sheet.column_count, sheet)
    sheet.row_count = max(sheet.row_count, top + len(rows))
    _, area = _started(edit, {"sheetId": sheet.sheet_id, "rowIndex": top}, rows) if rows else (sheet, None)
    for row, data in enumerate(rows, area.top if area else 0):
        _write_row(edit, sheet, row, 0, (data or {}).get("values") or [], mask)
    sheet.touch()


def _repeat_cell(edit: Edit, payload: Json) -> None:
    sheet, area = edit.writable(payload.get("range"))
    mask, data = cell_mask(payload), payload.get("cell") or {}
    tables.guard(sheet, area, mask)
    sheet.change(area, lambda cell: applied(cell, data, mask))


def _set_data_validation(edit: Edit, payload: Json) -> None:
    sheet, area = edit.writable(payload.get("range"))
    tables.guard(sheet, area, {"dataValidation": None})
    rule = _validation(payload.get("rule"))

    def ruled(cell: Cell | None) -> Cell | None:
        held = cell or Cell(None)
        return cell_or_none(held.value, held.format, held.note, rule, held.extra)

    for top, bottom in [(area.top, area.bottom)] if payload.get("filteredRowsIncluded") else _shown(sheet, area):
        sheet.change(area._replace(top=top, bottom=bottom), ruled)


def _shown(sheet: Sheet, area: Area) -> Iterator[tuple[int, int]]:
    """The rows of an area that no filter hides, block by block: Sheets reference 8."""
    hidden = [row for row in range(area.top, min(area.bottom, sheet.rows_used)) if not is_shown(sheet, row)]
    starts, ends = [area.top, *(row + 1 for row in hidden)], [*hidden, area.bottom]
    return (block for block in zip(starts, ends, strict=True) if block[0] < block[1])


def _sort_range(edit: Edit, payload: Json) -> None:
    sheet, area = edit.writable(payload.get("range"))
    specs = payload.get("sortSpecs") or []
    columns = [spec.get("dimensionIndex") or 0 for spec in specs]
    if not specs or not all(area.left <= column < area.right for column in columns):
        raise ValueError("sortSpecs must name columns inside the range")
    sheet.sort(area, columns, [spec.get("sortOrder") != "DESCENDING" for spec in specs])


KINDS = {
    "updateCells": (_update_cells, "rows fields start range"),
    "appendCells": (_append_cells, "sheetId rows fields"),
    "repeatCell": (_repeat_cell, "range cell fields"),
    "setDataValidation": (_set_data_validation, "range rule filteredRowsIncluded"),
    "sortRange": (_sort_range, "range sortSpecs"),
    "findReplace": (
        find_replace,
        "find replacement matchCase matchEntireCell searchByRegex includeFormulas range sheetId allSheets",
    ),
}
