"""PURE: what the machine cells of a row say: f(row, ledger, now), and nothing else (design 3.6 and 5).

Owns which cell says what, and which are left as they are. The code in use is `in_use.py`'s, its window and stage are
`window.py`'s, the words of the notes `notes/`'s; where cells stand, and whether they differ from what they should say,
is the sheet's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sheetsync import notes
from sheetsync.columns import BY_TIKTOK, MACHINE_KEYS, hidden_headers, instant, is_error, locked_headers, shown_instant
from sheetsync.model import Entry, Known, Mark, Origin, Row, Tracker, Value
from sheetsync.projected import Target
from sheetsync.projection.authorized import tiktok_notes
from sheetsync.projection.in_use import Code, codes, in_use, is_typed
from sheetsync.projection.kept import left_over
from sheetsync.projection.kept_end import is_ours, received_end
from sheetsync.projection.window import (
    RowContext,
    Window,
    code_in,
    is_retired,
    missing,
    readable,
    stage,
    typed_for,
    unreadable,
    window_at,
)
from sheetsync.steps import RowSeen

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
    rows that carry it and show what its person saw, but for those of `stuck`, which could not be cleared. `seen` is
    what the run before saw of each row.
    """

    known: Known
    now: datetime
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)
    observed: frozenset[str] = frozenset()
    served: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()
    seen: Mapping[str, RowSeen] = field(default_factory=dict)


def targets(rows: Sequence[Row], time_zone: str, tracker: Tracker, outlook: Outlook) -> tuple[Target, ...]:
    """Every row with a key, and what its machine cells should say."""
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    return tuple(
        _target(row, tuple(other for other in by_key[row.key] if other is not row), time_zone, tracker, outlook)
        for row in rows
        if row.key
    )


def code_shown(row: Row, time_zone: str, tracker: Tracker, known: Known, now: datetime) -> str:
    """The code that a row should show."""
    used = in_use(codes(RowContext(row, time_zone, tracker, now, known)))
    return used.text if used else ""


def _target(row: Row, duplicates: tuple[Row, ...], time_zone: str, tracker: Tracker, outlook: Outlook) -> Target:
    is_done = row.wish == outlook.served.get(row.key)
    # a mark that could not be cleared waits for nothing: the row shows what it brought, and says why it still stands
    waiting = "" if is_done or row.key in outlook.stuck else row.mark
    reason = outlook.reasons.get((row.key, "" if is_done else row.mark), "")
    if row.mark and not is_done and row.text("sync_note").startswith(notes.SERVED):
        # beside a duplicate that acts, or since this run planned: another machine knows by this note alone that the
        # mark is no wish
        reason = notes.SERVED
    seen = outlook.seen.get(row.key)
    context = RowContext(row, time_zone, tracker, outlook.now, outlook.known, waiting, reason, duplicates, seen)
    entry, found = context.entry, codes(context)
    if row.shown_id not in ("", entry.request.id if entry else "") and row.key not in outlook.observed:
        # the row knows more than the ledger does, and TokPortal could not be asked: keep what it says
        said, code = row.text("sync_note"), row.text("spark_code")
        why = reason or ("" if waiting else said)
        # that the latest request is cancelled, which the ledger knows, says nothing of a later one in the row
        is_dead = _shows_an_earlier_one(context) and _is_dead(context, code)
        of_codes = [notes.CODE_CANCELLED if is_dead else "", _others(context, code, found)]
        more = [*(part for part in of_codes if part not in why), unseen(row, tracker, why)]
        note = _joined([why, *more, _duplicate_of(context) if waiting else ""])
        values = _without_claim(row) | _gone_on(context)
        return Target(row, values | ({"sync_note": note} if note not in ("", said) else {}), is_done)
    values = _cells(context, found)
    values["sync_note"] = _note(context, found, str(values.get("spark_code", row.text("spark_code"))))
    return Target(row, values, is_done)


def _cells(context: RowContext, found: Sequence[Code]) -> dict[str, Value]:
    row, entry = context.row, context.entry
    if entry and row.shown_id != entry.request.id and (context.waiting or hides_a_code(row)):
        # a mark waits: the row goes on showing the request its person saw when making the mark; or a code of people's
        # own, which the ledger does not have yet, would be written over
        return _without_claim(row) | _frozen_code(context) | _charged(context)
    if entry:
        return _request_cells(context, entry, in_use(found))
    if _is_all_that_is_left(context):
        return _without_claim(row)
    if row.shown_id:
        # the row shows a request that its video does not have (a copied row, a changed video id)
        return {**dict.fromkeys(REQUEST_COLUMNS, ""), **_by_tiktok(context, Window(None, ""))}
    if is_typed(row, ()):
        return _without_claim(row) | _typed_code_cells(context, found[0])
    # nothing was ever ordered here: what people keep in these cells is theirs, our claim is not
    return _without_claim(row) | _without_left_over(context)


def _is_all_that_is_left(context: RowContext) -> bool:
    """Whether nobody else knows of the row's code: then it stays, whatever request its row shows."""
    row, code = context.row, code_in(context.row)
    if context.entry or not row.shown_id:
        return False
    if is_error(row.cells.get("spark_code", "")):
        # nobody can read which code it is, of a request that nobody here knows
        return row.shown_id not in context.known.owners
    return code != "" and code not in context.known.codes


def hides_a_code(row: Row) -> bool:
    """Whether a row without a request has a code of its people's own that nobody can read now, for all that is known:
    the cell shows an error.
    """
    return not row.shown_id and is_error(row.cells.get("spark_code", ""))


def _without_claim(row: Row) -> dict[str, Value]:
    return {"status": ""} if row.text("status") == ORDERING else {}


def _without_left_over(context: RowContext) -> dict[str, Value]:
    """What was said beside a code that people kept here goes with it."""
    if not (context.seen and context.seen.has_typed_code):
        return {}
    return {**dict.fromkeys(sorted(left_over(context)), ""), **_by_tiktok(context, Window(None, ""))}


def _typed_code_cells(context: RowContext, code: Code) -> dict[str, Value]:
    """Of a code that came from elsewhere: what follows from its end. The code itself belongs to people."""
    values = _code_cells(context, code.text, code.window, is_open=False)
    is_typed_there = code.window.source == "estimate" and not received_end(context)
    # a formula of theirs that tells the end is not written over while it shows an error
    is_held = is_typed_there and is_error(context.row.cells.get("expires_at", ""))
    if not is_held and (code.window.ends or is_ours(context)):
        return values
    return {key: said for key, said in values.items() if key != "expires_at"}


def _code_cells(context: RowContext, code: str, window: Window, is_open: bool) -> dict[str, Value]:
    return {
        "expires_at": window.ends or "",
        "expiry": window.word,
        "stage": stage(context, code, window.word, is_open),
        "missing": missing(context, code, window.word),
        **_by_tiktok(context, window),
    }


def _by_tiktok(context: RowContext, window: Window) -> dict[str, Value]:
    """Without a token a column of that name is a team's own."""
    there = [key for key in BY_TIKTOK if key in context.row.columns and context.tracker.tiktok.is_on]
    said = {"expiry_source": window.source, "code_state": window.state}
    return {key: said[key] for key in there}


def _frozen_code(context: RowContext) -> dict[str, Value]:
    """A mark that waits freezes the code and its end; where they stand goes on with time (design 5)."""
    shown = code_in(context.row)
    ends = readable(lambda: instant(context.row.cells.get("expires_at", ""), context.time_zone))
    if not (shown and ends):
        return {}
    said = _code_cells(context, shown, window_at(context, ends), is_open=False)
    return {key: said[key] for key in ("expiry", "stage")}


def _gone_on(context: RowContext) -> dict[str, Value]:
    """What time has made of a code that TokPortal cannot be asked about; else the words are of whoever knows more."""
    said = _frozen_code(context)
    return {} if said.get("expiry") == context.row.text("expiry") else said


def _charged(context: RowContext) -> dict[str, Value]:
    """What the video has cost: of duplicates only the first row says it, so that the column adds up (design 5)."""
    cost = context.known.cost(context.row.key)
    return {"credits_charged": "" if cost is None or context.first is not context.row else cost}


def _request_cells(context: RowContext, entry: Entry, used: Code | None) -> dict[str, Value]:
    row, request = context.row, entry.request
    code, window = (used.text, used.window) if used else ("", Window(None, ""))
    values: dict[str, Value] = {
        "status": request.status,
        "spark_code": code,
        "requested_at": request.created_at or "",
        "submitted_at": request.submitted_at or "",
        "delivered_at": request.delivered_at or "",
        **_code_cells(context, code, window, request.is_open),
        "request_id": request.id,
        **_charged(context),
    }
    is_waiting = context.waiting == Mark.CORRECT and context.reason != notes.SERVED
    if is_waiting and row.text("spark_code") != code:
        # it waits for the code its person tried; the note shows the new one
        frozen = {"spark_code", "expires_at", "missing", *BY_TIKTOK}
        values = {key: said for key, said in values.items() if key not in frozen} | _frozen_code(context)
    if entry.credits_left is not None:
        values["credits_left"] = entry.credits_left
    elif row.shown_id != request.id:
        # of another request; what the row says of this one itself is all that is left where the ledger was lost
        values["credits_left"] = ""
    return values


def _duplicate_of(context: RowContext) -> str:
    return notes.duplicate_of([row.number for row in context.duplicates])


def _note(context: RowContext, found: Sequence[Code], code: str) -> str:
    """The note of a row that shows this code; where a mark waits, it need not be the one in use."""
    entry, shown = context.entry, next((one for one in found if one.text == code), None)
    # why a mark waits goes before what is known of the request: it is what the person asked
    parts = [context.reason, notes.CODE_CANCELLED if _is_dead(context, code) else ""]
    if entry and not context.reason:
        parts += _request_notes(_remembered(entry, context.row), context.tracker.price)
        parts += [notes.stays_as_it_is(context.header("spark_code"), code)] if hides_a_code(context.row) else []
    is_another = context.row.shown_id in context.known.owners
    strange = notes.NOT_ITS_OWN if is_another else notes.NOT_OF_THIS_VIDEO
    parts += [strange] if _is_all_that_is_left(context) else _code_notes(context, shown, found)
    if entry or shown:
        parts += unreadable(context)
    if entry or shown or context.waiting:
        parts += [unseen(context.row, context.tracker, context.reason), _duplicate_of(context)]
    return _joined(parts)


def unseen(row: Row, tracker: Tracker, said: str) -> str:
    """What the row cannot show, where that is not said already."""
    return notes.unseen(hidden_headers(row, tracker.columns), locked_headers(row, tracker.columns), said)


def _joined(parts: Sequence[str]) -> str:
    return " ".join(filter(None, parts))[: notes.LONGEST]


def _request_notes(entry: Entry, price: int) -> list[str]:
    """What the person should know about the request itself."""
    request, charged = entry.request, entry.credits_charged
    if request.status == "cancelled":
        # refunded, whatever it had cost
        return [notes.CANCELLED]
    # less than what is accepted by now is what earlier orders cost, before it rose
    said = [notes.another_price(charged, price)] if charged is not None and charged > price else []
    if request.status not in STATUSES:
        return [notes.unknown_status(request.status), *said]
    if request.status == "pending_corrections":
        return [notes.REPORTED, *said]
    if request.lacks_its_code:
        return [notes.WITHOUT_A_CODE, *said]
    if entry.origin is Origin.ADOPTED_OPEN and request.code:
        return said  # taken over while open: worth saying until the code is there
    return [notes.adopted(entry.origin, price), *said]


def _shows_an_earlier_one(context: RowContext) -> bool:
    """Whether the row shows a request that is no younger than the latest one that is known."""
    latest = context.entry.request.created_at if context.entry else None
    known = (each.request for each in context.known.generations(context.row.key))
    made = next((request.created_at for request in known if request.id == context.row.shown_id), None)
    return bool(made and latest and made <= latest)


def _is_dead(context: RowContext, code: str) -> bool:
    """Whether a code that was shown is cancelled: the latest request's, or one that a waiting mark keeps in the row."""
    entry, row = context.entry, context.row
    cancelled = [each for each in context.known.generations(row.key) if each.request.status == "cancelled"]
    if (
        entry
        and entry in cancelled
        and row.shown_id == entry.request.id
        and notes.CODE_CANCELLED in row.text("sync_note")
    ):
        # TokPortal no longer tells whether there was a code: a ledger that is new knows it by the row's own note
        return True
    return any(each.request.code and (each is entry or each.request.code == code) for each in cancelled)


def _code_notes(context: RowContext, shown: Code | None, found: Sequence[Code]) -> list[str]:
    """What the person should know about the code that the row shows, and about the others that may still run."""
    said, entry = [], context.entry
    if entry and shown and shown.entry is not entry:
        said.append(notes.RENEWAL_UNDER_WAY if entry.request.is_open else notes.EARLIER_CODE_SHOWN)
    if shown and shown.entry.origin is Origin.IMPORTED:
        said.append(notes.NOT_CONFIRMED)
    said += tiktok_notes(context, shown.entry) if shown else []
    said.append(_others(context, shown.text if shown else "", found))
    return said + (_said_of_another(context, shown.text) if shown else [])


def _others(context: RowContext, code: str, found: Sequence[Code]) -> str:
    """The codes that may still run beside the one that the row shows."""
    ends = [_moment(other.window.ends, context.time_zone) for other in found if other.text != code and other.runs]
    return notes.others_run(ends) if ends else ""


def _said_of_another(context: RowContext, code: str) -> list[str]:
    """What stands in the row and was typed for another code than this one."""
    said = []
    typed = typed_for(context, "known_expiry", context.name_of(code))
    if context.first.cells.get("known_expiry", "") != "" and typed == "":
        said.append(notes.expiry_of_another_code(context.header("known_expiry")))
    if context.row.text("paid_status").casefold() == "retired" and not is_retired(context, code):
        said.append(notes.retired_another_code(context.header("paid_status")))
    return said


def _moment(ends: datetime | None, time_zone: str) -> str:
    return shown_instant(ends, time_zone) if ends else ""


def _remembered(entry: Entry, row: Row) -> Entry:
    """The entry, with the origin that the row still tells when the ledger was lost."""
    if entry.origin is not Origin.FOUND or row.shown_id != entry.request.id:
        return entry
    # the ledger does not know how the request came to be; the row's own note is all that is left
    said = row.text("sync_note")
    origin = next((origin for origin, note in notes.ADOPTED.items() if said.startswith(note)), entry.origin)
    return replace(entry, origin=origin)
