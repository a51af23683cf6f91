"""PURE: which videos a run has to look at (design 3.2), and in which order."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest

from sheetsync.model import Known, Mark, Row, Tracker
from sheetsync.plan.gates import key_problem
from sheetsync.plan.situation import acting, is_looked_at
from sheetsync.projection.cells import code_shown

MOST_LEFT = 60
"""Calls that are kept for orders at most: half of what TokPortal allows in a minute."""


def due(rows: Sequence[Row], known: Known, now: datetime, time_zone: str, tracker: Tracker) -> tuple[str, ...]:
    """The videos that this run has to look at (design 3.2), each once, in the order in which they are asked about.

    Each kind has its share, and of each the one comes first that was looked at longest ago: nothing starves, however
    few looks a run has time for.
    """
    # a key that cannot be an id is not worth a call: its hold says so
    keyed = [row for row in rows if key_problem(row) is None]
    marked = [row.key for row in acting(keyed) if is_looked_at(row, known, now)]
    strange = [row.key for row in keyed if _disagrees(row, known, now, time_zone, tracker)]
    waiting = sorted(known.open_videos, key=lambda video: (known.latest[video].seen_at, video))
    # what a person waits for, what may have been charged, what contradicts itself; only then the ordinary polls
    return _in_turn(marked, list(known.unsettled), strange, waiting, looked=known.looked)


def _in_turn(*kinds: Sequence[str], looked: Mapping[str, datetime]) -> tuple[str, ...]:
    """One of each kind in turn, those first that were looked at longest ago, or never; so also the kinds.

    With N videos of K kinds and room for n looks a run, each is looked at within K * N / n runs; also where n is 1.
    """

    def last(video: str) -> datetime:
        return looked.get(video, datetime.min.replace(tzinfo=UTC))

    queues = sorted((sorted(kind, key=last) for kind in kinds if kind), key=lambda queue: last(queue[0]))
    return tuple(dict.fromkeys(video for turn in zip_longest(*queues) for video in turn if video is not None))


def needs_balance(rows: Sequence[Row]) -> bool:
    """Whether a row may lead to an order, so that the balance has to be known."""
    return any(row.mark in (Mark.REQUEST, Mark.RENEW) for row in rows if row.key)


def calls_to_order(rows: Sequence[Row], tracker: Tracker) -> int:
    """Calls that the polls leave to the orders of this run: a look and a POST for each, of a minute's half at most.

    An order that has to wait for the rate limit has its row and its video looked at again.
    """
    wishes = sum(row.mark in (Mark.REQUEST, Mark.RENEW) for row in acting(rows))
    return min(2 * min(wishes, tracker.max_orders_per_run), MOST_LEFT)


def _disagrees(row: Row, known: Known, now: datetime, time_zone: str, tracker: Tracker) -> bool:
    """Whether the row tells of something that the ledger does not know: then TokPortal is asked who is right.

    Another machine, or one whose state was put back to an older copy, may have seen a request go on after it was
    closed: by a correction, say.
    """
    entry = known.latest.get(row.key)
    if entry is None:
        # Credits left without an id: an order left it, whose id was hit by mistake and whose ledger is lost
        return bool(row.shown_id or row.text("credits_left"))
    if row.shown_id != entry.request.id:
        return row.shown_id != ""
    if entry.request.is_open:
        return False  # looked at anyway, with the others that wait
    said = row.text("status"), row.text("spark_code")
    return said != (entry.request.status, code_shown(row, time_zone, tracker, known, now))
