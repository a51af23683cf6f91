"""A report as one HTML file that needs nothing else: no network, no script.

Owns how values are told there; page.html is the page, page.css its looks. Whatever comes from outside is escaped.
"""

import re
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from sheetsync.reporting.charts import charts_of
from sheetsync.reporting.drawing import svg
from sheetsync.reporting.statement import Line, Statement

OWNERS = (("creator", "creator_owner"), ("paid", "paid_owner"), ("renewal", "renewal_owner"))

_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_HERE = Path(__file__).parent


def page_of(statement: Statement) -> str:
    """The file."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"moment": _moment, "number": _number, "linked": _linked, "owners": _owners}
    template = environment.from_string((_HERE / "page.html").read_text(encoding="utf-8"))
    charts = [(chart, Markup(svg(chart))) for chart in charts_of(statement)]
    style = Markup((_HERE / "page.css").read_text(encoding="utf-8"))
    return template.render(statement=statement, charts=charts, style=style)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _number(value: object) -> str:
    """As people write it: what is no number is told as it was typed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _linked(text: str) -> str:
    """An address that a click may open; nothing for any other text, such as a script."""
    return text if _LINK.fullmatch(text) else ""


def _owners(line: Line) -> list[tuple[str, str]]:
    return [(role, line.text(key)) for role, key in OWNERS if line.text(key)]
