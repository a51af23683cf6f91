"""PURE: a report as one table, a line for each code, and as CSV: what finance reads in.

Owns its columns, which add up to the totals of the report, and that no text in it can be taken for a formula.
"""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime

from sheetsync.columns import BY_KEY, header_of
from sheetsync.model import Scalar
from sheetsync.reporting.lines import OF_A_ROW, OF_A_VIDEO
from sheetsync.reporting.statement import Line, Statement

Cell = Scalar | datetime | None

_BEFORE: tuple[tuple[str, Callable[[Line], Cell]], ...] = (
    ("Tracker", lambda line: line.tracker),
    (BY_KEY["video_id"].header, lambda line: line.video),
    ("Row", lambda line: line.row),
)
_AFTER: tuple[tuple[str, Callable[[Line], Cell]], ...] = (
    (BY_KEY["spark_code"].header, lambda line: ", then ".join(line.codes)),
    ("State", lambda line: line.state),
    ("In use", lambda line: "yes" if line.is_in_use else ""),
    (BY_KEY["request_id"].header, lambda line: line.request_id),
    (BY_KEY["status"].header, lambda line: line.status),
    ("Window from", lambda line: line.asked_at),
    ("Code received", lambda line: line.received_at),
    ("Window until", lambda line: line.ends),
    (BY_KEY["credits_charged"].header, lambda line: line.charged or None),
    ("Credits refunded", lambda line: line.refunded or None),
    ("Credits of", lambda line: ", ".join(dict.fromkeys(amount.month for amount in line.amounts))),
    ("Approval trail", lambda line: "\n".join(line.approvals)),
)


def table_of(statement: Statement) -> tuple[Sequence[str], list[list[Cell]]]:
    """The headers, and a line for each code; of people's columns those that say something."""
    said = {key for line in statement.lines for key in line.cells}
    keys = [key for key in (*OF_A_VIDEO, *OF_A_ROW) if key in said]
    headers = [name for name, _ in _BEFORE] + [header_of(key, {}) for key in keys] + [name for name, _ in _AFTER]
    return headers, [_cells(line, keys) for line in statement.lines]


def _cells(line: Line, keys: Sequence[str]) -> list[Cell]:
    before, after = ([tell(line) for _, tell in columns] for columns in (_BEFORE, _AFTER))
    return [*before, *(line.cells.get(key) for key in keys), *after]


class _Text(list[str]):
    """What a csv.writer writes to."""

    def write(self, part: str) -> None:
        """One line."""
        self.append(part)


def csv_of(statement: Statement) -> str:
    """The table as CSV, which spreadsheets open as it is meant: instants as local time, text as text."""
    headers, lines = table_of(statement)
    # the mark of order tells Excel that it is UTF-8
    text = _Text(["\ufeff"])
    csv.writer(text).writerows([headers, *([_told(cell) for cell in line] for line in lines)])
    return "".join(text)


def _told(cell: Cell) -> str | int | float:
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    return harmless("" if cell is None else str(cell))


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before what one may begin with."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text
