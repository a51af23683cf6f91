"""Which background a conditional format gives a cell, as far as trackers use them: texts, blanks, numbers, and custom
formulas made of comparisons, AND, OR, NOT, ISBLANK, LEN and TRIM.

Owns this small evaluation, which only the page needs. What it cannot evaluate colours nothing.
Source: BooleanCondition of the Sheets discovery document; relative references as in the editor.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from sheetsync.sandbox.google import a1
from sheetsync.sandbox.google.cells import Scalar
from sheetsync.sandbox.google.grid import Sheet

Json = Mapping[str, Any]
Value = Scalar | None


class NotUnderstood(Exception):
    """A formula this file cannot evaluate."""


def format_of(sheet: Sheet, row: int, column: int) -> Json | None:
    """The format of the first rule that holds for a cell."""
    # The rules of a sheet are an ordered list, of which the first that holds decides: Sheets reference 3.6.
    for rule in sheet.attached.get("conditionalFormats", ()):
        boolean = rule.get("booleanRule")
        if boolean is None:
            continue
        for held in rule.get("ranges", ()):
            area = a1.area_of(held, sheet.row_count, sheet.column_count)
            inside = area.top <= row < area.bottom and area.left <= column < area.right
            if inside and holds(boolean["condition"], sheet, row, column, (area.top, area.left)):
                found: Json = boolean.get("format", {})
                return found
    return None


def holds(condition: Json, sheet: Sheet, row: int, column: int, origin: tuple[int, int]) -> bool:
    """Whether a condition holds for a cell; formulas are written for the cell at `origin`."""
    kind = condition.get("type", "")
    operands = [str(value.get("userEnteredValue", "")) for value in condition.get("values", ())]
    try:
        if kind == "CUSTOM_FORMULA":
            return bool(Formula(operands[0], sheet, row - origin[0], column - origin[1]).value())
        return _SIMPLE[kind](sheet.value(row, column), operands)
    except (NotUnderstood, KeyError, IndexError, TypeError, ValueError):
        return False


def _text(value: Value) -> str:
    return "" if value is None else str(value).lower()


def _number(value: Value) -> float:
    if value is None or isinstance(value, (str, bool)):
        raise TypeError("not a number")
    return float(value)


_SIMPLE: dict[str, Callable[[Value, list[str]], bool]] = {
    "TEXT_EQ": lambda value, operands: _text(value) == operands[0].lower(),
    "TEXT_CONTAINS": lambda value, operands: operands[0].lower() in _text(value),
    "TEXT_NOT_CONTAINS": lambda value, operands: operands[0].lower() not in _text(value),
    "TEXT_STARTS_WITH": lambda value, operands: _text(value).startswith(operands[0].lower()),
    "TEXT_ENDS_WITH": lambda value, operands: _text(value).endswith(operands[0].lower()),
    "BLANK": lambda value, _: value is None,
    "NOT_BLANK": lambda value, _: value is not None,
    "NUMBER_EQ": lambda value, operands: _number(value) == float(operands[0]),
    "NUMBER_LESS": lambda value, operands: _number(value) < float(operands[0]),
    "NUMBER_LESS_THAN_EQ": lambda value, operands: _number(value) <= float(operands[0]),
    "NUMBER_GREATER": lambda value, operands: _number(value) > float(operands[0]),
    "NUMBER_GREATER_THAN_EQ": lambda value, operands: _number(value) >= float(operands[0]),
}

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"]|"")*") | (?P<cell>\$?[A-Z]{1,3}\$?\d+) | (?P<number>-?\d+(?:\.\d+)?)
        | (?P<word>[A-Za-z]+) | (?P<sign><>|<=|>=|[=<>(),]))""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Formula:
    """A custom formula, read from left to right: comparisons of cells and constants, and the functions named above."""

    def __init__(self, text: str, sheet: Sheet, down: int, right: int) -> None:
        self._sheet, self._down, self._right = sheet, down, right
        self._tokens = _tokens(text.removeprefix("="))

    def value(self) -> Value:
        """What the formula comes to. Raises NotUnderstood."""
        found = self._comparison()
        if self._tokens:
            raise NotUnderstood(self._tokens[0])
        return found

    def _comparison(self) -> Value:
        left = self._operand()
        if not self._tokens or self._tokens[0][1] not in _COMPARE:
            return left
        compare = _COMPARE[self._tokens.pop(0)[1]]
        return compare(*_alike(left, self._operand()))

    def _operand(self) -> Value:
        if not self._tokens:
            raise NotUnderstood("an operand is missing")
        match self._tokens.pop(0):
            case "text", text:
                return text[1:-1].replace('""', '"')
            case "number", text:
                return float(text)
            case "cell", text:
                return self._cell(text)
            # TRUE is a constant, and TRUE() a function of the same value, which trackers do not use.
            case "word", text if text.upper() in ("TRUE", "FALSE") and not self._next_is("("):
                return text.upper() == "TRUE"
            case "word", text:
                return self._call(text.upper())
            case "sign", "(":
                found = self._comparison()
                self._expect(")")
                return found
            case _, text:
                raise NotUnderstood(text)

    def _call(self, name: str) -> Value:
        self._expect("(")
        arguments = [] if self._next_is(")") else [self._comparison()]
        while self._next_is(","):
            self._expect(",")
            arguments.append(self._comparison())
        self._expect(")")
        return _FUNCTIONS[name](arguments)

    def _cell(self, name: str) -> Value:
        """`$` keeps a column or row where it is; without it the reference moves with the cell."""
        fixed_column, letters, fixed_row, digits = re.fullmatch(r"(\$?)([A-Z]+)(\$?)(\d+)", name).groups()  # type: ignore[union-attr]
        row = int(digits) - 1 + (0 if fixed_row else self._down)
        column = a1.column_index(letters) + (0 if fixed_column else self._right)
        return self._sheet.value(row, column)

    def _next_is(self, sign: str) -> bool:
        return bool(self._tokens) and self._tokens[0][1] == sign

    def _expect(self, sign: str) -> None:
        if not self._next_is(sign):
            raise NotUnderstood(f"{sign} is missing")
        self._tokens.pop(0)


_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "AND": all,
    "OR": any,
    "NOT": lambda arguments: not arguments[0],
    "ISBLANK": lambda arguments: arguments[0] is None,
    "LEN": lambda arguments: len(_text(arguments[0])),
    "TRIM": lambda arguments: _text(arguments[0]).strip(),
}


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise NotUnderstood(text[at:])
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _alike(left: Value, right: Value) -> tuple[Any, Any]:
    """Two values made comparable: an empty cell is an empty text or 0, texts compare without case."""
    if isinstance(left, str) or isinstance(right, str):
        return _text(left), _text(right)
    return left or 0, right or 0
