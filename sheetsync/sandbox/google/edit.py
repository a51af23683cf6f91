"""What every request of a batch needs: the book, the caller, and ranges looked up and checked.

A request that is refused raises ValueError with the text that Google gives after the request's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sheetsync.sandbox.google.a1 import Area, area_of, range_name, sheet_of, with_sheet
from sheetsync.sandbox.google.colours import mask_with_twins, with_twins
from sheetsync.sandbox.google.fields import BadMask, Mask, compile_mask
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.protection import guard, guard_structure

Json = dict[str, Any]

MOST_CELLS = 10_000_000  # of a spreadsheet, the empty ones counted: Sheets reference 3.1
MOST_COLUMNS = 18_278  # of a sheet, up to ZZZ


@dataclass(frozen=True, slots=True)
class Edit:
    """One caller's edit of one book."""

    book: Spreadsheet
    user: str

    def sheet(self, sheet_id: int | None) -> Sheet:
        """The sheet with an id."""
        sheet = self.book.sheet_by_id(sheet_id or 0)
        if sheet is None:
            raise ValueError(f"No grid with id: {sheet_id or 0}")
        return sheet

    def area(self, range_: Json | None) -> tuple[Sheet, Area]:
        """A GridRange as a sheet and a rectangle on it, whoever may edit it."""
        sheet = self.sheet(sheet_of(range_ or {}))
        area = area_of(range_ or {}, sheet.row_count, sheet.column_count)
        if area.bottom <= area.top or area.right <= area.left or min(area) < 0:
            raise ValueError(f"GridRange {range_} is empty or starts after its end.")
        if area.bottom > sheet.row_count or area.right > sheet.column_count:
            limits = f"Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
            raise ValueError(f"Range ({range_name(sheet.title, area)}) exceeds grid limits. {limits}")
        return sheet, area

    def writable(self, range_: Json | None) -> tuple[Sheet, Area]:
        """A GridRange that the caller is about to change."""
        sheet, area = self.area(range_)
        guard(sheet, area, self.user)
        return sheet, area

    def guard(self, sheet: Sheet, area: Area) -> None:
        """Refuses what is protected from the caller."""
        guard(sheet, area, self.user)

    def guard_structure(self, sheet: Sheet) -> None:
        """Refuses adding and removing lines of a sheet that is protected from the caller."""
        guard_structure(sheet, self.user)

    def stored(self, range_: Json | None) -> Json:
        """A GridRange as it is kept and printed."""
        sheet, _ = self.area(range_)
        return with_sheet(range_ or {}, sheet.sheet_id)


def mask_of(payload: Json) -> Mask:
    """The `fields` of an update request, which must be given."""
    text = payload.get("fields")
    if not text:
        raise ValueError("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    try:
        return mask_with_twins(compile_mask(text))
    except BadMask:
        raise ValueError(f"Invalid field mask: {text}") from None


def check_size(book: Spreadsheet, rows: int, columns: int, sheet: Sheet | None = None) -> None:
    """Refuses a sheet of that size, a new one or one that grows, where the book would become too large."""
    others = sum(held.row_count * held.column_count for held in book.sheets if held is not sheet)
    if others + rows * columns > MOST_CELLS:
        said = "This action would increase the number of cells in the workbook above the limit of"
        raise ValueError(f"{said} {MOST_CELLS} cells.")
    if columns > MOST_COLUMNS:
        raise ValueError(f"A sheet cannot have more than {MOST_COLUMNS} columns.")


def as_kept(value: Any) -> Any:
    """A JSON value as it is stored and printed: null means not set, and each colour has both its names."""
    return with_twins(without_nulls(value))


def without_nulls(value: Any) -> Any:
    """A JSON value as kept: null means not set."""
    if isinstance(value, dict):
        return {key: without_nulls(held) for key, held in value.items() if held is not None}
    return [without_nulls(held) for held in value] if isinstance(value, list) else value
