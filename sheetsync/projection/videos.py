"""PURE: each video once, as its row will be, and how a cell of the Summary tab is found: what both its blocks need."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sheetsync.columns import BadCell, from_serial
from sheetsync.model import CellValue, Row, Scalar, Snapshot
from sheetsync.projected import Target

Grid = Sequence[Sequence[Scalar]]
Place = tuple[int, int]
"""Row and column of a cell of the Summary tab, both 0-based."""

OWNERS = ("paid_owner", "creator_owner", "creator")
"""Who is to move for a video: the first of these columns that says somebody."""


@dataclass(frozen=True, slots=True)
class Video:
    """A video as its row will be."""

    row: Row
    stage: str
    expiry: str
    noted: bool
    expires: datetime | None

    @property
    def owner(self) -> str:
        """Who is to move; empty where nobody is named."""
        return next(filter(None, map(self.name, OWNERS)), "")

    def name(self, key: str) -> str:
        """A cell of people, no longer than a figure beside it can bear."""
        return self.row.text(key)[:200]


def cell_at(grid: Grid, place: Place) -> Scalar:
    """A cell of what was read; beyond it, empty."""
    cells = grid[place[0]] if place[0] < len(grid) else ()
    return cells[place[1]] if place[1] < len(cells) else ""


def videos_of(snapshot: Snapshot, targets: Sequence[Target]) -> Iterator[Video]:
    """Each video once, however many rows it has."""
    said = {target.row.number: target.values for target in targets}
    seen: set[str] = set()
    for row in snapshot.rows:
        if row.key and row.key not in seen:
            seen.add(row.key)
            is_told = row.number in said or not row.is_plain
            yield (
                _video(row, said.get(row.number, {}), snapshot.time_zone)
                if is_told
                else Video(row, "", "", False, None)
            )


def _video(row: Row, said: Mapping[str, CellValue], time_zone: str) -> Video:
    def text(key: str) -> str:
        return str(said.get(key, row.text(key)))

    expires = said["expires_at"] if "expires_at" in said else row.cells.get("expires_at", "")
    return Video(row, text("stage").casefold(), text("expiry"), bool(text("sync_note")), instant_in(expires, time_zone))


def instant_in(value: CellValue, time_zone: str) -> datetime | None:
    """The instant that a cell shows, or will; None where it shows none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool | str):
        return None
    try:
        return from_serial(value, time_zone)
    except BadCell:
        return None
