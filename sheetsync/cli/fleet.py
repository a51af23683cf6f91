"""`sheetsync status --fleet`: how late each tracker is, and which workers there are, as text and JSON.

Owns the words. What is known of runs is the ledger's, what workers do is the queue's (`fleet/engine.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sheetsync.cli.render import attributes, count, stamp, table
from sheetsync.cli.worker import library, server_of
from sheetsync.config.load import Config
from sheetsync.fleet.due import MINUTE, lag, places
from sheetsync.ledger.store import Ledger, Run
from sheetsync.model import Tracker
from sheetsync.sync.clients import clock_for

if TYPE_CHECKING:
    from sheetsync.fleet.engine import Colleague

LATE = 2
"""Periods from the beginning of a run within which the next one begins: who waits longer is late."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A tracker: its last run and last good one, for how long it has been due, and whether that is too long."""

    name: str
    last_run: Run | None
    last_good_run: Run | None
    lag: timedelta | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it. Trackers that have waited longest come first."""

    every_minutes: int
    turns: Sequence[Turn]
    workers: Sequence[Colleague]


def fleet_of(config: Config, trackers: Sequence[Tracker]) -> Fleet:
    """Ask ledger and queue. Raises ConfigError where the ledger is a file, MissingExtra, Unavailable."""
    server = server_of(config, "`sheetsync status --fleet`")
    engine = library("`sheetsync status --fleet`")
    now, every = clock_for(config).now(), config.worker.every_minutes
    place = places(tracker.name for tracker in config.trackers)
    with Ledger(server, read_only=True) as ledger:
        turns = [_turn(ledger, tracker.name, place[tracker.name], now, every) for tracker in trackers]
    return Fleet(every, sorted(turns, key=_waited, reverse=True), engine.workers(server.url))


def _turn(ledger: Ledger, name: str, place: float, now: datetime, every: int) -> Turn:
    last, good = ledger.last_run(name), ledger.last_run(name, is_good=True)
    if not last:
        return Turn(name, None, None, None, is_late=False)
    is_late = now - last.started_at > LATE * every * MINUTE
    return Turn(name, last, good, lag(last.started_at, now, every, place), is_late)


def _waited(turn: Turn) -> timedelta:
    return timedelta.max if turn.lag is None else turn.lag


def fleet_text(fleet: Fleet) -> str:
    """Figures, then a line for each tracker, then one for each worker."""
    late = sum(turn.is_late for turn in fleet.turns)
    at_work = sum(not worker.is_lost for worker in fleet.workers)
    every = f"every {count(fleet.every_minutes, 'minute')}"
    lines = [f"{count(len(fleet.turns), 'tracker')} {every}, {late} late; {count(at_work, 'worker')} at work"]
    runs = {name: f"worker {worker.number}" for worker in fleet.workers for name in worker.trackers}
    rows = [(turn.name, _good(turn), _lag(turn), runs.get(turn.name, "")) for turn in fleet.turns]
    lines.append(table([("tracker", "last good run", "lag", "running"), *rows]))
    if fleet.workers:
        workers = [(worker.number, _seen(worker), ", ".join(worker.trackers)) for worker in fleet.workers]
        lines.append(table([("worker", "last sign of life", "runs"), *workers]))
    return "\n".join(lines)


def _good(turn: Turn) -> str:
    bad = turn.last_run and turn.last_run.exit_code
    since = f" (the last one ended with {bad})" if bad else ""
    return (stamp(turn.last_good_run.finished_at) if turn.last_good_run else "none") + since


def _lag(turn: Turn) -> str:
    if turn.lag is None:
        return "never run"
    return f"{turn.lag.total_seconds():.0f} s" + (", late" if turn.is_late else "")


def _seen(worker: Colleague) -> str:
    return f"{worker.silent:.0f} s ago" + (", lost" if worker.is_lost else "")


def fleet_json(fleet: Fleet) -> Mapping[str, Any]:
    """The same as a document; `lag_seconds` is null for a tracker that never ran."""
    return {
        "every_minutes": fleet.every_minutes,
        "trackers": [
            {
                "name": turn.name,
                "last_run": turn.last_run and attributes(turn.last_run, "run_id", "finished_at", "exit_code"),
                "last_good_run": turn.last_good_run
                and attributes(turn.last_good_run, "run_id", "finished_at", "exit_code"),
                "lag_seconds": None if turn.lag is None else int(turn.lag.total_seconds()),
                "is_late": turn.is_late,
            }
            for turn in fleet.turns
        ],
        "workers": [
            {**attributes(worker, "number", "is_lost", "trackers"), "silent_seconds": int(worker.silent)}
            for worker in fleet.workers
        ],
    }
