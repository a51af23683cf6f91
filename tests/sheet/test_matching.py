"""How rows are known again: twins, lines without a key, lines that came in between."""

from __future__ import annotations

import pytest
from support.builders import snapshot
from support.small_sheet import ACTION, BLANK, A, B, C

from sheetsync.sheet.edits import machine_headers
from sheetsync.sheet.matching import Content, RowIndex, content, most_similar, row_before, similarity

KEY = "video id"
ANNA: Content = {KEY: "vid-a", "client": "Anna", "spend": 3}


class TestSimilarity:
    @pytest.mark.parametrize(
        ("other", "much"),
        [
            (ANNA, 102),
            ({**ANNA, "client": "Bea"}, 100),
            ({**ANNA, "client": ""}, 100),
            ({**ANNA, KEY: ""}, 1),
            ({**ANNA, KEY: "vid-b"}, 0),
            ({"client": "Anna"}, 1),
            ({}, 0),
            ({**ANNA, "new column": "x"}, 102),
            ({KEY: "", "client": "", "spend": ""}, -3),
        ],
        ids=[
            "same",
            "a cell differs",
            "a cell is empty",
            "no key",
            "another key",
            "one column",
            "none",
            "more",
            "blank",
        ],
    )
    def test_what_is_the_same_less_what_differs(self, other: Content, much: int) -> None:
        """The key counts for all; two keys that differ are two rows; what one of them does not have tells nothing."""
        assert similarity(ANNA, other, KEY) == similarity(other, ANNA, KEY) == much

    def test_empty_in_both_tells_nothing(self) -> None:
        """Blank lines are not like each other: any of them might be any."""
        assert similarity({KEY: "", "client": ""}, {KEY: "", "client": ""}, KEY) == 0

    def test_a_ticked_checkbox_is_not_the_number_one(self) -> None:
        """TRUE is not 1, though Python says so."""
        assert similarity({"approved": True}, {"approved": 1}, KEY) == -1


class TestMostSimilar:
    def test_the_most_alike(self) -> None:
        """All of those that are equally alike."""
        others = {2: {"client": "Anna"}, 3: ANNA, 4: {**ANNA, "client": "Bea"}, 5: ANNA}
        assert most_similar(ANNA, others, KEY) == (3, 5)

    def test_none_where_more_differs_than_is_the_same(self) -> None:
        """One tick that many lines share does not make a new line one of them."""
        new = {KEY: "", "client": "New", "approved": True}
        assert most_similar(new, {2: {KEY: "vid-a", "client": "Anna", "approved": True}}, KEY) == ()

    def test_none_among_none(self) -> None:
        """No lines, no best."""
        assert most_similar(ANNA, {}, KEY) == ()


class TestContent:
    def test_by_header(self) -> None:
        """Short lines are filled up; what stands beyond the headers, or under none, is left out."""
        found = content(["Video ID", "", " Client ", "Note"], ["vid-a", "x", "Anna"], {"note"})
        assert found == {"video id": "vid-a", "client": "Anna"}
        assert content(["Video ID"], ["vid-a", "beyond"]) == {"video id": "vid-a"}

    def test_machine_headers(self) -> None:
        """What sheetsync writes, and the mark that it clears; of bound columns only."""
        assert machine_headers(snapshot(A)) == {"action", "status", "spark code", "request id", "updated at"}


class TestRows:
    TWIN = ("vid-a", "", "Acme's other", True, 12.5, "", "", "", "")
    OURS = frozenset({"action", "status", "spark code", "request id", "updated at"})

    def found(self, line: tuple[object, ...], number: int, now: RowIndex, *before: object) -> int | None:
        sheet = snapshot(*before)  # type: ignore[arg-type]
        seen = content(sheet.headers, line, self.OURS)  # type: ignore[arg-type]
        return row_before(seen, number, RowIndex(sheet), now, self.OURS)

    def test_numbers_and_keys(self) -> None:
        """Numbers are those of the sheet; a line without a key is nobody's."""
        lines = RowIndex(snapshot(A, BLANK, B, self.TWIN))
        assert (lines.with_key("vid-a"), lines.with_key("vid-b"), lines.with_key("")) == ([2, 5], [4], ())
        assert (lines.key(2), lines.key(3)) == ("vid-a", "")

    def test_a_key_beyond_the_end_of_a_line(self) -> None:
        """A line that stops before the key's column has none."""
        sheet = snapshot(("x",), keys=("client", "video_id"))
        assert RowIndex(sheet).key(2) == ""

    def test_the_same_line_elsewhere(self) -> None:
        """Cell by cell, wherever it stands."""
        assert RowIndex(snapshot(C, B)).changed_since(RowIndex(snapshot(A, B))) == [2]

    def test_a_row_of_its_own(self) -> None:
        """Where it stood, or where it stands now."""
        now = RowIndex(snapshot(A, B, C))
        assert self.found(tuple(B), 3, now, A, B, C) == 3
        assert self.found(tuple(B), 2, now, A, B, C) == 3

    def test_equal_twins(self) -> None:
        """Best the line of that number: there are no more of them than there were."""
        edited = (*A[:3], False, *A[4:])
        assert self.found(edited, 3, RowIndex(snapshot(A, edited)), A, A) == 3
        assert self.found(edited, 3, RowIndex(snapshot(A, A, edited)), A, A) is None

    def test_a_twin_that_came_in_between(self) -> None:
        """Its key is known, but the row of that key is found again elsewhere: this one is new."""
        now = RowIndex(snapshot(self.TWIN, A))
        assert self.found(self.TWIN, 2, now, A) is None

    def test_a_row_that_was_edited_is_still_itself(self) -> None:
        """No other row is more like what it was."""
        edited = (*A[:2], "Acme Ltd", *A[3:])
        assert self.found(edited, 2, RowIndex(snapshot(edited, B)), A, B) == 2

    def test_a_key_typed_since(self) -> None:
        """A line whose key was still to come is known by the rest."""
        typed = ("vid-z", *A[1:])
        keyless = ("", *A[1:])
        assert self.found(typed, 3, RowIndex(snapshot(B, typed)), B, keyless) == 3
        assert A[ACTION] == "request"

    @pytest.mark.parametrize("other", ["vid-z", "vid-b"])
    def test_a_key_typed_over(self, other: str) -> None:
        """The row of that number, if it says all else and its key is gone; a copy with another key is a new row."""
        typed = (other, *A[1:])
        assert self.found(typed, 2, RowIndex(snapshot(typed, B)), A, B) == 2
        assert self.found(typed, 2, RowIndex(snapshot(typed, A, B)), A, B) is None
        assert self.found((other, "", "Zed"), 2, RowIndex(snapshot(typed, B)), A, B) != 2
