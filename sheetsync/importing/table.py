"""PURE: a CSV file -> texts by Video ID, and each text as what its cell is to hold.

Owns what such a file may look like, and every complaint about it, with file and line. A number or a date that could be
read in two ways is none: nobody looks over thousands of them. What the sheet says is `comparing.py`'s.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sheetsync.columns import BY_KEY, BadCell, Kind, Owner, header_of, instant, key_of, normal, ticked
from sheetsync.errors import BadImport
from sheetsync.model import CellValue

LONGEST = 50_000
"""Characters that one cell holds (Sheets reference 3.1)."""

UNTICKED_WORDS = frozenset({"false", "no", "0"})
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number there, the video id, and what it says by column key, without empty fields."""

    number: int
    key: str
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file as it was read; `columns` are the keys of the columns that it is to go into."""

    name: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]

    def problem(self, line: Line, what: str) -> str:
        """A complaint about a line."""
        return f"{self.name}:{line.number}: {what}"


def chosen_columns(names: Sequence[str], renamed: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that are named by key or header. Raises BadImport unless people write each of them."""
    keys = tuple(dict.fromkeys(key_of(name.strip(), renamed) for name in names if name.strip()))
    problems = [f"--columns: {why}" for key in keys if (why := _why_not(key, renamed))]
    if problems or not keys:
        raise BadImport(problems or ["--columns: no column is named"])
    return keys


def _why_not(key: str, renamed: Mapping[str, str]) -> str:
    if key not in BY_KEY:
        return f"sheetsync knows no column '{key}': name one by its key or by its header"
    if key == "video_id":
        return f"'{header_of(key, renamed)}' is what rows are known by, and is never changed"
    if key == "action":
        return f"'{header_of(key, renamed)}' holds marks, which people make one by one"
    if BY_KEY[key].owner is Owner.MACHINE:
        return f"'{header_of(key, renamed)}' is a column that sheetsync itself writes"
    return ""


def read_table(name: str, data: bytes, key: str, columns: Sequence[str], renamed: Mapping[str, str]) -> Table:
    """What a file says in these columns; `key` is what it calls the Video ID. Raises BadImport with all complaints."""
    if key_of(key, renamed) in BY_KEY.keys() - {"video_id"}:
        raise BadImport([f"--key: rows are known by their Video ID alone, not by '{key}'"])
    records = _records(name, _text(name, data))
    number, headers = next(records, (1, []))
    ids = _names("video_id", renamed) if key_of(key, renamed) == "video_id" else {normal(key)}
    names = {"video_id": ids} | {column: _names(column, renamed) for column in columns}
    places = {column: [at for at, header in enumerate(headers) if normal(header) in names[column]] for column in names}
    if problems := list(_wrong_headers(headers, places, key, renamed)):
        raise BadImport([f"{name}:{number}: {what}" for what in problems])
    lines, problems = [], []
    for number, fields in records:
        if len(fields) != len(headers):
            problems.append(
                f"{name}:{number}: {len(fields)} fields, and {len(headers)} in the header: a text with a comma in it "
                "has to stand in quotes"
            )
            continue
        texts = {column: fields[at[0]].strip() for column, at in places.items()}
        lines.append(Line(number, texts.pop("video_id"), {column: text for column, text in texts.items() if text}))
    table = Table(name, tuple(columns), tuple(lines))
    if problems := [*problems, *_wrong_keys(table)]:
        raise BadImport(problems)
    return table


def _text(name: str, data: bytes) -> str:
    if data.startswith(_WIDE):
        raise BadImport([f"{name}:1: is UTF-16 text, not UTF-8: save it as 'CSV UTF-8 (comma delimited)'"])
    try:
        # Excel begins UTF-8 with a mark of its own
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise BadImport([f"{name}:{number}: is not UTF-8 text: save it as 'CSV UTF-8 (comma delimited)'"]) from None


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of the line it begins in; blank lines left out. Raises BadImport."""
    reader = csv.reader((f"{line}\n" for line in text.split("\n")), strict=True)
    began = 1
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise BadImport([f"{name}:{began}: cannot be read as CSV: {error}"]) from None
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield began, fields
        began = reader.line_num + 1


def _names(column: str, renamed: Mapping[str, str]) -> set[str]:
    """What a file may call a column: its key, or its header."""
    return {normal(column), normal(header_of(column, renamed))}


def _wrong_headers(
    headers: Sequence[str], places: Mapping[str, Sequence[int]], key: str, renamed: Mapping[str, str]
) -> Iterator[str]:
    if not headers:
        yield "the file is empty; its first line has to name the columns"
        return
    for delimiter, word in _OTHER_DELIMITERS.items():
        if len(headers) == 1 and delimiter in headers[0]:
            yield f"the fields are separated by {word}, not by commas: save it as 'CSV UTF-8 (comma delimited)'"
            return
    for column, at in places.items():
        title = key if column == "video_id" else header_of(column, renamed)
        if not at:
            there = ", ".join(f"'{header}'" for header in headers)
            advice = " (`--key` says what the file calls the Video ID)" if column == "video_id" else ""
            yield f"there is no column '{title}'{advice}; the file has {there}"
        elif len(at) > 1:
            yield f"'{title}' stands there {len(at)} times: keep one of them"


def _wrong_keys(table: Table) -> Iterator[str]:
    seen: dict[str, int] = {}
    for line in table.lines:
        if not line.key:
            yield table.problem(line, "there is no Video ID")
        elif line.key in seen:
            yield table.problem(line, f"'{line.key}' stands in line {seen[line.key]} already")
        seen.setdefault(line.key, line.number)


def values_of(table: Table, time_zone: str, keys: Iterable[str]) -> Mapping[str, Mapping[str, CellValue]]:
    """What each cell is to hold, by video id and column, in a spreadsheet of this time zone that has these video ids.

    Raises BadImport.
    """
    known, problems = set(keys), []
    values: dict[str, dict[str, CellValue]] = {}
    for line in table.lines:
        if line.key not in known:
            problems.append(table.problem(line, f"no row of the tab has the Video ID '{line.key}'"))
        of_line = values[line.key] = {}
        for column, text in line.texts.items():
            try:
                of_line[column] = _value(text, column, time_zone)
            except BadCell as error:
                problems.append(table.problem(line, f"{BY_KEY[column].header}: {error}"))
    if problems:
        raise BadImport(problems)
    return values


def _value(text: str, column: str, time_zone: str) -> CellValue:
    """A field as its column holds it: never parsed by Google. Raises BadCell."""
    kind = BY_KEY[column].kind
    if kind is Kind.NUMBER:
        if not _NUMBER.fullmatch(text):
            raise BadCell(f"'{text}' is not a number written like 1234.5, without separators or signs of money")
        return float(text) if "." in text else int(text)
    if kind is Kind.DATE:
        return instant(text, time_zone) or ""
    if kind is Kind.CHECKBOX:
        if not ticked(text) and text.casefold() not in UNTICKED_WORDS:
            raise BadCell(f"'{text}' is neither true nor false")
        return ticked(text)
    if len(text) > LONGEST:
        raise BadCell(f"{len(text)} characters; a cell holds {LONGEST}")
    return text
