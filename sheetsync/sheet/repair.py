"""PURE: what a write that went astray owes the sheet: cells to put back, and marks to clear.

Owns the repairs: what follows when a write hit other cells than it was meant for, by the answer to it where there was
one, else by what stands in the sheet since. Which row is which is `matching.py`'s. A cell that somebody has changed
meanwhile is left alone.

    where the write reached     what repairs it
    its own row and column      nothing
    another row                 that row's own cells of before; its mark only where it is sure that we took it away
    a row that was inserted     emptiness
    another column of its row   what stood under that header before
    nothing (row deleted)       nothing
    its row, mark still there   the clearing, unless the mark was made since
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sheetsync.columns import index_key, key_text, normal, row_of, same, says, to_serial
from sheetsync.lines import as_lines
from sheetsync.model import CellValue, Scalar, Snapshot
from sheetsync.sheet.edits import (
    ClearMark,
    Edit,
    Landed,
    Sent,
    SetCell,
    by_row,
    columns_now,
    header_at,
    key_at,
    key_header,
    machine_headers,
)
from sheetsync.sheet.landing import seen_since
from sheetsync.sheet.matching import Aftermath, content, renamed, row_before, row_meant_now, rows_hit_now
from sheetsync.sheet.verification import landed_right


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a write reached: which row it was before (None: there was none), its key, and where it stands now.

    It is sure if the answer told so, or if the row carries all that was written. `names` are the headers under which
    the write landed, by the names that were read before.
    """

    before: int | None
    key: str
    headers: Sequence[Scalar]
    names: Sequence[str]
    rows: tuple[int, ...]
    is_sure: bool = True


def repairs_for(writes: Iterable[Sent], after: Snapshot) -> tuple[tuple[Sent, ...], tuple[Edit, ...], tuple[Edit, ...]]:
    """What is still to be repaired after several writes; `after` is a read made since.

    First the writes themselves, in the order they were made, with what this read tells of where they landed; last the
    repairs in cells that cannot be written: they stay owed.
    """
    writes = tuple(writes)
    ours = _stamps(writes)
    repairs: dict[tuple[int, int], Edit] = {}
    whole, made = after, list[Sent]()
    # the latest first: what it hit, a key say, has to be whole again before an earlier one's hits can be found
    for sent in reversed(writes):
        made.insert(0, seen_since(sent, whole))
        restored = cells_to_restore(made[0], whole)
        mended = repaired(whole, restored)
        found = [e for e in restored if _stamp_at(e.row, after) in ours or _is_ours(e, made[0], after, mended)]
        repairs |= {(edit.row, edit.column): edit for edit in found}
        whole = repaired(whole, found)
    ends = [Aftermath.of(sent, whole) for sent in made]
    clears = (
        edit for of in ends for edit in (*_missing_clears(of), *_left_to_another_video(of, _imported(of, ends[0])))
    )
    due = tuple(edit for edit in clears if _stamp_at(edit.row, after) in ours)
    left = merged(due, tuple(repairs.values()))
    free = tuple(edit for edit in left if not after.bars(edit.row, edit.column))
    return tuple(made), free, tuple(edit for edit in left if after.bars(edit.row, edit.column))


def _stamps(writes: Iterable[Sent]) -> frozenset[object]:
    """What may stand in `Updated at` of a row as long as nobody else has written it since: what we found or wrote.

    Another machine's write is newer than ours, and is not ours to put right. No two clocks are compared.
    """
    found = (_stamp_at(number, sent.before) for sent in writes for number in range(2, len(sent.before.grid) + 1))
    wrote = (index_key(edit.value, sent.before.time_zone) for sent in writes for edit in sent.edits)
    answers = (sent.landed.rows for sent in writes if sent.landed and not sent.landed.is_later)
    there = (index_key(cell, "UTC") for rows in answers for cells in rows.values() for cell in cells)
    return frozenset({"", *found, *wrote, *there})


def _stamp_at(number: int, snapshot: Snapshot) -> object:
    return index_key(snapshot.cell(number, snapshot.columns["updated_at"]), snapshot.time_zone)


def _is_ours(edit: Edit, sent: Sent, after: Snapshot, mended: Snapshot) -> bool:
    """Whether what a cell says of a row that somebody has written since is not that one's word, but ours.

    The answer showed that we hit it, or it says what was written for other columns or videos alone. A mark comes back
    only where the row still shows the request that it was made for: whoever serves a mark shows another one, and a
    mark that was served and comes back may cost credits.
    """
    cell, before = after.cell(edit.row, edit.column), sent.before
    wrote = {(e.key, header_at(before.headers, e.column)) for e in sent.edits if _wrote(e, cell, before)}
    header = header_at(after.headers, edit.column)
    was_seen = sent.landed is not None and not sent.landed.is_later
    is_ours = was_seen or (bool(wrote) and (key_at(after, edit.row), header) not in wrote)
    is_a_mark = edit.value != "" and header == header_at(before.headers, before.columns["action"])
    # as long as a word of ours stands in its place, nobody has served it
    if not is_ours or not is_a_mark or (was_seen and cell != ""):
        return is_ours
    shows = mended.cell(edit.row, after.columns["request_id"])
    rows = (number for number in range(2, len(before.grid) + 1) if key_at(before, number) == edit.key)
    return any(same(before.cell(number, before.columns["request_id"]), shows) for number in rows)


def _wrote(edit: Edit, cell: Scalar, before: Snapshot) -> bool:
    return edit.value != "" and says(cell, edit.value, before.time_zone)


def headers_to_restore(writes: Iterable[Sent], seen: Snapshot) -> tuple[SetCell, ...]:
    """Headers that a write has hit, as a row came above them in its gap; `seen` is a read whose headers may be nowhere.

    The header row is known by all other headers. Without them nothing else could be put right.
    """
    restored: dict[tuple[int, int], SetCell] = {}
    for sent in writes:
        headers = {c: header for c, header in enumerate(sent.before.headers) if header}
        written = {edit.column for edit in sent.edits}
        for number, line in enumerate(seen.grid, start=1):
            cells = dict(enumerate(line))
            others = {c for c, header in headers.items() if cells.get(c, "") != header}
            # of thousands of rows nearly all say something else also where nothing was written
            if others <= written:
                hit = {e.column for e in sent.edits if says(cells.get(e.column, ""), e.value, sent.before.time_zone)}
                if others <= hit and not headers.keys() <= hit:
                    restored |= {(number, c): SetCell(number, c, "", str(sent.before.cell(1, c))) for c in hit}
    return tuple(cell for (row, column), cell in restored.items() if seen.cell(row, column) != cell.value)


def repaired(snapshot: Snapshot, repairs: Sequence[Edit]) -> Snapshot:
    """The sheet as it will be once it is repaired."""
    if not repairs:
        return snapshot
    lines = {edit.row: list(snapshot.grid[edit.row - 1]) for edit in repairs}
    for edit in repairs:
        cells, value = lines[edit.row], edit.value
        cells.extend([""] * (edit.column + 1 - len(cells)))
        cells[edit.column] = to_serial(value, snapshot.time_zone) if isinstance(value, datetime) else value
    present = frozenset(snapshot.columns)
    made = (row_of(number, cells, snapshot.columns, present, snapshot.locks) for number, cells in lines.items())
    # a few rows of thousands: all others stay as they were kept
    rows = [row for row in snapshot.rows if row.number not in lines] + [row for row in made if row.cells]
    grid = as_lines(snapshot.grid).with_lines({number - 1: tuple(cells) for number, cells in lines.items()})
    return replace(snapshot, grid=grid, rows=tuple(sorted(rows, key=lambda row: row.number)))


def merged(edits: Sequence[Edit], repairs: Sequence[Edit]) -> tuple[Edit, ...]:
    """What to write: what the repaired sheet still lacks, and the repairs that this does not settle anyway.

    A cell that we spoiled does not say what it would be compared with: there a mark is cleared without.
    """
    repaired_places = {(edit.row, edit.column) for edit in repairs}
    plain = [_without_compare(edit) if (edit.row, edit.column) in repaired_places else edit for edit in edits]
    spoken_for = {(edit.row, edit.column) for edit in edits}
    return (*plain, *(edit for edit in repairs if (edit.row, edit.column) not in spoken_for))


def _without_compare(edit: Edit) -> SetCell:
    return SetCell(edit.row, edit.column, edit.key, edit.value)


def cells_to_restore(sent: Sent, after: Snapshot) -> tuple[Edit, ...]:
    """Cells that a write hit by mistake, with what stood there before; of `Updated at`, what the write meant for it."""
    before = sent.before
    by_place = {(edit.row, header_at(before.headers, edit.column)): edit.value for edit in sent.edits}
    by_key = {(edit.key, header_at(before.headers, edit.column)): edit.value for edit in sent.edits}
    stamp, action = (header_at(before.headers, before.columns[key]) for key in ("updated_at", "action"))
    put_back: dict[tuple[int, int], Edit] = {}
    for edits, hit in _hits(of := Aftermath.of(sent, after)):
        for edit in edits:
            header = header_at(hit.names, edit.column)
            # duplicates are told the same, but each has a mark of its own
            meant = by_place.get((hit.before, header)) if hit.before else by_key.get((hit.key, header))
            # a mark that is gone comes back only where it is sure that we took it away: it may cost credits
            is_guess = not hit.is_sure and header == action and edit.value == ""
            if not is_guess and not same(meant, edit.value):
                right = _cell_before(hit, header, before) if meant is None or header != stamp else meant
                put_back |= _put_back(edit, right, hit, of)
    return tuple(put_back.values())


def _cell_before(hit: Hit, header: str, before: Snapshot) -> Scalar:
    cells = before.grid[hit.before - 1] if hit.before and header else ()
    return content(before.headers, cells).get(header, "")


def _put_back(edit: Edit, right: CellValue, hit: Hit, of: Aftermath) -> dict[tuple[int, int], Edit]:
    return {
        (row, column): SetCell(row, column, hit.key, right)
        for row in hit.rows
        for column in _columns_hit_now(edit, hit, of)
        # what no longer holds what we wrote was changed by somebody since
        if of.holds(row, column, edit) and not same(of.after.cell(row, column), right)
        # a clearing emptied a cell only if it said just that
        if not isinstance(edit, ClearMark) or right == edit.mark
    }


def _columns_hit_now(edit: Edit, hit: Hit, of: Aftermath) -> list[int]:
    """Where the column stands that was hit: by its name then, else by the one read before, else by its new one."""
    name = header_at(hit.names, edit.column)
    names = [header_at(hit.headers, edit.column), name, *(new for new, was in of.was_called.items() if was == name)]
    return next(filter(None, (columns_now(of.after, each, edit.column) for each in names)), [])


def _hits(of: Aftermath) -> Iterator[tuple[list[Edit], Hit]]:
    """The rows that a write reached, each with the edits that reached it; none as long as nobody has seen it land."""
    landed = of.sent.landed
    if landed is None:
        return
    names = of.names_as_read(landed.headers)
    for edits in by_row(of.sent.edits):
        row = edits[0].row
        if not landed.is_later or row in landed.rows:
            seen = landed.rows.get(row, ())
            before, key = _identified(edits, names, seen, of)
            rows = rows_hit_now(before, key, edits, names, seen, of)
            yield edits, Hit(before, key, landed.headers, names, rows, row not in landed.guessed)


def _identified(
    edits: Sequence[Edit], headers: Sequence[Scalar], seen: Sequence[Scalar], of: Aftermath
) -> tuple[int | None, str]:
    """Which row of before a write reached, and its key, by what was seen there less what the write may have changed."""
    before, row = of.sent.before, edits[0].row
    key = key_header(before)
    unreliable = machine_headers(before) | {
        header_at(headers, edit.column) for edit in edits if isinstance(edit, SetCell)
    }
    if key not in map(normal, headers):
        unreliable |= {key}
    known = content(headers, seen, unreliable)
    number = row_before(known, row, of.then, of.now, unreliable)
    if key not in unreliable:
        return number, key_text(known.get(key, ""))
    # its key was overwritten or cannot be seen: it is the row that was meant, if nothing else tells
    number = number or row
    return number, key_at(before, number)


def _missing_clears(of: Aftermath) -> Iterator[Edit]:
    """What was to be emptied and still stands, though the rest of its row's write landed, or part of it.

    A mark that is done would look like a new wish for what the row already shows. Of cells that show another video's
    request, those that are left would look like a person's.
    """
    for edits in by_row(of.sent.edits):
        clear = next((edit for edit in edits if isinstance(edit, ClearMark)), None)
        emptied = [edit for edit in edits if isinstance(edit, SetCell) and edit.value == ""]
        for row in row_meant_now(edits[0], of) if clear or emptied else ():
            if clear and of.after.cell(row, of.after.columns["action"]) == clear.mark:
                yield from _missing_clear_of_mark(edits, clear, row, of)
            if any(_is_telling(edit, of.sent.before) and _has_landed(edit, row, of) for edit in edits):
                yield from (left for edit in emptied for left in _left_over(edit, row, of))


def _missing_clear_of_mark(edits: Sequence[Edit], clear: ClearMark, row: int, of: Aftermath) -> Iterator[Edit]:
    action = of.after.columns["action"]
    telling = [edit for edit in edits if edit.value != "" and _is_telling(edit, of.sent.before)]
    landed = [edit for edit in telling if _has_landed(edit, row, of)]
    is_whole = len(landed) == len(telling) and action == of.sent.before.columns["action"]
    is_due = landed and not _was_cleared(clear, is_whole or _columns_stood(edits, landed, of), of.sent)
    if is_due or _was_passed_over(edits, clear, of.sent):
        # by comparing again: without, it would take a mark that somebody has made since
        yield ClearMark(row, action, clear.key, clear.mark)


def _imported(of: Aftermath, first: Aftermath) -> frozenset[str]:
    """Headers of people under which a write has set cells because a person imports them.

    Of the first write alone, in whatever calls: before it nothing was to be put back.
    """
    before = of.sent.before
    if before is not first.sent.before and before.grid != first.sent.before.grid:
        return frozenset()
    headers = {header_at(before.headers, edit.column) for edit in of.sent.edits if isinstance(edit, SetCell)}
    return frozenset(headers - machine_headers(before))


def _left_to_another_video(of: Aftermath, imported: Set[str]) -> Iterator[Edit]:
    """What landed in a row whose Video ID somebody has typed over since: it speaks of none.

    A row that shows a request is told by that, and emptied by its projection; what was imported into it is not.
    """
    before, shows = of.sent.before, of.after.columns["request_id"]
    ours = machine_headers(before) - {header_at(before.headers, before.columns["action"])}
    for edits, hit in _hits(of):
        keys = {edits[0].key, of.then.key(hit.before) if hit.before else hit.key}
        others = [row for row in hit.rows if of.now.key(row) not in keys]
        left = imported | ours if any(of.after.cell(row, shows) == "" for row in others) else imported
        for edit in edits if others else ():
            header = header_at(hit.names, edit.column)
            if isinstance(edit, SetCell) and header in left:
                yield from _put_back(edit, _cell_before(hit, header, before), hit, of).values()


def _columns_stood(edits: Sequence[Edit], landed: Sequence[Edit], of: Aftermath) -> bool:
    """Whether the columns stood as they had been read when a write landed: by a cell whose column has moved since.

    Then all of a row's write landed in its place: it is one call. What says something else by now was changed since.
    """
    was, now = of.sent.before.headers, of.after.headers
    moved = {edit for edit in edits if header_at(now, edit.column) != header_at(was, edit.column)}
    return not moved or not moved.isdisjoint(landed)


def _left_over(edit: SetCell, row: int, of: Aftermath) -> Iterator[Edit]:
    """A cell that was to be emptied and says what it said."""
    before = of.sent.before
    said = before.cell(edit.row, edit.column)
    for column in columns_now(of.after, header_at(before.headers, edit.column), edit.column):
        if said != "" and same(of.after.cell(row, column), said):
            yield SetCell(row, column, edit.key, "")


def _is_telling(edit: Edit, before: Snapshot) -> bool:
    """Whether a cell tells that it was written: it did not say the same before."""
    return not says(before.cell(edit.row, edit.column), edit.value, before.time_zone)


def _was_cleared(clear: ClearMark, is_whole: bool, sent: Sent) -> bool:
    """Whether a mark was cleared, so that one of now was made since: by the answer, else by what stands there."""
    if sent.landed is None or sent.landed.is_later:
        return is_whole  # all of the row's write stands in its place: so did the clearing
    was = renamed(sent.before.headers, sent.landed.headers)
    headers = [was.get(name, name) for name in map(normal, sent.landed.headers)]
    return landed_right([_without_compare(clear)], replace(sent.landed, headers=headers), sent.before)


def _was_passed_over(edits: Sequence[Edit], clear: ClearMark, sent: Sent) -> bool:
    """Whether the rest of the row landed right and the answer still showed the mark."""
    cells = [edit for edit in edits if isinstance(edit, SetCell)]
    if sent.landed is None or sent.landed.is_later or not landed_right(cells, sent.landed, sent.before):
        return False
    return _seen(sent.landed, clear) == clear.mark


def _seen(landed: Landed, edit: Edit) -> Scalar:
    row = landed.rows[edit.row]
    return row[edit.column] if edit.column < len(row) else ""


def _has_landed(edit: Edit, row: int, of: Aftermath) -> bool:
    header = header_at(of.sent.before.headers, edit.column)
    return any(of.holds(row, column, edit) for column in columns_now(of.after, header, edit.column))
