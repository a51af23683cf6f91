"""The clients of a run, made from a configuration and closed together."""

from datetime import timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from sheetsync.clock import Clock
from sheetsync.config.load import Config
from sheetsync.ledger.store import Ledger
from sheetsync.network import is_loopback
from sheetsync.sheet import api as sheets_api
from sheetsync.tokportal.client import TokPortal, sandbox_time

MOVED = timedelta(seconds=5)
"""A sandbox whose clock differs by no more has real time: an answer tells whole seconds, and takes some."""


def clock_for(config: Config) -> Clock:
    """Real time; the sandbox's, where TokPortal is one: people move its clock to see codes run out."""
    if not is_loopback(urlsplit(config.tokportal.api_url).hostname or ""):
        return Clock()
    there, real = sandbox_time(config.tokportal.api_url), Clock()
    ahead = there - real.now() if there else timedelta(0)
    return Clock(ahead) if abs(ahead) > MOVED else real


class Clients:
    """Google Sheets, TokPortal, the ledger and the clock.

    With `read_only`, which is enough for a plan, the ledger's file is not written, and need not exist.
    Raises ConfigError for a key file or a ledger that cannot be used.
    """

    def __init__(self, config: Config, clock: Clock | None = None, read_only: bool = False) -> None:
        self.clock = clock or clock_for(config)
        self.sheets = sheets_api.connect(config.google.credentials, config.google.api_url, self.clock)
        self.portal = TokPortal(config.tokportal.api_key, config.tokportal.api_url, self.clock)
        self.ledger = Ledger(config.state, read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.portal.close()
        self.ledger.close()
