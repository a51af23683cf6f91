"""In which order rows come when they are sorted, as in the Sheets editor."""

from __future__ import annotations

from collections.abc import Sequence

from sheetsync.sandbox.google.cells import Cell, Formula

Row = list[Cell | None]


def sorted_parts(parts: list[Row], column: int, ascending: bool) -> list[Row]:
    """Stable; empty cells come last whichever the direction."""

    def empty(part: Row) -> bool:
        cell = part[column]
        return cell is None or cell.value is None

    # In the editor empty cells stay below in both directions, so that an open range can be sorted.
    filled = [part for part in parts if not empty(part)]
    filled.sort(key=lambda part: _rank(part[column]), reverse=not ascending)
    return filled + [part for part in parts if empty(part)]


def _rank(cell: Cell | None) -> tuple[int, float, str]:
    """Numbers before texts before booleans before errors; texts without regard to case."""
    value = cell.value if cell is not None else None
    if isinstance(value, bool):
        return 2, float(value), ""
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return (3, 0.0, "") if type(value) is Formula else (1, 0.0, str(value).casefold())


def rearranged(ids: list[str | None], places: Sequence[int], before: list[Row], after: list[Row]) -> None:
    """Takes the ids of rows along: the rows that stood `before` at these places are there in another order now."""
    if not ids or not places:
        return
    ids += [None] * (max(places) + 1 - len(ids))
    mine = {id(row): ids[place] for place, row in zip(places, before, strict=True)}
    for place, row in zip(places, after, strict=True):
        ids[place] = mine[id(row)]
