"""What `plan` and `sync` share: one run for each tracker, the exit code of all, and what both print of a run.

A plan is a sync that stops after step 4 (design 3), so that what is printed is what would be carried out.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sheetsync.cli.options import Selection
from sheetsync.cli.plain import plain
from sheetsync.cli.stopping import stoppable
from sheetsync.cli.watching import watching
from sheetsync.context import about
from sheetsync.errors import Locked, SheetsyncError, UnknownVideos
from sheetsync.health.ping import Switch
from sheetsync.ledger.store import Ledger
from sheetsync.plan.situation import Allowed
from sheetsync.steps import Hold
from sheetsync.sync.clients import Clients, clock_for
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request
from sheetsync.sync.telling import KEPT_FOR_ALERTS, tell
from sheetsync.sync.trackers import run_all, run_id_for

log = logging.getLogger(__name__)

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
    clock = clock_for(config)
    started = clock.now()
    request = Request(run_id_for(started), config.run.poll_seconds, frozenset(selection.videos), allowed, plan_only)
    # a look at some rows says nothing of how the tracker fares
    is_watched = not (plan_only or selection.videos)
    with (
        about(run_id=request.run_id),
        Switch(config.run.ping_url if is_watched else None) as switch,
        Clients(config, clock, read_only=plan_only) as clients,
    ):
        ends = clock.monotonic() + config.run.max_seconds
        clock.ends_in(config.run.max_seconds - (KEPT_FOR_ALERTS if config.alerting.receivers else 0))
        with stoppable(clock.stop), watching() as progress:
            request = replace(request, progress=progress)
            reports = run_all(trackers, clients.sheets, clients.portal, clients.ledger, clock, request)
            _miss(reports.values())
            runs = Runs(request.run_id, started, clock.now(), [reports[tracker.name] for tracker in trackers])
            # a run that met another one leaves the figures to that one
            if config.run.metrics_file and is_watched and runs.exit_code != Locked.exit_code:
                write_metrics(
                    config.run.metrics_file,
                    clients.ledger,
                    [reports.get(tracker.name, Report(tracker.name)) for tracker in config.trackers],
                )
            told = (f"{report.name}: {report.why or 'done'}" for report in runs.reports)
            switch.ended(runs.exit_code, "\n".join(told))
            # who stops a run has no wish to wait; the next one tells
            if not (plan_only or clock.is_stopped):
                clock.ends_in(ends - clock.monotonic())
                key = clients.portal.fingerprint
                tell(config.alerting, trackers, clients.ledger, clock, key, is_whole=not selection.videos)
        return runs


def _miss(reports: Collection[Report]) -> None:
    """Videos that were asked for and have no row in any tracker: a mistake in how the command was called."""
    absent = frozenset.intersection(*(report.absent for report in reports))
    for report in reports if absent else ():
        report.failed(UnknownVideos("No row has the Video ID", sorted(absent)))


def write_metrics(path: Path, ledger: Ledger, reports: Sequence[Report]) -> None:
    """The figures of all trackers; what is wrong with the file stops nothing."""
    # its library takes a twentieth of a second to import
    from sheetsync.health import metrics

    try:
        metrics.write(path, ledger, reports)
    except (OSError, SheetsyncError) as error:
        log.warning("The metrics cannot be written: %s", error)


def holds_json(holds: Sequence[Hold]) -> list[dict[str, Any]]:
    """The rows that wait, in a document."""
    return [{"video_id": hold.video_id, "row": hold.row, "reason": hold.printed} for hold in holds]


def troubles(report: Report) -> list[str]:
    """What went wrong, as advice; later lines of it indented."""
    lines = [f"  note: {remark}" for remark in report.remarks]
    lines += [f"  warning: {warning}" for warning in report.warnings]
    if report.unplaced:
        lines.append(f"  not verified in the sheet, the next run writes again: {', '.join(report.unplaced)}")
    if report.error:
        lines.append("  " + str(report.error).replace("\n", "\n  "))
    return [plain(line) for line in lines]
