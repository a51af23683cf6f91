"""The metrics file, read back by the library's own parser, against the ledger and TokPortal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.command_line import Desk
from support.pings import Pings

from sheetsync.ledger.store import Ledger
from sheetsync.sandbox import sample


def figures(desk: Desk) -> dict[tuple[str, ...], float]:
    """Values by name and the words of the labels, the tracker's left out."""
    found = {}
    for family in text_string_to_metric_families((desk.config.parent / "m/s.prom").read_text()):
        for each in family.samples:
            words = [word for label, word in each.labels.items() if label != "tracker"]
            found[each.name.removeprefix("sheetsync_"), *words] = each.value
    return found


@pytest.mark.usefixtures("pings")
def test_a_good_run(desk: Desk) -> None:
    """What it says is what ledger, TokPortal and sheet say."""
    desk.run("sync")
    found = figures(desk)
    with Ledger(desk.config.parent / "state.db", read_only=True) as ledger:
        run = ledger.last_run("sample")
        charged = sum(charge.credits for charge in ledger.charges("sample"))
        opened = min(
            entry.request.created_at.timestamp()
            for entry in ledger.known("sample").latest.values()
            if entry.request.is_open and entry.request.created_at
        )
    assert run
    assert found["credits_left",] == desk.world.portal.credits == 1205
    assert found["credits_spent",] == charged == 28
    began = run.started_at.timestamp()
    assert found["last_run_timestamp_seconds",] == found["last_good_run_timestamp_seconds",] == began
    assert found["last_run_duration_seconds",] == (run.finished_at - run.started_at).total_seconds()
    assert (found["runs_total", "0"], found["last_run_exit_code",], found["unsettled_orders",]) == (1, 0, 0)
    assert found["oldest_open_request_timestamp_seconds",] == opened
    assert found["rows_waiting",] == 2
    assert found["rows", "requested"] == found["open_requests",]
    kinds = [call.kind for call in desk.world.calls]
    reads = kinds.count("sheets.get") + kinds.count("values.batchGet")
    assert found["last_run_calls", "sheets_read"] == reads
    headers, *rows = desk.book.sheet(sample.TAB).table()
    with_id = [row for row in rows if row[headers.index("Video ID")]]
    assert sum(value for name, value in found.items() if name[0] == "rows") == len(with_id)


@pytest.mark.usefixtures("pings")
def test_counts_outlive_the_process(desk: Desk) -> None:
    """Runs are counted by the ledger; of a run that failed early the rows are not known."""
    desk.run("sync")
    desk.book.shared_with.clear()
    desk.run("sync")
    desk.run("sync")
    found = figures(desk)
    assert (found["runs_total", "0"], found["runs_total", "5"], found["last_run_exit_code",]) == (1, 2, 5)
    assert found["last_good_run_timestamp_seconds",] < found["last_run_timestamp_seconds",]
    assert found["credits_left",] == 1205
    assert not [name for name in found if name[0] == "rows"]


@pytest.mark.usefixtures("pings")
def test_a_folder_that_is_not_there_stops_nothing(desk: Desk) -> None:
    """It is told, and the run is as good as ever."""
    desk.edit("m/s.prom", "nowhere/s.prom")
    result = desk.run("sync")
    assert result.exit_code == 0
    assert "The metrics cannot be written" in result.stderr


@pytest.mark.usefixtures("pings")
def test_a_run_that_meets_another_one(desk: Desk) -> None:
    """It leaves the figures to that one."""
    desk.run("sync")
    before = figures(desk)
    with Ledger(desk.config.parent / "state.db") as ledger, ledger.lock("sample", "another", datetime.now(UTC)):
        assert desk.run("sync").exit_code == 4
    assert figures(desk) == before


def test_nothing_is_half_written(desk: Desk, pings: Pings) -> None:
    """Whoever reads meanwhile finds the old file or the new one; nothing else stays in the folder."""
    folder = desk.config.parent / "m"
    desk.run("sync")
    desk.run("sync")
    assert [path.name for path in Path(folder).iterdir()] == ["s.prom"]
    assert pings.events == ["/start", "", "/start", ""]
