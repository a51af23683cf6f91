"""Tables, merging by request, and the switches by which Google does one thing otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.google_side import Side, message, text, write
from sheetsync.sandbox.google import store
from sheetsync.sandbox.google.service import Google

TABLE = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}
COLUMNS = [{"columnName": "Code", "columnType": "TEXT"}, {"columnIndex": 1, "columnName": "When", "columnType": "DATE"}]
DATED = {"userEnteredValue": {"numberValue": 46193}, "userEnteredFormat": {"numberFormat": {"type": "DATE"}}}
FORMATS = "userEnteredValue,userEnteredFormat.numberFormat"


def at(row: int, column: int, fields: str = FORMATS) -> dict[str, Any]:
    start = {"rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": [{"values": [DATED]}], "fields": fields}}


@pytest.fixture
def side() -> Side:
    side = Side()
    made = side.batch({"addTable": {"table": {"name": "Codes", "range": TABLE, "columnProperties": COLUMNS}}})
    assert made["replies"][0]["addTable"]["table"]["tableId"]
    return side


def test_a_table_takes_values_and_no_formats(side: Side) -> None:
    """Its header row and what lies beside it are cells like any; its headers are the names of its columns."""
    assert side.sheet.table() == [["Code", "When"]]
    side.batch(write(1, 0, text("#c")), at(1, 1, "userEnteredValue"), at(0, 1), at(1, 2))
    said = message(side.try_batch(at(2, 1)))
    assert "You can't set the number format of cells in a typed column." in said
    assert side.sheet.value(2, 1) is None


def test_a_table_is_shown_and_removed(side: Side) -> None:
    """No second one lies over it; without it cells are cells again."""
    held = side.get(fields="sheets(tables)")["sheets"][0]["tables"][0]
    assert (held["name"], held["columnProperties"]) == ("Codes", COLUMNS)
    assert "over another table" in message(side.try_batch({"addTable": {"table": {"range": TABLE}}}))
    assert "No table with id: x" in message(side.try_batch({"deleteTable": {"tableId": "x"}}))
    side.batch({"deleteTable": {"tableId": held["tableId"]}}, at(1, 1))
    assert side.get(fields="sheets(tables)")["sheets"] == [{}]


def test_merging_keeps_what_stands_at_the_top_left() -> None:
    """The cells under it are emptied, and swallow what is written later."""
    side = Side()
    side.batch(write(0, 0, text("kept"), text("lost")))
    side.batch({"mergeCells": {"range": TABLE, "mergeType": "MERGE_ALL"}}, write(1, 1, text("swallowed")))
    assert side.sheet.table() == [["kept"]]
    assert "MERGE_ALL only" in message(side.try_batch({"mergeCells": {"range": TABLE, "mergeType": "MERGE_ROWS"}}))


def test_switches_hold_for_every_book_and_are_kept() -> None:
    """Also for one that is made later; an unknown one changes nothing."""
    side = Side()
    side.google.set_quirks(["text_as_formula"])
    with pytest.raises(ValueError, match="there is no quirk moody"):
        side.google.set_quirks(["moody"])
    later = side.google.create_spreadsheet("Later")
    side.batch(write(0, 0, text("=1")))
    assert later.quirks == side.book.quirks == {"text_as_formula"}
    assert side.sheet.value(0, 0) == "=1"
    assert side.get(fields="sheets(data(rowData(values(userEnteredValue))))") == {
        "sheets": [{"data": [{"rowData": [{"values": [{"userEnteredValue": {"formulaValue": "=1"}}]}]}]}]
    }
    again = Google(lambda: side.now, 0)
    again.restore(side.google.dump())
    assert {book.quirks for book in again.books.values()} == {frozenset({"text_as_formula"})}
    assert store.restore_book(store.dump_book(side.book), lambda: side.now).quirks == frozenset()


def test_tables_move_along_and_are_kept(side: Side) -> None:
    """A row inserted above moves the table; the sandbox's file holds it."""
    rows = {"dimension": "ROWS", "startIndex": 0, "endIndex": 1}
    side.batch({"insertDimension": {"range": rows}})
    restored = store.restore_book(store.dump_book(side.book), lambda: side.now)
    assert restored.sheets[0].attached["tables"][0]["range"]["startRowIndex"] == 1
