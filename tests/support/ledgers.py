"""Where the ledgers of tests are: SQLite, or schemas of one real PostgreSQL (`pytest --ledger postgresql`).

What a test does to a ledger's files, these do to either. The soak has an option of that name.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from typing import Any

import psycopg

from sheetsync.ledger.database import own_tables
from sheetsync.ledger.store import Ledger
from sheetsync.state import Server, State
from support import postgres

KINDS = ("sqlite", "postgresql")
_chosen = {"kind": "sqlite", "shared": ""}
_free: list[Server] = []
_made: set[Server] = set()
_numbers = itertools.count(1)


def choose(kind: str, shared: bool = False) -> None:
    """From now on; `shared`: the machines of a history have one ledger."""
    _chosen.update(kind=kind, shared="yes" if shared else "")


def is_shared() -> bool:
    return bool(_chosen["shared"])


# --- at a path -----------------------------------------------------------------------------------------------------


def at(path: Path) -> State:
    """The ledger of a path: the file itself, or the schema that stands for it."""
    if _chosen["kind"] == "sqlite":
        return path
    return postgres.named(f"ledger_{os.getpid()}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}")


def as_configured(path: Path) -> str:
    """What `state:` says of the ledger of a path, in a configuration beside it."""
    state = at(path)
    return state.url if isinstance(state, Server) else path.name


def read(path: Path) -> Any:
    """All of a ledger that nobody has open."""
    state = at(path)
    return content(state) if isinstance(state, Server) else path.read_bytes()


def write(path: Path, saved: Any) -> None:
    """Put a copy in its place; None: it is gone."""
    state = at(path)
    if isinstance(state, Server):
        fill(state, saved)
        return
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    if saved is not None:
        path.write_bytes(saved)


# --- a machine's ---------------------------------------------------------------------------------------------------


def machines_own() -> Server | None:
    """An empty one, that `give_back` takes; None: in memory."""
    if _chosen["kind"] == "sqlite":
        return None
    server = _free.pop() if _free else postgres.named(f"machine_{os.getpid()}_{next(_numbers)}")
    fill(server, None)
    return server


def give_back(server: Server | None) -> None:
    """Nobody needs it any more."""
    if server and server not in _free:
        _free.append(server)


def content(server: Server) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, by table."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in sorted(own_tables())}


def fill(server: Server, saved: dict[str, list[tuple[Any, ...]]] | None) -> None:
    """Empty it, and put copied rows in their place."""
    if server not in _made:
        Ledger(server).close()  # its tables
        _made.add(server)
    with psycopg.connect(server.url) as connection:
        connection.execute("; ".join(f"DELETE FROM {table}" for table in sorted(own_tables())))
        for table, rows in (saved or {}).items():
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
