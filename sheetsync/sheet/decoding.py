"""What an answer to a read of values says, decoded a part at a time: a whole tab as text and as objects is too much.

Owns the JSON of values:batchGet. What is kept of each line its caller says.
"""

import json
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

PART = 1 << 20
"""So many bytes of an answer are text at a time."""

# public, if not documented: `raw_decode` is it, and makes an error of each end of a part
_SCAN: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
_BEGINS = frozenset('"[{-0123456789tfnNI')


class NotAnObject(ValueError):
    """It is JSON, and no object."""


def ranges_of(content: bytes, keeps: Callable[[int], Callable[[list[Any], str], T]]) -> list[list[T]]:
    """What is kept of each line of each range; `keeps` says for a range what keeps a line, by its cells and its text.

    Raises ValueError for what is no such answer, NotAnObject where it is JSON.
    """
    part = _Part(content)
    found: list[list[T]] = []
    if part.next() != "{":
        part.value()
        raise NotAnObject
    for key in part.members():
        if key != "valueRanges" or part.next() != "[":
            part.value()
            continue
        for _ in part.items():
            found.append(_lines(part, keeps(len(found))))
    part.end()
    return found


def _lines(part: "_Part", keep: Callable[[list[Any], str], T]) -> list[T]:
    found: list[T] = []
    for key in part.members():
        if key != "values":
            part.value()
            continue
        for _ in part.items():
            line, text = part.value()
            if not isinstance(line, list):
                raise ValueError("a line is a list")
            found.append(keep(line, text))
    return found


class _Part:
    """A JSON text, of which a part is decoded at a time. Whoever asks for members or items takes the value of each."""

    def __init__(self, content: bytes) -> None:
        self._content, self._taken = memoryview(content), 0
        self._decoder = getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0

    def next(self) -> str:
        """The character that comes next, whitespace aside; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> tuple[Any, str]:
        """The value that comes next, and its text."""
        if self._text[self._at : self._at + 1] not in _BEGINS:
            self.next()
        while True:
            try:
                found, end = _SCAN(self._text, self._at)
            except (StopIteration, ValueError) as error:
                # it may go on in the next part
                if not self._more():
                    raise ValueError("garbled") from error
                continue
            if end == len(self._text) and self._more():
                continue
            text = self._text[self._at : end]
            self._at = end
            return found, text

    def members(self) -> Iterator[str]:
        """The keys of the object that comes next."""
        for _ in self._each("{", "}"):
            key, _ = self.value()
            self._take(":")
            yield key

    def items(self) -> Iterator[None]:
        """As often as the list that comes next has items."""
        return self._each("[", "]")

    def end(self) -> None:
        """Raises ValueError if anything comes next."""
        if self.next():
            raise ValueError("something stands behind the answer")

    def _each(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.next() != closing:
            yield
            # twice for each of a hundred thousand lines: without a call where nothing stands between
            while self._text[self._at : self._at + 1] == "," or self.next() == ",":
                self._at += 1
                yield
        self._take(closing)

    def _take(self, character: str) -> None:
        if self.next() != character:
            raise ValueError(f"{character} is missing")
        self._at += 1

    def _more(self) -> bool:
        size = len(self._content)
        if self._taken >= size:
            return False
        begin, self._taken = self._taken, min(self._taken + PART, size)
        decoded = self._decoder.decode(self._content[begin : self._taken], final=self._taken == size)
        self._text, self._at = self._text[self._at :] + decoded, 0
        return True
