"""Round a paid call: claim, compare once more, intent, POST, outcome, and a look wherever the outcome is not clear.

The real program on the sandbox; what TokPortal itself would never answer is put into its answers on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.bench import Bench
from support.doctored import ALL, VIDEO, Doctored, blind, body_of, orders, polls

from sheetsync import notes
from sheetsync.errors import NotFound, Unavailable
from sheetsync.ledger.sqlite import SQLite
from sheetsync.model import HoldKind, IntentState, Known, Mark, Price
from sheetsync.plan.gates import order_body
from sheetsync.plan.settling import SETTLE_AFTER
from sheetsync.sandbox import people
from sheetsync.sandbox.wire import Request, Response
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import Writer
from sheetsync.steps import Order, Plan
from sheetsync.sync.execute import Executor, try_correction
from sheetsync.sync.report import Report


class Killed(BaseException):
    """The process is killed: nobody sees it coming."""


class TestClaim:
    def test_ordering_stands_before_the_order(self) -> None:
        """When an order is sent, its row has said `ordering` for all to see."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        said: list[Any] = []
        bench.change = orders(lambda _, answer: said.append(bench.cell(VIDEO, "status")) or answer)
        bench.sync()
        assert said == ["ordering"]

    @pytest.mark.parametrize("fault", ["500", "429", "lost_before", "html502"])
    def test_not_verified(self, fault: str) -> None:
        """A sheet that cannot be written costs nothing."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("sheets.batchUpdate", fault=fault, times=99)
        assert bench.sync().exit_code == 1
        assert bench.charged(VIDEO) == 0
        bench.world.faults.clear()
        bench.sync()
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "status") == "pending"

    @pytest.mark.parametrize("fault", ["500", "lost_before"])
    def test_not_confirmed(self, fault: str) -> None:
        """The row says what kept it from being ordered: nobody changed it."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("sheets.batchUpdate", fault=fault, times=3)
        assert (bench.sync().exit_code, bench.charged(VIDEO)) == (1, 0)
        assert bench.cell(VIDEO, "sync_note").startswith("Google did not confirm a write into this row")

    def test_protected_sheet(self) -> None:
        """Machine columns that sheetsync may not edit: exit code 5, nothing ordered."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("sheets.batchUpdate", fault="403", times=99)
        assert bench.sync().exit_code == 5
        assert bench.charged(VIDEO) == 0

    def test_row_deleted_before_its_claim(self) -> None:
        """A row that is gone when its claim lands costs nothing."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.faults.edit(
            "sheets.batchUpdate", do=lambda world: people.delete_row(world, bench.book, "Tracker", VIDEO)
        )
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)

    @pytest.mark.parametrize("now", ["", "renew", "correct"])
    def test_mark_changed_before_its_claim(self, now: str) -> None:
        """A mark that is gone or another when the sheet is read again before the claim is not ordered."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        # reading again: rows have moved under the first claim, or polls have taken time
        bench.world.hooks.append(lambda *_: bench.later(seconds=1))
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: bench.mark(now, VIDEO))
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)
        assert bench.cell(VIDEO, "status") == ""
        assert bench.cell(VIDEO, "action") == now

    @pytest.mark.parametrize(
        ("column", "now"),
        [("note", "another"), ("note", "x" * 501), ("platform", "myspace"), ("platform", "instagram")],
    )
    def test_what_the_order_rests_on_changed_before_its_claim(self, column: str, now: Any) -> None:
        """A note that is rewritten, or a gate that is closed, holds the row: the next run looks again."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.hooks.append(lambda *_: bench.later(seconds=1))
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: bench.type(VIDEO, column, now))
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)
        assert bench.cell(VIDEO, "action") == "request"

    def test_columns_moved_since_a_run_that_was_killed_after_its_claim(self) -> None:
        """The next run looks again before it claims: the result is written by that look, not by an older one."""
        bench = Bench(ALL[:2])
        bench.mark("request", VIDEO)

        def kill(moment: str, index: int, kind: str, request: Request) -> None:
            if (moment, kind) == ("after", "sheets.batchUpdate"):
                raise Killed

        bench.world.hooks.append(kill)
        with pytest.raises(Killed):
            bench.sync()
        bench.world.hooks.remove(kill)
        bench.world.faults.edit("portal.poll", do=lambda _: bench.sheet.insert_columns(bench.column("status")))
        calls = len(bench.kinds())
        assert bench.sync().exit_code == 0
        # the claim, though Status said `ordering` already, and the result
        assert bench.kinds()[calls:].count("sheets.batchUpdate") == 2
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (7, "pending")

    def test_claim_withdrawn(self) -> None:
        """A claim whose row had to be written twice, and whose mark went meanwhile, is taken back."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])

        def edit(world: Any) -> None:
            people.insert_row(world, bench.book, "Tracker", 2)
            bench.mark("", VIDEO)

        bench.world.faults.edit("sheets.batchUpdate", do=edit)
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)
        assert bench.cell(VIDEO, "status") == ""
        assert bench.sheet.value(1, bench.column("status")) is None

    def test_sheet_gone(self) -> None:
        """A spreadsheet that is gone when the claim is due stops the run with exit code 2; nothing is ordered."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.hooks.append(lambda *_: bench.later(seconds=1))
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: setattr(bench.sheet, "title", "Renamed"))
        report = bench.sync()
        assert (report.exit_code, type(report.error)) == (2, NotFound)
        assert bench.charged(VIDEO) == 0


class TestCompare:
    def test_look_fails(self) -> None:
        """Without a look just before it, no order is sent."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.poll", nth=2, fault="500", times=4)
        assert bench.sync().exit_code == 1
        assert bench.charged(VIDEO) == 0
        assert "Not ordered" in bench.cell(VIDEO, "sync_note")

    def test_ordered_elsewhere_since_the_plan(self) -> None:
        """An order that somebody else sent between plan and order is taken over; nothing is charged to us."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.edit("portal.poll", nth=2, do=lambda world: world.portal.order_elsewhere(VIDEO))
        assert bench.sync().exit_code == 0
        assert [request.ordered_by for request in bench.requests(VIDEO)] == ["dashboard"]
        assert bench.cell(VIDEO, "action") == ""
        assert "nothing more was charged" in bench.cell(VIDEO, "sync_note")

    def test_request_gone_since_the_plan(self) -> None:
        """A request that TokPortal no longer shows stops its renewal: something is not as it was."""
        bench = Doctored()
        bench.with_code()
        bench.mark("renew", VIDEO)
        turns = iter([False, True])
        bench.change = polls(lambda request, answer: blind(request, answer) if next(turns, False) else answer)
        assert bench.sync().exit_code == 1
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "action") == "renew"

    def test_renewed_elsewhere_since_the_plan(self) -> None:
        """A renewal that somebody else ordered between plan and order is taken over."""
        bench = Doctored()
        bench.with_code()
        bench.mark("renew", VIDEO)
        bench.world.faults.edit("portal.poll", nth=2, do=lambda world: world.portal.order_elsewhere(VIDEO))
        assert bench.sync().exit_code == 0
        assert [request.ordered_by for request in bench.requests(VIDEO)] == ["api", "dashboard"]
        assert bench.cell(VIDEO, "action") == ""
        assert "already renewed" in bench.cell(VIDEO, "sync_note")


class TestPrice:
    def test_new_price_stops_the_orders(self) -> None:
        """A price that is not 7 is paid once: the run stops ordering and says so."""
        bench = Bench(ALL)
        bench.mark("request", *ALL)
        bench.world.portal.price = 9
        report = bench.sync()
        assert report.exit_code == 3
        assert len(bench.world.portal.requests) == 1
        assert "9 credits" in str(report.error)
        assert bench.cell(VIDEO, "credits_charged") == 9
        assert "cost 9 credits instead of 7" in bench.cell(VIDEO, "sync_note")
        assert "9 credits" in bench.cell("vid-b", "sync_note")
        assert bench.cell("vid-b", "action") == "request"

    def test_no_price_named(self) -> None:
        """An answer that names no price stops the orders too; the order itself counts at the usual one."""
        bench = Doctored(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.change = orders(lambda _, answer: body_of(answer, credits_charged=None))
        report = bench.sync()
        assert (report.exit_code, report.credits_charged) == (3, 7)
        assert len(bench.world.portal.requests) == 1
        assert bench.cell(VIDEO, "status") == "pending"
        assert bench.cell(VIDEO, "credits_charged") == ""
        assert "without naming a price" in str(report.error)

    def test_no_balance_named(self) -> None:
        """An answer without the balance is an order all the same."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.change = orders(lambda _, answer: body_of(answer, credits_remaining=None))
        report = bench.sync()
        assert (report.exit_code, report.ordered) == (0, 1)
        assert bench.cell(VIDEO, "credits_left") == ""

    def test_hidden_debit_is_told(self) -> None:
        """Credits that vanish beside the price of an order are told in the run's output."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.portal.switches.set({"hidden_debit": "yes"})
        report = bench.sync()
        assert report.exit_code == 1
        assert "25 credits more" in report.warnings[0]
        assert report.credits_left == bench.world.portal.credits

    def test_replay_is_no_vanished_credit(self) -> None:
        """A replayed answer tells the balance of long ago: nobody is alarmed by it."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.change = orders(
            lambda _, answer: Response(answer.status, {**answer.headers, "idempotent-replayed": "true"}, answer.body)
        )
        bench.world.faults.edit("portal.order", do=lambda world: world.portal.spend_elsewhere(100))
        assert bench.sync().warnings == []

    def test_replay_tells_no_balance_for_the_next_order(self) -> None:
        """What was left when the answer was first given holds up no order now, and nobody is told to top up."""
        bench = Doctored(ALL[:2])
        bench.mark("request", *ALL[:2])

        def replayed(_: Request, answer: Response) -> Response:
            body = json.loads(answer.body)
            body["data"]["credits_remaining"] = 3
            headers = {**answer.headers, "idempotent-replayed": "true"}
            return Response(answer.status, headers, json.dumps(body).encode())

        bench.change = orders(replayed)
        report = bench.sync()
        assert (report.exit_code, report.warnings) == (0, [])
        assert [bench.charged(video) for video in ALL[:2]] == [7, 7]

    def test_balance_unknown(self) -> None:
        """A balance that nobody told covers nothing, whatever the plan says."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        reader = Reader(bench.api(), bench.tracker, bench.clock)
        snapshot, outcome = reader.read(), Report("acme")
        step = Order(VIDEO, 2, Mark.REQUEST, None, order_body(snapshot.rows[0]))
        with bench.portal() as portal:
            recorder = bench.ledger.recorder("acme", "run", bench.clock)
            writer = Writer(reader, recorder)
            executor = Executor(bench.tracker, portal, recorder, writer, Known(), Price(), bench.clock, outcome)
            executor.run(Plan((step,)), snapshot)
        assert (outcome.ordered, [hold.kind for hold in outcome.holds]) == (0, [HoldKind.PERSON])
        assert bench.charged(VIDEO) == 0


class TestUncertain:
    def test_found_at_once(self) -> None:
        """An order whose answer was lost is found by the look that follows: ours, 7 credits, mark cleared."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_after")
        report = bench.sync()
        assert (report.exit_code, report.ordered, report.credits_charged) == (0, 1, 7)
        assert bench.row(VIDEO)["credits_charged"] == 7
        assert bench.cell(VIDEO, "action") == ""
        assert bench.cell(VIDEO, "sync_note") == ""

    def test_found_by_the_next_run(self) -> None:
        """Where the look fails too, the next run finds the order: charged once."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_after")
        bench.world.faults.add("portal.poll", nth=3, fault="500", times=4)
        assert bench.sync().exit_code == 1
        assert "its answer was lost" in bench.cell(VIDEO, "sync_note")
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "credits_charged") == 7
        assert bench.cell(VIDEO, "action") == ""

    def test_found_when_its_mark_is_gone(self) -> None:
        """An order that happened is taken over although nobody marks the row any more."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_after")
        bench.world.faults.add("portal.poll", nth=3, fault="500", times=4)
        bench.sync()
        bench.mark("", VIDEO)
        bench.sync()
        assert bench.cell(VIDEO, "status") == "pending"
        assert bench.ledger.known("acme").unsettled == {}
        assert bench.ledger.known("acme").latest[VIDEO].credits_charged == 7

    def test_sent_again_with_the_same_key_and_body(self) -> None:
        """After a minute, in a later run, the same order is sent again byte for byte, whatever the row says now."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.type(VIDEO, "note", "the first note")
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.type(VIDEO, "note", "another note")
        bench.later(seconds=SETTLE_AFTER.total_seconds())
        bench.sync()
        assert len(set(bench.keys)) == len(set(bench.bodies)) == 1
        assert len(bench.keys) == 2
        assert bench.requests(VIDEO)[0].note == "the first note"
        assert bench.charged(VIDEO) == 7

    def test_not_before_a_minute(self) -> None:
        """Within a minute nothing is sent again, by however many runs."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        for _ in range(4):
            assert bench.sync().exit_code == 1
            bench.later(seconds=14)
        assert len(bench.keys) == 1

    def test_the_minute_begins_with_the_end_of_the_call(self) -> None:
        """An order may be under way until it times out: what counts is how long nobody waits for its answer."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.world.hooks.append(
            lambda at, _, kind, __: bench.later(seconds=45 * ((at, kind) == ("before", "portal.order")))
        )
        bench.sync()
        bench.world.hooks.clear()
        bench.later(seconds=50)
        assert bench.sync().exit_code == 1
        assert len(bench.keys) == 1
        bench.later(seconds=20)
        bench.sync()
        assert (len(bench.keys), bench.charged(VIDEO)) == (2, 7)

    @pytest.mark.parametrize("honoured", ["yes", "no"])
    def test_sent_again_although_it_had_happened(self, honoured: str) -> None:
        """A look that lags makes us send again: with the key honoured or ignored, one charge, which is ours."""
        bench = Doctored()
        bench.world.portal.switches.set({"honour_idempotency": honoured})
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_after")
        bench.change = polls(blind)
        assert bench.sync().exit_code == 1
        bench.later(minutes=2)
        bench.sync()
        bench.change = None
        bench.later(hours=1)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "request_id") == bench.requests(VIDEO)[0].id
        assert bench.cell(VIDEO, "credits_charged") == 7

    def test_answer_names_the_previous_request(self) -> None:
        """An answer about the request that is renewed is no proof of a new one: only a look can tell."""
        bench = Doctored()
        old = bench.with_code()
        bench.mark("renew", VIDEO)

        def stale(_: Request, answer: Response) -> Response:
            return body_of(answer, data={**json.loads(answer.body)["data"], "ad_code_request_id": old})

        bench.change = orders(stale)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 14
        assert bench.cell(VIDEO, "request_id") == bench.requests(VIDEO)[1].id

    def test_three_in_a_row_stop_the_orders(self) -> None:
        """Three unclear outcomes say that TokPortal is ill: no fourth order is sent, and its row says so."""
        bench = Doctored(ALL)
        bench.mark("request", *ALL)
        bench.world.faults.add("portal.order", fault="lost_before", times=99)
        report = bench.sync()
        assert (report.exit_code, report.uncertain) == (1, 3)
        assert len(bench.keys) == 3
        assert "does not answer clearly" in bench.cell("vid-d", "sync_note")
        bench.world.faults.clear()
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL] == [7] * 5

    def test_two_and_a_clear_one_do_not(self) -> None:
        """A clear answer in between starts the count anew."""
        bench = Bench(ALL)
        bench.mark("request", *ALL)
        bench.world.faults.add("portal.order", nth=1, fault="lost_before", times=2)
        bench.world.faults.add("portal.order", nth=4, fault="lost_before", times=2)
        bench.sync()
        assert [bench.charged(video) for video in ALL] == [0, 0, 7, 0, 0]

    def test_lapses_when_nobody_wants_it(self) -> None:
        """An order that never happened and whose mark is gone is given up; a later mark is a new order."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.mark("", VIDEO)
        bench.sync()
        assert bench.ledger.known("acme").unsettled[VIDEO].state is IntentState.UNCERTAIN
        bench.later(minutes=2)
        bench.sync()
        assert bench.ledger.known("acme").unsettled == {}
        assert bench.cell(VIDEO, "status") == ""
        bench.mark("request", VIDEO)
        bench.sync()
        assert bench.charged(VIDEO) == 7
        assert len(set(bench.keys)) == 2

    def test_orders_whose_answer_is_always_lost_keep_no_others_from_theirs(self) -> None:
        """So many that a run gives up at them: those below are ordered all the same."""
        bench = Bench(ALL)
        real, stuck = bench.world.handle, [f"/{video}/" for video in ALL[:3]]

        def handle(asked: Request) -> Response:
            is_stuck = asked.method == "POST" and any(one in asked.path for one in stuck)
            return Response(500, {}, b"") if is_stuck else real(asked)

        bench.world.handle = handle  # type: ignore[method-assign]
        bench.mark("request", *ALL)
        for _ in range(3):
            bench.sync()
            bench.later(minutes=5)
        assert [bench.charged(video) for video in ALL[3:]] == [7, 7]

    @pytest.mark.parametrize("wraps", [False, True])
    def test_a_price_beside_an_answer_that_cannot_be_read(self, wraps: bool) -> None:
        """It is looked at all the same: no further order is sent, and the books say what was told."""
        bench = Doctored(ALL)

        def dearer(_: Request, told: Response) -> Response:
            body = json.loads(told.body) | {"credits_charged": 32}
            body["data"] = {"ad_code_request": body["data"]} if wraps else [body["data"]]
            return Response(told.status, told.headers, json.dumps(body).encode())

        bench.change = orders(dearer)
        bench.mark("request", *ALL)
        report = bench.sync()
        assert (report.exit_code, report.ordered, report.credits_charged) == (3, 1, 32)
        assert "32 credits" in report.why
        assert bench.cell(VIDEO, "credits_charged") == 32
        assert bench.sync().ordered == 0

    def test_conflict_of_a_resend(self) -> None:
        """A resend that is refused since its order exists: taken over as ours, 7 credits."""
        bench = Doctored()
        bench.world.portal.switches.set({"honour_idempotency": "no"})
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.later(minutes=2)
        # the order arrives after our last look and before the resend
        bench.world.faults.edit("portal.order", do=lambda world: world.portal.order(VIDEO))
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "credits_charged") == 7
        assert bench.cell(VIDEO, "sync_note") == ""

    def test_one_order_lost_for_good_and_one_that_had_happened(self) -> None:
        """After an order that nobody knows the end of, no balance is expected: nothing is told about the next."""
        bench = Bench(["vid-a", "vid-b"])
        bench.mark("request", "vid-a", "vid-b")
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.world.faults.add("portal.order", nth=2, fault="lost_after")
        report = bench.sync()
        assert (report.exit_code, report.warnings, report.ordered) == (1, [], 1)
        assert (bench.charged("vid-a"), bench.charged("vid-b")) == (0, 7)

    def test_conflict_that_stays(self) -> None:
        """A resend that is refused again and again says why in its row, and ends with its mark."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.world.portal.videos[VIDEO].finalized = False
        for _ in range(3):
            bench.later(minutes=2)
            assert bench.sync().exit_code == 1
            assert "must be finalized" in bench.cell(VIDEO, "sync_note")
        bench.mark("", VIDEO)
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 0
        assert bench.ledger.known("acme").unsettled == {}

    def test_resend_held_up(self) -> None:
        """A 429 says nothing about the first call: the order stays uncertain, and a later run sends it again."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.world.faults.add("portal.order", fault="429", times=4)
        bench.later(minutes=2)
        assert bench.sync().exit_code == 1
        assert bench.ledger.known("acme").unsettled[VIDEO].state is IntentState.UNCERTAIN
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        assert len(set(bench.keys)) == 1

    def test_resend_overtaken_at_the_look(self) -> None:
        """An order that turns up at the last look before its resend is taken over as ours."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.later(minutes=2)
        bench.world.faults.edit("portal.poll", nth=2, do=lambda world: world.portal.order(VIDEO))
        assert bench.sync().exit_code == 0
        assert len(bench.keys) == 1
        assert bench.cell(VIDEO, "credits_charged") == 7

    @pytest.mark.parametrize("meanwhile", ["no credits", "no rights", "no post"])
    def test_resend_refused_while_the_first_call_may_be_under_way(self, meanwhile: str) -> None:
        """Whatever a no to the second call is about, it does not settle the first: ten minutes it is looked for."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        first = bench.ledger.known("acme").unsettled[VIDEO]
        portal, faults = bench.world.portal, bench.world.faults
        if meanwhile == "no rights":
            faults.add("portal.order", fault="403")
        elif meanwhile == "no credits":
            faults.edit("portal.poll", nth=2, do=lambda _: portal.spend_elsewhere(portal.credits))
        else:
            portal.videos[VIDEO].live_link = False
        bench.later(minutes=2)
        assert bench.sync().exit_code == 1
        kept = bench.ledger.known("acme").unsettled[VIDEO]
        assert (kept.state, kept.created_at) == (IntentState.UNCERTAIN, first.created_at)
        # the first call arrives after all: ours, and no second one was paid
        portal.credits, portal.videos[VIDEO].live_link = 100, True
        portal.order(VIDEO)
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        assert bench.cell(VIDEO, "credits_charged") == 7

    def test_resend_with_a_key_that_is_accepted_no_more(self) -> None:
        """A 401 says nothing about the call before it: the order stays uncertain, the run ends with 5."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.world.faults.add("portal.order", fault="401")
        bench.later(minutes=2)
        assert bench.sync().exit_code == 5
        assert bench.ledger.known("acme").unsettled[VIDEO].state is IntentState.UNCERTAIN

    def test_calls_that_were_too_many_make_no_refusal_older(self) -> None:
        """A 429 says nothing about the mark: the first real no rests it for five minutes, not for hours."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        for _ in range(3):
            bench.world.faults.add("portal.order", fault="429", times=4)
            bench.sync()
            bench.world.faults.clear()
            bench.later(minutes=2)
        bench.world.portal.videos[VIDEO].live_link = False
        bench.sync()
        assert bench.ledger.known("acme").refusals[VIDEO].attempts == 1

    def test_a_latest_request_that_is_gone_at_the_last_look(self) -> None:
        """What the row shows is gone, and nothing on this machine knew it: nobody here decides what that means."""
        bench = Doctored()
        bench.with_code(VIDEO)
        bench.mark("renew", VIDEO)
        reader = Reader(bench.api(), bench.tracker, bench.clock)
        snapshot, outcome = reader.read(), Report("acme")
        outcome.credits_left = bench.world.portal.credits
        step = Order(VIDEO, 2, Mark.RENEW, bench.cell(VIDEO, "request_id"), order_body(snapshot.rows[0]))
        bench.world.portal.by_video.clear()
        with bench.portal() as portal:
            recorder = bench.ledger.recorder("acme", "run", bench.clock)
            writer = Writer(reader, recorder)
            executor = Executor(bench.tracker, portal, recorder, writer, Known(), Price(), bench.clock, outcome)
            executor.run(Plan((step,)), snapshot)
        assert [hold.reason for hold in outcome.holds] == [notes.MOVED]
        assert bench.kinds().count("portal.order") == 1

    def test_a_code_that_is_reopened_before_the_last_look(self) -> None:
        """An open request beside the renewal: the plan knew of none, so the next run decides anew."""
        bench = Doctored()
        bench.with_code(VIDEO)
        bench.mark("renew", VIDEO)
        portal = bench.world.portal
        bench.world.faults.edit(
            "portal.poll", nth=2, do=lambda _: portal.reopen(portal.by_video[VIDEO][-1], "does not work")
        )
        bench.sync()
        assert bench.charged(VIDEO) == 7


class TestRefused:
    def test_row_alone_with_growing_pauses(self) -> None:
        """A refusal concerns its row alone: the note quotes it, and the mark rests for growing pauses."""
        bench = Doctored(ALL[:2])
        bench.world.portal.videos[VIDEO].live_link = False
        bench.mark("request", *ALL[:2])
        assert bench.sync().exit_code == 0
        assert bench.cell("vid-b", "status") == "pending"
        assert "no live post link" in bench.cell(VIDEO, "sync_note")
        tries = []
        for _ in range(30):
            before = len(bench.keys)
            bench.later(minutes=1)
            bench.sync()
            tries.append(len(bench.keys) - before)
        assert [n for n, tried in enumerate(tries, start=1) if tried] == [5, 15]
        bench.world.portal.videos[VIDEO].live_link = True
        bench.later(minutes=10)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7

    def test_new_mark_is_tried_at_once(self) -> None:
        """Taking the mark away and making it again ends the pause."""
        bench = Doctored()
        bench.world.portal.videos[VIDEO].live_link = False
        bench.mark("request", VIDEO)
        bench.sync()
        bench.world.portal.videos[VIDEO].live_link = True
        bench.mark("", VIDEO)
        bench.sync()
        bench.mark("request", VIDEO)
        bench.sync()
        assert bench.charged(VIDEO) == 7

    def test_conflict_without_a_request(self) -> None:
        """A 409 where nothing is there is a refusal like any other: its words are in the note."""
        bench = Bench([VIDEO])
        bench.world.portal.videos[VIDEO].finalized = False
        bench.mark("request", VIDEO)
        assert bench.sync().exit_code == 0
        assert "must be finalized" in bench.cell(VIDEO, "sync_note")
        assert bench.ledger.known("acme").unsettled == {}

    def test_ordered_elsewhere_at_the_last_moment(self) -> None:
        """An order refused since somebody else's is open: that one is taken over, and nothing was charged to us."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.edit("portal.order", do=lambda world: world.portal.order_elsewhere(VIDEO))
        assert bench.sync().exit_code == 0
        assert [request.ordered_by for request in bench.requests(VIDEO)] == ["dashboard"]
        assert bench.cell(VIDEO, "credits_charged") == ""
        assert "nothing more was charged" in bench.cell(VIDEO, "sync_note")
        assert bench.ledger.known("acme").unsettled == {}

    def test_payment_required(self) -> None:
        """A 402 stops all further orders of the run: their rows say why."""
        bench = Doctored(ALL)
        bench.mark("request", *ALL)
        bench.world.faults.edit("portal.order", do=lambda world: setattr(world.portal, "credits", 6))
        assert bench.sync().exit_code == 1
        assert len(bench.keys) == 1
        assert bench.world.portal.requests == []
        assert all("402" in bench.cell(video, "sync_note") for video in ALL)

    def test_too_many_calls(self) -> None:
        """A 429 that outlasts the waiting ordered nothing; the rest of the orders waits for the next run."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.faults.add("portal.order", fault="429", times=4)
        assert bench.sync().exit_code == 1
        assert bench.world.portal.requests == []
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL[:2]] == [7, 7]

    def test_a_disk_that_is_full_as_the_yes_arrives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The row says that the order is looked for, not that none was sent; the next run takes it over."""
        bench, whole, left = Bench(ALL[:2]), SQLite.transaction, ["once"]
        bench.mark("request", *ALL[:2])

        @contextmanager
        def full(database: SQLite) -> Iterator[None]:
            if bench.charged(VIDEO) and left:
                raise Unavailable(f"state.db: the disk is full {left.pop()}")
            with whole(database):
                yield

        monkeypatch.setattr(SQLite, "transaction", full)
        report = bench.sync()
        assert (report.exit_code, report.uncertain) == (1, 1)
        assert [bench.cell(video, "sync_note") for video in ALL[:2]] == [notes.LOOKING, notes.RUN_STOPPED]
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL[:2]] == [7, 7]

    def test_credentials(self) -> None:
        """A 401 at an order stops the run, after the rest has been written."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.faults.add("portal.order", fault="401")
        assert bench.sync().exit_code == 5
        assert bench.world.portal.requests == []
        assert "API key" in bench.cell(VIDEO, "sync_note")
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7


class TestCorrection:
    def reported(self, status: str = "in_review") -> Doctored:
        bench = Doctored()
        bench.with_code(status=status)
        bench.mark("correct", VIDEO)
        bench.type(VIDEO, "feedback", "the code does not work")
        return bench

    @pytest.mark.parametrize("status", ["in_review", "finalized"])
    def test_accepted(self, status: str) -> None:
        """A correction that is taken clears the mark, costs nothing, and the row shows the new status at once."""
        bench = self.reported(status)
        assert bench.sync().exit_code == 0
        assert bench.requests(VIDEO)[0].feedback == ["the code does not work"]
        assert bench.cell(VIDEO, "status") == "pending_corrections"
        assert bench.cell(VIDEO, "action") == ""
        assert bench.cell(VIDEO, "feedback") == "the code does not work"
        assert bench.charged(VIDEO) == 7

    @pytest.mark.parametrize("route", [404, 405, "html"])
    def test_route_not_there(self, route: Any) -> None:
        """Where the API takes no corrections the note sends the person to the dashboard; the mark rests."""
        bench = self.reported()
        bench.world.portal.switches.set({"patch_route": route})
        assert bench.sync().exit_code == 0
        assert "TokPortal dashboard" in bench.cell(VIDEO, "sync_note")
        assert bench.cell(VIDEO, "action") == "correct"
        assert bench.sync().exit_code == 0

    def test_refused(self) -> None:
        """A refused correction says why, and is tried again later."""
        bench = self.reported("finalized")
        bench.world.portal.switches.set({"patch_finalized": 409})
        assert bench.sync().exit_code == 0
        assert "cannot be corrected" in bench.cell(VIDEO, "sync_note")
        bench.world.portal.switches.set({"patch_finalized": 200})
        bench.later(minutes=6)
        assert bench.sync().exit_code == 0
        assert bench.requests(VIDEO)[0].feedback == ["the code does not work"]

    @pytest.mark.parametrize("fault", ["lost_after", "garbled"])
    def test_an_answer_that_was_lost(self, fault: str) -> None:
        """The look after it shows that the correction arrived: done in the same run, reported once."""
        bench = self.reported()
        bench.world.faults.add("portal.correct", fault=fault)
        assert bench.sync().exit_code == 0
        assert len(bench.requests(VIDEO)[0].feedback) == 1
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "status")) == ("", "pending_corrections")

    def test_a_new_code_after_it(self) -> None:
        """A manager was quicker than the look: another code is a sign of the report too."""
        bench = self.reported()
        bench.world.faults.edit(
            "portal.correct", when="after", do=lambda world: world.portal.submit(VIDEO, "#brand+new/code=")
        )
        assert bench.sync().corrected == 1
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "spark_code")) == ("", "#brand+new/code=")

    def test_a_report_that_never_left(self) -> None:
        """It is sent again at growing pauses, each time only once a look shows no sign of it."""
        bench = self.reported()
        bench.world.faults.add("portal.correct", fault="lost_before", times=2)
        sent = []
        for _ in range(5):
            bench.sync()
            sent.append(bench.kinds().count("portal.correct"))
            bench.later(minutes=5, seconds=1)
        assert sent == [1, 2, 2, 3, 3]
        assert bench.requests(VIDEO)[0].feedback == ["the code does not work"]
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "status")) == ("", "pending_corrections")

    def test_a_report_that_arrives_late(self) -> None:
        """While the mark rests TokPortal is looked at all the same: as soon as the report shows, the mark is done."""
        bench = self.reported()
        bench.world.faults.add("portal.correct", fault="late", seconds=90)
        assert bench.sync().exit_code == 1
        assert bench.cell(VIDEO, "action") == "correct"
        assert "The answer to the correction was lost" in bench.cell(VIDEO, "sync_note")
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "status")) == ("", "pending_corrections")
        assert len(bench.requests(VIDEO)[0].feedback) == 1

    @pytest.mark.parametrize("route", ["page", 302])
    def test_a_web_page_in_place_of_the_route(self, route: Any) -> None:
        """A redirect, or a page with 200, reported nothing: the mark stays, the note sends the person on."""
        bench = self.reported()
        bench.world.portal.switches.set({"patch_route": route})
        report = bench.sync()
        assert (report.corrected, report.exit_code) == (0, 0)
        assert bench.cell(VIDEO, "action") == "correct"
        assert bench.cell(VIDEO, "sync_note") == (
            "TokPortal shows no sign of this report: report the code in the TokPortal dashboard, then clear Action."
        )
        bench.sync()
        assert bench.kinds().count("portal.correct") == 1
        bench.world.portal.reopen(bench.requests(VIDEO)[0], "by hand")
        bench.later(minutes=1)
        bench.sync()
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "status")) == ("", "pending_corrections")

    @pytest.mark.parametrize("change", ["code", "gone"])
    def test_overtaken(self, change: str) -> None:
        """A code that changes between plan and correction is not reported: the person has not tried the new one."""
        bench = self.reported()
        request = bench.requests(VIDEO)[0]
        turns = iter([False, True])

        def swap(asked: Request, answer: Response) -> Response:
            if not next(turns, False):
                return answer
            if change == "gone":
                return blind(asked, answer)
            request.code = "#brand+new/code="
            return body_of(answer, data={**json.loads(answer.body)["data"], "code": request.code})

        bench.change = polls(swap)
        assert bench.sync().exit_code == 1
        assert request.feedback == []
        assert bench.cell(VIDEO, "action") == "correct"

    def test_look_fails_after_it(self) -> None:
        """A correction is done once a look shows it, in the next run if need be; the rest of the plan goes on."""
        bench = Doctored(ALL[:2])
        bench.with_code(status="in_review")
        bench.mark("correct", VIDEO)
        bench.type(VIDEO, "feedback", "the code does not work")
        bench.mark("request", "vid-b")
        bench.world.faults.add("portal.poll", nth=4, fault="500", times=4)
        bench.sync()
        assert bench.charged("vid-b") == 7
        assert bench.cell(VIDEO, "action") == "correct"
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert len(bench.requests(VIDEO)[0].feedback) == 1
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "status")) == ("", "pending_corrections")

    def test_look_fails_before_it(self) -> None:
        """A correction that could not be compared is not sent; the rest of the plan goes on, the row says why."""
        bench = Doctored(ALL[:2])
        bench.with_code(status="in_review")
        bench.mark("correct", VIDEO)
        bench.type(VIDEO, "feedback", "the code does not work")
        bench.mark("request", "vid-b")
        bench.world.faults.add("portal.poll", nth=3, fault="500", times=4)
        assert bench.sync().exit_code == 1
        assert bench.requests(VIDEO)[0].feedback == []
        assert bench.charged("vid-b") == 7
        bench.later(minutes=2)
        assert bench.sync().exit_code == 0
        assert len(bench.requests(VIDEO)[0].feedback) == 1


@pytest.mark.parametrize(
    ("route", "status"), [("present", 404), (405, 405), ("html", 404), ("page", None), (302, None)]
)
def test_the_correction_of_a_request_that_nobody_has(route: str | int, status: int | None) -> None:
    """A definite no is told, anything else says nothing; it changes nothing, and is the one call made."""
    bench = Bench(("vid-a",))
    bench.world.portal.switches.set({"patch_route": route})
    with bench.portal() as portal:
        no = try_correction(portal)
    assert (no and no.http_status) == status
    assert bench.kinds() == ["portal.correct"]


def test_the_correction_of_a_request_that_nobody_has_and_no_answer() -> None:
    """A lost answer is nothing definite."""
    bench = Bench(("vid-a",))
    bench.world.faults.add("portal.correct", fault="lost_after")
    with bench.portal() as portal:
        assert try_correction(portal) is None
