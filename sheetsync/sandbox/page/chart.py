"""The charts of a tab as pictures: bars and columns of one series, which is what trackers have.

Owns the drawing. A chart of any other kind is named, not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sheetsync.sandbox.google import a1
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.number_format import shown

Json = Mapping[str, Any]
Points = Sequence[tuple[str, float]]

WIDTH, HEIGHT, TOP, FOOT, NAMES = 390, 270, 34, 48, 120


def charts(sheet: Sheet) -> str:
    """All charts of a tab."""
    drawn = "".join(_chart(sheet.book, held["spec"]) for held in sheet.attached.get("charts", ()))
    return f'<div class="charts">{drawn}</div>' if drawn else ""


def _chart(book: Spreadsheet, spec: Json) -> str:
    basic = spec.get("basicChart", {})
    draw = {"BAR": _bars, "COLUMN": _columns}.get(basic.get("chartType", ""))
    title = escape(str(spec.get("title", "Chart")))
    if draw is None:
        return f"<figure><figcaption>{title}</figcaption></figure>"
    points = _points(book, basic)
    heading = f'<text x="12" y="20" class="title">{title}</text>'
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">{heading}{draw(points)}</svg>'


def _points(book: Spreadsheet, basic: Json) -> Points:
    """Names and numbers, without the header line."""
    names = _texts(book, basic.get("domains"), "domain")
    numbers = _texts(book, basic.get("series"), "series")
    skip = int(basic.get("headerCount", 0))
    return [(name, _number(number)) for name, number in zip(names[skip:], numbers[skip:], strict=False)]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _texts(book: Spreadsheet, lines: Sequence[Json] | None, name: str) -> list[str]:
    """What the cells of the first line show; nothing where a chart has none or its cells are gone."""
    sources = [line.get(name, {}).get("sourceRange", {}).get("sources") for line in lines or ()][:1]
    range_ = sources[0][0] if sources and sources[0] else {"sheetId": -1}
    sheet = book.sheet_by_id(a1.sheet_of(range_))
    if sheet is None:
        return []
    area = a1.area_of(range_, sheet.row_count, sheet.column_count)
    cells = [sheet.cell(row, area.left) for row in range(area.top, area.bottom)]
    return ["" if cell is None else shown(cell) for cell in cells]


def _bars(points: Points) -> str:
    """Lying bars: one line for each name."""
    most, step = _most(points), (HEIGHT - TOP - 10) / max(len(points), 1)
    found = []
    for index, (name, number) in enumerate(points):
        top, long = TOP + index * step, (WIDTH - NAMES - 50) * number / most
        middle = top + step / 2 + 4
        found.append(f'<text x="{NAMES - 8}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>')
        found.append(f'<rect x="{NAMES}" y="{top + 3:.0f}" width="{long:.0f}" height="{step - 6:.0f}"/>')
        found.append(f'<text x="{NAMES + long + 6:.0f}" y="{middle:.0f}">{number:g}</text>')
    return "".join(found)


def _columns(points: Points) -> str:
    """Standing columns: the names run along the foot, slanting."""
    most, step, floor = _most(points), (WIDTH - 40) / max(len(points), 1), HEIGHT - FOOT
    found = []
    for index, (name, number) in enumerate(points):
        left, tall = 20 + index * step, (floor - TOP - 16) * number / most
        middle = left + step / 2
        found.append(f'<rect x="{left + 4:.0f}" y="{floor - tall:.0f}" width="{step - 8:.0f}" height="{tall:.0f}"/>')
        if number:
            found.append(f'<text x="{middle:.0f}" y="{floor - tall - 5:.0f}" text-anchor="middle">{number:g}</text>')
        turn = f"rotate(-45 {middle + 4:.0f} {floor + 12})"
        found.append(f'<text x="{middle + 4:.0f}" y="{floor + 12}" text-anchor="end" transform="{turn}">')
        found.append(f"{escape(name[5:] if len(name) == 10 else name)}</text>")
    return "".join(found) + f'<path d="M20 {floor}H{WIDTH - 20}"/>'


def _most(points: Points) -> float:
    return max([number for _, number in points] + [1.0])
