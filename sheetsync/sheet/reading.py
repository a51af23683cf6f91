"""Reads the tracker: one metadata read, one read of all values (design 3.1).

Owns what is asked for and how it becomes a snapshot. Has no state of its own: what the next read needs to know (where
the Summary tab is, say) travels in the snapshot.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, BadCell, bind, header_of, letter, normal, zone
from sheetsync.errors import HeaderError, NotFound, UnknownTimeZone
from sheetsync.lines import RowMaker
from sheetsync.model import Grid, Lock, Scalar, Snapshot, SummaryBlock, Tracker, fingerprint
from sheetsync.projection import summary
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.requests import quoted

log = logging.getLogger(__name__)

_META_FIELDS = (
    "properties(timeZone),sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),"
    "protectedRanges(range,unprotectedRanges,warningOnly,requestingUserCanEdit),merges,"
    "tables(range,columnProperties(columnIndex,columnType)))"
)

LIKE_A_CODE = 20
"""A word of so many characters is no header."""

UNTYPED = "COLUMN_TYPE_UNSPECIFIED"
Tab = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one tracker's worksheet."""

    api: SheetsAPI
    tracker: Tracker
    clock: Clock

    def read(self, sheet_id: int | None = None) -> Snapshot:
        """The whole tab in two reads: that of the tracker's name, or by its id that of an earlier read.

        Raises HeaderError, NotFound (no such spreadsheet or tab), CredentialsError (not shared), Unavailable.
        """
        return self.bound(self.look(sheet_id))

    def bound(self, seen: Snapshot) -> Snapshot:
        """What was seen, where each column is known by its header. Raises HeaderError."""
        binding = bind(seen.headers, self.tracker.columns, self.tracker.gates)
        if binding.missing or binding.doubled:
            cells = {f"{letter(at)}1": header for at, header in enumerate(seen.headers) if header != ""}
            broken = [cell for cell, header in cells.items() if header == "#REF!"]
            known = {f"{letter(at)}1" for at in binding.columns.values()}.union(
                broken, *(doubled for _, doubled in binding.doubled)
            )
            unknown = [f"'{_named(header)}' ({cell})" for cell, header in cells.items() if cell not in known]
            keys = [key for key in BY_KEY if header_of(key, self.tracker.columns) in binding.missing]
            raise HeaderError(seen.title, binding.missing, binding.doubled, broken, unknown, keys)
        return seen

    def look(self, sheet_id: int | None = None) -> Snapshot:
        """All cells of the tab, whatever stands in its header row. Raises as `read` does, but for HeaderError."""
        meta = self.api.metadata(self.tracker.spreadsheet, _META_FIELDS)
        tabs = [sheet.get("properties", {}) for sheet in meta.get("sheets", [])]
        tab = self._titled(tabs) if sheet_id is None else _with_id(tabs, sheet_id)
        beside = self._summary_tab(tabs)
        time_zone = meta.get("properties", {}).get("timeZone", "Etc/GMT")
        try:
            zone(time_zone)
        except BadCell as error:
            # here, before anything is compared: no date of this sheet could be told
            raise UnknownTimeZone(time_zone) from error
        bare = Snapshot(
            sheet_id=tab.get("sheetId", 0),
            title=tab["title"],
            time_zone=time_zone,
            columns={},
            rows=(),
            grid=(),
            read_at=self.clock.now(),
            locks=_locks(meta, tab),
            typed=_typed(meta, tab),
            summary=SummaryBlock(beside.get("sheetId", 0), beside["title"], (), _typed(meta, beside))
            if beside
            else None,
        )
        rows = RowMaker(lambda headers: bind(headers, self.tracker.columns, self.tracker.gates).columns, bare.locks)
        grid, block = self._values(bare, rows)
        if sheet_id is None and beside and not block:
            log.info("tab '%s' is left alone: A1 does not say '%s'", beside["title"], summary.title(self.tracker))
        # when the read left, before which it may have waited for a call of this minute: of later it says nothing
        left_at = self.api.sent_at
        return replace(
            bare, grid=grid, summary=block, columns=rows.columns, rows=tuple(rows.rows), read_monotonic=left_at
        )

    def _titled(self, tabs: Sequence[Tab]) -> Tab:
        if tab := _titled(tabs, self.tracker.worksheet):
            return tab
        names = ", ".join(f"'{tab.get('title', '')}'" for tab in tabs)
        raise NotFound(
            f"Tracker '{self.tracker.name}': the spreadsheet has no tab '{self.tracker.worksheet}'. It has: {names}. "
            "Renamed? Rename it back, or name it under `worksheet:`. For a new tracker, `sheetsync init` makes the tab."
        )

    def _summary_tab(self, tabs: Sequence[Tab]) -> Tab | None:
        """The Summary tab, if there is one and its block has room there."""
        tab = _titled(tabs, self.tracker.summary_tab)
        size = tab.get("gridProperties", {}) if tab else {}
        has_room = size.get("rowCount", 0) >= summary.ROWS and size.get("columnCount", 0) >= summary.COLUMNS
        return tab if has_room else None

    def _values(self, snapshot: Snapshot, rows: RowMaker) -> tuple[Grid, SummaryBlock | None]:
        """The tracker's tab, and as rows, and the blocks of the Summary tab, if there is one, in one read."""
        beside = snapshot.summary
        # the whole tab in one range: headers and rows of one moment, and all that a stray write may hit
        ranges = [quoted(snapshot.title)] + ([f"{quoted(beside.title)}!{summary.BOTH_BLOCKS}"] if beside else [])
        try:
            grid, *block = self.api.values(self.tracker.spreadsheet, *ranges, keep=rows.keep)
        except NotFound:
            if not beside:
                raise
            # it may be the Summary tab that somebody has just renamed: the rows can do without it
            return self._values(replace(snapshot, summary=None), rows)
        if not beside:
            return grid, None
        if not summary.is_ours(block[0], self.tracker):
            return grid, None
        return grid, replace(beside, grid=block[0])


def _named(header: Scalar) -> str:
    """A header as a message may quote it: where rows have moved over headers, it is anything, a code too."""
    text = str(header)
    is_code = text.startswith("#") or (len(text) >= LIKE_A_CODE and " " not in text)
    return fingerprint(text) if is_code else text


def _titled(tabs: Sequence[Tab], title: str) -> Tab | None:
    """The tab with a title; one that differs only in case or spaces if there is none."""
    exact = (tab for tab in tabs if tab.get("title", "") == title)
    alike = (tab for tab in tabs if normal(tab.get("title", "")) == normal(title))
    return next(exact, None) or next(alike, None)


def _with_id(tabs: Sequence[Tab], sheet_id: int) -> Tab:
    """A tab by its id. To swap a tab for a copy is what teams do when a month ends: a title is not an identity."""
    found = next((tab for tab in tabs if tab.get("sheetId", 0) == sheet_id), None)
    if found is None:
        raise NotFound("The tab was deleted while this run was writing to it. What was ordered stays in the ledger.")
    return found


def _locks(meta: Mapping[str, Any], tab: Tab) -> tuple[Lock, ...]:
    """The protected ranges of a tab that keep us out: whose editors are told only in part, so that Google's own word
    for this account decides (Sheets reference 6). A warning keeps nobody out; `init` itself makes some.

    And its merged cells, but for the first cell of each: whatever is written below it is swallowed.
    """
    sheet = _sheet(meta, tab)
    ranges = sheet.get("protectedRanges", ())
    shut = (held for held in ranges if not (held.get("warningOnly") or held.get("requestingUserCanEdit")))
    kept = [_lock(held.get("range", {}), tuple(map(_lock, held.get("unprotectedRanges", ())))) for held in shut]
    merged = [replace(_lock(area, (_first(area),)), is_merge=True) for area in sheet.get("merges", ())]
    return (*kept, *merged)


def _typed(meta: Mapping[str, Any], tab: Tab) -> tuple[Lock, ...]:
    """The cells of typed columns of tables: whoever sends a number format there has the whole write refused."""
    found = []
    for table in _sheet(meta, tab).get("tables", ()):
        whole = _lock(table.get("range", {}))
        for column in table.get("columnProperties", ()):
            if column.get("columnType", UNTYPED) != UNTYPED:
                left = whole.left + column.get("columnIndex", 0)
                found.append(Lock(whole.top + 1, whole.bottom, left, left + 1))
    return tuple(found)


def _sheet(meta: Mapping[str, Any], tab: Tab) -> Mapping[str, Any]:
    sheet: Mapping[str, Any] = next(sheet for sheet in meta["sheets"] if sheet.get("properties", {}) == tab)
    return sheet


def _first(area: Mapping[str, Any]) -> Lock:
    top, left = area.get("startRowIndex", 0), area.get("startColumnIndex", 0)
    return Lock(top, top + 1, left, left + 1)


def _lock(area: Mapping[str, Any], free: tuple[Lock, ...] = ()) -> Lock:
    rows = area.get("startRowIndex", 0), area.get("endRowIndex", inf)
    return Lock(*rows, area.get("startColumnIndex", 0), area.get("endColumnIndex", inf), free)
