"""Debian's own cron runs the crontab that `schedule` prints. Needs root, whose crontab is put back afterwards."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cli.conftest import desk
from support.command_line import Desk

__all__ = ["desk"]

PATIENCE = 150
"""Seconds: cron looks once a minute."""


@contextmanager
def installed(crontab: str) -> Iterator[None]:
    """The crontab, and a cron that reads it."""
    before = subprocess.run(["crontab", "-l"], capture_output=True, text=True)
    subprocess.run(["crontab", "-"], input=crontab, text=True, check=True)
    # where one runs already, this one ends at once, and the other does it
    cron = subprocess.Popen(["cron", "-f"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        cron.terminate()
        cron.wait()
        if before.returncode == 0:
            subprocess.run(["crontab", "-"], input=before.stdout, text=True, check=True)
        else:
            subprocess.run(["crontab", "-r"], check=True)


def test_cron_syncs(desk: Desk) -> None:
    """Every minute instead of every five: the orders are sent, and the log is JSON."""
    log = desk.config.parent / "sync.log"
    crontab = desk.run("schedule", "cron").stdout.replace("\n*/5 * * * * ", "\n* * * * * ")
    until = time.monotonic() + PATIENCE
    with installed(crontab):
        while not (log.exists() and "run ended" in log.read_text()):
            assert time.monotonic() < until, "cron ran nothing"
            time.sleep(0.5)
    last = json.loads(log.read_text().splitlines()[-1])
    assert (last["exit_code"], last["ordered"], desk.world.portal.credits) == (0, 4, 1205)
