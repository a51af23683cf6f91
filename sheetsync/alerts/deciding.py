"""PURE: what there is to tell now: f(what the ledger knows, the settings, now) -> alerts with stable ids (design 1.7).

Owns when something is told, and its words. Who is told, and in which message, is `digest.py`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sheetsync.alerts.alert import Alert, Happening, Kind, PurseFacts, RunEnded, TrackerFacts
from sheetsync.model import Tracker, fingerprint
from sheetsync.receivers import Alerting
from sheetsync.steps import RowSeen, link_to

LONG_WAIT = timedelta(days=1)
"""Rows that wait for a person longer than this are told."""

SAME_END = timedelta(days=1)
"""An end that moves out by less (an estimate that a person made exact) begins no new ladder."""

GOOD, REFUSED = 0, 3  # exit codes of a run (design 7)


def of_tracker(
    tracker: Tracker, facts: TrackerFacts, alerting: Alerting, is_locked: bool, now: datetime
) -> list[Alert]:
    """All that is so of one tracker now, told or not. `is_locked` if a price keeps its orders back."""
    found = [
        *_about_rows(tracker, facts, alerting, now),
        *_about_runs(tracker.name, facts, alerting.failing_runs, is_locked),
        *_about_tiktok(tracker, facts),
        *_still_so([*facts.open, *_happened(tracker.name, facts)], facts),
    ]
    return [_at_its_row(alert, tracker, facts.rows.get(alert.video_id)) for alert in found]


def of_purse(purse: PurseFacts, alerting: Alerting) -> Iterator[Alert]:
    """What concerns every tracker of an API key."""
    if purse.balance and purse.balance[0] < alerting.credits_below.credits(purse.price):
        credits, told_at = purse.balance
        codes = max(0, credits // purse.price)
        text = f"{credits} credits are left, enough for {codes} code{'' if codes == 1 else 's'}. Top up at TokPortal."
        # low until it was seen not to be: a further order is no further alert
        yield replace(purse.low, text=text) if purse.low else Alert(f"credits/{_name(told_at)}", Kind.CREDITS, "", text)
    if purse.lock and purse.locked_at:
        text = f"{purse.lock} No code is ordered until somebody accepts a price: sheetsync sync --accept-price N"
        yield Alert(f"price/{purse.api_key}/{_name(purse.locked_at)}", Kind.PRICE, "", text)


def _at_its_row(alert: Alert, tracker: Tracker, row: RowSeen | None) -> Alert:
    """The alert as its row is now; where it has none any more, as it was."""
    if row is None:
        return alert
    link = link_to(tracker.spreadsheet, row.place)
    return replace(alert, creator=row.creator, client=row.client, owner=row.owner, link=link)


def _about_rows(tracker: Tracker, facts: TrackerFacts, alerting: Alerting, now: datetime) -> Iterator[Alert]:
    for row in facts.rows.values():
        if row.hold and row.waits_since and now - row.waits_since > LONG_WAIT:
            text = f"The row waits for somebody since {_stamp(row.waits_since)}: {row.hold}"
            yield Alert(_id(tracker.name, "waits", row, row.waits_since), Kind.WAITS, tracker.name, text, row.video_id)
        if row.ends and (step := _step(row, row.ends, alerting.ladder_hours, now)) is not None:
            told = {h: _told_of_end(tracker.name, row, row.ends, h, facts) for h in alerting.ladder_hours if h <= step}
            # an end that moved a little may bring a longer step back: it says nothing new
            if not any(told[h] for h in told if h < step):
                yield _ending(tracker.name, row, row.ends, step, told[step])


def _step(row: RowSeen, ends: datetime, ladder: Sequence[int], now: datetime) -> int | None:
    """The step of the ladder that a code in use is on: of all that have passed the most urgent."""
    # one that had ended before it was first seen in use is old news, and so is one that people retired
    if row.is_retired or not row.code_since or ends <= row.code_since:
        return None
    window = ends - row.begins if row.begins else timedelta.max
    return min((h for h in ladder if timedelta(hours=h) < window and now >= ends - timedelta(hours=h)), default=None)


def _told_of_end(tracker: str, row: RowSeen, ends: datetime, step: int, facts: TrackerFacts) -> Alert | None:
    """The alert that has already told this step, of this end."""
    earlier = facts.told.get(_subject(tracker, row, step))
    return earlier if earlier and earlier.moment and ends - earlier.moment < SAME_END else None


def _subject(tracker: str, row: RowSeen, step: int) -> str:
    return f"{tracker}/ends/{row.request_id}/{fingerprint(row.code).removeprefix('code ')}/{step}"


def _ending(tracker: str, row: RowSeen, ends: datetime, step: int, told: Alert | None) -> Alert:
    subject = _subject(tracker, row, step)
    name, moment = (told.id, told.moment) if told else (f"{subject}/{_name(ends)}", ends)
    when = f"ended on {_stamp(ends)}" if step == 0 else f"ends within {step} hours, on {_stamp(ends)}"
    if row.is_renewing:
        text = f"The code {when}. A renewal is under way: its code takes over when it is delivered."
    elif step == 0:
        text = f"The code {when}. Stop the ads that use it, or mark renew; retire what is not renewed."
    else:
        text = f"The code {when}. Decide: mark renew, or retire it."
    return Alert(name, Kind.ENDS, tracker, text, row.video_id, subject=subject, moment=moment)


def _about_runs(tracker: str, facts: TrackerFacts, most: int, is_locked: bool) -> Iterator[Alert]:
    refused = [run for run in facts.runs if run.exit_code == REFUSED]
    failed = [run for run in facts.runs if run.exit_code != REFUSED]
    # while a price locks the orders, its own alert says so
    if refused and facts.runs[-1].exit_code == REFUSED and not is_locked:
        yield _of_runs(tracker, Kind.REFUSED, "refused", refused, "A run was refused")
    subject = f"{tracker}/failing"
    if len(failed) >= most:
        since = f"{len(failed)} runs in a row did not end well, since {_stamp(failed[0].started_at)}; the last one"
        yield _of_runs(tracker, Kind.FAILING, "failing", failed, since)
    elif (before := facts.told.get(subject)) and before.moment and facts.last_good and facts.last_good > before.moment:
        text = f"Runs are good again, since {_stamp(facts.last_good)}."
        yield Alert(f"{before.id}/good", Kind.GOOD, tracker, text, subject=f"{subject}/good", moment=before.moment)


def _about_tiktok(tracker: Tracker, facts: TrackerFacts) -> Iterator[Alert]:
    """As long as it is so it is one alert, whatever token was tried."""
    trouble = facts.trouble
    if trouble and tracker.tiktok.is_on:
        text = f"{trouble.text} Until then what TikTok said before counts, and estimates."
        yield Alert(f"{tracker.name}/tiktok/{_name(trouble.since)}", Kind.TIKTOK, tracker.name, text)


def _of_runs(tracker: str, kind: Kind, word: str, runs: Sequence[RunEnded], said: str) -> Alert:
    subject, first, last = f"{tracker}/{word}", runs[0].started_at, runs[-1]
    text = f"{said}: {last.summary or f'exit code {last.exit_code}'}"
    return Alert(f"{subject}/{_name(first)}", kind, tracker, text, subject=subject, moment=first)


def _happened(tracker: str, facts: TrackerFacts) -> Iterator[Alert]:
    """What the events since the last look come to, for each ad code request once."""
    by_request: dict[tuple[str, str], list[Happening]] = {}
    for event in facts.happenings:
        by_request.setdefault((event.video_id, str(event.detail.get("request_id"))), []).append(event)
    for (video, request), events in by_request.items():
        found = _kind_of(events, request in facts.known_codes)
        if found:
            kind, text = found
            name = f"{tracker}/{kind.value.replace(' ', '-')}/{request}/{events[-1].id}"
            yield Alert(name, kind, tracker, text, video, subject=request)


def _kind_of(events: Sequence[Happening], had_code: bool) -> tuple[Kind, str] | None:
    changes = [event.detail for event in events if event.kind == "status"]
    if changes and changes[-1].get("to") == "cancelled":
        return Kind.CANCELLED, "TokPortal cancelled the request and refunded it. Mark request or renew to order again."
    # a row that told of its code itself brought nothing new
    is_new = any(event.kind == "code" for event in events) and not any(event.kind == "imported" for event in events)
    answers = [change for change in changes if change.get("from") == "pending_corrections"]
    if (answers and answers[-1].get("to") in ("in_review", "finalized")) or (is_new and had_code):
        same = "" if is_new else " with the same code"
        return Kind.ANSWERED, f"The correction was answered{same}: try the code that the row shows."
    return (Kind.RECEIVED, "A code was received: the row shows it.") if is_new else None


def _still_so(alerts: Sequence[Alert], facts: TrackerFacts) -> Iterator[Alert]:
    """Of what happened to a video only the newest is worth telling, and nothing that has been overtaken."""
    for alert in {alert.video_id: alert for alert in alerts}.values():
        if alert.kind is not Kind.CANCELLED or facts.latest.get(alert.video_id) == (alert.subject, "cancelled"):
            yield alert


def _id(tracker: str, word: str, row: RowSeen, moment: datetime) -> str:
    return f"{tracker}/{word}/{row.video_id}/{_name(moment)}"


def _name(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
