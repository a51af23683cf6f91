"""How a value looks: what FORMATTED_VALUE and formattedValue say of numbers, dates and booleans (locale en_US).

Owns the part of Google's number format patterns that trackers use: dates, times, digits, percent, literal text.
Source: reference/google-sheets.md section 3.3; the patterns as in Google's "Date and number formats" guide.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sheetsync.sandbox.google.cells import EPOCH, Cell, Scalar

Json = dict[str, Any]

_DEFAULT_PATTERNS = {
    "DATE": "M/d/yyyy",
    "TIME": "h:mm:ss am/pm",
    "DATE_TIME": "M/d/yyyy h:mm:ss",
    "PERCENT": "0.00%",
    "CURRENCY": '"$"#,##0.00',
    "SCIENTIFIC": "0.00E+00",
}
_FIRST_DAY, _LAST_DAY = (datetime.min - EPOCH).days + 1, (datetime.max - EPOCH).days
_DATES = frozenset({"DATE", "TIME", "DATE_TIME"})
_TOKEN = re.compile(r'"[^"]*"|\\.|am/pm|a/p|y+|m+|d+|h+|s+|\.0+|.', re.IGNORECASE | re.DOTALL)


def shown(cell: Cell) -> str:
    """The cell as the sheet shows it."""
    value = cell.shown
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return formatted(value, (cell.format or {}).get("numberFormat"))


def is_date(cell: Cell) -> bool:
    """Whether a number in this cell is shown as a date or time."""
    format_ = (cell.format or {}).get("numberFormat")
    return format_ is not None and format_.get("type") in _DATES


def formatted(value: Scalar, number_format: Json | None) -> str:
    """A number under a number format."""
    kind = (number_format or {}).get("type", "")
    pattern = (number_format or {}).get("pattern") or _DEFAULT_PATTERNS.get(kind, "")
    if kind in _DATES:
        return _dated(float(value), pattern)
    if not pattern or pattern == "@" or pattern.lower() == "general":
        return _general(float(value))
    return _digits(float(value), pattern.split(";")[0])


def _general(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 1e-5 <= abs(value) < 1e15:
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return f"{value:.5E}"


def _digits(value: float, pattern: str) -> str:
    found = re.search(r"[#0,]+(?:\.([0#]+))?(E\+0+)?", pattern)
    if found is None:
        return _general(value)
    places = len(found[1] or "")
    if "%" in pattern:
        value *= 100
    kind = "E" if found[2] else "f"
    text = f"{value:{',' if ',' in found[0] else ''}.{places}{kind}}"
    optional = len(found[1] or "") - len((found[1] or "").rstrip("#"))
    while optional and text.endswith("0"):
        text, optional = text[:-1], optional - 1
    before, after = pattern[: found.start()], pattern[found.end() :]
    return _literal(before) + text.rstrip(".") + _literal(after)


def _literal(text: str) -> str:
    return text.replace('"', "").replace("\\", "")


@lru_cache(maxsize=256)
def _tokens(pattern: str) -> tuple[str, ...]:
    """The parts of a date pattern; an `m` beside hours or seconds means minutes and is written `n` here."""
    parts = _TOKEN.findall(pattern)
    letters = [index for index, part in enumerate(parts) if part[0].lower() in "ymdhs" and part[0] not in '"\\']
    for place, index in enumerate(letters):
        before = parts[letters[place - 1]][0].lower() if place else ""
        after = parts[letters[place + 1]][0].lower() if place + 1 < len(letters) else ""
        if parts[index][0].lower() == "m" and len(parts[index]) <= 2 and (before == "h" or after == "s"):
            parts[index] = "n" * len(parts[index])
    return tuple(parts)


@lru_cache(maxsize=8192)
def _dated(value: float, pattern: str) -> str:
    # Days that no calendar has (those before year 1, those after 9999) are shown as the bare number.
    if not _FIRST_DAY <= value < _LAST_DAY:
        return _general(value)
    parts = _tokens(pattern)
    # Without a fraction in the pattern the whole second is rounded: a serial's float noise must not show 11:59:59.
    moment = EPOCH + timedelta(milliseconds=round(value * 86_400_000))
    half_day = any(part.lower() in ("am/pm", "a/p") for part in parts)
    if not any(part.startswith(".0") for part in parts):
        moment = EPOCH + timedelta(seconds=round(value * 86_400))
    return "".join(_date_part(part, moment, half_day) for part in parts)


def _date_part(part: str, moment: datetime, half_day: bool) -> str:
    wide = len(part)
    match part[0].lower():
        case '"' | "\\":
            return _literal(part)
        case "a" if part.lower() == "am/pm":
            return moment.strftime("%p")
        case "y":
            return f"{moment.year:04d}" if wide > 2 else f"{moment.year % 100:02d}"
        case "m" if wide > 2:
            return moment.strftime("%b" if wide == 3 else "%B")
        case "d" if wide > 2:
            return moment.strftime("%a" if wide == 3 else "%A")
        case "." if wide > 1:
            return f".{moment.microsecond // 1000:03d}"[:wide]
        case letter:
            return _counted(letter, wide, moment, half_day) or part


def _counted(letter: str, wide: int, moment: datetime, half_day: bool) -> str:
    """A part that is a number of one or two digits; empty for a letter that means none."""
    hour = (moment.hour % 12 or 12) if half_day else moment.hour
    numbers = {"m": moment.month, "d": moment.day, "h": hour, "n": moment.minute, "s": moment.second}
    return f"{numbers[letter]:0{min(wide, 2)}d}" if letter in numbers else ""
