"""Filters: which rows a basic filter shows, and what sorting through it does.

Values are read and written in hidden rows as in any (Sheets reference 3.6).
"""

from __future__ import annotations

from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.sorting import rearranged, sorted_parts


def is_shown(sheet: Sheet, row: int) -> bool:
    """Whether the filter lets a row be seen."""
    for spec in (sheet.basic_filter or {}).get("filterSpecs", ()):
        cell = sheet.cell(row, spec.get("columnIndex", 0))
        said = "" if cell is None or cell.value is None else str(cell.shown)
        if said in spec.get("filterCriteria", {}).get("hiddenValues", ()):
            return False
    return True


def sort_shown(sheet: Sheet, by: int, ascending: bool) -> None:
    """Sorts the rows that are shown, in the places where they stand; the others stay."""
    width = sheet.column_count
    places = [row for row in range(1, sheet.rows_used) if is_shown(sheet, row)]
    lines = [sheet.rows[row] + [None] * (width - len(sheet.rows[row])) for row in places]
    ordered = sorted_parts(lines, by, ascending)
    for row, line in zip(places, ordered, strict=True):
        sheet.rows[row] = line
    rearranged(sheet.ids["ROWS"], places, lines, ordered)
    sheet.touch()
