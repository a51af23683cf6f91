"""The tracker in Google Sheets: read it, write it, and verify in the same call.

Owns the two reads and the write-and-verify rounds of design 3.6, for one worksheet. What to write comes
from the projection; which writes went astray is `placing.py`'s; the calls themselves are `sheets_api.py`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Protocol

from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, DATE_FORMAT, Kind, bind, normal, rows_of, to_serial, zone
from sheetsync.errors import CredentialsError, HeaderError, NotFound, Unavailable
from sheetsync.model import Scalar, Snapshot, Tracker
from sheetsync.projection import summary
from sheetsync.projection.cells import Target
from sheetsync.projection.summary import SummaryCell
from sheetsync.sheet import repair
from sheetsync.sheet import verification as placing
from sheetsync.sheet.api import SheetsAPI, WriteRefused, WriteUnclear
from sheetsync.sheet.verification import Edit, Landed, Sent

log = logging.getLogger(__name__)

ROUNDS = 3
FRESH = timedelta(seconds=2)
"""A read older than this is made again before a write (design 3.6)."""

LINES_PER_WRITE = 400  # about 1 MB of JSON; Google recommends at most 2 MB a call (Sheets reference 3.1)

_META_FIELDS = "properties(timeZone),sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)))"
_WRITE_FIELDS = (
    "updatedSpreadsheet(sheets(properties(sheetId),data(startRow,startColumn,rowData(values(effectiveValue)))))"
)


Requests = list[dict[str, Any]]
Grid = tuple[tuple[Scalar, ...], ...]


class Journal(Protocol):
    """Remembers a write that is under way, across a crash."""

    def pending(self) -> str | None:
        """The write whose end nobody saw."""

    def begin(self, payload: str) -> None:
        """Durable on return."""

    def end(self) -> None:
        """The write is verified."""


Project = Callable[[Snapshot], Iterable[Target]]
Summarise = Callable[[Snapshot, bool], Sequence[SummaryCell]]
"""What the Summary tab should say and does not; the flag tells whether rows are written too."""


def _no_summary(snapshot: Snapshot, changed: bool) -> Sequence[SummaryCell]:
    return ()


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: `unplaced` are videos whose cells could not be verified, `problem` says why."""

    snapshot: Snapshot
    cells: int = 0
    unplaced: frozenset[str] = frozenset()
    problem: str = ""


class Sheet:
    """One tracker's worksheet."""

    def __init__(self, api: SheetsAPI, tracker: Tracker, clock: Clock, journal: Journal) -> None:
        self._api, self._tracker, self._clock, self._journal = api, tracker, clock, journal
        self._stale = False
        self._beside = ""  # the Summary tab's title, as long as it is there and ours

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self) -> Snapshot:
        """The whole tab in two reads.

        Raises HeaderError, NotFound (no such spreadsheet or tab), CredentialsError (not shared), Unavailable.
        """
        meta = self._api.metadata(self._tracker.spreadsheet, _META_FIELDS)
        tabs = [sheet.get("properties", {}) for sheet in meta.get("sheets", [])]
        tab = self._tab(tabs)
        beside = self._summary_tab(tabs)
        size = tab.get("gridProperties", {})
        time_zone = meta.get("properties", {}).get("timeZone", "Etc/GMT")
        zone(time_zone)  # a zone that nobody knows stops the run here, before anything is compared
        bare = Snapshot(
            sheet_id=tab.get("sheetId", 0),
            title=tab["title"],
            time_zone=time_zone,
            columns={},
            rows=(),
            grid=(),
            read_at=self._clock.now(),
            row_count=size.get("rowCount", 0),
            column_count=size.get("columnCount", 0),
            summary_sheet_id=beside.get("sheetId", 0) if beside else None,
        )
        self._beside = beside.get("title", "") if beside else ""
        snapshot = self._with_values(bare)
        journal = self._journal.pending()
        if not journal:
            return snapshot
        # a run was killed in mid-write: decide on the sheet as it will be once its debts are paid
        self._stale = True
        return repair.mended(snapshot, repair.owed(placing.from_journal(journal), snapshot))

    def _tab(self, tabs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        wanted = self._tracker.worksheet
        for same in (lambda title: title == wanted, lambda title: normal(title) == normal(wanted)):
            for tab in tabs:
                if same(tab.get("title", "")):
                    return tab
        names = ", ".join(f"'{tab.get('title', '')}'" for tab in tabs)
        raise NotFound(
            f"Tracker '{self._tracker.name}': the spreadsheet has no tab '{wanted}'. It has: {names}. "
            "Name one of them under `worksheet:`, or run `sheetsync init` to make the tab."
        )

    def _summary_tab(self, tabs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The Summary tab, if there is one and its block has room there."""
        for tab in tabs:
            size = tab.get("gridProperties", {})
            has_room = size.get("rowCount", 0) >= summary.LINES and size.get("columnCount", 0) >= summary.COLUMNS
            if normal(tab.get("title", "")) == normal(self._tracker.summary_tab) and has_room:
                return tab
        return None

    def _with_values(self, snapshot: Snapshot) -> Snapshot:
        grid, block = self._grids(snapshot.title)
        headers = grid[0] if grid else ()
        binding = bind(headers, self._tracker.columns)
        if binding.missing or binding.doubled:
            raise HeaderError(snapshot.title, binding.missing, binding.doubled)
        self._stale = False
        return replace(
            snapshot,
            columns=binding.columns,
            rows=rows_of(grid, binding.columns),
            grid=grid,
            read_at=self._clock.now(),
            summary_sheet_id=snapshot.summary_sheet_id if self._beside else None,
            summary=block,
        )

    def _grids(self, title: str) -> tuple[Grid, Grid]:
        """The tracker's tab and the block of the Summary tab, if there is one, in one read."""
        # the whole tab in one range: headers and rows of one moment, and all that a stray write may hit
        ranges = [_quoted(title)] + ([f"{_quoted(self._beside)}!{summary.RANGE}"] if self._beside else [])
        try:
            grid, *block = self._api.values(self._tracker.spreadsheet, *ranges)
        except NotFound:
            if not self._beside:
                raise
            # it may be the Summary tab that somebody has just renamed: the rows can do without it
            self._beside = ""
            return self._grids(title)
        if block and not summary.is_ours(block[0], self._tracker):
            log.info("tab '%s' is left alone: A1 does not say '%s'", self._beside, summary.title(self._tracker))
            self._beside = ""
        return grid, block[0] if block and self._beside else ()

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, snapshot: Snapshot, project: Project, summarise: Summarise = _no_summary) -> Written:
        """Make the cells say what the projection says, and verify where each write landed (design 3.6).

        At most three rounds. What a killed run left half written is put right first. The Summary tab goes with the
        first round, or alone; it is not verified, as nothing of anybody's is in its block. Raises what `read` raises.
        """
        journal = self._journal.pending()
        if self._stale:
            snapshot = self._with_values(snapshot)
        is_right = not placing.edits(snapshot, project(snapshot), self._clock.now())
        if not journal and is_right and not summarise(snapshot, False):
            return Written(snapshot)
        if self._clock.now() - snapshot.read_at > FRESH:
            snapshot = self._with_values(snapshot)
        rounds = list(placing.from_journal(journal)) if journal else []
        written, problem = 0, ""
        for turn in range(ROUNDS):
            mended, edits = self._wanted(snapshot, project, rounds)
            if not edits:
                self._send_summary(mended, () if turn else summarise(mended, False))
                break
            beside = _summary_requests(mended, () if turn else summarise(mended, True))
            landed, problem = self._send(mended, edits, rounds, beside)
            written += len(edits) if landed else 0
            if landed and placing.landed_right(edits, landed, mended):
                self._journal.end()
                return Written(mended, written)
            log.info("a write did not land where it should (%s); reading again", problem or "rows or columns moved")
            rounds.append(Sent(edits, landed, mended))
            self._journal.begin(placing.to_journal(rounds))
            snapshot = self._with_values(snapshot)
        mended, left = self._wanted(snapshot, project, rounds)
        if not left:
            self._journal.end()
        return Written(mended, written, frozenset(edit.key for edit in left), problem)

    def _wanted(
        self, snapshot: Snapshot, project: Project, rounds: Sequence[Sent]
    ) -> tuple[Snapshot, tuple[Edit, ...]]:
        """The sheet as it will be once its debts are paid; and what to write: these, and what it still lacks then."""
        debts = repair.owed(rounds, snapshot)
        mended = repair.mended(snapshot, debts)
        edits = placing.edits(mended, project(mended), self._clock.now())
        return mended, repair.merged(edits, debts)

    def _send(
        self, snapshot: Snapshot, edits: tuple[Edit, ...], rounds: Sequence[Sent], beside: Requests
    ) -> tuple[Landed | None, str]:
        """One write, in as many calls as its size needs; where it landed, or why that is not known."""
        self._stale = True
        self._journal.begin(placing.to_journal([*rounds, Sent(edits, None, snapshot)]))
        headers: Sequence[Scalar] = ()
        lines: dict[int, Sequence[Scalar]] = {}
        parts = list(_parts(edits))
        for part in parts:
            try:
                answer = self._update(_body(snapshot, part), beside if part is parts[-1] else [])
            except (WriteUnclear, WriteRefused) as error:
                return None, str(error)
            found = _lines_in(answer, snapshot.sheet_id)
            headers = found.pop(1, ())
            lines |= found
        return Landed(headers, lines), ""

    def _update(self, body: dict[str, Any], beside: Requests) -> Mapping[str, Any]:
        """One call. What people did to the Summary tab never keeps rows from being written."""
        if beside:
            try:
                both = {**body, "requests": [*body["requests"], *beside]}
                return self._api.update(self._tracker.spreadsheet, both, _WRITE_FIELDS)
            except (WriteRefused, CredentialsError) as error:
                # all or nothing: the rows were not written either, so they are sent again, alone
                log.warning("the Summary tab could not be written: %s", error)
        return self._api.update(self._tracker.spreadsheet, body, _WRITE_FIELDS)

    def _send_summary(self, snapshot: Snapshot, cells: Sequence[SummaryCell]) -> None:
        if cells:
            body = {"requests": _summary_requests(snapshot, cells)}
            try:
                self._api.update(self._tracker.spreadsheet, body, "spreadsheetId")
            except (Unavailable, CredentialsError) as error:
                log.warning("the Summary tab could not be written: %s", error)


def _parts(edits: Sequence[Edit]) -> Iterable[Sequence[Edit]]:
    lines = sorted({edit.line for edit in edits})
    for start in range(0, len(lines), LINES_PER_WRITE):
        chosen = set(lines[start : start + LINES_PER_WRITE])
        yield [edit for edit in edits if edit.line in chosen]


def _quoted(title: str) -> str:
    return "'" + title.replace("'", "''") + "'"


def _body(snapshot: Snapshot, edits: Sequence[Edit]) -> dict[str, Any]:
    tab = _quoted(snapshot.title)
    spans = _spans(sorted({edit.line for edit in edits}))
    return {
        "requests": [_request(snapshot, run) for run in _runs(snapshot, edits)],
        "includeSpreadsheetInResponse": True,
        "responseIncludeGridData": True,
        # whole lines: the key is found even if columns have moved
        "responseRanges": [f"{tab}!1:1", *(f"{tab}!{first}:{last}" for first, last in spans)],
    }


def _summary_requests(snapshot: Snapshot, cells: Sequence[SummaryCell]) -> Requests:
    block = replace(snapshot, sheet_id=snapshot.summary_sheet_id or 0, columns={})
    return [
        _request(block, run) for run in _runs(block, [Edit(cell.line, cell.column, "", cell.value) for cell in cells])
    ]


def _spans(lines: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive lines as (first, last)."""
    spans = []
    for _, group in groupby(enumerate(lines), key=lambda pair: pair[1] - pair[0]):
        members = [line for _, line in group]
        spans.append((members[0], members[-1]))
    return spans


def _runs(snapshot: Snapshot, edits: Sequence[Edit]) -> Iterable[list[Edit]]:
    """Neighbouring cells of one line that need the same field mask: one updateCells each."""
    ordered = sorted(edits, key=lambda edit: (edit.line, edit.column))
    run: list[Edit] = []
    for edit in ordered:
        last = run[-1] if run else None
        adjoins = last and not (last.was or edit.was) and (last.line, last.column + 1) == (edit.line, edit.column)
        if last and not (adjoins and _is_date(snapshot, last) == _is_date(snapshot, edit)):
            yield run
            run = []
        run.append(edit)
    if run:
        yield run


def _is_date(snapshot: Snapshot, edit: Edit) -> bool:
    """Whether the cell needs the date format: an instant, or a number put back into a date column."""
    if isinstance(edit.value, datetime):
        return True
    if isinstance(edit.value, bool | str):
        return False
    return any(index == edit.column and BY_KEY[key].kind is Kind.DATE for key, index in snapshot.columns.items())


def _request(snapshot: Snapshot, run: Sequence[Edit]) -> dict[str, Any]:
    if run[0].was:
        return _clear_if(snapshot, run[0])
    dated = _is_date(snapshot, run[0])
    cells = [_cell(edit, snapshot, dated) for edit in run]
    start = {"sheetId": snapshot.sheet_id, "rowIndex": run[0].line - 1, "columnIndex": run[0].column}
    fields = "userEnteredValue,userEnteredFormat.numberFormat" if dated else "userEnteredValue"
    return {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": fields}}


def _clear_if(snapshot: Snapshot, edit: Edit) -> dict[str, Any]:
    """Empty one cell if it says what it said: nothing else can be hit, wherever it has moved."""
    cell = {
        "sheetId": snapshot.sheet_id,
        "startRowIndex": edit.line - 1,
        "endRowIndex": edit.line,
        "startColumnIndex": edit.column,
        "endColumnIndex": edit.column + 1,
    }
    what = {"find": edit.was, "replacement": "", "matchCase": True, "matchEntireCell": True}
    return {"findReplace": {**what, "range": cell}}


def _cell(edit: Edit, snapshot: Snapshot, dated: bool) -> dict[str, Any]:
    cell: dict[str, Any] = {}
    value = edit.value
    if isinstance(value, datetime):
        cell["userEnteredValue"] = {"numberValue": to_serial(value, snapshot.time_zone)}
    elif isinstance(value, bool):
        cell["userEnteredValue"] = {"boolValue": value}
    elif isinstance(value, int | float):
        cell["userEnteredValue"] = {"numberValue": value}
    elif value:
        # typed text: never parsed, so a code that begins with + or = stays a code
        cell["userEnteredValue"] = {"stringValue": value}
    if dated:
        cell["userEnteredFormat"] = {"numberFormat": {"type": "DATE_TIME", "pattern": DATE_FORMAT}}
    return cell


def _lines_in(answer: Mapping[str, Any], sheet_id: int) -> dict[int, Sequence[Scalar]]:
    """The lines of one tab in an answer's grid data, by number."""
    lines: dict[int, Sequence[Scalar]] = {}
    for sheet in answer.get("updatedSpreadsheet", {}).get("sheets", []):
        if sheet.get("properties", {}).get("sheetId", 0) == sheet_id:
            for block in sheet.get("data", []):
                first = block.get("startRow", 0) + 1
                for number, line in enumerate(block.get("rowData", []), start=first):
                    lines[number] = [_scalar(cell) for cell in line.get("values", [])]
    return lines


def _scalar(cell: Mapping[str, Any]) -> Scalar:
    value = cell.get("effectiveValue", {})
    for kind in ("stringValue", "numberValue", "boolValue"):
        if kind in value:
            found: Scalar = value[kind]
            return found
    return str(value.get("errorValue", {}).get("type", "")) if value else ""
