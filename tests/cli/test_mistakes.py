"""What people do wrong in the first hour: each ends in one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command_line import Desk
from support.profile import cases

from sheetsync.ledger.database import MIGRATIONS
from sheetsync.ledger.sqlite import SQLite

ROOT = Path(__file__).parent.parent.parent
BARE = [
    sys.executable,
    "-I",
    "-S",
    "-c",
    f"import sys, runpy; sys.path.insert(0, {str(ROOT)!r}); sys.argv[1:] = ['sync']",
]
NO_VENV = [*BARE[:-1], f"{BARE[-1]}; runpy.run_module('sheetsync', run_name='__main__')"]


def without_venv(desk: Desk) -> list[str]:
    """The system's Python, in the folder of the clone."""
    return NO_VENV


def in_another_folder(desk: Desk) -> list[str]:
    (desk.config.parent / "elsewhere").mkdir()
    os.chdir(desk.config.parent / "elsewhere")
    return [sys.executable, "-m", "sheetsync", "sync"]


def with_a_newer_state(desk: Desk) -> list[str]:
    """Left there by a later version."""
    database = SQLite(desk.config.parent / "state.db")
    with database.transaction():
        database.execute("INSERT INTO schema_version (version, name) VALUES (?, ?)", len(MIGRATIONS) + 1, "of tomorrow")
    database.close()
    return at(desk)


def with_the_sheet_closed(desk: Desk) -> list[str]:
    """Its owner takes the service account off."""
    desk.book.shared_with.clear()
    return at(desk)


def with_the_sandbox_gone(desk: Desk) -> list[str]:
    """Stopped in the other terminal."""
    text = desk.config.read_text(encoding="utf-8").replace(desk.server.url, "http://127.0.0.1:9")
    desk.config.write_text(text, encoding="utf-8")
    key = desk.config.parent / "service-account.json"
    key.write_text(key.read_text(encoding="utf-8").replace(desk.server.url, "http://127.0.0.1:9"), encoding="utf-8")
    return at(desk)


def at(desk: Desk) -> list[str]:
    return [sys.executable, "-m", "sheetsync", "-c", str(desk.config), "sync"]


MISTAKES: dict[Callable[[Desk], list[str]], tuple[int, str]] = {
    without_venv: (2, "is installed for this Python: run .venv/bin/sheetsync (README)"),
    in_another_folder: (
        2,
        "there is no such file; `sheetsync sandbox` writes one to try, for real copy config.example.yaml",
    ),
    with_a_newer_state: (2, "from a newer sheetsync: upgrade this one"),
    with_the_sheet_closed: (5, "as Editor (button Share in the sheet), then run again."),
    with_the_sandbox_gone: (1, "start `sheetsync sandbox`, or name the real services."),
}


@pytest.mark.parametrize("mistake", cases(MISTAKES, list(MISTAKES)[:4]), ids=lambda mistake: mistake.__name__)
def test_a_mistake(desk: Desk, mistake: Callable[[Desk], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of what it prints, and no traceback. Two sandboxes at once: test_sandbox.py."""
    monkeypatch.chdir(desk.config.parent)
    code, said = MISTAKES[mistake]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(
        mistake(desk),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.stdout.splitlines()[-1].endswith(said), ran.stdout
    assert ran.returncode == code
    assert len(ran.stdout.splitlines()) <= 2
