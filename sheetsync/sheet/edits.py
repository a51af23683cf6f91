"""PURE: the cells to write: what a sheet should say less what it says.

Owns the two things that are ever sent (set a cell, clear a mark), and what is known of a write that was sent. What the
cells should say is the projection's; how a write is put into requests is `requests.py`'s.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sheetsync.columns import OURS, key_text, normal, says
from sheetsync.model import CellValue, Row, Scalar, Snapshot
from sheetsync.projected import Target


@dataclass(frozen=True, slots=True)
class SetCell:
    """One cell to write. `row` is the row number, `column` 0-based, `key` the video id that should stand there."""

    row: int
    column: int
    key: str
    value: CellValue


@dataclass(frozen=True, slots=True)
class ClearMark:
    """One Action cell to empty, if it says just `mark` (Sheets `findReplace`: the one compare-and-set Google has).

    It can hit no other cell, and no mark that was made in the meantime.
    """

    row: int
    column: int
    key: str
    mark: str

    @property
    def value(self) -> str:
        """What the cell says once this is done."""
        return ""


Edit = SetCell | ClearMark


@dataclass(frozen=True, slots=True)
class Landed:
    """The header row and the written rows as they stood when a write landed, in the same atomic call.

    `formulas` are the cells, by row number and 0-based column, that a formula fills. `is_later` if it is not the
    answer that told, but a read made since; `guessed` are rows of which it told by a part.
    """

    headers: Sequence[Scalar]
    rows: Mapping[int, Sequence[Scalar]]
    formulas: frozenset[tuple[int, int]] = frozenset()
    is_later: bool = False
    guessed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sent:
    """One write: its edits, where they landed (None: nobody saw), and the read that they were made from."""

    edits: tuple[Edit, ...]
    landed: Landed | None
    before: Snapshot


def edits_for(snapshot: Snapshot, targets: Iterable[Target], now: datetime) -> tuple[Edit, ...]:
    """The difference between what the cells should say and what they say.

    `Updated at` goes with every change of a row and never alone. It also makes a row's write recognisable, should
    its answer be lost.
    """
    edits: list[Edit] = []
    for target in targets:
        changes = list(_changes(snapshot, target))
        # a row that says all it should is not touched, not even by the time of the look
        if changes:
            stamp = SetCell(target.row.number, snapshot.columns["updated_at"], target.row.key, now)
            edits += [*changes, stamp] if _may_be_written("updated_at", target.row) else changes
    return tuple(edits)


def left_standing(writes: Iterable[Sent], snapshot: Snapshot) -> Mapping[str, tuple[str, str]]:
    """Marks that stand beside the request which a write brought that was to clear them, and whose end nobody saw.

    As (mark, request id) by video id. Whether such a mark was never cleared, or is made anew by a formula or a script,
    nobody can tell from a read; a person who means it sees in the row that it is done.
    """
    found: dict[str, tuple[str, str]] = {}
    for sent in writes:
        marks = {edit.key: edit.mark for edit in sent.edits if isinstance(edit, ClearMark)}
        told = sent.before.columns.get("request_id")
        ids = {edit.key: edit.value for edit in sent.edits if edit.column == told and edit.value != ""}
        for row in snapshot.rows:
            says = str(row.cells.get("action", "")), row.shown_id
            if row.key in marks and says == (marks[row.key], ids.get(row.key)):
                found[row.key] = row.wish
    return found


def kept_out_of(snapshot: Snapshot, targets: Iterable[Target]) -> Mapping[str, frozenset[str]]:
    """The columns that a protected range keeps from saying what they should, by the video id of their row."""
    found = {
        target.row.key: frozenset(column for column in _differing(snapshot, target) if column in target.row.locked)
        for target in targets
        if target.row.locked
    }
    return {video: columns for video, columns in found.items() if columns}


def _changes(snapshot: Snapshot, target: Target) -> Iterator[Edit]:
    row = target.row
    for column in filter(lambda column: _may_be_written(column, row), _differing(snapshot, target)):
        at = snapshot.columns[column]
        if column == "action":
            yield ClearMark(row.number, at, row.key, str(row.cells.get("action", "")))
        else:
            yield SetCell(row.number, at, row.key, target.values[column])


def _differing(snapshot: Snapshot, target: Target) -> Iterator[str]:
    """The columns that do not say what they should; of a claim all, and Action if its mark is to be cleared."""
    for column, value in target.values.items():
        if target.is_claim or not says(target.row.cells.get(column, ""), value, snapshot.time_zone):
            yield column
    if target.clear_mark:
        yield "action"


def _may_be_written(column: str, row: Row) -> bool:
    """What lies under a merged cell stays empty, however often it is written; of a call that hits a protected cell
    Google does nothing at all.
    """
    return column not in row.hidden and column not in row.locked


def by_row(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """The edits of each row."""
    for _, group in groupby(sorted(edits, key=lambda edit: edit.row), key=lambda edit: edit.row):
        yield list(group)


def header_at(headers: Sequence[Scalar], column: int) -> str:
    """A header for comparison; empty where there is none. Across two reads a column's number tells nothing."""
    return normal(headers[column]) if 0 <= column < len(headers) else ""


def columns_now(after: Snapshot, header: str, column: int) -> list[int]:
    """Where a header stands now; a column without a header, or one of two of the same name, may be any of those."""
    headers = after.headers
    if header and header_at(headers, column) == header:
        return [column]
    if header:
        return [index for index, name in enumerate(headers) if normal(name) == header]
    width = max(map(len, after.grid), default=0)
    return [index for index in range(width) if header_at(headers, index) == ""]


def key_header(snapshot: Snapshot) -> str:
    """The header of the column that holds the video ids."""
    return header_at(snapshot.headers, snapshot.columns["video_id"])


def key_at(snapshot: Snapshot, row: int) -> str:
    """The video id that stands in a row."""
    return key_text(snapshot.cell(row, snapshot.columns["video_id"]))


def machine_headers(snapshot: Snapshot) -> set[str]:
    """Headers of what says nothing of whose row it is: what sheetsync writes may itself have gone astray."""
    columns = (snapshot.columns[key] for key in (*OURS, "action") if key in snapshot.columns)
    return {header_at(snapshot.headers, column) for column in columns}
