"""`init` and `doctor` on a tab that somebody has made a table, whole or in part, with typed columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bench import TAB
from support.command_line import call, share
from support.init_bench import ROWS, InitBench, words

from sheetsync.columns import BY_KEY, Kind
from sheetsync.sandbox import people

OWN = (
    ("Creator", "Video ID", "Action", "Known expiry", "Caption final", "Spend"),
    ("@mia", "vid-a", "", "", "", ""),
    ("@joao", "vid-b", "", "", "", ""),
)
OF_KIND = {Kind.DATE: "DATE_TIME", Kind.NUMBER: "DOUBLE", Kind.CHECKBOX: "BOOLEAN", Kind.TEXT: "TEXT"}
NATURE = "the table 'Codes' is served like any tab. It brings colours and a filter"


@pytest.fixture
def own() -> InitBench:
    """A tab with columns of its people."""
    return InitBench(*OWN)


def tabled(bench: InitBench, types: dict[str, str], **size: int) -> None:
    """Somebody converts the tab, or a part of it, to a table."""
    people.convert_to_table(bench.world, bench.book, TAB, types, "Codes", **size)


def remarks(lines: list[str]) -> list[str]:
    return [line.removeprefix("  note: ") for line in lines if line.startswith("  note: ")]


def test_init_prepares_a_table_of_which_every_column_has_a_type() -> None:
    """No format and no dropdown is sent; a second init finds that nothing is missing."""
    bench = InitBench()
    bench.sheet.column_count = len(BY_KEY)
    for at, column in enumerate(BY_KEY.values()):
        bench.sheet.set_value(0, at, column.header)
    tabled(bench, {column.header: OF_KIND[column.kind] for column in BY_KEY.values()}, rows=ROWS)

    (remark,) = remarks(bench.init())
    assert remark.startswith(f"{NATURE} and, in its typed columns (Video ID, Action, ")
    assert not any(cell and cell.validation for row in bench.sheet.rows for cell in row)
    assert bench.missing_kinds() == []


def test_init_adds_to_a_table_what_google_does_not_refuse(own: InitBench) -> None:
    """Formats and dropdowns below the table and in columns without a type; none in typed ones, and no second filter."""
    tabled(own, {"Action": "DROPDOWN", "Known expiry": "DATE", "Caption final": "BOOLEAN"}, rows=2)
    lines = own.init()

    def has(row: int, key: str) -> bool:
        cell = own.sheet.cell(row, own.at(key))
        return bool(cell and (cell.validation or (cell.format or {}).get("numberFormat")))

    assert {key: (has(1, key), has(2, key)) for key in ("action", "known_expiry", "caption_final", "video_id")} == {
        "action": (False, True),
        "known_expiry": (False, True),
        "caption_final": (False, True),
        "video_id": (True, True),
    }
    assert own.sheet.basic_filter is None
    assert remarks(lines)[0] == (
        f"{NATURE} and, in its typed columns (Action, Known expiry, Caption final), formats and dropdowns: sheetsync "
        "sets none there"
    )
    assert own.missing_kinds() == []


def test_what_sorting_would_tear_from_a_table(own: InitBench) -> None:
    """Columns beside it, those that init adds among them, and rows below it."""
    tabled(own, {}, rows=2, columns=5)
    told = remarks(own.init(dry_run=True))
    assert told[0] == NATURE
    assert told[1].startswith("the table 'Codes' does not reach over Spend, Status, Spark code, ")
    assert told[1].endswith(
        ", Updated at and the rows from 3 on: sorting it leaves them behind, in rows of other videos. Drag its lower "
        "right corner over all of them"
    )
    assert remarks(own.init()) == told
    assert remarks(own.init()) == told


def test_types_that_do_not_fit(own: InitBench) -> None:
    """What would look odd is told by its column and the type to choose."""
    own.init()
    types = {"Known expiry": "TEXT", "Caption final": "DROPDOWN", "Spend": "CURRENCY", "Video ID": "DOUBLE"}
    tabled(own, types, rows=80)
    assert remarks(own.init())[1:] == [
        "in the table 'Codes', 'Video ID' is of another type than Text, so what belongs there is marked as wrong: "
        "change its type",
        "in the table 'Codes', 'Known expiry' is of another type than Date time, so dates show as numbers there: "
        "change its type",
        "in the table 'Codes', 'Caption final' is of another type than Checkbox, so what belongs there is marked as "
        "wrong: change its type",
    ]


def test_a_table_elsewhere_in_the_tab_is_nobody_elses_business(own: InitBench) -> None:
    """Somebody keeps a list of prices beside the tracker, and another one below it."""
    own.init()
    own.person({"appendDimension": {"sheetId": 0, "dimension": "COLUMNS", "length": 3}})
    right = own.sheet.column_count
    far = {"startRowIndex": 0, "endRowIndex": 5, "startColumnIndex": right - 2, "endColumnIndex": right}
    below = {"startRowIndex": 40, "endRowIndex": 45, "startColumnIndex": 0, "endColumnIndex": 2}
    own.sheet.basic_filter = None
    own.person(*({"addTable": {"table": {"range": range_}}} for range_ in (far, below)))
    assert remarks(own.init()) == []


def test_doctor_tells_of_a_table_and_of_the_words_that_its_dropdown_offers(config: Path, empty: InitBench) -> None:
    """As of the dropdowns of cells: a word that the type offers and nobody knows orders nothing."""
    share(config, empty)
    call(config, "init")
    rule = {"condition": {"type": "ONE_OF_LIST", "values": words("request", "renew", "correct", "order")}}
    typed = {"columnIndex": empty.at("action"), "columnType": "DROPDOWN", "dataValidationRule": rule}
    empty.sheet.basic_filter = None
    whole = {"startRowIndex": 0, "endRowIndex": 80, "startColumnIndex": 0, "endColumnIndex": empty.sheet.columns_used}
    empty.person({"addTable": {"table": {"name": "Codes", "range": whole, "columnProperties": [typed]}}})

    lines = call(config, "doctor").output.splitlines()
    typed = "formats and dropdowns: sheetsync sets none there"
    assert f"note  sheet 'acme': {NATURE} and, in its typed columns (Action), {typed}" in lines
    assert "note  sheet 'acme' Action: the dropdown offers order; sheetsync knows request, renew, correct" in lines
