"""`sheetsync status --fleet` tells how late each tracker is, and which workers there are."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import pytest
from fleet.conftest import Fleet, until
from support.command_line import Desk

from sheetsync.ledger.store import Ledger

pytestmark = pytest.mark.waits


def told(fleet: Fleet, *arguments: str) -> Any:
    result = fleet.desk.run("status", "--fleet", *arguments)
    assert result.exit_code == 0
    return (
        json.loads(result.stdout)
        if "--json" in arguments
        else [" ".join(x.split()) for x in result.output.splitlines()]
    )


def test_before_the_first_worker(fleet: Fleet) -> None:
    """No run, no queue."""
    Ledger(fleet.server).close()
    assert told(fleet) == [
        "1 tracker every 1 minute, 0 late; 0 workers at work",
        "tracker last good run lag running",
        "sample none never run",
    ]
    document = told(fleet, "--json")
    assert (document["workers"], document["trackers"][0]["lag_seconds"]) == ([], None)


def test_a_worker_and_what_it_runs(fleet: Fleet) -> None:
    """In the middle of a run, then after it."""
    seen = []
    fleet.desk.world.faults.edit("portal.order", nth=1, do=lambda _: seen.append(told(fleet, "--json")))
    worker = fleet.start()
    until(fleet.runs)
    (colleague,) = seen[0]["workers"]
    assert (colleague["trackers"], colleague["is_lost"]) == (["sample"], False)
    after = told(fleet)
    assert after[0] == "1 tracker every 1 minute, 0 late; 1 worker at work"
    finished = json.loads(fleet.desk.run("status", "--json").stdout)["trackers"][0]["last_run"]["finished_at"]
    assert after[2].startswith(f"sample {finished} ")
    until(lambda: told(fleet, "--json")["workers"][0]["trackers"] == [])
    worker.send_signal(signal.SIGTERM)
    worker.communicate()
    assert told(fleet, "--json")["workers"] == []


@pytest.mark.long
def test_a_tracker_is_late_after_two_periods_and_a_worker_lost_after_its_silence(fleet: Fleet) -> None:
    """Told of a run that began long ago, and of a worker that was killed."""
    worker = fleet.start()
    until(lambda: fleet.runs() and not fleet.told("SELECT id FROM procrastinate_jobs WHERE status = 'doing'"))
    worker.kill()
    worker.communicate()
    fleet.change("UPDATE run SET started_at = '2026-01-01T00:00:00+00:00', exit_code = 1")
    fleet.change("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '50 s'")
    head, _, tracker, _, colleague = told(fleet)
    assert head == "1 tracker every 1 minute, 1 late; 0 workers at work"
    assert tracker.startswith("sample none (the last one ended with 1) ")
    assert tracker.endswith(" s, late")
    assert re.search(r" 5\d s ago, lost$", colleague)


def test_one_machine_has_no_fleet(desk: Desk) -> None:
    """Exit code 2, and what to do; nor does a video have one."""
    result = desk.run("status", "--fleet")
    assert (result.exit_code, "state: is a file" in result.output) == (2, True)
    assert desk.run("status", "--fleet", "--video", "v").exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_no_password_is_shown(fleet: Fleet, arguments: tuple[str, ...]) -> None:
    """Where the server cannot be had, exit code 1."""
    fleet.desk.edit(fleet.server.url, "postgresql://user:secret@127.0.0.1:1/nowhere")
    result = fleet.desk.run("status", "--fleet", *arguments)
    assert (result.exit_code, "secret" in result.output) == (1, False)
