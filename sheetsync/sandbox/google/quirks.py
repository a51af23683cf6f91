"""How Google might behave otherwise than the program relies on: one switch for each, all off.

Owns the switches, and what each changes of a request, of an answer, or of what a refused write leaves behind. None of
them is known of Google: with each, `sheetsync doctor --live` has to tell what is different.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sheetsync.sandbox.google.a1 import Area, area_of
from sheetsync.sandbox.google.cells import Cell, Formula, serial, to_extended
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.errors import PROTECTED, ApiError
from sheetsync.sandbox.google.filters import is_shown
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.number_format import shown
from sheetsync.sandbox.google.protection import Protected
from sheetsync.sandbox.google.tables import is_typed
from sheetsync.sandbox.wire import Response

Json = dict[str, Any]
Changed = Callable[[Edit, Json], Json | None]
"""The payload of a request, changed; None: the request does nothing."""

Place = tuple[Sheet, int, int]


def request_as_met(edit: Edit, kind: str, payload: Json) -> Json | None:
    """What becomes of a request under the switches of its book. Raises ValueError where one of them refuses it."""
    met: Json | None = payload
    for name in sorted(edit.book.quirks & REQUESTS.keys()):
        of_kind, changed = REQUESTS[name]
        if met is not None and kind == of_kind:
            met = changed(edit, met)
    return met


def answer_as_given(book: Spreadsheet, call: str, answer: Json) -> Json:
    """The answer to a call, given by its kind, under the switches of its book."""
    for name in sorted(book.quirks & ANSWERS.keys()):
        of_call, changed = ANSWERS[name]
        if call == of_call:
            changed(answer)
    return answer


def is_kept(book: Spreadsheet, error: BaseException) -> bool:
    """Whether what a refused write did until then stays done."""
    said = error.message if isinstance(error, ApiError) else ""
    return any(name in book.quirks and said.startswith(begin) for name, begin in KEPT.items())


def _place(edit: Edit, start: Json) -> Place:
    return edit.sheet(start.get("sheetId")), start.get("rowIndex") or 0, start.get("columnIndex") or 0


def _texts(changed: Callable[[str], Json]) -> Changed:
    """Texts that are written come out as something else."""

    def value(cell: Json) -> Json:
        held = cell.get("userEnteredValue") or {}
        return {**cell, "userEnteredValue": changed(held["stringValue"])} if "stringValue" in held else cell

    def every(_: Edit, payload: Json) -> Json:
        rows = [{"values": [value(cell) for cell in row.get("values", ())]} for row in payload.get("rows", ())]
        return {**payload, "rows": rows}

    return every


def _text(text: str) -> Json:
    return {"stringValue": text}


def _as_formula(text: str) -> Json:
    return {"formulaValue": text} if text.startswith("=") else _text(text)


def _as_number(text: str) -> Json:
    return {"numberValue": float(text)} if re.fullmatch(r"\d+", text) else _text(text)


def _as_date(text: str) -> Json:
    is_date = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)
    return {"numberValue": serial(datetime.fromisoformat(text))} if is_date else _text(text)


def _as_boolean(text: str) -> Json:
    return {"boolValue": True} if text == "TRUE" else _text(text)


def _at_start(changed: Callable[[Edit, Json, Place], Json | None]) -> Changed:
    """A change of `updateCells` that depends on where it starts; that with a `range` is left alone."""

    def there(edit: Edit, payload: Json) -> Json | None:
        return changed(edit, payload, _place(edit, payload["start"])) if payload.get("start") else payload

    return there


def _but_typed(changed: Changed) -> Changed:
    """In typed columns formats and validations are the table's, and no write has any."""
    return _at_start(lambda edit, payload, place: payload if is_typed(*place) else changed(edit, payload))


def _also_clears(field: str) -> Changed:
    """A write of values takes along what hangs on the cells."""

    def cleared(_: Edit, payload: Json) -> Json:
        fields = payload.get("fields") or ""
        return {**payload, "fields": f"{fields},{field}"} if fields == "userEnteredValue" else payload

    return cleared


def _without_format(_: Edit, payload: Json) -> Json:
    return {**payload, "fields": str(payload.get("fields")).replace(",userEnteredFormat.numberFormat", "")}


def _not_cleared(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, left = place
    if payload.get("fields") != "userEnteredValue":
        return payload
    cells = payload["rows"][0].get("values", ())
    values = [c if c else {"userEnteredValue": to_extended(sheet.value(row, left + n))} for n, c in enumerate(cells)]
    return {**payload, "rows": [{"values": values}, *payload["rows"][1:]]}


def _is_hidden(sheet: Sheet, row: int) -> bool:
    held = sheet.row_properties[row] if row < len(sheet.row_properties) else None
    return bool((held or {}).get("hiddenByUser"))


def _is_filtered(sheet: Sheet, row: int) -> bool:
    return not is_shown(sheet, row)


def _skips(is_out: Callable[[Sheet, int], bool]) -> Changed:
    return _at_start(lambda _, payload, place: None if is_out(place[0], place[1]) else payload)


def _shifted(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, _column = place
    moved = {**payload["start"], "rowIndex": row + 1}
    return {**payload, "start": moved} if _is_filtered(sheet, row) else payload


def _to_anchor(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, column = place
    cell = Area(row, row + 1, column, column + 1)
    for held in sheet.attached.get("merges", ()):
        area = area_of(held, sheet.row_count, sheet.column_count)
        if area.holds(cell):
            return {**payload, "start": {**payload["start"], "rowIndex": area.top, "columnIndex": area.left}}
    return payload


def _grown(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, _column = place
    sheet.row_count = max(sheet.row_count, row + 1)
    return payload


def _warned(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, column = place
    cell = Area(row, row + 1, column, column + 1)
    for held in sheet.attached.get("protectedRanges", ()):
        if held.get("warningOnly") and area_of(held["range"], sheet.row_count, sheet.column_count).holds(cell):
            raise Protected(PROTECTED)
    return payload


def _validated(_: Edit, payload: Json, place: Place) -> Json:
    sheet, row, left = place
    for at, data in enumerate(payload["rows"][0].get("values", ()), start=left):
        rule = (sheet.cell(row, at) or Cell(None)).validation or {}
        offered = [value.get("userEnteredValue") for value in rule.get("condition", {}).get("values", ())]
        said = data.get("userEnteredValue", {}).get("stringValue", "")
        if rule.get("strict") and said and said not in offered:
            raise ValueError(f"The data that you entered violates the data validation rules set on this cell: {said}")
    return payload


def _untyped(_: Edit, payload: Json, place: Place) -> Json:
    if is_typed(*place):
        raise ValueError("This operation is not allowed on cells in typed columns.")
    return payload


def _nothing(_: Edit, __: Json) -> None:
    return None


def _refused(text: str) -> Changed:
    def refuse(_: Edit, __: Json) -> Json:
        raise ValueError(text)

    return refuse


def _found(changed: Callable[[Json, Sheet, int, Cell], Json | None]) -> Changed:
    """A change of `findReplace` on one cell, where something stands in it."""

    def there(edit: Edit, payload: Json) -> Json | None:
        if not payload.get("range"):
            return payload
        sheet, area = edit.area(payload["range"])
        cell = sheet.cell(area.top, area.left)
        return payload if cell is None or cell.value is None else changed(payload, sheet, area.top, cell)

    return there


def _by_pattern(payload: Json, _: Sheet, __: int, cell: Cell) -> Json:
    hit = re.fullmatch(payload["find"], shown(cell))
    return {**payload, "find": shown(cell) if hit else "\0"}


def _trimmed(payload: Json, _: Sheet, __: int, cell: Cell) -> Json:
    is_same = payload["find"].strip() == shown(cell).strip()
    return {**payload, "find": shown(cell)} if is_same else payload


def _in_formulas(payload: Json, sheet: Sheet, row: int, cell: Cell) -> Json:
    if type(cell.value) is Formula and shown(cell) == payload["find"]:
        sheet.put(row, payload["range"]["startColumnIndex"], None)
    return payload


def _not_in_numbers(payload: Json, _: Sheet, __: int, cell: Cell) -> Json | None:
    return None if isinstance(cell.value, int | float) else payload


def _everywhere(_: Edit, payload: Json) -> Json:
    range_ = payload.get("range") or {}
    return {**{name: held for name, held in payload.items() if name != "range"}, "sheetId": range_.get("sheetId", 0)}


REQUESTS: Mapping[str, tuple[str, Changed]] = {
    "text_as_formula": ("updateCells", _texts(_as_formula)),
    "text_as_number": ("updateCells", _texts(_as_number)),
    "text_as_date": ("updateCells", _texts(_as_date)),
    "text_as_boolean": ("updateCells", _texts(_as_boolean)),
    "text_loses_apostrophe": ("updateCells", _texts(lambda text: _text(text.removeprefix("'")))),
    "text_loses_spaces": ("updateCells", _texts(lambda text: _text(text.lstrip(" ")))),
    "text_loses_line_breaks": ("updateCells", _texts(lambda text: _text(text.replace("\n", " ")))),
    "empty_text_keeps_the_old": ("updateCells", _at_start(_not_cleared)),
    "write_drops_notes": ("updateCells", _also_clears("note")),
    "write_drops_validation": ("updateCells", _but_typed(_also_clears("dataValidation"))),
    "write_drops_formats": ("updateCells", _but_typed(_without_format)),
    "write_skips_hidden_rows": ("updateCells", _skips(_is_hidden)),
    "write_skips_filtered_rows": ("updateCells", _skips(_is_filtered)),
    "write_shifts_in_filtered_rows": ("updateCells", _at_start(_shifted)),
    "write_lands_in_the_merged_cell": ("updateCells", _at_start(_to_anchor)),
    "covered_cells_take_values": ("mergeCells", _nothing),
    "write_past_the_grid_grows_it": ("updateCells", _at_start(_grown)),
    "warning_blocks": ("updateCells", _at_start(_warned)),
    "strict_validation_blocks": ("updateCells", _at_start(_validated)),
    "table_refuses_values": ("updateCells", _at_start(_untyped)),
    "validation_is_ignored": ("setDataValidation", _nothing),
    "colour_rules_refused": ("addConditionalFormatRule", _refused("The sandbox wants no colour rules.")),
    "find_refuses_empty_replacement": ("findReplace", _refused("replacement must be specified")),
    "find_ignores_case": ("findReplace", lambda _, payload: {**payload, "matchCase": False}),
    "find_matches_parts": ("findReplace", lambda _, payload: {**payload, "matchEntireCell": False}),
    "find_takes_patterns": ("findReplace", _found(_by_pattern)),
    "find_ignores_spaces": ("findReplace", _found(_trimmed)),
    "find_ignores_range": ("findReplace", _everywhere),
    "find_hits_formulas": ("findReplace", _found(_in_formulas)),
    "find_skips_numbers": ("findReplace", _found(_not_in_numbers)),
    "find_skips_hidden_rows": ("findReplace", _found(lambda p, sheet, row, _: None if _is_hidden(sheet, row) else p)),
    "find_skips_filtered_rows": (
        "findReplace",
        _found(lambda p, sheet, row, _: None if _is_filtered(sheet, row) else p),
    ),
}
"""By the name of a switch: the kind of request that it changes, and how."""


def _without_cells(answer: Json) -> None:
    for sheet in answer.get("updatedSpreadsheet", {}).get("sheets", ()):
        sheet.pop("data", None)


def _first_range_alone(answer: Json) -> None:
    for sheet in answer.get("updatedSpreadsheet", {}).get("sheets", ()):
        del sheet.get("data", [])[1:]


def _without_counts(answer: Json) -> None:
    answer["replies"] = [{} for _ in answer.get("replies", ())]


def _without_metadata(answer: Json) -> None:
    for sheet in answer.get("sheets", ()):
        sheet.pop("developerMetadata", None)


def _values(changed: Callable[[Any], Any]) -> Callable[[Json], None]:
    def every(answer: Json) -> None:
        for found in answer["valueRanges"]:
            if "values" in found:
                found["values"] = [[changed(value) for value in line] for line in found["values"]]

    return every


ANSWERS: Mapping[str, tuple[str, Callable[[Json], object]]] = {
    "response_is_missing": ("sheets.batchUpdate", lambda answer: answer.pop("updatedSpreadsheet", None)),
    "response_is_empty": ("sheets.batchUpdate", _without_cells),
    "response_has_the_first_range_alone": ("sheets.batchUpdate", _first_range_alone),
    "find_tells_no_counts": ("sheets.batchUpdate", _without_counts),
    "metadata_is_not_shown": ("sheets.get", _without_metadata),
    # in this API's JSON only dates of the sandbox's tests have a fraction
    "dates_read_as_text": ("values.batchGet", _values(lambda value: str(value) if type(value) is float else value)),
    "numbers_read_as_text": ("values.batchGet", _values(lambda value: str(value) if type(value) is int else value)),
    "booleans_read_as_text": ("values.batchGet", _values(lambda v: str(v).upper() if isinstance(v, bool) else v)),
}
"""By the name of a switch: the call whose answer it changes, and how."""

KEPT = {"refused_batch_stays_half_done": "Invalid requests", "unknown_tab_leaves_writes": "Unable to parse range"}
"""By the name of a switch: with what words the refusal begins that leaves behind what was done until then."""

ELSEWHERE = (
    "quota_headers_are_told", "table_takes_formats", "unknown_tab_is_not_shown", "unknown_tab_reads_as_empty"
)  # fmt: skip
"""Switches that those ask for whom they concern: service.py, tables.py, batch.py, calls.py."""

NAMES = frozenset((*REQUESTS, *ANSWERS, *KEPT, *ELSEWHERE))


def with_headers(response: Response) -> Response:
    """An answer that tells how many calls are left."""
    return replace(response, headers={**response.headers, "x-ratelimit-remaining": "59"})


def checked(names: Any) -> frozenset[str]:
    """Switches by name. Raises ValueError for an unknown one."""
    unknown = set(names) - NAMES
    if unknown:
        raise ValueError(f"there is no quirk {', '.join(sorted(unknown))}; quirks: {', '.join(sorted(NAMES))}")
    return frozenset(names)
