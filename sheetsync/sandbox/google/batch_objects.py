"""Requests of a batch about what lies on a sheet: filters, conditional formats, protections, names, metadata, charts.

Source: reference/google-sheets.md sections 2.2, 3.5, 3.6; the requests' descriptions in the discovery document.
"""

from __future__ import annotations

import re
from typing import Any

from sheetsync.sandbox.google import tables
from sheetsync.sandbox.google.a1 import Area, area_of, grid_range
from sheetsync.sandbox.google.checks import check_anchor, check_chart, check_rule
from sheetsync.sandbox.google.edit import Edit, as_kept, mask_of
from sheetsync.sandbox.google.errors import PROTECTED
from sheetsync.sandbox.google.fields import overlay
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.protection import Protected, may_edit

Json = dict[str, Any]


def _set_basic_filter(edit: Edit, payload: Json) -> None:
    given = as_kept(payload.get("filter") or {})
    sheet, area = edit.area(given.get("range"))
    if any(table.meets(area) for table in tables.areas(sheet)):
        raise ValueError("You can't set a basic filter over a table.")
    # whatever bounds were left out are filled in: a filter is read back with all of them
    sheet.basic_filter = {**given, "range": grid_range(area, sheet.sheet_id)}
    specs = given.get("sortSpecs")
    if any(not area.left <= _column(spec) < area.right for spec in (*(specs or ()), *given.get("filterSpecs", ()))):
        raise ValueError("A filter must name columns inside its range.")
    if specs:
        edit.guard(sheet, area)
        data = Area(area.top + 1, area.bottom, area.left, area.right)
        columns = [_column(spec) for spec in specs]
        sheet.sort(data, columns, [spec.get("sortOrder") != "DESCENDING" for spec in specs])
    sheet.touch()


def _column(spec: Json) -> int:
    return int(spec.get("dimensionIndex") or spec.get("columnIndex") or 0)


def _clear_basic_filter(edit: Edit, payload: Json) -> None:
    sheet = edit.sheet(payload.get("sheetId"))
    sheet.basic_filter = None
    sheet.touch()


def _rule(edit: Edit, payload: Json) -> tuple[Sheet, Json]:
    rule = as_kept(payload.get("rule") or {})
    check_rule(rule)
    sheet, _ = edit.area(rule["ranges"][0])
    return sheet, {**rule, "ranges": [edit.stored(range_) for range_ in rule["ranges"]]}


def _rules(sheet: Sheet) -> list[Json]:
    return sheet.attached.setdefault("conditionalFormats", [])


def _numbered(sheet: Sheet, index: int | None) -> int:
    if not 0 <= (index or 0) < len(_rules(sheet)):
        raise ValueError(f"No conditional format on sheet: {sheet.sheet_id} at index: {index or 0}")
    return index or 0


def _add_conditional_format_rule(edit: Edit, payload: Json) -> None:
    sheet, rule = _rule(edit, payload)
    index = payload.get("index") or 0
    if index != len(_rules(sheet)):
        index = _numbered(sheet, index)
    _rules(sheet).insert(index, rule)
    sheet.touch()


def _update_conditional_format_rule(edit: Edit, payload: Json) -> Json:
    """Replaces a rule, or moves it to `newIndex`."""
    if payload.get("rule") is not None:
        sheet, rule = _rule(edit, payload)
        index = _numbered(sheet, payload.get("index"))
        old, _rules(sheet)[index] = _rules(sheet)[index], rule
        sheet.touch()
        return _rule_reply(rule, index, oldRule=old)
    sheet = edit.sheet(payload.get("sheetId"))
    index, to = _numbered(sheet, payload.get("index")), _numbered(sheet, payload.get("newIndex"))
    rule = _rules(sheet).pop(index)
    _rules(sheet).insert(to, rule)
    sheet.touch()
    return _rule_reply(rule, to, oldIndex=index)


def _rule_reply(rule: Json, index: int, **old: Any) -> Json:
    return {"updateConditionalFormatRule": {"newRule": rule, "newIndex": index, **old}}


def _delete_conditional_format_rule(edit: Edit, payload: Json) -> Json:
    sheet = edit.sheet(payload.get("sheetId"))
    rule = _rules(sheet).pop(_numbered(sheet, payload.get("index")))
    sheet.touch()
    return {"deleteConditionalFormatRule": {"rule": rule}}


def _checked_protection(edit: Edit, given: Json) -> Json:
    # False and empty are not printed, as in all of Google's JSON (2.2); who may edit is worked out for each reader.
    kept = {key: value for key, value in given.items() if value not in (False, "") and key != "requestingUserCanEdit"}
    if "range" in given:
        kept["range"] = edit.stored(given["range"])
    for name in ("unprotectedRanges",) if "unprotectedRanges" in given else ():
        kept[name] = [edit.stored(range_) for range_ in given[name]]
    if kept.get("warningOnly"):
        kept.pop("editors", None)
    return kept


def _check_editors(held: Json, given: Json) -> None:
    if held.get("warningOnly") and given.get("editors"):
        raise ValueError("Can't set editors on a range with warningOnly protection.")


def _with_editors(held: Json, users: set[str]) -> Json:
    """Whoever makes or changes a protection is listed as an editor, also of one that only warns."""
    given = held.get("editors", {})
    return {**held, "editors": {**given, "users": sorted({*given.get("users", ()), *users})}}


def _add_protected_range(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("protectedRange") or {})
    _check_editors(given, given)
    held = _checked_protection(edit, given)
    _check_free(edit, "protectedRanges", "protectedRangeId", given, "protected range")
    sheet = _sheet_of_protection(edit, held)
    held = {"protectedRangeId": edit.book.fresh_id(), **held}
    sheet.attached.setdefault("protectedRanges", []).append(_with_editors(held, {edit.user}))
    sheet.touch()
    # the reply does not list yet who has made it; a later read does: recorded, Sheets reference 2.2
    shown = {**held, "editors": held.get("editors", {}), "requestingUserCanEdit": True}
    return {"addProtectedRange": {"protectedRange": shown}}


def _sheet_of_protection(edit: Edit, held: Json) -> Sheet:
    if "range" in held:
        return edit.area(held["range"])[0]
    for named in edit.book.named_ranges:
        if named["namedRangeId"] == held.get("namedRangeId"):
            return edit.area(named["range"])[0]
    raise ValueError("A protected range needs a range or a namedRangeId.")


def _found(edit: Edit, name: str, key: str, wanted: Any, word: str) -> tuple[Sheet, int]:
    for sheet in edit.book.sheets:
        for index, held in enumerate(sheet.attached.get(name, ())):
            if held[key] == wanted:
                return sheet, index
    raise ValueError(f"No {word} with id: {wanted}")


def _check_free(edit: Edit, name: str, key: str, given: Json, word: str) -> None:
    taken = (held[key] for sheet in edit.book.sheets for held in sheet.attached.get(name, ()))
    if key in given and given[key] in taken:
        raise ValueError(f"A {word} with id {given[key]} already exists.")


def _own_protection(edit: Edit, wanted: Any) -> tuple[Sheet, int]:
    sheet, index = _found(edit, "protectedRanges", "protectedRangeId", wanted, "protected range")
    if not may_edit(edit.book, sheet.attached["protectedRanges"][index], edit.user):
        raise Protected(PROTECTED)
    return sheet, index


def _update_protected_range(edit: Edit, payload: Json) -> None:
    mask, given = mask_of(payload), as_kept(payload.get("protectedRange") or {})
    sheet, index = _own_protection(edit, given.get("protectedRangeId"))
    old = sheet.attached["protectedRanges"][index]
    _check_editors(overlay(old, given, mask), given)
    held = _checked_protection(edit, overlay(old, given, mask))
    held["protectedRangeId"] = old["protectedRangeId"]
    everyone = {*edit.book.shared_with, edit.book.owner, edit.user}
    # From a warning to a real protection without a list of editors: everybody who may edit stays in, reference 3.6.
    loosened = old.get("warningOnly") and not held.get("warningOnly") and not given.get("editors")
    sheet.attached["protectedRanges"][index] = _with_editors(held, everyone if loosened else {edit.user})
    sheet.touch()


def _delete_protected_range(edit: Edit, payload: Json) -> None:
    sheet, index = _own_protection(edit, payload.get("protectedRangeId"))
    del sheet.attached["protectedRanges"][index]
    sheet.touch()


def _add_named_range(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("namedRange") or {})
    name = given.get("name", "")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,249}", name):
        raise ValueError(f"Invalid name: {name}")
    if any(held["name"].casefold() == name.casefold() for held in edit.book.named_ranges):
        raise ValueError(f"A named range with name '{name}' already exists.")
    if any(held["namedRangeId"] == given.get("namedRangeId") for held in edit.book.named_ranges):
        raise ValueError(f"A named range with id {given['namedRangeId']} already exists.")
    held = {
        "namedRangeId": given.get("namedRangeId") or str(edit.book.fresh_id()),
        "name": name,
        "range": edit.stored(given.get("range")),
    }
    edit.book.named_ranges.append(held)
    edit.book.touch()
    return {"addNamedRange": {"namedRange": held}}


def _delete_named_range(edit: Edit, payload: Json) -> None:
    left = [held for held in edit.book.named_ranges if held["namedRangeId"] != payload.get("namedRangeId")]
    if len(left) == len(edit.book.named_ranges):
        raise ValueError(f"No named range with id: {payload.get('namedRangeId')}")
    edit.book.named_ranges = left
    edit.book.touch()


def _create_developer_metadata(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("developerMetadata") or {})
    if not given.get("metadataKey") or not given.get("visibility"):
        raise ValueError("metadataKey and visibility must be specified")
    wanted = given.get("metadataId") or edit.book.fresh_id()
    if any(held["metadataId"] == wanted for held in edit.book.metadata):
        raise ValueError(f"Developer metadata with id {wanted} already exists.")
    held = {**given, "metadataId": wanted, "location": _location(edit, given.get("location") or {})}
    edit.book.metadata.append(held)
    edit.book.touch()
    return {"createDeveloperMetadata": {"developerMetadata": held}}


def _location(edit: Edit, given: Json) -> Json:
    if given.get("spreadsheet"):
        return {"locationType": "SPREADSHEET", "spreadsheet": True}
    span = given.get("dimensionRange")
    if span is None:
        return {"locationType": "SHEET", "sheetId": edit.sheet(given.get("sheetId")).sheet_id}
    start, end = span.get("startIndex") or 0, span.get("endIndex") or 0
    # Metadata hangs on one whole row or column, the sheet or the book, never on a cell: Sheets reference 3.5.
    if span.get("dimension") not in ("ROWS", "COLUMNS") or end - start != 1:
        raise ValueError("Developer metadata can be put on a single row or column only.")
    where = {"sheetId": edit.sheet(span.get("sheetId")).sheet_id, "dimension": span["dimension"]}
    return {
        "locationType": "ROW" if span["dimension"] == "ROWS" else "COLUMN",
        "dimensionRange": {**where, "startIndex": start, "endIndex": end},
    }


def _add_chart(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("chart") or {})
    if not given.get("spec"):
        raise ValueError("A chart needs a spec.")
    check_chart(edit, given["spec"])
    _check_free(edit, "charts", "chartId", given, "chart")
    place = given.get("position") or {"newSheet": True}
    if place.get("newSheet"):
        raise ValueError("The sandbox puts charts on existing sheets only.")
    anchor = place.get("overlayPosition", {}).get("anchorCell", {})
    sheet = edit.sheet(place.get("sheetId", anchor.get("sheetId")))
    check_anchor(sheet, anchor)
    held = {"chartId": given.get("chartId") or edit.book.fresh_id(), "spec": given["spec"], "position": place}
    sheet.attached.setdefault("charts", []).append(held)
    sheet.touch()
    return {"addChart": {"chart": held}}


def _delete_embedded_object(edit: Edit, payload: Json) -> None:
    sheet, index = _found(edit, "charts", "chartId", payload.get("objectId"), "embedded object")
    del sheet.attached["charts"][index]
    sheet.touch()


def _add_banding(edit: Edit, payload: Json) -> Json:
    given = as_kept(payload.get("bandedRange") or {})
    sheet, area = edit.area(given.get("range"))
    _check_free(edit, "bandedRanges", "bandedRangeId", given, "banded range")
    held = {
        "bandedRangeId": edit.book.fresh_id(),
        **given,
        "range": edit.stored(given.get("range")),
    }
    bands = sheet.attached.setdefault("bandedRanges", [])
    # Overlapping bands are an error: Sheets reference 3.6.
    banded = [area_of(band["range"], sheet.row_count, sheet.column_count) for band in bands]
    if any(other.meets(area) for other in (*banded, *tables.areas(sheet))):
        raise ValueError("You cannot add alternating background colors to a range that already has them.")
    bands.append(held)
    sheet.touch()
    return {"addBanding": {"bandedRange": held}}


KINDS = {
    "setBasicFilter": (_set_basic_filter, "filter"),
    "clearBasicFilter": (_clear_basic_filter, "sheetId"),
    "addConditionalFormatRule": (_add_conditional_format_rule, "rule index"),
    "updateConditionalFormatRule": (_update_conditional_format_rule, "index sheetId rule newIndex"),
    "deleteConditionalFormatRule": (_delete_conditional_format_rule, "index sheetId"),
    "addProtectedRange": (_add_protected_range, "protectedRange"),
    "updateProtectedRange": (_update_protected_range, "protectedRange fields"),
    "deleteProtectedRange": (_delete_protected_range, "protectedRangeId"),
    "addNamedRange": (_add_named_range, "namedRange"),
    "deleteNamedRange": (_delete_named_range, "namedRangeId"),
    "createDeveloperMetadata": (_create_developer_metadata, "developerMetadata"),
    "addChart": (_add_chart, "chart"),
    "deleteEmbeddedObject": (_delete_embedded_object, "objectId"),
    "addBanding": (_add_banding, "bandedRange"),
}
