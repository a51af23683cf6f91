"""What the machine cells of a row say: f(row, ledger, now), and what is left alone (design 3.6 and 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    ALL_COLUMNS,
    CREATED,
    NOW,
    OWNED,
    VIDEO,
    entry,
    known,
    outlook,
    request,
    row,
    shows,
    tracker,
)

from sheetsync import notes
from sheetsync.columns import BY_KEY, MACHINE_KEYS, Owner, says, to_serial
from sheetsync.model import AdCodeRequest, Entry, Mark, Origin, Row, Scalar, Typed, Value
from sheetsync.notes import SERVED
from sheetsync.plan.due import due
from sheetsync.projected import Target
from sheetsync.projection.cells import ORDERING, STATUSES, Outlook, targets
from sheetsync.projection.window import RowContext, missing, stage, usable_code

DAY = timedelta(days=1)
EMPTIED = {
    "status", "spark_code", "requested_at", "submitted_at", "delivered_at", "expires_at", "expiry", "stage", "missing",
    "credits_charged", "credits_left", "request_id", "sync_note",
}  # fmt: skip
OLD, NEW = request("R1"), request("R2", "pending")


def target(of: Row, look: Outlook) -> Target:
    """What one row should say."""
    (found,) = targets([of], "UTC", tracker(), look)
    return found


def values(of: Row, look: Outlook) -> Mapping[str, Value]:
    """The cells that have a word from the projection."""
    return target(of, look).values


def after(of: Row, look: Outlook) -> Row:
    """The row once it is written."""
    cells = dict(of.cells)
    for column, value in values(of, look).items():
        cells[column] = value if isinstance(value, str | int) else to_serial(value, "UTC")
    return Row(of.number, of.key, {key: cell for key, cell in cells.items() if cell != ""}, of.columns)


class TestStage:
    @pytest.mark.parametrize(
        ("paid", "status", "expiry", "said"),
        [
            pytest.param("retired", "finalized", "expired", "retired", id="retired before expired"),
            pytest.param("Retired ", "finalized", "renewal needed", "retired", id="retired before renewal needed"),
            pytest.param("retired", "pending", "", "retired", id="retired without a code"),
            pytest.param("spending", "finalized", "expired", "expired", id="expired before spending"),
            pytest.param("", "finalized", "expired", "expired", id="expired"),
            pytest.param("paused", "finalized", "renewal needed", "renewal needed", id="renewal needed before paused"),
            pytest.param("", "in_review", "renewal needed", "renewal needed", id="renewal needed"),
            pytest.param("spending", "finalized", "ok", "spending", id="spending"),
            pytest.param("Paused", "finalized", "ok", "paused", id="paused"),
            pytest.param("activated", "finalized", "no window", "activated", id="activated"),
            pytest.param("spending", "pending", "", "spending", id="spending before requested"),
            pytest.param("stopped", "finalized", "ok", "received", id="another word is no stage"),
            pytest.param("", "finalized", "ok", "received", id="received"),
            pytest.param("", "in_review", "ok", "received", id="received before it is finalized"),
            pytest.param("", "finalized", "no window", "received", id="received, no window"),
            pytest.param("", "pending", "", "requested", id="requested"),
            pytest.param("", "accepted", "", "requested", id="requested and accepted"),
            pytest.param("", "disputed", "", "requested", id="requested, a status unknown today"),
            pytest.param("", "cancelled", "", "", id="cancelled"),
            pytest.param("retired", "cancelled", "", "retired", id="retired and cancelled"),
        ],
    )
    def test_the_first_that_holds(self, paid: str, status: str, expiry: str, said: str) -> None:
        """Retired, expired, renewal needed, the paid status, received, requested, nothing (design 5)."""
        of, context = request(status=status), RowContext(row(paid_status=paid), "UTC", tracker(), NOW)
        assert stage(context, usable_code(of), expiry, of.is_open) == said


def lacks(of: Row, word: str = "ok", renamed: Mapping[str, str] | None = None, **fields: object) -> str:
    """What Missing says."""
    context = RowContext(of, "UTC", tracker(columns=renamed or {}), NOW)
    return missing(context, usable_code(request(**fields)), word)


class TestMissing:
    def test_operationally_ready(self) -> None:
        """With every field filled, nothing is missing."""
        assert lacks(row(**OWNED)) == ""

    @pytest.mark.parametrize("key", sorted(OWNED))
    def test_each_wanted_field(self, key: str) -> None:
        """Owner fields, market, ad account, campaign, objective, video URL, creator."""
        assert lacks(row(**{**OWNED, key: "  "})) == BY_KEY[key].header

    @pytest.mark.parametrize("key", sorted(OWNED))
    def test_only_columns_that_exist_count(self, key: str) -> None:
        """A column that the tracker does not have is not wanted."""
        assert lacks(row(columns=ALL_COLUMNS - {key}, **{**OWNED, key: ""})) == ""

    def test_several_stand_in_one_line_under_the_trackers_own_headers(self) -> None:
        """The words are those of the sheet."""
        of = row(**{**OWNED, "market": "", "campaign": ""})
        assert lacks(of, renamed={"market": "Country"}) == "Country, Campaign"

    @pytest.mark.parametrize(
        ("word", "said"), [("renewal needed", "Renewal decision"), ("ok", ""), ("expired", ""), ("no window", "window")]
    )
    def test_a_renewal_decision_is_wanted_when_renewal_is_needed(self, word: str, said: str) -> None:
        """And a window where there is none."""
        assert lacks(row(**OWNED), word) == said
        assert lacks(row(renewal_decision="renew", **OWNED), word) == said.replace("Renewal decision", "")

    def test_a_retirement_reason_is_wanted_when_retired(self) -> None:
        """Document why each code was stopped."""
        assert lacks(row(paid_status="Retired", **OWNED)) == "Retirement reason"
        assert lacks(row(paid_status="retired", retirement_reason="weak", **OWNED)) == ""

    @pytest.mark.parametrize("status", ["pending", "accepted", "cancelled"])
    def test_nothing_is_missing_before_there_is_a_code(self, status: str) -> None:
        """A ledger field is wanted once the code is there."""
        assert lacks(row(), status=status) == ""


class TestCells:
    def test_a_delivered_code(self) -> None:
        """Every machine cell but Updated at, from the ledger alone."""
        of = request(submitted_at=CREATED + DAY, delivered_at=CREATED + 2 * DAY)
        assert values(row(**OWNED), outlook(entry(of))) == {
            "status": "finalized", "spark_code": "#R1", "requested_at": CREATED, "submitted_at": CREATED + DAY,
            "delivered_at": CREATED + 2 * DAY, "expires_at": CREATED + 30 * DAY, "expiry": "ok", "stage": "received",
            "missing": "", "credits_charged": 7, "credits_left": 1240, "request_id": "R1", "sync_note": "",
        }  # fmt: skip

    def test_a_request_just_ordered(self) -> None:
        """What is not there yet is empty."""
        found = values(row(), outlook(entry(status="pending", created_at=None)))
        filled = {"status": "pending", "stage": "requested", "request_id": "R1"}
        assert found == {**dict.fromkeys(EMPTIED, ""), **filled, "credits_charged": 7, "credits_left": 1240}

    def test_a_cancelled_request(self) -> None:
        """Its code is dead and goes, its history stays."""
        of = request(status="cancelled", code="#R1", submitted_at=CREATED)
        found = values(row(**shows(OLD), expiry="ok", stage="received"), outlook(entry(of)))
        assert (found["status"], found["requested_at"], found["submitted_at"]) == ("cancelled", CREATED, CREATED)
        assert [found[key] for key in ("spark_code", "expires_at", "expiry", "stage", "missing")] == [""] * 5

    @pytest.mark.parametrize("status", [*STATUSES, "disputed"])
    def test_status_is_tokportals_word(self, status: str) -> None:
        """Also a word unknown today."""
        assert values(row(), outlook(entry(status=status)))["status"] == status

    def test_credits_left_that_the_ledger_lost_stay_in_the_row(self) -> None:
        """What the row knows of this very request is not wiped by knowing less."""
        found = values(row(**shows(OLD), credits_left=90), outlook(entry(OLD, charged=None, left=None)))
        assert "credits_left" not in found

    def test_credits_of_another_request_go(self) -> None:
        """What an earlier request cost says nothing of this one."""
        found = values(
            row(request_id="R0", credits_charged=7, credits_left=90), outlook(entry(OLD, charged=None, left=None))
        )
        assert (found["credits_charged"], found["credits_left"]) == ("", "")

    def test_no_credits_left_is_a_number(self) -> None:
        """0 is not nothing."""
        assert values(row(), outlook(entry(charged=0, left=0)))["credits_left"] == 0

    def test_only_machine_cells_are_spoken_for(self) -> None:
        """Never a word about a cell that belongs to a person, nor about Updated at."""
        looks = [outlook(entry(of)) for of in (OLD, NEW, request(status="cancelled"))]
        found = {key for look in looks for key in values(row(request_id="R7"), look)}
        assert found == set(MACHINE_KEYS) - {"updated_at"}
        assert all(BY_KEY[key].owner is Owner.MACHINE for key in found)

    @given(
        status=st.sampled_from([*STATUSES, "disputed"]),
        mark=st.sampled_from(["", "request", "renew", "correct", "bogus"]),
        shown=st.sampled_from(["", "R1", "R9"]),
        origin=st.sampled_from(Origin),
        entered=st.booleans(),
        observed=st.booleans(),
        status_cell=st.sampled_from(["", ORDERING, "pending"]),
    )
    def test_what_is_written_once_is_not_written_again(
        self, status: str, mark: str, shown: str, origin: Origin, entered: bool, observed: bool, status_cell: str
    ) -> None:
        """A run on an unchanged world does nothing: written once, each cell says what it should."""
        entries = [entry(status=status, origin=origin)] if entered else []
        look = outlook(*entries, observed=frozenset({VIDEO} if observed else ()))
        written = after(row(action=mark, request_id=shown, status=status_cell), look)
        again = values(written, look)
        assert all(says(written.cells.get(key, ""), value, "UTC") for key, value in again.items())


class TestLeftAlone:
    def test_a_row_without_a_mark_and_without_a_request(self) -> None:
        """Words, dates and amounts that people typed by hand stay."""
        of = row(status="delivered by mail", expires_at=46115, credits_charged=7)
        assert values(of, outlook(observed=frozenset({VIDEO}))) == {"sync_note": ""}

    def test_a_line_without_a_key(self) -> None:
        """There is nothing to write by."""
        assert targets([row(video_id="", request_id="R1", action="request")], "UTC", tracker(), outlook()) == ()

    def test_a_request_that_nobody_could_be_asked_about(self) -> None:
        """The ledger was lost and TokPortal is down: the row keeps what it says, its note included."""
        of = row(**shows(OLD), sync_note="Mark request to order again.")
        assert values(of, Outlook(known(), NOW)) == {}

    @pytest.mark.parametrize(
        ("left", "word"), [(4 * DAY, None), (DAY, "renewal needed"), (-DAY, "expired")], ids=["ok", "soon", "over"]
    )
    def test_a_code_that_nobody_could_be_asked_about(self, left: timedelta, word: str | None) -> None:
        """Time goes on all the same: nobody may pay for ads on a code that has ended, and its row says `ok`."""
        of = row(**shows(OLD), expires_at=to_serial(NOW + left, "UTC"), expiry="ok", stage="received")
        assert values(of, Outlook(known(), NOW)) == ({} if word is None else {"expiry": word, "stage": word})
        assert values(after(of, Outlook(known(), NOW)), Outlook(known(), NOW)) == {}

    def test_a_request_that_nobody_could_be_asked_about_under_a_mark(self) -> None:
        """Why the mark waits is said all the same."""
        look = Outlook(known(), NOW, reasons={(VIDEO, "renew"): "TokPortal did not answer."})
        assert values(row(action="renew", **shows(OLD)), look) == {"sync_note": "TokPortal did not answer."}

    def test_a_claim_beside_a_request_that_nobody_could_be_asked_about(self) -> None:
        """A killed run's claim goes all the same: no order is under way any more."""
        assert values(row(**{**shows(OLD), "status": ORDERING}), Outlook(known(), NOW)) == {"status": ""}

    def test_a_newer_request_than_the_ledgers_that_nobody_could_be_asked_about(self) -> None:
        """An old copy of the ledger does not turn the row back; a code that it knows to run is spoken of, once."""
        look, runs = Outlook(known(entry(OLD)), NOW), notes.others_run(["2026-07-16 10:22"])
        assert values(row(**shows(NEW)), look) == {"sync_note": runs}
        assert values(row(sync_note="A note.", **shows(NEW)), look) == {"sync_note": f"A note. {runs}"}
        for of in (row(sync_note=f"{runs} A note.", **shows(NEW)), row(**shows(NEW, spark_code=OLD.code))):
            assert values(of, look) == {}


class TestNobodyCouldBeAsked:
    """The row shows a request that the ledger does not have."""

    def test_the_target_is_the_rows_own(self) -> None:
        """A mark that is done is cleared there too."""
        of = row(action="renew", **shows(OLD))
        look = Outlook(known(), NOW, served={VIDEO: (Mark.RENEW, OLD.id)})
        assert target(of, look) == Target(of, {}, clear_mark=True)

    def test_rows_with_one_key(self) -> None:
        """The one whose mark waits names the others, after its reason; the one without a mark keeps what it says."""
        rows = [row(2, action="renew", **shows(OLD)), row(3, **shows(OLD))]
        twin = "Duplicate of row 3: one of them acts, all show the same."
        for reasons, note in (({}, twin), ({(VIDEO, "renew"): "Why."}, f"Why. {twin}")):
            found = targets(rows, "UTC", tracker(), Outlook(known(), NOW, reasons=reasons))
            assert [of.values for of in found] == [{"sync_note": note}, {}]

    def test_a_request_that_the_ledger_has(self) -> None:
        """Asked or not, the row shows it."""
        for shown in ({}, shows(OLD)):
            assert values(row(**shown), Outlook(known(entry(OLD)), NOW))["status"] == OLD.status


class TestTimeZones:
    def test_a_day_is_one_of_the_sheets_zone(self) -> None:
        """Expiry and note are told by the clock of the people at the sheet."""
        of = row(known_expiry="2026-06-22", **shows(OLD))
        (found,) = targets([of], "America/New_York", tracker(), outlook(entry(OLD)))
        assert found.values["expires_at"] == datetime(2026, 6, 22, 4, tzinfo=UTC)
        assert (found.values["expiry"], found.values["stage"]) == ("renewal needed", "renewal needed")
        assert found.values["sync_note"] == ""

    def test_a_status_out_of_reason_is_cut(self) -> None:
        """A note is read in a cell."""
        note = values(row(), outlook(entry(status="x" * 61)))["sync_note"]
        assert note == f"TokPortal says '{'x' * 60}', a status unknown to sheetsync; see its dashboard."


class TestOthersCells:
    def test_a_copied_row_is_emptied(self) -> None:
        """The row shows a request that its video does not have: TokPortal was asked and knows none."""
        look = outlook(observed=frozenset({VIDEO}))
        known_elsewhere = replace(look, known=replace(look.known, codes={str(OLD.code): "vid-other"}))
        assert values(row(**shows(OLD)), known_elsewhere) == dict.fromkeys(EMPTIED, "")

    def test_a_code_of_which_nobody_else_knows_stays(self) -> None:
        """Beside a request that its video does not have: it may be all that is left of it."""
        found = values(row(**shows(OLD)), outlook(observed=frozenset({VIDEO})))
        assert set(found) == {"sync_note"}
        assert str(found["sync_note"]).startswith("Nobody knows of this Request ID")

    def test_a_copied_row_of_a_video_with_a_request_shows_its_own(self) -> None:
        """The ledger's latest for this video goes before what was copied."""
        found = values(row(**shows(request("R9"))), outlook(entry(OLD)))
        assert (found["request_id"], found["spark_code"]) == ("R1", "#R1")


class TestOrdering:
    """`ordering` is our own claim: it does not outlive the run that made it."""

    @pytest.mark.parametrize(
        ("of", "entries"),
        [
            pytest.param(row(status=ORDERING), (), id="nothing was ordered"),
            pytest.param(row(status=ORDERING, action="request"), (), id="nothing was ordered, the mark waits"),
            pytest.param(
                row(status=ORDERING, action="renew", request_id="R1"), (entry(NEW, charged=None),), id="a renewal waits"
            ),
        ],
    )
    def test_it_is_removed_where_nothing_stands_instead(self, of: Row, entries: Iterable[Entry]) -> None:
        """A crashed run's claim goes, and nothing else of the row."""
        found = values(of, outlook(*entries, observed=frozenset({VIDEO})))
        assert {key for key, value in found.items() if value != ""} <= {"sync_note"}
        assert set(found) - {"credits_charged"} == {"status", "sync_note"}

    def test_it_gives_way_to_the_status(self) -> None:
        """The order was sent."""
        assert values(row(status=ORDERING), outlook(entry(NEW)))["status"] == "pending"

    def test_it_gives_way_where_a_mark_waits_on_the_request_that_is_shown(self) -> None:
        """The renewal was not sent: the row goes back to what it showed."""
        of = row(action="renew", **{**shows(OLD), "status": ORDERING})
        assert values(of, outlook(entry(OLD)))["status"] == "finalized"


class TestWaitingMarks:
    @pytest.mark.parametrize("mark", ["request", "renew", "correct", "bogus"])
    @pytest.mark.parametrize("shown", ["", "R1"])
    def test_the_row_goes_on_showing_what_its_person_saw(self, mark: str, shown: str) -> None:
        """No other request appears beside a waiting mark: the compare would be made on our own writing."""
        found = values(row(action=mark, request_id=shown), outlook(entry(NEW)))
        assert set(found) == {"sync_note", "credits_charged"}

    def test_news_of_the_shown_request_are_written(self) -> None:
        """A renewal that waits for an open request sees it finished."""
        found = values(row(action="renew", request_id="R1"), outlook(entry(OLD)))
        assert (found["status"], found["spark_code"]) == ("finalized", "#R1")

    @pytest.mark.parametrize(
        ("mark", "written"), [("correct", False), ("Correct ", False), ("renew", True), ("", True)]
    )
    def test_a_correction_waits_beside_the_code_that_was_tried(self, mark: str, written: bool) -> None:
        """The new code is in the note; the row keeps the old one until the mark is gone."""
        found = values(row(action=mark, request_id="R1", spark_code="#old"), outlook(entry(OLD)))
        assert ("spark_code" in found) is written

    def test_a_correction_beside_the_same_code(self) -> None:
        """Nothing is kept back where nothing has changed."""
        assert values(row(action="correct", **shows(OLD)), outlook(entry(OLD)))["spark_code"] == "#R1"


def served(of: Row, mark: Mark = Mark.RENEW, shown: str = "R1") -> Target:
    """A row after its video's mark was served: R2 is the new request."""
    return target(of, outlook(entry(NEW), served={VIDEO: (mark, shown)}))


class TestServedMarks:
    @pytest.mark.parametrize("typed", ["renew", " Renew"])
    def test_a_mark_that_is_done_is_cleared_and_the_row_shows_the_result(self, typed: str) -> None:
        """The Action cell is cleared once its wish is done, and only then."""
        found = served(row(action=typed, **shows(OLD)))
        assert (found.clear_mark, found.values["request_id"]) == (True, "R2")

    @pytest.mark.parametrize(
        "of",
        [
            pytest.param(row(action="request", **shows(OLD)), id="another mark since"),
            pytest.param(row(action="renew", request_id="R0"), id="made on another request"),
            pytest.param(row(action="renew"), id="made on none"),
        ],
    )
    def test_another_wish_than_the_one_served_stays(self, of: Row) -> None:
        """A twin's mark, or one typed since the read, is compared anew in the next run."""
        found = served(of)
        assert (found.clear_mark, set(found.values)) == (False, {"sync_note", "credits_charged"})

    def test_without_a_mark_nothing_is_cleared(self) -> None:
        """The person has cleared it already."""
        found = served(row(**shows(OLD)))
        assert (found.clear_mark, found.values["request_id"]) == (False, "R2")

    def test_of_twins_the_equal_marks_are_cleared_and_others_wait(self) -> None:
        """Both show the same result; one wish was served, so a different one is not."""
        rows = [
            row(2, action="renew", **shows(OLD)),
            row(3, action="renew", **shows(OLD)),
            row(4, action="correct", **shows(OLD)),
            row(5, **shows(OLD)),
        ]
        look = outlook(entry(NEW), served={VIDEO: (Mark.RENEW, "R1")})
        found = targets(rows, "UTC", tracker(), look)
        assert [t.clear_mark for t in found] == [True, True, False, False]
        assert [t.values.get("request_id") for t in found] == ["R2", "R2", None, "R2"]

    def test_a_reason_of_a_mark_that_was_served_is_not_said(self) -> None:
        """It is done."""
        look = outlook(entry(NEW), served={VIDEO: (Mark.REQUEST, "")}, reasons={(VIDEO, "request"): "Why."})
        assert target(row(action="request"), look).values["sync_note"] == ""

    def test_a_reason_is_said_to_the_mark_it_is_about(self) -> None:
        """A twin with another mark does not get it."""
        rows = [row(2, action="request"), row(3, action="renew")]
        look = outlook(reasons={(VIDEO, "request"): "Why."})
        first, second = (str(t.values["sync_note"]) for t in targets(rows, "UTC", tracker(), look))
        assert first.startswith("Why. ")
        assert "Why." not in second


class TestAfterTheLedgerIsLost:
    """How a request came to the row is remembered by the row: the note stays, and nothing is written again."""

    @pytest.mark.parametrize("origin", [Origin.ADOPTED_EXISTING, Origin.ADOPTED_RENEWED])
    def test_the_note_of_a_request_that_was_taken_over_stays(self, origin: Origin) -> None:
        """The new ledger has merely found it."""
        before = after(row(), outlook(entry(OLD, origin, None, None)))
        assert values(before, outlook(entry(OLD, Origin.FOUND, None, None)))["sync_note"] == before.text("sync_note")

    def test_the_note_of_another_request_goes(self) -> None:
        """It was about the request that the row showed."""
        before = after(row(), outlook(entry(OLD, Origin.ADOPTED_EXISTING)))
        newer: AdCodeRequest = request("R2")
        assert values(before, outlook(entry(newer, Origin.FOUND)))["sync_note"] == ""

    def test_a_note_that_says_something_else_goes(self) -> None:
        """A reason that no longer holds is not kept."""
        of = row(**shows(OLD), sync_note="Not enough credits.")
        assert values(of, outlook(entry(OLD, Origin.FOUND)))["sync_note"] == ""


def test_two_rows_of_one_video_show_the_same() -> None:
    """Nothing but the note and the person's own cells tells twins apart."""
    cells: Mapping[str, Scalar] = OWNED
    first, second = targets([row(2, **cells), row(9, **cells)], "UTC", tracker(), outlook(entry()))
    assert (first.values["credits_charged"], second.values["credits_charged"]) == (7, "")  # the column adds up
    assert {**first.values, "sync_note": "", "credits_charged": ""} == {**second.values, "sync_note": ""}


def test_a_mark_that_is_done_says_so_beside_a_duplicate_that_acts() -> None:
    """By this note alone another machine knows that it is no wish; once the mark is gone, so is the note."""
    said = SERVED + " Duplicate of row 2: one of them acts, all show the same."
    for mark, note in (("renew", said), ("", "Duplicate of row 2: one of them acts, all show the same.")):
        rows = [row(action="request", **shows(OLD)), row(3, action=mark, sync_note=said, **shows(OLD))]
        assert targets(rows, "UTC", tracker(), outlook(entry(OLD)))[1].values["sync_note"] == note


EARLIER_CODE = request("R1", created_at=CREATED - 10 * DAY)
CANCELLED = request("R2", "cancelled", created_at=CREATED)


def generations(*entries: Entry, **more: Any) -> Outlook:
    """What a run knows of one video: the newest request first."""
    newest, *earlier = entries
    codes = {str(e.request.code): VIDEO for e in entries if e.request.code}
    found = replace(known(newest), earlier={VIDEO: tuple(earlier)}, codes=codes, **more)
    return Outlook(found, NOW, observed=frozenset({VIDEO}))


class TestCodeInUse:
    """Spark code, Expires at, Expiry, Stage and Missing speak of the code in use (design 5)."""

    def test_days_are_those_of_its_own_time(self) -> None:
        """Edited after the renewal was ordered, they count for the next code."""
        earlier = entry(EARLIER_CODE, authorization_days=60)
        found = values(row(authorization_days=7, **shows(NEW, spark_code="#R1")), generations(entry(NEW), earlier))
        assert (found["spark_code"], found["expires_at"]) == ("#R1", CREATED + 50 * DAY)
        unknown = generations(entry(NEW), entry(EARLIER_CODE))
        assert values(row(authorization_days=90, **shows(NEW)), unknown)["expires_at"] == CREATED + 80 * DAY

    def test_a_cancelled_renewal_is_not_polled_for_ever(self) -> None:
        """The row shows what it should: nothing has to be asked."""
        look = generations(entry(CANCELLED), entry(EARLIER_CODE))
        of = after(row(**shows(CANCELLED)), look)
        assert of.text("spark_code") == "#R1"
        assert due([of], look.known, NOW, "UTC", tracker()) == ()

    @pytest.mark.parametrize("header", ["known_expiry", "paid_status", "renewal_decision"])
    def test_what_was_typed_for_the_earlier_code(self, header: str) -> None:
        """It says nothing of the new one: the note asks, Missing lists the decision, nobody is retired."""
        cell: Scalar = {"known_expiry": 46300, "paid_status": "retired", "renewal_decision": "renew"}[header]
        late = request("R2", created_at=NOW - 28 * DAY)
        kept = {(VIDEO, header): Typed(cell, {"#R1": cell})}
        found = values(row(**OWNED, **{header: cell}), generations(entry(late), entry(EARLIER_CODE), typed=kept))
        assert (found["expires_at"], found["stage"]) == (NOW + 2 * DAY, "renewal needed")
        assert found["missing"] == "Renewal decision"
        said = {"known_expiry": "Known expiry was typed for", "paid_status": "Paid status retired was said of"}
        assert said.get(header, "") in str(found["sync_note"])

    def test_what_was_typed_for_the_next_code(self) -> None:
        """Nothing was shown when it was typed."""
        kept = {(VIDEO, "known_expiry"): Typed(46300, {"": 46300})}
        found = values(row(known_expiry=46300), generations(entry(OLD), typed=kept))
        assert to_serial(found["expires_at"], "UTC") == 46300  # type: ignore[arg-type]

    def test_a_code_without_a_known_end_may_run(self) -> None:
        """An Instagram code has none; the note says so of it too."""
        other = request("R0", platform="instagram", created_at=CREATED - 10 * DAY)
        note = values(row(), generations(entry(OLD), entry(other)))["sync_note"]
        assert note == "Another code of this video may still run, with no known end."

    def test_several_others(self) -> None:
        """Each by its end."""
        third = request("R3", created_at=CREATED)
        look = generations(entry(third), entry(request("R2", created_at=CREATED - DAY)), entry(EARLIER_CODE))
        assert "Other codes may still run: until" in str(values(row(**shows(third)), look)["sync_note"])

    def test_a_code_that_no_row_may_show_any_more_is_named(self) -> None:
        """By the row's own note, where the ledger never saw its code."""
        of = row(**shows(CANCELLED), sync_note="TokPortal cancelled the code: stop ads that use it.")
        note = values(of, outlook(entry(replace(CANCELLED, code=None))))["sync_note"]
        assert str(note).startswith("TokPortal cancelled the code: stop ads that use it. TokPortal cancelled this")

    def test_expiry_goes_on_while_a_mark_waits(self) -> None:
        """Code and end are frozen with it, the credits and the time are not."""
        of = row(action="bogus", expires_at=to_serial(NOW + DAY, "UTC"), expiry="ok", **shows(OLD))
        found = values(of, generations(entry(NEW), entry(OLD)))
        assert {key: found.get(key) for key in ("expiry", "stage", "credits_charged", "spark_code", "request_id")} == {
            "expiry": "renewal needed", "stage": "renewal needed", "credits_charged": 14,
            "spark_code": None, "request_id": None,
        }  # fmt: skip

    def test_a_code_that_people_typed(self) -> None:
        """It stays; what follows from its end is kept for it, and the day it was received gives one."""
        received = to_serial(NOW - 29 * DAY, "UTC")
        found = values(row(spark_code="#theirs", received_at=received, **OWNED), outlook())
        assert found == {
            "expires_at": NOW + DAY, "expiry": "renewal needed", "stage": "renewal needed",
            "missing": "Renewal decision", "sync_note": "",
        }  # fmt: skip
        bare = values(row(spark_code="#theirs", **OWNED), outlook())
        assert bare == {"expiry": "no window", "stage": "received", "missing": "window", "sync_note": ""}
        typed = values(row(spark_code="#theirs", expires_at=to_serial(NOW - DAY, "UTC"), **OWNED), outlook())
        assert (typed["expiry"], typed["expires_at"]) == ("expired", NOW - DAY)


class TestNotesOfARowWhoseMarkWaits:
    """It goes on showing an earlier code: its note speaks of that one, and of the newer ones as of others."""

    END = "2026-07-16 10:22"

    def note(self, latest: AdCodeRequest, earlier: AdCodeRequest, of: Row) -> str:
        """The note of a row that shows the earlier request, or what is told."""
        look = outlook(entry(latest), reasons={(VIDEO, "correct"): "Why."})
        look = replace(look, known=replace(look.known, earlier={VIDEO: (entry(earlier),)}))
        (found,) = targets([of], "UTC", tracker(), look)
        return str(found.values["sync_note"])

    def test_a_newer_code_that_runs(self) -> None:
        """It is named with its end."""
        told = self.note(request("R2"), request("R1"), row(action="correct", **shows(request("R1"))))
        assert told == f"Why. {notes.EARLIER_CODE_SHOWN} {notes.others_run([self.END])}"

    def test_no_code_shown(self) -> None:
        """All that run are named."""
        told = self.note(request("R2"), request("R1"), row(action="correct", request_id="R1"))
        assert told == f"Why. {notes.others_run([self.END, self.END])}"

    def test_its_code_was_cancelled(self) -> None:
        """A dead code is not shown without a word."""
        dead = request("R1", "cancelled", code="#R1")
        told = self.note(request("R2", "pending"), dead, row(action="correct", **shows(dead)))
        assert told == f"Why. {notes.CODE_CANCELLED}"

    def test_the_newest_code_was_cancelled(self) -> None:
        """Whoever waits is told as well."""
        dead = request("R2", "cancelled", code="#R2")
        told = self.note(dead, request("R1"), row(action="correct", **shows(dead, spark_code="#R1")))
        assert told == f"Why. {notes.CODE_CANCELLED} {notes.EARLIER_CODE_SHOWN}"

    def test_it_shows_what_the_ledger_does_not_know(self) -> None:
        """TokPortal was not reached, or contradicts it: its cells stay, and the codes that are known are named."""
        of = row(action="correct", **shows(request("R9")))
        look = replace(outlook(entry(request("R1")), reasons={(VIDEO, "correct"): "Why."}), observed=frozenset())
        (found,) = targets([of], "UTC", tracker(), look)
        assert found.values == {"sync_note": f"Why. {notes.others_run([self.END])}"}

    def test_a_code_that_only_a_copied_row_told_of(self) -> None:
        """Its row was emptied since, and TokPortal knows of no request: it is not spoken of."""
        told = replace(entry(EARLIER_CODE), origin=Origin.IMPORTED)
        look = Outlook(replace(known(), earlier={VIDEO: (told,)}), NOW, observed=frozenset({VIDEO}))
        assert values(row(), look) == {"sync_note": ""}
