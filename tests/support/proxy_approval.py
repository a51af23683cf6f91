"""What the judge at the proxy reads of orders that a person allows in a Summary tab: asked, typed, taken.

Its own reading of Google's calls: K6 says how many orders wait, K7 is where a person types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WAITING, TYPED = (5, 10), (6, 10)
Lines = Mapping[int, Sequence[Any]]


def cell(lines: Lines, place: tuple[int, int]) -> Any:
    line = lines.get(place[0], ())
    return line[place[1]] if place[1] < len(line) else ""


def typed(lines: Lines) -> int:
    """The number in the cell, if it is the one that waits; else 0."""
    number = cell(lines, TYPED)
    is_number = isinstance(number, int) and not isinstance(number, bool)
    return number if is_number and number == cell(lines, WAITING) else 0


def is_asked(sheet_id: int, asked: Mapping[str, Any], lines: Lines) -> bool:
    """Whether a write asked for a number, and its answer shows that it stands there with an empty cell."""
    starts = [(write["start"], write["rows"][0]["values"][0]) for write in _kind(asked, "updateCells")]
    place = {"sheetId": sheet_id, "rowIndex": WAITING[0], "columnIndex": WAITING[1]}
    numbers = [value.get("userEnteredValue", {}).get("numberValue") for start, value in starts if start == place]
    return bool(numbers) and cell(lines, WAITING) == numbers[0] and cell(lines, TYPED) == ""


def is_taking(sheet_id: int, asked: Mapping[str, Any]) -> bool:
    """Whether a write would take a number from the cell."""
    places = [write["range"] for write in _kind(asked, "findReplace")]
    return any(
        (place.get("sheetId", 0), place["startRowIndex"], place["startColumnIndex"]) == (sheet_id, *TYPED)
        for place in places
    )


def is_taken(told: Mapping[str, Any], lines: Lines) -> bool:
    """Whether its answer shows that it did."""
    changed = [reply.get("findReplace", {}).get("valuesChanged", 0) for reply in told.get("replies", ())]
    return changed == [1] and cell(lines, TYPED) == ""


def _kind(asked: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    return (one[kind] for one in asked["requests"] if kind in one)
