"""Joins requests and httpx to a wire handler without a socket: what the program sends is handled in this process."""

from __future__ import annotations

import datetime
import io
import threading
from collections.abc import Callable, Mapping
from math import isinf
from typing import Any
from urllib.parse import parse_qsl

import httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from sheetsync.sandbox.wire import ConnectionLost, Drips, Handler, Request, Response, Slow, TimedOut


def wire_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """A wire request from a request target (`/path?query`) and what goes with it."""
    path, _, query = target.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
    return Request(method, path, pairs, {name.lower(): value for name, value in headers.items()}, body)


Wait = Callable[[float], object]


def no_time(seconds: float) -> None:
    """A clock that stands still, whatever is waited for."""


def waited(late: TimedOut, seconds: float, wait: Wait) -> None:
    """An answer that never comes, or drips: the client waits for as long as it has said, on the clock of the world.

    That its time for reading is that of the whole answer is the socket's matter (tests/test_deadlines.py).
    """
    if isinstance(late, Drips) or (isinstance(late, Slow) and isinf(late.seconds)):
        wait(seconds)


class RequestsAdapter(BaseAdapter):
    """A requests transport adapter that asks a handler: `session.mount("https://", RequestsAdapter(handler))`."""

    def __init__(self, handler: Handler, wait: Wait = no_time) -> None:
        super().__init__()
        self.handler, self.wait = handler, wait

    def send(self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        body = request.body or b""
        headers = {name: _text(value) for name, value in request.headers.items()}
        asked = wire_request(str(request.method), request.path_url, headers, _bytes(body))
        try:
            return _requests_response(request, self.handler(asked))
        except ConnectionLost as error:
            raise requests.exceptions.ConnectionError(error, request=request) from error
        except TimedOut as error:
            waited(error, timeout[1] if timeout else 0.0, self.wait)
            raise requests.exceptions.ReadTimeout(error, request=request) from error

    def close(self) -> None:
        """Nothing is held open."""


class HttpxTransport(httpx.BaseTransport):
    """An httpx transport that asks a handler: `httpx.Client(transport=HttpxTransport(handler))`."""

    def __init__(self, handler: Handler, wait: Wait = no_time) -> None:
        self.handler, self.wait = handler, wait
        # a client's threads come one after the other, as to the sandbox's server: its books are not made for more
        self._lock = threading.RLock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        asked = wire_request(request.method, target, request.headers, request.read())
        try:
            with self._lock:
                answer = self.handler(asked)
        except ConnectionLost as error:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from error
        except TimedOut as error:
            waited(error, request.extensions["timeout"]["read"], self.wait)
            raise httpx.ReadTimeout("The read operation timed out") from error
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)


def _requests_response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.body  # as read from the wire: content is then not asked of `raw`
    response.raw = io.BytesIO(answer.body)
    response.encoding = "utf-8"
    response.url = str(request.url)
    response.request = request
    response.elapsed = datetime.timedelta(0)
    return response


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
