"""Copying a ledger from a file to a server, or back: all of it, or nothing, and compared in the end.

Owns what counts as empty, and as the same. Changes no ledger that says anything.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sheetsync.errors import ConfigError, CopyFailed
from sheetsync.ledger.database import Database, own_tables
from sheetsync.ledger.opening import exists, opened
from sheetsync.state import Server, State


def copy(source: State, target: State) -> dict[str, int]:
    """Copy what `source` says at one moment into `target`, which has to be empty; how many rows of each table.

    Raises ConfigError where there is nothing to copy, `target` says anything already, or the two are not the same;
    CopyFailed.
    """
    if not exists(source):
        # an empty database, say, or another name than was meant: its copy would pass for a ledger
        raise ConfigError([f"{source}: there is no ledger, nothing was copied"])
    with closing(opened(source, read_only=True)) as told:
        if damage := told.damage():
            raise ConfigError([f"{told.name}: damaged ({damage}), nothing was copied"])
        if isinstance(target, Server):
            return _filled(told, target)
        # made in memory: a file that cannot be written is then no ledger that cannot be used
        with whole(target) as part, closing(opened(None)) as made:
            _fill(told, made)
            made.copy_to(part)
            return _said_alike(told, part)


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Where to write what is to be `target`: under another name until it is whole, and gone if it never is.

    Raises ConfigError where `target` is there already, CopyFailed where it cannot be written.
    """
    if os.path.lexists(target):
        advice = "exists already, and was left as it is; name another file, such as one with a date"
        raise ConfigError([f"{target}: {advice}"])
    part = target.with_name(f"{target.name}.part")
    try:
        _remove(part)
        yield part
        os.replace(part, target)
    except BaseException as error:
        with suppress(OSError):
            _remove(part)
        if isinstance(error, OSError):
            is_away = isinstance(error, FileNotFoundError)
            why = "its folder does not exist" if is_away else f"{part.name}: {error.strerror}"
            raise CopyFailed(str(target), why) from error
        if isinstance(error, CopyFailed):
            raise CopyFailed(str(target), error.why) from error
        raise


def _remove(part: Path) -> None:
    """With what SQLite may have left beside it."""
    for side in ("", "-journal", "-wal", "-shm"):
        part.with_name(f"{part.name}{side}").unlink(missing_ok=True)


def _filled(told: Database, target: Server) -> dict[str, int]:
    with closing(opened(target)) as made:
        _fill(told, made)
    return _said_alike(told, target)


def _said_alike(told: Database, target: State) -> dict[str, int]:
    with closing(opened(target, read_only=True)) as made:
        return _compared(told, made)


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
