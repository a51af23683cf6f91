"""The outbox: alerts that were decided, and to whom each was told.

Owns what alerts are decided from, the record of them, and the claim that keeps two processes from telling one alert
twice. Decides nothing: what is told is `alerts/`'s. Each method that writes is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sheetsync.alerts.alert import (
    HAPPENINGS,
    LONGEST_PAUSE,
    Alert,
    Delivery,
    Happening,
    Kind,
    PurseFacts,
    RunEnded,
    Told,
    TrackerFacts,
)
from sheetsync.alerts.digest import Message
from sheetsync.clock import Clock
from sheetsync.ledger import rows
from sheetsync.ledger.authorized import trouble
from sheetsync.ledger.database import Database
from sheetsync.steps import RowSeen

FIRST_PAUSE = timedelta(minutes=4)
"""A receiver that fails is tried again in the next run, five minutes on, then after pauses twice as long each."""

_IS_OPEN = "over_at IS NULL AND closed_at IS NULL"
_CHANGES = "tracker = ? AND id > ? AND kind IN ('code', 'status', 'imported') ORDER BY id"


class Outbox:
    """Alerts of every tracker; made by `Ledger.outbox`. Errors as for `Ledger`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def facts(self, tracker: str) -> TrackerFacts:
        """What the alerts of a tracker are decided from. At the first look what happened before is old."""
        ((newest,),) = self._db.select("SELECT COALESCE(MAX(id), 0) FROM event")
        seen = self._db.select("SELECT event_id FROM alert_cursor WHERE tracker = ?", tracker)
        cursor = seen[0][0] if seen else newest
        happened = tuple(self._db.read(Happening, f"event WHERE {_CHANGES}", tracker, cursor))
        latest = """SELECT video_id, request_id, status FROM latest JOIN ad_code_request
            USING (tracker, video_id, request_id) WHERE tracker = ?"""
        ((good,),) = self._db.select("SELECT MAX(started_at) FROM run WHERE tracker = ? AND exit_code = 0", tracker)
        since_good = "run WHERE tracker = ? AND started_at > ? ORDER BY started_at"
        present = "tracker = ? AND (video_id = '' OR video_id IN (SELECT video_id FROM row_seen WHERE tracker = ?))"
        told = self._db.read(Alert, f"alert WHERE {present} ORDER BY decided_at", tracker, tracker)
        return TrackerFacts(
            rows={row.video_id: row for row in self._db.read(RowSeen, "row_seen WHERE tracker = ?", tracker)},
            happenings=happened,
            known_codes=self._known_codes(tracker, cursor) if happened else frozenset(),
            latest={video: (request_id, status) for video, request_id, status in self._db.select(latest, tracker)},
            runs=tuple(self._db.read(RunEnded, since_good, tracker, good or "")),
            last_good=datetime.fromisoformat(good) if good else None,
            open=tuple(told.alert for told in self.open() if told.alert.tracker == tracker and _happened(told.alert)),
            told={alert.subject: alert for alert in told if alert.subject},
            cursor=newest,
            trouble=trouble(self._db, tracker),
        )

    def _known_codes(self, tracker: str, cursor: int) -> frozenset[str]:
        before = self._db.read(Happening, "event WHERE tracker = ? AND kind = 'code' AND id <= ?", tracker, cursor)
        return frozenset(str(event.detail["request_id"]) for event in before)

    def purse(self, api_key: str) -> PurseFacts:
        """What is known of the credits of an API key, which is named by its fingerprint."""
        balances = self._db.select("SELECT credits, told_at FROM balance ORDER BY told_at DESC, credits LIMIT 1")
        prices = self._db.select("SELECT credits, lock, told_at FROM price WHERE api_key = ?", api_key)
        low = self._db.read(Alert, "alert WHERE kind = ? AND over_at IS NULL", Kind.CREDITS)
        facts = PurseFacts(api_key, low=next(iter(low), None))
        for credits, told_at in balances:
            facts = replace(facts, balance=(credits, datetime.fromisoformat(told_at)))
        for price, lock, told_at in prices:
            facts = replace(facts, price=price, lock=lock, locked_at=datetime.fromisoformat(told_at))
        return facts

    def open(self) -> tuple[Told, ...]:
        """The alerts that are so, and that not all who should have been told."""
        return self._told(f"alert WHERE {_IS_OPEN} ORDER BY decided_at, id")

    def newest(self, most: int) -> tuple[Told, ...]:
        """The last alerts that were decided, newest first."""
        return self._told("alert ORDER BY decided_at DESC, id LIMIT ?", most)

    def _told(self, source: str, *values: object) -> tuple[Told, ...]:
        columns = rows.column_list(Alert)
        found = self._db.select(f"SELECT {columns}, decided_at, over_at, closed_at FROM {source}", *values)

        def told(row: tuple[Any, ...]) -> Told:
            decided, over, closed = (at and datetime.fromisoformat(at) for at in row[-3:])
            return Told(rows.from_row(Alert, row), decided, over, closed, self._of(row[0]))

        return tuple(map(told, found))

    def _of(self, alert_id: str) -> tuple[Delivery, ...]:
        return tuple(self._db.read(Delivery, "delivery WHERE alert_id = ? ORDER BY receiver", alert_id))

    def heard(self, alert_id: str) -> frozenset[str]:
        """The receivers that were told, or may have been, by their keys."""
        return frozenset(each.receiver for each in self._of(alert_id) if each.sent_at or each.message)

    def record(self, found: Sequence[Alert], cursors: Mapping[str, int]) -> None:
        """Keep all that is so now: of the trackers with a cursor, and of all of them. What else was open is over."""
        now = rows.to_text(self._clock.now())
        with self._db.transaction():
            for alert in found:
                self._keep(alert, now)
            ids = {alert.id for alert in found}
            for alert_id, tracker in self._db.select("SELECT id, tracker FROM alert WHERE over_at IS NULL"):
                if alert_id not in ids and tracker in ("", *cursors):
                    self._db.execute("UPDATE alert SET over_at = ? WHERE id = ?", now, alert_id)
            for tracker, cursor in cursors.items():
                self._db.execute(
                    """INSERT INTO alert_cursor (tracker, event_id) VALUES (?, ?)
                    ON CONFLICT (tracker) DO UPDATE SET event_id = excluded.event_id
                    WHERE alert_cursor.event_id < excluded.event_id""",
                    tracker,
                    cursor,
                )

    def _keep(self, alert: Alert, now: str) -> None:
        """Insert an alert; one that is known keeps its times, and is no longer over."""
        values = rows.to_columns(alert)
        known = self._db.read(Alert, "alert WHERE id = ? AND over_at IS NULL", alert.id)
        if known == [alert]:  # nearly always: no write for nothing
            return
        changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in ("id", "moment"))
        self._db.execute(
            f"""INSERT INTO alert ({", ".join(values)}, decided_at) VALUES ({"?, " * len(values)}?)
            ON CONFLICT (id) DO UPDATE SET {changes}, over_at = NULL""",
            *values.values(),
            now,
        )

    def off(self) -> None:
        """Nobody is to be told: what happens until somebody is again will be old then."""
        if self._db.select("SELECT 1 FROM alert_cursor LIMIT 1"):
            with self._db.transaction():
                self._db.execute("DELETE FROM alert_cursor")
                self._db.execute("UPDATE alert SET over_at = ? WHERE over_at IS NULL", rows.to_text(self._clock.now()))

    def claim(self, message: Message, until: timedelta) -> bool:
        """Put on disk that a message is being sent, for so long; False if another process has it, or has sent it."""
        now = self._clock.now()
        claimed = {"message": message.id, "retry_at": rows.to_text(now + until)}
        with self._db.transaction():
            tried = {alert.id: self._tried(alert.id, message.receiver.key) for alert in message.alerts}
            if any(each and (each.sent_at or each.rests(now)) for each in tried.values()):
                return False
            for alert_id, earlier in tried.items():
                first = Delivery(alert_id, message.receiver.key, message.receiver.label, "", 0, now)
                self._put(replace(earlier or first, attempts=(earlier.attempts if earlier else 0) + 1), claimed)
        return True

    def answered(self, message: Message, is_sent: bool, is_clear: bool, problem: str) -> None:
        """What became of a message that was claimed; where that is not clear, it is the same message next time."""
        now = self._clock.now()
        with self._db.transaction():
            for alert in message.alerts:
                if tried := self._tried(alert.id, message.receiver.key):
                    retry_at = now + min(FIRST_PAUSE * 2 ** min(tried.attempts - 1, 10), LONGEST_PAUSE)
                    self._put(
                        replace(tried, retry_at=retry_at, sent_at=now if is_sent else None, problem=problem),
                        {"message": message.id if is_sent or not is_clear else ""},
                    )

    def _tried(self, alert_id: str, receiver: str) -> Delivery | None:
        return next(
            iter(self._db.read(Delivery, "delivery WHERE alert_id = ? AND receiver = ?", alert_id, receiver)), None
        )

    def _put(self, delivery: Delivery, changes: Mapping[str, object]) -> None:
        values = {**rows.to_columns(delivery), **changes}
        told = ", ".join(f"{name} = excluded.{name}" for name in values if name not in ("alert_id", "receiver"))
        self._db.execute(
            f"""INSERT INTO delivery ({", ".join(values)}) VALUES ({", ".join("?" * len(values))})
            ON CONFLICT (alert_id, receiver) DO UPDATE SET {told}""",
            *values.values(),
        )

    def close(self, alert_ids: Collection[str]) -> None:
        """All who should be told have been: who becomes a receiver later is not told of these."""
        if alert_ids:
            with self._db.transaction():
                for alert_id in alert_ids:
                    closed = rows.to_text(self._clock.now())
                    self._db.execute("UPDATE alert SET closed_at = ? WHERE id = ?", closed, alert_id)


def _happened(alert: Alert) -> bool:
    return alert.kind in HAPPENINGS
