"""The clients of a run, made from a configuration and closed together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from sheetsync.budget import Budget
from sheetsync.clock import Clock
from sheetsync.config.load import Config
from sheetsync.ledger.store import Ledger
from sheetsync.network import is_loopback
from sheetsync.sheet import api as sheets_api
from sheetsync.state import Server
from sheetsync.tokportal.client import TokPortal, sandbox_time

if TYPE_CHECKING:
    from sheetsync.ledger.budgets import Budgets

MOVED = timedelta(seconds=5)
"""A sandbox whose clock differs by no more has real time: an answer tells whole seconds, and takes some."""

LIMITS: Mapping[str, tuple[int, int]] = {"google reads": (60, 0), "google writes": (60, 0), "tokportal": (120, 2)}
"""Calls a minute for one account or key, and how many of them are left for orders (tokportal.md 6.1, Sheets 3.1)."""


def budgets_of(config: Config) -> Budgets | None:
    """The budgets that all processes with this ledger share; None where the ledger is a file, as on one machine."""
    if not isinstance(config.state, Server):
        return None
    # its library is there where the ledger's is
    from sheetsync.ledger.budgets import Budgets

    return Budgets(config.state)


def clock_for(config: Config) -> Clock:
    """Real time; the sandbox's, where TokPortal is one: people move its clock to see codes run out."""
    if not is_loopback(urlsplit(config.tokportal.api_url).hostname or ""):
        return Clock()
    there, real = sandbox_time(config.tokportal.api_url), Clock()
    ahead = there - real.now() if there else timedelta(0)
    return Clock(ahead) if abs(ahead) > MOVED else real


class Clients:
    """Google Sheets, TokPortal, the ledger and the clock.

    With `read_only`, which is enough for a plan, the ledger's file is not written, and need not exist. `budgets` are
    those of a process that has several of these; else they are its own.
    Raises ConfigError for a key file or a ledger that cannot be used.
    """

    def __init__(
        self, config: Config, clock: Clock | None = None, read_only: bool = False, budgets: Budgets | None = None
    ) -> None:
        self.clock = clock or clock_for(config)
        self._own = None if budgets else budgets_of(config)
        self._budgets = budgets or self._own
        google, tokportal = config.google, config.tokportal
        self.sheets = sheets_api.connect(google.credentials, google.api_url, self.clock, self._shared)
        shared = self._shared("tokportal", tokportal.api_key)
        self.portal = TokPortal(tokportal.api_key, tokportal.api_url, self.clock, budget=shared)
        self.ledger = Ledger(config.state, read_only=read_only)

    def _shared(self, service: str, whose: str) -> Budget | None:
        return self._budgets.of(service, whose, *LIMITS[service]) if self._budgets else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.portal.close()
        self.ledger.close()
        if self._own:
            self._own.close()
