"""A token that TikTok does not take: told once, and again when it was well in between; nobody without a token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.inprocess import HttpxTransport
from support.receivers import hook as hook_context
from support.tiktoks import ACCESS
from support.told import Watched

from sheetsync.authorizations import Access
from sheetsync.ledger.store import Ledger
from sheetsync.sync.report import Report
from sheetsync.tiktok.client import TikTok

VIDEO, TROUBLE = "vid-1", ("TikTok does not let us look", "")


class Asked(Watched):
    def sync(self, ledger: Ledger | None = None, **wanted: Any) -> Report:
        def client(access: Access, clock: Any) -> TikTok:
            return TikTok(access, clock, HttpxTransport(self.world.handle, self.clock.sleep))

        return super().sync(ledger, tiktok=client, **wanted)


@pytest.fixture(name="bench")
def _bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hook_context() as hook:
        bench = Asked(VIDEO, to=hook, settings={"tiktok": ACCESS})
        bench.run()
        bench.coded(VIDEO)
        bench.told()
        yield bench


def test_one_alert_for_as_long_as_it_is_so(bench: Asked) -> None:
    """An expired token, noticed by many runs; then a new one; then that one expires."""
    bench.world.faults.add("tiktok", fault="401", times=999)
    told = []
    for _ in range(30):
        bench.later(hours=3)
        assert bench.run() == 0
        told += bench.told()
    assert told == [TROUBLE]
    bench.world.faults.clear()
    bench.later(days=1)
    bench.run()
    assert bench.told() == []
    bench.world.faults.add("tiktok", fault="401", times=999)
    bench.later(days=1)
    bench.run()
    assert bench.told() == [TROUBLE]


def test_its_words_hold_no_token(bench: Asked) -> None:
    bench.world.faults.add("tiktok", fault="403", times=999)
    bench.later(days=1)
    bench.run()
    text = str(bench.news())
    assert "tiktok.access_token" in text
    assert ACCESS.access_token not in text


def test_a_tracker_from_which_the_token_was_taken(bench: Asked) -> None:
    """There is no trouble where nobody is asked."""
    bench.world.faults.add("tiktok", fault="401", times=999)
    bench.later(days=1)
    bench.sync()
    bench.tracker = bench.tracker.__class__("acme", bench.book.id, "Tracker")
    bench.run()
    assert bench.told() == []
