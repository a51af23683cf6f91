"""A report as an Excel workbook: the codes, the totals, and what happened.

Owns its looks, and that each text stays text: no cell is a formula, also where somebody edits it later.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sheetsync.reporting.statement import Statement
from sheetsync.reporting.table import Cell, table_of

LONGEST_CELL = 32_767
"""Characters: Excel calls a file with more in one cell damaged."""

WIDEST = 48
DATES = "yyyy-mm-dd hh:mm"
WRAPPED = Alignment(vertical="top", wrap_text=True)


def workbook_of(statement: Statement) -> bytes:
    """The file."""
    made = Workbook()
    made.remove(made.worksheets[0])
    headers, lines = table_of(statement)
    _sheet(made, "Codes", headers, lines)
    totals = [(*total, total.spent) for total in (*statement.totals, statement.in_all._replace(client="in all"))]
    _sheet(made, "Totals", ("Client", "Month", "Credits charged", "Credits refunded", "Credits spent"), totals)
    told = [(s.tracker, s.video, s.client, at, text) for s in statement.stories for at, text in s.events]
    _sheet(made, "Events", ("Tracker", "Video ID", "Client", "When", "What happened"), told)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def _sheet(made: Workbook, title: str, headers: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
    sheet = made.create_sheet(title)
    widths = [len(header) for header in headers]
    for row, line in enumerate([headers, *lines], start=1):
        for column, value in enumerate(line, start=1):
            if value in (None, ""):
                continue
            _write(sheet, row, column, value)
            longest = max(map(len, _shown(value).split("\n")))
            widths[column - 1] = max(widths[column - 1], min(longest, WIDEST))
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width + 3
        head = sheet.cell(1, column)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor="DDE7F0")
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


def _shown(value: Cell) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _write(sheet: Worksheet, row: int, column: int, value: Cell) -> None:
    cell = sheet.cell(row, column)
    cell.alignment = WRAPPED
    if isinstance(value, datetime):
        # Excel knows no zones: what people read in the sheet
        cell.value, cell.number_format = value.replace(tzinfo=None, microsecond=0), DATES
    elif isinstance(value, str):
        # as text whatever it begins with, and still so when somebody edits it
        cell.value, cell.data_type, cell.quotePrefix = value[:LONGEST_CELL], "s", True
    else:
        cell.value = value
