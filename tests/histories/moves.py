"""What happens in the wider world beside people.py and outside.py: money, clocks, sleep, protections, formulas, undo.

Each rule takes the desk and small numbers; wider.py says which switch a rule belongs to.
"""

from __future__ import annotations

from datetime import timedelta

from support.bench import EMAIL, TAB

from histories import people
from histories.desk import ACTION, HEADERS, KEY, MACHINE, VIDEOS, Desk
from histories.people import MARKS, nth_row
from sheetsync.columns import COLUMNS, Kind
from sheetsync.sandbox.google import a1, filters, tables
from sheetsync.sandbox.google.cells import Formula
from sheetsync.sandbox.google.edit import Edit

OF_KIND = {Kind.DATE: "DATE_TIME", Kind.NUMBER: "DOUBLE", Kind.CHECKBOX: "BOOLEAN", Kind.TEXT: "TEXT"}
"""The type that a kind of column has in a table."""

WAITS = (45, 61, 70, 300)
SUSPENDED = (61, 600, 3600, 5 * 3600)
CREDITS = (7, 14, 21, 28, 35, 42)
ELSEWHERE = (7, 10, 14, 21)
PRICES = (7, 9, 70, 1)
CLOCKS = (-600, -600, -6 * 3600, -26 * 3600, 3600, 0)
PROTECTED = (ACTION, "Request ID", "Status", "Updated at", "")
LAGGARDS = ("portal", "portal", "portal.poll", "sheets", "*")
REPLICA_LAG = timedelta(minutes=10)
"""No replica lags longer: an order can then only meet its own request while that is open."""


def wait(desk: Desk, n: int) -> None:
    """A call takes long, or time passes while a run waits for its turn."""
    desk.later(WAITS[n % len(WAITS)])


def suspend(desk: Desk, n: int) -> None:
    """The machine sleeps, and wakes in the midst of its run."""
    desk.later(SUSPENDED[n % len(SUSPENDED)])


def credits_left(desk: Desk, n: int) -> None:
    """The balance is just enough for a few orders."""
    desk.portal.credits = CREDITS[n % len(CREDITS)]


def spend_elsewhere(desk: Desk, n: int) -> None:
    """Somebody spends credits in the dashboard."""
    desk.portal.spend_elsewhere(min(desk.portal.credits, ELSEWHERE[n % len(ELSEWHERE)]))


def fill_down(desk: Desk, word: int) -> None:
    """Somebody writes one mark and drags it down over all rows."""
    for n in range(len(desk.typed) if desk.can_be_edited else 0):
        people.mark(desk, n, word % 2)


def price_is(desk: Desk, n: int) -> None:
    """The price changes, or is no longer told."""
    desk.portal.price = PRICES[n % len(PRICES)]
    desk.portal.tells_price = n % 5 != 0


def stale(desk: Desk, n: int) -> None:
    """The next poll of a video meets a replica that lags."""
    video = VIDEOS[n % len(VIDEOS)]
    latest = desk.portal.latest(video)
    if latest and desk.world.clock.now() - latest.created_at < REPLICA_LAG:
        desk.portal.stale_polls[video] = 1


def rename_gate(desk: Desk) -> None:
    """Somebody renames the column that approves orders."""
    if desk.names.get("Caption final") and desk.can_be_edited:
        desk.judge.columns_changed()
        desk.sheet.set_value(0, desk.column("Caption final"), "Caption is final")
        del desk.names["Caption final"]
        desk.names["Caption is final"] = "Caption final"


def protect(desk: Desk, which: int) -> None:
    """Somebody protects a column, or the whole tab, from everybody else."""
    token = PROTECTED[which % len(PROTECTED)]
    area: dict[str, int] = {"sheetId": desk.sheet.sheet_id}
    if token:
        column = desk.column(token)
        area |= {"startRowIndex": 0, "startColumnIndex": column, "endColumnIndex": column + 1}
    held = {"protectedRangeId": desk.book.fresh_id(), "range": area, "editors": {"users": [desk.book.owner]}}
    desk.sheet.attached.setdefault("protectedRanges", []).append(held)
    desk.sheet.touch()


def protect_row(desk: Desk, n: int) -> None:
    """Somebody protects a row from everybody else."""
    row = nth_row(desk, n)
    if row:
        lines = {"startRowIndex": desk.line(row), "endRowIndex": desk.line(row) + 1}
        area = {"sheetId": desk.sheet.sheet_id, **lines}
        held = {"protectedRangeId": desk.book.fresh_id(), "range": area, "editors": {"users": [desk.book.owner]}}
        desk.sheet.attached.setdefault("protectedRanges", []).append(held)
        desk.sheet.touch()


def unprotect(desk: Desk) -> None:
    """All protections are taken away."""
    desk.sheet.attached.pop("protectedRanges", None)
    desk.sheet.touch()


def clock(desk: Desk, machine: int, n: int) -> None:
    """A machine's clock is put somewhere else."""
    desk.machines[machine % 2].clock.offset = timedelta(seconds=CLOCKS[n % len(CLOCKS)])


def formula(desk: Desk, n: int, word: int) -> None:
    """Somebody has the mark filled in by a formula."""
    row = nth_row(desk, n)
    mark = MARKS[word % 2]
    if row and desk.can_be_edited and not desk.is_formula(row, ACTION):
        desk.judge.wished(row, mark)
        desk.type(row, ACTION, Formula(f'="{mark}"'))


def refill(desk: Desk, n: int, word: int) -> None:
    """Somebody has the mark put back by a formula elsewhere, or a script, whenever it is cleared."""
    row = nth_row(desk, n)
    if row and desk.can_be_edited:
        people.mark(desk, n, word % 2)
        desk.refilled[row] = desk.cell(row, ACTION)


def choose(desk: Desk, n: int) -> None:
    """The next run is for one video alone."""
    desk.chosen = frozenset({VIDEOS[n % len(VIDEOS)]})


def allow(desk: Desk, n: int) -> None:
    """Somebody types into the cell of the Summary tab that allows orders: mostly the number that it asks for."""
    tab = next((sheet for sheet in desk.book.sheets if sheet.title == desk.tracker.summary_tab), None)
    if tab and desk.can_be_edited:
        waiting = tab.value(5, 10) or 3
        others = (str(waiting), Formula(f"={waiting}"), n % 5, None)
        tab.set_value(6, 10, others[n % 4] if n % 3 == 0 else waiting)


def displace(desk: Desk) -> None:
    """The cells of the next write land one row too low.

    Not where somebody wrote since the run's read: another machine's same words would hide it from any answer.
    """
    read = desk.judge.runs[-1].read
    desk.sheet.displaced = int(read is not None and list(desk.sheet.rows) == read.lines)


def swap_tab(desk: Desk) -> None:
    """The month ends: the tab is renamed, and a copy of it takes its place and name."""
    old = desk.sheet
    if old.title != TAB or not desk.can_be_edited:
        return
    old.title = f"{TAB} {len(desk.put_away) + 1}"
    new = desk.book.add_sheet(TAB, None, old.row_count, old.column_count)
    for number, line in enumerate(old.rows):
        new.put_part(number, 0, list(line))
    merges = [{**held, "sheetId": new.sheet_id} for held in old.attached.get("merges", ())]
    new.attached |= {"merges": merges} if merges else {}
    new.recalculate, old.recalculate = old.recalculate, None
    desk.judge.tab_copied()
    desk.put_away.append((old, list(old.rows), desk.header_tokens()))
    desk.sheet = new
    new.touch()


def rename_tab(desk: Desk, n: int) -> None:
    """Somebody renames the tab."""
    if desk.sheet.title == TAB:
        desk.sheet.title = f"{TAB} of month {n % 12 + 1}"
        desk.book.touch()


def tab_back(desk: Desk) -> None:
    """The tab has its name again."""
    desk.sheet.title = TAB
    desk.book.touch()


def silence(desk: Desk, n: int, many: int) -> None:
    """A service falls silent for many calls, or its answers drip."""
    desk.world.faults.add(LAGGARDS[n % len(LAGGARDS)], fault=("silent", "drip")[many % 2], times=1 + many % 60)


def mute(desk: Desk, many: int) -> None:
    """TokPortal, which answered a moment ago, says nothing of any video for so many calls."""
    desk.world.faults.add("portal.poll", fault="500", times=1 + many % 20)


def side_mark(desk: Desk, n: int, word: int) -> None:
    """Somebody wants something in the other tracker."""
    if desk.beside:
        desk.beside.mark(n, word)


def side_ill(desk: Desk, which: int, n: int) -> None:
    """Something is the matter with the other tracker's sheet."""
    if desk.beside:
        desk.beside.falls_ill(which, n)


def side_well(desk: Desk) -> None:
    """All is well again with the other tracker's sheet."""
    if desk.beside:
        desk.beside.restored()


def merge(desk: Desk, n: int, at: int, down: int) -> None:
    """Somebody merges a cell with the one beside it, or below: what that one said is gone."""
    row, tokens = nth_row(desk, n), desk.header_tokens()
    if not row or not desk.can_be_edited:
        return
    line, column = desk.line(row), people.FIRST + at % (len(tokens) - people.FIRST - 1)
    other = (line + 1, column) if down % 2 else (line, column + 1)
    area = a1.Area(line, other[0] + 1, column, other[1] + 1)
    merges = desk.sheet.attached.setdefault("merges", [])
    ids = [*[""] * (1 + desk.top), *desk.row_ids()]
    taken = any(a1.area_of(held, 10**6, 10**3).meets(area) for held in merges)
    if taken or other[0] >= len(ids) or not ids[other[0]]:
        return
    if tokens[other[1]] in HEADERS:
        _emptied(desk, ids[other[0]], tokens[other[1]])
    bounds = dict(zip((*a1.ROW_KEYS, *a1.COLUMN_KEYS), area, strict=True))
    merges.append({"sheetId": desk.sheet.sheet_id, **bounds})
    desk.sheet.touch()


def _emptied(desk: Desk, row: str, token: str) -> None:
    if token == KEY:
        desk.judge.rekeyed(row)
    desk.judge.touched(row, token)
    if token in MACHINE:
        desk.judge.littered(row, token, "")
    if token == "Request ID":
        desk.judge.compared_anew(row)
    desk.type(row, token, "")


def unmerge(desk: Desk) -> None:
    """All merged cells are cells again; of each the first one keeps what it said."""
    desk.sheet.attached.pop("merges", None)
    desk.sheet.touch()


def table(desk: Desk, n: int, typed: int) -> None:
    """Somebody makes a table of the rows, or of the first ones; some of its columns, or all, have types."""
    sheet, tokens = desk.sheet, desk.header_tokens()
    taken = ("tables", "merges", "bandedRanges")
    if desk.top or "" in tokens or sheet.basic_filter or any(map(sheet.attached.get, taken)) or not desk.can_be_edited:
        return
    last = 2 + n % sheet.rows_used
    kinds = {column.header: OF_KIND[column.kind] for column in COLUMNS if (column.kind is Kind.DATE or typed % 3)}
    given = [{"columnIndex": at, "columnType": kinds[token]} for at, token in enumerate(tokens) if token in kinds]
    area = {"startRowIndex": 0, "endRowIndex": last, "startColumnIndex": 0, "endColumnIndex": len(tokens)}
    whole = {"range": {"sheetId": sheet.sheet_id, **area}, "columnProperties": given if typed % 5 else []}
    tables.add(Edit(desk.book, desk.book.owner), whole)


def untable(desk: Desk) -> None:
    """The table is a range of cells again."""
    desk.sheet.attached.pop("tables", None)
    desk.sheet.touch()


def filter_rows(desk: Desk, by: int, n: int) -> None:
    """Somebody filters the rows: those that say the same as the n-th one are hidden."""
    row = nth_row(desk, n)
    if row and desk.can_be_edited:
        column = desk.column(people.SORTED_BY[by % len(people.SORTED_BY)])
        cell = desk.sheet.cell(desk.line(row), column)
        values = ["" if cell is None else str(cell.shown)]
        specs = [{"columnIndex": column, "filterCriteria": {"hiddenValues": values}}]
        area = {"sheetId": desk.sheet.sheet_id, "startRowIndex": 0, "startColumnIndex": 0}
        desk.sheet.basic_filter = {"range": area, "filterSpecs": specs}
        desk.sheet.touch()


def unfilter(desk: Desk) -> None:
    """All rows are to be seen."""
    desk.sheet.basic_filter = None
    desk.sheet.touch()


def sort_shown(desk: Desk, by: int, descending: int) -> None:
    """Somebody sorts through the filter: the rows that it hides stay where they are."""
    if desk.can_be_edited and not desk.sheet.attached.get("merges"):
        column = desk.column(people.SORTED_BY[by % len(people.SORTED_BY)])
        filters.sort_shown(desk.sheet, column, not descending % 2)


def fill_shown(desk: Desk, word: int) -> None:
    """Somebody drags a mark down over the rows that the filter shows."""
    for n, row in enumerate(desk.typed if desk.can_be_edited else ()):
        if filters.is_shown(desk.sheet, desk.line(row)):
            people.mark(desk, n, word % 2)


def row_above(desk: Desk) -> None:
    """Somebody inserts a row above the headers."""
    if desk.can_be_edited:
        desk.sheet.insert_rows(0)
        desk.top = 1


def undo_row_above(desk: Desk) -> None:
    """The row above the headers goes again, with whatever landed in it."""
    if desk.top:
        desk.sheet.delete_rows(0)
        desk.top = 0


def undo_column(desk: Desk) -> None:
    """Somebody takes back a column that was inserted, with whatever has landed in it."""
    tokens = desk.header_tokens()
    added = [token for token in tokens if token.startswith("New ") and desk.names.get(token) == token]
    if added and desk.can_be_edited:
        desk.judge.columns_changed()
        desk.sheet.delete_columns(tokens.index(added[-1]))
        del desk.names[added[-1]]
        desk.judge.column_gone(added[-1])


def restored(desk: Desk) -> None:
    """The faults stop; a clock that is wrong stays wrong."""
    unprotect(desk)
    desk.refilled.clear()
    for row in desk.typed:
        if desk.is_formula(row, ACTION):
            desk.type(row, ACTION, desk.cell(row, ACTION))
    desk.portal.stale_polls.clear()
    desk.portal.ill.clear()
    desk.poll_seconds = 120
    desk.chosen = frozenset()
    undo_row_above(desk)
    unmerge(desk)
    unfilter(desk)
    tab_back(desk)
    side_well(desk)
    desk.sheet.displaced = 0
    desk.portal.tells_price = True


def may_write(desk: Desk, row: str) -> bool:
    """Whether the program may write the machine cells and Action of a row as it stands."""
    if EMAIL not in desk.book.shared_with:
        return False
    if any(desk.is_hidden(row, token) for token in (ACTION, *MACHINE)):
        return False
    columns, line = {desk.column(token) for token in (ACTION, *MACHINE)}, desk.line(row)
    for held in desk.sheet.attached.get("protectedRanges", ()):
        area = held["range"]
        inside = area.get("startRowIndex", 0) <= line < area.get("endRowIndex", 10**6)
        reach = range(area.get("startColumnIndex", 0), area.get("endColumnIndex", 10**3))
        if inside and any(column in reach for column in columns):
            return False
    return True
