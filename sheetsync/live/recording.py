"""What went over the wire in a live check, and what of it may be shown to others.

Owns the redaction: no key, token, spreadsheet id, mail address or code leaves in it, nor the name of anybody's tab.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sheetsync.live.scratch import TITLES

SPREADSHEET = "SPREADSHEET"
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_ID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_PROJECT = re.compile(r"(project_number:|projects?[ /=])\d+")
_VIDEO = re.compile(r"(/videos/)[^/]+")
_WORDS = ("status", "platform")
"""Texts of TokPortal's that are the API's own words; any other may be a code, a note or a name."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer."""

    method: str
    url: str
    sent: bytes
    status: int
    headers: Mapping[str, str]
    got: bytes


@dataclass(slots=True)
class Exchanges:
    """Everything that was heard, in order."""

    all: list[Exchange] = field(default_factory=list)

    def hear(self, method: str, url: str, sent: bytes, status: int, headers: Mapping[str, str], got: bytes) -> None:
        """Keep one."""
        self.all.append(Exchange(method, url, sent, status, headers, got))

    @property
    def last(self) -> Exchange:
        """The newest."""
        return self.all[-1]


def redacted(exchange: Exchange, spreadsheets: Sequence[str]) -> dict[str, Any]:
    """An exchange as it may be shown: Google's whole but for ids and names of others, of TokPortal's the shape."""
    parts = urlsplit(exchange.url)
    is_google = "/v4/spreadsheets/" in parts.path
    body = _ours if is_google else _shape
    return {
        "service": "google" if is_google else "tokportal",
        "method": exchange.method,
        "path": _VIDEO.sub(r"\1VIDEO", scrubbed(parts.path, spreadsheets)),
        "query": parse_qsl(parts.query, keep_blank_values=True),
        "sent": body(_json(exchange.sent), spreadsheets),
        "status": exchange.status,
        "headers": sorted(name.lower() for name in exchange.headers),
        "got": body(_json(exchange.got), spreadsheets),
    }


def scrubbed(text: str, spreadsheets: Sequence[str]) -> str:
    """A text without ids and mail addresses."""
    for spreadsheet in spreadsheets:
        text = text.replace(spreadsheet, SPREADSHEET)
    return _PROJECT.sub(r"\1PROJECT", _ID.sub("ID", _MAIL.sub("MAIL", text)))


def _json(body: bytes) -> Any:
    """What a body holds; a page is not shown."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return "(no JSON)"


def _ours(held: Any, spreadsheets: Sequence[str]) -> Any:
    if isinstance(held, dict):
        shown = {name: _ours(value, spreadsheets) for name, value in held.items()}
        if "sheetId" in held and held.get("title", TITLES[0]) not in TITLES:
            shown["title"] = "(a tab)"
        return shown
    if isinstance(held, list):
        return [_ours(value, spreadsheets) for value in held]
    return scrubbed(held, spreadsheets) if isinstance(held, str) else held


def _shape(held: Any, spreadsheets: Sequence[str], name: str = "") -> Any:
    if isinstance(held, dict):
        return {
            key: held[key] if name == "error" and key == "code" else _shape(held[key], spreadsheets, key)
            for key in held
        }
    if isinstance(held, list):
        return [_shape(value, spreadsheets) for value in held]
    if isinstance(held, str):
        return held if name in _WORDS else "(text)"
    return 0 if isinstance(held, int | float) and not isinstance(held, bool) else held
