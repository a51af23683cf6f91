"""What Google checks in an object before it takes it in: conditions and charts. Each raises ValueError.

Source: ConditionType, BooleanCondition, ChartSourceRange and OverlayPosition of the discovery document; that a chart's
ranges are one line wide: reference/google-sheets.md section 8.
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.google.grid import Sheet

Json = dict[str, Any]

_ONE = """NUMBER_GREATER NUMBER_GREATER_THAN_EQ NUMBER_LESS NUMBER_LESS_THAN_EQ NUMBER_EQ NUMBER_NOT_EQ TEXT_CONTAINS
TEXT_NOT_CONTAINS TEXT_STARTS_WITH TEXT_ENDS_WITH TEXT_EQ DATE_EQ DATE_BEFORE DATE_AFTER DATE_ON_OR_BEFORE
DATE_ON_OR_AFTER ONE_OF_RANGE CUSTOM_FORMULA"""
_VALUES = {
    **dict.fromkeys(_ONE.split(), (1, 1)),
    **dict.fromkeys(("NUMBER_BETWEEN", "NUMBER_NOT_BETWEEN", "DATE_BETWEEN", "DATE_NOT_BETWEEN"), (2, 2)),
    **dict.fromkeys(("BLANK", "NOT_BLANK", "TEXT_IS_EMAIL", "TEXT_IS_URL", "DATE_IS_VALID"), (0, 0)),
    "ONE_OF_LIST": (1, 10**6),
    "BOOLEAN": (0, 2),
}
"""How many values a condition takes, at least and at most."""

_RULES_ALONE = frozenset(("TEXT_STARTS_WITH", "TEXT_ENDS_WITH", "BLANK", "NOT_BLANK"))
_VALIDATION = """TEXT_IS_EMAIL TEXT_IS_URL DATE_ON_OR_BEFORE DATE_ON_OR_AFTER DATE_BETWEEN DATE_NOT_BETWEEN
DATE_IS_VALID ONE_OF_RANGE ONE_OF_LIST BOOLEAN"""
_VALIDATION_ALONE = frozenset(_VALIDATION.split())
_LINES = {"domains": "domain", "series": "series"}  # of a basic chart, and what holds the cells of one


def check_condition(condition: Json | None, *, validation: bool) -> None:
    """A condition of a data validation, or else of a conditional format."""
    kind = (condition or {}).get("type")
    if not condition or not kind or kind not in _VALUES:
        raise ValueError(f"Invalid condition type: {kind or 'condition.type is required'}")
    if kind in (_RULES_ALONE if validation else _VALIDATION_ALONE):
        raise ValueError(f"Condition type {kind} is not supported here.")
    given, (least, most) = condition.get("values") or [], _VALUES[kind]
    if not least <= len(given) <= most:
        raise ValueError(f"Condition type {kind} takes {least} to {most} values, not {len(given)}.")
    for value in given:
        text = value.get("userEnteredValue", "relativeDate" in value or None)
        if text is None or (kind == "CUSTOM_FORMULA" and not str(text).startswith("=")):
            raise ValueError(f"Invalid ConditionValue.userEnteredValue: {value.get('userEnteredValue')}")


def check_rule(rule: Json) -> None:
    """A conditional format: ranges on one sheet, and one of its two kinds."""
    ranges = rule.get("ranges") or []
    if not ranges or ("booleanRule" in rule) == ("gradientRule" in rule):
        raise ValueError("A rule needs ranges and one of booleanRule and gradientRule.")
    if len({range_.get("sheetId") or 0 for range_ in ranges}) > 1:
        raise ValueError("All ranges of a conditional format rule must be on the same sheet.")
    if "booleanRule" in rule:
        check_condition(rule["booleanRule"].get("condition"), validation=False)


def check_chart(edit: Edit, spec: Json) -> None:
    """A chart of some kind, whose ranges are there and one line wide."""
    kinds = [name for name in spec if name.endswith("Chart")]
    if len(kinds) != 1:
        raise ValueError("Invalid ChartSpec: exactly one kind of chart must be set.")
    basic = spec.get("basicChart", {})
    lines = [(line, name) for many, name in _LINES.items() for line in basic.get(many, [])]
    if not all(isinstance(line.get(name, {}), dict) for line, name in lines):
        raise ValueError("Invalid BasicChartSpec.")
    for range_ in _sources(spec):
        _, area = edit.area(range_)
        if area.bottom - area.top > 1 and area.right - area.left > 1:
            raise ValueError("Invalid ChartSourceRange: all ranges must have a length of 1 in one dimension.")


def _sources(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [source for item in value for source in _sources(item)]
    if not isinstance(value, dict):
        return []
    found = [source for held in value.values() for source in _sources(held)]
    return [*found, *value["sources"]] if "sources" in value else found


def check_anchor(sheet: Sheet, anchor: Json) -> None:
    """A cell of the sheet."""
    for name, size in (("row", sheet.row_count), ("column", sheet.column_count)):
        index = anchor.get(f"{name}Index") or 0
        if not 0 <= index < size:
            raise ValueError(f"GridCoordinate.{name}Index[{index}] is after last {name} in grid[{size}]")
