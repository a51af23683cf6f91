"""The wider world: groups of moves that are switched on by name, beside those that every history draws from.

A switch is the world of one hole (issue 9); a group is several. `of("money")` says which switches a name stands for.
Each switch has rules (as in people.py and outside.py), how often a step of it comes, which rules may strike a run, and
scenes: steps drawn together, because drawn one by one they would hardly ever meet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from histories import moves, people
from histories.beside import Beside
from histories.desk import ACTION, KEY, Desk
from sheetsync.projection import figures, summary
from sheetsync.sandbox.faults import FAULTS
from sheetsync.sandbox.wire import Request

Step = tuple[Any, ...]
NUMBER = 1000

HOLES = {
    **{"claims": 1, "balance": 2, "limit": 3, "price": 4, "stale": 5, "chosen": 2},
    **{"headers": 6, "protected": 7, "suspend": 8, "clocks": 9, "formulas": 10, "refills": 10},
    **{"merged": 11, "filtered": 11, "displaced": 11, "tabs": 12, "above": 13, "undone": 14, "strays": 15, "boxes": 15},
    **{"adopted": 16, "starvation": 17, "ill": 18, "dripping": 19, "trackers": 20, "refusals": 23},
    **{"allowed": 30, "tables": 31},
}
"""The hole of issue 9 that a switch opens (30: issue 10, 31: 11); violations of it have 100 and the number."""

GROUPS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "money": tuple(switch for switch, hole in HOLES.items() if hole <= 10 or hole == 16),
    "cells": tuple(switch for switch, hole in HOLES.items() if 11 <= hole <= 15),
    "availability": tuple(switch for switch, hole in HOLES.items() if 17 <= hole < 30),
}

Rule = tuple[Callable[..., None], int, int]


@dataclass(frozen=True, slots=True)
class Switch:
    """The world of one hole: `rules` as (function, numbers, how often), which of them strike a run, drawn scenes."""

    rules: Mapping[str, Rule] = field(default_factory=dict)
    strikes: tuple[str, ...] = ()
    scenes: tuple[Callable[[random.Random], list[Step]], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    prepare: Callable[[Desk], None] | None = None


def number(rng: random.Random) -> int:
    """A number of a step."""
    return rng.randrange(NUMBER)


def fault(name: str) -> Step:
    """A fault by its name."""
    return ("fault", FAULTS.index(name))


def sync(*strikes: Step, machine: int = 0) -> Step:
    """A run, struck."""
    return ("sync", machine, 1, strikes)


def wanted(rng: random.Random) -> list[Step]:
    """Somebody wants something, more than a minute after whatever was before."""
    return [("mark", number(rng), rng.randrange(2)), ("jump", 1)]


def _killed_claim(rng: random.Random) -> list[Step]:
    """A run is killed with its claim in the sheet; while the next one observes, the mark goes."""
    n, last = number(rng), rng.choice(("unmark", "unmark", "delete", "sharing"))
    gone: Step = (last, 0) if last == "sharing" else (last, n)
    kill: Step = ("portal.order", 0, "before", ("crash",))
    poll = rng.randrange(3)
    strikes: list[Step] = [("portal.poll", poll, "after", gone), ("portal.poll", poll, "after", ("wait", 2))]
    return [("mark", n, 0), ("edit", n, 8), sync(kill), ("jump", 1), sync(*strikes)]


def _old_claim(rng: random.Random) -> list[Step]:
    """Several orders on one claim: while the first ones take their time, the mark of a later one goes."""
    n = number(rng)
    poll = rng.randrange(3, 8)
    gone = rng.choice((("unmark", n), ("delete", n), ("edit", n, 7)))
    strikes = [("portal.poll", poll, "after", gone), ("portal.poll", poll, "after", ("wait", number(rng)))]
    return [("fill_down", 0), ("jump", 1), sync(*strikes)]


def _spent_meanwhile(rng: random.Random) -> list[Step]:
    """Somebody spends in the dashboard while a run orders."""
    at = rng.choice(("portal.order", "portal.poll"))
    strike = (at, rng.randrange(3), "after", ("spend_elsewhere", number(rng)))
    return [("credits_left", number(rng)), ("fill_down", number(rng)), ("jump", 1), sync(strike)]


def _lost_and_spent(rng: random.Random) -> list[Step]:
    """An order's end is not known, and the next answer tells that somebody spent elsewhere."""
    lost: Step = ("portal.order", 0, "before", fault(rng.choice(("lost_before", "500"))))
    spent: Step = ("portal.order", 1, "before", ("spend_elsewhere", number(rng)))
    return [("fill_down", 0), ("credits_left", number(rng)), ("jump", 1), sync(lost, spent)]


def _some_chosen(rng: random.Random) -> list[Step]:
    """The end of an order is not known; then a run is for another video alone, and the credits are few."""
    n, other = rng.randrange(4), rng.randrange(4)
    lost: Step = ("portal.order", 0, "before", fault(rng.choice(("lost_before", "lost_after", "500"))))
    wished: list[Step] = [(name, at, word) for at in (n, other) for name, word in (("mark", 0), ("edit", 8))]
    return [*wished, ("jump", 1), ("choose", n), sync(lost), ("credits_left", number(rng)), ("choose", other), sync()]


def _many_marks(rng: random.Random) -> list[Step]:
    """Too many, of which a run may hear about a few only."""
    silent: list[Step] = [("portal.poll", rng.randrange(1, 4), "before", ("mute", number(rng)))] * rng.randrange(2)
    return [("credits_left", number(rng)), ("fill_down", 0), ("jump", 1), sync(*silent), ("jump", 1), sync()]


def _dearer(rng: random.Random) -> list[Step]:
    return [("price_is", number(rng)), *wanted(rng), sync(), *wanted(rng), sync(machine=rng.randrange(2))]


def _lagging(rng: random.Random) -> list[Step]:
    """A code is renewed, and soon after a replica that lags is asked."""
    n = number(rng)
    again = rng.choice((0, 0, 1))
    strike = ("portal.poll", rng.randrange(3), "before", ("stale", n))
    renewed = [("mark", n, 0), ("jump", 1), sync(), ("code", DONE), ("jump", 1), sync(), ("mark", n, 1), ("jump", 1)]
    return [*renewed, sync(), ("jump", 1), *[("mark", n, 1)] * again, ("stale", n), sync(strike)]


def _suspended(rng: random.Random) -> list[Step]:
    """A machine sleeps after a look at TokPortal; meanwhile another one may order the same."""
    at = rng.randrange(8)
    sleep: Step = ("portal.poll", at, "after", ("suspend", number(rng)))
    other: Step = ("portal.poll", at, "after", ("sync", 1, 1, ()))
    later: list[Step] = [("portal.poll", at, "after", ("suspend", 1)), ("portal.poll", at, "after", ("manager", 0, 1))]
    finished = [*later, ("portal.poll", at, "after", ("suspend", 1)), ("portal.poll", at, "after", ("manager", 0, 2))]
    strikes = [[sleep], [sleep, other], [other, sleep], [other, *finished]]
    return [*wanted(rng), sync(*rng.choice(strikes))]


def _clock_back(rng: random.Random) -> list[Step]:
    """A clock is set back in mid-run, and a mark withdrawn; or after an order of which nobody knows what became."""
    n, machine = number(rng), rng.randrange(2)
    if rng.random() < 0.5:
        poll = rng.randrange(6)
        strikes = [("portal.poll", poll, "after", step) for step in (("clock", machine, 0), ("unmark", n), ("wait", 2))]
        return [("clock", machine, 5), ("mark", n, 0), ("jump", 1), sync(*strikes, machine=machine)]
    lost: Step = ("portal.order", 0, "before", fault(rng.choice(("lost_before", "lost_after", "500"))))
    return [*wanted(rng), sync(lost, machine=machine), ("clock", machine, number(rng)), ("jump", 1), sync()]


def _by_formula(rng: random.Random) -> list[Step]:
    """A mark made by a formula is served, delivered, and looked at again."""
    n = number(rng)
    first = rng.choice(([("formula", n, 0)], [("mark", n, 0), ("jump", 1), sync(), ("code", DONE), ("formula", n, 1)]))
    return [*first, ("jump", 1), sync(), ("code", DONE), ("jump", 1), sync(), ("jump", 1), sync()]


def _put_back(rng: random.Random) -> list[Step]:
    """A mark that cannot be cleared is served, delivered, and looked at again; perhaps nobody sees what clears it."""
    n = number(rng)
    unseen: list[Step] = [(WRITE, 1, "before", fault("lost_after")), (WRITE, 1, "after", ("crash",))]
    strikes = rng.sample(unseen, rng.randrange(2))
    first = [("mark", n, 0), ("jump", 1), sync(), ("code", DONE), ("jump", 1), sync(), ("refill", n, 1), ("jump", 1)]
    return [*first, sync(*strikes), ("code", DONE), ("jump", 1), sync(), ("jump", 1), sync()]


def _retyped(rng: random.Random) -> list[Step]:
    """A video is served; then another row gets its id, and a mark."""
    n, other, which = number(rng), number(rng), rng.randrange(len(people.KEYS))
    done: list[Step] = [("code", DONE), ("jump", 1), sync()] * rng.randrange(2)
    served = [("rekey", n, which), ("mark", n, 0), ("edit", n, 8), ("jump", 1), sync(), *done]
    gone: list[Step] = [("delete", n)] * rng.randrange(2)
    return [*served, *gone, ("rekey", other, which), ("mark", other, rng.randrange(2)), ("jump", 1), sync()]


def _kept_from_writing(rng: random.Random) -> list[Step]:
    return [*wanted(rng), ("protect", number(rng)), sync(), *[("unprotect",)] * rng.randrange(2)]


def _unapproved(rng: random.Random) -> list[Step]:
    back: list[Step] = [("name_back",)] * rng.randrange(2)
    return [("mark", number(rng), 0), ("edit", number(rng), 7), ("rename_gate",), ("jump", 1), sync(), *back]


def _summary(desk: Desk) -> None:
    """The Summary tab, as `init` makes it."""
    desk.book.add_sheet(desk.tracker.summary_tab).set_value(0, 0, summary.title(desk.tracker))


def _both_blocks(desk: Desk) -> None:
    """The Summary tab with its second block; runs fill in the words."""
    _summary(desk)
    desk.book.sheet(desk.tracker.summary_tab).set_value(0, figures.LEFT, figures.title(desk.tracker))


def _allowed(rng: random.Random) -> list[Step]:
    """All rows are marked, Summary asks, somebody types; something happens, and the next run may order."""
    asked: list[Step] = [("fill_down", 0), ("jump", 1), sync(), ("allow", number(rng)), ("jump", 1)]
    other: list[Step] = [("rekey", number(rng), number(rng))]
    copied: list[Step] = [("save", 0), ("restore", 0)]
    changed: tuple[list[Step], ...] = ([("mark", number(rng), 1)], [("delete", number(rng))], [("lose", 0)])
    between = rng.choice(([], [], *changed, other, copied))
    at, when = rng.choice((WRITE, "portal.order", "*")), rng.choice(("before", "after"))
    what = rng.choice((("crash",), ("allow", number(rng)), fault("lost_after"), ("sort", number(rng), 0)))
    struck = sync(*[(at, rng.randrange(4), when, what)] * rng.randrange(2), machine=rng.randrange(4) // 3)
    return [*asked, *between, struck, ("jump", 1), sync(), ("jump", 1), sync()]


def _slow_portal(desk: Desk) -> None:
    """Each poll takes a second, and a run has three."""
    desk.poll_seconds = 3

    def takes_time(moment: str, index: int, kind: str, request: Request) -> None:
        if kind == "portal.poll" and moment == "before" and desk.poll_seconds == 3:
            desk.later(1)

    desk.world.hooks.append(takes_time)


def _ill_rows(desk: Desk) -> None:
    """Five rows at the top, marked, of which TokPortal tells nothing."""
    for n in range(5):
        desk.portal.ill.add(f"ill-{n}")
        row = desk.new_row({KEY: f"ill-{n}", "Caption final": True}, 1)
        desk.judge.wished(row, "request")
        desk.type(row, ACTION, "request")


def _second_tracker(desk: Desk) -> None:
    """The config has another tracker, too."""
    desk.beside = Beside(desk)


def _days(rng: random.Random) -> list[Step]:
    """Rows wait for long, and beside them others for less."""
    waits: list[Step] = [("mark", number(rng), rng.randrange(3)) for _ in range(rng.randrange(1, 6))]
    return [*waits, ("jump", 1), *([sync(), ("jump", 1)] * 13)]


def _lacking(rng: random.Random) -> list[Step]:
    """What an order needs is missing at TokPortal."""
    n = rng.randrange(5)
    return [("video", n, number(rng)), ("mark", n, 0), ("jump", 1), sync(), ("jump", 1), sync()]


def _beside(rng: random.Random) -> list[Step]:
    """Something is the matter with the other tracker, while both have marks."""
    marks: list[Step] = [("side_mark", number(rng), number(rng)), *wanted(rng)]
    ill = rng.choice((("side_ill", number(rng), number(rng)), ("sharing", 0), ("rename", number(rng))))
    return [*marks, ill, sync(machine=rng.randrange(2)), *[("side_well",)] * rng.randrange(2), ("jump", 1), sync()]


def _silenced(rng: random.Random) -> list[Step]:
    """Some rows wait, and in mid-run nothing answers any more; in the next run it is the same, or all is well."""
    at = rng.choice(("*", "portal.poll", "portal.order", WRITE))
    strike: Step = (at, rng.randrange(6), "before", ("silence", number(rng), number(rng)))
    marks: list[Step] = [("mark", number(rng), rng.randrange(2)) for _ in "abc"]
    return [*marks, ("jump", 1), sync(strike), ("jump", 1), sync()]


WRITE = "sheets.batchUpdate"


def _low(rng: random.Random) -> list[Step]:
    return [*wanted(rng), sync((WRITE, rng.randrange(2), "before", ("displace",)))]


def _inserted_and_undone(rng: random.Random) -> list[Step]:
    """A column comes in the gap of a write, its answer is lost, and the person takes the column back."""
    at = rng.randrange(2)
    come: Step = (WRITE, at, "before", ("insert_column", number(rng), 1))
    ends: Step = rng.choice(((WRITE, at, "before", fault("lost_after")), (WRITE, at, "after", ("crash",))))
    undone: list[Step] = [(WRITE, at, "after", ("undo_column",))]
    return [("mark", number(rng), rng.randrange(2)), ("jump", 1), sync(come, *undone, ends), ("jump", 1), sync()]


def _row_above(rng: random.Random) -> list[Step]:
    """A row comes above the headers in the gap of a write, and goes again soon after, or later."""
    at = rng.randrange(2)
    undone: list[Step] = [(WRITE, at, "after", ("undo_row_above",))] * rng.randrange(2)
    strikes = [(WRITE, at, "before", ("row_above",)), *undone]
    return [("mark", number(rng), 0), ("jump", 1), sync(*strikes), ("jump", 1), sync(), ("undo_row_above",), sync()]


def _month_ends(rng: random.Random) -> list[Step]:
    """The tab is put away and a copy of it goes on, while a run is at work; then rows move in the copy."""
    at, first = rng.randrange(2), rng.choice(("before", "before", "after"))
    moved = rng.choice((("sort", 6, 1), ("insert", 0, 0, 0), ("delete", number(rng)), ("move", number(rng), 0)))
    swapped: Step = rng.choice(((WRITE, at, first, ("swap_tab",)), ("portal.poll", at, "after", ("swap_tab",))))
    return [*wanted(rng), sync(swapped, (*swapped[:3], moved)), ("jump", 1), sync(), ("jump", 1), sync()]


def _two_kills(rng: random.Random) -> list[Step]:
    """A run is killed as its write lands beside a new row; so is the next one, whose repair meets a new column."""
    row: Step = (WRITE, 0, "before", ("insert", rng.randrange(4), EMPTY_KEY, 0))
    column: Step = (
        WRITE,
        0,
        "before",
        rng.choice((("insert_column", number(rng), 1), ("move_column", 2, number(rng)))),
    )
    kill: Step = (WRITE, 0, "after", ("crash",))
    return [*wanted(rng), sync(row, kill), ("jump", 1), sync(column, *[kill] * rng.randrange(2)), ("jump", 1), sync()]


def _merged(rng: random.Random) -> list[Step]:
    """Cells are merged before a run, or in the gap of its write, and a code comes; later they are cells again."""
    n, again = number(rng), [("jump", 1), sync()]
    cells: Step = ("merge", n, number(rng), number(rng))
    first = rng.choice(
        ([cells, sync()], [sync((WRITE, rng.randrange(2), "before", cells))], [sync(), ("code", DONE), cells])
    )
    return [("mark", n, 0), ("jump", 1), *first, *again, ("code", DONE), *again, *again, ("unmerge",), *again]


def _as_a_table(rng: random.Random) -> list[Step]:
    """The tab becomes a table, before a run or in the gap of its write; a code comes, and later it is no table."""
    n, again = number(rng), [("jump", 1), sync()]
    made: Step = ("table", number(rng), number(rng))
    moved: Step = rng.choice((("insert", 0, EMPTY_KEY, 0), ("move_column", 2, number(rng)), ("sort", 6, 1), made))
    strikes = [(WRITE, rng.randrange(2), "before", step) for step in (made, moved)]
    first = rng.choice(([made, sync()], [sync(*strikes)], [made, sync(strikes[1])]))
    return [("mark", n, 0), ("jump", 1), *first, *again, ("code", DONE), *again, ("mark", n, 1), *again, ("untable",)]


def _through_a_filter(rng: random.Random) -> list[Step]:
    """Rows are sorted through a filter in the gap of a write."""
    at = rng.randrange(2)
    hides: Step = ("filter_rows", number(rng), number(rng))
    strikes = [(WRITE, at, "before", hides), (WRITE, at, "before", ("sort_shown", number(rng), number(rng)))]
    return [hides, ("fill_shown", number(rng)), ("jump", 1), sync(*strikes[rng.randrange(2) :]), ("jump", 1), sync()]


def _boxes(desk: Desk) -> None:
    """Below the last row the column that approves has boxes, too: their cells say FALSE."""
    for line in range(desk.sheet.rows_used, desk.sheet.rows_used + 4):
        desk.sheet.set_value(line, desk.column("Caption final"), False)


def _shifted(rng: random.Random) -> list[Step]:
    """Rows go, or come, in the gap of a write; it lands in rows that are still to be filled in."""
    gone: Step = rng.choice((("delete", number(rng)), ("delete", 0), ("sort", number(rng), number(rng))))
    strikes = [(WRITE, rng.randrange(2), "before", gone), (WRITE, rng.randrange(3), "after", ("crash",))]
    return [*wanted(rng), *wanted(rng), sync(*strikes[: 1 + rng.randrange(2)]), ("jump", 1), sync()]


WAIT: dict[str, Rule] = {"wait": (moves.wait, 1, 0)}
FILL: dict[str, Rule] = {"fill_down": (moves.fill_down, 1, 2), "credits_left": (moves.credits_left, 1, 2)}
SWITCHES: dict[str, Switch] = {
    "claims": Switch({**WAIT, "fill_down": (moves.fill_down, 1, 1)}, ("wait",), (_killed_claim, _old_claim)),
    "balance": Switch(
        {**FILL, "spend_elsewhere": (moves.spend_elsewhere, 1, 2)},
        ("spend_elsewhere",),
        (_spent_meanwhile, _lost_and_spent),
        {"keep_credits": 14},
    ),
    "limit": Switch({**FILL, "mute": (moves.mute, 1, 1)}, ("mute",), (_many_marks,), {"max_orders_per_run": 2}),
    "price": Switch({"price_is": (moves.price_is, 1, 2)}, ("price_is",), (_dearer,), prepare=_summary),
    "stale": Switch({"stale": (moves.stale, 1, 4)}, ("stale",), (_lagging,)),
    "headers": Switch({"rename_gate": (moves.rename_gate, 0, 2)}, ("rename_gate",), (_unapproved,)),
    "protected": Switch(
        {
            "protect": (moves.protect, 1, 1),
            "protect_row": (moves.protect_row, 1, 3),
            "unprotect": (moves.unprotect, 0, 3),
        },
        ("protect", "protect_row", "unprotect"),
        (_kept_from_writing,),
    ),
    "suspend": Switch({"suspend": (moves.suspend, 1, 0)}, ("suspend",), (_suspended,)),
    "clocks": Switch({"clock": (moves.clock, 2, 3), **WAIT}, ("clock",), (_clock_back,)),
    "formulas": Switch({"formula": (moves.formula, 2, 3)}, ("formula",), (_by_formula,)),
    "allowed": Switch(
        {**FILL, "allow": (moves.allow, 1, 4), "mute": (moves.mute, 1, 1)},
        ("allow", "mute"),
        (_allowed,),
        {"max_orders_per_run": 2, "max_orders_at_sheet": 9},
        _both_blocks,
    ),
    "chosen": Switch({**FILL, "choose": (moves.choose, 1, 6)}, (), (_some_chosen,)),
    "refills": Switch({"refill": (moves.refill, 2, 3)}, ("refill",), (_put_back,)),
    "adopted": Switch({}, (), (_retyped,)),
}
SWITCHES |= {
    "starvation": Switch({"fill_down": (moves.fill_down, 1, 1)}, (), (_days,), prepare=_slow_portal),
    "ill": Switch({}, (), (_days,), prepare=_ill_rows),
    "dripping": Switch({"silence": (moves.silence, 2, 3)}, ("silence",), (_silenced,)),
    "refusals": Switch({}, (), (_lacking,)),
    "trackers": Switch(
        {
            "side_mark": (moves.side_mark, 2, 5),
            "side_ill": (moves.side_ill, 2, 3),
            "side_well": (moves.side_well, 0, 2),
        },
        ("side_mark", "side_ill"),
        (_beside,),
        prepare=_second_tracker,
    ),
}
SWITCHES |= {
    "displaced": Switch({"displace": (moves.displace, 0, 0)}, ("displace",), (_low,)),
    "tabs": Switch(
        {
            "swap_tab": (moves.swap_tab, 0, 1),
            "rename_tab": (moves.rename_tab, 1, 1),
            "tab_back": (moves.tab_back, 0, 4),
        },
        ("swap_tab", "rename_tab", "tab_back"),
        (_month_ends,),
    ),
    "above": Switch(
        {"row_above": (moves.row_above, 0, 0), "undo_row_above": (moves.undo_row_above, 0, 8)},
        ("row_above", "undo_row_above"),
        (_row_above,),
    ),
    "undone": Switch({"undo_column": (moves.undo_column, 0, 1)}, ("undo_column",), (_inserted_and_undone,)),
    "strays": Switch({}, (), (_two_kills,)),
    "merged": Switch(
        {"merge": (moves.merge, 3, 5), "unmerge": (moves.unmerge, 0, 4)}, ("merge", "unmerge"), (_merged,)
    ),
    "boxes": Switch({}, (), (_shifted,), prepare=_boxes),
    "tables": Switch({"table": (moves.table, 2, 4), "untable": (moves.untable, 0, 1)}, ("table",), (_as_a_table,)),
    "filtered": Switch(
        {
            "filter_rows": (moves.filter_rows, 2, 4),
            "unfilter": (moves.unfilter, 0, 1),
            "sort_shown": (moves.sort_shown, 2, 4),
            "fill_shown": (moves.fill_shown, 1, 2),
        },
        ("filter_rows", "unfilter", "sort_shown"),
        (_through_a_filter,),
    ),
}
EMPTY_KEY = people.KEYS.index("")
DONE = 30  # a number with which a code is handed in and finished
SCENE = 12  # how often the scenes of a switch come, beside 44 runs
ASLEEP = ("wait", "suspend")
"""Rules that no program can meet between its last look and the bytes on the wire: listed under Not promised."""


def of(names: str | Iterable[str]) -> frozenset[str]:
    """The switches that names stand for, separated by commas. Raises ValueError."""
    found: set[str] = set()
    for name in names.split(",") if isinstance(names, str) else names:
        if name not in GROUPS and name not in SWITCHES and name:
            raise ValueError(f"there is no world {name!r}: {', '.join((*GROUPS, *SWITCHES))}")
        found |= set(GROUPS.get(name, (name,) if name else ()))
    return frozenset(found)


def rules(world: Iterable[str]) -> dict[str, Rule]:
    """All rules of a world."""
    return {name: rule for switch in sorted(world) for name, rule in SWITCHES[switch].rules.items()}


RULES = rules(SWITCHES)


def settings(world: Iterable[str]) -> dict[str, Any]:
    """How the tracker is configured in a world."""
    return {name: value for switch in sorted(world) for name, value in SWITCHES[switch].settings.items()}
