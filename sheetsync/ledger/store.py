"""The ledger: every ad code request, intent, refusal and event of every tracker.

Owns what is remembered and what belongs together in one transaction. Decides nothing: what is ordered, adopted or given
up comes from the plan, and every instant from the caller. The file, its tables and its failures are database.py's.

Every key begins with the tracker: one client's codes can never turn up in another client's sheet. Events are only
ever appended.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from sheetsync.ledger import rows as records
from sheetsync.ledger.database import Database
from sheetsync.ledger.lock import Holder, hold_file, hold_memory, lock_path, this_process
from sheetsync.model import PRICE, AdCodeRequest, Entry, Intent, IntentState, Known, Mark, Origin, Refusal

RUNS_KEPT = timedelta(days=90)
"""Summaries of runs are kept this long: a run every few minutes would otherwise fill the disk for nothing."""

_LATEST = """latest AS l JOIN ad_code_request AS a
    ON a.tracker = l.tracker AND a.video_id = l.video_id AND a.request_id = l.request_id"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a video; `at` is aware UTC. Of kind `code`, detail["code"] is the code in clear."""

    at: datetime
    tracker: str
    video_id: str
    run_id: str
    kind: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Generation:
    """One ad code request of a video, with every code it ever carried: (when it was received, code), oldest first."""

    tracker: str
    entry: Entry
    codes: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run of one tracker; instants are aware UTC, `summary` is the text that was recorded."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    summary: str


class Ledger:
    """What is known of all trackers. Use it from one thread; each method that writes is one transaction.

    Instants that go in are aware datetimes in any zone (a naive one is a ValueError); those that come out are UTC.
    Every method raises Unavailable when the disk fails or another process keeps the database busy, and ConfigError
    when the file turns out to be damaged or read-only. Where no run is known, `run_id` is the empty string.
    """

    def __init__(self, path: Path | None, durable: bool = True) -> None:
        """Open or create the file at `path` (None: in memory).

        A commit is on disk before a method returns, unless `durable` is False: then a power cut may undo it.
        Raises ConfigError if the file is not a ledger, is damaged, or is of a newer version; Unavailable if busy.
        """
        self.path = path
        self._held: dict[str, Holder] = {}
        self._db = Database(path, durable)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; closing twice is no error."""
        self._db.close()

    def lock(self, tracker: str, holder_note: str, now: datetime) -> AbstractContextManager[None]:
        """Hold `tracker` against every other run, in this process or another; the kernel frees it with the process.

        Raises Locked, on entering, when it is held; `holder_note` and `now` tell the other who it waits for.
        """
        me = this_process(holder_note, records.to_utc(now))
        if self.path is None:
            return hold_memory(self._held, tracker, me)
        return hold_file(lock_path(self.path, tracker), tracker, me)

    def known(self, tracker: str) -> Known:
        """All that the plan and the projection need of one tracker."""
        entries = self._db.rows(f"SELECT {records.ENTRY} FROM {_LATEST} WHERE l.tracker = ?", tracker)
        unsettled = f"SELECT {records.INTENT} FROM intent WHERE tracker = ? AND state IN ('sending', 'uncertain')"
        intents = self._db.rows(unsettled, tracker)
        refusals = self._db.rows(f"SELECT {records.REFUSAL} FROM refusal WHERE tracker = ?", tracker)
        corrections = self._db.rows("SELECT request_id, code FROM correction WHERE tracker = ?", tracker)
        return Known(
            latest={row[1]: records.to_entry(row) for row in entries},
            unsettled={row[1]: records.to_intent(row) for row in intents},
            refusals={row[0]: records.to_refusal(row) for row in refusals},
            corrections=dict(corrections),
        )

    def observe(self, tracker: str, requests: Iterable[AdCodeRequest], now: datetime, run_id: str) -> int:
        """Record what TokPortal says is each video's latest ad code request; returns how many codes are new.

        What is known is never overwritten by nothing: a code, note or time that is no longer told stays.
        """
        seen = tuple(requests)
        if not seen:
            return 0
        received = 0
        with self._write(tracker, now, run_id) as write:
            for request in seen:
                old, new = write.record(request, Origin.FOUND)
                if old is None:
                    write.event(request.video_id, "found", request_id=request.id, status=request.status)
                received += write.changes(old, new)
        return received

    def adopt(
        self,
        tracker: str,
        request: AdCodeRequest,
        origin: Origin,
        now: datetime,
        run_id: str,
        settles: Intent | None = None,
    ) -> None:
        """Take over a request that exists; one that we ordered stays ordered, with its credits.

        `settles` is the intent whose lost answer this explains: it counts as accepted, and as charged the usual price
        where no answer ever told it (the event says that this is assumed).
        """
        told: dict[str, object] = {"origin": origin}
        with self._write(tracker, now, run_id) as write:
            if settles is None:
                old, new = write.record(request, origin)
            else:
                known = write.entry(request)
                assumed = known is None or known.credits_charged is None
                old, new = write.record(request, Origin.ORDERED, PRICE if assumed else None)
                write.move(settles, IntentState.ACCEPTED)
                told = {"origin": Origin.ORDERED, "intent": settles.id, "credits_charged": new.credits_charged}
                told["credits_assumed"] = assumed
            write.forget_refusal(request.video_id)
            write.event(request.video_id, "adopted", request_id=request.id, **told)
            write.changes(old, new)

    def begin(
        self, tracker: str, video_id: str, mark: Mark, previous_id: str | None, body: str, run_id: str, now: datetime
    ) -> Intent:
        """Put an intent on disk, with a fresh idempotency key: once this returns, a crash cannot forget it.

        Raises ValueError if the video has an unsettled intent: both could be charged.
        """
        key = uuid.uuid4().hex
        with self._write(tracker, now, run_id) as write:
            if write.has_unsettled(video_id):
                raise ValueError(f"video {video_id} of tracker {tracker} has an unsettled intent")
            number = self._db.next_id("intent")
            intent = Intent(
                number, video_id, mark, previous_id, key, body, run_id, records.to_utc(now), IntentState.SENDING
            )
            write.insert(intent)
            write.event(video_id, "intent", intent=number, mark=mark, previous_id=previous_id, idempotency_key=key)
        return intent

    def resending(self, tracker: str, intent: Intent, run_id: str, now: datetime) -> Intent:
        """Mark an intent as about to be sent again, with the same key and body.

        The intent returned bears this run and `now` as its time, so that the wait before yet another look begins
        anew; when it was first sent stays in the history.
        """
        again = replace(intent, run_id=run_id, created_at=records.to_utc(now), state=IntentState.SENDING)
        with self._write(tracker, now, run_id) as write:
            write.move(again, IntentState.SENDING)
            write.event(intent.video_id, "resend", intent=intent.id, idempotency_key=intent.idempotency_key)
        return again

    def accepted(
        self,
        tracker: str,
        intent: Intent,
        request: AdCodeRequest,
        credits_charged: int | None,
        credits_left: int | None,
        now: datetime,
    ) -> None:
        """TokPortal took the order: the intent is settled, and the request is the video's latest, ordered by us."""
        told = {"mark": intent.mark, "credits_charged": credits_charged, "credits_left": credits_left}
        with self._write(tracker, now, intent.run_id) as write:
            old, new = write.record(request, Origin.ORDERED, credits_charged, credits_left)
            write.move(intent, IntentState.ACCEPTED)
            write.forget_refusal(intent.video_id)
            write.event(intent.video_id, "ordered", request_id=request.id, intent=intent.id, **told)
            write.changes(old, new)

    def refused(
        self, tracker: str, intent: Intent, http_status: int, text: str, now: datetime, retry_at: datetime
    ) -> None:
        """TokPortal said a definite no: the intent is settled, and its key spent; the mark may try from `retry_at`."""
        with self._write(tracker, now, intent.run_id) as write:
            write.move(intent, IntentState.REFUSED)
            write.refuse(intent.video_id, intent.mark, http_status, text, retry_at)
            write.event(intent.video_id, "refused", intent=intent.id, http_status=http_status, text=text)

    def uncertain(self, tracker: str, intent: Intent, detail: str, now: datetime) -> None:
        """The call ended without a clear answer: only a look at TokPortal can settle the intent."""
        with self._write(tracker, now, intent.run_id) as write:
            write.move(intent, IntentState.UNCERTAIN)
            write.event(intent.video_id, "uncertain", intent=intent.id, detail=detail)

    def lapse(self, tracker: str, intent: Intent, now: datetime, run_id: str) -> None:
        """Give up an intent that never happened and that nobody wants any more."""
        with self._write(tracker, now, run_id) as write:
            write.move(intent, IntentState.LAPSED)
            write.event(intent.video_id, "lapsed", intent=intent.id)

    def forget_refusals(self, tracker: str, video_ids: Iterable[str]) -> None:
        """The marks of these videos are gone: a new one starts without the pauses of the old."""
        gone = tuple(video_ids)
        if gone:
            with self._db.transaction():
                for video_id in gone:
                    self._db.run("DELETE FROM refusal WHERE tracker = ? AND video_id = ?", tracker, video_id)

    def correcting(self, tracker: str, request: AdCodeRequest, feedback: str, run_id: str, now: datetime) -> None:
        """A correction is about to be sent."""
        with self._write(tracker, now, run_id) as write:
            told = {"request_id": request.id, "code": request.code, "feedback": feedback}
            write.event(request.video_id, "correction intent", **told)

    def corrected(self, tracker: str, request: AdCodeRequest, now: datetime, run_id: str = "") -> None:
        """The correction was taken: `request.code` is the one reported as not working."""
        with self._write(tracker, now, run_id) as write:
            key = {"tracker": tracker, "request_id": request.id}
            self._db.put("correction", key, {"code": request.code or "", "sent_at": write.at})
            write.forget_refusal(request.video_id)
            write.event(request.video_id, "correction sent", request_id=request.id, code=request.code)

    def correction_failed(
        self,
        tracker: str,
        request: AdCodeRequest,
        text: str,
        now: datetime,
        run_id: str,
        *,
        http_status: int,
        retry_at: datetime,
    ) -> None:
        """TokPortal said no to a correction: the mark may try again from `retry_at`."""
        with self._write(tracker, now, run_id) as write:
            write.refuse(request.video_id, Mark.CORRECT, http_status, text, retry_at)
            told = {"request_id": request.id, "http_status": http_status, "text": text}
            write.event(request.video_id, "correction failed", **told)

    def begin_write(self, tracker: str, payload: str, now: datetime) -> None:
        """Put the sheet write that is about to be sent on disk; it takes the place of an earlier one."""
        with self._db.transaction():
            self._db.put("pending_write", {"tracker": tracker}, {"payload": payload, "begun_at": records.to_text(now)})

    def end_write(self, tracker: str) -> None:
        """The pending sheet write has been verified."""
        with self._db.transaction():
            self._db.run("DELETE FROM pending_write WHERE tracker = ?", tracker)

    def pending_write(self, tracker: str) -> str | None:
        """The payload of a sheet write that was begun and not verified."""
        rows = self._db.rows("SELECT payload FROM pending_write WHERE tracker = ?", tracker)
        return rows[0][0] if rows else None

    def record_run(
        self, tracker: str, run_id: str, started_at: datetime, finished_at: datetime, exit_code: int, summary: str
    ) -> None:
        """Keep the summary of a run, and drop those older than RUNS_KEPT; recording it again replaces it."""
        key = {"tracker": tracker, "started_at": records.to_text(started_at), "run_id": run_id}
        values = {"finished_at": records.to_text(finished_at), "exit_code": exit_code, "summary": summary}
        oldest = records.to_text(started_at - RUNS_KEPT)
        with self._db.transaction():
            self._db.put("run", key, values)
            self._db.run("DELETE FROM run WHERE tracker = ? AND started_at < ?", tracker, oldest)

    def last_run(self, tracker: str) -> Run | None:
        """The run of this tracker that started last."""
        rows = self._db.rows(
            """SELECT run_id, started_at, finished_at, exit_code, summary FROM run
            WHERE tracker = ? ORDER BY started_at DESC, finished_at DESC LIMIT 1""",
            tracker,
        )
        return next((Run(row[0], records.to_moment(row[1]), records.to_moment(row[2]), *row[3:]) for row in rows), None)

    def set_balance(self, tracker: str, credits: int, now: datetime) -> None:
        """TokPortal told the credit balance."""
        with self._db.transaction():
            self._db.put("balance", {"tracker": tracker}, {"credits": credits, "told_at": records.to_text(now)})

    def balance(self, tracker: str) -> tuple[int, datetime] | None:
        """The last balance told for this tracker, and when."""
        rows = self._db.rows("SELECT credits, told_at FROM balance WHERE tracker = ?", tracker)
        return (rows[0][0], records.to_moment(rows[0][1])) if rows else None

    def gone_open(self, tracker: str, present: Collection[str]) -> tuple[int, int]:
        """How many open requests are known, and of these, how many have a video that is not `present` in the sheet.

        Released videos do not count until they are present again; that ends their release.
        """
        here = frozenset(present)
        rows = self._db.rows(f"SELECT {records.ENTRY}, l.released FROM {_LATEST} WHERE l.tracker = ?", tracker)
        back = [row[1] for row in rows if row[-1] and row[1] in here]
        if back:
            with self._db.transaction():
                for video_id in back:
                    self._db.run("UPDATE latest SET released = 0 WHERE tracker = ? AND video_id = ?", tracker, video_id)
        counted = [row[1] for row in rows if records.to_entry(row).request.is_open and (row[1] in here or not row[-1])]
        return len(counted), sum(video_id not in here for video_id in counted)

    def released(self, tracker: str, video_ids: Iterable[str], now: datetime, run_id: str = "") -> None:
        """Somebody allowed these videos to be gone from the sheet; those without a request are passed over."""
        change = "UPDATE latest SET released = 1 WHERE tracker = ? AND video_id = ? AND released = 0"
        with self._write(tracker, now, run_id) as write:
            for video_id in video_ids:
                if self._db.run(change, tracker, video_id):
                    write.event(video_id, "released")

    def history(self, video_id: str, tracker: str | None = None) -> tuple[Event, ...]:
        """Everything that happened to a video, oldest first; without `tracker`, in all of them."""
        rows = self._db.rows(
            """SELECT at, tracker, video_id, run_id, kind, detail FROM event
            WHERE video_id = ? AND tracker = COALESCE(?, tracker) ORDER BY id""",
            *(video_id, tracker),
        )
        return tuple(
            Event(records.to_moment(at), name, video, run_id, kind, json.loads(detail))
            for at, name, video, run_id, kind, detail in rows
        )

    def entries(self, video_id: str, tracker: str | None = None) -> tuple[Generation, ...]:
        """Every ad code request of a video, oldest first; without `tracker`, in all of them."""
        rows = self._db.rows(
            f"""SELECT {records.ENTRY}, a.tracker FROM ad_code_request AS a
            WHERE a.video_id = ? AND a.tracker = COALESCE(?, a.tracker)
            ORDER BY COALESCE(a.created_at, a.found_at), a.found_at, a.request_id""",
            *(video_id, tracker),
        )
        codes: dict[tuple[str, object], list[tuple[datetime, str]]] = {}
        for event in self.history(video_id, tracker):
            if event.kind == "code":
                heard = codes.setdefault((event.tracker, event.detail["request_id"]), [])
                heard.append((event.at, str(event.detail["code"])))
        return tuple(
            Generation(row[-1], records.to_entry(row), tuple(codes.get((row[-1], row[0]), ()))) for row in rows
        )

    @contextmanager
    def _write(self, tracker: str, now: datetime, run_id: str) -> Iterator[_Writer]:
        writer = _Writer(self._db, tracker, records.to_utc(now), run_id)
        with self._db.transaction():
            yield writer


class _Writer:
    """What transactions of one tracker are made of; `at` is `now` as the tables hold it."""

    def __init__(self, db: Database, tracker: str, now: datetime, run_id: str) -> None:
        self._db, self._tracker, self._now, self._run_id = db, tracker, now, run_id
        self.at = records.to_text(now)

    def event(self, video_id: str, kind: str, **detail: object) -> None:
        """Append an event."""
        insert = "INSERT INTO event (id, at, tracker, video_id, run_id, kind, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
        told = json.dumps(detail)
        self._db.run(insert, self._db.next_id("event"), self.at, self._tracker, video_id, self._run_id, kind, told)

    def entry(self, request: AdCodeRequest) -> Entry | None:
        """What is known of this request so far."""
        select = (
            f"SELECT {records.ENTRY} FROM ad_code_request AS a WHERE tracker = ? AND video_id = ? AND request_id = ?"
        )
        rows = self._db.rows(select, self._tracker, request.video_id, request.id)
        return records.to_entry(rows[0]) if rows else None

    def record(
        self, request: AdCodeRequest, origin: Origin, charged: int | None = None, left: int | None = None
    ) -> tuple[Entry | None, Entry]:
        """Make this the video's latest request; returns what was known of it, and what is now."""
        old = self.entry(request)
        new = records.merged(old, Entry(request, origin, charged, left, self._now))
        key = {"tracker": self._tracker, "video_id": request.video_id, "request_id": request.id}
        self._db.put("ad_code_request", key, records.entry_columns(new), first={"found_at": self.at})
        video = {"tracker": self._tracker, "video_id": request.video_id}
        self._db.put("latest", video, {"request_id": request.id})
        return old, new

    def changes(self, old: Entry | None, new: Entry) -> bool:
        """Append what TokPortal changed between the two; True if a code was received."""
        video_id, request_id = new.request.video_id, new.request.id
        if old is not None and old.request.status != new.request.status:
            told = {"from": old.request.status, "to": new.request.status}
            self.event(video_id, "status", request_id=request_id, **told)
        if not new.request.code or (old is not None and old.request.code == new.request.code):
            return False
        self.event(video_id, "code", request_id=request_id, code=new.request.code)
        return True

    def has_unsettled(self, video_id: str) -> bool:
        """Whether an order for this video may be under way."""
        select = "SELECT 1 FROM intent WHERE tracker = ? AND video_id = ? AND state IN ('sending', 'uncertain')"
        return bool(self._db.rows(select, self._tracker, video_id))

    def insert(self, intent: Intent) -> None:
        """Keep a new intent."""
        self._db.put("intent", {"id": intent.id}, {"tracker": self._tracker, **records.intent_columns(intent)})

    def move(self, intent: Intent, state: IntentState) -> None:
        """The intent is in this state now, as of its own run and time."""
        update = "UPDATE intent SET state = ?, run_id = ?, created_at = ? WHERE tracker = ? AND id = ?"
        self._db.run(update, state, intent.run_id, records.to_text(intent.created_at), self._tracker, intent.id)

    def refuse(self, video_id: str, mark: Mark, http_status: int, text: str, retry_at: datetime) -> None:
        """Count TokPortal's no to this mark."""
        key = {"tracker": self._tracker, "video_id": video_id}
        select = f"SELECT {records.REFUSAL} FROM refusal WHERE tracker = ? AND video_id = ?"
        rows = self._db.rows(select, *key.values())
        new = Refusal(video_id, mark, http_status, text, 1, records.to_utc(retry_at))
        self._db.put(
            "refusal", key, records.refusal_columns(records.repeated(records.to_refusal(rows[0]), new) if rows else new)
        )

    def forget_refusal(self, video_id: str) -> None:
        """The mark has been served, or is gone."""
        self._db.run("DELETE FROM refusal WHERE tracker = ? AND video_id = ?", self._tracker, video_id)
