"""The Containerfile: built where there is a builder; its lines run on this machine in any case."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cli.conftest import desk
from support.command_line import Desk
from support.schedules import CRON

__all__ = ["desk"]

ROOT = CRON.parent
TEXT = (CRON / "Containerfile").read_text().replace(" \\\n", " ")
HOME = "/opt/sheetsync"


def builder() -> str | None:
    """A program that builds images here, and can reach what it needs for that."""
    for name in ("podman", "buildah", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


def line_of(word: str) -> list[str]:
    """What stands behind an instruction, wherever it is used."""
    return re.findall(rf"^{word} (.*)$", TEXT, re.MULTILINE)


def test_its_lines_run(desk: Desk, tmp_path: Path) -> None:
    """In a folder that stands for the image's: what is copied, what is installed, and what is started is a run."""
    home = tmp_path / "image"
    for line in line_of("COPY"):
        *sources, target = line.replace(HOME, str(home)).split()
        for source in sources:
            to = Path(target) / source if target.endswith("/") else Path(target)
            to.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, to)
    for line in line_of("RUN"):
        subprocess.run(["/bin/sh", "-ec", line.replace(HOME, str(home))], check=True, cwd=home)
    (entry,), arguments = (json.loads(line_of(word)[0]) for word in ("ENTRYPOINT", "CMD"))
    words = [str(desk.config) if word == "/etc/sheetsync/sheetsync.yaml" else word for word in arguments]
    done = subprocess.run([home / ".venv/bin" / entry, *words], env={}, cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(done.stderr.splitlines()[-1])["ordered"] == 4
    assert not (home / "src").exists()


def test_it_can_be_built() -> None:
    """And starts as nobody's user."""
    name = builder()
    if not name:
        pytest.skip("no builder of containers works on this machine; the lines were run by the test above")
    subprocess.run([name, "build", "-f", CRON / "Containerfile", "-t", "sheetsync:test", ROOT], check=True)
    done = subprocess.run([name, "run", "--rm", "sheetsync:test", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout[:10]) == (0, "sheetsync,")
