"""TokPortal's balance lags behind the orders by a minute: what an order's answer left is what there is."""

from __future__ import annotations

import pytest
from support.bench import Bench
from support.init_bench import InitBench

from sheetsync.sandbox.wire import Request

BEFORE = 1247
"""The sandbox's credits."""


def lagging(bench: Bench) -> None:
    """The balance of a minute ago is that of before any order."""
    bench.world.portal.switches.set({"balance_lags": "yes"})
    bench.later(minutes=2)


@pytest.mark.parametrize("seconds", [2, 50, 61])
def test_what_is_to_be_kept_is_kept(seconds: int) -> None:
    """The second order would take what the first one left, however soon the next run asks."""
    bench = Bench(("vid-a", "vid-b"), keep_credits=BEFORE - 7)
    lagging(bench)
    bench.mark("request", "vid-a")
    assert bench.sync().ordered == 1
    bench.mark("request", "vid-b")
    bench.later(seconds=seconds)
    assert (bench.sync().ordered, bench.world.portal.credits) == (0, BEFORE - 7)
    assert "credits" in str(bench.cell("vid-b", "sync_note"))


def test_no_false_alarm_of_credits_that_vanished() -> None:
    """The second run's order costs 7, not the 14 by which the balance seems to fall."""
    bench = Bench(("vid-a", "vid-b"))
    lagging(bench)
    for video in ("vid-a", "vid-b"):
        bench.mark("request", video)
        report = bench.sync()
        bench.later(seconds=5)
        assert (report.ordered, report.warnings) == (1, [])


def test_a_second_run_writes_nothing() -> None:
    """Summary told what the order left; a mark that waits makes the next run ask for the balance again."""
    bench = InitBench()
    bench.init()
    for video in ("vid-a", "vid-b"):
        bench.add_row(video, "request")
    bench.world.portal.videos["vid-b"].manager = False
    lagging(bench)
    assert bench.sync().ordered == 1
    assert bench.says("B3") == BEFORE - 7
    before = bench.writes()
    bench.later(seconds=1)
    bench.sync()
    assert (bench.writes(), bench.says("B3")) == (before, BEFORE - 7)


def test_credits_that_are_bought_count_a_minute_after_the_order() -> None:
    bench = Bench(("vid-a", "vid-b"), keep_credits=BEFORE - 7)
    bench.mark("request", "vid-a", "vid-b")
    assert bench.sync().ordered == 1
    bench.world.portal.credits += 100
    ordered = []
    for seconds in (30, 31):
        bench.later(seconds=seconds)
        ordered.append(bench.sync().ordered)
    assert ordered == [0, 1]


@pytest.mark.parametrize("seconds", [2, 30])
@pytest.mark.parametrize("nth", [1, 2])
def test_an_order_whose_answer_was_lost(nth: int, seconds: int) -> None:
    """It told no balance, or only the one before it did: what it cost is not there to spend either."""
    bench = Bench(("vid-a", "vid-b", "vid-c"), keep_credits=BEFORE - 7 * nth)
    lagging(bench)
    bench.mark("request", *("vid-a", "vid-b")[:nth])
    bench.world.faults.add("portal.order", nth=nth, fault="lost_after")
    assert bench.sync().ordered == nth
    bench.mark("request", "vid-c")
    bench.later(seconds=seconds)
    assert (bench.sync().ordered, bench.world.portal.credits) == (0, BEFORE - 7 * nth)


def test_an_order_that_a_later_run_finds() -> None:
    """No look told of it in its own run: the next one finds it and knows that it cost something a moment ago."""
    bench = Bench(("vid-a", "vid-b"), keep_credits=BEFORE - 7)
    lagging(bench)
    bench.mark("request", "vid-a")
    bench.world.faults.add("portal.order", fault="lost_after")
    bench.world.faults.add("portal.poll", nth=3, fault="500", times=4)
    assert (bench.sync().uncertain, bench.world.portal.credits) == (1, BEFORE - 7)
    bench.mark("request", "vid-b")
    for seconds in (2, 30, 40):
        bench.later(seconds=seconds)
        assert bench.sync().uncertain == 0
        assert bench.world.portal.credits == BEFORE - 7


@pytest.mark.parametrize("is_found_at_once", [True, False])
def test_a_plan_that_is_made_long_after_the_balance_was_asked(is_found_at_once: bool) -> None:
    """The order is a minute old by then, and was not as the balance was told."""
    bench = Bench(("vid-a", "vid-b"), keep_credits=BEFORE - 7)
    lagging(bench)
    bench.mark("request", "vid-a")
    bench.world.faults.add("portal.order", fault="lost_after")
    if not is_found_at_once:
        bench.world.faults.add("portal.poll", nth=3, fault="500", times=20)
    bench.sync()
    bench.world.faults.clear()
    bench.mark("request", "vid-b")
    bench.later(seconds=45)

    def takes_time(moment: str, index: int, kind: str, request: Request) -> None:
        if kind == "portal.poll" and moment == "before":
            bench.later(seconds=20)

    bench.world.hooks.append(takes_time)
    bench.sync()
    assert bench.world.portal.credits == BEFORE - 7
