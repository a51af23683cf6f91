"""The shape of what a batch carries, where Google's own schema is not at hand: the types of the names that are read.

Owns only as much as keeps a book readable: whatever is stored and looked into later is a text, a whole number, a list
or an object as its name demands. The whole description is `schema.py`'s.
"""

from __future__ import annotations

from typing import Any

from sheetsync.sandbox.google.errors import bad_value, out_of_range, snake

Json = dict[str, Any]

_OBJECTS = """range start cell rule condition booleanRule format textFormat numberFormat properties gridProperties
filter filterCriteria protectedRange editors namedRange location dimensionRange chart spec basicChart overlayPosition
anchorCell domain sourceRange bandedRange userEnteredFormat dataValidation source dimensions backgroundColor
backgroundColorStyle foregroundColor foregroundColorStyle tabColor tabColorStyle color colorStyle rgbColor"""
_TEXTS = """fields type pattern title note description dimension sortOrder locale timeZone autoRecalc name namedRangeId
metadataKey visibility find replacement horizontalAlignment wrapStrategy chartType themeColor formulaValue"""
_WHOLE = """sheetId index newIndex rowIndex columnIndex startRowIndex endRowIndex startColumnIndex endColumnIndex
startIndex endIndex rowCount columnCount frozenRowCount frozenColumnCount pixelSize fontSize headerCount dimensionIndex
length destinationIndex protectedRangeId chartId bandedRangeId metadataId objectId"""
_LISTS = """requests ranges rows values sortSpecs filterSpecs hiddenValues sources domains users unprotectedRanges
textFormatRuns chipRuns"""

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    **dict.fromkeys(_OBJECTS.split(), (dict, "Message")),
    **dict.fromkeys(_TEXTS.split(), (str, "TYPE_STRING")),
    **dict.fromkeys(_WHOLE.split(), (int, "TYPE_INT32")),
    **dict.fromkeys(("red", "green", "blue", "alpha"), ((int, float), "TYPE_FLOAT")),
    **dict.fromkeys(_LISTS.split(), (list, "ListValue")),
}
_INT32 = range(-(2**31), 2**31)
_OF_TEXTS = frozenset(("hiddenValues", "users"))
_WITH_NULLS = frozenset(("rows", "values"))


def check_batch(requests: Any) -> None:
    """Raises ApiError for a value in the requests of a batch that is of another type than its name's."""
    _check(requests, "requests", "requests")


def _check(value: Any, name: str, at: str) -> None:
    kinds, said = _TYPES.get(name, (object, ""))
    if value is None:
        return
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not object):
        raise bad_value(at, said, value)
    if kinds is int and value not in _INT32:
        raise out_of_range(at)
    if isinstance(value, dict):
        for key, held in value.items():
            _check(held, key, f"{at}.{snake(key)}")
    elif isinstance(value, list):
        for index, held in enumerate(value):
            allowed = str if name in _OF_TEXTS else dict | None if name in _WITH_NULLS else dict
            if name in _TYPES and not isinstance(held, allowed):
                raise bad_value(f"{at}[{index}]", "Value", held)
            _check(held, "", f"{at}[{index}]")
