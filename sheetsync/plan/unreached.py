"""PURE: what is known of a video that the time of a run did not reach, or that TokPortal said nothing of (design 3.2).

Owns how long the word of an earlier run holds: as long as the video's rows say what they said then. Otherwise each run,
which reaches some of many rows, would write their notes, and the next one would take them back.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sheetsync.model import Failure, HoldKind, Known, Observation, Row, fingerprint
from sheetsync.plan.situation import NOT_REACHED
from sheetsync.projection.seen import as_it_is
from sheetsync.steps import RowSeen


def with_earlier(
    observations: Mapping[str, Observation],
    unreached: Collection[str],
    rows: Iterable[Row],
    known: Known,
    seen: Mapping[str, RowSeen],
) -> Mapping[str, Observation]:
    """The same observations, and one that failed for each video that was not reached; `seen` is what the run before saw
    of the rows. Where one failed, what made a mark no order in that run still does.
    """
    theirs: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        theirs[row.key].append(row)
    all_of = {video: Observation(video, failure=_failure(video, theirs[video], known, seen)) for video in unreached}
    for video, each in observations.items():
        failure = each.failure
        if failure and not _failure(video, theirs[video], known, seen).may_order:
            failure = replace(failure, may_order=False)
        all_of[video] = replace(each, failure=failure)
    return all_of


def _failure(video: str, rows: Iterable[Row], known: Known, seen: Mapping[str, RowSeen]) -> Failure:
    before = seen.get(video)
    if not (before and before.hold and before.row_was == as_it_is(rows)):
        return NOT_REACHED
    entry = known.latest.get(video)
    code = (entry.request.code or "") if entry else ""
    named = code if code and fingerprint(code) in before.hold else ""
    # the ledger keeps it as it was printed; the row's note names the code itself
    text = before.hold.replace(fingerprint(named), named) if named else before.hold
    return Failure(HoldKind.NEXT_RUN, text, code=named, is_earlier=True, may_order=before.may_order)
