"""PURE: what a run has seen of each row: what `status` tells later, when no sheet is asked.

Owns which code is told as the one in use: what may run, also where a mark that waits freezes what its row shows.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sheetsync.model import Known, Row, Tracker
from sheetsync.projection.in_use import codes, in_use
from sheetsync.projection.window import RowContext
from sheetsync.steps import Hold, RowSeen


def rows_seen(
    rows: Sequence[Row], time_zone: str, tracker: Tracker, known: Known, now: datetime, holds: Sequence[Hold]
) -> Iterator[RowSeen]:
    """Each video once; of duplicates the first row counts (design 5)."""
    reasons = {hold.video_id: hold.printed for hold in reversed(holds)}
    firsts = {row.key: row for row in reversed(rows) if row.key}
    for row in firsts.values():
        about = row.key, row.text("creator"), row.text("client"), reasons.get(row.key, "")
        used = in_use(codes(RowContext(row, time_zone, tracker, now, known)))
        yield RowSeen(*about, *((used.entry.request.id, used.text, used.window.ends) if used else ()))
