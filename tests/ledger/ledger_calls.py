"""What the ledger's tests have in common: two instants, a recorder at one of them, and short ways to say things."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sheetsync.clock import Clock
from sheetsync.ledger import database
from sheetsync.ledger.recorder import Recorder
from sheetsync.ledger.store import Ledger
from sheetsync.model import AdCodeRequest, Intent, Mark

NOW = datetime(2026, 11, 21, 10, 0, 0, 123, tzinfo=UTC)
PAUSE = timedelta(minutes=5)
LATER = NOW + PAUSE


class StoppedClock(Clock):
    """It is always `moment`."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def recorder(ledger: Ledger, now: datetime = NOW, run_id: str = "run1", tracker: str = "acme") -> Recorder:
    return ledger.recorder(tracker, run_id, StoppedClock(now))


def request(id: str = "r1", video_id: str = "v1", status: str = "pending", **fields: object) -> AdCodeRequest:
    return replace(AdCodeRequest(id, video_id, status), **fields)  # type: ignore[arg-type]


def begin(ledger: Ledger, video_id: str = "v1", mark: Mark = Mark.REQUEST, tracker: str = "acme") -> Intent:
    return recorder(ledger, tracker=tracker).begin(video_id, mark, None, "{}")


def kinds(ledger: Ledger, video_id: str = "v1", tracker: str | None = None) -> list[str]:
    return [event.kind for event in ledger.history(video_id, tracker)]


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    root = Path(database.__file__).parents[2]
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
