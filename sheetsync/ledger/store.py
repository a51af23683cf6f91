"""The ledger: every ad code request, intent, refusal and event of every tracker.

Owns opening it, reading from it, and holding a tracker. What a run writes is recorder.py's; the file, its tables and
its failures are database.py's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sheetsync.clock import Clock
from sheetsync.ledger.authorized import Authorized, authorizations
from sheetsync.ledger.database import UNSETTLED
from sheetsync.ledger.filled import FilledVideos
from sheetsync.ledger.opening import opened
from sheetsync.ledger.outbox import Outbox
from sheetsync.ledger.recorder import BRAKED, REBUILT, Recorder
from sheetsync.ledger.rows import column_list, from_row, to_text, to_utc
from sheetsync.model import Entry, Intent, Known, Origin, Price, Refusal, Scalar, Typed
from sheetsync.projected import Charge
from sheetsync.state import State
from sheetsync.steps import Event, Offer, RowSeen

_OWNERS = "SELECT request_id, video_id FROM ad_code_request WHERE tracker = ?"
_LOOKED = "SELECT video_id, at FROM look WHERE tracker = ?"
_CODES = "SELECT detail, video_id FROM event WHERE tracker = ? AND kind = 'code' ORDER BY id DESC"
_TYPED = "SELECT video_id, column_key, code, value FROM typed WHERE tracker = ?"
_TYPED_LAST = "SELECT video_id, column_key, value FROM typed_last WHERE tracker = ?"
_OPENING = "SELECT video_id, credits FROM opening WHERE tracker = ?"
_REBUILT = f"SELECT kind FROM event WHERE video_id = '' AND tracker = ? AND kind LIKE '{REBUILT}%' ORDER BY id DESC"
_BRAKED = f"SELECT detail FROM event WHERE video_id = '' AND tracker = ? AND kind = '{BRAKED}' ORDER BY id DESC LIMIT 1"
_SERVED = "SELECT video_id, mark, request_id FROM served WHERE tracker = ?"


@dataclass(frozen=True, slots=True)
class Generation:
    """One ad code request of a video, with every code it ever carried: (when it was received, code), oldest first."""

    tracker: str
    entry: Entry
    codes: tuple[tuple[datetime, str], ...]

    @property
    def brought_code(self) -> bool:
        """Whether a later one renews it."""
        return bool(self.codes or self.entry.request.code)


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run of one tracker; instants are aware UTC, `summary` is the text that was recorded."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    summary: str


def _age(entry: Entry) -> tuple[bool, datetime]:
    """What sorts a video's requests by age: a code whose request nobody knows is older than all that are known."""
    is_known = entry.origin not in (Origin.IMPORTED, Origin.TYPED) or entry.request.created_at is not None
    return is_known, entry.request.created_at or entry.seen_at


class Ledger:
    """What is known of all trackers. Use it from one thread.

    Instants that go in are aware datetimes in any zone (a naive one is a ValueError); those that come out are UTC.
    Every method raises Unavailable when the disk fails or another process keeps the database busy, and ConfigError
    when the file turns out to be damaged or read-only.
    """

    def __init__(self, state: State | None, durable: bool = True, read_only: bool = False) -> None:
        """Open or create the ledger in a file or on a server (None: in memory).

        A commit is on disk before a method returns, unless `durable` is False: then a power cut may undo it.
        With `read_only` it is what the ledger says now (nothing, where there is no file yet); nothing can be recorded,
        and neither the file nor its folder has to be writable, or changes.
        Raises ConfigError if the file is not a ledger, is damaged, or is of a newer version; Unavailable if busy.
        """
        self._db = opened(state, durable, read_only)
        self.name = self._db.name

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; closing twice is no error."""
        self._db.close()

    def lock(self, tracker: str, holder_note: str, now: datetime) -> AbstractContextManager[None]:
        """Hold `tracker` against every other run, in this process or another, and on a server in any.

        It ends with its process, however that dies. Raises Locked, on entering, when it is held; `holder_note` and
        `now` tell the other who it waits for.
        """
        return self._db.hold(tracker, holder_note, to_utc(now))

    def recorder(self, tracker: str, run_id: str, clock: Clock) -> Recorder:
        """What writes for one tracker within one run; `run_id` is the empty string where no run is known."""
        return Recorder(self._db, tracker, run_id, clock)

    def outbox(self, clock: Clock) -> Outbox:
        """The alerts of all trackers, and what became of telling them."""
        return Outbox(self._db, clock)

    def filled(self, tracker: str, tab: str, clock: Clock) -> FilledVideos:
        """The videos that `fill` has sent to a tab, or met there."""
        return FilledVideos(self._db, tracker, tab, clock)

    def authorized(self, tracker: str, run_id: str, clock: Clock) -> Authorized:
        """What TikTok said of the codes of a tracker."""
        return Authorized(self._db, tracker, run_id, clock)

    def known(self, tracker: str) -> Known:
        """All that the plan and the projection need of one tracker."""
        latest = "latest JOIN ad_code_request USING (tracker, video_id, request_id) WHERE tracker = ?"
        unsettled = f"intent WHERE tracker = ? AND {UNSETTLED}"
        latest_of = {entry.request.video_id: entry for entry in self._db.read(Entry, latest, tracker)}
        return Known(
            latest_of,
            {intent.video_id: intent for intent in self._db.read(Intent, unsettled, tracker)},
            {refusal.video_id: refusal for refusal in self._db.read(Refusal, "refusal WHERE tracker = ?", tracker)},
            {video: (mark, request_id) for video, mark, request_id in self._db.select(_SERVED, tracker)},
            columns_seen=frozenset(
                k for (k,) in self._db.select("SELECT column_key FROM column_seen WHERE tracker = ?", tracker)
            ),
            owners=dict(self._db.select(_OWNERS, tracker)),
            looked={video: datetime.fromisoformat(at) for video, at in self._db.select(_LOOKED, tracker)},
            earlier=self._earlier(tracker, latest_of),
            codes={str(json.loads(detail)["code"]): video for detail, video in self._db.select(_CODES, tracker)},
            typed=self._typed(tracker),
            opening=dict(self._db.select(_OPENING, tracker)),
            is_rebuilt=self._db.select(_REBUILT, tracker)[:1] == [(REBUILT,)],
            braked=frozenset(
                (video, mark)
                for (detail,) in self._db.select(_BRAKED, tracker)
                for video, mark in json.loads(detail)["wishes"]
            ),
            authorizations=authorizations(self._db, tracker),
        )

    def _earlier(self, tracker: str, latest: Mapping[str, Entry]) -> Mapping[str, tuple[Entry, ...]]:
        found: dict[str, list[Entry]] = {}
        for entry in self._db.read(Entry, "ad_code_request WHERE tracker = ?", tracker):
            video = entry.request.video_id
            if video not in latest or latest[video].request.id != entry.request.id:
                found.setdefault(video, []).append(entry)
        return {video: tuple(sorted(entries, key=_age, reverse=True)) for video, entries in found.items()}

    def _typed(self, tracker: str) -> Mapping[tuple[str, str], Typed]:
        by_code: dict[tuple[str, str], dict[str, Scalar]] = {}
        for video, column, code, value in self._db.select(_TYPED, tracker):
            by_code.setdefault((video, column), {})[code] = json.loads(value)
        return {
            (video, column): Typed(json.loads(last), by_code.get((video, column), {}))
            for video, column, last in self._db.select(_TYPED_LAST, tracker)
        }

    def unsettled(self) -> int:
        """How many orders of all trackers are not settled: each may have cost credits."""
        return len(self._db.select(f"SELECT id FROM intent WHERE {UNSETTLED}"))

    def left_by_orders(self, since: datetime, until: datetime) -> int | None:
        """The balance that the newest answer to an order told, whichever tracker's; None if none came in that time."""
        answers = self._db.select(
            """SELECT credits_left FROM ad_code_request WHERE found_at BETWEEN ? AND ? AND credits_left IS NOT NULL
            ORDER BY found_at DESC, credits_left LIMIT 1""",
            to_text(since),
            to_text(until),
        )
        return next((int(credits) for (credits,) in answers), None)

    def orders_untold(self, since: datetime, until: datetime) -> int:
        """How many orders of that time have told no balance, and no later one has, whichever tracker's."""
        ((orders,),) = self._db.select(
            """SELECT COUNT(*) FROM ad_code_request WHERE origin = ? AND credits_left IS NULL AND found_at >= COALESCE(
            (SELECT MAX(found_at) FROM ad_code_request WHERE found_at BETWEEN ? AND ? AND credits_left IS NOT NULL), ?)
            AND found_at <= ?""",
            Origin.ORDERED,
            *map(to_text, (since, until, since, until)),
        )
        return int(orders)

    def price(self, api_key: str) -> Price:
        """What an ad code may cost for an API key, which is named by its fingerprint."""
        prices = self._db.select("SELECT credits, is_accepted, lock, lifted FROM price WHERE api_key = ?", api_key)
        return next((Price(credits, bool(accepted), *locks) for credits, accepted, *locks in prices), Price())

    def offer(self, tracker: str) -> Offer | None:
        """The orders that the Summary tab was last seen to offer, if nobody has allowed them since."""
        offers = self._db.select("SELECT wishes, credits FROM offer WHERE tracker = ?", tracker)
        return next((Offer(frozenset(map(tuple, json.loads(wishes))), credits) for wishes, credits in offers), None)

    def gone_open(self, tracker: str, present: Collection[str]) -> tuple[int, int]:
        """How many open requests are known, and of these, how many have a video that is not `present` in the sheet.

        Released videos do not count until they are present again.
        """
        open_videos = self.known(tracker).open_videos
        released = self._db.select("SELECT video_id FROM latest WHERE tracker = ? AND released = 1", tracker)
        # By key, not by a count of rows: a row that is gone and another that is new do not make up for each other.
        gone = open_videos.difference(present)
        missed = gone.difference(video_id for (video_id,) in released)
        return len(open_videos - gone) + len(missed), len(missed)

    def last_run(self, tracker: str, is_good: bool = False) -> Run | None:
        """The run of this tracker that ended last; the last good one ended with exit code 0."""
        which = "tracker = ? AND exit_code = 0" if is_good else "tracker = ?"
        latest = f"run WHERE {which} ORDER BY finished_at DESC, started_at DESC LIMIT 1"
        return next(iter(self._db.read(Run, latest, tracker)), None)

    def last_begun(self) -> Mapping[str, datetime]:
        """When the last run of each tracker that has had one began."""
        begun = self._db.select("SELECT tracker, MAX(started_at) FROM run GROUP BY tracker")
        return {tracker: datetime.fromisoformat(started) for tracker, started in begun}

    def runs_by_exit_code(self, tracker: str) -> Mapping[int, int]:
        """How many runs of this tracker there have been, by how they ended."""
        kept = "SELECT exit_code, COUNT(*) AS runs FROM run WHERE tracker = ? GROUP BY 1"
        both = f"({kept} UNION ALL SELECT exit_code, runs FROM run_gone WHERE tracker = ?) AS each_kind"
        return dict(self._db.select(f"SELECT exit_code, SUM(runs) FROM {both} GROUP BY 1", tracker, tracker))

    def last_good_run(self, tracker: str) -> datetime | None:
        """When the last run of this tracker that ended with exit code 0 began."""
        ((started,),) = self._db.select("SELECT MAX(started_at) FROM run WHERE tracker = ? AND exit_code = 0", tracker)
        return started and datetime.fromisoformat(started)

    def charges(self, tracker: str) -> tuple[Charge, ...]:
        """What each ad code request of this tracker cost: of a cancelled one the credits came back."""
        charged = self._db.select(
            """SELECT video_id, COALESCE(created_at, found_at), credits_charged FROM ad_code_request
            WHERE tracker = ? AND credits_charged > 0 AND status <> 'cancelled'""",
            tracker,
        )
        return tuple(Charge(video, datetime.fromisoformat(at), credits) for video, at, credits in charged)

    def rows_seen(self, tracker: str) -> tuple[RowSeen, ...]:
        """What the last run saw of each row, by video."""
        return tuple(self._db.read(RowSeen, "row_seen WHERE tracker = ? ORDER BY video_id", tracker))

    def first_event(self) -> datetime | None:
        """Since when this ledger knows what happened, whichever tracker's."""
        ((first,),) = self._db.select("SELECT MIN(at) FROM event")
        return first and datetime.fromisoformat(first)

    def all_entries(self) -> tuple[tuple[str, Entry], ...]:
        """Every ad code request there is, each with its tracker."""
        found = self._db.select(f"SELECT {column_list(Entry)}, tracker FROM ad_code_request ORDER BY request_id")
        return tuple((row[-1], from_row(Entry, row)) for row in found)

    def damage(self) -> str:
        """What is wrong inside the file, which opening it does not always tell; empty if nothing."""
        return self._db.damage()

    def balance(self, tracker: str) -> tuple[int, datetime] | None:
        """The last balance told for this tracker, and when."""
        balances = self._db.select("SELECT credits, told_at FROM balance WHERE tracker = ?", tracker)
        return next(((credits, datetime.fromisoformat(told_at)) for credits, told_at in balances), None)

    def history(self, video_id: str, tracker: str | None = None) -> tuple[Event, ...]:
        """Everything that happened to a video, oldest first; without `tracker`, in all of them."""
        source = "event WHERE video_id = ? AND tracker = COALESCE(?, tracker) ORDER BY id"
        return tuple(self._db.read(Event, source, video_id, tracker))

    def entries(self, video_id: str, tracker: str | None = None) -> tuple[Generation, ...]:
        """Every ad code request of a video, oldest first; without `tracker`, in all of them."""
        select = f"""SELECT {column_list(Entry)}, tracker FROM ad_code_request
            WHERE video_id = ? AND tracker = COALESCE(?, tracker)
            ORDER BY COALESCE(created_at, found_at), found_at, request_id"""
        # From the events: the request itself keeps only the code it has now, and a correction replaces it.
        codes: dict[tuple[str, object], list[tuple[datetime, str]]] = {}
        for event in self.history(video_id, tracker):
            if event.kind == "code":
                received = codes.setdefault((event.tracker, event.detail["request_id"]), [])
                received.append((event.at, str(event.detail["code"])))
        entries = [(row[-1], from_row(Entry, row)) for row in self._db.select(select, video_id, tracker)]
        entries.sort(key=lambda told: _age(told[1])[0])
        return tuple(Generation(name, entry, tuple(codes.get((name, entry.request.id), ()))) for name, entry in entries)
