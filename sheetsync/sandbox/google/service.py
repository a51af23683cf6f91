"""The Google side: routes, who may call, quotas, and the books. Answers Sheets v4, two Drive calls and the token call.

Owns nothing of what a call means: that is `values.py`, `batch.py` and `render.py`.
Source: reference/google-sheets.md sections 1.3, 2.2, 3.1, 3.7.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote

from sheetsync.sandbox.google import batch, store, values
from sheetsync.sandbox.google.errors import (
    ApiError,
    bad_request,
    drive_not_found,
    forbidden,
    internal_error,
    invalid,
    not_found,
    quota_error,
    quota_exceeded,
    unauthenticated,
    unavailable_error,
)
from sheetsync.sandbox.google.fields import pick
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.oauth import OAuth
from sheetsync.sandbox.google.protection import Protected
from sheetsync.sandbox.google.render import View, checked_mask, spreadsheet
from sheetsync.sandbox.google.values import Options, option
from sheetsync.sandbox.wire import Request, Response, json_response

__all__ = ["Google", "internal_error", "quota_error", "unavailable_error"]

Json = dict[str, Any]

_SHEETS = "/v4/spreadsheets/"
_DRIVE = "/drive/v3/files"
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_READS = frozenset({"sheets.get", "values.get", "values.batchGet"})
_PER_MINUTE = 60
_MIME = "application/vnd.google-apps.spreadsheet"


class Route(NamedTuple):
    """What a method and path mean."""

    kind: str
    book_id: str
    range: str


_BY_SHAPE = {
    ("GET", "", ""): "sheets.get",
    ("POST", "", "batchUpdate"): "sheets.batchUpdate",
    ("GET", "values", ""): "values.get",
    ("PUT", "values", ""): "values.update",
    ("POST", "values", "append"): "values.append",
    ("POST", "values", "clear"): "values.clear",
    ("GET", "values:", "batchGet"): "values.batchGet",
    ("POST", "values:", "batchUpdate"): "values.batchUpdate",
    ("POST", "values:", "batchClear"): "values.batchClear",
}


@lru_cache(maxsize=4096)
def route(method: str, path: str) -> Route | None:
    """Reads a path; None when it is not Google's, kind `google.other` when Google has it and the sandbox has not."""
    if path == "/token":
        return Route("google.token", "", "")
    if path.startswith(_DRIVE):
        return _drive_route(method, path[len(_DRIVE) :])
    if path.startswith(_SHEETS):
        return _sheets_route(method, path[len(_SHEETS) :])
    return Route("google.other", "", "") if path.startswith(("/v4/", "/drive/")) else None


def _drive_route(method: str, rest: str) -> Route:
    if method == "GET" and rest in ("", "/"):
        return Route("drive.list", "", "")
    plain = method == "GET" and rest.startswith("/") and "/" not in rest[1:]
    return Route("drive.get" if plain else "google.other", unquote(rest[1:]), "")


def _sheets_route(method: str, rest: str) -> Route:
    book_id, slash, tail = rest.partition("/")
    if not slash:
        book_id, _, verb = book_id.partition(":")
        return Route(_BY_SHAPE.get((method, "", verb), "google.other"), unquote(book_id), "")
    if tail.startswith("values/"):
        # The range may hold colons of its own: only a known verb after the last one is a verb.
        text, colon, verb = tail[len("values/") :].rpartition(":")
        if not colon or verb not in ("append", "clear"):
            text, verb = tail[len("values/") :], ""
        return Route(_BY_SHAPE.get((method, "values", verb), "google.other"), unquote(book_id), unquote(text))
    name, _, verb = tail.partition(":")
    return Route(_BY_SHAPE.get((method, name + ":", verb), "google.other"), unquote(book_id), "")


class Google:
    """A local Google: books by id, service accounts and their tokens, quotas."""

    def __init__(self, now: Callable[[], datetime], rng_seed: int = 0) -> None:
        self._now = now
        self._rng = random.Random(rng_seed)
        self.oauth = OAuth(now, random.Random(rng_seed + 1))
        self.books: dict[str, Spreadsheet] = {}
        self.quota = False
        self.pretty = False
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    # Books, as their owner handles them.

    def create_spreadsheet(
        self,
        title: str,
        time_zone: str = "Etc/GMT",
        tabs: Iterable[str] = ("Sheet1",),
        share_with: Iterable[str] = (),
    ) -> Spreadsheet:
        """Makes a book; its id depends on the seed alone."""
        book_id = "1" + "".join(self._rng.choice(_ID_LETTERS) for _ in range(43))
        book = Spreadsheet(book_id, title, time_zone, self._now)
        for index, tab in enumerate(tabs):
            book.add_sheet(tab, None if index else 0)
        book.shared_with.update(share_with)
        self.books[book_id] = book
        return book

    def book(self, book_id: str) -> Spreadsheet:
        """The book with an id. Raises KeyError."""
        return self.books[book_id]

    # Calls.

    def kind(self, request: Request) -> str:
        """The kind of a call; empty when it is none of Google's."""
        found = route(request.method, request.path)
        return found.kind if found is not None else ""

    def handle(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of Google's."""
        found = route(request.method, request.path)
        if found is None:
            return None
        if found.kind == "google.token":
            return self.oauth.handle(request)
        try:
            user = self._caller(request)
            if found.kind.startswith("drive."):
                return self._drive(found, request, user)
            if found.kind == "google.other":
                raise not_found()
            self._spend(found.kind, user)
            return json_response(self._sheets(found, request, user), pretty=self.pretty)
        except ApiError as error:
            return error.response(pretty=self.pretty)

    def _caller(self, request: Request) -> str:
        authorization = request.headers.get("authorization", "")
        user = self.oauth.email(authorization)
        if user is None:
            raise unauthenticated(bool(authorization))
        return user

    def _spend(self, kind: str, user: str) -> None:
        """Counts a call against its user's minute."""
        if not self.quota:
            return
        word = "Read" if kind in _READS else "Write"
        minute = int(self._now().timestamp() // 60)
        held, used = self._used.get((user, word), (minute, 0))
        used = used if held == minute else 0
        if used >= _PER_MINUTE:
            raise quota_exceeded(word)
        self._used[user, word] = (minute, used + 1)

    def _sheets(self, found: Route, request: Request, user: str) -> Json:
        book = self.books.get(found.book_id)
        if book is None:
            raise not_found()
        writer = user == book.owner or user in book.shared_with
        if not writer and not (user in book.viewers and found.kind in _READS):
            raise forbidden()
        query = Query(request.query)
        if found.kind in _READS:
            return _READERS[found.kind](book, found.range, query, user)
        body = _body(request)
        before = book.state()
        try:
            answer = _WRITERS[found.kind](book, found.range, query, body, user)
        except ApiError:
            book.set_state(before)
            raise
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            book.set_state(before)
            raise _misshapen(error) from error
        return answer

    def _drive(self, found: Route, request: Request, user: str) -> Response:
        mine = [book for book in self.books.values() if _visible(book, user)]
        fields = request.param("fields")
        if found.kind == "drive.list":
            names = _mask(fields, "files(kind,mimeType,id,name)")
            answer = {"kind": "drive#fileList", "incompleteSearch": False, "files": [_file(book) for book in mine]}
            return json_response(pick(answer, names), pretty=self.pretty)
        book = next((book for book in mine if book.id == found.book_id), None)
        if book is None:
            return json_response(drive_not_found(found.book_id), 404, pretty=self.pretty)
        return json_response(pick(_file(book), _mask(fields, "kind,id,name,mimeType")), pretty=self.pretty)

    # Persistence.

    def dump(self) -> Json:
        """Everything, as JSON."""
        version, state, gauss = self._rng.getstate()
        return {
            "rng": [version, list(state), gauss],
            "oauth": self.oauth.dump(),
            "quota": self.quota,
            "books": [store.dump_book(book) for book in self.books.values()],
        }

    def restore(self, data: Json) -> None:
        """Takes over what `dump` gave."""
        version, state, gauss = data["rng"]
        self._rng.setstate((version, tuple(state), gauss))
        self.oauth.restore(data["oauth"])
        self.quota = data["quota"]
        books = [store.restore_book(held, self._now) for held in data["books"]]
        self.books = {book.id: book for book in books}


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


def _get(book: Spreadsheet, _: str, query: Query, user: str) -> Json:
    view = View(book, user, [values.resolve(book, text)[:2] for text in query.ranges])
    fields = query.text("fields")
    mask = checked_mask(fields, "Spreadsheet") if fields else None
    return spreadsheet(view, mask, query.truth("includeGridData"))


def _values_get(book: Spreadsheet, text: str, query: Query, user: str) -> Json:
    return values.get(book, text, query.options())


def _values_batch_get(book: Spreadsheet, _: str, query: Query, user: str) -> Json:
    return values.batch_get(book, query.ranges, query.options())


def _batch_update(book: Spreadsheet, _: str, query: Query, body: Json, user: str) -> Json:
    fields = query.text("fields")
    return batch.run(book, user, body, checked_mask(fields, "BatchUpdate") if fields else None)


def _values_update(book: Spreadsheet, text: str, query: Query, body: Json, user: str) -> Json:
    return values.update(book, text, body, query.options("response"), user).answer


def _values_batch_update(book: Spreadsheet, _: str, query: Query, body: Json, user: str) -> Json:
    render = option("responseValueRenderOption", body.get("responseValueRenderOption"), "valueRenderOption")
    dates = option("responseDateTimeRenderOption", body.get("responseDateTimeRenderOption"), "dateTimeRenderOption")
    how = option("valueInputOption", body.get("valueInputOption"))
    options = Options(how, render, dates, "ROWS", bool(body.get("includeValuesInResponse")))
    return values.batch_update(book, body.get("data") or [], options, user)


def _values_append(book: Spreadsheet, text: str, query: Query, body: Json, user: str) -> Json:
    insert = option("insertDataOption", query.text("insertDataOption")) == "INSERT_ROWS"
    return values.append(book, text, body, query.options("response"), user, insert)


def _values_clear(book: Spreadsheet, text: str, query: Query, body: Json, user: str) -> Json:
    return {"spreadsheetId": book.id, "clearedRange": values.clear(book, text, user)}


def _values_batch_clear(book: Spreadsheet, _: str, query: Query, body: Json, user: str) -> Json:
    cleared = [values.clear(book, text, user) for text in body.get("ranges") or []]
    return {"spreadsheetId": book.id, "clearedRanges": cleared}


_READERS = {"sheets.get": _get, "values.get": _values_get, "values.batchGet": _values_batch_get}
_WRITERS = {
    "sheets.batchUpdate": _batch_update,
    "values.update": _values_update,
    "values.batchUpdate": _values_batch_update,
    "values.append": _values_append,
    "values.clear": _values_clear,
    "values.batchClear": _values_batch_clear,
}


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _body(request: Request) -> Json:
    """The JSON object of a request; Google's JSON knows no NaN."""
    try:
        body = _DECODER.decode(request.body.decode()) if request.body.strip() else {}
    except ValueError as error:
        said = f"Invalid JSON payload received. {error}"
        raise bad_request(said, "", said) from error
    if not isinstance(body, dict):
        raise bad_request("Invalid JSON payload received.", "", "Root element must be a message.")
    return body


def _misshapen(error: Exception) -> ApiError:
    """400 for a value the API refuses, or for a body of another shape than its schema."""
    if type(error) is ValueError or isinstance(error, Protected):
        return invalid(str(error))
    return bad_request("Request contains an invalid argument.", "", f"Invalid JSON payload received: {error}")


def _visible(book: Spreadsheet, user: str) -> bool:
    return user == book.owner or user in book.shared_with or user in book.viewers


def _mask(fields: str, default: str) -> Json | None:
    mask: Json | None = checked_mask(fields or default, "Drive")
    return mask


def _file(book: Spreadsheet) -> Json:
    return {
        "kind": "drive#file",
        "mimeType": _MIME,
        "id": book.id,
        "name": book.title,
        "version": str(book.version),
        "createdTime": _stamp(book.created),
        "modifiedTime": _stamp(book.modified),
    }


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
