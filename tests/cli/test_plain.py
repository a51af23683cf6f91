"""What cells, tab names and ids may do to a terminal or a log: nothing."""

from __future__ import annotations

import json
import logging

import pytest

from sheetsync.cli.logs import JsonFormatter, TextFormatter
from sheetsync.cli.plain import one_line, plain
from sheetsync.cli.render import table

EVIL = "\x1b]0;owned\x07\x1b[2Jvid\x9b31m\u202eabc"


@pytest.mark.parametrize("made", [plain(EVIL), one_line(EVIL), table([["hold", EVIL]])])
def test_no_terminal_obeys(made: str) -> None:
    """Escapes, bells, C1 controls and turns of the writing direction are replaced; the words stay."""
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(made)
    assert "vid" in made
    assert "owned" in made


def test_words_of_all_languages_stay() -> None:
    """An emoji, an accent and Arabic are no control characters."""
    assert plain("déjà 🎬 مرحبا\tx\n") == "déjà 🎬 مرحبا\tx\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\u2028", "\x85", "\x0b"])
def test_a_cell_is_one_line(ends: str) -> None:
    """A cell with line ends cannot forge a second line of output or log."""
    assert one_line(f"a{ends}ok    sheet") == "a ok    sheet"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter("%(message)s")])
def test_a_log_record_is_one_line(formatter: logging.Formatter) -> None:
    """In text and in JSON."""
    record = logging.LogRecord("sheetsync", logging.INFO, "", 0, "tab '%s'", (f"a\nb{EVIL}",), None)
    line = formatter.format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    if isinstance(formatter, JsonFormatter):
        assert json.loads(line)["level"] == "info"
