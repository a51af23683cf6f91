"""PURE: what a run has seen of each row: what `status` tells later, when no sheet is asked, and what a run remembers.

Owns which code is told as the one in use: what may run, also where a mark that waits freezes what its row shows; and
when a row says the same again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from sheetsync.columns import MACHINE_KEYS, instant
from sheetsync.model import HoldKind, Known, Row, Snapshot, Tracker
from sheetsync.projection.concerned import concerned
from sheetsync.projection.in_use import Code, codes, in_use
from sheetsync.projection.kept import is_kept
from sheetsync.projection.kept_end import row_kept
from sheetsync.projection.window import RowContext, is_retired, readable
from sheetsync.steps import Hold, RowSeen, place_of

OWNERS = ("renewal_owner", "paid_owner", "creator_owner")
"""Who is told of a row: the first of these columns that says somebody."""

FOLLOWS = frozenset(MACHINE_KEYS) - {"spark_code", "request_id"}
"""What a run writes into a row, and nothing depends on: but for the request and the code that a mark is about."""


def as_it_is(rows: Iterable[Row]) -> str:
    """A name for what a video's rows say, and a hold depends on: the same, as long as they say the same."""
    said = [sorted((key, repr(cell)) for key, cell in row.cells.items() if key not in FOLLOWS) for row in rows]
    return sha256(repr(said).encode(errors="surrogatepass")).hexdigest()[:16]


def rows_seen(
    snapshot: Snapshot,
    videos: frozenset[str],
    tracker: Tracker,
    known: Known,
    now: datetime,
    holds: Sequence[Hold],
    earlier: Mapping[str, RowSeen],
) -> Iterator[RowSeen]:
    """Each video once that there is something to tell of, of all or of those named; of duplicates the first row counts
    (design 5). `earlier` is what the run before saw."""
    held = {hold.video_id: hold for hold in reversed(holds)}
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in concerned(snapshot.rows, known, held):
        if row.key and (not videos or row.key in videos):
            rows[row.key].append(row)
    for key, of_key in rows.items():
        row, hold = of_key[0], held.get(key)
        contexts = [
            RowContext(
                *(each, snapshot.time_zone, tracker, now, known),
                duplicates=tuple(other for other in of_key if other is not each),
                seen=earlier.get(key),
            )
            for each in of_key
        ]
        seen = RowSeen(
            *(row.key, row.text("creator"), row.text("client"), hold.printed if hold else ""),
            owner=next(filter(None, map(row.text, OWNERS)), ""),
            place=place_of(snapshot.sheet_id, row.number),
            waits_since=now if hold and hold.kind is HoldKind.PERSON else None,
            # what the note of one of two rows does not say, no later run says there
            row_was=as_it_is(of_key) if hold and hold.in_note else "",
            may_order=bool(hold and hold.may_order),
            has_typed_code=is_kept(contexts),
        )
        shown = [(context, in_use(codes(context))) for context in contexts]
        if seen.has_typed_code:
            seen = replace(
                seen, kept=tuple(row_kept(context, used.window if used else None) for context, used in shown)
            )
        context, used = shown[0]
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
