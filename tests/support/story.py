"""A tracker in which everything a run can do is due at once, and what its cells must say in the end.

What is right is told from TokPortal's own books and from what people typed, never by asking the program: a second
opinion on every cell.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sheetsync import columns
from sheetsync.ledger.store import Ledger
from sheetsync.model import PRICE
from sheetsync.sandbox import people
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sandbox.wire import Request
from sheetsync.sync.report import Report
from support import ledgers
from support.bench import TAB, Bench

MACHINE = {columns.BY_KEY[key].header: key for key in columns.MACHINE_KEYS}
# Person columns lie before, between and after the machine columns; Scratch and Remarks are nobody's business.
HEADERS = (
    *("Client", "Video ID", "Action", "Status", "Spark code", "Sync note", "Stage", "Scratch"),
    *("Requested at", "Submitted at", "Delivered at", "Expires at", "Expiry", "Missing", "Campaign"),
    *("Credits charged", "Credits left", "Request ID", "Updated at", "Feedback", "Note", "Market", "Remarks"),
)
CHANGES = ("portal.order", "portal.correct", "sheets.batchUpdate")
ADOPTED = "Already ordered; taken over, nothing more was charged."
RENEWED = "This was already renewed; nothing more was charged. Mark renew to order another (7 credits)."
REPORTED = "Reported to the manager, who will send a new code."
UNDER_WAY = "A renewal is under way; until its code is there, this row shows the earlier code."
UNCONFIRMED = "The code is as this row told it; TokPortal has not confirmed it."

ORDERED = ("vid-a", "vid-b", "vid-c")
Row = dict[str, Any]


class Crash(BaseException):
    """The process is killed: nothing in the program may see it coming or clean up after it."""


class Story:
    """Three orders, a renewal, a correction, a code that arrived, a request to adopt, a finished row and an idle one.

    `typed` is what people last typed, one mapping of headers to values for each row; `charges` says how often each
    video may have been charged in the end, `waiting` are videos whose mark must stay. `pace` is how many seconds each
    call takes.
    """

    path: Path

    def __init__(self, videos: Sequence[str] | None = None, **settings: Any) -> None:
        names = list(videos or (*ORDERED, "vid-renew", "vid-wrong", "vid-code", "vid-adopt", "vid-done", "vid-idle"))
        self.bench = bench = Bench(names, headers=HEADERS, **settings)
        self.world, self.portal = bench.world, bench.world.portal
        self.waiting: set[str] = set()
        self.corrections = 0
        self.lost = False
        self.adopts_its_own = False  # a killed run's claim is gone: nothing tells that the order was for this mark
        self.pace = 0.0
        self.typed: list[Row] = [{"Video ID": name} for name in names]
        for number, name in enumerate(names):
            # clients sort in another order than the rows stand
            self.type(name, "Client", f"client {(number * 7 + 4) % 11:02}")
            self.type(name, "Remarks", f"remark on {name}")
            self.type(name, "Scratch", number)
        self.stop()
        with TemporaryDirectory() as folder:
            state = Path(folder) / "state.db"
            ledgers.write(state, None)
            with Ledger(ledgers.at(state), durable=False) as bench.ledger:
                if videos is None:
                    self._history()
            self.saved = ledgers.read(state)
        self.ids_before = {request.id for request in self.portal.requests}
        self.charges = {name: {len(bench.requests(name))} for name in names} | {name: {1} for name in ORDERED}
        for name in ORDERED:
            self.type(name, "Action", "request")
            self.type(name, "Note", f"note of {name}")
        if videos is None:
            self._wishes()
        self.stop()

    def begin(self, folder: Path, pace: float) -> None:
        """A machine of one's own, with its ledger in `folder`."""
        folder.mkdir(exist_ok=True)
        self.path, self.pace = folder / "state.db", pace
        ledgers.write(self.path, self.saved)
        self.bench.ledger = Ledger(ledgers.at(self.path), durable=False)
        if pace:
            self.world.hooks.append(self._tick)

    def _tick(self, moment: str, index: int, kind: str, request: Request) -> None:
        if moment == "before":
            self.bench.later(seconds=self.pace)

    def _history(self) -> None:
        """Four codes ordered in earlier runs: two finished, one to be tried, one that is still to come."""
        bench, portal = self.bench, self.portal
        known = ("vid-renew", "vid-wrong", "vid-code", "vid-done")
        bench.mark("request", *known)
        bench.sync()
        bench.later(hours=3)
        for name in ("vid-renew", "vid-done"):
            portal.submit(name)
            portal.deliver(name)
        portal.submit("vid-wrong")
        bench.sync()
        bench.later(hours=1)
        portal.submit("vid-code")
        portal.order("vid-adopt", by="dashboard")

    def _wishes(self) -> None:
        self.type("vid-renew", "Action", "renew")
        self.type("vid-wrong", "Action", "correct")
        self.type("vid-wrong", "Feedback", "the code does not work")
        self.type("vid-adopt", "Action", "request")
        self.charges["vid-renew"] = {2}
        self.corrections = 1

    # --- people ------------------------------------------------------------------------------------------------

    def typed_rows(self, video: str) -> list[Row]:
        return [row for row in self.typed if row.get("Video ID") == video]

    def type(self, video: str, header: str, value: Any) -> None:
        """Somebody types into a cell of the first row of a video."""
        sheet = self.bench.sheet
        line = people.row_of(sheet, video)
        sheet.set_value(line, people.column_of(sheet, header), value)
        shown = [row for row in self.typed if row.get("Video ID") == video]
        shown[0][header] = value

    def key(self, video: str) -> int:
        """The row number of a video."""
        return people.row_of(self.bench.sheet, video) + 1

    @property
    def edits(self) -> tuple[Any, Any, str]:
        """What the functions of `people` want first."""
        return self.world, self.bench.book, TAB

    # --- machines ----------------------------------------------------------------------------------------------

    def sync(self) -> Report:
        return self.bench.sync()

    def killed(self, index: int, moment: str, of: Callable[[], object] | None = None) -> str:
        """A run that is killed at its call number `index`; the kind of that call, or "" if it never came."""
        start, struck = len(self.world.calls), ""

        def kill(when: str, at: int, kind: str, request: Request) -> None:
            nonlocal struck
            if when == moment and at - start == index:
                struck = kind
                raise Crash

        with self.hook(kill):
            try:
                (of or self.sync)()
            except Crash:
                assert struck
        return struck

    @contextmanager
    def hook(self, hook: Callable[[str, int, str, Request], None]) -> Iterator[None]:
        self.world.hooks.append(hook)
        try:
            yield
        finally:
            self.world.hooks.remove(hook)

    def stop(self) -> None:
        """No machine holds the ledger open any more; a stopped story can be copied."""
        if hasattr(self.bench, "ledger"):
            self.bench.ledger.close()
            del self.bench.ledger  # a connection cannot be copied

    def restart(self, state: str = "kept") -> None:
        """The next process opens the ledger: as it was left, lost, or brought back from a copy of before the run."""
        self.stop()
        if state != "kept":
            self.lost = True
            ledgers.write(self.path, self.saved if state == "old" else None)
        self.bench.ledger = Ledger(ledgers.at(self.path), durable=False)

    def recover(self, most: int = 3, wait: float = 61) -> list[str]:
        """Later runs, `most` at most, then one that must find nothing to do; what is wrong in the end."""
        for turn in range(most + 1):
            sent, report = self.later_run(wait)
            if not sent:
                break
            if turn == most:
                sent = [f"run {turn + 1} still sent {kind}" for kind in sent]
        wrong = [*self.wrong(), *sent]
        return wrong if report.exit_code == 0 else [*wrong, f"the last run ended with {report.exit_code}: {report}"]

    def later_run(self, wait: float = 61) -> tuple[list[str], Report]:
        """A run more than a minute later; what it sent that orders, corrects or writes."""
        self.bench.later(seconds=wait)
        before = len(self.world.calls)
        report = self.sync()
        return changes(self, before), report

    def deliver(self) -> None:
        """Managers finish whatever is open."""
        for request in list(self.portal.requests):
            if self.portal.is_open(request):
                if request.status != "in_review":
                    self.portal.submit(request.video_id)
                self.portal.deliver(request.video_id)

    # --- what is right -----------------------------------------------------------------------------------------

    def wrong(self) -> list[str]:
        """Everything that is not as it must be, in words."""
        return [*self._wrong_charges(), *self._wrong_cells(), *self._wrong_ledger()]

    def _wrong_charges(self) -> Iterator[str]:
        portal = self.portal
        for video, allowed in self.charges.items():
            mine = [request for request in portal.requests if request.video_id == video]
            if len(mine) not in allowed or any(request.charged != PRICE for request in mine):
                yield f"{video} has {[(r.charged, r.ordered_by) for r in mine]}, not {allowed} charges"
        moved = sum(movement.amount for movement in portal.ledger if movement.reason == "ad code request")
        if moved != -PRICE * len(portal.requests):
            yield f"TokPortal took {-moved} credits for {len(portal.requests)} orders"
        sent = sum(len(request.feedback) for request in portal.requests)
        if sent != self.corrections:
            yield f"{sent} corrections were sent, not {self.corrections}"

    def _wrong_cells(self) -> Iterator[str]:
        """The grid, line by line, against what people typed and what TokPortal says."""
        headers, *lines = self.bench.table()
        bound = set(MACHINE) & set(headers)
        if len(bound) != len(MACHINE):
            yield f"machine columns are gone: {set(MACHINE) - bound}"
            return
        found: list[Row] = []
        for number, line in enumerate(lines, start=2):
            cells = [(header, cell) for header, cell in zip(headers, line, strict=False) if cell != ""]
            found.append({header: cell for header, cell in cells if header not in MACHINE})
            if "" in found[-1]:
                yield f"row {number} has a stray cell under no header: {found[-1]}"
            said = {MACHINE[header]: cell for header, cell in cells if header in MACHINE}
            video = str(found[-1].get("Video ID", ""))
            is_first = video not in [str(row.get("Video ID", "")) for row in found[:-1]]
            yield from (f"row {number}, {video}: {problem}" for problem in self._wrong_row(video, said, is_first))
        mine = Counter(_plain(row) for row in found if row)
        theirs = Counter(_plain(row) for row in self.expected_rows())
        for row in theirs - mine:
            yield f"a person's row is not there: {row}"
        for row in mine - theirs:
            yield f"nobody typed this row: {row}"

    def expected_rows(self) -> list[Row]:
        """What people typed, without the marks that must have been served by now."""
        rows = [
            {
                header: cell
                for header, cell in row.items()
                if cell != "" and (header != "Action" or row.get("Video ID") in self.waiting)
            }
            for row in self.typed
        ]
        return [row for row in rows if row]

    def _wrong_row(self, video: str, said: Mapping[str, Any], is_first: bool) -> Iterator[str]:
        request = self.portal.latest(video)
        if request is None:
            if set(said) - self._without_request(video):
                yield f"machine cells say {dict(said)}, nothing was ever ordered"
            return
        typed = (self.typed_rows(video) or [{}])[0]
        for column, allowed in self.right(request, typed, is_first).items():
            cell = said.get(column, "")
            if not any(_same(cell, value) for value in allowed):
                yield f"{column} says {cell!r}, not {' or '.join(map(repr, allowed))}"
        note = str(said.get("sync_note", ""))
        plain = " ".join(part for part in note.split("Duplicate of row ")[:1]).strip()
        if not plain if video in self.waiting else plain not in self.right_notes(request):
            yield f"sync_note says {note!r}"
        if ("Duplicate of row" in note) != (len(self.typed_rows(video)) > 1):
            yield f"there are {len(self.typed_rows(video))} rows, but sync_note says {note!r}"
        if not 46188 < float(said.get("updated_at") or 0) <= _serial(self.world.clock.now()):
            yield f"updated_at says {said.get('updated_at')!r}"

    def _without_request(self, video: str) -> set[str]:
        """The machine cells that may say something although nothing was ordered."""
        if video in self.waiting:
            return {"sync_note", "updated_at"}
        # a claim that came to nothing, for its mark was taken away, leaves its time
        return {"updated_at"} if len(self.charges.get(video, ())) > 1 else set()

    def in_use(self, video: str) -> tuple[AdCodeRequest | None, str]:
        """The request whose code the row shows, and the code: nothing ends, or is cancelled, in this story.

        One that was reported stays until the new one comes, whether TokPortal goes on showing it or not.
        """
        brought = [(each, each.codes[-1]) for each in reversed(self.bench.requests(video)) if each.codes]
        working = [pair for pair in brought if pair[0].status != "pending_corrections"]
        return next(iter(working + brought), (None, ""))

    def right(self, request: AdCodeRequest, typed: Row, is_first: bool) -> dict[str, tuple[Any, ...]]:
        used, code = self.in_use(request.video_id)
        empty = [name for name in ("Market", "Campaign") if typed.get(name, "") == ""]
        balance = next(m.balance_after for m in reversed(self.portal.ledger) if m.request_id == request.id)
        return {
            "status": (request.status,),
            "spark_code": (code,),
            "requested_at": (_serial(request.created_at),),
            "submitted_at": (_serial(request.submitted_at),),
            "delivered_at": (_serial(request.delivered_at),),
            "expires_at": (_serial(used.created_at + timedelta(days=30)) if used else "",),
            "expiry": ("ok" if code else "",),
            "stage": ("received" if code else "requested",),
            "missing": (", ".join(empty) if code else "",),
            "credits_charged": self._cost(request.video_id) if is_first else ("",),
            "credits_left": (balance, ""),
            "request_id": (request.id,),
        }

    def _cost(self, video: str) -> tuple[Any, ...]:
        """What the video has cost; what only a lost ledger or somebody else's answer told cannot be known."""
        times = sum(request.ordered_by == "api" for request in self.bench.requests(video))
        return ("", *(PRICE * n for n in range(1, times + 1))) if self.lost else (PRICE * times or "",)

    def right_notes(self, request: AdCodeRequest) -> tuple[str, ...]:
        used, _ = self.in_use(request.video_id)
        others = [each for each in self.bench.requests(request.video_id) if each.codes and each is not used]
        ends = [f"{each.created_at + timedelta(days=30):%Y-%m-%d %H:%M}" for each in others]
        runs = f"Another code of this video may still run, until {ends[0]}." if ends else ""
        # nobody can tell of a lost ledger's codes but the row, which shows one
        if used in (None, request):
            said = itertools.product(self._request_notes(request), {runs, "" if self.lost else runs})
        else:
            unconfirmed = ("", UNCONFIRMED) if self.lost else ("",)
            said = itertools.product(self._request_notes(request), (UNDER_WAY,), unconfirmed)
        return tuple(" ".join(filter(None, parts)) for parts in said)

    def _request_notes(self, request: AdCodeRequest) -> tuple[str, ...]:
        if request.status == "pending_corrections":
            return (REPORTED,)
        adopted = ("",) if request.code else ("", ADOPTED) if self.lost else (ADOPTED,)
        if request.ordered_by != "api":
            return adopted
        is_adopted = self.adopts_its_own or (self.lost and request.id not in self.ids_before)
        return ("", *adopted, RENEWED) if is_adopted else ("",)

    def _wrong_ledger(self) -> Iterator[str]:
        ledger, name = self.bench.ledger, self.bench.tracker.name
        known = ledger.known(name)
        if known.unsettled:
            yield f"intents are unsettled: {list(known.unsettled)}"
        if ledger.recorder(name, "", self.bench.clock).pending_write():
            yield "a write to the sheet is still pending"
        if self.lost:
            return
        for request in self.portal.requests:
            books = {book.entry.request.id: book for book in ledger.entries(request.video_id, name)}
            if request.id not in books:
                yield f"the ledger does not know {request.id} of {request.video_id}"
                continue
            book = books[request.id]
            codes = [code for _, code in book.codes]
            if request.code and request.code not in codes:
                yield f"the ledger has {codes} for {request.video_id}, not {request.code}"
            if request.ordered_by == "api" and book.entry.credits_charged != PRICE:
                yield f"the ledger has {request.id} charged {book.entry.credits_charged}"


@lru_cache(maxsize=4)
def _written(videos: tuple[str, ...] | None) -> Story:
    return Story(videos)


def tell(folder: Path, videos: tuple[str, ...] | None = None, pace: float = 0.0) -> Story:
    """The story from its beginning, as often as one likes: the same each time."""
    story = copy.deepcopy(_written(videos))
    story.begin(folder, pace)
    return story


def changes(story: Story, since: int) -> list[str]:
    """The calls since then that order, correct or write."""
    return [call.kind for call in story.world.calls[since:] if call.kind in CHANGES]


def kinds_of(story: Story) -> list[str]:
    """The calls of one run."""
    start = len(story.world.calls)
    story.sync()
    return [call.kind for call in story.world.calls[start:]]


def _plain(row: Row) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(row.items(), key=lambda item: item[0]))


def _serial(moment: datetime | None) -> float | str:
    return columns.to_serial(moment, "Etc/GMT") if moment else ""


def _same(cell: Any, value: Any) -> bool:
    if isinstance(cell, int | float) and isinstance(value, int | float):
        return abs(cell - value) < 1e-6
    return type(cell) is type(value) and bool(cell == value)
