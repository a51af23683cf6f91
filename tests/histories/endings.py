"""What must hold when a run has ended: 4 (codes), 6 (reasons) and 8 (secrets) of issue 4's invariants, and 9: a code
that may still run is shown in its row or spoken of in its note with its end, and a dead one is never shown without a
word.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from histories.codes import authorizations, zone
from histories.desk import ACTION, KEY, MACHINE, Desk
from histories.invariants import Judge
from histories.seen import Run, Violation, id_in, reached_the_sheet, text
from sheetsync.model import Known
from sheetsync.sync.report import Report

LONGEST = timedelta(minutes=10)
"""No run takes longer."""


def ended(judge: Judge, run: Run, report: Report) -> None:
    """All of it, for a run that came to its end."""
    logs(judge, [str(report.error or ""), *report.warnings])
    codes(judge, run, report.error is not None)
    if not (_is_kept_out(judge.desk) or run.people) and "protected range" in str(report.error or ""):
        judge.say(107, f"rows that are protected kept all others from being written: {report.error}")
    # what cannot be written cannot say why: a protection, or the write of a run that had stopped before
    kept_out = judge.desk.is_kept_out or bool(report.error and report.warnings)
    if not run.people and not report.unplaced and reached_the_sheet(report) and not kept_out:
        reasons(judge, report)
        if judge.desk.sheet.attached.get("merges"):
            merged(judge, run, report)
        if not run.machine.clock.offset:
            known = run.machine.ledger.known(judge.desk.tracker.name)
            for row in judge.desk.typed:
                if judge.desk.is_locked(row):
                    continue
                for wrong in unspoken(judge, known, row):
                    judge.say(9, f"row {row}: {wrong}")


def _is_kept_out(desk: Desk) -> bool:
    """Whether nothing at all may be written: each row is protected, or Google puts a write for another into one."""
    rows = [row for row in desk.typed if text(desk.cell(row, KEY)) != ""]
    return desk.is_kept_out or bool(desk.sheet.displaced) or all(map(desk.is_locked, rows))


def logs(judge: Judge, more: list[str]) -> None:
    """8: no key or code is in a log or in a message."""
    said = "\n".join([*judge.desk.listener.lines, *more])
    judge.desk.listener.lines.clear()
    if judge.desk.portal.key in said:
        judge.say(8, "the API key is in a log or an error")
    if "#" in said:
        codes = [code for request in judge.desk.portal.requests for code in request.codes]
        judge.violations += [Violation(8, f"a code is in a log or an error: {c}") for c in codes if c in said]


def codes(judge: Judge, run: Run, stopped: bool) -> None:
    """4: each code that was answered is in the ledger of the machine that asked, or can be had again by a GET."""
    new = {(v, a.id, a.code) for v, told in run.answers.items() for a in told if a.code}
    mine = judge.kept[run.machine.name]
    for video, request, code in sorted(new - mine):
        books = run.machine.ledger.entries(video, judge.desk.tracker.name)
        if any(book.entry.request.id == request and code in [c for _, c in book.codes] for book in books):
            mine.add((video, request, code))
        elif not (stopped and judge.desk.portal.by_id[request].code == code):
            judge.say(4, f"the code of {request} for {video} was told, and is not in the ledger")


def codes_kept(judge: Judge) -> None:
    """4, at the end: no code that was in a ledger has left it."""
    for machine in judge.desk.machines:
        held: dict[str, set[tuple[str, str]]] = {}
        for video, request, code in judge.kept[machine.name]:
            if video not in held:
                books = machine.ledger.entries(video, judge.desk.tracker.name)
                held[video] = {(book.entry.request.id, c) for book in books for _, c in book.codes}
            if (request, code) not in held[video]:
                judge.say(4, f"the code of {request} for {video} has left the ledger of {machine.name}")


def reasons(judge: Judge, report: Report) -> None:
    """6: a row whose mark stands says why, in its note or, without a key, in the run's output."""
    named = {hold.row for hold in report.holds}
    for row in judge.desk.typed:
        if text(judge.desk.cell(row, ACTION)) == "":
            continue
        if text(judge.desk.cell(row, KEY)) == "":
            if judge.desk.line(row) + 1 not in named:
                judge.say(6, f"row {row} has a mark and no video id, and the run does not name it")
        elif judge.desk.is_hidden(row, "Sync note") or judge.desk.is_locked(row):
            if text(judge.desk.cell(row, KEY)) not in {hold.video_id for hold in report.holds}:
                judge.say(6, f"row {row} has a mark and a hidden note, and the run does not name it")
        elif text(judge.desk.cell(row, "Sync note")) == "":
            judge.say(6, f"row {row} has the mark {judge.desk.cell(row, ACTION)!r} and does not say why it stands")


def merged(judge: Judge, run: Run, report: Report) -> None:
    """6: a row that cannot show all that is known says so, or the run does where its note cannot."""
    desk, named = judge.desk, {hold.video_id for hold in report.holds}
    known = run.machine.ledger.known(desk.tracker.name).latest
    for row in desk.typed:
        hidden = [token for token in MACHINE if desk.is_hidden(row, token)]
        video, told = text(desk.cell(row, KEY)), "unmerge" in text(desk.cell(row, "Sync note"))
        mute = "Sync note" in hidden or desk.is_protected(row, "Sync note")
        if hidden and video in known and not told and not (mute and video in named):
            judge.say(6, f"row {row} does not say that {hidden} cannot be seen")


def unspoken(judge: Judge, known: Known, row: str) -> Iterator[str]:
    """9, by what the machine knows."""
    desk, now = judge.desk, judge.desk.world.clock.now()
    if any(desk.is_hidden(row, token) for token in ("Spark code", "Expiry", "Sync note")):
        return  # what merged cells cannot show, they need not say
    if text(desk.cell(row, KEY)) not in known.latest and id_in(desk.cell(row, "Request ID")) == "":
        return  # nothing was requested: what a copied or misplaced row once told is no code of this video's
    shown, note = text(desk.cell(row, "Spark code")), text(desk.cell(row, "Sync note"))
    for code in authorizations(desk, judge, row, None, known):
        over = [end for end in code.ends if end and end <= now]
        if code.code == shown:
            if len(over) == len(code.ends) and max(over) < now - LONGEST and desk.cell(row, "Expiry") != "expired":
                yield f"{shown} has ended, and its row does not say so"
        elif not over and not any(_end(desk, end) in note for end in code.ends):
            yield f"{code.code} may still run until {code.ends}, and its row says {shown!r} and {note!r}"
    generations = known.generations(text(desk.cell(row, KEY)))
    dead = [entry.request for entry in generations if entry.request.status == "cancelled" and entry.request.code]
    was_shown = any(
        # one that the note names as older than what only the row knows of is not the row's
        request.code == shown or (request is generations[0].request and f"{request.id}, an older request" not in note)
        for request in dead
    )
    if was_shown and "cancelled the code" not in note:
        yield f"{dead[0].code} was cancelled, and its row says {note!r}"


def _end(desk: Desk, moment: datetime | None) -> str:
    return f"until {moment.astimezone(zone(desk)):%Y-%m-%d %H:%M}" if moment else "with no known end"
