"""Merged cells: of the cells of a merge the one at the top left holds a value, and the others none.

What is written into one of those is swallowed, without a word: they read as empty (Sheets reference 2.2).
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.a1 import Area, area_of

Json = dict[str, Any]


def covered(merges: list[Json], row: int, column: int) -> bool:
    """Whether a cell lies under a merge."""
    cell = Area(row, row + 1, column, column + 1)
    areas = (area_of(held, row + 1, column + 1) for held in merges)
    return any(area.holds(cell) and (area.top, area.left) != (row, column) for area in areas)
