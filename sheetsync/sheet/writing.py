"""Writes the tracker, and verifies in the same call where each write landed (design 3.6).

Owns the order: what is on disk before a write is sent, how a round follows a round, and when to stop. What to write
comes from a projection of the newest read; which write went astray, and what puts it right, `verification.py` and
`repair.py` say.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from sheetsync.columns import bind, letter, row_of
from sheetsync.errors import CredentialsError, HeaderError, NotFound, Unavailable
from sheetsync.model import Lock, Row, Snapshot
from sheetsync.projected import Projection, SummaryCell
from sheetsync.projection import figures
from sheetsync.sheet import repair, requests
from sheetsync.sheet.api import WriteRefused, WriteUnclear
from sheetsync.sheet.edits import Edit, Landed, Sent, edits_for, header_at, kept_out_of, left_standing
from sheetsync.sheet.journal import from_journal, to_journal
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.verification import landed_right, told_by
from sheetsync.steps import Offer

log = logging.getLogger(__name__)

ROUNDS = 3
FRESH_SECONDS = 2
"""A read older than this is made again before a write (design 3.6), by a clock that nobody can set."""


class Journal(Protocol):
    """Remembers a write that is under way, across a crash."""

    def pending_write(self) -> str | None:
        """The write whose end nobody saw."""

    def begin_write(self, payload: str) -> None:
        """Durable on return."""

    def end_write(self) -> None:
        """The write is verified."""


class Wanted(Protocol):
    """What is to stand in the sheet, as a pure value: f(snapshot)."""

    def project(self, snapshot: Snapshot) -> Projection:
        """What the cells of this very snapshot should say."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to: `unplaced` are videos whose cells could not be verified.

    `snapshot` is the newest read, `projection` what its cells should say; `rows` are the rows that were written as the
    answer showed them, in the very instant of the write; `made_by_formula` are those whose mark a formula makes.
    `uncleared` are videos of which all but the clearing of their mark was done; `refusal` is Google's no to the last
    round of what is unplaced, `filled` are cells of it that formulas in others fill, however they are emptied;
    `kept_out_of` are the columns that a protected range keeps from saying what they should, by video id, `owing` the
    cells that one keeps from being put back.
    """

    snapshot: Snapshot
    projection: Projection
    cells: int = 0
    unplaced: frozenset[str] = frozenset()
    rows: tuple[Row, ...] = ()
    made_by_formula: frozenset[str] = frozenset()
    uncleared: frozenset[str] = frozenset()
    refusal: WriteRefused | None = None
    filled: tuple[str, ...] = ()
    kept_out_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    owing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the sheet as it was read and as it will be once repaired, what it should say then, the edits for both.

    `writes` are the earlier ones that are not known to stand where they should, with what is known of them by now.
    `owing` are the repairs that a protected range keeps from being made.
    """

    writes: tuple[Sent, ...]
    read: Snapshot
    snapshot: Snapshot
    projection: Projection
    edits: tuple[Edit, ...]
    owing: tuple[Edit, ...]

    @property
    def summary(self) -> tuple[SummaryCell, ...]:
        """What the Summary tab lacks; its `Last change` goes with the rows."""
        return self.projection.summary_changes(bool(self.edits))


@dataclass(frozen=True, slots=True)
class RepairsOnly:
    """Nothing is wanted of a sheet but that what a killed run did there is put right."""

    def project(self, _: Snapshot) -> Projection:
        """No cell."""
        return Projection(())


def as_repaired(snapshot: Snapshot, journal: str | None) -> Snapshot:
    """The sheet as it will be once the repairs of a killed run are paid: what a plan is to be made from."""
    writes = [sent for sent in _unfinished(journal) if sent.before.sheet_id == snapshot.sheet_id]
    if not writes:
        return snapshot
    _, repairs, barred = repair.repairs_for(writes, snapshot)
    whole = repair.repaired(snapshot, repairs)
    owed: dict[int, set[str]] = {}
    for edit in _but_for_marks(barred, snapshot.columns["action"]):
        owed.setdefault(edit.row, set()).add(str(snapshot.cell(1, edit.column)) or letter(edit.column))
    rows = tuple(replace(row, owed=frozenset(owed.get(row.number, ()))) for row in whole.rows) if owed else whole.rows
    return replace(whole, rows=rows, is_current=False)


def marks_left(snapshot: Snapshot, journal: str | None) -> Mapping[str, tuple[str, str]]:
    """Marks of a killed run that are done and stand all the same: (mark, request id) by video id."""
    return left_standing(_unfinished(journal), snapshot)


def _unfinished(journal: str | None) -> tuple[Sent, ...]:
    """The writes of a killed run; none where another version of sheetsync wrote what nobody here can read."""
    try:
        return from_journal(journal) if journal else ()
    except (ValueError, LookupError, TypeError):
        return ()


def plan_round(snapshot: Snapshot, wanted: Wanted, writes: Sequence[Sent], now: datetime) -> Round:
    """What to write next: what earlier writes left to be repaired, and what the sheet still lacks after that."""
    writes, repairs, barred = repair.repairs_for(writes, snapshot)
    whole = repair.repaired(snapshot, repairs)
    projection = wanted.project(whole)
    edits = edits_for(whole, projection.targets, now)
    owing = _but_for_marks(barred, snapshot.columns["action"])
    return Round(writes, snapshot, whole, projection, repair.merged(edits, repairs), owing)


def _but_for_marks(edits: Iterable[Edit], action: int) -> tuple[Edit, ...]:
    """These edits; marks that stand where they were to be cleared are told elsewhere."""
    return tuple(edit for edit in edits if edit.column != action or edit.value != "")


def _videos(edits: Iterable[Edit]) -> frozenset[str]:
    return frozenset(edit.key for edit in edits)


def _places(edits: Iterable[Edit]) -> tuple[str, ...]:
    return tuple(f"{letter(column)}{row}" for row, column in sorted((edit.row, edit.column) for edit in edits))


def _together(calls: Sequence[Sent]) -> Landed | None:
    """What the calls of a write have shown, as one; None if none has."""
    seen = [sent.landed for sent in calls if sent.landed]
    if not seen:
        return None
    rows = {number: row for landed in seen for number, row in landed.rows.items()}
    return Landed(seen[-1].headers, rows, frozenset[tuple[int, int]]().union(*(landed.formulas for landed in seen)))


def _is_right(sent: Sent, snapshot: Snapshot) -> bool:
    return sent.landed is not None and landed_right(sent.edits, sent.landed, snapshot)


def _told(sent: Sent, snapshot: Snapshot) -> Sent:
    """A call that is not known to have landed right, with what its answer tells of where it landed."""
    return replace(sent, landed=told_by(sent.landed, sent.edits, snapshot)) if sent.landed else sent


def may_write(reader: Reader, seen: Snapshot) -> bool:
    """Whether a write that changes nothing is let through, and shows the header row. Raises as `SheetsAPI.update`."""
    body = requests.nothing(seen, uuid4().hex)
    answer = reader.api.update(reader.tracker.spreadsheet, body, requests.ANSWER_FIELDS)
    shown = requests.landed_in([answer], seen.sheet_id).headers
    return all(header_at(shown, at) == header_at(seen.headers, at) for at in range(max(len(shown), len(seen.headers))))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one tracker's worksheet. Its journal is the only thing that outlives a call."""

    reader: Reader
    journal: Journal

    def read(self, sheet_id: int | None = None) -> Snapshot:
        """A read of the tab, once headers that a write has hit are put back. Raises as the reader's does.

        At most three rounds: whoever takes the row above the headers away again lets them land in a row.
        """
        for _ in range(ROUNDS):
            seen = self.reader.look(sheet_id)
            try:
                return self.reader.bound(seen)
            except HeaderError:
                headers = repair.headers_to_restore(_unfinished(self.journal.pending_write()), seen)
                if not headers:
                    raise
            log.warning("a row was inserted above the headers during a write; putting the headers back")
            body = {"requests": requests.plain(seen, headers)}
            self.reader.api.update(self.reader.tracker.spreadsheet, body, "spreadsheetId")
            sheet_id = seen.sheet_id
        return self.reader.read(sheet_id)

    def write(self, snapshot: Snapshot, wanted: Wanted) -> Written:
        """Make the cells say what is wanted of the newest read, and verify where each write landed.

        At most three rounds. What a killed run left half written is put right first. The Summary tab goes with the
        first round, or alone; it is not verified, as nothing of anybody's is in its block. Raises what `read` raises.
        """
        written = self._write(snapshot, wanted)
        kept_out = kept_out_of(written.snapshot, written.projection.targets)
        uncleared = {video for video, columns in kept_out.items() if "action" in columns}
        return replace(written, uncleared=written.uncleared | uncleared, kept_out_of=kept_out)

    def _write(self, snapshot: Snapshot, wanted: Wanted) -> Written:
        clock = self.reader.clock
        journal = self.journal.pending_write()
        writes = _unfinished(journal)
        if journal and not writes:
            log.warning("the journal of an interrupted write cannot be read: look over the rows that were changed last")
            self.journal.end_write()
        if writes and writes[0].before.sheet_id != snapshot.sheet_id:
            self._settle_elsewhere(writes[0].before.sheet_id)
            writes = ()
        if not snapshot.is_current:
            snapshot = self.read(snapshot.sheet_id)
        todo = plan_round(snapshot, wanted, writes, clock.now())
        if not writes and not todo.edits and not todo.summary:
            return Written(snapshot, todo.projection)
        # the longer since the read, the likelier somebody has sorted; a second read is cheaper than a repair
        if clock.monotonic() - snapshot.read_monotonic > FRESH_SECONDS:
            snapshot = self.read(snapshot.sheet_id)
            todo = plan_round(snapshot, wanted, writes, clock.now())
        cells, landed, problem = 0, None, None
        for turn in range(ROUNDS):
            # the figures go once: a sheet in which rows move is told again by the next run
            beside = () if turn else todo.summary
            if not todo.edits:
                self._send_summary(todo.snapshot, beside)
                break
            calls, problem = self._send(todo, beside)
            cells += sum(len(sent.edits) for sent in calls if sent.landed)
            landed = _together(calls)
            if landed and not problem and all(_is_right(sent, todo.snapshot) for sent in calls):
                self._settle(todo)
                newest, left = replace(todo.snapshot, is_current=False), left_standing(todo.writes, todo.snapshot)
                seen = self._seen(landed, snapshot.locks)
                written = Written(newest, todo.projection, cells, _videos(todo.owing), owing=_places(todo.owing))
                return replace(written, **seen, uncleared=frozenset(left))
            log.info("a write did not land where it should (%s); reading again", problem or "rows or columns moved")
            writes = (*todo.writes, *(_told(sent, todo.snapshot) for sent in calls))
            self.journal.begin_write(to_journal(writes))
            snapshot = self.read(snapshot.sheet_id)
            todo = plan_round(snapshot, wanted, writes, clock.now())
        return self._ended(todo, cells, landed, problem)

    def _settle(self, done: Round) -> None:
        """All that could be written stands. A repair that a protected range does not let through stays owed."""
        if done.owing:
            self.journal.begin_write(to_journal(done.writes))
        else:
            self.journal.end_write()

    def _settle_elsewhere(self, sheet_id: int) -> None:
        """A killed run's tab has been swapped for another one: what it owes, it owes where it wrote."""
        try:
            left = self.write(self.read(sheet_id), RepairsOnly()).unplaced
        except (NotFound, HeaderError) as error:
            log.warning("what an interrupted write left in a tab that is not used any more stays: %s", error)
        else:
            log.info("an interrupted write to another tab is put right, but for %d rows", len(left))
        self.journal.end_write()

    def _seen(self, landed: Landed, locks: Sequence[Lock]) -> dict[str, Any]:
        tracker = self.reader.tracker
        columns = bind(landed.headers, tracker.columns, tracker.gates).columns
        present = frozenset(columns)
        rows = tuple(row_of(number, cells, columns, present, locks) for number, cells in landed.rows.items())
        made = frozenset(row.key for row in rows if (row.number, columns.get("action")) in landed.formulas)
        return {"rows": rows, "made_by_formula": made}

    def _ended(self, left: Round, cells: int, landed: Landed | None, problem: Unavailable | None) -> Written:
        """After the last round: what is still not as it should be is told, and stays in the journal.

        Marks alone do not: what three rounds could not clear, a formula or a merged cell puts back.
        """
        owing = _videos(left.owing)
        unplaced = _videos(left.edits) | owing
        others = _videos(_but_for_marks(left.edits, left.snapshot.columns["action"])) | owing
        if not others:
            self.journal.end_write()
        newest = replace(left.snapshot, is_current=False)
        refusal = problem if unplaced and isinstance(problem, WriteRefused) else None
        emptied = [edit for edit in left.edits if edit.key in others and edit.value == ""]
        formulas = landed.formulas if landed else ()
        filled = _places(edit for edit in emptied if (edit.row, edit.column) in formulas)
        uncleared = (unplaced - others) | left_standing(left.writes, left.snapshot).keys()
        return Written(
            newest,
            left.projection,
            cells,
            unplaced,
            uncleared=uncleared,
            refusal=refusal,
            filled=filled,
            owing=_places(left.owing),
        )

    def _send(self, todo: Round, beside: Sequence[SummaryCell]) -> tuple[list[Sent], Unavailable | None]:
        """One write, in as many calls as its size needs: where each landed, or why that is not known of all of it."""
        # on disk before it is sent: a kill at any later moment leaves all that is needed to put it right
        self.journal.begin_write(to_journal([*todo.writes, Sent(todo.edits, None, todo.read)]))
        calls: list[Sent] = []
        batches = requests.batches(todo.edits)
        for batch in batches:
            try:
                answer = self._update(todo.snapshot, batch, beside if batch is batches[-1] else ())
            except WriteRefused as error:
                return calls or [Sent(tuple(batch), None, todo.read)], error
            except WriteUnclear as error:
                # all calls of a write bear one time: where one of them landed unseen, only all of them together tell
                begun = tuple(edit for sent in calls for edit in sent.edits)
                return [Sent((*begun, *batch), None, todo.read)], error
            # each by its own headers: people may move columns between two calls
            landed = requests.landed_in([answer], todo.snapshot.sheet_id)
            calls.append(Sent(tuple(batch), landed, todo.read))
        return calls, None

    def _update(self, snapshot: Snapshot, edits: Sequence[Edit], beside: Sequence[SummaryCell]) -> Mapping[str, Any]:
        """One call. What people did to the Summary tab never keeps rows from being written."""
        api, spreadsheet = self.reader.api, self.reader.tracker.spreadsheet
        body = requests.row_write(snapshot, edits)
        if beside:
            try:
                both = [*body["requests"], *requests.summary_requests(snapshot, beside)]
                return api.update(spreadsheet, {**body, "requests": both}, requests.ANSWER_FIELDS)
            except (WriteRefused, CredentialsError) as error:
                # all or nothing: the rows were not written either, so they are sent again, alone
                log.warning("the Summary tab could not be written: %s", error)
        return api.update(spreadsheet, body, requests.ANSWER_FIELDS)

    def show_offer(self, snapshot: Snapshot, offer: Offer) -> bool:
        """Let Summary ask which orders a person allows; False unless it is seen to ask so, with an empty cell."""
        cells = figures.offered(snapshot.beside, offer).items()
        asked = [SummaryCell(row + 1, column, value) for (row, column), value in cells]
        return bool(self._ask_beside(snapshot, requests.summary_requests(snapshot, asked), offer))

    def take_number(self, snapshot: Snapshot, offer: Offer) -> bool:
        """Take the number that allows these orders out of its cell; False unless this very call is seen to do it.

        By compare-and-set: of two machines one takes it, and a number that a formula makes nobody does.
        """
        block = snapshot.summary
        asked = [requests.take_number(block, *figures.ALLOW, offer.orders)] if block else []
        return requests.was_taken(self._ask_beside(snapshot, asked, offer))

    def _ask_beside(self, snapshot: Snapshot, asked: Sequence[requests.Json], offer: Offer) -> Mapping[str, Any]:
        """The answer of a write that lets these orders wait, and none be allowed; empty unless it shows just that."""
        block, tracker = snapshot.summary, self.reader.tracker
        if not block:
            return {}
        body = requests.offer_write(block, asked, figures.ASKED)
        try:
            answer = self.reader.api.update(tracker.spreadsheet, body, requests.OFFER_FIELDS)
        except (Unavailable, CredentialsError) as error:
            log.warning("the Summary tab could not be written: %s", error)
            return {}
        shown = requests.block_shown(answer, block.sheet_id, figures.ALLOW[0] + 1)
        return answer if figures.is_offering(shown, tracker, offer.orders) else {}

    def _send_summary(self, snapshot: Snapshot, cells: Sequence[SummaryCell]) -> None:
        if cells:
            body = {"requests": requests.summary_requests(snapshot, cells)}
            try:
                self.reader.api.update(self.reader.tracker.spreadsheet, body, "spreadsheetId")
            except (Unavailable, CredentialsError) as error:
                log.warning("the Summary tab could not be written: %s", error)
