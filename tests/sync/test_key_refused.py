"""TokPortal does not accept the API key: nothing is ordered, and the sheet goes on telling what time has made of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.bench import Bench

from sheetsync import notes
from sheetsync.columns import to_serial

VIDEOS = ("vid-a", "vid-b", "vid-c")


def with_a_code() -> Bench:
    """The first video has a code, the second a code of its people's own with an end, the third nothing."""
    bench = Bench(VIDEOS)
    bench.mark("request", "vid-a")
    bench.sync()
    bench.world.portal.submit("vid-a")
    bench.world.portal.deliver("vid-a")
    bench.type("vid-b", "spark_code", "#theirs")
    bench.type("vid-b", "known_expiry", to_serial(bench.clock.now() + timedelta(days=30), "Etc/GMT"))
    bench.sync()
    return bench


@pytest.mark.parametrize(
    ("kind", "fault"), [("portal.balance", "401"), ("portal.balance", "403"), ("portal.poll", "401")]
)
def test_what_ends_meanwhile_is_told(kind: str, fault: str) -> None:
    """A code that has ended says so, with whichever call the key is found out; exit 5 tells whoever runs it."""
    bench = with_a_code()
    bench.mark("request", "vid-c")
    bench.later(days=31)
    bench.world.faults.add(kind, fault=fault, times=99)
    report = bench.sync()
    assert (report.exit_code, report.ordered) == (5, 0)
    assert [bench.cell(video, "expiry") for video in VIDEOS] == ["expired", "expired", ""]
    assert [bench.cell(video, "stage") for video in VIDEOS] == ["expired", "expired", ""]
    assert bench.cell("vid-c", "sync_note") == notes.KEY_REFUSED
    assert bench.sync().cells_written == 0


def test_it_is_accepted_again() -> None:
    """Each mark is served then, once."""
    bench = with_a_code()
    bench.mark("request", "vid-c")
    bench.mark("renew", "vid-a")
    bench.world.faults.add("portal.balance", fault="401", times=1)
    assert bench.sync().exit_code == 5
    assert bench.cell("vid-a", "sync_note") == notes.KEY_REFUSED
    assert bench.sync().exit_code == 0
    assert [bench.charged(video) for video in VIDEOS] == [14, 0, 7]


def test_open_requests_say_nothing_new() -> None:
    """No row is told to ask TokPortal about its Video ID, however long it lasts: nobody has asked about it."""
    bench = Bench(VIDEOS)
    bench.mark("request", "vid-a")
    bench.sync()
    bench.world.faults.add("portal.poll", fault="401", times=99)
    bench.later(hours=25)
    report = bench.sync()
    assert (report.exit_code, report.holds, bench.cell("vid-a", "sync_note")) == (5, [], "")


def test_a_run_was_killed_at_its_claim() -> None:
    """`ordering` does not stand in a row for which nothing is under way."""
    bench = with_a_code()
    bench.type("vid-c", "status", "ordering")
    bench.mark("request", "vid-c")
    bench.world.faults.add("portal.balance", fault="401", times=1)
    bench.sync()
    assert bench.cell("vid-c", "status") == ""


def test_a_plan_is_not_made() -> None:
    """Whoever asks what would be ordered is told that nobody knows, and nothing is written."""
    bench = with_a_code()
    bench.mark("request", "vid-c")
    bench.world.faults.add("portal.balance", fault="401", times=1)
    before = bench.table()
    report = bench.sync(plan_only=True)
    assert (report.exit_code, report.plan.orders, bench.table()) == (5, (), before)


def test_it_is_found_out_at_an_order() -> None:
    """Each row that was not come to says so, the one that met it why."""
    bench = Bench(VIDEOS)
    bench.mark("request", *VIDEOS)
    bench.world.faults.add("portal.order", nth=2, fault="401")
    report = bench.sync()
    assert (report.exit_code, report.ordered) == (5, 1)
    assert bench.cell("vid-a", "status") == "pending"
    assert "key" in bench.cell("vid-b", "sync_note")
    assert bench.cell("vid-c", "sync_note") == notes.RUN_STOPPED
    bench.sync()
    assert [bench.charged(video) for video in VIDEOS] == [7, 7, 7]


@pytest.mark.parametrize("nth", [3, 4], ids=["before the report", "after it"])
def test_it_is_found_out_as_a_code_is_reported(nth: int) -> None:
    """Each mark that was not served says so, also one whose code is there already; then each is, once."""
    bench = with_a_code()
    bench.world.portal.order("vid-c", by="dashboard")
    bench.mark("correct", "vid-a")
    bench.type("vid-a", "feedback", "the code does not work")
    bench.mark("request", "vid-c")
    bench.world.faults.add("portal.poll", nth=nth, fault="401")
    assert bench.sync().exit_code == 5
    assert {bench.cell(v, "sync_note") for v in ("vid-a", "vid-c") if bench.cell(v, "action")} == {notes.NOT_FINISHED}
    bench.later(minutes=2)
    assert bench.sync().exit_code == 0
    assert [bench.cell(video, "action") for video in VIDEOS] == ["", "", ""]
    assert len(bench.world.portal.latest("vid-a").feedback) == 1
    assert bench.kinds().count("portal.order") == 1
