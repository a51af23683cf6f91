"""The ledger remembers everything, forgets nothing in a crash, and keeps trackers apart. Real SQLite throughout."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sheetsync.errors import ConfigError, Locked, Unavailable
from sheetsync.ledger import database
from sheetsync.ledger.store import RUNS_KEPT, Ledger
from sheetsync.model import AdCodeRequest, Intent, IntentState, Known, Mark, Origin

NOW = datetime(2026, 11, 21, 10, 0, 0, 123, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(None) as fresh:
        yield fresh


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def request(id: str = "r1", video_id: str = "v1", status: str = "pending", **fields: object) -> AdCodeRequest:
    return replace(AdCodeRequest(id, video_id, status), **fields)  # type: ignore[arg-type]


def begin(ledger: Ledger, video_id: str = "v1", mark: Mark = Mark.REQUEST, tracker: str = "acme") -> Intent:
    return ledger.begin(tracker, video_id, mark, None, "{}", "run1", NOW)


def kinds(ledger: Ledger, video_id: str = "v1", tracker: str | None = None) -> list[str]:
    return [event.kind for event in ledger.history(video_id, tracker)]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    root = Path(database.__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class TestObserving:
    def test_empty_ledger(self, ledger: Ledger) -> None:
        """A tracker of which nothing is known is known as nothing."""
        assert ledger.known("acme") == Known()

    def test_request_seen_first(self, ledger: Ledger) -> None:
        """What nobody told us about is found, with its charge unknown, and every field comes back as it was told."""
        told = request(code="#abc", platform="tiktok", note="n", created_at=NOW, submitted_at=NOW, delivered_at=LATER)
        assert ledger.observe("acme", [told], NOW, "run1") == 1
        entry = ledger.known("acme").latest["v1"]
        assert entry.request == told
        assert (entry.origin, entry.credits_charged, entry.seen_at) == (Origin.FOUND, None, NOW)
        assert kinds(ledger) == ["found", "code"]

    def test_nothing_new(self, ledger: Ledger) -> None:
        """An unchanged request is seen again without an event."""
        ledger.observe("acme", [request()], NOW, "run1")
        assert ledger.observe("acme", [request()], LATER, "run2") == 0
        assert ledger.known("acme").latest["v1"].seen_at == LATER
        assert kinds(ledger) == ["found"]

    def test_nothing_observed(self, ledger: Ledger) -> None:
        """A run that observed nothing writes nothing."""
        assert ledger.observe("acme", [], NOW, "run1") == 0

    def test_status_and_code_change(self, ledger: Ledger) -> None:
        """Each change is an event that says from what to what, and in which run."""
        ledger.observe("acme", [request()], NOW, "run1")
        assert ledger.observe("acme", [request(status="finalized", code="#abc")], LATER, "run2") == 1
        status, code = ledger.history("v1")[1:]
        assert (status.at, status.run_id, status.kind) == (LATER, "run2", "status")
        assert status.detail == {"request_id": "r1", "from": "pending", "to": "finalized"}
        assert (code.kind, code.detail) == ("code", {"request_id": "r1", "code": "#abc"})

    def test_answer_leaves_fields_out(self, ledger: Ledger) -> None:
        """What is known is never overwritten by nothing."""
        full = request(code="#abc", note="n", platform="tiktok", created_at=NOW, submitted_at=NOW, delivered_at=NOW)
        ledger.observe("acme", [full], NOW, "run1")
        assert ledger.observe("acme", [request(status="in_review")], LATER, "run2") == 0
        assert ledger.known("acme").latest["v1"].request == replace(full, status="in_review")

    def test_code_replaced(self, ledger: Ledger) -> None:
        """After a correction both codes stay in the ledger, the new one as the request's."""
        for code in ("#old", "#new"):
            assert ledger.observe("acme", [request(code=code)], NOW, "run1") == 1
        (generation,) = ledger.entries("v1")
        assert generation.entry.request.code == "#new"
        assert generation.codes == ((NOW, "#old"), (NOW, "#new"))

    def test_newer_request(self, ledger: Ledger) -> None:
        """The latest is what TokPortal says now; the earlier request and its code stay."""
        ledger.observe("acme", [request("r1", code="#1", created_at=NOW)], NOW, "run1")
        ledger.observe("acme", [request("r2", created_at=LATER)], LATER, "run2")
        assert ledger.known("acme").latest["v1"].request.id == "r2"
        assert [(g.entry.request.id, [c for _, c in g.codes]) for g in ledger.entries("v1")] == [
            ("r1", ["#1"]),
            ("r2", []),
        ]

    def test_latest_goes_back(self, ledger: Ledger) -> None:
        """When TokPortal names an earlier request again, that one is the latest."""
        for id in ("r1", "r2", "r1"):
            ledger.observe("acme", [request(id)], NOW, "run1")
        assert ledger.known("acme").latest["v1"].request.id == "r1"

    def test_half_a_surrogate_pair(self, ledger: Ledger) -> None:
        """A text that no database can hold does not stop the run."""
        ledger.observe("acme", [request(note="a\ud800b é")], NOW, "run1")
        assert ledger.known("acme").latest["v1"].request.note == "a?b é"

    def test_other_zone(self, ledger: Ledger) -> None:
        """Instants come out in UTC, whatever zone they were told in."""
        told = NOW.astimezone(timezone(timedelta(hours=2)))
        ledger.observe("acme", [request(created_at=told)], told, "run1")
        created = ledger.known("acme").latest["v1"].request.created_at
        assert created == NOW
        assert created.tzinfo is UTC

    def test_naive_instant(self, ledger: Ledger) -> None:
        """An instant without a zone is a mistake, and leaves nothing behind."""
        with pytest.raises(ValueError, match="no time zone"):
            ledger.observe("acme", [request(), request("r2", created_at=NOW.replace(tzinfo=None))], NOW, "run1")
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
        ledger.uncertain("acme", intent, "timeout", NOW)
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
        ledger.accepted("acme", intent, request(), 7, 93, LATER)
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
        ledger.accepted("acme", begin(ledger), request(), 7, 93, NOW)
        ledger.observe("acme", [request(status="finalized", code="#abc")], LATER, "run2")
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged, entry.credits_left) == (Origin.ORDERED, 7, 93)
        assert kinds(ledger) == ["intent", "ordered", "status", "code"]

    def test_resend(self, ledger: Ledger) -> None:
        """Sent again: same key and body, but the wait before the next look begins anew."""
        intent = begin(ledger)
        ledger.uncertain("acme", intent, "timeout", NOW)
        again = ledger.resending("acme", intent, "run2", LATER)
        assert again == replace(intent, run_id="run2", created_at=LATER)
        assert ledger.known("acme").unsettled == {"v1": again}
        assert [(e.kind, e.run_id) for e in ledger.history("v1")][2:] == [("resend", "run2")]

    def test_lapse(self, ledger: Ledger) -> None:
        """An intent given up makes room for the next, and stays in the history."""
        ledger.lapse("acme", begin(ledger), NOW, "run2")
        assert ledger.known("acme").unsettled == {}
        begin(ledger)
        assert kinds(ledger) == ["intent", "lapsed", "intent"]

    def test_failure_within_a_transaction(self, ledger: Ledger) -> None:
        """An outcome is recorded wholly or not at all."""
        intent = begin(ledger)
        with pytest.raises(ValueError, match="no time zone"):
            ledger.refused("acme", intent, 422, "no", NOW, LATER.replace(tzinfo=None))
        assert ledger.known("acme").unsettled == {"v1": intent}
        assert kinds(ledger) == ["intent"]


class TestAdopting:
    @pytest.mark.parametrize("found_before", [False, True])
    def test_mark_meets_a_request(self, ledger: Ledger, found_before: bool) -> None:
        """An adopted request bears its origin, whether or not it had been found before."""
        if found_before:
            ledger.observe("acme", [request()], NOW, "run1")
        ledger.adopt("acme", request(), Origin.ADOPTED_OPEN, LATER, "run2")
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged) == (Origin.ADOPTED_OPEN, None)
        assert ledger.history("v1")[-1].detail == {"request_id": "r1", "origin": "adopted open"}

    def test_own_order_adopted(self, ledger: Ledger) -> None:
        """What we ordered stays ordered, with its credits, when a mark meets it."""
        ledger.accepted("acme", begin(ledger), request(), 7, 93, NOW)
        ledger.adopt("acme", request(), Origin.ADOPTED_EXISTING, LATER, "run2")
        entry = ledger.known("acme").latest["v1"]
        assert (entry.origin, entry.credits_charged) == (Origin.ORDERED, 7)

    @pytest.mark.parametrize("found_before", [False, True])
    def test_lost_answer_explained(self, ledger: Ledger, found_before: bool) -> None:
        """The order whose answer was lost did happen: ordered by us, charged once, and the amount is assumed."""
        intent = begin(ledger)
        ledger.uncertain("acme", intent, "timeout", NOW)
        if found_before:
            ledger.observe("acme", [request()], NOW, "run2")
        ledger.adopt("acme", request(code="#abc"), Origin.ADOPTED_OPEN, LATER, "run2", settles=intent)
        known = ledger.known("acme")
        assert known.unsettled == {}
        assert (known.latest["v1"].origin, known.latest["v1"].credits_charged) == (Origin.ORDERED, 7)
        adopted = next(event for event in ledger.history("v1") if event.kind == "adopted")
        assert adopted.detail["credits_assumed"] is True
        assert kinds(ledger)[-1] == "code"

    def test_charge_already_told(self, ledger: Ledger) -> None:
        """A charge that an answer told is kept, and nothing is assumed."""
        intent = begin(ledger)
        ledger.accepted("acme", intent, request(), 5, 93, NOW)
        ledger.adopt("acme", request(), Origin.ADOPTED_OPEN, LATER, "run2", settles=intent)
        assert ledger.known("acme").latest["v1"].credits_charged == 5
        assert ledger.history("v1")[-1].detail["credits_assumed"] is False


class TestRefusals:
    def refuse(self, ledger: Ledger, text: str, status: int = 422, mark: Mark = Mark.REQUEST) -> None:
        ledger.refused("acme", begin(ledger, mark=mark), status, text, NOW, LATER)

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
        ledger.accepted("acme", begin(ledger), request(), 7, 93, NOW)
        assert ledger.known("acme").refusals == {}
        self.refuse(ledger, "no", mark=Mark.RENEW)
        ledger.adopt("acme", request("r2"), Origin.ADOPTED_RENEWED, NOW, "run2")
        assert ledger.known("acme").refusals == {}

    def test_mark_withdrawn(self, ledger: Ledger) -> None:
        """When the mark is gone its refusal is forgotten; others stay."""
        self.refuse(ledger, "no")
        ledger.refused("acme", begin(ledger, "v2"), 422, "no", NOW, LATER)
        ledger.forget_refusals("acme", ["v1", "unknown"])
        ledger.forget_refusals("acme", [])
        assert set(ledger.known("acme").refusals) == {"v2"}


class TestCorrections:
    def test_correction_sent(self, ledger: Ledger) -> None:
        """The code that was reported is remembered once the correction was taken, not before."""
        bad = request(status="finalized", code="#bad")
        ledger.correcting("acme", bad, "does not scan", "run1", NOW)
        assert ledger.known("acme").corrections == {}
        ledger.corrected("acme", bad, NOW)
        ledger.corrected("acme", replace(bad, code="#worse"), LATER)
        assert ledger.known("acme").corrections == {"r1": "#worse"}
        assert kinds(ledger) == ["correction intent", "correction sent", "correction sent"]

    def test_correction_refused(self, ledger: Ledger) -> None:
        """A refused correction waits like a refused order, and a later success ends that."""
        for _ in range(2):
            ledger.correction_failed("acme", request(), "no", NOW, "run1", http_status=409, retry_at=LATER)
        refusal = ledger.known("acme").refusals["v1"]
        assert (refusal.mark, refusal.http_status, refusal.attempts) == (Mark.CORRECT, 409, 2)
        ledger.corrected("acme", request(code="#bad"), LATER)
        assert ledger.known("acme").refusals == {}


class TestTrackers:
    def test_same_video_in_two_trackers(self, ledger: Ledger) -> None:
        """One client's codes, intents, refusals, writes and balance are never another's."""
        ledger.observe("acme", [request(code="#secret")], NOW, "run1")
        ledger.refused("acme", begin(ledger), 422, "no", NOW, LATER)
        begin(ledger)
        ledger.corrected("acme", request(code="#secret"), NOW)
        ledger.begin_write("acme", "{}", NOW)
        ledger.set_balance("acme", 100, NOW)
        ledger.record_run("acme", "run1", NOW, LATER, 0, "{}")
        assert ledger.known("other") == Known()
        assert (ledger.history("v1", "other"), ledger.entries("v1", "other")) == ((), ())
        assert (ledger.pending_write("other"), ledger.balance("other"), ledger.last_run("other")) == (None, None, None)
        assert ledger.gone_open("other", []) == (0, 0)

    def test_same_video_changes_apart(self, ledger: Ledger) -> None:
        """The same request in two trackers is two entries with histories of their own."""
        begin(ledger, tracker="other")
        ledger.observe("acme", [request(status="pending")], NOW, "run1")
        ledger.observe("other", [request(status="cancelled")], NOW, "run1")
        begin(ledger)
        assert ledger.known("acme").latest["v1"].request.status == "pending"
        assert kinds(ledger, tracker="acme") == ["found", "intent"]
        assert kinds(ledger) == ["intent", "found", "found", "intent"]
        assert {generation.tracker for generation in ledger.entries("v1")} == {"acme", "other"}


class TestShrunkenSheet:
    def test_open_requests_gone(self, ledger: Ledger) -> None:
        """Only open requests whose video is no longer in the sheet count as gone."""
        rows = [
            request("r1", "v1"),
            request("r2", "v2"),
            request("r3", "v3", "finalized"),
            request("r4", "v4", "new word"),
        ]
        ledger.observe("acme", rows, NOW, "run1")
        assert ledger.gone_open("acme", ["v1", "other"]) == (3, 2)
        assert ledger.gone_open("acme", {"v1": 1, "v2": 2, "v4": 4}) == (3, 0)

    def test_released(self, ledger: Ledger) -> None:
        """What somebody allowed to be gone no longer counts, though it is still observed, until it is back."""
        ledger.observe("acme", [request("r1", "v1"), request("r2", "v2")], NOW, "run1")
        ledger.released("acme", ["v1", "unknown"], NOW)
        ledger.released("acme", ["v1"], NOW)
        ledger.observe("acme", [request("r1", "v1")], LATER, "run2")
        assert ledger.gone_open("acme", ["v2"]) == (1, 0)
        assert kinds(ledger) == ["found", "released"]
        assert ledger.gone_open("acme", ["v1", "v2"]) == (2, 0)
        assert ledger.gone_open("acme", ["v2"]) == (2, 1)


class TestRuns:
    def test_sheet_write(self, ledger: Ledger) -> None:
        """A sheet write is pending from its beginning to its verification."""
        assert ledger.pending_write("acme") is None
        ledger.begin_write("acme", "one", NOW)
        ledger.begin_write("acme", "two", NOW)
        assert ledger.pending_write("acme") == "two"
        ledger.end_write("acme")
        assert ledger.pending_write("acme") is None

    def test_last_run(self, ledger: Ledger) -> None:
        """The last run is the one that started last; recorded twice, the second summary holds."""
        ledger.record_run("acme", "run2", LATER, LATER, 0, "second")
        ledger.record_run("acme", "run1", NOW, LATER, 1, "first")
        ledger.record_run("acme", "run2", LATER, LATER, 4, "corrected")
        last = ledger.last_run("acme")
        assert last is not None
        assert (last.run_id, last.started_at, last.exit_code, last.summary) == ("run2", LATER, 4, "corrected")

    def test_old_runs(self, path: Path) -> None:
        """Summaries do not pile up for ever."""
        with Ledger(path) as ledger:
            ledger.record_run("acme", "run1", NOW, NOW, 0, "")
            ledger.record_run("acme", "run2", NOW + RUNS_KEPT + timedelta(seconds=1), LATER, 0, "")
        with sqlite3.connect(path) as raw:
            assert raw.execute("SELECT run_id FROM run").fetchall() == [("run2",)]
        raw.close()

    def test_balance(self, ledger: Ledger) -> None:
        """The balance is the last one told, with its time."""
        assert ledger.balance("acme") is None
        ledger.set_balance("acme", 100, NOW)
        ledger.set_balance("acme", 93, LATER)
        assert ledger.balance("acme") == (93, LATER)


class TestCrash:
    def test_killed_right_after_the_intent(self, path: Path) -> None:
        """Once begin has returned, no crash can forget that an order may have been sent."""
        child = python(
            """
            import os, signal, sys
            from datetime import UTC, datetime
            from pathlib import Path
            from sheetsync.ledger.store import Ledger
            from sheetsync.model import Mark
            ledger = Ledger(Path(sys.argv[1]))
            print(ledger.begin("acme", "v1", Mark.RENEW, "r0", '{"a": 1}', "run1", datetime.now(UTC)).idempotency_key)
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

    @pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 0)])
    def test_commits_reach_the_disk(self, path: Path, durable: bool, level: int) -> None:
        """A commit waits for the disk (FULL is 2), which only a test may give up."""
        with Ledger(path, durable) as ledger:
            assert ledger._db.rows("PRAGMA synchronous") == [(level,)]
            assert ledger._db.rows("PRAGMA journal_mode") == [("wal",)]

    def test_reopened(self, path: Path) -> None:
        """What one process recorded, the next one knows."""
        with Ledger(path) as ledger:
            ledger.accepted("acme", begin(ledger), request(code="#abc", created_at=NOW), 7, 93, NOW)
            before = ledger.known("acme"), ledger.history("v1"), ledger.entries("v1")
        with Ledger(path) as ledger:
            assert (ledger.known("acme"), ledger.history("v1"), ledger.entries("v1")) == before


class TestFile:
    def test_created_for_its_owner_alone(self, path: Path) -> None:
        """The file and its side files hold codes: nobody else may read them, whatever the umask."""
        before = os.umask(0)
        try:
            with Ledger(path) as ledger, ledger.lock("acme", "", NOW):
                begin(ledger)
                modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        finally:
            os.umask(before)
        assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm", "state.db.acme.lock"], 0o600)

    def test_opened_twice(self, path: Path) -> None:
        """Migrations that have been applied are not applied again, and nothing is lost."""
        for _ in range(2):
            with Ledger(path) as ledger:
                applied = ledger._db.rows("SELECT version FROM schema_version")
        assert applied == [(number,) for number in range(1, len(database.MIGRATIONS) + 1)]

    def test_next_version(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A further migration is applied to an existing file, once, and keeps what is in it."""
        with Ledger(path) as ledger:
            begin(ledger)
        further = (*database.MIGRATIONS, ("colour", ("ALTER TABLE intent ADD COLUMN colour TEXT",)))
        monkeypatch.setattr(database, "MIGRATIONS", further)
        for _ in range(2):
            with Ledger(path) as ledger:
                assert set(ledger.known("acme").unsettled) == {"v1"}

    def test_migration_fails(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A migration that fails half way leaves the file as it was."""
        Ledger(path).close()
        half = ("CREATE TABLE half (a TEXT)", "ALTER TABLE nothing ADD COLUMN a TEXT")
        with monkeypatch.context() as patch:
            patch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, ("half", half)))
            with pytest.raises(sqlite3.OperationalError):
                Ledger(path)
        with Ledger(path) as ledger:
            assert ledger._db.rows("SELECT name FROM sqlite_master WHERE name = 'half'") == []

    def test_newer_version(self, path: Path) -> None:
        """A file that a newer version wrote is refused, not guessed at."""
        with Ledger(path) as ledger, ledger._db.transaction():
            ledger._db.run("INSERT INTO schema_version (version, name) VALUES (99, 'future')")
        with pytest.raises(ConfigError, match=r"state\.db: version 99, from a newer sheetsync"):
            Ledger(path)

    @pytest.mark.parametrize(
        "table", ["customer (id INTEGER)", "schema_version (id)", "schema_version (version, name)"]
    )
    def test_database_of_another_program(self, path: Path, table: str) -> None:
        """Somebody else's database is refused, and not a byte of it changes."""
        with sqlite3.connect(path) as raw:
            raw.execute(f"CREATE TABLE {table}")
            if "name" in table:
                raw.execute("INSERT INTO schema_version VALUES (1, 'their tables')")
        raw.close()
        before = path.read_bytes()
        with pytest.raises(ConfigError, match="another program"):
            Ledger(path)
        assert path.read_bytes() == before

    def test_not_a_database(self, path: Path) -> None:
        """A file that is no database is refused with its name, and left alone."""
        path.write_text("google:\n  credentials: service-account.json\n" * 50)
        with pytest.raises(ConfigError, match=r"state\.db: this is not a database"):
            Ledger(path)
        assert path.read_text().startswith("google")

    def test_damaged(self, path: Path) -> None:
        """A damaged file is refused, also when the damage shows only later."""
        with Ledger(path) as ledger:
            begin(ledger)
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="damaged"), Ledger(path) as ledger:
            ledger.known("acme")

    def test_state_file_deleted(self, path: Path) -> None:
        """Without the state file the next run starts afresh, also beside side files that were left over."""
        with Ledger(path) as ledger:
            begin(ledger)
            path.unlink()
            with Ledger(path) as fresh:
                assert fresh.known("acme") == Known()

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that does not exist is a mistake in the configuration."""
        with pytest.raises(ConfigError, match="folder does not exist"):
            Ledger(tmp_path / "nowhere" / "state.db")

    def test_folder_in_its_place(self, tmp_path: Path) -> None:
        """A folder is no file."""
        with pytest.raises(ConfigError, match="cannot be opened"):
            Ledger(tmp_path)

    def test_name_too_long(self, tmp_path: Path) -> None:
        """A name the disk does not take is a mistake in the configuration."""
        with pytest.raises(ConfigError, match="cannot be made"):
            Ledger(tmp_path / ("x" * 300))

    def test_busy(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another process that keeps the database to itself makes the ledger unavailable, for this run."""
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
        with Ledger(path) as one, Ledger(path) as two, one._db.transaction():
            with pytest.raises(Unavailable, match="locked"):
                begin(two)
            assert two.known("acme") == Known()

    def test_many_open_it_at_once(self, path: Path) -> None:
        """Processes that open a new ledger at the same moment all find it whole."""

        def work(number: int) -> None:
            with Ledger(path) as ledger:
                begin(ledger, f"v{number}")

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
        with Ledger(path) as ledger:
            assert len(ledger.known("acme").unsettled) == 16


class TestLock:
    def test_two_ledgers_in_one_process(self, path: Path) -> None:
        """Two runs exclude each other for a tracker, and for that tracker only; afterwards it is free."""
        with Ledger(path) as one, Ledger(path) as two:
            with one.lock("acme", "run1", NOW), two.lock("a/b ü", "", NOW):
                with pytest.raises(Locked) as caught, two.lock("acme", "run2", LATER):
                    pass
                assert caught.value.age_seconds == 300
                assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
                assert caught.value.holder.endswith(", run1")
            with two.lock("acme", "", NOW):
                pass

    def test_in_memory(self, ledger: Ledger) -> None:
        """A ledger without a file is held in the same way, and every such ledger is its own."""
        with ledger.lock("acme", "", NOW), ledger.lock("other", "", NOW):
            with pytest.raises(Locked) as caught, ledger.lock("acme", "", LATER):
                pass
            with Ledger(None) as another, another.lock("acme", "", NOW):
                pass
        assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
        with ledger.lock("acme", "", NOW):
            pass

    def test_freed_by_an_error(self, path: Path) -> None:
        """A run that fails frees its tracker."""
        with Ledger(path) as ledger:
            with pytest.raises(KeyError), ledger.lock("acme", "", NOW):
                raise KeyError
            with ledger.lock("acme", "", NOW):
                pass

    def test_holder_is_killed(self, path: Path) -> None:
        """Another process holds the tracker until it dies; even SIGKILL frees it at once."""
        child = python(
            """
            import sys
            from datetime import UTC, datetime
            from pathlib import Path
            from sheetsync.ledger.store import Ledger
            ledger = Ledger(Path(sys.argv[1]))
            with ledger.lock("acme", "run1", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)):
                print("held", flush=True)
                sys.stdin.read()
            """,
            path,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with Ledger(path) as ledger:
            with pytest.raises(Locked, match=rf"pid {child.pid} on .*, run1, started 300 s ago"):
                ledger.lock("acme", "", LATER).__enter__()
            child.kill()
            child.communicate()
            with ledger.lock("acme", "", LATER):
                content = json.loads(Path(f"{path}.acme.lock").read_text())
        assert content["pid"] == os.getpid()

    @pytest.mark.parametrize("content", ["", "{}", "[]", "half a na"])
    def test_holder_has_not_said_who_it_is(self, path: Path, content: str) -> None:
        """Between taking the lock and signing it a holder is nameless, but holds it."""
        with Ledger(path) as ledger, ledger.lock("acme", "", NOW):
            Path(f"{path}.acme.lock").write_text(content)
            with pytest.raises(Locked) as caught, ledger.lock("acme", "", NOW):
                pass
        assert caught.value.age_seconds is None

    def test_through_a_link(self, path: Path, tmp_path: Path) -> None:
        """Two names of one state file are one ledger."""
        link = tmp_path / "link.db"
        with Ledger(path) as one:
            link.symlink_to(path)
            with Ledger(link) as two, one.lock("acme", "", NOW), pytest.raises(Locked), two.lock("acme", "", NOW):
                pass

    def test_lock_file_unusable(self, path: Path) -> None:
        """A lock that cannot be taken for another reason is not mistaken for a run."""
        Path(f"{path}.acme.lock").mkdir()
        with Ledger(path) as ledger, pytest.raises(ConfigError, match="cannot be opened"):
            ledger.lock("acme", "", NOW).__enter__()
