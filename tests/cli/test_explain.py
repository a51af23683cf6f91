"""`sheetsync explain`: each note that the program writes is explained by its own line, also where a row says two."""

from __future__ import annotations

import itertools
import re

import pytest
from click.testing import CliRunner
from projection.test_notes import CELLS, STANDING, WAITING

from sheetsync.cli.explain import explained, listed
from sheetsync.cli.main import cli

TEXTS = sorted({text for table in (WAITING, STANDING, CELLS) for _, text in table.values() if text})


@pytest.mark.parametrize("text", TEXTS)
def test_each_note_has_its_line(text: str) -> None:
    """Also with a row's own names and numbers in it."""
    changed = re.sub(r"\d", "9", text)
    found = [said for said, _ in explained(changed)]
    assert found, "nothing explains it"
    listed_so = [said for said, _ in listed() if said.startswith(text)]
    # of texts that differ in a value, one is listed for all
    assert found[0] in listed_so if listed_so else found[0].split()[:2] == text.split()[:2]


def test_two_things_at_once() -> None:
    """A row that says two things gets both lines, and no third."""
    notes = [
        "A renewal is under way; until its code is there, this row shows the earlier code.",
        "Not enough credits: a code costs 9. Top up at TokPortal.",
        "Duplicate of row 12: one of them acts, all show the same.",
        "TokPortal did not answer; the next run tries again.",
    ]
    for first, second in itertools.permutations(notes, 2):
        found = [todo for _, todo in explained(f"{first} {second}")]
        expected = {todo for text in (first, second) for _, todo in explained(text)}
        assert set(found) == expected
        assert len(found) == 2


def test_what_to_do_is_told() -> None:
    """As it is pasted."""
    result = CliRunner().invoke(cli, ["explain", "Not enough credits: a code costs 7. Top up at TokPortal."])
    assert result.exit_code == 0
    assert "-> top up" in result.stdout


def test_what_no_note_says() -> None:
    """A clear no: a mistake in the call."""
    result = CliRunner().invoke(cli, ["explain", "the weather is fine"])
    assert result.exit_code == 2
    assert "No note of sheetsync's says that" in result.stderr
