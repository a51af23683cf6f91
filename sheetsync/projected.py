"""What a sheet should say, as frozen values: the rows' targets, the cells of the Summary tab, and what both tell.

Owns the types. What they say is the projection's and the claim's, how it is written the sheet's.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sheetsync.model import CellValue, Row, Value


@dataclass(frozen=True, slots=True)
class Target:
    """What a row's machine cells should say, or those that a person imports. A column that is left out keeps what it
    says.

    With `is_claim` they are written also where they say so already: it is the write that is verified.
    """

    row: Row
    values: Mapping[str, CellValue]
    clear_mark: bool = False
    is_claim: bool = False


@dataclass(frozen=True, slots=True)
class SummaryCell:
    """One cell of the Summary tab to write. `row` is the row number there, `column` 0-based."""

    row: int
    column: int
    value: Value


@dataclass(frozen=True, slots=True)
class Projection:
    """What a sheet should say: its rows, and the cells of its Summary tab that say something else.

    `last_change` goes with every other change of it, the `heartbeat` also alone, where it is due. Both are None where
    there is no Summary tab of this tracker. `others` are the rows of videos of which nothing is said.
    """

    targets: tuple[Target, ...]
    summary: tuple[SummaryCell, ...] = ()
    last_change: SummaryCell | None = None
    heartbeat: SummaryCell | None = None
    is_beat_due: bool = False
    others: int = 0

    def counts(self, column: str) -> Counter[str]:
        """How many rows will say which word in a machine column."""
        said = Counter(str(target.values.get(column, target.row.text(column)) or "") for target in self.targets)
        return said + Counter({"": self.others})

    def row_numbers(self) -> Mapping[str, int]:
        """The row number of each video; of duplicates the one whose mark acts: the first marked one, else the first."""
        rows = sorted((target.row for target in self.targets), key=lambda row: (not row.mark, row.number))
        return {row.key: row.number for row in reversed(rows)}

    def summary_changes(self, rows_change: bool) -> tuple[SummaryCell, ...]:
        """What to write to the Summary tab: `Last change` goes with another cell or with a row, never alone."""
        beat = (self.heartbeat,) if self.heartbeat else ()
        if self.last_change is None or not (self.summary or rows_change):
            return beat if self.is_beat_due else ()
        return (*self.summary, self.last_change, *beat)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one ad code request cost, and when it was ordered; a refunded one cost nothing, and is none."""

    video_id: str
    at: datetime
    credits: int


@dataclass(frozen=True, slots=True)
class Told:
    """What the Summary tab says that stands in no row; of what is None it says what it said.

    `is_good` if nothing has failed up to this write, which is the last of its run; else `last_good` is the last run
    that ended with exit code 0. `is_offering` if the cells in which a person may allow orders stay as they are.
    """

    balance: int | None = None
    price_lock: str | None = None
    spent: tuple[Charge, ...] = ()
    is_good: bool = True
    last_good: datetime | None = None
    is_offering: bool = False
