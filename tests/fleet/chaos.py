"""Chaos: workers are killed and stopped, the database is restarted, connections are cut, and people mark rows.

Owns what happens, and the judge at the end, who knows the sheets, TokPortal's books and the table of runs alone. Half
of what happens to a worker happens to one whose order is on its way.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from support import postgres
from support.fleets import Fleet, Tracker, fleet

from sheetsync.fleet.engine import STALLED
from sheetsync.sandbox.tokportal.managers import Delays

PRICE = 7
BETWEEN = (4.0, 16.0)
"""Seconds from one act to the next."""

RUNS_A_MINUTE = 16
"""What one service account's 60 reads a minute are enough for: 29 quiet runs, or 22 if every third one orders, less
what runs have read that were killed or met a cut connection."""

QUICK = Delays(timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=15))
SENDING = "SELECT holder FROM fence JOIN intent USING (tracker) WHERE is_held = 1 AND intent.state = 'sending'"
OTHERS = "pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Options:
    """How much of everything."""

    workers: int = 4
    trackers: int = 200
    rows: int = 50
    minutes: float = 10.0
    every: int = 0
    seed: int = 1

    @property
    def period(self) -> int:
        """Minutes; without `every` as short as the calls of a minute allow."""
        return self.every or -(-self.trackers // RUNS_A_MINUTE)


@dataclass
class Chaos:
    """What happens to a fleet."""

    fleet: Fleet
    options: Options
    chance: random.Random
    marked: list[tuple[Tracker, str]] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    stopped_until: float = 0.0
    died: int = 0

    def play(self) -> None:
        """The minutes of chaos."""
        ends = time.monotonic() + self.options.minutes * 60
        wishes = self.wishes()
        all_typed_in = self.options.minutes * 60 * 0.75
        act_at = time.monotonic() + 10
        while (now := time.monotonic()) < ends:
            elapsed = self.options.minutes * 60 - (ends - now)
            while wishes and len(self.marked) <= elapsed / all_typed_in * (len(self.marked) + len(wishes)):
                self.type(*wishes.pop())
            self.wake(now)
            if now >= act_at:
                self.act()
                act_at = time.monotonic() + self.chance.uniform(*BETWEEN)
            time.sleep(0.2)
        for each in wishes:
            self.type(*each)
        self.wake(float("inf"))

    def wishes(self) -> list[tuple[Tracker, str]]:
        """In every second tracker one row is marked; in every tenth four."""
        wishes = []
        for number, tracker in enumerate(self.fleet.trackers):
            many = 4 if number % 10 == 0 else 1 if number % 2 else 0
            wishes += [(tracker, video) for video in self.chance.sample(tracker.videos, many)]
        self.chance.shuffle(wishes)
        return wishes

    def type(self, tracker: Tracker, video: str) -> None:
        with self.fleet.server.lock:
            tracker.mark(video)
        self.marked.append((tracker, video))

    def act(self) -> None:
        """One thing goes wrong."""
        acts: list[Callable[[], None]] = [self.kill, self.kill, self.cut, self.cut, self.restart]
        if not self.stopped_until:
            acts += [self.stop] * 3
        self.chance.choice(acts)()

    def kill(self) -> None:
        worker = self.victim("killed")
        worker.kill()
        worker.wait()
        self.fleet.workers.remove(worker)
        self.fleet.start()

    def stop(self) -> None:
        """For longer than until others take its jobs."""
        worker = self.victim("stopped")
        worker.send_signal(signal.SIGSTOP)
        self.stopped_until = time.monotonic() + STALLED + self.chance.uniform(5, 25)

    def wake(self, now: float) -> None:
        """Whoever was stopped for long enough; a worker that has ended by itself is none."""
        if self.stopped_until and now >= self.stopped_until:
            self.stopped_until = 0.0
            for worker in self.fleet.workers:
                worker.send_signal(signal.SIGCONT)
        self.died += sum(worker.poll() is not None for worker in self.fleet.workers)

    def cut(self) -> None:
        """All connections, or some."""
        which = "" if self.chance.random() < 0.5 else " AND random() < 0.5"
        postgres.told(f"SELECT pg_terminate_backend(pid) FROM {OTHERS}{which}")
        self.acts["connections cut"] += 1

    def restart(self) -> None:
        postgres.stop()
        time.sleep(self.chance.uniform(0, 8))
        postgres.start()
        self.acts["server restarted"] += 1

    def victim(self, what: str) -> subprocess.Popen[bytes]:
        """Half the time one whose order is on its way, if one comes within three seconds."""
        ends = time.monotonic() + (3 if self.chance.random() < 0.5 else 0)
        while time.monotonic() < ends:
            at_work = {json.loads(holder)["pid"] for (holder,) in self.fleet.told(SENDING)}
            for worker in self.fleet.workers:
                if worker.pid in at_work:
                    self.acts[f"{what} with an order on its way"] += 1
                    return worker
            time.sleep(0.02)
        self.acts[what] += 1
        return self.chance.choice(self.fleet.workers)

    def is_settled(self) -> bool:
        with self.fleet.server.lock:
            open_ = [video for _, video in self.marked if self.fleet.world.portal.open_request(video)]
            done = [tracker.cell(v, "spark_code") and not tracker.cell(v, "action") for tracker, v in self.marked]
            return not open_ and all(done)


# --- the judge -----------------------------------------------------------------------------------------------------


def charges(chaos: Chaos) -> Iterator[str]:
    """Each mark is charged once, and nothing else is."""
    portal = chaos.fleet.world.portal
    charged = Counter(request.video_id for request in portal.requests)
    marked = {video for _, video in chaos.marked}
    for video in sorted(marked | {*charged}):
        if charged[video] != (video in marked):
            yield f"{video}: {charged[video]} ad code requests, marked: {video in marked}"
    spent = sum(request.charged - request.refunded for request in portal.requests)
    if spent != PRICE * len(marked):
        yield f"{spent} credits were charged for {len(marked)} marks"
    ((unsettled,),) = chaos.fleet.told("SELECT COUNT(*) FROM intent WHERE state IN ('sending', 'uncertain')")
    if unsettled:
        yield f"{unsettled} orders are unsettled"


def rows(chaos: Chaos) -> Iterator[str]:
    """Each code is in its row, its mark is gone; rows that nobody marked say nothing."""
    marked = {video for _, video in chaos.marked}
    for tracker in chaos.fleet.trackers:
        for video in tracker.videos:
            request = chaos.fleet.world.portal.latest(video)
            expected = (request.code, request.id, "") if request and video in marked else ("", "", "")
            found = tuple(tracker.cell(video, key) for key in ("spark_code", "request_id", "action"))
            if found != expected:
                yield f"{tracker.name}, {video}: code, request and mark are {found}, not {expected}"


def gaps(chaos: Chaos, began: datetime, ended: datetime) -> list[tuple[float, str]]:
    """The longest time in which no run of it began, for each tracker, in seconds; longest first."""
    starts: dict[str, list[datetime]] = {tracker.name: [began] for tracker in chaos.fleet.trackers}
    for name, at in chaos.fleet.told("SELECT tracker, started_at FROM run ORDER BY started_at"):
        starts[name].append(datetime.fromisoformat(at))
    found = []
    for name, times in starts.items():
        longest = max((later - earlier).total_seconds() for earlier, later in pairwise([*times, ended]))
        found.append((longest, name))
    return sorted(found, reverse=True)


def lateness(chaos: Chaos, began: datetime, ended: datetime) -> Iterator[str]:
    """None waits for longer than twice its period."""
    promised = 2 * chaos.options.period * 60
    for seconds, name in gaps(chaos, began, ended):
        if seconds > promised:
            yield f"{name}: no run began for {seconds:.0f} s, promised are {promised} s"


def conduct(chaos: Chaos, codes: list[int]) -> Iterator[str]:
    """Workers ended when they were told to, had nothing unexpected to say, and kept to what the services allow."""
    if chaos.died or any(codes):
        yield f"workers ended by themselves: {chaos.died}; exit codes of those that were drained: {codes}"
    bad = [str(line["message"]) for line in chaos.fleet.log() if line["level"] in ("ERROR", "CRITICAL", "NONE")]
    yield from sorted(set(bad))[:10]
    refused = Counter(call.kind for call in chaos.fleet.world.calls if call.status == 429)
    if refused:
        yield f"429: {dict(refused)}"


# --- the whole -----------------------------------------------------------------------------------------------------


def live(folder: Path, options: Options, say: Callable[[str], None] = print) -> list[str]:
    """Chaos, then calm until all is settled; what the judge found."""
    with fleet(folder, postgres.fresh(), options.trackers, options.rows) as found:
        portal = found.world.portal
        portal.credits, portal.managers.delays = 100_000, QUICK
        for nth in range(1, 1000):  # time in which an order is on its way: before it takes effect, and after
            found.world.faults.add("portal.order", nth, "slow" if nth % 2 else "slow_after", seconds=0.7)
        found.configure(options.period)
        began = datetime.now(UTC)
        for _ in range(options.workers):
            found.start()
        chaos = Chaos(found, options, random.Random(options.seed))
        chaos.play()
        calm = time.monotonic()
        while not chaos.is_settled() and time.monotonic() < calm + 4 * 60 * options.period + 60:
            time.sleep(1)
        say(told(chaos, began, time.monotonic() - calm))
        ended = datetime.now(UTC)
        codes = found.drain()
        return [*charges(chaos), *rows(chaos), *lateness(chaos, began, ended), *conduct(chaos, codes)]


def told(chaos: Chaos, began: datetime, calm: float) -> str:
    """The figures."""
    runs = Counter(dict(chaos.fleet.told("SELECT exit_code, COUNT(*) FROM run GROUP BY exit_code")))
    longest = gaps(chaos, began, datetime.now(UTC))[0][0]
    acts = ", ".join(f"{what} {number}" for what, number in sorted(chaos.acts.items()))
    ended = ", ".join(f"{number} ended with {code}" for code, number in sorted(runs.items()))
    calls = Counter(call.kind.partition(".")[0] for call in chaos.fleet.world.calls)
    return (
        f"{acts}\n{len(chaos.marked)} marks, {len(chaos.fleet.world.portal.requests)} charged; runs: {ended}\n"
        f"longest wait for a run {longest:.0f} s of {120 * chaos.options.period} s; settled {calm:.0f} s after the "
        f"chaos; calls: {dict(calls)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--workers", type=int, default=Options.workers)
    parser.add_argument("--trackers", type=int, default=Options.trackers)
    parser.add_argument("--rows", type=int, default=Options.rows)
    parser.add_argument("--minutes", type=float, default=Options.minutes)
    parser.add_argument("--every", type=int, default=0, help="minutes; else what the calls of a minute allow")
    parser.add_argument("--seed", type=int, default=Options.seed)
    options = Options(**vars(parser.parse_args()))
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        found = live(Path(folder), options)
    print("\n".join(found) or "no violation")
    sys.exit(bool(found))
