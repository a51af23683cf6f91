"""The database file below the ledger: SQLite opened safely, its tables, and transactions that reach the disk.

Owns the tables and their migrations, what a transaction is, and what a failing disk, a busy or a foreign file mean to
the user. Knows no ad code request: what the tables say is the ledger's matter. SQL stands here and in ledger.py only,
in the dialect that PostgreSQL shares; opening (PRAGMAs, `sqlite_master`) and BEGIN IMMEDIATE are the exceptions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from sheetsync.errors import ConfigError, Unavailable

BUSY_SECONDS = 30.0
"""How long a transaction waits for another process's: those are short, so this is ample."""

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "first tables",
        (
            """CREATE TABLE ad_code_request (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, request_id TEXT NOT NULL, status TEXT NOT NULL,
                platform TEXT NOT NULL, code TEXT, note TEXT, created_at TEXT, submitted_at TEXT, delivered_at TEXT,
                origin TEXT NOT NULL, credits_charged INTEGER, credits_left INTEGER, seen_at TEXT NOT NULL,
                found_at TEXT NOT NULL, PRIMARY KEY (tracker, video_id, request_id))""",
            """CREATE TABLE latest (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, request_id TEXT NOT NULL,
                released INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (tracker, video_id))""",
            """CREATE TABLE intent (
                id INTEGER PRIMARY KEY, tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL,
                previous_id TEXT, idempotency_key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, run_id TEXT NOT NULL,
                created_at TEXT NOT NULL, state TEXT NOT NULL)""",
            """CREATE UNIQUE INDEX intent_unsettled ON intent (tracker, video_id)
                WHERE state IN ('sending', 'uncertain')""",
            """CREATE TABLE refusal (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL, http_status INTEGER NOT NULL,
                text TEXT NOT NULL, attempts INTEGER NOT NULL, retry_at TEXT NOT NULL,
                PRIMARY KEY (tracker, video_id))""",
            """CREATE TABLE correction (
                tracker TEXT NOT NULL, request_id TEXT NOT NULL, code TEXT NOT NULL, sent_at TEXT NOT NULL,
                PRIMARY KEY (tracker, request_id))""",
            """CREATE TABLE event (
                id INTEGER PRIMARY KEY, at TEXT NOT NULL, tracker TEXT NOT NULL, video_id TEXT NOT NULL,
                run_id TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL)""",
            "CREATE INDEX event_video ON event (video_id, tracker)",
            "CREATE TABLE pending_write (tracker TEXT PRIMARY KEY, payload TEXT NOT NULL, begun_at TEXT NOT NULL)",
            """CREATE TABLE run (
                tracker TEXT NOT NULL, started_at TEXT NOT NULL, run_id TEXT NOT NULL, finished_at TEXT NOT NULL,
                exit_code INTEGER NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (tracker, started_at, run_id))""",
            "CREATE TABLE balance (tracker TEXT PRIMARY KEY, credits INTEGER NOT NULL, told_at TEXT NOT NULL)",
        ),
    ),
)
"""Numbered from 1 by position. What has been released is never edited: a change is a further entry."""

_NOTHING: Mapping[str, object] = {}
_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; move it away and the next run starts a new one",
    sqlite3.SQLITE_NOTADB: "this is not a database; `state` must name a file of sheetsync's own",
    sqlite3.SQLITE_PERM: "the file may not be used",
    sqlite3.SQLITE_READONLY: "the file may not be written",
}


class Database:
    """One open database. `path` None is a database in memory; `durable` False may lose commits in a power cut.

    Raises ConfigError where the file cannot be used, is not ours or is of a newer version, and Unavailable where the
    disk fails or another process keeps it busy: on opening, and in every method.
    """

    def __init__(self, path: Path | None, durable: bool) -> None:
        self._name = str(path or "the ledger in memory")
        with _border(self._name):
            self._connection = _connect(path)
            try:
                # A file of somebody else must not be changed, not even its journal mode: looking comes first.
                applied = self._applied()
                self._set_up(durable)
                self._migrate(applied)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close it; closing twice is no error."""
        self._connection.close()

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a SELECT answers."""
        with _border(self._name):
            return self._connection.execute(sql, [_bindable(value) for value in values]).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on disk when it is left. It holds the write lock from its first moment."""
        with _border(self._name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, sql: str, *values: object) -> int:
        """Run one statement within a transaction; returns how many rows it touched."""
        return self._connection.execute(sql, [_bindable(value) for value in values]).rowcount

    def put(
        self,
        table: str,
        key: Mapping[str, object],
        values: Mapping[str, object],
        first: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Insert the row with this key, or change these values of it; `first` is kept from the first time."""
        sql = _upsert(table, tuple(key), tuple(values), tuple(first))
        self.run(sql, *key.values(), *values.values(), *first.values())

    def next_id(self, table: str) -> int:
        """The next free number of a table; unique because the transaction holds the write lock."""
        return int(self.rows(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")[0][0])

    def _applied(self) -> set[int]:
        """The numbers of the migrations this file has had. Raises ConfigError unless it is empty or ours."""
        tables = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return set()
        foreign = ConfigError([f"{self._name}: a database of another program; `state` must name a file of its own"])
        if "schema_version" not in tables:
            raise foreign
        try:
            applied = dict(self.rows("SELECT version, name FROM schema_version"))
        except sqlite3.OperationalError:
            raise foreign from None
        newest = max(applied, default=0)
        if newest > len(MIGRATIONS):
            raise ConfigError([f"{self._name}: version {newest}, from a newer sheetsync: upgrade this one"])
        if any(applied.get(number, name) != name for number, (name, _) in enumerate(MIGRATIONS, 1)):
            raise foreign
        return set(applied)

    def _set_up(self, durable: bool) -> None:
        # Asking first: changing the mode needs the file for itself, and after the first time nothing changes.
        if self._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")

    def _migrate(self, applied: set[int]) -> None:
        for number, (name, statements) in enumerate(MIGRATIONS, 1):
            if number in applied:
                continue
            with self.transaction():
                # Another process may have been faster while this one waited for the write lock.
                if number in self._applied():
                    continue
                self.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL)")
                for statement in statements:
                    self.run(statement)
                self.run("INSERT INTO schema_version (version, name) VALUES (?, ?)", number, name)


def _connect(path: Path | None) -> sqlite3.Connection:
    # With isolation_level None, Python begins no transaction of its own.
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    _create(path)
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


def _create(path: Path) -> None:
    """Make the file before SQLite does, readable by its owner alone: it holds codes. SQLite's side files follow it.

    An existing file is not even opened: closing it again would drop the locks that SQLite holds on it in this process.
    """
    with suppress(FileExistsError):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileNotFoundError as error:
            raise ConfigError([f"{path}: the folder does not exist; make it, or change `state`"]) from error
        except FileExistsError:
            raise
        except OSError as error:
            raise ConfigError([f"{path}: the file cannot be made ({error.strerror})"]) from error


@lru_cache(maxsize=64)
def _upsert(table: str, key: tuple[str, ...], values: tuple[str, ...], first: tuple[str, ...]) -> str:
    """The names come from the ledger's own code, never from data."""
    columns = key + values + first
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    changes = ", ".join(f"{column} = excluded.{column}" for column in values)
    return f"{insert} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"


def _bindable(value: object) -> Any:
    """Half of a surrogate pair is valid in JSON, and so in an API's answer, but in no database."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value


@contextmanager
def _border(name: str) -> Iterator[None]:
    """What SQLite says about the file or the disk becomes an error a user can act on; the rest are our own bugs."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the primary code; the others only refine it.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _UNUSABLE:
            raise ConfigError([f"{name}: {_UNUSABLE[code]} ({error})"]) from error
        if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
            raise Unavailable(f"{name}: the ledger cannot be used now ({error}); the next run tries again") from error
        raise
