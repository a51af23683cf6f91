"""The writer lock of a ledger in a file: one run per tracker at a time. How a holder signs is a server's too.

Owns how a tracker is held and how a holder is described to the run that came second. The kernel keeps the lock
(flock on a file that is never deleted), so it ends with its process, however that dies. Knows nothing of the ledger.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sheetsync.errors import ConfigError, Locked


def lock_path(state: Path, tracker: str) -> Path:
    """The lock file of `tracker`: beside the database, and the same through every link that leads to it."""
    real = state.resolve()
    # Quoted: a tracker's name may hold a slash, and no two names may share a file.
    return real.with_name(f"{real.name}.{quote(tracker, safe='')}.lock")


@contextmanager
def hold(path: Path, tracker: str, note: str, now: datetime) -> Iterator[None]:
    """Hold the lock file at `path`, signed with this process, `note` (free text) and `now` (aware).

    Raises Locked when it is taken, ConfigError where it cannot be used.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError([f"{path}: the lock file cannot be opened ({error.strerror})"]) from error
    try:
        _take(descriptor, path, tracker, now)
        with suppress(OSError):  # a full disk: unsigned it holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, signature(note, now).encode(), 0)
        yield
    finally:
        # Closing ends the flock. The file is never deleted: who has opened it and waits for its flock would then hold
        # a file without a name, while the next run makes, and holds, another one of the same name.
        os.close(descriptor)


def _take(descriptor: int, path: Path, tracker: str, now: datetime) -> None:
    try:
        # Not waiting: two runs in a row would do the same work, and cron would pile them up.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise locked(tracker, os.pread(descriptor, 4096, 0), now) from None
    except OSError as error:
        problem = f"{path}: files cannot be locked here ({error.strerror}); keep `state` on a local disk"
        raise ConfigError([problem]) from error


def signature(note: str, now: datetime) -> str:
    """What tells another run who holds a tracker: this process, since `now`, with a free text."""
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started_at": now.isoformat(), "note": note})


def signed_by(signed: bytes) -> tuple[str, datetime | None]:
    """Who holds a tracker, in words, and since when."""
    try:
        holder = json.loads(signed)
        tail = f", {holder['note']}" if holder["note"] else ""
        return f"pid {holder['pid']} on {holder['host']}{tail}", datetime.fromisoformat(holder["started_at"])
    except (ValueError, KeyError, TypeError):
        # It has the lock, but has not signed it yet.
        return "it has not said who it is", None


def locked(tracker: str, signed: bytes, now: datetime) -> Locked:
    """The error for the run that came second."""
    who, since = signed_by(signed)
    return Locked(tracker, who, max(0, int((now - since).total_seconds())) if since else None)
