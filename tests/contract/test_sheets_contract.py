"""The sandbox's Sheets API against Google's own description of it: no name, type or value of ours that it lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from contract.samples import EVERY_KIND
from sandbox.google_side import Side, message, text, write
from support.held import held_against_google

from sheetsync.sandbox.google import batch
from sheetsync.sandbox.google.batch import KINDS
from sheetsync.sandbox.google.schema import Schema, SchemaBroken, google_schema
from sheetsync.sandbox.wire import Request


@pytest.fixture(autouse=True)
def schema() -> Iterator[Schema]:
    """Every answer here is Google's; what is refused, the tests say themselves."""
    with held_against_google(refusals=True) as held:
        yield held


@pytest.fixture
def side() -> Side:
    return Side()


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


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"updateCell": {}}, "Unknown name \"updateCell\" at 'requests[0]': Cannot find field."),
        (
            {"updateCells": {"start": {"sheet": 0}, "fields": "*"}},
            "Unknown name \"sheet\" at 'requests[0].update_cells.start': Cannot find field.",
        ),
        (
            write(0, 0, {"userEnteredValue": {"numberValue": "5"}}),
            "Invalid value at 'requests[0].update_cells.rows[0].values[0].user_entered_value.number_value' "
            '(TYPE_DOUBLE), "5"',
        ),
        (
            {"appendDimension": {"dimension": "ROW", "length": 1}},
            "Invalid value at 'requests[0].append_dimension.dimension' "
            '(type.googleapis.com/google.apps.sheets.v4.AppendDimensionRequest.Dimension), "ROW"',
        ),
        (
            {"deleteSheet": [{"sheetId": 7}]},
            "Unknown name \"delete_sheet\" at 'requests[0]': Proto field is not repeating, cannot start list.",
        ),
        (
            {"deleteSheet": {"sheetId": {}}},
            "Invalid value at 'requests[0].delete_sheet.sheet_id' (TYPE_INT32), Starting an object on a scalar field",
        ),
        (
            {"findReplace": {"find": "a", "sheetId": 0, "allSheets": True}},
            "Invalid value at 'requests[0].find_replace' (oneof), oneof field 'scope' is already set. "
            "Cannot set 'allSheets'",
        ),
        (
            write(0, 0, text("x"), fields="userEnteredValue,userEnteredFormat.textFormat.fat"),
            "Invalid requests[0].updateCells: Invalid field: userEnteredFormat.textFormat.fat",
        ),
    ],
    ids=["kind", "nested name", "type", "enum", "list", "object", "oneof", "mask"],
)
def test_what_google_refuses_is_refused_in_googles_words(side: Side, request_: dict[str, Any], said: str) -> None:
    """An unknown name, a wrong type, a wrong enum value, options that exclude each other, a mask that leads nowhere."""
    response = side.try_batch(write(0, 0, text("first")), request_)
    assert response.status == 400
    assert message(response).endswith(said.replace("requests[0]", "requests[1]"))
    assert side.sheet.value(0, 0) is None


def test_parameters_are_held_against_the_schema_too(side: Side) -> None:
    """An unknown parameter, a wrong enum value and a mask over the answer."""
    body = {"values": [["x"]]}
    assert side.call("PUT", "/values/A1", body, valueInputOption="raw").status == 400
    assert side.call("PUT", "/values/A1", body, valueInputOption="RAW", field="x").status == 400
    assert side.call("GET", "", fields="sheets.properties.titles").status == 400
    assert side.try_batch(write(0, 0, text("x")), fields="replies.findReplace.changed").status == 400


def test_an_answer_that_google_would_not_give_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised where it happens, and kept, so that no broad `except` can hide it."""
    monkeypatch.setitem(batch.KINDS, "deleteSheet", (lambda *_: {"deletedSheet": {}}, "sheetId"))
    with pytest.raises(AssertionError, match="deletedSheet"), held_against_google(refusals=True) as held:  # noqa: PT012
        with pytest.raises(SchemaBroken, match="deletedSheet"):
            Side().try_batch({"deleteSheet": {"sheetId": 0}})
        assert len(held.broken) == 1


def test_what_google_has_and_the_sandbox_has_not(side: Side, schema: Schema) -> None:
    """501 in the sandbox's own words; a misspelling is Google's 400."""
    assert schema.messages["Request"]["properties"].keys() == batch.GOOGLES
    response = side.try_batch({"randomizeRange": {"range": {"sheetId": 0}}})
    assert (response.status, message(response)) == (501, "not in the sandbox: randomizeRange")
    assert side.call("POST", ":getByDataFilter", {}).status == 501
    assert side.call("POST", "/sheets/0:copyTo", {"destinationSpreadsheetId": "x"}).status == 501
    assert side.try_batch({"randomiseRange": {"range": {"sheetId": 0}}}).status == 400


def test_a_range_with_colons_is_no_verb() -> None:
    """`/values/A1:B2` is values.get; `/values/A1:B2:clear` is values.clear."""
    get = google_schema().method_of("GET", "/v4/spreadsheets/i/values/A1:B2")
    clear = google_schema().method_of("POST", "/v4/spreadsheets/i/values/A1:B2:clear")
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
