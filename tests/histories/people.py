"""What people do in the sheet, with numbers instead of names, so that a step means something in any sheet.

Each rule takes the desk and small numbers; the n-th row is meant among those there are. A rule that finds nothing
to act on does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from histories.desk import ACTION, KEY, MACHINE, ROW, VIDEOS, Desk

MARKS = ("request", "renew", "correct", "Request ", "renew", "please")
TYPED: tuple[tuple[str, Any], ...] = (
    ("Feedback", "the code does not work"),
    ("Feedback", "no"),
    ("Feedback", ""),
    ("Note", "a note, “Spark”: ü 🎬"),
    ("Note", "x" * 501),
    ("Note", ""),
    ("Client", "another client"),
    ("Caption final", False),
    ("Caption final", True),
    ("Known expiry", 46200),
    ("Known expiry", "soon"),
    ("Known expiry", ""),
    ("Paid status", "spending"),
    ("Paid status", "retired"),
    ("Market", "DE"),
)
KEYS: tuple[Any, ...] = (*VIDEOS, "vid-unknown", 7123456789012345, "")
RUBBISH: tuple[Any, ...] = ("", "rubbish", 42, True, 46190.5, "ordering", "finalized", "renewal needed")
SORTED_BY = ("Client", KEY, "Status", "Updated at", "Request ID", ACTION, ROW)
RENAMED = ("Status", ACTION, "Note", "Client", "Request ID", KEY, "Sync note", "Market")
MOVED = ("Client", "Status", KEY, "Request ID", "Note", "Updated at", ACTION, "Sync note", "Market")
ZONES = ("Etc/GMT", "America/New_York", "Asia/Kolkata", "GMT-07:00", "Europe/Berlin")
MOST_ROWS, MOST_COLUMNS = 8, 26
FIRST = 1  # the judge's own column, by which it knows the rows, stays the first


def nth_row(desk: Desk, n: int) -> str:
    """The n-th row there is, in the order in which they came."""
    rows = list(desk.typed)
    return rows[n % len(rows)] if rows else ""


def mark(desk: Desk, n: int, word: int) -> None:
    """Somebody wants something; a mark that stands already is not typed again."""
    row = nth_row(desk, n)
    if row and desk.cell(row, ACTION) != MARKS[word % len(MARKS)] and not desk.is_hidden(row, ACTION):
        desk.judge.wished(row, MARKS[word % len(MARKS)].strip().casefold())
        desk.type(row, ACTION, MARKS[word % len(MARKS)])


def report(desk: Desk, n: int) -> None:
    """Somebody tried a code, which does not work."""
    edit(desk, n, 0)
    mark(desk, n, MARKS.index("correct"))


def unmark(desk: Desk, n: int) -> None:
    """Somebody no longer wants it."""
    row = nth_row(desk, n)
    if row and desk.cell(row, ACTION) != "":
        desk.judge.touched(row, ACTION)
        desk.type(row, ACTION, "")


def edit(desk: Desk, n: int, which: int) -> None:
    """Somebody types into a cell of theirs."""
    row = nth_row(desk, n)
    token, value = TYPED[which % len(TYPED)]
    if row:
        desk.judge.touched(row, token)
        desk.type(row, token, value)


def rekey(desk: Desk, n: int, which: int) -> None:
    """Somebody changes a video id, perhaps to one that stands in another row; a mark in the row is then a new wish."""
    row = nth_row(desk, n)
    if row and not desk.is_hidden(row, KEY):
        desk.judge.rekeyed(row)
        desk.type(row, KEY, KEYS[which % len(KEYS)])


def rubbish(desk: Desk, n: int, column: int, which: int) -> None:
    """Somebody types into a machine cell."""
    row, tokens = nth_row(desk, n), list(MACHINE)
    token, value = tokens[column % len(tokens)], RUBBISH[which % len(RUBBISH)]
    if not row or desk.is_hidden(row, token):
        return
    desk.judge.touched(row, token)
    desk.judge.littered(row, token, value)
    if token == "Request ID":
        desk.judge.compared_anew(row)
    desk.type(row, token, value)


def sort(desk: Desk, by: int, descending: int) -> None:
    """Somebody sorts all rows."""
    column = desk.column(SORTED_BY[by % len(SORTED_BY)])
    desk.sheet.sort(desk.sheet.area(top=1), column, not descending % 2)


def insert(desk: Desk, at: int, which: int, marked: int) -> None:
    """Somebody inserts a row, perhaps with a mark."""
    if len(desk.typed) < MOST_ROWS:
        cells = {KEY: KEYS[which % len(KEYS)], "Caption final": True, "Client": f"client {which}"}
        row = desk.new_row(cells, 1 + at % desk.sheet.rows_used)
        if marked % 3:
            desk.judge.wished(row, "request")
            desk.type(row, ACTION, "request")


def delete(desk: Desk, n: int) -> None:
    """Somebody deletes a row."""
    row = nth_row(desk, n)
    if row and len(desk.typed) > 1:
        desk.judge.deleted(row)
        desk.sheet.delete_rows(desk.line(row))
        del desk.typed[row]


def copy(desk: Desk, n: int, at: int, key: int) -> None:
    """Somebody copies a whole row, and perhaps types another video id into the copy."""
    row = nth_row(desk, n)
    if not row or len(desk.typed) >= MOST_ROWS:
        return
    sheet, line = desk.sheet, desk.line(row)
    copied = [sheet.cell(line, column) for column in range(len(sheet.rows[line]))]
    new = desk.new_row({}, 1 + at % sheet.rows_used)
    for column, cell in enumerate(copied):
        if column != desk.column(ROW):
            sheet.put(desk.line(new), column, cell)
    sheet.touch()
    desk.typed[new] = {**desk.typed[row], ROW: new}
    desk.rubbish[new] = {(token, desk.cell(new, token)) for token in MACHINE}
    desk.judge.copied(row, new)
    if key % 2:
        desk.judge.compared_anew(new)
        desk.type(new, KEY, KEYS[key // 2 % len(KEYS)])


def move(desk: Desk, n: int, at: int) -> None:
    """Somebody drags a row elsewhere."""
    row = nth_row(desk, n)
    if row:
        line = desk.line(row)
        desk.sheet.move_rows(line, line + 1, 1 + at % desk.sheet.rows_used)


def rename(desk: Desk, which: int) -> None:
    """Somebody renames a header."""
    token = RENAMED[which % len(RENAMED)]
    if desk.names.get(token) == token:
        desk.judge.columns_changed()
        desk.sheet.set_value(0, desk.column(token), f"My {token}")
        del desk.names[token]
        desk.names[f"My {token}"] = token


def name_back(desk: Desk) -> None:
    """All renamed headers get their names back."""
    for shown, token in list(desk.names.items()):
        if shown != token:
            desk.sheet.set_value(0, desk.column(token), token)
            del desk.names[shown]
            desk.names[token] = token


def insert_column(desk: Desk, before: int, named: int) -> None:
    """Somebody inserts a column, with or without a name."""
    tokens = desk.header_tokens()
    if len(tokens) >= MOST_COLUMNS or ("" in tokens and not named % 2):
        return
    at = max(FIRST, before % len(tokens))
    desk.judge.columns_changed()
    desk.sheet.insert_columns(at)
    if named % 2:
        name = next(name for n in count(len(desk.names)) if (name := f"New {n}") not in desk.names)
        desk.sheet.set_value(0, at, name)
        desk.names[name] = name


def move_column(desk: Desk, which: int, before: int) -> None:
    """Somebody drags a column elsewhere."""
    column = desk.column(MOVED[which % len(MOVED)])
    desk.judge.columns_changed()
    desk.sheet.move_columns(column, column + 1, max(FIRST, before % len(desk.header_tokens())))


def time_zone(desk: Desk, which: int) -> None:
    """Somebody changes the spreadsheet's time zone."""
    desk.book.time_zone = ZONES[which % len(ZONES)]
    desk.had_other_hours = True


RULES: dict[str, tuple[Callable[..., None], int, int]] = {
    # what it does, how many numbers it takes, how often it comes
    "mark": (mark, 2, 18),
    "report": (report, 1, 4),
    "unmark": (unmark, 1, 3),
    "edit": (edit, 2, 6),
    "rekey": (rekey, 2, 2),
    "rubbish": (rubbish, 3, 3),
    "sort": (sort, 2, 4),
    "insert": (insert, 3, 2),
    "delete": (delete, 1, 1),
    "copy": (copy, 3, 2),
    "move": (move, 2, 1),
    "rename": (rename, 1, 1),
    "name_back": (name_back, 0, 1),
    "insert_column": (insert_column, 2, 1),
    "move_column": (move_column, 2, 1),
    "time_zone": (time_zone, 1, 1),
}
