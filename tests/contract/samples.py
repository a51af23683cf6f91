"""One well-formed request of every kind that the sandbox has, in an order in which they can all be carried out."""

from __future__ import annotations

from typing import Any

from sandbox.google_side import text, write

CELLS = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}
ROWS = {"sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2}
BESIDE = {**CELLS, "startColumnIndex": 4, "endColumnIndex": 6}
WORDS = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "ok"}]}}
LIST = {**WORDS, "strict": True}
BOLD = {"booleanRule": {"condition": {"type": "NOT_BLANK"}, "format": {"textFormat": {"bold": True}}}}
COLUMN = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 1}
CHART = {
    "spec": {
        "title": "Codes",
        "basicChart": {"chartType": "LINE", "domains": [{"domain": {"sourceRange": {"sources": [COLUMN]}}}]},
    },
    "position": {"overlayPosition": {"anchorCell": {"sheetId": 0, "rowIndex": 5, "columnIndex": 1}}},
}

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
    {"mergeCells": {"range": CELLS, "mergeType": "MERGE_ALL"}},
]
