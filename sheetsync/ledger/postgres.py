"""The ledger on a PostgreSQL server: connections, transactions that are alone, and who holds a tracker.

Owns what a lost connection means, the advisory locks and the fence, and where PostgreSQL's SQL differs from the one
that the ledger is written in. The tables, and what a transaction is, are database.py's.

A transaction takes an advisory lock first, so that those that write come one after the other, as in a file.
SERIALIZABLE would let them run side by side and refuse some at the end: each method would have to be repeated, among
them those that were about to say what a POST had cost. They take milliseconds; waiting is simpler to be sure of.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from sheetsync.errors import ConfigError, Locked, MissingExtra, TakenOver, Unavailable
from sheetsync.ledger import database
from sheetsync.ledger.database import UNSETTLED, Database, bindable
from sheetsync.ledger.lock import locked, signature, signed_by
from sheetsync.ledger.rows import to_text
from sheetsync.state import Server

EXTRA = "postgres"

ALIVE: Mapping[str, Any] = {
    "connect_timeout": 10,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}
"""How each connection is opened: a server that is gone without a word is noticed in half a minute."""

SETTINGS = (
    "SET statement_timeout = '60s'",
    # a machine that is gone without a word is noticed in half a minute, and what it held is free
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 4",
    "SET client_min_messages = 'warning'",
)

AT_WORK = "SET idle_in_transaction_session_timeout = '20s'"
"""A process that is stopped in a transaction must not keep all others waiting."""

ONE_MOMENT = "SET default_transaction_read_only = on; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
"""A plan takes minutes, while a sync may write: the plan sees one moment."""

STOPPED = "10min"
"""A run that says nothing for so long is taken to be stopped: its tracker is free, and its fence holds it back."""

# What a server says for good; its other refusals (starting, stopping, too many connections) pass.
_REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf", "no password supplied", "permission denied")


class PostgreSQL(Database):
    """One open connection; one that was lost is opened anew by the method after."""

    def __init__(self, server: Server, durable: bool = True, read_only: bool = False) -> None:
        self.name = str(server)
        self._server, self._durable, self._read_only = server, durable, read_only
        self._fences: dict[str, int] = {}
        self._holders: dict[str, Any] = {}
        self._psycopg = _library()
        self._is_begun = False
        self._connection = self._connect()
        try:
            self._write_key = self._key("writing")
            if not read_only:
                self.migrate()
            elif 0 < (version := self.version()) < len(database.MIGRATIONS):
                old = f"version {version}, from an older sheetsync: the next `sheetsync sync` brings it up to date"
                raise ConfigError([f"{self.name}: {old}"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it; closing twice is no error."""
        self._connection.close()

    def __del__(self) -> None:
        # one that is forgotten is closed with its last name, as a file's is
        if hasattr(self, "_connection"):
            self._connection.close()

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a SELECT answers."""
        with self._errors():
            self._reconnected()
            rows: list[tuple[Any, ...]] = self._connection.execute(_spoken(sql), _bound(values)).fetchall()
            return rows

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it is left, and alone from its beginning."""
        with self._errors():
            self._reconnected()
            self._is_begun = True
            try:
                number = self._begin()
                yield
                self._commit(number)
            except BaseException:
                with suppress(self._psycopg.Error):
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._is_begun = False

    def execute(self, sql: str, *values: object) -> int:
        """Execute one statement within a transaction; returns how many rows it touched."""
        return int(self._connection.execute(_spoken(sql), _bound(values)).rowcount)

    def tables(self) -> set[str]:
        """The names of the tables that are there."""
        return {name for (name,) in self.select("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")}

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns, in their order."""
        of_table = "table_schema = current_schema() AND table_name = ? ORDER BY ordinal_position"
        return [
            str(name)
            for (name,) in self.select(f"SELECT column_name FROM information_schema.columns WHERE {of_table}", table)
        ]

    def damage(self) -> str:
        """Nothing: a server tells of damage when it meets it, as an error."""
        return ""

    def copy_to(self, path: Path) -> None:
        """None: `sheetsync ledger copy` does it."""
        raise ConfigError([f"{self.name}: a ledger on a server is backed up by `sheetsync ledger copy`, into a file"])

    @contextmanager
    def hold(self, tracker: str, note: str, now: datetime) -> Iterator[None]:
        """Hold a tracker by a session's advisory lock, on a connection of its own; the server frees it with that.

        Each holder has a number of its own, the fence. Who comes after one that did not end by itself counts the minute
        before an order is sent again anew: the other's POST ends 45 s after its intent at the latest.
        """
        with self._errors():
            connection = self._connect()
        try:
            with self._errors():
                key = self._key(f"tracker {tracker}")
                if not connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()[0]:
                    raise self._locked(tracker, now)
                connection.execute(f"SET idle_session_timeout = '{STOPPED}'")
            self._fences[tracker] = self._take(tracker, signature(note, now), now)
            self._holders[tracker] = connection
            try:
                yield
            except Exception:
                self._let_go(tracker)
                raise
            else:
                self._let_go(tracker)
            finally:
                # not in the outer one: who only tried must not end the hold of who has it
                del self._fences[tracker], self._holders[tracker]
        finally:
            # first: the server takes its time over a connection that is closed, and the next run may begin at once
            with suppress(self._psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")
            connection.close()

    def stand_fast(self, tracker: str) -> None:
        """Within a transaction: raise TakenOver unless the tracker that is held is still ours."""
        if tracker not in self._fences:
            return
        with suppress(self._psycopg.Error):  # shows that we are at work; whether we still hold it, the fence says
            self._holders[tracker].execute("SELECT 1")
        ((number, holder),) = self.select("SELECT number, holder FROM fence WHERE tracker = ?", tracker) or [(0, "")]
        if number != self._fences[tracker]:
            raise TakenOver(tracker, signed_by(holder.encode())[0])

    def _take(self, tracker: str, holder: str, now: datetime) -> int:
        with self.transaction():
            before = self.select("SELECT number, is_held FROM fence WHERE tracker = ?", tracker)
            number = 1 + max((number for number, _ in before), default=0)
            if any(is_held for _, is_held in before):
                anew = f"UPDATE intent SET created_at = ? WHERE tracker = ? AND {UNSETTLED}"
                self.execute(anew, to_text(now), tracker)
            self.execute(
                """INSERT INTO fence (tracker, number, holder, is_held) VALUES (?, ?, ?, 1) ON CONFLICT (tracker)
                DO UPDATE SET number = excluded.number, holder = excluded.holder, is_held = 1""",
                tracker,
                number,
                holder,
            )
        return number

    def _let_go(self, tracker: str) -> None:
        """Say that the run ended by itself. Where that cannot be said, the next one waits a little longer."""
        with suppress(Unavailable, ConfigError), self.transaction():
            self.execute(
                "UPDATE fence SET is_held = 0 WHERE tracker = ? AND number = ?", tracker, self._fences[tracker]
            )

    def _locked(self, tracker: str, now: datetime) -> Locked:
        found = self.select("SELECT holder FROM fence WHERE tracker = ? AND is_held = 1", tracker)
        return locked(tracker, found[0][0].encode() if found else b"", now)

    def _key(self, what: str) -> int:
        """The number of an advisory lock: those are the whole database's, and a schema is a ledger."""
        ((schema,),) = self._connection.execute("SELECT current_schema()").fetchall()
        digest = hashlib.sha256(f"sheetsync, {schema}, {what}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)

    def _begin(self) -> str:
        """Begin a transaction and be alone; its number, by which the server knows what became of it."""
        if self._read_only:
            return ""
        self._connection.execute("BEGIN")
        # before the first SELECT that decides anything: each statement sees all that was committed when it began
        self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._write_key,))
        return str(self._connection.execute("SELECT pg_current_xact_id()::text").fetchone()[0])

    def _commit(self, number: str) -> None:
        try:
            self._connection.execute("COMMIT")
        except self._psycopg.OperationalError:
            # The answer is lost, the deed may be done: the server knows, if it can be asked.
            if not self._was_committed(number):
                raise

    def _was_committed(self, number: str) -> bool:
        self._connection.close()
        self._connection = self._connect()
        # waiting for the lock is waiting for the end of the transaction that had it
        self._connection.execute("SELECT pg_advisory_lock(%s)", (self._write_key,))
        self._connection.execute("SELECT pg_advisory_unlock(%s)", (self._write_key,))
        asked = self._connection.execute("SELECT pg_xact_status(%s::xid8)", (number,)).fetchone()
        return bool(asked[0] == "committed")

    def _reconnected(self) -> None:
        # never within a transaction: the half that is lost would be followed by another half
        if self._connection.closed and not self._is_begun:
            self._connection = self._connect()

    def _connect(self) -> Any:
        with self._errors():
            connection = self._psycopg.connect(self._server.url, autocommit=True, **ALIVE)
            connection.adapters.register_loader("numeric", _whole_number(self._psycopg))
            busy = f"SET lock_timeout = {int(database.BUSY_SECONDS * 1000)}"
            durable = f"SET synchronous_commit = {'on' if self._durable else 'off'}"
            connection.execute("; ".join((*SETTINGS, busy, durable, ONE_MOMENT if self._read_only else AT_WORK)))
            return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the server says of itself or the connection becomes an error a user can act on; the rest are bugs."""
        try:
            yield
        except self._psycopg.Error as error:
            raise self._told(error) from None

    def _told(self, error: Any) -> Exception:
        errors = self._psycopg.errors
        text = " ".join(str(error).split())
        for secret in self._server.secrets:
            text = text.replace(secret, "***")
        if type(error) is self._psycopg.ProgrammingError:
            # the library's own, about the address; its text quotes it
            return ConfigError([f"{self.name}: its library does not take this address; look over `state`"])
        if isinstance(error, errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege | errors.InvalidSchemaName):
            return ConfigError([f"{self.name}: the ledger may not be written ({text})"])
        if isinstance(error, self._psycopg.OperationalError | self._psycopg.InterfaceError):
            if any(refusal in text for refusal in _REFUSALS):
                return ConfigError([f"{self.name}: the server does not let us in ({text})"])
            why = f"{self.name}: the ledger cannot be used now ({text}), and without it no order is sent"
            return Unavailable(f"{why}; does the server run? Whether the last change was kept, the next run finds out")
        return error  # type: ignore[no-any-return]


def _library() -> Any:
    try:
        return importlib.import_module("psycopg")
    except ImportError as error:
        raise MissingExtra("A ledger on PostgreSQL", EXTRA, "psycopg") from error


@cache
def _whole_number(psycopg: Any) -> Any:
    """SUM of whole numbers is a numeric; nothing in the ledger has a fraction."""

    class WholeNumber(psycopg.adapt.Loader):  # type: ignore[misc]
        def load(self, data: Any) -> int:
            return int(bytes(data))

    return WholeNumber


@cache
def _spoken(sql: str) -> str:
    """The ledger's SQL as psycopg wants it; texts are sorted by bytes and numbers have 64 bits, as in SQLite."""
    if sql.startswith(("CREATE", "ALTER")):
        return sql.replace("TEXT", 'TEXT COLLATE "C"').replace("INTEGER", "BIGINT")
    return sql.replace("%", "%%").replace("?", "%s")


def _bound(values: tuple[object, ...]) -> list[Any]:
    return [_cell(value) for value in values]


def _cell(value: object) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Enum):
        return value.value
    # no text of PostgreSQL's holds it
    return bindable(value).replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
