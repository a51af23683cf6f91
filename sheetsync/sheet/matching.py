"""PURE: how much rows have in common: by what people wrote into them, a row is known again where its key is not enough.

Rows with one key (twins) and rows whose key was overwritten are told apart so. Knows no network, file, clock or log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import zip_longest

from sheetsync.columns import MACHINE_KEYS, key_text, normal, same
from sheetsync.model import Scalar, Snapshot

KEY_WEIGHT = 100
"""A key tells a row better than anything else that stands in it."""

Content = Mapping[str, Scalar]
"""What stands in a row, by header; columns without a header left out."""


def content(headers: Sequence[Scalar], line: Sequence[Scalar], without: Set[str] = frozenset()) -> Content:
    """What stands in a line, by header."""
    named = ((normal(header), cell) for header, cell in zip_longest(headers, line[: len(headers)], fillvalue=""))
    return {header: cell for header, cell in named if header and header not in without}


def key_header(snapshot: Snapshot) -> str:
    """The header of the column that holds the video ids."""
    return normal(snapshot.headers[snapshot.columns["video_id"]])


def machine_headers(before: Snapshot) -> set[str]:
    """Headers of what says nothing of whose row it is: what sheetsync writes may itself have gone astray."""
    columns = (before.columns[key] for key in (*MACHINE_KEYS, "action") if key in before.columns)
    return {normal(before.headers[column]) for column in columns}


def bests(row: Content, others: Mapping[int, Content], header_of_key: str) -> tuple[int, ...]:
    """The lines that have most in common with a row; none if what they have in common is less than what differs."""
    scores = {number: likeness(row, other, header_of_key) for number, other in others.items()}
    most = max(scores.values(), default=0)
    return tuple(number for number, score in scores.items() if score == most > 0)


def likeness(one: Content, other: Content, header_of_key: str) -> int:
    """How many cells are the same less those that differ; the key counts for all."""
    keys = one.get(header_of_key), other.get(header_of_key)
    if all(keys) and keys[0] != keys[1]:
        return 0
    return sum(
        (KEY_WEIGHT if header == header_of_key else 1) if same(cell, other[header]) else -1
        for header, cell in one.items()
        if header in other and (cell != "" or other[header] != "")
    )


class Lines:
    """The lines of a snapshot below its header, by number and by key."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot, self._column = snapshot, snapshot.columns["video_id"]
        self.numbers = range(2, len(snapshot.grid) + 1)
        self._of: dict[str, list[int]] = {}
        for number in self.numbers:
            self._of.setdefault(self.key(number), []).append(number)
        self._contents = {number: content(snapshot.headers, snapshot.grid[number - 1]) for number in self.numbers}

    def key(self, number: int) -> str:
        """The video id that stands in a line."""
        line = self._snapshot.grid[number - 1]
        return key_text(line[self._column]) if self._column < len(line) else ""

    def with_key(self, key: str) -> Sequence[int]:
        """The lines with a key; there is none with none."""
        return self._of.get(key, ()) if key else ()

    def contents(self, numbers: Iterable[int] | None = None, without: Set[str] = frozenset()) -> Mapping[int, Content]:
        """What stands in some lines, or in all."""
        return {
            number: {header: cell for header, cell in self._contents[number].items() if header not in without}
            for number in (self.numbers if numbers is None else numbers)
        }

    def differing(self, other: Lines) -> list[int]:
        """Those of its own lines that do not stand in another snapshot, cell by cell."""
        there = {frozenset(one.items()) for one in other._contents.values()}
        return [number for number, one in self._contents.items() if frozenset(one.items()) not in there]

    def found(self, one: Content, number: int, without: Set[str], now: Lines) -> int | None:
        """Which line a row was: best the one of that number. None if it was none, or is found again elsewhere now."""
        header = key_header(self._snapshot)
        key = key_text(one.get(header, ""))
        # without a key it may be any; with one, a line whose key was still to come
        near = [*self.with_key(key), *self._of.get("", ())] if key else None
        old = self.contents(near, without)
        if number in old and old[number] == one:
            return number
        rivals = now.contents([*now.with_key(key), *now._of.get("", ())] if key else None, without).values()
        equals = bests(one, old, header)
        # a line of before that is found again in another one, with the same key: then this one came in between
        taken = {n: [_is_more_like(old[n], one, rival, header) for rival in rivals] for n in equals}
        free = [n for n in equals if not any(taken[n])]
        if not free and sum(map(any, zip(*taken.values(), strict=True))) < len(equals):
            free = list(equals)  # twins that were the same, and fewer others than there were
        return number if number in free else next(iter(free), None)


def _is_more_like(old: Content, one: Content, rival: Content, header_of_key: str) -> bool:
    return likeness(rival, old, header_of_key) > likeness(one, old, header_of_key)
