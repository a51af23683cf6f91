"""Each call has a deadline as a whole, over real sockets: however an answer drips, and wherever it stops."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import pytest

from sheetsync.authorizations import Access
from sheetsync.clock import Clock
from sheetsync.errors import CallUncertain, OutOfTime, Unavailable
from sheetsync.sandbox import sample
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.tiktok.records import ADVERTISER, TOKEN
from sheetsync.sandbox.world import World
from sheetsync.sheet import api as sheets
from sheetsync.sheet.api import SheetsAPI, WriteUnclear
from sheetsync.tiktok import client as tiktok_client
from sheetsync.tiktok.client import TikTok
from sheetsync.tokportal import client
from sheetsync.tokportal.client import TokPortal

SECONDS = 0.4
IN_HEADERS, IN_BODY = 0.02, 0.0005
"""Seconds for each byte, with which the time is over in the headers of an answer, or in its body."""


class Hasty(Clock):
    """A clock that waits for nothing."""

    def sleep(self, seconds: float) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(client, "CALL_SECONDS", SECONDS)
    monkeypatch.setattr(tiktok_client, "CALL_SECONDS", SECONDS)
    monkeypatch.setattr(sheets, "ANSWER_SECONDS", SECONDS)
    for module in (client, sheets, tiktok_client):
        monkeypatch.setattr(module, "ATTEMPTS", 1)
    with Server(World(real_time=True)) as server:
        yield server


@pytest.fixture
def portal(server: Server) -> Iterator[TokPortal]:
    server.world.portal.add_video("vid-a")
    with TokPortal(server.world.portal.key, server.url, Hasty()) as portal:
        yield portal


@pytest.fixture
def google(server: Server, tmp_path: Path) -> SheetsAPI:
    server.write_service_account(tmp_path / "key.json")
    return sheets.connect(tmp_path / "key.json", server.url, Hasty())


def seconds_of(call: Callable[[], object], error: type[Exception]) -> float:
    """How long it takes until a call is given up."""
    begin = time.perf_counter()
    with pytest.raises(error):
        call()
    return time.perf_counter() - begin


DRIPS = [("drip", IN_HEADERS), ("drip", IN_BODY), ("silent", 1.0)]


@pytest.mark.parametrize(("fault", "pace"), DRIPS)
def test_a_look_at_tokportal(server: Server, portal: TokPortal, fault: str, pace: float) -> None:
    """Also on a connection that has served a call before; the next call gets its own."""
    portal.order("vid-a", '{"note": "' + "x" * 400 + '"}', "key-1", inf)
    server.world.faults.add("portal.poll", fault=fault, seconds=pace)
    assert seconds_of(lambda: portal.latest("vid-a"), Unavailable) < 2 * SECONDS
    assert portal.latest("vid-a") is not None


@pytest.mark.parametrize(("fault", "pace"), DRIPS)
def test_a_look_at_tiktok(server: Server, fault: str, pace: float) -> None:
    """Also on a connection that has served a call before; the next call gets its own."""
    tiktok = TikTok(Access(TOKEN, ADVERTISER, server.url), Hasty())
    for number in range(20):
        server.world.tiktok.apply(server.world.tiktok.authorize(f"#code {number}").code)
    assert len(tiktok.applied(ADVERTISER, 1)[0]) == 20
    server.world.faults.add("tiktok.list", fault=fault, seconds=pace)
    assert seconds_of(lambda: tiktok.applied(ADVERTISER, 1), Unavailable) < 2 * SECONDS
    assert tiktok.code(ADVERTISER, "#code 1").code == "#code 1"
    tiktok.close()


@pytest.mark.parametrize(("fault", "pace"), DRIPS)
def test_an_order(server: Server, portal: TokPortal, fault: str, pace: float) -> None:
    """It may have been placed, and here it was: nobody takes it for undone."""
    server.world.faults.add("portal.order", fault=fault, seconds=pace)
    body = '{"note": "' + "x" * 400 + '"}'
    assert seconds_of(lambda: portal.order("vid-a", body, "key-1", inf), CallUncertain) < 2 * SECONDS
    assert portal.latest("vid-a") is not None


@pytest.mark.parametrize(
    ("kind", "fault", "pace"),
    [("values.batchGet", *drip) for drip in DRIPS] + [("google.token", "drip", 0.002), ("google.token", "silent", 1.0)],
)
def test_a_read_of_the_sheet(server: Server, google: SheetsAPI, kind: str, fault: str, pace: float) -> None:
    """The sign-in before it is a call, too."""
    book = sample.fill(server.world)
    server.world.faults.add(kind, fault=fault, seconds=pace)
    assert seconds_of(lambda: google.values(book.id, sample.TAB), Unavailable) < 2 * SECONDS
    assert google.values(book.id, sample.TAB)


@pytest.mark.parametrize(("fault", "pace"), DRIPS)
def test_a_write_to_the_sheet(server: Server, google: SheetsAPI, fault: str, pace: float) -> None:
    """It may have been done."""
    book = sample.fill(server.world)
    google.values(book.id, sample.TAB)
    server.world.faults.add("sheets.batchUpdate", fault=fault, seconds=pace)
    cell = {"start": {"sheetId": 0}, "rows": [{"values": [{"userEnteredValue": {"stringValue": "x" * 400}}]}]}
    body = {"requests": [{"updateCells": {**cell, "fields": "userEnteredValue"}}], "includeSpreadsheetInResponse": True}
    assert seconds_of(lambda: google.update(book.id, body, "*"), WriteUnclear) < 2 * SECONDS


def test_a_run_that_is_over(server: Server, portal: TokPortal, google: SheetsAPI) -> None:
    """Nothing leaves this machine any more."""
    for clock in (portal._clock, google._clock):
        clock.ends_in(0)
    for call in (portal.balance, lambda: google.values("id", "A1")):
        assert seconds_of(call, OutOfTime) < SECONDS
    assert server.world.calls == []
