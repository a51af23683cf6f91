"""PURE: what a file changes in a tab, and, whenever the tab is read again, what of that may still be written.

Owns the one exception to promise 2. A cell of a person's is written only while it says what it said in the preview; one
that somebody has changed since is theirs, and is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sheetsync.columns import BadCell, Kind, from_serial, header_of, kind_of, says, shown_instant
from sheetsync.errors import BadImport
from sheetsync.model import CellValue, Row, Scalar, Snapshot, Tracker
from sheetsync.projected import Projection, Target


@dataclass(frozen=True, slots=True)
class Change:
    """One cell that is to be written: what it said in the preview, in which row, and what it is to hold."""

    key: str
    column: str
    row: int
    before: Scalar
    value: CellValue


@dataclass(frozen=True, slots=True)
class Left:
    """A cell that is not written, and why; `row` is None where the row is gone."""

    key: str
    column: str
    row: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file changes: the cells, those that say it already (their number), and those that cannot be written."""

    changes: tuple[Change, ...]
    present: int
    left: tuple[Left, ...]


Values = Mapping[str, Mapping[str, CellValue]]


def preview(values: Values, snapshot: Snapshot, tracker: Tracker) -> Preview:
    """Compare a file's values with a tab. Raises BadImport where the tab has not the columns."""
    named = dict.fromkeys(column for cells in values.values() for column in cells)
    if absent := [header_of(column, tracker.columns) for column in named if column not in snapshot.columns]:
        raise BadImport([f"tab '{snapshot.title}' has no column '{header}': type it into row 1" for header in absent])
    rows, changes, left, present = _rows(snapshot), [], [], 0
    for key, cells in values.items():
        for column, value in cells.items():
            row, *others = rows[key]
            before = row.cells.get(column, "")
            if why := _why_not(row, others, column):
                left.append(Left(key, column, row.number, why))
            elif says(before, value, snapshot.time_zone):
                present += 1
            else:
                changes.append(Change(key, column, row.number, before, value))
    return Preview(tuple(changes), present, tuple(left))


def _rows(snapshot: Snapshot) -> Mapping[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for row in snapshot.rows:
        rows.setdefault(row.key, []).append(row)
    return rows


def _why_not(row: Row, others: list[Row], column: str) -> str:
    """Why a cell cannot be written, whatever it says."""
    if others:
        numbers = ", ".join(str(other.number) for other in (row, *others))
        return f"rows {numbers} have the same Video ID: keep one of them"
    if column in row.hidden:
        return "it lies under a merged cell: unmerge it"
    # `Updated at` goes with every write, so that it is known again should its answer be lost
    if {column, "updated_at"} & row.locked:
        return "it, or Updated at beside it, is protected from sheetsync"
    return ""


@dataclass(frozen=True, slots=True)
class Import:
    """The changes that a person has seen, as what is wanted of a sheet."""

    changes: tuple[Change, ...]

    def project(self, snapshot: Snapshot) -> Projection:
        """The cells of this very snapshot that may be written."""
        rows = _rows(snapshot)
        targets: dict[str, dict[str, CellValue]] = {}
        for change in self.changes:
            if not self._why_left(change, rows.get(change.key, []), snapshot):
                targets.setdefault(change.key, {})[change.column] = change.value
        return Projection(tuple(Target(rows[key][0], cells) for key, cells in targets.items()))

    def left(self, snapshot: Snapshot) -> Iterator[Left]:
        """The cells of this very snapshot that may not be written any more."""
        rows = _rows(snapshot)
        for change in self.changes:
            there = rows.get(change.key, [])
            if why := self._why_left(change, there, snapshot):
                yield Left(change.key, change.column, there[0].number if there else None, why)

    def _why_left(self, change: Change, rows: list[Row], snapshot: Snapshot) -> str:
        if not rows:
            return "its row is gone"
        row, *others = rows
        if change.column not in row.columns:
            return "its column is gone"
        cell = row.cells.get(change.column, "")
        if says(cell, change.value, snapshot.time_zone):
            return ""
        if not says(cell, change.before, snapshot.time_zone):
            said, says_now = (shown(one, change.column, snapshot.time_zone) for one in (change.before, cell))
            return f"changed since the preview: it said '{said}' and says '{says_now}' now"
        return _why_not(row, others, change.column)


def shown(cell: CellValue, column: str, time_zone: str) -> str:
    """A cell as people see it in the sheet."""
    if isinstance(cell, datetime):
        return shown_instant(cell, time_zone)
    if kind_of(column) is Kind.DATE and not isinstance(cell, bool | str):
        try:
            return shown_instant(from_serial(cell, time_zone), time_zone)
        except BadCell:
            return str(cell)
    return str(cell).upper() if isinstance(cell, bool) else str(cell)
