"""`fill` for one tracker: find account by account, and append what the tracker lacks, a few hundred rows at a time.

Owns the order: record, append, verify, look again. A row is on record before it is sent. Where an answer is lost, it is
looked for; and as long as it may still land, it is not sent again. What becomes a row is `choosing.py`'s.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from math import isinf

from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, CredentialsError, NotFound, OutOfTime, SheetsyncError, Unavailable
from sheetsync.filling import appending
from sheetsync.filling.choosing import Choice, Video, choose, is_wanted
from sheetsync.filling.finding import Finder
from sheetsync.ledger.filled import FilledVideos
from sheetsync.ledger.store import Ledger
from sheetsync.model import Snapshot, Tracker
from sheetsync.sheet import requests
from sheetsync.sheet.api import SheetsAPI, WriteRefused
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import Writer
from sheetsync.tokportal.client import TokPortal
from sheetsync.tokportal.listing import Item

log = logging.getLogger(__name__)

ROUNDS = 3
ALL = 1_000_000
NOT_SENT = (WriteRefused, CredentialsError, NotFound, OutOfTime)
"""After these nothing was written; after any other failure the rows may be there, or come."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one fill is asked for: of one account (its name or id), videos since a day, at most so many rows."""

    run_id: str
    account: str = ""
    since: date | None = None
    limit: int = ALL
    dry_run: bool = False


@dataclass(slots=True)
class Filled:
    """What a fill came to. `error` stopped it: what was added before that is whole, and the next fill goes on.

    `added` would be, in a dry run; `waiting` are rows whose answer was lost, and which may still land.
    """

    name: str
    accounts: int = 0
    added: list[str] = field(default_factory=list)
    present: int = 0
    removed: int = 0
    waiting: int = 0
    told: list[str] = field(default_factory=list)
    error: SheetsyncError | None = None
    is_partial: bool = False

    @property
    def exit_code(self) -> int:
        """As in design 7: 1 where something was unavailable, and another fill goes on."""
        return self.error.exit_code if self.error else int(bool(self.is_partial or self.waiting))


def fill(
    tracker: Tracker,
    api: SheetsAPI,
    portal: TokPortal,
    ledger: Ledger,
    clock: Clock,
    wanted: Wanted,
    progress: Callable[[str, int, int], None],
) -> Filled:
    """Add the rows that a tracker lacks. Its lock is the caller's to hold; what stops it is in `error`."""
    report, finder = Filled(tracker.name), Finder(portal)
    reader = Reader(api, tracker, clock)
    recorder = ledger.recorder(tracker.name, wanted.run_id, clock)
    try:
        snapshot = reader.read() if wanted.dry_run else Writer(reader, recorder).read()
        memory = ledger.filled(tracker.name, f"{tracker.spreadsheet}/{snapshot.sheet_id}", clock)
        adding = Adding(reader, memory, clock, wanted, report)
        if not wanted.dry_run and adding.undo_strays(snapshot):
            snapshot = reader.read(snapshot.sheet_id)
        for batch in _batches(_lacking(finder, snapshot, adding, progress)):
            adding.add(batch, snapshot.sheet_id)
            if len(report.added) >= wanted.limit:
                break
    except SheetsyncError as error:
        report.error = error
    report.told += finder.remarks
    if finder.unreadable:
        report.told.append(f"{finder.unreadable} rows of TokPortal's lists have no id and were left out.")
    return report


def _batches(found: Iterator[list[Video]]) -> Iterator[list[Video]]:
    """As many at a time as one write takes."""
    batch: list[Video] = []
    for videos in found:
        batch += videos
        while len(batch) >= requests.ROWS_PER_WRITE:
            yield batch[: requests.ROWS_PER_WRITE]
            batch = batch[requests.ROWS_PER_WRITE :]
    if batch:
        yield batch


def _lacking(
    finder: Finder, snapshot: Snapshot, adding: "Adding", progress: Callable[[str, int, int], None]
) -> Iterator[list[Video]]:
    """The videos of each account that pass the filters and have no row, nor had one."""
    accounts = _turned(_named(finder.accounts(), adding.wanted.account), adding.clock)
    keys, met = {key.casefold() for key in snapshot.keys}, adding.memory.met()
    for done, account in enumerate(accounts, start=1):
        try:
            videos = adding.lacking(finder.videos(account), keys, met)
        except CallRefused as error:
            # this account alone; the rows of the others are whole without it
            adding.report.told.append(f"account {account.words.get('username', account.id)}: {error}")
            adding.report.is_partial = True
            continue
        adding.report.accounts += 1
        if any(not video.fields["video_url"] for video in videos):
            videos = finder.with_links(account, videos)
        progress("looking through accounts", done, len(accounts))
        yield videos


def _named(accounts: list[Item], name: str) -> list[Item]:
    """The account of that name or id; all, if none is named. Raises Unavailable where there is none."""
    wanted = name.lstrip("@").casefold()
    found = [
        account
        for account in accounts
        if not wanted or wanted in (account.id.casefold(), account.words.get("username", "").lstrip("@").casefold())
    ]
    if wanted and not found:
        raise NotFound(f"TokPortal lists no account '{name}': name it by its TikTok name or by its id.")
    return found


def _turned(accounts: Sequence[Item], clock: Clock) -> Sequence[Item]:
    """Within a run, whose time ends, another account is the first each time: none is never reached."""
    if isinf(clock.ends_at) or not accounts:
        return accounts
    first = int(clock.now().timestamp() // 60) % len(accounts)
    return [*accounts[first:], *accounts[:first]]


@dataclass(frozen=True, slots=True)
class Adding:
    """Adds rows to one tab, and remembers which."""

    reader: Reader
    memory: FilledVideos
    clock: Clock
    wanted: Wanted
    report: Filled

    def lacking(self, videos: Collection[Video], keys: Set[str], met: Set[str]) -> list[Video]:
        """Those that pass the filters, without those that have a row (`keys`, in lower case), or had one (`met`)."""
        fill, report = self.reader.tracker.fill, self.report
        wanted = [video for video in videos if is_wanted(video, fill, self.wanted.since)]
        present = {video.id for video in wanted if video.key in keys}
        if not self.wanted.dry_run:
            self.memory.meet(present - met)
        report.present += len(present)
        report.removed += sum(video.id in met and video.id not in present for video in wanted)
        return [video for video in wanted if video.id not in present | met]

    def add(self, videos: Collection[Video], sheet_id: int) -> None:
        """Append what the newest read lacks; look again after anything but an answer that shows every row in place."""
        sent: frozenset[str] = frozenset()
        for turn in range(ROUNDS):
            snapshot = self.reader.read(sheet_id)
            if not self.wanted.dry_run and self.undo_strays(snapshot):
                snapshot = self.reader.read(sheet_id)
            choice = self._choice(videos, snapshot, sent)
            self.report.told += () if turn else choice.told
            self.report.added += sorted(sent & choice.present)
            sent -= choice.present
            if self.wanted.dry_run:
                self.report.added += choice.rows
            if self.wanted.dry_run or not choice.rows:
                break
            if self._append(snapshot, choice.rows):
                self.report.added += choice.rows
                return
            sent |= choice.rows.keys()
        self.report.waiting += len(choice.waiting)

    def _choice(self, videos: Collection[Video], snapshot: Snapshot, sent: frozenset[str]) -> Choice:
        sending = {video: row.sent_at for video, row in self.memory.sending().items()}
        met, left = self.memory.met(), self.wanted.limit - len(self.report.added)
        choice = choose(videos, snapshot, self.reader.tracker.fill, met, sending, self.clock.now(), left)
        if not self.wanted.dry_run:
            self.memory.meet(choice.present - met)
        return choice

    def _append(self, snapshot: Snapshot, rows: appending.Rows) -> bool:
        """Whether the answer shows every row in its place. Raises where nothing was sent."""
        # on disk before it is sent: a kill at any later moment leaves all that is needed to look for it
        self.memory.send(rows, appending.headers_of(snapshot, rows))
        spreadsheet = self.reader.tracker.spreadsheet
        try:
            answer = self.reader.api.update(spreadsheet, appending.append_write(snapshot, rows), requests.ANSWER_FIELDS)
        except NOT_SENT:
            self.memory.unsent(rows)
            raise
        except Unavailable as error:
            log.info("rows were sent, and the answer was lost (%s); looking for them", error)
            return False
        if appending.landed_right(snapshot, rows, requests.landed_in([answer], snapshot.sheet_id)):
            self.memory.meet(rows)
            return True
        log.info("rows or columns moved while rows were appended; looking for them")
        now = self.reader.read(snapshot.sheet_id)
        # all of it was written: what is neither in place nor astray, a person has removed since
        astray = appending.strays(now, self.memory.sending())
        self.memory.meet(rows.keys() - astray)
        return False

    def undo_strays(self, snapshot: Snapshot) -> bool:
        """Empty rows of ours that stand under wrong headers, as columns moved while they were sent."""
        rows = self.memory.sending()
        numbers = appending.strays(snapshot, rows)
        if not numbers:
            return False
        log.warning("%d new rows landed under wrong headers; they are emptied and added again", len(numbers))
        body = appending.undoing(snapshot, rows, numbers)
        self.reader.api.update(self.reader.tracker.spreadsheet, body, "spreadsheetId")
        self.memory.unsent(numbers)
        return True
