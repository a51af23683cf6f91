"""What a run records is remembered, and forgotten neither in part nor in a crash."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from ledger_calls import LATER, NOW, PAUSE, begin, kinds, python, recorder, request

from sheetsync.ledger.recorder import RUNS_KEPT
from sheetsync.ledger.store import Ledger
from sheetsync.model import Entry, IntentState, Known, Mark, Origin, Price, Typed
from sheetsync.steps import Memory, RowSeen, TypedValue


class TestObserving:
    def test_empty_ledger(self, ledger: Ledger) -> None:
        """A tracker of which nothing is known is known as nothing."""
        assert ledger.known("acme") == Known()

    def test_request_seen_first(self, ledger: Ledger) -> None:
        """What nobody told us about is found, with its charge unknown, and every field comes back as it was told."""
        told = request(code="#abc", platform="tiktok", note="n", created_at=NOW, submitted_at=NOW, delivered_at=LATER)
        assert recorder(ledger).observe([told]) == 1
        entry = ledger.known("acme").latest["v1"]
        assert entry.request == told
        assert (entry.origin, entry.credits_charged, entry.seen_at) == (Origin.FOUND, None, NOW)
        assert kinds(ledger) == ["found", "code"]

    def test_nothing_new(self, ledger: Ledger) -> None:
        """An unchanged request is seen again without an event."""
        recorder(ledger).observe([request()])
        assert recorder(ledger, LATER, "run2").observe([request()]) == 0
        assert ledger.known("acme").latest["v1"].seen_at == LATER
        assert kinds(ledger) == ["found"]

    def test_nothing_observed(self, ledger: Ledger) -> None:
        """A run that observed nothing writes nothing."""
        assert recorder(ledger).observe([]) == 0

    def test_status_and_code_change(self, ledger: Ledger) -> None:
        """Each change is an event that says from what to what, and in which run."""
        recorder(ledger).observe([request()])
        assert recorder(ledger, LATER, "run2").observe([request(status="finalized", code="#abc")]) == 1
        status, code = ledger.history("v1")[1:]
        assert (status.at, status.run_id, status.kind) == (LATER, "run2", "status")
        assert status.detail == {"request_id": "r1", "from": "pending", "to": "finalized"}
        assert (code.kind, code.detail) == ("code", {"request_id": "r1", "code": "#abc"})

    def test_answer_leaves_fields_out(self, ledger: Ledger) -> None:
        """What is known is never overwritten by nothing."""
        full = request(code="#abc", note="n", platform="tiktok", created_at=NOW, submitted_at=NOW, delivered_at=NOW)
        recorder(ledger).observe([full])
        assert recorder(ledger, LATER, "run2").observe([request(status="in_review")]) == 0
        assert ledger.known("acme").latest["v1"].request == replace(full, status="in_review")

    def test_code_replaced(self, ledger: Ledger) -> None:
        """After a correction both codes stay in the ledger, the new one as the request's."""
        for code in ("#old", "#new"):
            assert recorder(ledger).observe([request(code=code)]) == 1
        (generation,) = ledger.entries("v1")
        assert generation.entry.request.code == "#new"
        assert generation.codes == ((NOW, "#old"), (NOW, "#new"))

    def test_newer_request(self, ledger: Ledger) -> None:
        """The latest is what TokPortal says now; the earlier request and its code stay."""
        recorder(ledger).observe([request("r1", code="#1", created_at=NOW)])
        recorder(ledger, LATER, "run2").observe([request("r2", created_at=LATER)])
        assert ledger.known("acme").latest["v1"].request.id == "r2"
        assert [(g.entry.request.id, [c for _, c in g.codes]) for g in ledger.entries("v1")] == [
            ("r1", ["#1"]),
            ("r2", []),
        ]

    def test_latest_goes_back(self, ledger: Ledger) -> None:
        """When TokPortal names an earlier request again, that one is the latest."""
        for id in ("r1", "r2", "r1"):
            recorder(ledger).observe([request(id)])
        assert ledger.known("acme").latest["v1"].request.id == "r1"

    def test_half_a_surrogate_pair(self, ledger: Ledger) -> None:
        """A text that no database can hold does not stop the run."""
        recorder(ledger).observe([request(note="a\ud800b é")])
        assert ledger.known("acme").latest["v1"].request.note == "a?b é"

    def test_other_zone(self, ledger: Ledger) -> None:
        """Instants come out in UTC, whatever zone they were told in."""
        told = NOW.astimezone(timezone(timedelta(hours=2)))
        recorder(ledger, told).observe([request(created_at=told)])
        created = ledger.known("acme").latest["v1"].request.created_at
        assert created == NOW
        assert created.tzinfo is UTC

    def test_naive_instant(self, ledger: Ledger) -> None:
        """An instant without a zone is a mistake, and leaves nothing behind."""
        with pytest.raises(ValueError, match="no time zone"):
            recorder(ledger).observe([request(), request("r2", created_at=NOW.replace(tzinfo=None))])
        assert ledger.known("acme") == Known()


class TestOrdering:
    def test_intent_begins(self, ledger: Ledger) -> None:
        """An intent is unsettled until its outcome is known, and each has a key of its own."""
        first, second = begin(ledger, "v1"), begin(ledger, "v2")
        assert ledger.known("acme").unsettled == {"v1": first, "v2": second}
        assert first.state is IntentState.SENDING
        assert first.idempotency_key != second.idempotency_key
        assert first.id != second.id

    def test_second_intent_for_a_video(self, ledger: Ledger) -> None:
        """Two orders for one video can never be under way."""
        intent = begin(ledger)
        recorder(ledger).uncertain(intent, "timeout")
        with pytest.raises(ValueError, match="unsettled"):
            begin(ledger)
        assert ledger.known("acme").unsettled == {"v1": replace(intent, state=IntentState.UNCERTAIN)}

    def test_database_holds_the_rule_too(self, path: Path) -> None:
        """Even a second program that does not ask first cannot put a second unsettled intent into the file."""
        with Ledger(path) as ledger:
            begin(ledger)
        with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError):
            raw.execute(
                """INSERT INTO intent SELECT id + 1, tracker, video_id, mark, previous_id, 'other key', body, run_id,
                created_at, 'uncertain' FROM intent"""
            )
        raw.close()

    def test_accepted(self, ledger: Ledger) -> None:
        """An accepted order settles the intent; the request is the latest, with what it cost and left."""
        intent = begin(ledger)
        recorder(ledger, LATER).accepted(intent, request(), 7, 93)
        known = ledger.known("acme")
        entry = known.latest["v1"]
        assert known.unsettled == {}
        assert (entry.request.id, entry.origin, entry.credits_charged, entry.credits_left) == (
            "r1",
            Origin.ORDERED,
            7,
            93,
        )
        assert kinds(ledger) == ["intent", "ordered"]
        assert ledger.history("v1")[1].detail["credits_charged"] == 7

    def test_ordered_request_observed(self, ledger: Ledger) -> None:
        """An observation changes neither the origin nor the credits of what we ordered."""
        recorder(ledger).accepted(begin(ledger), request(), 7, 93)
        recorder(ledger, LATER, "run2").observe([request(status="finalized", code="#abc")])
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged, entry.credits_left) == (Origin.ORDERED, 7, 93)
        assert kinds(ledger) == ["intent", "ordered", "status", "code"]

    def test_resend(self, ledger: Ledger) -> None:
        """Sent again: same key and body, but the wait before the next look begins anew."""
        intent = begin(ledger)
        recorder(ledger).uncertain(intent, "timeout")
        again = recorder(ledger, LATER, "run2").resending(intent)
        assert again == replace(intent, run_id="run2", created_at=LATER)
        assert ledger.known("acme").unsettled == {"v1": again}
        assert [(e.kind, e.run_id) for e in ledger.history("v1")][2:] == [("resend", "run2")]

    def test_lapse(self, ledger: Ledger) -> None:
        """An intent given up makes room for the next, and stays in the history."""
        recorder(ledger, run_id="run2").lapse(begin(ledger))
        assert ledger.known("acme").unsettled == {}
        begin(ledger)
        assert kinds(ledger) == ["intent", "lapsed", "intent"]

    def test_failure_within_a_transaction(self, ledger: Ledger) -> None:
        """An outcome is recorded wholly or not at all."""
        intent = begin(ledger)
        with pytest.raises(ValueError, match="no time zone"):
            recorder(ledger).accepted(intent, request(created_at=NOW.replace(tzinfo=None)), 7, 93)
        assert ledger.known("acme").unsettled == {"v1": intent}
        assert kinds(ledger) == ["intent"]


class TestAdopting:
    @pytest.mark.parametrize("found_before", [False, True])
    def test_mark_meets_a_request(self, ledger: Ledger, found_before: bool) -> None:
        """An adopted request bears its origin, whether or not it had been found before."""
        if found_before:
            recorder(ledger).observe([request()])
        recorder(ledger, LATER, "run2").adopt(request(), Origin.ADOPTED_OPEN)
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged) == (Origin.ADOPTED_OPEN, None)
        assert ledger.history("v1")[-1].detail == {"request_id": "r1", "origin": "adopted open"}

    def test_own_order_adopted(self, ledger: Ledger) -> None:
        """What we ordered keeps its credits when another mark meets it; finding it again changes nothing."""
        recorder(ledger).accepted(begin(ledger), request(), 7, 93)
        recorder(ledger, LATER, "run2").adopt(request(), Origin.ADOPTED_EXISTING)
        recorder(ledger, LATER, "run2").observe([request()])
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged) == (Origin.ADOPTED_EXISTING, 7)

    @pytest.mark.parametrize("found_before", [False, True])
    def test_lost_answer_explained(self, ledger: Ledger, found_before: bool) -> None:
        """The order whose answer was lost did happen: ordered by us, charged once, and the amount is assumed."""
        intent = begin(ledger)
        recorder(ledger).uncertain(intent, "timeout")
        if found_before:
            recorder(ledger, run_id="run2").observe([request()])
        recorder(ledger, LATER, "run2").adopt(request(code="#abc"), Origin.ADOPTED_OPEN, settles=intent)
        known = ledger.known("acme")
        assert known.unsettled == {}
        assert (known.latest["v1"].origin, known.latest["v1"].credits_charged) == (Origin.ORDERED, 7)
        adopted = next(event for event in ledger.history("v1") if event.kind == "adopted")
        assert adopted.detail["credits_assumed"] is True
        assert kinds(ledger)[-1] == "code"

    def test_charge_already_told(self, ledger: Ledger) -> None:
        """A charge that an answer told is kept, and nothing is assumed."""
        intent = begin(ledger)
        recorder(ledger).accepted(intent, request(), 5, 93)
        recorder(ledger, LATER, "run2").adopt(request(), Origin.ADOPTED_OPEN, settles=intent)
        assert ledger.known("acme").latest["v1"].credits_charged == 5
        assert ledger.history("v1")[-1].detail["credits_assumed"] is False


class TestRefusals:
    def refuse(self, ledger: Ledger, text: str, status: int = 422, mark: Mark = Mark.REQUEST) -> None:
        recorder(ledger).refused(begin(ledger, mark=mark), status, text, PAUSE)

    def test_refused(self, ledger: Ledger) -> None:
        """A definite no settles the intent and is known until the mark is served."""
        self.refuse(ledger, "not authorized")
        known = ledger.known("acme")
        refusal = known.refusals["v1"]
        assert known.unsettled == {}
        assert (refusal.mark, refusal.http_status, refusal.text, refusal.attempts, refusal.retry_at) == (
            *(Mark.REQUEST, 422, "not authorized", 1, LATER),
        )

    def test_refused_again(self, ledger: Ledger) -> None:
        """The same no with another support id counts on, and the row's note stays as it is."""
        self.refuse(ledger, "not authorized (support id a)")
        self.refuse(ledger, "not authorized (support id b)")
        refusal = ledger.known("acme").refusals["v1"]
        assert (refusal.text, refusal.attempts) == ("not authorized (support id a)", 2)
        assert ledger.history("v1")[-1].detail["text"] == "not authorized (support id b)"

    @pytest.mark.parametrize(("text", "status"), [("another reason", 422), ("not authorized", 403)])
    def test_refused_otherwise(self, ledger: Ledger, text: str, status: int) -> None:
        """Another no to the same mark shows its own text, and still counts on."""
        self.refuse(ledger, "not authorized")
        self.refuse(ledger, text, status)
        refusal = ledger.known("acme").refusals["v1"]
        assert (refusal.text, refusal.http_status, refusal.attempts) == (text, status, 2)

    def test_another_mark_refused(self, ledger: Ledger) -> None:
        """Another mark counts from one."""
        self.refuse(ledger, "no")
        self.refuse(ledger, "no", mark=Mark.RENEW)
        assert ledger.known("acme").refusals["v1"].attempts == 1

    def test_served_in_the_end(self, ledger: Ledger) -> None:
        """A mark that was served leaves no refusal behind, be it by an order or by an adoption."""
        self.refuse(ledger, "no")
        recorder(ledger).accepted(begin(ledger), request(), 7, 93)
        assert ledger.known("acme").refusals == {}
        self.refuse(ledger, "no", mark=Mark.RENEW)
        recorder(ledger, run_id="run2").adopt(request("r2"), Origin.ADOPTED_RENEWED)
        assert ledger.known("acme").refusals == {}

    def test_mark_withdrawn(self, ledger: Ledger) -> None:
        """When the mark is gone its refusal is forgotten; others stay."""
        self.refuse(ledger, "no")
        recorder(ledger).refused(begin(ledger, "v2"), 422, "no", PAUSE)
        recorder(ledger).forget_refusals(["v1", "unknown"])
        recorder(ledger).forget_refusals([])
        assert set(ledger.known("acme").refusals) == {"v2"}


class TestCorrections:
    def test_correction_sent(self, ledger: Ledger) -> None:
        """The code that was reported is remembered once the correction was taken, not before."""
        bad = request(status="finalized", code="#bad")
        recorder(ledger).correcting(bad, "does not scan")
        recorder(ledger).corrected(bad)
        recorder(ledger, LATER).corrected(replace(bad, code="#worse"))
        assert kinds(ledger) == ["correction intent", "correction sent", "correction sent"]

    def test_correction_refused(self, ledger: Ledger) -> None:
        """A refused correction waits like a refused order, and a later success ends that."""
        for _ in range(2):
            recorder(ledger).correction_failed(request(), 409, "no", PAUSE)
        refusal = ledger.known("acme").refusals["v1"]
        assert (refusal.mark, refusal.http_status, refusal.attempts) == (Mark.CORRECT, 409, 2)
        recorder(ledger, LATER).corrected(request(code="#bad"))
        assert ledger.known("acme").refusals == {}


class TestKept:
    def test_sheet_write(self, ledger: Ledger) -> None:
        """A sheet write is pending from its beginning to its verification."""
        assert recorder(ledger).pending_write() is None
        recorder(ledger).begin_write("one")
        recorder(ledger).begin_write("two")
        assert recorder(ledger).pending_write() == "two"
        recorder(ledger).end_write()
        assert recorder(ledger).pending_write() is None

    def test_old_runs(self, path: Path) -> None:
        """Summaries do not pile up for ever; how many runs there were only ever grows, as a counter has to."""
        after = NOW + RUNS_KEPT + timedelta(seconds=1)
        with Ledger(path) as ledger:
            for turn, (at, exit_code) in enumerate([(NOW, 0), (NOW, 1), (after, 0), (after + RUNS_KEPT, 0)]):
                recorder(ledger, LATER, f"run{turn}").record_run(at, exit_code, "")
            recorder(ledger, LATER, "run4").record_run(after + RUNS_KEPT * 2, 1, "")
            assert ledger.runs_by_exit_code("acme") == {0: 3, 1: 2}
        with sqlite3.connect(path) as raw:
            assert raw.execute("SELECT run_id FROM run").fetchall() == [("run3",), ("run4",)]
        raw.close()

    def test_killed_right_after_the_intent(self, path: Path) -> None:
        """Once begin has returned, no crash can forget that an order may have been sent."""
        child = python(
            """
            import os, signal, sys
            from pathlib import Path
            from sheetsync.clock import Clock
            from sheetsync.ledger.store import Ledger
            from sheetsync.model import Mark
            recorder = Ledger(Path(sys.argv[1])).recorder("acme", "run1", Clock())
            print(recorder.begin("v1", Mark.RENEW, "r0", '{"a": 1}').idempotency_key)
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
            """,
            path,
        )
        key = child.communicate()[0].strip()
        assert child.returncode == -9
        with Ledger(path) as ledger:
            intent = ledger.known("acme").unsettled["v1"]
        assert (intent.idempotency_key, intent.body, intent.previous_id) == (key, '{"a": 1}', "r0")


class TestClockSetBack:
    """Instants that were recorded before the machine's clock was set back lie in the future."""

    def test_they_are_now(self, ledger: Ledger) -> None:
        """An uncertain order would stay so, and a refused mark rest, until the clock came there again."""
        recorder(ledger, LATER + timedelta(days=1)).observe([request()])
        intent = recorder(ledger, LATER + timedelta(days=1)).begin("v1", Mark.REQUEST, None, "{}")
        recorder(ledger, LATER + timedelta(days=1)).uncertain(intent, "lost")
        recorder(ledger, LATER + timedelta(days=1)).rest("v2", Mark.RENEW, "why", PAUSE)
        recorder(ledger, LATER).looked(["v1"])
        recorder(ledger).correct_future()
        known = ledger.known("acme")
        assert known.looked == {"v1": NOW}
        assert (known.unsettled["v1"].created_at, known.latest["v1"].seen_at) == (NOW, NOW)
        assert known.refusals["v2"].retry_at == NOW + timedelta(hours=6)

    def test_runs_too(self, ledger: Ledger) -> None:
        """Else the last run, good or not, were for hours the one that the wrong clock saw, and no tracker due."""
        recorder(ledger, LATER, "wrong").record_run(LATER, 0, "{}")
        recorder(ledger).correct_future()
        assert ledger.last_begun() == {"acme": NOW}
        assert ledger.last_good_run("acme") == NOW
        soon = NOW + timedelta(seconds=3)
        recorder(ledger, soon, "right").record_run(NOW - timedelta(seconds=2), 1, "{}")
        last, good = ledger.last_run("acme"), ledger.last_run("acme", is_good=True)
        assert last
        assert good
        assert (last.run_id, last.finished_at, good.run_id, good.finished_at) == ("right", soon, "wrong", NOW)

    def test_others_stay(self, ledger: Ledger) -> None:
        """What lies in the past is as it was."""
        recorder(ledger).observe([request()])
        recorder(ledger, LATER).correct_future()
        assert ledger.known("acme").latest["v1"].seen_at == NOW


class TestServed:
    def test_until_it_is_cleared(self, ledger: Ledger) -> None:
        """A mark that is done is remembered with the request that its row shows since."""
        recorder(ledger).served("v1", Mark.RENEW, "r2")
        assert ledger.known("acme").served == {"v1": ("renew", "r2")}
        recorder(ledger).cleared(["v1", "v9"])
        assert ledger.known("acme").served == {}


class TestPrice:
    def test_locked_and_accepted(self, ledger: Ledger) -> None:
        """Per API key, not per tracker."""
        assert ledger.price("key") == Price()
        recorder(ledger).lock_price("key", Price(), "it cost 9")
        assert ledger.price("key") == Price(lock="it cost 9")
        recorder(ledger, tracker="other").accept_price("key", 9, "it cost 9")
        accepted = Price(9, is_accepted=True, lifted="it cost 9")
        assert (ledger.price("key"), ledger.price("another")) == (accepted, Price())
        recorder(ledger).lock_price("key", accepted, "it cost 11")
        assert ledger.price("key") == replace(accepted, lock="it cost 11")

    @pytest.mark.parametrize(
        ("charged", "accepted", "fine"), [(7, 7, True), (6, 7, True), (8, 7, False), (None, 7, False)]
    )
    def test_what_an_accepted_price_covers(self, charged: int | None, accepted: int, fine: bool) -> None:
        """At most that; the usual price is expected to the credit."""
        assert Price(accepted, is_accepted=True).covers(charged) is fine
        assert Price().covers(charged) is (charged == 7)


class TestColumns:
    def test_seen_once(self, ledger: Ledger) -> None:
        """A column that the sheet has had stays known."""
        recorder(ledger).saw_columns(["caption_final"])
        recorder(ledger, LATER).saw_columns(["caption_final", "note"])
        assert ledger.known("acme").columns_seen == {"caption_final", "note"}


class TestLooks:
    def test_the_latest_counts(self, ledger: Ledger) -> None:
        """When TokPortal was last asked about a video, whatever came of it."""
        recorder(ledger).looked(["v1", "v2"])
        recorder(ledger, LATER).looked(["v1"])
        assert ledger.known("acme").looked == {"v1": LATER, "v2": NOW}


class TestRemembering:
    """What rows said, kept before they are written."""

    def test_a_request_that_a_row_told_of(self, ledger: Ledger) -> None:
        """It is known, with its code and its end, and never the latest; TokPortal's word takes its place."""
        told = Entry(
            request(status="in_review", code="#abc", created_at=NOW), Origin.IMPORTED, None, None, NOW, ends=LATER
        )
        recorder(ledger).remember(Memory(imported=(told,)))
        known = ledger.known("acme")
        assert (known.latest, known.earlier, known.codes) == ({}, {"v1": (told,)}, {"#abc": "v1"})
        assert kinds(ledger) == ["imported", "code"]
        recorder(ledger, LATER).observe([request(status="finalized", code="#abc", created_at=NOW)])
        found = ledger.known("acme").latest["v1"]
        assert (found.origin, found.ends, found.request.status) == (Origin.FOUND, None, "finalized")

    def test_what_a_request_cost_and_how_long_it_lasts(self, ledger: Ledger) -> None:
        """By the row's own word; what the video had cost before is kept beside it."""
        recorder(ledger).observe([request()])
        recorder(ledger).remember(Memory(days=(("v1", "r1", 60),), charges=(("v1", "r1", 7),), opening=(("v1", 14),)))
        known = ledger.known("acme")
        assert (known.latest["v1"].authorization_days, known.latest["v1"].credits_charged) == (60, 7)
        assert (known.opening, known.cost("v1")) == ({"v1": 14}, 21)
        recorder(ledger, LATER).observe([request(status="cancelled")])
        assert (ledger.known("acme").latest["v1"].authorization_days, ledger.known("acme").cost("v1")) == (60, 14)

    def test_typed_values(self, ledger: Ledger) -> None:
        """Each by its code; the next code's becomes that of the code that came."""
        recorder(ledger).remember(Memory(typed=(TypedValue("v1", "known_expiry", "", 46300.5),)))
        assert ledger.known("acme").typed == {("v1", "known_expiry"): Typed(46300.5, {"": 46300.5})}
        recorder(ledger).remember(Memory(typed=(TypedValue("v1", "known_expiry", "#abc", 46300.5, is_last=False),)))
        recorder(ledger).remember(Memory(typed=(TypedValue("v1", "known_expiry", "#def", True),)))
        assert ledger.known("acme").typed == {("v1", "known_expiry"): Typed(True, {"#abc": 46300.5, "#def": True})}

    def test_nothing_new(self, ledger: Ledger) -> None:
        """A run on an unchanged sheet writes nothing."""
        recorder(ledger).remember(Memory())
        assert ledger.known("acme") == Known()

    def test_the_requests_of_a_video_by_age(self, ledger: Ledger) -> None:
        """Newest first; a code whose request nobody knows is the oldest."""
        keep = recorder(ledger)
        keep.observe([request("r2", created_at=NOW)])
        keep.observe([request("r3", created_at=LATER)])
        typed = Entry(request("code 1", code="#t"), Origin.TYPED, None, None, LATER + PAUSE)
        keep.remember(
            Memory(imported=(typed, Entry(request("r1", created_at=NOW - PAUSE), Origin.IMPORTED, None, None, NOW)))
        )
        assert [entry.request.id for entry in ledger.known("acme").generations("v1")] == ["r3", "r2", "r1", "code 1"]


class TestRowsSeen:
    def test_kept_as_the_last_run_saw_them(self, ledger: Ledger) -> None:
        """Each tracker's own; rows that a whole run did not see are gone, those that a narrowed one did not are not."""
        first, second = RowSeen("v1", "@mia", "Crumbly", "Waits."), RowSeen("v2", code="#abc", ends=NOW)
        recorder(ledger).saw_rows([first, second], is_all=True)
        assert ledger.rows_seen("acme") == (first, second)
        assert ledger.rows_seen("other") == ()
        recorder(ledger).saw_rows([replace(first, hold="")], is_all=False)
        assert ledger.rows_seen("acme") == (replace(first, hold=""), second)
        recorder(ledger).saw_rows([second], is_all=True)
        assert ledger.rows_seen("acme") == (second,)

    def test_nothing_new(self, path: Path) -> None:
        """A run that sees what the last one saw writes nothing."""
        with Ledger(path) as ledger:
            recorder(ledger).saw_rows([RowSeen("v1", ends=NOW)], is_all=True)
            log = path.with_name(f"{path.name}-wal")
            before = log.read_bytes()
            recorder(ledger).saw_rows([RowSeen("v1", ends=NOW)], is_all=True)
            assert log.read_bytes() == before


def test_since_when_and_what_the_whole_ledger_knows(ledger: Ledger) -> None:
    """Every tracker's requests, from the first event on."""
    assert (ledger.first_event(), ledger.all_entries()) == (None, ())
    recorder(ledger).observe([request()])
    recorder(ledger, LATER, "run2").observe([request(id="r2")])
    assert ledger.first_event() == NOW
    assert [(tracker, entry.request.id) for tracker, entry in ledger.all_entries()] == [("acme", "r1"), ("acme", "r2")]


def test_the_last_good_run(ledger: Ledger) -> None:
    """The one that ended with 0, however many have failed since."""
    recorder(ledger).record_run(NOW, 0, "")
    recorder(ledger, LATER, "run2").record_run(LATER, 1, "lost")
    last, good = ledger.last_run("acme"), ledger.last_run("acme", is_good=True)
    assert last
    assert good
    assert (last.exit_code, good.exit_code, good.started_at) == (1, 0, NOW)
