"""Tables of the sandbox's Sheets API: what they print, what they refuse, and where they go as rows and columns move."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.google_side import Side, message, text, write
from sheetsync.sandbox import people
from sheetsync.sandbox.google import store

FORMAT = {"userEnteredFormat": {"numberFormat": {"type": "DATE_TIME", "pattern": "yyyy-mm-dd"}}}
TYPED_FORMAT = "You can't set the number format of cells in a typed column."
TYPED_RULE = "This operation is not allowed on cells in typed columns."
WHOLE = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}
RULE = {"condition": {"type": "BOOLEAN"}}
WORDS = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "request"}]}}


def of(row: int, column: int) -> dict[str, int]:
    """One cell."""
    rows = {"startRowIndex": row, "endRowIndex": row + 1}
    return {**rows, "startColumnIndex": column, "endColumnIndex": column + 1}


@pytest.fixture
def side() -> Side:
    """Two columns of a table, the second of which is typed, and one beside it."""
    side = Side()
    side.fill(["Video ID", "Expires", "Beside"], ["v1", 46000, "x"], ["v2", 46001, "y"])
    people.convert_to_table(_Place(side), side.book, "Sheet1", {"Expires": "DATE"}, "Codes", columns=2)
    return side


class _Place:
    """Where people edit."""

    def __init__(self, side: Side) -> None:
        self.google = side.google

    def changed(self) -> None:
        pass


def shown(side: Side) -> Any:
    return side.get(fields="sheets(tables)")["sheets"][0].get("tables")


def columns(side: Side) -> Any:
    return [(c["columnName"], c.get("columnType")) for c in shown(side)[0]["columnProperties"]]


def test_what_the_metadata_says_of_a_table(side: Side) -> None:
    (table,) = shown(side)
    assert (table["name"], table["range"]) == ("Codes", WHOLE)
    assert table["columnProperties"] == [
        {"columnName": "Video ID"},
        {"columnIndex": 1, "columnName": "Expires", "columnType": "DATE"},
    ]
    assert side.get(fields="sheets(bandedRanges(range))")["sheets"] == [{"bandedRanges": [{"range": WHOLE}]}]


REFUSED = [
    (write(1, 1, {**text("x"), **FORMAT}, fields="userEnteredValue,userEnteredFormat.numberFormat"), TYPED_FORMAT),
    (write(1, 0, text("x"), text("y"), fields="userEnteredFormat"), TYPED_FORMAT),
    (write(1, 1, text("x"), fields="*"), TYPED_RULE),
    ({"repeatCell": {"range": of(2, 1), "cell": FORMAT, "fields": "userEnteredFormat(numberFormat)"}}, TYPED_FORMAT),
    ({"repeatCell": {"range": {}, "cell": {}, "fields": "dataValidation"}}, TYPED_RULE),
    ({"setDataValidation": {"range": {"startColumnIndex": 1}, "rule": RULE}}, TYPED_RULE),
]


@pytest.mark.parametrize(("request_", "said"), REFUSED)
def test_formats_and_validations_of_typed_columns_are_the_tables(
    side: Side, request_: dict[str, Any], said: str
) -> None:
    before = side.sheet.state()
    assert (
        message(side.try_batch(write(2, 0, text("z")), request_))
        == f"Invalid requests[1].{next(iter(request_))}: {said}"
    )
    assert side.sheet.state() == before


TAKEN = [
    write(1, 1, text("no date")),
    write(1, 1, {}, fields="userEnteredFormat(backgroundColorStyle,wrapStrategy)"),
    write(0, 1, FORMAT, fields="userEnteredFormat.numberFormat"),
    write(3, 1, FORMAT, fields="userEnteredFormat.numberFormat"),
    write(1, 0, FORMAT, fields="userEnteredFormat.numberFormat"),
    {"setDataValidation": {"range": of(1, 0), "rule": RULE}},
    {"setDataValidation": {"range": of(1, 2), "rule": RULE}},
]


@pytest.mark.parametrize("request_", TAKEN)
def test_all_else_is_taken(side: Side, request_: dict[str, Any]) -> None:
    """A value of another type too; the header, what lies beside and below, and columns without a type."""
    side.batch(request_)


def test_it_goes_with_its_rows_and_columns(side: Side) -> None:
    side.sheet.insert_columns(1)
    side.sheet.set_value(0, 1, "New")
    assert columns(side) == [("Video ID", None), ("New", None), ("Expires", "DATE")]
    side.sheet.move_columns(2, 3, 0)
    assert columns(side) == [("Expires", "DATE"), ("Video ID", None), ("New", None)]
    side.sheet.insert_rows(0)
    assert shown(side)[0]["range"] == {**WHOLE, "startRowIndex": 1, "endRowIndex": 4, "endColumnIndex": 3}
    side.sheet.delete_columns(0)
    assert columns(side) == [("Video ID", None), ("New", None)]
    assert "DATE" not in str(store.dump_book(side.book)["sheets"][0]["attached"])
    side.sheet.delete_rows(1, 3)
    assert shown(side) is None


def test_it_is_kept(side: Side) -> None:
    """The sandbox's state file has it."""
    before = shown(side)
    side.google.restore(side.google.dump())
    assert shown(side) == before


def table(**given: Any) -> dict[str, Any]:
    range_ = {"startRowIndex": 5, "endRowIndex": 8, "startColumnIndex": 0, "endColumnIndex": 2}
    return {"addTable": {"table": {"range": range_, **given}}}


def test_one_is_made_changed_and_deleted_by_request(side: Side) -> None:
    """Headers that are not given are made up; a deleted table takes along what stands in it."""
    kinds = [{"columnName": "Action", "columnType": "DROPDOWN", "dataValidationRule": WORDS}]
    made = side.batch(table(columnProperties=kinds))["replies"][0]["addTable"]["table"]
    assert made["name"] == "Table1"
    assert made["columnProperties"] == [*kinds, {"columnIndex": 1, "columnName": "Column 2"}]
    assert side.sheet.table()[5] == ["Action", "Column 2", None]

    side.batch({"updateTable": {"table": {"tableId": made["tableId"], "name": "Mine"}, "fields": "name"}})
    assert shown(side)[1] == {**made, "name": "Mine"}

    side.batch({"deleteTable": {"tableId": made["tableId"]}})
    assert (len(shown(side)), side.sheet.rows_used) == (1, 3)
    people.convert_to_range(_Place(side), side.book, "Sheet1")
    assert (shown(side), side.sheet.value(1, 0)) == (None, "v1")


WRONG = [
    (table(name="codes"), "A table with the name 'codes' already exists."),
    (table(range=WHOLE), "A table can't overlap another table, a filter, merged cells or alternating colors."),
    (table(range=of(9, 0)), "A table needs a header row and at least one row below it."),
    (table(columnProperties=[{"columnIndex": 2}]), "columnIndex[2] is outside of the table."),
    (table(columnProperties=[{"columnType": "COLOUR"}]), "Invalid columnType: COLOUR"),
    (
        table(columnProperties=[{"columnType": "TEXT", "dataValidationRule": WORDS}]),
        "A dataValidationRule is a ONE_OF_LIST of a DROPDOWN column.",
    ),
    ({"deleteTable": {"tableId": "7"}}, "No table with id: 7"),
    ({"setBasicFilter": {"filter": {"range": WHOLE}}}, "You can't set a basic filter over a table."),
    (
        {"addBanding": {"bandedRange": {"range": WHOLE}}},
        "You cannot add alternating background colors to a range that already has them.",
    ),
]


@pytest.mark.parametrize(("request_", "said"), WRONG)
def test_what_is_no_table(side: Side, request_: dict[str, Any], said: str) -> None:
    assert message(side.try_batch(request_)) == f"Invalid requests[0].{next(iter(request_))}: {said}"
