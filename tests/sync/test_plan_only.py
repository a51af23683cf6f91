"""`plan` reads the ledger and changes nothing in it, not even where a sync would (design 7)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.bench import EMAIL, Bench

from sheetsync.ledger.store import Ledger
from sheetsync.sync.run import Request
from sheetsync.sync.trackers import run_all


def test_released_row_is_back(tmp_path: Path) -> None:
    """A row that was allowed to go, and is back, is counted by a plan; only a sync ends its release."""
    path = tmp_path / "state.db"
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a", "vid-b")
    with Ledger(path) as bench.ledger:
        assert bench.sync().ordered == 2
        bench.type("vid-a", "video_id", "vid-x")
        bench.sync(allow_shrunken=True)
        bench.type("vid-x", "video_id", "vid-a")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    with Ledger(path, read_only=True) as reading:
        assert reading.gone_open("acme", ["vid-b"]) == (1, 0)
        report = bench.sync(reading, plan_only=True)
        assert (report.exit_code, report.rows) == (0, 2)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before

    with Ledger(path) as writing:
        assert bench.sync(writing).exit_code == 0
        assert writing.gone_open("acme", ["vid-b"]) == (2, 1)


def test_before_the_first_sync(tmp_path: Path) -> None:
    """A plan needs no ledger's file, and makes none."""
    bench = Bench(["vid-a"])
    bench.mark("request", "vid-a")
    with Ledger(tmp_path / "state.db", read_only=True) as reading:
        report = bench.sync(reading, plan_only=True)
    assert (report.error, report.plan.credits) == (None, 7)
    assert list(tmp_path.iterdir()) == []


def test_two_trackers_with_one_purse(tmp_path: Path) -> None:
    """What the first plan would spend is not there for the second: as it is when a sync carries them out."""
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a", "vid-b")
    # the month after: a tab of the same columns in a spreadsheet of its own
    other = bench.world.google.create_spreadsheet("Next month", "Etc/GMT", ("Tracker",))
    other.shared_with.add(EMAIL)
    for number, line in enumerate(bench.sheet.rows):
        other.sheet("Tracker").put_part(number, 0, list(line))
    for number, video in enumerate(("vid-c", "vid-d"), start=1):
        bench.world.portal.add_video(video)
        other.sheet("Tracker").set_value(number, bench.column("video_id"), video)
    bench.world.portal.credits = 21
    trackers = bench.tracker, replace(bench.tracker, name="beta", spreadsheet=other.id, worksheet="Tracker")
    parts = bench.api(), bench.portal(), bench.ledger, bench.clock
    planned = run_all(trackers, *parts, Request("run-7", plan_only=True))
    carried_out = run_all(trackers, *parts, Request("run-8"))
    assert [len(report.plan.orders) for report in planned.values()] == [2, 1]
    assert [report.ordered for report in carried_out.values()] == [2, 1]


def test_an_order_that_is_sent_again_counts_once(tmp_path: Path) -> None:
    """It is unsettled already: for the tracker after it the purse is no emptier than a sync finds it."""
    bench = Bench(["vid-a"])
    other = bench.world.google.create_spreadsheet("Next month", "Etc/GMT", ("Tracker",))
    other.shared_with.add(EMAIL)
    bench.mark("request", "vid-a")
    for number, line in enumerate(bench.sheet.rows):
        other.sheet("Tracker").put_part(number, 0, list(line))
    bench.world.portal.add_video("vid-c")
    other.sheet("Tracker").set_value(1, bench.column("video_id"), "vid-c")
    bench.world.portal.credits = 14
    bench.world.faults.add("portal.order", fault="lost_before")
    assert bench.sync().uncertain == 1
    bench.later(minutes=5)
    beta = replace(bench.tracker, name="beta", spreadsheet=other.id)
    parts = bench.api(), bench.portal(), bench.ledger, bench.clock
    bench.ledger.recorder("beta", "run-5", bench.clock).record_run(bench.clock.now(), 0, "")
    planned = run_all((bench.tracker, beta), *parts, Request("run-7", plan_only=True))
    carried_out = run_all((bench.tracker, beta), *parts, Request("run-8"))
    assert {name: len(report.plan.orders) for name, report in planned.items()} == {"acme": 1, "beta": 1}
    assert {name: report.ordered for name, report in carried_out.items()} == {"acme": 1, "beta": 1}
