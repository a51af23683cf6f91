"""What `plan` and `sync` share: one run for each tracker, the exit code of all, and what both print of a run.

A plan is a sync that stops after step 4 (design 3), so that what is printed is what would be carried out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sheetsync.cli.options import Selection
from sheetsync.errors import Interrupted
from sheetsync.plan.situation import Allowed
from sheetsync.steps import Hold
from sheetsync.sync.clients import Clients
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request, run_all, run_id_for
from sheetsync.sync.telling import KEPT_FOR_ALERTS, tell

SEVERITY = (5, 2, 3, 4, 1, 0)
"""Of several trackers' exit codes the first of these is the command's: what a person must mend goes first."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one call of the command, which share an id."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    reports: Sequence[Report]

    @property
    def exit_code(self) -> int:
        """One exit code for all trackers."""
        codes = {report.exit_code for report in self.reports}
        return next((code for code in SEVERITY if code in codes), 0)


def run_trackers(selection: Selection, plan_only: bool = False) -> Runs:
    """Run each selected tracker, one after the other. What stops a run is in its report.

    Raises ConfigError, UsageError.
    """
    config, trackers = selection.load()
    allowed = Allowed(selection.allow_orders, selection.allow_shrunken, selection.accept_price)
    with Clients(config, read_only=plan_only) as clients:
        started = clients.clock.now()
        request = Request(run_id_for(started), config.run.poll_seconds, frozenset(selection.videos), allowed, plan_only)
        ends = clients.clock.monotonic() + config.run.max_seconds
        kept = KEPT_FOR_ALERTS if config.alerting.receivers else 0
        clients.clock.ends_in(config.run.max_seconds - kept)
        reports = run_all(trackers, clients.sheets, clients.portal, clients.ledger, clients.clock, request)
        # who stops a run has no wish to wait; the next one tells
        if not (plan_only or any(isinstance(report.error, Interrupted) for report in reports.values())):
            clients.clock.ends_in(ends - clients.clock.monotonic())
            key = clients.portal.fingerprint
            tell(config.alerting, trackers, clients.ledger, clients.clock, key, is_whole=not selection.videos)
        return Runs(request.run_id, started, clients.clock.now(), [reports[tracker.name] for tracker in trackers])


def row_text(number: int | None) -> str:
    """A row of the tracker in words; what hangs on no row says so."""
    return f"row {number}" if number else "no row"


def holds_json(holds: Sequence[Hold]) -> list[dict[str, Any]]:
    """The rows that wait, in a document."""
    return [{"video_id": hold.video_id, "row": hold.row, "reason": hold.printed} for hold in holds]


def troubles(report: Report) -> list[str]:
    """What went wrong, as advice; later lines of it indented."""
    lines = [f"  warning: {warning}" for warning in report.warnings]
    if report.unplaced:
        lines.append(f"  not verified in the sheet, the next run writes again: {', '.join(report.unplaced)}")
    if report.error:
        lines.append("  " + str(report.error).replace("\n", "\n  "))
    return lines
