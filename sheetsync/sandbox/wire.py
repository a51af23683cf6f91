"""What passes between the sandbox and its callers: requests, answers, and the ways an answer can fail to arrive.

Owns the wire types and JSON bodies. Knows nothing of Google, TokPortal or TikTok.
Source: reference/google-sheets.md section 2.2 (headers, pretty JSON with two spaces and a trailing newline).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any
from uuid import uuid4

JSON_HEADERS: Mapping[str, str] = {
    "content-type": "application/json; charset=UTF-8",
    "cache-control": "private",
    "vary": "Origin, X-Origin, Referer",
}

PIECE = 1000
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_MARK = uuid4().hex


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, the path is percent-encoded and carries no query."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def param(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        found = default
        for key, value in self.query:
            if key == name:
                found = value
        return found


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


class ConnectionLost(Exception):
    """The peer gets no answer: the socket closes."""


class TimedOut(Exception):
    """The peer gets no answer in time: its read times out."""


class Slow(TimedOut):
    """No answer in time. The server waits `seconds`, then gives `answer` or, where there is none, handles the call."""

    def __init__(self, seconds: float, answer: Response | None = None) -> None:
        super().__init__(f"no answer within {seconds} seconds")
        self.seconds = seconds
        self.answer = answer


class Drips(TimedOut):
    """The answer comes a byte at a time, headers first, one every `seconds`."""

    def __init__(self, seconds: float, answer: Response) -> None:
        super().__init__(f"one byte every {seconds} seconds")
        self.seconds = seconds
        self.answer = answer


Handler = Callable[[Request], Response]


def json_response(
    payload: object, status: int = 200, *, pretty: bool = False, headers: Mapping[str, str] = JSON_HEADERS
) -> Response:
    """A JSON answer, compact unless asked to look like Google's."""
    # Every answer of Sheets is indented, with a newline at its end: Sheets reference 2.2.
    return Response(status, headers, b"".join(_encoded(payload, pretty)))


class Pieces:
    """A list of JSON that is made and encoded a piece at a time: of millions of cells, no more than their text is held.

    `make` gives the items from one index up to another.
    """

    def __init__(self, count: int, make: Callable[[int, int], list[Any]]) -> None:
        self.count = count
        self.make = make

    def encoded(self, pretty: bool, pad: str) -> Iterator[bytes]:
        """The list as JSON; `pad` is how far its line is indented."""
        start, between, end = (f"[\n{pad}  ", f",\n{pad}  ", f"\n{pad}]") if pretty else ("[", ",", "]")
        for at in range(0, self.count, PIECE):
            items = self.make(at, min(at + PIECE, self.count))
            texts = [_indented(item, pad + "  ", []) for item in items] if pretty else map(_COMPACT.encode, items)
            yield ((between if at else start) + between.join(texts)).encode()
        yield end.encode()


def _encoded(payload: object, pretty: bool) -> Iterator[bytes]:
    later: list[tuple[Pieces, str]] = []
    text = _indented(payload, "", later) + "\n" if pretty else _compact(payload, later)
    first, *rest = text.split(f'"{_MARK}"')
    yield first.encode()
    for (pieces, pad), after in zip(later, rest, strict=True):
        yield from pieces.encoded(pretty, pad)
        yield after.encode()


def _compact(payload: object, later: list[tuple[Pieces, str]]) -> str:
    def marked(value: object) -> str:
        if not isinstance(value, Pieces):
            raise TypeError(f"{type(value).__name__} is no JSON")
        later.append((value, ""))
        return _MARK

    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, default=marked)
    return encoder.encode(payload)


def _indented(value: Any, pad: str, later: list[tuple[Pieces, str]]) -> str:
    """JSON with two spaces, as `json.dumps` writes it, in a third of its time."""
    deeper = pad + "  "
    if value and isinstance(value, dict):
        lines = [f"{encode_basestring(name)}: {_indented(held, deeper, later)}" for name, held in value.items()]
        return "{\n" + deeper + f",\n{deeper}".join(lines) + f"\n{pad}}}"
    if value and isinstance(value, list | tuple):
        return "[\n" + deeper + f",\n{deeper}".join([_indented(item, deeper, later) for item in value]) + f"\n{pad}]"
    if isinstance(value, Pieces):
        later.append((value, pad))
        return f'"{_MARK}"'
    return encode_basestring(value) if isinstance(value, str) else _COMPACT.encode(value)
