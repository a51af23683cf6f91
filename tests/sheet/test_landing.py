"""Where a write landed whose answer nobody saw, as a later read tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
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
    THEN,
    TICK,
    UPDATED,
    A,
    B,
    C,
    Line,
    column,
    land,
)

from sheetsync.columns import to_serial
from sheetsync.model import Lock, Snapshot
from sheetsync.sheet.edits import Edit, Sent, SetCell
from sheetsync.sheet.journal import from_journal, to_journal
from sheetsync.sheet.landing import seen_since
from sheetsync.sheet.repair import repaired, repairs_for

BOTH = (*FOR_A, *FOR_B)


def killed(written: Sequence[Edit], before: Snapshot) -> tuple[Sent, ...]:
    """The journal of a run that was killed before the answer came."""
    return from_journal(to_journal([Sent(tuple(written), None, before)]))


def mended(written: Sequence[Edit], after: Snapshot) -> Sequence[Line]:
    """The rows below the header, once the next run has put right what the killed one did."""
    return repaired(after, repairs_for(killed(written, BEFORE), after)[1]).grid[1:]


@pytest.mark.parametrize("at", range(KEY + 1, UPDATED + 1))
def test_a_column_that_came_and_went(at: int) -> None:
    """Inserted just before the write, and taken back after: what landed one column off is found where it stands."""
    _, wide = land(BOTH, column(BEFORE, at))
    rows = mended(BOTH, column(wide, at, None))
    meant = land(BOTH, BEFORE)[1].grid[1:]
    wrong = [
        (r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if cell not in (at_home(r, c), meant[r][c])
    ]
    assert wrong == []


def at_home(row: int, cell: int) -> object:
    """What stood there before."""
    return (A, B, C)[row][cell]


def test_a_column_that_came_and_stayed() -> None:
    """The header beside a value tells that it does not belong there."""
    _, after = land(BOTH, column(BEFORE, STATUS, "New"))
    assert [row[STATUS] for row in mended(BOTH, after)] == ["", "", ""]


def test_a_column_that_came_as_a_row_was_told_what_another_one_said() -> None:
    """What stands in the other row all along is no word that landed there: the rows have not changed places."""
    before = snapshot(A, ("vid-b", "", "Bolt", False, 3, "", "a note", "", B[UPDATED]), C)
    written = (
        *(SetCell(2, CODE, "vid-a", "a note"), SetCell(2, UPDATED, "vid-a", NOW)),
        *(SetCell(3, CODE, "vid-b", ""), SetCell(3, UPDATED, "vid-b", NOW)),
    )
    wide = column(before, CLIENT, "New")
    _, after = land(written, wide)
    assert after.grid[1][STATUS + 1] == "a note"
    assert repaired(after, repairs_for(killed(written, before), after)[1]).grid == wide.grid


@pytest.mark.parametrize("gone", [0, 1])
def test_hundreds_of_rows_beside_a_column_that_came(gone: int) -> None:
    """Each is put right, one of them deleted meanwhile or not, and in no more time than the rows take."""
    rows = [[f"vid-{n}", "request", "Acme", True, 12.5, "", "", "", ""] for n in range(600)]
    before = snapshot(*rows)
    written: list[Edit] = []
    for n, (key, *_) in enumerate(rows, start=2):
        written += [SetCell(n, STATUS, str(key), "pending"), SetCell(n, CODE, str(key), f"#code-{n}")]
        written += [SetCell(n, ID, str(key), f"id-{n}"), SetCell(n, UPDATED, str(key), NOW)]
    _, wide = land(written, column(before, STATUS, "New"))
    lines = list(wide.grid)
    after = snapshot(*lines[1:301], *lines[301 + gone :], headers=lines[0])
    found = repaired(after, repairs_for(killed(written, before), after)[1])
    assert {row[STATUS] for row in found.grid[1:]} == {""}
    assert len(found.grid) == 601 - gone


def test_rows_that_were_written_the_same() -> None:
    """Each of two duplicates is known by its place: both are put right."""
    twins = snapshot(A, A, C)
    written = [SetCell(row, STATUS, "vid-a", "pending") for row in (2, 3)]
    written += [SetCell(row, UPDATED, "vid-a", NOW) for row in (2, 3)]
    _, after = land(written, column(twins, ACTION + 1))
    landed = seen_since(killed(written, twins)[0], after).landed
    assert landed
    assert set(landed.rows) == {2, 3}


@pytest.mark.parametrize("at", range(ACTION + 1, UPDATED + 1))
@pytest.mark.parametrize("hidden", range(ACTION + 1, UPDATED + 2))
@pytest.mark.parametrize("fewer", [(STATUS,), (CODE,), (ID,), (STATUS, CODE), (CODE, ID)])
def test_a_duplicate_with_merged_cells(at: int, hidden: int, fewer: tuple[int, ...]) -> None:
    """A column comes: a row that cannot show all of what landed is reached like the one that shows it, and both are
    put right.
    """
    twins = snapshot(A, A, C)
    told = {STATUS: "pending", CODE: "#9", ID: "R9", UPDATED: NOW}
    written = [SetCell(row, c, "vid-a", told[c]) for row in (2, 3) for c in told if row == 2 or c not in fewer]
    wide = column(twins, at, "New")
    under = Lock(2, 3, hidden - 1, hidden + 1, (Lock(2, 3, hidden - 1, hidden),), is_merge=True)
    lines = [list(line) for line in land(written, wide)[1].grid]
    lines[2][hidden] = ""
    after = replace(snapshot(*lines[1:], headers=lines[0]), locks=(under,))
    rows = repaired(after, repairs_for(killed(written, twins), after)[1]).grid
    meant = {(edit.row, twins.headers[edit.column]) for edit in written}
    others = [(r, c) for r in (2, 3, 4) for c, header in enumerate(wide.headers) if (r, header) not in meant]
    assert [(r, c) for r, c in others if rows[r - 1][c] != wide.cell(r, c) and not after.bars(r, c)] == []


def test_what_was_emptied_landed_beside_the_rest() -> None:
    """Emptiness tells nothing of itself: it is as far from its place as the row beside it."""
    written = (*FOR_A, SetCell(3, STATUS, "vid-b", ""))
    _, after = land(written, snapshot(B, A, C))
    assert mended(written, after)[0] == tuple(B)
    assert mended(written, after)[1][STATUS] == ""


def test_it_is_found_out_once() -> None:
    """What a later run writes over it does not change where it landed."""
    _, after = land(FOR_A, snapshot(B, A, C))
    (seen,), *_ = repairs_for(killed(FOR_A, BEFORE), after)
    _, later = land([SetCell(2, STATUS, "vid-b", "accepted"), SetCell(2, UPDATED, "vid-b", NOW)], after)
    (again,), *_ = repairs_for(from_journal(to_journal([seen])), later)
    assert again.landed
    assert seen.landed
    assert again.landed.rows == seen.landed.rows


def test_a_write_that_never_arrived() -> None:
    """It may be on its way still: nothing is known of it, and nothing put back."""
    (sent,), repairs, _ = repairs_for(killed(BOTH, BEFORE), BEFORE)
    assert (sent.landed, repairs) == (None, ())


@pytest.mark.parametrize("at", [None, *range(KEY, UPDATED + 2)])
def test_a_row_that_is_as_old_as_the_read_was_not_reached(at: int | None) -> None:
    """A copy made since says much of what was to be written, but not when: the write would have brought that, too."""
    shown = ("vid-a", "", "Acme", True, 12.5, "pending", "", "R9", to_serial(THEN, "Etc/GMT"))
    before = snapshot(shown, B, ("vid-a", "", "Acme", False, "", "", "", "", ""))
    written = (
        *(SetCell(4, at, "vid-a", shown[at]) for at in (TICK, STATUS, ID)),
        SetCell(4, UPDATED, "vid-a", NOW),
    )
    after = snapshot(*before.grid[1:], ("vid-c", *shown[1:]))
    if at is not None:
        after = column(after, at, "New")
    assert repairs_for(killed(written, before), after)[1] == ()


def test_what_somebody_typed_as_it_was_to_be_put_back_elsewhere() -> None:
    """A repair says no instant of its own: as long as its row stands in its place, another row's text is theirs."""
    put_back = (SetCell(2, CLIENT, "vid-a", "Acme"),)
    before = snapshot(("vid-a", "", NOW.isoformat()), B, C)
    typed = snapshot(before.grid[1], ("vid-b", "renew", "Acme", *B[TICK:]), C)
    assert repairs_for(killed(put_back, before), typed)[1] == ()


def test_a_repair_that_landed_in_another_row() -> None:
    """The rows have changed places: what it says there is ours."""
    put_back = (SetCell(2, CLIENT, "vid-a", "Acme"),)
    before = snapshot(("vid-a", "", NOW.isoformat()), B, C)
    _, after = land(put_back, snapshot(B, before.grid[1], C))
    assert repaired(after, repairs_for(killed(put_back, before), after)[1]).grid[1] == tuple(B)


def test_a_repair_beside_cells_of_ours_that_landed_in_other_rows() -> None:
    """A row was inserted above, and taken back: by what is ours it is known how far from its place all of it landed."""
    put_back = (SetCell(2, CLIENT, "vid-a", "Acme"), *FOR_B)
    before = snapshot(("vid-a", "", NOW.isoformat()), B, C)
    _, after = land([replace(edit, row=edit.row + 1) for edit in put_back], before)
    assert after.grid[2][CLIENT] == "Acme"
    assert repaired(after, repairs_for(killed(put_back, before), after)[1]).grid[2][CLIENT] == B[CLIENT]


def test_a_row_that_was_emptied_beside_one_that_landed_below_the_last() -> None:
    """All of it landed one row too low: that nothing else stands in a row that was not there tells of no emptying."""
    emptied = (*(SetCell(2, column, "vid-b", "") for column in (STATUS, ID)), SetCell(2, UPDATED, "vid-b", NOW))
    written = (*emptied, SetCell(4, CODE, "vid-c", "#new"), SetCell(4, UPDATED, "vid-c", NOW))
    before = snapshot(B, A, C)
    _, after = land([replace(edit, row=edit.row + 1) for edit in written], before)
    rows = repaired(after, repairs_for(killed(written, before), after)[1]).grid[1:]
    assert [[*row] for row in rows if any(row)] == [[*B], [*A], [*C]]


WRITE = (
    '[{"edits": [], "tab": 0, "grid": [], "columns": %s, "time_zone": "%s", "read_at": "2026-01-01", "landed": null}]'
)


@pytest.mark.parametrize(
    "text",
    [
        *("no JSON", "7", "[null]", '[{"edits": 7}]', '{"an": "object"}'),
        *(WRITE % ('["video_id"]', "UTC"), WRITE % ('{"video_id": 0}', "UTC")),
        WRITE % ('{"video_id": 0, "action": 1, "updated_at": 2}', "Mars/Olympus"),
    ],
)
def test_a_journal_of_another_shape_is_known_as_such(text: str) -> None:
    """Another version of sheetsync wrote it: it must not stop every run that comes after."""
    with pytest.raises((ValueError, LookupError, TypeError)):
        from_journal(text)


class TestOnlyEmptied:
    """A write that empties what an earlier one had hit leaves no word of its own: it tells by what it took away."""

    def found(self, edit: SetCell, after: Snapshot) -> Sequence[Line]:
        """The rows, once what such a write took, whose answer is lost, is back."""
        _, repairs, _ = repairs_for([Sent((edit,), None, BEFORE)], after)
        return repaired(after, repairs).grid[1:]

    @pytest.mark.parametrize("at", [CLIENT, CODE])
    def test_a_column_came_before_it_landed(self, at: int) -> None:
        """The cell left of the one that was meant stands there now, or the new one's empty one."""
        written, on = SetCell(3, CODE, "vid-b", ""), column(BEFORE, at)
        assert self.found(written, land([written], on)[1]) == on.grid[1:]

    def test_a_row_came_before_it_landed(self) -> None:
        """The row above the one that was meant stands there now."""
        written, on = SetCell(3, SPEND, "vid-b", ""), snapshot(BLANK, A, B, C)
        assert self.found(written, land([written], on)[1]) == on.grid[1:]

    def test_somebody_has_emptied_another_cell(self) -> None:
        """What was to be emptied is empty: it has landed where it should, and took nothing else."""
        written = SetCell(3, CODE, "vid-b", "")
        _, after = land((written, SetCell(3, STATUS, "vid-b", "")), BEFORE)
        assert self.found(written, column(after, CLIENT)) == column(after, CLIENT).grid[1:]
