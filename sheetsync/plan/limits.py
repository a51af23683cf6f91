"""PURE: what limits a plan: credits, the number of orders, a sheet that has shrunk, the pauses after a refusal.

Owns the brake (design 3.4): each refusal says its number, its limit, and what would allow it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sheetsync import notes
from sheetsync.model import HoldKind, Known, Mark, Refusal, Row, Tracker
from sheetsync.plan.gates import failed_gates
from sheetsync.plan.situation import BALANCE_LAGS, Allowed, Situation, acting
from sheetsync.steps import Adopt, Hold, Offer, Order, Plan, Step

ACCEPT = "sheetsync sync --accept-price N"
CONFIRM = "sheetsync ledger rebuild --confirm"

SHRUNKEN_FROM = 10
"""Fewer missing rows than this are what a person deletes on an ordinary day."""


def locked(why: str) -> str:
    """What whoever runs sheetsync is told where an order cost something else than expected."""
    return f"{why} No order is sent until somebody accepts a price: {ACCEPT}"


def within_limits(plan: Plan, world: Situation) -> Plan:
    """The orders that may be sent: none if they are too many, else those that the credits cover.

    None either after the ledger was rebuilt, or where an order cost something else than expected, until a person
    accepts that. In this order: the
    credits of the day say nothing of whether 200 filled-down rows are meant.
    """
    plan = replace(plan, price=world.tracker.price, braked=world.known.braked, unseen=_unseen(plan, world))
    if plan.orders and world.known.is_rebuilt:
        # neither the sheet nor TokPortal tells which order was on its way, or which mark had been served
        held = _held_back(plan, plan.orders, notes.REBUILT)
        refused = (
            f"The ledger was rebuilt. No order of tracker '{world.tracker.name}' is sent until somebody has looked "
            f"through what that could not restore: {CONFIRM}"
        )
        return replace(held, refused=refused)
    if plan.orders and world.price_lock:
        # more may be wrong than one price: only a person can tell whether it is the new one
        held = _held_back(plan, plan.orders, notes.price_locked(world.price_lock))
        return replace(held, refused=locked(world.price_lock))
    why = too_many_orders(plan, world.tracker, world.allowed)
    if why:
        return _unless_allowed(replace(plan, braked=plan.wishes | plan.unseen), world, why)
    if world.allowed.orders is None and _are_taken_away(plan):
        # somebody is clearing what was not meant: what is left once it fits the limit is not meant either, yet
        return replace(_held_back(plan, plan.orders, notes.MARKS_CHANGE), braked=plan.wishes | plan.unseen)
    # what could not be looked at stands as it stood: a run that heard nothing lifts no brake, and answers no question
    still = plan.braked & plan.unseen
    asked = world.at_sheet.asked
    waiting = asked if asked and not plan.orders and _stands(asked, plan) else None
    return within_credits(replace(plan, braked=still, offered=waiting), world)


def _are_taken_away(plan: Plan) -> bool:
    """Whether a wish of the last run, which found too many, is none any more; what was not looked at still stands."""
    return not {video for video, _ in plan.braked - plan.wishes} <= _left_over(plan)


def _left_over(plan: Plan) -> frozenset[str]:
    """Videos that this run could not look at, or not to the end."""
    return frozenset(hold.video_id for hold in plan.holds if hold.kind is HoldKind.NEXT_RUN)


def _unseen(plan: Plan, world: Situation) -> frozenset[tuple[str, str]]:
    """Wishes (video id, mark) that this run could not look at, and that may be orders.

    Of a row that says what it said when it was last looked at, what was found then holds: a reason of its own, or of
    its request's, makes it no order. An order that was sent before its answer was lost was within the limit then.
    """
    left = {hold.video_id for hold in plan.holds if hold.kind is HoldKind.NEXT_RUN and hold.may_order}
    rows = [row for row in acting(world.rows) if row.key in left - world.known.unsettled.keys()]
    wanted = [row for row in rows if row.mark in (Mark.REQUEST, Mark.RENEW)]
    return frozenset((row.key, row.mark) for row in wanted if not failed_gates(row, world.tracker))


def _unless_allowed(plan: Plan, world: Situation, why: str) -> Plan:
    """What becomes of too many orders: a person may allow just these in the Summary tab, or already has."""
    tracker, at_sheet, offer = world.tracker, world.at_sheet, plan.as_offer
    if not at_sheet.place or offer.orders > tracker.max_orders_at_sheet:
        return replace(without_orders(plan, tracker.max_orders_per_run), refused=why)
    if at_sheet.is_allowed and at_sheet.asked == offer:
        return replace(within_credits(plan, world), approved=offer)
    if at_sheet.asked and _stands(at_sheet.asked, plan):
        offer = at_sheet.asked
    held = without_orders(plan, tracker.max_orders_per_run, at_sheet.place)
    return replace(held, refused=f"{why}, or type {offer.orders} into {at_sheet.place}", offered=offer)


def _stands(asked: Offer, plan: Plan) -> bool:
    """Whether a question is left as it is: all that it lacks by now, this run could not look at."""
    lacking = asked.wishes - plan.as_offer.wishes
    same_price = asked.credits == plan.price * asked.orders
    return same_price and plan.as_offer.wishes <= asked.wishes and {video for video, *_ in lacking} <= _left_over(plan)


def within_credits(plan: Plan, world: Situation) -> Plan:
    """Hold the orders that the balance, less what is to be kept, does not cover."""
    keep = world.tracker.keep_credits
    if world.balance is None:
        return _held_back(plan, plan.orders, notes.BALANCE_UNKNOWN, HoldKind.NEXT_RUN)
    price = world.tracker.price
    settled = {step.video_id for step in plan.steps if not (isinstance(step, Order) or _is_just_charged(step, world))}
    # what they may yet cost is not there, whoever's they are, also where they are sent again: one key has one purse
    unsettled = world.unsettled_elsewhere + world.untold + len(world.known.unsettled.keys() - settled)
    affordable = (world.balance - keep) // price - unsettled
    new = [step for step in plan.orders if not step.resend]
    held = plan.orders if affordable < 0 else new[affordable:]
    return _held_back(plan, held, notes.not_enough_credits(keep, price))


def _is_just_charged(step: Step, world: Situation) -> bool:
    """Whether an order whose answer was lost is found so soon that the balance may not know of it yet."""
    settles = step.settles if isinstance(step, Adopt) else None
    return settles is not None and (world.asked_at or world.now) - settles.created_at <= BALANCE_LAGS


def _held_back(plan: Plan, orders: Sequence[Order], reason: str, kind: HoldKind = HoldKind.PERSON) -> Plan:
    """The plan with holds in the place of some of its orders."""
    holds = tuple(Hold(step.video_id, step.row, reason, kind, may_order=True) for step in orders)
    steps = tuple(step for step in plan.steps if step not in orders)
    return replace(plan, steps=steps, holds=plan.holds + holds)


def too_many_orders(plan: Plan, tracker: Tracker, allowed: Allowed) -> str | None:
    """Why the orders of this plan are not sent, all or nothing; None if they may be."""
    # all or nothing: which 25 of 200 filled-down rows are meant, nobody here can know; nor of which 180 were not seen
    limit = tracker.max_orders_per_run if allowed.orders is None else allowed.orders
    seen, unseen = len(plan.orders), len(plan.unseen)
    if not seen or seen + unseen <= limit:
        return None
    rows = sorted(order.row for order in plan.orders)
    what = f"{seen} {'order' if seen == 1 else 'orders'} ({plan.credits} credits, rows {rows[0]} to {rows[-1]})"
    marks = f" and {unseen} more {'mark' if unseen == 1 else 'marks'} that this run could not look at"
    return (
        f"{what}{marks if unseen else ''} are more than the {limit} that one run "
        f"of tracker '{tracker.name}' may send, so none was sent. Ask the people of the sheet; who did "
        f"not mean them empties Action in these rows. If they are meant: sheetsync sync --allow-orders {seen + unseen}"
    )


def without_orders(plan: Plan, limit: int, place: str = "") -> Plan:
    """The same plan, sending no order: each of its rows says why, and where a person may allow it."""
    return _held_back(plan, plan.orders, notes.too_many_marked(limit, place))


def shrunken(open_before: int, gone: int, tracker: Tracker, allowed: Allowed) -> str | None:
    """Why a sheet that lost most of its open requests is not touched; None if it may be (design 3.4)."""
    # more than half at once is what a wrong tab or a cut filter looks like
    if allowed.shrunken or gone < SHRUNKEN_FROM or gone * 2 <= open_before:
        return None
    return (
        f"The sheet has shrunk: {gone} of the {open_before} open ad code requests of tracker '{tracker.name}' have no "
        "row any more. It may be the wrong tab, a filter that was cut, or a paste gone wrong. Nothing was ordered or "
        "written. If it is meant: sheetsync sync --allow-shrunken"
    )


FORMULA_PAUSE = timedelta(minutes=20)
"""How long a mark that a formula makes rests at most: a mark typed in its place reads the same, and waits as long."""


def retry_pause(attempts: int) -> timedelta:
    """How long a refused mark rests: 5 minutes, doubling, at most 6 hours. `attempts` counts from 1."""
    # doubling: what a person mends in a minute is tried soon, what nobody mends costs four calls a day
    return min(timedelta(minutes=5 * (1 << min(attempts - 1, 10))), timedelta(hours=6))


def cleared_marks(rows: Iterable[Row], known: Known) -> tuple[str, ...]:
    """Videos whose served mark stands in none of their rows any more: a mark that comes now is a new wish."""
    standing = {(row.key, row.mark) for row in rows}
    return tuple(video for video, (mark, _) in known.served.items() if (video, mark) not in standing)


def spent_refusals(rows: Iterable[Row], refusals: Mapping[str, Refusal]) -> tuple[str, ...]:
    """Videos whose refused mark a person has taken away: a new mark is a new wish and tried at once."""
    marked = {(row.key, row.mark) for row in rows}
    return tuple(video for video, refusal in refusals.items() if (video, refusal.mark.value) not in marked)
