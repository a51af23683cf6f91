"""A served sandbox, a configuration with several trackers, and a proxy with its judge between the two and the command.

The command runs in this process with the sandbox's clock, or as a process of its own in real time; either way each of
its calls passes the proxy over real sockets.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sheetsync import columns
from sheetsync.cli.main import cli
from sheetsync.sandbox import people
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from support.bench import EMAIL, SandboxClock
from support.proxy import Proxy
from support.proxy_judge import Judge

PERSON = ("video_id", "action", "note", "platform", "creator")
GATES = ("caption_final", "sound_cleared")
Settings = Mapping[str, Any]


class Office:
    """What people and the command do. `book` is one spreadsheet with a tab for each tracker."""

    proxy: Proxy
    judge: Judge
    config: Path

    def __init__(self, folder: Path, world: World, server: Server, trackers: Mapping[str, Settings]) -> None:
        self.folder, self.world, self.server = folder, world, server
        self.book = world.google.create_spreadsheet("Spark codes", "Etc/GMT", tuple(trackers))
        self.book.shared_with.add(EMAIL)
        world.google.quota = False
        world.portal.switches.set({"rate_limit": "off"})
        for name, settings in trackers.items():
            self._lay_out(name, settings.get("columns", {}), settings.get("without", ()))
        self.settings = trackers

    def _lay_out(self, tab: str, renamed: Mapping[str, str], without: Sequence[str]) -> None:
        sheet = self.book.sheet(tab)
        keys = [key for key in (*PERSON, *columns.MACHINE_KEYS, *GATES) if key not in without]
        for index, key in enumerate(keys):
            sheet.set_value(0, index, columns.header_of(key, renamed))

    def configure(self, url: str, state: str = "state.db") -> Path:
        """A configuration whose services are at `url`."""
        trackers = [
            {"name": name, "spreadsheet": self.book.id, "worksheet": name}
            | {key: value for key, value in settings.items() if key != "without"}
            for name, settings in self.settings.items()
        ]
        config = {
            "google": {"credentials": "service-account.json", "api_url": url},
            "tokportal": {"api_key": self.world.portal.key, "api_url": url},
            "state": state,
            "trackers": trackers,
        }
        path = self.folder / "sheetsync.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    # --- people ------------------------------------------------------------------------------------------------------

    def row(self, video: str, tab: str = "one", **cells: Any) -> None:
        """A new row at the end; its boxes are ticked unless `cells` say otherwise."""
        if video not in self.world.portal.videos:
            self.world.portal.add_video(video)
        sheet = self.book.sheet(tab)
        renamed = self.settings[tab].get("columns", {})
        line = sheet.rows_used
        headers = [sheet.value(0, column) for column in range(sheet.columns_used)]
        for key, value in {"video_id": video, **dict.fromkeys(GATES, True), **cells}.items():
            if (header := columns.header_of(key, renamed)) in headers:
                sheet.set_value(line, headers.index(header), value)

    def rows(self, *videos: str, tab: str = "one", **cells: Any) -> None:
        for video in videos:
            self.row(video, tab, **cells)

    def column(self, key: str, tab: str = "one") -> int:
        header = columns.header_of(key, self.settings[tab].get("columns", {}))
        return people.column_of(self.book.sheet(tab), header)

    def line(self, video: str, tab: str = "one") -> int:
        """The first row of a video, from 0."""
        header = columns.header_of("video_id", self.settings[tab].get("columns", {}))
        return people.row_of(self.book.sheet(tab), video, header)

    def type(self, video: str, key: str, value: Any, tab: str = "one") -> None:
        """Somebody types into the first row of a video."""
        self.book.sheet(tab).set_value(self.line(video, tab), self.column(key, tab), value)

    def cell(self, video: str, key: str, tab: str = "one") -> Any:
        value = self.book.sheet(tab).value(self.line(video, tab), self.column(key, tab))
        return "" if value is None else value

    def ordered(self) -> list[str]:
        """Videos by the requests that stand in TokPortal's books."""
        return [request.video_id for request in self.world.portal.requests]

    def written(self) -> int:
        """How often something was written into the spreadsheet."""
        return sum(call.kind == "sheets.batchUpdate" for call in self.world.calls)

    def forget(self) -> None:
        """The machine loses its ledger."""
        for file in self.folder.glob("state.db*"):
            file.unlink()
        self.judge.forget()

    # --- the command -------------------------------------------------------------------------------------------------

    def sync(self, *arguments: str) -> int:
        """The command in this process; its exit code."""
        self.judge.command(*arguments)
        result = CliRunner().invoke(cli, ["-c", str(self.config), "sync", "--json", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Unexpected" not in result.output
        return result.exit_code

    def init(self) -> None:
        """Somebody prepares the spreadsheet."""
        result = CliRunner().invoke(cli, ["-c", str(self.config), "init"])
        assert result.exit_code == 0, (result.output, result.exception)

    def allow(self, number: object, tab: str = "Summary") -> None:
        """Somebody types into the cell of Summary that allows orders."""
        self.book.sheet(tab).set_value(6, 10, number)  # type: ignore[arg-type]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        self.judge.command(*arguments)
        command = [sys.executable, "-c", "from sheetsync.cli.main import main; main()", "-c", str(self.config)]
        return subprocess.Popen(
            [*command, "sync", "--json", *arguments],
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and document of a process of its own."""
        process = self.start(*arguments)
        out, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        return process.returncode, json.loads(out)

    def later(self, seconds: float = 61) -> None:
        """Time goes by."""
        SandboxClock(self.world).sleep(seconds)


@contextmanager
def opened(folder: Path, real_time: bool = False, **trackers: Settings) -> Iterator[Office]:
    """An office for these trackers, by their names, which are their tabs' too."""
    world = World(record_bodies=False, start=datetime.now(UTC) if real_time else None, real_time=real_time)
    level, handlers = logging.getLogger("sheetsync").level, logging.getLogger().handlers[:]
    with Server(world) as server:
        server.write_service_account(folder / "service-account.json", email=EMAIL)
        office = Office(folder, world, server, trackers or {"one": {}})
        with Proxy(server.url) as proxy, pytest.MonkeyPatch.context() as patch:
            office.proxy, office.config = proxy, office.configure(proxy.url)
            office.judge = proxy.witness = Judge(yaml.safe_load(office.config.read_text()), world.clock.now)
            patch.setenv("NO_PROXY", "127.0.0.1")
            patch.delenv("TOKPORTAL_API_KEY", raising=False)
            patch.setattr("sheetsync.sync.clients.Clock", lambda: SandboxClock(world))
            yield office
    # the command sets up logging for a process of its own
    logging.getLogger("sheetsync").setLevel(level)
    logging.getLogger().handlers[:] = handlers
