"""The real command as a real process, killed with SIGKILL, stopped, or run twice at once, over real HTTP on loopback.

The sandbox is served by this process, so that a hook can kill the other one at an exact call. Recovery is a run in
this process wherever a minute has to pass: the clock is then moved, not waited for.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import ledgers
from support.bench import EMAIL, TAB
from support.profile import cases
from support.story import ORDERED, Story, tell

from sheetsync.sandbox.server import Server
from sheetsync.sandbox.wire import ConnectionLost, Request

CONFIG = """\
google:
  credentials: service-account.json
  api_url: {url}
tokportal:
  api_key: {key}
  api_url: {url}
state: {state}
trackers:
  - name: acme
    spreadsheet: {book}
    worksheet: {tab}
"""
PATIENCE = 60


class Machine:
    """A folder with a configuration; `start` is the command in a process of its own."""

    def __init__(self, folder: Path, story: Story, server: Server, state: str = "state.db") -> None:
        self.config = (folder / state).with_suffix(".yaml")
        kept = ledgers.as_configured(folder / state)
        self.config.write_text(
            CONFIG.format(url=server.url, key=story.portal.key, state=kept, book=story.bench.book.id, tab=TAB),
            encoding="utf-8",
        )

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from sheetsync.cli.main import main; main()", "-c", str(self.config)]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        return subprocess.Popen(
            [*command, "sync", "--json"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        return end_of(self.start())


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """What a process ended with; it is not left behind, whatever happens."""
    try:
        out, errors = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    assert "Traceback" not in errors
    return process.returncode, out, errors


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Story, Server]]:
    """Three orders to be sent, on a sandbox whose time is the real one."""
    story = tell(folder, ORDERED)
    story.stop()
    story.world.clock.real_time = True
    story.world.clock.set(datetime.now(UTC))
    with Server(story.world) as server:
        server.write_service_account(folder / "service-account.json", email=EMAIL)
        yield story, server


def killed(folder: Path, index: int, moment: str) -> tuple[Story, str]:
    """A run that is killed before its call number `index` takes effect, or after; the kind of that call."""
    with serving(folder) as (story, server):
        machine = Machine(folder, story, server)
        struck = ""
        start = len(story.world.calls)
        process: subprocess.Popen[str] | None = None

        def kill(when: str, at: int, kind: str, request: Request) -> None:
            nonlocal struck
            if not struck and when == moment and at - start == index and process:
                struck = kind
                process.kill()
                process.wait(PATIENCE)
                if when == "before":
                    raise ConnectionLost(kind)  # what was on its way goes down with the process

        with story.hook(kill):
            process = machine.start()
            code, _, errors = end_of(process)
        assert code == (-signal.SIGKILL if struck else 0), errors
        return story, struck


def test_undisturbed(tmp_path: Path) -> None:
    """The command orders what is marked, writes every cell and exits with 0; run again, it has nothing to do."""
    with serving(tmp_path) as (story, server):
        machine = Machine(tmp_path, story, server)
        code, out, _ = machine.run()
        assert code == 0
        assert json.loads(out)["trackers"][0]["ordered"] == 3
        story.restart()
        assert story.wrong() == []
        story.stop()
        before = story.bench.table()
        code, out, _ = machine.run()
        assert (code, json.loads(out)["trackers"][0]["cells_written"]) == (0, 0)
        assert story.bench.table() == before


LAST = 16
"""A run of three orders makes about so many calls, the one for Google's token among them."""


@pytest.mark.long
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("first", range(4))
def test_killed_at_any_call(tmp_path: Path, first: int, moment: str) -> None:
    """SIGKILL at any call, with the state file kept or deleted: each row charged once, every cell right."""
    problems, points = [], 0
    for index in range(first, LAST + 1, 4):
        story, kind = killed(tmp_path, index, moment)
        points += bool(kind)
        for state, twin in (("kept", copy.deepcopy(story)), ("lost", story)):
            twin.restart(state)
            problems += [f"killed {moment} call {index} ({kind}), state {state}: {wrong}" for wrong in twin.recover()]
            twin.stop()
    assert points >= 3
    assert problems == []


@pytest.mark.long
@pytest.mark.parametrize("state", ["kept", "lost"])
@pytest.mark.parametrize("index", [8, 11, 15])
def test_restarted_at_once(tmp_path: Path, index: int, state: str) -> None:
    """The next process starts right after the kill: it takes over or waits, and nobody is charged twice."""
    with serving(tmp_path) as (story, server):
        machine = Machine(tmp_path, story, server)
        process = machine.start()
        start = len(story.world.calls)

        def kill(when: str, at: int, kind: str, request: Request) -> None:
            if when == "after" and at - start == index and process.poll() is None:
                process.kill()
                process.wait(PATIENCE)

        with story.hook(kill):
            assert end_of(process)[0] == -signal.SIGKILL
        if state == "lost":
            ledgers.write(story.path, None)
        code, _, errors = machine.run()
        assert code in (0, 1), errors
        story.lost = state == "lost"
        story.restart()
        assert story.recover() == []


def stopped_after(story: Story, machine: Machine, index: int) -> subprocess.Popen[str]:
    """A process that stands still once its call number `index` is answered; SIGCONT lets it go on."""
    start = len(story.world.calls)
    process: subprocess.Popen[str] | None = None
    done = False

    def stop(when: str, at: int, kind: str, request: Request) -> None:
        nonlocal done
        if not done and when == "after" and at - start == index and process:
            done = True
            process.send_signal(signal.SIGSTOP)

    story.world.hooks.append(stop)
    process = machine.start()
    while not done and process.poll() is None:
        time.sleep(0.01)
    return process


@pytest.mark.parametrize("index", cases([0, 3, 9, 14], [9]))
def test_two_processes_with_one_state(tmp_path: Path, index: int) -> None:
    """While one process works the other exits with 4, names it, and makes no call."""
    with serving(tmp_path) as (story, server):
        machine = Machine(tmp_path, story, server)
        first = stopped_after(story, machine, index)
        calls = len(story.world.calls)
        code, out, _ = machine.run()
        assert len(story.world.calls) == calls
        first.send_signal(signal.SIGCONT)
        assert end_of(first)[0] == 0
        assert code == 4
        assert f"pid {first.pid}" in json.loads(out)["trackers"][0]["error"]
        story.restart()
        assert story.wrong() == []


@pytest.mark.long
@pytest.mark.parametrize("index", range(1, LAST, 2))
def test_two_processes_with_two_states(tmp_path: Path, index: int) -> None:
    """Another machine's whole run while one stands still after any call: each wish charged once, every cell right."""
    with serving(tmp_path) as (story, server):
        one, two = Machine(tmp_path, story, server), Machine(tmp_path, story, server, "other.db")
        first = stopped_after(story, one, index)
        code, _, errors = two.run()
        first.send_signal(signal.SIGCONT)
        assert end_of(first)[0] in (0, 1)
        assert code in (0, 1), errors
    story.restart()
    story.lost = True
    assert story.recover() == []
