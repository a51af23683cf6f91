"""Tests of the tests, by promise: for each invariant of every history a bug is planted, and found (`planting.py`)."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from histories.planting import Bug, Patch
from sheetsync import notes
from sheetsync.ledger import rows
from sheetsync.ledger.recorder import Recorder
from sheetsync.model import Intent, Mark
from sheetsync.plan import marks
from sheetsync.plan.due import due
from sheetsync.plan.situation import Situation
from sheetsync.projection import cells, in_use, window
from sheetsync.sheet import edits, writing
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.edits import SetCell
from sheetsync.steps import Adopt, Order
from sheetsync.sync import execute, run
from sheetsync.sync.execute import Executor
from sheetsync.tokportal.client import TokPortal

pytestmark = pytest.mark.long

log = logging.getLogger(__name__)


def order_without_compare(patch: Patch) -> None:
    """Orders whatever TokPortal's latest request is: the row is not compared, and nobody looks again."""
    decide = marks._decide

    def careless(row: Any, mark: Mark, latest: Any, world: Any) -> Any:
        step = decide(row, mark, latest, world)
        if mark is Mark.RENEW and latest and isinstance(step, Adopt):
            return Order(row.key, row.number, mark, latest.id, "{}")
        return step

    patch.setattr(marks, "_decide", careless)


def order_upon_an_open_request(patch: Patch) -> None:
    """A renewal does not wait for the request that is still open: not in the plan, and not at the last look."""
    decide, compare = marks._decide, Executor._compare

    def impatient(row: Any, mark: Mark, latest: Any, world: Any) -> Any:
        if mark is Mark.RENEW and latest and latest.is_open and row.text("request_id") == latest.id:
            return Order(row.key, row.number, mark, latest.id, "{}")
        return decide(row, mark, latest, world)

    def by_id_alone(self: Executor, step: Order) -> bool:
        look = self._look(step.video_id)
        return compare(self, step) or (look is not None and look.id == step.previous_id)

    patch.setattr(marks, "_decide", impatient)
    patch.setattr(Executor, "_compare", by_id_alone)


def no_look_before_the_order(patch: Patch) -> None:
    """The order trusts the observation of a while ago."""

    def blind(self: Executor, video_id: str) -> Any:
        entry = self.known.latest.get(video_id)
        return entry.request if entry else None

    patch.setattr(Executor, "_look", blind)


def intent_after_the_order(patch: Patch) -> None:
    """The intent reaches the disk when the answer is there."""

    def sent_first(self: Executor, step: Any) -> Intent:
        intent = Executor_intent(self, step)
        self.recorder._db.execute("UPDATE intent SET state = 'lapsed' WHERE id = ?", intent.id)
        return intent

    Executor_intent = Executor._intent
    patch.setattr(Executor, "_intent", sent_first)


def another_key_for_an_uncertain_order(patch: Patch) -> None:
    """An order without a clear answer is sent again at once, with another key."""
    order = TokPortal.order

    def again(self: TokPortal, video_id: str, body: str, key: str, not_after: float) -> Any:
        try:
            return order(self, video_id, body, key, not_after)
        except execute.CallUncertain:
            return order(self, video_id, body, key + "x", not_after)

    patch.setattr(TokPortal, "order", again)


def no_claim(patch: Patch) -> None:
    """Orders are sent without a word in the sheet."""

    def unwritten(self: Executor, orders: Any, snapshot: Any) -> Any:
        rows = {row.key: row for row in snapshot.rows}
        self.claimed, self.claimed_at = {step.video_id: rows[step.video_id] for step in orders}, self.clock.monotonic()
        return snapshot

    patch.setattr(Executor, "_claim", unwritten)
    patch.setattr(Executor, "_seen_again", lambda self, newest: newest)


def write_without_verify(patch: Patch) -> None:
    """Nobody looks where a write landed."""
    patch.setattr(writing, "landed_right", lambda *_: True)


def mark_cleared_in_a_call_of_its_own(patch: Patch) -> None:
    """The row is written first, and its mark cleared by a second call: between them it looks like a new wish."""
    send = SheetsAPI.update

    def twice(self: SheetsAPI, spreadsheet: str, body: Any, fields: str) -> Any:
        clears = [request for request in body["requests"] if "findReplace" in request]
        if not clears or len(clears) == len(body["requests"]):
            return send(self, spreadsheet, body, fields)
        rest = [request for request in body["requests"] if request not in clears]
        answer = send(self, spreadsheet, {**body, "requests": rest}, fields)
        send(self, spreadsheet, {**body, "requests": clears}, fields)
        return answer

    patch.setattr(SheetsAPI, "update", twice)


def mark_cleared_though_it_waits(patch: Patch) -> None:
    """A mark that is held is taken away."""
    target = cells._target

    def tidy(row: Any, *more: Any) -> Any:
        found = target(row, *more)
        return replace(found, clear_mark=found.clear_mark or bool(row.text("action") == "correct"))

    patch.setattr(cells, "_target", tidy)


def served_although_refused(patch: Patch) -> None:
    """A refused order counts as done."""
    refused = Executor._refused

    def cheerful(self: Executor, step: Any, intent: Intent, no: Any) -> None:
        refused(self, step, intent, no)
        self.report.served[step.video_id] = step.mark

    patch.setattr(Executor, "_refused", cheerful)


def person_cell_overwritten(patch: Patch) -> None:
    """The feedback that was reported is emptied."""
    edits_for = writing.edits_for

    def tidy(snapshot: Any, found: Any, now: Any) -> Any:
        wanted = list(found)
        done = edits_for(snapshot, wanted, now)
        column = snapshot.columns.get("feedback")
        numbered = {t.row.number: t.row for t in wanted if t.values.get("status") == "pending_corrections"}
        return (
            *done,
            *(SetCell(n, column, row.key, "") for n, row in numbered.items() if column and row.text("feedback")),
        )

    patch.setattr(writing, "edits_for", tidy)


def put_back_forgotten(patch: Patch) -> None:
    """What a killed run hit by mistake is never looked for: the journal is not read."""
    patch.setattr(Recorder, "pending_write", lambda self: None)


def codes_forgotten(patch: Patch) -> None:
    """A new code takes the place of the old one, and no event tells of it."""
    merged = rows.merged
    patch.setattr(rows, "merged", lambda old, new: merged(old, replace(new, request=replace(new.request, code=None))))


def write_every_run(patch: Patch) -> None:
    """Every run writes the time of its look."""
    patch.setattr(edits, "says", lambda cell, value, zone: False)


def notes_dropped(patch: Patch) -> None:
    """What is held says nothing."""
    patch.setattr(cells, "_note", lambda *_: "")


def note_dropped_for_an_unknown_mark(patch: Patch) -> None:
    """One kind of hold is forgotten."""
    make = marks.make_plan

    def silent(world: Situation) -> Any:
        found = make(world)
        held = tuple(hold for hold in found.holds if not hold.reason.startswith("Nothing to renew"))
        return replace(found, holds=held)

    patch.setattr(run, "make_plan", silent)


def holds_without_a_key_unnamed(patch: Patch) -> None:
    """A marked row without a video id is passed over."""
    make = marks.make_plan

    def silent(world: Situation) -> Any:
        found = make(world)
        return replace(found, holds=tuple(hold for hold in found.holds if hold.video_id))

    patch.setattr(run, "make_plan", silent)


def open_requests_not_polled(patch: Patch) -> None:
    """Only marked rows are looked at: codes never arrive."""

    def marked_only(rows: Any, known: Any, *more: Any) -> Any:
        return due([row for row in rows if row.mark], replace(known, latest={}), *more)

    patch.setattr(run, "due", marked_only)


def claim_left_behind(patch: Patch) -> None:
    """A claim of an order that came to nothing stays."""
    say = cells._cells

    def forgetful(context: Any, found: Any) -> Any:
        return {} if context.entry is None else say(context, found)

    patch.setattr(cells, "_cells", forgetful)


def code_logged(patch: Patch) -> None:
    """The log tells too much."""
    observe = Recorder.observe

    def talkative(self: Recorder, requests: Any) -> int:
        seen = list(requests)
        for request in seen:
            log.info("video %s has %s", request.video_id, request)
        return observe(self, seen)

    patch.setattr(Recorder, "observe", talkative)


def key_in_an_error(patch: Patch) -> None:
    """An error quotes what was sent."""
    credentials = TokPortal._credentials
    patch.setattr(
        TokPortal,
        "_credentials",
        lambda self, response: type(credentials(self, response))(f"no entry with {self._key}"),
    )


def a_traceback(patch: Patch) -> None:
    """A status nobody knows is not expected."""
    request_cells = cells._request_cells

    def strict(context: Any, entry: Any, used: Any) -> Any:
        if entry.request.status not in cells.STATUSES:
            raise KeyError(entry.request.status)
        return request_cells(context, entry, used)

    patch.setattr(cells, "_request_cells", strict)


def renewal_wipes_the_code(patch: Patch) -> None:
    """A row shows the code of its latest request, or none."""

    def latest_alone(context: Any) -> Any:
        return tuple(code for code in codes(context) if code.entry is context.entry)

    codes = cells.codes
    patch.setattr(cells, "codes", latest_alone)
    patch.setattr(cells, "in_use", lambda found: next(iter(found), None))


def other_codes_unnamed(patch: Patch) -> None:
    """A row says nothing of the codes that it does not show."""
    patch.setattr(notes, "others_run", lambda ends: "")


def cancelled_code_stays(patch: Patch) -> None:
    """A code whose request was cancelled goes on being shown."""
    usable = window.usable_code
    patch.setattr(in_use, "usable_code", lambda request: request.code or usable(request))
    patch.setattr(cells, "_is_dead", lambda *_: False)


def cancelled_code_without_a_word(patch: Patch) -> None:
    """A code that was cancelled goes, and nobody is told to stop the ads that use it."""
    patch.setattr(cells, "_is_dead", lambda *_: False)


BUGS = {
    "order without compare": Bug(order_without_compare, (1,)),
    "order upon an open request": Bug(order_upon_an_open_request, (1, 2)),
    "no look before the order": Bug(no_look_before_the_order, (1,)),
    "intent after the order": Bug(intent_after_the_order, (1,)),
    "uncertain order sent again with another key": Bug(another_key_for_an_uncertain_order, (1,), since=96),
    "order without claim": Bug(no_claim, (1,)),
    "write without verify": Bug(write_without_verify, (3,)),
    "mark cleared in a separate call": Bug(mark_cleared_in_a_call_of_its_own, (1, 3, 7)),
    "mark cleared though it waits": Bug(mark_cleared_though_it_waits, (3,)),
    "mark cleared though refused": Bug(served_although_refused, (3,)),
    "person cell overwritten": Bug(person_cell_overwritten, (3,)),
    "journal not read": Bug(put_back_forgotten, (3, 7), since=70),
    "codes forgotten": Bug(codes_forgotten, (4,)),
    "write every run": Bug(write_every_run, (5,)),
    "notes dropped": Bug(notes_dropped, (6,)),
    "one note dropped": Bug(note_dropped_for_an_unknown_mark, (6,)),
    "row without a key not named": Bug(holds_without_a_key_unnamed, (6,)),
    "open requests not polled": Bug(open_requests_not_polled, (7,)),
    "claim left behind": Bug(claim_left_behind, (7,), since=42),
    "code logged": Bug(code_logged, (8,)),
    "key in an error": Bug(key_in_an_error, (8,)),
    "traceback": Bug(a_traceback, (0,), since=152),
    "renewal wipes the code": Bug(renewal_wipes_the_code, (9,)),
    "other codes unnamed": Bug(other_codes_unnamed, (9,)),
    "cancelled code stays": Bug(cancelled_code_stays, (9,)),
    "cancelled code without a word": Bug(cancelled_code_without_a_word, (9,)),
}


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, monkeypatch: Patch) -> None:
    """By the machine itself, within CI's budget."""
    assert BUGS[name].is_found(monkeypatch)


def test_every_invariant_has_been_seen_to_fail() -> None:
    """Each of the nine, and the rule that there is never a traceback."""
    assert {bug.breaks[0] for bug in BUGS.values()} | {2} == set(range(10))
