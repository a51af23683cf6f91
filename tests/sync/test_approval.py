"""Orders that a person allows in the Summary tab: just those that it asked for, once, by a number typed by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.init_bench import InitBench

from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.google.cells import Formula
from sheetsync.sync.report import Report

VIDEOS = ("vid-a", "vid-b", "vid-c")
CELL = "cell K7 of tab 'Summary'"


def asking(*videos: str, **settings: int) -> InitBench:
    """A tracker in which more is marked than a run may order, and which has asked for it."""
    bench = InitBench(**{"max_orders_per_run": 1, "max_orders_at_sheet": 5, **settings})
    bench.init()
    for video in videos or VIDEOS:
        bench.add_row(video, "request")
    run(bench)
    return bench


def run(bench: InitBench, minutes: float = 5, **wanted: object) -> Report:
    bench.later(minutes=minutes)
    return bench.sync(**wanted)  # type: ignore[arg-type]


def type_in(bench: InitBench, value: object) -> None:
    """A person types into the cell."""
    bench.summary.set_value(6, 10, value)  # type: ignore[arg-type]


def ordered(bench: InitBench) -> int:
    return len(bench.world.portal.requests)


def test_the_whole_story() -> None:
    """Asked, allowed, ordered once; a mark made later waits for a number of its own."""
    bench = asking()
    assert (bench.says("K6"), bench.says("K7"), ordered(bench)) == (3, None, 0)
    assert bench.says("L6") == "orders for 21 credits. To allow just these, type 3 into K7."

    type_in(bench, 3)
    report = run(bench)
    assert (report.exit_code, report.ordered, ordered(bench)) == (0, 3, 3)
    assert [bench.says(place) for place in ("K6", "L6", "K7", "L7")] == [None] * 4
    assert [bench.charged(video) for video in VIDEOS] == [7, 7, 7]

    for video in ("vid-d", "vid-e", "vid-f"):
        bench.add_row(video, "request")
    for _ in range(2):
        assert (run(bench).exit_code, ordered(bench)) == (3, 3)


def test_both_ways_are_named_and_a_run_that_waits_is_quiet() -> None:
    bench = asking()
    report = run(bench)

    assert (report.exit_code, report.sheets_write) == (3, 0)
    assert str(report.error).endswith(f"sheetsync sync --allow-orders 3, or type 3 into {CELL}")
    assert bench.cell("vid-a", "sync_note").endswith(f"or allow them in {CELL}.")
    assert run(bench, allow_orders=3).ordered == 3
    assert (bench.says("K6"), bench.ledger.offer("acme")) == (None, None)


@pytest.mark.parametrize("typed", [2, 4, "3", True, 3.5, 0, -3, "three", Formula("=3"), Formula('="3"')], ids=repr)
def test_what_is_no_such_number_typed_by_hand_allows_nothing(typed: object) -> None:
    """It is taken out of the cell, the question asked again, and the number typed then counts."""
    bench = asking()
    type_in(bench, typed)
    report = run(bench)
    assert (report.ordered, ordered(bench), bench.says("K7")) == (0, 0, None)
    assert report.exit_code != 0
    run(bench)
    assert (bench.says("K6"), bench.says("K7"), ordered(bench)) == (3, None, 0)

    type_in(bench, 3)
    assert run(bench).ordered == 3


def test_what_stood_there_for_nothing_is_told() -> None:
    bench = asking()
    type_in(bench, 2)
    run(bench)
    assert bench.says("L7").startswith("What stood here allowed nothing")
    assert run(bench).sheets_write == 0


Change = Callable[[InitBench], None]
CHANGES: dict[str, Change] = {
    "one more": lambda b: b.add_row("vid-d", "request"),
    "another one": lambda b: (b.type("vid-a", "action", ""), b.add_row("vid-d", "request"))[0],
    "one is ordered elsewhere, and another marked": lambda b: (
        b.world.portal.order("vid-a", by="dashboard"),
        b.add_row("vid-d", "request"),
    )[-1],
    "another latest request": lambda b: (b.world.portal.order("vid-a", by="x"), b.world.portal.cancel("vid-a"))[0],  # type: ignore[func-returns-value]
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_orders_than_were_asked_for_are_not_allowed(change: Change) -> None:
    """As many or not: the new question is asked, with an empty cell."""
    bench = asking()
    before = ordered(bench)
    type_in(bench, 3)
    change(bench)
    elsewhere = ordered(bench) - before
    report = run(bench)

    assert (report.exit_code, report.ordered, ordered(bench)) == (3, 0, elsewhere)
    assert (bench.says("K6"), bench.says("K7")) == (report.plan.offered and report.plan.offered.orders, None)
    type_in(bench, bench.says("K6"))
    assert run(bench).exit_code == 0


def test_what_a_run_could_not_look_at_leaves_the_question_and_the_number() -> None:
    """TokPortal does not answer for one of them: nothing is asked anew; the run that can look at all orders."""
    bench = asking()
    for typed in (None, 3):
        type_in(bench, typed)
        bench.world.faults.add("portal.poll", fault="500", times=4)
        report = run(bench)
        assert (report.exit_code, report.ordered, bench.says("K6"), bench.says("K7")) == (3, 0, 3, typed)
        assert str(report.error).startswith("2 orders")
    assert run(bench).ordered == 3


@pytest.mark.parametrize("call", ["portal.balance", "portal.poll"])
def test_a_run_that_hears_nothing_leaves_the_question_and_the_number(call: str) -> None:
    """The key is refused for a while, or TokPortal says nothing of any video: what a person typed is not lost."""
    bench = asking()
    type_in(bench, 3)
    is_refused = call == "portal.balance"
    bench.world.faults.add(call, fault="401" if is_refused else "500", times=1 if is_refused else 40)
    report = run(bench)
    assert (report.exit_code, report.ordered) == (5 if is_refused else 1, 0)
    assert (bench.says("K6"), bench.says("K7")) == (3, 3)
    bench.world.faults.clear()
    assert (run(bench).ordered, bench.says("K6"), bench.says("K7")) == (3, None, None)


def test_what_a_run_could_not_look_at_and_a_mark_too_many_is_another_question() -> None:
    bench = asking()
    type_in(bench, 3)
    bench.add_row("vid-d", "request")
    bench.world.faults.add("portal.poll", nth=2, fault="500", times=4)
    report = run(bench)
    assert (report.ordered, bench.says("K6"), bench.says("K7")) == (0, 3, None)
    type_in(bench, 3)
    assert (run(bench).ordered, bench.says("K6")) == (0, 4)


def test_a_number_for_fewer_than_a_run_may_order_is_not_needed() -> None:
    """They go without it, once they stand still; it is emptied, and allows nothing later."""
    bench = asking()
    type_in(bench, 3)
    bench.type("vid-a", "action", "")
    bench.type("vid-b", "action", "")
    assert (run(bench).ordered, run(bench).ordered) == (0, 1)
    assert (bench.says("K6"), bench.says("K7"), bench.ledger.offer("acme")) == (None, None, None)


def test_another_price_is_another_question() -> None:
    bench = asking()
    type_in(bench, 3)
    report = run(bench, accept_price=9)
    assert (report.ordered, bench.says("K7")) == (0, None)
    assert bench.says("L6").startswith("orders for 27 credits.")


def test_a_lost_ledger_voids_it() -> None:
    bench = asking()
    type_in(bench, 3)
    bench.ledger = Ledger(None)
    assert (run(bench).ordered, bench.says("K7"), bench.says("K6")) == (0, None, 3)
    type_in(bench, 3)
    assert run(bench).ordered == 3


def test_a_second_machine_asks_for_itself_and_of_two_one_takes_it() -> None:
    """What the other has asked is no number of this one's; a number that both wait for is taken once."""
    bench, other = asking(), Ledger(None)
    type_in(bench, 3)
    assert (run(bench, ledger=other).ordered, bench.says("K7")) == (0, None)
    assert run(bench).sheets_write == 0
    type_in(bench, 3)
    reports: list[Report] = []
    bench.world.faults.edit("sheets.batchUpdate", do=lambda _: reports.append(bench.sync(other)))
    mine = run(bench)

    assert (reports[0].ordered, mine.ordered, ordered(bench)) == (3, 0, 3)
    assert mine.exit_code == 1


def test_a_run_for_some_videos_ignores_it() -> None:
    """It neither asks nor takes: the number stays for a run of all."""
    bench = asking()
    type_in(bench, 3)
    report = run(bench, videos=frozenset(VIDEOS))
    assert (report.exit_code, report.ordered, bench.says("K6"), bench.says("K7")) == (3, 0, 3, 3)
    assert CELL not in str(report.error)
    assert run(bench).ordered == 3


def test_a_video_of_it_that_is_ordered_alone_voids_it() -> None:
    bench = asking(*VIDEOS, "vid-d")
    type_in(bench, 4)
    assert run(bench, videos=frozenset({"vid-a"})).ordered == 1
    assert (run(bench).ordered, bench.says("K6"), bench.says("K7")) == (0, 3, None)


def test_plan_says_what_sync_would_do() -> None:
    bench = asking()
    type_in(bench, 3)
    before = bench.writes()
    assert len(run(bench, plan_only=True).plan.orders) == 3
    assert (bench.writes(), bench.says("K7")) == (before, 3)
    assert run(bench).ordered == 3


# --- bounds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 2])
def test_it_is_off_unless_it_is_set_and_bounded_by_it(most: int) -> None:
    bench = asking(max_orders_at_sheet=most)
    type_in(bench, 3)
    report = run(bench)
    assert (report.exit_code, report.ordered, bench.says("K6"), bench.says("K7")) == (3, 0, None, None)
    assert CELL not in str(report.error) + bench.cell("vid-a", "sync_note")
    assert (bench.says("L7") or "").startswith("off") is (most == 0)


def test_a_bound_that_was_lowered_since_holds() -> None:
    bench = asking()
    type_in(bench, 3)
    lower = {"max_orders_per_run": 1, "max_orders_at_sheet": 2}
    bench.tracker = type(bench.tracker)("acme", bench.book.id, "Tracker", **lower)  # type: ignore[arg-type]
    assert (run(bench).ordered, bench.says("K7")) == (0, None)


def test_credits_hold_what_they_do_not_cover_and_the_number_stays_while_they_cover_none() -> None:
    bench = asking()
    bench.world.portal.credits = 5
    type_in(bench, 3)
    assert (run(bench).ordered, bench.says("K7")) == (0, 3)
    assert bench.cell("vid-a", "sync_note").startswith("Not enough credits")
    bench.world.portal.credits = 15
    report = run(bench)
    assert (report.ordered, bench.says("K7"), bench.says("K6")) == (2, None, None)
    assert bench.ledger.offer("acme") is None


@pytest.mark.parametrize(
    "why", ["the balance cannot be read", "the credits do not suffice", "the number cannot be taken"]
)
def test_a_number_that_came_to_nothing_lifts_no_brake(why: str) -> None:
    """Marks that are cleared after it are being cleared all the same: what is left waits for one run."""
    bench = asking()
    type_in(bench, 3)
    credits, bench.world.portal.credits = bench.world.portal.credits, 3 if "credits" in why else 1247
    if "balance" in why:
        bench.world.faults.add("portal.balance", fault="500", times=4)
    elif "number" in why:
        bench.world.faults.add("sheets.batchUpdate", fault="500", times=9)
    assert run(bench).ordered == 0
    bench.world.faults.clear()
    bench.world.portal.credits = credits
    bench.type("vid-a", "action", "")
    bench.type("vid-b", "action", "")
    assert (run(bench).ordered, run(bench).ordered) == (0, 1)


def test_no_time_to_order_uses_nothing_up() -> None:
    bench = asking()
    type_in(bench, 3)
    bench.clock.ends_in(350)
    bench.later(minutes=5)
    assert (bench.sync().ordered, bench.says("K7")) == (0, 3)


def test_a_tab_that_may_not_be_written_allows_nothing() -> None:
    """It asks nothing either: the command line stays."""
    bench = asking("vid-a")
    bench.person({"addProtectedRange": {"protectedRange": {"range": {"sheetId": bench.summary.sheet_id}}}})
    for video in VIDEOS:
        bench.add_row(video, "request")
    assert (run(bench).exit_code, bench.ledger.offer("acme")) == (3, None)
    type_in(bench, 3)
    assert run(bench).ordered == 0


# --- in the gap, and answers that are lost ----------------------------------------------------------------------

GAP: dict[str, Change] = {
    "another number": lambda b: type_in(b, 4),
    "the number is taken back": lambda b: type_in(b, None),
    "a formula": lambda b: type_in(b, Formula("=3")),
    "a row is inserted above": lambda b: b.summary.insert_rows(3),
    "a row above is deleted": lambda b: b.summary.delete_rows(4, 1),
    "a column is inserted before it": lambda b: b.summary.insert_columns(9),
    "the tab is somebody else's": lambda b: b.summary.set_value(0, 9, "Ours"),
    "the tab is renamed": lambda b: setattr(b.summary, "title", "Old"),
    "the tab is deleted": lambda b: b.book.sheets.remove(b.summary),
}


@pytest.mark.parametrize("change", GAP.values(), ids=GAP)
def test_what_happens_between_the_look_and_the_taking(change: Change) -> None:
    """Nothing is ordered unless this very call is seen to take the number from its cell."""
    bench = asking()
    type_in(bench, 3)
    bench.world.faults.edit("sheets.batchUpdate", do=lambda _: change(bench))
    report = run(bench)
    assert (report.ordered, ordered(bench), report.exit_code) == (0, 0, 1)
    assert bench.ledger.offer("acme") is None
    assert "has to be typed again" in report.holds[0].reason


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "garbled", "500", "403"])
def test_an_answer_that_is_lost_voids_it(fault: str) -> None:
    bench = asking()
    type_in(bench, 3)
    bench.world.faults.add("sheets.batchUpdate", fault=fault)
    assert (run(bench).ordered, ordered(bench), bench.ledger.offer("acme")) == (0, 0, None)
    assert (run(bench).exit_code, ordered(bench), bench.says("K7")) == (3, 0, None)
    type_in(bench, 3)
    assert run(bench).ordered == 3


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "garbled", "500"])
def test_a_question_that_was_not_seen_to_be_asked_has_no_answer(fault: str) -> None:
    bench = InitBench(max_orders_per_run=1, max_orders_at_sheet=5)
    bench.init()
    for video in VIDEOS:
        bench.add_row(video, "request")
    bench.world.faults.add("sheets.batchUpdate", nth=2, fault=fault)
    assert run(bench).exit_code == 3
    assert bench.ledger.offer("acme") is None
    type_in(bench, 3)
    assert (run(bench).ordered, bench.says("K6"), bench.says("K7")) == (0, 3, None)


def test_it_is_taken_before_anything_is_ordered() -> None:
    """The number goes first, then the rows are claimed, then ordered, then written."""
    bench = asking()
    type_in(bench, 3)
    start = len(bench.world.calls)
    bench.world.faults.edit("sheets.batchUpdate", nth=2, do=lambda _: gone.append(bench.says("K7")))
    gone: list[object] = []
    run(bench)
    kinds = [call.kind for call in bench.world.calls[start:]]

    changes = [kind for kind in kinds if kind in ("sheets.batchUpdate", "portal.order")]
    assert changes == ["sheets.batchUpdate"] * 2 + ["portal.order"] * 3 + ["sheets.batchUpdate"]
    assert gone == [None]
