"""What passes between the sandbox and its callers: requests, answers, and the ways an answer can fail to arrive.

Owns the wire types and JSON bodies. Knows nothing of Google or TokPortal.
Source: reference/google-sheets.md section 2.2 (headers, pretty JSON with two spaces and a trailing newline).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_HEADERS: Mapping[str, str] = {
    "content-type": "application/json; charset=UTF-8",
    "cache-control": "private",
    "vary": "Origin, X-Origin, Referer",
}

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_PRETTY = json.JSONEncoder(ensure_ascii=False, indent=2)


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
    text = _PRETTY.encode(payload) + "\n" if pretty else _COMPACT.encode(payload)
    return Response(status, headers, text.encode())
