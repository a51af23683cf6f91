"""The README's commands are the ones that are run."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from projection.test_notes import CELLS, STANDING, WAITING

from sheetsync.cli.main import command
from sheetsync.network import NOT_TRUSTED
from sheetsync.sheet.api import API_DISABLED, NO_SUCH_FILE, NOT_SHARED, OFFICE_FILE

ROOT = Path(__file__).parent.parent


def first_block() -> list[str]:
    """The lines of the README's first code block."""
    block = re.search(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert block, "README.md has no code block"
    return block[1].splitlines()


def test_ci_runs_the_test_line_of_the_readme() -> None:
    """CI runs what the README tells a newcomer to run, letter for letter."""
    test_lines = [line for line in first_block() if line.endswith("pytest -q")]

    assert len(test_lines) == 1
    assert test_lines[0] in [line.strip() for line in (ROOT / ".ci/run").read_text().splitlines()]


def test_the_commands_of_the_readme_install_the_pinned_versions() -> None:
    """Both lines install under constraints.txt, so that they do tomorrow what they do today."""
    commands = [line for line in first_block() if line.startswith("python3 -m venv")]

    assert len(commands) == 2
    assert all("-c constraints.txt" in command for command in commands)


def test_constraints_are_names_and_versions_only() -> None:
    """constraints.txt names no host, no path and no hash."""
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line)


OPERATIONS = (ROOT / "cron/README.md").read_text()
CALLS = sorted(set(re.findall(r"`sheetsync ([a-z]+)((?: (?:--)?[a-zA-Z-]+)*)", OPERATIONS)))


@pytest.mark.parametrize(("name", "words"), CALLS)
def test_the_commands_of_the_operations_are_there(name: str, words: str) -> None:
    """Nobody is told at three in the morning to run what there is not."""
    found, parts = command(name), words.split()
    if isinstance(found, click.Group):
        found = found.commands[parts.pop(0)]
    options = {option for parameter in found.params for option in parameter.opts}
    assert [word for word in parts if word.startswith("--") and word not in options] == []


SAID = (
    "cannot be used",
    "TokPortal answered",
    "are more than",
    "The sheet has shrunk",
    "No order is sent until somebody accepts a price",
    "the database is damaged",
    "may not be written",
    "Not enough credits",
)


@pytest.mark.parametrize("words", SAID)
def test_the_troubles_are_found_by_what_the_program_says(words: str) -> None:
    """Word for word, so that the table can be searched for them."""
    sources = "".join(path.read_text() for path in (ROOT / "sheetsync").rglob("*.py"))
    assert words in OPERATIONS
    assert words in sources


NOTES = {
    name: text
    for table in (WAITING, STANDING, CELLS)
    for name, (_, text) in table.items()
    # of texts that only differ in a value, one stands for all; of two in one cell, each stands by itself
    if text
    and name not in ("several gates", "free of charge", "both", "another price, reported")
    and not text.startswith(("Known expiry", "TokPortal said no"))
}


@pytest.mark.parametrize("text", NOTES.values(), ids=NOTES)
def test_each_note_stands_in_the_readme_beside_the_texts(text: str) -> None:
    """Who finds a note in a row finds it there, word for word, with what to do."""
    assert f"| {text}" in (ROOT / "sheetsync/notes/README.md").read_text()


FIRST_ERRORS = {
    "The Google Sheets API is not enabled in the project of": API_DISABLED,
    "Share the sheet with": NOT_SHARED,
    "There is no such spreadsheet.": NO_SUCH_FILE,
    "names an Excel file in Drive": OFFICE_FILE,
    "Its certificate is not trusted here": NOT_TRUSTED,
}


@pytest.mark.parametrize("words", FIRST_ERRORS)
def test_the_first_errors_stand_in_the_readme_of_the_first_run(words: str) -> None:
    """Who sees one finds it there by its own words."""
    assert words in FIRST_ERRORS[words]
    assert words in (ROOT / "sheetsync/cli/README.md").read_text()
