"""Addresses: A1 notation, the API's GridRange, and how ranges follow inserted, deleted and moved rows and columns.

Source: reference/google-sheets.md section 2.2 (normalised ranges, title quoting), GridRange of the discovery document.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Dimension = Literal["ROWS", "COLUMNS"]

ROW_KEYS = ("startRowIndex", "endRowIndex")
COLUMN_KEYS = ("startColumnIndex", "endColumnIndex")
_INDEX_KEYS = frozenset(ROW_KEYS + COLUMN_KEYS)


class Area(NamedTuple):
    """A rectangle of cells, half open, counted from 0."""

    top: int
    bottom: int
    left: int
    right: int

    def meets(self, other: Area) -> bool:
        """Whether the two share a cell."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )

    def holds(self, other: Area) -> bool:
        """Whether the other lies wholly inside."""
        return (
            self.top <= other.top
            and other.bottom <= self.bottom
            and self.left <= other.left
            and other.right <= self.right
        )


class Address(NamedTuple):
    """A range as written: tab title (None: not said) and corners, each None where not said."""

    title: str | None
    top: int | None
    bottom: int | None
    left: int | None
    right: int | None
    name: str = ""  # set when the text is no cell address: a tab's title or a named range

    @property
    def single(self) -> bool:
        """Whether one cell is named."""
        return self.top is not None and self.left is not None and (self.top + 1, self.left + 1) == self[2:5:2]


@lru_cache(maxsize=4096)
def column_name(index: int) -> str:
    """0 -> A, 26 -> AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def column_index(name: str) -> int:
    """A -> 0, AA -> 26."""
    index = 0
    for char in name.upper():
        index = index * 26 + ord(char) - 64
    return index - 1


_CORNER = re.compile(r"\$?([A-Za-z]{1,3})?\$?([1-9][0-9]{0,7})?")
_LOOKS_LIKE_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc][0-9]*")
_PLAIN_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=1024)
def quoted(title: str) -> str:
    """A tab's title as it stands before the `!`: in quotes only where it needs them."""
    if _PLAIN_TITLE.fullmatch(title) and not _LOOKS_LIKE_CELL.fullmatch(title):
        return title
    return "'" + title.replace("'", "''") + "'"


@lru_cache(maxsize=8192)
def range_name(title: str, area: Area) -> str:
    """The normalised name of a range, as the API writes it."""
    first = f"{column_name(area.left)}{area.top + 1}"
    if (area.top + 1, area.left + 1) == (area.bottom, area.right):
        return f"{quoted(title)}!{first}"
    return f"{quoted(title)}!{first}:{column_name(area.right - 1)}{area.bottom}"


@lru_cache(maxsize=8192)
def parse(text: str) -> Address | None:
    """Reads A1 notation; None when it cannot be read. A bare tab title or a named range comes back as `name`."""
    title, cells = _split_title(text)
    if cells is None:
        return Address(None, None, None, None, None, name=title) if title else None
    first, _, second = cells.partition(":")
    one = _corner(first)
    two = _corner(second) if second else one
    if one is None or two is None or (not second and None in one):
        return Address(title or None, None, None, None, None, name=cells) if cells and ":" not in cells else None
    return _between(title or None, one, two)


def _split_title(text: str) -> tuple[str, str | None]:
    """("Tab", "A1:B2"); the second is None when only a quoted tab is named."""
    if text.startswith("'"):
        found = re.fullmatch(r"'((?:[^']|'')*)'(?:!(.*))?", text, re.DOTALL)
        return ("", "") if found is None else (found[1].replace("''", "'"), found[2])
    title, mark, cells = text.rpartition("!")
    return (title, cells) if mark else ("", text)


def _corner(text: str) -> tuple[int | None, int | None] | None:
    found = _CORNER.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        return None
    return (int(found[2]) - 1 if found[2] else None, column_index(found[1]) if found[1] else None)


def _between(title: str | None, one: tuple[int | None, int | None], two: tuple[int | None, int | None]) -> Address:
    top, bottom = _ordered(one[0], two[0])
    left, right = _ordered(one[1], two[1])
    return Address(title, top, bottom, left, right)


def _ordered(one: int | None, two: int | None) -> tuple[int | None, int | None]:
    """Start and exclusive end. `A2:A` is open at its end, `A:A` at both."""
    if one is None or two is None:
        return (one if one is not None else two), None
    return min(one, two), max(one, two) + 1


def with_sheet(range_: Json, sheet_id: int) -> Json:
    """A GridRange as the API prints it: sheet 0 is left out."""
    # Proto3 leaves zeros out, but prints start indexes of 0: Sheets reference 2.2.
    kept = {key: range_[key] for key in (*ROW_KEYS, *COLUMN_KEYS) if range_.get(key) is not None}
    return {"sheetId": sheet_id, **kept} if sheet_id else kept


def grid_range(area: Area, sheet_id: int) -> Json:
    """A rectangle as a GridRange with all its bounds."""
    return with_sheet(dict(zip((*ROW_KEYS, *COLUMN_KEYS), area, strict=True)), sheet_id)


def sheet_of(range_: Json) -> int:
    """The sheet a GridRange lies on."""
    return int(range_.get("sheetId") or 0)


def area_of(range_: Json, rows: int, columns: int) -> Area:
    """A GridRange as a rectangle of a grid of that size; what is not said is unbounded."""
    top, bottom = range_.get("startRowIndex"), range_.get("endRowIndex")
    left, right = range_.get("startColumnIndex"), range_.get("endColumnIndex")
    return Area(top or 0, rows if bottom is None else bottom, left or 0, columns if right is None else right)


def shift_span(start: int, end: int | None, at: int, count: int) -> tuple[int, int | None] | None:
    """Where a span goes when `count` lines come in at `at` (or -count go away from there); None when all of it goes."""
    if count >= 0:
        return (start + count if at <= start else start, end if end is None or at >= end else end + count)
    gone = at - count
    new_start = start if start <= at else max(at, start + count)
    if end is None:
        return new_start, None
    new_end = end if end <= at else max(at, end + count) if end < gone else end + count
    return (new_start, new_end) if new_start < new_end else None


def shift_range(range_: Json, dimension: Dimension, at: int, count: int) -> Json | None:
    """A GridRange after lines came or went."""
    start_key, end_key = ROW_KEYS if dimension == "ROWS" else COLUMN_KEYS
    if start_key not in range_ and end_key not in range_:
        return range_
    span = shift_span(range_.get(start_key) or 0, range_.get(end_key), at, count)
    if span is None:
        return None
    moved = {**range_, start_key: span[0]}
    return moved if span[1] is None else {**moved, end_key: span[1]}


def move_range(range_: Json, dimension: Dimension, start: int, end: int, to: int) -> Json | None:
    """A GridRange after the lines start..end were moved before the line `to`."""
    start_key, end_key = ROW_KEYS if dimension == "ROWS" else COLUMN_KEYS
    first, last = range_.get(start_key) or 0, range_.get(end_key)
    count = end - start
    target = to - count if to > start else to
    if last is not None and start <= first and last <= end:
        return {**range_, start_key: first + target - start, end_key: last + target - start}
    if first <= min(start, to) and (last is None or max(end, to) <= last):
        return range_
    without = shift_range(range_, dimension, start, -count)
    return without and shift_range(without, dimension, target, count)


def is_range(value: Json) -> bool:
    """Whether a dict met inside an object of a sheet is a GridRange with bounds."""
    return not _INDEX_KEYS.isdisjoint(value)
