"""The charts of a report as drawings that stand in its page: SVG, with text as text.

Owns how they look. Matplotlib draws; it needs no screen, and writes nothing outside a folder that is gone at once.
"""

import io
import os
import re
import warnings
from html import escape
from tempfile import TemporaryDirectory
from typing import Any

from sheetsync.projection.summary import STAGES
from sheetsync.reporting.charts import Chart

with TemporaryDirectory(prefix="sheetsync-") as _folder:
    # a report leaves the named files and nothing else, also where the home folder may not be written
    _before = os.environ.setdefault("MPLCONFIGDIR", _folder)
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if _before == _folder:
        del os.environ["MPLCONFIGDIR"]

COLOURS = {
    **dict.fromkeys(("charged", "to come", "codes"), "#1f4e79"),
    "refunded": "#e08214",
    "ended": "#bdbdbd",
    **dict(
        zip(
            STAGES,
            ("#c6dbef", "#6baed6", "#2171b5", "#08306b", "#969696", "#f5b335", "#cb4335", "#d9d9d9"),
            strict=True,
        )
    ),
}
"""By series. Those that meet in a drawing differ in lightness too, for who prints in black or sees no red."""

STYLE: Any = {
    "svg.fonttype": "none",  # text: it can be read out, found and copied
    "svg.hashsalt": "sheetsync",  # the same report is the same file
    "text.parse_math": False,  # a market may be called $
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
ROOM, LONGEST_LABEL = 62, 22
"""In characters: of all labels below a drawing, and of one beside it."""


def svg(chart: Chart) -> str:
    """A chart as an `svg` element, which says what it shows to those who do not see it."""
    # a glyph that this machine's fonts lack is drawn by the reader's
    with rc_context(STYLE), warnings.catch_warnings(action="ignore"):
        figure = Figure(figsize=(4.8, 2.9), layout="constrained")
        _bars(figure.subplots(), chart)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    # ids are unique in a page, not only in a drawing
    inner = re.sub(r'((?:\bid|href)="#?|url\(#)', rf"\g<1>{chart.key}-", drawn.getvalue().partition("<svg")[2])
    view = re.search(r'viewBox="[^"]*"', inner)
    title = f"<title>{escape(chart.title)}</title><desc>{escape(chart.says)}</desc>"
    label = escape(f"{chart.title}. {chart.says}")
    return f'<svg role="img" aria-label="{label}" {view and view[0]}>{title}{inner.partition(">")[2]}'


def _bars(axes: Any, chart: Chart) -> None:
    places, labels = range(len(chart.labels)), [_short(label) for label in chart.labels]
    up, down = [0] * len(labels), [0] * len(labels)
    for series in chart.series:
        base = [low if value < 0 else high for value, low, high in zip(series.values, down, up, strict=True)]
        look: Any = {
            "label": series.name,
            "color": COLOURS[series.name],
            "edgecolor": "white",
            "linewidth": 0.6,
        }
        if chart.is_sideways:
            axes.barh(places, series.values, left=base, **look)
        else:
            axes.bar(places, series.values, bottom=base, **look)
        up = [high + max(value, 0) for value, high in zip(series.values, up, strict=True)]
        down = [low + min(value, 0) for value, low in zip(series.values, down, strict=True)]
    names, numbers = (axes.yaxis, axes.xaxis) if chart.is_sideways else (axes.xaxis, axes.yaxis)
    # below one another names have room; beside one another only as many as do not touch
    step = 1 if chart.is_sideways else -(-sum(len(label) + 2 for label in labels) // ROOM)
    names.set_ticks(places[::step], labels[::step])
    names.set_tick_params(length=0)
    numbers.set_major_locator(MaxNLocator(integer=True, nbins=6))
    numbers.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if chart.is_sideways:
        axes.invert_yaxis()
    else:
        axes.set_xlabel(chart.label)
    (axes.set_xlabel if chart.is_sideways else axes.set_ylabel)(chart.unit)
    if any(down):
        axes.axhline(0, color="#555555", linewidth=0.8)
    if len(chart.series) > 1:
        axes.figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=8)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
