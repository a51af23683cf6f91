"""The commands as a shell calls them, on a served sandbox with the configuration that the sandbox itself writes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sheetsync.cli.main import cli
from sheetsync.sandbox import sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from support.init_bench import InitBench


@dataclass(frozen=True)
class Desk:
    """The sandbox with its sample tracker, and a folder with a configuration for it."""

    world: World
    book: Spreadsheet
    config: Path
    server: Server

    def run(self, *arguments: str, options: tuple[str, ...] = ()) -> Result:
        """The command. Tests have no traceback to look at: there must be none."""
        result = CliRunner().invoke(cli, ["-c", str(self.config), *options, *arguments])
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def cell(self, line: int, header: str) -> Any:
        """A cell of a sample line."""
        return self.book.sheet(sample.TAB).value(line + 1, (*sample.PERSON, *sample.MACHINE).index(header))

    def edit(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")


@contextmanager
def sample_desk(folder: Path) -> Iterator[Desk]:
    """A sandbox in real time on a free port, with its files in this folder."""
    world = World(real_time=True)
    book = sample.fill(world)
    level, handlers = logging.getLogger("sheetsync").level, logging.getLogger().handlers[:]
    with Server(world) as server:
        server.write_service_account(folder / "service-account.json")
        yield Desk(world, book, sample.write_config(folder, server.url, book, world.portal.key), server)
    # the command sets up logging for a process of its own
    logging.getLogger("sheetsync").setLevel(level)
    logging.getLogger().handlers[:] = handlers


def call(config: Path, *arguments: str) -> Result:
    """A command with this configuration."""
    return CliRunner().invoke(cli, ["-c", str(config), *arguments])


def share(config: Path, bench: InitBench) -> None:
    """The person shares the sheet with the service account."""
    bench.book.shared_with.add(json.loads((config.parent / "service-account.json").read_text())["client_email"])
