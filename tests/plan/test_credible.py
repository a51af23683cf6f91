"""An answer older than what is known is no answer (design 3.2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import CREATED, DOWN, NOW, VIDEO, entry, known, request, row, seen

from sheetsync.columns import to_serial
from sheetsync.model import AdCodeRequest, HoldKind, Known, Observation, Row
from sheetsync.plan.credible import contradicts, credible

HOUR = timedelta(hours=1)
OLD, NEW = request("R1"), request("R2", "pending", created_at=CREATED + HOUR)


def judged(answer: AdCodeRequest | None, ledger: Known, *rows: Row) -> Observation:
    """What is made of an answer about the video."""
    answers = seen(answer) if answer else seen(none=[VIDEO])
    return credible(answers, ledger, rows, "Etc/GMT", NOW)[VIDEO]


@pytest.mark.parametrize(
    ("answer", "before", "is_older"),
    [
        (NEW, OLD, False),
        (OLD, NEW, True),
        (NEW, NEW, False),
        (None, NEW, True),
        (None, None, False),
        (OLD, None, False),
        (request("R1", created_at=None), NEW, False),
        (OLD, request("R2", created_at=None), False),
        (request("R1", created_at=NEW.created_at), NEW, False),
    ],
    ids=["newer", "older", "the same", "none", "nothing known", "first", "no time", "no time known", "same moment"],
)
def test_when_an_answer_contradicts(answer: AdCodeRequest | None, before: AdCodeRequest | None, is_older: bool) -> None:
    """Two requests are told apart by when they were made; where a time is missing the answer is the newer word."""
    assert contradicts(answer, before) is is_older


@pytest.mark.parametrize("answer", [OLD, None], ids=["an older request", "none"])
class TestLaggingReplica:
    def test_it_is_asked_again(self, answer: AdCodeRequest | None) -> None:
        """Nothing follows from it in this run; the request that it names is kept all the same."""
        found = judged(answer, known(entry(NEW)), row())
        assert (found.request, found.failure and found.failure.kind) == (answer, HoldKind.NEXT_RUN)

    def test_after_a_day_a_person_is_told_both_ids(self, answer: AdCodeRequest | None) -> None:
        """What stays for so long is no lagging replica."""
        found = judged(answer, known(entry(NEW, seen_at=NOW - timedelta(hours=24))), row())
        assert found.failure is not None
        assert (found.failure.kind, "R2" in found.failure.text) == (HoldKind.PERSON, True)
        assert answer is None or answer.id in found.failure.text

    def test_a_row_vouches_where_the_ledger_was_lost(self, answer: AdCodeRequest | None) -> None:
        """Its Requested at is all that is left; a person is asked at once, since it cannot tell since when."""
        shows = row(request_id="R2", requested_at=to_serial(CREATED + 30 * HOUR, "Etc/GMT"))
        found = judged(answer, Known(), shows)
        assert (found.failure and found.failure.kind) == HoldKind.PERSON

    def test_a_copied_row_vouches_for_nothing(self, answer: AdCodeRequest | None) -> None:
        """Another row, or the ledger, has its request under another key."""
        cells = {"request_id": "R2", "requested_at": to_serial(CREATED + 30 * HOUR, "Etc/GMT")}
        assert judged(answer, Known(), row(2, **cells), row(3, "vid-b", **cells)).failure is None
        other = known(owners={"R2": "vid-b"})
        assert judged(answer, other, row(2, **cells)).failure is None


def test_a_row_whose_time_cannot_be_read_vouches_for_nothing() -> None:
    """A text in Requested at is a person's."""
    assert judged(None, Known(), row(request_id="R2", requested_at="yesterday")).failure is None


def test_a_failure_stays_what_it_is() -> None:
    """No answer contradicts nothing."""
    down = credible(seen(vid_a=DOWN), known(entry(NEW)), [row()], "Etc/GMT", NOW)[VIDEO]
    assert down.failure == DOWN


def test_a_sheet_whose_time_zone_was_changed() -> None:
    """Its instants may be off by as much as two zones are apart: within that an answer is the newer word."""
    shows = row(request_id="R2", requested_at=to_serial(CREATED + timedelta(hours=26), "Etc/GMT"))
    assert judged(OLD, Known(), shows).failure is None
