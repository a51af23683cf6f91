"""PURE: what a run has seen of each row: what `status` tells later, when no sheet is asked.

Owns which code is told as the one in use: what may run, also where a mark that waits freezes what its row shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sheetsync.columns import instant
from sheetsync.model import HoldKind, Known, Snapshot, Tracker
from sheetsync.projection.concerned import concerned
from sheetsync.projection.in_use import Code, codes, in_use
from sheetsync.projection.window import RowContext, is_retired, readable
from sheetsync.steps import Hold, RowSeen, place_of

OWNERS = ("renewal_owner", "paid_owner", "creator_owner")
"""Who is told of a row: the first of these columns that says somebody."""


def rows_seen(
    snapshot: Snapshot, videos: frozenset[str], tracker: Tracker, known: Known, now: datetime, holds: Sequence[Hold]
) -> Iterator[RowSeen]:
    """Each video once that there is something to tell of, of all or of those named; of duplicates the first row counts
    (design 5)."""
    held = {hold.video_id: hold for hold in reversed(holds)}
    rows = concerned(snapshot.rows, known, held)
    firsts = {row.key: row for row in reversed(rows) if row.key and (not videos or row.key in videos)}
    for row in firsts.values():
        hold = held.get(row.key)
        seen = RowSeen(
            *(row.key, row.text("creator"), row.text("client"), hold.printed if hold else ""),
            owner=next(filter(None, map(row.text, OWNERS)), ""),
            place=place_of(snapshot.sheet_id, row.number),
            waits_since=now if hold and hold.kind is HoldKind.PERSON else None,
        )
        context = RowContext(row, snapshot.time_zone, tracker, now, known)
        used = in_use(codes(context))
        yield _with_code(seen, context, used) if used else seen


def _with_code(seen: RowSeen, context: RowContext, used: Code) -> RowSeen:
    entry, request = context.entry, used.entry.request
    return replace(
        seen,
        request_id=request.id,
        code=used.text,
        ends=used.window.ends,
        # of a code that people typed, what they typed of its beginning
        begins=request.created_at
        or readable(lambda: instant(context.row.cells.get("received_at", ""), context.time_zone)),
        is_retired=is_retired(context, used.text),
        is_renewing=entry is not None and entry is not used.entry and entry.request.is_open,
        code_since=context.now,
    )
