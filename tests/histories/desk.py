"""The desk at which a history is played: one sheet, one TokPortal, two machines with a ledger each, and people.

Owns what people typed last, by row and column identity, so that a judge can tell it from what the program wrote.
A row is known by its cell in the column `Row`, a column by the header it had when it came.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from support import ledgers
from support.bench import EMAIL, TAB, SandboxClock
from support.inprocess import HttpxTransport, Wait, waited

from sheetsync import columns
from sheetsync.ledger.store import Ledger
from sheetsync.model import Tracker
from sheetsync.plan.situation import Allowed
from sheetsync.sandbox import wire
from sheetsync.sandbox.google.cells import Cell, Formula
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.merges import covered
from sheetsync.sandbox.world import World
from sheetsync.sheet.api import SheetsAPI
from sheetsync.state import Server
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request
from sheetsync.sync.trackers import run_all
from sheetsync.tokportal.client import TokPortal

KEY, ACTION, ROW = "Video ID", "Action", "Row"
MACHINE = {columns.BY_KEY[key].header: key for key in columns.MACHINE_KEYS}
# Person columns lie before, between and after the machine columns; Row and Client are nobody's business.
HEADERS = (
    *(ROW, KEY, ACTION, "Status", "Spark code", "Sync note", "Stage", "Caption final", "Requested at"),
    *("Submitted at", "Delivered at", "Expires at", "Expiry", "Missing", "Client", "Credits charged"),
    *("Credits left", "Request ID", "Updated at", "Feedback", "Note", "Known expiry", "Paid status", "Market"),
)
VIDEOS = ("vid-a", "vid-b", "vid-c", "vid-d", "vid-e")
Cells = dict[str, Any]


class WireSession:
    """As much of a requests session as the program uses, without its machinery: a call costs a tenth."""

    def __init__(self, handler: wire.Handler, wait: Wait) -> None:
        self._handler, self._wait = handler, wait
        self.headers: dict[str, str] = {}

    def request(
        self, method: str, url: str, params: Any = None, json: Any = None, timeout: Any = None, **_: Any
    ) -> requests.Response:
        """One call; a lost or late answer is what requests makes of it."""
        parts = urlsplit(url)
        query = _pairs(params)
        body = b"" if json is None else _ENCODE(json).encode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self._handler(wire.Request(method.upper(), parts.path, query, headers, body))
        except wire.ConnectionLost as error:
            raise requests.exceptions.ConnectionError(str(error)) from error
        except wire.TimedOut as error:
            waited(error, timeout[1], self._wait)
            raise requests.exceptions.ReadTimeout(str(error)) from error
        response = requests.Response()
        response.status_code, response._content, response.url = answer.status, answer.body, url
        response.headers, response.encoding = CaseInsensitiveDict(answer.headers), "utf-8"
        return response


_ENCODE = json.JSONEncoder().encode


def _pairs(params: Any) -> tuple[tuple[str, str], ...]:
    """Query parameters as they arrive; a list counts as many."""
    items = params.items() if isinstance(params, Mapping) else params or ()
    found: list[tuple[str, str]] = []
    for name, value in items:
        found += [(name, str(one)) for one in value] if isinstance(value, list | tuple) else [(name, str(value))]
    return tuple(found)


class Listener(logging.Handler):
    """Keeps what is logged since it was last asked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Text as a formatter would print it, traceback included."""
        self.lines.append(record.getMessage())
        if record.exc_info and record.exc_info[1]:
            self.lines.append(repr(record.exc_info[1]))


class MachineClock(SandboxClock):
    """A machine's own clock, which may be wrong; monotonic time runs on as the world's does, suspended or not."""

    offset = timedelta()

    def now(self) -> datetime:
        return self._world.clock.now() + self.offset


class Machine:
    """One computer that syncs: its ledger, and copies of it from earlier days."""

    def __init__(self, name: str, world: World, server: Server | None) -> None:
        self.name = name
        self.clock = MachineClock(world)
        self.server = server
        self.ledger = Ledger(server, durable=False)
        self.saved: Any = None

    def save(self) -> None:
        """Somebody copies the state file."""
        self.saved = ledgers.content(self.server) if self.server else self.ledger._db._connection.serialize()

    def lose(self) -> None:
        """The state file is gone."""
        self.ledger.close()
        if self.server:
            ledgers.fill(self.server, None)
        self.ledger = Ledger(self.server, durable=False)

    def restore(self) -> None:
        """The state file is brought back from the copy; without one it is gone."""
        self.lose()
        if self.saved is not None and self.server:
            ledgers.fill(self.server, self.saved)
        elif self.saved is not None:
            self.ledger._db._connection.deserialize(self.saved)

    def close(self) -> None:
        """No history needs it any more."""
        self.ledger.close()
        ledgers.give_back(self.server)


class Desk:
    """The world of one history."""

    def __init__(self, rows: int = 4, record_bodies: bool = False, **settings: Any) -> None:
        self.world = World(record_bodies=record_bodies)
        self.portal = self.world.portal
        self.book = self.world.google.create_spreadsheet("Spark codes", "Etc/GMT", (TAB,))
        self.book.shared_with.add(EMAIL)
        self.world.google.oauth.allow("token", EMAIL)
        self.world.google.quota = False
        self.sheet: Sheet = self.book.sheet(TAB)
        self.tracker = Tracker("acme", self.book.id, TAB, **settings)
        self.typed: dict[str, Cells] = {}
        self.put_away: list[tuple[Sheet, list[Any], list[str]]] = []  # tabs as they were then
        self.top = 0  # the line of the headers
        self._pinned: tuple[list[Any], list[str]] | None = None
        self.poll_seconds, self.max_seconds = 120, 270
        self.slowest: dict[str, float] = {}  # by service, the longest call
        self.chosen: frozenset[str] = frozenset()  # the videos that the next run is for, `--video`; all, if none
        self.rubbish: dict[str, set[tuple[str, Any]]] = {}  # what people typed into machine cells
        self.had_other_hours = False  # the spreadsheet's time zone was changed
        self.dates: set[int] = set()  # that people ever typed as Known expiry
        self.refilled: dict[str, Any] = {}  # by row, the mark that a formula elsewhere puts back
        self.names: dict[str, str] = {header: header for header in HEADERS}
        first = ledgers.machines_own()
        second = first if ledgers.is_shared() else ledgers.machines_own()
        self.machines = (Machine("A", self.world, first), Machine("B", self.world, second))
        self.listener = Listener()
        self.judge: Any = None
        self.beside: Any = None  # another tracker of the same config
        self.reports: dict[str, Report] = {}  # of the last run that came to its end, by tracker
        self.sheet.recalculate = self._refill
        self._session = WireSession(self.world.handle, partial(self._waited, "Google"))
        self._session.headers["Authorization"] = "Bearer token"
        self._headers: tuple[Any, tuple[str, ...], list[str]] | None = None
        self._runs = self._rows = 0
        for index, header in enumerate(HEADERS):
            self.sheet.set_value(0, index, header)
        for video in VIDEOS:
            self.portal.add_video(video)
        for video in VIDEOS[:rows]:
            self.new_row({KEY: video, "Caption final": True, "Client": f"client of {video}"}, self.sheet.rows_used)

    # --- where things stand --------------------------------------------------------------------------------

    def header_tokens(self) -> list[str]:
        """The identity of each column, from left to right; an unnamed one has none."""
        line, names = self.sheet.rows[self.top], tuple(self.names)
        if self._pinned is not None:
            was, tokens = self._pinned
            if [cell and cell.value for cell in line] != was:
                return tokens
            self._pinned = None
        if self._headers is None or self._headers[0] is not line or self._headers[1] != names:
            shown = [None if cell is None else cell.value for cell in line]
            self._headers = (line, names, [self.names.get(str(name), str(name)) if name else "" for name in shown])
        return self._headers[2]

    def tab(self, range_name: str) -> tuple[Sheet, list[str]]:
        """The tab that a range is in, and the identity of its columns: one that was put away stays as it was."""
        away = (put for put in self.put_away if range_name.startswith((f"'{put[0].title}'", put[0].title + "!")))
        sheet, _, tokens = next(away, (self.sheet, None, self.header_tokens()))
        return sheet, tokens

    def pin(self, line: list[Any], tokens: list[str]) -> None:
        """The headers have been written over: columns are known by what stood there, until it stands there again."""
        if self._pinned is None:
            self._pinned = ([cell and cell.value for cell in line], tokens)

    @property
    def can_be_edited(self) -> bool:
        """Whether the headers are where and what people know them by."""
        return not self.top and self._pinned is None

    def column(self, token: str) -> int:
        """Where a column stands."""
        return self.header_tokens().index(token)

    def row_ids(self) -> list[str]:
        """The identity of each line below the header; an empty line has none."""
        at = self.column(ROW)
        return [str(self.sheet.value(n, at) or "") for n in range(1 + self.top, self.sheet.rows_used)]

    def line(self, row: str) -> int:
        """Where a row stands, 0-based with the header as 0."""
        return self.row_ids().index(row) + 1 + self.top

    def cell(self, row: str, token: str) -> Any:
        """What a cell shows; empty is the empty text."""
        cell = self.sheet.cell(self.line(row), self.column(token))
        return "" if cell is None else cell.shown

    def is_formula(self, row: str, token: str) -> bool:
        """Whether a cell holds a formula, whatever it shows."""
        return isinstance(self.sheet.value(self.line(row), self.column(token)), Formula)

    def is_hidden(self, row: str, token: str) -> bool:
        """Whether a cell lies under a merged one: nobody can type there, and nothing is seen."""
        merges = self.sheet.attached.get("merges")
        return bool(merges) and covered(merges, self.line(row), self.column(token))

    @property
    def is_kept_out(self) -> bool:
        """Whether a column is protected, or the whole tab; a row alone keeps nobody from the others."""
        areas = [held["range"] for held in self.sheet.attached.get("protectedRanges", ())]
        return any("startColumnIndex" in area or "startRowIndex" not in area for area in areas)

    def is_protected(self, row: str, header: str) -> bool:
        """Whether this very cell is."""
        at, column = self.line(row), self.column(header)
        areas = [held["range"] for held in self.sheet.attached.get("protectedRanges", ())]
        lines, columns = (("startRowIndex", "endRowIndex"), ("startColumnIndex", "endColumnIndex"))
        return any(
            area.get(lines[0], 0) <= at < area.get(lines[1], at + 1)
            and area.get(columns[0], 0) <= column < area.get(columns[1], column + 1)
            for area in areas
        )

    def is_locked(self, row: str) -> bool:
        """Whether a row is protected as a whole."""
        areas = [held["range"] for held in self.sheet.attached.get("protectedRanges", ())]
        return any(area.get("startRowIndex", 0) <= self.line(row) < area.get("endRowIndex", 0) for area in areas)

    def _refill(self) -> None:
        if not {ROW, ACTION} <= set(self.header_tokens()):
            return  # a header is being renamed
        for row, mark in self.refilled.items():
            if row in self.row_ids() and self.cell(row, ACTION) == "":
                self.sheet.put(self.line(row), self.column(ACTION), Cell(mark))

    # --- people typing ---------------------------------------------------------------------------------------

    def new_row(self, cells: Cells, at: int) -> str:
        """A row that then is line `at`."""
        self._rows += 1
        name = f"r{self._rows}"
        if at < self.sheet.rows_used:
            self.sheet.insert_rows(at)
        self.typed[name] = {}
        self.sheet.set_value(at, self.column(ROW), name)
        self.typed[name][ROW] = name
        for token, value in cells.items():
            self.type(name, token, value)
        return name

    def type(self, row: str, token: str, value: Any) -> None:
        """Somebody types into a cell, as it is."""
        if self.is_hidden(row, token):
            return
        if token == ACTION:
            self.refilled.pop(row, None)
        if token == "Known expiry" and isinstance(value, int):
            self.dates.add(value)
        if token in MACHINE:
            self.rubbish.setdefault(row, set()).add((token, value))
        self.sheet.set_value(self.line(row), self.column(token), value)
        if token not in MACHINE:
            self.typed[row][token] = self.cell(row, token) if isinstance(value, Formula) else value

    # --- machines --------------------------------------------------------------------------------------------

    def sync(self, machine: Machine, **wanted: Any) -> Report:
        """One run of a fresh process on that machine."""
        self._runs += 1
        self.reports = {}
        allowed = Allowed(wanted.pop("allow_orders", None), price=wanted.pop("accept_price", None))
        videos, self.chosen = self.chosen, frozenset()
        request = Request(f"run-{self._runs}", self.poll_seconds, videos, allowed, pollers=1, **wanted)
        clock = machine.clock
        clock.ends_in(self.max_seconds)
        api = SheetsAPI(None, clock, "https://sheets.googleapis.com", EMAIL, self._session)  # type: ignore[arg-type]
        transport = HttpxTransport(self.world.handle, partial(self._waited, "TokPortal"))
        with TokPortal(self.portal.key, "https://app.tokportal.com", clock, transport) as portal:
            trackers = (self.beside.tracker, self.tracker) if self.beside else (self.tracker,)
            self.reports = run_all(trackers, api, portal, machine.ledger, clock, request)
            return self.reports[self.tracker.name]

    def _waited(self, service: str, seconds: float) -> None:
        """A run waits for an answer."""
        self.slowest[service] = max(seconds, self.slowest.get(service, 0.0))
        self.later(seconds)

    def later(self, seconds: float) -> None:
        """Time passes."""
        self.world.clock.advance(timedelta(seconds=seconds))
