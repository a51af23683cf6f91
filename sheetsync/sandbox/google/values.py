"""The values calls: get, batchGet, update, batchUpdate, append, clear, batchClear.

Owns resolving A1 ranges on a book, rendering and writing values. HTTP and who may call is `service.py`'s.
Source: reference/google-sheets.md sections 2.2, 3.3, 3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sheetsync.sandbox.google import a1, number_format
from sheetsync.sandbox.google.a1 import Address, Area
from sheetsync.sandbox.google.cells import Cell, Formula, Scalar, as_double, checked_text, with_value
from sheetsync.sandbox.google.edit import check_size
from sheetsync.sandbox.google.errors import ApiError, bad_request, invalid
from sheetsync.sandbox.google.grid import Row, Sheet, Spreadsheet, entered
from sheetsync.sandbox.google.protection import guard

Json = dict[str, Any]
Values = list[list[Scalar]]

_ENUM = "type.googleapis.com/google.apps.sheets.v4."
_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "majorDimension": ("Dimension", ("ROWS", "COLUMNS", "DIMENSION_UNSPECIFIED")),
    "valueInputOption": ("ValueInputOption", ("RAW", "USER_ENTERED", "INPUT_VALUE_OPTION_UNSPECIFIED")),
    "valueRenderOption": ("ValueRenderOption", ("FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA")),
    "dateTimeRenderOption": ("DateTimeRenderOption", ("SERIAL_NUMBER", "FORMATTED_STRING")),
    "insertDataOption": ("AppendValuesRequest.InsertDataOption", ("OVERWRITE", "INSERT_ROWS")),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How values are to be written and rendered."""

    input: str = ""
    render: str = "FORMATTED_VALUE"
    dates: str = "SERIAL_NUMBER"
    major: str = "ROWS"
    include: bool = False


def option(name: str, given: str | None, enum: str = "") -> str:
    """An enum value of a request, the default where none is given."""
    kind, allowed = _OPTIONS[enum or name]
    if not given:
        return "" if kind == "ValueInputOption" else allowed[0]
    if given not in allowed:
        snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
        said = f"Invalid value at '{snake}' ({_ENUM}{kind}), \"{given}\""
        raise bad_request(said, snake, said)
    return allowed[0] if given.endswith("_UNSPECIFIED") and kind == "Dimension" else given


def resolve(book: Spreadsheet, text: str) -> tuple[Sheet, Area, Address]:
    """The sheet and the rectangle, clamped to the grid, that a range text means."""
    address = a1.parse(text)
    found = book.locate(address) if address is not None else None
    if found is None:
        raise invalid(f"Unable to parse range: {text}")
    sheet, address = found
    top, left = address.top or 0, address.left or 0
    rows, columns = sheet.row_count, sheet.column_count
    if top >= rows or left >= columns:
        bottom, right = address.bottom or rows, address.right or columns
        raise exceeds(sheet, Area(top, max(bottom, top + 1), left, max(right, left + 1)))
    bottom = rows if address.bottom is None or address.bottom > rows else address.bottom
    right = columns if address.right is None or address.right > columns else address.right
    return sheet, Area(top, bottom, left, right), address


def names_a_tab(book: Spreadsheet, text: str) -> bool:
    """Whether a range text can be told to lie on a tab of the book."""
    address = a1.parse(text)
    return address is not None and book.locate(address) is not None


def exceeds(sheet: Sheet, area: Area) -> ApiError:
    """400 for a range that does not fit on the sheet."""
    name = a1.range_name(sheet.title, area)
    return invalid(
        f"Range ({name}) exceeds grid limits. Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
    )


def value_range(sheet: Sheet, area: Area, options: Options) -> Json:
    """A ValueRange as read."""
    values = _rendered(sheet, area, options)
    if options.major == "COLUMNS":
        values = _transposed(values)
    answer: Json = {"range": a1.range_name(sheet.title, area), "majorDimension": options.major}
    # Where nothing is there, the key itself is missing: Sheets reference 2.2.
    if values:
        answer["values"] = values
    return answer


def _rendered(sheet: Sheet, area: Area, options: Options) -> Values:
    """Rows of shown values, without empty ends."""
    lines = sheet.rows[area.top : min(area.bottom, sheet.rows_used)]
    left, right = area.left, area.right
    show = _shower(options)
    if right - left == 1:
        rows: Values = _column(lines, left, show)
    elif show is None:
        rows = [["" if cell is None else cell.shown for cell in line[left:right]] for line in lines]
    else:
        rows = [["" if cell is None else show(cell) for cell in line[left:right]] for line in lines]
    # Empty ends of rows, and empty rows at the end, are not sent; inner ones are: Sheets reference 2.2.
    for row in rows:
        while row and row[-1] == "":
            row.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _column(lines: list[Row], at: int, show: Callable[[Cell], Scalar] | None) -> Values:
    """Rows of one cell each: trackers are read by columns, so these have a shorter way."""
    if show is None:
        return [
            [cell.shown] if at < len(line) and (cell := line[at]) is not None and cell.value is not None else []
            for line in lines
        ]
    cells = [line[at] if at < len(line) else None for line in lines]
    return [[] if cell is None or cell.value is None else [show(cell)] for cell in cells]


def _shower(options: Options) -> Callable[[Cell], Scalar] | None:
    """How a cell is turned into a JSON value; None: just as it is."""
    if options.render == "FORMATTED_VALUE":
        return number_format.shown
    dates = options.dates == "FORMATTED_STRING"
    if options.render == "UNFORMATTED_VALUE" and not dates:
        return None

    def show(cell: Cell) -> Scalar:
        if options.render == "FORMULA" and type(cell.value) is Formula:
            return str(cell.value)
        return number_format.shown(cell) if dates and number_format.is_date(cell) else cell.shown

    return show


def _transposed(rows: Values) -> Values:
    width = max((len(row) for row in rows), default=0)
    columns: Values = [[row[index] if index < len(row) else "" for row in rows] for index in range(width)]
    for column in columns:
        while column and column[-1] == "":
            column.pop()
    return columns


def get(book: Spreadsheet, text: str, options: Options) -> Json:
    """values.get."""
    sheet, area, _ = resolve(book, text)
    return value_range(sheet, area, options)


def batch_get(book: Spreadsheet, ranges: Iterable[str], options: Options) -> Json:
    """values.batchGet."""
    return {"spreadsheetId": book.id, "valueRanges": [get(book, text, options) for text in ranges]}


@dataclass(slots=True)
class Written:
    """What one write did: its answer and the rows and columns it touched."""

    answer: Json
    sheet_id: int
    rows: set[int]
    columns: set[int]
    cells: int


def update(book: Spreadsheet, text: str, body: Json, options: Options, user: str) -> Written:
    """values.update, and each part of values.batchUpdate."""
    values = rows_of(body)
    sheet, area, address = resolve(book, text)
    # One cell as range is only where to begin; a larger one must hold what is written.
    if not address.single:
        _check_inside(sheet, area, values)
    return write(sheet, area.top, area.left, values, options, user)


def rows_of(body: Json) -> list[list[Any]]:
    """The values of a ValueRange by rows."""
    values = body.get("values") or []
    for value in values if isinstance(values, list) else [values]:
        if not isinstance(value, list):
            said = f"Invalid value at 'data.values' (type.googleapis.com/google.protobuf.ListValue), \"{value}\""
            raise bad_request(said, "data.values", said)
    if option("majorDimension", body.get("majorDimension")) != "COLUMNS":
        return list(values)
    height = max((len(column) for column in values), default=0)
    return [[column[row] if row < len(column) else None for column in values] for row in range(height)]


def _check_inside(sheet: Sheet, area: Area, values: list[list[Any]]) -> None:
    width = max((len(row) for row in values), default=0)
    too_much = ""
    if len(values) > area.bottom - area.top:
        too_much = f"row [{area.bottom + 1}]"
    elif width > area.right - area.left:
        too_much = f"column [{a1.column_name(area.right)}]"
    if too_much and (area.bottom >= sheet.row_count or area.right >= sheet.column_count):
        height = max(len(values), 1)
        raise exceeds(sheet, Area(area.top, area.top + height, area.left, area.left + max(width, 1)))
    if too_much:
        name = a1.range_name(sheet.title, area)
        raise invalid(f"Requested writing within range [{name}], but tried writing to {too_much}")


def write(sheet: Sheet, top: int, left: int, values: list[list[Any]], options: Options, user: str) -> Written:
    """Writes a block of values; null leaves a cell alone."""
    if not options.input:
        raise invalid("'valueInputOption' is required but not specified")
    if options.input.endswith("_UNSPECIFIED"):
        raise invalid("Invalid valueInputOption: INPUT_VALUE_OPTION_UNSPECIFIED")
    width = max((len(row) for row in values), default=0)
    area = Area(top, top + max(len(values), 1), left, left + max(width, 1))
    if area.bottom > sheet.row_count or area.right > sheet.column_count:
        raise exceeds(sheet, area)
    written = Written({}, sheet.sheet_id, set(), set(), 0)
    for row, line in enumerate(values):
        _write_line(sheet, area, row, line, options, user, written)
    if written.cells:
        sheet.touch()
    written.answer = _update_answer(sheet, area, written, options)
    return written


def _write_line(
    sheet: Sheet, area: Area, row: int, line: list[Any], options: Options, user: str, written: Written
) -> None:
    for column, value in enumerate(line):
        # null leaves the cell alone and does not count: Sheets reference 2.2.
        if value is None:
            continue
        at, across = area.top + row, area.left + column
        guard(sheet, Area(at, at + 1, across, across + 1), user)
        sheet.put(at, across, _stored(sheet.cell(at, across), value, options.input, row, column))
        written.rows.add(at)
        written.columns.add(across)
        written.cells += 1


def _stored(cell: Cell | None, value: Any, how: str, row: int, column: int) -> Cell | None:
    if isinstance(value, str):
        return entered(cell, value) if how == "USER_ENTERED" else with_value(cell, checked_text(value))
    if isinstance(value, bool):
        return with_value(cell, value)
    if isinstance(value, (int, float)):
        return with_value(cell, as_double(value))
    kind = "struct_value" if isinstance(value, dict) else "list_value"
    raise invalid(f"Invalid values[{row}][{column}]: {kind} {{\n}}\n")


def _update_answer(sheet: Sheet, area: Area, written: Written, options: Options) -> Json:
    answer: Json = {"spreadsheetId": sheet.book.id, "updatedRange": a1.range_name(sheet.title, area)}
    counts = {"Rows": len(written.rows), "Columns": len(written.columns), "Cells": written.cells}
    answer.update({f"updated{name}": count for name, count in counts.items() if count})
    if options.include:
        answer["updatedData"] = value_range(sheet, area, options)
    return answer


def batch_update(book: Spreadsheet, data: list[Json], options: Options, user: str) -> Json:
    """values.batchUpdate: all of it or nothing."""
    done = [update(book, str(part.get("range") or ""), part, options, user) for part in data]
    totals = {
        "Rows": len({(one.sheet_id, row) for one in done for row in one.rows}),
        "Columns": len({(one.sheet_id, column) for one in done for column in one.columns}),
        "Cells": sum(one.cells for one in done),
        "Sheets": len({one.sheet_id for one in done if one.cells}),
    }
    answer: Json = {"spreadsheetId": book.id}
    answer.update({f"totalUpdated{name}": count for name, count in totals.items() if count})
    return {**answer, "responses": [one.answer for one in done]}


def append(book: Spreadsheet, text: str, body: Json, options: Options, user: str, insert: bool) -> Json:
    """values.append: below the table that is found in the range, wherever that table begins."""
    sheet, area, _ = resolve(book, text)
    table = _table(sheet, area)
    values = rows_of(body)
    # The rows start at the table's own first column, not the range's: the trap of Sheets reference 2.2 and 3.4.
    top, left = (table.bottom, table.left) if table else (area.top, area.left)
    grown = len(values) if insert and table and top < sheet.row_count else top + len(values) - sheet.row_count
    check_size(book, sheet.row_count + max(grown, 0), sheet.column_count, sheet)
    if insert and table and top < sheet.row_count:
        sheet.insert_rows(top, len(values), like=top - 1)
    if top + len(values) > sheet.row_count:
        sheet.row_count = top + len(values)
    answer: Json = {"spreadsheetId": book.id}
    if table:
        answer["tableRange"] = a1.range_name(sheet.title, table)
    answer["updates"] = write(sheet, top, left, values, options, user).answer
    return answer


def _table(sheet: Sheet, area: Area) -> Area | None:
    """The block of filled cells that holds the last filled cell of the range (of one cell: what it belongs to)."""
    for row in range(min(area.bottom, sheet.rows_used) - 1, area.top - 1, -1):
        for column in range(min(area.right, sheet.columns_used) - 1, area.left - 1, -1):
            if sheet.value(row, column) is not None:
                return _grown(sheet, Area(row, row + 1, column, column + 1))
    return None


def _grown(sheet: Sheet, block: Area) -> Area:
    while True:
        wide = Area(max(block.top - 1, 0), block.bottom + 1, max(block.left - 1, 0), block.right + 1)
        filled = [
            (row, column)
            for row in range(wide.top, min(wide.bottom, sheet.rows_used))
            for column in range(wide.left, wide.right)
            if sheet.value(row, column) is not None
        ]
        rows, columns = [row for row, _ in filled], [column for _, column in filled]
        grown = Area(
            min(*rows, block.top),
            max(max(rows) + 1, block.bottom),
            min(*columns, block.left),
            max(max(columns) + 1, block.right),
        )
        if grown == block:
            return block
        block = grown


def clear(book: Spreadsheet, text: str, user: str) -> str:
    """Takes the values out of a range, leaving formats, notes and validations; gives the normalised range."""
    sheet, area, _ = resolve(book, text)
    guard(sheet, area, user)
    for row in range(area.top, min(area.bottom, len(sheet.rows))):
        part: Row = [with_value(cell, None) for cell in sheet.rows[row][area.left : area.right]]
        sheet.put_part(row, area.left, part)
    sheet.touch()
    return a1.range_name(sheet.title, area)
