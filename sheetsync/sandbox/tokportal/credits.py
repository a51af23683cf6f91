"""The calls about credits and the account: balance, profile, price list, history.

Owns their shapes. Does not own the book of credits (portal.py). Source: reference/tokportal.md section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sheetsync.sandbox.tokportal.call import Answer, Call, ok, stamp
from sheetsync.sandbox.tokportal.lists import day, paged
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.records import Movement


def balance(call: Call) -> Answer:
    """GET /credits/balance."""
    portal = call.portal
    credits = portal.credits
    if portal.switches.balance_lags == "yes":
        credits = portal.balance_at(portal.now() - timedelta(seconds=60))
    return ok({"data": _BALANCES[portal.switches.balance_shape](portal, credits)})


def _new_balance(portal: Portal, credits: int) -> dict[str, Any]:
    changed = portal.ledger[-1].at.isoformat(timespec="microseconds")
    later = {"expiring_within_7_days": 0, "upcoming_expirations": [], "last_updated": changed}
    return {"total_credits": credits, **later}


# The documents of early 2026 and those of today name the balance differently: tokportal.md section 8.
_BALANCES: Mapping[str, Callable[[Portal, int], dict[str, Any]]] = {
    "new": _new_balance,
    "old": lambda _, credits: {"credits": credits},
    "text": lambda _, credits: {"total_credits": str(credits)},
    "fraction": lambda _, credits: {"total_credits": credits + 0.5},
    "neither": lambda _, credits: {"amount": credits},
}


def me(call: Call) -> Answer:
    """GET /me."""
    return ok({"data": {"email": "you@example.com", "credits": call.portal.credits}})


def costs(_: Call) -> Answer:
    """GET /credit-costs. No source names the ad code's price in this answer, so it is left out."""
    return ok({"data": {"costs": {"account_creation": 32, "video_upload": 2, "video_edit": 3}}})


def history(call: Call) -> Answer:
    """GET /credits/history: movements of credits, the newest first."""
    first, end = day(call.request, "date_from"), day(call.request, "date_to")
    end = end and end + timedelta(days=1)
    chosen = [
        (n, m)
        for n, m in enumerate(call.portal.ledger, 1)
        if (first is None or m.at >= first) and (end is None or m.at < end)
    ]
    return ok(paged([_movement(n, movement) for n, movement in reversed(chosen)], call.request))


def _movement(n: int, movement: Movement) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-9000-{n:012x}",
        "type": "debit" if movement.amount < 0 else "credit",
        "amount": movement.amount,
        "description": movement.reason,
        "breakdown": {},
        "balance_after": movement.balance_after,
        "created_at": stamp(movement.at),
    }
