"""What is put back when people sort, insert or delete between our read and our write, and which marks are owed."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bench import PERSON, Bench
from support.builders import NOW, snapshot
from support.small_sheet import (
    ACTION,
    BEFORE,
    BLANK,
    CLIENT,
    CODE,
    FOR_A,
    FOR_B,
    ID,
    KEY,
    SPEND,
    STATUS,
    TICK,
    UPDATED,
    YAK,
    ZED,
    A,
    B,
    C,
    Line,
    column,
    land,
)

from sheetsync.columns import BY_KEY, MACHINE_KEYS, header_of, rows_of, says, to_serial
from sheetsync.model import Snapshot
from sheetsync.projected import Target
from sheetsync.sheet.edits import ClearMark, Edit, Landed, Sent, SetCell, edits_for
from sheetsync.sheet.journal import from_journal, to_journal
from sheetsync.sheet.landing import seen_since
from sheetsync.sheet.repair import cells_to_restore, merged, repaired, repairs_for

Write = Callable[[Sequence[Edit], Snapshot], tuple[Landed | None, Snapshot]]

OTHER = "My Client"
RENAMED = ((OTHER, OTHER, "Client"), (OTHER, "Client", "Client"), ("Client", OTHER, "Client"), ("Client", OTHER, OTHER))
"""How a column was called as the sheet was read, as a write landed, and since."""


def test_the_calls_of_a_write_keep_one_read() -> None:
    """A tab of thousands of rows is in the journal once, however many calls a write took."""
    many = snapshot(*([f"vid-{n}", *A[1:CLIENT], f"{n**9:x}", *A[CLIENT + 1 :]] for n in range(3000)))
    landed, _ = land(FOR_A, many)
    calls = [Sent(FOR_A, landed, many), Sent(FOR_B, None, many)]
    text = to_journal(calls)
    again = from_journal(text)
    assert len(text) < 1.2 * len(to_journal(calls[1:]))
    assert [sent.edits for sent in again] == [FOR_A, FOR_B]
    assert [sent.before.grid for sent in again] == [tuple(map(tuple, many.grid))] * 2
    assert again[0].before is again[1].before


def test_a_journal_is_much_smaller_than_the_tab() -> None:
    """What people fill in says much of the same from row to row."""
    many = snapshot(*([f"vid-{n}", *A[1:]] for n in range(3000)))
    assert len(to_journal([Sent(FOR_A, None, many)])) < len(json.dumps(many.grid)) / 4


def test_a_journal_that_an_earlier_version_wrote() -> None:
    """It wrote what is packed now as it is: a program that is renewed after a kill reads it."""
    landed, _ = land(FOR_A, BEFORE)
    text = to_journal([Sent(FOR_A, landed, BEFORE), Sent(FOR_B, None, BEFORE)])
    earlier = zlib.decompress(b64decode(text)).decode()
    assert earlier.startswith('[{"grid": [["Video ID", "Action", ')
    assert from_journal(earlier) == from_journal(text)


REPAIRS = st.lists(
    st.builds(
        SetCell,
        st.integers(2, 4),
        st.integers(0, len(BEFORE.headers) + 1),
        st.just("vid-a"),
        st.sampled_from(["", "x", True, NOW]),
    ),
    max_size=5,
)


@given(repairs=REPAIRS)
def test_a_repaired_sheet_reads_as_if_it_had_been_read_so(repairs: list[SetCell]) -> None:
    """Its rows are those of its lines; of thousands only those that are repaired are made anew."""
    whole = repaired(BEFORE, repairs)
    assert [len(line) for line in whole.grid[:1]] == [len(BEFORE.headers)]
    assert whole.rows == rows_of(whole.grid, BEFORE.columns)
    said = {(edit.row, edit.column): edit.value for edit in repairs}
    assert all(says(whole.cell(*place), value, BEFORE.time_zone) for place, value in said.items())
    touched = {edit.row for edit in repairs}
    assert all(row in BEFORE.rows for row in whole.rows if row.number not in touched)


def restored(sent: Sent, after: Snapshot) -> tuple[Edit, ...]:
    """What is put back of a write, by a read made since."""
    return cells_to_restore(seen_since(sent, after), after)


def owed(writes: Sequence[Sent], after: Snapshot) -> tuple[Edit, ...]:
    """What several writes still owe."""
    return repairs_for(writes, after)[1]


def lost(written: Sequence[Edit], on: Snapshot) -> tuple[None, Snapshot]:
    """The same, but the answer did not come back."""
    return None, land(written, on)[1]


def mend(written: Sequence[Edit], landed: Landed | None, after: Snapshot) -> Mapping[str, Line]:
    """The lines by key, once what went astray is put back."""
    whole = repaired(after, restored(Sent(written, landed, BEFORE), after))
    return {found.key: whole.grid[found.number - 1] for found in whole.rows}


def called(name: str, sheet: Snapshot) -> Snapshot:
    """The sheet with another header above its clients."""
    return snapshot(
        *sheet.grid[1:], headers=[name if n == CLIENT else header for n, header in enumerate(sheet.headers)]
    )


def in_order(order: Sequence[int], sheet: Snapshot) -> Snapshot:
    """The sheet with its columns in another order."""
    headers, *lines = ([line[n] for n in order] for line in sheet.grid)
    return snapshot(*lines, headers=headers)


def differences(one: Snapshot, other: Snapshot) -> set[tuple[int, int]]:
    """Line and column of the cells that differ."""
    width = max(map(len, (*one.grid, *other.grid)))
    places = [(line, index) for line in range(1, len(BEFORE.grid) + 1) for index in range(width)]
    return {place for place in places if one.cell(*place) != other.cell(*place)}


@pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
class TestNothingMoved:
    def test_nothing_is_put_back(self, write: Write) -> None:
        """Each cell is in the row of its key and under its header."""
        landed, after = write(FOR_A + FOR_B, BEFORE)
        assert owed([Sent(FOR_A + FOR_B, landed, BEFORE)], after) == ()


@pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
class TestRowsMoved:
    """Rows moved between read and write: what was hit is put back, the mark included."""

    def test_sorted(self, write: Write) -> None:
        """The row that stands there now gets its own cells back."""
        landed, after = write(FOR_A, snapshot(B, C, A))
        assert mend(FOR_A, landed, after) == {"vid-a": A, "vid-b": B, "vid-c": C}

    def test_sorted_again_since(self, write: Write) -> None:
        """The row that was hit is found wherever it stands now."""
        landed, after = write(FOR_A, snapshot(B, C, A))
        again = snapshot(*(after.grid[n] for n in (2, 3, 1)))
        assert mend(FOR_A, landed, again) == {"vid-a": A, "vid-b": B, "vid-c": C}

    def test_a_row_inserted_above(self, write: Write) -> None:
        """A blank line that was hit is blank again."""
        landed, after = write(FOR_A, snapshot(BLANK, A, B, C))
        whole = repaired(after, restored(Sent(FOR_A, landed, BEFORE), after))
        assert whole.grid[1:] == (BLANK, A, B, C)

    def test_a_row_with_a_key_of_its_own_inserted_above(self, write: Write) -> None:
        """Where no cell was before, nothing was in it."""
        landed, after = write(FOR_A, snapshot(("vid-new",), A, B, C))
        assert mend(FOR_A, landed, after)["vid-new"] == ("vid-new", *BLANK[1:])

    def test_the_row_deleted(self, write: Write) -> None:
        """The next row moved up and was hit."""
        landed, after = write(FOR_A, snapshot(B, C))
        assert mend(FOR_A, landed, after) == {"vid-b": B, "vid-c": C}

    def test_the_last_row_deleted(self, write: Write) -> None:
        """The write landed below everything: that line is blank again."""
        written = (SetCell(4, STATUS, "vid-c", "finalized"), SetCell(4, UPDATED, "vid-c", NOW))
        landed, after = write(written, snapshot(A, B))
        assert mend(written, landed, after) == {"vid-a": A, "vid-b": B, "": BLANK[:STATUS] + ("",) * 4} or (
            mend(written, landed, after) == {"vid-a": A, "vid-b": B}
        )

    @pytest.mark.parametrize("left", [(A,), (A, BLANK)], ids=["at the end", "a blank line stands there"])
    def test_the_row_that_was_hit_is_deleted_since(self, write: Write, left: Sequence[Line]) -> None:
        """Nothing of it is written into the line where it was."""
        before = snapshot(B, A)
        written = (SetCell(3, CODE, "vid-a", ""), SetCell(3, STATUS, "vid-a", ""))
        landed, _ = write(written, snapshot(A, B))
        assert restored(Sent(written, landed, before), snapshot(*left)) == ()

    def test_a_cell_that_a_person_has_changed_since_is_left_alone(self, write: Write) -> None:
        """What no longer holds what we wrote is not ours to change."""
        landed, after = write(FOR_A, snapshot(B, A, C))
        touched = snapshot(*(after.grid[n] for n in (1, 2, 3)))
        person = replace(touched, grid=(touched.grid[0], ("vid-b", "correct", *touched.grid[1][2:]), *touched.grid[2:]))
        found = {(edit.row, edit.column) for edit in restored(Sent(FOR_A, landed, BEFORE), person)}
        assert (2, ACTION) not in found
        assert found or landed is None  # without an answer a row that no longer carries all of it cannot be known

    def test_a_cell_that_said_the_same_before_is_not_written(self, write: Write) -> None:
        """Nothing to put back."""
        written = (SetCell(2, STATUS, "vid-a", "in_review"), SetCell(2, UPDATED, "vid-a", NOW))
        landed, after = write(written, snapshot(C, B, A))
        assert [(edit.row, edit.column) for edit in restored(Sent(written, landed, BEFORE), after)] == [(2, UPDATED)]

    def test_two_rows_that_changed_places(self, write: Write) -> None:
        """Each stands with the other's cells: what is the same for both stands where it should."""
        landed, after = write(FOR_A + FOR_B, snapshot(B, A, C))
        found = restored(Sent(FOR_A + FOR_B, landed, BEFORE), after)
        assert found == (SetCell(2, ID, "vid-b", "R7"),)

    def test_two_rows_rightly_given_the_same(self, write: Write) -> None:
        """A value that landed in its own row is no other row's, though it is the same."""
        written = (*FOR_B, *(SetCell(4, edit.column, "vid-c", edit.value) for edit in FOR_B))
        landed, after = write(written, BEFORE)
        assert restored(Sent(written, landed, BEFORE), after) == ()


def test_the_keys_header_was_gone_as_a_write_landed() -> None:
    """Rows that moved are known by all else that they say, and what was hit in one is put back."""
    landed, after = land(FOR_A, snapshot(B, A, C))
    found = restored(Sent(FOR_A, replace(landed, headers=["", *landed.headers[1:]]), BEFORE), after)
    assert strays(BEFORE, {}, repaired(after, found)) == set()


class TestTwins:
    def test_of_rows_with_one_key_the_nth_is_the_nth(self) -> None:
        """A twin that was hit gets back what that twin said."""
        second = ("vid-b", "", "other", "", "", "cancelled", "", "R0", "")
        before = snapshot(A, B, second)
        landed, after = land(FOR_A, snapshot(B, second, A))
        found = restored(Sent(FOR_A, landed, before), after)
        assert {edit.value for edit in found if edit.column == STATUS} == {"finalized"}

    def test_each_keeps_its_own_mark(self) -> None:
        """Two rows with one key and one mark changed places, and one of the marks was done: the other comes back."""
        first, second = ("vid-a", "renew", "Acme", True, 1), ("vid-a", "renew", "Other", True, 2)
        written = (ClearMark(2, ACTION, "vid-a", "renew"), SetCell(2, UPDATED, "vid-a", NOW))
        landed, after = land(written, snapshot(second, first))
        found = repaired(after, restored(Sent(written, landed, snapshot(first, second)), after))
        assert [of.text("action") for of in found.rows] == ["renew", "renew"]

    def test_more_twins_than_before(self) -> None:
        """A copy that a person made since does not keep the row that was hit from being put back."""
        landed, after = land(FOR_A, snapshot(B, A, C))
        copied = snapshot(*after.grid[1:], after.grid[1])
        found = restored(Sent(FOR_A, landed, BEFORE), copied)
        assert (2, "finalized") in [(edit.row, edit.value) for edit in found if edit.column == STATUS]

    def test_one_of_two_that_were_hit_is_typed_over_since(self) -> None:
        """Each gets its own back: what is left of the two does not answer for the other."""
        first, second = ("vid-a", "", "Acme", True, 1), ("vid-a", "", "Other", False, 2)
        before = snapshot(first, second)
        written = tuple(SetCell(row, STATUS, "vid-a", "pending") for row in (2, 3))
        landed, after = land(written, column(before, SPEND))
        typed = snapshot(after.grid[1], ("vid-z", *after.grid[2][1:]), headers=after.headers)
        whole = repaired(typed, restored(Sent(written, landed, before), typed))
        assert [line[SPEND + 1] for line in whole.grid[1:]] == [1, 2]

    def test_a_later_write_hit_one_of_two_that_were_hit(self) -> None:
        """What the first write took from it comes back, though by now the other looks more like what was seen of it."""
        first, second = ("vid-b", *B[1:]), ("vid-b", "", "Other", False, 2, *B[STATUS:])
        before, told = snapshot(C, first, second), {CODE: "#N", ID: "R9", UPDATED: NOW}
        written = [SetCell(row, at, "vid-b", value) for row in (3, 4) for at, value in told.items()]
        written.append(SetCell(3, STATUS, "vid-b", ""))
        landed, after = land(written, column(before, TICK))
        rounds = [Sent(tuple(written), landed, before)]
        again = merged([replace(edit, column=edit.column + 1) for edit in written], owed(rounds, after))
        # a row above the headers comes and goes: what was meant for a row is in the one before
        _, last = land([replace(edit, row=edit.row - 1) for edit in again], after)
        rounds.append(Sent(again, Landed(after.headers, {3: last.grid[1], 4: last.grid[2]}), after))
        whole = repaired(last, owed(rounds, last))
        assert [line[SPEND + 1] for line in whole.grid[1:]] == [C[SPEND], first[SPEND], second[SPEND]]

    def test_a_twin_under_its_own_key_is_not_astray(self) -> None:
        """Twins show the same."""
        before = snapshot(B, B)
        written = (SetCell(2, STATUS, "vid-b", "pending"), SetCell(3, STATUS, "vid-b", "pending"))
        landed, after = land(written, before)
        assert restored(Sent(written, landed, before), after) == restored(Sent(written, None, before), after) == ()


class TestRowsAlike:
    """Two videos' rows that say the same in all that people write; the first one's key is gone after a write."""

    LIKE_A = ("vid-b", *A[ACTION:STATUS], *B[STATUS:])

    def whole(self, moved: Snapshot, *left: int) -> Sequence[Line]:
        """The lines, put right: a write for the first row landed in what people had made of the sheet, and they have
        left some of its rows since."""
        before = snapshot(A, self.LIKE_A)
        landed, after = land(FOR_A, moved)
        now = snapshot(*(after.grid[number - 1] for number in left))
        return repaired(now, restored(Sent(FOR_A, landed, before), now)).grid[1:]

    def test_one_was_sorted_to_the_place_of_the_other_which_was_deleted(self) -> None:
        """It gets its own back, and nothing of the other's: its key was not typed over."""
        assert self.whole(snapshot(self.LIKE_A, A), 2) == (self.LIKE_A,)

    def test_one_was_pasted_over_the_other(self) -> None:
        """The copy is a copy of it, to the last cell."""
        assert self.whole(snapshot(self.LIKE_A, self.LIKE_A), 2, 3) == (self.LIKE_A, self.LIKE_A)

    @pytest.mark.parametrize("left", [(2,), (2, 3)], ids=["the other is gone", "the other stands"])
    def test_one_was_given_the_key_of_the_other(self, left: Sequence[int]) -> None:
        """By its key it is the other's: what landed there is that one's again."""
        typed, like = ("vid-b", *A[ACTION:]), self.LIKE_A
        assert self.whole(snapshot(typed, like), *left)[0] == (*like[:CODE], typed[CODE], *like[ID:])


class TestKeylessLines:
    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_line_whose_key_is_still_to_come_gets_its_own_back(self, write: Write) -> None:
        """The mark in it included: a person is typing that row."""
        before = snapshot(A, B, YAK)
        landed, after = write(FOR_A, snapshot(YAK, A, B))
        assert repaired(after, restored(Sent(FOR_A, landed, before), after)).grid[1:] == (YAK, A, B)

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_of_several_each_gets_its_own_back(self, write: Write) -> None:
        """A line is known by what people wrote into it, not by one tick that many lines share."""
        before = snapshot(A, ZED, YAK)
        landed, after = write(FOR_A, snapshot(YAK, ZED, A))
        assert repaired(after, restored(Sent(FOR_A, landed, before), after)).grid[1:] == (YAK, ZED, A)

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_key_typed_since_into_the_blank_line_that_was_hit(self, write: Write) -> None:
        """That line is another row now; what we wrote into it goes all the same."""
        landed, after = write(FOR_A, snapshot(BLANK, A, B))
        typed = snapshot(("vid-z", *after.grid[1][1:]), *after.grid[2:])
        found = repaired(typed, restored(Sent(FOR_A, landed, BEFORE), typed))
        assert found.grid[1:] == (("vid-z", *BLANK[1:]), A, B)

    def test_a_write_of_nothing_but_empty_cells_is_not_recognised(self) -> None:
        """Every blank line carries it: nothing is put back on a guess."""
        written = (SetCell(2, STATUS, "vid-a", ""), SetCell(2, ACTION, "vid-a", ""))
        _, after = lost(written, snapshot(BLANK, A, B, C))
        assert restored(Sent(written, None, BEFORE), after) == ()


class TestColumnsMoved:
    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("at", [KEY, ACTION, CLIENT, SPEND, STATUS, CODE, UPDATED])
    def test_a_column_inserted(self, at: int, write: Write) -> None:
        """Cells under other headers get back what stood there: text, a checkbox, a number; the new one is empty."""
        landed, after = write(FOR_A, column(BEFORE, at))
        whole = repaired(after, restored(Sent(FOR_A, landed, BEFORE), after))
        expected = column(BEFORE, at)
        kept = {(2, edit.column) for edit in FOR_A if edit.column < at} | {(2, expected.columns["updated_at"])}
        assert differences(whole, expected) <= kept

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("at", [CLIENT, TICK, SPEND])
    def test_a_column_deleted(self, at: int, write: Write) -> None:
        """What moved left and was hit is put back; beyond the last column it is empty again."""
        landed, after = write(FOR_A, column(BEFORE, at, None))
        whole = repaired(after, restored(Sent(FOR_A, landed, BEFORE), after))
        expected = column(BEFORE, at, None)
        assert differences(whole, expected) <= {(2, ACTION), (2, expected.columns["updated_at"])}

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_column_renamed_in_its_place(self, write: Write) -> None:
        """It is the column that was meant: a person's cell that was being put back is not emptied for its new name."""
        written = (SetCell(2, CLIENT, "vid-a", "Acme Ltd"), SetCell(2, UPDATED, "vid-a", NOW))
        renamed = ["My Client" if n == CLIENT else header for n, header in enumerate(BEFORE.headers)]
        landed, after = write(written, snapshot(A, B, C, headers=renamed))
        assert owed([Sent(written, landed, BEFORE)], after) == ()

    def test_a_column_renamed_as_another_row_was_hit_and_renamed_back(self) -> None:
        """Its cell is put back under the name of before: the one that the answer showed is nowhere now."""
        renamed = ["My Client" if n == CLIENT else header for n, header in enumerate(BEFORE.headers)]
        written = (SetCell(2, CLIENT, "vid-a", "Acme Ltd"), SetCell(2, UPDATED, "vid-a", NOW))
        landed, after = land(written, snapshot(B, A, C, headers=renamed))
        back = replace(after, grid=(BEFORE.grid[0], *after.grid[1:]))
        assert repaired(back, restored(Sent(written, landed, BEFORE), back)).grid[1:] == (B, A, C)

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("names", RENAMED, ids=" ".join)
    @pytest.mark.parametrize("at", range(ACTION, UPDATED))
    @pytest.mark.parametrize("moved", [CLIENT, ID, STATUS])
    def test_a_column_moved_and_one_renamed(self, moved: int, at: int, names: Sequence[str], write: Write) -> None:
        """What people wrote is put back under whatever name it has since: it is not emptied, nor left overwritten."""
        before, then, since = (called(name, BEFORE) for name in names)
        order = [n for n in range(len(BEFORE.headers)) if n != moved]
        order.insert(at, moved)
        landed, after = write(FOR_A, in_order(order, then))
        now = snapshot(*after.grid[1:], headers=in_order(order, since).headers)
        whole = repaired(now, restored(Sent(FOR_A, landed, before), now))
        assert [whole.cell(2, order.index(n)) for n in (CLIENT, TICK, SPEND)] == ["Acme", True, 12.5]

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("names", RENAMED, ids=" ".join)
    @pytest.mark.parametrize("at", range(ACTION, UPDATED))
    def test_a_column_that_came_and_one_renamed(self, at: int, names: Sequence[str], write: Write) -> None:
        """Which of two new names is the old column's, its other rows tell; the column that came is empty again."""
        before, then, since = (called(name, BEFORE) for name in names)
        wide = column(then, at, "New")
        landed, after = write(FOR_A, wide)
        now = snapshot(*after.grid[1:], headers=column(since, at, "New").headers)
        whole = repaired(now, restored(Sent(FOR_A, landed, before), now))
        people = [n for n in range(len(wide.headers)) if n == at or n - (n > at) in (CLIENT, TICK, SPEND)]
        assert [whole.cell(2, n) for n in people] == [wide.cell(2, n) for n in people]

    def test_two_columns_renamed_and_one_moved_past_the_other(self) -> None:
        """By the time it is read they have their names again: each stands where its new name stood."""
        order = [KEY, ACTION, TICK, STATUS, CODE, SPEND, CLIENT, ID, UPDATED]
        now = in_order(order, BEFORE)
        names = {"Client": OTHER, "Spend": "My Spend"}
        then = snapshot(*now.grid[1:], headers=[names.get(str(header), header) for header in now.headers])
        landed, after = land(FOR_A, then)
        again = snapshot(*after.grid[1:], headers=now.headers)
        whole = repaired(again, restored(Sent(FOR_A, landed, BEFORE), again))
        assert [whole.cell(2, order.index(n)) for n in (CLIENT, TICK, SPEND)] == ["Acme", True, 12.5]

    @pytest.mark.parametrize("at", [ACTION, CLIENT, TICK, SPEND, STATUS])
    def test_a_column_deleted_and_another_one_that_came(self, at: int) -> None:
        """Its other rows say nothing of what the one said that is gone: it is no new name, and is empty again."""
        without = column(BEFORE, CLIENT, None)
        headers = ["New" if n == at else header for n, header in enumerate(column(without, at).headers)]
        wide = snapshot(*column(without, at).grid[1:], headers=headers)
        _, after = lost(FOR_A, wide)
        whole = repaired(after, restored(Sent(FOR_A, None, BEFORE), after))
        assert [line[at] for line in whole.grid[1:]] == ["", "", ""]

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_clearing_never_hits_the_key(self, write: Write) -> None:
        """A Video ID belongs to a person: a mark is cleared by comparing, wherever the columns have moved."""
        landed, after = write(FOR_A, column(BEFORE, KEY))
        found = restored(Sent(FOR_A, landed, BEFORE), after)
        assert after.cell(2, KEY + 1) == "vid-a"
        assert KEY + 1 not in {edit.column for edit in found}

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_row_of_nothing_but_a_key_that_was_overwritten(self, write: Write) -> None:
        """Nothing else tells which row it was: the one that stood in that line."""
        keys = ("video_id", "status", "request_id", "action", "updated_at")
        before = snapshot(("vid-a",), ("vid-b",), keys=keys)
        written = (SetCell(3, 1, "vid-b", "pending"), SetCell(3, 2, "vid-b", "R1"), SetCell(3, 4, "vid-b", NOW))
        landed, after = write(written, column(before, 0))
        found = repaired(after, owed([Sent(written, landed, before)], after))
        assert [of.key for of in found.rows] == ["vid-a", "vid-b"]
        assert {"pending", "R1"}.isdisjoint(found.grid[2])

    def test_checkbox_and_number_are_put_back_as_they_were(self) -> None:
        """Not as text, and TRUE is not 1."""
        written = (SetCell(2, SPEND, "vid-a", "x"), SetCell(2, STATUS, "vid-a", "y"))
        landed, after = land(written, column(BEFORE, CLIENT))
        found = {edit.column: edit.value for edit in restored(Sent(written, landed, BEFORE), after)}
        assert found == {SPEND: True, STATUS: 12.5}
        assert found[SPEND] is True

    @pytest.mark.parametrize("value", [True, False, 12.5, 3.0, 3, "text", NOW], ids=repr)
    def test_a_put_back_that_went_astray_itself_is_recognised(self, value: bool | float | str | datetime) -> None:
        """Put-backs may be any scalar; they are verified like every write."""
        written = (SetCell(2, SPEND, "vid-a", value),)
        landed, after = land(written, snapshot(C, B, A))
        assert restored(Sent(written, landed, BEFORE), after) == (SetCell(2, SPEND, "vid-c", ""),)

    def test_a_checkbox_is_not_the_number_one(self) -> None:
        """A person typed 1 where we had put TRUE: theirs stays."""
        written = (SetCell(2, SPEND, "vid-a", True),)
        landed, _ = land(written, snapshot(C, B, A))
        _, typed = land((SetCell(2, SPEND, "vid-a", 1.0),), snapshot(C, B, A))
        assert restored(Sent(written, landed, BEFORE), typed) == ()

    @pytest.mark.parametrize(("number", "ticked"), [(1, True), (0, False)])
    def test_a_checkbox_that_was_hit_by_a_one_is_put_back(self, number: int, ticked: bool) -> None:
        """TRUE is not 1, though Python says so."""
        before = snapshot(("vid-a", "", "", "", number), ("vid-b", "", "", "", ticked))
        written = (SetCell(2, SPEND, "vid-a", number),)
        landed, after = land(written, snapshot(*before.grid[:0:-1]))
        (found,) = restored(Sent(written, landed, before), after)
        assert found.value is ticked

    def test_a_column_that_is_gone_again(self) -> None:
        """What was written into a column that nobody finds any more cannot be put back, and need not be."""
        landed, after = land(FOR_A, column(BEFORE, STATUS, "Ours"))
        gone = column(after, STATUS, None)
        found = restored(Sent(FOR_A, landed, BEFORE), gone)
        assert STATUS not in {edit.column for edit in found}
        assert {edit.column: edit.value for edit in found} == {CODE: "", ID: ""}

    def test_a_nameless_column_that_was_hit_and_filled_since(self) -> None:
        """Without a header it can be found only where it was."""
        landed, after = land(FOR_A, column(BEFORE, STATUS))
        named = snapshot(*after.grid[1:], headers=[*after.headers[:STATUS], "Theirs", *after.headers[STATUS + 1 :]])
        assert STATUS not in {edit.column for edit in restored(Sent(FOR_A, landed, BEFORE), named)}


class TestKilledRuns:
    def test_a_killed_run_that_hit_the_wrong_row_is_put_right_by_the_next(self) -> None:
        """The sheet was sorted in between, and nobody saw the end of the write."""
        rounds = from_journal(to_journal([Sent(FOR_A, None, BEFORE)]))
        _, after = lost(FOR_A, snapshot(B, A, C))
        assert repaired(after, owed(rounds, after)).grid[1:] == (B, A, C)

    def test_a_killed_run_that_wrote_nothing_leaves_nothing_to_put_back(self) -> None:
        """The write never arrived."""
        rounds = from_journal(to_journal([Sent(FOR_A, None, BEFORE)]))
        assert owed(rounds, snapshot(B, A, C)) == ()

    def test_a_row_that_somebody_has_changed_since_gets_its_own_back(self) -> None:
        """A column moved, and another machine rewrote a cell: most of what was written tells that the row was hit."""
        landed, after = lost(FOR_A, column(BEFORE, CLIENT))
        _, changed = land((SetCell(2, after.columns["spark_code"], "vid-a", "#later"),), after)
        spoiled = snapshot(*changed.grid[1:], headers=changed.headers)
        whole = repaired(spoiled, owed([Sent(FOR_A, landed, BEFORE)], spoiled))
        assert whole.grid[1][CLIENT : SPEND + 2] == ("", "Acme", True, 12.5)

    def test_a_row_that_another_machine_has_written_since_gets_its_own_back(self) -> None:
        """Its stamp is newer, but no machine means a status for Spend, or an instant for Request ID."""
        _, after = lost(FOR_A, column(BEFORE, CLIENT))
        _, newer = land((SetCell(2, UPDATED + 1, "vid-a", NOW + timedelta(minutes=5)),), after)
        newer = snapshot(*newer.grid[1:], headers=after.headers)
        whole = repaired(newer, owed([Sent(FOR_A, None, BEFORE)], newer))
        assert whole.grid[1][CLIENT:-1] == ("", *A[CLIENT:-1])

    @pytest.mark.parametrize(("shows", "mark"), [(A[ID], A[ACTION]), ("request-2", "ordering")], ids=["same", "other"])
    def test_a_mark_that_was_overwritten_in_a_row_that_another_machine_has_written(self, shows: str, mark: str) -> None:
        """It comes back as long as the row shows the request it was made for: who serves a mark shows another one."""
        written = (SetCell(2, CLIENT, "vid-a", "ordering"), SetCell(2, UPDATED, "vid-a", NOW))
        _, after = lost(written, column(BEFORE, KEY))
        newer = (SetCell(2, ID + 1, "vid-a", shows), SetCell(2, UPDATED + 1, "vid-a", NOW + timedelta(minutes=5)))
        spoiled = snapshot(*land(newer, after)[1].grid[1:], headers=after.headers)
        whole = repaired(spoiled, owed([Sent(written, None, BEFORE)], spoiled))
        assert (spoiled.cell(2, ACTION + 1), whole.cell(2, ACTION + 1)) == ("ordering", mark)

    def test_another_machine_has_written_the_same_since_where_it_belongs(self) -> None:
        """Its words do not tell where ours landed: those that nobody means in their column do."""
        rows = ((2, "vid-a"), (3, "vid-b"))
        written = [SetCell(row, *cell) for row, key in rows for cell in ((STATUS, key, key), (UPDATED, key, NOW))]
        _, hit = lost(written, column(BEFORE, CLIENT))
        newer = to_serial(NOW + timedelta(minutes=5), "Etc/GMT")
        mine = (*hit.grid[1][: STATUS + 1], "vid-a", *hit.grid[1][CODE + 1 : -1], newer)
        theirs = (*B[:CLIENT], "", *B[CLIENT:STATUS], "vid-b", *B[CODE:UPDATED], newer)
        spoiled = snapshot(mine, theirs, hit.grid[3], headers=hit.headers)
        whole = repaired(spoiled, owed([Sent(tuple(written), None, BEFORE)], spoiled))
        assert whole.grid[1:3] == ((*A[:CLIENT], "", *A[CLIENT:STATUS], "vid-a", *A[CODE:UPDATED], newer), theirs)

    def test_another_machine_has_written_into_the_row_of_another_video_that_was_hit(self) -> None:
        """Its stamp is newer, but what it left there is no word of that video: no row shows another one's code."""
        written = (SetCell(2, CODE, "vid-a", "#A"), SetCell(2, STATUS, "vid-a", "in_review"), FOR_A[-1])
        _, after = lost(written, snapshot(B, A, C))
        _, newer = land((SetCell(2, UPDATED, "vid-b", NOW + timedelta(minutes=5)),), after)
        whole = repaired(newer, owed([Sent(written, None, BEFORE)], newer))
        assert whole.grid[1][:UPDATED] == B[:UPDATED]

    def test_another_machine_has_left_one_cell_of_what_hit_another_video(self) -> None:
        """It has written the rest of that row anew, and what we meant where it belongs: one cell tells."""
        written = (SetCell(2, CODE, "vid-a", "#A"), SetCell(2, STATUS, "vid-a", "in_review"), FOR_A[1], FOR_A[-1])
        _, after = lost(written, snapshot(B, A, C))
        later = NOW + timedelta(minutes=5)
        theirs = (
            SetCell(2, STATUS, "vid-b", B[STATUS]),
            SetCell(2, ID, "vid-b", B[ID]),
            SetCell(2, UPDATED, "", later),
        )
        meant = (*(SetCell(3, e.column, "vid-a", e.value) for e in written[:3]), SetCell(3, UPDATED, "vid-a", later))
        _, newer = land((*theirs, *meant), after)
        whole = repaired(newer, owed([Sent(written, None, BEFORE)], newer))
        assert whole.grid[1][:UPDATED] == B[:UPDATED]
        assert whole.grid[2] == newer.grid[2]

    @pytest.mark.parametrize(("shows", "mark"), [("R7", "renew"), ("R8", "")], ids=["same", "other"])
    def test_a_mark_that_an_answer_showed_cleared_in_a_row_that_another_machine_has_written(
        self, shows: str, mark: str
    ) -> None:
        """Who has served it since shows another request: it would be charged again."""
        written = (ClearMark(2, ACTION, "vid-a", "renew"), SetCell(2, UPDATED, "vid-a", NOW))
        landed, after = land(written, snapshot(B, A, C))
        newer = (SetCell(2, ID, "vid-b", shows), SetCell(2, UPDATED, "vid-b", NOW + timedelta(minutes=5)))
        _, later = land(newer, after)
        whole = repaired(later, owed([Sent(written, landed, BEFORE)], later))
        assert (later.cell(2, ACTION), whole.cell(2, ACTION)) == ("", mark)

    def test_a_mark_does_not_come_back_on_a_guess(self) -> None:
        """Rows were sorted, and the row that was hit was changed since: a mark that comes back may cost credits."""
        renewing = ("vid-d", "request", "Dole", True, 3, "", "", "", "")
        before = snapshot(A, renewing)
        _, after = lost(FOR_A, snapshot(renewing, A))
        _, changed = land((SetCell(2, STATUS, "vid-d", "finalized"),), after)
        repairs = owed([Sent(FOR_A, None, before)], changed)
        assert {edit.column for edit in repairs if edit.row == 2} == {ID, UPDATED}

    def test_what_stands_in_the_place_of_a_mark_goes_though_it_is_not_sure(self) -> None:
        """A word of ours in Action is nobody's wish: the mark comes back, whatever was changed beside it."""
        narrow = ("video_id", "action", "status", "updated_at", "request_id")
        before = snapshot(("vid-b", "renew"), keys=narrow)
        written = (SetCell(2, 2, "vid-b", "ordering"), SetCell(2, 3, "vid-b", NOW))
        _, after = land(written, column(before, 0))
        _, changed = land((SetCell(2, 3, "vid-b", ""),), after)
        assert [of.text("action") for of in repaired(changed, owed([Sent(written, None, before)], changed)).rows] == [
            "renew"
        ]

    def test_a_moment_in_another_time_zone(self) -> None:
        """The zone was changed since: what was written is known by the serial of then."""
        _, after = lost(FOR_A, column(BEFORE, UPDATED))
        moved = replace(after, time_zone="America/New_York")
        assert UPDATED in {edit.column for edit in owed([Sent(FOR_A, None, BEFORE)], moved)}


class TestKeyChanged:
    """Somebody types over the Video ID just before or after the write lands."""

    @pytest.mark.parametrize("key", ["", "vid-z", "vid-c"])
    def test_what_landed_in_its_row_stays(self, key: str) -> None:
        """As if they had typed just after: a mark that is done does not come back in a row of another video."""
        landed, after = land(FOR_A, snapshot((key, *A[1:]), B, C))
        found = restored(Sent(FOR_A, landed, BEFORE), after)
        assert ACTION not in {edit.column for edit in found}

    def test_a_hit_row_whose_key_is_changed_since(self) -> None:
        """It is known by the rest."""
        landed, after = land(FOR_A, column(BEFORE, CLIENT))
        typed = snapshot(("vid-z", *after.grid[1][1:]), *after.grid[2:], headers=after.headers)
        whole = repaired(typed, restored(Sent(FOR_A, landed, BEFORE), typed))
        assert whole.grid[1][CLIENT : SPEND + 2] == ("", "Acme", True, 12.5)

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_what_landed_beside_a_request_that_went_astray(self, write: Write) -> None:
        """Its row shows nothing by which the next projection would know that it speaks of the old video: it goes."""
        landed, after = write(FOR_A, column(BEFORE, ID))
        typed = snapshot(("vid-z", *after.grid[1][1:]), *after.grid[2:], headers=after.headers)
        whole = repaired(typed, owed([Sent(FOR_A, landed, BEFORE)], typed))
        assert whole.grid[1] == ("vid-z", "", *A[CLIENT:], "")

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    @pytest.mark.parametrize("shows", ["", "R7"])
    def test_what_was_imported_into_it(self, write: Write, shows: str) -> None:
        """It was meant for the old video: the new one says what its row said, whether or not it shows a request."""
        line = (*A[:ID], shows, A[UPDATED])
        imported = (SetCell(2, SPEND, "vid-a", 99), FOR_A[-1])
        before = snapshot(line, B, C)
        landed, after = write(imported, before)
        typed = snapshot(("vid-z", *after.grid[1][1:]), *after.grid[2:])
        whole = repaired(typed, owed([Sent(imported, landed, before)], typed))
        assert [whole.cell(2, at) for at in range(UPDATED)] == ["vid-z", *line[1:UPDATED]]

    @pytest.mark.parametrize("write", [land, lost], ids=["answered", "answer lost"])
    def test_a_key_that_the_write_itself_put_back(self, write: Write) -> None:
        """It was not typed over: what landed beside it stays."""
        spoiled = snapshot(("", *A[1:]), B, C)
        written = (SetCell(2, KEY, "vid-a", "vid-a"), SetCell(2, STATUS, "vid-a", "pending"), FOR_A[-1])
        landed, after = write(written, spoiled)
        assert owed([Sent(written, landed, spoiled)], after) == ()

    def test_the_key_has_no_name_when_the_write_lands(self) -> None:
        """Its header was renamed: the row is known by the rest, and no line without a key is taken for it."""
        before = snapshot(A, ZED)
        renamed = snapshot(A, ZED, headers=["My Video", *before.headers[1:]])
        landed, after = land(FOR_A, renamed)
        back = snapshot(*after.grid[1:])
        assert owed([Sent(FOR_A, landed, before)], back) == ()

    @pytest.mark.parametrize("renamed", [KEY, ACTION])
    def test_a_mark_made_anew_after_a_column_was_renamed(self, renamed: int) -> None:
        """Cleared under another name, or beside it, is cleared: the mark of now is another wish."""
        names = ["My own" if at == renamed else header for at, header in enumerate(BEFORE.headers)]
        landed, after = land(FOR_B, snapshot(A, B, C, headers=names))
        (_, marked) = land((SetCell(3, ACTION, "vid-b", "renew"),), snapshot(*after.grid[1:]))
        assert owed([Sent(FOR_B, landed, BEFORE)], marked) == ()


class TestSeveralRounds:
    def test_what_the_first_round_hit_is_put_back_though_the_second_went_astray_too(self) -> None:
        """A row that was hit is not forgotten because people sorted once more."""
        landed, after = land(FOR_A, snapshot(B, A, C))
        put_back = restored(Sent(FOR_A, landed, BEFORE), after)
        whole = repaired(after, put_back)
        landed_again, last = land(put_back, snapshot(after.grid[3], after.grid[2], after.grid[1]))
        rounds = [Sent(FOR_A, landed, BEFORE), Sent(put_back, landed_again, whole)]
        found = repaired(last, owed(rounds, last))
        assert found.grid[1:] == (C, A, B)

    def test_the_header_row_is_no_row_that_came_in_between(self) -> None:
        """As a row stood above it a write hit it: a row without a Video ID that says the same is not emptied for it."""
        before = snapshot(A, ("", "", "Zed", True, 1, "pending", "", "R9", ""))
        written = tuple(edit for edit in FOR_A if isinstance(edit, SetCell))
        _, hit = land([replace(edit, row=1) for edit in written], before)
        landed = Landed(before.headers, {2: hit.grid[0]})
        assert owed([Sent(written, landed, before)], before) == ()

    def test_of_a_cell_that_was_hit_twice_the_first_finding_counts(self) -> None:
        """What the second round found there was ours already."""
        second = (SetCell(3, STATUS, "vid-b", "pending"), SetCell(3, UPDATED, "vid-b", NOW))
        landed, after = land(FOR_A, snapshot(C, A, B))
        landed_again, last = land(second, snapshot(B, after.grid[1], A))
        rounds = [Sent(FOR_A, landed, BEFORE), Sent(second, landed_again, after)]
        found = repaired(last, owed(rounds, last))
        assert found.grid[1:] == (B, C, A)


class TestMissingClears:
    """A mark whose order was sent must not stand beside what that order brought: it would be read as a new wish."""

    def test_a_mark_is_cleared_where_the_rest_of_its_row_landed_by_chance(self) -> None:
        """A row changed places with one that was given the same status, but no clearing."""
        for_c = (
            SetCell(4, STATUS, "vid-c", "pending"),
            SetCell(4, ID, "vid-c", "R5"),
            SetCell(4, UPDATED, "vid-c", NOW),
        )
        landed, after = land(FOR_A + for_c, snapshot(C, B, A))
        repairs = owed([Sent(FOR_A + for_c, landed, BEFORE)], after)
        assert ClearMark(4, ACTION, "vid-a", str(A[ACTION])) in repairs

    def test_a_mark_that_the_comparing_passed_over_is_compared_again(self) -> None:
        """Its row was written in its place, and the answer shows the mark still there: put back by a script, say."""
        landed, after = land([edit for edit in FOR_A if isinstance(edit, SetCell)], BEFORE)
        assert owed([Sent(FOR_A, landed, BEFORE)], after) == (ClearMark(2, ACTION, "vid-a", "request"),)

    def test_a_mark_stands_where_nothing_of_its_row_landed(self) -> None:
        """The row still shows what it showed: the projection sees the mark served."""
        landed, after = land(FOR_A, snapshot(B, A, C))
        assert [edit for edit in owed([Sent(FOR_A, landed, BEFORE)], after) if edit.key == "vid-a"] == []

    @pytest.mark.parametrize("answer", ["answered", "answer lost"])
    def test_a_mark_made_anew_after_the_write_stands(self, answer: str) -> None:
        """All of the row's write stands there, its clearing included: what is marked now is another wish."""
        landed, after = land(FOR_B, BEFORE)
        (_, marked) = land((SetCell(3, ACTION, "vid-b", "renew"),), after)
        assert owed([Sent(FOR_B, landed if answer == "answered" else None, BEFORE)], marked) == ()

    def test_a_mark_made_anew_after_others_wrote_too(self) -> None:
        """A killed run's write landed; another machine, then a person came after it: what is marked now is a wish."""
        _, after = land(FOR_B, BEFORE)
        since = (SetCell(3, STATUS, "vid-b", "accepted"), SetCell(3, ACTION, "vid-b", "renew"))
        assert owed([Sent(FOR_B, None, BEFORE)], land(since, after)[1]) == ()

    def test_a_mark_made_anew_after_columns_moved_too(self) -> None:
        """Request ID stands elsewhere by now and says what was written: so all had landed before it was moved."""
        _, after = land(FOR_A, BEFORE)
        order = (*range(ID), UPDATED, ID)
        lines = [[line[at] for at in order] for line in after.grid]
        moved = snapshot(*lines[1:], headers=lines[0])
        since = (SetCell(2, STATUS, "vid-a", "accepted"), SetCell(2, ACTION, "vid-a", "request"))
        repairs = owed([Sent(FOR_A, None, BEFORE)], land(since, moved)[1])
        assert ACTION not in {edit.column for edit in repairs}

    def test_a_mark_that_was_missed_by_a_write_nobody_saw(self) -> None:
        """A column moved in that moment: what landed rightly tells that the mark beside it is done."""
        order = (KEY, CLIENT, ACTION, *range(TICK, len(BEFORE.headers)))
        lines = [[line[at] for at in order] for line in BEFORE.grid]
        _, after = land(FOR_A, snapshot(*lines[1:], headers=lines[0]))
        repairs = owed([Sent(FOR_A, None, BEFORE)], after)
        assert ClearMark(2, after.columns["action"], "vid-a", str(A[ACTION])) in repairs

    def test_the_mark_of_a_twin_stands(self) -> None:
        """A row with the same key shows already what was written into the other one: its mark is another wish."""
        first, second = ("vid-a", "renew", "Acme", True, 1, "pending", "", "R9", ""), ("vid-a", "renew", "Other")
        before = snapshot(first, second)
        written = tuple(
            replace(edit, row=3, **({"mark": "renew"} if isinstance(edit, ClearMark) else {})) for edit in FOR_A
        )
        repairs = owed([Sent(written, None, before)], before)
        assert repairs == ()

    def test_what_stood_there_before_does_not_tell_that_a_write_landed(self) -> None:
        """A run was killed in the second in which it had claimed the row: Updated at is the same."""
        before = snapshot((*A[:UPDATED], to_serial(NOW, "Etc/GMT")), B, C)
        assert owed([Sent(FOR_A, None, before)], before) == ()

    def test_cells_that_were_to_be_emptied(self) -> None:
        """Part of them landed: the rest goes too. Without its Request ID what is left would pass for a person's."""
        written = (
            *(SetCell(3, column, "vid-b", "") for column in (STATUS, CODE, ID)),
            SetCell(3, UPDATED, "vid-b", NOW),
        )
        landed, after = land([edit for edit in written if edit.column != CODE], BEFORE)
        assert owed([Sent(written, landed, BEFORE)], after) == (SetCell(3, CODE, "vid-b", ""),)

    def test_cells_that_a_person_changed_are_not_emptied(self) -> None:
        """They no longer say what was to go."""
        written = (
            *(SetCell(3, column, "vid-b", "") for column in (STATUS, CODE, ID)),
            SetCell(3, UPDATED, "vid-b", NOW),
        )
        landed, after = land([*written, SetCell(3, CODE, "vid-b", "theirs")], BEFORE)
        assert owed([Sent(written, landed, BEFORE)], after) == ()


class TestMended:
    def test_nothing_put_back(self) -> None:
        """The sheet is as it is."""
        assert repaired(BEFORE, ()) is BEFORE

    def test_rows_are_those_of_the_mended_cells(self) -> None:
        """The projection is made on the sheet as it will be; short lines are filled up."""
        short = snapshot(("vid-a",), B)
        found = repaired(short, [SetCell(2, ACTION, "vid-a", "renew"), SetCell(3, ACTION, "vid-b", "")])
        assert [of.text("action") for of in found.rows] == ["renew", ""]

    def test_a_moment_is_mended_as_the_sheet_shows_it(self) -> None:
        """In the time zone of the sheet."""
        sheet = snapshot(A, time_zone="Asia/Kolkata")
        found = repaired(sheet, [SetCell(2, UPDATED, "vid-a", NOW)])
        assert says(found.cell(2, UPDATED), NOW, "Asia/Kolkata")


# --- any edit by people, any write of ours --------------------------------------------------------------------

WORDS = st.sampled_from(["", "pending", "#X", "R1"])
WISHES = st.fixed_dictionaries(
    {}, optional={"action": st.just(""), "status": WORDS, "spark_code": WORDS, "request_id": WORDS}
).filter(bool)
DIFFERING = st.lists(
    st.tuples(WORDS, WORDS, st.sampled_from([True, 1, ""]), st.sampled_from([1, 2.5]), WORDS, WORDS, WORDS),
    min_size=2,
    max_size=4,
).map(lambda found: [(f"vid-{n}", *cells) for n, cells in enumerate(found)])
ALIKE = DIFFERING.map(lambda lines: [(line[KEY], *lines[0][ACTION:STATUS], *line[STATUS:]) for line in lines])
LINES = DIFFERING | ALIKE
BOXES = ("", "", "", False)
"""A row that is still to be filled in, with a box; perhaps its rows are counted, too."""
PEOPLE = ("nothing", "sort", "insert", "delete", "insert column", "delete column")


def meddled(data: st.DataObject, sheet: Snapshot, left: int = KEY) -> Snapshot:
    """The sheet after people did something to it; columns are inserted from `left` on."""
    lines = list(sheet.grid[1:])
    match data.draw(st.sampled_from(PEOPLE)):
        case "sort":
            lines = data.draw(st.permutations(lines))
        case "insert":
            lines.insert(data.draw(st.integers(0, len(lines))), BLANK)
        case "delete" if sheet.rows and sheet.rows[-1].key:
            del lines[sheet.rows[-1].number - 2]
        case "insert column":
            return column(sheet, data.draw(st.sampled_from([left, ACTION, CLIENT, SPEND, STATUS, ID])))
        case "delete column":
            free = [at for at, name in enumerate(sheet.headers) if name in ("Client", "Caption final", "Spend")]
            return column(sheet, data.draw(st.sampled_from(free)), None) if free else sheet
    return snapshot(*lines, headers=sheet.headers)


def wanted(sheet: Snapshot, wishes: Mapping[str, Mapping[str, str]]) -> tuple[Edit, ...]:
    """The edits that make the cells say what is wished for; an action that is wished empty is a served mark."""
    found = []
    for of in sheet.rows:
        values = dict(wishes.get(of.key, {}))
        cleared = values.pop("action", None) is not None and bool(of.text("action"))
        found.append(Target(of, values, cleared))
    return edits_for(sheet, found, NOW)


def strays(before: Snapshot, wishes: Mapping[str, Mapping[str, str]], now: Snapshot) -> set[tuple[str, str]]:
    """Cells that say neither what they said before, nor what was wished for under their own key and header.

    Lines without a key are left out: one that moves after it was hit is not found again. A key that is gone counts.
    """
    place = {str(header): index for index, header in enumerate(before.headers)}
    numbers = numbered(before)
    found = set()
    for key, line in numbered(now).items():
        own = {BY_KEY[name].header: value for name, value in wishes.get(key, {}).items()}
        for index, header in enumerate(map(str, now.headers)):
            cell = now.cell(line, index)
            was = before.cell(numbers[key], place[header]) if key in numbers and header in place else ""
            touched = header == "Updated at" and own and says(cell, NOW, now.time_zone)
            if not (touched or (cell == was and type(cell) is type(was)) or cell == own.get(header)):
                found.add((key, header))
    return found


@given(LINES, st.lists(WISHES, min_size=1, max_size=3), st.integers(1, 2), st.data())
@settings(deadline=None, max_examples=400)
def test_whatever_people_do_no_foreign_value_stays(
    lines: Sequence[Line], wished: Sequence[Mapping[str, str]], count: int, data: st.DataObject
) -> None:
    """Round after round people meddle; with all put back, each cell says what it said, or what was meant for it."""
    many, counts = data.draw(st.sampled_from([0, 0, 1, 3])), data.draw(st.booleans())
    boxes = [(*BOXES, n) if counts else BOXES for n in range(many)]
    before = sheet = snapshot(*(line[:8] for line in lines), *boxes)
    wishes = {f"vid-{n}": wish for n, wish in enumerate(wished)}
    rounds: list[Sent] = []
    keys = set(numbered(before))
    for _ in range(count):
        whole = repaired(sheet, put_back := owed(rounds, sheet))
        written = merged(wanted(whole, wishes), put_back)
        # a row whose key was hit can be mended where it stands: what moves it besides, in the same run, is too much
        moved = meddled(data, sheet, left=KEY if count == 1 else ACTION)
        keys -= set(numbered(sheet)) - set(numbered(moved))
        landed, sheet = land(written, moved)
        rounds.append(Sent(written, landed, whole))
    whole = repaired(sheet, owed(rounds, sheet))
    assert strays(before, wishes, whole) == set()
    assert keys == set(numbered(whole))
    if count == 1:
        # rows whose Video ID is still to come are known by their place alone
        assert keyless(whole) == keyless(moved)


def keyless(sheet: Snapshot) -> list[tuple[int, int, object]]:
    """What stands in rows without a key, with its place."""
    numbers = [n for n in range(2, len(sheet.grid) + 1) if sheet.cell(n, sheet.columns["video_id"]) == ""]
    cells = ((n, column, cell) for n in numbers for column, cell in enumerate(sheet.grid[n - 1]))
    return [(n, column, cell) for n, column, cell in cells if cell != ""]


def numbered(sheet: Snapshot) -> Mapping[str, int]:
    """The line of each key."""
    return {of.key: of.number for of in sheet.rows if of.key}


@given(LINES, st.lists(WISHES, min_size=1, max_size=3), st.data())
@settings(deadline=None)
def test_without_the_answer_nothing_is_made_worse(
    lines: Sequence[Line], wished: Sequence[Mapping[str, str]], data: st.DataObject
) -> None:
    """Every put-back restores a cell: none goes astray that stood right."""
    before = snapshot(*lines)
    wishes = {f"vid-{n}": wish for n, wish in enumerate(wished)}
    written = wanted(before, wishes)
    _, after = land(written, meddled(data, before))
    whole = repaired(after, restored(Sent(written, None, before), after))
    assert strays(before, wishes, whole) <= strays(before, wishes, after)


# --- through the whole program --------------------------------------------------------------------------------


class TestEqualValues:
    """Two rows that are served alike and change places just before the last write."""

    @pytest.mark.parametrize("mark", ["request", "renew"])
    def test_both_end_as_if_nobody_had_sorted(self, mark: str) -> None:
        """The marks stay cleared, and nobody is charged again once the codes are there."""
        bench = Bench(["vid-a", "vid-b"])
        bench.mark("request", "vid-a", "vid-b")
        if mark == "renew":
            deliver(bench)
            bench.mark(mark, "vid-a", "vid-b")
        paid = 14 if mark == "renew" else 7
        bench.world.faults.edit("sheets.batchUpdate", nth=2, do=lambda world: bench.sheet.move_rows(1, 2, 3))
        bench.sync()
        assert [bench.cell(video, "action") for video in ("vid-a", "vid-b")] == ["", ""]
        assert [bench.cell(video, "status") for video in ("vid-a", "vid-b")] == ["pending", "pending"]
        deliver(bench)
        assert [bench.charged(video) for video in ("vid-a", "vid-b")] == [paid, paid]


class TestKeyColumnMoved:
    @pytest.mark.parametrize("nth", [1, 2], ids=["while claiming", "while writing the result"])
    def test_a_column_inserted_left_of_everything(self, nth: int) -> None:
        """Every Video ID stays, whatever of ours landed on it."""
        bench = Bench(["vid-a", "vid-b", "vid-c"])
        bench.mark("request", "vid-a", "vid-b")
        bench.world.faults.edit("sheets.batchUpdate", nth=nth, do=lambda world: bench.sheet.insert_columns(0))
        bench.sync()
        assert [line[1] for line in bench.table()] == ["Video ID", "vid-a", "vid-b", "vid-c"]


def deliver(bench: Bench) -> None:
    """The managers do their work, and runs before and after see it."""
    bench.sync()
    for video in ("vid-a", "vid-b"):
        for step in (bench.world.portal.accept, bench.world.portal.submit, bench.world.portal.deliver):
            step(video)
    bench.later(minutes=10)
    bench.sync()


@pytest.mark.parametrize("answer", ["answered", "answer lost"])
def test_a_row_goes_above_rows_that_are_still_to_be_filled_in(answer: str) -> None:
    """They have boxes that say FALSE, and all say the same: the one that was hit is emptied, whichever it is."""
    headers = [header_of(key, {}) for key in (*PERSON, *MACHINE_KEYS, "caption_final")]
    bench = Bench(["vid-a", "vid-b"], headers=headers)
    bench.type("vid-b", "caption_final", True)
    for line in range(3, 9):
        bench.sheet.set_value(line, bench.column("caption_final"), False)
    bench.mark("request", "vid-b")
    bench.world.faults.edit("sheets.batchUpdate", nth=2, do=lambda _: bench.sheet.delete_rows(1))
    if answer == "answer lost":
        bench.world.faults.add("sheets.batchUpdate", nth=2, fault="lost_after")
    report = bench.sync()
    assert (report.exit_code, bench.charged("vid-b"), bench.cell("vid-b", "status")) == (0, 7, "pending")
    below = [[cell.value for cell in line if cell and cell.value is not None] for line in bench.sheet.rows[2:8]]
    assert below == [[False]] * 6
