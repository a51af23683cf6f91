"""A run that a number in the Summary tab allows to order is killed, anywhere: the number is used once, or not at all.

The ledger is kept, lost, or brought back from a copy that was made while the number was being typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from support import ledgers
from support.fragile import Fragile
from support.init_bench import InitBench
from support.story import Crash

from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.wire import Request

pytestmark = pytest.mark.long

VIDEOS = ("vid-a", "vid-b", "vid-c")
LIMIT = 1
STATES = ("kept", "lost", "old")


class Desk(InitBench):
    """Three rows are marked, a run may order one; Summary has asked, and the number is typed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(max_orders_per_run=LIMIT, max_orders_at_sheet=9)
        folder.mkdir()
        self.path = folder / "state.db"
        self.ledger = Ledger(ledgers.at(self.path), durable=False)
        self.init()
        for video in VIDEOS:
            self.add_row(video, "request")
        self.sync()
        self.allow()
        self.ledger.close()
        self.saved = ledgers.read(self.path)
        self.restart("kept")

    def allow(self) -> None:
        """Somebody types the number that Summary asks for."""
        self.summary.set_value(6, 10, self.says("K6"))
        self.later(minutes=2)

    def restart(self, state: str) -> None:
        """The process begins anew, with such a ledger."""
        self.ledger.close()
        if state != "kept":
            ledgers.write(self.path, self.saved if state == "old" else None)
        self.ledger = Ledger(ledgers.at(self.path), durable=False)

    def posts(self) -> int:
        return self.kinds().count("portal.order")

    def wrong_after(self, state: str) -> Iterator[str]:
        """The next runs: what they order without a new number, and that a new one brings the rest."""
        sent = self.posts()
        self.restart(state)
        for _ in range(2):
            self.later(minutes=2)
            before = self.posts()
            typed, offered = self.says("K7"), self.ledger.offer("acme")
            self.sync()
            may = offered.orders if offered and typed == offered.orders and not sent else LIMIT
            if self.posts() - before > may:
                yield f"{self.posts() - before} orders, {may} were allowed"
        for _ in range(4):
            if self.says("K6"):
                self.allow()
            elif all(map(self.charged, VIDEOS)):
                break
            self.later(minutes=2)
            self.sync()
        charged = {video: self.charged(video) for video in VIDEOS}
        if charged != dict.fromkeys(VIDEOS, 7):
            yield f"charged {charged}"
        if [self.says(place) for place in ("K6", "K7")] != [None, None]:
            yield f"Summary still says {self.says('K6')}, {self.says('K7')}"


def killed(desk: Desk, index: int, moment: str) -> str:
    """A run that is killed at its call number `index`; the kind of that call, or "" if it never came."""
    start, struck = len(desk.world.calls), ""

    def kill(when: str, at: int, kind: str, request: Request) -> None:
        nonlocal struck
        if when == moment and at - start == index:
            struck = kind
            raise Crash

    desk.world.hooks.append(kill)
    with suppress(Crash):
        desk.sync()
    desk.world.hooks.remove(kill)
    return struck


def killed_between_commits(desk: Desk, index: int, moment: str) -> str:
    fragile = Fragile(desk.ledger, index, moment)
    with suppress(Crash):
        desk.sync(cast(Ledger, fragile))
    return fragile.struck


@pytest.mark.parametrize("kill", [killed, killed_between_commits])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("state", STATES)
def test_killed_anywhere(tmp_path: Path, kill: Callable[[Any, int, str], str], moment: str, state: str) -> None:
    problems, points, struck = [], 0, set()
    for index in range(100):
        desk = Desk(tmp_path / str(index))
        kind = kill(desk, index, moment)
        if not kind:
            break
        points += 1
        struck.add(kind)
        problems += [f"killed {moment} {kind} ({index}), {state}: {wrong}" for wrong in desk.wrong_after(state)]
        desk.ledger.close()
    assert points >= 15
    assert struck >= ({"withdraw_offer", "begin"} if kill is killed_between_commits else {"portal.order"})
    assert problems == []
