"""People's edits through the grid: what goes along when rows and columns come, go, move and are sorted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.google_side import BOT, Side, message, text, write
from sheetsync.sandbox.google.service import Google

LIST = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "request"}]}}
# Rows 3 to 5 of the first two columns.
AREA = {"startRowIndex": 2, "endRowIndex": 5, "startColumnIndex": 0, "endColumnIndex": 2}
RULE = {"booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {}}}


def laid(side: Side) -> Side:
    """A filled sheet with one object of every kind on AREA."""
    side.fill(*[[f"r{row}", row] for row in range(8)])
    side.batch(
        {"addProtectedRange": {"protectedRange": {"range": AREA, "warningOnly": True}}},
        {"addConditionalFormatRule": {"rule": {"ranges": [AREA], **RULE}}},
        {"setBasicFilter": {"filter": {"range": AREA}}},
        {"addNamedRange": {"namedRange": {"name": "Area", "range": AREA}}},
        {"setDataValidation": {"range": AREA, "rule": LIST}},
    )
    return side


def spans(side: Side, *keys: str) -> set[tuple[int, ...]]:
    """Where everything that was laid on AREA now lies."""
    sheet = side.sheet
    ranges = [sheet.attached["protectedRanges"][0]["range"], sheet.attached["conditionalFormats"][0]["ranges"][0]]
    assert sheet.basic_filter is not None
    ranges += [sheet.basic_filter["range"], side.book.named_ranges[0]["range"]]
    return {tuple(range_[key] for key in keys or ("startRowIndex", "endRowIndex")) for range_ in ranges}


@pytest.mark.parametrize(
    ("at", "count", "span"),
    [(0, 2, (4, 7)), (2, 1, (3, 6)), (3, 2, (2, 7)), (5, 1, (2, 5)), (7, 1, (2, 5))],
)
def test_ranges_follow_inserted_rows(at: int, count: int, span: tuple[int, int]) -> None:
    """Above they shift, inside they grow, below they stay."""
    side = laid(Side())
    side.sheet.insert_rows(at, count)
    assert spans(side) == {span}
    assert [row[0] for row in side.sheet.table()][at : at + count] == [None] * count
    assert side.sheet.row_count == 1000 + count


@pytest.mark.parametrize(
    ("at", "count", "span"), [(0, 1, (1, 4)), (1, 2, (1, 3)), (3, 1, (2, 4)), (4, 3, (2, 4)), (6, 1, (2, 5))]
)
def test_ranges_follow_deleted_rows(at: int, count: int, span: tuple[int, int]) -> None:
    """Above they shift, inside they shrink, below they stay."""
    side = laid(Side())
    side.sheet.delete_rows(at, count)
    assert spans(side) == {span}
    assert len(side.sheet.table()) == 8 - count


def test_what_lies_wholly_on_deleted_rows_is_gone() -> None:
    """Protections, rules, filters and names go with their rows."""
    side = laid(Side())
    side.sheet.delete_rows(2, 3)
    assert side.sheet.attached == {"protectedRanges": [], "conditionalFormats": []}
    assert (side.sheet.basic_filter, side.book.named_ranges) == (None, [])


def test_ranges_follow_columns() -> None:
    """The same for columns, with cells and notes."""
    side = laid(Side())
    side.sheet.set_note(3, 1, "n")
    side.sheet.insert_columns(1, 2)
    assert spans(side, "startColumnIndex", "endColumnIndex") == {(0, 4)}
    assert (side.sheet.value(3, 3), side.sheet.note(3, 3)) == (3, "n")
    side.sheet.delete_columns(0, 3)
    assert spans(side, "startColumnIndex", "endColumnIndex") == {(0, 1)}
    assert (side.sheet.value(3, 0), side.sheet.column_count) == (3, 25)


def test_ranges_follow_moved_rows() -> None:
    """Moved whole they go along; moved within they stay."""
    side = laid(Side())
    side.sheet.move_rows(2, 5, 8)
    assert [row[0] for row in side.sheet.table()] == ["r0", "r1", "r5", "r6", "r7", "r2", "r3", "r4"]
    assert spans(side) == {(5, 8)}
    side.sheet.move_rows(7, 8, 5)
    assert [row[0] for row in side.sheet.table()][5:] == ["r4", "r2", "r3"]
    assert spans(side) == {(5, 8)}


def test_moving_up_and_beyond_the_last_filled_row() -> None:
    """The destination is counted before the move."""
    side = Side()
    side.fill(["a"], ["b"], ["c"])
    side.sheet.move_rows(2, 3, 0)
    assert side.sheet.table() == [["c"], ["a"], ["b"]]
    side.sheet.move_rows(0, 1, 10)
    assert [side.sheet.value(row, 0) for row in (0, 1, 9)] == ["a", "b", "c"]
    side.sheet.move_columns(0, 1, 3)
    assert side.sheet.value(9, 2) == "c"


def test_an_inserted_row_takes_format_and_validation_from_its_neighbour() -> None:
    """No value and no note."""
    side = laid(Side())
    side.sheet.set_note(2, 0, "n")
    side.sheet.insert_rows(2)
    cell = side.sheet.cell(2, 0)
    assert cell is not None
    assert (cell.value, cell.note, cell.validation) == (None, None, LIST)


def test_row_metadata_follows_insertion_and_deletion_not_sorting() -> None:
    """It hangs on the row itself: sorting moves cells past it."""
    side = Side()
    side.fill(["b"], ["a"])
    row = {"dimension": "ROWS", "startIndex": 1, "endIndex": 2}
    entry = {"metadataKey": "k", "metadataValue": "v", "location": {"dimensionRange": row}, "visibility": "DOCUMENT"}
    side.batch({"createDeveloperMetadata": {"developerMetadata": entry}})
    side.sheet.insert_rows(0, 3)
    side.sheet.sort(side.sheet.area(bottom=5, right=1), 0)
    assert side.book.metadata[0]["location"]["dimensionRange"]["startIndex"] == 4
    lines = side.get(fields="sheets.data.rowMetadata.developerMetadata.metadataValue", ranges="A5")
    assert lines["sheets"][0]["data"][0]["rowMetadata"] == [{"developerMetadata": [{"metadataValue": "v"}]}]
    side.sheet.delete_rows(4)
    assert side.book.metadata == []


def test_sorting_by_several_columns_leaves_the_rest_of_the_row() -> None:
    """The first column weighs most; cells outside the area stay where they are."""
    side = Side()
    side.fill(["b", 1, "x"], ["a", 1, "y"], ["a", 2, "z"])
    side.sheet.sort(side.sheet.area(bottom=3, right=2), [0, 1], [True, False])
    assert side.sheet.table() == [["a", 2, "x"], ["a", 1, "y"], ["b", 1, "z"]]


def test_rows_used_after_every_kind_of_edit() -> None:
    """Formatted empty rows do not count, whatever was done before."""
    side = laid(Side())
    assert (side.sheet.rows_used, side.sheet.columns_used) == (8, 2)
    side.sheet.set_value(7, 0, None)
    side.sheet.set_value(7, 1, None)
    assert side.sheet.rows_used == 7
    side.sheet.insert_rows(3, 2)
    assert side.sheet.rows_used == 9
    side.sheet.delete_rows(5, 100)
    assert side.sheet.rows_used == 3
    side.sheet.move_rows(0, 1, 20)
    assert side.sheet.rows_used == 20
    side.sheet.sort(side.sheet.area(), 0)
    assert side.sheet.rows_used == 3


def test_a_person_types() -> None:
    """Typing parses, setting does not; outside the grid is an error of the script."""
    side = Side()
    side.sheet.enter(0, 0, "2026-06-01")
    side.sheet.set_value(0, 1, "2026-06-01")
    assert side.sheet.table() == [[46174, "2026-06-01"]]
    with pytest.raises(IndexError, match="no cell 1000, 0"):
        side.sheet.set_value(1000, 0, "x")


def test_a_saved_book_comes_back() -> None:
    """Through JSON and back, everything is the same, tokens and the next ids included."""
    side = laid(Side("Tracker", "Summary"))
    side.put("A1", [["=A1", "2026-06-01"]], "USER_ENTERED")
    saved = json.loads(json.dumps(side.google.dump()))
    other = Google(lambda: side.now, 99)
    other.restore(saved)
    assert json.loads(json.dumps(other.dump())) == saved
    assert other.book(side.book.id).sheets[0].table() == side.sheet.table()
    assert other.oauth.email("Bearer bot") == BOT
    assert other.create_spreadsheet("next").id == side.google.create_spreadsheet("next").id


def test_a_range_that_a_person_protected() -> None:
    """A hard protection stops the service account, whole call; a warning does not, nor does being an editor."""
    side = Side()
    area: dict[str, Any] = {"protectedRange": {"protectedRangeId": 1, "range": AREA}}
    side.batch({"addProtectedRange": area}, token="owner")
    said = "You are trying to edit a protected cell or object."
    refused = side.try_batch(write(0, 0, {}), write(2, 0, {}))
    assert message(refused).startswith(f"Invalid requests[1].updateCells: {said}")
    assert message(side.call("PUT", "/values/A3", {"values": [["x"]]}, valueInputOption="RAW")).startswith(said)
    assert side.try_batch({"deleteProtectedRange": {"protectedRangeId": 1}}).status == 400
    assert "editors" not in side.get(fields="sheets.protectedRanges")["sheets"][0]["protectedRanges"][0]
    lines = {"dimension": "ROWS", "startIndex": 3, "endIndex": 4}
    assert side.try_batch({"deleteDimension": {"range": lines}}).status == 400
    editors = {"protectedRange": {"protectedRangeId": 1, "editors": {"users": [BOT]}}, "fields": "editors"}
    side.batch({"updateProtectedRange": editors}, token="owner")
    side.batch(write(2, 0, {}))


def test_who_is_told_which_editors() -> None:
    """The owner all of them, an editor himself alone; of a warning, which has none, whoever made it."""
    side = Side()
    hard = {"range": AREA, "editors": {"users": [BOT, "eve@example.com"]}}
    side.batch({"addProtectedRange": {"protectedRange": hard}}, token="owner")
    side.batch({"addProtectedRange": {"protectedRange": {"range": AREA, "warningOnly": True}}}, token="owner")

    def told(token: str) -> list[Any]:
        answer = side.ok(side.call("GET", "", token=token, fields="sheets.protectedRanges"))
        return [held["editors"]["users"] for held in answer["sheets"][0]["protectedRanges"]]

    owner = side.book.owner
    assert told("owner") == [sorted([BOT, "eve@example.com", owner]), [owner]]
    assert told("bot") == [[BOT], [owner]]


def test_a_warning_that_becomes_a_lock_lets_everybody_in_who_is_not_named() -> None:
    side = Side()
    made = {"protectedRangeId": 1, "range": AREA, "warningOnly": True}
    side.batch({"addProtectedRange": {"protectedRange": made}}, token="owner")
    change = {"protectedRange": {"protectedRangeId": 1, "description": "d"}, "fields": "description"}
    side.batch({"updateProtectedRange": change}, token="owner")
    change = {"protectedRange": {"protectedRangeId": 1}, "fields": "warningOnly"}
    side.batch({"updateProtectedRange": change}, token="owner")
    side.batch(write(0, 0, text("x")))


def test_a_protected_sheet() -> None:
    """Nobody else adds lines to a sheet protected as a whole; its unprotected part may be written."""
    side = Side()
    side.batch({"addProtectedRange": {"protectedRange": {"range": {}, "unprotectedRanges": [AREA]}}}, token="owner")
    side.batch(write(2, 0, {}))
    assert side.try_batch(write(0, 0, {})).status == 400
    assert side.try_batch({"appendDimension": {"sheetId": 0, "dimension": "ROWS", "length": 1}}).status == 400


@pytest.mark.parametrize("included", [False, True])
def test_a_validation_leaves_out_rows_that_a_filter_hides(included: bool) -> None:
    """Unless they are asked for."""
    side = Side()
    side.fill(*[[f"r{row}"] for row in range(6)])
    side.sheet.basic_filter = {"filterSpecs": [{"columnIndex": 0, "filterCriteria": {"hiddenValues": ["r3", "r4"]}}]}
    area = {**AREA, "endRowIndex": 7, "endColumnIndex": 1}
    side.batch({"setDataValidation": {"range": area, "rule": LIST, "filteredRowsIncluded": included}})
    ruled = [row for row in range(10) if (cell := side.sheet.cell(row, 0)) and cell.validation]
    assert ruled == ([2, 3, 4, 5, 6] if included else [2, 5, 6])


def test_a_strict_dropdown_may_hold_for_programs_too() -> None:
    """Said to be otherwise, and never recorded: the book can be told. An empty cell and a word of the list pass."""
    side = Side()
    side.batch({"setDataValidation": {"range": AREA, "rule": {**LIST, "strict": True}}})
    top, left = AREA["startRowIndex"], AREA["startColumnIndex"]
    side.batch(write(top, left, text("another")))
    side.book.is_strict = True
    side.batch(write(top, left, text("request"), {}))
    said = "The data you entered in cell B3 violates the data validation rules set on this cell."
    answer = side.try_batch(write(top, left, text("request"), text("another")))
    assert message(answer) == f"Invalid requests[0].updateCells: {said}"
    side.google.restore(side.google.dump())
    assert side.google.book(side.book.id).is_strict
