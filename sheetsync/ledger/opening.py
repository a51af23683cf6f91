"""Opening the database that `state` names, whichever kind it is: the one place that knows that there are two."""

from __future__ import annotations

from contextlib import closing

from sheetsync.ledger.database import Database
from sheetsync.ledger.postgres import PostgreSQL
from sheetsync.ledger.sqlite import SQLite, is_made
from sheetsync.state import Server, State


def opened(state: State | None, durable: bool = True, read_only: bool = False) -> Database:
    """The database; None is one in memory. `durable` False may lose commits in a power cut.

    With `read_only` nothing changes, and one that is not there yet is an empty one. Errors as for Database.
    """
    if not isinstance(state, Server):
        return SQLite(state, durable, read_only)
    database = PostgreSQL(state, durable, read_only)
    if read_only and not database.version():
        database.close()
        return SQLite(None, read_only=True)
    return database


def exists(state: State) -> bool:
    """Whether there is a ledger already: a folder, or a server, may be there without one. Raises what Database does."""
    if not isinstance(state, Server):
        return is_made(state)
    with closing(opened(state, read_only=True)) as database:
        return database.name == str(state)
