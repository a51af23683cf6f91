"""The figures of all trackers as a text file for Prometheus, written atomically by its own client library.

Owns their names. What has to outlive a process comes from the ledger; what only a run sees (rows by stage, calls) is
left out where it did not get so far.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
    write_to_textfile,
)

from sheetsync.ledger.store import Ledger
from sheetsync.sync.report import Report

_FIGURES = {
    "runs": ("Runs, by their exit code.", "exit_code"),
    "last_run_timestamp_seconds": ("When the last run began.", ""),
    "last_run_duration_seconds": ("How long the last run took.", ""),
    "last_run_exit_code": ("What the last run ended with.", ""),
    "last_run_calls": ("Calls that this run made.", "service"),
    "last_good_run_timestamp_seconds": ("When the last run began that ended with 0.", ""),
    "rows": ("Rows with a video id, by Stage.", "stage"),
    "rows_waiting": ("Rows that wait for somebody.", ""),
    "open_requests": ("Ad code requests that are open.", ""),
    "oldest_open_request_timestamp_seconds": ("When the oldest of them was made.", ""),
    "unsettled_orders": ("Orders of which nobody knows yet whether they were placed.", ""),
    "credits_left": ("The newest balance that TokPortal told.", ""),
    "credits_spent": ("What the ad codes of this ledger have cost, refunds deducted.", ""),
}
"""Name without `sheetsync_`: what it is, and the label that it has beside `tracker`."""


def write(path: Path, ledger: Ledger, reports: Sequence[Report]) -> None:
    """Write the file, whole or not at all. Raises OSError, ConfigError, Unavailable."""
    registry = CollectorRegistry()
    disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped library
    metrics = {
        name: (Counter if name == "runs" else Gauge)(
            f"sheetsync_{name}", text, ("tracker", label) if label else ("tracker",), registry=registry
        )
        for name, (text, label) in _FIGURES.items()
    }
    for report in reports:
        for name, word, value in _figures(ledger, report):
            if value is not None:
                labels = (report.name, word) if word else (report.name,)
                metrics[name].labels(*labels).inc(value)
    if path.exists() and not path.is_file():
        path.write_bytes(generate_latest(registry))  # a pipe or a device, which no file may take the place of
    else:
        write_to_textfile(str(path), registry)


def _figures(ledger: Ledger, report: Report) -> Iterator[tuple[str, str, float | None]]:
    """Each figure of a tracker: its name, the word of its own label, its value (None: not known)."""
    tracker = report.name
    yield from (("runs", str(code), number) for code, number in ledger.runs_by_exit_code(tracker).items())
    if run := ledger.last_run(tracker):
        yield "last_run_timestamp_seconds", "", run.started_at.timestamp()
        yield "last_run_duration_seconds", "", (run.finished_at - run.started_at).total_seconds()
        yield "last_run_exit_code", "", run.exit_code
    if good := ledger.last_good_run(tracker):
        yield "last_good_run_timestamp_seconds", "", good.timestamp()
    for service in ("sheets_read", "sheets_write", "tokportal"):
        yield "last_run_calls", service, getattr(report, service)
    yield from (("rows", stage or "none", number) for stage, number in report.stages.items())
    yield "rows_waiting", "", sum(bool(row.hold) for row in ledger.rows_seen(tracker))
    known = ledger.known(tracker)
    entries = [known.latest[video] for video in known.open_videos]
    made = [(entry.request.created_at or entry.seen_at).timestamp() for entry in entries]
    yield "open_requests", "", len(made)
    yield "oldest_open_request_timestamp_seconds", "", min(made, default=None)
    yield "unsettled_orders", "", len(known.unsettled)
    balance = ledger.balance(tracker)
    yield "credits_left", "", balance and balance[0]
    yield "credits_spent", "", sum(charge.credits for charge in ledger.charges(tracker))
