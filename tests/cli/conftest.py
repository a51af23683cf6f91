"""What tests of several commands begin with: a served sandbox, with the sample tracker or with an empty spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bench import TAB
from support.command_line import Desk, sample_desk
from support.init_bench import InitBench

from sheetsync.sandbox.server import Server


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A sandbox in real time on a free port."""
    monkeypatch.delenv("TOKPORTAL_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with sample_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def empty() -> InitBench:
    return InitBench()


@pytest.fixture
def config(empty: InitBench, tmp_path: Path) -> Iterator[Path]:
    """A served sandbox and a configuration for it."""
    with Server(empty.world) as server:
        key = tmp_path / "service-account.json"
        server.write_service_account(key)
        text = (
            f"google: {{credentials: {key}, api_url: {server.url}}}\n"
            f"tokportal: {{api_key: {empty.world.portal.key}, api_url: {server.url}}}\n"
            f"state: {tmp_path}/state.db\n"
            f"trackers: [{{name: acme, spreadsheet: {empty.book.id}, worksheet: {TAB}}}]\n"
        )
        path = tmp_path / "sheetsync.yaml"
        path.write_text(text)
        yield path
