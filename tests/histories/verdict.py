"""What every row must say in the end, told from TokPortal's books and from what people typed: a second opinion.

Shares no code with the program's projection.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from histories.desk import ACTION, KEY, MACHINE, VIDEOS, Desk
from histories.invariants import Judge
from histories.seen import text
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sync.report import Report

EPOCH = datetime(1899, 12, 30)


def all_right(desk: Desk, judge: Judge, report: Report) -> Iterator[str]:
    """Everything that is not as it must be, in words."""
    if report.error and report.exit_code != 3:
        yield f"the last run ended with {report.error!r}"
        return
    yield from _strays(desk, judge)
    yield from desk.beside.wrong() if desk.beside else ()
    for row, typed in desk.typed.items():
        for token, value in typed.items():
            cell = desk.cell(row, token)
            if cell != value and cell not in judge.either.get((row, token), ()):
                yield f"row {row}: {token} says {cell!r}, a person typed {value!r}"
        said = {token: desk.cell(row, token) for token in MACHINE}
        yield from (f"row {row}: {wrong}" for wrong in _wrong_row(desk, judge, row, said))


def _strays(desk: Desk, judge: Judge) -> Iterator[str]:
    tokens, ids = desk.header_tokens(), desk.row_ids()
    if sorted(filter(None, ids)) != sorted(desk.typed):
        yield f"the rows are {ids}, not {list(desk.typed)}"
    for number, line in enumerate(desk.sheet.rows[1:]):
        row = ids[number] if number < len(ids) else ""
        for column, cell in enumerate(line):
            if cell is None or cell.value is None:
                continue
            token = tokens[column] if column < len(tokens) else ""
            if cell.value in judge.either.get((row, token), ()):
                continue
            if not row or not token or (token not in MACHINE and token not in desk.typed.get(row, {})):
                yield f"nobody typed {cell.value!r} in line {number + 2}, column {column + 1} ({token or 'no name'})"


def _wrong_row(desk: Desk, judge: Judge, row: str, said: dict[str, Any]) -> Iterator[str]:
    video = text(desk.cell(row, KEY))
    if text(desk.cell(row, ACTION)):
        return  # judged when the run ended: it says why
    if video and said["Status"] == "ordering" and ("Status", "ordering") not in judge.litter.get(row, ()):
        yield "a claim was left behind"
    if video not in VIDEOS:
        return
    known = desk.machines[0].ledger.known(desk.tracker.name).latest.get(video)
    latest = desk.portal.latest(video)
    if known is None:
        if judge.lost and any(token == "Request ID" for token, _ in judge.litter.get(row, ())):
            return  # somebody typed over the Request ID, and the ledger is lost: nobody knows whose cells these are
        yield from _left_alone(desk, judge, row, said)
        return
    request = desk.portal.by_id[known.request.id]
    if latest is not None and request is not latest and latest.ordered_by == "api" and not judge.lost:
        yield f"the ledger takes {request.id} for the latest of {video}, it is {latest.id}"
    forgotten = judge.lost and request.code is None and request.status != "cancelled"
    for token, value in _right(desk, row, request, forgotten and said["Spark code"] == "").items():
        if token in ("Expiry", "Stage") and desk.machines[0].clock.offset:
            continue  # by a clock that is wrong
        if not _same(said[token], value):
            yield f"{token} of {video} says {said[token]!r}, not {value!r}"


def _left_alone(desk: Desk, judge: Judge, row: str, said: dict[str, Any]) -> Iterator[str]:
    """A row that nothing was ever ordered for keeps what people put there, and nothing else.

    What rows of a lost ledger show of another video stays, since it is all that is left; their note names one of them.
    So does what was left under a Video ID typed over, where somebody typed over the Request ID too, and the note says
    that TokPortal knows of no such request: whose cells these are, a person has to say.
    """
    shows, note = said["Request ID"], text(said["Sync note"])
    named = [id for id in desk.portal.by_id if judge.lost and id in note]
    is_typed = ("Request ID", shows) in judge.litter.get(row, ()) and f"though {shows} was seen here" in note
    if is_typed or (named and shows in desk.portal.by_id):
        return
    typed = {text(cell) for litter in judge.litter.values() for token, cell in litter if token == "Request ID"}
    told = named or any(id and id in note for id in typed)  # that TokPortal knows of none
    freely = ("Updated at", "Sync note") if told else ("Updated at",)
    for token, cell in said.items():
        if cell != "" and token not in freely and (token, cell) not in judge.litter.get(row, ()):
            yield f"{token} says {cell!r}, though nothing was ever ordered and nobody typed it"


def _right(desk: Desk, row: str, request: AdCodeRequest, forgotten: bool) -> dict[str, Any]:
    # while it is being corrected TokPortal may tell no code: the row keeps the one that was reported, unless the
    # ledger was lost with it
    code = (request.code or "".join(request.codes[-1:])) if request.status != "cancelled" and not forgotten else ""
    ends = _ends(desk, row, request) if code else None
    word = _word(desk, ends) if ends else ""
    paid = desk.typed[row].get("Paid status", "")
    stage = "retired" if paid == "retired" else word if word in ("expired", "renewal needed") else ""
    waits = "requested" if request.status not in ("finalized", "cancelled") else ""
    return {
        "Status": request.status,
        "Spark code": code,
        "Requested at": _serial(desk, request.created_at),
        "Request ID": request.id,
        "Expires at": _serial(desk, ends),
        "Expiry": word,
        "Stage": stage or paid or ("received" if code else waits),
    }


def _ends(desk: Desk, row: str, request: AdCodeRequest) -> datetime:
    typed = desk.typed[row].get("Known expiry", "")
    if isinstance(typed, int):
        local = (EPOCH + timedelta(days=typed)).replace(tzinfo=_zone(desk))
        return local.astimezone(UTC)
    return request.created_at.replace(microsecond=0) + timedelta(days=30)


def _word(desk: Desk, ends: datetime) -> str:
    left = ends - desk.world.clock.now()
    return "expired" if left <= timedelta() else "renewal needed" if left <= timedelta(hours=72) else "ok"


def _zone(desk: Desk) -> Any:
    name = desk.book.time_zone
    return timezone(timedelta(hours=int(name[3:6]))) if name.startswith("GMT") else ZoneInfo(name)


def _serial(desk: Desk, moment: datetime | None) -> float | str:
    if moment is None:
        return ""
    local = moment.astimezone(_zone(desk)).replace(tzinfo=None, microsecond=0)
    return (local - EPOCH) / timedelta(days=1)


def _same(cell: Any, value: Any) -> bool:
    if isinstance(cell, int | float) and isinstance(value, int | float):
        return abs(cell - value) < 1e-6
    return type(cell) is type(value) and bool(cell == value)
