"""findReplace: a text or an expression, looked for in what cells show, or in formulas where it is asked for.

What a replacement leaves is taken in as if it had been typed. Source: FindReplaceRequest of the discovery document.
"""

from __future__ import annotations

import re
from typing import Any

from sheetsync.sandbox.google import number_format
from sheetsync.sandbox.google.a1 import Area
from sheetsync.sandbox.google.cells import Cell, Formula, Spilled
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.grid import Sheet

Json = dict[str, Any]

_SCOPES = ("range", "sheetId", "allSheets")
_GROUP = re.compile(r"\\(.)|\$(\d)", re.DOTALL)


def find_replace(edit: Edit, payload: Json) -> Json:
    """Replaces within one range, one sheet, or all sheets, and counts."""
    if len(given := [name for name in _SCOPES if payload.get(name) is not None]) != 1:
        raise ValueError(f"Exactly one of {', '.join(_SCOPES)} must be set, not {len(given)}.")
    if not payload.get("find"):
        raise ValueError("find must not be empty.")
    if given == ["allSheets"]:
        places = [(sheet, sheet.area()) for sheet in edit.book.sheets]
    else:
        places = [edit.area(payload.get("range") or {"sheetId": payload["sheetId"]})]
    wanted = _wanted(payload)
    hits = [hit for sheet, area in places for hit in _replaced(edit, sheet, area, wanted, payload)]
    counts = {
        "valuesChanged": sum(not hit[3] for hit in hits),
        "formulasChanged": sum(hit[3] for hit in hits),
        "rowsChanged": len({hit[:2] for hit in hits}),
        "sheetsChanged": len({hit[0] for hit in hits}),
        "occurrencesChanged": sum(hit[2] for hit in hits),
    }
    return {"findReplace": {name: count for name, count in counts.items() if count}}


def _wanted(payload: Json) -> re.Pattern[str]:
    text = str(payload["find"])
    try:
        return re.compile(
            text if payload.get("searchByRegex") else re.escape(text), re.NOFLAG if payload.get("matchCase") else re.I
        )
    except (re.error, OverflowError) as error:
        raise ValueError(f"Invalid regular expression: {text}") from error


def _replaced(
    edit: Edit, sheet: Sheet, area: Area, wanted: re.Pattern[str], payload: Json
) -> list[tuple[int, int, int, bool]]:
    """Sheet, row, occurrences, and whether it was a formula, of each cell that was changed."""
    hits = []
    for row in range(area.top, min(area.bottom, sheet.rows_used)):
        for column in range(area.left, min(area.right, len(sheet.rows[row]))):
            cell = sheet.cell(row, column)
            text = None if cell is None else _searched(cell, bool(payload.get("includeFormulas")))
            if cell is None or text is None:
                continue
            fresh, times = _fresh(text, wanted, payload)
            if times:
                edit.guard(sheet, Area(row, row + 1, column, column + 1))
                sheet.enter(row, column, fresh)
                hits.append((sheet.sheet_id, row, times, type(cell.value) is Formula))
    return hits


def _searched(cell: Cell, formulas: bool) -> str | None:
    """What is looked through; None for an empty cell, and for what formulas show where formulas are left out."""
    if cell.value is None or type(cell.value) is Spilled or (type(cell.value) is Formula and not formulas):
        return None
    return str(cell.value) if type(cell.value) is Formula else number_format.shown(cell)


def _fresh(text: str, wanted: re.Pattern[str], payload: Json) -> tuple[str, int]:
    """The text after the replacement, and how often it was made."""
    replacement = str(payload.get("replacement") or "")

    def filled(found: re.Match[str]) -> str:
        return _expanded(replacement, found) if payload.get("searchByRegex") else replacement

    if not payload.get("matchEntireCell"):
        return wanted.subn(filled, text)
    whole = wanted.fullmatch(text)
    return ("", 0) if whole is None else (filled(whole), 1)


def _expanded(replacement: str, found: re.Match[str]) -> str:
    """`$1` is what the first group found, and `\\$` a dollar sign."""

    def part(one: re.Match[str]) -> str:
        if one[1] is not None:
            return one[1]
        if int(one[2]) > (found.re.groups or 0):
            raise ValueError(f"Invalid replacement: there is no group {one[2]}")
        return found[int(one[2])] or ""

    return _GROUP.sub(part, replacement)
