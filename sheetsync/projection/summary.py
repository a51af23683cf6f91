"""PURE: what the Summary tab says: f(rows as they will be, balance, now), and where in its block each cell stands.

Owns the block A1:H29 of that tab, all of which is sheetsync's: credits, stages, what expires next and when. Making
the tab (colours, charts) is `template_summary.py`'s. Knows no network, file, clock or log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sheetsync.columns import BadCell, Value, from_serial, header_of, letter, says, to_serial, zone
from sheetsync.model import Row, Scalar, Snapshot, Tracker
from sheetsync.projection.cells import Target

Grid = Sequence[Sequence[Scalar]]
Place = tuple[int, int]
"""Line and column of a cell, both 0-based."""

LINES, COLUMNS = 29, 8
RANGE = f"A1:{letter(COLUMNS - 1)}{LINES}"
LEGEND = (
    "sheetsync writes A1:H29 and nothing else here. In the tracker, blue headers are for people, grey ones its own."
)

CREDITS, CHANGE, VIDEOS, NOTED = 2, 3, 4, 5  # lines of the single figures
STAGE_HEADER = 6
NOT_ORDERED = "not ordered"
STAGES = ("requested", "received", "activated", "spending", "paused", "renewal needed", "expired", "retired")
WEEK_HEADER = STAGE_HEADER + 2 + len(STAGES)
WEEKS = LINES - WEEK_HEADER - 1
NEXT_HEADER, NEXT_COLUMN, NEXT = 2, 3, 10
EXPIRES, EXPIRY, VIDEO = NEXT_COLUMN, NEXT_COLUMN + 1, NEXT_COLUMN + 2


def title(tracker: Tracker) -> str:
    """What A1 says: a tab that says something else is somebody else's."""
    return f"Summary of {tracker.worksheet}"


def is_ours(grid: Grid, tracker: Tracker) -> bool:
    """Whether the tab's block is this tracker's."""
    return _cell(grid, (0, 0)) == title(tracker)


def labels(tracker: Tracker) -> dict[Place, str]:
    """The words that stand in the block whatever the rows say."""
    names = (STAGE_HEADER, "Stage", "Videos"), (WEEK_HEADER, "Week from", "Codes that expire")
    singles = (CREDITS, "Credits left"), (CHANGE, "Last change"), (VIDEOS, "Videos"), (NOTED, "Rows with a Sync note")
    found: dict[Place, str] = {(0, 0): title(tracker), (1, 0): LEGEND}
    found |= {(line, 0): text for line, text in singles}
    found |= {(line, column): text for line, *texts in names for column, text in enumerate(texts)}
    found |= {(STAGE_HEADER + 1 + n, 0): stage for n, stage in enumerate((NOT_ORDERED, *STAGES))}
    for column, key in ((EXPIRES, "expires_at"), (EXPIRY, "expiry"), (VIDEO, "video_id")):
        found[NEXT_HEADER, column] = header_of(key, tracker.columns)
    return found


@dataclass(frozen=True, slots=True)
class SummaryCell:
    """One cell of the block to write. `line` is the row number there, `column` 0-based."""

    line: int
    column: int
    value: Value


@dataclass(frozen=True, slots=True)
class _Line:
    """A video as its row will be."""

    row: Row
    stage: str
    expiry: str
    noted: bool
    expires: datetime | None


def edits(
    snapshot: Snapshot, targets: Sequence[Target], tracker: Tracker, balance: int | None, now: datetime, changed: bool
) -> tuple[SummaryCell, ...]:
    """The cells of the Summary tab that say something else than they should; none where there is no such tab.

    `changed` if rows are written in this run: `Last change` goes with that or with another cell, never alone. A
    balance that nobody told leaves its cell as it is.
    """
    if snapshot.summary_sheet_id is None or not is_ours(snapshot.summary, tracker):
        return ()
    lines = tuple(_lines(snapshot, targets))
    wanted: dict[Place, Value] = {**labels(tracker), **_figures(lines, balance)}
    wanted |= _next(lines, snapshot, tracker, now)
    wanted |= _weeks(lines, snapshot.time_zone, now)
    differ = {
        place: value
        for place, value in wanted.items()
        if not says(_cell(snapshot.summary, place), value, snapshot.time_zone)
    }
    if differ or changed:
        differ[CHANGE, 1] = now
    return tuple(SummaryCell(line + 1, column, value) for (line, column), value in sorted(differ.items()))


def _cell(grid: Grid, place: Place) -> Scalar:
    cells = grid[place[0]] if place[0] < len(grid) else ()
    return cells[place[1]] if place[1] < len(cells) else ""


def _lines(snapshot: Snapshot, targets: Sequence[Target]) -> Iterator[_Line]:
    """Each video once, however many rows it has."""
    said = {target.row.number: target.values for target in targets}
    seen: set[str] = set()
    for row in snapshot.rows:
        if row.key and row.key not in seen:
            seen.add(row.key)
            yield _line(row, said.get(row.number, {}), snapshot.time_zone)


def _line(row: Row, said: Mapping[str, Value], time_zone: str) -> _Line:
    def text(key: str) -> str:
        return str(said.get(key, row.text(key)))

    expires = said["expires_at"] if "expires_at" in said else row.cells.get("expires_at", "")
    return _Line(row, text("stage").casefold(), text("expiry"), bool(text("sync_note")), _instant(expires, time_zone))


def _instant(value: Value | Scalar, time_zone: str) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, bool | str):
        return None
    try:
        return from_serial(value, time_zone)
    except BadCell:
        return None


def _figures(lines: Sequence[_Line], balance: int | None) -> dict[Place, Value]:
    stages = Counter(line.stage if line.stage in STAGES else NOT_ORDERED for line in lines)
    found: dict[Place, Value] = {(VIDEOS, 1): len(lines), (NOTED, 1): sum(line.noted for line in lines)}
    if balance is not None:
        found[CREDITS, 1] = balance
    return found | {(STAGE_HEADER + 1 + n, 1): stages[stage] for n, stage in enumerate((NOT_ORDERED, *STAGES))}


def _upcoming(lines: Sequence[_Line], now: datetime) -> list[tuple[datetime, _Line]]:
    """What is still to expire, soonest first; a retired code does not matter any more."""
    found = [(line.expires, line) for line in lines if line.expires and line.expires > now and line.stage != "retired"]
    return sorted(found, key=lambda pair: (pair[0], pair[1].row.key))


def _next(lines: Sequence[_Line], snapshot: Snapshot, tracker: Tracker, now: datetime) -> dict[Place, Value]:
    """The table of what expires next: creator and client where the tracker has them."""
    people = [key for key in ("creator", "client") if key in snapshot.columns]
    heads = [header_of(key, tracker.columns) for key in people]
    found: dict[Place, Value] = {(NEXT_HEADER, VIDEO + 1 + n): (*heads, "", "")[n] for n in range(2)}
    upcoming = _upcoming(lines, now)
    for turn in range(NEXT):
        cells: tuple[Value, ...] = ("",) * 5
        if turn < len(upcoming):
            expires, line = upcoming[turn]
            names = [line.row.text(key)[:200] for key in people] + [""] * (2 - len(people))
            cells = (expires, line.expiry, line.row.key, *names)
        found |= {(NEXT_HEADER + 1 + turn, NEXT_COLUMN + n): value for n, value in enumerate(cells)}
    return found


def _weeks(lines: Sequence[_Line], time_zone: str, now: datetime) -> dict[Place, Value]:
    """Expiries by week, from this week's Monday on, in the spreadsheet's time zone."""
    local = now.astimezone(zone(time_zone))
    monday = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) - timedelta(days=local.weekday())
    first = round(to_serial(monday, "Etc/GMT"))
    counts = Counter(int((to_serial(expires, time_zone) - first) // 7) for expires, _ in _upcoming(lines, now))
    found: dict[Place, Value] = {(WEEK_HEADER + 1 + n, 0): first + 7 * n for n in range(WEEKS)}
    return found | {(WEEK_HEADER + 1 + n, 1): counts[n] for n in range(WEEKS)}
