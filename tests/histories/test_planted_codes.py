"""Tests of the tests: bugs about codes and money that the quarter's oracle finds (`test_quarter.py`)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from histories.planting import Patch
from histories.test_quarter import QUARTERS, Quarter
from sheetsync.model import Entry
from sheetsync.plan import marks
from sheetsync.projection import cells, window

pytestmark = pytest.mark.long


def refund_not_deducted(patch: Patch) -> None:
    """Credits charged goes on saying what was given back."""
    patch.setattr(Entry, "cost", property(lambda self: self.credits_charged))


def expiry_of_any_code(patch: Patch) -> None:
    """A date that was typed for one code counts for every later one."""
    patch.setattr(window, "typed_for", lambda context, column, code: context.first.cells.get(column, ""))


def waiting_mark_keeps_the_window(patch: Patch) -> None:
    """A mark that waits freezes all of its row, and so the end of its code passes unseen."""
    patch.setattr(cells, "_frozen_code", lambda *_: {})


def each_duplicate_charged(patch: Patch) -> None:
    """The column does not add up where a row was copied."""
    patch.setattr(cells, "_charged", lambda context: {"credits_charged": context.known.cost(context.row.key) or ""})


def correction_of_an_earlier_code(patch: Patch) -> None:
    """It is taken for one of the latest request."""
    patch.setattr(marks, "_is_of_an_earlier_request", lambda *_: False)


@pytest.mark.parametrize(
    "plant",
    [
        refund_not_deducted,
        expiry_of_any_code,
        waiting_mark_keeps_the_window,
        each_duplicate_charged,
        correction_of_an_earlier_code,
    ],
)
def test_planted_bug_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """Within the quarters that CI lives through."""
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        live_through_them()


def live_through_them() -> None:
    for quarter in QUARTERS:
        Quarter(*quarter).live()
