"""A run ends by its time (`run.max_seconds`), whatever does not answer; what is known is written."""

from __future__ import annotations

from datetime import datetime
from itertools import cycle

import pytest
from support.bench import Bench
from support.doctored import ALL, VIDEO

from sheetsync.errors import Interrupted, OutOfTime
from sheetsync.sandbox.faults import When

SECONDS = 270


def timed(*videos: str) -> tuple[Bench, datetime]:
    """A tracker whose videos are marked, a run that has so much time, and when it begins."""
    bench = Bench(videos)
    bench.mark("request", *videos)
    bench.clock.ends_in(SECONDS)
    return bench, bench.clock.now()


class Shared:
    """A budget of Google reads that others use up: each of ours waits for it."""

    def __init__(self) -> None:
        self.waits = cycle((16.0, 0.0))

    def ask(self, goes_first: bool = False) -> float:
        return next(self.waits)


def took(bench: Bench, begin: datetime) -> float:
    return (bench.clock.now() - begin).total_seconds()


@pytest.mark.parametrize("fault", ["silent", "drip"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("kind", ["portal.balance", "portal.poll", "portal.order", "portal"])
def test_tokportal_is_silent(kind: str, nth: int, fault: str) -> None:
    """Each row says why it waits, no row is left `ordering`, and nobody is charged twice."""
    bench, begin = timed(*ALL)
    bench.world.faults.add(kind, nth=nth, fault=fault, times=999)
    code = bench.sync().exit_code
    assert took(bench, begin) <= SECONDS
    for video in ALL if code else ():
        assert bench.cell(video, "action") == "" or bench.cell(video, "sync_note")
        assert bench.cell(video, "status") != "ordering"
    bench.world.faults.clear()
    bench.later(minutes=5)
    bench.clock.ends_in(SECONDS)
    assert bench.sync().exit_code == 0
    assert [bench.charged(video) for video in ALL] == [7] * 5


@pytest.mark.parametrize("fault", ["silent", "drip"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("kind", ["sheets.get", "values.batchGet", "sheets.batchUpdate"])
def test_google_is_silent(kind: str, nth: int, fault: str) -> None:
    """The run ends all the same, and the next one puts right what was left."""
    bench, begin = timed(*ALL)
    bench.world.faults.add(kind, nth=nth, fault=fault, times=999)
    bench.sync()
    assert took(bench, begin) <= SECONDS
    bench.world.faults.clear()
    bench.later(minutes=5)
    bench.clock.ends_in(SECONDS)
    assert bench.sync().exit_code == 0
    assert [(bench.charged(video), bench.cell(video, "status")) for video in ALL] == [(7, "pending")] * 5


def test_google_asks_for_fewer_calls() -> None:
    """No wait begins that could not end before the run does."""
    bench, _ = timed(VIDEO)
    bench.clock.ends_in(1)
    bench.world.faults.add("sheets.get", fault="429", times=99)
    report = bench.sync()
    assert (report.exit_code, len(bench.kinds())) == (1, 1) or bench.clock.left() > 0


@pytest.mark.parametrize("kind", ["portal.balance", "portal.order"])
def test_tokportal_asks_for_a_long_wait(kind: str) -> None:
    """Nor at TokPortal."""
    bench, begin = timed(VIDEO)
    bench.world.faults.add(kind, fault="429", times=99)
    bench.clock.ends_in(60)
    bench.sync()
    assert took(bench, begin) <= 45


def test_what_was_observed_is_written() -> None:
    """The time is over right after the polls: no claim is written, the code that came is."""
    bench, _ = timed(*ALL[:2])
    bench.sync()
    bench.world.portal.submit(VIDEO)
    bench.later(minutes=5)
    bench.mark("renew", "vid-b")
    bench.world.portal.submit("vid-b")
    bench.world.portal.deliver("vid-b")
    bench.clock.ends_in(SECONDS)
    bench.world.faults.edit("portal.poll", nth=2, when="after", do=lambda _: bench.later(seconds=170))
    assert bench.sync().exit_code == 1
    assert (bench.cell(VIDEO, "status"), bool(bench.cell(VIDEO, "spark_code"))) == ("in_review", True)
    assert bench.cell("vid-b", "sync_note").startswith("Not ordered in this run: the time of the run is over.")
    assert bench.kinds().count("sheets.batchUpdate") == 3


def test_a_correction_waits_for_the_next_run() -> None:
    """It is free, and takes time all the same."""
    bench, _ = timed(VIDEO)
    bench.sync()
    bench.world.portal.submit(VIDEO)
    bench.later(minutes=2)
    bench.sync()
    bench.mark("correct", VIDEO)
    bench.type(VIDEO, "feedback", "the code does not work")
    bench.clock.ends_in(SECONDS)
    bench.world.faults.edit("portal.poll", when="after", do=lambda _: bench.later(seconds=170))
    assert bench.sync().exit_code == 1
    assert bench.cell(VIDEO, "sync_note") == "Not reached in the time of this run; the next run goes on."
    assert "portal.correct" not in bench.kinds()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_stopped_in_mid_order(when: When) -> None:
    """The order in hand ends, and its answer is recorded; nothing more is asked or written, and the run is recorded."""
    bench, _ = timed(*ALL[:2])
    bench.world.faults.edit("portal.order", when=when, do=lambda _: bench.clock.stop())
    report = bench.sync()
    assert isinstance(report.error, Interrupted)
    assert (report.exit_code, report.ordered, report.uncertain, report.error.unsettled) == (1, 1, 0, 0)
    assert bench.kinds()[-1] == "portal.order"
    assert [hold.reason for hold in report.holds] == [
        "Not ordered in this run: the run was stopped. The next run goes on."
    ]
    last = bench.ledger.last_run("acme")
    assert last
    assert (last.exit_code, last.summary) == (1, str(report.error))
    assert isinstance(bench.sync().error, OutOfTime)  # as for the trackers after it
    bench.clock.is_stopped = False
    bench.later(minutes=5)
    bench.clock.ends_in(SECONDS)
    assert bench.sync().exit_code == 0
    assert [(bench.charged(video), bench.cell(video, "status")) for video in ALL[:2]] == [(7, "pending")] * 2


def test_what_a_person_has_to_mend_is_not_hidden_by_a_stop() -> None:
    """A key that is not accepted is still what the run says, and its exit code."""
    bench, _ = timed(VIDEO)
    bench.world.faults.edit("portal.balance", do=lambda _: bench.clock.stop())
    bench.world.faults.add("portal.balance", fault="401")
    assert bench.sync().exit_code == 5


def test_a_tracker_that_is_not_reached() -> None:
    """It says so, and nothing is asked for it: what is left belongs to the sheets of the others."""
    bench, _ = timed(VIDEO)
    bench.later(seconds=SECONDS * 3 / 4)
    report = bench.sync()
    assert (type(report.error), report.exit_code, bench.kinds()) == (OutOfTime, 1, [])


@pytest.mark.parametrize(("is_ordered_elsewhere", "reads"), [(True, 2), (False, 4)])
def test_a_read_is_as_old_as_its_bytes(is_ordered_elsewhere: bool, reads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as its wait for a call of the shared minute: else, in full minutes, each run that writes would read again."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    if is_ordered_elsewhere:
        bench.world.portal.order_elsewhere(VIDEO)
    api = bench.api()
    api._reads_left = Shared()
    monkeypatch.setattr(bench, "api", lambda: api)
    report = bench.sync()
    assert bench.cell(VIDEO, "status") == "pending"
    assert (report.exit_code, report.sheets_read) == (0, reads)
