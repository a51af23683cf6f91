"""A second tracker in the same config, in a spreadsheet of its own: its rows order as well, and it has its troubles.

Owns hole 20 of issue 9: one tracker's trouble is not the others'. In a run that nothing strikes, each tracker whose own
sheet is well is read and synced, whatever is the matter with the other one. And 1, for its rows: one charge a mark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote
from zoneinfo import available_timezones

from support.bench import EMAIL, TAB

from histories.desk import ACTION, HEADERS, KEY, MACHINE, Desk
from histories.seen import Run, reached_the_sheet
from sheetsync.model import Tracker
from sheetsync.sandbox.wire import Request

VIDEOS = ("side-a", "side-b")
COLUMNS = (KEY, ACTION, *MACHINE)
MARKS = ("request", "request", "renew")
ZONES = ("Mars/Olympus", "../etc/passwd", "")
WRITE = (
    '[{"edits": [[2, 3, "side-a", "x", false, ""]], "tab": 0, "grid": [["Video ID"], ["side-a"]], "columns": %s, '
    '"time_zone": "%s", "read_at": "2026-01-01", "landed": null}]'
)
KNOWN_ZONES = available_timezones()
JOURNALS = (
    *('[{"edits": 7}]', '{"an": "object"}', "no JSON", "[null]", "7"),
    *(WRITE % ('["video_id"]', "UTC"), WRITE % ('{"video_id": 0}', "UTC")),
    WRITE % ('{"video_id": 0, "action": 1, "updated_at": 2}', "Mars/Olympus"),
)
TROUBLES = ("zone", "unshared", "header", "tab", "journal", "journal")
PORTAL = ("portal.poll", "portal.order")


class Beside:
    """The other tracker of a desk."""

    videos = VIDEOS

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.book = desk.world.google.create_spreadsheet("Other codes", "Etc/GMT", (TAB,))
        self.sheet = self.book.sheet(TAB)
        self.tracker = Tracker("beside", self.book.id, TAB, keep_credits=desk.tracker.keep_credits)
        self._marks: Counter[str] = Counter()
        for index, header in enumerate(COLUMNS):
            self.sheet.set_value(0, index, header)
        for line, video in enumerate(VIDEOS, start=1):
            desk.portal.add_video(video)
            self.sheet.set_value(line, 0, video)
        self.restored()

    def restored(self) -> None:
        """All is well with its spreadsheet."""
        self.book.shared_with.add(EMAIL)
        self.book.time_zone, self.sheet.title = "Etc/GMT", TAB
        self.sheet.set_value(0, COLUMNS.index("Status"), "Status")

    def owns(self, kind: str, request: Request) -> bool:
        """Whether a call is about this tracker."""
        return self.book.id in request.path or (kind in PORTAL and unquote(request.path.split("/")[4]) in VIDEOS)

    # --- what happens to it ------------------------------------------------------------------------------------

    def mark(self, n: int, word: int) -> None:
        """Somebody wants something in one of its rows."""
        line, wanted = 1 + n % len(VIDEOS), MARKS[word % len(MARKS)]
        if self.sheet.value(line, COLUMNS.index(ACTION)) != wanted:
            self._marks[VIDEOS[line - 1]] += 1
            self.sheet.set_value(line, COLUMNS.index(ACTION), wanted)

    def falls_ill(self, which: int, n: int) -> None:
        """Something is the matter with its spreadsheet, or with what the ledgers remember of a write there."""
        trouble = TROUBLES[which % len(TROUBLES)]
        if trouble == "zone":
            self.book.time_zone = ZONES[n % len(ZONES)]
        elif trouble == "unshared":
            self.book.shared_with.discard(EMAIL)
        elif trouble == "header":
            self.sheet.set_value(0, COLUMNS.index("Status"), "My status")
        elif trouble == "tab":
            self.sheet.title = "Last month"
        elif trouble == "journal":
            for machine in self._desk.machines:
                recorder = machine.ledger.recorder(self.tracker.name, "elsewhere", machine.clock)
                recorder.begin_write(JOURNALS[n % len(JOURNALS)])

    # --- judging -----------------------------------------------------------------------------------------------

    def well(self) -> dict[str, str]:
        """The trackers whose sheet is as it should be, by name, and their spreadsheets. A journal puts itself right."""
        desk, found = self._desk, {}
        header = self.sheet.value(0, COLUMNS.index("Status")) == "Status"
        if header and self.sheet.title == TAB and self._is_open(self.book):
            found[self.tracker.name] = self.book.id
        headers = desk.can_be_edited and all(desk.names.get(name) == name for name in HEADERS)
        if (
            headers
            and "protectedRanges" not in desk.sheet.attached
            and desk.sheet.title == TAB
            and self._is_open(desk.book)
        ):
            found[desk.tracker.name] = desk.book.id
        return found

    def _is_open(self, book: object) -> bool:
        zone = getattr(book, "time_zone", "")
        return EMAIL in getattr(book, "shared_with", ()) and (zone.startswith("GMT") or zone in KNOWN_ZONES)

    def judged(self, run: Run, well: dict[str, str]) -> None:
        """20: in a run that nothing struck, each tracker that is well was read, and came as far as its last write."""
        if self._desk.portal.keys[self._desk.portal.key].revoked:
            return  # that is everybody's trouble
        desk, reports = self._desk, self._desk.reports
        calls = desk.world.calls[run.first_call :]
        for name, book in well.items():
            read = [call for call in calls if call.kind == "values.batchGet" and book in call.path]
            if not any(call.status == 200 for call in read):
                desk.judge.say(120, f"tracker {name} was not read, though all is well with its sheet")
            elif name not in reports or not reached_the_sheet(reports[name]):
                told = reports[name].error if name in reports else "no report"
                desk.judge.say(120, f"tracker {name} was not synced, though all is well with its sheet: {told}")

    def charged(self) -> None:
        """1: no mark of its rows is charged twice."""
        for video, many in self._charges().items():
            if many > (marks := self._marks[video]):
                self._desk.judge.say(1, f"{video} of the other tracker was charged {many} times, for {marks} marks")

    def _charges(self) -> Counter[str]:
        mine = (request for request in self._desk.portal.requests if request.video_id in VIDEOS)
        return Counter(request.video_id for request in mine if request.ordered_by == "api" and not request.refunded)

    def wrong(self) -> Iterator[str]:
        """7: what its rows should say in the end, and do not."""
        for line, video in enumerate(VIDEOS, start=1):
            latest = self._desk.portal.latest(video)
            for token, right in (("Request ID", latest and latest.id), ("Status", latest and latest.status)):
                said = self.sheet.value(line, COLUMNS.index(token))
                if said != right and not self.sheet.value(line, COLUMNS.index(ACTION)):
                    yield f"{token} of {video} says {said!r}, not {right!r}"
