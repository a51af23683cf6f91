"""Ctrl-C in the middle of a run: what became of the money is told and recorded, and the next run goes on."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
from support.command_line import Desk


def press_ctrl_c(_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("arrived", [True, False])
def test_in_mid_order(desk: Desk, arrived: bool) -> None:
    """The order is uncertain, whether it arrived or not: the next run looks, and no row is charged twice."""
    desk.world.faults.edit("portal.order", nth=2, do=press_ctrl_c)
    desk.world.faults.add("portal.order", nth=2, fault="silent" if arrived else "slow", seconds=3)
    result = desk.run("sync")
    assert result.exit_code == 1
    assert "Aborted" not in result.output
    assert "1 ordered, " in result.stdout
    assert "Stopped by Ctrl-C; orders on the way: 1. Whether they were placed, the next run" in result.stdout
    assert "Run `sheetsync sync` to go on" in result.stdout
    status = json.loads(desk.run("status", "--json").stdout)["trackers"][0]
    assert (status["last_run"]["exit_code"], status["unsettled"]) == (1, 1)

    result = desk.run("sync")
    assert result.exit_code == (0 if arrived else 1)
    assert desk.world.portal.credits == (1205 if arrived else 1212)
    assert ("its answer was lost" in result.stdout) is not arrived


def test_in_mid_poll(desk: Desk) -> None:
    """Polls under way are not waited for longer than a call takes, and none begins."""
    desk.world.faults.edit("portal.poll", nth=2, do=press_ctrl_c)
    begin = time.perf_counter()
    document = json.loads(desk.run("sync", "--json").stdout)
    assert time.perf_counter() - begin < 5
    assert "orders on the way: none." in document["trackers"][0]["error"]
    assert document["exit_code"] == 1
    assert desk.world.portal.credits == 1233
