"""What a person does at the page: each row of edits is undone and done again, whatever moved meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.line_ids import id_of
from sheetsync.sandbox.page.editing import Hand
from sheetsync.sandbox.world import World

TABLE = [["Video ID", "Client"], ["b", "Roamly"], ["a", "Strido"], ["c", "Crumbly"]]


class Person:
    """Somebody at the page of one tab."""

    def __init__(self) -> None:
        world = World()
        self.book = world.google.create_spreadsheet("Spark codes", tabs=("Tracker",))
        self.sheet: Sheet = self.book.sheet("Tracker")
        for row, line in enumerate(TABLE):
            for column, value in enumerate(line):
                self.sheet.set_value(row, column, value)
        self.hand = Hand()

    def does(self, do: str, **body: Any) -> None:
        self.hand.edit(self.book, {"do": do, "sheet": self.sheet.sheet_id, **body})

    def row(self, at: int) -> str:
        return id_of(self.sheet, "ROWS", at)

    def column(self, at: int) -> str:
        return id_of(self.sheet, "COLUMNS", at)

    def types(self, at: int, value: Any, column: int = 1) -> None:
        self.does("type", rows=[self.row(at)], columns=[self.column(column)], values=[[value]])

    @property
    def keys(self) -> list[Any]:
        return [line[0] for line in self.sheet.table()][1:]


@pytest.fixture
def person() -> Person:
    return Person()


EDITS = {
    "a cell typed": lambda p: p.types(1, "Inkbox"),
    "a date typed": lambda p: p.types(1, "2026-07-01"),
    "a cell emptied": lambda p: p.types(1, None),
    "a tick": lambda p: p.types(1, True),
    "a block": lambda p: p.does(
        "type", rows=[p.row(3), None, None], columns=[p.column(0), None], values=[["x", "1"], ["y", "2"], ["z", None]]
    ),
    "a row": lambda p: p.does("insert", dimension="ROWS", beside=p.row(2)),
    "a row below": lambda p: p.does("insert", dimension="ROWS", beside=p.row(0), after=True),
    "a column": lambda p: p.does("insert", dimension="COLUMNS", beside=p.column(1)),
    "rows deleted": lambda p: p.does("delete", dimension="ROWS", lines=[p.row(1), p.row(3)]),
    "a column deleted": lambda p: p.does("delete", dimension="COLUMNS", lines=[p.column(0)]),
    "sorted": lambda p: p.does("sort", column=p.column(0), ascending=True),
    "sorted down": lambda p: p.does("sort", column=p.column(0), ascending=False),
    "filtered": lambda p: p.does("filter", column=p.column(1), hidden=["Strido"]),
    "a tab": lambda p: p.does("add_tab"),
}


@pytest.mark.parametrize("name", EDITS)
def test_undo_and_redo(person: Person, name: str) -> None:
    """All is as before, and then as after: cells, filter, tabs, and which row is which."""

    def state() -> Any:
        ids = [(person.row(row), person.sheet.value(row, 0)) for row in range(person.sheet.rows_used)]
        return person.sheet.table(), ids, person.sheet.basic_filter, [sheet.title for sheet in person.book.sheets]

    before = state()
    EDITS[name](person)
    after = state()
    assert after != before
    person.does("undo")
    assert state() == before
    person.does("redo")
    assert state() == after
    person.does("undo")
    assert state() == before
    with pytest.raises(ValueError, match="nothing left"):
        person.does("undo")


MOVES = {
    "sorted": lambda sheet: sheet.sort(sheet.area(top=1), 0),
    "inserted above": lambda sheet: sheet.insert_rows(1, 2),
    "deleted above": lambda sheet: sheet.delete_rows(1),
    "moved": lambda sheet: sheet.move_rows(3, 4, 1),
    "a column before it": lambda sheet: sheet.insert_columns(0),
    "columns moved": lambda sheet: sheet.move_columns(0, 1, 2),
}


@pytest.mark.parametrize("name", MOVES)
def test_typing_follows_its_row(person: Person, name: str) -> None:
    """What is typed goes to the row that was clicked, wherever it is by then."""
    row, column = person.row(3), person.column(1)
    MOVES[name](person.sheet)
    person.does("type", rows=[row], columns=[column], values=[["Inkbox"]])
    assert sorted(map(str, next(line for line in person.sheet.table() if "c" in line))) in (
        ["Inkbox", "c"],
        ["Inkbox", "None", "c"],
    )
    assert "Crumbly" not in str(person.sheet.table())


def test_a_row_that_is_gone_takes_nothing(person: Person) -> None:
    """It is refused with a word, and a block is refused as a whole."""
    rows, column = [person.row(1), person.row(2)], person.column(1)
    person.sheet.delete_rows(2)
    before = person.sheet.table()
    with pytest.raises(LookupError, match="row is gone"):
        person.does("type", rows=rows, columns=[column], values=[["x"], ["y"]])
    assert person.sheet.table() == before


def test_undo_leaves_what_others_changed(person: Person) -> None:
    """Only one's own typing is taken back; where somebody has typed over all of it, that is said."""
    person.types(1, "Inkbox")
    person.sheet.set_value(1, 1, "theirs")
    with pytest.raises(ValueError, match="since"):
        person.does("undo")
    assert person.sheet.value(1, 1) == "theirs"


def test_undone_sorting_keeps_what_came_since(person: Person) -> None:
    """The rows that were there take their order back; a new one stays."""
    person.does("sort", column=person.column(0), ascending=True)
    person.sheet.set_value(4, 0, "new")
    person.does("undo")
    assert person.keys == ["b", "a", "c", "new"]


def test_filters(person: Person) -> None:
    """Each column hides values of its own; sorting leaves hidden rows where they are; a block passes them by."""
    person.does("filter", column=person.column(1), hidden=["Strido"])
    person.does("filter", column=person.column(0), hidden=[])
    person.does("sort", column=person.column(0), ascending=False)
    assert person.keys == ["c", "a", "b"]
    person.does("type", rows=[person.row(1), None], columns=[person.column(0)], values=[["x"], ["y"]])
    assert person.keys == ["x", "a", "y"]
    person.does("filter", column=person.column(1), hidden=[])
    assert person.sheet.basic_filter is not None
    assert person.sheet.basic_filter["filterSpecs"] == []


def test_a_block_at_the_edge_makes_room(person: Person) -> None:
    """Rows and columns are added, as in the editor."""
    rows, columns = person.sheet.row_count, person.sheet.column_count
    person.does(
        "type", rows=[person.row(rows - 1), None], columns=[person.column(columns - 1), None], values=[["1", "2"]] * 2
    )
    assert (person.sheet.row_count, person.sheet.column_count) == (rows + 1, columns + 1)
    assert person.sheet.value(rows, columns) == 2


def test_a_tab_keeps_a_column(person: Person) -> None:
    """Neither all rows nor all columns can be deleted."""
    columns = [person.column(at) for at in range(person.sheet.column_count)]
    with pytest.raises(ValueError, match="at least"):
        person.does("delete", dimension="COLUMNS", lines=columns)


def test_a_table_is_not_filtered(person: Person) -> None:
    """Google has no filter over a table; the page says so."""
    person.sheet.attached["tables"] = [{}]
    with pytest.raises(ValueError, match="table"):
        person.does("filter", column=person.column(0), hidden=["a"])


def test_a_refused_batch_leaves_ids_where_they_were(person: Person) -> None:
    """What Google takes back as a whole takes the names of rows back, too."""
    row, before = person.row(3), person.sheet.state()
    person.sheet.insert_rows(1)
    person.sheet.set_state(before)
    assert person.row(3) == row
