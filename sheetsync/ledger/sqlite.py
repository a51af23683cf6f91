"""The ledger in a file: SQLite opened safely, transactions that reach the disk, and the file as it is when only read.

Owns what a failing disk, a busy or a foreign file mean to the user, and all that SQLite alone has: PRAGMAs,
`sqlite_master` and BEGIN IMMEDIATE. The tables, and what a transaction is, are database.py's.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from sheetsync.errors import ConfigError, CopyFailed, Unavailable
from sheetsync.ledger import database
from sheetsync.ledger.database import Database, bindable
from sheetsync.ledger.lock import hold, lock_path

MEND = (
    "pause the runs, move it away with its -wal and -shm, "
    "then put a backup in its place or run `sheetsync ledger rebuild`"
)
"""What to do about a damaged file."""

_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_CORRUPT: f"the database is damaged; {MEND}",
    sqlite3.SQLITE_NOTADB: "this is not a database; `state` must name a file of sheetsync's own",
    sqlite3.SQLITE_PERM: "the file may not be used",
    sqlite3.SQLITE_READONLY: "the file may not be written",
}


class SQLite(Database):
    """One open file. `path` None is a database in memory; `durable` False may lose commits in a power cut.

    With `read_only`, what the file holds at this moment (nothing, where it does not exist): neither the file nor its
    folder changes, no lock is taken, and every write is a ConfigError.
    """

    def __init__(self, path: Path | None, durable: bool = True, read_only: bool = False) -> None:
        self.name = str(path or "the ledger in memory")
        self._path = path
        with _sqlite_errors(self.name):
            connect = _connect_to_read if read_only else _connect
            self._connection = connect(path) if path else _sqlite(":memory:")
            try:
                # A file of somebody else must not be changed, not even its journal mode: looking comes first.
                self.version()
                if read_only:
                    self._connection = _copied(self._connection)
                else:
                    self._set_up(durable)
                self.migrate()
                self._connection.execute(f"PRAGMA query_only = {int(read_only)}")
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close it; closing twice is no error."""
        self._connection.close()

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a SELECT answers."""
        with _sqlite_errors(self.name):
            return self._connection.execute(sql, [bindable(value) for value in values]).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it is left, and alone from its beginning."""
        with _sqlite_errors(self.name):
            # IMMEDIATE takes the write lock before the first SELECT. A lock taken later could also be refused half way,
            # where waiting does not help.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, *values: object) -> int:
        """Execute one statement within a transaction; returns how many rows it touched."""
        return self._connection.execute(sql, [bindable(value) for value in values]).rowcount

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        return {name for (name,) in self.select("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns, in their order."""
        return [name for (name,) in self.select(f"SELECT name FROM pragma_table_info('{table}') ORDER BY cid")]

    def damage(self, check: str = "integrity_check") -> str:
        """What SQLite finds wrong with the file, in its own words; empty if nothing. A `quick_check` skips indexes."""
        found = str(self.select(f"PRAGMA {check}(1)")[0][0])
        return "" if found == "ok" else found

    def hold(self, tracker: str, note: str, now: datetime) -> AbstractContextManager[None]:
        """Hold a tracker by a file beside this one; the kernel frees it with the process."""
        if self._path is None:
            # One in memory is held by files too: there is one kind of lock. They go with the database.
            self._path = Path(mkdtemp(), "memory")
            weakref.finalize(self, rmtree, self._path.parent)
        return hold(lock_path(self._path, tracker), tracker, note, now)

    def stand_fast(self, tracker: str) -> None:
        """Nothing: a lock of the kernel's is never lost while its process lives."""

    def copy_to(self, path: Path) -> None:
        """A file of its own, for the eyes of its owner alone, on disk when this returns. Raises OSError, CopyFailed."""
        _make(path)
        try:
            with closing(_sqlite(path.absolute().as_uri())) as copy:
                self._connection.backup(copy)
        except sqlite3.Error as error:
            raise CopyFailed(str(path), str(error)) from error

    def _set_up(self, durable: bool) -> None:
        # Damage that is met half way through a run is met after money was spent: looking comes first.
        if damage := self.damage("quick_check"):
            raise ConfigError([f"{self.name}: the database is damaged ({damage}); {MEND}"])
        # Asking first: changing the mode needs the file for itself, and after the first time nothing changes.
        if self._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")


def _connect(path: Path) -> sqlite3.Connection:
    # An existing file is not even opened: closing it would drop the locks that SQLite holds on it in this process.
    if not is_made(path):
        with _file_errors(path, "made"), suppress(FileExistsError):
            _make(path)
    return _sqlite(path.absolute().as_uri())


def _make(path: Path) -> None:
    # Before SQLite does, readable by its owner alone: it holds codes. SQLite's side files follow it. A link to where
    # nothing is yet would itself count as an existing file.
    os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def folder_of(path: Path) -> Path:
    """The folder that the file is in, or will be: at the end of all links."""
    return Path(os.path.realpath(path)).parent


def is_made(path: Path) -> bool:
    """Whether the file is there already. Raises ConfigError where that cannot be told, or where none can be made."""
    with _file_errors(path, "opened"):
        try:
            path.stat()
        except FileNotFoundError:
            folder_of(path).stat()  # no file yet is an empty ledger; no folder is a mistake, or a disk that is away
            return False
    return True


def _connect_to_read(path: Path) -> sqlite3.Connection:
    if not is_made(path):
        return _sqlite(":memory:")
    # A process at work, or killed at work, leaves a -wal file, and its commits are part of the ledger: SQLite has to
    # read both. Without one the file is whole; then `immutable` keeps SQLite from making side files, which a read-only
    # connection leaves behind, and cannot make in a folder that may not be written.
    mode = "mode=ro" if Path(f"{path.resolve()}-wal").exists() else "immutable=1"
    return _sqlite(f"{path.absolute().as_uri()}?{mode}")


def _sqlite(name: str) -> sqlite3.Connection:
    # With isolation_level None, Python begins no transaction of its own.
    return sqlite3.connect(name, timeout=database.BUSY_SECONDS, isolation_level=None, uri=True)


def _copied(source: sqlite3.Connection) -> sqlite3.Connection:
    """Its content, in memory, and the source closed.

    A plan takes minutes: so a sync may write meanwhile (under `immutable` SQLite would not notice, and read nonsense),
    the plan sees one moment, and a file of an older version is brought up to date without being touched.
    """
    memory = _sqlite(":memory:")
    with closing(source):
        source.backup(memory)
    return memory


@contextmanager
def _file_errors(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        advice = "mount or make it, or change `state`"
        raise ConfigError([f"{path}: the folder {folder_of(path)} does not exist; {advice}"]) from error
    except PermissionError as error:
        advice = "let the user who runs sheetsync into its folder (chown), or change `state`"
        raise ConfigError([f"{path}: the file cannot be {verb} ({error.strerror}); {advice}"]) from error
    except OSError as error:
        raise ConfigError([f"{path}: the file cannot be {verb} ({error.strerror}); change `state`"]) from error


@contextmanager
def _sqlite_errors(name: str) -> Iterator[None]:
    """What SQLite says about the file or the disk becomes an error a user can act on; the rest are our own bugs."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the primary code; the others only refine it.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _UNUSABLE:
            raise ConfigError([f"{name}: {_UNUSABLE[code]} ({error})"]) from error
        if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
            why = f"{name}: the ledger cannot be used now ({error}), and without it no order is sent"
            raise Unavailable(f"{why}; is the disk full? The next run tries again") from error
        raise
