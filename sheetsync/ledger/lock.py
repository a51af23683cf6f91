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
from dataclasses import dataclass
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
    return real.with_name(f"{real.name}.{quote(tracker, safe='')}.lock")


def locked(tracker: str, holder: Holder | None, now: datetime) -> Locked:
    """The error for the run that came second."""
    if holder is None:
        return Locked(tracker, "it has not said who it is", None)
    return Locked(tracker, str(holder), max(0, int((now - holder.started_at).total_seconds())))


@contextmanager
def hold_file(path: Path, tracker: str, me: Holder) -> Iterator[None]:
    """Hold the lock file at `path`. Raises Locked when it is taken, ConfigError where it cannot be used."""
    descriptor = _open(path)
    try:
        _take(descriptor, path, tracker, me.started_at)
        _describe(descriptor, _to_json(me))
        yield
    finally:
        # Closing ends the flock. The file stays: deleting it would let two runs hold two files of one name.
        os.close(descriptor)


@contextmanager
def hold_memory(held: dict[str, Holder], tracker: str, me: Holder) -> Iterator[None]:
    """The same for a ledger without a file: `held` is its table of holders. Raises Locked."""
    holder = held.setdefault(tracker, me)
    if holder is not me:
        raise locked(tracker, holder, me.started_at)
    try:
        yield
    finally:
        del held[tracker]


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError([f"{path}: the lock file cannot be opened ({error.strerror})"]) from error


def _take(descriptor: int, path: Path, tracker: str, now: datetime) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise locked(tracker, _from_json(os.pread(descriptor, 4096, 0)), now) from None
    except OSError as error:
        problem = f"{path}: files cannot be locked here ({error.strerror}); keep `state` on a local disk"
        raise ConfigError([problem]) from error


def _describe(descriptor: int, text: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def _to_json(holder: Holder) -> bytes:
    fields = {"pid": holder.pid, "host": holder.host, "started_at": holder.started_at.isoformat(), "note": holder.note}
    return json.dumps(fields).encode()


def _from_json(text: bytes) -> Holder | None:
    """None where the holder has the lock but has not written its name yet."""
    try:
        fields = json.loads(text)
        return Holder(fields["pid"], fields["host"], datetime.fromisoformat(fields["started_at"]), fields["note"])
    except (ValueError, KeyError, TypeError):
        return None
