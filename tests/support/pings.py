"""A dead-man's-switch service on loopback: what it was told, and ways in which it does not answer well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

SECRET = "5d1c9a2e-secret"


@dataclass
class Pings:
    """What was told: path behind the check's own, and body. `status` is the answer; 0: a byte every now and then."""

    url: str = ""
    status: int = 200
    told: list[tuple[str, str]] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    @property
    def events(self) -> list[str]:
        """The paths alone."""
        return [path for path, _ in self.told]


@contextmanager
def listening() -> Iterator[Pings]:
    """The service, until it is left."""
    pings = Pings()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            pings.told.append((self.path.removeprefix(f"/{SECRET}"), body))
            if pings.status:
                self.send_response(pings.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            while not pings.status and not pings.over.wait(0.5):
                self.wfile.write(b"H")
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Nothing: the test's own output is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pings.url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield pings
    finally:
        pings.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
