"""One tracker after the other, each under its lock (design 4.6): what stops one is in its report, and stops no other.

Owns whose turn it is, and what is recorded of a run. What a run does is `run.py`'s.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sheetsync.clock import Clock
from sheetsync.context import about
from sheetsync.errors import OutOfTime, SheetsyncError
from sheetsync.ledger.store import Ledger
from sheetsync.model import Tracker
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sync.report import Report
from sheetsync.sync.run import Request, Run
from sheetsync.tokportal.client import TokPortal


def run_id_for(started: datetime) -> str:
    """A name for a run that sorts by time and is not used twice."""
    return f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_all(
    trackers: Iterable[Tracker], api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
) -> dict[str, Report]:
    """What came of each tracker, by its name."""
    if request.allowed.price is not None:
        # once, before the first tracker: what an order costs after that locks the trackers that follow all the same
        key, recorder = portal.fingerprint, ledger.recorder("", request.run_id, clock)
        price = ledger.price(key)
        recorder.accept_price(key, request.allowed.price, price.and_lifted(price.lock))
    waiting = sorted(trackers, key=lambda tracker: _last_begun(ledger, tracker))
    reports = {}
    for tracker in waiting:
        reports[tracker.name] = report = run_once(tracker, api, portal, ledger, clock, request)
        if request.plan_only:
            # what is only planned, nobody has charged yet; what is sent again counts as unsettled
            new = [order for order in report.plan.orders if not order.resend]
            request = replace(request, ahead=request.ahead + len(new))
    return reports


def _last_begun(ledger: Ledger, tracker: Tracker) -> datetime:
    """Who has waited longest goes first: whom the time of one run does not reach, that of the next one does."""
    last = ledger.last_run(tracker.name)
    return last.started_at if last else datetime.min.replace(tzinfo=UTC)


def run_once(
    tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
) -> Report:
    """One run for one tracker, under its lock; every SheetsyncError ends up in the report."""
    with about(run_id=request.run_id, tracker=tracker.name):
        return _run_once(tracker, api, portal, ledger, clock, request)


def _run_once(
    tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
) -> Report:
    run = Run(tracker, api, portal, ledger, clock, request)
    if clock.left_to_ask() <= 0:
        # what is left of the time belongs to the sheets of the trackers before this one
        run.report.failed(OutOfTime())
        return run.report
    if request.plan_only:
        # it changes nothing, so that it may look while another run is at work
        return run.run()
    started = clock.now()
    report = run.report
    try:
        with ledger.lock(tracker.name, request.run_id, started):
            run.run()
            run.fill()
            recorder = ledger.recorder(tracker.name, request.run_id, clock)
            recorder.record_run(started, report.exit_code, str(report.error or ""))
    except SheetsyncError as error:
        # held by another run, or a ledger that fails while the run is recorded: what was done is told all the same
        report.failed(error)
    return report
