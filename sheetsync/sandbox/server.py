"""The sandbox over real HTTP/1.1, on loopback only: sockets, threads, one lock round the world.

Owns what happens to connections: keep-alive, answers that come late, connections that close without an answer.
Does not own any answer (world.py). It uses http.server and not werkzeug, whose development server closes every
connection after one answer, where Google and TokPortal keep it open.
"""

from __future__ import annotations

import io
import socket
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sheetsync.sandbox.google.service_account import EMAIL, write_service_account
from sheetsync.sandbox.wire import ConnectionLost, Drips, Request, Response, Slow, TimedOut, json_response
from sheetsync.sandbox.world import World

LARGEST_BODY = 64 * 1024 * 1024


class Server:
    """Serves a world until it is stopped."""

    def __init__(self, world: World, host: str = "127.0.0.1", port: int = 0) -> None:
        if not is_loopback(host):
            raise ValueError(f"the sandbox listens on loopback only, not on {host}")
        self.world = world
        world.google.pretty = True
        self.lock = threading.Lock()  # for whoever changes the world beside the server, too
        self._stopping = threading.Event()
        self._listener = _Listener(self, "127.0.0.1" if host == "localhost" else host, port)
        self._thread = threading.Thread(target=self._serve, name="sandbox", daemon=True)

    def _serve(self) -> None:
        self._listener.serve_forever(poll_interval=0.05)

    @property
    def port(self) -> int:
        """The port it listens on, also where any free one was asked for."""
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """Where it serves, without a slash at the end."""
        host = str(self._listener.server_address[0])
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def token_uri(self) -> str:
        """Where service accounts sign in."""
        return self.url + "/token"

    def start(self) -> Server:
        """Serve, in a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, and close what is still open, so that a client notices."""
        self._stopping.set()
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.close_connections()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def write_service_account(self, path: Path, token_uri: str | None = None, email: str = EMAIL) -> None:
        """A key file with which google-auth signs in here."""
        with self.lock:
            write_service_account(self.world.google.oauth, path, token_uri or self.token_uri, email)
            self.world.changed()

    def answer(self, request: Request, peer: socket.socket) -> Response:
        """The world's answer, when its time has come. Raises Drips, and ConnectionLost where there is none."""
        try:
            with self.lock:
                return self.world.handle(request)
        except Slow as slow:
            return self._answer_late(slow, request, peer)
        except Drips:
            raise
        except TimedOut as lost:
            raise ConnectionLost(str(lost)) from lost

    def pause(self, seconds: float) -> bool:
        """Wait; True as soon as the server stops."""
        return self._stopping.wait(min(seconds, threading.TIMEOUT_MAX))

    def _answer_late(self, slow: Slow, request: Request, peer: socket.socket) -> Response:
        """Waits outside the lock. A call whose client has hung up meanwhile has no effect."""
        if self.pause(slow.seconds) or (slow.answer is None and _has_hung_up(peer)):
            raise ConnectionLost(str(slow))
        if slow.answer is not None:
            return slow.answer
        with self.lock:
            return self.world.resume(request)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, server: Server, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sandbox = server
        self._open: set[socket.socket] = set()
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer's own looks up the host's name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of the sandbox."""


class _Dripping(io.BufferedIOBase):
    """A connection to which the answer goes a byte at a time."""

    def __init__(self, inner: Any, server: Server, seconds: float) -> None:
        self._inner, self._server, self._seconds = inner, server, seconds

    def write(self, data: Any) -> int:
        for at in range(len(data)):
            if self._server.pause(self._seconds):
                raise ConnectionAbortedError
            self._inner.write(data[at : at + 1])
        return len(data)


class _Connection(BaseHTTPRequestHandler):
    """One connection, with one request after another."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        request = self._read()
        if request is None:
            return
        try:
            response = self.server.sandbox.answer(request, self.connection)
        except Drips as drips:
            response, self.close_connection = drips.answer, True
            self.wfile = _Dripping(self.wfile, self.server.sandbox, drips.seconds)
        except ConnectionLost:
            self.close_connection = True
            _hang_up(self.connection)
            return
        except Exception as problem:
            response = json_response({"error": {"message": f"the sandbox failed: {problem!r}"}}, 500)
        self._write(response)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def _read(self) -> Request | None:
        """The request; None where it was refused."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > LARGEST_BODY:
            self._refuse(411, "the sandbox needs a Content-Length")
            return None
        body = self.rfile.read(int(length))
        if not _is_local(headers):
            self._refuse(403, "the sandbox serves programs and pages of this computer only")
            return None
        parts = urlsplit(self.path)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return Request(self.command, parts.path, query, headers, body)

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True
        self._write(json_response({"error": {"message": message}}, status))

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.server.sandbox.world.clock.now(), usegmt=True)

    def version_string(self) -> str:
        return "sandbox"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the world keeps the log of calls."""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only mean this computer."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_local(headers: dict[str, str]) -> bool:
    """A page of another site must not reach the sandbox through the browser, by name (Host) or by script (Origin)."""
    host = headers.get("host", "localhost")
    if not is_loopback(urlsplit("//" + host).hostname or ""):
        return False
    return headers.get("origin", "http://" + host) == "http://" + host


def _has_hung_up(peer: socket.socket) -> bool:
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
