"""PURE: what a write that went astray owes the sheet: cells to put back, and marks to clear.

Rows are recognised by what stands in them, not by their key alone: where columns moved, a write may have hit the
key itself. Knows no network, file, clock or log; which cells differ is `placing.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from sheetsync.columns import key_text, normal, rows_of, same, to_serial
from sheetsync.model import Scalar, Snapshot
from sheetsync.sheet.matching import Lines, bests, content, key_header, machine_headers
from sheetsync.sheet.verification import CellValue, Edit, Sent, cell_at, header_at, holds, key_at, landed_right

MOST = 0.5
"""A row that carries so much of what was written counts as reached, if nobody saw where the write landed."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that a write reached: which line it was before (None: there was no such row), its key, and where now.

    It is sure if the answer told so, or if the row carries all that was written.
    """

    before: int | None
    key: str
    headers: Sequence[Scalar]
    lines: tuple[int, ...]
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """A write, a read made since, and the lines of both."""

    sent: Sent
    after: Snapshot
    then: Lines
    now: Lines


def owed(rounds: Iterable[Sent], after: Snapshot) -> tuple[Edit, ...]:
    """What several writes still owe the sheet, `rounds` in the order they were made.

    `after` is a read made since. A cell that somebody has changed meanwhile is left alone.
    """
    made = tuple(rounds)
    debts: dict[tuple[int, int], Edit] = {}
    whole = after
    # the latest first: what it hit, a key say, has to be whole again before an earlier one's hits can be found
    for sent in reversed(made):
        found = astray(sent, whole)
        debts |= {(edit.line, edit.column): edit for edit in found}
        whole = mended(whole, found)
    clears = tuple(edit for sent in made for edit in _owed_clears(sent, whole))
    return merged(clears, tuple(debts.values()))


def mended(snapshot: Snapshot, debts: Sequence[Edit]) -> Snapshot:
    """The sheet as it will be once its debts are paid."""
    if not debts:
        return snapshot
    grid = [list(line) for line in snapshot.grid]
    for edit in debts:
        line = grid[edit.line - 1]
        line.extend([""] * (edit.column + 1 - len(line)))
        value = edit.value
        line[edit.column] = to_serial(value, snapshot.time_zone) if isinstance(value, datetime) else value
    cells = tuple(tuple(line) for line in grid)
    return replace(snapshot, grid=cells, rows=rows_of(cells, snapshot.columns))


def merged(edits: Sequence[Edit], debts: Sequence[Edit]) -> tuple[Edit, ...]:
    """What to write: what the mended sheet still lacks, and the debts that this does not settle anyway.

    A cell that we spoiled does not say what it would be compared with: there a mark is cleared without.
    """
    owing = {(edit.line, edit.column) for edit in debts}
    plain = [replace(edit, was="") if (edit.line, edit.column) in owing else edit for edit in edits]
    spoken_for = {(edit.line, edit.column) for edit in edits}
    return (*plain, *(edit for edit in debts if (edit.line, edit.column) not in spoken_for))


# --- cells to put back ----------------------------------------------------------------------------------------


def astray(sent: Sent, after: Snapshot) -> tuple[Edit, ...]:
    """Cells that a write hit by mistake, with what stood there before; of `Updated at`, what the write meant for it."""
    before = sent.before
    by_row = {(edit.line, header_at(before.headers, edit.column)): edit.value for edit in sent.edits}
    by_key = {(edit.key, header_at(before.headers, edit.column)): edit.value for edit in sent.edits}
    stamp, action = (header_at(before.headers, before.columns[key]) for key in ("updated_at", "action"))
    put_back: dict[tuple[int, int], Edit] = {}
    for cells, hit in _hits(Case(sent, after, Lines(before), Lines(after))):
        for edit in cells:
            header = header_at(hit.headers, edit.column)
            # rows with one key are told the same, but each has a mark of its own
            ours = by_row.get((hit.before, header)) if hit.before else by_key.get((hit.key, header))
            # a mark that is gone comes back only where it is sure that we took it away: it may cost credits
            is_guess = not hit.is_sure and header == action and edit.value == ""
            if not is_guess and not same(ours, edit.value):
                right = _cell_before(hit, header, before) if ours is None or header != stamp else ours
                put_back |= _put_back(edit, header, right, hit, sent, after)
    return tuple(put_back.values())


def by_line(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """The edits of each line."""
    for _, group in groupby(sorted(edits, key=lambda edit: edit.line), key=lambda edit: edit.line):
        yield list(group)


def _cell_before(hit: Hit, header: str, before: Snapshot) -> Scalar:
    line = before.grid[hit.before - 1] if hit.before and header else ()
    return content(before.headers, line).get(header, "")


def _put_back(
    edit: Edit, header: str, right: CellValue, hit: Hit, sent: Sent, after: Snapshot
) -> dict[tuple[int, int], Edit]:
    return {
        (line, column): Edit(line, column, hit.key, right)
        for line in hit.lines
        for column in _columns_of(after, header, edit.column)
        if _holds(after, line, column, edit, sent) and not same(cell_at(after, line, column), right)
        # a clearing emptied a cell only if it said just that
        if not edit.was or right == edit.was
    }


def _columns_of(after: Snapshot, header: str, column: int) -> list[int]:
    """Where a header stands now; a column without a header may be any of those."""
    if header and header_at(after.headers, column) == header:
        return [column]
    width = max(map(len, after.grid), default=0)
    return [index for index in range(width) if header_at(after.headers, index) == header][: 1 if header else None]


def _holds(after: Snapshot, line: int, column: int, edit: Edit, sent: Sent) -> bool:
    """Whether a cell says what was written: a moment in the time zone that the spreadsheet had then."""
    return holds(after, line, column, edit.value, sent.before.time_zone)


# --- which rows were hit --------------------------------------------------------------------------------------


def _hits(case: Case) -> Iterator[tuple[list[Edit], Hit]]:
    """The rows that a write reached, each with the edits that reached it."""
    landed, after = case.sent.landed, case.after
    if landed:
        for cells in by_line(case.sent.edits):
            there = landed.lines.get(cells[0].line, ())
            hit = _hit(cells, cells[0].line, landed.headers, there, case)
            yield cells, replace(hit, lines=_lines_now(cells, hit, landed.headers, there, case))
        return
    # nobody saw it land: rows tell by what they carry
    for cells, line, is_sure in _carriers(case):
        yield cells, replace(_hit(cells, line, after.headers, after.grid[line - 1], case), is_sure=is_sure)


def _carriers(case: Case) -> Iterator[tuple[list[Edit], int, bool]]:
    """Which lines carry all that was written to a line, or, if none does, most of it: some of it may have changed."""
    written = list(by_line(case.sent.edits))
    found = _whole_carriers(written, case)
    taken = {n for lines in found for n in lines}
    touched = [n for n in case.now.differing(case.then) if n not in taken]
    for cells, lines in zip(written, found, strict=True):
        for line in lines or (n for n in touched if _share(n, cells, case) >= MOST):
            yield cells, line, bool(lines)


def _whole_carriers(written: Sequence[Sequence[Edit]], case: Case) -> list[list[int]]:
    """The lines that carry all that was written to a line, of each. By an index: both may be thousands."""
    lines_by: dict[tuple[int, ...], dict[tuple[object, ...], list[int]]] = {}
    found = []
    for cells in written:
        edits = [edit for edit in cells if not edit.was]
        columns = tuple(edit.column for edit in edits)
        if columns not in lines_by:
            index = lines_by[columns] = {}
            for n in case.now.numbers:
                index.setdefault(tuple(_rough(cell_at(case.after, n, c), case) for c in columns), []).append(n)
        near = lines_by[columns].get(tuple(_rough(edit.value, case) for edit in edits), [])
        found.append([n for n in near if _share(n, cells, case) == 1])
    return found


def _rough(value: CellValue, case: Case) -> object:
    """A value as an index knows it: moments to the second, a ticked checkbox not as the number 1."""
    if isinstance(value, datetime):
        value = to_serial(value, case.sent.before.time_zone)
    return value if isinstance(value, str) else (isinstance(value, bool), round(value * 86400))


def _share(line: int, cells: Sequence[Edit], case: Case) -> float:
    """How much of what was written to a line stands in that one; of mere emptiness, nothing."""
    written = [edit for edit in cells if not edit.was]
    if all(edit.value == "" for edit in written):
        return 0
    held = sum(_holds(case.after, line, edit.column, edit, case.sent) for edit in written)
    return held / len(written)


def _hit(cells: Sequence[Edit], line: int, headers: Sequence[Scalar], there: Sequence[Scalar], case: Case) -> Hit:
    before = case.sent.before
    video_id = key_header(before)
    lost = machine_headers(before) | {header_at(headers, edit.column) for edit in cells if not edit.was}
    if video_id not in map(normal, headers):
        lost |= {video_id}
    found = content(headers, there, lost)
    number = case.then.found(found, line, lost, case.now)
    if video_id not in lost:
        return Hit(number, key_text(found.get(video_id, "")), headers, (line,))
    # its key was overwritten or cannot be seen: it is the row that was meant, if nothing else tells
    number = number or cells[0].line
    return Hit(number, key_at(before, number), headers, (line,))


def _lines_now(
    cells: Sequence[Edit], hit: Hit, headers: Sequence[Scalar], there: Sequence[Scalar], case: Case
) -> tuple[int, ...]:
    """Where the line that was hit stands now: those most like what the answer showed. None if it is gone."""
    after, now = case.after, case.now
    if hit.before is None and not case.then.with_key(hit.key):
        # a line that came in between: whatever was not there before may be it, and nothing in it is to be kept
        return tuple(n for n in now.numbers if not now.key(n) or not case.then.with_key(now.key(n)))
    column = after.columns["video_id"]
    video_id = key_header(after)
    overwritten = [e for e in cells if not e.was and header_at(headers, e.column) == video_id]
    candidates = [*now.with_key(hit.key)]
    candidates += [n for n in now.numbers if any(_holds(after, n, column, edit, case.sent) for edit in overwritten)]
    if not candidates:
        return _rekeyed(hit, case)
    shown = content(headers, there, {video_id} if overwritten else frozenset())
    return bests(shown, now.contents(candidates), video_id)


def _rekeyed(hit: Hit, case: Case) -> tuple[int, ...]:
    """Where a row stands whose key is nowhere any more: the line that is like it, and like no other row of before."""
    before = case.sent.before
    video_id = key_header(before)
    ours = machine_headers(before) | {video_id}
    old, now = case.then.contents(without=ours), case.now.contents(without=ours)
    return tuple(n for n, line in now.items() if bests(line, old, video_id) == (hit.before,))


# --- marks to clear -------------------------------------------------------------------------------------------


def _owed_clears(sent: Sent, after: Snapshot) -> Iterator[Edit]:
    """What was to be emptied and still stands, though the rest of its row's write landed, or part of it.

    A mark that is done would look like a new wish for what the row already shows. Of cells that show another video's
    request, those that are left would look like a person's.
    """
    case = Case(sent, after, Lines(sent.before), Lines(after))
    for cells in by_line(sent.edits):
        mark = next((edit.was for edit in cells if edit.was), "")
        emptied = [edit for edit in cells if edit.value == "" and not edit.was]
        for line in _row_now(cells[0], case) if mark or emptied else ():
            if mark and cell_at(after, line, after.columns["action"]) == mark:
                yield from _owed_mark(cells, mark, line, sent, after)
            if any(_tells(edit, sent.before) and _has_landed(edit, line, sent, after) for edit in cells):
                yield from (left for edit in emptied for left in _left(edit, line, sent, after))


def _owed_mark(cells: Sequence[Edit], mark: str, line: int, sent: Sent, after: Snapshot) -> Iterator[Edit]:
    now = after.columns["action"]
    told = [edit for edit in cells if edit.value != "" and _tells(edit, sent.before)]
    landed = [edit for edit in told if _has_landed(edit, line, sent, after)]
    is_whole = len(landed) == len(told) and now == sent.before.columns["action"]
    if _was_passed_over(cells, mark, sent):
        # it stood in its place and was not cleared: without comparing, then
        yield Edit(line, now, cells[0].key, "")
    elif landed and not _was_cleared(cells, is_whole or _columns_stood(cells, landed, sent.before, after), sent):
        yield Edit(line, now, cells[0].key, "", was=mark)


def _columns_stood(cells: Sequence[Edit], landed: Sequence[Edit], before: Snapshot, after: Snapshot) -> bool:
    """Whether the columns stood as they had been read when a write landed: by a cell whose column has moved since.

    Then all of a row's write landed in its place: it is one call. What says something else by now was changed since.
    """
    moved = {edit for edit in cells if header_at(after.headers, edit.column) != header_at(before.headers, edit.column)}
    return not moved or not moved.isdisjoint(landed)


def _left(edit: Edit, line: int, sent: Sent, after: Snapshot) -> Iterator[Edit]:
    """A cell that was to be emptied and says what it said."""
    said = cell_at(sent.before, edit.line, edit.column)
    for column in _columns_of(after, header_at(sent.before.headers, edit.column), edit.column):
        if said != "" and same(cell_at(after, line, column), said):
            yield Edit(line, column, edit.key, "")


def _row_now(edit: Edit, case: Case) -> tuple[int, ...]:
    """Where the row that was meant stands now; of rows with one key those most like it."""
    before, twins = case.sent.before, case.now.with_key(edit.key)
    video_id, ours = key_header(before), machine_headers(before)
    meant = case.then.contents([edit.line], ours)[edit.line]
    found = bests(meant, case.now.contents(twins, ours), video_id)
    return (edit.line,) if edit.line in found else found


def _tells(edit: Edit, before: Snapshot) -> bool:
    """Whether a cell tells that it was written: it did not say the same before."""
    return not holds(before, edit.line, edit.column, edit.value, before.time_zone)


def _was_cleared(cells: Sequence[Edit], whole: bool, sent: Sent) -> bool:
    """Whether a mark was cleared, so that one of now was made since: by the answer, else by what stands there."""
    if sent.landed is None:
        return whole  # all of the row's write stands in its place: so did the clearing
    clearing = [replace(edit, was="") for edit in cells if edit.was]
    name, column, headers = header_at(sent.before.headers, clearing[0].column), clearing[0].column, sent.landed.headers
    if name not in map(normal, headers):  # the column has another name, not another place
        headers = [*headers[:column], name, *headers[column + 1 :]]
    return landed_right(clearing, replace(sent.landed, headers=headers), sent.before)


def _was_passed_over(cells: Sequence[Edit], mark: str, sent: Sent) -> bool:
    landed = sent.landed
    if landed is None or not landed_right([edit for edit in cells if not edit.was], landed, sent.before):
        return False
    line = landed.lines[cells[0].line]
    return any(edit.was and edit.column < len(line) and line[edit.column] == mark for edit in cells)


def _has_landed(edit: Edit, line: int, sent: Sent, after: Snapshot) -> bool:
    header = header_at(sent.before.headers, edit.column)
    return any(_holds(after, line, column, edit, sent) for column in _columns_of(after, header, edit.column))
