"""A replica of TokPortal's that lags behind: one GET names the request before the latest one, or none."""

from __future__ import annotations

import json

import pytest
from support.doctored import VIDEO, Doctored

from sheetsync.ledger.store import Ledger
from sheetsync.model import fingerprint
from sheetsync.sandbox.wire import Request, Response


class Lagging(Doctored):
    """A tracker whose video was renewed; `lag` makes the next GETs answer what was true before."""

    def __init__(self) -> None:
        super().__init__()
        self.with_code()
        self.stale: bytes = self.poll()
        self.later(hours=1)
        self.mark("renew", VIDEO)
        self.sync()
        assert self.charged(VIDEO) == 14

    def poll(self) -> bytes:
        """What TokPortal answers about the video now."""
        answers: list[bytes] = []
        self.change = lambda request, answer: answers.append(answer.body) or answer  # type: ignore[func-returns-value]
        self.type(VIDEO, "action", "correct")
        self.sync()
        self.type(VIDEO, "action", "")
        self.change = None
        return answers[-1]

    def lag(self, times: int, body: bytes | None = None) -> None:
        """The next GETs of the video answer an older body, or that there is none."""
        left = [times]

        def older(request: Request, answer: Response) -> Response:
            if request.method != "GET" or VIDEO not in request.path or not left[0]:
                return answer
            left[0] -= 1
            return Response(200, answer.headers, body or json.dumps({"data": None}).encode())

        self.change = older


def test_an_older_request_that_is_named_brings_its_code() -> None:
    """Nothing follows from the answer, but no code that was ever told is lost: here by a ledger that is new."""
    bench = Lagging()
    bench.world.portal.submit(VIDEO)
    bench.world.portal.deliver(VIDEO)
    bench.later(hours=30)
    bench.sync()
    bench.mark("renew", VIDEO)
    bench.sync()
    bench.ledger = Ledger(None)
    bench.lag(1, bench.stale)
    bench.sync()
    first, second, newest = bench.requests(VIDEO)
    assert bench.cell(VIDEO, "request_id") == newest.id
    bench.sync()
    told = [(book.entry.request.id, [code for _, code in book.codes]) for book in bench.ledger.entries(VIDEO)]
    shown = fingerprint(str(second.code)), [second.code]  # by the row alone
    assert sorted(told) == sorted([(first.id, [first.code]), (newest.id, []), shown])
    assert bench.ledger.known("acme").latest[VIDEO].request.id == newest.id


@pytest.mark.parametrize("old", [True, False], ids=["an older request", "none"])
class TestAfterARenewal:
    def test_the_paid_code_arrives(self, old: bool) -> None:
        """The row does not flip back, goes on being polled, and gets the code it was charged for."""
        bench = Lagging()
        newest = bench.cell(VIDEO, "request_id")
        bench.lag(1, bench.stale if old else None)
        bench.sync()
        assert bench.cell(VIDEO, "request_id") == newest
        bench.world.portal.submit(VIDEO)
        bench.later(minutes=5)
        bench.sync()
        assert (bench.cell(VIDEO, "spark_code"), bench.charged(VIDEO)) == (bench.requests(VIDEO)[-1].code, 14)

    @pytest.mark.parametrize("mark", ["request", "renew"])
    def test_a_mark_waits_for_a_true_answer(self, old: bool, mark: str) -> None:
        """It is neither served nor adopted away on the strength of an older answer."""
        bench = Lagging()
        bench.mark(mark, VIDEO)
        bench.lag(1, bench.stale if old else None)
        assert bench.sync().exit_code == 1
        assert (bench.cell(VIDEO, "action"), bench.charged(VIDEO)) == (mark, 14)
        assert "older than what is known" in bench.cell(VIDEO, "sync_note")

    def test_the_last_look_before_an_order(self, old: bool) -> None:
        """An order is not sent on it."""
        bench = Lagging()
        bench.world.portal.submit(VIDEO)
        bench.world.portal.deliver(VIDEO)
        bench.later(minutes=5)
        bench.sync()
        bench.mark("renew", VIDEO)
        seen: list[None] = []

        def second_look(request: Request, answer: Response) -> Response:
            if request.method == "GET" and VIDEO in request.path:
                seen.append(None)
                if len(seen) == 2:
                    return Response(200, answer.headers, bench.stale if old else json.dumps({"data": None}).encode())
            return answer

        bench.change = second_look
        bench.sync()
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (14, "renew")
        bench.later(minutes=5)
        bench.sync()
        assert bench.charged(VIDEO) == 21

    def test_after_a_day_the_row_says_so(self, old: bool) -> None:
        """A person is told; the run is complete without it."""
        bench = Lagging()
        bench.mark("renew", VIDEO)
        bench.lag(100, bench.stale if old else None)
        bench.sync()
        bench.later(hours=25)
        assert bench.sync().exit_code == 0
        assert "ask TokPortal" in bench.cell(VIDEO, "sync_note")
        assert bench.charged(VIDEO) == 14
