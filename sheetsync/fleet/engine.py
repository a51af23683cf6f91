"""The engine: jobs in PostgreSQL, taken by any number of workers. The only file that knows procrastinate.

Owns the queue: one periodic task looks each minute what is due and defers it, at most one job waits for each tracker
(`queueing_lock`) and one runs (`lock`). That a job may run twice at once all the same (its worker slept for longer
than STALLED, and wakes) is known here and harmless: the ledger's own lock of the tracker decides. Nothing here is
remembered for longer than a job lasts: what is due follows from the ledger.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, JobDeferrer, Status

log = logging.getLogger(__name__)

HEARTBEAT, STALLED = 10.0, 35.0
"""Seconds between two signs of life of a worker, and without one until its jobs are given to others."""

POLL, AGAIN = 2.0, 3.0
"""Seconds between two looks for a job that waits for a lock, and before a lost database is asked again."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a worker does: `due` names the trackers whose turn it is, `run` runs one, `tell` tells people afterwards
    (`is_time` says in which minutes). None of them raises.
    """

    due: Callable[[], Sequence[str]]
    run: Callable[[str], None]
    is_time: Callable[[], bool]
    tell: Callable[[], None]


def quiet() -> None:
    """What the library says of lost connections may hold the database's address: it is said here, in words."""
    for name in ("procrastinate", "psycopg.pool", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Engine:
    """One worker. `url` is the database; `concurrency` so many trackers are run at once."""

    def __init__(self, url: str, work: Work, concurrency: int) -> None:
        self._work, self._concurrency = work, concurrency
        self._is_stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: asyncio.Task[None] | None = None
        self._app = _app(url, concurrency + 3)
        self._app.task(name="run", queue="runs")(self._run)
        self._app.task(name="tell", queue="runs", priority=5, lock="tell", queueing_lock="tell")(self._tell)
        rounds = self._app.task(name="round", queue="runs", priority=10, queueing_lock="round")(self._round)
        self._app.periodic(cron="* * * * *")(rounds)

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
        # what a library says of tasks whose connection is gone is said below, in words
        self._loop.set_exception_handler(lambda _, about: log.debug("%s", type(about.get("exception")).__name__))
        while not self._is_stopped:
            self._worker = asyncio.create_task(self._work_once())
            with suppress(asyncio.CancelledError):
                await self._worker
            if not self._is_stopped:
                await asyncio.sleep(AGAIN)

    async def _work_once(self) -> None:
        """Until stopped, or until the database is lost."""
        try:
            async with self._app.open_async():
                await _make(self._app)
                log.info("worker: at work, %d trackers at once", self._concurrency)
                await self._app.run_worker_async(
                    concurrency=self._concurrency,
                    fetch_job_polling_interval=POLL,
                    update_heartbeat_interval=HEARTBEAT,
                    stalled_worker_timeout=STALLED,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
        except Exception as error:
            # its own text may hold the address of the database, with its password
            log.warning("worker: the database cannot be used just now (%s); it is tried again", type(error).__name__)

    async def _round(self, timestamp: int) -> None:
        """Each minute, on one worker of all: what was left behind is set free, what is due is deferred."""
        await _free(self._app, await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED))
        for name in await asyncio.to_thread(self._work.due):
            lock = f"tracker {name}"
            await _defer(self._app.configure_task("run", lock=lock, queueing_lock=lock), tracker=name)
        if self._work.is_time():
            await _defer(self._app.configure_task("tell", lock="tell", queueing_lock="tell"))

    def _run(self, tracker: str) -> None:
        self._work.run(tracker)

    def _tell(self) -> None:
        self._work.tell()


def _app(url: str, connections: int) -> procrastinate.App:
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        kwargs={"application_name": "sheetsync worker"},
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
