"""The codes of a video as a machine's ledger holds them, and when each may end: the judge's own reckoning.

Where a ledger was lost, or two codes have come and gone, nobody knows any more for which code a date was typed: a code
then has several ends, and each of them will do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from support import ledgers

from histories.desk import KEY, Desk
from histories.invariants import Judge
from histories.seen import text
from sheetsync.model import Entry, Known, Origin
from sheetsync.sandbox.tokportal.portal import AdCodeRequest

EPOCH = datetime(1899, 12, 30)
DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Authorization:
    """A code that was not cancelled; `ends` are the moments that may be its end."""

    code: str
    is_reported: bool
    ends: tuple[datetime | None, ...]


def authorizations(
    desk: Desk, judge: Judge, row: str, latest: AdCodeRequest | None, known: Known
) -> list[Authorization]:
    """The codes that a machine knows of a row's video, newest first; `latest` is the request that it knows last."""
    found = []
    for entry in known.generations(text(desk.cell(row, KEY))):
        code, status = _told(entry, latest, judge.lost)
        if code and status != "cancelled":
            ends = _ends(desk, row, entry, certain(desk, judge, row))
            found.append(Authorization(code, status == "pending_corrections", ends))
    return found


def _told(entry: Entry, latest: AdCodeRequest | None, lost: bool) -> tuple[str, str]:
    """The code and status of a generation. While it is corrected TokPortal may tell no code: the last one stays, unless
    the ledger was lost with it.
    """
    if latest and entry.request.id == latest.id:
        code = latest.code or "".join(latest.codes[-1:])
        return entry.request.code or "" if lost else code, latest.status
    return entry.request.code or "", entry.request.status


def certain(desk: Desk, judge: Judge, row: str) -> bool:
    """Whether what was typed in a row can only be meant of the one code that its video ever had."""
    video = text(desk.cell(row, KEY))
    codes = [code for request in desk.portal.by_video.get(video, ()) for code in request.codes]
    rows = [other for other in desk.typed if text(desk.cell(other, KEY)) == video]
    return len(codes) == 1 and rows == [row] and row not in judge.odd and not judge.lost


def _ends(desk: Desk, row: str, entry: Entry, is_certain: bool) -> tuple[datetime | None, ...]:
    created = entry.request.created_at
    natural = entry.ends or (created.replace(microsecond=0) + DAYS if created else None)
    typed = desk.typed[row].get("Known expiry", "")
    if is_certain and isinstance(typed, int):
        ends = _moment(desk, typed)
        # a date from before the order is another code's to a machine that never saw it typed ("Not promised")
        is_of_two = created is not None and ends < created and not ledgers.is_shared()
        return (natural, ends) if is_of_two else (ends,)
    if is_certain:
        return (natural,)
    typed_over = {token for each in desk.rubbish.values() for token, _ in each}
    more: set[datetime | None] = set()
    if entry.origin is Origin.IMPORTED and ("Expires at" in typed_over or desk.had_other_hours):
        # a row alone told of its end, and somebody had typed over that, or the hours of the sheet are others now
        found = [r.created_at for r in desk.portal.by_id.values() if entry.request.code in r.codes]
        more = {at.replace(microsecond=0) + DAYS for at in found}
    return tuple({natural, *more, *(_moment(desk, date) for date in desk.dates)})


def in_use(
    codes: Sequence[tuple[Authorization, datetime | None]], now: datetime
) -> tuple[Authorization, datetime | None] | None:
    """The newest that runs and was not reported; else the newest reported one; else the newest expired one.

    Of one without an end nobody knows that it has outlived a later one.
    """
    first = next((n for n, (_, ends) in enumerate(codes) if ends and ends <= now), len(codes))
    running = [
        (code, ends) for n, (code, ends) in enumerate(codes) if (ends or n < first) and not (ends and ends <= now)
    ]
    working = [(code, ends) for code, ends in running if not code.is_reported]
    return next(iter([*working, *running, *codes]), None)


def _moment(desk: Desk, day: int) -> datetime:
    return (EPOCH + timedelta(days=day)).replace(tzinfo=zone(desk)).astimezone(UTC)


def zone(desk: Desk) -> Any:
    """The spreadsheet's time zone."""
    name = desk.book.time_zone
    return timezone(timedelta(hours=int(name[3:6]))) if name.startswith("GMT") else ZoneInfo(name)


def serial(desk: Desk, moment: datetime | None) -> float | str:
    """A moment as the sheet holds it."""
    if moment is None:
        return ""
    local = moment.astimezone(zone(desk)).replace(tzinfo=None, microsecond=0)
    return (local - EPOCH) / timedelta(days=1)
