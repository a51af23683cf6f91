"""PURE: did a write land where it should?

Google Sheets has no conditional write (Sheets reference 3.2): between our read and our write, people may sort, insert
or delete. So each write asks, in the same atomic call, for the headers and rows as they stood when it landed. What
puts a write right that went astray is `repair.py`'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sheetsync.columns import key_text, normal, says
from sheetsync.model import Scalar, Snapshot
from sheetsync.sheet.edits import ClearMark, Edit, Landed, SetCell, header_at, key_header
from sheetsync.sheet.matching import are_rows_meant


def landed_right(edits: Sequence[Edit], landed: Landed, before: Snapshot) -> bool:
    """Whether every cell landed in the row of its key and under its header and says its value, every mark was cleared.

    Of duplicates it has to be the row that was meant: their key does not tell them apart. Of a row without a key that
    was emptied nothing is to be seen: a read has to tell.
    """
    columns = range(len(landed.headers))
    key_column = next((n for n in columns if header_at(landed.headers, n) == key_header(before)), None)
    if key_column is None or not all(edit.key for edit in edits):
        # nothing can be said of any row, or not of that one
        return False
    return all(_is_right(edit, key_column, landed, before) for edit in edits) and are_rows_meant(
        {edit.row for edit in edits}, landed, before
    )


def _is_right(edit: Edit, key_column: int, landed: Landed, before: Snapshot) -> bool:
    # a row that the answer does not show is not seen, and what is not seen is not right
    row = landed.rows.get(edit.row, ())
    if key_text(_cell(row, key_column)) != edit.key:
        return False
    if header_at(landed.headers, edit.column) != header_at(before.headers, edit.column):
        return False
    return _says(row, edit, before)


def told_by(landed: Landed, edits: Iterable[Edit], before: Snapshot) -> Landed | None:
    """What an answer tells of where a write landed; nothing unless it shows every value where it was written.

    Where a row came above the headers it shows none of them: they stand as they were read.
    """
    if not all(_says(landed.rows.get(edit.row, ()), edit, before) for edit in edits if isinstance(edit, SetCell)):
        return None
    is_header = set(filter(None, map(normal, landed.headers))) & set(map(normal, before.headers))
    return landed if is_header else replace(landed, headers=before.headers)


def _says(row: Sequence[Scalar], edit: Edit, before: Snapshot) -> bool:
    cell = _cell(row, edit.column)
    return cell != edit.mark if isinstance(edit, ClearMark) else says(cell, edit.value, before.time_zone)


def _cell(row: Sequence[Scalar], column: int) -> Scalar:
    return row[column] if column < len(row) else ""
