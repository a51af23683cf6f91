"""A ledger in memory, the path of one on disk, and the address of one on a server. Real SQLite, real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ledgers, postgres

from sheetsync.ledger.store import Ledger
from sheetsync.state import Server


@pytest.fixture(params=ledgers.KINDS)
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty one of each kind."""
    if request.param == "sqlite":
        with Ledger(None) as fresh:
            yield fresh
        return
    postgres.or_skip()
    server = postgres.named(f"ledger_{os.getpid()}")  # emptied, since making its tables takes longer than the test
    ledgers.fill(server, None)
    with Ledger(server) as fresh:
        yield fresh


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def server() -> Server:
    postgres.or_skip()
    return postgres.fresh()
