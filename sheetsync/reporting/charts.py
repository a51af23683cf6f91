"""PURE: what the charts of a report show, each as labels and numbers: drawn, and told as a table beside the drawing.

Owns what is counted, and the sentence that a reader who sees no drawing is told.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from sheetsync.projection.figures import OTHERS
from sheetsync.projection.summary import STAGES
from sheetsync.reporting.statement import Line, Statement

MOST_WEEKS, MOST_MARKETS = 53, 8
HOURS = (1, 3, 6, 12, 24, 48, 72)


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind, one for each label of their chart."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the series of one label on top of each other; `is_sideways` where the labels are names."""

    key: str
    title: str
    says: str
    unit: str
    label: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    is_sideways: bool = False


def charts_of(statement: Statement) -> tuple[Chart, ...]:
    """Those that have something to show."""
    made = (_expiries(statement), _waits(statement), _credits(statement), _stages(statement))
    return tuple(chart for chart in made if chart.labels)


def _expiries(statement: Statement) -> Chart:
    today = statement.made_at.date()
    ends = [line.ends.date() for line in statement.in_use if line.ends]
    weeks = _weeks(sorted(map(_monday, ends)))
    counts = Counter(map(_monday, ends))
    # a week that is running has ends on both sides of today
    past = Counter(_monday(day) for day in ends if day < today)
    to_come = sum(day >= today for day in ends)
    return Chart(
        "expiries",
        "Expiries by week",
        f"{to_come} of {len(ends)} codes in use end today or later.",
        "codes",
        "week from",
        tuple(f"{week:%d %b %Y}" for week in weeks),
        _told(
            Series("ended", tuple(past[week] for week in weeks)),
            Series("to come", tuple(counts[week] - past[week] for week in weeks)),
        ),
    )


def _told(*series: Series) -> tuple[Series, ...]:
    """Those that say something."""
    return tuple(each for each in series if any(each.values))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _weeks(found: Sequence[date]) -> list[date]:
    """Every week from the first to the last, of a long time the last ones."""
    if not found:
        return []
    count = (found[-1] - found[0]).days // 7 + 1
    return [found[-1] - timedelta(weeks=n) for n in reversed(range(min(count, MOST_WEEKS)))]


def _waits(statement: Statement) -> Chart:
    hours = [
        (line.received_at - line.asked_at).total_seconds() / 3600
        for line in statement.lines
        if line.received_at and line.asked_at
    ]
    bins = Counter(sum(each >= bound for bound in HOURS) for each in hours)
    bounds = zip((0, *HOURS), HOURS, strict=False)
    labels = (*(f"{low}-{high}" for low, high in bounds), f"{HOURS[-1]}+")
    return Chart(
        "waits",
        "Hours from request to code",
        f"Half of {len(hours)} codes came within {median(hours):.1f} hours." if hours else "",
        "codes",
        "hours",
        labels if hours else (),
        (Series("codes", tuple(bins[n] for n in range(len(labels)))),),
    )


def _credits(statement: Statement) -> Chart:
    months, (charged, refunded) = statement.months, statement.in_all[2:]
    return Chart(
        "credits",
        "Credits by month",
        f"{charged} credits were charged, {refunded} came back: {charged - refunded} spent.",
        "credits",
        "month",
        tuple(total.month for total in months),
        _told(
            Series("charged", tuple(total.charged for total in months)),
            Series("refunded", tuple(-total.refunded for total in months)),
        ),
    )


def _stages(statement: Statement) -> Chart:
    lines = [line for line in statement.lines if line.has_stage and line.state in STAGES]
    sizes = Counter(_market(line) for line in lines)
    markets = sorted(sizes, key=lambda market: (-sizes[market], market))
    own = markets if len(markets) <= MOST_MARKETS else markets[: MOST_MARKETS - 1]
    counts = Counter((market if market in own else OTHERS, line.state) for line in lines if (market := _market(line)))
    labels = own if own == markets else [*own, OTHERS]
    stages = [stage for stage in STAGES if any(counts[label, stage] for label in labels)]
    said = ", ".join(f"{sum(counts[label, stage] for label in labels)} {stage}" for stage in stages)
    return Chart(
        "stages",
        "Codes by stage and market",
        f"{len(lines)} videos: {said}.",
        "videos",
        "market",
        tuple(labels),
        tuple(Series(stage, tuple(counts[label, stage] for label in labels)) for stage in stages),
        is_sideways=True,
    )


def _market(line: Line) -> str:
    return line.text("market") or "no market"
