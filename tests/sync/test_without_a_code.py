"""TokPortal says that a request is finished and names no code: it was paid for, so it is asked about again."""

from __future__ import annotations

import pytest
from support.bench import Bench

from sheetsync import notes

VIDEO = "vid-a"


@pytest.fixture
def bench() -> Bench:
    found = Bench([VIDEO])
    found.mark("request", VIDEO)
    found.sync()
    found.world.portal.set_status(VIDEO, "finalized")
    found.later(hours=1)
    found.sync()
    return found


def test_the_row_says_so(bench: Bench) -> None:
    """Until then nobody would know why it stands still; the next run has nothing to write."""
    assert (bench.cell(VIDEO, "status"), bench.cell(VIDEO, "sync_note")) == ("finalized", notes.WITHOUT_A_CODE)
    assert bench.sync().cells_written == 0


def test_the_code_comes_after_all(bench: Bench) -> None:
    """A day later the answer names it: it is fetched without a mark."""
    (request,) = bench.requests(VIDEO)
    request.code, request.submitted_at = "#late", bench.clock.now()
    bench.later(days=1)
    report = bench.sync()
    assert (report.codes_received, bench.cell(VIDEO, "spark_code"), bench.cell(VIDEO, "sync_note")) == (1, "#late", "")
    bench.later(minutes=5)
    polls = bench.kinds().count("portal.poll")
    bench.sync()
    assert bench.kinds().count("portal.poll") == polls


def test_it_never_comes(bench: Bench) -> None:
    """After four weeks nobody is asked any more, and the row goes on saying it."""
    bench.later(weeks=4, days=1)
    polls = bench.kinds().count("portal.poll")
    bench.sync()
    assert bench.kinds().count("portal.poll") == polls
    assert bench.cell(VIDEO, "sync_note") == notes.WITHOUT_A_CODE


def test_a_mark_of_request(bench: Bench) -> None:
    """It orders nothing, and does not say that a code is there; `renew` orders another."""
    bench.mark("request", VIDEO)
    assert bench.sync().ordered == 0
    assert bench.cell(VIDEO, "sync_note").startswith(notes.WITHOUT_A_CODE)
    bench.mark("renew", VIDEO)
    assert (bench.sync().renewed, bench.charged(VIDEO)) == (1, 14)
