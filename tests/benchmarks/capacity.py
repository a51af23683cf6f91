"""`python -m tests.benchmarks.capacity`: how much fleets carry, by the formula and in a simulated fleet.

For each limit the fleets get half as much again as the formula (`arithmetic.py`) says that they carry, and what
they do in an hour of virtual time (`simulated.py`) stands beside it, as a ratio. Then 95 % of the formula: how long the
longest wait for a run is. Takes a minute; no service and no database is asked. `--real` asks a real worker instead, on
the sandbox and a PostgreSQL, with too much to do for its key, then for its account, beside the simulated one: seven
minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import postgres
from support.fleets import Fleet, fleet

from sheetsync.clock import Clock
from sheetsync.ledger.budgets import WINDOW
from sheetsync.ledger.store import Ledger
from sheetsync.model import AdCodeRequest
from sheetsync.sandbox.google.calls import READ_KINDS
from tests.benchmarks.arithmetic import Fleets, Load, Run, breaks_first, most_open_requests, most_trackers
from tests.benchmarks.simulated import Told, World

MINUTES = 5
WARM_UP, SECONDS = 1800.0, 3600.0
OVER, UNDER = 1.5, 0.95
POLLED, ROWS = 20, 20
"""Open requests of a tracker, where those are what breaks first, and rows of a real one."""

QUIET, ORDERING = Run(), Run(reads=3.0)
SLOW_CALLS = Run(latency=4.0)
SLOW_PROCESSOR = Run(cpu=3.0)
SLOW_LEDGER = Run(transaction_seconds=0.4)


@dataclass(frozen=True, slots=True)
class Case:
    """What is played."""

    name: str
    fleets: Fleets
    run: Run = QUIET
    is_polling: bool = False

    @property
    def carried(self) -> int:
        """Trackers, or open requests, by the formula."""
        if self.is_polling:
            return most_open_requests(self.fleets.keys, MINUTES)
        return most_trackers(self.fleets, MINUTES, self.run)

    def load(self, share: float) -> Load:
        """So much of what the formula says."""
        number = ceil(self.carried * share)
        trackers = ceil(number / POLLED) if self.is_polling else number
        return Load(trackers, number if self.is_polling else 0, MINUTES)

    def played(self, share: float) -> Told:
        return World(self.fleets, self.load(share), self.run).play(WARM_UP, SECONDS)


def cases() -> Iterable[Case]:
    """Each limit as the first to break."""
    for accounts in (1, 2, 5, 6):
        yield Case(f"{accounts} service accounts", Fleets(accounts, accounts))
    yield Case("6 in two projects", Fleets(6, 6, projects=2))
    yield Case("1, orders in half of the runs", Fleets(), ORDERING)
    for keys in (1, 2, 4):
        yield Case(f"{keys} TokPortal keys", Fleets(keys, keys), is_polling=True)
    yield Case("2 ledgers with one key", Fleets(2, 1), is_polling=True)
    yield Case("calls of 4 s, 2 at once", Fleets(concurrency=2), SLOW_CALLS)
    yield Case("runs of 3 s CPU", Fleets(concurrency=4), SLOW_PROCESSOR)
    yield Case("transactions of 0.4 s", Fleets(), SLOW_LEDGER)


def ordered(found: Fleet, polled: int) -> None:
    """So many rows of each tracker have an open request, of which the ledger knows."""
    portal, ledger = found.world.portal, Ledger(found.database)
    for tracker in found.trackers:
        portal.credits += 7 * polled
        for video in tracker.videos[:polled]:
            portal.order_elsewhere(video)
        told = [one for video in tracker.videos if (one := portal.latest(video))]
        ledger.recorder(tracker.name, "run-0", Clock()).observe(
            AdCodeRequest(
                *(one.id, one.video_id, one.status, "tiktok", one.code, one.note),
                *(one.created_at, one.submitted_at, one.delivered_at),
            )
            for one in told
        )
    ledger.close()


def beside_real_worker(what: str, kinds: Collection[str], trackers: int, polled: int, minutes: int = 1) -> None:
    """Print what a real worker did in two windows, beside the simulated one."""
    with TemporaryDirectory() as folder, fleet(Path(folder), postgres.fresh(), trackers, ROWS) as found:
        ordered(found, polled)
        found.world.faults.add("*", fault="slow", times=10**9, seconds=QUIET.latency)
        found.configure(every=minutes)
        found.start()
        while not found.world.calls:
            time.sleep(0.1)
        time.sleep(WINDOW)
        first = len(found.world.calls)
        time.sleep(2 * WINDOW)
        # a call that comes late is written down twice, first without an answer
        calls = [call for call in list(found.world.calls)[first:] if call.status > 0]
    load = Load(trackers, trackers * polled, minutes)
    told = World(Fleets(), load, QUIET).play(WINDOW, 2 * WINDOW)
    real, simulated = sum(call.kind in kinds for call in calls), told.counts[what]
    print(
        f"{trackers} trackers with {polled} open requests each, every {minutes} minutes: {real} {what} of a real "
        f"worker, {real / simulated:.3f} x the simulated one; {sum(call.status == 429 for call in calls)} refused",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.capacity", description=__doc__)
    parser.add_argument("--real", action="store_true", help="a real worker beside a simulated one")
    options = parser.parse_args()
    if options.real:
        beside_real_worker("polls", ["portal.poll"], trackers=40, polled=20)
        beside_real_worker("reads", READ_KINDS, trackers=100, polled=0)
        return
    for case in cases():
        over, under = case.played(OVER), case.played(UNDER)
        what = "polls" if case.is_polling else "runs"
        simulated = over.counts[what] / SECONDS * 60 * MINUTES
        first, _ = breaks_first(case.fleets, case.load(OVER), case.run)
        others = {name: count for name, count in over.counts.items() if name not in ("runs", "reads", "polls")}
        print(
            f"{case.name:30} {case.carried:5} {'open requests' if case.is_polling else 'trackers':13} every {MINUTES} "
            f"minutes; simulated {simulated:6.0f}, {simulated / case.carried:.3f} x; breaks first: {first}; at "
            f"{UNDER:.0%} of it nobody is due for longer than {under.longest_lag.total_seconds():.0f} s"
            + "".join(f"; {count} {name}" for name, count in sorted(others.items())),
            flush=True,
        )


if __name__ == "__main__":
    main()
