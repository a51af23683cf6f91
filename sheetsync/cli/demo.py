"""`sheetsync demo`: the whole story on a sandbox, told in one terminal.

Owns the story. Everything in it is real: the sandbox serves HTTP on loopback, and the runs are the ones that
`sheetsync sync` makes.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from sheetsync.cli.plan import plan_text
from sheetsync.cli.render import table
from sheetsync.cli.sync import sync_text
from sheetsync.clock import Clock
from sheetsync.config.load import load
from sheetsync.model import Tracker
from sheetsync.sandbox import people, sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from sheetsync.sync.clients import Clients
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request
from sheetsync.sync.trackers import run_id_for, run_once

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


@click.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the demo's files in this folder.")
def demo(keep: Path | None) -> None:
    """Show the whole story on a sandbox: no account, no network, under 20 seconds."""
    with TemporaryDirectory(prefix="sheetsync-demo-") as folder:
        _tell(keep or Path(folder))
    click.echo(NEXT_STEPS)


def _tell(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    world = World(real_time=True)
    book = sample.fill(world)
    # a real key must not get here: the demo takes the sandbox's own from its .env
    environ = {name: value for name, value in os.environ.items() if name != "TOKPORTAL_API_KEY"}
    with Server(world) as server:
        server.write_service_account(folder / "service-account.json")
        config = load(sample.write_config(folder, server.url, book, world.portal.key), environ)
        with Clients(config, clock=WorldClock(world)) as clients:
            Story(world, book, config.trackers[0], clients).tell()


class Story:
    """One tracker, four runs."""

    def __init__(self, world: World, book: Spreadsheet, tracker: Tracker, clients: Clients) -> None:
        self._world, self._book, self._tracker, self._clients = world, book, tracker, clients

    def tell(self) -> None:
        """From marks to codes."""
        credits = self._world.portal.credits
        self._say("A team's tracker: one row per video. People have marked rows in the Action column.")
        self._show()
        self._say("sheetsync plan   what would be done, and what it would cost:")
        click.echo(plan_text(self._run(plan_only=True)))
        self._say("sheetsync sync   orders it, and says in the row what has to wait:")
        click.echo(sync_text(self._run()))
        self._managers_work()
        self._say("sheetsync sync   fetches the codes. While it writes, somebody sorts the sheet by creator:")
        self._sort_during_write()
        click.echo(sync_text(self._run()))
        self._say("The tracker now, in its new order, each code in the row of its video:")
        self._show()
        self._say("sheetsync sync   once more, with nothing changed:")
        click.echo(sync_text(self._run()))
        self._say(f"Credits: {credits} before, {self._world.portal.credits} now. Nothing was charged twice.")

    def _say(self, text: str) -> None:
        click.echo(f"\n--- {text}\n")

    def _run(self, plan_only: bool = False) -> Report:
        clients = self._clients
        request = Request(run_id_for(clients.clock.now()), plan_only=plan_only)
        report = run_once(self._tracker, clients.sheets, clients.portal, clients.ledger, clients.clock, request)
        if report.error:
            raise report.error
        return report

    def _managers_work(self) -> None:
        for hours in (1, 3):
            self._world.clock.advance(timedelta(hours=hours))
            self._world.portal.manager_work()
        self._say("Four hours pass. TokPortal's managers accept the orders and submit codes.")

    def _sort_during_write(self) -> None:
        self._world.faults.edit(
            "sheets.batchUpdate",
            do=lambda world: people.sort_rows(world, self._book, self._tracker.worksheet, "Creator"),
        )

    def _show(self) -> None:
        headers, *rows = self._book.sheet(self._tracker.worksheet).table()
        at = [headers.index(header) for header in SHOWN]
        cells = [[number, *(_short(row[n]) for n in at)] for number, row in enumerate(rows, start=2)]
        click.echo(table([["row", *SHOWN], *cells]))


def _short(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= 46 else text[:43] + "..."
