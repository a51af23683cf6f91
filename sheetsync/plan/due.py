"""PURE: which videos a run has to look at (design 3.2), and in which order."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from sheetsync.model import AdCodeRequest, Known, Mark, Row, Tracker
from sheetsync.plan.gates import key_problem
from sheetsync.plan.situation import acting, is_looked_at
from sheetsync.projection.cells import code_shown

MOST_LEFT = 60
"""Calls that are kept for orders at most: half of what TokPortal allows in a minute."""

FORGOTTEN = timedelta(weeks=4)
"""A request that has brought no code for so long is taken for one that never will; managers need hours, or days."""

FILLERS = timedelta(days=1)
"""So seldom a row is looked into whose Request ID says what no id is, as a team's own list has it (`n/a`)."""

SLOWEST = 4
"""A video of which no code is expected has its wait counted for so much less: it is looked at so much more seldom.

Counted for less still, it would wait as much longer, and codes would hardly come sooner (tests/benchmarks/README.md).
"""


def due(rows: Sequence[Row], known: Known, now: datetime, time_zone: str, tracker: Tracker) -> tuple[str, ...]:
    """The videos that this run has to look at (design 3.2), each once, in the order in which they are asked about.

    Each kind has its share, and of each the one comes first that was looked at longest ago; of open requests, the wait
    of those that no code is expected of counts for less. Nothing starves, however few looks a run has time for.
    """
    # a key that cannot be an id is not worth a call: its hold says so
    keyed = [row for row in rows if key_problem(row) is None]
    marked = [row.key for row in acting(keyed) if is_looked_at(row, known, now)]
    strange = [row.key for row in keyed if _disagrees(row, known, now, time_zone, tracker)]
    # of equals the one comes first that was seen longest ago, and by id, so that no run differs
    asked = [e for e in known.latest.values() if e.request.is_open or _may_be_told_yet(e.request, now)]
    latest = sorted(asked, key=lambda e: (e.seen_at, e.request.video_id))
    waiting = {e.request.video_id: 1 if _may_bring_a_code(e.request, now) else SLOWEST for e in latest}
    # what a person waits for, what may have been charged, what contradicts itself; only then the ordinary polls
    others = (dict.fromkeys(kind, 1) for kind in (marked, known.unsettled, strange))
    return _in_turn(*others, waiting, now=now, looked=known.looked)


def _may_bring_a_code(request: AdCodeRequest, now: datetime) -> bool:
    """Whether a code is expected of an open request: it has none yet, or the one that it has was reported.

    Neither its age, but for the forgotten, nor the hour would bring codes sooner (tests/benchmarks/README.md).
    """
    if request.status == "pending_corrections":
        return True
    return request.code is None and (request.created_at is None or now - request.created_at < FORGOTTEN)


def _may_be_told_yet(request: AdCodeRequest, now: datetime) -> bool:
    """Whether a finished request without a code is asked about: its order is not forgotten yet."""
    return request.lacks_its_code and (request.created_at is None or now - request.created_at < FORGOTTEN)


def _in_turn(*kinds: Mapping[str, int], now: datetime, looked: Mapping[str, datetime]) -> tuple[str, ...]:
    """One of each kind in turn, those first whose wait since the last look counts for most; so also the kinds.

    A kind tells by how much the wait of each of its videos is divided, 1 to SLOWEST; one that was never looked at has
    waited for ever. With N videos of K kinds, those that come meanwhile counted in, and room for n looks a run, let m
    be n // K, but 1 at least. Then the last 1/SLOWEST of any wait holds no more than (N - 1) / m runs: at even
    intervals no video is left out of more than SLOWEST * (N - 1) / m runs in a row, also where n is 1.

    Proof. In a run that leaves a video out, m others at least come before it in its own kind; or, where n < K, one at
    the head of a kind. Their waits count for as much as its own, so each is at least 1/SLOWEST as long. Within the last
    1/SLOWEST of its wait nobody can be among them twice: the second time, the wait would be shorter. So they are all
    different ones, m in each run, and there are N - 1.
    """
    never = datetime.min.replace(tzinfo=UTC)
    waits = [
        {video: (now - looked.get(video, never)) / slower for video, slower in kind.items()} for kind in kinds if kind
    ]
    waits.sort(key=lambda wait: max(wait.values()), reverse=True)
    queues = [sorted(wait, key=wait.__getitem__, reverse=True) for wait in waits]
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
        if row.shown_id or row.text("credits_left"):
            return True
        # what cannot be an id may have been typed over one: that is looked into, and then seldom
        looked = known.looked.get(row.key)
        return row.text("request_id") != "" and (looked is None or now - looked > FILLERS)
    if row.shown_id != entry.request.id:
        return row.shown_id != ""
    if entry.request.is_open:
        return False  # looked at anyway, with the others that wait
    said = row.text("status"), row.text("spark_code")
    return said != (entry.request.status, code_shown(row, time_zone, tracker, known, now))
