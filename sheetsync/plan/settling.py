"""PURE: an order whose answer was lost is settled by looking, never by guessing (design 4.5).

Owns what follows from TokPortal's latest request: it happened, it is too early to tell, it is sent again with the same
key and body, or it is given up.
"""

from datetime import timedelta

from sheetsync import notes
from sheetsync.model import HoldKind, Intent, Origin, Row
from sheetsync.plan.gates import held_back
from sheetsync.plan.situation import Situation, is_resting
from sheetsync.steps import Adopt, Hold, Lapse, Order, Step

SETTLE_AFTER = timedelta(minutes=1)
"""An uncertain order is not sent again before this, and only by a later run (design 4.5)."""

DENIED_FOR = timedelta(hours=24)
"""An uncertain order is looked for so long, though TokPortal says a definite no to each look."""


def settle(row: Row | None, intent: Intent, world: Situation) -> Step | Hold:
    """What becomes of an uncertain order; `row` is the marked row of its video, if there is one."""
    number = row.number if row else 0
    undecided = Hold(intent.video_id, number, notes.LOOKING, HoldKind.NEXT_RUN)
    is_wanted = row is not None and row.mark == intent.mark
    if failure := world.failure(intent.video_id):
        if not failure.is_final or world.now - intent.created_at < DENIED_FOR:
            return undecided
        # TokPortal will not say what became of it: a person's matter, and if nobody wants it any more, nobody's
        denied = Hold(intent.video_id, number, failure.text, failure.kind, failure.code)
        return denied if is_wanted else Lapse(intent.video_id, intent)
    latest = world.observations[intent.video_id].request
    if latest and latest.id != intent.previous_id:
        # there is a new request since the intent: the order happened, charged once. A mark beside it is a new wish
        mark = intent.mark if row and is_wanted and row.shown_id != latest.id else None
        return Adopt(intent.video_id, number or None, mark, latest, Origin.ORDERED, settles=intent)
    if intent.run_id == world.run_id or world.now - intent.created_at < SETTLE_AFTER:
        # too early to tell "never" from "not yet"
        return undecided
    if row and is_wanted and (latest.id if latest else None) == intent.previous_id:
        if is_resting(row, world.known, world.now):
            return Hold(intent.video_id, number, world.known.refusals[row.key].text)
        # a minute later and in a later run it still has not happened: the same key and body again
        again = Order(intent.video_id, number, intent.mark, intent.previous_id, intent.body, resend=intent)
        return held_back(row, world.tracker) or again
    return Lapse(intent.video_id, intent)
