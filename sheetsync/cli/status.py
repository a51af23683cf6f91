"""`sheetsync status`: what the ledger knows of each tracker, as text and JSON. Asks no service.

Owns the words. A code stands there as a fingerprint only; when it ends, and what waits, is as the last run saw it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.render import attributes, count, shown, stamp, table
from sheetsync.errors import UnknownVideos
from sheetsync.ledger.store import Ledger, Run
from sheetsync.model import Entry, Known, Tracker, fingerprint
from sheetsync.projection.window import expiry_word
from sheetsync.steps import RowSeen
from sheetsync.sync.clients import clock_for

WORDS = ("ok", "renewal needed", "expired", "no window")


@click.command()
@selecting("trackers", "videos", "as_json")
@click.option("--fleet", "is_fleet", is_flag=True, help="How late each tracker is, and which workers there are.")
def status(selection: Selection, is_fleet: bool) -> None:
    """Tell what the ledger knows: runs, balance, spending, codes in use, what waits. Asks nobody, changes nothing."""
    if is_fleet and selection.videos:
        raise click.UsageError("--fleet goes without --video.")
    config, trackers = selection.load()
    if is_fleet:
        # the queue's library takes its time to import
        from sheetsync.cli.fleet import fleet_json, fleet_of, fleet_text

        fleet = fleet_of(config, trackers)
        click.echo(shown(selection, fleet_json(fleet), fleet_text(fleet)))
        return
    now = clock_for(config).now()
    with Ledger(config.state, read_only=True) as ledger:
        found = [status_of(ledger, tracker, frozenset(selection.videos), now) for tracker in trackers]
    document = {"trackers": [_status_json(each) for each in found]}
    click.echo(shown(selection, document, "\n".join(map(_status_text, found))))
    known = {video for each in found for video in (*each.known.videos, *each.rows)}
    if absent := sorted({*selection.videos} - known):
        raise UnknownVideos("The ledger knows no video", absent)


@dataclass(frozen=True, slots=True)
class Status:
    """One tracker: its runs, the last balance and when it was told, what is known of its videos, and of their rows.

    `words` are where each code in use stands now, by video.
    """

    name: str
    last_run: Run | None
    last_good_run: Run | None
    balance: tuple[int, datetime] | None
    known: Known
    rows: Mapping[str, RowSeen]
    words: Mapping[str, str]
    now: datetime

    @property
    def entries(self) -> Sequence[tuple[str, Entry]]:
        """The latest request of each video."""
        return sorted(self.known.latest.items())

    @property
    def waiting(self) -> Sequence[RowSeen]:
        """The rows that waited for somebody in the last run."""
        return [row for row in self.rows.values() if row.hold]

    def names(self, video: str) -> tuple[str, str]:
        """Creator and client of a video."""
        row = self.rows.get(video, RowSeen(video))
        return row.creator, row.client

    def is_renewal(self, video: str) -> bool:
        """Whether the latest request renews an earlier code."""
        return any(entry.request.code for entry in self.known.earlier.get(video, ()))

    @property
    def spent(self) -> dict[str, int]:
        """Credits, refunds deducted: this month (UTC), in all; and the orders of which nobody told the price."""
        entries = [entry for video in self.known.videos for entry in self.known.generations(video)]
        recent = [e for e in entries if (e.request.created_at or e.seen_at) >= _month(self.now)]
        total = sum(self.known.cost(video) or 0 for video in self.known.videos)
        month = sum(entry.cost or 0 for entry in recent)
        return {"this_month": month, "total": total, "unknown_prices": self.known.unpriced}


def status_of(ledger: Ledger, tracker: Tracker, videos: frozenset[str], now: datetime) -> Status:
    """The status of a tracker; with `videos`, of these alone."""
    known = ledger.known(tracker.name).only(videos)
    rows = {row.video_id: row for row in ledger.rows_seen(tracker.name) if not videos or row.video_id in videos}
    words = {video: expiry_word(row.ends, now, tracker.warn_hours) for video, row in rows.items() if row.code}
    runs = ledger.last_run(tracker.name), ledger.last_run(tracker.name, is_good=True)
    return Status(tracker.name, *runs, ledger.balance(tracker.name), known, rows, words, now)


def _month(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _status_text(found: Status) -> str:
    """A summary, then open requests, codes that need somebody, and rows that wait."""
    lines = [*_runs(found), *_money(found)]
    counts = Counter(entry.request.status for _, entry in found.entries)
    listed = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    lines.append(f"  {count(len(found.entries), 'video')}: {listed or 'none ordered yet'}")
    if found.words:
        in_use = Counter(found.words.values())
        said = ", ".join(f"{in_use[word]} {word}" for word in WORDS if in_use[word])
        lines.append(f"  {count(len(found.words), 'code')} in use: {said}")
    if found.known.unsettled:
        lines.append(f"  {count(len(found.known.unsettled), 'order')} whose answer was lost; the next sync looks.")
    waiting = [
        (video, *found.names(video), entry.request.status + (" (renewal)" if found.is_renewal(video) else ""), when)
        for video, entry in found.entries
        if entry.request.is_open and (when := stamp(entry.seen_at))
    ]
    lines += _table(("open", "creator", "client", "status", "last seen"), waiting)
    due = [row for video, row in found.rows.items() if found.words.get(video) == "renewal needed"]
    ends = [(row.video_id, *found.names(row.video_id), fingerprint(row.code), _stamp(row.ends)) for row in due]
    lines += _table(("renewal needed", "creator", "client", "code", "ends"), sorted(ends, key=itemgetter(-1)))
    held = [(row.video_id, row.creator, row.client, row.hold) for row in found.waiting]
    return "\n".join([*lines, *_table(("waits", "creator", "client", "why"), held)])


def _runs(found: Status) -> list[str]:
    run, good = found.last_run, found.last_good_run
    if run is None:
        return [f"tracker {found.name}: never synced"]
    lines = [f"tracker {found.name}: last run {stamp(run.finished_at)}, exit code {run.exit_code}"]
    if run != good:
        lines.append(f"  last good run {stamp(good.finished_at)}" if good else "  no good run is known")
    return lines


def _money(found: Status) -> list[str]:
    lines = [f"  {found.balance[0]} credits at {stamp(found.balance[1])}"] if found.balance else []
    spent = found.spent
    if found.known.videos:
        unknown = spent["unknown_prices"]
        untold = f"; of {count(unknown, 'order')} nobody told the price" if unknown else ""
        lines.append(f"  spent {spent['this_month']} credits this month, {spent['total']} in all, less refunds{untold}")
    return lines


def _table(headers: Sequence[str], lines: Sequence[Sequence[object]]) -> list[str]:
    return [table([headers, *lines])] if lines else []


def _stamp(moment: datetime | None) -> str:
    return stamp(moment) if moment else ""


def _status_json(found: Status) -> dict[str, Any]:
    """The same as a document; codes stay out of it."""
    run, good, balance = found.last_run, found.last_good_run, found.balance
    return {
        "name": found.name,
        "last_run": run and attributes(run, "run_id", "finished_at", "exit_code"),
        "last_good_run": good and attributes(good, "run_id", "finished_at", "exit_code"),
        "credits_left": balance[0] if balance else None,
        "spent": found.spent,
        "unsettled": len(found.known.unsettled),
        "videos": [
            {
                "video_id": video,
                "request_id": entry.request.id,
                "status": entry.request.status,
                "seen_at": entry.seen_at,
                **_named(found, video),
                "is_renewal": found.is_renewal(video),
                "credits_charged": found.known.cost(video),
            }
            for video, entry in found.entries
        ],
        "codes_in_use": [
            {
                "video_id": video,
                **_named(found, video),
                "request_id": found.rows[video].request_id,
                "fingerprint": fingerprint(found.rows[video].code),
                "expires_at": found.rows[video].ends,
                "expiry": word,
            }
            for video, word in found.words.items()
        ],
        "holds": [{"video_id": r.video_id, **_named(found, r.video_id), "reason": r.hold} for r in found.waiting],
    }


def _named(found: Status, video: str) -> dict[str, str]:
    return dict(zip(("creator", "client"), found.names(video), strict=True))
