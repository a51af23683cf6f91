"""A sandbox's clock drives what sheetsync does there: people move it to watch a code run out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from support.command_line import Desk

from sheetsync.sandbox import sample
from sheetsync.sandbox.server import _Connection


def test_days_go_by_in_the_sandbox(desk: Desk) -> None:
    """A code goes amber, then red, at the sandbox's time; doctor does not complain of this machine's clock."""
    line = sample.ORDERED_IN_DASHBOARD
    desk.world.portal.submit(sample.video_of(desk.book, line))
    seen = []
    for days in (0, 28, 2):
        desk.world.clock.advance(timedelta(days=days))
        desk.run("sync")
        seen.append(desk.cell(line, "Expiry"))
    assert seen == ["ok", "renewal needed", "expired"]
    assert "ok    clock: agrees with TokPortal's" in desk.run("doctor").stdout
    assert re.search(r"^  \d codes? in use: .*[1-9] expired", desk.run("status").stdout, re.MULTILINE)


def test_a_service_that_is_no_sandbox_moves_no_clock(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else answers on this computer (a proxy, a stand-in with a wrong clock) is doctor's to complain of."""
    monkeypatch.setattr(_Connection, "version_string", lambda _: "stand-in")
    desk.world.clock.advance(timedelta(days=3))
    assert "FAIL  clock: this machine's clock is 2591" in desk.run("doctor").stdout
