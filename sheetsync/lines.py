"""The lines of a tab as rows: what tells of a request, a mark or a window whole, of all others little but their text.

Owns what is kept of a line. A tab has many more rows than requests: of a row that nothing is to be done about its JSON
text is kept, a fifth of what its cells take, and its cells are there when they are asked for. Does no I/O.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import eq, itemgetter
from typing import Any, Self, overload

from sheetsync.columns import MACHINE_KEYS, key_text, row_of
from sheetsync.model import Grid, Lock, Row, Scalar

TELLING = (*MACHINE_KEYS, "action", "known_expiry")
"""Columns without which nothing is to be done about a row, unless the ledger knows its video.

What people decide of a code before there is one (Paid status, Renewal decision) is the next one's: read once the row
tells of a request, it says the same. What TikTok says of a code stands nowhere without one; a column of that name
may be a team's own, filled in every row.
"""

AT_ONCE = 100
"""So many lines are one text."""

Line = tuple[Scalar, ...]

Keep = Callable[[Any, str], Line | bytes]
"""What is kept of a line, by its cells and its JSON text."""


class Lines(Sequence[Line]):
    """The lines of a tab; those of which the text was kept are read when they are looked at."""

    def __init__(self, kept: Sequence[Line | bytes]) -> None:
        self._kept = kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, at: int) -> Line: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...

    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        return Lines(self._kept[at]) if isinstance(at, slice) else _line(self._kept[at])

    def __iter__(self) -> Iterator[Line]:
        return map(_line, self._kept)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(eq, self, other))

    def with_lines(self, lines: Mapping[int, Line]) -> Self:
        """The same, with other lines in some places."""
        return self.__class__([lines.get(at, kept) for at, kept in enumerate(self._kept)])

    def to_json(self) -> Iterator[bytes]:
        """All lines as JSON text, some at a time: that of most is at hand."""
        yield b"["
        for at in range(0, len(self), AT_ONCE):
            yield b"," * (at > 0) + b",".join(map(_text, self._kept[at : at + AT_ONCE]))
        yield b"]"


def as_lines(grid: Grid) -> Lines:
    """Any grid as lines."""
    return grid if isinstance(grid, Lines) else Lines(grid)


def _text(kept: Line | bytes) -> bytes:
    return kept if isinstance(kept, bytes) else json.dumps(kept).encode()


def _line(kept: Line | bytes) -> Line:
    return tuple(json.loads(kept.decode())) if isinstance(kept, bytes) else kept


class _Cells(Mapping[str, Scalar]):
    """The filled cells of a line by column, read when the first one is asked for."""

    __slots__ = ("_columns", "_kept")

    def __init__(self, kept: Line | bytes, columns: Mapping[str, int]) -> None:
        self._kept, self._columns = kept, columns

    def __getitem__(self, key: str) -> Scalar:
        line, at = self._read(), self._columns[key]
        if at >= len(line) or line[at] == "":
            raise KeyError(key)
        return line[at]

    def __iter__(self) -> Iterator[str]:
        line = self._read()
        return (key for key, at in self._columns.items() if at < len(line) and line[at] != "")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _read(self) -> Line:
        self._kept = line = _line(self._kept)
        return line


class RowMaker:
    """Makes rows of lines, one after the other; the first is the header row: `columns_of` says where columns stand."""

    def __init__(self, columns_of: Callable[[Sequence[Scalar]], Mapping[str, int]], locks: Sequence[Lock] = ()) -> None:
        self._columns_of, self._locks = columns_of, locks
        self.columns: Mapping[str, int] = {}
        self.rows: list[Row] = []
        self._number = 0

    def keep(self, line: Sequence[Scalar], text: str) -> Line | bytes:
        """What is to be kept of a line that was read from this text; its row, if it is one, is among the rows then."""
        self._number += 1
        if self._number == 1:
            self._begin(line)
        elif self._is_plain(line):
            kept = text.encode()
            self._add_plain(line, kept)
            return kept
        else:
            row = row_of(self._number, line, self.columns, self._present, self._locks)
            # a row that says nothing in our columns is nobody's row: tabs have a thousand of them
            self.rows += [row] if row.cells else []
        return tuple(line)

    def _begin(self, headers: Sequence[Scalar]) -> None:
        self.columns = self._columns_of(headers)
        self._present = frozenset(self.columns)
        self._key, self._url = self.columns.get("video_id", -1), self.columns.get("video_url", -1)
        self._telling = sorted(self.columns[key] for key in TELLING if key in self.columns)
        # what tells is compared at once, and trailing empty cells are not there: by the length of the line
        self._told_by: dict[int, tuple[Callable[[Any], Any], Any]] = {}

    def _is_plain(self, line: Sequence[Scalar]) -> bool:
        if self._locks and any(lock.top < self._number <= lock.bottom for lock in self._locks):
            return False
        length = len(line)
        if length not in self._told_by:
            there = [at for at in self._telling if at < length]
            # of a single cell itemgetter gives no tuple: it is asked for twice
            self._told_by[length] = (itemgetter(*there, *there), ("",) * 2 * len(there)) if there else (len, length)
        told, nothing = self._told_by[length]
        return bool(told(line) == nothing)

    def _add_plain(self, line: Sequence[Scalar], kept: bytes) -> None:
        length, key, url = len(line), self._key, self._url
        video = key_text(line[key]) if 0 <= key < length else ""
        if video or any(at < length and line[at] != "" for at in self.columns.values()):
            beside = line[url] if 0 <= url < length else ""
            self.rows.append(
                Row(self._number, video, _Cells(kept, self.columns), self._present, is_plain=True, url=beside)
            )
