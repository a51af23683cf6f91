"""Workers as real processes, on a real PostgreSQL and a served sandbox."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from cli.conftest import desk
from support import postgres
from support.command_line import Desk

from sheetsync.state import Server

__all__ = ["desk"]

PATIENCE = 60.0


@dataclass
class Fleet:
    """Workers of one configuration."""

    desk: Desk
    server: Server
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sheetsync", "-c", str(self.desk.config), "--log-format", "json", "worker"]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        worker = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.workers.append(worker)
        return worker

    def hourly(self) -> None:
        """Each tracker once an hour: the test sees no second period begin."""
        config = self.desk.config
        config.write_text(config.read_text().replace("every_minutes: 1\n", "every_minutes: 60\n"))

    def told(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.server.url) as connection:
            return connection.execute(sql).fetchall()

    def change(self, sql: str) -> None:
        with psycopg.connect(self.server.url) as connection:
            connection.execute(sql)

    def runs(self) -> list[tuple[object, ...]]:
        return self.told("SELECT started_at, exit_code FROM run ORDER BY started_at") if self.is_begun() else []

    def is_begun(self) -> bool:
        return self.told("SELECT to_regclass('run')") != [(None,)]

    @property
    def credits(self) -> int:
        return self.desk.world.portal.credits


def until(happened: Callable[[], object], patience: float = PATIENCE) -> None:
    ends = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.1)


def ended(worker: subprocess.Popen[str]) -> tuple[int, list[dict[str, object]]]:
    """Exit code, and the lines of its log."""
    _, errors = worker.communicate(timeout=PATIENCE)
    assert "Traceback" not in errors
    return worker.returncode, [json.loads(line) for line in errors.splitlines()]


@pytest.fixture
def fleet(desk: Desk) -> Iterator[Fleet]:
    postgres.or_skip()
    server = postgres.fresh()
    text = re.sub(r"^state:.*$", f"state: {server.url}", desk.config.read_text(), flags=re.MULTILINE)
    desk.config.write_text(f"{text}\nworker:\n  every_minutes: 1\n")
    fleet = Fleet(desk, server)
    yield fleet
    for worker in fleet.workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.communicate()
