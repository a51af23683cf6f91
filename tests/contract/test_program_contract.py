"""Every Sheets request the program sends, and every answer it gets, held strictly against Google's own description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("googleapiclient")

from support.bench import TAB, Bench
from support.held import held_against_google

from sheetsync.sandbox import people


@pytest.fixture(autouse=True)
def _held() -> Iterator[None]:
    """Every Sheets call is held against the discovery document."""
    with held_against_google():
        yield


def test_a_tracker_from_marks_to_codes() -> None:
    """Reads, claims and writes of orders, codes and dates are what Google's description allows."""
    bench = Bench(["vid-a", "vid-b", "vid-c"])
    bench.mark("request", "vid-a", "vid-b")
    assert bench.sync().exit_code == 0
    for _ in range(3):
        bench.later(hours=2)
        bench.world.portal.manager_work()
        assert bench.sync().exit_code == 0
    assert bench.cell("vid-a", "status") == "finalized"
    assert "sheets.batchUpdate" in bench.kinds()


def test_putting_back_what_a_moved_column_let_us_hit() -> None:
    """Cells that are put back, of every type, are sent as the description allows."""
    bench = Bench(["vid-a", "vid-b"])
    bench.type("vid-a", "client", True)
    bench.type("vid-b", "client", 12.5)
    bench.mark("request", "vid-a", "vid-b")
    bench.world.faults.edit(
        "sheets.batchUpdate", do=lambda world: people.insert_column(world, bench.book, TAB, "Status", "New")
    )
    bench.sync()
    assert bench.cell("vid-a", "client") is True
    assert bench.cell("vid-b", "client") == 12.5
    assert bench.charged("vid-a") == bench.charged("vid-b") == 7
