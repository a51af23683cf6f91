"""`sheetsync sandbox`: the sandbox as a server that runs until it is stopped, with all its files in one folder."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sheetsync.sandbox import sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.schema import google_schema
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.tokportal.managers import Delays
from sheetsync.sandbox.world import World

QUICK = Delays(timedelta(seconds=20), timedelta(seconds=40), timedelta(minutes=3))
"""How fast the sandbox's managers work: a newcomer sees a code within a minute."""

TEXT = """\
The sandbox is running; stop it with Ctrl-C. Its state stays in {folder}/ and is taken up again next time.

  {url}/                                a page: the sheet, the orders, the clock
  {url}/v4/spreadsheets/{book}
  {url}/api/ext                         TokPortal

Its managers work by themselves: a code takes about a minute. In a second terminal:

  cd {folder}
  sheetsync plan
  sheetsync sync
"""


def serve(folder: Path, port: int, echo: Callable[[str], None], *, schema: bool = False) -> None:
    """Serve until SIGINT or SIGTERM. Raises OSError if the port is taken, and LookupError for a schema not at hand."""
    held = google_schema() if schema else None
    folder.mkdir(parents=True, exist_ok=True)
    world, book = open_world(folder / "world.json")
    world.google.schema = held
    with Server(world, port=port) as server:
        if not (folder / "service-account.json").exists():
            server.write_service_account(folder / "service-account.json")
        sample.write_config(folder, server.url, book, world.portal.key)
        world.save()
        echo(TEXT.format(folder=folder, url=server.url, book=book.id))
        _wait()
        world.save()
    echo("The sandbox has stopped; its state is kept.")


def open_world(path: Path) -> tuple[World, Spreadsheet]:
    """The world as it was left, or a new one with the sample tracker."""
    if path.exists():
        world = World.load(path)
        return world, next(iter(world.google.books.values()))
    world = World(path=path, real_time=True)
    book = sample.fill(world)
    world.portal.auto_managers(QUICK)
    return world, book


def _wait() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
