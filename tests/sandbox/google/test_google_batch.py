"""spreadsheets.batchUpdate of the sandbox's Sheets API: cells, structure, and what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.google_side import Side, message, text, write
from sheetsync.sandbox.google.batch import KINDS
from sheetsync.sandbox.wire import Request

TAKEN = 'A sheet with the name "Sheet1" already exists. Please enter another name.'
NO_FIELDS = "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)"
ALL_HIDDEN = "You can't hide all the sheets in a document."
FORMAT = {"numberFormat": {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm"}}


def test_write_and_verify_in_one_call() -> None:
    """The answer shows the cells asked for as they are after the writing, and only the fields asked for."""
    side = Side("Tracker")
    side.fill(["Video ID", "Status"], ["v1", "pending"])
    answer = side.batch(
        write(1, 1, text("in_review")),
        includeSpreadsheetInResponse=True,
        responseRanges=["Tracker!A2:B2"],
        fields="updatedSpreadsheet.sheets.data(startRow,rowData.values.effectiveValue)",
    )
    values = [{"effectiveValue": {"stringValue": "v1"}}, {"effectiveValue": {"stringValue": "in_review"}}]
    assert answer == {"updatedSpreadsheet": {"sheets": [{"data": [{"startRow": 1, "rowData": [{"values": values}]}]}]}}


def test_absent_and_null_values_under_the_mask_clear() -> None:
    """What the mask names and the cell lacks is emptied; what the mask does not name stays."""
    side = Side()
    side.fill(["a", "b", "c"])
    side.sheet.set_note(0, 0, "n")
    side.batch(write(0, 0, {}, {"userEnteredValue": None}, text("C")))
    assert side.sheet.table() == [[None, None, "C"]]
    assert side.sheet.note(0, 0) == "n"
    side.batch(write(0, 0, {}, fields="note"))
    assert side.sheet.cell(0, 0) is None


def test_a_range_is_cleared_where_no_rows_cover_it() -> None:
    """updateCells with a range empties the rest of it."""
    side = Side()
    side.fill(["a", "b"], ["c", "d"], ["e", "f"])
    area = {"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2}
    side.batch({"updateCells": {"range": area, "rows": [{"values": [text("A")]}], "fields": "userEnteredValue"}})
    assert side.sheet.table() == [["A", None], [None, None], ["e", "f"]]


def test_text_is_never_parsed() -> None:
    """stringValue stays text, whatever it looks like; a number with a date format shows as a date."""
    side = Side()
    date = {"userEnteredValue": {"numberValue": 46174.5}, "userEnteredFormat": FORMAT}
    side.batch(write(0, 0, text("=1+1"), text("007"), date, fields="userEnteredValue,userEnteredFormat.numberFormat"))
    assert side.values("1:1")["values"] == [["=1+1", "007", "2026-06-01 12:00"]]
    assert side.sheet.value(0, 2) == 46174.5


def test_a_new_value_takes_chips_with_it() -> None:
    """Chips and text runs belong to the old value."""
    side = Side()
    runs = {**text("@"), "chipRuns": [{"chip": {"personProperties": {"email": "a@x"}}}]}
    side.batch(write(0, 0, runs, fields="userEnteredValue,chipRuns"))
    side.batch(write(0, 0, text("b")))
    cell = side.sheet.cell(0, 0)
    assert cell is not None
    assert (cell.value, cell.extra) == ("b", None)


def test_nothing_of_a_failing_batch_stays() -> None:
    """The first requests are undone: cells, size, tabs, names, protections, titles, versions."""
    side = Side()
    side.fill(["a"], ["b"])
    before = side.google.dump()
    response = side.try_batch(
        write(0, 0, text("changed")),
        {"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 0, "endIndex": 5}}},
        {"addSheet": {"properties": {"title": "New"}}},
        {"addNamedRange": {"namedRange": {"name": "N", "range": {"startRowIndex": 0, "endRowIndex": 1}}}},
        {"addProtectedRange": {"protectedRange": {"range": {"startRowIndex": 0, "endRowIndex": 1}}}},
        {"updateSpreadsheetProperties": {"properties": {"title": "T"}, "fields": "title"}},
        {"deleteSheet": {"sheetId": 99}},
    )
    assert message(response) == "Invalid requests[6].deleteSheet: No grid with id: 99"
    assert side.google.dump() == before


def rows(end: int) -> dict[str, Any]:
    """insertDimension of rows, from the top."""
    return {"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 0, "endIndex": end}}}


@pytest.mark.parametrize("end", [10**30, 2**31])
def test_a_number_out_of_range_undoes_the_whole_batch(end: int) -> None:
    """Google takes an index as int32 and refuses the call; what came before it in the batch is undone."""
    side = Side()
    side.fill(["a"], ["b"])
    before = side.google.dump()
    response = side.try_batch(write(0, 0, text("changed")), rows(end))
    said = "Invalid value at 'requests[1].insert_dimension.range.end_index' (TYPE_INT32), a number is out of range"
    assert (response.status, message(response)) == (400, said)
    assert response.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert side.google.dump() == before


def test_an_answer_that_cannot_be_written_undoes_the_whole_batch() -> None:
    """Half of a UTF-16 pair is no text: the call fails only when its answer is put together, and nothing stays."""
    side = Side()
    before = side.google.dump()
    response = side.try_batch(
        write(0, 0, text("\ud83d")),
        includeSpreadsheetInResponse=True,
        responseRanges=["A1"],
        responseIncludeGridData=True,
    )
    assert response.status == 400
    assert side.google.dump() == before


def test_a_bug_of_the_sandbox_undoes_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised that no bad request explains: 500 in Google's words, and the book as it was."""

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(KINDS, "deleteSheet", (fail, "sheetId"))
    side = Side()
    side.fill(["a"])
    before = side.google.dump()
    response = side.try_batch(write(0, 0, text("changed")), {"deleteSheet": {"sheetId": 1}})
    assert (response.status, response.json()["error"]["status"]) == (500, "INTERNAL")
    assert side.google.dump() == before


def test_a_batch_that_is_interrupted_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a batch gets through, and leaves nothing half done."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(KINDS, "deleteSheet", (interrupt, "sheetId"))
    side = Side()
    before = side.google.dump()
    with pytest.raises(KeyboardInterrupt):
        side.try_batch(write(0, 0, text("changed")), {"deleteSheet": {"sheetId": 1}})
    assert side.google.dump() == before


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"deleteSheet": {"sheetId": 0}}, "You can't remove all the sheets in a document."),
        ({"addSheet": {"properties": {"title": "Sheet1"}}}, TAKEN),
        ({"updateCells": {"rows": [], "start": {}}}, NO_FIELDS),
        ({"updateSheetProperties": {"properties": {"hidden": True}, "fields": "hidden"}}, ALL_HIDDEN),
        (write(1000, 0, text("x")), "GridCoordinate.rowIndex[1000] is after last row in grid[1000]"),
        (write(0, 25, text("x"), text("y")), "Attempting to write column: 26, beyond the last column of: 25"),
        ({"deleteConditionalFormatRule": {"index": 0}}, "No conditional format on sheet: 0 at index: 0"),
    ],
)  # fmt: skip
def test_refusals(request_: dict[str, Any], said: str) -> None:
    """A refusal names the request and the reason."""
    kind = next(iter(request_))
    assert message(Side().try_batch(request_)) == f"Invalid requests[0].{kind}: {said}"


def test_a_misspelt_name_in_a_request() -> None:
    """Unknown names are refused as by the real API, with their place."""
    said = message(Side().try_batch({"updateCells": {"row": []}}))
    assert (
        said == "Invalid JSON payload received. Unknown name \"row\" at 'requests[0].update_cells': Cannot find field."
    )


def test_a_mask_with_an_unknown_name() -> None:
    """A field that does not exist is refused; a field that is merely empty leaves a skeleton."""
    side = Side()
    assert side.call("GET", "", fields="sheets.protectedRange").status == 400
    assert side.get(fields="namedRanges") == {}
    assert side.get(fields="sheets.data.rowData.values.note") == {"sheets": [{"data": [{}]}]}


def test_a_cell_property_mask_keeps_the_rest_of_the_format() -> None:
    """Formats are merged under the mask, one field at a time."""
    side = Side()
    area = {"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 1}
    bold = {"userEnteredFormat": {"textFormat": {"bold": True}, **FORMAT}}
    side.batch({"repeatCell": {"range": area, "cell": bold, "fields": "userEnteredFormat"}})
    italic = {"userEnteredFormat": {"textFormat": {"italic": True}}}
    side.batch({"repeatCell": {"range": area, "cell": italic, "fields": "userEnteredFormat.textFormat.italic"}})
    cell = side.sheet.cell(1, 0)
    assert cell is not None
    assert cell.format == {"textFormat": {"bold": True, "italic": True}, **FORMAT}


def test_sorting_carries_notes_formats_and_validations() -> None:
    """Numbers come before texts, booleans after, empty cells last; whatever hangs on a cell goes with it."""
    side = Side()
    side.fill(["x", 1], [None, 2], [True, 3], ["B", 4], [10, 5], ["a", 6])
    side.sheet.set_note(5, 0, "of a")
    area = {"startRowIndex": 0, "endRowIndex": 6, "startColumnIndex": 0, "endColumnIndex": 2}
    side.batch({"sortRange": {"range": area, "sortSpecs": [{"dimensionIndex": 0}]}})
    assert side.sheet.table() == [[10, 5], ["a", 6], ["B", 4], ["x", 1], [True, 3], [None, 2]]
    assert side.sheet.note(1, 0) == "of a"
    side.batch({"sortRange": {"range": area, "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "DESCENDING"}]}})
    assert [line[0] for line in side.sheet.table()] == [True, "x", "B", "a", 10, None]


def test_find_and_replace_counts_what_it_found() -> None:
    """Nothing found is an empty reply; a copied row shows as two."""
    side = Side()
    side.fill(["token-1"], ["token-1 "], ["token-1"])
    request = {"findReplace": {"find": "token-1", "replacement": "done", "sheetId": 0, "matchEntireCell": True}}
    assert side.batch(request)["replies"][0]["findReplace"]["occurrencesChanged"] == 2
    assert side.batch(request)["replies"] == [{"findReplace": {}}]


def test_drive_says_when_the_book_changed() -> None:
    """Version and time move with a write, not with a read."""
    side = Side()

    def file() -> Any:
        query = (("fields", "version,modifiedTime"),)
        return side.handle(
            Request("GET", f"/drive/v3/files/{side.book.id}", query, {"authorization": "Bearer bot"})
        ).json()

    first = file()
    side.pass_time(1.5)
    side.values("A1")
    assert file() == first
    side.batch(write(0, 0, text("x")))
    assert int(file()["version"]) > int(first["version"])
    assert (first["modifiedTime"], file()["modifiedTime"]) == ("2026-06-01T12:00:00.000Z", "2026-06-01T12:00:01.500Z")
