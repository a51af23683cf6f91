"""Between the plan and the POST: a row is ordered only while it stands as planned, and while the credits cover it.

The real program on the sandbox; what happens, happens between two of its calls.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.bench import Bench
from support.doctored import ALL, VIDEO

from sheetsync.model import Mark

Happening = Callable[[Bench], object]


def marked(*videos: str, **settings: int) -> Bench:
    """A tracker of these videos, all marked."""
    bench = Bench(videos, **settings)
    bench.mark("request", *videos)
    return bench


def withdrawn(bench: Bench) -> None:
    """Somebody takes the mark back."""
    bench.type(VIDEO, "action", "")


def deleted(bench: Bench) -> None:
    """Somebody deletes the row."""
    bench.sheet.delete_rows(bench.line(VIDEO))


def unticked(bench: Bench) -> None:
    """The note that the manager is to be told changes."""
    bench.type(VIDEO, "note", "stop")


class TestTrail:
    """What an order rested on is kept with it: the row as it stood in the instant of the claim, or of a later look."""

    HEADERS = ("Caption final", "Approval owner", "Kunde", "Legal OK")

    def trail(self, bench: Bench, *parts: str) -> dict[str, object]:
        """What the ledger keeps with the last order of who let it pass, or these parts of it."""
        parts = parts or ("ticked", "filled")
        *_, detail = (e.detail for e in bench.ledger.history(VIDEO) if e.kind == "intent")
        return {part: found for part, found in detail.items() if part in parts}

    def bench(self, **settings: object) -> Bench:
        """A tracker whose columns are filled from the left."""
        renamed = {"client": "Kunde"}
        keys = [header for header in Bench().headers if header != "Client"]
        bench = Bench([VIDEO], headers=[*self.HEADERS, *keys], columns=renamed, **settings)
        for at, value in enumerate((True, "Ann", "Acme " * 20, "x")):
            bench.sheet.set_value(1, at, value)
        bench.mark("request", VIDEO)
        return bench

    def test_ticks_and_what_was_filled_in(self) -> None:
        """By the sheet's own headers, cut where a cell is long; the Approval owner whether or not it is a gate."""
        bench = self.bench(require=("client",), approve=("caption_final", "Legal OK"))
        bench.sync()
        filled = {"Kunde": ("Acme " * 20)[:80], "Approval owner": "Ann"}
        assert self.trail(bench) == {"ticked": ["Caption final", "Legal OK"], "filled": filled}

    def test_default_approvals_and_an_owner_that_is_a_gate(self) -> None:
        """The owner is named once."""
        bench = self.bench(require=("approval_owner",))
        bench.sync()
        assert self.trail(bench) == {"ticked": ["Caption final"], "filled": {"Approval owner": "Ann"}}

    def test_whose_it_is(self) -> None:
        """Kept with the order: once the row is gone, nothing else tells."""
        bench = self.bench()
        bench.sync()
        assert self.trail(bench, "row") == {"row": {"client": ("Acme " * 20).strip()}}

    def test_without_gates_and_owner(self) -> None:
        """Nothing is kept of nothing."""
        bench = marked(VIDEO)
        bench.sync()
        assert self.trail(bench) == {}

    def test_the_owner_in_the_instant_of_the_claim(self) -> None:
        """Not whoever stood there when the run read the sheet; on disk before the order, whose answer is lost here."""
        bench = self.bench()
        bench.world.faults.edit("sheets.batchUpdate", do=lambda _: bench.sheet.set_value(1, 1, "Bo"))
        bench.world.faults.add("portal.order", fault="lost_after")
        bench.sync()
        assert (bench.charged(VIDEO), self.trail(bench)["filled"]) == (7, {"Approval owner": "Bo"})

    def test_the_owner_of_a_later_look(self) -> None:
        """The machine slept, and the sheet was looked at again."""
        bench = self.bench()
        TestAsleep.asleep(bench, 2)
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: bench.sheet.set_value(1, 1, "Bo"))
        bench.sync()
        assert (bench.charged(VIDEO), self.trail(bench)["filled"]) == (7, {"Approval owner": "Bo"})


class TestLeftover:
    """Status says `ordering` already: a killed run's claim, or one whose last write failed."""

    @pytest.mark.parametrize("happens", [withdrawn, deleted, unticked])
    @pytest.mark.parametrize("nth", [1, 2])
    def test_it_is_no_claim(self, happens: Happening, nth: int) -> None:
        """What changes while the run observes is seen: nothing is charged."""
        bench = marked(*ALL[:2])
        bench.type(VIDEO, "status", "ordering")
        bench.world.faults.edit("portal.poll", nth=nth, do=lambda _: happens(bench))
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)

    def test_a_sheet_that_is_shared_no_more(self) -> None:
        """A sheet that cannot be written costs nothing, though nothing would have had to be written."""
        bench = marked(VIDEO)
        bench.type(VIDEO, "status", "ordering")
        bench.world.faults.edit("portal.poll", do=lambda _: bench.book.shared_with.clear())
        assert bench.sync().exit_code == 5
        assert bench.charged(VIDEO) == 0

    def test_an_ordinary_retry(self) -> None:
        """Where nothing has changed, the order goes through."""
        bench = marked(VIDEO)
        bench.type(VIDEO, "status", "ordering")
        assert bench.sync().exit_code == 0
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (7, "pending")


class TestOldClaim:
    """A batch of orders takes minutes, and people go on working."""

    @staticmethod
    def slow(bench: Bench, seconds: int) -> None:
        """Every call takes so long."""
        bench.world.hooks.append(lambda moment, *_: moment == "before" and bench.later(seconds=seconds))

    @pytest.mark.parametrize("happens", [withdrawn, deleted, unticked])
    def test_a_row_that_changes_after_the_claim(self, happens: Happening) -> None:
        """After a minute mark, row and gates are read again before the next POST."""
        bench = marked("vid-b", "vid-c", "vid-d", VIDEO)
        self.slow(bench, 20)
        bench.world.faults.edit("portal.order", nth=1, do=lambda _: happens(bench))
        bench.sync()
        assert [bench.charged(video) for video in ("vid-b", "vid-c", "vid-d", VIDEO)] == [7, 7, 7, 0]

    def test_rows_that_moved_are_found_again(self) -> None:
        """A sheet sorted meanwhile stands in no order's way."""
        bench = marked(*ALL)
        self.slow(bench, 20)
        bench.world.faults.edit("portal.order", nth=1, do=lambda _: bench.sheet.insert_rows(1))
        bench.sync()
        assert [bench.charged(video) for video in ALL] == [7] * 5
        assert [bench.cell(video, "status") for video in ALL] == ["pending"] * 5


class TestAsleep:
    """A machine sleeps between its last look and the POST: what it saw may be true no more."""

    @staticmethod
    def asleep(bench: Bench, *looks: int) -> None:
        """After these polls of the run the machine sleeps for two hours."""
        polls = [0]

        def sleep(moment: str, index: int, kind: str, request: object) -> None:
            if (moment, kind) == ("after", "portal.poll"):
                polls[0] += 1
                if polls[0] in looks:
                    bench.later(hours=2)

        bench.world.hooks[:] = [sleep]

    def test_sheet_and_tokportal_are_looked_at_again(self) -> None:
        """Where nothing has changed, the order goes out in this run, with an intent that is seconds old."""
        bench = marked(VIDEO)
        self.asleep(bench, 2)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7
        kinds = [event.kind for event in bench.ledger.history(VIDEO)]
        assert (kinds.count("intent"), kinds.count("lapsed"), bench.kinds().count("portal.order")) == (2, 1, 1)

    @pytest.mark.parametrize("happens", [withdrawn, deleted, unticked])
    def test_a_row_that_changed_meanwhile(self, happens: Happening) -> None:
        """It is not ordered, and the intent is given up: nothing was sent."""
        bench = marked(VIDEO)
        self.asleep(bench, 2)
        bench.world.faults.edit("values.batchGet", nth=2, do=lambda _: happens(bench))
        bench.sync()
        assert bench.charged(VIDEO) == 0
        assert bench.ledger.known("acme").unsettled == {}

    def test_somebody_ordered_meanwhile(self) -> None:
        """Theirs is taken over: one code, one charge."""
        bench = marked(VIDEO)
        self.asleep(bench, 2)
        bench.world.faults.edit("portal.poll", nth=3, do=lambda world: world.portal.order_elsewhere(VIDEO))
        assert bench.sync().adopted == 1
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (7, "pending")
        assert bench.ledger.known("acme").unsettled == {}

    def test_a_machine_that_sleeps_after_every_look(self) -> None:
        """After three looks the next run goes on: charged once, in the end."""
        bench = marked(VIDEO)
        self.asleep(bench, *range(1, 9))
        assert bench.sync().exit_code == 1
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, "request")
        assert bench.cell(VIDEO, "sync_note").startswith("Too much time went by")
        bench.world.hooks.clear()
        bench.sync()
        assert bench.charged(VIDEO) == 7

    def test_an_order_that_was_to_be_sent_again(self) -> None:
        """The first call stays to be looked for: it is settled by a later run, and charged once."""
        bench = marked(VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.later(minutes=5)
        self.asleep(bench, *range(1, 9))
        bench.sync()
        assert list(bench.ledger.known("acme").unsettled) == [VIDEO]
        bench.world.hooks.clear()
        bench.later(minutes=5)
        bench.sync()
        assert (bench.charged(VIDEO), bench.ledger.known("acme").unsettled) == (7, {})

    def test_an_order_to_be_sent_again_that_turns_up_meanwhile(self) -> None:
        """The first call had arrived after all: ours, settled, and charged once."""
        bench = marked(VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.later(minutes=5)
        self.asleep(bench, 2)
        bench.world.faults.edit("portal.poll", nth=3, do=lambda world: world.portal.order(VIDEO))
        bench.sync()
        assert (bench.charged(VIDEO), bench.ledger.known("acme").unsettled) == (7, {})
        assert bench.cell(VIDEO, "credits_charged") == 7


class TestBalance:
    """The newest balance counts, less what is to be kept."""

    def test_spent_elsewhere_in_mid_run(self) -> None:
        """What the answers tell is looked at before each order."""
        bench = marked(*ALL, keep_credits=100)
        bench.world.portal.credits = 200
        bench.world.faults.edit("portal.order", nth=2, do=lambda world: world.portal.spend_elsewhere(90))
        report = bench.sync()
        assert report.ordered == 2
        assert bench.cell("vid-c", "sync_note").startswith("Not enough credits: a code costs 7 beyond the 100")
        assert bench.cell("vid-c", "action") == "request"

    def test_an_order_nobody_knows_the_end_of_is_deducted(self) -> None:
        """An earlier order may have been charged: its credits are not spent a second time."""
        bench = Bench(ALL[:2])
        bench.mark("request", VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.mark("request", "vid-b")
        bench.world.portal.credits = 7
        bench.world.faults.add("portal.poll", fault="500", times=4)
        bench.sync()
        assert (bench.charged("vid-b"), bench.cell("vid-b", "action")) == (0, "request")
        bench.world.portal.credits = 14
        bench.world.faults.add("portal.poll", fault="500", times=4)
        bench.sync()
        assert bench.charged("vid-b") == 7

    def test_also_that_of_a_video_that_was_not_chosen(self) -> None:
        """With `--video` the others are not looked at; what they may have cost is."""
        bench = Bench(ALL[:2])
        bench.mark("request", *ALL[:2])
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync(videos=frozenset({VIDEO}))
        bench.world.portal.credits = 13
        bench.sync(videos=frozenset({"vid-b"}))
        assert (bench.charged("vid-b"), bench.cell("vid-b", "action")) == (0, "request")

    def test_also_that_of_another_tracker(self) -> None:
        """All trackers of a configuration spend from one balance."""
        bench = marked(VIDEO)
        bench.ledger.recorder("globex", "run-0", bench.clock).begin("vid-z", Mark.REQUEST, None, "{}")
        bench.world.portal.credits = 13
        bench.sync()
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, "request")


class TestLimit:
    """The limit counts the marks that would order now, whatever the balance."""

    @pytest.mark.parametrize("credits", [1247, 100, 14, 0])
    def test_filled_down_rows(self, credits: int) -> None:
        """More marks than one run may order: none is ordered, poor or rich."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.world.portal.credits = credits
        report = bench.sync()
        assert (report.exit_code, sum(map(bench.charged, ALL))) == (3, 0)
        assert {bench.cell(video, "sync_note")[:41] for video in ALL} == {"Waits: more rows are marked than one run "}

    def test_marks_that_would_not_order_do_not_count(self) -> None:
        """Rows that a gate holds, and those whose request is only taken over, are no orders."""
        bench = marked(*ALL, max_orders_per_run=3)
        bench.world.portal.order_elsewhere(VIDEO)
        bench.type("vid-b", "platform", "youtube")
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL[2:]] == [7, 7, 7]

    def test_marks_that_are_cleared_one_by_one(self) -> None:
        """What is left of too many marks is ordered once a run finds them as the run before it did."""
        bench = marked(*ALL, max_orders_per_run=4)
        assert bench.sync().exit_code == 3
        for cleared in ALL[:2]:
            bench.mark("", cleared)
            report = bench.sync()
            assert (report.exit_code, sum(map(bench.charged, ALL))) == (0, 0)
            assert {bench.cell(hold.video_id, "sync_note")[:23] for hold in report.holds} == {"Waits for the next run:"}
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL] == [0, 0, 7, 7, 7]

    def test_marks_that_come_after_too_many(self) -> None:
        """A new mark is no sign of clearing: it does not hold those that stand."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.sync()
        bench.mark("", VIDEO)
        bench.mark("", "vid-b")
        bench.sync()
        bench.mark("request", "vid-b")
        assert bench.sync().exit_code == 0
        assert [bench.charged(video) for video in ALL] == [0, 7, 7, 7, 7]

    def test_silence_makes_too_many_marks_no_fewer(self) -> None:
        """TokPortal says nothing of one of five: the four others are not ordered for that, in no run."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.world.portal.ill.add(VIDEO)
        for _ in range(2):
            report = bench.sync()
            assert (report.exit_code, sum(map(bench.charged, ALL))) == (3, 0)
            assert "4 orders (28 credits, rows 3 to 6) and 1 more mark that this run could not look at" in report.why
            assert "--allow-orders 5" in report.why
        assert bench.sync(allow_orders=5).ordered == 4

    def test_a_run_that_hears_nothing_lifts_no_brake(self) -> None:
        """Marks that are cleared after such a run are being cleared all the same: what is left waits for a run."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.sync()
        bench.world.portal.ill |= {*ALL}
        assert bench.sync().exit_code == 1
        bench.world.portal.ill.clear()
        bench.mark("", VIDEO)
        assert (bench.sync().ordered, bench.sync().ordered) == (0, 4)

    def test_what_was_not_looked_at_is_not_taken_away(self) -> None:
        """TokPortal's silence about a marked row is nobody's clearing, once marks are few enough."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.sync()
        bench.mark("", VIDEO)
        assert bench.sync().ordered == 0
        bench.world.portal.ill.add("vid-b")
        assert bench.sync().exit_code != 3
        assert [bench.charged(video) for video in ALL] == [0, 0, 7, 7, 7]

    def test_marks_that_cannot_order_are_none_too_many_though_nothing_is_heard(self) -> None:
        """What a gate holds is no order, whatever TokPortal would say."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.world.portal.ill.add(VIDEO)
        bench.type(VIDEO, "platform", "youtube")
        assert bench.sync().ordered == 4

    @pytest.mark.parametrize("how", ["by number", "by name"])
    def test_a_person_orders_what_is_left_at_once(self, how: str) -> None:
        """Who names a number, or a row, means it."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.sync()
        bench.mark("", *ALL[1:])
        bench.sync(allow_orders=1) if how == "by number" else bench.sync(videos=frozenset({VIDEO}))
        assert bench.charged(VIDEO) == 7


class TestPrinted:
    def test_a_code_is_printed_as_a_fingerprint(self) -> None:
        """The note in the sheet names the new code; terminal, JSON and log do not."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.sync()
        bench.world.portal.submit(VIDEO)
        bench.later(minutes=2)
        bench.sync()
        bench.type(VIDEO, "feedback", "does not work")
        bench.type(VIDEO, "spark_code", "#tried")
        bench.mark("correct", VIDEO)
        (hold,) = bench.sync().holds
        code = bench.requests(VIDEO)[0].code
        assert code
        assert code in bench.cell(VIDEO, "sync_note")
        assert code not in hold.printed
        assert hold.printed.startswith("The code has changed to code ")

    def test_an_unclear_order_may_yet_be_charged(self) -> None:
        """A newer balance does not tell of it: nothing is ordered with what it may cost."""
        bench = marked("vid-a", "vid-b", "vid-c", keep_credits=14)
        bench.world.portal.credits = 14 + 21
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.world.faults.edit("portal.order", nth=2, do=lambda world: world.portal.spend_elsewhere(7))
        report = bench.sync()
        assert (report.ordered, report.uncertain, bench.world.portal.credits) == (1, 1, 21)
        assert bench.cell("vid-c", "sync_note").startswith("Not enough credits")
