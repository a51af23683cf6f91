"""Rows of a run as they are printed: at a terminal with names, links and colours, in its width; else plain.

Owns that choice and the drawing. What the cells of a row say is each command's.
"""

import sys
from collections.abc import Sequence
from io import StringIO
from shutil import get_terminal_size
from textwrap import fill, shorten

from sheetsync.cli.plain import one_line
from sheetsync.cli.render import table
from sheetsync.steps import link_to, place_of
from sheetsync.sync.report import Report

COLOURS = {"hold": "yellow", "order": "green", "renew": "green", "adopt": "cyan", "correct": "magenta"}
SHORT = 8
"""Characters of a video id that tell two apart for the eye; the whole one is printed where no row has a name."""

NARROWEST, WIDEST = 80, 160
LONGEST = 26
"""Characters of a name, so that half of a narrow terminal is left for what is said of the row."""


def rows_text(report: Report, rows: Sequence[Sequence[str]]) -> str:
    """Rows, each as: what is done, the row's number in words, the video id, and further cells."""
    return _drawn(report, rows) if sys.stdout.isatty() else table(rows)


def sentence(text: str) -> str:
    """A sentence; at a terminal of more lines than one where it is too long, no word broken."""
    # a command to be pasted must not be given to this: a terminal's own line ends are not copied, these are
    return fill(text, _width(), subsequent_indent="  ", break_long_words=False) if sys.stdout.isatty() else text


def _width() -> int:
    return min(max(get_terminal_size().columns, NARROWEST), WIDEST)


def row_text(number: int | None) -> str:
    """A row of the tracker in words; what hangs on no row says so."""
    return f"row {number}" if number else "no row"


def _drawn(report: Report, rows: Sequence[Sequence[str]]) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Console(file=StringIO(), width=_width(), force_terminal=True, legacy_windows=False, highlight=False)
    grid = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for _ in range(3):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for what, row, video, *rest in rows:
        cells = [Text("  " + what, style=COLOURS.get(what, "")), Text(row, style=_link(report, row))]
        said = ", ".join(filter(None, rest))
        grid.add_row(*cells, Text(one_line(_named(report, video))), Text(one_line(said)))
    drawn.print(grid)
    file = drawn.file
    assert isinstance(file, StringIO)
    return file.getvalue().rstrip("\n")


def _link(report: Report, row: str) -> str:
    """The style that makes a row's number lead to it, in terminals that know links."""
    number = row.removeprefix("row ")
    if not (report.tab and number.isdecimal()):
        return ""
    spreadsheet, sheet_id = report.tab
    return f"link {link_to(spreadsheet, place_of(sheet_id, int(number)))}"


def _named(report: Report, video: str) -> str:
    """Whose video it is, beside a short id; the id alone where nobody says."""
    name = report.names.get(video, "")
    return f"{shorten(name, LONGEST, placeholder='...')} {video[:SHORT]}" if name else video
