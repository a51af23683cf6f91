"""`sheetsync status`: what the ledger knows of each tracker, as text and JSON. Asks no service."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.render import attributes, count, shown, stamp, table
from sheetsync.ledger.store import Ledger, Run
from sheetsync.model import Entry


@click.command()
@selecting("trackers", "videos", "as_json")
def status(selection: Selection) -> None:
    """Tell what the ledger knows: last run, balance, open requests, codes. Asks nobody, changes nothing."""
    config, trackers = selection.load()
    with Ledger(config.state, read_only=True) as ledger:
        found = [status_of(ledger, tracker.name, selection.videos) for tracker in trackers]
    document = {"trackers": [_status_json(each) for each in found]}
    click.echo(shown(selection, document, "\n".join(map(_status_text, found))))


@dataclass(frozen=True, slots=True)
class Status:
    """One tracker: its last run, the last balance and when it was told, the latest request of each video."""

    name: str
    last_run: Run | None
    balance: tuple[int, datetime] | None
    entries: tuple[tuple[str, Entry], ...]
    unsettled: int


def status_of(ledger: Ledger, tracker: str, videos: Sequence[str]) -> Status:
    """The status of a tracker; with `videos`, of these alone."""
    known = ledger.known(tracker)
    entries = tuple((v, e) for v, e in sorted(known.latest.items()) if not videos or v in videos)
    return Status(tracker, ledger.last_run(tracker), ledger.balance(tracker), entries, len(known.unsettled))


def _status_text(found: Status) -> str:
    """A summary, then the open requests."""
    run = found.last_run
    told = f"last run {stamp(run.finished_at)}, exit code {run.exit_code}" if run else "never synced"
    lines = [f"tracker {found.name}: {told}"]
    if found.balance:
        lines.append(f"  {found.balance[0]} credits at {stamp(found.balance[1])}")
    counts = Counter(entry.request.status for _, entry in found.entries)
    listed = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    lines.append(f"  {count(len(found.entries), 'video')}: {listed or 'none ordered yet'}")
    if found.unsettled:
        lines.append(f"  {count(found.unsettled, 'order')} whose answer was lost; the next sync looks.")
    waiting = [(v, e.request.status, stamp(e.seen_at)) for v, e in found.entries if e.request.is_open]
    if waiting:
        lines.append(table([("open", "status", "last seen"), *waiting]))
    return "\n".join(lines)


def _status_json(found: Status) -> dict[str, Any]:
    """The same as a document; codes stay out of it."""
    run, balance = found.last_run, found.balance
    return {
        "name": found.name,
        "last_run": run and attributes(run, "run_id", "finished_at", "exit_code"),
        "credits_left": balance[0] if balance else None,
        "unsettled": found.unsettled,
        "videos": [
            {"video_id": v, "request_id": e.request.id, "status": e.request.status, "seen_at": e.seen_at}
            for v, e in found.entries
        ],
    }
