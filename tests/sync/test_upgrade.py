"""A tracker that an earlier version kept goes on without a change by hand.

`support/recorded` holds its world and its ledger, as the version before codes in use left them: one video for each
state of a renewal, one adopted, one with a code that people typed, one dated and one retired.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from support.bench import TAB, Bench, SandboxClock

from sheetsync import notes
from sheetsync.columns import to_serial
from sheetsync.ledger.store import Ledger
from sheetsync.model import Tracker
from sheetsync.sandbox.world import World

RECORDED = Path(__file__).parents[1] / "support" / "recorded"


class Recorded(Bench):
    """The tracker as the earlier version left it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.world = World.load(RECORDED / "world.json")
        self.world.path, self.world.google.quota = None, False
        self.clock = SandboxClock(self.world)
        self.book = self.world.google.book("1x1Fh-zm9tbRkRMgSnMJq8Mt3oa94hHBLzA_qfpIYceS")
        self.tracker = Tracker("acme", self.book.id, TAB)
        with sqlite3.connect(folder / "state.db") as database:
            database.executescript((RECORDED / "state.sql").read_text())
        database.close()
        self.ledger = Ledger(folder / "state.db", durable=False)
        self.headers = [str(header) for header in self.table()[0]]


@pytest.fixture
def bench(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def first_code(bench: Recorded, video: str) -> tuple[str, float]:
    """The code of a video's first request, and the day it ends."""
    first = bench.requests(video)[0]
    return str(first.code), to_serial(first.created_at, "Etc/GMT") + 30


@pytest.mark.parametrize(
    ("video", "note"),
    [
        ("vid-renewing", notes.RENEWAL_UNDER_WAY),
        ("vid-refused-renewal", f"{notes.CANCELLED} {notes.EARLIER_CODE_SHOWN}"),
    ],
)
def test_the_earlier_code_comes_back(bench: Recorded, video: str, note: str) -> None:
    """A renewal that is open, or was cancelled, had wiped it."""
    assert bench.cell(video, "spark_code") == ""
    bench.sync()
    code, ends = first_code(bench, video)
    row = bench.row(video)
    assert (row["spark_code"], row["expiry"], row["stage"], row["sync_note"]) == (code, "ok", "received", note)
    assert abs(row["expires_at"] - ends) < 1e-6


def test_the_code_that_a_renewal_followed_is_spoken_of(bench: Recorded) -> None:
    """It still runs."""
    bench.sync()
    assert bench.cell("vid-renewed", "sync_note").startswith("Another code of this video may still run, until 2026-07-")


def test_the_column_adds_up(bench: Recorded) -> None:
    """Each video says what it has cost, refunds deducted; what nobody told stays unknown."""
    bench.sync()
    ours = [video for (video,) in {(r.video_id,) for r in bench.world.portal.requests if r.ordered_by == "api"}]
    assert {video: bench.cell(video, "credits_charged") for video in ours} == {v: bench.charged(v) for v in ours}
    assert bench.cell("vid-adopted", "credits_charged") == ""


def test_what_people_typed(bench: Recorded) -> None:
    """A date holds, a retired code stays retired, a code of their own gets a window."""
    before = bench.cell("vid-dated", "expires_at")
    bench.sync()
    assert (bench.cell("vid-dated", "expires_at"), bench.cell("vid-dated", "sync_note")) == (before, "")
    assert bench.cell("vid-retired", "stage") == "retired"
    row = bench.row("vid-typed")
    assert (row["spark_code"], row["expires_at"], row["expiry"]) == ("#typed by people", 46230.5, "ok")


def test_nothing_is_ordered_lost_or_written_twice(bench: Recorded) -> None:
    """What the old ledger knew the new one knows; a second run does nothing."""
    requests, people = (
        len(bench.world.portal.requests),
        {v: bench.row(v).get("action") for v in bench.ledger.known("acme").latest},
    )
    known = {(e.entry.request.id, c) for v in people for e in bench.ledger.entries(v) for _, c in e.codes}
    first = bench.sync()
    assert (first.exit_code, first.credits_charged, len(bench.world.portal.requests)) == (0, 0, requests)
    assert {v: bench.row(v).get("action") for v in people} == people
    assert {(e.entry.request.id, c) for v in people for e in bench.ledger.entries(v) for _, c in e.codes} == known
    table = bench.table()
    assert (bench.sync().cells_written, bench.table()) == (0, table)
