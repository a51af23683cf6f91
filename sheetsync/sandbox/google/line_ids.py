"""Which row or column is which, wherever it has moved: ids that a page can name a line of cells by.

Owns giving and finding them; the grid carries them along. A sheet whose lines nobody has named keeps none.
"""

from __future__ import annotations

from uuid import uuid4

from sheetsync.sandbox.google.a1 import Dimension
from sheetsync.sandbox.google.grid import Sheet


def id_of(sheet: Sheet, dimension: Dimension, at: int) -> str:
    """The id of a row or column, a new one if it has none."""
    ids = sheet.ids[dimension]
    ids += [None] * (at + 1 - len(ids))
    found = ids[at] or uuid4().hex[:12]  # not counted: a page outlives the sandbox, and must not name another's row
    ids[at] = found
    return found


def index_of(sheet: Sheet, dimension: Dimension, line: str) -> int:
    """Where the line with an id is now. Raises LookupError where it is gone."""
    if line not in sheet.ids[dimension]:
        raise LookupError(f"That {dimension.lower()[:-1]} is gone.")
    return sheet.ids[dimension].index(line)


def give(sheet: Sheet, dimension: Dimension, at: int, line: str) -> None:
    """A line that comes back gets its id again."""
    id_of(sheet, dimension, at)
    sheet.ids[dimension][at] = line
