"""Array formulas of the sandbox: what they fill is seen and not held, and gives way to what is typed there."""

from __future__ import annotations

import pytest

from sandbox.google_side import Side, text, write
from sheetsync.sandbox.google.cells import Formula

DOWN = Formula('={"Status";"x";"y"}')
VALUES = "sheets.data.rowData.values(userEnteredValue,effectiveValue)"
REF = {"type": "REF", "message": "Array result was not expanded because it would overwrite data."}


@pytest.fixture
def side() -> Side:
    side = Side()
    side.fill(["a", DOWN], ["b"])
    return side


def column(side: Side) -> list[str]:
    return [line[0] if line else "" for line in side.values("B1:B5").get("values", [])]


def test_what_a_formula_fills_is_shown_and_is_no_value_of_the_cell(side: Side) -> None:
    assert column(side) == ["Status", "x", "y"]
    (data,) = side.get(ranges="B1:B2", fields=VALUES)["sheets"][0]["data"]
    anchor, filled = [row["values"][0] for row in data["rowData"]]
    assert anchor == {"userEnteredValue": {"formulaValue": DOWN}, "effectiveValue": {"stringValue": "Status"}}
    assert filled == {"effectiveValue": {"stringValue": "x"}}


def test_a_value_in_the_way_takes_all_of_it_away(side: Side) -> None:
    """And all comes back once the value goes: emptying a cell that is filled changes nothing."""
    side.batch(write(2, 1, text("mine")))
    assert column(side) == ["#REF!", "", "mine"]
    (data,) = side.get(ranges="B1", fields=VALUES)["sheets"][0]["data"]
    assert data["rowData"][0]["values"][0]["effectiveValue"] == {"errorValue": REF}

    side.batch(write(2, 1, {}), write(1, 1, {}))
    assert column(side) == ["Status", "x", "y"]
    found = {"find": "x", "replacement": "", "matchEntireCell": True, "sheetId": 0}
    assert side.batch({"findReplace": found})["replies"] == [{"findReplace": {}}]

    side.sheet.set_value(0, 1, "typed")
    assert column(side) == ["typed"]


def test_it_fills_other_cells_as_rows_come_and_go(side: Side) -> None:
    side.sheet.insert_rows(1)
    assert column(side) == ["Status", "x", "y"]
    side.sheet.sort(side.sheet.area(top=1), 0)
    assert column(side) == ["Status", "x", "y"]
    side.sheet.row_count = 2
    side.sheet.touch()
    assert column(side) == ["#REF!"]


def test_it_fills_cells_beside_it_too(side: Side) -> None:
    side.sheet.set_value(1, 3, Formula('={"p","q";"r","s"}'))
    assert side.values("D2:E3")["values"] == [["p", "q"], ["r", "s"]]


def test_it_is_kept(side: Side) -> None:
    """In the sandbox's state file; and a write that is refused leaves it as it was."""
    side.google.restore(side.google.dump())
    side.book = side.google.book(side.book.id)
    assert column(side) == ["Status", "x", "y"]
    assert side.try_batch(write(1, 1, text("z")), {"deleteSheet": {"sheetId": 9}}).status == 400
    assert column(side) == ["Status", "x", "y"]
