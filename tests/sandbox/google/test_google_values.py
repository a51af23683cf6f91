"""The values calls of the sandbox's Sheets API."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.google_side import Side, message
from sheetsync.sandbox.google import a1
from sheetsync.sandbox.google.cells import Formula


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("Sheet1", "Sheet1!A1:Z1000"),
        ("'Sheet1'", "Sheet1!A1:Z1000"),
        ("A:A", "Sheet1!A1:A1000"),
        ("A1:1", "Sheet1!A1:Z1"),
        ("D4:A1", "Sheet1!A1:D4"),
        ("B2:B", "Sheet1!B2:B1000"),
        ("2:3", "Sheet1!A2:Z3"),
        ("A1:ZZ9999", "Sheet1!A1:Z1000"),
        ("$B$2", "Sheet1!B2"),
        ("'Bob''s tab'!A1", "'Bob''s tab'!A1"),
        ("'D3'!A1", "'D3'!A1"),
        ("Area", "Sheet1!B1:C3"),
        ("'Sheet1'!Area", "Sheet1!B1:C3"),
    ],
)
def test_the_range_of_an_answer_is_normalised(asked: str, said: str) -> None:
    """The answer names the range clamped to the grid, and quotes the tab only where it must."""
    side = Side("Sheet1", "Bob's tab", "D3")
    area = {"endRowIndex": 3, "startRowIndex": 0, "startColumnIndex": 1, "endColumnIndex": 3}
    side.batch({"addNamedRange": {"namedRange": {"name": "Area", "range": area}}})
    assert side.values(asked)["range"] == said


@pytest.mark.parametrize("asked", ["Nowhere", "Nowhere!A1", "A1:B2:C3", "", "A", "'Sheet1", "Sheet1!Nothing"])
def test_a_range_that_cannot_be_read(asked: str) -> None:
    """A missing tab and nonsense are both 400, as for a tab that somebody renamed."""
    response = Side().call("GET", "/values:batchGet", ranges=[asked])
    assert message(response) == f"Unable to parse range: {asked}"


def test_a_range_outside_the_grid() -> None:
    """What begins outside the grid is refused, with the limits."""
    said = "Range (Sheet1!A1001:B1001) exceeds grid limits. Max rows: 1000, max columns: 26"
    assert message(Side().call("GET", "/values/A1001:B1001")) == said
    body = {"values": [["x"]]}
    assert "exceeds grid limits" in message(Side().call("PUT", "/values/AA1", body, valueInputOption="RAW"))


def test_empty_ends_are_trimmed_and_inner_gaps_stay() -> None:
    """No trailing empty cells or rows; inner ones are "" and []; without any value there is no `values`."""
    side = Side()
    side.sheet.set_value(2, 1, "b")
    assert side.values("A1:D9")["values"] == [[], [], ["", "b"]]
    assert side.values("A1:D9", majorDimension="COLUMNS")["values"] == [[], ["", "", "b"]]
    assert side.values("B1:B9")["values"] == [[], [], ["b"]]
    assert "values" not in side.values("E1:F9")


def test_values_are_typed_unless_formatted() -> None:
    """UNFORMATTED gives JSON types and serials, FORMATTED texts, FORMULA the formula."""
    side = Side()
    side.put("A1", [["007", 7, 0.5, True, "=SUM(B1)", "2026-06-01", "45%"]], "USER_ENTERED")
    side.put("H1", [["=1+1", "TRUE", "2026-06-01"]], "RAW")
    raw = ["=1+1", "TRUE", "2026-06-01"]
    plain = side.values("1:1", valueRenderOption="UNFORMATTED_VALUE")["values"][0]
    assert plain == [7, 7, 0.5, True, "#NAME?", 46174, 0.45, *raw]
    assert side.values("1:1")["values"][0] == ["7", "7", "0.5", "TRUE", "#NAME?", "2026-06-01", "45%", *raw]
    formula = side.values("1:1", valueRenderOption="FORMULA")["values"][0]
    assert formula[4:6] == ["=SUM(B1)", 46174]
    dated = side.values("1:1", valueRenderOption="UNFORMATTED_VALUE", dateTimeRenderOption="FORMATTED_STRING")
    assert dated["values"][0][5] == "2026-06-01"


def test_null_is_skipped_and_an_empty_text_clears() -> None:
    """null leaves the cell alone and is not counted; "" empties it and is counted."""
    side = Side()
    side.fill(["a", "b"], ["c", "d"])
    answer = side.put("A1:B2", [[None, "B"], ["", None]])
    assert side.sheet.table() == [["a", "B"], [None, "d"]]
    assert (answer["updatedRange"], answer["updatedCells"]) == ("Sheet1!A1:B2", 2)
    assert (answer["updatedRows"], answer["updatedColumns"]) == (2, 2)


def test_more_values_than_the_range_holds() -> None:
    """A range of several cells holds what is written; a single cell is where writing starts."""
    side = Side()
    refused = side.call("PUT", "/values/A1:B1", {"values": [["a", "b"], ["c"]]}, valueInputOption="RAW")
    assert message(refused) == "Requested writing within range [Sheet1!A1:B1], but tried writing to row [2]"
    side.put("A1", [["a", "b"], ["c"]])
    assert side.sheet.table() == [["a", "b"], ["c", None]]


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_an_object_as_a_cell(value: Any) -> None:
    """Only texts, numbers, booleans and null go into cells; nothing of the failing call stays."""
    side = Side()
    refused = side.call("PUT", "/values/A1", {"values": [["a", value]]}, valueInputOption="RAW")
    assert message(refused).startswith("Invalid values[0][1]: ")
    assert side.sheet.table() == []


def test_no_value_input_option() -> None:
    """How to read what is written must be said."""
    refused = Side().call("PUT", "/values/A1", {"values": [["a"]]})
    assert message(refused) == "'valueInputOption' is required but not specified"


def test_one_bad_part_undoes_the_whole_batch() -> None:
    """values:batchUpdate is all or nothing."""
    side = Side()
    parts = [{"range": "A1", "values": [["a"]]}, {"range": "Gone!A1", "values": [["b"]]}]
    refused = side.call("POST", "/values:batchUpdate", {"valueInputOption": "RAW", "data": parts})
    assert message(refused) == "Unable to parse range: Gone!A1"
    assert side.sheet.table() == []
    assert side.sheet.version == 0


def test_totals_are_unions() -> None:
    """Two rows of the same four columns are four columns."""
    side = Side()
    parts = [{"range": f"A{row}", "values": [[1, 2, 3, 4]]} for row in (1, 2)]
    answer = side.ok(side.call("POST", "/values:batchUpdate", {"valueInputOption": "RAW", "data": parts}))
    counts = [answer[f"totalUpdated{name}"] for name in ("Rows", "Columns", "Cells", "Sheets")]
    assert counts == [2, 4, 8, 1]


def test_append_shifts_to_where_the_last_table_begins() -> None:
    """The recorded trap: a hole makes the next append to the tab land in column C; pinned at A1 it does not."""
    side = Side()
    first = side.append("'Sheet1'", [["x", "", "z"]])
    assert "tableRange" not in first
    second = side.append("'Sheet1'", [["1", "2", "3"]])
    assert (second["tableRange"], second["updates"]["updatedRange"]) == ("Sheet1!C1", "Sheet1!C2:E2")
    other = Side()
    other.append("'Sheet1'!A1", [["x", "", "z"]])
    assert other.append("'Sheet1'!A1", [["1", "2", "3"]])["updates"]["updatedRange"] == "Sheet1!A2:C2"


def test_append_overwrites_unless_told_to_insert() -> None:
    """OVERWRITE writes over what stands below the table; INSERT_ROWS pushes it down."""
    for option, expected in (("OVERWRITE", None), ("INSERT_ROWS", "below")):
        side = Side()
        side.fill(["head", "x"])
        side.sheet.set_value(1, 25, "below")
        side.append("A1", [["new", "row"]], insertDataOption=option)
        assert side.sheet.value(1, 0) == "new"
        assert side.sheet.value(2, 25) == expected


def test_append_at_the_end_of_the_grid_adds_rows() -> None:
    """A full tab grows."""
    side = Side()
    side.batch(
        {
            "updateSheetProperties": {
                "properties": {"gridProperties": {"rowCount": 1}},
                "fields": "gridProperties.rowCount",
            }
        }
    )
    side.fill(["a"])
    side.append("A1", [["b"], ["c"]])
    assert (side.sheet.row_count, side.sheet.table()) == (3, [["a"], ["b"], ["c"]])


def test_clear_keeps_notes_and_formats() -> None:
    """clear takes values alone."""
    side = Side()
    side.put("A1", [["2026-06-01"]], "USER_ENTERED")
    side.sheet.set_note(0, 0, "why")
    assert side.ok(side.call("POST", "/values/A1%3AB2:clear", {}))["clearedRange"] == "Sheet1!A1:B2"
    cell = side.sheet.cell(0, 0)
    assert cell is not None
    assert (cell.value, cell.note, cell.format) == (
        None,
        "why",
        {"numberFormat": {"type": "DATE", "pattern": "yyyy-mm-dd"}},
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("12", 12), ("-1.50", -1.5), ("1,000", 1000), ("1e3", 1000), ("true", True), ("'12", "12"), ("1.2.3", "1.2.3"),
        ("2026-02-30", "2026-02-30"), ("=A1", Formula("=A1")), ("=", "="), ("1_000", "1_000"), ("NaN", "NaN"),
        ("12,34", "12,34"), ("2026-06-01 12:00", 46174.5),
    ],
)  # fmt: skip
def test_typing(typed: str, kept: Any) -> None:
    """USER_ENTERED makes of a text what typing it makes; what is no number, date or formula stays text."""
    side = Side()
    side.put("A1", [[typed]], "USER_ENTERED")
    value = side.sheet.value(0, 0)
    assert (type(value), value) == (type(kept), kept)


def test_text_beyond_the_limit_of_a_cell() -> None:
    """50,000 characters fit, one more is refused."""
    side = Side()
    side.put("A1", [["x" * 50_000]])
    refused = side.call("PUT", "/values/A1", {"values": [["x" * 50_001]]}, valueInputOption="RAW")
    assert "more than the maximum of 50000 characters" in message(refused)


def test_column_names() -> None:
    """Bijective base 26."""
    names = [a1.column_name(index) for index in (0, 25, 26, 701, 702)]
    assert names == ["A", "Z", "AA", "ZZ", "AAA"]
    assert [a1.column_index(name) for name in names] == [0, 25, 26, 701, 702]
