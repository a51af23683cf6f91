"""What a dead-man's-switch service hears of runs, and that whatever it does stops none."""

from __future__ import annotations

import time

import pytest
from support.command_line import Desk
from support.pings import SECRET, Pings
from support.profile import cases


def test_a_good_run(desk: Desk, pings: Pings) -> None:
    """Its beginning and its end."""
    assert desk.run("sync").exit_code == 0
    assert pings.told == [("/start", ""), ("", "exit code 0\nsample: done")]


def test_a_run_that_somebody_has_to_mend(desk: Desk, pings: Pings) -> None:
    """Told at once, with the reason."""
    desk.world.faults.add("portal", fault="401", times=1000)
    assert desk.run("sync").exit_code == 5
    assert pings.events == ["/start", "/fail"]
    assert pings.told[1][1].startswith("exit code 5\nsample: TokPortal answered 401")


@pytest.mark.long
def test_a_run_that_the_next_one_goes_on_with(desk: Desk, pings: Pings) -> None:
    """Nobody is woken by one lost answer: the service raises the alarm when no good run comes for too long."""
    desk.world.faults.add("portal", fault="503", times=1000)
    assert desk.run("sync").exit_code == 1
    assert pings.events == ["/start"]


def test_a_run_that_cannot_begin(desk: Desk, pings: Pings) -> None:
    """The settings are readable, the key file is gone."""
    (desk.config.parent / "service-account.json").unlink()
    assert desk.run("sync").exit_code in (2, 5)
    assert pings.events == ["/start", "/fail"]
    assert "service-account.json" in pings.told[1][1]


@pytest.mark.parametrize("words", [("plan",), ("sync", "--video", "x"), ("status",), ("doctor",)])
def test_what_is_no_run_of_the_trackers(desk: Desk, pings: Pings, words: tuple[str, ...]) -> None:
    """A person who looks does not keep the alarm silent."""
    desk.run(*words)
    assert pings.events == []


def test_a_query_stays_behind_the_path(desk: Desk, pings: Pings) -> None:
    """Some services take options there."""
    desk.edit(SECRET, f"{SECRET}/?create=1")
    desk.run("sync")
    assert pings.events == ["/start?create=1", "?create=1"]


@pytest.mark.parametrize(
    ("status", "said"),
    cases(
        [(500, "was answered 500"), (404, "was answered 404"), (302, "302"), (0, "took too long")],
        [(404, "was answered 404")],
    ),
)
def test_a_service_that_is_ill(desk: Desk, pings: Pings, status: int, said: str) -> None:
    """The run is as good as ever, and the log tells of it without the address."""
    pings.status = status
    begin = time.monotonic()
    result = desk.run("sync", options=("-v",))
    assert time.monotonic() - begin < 60
    assert (result.exit_code, desk.world.portal.credits) == (0, 1205)
    assert said in result.stderr
    assert SECRET not in result.output


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://no-such-host.invalid"])
def test_a_service_that_is_not_there(desk: Desk, pings: Pings, address: str) -> None:
    """The same."""
    desk.edit(pings.url, f"{address}/{SECRET}")
    result = desk.run("sync", options=("-v",))
    assert result.exit_code == 0
    assert result.stderr.count("got no answer (ConnectError)") == 2
    assert SECRET not in result.output
