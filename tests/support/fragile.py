"""A ledger whose process is killed before or after one of its commits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sheetsync.ledger.filled import FilledVideos
from sheetsync.ledger.recorder import Recorder
from sheetsync.ledger.store import Ledger
from support.story import Crash

WRITERS = (
    *("observe", "adopt", "begin", "resending", "accepted", "refused", "uncertain", "lapse", "forget_refusals"),
    *("correcting", "corrected", "begin_write", "end_write", "set_balance", "record_run"),
    *("offer", "withdraw_offer", "send", "meet", "unsent"),
)


class Fragile:
    """A ledger whose process is killed before or after its commit number `index`."""

    def __init__(self, ledger: Ledger, index: int, moment: str) -> None:
        self._ledger, self._left, self._moment = ledger, index, moment
        self.struck = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def recorder(self, *arguments: Any) -> Any:
        """Its recorder, which dies with it."""
        return FragileRecorder(self, self._ledger.recorder(*arguments))

    def filled(self, *arguments: Any) -> Any:
        """What it remembers of rows that fill has sent, which dies with it, too."""
        return FragileRecorder(self, self._ledger.filled(*arguments))

    def commit(self, name: str, method: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """One more commit: the process may be killed before or after it."""
        self._left -= 1
        strikes = self._left == -1
        self.struck = name if strikes else self.struck
        if strikes and self._moment == "before":
            raise Crash
        result = method(*arguments, **named)
        if strikes:
            raise Crash
        return result


class FragileRecorder:
    """What records in a fragile ledger."""

    def __init__(self, ledger: Fragile, recorder: Recorder | FilledVideos) -> None:
        self._ledger, self._recorder = ledger, recorder

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._recorder, name)
        return partial(self._ledger.commit, name, method) if name in WRITERS else method
