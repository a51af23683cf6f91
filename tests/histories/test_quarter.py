"""A tracker of sixty rows lives through a quarter: at every step each cell says what a separate oracle works out.

People mark, type, tick, sort, copy and delete; managers deliver late, cancel and correct; somebody orders in the
dashboard; answers are lost; credits run short. The same seed tells the same story.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.bench import TAB, Bench

from histories.authorizations import Line
from histories.oracle import DATES, PRICE, Oracle
from sheetsync.columns import COLUMNS
from sheetsync.sandbox import people

pytestmark = pytest.mark.long

ROWS, DAYS, MOST_ORDERS, KEPT = 60, 92, 8, 10
VIDEOS = [f"vid-{n:02}" for n in range(ROWS + 12)]  # a dozen have no row yet
WORDS = {
    "Creator": ("@mia", "@joao", "@lena"),
    "Client": ("Crumbly", "Strido"),
    "Campaign": ("Autumn launch", "Marathon app"),
    "Objective": ("app installs", "reach"),
    "Market": ("US", "DE"),
    "Video URL": ("https://tiktok.com/@mia/video/1", "www.tiktok.com/@mia/video/1/?lang=de", "tiktok.com/@jo/video/2"),
    "Creator owner": ("Ana", "Bo"),
    "Paid owner": ("Cy", "Di"),
    "Renewal owner": ("Ed", "Fay"),
    "Paid status": ("activated", "spending", "paused", "retired", "Spending", ""),
    "Renewal decision": ("renew", "let expire", ""),
    "Retirement reason": ("weak hook", ""),
    "Note": ("Hook A", "for the install campaign", "x" * 501, ""),
    "Platform": ("youtube", "", ""),
    "Authorization days": (7, 30, 60, "30 days", "a month", 0, ""),
    "Spend": (12.5, 1),
    "My notes": ("look at this", True, 7),
}
ELSEWHERE = tuple(f"clip {n} of a creator" for n in range(3))
"""Videos that TokPortal knows nothing of: their codes were sent by their creators."""
FEEDBACK = ("rejected in Ads Manager", "auth_code_not_found", "no", "")


class Quarter:
    """One tracker, its people, its managers, the program, and the oracle beside it."""

    def __init__(self, zone: str, start: datetime, seed: int) -> None:
        self.random, self.zone, self.first = Random(seed), ZoneInfo(zone), start
        self.bench = Bench(time_zone=zone, start=start, max_orders_per_run=MOST_ORDERS, keep_credits=KEPT)
        self.world, self.portal, self.sheet = self.bench.world, self.bench.world.portal, self.bench.sheet
        self.portal.switches.set({"instagram": "served"})
        self.oracle = Oracle(self.portal, zone, days=30, warn_hours=72, most_orders=MOST_ORDERS, keep=KEPT)
        self.runs = self.foreign = 0
        self.confirming: list[tuple[int, str, Any]] = []
        self._read: tuple[int, list[Line]] = -1, []
        self.told: set[str] = set()
        """Every Sync note, Stage and Expiry that was seen: a quarter in which nothing happens proves nothing."""
        self._fill()

    def _fill(self) -> None:
        names = [column.header for column in COLUMNS if column.header != "Ad account"] + ["My notes"]
        self.random.shuffle(names)
        self.sheet.insert_columns(self.sheet.column_count, len(names))
        for at in range(self.sheet.column_count):
            self.sheet.set_value(0, at, names[at] if at < len(names) else None)
        self.at = {name: at for at, name in enumerate(names)}
        for number, video in enumerate(VIDEOS):
            self.portal.add_video(video, platform="instagram" if number % 20 == 7 else "tiktok")
        for number, video in enumerate(VIDEOS[:ROWS], start=2):
            self.put(number, "Video ID", video)
            for name in ("Caption final", "Sound cleared"):
                self.put(number, name, self.random.random() < 0.85)
            for name in ("Creator", "Client", "Campaign", "Market", "Creator owner"):
                self.put(number, name, self.random.choice((*WORDS[name], "")))

    # --- the sheet -------------------------------------------------------------------------------------------------

    def lines(self) -> list[Line]:
        """The sheet as its people see it: the cells of each row by header."""
        if self._read[0] != self.sheet.version:
            found: list[Line] = []
            for number, cells in enumerate(self.sheet.rows[1 : self.sheet.rows_used], start=2):
                pairs = zip(self.at, cells, strict=False)
                found.append(
                    {"#": number, **{name: cell.value for name, cell in pairs if cell and cell.value not in (None, "")}}
                )
            self._read = self.sheet.version, found
        return self._read[1]

    def put(self, number: int, name: str, value: Any) -> None:
        self.sheet.set_value(number - 1, self.at[name], value)

    def some_row(self, wanted: Callable[[Line], object] = lambda line: True) -> Line | None:
        """A row that has a key, and is as wanted."""
        found = [line for line in self.lines() if "Video ID" in line and wanted(line)]
        return self.random.choice(found) if found else None

    def absent(self) -> list[str]:
        """Videos without a row."""
        here = {line.get("Video ID") for line in self.lines()}
        return [video for video in VIDEOS if video not in here]

    # --- people ----------------------------------------------------------------------------------------------------

    def mark(self) -> None:
        row = self.some_row(lambda line: "Action" not in line and line["Video ID"] in VIDEOS)
        if row is None:
            return
        usual = {
            "": "request",
            "cancelled": "request",
            "finalized": "renew",
            "in_review": "correct",
            "under_dispute": "correct",
        }
        mark = usual.get(row.get("Status", ""), "renew")
        if row.get("Status") == "finalized" and self.random.random() < 0.4:
            mark = "correct"
        if self.random.random() < 0.2:
            mark = self.random.choice(("request", "renew", "correct", "reqest", " Request"))
        self.put(row["#"], "Action", mark)
        if mark == "correct":
            self.put(row["#"], "Feedback", self.random.choice(FEEDBACK))

    def unmark(self) -> None:
        row = self.some_row(lambda line: "Action" in line)
        if row:
            self.put(row["#"], "Action", "")

    def tick(self) -> None:
        row = self.some_row()
        assert row
        self.put(row["#"], self.random.choice(("Caption final", "Sound cleared")), self.random.random() < 0.9)

    def write(self) -> None:
        row, name = self.some_row(), self.random.choice(list(WORDS))
        assert row
        self.put(row["#"], name, self.random.choice(WORDS[name]))

    def copy_expiry(self) -> None:
        """From Ads Manager: a day or a day and a time, picked or typed."""
        row = self.some_row(lambda line: "Spark code" in line)
        if row:
            self.put(row["#"], "Known expiry", self.some_date(-1, 40))

    def some_date(self, least: int, most: int) -> Any:
        """A day that many days from now, as people write it; or nothing."""
        day = self.world.clock.now().astimezone(self.zone).date() + timedelta(days=self.random.randrange(least, most))
        serial = (day - datetime(1899, 12, 30).date()).days
        typed = (serial, serial + 0.75, str(day), f"{day} 01:30", f"{day} 17:45", f"{day:%d/%m/%Y}", "")
        return self.random.choice(typed)

    def confirm_expiry(self) -> None:
        """As the note says: the cell is emptied, a run passes, the same date is typed again."""
        for number, video, typed in self.confirming:
            line = self.lines()[number - 2] if number - 2 < len(self.lines()) else {}
            if line.get("Video ID") == video and "Known expiry" not in line:
                self.put(number, "Known expiry", typed)
        row = self.some_row(lambda line: "typed for another code" in line.get("Sync note", ""))
        self.confirming = [(row["#"], row["Video ID"], row.get("Known expiry", ""))] if row else []
        if row:
            self.put(row["#"], "Known expiry", "")

    def type_code(self) -> None:
        """A creator has sent a code: with a date of receipt, or an end; a mark may come later."""
        keys = [line.get("Video ID") for line in self.lines()]
        row = self.some_row(lambda line: not {"Request ID", "Status"} & set(line))
        missing = [video for video in ELSEWHERE if video not in keys]
        if missing and self.random.random() < 0.2:
            people.insert_row(self.world, self.bench.book, TAB, len(self.lines()) + 2, {"Video ID": missing[0]})
            row = self.lines()[-1]
        if row is None:
            return
        if "Spark code" not in row:
            self.foreign += 1
            self.put(row["#"], "Spark code", f"#from-a-creator-{self.foreign}")
        column = self.random.choice(("Received at", "Received at", "Known expiry", "Expires at"))
        self.put(row["#"], column, self.some_date(*((-25, 1) if column == "Received at" else (-1, 40))))

    def sort(self) -> None:
        by = self.random.choice(("Video ID", "Creator", "Status", "Expires at", "Updated at", "My notes"))
        people.sort_rows(self.world, self.bench.book, TAB, by, descending=self.random.random() < 0.5)

    def copy_row(self) -> None:
        row = self.some_row()
        assert row
        if len(self.lines()) < ROWS + 6:
            at = self.random.randrange(2, len(self.lines()) + 2)
            people.copy_row(self.world, self.bench.book, TAB, row["Video ID"], at)

    def delete_row(self) -> None:
        row = self.some_row()
        assert row
        if len(self.lines()) > ROWS - 6:
            self.sheet.delete_rows(row["#"] - 1)

    def add_row(self) -> None:
        """A new video, or one whose row was deleted."""
        if self.absent():
            video = self.random.choice(self.absent())
            ticks = {"Caption final": True, "Sound cleared": True}
            at = self.random.randrange(2, len(self.lines()) + 2)
            people.insert_row(self.world, self.bench.book, TAB, at, {"Video ID": video, **ticks})

    def change_key(self) -> None:
        """A row is used again for another video."""
        row = self.some_row()
        assert row
        if self.absent():
            self.put(row["#"], "Video ID", self.random.choice(self.absent()))

    def no_key(self) -> None:
        """Somebody begins with the mark."""
        people.insert_row(self.world, self.bench.book, TAB, len(self.lines()) + 2, {"Action": "request"})

    def tidy(self) -> None:
        """A row without a key is thrown away."""
        for line in reversed(self.lines()):
            if "Video ID" not in line:
                self.sheet.delete_rows(line["#"] - 1)

    PEOPLE = (
        (mark, 30), (unmark, 10), (tick, 8), (write, 40), (copy_expiry, 8), (confirm_expiry, 4), (type_code, 6),
        (sort, 4), (copy_row, 2), (delete_row, 3), (add_row, 3), (change_key, 1), (no_key, 1), (tidy, 1),
    )  # fmt: skip

    def people_work(self) -> None:
        edits = [edit for edit, _ in self.PEOPLE]
        weights = [weight for _, weight in self.PEOPLE]
        for edit in self.random.choices(edits, weights, k=self.random.randrange(2, 20)):
            edit(self)

    # --- TokPortal -------------------------------------------------------------------------------------------------

    def managers_work(self) -> None:
        """Some requests move on, most do not: managers are late."""
        now = self.world.clock.now()
        for request in self.portal.requests:
            chance = self.random.random()
            if request.status == "under_dispute":
                if chance < 0.4:
                    self.portal.change(request, "pending", now)
            elif not self.portal.is_open(request):
                continue
            elif chance < (0.02 if request.submitted_at else 0.03):
                self.portal.managers.cancel(request, now)
            elif chance < 0.05:
                self.portal.change(request, "under_dispute", now)
            elif chance < 0.09 and request.status == "in_review":
                self.portal.reopen(request, "complained in the dashboard")
            elif chance < 0.6:
                self.portal.managers.step(request, now)

    def order_elsewhere(self) -> None:
        """Somebody orders in the dashboard, after the program has seen how the last request ended."""
        video = self.random.choice(VIDEOS)
        last, seen = self.portal.latest(video), self.oracle.seen.get(video)
        known = last is None or (seen and (seen.id, seen.status) == (last.id, last.status) and not seen.open)
        if known and video not in self.oracle.lost and self.portal.credits >= PRICE:
            self.portal.order_elsewhere(video)

    def days_of_note(self, day: int) -> None:
        """A fill-down of marks, and a week without credits."""
        if day == 5:
            for line in self.lines()[:40]:
                if "Status" not in line and line.get("Video ID") not in ELSEWHERE:
                    self.put(line["#"], "Action", "request")
        if day in (40, 70):
            self.portal.spend_elsewhere(self.portal.credits - KEPT - PRICE)
        if day in (45, 73):
            self.portal.credits += 700

    # --- a day -----------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """From the first day to the last: people, managers, a run; then a run at a moment at which a cell turns."""
        for day in range(DAYS):
            self.world.clock.set(self.morning(day))
            self.managers_work()
            self.people_work()
            self.days_of_note(day)
            if self.random.random() < 0.6:
                self.order_elsewhere()
            self.run(f"day {day}")
            if self.random.random() < 0.3:
                self.run_at_a_turn(f"day {day}")

    def morning(self, day: int) -> datetime:
        return self.first + timedelta(days=day, seconds=self.random.randrange(3600))

    def run_at_a_turn(self, when: str) -> None:
        """A second before an Expiry turns, and at that very second."""
        looks = {line.get("Video ID") for line in self.lines() if "Action" in line}
        looks |= {video for video, seen in self.oracle.seen.items() if seen.open}
        if len(looks) > 25:
            return  # TokPortal takes sixty calls a minute
        now, turns = self.world.clock.now(), set()
        for line in self.lines():
            ends = [code.ends for code in self.oracle.books.codes(line, now) if code.ends]
            turns |= {end - timedelta(hours=before) for end in ends for before in (0, 72)}
        soon = sorted(turn for turn in turns if timedelta(minutes=2) < turn - now < timedelta(hours=22))
        if soon:
            turn = self.random.choice(soon)
            for moment in (turn - timedelta(seconds=1), turn):
                self.world.clock.set(moment)
                self.run(f"{when}, at {moment}")
                assert self.world.clock.now() == moment  # the run did not have to wait for TokPortal

    def run(self, when: str) -> None:
        """One sync, and the oracle's word on every cell, every figure and every credit."""
        self.runs += 1
        before, requests = self.lines(), len(self.portal.requests)
        allow = 40 if self.random.random() < 0.3 else None
        verdict = self.oracle.judge(before, self.world.clock.now(), allow)
        paid = [video for video in verdict.done if video in (*verdict.orders, *verdict.renewals)]
        # what was lost before is sent again last, the one that was tried longest ago first
        paid.sort(key=lambda video: verdict.again.get(video, ("", datetime.min.replace(tzinfo=UTC)))[1])
        fault = self.random.choice(("", "", "", "", "lost_before", "lost_after")) if paid else ""
        if fault:
            self.world.faults.add("portal.order", fault=fault)
        report = self.bench.sync(allow_orders=allow)
        if fault == "lost_before":
            self.oracle.never_arrived(paid[0], self.world.clock.now(), verdict)
        arrived = paid[1:] if fault == "lost_before" else paid
        assert [request.video_id for request in self.portal.requests[requests:]] == arrived, when
        for video in arrived:
            self.oracle.ordered(video, told=fault != "lost_after" or video != paid[0])
        for video in verdict.reports:
            assert self.portal.by_video[video][-1].status == "pending_corrections", when
            self.oracle.refresh(video)
        self.compare(when, self.oracle.cells(before, verdict, self.world.clock.now()))
        assert (report.ordered + report.renewed, report.corrected) == (len(arrived), len(verdict.reports)), when
        assert (report.credits_charged, report.warnings) == (PRICE * len(arrived), []), when
        assert report.exit_code == (3 if verdict.refused else 1 if verdict.uncertain else 0), when
        self.balance(when)

    def compare(self, when: str, wanted: list[dict[str, Any]]) -> None:
        wrong = []
        for line, should in zip(self.lines(), wanted, strict=True):
            self.told |= {str(line[name]) for name in ("Sync note", "Stage", "Expiry") if name in line}
            for name in sorted({*line, *should}):
                says, means = line.get(name, ""), should.get(name, "")
                if not same(name, says, means):
                    wrong.append(f"{when}, row {line['#']} ({line.get('Video ID')}) {name}: {says!r}, not {means!r}")
        assert wrong == [], "\n".join(wrong)

    def balance(self, when: str) -> None:
        """The column with what rows that are gone have cost = the ledger = TokPortal's book of our orders."""
        ours = {request.id for request in self.portal.requests if request.ordered_by == "api"}
        moved = -sum(movement.amount for movement in self.portal.ledger if movement.request_id in ours)
        found = [entry.entry for video in self.portal.by_video for entry in self.bench.ledger.entries(video)]
        assert {entry.request.id for entry in found if entry.credits_charged is not None} == ours, when
        costs = [(entry.request.video_id, entry.cost or 0) for entry in found]
        column = sum(line.get("Credits charged", 0) for line in self.lines())
        here = {line.get("Video ID") for line in self.lines()}
        gone = sum(cost for video, cost in costs if video not in here)
        assert moved == sum(cost for _, cost in costs) == column + gone, when


def same(name: str, says: Any, means: Any) -> bool:
    """Dates are compared to the second."""
    if isinstance(means, tuple):
        return any(same(name, says, one) for one in means)
    if name in DATES and isinstance(says, float | int) and isinstance(means, float | int):
        return abs(says - means) * 86400 < 0.5
    return says == means and isinstance(says, bool) == isinstance(means, bool)


EVERYTHING = {
    *("requested", "received", "activated", "spending", "paused", "renewal needed", "expired", "retired"),
    *("ok", "no window"),
}
PARTS_OF_NOTES = (
    "Waits: tick", "Note has", "Platform must", "Action must", "more rows are marked", "Not enough credits",
    "Nothing to renew", "A request is still open", "Already has a code", "There is no code", "The code has changed",
    "cannot be corrected", "Feedback is empty", "Feedback has 2", "An order was sent", "Already ordered; taken over",
    "A code already exists", "already renewed", "Reported to the manager", "cancelled this request", "under_dispute",
    "Known expiry:", "Authorization days:", "Duplicate of row", "Same Video URL", "cancelled the code",
    "A renewal is under way",
    "The code shown is an earlier one", "This is the code of an earlier request", "Another code of this video may",
    "Other codes may still run", "with no known end", "Known expiry was typed for another", "retired was said of",
)  # fmt: skip


QUARTERS = (
    ("America/New_York", datetime(2026, 9, 14, 13, 5, tzinfo=UTC), 215),
    ("Europe/Berlin", datetime(2027, 1, 11, 8, 5, tzinfo=UTC), 312),
)


@pytest.mark.parametrize(("zone", "start", "seed"), QUARTERS)
def test_a_quarter(zone: str, start: datetime, seed: int) -> None:
    """At every step every cell is what the oracle works out from the history, and the credits balance to the credit."""
    quarter = Quarter(zone, start, seed)
    quarter.live()
    assert EVERYTHING - quarter.told == set()
    assert [part for part in PARTS_OF_NOTES if not any(part in note for note in quarter.told)] == []
    assert quarter.runs > DAYS


# --- found by living through quarters, told shortly ------------------------------------------------------------------


def test_an_answer_that_was_lost_is_no_missing_credit() -> None:
    """An order that had happened all the same is charged to us, and the next order of the run warns of nothing."""
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a", "vid-b")
    bench.world.faults.add("portal.order", fault="lost_after")
    report = bench.sync()
    assert (report.credits_charged, report.credits_left, report.warnings) == (14, 1233, [])


def test_a_claim_that_came_to_nothing_twice() -> None:
    """A row says `ordering` only while it is being ordered, also when all else in it stays as it was."""
    bench = Bench(["vid-a"])
    bench.mark("request", "vid-a")
    for _ in range(2):
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.later(minutes=5)
    assert bench.cell("vid-a", "status") == ""


def test_a_copied_row_with_a_wish_of_its_own() -> None:
    """While the other row's wish is served, it goes on showing all that its person saw."""
    bench = Bench(["vid-a"])
    bench.mark("request", "vid-a")
    bench.sync()
    for _ in ("accept", "submit", "deliver"):
        bench.world.portal.manager_work()
    bench.sync()
    people.copy_row(bench.world, bench.book, TAB, "vid-a", 3)
    bench.type("vid-a", "action", "renew")
    bench.type("vid-a", "action", "correct", 1)
    before = bench.row("vid-a", 1)
    bench.sync()
    after = bench.row("vid-a", 1)
    assert bench.charged("vid-a") == 2 * PRICE
    # what the video has cost stands in its first row
    assert {name for name in before if before[name] != after.get(name)} <= {"updated_at", "credits_charged"}
    assert set(after) - set(before) == {"sync_note"}
