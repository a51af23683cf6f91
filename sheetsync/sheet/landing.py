"""PURE: where did a write land that nobody saw land? Its answer was lost, or its run was killed.

Owns what a later read tells of that: rows tell by what they carry. It is found out once, in the first read in which it
can be: later ones show what was written since. What follows from it is `repair.py`'s.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from sheetsync.columns import index_key, same, says
from sheetsync.model import Scalar, Snapshot
from sheetsync.sheet.edits import Edit, Landed, Sent, SetCell, by_row, columns_now, header_at, key_at, machine_headers
from sheetsync.sheet.matching import Aftermath, Content, most_similar, row_meant_now

MOST = 0.5
"""A row that carries so much of what was written counts as reached."""

GONE = "\x00"
"""The header of a column that came and went: no header of a sheet says that, so that it stands nowhere now."""

RowsBySaying = dict[frozenset[int], dict[tuple[object, ...], list[int]]]
"""Rows by which of some columns merged cells hide in them, and by what the others say."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A row that carries all or some of what was written to a row; `told` cells of it did not stand there before."""

    edits: Sequence[Edit]
    row: int
    is_whole: bool
    told: int

    @property
    def shift(self) -> int:
        """How far below its place the write landed here."""
        return self.row - self.edits[0].row


def seen_since(sent: Sent, after: Snapshot) -> Sent:
    """A write with what a later read tells of where it landed, if that was not known; as it was if nothing does."""
    if sent.landed is not None:
        return sent
    of = Aftermath.of(sent, after)
    headers, carriers = _explained(of)
    if not carriers:
        headers, carriers = after.headers, list(_emptied(of))
    if not carriers:
        # it may be on its way still
        return sent
    rows = {carrier.edits[0].row: _under(headers, carrier.row, after) for carrier in carriers}
    guessed = frozenset(carrier.edits[0].row for carrier in carriers if not carrier.is_whole)
    return replace(sent, landed=Landed(headers, rows, is_later=True, guessed=guessed))


def _emptied(of: Aftermath) -> Iterator[Carrier]:
    """The rows that lack something since a write that only empties: it tells by what is gone.

    What it was to empty still stands, and in its place, where another row or column stands by now, is nothing.
    """
    after = of.after
    only_empties = all(isinstance(edit, SetCell) and edit.value == "" for edit in of.sent.edits)
    for edits in by_row(of.sent.edits) if only_empties else ():
        row = edits[0].row
        was = of.then.contents(of.then.with_key(of.now.key(row)) if row in of.now.numbers else ())
        gone = [
            edit
            for edit in edits
            if len(was) == 1 and _still_says(edit, of) and after.cell(row, edit.column) == ""
            if next(iter(was.values())).get(header_at(after.headers, edit.column), "") != ""
        ]
        if gone:
            yield Carrier(edits, row, is_whole=False, told=len(gone))


def _still_says(edit: Edit, of: Aftermath) -> bool:
    """Whether a cell that was to be emptied says what it said, in the row and the column that were meant."""
    before = of.sent.before
    said = before.cell(edit.row, edit.column)
    columns = columns_now(of.after, header_at(before.headers, edit.column), edit.column)
    return any(same(of.after.cell(row, c), said) for row in row_meant_now(edit, of) for c in columns)


def _one_each(carriers: Sequence[Carrier]) -> Iterator[Carrier]:
    """Each row's write reached one row, and each row was reached by one: the clearest first.

    Rows that say the same are told by their place: all of one call lands as far below it.
    """
    shift = _shift(carriers)
    numbers, rows = set[int](), set[int]()
    for carrier in sorted(carriers, key=lambda one: (not one.is_whole, -one.told, one.shift != shift, one.shift != 0)):
        number = carrier.edits[0].row
        if number not in numbers and carrier.row not in rows:
            numbers.add(number)
            rows.add(carrier.row)
            yield carrier


def _shift(carriers: Iterable[Carrier]) -> int:
    shifts = Counter[int]()
    for carrier in carriers:
        shifts[carrier.shift] += carrier.told
    return max(shifts, key=lambda shift: (shifts[shift], -abs(shift)), default=0)


def _under(headers: Sequence[Scalar], row: int, after: Snapshot) -> list[Scalar]:
    """A row of a later read, as it would stand under the headers of an earlier moment."""
    places = (columns_now(after, header_at(headers, n), n)[:1] for n in range(len(headers)))
    return [after.cell(row, place[0]) if place else "" for place in places]


def _explained(of: Aftermath) -> tuple[Sequence[Scalar], list[Carrier]]:
    """The headers under which a write landed that nobody saw land, and the rows that carry it under those.

    as they stand now      nothing moved, or columns moved before it landed
    as they had been read  columns moved after it landed
    one column more        that one was there as it landed, and is gone
    """
    was, now = of.sent.before.headers, of.after.headers
    one_more = ((*headers[:at], GONE, *headers[at:]) for headers in (was, now) for at in range(len(headers)))
    changed = of.now.changed_since(of.then)
    all_of_them = [(-_most_told(those, changed, of), n, those) for n, those in enumerate(chain([now, was], one_more))]
    best, headers, carriers = (1, 0), now, list[Carrier]()
    # what may explain most comes first, and what cannot explain more, or as much and before it, is passed over: who
    # carries what is asked of each row and each write, thousands times thousands
    for at_most, n, those in sorted(all_of_them, key=lambda one: one[:2]):
        if (at_most, n) < best:
            found = list(_one_each(_carriers(those, changed, of)))
            told = sum(carrier.told for carrier in found)
            if (-told, n) < best:
                best, headers, carriers = (-told, n), those, found
    return headers, carriers


def _most_told(headers: Sequence[Scalar], changed: Sequence[int], of: Aftermath) -> int:
    """How many cells of a write its rows could tell of at most, under these headers: those that stand somewhere."""
    time_zone = of.sent.before.time_zone
    edits = [edit for edit in of.sent.edits if isinstance(edit, SetCell)]
    places = {column: columns_now(of.after, header_at(headers, column), column) for column in {e.column for e in edits}}
    said = {
        column: {index_key(of.after.cell(n, at[0]), time_zone) for n in changed} for column, at in places.items() if at
    }
    return sum(index_key(edit.value, time_zone) in said.get(edit.column, ()) for edit in edits)


def _carriers(headers: Sequence[Scalar], changed: Sequence[int], of: Aftermath) -> list[Carrier]:
    """Which rows carry all that was written to a row, or, if none does, most of it: some of it may have changed.

    Mere emptiness is everywhere: it landed as far from its place as the rows beside it.
    """
    written = list(by_row(of.sent.edits))
    found = _whole_carriers(written, headers, changed, of)
    whole = [[n for n in rows if _may_tell(n, edits, headers, of)] for edits, rows in zip(written, found, strict=True)]
    taken = {n for rows in whole for n in rows}
    touched = [n for n in changed if n not in taken]
    carriers = [
        Carrier(edits, row, bool(rows), _found(edits, row, headers, of))
        for edits, rows in zip(written, whole, strict=True)
        for row in rows
        or (n for n in touched if _tells_enough(n, edits, headers, of) and _may_tell(n, edits, headers, of))
    ]
    return [*carriers, *_beside(carriers, written, headers, of)] if carriers else []


def _beside(
    carriers: Sequence[Carrier], written: Iterable[Sequence[Edit]], headers: Sequence[Scalar], of: Aftermath
) -> Iterator[Carrier]:
    """The rows that tell nothing alone: emptiness, and what was put back into people's cells. All of a call lands as
    far from its place.
    """
    shift, told = _shift(carriers), {carrier.edits[0].row for carrier in carriers}
    for edits in written:
        row, number = edits[0].row + shift, edits[0].row
        if row in of.now.numbers and all(edit.value == "" for edit in edits):
            yield Carrier(edits, row, is_whole=False, told=0)
        elif row in of.now.numbers and number not in told and _share(row, edits, headers, of) == 1:
            yield Carrier(edits, row, is_whole=True, told=0)


def _tells_enough(row: int, edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> bool:
    """Whether a row carries most of what was written to one.

    Of another video's row one cell is enough, under a header where nobody else writes: another machine may have
    written the rest of it anew, and what belongs in the row that was meant.
    """
    if _share(row, edits, headers, of) >= MOST:
        return True
    cells = [(column, edit) for column, edit in _placed(edits, headers, of) if edit.value != ""]
    is_anothers = of.now.key(row) != edits[0].key
    return is_anothers and any(
        of.holds(row, column, edit) and header_at(of.after.headers, column) in _ours(of) for column, edit in cells
    )


def _found(edits: Sequence[Edit], row: int, headers: Sequence[Scalar], of: Aftermath) -> int:
    """How many cells of a row say what was written, and did not say so before.

    In a row of the same key that another machine has written since, what stands under its own header may be that
    one's word.
    """
    before, stamp = of.sent.before, of.after.columns["updated_at"]
    was = _content_before(row, edits, of)
    is_newer = not any(of.holds(row, stamp, edit) for edit in edits) and not same(
        of.after.cell(row, stamp), before.cell(edits[0].row, before.columns["updated_at"])
    )
    may_be_told_anew = is_newer and of.now.key(row) == edits[0].key
    return sum(
        of.holds(row, column, edit)
        and not says(was.get(header_at(of.after.headers, column), ""), edit.value, before.time_zone)
        and not (may_be_told_anew and header_at(of.after.headers, column) == header_at(before.headers, edit.column))
        for column, edit in _placed(edits, headers, of)
    )


def _content_before(row: int, edits: Sequence[Edit], of: Aftermath) -> Content:
    """What a row said as it was read: what another row was to say anew may have stood in this one all along.

    One in which people have written nothing was not there: it was empty all along.
    """
    meant, there, ours = edits[0].row, of.then.with_key(of.now.key(row)), machine_headers(of.sent.before)
    if not any(cell != "" for cell in of.now.contents([row], ours)[row].values()):
        return {}
    number = meant if meant in there else next(iter(there), meant)
    return of.then.contents([number])[number]


def _whole_carriers(
    written: Sequence[Sequence[Edit]], headers: Sequence[Scalar], among: Iterable[int], of: Aftermath
) -> list[list[int]]:
    """The rows that carry all that was written to a row, of each. By an index: both may be thousands.

    What lies under merged cells there is swallowed: a row that lacks nothing else carries all.
    """
    time_zone = of.sent.before.time_zone
    rows_by: dict[tuple[int, ...], RowsBySaying] = {}
    carriers = []
    for edits in written:
        cells = {column: index_key(edit.value, time_zone) for column, edit in _placed(edits, headers, of)}
        columns = tuple(cells)
        if columns not in rows_by:
            rows_by[columns] = _by_saying(columns, among, of)
        near = [
            n
            for hidden, rows in rows_by[columns].items()
            for n in rows.get(tuple(cell for column, cell in cells.items() if column not in hidden), ())
        ]
        carriers.append([n for n in near if _carries_all(n, edits, headers, of)])
    return carriers


def _by_saying(columns: Sequence[int], among: Iterable[int], of: Aftermath) -> RowsBySaying:
    found: RowsBySaying = {}
    for n in among:
        hidden = of.now.hidden(n, columns)
        saying = tuple(index_key(of.after.cell(n, c), of.sent.before.time_zone) for c in columns if c not in hidden)
        found.setdefault(hidden, {}).setdefault(saying, []).append(n)
    return found


def _carries_all(row: int, edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> bool:
    if _share(row, edits, headers, of) == 1:
        return True
    return _could_carry_no_more(edits, row, headers, of) and _tells_enough(row, edits, headers, of)


def _may_tell(row: int, edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> bool:
    """Whether a row that says what was written to one, or a part, tells where it landed.

    Not if it said so before. What was only put back into people's cells somebody may have typed as well: it tells
    nothing while the row that was meant stands in its place.
    """
    before, meant = of.sent.before, edits[0].row
    is_ours = any(edit.value != "" and header_at(before.headers, edit.column) in _ours(of) for edit in edits)
    if not is_ours and row != meant and key_at(of.after, meant) == edits[0].key:
        return False
    stamp = before.columns["updated_at"]
    is_stamped = any(edit.column == stamp and isinstance(edit.value, datetime) for edit in edits)
    is_whole = _share(row, edits, headers, of) == 1
    return (is_whole and not is_stamped) or not _was_said_before(row, edits, headers, of)


def _ours(of: Aftermath) -> set[str]:
    """Headers under which nobody else writes."""
    before = of.sent.before
    return machine_headers(before) - {header_at(before.headers, before.columns["action"])}


def _was_said_before(row: int, edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> bool:
    """Whether all that a row says of what was written stood before in one row that is like it: in itself, or a copy.

    What stands where people write, and was to stand there, they may have typed since.
    """
    saying, ours = list[set[int]](), _ours(of)
    for column, edit in _placed(edits, headers, of):
        header = header_at(of.after.headers, column)
        is_typed = header == header_at(of.sent.before.headers, edit.column) and header not in ours
        if edit.value != "" and of.holds(row, column, edit) and not is_typed:
            saying.append(of.then.saying(header, of.after.cell(row, column)))
    if not saying:
        return True
    key, others = of.then.key_header, set.intersection(*sorted(saying, key=len))
    without = machine_headers(of.sent.before) | {key}
    return bool(most_similar(of.now.contents([row], without)[row], of.then.contents(others, without), key))


def _placed(edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> list[tuple[int, SetCell]]:
    """Where the cells of a row's write stand now, if they landed under these headers; without those that are gone."""
    return [
        (column, edit)
        for edit in edits
        if isinstance(edit, SetCell)
        for column in columns_now(of.after, header_at(headers, edit.column), edit.column)[:1]
    ]


def _could_carry_no_more(edits: Sequence[Edit], row: int, headers: Sequence[Scalar], of: Aftermath) -> bool:
    """Whether all that a row lacks of what was written there lies under merged cells, which swallow it."""
    cells = _placed(edits, headers, of)
    hidden = of.now.hidden(row, [column for column, _ in cells])
    return all(of.holds(row, column, cell) or column in hidden for column, cell in cells)


def _share(row: int, edits: Sequence[Edit], headers: Sequence[Scalar], of: Aftermath) -> float:
    """How much of what was written to a row stands in that one; of mere emptiness, nothing."""
    cells = _placed(edits, headers, of)
    if all(cell.value == "" for _, cell in cells):
        return 0
    return sum(of.holds(row, column, cell) for column, cell in cells) / len(cells)
