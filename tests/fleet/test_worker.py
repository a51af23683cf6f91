"""Workers as real processes, on a real PostgreSQL and a served sandbox: each tracker once a period, by one of them.

The first round finds every tracker due, so that most of it is seen within seconds.
"""

from __future__ import annotations

import signal
import time
from threading import Thread

import pytest
from fleet.conftest import PATIENCE, Fleet, ended, until
from support import postgres
from support.command_line import Desk

from sheetsync.cli.worker import Worker
from sheetsync.config.load import load

pytestmark = pytest.mark.waits

BEFORE, AFTER = 1233, 1205
"""Credits before and after the four orders of the sample tracker."""


def test_a_ledger_in_a_file_is_one_machines(desk: Desk) -> None:
    """Exit code 2, and what to do."""
    result = desk.run("worker")
    assert result.exit_code == 2
    assert "sheetsync.yaml: state: is a file" in result.output
    assert "sheetsync ledger copy" in result.output


def test_two_workers_run_a_tracker_once(fleet: Fleet) -> None:
    """Each mark is charged once, the run is recorded once, and SIGTERM ends both with 0."""
    fleet.hourly()
    workers = [fleet.start(), fleet.start()]
    until(fleet.runs)
    time.sleep(2)  # the other one had its chance
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    logs = [ended(worker) for worker in workers]
    assert [code for code, _ in logs] == [0, 0]
    runs = [line for _, log in logs for line in log if str(line["message"]).startswith("run ended")]
    assert [(line["exit_code"], line["ordered"]) for line in runs] == [(0, 4)]
    assert (fleet.credits, [code for _, code in fleet.runs()]) == (AFTER, [0])
    assert fleet.told("SELECT id FROM procrastinate_jobs") == []


def test_a_stopped_worker_ends_the_call_in_hand(fleet: Fleet) -> None:
    """SIGTERM in mid-order: that order is recorded with its answer, none is sent after it."""
    worker = fleet.start()
    fleet.desk.world.faults.edit("portal.order", nth=2, do=lambda _: worker.send_signal(signal.SIGTERM))
    fleet.desk.world.faults.add("portal.order", nth=2, fault="slow", seconds=1)
    code, log = ended(worker)
    assert (code, fleet.credits, log[-1]["exit_code"]) == (0, BEFORE - 14, 1)
    assert fleet.told("SELECT state FROM intent") == [("accepted",)] * 2
    assert fleet.told("SELECT id FROM procrastinate_jobs") == []


def test_the_same_job_twice_at_once_charges_once(fleet: Fleet) -> None:
    """As where a worker that was thought to be lost wakes: the tracker's lock decides."""
    fleet.hourly()
    config = load(fleet.desk.config, {})
    workers = [Worker(config), Worker(config)]
    jobs = [Thread(target=worker.run, args=("sample",)) for worker in workers for _ in range(2)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(PATIENCE)
    for worker in workers:
        worker.close()
    assert (fleet.credits, [code for _, code in fleet.runs()]) == (AFTER, [0])


@pytest.mark.long
def test_the_tracker_of_a_killed_worker_is_taken_up(fleet: Fleet) -> None:
    """SIGKILL in mid-order: another worker goes on within a minute or two, and each mark is charged once."""
    first = fleet.start()
    fleet.desk.world.faults.edit("portal.order", nth=2, do=lambda _: first.kill())
    first.communicate(timeout=PATIENCE)
    assert first.returncode == -signal.SIGKILL
    second = fleet.start()
    until(lambda: [code for _, code in fleet.runs()][-1:] == [0] and fleet.credits == AFTER, 240)
    second.send_signal(signal.SIGTERM)
    code, log = ended(second)
    assert code == 0
    assert any("another worker was lost in the middle of sample" in str(line["message"]) for line in log)
    assert fleet.told("SELECT video_id FROM intent WHERE state <> 'accepted'") == []


@pytest.mark.long
def test_a_server_that_is_restarted_is_waited_for(fleet: Fleet) -> None:
    """Every connection is cut between two runs: the next period's run comes all the same."""
    worker = fleet.start()
    until(fleet.runs)
    postgres.restart()
    until(lambda: len(fleet.runs()) > 1, 130)
    worker.send_signal(signal.SIGTERM)
    assert ended(worker)[0] == 0
    assert fleet.credits == AFTER


@pytest.mark.long
def test_a_server_that_is_away_for_long_is_spoken_of_once(fleet: Fleet) -> None:
    """For longer than the worker tries to open its connections; SIGTERM meanwhile would end it at once, too."""
    worker, other = fleet.start(), fleet.start()
    until(fleet.runs)
    before = len(fleet.runs())
    postgres.stop()
    try:
        time.sleep(50)
        other.send_signal(signal.SIGTERM)
        code, _ = ended(other)
        assert code == 0
    finally:
        postgres.start()
    until(lambda: len(fleet.runs()) > before, 150)
    worker.send_signal(signal.SIGTERM)
    code, log = ended(worker)
    assert (code, fleet.credits) == (0, AFTER)
    messages = [str(line["message"]) for line in log]
    assert len([message for message in messages if "the database cannot be used now" in message]) == 1
    assert len([message for message in messages if "at work" in message]) == 2
