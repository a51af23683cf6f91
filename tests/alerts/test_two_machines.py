"""The real command as real processes on one ledger: killed between send and mark, stopped, and several at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.receivers import Hook, hook

from sheetsync.clock import Clock
from sheetsync.config.load import load
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from sheetsync.sync.telling import tell

CONFIG = """\
google: {{credentials: service-account.json, api_url: "{url}"}}
tokportal: {{api_key: tok_live_0123, api_url: "{url}"}}
trackers: [{{name: acme, spreadsheet: nowhere, worksheet: Tracker}}]
alerts: {{to: ["{hook}/token"], failing_runs: 1}}
"""


class Later(Clock):
    """The machine's clock, five minutes on."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=5)


@pytest.fixture(name="hook")
def _hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hook() as made:
        yield made


@pytest.fixture
def world() -> World:
    return World(real_time=True)


@pytest.fixture
def config(hook: Hook, world: World, tmp_path: Path) -> Iterator[Path]:
    """A tracker whose spreadsheet is not there: every run fails, which is told."""
    with Server(world) as server:
        server.write_service_account(tmp_path / "service-account.json")
        path = tmp_path / "sheetsync.yaml"
        path.write_text(CONFIG.format(url=server.url, hook=hook.url), encoding="utf-8")
        yield path


def start(config: Path) -> subprocess.Popen[str]:
    """`sheetsync sync`."""
    command = [sys.executable, "-c", "from sheetsync.cli.main import main; main()", "-c", str(config), "sync"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_between_send_and_mark(config: Path, hook: Hook) -> None:
    """It comes again, with the same id, when its claim has run out; then never."""
    started = threading.Event()

    def kill() -> None:
        started.wait()
        process.kill()

    hook.meanwhile = kill
    process = start(config)
    started.set()
    process.communicate(timeout=60)
    assert len(hook.got) == 1
    hook.meanwhile = lambda: None
    settings = load(config, {})
    with Ledger(settings.state) as ledger:
        for clock in (Clock(), Later(), Later()):
            tell(settings.alerting, settings.trackers, ledger, clock, "key")
    assert [message["id"] for message in hook.got] == [hook.got[0]["id"]] * 2
    assert hook.got[0]["alerts"] == hook.got[1]["alerts"]


def test_stopped_by_a_signal(config: Path, world: World, hook: Hook) -> None:
    """Whoever stops a run has no wish to wait, whatever it ends with: the next run tells."""
    world.faults.edit("sheets.get", do=lambda _: process.send_signal(signal.SIGTERM))
    process = start(config)
    process.communicate(timeout=60)
    assert (process.returncode, hook.tried) == (2, 0)
    start(config).communicate(timeout=60)
    assert [message["alerts"][0]["kind"] for message in hook.got] == ["runs fail"]


def test_several_at_once(config: Path, hook: Hook) -> None:
    """Whoever comes first tells it; the others, which meet it on its way, leave it."""
    hook.meanwhile = lambda: time.sleep(0.5)
    processes = [start(config) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [message["alerts"][0]["kind"] for message in hook.got] == ["runs fail"], outputs
    assert not [text for output in outputs for text in output if "Traceback" in text or "token" in text]
