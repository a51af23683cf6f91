"""One cell: its value as entered, format, note and validation, and what typing into it makes of a text.

Cells are never changed, only replaced, so that an undo copy of a sheet is a copy of its row list.
Formulas are kept but not evaluated: they show `#NAME?`, but for one that is nothing but a text or a whole number
(`="renew"`, `=3`).
Source: reference/google-sheets.md sections 2.2, 3.3; CellData and ExtendedValue of the discovery document.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]
Scalar = str | int | float | bool
MAX_TEXT = 50_000  # characters of a cell: Sheets reference 3.1
EPOCH = datetime(1899, 12, 30)  # day 0 of a date serial: Sheets reference 3.3

_ERRORS = {
    "#NAME?": {"type": "NAME", "message": "The sandbox does not evaluate formulas."},
    "#REF!": {"type": "REF", "message": "Array result was not expanded because it would overwrite data."},
    "#N/A": {"type": "N_A", "message": "Did not find value in VLOOKUP evaluation."},
    "#DIV/0!": {"type": "DIVIDE_BY_ZERO", "message": "Function DIVIDE parameter 2 cannot be zero."},
    "Loading...": {"type": "LOADING", "message": "Loading..."},
}
"""What formulas may show that come to nothing."""


class Formula(str):
    """The text of a formula, beginning with `=`."""

    __slots__ = ()


class Spilled(str):
    """A text that a formula in another cell puts here: the cell itself holds nothing."""

    __slots__ = ()


_CONSTANT = re.compile(r'="([^"]*)"|=(\d+)')


def _constant(formula: Formula) -> Scalar | None:
    """What a formula comes to, if it can be told."""
    found = _CONSTANT.fullmatch(formula)
    return found and (found[1] if found[2] is None else int(found[2]))


def _result(formula: Formula) -> Scalar:
    """What a formula shows."""
    found = _constant(formula)
    return "#NAME?" if found is None else found


class Cell:
    """A cell that holds something. An empty cell is None."""

    __slots__ = ("extra", "format", "note", "shown", "validation", "value")

    def __init__(
        self,
        value: Scalar | None,
        format: Json | None = None,
        note: str | None = None,
        validation: Json | None = None,
        extra: Json | None = None,
    ) -> None:
        self.value = value
        self.format = format
        self.note = note
        self.validation = validation
        self.extra = extra
        self.shown: Scalar = "" if value is None else _result(value) if type(value) is Formula else value


def cell_or_none(
    value: Scalar | None,
    format: Json | None = None,
    note: str | None = None,
    validation: Json | None = None,
    extra: Json | None = None,
) -> Cell | None:
    """A cell, or None when there would be nothing in it."""
    if value is None and not (format or note or validation or extra):
        return None
    return Cell(value, format or None, note or None, validation or None, extra or None)


def with_value(cell: Cell | None, value: Scalar | None) -> Cell | None:
    """The cell with another value. Format, note and validation stay; chips and text runs belong to the old value."""
    if cell is None:
        return None if value is None else Cell(value)
    # Writing a new value erases chips, text runs and links: Sheets reference 3.6.
    return cell_or_none(value, cell.format, cell.note, cell.validation)


def inherited(cell: Cell | None) -> Cell | None:
    """What an inserted row or column takes over from its neighbour: the format and the validation."""
    return None if cell is None else cell_or_none(None, cell.format, None, cell.validation)


def as_double(value: float) -> int | float:
    """A number of a request: Google keeps doubles, in which a long whole number loses its last digits."""
    return number(value if abs(value) < 2**53 else float(value))


def number(value: float) -> int | float:
    """Numbers as the API prints them: whole ones without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value


def from_extended(value: Mapping[str, Any] | None) -> Scalar | None:
    """ExtendedValue -> scalar. An empty text is an empty cell. Raises ValueError for what the API refuses."""
    if not value:
        return None
    given = [(kind, held) for kind, held in value.items() if held is not None]
    if not given:
        return None
    if len(given) > 1:
        raise ValueError(f"oneof field 'value' is already set. Cannot set '{given[1][0]}'")
    kind, held = given[0]
    match kind, held:
        case "stringValue", str():
            return checked_text(held)
        case "boolValue", bool():
            return held
        # To Python a boolean is an int, to Google it is not.
        case "numberValue", int() | float() if not isinstance(held, bool):
            return as_double(held)
        case "formulaValue", str():
            return Formula(checked_text(held) or "")
    raise ValueError(f"Invalid value: {kind}")


def to_extended(value: Scalar | None) -> Json | None:
    """Scalar -> userEnteredValue."""
    if value is None or type(value) is Spilled:
        return None
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"formulaValue" if type(value) is Formula else "stringValue": str(value)}
    return {"numberValue": value}


def effective(cell: Cell) -> Json | None:
    """The effectiveValue of a cell: of a formula its result, which is an error but for a constant."""
    if type(cell.value) is Formula and cell.shown in _ERRORS:
        return {"errorValue": _ERRORS[str(cell.shown)]}
    return None if cell.value is None else to_extended(str(cell.shown) if isinstance(cell.shown, str) else cell.shown)


def checked_text(text: str) -> str | None:
    """The text, None when empty. Raises ValueError beyond the limit of a cell."""
    # counted as JavaScript counts: a character beyond the first 65,536 is two
    if len(text) > MAX_TEXT // 2 and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
        raise ValueError(f"Your input contains more than the maximum of {MAX_TEXT} characters in a single cell.")
    return text or None


_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def serial(moment: datetime) -> int | float:
    """A wall-clock time as days since 1899-12-30."""
    elapsed = moment.replace(tzinfo=None) - EPOCH
    return number(elapsed.days + elapsed.seconds / 86400)


def typed(text: str, number_format: Json | None = None) -> tuple[Scalar | None, Json | None]:
    """What a person's typing becomes: a value, and the number format that the typing brings along, if any."""
    if checked_text(text) is None:
        return None, None
    # The apostrophe is how a person says that what follows is text, and is no part of it.
    if text.startswith("'"):
        return text[1:], None
    if number_format is not None and number_format.get("type") == "TEXT":
        return text, None
    if text.startswith("=") and len(text) > 1:
        return Formula(text), None
    bare = text.strip()
    if bare.upper() in ("TRUE", "FALSE"):
        return bare.upper() == "TRUE", None
    return _typed_date(bare) or _typed_number(bare) or (text, None)


def _typed_date(text: str) -> tuple[Scalar, Json] | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    if found[4] is None:
        return serial(moment), {"type": "DATE", "pattern": "yyyy-mm-dd"}
    return serial(moment), {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"}


def _typed_number(text: str) -> tuple[Scalar, Json | None] | None:
    body, percent = (text[:-1].strip(), True) if text.endswith("%") else (text, False)
    if not any(char.isdigit() for char in body) or _NUMBER.fullmatch(body) is None:
        return None
    value = float(body.replace(",", ""))
    if not math.isfinite(value):
        return None
    if percent:
        return number(value / 100), {"type": "PERCENT", "pattern": "0%" if value.is_integer() else "0.00%"}
    return number(value), None
