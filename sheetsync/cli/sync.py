"""`sheetsync sync`: a whole run for each tracker, and what it prints of it (design 7)."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import click

from sheetsync.cli.logs import is_json
from sheetsync.cli.options import OPTIONS, Selection, selecting
from sheetsync.cli.render import attributes, count, shown
from sheetsync.cli.rows import row_text, rows_text, sentence
from sheetsync.cli.runs import Runs, holds_json, run_trackers, troubles
from sheetsync.context import about
from sheetsync.errors import MENDED_BY_A_PERSON, UnknownVideos
from sheetsync.sync.report import Report

log = logging.getLogger(__name__)


@click.command()
@selecting(*OPTIONS)
def sync(selection: Selection) -> None:
    """Order what is marked, poll what is open, write what came back. This is the command for cron.

    \b
    Exit code: 0 done, 1 incomplete (the next run goes on), 2 configuration, 3 refused: too many orders or a
    shrunken sheet, 4 another run is at work, 5 credentials or permission.
    """
    runs = run_trackers(selection)
    if is_json():
        log_runs(runs)
    if selection.as_json or not is_json():
        click.echo(shown(selection, _sync_json(runs)) or "\n".join(map(sync_text, runs.reports)))
    sys.exit(runs.exit_code)


def log_runs(runs: Runs) -> None:
    """A line of the log for each tracker."""
    for report in runs.reports:
        with about(run_id=runs.run_id, tracker=report.name):
            _log(report)


def _log(report: Report) -> None:
    """What a run did, in one line of the log: rows that wait as a number only, for they wait for days."""
    figures = {name: value for name, value in _tracker_json(report).items() if name not in ("name", "error")}
    figures |= {"exit_code": report.exit_code, "holds": len(report.holds)}
    is_good, is_stuck = report.exit_code == 0, report.exit_code in MENDED_BY_A_PERSON
    level = logging.INFO if is_good else logging.ERROR if is_stuck else logging.WARNING
    ended = f"run ended with exit code {report.exit_code}"
    log.log(level, "%s", f"{ended}: {report.why}" if report.why else ended, extra={"figures": figures})


def sync_text(report: Report) -> str:
    """What a run did."""
    done = list(_done(report))
    # a mistyped id stops nothing
    is_stopped = report.error and not isinstance(report.error, UnknownVideos)
    if is_stopped and not done:
        lines = [f"tracker {report.name}: stopped before anything was done."]
    else:
        # the balance is told whatever happened; whether the run did anything shows in the cells it wrote
        quiet = [] if report.cells_written or is_stopped else ["nothing to do"]
        looked = f"{count(report.rows, 'row')}, {count(report.polled, 'video')} looked at"
        lines = [sentence(f"tracker {report.name}: {looked}: {', '.join(quiet + done)}.")]
    if report.deferred:
        lines.append(f"  {count(report.deferred, 'open row')} left for the next run.")
    if report.holds:
        holds = [["hold", row_text(hold.row), hold.video_id or "-", hold.printed] for hold in report.holds]
        lines.append(rows_text(report, holds))
    return "\n".join(lines + troubles(report))


_DONE = {
    "ordered": "ordered",
    "renewed": "renewed",
    "adopted": "taken over",
    "corrected": "corrected",
    "credits_charged": "credits charged",
    "credits_left": "left",
    "codes_received": "code{s} received",
    "cells_written": "cell{s} written",
    "filled": "row{s} added",
}


def _done(report: Report) -> Iterator[str]:
    for name, words in _DONE.items():
        number = getattr(report, name)
        # no credits left is worth saying; a balance that nobody asked for is None
        if number or (name == "credits_left" and number is not None):
            yield f"{number} {words.format(s='' if number == 1 else 's')}"


def _sync_json(runs: Runs) -> dict[str, Any]:
    """The document of `sync --json` (design 7)."""
    return {
        **attributes(runs, "run_id", "started_at", "finished_at"),
        "trackers": [_tracker_json(report) for report in runs.reports],
        "exit_code": runs.exit_code,
    }


_FIGURES = (
    *("name", "rows", "ordered", "renewed", "adopted", "corrected", "polled", "codes_received", "cells_written"),
    *("renewal_needed", "expired", "uncertain", "deferred", "credits_charged", "credits_left"),
)


def _tracker_json(report: Report) -> dict[str, Any]:
    return {
        **attributes(report, *_FIGURES, *([] if report.filled is None else ["filled"])),
        "holds": holds_json(report.holds),
        "warnings": report.warnings,
        "calls": attributes(report, "sheets_read", "sheets_write", "tokportal"),
        "error": str(report.error) if report.error else None,
    }
