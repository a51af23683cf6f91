"""PURE: the bench, the tab whose rows are the cases: how it is laid out, filled, written and read back.

Owns the batches in the very shapes that a run sends (`sheet/requests.py`, `template/`), and what their answers come to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sheetsync.live import scratch
from sheetsync.live.cases import BESIDE, CASES, CELL, HEADERS, KEY, MARK, ZONE, Case, Seen
from sheetsync.live.probe import NOT_TRIED, REFUSED, TAKEN, Finding, Probe
from sheetsync.model import Snapshot, Tracker
from sheetsync.sheet import requests
from sheetsync.sheet.edits import SetCell
from sheetsync.template import batch, summary_tab, tracker_tab
from sheetsync.template.spreadsheet import GRID_FIELDS, TABS_FIELDS, Spreadsheet, Tab, spreadsheet_of

Json = dict[str, Any]

ROW_OF: Mapping[str, int] = {case.name: 2 + 2 * at for at, case in enumerate(CASES)}
SPARE = 2 + 2 * len(CASES)
"""The first of three rows that belong to no case: for batches that are to be refused."""

ROWS = SPARE + 2
WRITE_FIELDS = requests.OFFER_FIELDS
READ_FIELDS = (
    f"{TABS_FIELDS},sheets(developerMetadata(metadataKey)),{GRID_FIELDS},"
    "sheets(data(rowData(values(userEnteredValue(formulaValue)))))"
)

PAST = Probe("a write past the last row", REFUSED, "Rows would be added to the tab. Do not run sync; report this.")
HALF = Probe(
    "a batch with a bad request",
    "refused, nothing done",
    "Writes would stay half done, and no row could be trusted. Do not run sync; report this.",
)
UNKNOWN = Probe(
    "a write that shows no such tab",
    REFUSED,
    "A write to a tab that was renamed meanwhile could not be told from one that landed. Do not run sync; report this.",
)
UNKNOWN_DONE = Probe(
    "what that write has done",
    "nothing",
    "sheetsync looks in any case. Do not rename the tab while it runs.",
    is_safety=False,
    needs=UNKNOWN.name,
)
UNREAD = Probe(
    "a read of no such tab",
    REFUSED,
    "A tab that was renamed would look like an empty one. Do not run sync; report this.",
)
MARKED = Probe(
    "the mark of scratch tabs",
    "shown",
    "What a killed check leaves has to be deleted by hand: the tabs named 'sheetsync live check'.",
    is_safety=False,
)
INIT = Probe(
    "all that init sends",
    TAKEN,
    "`sheetsync init` cannot prepare a tab here: make the columns by hand, and report this.",
    is_safety=False,
)
INIT_AGAIN = Probe(
    "what init would add then",
    "nothing",
    "`sheetsync init` would add it again and again: run it once only, and report this.",
    is_safety=False,
    needs=INIT.name,
)
VALUES = Probe(
    "values in a table",
    'text "#code"; number 46193',
    "sheetsync cannot write into a table here: convert the tracker to an unformatted range, and report this.",
    is_safety=False,
    needs="a number",
)
FORMATS = Probe(
    "a date format in a table",
    REFUSED,
    "It is no longer refused: nothing to do. Please report it.",
    is_safety=False,
)


def bench_tab(sheet_id: int) -> Tab:
    """The bench."""
    return Tab(sheet_id, scratch.BENCH, ROWS, len(HEADERS))


def before(sheet_id: int) -> Snapshot:
    """The bench as a run would have read it, as far as a write needs it."""
    columns = {"video_id": KEY, "action": MARK, "status": CELL, "updated_at": HEADERS.index("Updated at")}
    return Snapshot(sheet_id, scratch.BENCH, ZONE, columns, (), (HEADERS,), datetime.min.replace(tzinfo=UTC))


def making(ids: Mapping[str, int], tracker: Tracker) -> tuple[list[Json], list[Json]]:
    """The requests that make the tabs, and all that `init` sends to make two of them a tracker and its summary."""
    empty = {
        title: Tab(ids[title], title, rows, columns, rows_read=2)
        for title, rows, columns in ((scratch.INIT, 20, 10), (scratch.SUMMARY, 20, 10))
    }
    tabs = [bench_tab(ids[scratch.BENCH]), *empty.values()]
    made = [each for tab in tabs for each in scratch.making(tab.sheet_id, tab.title, tab.row_count, tab.column_count)]
    return made, [change.request for change in init_changes(Spreadsheet(tuple(empty.values())), tracker)]


def init_changes(spreadsheet: Spreadsheet, tracker: Tracker) -> list[batch.Change]:
    """What `init` would add to the two tabs; nothing to the spreadsheet around them, which is not ours."""
    here = replace(tracker, worksheet=scratch.INIT, summary_tab=scratch.SUMMARY)
    around = replace(spreadsheet, recalculates="")
    return [*tracker_tab.changes(around, here), *summary_tab.changes(around, here)[0]]


def filling(sheet_id: int, cases: Sequence[Case]) -> Json:
    """The batch that makes rows of the bench as people left them: headers, the cases, and the filter."""
    tab = bench_tab(sheet_id)
    headers = [{"userEnteredValue": {"stringValue": header}} for header in HEADERS]
    rows = [request for case in cases for request in case.left_by_people(tab, ROW_OF[case.name])]
    hidden = [case.key(ROW_OF[case.name]) for case in CASES if case.is_filtered]
    range_ = {"sheetId": sheet_id, "startRowIndex": 0, "endRowIndex": ROWS, "startColumnIndex": 0}
    filter_ = {
        "range": {**range_, "endColumnIndex": BESIDE + 1},
        "filterSpecs": [{"columnIndex": KEY, "filterCriteria": {"hiddenValues": hidden}}],
    }
    request = batch.update_cells(tab, 0, 0, headers, "userEnteredValue", "").request
    return {"requests": [request, *rows, {"setBasicFilter": {"filter": filter_}}]}


def writing(sheet_id: int, cases: Sequence[Case]) -> Json:
    """What sheetsync writes into the rows of cases, as a run does."""
    return requests.row_write(before(sheet_id), [edit for case in cases for edit in case.edits(ROW_OF[case.name])])


def _spare(sheet_id: int, turn: int, text: str = "half") -> Json:
    return requests.row_write(before(sheet_id), [SetCell(SPARE + turn, CELL, "", text)])


def past_the_grid(sheet_id: int) -> Json:
    """A write to the first row that is not there."""
    return _spare(sheet_id, ROWS + 1 - SPARE)


def half_bad(sheet_id: int, no_such_id: int) -> Json:
    """A good write, and one to a tab that is not there."""
    good = _spare(sheet_id, 0)
    return {**good, "requests": [*good["requests"], *_spare(no_such_id, 0)["requests"]]}


def unknown_tab(sheet_id: int) -> Json:
    """A good write that asks to be shown a tab that is not there."""
    good = _spare(sheet_id, 1)
    return {**good, "responseRanges": [*good["responseRanges"], f"{requests.quoted(scratch.NO_SUCH_TAB)}!1:1"]}


def table_making(sheet_id: int) -> list[Json]:
    """The requests for a tab with a table that has typed columns."""
    range_ = {"sheetId": sheet_id, "startRowIndex": 0, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 2}
    columns = [
        {"columnIndex": 0, "columnName": "Code", "columnType": "TEXT"},
        {"columnIndex": 1, "columnName": "When", "columnType": "DATE"},
    ]
    table = {"name": "sheetsync_live_check", "range": range_, "columnProperties": columns}
    return [*scratch.making(sheet_id, scratch.TABLE, 6, 4), {"addTable": {"table": table}}]


def table_values(sheet_id: int) -> list[Json]:
    """Values for the first row of the table, without any format."""
    cells: list[Json] = [{"userEnteredValue": {"stringValue": "#code"}}, {"userEnteredValue": {"numberValue": 46193}}]
    tab = Tab(sheet_id, scratch.TABLE, 6, 4)
    return [batch.update_cells(tab, 1, 0, cells, "userEnteredValue", "").request]


def table_formats(sheet_id: int) -> list[Json]:
    """A date into its second row, with the format that a date gets elsewhere."""
    cell: Json = {"userEnteredValue": {"numberValue": 46193}, "userEnteredFormat": {"numberFormat": {"type": "DATE"}}}
    fields = "userEnteredValue,userEnteredFormat.numberFormat"
    return [batch.update_cells(Tab(sheet_id, scratch.TABLE, 6, 4), 2, 1, [cell], fields, "").request]


def lines(values: Sequence[Sequence[Any]], answer: Mapping[str, Any], sheet_id: int) -> Mapping[int, list[Seen]]:
    """The rows of the bench, by number, as both reads showed them."""
    grids = [tab.get("data", []) for tab in answer.get("sheets", []) if tab["properties"].get("sheetId", 0) == sheet_id]
    shown = [row for grid in grids for block in grid for row in block.get("rowData", [])]

    def cell(row: int, column: int) -> Seen:
        line = values[row] if row < len(values) else ()
        data = shown[row].get("values", []) if row < len(shown) else []
        return Seen(line[column] if column < len(line) else "", data[column] if column < len(data) else {})

    return {row + 1: [cell(row, column) for column in range(len(HEADERS))] for row in range(ROWS)}


def of_case(case: Case, answer: Mapping[str, Any] | str, rows: Mapping[int, Sequence[Seen]], sheet_id: int) -> Finding:
    """What a case came to; its answer is a text where Google refused it."""
    row = ROW_OF[case.name]
    if isinstance(answer, str):
        return Finding(case.probe, REFUSED, answer)
    return Finding(case.probe, case.in_answer(answer, sheet_id, row) if case.in_answer else case.seen(rows[row]))


def of_refusals(refusals: Sequence[str], rows: Mapping[int, Sequence[Seen]]) -> list[Finding]:
    """What came of the three batches, and of the read, that are to be refused; each told as refused or taken."""
    past, half, unknown, unread = refusals
    wrote = ["something" if rows[SPARE + turn][CELL].value != "" else "nothing" for turn in (0, 1)]
    return [
        Finding(PAST, past),
        Finding(HALF, f"refused, {wrote[0]} done" if half == REFUSED else half),
        Finding(UNKNOWN, unknown),
        Finding(UNKNOWN_DONE, wrote[1]),
        Finding(UNREAD, unread),
    ]


def of_tabs(answer: Mapping[str, Any], refused: str, tracker: Tracker) -> list[Finding]:
    """What came of making the tabs, and of `init` on them; `refused`: what Google said to that."""
    marked = all(map(scratch.is_marked, answer.get("sheets", [])))
    found = [Finding(MARKED, "shown" if marked else "not shown"), Finding(INIT, REFUSED if refused else TAKEN, refused)]
    if refused:
        return [*found, Finding(INIT_AGAIN, NOT_TRIED)]
    again = batch.sentences(init_changes(spreadsheet_of(answer, answer), tracker))
    return [*found, Finding(INIT_AGAIN, "something" if again else "nothing", "; ".join(again))]
