"""The Google side: routes, who may call, quotas, and the books. Answers Sheets v4, two Drive calls and the token call.

Owns the frame of every call, and that a write happens whole or not at all. Does not own what a call means: calls.py.
Source: reference/google-sheets.md sections 1.3, 2.2, 3.1, 3.2, 3.7.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from sheetsync.sandbox.google import calls, quirks, store
from sheetsync.sandbox.google.blocks import Blocks
from sheetsync.sandbox.google.calls import Answering, Call, Query, body_of
from sheetsync.sandbox.google.errors import (
    REFUSALS,
    WRITE_REFUSALS,
    ApiError,
    bad_request,
    drive_not_found,
    forbidden,
    internal,
    invalid,
    not_found,
    not_in_the_sandbox,
    quota_exceeded,
    unauthenticated,
)
from sheetsync.sandbox.google.fields import Mask, pick
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.oauth import OAuth
from sheetsync.sandbox.google.protection import Protected
from sheetsync.sandbox.google.render import checked_mask
from sheetsync.sandbox.google.schema import Schema
from sheetsync.sandbox.google.shapes import check_batch
from sheetsync.sandbox.routing import ANY, Route, Routes
from sheetsync.sandbox.wire import Request, Response, json_response

Json = dict[str, Any]
Places = Mapping[str, str]

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PER_MINUTE = 60
_MIME = "application/vnd.google-apps.spreadsheet"

log = logging.getLogger(__name__)


class Google:
    """A local Google: books by id, service accounts and their tokens, quotas."""

    schema: Schema | None = None
    """Against which all that passes is held, where one is set; on the class, for every Google of the process."""

    def __init__(self, now: Callable[[], datetime], rng_seed: int = 0) -> None:
        self._now = now
        self._rng = random.Random(rng_seed)
        self.oauth = OAuth(now, random.Random(rng_seed + 1))
        self.books: dict[str, Spreadsheet] = {}
        self.quota = False
        self.pretty = False
        self.refuses = ""
        """One of WRITE_REFUSALS with which every call on a book ends; empty for none."""
        self.quirks: frozenset[str] = frozenset()
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

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
        book.quirks = self.quirks
        self.books[book_id] = book
        return book

    def book(self, book_id: str) -> Spreadsheet:
        """The book with an id. Raises KeyError."""
        return self.books[book_id]

    def set_quirks(self, names: Iterable[str]) -> None:
        """What Google does otherwise than it is relied on to, in every book. Raises ValueError."""
        self.quirks = quirks.checked(names)
        for book in self.books.values():
            book.quirks = self.quirks

    def kind(self, request: Request) -> str:
        """The kind of a call; empty when it is none of Google's."""
        found = ROUTES.find(request.method, request.path)
        return found.route.kind if found is not None else ""

    def handle(self, request: Request) -> Response | None:
        """The answer, or None when the path is none of Google's."""
        found = ROUTES.find(request.method, request.path)
        if found is None:
            return None
        try:
            response = found.route.handler(self, request, found.places)
            if "quota_headers_are_told" in self.quirks:
                response = quirks.with_headers(response)
        except ApiError as error:
            response = error.response(pretty=self.is_pretty(request))
        if self.schema is not None:
            self.schema.check_answer(request, response)
        return response

    def checked(self, request: Request, body: Json) -> Json:
        """The body of a request that Google's schema allows, as far as it is at hand. Raises ApiError."""
        if self.schema is not None:
            self.schema.check_request(request, body)
        else:
            check_batch(body.get("requests"))
        return body

    def is_pretty(self, request: Request) -> bool:
        """Whether an answer is indented, as those of Sheets are unless the caller asks for less."""
        return self.pretty and request.param("prettyPrint", "true") != "false"

    def caller(self, request: Request) -> str:
        """Who makes a call. Raises ApiError where nobody is signed in."""
        authorization = request.headers.get("authorization", "")
        user = self.oauth.email(authorization)
        if user is None:
            raise unauthenticated(bool(authorization))
        return user

    def spend(self, word: Literal["Read", "Write"], user: str) -> None:
        """Counts a call against its user's minute: Sheets reference 3.1. Raises ApiError."""
        if not self.quota:
            return
        minute = int(self._now().timestamp() // 60)
        held, used = self._used.get((user, word), (minute, 0))
        used = used if held == minute else 0
        if used >= _PER_MINUTE:
            raise quota_exceeded(word)
        self._used[user, word] = (minute, used + 1)

    def opened(self, book_id: str, user: str, *, reading: bool) -> Spreadsheet:
        """The book, if the user may read or write it. Raises ApiError."""
        if refusal := (REFUSALS if reading else WRITE_REFUSALS).get(self.refuses):
            raise refusal()
        book = self.books.get(book_id)
        if book is None:
            raise not_found()
        if not _may_write(book, user) and not (reading and user in book.viewers):
            raise forbidden()
        return book

    def dump(self, blocks: Blocks | None = None) -> Json:
        """Everything, as JSON; with `blocks`, large sheets lie there."""
        keep = (blocks.keep,) if blocks else ()
        version, state, gauss = self._rng.getstate()
        return {
            "rng": [version, list(state), gauss],
            "oauth": self.oauth.dump(),
            "quota": self.quota,
            "refuses": self.refuses,
            "quirks": sorted(self.quirks),
            "books": [store.dump_book(book, *keep) for book in self.books.values()],
        }

    def restore(self, data: Json, blocks: Blocks | None = None) -> None:
        """Takes over what `dump` gave."""
        read = (blocks.read,) if blocks else ()
        version, state, gauss = data["rng"]
        self._rng.setstate((version, tuple(state), gauss))
        self.oauth.restore(data["oauth"])
        self.quota, self.refuses = data["quota"], data.get("refuses", "")
        books = [store.restore_book(held, self._now, *read) for held in data["books"]]
        self.books = {book.id: book for book in books}
        self.set_quirks(data.get("quirks", ()))


def _may_write(book: Spreadsheet, user: str) -> bool:
    return user == book.owner or user in book.shared_with


Handler = Callable[[Google, Request, Places], Response]


def _token(google: Google, request: Request, _: Places) -> Response:
    return google.oauth.handle(request)


def _reading(answering: Answering) -> Handler:
    """A call that changes nothing."""

    def handler(google: Google, request: Request, places: Places) -> Response:
        user = google.caller(request)
        google.checked(request, {})
        google.spend("Read", user)
        book = google.opened(places["book"], user, reading=True)
        answer = answering(Call(book, user, places.get("range", ""), Query(request.query), {}))
        return json_response(answer, pretty=google.is_pretty(request))

    return handler


def _writing(answering: Answering) -> Handler:
    """A call that changes the book, whole or not at all."""

    def handler(google: Google, request: Request, places: Places) -> Response:
        user = google.caller(request)
        body = google.checked(request, body_of(request))
        google.spend("Write", user)
        book = google.opened(places["book"], user, reading=False)
        call = Call(book, user, places.get("range", ""), Query(request.query), body)
        return _atomically(call.book, lambda: json_response(answering(call), pretty=google.is_pretty(request)))

    return handler


# What Python raises where a body is of another shape than the API's schema, or a number does not fit (10**30 rows).
_BAD_INPUT = (ValueError, TypeError, AttributeError, LookupError, OverflowError, MemoryError)


def _atomically(book: Spreadsheet, write: Callable[[], Response]) -> Response:
    """All of a write or nothing of it, whatever goes wrong: Sheets reference 3.2. Raises ApiError."""
    before = book.state()
    try:
        return write()
    except BaseException as error:
        # Not only for refusals: a batch that stays half done is what the real API promises never to leave.
        if not quirks.is_kept(book, error):
            book.set_state(before)
        if isinstance(error, ApiError) or not isinstance(error, Exception):
            raise
        if isinstance(error, _BAD_INPUT):
            raise _misshapen(error) from error
        log.exception("the sandbox failed; the write is undone")
        raise internal() from error


def _misshapen(error: Exception) -> ApiError:
    """400 for a value the API refuses, or for a body of another shape than its schema."""
    if type(error) is ValueError or isinstance(error, Protected):
        return invalid(str(error))
    return bad_request("Request contains an invalid argument.", "", f"Invalid JSON payload received: {error}")


def _visible(google: Google, request: Request) -> list[Spreadsheet]:
    user = google.caller(request)
    return [book for book in google.books.values() if _may_write(book, user) or user in book.viewers]


def _list_files(google: Google, request: Request, _: Places) -> Response:
    files = [_file(book) for book in _visible(google, request)]
    names = _mask(request, "files(kind,mimeType,id,name)")
    answer = {"kind": "drive#fileList", "incompleteSearch": False, "files": files}
    return json_response(pick(answer, names), pretty=google.is_pretty(request))


def _get_file(google: Google, request: Request, places: Places) -> Response:
    wanted = places["book"]
    book = next((book for book in _visible(google, request) if book.id == wanted), None)
    # A file that one may not see does not exist, in Drive's older kind of error body: Sheets reference 3.7.
    if book is None:
        return json_response(drive_not_found(wanted), 404, pretty=google.is_pretty(request))
    return json_response(pick(_file(book), _mask(request, "kind,id,name,mimeType")), pretty=google.is_pretty(request))


def _mask(request: Request, default: str) -> Mask:
    return checked_mask(request.param("fields") or default, "Drive")


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


def _not_built(google: Google, request: Request, _: Places) -> Response:
    """A call that Google has and the sandbox has not."""
    google.caller(request)
    raise not_in_the_sandbox(f"{request.method} {request.path}")


def _elsewhere(google: Google, request: Request, _: Places) -> Response:
    """A call that Google has not either, and the rest of Drive."""
    google.caller(request)
    raise not_found()


_OTHER = "google.other"
ROUTES: Routes[Handler] = Routes(
    Route(ANY, "/token", _token, "google.token"),
    *(Route(route.method, route.pattern, _reading(route.handler), route.kind) for route in calls.READS),
    *(Route(route.method, route.pattern, _writing(route.handler), route.kind) for route in calls.WRITES),
    Route("GET", "/drive/v3/files{slash:/?}", _list_files, "drive.list"),
    Route("GET", "/drive/v3/files/{book}", _get_file, "drive.get"),
    Route("POST", "/v4/spreadsheets", _not_built, _OTHER),
    Route(ANY, "/v4/spreadsheets/{book:[^/:]*}{verb:(?:/values)?:[^/]*ByDataFilter}", _not_built, _OTHER),
    Route(ANY, "/v4/spreadsheets/{book}/developerMetadata{rest:.*}", _not_built, _OTHER),
    Route("POST", "/v4/spreadsheets/{book}/sheets/{sheet:[^/:]*}:copyTo", _not_built, _OTHER),
    Route(ANY, "/v4/{rest:.*}", _elsewhere, _OTHER),
    Route(ANY, "/drive/{rest:.*}", _elsewhere, _OTHER),
)
