"""PURE: an answer older than what is known is no answer (design 3.2).

Owns when TokPortal's word about a video counts. A lagging replica may name the request before the latest one, or none:
taken at its word it would order again, adopt a renewal away, or settle an order that happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sheetsync import notes
from sheetsync.columns import BadCell, instant
from sheetsync.model import AdCodeRequest, Entry, Failure, HoldKind, Known, Observation, Row

PATIENCE = timedelta(hours=24)
"""What was seen so long ago, no replica lags behind it: a person has to look at both requests."""

FURTHEST_ZONES = timedelta(hours=26)
"""Two time zones are at most so far apart."""


def contradicts(latest: AdCodeRequest | None, known: AdCodeRequest | None) -> bool:
    """Whether an answer names an older request than the known one, or none where there is one."""
    if known is None or (latest and latest.id == known.id):
        return False
    if latest is None:
        return True
    # without both times nobody can tell which came first; the answer is the newer word then
    return bool(latest.created_at and known.created_at and latest.created_at < known.created_at)


def credible(
    observations: Mapping[str, Observation], known: Known, rows: Sequence[Row], time_zone: str, now: datetime
) -> Mapping[str, Observation]:
    """The same observations; those that contradict what is known are failures, to be asked about again."""
    vouched, kept = _vouched(rows, known, observations, time_zone), _kept_by_people(rows, known)
    heard = {
        # any text may be the key of such a row: that TokPortal does not know it is nobody's mistake
        video: replace(seen, failure=None) if seen.failure and seen.failure.is_final and video in kept else seen
        for video, seen in observations.items()
    }
    return {video: _judged(seen, known.latest.get(video), vouched.get(video), now) for video, seen in heard.items()}


def _kept_by_people(rows: Sequence[Row], known: Known) -> set[str]:
    """Videos that nobody wants anything for, and of which only a word in Request ID speaks that can be no id."""
    spoken = {row.key for row in rows if row.mark or row.shown_id or row.text("credits_left")}
    return {row.key for row in rows if row.text("request_id")} - spoken - known.videos - known.unsettled.keys()


def _judged(seen: Observation, entry: Entry | None, vouched: AdCodeRequest | None, now: datetime) -> Observation:
    before = vouched or (entry.request if entry else None)
    if seen.failure or before is None or not contradicts(seen.request, before):
        return seen
    # a row alone cannot tell since when: what it says against TokPortal is a person's matter at once
    if entry and not vouched and now - entry.seen_at < PATIENCE:
        failure = Failure(HoldKind.NEXT_RUN, notes.OLDER_ANSWER)
    else:
        failure = Failure(HoldKind.PERSON, notes.contradiction(seen.request.id if seen.request else "", before.id))
    return replace(seen, failure=failure)


def _vouched(
    rows: Sequence[Row], known: Known, observations: Mapping[str, Observation], time_zone: str
) -> Mapping[str, AdCodeRequest]:
    """What rows say of requests that the ledger does not know, or that are newer than those it knows: of a ledger that
    was lost or put back to an older copy they are all that is left.

    A row that shows what another video has, or had, was copied, or its key retyped: it says nothing.
    """
    owners: dict[str, set[str]] = {}
    for row in rows:
        owners.setdefault(row.shown_id, set()).add(row.key)
    for video, seen in observations.items():
        if seen.request:
            owners.setdefault(seen.request.id, set()).add(video)
    vouched = {}
    for row in rows:
        requested = _requested_at(row, time_zone)
        is_its_own = owners[row.shown_id] == {row.key} == {known.owners.get(row.shown_id, row.key)}
        if not (row.shown_id and requested and is_its_own):
            continue
        # the sheet's time zone may have been changed since that was written
        earliest = requested - FURTHEST_ZONES
        if _is_newer(row.shown_id, earliest, known, known.latest.get(row.key)):
            vouched[row.key] = AdCodeRequest(row.shown_id, row.key, row.text("status"), created_at=earliest)
    return vouched


def _is_newer(request_id: str, created: datetime, known: Known, latest: Entry | None) -> bool:
    if latest is None:
        return True
    return request_id not in known.owners and bool(latest.request.created_at and latest.request.created_at < created)


def _requested_at(row: Row, time_zone: str) -> datetime | None:
    try:
        return instant(row.cells.get("requested_at", ""), time_zone)
    except BadCell:
        return None
