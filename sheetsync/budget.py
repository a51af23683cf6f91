"""A budget of calls that several processes share: what a client asks before each call, and how it waits.

Owns neither the count (`ledger/budgets.py`) nor the pace of one process alone (`tokportal/throttle.py`).
"""

from collections.abc import Callable
from typing import Protocol

from sheetsync.clock import Clock


class Budget(Protocol):
    """So many calls a minute, for all who ask."""

    def ask(self, goes_first: bool = False) -> float:
        """Take one call: 0.0. Where there is none just now: after how many seconds to ask again.

        Who `goes_first` may take the last ones. Raises Unavailable where nobody counts just now.
        """
        ...


Shared = Callable[[str, str], Budget | None]
"""The budget of a service's calls for an account or a key; None where nobody shares it."""


def not_shared(service: str, whose: str) -> None:
    """One process alone."""


def waited(budget: Budget | None, clock: Clock, patience: float, goes_first: bool = False) -> float:
    """Wait for a call and take it: 0.0. If that needs more than `patience` seconds: those, not waited."""
    until = clock.monotonic() + patience
    while budget and (wait := budget.ask(goes_first)):
        if clock.monotonic() + wait > until:
            return wait
        clock.sleep(wait)
    return 0.0
