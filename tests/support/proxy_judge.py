"""The judge at the proxy: each paid call, as its bytes leave, against the config, the command line and the wire.

Owns the rules of spending as a stranger can hold them: it reads the parsed YAML, and the calls and answers that passed,
and asks neither the program nor the services. A rule has a name; a breach says which, and what happened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from support import proxy_approval
from support.proxy import Sent, Told
from support.proxy_sheet import Row, Tabs, TrackerRules, claims_in, lines_shown, trackers_of

MINUTE = timedelta(minutes=1)
LOOKED = timedelta(seconds=45)
"""A look at TokPortal is "seconds old" for so long at most."""

STILL_UNDER_WAY = timedelta(minutes=10)
"""A no to a call that repeats an order does not settle the first one before this."""

ORDERING = ("request", "renew")
CLOSED = ("finalized", "cancelled")


class Breach(NamedTuple):
    """A rule that a paid call broke: limit, credits, price, gates, claim, look or key."""

    rule: str
    what: str


class Latest(NamedTuple):
    """What TokPortal told of a video's latest request; empty where it told of none."""

    id: str = ""
    status: str = ""


class Wish(NamedTuple):
    """An order as a person may allow it."""

    video: str
    mark: str
    latest: str


@dataclass(slots=True)
class Pending:
    """An order that was sent and not clearly answered. `told` is whether a balance was told since."""

    key: str
    previous: str
    mark: str
    at: datetime
    command: int
    told: bool = False


@dataclass(slots=True)
class Turn:
    """One tracker in one command: what was asked and told so far."""

    rows: Mapping[int, Row] = field(default_factory=dict)  # of the last whole read, by number
    first: Sequence[Row] = ()
    fresh: dict[str, list[Row]] = field(default_factory=dict)  # by video, as a write's answer showed them since
    looks: dict[str, tuple[datetime, Latest]] = field(default_factory=dict)
    answers: dict[str, Latest] = field(default_factory=dict)  # the first one of each video
    claimed: dict[str, datetime] = field(default_factory=dict)  # when `ordering` was last seen in the row
    own: set[str] = field(default_factory=set)  # videos into whose rows this command itself wrote it
    keys: set[str] = field(default_factory=set)
    typed: int = 0  # what a person typed into Summary, as it was read first
    taken: frozenset[Wish] = frozenset()  # what that number allows, once it is seen to be taken from its cell

    def of(self, video: str) -> list[Row]:
        """The rows of a video as they were last seen."""
        return self.fresh.get(video) or [row for row in self.rows.values() if row.key == video]


class Judge:
    """Sees all calls of one configuration. `breaches` are what it found, `orders` how many paid calls it judged."""

    def __init__(self, config: Mapping[str, Any], now: Callable[[], datetime]) -> None:
        self.breaches: list[Breach] = []
        self.orders = 0
        self._now, self._trackers, self._tabs = now, trackers_of(config), Tabs()
        self._number, self._allowed, self._narrowed = 0, None, False
        self._asked: dict[str, frozenset[Wish]] = {}  # by tracker: what Summary was last seen to ask for
        self._braked: dict[str, frozenset[Wish]] = {}  # by tracker: what the last run found too many, or changing
        self._turns: dict[str, Turn] = {}
        self._at: TrackerRules | None = None  # the tracker whose tab was last read or written
        self._price, self._accepted, self._lock = 7, False, ""
        self._balance: int | None = None
        self._pending: dict[tuple[str, str], Pending] = {}  # by tracker and video
        self._bodies: dict[str, tuple[str, bytes]] = {}
        self._refused: dict[str, str] = {}  # video: the mark that was refused

    # --- what it is told ---------------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> None:
        """Somebody calls `sheetsync sync` with these options."""
        options = dict(pairwise(arguments))
        self._number += 1
        for tracker in self._trackers:
            if tracker.name in self._turns and not self._narrowed:
                self._brake(tracker, self._turns[tracker.name])
        self._turns, self._at, self._narrowed = {}, None, "--video" in arguments
        self._allowed = int(options["--allow-orders"]) if "--allow-orders" in options else None
        if "--accept-price" in options:
            self._price, self._accepted, self._lock = int(options["--accept-price"]), True, ""

    def forget(self) -> None:
        """The machine loses its ledger, and with it what Summary asked for, and what was too many."""
        self._asked.clear()
        self._braked.clear()

    def sent(self, call: Sent) -> None:
        """The bytes of a call leave."""
        video = _video(call)
        if video and call.method == "POST":
            self._order(video, call)

    def answered(self, call: Sent, answer: Told | None) -> None:
        """Its answer arrives, or never will."""
        video, told = _video(call), _json(answer)
        if video and call.method == "POST":
            self._ordered(video, call, answer, told)
        elif video and told:
            data = told["data"] or {}
            self._looked(video, Latest(data.get("ad_code_request_id", ""), data.get("status", "")))
        elif told and call.target == "/api/ext/credits/balance":
            self._balance = told["data"].get("total_credits", told["data"].get("credits"))
            for pending in self._pending.values():
                pending.told = True
        elif call.target.startswith("/v4/spreadsheets/"):
            self._sheet(call, told)

    # --- the sheet ---------------------------------------------------------------------------------------------------

    def _sheet(self, call: Sent, told: Any) -> None:
        book = call.target.split("/")[3].split("?")[0].split(":")[0]
        if call.method == "POST":
            self._written(book, json.loads(call.body), told or {})
        elif told and "/values:batchGet" in call.target:
            self._read(book, parse_qs(urlsplit(call.target).query)["ranges"], told["valueRanges"])
        elif told:
            self._tabs.learn(book, told)

    def _read(self, book: str, ranges: Sequence[str], told: Sequence[Mapping[str, Any]]) -> None:
        tracker = self._tracker(book, ranges[0].strip("'"))
        if tracker is None:
            return
        turn = self._turn()
        turn.rows, turn.fresh = tracker.rows(dict(enumerate(told[0].get("values", [])))), {}
        if not turn.first and told[1:]:
            turn.typed = proxy_approval.typed(dict(enumerate(told[1].get("values", []))))
        turn.first = turn.first or list(turn.rows.values())
        self._show(turn, turn.rows.values())

    def _written(self, book: str, asked: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        """A write, with what its answer shows: nothing where that was lost."""
        shown, claims = lines_shown(told), set(claims_in(asked))
        for sheet_id in self._tabs.others(book, [tracker.worksheet for tracker in self._trackers]):
            self._summary(sheet_id, asked, told, shown.get(sheet_id, {}))
        for sheet_id in {*shown, *(sheet_id for sheet_id, _ in claims)}:
            tracker = self._tracker(book, self._tabs.title(book, sheet_id))
            if tracker is None:
                continue
            turn, rows = self._turn(), tracker.rows(shown.get(sheet_id, {}))
            numbered = rows or turn.rows
            turn.own |= {numbered[n].key for at, n in claims if at == sheet_id and n in numbered}
            for key in {row.key for row in rows.values()}:
                turn.fresh[key] = [row for row in rows.values() if row.key == key]
            self._show(turn, rows.values())

    def _summary(self, sheet_id: int, asked: Mapping[str, Any], told: Mapping[str, Any], lines: Any) -> None:
        """A write to a Summary tab of the tracker that was read last: what it asks for, or takes."""
        if self._at is None:
            return
        turn = self._turn()
        if proxy_approval.is_asked(sheet_id, asked, lines):
            self._asked[self._at.name] = self._wishes(self._at, turn)
        if proxy_approval.is_taking(sheet_id, asked):
            meant = self._asked.pop(self._at.name, frozenset())
            if proxy_approval.is_taken(told, lines) and turn.typed == len(meant) and not self._narrowed:
                turn.taken = meant

    def _show(self, turn: Turn, rows: Collection[Row]) -> None:
        """What rows say of claims; one that shows something else claims nothing any more."""
        for key in {row.key for row in rows}:
            turn.claimed.pop(key, None)
            if key in turn.own and any(row.key == key and row.text("status") == "ordering" for row in rows):
                turn.claimed[key] = self._now()

    def _tracker(self, book: str, title: str) -> TrackerRules | None:
        found = next((t for t in self._trackers if t.spreadsheet == book and t.worksheet == title), None)
        self._at = found or self._at
        return found

    def _turn(self) -> Turn:
        return self._turns.setdefault(self._here("")[0], Turn())

    def _here(self, video: str) -> tuple[str, str]:
        return self._at.name if self._at else "", video

    # --- TokPortal's answers -----------------------------------------------------------------------------------------

    def _looked(self, video: str, latest: Latest) -> None:
        turn, pending = self._turn(), self._pending.get(self._here(video))
        turn.looks[video] = self._now(), latest
        turn.answers.setdefault(video, latest)
        if pending is None:
            return
        if latest.id != pending.previous:  # it happened
            del self._pending[self._here(video)]
            if not pending.told and self._balance is not None:
                self._balance -= self._price
            return
        is_over = self._number > pending.command and self._now() - pending.at >= MINUTE
        if is_over and _mark(turn.of(video)) != pending.mark:  # it did not, and nobody wants it any more
            del self._pending[self._here(video)]

    def _ordered(self, video: str, call: Sent, answer: Told | None, told: Any) -> None:
        pending = self._pending[self._here(video)]
        if answer is None or answer.status >= 500 or answer.status == 408 or (answer.status < 400 and told is None):
            return  # nobody knows
        if answer.status >= 400:
            again = pending.at < self._now() - timedelta(seconds=1) or pending.command < self._number
            if not again or (answer.status not in (401, 429) and self._now() - pending.at >= STILL_UNDER_WAY):
                del self._pending[self._here(video)]
                self._refused[video] = pending.mark
            return
        del self._pending[self._here(video)]
        charged, left = told.get("credits_charged"), told.get("credits_remaining")
        if left is not None and answer.headers.get("idempotent-replayed") != "true":
            self._balance = left
        elif self._balance is not None:
            self._balance -= self._price if charged is None else charged
        expected = charged == self._price or (self._accepted and charged is not None and charged < self._price)
        self._lock = self._lock if expected else f"{video} cost {charged}, not {self._price}"

    # --- orders ------------------------------------------------------------------------------------------------------

    def _order(self, video: str, call: Sent) -> None:
        self.orders += 1
        turn, tracker, key = self._turn(), self._at, call.headers.get("idempotency-key", "")
        before = self._pending.get(self._here(video))
        found = [("key", self._wrong_key(video, key, call)), ("price", self._lock)]
        if tracker is None:
            found.append(("claim", "no sheet was read"))
        else:
            found += self._wrong_for(tracker, turn, video, call, key)
        self.breaches += [Breach(rule, f"order for {video}: {what}") for rule, what in found if what]
        self._bodies.setdefault(key, (call.target, call.body))
        turn.keys.add(key)
        previous = turn.looks[video][1].id if video in turn.looks else ""
        mark = _mark(turn.of(video))
        self._pending[self._here(video)] = before or Pending(key, previous, mark, self._now(), self._number)

    def _wrong_key(self, video: str, key: str, call: Sent) -> str:
        if not key:
            return "no Idempotency-Key"
        if self._bodies.get(key, (call.target, call.body)) != (call.target, call.body):
            return "the key was sent before, with something else"
        pending = self._pending.get(self._here(video))
        return "another key, while an earlier order is unsettled" if pending and pending.key != key else ""

    def _wrong_for(
        self, tracker: TrackerRules, turn: Turn, video: str, call: Sent, key: str
    ) -> Iterator[tuple[str, str]]:
        yield "limit", self._over_the_limit(tracker, turn, key)
        yield "credits", self._not_covered(tracker, video)
        rows = turn.of(video)
        acting = next((row for row in rows if row.text("action")), None)
        if acting is None or _mark(rows) not in ORDERING:
            yield "gates", f"the row says {_mark(rows)!r} in Action"
            return
        yield "gates", tracker.shut(acting)
        if key not in self._bodies and _body(call) != acting.order:
            yield "gates", f"{call.body!r} is not what the row says: {acting.order}"
        claimed = turn.claimed.get(video)
        if claimed is None or self._now() - claimed > MINUTE:
            yield "claim", f"`ordering` was last seen in its row at {claimed}"
        yield "look", self._not_as_shown(turn, acting, video)

    def _over_the_limit(self, tracker: TrackerRules, turn: Turn, key: str) -> str:
        most = tracker.most if self._allowed is None else self._allowed
        wanted = self._wishes(tracker, turn)
        if turn.taken == wanted and len(wanted) <= tracker.most_at_sheet:
            most = max(most, len(wanted))
        if len(turn.keys | {key}) > most:
            return f"{len(turn.keys | {key})} orders in a run that may send {most}"
        if len(wanted) > most:
            return f"{wanted} are marked, a run may send {most}"
        gone = self._taken_away(tracker, turn)
        return f"{gone} were marked when too many were" if gone and self._allowed is None else ""

    def _brake(self, tracker: TrackerRules, turn: Turn) -> None:
        """A command is over: what the next one has to find as it was."""
        wanted = self._wishes(tracker, turn)
        is_braked = len(wanted) > tracker.most and self._allowed is None and turn.taken != wanted
        self._braked[tracker.name] = wanted if is_braked or self._taken_away(tracker, turn) else frozenset()

    def _taken_away(self, tracker: TrackerRules, turn: Turn) -> set[tuple[str, str]]:
        """The marks that were too many and are none any more, of those that this run looked at."""
        if self._narrowed:
            return set()
        marked = {(row.key, row.text("action").casefold()) for row in turn.first}
        return {wish[:2] for wish in self._braked.get(tracker.name, ()) if wish[:2] not in marked}

    def _wishes(self, tracker: TrackerRules, turn: Turn) -> frozenset[Wish]:
        return frozenset(
            Wish(video, _mark([row for row in turn.first if row.key == video]), latest.id)
            for video, latest in turn.answers.items()
            if self._wants(tracker, turn, video)
        )

    def _wants(self, tracker: TrackerRules, turn: Turn, video: str) -> bool:
        """Whether a mark orders for certain, as the run first saw it: after the table and the gates, before credits."""
        row = next((row for row in turn.first if row.key == video and row.text("action")), None)
        if row is None or self._refused.get(video) == _mark([row]):
            return False  # TokPortal refused this mark: it rests
        return not tracker.shut(row) and not _unfit(row, turn.answers[video])

    def _not_covered(self, tracker: TrackerRules, video: str) -> str:
        if self._balance is None:
            return "no balance was told"
        others = len(self._pending.keys() - {self._here(video)})
        left = self._balance - self._price * (others + 1)
        return f"{self._balance} told, {others} unsettled, {tracker.keep} to keep" if left < tracker.keep else ""

    def _not_as_shown(self, turn: Turn, row: Row, video: str) -> str:
        at, latest = turn.looks.get(video, (None, Latest()))
        if at is None or self._now() - at > LOOKED:
            return f"TokPortal was last asked at {at}"
        return _unfit(row, latest)


def _unfit(row: Row, latest: Latest) -> str:
    """Why a mark does not order upon this latest request; empty if it does (the table of marks)."""
    mark, shown = _mark([row]), row.text("request_id")
    if mark not in ORDERING:
        return f"{mark!r} orders nothing"
    if latest.id and latest.status not in CLOSED:
        return f"{latest} is open"
    if shown != latest.id and not (mark == "request" and latest.status == "cancelled" and not shown):
        return f"the row shows {shown!r}, the latest is {latest}"
    allowed = latest.status != "finalized" if mark == "request" else bool(latest.id)
    return "" if allowed else f"{mark} upon {latest}"


def _mark(rows: Sequence[Row]) -> str:
    """The mark that acts: that of the first marked row."""
    return next((row.text("action").casefold() for row in rows if row.text("action")), "")


def _video(call: Sent) -> str:
    found = re.fullmatch(r"/api/ext/videos/([^/]+)/ad-code-request", call.target)
    return unquote(found[1]) if found else ""


def _body(call: Sent) -> Any:
    return json.loads(call.body or b"{}")


def _json(answer: Told | None) -> Any:
    """What a good answer says; None for any other."""
    try:
        return json.loads(answer.body) if answer and 200 <= answer.status < 300 else None
    except ValueError:
        return None
