"""Sends mutated bodies to the sandbox's Google: `python -m tests.bodies --bodies 40000 --seed 0 [--schema]`.

Every call is answered, none with a failure of the sandbox, and whatever it made of the book can be read, shown on the
page, saved and taken up again. A failing body is printed with its number: the same seed sends the same bodies.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from contract.samples import EVERY_KIND
from sandbox.google_side import text, write

from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.google.store import dump_book
from sheetsync.sandbox.page import page
from sheetsync.sandbox.wire import Request, Response
from sheetsync.sandbox.world import World

Json = dict[str, Any]

ROUND = 250  # bodies that one book gets
LARGE = 20_000  # cells that a book may grow to
ANSWERED = frozenset((200, 400, 501))
NUMBERS = (-1, 0, 1, 2, 3, 7, 29, 30, 31, 999, 10**6, 2**31 - 1, 2**31, 2**53 + 1, 10**18, 1e300, -1e300, 0.5, -0.0)
TEXTS = (
    *("", " ", "=1+1", "'", "A1", "A1:B2", "1:1", "Sheet1", "'Sheet1'!A1", "Other!ZZZ9999999", "#REF!", "TRUE", "NaN"),
    *("2026-02-30", "9e999", "1e5", "12.5%", "(", "[a-", ".*", "$9", "\\", "\x00", "\ud83d\ude00", "é", "x" * 300),
    *("ROWS", "COLUMNS", "DATE_TIME", "yyyy-mm-dd", "0.00", '"', "*", "a.b", "userEnteredValue", "\u202e", "<b>&\"'"),
)
RAW = (
    *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud83d"', b'"\\udc00x"', b"[" * 3000, b"]" * 60),
    *(b'{"a":' * 500 + b"1" + b"}" * 500, b"\xff", b"\xef\xbb\xbf", b"\x00", b"{", b"}", b",", b'"', b"null"),
)


def bases(rng: random.Random) -> tuple[str, str, Json]:
    """A call with a well-formed body: verb, the rest of the path, body."""
    if rng.random() < 0.8:
        first = rng.randrange(len(EVERY_KIND))
        requests = EVERY_KIND[first : first + rng.randint(1, 3)] + [formatted(rng)] * rng.randint(0, 2)
        shown = {"includeSpreadsheetInResponse": True, "responseRanges": ["A1:C3"], "responseIncludeGridData": True}
        return "POST", ":batchUpdate", {"requests": requests, **(shown if rng.random() < 0.3 else {})}
    values: Json = {"range": "A1:B2", "majorDimension": "ROWS", "values": [["a", 1.5], [True, None]]}
    many = {"valueInputOption": "USER_ENTERED", "data": [values], "includeValuesInResponse": True}
    tails = [
        ("PUT", "/values/A1%3AB2?valueInputOption=RAW", values),
        ("PUT", "/values/A1%3AB2?valueInputOption=USER_ENTERED&includeValuesInResponse=true", values),
        ("POST", "/values/A1:append?valueInputOption=RAW&insertDataOption=INSERT_ROWS", {"values": values["values"]}),
        ("POST", "/values:batchUpdate", many),
        ("POST", "/values:batchClear", {"ranges": ["A1:B2", "C3"]}),
        ("POST", "/values/A1:clear", {}),
    ]
    return rng.choice(tails)


def formatted(rng: random.Random) -> Json:
    """A cell whose every part is shown somewhere."""
    kind = rng.choice(("DATE", "TIME", "DATE_TIME", "PERCENT", "CURRENCY", "SCIENTIFIC", "TEXT", "NUMBER"))
    cell = {
        **rng.choice((text("="), {"userEnteredValue": {"numberValue": rng.choice(NUMBERS)}})),
        "userEnteredFormat": {
            "numberFormat": {"type": kind, "pattern": rng.choice(TEXTS)},
            "backgroundColor": {"red": 0.5},
            "textFormat": {"bold": True, "fontSize": 9, "foregroundColorStyle": {"themeColor": "LINK"}},
            "horizontalAlignment": "CENTER",
        },
        "note": "n",
        "dataValidation": {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": "ok"}]}},
    }
    return write(rng.randint(0, 5), rng.randint(0, 5), cell, fields="*")


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with a key or index in it."""
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in held:
        yield value, key
        yield from places(below)


def mutate(rng: random.Random, body: Json) -> None:
    """One change of the body, in place."""
    found = list(places(body))
    if not found:
        body[rng.choice(TEXTS)] = rng.choice(NUMBERS)
        return
    holder, key = rng.choice(found)
    other, there = rng.choice(found)
    if rng.random() < 0.6:
        alike(rng, holder, key)
        return
    match rng.randrange(9):
        case 0 | 1:
            holder[key] = rng.choice(NUMBERS)
        case 2 | 3:
            holder[key] = rng.choice(TEXTS)
        case 4:
            holder[key] = rng.choice((None, True, [], {}, [None], [[]], {"a": 1}))
        case 5:
            del holder[key]
        case 6:
            holder[key] = copy.deepcopy(other[there])
        case 7:
            holder[key] = rng.choice(([holder[key]], {"sheetId": holder[key]}, [holder[key]] * 2))
        case 8 if isinstance(holder, dict):
            holder[rng.choice((str(there), str(key) + "s", str(key).upper(), rng.choice(TEXTS)))] = holder.pop(key)


def alike(rng: random.Random, holder: Any, key: Any) -> None:
    """Another value of the same type: what a schema alone does not refuse."""
    match holder[key]:
        case bool() as held:
            holder[key] = not held
        case int() | float():
            holder[key] = rng.choice(NUMBERS)
        case str():
            holder[key] = rng.choice(TEXTS)
        case list() as held:
            held *= rng.choice((0, 2))


def body_of(rng: random.Random, base: Json) -> bytes:
    """A mutated body as it goes over the wire."""
    body = copy.deepcopy(base)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutate(rng, body)
    data = json.dumps(body, ensure_ascii=rng.random() < 0.8).encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.choice(RAW) + data[at + rng.randint(0, 3) :]
    return data[: rng.randrange(len(data) + 1)] if rng.random() < 0.03 else data


class Book:
    """A small book in a world of its own, and everything that can look at it."""

    def __init__(self) -> None:
        self.world = World(record_bodies=False)
        self.book: Spreadsheet = self.world.google.create_spreadsheet("Codes", tabs=("Sheet1", "Other"))
        self.world.google.oauth.allow("token", self.book.owner)
        for sheet in self.book.sheets:
            sheet.row_count, sheet.column_count = 30, 8
            for row in range(6):
                for column, value in enumerate(("a", row, 46174.5 + row, True, "ab", None)):
                    sheet.set_value(row, column, value)

    def call(self, verb: str, tail: str, body: bytes = b"") -> Response:
        path, _, query = tail.partition("?")
        pairs = tuple((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&")) if name)
        headers = {"authorization": "Bearer token"}
        return self.world.handle(Request(verb, f"/v4/spreadsheets/{self.book.id}{path}", pairs, headers, body))

    @property
    def large(self) -> bool:
        return sum(sheet.row_count * sheet.column_count for sheet in self.book.sheets) > LARGE

    def look(self) -> None:
        """Read all that there is, in every way, and the page."""
        tails = ["?includeGridData=true", "?fields=sheets.data.rowData.values(effectiveFormat,formattedValue)"]
        for render in ("FORMATTED_VALUE", "UNFORMATTED_VALUE&dateTimeRenderOption=FORMATTED_STRING", "FORMULA"):
            tails.append(f"/values:batchGet?ranges=A1:Z1000&valueRenderOption={render}")
        for tail in tails:
            answer = self.call("GET", tail)
            assert answer.status == 200, f"{tail}: {answer.body[:300]!r}"
        page.render(self.world).encode()

    def take_up(self) -> None:
        """Save the book and go on with what was saved; people sort, insert and delete."""
        google = self.world.google
        google.restore(json.loads(json.dumps(google.dump(), ensure_ascii=False).encode()))
        self.book = google.books[self.book.id]
        for sheet in self.book.sheets:
            sheet.sort(sheet.area(top=1), 0)
            sheet.insert_rows(0)
            sheet.insert_columns(0)
            sheet.delete_columns(0)
            sheet.delete_rows(0)
            if sheet.row_count > 2:
                sheet.move_rows(0, 1, 2)
        self.look()


def send(bodies: int, seed: int) -> Counter[int]:
    """Sends the bodies; how many were answered with which status. Raises AssertionError at the first that fails."""
    answered, book = Counter[int](), Book()
    held = dump_book(book.book)
    for number in range(bodies):
        rng = random.Random(f"{seed}:{number}")
        if number % ROUND == 0 or book.large:
            book = Book()
            held = dump_book(book.book)
        verb, tail, base = bases(rng)
        body = body_of(rng, base)
        try:
            answer = book.call(verb, tail, body)
            assert answer.status in ANSWERED, answer.body[:500]
            answered[answer.status] += 1
            if answer.status != 200:
                assert dump_book(book.book) == held, "something of a refused body has stayed"
            elif not book.large:
                book.look()
                if number % 10 == 0:
                    book.take_up()
                held = dump_book(book.book)
        except Exception as error:
            raise AssertionError(f"body {number} of seed {seed}: {verb} {tail} {body[:3000]!r}: {error!r}") from error
    return answered


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bodies", description=__doc__)
    parser.add_argument("--bodies", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--schema", action="store_true", help="hold requests and answers against Google's own schema")
    options = parser.parse_args()
    started = time.monotonic()
    if options.schema:
        from support.held import held_against_google

    with held_against_google(refusals=True) if options.schema else nullcontext():
        answered = send(options.bodies, options.seed)
    said = ", ".join(f"{count} x {status}" for status, count in sorted(answered.items()))
    print(f"{options.bodies} bodies, seed {options.seed}: {said}; {time.monotonic() - started:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
