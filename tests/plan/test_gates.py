"""Before a credit is spent: each gate (design 3) holds the row, keeps the mark, and lets everything free through."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.builders import ALL_COLUMNS, VIDEO, request, row, seen, shows, situation, tracker

from sheetsync.model import HoldKind, Mark, Row, Scalar, Tracker
from sheetsync.plan.gates import failed_gates
from sheetsync.plan.marks import make_plan
from sheetsync.steps import Adopt, Correct, Order

USUAL = tracker()
WANTS = tracker(require=("client", "market"))
BARE = frozenset({"video_id", "action"})


def own(cell: Scalar) -> Row:
    """A row of a tracker with a column that its team made."""
    return row(columns=ALL_COLUMNS | {"Legal OK"}, **{"Legal OK": cell})


PASSES = {
    "a row with its approvals": (row(), USUAL),
    "a note of 500 characters": (row(note="x" * 500), USUAL),
    "a note of 500 characters and blanks": (row(note=f" {'x' * 500}\n"), USUAL),
    "a note of 250 emoji": (row(note="🎬" * 250), USUAL),
    "no platform": (row(platform=""), USUAL),
    "platform tiktok": (row(platform=" TikTok "), USUAL),
    "platform instagram": (row(platform="instagram"), USUAL),
    "what is required is filled": (row(client="Acme", market="DE"), WANTS),
    "a required number is filled with 0": (row(client=0, market="DE"), WANTS),
    "approvals in words": (row(caption_final="yes", sound_cleared="x"), USUAL),
    "approval columns that the sheet does not have": (
        row(columns=BARE, caption_final="", sound_cleared=""), USUAL
    ),
    "a required box is ticked": (row(post_live=True), tracker(require=("post_live",))),
    "an approval by name": (row(approval_owner="Ann"), tracker(approve=("approval_owner",))),
    "a column of the team's own, filled": (own("see ticket 7"), tracker(require=("Legal OK",))),
    "a column of the team's own, ticked": (own(True), tracker(approve=("Legal OK",))),
    "a column of the team's own, ticked in words": (own("yes"), tracker(approve=("Legal OK",), require=("Legal OK",))),
    "a request whose code cannot be read": (row(request_id="R1", spark_code="#REF!"), USUAL),
    "a UUID": (row(video_id="6f1a2b3c-0000-4000-8000-00000000000a"), USUAL),
    "an id that is none": (row(video_id="vid_XYZ"), USUAL),
    "no approval wanted": (row(caption_final="", sound_cleared=""), tracker(approve=())),
}  # fmt: skip

STOPS = {
    "a note of 251 emoji, of which JavaScript counts each twice": (row(note="🎬" * 251), USUAL),
    "a note of 501 characters": (row(note="x" * 501), USUAL),
    "a UUID in capitals": (row(video_id="6F1A2B3C-0000-4000-8000-00000000000A"), USUAL),
    "a UUID with one capital": (row(video_id="6f1a2b3c-0000-4000-8000-00000000000A"), USUAL),
    "another platform": (row(platform="youtube"), USUAL),
    "one required cell empty": (row(client="Acme"), WANTS),
    "a required cell of blanks": (row(client="Acme", market="  "), WANTS),
    "a required column that the sheet does not have": (row(columns=BARE), tracker(require=("client",))),
    "caption not final": (row(caption_final=""), USUAL),
    "caption unticked": (row(caption_final=False), USUAL),
    "sound not cleared": (row(sound_cleared=""), USUAL),
    "a code of people's own that cannot be read": (row(spark_code="#REF!"), USUAL),
    "a required box that is not ticked": (row(post_live=False), tracker(require=("post_live",))),
    "an approval without a name": (row(), tracker(approve=("approval_owner",))),
    "a column of the team's own, empty": (own(""), tracker(require=("Legal OK",))),
    "a column of the team's own, with a box that is not ticked": (own(False), tracker(require=("Legal OK",))),
    "a column of the team's own that is not ticked": (own(False), tracker(approve=("Legal OK",))),
    "a column of the team's own that says something else than yes": (own("pending"), tracker(approve=("Legal OK",))),
    "a column of the team's own that is gone": (row(), tracker(approve=("Legal OK",))),
    "both approvals missing": (row(caption_final="", sound_cleared=""), USUAL),
    "one approval column alone": (row(columns=ALL_COLUMNS - {"sound_cleared"}, caption_final=""), USUAL),
}


@pytest.mark.parametrize(("of", "settings"), PASSES.values(), ids=PASSES)
def test_open(of: Row, settings: Tracker) -> None:
    """Nothing is wanting: the order may be sent."""
    assert failed_gates(of, settings) == []


@pytest.mark.parametrize(("of", "settings"), STOPS.values(), ids=STOPS)
def test_shut(of: Row, settings: Tracker) -> None:
    """One gate, one thing to put right."""
    assert len(failed_gates(of, settings)) == 1


def test_everything_wanting_is_said_at_once() -> None:
    """A person mends a row in one go."""
    assert len(failed_gates(row(note="x" * 501, platform="myspace", caption_final=""), WANTS)) == 4


FINAL, CANCELLED = request("R1"), request("R1", "cancelled")


@pytest.mark.parametrize(
    ("mark", "cells", "asked"),
    [
        pytest.param("request", {}, Mark.REQUEST, id="a first code"),
        pytest.param("request", shows(CANCELLED), Mark.REQUEST, id="again after a refund"),
        pytest.param("renew", shows(FINAL), Mark.RENEW, id="a renewal"),
    ],
)
def test_every_paid_step_goes_through_the_gates(mark: str, cells: Mapping[str, Scalar], asked: Mark) -> None:
    """No way to an order leads round them; the mark stays, for a person."""
    latest = CANCELLED if cells.get("status") == "cancelled" else FINAL
    answers = seen(latest) if cells else seen(none=[VIDEO])
    (step,) = make_plan(situation(row(action=mark, **cells), observations=answers)).orders
    assert (type(step), step.mark) == (Order, asked)
    shut = make_plan(situation(row(action=mark, caption_final="", **cells), observations=answers))
    assert (shut.steps, [hold.kind for hold in shut.holds]) == ((), [HoldKind.PERSON])


@pytest.mark.parametrize(
    ("mark", "cells", "free"),
    [
        pytest.param("request", {}, Adopt, id="taking over what exists"),
        pytest.param("correct", shows(FINAL, feedback="bad"), Correct, id="a correction"),
    ],
)
def test_what_is_free_goes_through_no_gate(mark: str, cells: Mapping[str, Scalar], free: type) -> None:
    """The gates guard credits, nothing else; without an order the balance does not matter either."""
    of = row(action=mark, caption_final="", note="x" * 501, **cells)
    (step,) = make_plan(situation(of, observations=seen(FINAL), balance=None)).steps
    assert isinstance(step, free)


def test_a_held_row_uses_no_credits() -> None:
    """A row that a gate holds leaves the balance to the rows below."""
    rows = [row(2, action="request", caption_final=""), row(3, "vid-b", action="request")]
    found = make_plan(situation(*rows, balance=7))
    assert found.orders == (Order("vid-b", 3, Mark.REQUEST, None, "{}"),)
