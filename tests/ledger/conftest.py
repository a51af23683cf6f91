"""A ledger in memory, and the path of one on disk. Real SQLite throughout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetsync.ledger.store import Ledger


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger(None) as fresh:
        yield fresh


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"
