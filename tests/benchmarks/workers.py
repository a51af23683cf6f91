"""`python -m tests.benchmarks.workers`: runs of 200 trackers by 1, 2, 4 and 8 workers, each call answered after 200 ms.

First where nothing limits the calls (their limits are lifted in workers and sandbox, one tracker at a time each): how
long until each tracker has had one run, beside one worker. Then as the services are, `concurrency` 4: how many of the
reads that 60 a minute allow are used, and whether more are asked for. A quiet run reads twice: 30 runs a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import postgres
from support.fleets import Fleet, fleet

from sheetsync.ledger.budgets import WINDOW
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.google.calls import READ_KINDS

WORKERS = (1, 2, 4, 8)
TRACKERS, ROWS = 200, 50
LATENCY = 0.2
SECONDS = 2 * WINDOW
"""How long is counted: calls come in bursts, one in each window."""

READS, OF_A_RUN = 60, 2
UNLIMITED = (
    "-c",
    "import sheetsync.sync.clients as clients; clients.LIMITS = dict.fromkeys(clients.LIMITS, (10**6, 0)); "
    "from sheetsync.cli.main import main; main()",
)


@contextmanager
def office(workers: int, limited: bool) -> Iterator[Fleet]:
    """Workers at work, as all trackers are due."""
    with TemporaryDirectory() as folder, fleet(Path(folder), postgres.fresh(), TRACKERS, ROWS) as found:
        Ledger(found.database).close()
        found.world.google.quota = limited
        found.world.faults.add("*", fault="slow", times=10**9, seconds=LATENCY)
        found.configure(every=60, concurrency=4 if limited else 1)
        for _ in range(workers):
            found.start(*() if limited else UNLIMITED)
        yield found


def first_runs(workers: int) -> float:
    """Seconds from the beginning of the first run until each tracker has had one."""
    with office(workers, limited=False) as found:
        while found.told("SELECT COUNT(DISTINCT tracker) FROM run") != [(TRACKERS,)]:
            time.sleep(0.5)
        ((began, ended),) = found.told("SELECT MIN(started_at), MAX(finished_at) FROM run")
        assert found.told("SELECT DISTINCT exit_code FROM run") == [(0,)]
        return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def reads_a_minute(workers: int) -> tuple[float, float, int]:
    """Reads and ended runs a minute, after the first one, whose burst is not counted; and calls that were refused."""
    with office(workers, limited=True) as found:
        while not any(call.kind in READ_KINDS for call in found.world.calls):
            time.sleep(0.1)
        time.sleep(65)
        began = found.world.clock.now()
        time.sleep(SECONDS)
        calls = list(found.world.calls)
        until = began + timedelta(seconds=SECONDS)
        # a call that comes late is written down twice, first without an answer
        reads = sum(call.kind in READ_KINDS and call.status > 0 and began <= call.at < until for call in calls)
        ended = [datetime.fromisoformat(at) for (at,) in found.told("SELECT finished_at FROM run WHERE exit_code = 0")]
        refused = sum(call.status == 429 for call in calls)
        return reads * 60 / SECONDS, sum(began <= at < until for at in ended) * 60 / SECONDS, refused


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.workers", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    options = parser.parse_args()
    alone = 0.0
    for workers in options.workers:
        took = first_runs(workers)
        alone = alone or took
        print(f"{workers} workers, no limit: {took:.0f} s for {TRACKERS} runs, {alone / took:.2f} x", flush=True)
    for workers in options.workers:
        reads, runs, refused = reads_a_minute(workers)
        print(
            f"{workers} workers, limited: {reads:.1f} reads a minute, {reads / READS:.1%} of the limit; "
            f"{runs:.1f} runs, {runs * OF_A_RUN / READS:.1%}; {refused} refused",
            flush=True,
        )


if __name__ == "__main__":
    main()
