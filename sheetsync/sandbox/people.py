"""What people do in a sheet while a program works on it: sort, insert, delete, move, copy, overwrite, rename.

Owns finding the place as a person would: a column by its header in row 1, a row by its key in the column `Video ID`,
or by the row number at the edge of the screen (1 is the header, which stays where it is). Does not own what an edit
does to cells and ranges (grid.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from sheetsync.sandbox.google import a1, tables
from sheetsync.sandbox.google.cells import Scalar
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.service import Google

KEY_HEADER = "Video ID"
Book = str | Spreadsheet


class Place(Protocol):
    """Where people edit: the books, and who is to be told once an edit is done."""

    @property
    def google(self) -> Google: ...
    def changed(self) -> None: ...


def sheet_of(place: Place, book: Book, tab: str) -> Sheet:
    """The tab. Raises LookupError where there is none."""
    found = place.google.book(book) if isinstance(book, str) else book
    return found.sheet(tab)


def column_of(sheet: Sheet, header: str) -> int:
    """The first column with that header. Raises LookupError."""
    for column in range(sheet.columns_used):
        if sheet.value(0, column) == header:
            return column
    raise LookupError(f"there is no column {header!r} in {sheet.title!r}")


def rows_of(sheet: Sheet, key: str, key_header: str = KEY_HEADER) -> list[int]:
    """The rows (counted from 0) that show the key."""
    column = column_of(sheet, key_header)
    return [row for row in range(1, sheet.rows_used) if str(sheet.value(row, column) or "").strip() == key]


def row_of(sheet: Sheet, key: str, key_header: str = KEY_HEADER) -> int:
    """The first row with the key. Raises LookupError."""
    found = rows_of(sheet, key, key_header)
    if not found:
        raise LookupError(f"there is no row for {key!r} in {sheet.title!r}")
    return found[0]


def sort_rows(place: Place, book: Book, tab: str, by: str, descending: bool = False) -> None:
    """Sort everything below the header by one column."""
    sheet = sheet_of(place, book, tab)
    sheet.sort(sheet.area(top=1), column_of(sheet, by), not descending)
    place.changed()


def stir_rows(place: Place, book: Book, tab: str, by: str) -> None:
    """Sort by a column up, or down where it is sorted so already: rows move each time."""
    sheet = sheet_of(place, book, tab)
    before = sheet.rows[:]
    sort_rows(place, book, tab, by)
    if sheet.rows == before:
        sort_rows(place, book, tab, by, descending=True)


def insert_row(place: Place, book: Book, tab: str, at: int, values: Mapping[str, Scalar] | None = None) -> None:
    """Insert a row that then has number `at`, and type values into it, by header."""
    sheet = sheet_of(place, book, tab)
    # As the editor does: a new row looks like the one above it, but never like the header.
    sheet.insert_rows(_below_header(at), like=max(at - 2, 0) if at > 2 else None)
    for header, value in (values or {}).items():
        _type(sheet, at - 1, column_of(sheet, header), value)
    place.changed()


def delete_row(place: Place, book: Book, tab: str, key: str, key_header: str = KEY_HEADER) -> None:
    """Delete the first row with that key."""
    sheet = sheet_of(place, book, tab)
    sheet.delete_rows(row_of(sheet, key, key_header))
    place.changed()


def move_row(place: Place, book: Book, tab: str, key: str, at: int, key_header: str = KEY_HEADER) -> None:
    """Drag a row so that it stands before the row that now has number `at`."""
    sheet = sheet_of(place, book, tab)
    row = row_of(sheet, key, key_header)
    sheet.move_rows(row, row + 1, _below_header(at))
    place.changed()


def copy_row(place: Place, book: Book, tab: str, key: str, at: int, key_header: str = KEY_HEADER) -> None:
    """Insert a row that then has number `at`, and paste the whole row with that key into it."""
    sheet = sheet_of(place, book, tab)
    row = row_of(sheet, key, key_header)
    copied = [sheet.cell(row, column) for column in range(sheet.column_count)]
    sheet.insert_rows(_below_header(at))
    for column, cell in enumerate(copied):
        sheet.put(at - 1, column, cell)
    sheet.touch()
    place.changed()


def insert_column(place: Place, book: Book, tab: str, before: str, header: str = "") -> None:
    """Insert a column before the one with that header."""
    sheet = sheet_of(place, book, tab)
    column = column_of(sheet, before)
    sheet.insert_columns(column)
    if header:
        sheet.set_value(0, column, header)
    place.changed()


def delete_column(place: Place, book: Book, tab: str, header: str) -> None:
    """Delete the column with that header."""
    sheet = sheet_of(place, book, tab)
    sheet.delete_columns(column_of(sheet, header))
    place.changed()


def move_column(place: Place, book: Book, tab: str, header: str, before: str) -> None:
    """Drag a column so that it stands before another."""
    sheet = sheet_of(place, book, tab)
    column = column_of(sheet, header)
    sheet.move_columns(column, column + 1, column_of(sheet, before))
    place.changed()


def rename_header(place: Place, book: Book, tab: str, header: str, to: str) -> None:
    """Type over a header."""
    sheet = sheet_of(place, book, tab)
    sheet.set_value(0, column_of(sheet, header), to)
    place.changed()


def overwrite(
    place: Place, book: Book, tab: str, key: str, header: str, value: Scalar, key_header: str = KEY_HEADER
) -> None:
    """Type over a cell of the row with that key; an empty text empties it."""
    sheet = sheet_of(place, book, tab)
    _type(sheet, row_of(sheet, key, key_header), column_of(sheet, header), value)
    place.changed()


def type_value(place: Place, book: Book, tab: str, row: int, header: str, value: Scalar) -> None:
    """Type into a cell by its row number."""
    sheet = sheet_of(place, book, tab)
    _type(sheet, row - 1, column_of(sheet, header), value)
    place.changed()


def type_at(place: Place, book: Book, tab: str, row: int, column: int, value: Scalar) -> None:
    """Type into a cell by row and column, both counted from 0."""
    _type(sheet_of(place, book, tab), row, column, value)
    place.changed()


def convert_to_table(
    place: Place, book: Book, tab: str, types: Mapping[str, str], name: str = "", rows: int = 0, columns: int = 0
) -> None:
    """Make a table of the tab, or of so many rows and columns, as the menu does: filter and banding go into it.

    `types` are Google's column types, by header.
    """
    sheet = sheet_of(place, book, tab)
    sheet.basic_filter = None
    sheet.attached.pop("bandedRanges", None)
    area = sheet.area(bottom=rows or max(sheet.rows_used, 2), right=columns or sheet.columns_used)
    typed = [{"columnIndex": column_of(sheet, header), "columnType": kind} for header, kind in types.items()]
    bounds = dict(zip((*a1.ROW_KEYS, *a1.COLUMN_KEYS), area, strict=True))
    given = {"name": name, "range": {"sheetId": sheet.sheet_id, **bounds}, "columnProperties": typed}
    tables.add(Edit(sheet.book, sheet.book.owner), given)
    place.changed()


def convert_to_range(place: Place, book: Book, tab: str) -> None:
    """Make the tables of the tab plain cells again, which keep what they say."""
    sheet = sheet_of(place, book, tab)
    sheet.attached.pop("tables", None)
    sheet.touch()
    place.changed()


def _type(sheet: Sheet, row: int, column: int, value: Scalar) -> None:
    """A text is typed, and may become a number or a date; a number or a tick is what it is."""
    if isinstance(value, str):
        sheet.enter(row, column, value)
    else:
        sheet.set_value(row, column, value)


def _below_header(at: int) -> int:
    if at < 2:
        raise ValueError("row 1 is the header")
    return at - 1


EDITS: dict[str, Callable[..., None]] = {
    "sort": sort_rows,
    "stir": stir_rows,
    "insert_row": insert_row,
    "delete_row": delete_row,
    "move_row": move_row,
    "copy_row": copy_row,
    "insert_column": insert_column,
    "delete_column": delete_column,
    "move_column": move_column,
    "rename_header": rename_header,
    "overwrite": overwrite,
    "convert_to_table": convert_to_table,
    "convert_to_range": convert_to_range,
    "type": type_value,
    "type_at": type_at,
}
"""The edits by name, for the control endpoints."""
