"""Ctrl-C in the middle of a run: what became of the money is told and recorded, and the next run goes on."""

from __future__ import annotations

import json
import os
import signal
import time

from support.command_line import Desk


def press_ctrl_c(_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_in_mid_order(desk: Desk) -> None:
    """The order in hand ends and is recorded; none is sent after it, and the next run goes on."""
    desk.world.faults.edit("portal.order", nth=2, do=press_ctrl_c)
    desk.world.faults.add("portal.order", nth=2, fault="slow", seconds=1)
    result = desk.run("sync")
    assert result.exit_code == 1
    assert "Aborted" not in result.output
    assert "2 ordered, " in result.stdout
    assert "Stopped (Ctrl-C or SIGTERM); orders on the way: none." in result.stdout
    assert "Run `sheetsync sync` to go on" in result.stdout
    status = json.loads(desk.run("status", "--json").stdout)["trackers"][0]
    assert (status["last_run"]["exit_code"], status["unsettled"]) == (1, 0)

    assert desk.run("sync").exit_code == 0
    assert desk.world.portal.credits == 1205


def test_in_mid_poll(desk: Desk) -> None:
    """Polls under way are not waited for longer than a call takes, and none begins."""
    desk.world.faults.edit("portal.poll", nth=2, do=press_ctrl_c)
    begin = time.perf_counter()
    document = json.loads(desk.run("sync", "--json").stdout)
    assert time.perf_counter() - begin < 5
    assert "orders on the way: none." in document["trackers"][0]["error"]
    assert document["exit_code"] == 1
    assert desk.world.portal.credits == 1233
