"""`python -m tests.benchmarks.polls`: polls of a run beside a bare httpx loop, and what TokPortal's bucket forces.

The server is the sandbox's rate limit behind a socket, each answer so late. Both sides ask with as many threads, a
connection each, as a run does: what is measured is the pace, not that several ask at once. The loop knows no limit,
parses nothing, and asks for no more than a full bucket holds. `--long` adds 600 polls, which take four minutes.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from sheetsync.clock import Clock
from sheetsync.sandbox.tokportal.rate_limit import BUCKET_SIZE, REFILL_PER_SECOND, Bucket
from sheetsync.sync.observe import POLLERS, Poller
from sheetsync.tokportal.client import TokPortal

LATENCIES = (0.05, 0.2, 0.5)
FULL, LONG = 120, 600
KEY = "sk_benchmark"


class Server(ThreadingHTTPServer):
    """TokPortal's bucket, full, in front of answers that come so late."""

    daemon_threads = True

    def __init__(self, latency: float) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.latency, self.lock, self.refused = latency, threading.Lock(), 0
        self.bucket = Bucket(BUCKET_SIZE, datetime.now(UTC))
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def take(self) -> tuple[bool, dict[str, str]]:
        """Whether a call is within the limit, and what its answer tells of that."""
        with self.lock:
            self.bucket.refill(datetime.now(UTC))
            is_there = self.bucket.take()
            self.refused += not is_there
            return is_there, self.bucket.headers()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        is_there, headers = self.server.take()
        time.sleep(self.server.latency)
        body = json.dumps({"data": None} if is_there else {"error": {"code": "RATE_LIMIT_EXCEEDED"}}).encode()
        lines = [f"HTTP/1.1 {200 if is_there else 429} -", f"Date: {format_datetime(datetime.now(UTC), usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        self.wfile.write("\r\n".join(lines).encode() + body)


def seconds_of(work: Callable[[str], object], latency: float) -> tuple[float, int]:
    """How long it takes against a server whose bucket is full, and how many calls that refused."""
    with Server(latency) as server:
        started = time.monotonic()
        work(server.url)
        took = time.monotonic() - started
        server.shutdown()
        return took, server.refused


def loop(url: str) -> None:
    """What a script does: so many threads, and a client of httpx."""
    with httpx.Client(headers={"X-API-Key": KEY}) as client, ThreadPoolExecutor(POLLERS) as pool:
        paths = [f"{url}/api/ext/videos/video-{n}/ad-code-request" for n in range(FULL)]
        assert all(answer.status_code == 200 for answer in pool.map(client.get, paths))


def polls(number: int) -> Callable[[str], None]:
    """The polls of a run."""

    def ask(url: str) -> None:
        clock = Clock()
        with TokPortal(KEY, url, clock) as portal:
            found = Poller(portal, clock, seconds=3600).observe([f"video-{n}" for n in range(number)])
        assert len(found) == number
        assert not any(seen.failure for seen in found.values())

    return ask


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.polls", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG} polls too")
    options = parser.parse_args()
    for latency in LATENCIES:
        bare, ours = min(seconds_of(loop, latency)[0] for _ in range(3)), []
        for _ in range(3):
            ours.append(seconds_of(polls(FULL), latency))
        took, refused = min(ours)
        print(
            f"{FULL} polls at {latency * 1000:3.0f} ms: {took:5.2f} s, {took / bare:.2f} x a bare loop of {POLLERS} "
            f"threads ({bare:.2f} s); {refused} refused",
            flush=True,
        )
    if options.long:
        took, refused = seconds_of(polls(LONG), LATENCIES[0])
        forced = (LONG - BUCKET_SIZE) / REFILL_PER_SECOND
        print(f"{LONG} polls: {took:.1f} s, {took / forced:.3f} x what the bucket forces; {refused} refused")


if __name__ == "__main__":
    main()
