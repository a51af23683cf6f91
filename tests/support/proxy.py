"""An HTTP reverse proxy on loopback, between the program and both services.

Owns the sockets: each call is shown to a witness as its bytes leave, and again with its answer, or with None where the
connection closed without one. It changes nothing, and knows nothing of either service.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "date", "server"}


class Sent(NamedTuple):
    """A call as its bytes left; `target` is path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Told(NamedTuple):
    """An answer as it arrived."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Witness(Protocol):
    """Sees all that passes, one thing at a time."""

    def sent(self, call: Sent) -> None: ...
    def answered(self, call: Sent, answer: Told | None) -> None: ...


class Proxy(ThreadingHTTPServer):
    """Forwards to `upstream` until it is closed."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    witness: Witness

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.upstream = str(urlsplit(upstream).netloc)
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        # HTTPServer's own looks up the host's name, which can take seconds
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed is no error of the proxy."""

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Passage(BaseHTTPRequestHandler):
    """One connection of the program's, with one of its own to the services."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy

    def setup(self) -> None:
        super().setup()
        self.onward = HTTPConnection(self.server.upstream, timeout=60)

    def finish(self) -> None:
        self.onward.close()
        super().finish()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Sent(self.command, self.path, headers, body)
        with self.server.lock:
            self.server.witness.sent(call)
        answer = self._forward(call)
        with self.server.lock:
            # before the program has it: whatever it does next, it may do because of this
            self.server.witness.answered(call, answer)
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _forward(self, call: Sent) -> Told | None:
        headers = {name: value for name, value in call.headers.items() if name not in HOP_BY_HOP}
        try:
            self.onward.request(call.method, call.target, call.body, headers)
            response = self.onward.getresponse()
            body = response.read()
        except (HTTPException, OSError):
            self.onward.close()
            return None
        kept = {n.lower(): v for n, v in response.getheaders() if n.lower() not in HOP_BY_HOP - {"date"}}
        return Told(response.status, kept, body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the witness has seen it."""
