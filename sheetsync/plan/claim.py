"""PURE: the claim: `ordering` in the Status of every row about to be ordered (design 4.1).

Owns which rows are still as they were when the plan was made; whoever's row has changed is not ordered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from sheetsync.model import Row, Snapshot, Tracker
from sheetsync.plan.gates import order_basis
from sheetsync.plan.situation import acting
from sheetsync.projected import Projection, Target
from sheetsync.projection.cells import ORDERING
from sheetsync.steps import Order


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sheet should say while orders are being sent; `rows` are the rows they were planned from, by video id."""

    tracker: Tracker
    rows: Mapping[str, Row]

    @classmethod
    def of(cls, orders: Iterable[Order], snapshot: Snapshot, tracker: Tracker) -> Self:
        """The claim for these orders, planned from this snapshot."""
        planned = {row.key: row for row in acting(snapshot.rows)}
        return cls(tracker, {step.video_id: planned[step.video_id] for step in orders})

    def standing(self, rows: Iterable[Row]) -> Mapping[str, Row]:
        """Those of these rows, by video id, whose order still rests on what it was planned on.

        A mark withdrawn, a note edited or a box unticked since the plan ends the order.
        """
        now = (row for row in acting(rows) if row.key in self.rows)
        return {
            row.key: row
            for row in now
            if order_basis(row, self.tracker) == order_basis(self.rows[row.key], self.tracker)
        }

    def project(self, snapshot: Snapshot) -> Projection:
        """`ordering` for the rows that stand, also where they say so already: a killed run may have left it."""
        still = self.standing(snapshot.rows)
        return Projection(
            tuple(
                Target(row, {"status": ORDERING}, is_claim=True)
                for row in snapshot.rows
                # a duplicate whose own mark waits goes on showing what its person saw
                if row.key in still and (not row.mark or row.wish == self.rows[row.key].wish)
            )
        )
