"""`sheetsync import`: a CSV file goes into columns that people write, and what it prints of that (see importing/).

Owns the question whether to write, and nothing that looks into a cell.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import one_line, plain
from sheetsync.cli.render import count
from sheetsync.cli.render import table as aligned
from sheetsync.cli.stopping import stoppable
from sheetsync.columns import header_of
from sheetsync.context import about
from sheetsync.errors import CredentialsError, Unavailable
from sheetsync.importing.comparing import Change, Left, Preview, shown
from sheetsync.importing.importing import Imported, Importer
from sheetsync.importing.table import Table, chosen_columns, read_table
from sheetsync.model import Snapshot, Tracker
from sheetsync.sync.clients import Clients, clock_for
from sheetsync.sync.trackers import run_id_for

SHOWN = 20
WIDEST = 40
REFUSED = 3
"""Exit code where cells were left as they are (design 7); the message says what would allow them."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", default="video_id", show_default=True, metavar="NAME", help="What the file calls the Video ID.")
@click.option("--columns", required=True, metavar="A,B", help="The columns to write, by key or by header.")
@selecting("trackers")
@click.option("--dry-run", is_flag=True, help="Say what every cell would change to, and write nothing.")
@click.option("--yes", is_flag=True, help="Write without asking.")
def import_(selection: Selection, file: Path, key: str, columns: str, dry_run: bool, yes: bool) -> None:
    """Write columns of a CSV file into existing rows, by their Video ID, once it has been shown what changes.

    Only columns that people write, and only those that are named. An empty field leaves its cell as it is; a cell that
    somebody changes after the preview is left, and named. Needs one tracker.

    \b
    Exit code: 0 done, 1 incomplete (call it again), 2 the file or a column, 3 cells were left, 4 another run, 5
    credentials.
    """
    config, trackers = selection.load()
    if len(trackers) != 1:
        names = ", ".join(tracker.name for tracker in trackers)
        raise click.UsageError(f"Say which tracker: --tracker NAME, one of {names}.")
    tracker, clock = trackers[0], clock_for(config)
    chosen = chosen_columns(columns.split(","), tracker.columns)
    table = read_table(str(file), file.read_bytes(), key, chosen, tracker.columns)
    run_id = run_id_for(clock.now())
    with about(run_id=run_id, tracker=tracker.name), Clients(config, clock, read_only=dry_run) as clients:
        importer = Importer(tracker, clients.sheets, clients.ledger, clock, run_id)
        with stoppable(clock.stop):
            seen, preview = importer.look(table, dry_run)
        _say(_preview(table, seen, preview, tracker, sys.maxsize if dry_run else SHOWN))
        if dry_run or not preview.changes:
            click.echo("Nothing was written.")
            sys.exit(REFUSED if preview.left else 0)
        if not yes:
            click.confirm(f"Write {_these(preview)}?", abort=True)
        try:
            with stoppable(clock.stop):
                imported = importer.write(seen, preview)
        except (Unavailable, CredentialsError):
            click.echo("Not all of it may have been written: call it again, and it shows what is missing.")
            raise
    _say(_done(imported, tracker))
    sys.exit(1 if imported.unverified else REFUSED if preview.left or imported.left else 0)


def _say(lines: Iterable[str]) -> None:
    click.echo("\n".join(map(plain, lines)))


def _these(preview: Preview) -> str:
    number = len(preview.changes)
    return "this cell" if number == 1 else f"these {number} cells"


def _preview(table: Table, seen: Snapshot, preview: Preview, tracker: Tracker, most: int) -> Iterator[str]:
    yield (
        f"tracker {tracker.name}, tab '{seen.title}': {count(len(table.lines), 'line')} in {table.name}: "
        f"{count(len(preview.changes), 'cell')} to write, {preview.present} say it already."
    )
    rows = sorted(preview.changes, key=lambda change: change.row)[:most]
    if rows:
        yield aligned([_change(change, seen, tracker) for change in rows])
    if len(preview.changes) > most:
        yield f"  ... and {len(preview.changes) - most} more; --dry-run tells all"
    yield from _left(preview.left, seen.title, tracker)


def _change(change: Change, seen: Snapshot, tracker: Tracker) -> list[str]:
    before, value = (_short(shown(cell, change.column, seen.time_zone)) for cell in (change.before, change.value))
    return [f"row {change.row}", change.key, header_of(change.column, tracker.columns), f"{before or '-'} -> {value}"]


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _left(left: Iterable[Left], tab: str, tracker: Tracker) -> Iterator[str]:
    for one in left:
        where = "no row" if one.row is None else f"row {one.row}"
        yield f"  left: tab '{tab}', '{header_of(one.column, tracker.columns)}', {where} ({one.key}): {one.why}"


def _done(imported: Imported, tracker: Tracker) -> Iterator[str]:
    yield f"tracker {tracker.name}: {count(imported.written, 'cell')} written."
    yield from _left(imported.left, imported.tab, tracker)
    if imported.unverified:
        videos = ", ".join(sorted(imported.unverified))
        yield f"  not verified in the sheet, call it again: {videos}"
    if imported.refusal:
        yield f"  {imported.refusal}"
