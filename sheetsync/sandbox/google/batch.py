"""spreadsheets.batchUpdate: requests in order, one reply each, and what the sheet looks like afterwards.

Owns the frame and the error texts around it; the requests themselves are in `batch_cells.py`,
`batch_structure.py`, `batch_objects.py` and `tables.py`. Undoing a failed batch is `service.py`'s.
Source: reference/google-sheets.md sections 2.2, 3.2, 3.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sheetsync.sandbox.google import batch_cells, batch_objects, batch_structure, tables
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.errors import bad_request, invalid, unknown_field
from sheetsync.sandbox.google.fields import Mask, below, pick
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.render import View, spreadsheet
from sheetsync.sandbox.google.values import resolve

Json = dict[str, Any]
Kind = tuple[Callable[[Edit, Json], Json | None], str]

# Each kind of request: what carries it out, and the names it may have.
KINDS: Mapping[str, Kind] = {**batch_cells.KINDS, **batch_structure.KINDS, **batch_objects.KINDS, **tables.KINDS}
_NAMES = {kind: frozenset(names.split()) for kind, (_, names) in KINDS.items()}
_BODY = frozenset(["requests", "includeSpreadsheetInResponse", "responseRanges", "responseIncludeGridData"])
_LIMIT = 100_000


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
        ranges = [resolve(book, text)[:2] for text in body.get("responseRanges") or ()]
        view = View(book, user, ranges)
        grid_data = bool(body.get("responseIncludeGridData"))
        answer["updatedSpreadsheet"] = spreadsheet(view, below(mask, "updatedSpreadsheet"), grid_data)
    return answer


def _one(edit: Edit, index: int, request: Json) -> Json:
    given = [(kind, payload) for kind, payload in request.items() if payload is not None]
    if len(given) != 1:
        raise invalid(f"Invalid requests[{index}]: {'No request set.' if not given else 'oneof field is already set.'}")
    kind, payload = given[0]
    if kind not in KINDS:
        raise unknown_field(kind, f"requests[{index}]")
    if not payload.keys() <= _NAMES[kind]:
        _check_names(payload, _NAMES[kind], f"requests[{index}].{_snake(kind)}")
    try:
        return KINDS[kind][0](edit, payload) or {}
    except ValueError as error:
        raise invalid(f"Invalid requests[{index}].{kind}: {error}") from error
    except (OverflowError, MemoryError) as error:
        # Indexes are int32 in the API's schema, which the sandbox does not hold: Python stops at 64 bits, or at the
        # memory for that many rows.
        said = f"Invalid value at 'requests[{index}].{_snake(kind)}' (TYPE_INT32), a number is out of range"
        raise bad_request(said, f"requests[{index}].{_snake(kind)}", said) from error


def _check_names(given: Json, known: frozenset[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise unknown_field(name, where)


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)
