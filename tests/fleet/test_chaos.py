"""The chaos of chaos.py in small: `python -m tests.chaos` plays it at full length."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fleet.chaos import Chaos, Options, charges, lateness, live, rows
from support import postgres
from support.fleets import fleet

from sheetsync.ledger.store import Ledger

pytestmark = pytest.mark.waits


@pytest.mark.long
def test_each_mark_is_charged_once_whatever_happens_to_workers_and_server(tmp_path: Path) -> None:
    """Two workers, twenty trackers, two minutes; then calm until each code is in its row."""
    postgres.or_skip()
    assert live(tmp_path, Options(workers=2, trackers=20, minutes=2, every=2)) == []


def test_the_judge_sees_what_went_wrong(tmp_path: Path) -> None:
    """A mark charged twice, an order that nobody wished for, a code that is in no row, a tracker that never ran."""
    postgres.or_skip()
    with fleet(tmp_path, postgres.fresh(), trackers=1, rows=3) as found:
        Ledger(found.database).close()
        (tracker,), portal = found.trackers, found.world.portal
        chaos = Chaos(found, Options(every=2), random.Random(0))
        for video in tracker.videos[:2]:
            chaos.type(tracker, video)
        now = datetime.now(UTC)
        assert next(charges(chaos)).startswith("t000-video-00000: 0 ad code requests")
        for video in (*tracker.videos, tracker.videos[0]):
            portal.managers.cancel(portal.order_elsewhere(video), now)
        assert [told.partition(",")[0] for told in charges(chaos)] == [
            "t000-video-00000: 2 ad code requests",
            "t000-video-00002: 1 ad code requests",
            "0 credits were charged for 2 marks",
        ]
        assert len([*rows(chaos)]) == 2
        assert [*lateness(chaos, now, now + timedelta(seconds=240))] == []
        assert len([*lateness(chaos, now, now + timedelta(seconds=241))]) == 1
