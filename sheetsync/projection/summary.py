"""PURE: what the Summary tab says: f(rows as they will be, what the ledger tells, now), and where each cell stands.

Owns the block A1:H29 of that tab, all of which is sheetsync's: credits, stages, what expires next and when; the block
beside it is `figures.py`'s. Making the tab (colours, charts) is `template/summary_tab.py`'s.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sheetsync.columns import header_of, letter, says, to_serial, zone
from sheetsync.model import Snapshot, Tracker, Value
from sheetsync.projected import Projection, SummaryCell, Target, Told
from sheetsync.projection import figures
from sheetsync.projection.videos import OWNERS, Grid, Place, Video, cell_at, videos_of

ROWS, COLUMNS = 29, 8
RANGE = f"A1:{letter(COLUMNS - 1)}{ROWS}"
BOTH_BLOCKS = f"A1:{letter(figures.LEFT + figures.COLUMNS - 1)}{ROWS}"
"""What is read: Google cuts it off where a tab is narrower."""

LEGEND = (
    "sheetsync writes A1:H29 and nothing else here. In the tracker, blue headers are for people, grey ones its own."
)

CREDITS, CHANGE, VIDEOS, NOTED = 2, 3, 4, 5  # rows of the single figures
LOCK: Place = (0, 3)
"""Why no order is sent: kept here too, for a ledger that is lost."""

STAGE_HEADER = 6
NOT_ORDERED = "not ordered"
STAGES = ("requested", "received", "activated", "spending", "paused", "renewal needed", "expired", "retired")
WEEK_HEADER = STAGE_HEADER + 2 + len(STAGES)
WEEKS = ROWS - WEEK_HEADER - 1
NEXT_HEADER, NEXT_COLUMN, NEXT = 2, 3, 10
EXPIRES, EXPIRY, VIDEO = NEXT_COLUMN, NEXT_COLUMN + 1, NEXT_COLUMN + 2


def title(tracker: Tracker) -> str:
    """What A1 says: a tab that says something else is somebody else's."""
    return f"Summary of {tracker.worksheet}"


def is_ours(grid: Grid, tracker: Tracker) -> bool:
    """Whether the tab's block is this tracker's."""
    return cell_at(grid, (0, 0)) == title(tracker)


def labels(tracker: Tracker) -> dict[Place, str]:
    """The words that stand in the block whatever the rows say."""
    names = (STAGE_HEADER, "Stage", "Videos"), (WEEK_HEADER, "Week from", "Codes that expire")
    singles = (CREDITS, "Credits left"), (CHANGE, "Last change"), (VIDEOS, "Videos"), (NOTED, "Rows with a Sync note")
    cells: dict[Place, str] = {(0, 0): title(tracker), (1, 0): LEGEND}
    cells |= {(row, 0): text for row, text in singles}
    cells |= {(row, column): text for row, *texts in names for column, text in enumerate(texts)}
    cells |= {(STAGE_HEADER + 1 + n, 0): stage for n, stage in enumerate((NOT_ORDERED, *STAGES))}
    for column, key in ((EXPIRES, "expires_at"), (EXPIRY, "expiry"), (VIDEO, "video_id")):
        cells[NEXT_HEADER, column] = header_of(key, tracker.columns)
    return cells


def projected(snapshot: Snapshot, targets: Sequence[Target], tracker: Tracker, told: Told, now: datetime) -> Projection:
    """The rows, and the cells of the Summary tab that say something else than they should; none without such a tab.

    A balance that nobody told leaves its cell as it is, and so does a `price_lock` of None.
    """
    block = _block(snapshot, tracker)
    if block is None:
        return Projection(tuple(targets))
    videos = tuple(videos_of(snapshot, targets))
    wanted: dict[Place, Value] = {**labels(tracker), **_figures(videos, told.balance)}
    if told.price_lock is not None:
        wanted[LOCK] = told.price_lock
    wanted |= _next(videos, snapshot, tracker, now)
    wanted |= _weeks(videos, snapshot.time_zone, now)
    heartbeat = None
    if figures.is_made(block, tracker):
        wanted |= figures.wanted(videos, snapshot, tracker, told, now)
        heartbeat = SummaryCell(figures.BEAT[0] + 1, figures.BEAT[1], now)
    differing = tuple(
        SummaryCell(row + 1, column, value)
        for (row, column), value in sorted(wanted.items())
        if not says(cell_at(block, (row, column)), value, snapshot.time_zone)
    )
    is_due = heartbeat is not None and figures.beat_is_due(block, snapshot.time_zone, now)
    return Projection(tuple(targets), differing, SummaryCell(CHANGE + 1, 1, now), heartbeat, is_due)


def price_lock(snapshot: Snapshot, tracker: Tracker) -> str:
    """What the Summary tab says of locked orders: it outlives the ledger."""
    block = _block(snapshot, tracker)
    return str(cell_at(block, LOCK)) if block else ""


def allow_cell(snapshot: Snapshot, tracker: Tracker) -> str:
    """The cell in which a person may allow orders; empty where there is none."""
    tab = snapshot.summary
    return f"cell {figures.ALLOW_CELL} of tab '{tab.title}'" if tab and figures.is_made(tab.grid, tracker) else ""


def _block(snapshot: Snapshot, tracker: Tracker) -> Grid | None:
    return snapshot.beside if is_ours(snapshot.beside, tracker) else None


def _figures(videos: Sequence[Video], balance: int | None) -> dict[Place, Value]:
    # a stage that a person's own formula or an older version left counts as none
    stages = Counter(video.stage if video.stage in STAGES else NOT_ORDERED for video in videos)
    cells: dict[Place, Value] = {(VIDEOS, 1): len(videos), (NOTED, 1): sum(video.noted for video in videos)}
    if balance is not None:
        cells[CREDITS, 1] = balance
    return cells | {(STAGE_HEADER + 1 + n, 1): stages[stage] for n, stage in enumerate((NOT_ORDERED, *STAGES))}


def _upcoming(videos: Sequence[Video], now: datetime) -> list[tuple[datetime, Video]]:
    """What is still to expire, soonest first; a retired code does not matter any more."""
    running = [(video.expires, video) for video in videos if video.expires and video.expires > now]
    upcoming = [(expires, video) for expires, video in running if video.stage != "retired"]
    return sorted(upcoming, key=lambda pair: (pair[0], pair[1].row.key))


def _next(videos: Sequence[Video], snapshot: Snapshot, tracker: Tracker, now: datetime) -> dict[Place, Value]:
    """The table of what expires next: owner and client where the tracker has them."""
    # whose code it is: a tracker without such columns gets empty cells in their place
    has_owner, has_client = not snapshot.columns.keys().isdisjoint(OWNERS), "client" in snapshot.columns
    heads = ["Owner"] * has_owner + [header_of("client", tracker.columns)] * has_client
    cells: dict[Place, Value] = {(NEXT_HEADER, VIDEO + 1 + n): (*heads, "", "")[n] for n in range(2)}
    upcoming = _upcoming(videos, now)
    for turn in range(NEXT):
        line: tuple[Value, ...] = ("",) * 5
        if turn < len(upcoming):
            expires, video = upcoming[turn]
            names = [video.owner] * has_owner + [video.name("client")] * has_client
            line = (expires, video.expiry, video.row.key, *names, *[""] * (2 - len(names)))
        cells |= {(NEXT_HEADER + 1 + turn, NEXT_COLUMN + n): value for n, value in enumerate(line)}
    return cells


def _weeks(videos: Sequence[Video], time_zone: str, now: datetime) -> dict[Place, Value]:
    """Expiries by week, from this week's Monday on, in the spreadsheet's time zone."""
    local = now.astimezone(zone(time_zone))
    # weeks begin where the team's calendar does, whatever UTC says
    monday = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC) - timedelta(days=local.weekday())
    first = round(to_serial(monday, "Etc/GMT"))
    counts = Counter(int((to_serial(expires, time_zone) - first) // 7) for expires, _ in _upcoming(videos, now))
    cells: dict[Place, Value] = {(WEEK_HEADER + 1 + n, 0): first + 7 * n for n in range(WEEKS)}
    return cells | {(WEEK_HEADER + 1 + n, 1): counts[n] for n in range(WEEKS)}
