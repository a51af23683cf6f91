"""PURE: the second block of the Summary tab: runs, credits, who is waited for, what was spent, what has expired.

Owns the block J1:O29. `init` makes it, where nothing of anybody's stands; a tab without it (of an earlier version, say)
is written without it. All of it is sheetsync's but for one cell, in which a person allows orders: what has to stand
round it for its number to count is said here.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sheetsync.columns import header_of, letter, same, zone
from sheetsync.model import Snapshot, Tracker, Value
from sheetsync.projected import Charge, Told
from sheetsync.projection.videos import Grid, Place, Video, cell_at, instant_in
from sheetsync.steps import Offer

ROWS, LEFT, COLUMNS = 29, 9, 6
RANGE = f"{letter(LEFT)}1:{letter(LEFT + COLUMNS - 1)}{ROWS}"

BEAT: Place = (2, LEFT + 1)
"""The heartbeat: the last run, told at most once an hour where nothing else is written."""

GOOD: Place = (3, LEFT + 1)
"""The last good run: one that nobody has to look into."""

AGES: tuple[Place, Place] = ((2, LEFT + 2), (3, LEFT + 2))
"""The formulas of `init` beside these two: no run could say that there was none."""

ENOUGH: Place = (4, LEFT + 1)
WAITING: Place = (5, LEFT + 1)
ALLOW: Place = (6, LEFT + 1)
"""Where a person types how many orders are allowed."""

ALLOW_CELL = f"{letter(ALLOW[1])}{ALLOW[0] + 1}"
ASKED = f"A1:{letter(LEFT + COLUMNS - 1)}{ALLOW[0] + 1}"
"""What has to be seen for a number there to count: the words round it too."""
WAITS_HEADER, WAITS = 7, 5
SPENT_HEADER, CLIENTS, MONTHS = 13, 6, 3
PAST_HEADER, PAST = 22, 6

BEAT_AFTER = timedelta(hours=1)
THIS_ONE = "the last one"
TOKPORTAL, NOBODY, NO_ROW, OTHERS = "TokPortal", "nobody named", "no row", "others"
EARLIER, IN_ALL = "earlier", "in all"


def title(tracker: Tracker) -> str:
    """What J1 says where the block has been made."""
    return f"Runs and credits of {tracker.worksheet}"


def is_made(grid: Grid, tracker: Tracker) -> bool:
    """Whether the tab has this block."""
    return cell_at(grid, (0, LEFT)) == title(tracker)


def labels(tracker: Tracker) -> dict[Place, str]:
    """The words that stand in the block whatever else it says."""
    legend = f"sheetsync writes {RANGE}, but for what people type into {ALLOW_CELL}."
    singles = {BEAT: "Last run", GOOD: "Last good run", ENOUGH: "Credits enough for", WAITING: "Orders that wait"}
    cells = {(row, LEFT): text for (row, _), text in {**singles, ALLOW: "Allow so many"}.items()}
    cells |= {(0, LEFT): title(tracker), (1, LEFT): legend}
    heads: tuple[tuple[int, tuple[str, ...]], ...] = (
        (WAITS_HEADER, ("Waits for", "Videos")),
        (SPENT_HEADER, ("Credits spent for",)),
        (
            PAST_HEADER,
            ("Expired", "Owner", header_of("client", tracker.columns), header_of("video_id", tracker.columns)),
        ),
    )
    return cells | {(row, LEFT + n): text for row, texts in heads for n, text in enumerate(texts)}


def wanted(
    videos: Sequence[Video], snapshot: Snapshot, tracker: Tracker, told: Told, now: datetime
) -> dict[Place, Value]:
    """What the block should say, but for the heartbeat, which goes with a change or after an hour."""
    cells: dict[Place, Value] = {**labels(tracker), GOOD: THIS_ONE if told.is_good else told.last_good or "none yet"}
    if told.balance is not None:
        codes = max(0, told.balance - tracker.keep_credits) // max(1, tracker.price)
        cells[ENOUGH] = f"{codes} codes of {tracker.price}"
    if not told.is_offering:
        off = "" if tracker.max_orders_at_sheet else "off: `max_orders_at_sheet` is not set"
        cells |= {WAITING: "", _beside(WAITING): "", ALLOW: "", _beside(ALLOW): off}
    cells |= _table(WAITS_HEADER + 1, WAITS, 2, _waits(videos))
    months = _months(now, snapshot.time_zone)
    cells |= {(SPENT_HEADER, LEFT + 1 + n): text for n, text in enumerate((*months, EARLIER, IN_ALL))}
    cells |= _table(SPENT_HEADER + 1, CLIENTS + 2, 3 + MONTHS, _spent(videos, told.spent, months, snapshot.time_zone))
    return cells | _table(PAST_HEADER + 1, PAST, 4, _past(videos, now))


def beat_is_due(grid: Grid, time_zone: str, now: datetime) -> bool:
    """Whether the last run is told even if nothing else is: also where a clock was set back."""
    shown = instant_in(cell_at(grid, BEAT), time_zone)
    return shown is None or abs(now - shown) >= BEAT_AFTER


def offered(grid: Grid, offer: Offer) -> dict[Place, Value]:
    """What the block says of orders that a person may allow there: the cell is emptied for it."""
    ask = f"orders for {offer.credits} credits. To allow just these, type {offer.orders} into {ALLOW_CELL}."
    void = "What stood here allowed nothing: other orders wait, or no such number was typed by hand."
    remark = "" if cell_at(grid, ALLOW) == "" else void
    return {WAITING: offer.orders, _beside(WAITING): ask, ALLOW: "", _beside(ALLOW): remark}


def number_typed(grid: Grid, tracker: Tracker) -> float:
    """The number in that cell, if it is one and those round it say that so many orders wait; else 0."""
    typed = cell_at(grid, ALLOW)
    if isinstance(typed, bool | str):
        return 0
    return typed if _waiting(grid, tracker, typed) else 0


def is_offering(grid: Grid, tracker: Tracker, orders: int) -> bool:
    """Whether so many orders can be seen to wait, and nothing to be allowed."""
    return _waiting(grid, tracker, orders) and cell_at(grid, ALLOW) == ""


def _waiting(grid: Grid, tracker: Tracker, orders: float) -> bool:
    """Whether so many orders wait, and every word of ours stands where it should: rows or columns may have moved."""
    words = {place: text for place, text in labels(tracker).items() if place[0] <= ALLOW[0]}
    return all(same(cell_at(grid, place), said) for place, said in {**words, WAITING: orders}.items())


def _beside(place: Place) -> Place:
    return place[0], place[1] + 1


def _table(top: int, rows: int, columns: int, lines: Sequence[Sequence[Value]]) -> dict[Place, Value]:
    """The lines of a table, and nothing below them."""
    filled = [*lines, *[("",) * columns] * (rows - len(lines))]
    return {(top + down, LEFT + right): value for down, line in enumerate(filled) for right, value in enumerate(line)}


def _most(counts: Counter[str], rows: int) -> Iterator[tuple[str, list[str]]]:
    """The names that count most, each with itself; what has no room of its own comes last, as one."""
    names = sorted(counts, key=lambda name: (-counts[name], name))
    own = names if len(names) <= rows else names[: rows - 1]
    yield from ((name, [name]) for name in own)
    if rest := names[len(own) :]:
        yield OTHERS, rest


def _waits(videos: Sequence[Video]) -> list[tuple[Value, ...]]:
    """Whose move it is: TokPortal's where a request is open, else the owner's where a row has something to say."""
    ordered = sum(video.stage == "requested" for video in videos)
    owners = Counter(video.owner or NOBODY for video in videos if _asks(video))
    lines = [(name, sum(owners[each] for each in names)) for name, names in _most(owners, WAITS - 1)]
    return [(TOKPORTAL, ordered), *lines]


def _asks(video: Video) -> bool:
    """Whether a person has to move: a note to read, or a code that ends soon."""
    return video.stage != "requested" and (video.noted or video.stage == "renewal needed")


def _months(now: datetime, time_zone: str) -> tuple[str, ...]:
    """This month and those before it, as 2026-06."""
    local = now.astimezone(zone(time_zone))
    count = local.year * 12 + local.month - 1
    return tuple(f"{(count - n) // 12}-{(count - n) % 12 + 1:02}" for n in range(MONTHS))


def _spent(
    videos: Sequence[Video], charges: Sequence[Charge], months: Sequence[str], time_zone: str
) -> list[tuple[Value, ...]]:
    """Credits by client and month, refunds deducted; the last line is the sum of all."""
    charged = {charge.video_id for charge in charges}
    clients = {v.row.key: v.name("client") or NOBODY for v in videos if v.row.key in charged}
    by_client: dict[str, Counter[str]] = {}
    for charge in charges:
        # a clock that is ahead of this one has not spent in another month
        month = min(f"{charge.at.astimezone(zone(time_zone)):%Y-%m}", months[0])
        by_client.setdefault(clients.get(charge.video_id, NO_ROW), Counter())[month] += charge.credits
    totals = Counter({client: spent.total() for client, spent in by_client.items()})
    lines = [(name, [by_client[each] for each in names]) for name, names in _most(totals, CLIENTS + 1)]
    return [_line(name, spent, months) for name, spent in [*lines, (IN_ALL, list(by_client.values()))]]


def _line(name: str, spent: Sequence[Counter[str]], months: Sequence[str]) -> tuple[Value, ...]:
    shown, total = [sum(each[month] for each in spent) for month in months], sum(each.total() for each in spent)
    return (name, *shown, total - sum(shown), total)


def _past(videos: Sequence[Video], now: datetime) -> list[tuple[Value, ...]]:
    """What has expired, the latest first; a retired code does not matter any more."""
    over = [(video.expires, video) for video in videos if video.expires and video.expires <= now]
    kept = sorted(((expires, v) for expires, v in over if v.stage != "retired"), key=lambda p: (p[0], p[1].row.key))
    return [(expires, v.owner, v.name("client"), v.row.key) for expires, v in kept[: -PAST - 1 : -1]]
