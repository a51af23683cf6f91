"""A month of three trackers on a virtual clock: people, managers, and everything that goes wrong with a machine.

    python -m tests.month [--minutes 5] [--days 30] [--seed 1]

Two machines share one ledger. The network is cut, the disk is full, the machine is switched off in mid-run and for a
week, receivers are down for a day. After every run the oracle (`expected.py`) says what each receiver should have got.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from support.bench import Bench
from support.receivers import Hook, hook
from support.story import Crash

from alerts.expected import Expected, Side
from sheetsync import columns
from sheetsync.ledger.store import Ledger
from sheetsync.model import Tracker
from sheetsync.plan.situation import Allowed
from sheetsync.receivers import Alerting, Receiver
from sheetsync.sync.run import Request
from sheetsync.sync.telling import tell
from sheetsync.sync.trackers import run_all

NAMES = ("acme", "beta", "gamma")
ROWS, MOST_ORDERS = 14, 4
PERSON = ("video_id", "action", "feedback", "authorization_days", "client", "creator", "paid_owner", "paid_status")
KEYS = (*PERSON, *columns.MACHINE_KEYS)
DAYS = (2, 5, 7, 10, 14, 20)


@dataclass
class Desk:
    """What people at one tracker remember: which marks they made by mistake, and when they will see to it."""

    tracker: Tracker
    videos: list[str]
    mistakes: dict[str, datetime] = field(default_factory=dict)
    flood: tuple[list[str], datetime] | None = None


class Month(Bench):
    """Three tabs in one spreadsheet, each a tracker."""

    def __init__(self, folder: Path, hooks: dict[str, Hook], seed: int) -> None:
        super().__init__(headers=[columns.header_of(key, {}) for key in KEYS])
        self.random, self.path, self.hooks = Random(seed), folder / "state.db", hooks
        self.portal_books = self.world.portal
        self.portal_books.credits = 250
        self.desks: dict[str, Desk] = {}
        sides = []
        for name in NAMES:
            tracker = Tracker(name, self.book.id, name, max_orders_per_run=MOST_ORDERS)
            desk = self.desks[name] = Desk(tracker, [f"{name}-{n:02}" for n in range(ROWS)])
            sheet = self.book.add_sheet(name)
            for at, key in enumerate(KEYS):
                sheet.set_value(0, at, columns.header_of(key, {}))
            days, owner = {}, {}
            for video in desk.videos:
                self.portal_books.add_video(video)
                line = desk.videos.index(video) + 1
                days[video], owner[video] = self.random.choice(DAYS), self.random.choice(("Ana", "Bo", ""))
                client = self.random.choice(("Crumbly", "Strido", ""))
                row = dict(video_id=video, authorization_days=days[video], paid_owner=owner[video], client=client)
                for key, value in row.items():
                    sheet.set_value(line, KEYS.index(key), value or None)
            sides.append(Side(name, ("own",) if name == "beta" else ("team",), days, owner))
        self.alerting = Alerting(
            owners={"ana": Receiver(hooks["ana"].url)},
            to=(Receiver(hooks["team"].url),),
            of_tracker={"beta": (Receiver(hooks["own"].url),)},
        )
        self.expected = Expected(sides, "team", {"Ana": "ana"})
        self.read = dict.fromkeys(hooks, 0)
        self.seen: Counter[str] = Counter()
        self.machines = [Ledger(self.path, durable=False) for _ in range(2)]
        self.accept: int | None = None

    # --- people and managers ----------------------------------------------------------------------------------------

    def put(self, name: str, video: str, key: str, value: Any) -> None:
        self.book.sheet(name).set_value(self.desks[name].videos.index(video) + 1, KEYS.index(key), value)

    def at(self, name: str, video: str, key: str) -> Any:
        value = self.book.sheet(name).value(self.desks[name].videos.index(video) + 1, KEYS.index(key))
        return "" if value is None else value

    def chance(self, hours: float, step: timedelta) -> bool:
        """Something that happens about once in so many hours."""
        return self.random.random() < step / timedelta(hours=hours)

    def people(self, step: timedelta) -> None:
        for name, desk in self.desks.items():
            side, now = self.expected.sides[name], self.clock.now()
            for video in [video for video, until in desk.mistakes.items() if now >= until]:
                self.put(name, video, "action", None)
                del desk.mistakes[video]
            if desk.flood and now >= desk.flood[1]:
                for video in desk.flood[0]:
                    self.put(name, video, "action", None)
                desk.flood = None
            # whoever waits for an answer about too many orders, or a price, makes no further marks
            if desk.flood or self.expected.locked:
                continue
            self._mark(name, desk, side, step)

    def _mark(self, name: str, desk: Desk, side: Side, step: timedelta) -> None:
        now = self.clock.now()
        free = [video for video in desk.videos if not self.at(name, video, "action")]
        idle = [video for video in free if not self.requests(video)]
        again = [v for v in free if self.requests(v) and self.requests(v)[-1].status == "cancelled"]
        done = [v for v in free if self.requests(v) and self.requests(v)[-1].status == "finalized"]
        if (idle or again) and self.chance(14, step):
            self.put(name, self.random.choice([*idle, *again]), "action", "request")
        elif idle and self.chance(60, step):
            wrong = self.random.choice(idle)
            self.put(name, wrong, "action", "renew")
            desk.mistakes[wrong] = now + timedelta(hours=self.random.uniform(2, 80))
        elif len(idle) > MOST_ORDERS and self.chance(150, step):
            many = idle[: MOST_ORDERS + 1]
            for video in many:
                self.put(name, video, "action", "request")
            desk.flood = many, now + timedelta(hours=self.random.uniform(1, 12))
        elif done and self.chance(12, step):
            self._decide(name, side, self.random.choice(done), now)

    def _decide(self, name: str, side: Side, video: str, now: datetime) -> None:
        """Of a delivered code: report it, or near its end renew or retire it."""
        latest = self.requests(video)[-1]
        left = latest.created_at + timedelta(days=side.days[video]) - now
        used = side.codes.get(video)
        if used is None or used.request != latest.id or video in side.retired:
            return
        if left > timedelta(days=1) and self.random.random() < 0.3:
            self.put(name, video, "feedback", "rejected in Ads Manager")
            self.put(name, video, "action", "correct")
        elif left < timedelta(days=4):
            if self.random.random() < 0.6:
                self.put(name, video, "action", "renew")
            else:
                self.put(name, video, "paid_status", "retired")
                side.retired[video] = used.text

    def managers(self, step: timedelta) -> None:
        """They move on what the program has already seen, so that nobody can doubt what it knew of it."""
        for side in self.expected.sides.values():
            for video, (request_id, status) in side.latest.items():
                latest = self.requests(video)[-1]
                if (latest.id, latest.status) != (request_id, status) or not self.chance(9, step):
                    continue
                if status in ("pending", "pending_corrections"):
                    if self.random.random() < 0.12:
                        self.portal_books.cancel(video)
                    else:
                        self.portal_books.submit(video)
                        self.portal_books.deliver(video)
        if self.portal_books.credits < 50 and self.chance(20, step):
            self.portal_books.credits += 150

    # --- the machine ------------------------------------------------------------------------------------------------

    def run(self, turn: int, trouble: str = "") -> None:
        """One run of all trackers on one of the two machines, and what it told."""
        ledger = self.machines[turn % 2]
        marks = {n: any(self.at(n, v, "action") in ("request", "renew") for v in self.desks[n].videos) for n in NAMES}
        if trouble == "cut":
            self.world.faults.add("*", fault="500", times=10**6)
        if trouble == "reboot":
            calls = self.random.randrange(1, 6)
            self.world.hooks.append(lambda *_: self._die(calls))
            self.calls_left = calls
        accept, self.accept = self.accept, None
        request = Request(f"run-{turn}", pollers=1, allowed=Allowed(price=accept))
        began = {name: self.clock.now() for name in NAMES}
        trackers = [desk.tracker for desk in self.desks.values()]
        try:
            with self.portal() as portal, full(trouble == "full"):
                reports = run_all(trackers, self.api(), portal, ledger, self.clock, request)
                tell(self.alerting, trackers, ledger, self.clock, portal.fingerprint)
        except Crash:
            reports = {}
            ledger.close()
            self.machines[turn % 2] = Ledger(self.path, durable=False)
        self.world.faults.clear()
        self.world.hooks.clear()
        if reports and trouble != "full":
            self._saw(reports, began, marks)
            if accept:
                self.expected.locked = None
        self._look(is_told=bool(reports) and trouble != "full")

    def _die(self, _: int) -> None:
        self.calls_left -= 1
        if not self.calls_left:
            raise Crash

    def _saw(self, reports: Any, began: dict[str, datetime], marks: dict[str, bool]) -> None:
        now = self.clock.now()
        for name, report in reports.items():
            self.seen[f"exit {report.exit_code}"] += 1
            if report.exit_code in (0, 3) or (report.exit_code == 1 and not report.error):
                self.expected.saw(name, self.portal_books.requests, self._held(name, report.exit_code), began[name])
                if marks[name]:
                    self.expected.purse(self.portal_books.credits, now)
            self.expected.ran(name, began[name], report.exit_code)
            if any("expected 7" in said or "7 were expected" in said for said in (*report.warnings, str(report.error))):
                self.expected.locked = self.expected.locked or now

    def _held(self, name: str, exit_code: int) -> set[str]:
        """The marks that wait for a person, as people see it: where a run did what it could, a mark with a note."""
        shown = {v for v in self.desks[name].videos if self.at(name, v, "action") and self.at(name, v, "sync_note")}
        # after 1 some may wait for the next run alone
        return shown & self.expected.sides[name].waits.keys() if exit_code == 1 else shown

    def _look(self, is_told: bool) -> None:
        for name, place in self.hooks.items():
            messages, self.read[name] = place.got[self.read[name] :], len(place.got)
            for message in messages:
                self._judge(message)
            if is_told:
                self.expected.got(name, messages, place.mode == 204, self.clock.now())
            else:
                assert not messages

    def _judge(self, message: dict[str, Any]) -> None:
        """No code, no mixed clients, and each link leads to the row."""
        assert not [code for request in self.portal_books.requests for code in request.codes if code in str(message)]
        videos = [(alert["tracker"], alert["video_id"]) for alert in message["alerts"]]
        groups = {(self.at(*each, "client") or each[0]) if each[1] else "" for each in videos}
        assert len(groups) == 1, groups
        for alert in message["alerts"]:
            self.seen[alert["kind"]] += 1
            if alert["video_id"]:
                number = self.desks[alert["tracker"]].videos.index(alert["video_id"]) + 2
                assert alert["link"].endswith(f"range={number}:{number}")


@contextmanager
def full(is_full: bool) -> Iterator[None]:
    """No file on this machine grows, or takes a byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0 if is_full else soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def play(folder: Path, minutes: int, days: int, seed: int) -> Counter[str]:
    """The whole month; returns how often each thing was told or ended so."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    with hook() as team, hook() as own, hook() as ana:
        month = Month(folder, {"team": team, "own": own, "ana": ana}, seed)
        start, turn, cut_until, down = month.clock.now(), 0, month.clock.now(), {}
        week = start + timedelta(days=14)
        while (now := month.clock.now()) < start + timedelta(days=days):
            step = timedelta(minutes=minutes * month.random.uniform(0.8, 1.2))
            if week <= now < week + timedelta(days=7):
                # nobody looks after the machine, which is off; nor after the sheet
                month.later(days=7)
                continue
            month.people(step)
            month.managers(step)
            _price(month, (now - start) / timedelta(days=1))
            for name, place in month.hooks.items():
                if name not in down and month.chance(60, step):
                    down[name] = now + timedelta(days=1)
                place.mode = 503 if now < down.get(name, now) else 204
                if now > down.get(name, now) + timedelta(days=1):
                    del down[name]
            if month.chance(60, step):
                cut_until = now + timedelta(hours=month.random.uniform(0.2, 5))
            trouble = "cut" if now < cut_until else ""
            trouble = trouble or ("full" if month.chance(30, step) else "reboot" if month.chance(12, step) else "")
            month.run(turn, trouble)
            turn += 1
            month.later(seconds=step.total_seconds())
        for ledger in month.machines:
            ledger.close()
        return month.seen


def _price(month: Month, day: float) -> None:
    """Once a code costs more, until somebody accepts it."""
    if day > 9:
        month.portal_books.price = 9
    if month.expected.locked and month.clock.now() - month.expected.locked > timedelta(hours=5):
        month.accept = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("minutes", 5), ("days", 30), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args()
    with TemporaryDirectory() as folder:
        began = time.monotonic()
        seen = play(Path(folder), wanted.minutes, wanted.days, wanted.seed)
        print(
            f"seed {wanted.seed}: {time.monotonic() - began:.0f} s; " + ", ".join(f"{n} {k}" for k, n in seen.items())
        )
