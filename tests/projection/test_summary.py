"""The Summary tab: what it says, when it is written, and that it is never a danger to the rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.builders import NOW, TRACKER, row, snapshot
from support.init_bench import InitBench

from sheetsync.columns import to_serial
from sheetsync.config import load as config
from sheetsync.model import Row, Scalar, SummaryBlock, Value
from sheetsync.projected import SummaryCell, Target, Told
from sheetsync.projection import summary

VIDEO, OTHER = "vid-a", "vid-b"
KEYS = ("video_id", "creator", "client", "stage", "expires_at", "expiry", "sync_note")
BARE = ((summary.title(TRACKER),),)


def said(
    *rows: Row, targets: tuple[Target, ...] = (), block: Any = BARE, changed: bool = False, **more: Any
) -> dict[str, Value | bool | float]:
    """What would be written to the Summary tab, by the cell's name."""
    keys = more.get("keys", KEYS)
    of = replace(
        snapshot(keys=keys, time_zone=more.get("time_zone", "Etc/GMT")),
        rows=rows,
        summary=SummaryBlock(9, "Summary", block),
    )
    now = more.get("now", NOW)
    found = summary.projected(of, targets, TRACKER, Told(more.get("balance")), now).summary_changes(changed)
    return {name(edit): edit.value for edit in found}


def name(edit: SummaryCell) -> str:
    return f"{'ABCDEFGH'[edit.column]}{edit.row}"


def line(number: int, video: str = "", **cells: Scalar) -> Row:
    """A row that is as it was read."""
    return row(number, video or f"vid-{number}", caption_final="", sound_cleared="", **cells)


def at(instant: datetime, time_zone: str = "Etc/GMT") -> float:
    return to_serial(instant, time_zone)


def counts(found: Mapping[str, Any]) -> dict[str, Any]:
    """Videos by stage, those without any left out."""
    stages = {found[f"A{n}"]: found[f"B{n}"] for n in range(8, 17)}
    return {stage: number for stage, number in stages.items() if number}


# --- what it says ---------------------------------------------------------------------------------------------


def test_it_counts_videos_by_stage() -> None:
    """A video with two rows counts once; a stage that nobody knows counts as not ordered."""
    rows = (
        line(2, stage="received"),
        line(3, stage="Received"),
        line(4, "vid-2", stage="received"),
        line(5),
        line(6, stage="renewal needed", sync_note="mark renew"),
        line(7, stage="whatever"),
    )
    found = said(*rows)

    assert counts(found) == {"received": 2, "not ordered": 2, "renewal needed": 1}
    assert (found["B5"], found["B6"]) == (5, 1)


def test_it_says_what_the_rows_will_say() -> None:
    """Cells that this run is about to write count, not what they said before."""
    old = line(2, stage="requested", sync_note="waiting")
    ends = NOW + timedelta(days=9)
    target = Target(old, {"stage": "received", "expires_at": ends, "expiry": "ok", "sync_note": ""})
    found = said(old, targets=(target,))

    assert counts(found) == {"received": 1}
    assert (found["D4"], found["E4"], found["F4"], found["B6"]) == (ends, "ok", "vid-2", 0)


def test_the_next_ten_expiries_soonest_first() -> None:
    rows = [line(n, expires_at=at(NOW + timedelta(days=30 - n)), creator=f"@{n}", client="c") for n in range(2, 15)]
    found = said(*rows)

    assert [found[f"F{n}"] for n in range(4, 14)] == [f"vid-{n}" for n in range(14, 4, -1)]
    assert (found["G4"], found["H4"], found["D4"]) == ("@14", "c", NOW + timedelta(days=16))


def test_what_is_over_or_retired_does_not_expire_next() -> None:
    rows = (
        line(2, expires_at=at(NOW)),
        line(3, expires_at=at(NOW + timedelta(days=1)), stage="retired"),
        line(4, expires_at="soon"),
        line(5, expires_at=5),
        line(6, expires_at=True),
        line(7, expires_at=at(NOW + timedelta(seconds=1))),
    )
    found = said(*rows)

    assert found["F4"] == "vid-7"
    assert "F5" not in found


def test_a_tracker_without_creators_has_no_such_column() -> None:
    """Client moves up; nothing is said of columns that are not there."""
    rows = (line(2, expires_at=at(NOW + timedelta(days=1)), client="Crumbly"),)
    found = said(*rows, keys=[key for key in KEYS if key != "creator"])

    assert (found["G3"], found["G4"]) == ("Client", "Crumbly")
    assert "H3" not in found


@pytest.mark.parametrize(
    ("time_zone", "now", "monday"),
    [
        ("Etc/GMT", datetime(2026, 6, 20, 9, tzinfo=UTC), "2026-06-15"),
        ("Etc/GMT", datetime(2026, 6, 15, 0, tzinfo=UTC), "2026-06-15"),
        ("America/New_York", datetime(2026, 6, 15, 3, tzinfo=UTC), "2026-06-08"),  # still Sunday there
        ("Asia/Kolkata", datetime(2026, 6, 14, 20, tzinfo=UTC), "2026-06-15"),  # already Monday there
        ("Europe/Berlin", datetime(2026, 3, 29, 12, tzinfo=UTC), "2026-03-23"),  # the clocks have just changed
    ],
)
def test_weeks_begin_on_monday_in_the_sheets_time_zone(time_zone: str, now: datetime, monday: str) -> None:
    day = at(datetime.fromisoformat(monday).replace(tzinfo=UTC))
    found = said(time_zone=time_zone, now=now)
    assert [found[f"A{n}"] for n in range(18, 30)] == [day + 7 * n for n in range(12)]


def test_expiries_by_week() -> None:
    """The last second of a week and the first of the next; what ends after twelve weeks is not in the chart."""
    monday = datetime(2026, 6, 22, tzinfo=UTC)
    ends = (monday - timedelta(seconds=1), monday, monday + timedelta(days=3), monday + timedelta(days=90))
    found = said(*(line(n, expires_at=at(end)) for n, end in enumerate(ends, start=2)))

    assert [found.get(f"B{n}") for n in range(18, 30)] == [1, 2] + [0] * 10


def test_a_balance_that_nobody_told_is_not_invented() -> None:
    assert "B3" not in said()
    assert said(balance=0)["B3"] == 0


def test_the_last_change_goes_with_another_cell_or_with_the_rows() -> None:
    """Alone it never changes: a run on an unchanged world writes nothing."""
    block = written(said(balance=5))
    assert said(balance=5, block=block) == {}
    assert said(balance=5, block=block, now=NOW + timedelta(hours=1)) == {}
    assert said(balance=5, block=block, changed=True) == {"B4": NOW}
    later = NOW + timedelta(hours=1)
    assert said(balance=4, block=block, now=later) == {"B3": 4, "B4": later}


def written(found: Mapping[str, Any]) -> tuple[tuple[Scalar, ...], ...]:
    """The block as it is read once these cells are written."""
    grid: list[list[Scalar]] = [[""] * summary.COLUMNS for _ in range(summary.ROWS)]
    grid[0][0] = summary.title(TRACKER)
    for place, value in found.items():
        cell = at(value) if isinstance(value, datetime) else value
        grid[int(place[1:]) - 1]["ABCDEFGH".index(place[0])] = cell
    return tuple(map(tuple, grid))


@pytest.mark.parametrize("block", [(), ((),), (("Summary",),), (("", summary.title(TRACKER)),)])
def test_a_tab_that_does_not_say_so_is_not_ours(block: Any) -> None:
    assert said(block=block) == {}


def test_every_cell_lies_in_the_block() -> None:
    """Nothing else of the tab is ever written."""
    rows = [line(n, expires_at=at(NOW + timedelta(days=n)), creator="@x", client="c") for n in range(2, 40)]
    found = said(*rows, balance=3, changed=True)

    assert summary.RANGE == "A1:H29"
    assert {place[0] for place in found} <= set("ABCDEFGH")
    assert {int(place[1:]) for place in found} <= set(range(1, 30))
    assert not {place for place in found if place[0] == "C"}


# --- when it is written ---------------------------------------------------------------------------------------


@pytest.fixture
def bench() -> InitBench:
    """A tracker after init, with two videos."""
    bench = InitBench()
    bench.init()
    bench.add_row(VIDEO, "request", creator="@mia", client="Crumbly")
    bench.add_row(OTHER)
    return bench


def batches(bench: InitBench) -> list[str]:
    return [kind for kind in bench.kinds() if kind.startswith(("sheets.", "values."))]


def test_it_goes_with_the_rows_in_one_call(bench: InitBench) -> None:
    """No read and no write more than without it."""
    report = bench.sync()

    assert report.sheets_write == 2  # the claim, and the result
    assert (bench.says("B3"), bench.says("B5")) == (report.credits_left, 2)
    assert counts(block(bench)) == {"requested": 1, "not ordered": 1}
    reads = [kind for kind in batches(bench)[3:] if kind in ("sheets.get", "values.batchGet")]
    assert len(reads) == report.sheets_read == 4  # tabs and cells, and both once more after the orders


def block(bench: InitBench) -> dict[str, Any]:
    return {f"{c}{n}": bench.says(f"{c}{n}") for c in "ABDEFGH" for n in range(1, 30)}


def test_a_run_on_an_unchanged_world_writes_nothing(bench: InitBench) -> None:
    bench.sync()
    before = bench.writes()
    for _ in range(3):
        bench.later(minutes=5)
        assert bench.sync().sheets_write == 0
    assert bench.writes() == before


def test_it_is_written_alone_when_only_it_differs(bench: InitBench) -> None:
    """Somebody adds a row without a mark: no row is written, but there is one video more."""
    bench.sync()
    changed, table = bench.says("B4"), bench.table()
    bench.later(minutes=5)
    bench.add_row("vid-c")
    report = bench.sync()

    assert (report.sheets_write, report.cells_written) == (1, 0)
    assert bench.says("B5") == 3
    assert bench.says("B4") > changed
    assert bench.table()[:3] == table


def test_the_whole_story_of_a_code(bench: InitBench) -> None:
    """Received, then renewal needed, then expired."""
    bench.sync()
    bench.later(hours=1)
    for _ in range(3):
        bench.world.portal.manager_work()
    bench.sync()
    assert counts(block(bench)) == {"received": 1, "not ordered": 1}
    assert (bench.says("F4"), bench.says("G4"), bench.says("H4")) == (VIDEO, "@mia", "Crumbly")
    assert bench.says("D4") == pytest.approx(bench.cell(VIDEO, "expires_at"))

    bench.later(days=28)
    bench.sync()
    assert counts(block(bench)) == {"renewal needed": 1, "not ordered": 1}
    assert bench.says("E4") == "renewal needed"

    bench.later(days=5)
    bench.sync()
    assert counts(block(bench)) == {"expired": 1, "not ordered": 1}
    assert bench.says("F4") is None


def test_a_run_for_one_video_counts_all(bench: InitBench) -> None:
    bench.sync(videos=frozenset({OTHER}))
    assert bench.says("B5") == 2


def test_text_of_people_stays_text(bench: InitBench) -> None:
    """A creator who is called like a formula is not one."""
    bench.type(VIDEO, "creator", "=IMPORTXML(1)")
    bench.sync()
    bench.world.portal.manager_work()
    bench.world.portal.manager_work()
    bench.sync()
    assert bench.says("G4") == "=IMPORTXML(1)"
    assert type(bench.says("G4")) is str


# --- what people do to it -------------------------------------------------------------------------------------


def test_without_the_tab_nothing_is_missed(bench: InitBench) -> None:
    bench.person({"deleteSheet": {"sheetId": bench.summary.sheet_id}})
    report = bench.sync()
    assert (report.exit_code, report.ordered) == (0, 1)


def test_a_tab_whose_title_cell_says_something_else_is_left_alone(
    bench: InitBench, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once in the log of a run; the rows are written as ever."""
    bench.summary.set_value(0, 0, "Our figures")
    before = bench.summary.table()
    with caplog.at_level(logging.INFO, "sheetsync"):
        report = bench.sync()

    assert (report.exit_code, report.ordered) == (0, 1)
    assert bench.summary.table() == before
    assert [r.message for r in caplog.records if "left alone" in r.message] == [
        "tab 'Summary' is left alone: A1 does not say 'Summary of Tracker'"
    ]


def test_a_moved_block_is_written_where_it_belongs(bench: InitBench) -> None:
    """Somebody inserts a row in the middle: the block is rewritten whole, what lies outside stays."""
    bench.sync()
    bench.summary.set_value(40, 0, "our remark")
    bench.summary.insert_rows(10)
    bench.sync()

    assert bench.says("A11") == "activated"
    assert counts(block(bench)) == {"requested": 1, "not ordered": 1}
    assert bench.says("A42") == "our remark"


def test_a_tab_that_is_too_small_is_left_alone(bench: InitBench) -> None:
    bench.person(
        {
            "deleteDimension": {
                "range": {
                    "sheetId": bench.summary.sheet_id,
                    "dimension": "ROWS",
                    "startIndex": 20,
                    "endIndex": 60,
                }
            }
        }
    )
    assert bench.sync().exit_code == 0
    bench.init()
    bench.later(minutes=1)
    bench.sync()
    assert bench.says("B5") == 2


@pytest.mark.parametrize("what", ["renamed", "written over"])
def test_what_happens_to_the_tab_in_mid_run_is_seen(bench: InitBench, what: str) -> None:
    """It is looked at once more before the result is written, with the rows."""
    tab = bench.summary

    def change(_: object) -> None:
        if what == "renamed":
            tab.title = "Old figures"
        else:
            tab.set_value(0, 0, "Our figures")

    bench.world.faults.edit("portal.order", do=change)
    report = bench.sync()

    assert (report.error, report.unplaced) == (None, [])
    assert bench.cell(VIDEO, "status") == "pending"
    assert tab.value(4, 1) is None


@pytest.mark.parametrize("alone", [False, True])
def test_a_summary_that_may_not_be_written_does_not_keep_the_rows(
    bench: InitBench, alone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody protects the tab: the rows are written, and the log says why the tab is not."""
    if alone:
        bench.sync()
        bench.add_row("vid-c")
    held = {"range": {"sheetId": bench.summary.sheet_id}}
    bench.person({"addProtectedRange": {"protectedRange": held}})
    report = bench.sync()

    assert (report.error, report.unplaced) == (None, [])
    assert bench.cell(VIDEO, "status") == "pending"
    assert "the Summary tab could not be written" in caplog.text


def test_a_summary_deleted_in_mid_run_does_not_keep_the_rows(bench: InitBench) -> None:
    """It was there when the run read the tabs."""
    gone = {"deleteSheet": {"sheetId": bench.summary.sheet_id}}
    bench.world.faults.edit("portal.order", do=lambda _: bench.person(gone))
    report = bench.sync()

    assert (report.error, report.unplaced) == (None, [])
    assert bench.cell(VIDEO, "status") == "pending"


# --- its name -------------------------------------------------------------------------------------------------


def names(tmp_path: Path, *trackers: str) -> list[str]:
    """The summary tabs of a configuration; a tracker is `spreadsheet/worksheet`."""
    listed = "\n".join(
        f"  - {{name: t{n}, spreadsheet: {text.split('/')[0]}, worksheet: {text.split('/')[1]}}}"
        for n, text in enumerate(trackers)
    )
    path = tmp_path / "sheetsync.yaml"
    path.write_text(f"tokportal: {{api_key: k}}\ntrackers:\n{listed}\n")
    return [tracker.summary_tab for tracker in config.load(path, {}).trackers]


def test_trackers_in_one_spreadsheet_have_a_summary_each(tmp_path: Path) -> None:
    assert names(tmp_path, "book-a/Tracker", "book-b/Tracker") == ["Summary", "Summary"]
    assert names(tmp_path, "book-a/Acme", "book-a/Beta", "book-b/Acme") == ["Summary Acme", "Summary Beta", "Summary"]


def test_a_tracker_called_summary_has_its_summary_elsewhere(tmp_path: Path) -> None:
    assert names(tmp_path, "book-a/summary") == ["Summary summary"]


@pytest.mark.parametrize(("lock", "cells"), [(None, {}), ("", {}), ("Orders wait.", {"D1": "Orders wait."})])
def test_it_keeps_why_orders_wait(lock: str | None, cells: dict[str, str]) -> None:
    """For a ledger that is lost; a machine that knows of no lock leaves what another wrote."""
    read = replace(snapshot(keys=KEYS), summary=SummaryBlock(9, "Summary", BARE))
    found = {name(cell): cell.value for cell in summary.projected(read, (), TRACKER, Told(None, lock), NOW).summary}
    assert {place: value for place, value in found.items() if place == "D1"} == cells
    locked = replace(read, summary=SummaryBlock(9, "Summary", ((*BARE[0], "", "", "Orders wait."),)))
    assert summary.price_lock(locked, TRACKER) == "Orders wait."
    cleared = {name(cell): cell.value for cell in summary.projected(locked, (), TRACKER, Told(None, lock), NOW).summary}
    assert ("D1" in cleared) is (lock == "")
