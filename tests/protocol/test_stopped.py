"""SIGTERM and Ctrl-C to a real process, at moments that matter: the call in hand ends, and nothing is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from itertools import product
from pathlib import Path

import pytest
from protocol.test_processes import Machine, end_of, serving
from support import ledgers
from support.profile import cases
from support.story import Story

from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.wire import Request

pytestmark = pytest.mark.waits


def signalled(story: Story, machine: Machine, kind: str, nth: int, number: int) -> subprocess.Popen[str]:
    """A process that gets a signal once its n-th call of a kind has reached the service."""
    seen, process = 0, None

    def send(when: str, at: int, what: str, request: Request) -> None:
        nonlocal seen
        if when == "before" and what == kind:
            seen += 1
            if seen == nth and process:
                process.send_signal(number)

    story.world.hooks.append(send)
    process = machine.start()
    return process


def unsettled(folder: Path) -> int:
    """Orders of which the ledger does not know what became."""
    with Ledger(ledgers.at(folder / "state.db")) as ledger:
        return ledger.unsettled()


@pytest.mark.parametrize(
    ("number", "fault"),
    cases(product([signal.SIGTERM, signal.SIGINT], ["slow", "slow_after"]), [(signal.SIGTERM, "slow_after")]),
)
def test_in_a_slow_order(tmp_path: Path, number: int, fault: str) -> None:
    """Its answer is waited for and recorded, no order follows, and the next process charges nobody twice."""
    with serving(tmp_path) as (story, server):
        story.world.faults.add("portal.order", nth=2, fault=fault, seconds=1.5)
        machine = Machine(tmp_path, story, server)
        code, out, _ = end_of(signalled(story, machine, "portal.order", 2, number))
        tracker = json.loads(out)["trackers"][0]
        assert (code, tracker["ordered"], tracker["uncertain"], unsettled(tmp_path)) == (1, 2, 0, 0)
        assert "Stopped (Ctrl-C or SIGTERM)" in tracker["error"]
        assert story.world.calls[-1].kind == "portal.order"
        story.world.hooks.clear()
        assert machine.run()[0] == 0
    story.restart()
    assert story.wrong() == []


@pytest.mark.parametrize("fault", ["slow", "silent"])
def test_a_second_one_ends_it_at_once(tmp_path: Path, fault: str) -> None:
    """In the middle of an order that arrived, or never did: later runs find out by looking."""
    with serving(tmp_path) as (story, server):
        story.world.faults.add("portal.order", nth=2, fault=fault, seconds=25)
        process = signalled(story, Machine(tmp_path, story, server), "portal.order", 2, signal.SIGTERM)
        while not story.world.faults.struck:
            time.sleep(0.01)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert end_of(process)[0] == -signal.SIGTERM
        assert time.monotonic() - begun < 10
        assert unsettled(tmp_path) == 1
        story.world.hooks.clear()
    story.restart()
    assert story.recover() == []


@pytest.mark.parametrize(("kind", "fault"), [("portal.poll", "503"), ("values.batchGet", "503")])
def test_in_the_pause_before_another_attempt(tmp_path: Path, kind: str, fault: str) -> None:
    """Nothing is waited for any more, and nothing is sent."""
    with serving(tmp_path) as (story, server):
        story.world.faults.add(kind, fault=fault, times=1000)
        process = signalled(story, Machine(tmp_path, story, server), kind, 2, signal.SIGTERM)
        code, out, _ = end_of(process)
        kinds = [call.kind for call in story.world.calls]
        assert code == 1
        assert kinds.count(kind) <= 4  # those that were under way on the threads; each would be tried four times
        assert "orders on the way: none" in json.loads(out)["trackers"][0]["error"]
        assert "portal.order" not in kinds


def test_after_the_write(tmp_path: Path) -> None:
    """A signal during the last write: it is verified by its own answer, and the next process has nothing to pay."""
    with serving(tmp_path) as (story, server):
        story.world.faults.add("sheets.batchUpdate", nth=2, fault="slow_after", seconds=1)
        machine = Machine(tmp_path, story, server)
        code, out, _ = end_of(signalled(story, machine, "sheets.batchUpdate", 2, signal.SIGTERM))
        assert (code, json.loads(out)["trackers"][0]["ordered"]) == (1, 3)
        story.world.hooks.clear()
        code, out, _ = machine.run()
        assert (code, json.loads(out)["trackers"][0]["credits_charged"]) == (0, 0)
    story.restart()
    assert story.wrong() == []
