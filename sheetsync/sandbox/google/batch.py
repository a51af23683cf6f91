"""spreadsheets.batchUpdate: requests in order, one reply each, and what the sheet looks like afterwards.

Owns the frame and the error texts around it; the requests themselves are in `batch_cells.py`,
`batch_structure.py`, `batch_objects.py` and `tables.py`. Undoing a failed batch is `service.py`'s.
Source: reference/google-sheets.md sections 2.2, 3.2, 3.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sheetsync.sandbox.google import batch_cells, batch_objects, batch_structure, quirks, tables
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.errors import invalid, not_in_the_sandbox, snake, unknown_field
from sheetsync.sandbox.google.fields import Mask, below, pick
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.render import View, spreadsheet
from sheetsync.sandbox.google.values import names_a_tab, resolve

Json = dict[str, Any]
Kind = tuple[Callable[[Edit, Json], Json | None], str]

# Each kind of request: what carries it out, and the names it may have.
KINDS: Mapping[str, Kind] = {**batch_cells.KINDS, **batch_structure.KINDS, **batch_objects.KINDS, **tables.KINDS}
_NAMES = {kind: frozenset(names.split()) for kind, (_, names) in KINDS.items()}
_BODY = frozenset(["requests", "includeSpreadsheetInResponse", "responseRanges", "responseIncludeGridData"])
_LIMIT = 100_000
_GOOGLES = """addBanding addChart addCommentReply addConditionalFormatRule addDataSource addDimensionGroup addFilterView
addNamedRange addProtectedRange addSheet addSlicer addTable appendCells appendDimension autoFill autoResizeDimensions
cancelDataSourceRefresh clearBasicFilter copyPaste createDeveloperMetadata cutPaste deleteBanding deleteComment
deleteCommentReply deleteConditionalFormatRule deleteDataSource deleteDeveloperMetadata deleteDimension
deleteDimensionGroup deleteDuplicates deleteEmbeddedObject deleteFilterView deleteNamedRange deleteProtectedRange
deleteRange deleteSheet deleteTable duplicateFilterView duplicateSheet findReplace insertComment insertDimension
insertRange mergeCells moveDimension pasteData randomizeRange refreshDataSource repeatCell setBasicFilter
setDataValidation sortRange textToColumns trimWhitespace unmergeCells updateBanding updateBorders updateCells
updateChartSpec updateCommentPost updateConditionalFormatRule updateDataSource updateDeveloperMetadata
updateDimensionGroup updateDimensionProperties updateEmbeddedObjectBorder updateEmbeddedObjectPosition
updateFilterView updateNamedRange updateProtectedRange updateSheetProperties updateSlicerSpec
updateSpreadsheetProperties updateTable"""
GOOGLES = frozenset(_GOOGLES.split())
"""Every kind of request that Google has: one that the sandbox lacks is no misspelling."""


def run(book: Spreadsheet, user: str, body: Json, mask: Mask) -> Json:
    """Carries out a batch and answers it along the mask. Raises ApiError and more; what was done by then stays done."""
    _check_names(body, _BODY, "")
    requests = body.get("requests") or []
    if not requests:
        raise invalid("Must specify at least one request.")
    if len(requests) > _LIMIT:
        raise invalid(f"Cannot exceed {_LIMIT} requests in a single batch.")
    edit = Edit(book, user)
    replies = [_one(edit, index, request) for index, request in enumerate(requests)]
    for sheet in book.sheets:
        sheet.displaced = 0
    answer: Json = {}
    if mask is None or "spreadsheetId" in mask:
        answer["spreadsheetId"] = book.id
    if mask is None or "replies" in mask:
        answer["replies"] = pick(replies, below(mask, "replies"))
    if body.get("includeSpreadsheetInResponse") and (mask is None or "updatedSpreadsheet" in mask):
        ranges = [resolve(book, text)[:2] for text in body.get("responseRanges") or () if _is_shown(book, text)]
        view = View(book, user, ranges)
        grid_data = bool(body.get("responseIncludeGridData"))
        answer["updatedSpreadsheet"] = spreadsheet(view, below(mask, "updatedSpreadsheet"), grid_data)
    return quirks.answer_as_given(book, "sheets.batchUpdate", answer)


def _is_shown(book: Spreadsheet, text: str) -> bool:
    """Whether a range is answered at all: one that names no tab is an error, unless a switch says otherwise."""
    return "unknown_tab_is_not_shown" not in book.quirks or names_a_tab(book, text)


def _one(edit: Edit, index: int, request: Json) -> Json:
    given = [(kind, payload) for kind, payload in request.items() if payload is not None]
    if len(given) != 1:
        raise invalid(f"Invalid requests[{index}]: {'No request set.' if not given else 'oneof field is already set.'}")
    kind, payload = given[0]
    if kind not in KINDS:
        raise not_in_the_sandbox(kind) if kind in GOOGLES else unknown_field(kind, f"requests[{index}]")
    if not payload.keys() <= _NAMES[kind]:
        _check_names(payload, _NAMES[kind], f"requests[{index}].{snake(kind)}")
    try:
        met = quirks.request_as_met(edit, kind, payload) if edit.book.quirks else payload
        return (met is not None and KINDS[kind][0](edit, met)) or {}
    except ValueError as error:
        raise invalid(f"Invalid requests[{index}].{kind}: {error}") from error


def _check_names(given: Json, known: frozenset[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise unknown_field(name, where)
