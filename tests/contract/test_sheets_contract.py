"""The sandbox's Sheets API against Google's own description of it: no name, type or value of ours that it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from contract.schema import ContractBroken, checked, method_of, validate_request, validate_response
from sandbox.google_side import Side, text, write

from sheetsync.sandbox.google.batch import KINDS
from sheetsync.sandbox.wire import Request

CELLS = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}
ROWS = {"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
BESIDE = {**CELLS, "startColumnIndex": 4, "endColumnIndex": 6}
WORDS = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "ok"}]}}
LIST = {**WORDS, "strict": True}
BOLD = {"booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {"textFormat": {"bold": True}}}}
CHART = {
    "spec": {
        "title": "Codes",
        "basicChart": {"chartType": "LINE", "domains": [{"domain": {"sourceRange": {"sources": [CELLS]}}}]},
    },
    "position": {"overlayPosition": {"anchorCell": {"sheetId": 0, "rowIndex": 5, "columnIndex": 1}}},
}

# One request of every kind, in an order in which they can all be carried out.
EVERY_KIND: list[dict[str, Any]] = [
    {"updateSpreadsheetProperties": {"properties": {"timeZone": "Europe/Paris"}, "fields": "timeZone"}},
    {"addSheet": {"properties": {"sheetId": 7, "title": "Summary", "gridProperties": {"frozenRowCount": 1}}}},
    {"updateSheetProperties": {"properties": {"sheetId": 7, "title": "Sum", "index": 0}, "fields": "title,index"}},
    {"deleteSheet": {"sheetId": 7}},
    write(0, 0, text("b"), text("x")),
    {"updateCells": {"range": CELLS, "rows": [{"values": [text("a")]}], "fields": "*"}},
    {"appendCells": {"sheetId": 0, "rows": [{"values": [text("c")]}], "fields": "userEnteredValue"}},
    {"repeatCell": {"range": CELLS, "cell": {"note": "n"}, "fields": "note"}},
    {"setDataValidation": {"range": CELLS, "rule": LIST}},
    {"sortRange": {"range": CELLS, "sortSpecs": [{"dimensionIndex": 0, "sortOrder": "DESCENDING"}]}},
    {"findReplace": {"find": "a", "replacement": "z", "allSheets": True, "matchEntireCell": True}},
    {"insertDimension": {"range": ROWS, "inheritFromBefore": True}},
    {"appendDimension": {"sheetId": 0, "dimension": "COLUMNS", "length": 2}},
    {"moveDimension": {"source": ROWS, "destinationIndex": 4}},
    {"updateDimensionProperties": {"range": ROWS, "properties": {"pixelSize": 40}, "fields": "pixelSize"}},
    {"autoResizeDimensions": {"dimensions": ROWS}},
    {"deleteDimension": {"range": ROWS}},
    {"setBasicFilter": {"filter": {"range": CELLS, "sortSpecs": [{"dimensionIndex": 0}]}}},
    {"clearBasicFilter": {"sheetId": 0}},
    {"setBasicFilter": {"filter": {"range": CELLS}}},
    {"addConditionalFormatRule": {"rule": {"ranges": [CELLS], **BOLD}, "index": 0}},
    {"addConditionalFormatRule": {"rule": {"ranges": [CELLS], **BOLD}, "index": 0}},
    {"addConditionalFormatRule": {"rule": {"ranges": [CELLS], **BOLD}, "index": 0}},
    {"updateConditionalFormatRule": {"rule": {"ranges": [CELLS], **BOLD}, "index": 0}},
    {"updateConditionalFormatRule": {"sheetId": 0, "index": 0, "newIndex": 1}},
    {"deleteConditionalFormatRule": {"sheetId": 0, "index": 0}},
    {"addProtectedRange": {"protectedRange": {"protectedRangeId": 3, "range": CELLS, "warningOnly": True}}},
    {"addProtectedRange": {"protectedRange": {"protectedRangeId": 4, "range": CELLS, "editors": {"users": ["a@x"]}}}},
    {"updateProtectedRange": {"protectedRange": {"protectedRangeId": 3, "description": "d"}, "fields": "description"}},
    {"deleteProtectedRange": {"protectedRangeId": 3}},
    {"addNamedRange": {"namedRange": {"namedRangeId": "gone", "name": "Gone", "range": CELLS}}},
    {"deleteNamedRange": {"namedRangeId": "gone"}},
    {"addNamedRange": {"namedRange": {"name": "Kept", "range": CELLS}}},
    {
        "createDeveloperMetadata": {
            "developerMetadata": {"metadataKey": "k", "location": {"dimensionRange": ROWS}, "visibility": "DOCUMENT"}
        }
    },
    {
        "createDeveloperMetadata": {
            "developerMetadata": {"metadataKey": "k", "location": {"spreadsheet": True}, "visibility": "PROJECT"}
        }
    },
    {"addChart": {"chart": {"chartId": 5, **CHART}}},
    {"deleteEmbeddedObject": {"objectId": 5}},
    {"addChart": {"chart": CHART}},
    {"addBanding": {"bandedRange": {"range": CELLS, "rowProperties": {"headerColorStyle": {"themeColor": "ACCENT1"}}}}},
    {"addTable": {"table": {"tableId": "6", "range": BESIDE}}},
    {"updateTable": {"table": {"tableId": "6", "name": "Codes"}, "fields": "name"}},
    {"deleteTable": {"tableId": "6"}},
    {
        "addTable": {
            "table": {"range": BESIDE, "columnProperties": [{"columnType": "DROPDOWN", "dataValidationRule": WORDS}]}
        }
    },
]


@pytest.fixture
def side() -> Side:
    side = Side()
    side.handler = checked(side.handle)
    return side


def test_every_kind_of_request_is_driven() -> None:
    """The list of this file leaves no kind of request of the sandbox out."""
    assert {kind for request in EVERY_KIND for kind in request} == set(KINDS)


def test_every_kind_in_one_batch_with_the_book_in_the_answer(side: Side) -> None:
    """Each request and reply has the shape that Google describes, and so has the whole book afterwards."""
    answer = side.batch(*EVERY_KIND, includeSpreadsheetInResponse=True, responseIncludeGridData=True)
    assert len(answer["replies"]) == len(EVERY_KIND)
    shown = answer["updatedSpreadsheet"]
    assert {"namedRanges", "developerMetadata"} <= set(shown)
    kinds = {"charts", "conditionalFormats", "protectedRanges", "basicFilter", "bandedRanges", "tables", "data"}
    assert kinds <= set(shown["sheets"][0])


@pytest.mark.parametrize("request_", EVERY_KIND, ids=lambda request: next(iter(request)))
def test_null_in_place_of_any_field_is_answered(side: Side, request_: dict[str, Any]) -> None:
    """Null means not set: the answer is a success or a refusal of Google's shape, never a failure of the sandbox."""
    kind, payload = next(iter(request_.items()))
    for name in payload:
        response = side.try_batch({kind: {**payload, name: None}})
        assert response.status in (200, 400), name


@pytest.mark.parametrize("render", ["FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"])
@pytest.mark.parametrize("major", ["ROWS", "COLUMNS"])
def test_reading_values(side: Side, render: str, major: str) -> None:
    """values.get and values:batchGet, with values, without any, and each way of rendering."""
    side.put("A1", [["a", 1, True, "=A1", "2026-06-01"], [], ["b"]], "USER_ENTERED")
    query = {"valueRenderOption": render, "majorDimension": major, "dateTimeRenderOption": "FORMATTED_STRING"}
    assert "values" in side.values("Sheet1", **query)
    assert "values" not in side.values("Sheet1!X1:Z9", **query)
    batch = side.call("GET", "/values:batchGet", ranges=["A1:B2", "C:C"], **query)
    assert len(side.ok(batch)["valueRanges"]) == 2


def test_writing_values(side: Side) -> None:
    """values.update, values:batchUpdate, append, clear and batchClear, with the values in the answer."""
    back = {"includeValuesInResponse": "true", "responseValueRenderOption": "UNFORMATTED_VALUE"}
    side.put("A1:B2", [["a", None], [1, True]], **back)
    side.append("A1", [["z"]], insertDataOption="INSERT_ROWS", **back)
    body = {
        "valueInputOption": "RAW",
        "data": [{"range": "A5", "majorDimension": None, "values": [["q"]]}],
        "includeValuesInResponse": True,
        "responseDateTimeRenderOption": None,
    }
    assert side.ok(side.call("POST", "/values:batchUpdate", body))["responses"][0]["updatedData"]["values"] == [["q"]]
    side.ok(side.call("POST", "/values/A1:clear", {}))
    side.ok(side.call("POST", "/values:batchClear", {"ranges": ["A1:B2", "C1"]}))


@pytest.mark.parametrize(
    "fields",
    [
        "spreadsheetId",
        "properties(timeZone,locale),sheets(properties(sheetId,title,gridProperties))",
        "sheets/data/rowData/values/note",
        "namedRanges,sheets.data(startRow,rowMetadata.pixelSize,rowData.values(userEnteredFormat.textFormat.bold))",
        "*",
    ],
)
def test_getting_the_book(side: Side, fields: str) -> None:
    """spreadsheets.get, whatever the mask leaves of it."""
    side.batch(*EVERY_KIND)
    side.get(fields=fields, ranges=["A1:C3", "A5"])
    side.get(includeGridData="True")


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [
        ("GET", "/values/Nowhere", None),
        ("GET", "/values/A9999", None),
        ("PUT", "/values/A1", {"values": [["x"]]}),
        ("POST", ":batchUpdate", {"requests": []}),
        ("POST", ":batchUpdate", {"requests": [{"updateCells": {"rows": []}}]}),
        ("POST", ":batchUpdate", {"requests": [{"deleteSheet": {"sheetId": 9}}]}),
    ],
)
def test_refusals_have_googles_envelope(side: Side, method: str, tail: str, body: Any) -> None:
    """What is refused is refused with code, message and status."""
    assert side.call(method, tail, body).status == 400


def test_no_permission_and_no_token_have_googles_envelope(side: Side) -> None:
    """401, 403, 404 and 429."""
    side.google.quota = True
    assert side.call("GET", "", token=None).status == 401
    assert side.call("GET", "", token="other").status == 403
    assert side.call("GET", "", book="nowhere").status == 404
    assert [side.call("GET", "").status for _ in range(61)][-1] == 429


def test_a_misspelt_name_is_caught() -> None:
    """The check is strict: an unknown name, a wrong type, an unknown parameter and a wrong enum value all fail."""
    batch, update = "sheets.spreadsheets.batchUpdate", "sheets.spreadsheets.values.update"
    with pytest.raises(ContractBroken, match="updateCell"):
        validate_request(batch, [], {"requests": [{"updateCell": {}}]})
    with pytest.raises(ContractBroken, match="updateRange"):
        validate_response(update, {"updateRange": "A1"})
    with pytest.raises(ContractBroken, match="integer"):
        validate_response(update, {"updatedRows": "1"})
    with pytest.raises(ContractBroken, match="raw"):
        validate_request(update, [("valueInputOption", "raw")], {"values": []})
    with pytest.raises(ContractBroken, match="field"):
        validate_request(update, [("field", "x")], {"values": []})


def test_a_range_with_colons_is_no_verb() -> None:
    """`/values/A1:B2` is values.get; `/values/A1:B2:clear` is values.clear."""
    get, clear = (
        method_of("GET", "/v4/spreadsheets/i/values/A1:B2"),
        method_of("POST", "/v4/spreadsheets/i/values/A1:B2:clear"),
    )
    assert get is not None
    assert clear is not None
    assert (get.id, clear.id) == ("sheets.spreadsheets.values.get", "sheets.spreadsheets.values.clear")


def test_a_body_of_another_shape_is_refused_and_changes_nothing() -> None:
    """Lists for objects, texts for lists, numbers for names: 400 in Google's envelope, and the book stays."""
    side = Side()
    shapes: list[Any] = [[], "x", 7, {"requests": "x"}, {"requests": [7]}, {"requests": [{"updateCells": 7}]}]
    shapes += [{"requests": [write(0, 0, text("a")), {kind: {}}]} for kind in KINDS]
    for body in shapes:
        path = f"/v4/spreadsheets/{side.book.id}:batchUpdate"
        sent = Request("POST", path, (), {"authorization": "Bearer bot"}, json.dumps(body).encode())
        response = side.handle(sent)
        if response.status != 200:
            assert set(response.json()["error"]) >= {"code", "message", "status"}, body
            assert response.status == 400
            assert side.sheet.value(0, 0) is None
        side.sheet.set_value(0, 0, None)
