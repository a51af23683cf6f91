"""What managers, other users of TokPortal and time do, with numbers instead of names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from support.bench import EMAIL

from histories.desk import VIDEOS, Desk
from sheetsync.sandbox.tokportal.portal import Refused
from sheetsync.sandbox.tokportal.switches import CHOICES

AGE = timedelta(minutes=2)
"""No manager answers sooner: what is asked and answered within one gap of a run is outside what an API without a
conditional order can promise (invariants.py, `Judge.sent`)."""

NEVER_FINISHED = 30
BETWEEN = ("jump", "code")
"""Rules that let much time pass: they come between runs."""

JUMPS = (5, 61, 61, 400, 3600, 7 * 3600, 26 * 3600, 5 * 86400)
SHORT = (1, 3, 20)
SWITCHES = tuple((name, value) for name, values in CHOICES.items() for value in values)


def manager(desk: Desk, n: int, does: int) -> None:
    """A manager takes the n-th open request one step on, or cancels it."""
    waiting = [request for request in desk.portal.requests if desk.portal.is_open(request)]
    request = waiting[n % len(waiting)] if waiting else None
    if request is None or desk.world.clock.now() - request.since < AGE:
        return
    managers, now = desk.portal.managers, desk.world.clock.now()
    with suppress(ValueError):
        if does % 10 == 0:
            managers.cancel(request, now)
        elif does % 10 == 1:
            managers.submit(request, now)
        else:
            managers.step(request, now)


def code(desk: Desk, n: int) -> None:
    """The n-th open request gets its code, and is finished a day later."""
    waiting = [request for request in desk.portal.requests if desk.portal.is_open(request)]
    if waiting and waiting[n % len(waiting)].status != "in_review":
        desk.later(3 * 3600)
        with suppress(ValueError):
            desk.portal.managers.submit(waiting[n % len(waiting)], desk.world.clock.now())
    if waiting and n // NEVER_FINISHED % 3:
        desk.later(26 * 3600)
        with suppress(ValueError):
            desk.portal.managers.deliver(waiting[n % len(waiting)], desk.world.clock.now())


def unknown_status(desk: Desk, n: int, which: int) -> None:
    """TokPortal has a status that nobody knows today, and later again one that is known; a finished one stays so."""
    request = desk.portal.latest(VIDEOS[n % len(VIDEOS)])
    if request and request.status not in ("cancelled", "finalized") and desk.world.clock.now() - request.since >= AGE:
        desk.portal.change(request, ("disputed", "expired", "finalized")[which % 3], desk.world.clock.now())


def spend(desk: Desk, amount: int) -> None:
    """Credits go elsewhere, or are bought."""
    desk.portal.credits = (3, 7, 20, 500, 1247)[amount % 5]


def order_elsewhere(desk: Desk, n: int) -> None:
    """Somebody orders in the dashboard."""
    with suppress(Refused):
        desk.portal.order_elsewhere(VIDEOS[n % len(VIDEOS)])


def price(desk: Desk, amount: int) -> None:
    """The price changes."""
    desk.portal.price = (7, 7, 9)[amount % 3]


def switch(desk: Desk, which: int) -> None:
    """TokPortal turns out to behave in another of the ways that its documents leave open."""
    name, value = SWITCHES[which % len(SWITCHES)]
    desk.portal.switches.set({name: value})


def video(desk: Desk, n: int, which: int) -> None:
    """A video gains or loses what an order needs."""
    found = desk.portal.videos[VIDEOS[n % len(VIDEOS)]]
    field = ("manager", "live_link", "coverage", "finalized")[which % 4]
    setattr(found, field, not getattr(found, field))


def api_key(desk: Desk, revoked: int) -> None:
    """The API key is revoked, or accepted again."""
    desk.portal.keys[desk.portal.key].revoked = revoked % 3 == 0


def sharing(desk: Desk, ended: int) -> None:
    """The sheet is no longer shared with the program, or it is again."""
    (desk.book.shared_with.discard if ended % 3 == 0 else desk.book.shared_with.add)(EMAIL)


def jump(desk: Desk, n: int) -> None:
    """Time passes between runs."""
    desk.later(JUMPS[n % len(JUMPS)])


def pause(desk: Desk, n: int) -> None:
    """A call takes long."""
    desk.later(SHORT[n % len(SHORT)])


def restored(desk: Desk) -> None:
    """The faults stop: what an operator can mend is mended. TokPortal's own ways stay as they are."""
    desk.portal.price = 7
    desk.portal.credits = 1247
    desk.portal.keys[desk.portal.key].revoked = False
    desk.book.shared_with.add(EMAIL)
    desk.world.faults.clear()


RULES: dict[str, tuple[Callable[..., None], int, int]] = {
    "manager": (manager, 2, 14),
    "code": (code, 1, 9),
    "unknown_status": (unknown_status, 2, 1),
    "spend": (spend, 1, 1),
    "order_elsewhere": (order_elsewhere, 1, 2),
    "price": (price, 1, 1),
    "switch": (switch, 1, 3),
    "video": (video, 2, 1),
    "api_key": (api_key, 1, 1),
    "sharing": (sharing, 1, 1),
    "jump": (jump, 1, 10),
}
