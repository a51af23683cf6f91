"""Every text that can stand in a Sync note, word for word, and the situation it belongs to.

`sheetsync/notes/README.md` lists these texts; no other test file repeats them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.bench import Bench
from support.builders import (
    ASKED,
    NOW,
    VIDEO,
    entry,
    intent,
    known,
    outlook,
    refusal,
    request,
    row,
    seen,
    shows,
    situation,
    told,
    tracker,
)

from sheetsync.authorizations import Access
from sheetsync.model import AdCodeRequest, Known, Origin, Row, Scalar, Tracker, Typed
from sheetsync.plan.limits import without_orders
from sheetsync.plan.marks import make_plan
from sheetsync.plan.situation import AtSheet, Situation
from sheetsync.projection.cells import targets
from sheetsync.sandbox.wire import Request, Response

OPEN, FINAL, CANCELLED = request("R1", "pending"), request("R1"), request("R1", "cancelled")
REQUEST = row(action="request")


def notes(rows: Sequence[Row], ledger: Known, reasons: Mapping[tuple[str, str], str], settings: Tracker) -> list[str]:
    """The Sync notes that these rows are given."""
    look = replace(outlook(now=NOW, reasons=reasons, observed=frozenset({VIDEO})), known=ledger)
    return [str(target.values["sync_note"]) for target in targets(rows, "UTC", settings, look)]


def held(world: Situation) -> str:
    """The note of the first row after a run that only planned."""
    reasons = {(hold.video_id, world.rows[0].text("action").casefold()): hold.reason for hold in make_plan(world).holds}
    seen_before = Known(codes={row.text("spark_code"): row.key for row in world.rows})
    return notes(world.rows, seen_before, reasons, world.tracker)[0]


LOOKING = "An order was sent and its answer was lost; sheetsync looks at TokPortal before anything else is ordered."
NUMBER = "This is a number, like a TikTok post id. Put TokPortal's video id here, as text."
UNOBSERVED = situation(REQUEST, observations={})
UNSETTLED = known(unsettled={VIDEO: intent(created_at=NOW)})
TWENTY_SIX = [row(2 + n, f"vid-{n}", action="request") for n in range(26)]
RESTING = known(refusals={VIDEO: refusal(retry_at=NOW + timedelta(minutes=1), text="TokPortal said no: 409: why")})

WAITING = {
    "the key is a number": (situation(row(video_id=7301234567890123456, action="request")), NUMBER),
    "the key is a TikTok post id as text": (situation(row(video_id="7301234567890123456", action="request")), NUMBER),
    "the key is a link": (
        situation(row(video_id="https://tiktok.com/@x/video/1", action="request")),
        "This is a link. Put TokPortal's video id here.",
    ),
    "a code of people's own shows an error": (
        situation(row(action="request", spark_code="#REF!"), observations=seen(none=[VIDEO])),
        "Waits: mend Spark code, which shows #REF!.",
    ),
    "the key is something else": (
        situation(row(video_id="my video", action="request")),
        "This cannot be a TokPortal video id (letters, digits and dashes).",
    ),
    "the key has a character that nobody sees": (
        situation(row(video_id="vid-a\u200b", action="request")),
        "This Video ID holds a character that nobody sees: type it anew, or paste it as plain text.",
    ),
    "the key is not there yet": (
        situation(row(video_id="Loading...", action="request")),
        "This Video ID shows Loading... now: nothing is done for its row until it says which video that is.",
    ),
    "unknown word": (
        situation(row(action="order")),
        "Action must be one of request, renew, correct, or empty.",
    ),
    "the time of the run ended before": (UNOBSERVED, "Not reached in the time of this run; the next run goes on."),
    "renew without a code": (
        situation(row(action="renew")),
        "Nothing to renew: this video has no code yet. Mark request instead.",
    ),
    "renew while one is open": (
        situation(row(action="renew", **shows(OPEN)), observations=seen(OPEN)),
        "A request is still open. This mark orders another code once it is delivered; clear Action if you do not want "
        "that.",
    ),
    "request where a code is": (
        situation(row(action="request", **shows(FINAL)), observations=seen(FINAL)),
        "Already has a code. Mark renew to order another (7 credits).",
    ),
    "correct without a code": (
        situation(row(action="correct", **shows(OPEN)), observations=seen(OPEN)),
        "There is no code to correct.",
    ),
    "correct what was cancelled": (
        situation(
            row(action="correct", feedback="bad", **shows(request(status="cancelled", code="#dead"))),
            observations=seen(request(status="cancelled", code="#dead")),
        ),
        "There is no code to correct.",
    ),
    "correct after the code has changed": (
        situation(row(action="correct", request_id="R1", spark_code="#old"), observations=seen(FINAL)),
        "The code has changed to #R1: try that one first, clear Action.",
    ),
    "correct in another status": (
        situation(
            row(action="correct", request_id="R1", spark_code="#R1"),
            observations=seen(request("R1", "accepted", code="#R1")),
        ),
        "A request in status 'accepted' cannot be corrected.",
    ),
    "correct without feedback": (
        situation(row(action="correct", **shows(FINAL)), observations=seen(FINAL)),
        "Feedback is empty: write there why the code does not work.",
    ),
    "correct with a formula that found nothing": (
        situation(row(action="correct", feedback="#N/A", **shows(FINAL)), observations=seen(FINAL)),
        "Feedback shows #N/A now: write why the code does not work.",
    ),
    "correct with too little feedback": (
        situation(row(action="correct", feedback="no", **shows(FINAL)), observations=seen(FINAL)),
        "Feedback has 2 characters; 3 to 500 are needed.",
    ),
    "gate: note too long": (
        situation(row(action="request", note="x" * 501)),
        "Waits: Note has 501 characters, TokPortal takes 500.",
    ),
    "gate: capitals": (
        situation(row(video_id="6F1A2B3C-0000-4000-8000-00000000000A", action="request")),
        "Waits: write the Video ID in small letters, as TokPortal does.",
    ),
    "gate: platform": (
        situation(row(action="request", platform="youtube")),
        "Waits: Platform must be tiktok or instagram.",
    ),
    "gate: required columns": (
        situation(REQUEST, tracker=tracker(require=("client", "market"), columns={"market": "Country"})),
        "Waits: fill in Client, Country.",
    ),
    "gate: approvals": (
        situation(row(action="request", caption_final=False, sound_cleared="")),
        "Waits: tick Caption final, Sound cleared.",
    ),
    "gate: merged cells": (
        situation(replace(REQUEST, hidden=frozenset({"status", "spark_code"}))),
        "Waits: unmerge the cells that hide Status, Spark code.",
    ),
    "gate: a cell that cannot be put back": (
        situation(replace(REQUEST, owed=frozenset({"Client"}))),
        "Waits: let sheetsync edit Client, where it has to put back what a write hit by mistake.",
    ),
    "several gates": (
        situation(row(action="request", note="x" * 501, sound_cleared="")),
        "Waits: Note has 501 characters, TokPortal takes 500; tick Sound cleared.",
    ),
    "the balance is not known": (
        situation(REQUEST, balance=None),
        "The credit balance could not be read, so nothing is ordered; the next run tries again.",
    ),
    "the ledger was rebuilt": (
        situation(REQUEST, known=Known(is_rebuilt=True)),
        "Waits: sheetsync had lost its memory, and whoever runs it has to confirm before anything is ordered.",
    ),
    "marks are being cleared": (
        situation(REQUEST, known=Known(braked=frozenset({("vid-a", "request"), ("vid-z", "request")}))),
        "Waits for the next run: too many rows were marked, and marks are being taken away. What stays as it is until "
        "then is ordered.",
    ),
    "the credits do not suffice": (
        situation(REQUEST, balance=6),
        "Not enough credits: a code costs 7. Top up at TokPortal.",
    ),
    "the credits suffice, but are to be kept": (
        situation(REQUEST, balance=106, tracker=tracker(keep_credits=100)),
        "Not enough credits: a code costs 7 beyond the 100 that are kept. Top up at TokPortal.",
    ),
    "an order is uncertain": (situation(REQUEST, known=UNSETTLED), LOOKING),
    "TokPortal said no, and the mark rests": (situation(REQUEST, known=RESTING), "TokPortal said no: 409: why"),
}


@pytest.mark.parametrize(("world", "text"), WAITING.values(), ids=WAITING)
def test_why_a_row_waits(world: Situation, text: str) -> None:
    """What could not be done says why in its row, in words the person at the sheet can act on."""
    assert held(world) == text
    (hold,) = make_plan(world).holds
    assert (hold.video_id, hold.row) == (world.rows[0].key, world.rows[0].number)


def test_too_many_rows_are_marked() -> None:
    """Refused, all or nothing: each of the rows says so."""
    plan = without_orders(make_plan(situation(*TWENTY_SIX)), 25)
    assert {hold.reason for hold in plan.holds} == {
        "Waits: more rows are marked than one run may order (25). Clear the marks that are not meant, "
        "or ask whoever runs sheetsync to allow them."
    }
    at_sheet = AtSheet("cell K7 of tab 'Summary'")
    world = replace(situation(*TWENTY_SIX, tracker=tracker(max_orders_at_sheet=26)), at_sheet=at_sheet)
    assert {hold.reason for hold in make_plan(world).holds} == {
        "Waits: more rows are marked than one run may order (25). Clear the marks that are not meant, "
        "or allow them in cell K7 of tab 'Summary'."
    }


def test_a_row_without_a_key_is_named_in_the_output_alone() -> None:
    """There is nothing to write by."""
    world = situation(row(video_id="", action="request"))
    assert [hold.reason for hold in make_plan(world).holds] == [
        "has a mark but no video id: fill in TokPortal's video id"
    ]
    assert notes(world.rows, Known(), {}, tracker()) == []


ELSEWHERE = "Already ordered; taken over, nothing more was charged."
EXISTING = "A code already exists; nothing more was charged. Mark renew to order another (7 credits)."
RENEWED = "This was already renewed; nothing more was charged. Mark renew to order another (7 credits)."
REPORTED = "Reported to the manager, who will send a new code."
REFUNDED = "TokPortal cancelled this request and refunded its credits. Mark request to order again."

STANDING = {
    "ordered": (entry(), ""),
    "found": (entry(origin=Origin.FOUND, charged=None, left=None), ""),
    "taken over while open": (entry(OPEN, Origin.ADOPTED_OPEN, None), ELSEWHERE),
    "taken over while open, the code has come": (entry(FINAL, Origin.ADOPTED_OPEN, None), ""),
    "taken over when finished": (entry(FINAL, Origin.ADOPTED_EXISTING, None), EXISTING),
    "taken over, a renewal": (entry(OPEN, Origin.ADOPTED_RENEWED, None), RENEWED),
    "finished without a code": (
        entry(status="finalized", code=None),
        "TokPortal says that this request is finished, and names no code: ask TokPortal if none comes.",
    ),
    "cancelled": (entry(CANCELLED), REFUNDED),
    "cancelled, taken over": (entry(CANCELLED, Origin.ADOPTED_EXISTING), REFUNDED),
    "cancelled, at another price": (entry(CANCELLED, charged=9), REFUNDED),
    "reported": (entry(status="pending_corrections"), REPORTED),
    "reported, taken over": (entry(status="pending_corrections", origin=Origin.ADOPTED_EXISTING), REPORTED),
    "a status unknown today": (
        entry(status="disputed"),
        "TokPortal says 'disputed', a status unknown to sheetsync; see its dashboard.",
    ),
    "another price": (entry(charged=9), "This order cost 9 credits instead of 7."),
    "free of charge, or before the price rose": (entry(charged=0), ""),
    "another price, reported": (
        entry(status="pending_corrections", charged=9),
        f"{REPORTED} This order cost 9 credits instead of 7.",
    ),
}


@pytest.mark.parametrize(("of", "text"), STANDING.values(), ids=STANDING)
def test_what_to_know_about_a_request(of: object, text: str) -> None:
    """A row without a mark says what its person should know about the request."""
    assert notes([row()], known(of), {}, tracker()) == [text]


BEFORE = request("R0", code="#R0", created_at=NOW - timedelta(days=10))
IN_USE = {
    "a renewal is under way": (
        OPEN, {}, "A renewal is under way; until its code is there, this row shows the earlier code."
    ),
    "a renewal was cancelled": (CANCELLED, {}, f"{REFUNDED} The code shown is an earlier one."),
    "a renewal was cancelled with its code": (
        replace(CANCELLED, code="#R1"), {},
        f"TokPortal cancelled the code: stop ads that use it. {REFUNDED} The code shown is an earlier one.",
    ),
    "the earlier code still runs": (
        FINAL, {}, f"Another code of this video may still run, until {NOW + timedelta(days=20):%Y-%m-%d %H:%M}."
    ),
    "a date of the earlier code": (
        OPEN, {"known_expiry": 46400},
        "A renewal is under way; until its code is there, this row shows the earlier code. "
        "Known expiry was typed for another code: type the date of this one "
        "(if it is the same: empty the cell, let a run pass, type it again).",
    ),
    "retired was said of another code": (
        OPEN, {"paid_status": "retired"},
        "A renewal is under way; until its code is there, this row shows the earlier code. "
        "Paid status retired was said of another code: change it "
        "(to retire this one: empty it, let a run pass, pick it).",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("latest", "cells", "text"), IN_USE.values(), ids=IN_USE)
def test_what_to_know_about_the_codes(latest: AdCodeRequest, cells: Mapping[str, Scalar], text: str) -> None:
    """Which code the row shows, what was typed for another one, and which others may still run."""
    typed = {(VIDEO, column): Typed(cell, {"#elder": cell}) for column, cell in cells.items()}
    ledger = replace(known(entry(latest)), earlier={VIDEO: (entry(BEFORE),)}, typed=typed)
    assert notes([row(**cells)], ledger, {}, tracker()) == [text]


def test_a_code_that_only_the_row_knew() -> None:
    """The ledger was lost."""
    told = replace(entry(BEFORE), origin=Origin.IMPORTED)
    (text,) = notes([row()], replace(known(entry(OPEN)), earlier={VIDEO: (told,)}), {}, tracker())
    assert text.endswith("The code is as this row told it; TokPortal has not confirmed it.")


def test_several_other_codes() -> None:
    """Each by its end."""
    other = entry(request("R-", code="#R-", platform="instagram"))
    (text,) = notes([row()], replace(known(entry(FINAL)), earlier={VIDEO: (entry(BEFORE), other)}), {}, tracker())
    ends = f"{NOW + timedelta(days=20):%Y-%m-%d %H:%M}"
    assert text == f"Other codes may still run: until {ends}, with no known end."


ENDS = NOW + timedelta(days=12)
NOT_FOUND, GONE = "40002: auth_code_not_found", "40002: video_unavailable"
BY_TIKTOK = {
    "in use": (told(ends=ENDS), {}, ""),
    "people say the same": (told(ends=ENDS), {"known_expiry": f"{ENDS:%Y-%m-%dT%H:%M:%S}Z"}, ""),
    "people say less": (
        told(ends=ENDS), {"known_expiry": "2026-06-30"},
        f"Known expiry says 2026-06-30 00:00, TikTok {ENDS:%Y-%m-%d %H:%M}: the earlier one counts.",
    ),
    "people say more": (
        told(ends=ENDS), {"known_expiry": "2026-09-30 18:00"},
        f"Known expiry says 2026-09-30 18:00, TikTok {ENDS:%Y-%m-%d %H:%M}: the earlier one counts.",
    ),
    "not accepted": (
        told(ends=ENDS, state="not accepted", refusal=NOT_FOUND), {},
        "TikTok does not accept this code (40002: auth_code_not_found). Mark correct, with the reason in Feedback.",
    ),
    "not told": (
        told(ends=ENDS, state="not told", refusal="40001: No permission."), {},
        "TikTok does not tell us of this code (40001: No permission.). Ask whoever runs sheetsync what the token may "
        "read.",
    ),
    "the post is not accepted": (
        told(state="not accepted", refusal=GONE), {},
        "TikTok does not accept this post (40002: video_unavailable): another code will not help. Ask the creator.",
    ),
    "private": (
        told(ends=ENDS, state="post no longer public"), {},
        "TikTok says of this code: post no longer public. Ads that use it may have stopped; ask the creator.",
    ),
    "a state unknown today": (
        told(ends=ENDS, state="FROZEN"), {},
        "TikTok says of this code: FROZEN. Ads that use it may have stopped; ask the creator.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("said", "cells", "text"), BY_TIKTOK.values(), ids=BY_TIKTOK)
def test_what_tiktok_says_of_a_code(said: Mapping[str, Any], cells: Mapping[str, Scalar], text: str) -> None:
    """Beside a Known expiry the note says both; a code that is not good any more is named. Without a token, nothing."""
    asked = tracker(tiktok=ASKED)
    assert notes([row(**cells)], known(entry(FINAL), **said), {}, asked) == [text]
    assert notes([row(**cells)], known(entry(FINAL), **said), {}, tracker()) == [""]


@pytest.mark.parametrize("cell", ["", "Acme US", 7012345678901234567, True, "1234"])
def test_no_ad_account_is_known(cell: Scalar) -> None:
    """Neither the configuration nor the row names one; a number has lost its last digits. Instagram has none."""
    asked = tracker(tiktok=Access("token"))
    text = "TikTok is not asked about this code: Ad account holds no ad account's id (its digits, as text)."
    assert notes([row(ad_account=cell)], known(entry(FINAL)), {}, asked) == [text]
    assert notes([row(ad_account="7012345678901234567")], known(entry(FINAL)), {}, asked) == [""]
    assert notes([row(ad_account=cell)], known(entry(platform="instagram")), {}, asked) == [""]


DATE = "pick the date, or type it as 2026-04-03."
CELLS = {
    "a date in two readings": (
        row(known_expiry="03/04/2026"), f"Known expiry: '03/04/2026' can be read in two ways or none; {DATE}"
    ),
    "a day that does not exist": (
        row(known_expiry="2026-02-30"), f"Known expiry: '2026-02-30' is not in the calendar; {DATE}"
    ),
    "a date out of reason": (
        row(known_expiry="1026-04-03"), f"Known expiry: '1026-04-03' is no plausible date; {DATE}"
    ),
    "a number for a date": (row(known_expiry=12), f"Known expiry: 12 is no date; {DATE}"),
    "a checkbox for a date": (row(known_expiry=True), f"Known expiry: TRUE is no date; {DATE}"),
    "no number of days": (
        row(authorization_days="a month"),
        "Authorization days: 'a month' is no number of days; use 7, 30, 60, 180 or 365.",
    ),
    "both": (
        row(known_expiry=12, authorization_days=0),
        f"Known expiry: 12 is no date; {DATE} "
        "Authorization days: '0' is no number of days; use 7, 30, 60, 180 or 365.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "text"), CELLS.values(), ids=CELLS)
def test_a_cell_that_cannot_be_read(of: Row, text: str) -> None:
    """A person's cell that is not understood is not guessed at: the note says what is expected."""
    assert notes([of], known(entry()), {}, tracker()) == [text]


class TestUnderMergedCells:
    """What is written there is swallowed: the row says what it cannot show."""

    def test_what_is_known_of_it(self) -> None:
        """After that, if there is more to say."""
        of = replace(row(), hidden=frozenset({"spark_code"}))
        found = notes([of, row(3)], known(entry()), {}, tracker())
        assert found[0] == (
            "To see all of this row, unmerge the cells that hide Spark code. "
            "Duplicate of row 3: one of them acts, all show the same."
        )
        assert "unmerge" not in found[1]

    @pytest.mark.parametrize("said", ["", "To see all of this row, unmerge the cells that hide Expiry."])
    def test_a_row_that_knows_more_than_the_ledger(self, said: str) -> None:
        """Why it cannot be asked about does not take the place of what cannot be seen; once is enough there, too."""
        shown = row(request_id="of another machine", spark_code=str(entry().request.code), sync_note=said)
        of = replace(shown, hidden=frozenset({"expiry"}))
        hidden = "To see all of this row, unmerge the cells that hide Expiry."
        for reason, note in (("Silent.", f"Silent. {hidden}"), ("", hidden)):
            look = replace(outlook(now=NOW, reasons={(VIDEO, ""): reason}), known=known(entry()), observed=frozenset())
            (target,) = targets([of], "UTC", tracker(), look)
            assert target.values.get("sync_note", said) == note

    def test_its_reason_says_so(self) -> None:
        """Once is enough."""
        of = replace(REQUEST, hidden=frozenset({"status"}))
        reason = "Waits: unmerge the cells that hide Status."
        assert notes([of], Known(), {(VIDEO, "request"): reason}, tracker()) == [reason]


def test_a_code_of_peoples_own_that_cannot_be_read_as_there_is_a_request() -> None:
    """Written over it would be lost: nothing else in the row changes until it can be read."""
    (target,) = targets([row(spark_code="#REF!")], "UTC", tracker(), outlook(entry(OPEN)))
    assert target.values == {
        "credits_charged": 7,
        "sync_note": "Spark code shows #REF! now: mend it, or empty it; until then this row does not show the request.",
    }


def test_a_cell_is_named_by_the_trackers_own_header() -> None:
    """People know their own headers."""
    (text,) = notes([row(known_expiry=12)], known(entry()), {}, tracker(columns={"known_expiry": "Ends"}))
    assert text.startswith("Ends: ")


class TestDuplicates:
    def test_each_names_the_others(self) -> None:
        """Two rows with one key: each says it is a duplicate of row N."""
        assert notes([row(2), row(5), row(9, "vid-b")], known(entry()), {}, tracker()) == [
            "Duplicate of row 5: one of them acts, all show the same.",
            "Duplicate of row 2: one of them acts, all show the same.",
            "",
        ]

    def test_of_three_each_names_two(self) -> None:
        """Whichever row one looks at, it leads to all."""
        found = notes([row(2), row(3, action="request"), row(7)], Known(), {}, tracker())
        assert found == ["", "Duplicate of row 2, 7: one of them acts, all show the same.", ""]

    def test_it_comes_after_the_reason(self) -> None:
        """Why it waits first."""
        rows = [row(2, action="order"), row(3)]
        text = notes(rows, Known(), {(VIDEO, "order"): "Why."}, tracker())[0]
        assert text == "Why. Duplicate of row 3: one of them acts, all show the same."


def test_a_note_is_cut_where_it_would_be_no_note_any_more() -> None:
    """A note is read in a cell."""
    (text,) = notes([row(action="x")], Known(), {(VIDEO, "x"): "y" * 5000}, tracker())
    assert text == "y" * 900


def test_a_reason_goes_before_what_is_known_about_the_request() -> None:
    """A marked row says why it waits; a bad cell is said besides."""
    of = row(action="renew", known_expiry=12, request_id="R1")
    (text,) = notes([of], known(entry(CANCELLED)), {(VIDEO, "renew"): "Why."}, tracker())
    assert text == f"Why. Known expiry: 12 is no date; {DATE}"


# --- texts of a whole run -------------------------------------------------------------------------------------

UNANSWERED = "TokPortal did not answer; the next run tries again."


def fault(kind: str, fault: str, nth: int = 1, times: int = 1) -> Callable[[Bench], object]:
    """Something goes wrong at the n-th call of a kind."""
    return lambda bench: bench.world.faults.add(kind, nth=nth, fault=fault, times=times)


def edit(kind: str, do: Callable[[Bench], object], nth: int = 1) -> Callable[[Bench], object]:
    """Somebody does something just before the n-th call of a kind."""
    return lambda bench: bench.world.faults.edit(kind, nth=nth, do=lambda world: do(bench))


def unready(**facts: bool) -> Callable[[Bench], object]:
    """TokPortal's video lacks something."""
    return lambda bench: bench.world.portal.add_video(VIDEO, **facts)


def owned_by_another(bench: Bench) -> None:
    """The video belongs to another workspace."""
    bench.world.portal.add_video(VIDEO, owner="other")


def without_support_id(text: str) -> str:
    """The support id is TokPortal's, and another every time."""
    head, found, tail = text.partition(" (support id ")
    return head + tail.partition(")")[2] if found else text


ORDERING = {
    "TokPortal does not answer": (fault("portal.poll", "500", times=20), UNANSWERED),
    "TokPortal does not show the video": (
        owned_by_another,
        "TokPortal does not show this video (403 VIDEO_NOT_OWNED: This video belongs to another workspace.). "
        "Check the Video ID.",
    ),
    "Google does not confirm the claim": (
        fault("sheets.batchUpdate", "500", times=3),
        "Google did not confirm a write into this row, so nothing was ordered; the next run tries again.",
    ),
    "TokPortal refuses the order": (
        unready(manager=False),
        "TokPortal said no: 400 AD_CODE_NO_CM: No account manager is assigned.",
    ),
    "TokPortal asks for payment": (
        edit("portal.order", lambda bench: setattr(bench.world.portal, "credits", 3)),
        "TokPortal said no: 402 INSUFFICIENT_CREDITS: Insufficient credits.",
    ),
    "TokPortal asks for fewer calls": (
        fault("portal.order", "429", times=20),
        "Not ordered in this run: TokPortal asks for fewer calls. The next run goes on.",
    ),
    "the run has to end": (
        edit("portal.poll", lambda bench: bench.clock.ends_in(59)),
        "Not ordered in this run: the time of the run is over. The next run goes on.",
    ),
    "TokPortal does not accept the key": (
        fault("portal.order", "401"),
        "TokPortal answered 401 AUTH_INVALID_KEY Invalid API key. Check tokportal.api_key: its value, scope and "
        "expiry.",
    ),
    "the last look before the order fails": (
        fault("portal.poll", "html502", nth=2, times=20),
        "Not ordered: TokPortal answered 502 a web page instead of an answer.",
    ),
    "the answer to the order is lost before it": (fault("portal.order", "lost_before"), LOOKING),
}


@pytest.mark.parametrize(("happens", "text"), ORDERING.values(), ids=ORDERING)
def test_an_order_that_is_not_done(happens: Callable[[Bench], object], text: str) -> None:
    """A run orders one code; something happens; the row says it."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    happens(bench)
    bench.sync()
    assert without_support_id(bench.cell(VIDEO, "sync_note")) == text


def without_a_price(bench: Bench) -> None:
    """TokPortal's answer to an order no longer names what was charged."""
    handle = bench.world.handle

    def stripped(call: Request) -> Response:
        answer = handle(call)
        if bench.world.kind(call) != "portal.order":
            return answer
        body = json.loads(answer.body)
        del body["credits_charged"]
        return Response(answer.status, answer.headers, json.dumps(body).encode())

    bench.world.handle = stripped


STOPPING = {
    "payment": (
        edit("portal.order", lambda bench: setattr(bench.world.portal, "credits", 3)),
        "Not ordered in this run: TokPortal asks for payment (402) first. The next run goes on.",
    ),
    "another price": (
        lambda bench: setattr(bench.world.portal, "price", 9),
        "Waits: TokPortal took the order of video vid-0 for 9 credits, 7 were expected. "
        "Ask whoever runs sheetsync to accept the price.",
    ),
    "no price named": (
        without_a_price,
        "Waits: TokPortal took the order of video vid-0 without naming a price, 7 were expected. "
        "Ask whoever runs sheetsync to accept the price.",
    ),
    "the key is not accepted any more": (
        fault("portal.order", "401", nth=2),
        "Not ordered in this run: something stopped it before; whoever runs sheetsync sees what.",
    ),
    "the key is not accepted at all": (
        fault("portal.balance", "401"),
        "TokPortal does not accept sheetsync's key: whoever runs sheetsync has to mend that.",
    ),
    "three unclear answers": (
        fault("portal.order", "lost_before", times=3),
        "Not ordered in this run: TokPortal does not answer clearly. The next run goes on.",
    ),
}


@pytest.mark.parametrize(("happens", "text"), STOPPING.values(), ids=STOPPING)
def test_what_stops_the_orders_further_down(happens: Callable[[Bench], object], text: str) -> None:
    """An order went wrong in a way that concerns all: the last row says why it was not ordered."""
    bench = Bench([f"vid-{n}" for n in range(4)])
    bench.mark("request", *(f"vid-{n}" for n in range(4)))
    happens(bench)
    bench.sync()
    assert bench.cell("vid-3", "sync_note") == text


def switch(**values: object) -> Callable[[Bench], object]:
    """TokPortal behaves in another of the ways that its documents leave open."""
    return lambda bench: bench.world.portal.switches.set(values)


CORRECTING = {
    "it is reported": (lambda bench: None, REPORTED),
    "the answer is lost": (
        fault("portal.correct", "lost_before"),
        "The answer to the correction was lost; the next run looks again.",
    ),
    "a web page answers": (
        switch(patch_route="page"),
        "TokPortal shows no sign of this report: report the code in the TokPortal dashboard, then clear Action.",
    ),
    "the key may not": (
        switch(patch_route=404),
        "This API key cannot report codes: report it in the TokPortal dashboard, then clear Action.",
    ),
    "TokPortal refuses": (
        switch(patch_finalized=409),
        "TokPortal said no: 409 AD_CODE_INVALID_STATUS: The request cannot be corrected in its status. "
        "Report it in the TokPortal dashboard if this stays.",
    ),
    "the key is not accepted any more": (
        fault("portal.poll", "401", nth=2),
        "Not finished in this run: something stopped it; whoever runs sheetsync sees what.",
    ),
    "the request has moved on": (
        edit("portal.poll", lambda bench: bench.world.portal.set_status(VIDEO, "cancelled"), nth=2),
        "The row changed while this was about to be done; the next run looks again. "
        "TokPortal cancelled the code: stop ads that use it.",
    ),
}


@pytest.mark.parametrize(("happens", "text"), CORRECTING.values(), ids=CORRECTING)
def test_a_correction(happens: Callable[[Bench], object], text: str) -> None:
    """A run reports a code; something happens; the row says it."""
    bench = with_a_code()
    bench.type(VIDEO, "feedback", "rejected in Ads Manager")
    bench.mark("correct", VIDEO)
    happens(bench)
    bench.sync()
    assert without_support_id(bench.cell(VIDEO, "sync_note")) == text


def with_a_code(*others: str) -> Bench:
    """A tracker whose first video has a finalized code."""
    bench = Bench([VIDEO, *others])
    bench.world.portal.order_elsewhere(VIDEO)
    for step in (bench.world.portal.accept, bench.world.portal.submit, bench.world.portal.deliver):
        step(VIDEO)
    bench.mark("request", VIDEO)
    bench.sync()
    bench.later(minutes=5)
    return bench


def test_a_correction_that_cannot_be_looked_at_concerns_its_row_alone() -> None:
    """The row says why it waits, and the rows below are served (design 4: other errors concern their row alone)."""
    bench = with_a_code("vid-b")
    bench.type(VIDEO, "feedback", "rejected in Ads Manager")
    bench.mark("correct", VIDEO)
    bench.mark("request", "vid-b")
    bench.world.faults.add("portal.poll", nth=3, fault="403")
    bench.sync()
    assert bench.charged("vid-b") == 7
    assert bench.cell(VIDEO, "sync_note") not in ("", EXISTING)
