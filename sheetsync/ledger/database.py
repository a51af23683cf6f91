"""What is below the ledger: its tables and their migrations, and what a transaction is, whichever database keeps it.

A transaction is all or nothing, and on disk when it is left. One that writes has the whole database for itself from its
first statement on: what it decides from what it read (is an intent unsettled? which id is next?) still holds when it
writes. How that is done, and what a failing disk or a lost connection mean to the user, is sqlite.py's (a file) and
postgres.py's (a server). Knows no ad code request: what the tables say is store.py's and recorder.py's matter. Their
SQL is written once for both, with `?` for a value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sheetsync.errors import ConfigError
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
    (
        "which run holds a tracker, where several machines share one ledger",
        (
            """CREATE TABLE fence (
                tracker TEXT PRIMARY KEY, number INTEGER NOT NULL, holder TEXT NOT NULL, is_held INTEGER NOT NULL)""",
        ),
    ),
    (
        "what TikTok said of codes, and why it does not let us look",
        (
            # a code by its name, a token as a fingerprint: neither reaches these tables
            """CREATE TABLE tiktok_code (
                tracker TEXT NOT NULL, code TEXT NOT NULL, video_id TEXT NOT NULL, advertiser_id TEXT NOT NULL,
                state TEXT NOT NULL, refusal TEXT NOT NULL, starts TEXT, ends TEXT, asked_at TEXT NOT NULL,
                PRIMARY KEY (tracker, code))""",
            """CREATE TABLE tiktok_trouble (
                tracker TEXT PRIMARY KEY, text TEXT NOT NULL, token TEXT NOT NULL, since TEXT NOT NULL,
                asked_at TEXT NOT NULL)""",
        ),
    ),
    (
        "what a row said when its hold was told, and whether its people keep a code there",
        (
            "ALTER TABLE row_seen ADD COLUMN row_was TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE row_seen ADD COLUMN has_typed_code INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE row_seen ADD COLUMN worked_out TEXT",
        ),
    ),
    (
        "which locks of the orders a person has lifted, and whether a row that waits may be an order",
        (
            "ALTER TABLE price ADD COLUMN lifted TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE row_seen ADD COLUMN may_order INTEGER NOT NULL DEFAULT 0",
        ),
    ),
    (
        "which ends were worked out for a video's rows: several, one beside the other",
        ("UPDATE row_seen SET worked_out = '' WHERE worked_out IS NULL",),
    ),
    (
        "what was found of marks while it was not kept which may be orders",
        ("UPDATE row_seen SET row_was = '' WHERE may_order = 0",),
    ),
    (
        "what each row in which people keep a code said: an end that was worked out is its own",
        (
            "ALTER TABLE row_seen RENAME COLUMN worked_out TO kept",
            # whose they are was not kept: a row that is not known has any of them
            """UPDATE row_seen SET kept = '[{"code": "", "worked_out": "' || kept || '"}]' WHERE kept <> ''""",
        ),
    ),
)
"""Numbered from 1 by position. What has been released is never edited: a change is a further entry."""


def own_tables() -> set[str]:
    """The names of the tables that hold what the ledger says."""
    made = (statement.split() for _, statements in MIGRATIONS for statement in statements)
    return {words[2] for words in made if words[:2] == ["CREATE", "TABLE"]}


class Database(ABC):
    """One open database, a file's or a server's. Use it from one thread.

    Raises ConfigError where it cannot be used, is not ours or is of another version, and Unavailable where it fails, is
    busy for long or does not answer: on opening, and in every method.
    """

    name: str
    """What messages call it; a password is not in it."""

    @abstractmethod
    def close(self) -> None:
        """Close it; closing twice is no error."""

    @abstractmethod
    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a SELECT answers."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, on disk when it is left, and alone from its beginning."""

    @abstractmethod
    def execute(self, sql: str, *values: object) -> int:
        """Execute one statement within a transaction; returns how many rows it touched."""

    @abstractmethod
    def tables(self) -> set[str]:
        """The names of the tables that are there."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """The names of a table's columns, in their order."""

    @abstractmethod
    def damage(self) -> str:
        """What the database finds wrong with what it keeps, in its own words; empty if nothing."""

    @abstractmethod
    def hold(self, tracker: str, note: str, now: datetime) -> AbstractContextManager[None]:
        """Hold a tracker against every other run. Raises Locked, on entering, when it is held."""

    @abstractmethod
    def stand_fast(self, tracker: str) -> None:
        """Within a transaction: raise TakenOver unless the tracker that is held is still ours."""

    @abstractmethod
    def copy_to(self, path: Path) -> None:
        """A file of its own, for the eyes of its owner alone, on disk when this returns."""

    def read(self, kind: type[T], source: str, *values: object) -> list[T]:
        """The frozen values of one kind that a SELECT from `source` (tables, WHERE, ORDER BY) answers."""
        return [from_row(kind, row) for row in self.select(f"SELECT {column_list(kind)} FROM {source}", *values)]

    def next_id(self, table: str) -> int:
        """The next free number of a table; unique because a transaction that writes is alone."""
        return int(self.select(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")[0][0])

    def version(self) -> int:
        """The number of the last migration it has had, 0 before any. Raises ConfigError unless empty or ours."""
        tables = self.tables()
        if not tables:
            return 0
        foreign = ConfigError([f"{self.name}: a database of another program; `state` must name one of its own"])
        if "schema_version" not in tables or {"version", "name"} - {*self.columns("schema_version")}:
            raise foreign
        applied = dict(self.select("SELECT version, name FROM schema_version"))
        newest = max(applied, default=0)
        if newest > len(MIGRATIONS):
            raise ConfigError([f"{self.name}: version {newest}, from a newer sheetsync: upgrade this one"])
        if any(applied.get(number, name) != name for number, (name, _) in enumerate(MIGRATIONS, 1)):
            raise foreign
        return newest

    def migrate(self) -> None:
        """Bring the tables up to this version."""
        if self.version() == len(MIGRATIONS):
            return
        with self.transaction():
            # Asked again: another process may have been faster while this one waited.
            version = self.version()
            self.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL)")
            for number, (name, statements) in enumerate(MIGRATIONS[version:], version + 1):
                for statement in statements:
                    self.execute(statement)
                self.execute("INSERT INTO schema_version (version, name) VALUES (?, ?)", number, name)


def bindable(value: object) -> Any:
    """Half of a surrogate pair is valid in JSON, and so in an API's answer, but in no database."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    return value
