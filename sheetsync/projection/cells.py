"""PURE: what the machine cells of a row say: f(row, ledger, now), and nothing else (design 3.6 and 5).

Owns which cell says what, and which are left as they are. The window and the stage are `window.py`'s, the words of the
notes `notes/`'s; where cells stand, and whether they differ from what they should say, is the sheet's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sheetsync import notes
from sheetsync.columns import MACHINE_KEYS, hidden_headers
from sheetsync.model import Entry, Known, Mark, Origin, Row, Target, Tracker, Value
from sheetsync.projection.window import RowContext, missing, shown_code, stage, typed_window, window_of

ORDERING = "ordering"
"""Status of a row that is claimed: an order for it is about to be sent (design 4.1)."""

STATUSES = ("pending", "accepted", "in_review", "pending_corrections", "finalized", "cancelled")

REQUEST_COLUMNS = tuple(key for key in MACHINE_KEYS if key not in ("sync_note", "updated_at"))
"""What speaks of an ad code request, or of the code it brought."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run knows when it writes.

    `reasons` is the hold of each marked row by (video id, mark as typed); `observed` holds the videos that
    TokPortal answered for in this run; `served` are the wishes that are done, by video id: a mark is cleared in the
    rows that carry it and show what its person saw, but for those of `stuck`, which could not be cleared.
    """

    known: Known
    now: datetime
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    observed: frozenset[str] = frozenset()
    served: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()


def targets(rows: Sequence[Row], time_zone: str, tracker: Tracker, outlook: Outlook) -> tuple[Target, ...]:
    """Every row with a key, and what its machine cells should say."""
    numbers: dict[str, list[int]] = {}
    for row in rows:
        numbers.setdefault(row.key, []).append(row.number)
    return tuple(
        _target(row, tuple(n for n in numbers[row.key] if n != row.number), time_zone, tracker, outlook)
        for row in rows
        if row.key
    )


def _target(row: Row, duplicates: tuple[int, ...], time_zone: str, tracker: Tracker, outlook: Outlook) -> Target:
    entry = outlook.known.latest.get(row.key)
    is_done = row.wish == outlook.served.get(row.key)
    # a mark that could not be cleared waits for nothing: the row shows what it brought, and says why it still stands
    waiting = "" if is_done or row.key in outlook.stuck else row.mark
    reason = outlook.reasons.get((row.key, "" if is_done else row.mark), "")
    if row.mark and not reason and not is_done and row.text("sync_note").startswith(notes.SERVED):
        # beside a duplicate that acts: another machine knows by this note alone that the mark is no wish
        reason = notes.SERVED
    context = RowContext(row, time_zone, tracker, outlook.now, entry, waiting, reason, duplicates)
    if row.shown_id not in ("", entry.request.id if entry else "") and row.key not in outlook.observed:
        # the row knows more than the ledger does, and TokPortal could not be asked: keep what it says
        note = _joined([reason, notes.duplicate_of(duplicates) if waiting else ""])
        return Target(row, _without_claim(row) | ({"sync_note": note} if note else {}), is_done)
    return Target(row, _cells(context) | {"sync_note": _note(context)}, is_done)


def _cells(context: RowContext) -> dict[str, Value]:
    row, entry = context.row, context.entry
    if context.waiting and entry and row.shown_id != entry.request.id:
        # a mark waits: the row goes on showing the request its person saw when making the mark
        return _without_claim(row)
    if entry:
        return _request_cells(context, entry)
    if row.shown_id:
        # the row shows a request that its video does not have (a copied row, a changed video id)
        return dict.fromkeys(REQUEST_COLUMNS, "")
    # nothing was ever ordered here: what people keep in these cells is theirs, our claim is not
    return _without_claim(row)


def _without_claim(row: Row) -> dict[str, Value]:
    return {"status": ""} if row.text("status") == ORDERING else {}


def _request_cells(context: RowContext, entry: Entry) -> dict[str, Value]:
    row, request = context.row, entry.request
    code, window = shown_code(request), window_of(context, request)
    values: dict[str, Value] = {
        "status": request.status,
        "spark_code": code,
        "requested_at": request.created_at or "",
        "submitted_at": request.submitted_at or "",
        "delivered_at": request.delivered_at or "",
        "expires_at": window.ends or "",
        "expiry": window.word,
        "stage": stage(row, request, window.word),
        "missing": missing(context, request, window),
        "request_id": request.id,
    }
    if context.waiting == Mark.CORRECT and row.text("spark_code") != code:
        del values["spark_code"]  # it waits for the code its person tried; the note shows the new one
    for column, amount in (("credits_charged", entry.credits_charged), ("credits_left", entry.credits_left)):
        if amount is not None:
            # an answer told it
            values[column] = amount
        elif row.shown_id != request.id:
            # of another request; what the row says of this one itself is all that is left where the ledger was lost
            values[column] = ""
    return values


def _note(context: RowContext) -> str:
    entry = context.entry
    # why a mark waits goes before what is known of the request: it is what the person asked
    parts = [context.reason]
    if entry and not context.reason:
        parts = _request_notes(_remembered(entry, context.row), context.tracker.price)
    if entry:
        parts += typed_window(context).problems
    if entry or context.waiting:
        headers = hidden_headers(context.row, context.tracker.columns)
        parts += [notes.hidden(headers, context.reason), notes.duplicate_of(context.duplicates)]
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    return " ".join(filter(None, parts))[: notes.LONGEST]


def _request_notes(entry: Entry, price: int) -> list[str]:
    """What the person should know about the request itself."""
    request, charged = entry.request, entry.credits_charged
    if request.status == "cancelled":
        # refunded, whatever it had cost
        return [notes.CANCELLED]
    said = [] if charged in (None, price) else [notes.another_price(charged, price)]
    if request.status not in STATUSES:
        return [notes.unknown_status(request.status), *said]
    if request.status == "pending_corrections":
        return [notes.REPORTED, *said]
    if entry.origin is Origin.ADOPTED_OPEN and request.code:
        return said  # taken over while open: worth saying until the code is there
    return [notes.adopted(entry.origin, price), *said]


def _remembered(entry: Entry, row: Row) -> Entry:
    """The entry, with the origin that the row still tells when the ledger was lost."""
    if entry.origin is not Origin.FOUND or row.shown_id != entry.request.id:
        return entry
    # the ledger does not know how the request came to be; the row's own note is all that is left
    said = row.text("sync_note")
    origin = next((origin for origin, note in notes.ADOPTED.items() if said.startswith(note)), entry.origin)
    return replace(entry, origin=origin)
