"""Who may edit what: protected ranges against the caller of a request.

Source: reference/google-sheets.md section 3.6 (API writes obey protections; the owner may always edit).
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.a1 import Area, area_of
from sheetsync.sandbox.google.errors import PROTECTED
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet

Json = dict[str, Any]


class Protected(ValueError):
    """The caller may not edit this."""


def may_edit(book: Spreadsheet, held: Json, user: str) -> bool:
    """Whether a user may edit what a protected range covers."""
    # The owner may always edit, and a warning stops nobody who writes by the API: Sheets reference 3.6.
    return bool(held.get("warningOnly")) or user == book.owner or user in held.get("editors", {}).get("users", ())


def guard(sheet: Sheet, area: Area, user: str) -> None:
    """Raises Protected when the area touches a range that somebody keeps for others."""
    if "protectedRanges" not in sheet.attached:
        return
    for held in sheet.attached["protectedRanges"]:
        if not may_edit(sheet.book, held, user) and _covers(sheet, held, area):
            raise Protected(PROTECTED)


def guard_structure(sheet: Sheet, user: str) -> None:
    """Raises Protected when the whole sheet is kept for others: then nobody else adds or removes lines."""
    for held in sheet.attached.get("protectedRanges", ()):
        whole = area_of(_range(sheet, held), sheet.row_count, sheet.column_count).holds(sheet.area())
        if whole and not may_edit(sheet.book, held, user):
            raise Protected(PROTECTED)


def _covers(sheet: Sheet, held: Json, area: Area) -> bool:
    size = (sheet.row_count, sheet.column_count)
    free = held.get("unprotectedRanges", ())
    return area_of(_range(sheet, held), *size).meets(area) and not any(area_of(r, *size).holds(area) for r in free)


def _range(sheet: Sheet, held: Json) -> Json:
    """The range of a protection, which may be given as a named range."""
    if "range" in held:
        return dict(held["range"])
    for named in sheet.book.named_ranges:
        if named["namedRangeId"] == held.get("namedRangeId"):
            return dict(named["range"])
    return {"startRowIndex": 0, "endRowIndex": 0}
