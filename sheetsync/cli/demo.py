"""`sheetsync demo`: the whole story on a sandbox, told in one terminal.

Owns the story. Everything in it is real: the sandbox serves HTTP on loopback, and the runs are the ones that
`sheetsync sync` makes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sheetsync.cli import render as report
from sheetsync.clock import Clock
from sheetsync.config import load as config
from sheetsync.sandbox import people, sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from sheetsync.sync.clients import Clients
from sheetsync.sync.run import Report, Request, run_id_for, run_once

Echo = Callable[[str], None]
SHOWN = ("Creator", "Client", "Action", "Status", "Spark code", "Expiry", "Sync note")

NEXT_STEPS = """\
Your own sheet, in three steps:

  1. Make a service account with a key file in Google Cloud, and share your sheet with its e-mail as Editor.
  2. Copy config.example.yaml to sheetsync.yaml, fill in the sheet and `export TOKPORTAL_API_KEY=...`.
  3. `sheetsync doctor` checks all of it; then `sheetsync plan`, `sheetsync sync`, and cron (see cron/).

To go on playing by hand, with a page that shows the sheet: sheetsync sandbox"""


class WorldClock(Clock):
    """The sandbox's clock, so that four weeks of story fit into a few seconds."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """The sandbox's present."""
        return self._world.clock.now()


def tell(echo: Echo, keep: Path | None = None) -> None:
    """Run the story. With `keep`, its files stay in that folder."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        _tell(echo, keep)
        return
    with tempfile.TemporaryDirectory(prefix="sheetsync-demo-") as folder:
        _tell(echo, Path(folder))


def _tell(echo: Echo, folder: Path) -> None:
    world = World(real_time=True)
    book = sample.fill(world)
    with Server(world) as server:
        server.write_service_account(folder / "service-account.json")
        path = sample.write_config(folder, server.url, book, world.portal.key)
        settings = config.load(path, _environ())
        with Clients(settings, clock=WorldClock(world)) as clients:
            Story(echo, world, book, settings, clients).tell()
    echo(NEXT_STEPS)


def _environ() -> Mapping[str, str]:
    """The environment without a real key: the demo takes the sandbox's own from its .env."""
    return {name: value for name, value in os.environ.items() if name != "TOKPORTAL_API_KEY"}


class Story:
    """One tracker, four runs."""

    def __init__(self, echo: Echo, world: World, book: Spreadsheet, settings: config.Config, clients: Clients) -> None:
        self._echo, self._world, self._book = echo, world, book
        self._settings, self._clients = settings, clients

    def tell(self) -> None:
        """From marks to codes."""
        credits = self._world.portal.credits
        self._say("A team's tracker: one row per video. People have marked rows in the Action column.")
        self._show()
        self._say("sheetsync plan   what would be done, and what it would cost:")
        planned = self._run(plan_only=True)
        self._echo(report.plan_text(planned, planned.credits_left))
        self._say("sheetsync sync   orders it, and says in the row what has to wait:")
        self._echo(report.sync_text(self._run()))
        self._managers_work()
        self._say("sheetsync sync   fetches the codes. While it writes, somebody sorts the sheet by creator:")
        self._sort_during_write()
        self._echo(report.sync_text(self._run()))
        self._say("The tracker now, in its new order, each code in the row of its video:")
        self._show()
        self._say("sheetsync sync   once more, with nothing changed:")
        self._echo(report.sync_text(self._run()))
        self._say(f"Credits: {credits} before, {self._world.portal.credits} now. Nothing was charged twice.")

    def _say(self, text: str) -> None:
        self._echo(f"\n--- {text}\n")

    def _run(self, plan_only: bool = False) -> Report:
        clients = self._clients
        request = Request(run_id_for(clients.clock.now()), plan_only=plan_only)
        tracker = self._settings.trackers[0]
        found = run_once(tracker, clients.sheets, clients.portal, clients.ledger, clients.clock, request)
        if found.error:
            raise found.error
        return found

    def _managers_work(self) -> None:
        for hours in (1, 3):
            self._world.clock.advance(timedelta(hours=hours))
            self._world.portal.manager_work()
        self._say("Four hours pass. TokPortal's managers accept the orders and submit codes.")

    def _sort_during_write(self) -> None:
        self._world.faults.edit(
            "sheets.batchUpdate", do=lambda world: people.sort_rows(world, self._book, sample.TAB, "Creator")
        )

    def _show(self) -> None:
        lines = self._book.sheet(sample.TAB).table()
        at = [lines[0].index(header) for header in SHOWN]
        cells = [[_short(line[n] if n < len(line) else None) for n in at] for line in lines]
        numbered = [["row" if n == 0 else str(n + 1), *line] for n, line in enumerate(cells)]
        self._echo(report.table(numbered, indent="  "))


def _short(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= 46 else text[:43] + "..."
