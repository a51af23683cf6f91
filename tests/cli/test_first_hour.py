"""The README's first hour, played line by line as it is printed there, with the sandbox as the user's Google."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOUR = README.split("## The first hour")[1].split("## ")[0]
TRANSCRIPT = re.findall(r"```console\n(.*?)```", HOUR, re.DOTALL)[0]
WISHES = (("@mia.bakes", "request"), ("@joaoruns", "request"), ("@lenafit", ""))


def steps() -> Iterator[tuple[str, list[str]]]:
    """Each line of the transcript after a `$`, with the lines that it is said to print."""
    for block in TRANSCRIPT.split("$ ")[1:]:
        line, *shown = block.splitlines()
        yield re.split(r"\s{2,}#", line)[0], shown


@pytest.fixture
def world() -> World:
    return World(real_time=True)


@pytest.fixture
def clone(tmp_path: Path, world: World) -> Iterator[Path]:
    """A folder with what the README has had the newcomer bring so far: the key file, a shared sheet of three videos."""
    book = world.google.create_spreadsheet("Spark codes", "Europe/Berlin", ["Tracker"], [])
    for row, line in enumerate([("Creator", "Video ID", "Action"), *WISHES]):
        video = world.portal.new_id("video")
        world.portal.add_video(video)
        cells = line if row == 0 else (line[0], video, line[1])
        for column, value in enumerate(cells):
            book.sheet("Tracker").set_value(row, column, value)
    with Server(world) as server:
        key = tmp_path / "service-account.json"
        server.write_service_account(key)
        book.shared_with.add(json.loads(key.read_text())["client_email"])
        example = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
        for service in ("sheets.googleapis.com", "app.tokportal.com"):
            example = example.replace(f"https://{service}", server.url)
        address = f"https://docs.google.com/spreadsheets/d/{book.id}/edit"
        example = re.sub(r"spreadsheet: https\S+", f"spreadsheet: {address}", example)
        (tmp_path / "config.example.yaml").write_text(example, encoding="utf-8")
        yield tmp_path


def test_the_first_hour(clone: Path, world: World) -> None:
    """Each line ends well and prints what the README shows; afterwards the two marked rows are ordered and paid for."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHEETSYNC", "TOKPORTAL"))}
    environment |= {"NO_PROXY": "127.0.0.1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    played = list(steps())
    assert [line.split()[1] for line, _ in played if line.startswith("sheetsync")] == [
        *("config", "init", "doctor", "plan", "sync", "schedule")
    ]
    for line, shown in played:
        command = line.replace("API_KEY=...", f"API_KEY={world.portal.key}")
        ran = subprocess.run(
            ["sh", "-ec", command], cwd=clone, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, ""), line
        assert [text for text in shown if text not in ran.stdout.splitlines()] == [], ran.stdout
    book = next(iter(world.google.books.values()))
    headers, *rows = book.sheet("Tracker").table()
    at = {header: column for column, header in enumerate(headers)}
    assert [row[at["Status"]] for row in rows] == ["pending", "pending", None]
    assert [row[at["Credits charged"]] for row in rows] == [7, 7, None]
    assert len(world.portal.requests) == 2


def test_it_is_short() -> None:
    """A stranger reads it to the end."""
    assert len(README.splitlines()) <= 120
