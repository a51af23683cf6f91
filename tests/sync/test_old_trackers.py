"""A tracker that a team kept by hand, with words of its own in columns of ours: no code in it is lost (design 5)."""

from __future__ import annotations

from typing import Any

import pytest
from support.bench import PERSON, Bench

from sheetsync import notes
from sheetsync.columns import MACHINE_KEYS, header_of, to_serial
from sheetsync.ledger.store import Ledger

CODE = "#handcode_paid_by_mail"
FILLERS: tuple[Any, ...] = ("n/a", "-", "none", "see mail", 12345, True, "12345")
UUID = "6f1a2b3c-0000-4000-8000-00000000000a"
OTHERS = (UUID, "order7", "Q3-2026")
"""What may be a request's id, though nobody knows of it."""


def tracker(request_id: Any, **cells: Any) -> Bench:
    """A row as it is pasted: a code, what it cost, a word for where it stands."""
    bench = Bench(["vid-a", "vid-b"])
    kept = {"spark_code": CODE, "request_id": request_id, "credits_charged": 7, "status": "delivered", **cells}
    for key, value in kept.items():
        bench.type("vid-a", key, value)
    return bench


def kept(bench: Bench) -> dict[str, Any]:
    return {key: bench.cell("vid-a", key) for key in ("spark_code", "credits_charged", "status")}


ITS_OWN = {"spark_code": CODE, "credits_charged": 7, "status": "delivered"}


@pytest.mark.parametrize("request_id", FILLERS, ids=repr)
def test_a_filler_in_request_id(request_id: Any) -> None:
    """It is no request: the code is its people's own, and its end is watched like any."""
    bench = tracker(request_id)
    bench.type("vid-a", "expires_at", to_serial(bench.clock.now(), "Etc/GMT") + 1)
    bench.sync()
    assert kept(bench) == ITS_OWN
    assert (bench.cell("vid-a", "expiry"), bench.cell("vid-a", "request_id")) == ("renewal needed", request_id)
    assert bench.sync().cells_written == 0


def test_a_filler_is_seldom_looked_into() -> None:
    """An id may lie under it: TokPortal is asked once a day, not in every run."""
    bench = tracker("n/a")
    for _ in range(4):
        bench.sync()
        bench.later(minutes=5)
    assert bench.kinds().count("portal.poll") == 1
    bench.later(days=1)
    bench.sync()
    assert bench.kinds().count("portal.poll") == 2


@pytest.mark.parametrize("request_id", FILLERS, ids=repr)
def test_a_key_that_is_no_video_of_tokportals(request_id: Any) -> None:
    """Any unique text may be one in such a row: nothing is said of it, on no day."""
    bench = tracker(request_id)
    bench.world.portal.videos.pop("vid-a")
    for days in (0, 0, 1, 1):
        bench.later(days=days)
        bench.sync()
        assert bench.cell("vid-a", "sync_note") == ""
    bench.mark("request", "vid-a")
    bench.sync()
    assert "TokPortal does not show this video" in bench.cell("vid-a", "sync_note")


@pytest.mark.parametrize("request_id", OTHERS)
@pytest.mark.parametrize("requested", ["", "01.06.2026 10:00"])
def test_a_request_that_nobody_knows(request_id: str, requested: str) -> None:
    """The row is left as it is, with a note: its code stands nowhere else."""
    bench = tracker(request_id, requested_at=requested)
    bench.sync()
    assert kept(bench) == ITS_OWN
    assert bench.cell("vid-a", "sync_note") == notes.NOT_OF_THIS_VIDEO
    assert bench.sync().cells_written == 0
    bench.type("vid-a", "request_id", "")
    bench.sync()
    assert (kept(bench), bench.cell("vid-a", "sync_note")) == (ITS_OWN, "")


@pytest.mark.parametrize("request_id", [*FILLERS, *OTHERS], ids=repr)
def test_an_order_in_such_a_row(request_id: Any) -> None:
    """The code stays in use until the one that was ordered is there, and in the ledger for good."""
    bench = tracker(request_id)
    bench.mark("request", "vid-a")
    assert bench.sync().ordered == 1
    assert (bench.cell("vid-a", "spark_code"), bench.cell("vid-a", "action")) == (CODE, "")
    bench.world.portal.submit("vid-a")
    bench.later(minutes=5)
    bench.sync()
    (new,) = bench.requests("vid-a")
    assert bench.cell("vid-a", "spark_code") == new.code
    assert CODE in bench.ledger.known("acme").codes


@pytest.mark.parametrize("status", ["", "delivered", "live", "finalized"])
@pytest.mark.parametrize("requested", ["", "by mail", 46000.5])
@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_mark_in_a_row_without_a_request_id(status: str, requested: Any, is_adopted: bool) -> None:
    """Whatever word its people have for it: the code is theirs before the mark, and stays in use, and in the ledger."""
    bench = tracker("", status=status, requested_at=requested)
    if is_adopted:
        bench.world.portal.order_elsewhere("vid-a")
    bench.mark("request", "vid-a")
    for _ in range(2):
        bench.sync()
        assert (bench.cell("vid-a", "spark_code"), bench.cell("vid-a", "action")) == (CODE, "")
        bench.later(minutes=5)
    assert CODE in bench.ledger.known("acme").codes


@pytest.mark.parametrize("shown", ["#N/A", "Loading...", "#REF!", False, True])
def test_what_is_no_code(shown: Any) -> None:
    """A formula that shows an error, or a box: nothing is said beside it, and it never stands for a code."""
    bench = Bench(["vid-a"])
    bench.type("vid-a", "spark_code", shown)
    bench.sync()
    assert [bench.cell("vid-a", key) for key in ("stage", "expiry", "sync_note")] == ["", "", ""]
    bench.mark("request", "vid-a")
    bench.sync()
    if isinstance(shown, str):
        # what it would say nobody knows: it is not written over, but has to be taken out
        assert (bench.charged("vid-a"), bench.cell("vid-a", "spark_code")) == (0, shown)
        bench.type("vid-a", "spark_code", "")
        bench.sync()
    bench.world.portal.submit("vid-a")
    bench.world.portal.deliver("vid-a")
    bench.later(minutes=5)
    bench.sync()
    assert (bench.cell("vid-a", "expiry"), bench.cell("vid-a", "sync_note")) == ("ok", "")
    bench.later(days=31)
    bench.sync()
    assert bench.cell("vid-a", "expiry") == "expired"
    assert bench.cell("vid-a", "spark_code") == bench.requests("vid-a")[0].code


@pytest.mark.parametrize("column", ["received_at", "expires_at", "known_expiry"])
def test_a_date_beside_it_that_cannot_be_read(column: str) -> None:
    """It is told, as for any code: else its people take it for known."""
    keys = (*PERSON, *MACHINE_KEYS, "received_at")
    bench = Bench(["vid-a"], headers=[header_of(key, {}) for key in keys])
    bench.type("vid-a", "spark_code", CODE)
    bench.type("vid-a", column, "03/04/2027")
    for _ in range(2):
        bench.sync()
        assert (bench.cell("vid-a", "expiry"), bench.cell("vid-a", column)) == ("no window", "03/04/2027")
        assert bench.cell("vid-a", "sync_note").startswith(f"{header_of(column, {})}: '03/04/2027' can be read in two")


def test_an_old_code_without_an_end_hides_no_later_one_that_has_ended() -> None:
    """Nobody knows that it still runs: the row goes on showing what has ended, and the note names the other."""
    bench = tracker("")
    bench.mark("request", "vid-a")
    bench.sync()
    bench.world.portal.submit("vid-a")
    bench.world.portal.deliver("vid-a")
    bench.later(days=31)
    bench.sync()
    assert (bench.cell("vid-a", "expiry"), bench.cell("vid-a", "stage")) == ("expired", "expired")
    assert bench.cell("vid-a", "spark_code") == bench.requests("vid-a")[0].code
    assert "no known end" in bench.cell("vid-a", "sync_note")


COPIED = ("spark_code", "request_id", "status")


def copied() -> Bench:
    """A code was delivered, and its row is copied over the one of another video."""
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a")
    bench.sync()
    bench.world.portal.submit("vid-a")
    bench.sync()
    for key in COPIED:
        bench.type("vid-b", key, bench.cell("vid-a", key))
    return bench


def test_a_copied_row_does_not_keep_the_code_of_the_other() -> None:
    """That stands in its own row, and in the ledger: here it would be pasted for a post that it does not fit."""
    bench = copied()
    bench.sync()
    assert [bench.cell("vid-b", key) for key in COPIED] == ["", "", ""]


def test_a_copied_row_whose_ledger_is_lost() -> None:
    """Its code stands in the other row, which is its own: the copy is emptied all the same."""
    bench = copied()
    bench.ledger = Ledger(None)
    bench.sync()
    bench.sync()
    assert [bench.cell("vid-b", key) for key in COPIED] == ["", "", ""]
    assert bench.cell("vid-a", "spark_code").startswith("#")


def test_a_copied_row_with_a_code_of_its_own() -> None:
    """A row is used as a template, and another code is pasted into it: that one stands nowhere else, and stays."""
    bench = copied()
    bench.type("vid-b", "spark_code", CODE)
    for _ in range(2):
        bench.sync()
        assert bench.cell("vid-b", "spark_code") == CODE
        assert bench.cell("vid-b", "sync_note") == notes.NOT_ITS_OWN
    bench.type("vid-b", "request_id", "")
    bench.type("vid-b", "status", "")
    bench.sync()
    assert (bench.cell("vid-b", "spark_code"), bench.cell("vid-b", "stage")) == (CODE, "received")


@pytest.mark.parametrize("is_adopted", [False, True])
def test_a_mark_beside_a_code_of_its_own_in_a_copied_row(is_adopted: bool) -> None:
    """The code stays in use until the request has one, and in the ledger; the date beside it was the other code's."""
    bench = copied()
    bench.type("vid-b", "spark_code", CODE)
    bench.type("vid-b", "expires_at", bench.cell("vid-a", "expires_at"))
    if is_adopted:
        bench.world.portal.order_elsewhere("vid-b")
    bench.mark("request", "vid-b")
    for _ in range(2):
        bench.sync()
        assert [bench.cell("vid-b", key) for key in ("spark_code", "action")] == [CODE, ""]
        assert [bench.cell("vid-b", key) for key in ("expires_at", "expiry")] == ["", "no window"]
        bench.later(minutes=5)
    assert CODE in bench.ledger.known("acme").codes
    assert bench.cell("vid-a", "spark_code") == bench.requests("vid-a")[0].code
