"""How many trackers and open requests fleets carry, and which limit they meet first: the arithmetic, pure.

Owns the formula; its words, tables, and what to split then, are `sheetsync/fleet/README.md`'s. `capacity.py` holds it
against a simulated fleet; what a run asks for was counted by `shape.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sheetsync.ledger.budgets import WINDOW
from sheetsync.sync.clients import LIMITS
from sheetsync.sync.observe import POLLERS

MINUTE = 60.0
PROJECT_READS = 300
"""Reads a minute of all service accounts of a Google Cloud project, counted by Google alone (Sheets reference 3.1)."""

CONNECTIONS = 97
"""What a PostgreSQL lets in as it is installed: 100, less three for its superuser."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run asks for: a quiet one's figures; whoever orders in every second run has 3 reads on average.

    `cpu` is of a worker's processor, `poll_cpu` each poll's besides; `transactions` write in the ledger, one after the
    other, and take so many seconds each, the disk's share among them; `latency` is that of a call.
    """

    reads: float = 2.0
    latency: float = 0.3
    cpu: float = 0.12
    poll_cpu: float = 0.007
    transactions: float = 8.0
    transaction_seconds: float = 0.005


@dataclass(frozen=True, slots=True)
class Fleets:
    """So many fleets, each with a service account and a ledger of its own, as many workers, runs at once in each of
    those, and an even share of the keys and Google Cloud projects.
    """

    accounts: int = 1
    keys: int = 1
    projects: int = 1
    workers: int = 1
    concurrency: int = 4


@dataclass(frozen=True, slots=True)
class Load:
    """What all fleets together are to do in each period."""

    trackers: int
    open_requests: int
    minutes: int


def a_minute(service: str) -> float:
    """Calls of a minute for which nobody waits in vain: 97 % of the service's own limit, less the orders' reserve."""
    limit, reserve = LIMITS[service]
    return (limit - reserve) * MINUTE / WINDOW


def uses(fleets: Fleets, load: Load, run: Run) -> Mapping[str, float]:
    """How much of each limit is used, 1.0 being all of it, by its name. The first to break is the one used most."""
    runs, polls = load.trackers / load.minutes, load.open_requests / load.minutes
    fleet_runs, fleet_polls = runs / fleets.accounts, polls / fleets.accounts
    slot_seconds = fleet_runs * (run.reads * run.latency + run.cpu) + fleet_polls * run.latency / POLLERS
    processor_seconds = fleet_runs * run.cpu + fleet_polls * run.poll_cpu
    return {
        "service account": fleet_runs * run.reads / a_minute("google reads"),
        "Google Cloud project": runs * run.reads / (PROJECT_READS * fleets.projects),
        "TokPortal key": polls / (fleets.keys * a_minute("tokportal")),
        "runs at once": slot_seconds / (fleets.workers * fleets.concurrency * MINUTE),
        "workers' processors": processor_seconds / (fleets.workers * MINUTE),
        "ledger": fleet_runs * run.transactions * run.transaction_seconds / MINUTE,
    }


def connections(fleets: Fleets) -> int:
    """What all workers ask of PostgreSQL at most: two for each run, and those of queue, budgets and rounds."""
    return fleets.accounts * fleets.workers * (2 * fleets.concurrency + 6)


def breaks_first(fleets: Fleets, load: Load, run: Run) -> tuple[str, float]:
    """The limit that is used most, and how much of it."""
    return max(uses(fleets, load, run).items(), key=lambda use: use[1])


def most_trackers(fleets: Fleets, minutes: int, run: Run) -> int:
    """How many trackers without open requests are each run once a period."""
    return int(minutes / breaks_first(fleets, Load(minutes, 0, minutes), run)[1])


def most_open_requests(keys: int, minutes: int) -> int:
    """How many open requests are each asked about once a period."""
    return int(keys * minutes * a_minute("tokportal"))
