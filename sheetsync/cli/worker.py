"""`sheetsync worker`: runs of all trackers, again and again, beside any number of other workers with the same ledger.

Owns what a worker does with a tracker (the run of `sync`, and nothing else), what is told after the runs, and how it
is stopped. Who does which tracker when is the engine's (`fleet/engine.py`).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from threading import Lock
from types import ModuleType

import click

from sheetsync.cli.logs import is_json
from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.runs import SEVERITY, Runs, write_metrics
from sheetsync.cli.stopping import stoppable
from sheetsync.cli.sync import log_runs, sync_text
from sheetsync.clock import Clock
from sheetsync.config.load import Config
from sheetsync.context import about
from sheetsync.errors import ConfigError, Locked, MissingExtra, SheetsyncError, Unexpected
from sheetsync.fleet.due import MINUTE, due, is_due
from sheetsync.health.ping import Switch
from sheetsync.ledger.store import Ledger, Run
from sheetsync.state import Server
from sheetsync.sync.clients import Clients, budgets_of, clock_for
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request
from sheetsync.sync.telling import KEPT_FOR_ALERTS, tell
from sheetsync.sync.trackers import run_all, run_id_for

log = logging.getLogger(__name__)


@click.command()
@selecting()
def worker(selection: Selection) -> None:
    """Run every tracker every few minutes, together with any number of other workers.

    The minutes are `worker: every_minutes:`. All workers have the same ledger, on PostgreSQL (`state:
    postgresql://...`), and the same configuration. SIGTERM (or Ctrl-C) lets the calls in hand end and be recorded; a
    second one ends it at once. Exit code: 0 stopped, 1 the ledger's server did not answer at the start, 2
    configuration.
    """
    config, _ = selection.load()
    server = server_of(config, "`sheetsync worker`")
    engines = library("`sheetsync worker`")
    Ledger(server).close()  # makes or migrates its tables; a server that does not let us in is told now
    mine = Worker(config)
    work = engines.Work(mine.due, mine.run, mine.is_time_to_tell, mine.tell)
    engine = engines.Engine(server.url, work, config.worker.concurrency)

    def stop() -> None:
        mine.stop()
        engine.stop()

    with stoppable(stop):
        engine.work()
    mine.close()


def server_of(config: Config, what: str) -> Server:
    """The server that the ledger is on. Raises ConfigError where it is a file."""
    if isinstance(config.state, Server):
        return config.state
    raise ConfigError(
        [
            f"{config.path}: state: is a file, which one machine has for itself; expected postgresql://... for {what} "
            "(`sheetsync ledger copy` moves a ledger there)"
        ]
    )


def library(what: str) -> ModuleType:
    """The engine, whose library is an extra's. Raises MissingExtra."""
    if not find_spec("procrastinate"):
        raise MissingExtra(what, "worker", "procrastinate")
    from sheetsync.fleet import engine

    engine.quiet()
    return engine


class Worker:
    """What one worker does; its methods are called from several threads, and none of them raises."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._trackers = {tracker.name: tracker for tracker in config.trackers}
        self._budgets = budgets_of(config)
        self._clocks: set[Clock] = set()
        self._reports: dict[str, Report] = {}
        self._is_stopped, self._lock = False, Lock()

    def stop(self) -> None:
        """The calls in hand end, and no other begins. May be called by a signal's handler: takes no lock."""
        self._is_stopped = True
        for clock in tuple(self._clocks):
            clock.stop()

    def close(self) -> None:
        """Close the connection of the shared budgets."""
        if self._budgets:
            self._budgets.close()

    def due(self) -> Sequence[str]:
        """The trackers whose turn it is."""
        with said("what is due"), Ledger(self._config.state) as ledger:
            return due([*self._trackers], ledger.last_begun(), clock_for(self._config).now(), self._every)
        return ()

    def run(self, name: str) -> None:
        """One run for one tracker, if it still is its turn: a job may come twice."""
        with said(f"tracker {name}"), self._clock() as clock:
            # asked after the clock is known to `stop`
            if not self._is_stopped and name in self._trackers:
                self._run(name, clock)

    @contextmanager
    def _clock(self) -> Iterator[Clock]:
        """A clock that `stop` stops."""
        clock = clock_for(self._config)
        self._clocks.add(clock)
        try:
            yield clock
        finally:
            self._clocks.discard(clock)

    def _run(self, name: str, clock: Clock) -> None:
        config, started = self._config, clock.now()
        request = Request(run_id_for(started), config.run.poll_seconds)
        with about(run_id=request.run_id), Clients(config, clock, budgets=self._budgets) as clients:
            if name not in due([*self._trackers], clients.ledger.last_begun(), started, self._every):
                return
            clock.ends_in(config.run.max_seconds)
            reports = run_all([self._trackers[name]], clients.sheets, clients.portal, clients.ledger, clock, request)
            runs = Runs(request.run_id, started, clock.now(), [*reports.values()])
            if runs.exit_code != Locked.exit_code:
                self._reports |= reports
                self._write_metrics(clients.ledger)
            self._print(runs)

    @property
    def _every(self) -> int:
        return self._config.worker.every_minutes

    def _print(self, runs: Runs) -> None:
        if is_json():
            log_runs(runs)
            return
        with self._lock:
            click.echo("\n".join(map(sync_text, runs.reports)))

    def _write_metrics(self, ledger: Ledger) -> None:
        if self._config.run.metrics_file:
            reports = [self._reports.get(name, Report(name)) for name in self._trackers]
            with self._lock:
                write_metrics(self._config.run.metrics_file, ledger, reports)

    def is_time_to_tell(self) -> bool:
        """Whether a period has begun within this minute: then all trackers have had their turn in the last one."""
        now = clock_for(self._config).now()
        return is_due(now - MINUTE, now, self._every)

    def tell(self) -> None:
        """What `sync` does after the runs of all trackers: the ping, and whoever is to be told."""
        with (
            said("telling"),
            self._clock() as clock,
            Switch(self._config.run.ping_url) as switch,
            Clients(self._config, clock, budgets=self._budgets) as all_,
        ):
            last = {name: all_.ledger.last_run(name) for name in self._trackers}
            code, text = how_all_fare(last, clock.now(), self._every)
            switch.ended(code, text)
            clock.ends_in(KEPT_FOR_ALERTS)
            if not self._is_stopped:
                trackers = [*self._trackers.values()]
                tell(self._config.alerting, trackers, all_.ledger, clock, all_.portal.fingerprint)
            self._write_metrics(all_.ledger)


@contextmanager
def said(what: str) -> Iterator[None]:
    """What goes wrong within is said, and the next period tries again."""
    try:
        yield
    except SheetsyncError as error:
        log.warning("worker: %s: %s", what, error)
    except Exception as error:
        log.error("worker: %s: %s", what, Unexpected(error))


def how_all_fare(last: Mapping[str, Run | None], now: datetime, minutes: int) -> tuple[int, str]:
    """One exit code for the last runs of all trackers, and a line for each that was not good. 1 where one is late: a
    dead-man's switch is then told nothing.
    """
    late = {name for name, run in last.items() if not run or now - run.started_at > 3 * minutes * MINUTE}
    codes = {run.exit_code for run in last.values() if run} | ({1} if late else set())
    told = [f"{name}: {run.summary or run.exit_code}" for name, run in last.items() if run and run.exit_code]
    told += [f"{name}: no run for more than three periods" for name in sorted(late)]
    return next((code for code in SEVERITY if code in codes), 0), "\n".join(told or ["all done"])
