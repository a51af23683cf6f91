"""Copying a ledger from a file to a server, or back: all of it, or nothing, and compared in the end.

Owns what counts as empty, and as the same. Changes no ledger that says anything.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from sheetsync.errors import ConfigError
from sheetsync.ledger.database import Database, own_tables
from sheetsync.ledger.opening import exists, opened
from sheetsync.state import Server, State


def copy(source: State, target: State) -> dict[str, int]:
    """Copy what `source` says at one moment into `target`, which has to be empty; how many rows of each table.

    Raises ConfigError where there is nothing to copy, `target` says anything already, or the two are not the same.
    """
    if not exists(source):
        # an empty database, say, or another name than was meant: its copy would pass for a ledger
        raise ConfigError([f"{source}: there is no ledger, nothing was copied"])
    with closing(opened(source, read_only=True)) as told:
        if damage := told.damage():
            raise ConfigError([f"{told.name}: damaged ({damage}), nothing was copied"])
        with _made(target) as part:
            with closing(opened(part)) as made:
                _fill(told, made)
            with closing(opened(part, read_only=True)) as made:
                return _compared(told, made)


@contextmanager
def _made(target: State) -> Iterator[State]:
    """Where to write: of a file, under another name until it is whole."""
    if isinstance(target, Server):
        yield target
        return
    if target.exists():
        raise ConfigError([f"{target}: exists already, and was left as it is; name another file"])
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    yield part
    os.replace(part, target)


def _fill(told: Database, made: Database) -> None:
    with made.transaction():
        # within: no run may begin between the look and the copy
        if full := [table for table in _tables(told) if made.select(f"SELECT 1 FROM {table} LIMIT 1")]:
            raise ConfigError([f"{made.name}: says something already ({', '.join(full)}), and was left as it is"])
        for table in _tables(told):
            names = told.columns(table)
            insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for row in told.select(f"SELECT {', '.join(names)} FROM {table}"):
                made.execute(insert, *row)


def _compared(told: Database, made: Database) -> dict[str, int]:
    found = {table: (_rows(told, table), _rows(made, table)) for table in _tables(told)}
    if other := [table for table, (one, two) in found.items() if one != two]:
        raise ConfigError([f"{made.name}: does not say the same as {told.name} ({', '.join(other)}); do not use it"])
    return {table: sum(rows.values()) for table, (rows, _) in found.items()}


def _rows(database: Database, table: str) -> Counter[tuple[Any, ...]]:
    # the order of columns may differ, and that of rows says nothing
    return Counter(database.select(f"SELECT {', '.join(sorted(database.columns(table)))} FROM {table}"))


def _tables(database: Database) -> list[str]:
    """All of the ledger's own; a server may hold tables of others beside them."""
    return sorted(database.tables() & own_tables())
