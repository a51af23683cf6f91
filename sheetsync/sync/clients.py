"""The clients of a run, made from a configuration and closed together."""

from types import TracebackType
from typing import Self

from sheetsync.clock import Clock
from sheetsync.config.load import Config
from sheetsync.ledger.store import Ledger
from sheetsync.sheet import api as sheets_api
from sheetsync.tokportal.client import TokPortal


class Clients:
    """Google Sheets, TokPortal, the ledger and the clock.

    With `read_only`, which is enough for a plan, the ledger's file is not written, and need not exist.
    Raises ConfigError for a key file or a ledger that cannot be used.
    """

    def __init__(self, config: Config, clock: Clock | None = None, read_only: bool = False) -> None:
        self.clock = clock or Clock()
        self.sheets = sheets_api.connect(config.google.credentials, config.google.api_url, self.clock)
        self.portal = TokPortal(config.tokportal.api_key, config.tokportal.api_url, self.clock)
        self.ledger = Ledger(config.state, read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.portal.close()
        self.ledger.close()
