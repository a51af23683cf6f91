"""PURE: what is due, what each mark does, the gates, and the limits.

Owns design 3 (the table of marks, the gates, the refusals) and the settling of design 4.5. Values in, values
out: it knows no network, file, clock or log, and spends nothing; `execute.py` carries the plan out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sheetsync.columns import MARKS, PLATFORMS, header_of, ticked
from sheetsync.model import (
    PRICE,
    AdCodeRequest,
    Adopt,
    Correct,
    Entry,
    Failure,
    FailureKind,
    Hold,
    HoldKind,
    Intent,
    Known,
    Lapse,
    Mark,
    Observation,
    Order,
    Origin,
    Plan,
    Refusal,
    Renew,
    Row,
    Step,
    Tracker,
)
from sheetsync.projection.cells import shown_code

SETTLE_AFTER = timedelta(minutes=1)
"""An uncertain order is not sent again before this, and only by a later run (design 4.5)."""

NOTE_LIMIT = 500
FEEDBACK_LENGTH = range(3, 501)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a plan is made from. `balance` is None where it could not be read, or was not needed."""

    rows: Sequence[Row]
    known: Known
    observations: Mapping[str, Observation]
    tracker: Tracker
    now: datetime
    run_id: str
    balance: int | None = None


# --- what is due ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Due:
    """Videos to observe, each once: `first` must be looked at, `later` are open requests, most overdue first."""

    first: tuple[str, ...]
    later: tuple[str, ...]


def due(rows: Sequence[Row], known: Known, now: datetime) -> Due:
    """Which videos this run has to look at (design 3.2)."""
    keyed = [row for row in rows if key_problem(row) is None]
    marked = [row.key for row in acting(keyed) if not _pauses(row, known, now)]
    strange = [row.key for row in keyed if _disagrees(row, known.latest.get(row.key))]
    waiting = sorted(
        (video for video, entry in known.latest.items() if entry.request.is_open),
        key=lambda video: (known.latest[video].seen_at, video),
    )
    first = tuple(dict.fromkeys([*marked, *known.unsettled, *strange]))
    return Due(first, tuple(video for video in waiting if video not in first))


def acting(rows: Iterable[Row]) -> list[Row]:
    """The rows whose mark acts: of rows with one key, the first marked one (design 3)."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.text("action"):
            # rows without a key are no twins: each is named
            first.setdefault(row.key or f" row {row.number}", row)
    return list(first.values())


def _disagrees(row: Row, entry: Entry | None) -> bool:
    """Whether the row tells of something that the ledger does not know: then TokPortal is asked who is right.

    Another machine, or one whose state was put back to an older copy, may have seen a request go on after it was
    closed: by a correction, say.
    """
    shown = row.text("request_id")
    if entry is None or shown != entry.request.id:
        return shown != ""
    told = (row.text("status"), row.text("spark_code"))
    return not entry.request.is_open and told != (entry.request.status, shown_code(entry.request))


def _pauses(row: Row, known: Known, now: datetime) -> bool:
    refusal = known.refusals.get(row.key)
    return bool(refusal and refusal.mark == row.text("action").casefold() and now < refusal.retry_at)


def needs_balance(rows: Sequence[Row]) -> bool:
    """Whether a row may lead to an order, so that the balance has to be known."""
    return any(row.text("action").casefold() in (Mark.REQUEST, Mark.RENEW) for row in rows if row.key)


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{2,127}")


def key_problem(row: Row) -> str | None:
    """Why the key cannot be a TokPortal video id; None if it can. Raises nothing."""
    cell = row.cells.get("video_id", "")
    if not row.key:
        return "has a mark but no video id: fill in TokPortal's video id"
    if not isinstance(cell, str) or (row.key.isdigit() and len(row.key) >= 15):
        return "This is a number, like a TikTok post id. Put TokPortal's video id here, as text."
    if "/" in row.key:
        return "This is a link. Put TokPortal's video id here."
    if not _ID.fullmatch(row.key):
        return "This cannot be a TokPortal video id (letters, digits and dashes)."
    return None


# --- the plan -------------------------------------------------------------------------------------------------


def make_plan(world: Situation) -> Plan:
    """Steps and holds for every marked row and every unsettled intent."""
    marked = acting(world.rows)
    found = [step for row in marked for step in _serve(row, world)]
    served = {row.key for row in marked}
    for video_id, intent in world.known.unsettled.items():
        if video_id not in served:
            found.append(_settle(None, intent, world))
    steps = tuple(step for step in found if not isinstance(step, Hold))
    holds = tuple(hold for hold in found if isinstance(hold, Hold))
    return _within_credits(Plan(steps, holds), world)


def _serve(row: Row, world: Situation) -> list[Step | Hold]:
    problem = key_problem(row)
    if problem:
        return [Hold(row.key, row.number, problem)]
    intent = world.known.unsettled.get(row.key)
    if not intent:
        return [_answer(row, world)]
    settled = _settle(row, intent, world)
    # an order that is settled stands in nobody's way any more: another mark of now is served at once
    over = isinstance(settled, Lapse) or (isinstance(settled, Adopt) and settled.mark is None)
    return [settled, _answer(row, world)] if over else [settled]


def _answer(row: Row, world: Situation) -> Step | Hold:
    word = row.text("action").casefold()
    if word not in MARKS:
        return Hold(row.key, row.number, f"Action must be one of {', '.join(MARKS)}, or empty.")
    if _pauses(row, world.known, world.now):
        return Hold(row.key, row.number, world.known.refusals[row.key].text)
    failure = _failure(row.key, world)
    if failure:
        kind = HoldKind.PERSON if failure.kind is FailureKind.REFUSED else HoldKind.WORLD
        return Hold(row.key, row.number, failure.text, kind)
    return _decide(row, Mark(word), world.observations[row.key].request, world.tracker)


NOT_REACHED = Failure(FailureKind.UNAVAILABLE, "Not reached in the time of this run; the next run goes on.")


def _failure(video_id: str, world: Situation) -> Failure | None:
    observation = world.observations.get(video_id)
    return observation.failure if observation else NOT_REACHED


def _decide(row: Row, mark: Mark, latest: AdCodeRequest | None, tracker: Tracker) -> Step | Hold:
    if mark is Mark.CORRECT:
        return _correct(row, latest)
    if latest is None:
        # TokPortal knows of no request for this video
        if mark is Mark.RENEW:
            return Hold(row.key, row.number, "Nothing to renew: this video has no code yet. Mark request instead.")
        return _order(row, mark, None, tracker)
    shown = row.text("request_id")
    if shown != latest.id and not (mark is Mark.REQUEST and latest.status == "cancelled" and not shown):
        # the row shows another request than the latest, or none: what the mark asks for has already happened
        return Adopt(row.key, row.number, mark, latest, _origin(mark, latest, shown))
    if latest.is_open:
        if mark is Mark.REQUEST:
            return Adopt(row.key, row.number, mark, latest, Origin.ADOPTED_OPEN)
        return Hold(row.key, row.number, _STILL_OPEN)
    if latest.status == "cancelled":
        # the last one was refunded, and the row says so or never showed it
        return _order(row, mark, latest.id, tracker)
    if mark is Mark.REQUEST:
        return Hold(row.key, row.number, f"Already has a code. Mark renew to order another ({PRICE} credits).")
    # finished, and the person saw it: a renewal
    return _order(row, mark, latest.id, tracker)


_STILL_OPEN = (
    "A request is still open. This mark orders another code once it is delivered; clear Action if you do not want that."
)


def _origin(mark: Mark, latest: AdCodeRequest, shown: str) -> Origin:
    if shown:
        return Origin.ADOPTED_RENEWED
    if latest.is_open:
        return Origin.ADOPTED_OPEN if mark is Mark.REQUEST else Origin.ADOPTED_RENEWED
    return Origin.ADOPTED_EXISTING


def _correct(row: Row, latest: AdCodeRequest | None) -> Step | Hold:
    feedback, same = row.text("feedback"), latest is not None and row.text("request_id") == latest.id
    if latest and same and latest.status == "pending_corrections":
        # it has been reported already, by a run whose end was lost or in the dashboard
        return Adopt(row.key, row.number, Mark.CORRECT, latest, Origin.FOUND)
    if latest is None or not latest.code or latest.status == "cancelled":
        return Hold(row.key, row.number, "There is no code to correct.")
    if not same or row.text("spark_code") != latest.code:
        # the code has changed since the person tried it
        return Hold(row.key, row.number, f"The code has changed to {latest.code}: try that one first, clear Action.")
    if latest.status not in ("in_review", "finalized"):
        return Hold(row.key, row.number, f"A request in status '{latest.status[:60]}' cannot be corrected.")
    if not feedback:
        return Hold(row.key, row.number, "Feedback is empty: write there why the code does not work.")
    if len(feedback) not in FEEDBACK_LENGTH:
        return Hold(row.key, row.number, f"Feedback has {len(feedback)} characters; 3 to 500 are needed.")
    return Correct(row.key, row.number, latest, feedback)


# --- gates: before a credit is spent --------------------------------------------------------------------------


def _order(row: Row, mark: Mark, previous_id: str | None, tracker: Tracker) -> Step | Hold:
    wanting = gates(row, tracker)
    if wanting:
        return _waits(row, wanting)
    body = order_body(row)
    if mark is Mark.RENEW and previous_id:
        return Renew(row.key, row.number, previous_id, body)
    return Order(row.key, row.number, mark, previous_id, body)


def _waits(row: Row, wanting: Sequence[str]) -> Hold:
    return Hold(row.key, row.number, "Waits: " + "; ".join(wanting) + ".")


def gates(row: Row, tracker: Tracker) -> list[str]:
    """What must be put right in the row before it may cost credits (design 3, gates)."""
    wanting = []
    note, platform = row.text("note"), row.text("platform").casefold()
    if len(note) > NOTE_LIMIT:
        wanting.append(f"Note has {len(note)} characters, TokPortal takes {NOTE_LIMIT}")
    if platform and platform not in PLATFORMS:
        wanting.append(f"Platform must be {' or '.join(PLATFORMS)}")
    empty = [header_of(key, tracker.columns) for key in tracker.require if not row.text(key)]
    if empty:
        wanting.append(f"fill in {', '.join(empty)}")
    # an approval column that the sheet does not have cannot be ticked: it asks nothing
    unticked = [key for key in tracker.approve if key in row.columns and not ticked(row.cells.get(key, ""))]
    if unticked:
        wanting.append(f"tick {', '.join(header_of(key, tracker.columns) for key in unticked)}")
    return wanting


def order_body(row: Row) -> str:
    """The exact JSON body of an order (API page, Request Body); it is sent again byte for byte."""
    fields = {"note": row.text("note"), "platform": row.text("platform").casefold()}
    return json.dumps({name: text for name, text in fields.items() if text}, ensure_ascii=False)


def wish(row: Row) -> tuple[str, str]:
    """What a person asked for, and what the row showed then: a mark is compared by both."""
    return row.text("action").casefold(), row.text("request_id")


def asks(row: Row, tracker: Tracker) -> tuple[str, str, str, bool]:
    """All that an order rests on: mark, what the row shows, what TokPortal is told, whether the gates are open.

    An order is sent only while this stands as it stood when it was planned.
    """
    return *wish(row), order_body(row), not gates(row, tracker)


def _within_credits(plan: Plan, world: Situation) -> Plan:
    """Hold the orders that the balance, less what is to be kept, does not cover."""
    if not plan.orders:
        return plan
    affordable = -1 if world.balance is None else max(0, world.balance - world.tracker.keep_credits) // PRICE
    kept: list[Step] = []
    holds = list(plan.holds)
    for step in plan.steps:
        if not isinstance(step, Order | Renew):
            kept.append(step)
        elif affordable > 0:
            affordable -= 1
            kept.append(step)
        else:
            holds.append(_unpaid(step, world))
    return Plan(tuple(kept), tuple(holds))


def _unpaid(step: Order | Renew, world: Situation) -> Hold:
    if world.balance is None:
        reason = "The credit balance could not be read, so nothing is ordered; the next run tries again."
        return Hold(step.video_id, step.row, reason, HoldKind.WORLD)
    keep = world.tracker.keep_credits
    kept = f" beyond the {keep} that are kept" if keep else ""
    return Hold(step.video_id, step.row, f"Not enough credits: a code costs {PRICE}{kept}. Top up at TokPortal.")


# --- settling an uncertain intent by looking (design 4.5) -----------------------------------------------------

LOOKING = "An order was sent and its answer was lost; sheetsync looks at TokPortal before anything else is ordered."


def _settle(row: Row | None, intent: Intent, world: Situation) -> Step | Hold:
    number = row.number if row else 0
    if _failure(intent.video_id, world):
        return Hold(intent.video_id, number, LOOKING, HoldKind.WORLD)
    latest = world.observations[intent.video_id].request
    wanted = row is not None and row.text("action").casefold() == intent.mark
    if latest and latest.id != intent.previous_id:
        # there is a new request since the intent: the order happened, charged once. A mark beside it is a new wish
        mark = intent.mark if row and wanted and row.text("request_id") != latest.id else None
        return Adopt(intent.video_id, number or None, mark, latest, Origin.ORDERED, settles=intent)
    if intent.run_id == world.run_id or world.now - intent.created_at < SETTLE_AFTER:
        # too early to tell "never" from "not yet"
        return Hold(intent.video_id, number, LOOKING, HoldKind.WORLD)
    if row and wanted and (latest.id if latest else None) == intent.previous_id:
        # a minute later and in a later run it still has not happened: the same key and body again
        wanting = gates(row, world.tracker)
        return _waits(row, wanting) if wanting else _again(intent, number)
    return Lapse(intent.video_id, intent)


def _again(intent: Intent, row: int) -> Order | Renew:
    if intent.mark is Mark.RENEW and intent.previous_id:
        return Renew(intent.video_id, row, intent.previous_id, intent.body, resend=intent)
    return Order(intent.video_id, row, intent.mark, intent.previous_id, intent.body, resend=intent)


# --- refusals: plans that are not carried out -----------------------------------------------------------------

SHRUNKEN_FROM = 10


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the person at the command line allows beyond the limits."""

    orders: int | None = None
    shrunken: bool = False


def too_many_orders(plan: Plan, tracker: Tracker, allowed: Allowed) -> str | None:
    """Why the orders of this plan are not sent, all or nothing; None if they may be."""
    limit = tracker.max_orders_per_run if allowed.orders is None else allowed.orders
    count = len(plan.orders)
    if count <= limit:
        return None
    return (
        f"{count} orders ({plan.credits} credits) are more than the {limit} that one run of tracker "
        f"'{tracker.name}' may send, so none was sent. If they are meant: sheetsync sync --allow-orders {count}"
    )


def without_orders(plan: Plan, limit: int) -> Plan:
    """The same plan, sending no order: each of its rows says why."""
    reason = (
        f"Waits: more rows are marked than one run may order ({limit}). "
        "Clear the marks that are not meant, or ask whoever runs sheetsync to allow them."
    )
    holds = tuple(Hold(step.video_id, step.row, reason) for step in plan.orders)
    steps = tuple(step for step in plan.steps if not isinstance(step, Order | Renew))
    return replace(plan, steps=steps, holds=plan.holds + holds)


def shrunken(open_before: int, gone: int, tracker: Tracker, allowed: Allowed) -> str | None:
    """Why a sheet that lost most of its open requests is not touched; None if it may be (design 3.4)."""
    if allowed.shrunken or gone < SHRUNKEN_FROM or gone * 2 <= open_before:
        return None
    return (
        f"The sheet has shrunk: {gone} of the {open_before} open ad code requests of tracker '{tracker.name}' have no "
        "row any more. It may be the wrong tab, a filter that was cut, or a paste gone wrong. Nothing was ordered or "
        "written. If it is meant: sheetsync sync --allow-shrunken"
    )


def retry_pause(attempts: int) -> timedelta:
    """How long a refused mark rests: 5 minutes, doubling, at most 6 hours. `attempts` counts from 1."""
    return min(timedelta(minutes=5 * (1 << min(attempts - 1, 10))), timedelta(hours=6))


def spent_refusals(rows: Iterable[Row], refusals: Mapping[str, Refusal]) -> tuple[str, ...]:
    """Videos whose refused mark a person has taken away: a new mark is a new wish and tried at once."""
    marked = {(row.key, row.text("action").casefold()) for row in rows}
    return tuple(video for video, refusal in refusals.items() if (video, refusal.mark.value) not in marked)
