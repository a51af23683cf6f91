"""Claims, orders, corrections: the only file that can spend money (design 4).

Owns the order in which things happen round a paid call: claim in the sheet, compare with TokPortal once more,
intent on disk, POST, outcome on disk, and a look wherever the outcome is not clear. Does not decide what is
wanted (the plan does), and does not write the result into the sheet (`run.py` does, from the ledger).
"""

import logging
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sheetsync import notes
from sheetsync.clock import Clock
from sheetsync.errors import CallNotSent, CallRefused, CallUncertain, CredentialsError, SheetsyncError, Unavailable
from sheetsync.ledger.recorder import Recorder
from sheetsync.model import AdCodeRequest, HoldKind, Intent, Known, Mark, Origin, Price, Row, Snapshot, Tracker
from sheetsync.plan.claim import Claim
from sheetsync.plan.credible import contradicts
from sheetsync.plan.gates import approval_trail
from sheetsync.plan.limits import FORMULA_PAUSE, locked, retry_pause
from sheetsync.sheet.writing import Writer
from sheetsync.steps import Adopt, Correct, Lapse, Order, Plan
from sheetsync.sync.report import Report, who_moves
from sheetsync.tokportal.client import CALL_SECONDS, Ordered, TokPortal

log = logging.getLogger(__name__)

UNCERTAIN_LIMIT = 3
"""So many unclear outcomes in a row say that TokPortal is ill: the rest of the orders waits for a later run."""

STILL_UNDER_WAY = timedelta(minutes=10)
"""So long after an order was first sent, a no to the call that repeats it settles nothing: the first may yet arrive."""

CLAIM_SECONDS = 55
"""A claim is acted on for so long; then the row is looked at again: no POST rests on one of a minute ago (design 4)."""

LOOK_SECONDS = 40
"""An order is sent so long after the last look at TokPortal began."""

ORDER_SECONDS = 45
"""From an intent's commit to the end of its POST (design 4): a minute after it, a later run may send it again."""

LOOKS = 3  # at sheet and TokPortal for one order, where time goes by; then the next run does it

MAY_NOT_CORRECT = (401, 403, 404, 405)
"""Answers that say that this route takes no API keys: it is outside `/api/ext` (API page; reference Q4)."""


@dataclass(slots=True)
class Executor:
    """Carries out one plan for one tracker. The report says what came of it, and before that what credits there are."""

    tracker: Tracker
    portal: TokPortal
    recorder: Recorder
    writer: Writer
    known: Known
    price: Price
    clock: Clock
    report: Report
    beside: int = 0  # what other trackers' orders had cost, by the ledger, before the newest balance was told
    stop: str = ""  # why no further order is sent in this run
    lock: str = ""  # why none is sent until a person accepts a price
    unclear: int = 0  # unclear answers in a row
    expected: int | None = field(init=False)  # what TokPortal should have left; None once nobody knows
    balance: int = field(init=False)  # the newest balance told, less the orders since that told none
    claim: Claim = field(init=False)
    claimed: Mapping[str, Row] = field(default_factory=dict)  # the rows as they stood when they were last looked at
    unverified: AbstractSet[str] = frozenset()  # claims of which nobody knows where they landed
    unclaimed: str = notes.UNCLAIMED  # what is said of those
    made_by_formula: AbstractSet[str] = frozenset()
    claimed_at: float = 0.0  # monotonic: when the rows were last looked at
    looked_at: float = 0.0  # monotonic: when TokPortal was last asked about this order's video
    intended_at: float = 0.0  # monotonic: when the intent was about to be committed

    def __post_init__(self) -> None:
        self.expected = self.report.credits_left
        self.balance = self.expected or 0  # the plan orders nothing on a balance that nobody told

    def run(self, plan: Plan, snapshot: Snapshot) -> Snapshot:
        """Free steps first, then the orders, one at a time. Returns the newest read of the sheet.

        Errors that stop a run end up in the report: what was done before is still written into the sheet.
        """
        # a claim that fails half-way may have written: whatever is written next starts from another read
        newest = replace(snapshot, is_current=False) if plan.orders else snapshot
        try:
            self._free_steps(plan)
            if plan.orders and self._has_time() and self._may_begin(plan, snapshot):
                newest = self._claim(plan.orders, snapshot)
            for done, step in enumerate(plan.in_turn):
                self.report.progress("ordering", done, len(plan.orders))
                newest = self._order(step, newest)
        except SheetsyncError as error:
            self.report.failed(error)
        return newest

    def _has_time(self) -> bool:
        """Whether another order could end before the time for TokPortal does; if not, none is sent in this run."""
        if self.clock.left_to_ask() < ORDER_SECONDS:
            self.stop = self.stop or (notes.STOPPED if self.clock.is_stopped else notes.OUT_OF_TIME)
        return not self.stop

    def _may_begin(self, plan: Plan, snapshot: Snapshot) -> bool:
        """A number in Summary allows its orders once: void on disk first, then taken from its cell, then they begin."""
        if plan.approved:
            self.recorder.withdraw_offer()
            if not self.writer.take_number(snapshot, plan.approved):
                self.stop = notes.NUMBER_NOT_TAKEN
        return not self.stop

    def _free_steps(self, plan: Plan) -> None:
        for step in plan.steps:
            if isinstance(step, Adopt):
                self._adopt(step)
            elif isinstance(step, Lapse):
                self.recorder.lapse(step.intent)
            elif isinstance(step, Correct):
                self._correct(step)

    def _adopt(self, step: Adopt) -> None:
        self._adopted(step.request, step.origin, step.settles)
        if step.mark:
            self.report.served[step.video_id] = step.mark

    def _adopted(self, request: AdCodeRequest, origin: Origin, settles: Intent | None, told: int | None = None) -> None:
        self.recorder.adopt(request, origin, settles, self.price.of(told))
        if settles:
            self.report.paid(settles.mark, self.price.of(told))
            log.info("video %s: the order whose answer was lost had happened: %s", request.video_id, request.id)
        else:
            self.report.adopted += 1
            log.info("video %s: ad code request %s taken over, nothing charged", request.video_id, request.id)

    def _correct(self, step: Correct) -> None:
        """Report a code: free, but a manager works on each, so that it too is compared and recorded first."""
        if self.clock.left_to_ask() < ORDER_SECONDS:
            self.report.not_done(step, notes.NOT_REACHED)
            return
        try:
            latest = self._look(step.video_id)
        except (CallRefused, Unavailable) as error:
            self.report.not_done(step, notes.not_reported(error), who_moves(error))
            return
        planned = step.request
        if latest is None or (latest.id, latest.code, latest.status) != (planned.id, planned.code, planned.status):
            # what the person tried is no longer what TokPortal has
            self.report.not_done(step, notes.MOVED)
            return
        self.recorder.correcting(planned, step.feedback)
        try:
            self.portal.correct(planned.id, step.feedback)
        except CallRefused as no:
            self._correction_refused(step, no)
        except (CallUncertain, CallNotSent):
            self._look_for_correction(step, is_answered=False)
        else:
            self._look_for_correction(step, is_answered=True)

    def _look_for_correction(self, step: Correct, is_answered: bool) -> None:
        """Whatever was answered, only a look tells: the route may be a web page's by now (reference 4)."""
        sent, seen = step.request, self._look_quietly(step.video_id)
        if seen and seen.id == sent.id and (seen.status == "pending_corrections" or seen.code not in (None, sent.code)):
            self.recorder.corrected(sent)
            self.report.corrected += 1
            self.report.served[step.video_id] = step.mark
            return
        is_page = is_answered and seen is not None
        text = notes.NO_SIGN_OF_REPORT if is_page else notes.CORRECTION_LOST
        text = self.recorder.rest(step.video_id, step.mark, text, retry_pause(self._attempts(step)))
        self.report.not_done(step, text, HoldKind.PERSON if is_page else HoldKind.NEXT_RUN)
        self.report.uncertain += not is_page

    def _correction_refused(self, step: Correct, no: CallRefused) -> None:
        text = notes.CANNOT_REPORT if no.http_status in MAY_NOT_CORRECT else notes.correction_refused(no)
        kept = self.recorder.correction_failed(step.request, no.http_status, text, retry_pause(self._attempts(step)))
        self.report.not_done(step, kept, who_moves(no))

    def _claim(self, orders: Sequence[Order], snapshot: Snapshot) -> Snapshot:
        """Write `ordering` into the rows about to be ordered; returns the newest read.

        What counts is the rows as they were in the very instant of that write: whoever's row has changed by then, or
        could not be verified, is not ordered.
        """
        self.claim = Claim.of(orders, snapshot, self.tracker)
        # the time from before the call: a machine may sleep between the answer and the next line
        self.claimed_at = self.clock.monotonic()
        written = self.writer.write(snapshot, self.claim)
        self.report.cells_written += written.cells
        standing, self.unverified = self.claim.standing(written.rows), written.unplaced
        self.claimed = {video: standing[video] for video in standing.keys() - written.unplaced}
        self.unclaimed = notes.not_ordered(written.refusal) if written.refusal else self.unclaimed
        self.made_by_formula = written.made_by_formula
        return written.snapshot

    def _order(self, step: Order, newest: Snapshot) -> Snapshot:
        """One order, if nothing speaks against it; returns the newest read of the sheet."""
        for _ in range(LOOKS):
            newest = self._seen_again(newest)
            if not (self._may_order(step) and self._compare(step)):
                return newest
            # from here on a crash cannot forget that an order may have been placed
            self.intended_at = self.clock.monotonic()
            intent = self._intent(step)
            if self._send(step, intent):
                return newest
            self._never_sent(step, intent)
        self.report.not_done(step, notes.TOO_LATE)
        return newest

    def _seen_again(self, newest: Snapshot) -> Snapshot:
        """A batch takes minutes, and people go on working: an old claim is looked at again, mark, row and gates."""
        if not self._has_time() or self.clock.monotonic() - self.claimed_at <= CLAIM_SECONDS:
            return newest
        newest = self.writer.read(newest.sheet_id)
        standing = self.claim.standing(newest.rows)
        self.claimed = {video: standing[video] for video in self.claimed.keys() & standing.keys()}
        self.claimed_at = newest.read_monotonic
        return newest

    def _may_order(self, step: Order) -> bool:
        """Whether claim, run and credits let it be ordered; says why not."""
        if step.video_id in self.made_by_formula:
            # a mark that nobody typed would come back as often as it is cleared
            pause = min(retry_pause(self._attempts(step)), FORMULA_PAUSE)
            text = self.recorder.rest(step.video_id, step.mark, notes.FORMULA, pause)
            self.report.not_done(step, text, HoldKind.PERSON)
        elif self.lock:
            self.report.not_done(step, notes.price_locked(self.lock), HoldKind.PERSON)
        elif self.stop:
            self.report.not_done(step, notes.not_ordered_in_this_run(self.stop))
        elif step.video_id not in self.claimed:
            self.report.not_done(step, self.unclaimed if step.video_id in self.unverified else notes.MOVED)
        elif not self._covered(step):
            # spent elsewhere since the plan, or by the orders before this one
            text = notes.not_enough_credits(self.tracker.keep_credits, self.price.credits)
            self.report.not_done(step, text, HoldKind.PERSON)
        else:
            return True
        return False

    def _covered(self, step: Order) -> bool:
        """Whether the newest balance covers it, and every order that may yet turn out to have been charged."""
        orders = 1 + self.recorder.unsettled_beside(step.video_id)
        return self.balance - self.tracker.keep_credits >= orders * self.price.credits

    def _compare(self, step: Order) -> bool:
        """The first lock: whether TokPortal's latest request is still the one the row shows; serves or says why not."""
        self.looked_at = self.clock.monotonic()
        try:
            latest = self._look(step.video_id)
        except (CallRefused, Unavailable) as error:
            self.report.not_done(step, notes.not_ordered(error), who_moves(error))
            return False
        if (latest.id if latest else None) != step.previous_id:
            self._overtaken(step, latest)
        elif latest and latest.is_open:
            # reopened since the plan: what is to come of the mark, the next run decides
            self.report.not_done(step, notes.MOVED)
        else:
            return True
        return False

    def _send(self, step: Order, intent: Intent) -> bool:
        """The POST, and its outcome on disk; False if it was too late to send it: then nothing left this machine."""
        ends_in_time = self.intended_at + ORDER_SECONDS - CALL_SECONDS
        not_after = min(self.looked_at + LOOK_SECONDS, self.claimed_at + CLAIM_SECONDS, ends_in_time)
        try:
            answer = self.portal.order(step.video_id, intent.body, intent.idempotency_key, not_after)
        except CallNotSent:
            return False
        except CallRefused as no:
            self._refused(step, intent, no)
        except CredentialsError as no:
            # a key that is not accepted concerns every order: nothing was done, and the run ends
            self._not_done_by_this_call(step, intent, 401, str(no))
            self.report.not_done(step, str(no))
            raise
        except CallUncertain as doubt:
            self._uncertain(step, intent, str(doubt), doubt.charged)
        else:
            self._accepted(step, intent, answer)
        return True

    def _never_sent(self, step: Order, intent: Intent) -> None:
        """An intent whose call was not made; of one that was sent before, the first call stays to be looked for."""
        if step.resend:
            self._as_it_was(step.resend, intent, "not sent again in time")
        else:
            self.recorder.lapse(intent)

    def _look(self, video_id: str) -> AdCodeRequest | None:
        """TokPortal's latest request, recorded. Raises Unavailable for an answer that is older than what is known."""
        latest = self.portal.latest(video_id)
        entry = self.known.latest.get(video_id)
        is_older = contradicts(latest, entry.request if entry else None)
        if latest:
            self.recorder.observe([latest], is_latest=not is_older)
        if is_older:
            raise Unavailable(notes.OLDER_ANSWER)
        return latest

    def _intent(self, step: Order) -> Intent:
        if step.resend:
            return self.recorder.resending(step.resend)
        trail = approval_trail(self.claimed[step.video_id], self.tracker)
        return self.recorder.begin(step.video_id, step.mark, step.previous_id, step.body, trail)

    def _overtaken(self, step: Order, latest: AdCodeRequest | None) -> None:
        if latest is None:
            # what the row shows is gone at TokPortal: nothing here may decide what that means
            self.report.not_done(step, notes.MOVED)
            return
        origin = Origin.ADOPTED_OPEN if step.mark is Mark.REQUEST else Origin.ADOPTED_RENEWED
        self._adopted(latest, origin, step.resend)
        self.report.served[step.video_id] = step.mark

    def _accepted(self, step: Order, intent: Intent, answer: Ordered) -> None:
        if answer.request.id == step.previous_id:
            # a replay of an older order: only a look can tell
            self._uncertain(step, intent, "the answer names the previous request")
            return
        # a replayed answer tells the balance of when it was first given
        charged, left = answer.credits_charged, None if answer.replayed else answer.credits_remaining
        self._spent(self.price.of(charged), left)
        self.recorder.accepted(intent, answer.request, charged, left)
        self.report.paid(step.mark, self.price.of(charged))
        self.report.served[step.video_id] = step.mark
        self.unclear = 0
        log.info("video %s: ordered, %s credits, %s left", step.video_id, charged, left)
        self._audit(step, charged, left)

    def _spent(self, credits: int, left: int | None = None) -> None:
        """Keep the newest balance: as it was told, else less what an order may have cost."""
        self.balance = self.balance - credits if left is None else left

    def _audit(self, step: Order, charged: int | None, left: int | None) -> None:
        """A price that is not the known one stops the orders; credits that vanish are told (reference Q6, Q7)."""
        before = self.expected
        self._lock_unless_expected(step, charged)
        if left is None:
            self.expected = None
            return
        # another machine's order may be charged already and not yet in the ledger: these first, lest one be in neither
        theirs = self.price.credits * self.recorder.unsettled_beside(step.video_id) - self.beside
        self.beside = self.recorder.charged_beside()
        theirs += self.beside
        if before is not None and charged is not None and (lost := before - charged - left - theirs) > 0:
            self.report.warnings.append(
                f"The balance fell by {lost} credits more than the order of video {step.video_id} cost: "
                "spent elsewhere, or charged besides. See the credit history at TokPortal."
            )
        self.report.credits_left = self.expected = left

    def _lock_unless_expected(self, step: Order, charged: int | None) -> None:
        if not self.price.covers(charged):
            self.stop = self.lock = notes.unexpected_price(step.video_id, charged, self.price.credits)
            # for every tracker of this key, and every later run: what went wrong once may go wrong 25 times
            self.recorder.lock_price(self.portal.fingerprint, self.price, self.lock)
            self.report.refused(locked(self.lock))

    def _refused(self, step: Order, intent: Intent, no: CallRefused) -> None:
        if no.http_status == 429:
            self._rate_limited(step, intent, no)
            return
        self.unclear = 0
        if no.http_status == 402:
            self.stop = notes.PAYMENT_FIRST
        if no.http_status == 409 and self._happened(step, intent):
            return
        if step.resend and self.clock.now() - step.resend.created_at < STILL_UNDER_WAY:
            # the first call may still be under way: whatever this no is about, it does not settle that one
            self._as_it_was(step.resend, intent, str(no))
            self.report.uncertain += 1
            self.report.not_done(step, notes.earlier_order_may_go_through(no))
            return
        kept = self.recorder.refused(intent, no.http_status, str(no), retry_pause(self._attempts(step)))
        self.report.not_done(step, kept, who_moves(no))

    def _rate_limited(self, step: Order, intent: Intent, no: CallRefused) -> None:
        """429: it concerns all, and every further call would make it worse."""
        self._not_done_by_this_call(step, intent, 429, str(no))
        self.stop = notes.FEWER_CALLS
        self.report.not_done(step, notes.not_ordered_in_this_run(self.stop))

    def _not_done_by_this_call(self, step: Order, intent: Intent, http_status: int, text: str) -> None:
        """A no that concerns every order: of a resend the first call still has to be looked for."""
        if step.resend:
            self._as_it_was(step.resend, intent, text)
        else:
            self.recorder.refused(intent, http_status, text)

    def _as_it_was(self, before: Intent, intent: Intent, detail: str) -> None:
        """A resend that changed nothing: uncertain as before, and the time since the first call goes on counting."""
        self.recorder.uncertain(replace(intent, created_at=before.created_at), detail)

    def _happened(self, step: Order, intent: Intent) -> bool:
        """After a conflict: whether there is a request that the row does not show; it is taken over."""
        latest = self._look_quietly(step.video_id)
        if latest is None or latest.id == step.previous_id:
            return False
        if step.resend is None:
            # it was not there a moment ago, and our call was refused: somebody else ordered it
            self.recorder.refused(intent, 409, "already ordered")
        self._overtaken(step, latest)
        return True

    def _uncertain(self, step: Order, intent: Intent, detail: str, charged: int | None = None) -> None:
        # first on disk that nobody knows, then the look: it may fail as well. The minute to wait begins with the end of
        # the call: until then it may have been under way
        self.recorder.uncertain(replace(intent, created_at=self.clock.now()), detail)
        if charged is not None:
            self._lock_unless_expected(step, charged)
        latest = self._look_quietly(step.video_id)
        if latest and latest.id != step.previous_id:
            self._adopted(latest, Origin.ORDERED, intent, charged)
            self.report.served[step.video_id] = step.mark
            self._spent(self.price.of(charged))
            if self.expected is not None:
                self.expected -= self.price.of(charged)
                self.report.credits_left = self.expected
            return
        self.expected = None
        self.report.uncertain += 1
        self.report.not_done(step, notes.LOOKING)
        self.unclear += 1
        if self.unclear >= UNCERTAIN_LIMIT:
            self.stop = notes.UNCLEAR_ANSWERS

    def _look_quietly(self, video_id: str) -> AdCodeRequest | None:
        """A look whose failure changes nothing: the intent stays as it is, a later run looks again."""
        try:
            return self._look(video_id)
        except (CallRefused, Unavailable):
            return None

    def _attempts(self, step: Order | Correct) -> int:
        refusal = self.known.refusals.get(step.video_id)
        return refusal.attempts + 1 if refusal and refusal.mark == step.mark else 1


def try_correction(portal: TokPortal) -> CallRefused | None:
    """TokPortal's no to the correction of an ad code request that nobody has; None where it says nothing definite."""
    try:
        portal.correct("00000000-0000-0000-0000-000000000000", "sheetsync doctor --live")
    except (CallRefused, CallUncertain) as answer:
        return answer if isinstance(answer, CallRefused) else None
    return None
