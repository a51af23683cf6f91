"""Videos that the time of a run does not reach (design 3.2): their rows keep what they say while nothing changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.bench import Bench

from sheetsync import notes
from sheetsync.ledger.database import MIGRATIONS
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.wire import Request
from sheetsync.sync.report import Report

VIDEOS = [f"vid-{n}" for n in range(9)]


class Slow(Bench):
    """Each look takes a second, and a run has time for four of nine."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(VIDEOS, **settings)

        def takes_time(moment: str, index: int, kind: str, request: Request) -> None:
            if kind == "portal.poll" and moment == "before":
                self.later(seconds=1)

        self.world.hooks.append(takes_time)

    def some(self, **wanted: Any) -> Report:
        return self.sync(poll_seconds=3, **wanted)

    def notes(self) -> list[str]:
        return [self.cell(video, "sync_note") for video in VIDEOS]


def settled(bench: Slow) -> list[str]:
    """The notes once every row was reached; from then on runs write nothing."""
    for _ in range(3):
        bench.some()
    said = bench.notes()
    assert notes.NOT_REACHED not in said
    for _ in range(4):
        report = bench.some()
        assert (report.cells_written, bench.notes()) == (0, said)
        # some rows were not looked at, and that is told: of marks by the exit code
        assert report.deferred == 5 or report.exit_code == 1
    return said


def test_marks_that_wait_for_a_person() -> None:
    """Each note tells why, in every run, whichever rows it reaches."""
    bench = Slow()
    bench.mark("renew", *VIDEOS)
    assert settled(bench) == [notes.NOTHING_TO_RENEW] * 9


def test_marks_that_wait_for_credits() -> None:
    """What stops all of a tracker's orders is not what the row says, and holds all the same."""
    bench = Slow()
    bench.world.portal.credits = 3
    bench.mark("request", *VIDEOS)
    assert len({*settled(bench)}) == 1


def test_too_many_marks_of_which_a_run_reaches_few() -> None:
    """None is ordered, in any run: those not reached count, also where an earlier run has told that they wait."""
    bench = Slow(max_orders_per_run=5)
    bench.mark("request", *VIDEOS)
    for _ in range(6):
        assert (bench.some().exit_code, bench.world.portal.credits) == (3, 1247)


@pytest.mark.parametrize("why", ["silence", "key", "price", "credits"])
def test_marks_that_waited_for_something_else_than_their_rows(why: str) -> None:
    """Neither the row nor its request spoke against an order: where they are not looked at now, they count."""
    bench = Slow(max_orders_per_run=5)
    bench.mark("request", *VIDEOS[: 4 if why == "credits" else 9])
    key, price = bench.portal().fingerprint, bench.ledger.price(bench.portal().fingerprint)
    if why == "silence":
        bench.world.portal.ill |= {*VIDEOS}
    elif why == "key":
        bench.world.faults.add("portal.balance", fault="401")
    elif why == "price":
        bench.ledger.recorder("acme", "run-0", bench.clock).lock_price(key, price, "It cost 9.")
    else:
        bench.world.portal.credits = 3
    bench.sync()
    bench.world.portal.ill.clear()
    bench.world.portal.credits = 1000
    bench.mark("request", *VIDEOS)
    report = bench.some(accept_price=7)
    assert (report.exit_code, report.polled, bench.world.portal.credits) == (3, 4, 1000)


def test_marks_that_were_not_looked_at_are_being_cleared() -> None:
    """They were too many with the others: what is left waits for a run that finds it as it was."""
    bench = Slow(max_orders_per_run=5)
    bench.mark("request", *VIDEOS)
    assert bench.some().exit_code == 3
    looked = bench.ledger.known("acme").looked
    bench.mark("", *[video for video in VIDEOS if video not in looked][:4])
    assert (bench.sync().ordered, bench.sync().ordered) == (0, 5)


def test_an_order_beside_marks_that_order_nothing() -> None:
    """More marks wait for a person than a run may order, or reaches: they are no orders, and keep none from going."""
    bench = Slow(max_orders_per_run=1)
    bench.mark("renew", *VIDEOS[1:])
    settled(bench)
    bench.mark("request", VIDEOS[0])
    for _ in range(3):
        bench.some()
    assert bench.charged(VIDEOS[0]) == 7


@pytest.mark.parametrize("silent", [1, 3])
def test_an_order_while_nothing_is_heard_of_marks_that_order_nothing(silent: int) -> None:
    """Their rows say what they said when they were found to be no orders: they are not too many with the others."""
    bench = Slow(max_orders_per_run=2)
    bench.mark("renew", *VIDEOS[1:])
    bench.sync()
    assert bench.notes()[1] == notes.NOTHING_TO_RENEW
    bench.world.portal.ill |= {*VIDEOS[1:]}
    for _ in range(silent):
        bench.later(minutes=5)
        bench.sync()
        assert bench.notes()[1] == notes.NO_ANSWER
    bench.mark("request", VIDEOS[0])
    assert (bench.sync().exit_code, bench.charged(VIDEOS[0])) == (1, 7)


def test_open_requests_that_no_run_comes_to() -> None:
    """After a weekend without runs: a row that was not asked about is not told that TokPortal said nothing of it."""
    bench = Slow()
    bench.mark("request", *VIDEOS)
    bench.sync()
    bench.later(hours=60)
    for _ in range(2):
        report = bench.some()
        assert (report.polled, bench.notes()) == (4, [""] * 9)


def test_what_one_of_two_rows_cannot_show() -> None:
    """It is in the other's note after no run: neither after one that reaches the video nor after one that does not."""
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a")
    bench.sync()
    bench.sheet.set_value(3, bench.column("video_id"), "vid-a")
    at = bench.column("sync_note")
    place = {"startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": at - 1, "endColumnIndex": at + 1}
    bench.sheet.attached["merges"] = [{"sheetId": bench.sheet.sheet_id, **place}]
    for seconds in (120, -1, 120):
        bench.later(minutes=5)
        bench.sync(poll_seconds=seconds)
        assert bench.cell("vid-a", "sync_note", 1) == "Duplicate of row 2: one of them acts, all show the same."


def test_rows_that_nobody_marked() -> None:
    """TokPortal denies their videos, and they show a request that the ledger does not know."""
    bench = Slow()
    for video in VIDEOS:
        bench.type(video, "request_id", f"another-{video}")
        bench.world.portal.videos.pop(video)
    assert all("TokPortal does not show this video" in note for note in settled(bench))


def test_a_code_that_a_note_names() -> None:
    """In the sheet the note names the code itself; printed is its fingerprint."""
    bench = Slow()
    bench.mark("request", *VIDEOS)
    bench.sync()
    for video in VIDEOS:
        bench.world.portal.submit(video)
    bench.sync()
    codes = {video: bench.cell(video, "spark_code") for video in VIDEOS}
    for video in VIDEOS:
        bench.type(video, "feedback", "It does not work.")
        bench.type(video, "spark_code", "#typed over")
    bench.mark("correct", *VIDEOS)
    said = settled(bench)
    assert all(note.startswith(notes.code_has_changed(codes[video])) for note, video in zip(said, VIDEOS, strict=True))
    report = bench.some()
    assert not any(codes[hold.video_id] in hold.printed for hold in report.holds)
    assert all("The code has changed to code " in hold.printed for hold in report.holds)


def test_a_row_is_changed() -> None:
    """What was said of it before holds no more: until it is reached, the note says that it was not."""
    bench = Slow()
    bench.mark("renew", *VIDEOS)
    settled(bench)
    for video in VIDEOS:
        bench.type(video, "note", "is this right?")
    bench.some()
    assert bench.notes().count(notes.NOT_REACHED) == 5
    assert bench.notes().count(notes.NOTHING_TO_RENEW) == 4


def test_the_mark_is_mended() -> None:
    """Each order is sent once its row is reached, and none twice."""
    bench = Slow()
    bench.mark("renew", *VIDEOS)
    settled(bench)
    bench.mark("request", *VIDEOS)
    for _ in range(5):
        bench.some()
    assert [bench.charged(video) for video in VIDEOS] == [7] * 9


def test_a_later_code_that_was_cancelled() -> None:
    """The note of a row whose mark waits beside an earlier one goes on telling it while TokPortal says nothing."""
    video, portal = VIDEOS[0], (bench := Bench(VIDEOS[:1])).world.portal
    bench.mark("request", video)
    bench.sync()
    portal.submit(video)
    portal.deliver(video)
    bench.sync()
    bench.mark("please", video)
    portal.order_elsewhere(video)
    portal.submit(video)
    bench.sync()
    portal.cancel(video)
    for ill in (set(), {video}, set()):
        portal.ill = ill
        bench.later(minutes=5)
        bench.sync()
        assert notes.CODE_CANCELLED in bench.cell(video, "sync_note")


@pytest.mark.parametrize("why", ["protected", "required", "rests", "denied", "an earlier version"])
def test_marks_that_waited_for_what_is_mended_by_now(why: str) -> None:
    """Whether a row's gates are open is looked at in each run: those that are, and are not heard of, count."""
    bench = Bench(VIDEOS[:8], max_orders_per_run=5, require=("client",) if why == "required" else ())
    at = bench.column("credits_left")
    area = {"sheetId": bench.sheet.sheet_id, "startRowIndex": 1, "startColumnIndex": at, "endColumnIndex": at + 1}
    held = {"protectedRangeId": 7, "range": area, "editors": {"users": [bench.book.owner]}}
    bench.sheet.attached["protectedRanges"] = [held] if why == "protected" else []
    bench.sheet.touch()
    bench.mark("request", *VIDEOS[5 if why in ("rests", "denied") else 0 : 8])
    for video in VIDEOS[5:8] if why == "rests" else ():
        bench.world.portal.videos[video].live_link = False
    if why == "denied":
        bench.world.faults.add("portal.poll", fault="403", times=6)
    bench.sync()
    bench.later(minutes=1)
    bench.sync()
    assert bench.world.portal.credits == 1247
    bench.mark("request", *VIDEOS[:5])
    bench.sheet.attached["protectedRanges"] = []
    bench.sheet.touch()
    bench.tracker = replace(bench.tracker, require=())
    bench.world.portal.ill |= {*VIDEOS[5:]}
    if why == "an earlier version":
        with bench.ledger._db.transaction():
            bench.ledger._db.execute("UPDATE row_seen SET may_order = 0")  # as the column came
            for statement in dict(MIGRATIONS)["what was found of marks while it was not kept which may be orders"]:
                bench.ledger._db.execute(statement)
    bench.later(minutes=6)
    assert bench.sync().exit_code == 3
    assert bench.world.portal.credits == 1247


@pytest.mark.parametrize("ledger", ["another machine's", "an older copy"])
def test_a_ledger_that_knows_of_a_cancelled_code_alone(ledger: str) -> None:
    """The row shows a later request: while TokPortal is silent, nothing is said against the code that runs there."""
    video, portal = VIDEOS[0], (bench := Bench(VIDEOS[:1])).world.portal
    newer = Ledger(None)
    bench.mark("request", video)
    bench.sync()
    portal.submit(video)
    bench.later(hours=1)
    bench.sync()
    if ledger == "another machine's":
        bench.sync(newer)
    portal.cancel(video)
    bench.later(hours=1)
    bench.sync()
    bench.mark("request", video)
    bench.later(minutes=5)
    bench.sync(newer)
    portal.submit(video)
    bench.later(hours=1)
    bench.sync(newer)
    portal.ill = {video}
    bench.later(minutes=5)
    bench.sync()
    assert (bench.cell(video, "expiry"), bench.cell(video, "sync_note")) == ("ok", "")


@pytest.mark.parametrize("reach", ["some", "silent"])
def test_marks_whose_requests_are_finished_since(reach: str) -> None:
    """They waited for an open request: that it is finished by now, a run that does not hear of it cannot know."""
    bench = Slow(max_orders_per_run=5)
    bench.mark("request", *VIDEOS)
    assert bench.sync(allow_orders=9).ordered == 9
    for video in VIDEOS:
        bench.world.portal.submit(video)
    bench.later(minutes=5)
    bench.sync()
    bench.mark("renew", *VIDEOS)
    bench.sync()
    assert bench.notes() == [notes.STILL_OPEN] * 9
    for video in VIDEOS:
        bench.world.portal.deliver(video)
    before = bench.world.portal.credits
    for _ in range(3):
        bench.later(minutes=30)
        bench.world.portal.ill = {*VIDEOS[4:]} if reach == "silent" else set()
        assert (bench.some() if reach == "some" else bench.sync()).exit_code == 3
    assert bench.world.portal.credits == before
