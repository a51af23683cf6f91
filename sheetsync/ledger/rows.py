"""PURE: rows of the ledger's tables <-> the frozen values of the model.

Owns the order of the columns, how an instant is stored (ISO-8601 text in UTC of one fixed width, so that it sorts as
text), and how what is told anew joins what was known. Holds no SQL and does no I/O.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sheetsync.model import AdCodeRequest, Entry, Intent, IntentState, Mark, Origin, Refusal

ENTRY = """a.request_id, a.video_id, a.status, a.platform, a.code, a.note, a.created_at, a.submitted_at,
    a.delivered_at, a.origin, a.credits_charged, a.credits_left, a.seen_at"""
INTENT = "id, video_id, mark, previous_id, idempotency_key, body, run_id, created_at, state"
REFUSAL = "video_id, mark, http_status, text, attempts, retry_at"

Row = tuple[Any, ...]
Columns = dict[str, object]


def to_utc(moment: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive datetime: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """An aware instant as the tables hold it."""
    return to_utc(moment).isoformat(timespec="microseconds")


def to_moment(text: str) -> datetime:
    """The instant, aware UTC, that `to_text` wrote."""
    return datetime.fromisoformat(text)


def to_entry(row: Row) -> Entry:
    """An entry from the columns ENTRY; more may follow them."""
    times = (None if text is None else to_moment(text) for text in row[6:9])
    return Entry(AdCodeRequest(*row[:6], *times), Origin(row[9]), row[10], row[11], to_moment(row[12]))


def entry_columns(entry: Entry) -> Columns:
    """The columns of an entry that may change."""
    request = entry.request
    return {
        "status": request.status,
        "platform": request.platform,
        "code": request.code,
        "note": request.note,
        "created_at": request.created_at and to_text(request.created_at),
        "submitted_at": request.submitted_at and to_text(request.submitted_at),
        "delivered_at": request.delivered_at and to_text(request.delivered_at),
        "origin": entry.origin,
        "credits_charged": entry.credits_charged,
        "credits_left": entry.credits_left,
        "seen_at": to_text(entry.seen_at),
    }


def to_intent(row: Row) -> Intent:
    """An intent from the columns INTENT."""
    number, video_id, mark, previous_id, key, body, run_id, created_at, state = row
    sent_at = to_moment(created_at)
    return Intent(number, video_id, Mark(mark), previous_id, key, body, run_id, sent_at, IntentState(state))


def intent_columns(intent: Intent) -> Columns:
    """The columns of a new intent, its number aside."""
    return {
        "video_id": intent.video_id,
        "mark": intent.mark,
        "previous_id": intent.previous_id,
        "idempotency_key": intent.idempotency_key,
        "body": intent.body,
        "run_id": intent.run_id,
        "created_at": to_text(intent.created_at),
        "state": intent.state,
    }


def to_refusal(row: Row) -> Refusal:
    """A refusal from the columns REFUSAL."""
    video_id, mark, http_status, text, attempts, retry_at = row
    return Refusal(video_id, Mark(mark), http_status, text, attempts, to_moment(retry_at))


def refusal_columns(refusal: Refusal) -> Columns:
    """The columns of a refusal, its key aside."""
    return {
        "mark": refusal.mark,
        "http_status": refusal.http_status,
        "text": refusal.text,
        "attempts": refusal.attempts,
        "retry_at": to_text(refusal.retry_at),
    }


def merged(old: Entry | None, new: Entry) -> Entry:
    """What is known after `new` was told: nothing told never erases what was known.

    Having ordered a request outweighs having adopted it, and that outweighs having found it.
    """
    if old is None:
        return new
    was, now = old.request, new.request
    request = replace(
        now,
        platform=now.platform or was.platform,
        code=now.code or was.code,
        note=now.note or was.note,
        created_at=now.created_at or was.created_at,
        submitted_at=now.submitted_at or was.submitted_at,
        delivered_at=now.delivered_at or was.delivered_at,
    )
    return Entry(
        request,
        new.origin if old.origin is Origin.FOUND or new.origin is Origin.ORDERED else old.origin,
        old.credits_charged if new.credits_charged is None else new.credits_charged,
        old.credits_left if new.credits_left is None else new.credits_left,
        new.seen_at,
    )


def repeated(old: Refusal, new: Refusal) -> Refusal:
    """`new` as a further no to the same mark, if it is one.

    A no that differs in its support id alone keeps the earlier text, so that the row's note does not change.
    """
    if old.mark is not new.mark:
        return new
    same = old.http_status == new.http_status and _without_support_id(old.text) == _without_support_id(new.text)
    return replace(new, attempts=old.attempts + 1, text=old.text if same else new.text)


def _without_support_id(text: str) -> str:
    return text.partition(" (support id")[0]
