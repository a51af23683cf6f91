"""PURE: edits -> the requests of one `spreadsheets.batchUpdate`, and its answer -> where they landed.

Owns the JSON of the Sheets API that a run sends and reads back (Sheets reference 3). Sends nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import groupby
from typing import Any

from sheetsync.columns import DATE_FORMAT, ERRORS, Kind, kind_of, to_serial
from sheetsync.model import CellValue, Grid, Scalar, Snapshot, SummaryBlock
from sheetsync.projected import SummaryCell
from sheetsync.sheet.edits import ClearMark, Edit, Landed, SetCell, by_row

Json = dict[str, Any]

ROWS_PER_WRITE = 400
"""New rows at a time: about 1 MB of JSON; Google recommends at most 2 MB a call (Sheets reference 3.1)."""

CELLS_PER_WRITE = 6_400
"""Cells of rows that are there: as much. The fewer calls, the less time for people to move rows between them."""

ANSWER_FIELDS = (
    "updatedSpreadsheet(sheets(properties(sheetId),"
    "data(startRow,startColumn,rowData(values(effectiveValue,userEnteredValue)))))"
)


OFFER_FIELDS = f"replies(findReplace(valuesChanged)),{ANSWER_FIELDS}"


def quoted(title: str) -> str:
    """A tab's title as A1 notation wants it."""
    return "'" + title.replace("'", "''") + "'"


def batches(edits: Sequence[Edit]) -> list[list[Edit]]:
    """The edits in as many writes as their size needs; those of a row stay together."""
    found: list[list[Edit]] = []
    for row in by_row(edits):
        if not found or len(found[-1]) + len(row) > CELLS_PER_WRITE:
            found.append([])
        found[-1] += row
    return found


def row_write(snapshot: Snapshot, edits: Sequence[Edit]) -> Json:
    """A write to the tracker's tab that shows, in the same atomic call, where it landed."""
    tab = quoted(snapshot.title)
    dates = {index for key, index in snapshot.columns.items() if kind_of(key) is Kind.DATE}
    cells = [edit for edit in edits if isinstance(edit, SetCell)]
    clears = [_clear(snapshot.sheet_id, edit) for edit in edits if isinstance(edit, ClearMark)]
    return {
        "requests": [*_update_cells(snapshot, snapshot.time_zone, cells, dates), *clears],
        "includeSpreadsheetInResponse": True,
        "responseIncludeGridData": True,
        # whole rows: the key is found even if columns have moved
        "responseRanges": [f"{tab}!1:1", *(f"{tab}!{first}:{last}" for first, last in _spans(edits))],
    }


def nothing(seen: Snapshot, text: str) -> Json:
    """A write that changes nothing, in the shape of `row_write`: a text that stands nowhere is looked for in A1."""
    return {**row_write(seen, ()), "requests": [_clear(seen.sheet_id, ClearMark(1, 0, "", text))]}


def plain(seen: Snapshot, cells: Sequence[SetCell]) -> list[Json]:
    """The requests that write texts into the tracker's tab."""
    return list(_update_cells(seen, seen.time_zone, cells, frozenset()))


def summary_requests(snapshot: Snapshot, cells: Sequence[SummaryCell]) -> list[Json]:
    """The requests that write the Summary tab; none where there is none."""
    if not snapshot.summary:
        return []
    return list(_update_cells(snapshot.summary, snapshot.time_zone, cells, frozenset()))


def offer_write(block: SummaryBlock, asked: Sequence[Json], shown: str) -> Json:
    """A write to the Summary tab that shows, in the same atomic call, what stands in a range from A1 on then."""
    return {
        "requests": list(asked),
        "includeSpreadsheetInResponse": True,
        "responseIncludeGridData": True,
        "responseRanges": [f"{quoted(block.title)}!{shown}"],
    }


def take_number(block: SummaryBlock, row: int, column: int, number: int) -> Json:
    """Empty one cell of the Summary tab, given 0-based, if a person typed just this number there: no formula is hit."""
    return _clear(block.sheet_id, ClearMark(row + 1, column, "", str(number)))


def was_taken(answer: Mapping[str, Any]) -> bool:
    """Whether that cell was hit."""
    return any(reply.get("findReplace", {}).get("valuesChanged") == 1 for reply in answer.get("replies", []))


def block_shown(answer: Mapping[str, Any], sheet_id: int, rows: int) -> Grid:
    """The first rows of a tab as the answer of a write shows them."""
    landed = landed_in([answer], sheet_id)
    return tuple(map(tuple, (landed.headers, *(landed.rows.get(number, ()) for number in range(2, rows + 1)))))


def _spans(edits: Iterable[Edit]) -> Iterator[tuple[int, int]]:
    """Consecutive rows as (first, last)."""
    rows = sorted({edit.row for edit in edits})
    for _, group in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]):
        members = [row for _, row in group]
        yield members[0], members[-1]


def _update_cells(
    tab: Snapshot | SummaryBlock, time_zone: str, cells: Iterable[SetCell | SummaryCell], date_columns: Set[int]
) -> Iterator[Json]:
    """One request for each run of neighbours in a row that need the same field mask."""

    def run_of(numbered: tuple[int, SetCell | SummaryCell]) -> tuple[int, int, bool]:
        turn, cell = numbered
        is_typed = any(typed.covers(cell.row, cell.column) for typed in tab.typed)
        return cell.row, cell.column - turn, _is_date(cell, date_columns) and not is_typed

    ordered = sorted(cells, key=lambda cell: (cell.row, cell.column))
    for (row, _, is_formatted), group in groupby(enumerate(ordered), key=run_of):
        run = [cell for _, cell in group]
        values = [_cell(cell.value, time_zone, is_formatted) for cell in run]
        start = {"sheetId": tab.sheet_id, "rowIndex": row - 1, "columnIndex": run[0].column}
        fields = "userEnteredValue,userEnteredFormat.numberFormat" if is_formatted else "userEnteredValue"
        yield {"updateCells": {"start": start, "rows": [{"values": values}], "fields": fields}}


def _is_date(cell: SetCell | SummaryCell, date_columns: Set[int]) -> bool:
    """Whether the cell needs the date format: an instant, or a number put back into a date column."""
    if isinstance(cell.value, datetime):
        return True
    return not isinstance(cell.value, bool | str) and cell.column in date_columns


def _cell(value: CellValue, time_zone: str, is_formatted: bool) -> Json:
    cell: Json = {}
    if isinstance(value, datetime):
        cell["userEnteredValue"] = {"numberValue": to_serial(value, time_zone)}
    elif isinstance(value, bool):
        cell["userEnteredValue"] = {"boolValue": value}
    elif isinstance(value, int | float):
        cell["userEnteredValue"] = {"numberValue": value}
    elif value:
        # typed text: never parsed, so a code that begins with + or = stays a code
        cell["userEnteredValue"] = {"stringValue": value}
    if is_formatted:
        # without a format of its own a new cell would show the serial: 46193.5
        cell["userEnteredFormat"] = {"numberFormat": {"type": "DATE_TIME", "pattern": DATE_FORMAT}}
    return cell


def _clear(sheet_id: int, edit: ClearMark) -> Json:
    """Empty one cell if it says what it said: nothing else can be hit, wherever it has moved."""
    cell = {
        "sheetId": sheet_id,
        "startRowIndex": edit.row - 1,
        "endRowIndex": edit.row,
        "startColumnIndex": edit.column,
        "endColumnIndex": edit.column + 1,
    }
    what = {"find": edit.mark, "replacement": "", "matchCase": True, "matchEntireCell": True}
    return {"findReplace": {**what, "range": cell}}


def landed_in(answers: Iterable[Mapping[str, Any]], sheet_id: int) -> Landed:
    """Where the writes of one round landed, by their answers' grid data."""
    rows: dict[int, Sequence[Scalar]] = {}
    formulas: set[tuple[int, int]] = set()
    # a key that Google left out is its default: sheet 0, row 0, an empty cell
    for answer in answers:
        for sheet in answer.get("updatedSpreadsheet", {}).get("sheets", []):
            if sheet.get("properties", {}).get("sheetId", 0) == sheet_id:
                for block in sheet.get("data", []):
                    for number, row in enumerate(block.get("rowData", []), start=block.get("startRow", 0) + 1):
                        cells = row.get("values", [])
                        rows[number] = [_scalar(cell) for cell in cells]
                        formulas |= {(number, at) for at, cell in enumerate(cells) if _by_formula(cell)}
    return Landed(rows.pop(1, ()), rows, frozenset(formulas))


def _by_formula(cell: Mapping[str, Any]) -> bool:
    """Whether what a cell shows is a formula's: its own, or one that spills over from another cell."""
    entered = cell.get("userEnteredValue", {})
    return "formulaValue" in entered or ("effectiveValue" in cell and not entered)


def _scalar(cell: Mapping[str, Any]) -> Scalar:
    value = cell.get("effectiveValue", {})
    for kind in ("stringValue", "numberValue", "boolValue"):
        if kind in value:
            scalar: Scalar = value[kind]
            return scalar
    # as a read shows it: what an order rests on is compared by its text
    return ERRORS.get(str(value.get("errorValue", {}).get("type", "")), ERRORS["ERROR"]) if value else ""
