"""Two service accounts with one ledger: a settings file each, by `sync`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import postgres
from support.command_line import call
from support.fleets import Fleet, fleet

SECOND = "second@sandbox.iam.gserviceaccount.com"


def split(found: Fleet) -> tuple[Path, Path]:
    """The first file with a tracker of its own, and one with the second account and the other tracker."""
    found.configure(every=5)
    head, first, second = (found.folder / "sheetsync.yaml").read_text().partition("  - {name: t001")
    mine, theirs = found.folder / "first.yaml", found.folder / "second.yaml"
    mine.write_text(head)
    settings = head.partition("trackers:\n")[0].replace("service-account.json", "second.json")
    theirs.write_text(f"{settings}trackers:\n{first}{second}")
    found.server.write_service_account(found.folder / "second.json", email=SECOND)
    book = found.trackers[1].book
    book.shared_with.clear()
    book.shared_with.add(SECOND)
    return mine, theirs


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Two trackers, each with a mark."""
    postgres.or_skip()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with fleet(tmp_path, postgres.fresh(), trackers=2, rows=2) as fleets:
        for tracker in fleets.trackers:
            tracker.mark(tracker.videos[0])
        yield fleets


def test_each_account_has_its_own_calls_and_the_key_and_the_books_are_shared(found: Fleet) -> None:
    """Each reads with its own account; TokPortal's calls are counted once, and each knows what the other has paid."""
    found.world.portal.credits = 14
    for config in split(found):
        assert call(config, "sync").exit_code == 0

    names = [str(name).rpartition(" ")[0] for (name,) in found.told("SELECT name FROM shared_budget ORDER BY name")]
    assert names == ["google reads"] * 2 + ["google writes"] * 2 + ["tokportal"]
    assert found.told("SELECT SUM(credits_charged)::int FROM ad_code_request") == [(14,)]
    assert found.world.portal.credits == 0


def test_a_price_that_one_account_met_locks_the_orders_of_the_other(found: Fleet) -> None:
    """The key's price is the ledger's: no second order is paid to learn it."""
    found.world.portal.credits = 100
    found.world.portal.price = 9
    mine, theirs = split(found)

    assert [call(config, "sync").exit_code for config in (mine, theirs)] == [3, 3]
    assert found.world.portal.credits == 91
