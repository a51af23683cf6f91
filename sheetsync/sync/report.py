"""What a run did: the figures of design 7, gathered while it goes.

Owns the figures and the exit code. Printing is the command line's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from sheetsync.errors import CallRefused, Refused, SheetsyncError, Unavailable
from sheetsync.model import HoldKind, Mark
from sheetsync.steps import Hold, Order, Plan, Step
from sheetsync.sync.progress import Progress, silent


@dataclass(slots=True)
class Report:
    """One tracker's run. `plan` is what it set out to do, `served` are the marks that are done, `absent` the
    videos that were asked for and have no row; `error` stopped it. `progress` is told how far it is. `names` says
    of each video whose it is; `tab` is that of the sheet, by its ids; `filled` is None where a run adds no rows.
    `remarks` are worth knowing, and no failure.
    """

    name: str
    rows: int = 0
    ordered: int = 0
    renewed: int = 0
    adopted: int = 0
    corrected: int = 0
    polled: int = 0
    codes_received: int = 0
    cells_written: int = 0
    filled: int | None = None
    renewal_needed: int = 0
    expired: int = 0
    stages: Mapping[str, int] = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    uncertain: int = 0
    deferred: int = 0
    credits_charged: int = 0
    credits_left: int | None = None
    sheets_read: int = 0
    sheets_write: int = 0
    tokportal: int = 0
    error: SheetsyncError | None = None
    warnings: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    unplaced: list[str] = field(default_factory=list)
    served: dict[str, Mark] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    progress: Progress = silent
    names: Mapping[str, str] = field(default_factory=dict)
    tab: tuple[str, int] | None = None

    def not_done(self, step: Step, reason: str, kind: HoldKind = HoldKind.NEXT_RUN) -> None:
        """A step of the plan came to nothing in this run; the next one looks again, or a person has to move first."""
        self.holds.append(Hold(step.video_id, step.row or 0, reason, kind, may_order=isinstance(step, Order)))

    def failed(self, error: SheetsyncError) -> None:
        """The first error says why the run stopped; what goes wrong after that is told beside it."""
        if self.error is None:
            self.error = error
        else:
            self.warnings.append(str(error))

    def refused(self, why: str) -> None:
        """No order is sent, or no further one, until a person has moved; the run goes on without."""
        self.failed(Refused(why))

    def paid(self, mark: Mark, credits: int) -> None:
        """An order went through."""
        self.credits_charged += credits
        if mark is Mark.RENEW:
            self.renewed += 1
        else:
            self.ordered += 1

    @property
    def why(self) -> str:
        """The first reason for an exit code other than 0."""
        waiting = (hold.printed for hold in self.holds if hold.kind is HoldKind.NEXT_RUN)
        unplaced = (f"not verified in the sheet: {video}" for video in self.unplaced)
        return str(self.error or "") or next(chain(self.warnings, waiting, unplaced), "")

    @property
    def exit_code(self) -> int:
        """Design 7: an error's own code; 1 where a mark could not be served or a cell not be verified."""
        if self.error:
            return self.error.exit_code
        # rows that wait for a person are no failure: cron would mail about them for days
        is_incomplete = any(hold.kind is HoldKind.NEXT_RUN for hold in self.holds)
        return 1 if is_incomplete or self.uncertain or self.unplaced or self.warnings else 0


def who_moves(no: CallRefused | Unavailable) -> HoldKind:
    """A definite no concerns its row, which waits for a person; 401 and 402 concern all, and whoever runs sheetsync."""
    return HoldKind.PERSON if isinstance(no, CallRefused) and no.http_status not in (401, 402) else HoldKind.NEXT_RUN
