"""`sheetsync init`: look at a spreadsheet, and add to it what a tracker lacks, in one call.

Owns the order: read the tabs, read their cells, send what `template/` says is missing, tell it in words. Makes no
spreadsheet: the person makes it, and shares it with the service account.
"""

from collections.abc import Callable, Iterator, Sequence

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.clock import Clock
from sheetsync.errors import CredentialsError
from sheetsync.model import Tracker
from sheetsync.sheet.api import SheetsAPI, connect
from sheetsync.template import summary_tab, theirs, tracker_tab
from sheetsync.template.batch import Change, in_short, sentences
from sheetsync.template.spreadsheet import GRID_FIELDS, TABS_FIELDS, Spreadsheet, spreadsheet_of


@click.command()
@selecting("trackers")
@click.option("--dry-run", is_flag=True, help="Say what is missing, and send nothing.")
def init(selection: Selection, dry_run: bool) -> None:
    """Prepare the sheet: headers, dropdowns, colours, the Summary tab. Adds what is missing, and removes nothing.

    Make the spreadsheet yourself and share it with the service account as Editor. Which groups of optional columns it
    makes, `template: groups:` in the configuration says.
    """
    config, trackers = selection.load()
    api = connect(config.google.credentials, config.google.api_url, Clock())
    # what was done can be looked at in the sheet; what would be done is told to the last cell
    for line in init_trackers(api, trackers, dry_run, sentences if dry_run else in_short):
        click.echo(plain(line))


def read_spreadsheet(api: SheetsAPI, tracker: Tracker) -> Spreadsheet:
    """The spreadsheet as it is, in two reads: its tabs, then the cells of the two tabs that matter.

    One read cannot do: a range on a tab that is not there is an error, and without ranges every cell of every other
    tab would come along. Raises NotFound, CredentialsError, Unavailable.
    """
    answer = api.metadata(tracker.spreadsheet, TABS_FIELDS)
    without_cells = spreadsheet_of(answer)
    tabs = [tab for title in (tracker.worksheet, tracker.summary_tab) if (tab := without_cells.tab(title))]
    if not tabs:
        return without_cells
    ranges = ["'{}'!1:{}".format(tab.title.replace("'", "''"), tab.rows_read) for tab in tabs]
    return spreadsheet_of(answer, api.metadata(tracker.spreadsheet, GRID_FIELDS, ranges))


def missing(spreadsheet: Spreadsheet, tracker: Tracker) -> tuple[list[Change], list[str]]:
    """What `init` adds for the tracker's tab and its summary, and in words what it leaves to people.

    Raises HeaderError, NoKeyColumn.
    """
    summary, remarks = summary_tab.changes(spreadsheet, tracker)
    of_tables = theirs.remarks(spreadsheet.tab(tracker.worksheet), tracker)
    return [*tracker_tab.changes(spreadsheet, tracker), *summary], [*of_tables, *remarks]


def init_trackers(
    api: SheetsAPI,
    trackers: Sequence[Tracker],
    dry_run: bool,
    told: Callable[[Sequence[Change]], Sequence[str]] = sentences,
) -> Iterator[str]:
    """Prepare each tracker's spreadsheet, and say what was added, as `told` says it. With `dry_run`, nothing is sent.

    Raises what `read_spreadsheet`, `missing` and a write raise.
    """
    for tracker in trackers:
        spreadsheet = read_spreadsheet(api, tracker)
        changes, remarks = missing(spreadsheet, tracker)
        if not changes:
            yield f"tracker {tracker.name}: nothing is missing; nothing was changed"
        else:
            if not dry_run:
                _send(api, tracker, spreadsheet, changes)
            yield f"tracker {tracker.name}: " + ("init would add" if dry_run else "added")
            yield from (f"  {sentence}" for sentence in told(changes))
        yield from (f"  note: {remark}" for remark in remarks)
        if changes and dry_run:
            yield "  Nothing was sent; `sheetsync init` does it."


def _send(api: SheetsAPI, tracker: Tracker, spreadsheet: Spreadsheet, changes: Sequence[Change]) -> None:
    """In one batch, which Google carries out whole or not at all. Raises as a write does, and names a protection."""
    try:
        api.update(tracker.spreadsheet, {"requests": [change.request for change in changes]}, "spreadsheetId")
    except CredentialsError as error:
        stops = list(theirs.protections(spreadsheet.tab(tracker.worksheet), tracker, api.email, top=0))
        if not stops:
            raise
        raise CredentialsError(f"In tab '{tracker.worksheet}' {'; '.join(stops)}. Nothing was changed.") from error
