"""PURE: what a whole tracker should say after a run: its rows and its Summary tab, together, of one snapshot."""

from dataclasses import dataclass, field, replace

from sheetsync.model import Snapshot, Tracker
from sheetsync.projected import Projection, Told
from sheetsync.projection import summary
from sheetsync.projection.cells import Outlook, targets
from sheetsync.projection.concerned import concerned
from sheetsync.projection.posts import told_of_same_post


@dataclass(frozen=True, slots=True)
class TrackerProjection:
    """f(snapshot), for one run.

    `shown` are the (video id, request id) of the rows when the run read them, of the videos that were observed;
    `videos` narrows it to some rows; `told` is what the Summary tab says beside them.
    """

    tracker: Tracker
    outlook: Outlook
    shown: frozenset[tuple[str, str]]
    videos: frozenset[str] = frozenset()
    told: Told = field(default_factory=Told)

    def project(self, snapshot: Snapshot) -> Projection:
        """What this very snapshot should say."""
        outlook = self.outlook
        told_of = {*outlook.observed, *outlook.served, *(video for video, _ in outlook.reasons)}
        rows = concerned(snapshot.rows, outlook.known, told_of)
        rows = [row for row in rows if not self.videos or row.key in self.videos]
        # a row that came to show another request since then was written by another machine, which looked later
        newer = {row.key for row in rows if (row.key, row.shown_id) not in self.shown}
        outlook = replace(outlook, observed=outlook.observed - newer)
        said = targets(rows, snapshot.time_zone, self.tracker, outlook)
        said = told_of_same_post(said, snapshot.rows, outlook.known)
        projected = summary.projected(snapshot, said, self.tracker, self.told, outlook.now)
        all_rows = sum(1 for row in snapshot.rows if row.key and (not self.videos or row.key in self.videos))
        return replace(projected, others=all_rows - len(said))
