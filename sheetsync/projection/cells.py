"""PURE: what the machine cells of a row say: f(row, ledger, now), and nothing else.

Owns status, times, window, stage, missing fields and notes (design 5). Knows no network, file, clock or log;
where cells stand, and whether they differ from what they should say, is `placing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sheetsync.columns import BadCell, Value, days, header_of, instant
from sheetsync.model import PRICE, AdCodeRequest, Entry, Known, Mark, Origin, Row, Tracker

ORDERING = "ordering"
"""Status of a row that is claimed: an order for it is about to be sent (design 4.1)."""

STATUSES = ("pending", "accepted", "in_review", "pending_corrections", "finalized", "cancelled")

_NOTE_LIMIT = 900  # characters: a note is read in a cell; Sheets itself would take 50,000


@dataclass(frozen=True, slots=True)
class Served:
    """A mark that is done: it is cleared in the rows that carry it and show what the person saw."""

    mark: Mark
    shown_id: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run knows when it writes.

    `reasons` is the hold of each marked row by (video id, mark as typed); `observed` holds the videos that
    TokPortal answered for in this run.
    """

    known: Known
    now: datetime
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    observed: frozenset[str] = frozenset()
    served: Mapping[str, Served] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """What a row's machine cells should say. A column that is left out keeps what it says."""

    row: Row
    values: Mapping[str, Value]
    clear_mark: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The time a code may be used: its end (UTC), and the word for where `now` stands in it."""

    ends: datetime | None
    word: str


def targets(rows: Sequence[Row], time_zone: str, tracker: Tracker, outlook: Outlook) -> tuple[Target, ...]:
    """Every row with a key, and what its machine cells should say."""
    twins: dict[str, list[int]] = {}
    for row in rows:
        twins.setdefault(row.key, []).append(row.number)
    return tuple(
        _target(row, [n for n in twins[row.key] if n != row.number], time_zone, tracker, outlook)
        for row in rows
        if row.key
    )


def _target(row: Row, twins: Sequence[int], time_zone: str, tracker: Tracker, outlook: Outlook) -> Target:
    entry = outlook.known.latest.get(row.key)
    served = outlook.served.get(row.key)
    mark = row.text("action").casefold()
    cleared = served is not None and mark == served.mark and row.text("request_id") == served.shown_id
    waiting = "" if cleared else mark
    if row.text("request_id") not in ("", entry.request.id if entry else "") and row.key not in outlook.observed:
        # the row knows more than the ledger does, and TokPortal could not be asked: keep what it says
        said = [outlook.reasons.get((row.key, waiting), ""), _twin_note(twins) if waiting else ""]
        note = " ".join(part for part in said if part)
        return Target(row, _no_claim(row) | ({"sync_note": note} if note else {}), cleared)
    values = _cells(row, entry, time_zone, tracker, outlook, waiting=bool(waiting))
    values["sync_note"] = _note(row, entry, twins, time_zone, tracker, outlook, waiting)
    return Target(row, values, cleared)


def _cells(
    row: Row, entry: Entry | None, time_zone: str, tracker: Tracker, outlook: Outlook, waiting: bool
) -> dict[str, Value]:
    shown = row.text("request_id")
    if waiting and entry and shown != entry.request.id:
        # a mark waits: the row goes on showing the request its person saw when making the mark
        return _no_claim(row)
    if entry:
        return _request_cells(row, entry, time_zone, tracker, outlook.now, waiting)
    if shown:
        # the row shows a request that its video does not have (a copied row, a changed video id)
        return dict.fromkeys(_REQUEST_COLUMNS, "")
    # nothing was ever ordered here: what people keep in these cells is theirs, our claim is not
    return _no_claim(row)


def _no_claim(row: Row) -> dict[str, Value]:
    return {"status": ""} if row.text("status") == ORDERING else {}


_REQUEST_COLUMNS = (
    "status",
    "spark_code",
    "requested_at",
    "submitted_at",
    "delivered_at",
    "expires_at",
    "expiry",
    "stage",
    "missing",
    "credits_charged",
    "credits_left",
    "request_id",
)


def _request_cells(
    row: Row, entry: Entry, time_zone: str, tracker: Tracker, now: datetime, waiting: bool
) -> dict[str, Value]:
    request = entry.request
    code = shown_code(request)
    window = window_of(row, request, time_zone, tracker, now)
    values: dict[str, Value] = {
        "status": request.status,
        "spark_code": code,
        "requested_at": request.created_at or "",
        "submitted_at": request.submitted_at or "",
        "delivered_at": request.delivered_at or "",
        "expires_at": window.ends or "",
        "expiry": window.word,
        "stage": stage(row, request, window.word),
        "missing": missing(row, request, window, tracker),
        "request_id": request.id,
    }
    if waiting and row.text("action").casefold() == Mark.CORRECT and row.text("spark_code") != code:
        del values["spark_code"]  # it waits for the code its person tried; the note shows the new one
    same = row.text("request_id") == request.id
    for column, amount in (("credits_charged", entry.credits_charged), ("credits_left", entry.credits_left)):
        if amount is not None:
            values[column] = amount
        elif not same:
            values[column] = ""
    return values


def shown_code(request: AdCodeRequest) -> str:
    """The code as the row shows it: none for a cancelled request, whose code is dead."""
    return request.code or "" if request.status != "cancelled" else ""


def window_of(row: Row, request: AdCodeRequest, time_zone: str, tracker: Tracker, now: datetime) -> Window:
    """When the authorization can end at the earliest, and `ok`, `renewal needed`, `expired` or `no window`.

    Known expiry wins; else created_at + Authorization days. TokPortal reports no window (reference 2.5), and
    the clock runs from the code's generation, so this is the early edge. Instagram codes have no fixed
    duration (peers 1.5). Empty without a code.
    """
    if not shown_code(request):
        return Window(None, "")
    ends = _typed_expiry(row, time_zone)
    if ends is None and request.created_at and request.platform != "instagram":
        ends = request.created_at + timedelta(days=_authorization_days(row, tracker))
    if ends is None:
        return Window(None, "no window")
    if now >= ends:
        return Window(ends, "expired")
    if now >= ends - timedelta(hours=tracker.warn_hours):
        return Window(ends, "renewal needed")
    return Window(ends, "ok")


def _typed_expiry(row: Row, time_zone: str) -> datetime | None:
    try:
        return instant(row.cells.get("known_expiry", ""), time_zone)
    except BadCell:
        return None  # the note says so; the estimate keeps the alarm alive


def _authorization_days(row: Row, tracker: Tracker) -> int:
    try:
        return days(row.cells.get("authorization_days", "")) or tracker.authorization_days
    except BadCell:
        return tracker.authorization_days


def stage(row: Row, request: AdCodeRequest, expiry: str) -> str:
    """Where the code stands in its life: the first that holds (design 5)."""
    paid = row.text("paid_status").casefold()
    if paid == "retired":
        return "retired"
    if expiry in ("expired", "renewal needed"):
        return expiry
    if paid in ("spending", "paused", "activated"):
        return paid
    if shown_code(request):
        return "received"
    return "requested" if request.is_open else ""


_WANTED = (
    "creator_owner",
    "paid_owner",
    "market",
    "ad_account",
    "campaign",
    "objective",
    "video_url",
    "creator",
)


def missing(row: Row, request: AdCodeRequest, window: Window, tracker: Tracker) -> str:
    """The ledger fields still empty once a code is there, by their headers; empty means operationally ready."""
    if not shown_code(request):
        return ""
    wanted = list(_WANTED)
    if window.word == "renewal needed":
        wanted.append("renewal_decision")
    if row.text("paid_status").casefold() == "retired":
        wanted.append("retirement_reason")
    names = [header_of(key, tracker.columns) for key in wanted if key in row.columns and not row.text(key)]
    return ", ".join(names + (["window"] if window.word == "no window" else []))


def _note(
    row: Row,
    entry: Entry | None,
    twins: Sequence[int],
    time_zone: str,
    tracker: Tracker,
    outlook: Outlook,
    mark: str,
) -> str:
    parts = []
    reason = outlook.reasons.get((row.key, mark), "") if mark else ""
    if reason:
        parts.append(reason)
    elif entry:
        parts += request_notes(_remembered(entry, row))
    if entry:
        parts += _cell_notes(row, time_zone, tracker)
    if twins and (entry or mark):
        parts.append(_twin_note(twins))
    return " ".join(parts)[:_NOTE_LIMIT]


def _twin_note(twins: Sequence[int]) -> str:
    if not twins:
        return ""
    return f"Duplicate of row {', '.join(map(str, twins))}: one of them acts, all show the same."


def request_notes(entry: Entry) -> list[str]:
    """What the person should know about the request itself."""
    request = entry.request
    notes = []
    if request.status == "cancelled":
        notes.append("TokPortal cancelled this request and refunded its credits. Mark request to order again.")
    elif request.status not in STATUSES:
        notes.append(f"TokPortal says '{request.status[:60]}', a status unknown to sheetsync; see its dashboard.")
    elif request.status == "pending_corrections":
        notes.append("Reported to the manager, who will send a new code.")
    elif entry.origin in _ADOPTED:
        notes += _adoption_note(entry)
    if entry.credits_charged not in (None, PRICE) and request.status != "cancelled":
        notes.append(f"This order cost {entry.credits_charged} credits instead of {PRICE}.")
    return notes


_TO_RENEW = f"Mark renew to order another ({PRICE} credits)."
_ADOPTED = {
    Origin.ADOPTED_OPEN: "Already ordered elsewhere; taken over, nothing was charged.",
    Origin.ADOPTED_EXISTING: f"A code already exists; nothing was charged. {_TO_RENEW}",
    Origin.ADOPTED_RENEWED: f"This was already renewed; nothing was charged. {_TO_RENEW}",
}


def _remembered(entry: Entry, row: Row) -> Entry:
    """The entry, with the origin that the row still tells when the ledger was lost."""
    if entry.origin is not Origin.FOUND or row.text("request_id") != entry.request.id:
        return entry
    said = row.text("sync_note")
    origin = next((origin for origin, note in _ADOPTED.items() if said.startswith(note)), entry.origin)
    return replace(entry, origin=origin)


def _adoption_note(entry: Entry) -> list[str]:
    # taken over while open: worth saying until the code is there
    if entry.origin is Origin.ADOPTED_OPEN and entry.request.code:
        return []
    return [_ADOPTED[entry.origin]]


def _cell_notes(row: Row, time_zone: str, tracker: Tracker) -> list[str]:
    notes = []
    for key, read in (
        ("known_expiry", lambda cell: instant(cell, time_zone)),
        ("authorization_days", days),
    ):
        try:
            read(row.cells.get(key, ""))
        except BadCell as problem:
            notes.append(f"{header_of(key, tracker.columns)}: {problem}.")
    return notes
