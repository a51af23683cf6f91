"""PURE: what `init` adds to the tracker's tab: the tab as it is -> the requests for exactly what is missing.

Owns what counts as missing there: nothing is removed or reordered, and what a person has set is left as it is. How
things look is `style.py`'s, the Summary tab `summary_tab.py`'s. Knows no network, file or log.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sheetsync.columns import BY_KEY, GROUPS, USUAL_GROUPS, Column, Owner, bind, header_of, letter, normal
from sheetsync.errors import HeaderError, NoKeyColumn
from sheetsync.model import Tracker
from sheetsync.template import batch, style
from sheetsync.template.spreadsheet import Condition, GridRange, Spreadsheet, Tab, column_range, side_by_side

Json = dict[str, Any]

ROWS_OF_A_NEW_TAB = 1000
MOST_RANGES = 20
"""A column formatted by hand in more pieces than that is left as it is."""

MOST_FROZEN = 3  # columns: more would leave little of a small screen to scroll


def changes(spreadsheet: Spreadsheet, tracker: Tracker) -> tuple[batch.Change, ...]:
    """What the tracker's tab lacks.

    Raises HeaderError (a header stands twice), NoKeyColumn (a tab with headers that is no tracker).
    """
    size = {"rowCount": ROWS_OF_A_NEW_TAB, "columnCount": len(_offered(tracker))}
    tab, made = batch.tab_or_new(spreadsheet, tracker.worksheet, size, nth=0)
    return (*made, *TrackerTab(tab, tracker).changes())


def missing_columns(tab: Tab, tracker: Tracker) -> tuple[str, ...]:
    """The keys of the columns that `init` would append to a tab. Raises as `changes` does.

    To a tab with headers only those without which nothing goes, and the groups that the config names: its people have
    chosen their own columns.
    """
    if not _has_headers(tab):
        return _offered(tracker)
    binding = bind(tab.headers, tracker.columns)
    if binding.doubled:
        raise HeaderError(tab.title, (), binding.doubled)
    if "video_id" not in binding.columns:
        raise NoKeyColumn(tab.title, header_of("video_id", tracker.columns))
    named = _columns_of(tracker.groups or ())
    wanted = (key for key in style.ORDER if BY_KEY[key].required or key in named)
    return tuple(key for key in wanted if key not in binding.columns)


def _offered(tracker: Tracker) -> tuple[str, ...]:
    """The columns of a new tab: all but those of groups that are not taken."""
    groups = USUAL_GROUPS if tracker.groups is None else tracker.groups
    left_out = _columns_of(GROUPS) - _columns_of(groups)
    return tuple(key for key in style.ORDER if key not in left_out)


def _columns_of(groups: Iterable[str]) -> frozenset[str]:
    return frozenset(key for group in groups for key in GROUPS[group])


def _has_headers(tab: Tab) -> bool:
    return any(map(normal, tab.headers))


class TrackerTab:
    """One tab that is, or becomes, a tracker. Raises as `changes` does."""

    def __init__(self, tab: Tab, tracker: Tracker) -> None:
        self._tab, self._tracker = tab, tracker
        self._new = missing_columns(tab, tracker)
        # without a header there is no column of theirs to stand beside, whatever stands below
        start = tab.used_columns if _has_headers(tab) else 0
        places = {**bind(tab.headers, tracker.columns).columns, **{key: start + n for n, key in enumerate(self._new)}}
        self._at: Mapping[str, int] = dict(sorted(places.items(), key=lambda place: place[1]))
        self._right = max([*self._at.values(), tab.used_columns - 1]) + 1

    def changes(self) -> Iterator[batch.Change]:
        """What is missing, in an order in which one batch can add it."""
        short = self._right - self._tab.column_count
        yield from batch.append_dimension(self._tab, "COLUMNS", short, f"room for {short} more columns")
        yield from self._headers()
        yield from self._frozen()
        widths = [(at, style.width(BY_KEY[key]), self._name(key)) for key, at in self._at.items()]
        yield from batch.column_widths(self._tab, widths, "column widths")
        yield from self._formats()
        yield from self._data_validations()
        yield from self._edit_warnings()
        yield from batch.conditional_formats(self._tab, self._colour_rules())
        yield from self._filter()

    def _name(self, key: str) -> str:
        return header_of(key, self._tracker.columns)

    def _headers(self) -> Iterator[batch.Change]:
        for owner, what in ((Owner.PERSON, "headers for people"), (Owner.MACHINE, "headers for sheetsync")):
            new = [key for key in self._new if BY_KEY[key].owner is owner]
            yield from self._header_cells(new, "userEnteredValue", what, self._header_text)
        no_note = self._headers_without("note")
        yield from self._header_cells(no_note, "note", "header notes", lambda column: {"note": style.note(column)})
        # a banded range, every table among them, colours its header itself
        bare = [key for key in self._headers_without("backgroundColor") if not self._is_banded(self._at[key])]
        yield from self._header_cells(bare, style.HEADER_FIELDS, "header colours", style.header_cell)

    def _headers_without(self, field: str) -> list[str]:
        return [key for key, at in self._at.items() if not self._tab.cell(0, at).has(field)]

    def _header_text(self, column: Column) -> Json:
        return {"userEnteredValue": {"stringValue": self._name(column.key)}}

    def _is_banded(self, column: int) -> bool:
        return any(banded.meets(column_range(column, 0, 1)) for banded in self._tab.banded_ranges)

    def _header_cells(
        self, keys: Iterable[str], fields: str, what: str, cell: Callable[[Column], Json]
    ) -> Iterator[batch.Change]:
        for run in side_by_side(keys, self._at.__getitem__):
            cells = [cell(BY_KEY[key]) for key in run]
            yield batch.update_cells(self._tab, 0, self._at[run[0]], cells, fields, what, *map(self._name, run))

    def _frozen(self) -> Iterator[batch.Change]:
        tab, right = self._tab, self._at["video_id"] + 1
        frozen: list[tuple[str, int, str]] = []
        if not tab.frozen_rows and tab.row_count > 1 and not any(m.top < 1 < m.bottom for m in tab.merges):
            frozen.append(("frozenRowCount", 1, "header row"))
        # Google refuses to freeze through a merged cell, and to freeze every column
        fits = right <= MOST_FROZEN and right < max(tab.column_count, self._right)
        if fits and not tab.frozen_columns and not any(m.left < right < m.right for m in tab.merges):
            frozen.append(("frozenColumnCount", right, f"columns up to {letter(right - 1)}"))
        if frozen:
            properties = {"sheetId": tab.sheet_id, "gridProperties": {name: number for name, number, _ in frozen}}
            request = {"properties": properties, "fields": ",".join(f"gridProperties.{name}" for name, *_ in frozen)}
            where = " and ".join(words for *_, words in frozen)
            yield batch.change(tab, "updateSheetProperties", request, "frozen", where)

    def _formats(self) -> Iterator[batch.Change]:
        """Formats for cells that have none; cells of one range that need several get them in one request."""
        for key, at in self._at.items():
            formats: dict[GridRange, Json] = {}
            for field, value in style.cell_format(BY_KEY[key]).items():
                for cells in self._ranges_without(field, at):
                    formats.setdefault(cells, {})[field] = value
            for cells, found in formats.items():
                what = "cell formats" if cells.top == 1 else f"cell formats from row {cells.top + 1} on"
                yield batch.format_cells(self._tab, cells, found, what, self._name(key))

    def _ranges_without(self, field: str, column: int) -> list[GridRange]:
        found = self._tab.ranges_without(field, column)
        return found if len(found) <= MOST_RANGES else []

    def _data_validations(self) -> Iterator[batch.Change]:
        for key, at in self._at.items():
            rule, ours = style.data_validation(BY_KEY[key]), style.validation(BY_KEY[key])
            if not (rule and self._accepts(at, ours)):
                continue
            what = "dropdowns" if ours.values else "checkboxes"
            for cells in self._ranges_without("dataValidation", at):
                # without the last, Google leaves out the rows that a filter hides (Sheets reference 8)
                request = {"range": cells.of_tab(self._tab.sheet_id), "rule": rule, "filteredRowsIncluded": True}
                yield batch.change(self._tab, "setDataValidation", request, what, self._name(key))

    def _accepts(self, column: int, ours: Condition) -> bool:
        """Whether a column has no validation of its own, and no words that a checkbox would mark as wrong."""
        cells = self._tab.below_header(column)
        if not ours.values and any(cell.value != "" and not isinstance(cell.value, bool) for cell in cells):
            return False
        # one cell with another rule makes the column theirs: a second list is not mixed in
        return all(cell.validation in (Condition(), ours) for cell in cells)

    def _edit_warnings(self) -> Iterator[batch.Change]:
        tab = self._tab
        machine = {key: at for key, at in self._at.items() if BY_KEY[key].owner is Owner.MACHINE}
        open_ = [key for key, at in machine.items() if not tab.is_protected(column_range(at, 1, tab.row_count))]
        for run in side_by_side(open_, self._at.__getitem__):
            cells = GridRange(left=self._at[run[0]], right=self._at[run[-1]] + 1)
            yield batch.edit_warning(tab, cells, "sheetsync writes these columns.", *map(self._name, run))

    def _colour_rules(self) -> Iterator[tuple[style.ColourRule, GridRange, str]]:
        for rule in style.COLOUR_RULES:
            says = f"{self._name(rule.key)} that says {rule.word or 'anything'}"
            yield rule, column_range(self._at[rule.key], 1), says
        key, action = self._at["video_id"], self._at["action"]
        says = f"{self._name('action')} without {self._name('video_id')}"
        yield style.without_key(letter(key), letter(action)), column_range(action, 1), says

    def _filter(self) -> Iterator[batch.Change]:
        tab = self._tab
        # Google refuses a filter over a table or merged cells, and a tab has one filter at most
        if not (tab.has_filter or tab.tables or tab.merges):
            request = {"filter": {"range": GridRange(right=self._right).of_tab(tab.sheet_id)}}
            yield batch.change(tab, "setBasicFilter", request, "a filter over the table")
