"""`sheetsync sandbox`: the sandbox as a server that runs until it is stopped, with all its files in one folder."""

from __future__ import annotations

import errno
import fcntl
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import TextIO

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
  {url}/open_api/v1.3                   TikTok

Its managers work by themselves: a code takes about a minute. In a second terminal:

  cd {folder}
  {command} init
  {command} plan
  {command} sync
"""


class Unservable(Exception):
    """The sandbox cannot be served; the message says why, and what to do."""


def serve(folder: Path, port: int, command: str, echo: Callable[[str], None], *, schema: bool = False) -> None:
    """Serve until SIGINT or SIGTERM. `command` is how a shell calls sheetsync from another folder.

    Raises Unservable where the port is taken, or the folder's sandbox is served already; LookupError for a schema that
    is not at hand.
    """
    held = google_schema() if schema else None
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "served-at").open("a+", encoding="utf-8") as mine:
        _take(mine, folder)
        world, book = open_world(folder / "world.json")
        world.google.schema = held
        with _listening(world, port) as server:
            mine.truncate(0)
            mine.write(server.url)
            mine.flush()
            if not (folder / "service-account.json").exists():
                server.write_service_account(folder / "service-account.json")
            sample.write_config(folder, server.url, book, world.portal.key)
            world.save()
            text = TEXT.format(folder=quote(str(folder)), url=server.url, book=book.id, command=command)
            echo(text)
            _wait()
            world.save()
    echo("The sandbox has stopped; its state is kept.")


def _take(mine: TextIO, folder: Path) -> None:
    """Two servers of one folder would write over each other's state: the kernel holds it for one."""
    try:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        mine.seek(0)
        where = mine.read() or "another process"
        raise Unservable(f"The sandbox in {folder} is served already, at {where}. Another: --dir FOLDER") from None


def _listening(world: World, port: int) -> Server:
    try:
        return Server(world, port=port)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise Unservable(
            f"Port {port} is in use by another program. Choose one: --port N, or --port 0 for any."
        ) from None


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
