"""A small Google for the tests of the sandbox's Google side: one book, one service account, one clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.service import Google
from sheetsync.sandbox.wire import Handler, Request, Response

BOT = "bot@project.iam.gserviceaccount.com"
OTHER_BOT = "other@project.iam.gserviceaccount.com"


class Side:
    """A Google with a book shared with BOT, and the calls tests make. `calls` goes over the wire types."""

    def __init__(self, *tabs: str) -> None:
        self.now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
        self.google = Google(lambda: self.now, 0)
        self.book = self.google.create_spreadsheet("Codes", tabs=tabs or ("Sheet1",), share_with=(BOT,))
        self.google.oauth.allow("bot", BOT)
        self.google.oauth.allow("other", OTHER_BOT)
        self.google.oauth.allow("owner", self.book.owner)
        self.handler: Handler = self.handle

    @property
    def sheet(self) -> Sheet:
        return self.book.sheets[0]

    def handle(self, request: Request) -> Response:
        response = self.google.handle(request)
        assert response is not None
        return response

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def call(
        self,
        method: str,
        tail: str,
        body: Any = None,
        *,
        token: str | list[str] | None = "bot",
        book: str | list[str] | None = None,
        **query: str | list[str],
    ) -> Response:
        pairs = [(name, one) for name, value in query.items() for one in ([value] if isinstance(value, str) else value)]
        headers = {"authorization": f"Bearer {token}"} if token else {}
        path = f"/v4/spreadsheets/{book or self.book.id}{tail}"
        data = b"" if body is None else json.dumps(body).encode()
        return self.handler(Request(method, path, tuple(pairs), headers, data))

    def get(self, **query: str | list[str]) -> Any:
        return self.ok(self.call("GET", "", **query))

    def values(self, range_: str, **query: str | list[str]) -> Any:
        return self.ok(self.call("GET", "/values/" + quote(range_, safe=""), **query))

    def put(self, range_: str, rows: list[list[Any]], how: str = "RAW", **query: str) -> Any:
        tail = "/values/" + quote(range_, safe="")
        return self.ok(self.call("PUT", tail, {"values": rows}, valueInputOption=how, **query))

    def append(self, range_: str, rows: list[list[Any]], **query: str) -> Any:
        tail = "/values/" + quote(range_, safe="") + ":append"
        return self.ok(self.call("POST", tail, {"values": rows}, valueInputOption="RAW", **query))

    def batch(self, *requests: dict[str, Any], fields: str = "", token: str = "bot", **extra: Any) -> Any:
        return self.ok(self.try_batch(*requests, fields=fields, token=token, **extra))

    def try_batch(self, *requests: dict[str, Any], fields: str = "", token: str = "bot", **extra: Any) -> Response:
        query = {"fields": fields} if fields else {}
        return self.call("POST", ":batchUpdate", {"requests": list(requests), **extra}, token=token, **query)

    def ok(self, response: Response) -> Any:
        assert response.status == 200, response.body
        return response.json()

    def fill(self, *rows: list[Any]) -> None:
        for row, line in enumerate(rows):
            for column, value in enumerate(line):
                self.sheet.set_value(row, column, value)


def message(response: Response) -> str:
    """The message of an error answer."""
    assert response.status != 200
    return str(response.json()["error"]["message"])


def text(value: str) -> dict[str, Any]:
    """CellData with a text."""
    return {"userEnteredValue": {"stringValue": value}}


def write(row: int, column: int, *values: dict[str, Any], fields: str = "userEnteredValue") -> dict[str, Any]:
    """updateCells of neighbouring cells of the first sheet."""
    start = {"sheetId": 0, "rowIndex": row, "columnIndex": column}
    return {"updateCells": {"start": start, "rows": [{"values": list(values)}], "fields": fields}}
