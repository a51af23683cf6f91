"""Rows that a run does not look into would have said nothing: with them or without, it writes the same and tells the
same, in whatever order people decide, codes come and ledgers learn of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.builders import NOW, tracker

from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, MACHINE_KEYS, rows_of, to_serial
from sheetsync.ledger.store import Ledger
from sheetsync.lines import TELLING, RowMaker
from sheetsync.model import AdCodeRequest, Known, Observation, Scalar, Snapshot, Typed
from sheetsync.plan.credible import credible
from sheetsync.plan.due import due
from sheetsync.plan.memory import remembered
from sheetsync.projection.cells import Outlook
from sheetsync.projection.concerned import concerned
from sheetsync.projection.seen import rows_seen
from sheetsync.projection.tracker import TrackerProjection
from sheetsync.sheet.edits import Edit, SetCell, edits_for
from sheetsync.steps import RowSeen

THEIRS = ("expiry_source", "code_state", "known_expiry", "paid_status", "renewal_decision", "retirement_reason")
KEYS = ("video_id", "action", *MACHINE_KEYS, *THEIRS)
COLUMNS = {key: at for at, key in enumerate(KEYS)}
HEADERS = tuple(BY_KEY[key].header for key in KEYS)
VIDEOS = ("v-1", "v-2")
TRACKER = tracker()
DATES = [to_serial(NOW + timedelta(days=days), "UTC") for days in (-40, 2, 50)]

Row = dict[str, Scalar]

TYPED = st.fixed_dictionaries(
    {},
    optional={
        "paid_status": st.sampled_from(["", "retired", "spending"]),
        "renewal_decision": st.sampled_from(["", "renew"]),
        "known_expiry": st.sampled_from(["", *DATES]),
        "code_state": st.sampled_from(["", "theirs"]),
    },
)
HAPPENS = st.sampled_from(
    ["", "", "", "marked", "ordered", "delivered", "written elsewhere", "done elsewhere", "emptied", "code typed"]
)
STEPS = st.lists(st.tuples(st.sampled_from((*VIDEOS, "v-1")), TYPED, HAPPENS), min_size=2, max_size=9)


class Held(Clock):
    """It shows one instant."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self._at = at

    def now(self) -> datetime:
        return self._at


@dataclass
class World:
    """What is at TokPortal, and the sheet."""

    latest: dict[str, AdCodeRequest] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=lambda: {video: {"video_id": video} for video in VIDEOS})
    orders: int = 0

    def happens(self, video: str, typed: Mapping[str, Scalar], what: str, now: datetime) -> None:
        row, latest = self.rows[video], self.latest.get(video)
        row.update(typed)
        if what == "done elsewhere":
            for part in ("ordered", "delivered", "written elsewhere"):
                self.happens(video, {}, part, now)
        elif what in ("marked", "ordered") and (latest is None or not latest.is_open):
            self.orders += 1
            self.latest[video] = AdCodeRequest(f"R{self.orders}", video, "pending", created_at=now)
        if what == "marked":
            row["action"] = "request"
        elif what == "delivered" and latest:
            self.latest[video] = replace(latest, status="finalized", code=f"#{latest.id}", submitted_at=now)
        elif what == "written elsewhere" and latest:
            code, asked = latest.code or "", to_serial(latest.created_at or now, "UTC")
            row.update(request_id=latest.id, status=latest.status, spark_code=code, requested_at=asked)
            row.update(submitted_at=to_serial(now, "UTC") if code else "")
        elif what == "emptied":
            row.update(dict.fromkeys((*MACHINE_KEYS, "action"), ""))
        elif what == "code typed" and not row.get("request_id"):
            row["spark_code"] = "#typed"

    def snapshot(self, is_sorted_out: bool, now: datetime) -> Snapshot:
        """A read, as a run makes it, or one whose rows are all looked into."""
        lines = [HEADERS, *(tuple(row.get(key, "") for key in KEYS) for row in self.rows.values())]
        maker = RowMaker(lambda _: COLUMNS)
        grid = [maker.keep(line, json.dumps(line)) for line in lines]
        assert len(grid) == len(lines)
        rows = tuple(maker.rows) if is_sorted_out else rows_of(lines, COLUMNS)
        return Snapshot(0, "Tracker", "Etc/GMT", COLUMNS, rows, tuple(map(tuple, lines)), now)

    def write(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            value = edit.value if isinstance(edit, SetCell) else ""
            self.rows[edit.key][KEYS[edit.column]] = to_serial(value, "UTC") if isinstance(value, datetime) else value


def run(ledger: Ledger, snapshot: Snapshot, world: World, now: datetime) -> tuple[Sequence[Edit], Any]:
    """What a run writes into the rows, and what else it tells of them."""
    recorder, before = ledger.recorder(TRACKER.name, "run", Held(now)), ledger.known(TRACKER.name)
    rows = concerned(snapshot.rows, before)
    asked = {video: Observation(video, world.latest.get(video)) for video in due(rows, before, now, "UTC", TRACKER)}
    found = credible(asked, before, rows, "UTC", now)
    recorder.observe(seen.request for seen in found.values() if seen.request and not seen.failure)
    for _ in range(2):  # before the plan, and after it
        known = ledger.known(TRACKER.name)
        rows = concerned(snapshot.rows, known)
        recorder.remember(remembered(rows, "UTC", TRACKER, before, known, now))
    known = ledger.known(TRACKER.name)
    earlier = {row.video_id: row for row in ledger.rows_seen(TRACKER.name)}
    observed = frozenset(video for video, seen in found.items() if not seen.failure)
    shown = frozenset((row.key, row.shown_id) for row in snapshot.rows if row.key in observed)
    said = TrackerProjection(TRACKER, Outlook(known, now, observed=observed, seen=earlier), shown).project(snapshot)
    seen_now = tuple(rows_seen(snapshot, frozenset(), TRACKER, known, now, (), earlier))
    recorder.saw_rows(seen_now, is_all=True)
    told: list[RowSeen] = [seen for seen in seen_now if seen.code]
    return edits_for(snapshot, said.targets, now), (told, said.counts("stage"), said.counts("expiry"), known.earlier)


RETIRED: Row = {"paid_status": "retired"}
TWICE = [
    *(("v-1", RETIRED, "code typed"), ("v-1", {}, "emptied"), ("v-1", {"paid_status": ""}, ""), ("v-1", RETIRED, "")),
    *(("v-1", {}, "marked"), ("v-1", {}, "delivered")),
]
"""Of one code, and of the next."""
OLD_DATE: list[tuple[str, Row, str]] = [("v-1", {"known_expiry": DATES[0]}, ""), ("v-1", {}, "done elsewhere")]
"""A date that was there before the code."""


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, is_lost=st.integers(0, 20))
@example(steps=TWICE, is_lost=20)
@example(steps=OLD_DATE, is_lost=20)
def test_it_writes_and_tells_the_same(steps: list[tuple[str, Row, str]], is_lost: int) -> None:
    """Two ledgers, one sheet: one looks into every row, the other into those that tell of something."""
    world, now = World(), NOW
    ledgers = Ledger(None), Ledger(None)
    for turn, (video, typed, what) in enumerate(steps):
        if turn == is_lost:
            ledgers = Ledger(None), Ledger(None)
        now += timedelta(days=1)
        world.happens(video, typed, what, now)
        all_of_them = run(ledgers[0], world.snapshot(False, now), world, now)
        sorted_out = run(ledgers[1], world.snapshot(True, now), world, now)
        assert sorted_out == all_of_them
        world.write(all_of_them[0])
        world.rows[video]["action"] = ""


def test_what_is_decided_before_there_is_a_code_makes_no_row_worth_a_look() -> None:
    """Also where an earlier version remembered it; of a code that there was, it counts that it is another now."""
    assert {"paid_status", "renewal_decision"}.isdisjoint(TELLING)
    world = World()
    world.happens("v-1", {"paid_status": "spending"}, "", NOW)
    rows = world.snapshot(True, NOW).rows
    key = ("v-1", "paid_status")
    assert concerned(rows, Known()) == concerned(rows, Known(typed={key: Typed("spending", {"": "spending"})})) == []
    assert concerned(rows, Known(typed={key: Typed("retired", {"#gone": "retired"})})) == [rows[0]]
