"""`sheetsync fill`: finalized videos at TokPortal become rows, and what it prints of that (sheetsync/filling/)."""

import sys
from collections.abc import Iterator
from datetime import datetime

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import count
from sheetsync.cli.stopping import stoppable
from sheetsync.cli.watching import watching
from sheetsync.context import about
from sheetsync.errors import SheetsyncError
from sheetsync.filling.fill import ALL, Filled, Wanted
from sheetsync.filling.fill import fill as fill_tracker
from sheetsync.model import Tracker
from sheetsync.sync.clients import Clients, clock_for
from sheetsync.sync.progress import Progress
from sheetsync.sync.trackers import run_id_for


@click.command()
@selecting("trackers")
@click.option("--dry-run", is_flag=True, help="Say which rows would be added, and write nothing.")
@click.option("--account", default="", metavar="ID", help="Only this account, by its TikTok name or its id.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only videos finalized since then.")
@click.option("--limit", type=click.IntRange(1), default=ALL, metavar="N", help="At most N rows.")
def fill(selection: Selection, dry_run: bool, account: str, since: datetime | None, limit: int) -> None:
    """Add a row for each finalized video at TokPortal that the tracker lacks. Sets no mark, changes no row.

    A row that people have removed stays away. What goes into which column: `fill:` in the configuration.
    """
    config, trackers = selection.load()
    clock = clock_for(config)
    wanted = Wanted(run_id_for(clock.now()), account, since.date() if since else None, limit, dry_run)
    codes = set()
    with about(run_id=wanted.run_id), Clients(config, clock, read_only=dry_run) as clients, stoppable(clock.stop):
        for tracker in trackers:
            with watching() as progress:
                filled = _filled(tracker, clients, wanted, progress)
            click.echo("\n".join(map(plain, _lines(filled, dry_run))))
            codes.add(filled.exit_code)
    sys.exit(next((code for code in (5, 2, 3, 4, 1) if code in codes), 0))


def _filled(tracker: Tracker, clients: Clients, wanted: Wanted, progress: Progress) -> Filled:
    parts = tracker, clients.sheets, clients.portal, clients.ledger, clients.clock, wanted, progress
    if wanted.dry_run:
        return fill_tracker(*parts)
    try:
        with clients.ledger.lock(tracker.name, wanted.run_id, clients.clock.now()):
            return fill_tracker(*parts)
    except SheetsyncError as error:
        return Filled(tracker.name, error=error)


def _lines(filled: Filled, dry_run: bool) -> Iterator[str]:
    verb = "would be added" if dry_run else "added"
    looked = f"{count(filled.accounts, 'account')} looked through"
    yield f"tracker {filled.name}: {looked}: {count(len(filled.added), 'row')} {verb}, {filled.present} there already."
    if dry_run:
        yield from (f"  {video}" for video in filled.added)
    if filled.removed:
        yield f"  {count(filled.removed, 'video')} had a row that people removed: not added again."
    yield from (f"  {line}" for line in filled.told)
    if filled.waiting:
        yield f"  {count(filled.waiting, 'row')} sent without an answer: run it again in 4 minutes, which looks first."
    if filled.error:
        yield f"  {filled.error}"
        yield "  Rows that were added are whole; run it again to go on."
