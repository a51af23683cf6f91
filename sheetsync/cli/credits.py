"""PURE: whether the books agree: the sheet's column with the ledger, the ledger with TokPortal's credit history.

Owns the comparisons and their words, for `doctor`: whether each is fine (None: a remark), and the line. Nothing is ever
decided by them: in which shape TokPortal tells its history is partly unknown (reference/tokportal.md, Q16).
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sheetsync.cli.render import count
from sheetsync.columns import header_of, same
from sheetsync.model import AdCodeRequest, Entry, Known, Origin, Snapshot, Tracker
from sheetsync.tokportal.parsing import History, Movement

Finding = tuple[bool | None, str]

LISTED = 5
"""Of more than so many of a kind, these are named, and the others counted."""

CLOCKS_APART = timedelta(minutes=5)
"""A charge and its movement bear times that differ by no more, where no id ties them together."""


def of_sheet(tracker: Tracker, snapshot: Snapshot, known: Known) -> Iterator[Finding]:
    """Whether the column adds up to what the ledger says, row by row; and what rows that are gone have cost."""
    header, wrong, total, seen = header_of("credits_charged", tracker.columns), [], 0, set[str]()
    for row in snapshot.rows:
        said, cost = row.cells.get("credits_charged", ""), None if row.key in seen else known.cost(row.key)
        seen.add(row.key)
        total += int(said) if isinstance(said, int | float) and not isinstance(said, bool) else 0
        if not same(said, "" if cost is None else cost):
            what = f"{said!r} where the ledger has {'nothing' if cost is None else cost}"
            is_ours = row.key in known.videos or row.shown_id
            todo = "the next sync makes them agree" if is_ours else "nothing was ever ordered there: empty the cell"
            key = f" (video {row.key})" if row.key else ""
            wrong.append(f"tab '{snapshot.title}' row {row.number}{key}: '{header}' says {what}; {todo}")
    cost = sum(known.cost(video) or 0 for video in known.videos & seen)
    agrees = ", as in the ledger" if total == cost else f"; by the ledger it should be {cost}"
    yield not wrong or None, f"'{header}' adds up to {count(total, 'credit')}{agrees}"
    yield from ((None, line) for line in _some(wrong, "more rows say something else than the ledger"))
    gone = sorted(((known.cost(video) or 0, video) for video in known.videos - seen), reverse=True)
    paid = [f"{video} {credits}" for credits, video in gone if credits]
    if paid:
        named = ", ".join(_some(paid, "more"))
        yield None, f"{count(len(paid), 'video')} without a row have cost {sum(c for c, _ in gone)} credits: {named}"
    if unknown := known.unpriced:
        yield None, f"of {count(unknown, 'order')} nobody told the price: not in these sums"


@dataclass(frozen=True, slots=True)
class _Expected:
    """A movement that the ledger expects: its amount, and the time in which it should show.

    One that is not due may have been before the time that is compared: a refund of an older charge.
    """

    request_id: str
    amount: int
    first: datetime
    last: datetime
    text: str
    is_due: bool = True


def of_account(
    entries: Sequence[tuple[str, Entry]], history: History, since: datetime, unsettled: int
) -> Iterator[Finding]:
    """What the ledger's charges and refunds since then are at TokPortal, and what else moved there."""
    moved, until = history.movements, max((m.at for m in history.movements), default=since)
    if history.unreadable:
        yield None, f"{count(history.unreadable, 'movement')} of TokPortal's credit history cannot be read"
    if not history.is_whole:
        since = min((m.at for m in moved), default=since)
        yield None, f"the history is long: compared from {_day(since)} to {_day(until)} only"
    charges, refunds = _expected(entries, since, None if history.is_whole else until)
    if charges and moved and not any(m.amount < 0 for m in moved):
        yield None, "TokPortal's credit history does not tell what was spent from what came in: not compared"
        return
    absent, left = _paired((*charges, *refunds), moved)
    missing, refunds = [one for one in absent if one.is_due], [r for r in refunds if r.is_due or r not in absent]
    yield _agreement(charges, refunds, missing, since)
    unseen = [f"{expected.text}, which TokPortal's history does not show" for expected in missing]
    yield from ((None, line) for line in _some(unseen, "more charges and refunds that TokPortal does not show"))
    elsewhere, others = list[Movement](), defaultdict[str, list[Movement]](list)
    for movement in (movement for movement in left if movement.at >= since):
        (elsewhere if movement.amount < 0 and _is_ad_code(movement) else others[_kind(movement)]).append(movement)
    if elsewhere:
        named = ", ".join(_some(list(_told_elsewhere(elsewhere[:LISTED], entries)), "more", len(elsewhere)))
        maybe = f"; {count(unsettled, 'order')} without a clear answer may be among them" if unsettled else ""
        whose = "for ad codes that this ledger has no charge of (dashboard, or another machine)"
        yield None, f"{_sum(elsewhere)} {whose}: {named}{maybe}"
    if others:
        kinds = sorted(others, key=lambda kind: -abs(sum(m.amount for m in others[kind])))
        told = _some([f"{kind}: {_sum(others[kind])}" for kind in kinds], "more kinds")
        yield None, "movements that no ad code of this ledger accounts for: " + "; ".join(told)


def _expected(
    entries: Sequence[tuple[str, Entry]], since: datetime, until: datetime | None
) -> tuple[list[_Expected], list[_Expected]]:
    """The charges and the refunds in that time; each ad code request once, whichever tracker it is known in."""
    charges, refunds = {}, {}
    for tracker, entry in entries:
        request, charged = entry.request, entry.credits_charged
        at = request.created_at or entry.seen_at
        if not charged or (until and at > until):
            continue
        about = f"for request {request.id} (video {request.video_id}, tracker {tracker}, {_moment(at)})"
        is_due = at >= since - CLOCKS_APART
        if is_due:
            window = at - CLOCKS_APART, at + CLOCKS_APART
            text = f"the ledger knows {charged} credits charged {about}"
            charges[request.id] = _Expected(request.id, -charged, *window, text)
        if request.status == "cancelled" and entry.seen_at >= since:
            text = f"the ledger knows {charged} credits refunded {about}"
            refunds[request.id] = _Expected(request.id, charged, at, entry.seen_at + CLOCKS_APART, text, is_due)
    return list(charges.values()), list(refunds.values())


def _paired(expected: Sequence[_Expected], movements: Sequence[Movement]) -> tuple[list[_Expected], list[Movement]]:
    """What is expected and not there, and what is there and not expected: first by id, then by amount and time."""
    left, ids = list(movements), {one.request_id for one in expected}
    named = {(word, m.amount): m for m in movements for word in m.words & ids}
    missing = []
    for one in sorted(expected, key=lambda one: one.first):
        movement = named.pop((one.request_id, one.amount), None)
        if movement:
            left.remove(movement)
        else:
            missing.append(one)
    for fits in (_is_ad_code, lambda movement: not _is_ad_code(movement)):
        missing, left = _paired_by_time(missing, left, fits)
    return missing, left


def _paired_by_time(
    expected: Sequence[_Expected], movements: Sequence[Movement], fits: Callable[[Movement], bool]
) -> tuple[list[_Expected], list[Movement]]:
    """The same by amount and time alone: each takes the earliest that fits."""
    by_amount: dict[int, list[Movement]] = defaultdict(list)
    for movement in sorted(movements, key=lambda movement: movement.at):
        if fits(movement):
            by_amount[movement.amount].append(movement)
    missing, taken = [], set()
    for one in expected:
        found = by_amount[one.amount]
        at = bisect_left(found, one.first, key=lambda movement: movement.at)
        if at < len(found) and found[at].at <= one.last:
            taken.add(found.pop(at).id)
        else:
            missing.append(one)
    return missing, [movement for movement in movements if movement.id not in taken]


def _agreement(
    charges: Sequence[_Expected], refunds: Sequence[_Expected], missing: Sequence[_Expected], since: datetime
) -> Finding:
    spent, back = -sum(one.amount for one in charges), sum(one.amount for one in refunds)
    net = f"{spent} - {back} = {spent - back} credits" if back else f"{spent} credits"
    books = f"since {_day(since)} this ledger paid {net} ({count(len(charges), 'order')}"
    books += f", {count(len(refunds), 'refund')})" if refunds else ")"
    absent = Counter("refund" if one.amount > 0 else "charge" for one in missing)
    lacks = " and ".join(count(number, kind) for kind, number in sorted(absent.items()))
    return not missing or None, f"{books}; TokPortal's credit history " + (f"lacks {lacks}" if lacks else "agrees")


def _is_ad_code(movement: Movement) -> bool:
    return "ad code" in _words(movement) or "spark" in _words(movement)


def _words(movement: Movement) -> str:
    return movement.kind.casefold().replace("_", " ").replace("-", " ")


def _kind(movement: Movement) -> str:
    """What a movement is of: its description up to where it speaks of one thing (an id, a number, a name)."""
    words = re.match(r"[^\W\d_]+(?: [^\W\d_]+)*", _words(movement))
    return words[0] if words else movement.kind or "without a description"


def _told_elsewhere(movements: Sequence[Movement], entries: Sequence[tuple[str, Entry]]) -> Iterator[str]:
    """When each was, and the video that it was for, where the ledger has a request without a charge that fits."""
    uncharged = {entry.request.id: entry for _, entry in entries if entry.credits_charged is None}
    for movement in movements:
        found = next((entry for entry in uncharged.values() if _may_be(movement, entry.request)), None)
        how = ""
        if found:
            del uncharged[found.request.id]
            how = "ordered here, price not told" if found.origin is Origin.ORDERED else "taken over"
            how = f" (video {found.request.video_id}, {how})"
        yield _moment(movement.at) + how


def _may_be(movement: Movement, request: AdCodeRequest) -> bool:
    at = request.created_at
    return request.id in movement.words or (at is not None and abs(movement.at - at) <= CLOCKS_APART)


def _sum(movements: Sequence[Movement]) -> str:
    return f"{sum(m.amount for m in movements):+} credits ({len(movements)} x)"


def _some(lines: Sequence[str], more: str, total: int = 0) -> list[str]:
    rest = max(total, len(lines)) - LISTED
    return [*lines[:LISTED], *([f"and {rest} {more}"] if rest > 0 else [])]


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
