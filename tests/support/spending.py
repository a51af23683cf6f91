"""Days on which credits are spent, or must not be: what people do in an office, and what is ordered in the end.

A scenario asserts on TokPortal's books; whether each call kept the rules on its way is the judge's (`proxy_judge.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheetsync.sandbox.world import World
from support.office import Office

FIVE = ("vid-a", "vid-b", "vid-c", "vid-d", "vid-e")
Settings = dict[str, dict[str, Any]]


def fill_down(office: Office) -> None:
    """Five rows are filled down, three may be ordered in a run: none is, until a person says that they are meant."""
    office.rows(*FIVE, action="request")
    assert office.sync() == 3
    assert office.ordered() == []
    assert office.sync("--allow-orders", "5") == 0
    assert office.ordered() == list(FIVE)


def cleared_one_by_one(office: Office) -> None:
    """Five are filled down, three may be ordered; while people clear them, none of the last three is."""
    office.rows(*FIVE, action="request")
    assert office.sync() == 3
    for video in FIVE[:4]:
        office.type(video, "action", "")
        assert office.sync() == (3 if video == "vid-a" else 0)
        assert office.ordered() == []
    assert (office.sync(), office.ordered()) == (0, ["vid-e"])


def allowed_at_the_sheet(office: Office) -> None:
    """Five are filled down and Summary asks; a sixth takes the place of one, and makes it another question."""
    office.init()
    office.rows(*FIVE, action="request")
    assert office.sync() == 3
    office.allow(5)
    office.type("vid-a", "action", "")
    office.row("vid-f", action="request")
    assert (office.sync(), office.ordered()) == (3, [])
    office.allow(5)
    assert (office.sync(), office.ordered()) == (0, [*FIVE[1:], "vid-f"])


def allowed_and_forgotten(office: Office) -> None:
    """A lost ledger knows of no question; a run for some videos asks none; a lost answer took nothing."""
    office.init()
    office.rows(*FIVE, action="request")
    office.sync()
    office.allow(5)
    office.forget()
    assert (office.sync(), office.ordered()) == (3, [])
    office.allow(5)
    assert (office.sync(*(word for video in FIVE for word in ("--video", video))), office.ordered()) == (3, [])
    office.world.faults.add("sheets.batchUpdate", fault="lost_after")
    assert (office.sync(), office.ordered()) == (1, [])
    assert (office.sync(), office.ordered()) == (3, [])
    office.allow(5)
    assert (office.sync(), office.ordered()) == (0, list(FIVE))


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
    assert (office.sync(), office.ordered()) == (0, ["vid-w", "vid-x", "vid-y"])
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
AT_SHEET: Settings = {"one": {"max_orders_per_run": 3, "max_orders_at_sheet": 6}}
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
    "cleared one by one": (cleared_one_by_one, LIMITED),
    "allowed at the sheet": (allowed_at_the_sheet, AT_SHEET),
    "allowed and forgotten": (allowed_and_forgotten, AT_SHEET),
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
