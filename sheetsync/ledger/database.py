"""The database file below the ledger: SQLite opened safely, its tables, and transactions that reach the disk.

Owns the tables and their migrations, what a transaction is, and what a failing disk, a busy or a foreign file mean to
the user. Knows no ad code request: what the tables say is store.py's and recorder.py's matter. Their SQL is in the
dialect that PostgreSQL shares; PRAGMAs, `sqlite_master` and BEGIN IMMEDIATE are the exceptions.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sheetsync.errors import ConfigError, Unavailable
from sheetsync.ledger.rows import column_list, from_row

T = TypeVar("T")

BUSY_SECONDS = 30.0
"""How long a transaction waits for another process's: those are short, so this is ample."""

UNSETTLED = "state IN ('sending', 'uncertain')"
"""Of an intent whose outcome nobody knows yet: what the index `intent_unsettled` allows once per video."""

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
    (
        "looks, columns seen, marks served, and the price of each API key",
        (
            "CREATE TABLE look (tracker TEXT, video_id TEXT, at TEXT NOT NULL, PRIMARY KEY (tracker, video_id))",
            """CREATE TABLE served (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, mark TEXT NOT NULL, request_id TEXT NOT NULL,
                PRIMARY KEY (tracker, video_id))""",
            """CREATE TABLE column_seen (
                tracker TEXT NOT NULL, column_key TEXT NOT NULL, seen_at TEXT NOT NULL,
                PRIMARY KEY (tracker, column_key))""",
            # the key as a fingerprint: the key itself never reaches the ledger
            """CREATE TABLE price (
                api_key TEXT PRIMARY KEY, credits INTEGER NOT NULL, is_accepted INTEGER NOT NULL, lock TEXT NOT NULL,
                told_at TEXT NOT NULL)""",
        ),
    ),
    (
        "what belongs to one code, and what a video had cost before",
        (
            "ALTER TABLE ad_code_request ADD COLUMN authorization_days INTEGER",
            "ALTER TABLE ad_code_request ADD COLUMN ends TEXT",
            """CREATE TABLE typed (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, column_key TEXT NOT NULL, code TEXT NOT NULL,
                value TEXT NOT NULL, PRIMARY KEY (tracker, video_id, column_key, code))""",
            """CREATE TABLE typed_last (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, column_key TEXT NOT NULL, value TEXT NOT NULL,
                PRIMARY KEY (tracker, video_id, column_key))""",
            """CREATE TABLE opening (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, credits INTEGER NOT NULL,
                PRIMARY KEY (tracker, video_id))""",
        ),
    ),
    (
        "orders that the Summary tab offers a person to allow",
        ("CREATE TABLE offer (tracker TEXT PRIMARY KEY, wishes TEXT NOT NULL, credits INTEGER NOT NULL)",),
    ),
    (
        "what the last run saw of each row",
        (
            """CREATE TABLE row_seen (
                tracker TEXT NOT NULL, video_id TEXT NOT NULL, creator TEXT NOT NULL, client TEXT NOT NULL,
                hold TEXT NOT NULL, request_id TEXT NOT NULL, code TEXT NOT NULL, ends TEXT,
                PRIMARY KEY (tracker, video_id))""",
        ),
    ),
    (
        "alerts, to whom each was told, and what a run saw of rows for them",
        (
            "ALTER TABLE row_seen ADD COLUMN owner TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE row_seen ADD COLUMN place TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE row_seen ADD COLUMN begins TEXT",
            "ALTER TABLE row_seen ADD COLUMN is_retired INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE row_seen ADD COLUMN is_renewing INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE row_seen ADD COLUMN code_since TEXT",
            "ALTER TABLE row_seen ADD COLUMN waits_since TEXT",
            """CREATE TABLE alert (
                id TEXT PRIMARY KEY, kind TEXT NOT NULL, tracker TEXT NOT NULL, text TEXT NOT NULL,
                video_id TEXT NOT NULL, creator TEXT NOT NULL, client TEXT NOT NULL, owner TEXT NOT NULL,
                link TEXT NOT NULL, subject TEXT NOT NULL, moment TEXT, decided_at TEXT NOT NULL, over_at TEXT,
                closed_at TEXT)""",
            "CREATE INDEX alert_tracker ON alert (tracker, video_id)",
            """CREATE TABLE delivery (
                alert_id TEXT NOT NULL, receiver TEXT NOT NULL, label TEXT NOT NULL, message TEXT NOT NULL,
                attempts INTEGER NOT NULL, retry_at TEXT NOT NULL, sent_at TEXT, problem TEXT NOT NULL,
                PRIMARY KEY (alert_id, receiver))""",
            "CREATE TABLE alert_cursor (tracker TEXT PRIMARY KEY, event_id INTEGER NOT NULL)",
        ),
    ),
    (
        "how many runs there were that are no longer kept",
        (
            """CREATE TABLE run_gone (
                tracker TEXT NOT NULL, exit_code INTEGER NOT NULL, runs INTEGER NOT NULL,
                PRIMARY KEY (tracker, exit_code))""",
        ),
    ),
    (
        "which videos fill has sent to a tab, or met there",
        (
            """CREATE TABLE filled (
                tracker TEXT NOT NULL, tab TEXT NOT NULL, video_id TEXT NOT NULL, sent TEXT NOT NULL,
                sent_at TEXT NOT NULL, is_met INTEGER NOT NULL, PRIMARY KEY (tracker, tab, video_id))""",
        ),
    ),
)
"""Numbered from 1 by position. What has been released is never edited: a change is a further entry."""

MEND = "put a backup in its place, or move it away and run `sheetsync ledger rebuild`"
"""What to do about a damaged file."""

_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_CORRUPT: f"the database is damaged; {MEND}",
    sqlite3.SQLITE_NOTADB: "this is not a database; `state` must name a file of sheetsync's own",
    sqlite3.SQLITE_PERM: "the file may not be used",
    sqlite3.SQLITE_READONLY: "the file may not be written",
}


class Database:
    """One open database. `path` None is a database in memory; `durable` False may lose commits in a power cut.

    With `read_only`, what the file holds at this moment (nothing, where it does not exist): neither the file nor its
    folder changes, no lock is taken, and every write is a ConfigError.

    Raises ConfigError where the file cannot be used, is not ours or is of a newer version, and Unavailable where the
    disk fails or another process keeps it busy: on opening, and in every method.
    """

    def __init__(self, path: Path | None, durable: bool = True, read_only: bool = False) -> None:
        self._name = str(path or "the ledger in memory")
        with _sqlite_errors(self._name):
            connect = _connect_to_read if read_only else _connect
            self._connection = connect(path) if path else _sqlite(":memory:")
            try:
                # A file of somebody else must not be changed, not even its journal mode: looking comes first.
                self._version()
                if read_only:
                    self._connection = _copied(self._connection)
                else:
                    self._set_up(durable)
                self._migrate()
                self._connection.execute(f"PRAGMA query_only = {int(read_only)}")
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close it; closing twice is no error."""
        self._connection.close()

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a SELECT answers."""
        with _sqlite_errors(self._name):
            return self._connection.execute(sql, [_bindable(value) for value in values]).fetchall()

    def read(self, kind: type[T], source: str, *values: object) -> list[T]:
        """The frozen values of one kind that a SELECT from `source` (tables, WHERE, ORDER BY) answers."""
        return [from_row(kind, row) for row in self.select(f"SELECT {column_list(kind)} FROM {source}", *values)]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and on disk when it is left."""
        with _sqlite_errors(self._name):
            # IMMEDIATE takes the write lock before the first SELECT: what a transaction decides from what it read (is
            # an intent unsettled? which id is next?) still holds when it writes. A lock taken later could also be
            # refused half way, where waiting does not help.
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
        return self._connection.execute(sql, [_bindable(value) for value in values]).rowcount

    def damage(self, check: str = "integrity_check") -> str:
        """What SQLite finds wrong with the file, in its own words; empty if nothing. A `quick_check` skips indexes."""
        found = str(self.select(f"PRAGMA {check}(1)")[0][0])
        return "" if found == "ok" else found

    def copy_to(self, path: Path) -> None:
        """A file of its own, for the eyes of its owner alone, on disk when this returns."""
        with closing(_connect(path)) as copy, _sqlite_errors(str(path)):
            self._connection.backup(copy)

    def next_id(self, table: str) -> int:
        """The next free number of a table; unique because the transaction holds the write lock."""
        return int(self.select(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")[0][0])

    def _version(self) -> int:
        """The number of the last migration this file has had, 0 before any. Raises ConfigError unless empty or ours."""
        tables = {name for (name,) in self.select("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return 0
        foreign = ConfigError([f"{self._name}: a database of another program; `state` must name a file of its own"])
        if "schema_version" not in tables:
            raise foreign
        try:
            applied = dict(self.select("SELECT version, name FROM schema_version"))
        except sqlite3.OperationalError:
            raise foreign from None
        newest = max(applied, default=0)
        if newest > len(MIGRATIONS):
            raise ConfigError([f"{self._name}: version {newest}, from a newer sheetsync: upgrade this one"])
        if any(applied.get(number, name) != name for number, (name, _) in enumerate(MIGRATIONS, 1)):
            raise foreign
        return newest

    def _set_up(self, durable: bool) -> None:
        # Damage that is met half way through a run is met after money was spent: looking comes first.
        if damage := self.damage("quick_check"):
            raise ConfigError([f"{self._name}: the database is damaged ({damage}); {MEND}"])
        # Asking first: changing the mode needs the file for itself, and after the first time nothing changes.
        if self._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")

    def _migrate(self) -> None:
        if self._version() == len(MIGRATIONS):
            return
        with self.transaction():
            self.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            # Asked again: another process may have been faster while this one waited for the write lock.
            version = self._version()
            for number, (name, statements) in enumerate(MIGRATIONS[version:], version + 1):
                for statement in statements:
                    self.execute(statement)
                self.execute("INSERT INTO schema_version (version, name) VALUES (?, ?)", number, name)


def _connect(path: Path) -> sqlite3.Connection:
    # Made before SQLite does, readable by its owner alone: it holds codes. SQLite's side files follow it. An existing
    # file is not even opened: closing it again would drop the locks that SQLite holds on it in this process.
    with _file_errors(path, "made"), suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    return _sqlite(path.absolute().as_uri())


def _connect_to_read(path: Path) -> sqlite3.Connection:
    with _file_errors(path, "opened"):
        if not path.exists():
            path.parent.stat()  # no file yet is an empty ledger; no folder is a mistake in the configuration
            return _sqlite(":memory:")
        # A process at work, or killed at work, leaves a -wal file, and its commits are part of the ledger: SQLite has
        # to read both. Without one the file is whole; then `immutable` keeps SQLite from making side files, which a
        # read-only connection leaves behind, and cannot make in a folder that may not be written.
        mode = "mode=ro" if Path(f"{path.resolve()}-wal").exists() else "immutable=1"
    return _sqlite(f"{path.absolute().as_uri()}?{mode}")


def _sqlite(name: str) -> sqlite3.Connection:
    # With isolation_level None, Python begins no transaction of its own.
    return sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=True)


def _copied(source: sqlite3.Connection) -> sqlite3.Connection:
    """Its content, in memory, and the source closed.

    A plan takes minutes: so a sync may write meanwhile (under `immutable` SQLite would not notice, and read nonsense),
    the plan sees one moment, and a file of an older version is brought up to date without being touched.
    """
    memory = _sqlite(":memory:")
    with closing(source):
        source.backup(memory)
    return memory


def _bindable(value: object) -> Any:
    """Half of a surrogate pair is valid in JSON, and so in an API's answer, but in no database."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value


@contextmanager
def _file_errors(path: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ConfigError([f"{path}: the folder does not exist; make it, or change `state`"]) from error
    except OSError as error:
        raise ConfigError([f"{path}: the file cannot be {verb} ({error.strerror})"]) from error


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
