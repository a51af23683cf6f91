"""Fleets in virtual time, event by event: what `arithmetic.py` computes, played.

Which tracker is due is the program's own rule (`fleet/due.py`), and so is who gets a call when (`lease` of
`ledger/budgets.py`); queue, rounds, poll threads, patience and back-off are stated here as the program has them, and
Google's and TokPortal's limits as the sandbox has them. Google's limit of a project, which the sandbox lacks, is
counted in minutes as that of an account. No order is played: its share is in the reads of a run. Nor is what a run
heeds of TokPortal's headers, which one key with one ledger never needs.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sheetsync.fleet.due import due, lag, places
from sheetsync.fleet.engine import ROUND
from sheetsync.ledger.budgets import Leases, lease
from sheetsync.sandbox.tokportal.rate_limit import BUCKET_SIZE, Bucket
from sheetsync.sheet.api import PATIENCE, QUOTA_SECONDS
from sheetsync.sync.clients import LIMITS
from sheetsync.sync.observe import POLLERS, SILENT_LIMIT
from sheetsync.tokportal.client import LONGEST_WAIT

from .arithmetic import PROJECT_READS, Fleets, Load, Run

EPOCH = datetime(2026, 12, 1, tzinfo=UTC)
POLL_SECONDS = 120.0
"""Seconds for which a run polls (`run: poll_seconds:`)."""

SPREAD = 0.3
"""By how much the latency of a call differs, both ways."""

ACCOUNT_READS = LIMITS["google reads"][0]

Resume = Callable[[object], None]
Wanted = Callable[[Resume], None]
"""What a process waits for: it is given what to call once that is there, and with which answer."""

Process = Generator[Wanted, object, None]


class Time:
    """Virtual seconds, and what happens in them."""

    def __init__(self) -> None:
        self.now = 0.0
        self._next: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    @property
    def instant(self) -> datetime:
        return EPOCH + timedelta(seconds=self.now)

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._next, (self.now + seconds, next(self._numbers), do))

    def sleep(self, seconds: float) -> Wanted:
        return lambda resume: self.after(seconds, lambda: resume(True))

    def start(self, process: Process, ended: Callable[[], None] = lambda: None) -> None:
        def go_on(answer: object) -> None:
            try:
                wanted = process.send(answer)
            except StopIteration:
                ended()
            else:
                wanted(go_on)

        go_on(None)

    def all_of(self, processes: list[Process]) -> Wanted:
        """Side by side, until the last one has ended."""

        def wanted(resume: Resume) -> None:
            left = len(processes)

            def one_ended() -> None:
                nonlocal left
                left -= 1
                if not left:
                    self.after(0.0, lambda: resume(True))

            for process in processes:
                self.start(process, one_ended)

        return wanted

    def play(self, seconds: float) -> None:
        """All that happens within so many seconds."""
        until = self.now + seconds
        while self._next and self._next[0][0] <= until:
            self.now, _, do = heapq.heappop(self._next)
            do()
        self.now = until


class Queue:
    """What serves one after the other: a processor, a ledger's transactions."""

    def __init__(self, time: Time) -> None:
        self._time, self._free_at = time, 0.0

    def serve(self, seconds: float) -> Wanted:
        self._free_at = max(self._free_at, self._time.now) + seconds
        return self._time.sleep(self._free_at - self._time.now)


class SharedBudget:
    """Who waits for a call, and gets one by the program's rule; of several who ask again at once, any of them."""

    def __init__(self, time: Time, draw: random.Random, service: str) -> None:
        self._time, self._draw, self._limits = time, draw, LIMITS[service]
        self._leases: Leases = ()
        self._waiting: list[tuple[float, Resume]] = []
        self._asked_at = -1.0

    def take(self, patience: float) -> Wanted:
        """A call: whether there was one; who would wait for longer than that gives up at once."""

        def wanted(resume: Resume) -> None:
            self._waiting.append((self._time.now + patience, resume))
            self._give()

        return wanted

    def _give(self) -> None:
        while self._waiting:
            found = lease(self._leases, self._time.now, *self._limits)
            self._leases = found.leases
            if not found.is_given:
                self._wait(self._time.now + found.wait)
                return
            _, resume = self._waiting.pop(self._draw.randrange(len(self._waiting)))
            self._answer(resume, True)

    def _wait(self, until: float) -> None:
        for each in [each for each in self._waiting if each[0] < until]:
            self._waiting.remove(each)
            self._answer(each[1], False)
        if self._waiting and self._asked_at <= self._time.now:
            self._asked_at = until
            self._time.after(until - self._time.now, self._give)

    def _answer(self, resume: Resume, is_given: bool) -> None:
        self._time.after(0.0, lambda: resume(is_given))


class Minute:
    """A limit that Google counts in minutes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._minute, self._used = limit, -1, 0

    def has_one(self, now: float) -> bool:
        if int(now // 60) != self._minute:
            self._minute, self._used = int(now // 60), 0
        return self._used < self._limit

    def take(self) -> None:
        self._used += 1


@dataclass
class Told:
    """What came of it: counts of runs, of reads and polls answered, of what went otherwise; and the longest lag."""

    counts: Counter[str] = field(default_factory=Counter)
    longest_lag: timedelta = timedelta(0)


class Fleet:
    """One service account, a ledger, workers."""

    def __init__(self, world: World, number: int, trackers: int, open_requests: int) -> None:
        fleets, time = world.fleets, world.time
        self.world, self.account = world, Minute(ACCOUNT_READS)
        self.project = world.projects[number % fleets.projects]
        self.bucket = world.buckets[number % fleets.keys]
        self.reads = SharedBudget(time, world.draw, "google reads")
        self.polls = SharedBudget(time, world.draw, "tokportal")
        self.ledger = Queue(time)
        processors = [Queue(time) for _ in range(fleets.workers)]
        self.slots = [processor for processor in processors for _ in range(fleets.concurrency)]
        self.names = [f"t{at:05}" for at in range(trackers)]
        self.open = {name: len(range(at, open_requests, trackers)) for at, name in enumerate(self.names)}
        self.begun = {name: EPOCH - timedelta(minutes=world.load.minutes * 2) for name in self.names}
        self.places = places(self.names)
        self.waiting: dict[str, None] = {}
        self.at_work: set[str] = set()

    def rounds(self) -> Process:
        """Every so often: what is due waits for a slot, one job of each tracker at most."""
        while True:
            minutes, now = self.world.load.minutes, self.world.time.instant
            for name in due(self.names, self.begun, now, minutes):
                late = lag(self.begun[name], now, minutes, self.places[name])
                self.world.told.longest_lag = max(self.world.told.longest_lag, late)
                if name not in self.at_work:
                    self.waiting.setdefault(name)
            self.take_up()
            yield self.world.time.sleep(ROUND)

    def take_up(self) -> None:
        while self.slots and self.waiting:
            name, processor = next(iter(self.waiting)), self.slots.pop(0)
            del self.waiting[name]
            self.begun[name] = self.world.time.instant
            self.at_work.add(name)

            def ended(name: str = name, processor: Queue = processor) -> None:
                self.at_work.remove(name)
                self.slots.append(processor)
                self.world.time.after(0.0, self.take_up)

            self.world.time.start(self.run(name, processor), ended)

    def run(self, name: str, processor: Queue) -> Process:
        """Fence, reads, polls, and the transactions of the rest."""
        run, told = self.world.run, self.world.told
        yield processor.serve(run.cpu / 2)
        yield self.ledger.serve(run.transaction_seconds)
        for _ in range(self.world.whole(run.reads)):
            if not (yield from self.read()):
                told.counts["failed runs"] += 1
                return
        if self.open[name]:
            left, until = iter(range(self.open[name])), self.world.time.now + POLL_SECONDS
            silent = Counter[str]()
            yield self.world.time.all_of([self.poll(left, until, silent, processor) for _ in range(POLLERS)])
        yield processor.serve(run.cpu / 2)
        for _ in range(self.world.whole(run.transactions) - 1):
            yield self.ledger.serve(run.transaction_seconds)
        told.counts["runs"] += 1

    def read(self) -> Generator[Wanted, object, bool]:
        """A call of Google's; where it says 429, again, after longer pauses each time."""
        world, idle, attempt = self.world, 0.0, 0
        while idle < QUOTA_SECONDS:
            if not (yield self.reads.take(PATIENCE)):
                return False
            yield world.time.sleep(world.latency())
            limits = (self.account, self.project)
            if all(limit.has_one(world.time.now) for limit in limits):
                for limit in limits:
                    limit.take()
                world.told.counts["reads"] += 1
                return True
            world.told.counts["refused reads"] += 1
            pause = min(world.draw.uniform(0, min(2.0**attempt, 32.0)), QUOTA_SECONDS - idle)
            idle, attempt = idle + pause, attempt + 1
            yield world.time.sleep(pause)
        return False

    def poll(self, left: Iterator[int], until: float, silent: Counter[str], processor: Queue) -> Process:
        """One of a run's threads."""
        world = self.world
        for _ in left:
            if world.time.now > until or silent["in a row"] >= SILENT_LIMIT:
                world.told.counts["left to the next run"] += 1
                continue
            while answered := bool((yield self.polls.take(LONGEST_WAIT))):
                yield world.time.sleep(world.latency())
                self.bucket.refill(world.time.instant)
                if self.bucket.take():
                    break
                world.told.counts["refused polls"] += 1
                yield world.time.sleep(1.0 + world.draw.random())
            yield processor.serve(world.run.poll_cpu)
            silent["in a row"] = 0 if answered else silent["in a row"] + 1
            world.told.counts["polls" if answered else "polls given up"] += 1


class World:
    """All fleets, and the services that they share."""

    def __init__(self, fleets: Fleets, load: Load, run: Run, seed: int = 1) -> None:
        self.fleets, self.load, self.run, self.told = fleets, load, run, Told()
        self.time, self.draw = Time(), random.Random(seed)
        self.projects = [Minute(PROJECT_READS) for _ in range(fleets.projects)]
        self.buckets = [Bucket(BUCKET_SIZE, EPOCH) for _ in range(fleets.keys)]
        for number in range(fleets.accounts):
            trackers, polls = (
                len(range(number, whole, fleets.accounts)) for whole in (load.trackers, load.open_requests)
            )
            fleet = Fleet(self, number, trackers, polls)
            # the machines' rounds are not in step
            self.time.after(self.draw.random() * ROUND, partial(self.time.start, fleet.rounds()))

    def latency(self) -> float:
        return self.run.latency * self.draw.uniform(1 - SPREAD, 1 + SPREAD)

    def whole(self, average: float) -> int:
        """A whole number, on average this one."""
        return int(average) + (self.draw.random() < average % 1)

    def play(self, warm_up: float, seconds: float) -> Told:
        """What came of so many seconds, after others that are not counted."""
        self.time.play(warm_up)
        self.told.counts.clear()
        self.told.longest_lag = timedelta(0)
        self.time.play(seconds)
        return self.told
