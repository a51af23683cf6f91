"""Which cells differ from what they should say, whether a write landed where it should, and the journal of writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.builders import NOW, SHEET, row, snapshot
from support.small_sheet import (
    BEFORE,
    BLANK,
    CLIENT,
    FOR_A,
    FOR_B,
    SPEND,
    STATUS,
    THEN,
    TICK,
    UPDATED,
    YAK,
    ZED,
    A,
    B,
    C,
    column,
    land,
)

from sheetsync.columns import BY_KEY, to_serial
from sheetsync.model import Row, Snapshot, Value
from sheetsync.projected import Target
from sheetsync.sheet.edits import Landed, Sent, SetCell, edits_for, key_at
from sheetsync.sheet.journal import from_journal, to_journal
from sheetsync.sheet.verification import landed_right, told_by


def wrote(of: Row, time_zone: str = "Etc/GMT", clear: bool = False, **values: Value) -> tuple[tuple[str, Value], ...]:
    """The cells that an edit is made for, by column key."""
    lines = [[of.cells.get(key, "") for key in SHEET]]
    sheet = snapshot(*lines, time_zone=time_zone)
    found = edits_for(sheet, [Target(replace(of, number=2), values, clear)], NOW)
    return tuple((SHEET[edit.column], edit.value) for edit in found)


class TestEdits:
    def test_the_difference_and_nothing_else(self) -> None:
        """Cells that say it already are not written; Updated at goes with those that are."""
        found = wrote(row(status="pending", spark_code="#A"), status="finalized", spark_code="#A", request_id="")
        assert found == (("status", "finalized"), ("updated_at", NOW))

    def test_nothing_to_say(self) -> None:
        """Updated at never changes alone."""
        assert wrote(row(status="pending", updated_at=to_serial(THEN, "Etc/GMT")), status="pending") == ()

    def test_a_mark_that_is_done_is_cleared(self) -> None:
        """With Updated at: it makes the write recognisable, should its answer be lost."""
        assert wrote(row(action="renew", status="pending"), clear=True, status="pending") == (
            ("action", ""),
            ("updated_at", NOW),
        )

    def test_a_cell_is_emptied(self) -> None:
        """The empty text empties it."""
        assert wrote(row(status="ordering"), status="")[0] == ("status", "")

    def test_where_it_goes(self) -> None:
        """The row's line, the column's place, and the key that should stand there."""
        (first, _) = edits_for(BEFORE, [Target(BEFORE.rows[1], {"status": "pending"})], NOW)
        assert first == SetCell(3, STATUS, "vid-b", "pending")

    @pytest.mark.parametrize(
        ("late", "count"),
        [(timedelta(), 0), (timedelta(milliseconds=900), 0), (timedelta(seconds=1), 2), (timedelta(seconds=-1), 2)],
    )
    def test_dates_are_compared_to_the_second(self, late: timedelta, count: int) -> None:
        """Serials are floats, and TokPortal's fractions of a second are not shown."""
        of = row(spark_code=to_serial(THEN, "Europe/Berlin"))  # any column serves: a cell is a cell
        assert len(wrote(of, "Europe/Berlin", spark_code=THEN + late)) == count

    def test_a_change_of_the_sheets_time_zone_writes_every_date_anew(self) -> None:
        """The same instant is another wall-clock time."""
        of = row(spark_code=to_serial(THEN, "Europe/Berlin"))
        assert len(wrote(of, "Asia/Kolkata", spark_code=THEN)) == 2

    def test_what_stands_in_the_hour_that_comes_twice_is_not_written_again(self) -> None:
        """Its second pass shows the same wall-clock time as the first."""
        second_pass = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        of = row(spark_code=to_serial(second_pass, "Europe/Berlin"))
        assert wrote(of, "Europe/Berlin", spark_code=second_pass) == ()


class TestCells:
    @pytest.mark.parametrize(("line", "column"), [(0, 0), (5, 0), (-1, 0), (2, 99), (2, -1)])
    def test_beyond_the_grid_is_empty(self, line: int, column: int) -> None:
        """Google leaves out trailing empty cells."""
        assert BEFORE.cell(line, column) == ""

    def test_the_key_of_a_line(self) -> None:
        """As the text that keys are compared by."""
        assert [key_at(BEFORE, line) for line in (2, 3, 9)] == ["vid-a", "vid-b", ""]


class TestLandedRight:
    def test_nothing_moved(self) -> None:
        """Each cell is in the row of its key and under its header."""
        landed, _ = land(FOR_A + FOR_B, BEFORE)
        assert landed_right(FOR_A + FOR_B, landed, BEFORE)

    def test_the_spelling_of_a_header_may_change(self) -> None:
        """A header is the same with other spaces and in another case."""
        headers = [str(header).upper() for header in BEFORE.headers]
        landed, _ = land(FOR_A, snapshot(A, B, C))
        assert landed_right(FOR_A, replace(landed, headers=headers), BEFORE)

    @pytest.mark.parametrize(
        "now",
        [
            pytest.param(snapshot(B, A, C), id="sorted"),
            pytest.param(snapshot(BLANK, A, B, C), id="row inserted"),
            pytest.param(snapshot(B, C), id="row deleted"),
            pytest.param(snapshot(), id="all rows deleted"),
            pytest.param(column(BEFORE, STATUS), id="column inserted"),
            pytest.param(column(BEFORE, CLIENT, None), id="column deleted"),
            pytest.param(column(BEFORE, UPDATED, None), id="last column deleted"),
        ],
    )
    def test_something_moved(self, now: Snapshot) -> None:
        """A cell that is not under its key and its header went astray."""
        landed, _ = land(FOR_A, now)
        assert not landed_right(FOR_A, landed, BEFORE)

    def test_the_header_of_the_key_is_gone(self) -> None:
        """Nothing can be said of any row."""
        landed, _ = land(FOR_A, BEFORE)
        assert not landed_right(FOR_A, replace(landed, headers=["", *SHEET[1:]]), BEFORE)

    def test_the_answer_does_not_tell_the_line(self) -> None:
        """What is not seen is not right."""
        assert not landed_right(FOR_A, Landed(BEFORE.headers, {}), BEFORE)

    def test_rows_with_one_key_that_changed_places(self) -> None:
        """The key does not tell them apart: what people wrote into them does."""
        twin = ("vid-a", "request", "Acme's other", *A[3:])
        before = snapshot(A, twin, C)
        for now, right in ((before, True), (snapshot(twin, A, C), False)):
            assert landed_right(FOR_A, land(FOR_A, now)[0], before) is right

    def test_lines_without_a_key(self) -> None:
        """What is emptied there looks as any blank line does: only a read tells that it was the right one."""
        written = (SetCell(3, TICK, "", ""),)
        assert not landed_right(written, land(written, snapshot(A, ZED, YAK))[0], snapshot(A, ZED, YAK))

    def test_rows_with_one_key_and_nothing_else(self) -> None:
        """Nothing tells them apart, so nothing is wrong."""
        bare = ("vid-a", "request")
        before = snapshot(bare, bare)
        assert landed_right(FOR_A, land(FOR_A, before)[0], before)

    def test_below_the_write_all_may_move(self) -> None:
        """Only what was written counts."""
        landed, _ = land(FOR_A, snapshot(A, C))
        assert landed_right(FOR_A, landed, BEFORE)


class TestToldBy:
    def test_a_row_above_the_headers(self) -> None:
        """The answer shows a blank line where they stood: they are as they were read, and the row hit is known."""
        landed, _ = land(FOR_B, snapshot(BEFORE.headers, A, B, C, headers=[""] * len(BEFORE.headers)))
        told = told_by(landed, FOR_B, BEFORE)
        assert told
        assert (told.headers, told.rows) == (BEFORE.headers, landed.rows)

    def test_an_answer_without_what_was_written(self) -> None:
        """It tells of no write of ours."""
        assert told_by(Landed(BEFORE.headers, {3: BEFORE.grid[2]}), FOR_B, BEFORE) is None


class TestJournal:
    def test_writes_come_back_from_the_journal(self) -> None:
        """What a killed run had begun, the reads that it was made from, and where it landed, if that was seen."""
        landed, _ = land(FOR_B, BEFORE)
        written = (
            *FOR_A,
            SetCell(3, TICK, "vid-b", False),
            SetCell(3, SPEND, "vid-b", 3.5),
            SetCell(4, STATUS, "vid-c", "Ω"),
        )
        first, second = from_journal(to_journal([Sent(FOR_B, landed, BEFORE), Sent(written, None, BEFORE)]))
        assert (first.edits, second.edits, second.landed) == (FOR_B, written, None)
        assert first.landed
        assert landed_right(FOR_B, first.landed, BEFORE)
        assert [type(edit.value) for edit in second.edits] == [type(edit.value) for edit in written]
        same = ("grid", "columns", "time_zone", "rows", "read_at")
        assert [getattr(second.before, name) for name in same] == [getattr(BEFORE, name) for name in same]


def test_the_columns_of_these_tests_are_the_programs() -> None:
    """The sheet of this file uses real headers."""
    assert [BY_KEY[key].header for key in SHEET] == list(BEFORE.headers)
