"""The calls a minute that all workers share, counted in PostgreSQL.

Owns the count: `lease` says who gets how many calls and when (pure), `Budgets` keeps that in the database, for all
threads of a process. What a service itself answers (`Retry-After`) is its client's.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from sheetsync.clock import Clock
from sheetsync.errors import Unavailable
from sheetsync.ledger.postgres import ALIVE
from sheetsync.state import Server

WINDOW = 61.5
"""Seconds for which a call counts: the service's minute, the second within which it is sent, and half a second by
which two calls' ways may differ. So no minute of the service's holds more calls than its limit, however it counts
(windows or bucket), and 97 % of the limit can be used."""

GOOD_FOR = 1.0
"""Seconds within which a call has to be given out: a lease of several calls would be used up less often than not."""

_MAKE = "CREATE TABLE IF NOT EXISTS shared_budget (name TEXT PRIMARY KEY, leases TEXT NOT NULL)"
_NEW = "INSERT INTO shared_budget (name, leases) VALUES (%s, '[]') ON CONFLICT DO NOTHING"
# alone from here on; the server's clock, since those of the machines differ
_LOOK = "SELECT leases, extract(epoch FROM clock_timestamp())::float8 FROM shared_budget WHERE name = %s FOR UPDATE"
_KEEP = "UPDATE shared_budget SET leases = %s WHERE name = %s"

Leases = Sequence[float]
"""When calls were given, oldest first."""


@dataclass(frozen=True, slots=True)
class Leased:
    """Whether a call was given, else after how many seconds to ask again; and what counts from now on."""

    is_given: bool
    wait: float
    leases: Leases


def lease(leases: Leases, now: float, limit: int, reserve: int = 0) -> Leased:
    """Half of the limit is given at once. What is left of it is spread over the time until more comes back, so that
    nobody who comes late waits for a minute; the `reserve` is left. What lies ahead of a clock that was set back counts
    as given now.
    """
    counted = [min(at, now) for at in leases if now - at < WINDOW]
    free = limit - reserve - len(counted)
    if free <= 0:
        return Leased(False, max(0.05, counted[-free] + WINDOW - now), counted)
    if len(counted) >= limit // 2:
        next_at = counted[-1] + (counted[0] + WINDOW - counted[-1]) / (free + 1)
        if next_at > now:
            return Leased(False, next_at - now, counted)
    return Leased(True, 0.0, [*counted, now])


class Budgets:
    """The shared budgets, for one process; a connection of its own, opened with the first question."""

    def __init__(self, server: Server) -> None:
        self._server, self._lock = server, threading.Lock()
        self._known: dict[str, SharedBudget] = {}
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()

    def of(self, service: str, whose: str, limit: int, reserve: int = 0) -> SharedBudget:
        """The budget of a service for an account or key, which is kept as a fingerprint."""
        name = f"{service} {hashlib.sha256(whose.encode()).hexdigest()[:16]}"
        return self._known.setdefault(name, SharedBudget(self, name, limit, reserve))

    def lease(self, name: str, limit: int, reserve: int) -> Leased:
        """Ask the database. Raises Unavailable."""
        with self._lock:
            try:
                return self._lease_or_reconnect(name, limit, reserve)
            except psycopg.Error as error:
                self._let_go()
                # its own text may hold the password
                why = f"{self._server}: the shared budget of calls cannot be asked now ({type(error).__name__})"
                raise Unavailable(f"{why}; without it no call is made") from None

    def _lease_or_reconnect(self, name: str, limit: int, reserve: int) -> Leased:
        is_new = self._connection is None
        try:
            return self._lease(name, limit, reserve)
        except psycopg.OperationalError:
            if is_new:
                raise
            # it was cut while nobody asked; a call that was given all the same, and not heard of, is one less
            self._let_go()
            return self._lease(name, limit, reserve)

    def _let_go(self) -> None:
        with suppress(psycopg.Error):
            self.close()
        self._connection = None

    def _lease(self, name: str, limit: int, reserve: int) -> Leased:
        connection = self._connected()
        with connection.transaction():
            connection.execute(_NEW, (name,))
            told = connection.execute(_LOOK, (name,)).fetchone()
            assert told
            leases = json.loads(told[0])
            found = lease(leases, told[1], limit, reserve)
            if found.leases != leases:
                connection.execute(_KEEP, (json.dumps(found.leases), name))
        return found

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._server.url, autocommit=True, **ALIVE)
            self._connection.execute("SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '5s'")
            with self._connection.transaction():
                self._connection.execute("SELECT pg_advisory_xact_lock(7140, 2)")
                self._connection.execute(_MAKE)
        return self._connection


class SharedBudget:
    """One budget; may be asked by several threads, of which one asks the database for all."""

    def __init__(self, budgets: Budgets, name: str, limit: int, reserve: int) -> None:
        self._budgets, self._name, self._limit, self._reserve = budgets, name, limit, reserve
        self._clock, self._lock, self._not_before = Clock(), threading.Lock(), 0.0

    def ask(self, goes_first: bool = False) -> float:
        """Take one call: 0.0, or after how many seconds to ask again. Raises Unavailable."""
        with self._lock:
            now = self._clock.monotonic()
            if not goes_first and now < self._not_before:
                return self._not_before - now
            found = self._budgets.lease(self._name, self._limit, 0 if goes_first else self._reserve)
            after = self._clock.monotonic()
            if not found.is_given and not goes_first:
                self._not_before = after + found.wait
            # one that took too long to come may be used no more
            return 0.01 if found.is_given and after - now >= GOOD_FOR else found.wait
