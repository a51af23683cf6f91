"""Claims, orders, corrections: the only file that can spend money (design 4).

Owns the order in which things happen round a paid call: claim in the sheet, compare with TokPortal once more,
intent on disk, POST, outcome on disk, and a look wherever the outcome is not clear. Does not decide what is
wanted (`plan.py`), and does not write the result into the sheet (`reconcile.py` does, from the ledger).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, CallUncertain, CredentialsError, SheetsyncError, Unavailable
from sheetsync.ledger.recorder import Recorder
from sheetsync.model import (
    PRICE,
    AdCodeRequest,
    Adopt,
    Correct,
    Intent,
    Known,
    Lapse,
    Mark,
    Order,
    Origin,
    Plan,
    Renew,
)
from sheetsync.plan.marks import LOOKING, retry_pause
from sheetsync.tokportal.client import Ordered, TokPortal

log = logging.getLogger(__name__)

Paid = Order | Renew
Claim = Callable[[Sequence[Paid]], Collection[str]]
"""Writes `ordering` into the rows about to be ordered; returns the videos whose claim was verified."""

UNCERTAIN_LIMIT = 3
"""So many unclear outcomes in a row say that TokPortal is ill: the rest of the orders waits for a later run."""

STILL_UNDER_WAY = timedelta(minutes=10)
"""So long after an order was first sent, a conflict may come from that very call."""

MOVED = "The row changed while this was about to be done; the next run looks again."
STOPPED = "Not ordered in this run: {reason} The next run goes on."


@dataclass(slots=True)
class Outcome:
    """What came of a plan. `served` are marks that are done, `reasons` why a mark is not, by video id."""

    ordered: int = 0
    renewed: int = 0
    adopted: int = 0
    corrected: int = 0
    uncertain: int = 0
    credits_charged: int = 0
    credits_left: int | None = None
    served: dict[str, Mark] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: SheetsyncError | None = None


def _sentence(error: SheetsyncError) -> str:
    return f"{str(error).rstrip('.')}."


class Executor:
    """Carries out one plan for one tracker. `balance` is what TokPortal said before the first order."""

    def __init__(self, portal: TokPortal, recorder: Recorder, known: Known, clock: Clock, balance: int | None) -> None:
        self._portal, self._recorder, self._known, self._clock = portal, recorder, known, clock
        self._stop = ""
        self._expected = balance  # what TokPortal should have left; None after an order nobody knows the end of
        self._unclear = 0
        self.outcome = Outcome(credits_left=balance)

    def run(self, plan: Plan, claim: Claim) -> Outcome:
        """Free steps first, then the orders, one at a time. Errors that stop a run end up in the outcome."""
        try:
            for step in plan.steps:
                if isinstance(step, Adopt):
                    self._adopt(step)
                elif isinstance(step, Lapse):
                    self._recorder.lapse(step.intent)
                elif isinstance(step, Correct):
                    self._correct(step)
            self._order_all(plan.orders, claim)
        except SheetsyncError as error:
            # what was done before is still written into the sheet
            self.outcome.error = error
        return self.outcome

    # --- what is already there ---------------------------------------------------------------------------------

    def _adopt(self, step: Adopt) -> None:
        self._take_over(step.request, step.origin, step.settles)
        if step.mark:
            self.outcome.served[step.video_id] = step.mark

    def _take_over(self, request: AdCodeRequest, origin: Origin, settles: Intent | None) -> None:
        self._recorder.adopt(request, origin, settles)
        if settles:
            self._count(settles.mark, PRICE)
            log.info("video %s: the order whose answer was lost had happened: %s", request.video_id, request.id)
        else:
            self.outcome.adopted += 1
            log.info("video %s: ad code request %s taken over, nothing charged", request.video_id, request.id)

    # --- corrections -------------------------------------------------------------------------------------------

    def _correct(self, step: Correct) -> None:
        try:
            latest = self._look(step.video_id)
        except (CallRefused, Unavailable) as error:
            self.outcome.reasons[step.video_id] = f"Not reported yet: {_sentence(error)}"
            return
        if latest is None or (latest.id, latest.code, latest.status) != (
            step.request.id,
            step.request.code,
            step.request.status,
        ):
            self.outcome.reasons[step.video_id] = MOVED
            return
        self._recorder.correcting(step.request, step.feedback)
        try:
            self._portal.correct(step.request.id, step.feedback)
        except CallRefused as no:
            self._correction_refused(step, no)
            return
        except CallUncertain:
            # a report that is sent twice costs nothing; but first a later run looks whether it arrived
            self.outcome.reasons[step.video_id] = "The answer to the correction was lost; the next run looks again."
            self.outcome.uncertain += 1
            return
        self._recorder.corrected(step.request)
        self.outcome.corrected += 1
        self.outcome.served[step.video_id] = step.mark
        self._look_quietly(step.video_id)

    def _correction_refused(self, step: Correct, no: CallRefused) -> None:
        if no.http_status in (401, 403, 404, 405):
            text = "This API key cannot report codes: report it in the TokPortal dashboard, then clear Action."
        else:
            text = f"{no} Report it in the TokPortal dashboard if this stays."
        self._recorder.correction_failed(step.request, no.http_status, text, retry_pause(self._attempts(step)))
        self.outcome.reasons[step.video_id] = text

    # --- orders ------------------------------------------------------------------------------------------------

    def _order_all(self, orders: Sequence[Paid], claim: Claim) -> None:
        if not orders:
            return
        claimed = claim(orders)
        for step in orders:
            if step.video_id not in claimed:
                self.outcome.reasons[step.video_id] = MOVED
            elif self._stop:
                self.outcome.reasons[step.video_id] = STOPPED.format(reason=self._stop)
            else:
                self._order(step)

    def _order(self, step: Paid) -> None:
        try:
            latest = self._look(step.video_id)
        except (CallRefused, Unavailable) as error:
            self.outcome.reasons[step.video_id] = f"Not ordered: {_sentence(error)}"
            return
        if (latest.id if latest else None) != step.previous_id:
            # the first lock: TokPortal's latest request is no longer the one the row shows
            self._overtaken(step, latest)
            return
        intent = self._intent(step)
        try:
            answer = self._portal.order(step.video_id, intent.body, intent.idempotency_key)
        except CallRefused as no:
            self._refused(step, intent, no)
        except CredentialsError as no:
            self._recorder.refused(intent, 401, str(no))
            self.outcome.reasons[step.video_id] = str(no)
            raise
        except CallUncertain as doubt:
            self._uncertain(step, intent, str(doubt))
        else:
            self._accepted(step, intent, answer)

    def _look(self, video_id: str) -> AdCodeRequest | None:
        """TokPortal's latest request, recorded."""
        latest = self._portal.latest(video_id)
        if latest:
            self._recorder.observe([latest])
        return latest

    def _intent(self, step: Paid) -> Intent:
        if step.resend:
            return self._recorder.resending(step.resend)
        return self._recorder.begin(step.video_id, step.mark, step.previous_id, step.body)

    def _overtaken(self, step: Paid, latest: AdCodeRequest | None) -> None:
        if latest is None:
            self.outcome.reasons[step.video_id] = MOVED
            return
        origin = Origin.ADOPTED_OPEN if step.mark is Mark.REQUEST else Origin.ADOPTED_RENEWED
        self._take_over(latest, origin, step.resend)
        self.outcome.served[step.video_id] = step.mark

    def _accepted(self, step: Paid, intent: Intent, answer: Ordered) -> None:
        if answer.request.id == step.previous_id:
            # a replay of an older order: only a look can tell
            self._uncertain(step, intent, "the answer names the previous request")
            return
        charged, left = answer.credits_charged, answer.credits_remaining
        self._recorder.accepted(intent, answer.request, charged, left)
        self._count(step.mark, charged if charged is not None else PRICE)
        self.outcome.served[step.video_id] = step.mark
        self._unclear = 0
        log.info("video %s: ordered, %s credits, %s left", step.video_id, charged, left)
        self._audit(step, answer)

    def _count(self, mark: Mark, charged: int) -> None:
        self.outcome.credits_charged += charged
        if mark is Mark.RENEW:
            self.outcome.renewed += 1
        else:
            self.outcome.ordered += 1

    def _audit(self, step: Paid, answer: Ordered) -> None:
        """A price that is not the known one stops the orders; credits that vanish are told (reference Q6, Q7)."""
        charged, left, before = answer.credits_charged, answer.credits_remaining, self._expected
        if charged != PRICE:
            price = "without naming a price" if charged is None else f"for {charged} credits"
            self._stop = f"TokPortal took the order of video {step.video_id} {price}, {PRICE} were expected."
            self.outcome.warnings.append(self._stop + " No further order was sent.")
        if left is None:
            self._expected = None
            return
        if not answer.replayed and before is not None and charged is not None and left < before - charged:
            lost = before - charged - left
            self.outcome.warnings.append(
                f"The balance fell by {lost} credits more than the order of video {step.video_id} cost: "
                "spent elsewhere, or charged besides. See the credit history at TokPortal."
            )
        self.outcome.credits_left = self._expected = left

    def _refused(self, step: Paid, intent: Intent, no: CallRefused) -> None:
        if no.http_status == 429:
            if step.resend:
                self._recorder.uncertain(intent, str(no))
            else:
                self._recorder.refused(intent, 429, str(no))
            self._stop = "TokPortal asks for fewer calls."
            self.outcome.reasons[step.video_id] = STOPPED.format(reason=self._stop)
            return
        if no.http_status == 409 and self._happened(step, intent):
            return
        if no.http_status == 409 and step.resend and self._clock.now() - step.resend.created_at < STILL_UNDER_WAY:
            # the first call may still be under way: not settled by this no, and its time goes on counting
            first = replace(intent, created_at=step.resend.created_at)
            self._recorder.uncertain(first, str(no))
            self.outcome.uncertain += 1
            self.outcome.reasons[step.video_id] = f"Looking whether an earlier order went through: {_sentence(no)}"
            return
        self._recorder.refused(intent, no.http_status, str(no), retry_pause(self._attempts(step)))
        self.outcome.reasons[step.video_id] = str(no)
        if no.http_status == 402:
            self._stop = "TokPortal asks for payment (402) first."

    def _happened(self, step: Paid, intent: Intent) -> bool:
        """After a conflict: whether there is a request that the row does not show; it is taken over."""
        latest = self._look_quietly(step.video_id)
        if latest is None or latest.id == step.previous_id:
            return False
        if step.resend is None:
            # it was not there a moment ago, and our call was refused: somebody else ordered it
            self._recorder.refused(intent, 409, "already ordered")
        self._overtaken(step, latest)
        return True

    def _uncertain(self, step: Paid, intent: Intent, detail: str) -> None:
        self._recorder.uncertain(intent, detail)
        latest = self._look_quietly(step.video_id)
        if latest and latest.id != step.previous_id:
            self._take_over(latest, Origin.ORDERED, intent)
            self.outcome.served[step.video_id] = step.mark
            if self._expected is not None:
                self._expected -= PRICE
                self.outcome.credits_left = self._expected
            return
        self._expected = None
        self.outcome.uncertain += 1
        self.outcome.reasons[step.video_id] = LOOKING
        self._unclear += 1
        if self._unclear >= UNCERTAIN_LIMIT:
            self._stop = "TokPortal does not answer clearly."

    def _look_quietly(self, video_id: str) -> AdCodeRequest | None:
        """A look whose failure changes nothing: the intent stays as it is, a later run looks again."""
        try:
            return self._look(video_id)
        except (CallRefused, Unavailable):
            return None

    def _attempts(self, step: Paid | Correct) -> int:
        refusal = self._known.refusals.get(step.video_id)
        return refusal.attempts + 1 if refusal and refusal.mark == step.mark else 1
