"""Histories that went wrong before a hole of issue 9 was mended: `python -m tests.soak --red` plays them.

Each is shrunk, so that it stays what it was whatever the rules draw later; `seed` is where it was found first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Story:
    """A history, the switches of the world it needs, and what was wrong; `muted` invariants are not looked at."""

    hole: int
    what: str
    world: str
    seed: int
    invariant: int
    steps: tuple[tuple[Any, ...], ...]
    muted: frozenset[int] = frozenset()


RED: tuple[Story, ...] = (
    Story(
        1,
        "no claim of this run",
        "claims",
        3,
        101,
        (("mark", 888, 0), ("sync", 0, 1, (("portal.order", 0, "before", ("crash",)),))),
    ),
    Story(
        1,
        "mark withdrawn",
        "claims",
        2,
        101,
        (
            ("mark", 535, 0),
            ("sync", 0, 1, (("portal.poll", 1, "after", ("unmark", 535)), ("portal.poll", 1, "after", ("wait", 2)))),
        ),
    ),
    Story(
        1,
        "unshared",
        "claims",
        7,
        101,
        (
            ("mark", 955, 0),
            ("sync", 0, 1, (("portal.poll", 1, "after", ("sharing", 0)), ("portal.poll", 1, "after", ("wait", 2)))),
        ),
    ),
    Story(
        2,
        "keep_credits",
        "balance",
        3,
        102,
        (
            ("credits_left", 585),
            ("fill_down", 582),
            ("sync", 0, 1, (("portal.poll", 2, "after", ("spend_elsewhere", 926)),)),
        ),
    ),
    Story(3, "limit", "limit", 0, 103, (("credits_left", 732), ("fill_down", 0), ("sync", 0, 1, ()))),
    Story(
        4, "another price", "price", 0, 104, (("price_is", 343), ("mark", 756, 0), ("sync", 0, 1, ()), ("mark", 905, 0))
    ),
    Story(
        5,
        "renew swallowed",
        "stale",
        14,
        3,
        (
            ("mark", 702, 0),
            ("sync", 0, 1, ()),
            ("code", 30),
            ("mark", 702, 1),
            ("sync", 0, 1, ()),
            ("mark", 702, 1),
            ("stale", 702),
            ("sync", 0, 68, ()),
        ),
    ),
    Story(
        5,
        "row flipped back",
        "stale",
        16,
        7,
        (
            ("mark", 852, 627),
            ("order_elsewhere", 80),
            ("code", 30),
            ("sync", 1, 867, (("*", 3, "before", ("insert", 941, 118, 106)),)),
            ("mark", 105, 1),
            ("sync", 0, 1, ()),
            ("stale", 105),
            ("sync", 0, 1, ()),
        ),
    ),
    Story(6, "approval renamed", "headers", 1, 106, (("mark", 836, 0), ("rename_gate",), ("sync", 0, 1, ()))),
    Story(7, "protected", "protected", 0, 107, (("mark", 70, 0), ("protect", 695), ("sync", 0, 1, ()))),
    Story(
        8,
        "asleep before the order",
        "suspend",
        2,
        108,
        (("mark", 534, 0), ("sync", 0, 1, (("portal.poll", 1, "after", ("suspend", 772)),))),
    ),
    Story(
        8,
        "charged twice after a sleep",
        "suspend",
        7,
        1,
        (
            ("copy", 431, 40, 985),
            ("mark", 79, 782),
            ("copy", 896, 837, 321),
            ("insert", 276, 485, 713),
            ("mark", 591, 1),
            ("mark", 238, 12),
            ("mark", 128, 0),
            (
                "sync",
                0,
                1,
                (
                    ("portal.poll", 5, "after", ("sync", 1, 1, ())),
                    ("portal.poll", 5, "after", ("suspend", 1)),
                    ("portal.poll", 5, "after", ("manager", 0, 1)),
                    ("portal.poll", 5, "after", ("suspend", 1)),
                    ("portal.poll", 5, "after", ("manager", 0, 2)),
                ),
            ),
        ),
        frozenset({108}),
    ),
    Story(
        9,
        "clock back in mid-run",
        "clocks",
        1,
        109,
        (
            ("mark", 352, 0),
            ("sync", 1, 1, (("portal.poll", 1, "after", ("unmark", 352)), ("portal.poll", 1, "after", ("wait", 2)))),
        ),
    ),
    Story(
        9,
        "clock back between runs",
        "clocks",
        21,
        109,
        (
            ("copy", 846, 397, 205),
            ("insert", 977, 462, 513),
            ("video", 518, 384),
            ("mark", 791, 436),
            ("sync", 0, 488, (("sheets.batchUpdate", 0, "before", ("delete", 142)),)),
            ("mark", 73, 888),
            ("sync", 1, 1, (("portal.order", 0, "before", ("fault", 11)),)),
            ("clock", 1, 909),
        ),
    ),
    Story(10, "mark by a formula", "formulas", 0, 110, (("formula", 195, 0), ("sync", 0, 1, ()))),
    Story(
        10,
        "mark that cannot be cleared",
        "refills",
        0,
        1,
        (("mark", 184, 0), ("sync", 0, 1, ()), ("code", 30), ("refill", 184, 1), ("sync", 0, 1, ()), ("code", 30)),
        frozenset({6}),
    ),
    Story(
        10,
        "a mark that cannot be cleared, beside a duplicate that acts",
        "refills",
        93100149,
        1,
        (
            ("mark", 630, 0),
            ("sync", 0, 1, ()),
            ("code", 30),
            ("refill", 630, 1),
            ("sync", 0, 1, ()),
            ("code", 30),
            ("delete", 415),
            ("rekey", 22, 2),
            ("mark", 22, 0),
        ),
    ),
    Story(
        11,
        "a write lands a row too low",
        "displaced",
        0,
        1,
        (("mark", 858, 0), ("sync", 0, 1, (("sheets.batchUpdate", 0, "before", ("displace",)),))),
    ),
    Story(
        11,
        "a write lands a row too low, another row keeps it",
        "displaced",
        5,
        3,
        (
            ("mark", 121, 0),
            ("sync", 0, 1, (("sheets.batchUpdate", 1, "before", ("displace",)),)),
            ("rekey", 914, 537),
            ("code", 794),
            ("mark", 738, 1),
            ("sync", 0, 1, (("sheets.batchUpdate", 1, "before", ("displace",)),)),
            ("sync", 0, 1, (("sheets.batchUpdate", 0, "before", ("displace",)),)),
        ),
    ),
    Story(
        12,
        "the tab put away, a copy in its place",
        "tabs",
        0,
        112,
        (
            ("mark", 875, 0),
            (
                "sync",
                0,
                1,
                (
                    ("sheets.batchUpdate", 1, "before", ("swap_tab",)),
                    ("sheets.batchUpdate", 1, "before", ("sort", 6, 1)),
                ),
            ),
        ),
    ),
    Story(
        13,
        "a row above the headers, written over",
        "above",
        0,
        7,
        (("mark", 228, 0), ("sync", 0, 1, (("sheets.batchUpdate", 0, "before", ("row_above",)),))),
    ),
    Story(
        13,
        "a row above the headers, taken back",
        "above",
        1,
        3,
        (
            ("mark", 662, 0),
            (
                "sync",
                0,
                1,
                (
                    ("sheets.batchUpdate", 1, "before", ("row_above",)),
                    ("sheets.batchUpdate", 1, "after", ("undo_row_above",)),
                ),
            ),
        ),
    ),
    Story(
        14,
        "a column inserted, the answer lost, taken back",
        "undone",
        0,
        3,
        (
            ("mark", 869, 0),
            (
                "sync",
                0,
                1,
                (
                    ("sheets.batchUpdate", 1, "before", ("insert_column", 534, 1)),
                    ("sheets.batchUpdate", 1, "after", ("undo_column",)),
                    ("sheets.batchUpdate", 1, "before", ("fault", 11)),
                ),
            ),
        ),
    ),
    Story(
        15,
        "stray cells in a row without a video id",
        "strays",
        26,
        115,
        (
            ("insert", 858, 610, 512),
            (
                "sync",
                0,
                1,
                (
                    ("sheets.batchUpdate", 0, "before", ("insert", 3, 7, 0)),
                    ("sheets.batchUpdate", 0, "after", ("crash",)),
                ),
            ),
            ("sync", 0, 1, (("sheets.batchUpdate", 0, "before", ("move_column", 2, 826)),)),
        ),
    ),
    Story(
        15,
        "a debt forgotten",
        "strays",
        1,
        3,
        (
            ("mark", 797, 0),
            (
                "sync",
                0,
                1,
                (
                    ("sheets.batchUpdate", 0, "before", ("insert", 0, 7, 0)),
                    ("sheets.batchUpdate", 0, "after", ("crash",)),
                ),
            ),
            ("sync", 0, 1, (("sheets.batchUpdate", 0, "before", ("insert_column", 449, 1)),)),
        ),
    ),
    Story(
        16,
        "a row retyped to a video that was ordered",
        "adopted",
        1,
        116,
        (("rekey", 672, 4), ("mark", 672, 0), ("sync", 0, 1, ()), ("delete", 672), ("rekey", 279, 4), ("mark", 279, 1)),
    ),
    Story(
        16,
        "the code of an older request, told to a ledger that was lost",
        "adopted",
        184,
        4,
        (
            ("delete", 615),
            ("rekey", 103, 0),
            ("mark", 103, 0),
            ("delete", 234),
            ("sync", 0, 1, ()),
            ("code", 30),
            ("delete", 210),
            ("mark", 923, 0),
            ("sync", 0, 1, ()),
            ("lose", 162),
            ("rekey", 328, 0),
        ),
    ),
    Story(
        5,
        "a retyped row of a lost ledger, silent",
        "",
        9911682,
        7,
        (("mark", 804, 537), ("sync", 0, 779, ()), ("rename", 392), ("rekey", 324, 538), ("restore", 228)),
    ),
    Story(
        17,
        "starved",
        "starvation",
        12,
        117,
        (
            ("mark", 487, 2),
            ("mark", 981, 1),
            ("copy", 970, 274, 937),
            ("mark", 180, 0),
            ("mark", 214, 1),
            ("mark", 637, 1),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
        ),
    ),
    Story(
        18,
        "ill rows at the top",
        "ill",
        1,
        118,
        (
            ("mark", 694, 1),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
            ("sync", 0, 1, ()),
        ),
    ),
    Story(23, "a refused order that waits", "refusals", 0, 123, (("video", 2, 446), ("mark", 2, 0))),
)
