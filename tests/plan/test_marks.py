"""The table of marks (design 3): for each mark and each answer of TokPortal, the one step or hold that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from support.builders import VIDEO, entry, known, request, row, seen, shows, situation

from sheetsync import notes
from sheetsync.model import AdCodeRequest, HoldKind, Mark, Origin, Scalar
from sheetsync.plan.marks import make_plan
from sheetsync.steps import Adopt, Correct, Hold, Order, Plan, Step

OPEN, FINAL, CANCELLED = request("R1", "pending"), request("R1"), request("R1", "cancelled")
REVIEW, REPORTED = request("R1", "in_review"), request("R1", "pending_corrections", code="#R1")
STRANGE = request("R1", "disputed")
NOTHING: Mapping[str, Scalar] = {}
OTHER = shows(request("R0"))
WHY = {"feedback": "rejected in Ads Manager"}
HOLD = "hold"


def plan(mark: str, latest: AdCodeRequest | None, cells: Mapping[str, Scalar]) -> Plan:
    """The plan for one marked row, TokPortal having answered with `latest`."""
    answer = seen(latest) if latest else seen(none=[VIDEO])
    return make_plan(situation(row(action=mark, **cells), observations=answer))


def order(mark: str, previous: AdCodeRequest | None) -> Step:
    """An order of the first code, or after a refund."""
    return Order(VIDEO, 2, Mark(mark), previous and previous.id, "{}")


def adopt(mark: str, latest: AdCodeRequest, origin: Origin) -> Step:
    """What is there is taken over; the mark will be cleared."""
    return Adopt(VIDEO, 2, Mark(mark), latest, origin)


def correct(latest: AdCodeRequest) -> Step:
    """The code is reported."""
    return Correct(VIDEO, 2, latest, WHY["feedback"])


# mark, TokPortal's latest request, the row's own cells -> the step, or a hold
TABLE = {
    "request, none": ("request", None, NOTHING, order("request", None)),
    # a row that was copied: what it shows is another video's request
    "request, none, row shows another": ("request", None, OTHER, order("request", None)),
    "request, open": ("request", OPEN, NOTHING, adopt("request", OPEN, Origin.ADOPTED_OPEN)),
    "request, open, row shows it": ("request", OPEN, shows(OPEN), adopt("request", OPEN, Origin.ADOPTED_OPEN)),
    "request, open, row shows another": ("request", OPEN, OTHER, adopt("request", OPEN, Origin.ADOPTED_RENEWED)),
    "request, in review counts as open": ("request", REVIEW, NOTHING, adopt("request", REVIEW, Origin.ADOPTED_OPEN)),
    "request, status unknown today counts as open": (
        "request", STRANGE, NOTHING, adopt("request", STRANGE, Origin.ADOPTED_OPEN)
    ),
    "request, finalized, row shows none": ("request", FINAL, NOTHING, adopt("request", FINAL, Origin.ADOPTED_EXISTING)),
    "request, finalized, row shows it": ("request", FINAL, shows(FINAL), HOLD),
    "request, cancelled, row shows it": ("request", CANCELLED, shows(CANCELLED), order("request", CANCELLED)),
    "request, cancelled, row shows none": ("request", CANCELLED, NOTHING, order("request", CANCELLED)),
    "request, finalized, row shows another": ("request", FINAL, OTHER, adopt("request", FINAL, Origin.ADOPTED_RENEWED)),
    "request, cancelled, row shows another": (
        "request", CANCELLED, OTHER, adopt("request", CANCELLED, Origin.ADOPTED_RENEWED)
    ),
    "renew, finalized, row shows another": ("renew", FINAL, OTHER, adopt("renew", FINAL, Origin.ADOPTED_RENEWED)),
    "renew, cancelled, row shows another": (
        "renew", CANCELLED, OTHER, adopt("renew", CANCELLED, Origin.ADOPTED_RENEWED)
    ),
    "renew, finalized, row shows none": ("renew", FINAL, NOTHING, adopt("renew", FINAL, Origin.ADOPTED_EXISTING)),
    "renew, cancelled, row shows none": (
        "renew", CANCELLED, NOTHING, adopt("renew", CANCELLED, Origin.ADOPTED_EXISTING)
    ),
    "renew, none": ("renew", None, NOTHING, HOLD),
    "renew, none, row shows another": ("renew", None, OTHER, HOLD),
    "renew, cancelled, row shows it": ("renew", CANCELLED, shows(CANCELLED), Order(VIDEO, 2, Mark.RENEW, "R1", "{}")),
    "renew, finalized, row shows it": ("renew", FINAL, shows(FINAL), Order(VIDEO, 2, Mark.RENEW, "R1", "{}")),
    "renew, open, row shows another": ("renew", OPEN, OTHER, adopt("renew", OPEN, Origin.ADOPTED_RENEWED)),
    "renew, open, row shows none": ("renew", OPEN, NOTHING, adopt("renew", OPEN, Origin.ADOPTED_RENEWED)),
    "renew, open, row shows it": ("renew", OPEN, shows(OPEN), HOLD),
    "renew, in review, row shows it": ("renew", REVIEW, shows(REVIEW), HOLD),
    "renew, status unknown today, row shows it": ("renew", STRANGE, shows(STRANGE), HOLD),
    "correct, in review": ("correct", REVIEW, shows(REVIEW, **WHY), correct(REVIEW)),
    "correct, finalized": ("correct", FINAL, shows(FINAL, **WHY), correct(FINAL)),
    "correct, another request": ("correct", FINAL, {**OTHER, **WHY}, HOLD),
    "correct, row shows none": ("correct", FINAL, WHY, HOLD),
    "correct, the code has changed": ("correct", FINAL, shows(FINAL, **WHY) | {"spark_code": "#old"}, HOLD),
    "correct, none": ("correct", None, WHY, HOLD),
    "correct, no code yet": ("correct", OPEN, shows(OPEN, **WHY), HOLD),
    "correct, cancelled": ("correct", request("R1", "cancelled", code="#R1"), shows(CANCELLED, **WHY), HOLD),
    "correct, a status that cannot be corrected": (
        "correct", request("R1", "accepted", code="#R1"), shows(FINAL, **WHY), HOLD
    ),
    "correct, feedback empty": ("correct", FINAL, shows(FINAL), HOLD),
    "correct, feedback of blanks": ("correct", FINAL, shows(FINAL, feedback="   "), HOLD),
    "correct, feedback of 2": ("correct", FINAL, shows(FINAL, feedback="no"), HOLD),
    "correct, feedback of 251 emoji": ("correct", FINAL, shows(FINAL, feedback="🎬" * 251), HOLD),
    "correct, feedback of 501": ("correct", FINAL, shows(FINAL, feedback="x" * 501), HOLD),
    "correct, reported already": (
        "correct", REPORTED, shows(REPORTED, **WHY), adopt("correct", REPORTED, Origin.FOUND)
    ),
    "correct, reported already, TokPortal keeps no code": (
        "correct",
        request("R1", "pending_corrections"),
        shows(FINAL, **WHY),
        adopt("correct", request("R1", "pending_corrections"), Origin.FOUND),
    ),
    "anything else": ("order please", None, NOTHING, HOLD),
    "a word that only begins like a mark": ("requested", None, NOTHING, HOLD),
}  # fmt: skip


@pytest.mark.parametrize(("mark", "latest", "cells", "expected"), TABLE.values(), ids=TABLE)
def test_a_mark_does(mark: str, latest: AdCodeRequest | None, cells: Mapping[str, Scalar], expected: object) -> None:
    """Compare, then act: the row's own cells are what the person saw when making the mark."""
    found = plan(mark, latest, cells)
    if expected is HOLD:
        assert (found.steps, [hold.kind for hold in found.holds]) == ((), [HoldKind.PERSON])
    else:
        assert found == Plan(steps=(expected,))


@pytest.mark.parametrize(
    ("origin", "status", "latest", "expected"),
    [
        (Origin.ORDERED, "ordering", OPEN, Origin.FOUND),
        (Origin.ORDERED, "", OPEN, Origin.ADOPTED_OPEN),
        (Origin.FOUND, "ordering", OPEN, Origin.ADOPTED_OPEN),
        (Origin.ORDERED, "ordering", request("R2", "pending"), Origin.ADOPTED_OPEN),
    ],
    ids=["the order of a killed run", "an earlier order", "ordered elsewhere", "another than ours"],
)
def test_the_order_that_a_killed_run_made_for_this_mark(
    origin: Origin, status: str, latest: AdCodeRequest, expected: Origin
) -> None:
    """Its claim still stands: the mark is done, and there is nothing else to tell."""
    ledger = known(entry(OPEN, origin))
    (step,) = make_plan(situation(row(action="request", status=status), known=ledger, observations=seen(latest))).steps
    assert isinstance(step, Adopt)
    assert step.origin is expected


@pytest.mark.parametrize("feedback", ["bad", "x" * 500, f"  {'x' * 500}  "])
def test_feedback_of_the_length_that_is_taken(feedback: str) -> None:
    """3 to 500 characters, blanks round them not counted."""
    (step,) = plan("correct", FINAL, shows(FINAL, feedback=feedback)).steps
    assert step == Correct(VIDEO, 2, FINAL, feedback.strip())


@pytest.mark.parametrize("typed", ["Request", " REQUEST ", "request"])
def test_a_mark_is_a_word_in_any_case(typed: str) -> None:
    """People type as they like."""
    assert plan(typed, None, NOTHING).orders == (order("request", None),)


@pytest.mark.parametrize("latest", [None, OPEN, FINAL, CANCELLED], ids=["none", "open", "finalized", "cancelled"])
def test_without_a_mark_nothing_is_done(latest: AdCodeRequest | None) -> None:
    """An open request with no mark is observed and projected; a row without both is left alone."""
    assert plan("", latest, NOTHING) == Plan()


@pytest.mark.parametrize(
    ("cells", "body"),
    [
        (NOTHING, "{}"),
        ({"note": " Für “Q3” "}, '{"note": "Für “Q3”"}'),
        ({"platform": "TikTok"}, '{"platform": "tiktok"}'),
        ({"note": "a", "platform": "instagram"}, '{"note": "a", "platform": "instagram"}'),
    ],
)
def test_the_body_of_an_order_is_what_the_row_says(cells: Mapping[str, Scalar], body: str) -> None:
    """Note and Platform, where they are filled; always a JSON object."""
    (step,) = plan("request", None, cells).orders
    assert step.body == body


def test_an_order_is_planned_only_on_the_request_that_the_row_shows() -> None:
    """The first lock: wherever there is a request, an order replaces the latest one, and the row shows no other."""
    for mark, latest, cells, _ in TABLE.values():
        for step in plan(mark, latest, cells).orders:
            assert step.previous_id == (latest.id if latest else None)
            assert latest is None or row(**cells).text("request_id") in ("", latest.id)


def test_every_hold_gives_a_reason() -> None:
    """Never silent."""
    held = [hold for mark, latest, cells, _ in TABLE.values() for hold in plan(mark, latest, cells).holds]
    assert held
    assert all(isinstance(hold, Hold) and hold.reason.endswith(".") for hold in held)


@pytest.mark.parametrize("latest", [OPEN, CANCELLED, REVIEW], ids=["open", "cancelled", "with a code of its own"])
def test_a_code_of_an_earlier_request_cannot_be_corrected(latest: AdCodeRequest) -> None:
    """TokPortal takes a correction of the latest request alone: the row says where else (design 5)."""
    earlier = entry(request("R0", code="#earlier"))
    ledger = replace(known(entry(latest)), earlier={VIDEO: (earlier,)})
    of = row(action="correct", **WHY, **shows(latest, spark_code="#earlier"))
    (hold,) = make_plan(situation(of, observations=seen(latest), known=ledger)).holds
    assert hold.reason == notes.EARLIER_CODE


def test_a_typed_code_beside_a_request_cannot_be_corrected() -> None:
    """Its creator sent it: TokPortal's dashboard does not know it either."""
    typed = entry(request("typed", code="#from-a-creator"), origin=Origin.TYPED)
    ledger = replace(known(entry(OPEN)), earlier={VIDEO: (typed,)})
    of = row(action="correct", **WHY, **shows(OPEN, spark_code="#from-a-creator"))
    (hold,) = make_plan(situation(of, observations=seen(OPEN), known=ledger)).holds
    assert hold.reason == notes.NO_CODE_TO_CORRECT


@pytest.mark.parametrize(
    ("latest", "text"),
    [
        (request("R2", "pending"), notes.EARLIER_CODE),
        (request("R2", "cancelled", code="#R2"), notes.EARLIER_CODE),
        (request("R2", "in_review"), notes.code_has_changed("#R2")),
    ],
)
def test_an_earlier_code_beside_a_renewal_that_its_row_does_not_show_yet(latest: AdCodeRequest, text: str) -> None:
    """There is a code, and TokPortal takes no correction of it; a new one is tried first."""
    ledger = replace(known(entry(latest)), earlier={VIDEO: (entry(FINAL),)})
    of = row(action="correct", **shows(FINAL, **WHY))
    (hold,) = make_plan(situation(of, known=ledger, observations=seen(latest))).holds
    assert hold.reason == text
