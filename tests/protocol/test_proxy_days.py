"""Days drawn from a seed, under the judge at the proxy: people, managers, faults and prices, between runs and in them.

What each order has to keep is `support/proxy_judge.py`'s; here is only what people do. A day that fails is played again
by its seed, which is the test's name.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.office import Office, opened

from sheetsync.sandbox import people
from sheetsync.sandbox.tokportal.refused import Refused

pytestmark = pytest.mark.long

TRACKERS: dict[str, dict[str, Any]] = {
    "one": {"max_orders_per_run": 3, "keep_credits": 7, "require": ["creator"]},
    "two": {"max_orders_per_run": 2, "columns": {"caption_final": "Approved", "note": "Message"}},
}
VIDEOS = {"one": ("vid-a", "vid-b", "vid-c", "vid-d", "vid-e"), "two": ("vid-w", "vid-x", "vid-y", "vid-z")}
RUNS = 10

Edit = Callable[[Office], None]


class Day:
    """What comes next, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def video(self) -> tuple[str, str]:
        tab = self.rng.choice(list(TRACKERS))
        return self.rng.choice(VIDEOS[tab]), tab

    def typed(self) -> Edit:
        """Somebody types into a cell."""
        video, tab = self.video()
        key, value = self.rng.choice(
            [("action", "request")] * 6
            + [("action", "renew")] * 3
            + [("action", ""), ("action", "Request "), ("note", "a note"), ("note", "x" * 501), ("platform", "TikTok")]
            + [("caption_final", False), ("caption_final", True), ("sound_cleared", ""), ("sound_cleared", True)]
            + [("creator", ""), ("creator", "@ann"), ("platform", "toktik"), ("platform", "")]
        )
        return lambda office: office.type(video, key, value, tab)

    def moved(self) -> Edit:
        """Rows move."""
        (video, tab), at = self.video(), self.rng.randrange(2, 6)
        header = "Video ID"
        return self.rng.choice(
            [
                lambda office: people.sort_rows(office.world, office.book, tab, header, at % 2 == 0),
                lambda office: people.move_row(office.world, office.book, tab, video, at),
                lambda office: people.insert_row(office.world, office.book, tab, at),
                lambda office: people.insert_column(office.world, office.book, tab, "Status"),
            ]
        )

    def at_tokportal(self) -> Edit:
        """Managers work, somebody spends or orders in the dashboard."""
        (video, _), amount = self.video(), self.rng.randrange(1, 20)
        return self.rng.choice(
            [
                *[lambda office: office.world.portal.manager_work()] * 3,
                lambda office: office.world.portal.cancel(video),
                lambda office: office.world.portal.order_elsewhere(video),
                lambda office: office.world.portal.spend_elsewhere(amount),
                lambda office: setattr(office.world.portal, "credits", amount * 7),
            ]
        )

    def anything(self) -> Edit:
        draw = self.rng.choices([self.typed, self.moved, self.at_tokportal], [6, 1, 3])[0]
        return self.possible(draw())

    def possible(self, edit: Edit) -> Edit:
        """What cannot be done just now is not done."""

        def do(office: Office) -> None:
            with suppress(LookupError, Refused):
                edit(office)

        return do

    def strike(self, office: Office) -> None:
        """Something happens in the next run, or a call goes wrong."""
        kind = self.rng.choice(("portal.order", "portal.order", "portal.poll", "sheets.batchUpdate", "values.batchGet"))
        nth, when = self.rng.randrange(1, 4), self.rng.choice(("before", "after"))
        if self.rng.random() < 0.4:
            office.world.faults.add(kind, nth, self.rng.choice(("lost_before", "lost_after", "500", "garbled", "429")))
            return
        edit = self.anything() if self.rng.random() < 0.7 else lambda office: office.later(self.seconds())
        office.world.faults.edit(kind, nth, when, lambda _: edit(office))

    def seconds(self) -> int:
        return self.rng.choice((20, 50, 61, 200))

    def run(self, office: Office) -> None:
        """Some edits, then a run that is struck or not."""
        for _ in range(self.rng.randrange(2, 7)):
            self.anything()(office)
        for _ in range(self.rng.randrange(3)):
            self.strike(office)
        if self.rng.random() < 0.08:
            office.world.portal.price = self.rng.choice((5, 7, 9))
            office.world.portal.tells_price = self.rng.random() < 0.8
        office.later(self.seconds())
        office.sync(*self.rng.choice(((), (), (), (), (), ("--allow-orders", "5"), ("--accept-price", "9"))))
        office.world.faults.clear()


@pytest.mark.parametrize("seed", range(8))
def test_a_day(tmp_path: Path, seed: int) -> None:
    """No order of the day breaks a rule, each was charged at most once, and orders there were."""
    day = Day(seed)
    with opened(tmp_path, **TRACKERS) as office:
        office.world.portal.credits = 200
        for tab, videos in VIDEOS.items():
            office.rows(*videos, tab=tab, creator="@ann", action=day.rng.choice(("", "request")))
        for _ in range(RUNS):
            day.run(office)
            assert office.judge.breaches == []
        keys = Counter(
            request.idempotency_key for request in office.world.portal.requests if request.ordered_by == "api"
        )
        assert office.judge.orders >= len(keys) > 0
        assert set(keys.values()) == {1}
