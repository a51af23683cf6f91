"""One day of the month, as cron plays it: real processes every five minutes, on two machines with one ledger.

    python -m tests.day [--seed 1] [--short]

Each run is the line that `sheetsync schedule cron` prints, under cron's bare environment. The network is cut, the disk
is full, machines are switched off in mid-run, and runs meet. After every run the month's oracle says what each
receiver should have got; metrics, pings, log, ledger and TokPortal's books are held against each other.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote_plus

from prometheus_client.parser import text_string_to_metric_families
from support import cron
from support.bench import EMAIL
from support.pings import Pings, listening
from support.receivers import Hook, hook

from alerts.month import MOST_ORDERS, NAMES, ROWS, Month
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.wire import ConnectionLost, Request

STEP = timedelta(minutes=5)
DAYS_BEFORE, STEP_BEFORE = 5, timedelta(hours=3)
OFF_THE_GRID = timedelta(minutes=2.5)
"""What happened before the day happened between two runs of cron: no window ends while a run is on its way."""

PACE = 2
"""How much busier people are on this day than in the month."""

TROUBLES = {2: "cut", 5: "full", 8: "kill", 11: "stop", 14: "met", 17: "race", 20: "kill", 22: "stop"}
WHEN = {
    "cut": range(0, 30, 5),
    "full": range(5, 20, 5),
    "kill": (0, 10, 20),
    "stop": (0, 10, 20),
    "met": (0, 10),
    "race": range(5, 25, 5),
}
"""In which hour of the day something goes wrong, and at which of its minutes."""

SHORT = [(hour, minute) for hour in (2, 5, 8, 11, 14, 17, 23) for minute in range(0, 25, 5)]
WHOLE = [(hour, minute) for hour in range(24) for minute in range(0, 60, 5)]
RECEIVER_DOWN = range(3, 11)

POINTS = (("portal.order", "after"), ("sheets.batchUpdate", "after"), ("portal.order", "before"))
"""At which calls runs are killed or stopped, in turn."""

CUT, SHORT_CUT = ("*", "lost_before"), ("sheets.get", "garbled")
"""Connections that break, and answers that break off: of those a run waits for no second one, which is quick."""

WISHES = ("request", "renew")
COUNTS = "SELECT tracker, exit_code, COUNT(*) FROM run GROUP BY tracker, exit_code"
SEVERITY = (5, 2, 3, 4, 1, 0)
PATIENCE = 300

CONFIG = """\
google: {{credentials: service-account.json, api_url: "{url}"}}
tokportal: {{api_key: "${{TOKPORTAL_API_KEY}}", api_url: "{url}"}}
state: {state}
run: {{ping_url: "{ping}", metrics_file: sheetsync.prom}}
alerts: {{to: ["{team}"], owners: {{Ana: "{ana}"}}}}
trackers:
"""
TRACKER = "  - {{name: {name}, spreadsheet: {book}, worksheet: {name}, max_orders_per_run: {most}{alerts}}}\n"


Process = Callable[[subprocess.Popen[str]], None]


@dataclass(frozen=True)
class Ended:
    """A run of one tracker, as the ledger recorded it."""

    tracker: str
    run_id: str
    began: datetime
    exit_code: int
    error: str
    warnings: Sequence[str] = ()


class Day(Month):
    """The month goes on, with processes in the place of runs."""

    def __init__(self, folder: Path, hooks: dict[str, Hook], seed: int) -> None:
        super().__init__(folder, hooks, seed)
        self.wishes: Counter[str] = Counter()
        self.folder, self.commands, self.pings = folder, [""], Pings()
        self.heard = self.runs_heard = self.log_read = self.runs_read = self.begun = self.strikes = 0
        self.counted: Counter[tuple[str, str]] = Counter()
        self.tabs = {name: self.book.sheet(name).sheet_id for name in NAMES}
        self.at_work: dict[str, list[str]] = {name: [] for name in NAMES}

    def put(self, name: str, video: str, key: str, value: Any) -> None:
        """A mark is a wish; one that a person takes back is none."""
        if key == "action":
            self.wishes[video] += (value in WISHES) - (self.at(name, video, key) in WISHES)
        super().put(name, video, key, value)

    def before(self) -> None:
        """The days before, in this process and without troubles."""
        start = self.clock.now().replace(hour=0, minute=0, second=0) + OFF_THE_GRID
        for turn in range(int(timedelta(days=DAYS_BEFORE) / STEP_BEFORE)):
            self.world.clock.set(start + (turn + 1) * STEP_BEFORE)
            self.people(STEP_BEFORE)
            self.managers(STEP_BEFORE)
            self.run(turn)
        for ledger in self.machines:
            ledger.close()
        self.seen.clear()
        # from now on no sleep moves the time: the sandbox's runs on as that of the processes does
        self.world.clock.real_time = True
        self.world.clock.set(start - OFF_THE_GRID + timedelta(days=DAYS_BEFORE + 1))
        self._recorded()
        self.counted.update({(name, str(code)): n for name, code, n in self._select(COUNTS)})

    @contextmanager
    def served(self, pings: Pings) -> Iterator[None]:
        """Two machines with a folder each and one ledger, and what cron runs on them."""
        with Server(self.world) as server:
            values = {"url": server.url, "state": self.path, "ping": pings.url}
            values |= {name: place.url for name, place in self.hooks.items()}
            own = f', alerts: {{to: ["{self.hooks["own"].url}"]}}'
            trackers = [
                TRACKER.format(name=name, book=self.book.id, most=MOST_ORDERS, alerts=own if name == "beta" else "")
                for name in NAMES
            ]
            for number in range(2):
                machine = self.folder / f"machine {number}"
                machine.mkdir()
                (machine / "sheetsync.yaml").write_text(CONFIG.format(**values) + "".join(trackers), encoding="utf-8")
                (machine / ".env").write_text(f"TOKPORTAL_API_KEY={self.portal_books.key}\n", encoding="utf-8")
                server.write_service_account(machine / "service-account.json", email=EMAIL)
            self.pings, self.commands = pings, [_printed(self._machine(number)) for number in range(2)]
            self.world.hooks.append(self._note)
            yield

    def _machine(self, turn: int) -> Path:
        return self.folder / f"machine {turn % 2}"

    # --- one turn of cron -------------------------------------------------------------------------------------------

    def turn(self, turn: int, trouble: str) -> None:
        """What cron starts at one moment, on one machine or both, and all that is to be seen of it."""
        if trouble not in ("", "cut"):
            self._wish()
        marks = {n: any(self.at(n, v, "action") in WISHES for v in self.desks[n].videos) for n in NAMES}
        if trouble in ("kill", "stop"):
            does = self._kill if trouble == "kill" else _terminate
            printed = _end(self._struck(turn, self._next_point(), does))
        elif trouble == "met":
            first = self._struck(turn, ("values.batchGet", "after"), lambda at_work: _signal(at_work, signal.SIGSTOP))
            printed = _end(self._start(turn + 1))
            _signal(first, signal.SIGCONT)
            printed += _end(first)
        elif trouble == "full":
            before = len(self.portal_books.requests)
            printed = _end(self._start(turn, "ulimit -f 0; "))
            assert len(self.portal_books.requests) == before, "an order that no ledger knows"
        else:
            processes = [self._start(turn + number) for number in range(2 if trouble == "race" else 1)]
            printed = "".join(map(_end, processes))
        self._judge_turn(turn, trouble, printed, marks)

    def _start(self, turn: int, before: str = "") -> subprocess.Popen[str]:
        self.begun += 1
        return cron.start(before + self.commands[turn % 2])

    def _wish(self) -> None:
        """A mark that is served in this run, so that there is an order at which something can happen."""
        found = []
        for name, desk in self.desks.items():
            marked = sum(bool(self.at(name, video, "action")) for video in desk.videos)
            for video in desk.videos if marked < MOST_ORDERS else ():
                latest = next(reversed(self.requests(video)), None)
                is_quiet = latest is None or latest.status == "finalized"
                is_shown = self.at(name, video, "request_id") == (latest.id if latest else "")
                if is_quiet and is_shown and not self.at(name, video, "action"):
                    found.append((name, video, "renew" if latest else "request"))
        name, video, mark = self.random.choice(found)
        self.put(name, video, "action", mark)
        self.portal_books.credits += 150 if self.portal_books.credits < 50 else 0

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def _next_point(self) -> tuple[str, str]:
        self.strikes += 1
        return POINTS[self.strikes % len(POINTS)]

    def _struck(self, turn: int, point: tuple[str, str], do: Process) -> subprocess.Popen[str]:
        """A process to which something is done at its first call of a kind, before or after it takes effect."""
        process: subprocess.Popen[str] | None = None
        is_done = False

        def strike(when: str, _: int, kind: str, __: Request) -> None:
            nonlocal is_done
            if process and not is_done and (kind, when) == point:
                is_done = True
                do(process)

        self.world.hooks.append(strike)
        process = self._start(turn)
        _wait(lambda: is_done or process.poll() is not None)
        assert is_done, f"no {point}"
        self.world.hooks.remove(strike)
        return process

    def _kill(self, process: subprocess.Popen[str]) -> None:
        """The machine goes off, once the service has heard that a run begins."""
        _wait(lambda: self.pings.events.count("/start") == self.begun)
        _signal(process, signal.SIGKILL)
        process.wait(PATIENCE)
        raise ConnectionLost

    def _note(self, when: str, _: int, kind: str, request: Request) -> None:
        """Which process is at work on which tab: each has a token of its own."""
        if when == "before" and kind in ("values.batchGet", "sheets.batchUpdate"):
            said = unquote_plus(str(request.query)) + request.body.decode()
            for name, tab in self.tabs.items():
                if re.search(rf"\b{name}'?!|\"sheetId\": ?{tab}\b", said):
                    self.at_work[name].append(request.headers["authorization"])

    # --- what is to be seen of it -----------------------------------------------------------------------------------

    def _judge_turn(self, turn: int, trouble: str, printed: str, marks: Mapping[str, bool]) -> None:
        """The ledger's runs of this turn are those of the log, and alerts, pings, metrics and calls agree with them."""
        self.seen[trouble or "quiet"] += 1
        runs, logged = self._recorded(), self._logged()
        for run in runs:
            self.counted[run.tracker, str(run.exit_code)] += 1
            self._saw({run.tracker: run}, {run.tracker: run.began}, marks)
        self._look(is_told=trouble not in ("full", "kill", "stop"))
        self._judge_log(trouble, runs, logged)
        self._judge_pings(trouble, printed, [worst(codes.values()) for codes in logged.values()])
        if trouble in ("", "cut", "stop"):
            self._judge_metrics(turn, runs)
        for name, tokens in self.at_work.items():
            spans = [token for token, _ in groupby(tokens)]
            assert len(spans) == len(set(spans)), f"two runs at once on {name}"
            tokens.clear()

    def _judge_log(self, trouble: str, runs: Sequence[Ended], logged: Mapping[str, Mapping[str, int]]) -> None:
        """What is recorded is what was logged; a run that met another one is not recorded, and has changed nothing."""
        recorded = {(run.run_id, run.tracker): run.exit_code for run in runs}
        written = {(run_id, name): code for run_id, codes in logged.items() for name, code in codes.items()}
        met = {key for key, code in written.items() if code == 4}
        if trouble in ("kill", "full"):
            assert not written
        elif trouble == "stop":
            # those whose turn did not come are told of, and have no run
            assert recorded.items() <= written.items()
        else:
            assert recorded == {key: code for key, code in written.items() if key not in met}
            assert len(written) == 3 * (2 if trouble in ("met", "race") else 1)
            assert len(met) == 1 if trouble == "met" else not met or trouble == "race"

    def _judge_pings(self, trouble: str, printed: str, codes: Sequence[int]) -> None:
        """A beginning of each run, an end of each that was good or has to be mended."""
        if trouble == "full":
            # no log could be written: what cron mails says it
            codes = [int(code) for code in re.findall(r"sheetsync ended with (\d)", printed)]
        else:
            assert printed.count("sheetsync ended with") == sum(code in (2, 3, 5) for code in codes)
        told = self.pings.events[self.heard :]
        ends = ["" if code == 0 else "/fail" for code in codes if code in (0, 2, 3, 5)]
        assert sorted(told) == sorted(["/start"] * (self.begun - self.runs_heard) + ends), (told, codes)
        self.heard, self.runs_heard = len(self.pings.events), self.begun
        self.seen.update(f"process ended with {code}" for code in codes)

    def _judge_metrics(self, turn: int, runs: Sequence[Ended]) -> None:
        """What Prometheus reads is what was counted here, what the ledger says, and what TokPortal has in its books."""
        found = _figures(self._machine(turn) / "sheetsync.prom")
        counts = {(name, code): found[name, "runs_total", code] for name, what, code in found if what == "runs_total"}
        assert counts == self.counted == {(name, str(code)): n for name, code, n in self._select(COUNTS)}
        left = {name: number for (name, what, _), number in found.items() if what == "credits_left"}
        assert left == dict(self._select("SELECT tracker, credits FROM balance"))
        if len(runs) == 3 and not any(run.exit_code for run in runs):
            for name in NAMES:
                books = self._books(name)
                assert found[name, "credits_spent", ""] == sum(each.charged - each.refunded for each in books)
                opened = [each for each in books if each.status not in ("finalized", "cancelled")]
                assert found[name, "open_requests", ""] == len(opened)
                rows = [number for (tracker, what, _), number in found.items() if (tracker, what) == (name, "rows")]
                assert sum(rows) == ROWS
            self.seen["books agreed"] += 1

    def _books(self, name: str) -> list[Any]:
        return [each for each in self.portal_books.requests if each.video_id in self.desks[name].videos]

    def _recorded(self) -> list[Ended]:
        """The runs that the ledger has got since the last look."""
        columns = "rowid, tracker, run_id, started_at, exit_code, summary"
        rows = self._select(f"SELECT {columns} FROM run WHERE rowid > {self.runs_read} ORDER BY rowid")
        self.runs_read = max([self.runs_read, *(row[0] for row in rows)])
        return [Ended(row[1], row[2], datetime.fromisoformat(row[3]), row[4], row[5]) for row in rows]

    def _logged(self) -> dict[str, dict[str, int]]:
        """What the log says since the last look: of each process by its run's id, how each tracker ended."""
        path = self.path.parent / "sync.log"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found: dict[str, dict[str, int]] = {}
        for line in lines[self.log_read :]:
            if "rows" in line:
                found.setdefault(line["run_id"], {})[line["tracker"]] = line["exit_code"]
        self.log_read = len(lines)
        return found

    def _select(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as ledger:
            return ledger.execute(sql).fetchall()

    def over(self) -> None:
        """At the end of the day each wish was paid for once, and the ledger knows every credit."""
        spent = {name: 0 for name in NAMES}
        for name, desk in self.desks.items():
            for video in desk.videos:
                waits = self.at(name, video, "action") in WISHES
                assert len(self.requests(video)) == self.wishes[video] - waits, video
            spent[name] = sum(each.charged - each.refunded for each in self._books(name))
        with Ledger(self.path, read_only=True) as ledger:
            assert {name: sum(each.credits for each in ledger.charges(name)) for name in NAMES} == spent
            assert not ledger.unsettled()


def _printed(machine: Path) -> str:
    """The command in the crontab that the program prints for a machine."""
    words = [sys.executable, "-c", "from sheetsync.cli.main import main; main()", "-c", machine / "sheetsync.yaml"]
    return cron.command_of(subprocess.check_output([*words, "schedule", "cron"], text=True))


def _end(process: subprocess.Popen[str]) -> str:
    """What cron would mail of a process that ends, and nothing of an error that nobody caught."""
    try:
        out, errors = process.communicate(timeout=PATIENCE)
    except BaseException:
        _signal(process, signal.SIGKILL)
        raise
    assert not errors, errors
    return out


def _signal(process: subprocess.Popen[str], number: int) -> None:
    os.killpg(process.pid, number)


def _terminate(process: subprocess.Popen[str]) -> None:
    """As systemd does when the machine goes down: the program is told, its shell waits for it."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(child), signal.SIGTERM)


def _wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not until() and time.monotonic() < end:
        time.sleep(0.01)


def worst(codes: Iterable[int]) -> int:
    """The exit code of a process, of those of its trackers."""
    return min(codes, key=SEVERITY.index)


def _figures(path: Path) -> dict[tuple[str, str, str], float]:
    """Values by tracker, name and the word of a further label."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for each in family.samples:
            word = "".join(word for label, word in each.labels.items() if label != "tracker")
            found[each.labels["tracker"], each.name.removeprefix("sheetsync_"), word] = each.value
    return found


def play(folder: Path, times: Sequence[tuple[int, int]], seed: int, cut: tuple[str, str] = CUT) -> Counter[str]:
    """A day with runs at these times (hour and minute); returns how often each thing came up."""
    with hook() as team, hook() as own, hook() as ana, listening() as pings:
        day = Day(folder, {"team": team, "own": own, "ana": ana}, seed)
        day.before()
        midnight = before = day.clock.now()
        with day.served(pings):
            for turn, (hour, minute) in enumerate(times):
                now = midnight + timedelta(hours=hour, minutes=minute)
                day.world.clock.set(now)
                day.people((now - before) * PACE)
                day.managers((now - before) * PACE)
                before = now
                team.mode = 503 if hour in RECEIVER_DOWN else 204
                trouble = TROUBLES.get(hour, "")
                trouble = trouble if minute in WHEN.get(trouble, ()) else ""
                if trouble == "cut":
                    day.world.faults.add(cut[0], fault=cut[1], times=10**6)
                day.turn(turn, trouble)
                day.world.faults.clear()
            for turn in range(3):
                # nobody does anything any more: what a killed run left is settled
                day.world.clock.set(midnight + timedelta(days=1) + turn * STEP)
                day.turn(turn, "")
            day.over()
        return day.seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="selected hours, as CI plays it")
    wanted = parser.parse_args()
    with TemporaryDirectory() as folder:
        began = time.monotonic()
        how = (SHORT, wanted.seed, SHORT_CUT) if wanted.short else (WHOLE, wanted.seed)
        seen = play(Path(folder), *how)
        print(
            f"seed {wanted.seed}: {time.monotonic() - began:.0f} s; " + ", ".join(f"{n} {k}" for k, n in seen.items())
        )
