"""One tab of a spreadsheet as an HTML table that people can type into.

Owns how cells look: formats, conditional colours, notes, dropdowns, checkboxes. Does not own the page round it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from sheetsync.sandbox.google import a1, conditional
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.google.number_format import shown

SPARE_ROWS = 4
NUMBERS_WIDTH = 40  # pixels, of the column with the row numbers
MOST_ROWS = 500
Json = Mapping[str, Any]


def table(sheet: Sheet) -> str:
    """The used part of a tab, with a few empty rows below it to type into."""
    columns = [n for n in range(max(sheet.columns_used, 6)) if n < sheet.column_count and not _hidden(sheet, n)]
    rows = range(min(sheet.rows_used + SPARE_ROWS, sheet.row_count, MOST_ROWS))
    letters = "".join(f"<th>{a1.column_name(column)}</th>" for column in columns)
    widths = '<col class="n">' + "".join(f'<col style="width:{_width(sheet, column)}px">' for column in columns)
    body = "\n".join(_row(sheet, row, columns) for row in rows)
    where = f'data-book="{escape(sheet.book.id)}" data-tab="{escape(sheet.title)}"'
    top = f'<colgroup>{widths}</colgroup><tr class="letters"><th></th>{letters}</tr>'
    wide = NUMBERS_WIDTH + sum(_width(sheet, column) for column in columns)
    return f'<table class="grid" {where} style="width:{wide}px">{top}{body}</table>'


def _row(sheet: Sheet, row: int, columns: list[int]) -> str:
    cells = "".join(_cell(sheet, row, column) for column in columns)
    return f'<tr{" class=head" if row == 0 else ""}><th class="n">{row + 1}</th>{cells}</tr>'


def _cell(sheet: Sheet, row: int, column: int) -> str:
    cell = sheet.cell(row, column)
    style = "".join(_styles(cell, conditional.format_of(sheet, row, column))) + _stuck(sheet, column)
    classes = " ".join(_classes(sheet, row, column))
    marks = (f' style="{escape(style)}"' if style else "") + (f' class="{classes}"' if classes else "")
    if cell is not None and cell.note:
        marks += f' title="{escape(cell.note)}"'
    return f'<td data-r="{row}" data-c="{column}"{marks}>{_content(cell)}</td>'


def _classes(sheet: Sheet, row: int, column: int) -> Iterator[str]:
    cell = sheet.cell(row, column)
    if column < _frozen(sheet):
        yield "frozen"
    if cell is None:
        return
    if cell.note:
        yield "noted"
    wrap = (cell.format or {}).get("wrapStrategy", "OVERFLOW_CELL")
    if wrap == "WRAP":
        yield "wrapped"
    elif wrap == "OVERFLOW_CELL" and isinstance(cell.value, str) and not cell.validation:
        # a text runs on over the empty cell beside it, as in the editor
        yield from ("over",) if sheet.value(row, column + 1) is None else ()


def _frozen(sheet: Sheet) -> int:
    return int(sheet.grid_properties.get("frozenColumnCount", 0))


def _stuck(sheet: Sheet, column: int) -> str:
    """Where a frozen column stays when the tab is scrolled sideways."""
    if column >= _frozen(sheet):
        return ""
    left = sum(_width(sheet, before) for before in range(column) if not _hidden(sheet, before))
    return f"left:{NUMBERS_WIDTH + left}px;"


def _content(cell: Cell | None) -> str:
    condition = (cell.validation or {}).get("condition", {}) if cell is not None else {}
    kind = condition.get("type")
    if cell is None or kind not in ("BOOLEAN", "ONE_OF_LIST"):
        # plaintext-only: what people paste is a value, never markup.
        text = "" if cell is None else shown(cell)
        return f'<span contenteditable="plaintext-only" spellcheck="false">{escape(text)}</span>'
    if kind == "BOOLEAN":
        ticked = cell.value is True
        return f'<button class="box" aria-pressed="{str(ticked).lower()}">{"☑" if ticked else "☐"}</button>'
    return _dropdown(shown(cell), [str(value.get("userEnteredValue", "")) for value in condition.get("values", ())])


def _dropdown(current: str, choices: list[str]) -> str:
    # What is in the cell stays to be chosen, also where the list has no such value.
    offered = ["", *choices] if current in ("", *choices) else ["", *choices, current]
    options = "".join(
        f"<option{' selected' if choice == current else ''}>{escape(choice)}</option>" for choice in offered
    )
    return f"<select>{options}</select>"


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


def _properties(sheet: Sheet, column: int) -> Json:
    held = sheet.column_properties[column] if column < len(sheet.column_properties) else None
    return held or {}


def _hidden(sheet: Sheet, column: int) -> bool:
    return bool(_properties(sheet, column).get("hiddenByUser"))


def _width(sheet: Sheet, column: int) -> int:
    return int(_properties(sheet, column).get("pixelSize", 110))
