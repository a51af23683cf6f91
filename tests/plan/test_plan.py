"""What is due, who acts of several rows, how an uncertain order is settled, and what limits a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import (
    BODY,
    CREATED,
    DOWN,
    NO,
    NOW,
    TRACKER,
    VIDEO,
    entry,
    intent,
    known,
    refusal,
    request,
    row,
    seen,
    shows,
    situation,
    tracker,
)

from sheetsync.model import AdCodeRequest, HoldKind, Intent, Known, Mark, Observation, Origin, Row, Scalar
from sheetsync.notes import LOOKING
from sheetsync.plan.due import due, needs_balance
from sheetsync.plan.gates import key_problem, order_basis
from sheetsync.plan.limits import cleared_marks, retry_pause, shrunken, spent_refusals, too_many_orders, without_orders
from sheetsync.plan.marks import make_plan
from sheetsync.plan.settling import SETTLE_AFTER
from sheetsync.plan.situation import Allowed, Situation, acting
from sheetsync.steps import Adopt, Correct, Hold, Lapse, Order, Plan

OPEN, FINAL = request("R1", "pending"), request("R1")
SECOND = timedelta(seconds=1)


def rows_marked(count: int, mark: str = "request") -> tuple[Row, ...]:
    """So many rows, each with a mark, from line 2 down."""
    return tuple(row(2 + n, f"vid-{n}", action=mark) for n in range(count))


def held(plan: Plan) -> list[tuple[str, int, HoldKind]]:
    """Who waits where, and for whom."""
    return [(hold.video_id, hold.row, hold.kind) for hold in plan.holds]


class TestDue:
    def test_marks_first_then_intents_then_strangers_then_open_requests(self) -> None:
        """Design 3.2: what must be looked at comes before what merely may have moved."""
        rows = [row(2, "vid-s", request_id="R9"), row(3, "vid-m", action="request"), row(4, "vid-idle")]
        ledger = known(entry(OPEN), unsettled={"vid-i": intent()})
        assert due(rows, ledger, NOW, "UTC", tracker()) == ("vid-m", "vid-i", "vid-s", VIDEO)

    def test_open_requests_come_most_overdue_first(self) -> None:
        """What was looked at longest ago is looked at first; of equals, by id, so that no run differs."""
        ages = {"vid-c": 1, "vid-a": 5, "vid-b": 5, "vid-d": 9}
        entries = [entry(video_id=v, status="pending", seen_at=NOW - timedelta(hours=h)) for v, h in ages.items()]
        assert due([], known(*entries), NOW, "UTC", tracker()) == ("vid-d", "vid-a", "vid-b", "vid-c")

    def test_no_kind_starves_another(self) -> None:
        """However many marks wait, an open request has its turn: people's marks must not hide codes that arrived."""
        rows = [row(2 + n, f"vid-m{n}", action="request") for n in range(3)]
        entries = [entry(video_id=f"vid-o{n}", status="pending") for n in range(2)]
        assert due(rows, known(*entries), NOW, "UTC", tracker()) == ("vid-m0", "vid-o0", "vid-m1", "vid-o1", "vid-m2")

    def test_of_one_kind_the_one_looked_at_longest_ago_comes_first(self) -> None:
        """A look that fails in every run must not keep the others from theirs."""
        rows = [row(2 + n, f"vid-{n}", action="request") for n in range(3)]
        ledger = replace(known(), looked={"vid-0": NOW, "vid-1": NOW - SECOND})
        assert due(rows, ledger, NOW, "UTC", tracker()) == ("vid-2", "vid-1", "vid-0")

    def test_a_kind_has_its_turn_where_a_run_has_time_for_one_look(self) -> None:
        """A mark whose look takes the whole time of each run must not keep an open request from its own."""
        rows = [row(2, "vid-ill", action="request"), row(3, "vid-ill-too", action="request")]
        looked = {"vid-ill": NOW, "vid-ill-too": NOW - SECOND, VIDEO: NOW - 2 * SECOND}
        assert due(rows, replace(known(entry(OPEN)), looked=looked), NOW, "UTC", tracker()) == (
            VIDEO,
            "vid-ill-too",
            "vid-ill",
        )

    @pytest.mark.parametrize("status", ["finalized", "cancelled"])
    def test_a_finished_request_is_not_looked_at_again(self, status: str) -> None:
        """Finalized and cancelled are final."""
        code = "#R1" if status == "finalized" else ""
        shown = row(request_id="R1", status=status, spark_code=code)
        assert due([shown], known(entry(status=status)), NOW, "UTC", tracker()) == ()

    @pytest.mark.parametrize("cells", [{"status": "pending_corrections"}, {"spark_code": "#NEW"}])
    def test_a_row_that_knows_better_than_the_ledger_is_looked_at(self, cells: dict[str, str]) -> None:
        """A ledger put back to an older copy does not undo what another machine saw: TokPortal is asked."""
        shown = row(**{"request_id": "R1", "status": "finalized", "spark_code": "#R1", **cells})
        assert due([shown], known(entry()), NOW, "UTC", tracker()) == (VIDEO,)

    def test_a_row_that_an_order_left_is_looked_at_though_its_request_id_is_gone(self) -> None:
        """Hit by another machine, and the ledger that knew it lost: what was paid for must not get out of sight."""
        assert due([row(credits_left=1240)], Known(), NOW, "UTC", tracker()) == (VIDEO,)

    @pytest.mark.parametrize("status", ["pending", "accepted", "in_review", "pending_corrections", "disputed"])
    def test_an_open_request_is_looked_at_though_its_row_is_gone(self, status: str) -> None:
        """Nothing is lost when a row is deleted; a status unknown today counts as open."""
        assert due([], known(entry(status=status)), NOW, "UTC", tracker()) == (VIDEO,)

    def test_each_video_is_looked_at_once(self) -> None:
        """A row may be marked, unsettled, strange and open all at once."""
        rows = [row(action="renew", request_id="R0"), row(3, action="request")]
        assert due(rows, known(entry(OPEN), unsettled={VIDEO: intent()}), NOW, "UTC", tracker()) == (VIDEO,)

    @pytest.mark.parametrize("key", ["", 7301234567890123456, "https://tiktok.com/1"])
    def test_a_row_whose_key_cannot_be_one_is_not_asked_about(self, key: Scalar) -> None:
        """A call would be wasted."""
        assert due([row(video_id=key, action="request", request_id="R1")], Known(), NOW, "UTC", tracker()) == ()

    @pytest.mark.parametrize(
        ("retry_at", "first"),
        [(NOW + SECOND, ()), (NOW, (VIDEO,)), (NOW - SECOND, (VIDEO,))],
        ids=["a second before", "at the moment", "a second after"],
    )
    def test_a_refused_mark_rests_until_its_moment(self, retry_at: datetime, first: tuple[str, ...]) -> None:
        """Other 4xx are tried again with growing pauses (design 4)."""
        ledger = known(refusals={VIDEO: refusal(retry_at=retry_at)})
        assert due([row(action="Request")], ledger, NOW, "UTC", tracker()) == first

    def test_another_mark_does_not_rest(self) -> None:
        """A new mark is a new wish."""
        ledger = known(refusals={VIDEO: refusal(Mark.RENEW, NOW + SECOND)})
        assert due([row(action="request")], ledger, NOW, "UTC", tracker()) == (VIDEO,)


@pytest.mark.parametrize(("served", "gone"), [("renew", ()), ("request", ()), ("correct", (VIDEO,))])
def test_a_mark_that_was_served_is_gone_once_no_duplicate_bears_it(served: str, gone: tuple[str, ...]) -> None:
    """As long as it stands in any of them it must not be taken for a new wish."""
    rows = [row(action="renew"), row(3, action="request")]
    assert cleared_marks(rows, known(served={VIDEO: (served, "R1")})) == gone


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        ["0b8f8a0e-6c1c-4d0e-9a55-0d1f5ad0c001", "vid_1", "a.b~c", "123", "7301234567890", "A" * 128],
    )
    def test_a_plausible_video_id(self, key: str) -> None:
        """Whatever TokPortal may use as an id is let through: it has the last word."""
        assert key_problem(row(video_id=key)) is None

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("", id="empty"),
            pytest.param(7301234567890123456, id="a number"),
            pytest.param(7.3e18, id="a rounded number"),
            pytest.param(True, id="a checkbox"),
            pytest.param("7301234567890123456", id="a TikTok post id as text"),
            pytest.param("tiktok.com/@x/video/1", id="a link"),
            pytest.param("vid a", id="two words"),
            pytest.param("ab", id="too short"),
            pytest.param("A" * 129, id="too long"),
            pytest.param("-vid", id="begins with a dash"),
            pytest.param("#N/A", id="a formula's error"),
            pytest.param("1" * 15, id="the shortest TikTok post id"),
            pytest.param("vid-ä", id="a letter that ids do not have"),
        ],
    )
    def test_what_cannot_be_a_video_id_is_held_and_never_ordered(self, key: Scalar) -> None:
        """The person is told what is wanted instead."""
        found = make_plan(situation(row(video_id=key, action="request")))
        assert (found.steps, [hold.kind for hold in found.holds]) == ((), [HoldKind.PERSON])

    def test_every_marked_row_without_a_key_is_named(self) -> None:
        """Rows without a video id are not duplicates of each other: each is named in the output (design 3)."""
        found = make_plan(situation(row(4, "", action="request"), row(7, "", action="renew")))
        assert [hold.row for hold in found.holds] == [4, 7]


class TestDuplicates:
    def test_the_first_marked_row_acts(self) -> None:
        """Two rows with one key: one order, by the first that carries a mark."""
        found = make_plan(situation(row(2), row(3, action="request"), row(4, action="request")))
        assert found == Plan((Order(VIDEO, 3, Mark.REQUEST, None, "{}"),))

    def test_a_different_mark_further_down_waits(self) -> None:
        """One wish a run: the other mark is compared anew once the first is done."""
        rows = [row(2, action="renew", **shows(FINAL)), row(3, action="correct", feedback="bad", **shows(FINAL))]
        found = make_plan(situation(*rows, observations=seen(FINAL)))
        assert [(type(step), step.mark) for step in found.orders] == [(Order, Mark.RENEW)]
        assert len(found.steps) == 1
        assert not found.holds

    def test_acting_keeps_the_order_of_the_sheet(self) -> None:
        """Orders are sent from the top down."""
        rows = [row(5, "vid-b", action="x"), row(6, "vid-a", action="x"), row(7, "vid-b", action="y")]
        assert [found.number for found in acting(rows)] == [5, 6]


class TestUnobserved:
    @pytest.mark.parametrize("mark", list(Mark))
    def test_tokportal_did_not_answer(self, mark: Mark) -> None:
        """Nothing is decided without a look; the run is incomplete."""
        found = make_plan(situation(row(action=mark), observations=seen(vid_a=DOWN)))
        assert (found.steps, held(found)) == ((), [(VIDEO, 2, HoldKind.NEXT_RUN)])

    def test_the_time_of_the_run_did_not_reach_the_video(self) -> None:
        """A video without an observation is not one without a request."""
        found = make_plan(situation(row(action="request"), observations={}))
        assert (found.steps, held(found)) == ((), [(VIDEO, 2, HoldKind.NEXT_RUN)])

    def test_tokportal_does_not_show_the_video(self) -> None:
        """A definite no concerns the row, and its person."""
        found = make_plan(situation(row(action="request"), observations=seen(vid_a=NO)))
        assert (found.steps, held(found)) == ((), [(VIDEO, 2, HoldKind.PERSON)])

    def test_a_refused_mark_that_rests_says_why_and_needs_no_look(self) -> None:
        """The refusal stays in the row for as long as the mark does."""
        ledger = known(refusals={VIDEO: refusal(retry_at=NOW + SECOND, text="no manager")})
        found = make_plan(situation(row(action="request"), known=ledger, observations={}))
        assert found == Plan(holds=(Hold(VIDEO, 2, "no manager", may_order=True),))

    def test_a_refused_mark_is_tried_again_at_its_moment(self) -> None:
        """The pause is over at `retry_at`."""
        ledger = known(refusals={VIDEO: refusal(retry_at=NOW)})
        assert len(make_plan(situation(row(action="request"), known=ledger)).orders) == 1


LATE = CREATED + SETTLE_AFTER
ANOTHER = request("R2", "pending")


def happened(mark: Mark | None, row_number: int | None, sent: Intent, latest: AdCodeRequest = ANOTHER) -> Adopt:
    """The order whose answer was lost is found at TokPortal."""
    return Adopt(VIDEO, row_number, mark, latest, Origin.ORDERED, settles=sent)


FIRST, RENEWAL = intent(), intent(Mark.RENEW, "R1")
MARKED, RENEWING = row(action="request"), row(action="renew", **shows(FINAL))
AGAIN = Order(VIDEO, 2, Mark.REQUEST, None, BODY, resend=FIRST)
RENEW_AGAIN = Order(VIDEO, 2, Mark.RENEW, "R1", BODY, resend=RENEWAL)
REFUNDED, AFTER_REFUND = request("R1", "cancelled"), intent(Mark.REQUEST, "R1")
WAITS = "waits"

# row, intent, TokPortal's latest, when and in which run -> the step, or "waits"
SETTLING = {
    "happened": (MARKED, FIRST, ANOTHER, LATE, "run-2", happened(Mark.REQUEST, 2, FIRST)),
    "happened, seen in the same run": (MARKED, FIRST, ANOTHER, CREATED, "run-1", happened(Mark.REQUEST, 2, FIRST)),
    "happened, a renewal": (RENEWING, RENEWAL, ANOTHER, LATE, "run-2", happened(Mark.RENEW, 2, RENEWAL)),
    "happened and is finished": (
        MARKED, FIRST, FINAL, LATE, "run-2", happened(Mark.REQUEST, 2, FIRST, FINAL)
    ),
    "happened, the mark is gone": (row(), FIRST, ANOTHER, LATE, "run-2", happened(None, None, FIRST)),
    "happened, the row is gone": (None, FIRST, ANOTHER, LATE, "run-2", happened(None, None, FIRST)),
    "happened, the mark was made anew since": (
        row(action="request", **shows(ANOTHER)), FIRST, ANOTHER, LATE, "run-2",
        (happened(None, 2, FIRST), Adopt(VIDEO, 2, Mark.REQUEST, ANOTHER, Origin.ADOPTED_OPEN)),
    ),
    "not yet, same run": (MARKED, FIRST, None, LATE + timedelta(hours=1), "run-1", WAITS),
    "not yet, too early": (MARKED, FIRST, None, LATE - SECOND, "run-2", WAITS),
    "not yet, too early, mark gone": (row(), FIRST, None, LATE - SECOND, "run-2", WAITS),
    "never, a minute later in a later run": (MARKED, FIRST, None, LATE, "run-2", AGAIN),
    "never, a renewal": (RENEWING, RENEWAL, FINAL, LATE, "run-2", RENEW_AGAIN),
    "never, an order after a refund": (
        MARKED, AFTER_REFUND, REFUNDED, LATE, "run-2", Order(VIDEO, 2, Mark.REQUEST, "R1", BODY, resend=AFTER_REFUND)
    ),
    "never, the mark is gone": (row(), FIRST, None, LATE, "run-2", Lapse(VIDEO, FIRST)),
    "never, the row is gone": (None, FIRST, None, LATE, "run-2", Lapse(VIDEO, FIRST)),
}  # fmt: skip


class TestSettling:
    def test_an_order_that_happened_stands_in_no_other_marks_way(self) -> None:
        """It is taken over, and the mark of now is answered in the same run: never silent."""
        world = situation(row(action="correct"), known=known(unsettled={VIDEO: FIRST}), observations=seen(ANOTHER))
        found = make_plan(replace(world, now=LATE, run_id="run-2"))
        assert found.steps == (happened(None, 2, FIRST),)
        assert [hold.video_id for hold in found.holds] == [VIDEO]

    @pytest.mark.parametrize(("of", "sent", "latest", "now", "run_id", "expected"), SETTLING.values(), ids=SETTLING)
    def test_an_uncertain_order(
        self,
        of: Row | None,
        sent: Intent,
        latest: AdCodeRequest | None,
        now: datetime,
        run_id: str,
        expected: object,
    ) -> None:
        """Settled by looking, never by guessing (design 4.5)."""
        answer = seen(latest) if latest else seen(none=[VIDEO])
        world = situation(*([of] if of else []), known=known(unsettled={VIDEO: sent}), observations=answer)
        found = make_plan(replace(world, now=now, run_id=run_id))
        if expected is WAITS:
            row_number = 2 if of and of.text("action") else 0
            assert (found.steps, held(found)) == ((), [(VIDEO, row_number, HoldKind.NEXT_RUN)])
        else:
            assert found == Plan(steps=expected if isinstance(expected, tuple) else (expected,))

    def test_the_mark_that_stands_now_is_served_once_the_order_never_happened(self) -> None:
        """The intent lapses, and with it what stood in the way of the other mark."""
        of = row(action="renew", **shows(REFUNDED))
        found = make_plan(
            situation(of, known=known(unsettled={VIDEO: AFTER_REFUND}), observations=seen(REFUNDED), now=LATE)
        )
        assert found == Plan((Lapse(VIDEO, AFTER_REFUND), Order(VIDEO, 2, Mark.RENEW, "R1", "{}")))

    def test_the_mark_that_stands_now_says_why_it_waits(self) -> None:
        """Never silent, not even in the run that gives the intent up."""
        found = make_plan(situation(row(action="bogus"), known=known(unsettled={VIDEO: FIRST}), now=LATE))
        assert (found.steps, held(found)) == ((Lapse(VIDEO, FIRST),), [(VIDEO, 2, HoldKind.PERSON)])

    @pytest.mark.parametrize("answer", [seen(vid_a=DOWN), seen(vid_a=NO), {}], ids=["down", "refused", "not reached"])
    @pytest.mark.parametrize("of", [MARKED, row(), None], ids=["marked", "mark gone", "row gone"])
    def test_without_a_look_nothing_is_settled(self, answer: Mapping[str, Observation], of: Row | None) -> None:
        """Neither sent again nor given up, however old it is; of a definite no, for a day."""
        rows = [of] if of else []
        world = situation(*rows, known=known(unsettled={VIDEO: FIRST}), observations=answer)
        found = make_plan(
            replace(world, now=FIRST.created_at + timedelta(hours=23)) if answer == seen(vid_a=NO) else world
        )
        number = 2 if of and of.text("action") else 0
        assert (found.steps, held(found)) == ((), [(VIDEO, number, HoldKind.NEXT_RUN)])
        assert [hold.reason for hold in found.holds] == [LOOKING]

    @pytest.mark.parametrize("of", [MARKED, row(), row(action="correct"), None])
    def test_a_video_that_tokportal_denies_for_a_day(self, of: Row | None) -> None:
        """Its own words say what a person has to look into; an order that nobody wants any more is given up."""
        rows = [of] if of else []
        world = situation(*rows, known=known(unsettled={VIDEO: FIRST}), observations=seen(vid_a=NO))
        found = make_plan(replace(world, now=FIRST.created_at + timedelta(hours=24)))
        if of is MARKED:
            assert (found.steps, held(found)) == ((), [(VIDEO, 2, HoldKind.PERSON)])
            assert found.holds[0].reason == NO.text
        else:
            assert found.steps == (Lapse(VIDEO, FIRST),)

    @pytest.mark.parametrize(("column", "value"), [("note", "x" * 501), ("caption_final", "")])
    def test_an_order_is_not_sent_again_through_a_closed_gate(self, column: str, value: str) -> None:
        """It costs credits like the first one: the row says what is to be put right."""
        of = row(action="request", **{column: value})
        found = make_plan(
            situation(of, known=known(unsettled={VIDEO: FIRST}), observations=seen(none=[VIDEO]), now=LATE)
        )
        assert (found.steps, held(found)) == ((), [(VIDEO, 2, HoldKind.PERSON)])
        assert found.holds[0].reason.startswith("Waits: ")

    def test_an_order_is_not_sent_again_upon_another_state_than_its_own(self) -> None:
        """TokPortal no longer names the request that the intent replaced: neither new nor the previous one."""
        world = situation(RENEWING, known=known(unsettled={VIDEO: RENEWAL}), observations=seen(none=[VIDEO]))
        assert make_plan(world).orders == ()

    def test_while_one_is_unsettled_no_other_mark_acts(self) -> None:
        """Gate: no intent unsettled. A correction waits as well."""
        of = row(action="correct", feedback="bad", **shows(FINAL))
        sent = intent(Mark.RENEW, "R1", created_at=NOW)
        found = make_plan(situation(of, known=known(unsettled={VIDEO: sent}), observations=seen(FINAL)))
        assert not [step for step in found.steps if isinstance(step, Correct)]
        assert held(found) == [(VIDEO, 2, HoldKind.NEXT_RUN)]

    @given(st.integers(0, 600), st.sampled_from(["run-1", "run-2"]), st.sampled_from(["request", "renew", ""]))
    def test_an_order_is_never_sent_under_another_key(self, seconds: int, run_id: str, mark: str) -> None:
        """Whatever the mark and the moment: with an intent unsettled, all that may be sent is that very intent."""
        world = situation(row(action=mark), known=known(unsettled={VIDEO: FIRST}), run_id=run_id)
        found = make_plan(replace(world, now=CREATED + timedelta(seconds=seconds)))
        assert all(step.resend == FIRST and step.body == FIRST.body for step in found.orders)


class TestCredits:
    @pytest.mark.parametrize(
        ("balance", "keep", "sent"),
        [(21, 0, 3), (20, 0, 2), (14, 0, 2), (7, 0, 1), (6, 0, 0), (0, 0, 0), (-3, 0, 0), (20, 6, 2), (20, 7, 1),
         (20, 14, 0), (20, 100, 0), (1_000_000, 0, 3)],
    )  # fmt: skip
    def test_as_many_orders_as_the_balance_covers_from_the_top(self, balance: int, keep: int, sent: int) -> None:
        """Balance less keep_credits, 7 for each; the rows further down wait for a person."""
        found = make_plan(situation(*rows_marked(3), balance=balance, tracker=tracker(keep_credits=keep)))
        assert [step.row for step in found.orders] == [2, 3, 4][:sent]
        assert held(found) == [(f"vid-{n}", 2 + n, HoldKind.PERSON) for n in range(sent, 3)]

    def test_what_unclear_orders_may_cost_is_not_there(self) -> None:
        """Neither of this tracker's, nor of those that it knows nothing of."""
        beside = {"known": known(unsettled={VIDEO: intent()}), "unsettled_elsewhere": 1}
        found = make_plan(situation(*rows_marked(3), balance=30, tracker=tracker(keep_credits=9), **beside))
        assert [step.row for step in found.orders] == [2]

    @pytest.mark.parametrize(("balance", "sent"), [(20, [2, 3]), (14, [2, 3]), (13, [3]), (7, [3]), (6, [])])
    def test_what_is_sent_again_is_paid_for_first(self, balance: int, sent: list[int]) -> None:
        """Its credits may be gone already: an order further up does not take them."""
        rows = row(2, "vid-b", action="request"), row(3, action="request")
        answers = seen(none=[VIDEO, "vid-b"])
        world = situation(*rows, balance=balance, known=known(unsettled={VIDEO: FIRST}), observations=answers)
        found = make_plan(replace(world, now=LATE, run_id="run-2"))
        assert [step.row for step in found.orders] == sent

    def test_an_unknown_balance_orders_nothing(self) -> None:
        """It could not be read: the run is incomplete, what is free goes on."""
        rows = [row(2, action="request"), row(3, "vid-b", action="request")]
        open_one = request("R2", "pending", video_id="vid-b")
        answers = {**seen(none=[VIDEO]), **seen(open_one)}
        found = make_plan(situation(*rows, balance=None, observations=answers))
        assert [type(step) for step in found.steps] == [Adopt]
        assert held(found) == [(VIDEO, 2, HoldKind.NEXT_RUN)]

    def test_an_unknown_balance_holds_nothing_else(self) -> None:
        """Where nothing is ordered the balance does not matter."""
        found = make_plan(situation(row(action="request"), balance=None, observations=seen(OPEN)))
        assert (len(found.steps), found.holds) == (1, ())

    @pytest.mark.parametrize(
        ("mark", "needed"), [("Request", True), ("renew", True), ("correct", False), ("", False), ("bogus", False)]
    )
    def test_when_the_balance_is_asked_for(self, mark: str, needed: bool) -> None:
        """Only where a row may lead to an order."""
        assert needs_balance([row(2, "vid-idle"), row(3, action=mark)]) is needed

    def test_a_row_without_a_key_needs_no_balance(self) -> None:
        """It cannot be ordered."""
        assert not needs_balance([row(video_id="", action="request")])


def orders(count: int) -> Plan:
    """A plan of so many orders, one free step and one hold."""
    free = Adopt("vid-free", 90, Mark.REQUEST, OPEN, Origin.ADOPTED_OPEN)
    paid = make_plan(situation(*rows_marked(count), tracker=tracker(max_orders_per_run=100))).steps
    return Plan(steps=(free, *paid), holds=(Hold("vid-held", 91, "why"),))


class TestTooManyOrders:
    @pytest.mark.parametrize(
        ("count", "limit", "allowed", "refused"),
        [
            pytest.param(3, 3, None, False, id="at the limit"),
            pytest.param(4, 3, None, True, id="one beyond"),
            pytest.param(0, 0, None, False, id="none where none may be"),
            pytest.param(1, 0, None, True, id="one where none may be"),
            pytest.param(4, 3, 4, False, id="allowed for this run"),
            pytest.param(4, 3, 3, True, id="allowed fewer"),
            pytest.param(2, 3, 1, True, id="what is allowed replaces the limit"),
        ],
    )
    def test_all_or_nothing(self, count: int, limit: int, allowed: int | None, refused: bool) -> None:
        """Free steps do not count towards max_orders_per_run."""
        why = too_many_orders(orders(count), tracker(max_orders_per_run=limit), Allowed(allowed))
        assert bool(why) is refused

    def test_the_refusal_names_number_price_limit_and_way_out(self) -> None:
        """Design 3.4: the message says what would allow it."""
        why = too_many_orders(orders(30), tracker(), Allowed()) or ""
        assert all(
            part in why for part in ("30 orders", "210 credits", "rows 2 to 31", "25", "'acme'", "--allow-orders 30")
        )

    def test_without_orders_the_rest_goes_on_and_each_row_waits(self) -> None:
        """A brake on spending is none on reading: what is free is done, what waited still waits."""
        kept = without_orders(orders(2), 1)
        assert ([type(step) for step in kept.steps], kept.orders, kept.credits) == ([Adopt], (), 0)
        assert held(kept) == [(v, n, HoldKind.PERSON) for v, n in (("vid-held", 91), ("vid-0", 2), ("vid-1", 3))]

    def test_what_a_plan_costs(self) -> None:
        """7 credits for each order and each renewal, nothing for the rest."""
        assert orders(3).credits == 21


class TestShrunken:
    @pytest.mark.parametrize(
        ("before", "gone", "refused"),
        [
            pytest.param(9, 9, False, id="nine gone, all there were"),
            pytest.param(10, 10, True, id="ten gone, all there were"),
            pytest.param(20, 10, False, id="ten gone, exactly half"),
            pytest.param(19, 10, True, id="ten gone, more than half"),
            pytest.param(200, 100, False, id="a hundred gone, exactly half"),
            pytest.param(199, 100, True, id="a hundred gone, more than half"),
            pytest.param(0, 0, False, id="nothing there, nothing gone"),
        ],
    )
    def test_a_sheet_that_lost_most_of_its_open_requests(self, before: int, gone: int, refused: bool) -> None:
        """Ten or more gone, and more than half: the wrong tab, most likely."""
        assert bool(shrunken(before, gone, tracker(), Allowed())) is refused
        assert shrunken(before, gone, tracker(), Allowed(shrunken=True)) is None

    def test_the_refusal_names_numbers_tracker_and_way_out(self) -> None:
        """Design 3.4: the message says what would allow it."""
        why = shrunken(12, 11, tracker(), Allowed()) or ""
        assert why == (
            "The sheet has shrunk: 11 of the 12 open ad code requests of tracker 'acme' have no row any more. It may "
            "be the wrong tab, a filter that was cut, or a paste gone wrong. Nothing was ordered or written. If it is "
            "meant: sheetsync sync --allow-shrunken"
        )


class TestAsks:
    BASE: Mapping[str, Scalar] = {"action": "request", "request_id": "R1", "note": "first"}

    @pytest.mark.parametrize(
        "other",
        [
            {"action": "renew"},
            {"request_id": "R2"},
            {"note": "second"},
            {"platform": "instagram"},
            {"caption_final": ""},
        ],
        ids=repr,
    )
    def test_what_an_order_rests_on(self, other: Mapping[str, Scalar]) -> None:
        """Mark, shown request, what TokPortal is told, gates: each of them alone stops an order that was planned."""
        assert order_basis(row(**self.BASE), TRACKER) == ("request", "R1", '{"note": "first"}', True)
        assert order_basis(row(**{**self.BASE, **other}), TRACKER) != order_basis(row(**self.BASE), TRACKER)

    @pytest.mark.parametrize("other", [{"action": "Request"}, {"client": "another"}, {"status": "ordering"}], ids=repr)
    def test_what_it_does_not_rest_on(self, other: Mapping[str, Scalar]) -> None:
        """The spelling of a mark, our own claim, what else people keep in the row."""
        assert order_basis(row(**{**self.BASE, **other}), TRACKER) == order_basis(row(**self.BASE), TRACKER)


class TestRefusals:
    @pytest.mark.parametrize(
        ("attempts", "minutes"), [(1, 5), (2, 10), (3, 20), (7, 320), (8, 360), (9, 360), (500, 360)]
    )
    def test_pauses_grow_up_to_six_hours(self, attempts: int, minutes: int) -> None:
        """5 minutes, doubling."""
        assert retry_pause(attempts) == timedelta(minutes=minutes)

    @pytest.mark.parametrize(
        ("of", "spent"),
        [
            pytest.param(row(action="Request"), (), id="the mark stands"),
            pytest.param(row(), (VIDEO,), id="the mark was taken away"),
            pytest.param(row(action="renew"), (VIDEO,), id="another mark"),
            pytest.param(row(video_id="vid-b", action="request"), (VIDEO,), id="the row is gone"),
        ],
    )
    def test_a_refusal_is_forgotten_with_its_mark(self, of: Row, spent: tuple[str, ...]) -> None:
        """A new mark is a new wish and tried at once."""
        assert spent_refusals([of], {VIDEO: refusal()}) == spent


def test_one_pass_over_a_whole_sheet() -> None:
    """Steps and holds stand in the order of the sheet, and what nobody asked for is not there."""
    rows = [
        row(2, "vid-new", action="request"),
        row(3, "vid-idle"),
        row(4, "vid-bad", action="bogus"),
        row(5, "vid-open", action="request"),
    ]
    open_one = request("R5", "pending", video_id="vid-open")
    world: Situation = situation(*rows, observations={**seen(open_one), **seen(none=["vid-new", "vid-bad"])})
    found = make_plan(world)
    assert [(type(step), step.video_id) for step in found.steps] == [(Order, "vid-new"), (Adopt, "vid-open")]
    assert [hold.row for hold in found.holds] == [4]
