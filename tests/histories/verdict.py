"""What every row must say in the end, told from TokPortal's books and from what people typed: a second opinion.

Shares no code with the program's projection.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from support import ledgers

from histories.codes import Authorization, authorizations, certain, in_use, serial
from histories.desk import ACTION, KEY, MACHINE, VIDEOS, Desk
from histories.invariants import Judge
from histories.seen import id_in, text
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sync.report import Report


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
            is_box = cell.value is False and token == "Caption final"  # of a row that is still to be filled in
            if cell.value in judge.either.get((row, token), ()) or (is_box and not row):
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
    rights = list(_rights(desk, judge, row, request))
    by_a_wrong_clock = ("Expiry", "Stage") if desk.machines[0].clock.offset else ()
    wrong = [
        [token for token in right if token not in by_a_wrong_clock and not _same(said[token], right[token])]
        for right in rights
    ]
    best = min(range(len(rights)), key=lambda n: len(wrong[n]))
    for token in wrong[best]:
        yield f"{token} of {video} says {said[token]!r}, not {rights[best][token]!r}"
    yield from _wrong_cost(desk, judge, row, video, said["Credits charged"])


def _left_alone(desk: Desk, judge: Judge, row: str, said: dict[str, Any]) -> Iterator[str]:
    """A row that nothing was ever ordered for keeps what people put there, and nothing else.

    What rows of a lost ledger show of another video stays, since it is all that is left; their note names one of them.
    So does what was left under a Video ID typed over, where somebody typed over the Request ID too, and the note says
    that TokPortal knows of no such request, or what was typed can be none: whose cells these are, a person has to say.
    """
    shows, note = said["Request ID"], text(said["Sync note"])
    named = [id for id in desk.portal.by_id if judge.lost and id in note]
    is_typed = ("Request ID", shows) in judge.litter.get(row, ())
    is_told = f"though {shows} was seen here" in note or not id_in(shows)  # a word that can be no id
    if (is_typed and is_told) or (named and shows in desk.portal.by_id):
        return
    typed = {text(cell) for litter in judge.litter.values() for token, cell in litter if token == "Request ID"}
    is_watched = any(token == "Spark code" for token, _ in judge.litter.get(row, ()))
    told = is_watched or named or any(id and id in note for id in typed)  # that TokPortal knows of none
    freely = ("Updated at", "Sync note") if told else ("Updated at",)
    # a code of people's own is watched
    freely += ("Expires at", "Expiry", "Stage", "Missing") if is_watched else ()
    for token, cell in said.items():
        if cell != "" and token not in freely and (token, cell) not in judge.litter.get(row, ()):
            yield f"{token} says {cell!r}, though nothing was ever ordered and nobody typed it"


def _rights(desk: Desk, judge: Judge, row: str, request: AdCodeRequest) -> Iterator[dict[str, Any]]:
    """What a row may say: one thing, unless nobody can know any more for which code a date or a word was typed."""
    paid, is_certain = desk.typed[row].get("Paid status", ""), certain(desk, judge, row)
    codes = authorizations(desk, judge, row, request, desk.machines[0].ledger.known(desk.tracker.name))
    for ends in itertools.product(*(code.ends for code in codes)):
        used = in_use(list(zip(codes, ends, strict=True)), desk.world.clock.now())
        for retired in {paid == "retired", paid == "retired" and is_certain}:
            yield {
                "Status": request.status,
                "Requested at": serial(desk, request.created_at),
                "Request ID": request.id,
                **_of_code(desk, row, used, "retired" if retired else "" if paid == "retired" else paid, request),
            }


def _of_code(
    desk: Desk, row: str, used: tuple[Authorization, datetime | None] | None, paid: str, request: AdCodeRequest
) -> dict[str, Any]:
    code, ends = (used[0].code, used[1]) if used else ("", None)
    word = _word(desk, ends) if code else ""
    stage = "retired" if paid == "retired" else word if word in ("expired", "renewal needed") else ""
    waits = "requested" if request.status not in ("finalized", "cancelled") else ""
    empty = [] if desk.typed[row].get("Market", "") else ["Market"]
    return {
        "Spark code": code,
        "Expires at": serial(desk, ends),
        "Expiry": word,
        "Stage": stage or paid or ("received" if code else waits),
        "Missing": ", ".join([*empty, *["window"] * (word == "no window")]) if code else "",
    }


def _wrong_cost(desk: Desk, judge: Judge, row: str, video: str, said: Any) -> Iterator[str]:
    """Of duplicates the first says what the video has cost, refunds deducted, where one ledger saw all of it.

    TokPortal tells of the latest request alone, and not who ordered it: that one before it was refunded, a run that
    came too late cannot know; nor that an order whose answer was lost is not the one that the dashboard made since.
    """
    first = next(id for id in desk.row_ids() if text(desk.cell(id, KEY)) == video)
    requests = desk.portal.by_video[video]
    paid = [request for request in requests if request.ordered_by == "api"]
    if row != first:
        if said != "":
            yield f"Credits charged of {video} says {said!r} in a row that is not its first"
    elif (
        judge.spenders.get(video, {"A"}) == {"A"}
        and not (judge.lost or video in judge.untold)
        and all(each.charged == 7 for each in paid)
    ):
        cost = sum(each.charged - each.refunded for each in paid)
        seen = set.union(*judge.refunds.values()) if ledgers.is_shared() else set.intersection(*judge.refunds.values())
        unseen = sum(each.refunded for each in paid if each.id not in seen)
        lost = judge.unclear.get(video, set()) - {each.idempotency_key for each in paid}
        most = cost + unseen + 7 * min(len(lost), len(requests) - len(paid))
        told = {cell for litter in judge.litter.values() for token, cell in litter if token == "Credits charged"}
        may = list[Any](range(cost, most + 1, 7)) if paid or most else []
        carried = [cell for other in judge.twins(row) for cell in judge.carried.get(other, ())]
        may += [*carried, *(cost + cell for cell in carried if isinstance(cell, int))]
        if not told and said not in (may if paid else ["", *may]):
            yield f"Credits charged of {video} says {said!r}, not {cost!r}"


def _word(desk: Desk, ends: datetime | None) -> str:
    if ends is None:
        return "no window"
    left = ends - desk.world.clock.now()
    return "expired" if left <= timedelta() else "renewal needed" if left <= timedelta(hours=72) else "ok"


def _same(cell: Any, value: Any) -> bool:
    if isinstance(cell, int | float) and isinstance(value, int | float):
        return abs(cell - value) < 1e-6
    return type(cell) is type(value) and bool(cell == value)
