"""The second block of the Summary tab: the heartbeat, the last good run, credits, who is waited for, what was spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.builders import NOW, TRACKER, row, snapshot
from support.init_bench import InitBench

from sheetsync.columns import letter, to_serial
from sheetsync.model import Row, Scalar, SummaryBlock, Value
from sheetsync.projected import Charge, Told
from sheetsync.projection import figures, summary
from sheetsync.sandbox.google.cells import Formula

VIDEO, OTHER = "vid-a", "vid-b"
KEYS = ("video_id", "paid_owner", "creator", "client", "stage", "expires_at", "sync_note")
MADE: tuple[tuple[Scalar, ...], ...] = ((summary.title(TRACKER), *[""] * 8, figures.title(TRACKER)),)


def said(*rows: Row, told: Told | None = None, now: datetime = NOW, block: Any = MADE) -> dict[str, Value]:
    """What would be written to the Summary tab, by the cell's name."""
    of = replace(snapshot(keys=KEYS), rows=rows, summary=SummaryBlock(9, "Summary", block))
    cells = summary.projected(of, (), TRACKER, told or Told(), now).summary_changes(False)
    return {f"{letter(cell.column)}{cell.row}": cell.value for cell in cells}


def line(number: int, video: str = "", **cells: Scalar) -> Row:
    return row(number, video or f"vid-{number}", caption_final="", sound_cleared="", **cells)


def table(found: dict[str, Value], columns: str, rows: Iterable[int]) -> list[tuple[Value | None, ...]]:
    """The filled lines of a table."""
    lines = [tuple(found.get(f"{column}{n}") for column in columns) for n in rows]
    return [line for line in lines if any(cell is not None for cell in line)]


def at(instant: datetime) -> float:
    return to_serial(instant, "Etc/GMT")


# --- what it says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (Told(100), "14 codes of 7"),
        (Told(6), "0 codes of 7"),
        (Told(-3), "0 codes of 7"),
        (Told(), None),
    ],
)
def test_what_the_credits_are_enough_for(told: Told, text: str | None) -> None:
    assert said(told=told).get("K5") == text


def test_who_is_waited_for() -> None:
    """TokPortal for open requests; for notes and renewals the paid owner, else who owns or made the video."""
    rows = (
        line(2, stage="requested", sync_note="ordered"),
        line(3, stage="requested"),
        line(4, stage="renewal needed", paid_owner="Ann", creator="@mia"),
        line(5, stage="received", sync_note="look", creator="@mia"),
        line(6, sync_note="look"),
        line(7, stage="received", paid_owner="Bob"),
        line(8, "vid-4", sync_note="a duplicate", paid_owner="Bob"),
    )
    assert table(said(*rows), "JK", range(9, 14)) == [("TokPortal", 2), ("@mia", 1), ("Ann", 1), ("nobody named", 1)]


def test_many_owners_are_summed_up() -> None:
    rows = [line(n, sync_note="look", paid_owner=f"owner {n % 6}") for n in range(2, 15)]
    lines = table(said(*rows), "JK", range(9, 14))

    assert lines == [("TokPortal", 0), ("owner 2", 3), ("owner 0", 2), ("owner 1", 2), ("others", 6)]


def spent(*charges: tuple[str, str, int], rows: Iterable[Row] = ()) -> list[tuple[Value | None, ...]]:
    told = Told(spent=tuple(Charge(v, datetime.fromisoformat(day).replace(tzinfo=UTC), n) for v, day, n in charges))
    return table(said(*rows, told=told, now=datetime(2026, 6, 20, tzinfo=UTC)), "JKLMNO", range(14, 23))


def test_spent_by_client_and_month() -> None:
    """A video without a row counts too, and so does a clock that is ahead: the sum is what was spent."""
    rows = (line(2, "a", client="Crumbly"), line(3, "b", client="Ably"), line(4, "c"))
    orders = ("a", "2026-06-01", 7), ("a", "2026-05-31", 7), ("a", "2025-06-05", 7), ("b", "2026-04-02", 9)
    more = ("c", "2026-06-05", 7), ("gone", "2026-07-01", 7)

    assert spent(*orders, *more, rows=rows) == [
        ("Credits spent for", "2026-06", "2026-05", "2026-04", "earlier", "in all"),
        ("Crumbly", 7, 7, 0, 7, 21),
        ("Ably", 0, 0, 9, 0, 9),
        ("no row", 7, 0, 0, 0, 7),
        ("nobody named", 7, 0, 0, 0, 7),
        ("in all", 21, 7, 9, 7, 44),
    ]


@pytest.mark.parametrize(("clients", "shown"), [(7, 7), (8, 7), (40, 7)])
def test_the_table_of_clients_is_bounded(clients: int, shown: int) -> None:
    rows = [line(n, f"v{n}", client=f"client {n:02}") for n in range(2, clients + 2)]
    lines = spent(*[(f"v{n}", "2026-06-01", n) for n in range(2, clients + 2)], rows=rows)

    assert len(lines) == 1 + shown + 1
    assert (lines[-2][0] == "others") is (clients > 7)
    assert lines[-1] == ("in all", sum(range(2, clients + 2)), 0, 0, 0, sum(range(2, clients + 2)))
    assert sum(int(str(line[-1])) for line in lines[1:-1]) == lines[-1][-1]


def test_months_across_a_year() -> None:
    found = said(now=datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert [found[f"{column}14"] for column in "KLM"] == ["2026-01", "2025-12", "2025-11"]


def test_what_has_expired_the_latest_first() -> None:
    rows = [line(n, expires_at=at(NOW - timedelta(days=n)), paid_owner="Ann", client="c") for n in range(2, 12)]
    retired, running = line(20, expires_at=at(NOW), stage="retired"), line(21, expires_at=at(NOW + timedelta(1)))
    found = said(*rows, retired, running, line(22, expires_at=at(NOW)))

    assert table(found, "JKLM", range(24, 30))[:2] == [
        (NOW, None, None, "vid-22"),
        (NOW - timedelta(days=2), "Ann", "c", "vid-2"),
    ]
    assert len(table(found, "JKLM", range(24, 30))) == 6


def test_every_cell_lies_in_its_block() -> None:
    """But for the two formulas, and the cell that people type into: those are never written."""
    rows = [line(n, client=f"c{n}", paid_owner=f"o{n}", sync_note="x", expires_at=at(NOW)) for n in range(2, 40)]
    found = said(*rows, told=Told(5, "", tuple(Charge(f"vid-{n}", NOW, 7) for n in range(2, 40))))
    beside = {place for place in found if place[0] > "H"}

    assert figures.RANGE == "J1:O29"
    assert {place[0] for place in beside} == set("JKLMNO")
    assert not beside & {"L3", "L4", "K7"}
    assert all(1 <= int(place[1:]) <= 29 for place in beside)


def test_a_tab_without_the_block_has_none_of_it() -> None:
    """A tab of an earlier version, or people's own cells there."""
    ours = ((summary.title(TRACKER), *[""] * 8, "Our own figures"),)
    assert not {place for place in said(block=ours) if place[0] > "H"}


# --- in runs --------------------------------------------------------------------------------------------------


@pytest.fixture
def bench() -> InitBench:
    """A tracker after init, and its first run."""
    bench = InitBench()
    bench.init()
    bench.add_row(VIDEO, "request", creator="@mia", client="Crumbly")
    bench.add_row(OTHER, client="Ably")
    bench.sync()
    return bench


def now(bench: InitBench) -> Any:
    return pytest.approx(at(bench.clock.now()), abs=1e-5)


def test_a_quiet_run_writes_its_heartbeat_once_an_hour_and_nothing_else(bench: InitBench) -> None:
    first, before = bench.says("K3"), bench.summary.table()
    bench.later(minutes=59)
    assert bench.sync().sheets_write == 0
    bench.later(minutes=1, seconds=1)
    assert (bench.sync().sheets_write, bench.says("K3")) == (1, now(bench))
    bench.later(minutes=59)
    assert bench.sync().sheets_write == 0
    bench.summary.set_value(2, 10, first)
    assert bench.summary.table() == before


def test_the_heartbeat_goes_with_other_cells(bench: InitBench) -> None:
    bench.later(minutes=5)
    bench.add_row("vid-c")
    assert (bench.sync().sheets_write, bench.says("K3")) == (1, now(bench))


def test_a_clock_that_was_set_back_does_not_stop_the_heartbeat(bench: InitBench) -> None:
    bench.summary.set_value(2, 10, at(NOW + timedelta(days=400)))
    assert (bench.sync().sheets_write, bench.says("K3")) == (1, now(bench))


def test_the_last_good_run_is_told_where_the_last_one_is_not_it(bench: InitBench) -> None:
    """At once; and again that it is, once it is. A run that goes on failing writes no more than a quiet one."""
    good = bench.clock.now()
    assert bench.says("K4") == "the last one"
    bench.later(minutes=5)
    bench.add_row("vid-c", "request")
    bench.world.faults.add("portal.balance", fault="500", times=50)
    assert bench.sync().exit_code == 1
    assert bench.says("K4") == pytest.approx(at(good), abs=1e-3)
    bench.later(minutes=5)
    assert [(report.exit_code, report.sheets_write) for report in [bench.sync()]] == [(1, 0)]
    bench.later(minutes=5)
    bench.world.faults.clear()
    assert bench.sync().exit_code == 0
    assert bench.says("K4") == "the last one"


def test_what_was_spent_is_net_of_refunds(bench: InitBench) -> None:
    bench.type(OTHER, "action", "request")
    bench.later(minutes=5)
    bench.sync()
    assert [(bench.says(f"J{n}"), bench.says(f"O{n}")) for n in (15, 16, 17)] == [
        ("Ably", 7),
        ("Crumbly", 7),
        ("in all", 14),
    ]
    bench.world.portal.cancel(OTHER)
    bench.later(hours=1)
    bench.sync()
    assert [(bench.says(f"J{n}"), bench.says(f"O{n}")) for n in (15, 16, 17)] == [
        ("Crumbly", 7),
        ("in all", 7),
        (None, None),
    ]


def test_the_formulas_stay(bench: InitBench) -> None:
    """What makes an old run red no run writes: a dead one could not."""
    formulas = [bench.summary.value(2, 11), bench.summary.value(3, 11)]
    assert [type(formula) for formula in formulas] == [Formula, Formula]
    bench.later(hours=3)
    bench.sync()
    assert [bench.summary.value(2, 11), bench.summary.value(3, 11)] == formulas
    assert not any("," in str(formula).replace(", ", "") for formula in formulas)


# --- made by init ---------------------------------------------------------------------------------------------


def of_an_earlier_version(bench: InitBench) -> None:
    """The Summary tab as init made it before this block."""
    sheet = bench.summary
    wide = {"sheetId": sheet.sheet_id, "dimension": "COLUMNS", "startIndex": 8, "endIndex": sheet.column_count}
    bench.person({"deleteDimension": {"range": wide}})
    bench.person({"appendDimension": {"sheetId": sheet.sheet_id, "dimension": "COLUMNS", "length": 4}})


def test_a_tab_of_an_earlier_version_goes_on_and_is_completed_by_init(bench: InitBench) -> None:
    """Nothing is asked of anybody: runs go on, quiet ones without a write."""
    of_an_earlier_version(bench)
    bench.later(hours=2)
    assert bench.sync().sheets_write == 0
    bench.add_row("vid-c")
    assert (bench.sync().exit_code, bench.says("B5")) == (0, 3)
    assert bench.summary.columns_used <= 8

    assert any("room for 15 columns" in line for line in bench.init())
    bench.sync()
    assert (bench.says("J1"), bench.says("K3")) == ("Runs and credits of Tracker", now(bench))
    assert bench.init() == ["tracker acme: nothing is missing; nothing was changed"]


def test_what_people_keep_beside_the_first_block_is_theirs(bench: InitBench) -> None:
    """Neither a run nor init touches it; init says why something is not shown."""
    of_an_earlier_version(bench)
    bench.summary.set_value(4, 9, "our budget")
    bench.summary.set_value(4, 10, 900)
    bench.later(hours=2)
    bench.add_row("vid-c")
    bench.sync()
    lines = bench.init()

    assert "cells J1:O29 of tab 'Summary' are in use" in lines[-1]
    assert bench.summary.column_count == 12
    beside = [list(line[8:]) for line in bench.summary.table() if any(line[8:])]
    assert [[cell for cell in line if cell] for line in beside] == [["our budget", 900]]


@pytest.mark.parametrize(("chosen", "after"), [("ON_CHANGE", "HOUR"), ("MINUTE", "MINUTE"), ("HOUR", "HOUR")])
def test_ages_grow_where_nothing_changes(chosen: str, after: str) -> None:
    """The spreadsheet calculates every hour; what somebody chose is left."""
    bench = InitBench()
    bench.book.auto_recalc = chosen
    lines = bench.init()

    assert bench.book.auto_recalc == after
    assert any("calculated every hour" in line for line in lines) is (chosen == "ON_CHANGE")
