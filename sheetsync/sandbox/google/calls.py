"""The calls of the Sheets API on one book: what is read from each, and the table that says which function answers it.

Owns query parameters, bodies and the table. Does not own who may call (service.py) or what a call does to a book
(values.py, batch.py, render.py). Source: reference/google-sheets.md sections 1.3 and 2.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sheetsync.sandbox.google import batch, quirks, values
from sheetsync.sandbox.google.errors import bad_request
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.render import View, checked_mask, spreadsheet
from sheetsync.sandbox.google.values import Options, option
from sheetsync.sandbox.routing import Route
from sheetsync.sandbox.wire import Request

Json = dict[str, Any]


class Query:
    """Query parameters as Google reads them."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        self._last = dict(pairs)
        self.ranges = [value for name, value in pairs if name == "ranges"]

    def text(self, name: str) -> str:
        """A parameter, empty when not given."""
        return self._last.get(name, "")

    def truth(self, name: str) -> bool:
        """A boolean: `true`, `True` and `1` are true."""
        given = self._last.get(name, "")
        if given.lower() not in ("", "true", "false", "1", "0"):
            said = f"Invalid value at '{name}' (TYPE_BOOL), \"{given}\""
            raise bad_request(said, name, said)
        return given.lower() in ("true", "1")

    def options(self, prefix: str = "") -> Options:
        """How values are written and rendered; `response` as prefix for what a write sends back."""
        render = "responseValueRenderOption" if prefix else "valueRenderOption"
        dates = "responseDateTimeRenderOption" if prefix else "dateTimeRenderOption"
        return Options(
            option("valueInputOption", self._last.get("valueInputOption")),
            option(render, self._last.get(render), "valueRenderOption"),
            option(dates, self._last.get(dates), "dateTimeRenderOption"),
            option("majorDimension", self._last.get("majorDimension")),
            self.truth("includeValuesInResponse"),
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One call on one book by somebody who may make it. `range` is empty where the path names none."""

    book: Spreadsheet
    user: str
    range: str
    query: Query
    body: Json


Answering = Callable[[Call], Json]


def _get(call: Call) -> Json:
    ranges = [values.resolve(call.book, text)[:2] for text in call.query.ranges]
    fields = call.query.text("fields")
    mask = checked_mask(fields, "Spreadsheet") if fields else None
    answer = spreadsheet(View(call.book, call.user, ranges), mask, call.query.truth("includeGridData"))
    return quirks.answer_as_given(call.book, "sheets.get", answer)


def _values_get(call: Call) -> Json:
    return values.get(call.book, call.range, call.query.options())


def _values_batch_get(call: Call) -> Json:
    ranges = call.query.ranges
    if "unknown_tab_reads_as_empty" in call.book.quirks and not all(values.names_a_tab(call.book, r) for r in ranges):
        return {"spreadsheetId": call.book.id, "valueRanges": [{"range": r, "majorDimension": "ROWS"} for r in ranges]}
    answer = values.batch_get(call.book, ranges, call.query.options())
    return quirks.answer_as_given(call.book, "values.batchGet", answer)


def _batch_update(call: Call) -> Json:
    fields = call.query.text("fields")
    return batch.run(call.book, call.user, call.body, checked_mask(fields, "BatchUpdate") if fields else None)


def _values_update(call: Call) -> Json:
    return values.update(call.book, call.range, call.body, call.query.options("response"), call.user).answer


def _values_batch_update(call: Call) -> Json:
    """Unlike values.update, this one takes its options from the body."""
    body = call.body
    render = option("responseValueRenderOption", body.get("responseValueRenderOption"), "valueRenderOption")
    dates = option("responseDateTimeRenderOption", body.get("responseDateTimeRenderOption"), "dateTimeRenderOption")
    how = option("valueInputOption", body.get("valueInputOption"))
    options = Options(how, render, dates, "ROWS", bool(body.get("includeValuesInResponse")))
    return values.batch_update(call.book, body.get("data") or [], options, call.user)


def _values_append(call: Call) -> Json:
    insert = option("insertDataOption", call.query.text("insertDataOption")) == "INSERT_ROWS"
    return values.append(call.book, call.range, call.body, call.query.options("response"), call.user, insert)


def _values_clear(call: Call) -> Json:
    return {"spreadsheetId": call.book.id, "clearedRange": values.clear(call.book, call.range, call.user)}


def _values_batch_clear(call: Call) -> Json:
    cleared = [values.clear(call.book, text, call.user) for text in call.body.get("ranges") or []]
    return {"spreadsheetId": call.book.id, "clearedRanges": cleared}


_BOOK = "/v4/spreadsheets/{book:[^/:]*}"
# A range holds colons of its own (`A1:B2`): only `append` and `clear` at its very end are verbs.
_RANGE = _BOOK + r"/values/{range:(?:(?!:(?:append|clear)\Z).)*}"

READS: tuple[Route[Answering], ...] = (
    Route("GET", _BOOK, _get, "sheets.get"),
    Route("GET", _RANGE, _values_get, "values.get"),
    Route("GET", _BOOK + "/values:batchGet", _values_batch_get, "values.batchGet"),
)
WRITES: tuple[Route[Answering], ...] = (
    Route("POST", _BOOK + ":batchUpdate", _batch_update, "sheets.batchUpdate"),
    Route("PUT", _RANGE, _values_update, "values.update"),
    Route("POST", _RANGE + ":append", _values_append, "values.append"),
    Route("POST", _RANGE + ":clear", _values_clear, "values.clear"),
    Route("POST", _BOOK + "/values:batchUpdate", _values_batch_update, "values.batchUpdate"),
    Route("POST", _BOOK + "/values:batchClear", _values_batch_clear, "values.batchClear"),
)
READ_KINDS = frozenset(route.kind for route in READS)
WRITE_KINDS = frozenset(route.kind for route in WRITES)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"Number exceeds the range of double: {text[:40]}")
    return number


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_DEEPEST = 100  # messages in messages: more than that Google's parser refuses, and fewer than would trouble Python


def body_of(request: Request) -> Json:
    """The JSON object of a request; Google's JSON knows no NaN, nothing endless and no half characters."""
    try:
        text = request.body.decode()
        _check_depth(text)
        body = _DECODER.decode(text) if text.strip() else {}
        # half of a UTF-16 pair is written as an escape: only what was read shows it
        if "\\ud" in text.lower():
            json.dumps(body, ensure_ascii=False).encode()
    except ValueError as error:
        said = f"Invalid JSON payload received. {str(error)[:200]}"
        raise bad_request(said, "", said) from error
    if not isinstance(body, dict):
        raise bad_request("Invalid JSON payload received.", "", "Root element must be a message.")
    return body


def _check_depth(text: str) -> None:
    """Raises ValueError where brackets stand in brackets too often."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for found in _NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > _DEEPEST:
            raise ValueError("Message too deep. Max recursion depth reached.")
