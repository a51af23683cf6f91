"""What Google checks before it takes something in, and how it reads back what it took."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.google_side import BOT, OTHER_BOT, Side, message, text, write
from sheetsync.sandbox.wire import Request

Json = dict[str, Any]

LIMIT = "This action would increase the number of cells in the workbook above the limit of 10000000 cells."
RED, BLUE = {"red": 1}, {"blue": 1}
LINK = {"red": 0.06666667, "green": 0.33333334, "blue": 0.8}


def area(top: int, bottom: int, left: int, right: int, **more: int) -> Json:
    """A GridRange."""
    return dict(startRowIndex=top, endRowIndex=bottom, startColumnIndex=left, endColumnIndex=right, **more)


def rule(kind: str, *values: str) -> Json:
    """A condition as a data validation has it."""
    return {"condition": {"type": kind, "values": [{"userEnteredValue": value} for value in values]}}


def chart(*sources: Json, **spec: Any) -> Json:
    """A chart of one column of one tab."""
    drawn = {"chartType": "BAR", "domains": [{"domain": {"sourceRange": {"sources": list(sources)}}}]}
    place = {"overlayPosition": {"anchorCell": {"rowIndex": 0}}}
    return {"addChart": {"chart": {"spec": {"basicChart": drawn, **spec}, "position": place}}}


def sized(**size: int) -> Json:
    """updateSheetProperties of the size of the first sheet."""
    fields = ",".join(f"gridProperties.{name}" for name in size)
    return {"updateSheetProperties": {"properties": {"gridProperties": size}, "fields": fields}}


def colour_rule(**more: Any) -> Json:
    """A conditional format of one cell."""
    drawn = {"ranges": [area(0, 1, 0, 1)], "booleanRule": {**rule("NOT_BLANK"), "format": {"backgroundColor": RED}}}
    return {"addConditionalFormatRule": {"rule": {**drawn, **more}}}


REFUSED = {
    "a tab that is not there": {"repeatCell": {"range": {"sheetId": 9}, "cell": {"note": "n"}, "fields": "note"}},
    "a range past the grid": {"sortRange": {"range": area(0, 1001, 0, 1), "sortSpecs": [{"dimensionIndex": 0}]}},
    "a range that starts after its end": {"setDataValidation": {"range": area(3, 2, 0, 1)}},
    "a negative index": write(-1, 0, text("x")),
    "a title that is taken, in other letters": {"addSheet": {"properties": {"title": "sHEET1"}}},
    "no title": {"updateSheetProperties": {"properties": {"title": ""}, "fields": "title"}},
    "a place behind all tabs": {"addSheet": {"properties": {"index": 2}}},
    "a negative sheet id": {"addSheet": {"properties": {"sheetId": -5}}},
    "all rows frozen": {"addSheet": {"properties": {"gridProperties": {"rowCount": 2, "frozenRowCount": 2}}}},
    "two values in one cell": write(0, 0, {"userEnteredValue": {"stringValue": "a", "boolValue": True}}),
    "two scopes": {"findReplace": {"find": "a", "sheetId": 0, "allSheets": True}},
    "no scope": {"findReplace": {"find": "a"}},
    "nothing to find": {"findReplace": {"find": "", "allSheets": True}},
    "no regular expression": {"findReplace": {"find": "(", "searchByRegex": True, "allSheets": True}},
    "a group that is not there": {
        "findReplace": {"find": "a", "replacement": "$2", "searchByRegex": True, "allSheets": True}
    },
    "two columns in a chart": chart(area(0, 3, 0, 2)),
    "a chart of a tab that is not there": chart(area(0, 3, 0, 1, sheetId=9)),
    "a chart of two kinds": chart(area(0, 3, 0, 1), pieChart={}),
    "a dropdown without choices": {"setDataValidation": {"range": area(0, 1, 0, 1), "rule": rule("ONE_OF_LIST")}},
    "a dropdown without choices, written with the cell": write(
        0, 0, {"dataValidation": rule("ONE_OF_LIST")}, fields="dataValidation"
    ),
    "a validation by blanks": {"setDataValidation": {"range": area(0, 1, 0, 1), "rule": rule("NOT_BLANK")}},
    "a formula that is none": {"setDataValidation": {"range": area(0, 1, 0, 1), "rule": rule("CUSTOM_FORMULA", "A1")}},
    "a colour by a dropdown": colour_rule(booleanRule=rule("ONE_OF_LIST", "a")),
    "a rule of both kinds": colour_rule(gradientRule={}),
    "a rule across two tabs": colour_rule(ranges=[area(0, 1, 0, 1), area(0, 1, 0, 1, sheetId=1)]),
    "a rule behind the last": {"addConditionalFormatRule": {**colour_rule()["addConditionalFormatRule"], "index": 1}},
    "a filter by a column beside it": {
        "setBasicFilter": {"filter": {"range": area(0, 5, 0, 2), "sortSpecs": [{"dimensionIndex": 2}]}}
    },
    "editors of a warning": {
        "addProtectedRange": {"protectedRange": {"range": {}, "warningOnly": True, "editors": {"users": ["a@x"]}}}
    },
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=list(REFUSED))
def test_it_is_refused_and_nothing_of_the_batch_stays(request_: Json) -> None:
    """400 with the name of the request, also where a good one came before it."""
    side = Side()
    side.fill(["a"])
    before = side.google.dump()
    response = side.try_batch(write(5, 5, text("first")), request_)
    assert response.status == 400
    assert f"requests[1].{next(iter(request_))}: " in message(response)
    assert side.google.dump() == before


@pytest.mark.parametrize(
    "request_",
    [
        {"addSheet": {"properties": {"gridProperties": {"rowCount": 400_000, "columnCount": 25}}}},
        {"appendDimension": {"dimension": "ROWS", "length": 400_000}},
        {"insertDimension": {"range": {"dimension": "ROWS", "startIndex": 0, "endIndex": 400_000}}},
        sized(rowCount=400_000),
    ],
    ids=lambda request: next(iter(request)),
)
def test_ten_million_cells_are_the_most(request_: Json) -> None:
    """Empty ones count; up to the limit all is well."""
    side = Side()
    assert LIMIT in message(side.try_batch(request_))
    side.batch(sized(rowCount=384_615))
    assert LIMIT in message(side.try_batch({"appendDimension": {"dimension": "ROWS", "length": 1}}))


def test_an_append_does_not_grow_a_book_beyond_its_limit() -> None:
    """values.append adds rows where the sheet ends, and stops where the book does."""
    side = Side()
    side.batch(sized(rowCount=384_615))
    side.sheet.set_value(384_614, 0, "last")
    response = side.call("POST", "/values/Sheet1:append", {"values": [["x"]]}, valueInputOption="RAW")
    assert (response.status, message(response)) == (400, LIMIT)


@pytest.mark.parametrize(("character", "most"), [("a", 50_000), ("\N{GRINNING FACE}", 25_000)])
def test_a_cell_holds_fifty_thousand_characters_as_javascript_counts_them(character: str, most: int) -> None:
    """An emoji is two; a formula has the same limit."""
    side = Side()
    side.batch(write(0, 0, text(character * most)))
    for value in (text(character * (most + 1)), {"userEnteredValue": {"formulaValue": "=" + character * most}}):
        assert "more than the maximum of 50000 characters" in message(side.try_batch(write(0, 0, value)))


@pytest.mark.parametrize(
    ("given", "colour", "style"),
    [
        ({"backgroundColor": RED}, RED, {"rgbColor": RED}),
        ({"backgroundColorStyle": {"rgbColor": RED}}, RED, {"rgbColor": RED}),
        ({"backgroundColorStyle": {"themeColor": "LINK"}}, LINK, {"themeColor": "LINK"}),
        ({"backgroundColor": BLUE, "backgroundColorStyle": {"rgbColor": RED}}, RED, {"rgbColor": RED}),
    ],
)
@pytest.mark.parametrize("fields", ["userEnteredFormat", "userEnteredFormat.backgroundColor", "*"])
def test_a_colour_is_read_back_under_both_names(given: Json, colour: Json, style: Json, fields: str) -> None:
    """Whichever was sent, and whatever the cell had before; the style wins."""
    side = Side()
    side.batch(write(0, 0, {"userEnteredFormat": {"backgroundColor": BLUE}}, fields="userEnteredFormat"))
    side.batch(write(0, 0, {"userEnteredFormat": given}, fields=fields))
    data = side.get(ranges="A1", fields="sheets.data.rowData.values(userEnteredFormat,effectiveFormat)")
    cell = data["sheets"][0]["data"][0]["rowData"][0]["values"][0]
    for name in ("userEnteredFormat", "effectiveFormat"):
        assert (cell[name]["backgroundColor"], cell[name]["backgroundColorStyle"]) == (colour, style)


def test_colours_of_rules_and_tabs_have_twins_and_the_theme_has_nine() -> None:
    """The same wherever a colour is."""
    side = Side()
    tab = {"updateSheetProperties": {"properties": {"tabColorStyle": {"rgbColor": RED}}, "fields": "tabColorStyle"}}
    side.batch(colour_rule(), tab)
    book = side.get()
    sheet = book["sheets"][0]
    assert sheet["conditionalFormats"][0]["booleanRule"]["format"] == {
        "backgroundColor": RED,
        "backgroundColorStyle": {"rgbColor": RED},
    }
    assert (sheet["properties"]["tabColor"], sheet["properties"]["tabColorStyle"]) == (RED, {"rgbColor": RED})
    named = {
        pair["colorType"]: pair["color"]["rgbColor"] for pair in book["properties"]["spreadsheetTheme"]["themeColors"]
    }
    assert (len(named), named["LINK"], named["TEXT"]) == (9, LINK, {})


def test_a_filter_is_read_back_with_all_its_bounds() -> None:
    """What was left out of its range is filled in from the sheet."""
    side = Side()
    side.batch({"setBasicFilter": {"filter": {"range": {"startRowIndex": 2, "endColumnIndex": 3}}}})
    assert side.get(fields="sheets.basicFilter.range")["sheets"][0]["basicFilter"]["range"] == area(2, 1000, 0, 3)


@pytest.mark.parametrize("warning", [True, False])
def test_a_protection_is_read_back_with_its_maker_and_nobody_else(warning: bool) -> None:
    """The reply lists no maker yet, a later read does, also of one that only warns; the owner is never listed.

    Who may not edit is not told who may.
    """
    side = Side()
    side.book.shared_with.add(OTHER_BOT)
    given = {"range": area(0, 1, 0, 1), "requestingUserCanEdit": False, "warningOnly": warning}
    reply = side.batch({"addProtectedRange": {"protectedRange": given}})["replies"][0]["addProtectedRange"]
    assert (reply["protectedRange"]["editors"], reply["protectedRange"]["requestingUserCanEdit"]) == ({}, True)
    held = side.get(fields="sheets.protectedRanges")["sheets"][0]["protectedRanges"][0]
    assert (held["editors"], held["requestingUserCanEdit"]) == ({"users": [BOT]}, True)
    assert held.get("warningOnly", False) is warning
    other = side.ok(side.call("GET", "", token="other", fields="sheets.protectedRanges"))
    seen = other["sheets"][0]["protectedRanges"][0]
    assert ("editors" in seen, seen.get("requestingUserCanEdit", False)) == (warning, warning)
    assert side.call("PUT", "/values/A1", {"values": [["x"]]}, token="owner", valueInputOption="RAW").status == 200


def test_from_a_warning_to_a_lock_and_back() -> None:
    """Without a list of editors everybody who may edit the book stays in; a warning keeps its maker alone."""
    side = Side()
    side.book.shared_with.add(OTHER_BOT)
    side.batch({"addProtectedRange": {"protectedRange": {"protectedRangeId": 5, "range": {}, "warningOnly": True}}})

    def change(warning: bool, **more: Any) -> Json:
        held = {"protectedRangeId": 5, "warningOnly": warning, **more}
        return {"updateProtectedRange": {"protectedRange": held, "fields": ",".join(["warningOnly", *more])}}

    side.batch(change(False))
    editors = side.sheet.attached["protectedRanges"][0]["editors"]["users"]
    assert set(editors) == {BOT, OTHER_BOT, side.book.owner}
    assert side.try_batch(change(True, editors={"users": [BOT]})).status == 400
    side.batch(change(True))
    assert side.sheet.attached["protectedRanges"][0]["editors"] == {"users": [BOT]}
    assert side.try_batch({"addProtectedRange": {"protectedRange": {"protectedRangeId": 5, "range": {}}}}).status == 400


@pytest.mark.parametrize(
    ("request_", "left", "counts"),
    [
        ({"find": "CODE"}, ["x1 and x2", "=CODE()", 12, "x"], (2, 3)),
        ({"find": "CODE", "matchCase": True}, ["code1 and code2", "=CODE()", 12, "Code"], (0, 0)),
        ({"find": "code", "matchEntireCell": True}, ["code1 and code2", "=CODE()", 12, "x"], (1, 1)),
        ({"find": "code", "includeFormulas": True}, ["x1 and x2", "=x()", 12, "x"], (2, 4)),
        (
            {"find": r"code(\d)", "replacement": "<$1>", "searchByRegex": True},
            ["<1> and <2>", "=CODE()", 12, "Code"],
            (1, 2),
        ),
        (
            {"find": r"code\d", "replacement": r"\$1", "searchByRegex": True},
            ["$1 and $1", "=CODE()", 12, "Code"],
            (1, 2),
        ),
        ({"find": "c.de"}, ["code1 and code2", "=CODE()", 12, "Code"], (0, 0)),
        ({"find": "2", "replacement": "3"}, ["code1 and code3", "=CODE()", 13, "Code"], (2, 2)),
    ],
)
def test_find_and_replace(request_: Json, left: list[Any], counts: tuple[int, int]) -> None:
    """Parts of cells in any case, by expression and in formulas where asked; what is left is taken as typed."""
    side = Side()
    side.put("A1", [["code1 and code2", "=CODE()", 12, "Code"]], "USER_ENTERED")
    wanted = {"replacement": "x", **request_, "range": area(0, 5, 0, 4)}
    found = side.batch({"findReplace": wanted})["replies"][0]["findReplace"]
    assert [side.sheet.value(0, column) for column in range(4)] == left
    formulas = found.get("formulasChanged", 0)
    assert (found.get("valuesChanged", 0), found.get("occurrencesChanged", 0)) == (counts[0], counts[1])
    assert formulas == ("includeFormulas" in request_)


@pytest.mark.parametrize("serial", [-1e6, 1e7, 1e300])
def test_a_number_that_no_date_can_show_is_shown_as_the_number(serial: float) -> None:
    """One fallback for all formats, in every read; the days of the calendar go from year 1 to 9999."""
    side = Side()
    for column, kind in enumerate(("DATE", "TIME", "DATE_TIME")):
        cell = {"userEnteredValue": {"numberValue": serial}, "userEnteredFormat": {"numberFormat": {"type": kind}}}
        side.batch(write(0, column, cell, fields="userEnteredValue,userEnteredFormat"))
    plain = {"userEnteredValue": {"numberValue": serial}}
    side.batch(write(0, 3, plain))
    shown = side.values("1:1")["values"][0]
    assert shown[:3] == [shown[3]] * 3


def test_a_long_whole_number_is_a_double() -> None:
    """Google keeps no more digits than a double has."""
    side = Side()
    side.batch(write(0, 0, {"userEnteredValue": {"numberValue": 2**53 + 1}}))
    assert side.values("A1", valueRenderOption="UNFORMATTED_VALUE")["values"] == [[2**53]]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"requests":' + b"[" * 101 + b"]" * 101 + b"}",
        b'{"a":' * 90 + b'"' + b"\\[" * 9 + b'"' + b"}" * 90,
        b'{"requests":NaN}',
        b'{"requests":1e999}',
        b'{"requests":' + b"9" * 5000 + b"}",
        b'{"requests":"\\ud83d"}',
        b"\xff{}",
        b"[]",
        b"nul",
    ],
)
def test_a_body_that_is_no_body(body: bytes) -> None:
    """Too deep, not a number, endless, half a character, no JSON: 400, whatever a parser may think of it."""
    side = Side()
    path = f"/v4/spreadsheets/{side.book.id}:batchUpdate"
    response = side.handle(Request("POST", path, (), {"authorization": "Bearer bot"}, body))
    assert (response.status, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_kind_that_google_has_and_the_sandbox_has_not() -> None:
    """501 in the sandbox's own words; a misspelling is Google's 400."""
    side = Side()
    assert side.try_batch({"randomizeRange": {"range": {}}}).status == 501
    assert message(side.try_batch({"randomizeRange": {"range": {}}})) == "not in the sandbox: randomizeRange"
    assert side.try_batch({"randomiseRange": {"range": {}}}).status == 400
