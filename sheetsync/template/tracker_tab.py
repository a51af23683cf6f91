"""PURE: what `init` adds to a spreadsheet: what is there (layout.py) -> the requests for exactly what is missing.

Owns what counts as missing, for the tracker's tab: nothing is removed or reordered, and what a person has set is left
as it is. How things look is `looks.py`'s, the Summary tab `template_summary.py`'s. Knows no network, file or log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sheetsync.columns import BY_KEY, Column, Owner, bind, header_of, letter, normal
from sheetsync.errors import HeaderError, NoKeyColumn
from sheetsync.model import Tracker
from sheetsync.template import style as looks
from sheetsync.template.spreadsheet import DEFAULT_WIDTH, Area, Book, Cell, Tab

Json = dict[str, Any]

LINES_OF_A_NEW_TAB = 1000
MOST_GAPS = 20
"""A column formatted by hand in more pieces than that is left as it is."""

MOST_FROZEN = 3  # columns: more would leave little of a small screen to scroll


@dataclass(frozen=True, slots=True)
class Change:
    """One request of the batch, and what it does in words: which tab, what kind of thing, and where."""

    request: Json
    tab: str
    what: str
    where: str = ""

    @property
    def sentence(self) -> str:
        """The change in one line."""
        return f"{self.tab}: {self.what}" + (f": {self.where}" if self.where else "")


def sentences(changes: Iterable[Change]) -> list[str]:
    """All changes in words; those of one kind in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        grouped.setdefault((change.tab, change.what), []).append(change.where)
    joined = [(tab, what, ", ".join(filter(None, where))) for (tab, what), where in grouped.items()]
    return [f"{tab}: {what}" + (f": {where}" if where else "") for tab, what, where in joined]


def changes(book: Book, tracker: Tracker) -> tuple[Change, ...]:
    """What the tracker's tab lacks.

    Raises HeaderError (a header stands twice), NoKeyColumn (a tab with headers that is no tracker).
    """
    tab = book.tab(tracker.worksheet)
    if tab is None:
        size = {"rowCount": LINES_OF_A_NEW_TAB, "columnCount": len(looks.ORDER)}
        tab, change = new_tab(book.free_id(), tracker.worksheet, size)
        return (change, *TrackerTab(tab, tracker).changes())
    return tuple(TrackerTab(tab, tracker).changes())


def new_tab(sheet_id: int, title: str, size: Json, **grid: Any) -> tuple[Tab, Change]:
    """A tab that is not there yet, and the request that makes it."""
    tab = Tab(sheet_id, title, size["rowCount"], size["columnCount"], looked_at=2)
    properties = {"sheetId": sheet_id, "title": title, "gridProperties": {**size, **grid}}
    return tab, Change({"addSheet": {"properties": properties}}, f"tab '{title}'", "a new tab")


def lacking(tab: Tab, tracker: Tracker) -> tuple[str, ...]:
    """The keys of the columns that `init` would append to a tab. Raises as `changes` does.

    To a tab with headers only those without which nothing goes: its people have chosen their own columns.
    """
    if not any(normal(header) for header in tab.headers):
        return looks.ORDER
    binding = bind(tab.headers, tracker.columns)
    if binding.doubled:
        raise HeaderError(tab.title, (), binding.doubled)
    if "video_id" not in binding.columns:
        raise NoKeyColumn(tab.title, header_of("video_id", tracker.columns))
    return tuple(key for key in looks.ORDER if BY_KEY[key].required and key not in binding.columns)


class TrackerTab:
    """One tab that is, or becomes, a tracker. Raises as `changes` does."""

    def __init__(self, tab: Tab, tracker: Tracker) -> None:
        self._tab, self._tracker = tab, tracker
        self._new = lacking(tab, tracker)
        is_new = len(self._new) == len(looks.ORDER)
        start = 0 if is_new else tab.used_columns
        present = {} if is_new else bind(tab.headers, tracker.columns).columns
        added = {key: start + n for n, key in enumerate(self._new)}
        self._at: Mapping[str, int] = dict(sorted({**present, **added}.items(), key=lambda pair: pair[1]))
        self._right = max([*self._at.values(), tab.used_columns - 1]) + 1

    def changes(self) -> Iterator[Change]:
        """What is missing, in an order in which one batch can add it."""
        yield from self._columns()
        yield from self._headers()
        yield from self._frozen()
        yield from self._widths()
        yield from self._formats()
        yield from self._validations()
        yield from self._protections()
        yield from self._tints()
        yield from self._filter()

    def _change(self, request: Json, what: str, *keys: str) -> Change:
        return Change(request, f"tab '{self._tab.title}'", what, ", ".join(self._name(key) for key in keys))

    def _name(self, key: str) -> str:
        return header_of(key, self._tracker.columns)

    def _range(self, left: int, right: int, top: int = 0, bottom: int | None = None) -> Json:
        return grid_range(self._tab, Area(top, bottom, left, right))

    def _columns(self) -> Iterator[Change]:
        """Room for the headers."""
        short = self._right - self._tab.column_count
        if short > 0:
            request = {"sheetId": self._tab.sheet_id, "dimension": "COLUMNS", "length": short}
            yield self._change({"appendDimension": request}, f"room for {short} more columns")

    # --- the header line ---------------------------------------------------------------------------------------

    def _headers(self) -> Iterator[Change]:
        for owner, whose in ((Owner.PERSON, "headers for people"), (Owner.MACHINE, "headers for sheetsync")):
            keys = [key for key in self._new if BY_KEY[key].owner is owner]
            yield from self._header_cells(keys, "userEnteredValue", whose, self._header_text)
        noted = [key for key in self._at if not self._header(key).note]
        yield from self._header_cells(noted, "note", "header notes", lambda column: {"note": looks.note(column)})
        plain = [key for key in self._at if not self._header(key).coloured and not self._is_banded(key)]
        fields = "userEnteredFormat(backgroundColorStyle,textFormat.bold)"
        yield from self._header_cells(
            plain, fields, "header colours", lambda column: {"userEnteredFormat": looks.header_style(column)}
        )

    def _header_text(self, column: Column) -> Json:
        return {"userEnteredValue": {"stringValue": self._name(column.key)}}

    def _header(self, key: str) -> Cell:
        return self._tab.cell(0, self._at[key])

    def _is_banded(self, key: str) -> bool:
        return any(band.has_line(0) and band.has_column(self._at[key]) for band in self._tab.bands)

    def _header_cells(
        self, keys: Sequence[str], fields: str, what: str, cell: Callable[[Column], Json]
    ) -> Iterator[Change]:
        for run in self._neighbours(keys):
            start = {"sheetId": self._tab.sheet_id, "rowIndex": 0, "columnIndex": self._at[run[0]]}
            rows = [{"values": [cell(BY_KEY[key]) for key in run]}]
            yield self._change({"updateCells": {"start": start, "rows": rows, "fields": fields}}, what, *run)

    def _neighbours(self, keys: Iterable[str]) -> list[list[str]]:
        """Columns that stand side by side."""
        ordered = sorted(keys, key=self._at.__getitem__)
        runs = groupby(enumerate(ordered), key=lambda pair: self._at[pair[1]] - pair[0])
        return [[key for _, key in run] for _, run in runs]

    # --- the look of the whole tab -----------------------------------------------------------------------------

    def _frozen(self) -> Iterator[Change]:
        key, tab = self._at["video_id"], self._tab
        grid = {}
        if not tab.frozen_lines and tab.line_count > 1 and not any(_is_cut(m.top, m.bottom, 1) for m in tab.merges):
            grid["frozenRowCount"] = 1
        is_wide = key < MOST_FROZEN and key + 1 < max(tab.column_count, self._right)
        if is_wide and not tab.frozen_columns and not any(_is_cut(m.left, m.right, key + 1) for m in tab.merges):
            grid["frozenColumnCount"] = key + 1
        if grid:
            words = {"frozenRowCount": "header row", "frozenColumnCount": f"columns up to {letter(key)}"}
            fields = ",".join(f"gridProperties.{name}" for name in grid)
            properties = {"sheetId": tab.sheet_id, "gridProperties": grid}
            request = {"updateSheetProperties": {"properties": properties, "fields": fields}}
            yield Change(request, f"tab '{tab.title}'", "frozen", " and ".join(words[name] for name in grid))

    def _widths(self) -> Iterator[Change]:
        for key, at in self._at.items():
            if self._tab.width(at) != DEFAULT_WIDTH or looks.width(BY_KEY[key]) == DEFAULT_WIDTH:
                continue
            span = {"sheetId": self._tab.sheet_id, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}
            size = {"pixelSize": looks.width(BY_KEY[key])}
            request = {"range": span, "properties": size, "fields": "pixelSize"}
            yield self._change({"updateDimensionProperties": request}, "column widths", key)

    def _formats(self) -> Iterator[Change]:
        """Formats for cells that have none; cells of one stretch that need several get them in one request."""
        for key, at in self._at.items():
            stretches: dict[tuple[int, int], Json] = {}
            for field, style in looks.styles(BY_KEY[key]).items():
                gaps = self._tab.gaps(at, _LACKS[field])
                for gap in gaps if len(gaps) <= MOST_GAPS else ():
                    stretches.setdefault(gap, {})[field] = style
            for (top, bottom), style in stretches.items():
                cells = {"cell": {"userEnteredFormat": style}, "fields": f"userEnteredFormat({','.join(style)})"}
                request = {"repeatCell": {"range": self._range(at, at + 1, top, bottom), **cells}}
                what = "cell formats" if top == 1 else f"cell formats from row {top + 1} on"
                yield self._change(request, what, key)

    def _validations(self) -> Iterator[Change]:
        for key, at in self._at.items():
            rule = looks.validation(BY_KEY[key])
            if rule is None or not self._takes(at, rule):
                continue
            gaps = self._tab.gaps(at, lambda cell: not cell.rule)
            for top, bottom in gaps if len(gaps) <= MOST_GAPS else ():
                request = {"range": self._range(at, at + 1, top, bottom), "rule": rule}
                yield self._change({"setDataValidation": request}, _VALIDATION_WORDS[rule["condition"]["type"]], key)

    def _takes(self, at: int, rule: Json) -> bool:
        """Whether a column has no dropdown of its own, and no words that a checkbox would mark as wrong."""
        kind = rule["condition"]["type"]
        words = tuple(value["userEnteredValue"] for value in rule["condition"].get("values", ()))
        cells = self._tab.below_header(at)
        if kind == "BOOLEAN" and any(cell.value != "" and not isinstance(cell.value, bool) for cell in cells):
            return False
        return all((cell.rule, cell.words) in (("", ()), (kind, words)) for cell in cells)

    def _protections(self) -> Iterator[Change]:
        """A warning, not a lock: people who know what they do can still type there."""
        machine = [key for key in self._at if BY_KEY[key].owner is Owner.MACHINE]
        open_ = [key for key in machine if not self._is_protected(self._at[key])]
        for run in self._neighbours(open_):
            range_ = self._range(self._at[run[0]], self._at[run[-1]] + 1)
            held = {"range": range_, "description": "sheetsync writes these columns.", "warningOnly": True}
            request = {"addProtectedRange": {"protectedRange": held}}
            yield self._change(request, "a warning before people type into", *run)

    def _is_protected(self, column: int) -> bool:
        cells = Area(1, self._tab.line_count, column, column + 1)
        return any(held.area.covers(cells) for held in self._tab.protections)

    def _tints(self) -> Iterator[Change]:
        """Conditional formats, after those of people, which win where both hold."""
        count = len(self._tab.rules)
        for tint in looks.TINTS:
            at = self._at[tint.key]
            if has_tint(self._tab, tint, at):
                continue
            rule = tint.rule([self._range(at, at + 1, 1)])
            word = f" that says {tint.word}" if tint.word else " that says anything"
            request = {"addConditionalFormatRule": {"rule": rule, "index": count}}
            yield Change(request, f"tab '{self._tab.title}'", "a colour for", self._name(tint.key) + word)
            count += 1

    def _filter(self) -> Iterator[Change]:
        tab = self._tab
        if not (tab.has_filter or tab.has_table or tab.merges):
            request = {"setBasicFilter": {"filter": {"range": self._range(0, self._right)}}}
            yield self._change(request, "a filter over the table")


_LACKS: Mapping[str, Callable[[Cell], bool]] = {
    "numberFormat": lambda cell: not cell.number_format,
    "wrapStrategy": lambda cell: not cell.wrap,
    "backgroundColorStyle": lambda cell: not cell.coloured,
}
_VALIDATION_WORDS = {"ONE_OF_LIST": "dropdowns", "BOOLEAN": "checkboxes"}


def grid_range(tab: Tab, area: Area) -> Json:
    """A GridRange on a tab."""
    found = {"sheetId": tab.sheet_id, "startRowIndex": area.top, "startColumnIndex": area.left}
    ends = {"endRowIndex": area.bottom, "endColumnIndex": area.right}
    return found | {name: end for name, end in ends.items() if end is not None}


def has_tint(tab: Tab, tint: looks.Tint, column: int) -> bool:
    """Whether a rule with this condition is there, in whatever colour people have given it since."""
    words = (tint.word,) if tint.word else ()
    return any(
        (rule.kind, rule.words) == (tint.kind, words) and any(area.has_column(column) for area in rule.areas)
        for rule in tab.rules
    )


def _is_cut(start: int, end: int | None, at: int) -> bool:
    """Whether a merged cell would lie on both sides of a frozen edge, which Google refuses."""
    return start < at and (end is None or end > at)
