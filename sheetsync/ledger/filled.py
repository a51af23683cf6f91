"""Which videos `fill` has sent to a tab as rows, and which of them were seen there.

Owns that record. Decides nothing: what is added is `filling/`'s. Each method that writes is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from sheetsync.clock import Clock
from sheetsync.ledger import rows
from sheetsync.ledger.database import Database
from sheetsync.steps import SentRow


class FilledVideos:
    """The record for one tab, by video id; made by `Ledger.filled`. Errors as for `Ledger`."""

    def __init__(self, database: Database, tracker: str, tab: str, clock: Clock) -> None:
        self._db, self._place, self._clock = database, (tracker, tab), clock

    def met(self) -> frozenset[str]:
        """Videos that have, or had, a row in the tab."""
        found = self._db.select(
            "SELECT video_id FROM filled WHERE tracker = ? AND tab = ? AND is_met = 1", *self._place
        )
        return frozenset(video for (video,) in found)

    def sending(self) -> Mapping[str, SentRow]:
        """Videos whose row was sent, and not seen since."""
        found = self._db.select(
            "SELECT video_id, sent, sent_at FROM filled WHERE tracker = ? AND tab = ? AND is_met = 0", *self._place
        )
        return {video: _sent_row(sent, at) for video, sent, at in found}

    def send(self, rows_sent: Mapping[str, Mapping[int, str]], headers: Mapping[int, str]) -> None:
        """Rows are about to be sent, meant for these headers. Durable on return."""
        self._put({video: json.dumps([cells, headers]) for video, cells in rows_sent.items()}, is_met=0)

    def meet(self, videos: Iterable[str]) -> None:
        """These videos have a row."""
        self._put(dict.fromkeys(videos, "{}"), is_met=1)

    def unsent(self, videos: Iterable[str]) -> None:
        """Of these it is known that nothing of them is in the tab."""
        with self._db.transaction():
            for video in videos:
                self._db.execute(
                    "DELETE FROM filled WHERE tracker = ? AND tab = ? AND video_id = ?", *self._place, video
                )

    def _put(self, sent: Mapping[str, str], is_met: int) -> None:
        if not sent:
            return
        with self._db.transaction():
            now = rows.to_text(rows.to_utc(self._clock.now()))
            for video, cells in sent.items():
                self._db.execute(
                    """INSERT INTO filled (tracker, tab, video_id, sent, sent_at, is_met) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (tracker, tab, video_id) DO UPDATE SET sent = excluded.sent,
                    sent_at = excluded.sent_at, is_met = excluded.is_met""",
                    *self._place,
                    video,
                    cells,
                    now,
                    is_met,
                )


def _sent_row(sent: str, at: str) -> SentRow:
    cells, headers = ({int(column): text for column, text in part.items()} for part in json.loads(sent))
    return SentRow(cells, headers, datetime.fromisoformat(at))
