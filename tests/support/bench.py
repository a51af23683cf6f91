"""A bench for tests: the sandbox in this process, the real program round it, and a clock that stands still.

Everything runs through the real gspread, requests and httpx; only the sockets are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests

from sheetsync import columns
from sheetsync.clock import Clock
from sheetsync.ledger.store import Ledger
from sheetsync.model import Scalar, Tracker
from sheetsync.plan.situation import Allowed
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sandbox.world import World
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request
from sheetsync.sync.trackers import run_all
from sheetsync.tokportal.client import TokPortal
from support.inprocess import HttpxTransport, RequestsAdapter

EMAIL = "bot@sandbox.iam.gserviceaccount.com"
TAB = "Tracker"
PERSON = ("video_id", "action", "feedback", "note", "platform", "authorization_days", "known_expiry", "client")
ALL = tuple(column.key for column in columns.COLUMNS)


class SandboxClock(Clock):
    """The sandbox's clock as the program's: sleeping moves it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()

    def monotonic(self) -> float:
        return self._world.clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._world.clock.advance(timedelta(seconds=seconds))


class Bench:
    """One tracker in one sandbox, and one machine (a ledger) that syncs it."""

    def __init__(
        self,
        videos: Sequence[str] = (),
        headers: Sequence[str] | None = None,
        time_zone: str = "Etc/GMT",
        start: datetime | None = None,
        **settings: Any,
    ) -> None:
        self.world = World(start=start, record_bodies=False)
        self.clock = SandboxClock(self.world)
        self.book: Spreadsheet = self.world.google.create_spreadsheet("Spark codes", time_zone, (TAB,))
        self.book.shared_with.add(EMAIL)
        self.world.google.oauth.allow("token", EMAIL)
        self.world.google.quota = False
        self.tracker = Tracker("acme", self.book.id, TAB, **settings)
        keys = (*PERSON, *columns.MACHINE_KEYS)
        self.headers = list(headers or [columns.header_of(key, self.tracker.columns) for key in keys])
        for index, header in enumerate(self.headers):
            self.sheet.set_value(0, index, header)
        for line, video in enumerate(videos, start=1):
            self.world.portal.add_video(video)
            self.sheet.set_value(line, self.column("video_id"), video)
        self.ledger = Ledger(None)
        self._runs = itertools.count(1)

    # --- people ------------------------------------------------------------------------------------------------

    @property
    def sheet(self) -> Sheet:
        return self.book.sheet(TAB)

    def column(self, key: str) -> int:
        wanted = columns.normal(columns.header_of(key, self.tracker.columns))
        table = self.sheet.table()
        return [columns.normal(cell or "") for cell in table[0]].index(wanted)

    def line(self, video: str, turn: int = 0) -> int:
        at = self.column("video_id")
        return [n for n, line in enumerate(self.sheet.table()) if at < len(line) and line[at] == video][turn]

    def type(self, video: str, key: str, value: Scalar | None, turn: int = 0) -> None:
        self.sheet.set_value(self.line(video, turn), self.column(key), value)

    def mark(self, mark: str, *videos: str) -> None:
        for video in videos:
            self.type(video, "action", mark)

    # --- looking -----------------------------------------------------------------------------------------------

    def cell(self, video: str, key: str, turn: int = 0) -> Any:
        value = self.sheet.value(self.line(video, turn), self.column(key))
        return "" if value is None else value

    def row(self, video: str, turn: int = 0) -> Mapping[str, Any]:
        names = [columns.normal(header or "") for header in self.sheet.table()[0]]
        keys = {columns.normal(columns.header_of(key, self.tracker.columns)): key for key in columns.BY_KEY}
        line = self.line(video, turn)
        found = {keys.get(name, name): self.sheet.value(line, n) for n, name in enumerate(names)}
        return {key: value for key, value in found.items() if value not in (None, "")}

    def table(self) -> list[list[Any]]:
        return [["" if cell is None else cell for cell in line] for line in self.sheet.table()]

    def charged(self, video: str) -> int:
        """Credits charged for a video, less refunds."""
        mine = [r for r in self.world.portal.requests if r.video_id == video]
        return sum(r.charged for r in mine) - sum(r.refunded for r in mine)

    def requests(self, video: str) -> list[AdCodeRequest]:
        return [r for r in self.world.portal.requests if r.video_id == video]

    def kinds(self) -> list[str]:
        return [call.kind for call in self.world.calls]

    # --- the machine -------------------------------------------------------------------------------------------

    def api(self) -> SheetsAPI:
        session = requests.Session()
        session.mount("https://", RequestsAdapter(self.world.handle, self.clock.sleep))
        session.headers["Authorization"] = "Bearer token"
        return SheetsAPI(None, self.clock, "https://sheets.googleapis.com", EMAIL, session)

    def portal(self) -> TokPortal:
        return TokPortal(
            self.world.portal.key,
            "https://app.tokportal.com",
            self.clock,
            HttpxTransport(self.world.handle, self.clock.sleep),
        )

    def sync(self, ledger: Ledger | None = None, **wanted: Any) -> Report:
        """One run; `ledger` is another machine's."""
        allowed = Allowed(
            wanted.pop("allow_orders", None), wanted.pop("allow_shrunken", False), wanted.pop("accept_price", None)
        )
        request = Request(f"run-{next(self._runs)}", pollers=1, allowed=allowed, **wanted)
        with self.portal() as portal:
            reports = run_all([self.tracker], self.api(), portal, ledger or self.ledger, self.clock, request)
            return reports[self.tracker.name]

    def later(self, **time: float) -> None:
        self.world.clock.advance(timedelta(**time))
