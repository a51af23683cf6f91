"""A ledger made again of the sheet and TokPortal alone, after its file was lost (design 4: that costs nobody twice).

Owns what is asked and recorded for that, and the count of it. Orders nothing, writes nothing into the sheet; a run
after it holds every order until a person has confirmed (`plan/limits.py`).
"""

import logging
from dataclasses import dataclass

from sheetsync.clock import Clock
from sheetsync.errors import Refused
from sheetsync.ledger.store import Ledger
from sheetsync.model import Known, Observation, Snapshot, Tracker
from sheetsync.plan.credible import credible
from sheetsync.plan.gates import key_problem
from sheetsync.plan.memory import remembered
from sheetsync.plan.situation import NOT_REACHED
from sheetsync.projection import summary
from sheetsync.projection.cells import ORDERING
from sheetsync.projection.concerned import concerned
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.reading import Reader
from sheetsync.sync.observe import Poller
from sheetsync.tokportal.client import TokPortal

log = logging.getLogger(__name__)

ASKED_AT_ONCE = 100
"""Videos between two lines of progress: about a minute of TokPortal's rate limit."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What could be restored for one tracker; `told_by_rows` are requests and codes that only the sheet told of.

    `unanswered` are videos that TokPortal did not tell of in a way that can be believed, `ordering` those whose row
    says that an order was on its way.
    """

    tracker: str
    videos: int
    requests: int
    codes: int
    told_by_rows: int
    opening: int
    unanswered: tuple[str, ...]
    ordering: tuple[str, ...]
    price_lock: str


def refuse_to_rebuild(ledger: Ledger, trackers: list[Tracker]) -> None:
    """A ledger that remembers more than sheet and TokPortal tell is none to be rebuilt. Raises Refused."""
    if ledger.first_event() and not all(ledger.known(tracker.name).is_rebuilt for tracker in trackers):
        raise Refused(
            f"{ledger.name} is there and sound: it knows more than the sheet and TokPortal could tell, and nothing was "
            "changed. Rebuilding is for a ledger that is lost; to do it all the same, move the file away first."
        )


def rebuild(tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, run_id: str) -> Rebuilt:
    """Record what the rows and TokPortal tell of every video of the tracker. Doing it twice changes nothing.

    Raises every SheetsyncError of a read; Locked while a run is at work.
    """
    recorder = ledger.recorder(tracker.name, run_id, clock)
    with ledger.lock(tracker.name, run_id, clock.now()):
        recorder.rebuilt()  # first: also what is cut off half way is to be looked through
        snapshot = Reader(api, tracker, clock).read()
        observations = _asked(snapshot, portal, clock)
        recorder.looked(observations.keys())
        recorder.observe(seen.request for seen in observations.values() if seen.request and not seen.failure)
        recorder.saw_columns(snapshot.columns.keys())
        known, now = ledger.known(tracker.name), clock.now()
        rows = concerned(snapshot.rows, known)
        memory = remembered(rows, snapshot.time_zone, tracker, Known(), known, now)
        recorder.remember(memory)
        lock = summary.price_lock(snapshot, tracker)
        if lock:
            recorder.lock_price(portal.fingerprint, ledger.price(portal.fingerprint), lock)
        known = ledger.known(tracker.name)
    return Rebuilt(
        tracker.name,
        videos=len(observations),
        requests=len(known.owners),
        codes=len(known.codes),
        told_by_rows=len(memory.imported),
        opening=sum(known.opening.values()),
        unanswered=tuple(video for video, seen in observations.items() if seen.failure),
        ordering=tuple(dict.fromkeys(row.key for row in snapshot.rows if row.text("status") == ORDERING)),
        price_lock=lock,
    )


def _asked(snapshot: Snapshot, portal: TokPortal, clock: Clock) -> dict[str, Observation]:
    """TokPortal's word on every video that has a row, however long it takes."""
    videos = list(dict.fromkeys(row.key for row in snapshot.rows if not key_problem(row)))
    found: dict[str, Observation] = {}
    for start in range(0, len(videos), ASKED_AT_ONCE):
        some = videos[start : start + ASKED_AT_ONCE]
        answers = Poller(portal, clock, seconds=60 * ASKED_AT_ONCE).observe(some)
        found |= {video: answers.get(video) or Observation(video, failure=NOT_REACHED) for video in some}
        log.info("asked TokPortal about %d of %d videos", len(found), len(videos))
    return dict(credible(found, Known(), snapshot.rows, snapshot.time_zone, clock.now()))
