"""PURE: how much rows have in common: by what people wrote into them, a row is known again where its key is not enough.

Rows with one key (twins) and rows whose key was overwritten are told apart so. Knows no network, file, clock or log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import zip_longest

from sheetsync.columns import MACHINE_KEYS, normal, same
from sheetsync.model import Scalar, Snapshot

KEY_WEIGHT = 100
"""A key tells a row better than anything else that stands in it."""

Content = Mapping[str, Scalar]
"""What stands in a row, by header; columns without a header left out."""


def content(headers: Sequence[Scalar], line: Sequence[Scalar], without: Set[str] = frozenset()) -> Content:
    """What stands in a line, by header."""
    named = ((normal(header), cell) for header, cell in zip_longest(headers, line[: len(headers)], fillvalue=""))
    return {header: cell for header, cell in named if header and header not in without}


def machine_headers(before: Snapshot) -> set[str]:
    """Headers of what says nothing of whose row it is: what sheetsync writes may itself have gone astray."""
    columns = (before.columns[key] for key in (*MACHINE_KEYS, "action") if key in before.columns)
    return {normal(before.headers[column]) for column in columns}


def bests(row: Content, others: Mapping[int, Content], key_header: str) -> tuple[int, ...]:
    """The lines that have most in common with a row; none if what they have in common is less than what differs."""
    scores = {number: likeness(row, other, key_header) for number, other in others.items()}
    most = max(scores.values(), default=0)
    return tuple(number for number, score in scores.items() if score == most > 0)


def is_more_like(old: Content, one: Content, rivals: Iterable[Content], key_header: str) -> bool:
    """Whether a row of before is found again in another one: then this one, with the same key, came in between."""
    mine = likeness(one, old, key_header)
    return any(likeness(rival, old, key_header) > mine for rival in rivals)


def likeness(one: Content, other: Content, key_header: str) -> int:
    """How many cells are the same less those that differ; the key counts for all."""
    keys = one.get(key_header), other.get(key_header)
    if all(keys) and keys[0] != keys[1]:
        return 0
    return sum(
        (KEY_WEIGHT if header == key_header else 1) if same(cell, other[header]) else -1
        for header, cell in one.items()
        if header in other and (cell != "" or other[header] != "")
    )
