"""`import` for one tracker: look, show, and once a person has agreed, write just that (the sheet's write round).

Owns the order. Reading and writing each hold the tracker's lock, the person's thinking in between does not: a run may
come and go meanwhile, and what it or anybody else has changed is looked at again.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sheetsync.clock import Clock
from sheetsync.importing.comparing import Import, Left, Preview, preview
from sheetsync.importing.table import Table, values_of
from sheetsync.ledger.store import Ledger
from sheetsync.model import Snapshot, Tracker
from sheetsync.sheet.api import SheetsAPI, WriteRefused
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import Writer, as_repaired


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to: cells that were not written any more, and video ids whose cells could not be verified."""

    tab: str
    written: int
    left: tuple[Left, ...]
    unverified: frozenset[str] = frozenset()
    refusal: WriteRefused | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports into one tracker. Raises what reading and writing the sheet raise, Locked, and BadImport."""

    tracker: Tracker
    api: SheetsAPI
    ledger: Ledger
    clock: Clock
    run_id: str

    def look(self, table: Table, dry_run: bool) -> tuple[Snapshot, Preview]:
        """What the file changes. A dry run neither writes nor waits for a run that is at work."""
        reader = Reader(self.api, self.tracker, self.clock)
        recorder = self.ledger.recorder(self.tracker.name, self.run_id, self.clock)
        with nullcontext() if dry_run else self._lock():
            snapshot = reader.read() if dry_run else Writer(reader, recorder).read()
            # what a killed run has hit is shown as it will be once that is put right
            snapshot = as_repaired(snapshot, recorder.pending_write())
        values = values_of(table, snapshot.time_zone, snapshot.keys)
        return snapshot, preview(values, snapshot, self.tracker)

    def write(self, seen: Snapshot, agreed: Preview) -> Imported:
        """Write what was previewed; a read that is not of this very moment is made again first."""
        wanted = Import(agreed.changes)
        recorder = self.ledger.recorder(self.tracker.name, self.run_id, self.clock)
        with self._lock():
            written = Writer(Reader(self.api, self.tracker, self.clock), recorder).write(seen, wanted)
        left = tuple(wanted.left(written.snapshot))
        not_written = {(one.key, one.column) for one in left}
        done = [
            change
            for change in agreed.changes
            if change.key not in written.unplaced and (change.key, change.column) not in not_written
        ]
        return Imported(seen.title, len(done), left, written.unplaced, written.refusal)

    def _lock(self) -> AbstractContextManager[None]:
        return self.ledger.lock(self.tracker.name, self.run_id, self.clock.now())
