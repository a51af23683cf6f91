"""What rows say that nothing else holds (design 5): which code a typed date is of, and what a row vouches for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.builders import ALL_COLUMNS, CREATED, NOW, VIDEO, entry, known, request, row, shows, tracker

from sheetsync.columns import to_serial
from sheetsync.model import Entry, Known, Origin, Row, Typed, fingerprint
from sheetsync.plan.memory import EARLIER, remembered
from sheetsync.steps import Memory, TypedValue

DAY = timedelta(days=1)
FIRST = request("R1", code="#one", platform="")
SECOND = request("R2", "pending", platform="", created_at=CREATED + 20 * DAY)
EXPIRY = to_serial(CREATED + 25 * DAY, "UTC")


def memory(*rows: Row, before: Known | None = None, now: Known | None = None) -> Memory:
    """What a run remembers of these rows; `before` is the ledger when it began, the same as now unless told."""
    found = now or Known()
    return remembered(rows, "UTC", tracker(), found if before is None else before, found, NOW)


def ledger(*entries: Entry, **more: Any) -> Known:
    """A ledger with these requests of one video, the newest first."""
    newest, *earlier = entries
    codes = {str(e.request.code): VIDEO for e in entries if e.request.code}
    owners = {e.request.id: VIDEO for e in entries}
    return replace(known(newest), earlier={VIDEO: tuple(earlier)}, owners=owners, codes=codes, **more)


def told(of: Any = FIRST, **cells: Any) -> Row:
    """A row that was written for a request."""
    times = {name: getattr(of, name) for name in ("created_at", "submitted_at")}
    asked, submitted = times["created_at"], times["submitted_at"]
    written = {
        "requested_at": to_serial(asked, "UTC"),
        "submitted_at": to_serial(submitted, "UTC") if submitted else "",
    }
    return row(**{**shows(of), **written, **cells})


ONE = entry(replace(FIRST, submitted_at=CREATED + DAY), authorization_days=30)


class TestTypedValues:
    """Known expiry, Paid status and Renewal decision belong to the code that was shown when they were first read."""

    def test_a_date_beside_a_code(self) -> None:
        """It is of that code."""
        found = memory(told(ONE.request, known_expiry=EXPIRY), now=ledger(ONE, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#one", EXPIRY),)

    def test_a_date_before_there_is_a_code(self) -> None:
        """It is of the next one; once that is shown, it has found its code."""
        nobodys = row(9, video_id="", known_expiry=EXPIRY)
        assert memory(row(known_expiry=EXPIRY), nobodys).typed == (TypedValue(VIDEO, "known_expiry", "", EXPIRY),)
        kept = {(VIDEO, "known_expiry"): Typed(EXPIRY, {"": EXPIRY})}
        found = memory(told(ONE.request, known_expiry=EXPIRY), now=ledger(ONE, typed=kept, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#one", EXPIRY, is_last=False),)

    def test_a_date_that_stays_is_no_news(self) -> None:
        """Nor is a cell that was always empty."""
        kept = {(VIDEO, "known_expiry"): Typed(EXPIRY, {"#one": EXPIRY})}
        assert (
            memory(told(ONE.request, known_expiry=EXPIRY), now=ledger(ONE, typed=kept, opening={VIDEO: 0})) == Memory()
        )
        assert memory(told(ONE.request), now=ledger(ONE, opening={VIDEO: 0})) == Memory()

    def test_an_emptied_cell(self) -> None:
        """That it was empty is remembered: the same date typed again is another one."""
        kept = {(VIDEO, "known_expiry"): Typed(EXPIRY, {"#one": EXPIRY})}
        found = memory(told(ONE.request), now=ledger(ONE, typed=kept, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#one", ""),)

    def test_a_column_that_is_gone_was_not_emptied(self) -> None:
        """Somebody renamed it for a moment."""
        kept = {(VIDEO, "known_expiry"): Typed(EXPIRY, {"#one": EXPIRY})}
        of = replace(told(ONE.request), columns=ALL_COLUMNS - {"known_expiry"})
        assert memory(of, now=ledger(ONE, typed=kept, opening={VIDEO: 0})).typed == ()

    @pytest.mark.parametrize(("date", "code"), [(CREATED - DAY, EARLIER), (CREATED + DAY, "#one"), ("soon", "#one")])
    def test_without_memory(self, date: Any, code: str) -> None:
        """A date from before the code was requested is of an earlier one; any other holds."""
        cell = date if isinstance(date, str) else to_serial(date, "UTC")
        found = memory(told(ONE.request, known_expiry=cell), before=Known(), now=ledger(ONE))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", code, cell),)

    def test_with_memory_any_date_holds(self) -> None:
        """Whoever types it has seen it in Ads Manager."""
        cell = to_serial(CREATED - DAY, "UTC")
        found = memory(told(ONE.request, known_expiry=cell), now=ledger(ONE, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#one", cell),)

    def test_a_row_that_shows_what_nobody_knows(self) -> None:
        """Which code its person saw is not known yet."""
        assert memory(told(ONE.request, known_expiry=EXPIRY), before=Known()).typed == ()

    def test_a_code_that_was_typed_over(self) -> None:
        """The newest one that the ledger knows was there."""
        of = told(ONE.request, spark_code="rubbish", paid_status="retired")
        assert memory(of, now=ledger(ONE, opening={VIDEO: 0})).typed == (
            TypedValue(VIDEO, "paid_status", "#one", "retired"),
        )

    def test_a_row_that_still_shows_another_video(self) -> None:
        """It was copied, or is used again: what stands there was said of the other one's code."""
        now = ledger(ONE, opening={VIDEO: 0})
        of = row(request_id="R9", spark_code="#other", known_expiry=EXPIRY)
        found = memory(of, now=replace(now, owners={**now.owners, "R9": "vid-other"}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#other", EXPIRY),)

    def test_a_code_of_peoples_own_in_a_row_that_is_new(self) -> None:
        """The date beside it is of that code, whatever else the video had."""
        of = row(spark_code="#theirs", known_expiry=EXPIRY)
        found = memory(of, now=ledger(ONE, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#theirs", EXPIRY),)

    @pytest.mark.parametrize(("typed", "then"), [("", EXPIRY), (EXPIRY + 1, EXPIRY + 1)])
    def test_a_row_that_is_made_anew(self, typed: Any, then: float) -> None:
        """A date that stands there is of the code that comes to be shown; none takes nothing from what is known."""
        kept = {(VIDEO, "known_expiry"): Typed(typed, {"#one": EXPIRY, "": typed})}
        found = memory(told(ONE.request, known_expiry=typed), now=ledger(ONE, typed=kept, opening={VIDEO: 0}))
        assert found.typed == (TypedValue(VIDEO, "known_expiry", "#one", then, is_last=False),)

    def test_of_duplicates_the_first_counts(self) -> None:
        """The second row's date is not read."""
        rows = told(ONE.request), replace(told(ONE.request, known_expiry=EXPIRY), number=9)
        assert memory(*rows, now=ledger(ONE, opening={VIDEO: 0})).typed == ()


class TestDays:
    def test_those_of_the_latest_request(self) -> None:
        """Once a later one comes, they stay with the earlier one."""
        of = told(ONE.request, authorization_days=60)
        assert memory(of, now=ledger(ONE, opening={VIDEO: 0})).days == ((VIDEO, "R1", 60),)
        newer = ledger(entry(SECOND), ONE, opening={VIDEO: 0})
        assert memory(of, now=newer).days == ((VIDEO, "R2", 60),)

    def test_the_trackers_own(self) -> None:
        """Where the row says none, or nothing that can be read."""
        later = entry(replace(FIRST, submitted_at=CREATED + DAY), authorization_days=7)
        for cell in ("", "a month"):
            of = told(ONE.request, authorization_days=cell)
            assert memory(of, now=ledger(later, opening={VIDEO: 0})).days == ((VIDEO, "R1", 30),)


class TestImports:
    """The row is the memory of a ledger that was lost, or put back to an older copy."""

    def test_a_request_and_its_own_code(self) -> None:
        """Submitted at is filled: the code is that request's."""
        end = to_serial(CREATED + 30 * DAY, "UTC")
        (found,) = memory(told(ONE.request, expires_at=end)).imported
        assert (found.request, found.origin) == (ONE.request, Origin.IMPORTED)
        assert found.ends == CREATED + 30 * DAY

    def test_an_earlier_code_beside_an_open_request(self) -> None:
        """Submitted at is empty: of which request the code is, nobody knows."""
        of = told(SECOND, spark_code="#one")
        asked, code = memory(of).imported
        assert (asked.request, code.request.id, code.request.code) == (SECOND, fingerprint("#one"), "#one")
        # TokPortal told of the request meanwhile
        (code,) = memory(of, before=Known(), now=ledger(entry(SECOND))).imported
        assert (code.request.id, code.request.created_at) == (fingerprint("#one"), None)

    @pytest.mark.parametrize("typed", ["rubbish", True, 7, to_serial(CREATED, "UTC")])
    def test_what_people_typed_into_submitted_at(self, typed: Any) -> None:
        """Only a moment since the request was made tells that a code came for it."""
        of = told(SECOND, spark_code="#one", submitted_at=typed)
        (code,) = memory(of, before=Known(), now=ledger(entry(SECOND))).imported
        assert code.request.id == fingerprint("#one")

    def test_a_reported_code_that_tokportal_no_longer_tells(self) -> None:
        """It is the request's own; nothing else that is known of that changes."""
        reported = replace(SECOND, status="pending_corrections", submitted_at=SECOND.created_at + DAY)
        of = told(reported, spark_code="#two")
        (found,) = memory(of, before=Known(), now=ledger(entry(reported))).imported
        assert found == entry(replace(reported, code="#two"))

    def test_a_code_that_came_after_the_copy_of_the_ledger_was_made(self) -> None:
        """The request is known, its code is not; one that stands beside a request without a code is not its own."""
        old = entry(replace(FIRST, status="pending", code=None))
        found = memory(told(ONE.request), before=ledger(old), now=ledger(entry(SECOND), old))
        assert found.imported == (replace(old, request=replace(old.request, code="#one")),)
        typed = told(replace(FIRST, status="pending", code=None), spark_code="rubbish")
        assert memory(typed, before=ledger(old), now=ledger(entry(SECOND), old)).imported == ()

    def test_a_request_that_tells_its_code(self) -> None:
        """A code that was corrected since is no other request's."""
        of = told(ONE.request, spark_code="#wrong one")
        assert memory(of, before=Known(), now=ledger(ONE)).imported == ()

    @pytest.mark.parametrize(
        "rows",
        [
            pytest.param((told(ONE.request), row(9, video_id="vid-copy", **shows(FIRST))), id="copied"),
            pytest.param((told(ONE.request, requested_at=""),), id="never written"),
            pytest.param((told(ONE.request, status=""),), id="typed by people"),
        ],
    )
    def test_a_row_that_does_not_vouch(self, rows: tuple[Row, ...]) -> None:
        """Whose request it is, nobody can tell."""
        assert memory(*rows) == Memory()

    def test_a_request_that_another_video_has(self) -> None:
        """The ledger knows better."""
        found = memory(told(ONE.request), before=Known(), now=Known(owners={"R1": "vid-other"}))
        assert found == Memory()

    def test_a_typed_code_is_taken_into_the_ledger_with_the_first_request(self) -> None:
        """Until then it is its people's own."""
        of = row(spark_code="#theirs", received_at=to_serial(CREATED, "UTC"))
        assert memory(of) == Memory()
        (found,) = memory(of, now=ledger(entry(SECOND), opening={VIDEO: 0})).imported
        assert (found.request.code, found.origin, found.ends) == ("#theirs", Origin.TYPED, CREATED + 30 * DAY)

    def test_of_duplicates_with_one_code_the_first_counts(self) -> None:
        """Two people typed when it was received."""
        rows = [row(n, spark_code="#theirs", received_at=to_serial(CREATED + n * DAY, "UTC")) for n in (2, 9)]
        (found,) = memory(*rows, now=ledger(entry(SECOND), opening={VIDEO: 0})).imported
        assert found.ends == CREATED + 32 * DAY

    @pytest.mark.parametrize("said", ["", "ordering", "live", "done by Mia"])
    def test_a_typed_code_in_a_row_that_was_added_again(self, said: str) -> None:
        """No status of TokPortal's stands there: the code is its people's, whatever else they call it."""
        now = ledger(ONE, opening={VIDEO: 0})
        (found,) = memory(row(spark_code="#theirs", status=said), now=now).imported
        assert (found.request.code, found.origin) == ("#theirs", Origin.TYPED)

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_one_code_that_people_typed_for_two_videos(self, order: tuple[int, int]) -> None:
        """It is of each that is ordered, whichever comes first, and goes into the ledger once for each."""
        first, second = (["vid-a", "vid-b"][n] for n in order)
        rows = [row(2, video_id="vid-a", spark_code="#theirs"), row(9, video_id="vid-b", spark_code="#theirs")]
        asked = {video: entry(replace(SECOND, id=f"R {video}", video_id=video)) for video in (first, second)}
        both = memory(*rows, now=Known(asked, opening=dict.fromkeys(asked, 0))).imported
        assert {(found.request.video_id, found.request.code) for found in both} == {
            ("vid-a", "#theirs"),
            ("vid-b", "#theirs"),
        }
        (one,) = (found for found in both if found.request.video_id == first)
        kept = {"earlier": {first: (one,)}, "codes": {"#theirs": first}, "opening": dict.fromkeys(asked, 0)}
        (other,) = memory(*rows, now=Known(asked, **kept)).imported
        assert (other.request.video_id, other.origin) == (second, Origin.TYPED)

    def test_a_code_that_another_videos_request_brought(self) -> None:
        """It is that video's, wherever it was typed: the ledger says so, or the row that shows the request."""
        typed = row(9, video_id="vid-b", spark_code="#one")
        asked = replace(ledger(ONE, opening={VIDEO: 0, "vid-b": 0}), owners={"R1": VIDEO, "R2": "vid-b"})
        now = replace(asked, latest={**asked.latest, "vid-b": entry(replace(SECOND, video_id="vid-b"))})
        assert memory(told(ONE.request), typed, now=now).imported == ()
        assert memory(told(ONE.request), typed, now=replace(now, codes={})).imported == ()

    def test_a_code_that_stands_in_two_copied_rows(self) -> None:
        """The request that both show is a third video's, and the code is none of that: it was typed over."""
        copied = {"request_id": "R9", "spark_code": "#theirs"}
        rows = [row(2, **copied), row(9, video_id="vid-b", **copied)]
        asked = known(entry(SECOND), owners={"R9": "vid-other"}, opening={VIDEO: 0})
        (found,) = memory(*rows, now=asked).imported
        assert (found.request.video_id, found.request.code) == (VIDEO, "#theirs")

    @pytest.mark.parametrize("cells", [{"status": "pending"}, {"requested_at": 46188}])
    def test_a_code_typed_over_ours_is_not(self, cells: dict[str, Any]) -> None:
        """The row was written before: somebody emptied its Request ID."""
        of = row(spark_code="#rubbish", **cells)
        assert memory(of, now=ledger(entry(SECOND), opening={VIDEO: 0})).imported == ()


def costs(of: Row, before: Known, now: Known) -> tuple[Any, Any]:
    """What the row says that its video had cost: by request, and before."""
    found = memory(of, before=before, now=now)
    return found.charges, found.opening


class TestCosts:
    """A lost ledger imports what the cell says once as its opening balance (design 5)."""

    FOUND = ledger(replace(ONE, origin=Origin.FOUND, credits_charged=None, credits_left=None))

    def test_what_one_code_costs_is_the_charge_of_the_request_that_is_shown(self) -> None:
        """So that its refund can be told."""
        of = told(ONE.request, credits_charged=7)
        assert costs(of, Known(), self.FOUND) == (((VIDEO, "R1", 7),), ((VIDEO, 0),))

    @pytest.mark.parametrize(("cell", "opening"), [(14, 14), (0, 0), ("", 0), ("7", 0), (True, 0), (-7, 0), (7.5, 0)])
    def test_any_other_amount_is_of_nobody_knows_which(self, cell: Any, opening: int) -> None:
        """An amount that is none counts as none."""
        assert costs(told(ONE.request, credits_charged=cell), Known(), self.FOUND) == ((), ((VIDEO, opening),))

    def test_a_cancelled_request_cost_nothing(self) -> None:
        """What the row says beside it, others did."""
        gone = entry(replace(FIRST, status="cancelled"), charged=None)
        of = told(gone.request, credits_charged=7)
        assert costs(of, Known(), ledger(gone)) == ((), ((VIDEO, 7),))

    def test_a_request_that_was_refunded_since_the_row_was_written(self) -> None:
        """The run looks twice: what it took for the charge of the request at first is no opening balance then."""
        of = told(replace(FIRST, status="pending"), credits_charged=7)
        gone = replace(FIRST, status="cancelled")
        assert costs(of, Known(), ledger(entry(gone, charged=None))) == (((VIDEO, "R1", 7),), ((VIDEO, 0),))
        assert costs(of, Known(), ledger(entry(gone, charged=7), opening={VIDEO: 0})) == ((), ())

    def test_it_is_imported_once(self) -> None:
        """Later only what this ledger sees changes it."""
        now = replace(self.FOUND, opening={VIDEO: 14})
        assert costs(told(ONE.request, credits_charged=99), now, now) == ((), ())

    def test_a_ledger_that_knows_the_charge(self) -> None:
        """Of an earlier version: the cell said what the latest request cost."""
        now = ledger(ONE)
        assert costs(told(ONE.request, credits_charged=70), now, now) == ((), ((VIDEO, 0),))

    def test_an_older_copy_of_the_ledger(self) -> None:
        """The row shows a request that it does not know: what the cell says beyond it, that one cost."""
        before = ledger(ONE, opening={VIDEO: 0})
        newer = entry(replace(SECOND), Origin.FOUND, charged=None, left=None)
        now = ledger(newer, ONE, opening={VIDEO: 0})
        assert costs(told(SECOND, credits_charged=14), before, now) == (((VIDEO, "R2", 7),), ())
        assert costs(told(SECOND, credits_charged=28), before, now) == ((), ((VIDEO, 21),))
        assert costs(told(SECOND, credits_charged=7), before, now) == ((), ())

    def test_a_video_that_was_never_ordered(self) -> None:
        """What people keep in the cell is theirs."""
        assert costs(row(credits_charged=7), Known(), Known()) == ((), ())
