"""A small sheet of three rows for tests, what people do to it, and what a write by line and column does to it then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sheetsync.columns import to_serial
from sheetsync.model import Scalar, Snapshot
from sheetsync.sheet.edits import ClearMark, Edit, Landed, SetCell
from support.builders import NOW, SHEET, snapshot

KEY, ACTION, CLIENT, TICK, SPEND, STATUS, CODE, ID, UPDATED = range(len(SHEET))
THEN = NOW - timedelta(days=1)
Line = Sequence[Scalar]

A: Line = ("vid-a", "request", "Acme", True, 12.5, "", "", "", "")
B: Line = ("vid-b", "renew", "Bolt", False, 3, "finalized", "#B", "R7", to_serial(THEN, "Etc/GMT"))
C: Line = ("vid-c", "", "Cord", "", "", "in_review", "#C", "R8", "")
ZED: Line = ("", "", "Zed", True, 1, "", "", "", "")
YAK: Line = ("", "renew", "Yak", True, 2, "typed", "", "", "")
BLANK: Line = ("",) * len(SHEET)
BEFORE = snapshot(A, B, C)
FOR_A = (
    SetCell(2, STATUS, "vid-a", "pending"),
    SetCell(2, ID, "vid-a", "R9"),
    ClearMark(2, ACTION, "vid-a", str(A[ACTION])),
    SetCell(2, UPDATED, "vid-a", NOW),
)
FOR_B = (
    SetCell(3, STATUS, "vid-b", "pending"),
    ClearMark(3, ACTION, "vid-b", str(B[ACTION])),
    SetCell(3, UPDATED, "vid-b", NOW),
)


def land(written: Sequence[Edit], on: Snapshot) -> tuple[Landed, Snapshot]:
    """Writes cells by line and column into a sheet as it stands now; what the answer says, and a read made after."""
    grid = [list(line) for line in on.grid]
    for edit in written:
        while len(grid) < edit.row:
            grid.append([])
        line = grid[edit.row - 1]
        line.extend([""] * (edit.column + 1 - len(line)))
        if isinstance(edit, ClearMark) and line[edit.column] != edit.mark:
            continue
        line[edit.column] = to_serial(edit.value, on.time_zone) if isinstance(edit.value, datetime) else edit.value
    after = snapshot(*grid[1:], headers=grid[0], time_zone=on.time_zone)
    return Landed(after.headers, {e.row: after.grid[e.row - 1] for e in written}), after


def column(sheet: Snapshot, at: int, header: str | None = "") -> Snapshot:
    """The sheet with a column inserted at `at`; without one there, for header None."""
    grid = []
    for number, line in enumerate(sheet.grid):
        if header is None:
            grid.append([*line[:at], *line[at + 1 :]])
        else:
            grid.append([*line[:at], "" if number else header, *line[at:]])
    return snapshot(*grid[1:], headers=grid[0])
