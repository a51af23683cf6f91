"""What a team has to be told, worked out a second time: from TokPortal's books, what people did, and how runs ended.

Written from the texts (design 1, 5 and 6; the operations page; the README), not from the program, of which it imports
nothing. It is told when the program ran, and compares what each receiver got with what was due to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

LADDER = (0, 24, 72, 168)
DAY = timedelta(days=1)
REST = timedelta(minutes=61)
"""A receiver that failed is tried again within an hour."""

Key = tuple[str, str, str, str]
"""What an alert is about: kind, tracker, video, and which step of the ladder."""


@dataclass
class Code:
    """The code in use of one row, as the last run that saw the sheet found it."""

    request: str
    text: str
    begins: datetime
    ends: datetime
    since: datetime
    is_renewing: bool = False
    is_retired: bool = False


@dataclass
class Side:
    """One tracker, as far as the program can know it."""

    name: str
    receivers: tuple[str, ...]
    days: Mapping[str, int]
    owner: Mapping[str, str]
    retired: dict[str, str] = field(default_factory=dict)  # video: the code that people retired
    codes: dict[str, Code] = field(default_factory=dict)
    books: dict[str, tuple[str, int]] = field(default_factory=dict)  # request: its status, how many codes it had
    latest: dict[str, tuple[str, str]] = field(default_factory=dict)
    waits: dict[str, datetime] = field(default_factory=dict)
    runs: list[tuple[datetime, int]] = field(default_factory=list)  # since the last good one
    failed: datetime | None = None  # the first of the runs that were told to fail
    is_new: bool = True


class Expected:
    """What every receiver should have got by now. `low`, `locked`: since when credits are low, a price locks orders."""

    def __init__(self, sides: Sequence[Side], team: str, owners: Mapping[str, str]) -> None:
        self.sides, self.team, self.owners = {side.name: side for side in sides}, team, owners
        self.told: dict[str, set[tuple[str, ...]]] = {}
        self.news: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}  # receiver: (tracker, video): kind, request
        self.low: datetime | None = None
        self.locked: datetime | None = None
        self.waiting_since: dict[str, datetime] = {}

    # --- what the program saw ---------------------------------------------------------------------------------------

    def saw(self, name: str, requests: Iterable[Any], held: Iterable[str], now: datetime) -> None:
        """A run of this tracker saw its sheet, where the marks of `held` wait, and the books of TokPortal as of now."""
        side = self.sides[name]
        mine: dict[str, list[Any]] = {}
        for request in requests:
            if request.video_id in side.days:
                mine.setdefault(request.video_id, []).append(request)
        for video, books in mine.items():
            self._happened(side, video, books)
            self._use(side, video, books, now)
            side.latest[video] = books[-1].id, books[-1].status
        side.waits = {video: side.waits.get(video, now) for video in held}
        side.is_new = False

    def _happened(self, side: Side, video: str, books: Sequence[Any]) -> None:
        for request in books:
            status, codes = side.books.get(request.id, ("", 0))
            side.books[request.id] = request.status, len(request.codes)
            kind = ""
            if request.status == "cancelled":
                kind = "request cancelled" if status not in ("", "cancelled") else ""
            elif status == "pending_corrections" and request.status in ("in_review", "finalized"):
                kind = "correction answered"
            elif len(request.codes) > codes:
                kind = "correction answered" if codes else "code received"
            if kind and not side.is_new:
                for receiver in self._of(side, video):
                    self.news.setdefault(receiver, {})[side.name, video] = kind, request.id

    def _use(self, side: Side, video: str, books: Sequence[Any], now: datetime) -> None:
        span = timedelta(days=side.days[video])
        alive = [r for r in reversed(books) if r.code and r.status != "cancelled"]
        runs = [r for r in alive if r.created_at + span > now]
        works = [r for r in runs if r.status != "pending_corrections"]
        used = next(iter([*works, *runs, *alive]), None)
        if used is None:
            side.codes.pop(video, None)
            return
        before = side.codes.get(video)
        same = before is not None and (before.request, before.text) == (used.id, used.code)
        is_renewing = books[-1] is not used and books[-1].status not in ("finalized", "cancelled")
        is_retired = side.retired.get(video) == used.code
        since = before.since if same and before else now
        ends = used.created_at + span
        side.codes[video] = Code(used.id, used.code, used.created_at, ends, since, is_renewing, is_retired)

    def ran(self, name: str, began: datetime, exit_code: int) -> None:
        """A run of this tracker was recorded."""
        side = self.sides[name]
        side.runs = [] if exit_code == 0 else [*side.runs, (began, exit_code)]

    def purse(self, credits: int, now: datetime) -> None:
        """The balance became known."""
        self.low = (self.low or now) if credits < 70 else None

    # --- what is so now ---------------------------------------------------------------------------------------------

    def _of(self, side: Side, video: str = "") -> tuple[str, ...]:
        owner = self.owners.get(side.owner.get(video, ""))
        return tuple(dict.fromkeys([*side.receivers, *([owner] if owner else [])]))

    def due(self, receiver: str, now: datetime) -> dict[tuple[str, ...], Key]:
        """All that this receiver should know and was not told, by a name of each."""
        found = self._of_purse() if receiver == self.team else {}
        for side in self.sides.values():
            found |= self._of_rows(side, receiver, now)
            if receiver in side.receivers:
                found |= self._of_runs(side, receiver)
        found = {name: key for name, key in found.items() if name not in self.told.get(receiver, set())}
        for (tracker, video), (kind, request) in self.news.get(receiver, {}).items():
            if kind != "request cancelled" or self.sides[tracker].latest[video] == (request, "cancelled"):
                found["news", tracker, video, request] = kind, tracker, video, ""
        return found

    def _of_purse(self) -> dict[tuple[str, ...], Key]:
        found: dict[tuple[str, ...], Key] = {}
        if self.low:
            found["credits", str(self.low)] = "credits low", "", "", ""
        if self.locked:
            found["price", str(self.locked)] = "price not expected", "", "", ""
        return found

    def _of_rows(self, side: Side, receiver: str, now: datetime) -> dict[tuple[str, ...], Key]:
        found: dict[tuple[str, ...], Key] = {}
        for video, code in side.codes.items():
            step = self._step(code, now)
            if step is not None and receiver in self._of(side, video):
                found["ends", code.request, code.text, str(step)] = "code ends", side.name, video, str(step)
        for video, since in side.waits.items():
            if now - since > DAY and receiver in self._of(side, video):
                found["waits", video, str(since)] = "row waits", side.name, video, ""
        return found

    @staticmethod
    def _step(code: Code, now: datetime) -> int | None:
        if code.is_retired or code.ends <= code.since:
            return None
        window, left = code.ends - code.begins, code.ends - now
        return next((h for h in LADDER if left <= timedelta(hours=h) and timedelta(hours=h) < window), None)

    def _of_runs(self, side: Side, receiver: str) -> dict[tuple[str, ...], Key]:
        found: dict[tuple[str, ...], Key] = {}
        bad = [began for began, code in side.runs if code != 3]
        refused = [began for began, code in side.runs if code == 3]
        if refused and side.runs[-1][1] == 3 and not self.locked:
            found["refused", side.name, str(refused[0])] = "run refused", side.name, "", ""
        if len(bad) >= 3:
            side.failed = bad[0]
            found["failing", side.name, str(bad[0])] = "runs fail", side.name, "", ""
        elif side.failed and not side.runs:
            heard = ("failing", side.name, str(side.failed)) in self.told.get(receiver, set())
            if heard:
                found["good", side.name, str(side.failed)] = "runs are good again", side.name, "", ""
        return found

    # --- what was got -----------------------------------------------------------------------------------------------

    def got(self, receiver: str, messages: Sequence[Mapping[str, Any]], is_up: bool, now: datetime) -> None:
        """What a receiver got after a run: all that was due to it, or nothing while it rests."""
        due = self.due(receiver, now)
        got = sorted(_key(alert) for message in messages for alert in message["alerts"])
        if is_up and due:
            since = self.waiting_since.setdefault(receiver, now)
            is_resting = not got and now - since <= REST + timedelta(minutes=40)
            assert is_resting or got == sorted(due.values()), (receiver, now, got, sorted(due.values()))
        else:
            assert not got, (receiver, now, got)
        if got or not due:
            self.waiting_since.pop(receiver, None)
        if got:
            self.told.setdefault(receiver, set()).update(name for name in due if name[0] != "news")
            self.news.pop(receiver, None)


def _key(alert: Mapping[str, Any]) -> Key:
    step, text = "", alert["text"]
    if alert["kind"] == "code ends":
        step = "0" if " ended on " in text else text.split(" within ")[1].split()[0]
    return alert["kind"], alert["tracker"], alert["video_id"], step
