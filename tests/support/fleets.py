"""Many trackers on a served sandbox, and workers as real processes with one ledger on a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from sheetsync import columns
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from sheetsync.state import Server as Database
from support.bench import EMAIL, TAB

KEYS = ("video_id", "action", *columns.MACHINE_KEYS)
COLUMN = {key: at for at, key in enumerate(KEYS)}
CONFIG = """\
google: {{credentials: service-account.json, api_url: {url}}}
tokportal: {{api_key: "{key}", api_url: {url}}}
state: {state}
worker: {{every_minutes: {every}, concurrency: {concurrency}}}
trackers:
"""


@dataclass(frozen=True)
class Tracker:
    """A tracker's spreadsheet and the videos of its rows, from the first to the last."""

    name: str
    book: Spreadsheet
    videos: tuple[str, ...]

    @property
    def sheet(self) -> Sheet:
        return self.book.sheet(TAB)

    def cell(self, video: str, key: str) -> Any:
        value = self.sheet.value(self.videos.index(video) + 1, COLUMN[key])
        return "" if value is None else value

    def mark(self, video: str) -> None:
        self.sheet.set_value(self.videos.index(video) + 1, COLUMN["action"], "request")


def tracker(world: World, name: str, rows: int) -> Tracker:
    """A new spreadsheet with so many rows, none of them marked."""
    book = world.google.create_spreadsheet(name, "Etc/GMT", (TAB,), share_with=[EMAIL])
    made = Tracker(name, book, tuple(f"{name}-video-{number:05d}" for number in range(rows)))
    for key, column in COLUMN.items():
        made.sheet.set_value(0, column, columns.header_of(key, {}))
    for line, video in enumerate(made.videos, 1):
        world.portal.add_video(video)
        made.sheet.set_value(line, 0, video)
    return made


@dataclass
class Fleet:
    """A world, its trackers, and workers with one configuration; each worker's log is a file of the folder."""

    folder: Path
    world: World
    server: Server
    database: Database
    trackers: list[Tracker]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: int = 0

    def configure(self, every: int, concurrency: int = 4) -> None:
        url, key = self.server.url, self.world.portal.key
        text = CONFIG.format(url=url, key=key, state=self.database.url, every=every, concurrency=concurrency)
        lines = [f"  - {{name: {each.name}, spreadsheet: {each.book.id}, worksheet: {TAB}}}" for each in self.trackers]
        (self.folder / "sheetsync.yaml").write_text(text + "\n".join(lines) + "\n")

    def start(self, *program: str) -> subprocess.Popen[bytes]:
        self.started += 1
        command = [
            sys.executable,
            *(program or ("-m", "sheetsync")),
            "-c",
            "sheetsync.yaml",
            "--log-format",
            "json",
            "worker",
        ]
        with (self.folder / f"worker{self.started}.log").open("wb") as log:
            environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
            worker = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=environment)
        self.workers.append(worker)
        return worker

    def drain(self) -> list[int]:
        """SIGTERM to all: their exit codes."""
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        codes = [worker.wait(90) for worker in self.workers]
        self.workers.clear()
        return codes

    def told(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def log(self) -> Iterator[dict[str, Any]]:
        """What all workers have said; a line that is none of theirs has only a `message`."""
        for path in sorted(self.folder.glob("worker*.log")):
            for line in path.read_text().splitlines():
                yield json.loads(line) if line.startswith("{") else {"level": "NONE", "message": line}


@contextmanager
def fleet(folder: Path, database: Database, trackers: int, rows: int) -> Iterator[Fleet]:
    """No worker yet; those that there are at the end are killed."""
    world = World(real_time=True, record_bodies=False)
    made = [tracker(world, f"t{number:03d}", rows) for number in range(trackers)]
    world.google.quota = True
    with Server(world) as server:
        server.write_service_account(folder / "service-account.json", email=EMAIL)
        found = Fleet(folder, world, server, database, made)
        try:
            yield found
        finally:
            for worker in found.workers:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()
