"""PURE: new rows as one `appendCells`, whether it landed right, and what a row that went astray is undone by.

Owns the requests and the compares. A row goes astray where somebody moved columns between our read and our write: its
texts then stand one column off. It is known by all its texts standing just where they were sent.
"""

from collections.abc import Mapping

from sheetsync.model import Snapshot
from sheetsync.sheet.edits import ClearMark, Landed, header_at
from sheetsync.sheet.requests import Json, quoted, row_write
from sheetsync.steps import SentRow

Cells = Mapping[int, str]
Rows = Mapping[str, Cells]


def append_write(snapshot: Snapshot, rows: Rows) -> Json:
    """One atomic call: below the last row with data, as typed text (never parsed), shown where it is expected."""
    lines = [{"values": [_cell(cells.get(column, "")) for column in range(max(cells) + 1)]} for cells in rows.values()]
    first, tab = _first(snapshot), quoted(snapshot.title)
    request = {"sheetId": snapshot.sheet_id, "rows": lines, "fields": "userEnteredValue"}
    return {
        "requests": [{"appendCells": request}],
        "includeSpreadsheetInResponse": True,
        "responseIncludeGridData": True,
        "responseRanges": [f"{tab}!1:1", f"{tab}!{first}:{first + len(rows) - 1}"],
    }


def _first(snapshot: Snapshot) -> int:
    return len(snapshot.grid) + 1


def _cell(text: str) -> Json:
    return {"userEnteredValue": {"stringValue": text}} if text else {}


def landed_right(snapshot: Snapshot, rows: Rows, landed: Landed) -> bool:
    """Whether each row stands where it was expected, under the headers that were read, with every text."""
    width = max(len(landed.headers), len(snapshot.headers))
    if any(header_at(landed.headers, at) != header_at(snapshot.headers, at) for at in range(width)):
        return False
    shown = (landed.rows.get(_first(snapshot) + turn, ()) for turn in range(len(rows)))
    return all(_stands(cells, line) for cells, line in zip(rows.values(), shown, strict=True))


def _stands(cells: Cells, line: object) -> bool:
    return isinstance(line, list | tuple) and all(
        column < len(line) and line[column] == text for column, text in cells.items()
    )


def headers_of(snapshot: Snapshot, rows: Rows) -> Mapping[int, str]:
    """The headers that the texts of new rows are meant for."""
    return {column: header_at(snapshot.headers, column) for cells in rows.values() for column in cells}


def strays(snapshot: Snapshot, sent: Mapping[str, SentRow]) -> Mapping[str, int]:
    """Rows of these that stand just where they were sent, but not under their headers: by video id, the row number."""
    moved = {
        video
        for video, row in sent.items()
        if any(header_at(snapshot.headers, at) != row.headers[at] for at in row.cells)
    }
    lines = enumerate(snapshot.grid[1:], start=2) if moved else ()
    return {
        video: number
        for number, line in lines
        for video in moved.intersection(line)
        if _stands(sent[video].cells, line)
    }


def undoing(snapshot: Snapshot, sent: Mapping[str, SentRow], numbers: Mapping[str, int]) -> Json:
    """Empty what went astray, cell by cell, each only if it still says what was sent there."""
    clears = [
        ClearMark(number, column, video, text)
        for video, number in numbers.items()
        for column, text in sent[video].cells.items()
    ]
    return {"requests": row_write(snapshot, clears)["requests"]}
