"""How a cell looks, as CSS: its own format, and the conditional one that holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sheetsync.sandbox.google import conditional
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.grid import Sheet

Json = Mapping[str, Any]


def style_of(sheet: Sheet, row: int, column: int) -> str:
    """The declarations for one cell; empty where nothing is special."""
    return "".join(_styles(sheet.cell(row, column), conditional.format_of(sheet, row, column)))


def _styles(cell: Cell | None, rule: Json | None) -> Iterator[str]:
    own = (cell.format or {}) if cell is not None else {}
    background = colour(rule, "backgroundColor") or colour(own, "backgroundColor")
    own_text, rule_text = own.get("textFormat", {}), (rule or {}).get("textFormat", {})
    foreground = colour(rule_text, "foregroundColor") or colour(own_text, "foregroundColor")
    if background:
        yield f"background:{background};"
    if foreground:
        yield f"color:{foreground};"
    if own_text.get("bold") or rule_text.get("bold"):
        yield "font-weight:600;"
    if own_text.get("italic") or rule_text.get("italic"):
        yield "font-style:italic;"
    if own_text.get("strikethrough") or rule_text.get("strikethrough"):
        yield "text-decoration:line-through;"
    if own_text.get("fontSize"):
        yield f"font-size:{own_text['fontSize'] + 3}px;"
    is_number = cell is not None and isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
    if own.get("horizontalAlignment") in ("LEFT", "CENTER", "RIGHT"):
        yield f"text-align:{own['horizontalAlignment'].lower()};"
    elif is_number:
        yield "text-align:right;"


def colour(held: Json | None, name: str) -> str:
    """A colour of a format as CSS; empty where the format does not say one."""
    found = (held or {}).get(name + "Style", {}).get("rgbColor", (held or {}).get(name))
    if found is None:
        return ""
    parts = (round(float(found.get(part, 0)) * 255) for part in ("red", "green", "blue"))
    return "#" + "".join(f"{part:02x}" for part in parts)
