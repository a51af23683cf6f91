"""One run for one tracker: read, observe, plan, refuse, execute, write (design 3).

Owns the order of the six steps, and nothing that looks into a row: what is due and what a mark does is the plan's, what
cells say the projection's, what costs money `execute.py`'s.
"""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from sheetsync import notes
from sheetsync.authorizations import Access
from sheetsync.clock import Clock
from sheetsync.errors import (
    CredentialsError,
    GateColumnMissing,
    Interrupted,
    KeptOut,
    Refused,
    SheetsyncError,
    Unavailable,
    Unexpected,
)
from sheetsync.filling.fill import Wanted, fill
from sheetsync.ledger.store import Ledger
from sheetsync.model import HoldKind, Known, Mark, Observation, Price, Row, Snapshot, Tracker
from sheetsync.plan.asking import SOON, inquiries
from sheetsync.plan.credible import credible
from sheetsync.plan.due import calls_to_order, due, needs_balance
from sheetsync.plan.gates import absent_gates, with_default_approvals
from sheetsync.plan.limits import cleared_marks, shrunken, spent_refusals
from sheetsync.plan.marks import make_plan
from sheetsync.plan.memory import remembered
from sheetsync.plan.outcome import outlook_of, without_clearing
from sheetsync.plan.situation import BALANCE_LAGS, KEY_REFUSED, Allowed, AtSheet, Situation, chosen
from sheetsync.plan.unreached import with_earlier
from sheetsync.projected import Told
from sheetsync.projection import figures, summary
from sheetsync.projection.concerned import concerned
from sheetsync.projection.seen import rows_seen
from sheetsync.projection.tracker import TrackerProjection
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import Writer, Written, as_repaired, marks_left
from sheetsync.steps import Offer, Order, Plan, RowSeen
from sheetsync.sync.asking import ask
from sheetsync.sync.execute import Executor
from sheetsync.sync.observe import POLLERS, Poller
from sheetsync.sync.progress import Progress, silent
from sheetsync.sync.report import Report
from sheetsync.tiktok.client import TikTok
from sheetsync.tokportal.client import TokPortal

log = logging.getLogger(__name__)

Observations = Mapping[str, Observation]


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked to do. `videos` narrows it to some rows; `poll_seconds` bounds the observing.

    `progress` is told how far it is; `tiktok` makes the client for a tracker that has TikTok asked. `ahead` are the
    orders that the plans of other trackers would send before this one.
    """

    run_id: str
    poll_seconds: int = 120
    videos: frozenset[str] = frozenset()
    allowed: Allowed = field(default_factory=Allowed)
    plan_only: bool = False
    pollers: int = POLLERS
    progress: Progress = silent
    tiktok: Callable[[Access, Clock], TikTok] = TikTok
    ahead: int = 0


class Run:
    """The six steps for one tracker."""

    def __init__(
        self, tracker: Tracker, api: SheetsAPI, portal: TokPortal, ledger: Ledger, clock: Clock, request: Request
    ) -> None:
        self._tracker, self._api, self._portal = tracker, api, portal
        self._ledger, self._clock, self._request = ledger, clock, request
        self._recorder = ledger.recorder(tracker.name, request.run_id, clock)
        self._reader = Reader(api, tracker, clock)
        self._writer = Writer(self._reader, self._recorder)
        self.report = Report(tracker.name, progress=request.progress)
        self._beside = 0  # what other trackers had cost when the balance was asked
        self._asked_at = clock.now()  # when that was
        self._seen: Mapping[str, RowSeen] = {}  # what the run before saw of each row
        self._unheard: Set[str] = frozenset()  # of which TokPortal has said nothing in this run
        self._is_lifted = False  # a lock that the Summary tab may still say

    def run(self) -> Report:
        """Do it. What stops the run ends up in `report.error`; a crash of the process may come at any point."""
        report = self.report
        reads, writes, calls = self._api.reads, self._api.writes, self._portal.calls
        try:
            self._steps()
        except SheetsyncError as error:
            report.failed(error)
        except Exception as error:
            # one tracker's trouble is not the others', and what was done so far is still told
            # where it happened, but not what it said: the message of an unforeseen error may hold a key or a code
            where = (f"{at.filename}:{at.lineno} in {at.name}" for at in traceback.extract_tb(error.__traceback__))
            log.debug("%s: %s", type(error).__name__, ", ".join(where))
            report.failed(Unexpected(error))
        if self._clock.is_stopped and report.exit_code <= 1:
            # says more than that a call came too late
            report.error = Interrupted(len(self._ledger.known(self._tracker.name).unsettled))
        report.sheets_read, report.sheets_write = self._api.reads - reads, self._api.writes - writes
        report.tokportal = self._portal.calls - calls
        return report

    def fill(self) -> None:
        """Where the configuration says so, add rows for new videos, in the time that is left; marks come first."""
        request = self._request
        if not self._tracker.fill.every or request.videos or self._clock.left_to_ask() <= 0:
            return
        parts = self._tracker, self._api, self._portal, self._ledger, self._clock
        filled = fill(*parts, Wanted(request.run_id), request.progress)
        self.report.filled = len(filled.added)
        # what waits for a person (a post without its id, say) is no failure: `sheetsync fill` tells it
        if filled.exit_code:
            waits = [f"{filled.waiting} rows were sent without an answer"] if filled.waiting else []
            problems = [*filled.told, *waits, *([str(filled.error)] if filled.error else [])]
            self.report.warnings += [f"fill: {problem}" for problem in problems]

    def _steps(self) -> None:
        """Read all, decide all, then act: after the plan nothing is decided any more."""
        read = self._reader.read if self._request.plan_only else self._writer.read
        snapshot = as_repaired(read(), journal := self._recorder.pending_write())
        if not self._request.plan_only:
            self._recorder.correct_future()
        self.report.rows = snapshot.rows_with_key
        self.report.absent = self._request.videos - snapshot.keys
        self.report.tab = self._tracker.spreadsheet, snapshot.sheet_id
        known = self._done_already(snapshot, journal)
        self._seen = {row.video_id: row for row in self._ledger.rows_seen(self._tracker.name)}
        all_rows = concerned(snapshot.rows, known, self._request.videos)
        self.report.names = {row.key: ", ".join(filter(None, _whose(row))) for row in reversed(all_rows)}
        rows, asked = chosen(all_rows, self._request.videos), known.only(self._request.videos)
        price = self._price(snapshot)
        tracker = with_default_approvals(replace(self._tracker, price=price.credits), known, snapshot.columns)
        observations = self._asked(rows, asked, snapshot, tracker)
        self._refuse(snapshot)
        if not self._request.plan_only:
            # before anything is decided: else the next run, which knows of it, would decide otherwise
            self._record(snapshot, known, observations)
            found = self._remember(snapshot, known, tracker)
            asked = self._ask_tiktok(snapshot, tracker, found).only(self._request.videos)
        plan = self._plan(rows, asked, observations, tracker, price, self._at_sheet(snapshot))
        if plan.refused:
            self.report.refused(plan.refused)
        absent = absent_gates(tracker, snapshot.columns)
        if absent and needs_balance(rows):
            self.report.failed(GateColumnMissing(snapshot.title, absent))
        self.report.plan, self.report.holds = plan, list(plan.holds)
        # a mark that was not reached is a hold; one that waits for a person hides no open request
        self.report.deferred = len(self._unheard - {h.video_id for h in plan.holds if h.kind is HoldKind.NEXT_RUN})
        if self._request.plan_only:
            return
        self._withdraw(plan)
        if plan.braked != known.braked and not self._request.videos:
            self._recorder.brake(plan.braked)
        newest = self._execute(plan, snapshot, asked, tracker, price)
        if plan.approved and self.report.served.keys() & {video for video, *_ in plan.approved.wishes}:
            # only now is the number used up, and with it what was too many
            self._recorder.brake(plan.braked & plan.unseen)
        # what was ordered or taken over since: the row may say more of its video than the ledger knows
        known = self._remember(newest, known, tracker)
        self._offer(plan, self._write(snapshot, newest, observations, tracker, known))

    def _done_already(self, snapshot: Snapshot, journal: str | None) -> Known:
        """What is known, with the marks that a killed run has served and that stand all the same: no new wishes."""
        known, left = self._ledger.known(self._tracker.name), marks_left(snapshot, journal)
        for video, (mark, request) in left.items():
            if not self._request.plan_only:
                self._recorder.served(video, Mark(mark), request)
        return replace(known, served={**known.served, **left}) if left else known

    def _asked(self, rows: Sequence[Row], known: Known, snapshot: Snapshot, tracker: Tracker) -> Observations:
        try:
            if needs_balance(rows):
                # TokPortal's first call: a key that may do nothing is found out here, not at some row
                self.report.credits_left = self._balance()
            return self._observe(rows, known, snapshot, tracker)
        except CredentialsError as no:
            if self._request.plan_only:
                raise
            # codes end all the same, and marks wait: the sheet says so, and the run ends with the key's error
            self.report.failed(no)
            look = due(rows, known, self._clock.now(), snapshot.time_zone, tracker)
            return {video: Observation(video, failure=KEY_REFUSED) for video in look}

    def _observe(self, rows: Sequence[Row], known: Known, snapshot: Snapshot, tracker: Tracker) -> Observations:
        look = due(rows, known, self._clock.now(), snapshot.time_zone, tracker)
        request = self._request
        leave = 0 if request.plan_only else calls_to_order(rows, tracker)
        poller = Poller(self._portal, self._clock, request.poll_seconds, request.pollers, request.progress, leave)
        answers = poller.observe(look)
        if poller.trouble:
            # one video that is not heard of is its row's matter; that none is, is the run's
            self.report.warnings.append(poller.trouble)
        if not self._request.plan_only:
            self._recorder.looked(answers.keys())
        told = concerned(snapshot.rows, known)
        observations = credible(answers, known, told, snapshot.time_zone, self._clock.now())
        self.report.polled = sum(1 for seen in observations.values() if not seen.failure)
        self._unheard = {*look} - {v for v, seen in observations.items() if not seen.failure or seen.failure.is_final}
        return with_earlier(observations, {*look} - answers.keys(), told, known, self._seen)

    def _ask_tiktok(self, snapshot: Snapshot, tracker: Tracker, known: Known) -> Known:
        """What is known with what TikTok says of codes: on disk, like TokPortal's word. Its silence stops nothing."""
        access, now = tracker.tiktok, self._clock.now()
        if not access.is_on:
            return known
        rows = chosen(concerned(snapshot.rows, known), self._request.videos)
        due = inquiries(rows, known, now, snapshot.time_zone, tracker)
        book = self._ledger.authorized(tracker.name, self._request.run_id, self._clock)
        trouble = book.trouble()
        if due and not (trouble and trouble.token == access.fingerprint and abs(now - trouble.asked_at) < SOON):
            told = ask(due, access, self._request.tiktok, self._clock)
            book.keep(told.codes)
            if told.trouble:
                log.log(logging.INFO if trouble else logging.WARNING, "%s", told.trouble)
                book.troubled(told.trouble, access.fingerprint)
            elif told.is_heard:
                book.relieved()
            trouble = book.trouble()
        self.report.remarks += [trouble.text] if trouble else []
        return self._ledger.known(tracker.name)

    def _plan(
        self,
        rows: Sequence[Row],
        known: Known,
        observations: Observations,
        tracker: Tracker,
        price: Price,
        at_sheet: AtSheet,
    ) -> Plan:
        now = self._clock.now()
        return make_plan(
            Situation(
                rows=rows,
                known=known,
                observations=observations,
                tracker=tracker,
                now=now,
                run_id=self._request.run_id,
                balance=self.report.credits_left,
                allowed=self._request.allowed,
                at_sheet=at_sheet,
                price_lock=price.lock,
                unsettled_elsewhere=self._ledger.unsettled() - len(known.unsettled) + self._request.ahead,
                untold=self._ledger.orders_untold(self._asked_at - BALANCE_LAGS, now),
                asked_at=self._asked_at,
            )
        )

    def _at_sheet(self, snapshot: Snapshot) -> AtSheet:
        """What a person may allow in the Summary tab, and has; a run for some videos neither looks nor asks there."""
        place = summary.allow_cell(snapshot, self._tracker)
        if self._request.videos or not place:
            return AtSheet()
        offer = self._ledger.offer(self._tracker.name)
        return AtSheet(place, offer, bool(offer and self._is_typed(offer, snapshot)))

    def _is_typed(self, offer: Offer, snapshot: Snapshot) -> bool:
        return figures.number_typed(snapshot.beside, self._tracker) == offer.orders

    def _offer(self, plan: Plan, newest: Snapshot) -> None:
        """Ask in the Summary tab what a person may allow, and remember it once it is seen to stand there."""
        offer = plan.offered
        if not offer:
            return
        if self._ledger.offer(self._tracker.name) == offer:
            # a number that is there already waits for a run that can look at all of them
            if figures.is_offering(newest.beside, self._tracker, offer.orders) or self._is_typed(offer, newest):
                return
            # a number typed for what is asked now must not meet what was asked before
            self._recorder.withdraw_offer()
        if self._writer.show_offer(newest, offer):
            self._recorder.offer(offer)

    def _price(self, snapshot: Snapshot) -> Price:
        """What a code may cost: as the ledger knows it, else as the Summary tab remembers."""
        key, accepted = self._portal.fingerprint, self._request.allowed.price
        price, said = self._ledger.price(key), summary.price_lock(snapshot, self._tracker)
        # what was lifted may stand in the tab of a tracker that had no run since
        self._is_lifted = accepted is not None or (said != "" and price.lifts(said))
        if accepted is not None and said and not (price.lock or price.lifts(said)):
            # a ledger that is new did not know what is lifted; should this run lock anew, it stays so
            price = replace(price, lifted=price.and_lifted(said))
            self._recorder.accept_price(key, accepted, price.lifted)
        if price.lock or not said or self._is_lifted:
            return price
        # the ledger was lost, or another machine's order met the price
        price = replace(price, lock=said)
        if not self._request.plan_only:
            self._recorder.lock_price(key, price, said)
        return price

    def _balance(self) -> int | None:
        try:
            self._beside, self._asked_at = self._recorder.charged_beside(), self._clock.now()
            told = self._portal.balance()
            # it may not know of these orders yet, whichever tracker's: what their answers left is not there to spend
            now = self._clock.now()
            left = self._ledger.left_by_orders(now - BALANCE_LAGS, now)
            return told if left is None else min(told, left)
        except Unavailable as error:
            log.warning("%s", error)
            return None

    def _refuse(self, snapshot: Snapshot) -> None:
        """Raises Refused for a shrunken sheet, before what TokPortal says of the rows it lost is recorded."""
        if not self._request.plan_only:
            # before a refusal ends the run: what is back now must be missed when it goes again
            self._recorder.end_releases(snapshot.keys)
        open_before, gone = self._ledger.gone_open(self._tracker.name, snapshot.keys)
        why = shrunken(open_before, gone, self._tracker, self._request.allowed)
        if why:
            raise Refused(why)

    def _record(self, snapshot: Snapshot, known: Known, observations: Observations) -> None:
        """What was seen goes to disk before anything is done about it."""
        told = [(seen.request, seen.failure) for seen in observations.values() if seen.request]
        self.report.codes_received = self._recorder.observe(request for request, failure in told if not failure)
        self._recorder.observe((request for request, failure in told if failure), is_latest=False)
        self._recorder.saw_columns(snapshot.columns.keys() - known.columns_seen)
        rows = concerned(snapshot.rows, known)
        self._recorder.cleared(cleared_marks(rows, known))
        self._recorder.forget_refusals(spent_refusals(rows, known.refusals))
        if self.report.credits_left is not None:
            self._recorder.set_balance(self.report.credits_left)
        if self._request.allowed.shrunken:
            self._recorder.release(sorted(known.open_videos - snapshot.keys))

    def _withdraw(self, plan: Plan) -> None:
        """What was asked for in the Summary tab, and is planned no more, no number allows."""
        stored = self._ledger.offer(self._tracker.name)
        if stored and not self._request.videos and stored not in (plan.offered, plan.approved):
            self._recorder.withdraw_offer()

    def _remember(self, snapshot: Snapshot, before: Known, tracker: Tracker) -> Known:
        """What is known with what rows alone say, which goes to disk before they are written (design 5)."""
        known = self._ledger.known(self._tracker.name)
        now = self._clock.now()
        rows = concerned(snapshot.rows, known)
        news = remembered(rows, snapshot.time_zone, tracker, before, known, now, self._seen)
        is_news = self._recorder.remember(news)
        return self._ledger.known(self._tracker.name) if is_news else known

    def _told(self) -> Told:
        """What the Summary tab says beside the rows. A lock of None leaves it: it may be another machine's."""
        name, lock = self._tracker.name, self._ledger.price(self._portal.fingerprint).lock
        balance = self._ledger.balance(name)
        return Told(
            balance=balance[0] if balance else None,
            price_lock=lock if lock or self._is_lifted else None,
            spent=self._ledger.charges(name),
            is_good=self.report.exit_code == 0,
            last_good=self._ledger.last_good_run(name),
            is_offering=bool(self._request.videos or self.report.plan.offered or self._ledger.offer(name)),
        )

    def _execute(self, plan: Plan, snapshot: Snapshot, known: Known, tracker: Tracker, price: Price) -> Snapshot:
        """Returns the newest read of the sheet."""
        recorder, report, beside = self._recorder, self.report, self._beside
        executor = Executor(tracker, self._portal, recorder, self._writer, known, price, self._clock, report, beside)
        newest = executor.run(plan, snapshot)
        told = report.served.keys() | {hold.video_id for hold in report.holds}
        left = [step for step in plan.for_marks if step.video_id not in told]
        unsettled = self._ledger.known(self._tracker.name).unsettled if left else {}
        for step in left:
            # taken by TokPortal, perhaps, by a call whose answer could not be kept
            is_sent = step.video_id in unsettled
            stopped = notes.RUN_STOPPED if isinstance(step, Order) else notes.NOT_FINISHED
            report.not_done(step, notes.LOOKING if is_sent else stopped)
            report.uncertain += is_sent
        if self.report.credits_left is not None:
            self._recorder.set_balance(self.report.credits_left)
        return newest

    def _write(
        self, planned_from: Snapshot, newest: Snapshot, observations: Observations, tracker: Tracker, known: Known
    ) -> Snapshot:
        """What the claim has read since is nearer to what the sheet says now than what the plan was made from.

        Returns the newest read.
        """
        outlook = outlook_of(
            planned_from, known, self._clock.now(), self.report.holds, observations, self.report.served, self._seen
        )
        wanted = TrackerProjection(
            tracker=tracker,
            outlook=outlook,
            shown=frozenset((row.key, row.shown_id) for row in planned_from.rows if row.key in outlook.observed),
            videos=self._request.videos,
            told=self._told(),
        )
        now, before = outlook.now, self._seen
        seen = rows_seen(newest, self._request.videos, tracker, known, now, self.report.holds, before)
        self._recorder.saw_rows(tuple(seen), is_all=not self._request.videos)
        written = self._writer.write(newest, wanted)
        self._tell(written)
        stuck = written.uncleared & outlook.served.keys()
        if stuck:
            for video in stuck:
                self._recorder.served(video, self.report.served[video], known.latest[video].request.id)
            # the row itself has to say so: another machine, or a ledger that is new, would take the mark for a wish
            self._tell(self._writer.write(written.snapshot, replace(wanted, outlook=without_clearing(outlook, stuck))))
        return written.snapshot

    def _tell(self, written: Written) -> None:
        report, said = self.report, written.projection
        report.cells_written += written.cells
        report.unplaced = sorted(written.unplaced)
        if written.refusal:
            report.failed(written.refusal)
        rows = written.snapshot.rows
        if written.kept_out_of and all("sync_note" in row.locked for row in rows if row.key):
            report.failed(KeptOut(written.snapshot.title, self._api.email))
        if written.filled:
            cells = ", ".join(written.filled)
            report.warnings.append(f"A formula in another cell fills {cells}, which sheetsync has to empty: delete it.")
        if written.owing:
            cells, whom = ", ".join(written.owing), self._api.email or "the service account"
            put_back = f"A protected range keeps sheetsync from putting back {cells}, which a write hit by mistake: let"
            report.warnings.append(f"{put_back} {whom} edit that (Data > Protect sheets and ranges).")
        # a row that has to say what is stuck in it is written a second time
        report.warnings = list(dict.fromkeys(report.warnings))
        expiry, report.stages = said.counts("expiry"), said.counts("stage")
        report.renewal_needed, report.expired = expiry["renewal needed"], expiry["expired"]
        # rows may have moved since they were planned: a hold names where its row stands now
        numbers = said.row_numbers()
        report.holds = [replace(hold, row=numbers.get(hold.video_id, hold.row)) for hold in report.holds]


def _whose(row: Row) -> tuple[str, str]:
    return row.text("creator"), row.text("client")
