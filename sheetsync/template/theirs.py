"""PURE: what people have made of the tracker's tab, in words: what a table gives and costs, what a protection stops.

Owns these words. That nothing is sent which Google refuses in a table is `spreadsheet.py`'s, in a run
`sheet/requests.py`'s.
"""

from collections.abc import Iterator, Mapping

from sheetsync.columns import BY_KEY, OURS, Kind, bind, header_of
from sheetsync.model import Tracker
from sheetsync.template.spreadsheet import Tab, Table, column_range
from sheetsync.template.tracker_tab import missing_columns

_FITTING = {
    Kind.TEXT: ("TEXT", "DROPDOWN", "PEOPLE_CHIP", "FILES_CHIP", "PLACE_CHIP"),
    Kind.NUMBER: ("DOUBLE", "CURRENCY", "PERCENT"),
    Kind.DATE: ("DATE_TIME", "DATE"),
    Kind.CHECKBOX: ("BOOLEAN",),
}
"""Types in which a kind of column looks as it should, the best one first."""

_IN_THE_MENU = {"DATE_TIME": "Date time", "DOUBLE": "Number", "BOOLEAN": "Checkbox", "TEXT": "Text"}


def remarks(tab: Tab | None, tracker: Tracker) -> Iterator[str]:
    """What there is to know of tables over the tracker's headers. Raises HeaderError, NoKeyColumn."""
    if tab is None or not tab.tables:
        return
    at = bind(tab.headers, tracker.columns).columns
    places = sorted(at.items(), key=lambda place: place[1])
    names = {key: header_of(key, tracker.columns) for key in (*dict(places), *missing_columns(tab, tracker))}
    for table in tab.tables:
        inside = {key: place for key, place in places if table.range.left <= place < table.range.right}
        if inside and not table.range.top:
            yield _nature(table, [names[key] for key, place in inside.items() if place in table.types])
            yield from _unfitting(table, {names[key]: (BY_KEY[key].kind, place) for key, place in inside.items()})
            yield from _left_out(tab, table, [name for key, name in names.items() if key not in inside], at)


def _nature(table: Table, typed: list[str]) -> str:
    gives = f" and, in its typed columns ({', '.join(typed)}), formats and dropdowns: sheetsync sets none there"
    return f"the table '{table.name}' is served like any tab. It brings colours and a filter{gives if typed else ''}"


def _unfitting(table: Table, columns: dict[str, tuple[Kind, int]]) -> Iterator[str]:
    for header, (kind, column) in columns.items():
        if table.types.get(column, _FITTING[kind][0]) not in _FITTING[kind]:
            wanted = _IN_THE_MENU[_FITTING[kind][0]]
            odd = "dates show as numbers there" if kind is Kind.DATE else "what belongs there is marked as wrong"
            yield f"in the table '{table.name}', '{header}' is of another type than {wanted}, so {odd}: change its type"


def _left_out(tab: Tab, table: Table, beside: list[str], at: Mapping[str, int]) -> Iterator[str]:
    """What sorting the table tears from it."""
    below = [row for row in range(table.range.bottom, len(tab.cells)) if tab.cell(row, at["video_id"]).value != ""]
    parts = [", ".join(beside)] * bool(beside) + [f"the rows from {min(below) + 1} on" for _ in below[:1]]
    if parts:
        yield (
            f"the table '{table.name}' does not reach over {' and '.join(parts)}: sorting it leaves them behind, in "
            "rows of other videos. Drag its lower right corner over all of them"
        )


def protections(tab: Tab | None, tracker: Tracker, email: str, top: int = 1) -> Iterator[str]:
    """The ranges that people keep for themselves, over cells from a row on that sheetsync writes."""
    if tab is None:
        return
    at = bind(tab.headers, tracker.columns).columns
    ours = {key: column_range(at[key], top, tab.row_count) for key in (*OURS, "action") if key in at}
    for held in (held for held in tab.protected_ranges if held.stops_us):
        kept = [
            header_of(key, tracker.columns)
            for key, cells in ours.items()
            if held.range.meets(cells) and not any(free.covers(cells) for free in held.unprotected)
        ]
        if kept:
            what = f"'{held.description}'" if held.description else "a protected range"
            way_out = f"let {email or 'the service account'} edit it (Data > Protect sheets and ranges)"
            yield f"{what} keeps sheetsync from writing {', '.join(kept)}: {way_out}"
