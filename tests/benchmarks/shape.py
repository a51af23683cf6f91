"""`python -m tests.benchmarks.shape`: what a run asks for of Sheets, TokPortal and a ledger on PostgreSQL, by its kind.

In this process, a worker's runs on the sandbox, every call and statement counted where it leaves: what the capacity's
arithmetic (`arithmetic.py`) and its simulation begin from. Transactions are those that write, one after the other
in a ledger; leases those of the shared budgets. Then real workers: how many connections one has at most.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from support import postgres
from support.fleets import Fleet, fleet

from sheetsync.cli.worker import Worker
from sheetsync.config.load import load
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.google.calls import READ_KINDS
from tests.benchmarks.workers import UNLIMITED

ROWS, OPEN = 50, 20
TRACKERS, LATENCY, SECONDS = 60, 0.2, 15.0
CONNECTIONS = "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """What goes to PostgreSQL: connections, statements, leases, transactions that write, and for how many microseconds
    these keep all others waiting.
    """
    found: Counter[str] = Counter()
    execute, connect = psycopg.Connection.execute, psycopg.connect
    alone_since = 0.0

    def executed(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        nonlocal alone_since
        found["statements"] += 1
        found["transactions"] += query == "BEGIN"
        found["leases"] += "FROM shared_budget" in str(query)
        answer = execute(self, query, *values, **options)
        if "pg_advisory_xact_lock(%s)" in str(query):
            alone_since = time.perf_counter()
        elif query == "COMMIT":
            found["alone"] += int(1e6 * (time.perf_counter() - alone_since))
        return answer

    def connected(*values: Any, **options: Any) -> Any:
        found["connections"] += 1
        return connect(*values, **options)

    psycopg.Connection.execute, psycopg.connect = executed, connected  # type: ignore[method-assign]
    try:
        yield found
    finally:
        psycopg.Connection.execute, psycopg.connect = execute, connect  # type: ignore[method-assign]


def kinds_of_runs(found: Fleet) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each kind of run with what happens before it, in the order of a request's life."""
    (tracker, *_), portal = found.trackers, found.world.portal
    videos = tracker.videos[:OPEN]

    def order() -> None:
        portal.credits += 7
        tracker.mark(tracker.videos[OPEN])

    def taken_over() -> None:
        portal.credits += 7 * OPEN
        for video in videos:
            portal.order_elsewhere(video)
            tracker.mark(video)

    def delivered() -> None:
        for video in videos:
            portal.accept(video)
            portal.submit(video)
            portal.deliver(video)

    def nothing() -> None: ...

    yield "the first one", nothing
    yield "quiet", nothing
    yield f"{OPEN} marks, open already", taken_over
    yield f"{OPEN} polls", nothing
    yield f"{OPEN} codes come", delivered
    yield "quiet, with codes", nothing
    yield "an order", order


def shapes() -> None:
    """Print what each kind of run asks for."""
    with TemporaryDirectory() as folder, fleet(Path(folder), postgres.fresh(), 1, ROWS) as found, counted() as asked:
        found.world.google.quota = False
        found.configure(every=1)
        Ledger(found.database).close()
        worker = Worker(load(found.folder / "sheetsync.yaml", {}))
        for name, happens in kinds_of_runs(found):
            happens()
            found.world.clock.advance(timedelta(minutes=1))
            found.world.calls.clear()
            asked.clear()
            started = time.process_time()
            worker.run(found.trackers[0].name)
            cpu, calls = time.process_time() - started, [call.kind or "" for call in found.world.calls]
            reads, writes = sum(kind in READ_KINDS for kind in calls), calls.count("sheets.batchUpdate")
            portal = sum(kind.startswith("portal.") for kind in calls)
            print(
                f"{name:22}: Sheets {reads} reads, {writes} writes; TokPortal {portal:2}; ledger "
                f"{asked['transactions']:2} transactions ({asked['alone'] / 1000:4.1f} ms), {asked['statements']:3} "
                f"statements, {asked['leases']:2} leases, {asked['connections']} connections; {cpu:.2f} s CPU, the "
                "sandbox's too",
                flush=True,
            )
        worker.close()


def connections(concurrency: int) -> None:
    """Print how many connections a worker has at most that is never out of work."""
    with TemporaryDirectory() as folder, fleet(Path(folder), postgres.fresh(), TRACKERS, ROWS) as found:
        Ledger(found.database).close()
        found.world.google.quota = False
        found.world.faults.add("*", fault="slow", times=10**9, seconds=LATENCY)
        found.configure(every=60, concurrency=concurrency)
        before = int(str(postgres.told(CONNECTIONS)[0][0]))
        found.start(*UNLIMITED)
        most, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            most = max(most, int(str(postgres.told(CONNECTIONS)[0][0])) - before)
            time.sleep(0.05)
        print(f"a worker with {concurrency} runs at once: {most} connections at most", flush=True)


def main() -> None:
    argparse.ArgumentParser(prog="python -m tests.benchmarks.shape", description=__doc__).parse_args()
    shapes()
    for concurrency in (1, 4, 8):
        connections(concurrency)


if __name__ == "__main__":
    main()
