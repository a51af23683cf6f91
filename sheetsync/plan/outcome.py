"""PURE: what came of a plan, as the projection needs it: which marks are done, and why the others wait."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from sheetsync import notes
from sheetsync.model import Known, Mark, Observation, Snapshot
from sheetsync.plan.situation import acting
from sheetsync.projection.cells import Outlook
from sheetsync.steps import Hold, RowSeen


def outlook_of(
    planned_from: Snapshot,
    known: Known,
    now: datetime,
    holds: Iterable[Hold],
    observations: Mapping[str, Observation],
    served: Mapping[str, Mark],
    seen: Mapping[str, RowSeen],
) -> Outlook:
    """What a run knows when it writes. Marks are told by what they said, and what their row showed, when it planned."""
    wishes = {row.key: row.wish for row in acting(planned_from.rows)}
    denied = {(v, ""): seen.failure.text for v, seen in observations.items() if seen.failure and seen.failure.is_final}
    return Outlook(
        known=known,
        now=now,
        reasons=denied | {(h.video_id, wishes.get(h.video_id, ("", ""))[0]): h.reason for h in holds if h.in_note},
        observed=frozenset(video for video, seen in observations.items() if not seen.failure),
        served={video: (mark.value, wishes[video][1]) for video, mark in served.items()},
        seen=seen,
    )


def without_clearing(outlook: Outlook, videos: AbstractSet[str]) -> Outlook:
    """The same, for marks that are done and could not be cleared: they stay, and the rows say so."""
    stuck = {video: wish for video, wish in outlook.served.items() if video in videos}
    return replace(
        outlook,
        reasons={**outlook.reasons, **{(video, mark): notes.SERVED for video, (mark, _) in stuck.items()}},
        served={video: wish for video, wish in outlook.served.items() if video not in videos},
        stuck=frozenset(stuck),
    )
