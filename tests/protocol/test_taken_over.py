"""One ledger on a PostgreSQL server, and a run that is cut off from it while another machine takes its tracker over."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ledgers, postgres
from support.profile import cases
from support.story import tell

from sheetsync.ledger import copying
from sheetsync.ledger.store import Ledger


@pytest.mark.parametrize("index", cases(range(2, 25), range(3, 25, 7)))
def test_cut_off_and_taken_over(tmp_path: Path, index: int) -> None:
    """The whole run of the second comes between two calls of the first, which goes on: each wish is charged once."""
    postgres.or_skip()
    story = tell(tmp_path)
    story.stop()
    server = postgres.fresh()
    copying.copy(ledgers.at(story.path), server)
    struck = []

    def take_over(when: str, at: int, kind: str, request: object) -> None:
        if when == "before" and at - start == index and not struck:
            struck.append(kind)
            backends = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            postgres.told(f"{backends} WHERE pid IN ({', '.join(map(str, pids()))})")
            story.bench.sync(other)

    def pids() -> list[int]:
        database = first._db
        return [each.info.backend_pid for each in (database._connection, *database._holders.values())]  # type: ignore[attr-defined]

    with Ledger(server) as first, Ledger(server) as other:
        start = len(story.world.calls)
        with story.hook(take_over):
            report = story.bench.sync(first)
        assert struck
        assert report.exit_code in (1, 4)
        story.lost = True  # neither report has seen all of it
        story.bench.ledger = other
        assert story.recover() == []
