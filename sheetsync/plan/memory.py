"""PURE: what rows say that nothing else holds, and that has to be remembered before they are written (design 5).

Owns which code a typed date or decision belongs to, and what a row vouches for where the ledger is new or was put
back: a request, a code, what the video had cost. How that is stored is the ledger's, what a cell says then the
projection's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sheetsync.columns import instant, is_error, same
from sheetsync.model import AdCodeRequest, Entry, Known, Origin, Row, Scalar, Tracker, fingerprint
from sheetsync.projection.cells import STATUSES
from sheetsync.projection.kept_end import typed_code
from sheetsync.projection.window import RowContext, code_in, code_seen, name_of, readable, typed_days
from sheetsync.steps import KeptRow, Memory, RowSeen, TypedValue

OF_A_CODE = ("known_expiry", "paid_status", "renewal_decision")
"""What people type of one code: the next one is asked about anew."""

_TIMES = ("requested", "submitted", "delivered")

EARLIER = "-"
"""In the place of a code: one that was before those that anybody knows."""


def remembered(
    rows: Sequence[Row],
    time_zone: str,
    tracker: Tracker,
    before: Known,
    known: Known,
    now: datetime,
    seen: Mapping[str, RowSeen] = MappingProxyType({}),
) -> Memory:
    """What is to be remembered of these rows; `before` is what was known when the run began, `known` what is now.

    `seen` is what the run before saw of them.
    """
    sheet = _Sheet(rows, time_zone, tracker, before, known, now, seen)
    by_key: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.key:
            by_key[row.key].append(row)
    firsts = [rows_of_key[0] for rows_of_key in by_key.values()]
    costs = [cost for rows_of_key in by_key.values() for cost in sheet.cost_before(rows_of_key)]
    return Memory(
        typed=tuple(value for row in firsts for value in sheet.typed(row)),
        imported=tuple(entry for rows_of_key in by_key.values() for entry in sheet.imported(rows_of_key)),
        days=tuple(found for row in firsts for found in sheet.days(row)),
        charges=tuple((video, request, credits) for video, request, credits in costs if request),
        opening=tuple((video, credits) for video, request, credits in costs if not request),
    )


def _keys_of(rows: Sequence[Row], column: str) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.text(column)].add(row.key)
    return found


@dataclass(slots=True)
class _Sheet:
    """The rows of one read, beside what the ledger knows."""

    rows: Sequence[Row]
    time_zone: str
    tracker: Tracker
    before: Known
    known: Known
    now: datetime
    seen: Mapping[str, RowSeen]
    _ids: Mapping[str, set[str]] = field(init=False)
    _codes: Mapping[str, set[str]] = field(init=False)  # of the requests that rows show as their own
    _theirs: Set[str] = field(init=False)  # which people had typed, for whatever video

    def __post_init__(self) -> None:
        owners, every = self.known.owners, self.known.earlier.values()
        own = [row for row in self.rows if row.shown_id and owners.get(row.shown_id, row.key) == row.key]
        self._ids, self._codes = _keys_of(self.rows, "request_id"), _keys_of(own, "spark_code")
        self._theirs = {e.request.code or "" for entries in every for e in entries if e.origin is Origin.TYPED}

    def typed(self, row: Row) -> Iterator[TypedValue]:
        """What stands in the cells that belong to a code, where that is news."""
        if row.shown_id and row.shown_id not in self.known.owners:
            return  # nobody knows yet what its person saw
        shown = code_seen(row, self.known)
        for column in OF_A_CODE:
            value, memory = row.cells.get(column, ""), self.known.typed.get((row.key, column))
            if column not in row.columns or (memory is None and value == "") or is_error(value):
                continue
            if memory and shown and "" in memory.by_code:
                told = memory.by_code[""] if memory.by_code[""] != "" else memory.by_code.get(shown, "")
                yield TypedValue(row.key, column, shown, told, is_last=False)
            if memory is None or not same(value, memory.last):
                is_old = memory is None and column == "known_expiry" and self._precedes(row, value, shown)
                yield TypedValue(row.key, column, EARLIER if is_old else shown, value)

    def _precedes(self, row: Row, value: Scalar, name: str) -> bool:
        """Without memory, a date from before the code of that name was requested is of an earlier one."""
        if row.key in self.before.opening:
            return False
        ends = readable(lambda: instant(value, self.time_zone))
        every = self.known.generations(row.key)
        names = [name_of(entry.request.code or "", every[n:]) for n, entry in enumerate(every)]
        asked = [entry.request.created_at for entry, called in zip(every, names, strict=True) if called == name]
        return bool(ends and asked and asked[0] and ends < asked[0])

    def days(self, row: Row) -> Iterator[tuple[str, str, int]]:
        """Those of the latest request: when a later one comes, they stay as they were."""
        entry, days = self.known.latest.get(row.key), typed_days(row, self.tracker)
        if entry and entry.authorization_days != days and not is_error(row.cells.get("authorization_days", "")):
            yield row.key, entry.request.id, days

    def imported(self, rows: Sequence[Row]) -> Collection[Entry]:
        """What the rows of one video alone still know, each once: of duplicates the first counts, and is the newest."""
        found: dict[str, Entry] = {}
        for entry in (entry for row in rows for entry in self._imports(row, rows)):
            later = len(found) * timedelta(microseconds=1)
            found.setdefault(entry.request.id, replace(entry, seen_at=entry.seen_at - later))
        return found.values()

    def _imports(self, row: Row, rows: Sequence[Row]) -> Iterator[Entry]:
        """The requests and codes that the row alone still knows, of these of its video."""
        code = code_in(row)
        is_unknown_code = code != "" and self._is_unknown(row, code)
        if row.shown_id and self._tells_of_a_request(row):
            if row.shown_id not in self.before.owners or self._was_submitted(row):
                yield from self._unknown_request(row, code if is_unknown_code else "")
        elif row.key in self.known.latest and is_unknown_code and self._is_of_its_people(row):
            seen = self.seen.get(row.key)
            if row.shown_id in self.known.owners:
                # beside another video's request, Expires at is that one's
                copied = self._date(row, "expires_at")
                seen = RowSeen(row.key, kept=(KeptRow(worked_out=(copied,)),) if copied else ())
            twins = tuple(other for other in rows if other is not row)
            yield typed_code(RowContext(row, self.time_zone, self.tracker, self.now, duplicates=twins, seen=seen))

    def _is_unknown(self, row: Row, code: str) -> bool:
        """Whether neither ledger nor the row of another video's request holds the code of a row.

        People may have typed one code for several videos: where no request is shown, it is of each of them.
        """
        if code in self._theirs and not row.shown_id:
            return all(code != entry.request.code for entry in self.known.generations(row.key))
        return code not in self.known.codes and self._codes[code] <= {row.key}

    def _is_of_its_people(self, row: Row) -> bool:
        """Whether the code in a row came from elsewhere: no request was written there, or none of this video's.

        Whatever else its people keep there in columns of ours: the code was theirs when the run began.
        """
        if row.text("request_id") != "":
            return self.known.owners.get(row.shown_id) != row.key
        if not self.before.generations(row.key):
            return True
        # the row was added again, or a run was killed between the order and this; what people call it is no status
        return row.text("status") not in STATUSES and self._date(row, "requested_at") is None

    def _tells_of_a_request(self, row: Row) -> bool:
        """Whether the row vouches for the request that it shows: no other video has it, and it was written here."""
        is_its_own = self._ids[row.shown_id] == {row.key} == {self.known.owners.get(row.shown_id, row.key)}
        return is_its_own and row.text("status") != "" and self._date(row, "requested_at") is not None

    def _was_submitted(self, row: Row) -> bool:
        """Whether a code came for the request that a row shows, and the ledger, an older copy, never heard of it."""
        found = next((e.request for e in self.before.generations(row.key) if e.request.id == row.shown_id), None)
        return bool(found and self._is_submitted(row) and not (found.submitted_at or found.code))

    def _is_submitted(self, row: Row) -> bool:
        """Whether Submitted at says when a code came for the request that the row shows: nothing else there does."""
        submitted, requested = self._date(row, "submitted_at"), self._date(row, "requested_at")
        return submitted is not None and (requested is None or submitted >= requested)

    def _unknown_request(self, row: Row, code: str) -> Iterator[Entry]:
        """The request that a row shows, as it says; and its code, which is that request's own if Submitted at says so.

        One that was cancelled, or reported while TokPortal tells another code, stands beside an earlier code.
        """
        found = next((e for e in self.known.generations(row.key) if e.request.id == row.shown_id), None)
        is_reported = row.text("status") == "pending_corrections" and found and found.request.code
        is_own = self._is_submitted(row) and row.text("status") != "cancelled" and not is_reported
        if found is None:
            yield self._imported(row, row.shown_id, code if is_own else "")
        elif code and is_own and not found.request.code:
            yield replace(found, request=replace(found.request, code=code))
        if code and not is_own:
            yield self._imported(row, fingerprint(code), code)

    def _imported(self, row: Row, request_id: str, code: str) -> Entry:
        request = AdCodeRequest(request_id, row.key, "finalized", row.text("platform").casefold(), code or None)
        if request_id == row.shown_id:
            requested, submitted, delivered = (self._date(row, f"{what}_at") for what in _TIMES)
            request = replace(request, status=row.text("status"), created_at=requested)
            request = replace(request, submitted_at=submitted, delivered_at=delivered)
        ends = self._date(row, "expires_at") if code else None
        return Entry(request, Origin.IMPORTED, None, None, self.now, ends=ends)

    def _date(self, row: Row, column: str) -> datetime | None:
        return readable(lambda: instant(row.cells.get(column, ""), self.time_zone))

    def cost_before(self, rows: Sequence[Row]) -> Iterator[tuple[str, str, int]]:
        """What rows of a video say that it cost beyond what the ledger knows, once: (video id, request id, credits).

        Where it is what one code costs, it is the charge of the request that the row shows; else nobody knows of which,
        and the request is the empty text.
        """
        video, opening = rows[0].key, self.known.opening.get(rows[0].key)
        telling = [row for row in rows if row.shown_id and self._tells_of_a_request(row)]
        is_news = any(row.shown_id not in self.before.owners for row in telling)
        if not (telling or self.known.generations(video)) or (opening is not None and not is_news):
            return
        said = max((int(n) for row in telling if _is_amount(n := row.cells.get("credits_charged", ""))), default=0)
        more = said - (self.known.cost(video) or 0)
        charged = {e.request.id: e.credits_charged for e in self.known.generations(video)}
        shown = telling[0] if telling else rows[0]
        # a charge that is known was counted; what the cell still says of it may have been refunded since
        if more <= 0 or charged.get(shown.shown_id) is not None:
            more = 0
        if more == self.tracker.price and shown.text("status") != "cancelled":
            yield video, shown.shown_id, more
            more = 0
        if opening is None or more:
            yield video, "", (opening or 0) + more


def _is_amount(cell: Scalar) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and cell >= 0 and cell == int(cell)
