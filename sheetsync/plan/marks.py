"""PURE: what each mark does: rows, ledger and observations -> steps and holds.

Owns the table of marks (design 3). What must be right in the row first is `gates.py`'s, orders whose answer was lost
`settling.py`'s, credits and limits `limits.py`'s; `execute.py` carries the plan out.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from sheetsync import notes
from sheetsync.columns import MARKS, header_of, is_error, length
from sheetsync.model import AdCodeRequest, Entry, Mark, Origin, Row, Tracker
from sheetsync.plan.gates import held_back, key_problem, order_body
from sheetsync.plan.limits import within_limits
from sheetsync.plan.settling import settle
from sheetsync.plan.situation import KEY_REFUSED, NOT_REACHED, Situation, acting, is_looked_at, is_resting
from sheetsync.projection.cells import ORDERING, unseen
from sheetsync.projection.window import usable_code
from sheetsync.steps import Adopt, Correct, Hold, Lapse, Order, Plan, Step

FEEDBACK_LENGTH = range(3, 501)

UNHEARD_FOR = timedelta(hours=24)
"""A video that TokPortal says nothing of for longer has a note of its own."""


def make_plan(world: Situation) -> Plan:
    """Steps and holds for every marked row and every unsettled intent, and a hold where TokPortal denies a row."""
    marked = acting(world.rows)
    decided = [step for row in marked for step in _serve(row, world)]
    served = {row.key for row in marked}
    # a lost answer is looked for also where the mark, or the whole row, is gone by now
    decided += [settle(None, intent, world) for video, intent in world.known.unsettled.items() if video not in served]
    decided += _denied(world, served | world.known.unsettled.keys())
    steps = tuple(step for step in decided if not isinstance(step, Hold))
    holds = tuple(hold for hold in decided if isinstance(hold, Hold))
    return within_limits(Plan(steps, (*holds, *_noteless(world, {hold.video_id for hold in holds}))), world)


def _denied(world: Situation, served: Collection[str]) -> Iterator[Hold]:
    """Rows that nobody marked, and whose answer a person has to look into: nothing of theirs changes any more.

    Or that were asked about and have had none for long: of a single row no run says that its code may be there and
    cannot be read.
    """
    rows = {row.key: row for row in reversed(world.rows)}
    for video, seen in world.observations.items():
        row, entry = rows.get(video), world.known.latest.get(video)
        if not row or video in served or not seen.failure:
            continue
        if seen.failure.is_final or seen.failure.is_earlier:
            yield Hold(video, row.number, seen.failure.text)
        elif entry and world.now - entry.seen_at > UNHEARD_FOR and seen.failure not in (NOT_REACHED, KEY_REFUSED):
            yield Hold(video, row.number, notes.UNHEARD)


def _noteless(world: Situation, told: Collection[str]) -> Iterator[Hold]:
    """Rows whose note lies under merged cells, or is protected: the run's output tells what they cannot."""
    of_request = world.known.latest.keys()
    for row in world.rows:
        is_mute = "sync_note" in row.hidden or ("sync_note" in row.locked and (row.shown_id or row.key in of_request))
        if is_mute and row.key and row.key not in told:
            yield Hold(row.key, row.number, unseen(row, world.tracker, ""), in_note=False)


def _serve(row: Row, world: Situation) -> list[Step | Hold]:
    problem = key_problem(row)
    if problem:
        return [Hold(row.key, row.number, problem)]
    intent = world.known.unsettled.get(row.key)
    if not intent:
        return [_answer(row, world)]
    settled = settle(row, intent, world)
    # an order that is settled stands in nobody's way any more: another mark of now is served at once
    is_over = isinstance(settled, Lapse) or (isinstance(settled, Adopt) and settled.mark is None)
    return [settled, _answer(row, world)] if is_over else [settled]


def _answer(row: Row, world: Situation) -> Step | Hold:
    # before the pauses and failures of a call: a word nobody knows waits for a person whatever TokPortal says
    if row.mark not in MARKS:
        return Hold(row.key, row.number, notes.unknown_mark(MARKS))
    if not is_looked_at(row, world.known, world.now):
        return _rests(row, world)
    if world.known.served.get(row.key) == row.wish or row.text("sync_note").startswith(notes.SERVED):
        # done, and the row shows what it brought: a mark that could not be cleared, or comes back by itself. The row's
        # own note remembers it for a machine whose ledger does not
        return Hold(row.key, row.number, notes.SERVED)
    failure = world.failure(row.key)
    if failure:
        # a definite no to a look is of that moment: a run that hears nothing does not know what the next one would be
        return Hold(row.key, row.number, failure.text, failure.kind, failure.code, may_order=failure.may_order)
    step = _decide(row, Mark(row.mark), world.observations[row.key].request, world)
    if isinstance(step, Adopt) and _was_for_this_mark(row, step.request, world.known.latest.get(row.key)):
        return replace(step, origin=Origin.FOUND)
    if isinstance(step, Correct) and is_resting(row, world.known, world.now):
        return _rests(row, world)
    return step


def _rests(row: Row, world: Situation) -> Hold:
    # once it is tried again, it is an order
    return Hold(row.key, row.number, world.known.refusals[row.key].text, may_order=row.mark != Mark.CORRECT)


def _was_for_this_mark(row: Row, latest: AdCodeRequest, entry: Entry | None) -> bool:
    """Whether it was ordered for the mark by a run that was killed before it came to write: its claim still stands."""
    is_ours = entry is not None and entry.origin is Origin.ORDERED and entry.request.id == latest.id
    return is_ours and row.text("status") == ORDERING


def _decide(row: Row, mark: Mark, latest: AdCodeRequest | None, world: Situation) -> Step | Hold:
    tracker = world.tracker
    if mark is Mark.CORRECT:
        return _correct(row, latest, world.known.generations(row.key))
    if latest is None:
        # TokPortal knows of no request for this video
        if mark is Mark.RENEW:
            return Hold(row.key, row.number, notes.NOTHING_TO_RENEW)
        if row.shown_id and is_error(said := row.text("spark_code")):
            # beside a request that is not TokPortal's: which code its people keep there has to be known first
            mend = notes.mend(header_of("spark_code", tracker.columns), said)
            return Hold(row.key, row.number, notes.waits([mend]), may_order=True)
        return _order(row, mark, None, tracker)
    if row.shown_id != latest.id and not (mark is Mark.REQUEST and latest.status == "cancelled" and not row.shown_id):
        # the row shows another request than the latest, or none: what the mark asks for has already happened
        return Adopt(row.key, row.number, mark, latest, _origin(mark, latest, row.shown_id))
    if latest.is_open:
        if mark is Mark.REQUEST:
            return Adopt(row.key, row.number, mark, latest, Origin.ADOPTED_OPEN)
        # TokPortal may have finished it by the time of a run that does not hear of it
        return Hold(row.key, row.number, notes.STILL_OPEN, may_order=True)
    if latest.status == "cancelled":
        # the last one was refunded, and the row says so or never showed it
        return _order(row, mark, latest.id, tracker)
    if mark is Mark.REQUEST:
        already = notes.already_has_a_code(tracker.price)
        return Hold(row.key, row.number, notes.WITHOUT_A_CODE if latest.lacks_its_code else already)
    # finished, and the person saw it: a renewal
    return _order(row, mark, latest.id, tracker)


def _order(row: Row, mark: Mark, previous_id: str | None, tracker: Tracker) -> Order | Hold:
    return held_back(row, tracker) or Order(row.key, row.number, mark, previous_id, order_body(row))


def _origin(mark: Mark, latest: AdCodeRequest, shown_id: str) -> Origin:
    if shown_id:
        # the row showed an older one: somebody has renewed it since
        return Origin.ADOPTED_RENEWED
    if latest.is_open:
        return Origin.ADOPTED_OPEN if mark is Mark.REQUEST else Origin.ADOPTED_RENEWED
    return Origin.ADOPTED_EXISTING


def _is_of_an_earlier_request(row: Row, latest: AdCodeRequest, generations: Sequence[Entry]) -> bool:
    code = row.text("spark_code")
    # of a code that people had typed, TokPortal knows nothing: there it cannot be reported either
    requested = (entry.request for entry in generations if entry.origin is not Origin.TYPED)
    earlier = [request.code for request in requested if request.id != latest.id]
    return code != "" and code != latest.code and code in earlier


def _correct(row: Row, latest: AdCodeRequest | None, generations: Sequence[Entry]) -> Step | Hold:
    is_shown, has_code = latest is not None and row.shown_id == latest.id, bool(latest and usable_code(latest))
    # a code that the latest request brought and the row does not show yet is tried first
    if latest and (is_shown or not has_code) and _is_of_an_earlier_request(row, latest, generations):
        # TokPortal takes a correction of the latest request alone
        return Hold(row.key, row.number, notes.EARLIER_CODE)
    if latest and is_shown and latest.status == "pending_corrections":
        # it has been reported already, by a run whose end was lost or in the dashboard
        return Adopt(row.key, row.number, Mark.CORRECT, latest, Origin.FOUND)
    if latest is None or not latest.code or not has_code:
        return Hold(row.key, row.number, notes.NO_CODE_TO_CORRECT)
    if not is_shown or row.text("spark_code") != latest.code:
        # the code has changed since the person tried it
        return Hold(row.key, row.number, notes.code_has_changed(latest.code), code=latest.code)
    if latest.status not in ("in_review", "finalized"):
        return Hold(row.key, row.number, notes.not_correctable(latest.status))
    feedback = row.text("feedback")
    if is_error(feedback):
        return Hold(row.key, row.number, notes.feedback_shows(feedback))
    if not feedback:
        return Hold(row.key, row.number, notes.FEEDBACK_EMPTY)
    if length(feedback) not in FEEDBACK_LENGTH:
        return Hold(row.key, row.number, notes.feedback_length(length(feedback)))
    return Correct(row.key, row.number, latest, feedback)
