"""The writer lock: one run per tracker at a time.

Owns how a tracker is held and how a holder is described to the run that came second. The kernel keeps the lock
(flock on a file that is never deleted), so it ends with its process, however that dies. Knows nothing of the ledger.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sheetsync.errors import ConfigError, Locked


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a tracker. `started_at` is aware UTC; `note` is free text such as the run id."""

    pid: int
    host: str
    started_at: datetime
    note: str

    def __str__(self) -> str:
        tail = f", {self.note}" if self.note else ""
        return f"pid {self.pid} on {self.host}{tail}"


def this_process(note: str, now: datetime) -> Holder:
    """The holder that this process is, from `now` (aware) on."""
    return Holder(os.getpid(), socket.gethostname(), now, note)


def lock_path(state: Path, tracker: str) -> Path:
    """The lock file of `tracker`: beside the database, and the same through every link that leads to it."""
    real = state.resolve()
    # Quoted: a tracker's name may hold a slash, and no two names may share a file.
    return real.with_name(f"{real.name}.{quote(tracker, safe='')}.lock")


@contextmanager
def hold_file(path: Path, tracker: str, me: Holder) -> Iterator[None]:
    """Hold the lock file at `path`. Raises Locked when it is taken, ConfigError where it cannot be used."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError([f"{path}: the lock file cannot be opened ({error.strerror})"]) from error
    try:
        _take(descriptor, path, tracker, me.started_at)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(me), default=datetime.isoformat).encode(), 0)
        yield
    finally:
        # Closing ends the flock. The file is never deleted: who has opened it and waits for its flock would then hold
        # a file without a name, while the next run makes, and holds, another one of the same name.
        os.close(descriptor)


@contextmanager
def hold_memory(holders: dict[str, Holder], tracker: str, me: Holder) -> Iterator[None]:
    """The same for a ledger without a file: `holders` are those of its trackers. Raises Locked."""
    holder = holders.setdefault(tracker, me)
    if holder is not me:
        raise _locked(tracker, holder, me.started_at)
    try:
        yield
    finally:
        del holders[tracker]


def _take(descriptor: int, path: Path, tracker: str, now: datetime) -> None:
    try:
        # Not waiting: two runs in a row would do the same work, and cron would pile them up.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _locked(tracker, _from_json(os.pread(descriptor, 4096, 0)), now) from None
    except OSError as error:
        problem = f"{path}: files cannot be locked here ({error.strerror}); keep `state` on a local disk"
        raise ConfigError([problem]) from error


def _locked(tracker: str, holder: Holder | None, now: datetime) -> Locked:
    """The error for the run that came second."""
    if holder is None:
        return Locked(tracker, "it has not said who it is", None)
    return Locked(tracker, str(holder), max(0, int((now - holder.started_at).total_seconds())))


def _from_json(text: bytes) -> Holder | None:
    """None where the holder has the lock but has not written its name yet."""
    try:
        holder = json.loads(text)
        return Holder(**{**holder, "started_at": datetime.fromisoformat(holder["started_at"])})
    except (ValueError, KeyError, TypeError):
        return None
