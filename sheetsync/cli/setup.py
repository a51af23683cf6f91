"""`sheetsync init`: look at a spreadsheet, and add to it what a tracker lacks, in one call.

Owns the order: read the tabs, read their cells, send what `template.py` says is missing, tell it in words. Makes no
spreadsheet: the person makes it, and shares it with the service account.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sheetsync.model import Tracker
from sheetsync.sheet.api import SheetsAPI
from sheetsync.template import spreadsheet as layout
from sheetsync.template import summary_tab as template_summary
from sheetsync.template import tracker_tab as template
from sheetsync.template.spreadsheet import Book, Tab
from sheetsync.template.tracker_tab import Change

_REPLY_FIELDS = "spreadsheetId"


@dataclass(frozen=True, slots=True)
class Lacks:
    """What a spreadsheet lacks for a tracker; `remarks` are what `init` leaves to people."""

    changes: tuple[Change, ...]
    remarks: tuple[str, ...] = ()


def look(api: SheetsAPI, tracker: Tracker) -> Book:
    """The spreadsheet as it is, in two reads: its tabs, then the cells of the two tabs that matter.

    One read cannot do: a range on a tab that is not there is an error, and without ranges every cell of every other
    tab would come along. Raises NotFound, CredentialsError, Unavailable.
    """
    book = layout.book_of(api.metadata(tracker.spreadsheet, layout.TABS_FIELDS))
    tabs = [tab for name in (tracker.worksheet, tracker.summary_tab) if (tab := book.tab(name))]
    if not tabs:
        return book
    looked_at = {tab.sheet_id: min(tab.line_count, layout.LINES_LOOKED_AT) for tab in tabs}
    ranges = [_lines(tab, looked_at[tab.sheet_id]) for tab in tabs]
    return layout.with_cells(book, api.metadata(tracker.spreadsheet, layout.GRID_FIELDS, ranges), looked_at)


def _lines(tab: Tab, count: int) -> str:
    title = tab.title.replace("'", "''")
    return f"'{title}'!1:{count}"


def lacks(book: Book, tracker: Tracker) -> Lacks:
    """What is missing, for the tracker's tab and its summary. Raises HeaderError, NoKeyColumn."""
    changes = template.changes(book, tracker)
    added = [change.request["addSheet"]["properties"]["sheetId"] for change in changes if "addSheet" in change.request]
    more, remark = template_summary.changes(book, tracker, added)
    return Lacks((*changes, *more), (remark,) if remark else ())


def run(api: SheetsAPI, trackers: Sequence[Tracker], dry_run: bool) -> Iterator[str]:
    """Prepare each tracker's spreadsheet, and say what was added. With `dry_run`, nothing is sent.

    Raises what `look`, `lacks` and a write raise.
    """
    for tracker in trackers:
        missing = lacks(look(api, tracker), tracker)
        if missing.changes and not dry_run:
            requests = [change.request for change in missing.changes]
            api.update(tracker.spreadsheet, {"requests": requests}, _REPLY_FIELDS)
        yield from _told(tracker, missing, dry_run)


def _told(tracker: Tracker, missing: Lacks, dry_run: bool) -> Iterator[str]:
    if not missing.changes:
        yield f"tracker {tracker.name}: nothing is missing; nothing was changed"
    else:
        yield f"tracker {tracker.name}: " + ("init would add" if dry_run else "added")
        yield from (f"  {sentence}" for sentence in template.sentences(missing.changes))
    yield from (f"  note: {remark}" for remark in missing.remarks)
    if missing.changes and dry_run:
        yield "  Nothing was sent; `sheetsync init` does it."
