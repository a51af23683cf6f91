"""Real receivers on loopback: a webhook over HTTP and a mail server over SMTP, which can be told to misbehave.

They know the protocols and nothing of the program; what they were sent is what tests look at.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Hook:
    """A webhook. `mode` is the HTTP status it answers, or `hang`, `drop` (takes it and says nothing) or `drip`.

    `meanwhile` is done once it has a message, before it answers.
    """

    def __init__(self) -> None:
        self.mode: int | str = 204
        self.got: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.tried = 0
        self.stopping = threading.Event()
        self.url = ""
        self.meanwhile: Callable[[], object] = lambda: None

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        self.tried += 1
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if self.mode == "hang":
            self.stopping.wait(60)
            return
        if self.mode == "drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.stopping.wait(0.05):
                handler.wfile.write(b"X-Drip: drip\r\n")
            return
        if self.mode == "drop" or (isinstance(self.mode, int) and self.mode < 300):
            self.got.append(json.loads(body))
            self.headers.append(dict(handler.headers.items()))
            self.meanwhile()
        if self.mode != "drop":
            handler.send_response(int(self.mode))
            handler.send_header("Location", self.url + "/elsewhere")
            handler.send_header("Content-Length", "0")
            handler.end_headers()


@contextmanager
def hook() -> Iterator[Hook]:
    """A webhook that is served."""
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with suppress(OSError):  # the client has hung up
                made.take(self)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    with _served(server):
        yield made
        made.stopping.set()


class Post:
    """A mail server. `mode`: `ok`, `refuse` (554 after DATA), `nobody` (550), `drop` (takes the mail, says nothing),
    or `hang`. With `secure` it speaks STARTTLS and asks for `ana` and `secret`.
    """

    def __init__(self, secure: ssl.SSLContext | None = None) -> None:
        self.mode, self.secure = "ok", secure
        self.letters: list[EmailMessage] = []
        self.envelopes: list[tuple[str, tuple[str, ...]]] = []
        self.signed_in: list[str] = []
        self.stopping = threading.Event()
        self.port = 0

    def talk(self, sock: socket.socket) -> None:
        """One conversation, until QUIT or until the client hangs up."""
        if self.mode == "hang":
            self.stopping.wait(60)
            return
        with ExitStack() as held:
            self._talk(sock, held)

    def _talk(self, sock: socket.socket, held: ExitStack) -> None:
        lines, envelope = held.enter_context(sock.makefile("rwb")), ["", ""]
        _say(lines, "220 loopback ready")
        while line := lines.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "STARTTLS" and self.secure:
                _say(lines, "220 go ahead")
                sock = held.enter_context(self.secure.wrap_socket(sock, server_side=True))
                lines = held.enter_context(sock.makefile("rwb"))
            elif verb == "DATA":
                _say(lines, "354 go on")
                self._letter(lines, envelope)
                if self.mode == "drop":
                    return
                _say(lines, "554 no" if self.mode == "refuse" else "250 taken")
            else:
                _say(lines, self._answer(verb, line, envelope))
            if verb == "QUIT":
                return

    def _answer(self, verb: str, line: str, envelope: list[str]) -> str:
        if verb == "EHLO":
            return "250-loopback\r\n250-STARTTLS\r\n250 AUTH PLAIN" if self.secure else "250 loopback"
        if verb == "AUTH":
            self.signed_in.append(base64.b64decode(line.split()[2]).decode())
            return "235 ok" if self.signed_in[-1] == "\0ana\0secret" else "535 no: " + self.signed_in[-1]
        if verb == "MAIL":
            envelope[:] = [_address(line)]
        elif verb == "RCPT" and self.mode == "nobody":
            return "550 no such person"
        elif verb == "RCPT":
            envelope.append(_address(line))
        return "221 bye" if verb == "QUIT" else "250 ok"

    def _letter(self, lines: Any, envelope: list[str]) -> None:
        told = b""
        while (line := lines.readline()) != b".\r\n":
            told += line[1:] if line.startswith(b"..") else line
        if self.mode != "refuse":
            letter = message_from_bytes(told, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
            self.envelopes.append((envelope[0], tuple(envelope[1:])))


def _say(lines: Any, text: str) -> None:
    lines.write(text.encode() + b"\r\n")
    lines.flush()


def _address(line: str) -> str:
    return line.split(":", 1)[1].split()[0].strip("<>")


@contextmanager
def post(secure: ssl.SSLContext | None = None) -> Iterator[Post]:
    """A mail server that is served."""
    made = Post(secure)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # the client has hung up
                made.talk(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Nothing is printed."""

    server = Server(("127.0.0.1", 0), Handler)
    made.port = server.server_address[1]
    with _served(server):
        yield made
        made.stopping.set()


@contextmanager
def _served(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that vouches for itself, as a file, and a server's context with it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = dt.datetime.now(dt.UTC)
    builder: Callable[[], Any] = x509.CertificateBuilder
    made = (
        builder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context
