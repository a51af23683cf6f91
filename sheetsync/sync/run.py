"""One run for one tracker: read, observe, plan, refuse, execute, write (design 3).

Owns the order of the six steps, and nothing that looks into a row: what is due and what a mark does is `plan.py`'s,
what cells say `projection.py`'s, what costs money `execute.py`'s.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, Refused, SheetsyncError, Unavailable
from sheetsync.ledger.recorder import Recorder
from sheetsync.ledger.store import Ledger
from sheetsync.model import Failure, FailureKind, Hold, HoldKind, Known, Observation, Plan, Row, Snapshot, Tracker
from sheetsync.plan.marks import (
    Allowed,
    Due,
    Situation,
    acting,
    asks,
    due,
    make_plan,
    needs_balance,
    shrunken,
    spent_refusals,
    too_many_orders,
    wish,
    without_orders,
)
from sheetsync.projection import summary
from sheetsync.projection.cells import ORDERING, Outlook, Served, Target, targets
from sheetsync.projection.summary import SummaryCell
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.writing import Sheet, Written
from sheetsync.sync.execute import Executor, Outcome, Paid
from sheetsync.tokportal.client import TokPortal

log = logging.getLogger(__name__)

POLLERS = 4
"""Threads that poll: enough to fill the rate limit of 2 a second at TokPortal's usual pace."""

SILENT_LIMIT = 5
"""After so many unanswered polls in a row TokPortal is taken to be down; the rest is left for the next run."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked to do. `videos` narrows it to some rows; `poll_seconds` bounds the observing."""

    run_id: str
    poll_seconds: int = 120
    videos: frozenset[str] = frozenset()
    allowed: Allowed = field(default_factory=Allowed)
    plan_only: bool = False
    pollers: int = POLLERS


@dataclass(slots=True)
class Report:
    """What a run did: the figures of design 7. `plan` is what it set out to do; `error` stopped it."""

    name: str
    rows: int = 0
    ordered: int = 0
    renewed: int = 0
    adopted: int = 0
    corrected: int = 0
    polled: int = 0
    codes_received: int = 0
    cells_written: int = 0
    renewal_needed: int = 0
    expired: int = 0
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
    plan: Plan = field(default_factory=Plan)
    unplaced: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """Design 7: an error's own code; 1 where a mark could not be served or a cell not be verified."""
        if self.error:
            return self.error.exit_code
        waits_for_world = any(hold.kind is HoldKind.WORLD for hold in self.holds)
        return 1 if waits_for_world or self.uncertain or self.unplaced or self.warnings else 0


class Run:
    """The six steps for one tracker."""

    def __init__(
        self, tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
    ) -> None:
        self._tracker, self._api, self._portal = tracker, api, portal
        self._ledger, self._clock, self._request = ledger, clock, request
        self._recorder = ledger.recorder(tracker.name, request.run_id, clock)
        self._sheet = Sheet(api, tracker, clock, LedgerJournal(ledger, self._recorder))
        self._newest: Snapshot | None = None
        self.report = Report(tracker.name)

    def run(self) -> Report:
        """Do it. What stops the run ends up in `report.error`; a crash of the process may come at any point."""
        calls = self._api.reads, self._api.writes, self._portal.calls
        try:
            self._steps()
        except SheetsyncError as error:
            self.report.error = error
        report = self.report
        report.sheets_read, report.sheets_write = self._api.reads - calls[0], self._api.writes - calls[1]
        report.tokportal = self._portal.calls - calls[2]
        return report

    def _steps(self) -> None:
        snapshot = self._sheet.read()
        known = self._ledger.known(self._tracker.name)
        if needs_balance(self._chosen(snapshot.rows)):
            # TokPortal's first call: a key that may do nothing is found out here, not at some row
            self.report.credits_left = self._balance()
        observations = self._observe(snapshot, known)
        plan = self._plan(snapshot, known, observations)
        plan = self._refuse(plan, snapshot)
        self.report.plan, self.report.holds = plan, list(plan.holds)
        if self._request.plan_only:
            return
        self._record(snapshot, known, observations)
        outcome = self._execute(plan, snapshot)
        self._write(snapshot, plan, outcome, observations)

    # --- 2 observe ---------------------------------------------------------------------------------------------

    def _observe(self, snapshot: Snapshot, known: Known) -> Mapping[str, Observation]:
        rows = self._chosen(snapshot.rows)
        self.report.rows = sum(1 for row in snapshot.rows if row.key)
        look = due(rows, known, self._clock.now())
        if self._request.videos:
            chosen = {row.key for row in rows}
            look = Due(
                tuple(video for video in look.first if video in chosen),
                tuple(video for video in look.later if video in chosen),
            )
        polls = Polls(self._portal, self._clock, self._request)
        observations = polls.observe((*look.first, *look.later))
        self.report.polled = sum(1 for seen in observations.values() if not seen.failure)
        self.report.deferred = sum(1 for video in look.later if video not in observations)
        return observations

    def _chosen(self, rows: Sequence[Row]) -> Sequence[Row]:
        wanted = self._request.videos
        return [row for row in rows if row.key in wanted] if wanted else rows

    # --- 3 plan ------------------------------------------------------------------------------------------------

    def _plan(self, snapshot: Snapshot, known: Known, observations: Mapping[str, Observation]) -> Plan:
        rows = self._chosen(snapshot.rows)
        if self._request.videos:
            known = replace(known, unsettled={v: i for v, i in known.unsettled.items() if v in self._request.videos})
        now, run_id = self._clock.now(), self._request.run_id
        return make_plan(Situation(rows, known, observations, self._tracker, now, run_id, self.report.credits_left))

    def _balance(self) -> int | None:
        try:
            return self._portal.balance()
        except Unavailable as error:
            log.warning("%s", error)
            return None

    # --- 4 refuse ----------------------------------------------------------------------------------------------

    def _refuse(self, plan: Plan, snapshot: Snapshot) -> Plan:
        """Raises Refused for a shrunken sheet; a plan with too many orders goes on without any of them."""
        allowed, present = self._request.allowed, {row.key for row in snapshot.rows}
        if not self._request.plan_only:
            # before a refusal ends the run: what is back now must be missed when it goes again
            self._recorder.end_releases(present)
        why = shrunken(*self._ledger.gone_open(self._tracker.name, present), self._tracker, allowed)
        if why:
            raise Refused(why)
        why = too_many_orders(plan, self._tracker, allowed)
        if not why:
            return plan
        self.report.error = Refused(why)
        return without_orders(plan, self._tracker.max_orders_per_run)

    # --- 5 execute ---------------------------------------------------------------------------------------------

    def _record(self, snapshot: Snapshot, known: Known, observations: Mapping[str, Observation]) -> None:
        seen = [observation.request for observation in observations.values() if observation.request]
        self.report.codes_received = self._recorder.observe(seen)
        self._recorder.forget_refusals(spent_refusals(snapshot.rows, known.refusals))
        if self.report.credits_left is not None:
            self._recorder.set_balance(self.report.credits_left)
        if self._request.allowed.shrunken:
            present = {row.key for row in snapshot.rows}
            self._recorder.release(v for v, e in known.latest.items() if e.request.is_open and v not in present)

    def _execute(self, plan: Plan, snapshot: Snapshot) -> Outcome:
        known = self._ledger.known(self._tracker.name)
        executor = Executor(self._portal, self._recorder, known, self._clock, self.report.credits_left)
        outcome = executor.run(plan, lambda orders: self._claim(orders, snapshot))
        self._count(plan, outcome)
        return outcome

    def _claim(self, orders: Sequence[Paid], snapshot: Snapshot) -> Collection[str]:
        """Write `ordering` into the rows about to be ordered; whoever's row has changed is not ordered."""
        seen = {row.key: row for row in acting(snapshot.rows)}
        wanted = {step.video_id: seen[step.video_id] for step in orders}

        def ordering(now_read: Snapshot) -> list[Target]:
            acts = {row.key: row for row in acting(now_read.rows) if row.key in wanted}
            still = {key for key, row in acts.items() if asks(row, self._tracker) == asks(wanted[key], self._tracker)}
            # a twin whose own mark waits goes on showing what its person saw
            return [
                Target(row, {"status": ORDERING})
                for row in now_read.rows
                if row.key in still and (not row.text("action") or wish(row) == wish(wanted[row.key]))
            ]

        written = self._sheet.write(snapshot, ordering)
        self._newest = written.snapshot
        self.report.cells_written += written.cells
        standing = {target.row.key for target in ordering(written.snapshot)}
        return standing - written.unplaced

    def _count(self, plan: Plan, outcome: Outcome) -> None:
        report = self.report
        report.ordered, report.renewed = outcome.ordered, outcome.renewed
        report.adopted, report.corrected = outcome.adopted, outcome.corrected
        report.uncertain, report.credits_charged = outcome.uncertain, outcome.credits_charged
        report.credits_left = outcome.credits_left
        report.warnings += outcome.warnings
        report.error = outcome.error or report.error
        rows = {step.video_id: step.row for step in plan.steps if hasattr(step, "row")}
        report.holds += [
            Hold(video, rows.get(video) or 0, reason, HoldKind.WORLD) for video, reason in outcome.reasons.items()
        ]
        if outcome.credits_left is not None:
            self._recorder.set_balance(outcome.credits_left)

    # --- 6 write -----------------------------------------------------------------------------------------------

    def _write(self, snapshot: Snapshot, plan: Plan, outcome: Outcome, observations: Mapping[str, Observation]) -> None:
        marks = {row.key: wish(row) for row in acting(snapshot.rows)}
        reasons = {hold.video_id: hold.reason for hold in self.report.holds}
        outlook = Outlook(
            known=self._ledger.known(self._tracker.name),
            now=self._clock.now(),
            reasons={(video, marks[video][0]): why for video, why in reasons.items() if video in marks},
            observed=frozenset(video for video, seen in observations.items() if not seen.failure),
            served={video: Served(mark, marks[video][1]) for video, mark in outcome.served.items()},
        )
        seen: list[Target] = []
        shown = {(row.key, row.text("request_id")) for row in snapshot.rows}

        def project(now_read: Snapshot) -> list[Target]:
            chosen = self._chosen(now_read.rows)
            # a row that came to show another request since then was written by another machine, which looked later
            newer = {row.key for row in chosen if (row.key, row.text("request_id")) not in shown}
            now = replace(outlook, observed=outlook.observed - newer)
            seen[:] = targets(chosen, now_read.time_zone, self._tracker, now)
            return seen

        def summarise(now_read: Snapshot, changed: bool) -> Sequence[SummaryCell]:
            told = self._ledger.balance(self._tracker.name)
            return summary.edits(now_read, seen, self._tracker, told[0] if told else None, outlook.now, changed)

        # what the claim has read since is nearer to what the sheet says now
        written = self._sheet.write(self._newest or snapshot, project, summarise)
        self._tell(written, seen)

    def _tell(self, written: Written, seen: Sequence[Target]) -> None:
        self.report.cells_written += written.cells
        self.report.unplaced = sorted(written.unplaced)
        words = [target.values.get("expiry", target.row.text("expiry")) for target in seen]
        self.report.renewal_needed, self.report.expired = words.count("renewal needed"), words.count("expired")
        numbers = {target.row.key: target.row.number for target in reversed(seen)}
        self.report.holds = [replace(h, row=numbers.get(h.video_id, h.row)) for h in self.report.holds]


@dataclass(frozen=True, slots=True)
class LedgerJournal:
    """The sheet's journal, kept in the ledger."""

    ledger: Ledger
    recorder: Recorder

    def pending(self) -> str | None:
        """The write whose end nobody saw."""
        return self.ledger.pending_write(self.recorder.tracker)

    def begin(self, payload: str) -> None:
        """Durable on return."""
        self.recorder.begin_write(payload)

    def end(self) -> None:
        """The write is verified."""
        self.recorder.end_write()


class Polls:
    """Observes videos on a small pool of threads, within the time of the run."""

    def __init__(self, portal: TokPortal, clock: Clock, request: Request) -> None:
        self._portal, self._clock, self._request = portal, clock, request
        self._until = clock.monotonic() + request.poll_seconds
        self._silent = 0

    def observe(self, videos: Sequence[str]) -> dict[str, Observation]:
        """What TokPortal says about each video; those that the time did not reach are left out.

        Raises CredentialsError.
        """
        if self._request.pollers <= 1 or len(videos) <= 1:
            found = [self._one(video) for video in videos]
        else:
            with ThreadPoolExecutor(self._request.pollers, "poll") as pool:
                found = list(pool.map(self._one, videos))
        return {observation.video_id: observation for observation in found if observation}

    def _one(self, video_id: str) -> Observation | None:
        if self._clock.monotonic() > self._until or self._silent >= SILENT_LIMIT:
            return None
        try:
            request = self._portal.latest(video_id)
        except CallRefused as no:
            named = " ".join(part for part in (str(no.http_status), no.code) if part)
            text = f"TokPortal does not show this video ({named}: {no.message or 'no message'}). Check the Video ID."
            return Observation(video_id, failure=Failure(FailureKind.REFUSED, text))
        except Unavailable as error:
            self._silent += 1
            log.info("video %s: %s", video_id, error)
            text = "TokPortal did not answer; the next run tries again."
            return Observation(video_id, failure=Failure(FailureKind.UNAVAILABLE, text))
        self._silent = 0
        return Observation(video_id, request)


def run_id_for(started: datetime) -> str:
    """A name for a run that sorts by time and is not used twice."""
    return f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def run_once(
    tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
) -> Report:
    """One run for one tracker, under its lock; every SheetsyncError ends up in the report."""
    run = Run(tracker, api, portal, ledger, clock, request)
    if request.plan_only:
        return run.run()
    started = clock.now()
    try:
        with ledger.lock(tracker.name, request.run_id, started):
            report = run.run()
            recorder = ledger.recorder(tracker.name, request.run_id, clock)
            recorder.record_run(started, report.exit_code, str(report.error or ""))
            return report
    except SheetsyncError as error:
        return Report(tracker.name, error=error)
