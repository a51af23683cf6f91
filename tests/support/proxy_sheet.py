"""What the judge at the proxy reads in the config and in Google's calls: trackers, tabs, rows, claims.

Its own reading of both: nothing here is the program's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NOTE_LIMIT = 500
DEFAULT_APPROVALS = ("caption_final", "sound_cleared")
PLATFORMS = ("", "tiktok", "instagram")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as an answer showed it: values by normal header; `headers` turns a column's key into one."""

    cells: Mapping[str, Any]
    headers: Mapping[str, str]

    def text(self, column: str) -> str:
        return str(self.cells.get(_header(column, self.headers), "")).strip()

    @property
    def key(self) -> str:
        return self.text("video_id")

    @property
    def order(self) -> dict[str, str]:
        """The body of an order for it."""
        fields = {"note": self.text("note"), "platform": self.text("platform").casefold()}
        return {name: text for name, text in fields.items() if text}


class TrackerRules:
    """One tracker of the config. Remembers which approvals its sheet ever had."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.name, self.spreadsheet, self.worksheet = config["name"], config["spreadsheet"], config["worksheet"]
        self.most, self.keep = config.get("max_orders_per_run", 25), config.get("keep_credits", 0)
        self.most_at_sheet = config.get("max_orders_at_sheet", 0)
        self._require, self._approve = config.get("require") or (), config.get("approve")
        self._headers: Mapping[str, str] = config.get("columns") or {}
        self._had: set[str] = set()

    def rows(self, lines: Mapping[int, Sequence[Any]]) -> dict[int, Row]:
        """Rows from lines, by their number; the headers' is 0."""
        headers = [_normal(cell) for cell in lines.get(0, ())]
        self._had |= {column for column in DEFAULT_APPROVALS if _header(column, self._headers) in headers}
        cells = {n: dict(zip(headers, line, strict=False)) for n, line in sorted(lines.items()) if n}
        return {number: Row(found, self._headers) for number, found in cells.items()}

    def shut(self, row: Row) -> str:
        """Why nothing may be ordered for a row; empty if its gates are open."""
        approve = self._had if self._approve is None else self._approve
        shut = [column for column in approve if row.text(column).casefold() not in ("true", "yes", "x", "✓", "✔")]
        shut += [column for column in self._require if not row.text(column)]
        if len(row.text("note")) > NOTE_LIMIT:
            shut.append("note")
        if row.text("platform").casefold() not in PLATFORMS:
            shut.append("platform")
        return f"not ready: {', '.join(shut)}" if shut else ""


def trackers_of(config: Mapping[str, Any]) -> list[TrackerRules]:
    """The trackers of a parsed configuration."""
    return [TrackerRules(tracker) for tracker in config["trackers"]]


class Tabs:
    """Titles of tabs by spreadsheet and sheet id, as the metadata reads told them."""

    def __init__(self) -> None:
        self._titles: dict[tuple[str, int], str] = {}

    def learn(self, book: str, told: Mapping[str, Any]) -> None:
        for properties in (sheet["properties"] for sheet in told.get("sheets", ())):
            if "title" in properties:  # `init` reads cells without it
                self._titles[book, properties.get("sheetId", 0)] = properties["title"]

    def others(self, book: str, titles: Sequence[str]) -> list[int]:
        """The tabs with none of these titles."""
        return [at for (where, at), title in self._titles.items() if where == book and title not in titles]

    def title(self, book: str, sheet_id: int) -> str:
        return self._titles.get((book, sheet_id), "")


def lines_shown(told: Mapping[str, Any]) -> dict[int, dict[int, list[Any]]]:
    """The lines that a write's answer shows, by sheet id and by number from 0."""
    found: dict[int, dict[int, list[Any]]] = {}
    for sheet in told.get("updatedSpreadsheet", {}).get("sheets", ()):
        lines = found.setdefault(sheet.get("properties", {}).get("sheetId", 0), {})
        for block in sheet.get("data", ()):
            for number, line in enumerate(block.get("rowData", ()), start=block.get("startRow", 0)):
                lines[number] = [_value(cell) for cell in line.get("values", ())]
    return found


def claims_in(asked: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Sheet id and number, from 0, of each row into which a write puts `ordering`."""
    for write in (one["updateCells"] for one in asked["requests"] if "updateCells" in one):
        start = write["start"]
        for number, row in enumerate(write["rows"], start=start.get("rowIndex", 0)):
            if any(cell.get("userEnteredValue", {}).get("stringValue") == "ordering" for cell in row["values"]):
                yield start.get("sheetId", 0), number


def _value(cell: Mapping[str, Any]) -> Any:
    return next(iter(cell.get("effectiveValue", {}).values()), "")


def _normal(header: Any) -> str:
    return " ".join(str(header).split()).casefold()


def _header(column: str, renamed: Mapping[str, str]) -> str:
    """The normal header of a column: the config's, else its key in words."""
    return _normal(renamed.get(column, column.replace("_", " ")))
