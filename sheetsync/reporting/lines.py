"""PURE: the sheet's rows and the ledger -> the lines of a report.

Owns what each request, code and opening balance becomes, also where its row is gone: then the ledger tells whose it
was (by what was kept with its last order), and what people had typed of its codes.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from sheetsync.columns import instant, normal, zone
from sheetsync.model import Entry, Known, Origin, Row, Scalar, Snapshot, Tracker
from sheetsync.projection.figures import NO_ROW, NOBODY
from sheetsync.projection.in_use import Code, codes, in_use
from sheetsync.projection.window import RowContext, readable, stage
from sheetsync.reporting.sentences import approvals, sentence
from sheetsync.reporting.statement import Amount, Asked, Line, Statement, Story
from sheetsync.steps import Event, link_to, place_of

OF_A_VIDEO = (
    *("video_url", "creator", "client", "brand", "campaign", "objective", "market", "language", "ad_account"),
    *("creator_owner", "paid_owner", "renewal_owner", "approval_owner", "usage_rights", "contract"),
)
"""Columns that are true of each code of a video."""

OF_A_ROW = (
    *("post_status", "paid_status", "spend", "currency", "conversions", "spend_window", "performance_snapshot"),
    *("renewal_decision", "retirement_reason", "invoice_status", "invoice_owner", "proof"),
)
"""Columns that are told once for a video, so that they can be added up, whatever number of codes it had."""

OPENING = "before this ledger"


@dataclass(frozen=True, slots=True)
class Source:
    """A tracker: its sheet as it is now, and what the ledger knows; `events` are those of each video, oldest first."""

    tracker: Tracker
    snapshot: Snapshot
    known: Known
    events: Mapping[str, Sequence[Event]]


def statement_of(
    sources: Sequence[Source], now: datetime, balance: tuple[int, datetime] | None, asked: Asked
) -> Statement:
    """The report, as of now."""
    videos = [_Video(source, row, now) for source in sources for row in _rows(source)]
    found = [(video, [line for line in video.lines(asked)]) for video in videos if asked.is_about(video.cells)]
    shown = sorted(((video, lines) for video, lines in found if lines), key=lambda pair: pair[0].place)
    return Statement(
        asked,
        now.astimezone(zone(sources[0].snapshot.time_zone)),
        tuple(source.tracker.name for source in sources),
        tuple(chain.from_iterable(lines for _, lines in shown)),
        tuple(video.story for video, _ in shown),
        frozenset(normal(video.cells.get("client", "")) for video in videos),
        frozenset(normal(video.cells.get("campaign", "")) for video in videos),
        None if asked.client or asked.campaign else balance,
    )


def _rows(source: Source) -> Iterator[Row]:
    """Each video once, of duplicates the first row (design 5); then those whose row is gone."""
    firsts = {row.key: row for row in reversed(source.snapshot.rows) if row.key}
    yield from firsts.values()
    yield from (_row_gone(source, video) for video in sorted(source.known.videos - firsts.keys()))


def _row_gone(source: Source, video: str) -> Row:
    """What is known of a row that is gone, as a row without a number."""
    told = [event.detail["row"] for event in source.events.get(video, ()) if "row" in event.detail]
    cells: dict[str, Scalar] = dict(told[-1]) if told and isinstance(told[-1], Mapping) else {}
    cells |= {column: typed.last for (of, column), typed in source.known.typed.items() if of == video}
    latest = source.known.latest.get(video)
    if latest and latest.authorization_days:
        cells["authorization_days"] = latest.authorization_days
    return Row(0, video, cells)


class _Video:
    """One video of a tracker, and all its lines."""

    def __init__(self, source: Source, row: Row, now: datetime) -> None:
        self._source, self._row = source, row
        self._zone = zone(source.snapshot.time_zone)
        self._context = RowContext(row, source.snapshot.time_zone, source.tracker, now, source.known)
        self._codes = codes(self._context)
        self._used = in_use(self._codes)
        self._entries = source.known.generations(row.key) or [code.entry for code in self._codes]
        self._events = source.events.get(row.key, ())
        self.cells: Mapping[str, Scalar] = {key: _clean(cell) for key, cell in row.cells.items()}

    @property
    def client(self) -> str:
        """Whose money it is."""
        return str(self.cells.get("client", "")) or (NOBODY if self._row.number else NO_ROW)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What a report is sorted by."""
        name = str(self.cells.get("creator", ""))
        return self._source.tracker.name, self.client.casefold(), name.casefold(), self._row.key

    @property
    def story(self) -> Story:
        """What happened."""
        # the balance is the whole account's: a report may be for one client
        told = [replace(e, detail={k: v for k, v in e.detail.items() if k != "credits_left"}) for e in self._events]
        events = tuple((event.at.astimezone(self._zone), str(_clean(sentence(event)))) for event in told)
        name = str(self.cells.get("creator", "")) or self._row.key
        passed = [said for e in reversed(self._entries) for said in self._approvals(e.request.id)]
        return Story(self._source.tracker.name, self._row.key, name, self.client, tuple(passed), events)

    def lines(self, asked: Asked) -> Iterator[Line]:
        """Those that the period is about, oldest first."""
        opening = self._source.known.opening.get(self._row.key, 0)
        if opening and asked.covers(None):
            yield replace(self._line(), state=OPENING, amounts=(Amount(None, opening),))
        for entry in reversed(self._entries):
            line = self._line_of(entry)
            begin = line.asked_at or entry.seen_at.astimezone(self._zone)
            line = replace(line, is_unpriced=line.is_unpriced and asked.covers(begin))
            line = replace(line, amounts=tuple(each for each in line.amounts if asked.covers(each.at)))
            # what is cancelled runs no more, whatever it had brought
            end = line.ends if line.word else (None if entry.request.is_open else begin)
            if line.amounts or asked.meets(begin, end):
                yield line

    def _line(self) -> Line:
        row, tracker, sheet = self._row, self._source.tracker, self._source.snapshot.sheet_id
        link = link_to(tracker.spreadsheet, place_of(sheet, row.number)) if row.number else ""
        cells = {key: self.cells[key] for key in OF_A_VIDEO if key in self.cells}
        name = tracker.name
        return Line(name, row.key, self.client, cells, row.number or None, link, "", warn_hours=tracker.warn_hours)

    def _line_of(self, entry: Entry) -> Line:
        request, code = entry.request, next((code for code in self._codes if code.entry is entry), None)
        is_used = code is not None and code == self._used
        speaks = is_used or (self._used is None and entry is self._context.entry)
        line = self._line()
        return replace(
            line,
            cells={**line.cells, **({k: self.cells[k] for k in OF_A_ROW if k in self.cells} if speaks else {})},
            state=self._stage(code) if speaks else _fate(entry, code),
            # a code that people typed has no request
            request_id="" if entry.origin is Origin.TYPED else request.id,
            status=request.status,
            codes=tuple(str(_clean(code)) for code in self._brought(entry)),
            is_in_use=is_used,
            has_stage=speaks,
            asked_at=self._asked_at(entry),
            received_at=self._received_at(entry),
            ends=code.window.ends.astimezone(self._zone) if code and code.window.ends else None,
            word=code.window.word if code else "",
            amounts=tuple(self._amounts(entry)),
            is_unpriced=entry.origin is Origin.ORDERED and entry.cost is None,
            approvals=tuple(self._approvals(request.id)),
        )

    def _stage(self, code: Code | None) -> str:
        latest = self._context.entry
        text, word = (code.text, code.window.word) if code else ("", "")
        said = stage(self._context, text, word, is_open=latest is not None and latest.request.is_open)
        return said or (latest.request.status if latest else "")

    def _of(self, request_id: str, *kinds: str) -> Iterator[Event]:
        """The events of a request of these kinds."""
        return (e for e in self._events if e.kind in kinds and e.detail.get("request_id") == request_id)

    def _brought(self, entry: Entry) -> Sequence[str]:
        codes = [str(event.detail["code"]) for event in self._of(entry.request.id, "code")]
        return codes or ([entry.request.code] if entry.request.code else [])

    def _asked_at(self, entry: Entry) -> datetime | None:
        """When it was ordered; of a code that people typed, when it was received."""
        at = entry.request.created_at
        if entry.origin is Origin.TYPED:
            at = readable(lambda: instant(self._row.cells.get("received_at", ""), self._context.time_zone))
        return at and at.astimezone(self._zone)

    def _received_at(self, entry: Entry) -> datetime | None:
        """When the request first brought a code: a correction may renew what TokPortal says of it."""
        if entry.origin in (Origin.IMPORTED, Origin.TYPED):
            return None
        seen = [event.at for event in self._of(entry.request.id, "code")]
        told = [entry.request.submitted_at] if entry.request.submitted_at else []
        return min([*seen, *told]).astimezone(self._zone) if seen else None

    def _amounts(self, entry: Entry) -> Iterator[Amount]:
        """The charge in the month of the order, the refund in the month in which it was seen."""
        if not entry.credits_charged:
            return
        request = entry.request
        first = (event.at for event in self._events if event.detail.get("request_id") == request.id)
        ordered = request.created_at or next(first, entry.seen_at)
        yield Amount(ordered.astimezone(self._zone), entry.credits_charged)
        if request.status == "cancelled":
            ends = [event.at for event in self._of(request.id, "status") if event.detail.get("to") == "cancelled"]
            found = [event.at for event in self._of(request.id, "found", "ordered", "adopted")]
            seen = next(iter([*reversed(ends), *found]), entry.seen_at)
            yield Amount(seen.astimezone(self._zone), -entry.credits_charged)

    def _approvals(self, request_id: str) -> Iterator[str]:
        """Who let the order pass, and when."""
        ids = {event.detail.get("intent") for event in self._of(request_id, "ordered", "adopted")} - {None}
        for event in self._events:
            if event.kind == "intent" and event.detail.get("intent") in ids and (said := approvals(event.detail)):
                yield f"{event.at.astimezone(self._zone):%Y-%m-%d %H:%M} {_clean(said)}"


def _fate(entry: Entry, code: Code | None) -> str:
    """What became of a request that the row does not speak of any more, or not yet."""
    if code is None:
        return "requested" if entry.request.is_open else entry.request.status
    return "reported" if code.is_reported else "may still run" if code.runs else "expired"


_TURNS_TEXT = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _clean(cell: Scalar) -> Scalar:
    """A cell without what no file of ours may hold: control characters, halves of a surrogate pair, turns of the
    writing direction.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    kept = (c in "\n\t" or not (c in _TURNS_TEXT or unicodedata.category(c) in ("Cc", "Cs")) for c in text)
    return "".join(c if keep else "\ufffd" for c, keep in zip(text, kept, strict=True))
