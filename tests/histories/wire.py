"""The judge of the wider world: each order as it leaves a machine, against the sheet and TokPortal as they are then.

Owns the invariants of issue 9's holes; those of every history are invariants.py's. An order is judged when its bytes
leave, before anything strikes it on its way. Times are true ones: what a machine's clock says does not count.
A violation has the number 100 and the hole's. It never asks the program what is right.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from support import proxy_approval
from support.bench import EMAIL
from support.proxy_sheet import lines_shown

from histories import moves, wider
from histories.bounds import Bounds
from histories.desk import ACTION, KEY, MACHINE, ROW, VIDEOS, Desk
from histories.invariants import Judge
from histories.questions import NOTHING, Question, Questions, Wishes
from histories.seen import Answer, Read, Run, cells_of, due, gates_open, id_in, reached_the_sheet, shown, text
from sheetsync.sandbox.google.cells import Formula
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.merges import covered
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import Call
from sheetsync.sync.report import Report

MINUTE = timedelta(minutes=1)
PRICE = 7
ORDERING = ("request", "renew")
FORMULA, OPEN = "made by a formula", "approved"


@dataclass(slots=True)
class Facts:
    """What one run was told so far, and what it did."""

    limit: int
    seen: datetime | None = None  # the sheet, in an answer
    claims: set[str] = field(default_factory=set)  # videos whose claim this run has sent
    looked: dict[str, datetime] = field(default_factory=dict)  # at TokPortal
    told: int | None = None  # the balance, less what was ordered since
    first: Read | None = None
    waiting: frozenset[tuple[str, str]] = frozenset()  # orders that were not settled when the run began
    answers: dict[str, Answer | None] = field(default_factory=dict)  # the first one of each video
    silent: set[str] = field(default_factory=set)  # videos that were asked about, and TokPortal did not say anything
    keys: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)  # rows that could not be written at the metadata read
    merges: list[Any] = field(default_factory=list)  # at the metadata read
    dear: str = ""  # another price that the Summary tab kept when the run began
    price: str = ""  # an unexpected one that an answer told; the program has it once it goes on
    newest: dict[str, int] = field(default_factory=dict)
    typed: int = 0  # what a person typed into Summary, as it was read first
    allowed: Question = NOTHING  # what it is for, once this run is seen to have taken it out of its cell


WATCHED = (ROW, KEY, ACTION, "Caption final", "Note")
"""What an order rests on."""


def _is_same(lines: Read, seen: Read | None) -> bool:
    """Whether nothing was typed or written since: whatever changes a line makes another one of it."""
    if seen is None or len(lines.lines) != len(seen.lines):
        return False
    is_same = lines.tokens is seen.tokens and lines.names == seen.names
    return is_same and all(map(operator.is_, lines.lines, seen.lines))


class Wire:
    """Watches the orders of one desk. `world` are the switches that are on: each has its invariant."""

    def __init__(self, desk: Desk, judge: Judge, world: frozenset[str]) -> None:
        self._desk, self._judge, self._world = desk, judge, world
        self._facts: dict[int, Facts] = {}
        self._marked: set[str] = set()
        self._open: set[str] = set()
        self._stood: dict[str, datetime] = {}  # when a mark last stood in a row of that video
        self._ready: dict[str, datetime] = {}  # the same with its gates open
        self._shared: datetime = desk.world.clock.now()
        self._dear: dict[str, str] = {}  # what a machine was told of another price
        self._dear_for_all = ""
        self._lifted: dict[str, str] = {}  # what a person told a machine to pass over
        self._balance_told = False  # to the last run
        self._unclear: dict[tuple[str, str], str] = {}  # machine and video: the order whose answer was not clear
        self._refused: set[tuple[str, str]] = set()
        self._newest: dict[str, dict[str, int]] = {machine.name: {} for machine in desk.machines}
        self._keyed: set[str] = set()  # rows that had a video id at some time
        self.questions = Questions()
        self._seen: Read | None = None
        self._bounds = Bounds(desk, judge, world)
        self.moment()

    # --- what stands in the sheet ------------------------------------------------------------------------------------

    def moment(self) -> None:
        """Something is about to happen, or has just happened: what stood until now stood until now."""
        now = self._desk.world.clock.now()
        self._stood |= dict.fromkeys(self._marked, now)
        self._ready |= dict.fromkeys(self._open, now)
        lines = Read(list(self._desk.sheet.rows), self._desk.header_tokens(), {}, {}, frozenset(self._desk.names))
        if not _is_same(lines, self._seen):
            self._seen = lines
            self._look(lines)
            self._stood |= dict.fromkeys(self._marked, now)
            self._ready |= dict.fromkeys(self._open, now)
        if EMAIL in self._desk.book.shared_with:
            self._shared = now

    def _look(self, lines: Read) -> None:
        self._marked, self._open = set(), set()
        columns = [(token, n) for n, token in enumerate(lines.tokens) if token in WATCHED]
        for line in range(1, len(lines.lines)):
            row = {token: lines.at(line, n) for token, n in columns}
            if text(row.get(KEY, "")):
                self._keyed.add(text(row[ROW]))
            if text(row.get(ACTION, "")).casefold() in ORDERING:
                self._marked.add(text(row[KEY]))
                if gates_open(row, lines.names) and "Caption final" in lines.names:
                    self._open.add(text(row[KEY]))

    # --- runs --------------------------------------------------------------------------------------------------------

    def began(self, run: Run, limit: int | None, accepted: int | None) -> None:
        """A run begins; `accepted` is the price that its person accepts."""
        self._bounds.began(run)
        name = run.machine.name
        if accepted is not None:
            self._lifted[name] = self._dear.pop(name, "") or self._dear_for_all or self._lifted.get(name, "")
            self._dear_for_all = ""
        dear = "" if self._dear_for_all == self._lifted.get(name) else self._dear_for_all
        most = self._desk.tracker.max_orders_per_run if limit is None else limit
        self._facts[id(run)] = Facts(most, dear=dear, waiting=frozenset(self._unclear))

    def ended(self, run: Run, report: Report | None) -> None:
        """A run is over; None if it was killed."""
        facts, name = self._facts.pop(id(run)), run.machine.name
        self._bounds.ended(run, report)
        if report is None:
            return
        self._learn_price(run, facts)
        self._balance_told = facts.told is not None
        kept_out = "protectedRanges" in self._desk.sheet.attached  # a row's note, too
        if "adopted" in self._world and not (run.people or report.unplaced or kept_out) and reached_the_sheet(report):
            self._told_why(run)
        known = self._newest[name]
        if report.error is None:  # a run that was stopped may not have come to keep what it was told
            known |= {video: max(n, known.get(video, -1)) for video, n in facts.newest.items()}

    def _told_why(self, run: Run) -> None:
        """16: a mark that went without an order leaves a word, unless it has the code that somebody waits for."""
        for row in run.unpaid & self._desk.typed.keys():
            waited_for = self._desk.cell(row, "Spark code") != "" and self._desk.cell(row, "Status") != "finalized"
            if (
                self._desk.cell(row, "Sync note") == ""
                and not waited_for
                and not self._desk.is_hidden(row, "Sync note")
            ):
                self._say("adopted", f"the mark of row {row} was cleared, nothing was ordered, and the row is silent")

    def state_lost(self, name: str) -> None:
        """A machine's ledger is gone or old: it knows what the sheet says."""
        self._bounds.state_lost(name)
        self._dear.pop(name, None)
        self._lifted.pop(name, None)
        self.questions.lost(name)
        self._newest[name].clear()

    def _learn_price(self, run: Run, facts: Facts) -> None:
        if facts.price:
            self._dear.setdefault(run.machine.name, facts.price)
        facts.price = ""

    # --- calls -------------------------------------------------------------------------------------------------------

    def sending(self, run: Run, kind: str, request: Request) -> None:
        """The bytes of a call leave."""
        self.moment()
        facts = self._facts[id(run)]
        self._learn_price(run, facts)  # whatever it was told last, it went on with that
        if kind == "portal.order":
            self._order(run, facts, unquote(request.path.split("/")[4]), request.headers.get("idempotency-key", ""))
        elif kind == "sheets.batchUpdate":
            facts.claims |= _claims(run, request, self._desk)
            if not run.people:
                self._under_a_merge(facts, request)

    def answered(self, run: Run, index: int, kind: str, request: Request) -> None:
        """A call has taken effect; its answer arrives, unless it is lost."""
        call, facts = self._desk.world.calls[index], self._facts[id(run)]
        body = _json(call.body_out) if 200 <= call.status < 300 and index != self._judge.garbled else None
        now = self._desk.world.clock.now()
        self._bounds.answered(run, call, index != self._judge.garbled)
        if kind == "portal.order":
            self._ordered(run, facts, call, request, body)
        if body is None:
            self._unheard(facts, call)
            return
        if kind in ("values.batchGet", "sheets.batchUpdate"):
            facts.seen = now
        if kind == "sheets.batchUpdate" and self._dear.get(run.machine.name) and self._writes_summary(request):
            self._dear_for_all = self._dear_for_all or self._dear[run.machine.name]
        if "allowed" in self._world:
            self._number(run, facts, kind, request, body)
        if kind == "values.batchGet" and facts.first is None:
            facts.first = run.read
        elif kind == "sheets.get":
            facts.merges = list(self._desk.sheet.attached.get("merges", ()))
            facts.locked = {row for row in self._desk.typed if not moves.may_write(self._desk, row)}
        elif kind == "portal.balance":
            told = body["data"].get("total_credits", body["data"].get("credits"))
            facts.told = told if isinstance(told, int) else facts.told
        elif kind == "portal.poll":
            self._polled(run, facts, unquote(call.path.split("/")[4]), body["data"], now)

    @staticmethod
    def _unheard(facts: Facts, call: Call) -> None:
        if call.kind == "portal.poll" and call.status >= 500:
            facts.silent.add(unquote(call.path.split("/")[4]))

    def _number(self, run: Run, facts: Facts, kind: str, request: Request, body: Any) -> None:
        """30: what a run reads of the number in Summary, asks for, and takes."""
        tab = next(sheet for sheet in self._desk.book.sheets if sheet.title == self._desk.tracker.summary_tab)
        if kind == "values.batchGet" and facts.first is None and body["valueRanges"][1:]:
            facts.typed = proxy_approval.typed(dict(enumerate(body["valueRanges"][1].get("values", []))))
        elif kind == "sheets.batchUpdate":
            asked, lines = json.loads(request.body), lines_shown(body).get(tab.sheet_id, {})
            if proxy_approval.is_asked(tab.sheet_id, asked, lines):
                number = proxy_approval.cell(lines, proxy_approval.WAITING)
                self.questions.asked(run.machine.name, number, _wishes(facts))
            elif proxy_approval.is_taking(tab.sheet_id, asked):
                meant = self.questions.taken(run.machine.name)
                is_used = proxy_approval.is_taken(body, lines) and facts.typed == meant.number
                facts.allowed = meant if is_used else NOTHING

    def _under_a_merge(self, facts: Facts, request: Request) -> None:
        """11: what cannot stand in a cell is not written there, again and again."""
        for one in json.loads(request.body)["requests"]:
            for line, column, value in cells_of(one, self._desk.sheet.sheet_id):
                if covered(facts.merges, line, column):
                    self._say("merged", f"{value!r} was written to line {line + 1}, column {column + 1}, under a merge")

    def _polled(self, run: Run, facts: Facts, video: str, told: Any, now: datetime) -> None:
        answer = Answer(told["ad_code_request_id"], told["status"], told["code"]) if told else None
        if self.known_older(run, video, answer):
            return  # no answer
        facts.looked[video] = now
        facts.answers.setdefault(video, answer)
        at = self._index(video, answer.id) if answer else -1
        facts.newest[video] = max(at, facts.newest.get(video, -1))

    def _index(self, video: str, request: str) -> int:
        """Where a request stands among those of its video."""
        return next((n for n, r in enumerate(self._desk.portal.by_video.get(video, ())) if r.id == request), -1)

    def told(self, call: Call) -> AdCodeRequest | None:
        """The request that an answer to a poll names; a replica that lags names an older one."""
        data = json.loads(call.body_out)["data"]
        return self._desk.portal.by_id[data["ad_code_request_id"]] if data else None

    def known_older(self, run: Run, video: str, answer: AdCodeRequest | Answer | None) -> bool:
        """5: whether an answer names an older request than this machine was told of: then it is no answer."""
        at = self._index(video, answer.id) if answer else -1
        return at < max(self._newest[run.machine.name].get(video, -1), self._facts[id(run)].newest.get(video, -1))

    def _ordered(self, run: Run, facts: Facts, call: Call, request: Request, body: Any) -> None:
        video = unquote(request.path.split("/")[4])
        place = (run.machine.name, video)
        if body is None and not 400 <= call.status < 500:
            return
        self._unclear.pop(place, None)
        if body is None:
            self._refused.add(place)
            return
        self._refused.discard(place)
        at = self._index(video, body["data"]["ad_code_request_id"])
        facts.newest[video] = max(at, facts.newest.get(video, -1))
        if call.effect:  # else the answer is one of an earlier time, and so is its balance
            left = body.get("credits_remaining")
            facts.told = left if isinstance(left, int) else facts.told
        if body.get("credits_charged") != PRICE:
            facts.price = f"{video}: {body.get('credits_charged')}"

    # --- orders ------------------------------------------------------------------------------------------------------

    def _order(self, run: Run, facts: Facts, video: str, key: str) -> None:
        now, again = self._desk.world.clock.now(), self._judge.tries[key] > 1
        self._unclear[run.machine.name, video] = key  # until it is answered
        first_in_run = key not in facts.keys
        facts.keys.add(key)
        if self._world & {"claims", "clocks"}:
            self._claimed(facts, video, again, now)
        if self._world & {"balance", "chosen"} and facts.told is not None:
            self._paid_for(run, facts, video)
        if self._world & {"limit", "allowed"} and first_in_run:
            self._within_limit(run, facts, video)
        self._contradicted(run, facts, video, again)
        if self._world & {"protected", "merged"}:
            self._can_be_written(run, facts, video)
        if "suspend" in self._world and now - facts.looked.get(video, now) > MINUTE:
            self._say("suspend", f"an order for {video} was sent {now - facts.looked[video]} after the last look")
        if "formulas" in self._world:
            self._by_hand(run, video)

    def _contradicted(self, run: Run, facts: Facts, video: str, again: bool) -> None:
        """What the machine had been told, or could see, speaks against the order."""
        self._dearer(run, facts, video)
        if "stale" in self._world:
            newest = max(self._newest[run.machine.name].get(video, -1), facts.newest.get(video, -1))
            acted = run.latest.get(video)
            if newest > (self._index(video, acted.id) if acted else -1):
                self._say("stale", f"an order for {video} was sent on {acted}; a newer request had been told")
        if "headers" in self._world and not again and run.read and "Caption final" not in run.read.names:
            self._say("headers", f"an order for {video} was sent while its approval had no column")

    def _dearer(self, run: Run, facts: Facts, video: str) -> None:
        # the Summary tab that keeps it is the judged tracker's: of the other one the ledger alone knows
        told = self._dear.get(run.machine.name) or (facts.dear if video in VIDEOS else "")
        if told and "price" in self._world:
            self._say("price", f"an order for {video} was sent after another price was told ({told})")

    def beside(self, run: Run, moment: str, index: int) -> None:
        """An order of the other tracker: another price locks the orders of both."""
        facts = self._facts[id(run)]
        if moment == "before":
            self._learn_price(run, facts)
            self._dearer(run, facts, "the other tracker")
            return
        call = self._desk.world.calls[index]
        body = _json(call.body_out) if 200 <= call.status < 300 and index != self._judge.garbled else None
        if body and body.get("credits_charged") != PRICE:
            facts.price = f"the other tracker: {body.get('credits_charged')}"

    def _claimed(self, facts: Facts, video: str, again: bool, now: datetime) -> None:
        last = (self._stood if again else self._ready).get(video)
        hole = "claims" if "claims" in self._world else "clocks"
        if last is None or now - last > MINUTE:
            self._say(hole, f"an order for {video} was sent; its mark stood last at {last}, now is {now}")
        elif now - self._shared > MINUTE:
            self._say(hole, f"an order for {video} was sent; the sheet was shared last at {self._shared}, now is {now}")
        elif "claims" in self._world and video not in facts.claims:
            self._say(hole, f"an order for {video} was sent without a claim of this run")
        elif "claims" in self._world and (facts.seen is None or now - facts.seen > MINUTE):
            self._say(hole, f"an order for {video} was sent; the sheet was seen last at {facts.seen}, now is {now}")

    def _paid_for(self, run: Run, facts: Facts, video: str) -> None:
        assert facts.told is not None
        unsettled = run.machine.ledger.known(self._desk.tracker.name).unsettled.keys() - {video}
        if facts.told - PRICE * len(unsettled) < PRICE + self._desk.tracker.keep_credits:
            self._say("balance", f"an order for {video} was sent; told: {facts.told} credits; unsettled: {unsettled}")

    def _within_limit(self, run: Run, facts: Facts, video: str) -> None:
        hole, limit = "limit" if "limit" in self._world else "allowed", max(facts.limit, facts.allowed.number)
        if len(facts.keys) > limit:
            self._say(hole, f"order {len(facts.keys)} of a run that may send {limit}, for {video}")
        wanted = self._would_order(run, facts)
        if len(wanted) > limit:
            self._say(hole, f"an order for {video} was sent; {wanted} would order, the limit is {limit}")
        if len(wanted) > facts.limit and facts.allowed.number and not facts.allowed.is_for(video, _wishes(facts)):
            self._say(hole, f"an order for {video} was sent; the number was for {facts.allowed.wishes}")

    def _would_order(self, run: Run, facts: Facts) -> list[str]:
        """Videos whose mark orders for certain: after table and gates, before credits; silence makes it no less."""
        found = []
        true = {video: _answer(self._desk.portal.latest(video)) for video in facts.silent}
        answers = true | facts.answers
        for video in answers:
            place = (run.machine.name, video)
            if place in facts.waiting or place in self._refused:
                continue  # an order that is not settled, or that was refused, waits
            rows = list(_rows(facts.first, video))
            marked = [row for row in rows if text(row[ACTION])]
            if not marked or video not in VIDEOS or self._is_served(facts, marked[0]):
                continue
            if answers[video] is None and any(text(row["Request ID"]) for row in rows):
                continue  # a row speaks against TokPortal
            if _orders(marked[0], answers[video], facts.locked):
                found.append(video)
        return found

    def _is_served(self, facts: Facts, row: dict[str, Any]) -> bool:
        """Whether the mark of a row was charged already: one that could not be cleared is no new wish."""
        wishes = facts.first.wishes.get(row[ROW], []) if facts.first else []
        return _is_told_done(row) or bool(wishes and wishes[-1].served)

    def _can_be_written(self, run: Run, facts: Facts, video: str) -> None:
        rows = {text(row[ROW]) for row in _rows(run.read, video)}
        if rows and rows <= facts.locked:
            self._say("protected", f"an order for {video} was sent; rows {sorted(rows)} could not be written")

    def _by_hand(self, run: Run, video: str) -> None:
        marked = [row for row in _rows(run.read, video) if text(row[ACTION]).casefold() in ORDERING]
        if marked and all(row[FORMULA] for row in marked):
            self._say("formulas", f"an order for {video} was sent for a mark that a formula makes")

    def _say(self, switch: str, what: str) -> None:
        self._judge.say(100 + wider.HOLES[switch], what)

    # --- the end -----------------------------------------------------------------------------------------------------

    def finished(self) -> None:
        """What must be so when faults have stopped."""
        if "strays" in self._world and not self._judge.lost:
            self._strays()
        if "clocks" in self._world and self._balance_told:
            self._settled()
        if "tabs" in self._world:
            for sheet, was, tokens in self._desk.put_away:
                self._put_away(sheet, was, tokens)

    def _strays(self) -> None:
        """15: in a row that never had a video id stands nothing but what people typed."""
        for row in self._desk.typed.keys() - self._keyed:
            for token in MACHINE:
                cell = self._desk.cell(row, token)
                if cell != "" and (token, cell) not in self._desk.rubbish.get(row, ()):
                    self._say("strays", f"nobody typed {cell!r} into {token} of row {row}, which has no video id")

    def _put_away(self, sheet: Sheet, was: list[Any], tokens: list[str]) -> None:
        """12: into a tab that was put away a run may finish what it wrote there; nothing lands in a wrong place."""
        key, told = tokens.index(KEY), tokens.index("Request ID")
        for number, line in enumerate(sheet.rows):
            before = was[number] if number < len(was) else []
            video = text(shown(line[key])) if key < len(line) else ""
            row = text(shown(before[tokens.index(ROW)])) if before else ""
            for column, cell in enumerate(line):
                old, new = shown(before[column]) if column < len(before) else "", shown(cell)
                token = tokens[column] if column < len(tokens) else ""
                theirs = token not in (*MACHINE, ACTION) or not video or number == 0
                request = self._desk.portal.by_id.get(text(new)) if column == told else None
                is_put_right = new in self._judge.either.get((row, token), ())  # as before a write hit it by mistake
                # what nobody typed into a row without a video id had landed there by mistake
                is_put_right |= new == "" and token in MACHINE and (token, old) not in self._desk.rubbish.get(row, ())
                if new != old and not is_put_right and (theirs or (request and request.video_id != video)):
                    self._say("tabs", f"{sheet.title}, row {number + 1}, {token}: {old!r} became {new!r}")

    def _settled(self) -> None:
        """9: an order of which nobody knew what became is settled in the end: its mark does not wait for it."""
        now = Read(list(self._desk.sheet.rows), self._desk.header_tokens(), {}, {}, frozenset(self._desk.names))
        for (name, video), key in self._unclear.items():
            marked = [row for row in _rows(now, video) if text(row[ACTION])]
            latest = self._desk.portal.latest(video)
            if not marked or video not in VIDEOS or (latest and latest.idempotency_key == key):
                continue
            happened = any(request.idempotency_key == key for request in self._desk.portal.by_id.values())
            if happened and _is_told_done(marked[0]):
                continue  # a later order served this mark, which could not be cleared: it waits for nothing
            if _orders(marked[0], _answer(latest), set()):
                self._say("clocks", f"the order of {name} for {video} whose answer was lost was never settled")

    def _writes_summary(self, request: Request) -> bool:
        tabs = [sheet.sheet_id for sheet in self._desk.book.sheets if sheet.title == self._desk.tracker.summary_tab]
        return any(list(cells_of(one, tab)) for tab in tabs for one in json.loads(request.body)["requests"])


def _rows(read: Read | None, video: str) -> Iterator[dict[str, Any]]:
    """The rows of a video as they were read, each with whether a formula makes its mark and its approval is there."""
    for line in range(1, len(read.lines)) if read else ():
        if read and read.key(line) == video:
            at = read.tokens.index(ACTION)
            cell = read.lines[line][at] if at < len(read.lines[line]) else None
            made = {FORMULA: cell is not None and isinstance(cell.value, Formula)}
            seen = {token: read.at(line, n) for n, token in enumerate(read.tokens)}
            yield {**seen, **made, OPEN: gates_open(seen, read.names) and "Caption final" in read.names}


def _is_told_done(row: dict[str, Any]) -> bool:
    """Whether its note says that the mark was served and stayed: before another, a run has to see Action empty."""
    return text(row.get("Sync note", "")).startswith("This mark is done")


def _wishes(facts: Facts) -> Wishes:
    """The marks of each video that TokPortal told this run about, with its latest request."""
    told = {video: answer.id if answer else "" for video, answer in facts.answers.items()}
    marks = {video: [text(row[ACTION]).casefold() for row in _rows(facts.first, video)] for video in told}
    return {video: {(mark, told[video]) for mark in marks[video] if mark} for video in told}


def _answer(request: AdCodeRequest | None) -> Answer | None:
    return Answer(request.id, request.status, request.code) if request else None


def _orders(row: dict[str, Any], latest: Answer | None, locked: set[str]) -> bool:
    """Whether the mark of a row orders: after the table and the gates, before credits."""
    mark = text(row[ACTION]).casefold()
    free = row[OPEN] and not row[FORMULA] and text(row[ROW]) not in locked
    return free and mark in ORDERING and due(mark, id_in(row["Request ID"]), latest)


def _claims(run: Run, request: Request, desk: Desk) -> set[str]:
    """Videos into whose rows, as the run read them, a write puts `ordering`."""
    if run.read is None:
        return set()
    at, found, tab = run.read.tokens, set(), run.tab or desk.sheet  # its own, also once it is put away
    for one in json.loads(request.body)["requests"]:
        for line, column, value in cells_of(one, tab.sheet_id):
            if column < len(at) and at[column] == "Status" and value == "ordering":
                found.add(run.read.key(line))
    return found


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
