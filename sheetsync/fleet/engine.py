"""The engine: jobs in PostgreSQL, taken by any number of workers. The only file that knows procrastinate.

Owns the queue: one periodic task looks what is due and defers it, at most one job waits for each tracker
(`queueing_lock`) and one runs (`lock`). That a job may run twice at once all the same (its worker slept for longer
than STALLED, and wakes) is known here and harmless: the ledger's own lock of the tracker decides. Nothing here is
remembered for longer than a job lasts: what is due follows from the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import procrastinate
import psycopg_pool
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, JobDeferrer, Status

from sheetsync.errors import Unavailable
from sheetsync.ledger.postgres import ALIVE

log = logging.getLogger(__name__)

HEARTBEAT, STALLED = 10.0, 35.0
"""Seconds between two signs of life of a worker, and without one until its jobs are given to others."""

ROUND = 20
"""Seconds between two looks at what is due, and whose worker was lost: 55 s after that, its tracker is taken up."""

POLL = 2.0
"""Seconds between two looks for a job that waits for a lock."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before a lost database is asked again, longer each time, and half as much again by chance: a server that
comes back is not met by all workers at once. STEADY seconds of work, and they begin anew."""

STEADY = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does: `due` names the trackers whose turn it is, `run` runs one, `tell` tells people afterwards
    (`is_time` says in which minutes). None of them raises.
    """

    due: Callable[[], Sequence[str]]
    run: Callable[[str], None]
    is_time: Callable[[], bool]
    tell: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Spell:
    """So many seconds of work, and why they ended; 0.0 where it could not begin."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """A worker as the queue knows it: seconds since its last sign of life, and the trackers that it is running."""

    number: int
    silent: float
    trackers: tuple[str, ...]

    @property
    def is_lost(self) -> bool:
        """Whether its trackers are given to others."""
        return self.silent > STALLED


def quiet() -> None:
    """What the library says of lost connections may hold the database's address: it is said here, in words."""
    for name in ("procrastinate", "psycopg.pool", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Engine:
    """One worker. `url` is the database; `concurrency` so many trackers are run at once."""

    def __init__(self, url: str, work: Work, concurrency: int) -> None:
        self._url, self._work, self._concurrency = url, work, concurrency
        self._is_stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None
        self._app = self._connected()

    def work(self) -> None:
        """Work until `stop`. A database that goes away for a while is waited for."""
        asyncio.run(self._until_stopped())

    def stop(self) -> None:
        """Take no further job, and come back when those in hand have ended. May be called by a signal's handler."""
        self._is_stopped = True
        if self._loop and self._worker:
            self._loop.call_soon_threadsafe(self._worker.cancel)

    async def _until_stopped(self) -> None:
        self._loop = asyncio.get_running_loop()
        # runs, tell, and a round's look at the ledger: its own number of threads follows from the machine's cores
        self._loop.set_default_executor(ThreadPoolExecutor(self._concurrency + 2))
        # what a library says of tasks whose connection is gone is said below, in words
        self._loop.set_exception_handler(lambda _, about: log.debug("%s", type(about.get("exception")).__name__))
        self._worker = self._loop.create_task(self._work_and_reconnect())
        with suppress(asyncio.CancelledError):
            await self._worker

    async def _work_and_reconnect(self) -> None:
        losses = 0
        while not self._is_stopped:
            spell = await self._work_once()
            losses = 0 if spell.seconds >= STEADY else losses
            # of an outage one line is enough; the next one says that it is over
            if spell.seconds or not losses:
                log.warning("worker: the database cannot be used now (%s); it is tried again until it can", spell.why)
            await asyncio.sleep(PAUSES[min(losses, len(PAUSES) - 1)] * (1 + random.random() / 2))
            losses += 1
            self._app = self._connected()  # a pool that failed to open once does not open again

    async def _work_once(self) -> Spell:
        """Work until stopped, or until the database is lost; runs in hand end by themselves."""
        began = ends = time.monotonic()
        why = "connections were cut"  # that is no error of the library's
        try:
            async with self._app.open_async():
                await _make(self._app)
                began = time.monotonic()
                log.info("worker: at work, %d trackers at once", self._concurrency)
                try:
                    await self._app.run_worker_async(
                        concurrency=self._concurrency,
                        fetch_job_polling_interval=POLL,
                        update_heartbeat_interval=HEARTBEAT,
                        stalled_worker_timeout=STALLED,
                        delete_jobs="always",
                        install_signal_handlers=False,
                    )
                finally:
                    ends = time.monotonic()
        except Exception as error:
            # its own text may hold the address of the database, with its password
            why = type(error.__cause__ or error).__name__
        return Spell(max(0.0, ends - began), why)

    def _connected(self) -> procrastinate.App:
        app = _app(self._url, self._concurrency + 3)
        app.task(name="run", queue="runs")(self._run)
        app.task(name="tell", queue="runs", priority=5, lock="tell", queueing_lock="tell")(self._tell)
        rounds = app.task(name="round", queue="runs", priority=10, queueing_lock="round")(self._round)
        app.periodic(cron=f"* * * * * */{ROUND}")(rounds)
        return app

    async def _round(self, timestamp: int) -> None:
        """Every ROUND seconds, on one worker of all: what was left behind is set free, what is due is deferred."""
        await _free(self._app, await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED))
        for name in await asyncio.to_thread(self._work.due):
            lock = f"tracker {name}"
            await _defer(self._app.configure_task("run", lock=lock, queueing_lock=lock), tracker=name)
        if timestamp % 60 == 0 and self._work.is_time():
            await _defer(self._app.configure_task("tell", lock="tell", queueing_lock="tell"))

    def _run(self, tracker: str) -> None:
        self._work.run(tracker)

    def _tell(self) -> None:
        self._work.tell()


def workers(url: str) -> list[Colleague]:
    """The workers that there are, with those that were lost since one last began. Raises Unavailable."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=url, kwargs=dict(ALIVE), min_size=1, max_size=1, timeout=10)
    app = procrastinate.App(connector=connector)
    try:
        with app.open():
            if not app.check_connection():
                return []  # none has ever begun
            # by the server's clock: those of the machines differ
            silent = "extract(epoch FROM now() - last_heartbeat)::float8 AS silent"
            seen = connector.execute_query_all(f"SELECT id, {silent} FROM procrastinate_workers ORDER BY id")
            jobs = [*app.job_manager.list_jobs(status="doing", task="run")]
    except (ConnectorException, psycopg_pool.PoolTimeout) as error:
        # its own text may hold the address of the database, with its password
        raise Unavailable(f"The queue of the workers cannot be asked now ({type(error).__name__}).") from None
    running = {
        row["id"]: sorted(str(job.task_kwargs["tracker"]) for job in jobs if job.worker_id == row["id"]) for row in seen
    }
    return [Colleague(row["id"], row["silent"], tuple(running[row["id"]])) for row in seen]


def _app(url: str, connections: int) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        kwargs={"application_name": "sheetsync worker", **ALIVE},
        min_size=1,
        max_size=connections,
        timeout=10.0,
    )
    return procrastinate.App(connector=connector)


async def _make(app: procrastinate.App) -> None:
    """The tables of the queue, beside those of the ledger, by whichever worker comes first."""
    if not await app.job_manager.check_connection_async():
        try:
            await app.schema_manager.apply_schema_async()
        except ConnectorException:
            if not await app.job_manager.check_connection_async():
                raise


async def _free(app: procrastinate.App, stalled: Iterable[Job]) -> None:
    """Jobs whose worker gives no sign of life. They are not put back: what they were for is due as long as no run has
    begun, and is deferred anew; a job that is put back can meet one that waits already (procrastinate issue 1543).
    """
    for job in stalled:
        lost = job.task_kwargs.get("tracker", job.task_name)
        log.warning("worker: another worker was lost in the middle of %s, which is taken up again", lost)
        with suppress(ConnectorException):  # it has ended after all
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


async def _defer(deferrer: JobDeferrer, **arguments: str) -> None:
    with suppress(AlreadyEnqueued):
        await deferrer.defer_async(**arguments)
