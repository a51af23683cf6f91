"""PURE: what is tried in single rows of the bench: what people left there, what sheetsync writes, what comes of it.

Owns the table of cases, and how a cell that was read back is told in words. A case has a row to itself, and an empty
one below it: of two cases neither can be taken for the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import dumps
from typing import Any

from sheetsync.columns import DATE_FORMAT, to_serial
from sheetsync.live.probe import Probe
from sheetsync.model import CellValue, Scalar
from sheetsync.sheet import requests
from sheetsync.sheet.edits import ClearMark, Edit, SetCell
from sheetsync.template import batch
from sheetsync.template.spreadsheet import GridRange, Tab

Json = dict[str, Any]

HEADERS = ("Video ID", "Action", "Status", "Updated at", "Beside", "Merged", "Under it")
KEY, MARK, CELL, DATE, BESIDE, MERGED, UNDER = range(len(HEADERS))
ZONE = "Etc/GMT"
"""Serials are compared with serials: of the spreadsheet's own zone nothing is asked."""

_NOON = datetime(2026, 6, 20, 12, tzinfo=UTC)
_CLEARED = "a mark is cleared"


@dataclass(frozen=True, slots=True)
class Seen:
    """One cell as it was read back: its value by `values`, and its data by `spreadsheets.get`."""

    value: Scalar
    data: Mapping[str, Any]


def told(value: Scalar) -> str:
    """A value in words that tell a text from a number."""
    if value == "" and isinstance(value, str):
        return "empty"
    if isinstance(value, bool):
        return "ticked" if value else "not ticked"
    return f"text {dumps(value, ensure_ascii=False)}" if isinstance(value, str) else f"number {value:.10g}"


def says(cell: Seen) -> str:
    """What stands in a cell."""
    formula = cell.data.get("userEnteredValue", {}).get("formulaValue")
    return f"formula {formula}" if formula else told(cell.value)


def _note(cell: Seen) -> str:
    return f"note {cell.data['note']}" if "note" in cell.data else "no note"


def _dropdown(cell: Seen) -> str:
    values = cell.data.get("dataValidation", {}).get("condition", {}).get("values", ())
    return "dropdown " + ", ".join(value.get("userEnteredValue", "") for value in values) if values else "no dropdown"


def _format(cell: Seen) -> str:
    return str(cell.data.get("userEnteredFormat", {}).get("numberFormat", {}).get("pattern", "no format"))


Setup = Callable[[Tab, int], list[Json]]
InAnswer = Callable[[Mapping[str, Any], int, int], str]


def _as_it_is(_: Tab, __: int) -> list[Json]:
    return []


@dataclass(frozen=True, slots=True)
class Case:
    """One probe in one row: `people` is what stands there by column, `sets` and `clears` what sheetsync writes.

    `after` is what each looked-at cell should say then, as `look` says it; or `in_answer` looks at the answer alone.
    `setup` does to the row, given 0-based, what people do to rows; `is_filtered`: a filter hides it.
    """

    name: str
    means: str
    people: Mapping[int, Json] = field(default_factory=dict)
    sets: Mapping[int, CellValue] = field(default_factory=dict)
    clears: Mapping[int, str] = field(default_factory=dict)
    after: Mapping[int, str] = field(default_factory=dict)
    look: Callable[[Seen], str] = says
    in_answer: InAnswer | None = None
    setup: Setup = _as_it_is
    is_filtered: bool = False
    is_safety: bool = True
    needs: str = ""

    @property
    def probe(self) -> Probe:
        """What is tried. No find says anything where even the plainest clears nothing."""
        needs = self.needs or (_CLEARED if self.clears and self.name != _CLEARED else "")
        return Probe(self.name, "; ".join(self.after.values()), self.means, self.is_safety, needs)

    def key(self, row: int) -> str:
        """The video id of its row."""
        return f"live-{row}"

    def edits(self, row: int) -> list[Edit]:
        """What sheetsync writes, given a row number."""
        sets = [SetCell(row, column, self.key(row), value) for column, value in self.sets.items()]
        return [*sets, *(ClearMark(row, column, self.key(row), mark) for column, mark in self.clears.items())]

    def left_by_people(self, tab: Tab, row: int) -> list[Json]:
        """The requests that make the row as people left it."""
        cells = [_text(self.key(row)), *(self.people.get(column, {}) for column in range(1, len(HEADERS)))]
        start = {"sheetId": tab.sheet_id, "rowIndex": row - 1, "columnIndex": 0}
        written = {"start": start, "rows": [{"values": cells}], "fields": "userEnteredValue,note,dataValidation"}
        return [{"updateCells": written}, *self.setup(tab, row - 1)]

    def seen(self, line: Sequence[Seen]) -> str:
        """What its cells say, in the words of `after`."""
        return "; ".join(self.look(line[column]) for column in self.after)


def _text(text: str) -> Json:
    return {"userEnteredValue": {"stringValue": text}}


def _list(*words: str, strict: bool) -> Json:
    values = [{"userEnteredValue": word} for word in words]
    return {"dataValidation": {"condition": {"type": "ONE_OF_LIST", "values": values}, "strict": strict}}


def _hidden(tab: Tab, row: int) -> list[Json]:
    span = {"sheetId": tab.sheet_id, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    request = {"range": span, "properties": {"hiddenByUser": True}, "fields": "hiddenByUser"}
    return [{"updateDimensionProperties": request}]


def _merged(tab: Tab, row: int) -> list[Json]:
    cells = GridRange(row, row + 1, MERGED, UNDER + 1)
    return [{"mergeCells": {"range": cells.of_tab(tab.sheet_id), "mergeType": "MERGE_ALL"}}]


def _warned(tab: Tab, row: int) -> list[Json]:
    return [batch.edit_warning(tab, GridRange(row, row + 1, CELL, CELL + 1), "a warning").request]


_SHOWN = "the headers, and the row with its key"


def _where(answer: Mapping[str, Any], sheet_id: int, row: int) -> str:
    landed = requests.landed_in([answer], sheet_id)
    if tuple(landed.headers) != HEADERS:
        return "no headers"
    return _SHOWN if landed.rows.get(row, ())[:1] == [f"live-{row}"] else "the headers, without the row"


def _counted(answer: Mapping[str, Any], _: int, __: int) -> str:
    return "one cell" if requests.was_taken(answer) else "nothing"


_TEXT = "Codes and notes of this kind would not stay what TokPortal says. Do not run sync; report this."
_FIND = "sheetsync empties a served Action cell by this call alone. Do not run sync; report this."
_UNDONE = "Served marks would stand there for ever. Nothing is ordered twice; clear them by hand, and report this."
_LOST = "What sheetsync writes there would be missing, and its rows wait. Show these rows, and report this."


def _stays(name: str, value: CellValue, means: str = _TEXT) -> Case:
    return Case(name, means, sets={CELL: value}, after={CELL: told(value)})  # type: ignore[arg-type]  # no instant


def _mark(name: str, stands: str, mark: str, means: str = _FIND, **more: Any) -> Case:
    """A mark that is to be cleared where the cell says just that, and to stay where it says anything else."""
    after = {MARK: told("" if stands == mark else stands)}
    return Case(name, means, people={MARK: _text(stands)}, clears={MARK: mark}, after=after, **more)


CASES = (
    _stays("a text like a formula", "=1+1"),
    _stays("a text of digits", "007"),
    _stays("a text like a date", "2026-01-02"),
    _stays("a text like a boolean", "TRUE"),
    _stays("a text with an apostrophe", "'tis"),
    _stays("a text with spaces first", "  two"),
    _stays("a text of two lines", "one\ntwo \N{GRINNING FACE}"),
    _stays("a number", 7, "Credits would be misread. Do not run sync; report this."),
    _stays("a ticked box", True, "Approvals would be misread. Do not run sync; report this."),
    Case(
        "an instant",
        "Times would be misread, and rows written again and again. Do not run sync; report this.",
        sets={DATE: _NOON},
        after={DATE: told(to_serial(_NOON, ZONE))},
    ),
    Case(
        "an instant's format",
        "Times would show as numbers. Format the date columns by hand.",
        sets={DATE: _NOON},
        after={DATE: DATE_FORMAT},
        look=_format,
        is_safety=False,
    ),
    Case(
        "a cell that is emptied",
        "What is over would stay in the row. Do not run sync; report this.",
        people={CELL: _text("old")},
        sets={CELL: ""},
        after={CELL: told("")},
    ),
    Case(
        "a note on a written cell",
        "Notes that people put on cells of sheetsync's columns would be lost. Put none there, and report this.",
        people={CELL: {**_text("old"), "note": "kept"}},
        sets={CELL: "new"},
        after={CELL: "note kept"},
        look=_note,
    ),
    Case(
        "a dropdown on a written cell",
        "Dropdowns in sheetsync's columns would be lost. Put none there, and report this.",
        people={CELL: {**_text("old"), **_list("old", "new", strict=False)}},
        sets={CELL: "new"},
        after={CELL: "dropdown old, new"},
        look=_dropdown,
    ),
    Case(
        "a word no dropdown offers",
        "A strict dropdown in a column of sheetsync keeps its rows from being written: remove it there.",
        people={CELL: _list("old", "new", strict=True)},
        sets={CELL: "other"},
        after={CELL: told("other")},
        is_safety=False,
    ),
    Case(
        "a cell with a warning",
        "The warnings that init puts on sheetsync's columns keep it out: remove them (Data > Protect sheets and "
        "ranges), and report this.",
        sets={CELL: "written"},
        after={CELL: told("written")},
        setup=_warned,
    ),
    Case(
        "a merged cell",
        "A write beside it would change it. Have no merged cells in the tracker.",
        people={MERGED: _text("kept")},
        sets={UNDER: "lost"},
        after={MERGED: told("kept")},
        setup=_merged,
    ),
    Case(
        "a cell under a merged one",
        "sheetsync leaves such cells alone. Have no merged cells in the tracker.",
        sets={UNDER: "lost"},
        after={UNDER: told("")},
        setup=_merged,
        is_safety=False,
    ),
    Case("a hidden row", _LOST, sets={CELL: "written"}, after={CELL: told("written")}, setup=_hidden),
    Case("a filtered row", _LOST, sets={CELL: "written"}, after={CELL: told("written")}, is_filtered=True),
    Case(
        "where a write landed",
        "Without that no write can be verified, and every row would wait. Do not run sync; report this.",
        sets={CELL: "landed"},
        after={KEY: _SHOWN},
        in_answer=_where,
    ),
    _mark(_CLEARED, "mark-1", "mark-1", _UNDONE),
    _mark("a mark in other letters", "Mark-2", "mark-2"),
    _mark("a mark with words after it", "mark-3 please", "mark-3"),
    _mark("a mark with a space after it", "mark-4 ", "mark-4", needs="a mark with words after it"),
    _mark("a mark like a pattern", "mark-5", "mark.5"),
    Case(
        "a mark beside the same text",
        _FIND,
        people={MARK: _text("mark-6"), BESIDE: _text("mark-6")},
        clears={MARK: "mark-6"},
        after={MARK: told(""), BESIDE: told("mark-6")},
    ),
    Case(
        "a mark that a formula makes",
        "A formula of yours would be lost: have none in Action, and report this.",
        people={MARK: {"userEnteredValue": {"formulaValue": '="mark-7"'}}},
        clears={MARK: "mark-7"},
        after={MARK: 'formula ="mark-7"'},
    ),
    Case(
        "a number that is taken",
        "Orders cannot be allowed at the sheet: set max_orders_at_sheet to 0, and use --allow-orders.",
        people={MARK: {"userEnteredValue": {"numberValue": 314159}}},
        clears={MARK: "314159"},
        after={MARK: told("")},
        is_safety=False,
    ),
    _mark("a mark in a hidden row", "mark-8", "mark-8", _UNDONE, setup=_hidden),
    _mark("a mark in a filtered row", "mark-9", "mark-9", _UNDONE, is_filtered=True),
    Case(
        "how much a find tells",
        "Orders cannot be allowed at the sheet: set max_orders_at_sheet to 0, and use --allow-orders.",
        people={MARK: _text("mark-10")},
        clears={MARK: "mark-10"},
        after={MARK: "one cell"},
        in_answer=_counted,
        is_safety=False,
    ),
)
