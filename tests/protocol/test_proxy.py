"""Each paid call of the real command, held at the wire against the config by a judge who knows nothing else.

A proxy stands between the command and both services (`support/proxy.py`); its judge (`support/proxy_judge.py`) reads
the parsed YAML and the calls. A scenario is a day in an office; then bugs are planted, one for each rule of the judge,
and a scenario must show them.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.office import Office, opened

from sheetsync.ledger.recorder import Recorder
from sheetsync.model import Price
from sheetsync.plan import claim, gates, limits, marks
from sheetsync.plan.claim import Claim
from sheetsync.sandbox.world import World
from sheetsync.sync import execute
from sheetsync.sync.execute import Executor
from sheetsync.tokportal.client import TokPortal

FIVE = ("vid-a", "vid-b", "vid-c", "vid-d", "vid-e")
Settings = dict[str, dict[str, Any]]


# --- scenarios -------------------------------------------------------------------------------------------------------


def fill_down(office: Office) -> None:
    """Five rows are filled down, three may be ordered in a run: none is, until a person says that they are meant."""
    office.rows(*FIVE, action="request")
    assert office.sync() == 3
    assert office.ordered() == []
    assert office.sync("--allow-orders", "5") == 0
    assert office.ordered() == list(FIVE)


def fill_down_with_few_credits(office: Office) -> None:
    """That the credits cover two of five orders says nothing of whether five are meant."""
    office.world.portal.credits = 15
    office.rows(*FIVE, action="request")
    assert office.sync() == 3
    assert office.ordered() == []


def few_credits(office: Office) -> None:
    """Of three wishes one is served: what is to be kept stays."""
    office.world.portal.credits = 14 + 7 + 6
    office.rows(*FIVE[:3], action="request")
    assert office.sync() == 0
    assert (office.ordered(), office.world.portal.credits) == (["vid-a"], 20)


def spent_elsewhere(office: Office) -> None:
    """While the first order is answered somebody spends in the dashboard: the next ones are not covered."""
    office.world.portal.credits = 14 + 21

    def spend(world: World) -> None:
        world.portal.spend_elsewhere(8)

    office.world.faults.edit("portal.order", nth=1, when="before", do=spend)
    office.rows(*FIVE[:3], action="request")
    office.sync()
    assert office.ordered() == ["vid-a"]


def lost_and_few_credits(office: Office) -> None:
    """Two answers are lost: until somebody knows, those credits are not there, in this run and in the next."""
    office.world.portal.credits = 14 + 7 + 7 + 6
    office.world.faults.add("portal.order", fault="lost_before", times=2)
    office.rows(*FIVE[:3], action="request")
    office.sync()
    assert office.ordered() == []
    office.later()
    office.sync()
    assert office.ordered() == ["vid-a", "vid-b"]


def lost_and_spent_elsewhere(office: Office) -> None:
    """What an unclear order may yet cost is not there either once a newer balance is told."""
    office.world.portal.credits = 14 + 21
    office.world.faults.add("portal.order", nth=1, fault="lost_before")
    office.world.faults.edit("portal.order", nth=2, do=lambda world: world.portal.spend_elsewhere(7))
    office.rows(*FIVE[:3], action="request")
    office.sync()
    assert (office.ordered(), office.world.portal.credits) == (["vid-b"], 21)


def lost_in_another_tracker(office: Office) -> None:
    """The credits are one purse: what an unclear order of one tracker may cost is not there for the other."""
    office.world.portal.credits = 14 + 7 + 6
    office.world.faults.add("portal.order", fault="lost_before")
    office.row("vid-a", action="request")
    office.row("vid-x", tab="two", action="request")
    office.sync()
    assert office.ordered() == []
    written = office.written()
    office.sync("--tracker", "two")
    assert (office.ordered(), office.written()) == ([], written)


def lost_beside_one_that_is_named(office: Office) -> None:
    """A run for one video alone knows what the others' unclear orders may cost."""
    office.world.portal.credits = 14 + 7 + 6
    office.world.faults.add("portal.order", fault="lost_before")
    office.row("vid-a", action="request")
    office.sync()
    office.row("vid-b", action="request")
    office.sync("--video", "vid-b")
    assert office.ordered() == []


def dearer(office: Office) -> None:
    """An order costs 9: none is sent any more, not by the tracker beside it, not later, not with the ledger lost."""
    office.book.add_sheet("Summary one").set_value(0, 0, "Summary of one")
    office.rows(*FIVE[:2], action="request")
    office.row("vid-x", tab="two", action="request")
    office.world.portal.price = 9
    assert office.sync() == 3
    office.later()
    office.sync()
    office.forget()
    office.sync("--tracker", "one")
    office.sync()
    assert office.ordered() == ["vid-a"]
    assert office.sync("--accept-price", "9") == 0
    assert office.ordered() == ["vid-a", "vid-b", "vid-x"]


def untold(office: Office) -> None:
    """An answer does not say what the order cost: that is no price that was expected."""
    office.world.portal.tells_price = False
    office.rows(*FIVE[:2], action="request")
    office.row("vid-x", tab="two", action="request")
    office.sync()
    office.sync()
    assert office.ordered() == ["vid-a"]


def cheaper(office: Office) -> None:
    """At a price that a person accepted an order may cost less, at none that nobody did."""
    office.rows(*FIVE[:2], action="request")
    office.world.portal.price = 5
    office.sync()
    office.sync()
    assert office.ordered() == ["vid-a"]
    office.sync("--accept-price", "6")
    office.row("vid-c", action="request")
    office.sync()
    assert office.ordered() == ["vid-a", "vid-b", "vid-c"]


def dearer_than_accepted(office: Office) -> None:
    """What is accepted is what was told before: an order that costs more still locks the tracker beside it."""
    office.row("vid-a", action="request")
    office.row("vid-x", tab="two", action="request")
    office.world.portal.price = 12
    assert office.sync("--accept-price", "9") == 3
    assert office.ordered() == ["vid-a"]


GAPS: dict[str, tuple[str, Any]] = {
    "caption unticked": ("caption_final", False),
    "sound unticked": ("sound_cleared", ""),
    "creator emptied": ("creator", ""),
    "note too long": ("note", "x" * 501),
    "note edited": ("note", "another note"),
    "platform mistyped": ("platform", "toktik"),
    "mark withdrawn": ("action", ""),
    "mark changed": ("action", "renew"),
}


def in_the_gap(office: Office, gap: str = "caption unticked") -> None:
    """Between the read and the claim a row changes: its order is off, the others are sent."""
    office.rows(*FIVE[:3], action="request", creator="@ann", note="a note")
    office.world.faults.edit("sheets.batchUpdate", do=lambda _: office.type("vid-b", *GAPS[gap]))
    office.sync()
    assert office.ordered() == ["vid-a", "vid-c"]


def gates_shut(office: Office) -> None:
    """Rows whose gates are shut, each in its way, beside one that is ready."""
    office.row("vid-a", action="request", creator="@ann", caption_final=False)
    office.row("vid-b", action="request", creator="")
    office.row("vid-c", action="request", creator="@ann", note="x" * 501)
    office.row("vid-d", action="renew", creator="@ann")
    office.row("vid-e", action="Request ", creator="@ann")
    office.sync()
    assert office.ordered() == ["vid-e"]


def withdrawn(office: Office) -> None:
    """A minute goes by while the first order is answered, and a later mark is withdrawn: that one is not sent."""

    def slow(_: World) -> None:
        office.type("vid-c", "action", "")
        office.later()

    office.world.faults.edit("portal.order", nth=1, when="after", do=slow)
    office.rows(*FIVE[:3], action="request")
    office.sync()
    assert office.ordered() == ["vid-a", "vid-b"]


def ordered_elsewhere(office: Office) -> None:
    """Between the plan and its turn a video is ordered in the dashboard: it is taken over."""
    office.world.faults.edit("portal.order", when="after", do=lambda world: world.portal.order_elsewhere("vid-b"))
    office.rows(*FIVE[:2], action="request")
    office.sync()
    assert office.ordered() == ["vid-a", "vid-b"]
    assert office.cell("vid-b", "request_id") == office.world.portal.requests[1].id


def ordered_elsewhere_in_a_long_batch(office: Office) -> None:
    """The first order takes a while, and meanwhile the second video is ordered in the dashboard, and finished."""

    def meanwhile(world: World) -> None:
        office.later(50)
        world.portal.order_elsewhere("vid-b")

    office.world.faults.edit("portal.order", when="after", do=meanwhile)
    office.rows(*FIVE[:2], action="request")
    office.sync()
    assert office.ordered() == ["vid-a", "vid-b"]


def renewed(office: Office) -> None:
    """A code is renewed once, however often the mark is made while the renewal is open."""
    office.row("vid-a", action="request")
    office.sync()
    office.type("vid-a", "action", "renew")
    office.sync()
    office.world.portal.submit("vid-a")
    office.world.portal.deliver("vid-a")
    office.later()
    office.sync()
    office.type("vid-a", "action", "renew")
    office.sync()
    assert office.ordered() == ["vid-a", "vid-a"]


def renamed_gate(office: Office) -> None:
    """The header of an approval that the sheet once had is typed over: nothing is ordered."""
    office.rows(*FIVE[:2])
    office.sync()
    office.book.sheet("one").set_value(0, office.column("caption_final"), "Caption done")
    office.type("vid-a", "action", "request")
    assert office.sync() == 2
    assert office.ordered() == []


def a_tracker_each(office: Office) -> None:
    """Limit, credits to keep and gates are each tracker's own."""
    office.world.portal.credits = 7 * 6
    office.rows(*FIVE[:4], action="request")
    office.rows("vid-w", "vid-x", "vid-y", "vid-z", tab="two", action="request", caption_final=False)
    office.type("vid-z", "sound_cleared", "", tab="two")
    assert office.sync() == 3
    assert office.ordered() == ["vid-w", "vid-x", "vid-y"]
    office.type("vid-a", "action", "")
    office.sync()
    assert office.ordered() == ["vid-w", "vid-x", "vid-y", "vid-b"]


def lost(office: Office, fault: str = "lost_before") -> None:
    """The answers to two orders are lost, one after the other; in the end each is ordered once."""
    office.world.faults.add("portal.order", nth=1, fault=fault)
    office.world.faults.add("portal.order", nth=3, fault=fault)
    office.rows(*FIVE[:3], action="request", note="a note")
    office.sync()
    office.type("vid-a", "note", "another note")
    office.sync()
    for _ in range(3):
        office.later()
        office.sync()
    assert sorted(office.ordered()) == list(FIVE[:3])


LIMITED: Settings = {"one": {"max_orders_per_run": 3}}
KEEPING: Settings = {"one": {"keep_credits": 14}}
TWO: Settings = {"one": {}, "two": {}}
STRICT: Settings = {"one": {"require": ["creator"], "approve": ["caption_final", "sound_cleared"]}}
EACH: Settings = {
    "one": {"max_orders_per_run": 3, "keep_credits": 14},
    "two": {"approve": ["sound_cleared"], "columns": {"video_id": "TokPortal id", "sound_cleared": "Music"}},
}
Scenario = tuple[Callable[..., None], Settings]
SCENARIOS: dict[str, Scenario] = {
    "fill down": (fill_down, LIMITED),
    "fill down with few credits": (fill_down_with_few_credits, LIMITED),
    "few credits": (few_credits, KEEPING),
    "spent elsewhere": (spent_elsewhere, KEEPING),
    "lost answers and few credits": (lost_and_few_credits, KEEPING),
    "lost and spent elsewhere": (lost_and_spent_elsewhere, KEEPING),
    "lost in another tracker": (lost_in_another_tracker, {"one": {}, "two": {"keep_credits": 14}}),
    "lost beside one that is named": (lost_beside_one_that_is_named, KEEPING),
    "a dearer price": (dearer, TWO),
    "a price dearer than accepted": (dearer_than_accepted, TWO),
    "no price": (untold, TWO),
    "a cheaper price": (cheaper, {"one": {}}),
    "gates shut": (gates_shut, STRICT),
    "a gate renamed": (renamed_gate, {"one": {}}),
    "mark withdrawn in a long batch": (withdrawn, {"one": {}}),
    "ordered elsewhere in a long batch": (ordered_elsewhere_in_a_long_batch, {"one": {}}),
    "ordered elsewhere meanwhile": (ordered_elsewhere, {"one": {}}),
    "renewed": (renewed, {"one": {}}),
    "a tracker each": (a_tracker_each, EACH),
}


def breaches(folder: Path, scenario: Callable[..., None], settings: Settings, *more: Any) -> list[Any]:
    """What the judge found in a scenario, which must have come to orders or to none as it says."""
    with opened(folder, **settings) as office:
        scenario(office, *more)
        assert office.judge.orders >= len(office.ordered()) - 1
        return office.judge.breaches


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_order_keeps_the_rules(tmp_path: Path, name: str) -> None:
    """Nothing that was sent breaks a rule, and what was wanted came to pass."""
    assert breaches(tmp_path, *SCENARIOS[name]) == []


@pytest.mark.parametrize("gap", GAPS)
def test_a_row_that_changes_before_its_claim(tmp_path: Path, gap: str) -> None:
    """Whatever changes in a row since it was read is seen before it costs anything."""
    assert breaches(tmp_path, in_the_gap, STRICT, gap) == []


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "500", "garbled", "html502", "429"])
def test_lost_answers(tmp_path: Path, fault: str) -> None:
    """Whatever becomes of an answer: the same key, the same body, and never more than one order."""
    assert breaches(tmp_path, lost, {"one": {}}, fault) == []


# --- real processes --------------------------------------------------------------------------------------------------


def struck_down(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.parametrize("when", ["before", "after"])
def test_processes(tmp_path: Path, when: Any) -> None:
    """Real processes in real time, the first killed at its second order: the second order is not sent anew at once."""
    with opened(tmp_path, real_time=True, **LIMITED) as office:
        office.rows(*FIVE[:3], action="request")
        running: list[subprocess.Popen[str]] = []
        office.world.faults.edit("portal.order", nth=2, when=when, do=lambda _: struck_down(running[0]))
        running.append(office.start())
        running[0].wait(60)
        assert running[0].returncode == -signal.SIGKILL
        code, told = office.run()
        assert code in (0, 1)
        assert told["trackers"][0]["ordered"] in (1, 2)
        assert sorted(office.ordered()) == list(FIVE[:3])
        assert office.judge.breaches == []


# --- bugs ------------------------------------------------------------------------------------------------------------

Patch = pytest.MonkeyPatch


def no_limit(patch: Patch) -> None:
    patch.setattr(limits, "too_many_orders", lambda *_: None)


def as_many_as_the_limit(patch: Patch) -> None:
    """The first three of five are sent."""

    def some(plan: Any, world: Any) -> Any:
        return limits._held_back(plan, plan.orders[world.tracker.max_orders_per_run :], "too many")

    patch.setattr(marks, "within_limits", some)


def credits_before_limit(patch: Patch) -> None:
    def poor_first(plan: Any, world: Any) -> Any:
        return within(limits.within_credits(plan, world), world)

    within = limits.within_limits
    patch.setattr(marks, "within_limits", poor_first)


def nothing_kept(patch: Patch) -> None:
    init = Executor.__init__

    def generous(self: Executor, tracker: Any, *more: Any) -> None:
        init(self, dataclasses.replace(tracker, keep_credits=0), *more)

    patch.setattr(Executor, "__init__", generous)
    patch.setattr(limits, "within_credits", lambda plan, world: plan)


def balance_of_the_beginning(patch: Patch) -> None:
    patch.setattr(Executor, "_spent", lambda *_: None)


def unclear_ones_are_free(patch: Patch) -> None:
    within = limits.within_credits

    def forgetful(plan: Any, world: Any) -> Any:
        return within(plan, dataclasses.replace(world, known=dataclasses.replace(world.known, unsettled={})))

    patch.setattr(limits, "within_credits", forgetful)
    patch.setattr(Executor, "_spent", lambda self, credits, left=None: None)


def any_price(patch: Patch) -> None:
    patch.setattr(Price, "covers", lambda *_: True)


def price_of_this_run(patch: Patch) -> None:
    patch.setattr(Recorder, "lock_price", lambda *_: None)


def untold_is_expected(patch: Patch) -> None:
    covers = Price.covers
    patch.setattr(Price, "covers", lambda self, charged: charged is None or covers(self, charged))


def gates_open(patch: Patch) -> None:
    patch.setattr(gates, "failed_gates", lambda *_: [])


def gates_once(patch: Patch) -> None:
    """The claim looks at the mark alone."""
    patch.setattr(claim, "order_basis", lambda row, tracker: row.wish)


def no_claim(patch: Patch) -> None:
    def unwritten(self: Executor, orders: Any, snapshot: Any) -> Any:
        self.claimed, self.claimed_at = {step.video_id for step in orders}, self.clock.monotonic()
        return snapshot

    patch.setattr(Executor, "_claim", unwritten)


def claim_of_an_hour(patch: Patch) -> None:
    patch.setattr(execute, "CLAIM_SECONDS", 3600)


def mark_not_looked_at_again(patch: Patch) -> None:
    patch.setattr(Claim, "standing", lambda self, rows: frozenset(self.rows))


def look_of_the_plan(patch: Patch) -> None:
    patch.setattr(Executor, "_compare", lambda self, step: setattr(self, "looked_at", self.clock.monotonic()) or True)


def another_key(patch: Patch) -> None:
    order = TokPortal.order
    patch.setattr(TokPortal, "order", lambda self, video, body, key, after: order(self, video, body, key + "x", after))
    resending = Recorder.resending
    patch.setattr(
        Recorder,
        "resending",
        lambda self, intent: dataclasses.replace(resending(self, intent), idempotency_key=f"again-{intent.id}"),
    )


def another_body(patch: Patch) -> None:
    resending = Recorder.resending
    patch.setattr(
        Recorder, "resending", lambda self, intent: dataclasses.replace(resending(self, intent), body='{"note":"new"}')
    )


def no_key(patch: Patch) -> None:
    request = httpx.Client.request

    def bare(self: httpx.Client, method: str, url: str, *, headers: Any, **more: Any) -> httpx.Response:
        left = {name: value for name, value in headers.items() if name != "Idempotency-Key"}
        return request(self, method, url, headers=left, **more)

    patch.setattr(httpx.Client, "request", bare)


BUGS: dict[str, tuple[Callable[[Patch], None], str, str]] = {
    "no limit": (no_limit, "fill down", "limit"),
    "as many as the limit": (as_many_as_the_limit, "fill down", "limit"),
    "credits before the limit": (credits_before_limit, "fill down with few credits", "limit"),
    "nothing kept": (nothing_kept, "few credits", "credits"),
    "the balance of the beginning": (balance_of_the_beginning, "spent elsewhere", "credits"),
    "unclear orders are free": (unclear_ones_are_free, "lost and spent elsewhere", "credits"),
    "any price": (any_price, "a dearer price", "price"),
    "a price of this run alone": (price_of_this_run, "a dearer price", "price"),
    "an untold price is expected": (untold_is_expected, "no price", "price"),
    "gates open": (gates_open, "gates shut", "gates"),
    "gates looked at once": (gates_once, "sound unticked", "gates"),
    "the note of the plan": (gates_once, "note edited", "gates"),
    "mark not looked at again": (mark_not_looked_at_again, "mark withdrawn", "gates"),
    "no claim": (no_claim, "few credits", "claim"),
    "a claim of an hour": (claim_of_an_hour, "mark withdrawn in a long batch", "claim"),
    "the look of the plan": (look_of_the_plan, "ordered elsewhere in a long batch", "look"),
    "another key": (another_key, "lost", "key"),
    "another body": (another_body, "lost", "key"),
    "no key": (no_key, "few credits", "key"),
}


def scenario_of(name: str) -> tuple[Any, ...]:
    if name in GAPS:
        return in_the_gap, STRICT, name
    return (lost, {"one": {}}) if name == "lost" else SCENARIOS[name]


@pytest.mark.parametrize("name", BUGS)
def test_the_judge_sees_a_planted_bug(tmp_path: Path, monkeypatch: Patch, name: str) -> None:
    """The scenario that is in order without the bug breaks its rule with it, whatever else becomes of the day."""
    plant, day, rule = BUGS[name]
    scenario, settings, *more = scenario_of(day)
    plant(monkeypatch)
    with opened(tmp_path, **settings) as office:
        with suppress(AssertionError):  # the scenario may see it too; here the judge has to
            scenario(office, *more)
        assert rule in {breach.rule for breach in office.judge.breaches}


def test_the_judge_sees_a_stranger(tmp_path: Path) -> None:
    """A client that sends an order without having asked anybody breaks every rule that asks for something."""
    with opened(tmp_path) as office:
        office.row("vid-a", action="request")
        url = f"{office.proxy.url}/api/ext/videos/vid-a/ad-code-request"
        answer = httpx.post(url, json={"note": "mine"}, headers={"X-API-Key": office.world.portal.key})
        assert json.loads(answer.content)["data"]["video_id"] == "vid-a"
        assert {breach.rule for breach in office.judge.breaches} == {"key", "claim"}
