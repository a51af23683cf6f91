"""What a run tells of its orders and corrections: figures, warnings, the words in the rows, and the ledger's record."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.bench import Bench
from support.builders import request
from support.doctored import ALL, VIDEO, Doctored, body_of, orders, polls

from sheetsync.model import IntentState, Mark, Origin
from sheetsync.sandbox import people
from sheetsync.sandbox.wire import Request, Response

MOVED = "The row changed while this was about to be done; the next run looks again."


def last(bench: Bench, kind: str, video: str = VIDEO) -> Any:
    """What the ledger keeps of the latest event of that kind."""
    return [event.detail for event in bench.ledger.history(video) if event.kind == kind][-1]


def with_codes(*videos: str) -> Doctored:
    """A bench where each of these has been ordered and delivered."""
    bench = Doctored(videos)
    for video in videos:
        bench.with_code(video)
    return bench


class TestFigures:
    def test_orders(self) -> None:
        """Each is counted, with what it cost and what is left."""
        bench = Bench(ALL[:3])
        bench.mark("request", *ALL[:3])
        report = bench.sync()
        assert (report.ordered, report.renewed, report.credits_charged) == (3, 0, 21)
        assert report.credits_left == bench.world.portal.credits

    def test_renewals(self) -> None:
        """They are told from orders, also where the answer was lost and the order had happened."""
        bench = with_codes(*ALL[:3])
        bench.mark("renew", *ALL[:3])
        bench.world.faults.add("portal.order", nth=2, fault="lost_after")
        report = bench.sync()
        assert (report.ordered, report.renewed, report.credits_charged) == (0, 3, 21)
        assert report.credits_left == bench.world.portal.credits

    def test_orders_whose_answers_were_lost(self) -> None:
        """The balance goes on being known: 7 less for each."""
        bench = Bench(ALL[:3])
        bench.mark("request", *ALL[:3])
        bench.world.faults.add("portal.order", nth=2, fault="lost_after", times=2)
        report = bench.sync()
        assert (report.ordered, report.credits_charged, report.warnings) == (3, 21, [])
        assert report.credits_left == bench.world.portal.credits

    def test_taken_over(self) -> None:
        """What was ordered elsewhere is counted apart and costs nothing; the balance is told all the same."""
        bench = Bench(ALL[:3])
        for video in ALL[:3]:
            bench.world.portal.order(video)
        bench.mark("request", *ALL[:3])
        report = bench.sync()
        assert (report.adopted, report.ordered, report.credits_charged) == (3, 0, 0)
        assert report.credits_left == bench.world.portal.credits

    def test_another_price(self) -> None:
        """What was charged is what TokPortal names, not what was expected; without a name it is the known price."""
        for price, charged in ((9, 9), (None, 7)):
            bench = Doctored()
            bench.mark("request", VIDEO)
            bench.change = orders(lambda _, answer, price=price: body_of(answer, credits_charged=price))
            assert bench.sync().credits_charged == charged

    def test_corrections(self) -> None:
        """Taken and uncertain ones."""
        bench = with_codes(*ALL[:4])
        bench.mark("correct", *ALL[:4])
        for video in ALL[:4]:
            bench.type(video, "feedback", "does not work")
        bench.world.faults.add("portal.correct", fault="lost_before", times=2)
        report = bench.sync()
        assert (report.corrected, report.uncertain) == (2, 2)

    def test_uncertain_orders(self) -> None:
        """Those that TokPortal has not settled, a conflict with a first call under way among them."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.faults.add("portal.order", fault="lost_before", times=2)
        assert bench.sync().uncertain == 2
        for video in ALL[:2]:
            bench.world.portal.videos[video].finalized = False
        bench.later(minutes=2)
        assert bench.sync().uncertain == 2

    def test_a_clear_answer_starts_the_count_of_unclear_ones_anew(self) -> None:
        """Three in a row stop the orders; two, a clear one and two more do not."""
        six = (*ALL, "vid-f")
        bench = Bench(six)
        bench.mark("request", *six)
        bench.world.faults.add("portal.order", nth=1, fault="lost_before", times=2)
        bench.world.faults.add("portal.order", nth=4, fault="lost_before", times=2)
        assert bench.sync().uncertain == 4
        assert [bench.charged(video) for video in six] == [0, 0, 7, 0, 0, 7]

    def test_a_no_is_a_clear_answer(self) -> None:
        """Rows that TokPortal refuses between unclear ones say that it is well."""
        bench = Bench(ALL)
        bench.mark("request", *ALL)
        for nth in (1, 3):
            bench.world.faults.add("portal.order", nth=nth, fault="lost_before")
        bench.world.portal.videos["vid-b"].live_link = False
        bench.world.faults.add("portal.order", nth=4, fault="lost_before")
        report = bench.sync()
        assert (report.uncertain, bench.charged("vid-e")) == (3, 7)

    def test_a_refusal_is_still_told_when_the_last_write_fails(self) -> None:
        """Why nothing was ordered is the run's outcome; that its rows could not be told comes beside it."""
        bench = Bench(ALL, max_orders_per_run=4)
        bench.mark("request", *ALL)
        bench.world.faults.add("sheets.batchUpdate", fault="403", times=99)
        report = bench.sync()
        assert report.exit_code == 3
        assert [warning[:13] for warning in report.warnings] == ["Google denies"]

    def test_a_balance_that_is_not_named_once(self) -> None:
        """The next order is judged by its price alone, and its balance counts again."""
        bench = Doctored(ALL[:2])
        bench.mark("request", *ALL[:2])
        first = iter([{"credits_remaining": None}])
        bench.change = orders(lambda _, answer: body_of(answer, **next(first, {})))
        report = bench.sync()
        assert (report.ordered, report.warnings) == (2, [])
        assert report.credits_left == bench.world.portal.credits


class TestWarnings:
    def test_a_new_price(self) -> None:
        """In full, with the video and both prices; the rows that come after it wait for a person, as in later runs."""
        bench = Doctored(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.change = orders(lambda _, answer: body_of(answer, credits_charged=9))
        report = bench.sync()
        assert (report.exit_code, report.ordered, report.warnings) == (3, 1, [])
        told = "TokPortal took the order of video vid-a for 9 credits, 7 were expected."
        assert str(report.error).startswith(f"{told} No order is sent until somebody accepts a price: sheetsync sync ")
        note = f"Waits: {told} Ask whoever runs sheetsync to accept the price."
        assert bench.cell("vid-b", "sync_note") == note
        again = bench.sync()
        assert (again.exit_code, str(again.error), bench.cell("vid-b", "sync_note")) == (3, str(report.error), note)

    def test_credits_that_vanish(self) -> None:
        """In full, with the video and the amount."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.portal.switches.set({"hidden_debit": "yes"})
        assert bench.sync().warnings == [
            "The balance fell by 25 credits more than the order of video vid-a cost: "
            "spent elsewhere, or charged besides. See the credit history at TokPortal."
        ]

    @pytest.mark.parametrize(
        ("state", "spent", "told"),
        [("accepted", 7, 0), ("sending", 7, 0), ("accepted", 8, 1), ("unknown", 7, 7)],
        ids=["recorded", "not recorded yet", "more than that", "another ledger's"],
    )
    def test_another_machine_orders_from_the_same_purse(self, state: str, spent: int, told: int) -> None:
        """What this ledger knows of it, or may come to know, did not vanish."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        beside = bench.ledger.recorder("beside", "run-beside", bench.clock)

        def order_there(_: Request) -> None:
            bench.world.portal.spend_elsewhere(spent)
            if state != "unknown":
                intent = beside.begin("vid-x", Mark.REQUEST, None, "{}")
                if state == "accepted":
                    beside.accepted(intent, request("X1", "pending", video_id="vid-x"), 7, None)

        bench.world.faults.edit("portal.order", nth=2, do=order_there)
        told_of = [int(number) for text in bench.sync().warnings for number in re.findall(r"fell by (\d+)", text)]
        assert told_of == ([told] if told else [])


class TestRows:
    def test_a_row_that_changed(self) -> None:
        """It says that it was not ordered, and what happens next."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.hooks.append(lambda *_: bench.later(seconds=1))
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: bench.type(VIDEO, "note", "another"))
        report = bench.sync()
        assert [hold.reason for hold in report.holds] == [MOVED]
        assert bench.cell(VIDEO, "sync_note") == MOVED

    def test_a_request_that_is_gone(self) -> None:
        """TokPortal shows none any more: not ordered, and said."""
        bench = with_codes(VIDEO)
        bench.mark("renew", VIDEO)
        turns = iter([False, True])
        bench.change = polls(
            lambda _, answer: Response(200, answer.headers, b'{"data":null}') if next(turns, False) else answer
        )
        bench.sync()
        assert "older than what is known" in bench.cell(VIDEO, "sync_note")

    @pytest.mark.parametrize(
        ("mark", "note"),
        [
            ("request", "Already ordered; taken over, nothing more was charged."),
            (
                "renew",
                "This was already renewed; nothing more was charged. Mark renew to order another (7 credits). "
                "A renewal is under way; until its code is there, this row shows the earlier code.",
            ),
        ],
    )
    def test_ordered_elsewhere_since_the_plan(self, mark: str, note: str) -> None:
        """The row says so in the words of its mark."""
        bench = Doctored() if mark == "request" else with_codes(VIDEO)
        bench.mark(mark, VIDEO)
        bench.world.faults.edit("portal.poll", nth=2, do=lambda world: world.portal.order(VIDEO))
        report = bench.sync()
        assert (report.adopted, bench.cell(VIDEO, "sync_note")) == (1, note)

    def test_one_full_stop(self) -> None:
        """TokPortal's words end with one, or with none: the note ends with one."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.edit("portal.poll", nth=2, do=lambda world: world.portal.videos.pop(VIDEO))
        bench.sync()
        assert bench.cell(VIDEO, "sync_note").startswith("Not ordered: TokPortal said no: 404 VIDEO_NOT_FOUND")
        assert re.search(r"Video not found\.( \(.*\)\.)?$", bench.cell(VIDEO, "sync_note"))

    @pytest.mark.parametrize("status", [401, 403, 404, 405])
    def test_a_key_that_may_not_correct(self, status: int) -> None:
        """The row sends the person to the dashboard."""
        bench = with_codes(VIDEO)
        bench.mark("correct", VIDEO)
        bench.type(VIDEO, "feedback", "does not work")

        def no(request: Request, answer: Response) -> Response:
            if request.method != "PATCH":
                return answer
            return Response(status, answer.headers, b'{"error":{"code":"NO","message":"no"}}')

        bench.change = no
        bench.sync()
        assert bench.cell(VIDEO, "sync_note") == (
            "This API key cannot report codes: report it in the TokPortal dashboard, then clear Action."
        )


class TestLedger:
    def test_an_order(self) -> None:
        """With the balance that TokPortal named after it."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.sync()
        left = bench.world.portal.credits
        assert {**last(bench, "ordered"), "request_id": "", "intent": 0} == {
            "request_id": "",
            "intent": 0,
            "mark": "request",
            "credits_charged": 7,
            "credits_left": left,
        }
        assert bench.cell(VIDEO, "credits_left") == left

    def test_an_intent_of_a_renewal(self) -> None:
        """It names the request that was there before: by that its order is known again."""
        bench = with_codes(VIDEO)
        old = bench.cell(VIDEO, "request_id")
        bench.mark("renew", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        intent = bench.ledger.known("acme").unsettled[VIDEO]
        assert (intent.previous_id, intent.state) == (old, IntentState.UNCERTAIN)

    def test_why_an_order_is_uncertain(self) -> None:
        """In the words of the error."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        assert "TokPortal" in last(bench, "uncertain")["detail"]

    def test_an_answer_that_names_an_old_request(self) -> None:
        """So it is recorded; what the look then finds is ours."""
        bench = with_codes(VIDEO)
        old = bench.cell(VIDEO, "request_id")
        bench.mark("renew", VIDEO)
        bench.change = orders(
            lambda _, answer: body_of(answer, data={**json.loads(answer.body)["data"], "ad_code_request_id": old})
        )
        bench.sync()
        assert last(bench, "uncertain")["detail"] == "the answer names the previous request"
        assert bench.ledger.known("acme").latest[VIDEO].origin is Origin.ORDERED

    @pytest.mark.parametrize(("fault", "status"), [("401", 401), ("429", 429)])
    def test_a_refusal(self, fault: str, status: int) -> None:
        """With its status and its words."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault=fault, times=4)
        bench.sync()
        told = last(bench, "refused")
        assert told["http_status"] == status
        assert "TokPortal" in told["text"]

    def test_a_plain_no(self) -> None:
        """With its words."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.portal.videos[VIDEO].finalized = False
        bench.sync()
        assert last(bench, "refused")["http_status"] == 409
        assert last(bench, "refused")["text"] == bench.cell(VIDEO, "sync_note")

    def test_ordered_elsewhere_in_that_very_moment(self) -> None:
        """Our own order was refused: its intent is settled, and why is kept."""
        bench = Doctored()
        bench.mark("request", VIDEO)
        bench.world.portal.switches.set({"honour_idempotency": "no"})
        bench.world.faults.edit("portal.order", do=lambda world: world.portal.order(VIDEO))
        bench.sync()
        told = last(bench, "refused")
        assert (told["http_status"], told["text"]) == (409, "already ordered")

    def test_a_resend_that_is_refused_or_held_up(self) -> None:
        """It stays uncertain, with TokPortal's words."""
        for fault in ("conflict", "429"):
            bench = Bench([VIDEO])
            bench.mark("request", VIDEO)
            bench.world.faults.add("portal.order", fault="lost_before")
            bench.sync()
            bench.later(minutes=2)
            if fault == "429":
                bench.world.faults.add("portal.order", fault=fault, times=4)
            else:
                bench.world.portal.videos[VIDEO].finalized = False
            bench.sync()
            assert "TokPortal" in last(bench, "uncertain")["detail"]

    def test_a_conflict_of_a_resend_is_counted_from_the_first_call(self) -> None:
        """Ten minutes after the order was first sent nothing is under way any more: it is refused, and settled."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.world.portal.videos[VIDEO].finalized = False
        for _ in range(3):
            bench.later(minutes=4)
            bench.sync()
        assert bench.ledger.known("acme").unsettled == {}
        assert [event.kind for event in bench.ledger.history(VIDEO)].count("refused") == 1

    def test_a_correction(self) -> None:
        """With the words that were sent, and the run that sent them."""
        bench = with_codes(VIDEO)
        bench.mark("correct", VIDEO)
        bench.type(VIDEO, "feedback", "does not work")
        bench.sync()
        assert last(bench, "correction intent")["feedback"] == "does not work"
        sent = [event for event in bench.ledger.history(VIDEO) if event.kind.startswith("correction")]
        assert len({event.run_id for event in sent}) == 1


def test_a_mark_in_the_second_of_two_rows() -> None:
    """The run names the row whose mark waits, not the first one of its video."""
    bench = Bench(["vid-a", "vid-b"])
    people.copy_row(bench.world, bench.book, bench.tracker.worksheet, "vid-a", 3)
    bench.type("vid-a", "action", "please", 1)
    assert [(hold.video_id, hold.row) for hold in bench.sync().holds] == [("vid-a", 3)]
