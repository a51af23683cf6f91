"""A ledger in memory, the path of one on disk, and the address of one on a server. Real SQLite, real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import postgres

from sheetsync.ledger.store import Ledger
from sheetsync.state import Server


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(None) as fresh:
        yield fresh


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def server() -> Server:
    postgres.or_skip()
    return postgres.fresh()
