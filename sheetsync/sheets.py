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

from sheetsync import placing
from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, DATE_FORMAT, Kind, bind, letter, normal, rows_of, to_serial, zone
from sheetsync.errors import HeaderError, NotFound
from sheetsync.model import Scalar, Snapshot, Tracker
from sheetsync.placing import Edit, Landed
from sheetsync.projection import Target
from sheetsync.sheets_api import SheetsAPI, WriteRefused, WriteUnclear

log = logging.getLogger(__name__)

SUMMARY_TAB = "Summary"
ROUNDS = 3
FRESH = timedelta(seconds=2)
"""A read older than this is made again before a write (design 3.6)."""

LINES_PER_WRITE = 400  # about 1 MB of JSON; Google recommends at most 2 MB a call (Sheets reference 3.1)

_META_FIELDS = "properties(timeZone),sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)))"
_WRITE_FIELDS = (
    "updatedSpreadsheet(sheets(properties(sheetId),data(startRow,startColumn,rowData(values(effectiveValue)))))"
)


class Journal(Protocol):
    """Remembers a write that is under way, across a crash."""

    def pending(self) -> str | None:
        """The write whose end nobody saw."""

    def begin(self, payload: str) -> None:
        """Durable on return."""

    def end(self) -> None:
        """The write is verified."""


Project = Callable[[Snapshot], Iterable[Target]]


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

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self) -> Snapshot:
        """The whole tab in two reads.

        Raises HeaderError, NotFound (no such spreadsheet or tab), CredentialsError (not shared), Unavailable.
        """
        meta = self._api.metadata(self._tracker.spreadsheet, _META_FIELDS)
        tabs = [sheet.get("properties", {}) for sheet in meta.get("sheets", [])]
        tab = self._tab(tabs)
        summary = next((t.get("sheetId", 0) for t in tabs if t.get("title") == SUMMARY_TAB), None)
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
            summary_sheet_id=summary,
        )
        return self._with_values(bare)

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

    def _with_values(self, snapshot: Snapshot) -> Snapshot:
        # the whole tab in one range: headers and rows of one moment, and all that a stray write may hit
        grid = self._api.values(self._tracker.spreadsheet, _quoted(snapshot.title))
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
        )

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, snapshot: Snapshot, project: Project) -> Written:
        """Make the cells say what the projection says, and verify where each write landed (design 3.6).

        At most three rounds. What a killed run left half written is put right first. Raises what `read` raises.
        """
        journal = self._journal.pending()
        if not journal and not placing.edits(snapshot, project(snapshot), self._clock.now()):
            return Written(snapshot)
        if self._stale or self._clock.now() - snapshot.read_at > FRESH:
            snapshot = self._with_values(snapshot)
        put_back = self._leftover(journal, snapshot)
        written = 0
        problem = ""
        for _ in range(ROUNDS):
            edits = self._wanted(snapshot, project, put_back)
            if not edits:
                break
            landed, problem = self._send(snapshot, edits)
            if landed and placing.landed_right(edits, landed, snapshot):
                self._journal.end()
                return Written(snapshot, written + len(edits))
            log.info("a write did not land where it should (%s); reading again", problem or "rows or columns moved")
            after = self._with_values(snapshot)
            put_back = placing.astray(edits, landed, snapshot, after)
            written += len(edits) if landed else 0
            snapshot = after
        return self._last_look(snapshot, project, put_back, written, problem)

    def _leftover(self, journal: str | None, snapshot: Snapshot) -> tuple[Edit, ...]:
        if not journal:
            return ()
        edits, before = placing.from_journal(journal)
        return placing.astray(edits, None, before, snapshot)

    def _last_look(
        self, snapshot: Snapshot, project: Project, put_back: Sequence[Edit], written: int, problem: str
    ) -> Written:
        left = self._wanted(snapshot, project, put_back)
        if not left:
            self._journal.end()
        return Written(snapshot, written, frozenset(edit.key for edit in left), problem)

    def _wanted(self, snapshot: Snapshot, project: Project, put_back: Sequence[Edit]) -> tuple[Edit, ...]:
        """What to write: what the sheet as it will be, once all is put back, still lacks; and what is put back."""
        mended = placing.mended(snapshot, put_back)
        edits = placing.edits(mended, project(mended), self._clock.now())
        spoken_for = {(edit.line, edit.column) for edit in edits}
        return (*edits, *(edit for edit in put_back if (edit.line, edit.column) not in spoken_for))

    def _send(self, snapshot: Snapshot, edits: Sequence[Edit]) -> tuple[Landed | None, str]:
        """One write, in as many calls as its size needs; where it landed, or why that is not known."""
        self._stale = True
        self._journal.begin(placing.to_journal(edits, snapshot))
        keys: dict[int, Scalar] | None = {}
        headers: Sequence[Scalar] = ()
        for part in _parts(edits):
            body = _body(snapshot, part)
            try:
                answer = self._api.update(self._tracker.spreadsheet, body, _WRITE_FIELDS)
            except (WriteUnclear, WriteRefused) as error:
                return None, str(error)
            headers, found = _landed(answer, snapshot)
            key_column = snapshot.columns["video_id"]
            in_place = key_column < len(headers) and normal(headers[key_column]) == normal(snapshot.headers[key_column])
            keys = {**keys, **found} if in_place and keys is not None else None
        return Landed(headers, keys), ""


def _parts(edits: Sequence[Edit]) -> Iterable[Sequence[Edit]]:
    lines = sorted({edit.line for edit in edits})
    for start in range(0, len(lines), LINES_PER_WRITE):
        chosen = set(lines[start : start + LINES_PER_WRITE])
        yield [edit for edit in edits if edit.line in chosen]


def _quoted(title: str) -> str:
    return "'" + title.replace("'", "''") + "'"


def _body(snapshot: Snapshot, edits: Sequence[Edit]) -> dict[str, Any]:
    tab, key = _quoted(snapshot.title), letter(snapshot.columns["video_id"])
    spans = _spans(sorted({edit.line for edit in edits}))
    return {
        "requests": [_request(snapshot, run) for run in _runs(snapshot, edits)],
        "includeSpreadsheetInResponse": True,
        "responseIncludeGridData": True,
        "responseRanges": [f"{tab}!1:1", *(f"{tab}!{key}{first}:{key}{last}" for first, last in spans)],
    }


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
        adjoins = last and (last.line, last.column + 1) == (edit.line, edit.column)
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
    dated = _is_date(snapshot, run[0])
    cells = [_cell(edit, snapshot, dated) for edit in run]
    start = {"sheetId": snapshot.sheet_id, "rowIndex": run[0].line - 1, "columnIndex": run[0].column}
    fields = "userEnteredValue,userEnteredFormat.numberFormat" if dated else "userEnteredValue"
    return {"updateCells": {"start": start, "rows": [{"values": cells}], "fields": fields}}


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


def _landed(answer: Mapping[str, Any], snapshot: Snapshot) -> tuple[tuple[Scalar, ...], dict[int, Scalar]]:
    """Headers and keys as they stood when the write landed, out of the answer's grid data."""
    headers: tuple[Scalar, ...] = ()
    keys: dict[int, Scalar] = {}
    key_column = snapshot.columns["video_id"]
    for sheet in answer.get("updatedSpreadsheet", {}).get("sheets", []):
        if sheet.get("properties", {}).get("sheetId", 0) != snapshot.sheet_id:
            continue
        for block in sheet.get("data", []):
            first, column = block.get("startRow", 0), block.get("startColumn", 0)
            lines = [[_scalar(cell) for cell in line.get("values", [])] for line in block.get("rowData", [])]
            if first == 0 and column == 0 and not headers:
                headers = tuple(lines[0]) if lines else ()
            elif column == key_column:
                keys.update({first + 1 + n: line[0] if line else "" for n, line in enumerate(lines)})
    return headers, keys


def _scalar(cell: Mapping[str, Any]) -> Scalar:
    value = cell.get("effectiveValue", {})
    for kind in ("stringValue", "numberValue", "boolValue"):
        if kind in value:
            found: Scalar = value[kind]
            return found
    return str(value.get("errorValue", {}).get("type", "")) if value else ""
