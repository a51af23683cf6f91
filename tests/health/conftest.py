"""The commands' desk, with a dead-man's-switch service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cli.conftest import desk
from support.command_line import Desk
from support.pings import Pings, listening

__all__ = ["desk"]


@pytest.fixture
def pings(desk: Desk) -> Iterator[Pings]:
    """A service that the configuration names."""
    with listening() as service:
        desk.config.write_text(desk.config.read_text() + f"run:\n  ping_url: {service.url}\n  metrics_file: m/s.prom\n")
        (desk.config.parent / "m").mkdir()
        yield service
