"""The recorder: what one run writes into the ledger about one tracker.

Owns what belongs together in one transaction, and what stands in the events. Decides nothing: what is ordered, adopted
or given up comes from the plan. Reading is store.py's, the shape of a row rows.py's.

Every key begins with the tracker: one client's codes can never turn up in another client's sheet. Events are only
ever appended.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sheetsync.clock import Clock
from sheetsync.ledger import rows
from sheetsync.ledger.database import UNSETTLED, Database
from sheetsync.model import PRICE, AdCodeRequest, Entry, Intent, IntentState, Mark, Origin, Price, Refusal
from sheetsync.steps import Memory, Offer, RowSeen, TypedValue

RUNS_KEPT = timedelta(days=90)
"""Summaries of runs are kept this long: a run every few minutes would otherwise fill the disk for nothing."""

LONGEST_PAUSE = timedelta(hours=6)
"""No refused mark rests longer (design 4)."""


REBUILT = "rebuilt"
BRAKED = "too many wishes"
"""The event that holds every order of a tracker, until a later one of its kind says that a person has confirmed."""


class Recorder:
    """Records for `tracker`, in the run `run_id`; made by `Ledger.recorder`.

    Each method is one transaction, on disk when it returns, with one instant: the clock's, once the transaction has
    begun. Errors as for `Ledger`; TakenOver where the tracker was held, and another run has taken it since.
    """

    _now: datetime  # the instant of the transaction that is open

    def __init__(self, database: Database, tracker: str, run_id: str, clock: Clock) -> None:
        self.tracker = tracker
        self._db, self._run_id, self._clock = database, run_id, clock

    def observe(self, requests: Iterable[AdCodeRequest], is_latest: bool = True) -> int:
        """Record what TokPortal says is each video's latest ad code request, or was; returns how many codes are new.

        What is known is never overwritten by nothing: a code, note or time that is no longer told stays.
        """
        codes = 0
        with self._transaction():
            for request in requests:
                old, new = self._record(request, Origin.FOUND, is_latest=is_latest)
                if old is None:
                    self._event(request.video_id, "found", request_id=request.id, status=request.status)
                codes += self._changes(old, new)
        return codes

    def looked(self, video_ids: Collection[str]) -> None:
        """TokPortal was asked about these videos, whatever came of it: the others' turn comes first next time."""
        with self._transaction():
            for video_id in video_ids:
                self._upsert("look", ("tracker", "video_id"), {"video_id": video_id, "at": rows.to_text(self._now)})

    def adopt(self, request: AdCodeRequest, origin: Origin, settles: Intent | None = None, price: int = PRICE) -> None:
        """Take over a request that exists; one that we ordered stays ordered, with its credits.

        `settles` is the intent whose lost answer this explains: it counts as accepted, and as charged `price`
        where no answer ever told it (the event says that this is assumed).
        """
        with self._transaction():
            known = self._entry(request)
            # That it was charged is certain, only the amount is not: None would lose it from what was spent.
            assumed = settles is not None and (known is None or known.credits_charged is None)
            old, new = self._record(request, Origin.ORDERED if settles else origin, price if assumed else None)
            self._forget_refusal(request.video_id)
            if settles:
                detail = {"request_id": request.id, "origin": Origin.ORDERED, "credits_charged": new.credits_charged}
                self._move(settles, IntentState.ACCEPTED, "adopted", **detail, credits_assumed=assumed)
            else:
                self._event(request.video_id, "adopted", request_id=request.id, origin=origin)
            self._changes(old, new)

    def begin(
        self, video_id: str, mark: Mark, previous_id: str | None, body: str, trail: Mapping[str, object] | None = None
    ) -> Intent:
        """Put an intent on disk, with a fresh idempotency key: once this returns, a crash cannot forget it.

        `trail` is who let the order pass, for the history.
        Raises ValueError if the video has an unsettled intent: both could be charged.
        """
        # TokPortal answers a key it has seen with the order of then: a resend keeps it, a new wish must not share it.
        key = uuid.uuid4().hex
        with self._transaction():
            unsettled = f"intent WHERE tracker = ? AND video_id = ? AND {UNSETTLED}"
            if self._db.read(Intent, unsettled, self.tracker, video_id):
                raise ValueError(f"video {video_id} of tracker {self.tracker} has an unsettled intent")
            begun = self._db.next_id("intent"), video_id, mark, previous_id, key, body, self._run_id, self._now
            intent = Intent(*begun, IntentState.SENDING)
            self._upsert("intent", ("id",), rows.to_columns(intent))
            detail = {"intent": intent.id, "mark": mark, "previous_id": previous_id, "idempotency_key": key}
            self._event(video_id, "intent", **detail, **(trail or {}))
        return intent

    def unsettled_beside(self, video_id: str) -> int:
        """How many orders have no clear end as yet, whichever tracker's, but for the one of this video."""
        others = f"SELECT COUNT(*) FROM intent WHERE {UNSETTLED} AND NOT (tracker = ? AND video_id = ?)"
        ((count,),) = self._db.select(others, self.tracker, video_id)
        return int(count)

    def charged_beside(self) -> int:
        """What the requests of the other trackers have cost: several machines may order from one purse at once."""
        charged = "SELECT COALESCE(SUM(credits_charged), 0) FROM ad_code_request WHERE tracker <> ?"
        ((credits,),) = self._db.select(charged, self.tracker)
        return int(credits)

    def resending(self, intent: Intent) -> Intent:
        """Mark an intent as about to be sent again, with the same key and body.

        The intent returned bears this run and this instant, so that the wait before yet another look begins anew; when
        it was first sent stays in the history.
        """
        with self._transaction():
            again = replace(intent, run_id=self._run_id, created_at=self._now, state=IntentState.SENDING)
            self._move(again, IntentState.SENDING, "resend", idempotency_key=intent.idempotency_key)
        return again

    def accepted(self, intent: Intent, request: AdCodeRequest, charged: int | None, left: int | None) -> None:
        """TokPortal took the order: the intent is settled, and the request is the video's latest, ordered by us.

        Credits are None where the answer does not name them: a price that nobody told is never made up here.
        """
        credits = {"credits_charged": charged, "credits_left": left}
        with self._transaction():
            old, new = self._record(request, Origin.ORDERED, charged, left)
            self._forget_refusal(intent.video_id)
            self._move(intent, IntentState.ACCEPTED, "ordered", request_id=request.id, mark=intent.mark, **credits)
            self._changes(old, new)

    def refused(self, intent: Intent, http_status: int, text: str, pause: timedelta | None = None) -> str:
        """TokPortal said a definite no: the intent is settled, and its key spent; the mark may try after `pause`.

        Without a pause it says nothing about the mark (429, 401, ordered by somebody else), which may try at once.
        Returns the text for the row: the earlier one where this differs from it in nothing but a support id.
        """
        with self._transaction():
            kept = self._refuse(intent.video_id, intent.mark, http_status, text, pause) if pause else text
            self._move(intent, IntentState.REFUSED, "refused", http_status=http_status, text=text)
        return kept

    def uncertain(self, intent: Intent, detail: str) -> None:
        """The call ended without a clear answer: only a look at TokPortal can settle the intent."""
        with self._transaction():
            self._move(intent, IntentState.UNCERTAIN, "uncertain", detail=detail)

    def lapse(self, intent: Intent) -> None:
        """Give up an intent that never happened and that nobody wants any more."""
        with self._transaction():
            self._move(intent, IntentState.LAPSED, "lapsed")

    def rest(self, video_id: str, mark: Mark, text: str, pause: timedelta) -> str:
        """A mark that nothing is done for, without TokPortal having said so: it is looked at again after `pause`."""
        with self._transaction():
            return self._refuse(video_id, mark, 0, text, pause)

    def served(self, video_id: str, mark: Mark, request_id: str) -> None:
        """A mark is done and could not be cleared: it is no new wish as long as its row shows this request."""
        with self._transaction():
            values = {"video_id": video_id, "mark": mark.value, "request_id": request_id}
            self._upsert("served", ("tracker", "video_id"), values)

    def cleared(self, video_ids: Iterable[str]) -> None:
        """The marks of these videos are known to be gone: the next one is a new wish."""
        gone = tuple(video_ids)
        if gone:  # most runs clear nothing
            with self._transaction():
                for video_id in gone:
                    self._db.execute("DELETE FROM served WHERE tracker = ? AND video_id = ?", self.tracker, video_id)

    def forget_refusals(self, video_ids: Iterable[str]) -> None:
        """The marks of these videos are gone: a new one starts without the pauses of the old."""
        with self._transaction():
            for video_id in video_ids:
                self._forget_refusal(video_id)

    def correcting(self, request: AdCodeRequest, feedback: str) -> None:
        """A correction is about to be sent."""
        detail = {"request_id": request.id, "code": request.code, "feedback": feedback}
        with self._transaction():
            self._event(request.video_id, "correction intent", **detail)

    def corrected(self, request: AdCodeRequest) -> None:
        """The correction was taken: `request.code` is the one reported as not working."""
        with self._transaction():
            self._forget_refusal(request.video_id)
            self._event(request.video_id, "correction sent", request_id=request.id, code=request.code)

    def correction_failed(self, request: AdCodeRequest, http_status: int, text: str, pause: timedelta) -> str:
        """TokPortal said no to a correction: the mark may try again after `pause`. Returns what `refused` does."""
        detail = {"request_id": request.id, "http_status": http_status, "text": text}
        with self._transaction():
            kept = self._refuse(request.video_id, Mark.CORRECT, http_status, text, pause)
            self._event(request.video_id, "correction failed", **detail)
        return kept

    def saw_columns(self, keys: Collection[str]) -> None:
        """The sheet has these columns: an approval that vanishes later is not taken for one that nobody wants."""
        insert = "INSERT INTO column_seen (tracker, column_key, seen_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        if keys:  # nearly never: no write for nothing in every run
            with self._transaction():
                for key in keys:
                    self._db.execute(insert, self.tracker, key, rows.to_text(self._now))

    def offer(self, offer: Offer) -> None:
        """The Summary tab has been seen to offer these orders: the number typed there from now on is for them."""
        with self._transaction():
            values = {"wishes": json.dumps(sorted(offer.wishes)), "credits": offer.credits}
            self._upsert("offer", ("tracker",), values)

    def withdraw_offer(self) -> None:
        """A number in the Summary tab allows nothing any more: it is being used, or what it was for has changed."""
        with self._transaction():
            self._db.execute("DELETE FROM offer WHERE tracker = ?", self.tracker)

    def lock_price(self, api_key: str, price: Price, why: str) -> None:
        """An order cost something else than expected, or did not say what: this API key orders no more."""
        self._put_price(api_key, replace(price, lock=why))

    def accept_price(self, api_key: str, credits: int, lifted: str = "") -> None:
        """A person accepts what an ad code costs: orders are sent again, and may cost at most that."""
        self._put_price(api_key, Price(credits, is_accepted=True, lifted=lifted))

    def _put_price(self, api_key: str, price: Price) -> None:
        values = (api_key, price.credits, price.is_accepted, price.lock, price.lifted)
        columns = ("credits", "is_accepted", "lock", "lifted", "told_at")
        with self._transaction():
            self._db.execute(
                f"""INSERT INTO price (api_key, {", ".join(columns)}) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (api_key) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in columns)}""",
                *(*values, rows.to_text(self._now)),
            )

    def remember(self, memory: Memory) -> bool:
        """Keep what rows say, before they are written; False where there is nothing new, as in most runs."""
        if memory == Memory():
            return False
        with self._transaction():
            for entry in memory.imported:
                self._import(entry)
            update = "UPDATE ad_code_request SET {} = ? WHERE tracker = ? AND video_id = ? AND request_id = ?"
            for column, told in (("credits_charged", memory.charges), ("authorization_days", memory.days)):
                for video_id, request_id, amount in told:
                    self._db.execute(update.format(column), amount, self.tracker, video_id, request_id)
            for video_id, credits in memory.opening:
                self._upsert("opening", ("tracker", "video_id"), {"video_id": video_id, "credits": credits})
            for value in memory.typed:
                self._keep_typed(value)
        return True

    def _import(self, entry: Entry) -> None:
        """A request, or a code without one, that only a row told of: it is never the latest."""
        request = entry.request
        values = {**rows.to_columns(entry), "found_at": rows.to_text(self._now)}
        self._upsert("ad_code_request", ("tracker", "video_id", "request_id"), values, "found_at")
        self._event(request.video_id, "imported", request_id=request.id, status=request.status)
        self._changes(None, entry)

    def _keep_typed(self, typed: TypedValue) -> None:
        cell = {"video_id": typed.video_id, "column_key": typed.column}
        key, value = ("tracker", "video_id", "column_key"), {"value": json.dumps(typed.value)}
        if typed.is_last:
            self._upsert("typed_last", key, {**cell, **value})
        else:
            # it was the next code's, which has come
            forget = "DELETE FROM typed WHERE tracker = ? AND video_id = ? AND column_key = ? AND code = ''"
            self._db.execute(forget, self.tracker, *cell.values())
        self._upsert("typed", (*key, "code"), {**cell, "code": typed.code, **value})

    def rebuilt(self, is_confirmed: bool = False) -> None:
        """This ledger is being made of what the sheet and TokPortal tell; or a person has looked through the result."""
        with self._transaction():
            self._event("", f"{REBUILT}, confirmed" if is_confirmed else REBUILT)

    def brake(self, wishes: Collection[tuple[str, str]]) -> None:
        """So many wishes (video id, mark) were too many; none: those that were have stood still, or are gone."""
        with self._transaction():
            self._event("", BRAKED, wishes=sorted(wishes))

    def correct_future(self) -> None:
        """Instants that this machine's clock recorded before it was set back are now: a future one would never pass."""
        with self._transaction():
            now, latest_retry = rows.to_text(self._now), rows.to_text(self._now + LONGEST_PAUSE)
            for update, instant in (
                (f"UPDATE intent SET created_at = ? WHERE tracker = ? AND created_at > ? AND {UNSETTLED}", now),
                ("UPDATE ad_code_request SET seen_at = ? WHERE tracker = ? AND seen_at > ?", now),
                ("UPDATE look SET at = ? WHERE tracker = ? AND at > ?", now),
                ("UPDATE run SET started_at = ? WHERE tracker = ? AND started_at > ?", now),
                ("UPDATE run SET finished_at = ? WHERE tracker = ? AND finished_at > ?", now),
                ("UPDATE refusal SET retry_at = ? WHERE tracker = ? AND retry_at > ?", latest_retry),
            ):
                self._db.execute(update, instant, self.tracker, instant)

    def saw_rows(self, seen: Collection[RowSeen], is_all: bool) -> None:
        """Keep what a run saw of rows, where it is news; with `is_all` the rows of other videos are gone."""
        known = {row.video_id: row for row in self._db.read(RowSeen, "row_seen WHERE tracker = ?", self.tracker)}
        rows_now = ((known.pop(row.video_id, None), row) for row in seen)
        news = [now for old, row in rows_now if (now := rows.seen_again(old, row)) != old]
        gone = known.keys() if is_all else ()
        if news or gone:  # most runs see nothing new: no write for nothing
            with self._transaction():
                for row in news:
                    self._upsert("row_seen", ("tracker", "video_id"), rows.to_columns(row))
                for video_id in gone:
                    self._db.execute("DELETE FROM row_seen WHERE tracker = ? AND video_id = ?", self.tracker, video_id)

    def pending_write(self) -> str | None:
        """The payload of a sheet write that was begun and not verified."""
        pending = self._db.select("SELECT payload FROM pending_write WHERE tracker = ?", self.tracker)
        return pending[0][0] if pending else None

    def begin_write(self, payload: str) -> None:
        """Put the sheet write that is about to be sent on disk; it takes the place of an earlier one."""
        with self._transaction():
            self._upsert("pending_write", ("tracker",), {"payload": payload, "begun_at": rows.to_text(self._now)})

    def end_write(self) -> None:
        """The pending sheet write has been verified."""
        with self._transaction():
            self._db.execute("DELETE FROM pending_write WHERE tracker = ?", self.tracker)

    def record_run(self, started_at: datetime, exit_code: int, summary: str) -> None:
        """The run is finished: keep its summary, and of those older than RUNS_KEPT the number. The last one holds."""
        with self._transaction():
            times = {"started_at": rows.to_text(started_at), "finished_at": rows.to_text(self._now)}
            values = {**times, "run_id": self._run_id, "exit_code": exit_code, "summary": summary}
            self._upsert("run", ("tracker", "started_at", "run_id"), values)
            old = self.tracker, rows.to_text(started_at - RUNS_KEPT)
            self._db.execute(
                """INSERT INTO run_gone SELECT tracker, exit_code, COUNT(*) FROM run
                WHERE tracker = ? AND started_at < ? GROUP BY tracker, exit_code
                ON CONFLICT (tracker, exit_code) DO UPDATE SET runs = run_gone.runs + excluded.runs""",
                *old,
            )
            self._db.execute("DELETE FROM run WHERE tracker = ? AND started_at < ?", *old)

    def set_balance(self, credits: int) -> None:
        """TokPortal told the credit balance."""
        with self._transaction():
            self._upsert("balance", ("tracker",), {"credits": credits, "told_at": rows.to_text(self._now)})

    def release(self, video_ids: Iterable[str]) -> None:
        """Somebody allowed these videos to be gone from the sheet; those without a request are passed over."""
        # Only what was not released yet, or each later run that allows it would add an event.
        update = "UPDATE latest SET released = 1 WHERE tracker = ? AND video_id = ? AND released = 0"
        with self._transaction():
            for video_id in video_ids:
                if self._db.execute(update, self.tracker, video_id):
                    self._event(video_id, "released")

    def end_releases(self, present: Collection[str]) -> None:
        """Released videos that are `present` in the sheet again are to be missed when they go once more."""
        released = self._db.select("SELECT video_id FROM latest WHERE tracker = ? AND released = 1", self.tracker)
        back = [video_id for (video_id,) in released if video_id in present]
        if back:  # nearly never: no write for nothing in every run
            with self._transaction():
                for video_id in back:
                    update = "UPDATE latest SET released = 0 WHERE tracker = ? AND video_id = ?"
                    self._db.execute(update, self.tracker, video_id)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._db.transaction():
            # Not before: waiting for another process could put an older instant behind a younger one.
            self._now = rows.to_utc(self._clock.now())
            self._db.stand_fast(self.tracker)
            yield

    def _upsert(self, table: str, key: Collection[str], values: Mapping[str, object], *kept: str) -> None:
        """Insert a row, or change the one whose `key` columns say the same; of that one the `kept` columns stay."""
        values = {"tracker": self.tracker, **values}
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in (*key, *kept))
        # The names of tables and columns are the ledger's own, never data.
        self._db.execute(
            f"""INSERT INTO {table} ({", ".join(values)}) VALUES ({", ".join("?" * len(values))})
            ON CONFLICT ({", ".join(key)}) DO UPDATE SET {changes}""",
            *values.values(),
        )

    def _event(self, video_id: str, kind: str, **detail: object) -> None:
        # Numbered, since events of one transaction share their instant and have an order all the same.
        values = {"id": self._db.next_id("event"), "at": rows.to_text(self._now), "video_id": video_id}
        self._upsert("event", ("id",), {**values, "run_id": self._run_id, "kind": kind, "detail": json.dumps(detail)})

    def _entry(self, request: AdCodeRequest) -> Entry | None:
        """What is known of this request so far."""
        source = "ad_code_request WHERE tracker = ? AND video_id = ? AND request_id = ?"
        return next(iter(self._db.read(Entry, source, self.tracker, request.video_id, request.id)), None)

    def _record(
        self,
        request: AdCodeRequest,
        origin: Origin,
        charged: int | None = None,
        left: int | None = None,
        is_latest: bool = True,
    ) -> tuple[Entry | None, Entry]:
        """Keep a request, as the video's latest or not; returns what was known of it, and what is now."""
        old = self._entry(request)
        new = rows.merged(old, Entry(request, origin, charged, left, self._now))
        # `latest` follows what TokPortal names now, be it an earlier request again; `found_at` is of the first time.
        values = {**rows.to_columns(new), "found_at": rows.to_text(self._now)}
        self._upsert("ad_code_request", ("tracker", "video_id", "request_id"), values, "found_at")
        if is_latest:
            self._upsert("latest", ("tracker", "video_id"), {"video_id": request.video_id, "request_id": request.id})
        return old, new

    def _changes(self, old: Entry | None, new: Entry) -> bool:
        """Append what TokPortal changed between the two; True if a code was received."""
        request, before = new.request, old and old.request
        if before and before.status != request.status:
            change = {"from": before.status, "to": request.status}
            self._event(request.video_id, "status", request_id=request.id, **change)
        if not request.code or (before and before.code == request.code):
            return False
        self._event(request.video_id, "code", request_id=request.id, code=request.code)
        return True

    def _move(self, intent: Intent, state: IntentState, kind: str, **detail: object) -> None:
        """The intent is in this state now, as of its own run and time, by an event of this kind."""
        update = "UPDATE intent SET state = ?, run_id = ?, created_at = ? WHERE tracker = ? AND id = ?"
        self._db.execute(update, state, intent.run_id, rows.to_text(intent.created_at), self.tracker, intent.id)
        self._event(intent.video_id, kind, intent=intent.id, **detail)

    def _refuse(self, video_id: str, mark: Mark, http_status: int, text: str, pause: timedelta) -> str:
        """Count TokPortal's no to this mark; returns its text as it is kept."""
        refusal = Refusal(video_id, mark, http_status, text, 1, self._now + pause)
        for earlier in self._db.read(Refusal, "refusal WHERE tracker = ? AND video_id = ?", self.tracker, video_id):
            refusal = rows.repeated(earlier, refusal)
        self._upsert("refusal", ("tracker", "video_id"), rows.to_columns(refusal))
        return refusal.text

    def _forget_refusal(self, video_id: str) -> None:
        """The mark has been served, or is gone."""
        self._db.execute("DELETE FROM refusal WHERE tracker = ? AND video_id = ?", self.tracker, video_id)
