"""A sandbox spreadsheet as an .xlsx file, so that one can look at what `init` and `sync` make of it.

Run in tests/ as `python -m support.xlsx tracker.xlsx`: the sample tracker after init and a few runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sheetsync.sandbox.google.a1 import Area, area_of
from sheetsync.sandbox.google.cells import EPOCH, Cell
from sheetsync.sandbox.google.grid import Sheet, Spreadsheet
from sheetsync.sandbox.google.number_format import is_date

Json = Mapping[str, Any]
PIXELS_PER_CHARACTER = 7


def workbook(book: Spreadsheet) -> Workbook:
    """All tabs: values, colours, notes, dropdowns, widths, frozen panes, conditional formats, filter, charts."""
    made = Workbook()
    made.remove(made.active)
    for sheet in book.sheets:
        _tab(sheet, made.create_sheet(sheet.title))
    return made


def _tab(sheet: Sheet, to: Worksheet) -> None:
    _cells(sheet, to)
    for column, held in enumerate(sheet.column_properties):
        if held and held.get("pixelSize"):
            to.column_dimensions[get_column_letter(column + 1)].width = held["pixelSize"] / PIXELS_PER_CHARACTER
    frozen = [sheet.grid_properties.get(f"frozen{name}Count", 0) for name in ("Row", "Column")]
    if any(frozen):
        to.freeze_panes = to.cell(frozen[0] + 1, frozen[1] + 1)
    if sheet.basic_filter:
        to.auto_filter.ref = _reference(_area(sheet, sheet.basic_filter["range"]))
    for rule in sheet.attached.get("conditionalFormats", ()):
        _rule(sheet, rule, to)
    for chart in sheet.attached.get("charts", ()):
        _chart(sheet, chart, to)


def _cells(sheet: Sheet, to: Worksheet) -> None:
    validations: dict[str, DataValidation] = {}
    for row, line in enumerate(sheet.rows[: sheet.rows_used + 20]):
        for column, cell in enumerate(line):
            if cell is not None:
                _cell(cell, to.cell(row + 1, column + 1))
                _validation(cell, to.cell(row + 1, column + 1).coordinate, validations)
    for validation in validations.values():
        to.add_data_validation(validation)


def _area(sheet: Sheet, range_: Json) -> Area:
    return area_of(dict(range_), sheet.row_count, sheet.column_count)


def _reference(area: Area) -> str:
    first = f"{get_column_letter(area.left + 1)}{area.top + 1}"
    return f"{first}:{get_column_letter(area.right)}{area.bottom}"


def _cell(cell: Cell, to: Any) -> None:
    style = cell.format or {}
    if is_date(cell) and isinstance(cell.value, int | float):
        to.value = EPOCH + timedelta(days=cell.value)
    elif cell.value is not None:
        to.value = cell.value
        to.data_type = "s" if isinstance(cell.value, str) else to.data_type  # a text that begins with = stays text
    pattern = style.get("numberFormat", {}).get("pattern")
    if pattern:
        to.number_format = pattern
    fill = _hex(style, "backgroundColor")
    if fill:
        to.fill = PatternFill("solid", fgColor=fill)
    text = style.get("textFormat", {})
    to.font = Font(name="Arial", size=text.get("fontSize", 10), bold=text.get("bold", False))
    to.alignment = Alignment(wrap_text=style.get("wrapStrategy") == "WRAP", vertical="center")
    if cell.note:
        to.comment = Comment(cell.note, "sheetsync")


def _hex(style: Json, name: str) -> str:
    colour = style.get(name + "Style", {}).get("rgbColor", style.get(name))
    if colour is None:
        return ""
    return "FF" + "".join(f"{round(colour.get(part, 0) * 255):02X}" for part in ("red", "green", "blue"))


def _validation(cell: Cell, coordinate: str, made: dict[str, DataValidation]) -> None:
    condition = (cell.validation or {}).get("condition", {})
    words = [value["userEnteredValue"] for value in condition.get("values", ())]
    if condition.get("type") == "BOOLEAN":
        words = ["TRUE", "FALSE"]
    if words:
        listed = '"' + ",".join(words) + '"'
        strict = bool((cell.validation or {}).get("strict"))
        style = "stop" if strict else "warning"
        made.setdefault(listed, DataValidation("list", formula1=listed, errorStyle=style)).add(coordinate)


def _rule(sheet: Sheet, rule: Json, to: Worksheet) -> None:
    boolean = rule["booleanRule"]
    words = [value["userEnteredValue"] for value in boolean["condition"].get("values", ())]
    for area in (_area(sheet, range_) for range_ in rule["ranges"]):
        first = f"{get_column_letter(area.left + 1)}{area.top + 1}"
        formula = f'{first}="{words[0]}"' if words else f"LEN({first})>0"
        if boolean["condition"]["type"] == "CUSTOM_FORMULA":
            formula = words[0].removeprefix("=")
        fill = PatternFill("solid", bgColor=_hex(boolean["format"], "backgroundColor"))
        to.conditional_formatting.add(_reference(area), FormulaRule([formula], fill=fill))


def _chart(sheet: Sheet, held: Json, to: Worksheet) -> None:
    basic = held["spec"]["basicChart"]
    chart = BarChart()
    chart.type = "bar" if basic["chartType"] == "BAR" else "col"
    chart.title, chart.legend = held["spec"]["title"], None
    names, numbers = (
        Reference(to, min_col=area.left + 1, min_row=area.top + 1, max_row=area.bottom)
        for area in _sources(sheet, basic)
    )
    chart.add_data(numbers, titles_from_data=True)
    chart.set_categories(Reference(to, min_col=names.min_col, min_row=names.min_row + 1, max_row=names.max_row))
    anchor = held["position"]["overlayPosition"]["anchorCell"]
    to.add_chart(chart, f"{get_column_letter(anchor['columnIndex'] + 1)}{anchor['rowIndex'] + 1}")


def _sources(sheet: Sheet, basic: Json) -> Iterator[Area]:
    for data in (basic["domains"][0]["domain"], basic["series"][0]["series"]):
        yield _area(sheet, data["sourceRange"]["sources"][0])


def main(path: Path) -> None:
    """The sample tracker as its team would see it."""
    from sheetsync.cli.init import init_trackers
    from sheetsync.sandbox import sample
    from support.bench import Bench

    bench = Bench()
    bench.book = sample.fill(bench.world)
    bench.tracker = type(bench.tracker)("sample", bench.book.id, sample.TAB)
    bench.book.shared_with.add("bot@sandbox.iam.gserviceaccount.com")
    print(*init_trackers(bench.api(), [bench.tracker], dry_run=False), sep="\n")
    for hours in (0, 1, 3):
        bench.later(hours=hours)
        bench.world.portal.manager_work()
        bench.sync()
    workbook(bench.book).save(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
