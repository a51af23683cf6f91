"""A tracker that somebody has made a table: typed columns keep their formats, and a run does all that it has to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from support.bench import TAB, Bench
from support.doctored import VIDEO

from sheetsync import columns
from sheetsync.columns import Kind
from sheetsync.projection import summary
from sheetsync.sandbox import people
from sheetsync.sandbox.google import tables
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.wire import Request

OF_KIND = {Kind.DATE: "DATE_TIME", Kind.NUMBER: "DOUBLE", Kind.CHECKBOX: "BOOLEAN", Kind.TEXT: "TEXT"}
TYPES = {column.header: OF_KIND[column.kind] for column in columns.COLUMNS}
WRITE = "sheets.batchUpdate"


def tabled(bench: Bench, types: Mapping[str, str] = TYPES, **size: int) -> None:
    """Somebody converts the tab to a table, and gives its columns types."""
    there = {header: kind for header, kind in types.items() if header in bench.headers}
    people.convert_to_table(bench.world, bench.book, TAB, there, **size)


def is_formatted(bench: Bench, video: str, key: str) -> bool:
    cell = bench.sheet.cell(bench.line(video), bench.column(key))
    return "numberFormat" in ((cell and cell.format) or {})


def marked(*videos: str) -> Bench:
    bench = Bench(videos)
    bench.mark("request", *videos)
    return bench


@pytest.mark.parametrize("types", [TYPES, dict.fromkeys(TYPES, "TEXT"), {"Expires at": "DATE"}, {}])
def test_a_run_on_a_table_does_all_that_it_does(types: Mapping[str, str]) -> None:
    """Whatever its types: an order, its code, a renewal; marks are cleared, and a quiet run writes nothing."""
    bench = marked(VIDEO)
    tabled(bench, types)
    assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, 7, "")
    bench.world.portal.submit(VIDEO)
    bench.world.portal.deliver(VIDEO)
    bench.later(minutes=5)
    assert (bench.sync().exit_code, bench.cell(VIDEO, "stage")) == (0, "received")
    assert isinstance(bench.cell(VIDEO, "expires_at"), float)
    bench.mark("renew", VIDEO)
    bench.later(minutes=5)
    assert (bench.sync().renewed, bench.sync().sheets_write, bench.charged(VIDEO)) == (1, 0, 14)


def test_dates_outside_of_typed_columns_are_formatted() -> None:
    """In the row below the table, and in its columns without a type: they would show as numbers."""
    bench = marked(VIDEO, "vid-b")
    tabled(bench, {"Requested at": "DATE_TIME"}, rows=2)
    bench.sync()
    kinds = {}
    for video in (VIDEO, "vid-b"):
        for key in ("requested_at", "updated_at"):
            kinds[video, key] = is_formatted(bench, video, key)
    assert kinds == {
        (VIDEO, "requested_at"): False,
        (VIDEO, "updated_at"): True,
        ("vid-b", "requested_at"): True,
        ("vid-b", "updated_at"): True,
    }


@pytest.mark.parametrize("at", [1, 2])
def test_a_table_that_is_made_in_the_gap_of_a_write(at: int) -> None:
    """That write is refused whole; the next round knows of the table."""
    bench = marked(VIDEO)
    bench.world.faults.edit(WRITE, at, do=lambda _: tabled(bench))
    report = bench.sync()
    assert (report.exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (0, 7, "pending")
    assert bench.sync().sheets_write == 0


def test_a_row_that_pushes_a_table_down_in_that_instant() -> None:
    """A cell below the table has come to lie in it."""
    bench = marked(VIDEO, "vid-b")
    tabled(bench, rows=2)
    bench.world.faults.edit(WRITE, do=lambda world: people.insert_row(world, bench.book, TAB, 2))
    assert (bench.sync().exit_code, bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7, 7)
    assert bench.sync().sheets_write == 0


def test_columns_that_move_within_a_table() -> None:
    """A date column is known by where it stands in the read that the write is made from."""
    bench = marked(VIDEO)
    tabled(bench)
    move = people.move_column
    bench.world.faults.edit(WRITE, do=lambda world: move(world, bench.book, TAB, "Updated at", "Status"))
    assert (bench.sync().exit_code, bench.charged(VIDEO)) == (0, 7)


def test_a_table_in_the_summary_tab() -> None:
    """The time of the last change is a date, too: with it all figures would be refused."""
    bench = marked(VIDEO)
    sheet = bench.book.add_sheet("Summary")
    sheet.set_value(0, 0, summary.title(bench.tracker))
    bench.sync()
    dates = [(row, at) for row, line in enumerate(sheet.table()) for at, cell in enumerate(line) if _is_date(cell)]
    for row, column in dates:
        bounds = {"startRowIndex": row - 1, "endRowIndex": row + 1}
        range_ = {"sheetId": sheet.sheet_id, **bounds, "startColumnIndex": column, "endColumnIndex": column + 1}
        given = {"range": range_, "columnProperties": [{"columnType": "DATE_TIME"}]}
        tables.add(Edit(bench.book, bench.book.owner), given)
    before = [sheet.value(*place) for place in dates]
    bench.world.portal.submit(VIDEO)
    bench.later(hours=2)
    assert bench.sync().exit_code == 0
    assert dates
    assert all(now != was for now, was in zip([sheet.value(*place) for place in dates], before, strict=True))


def _is_date(cell: object) -> bool:
    return isinstance(cell, float) and cell > 40000


def test_what_google_says_of_an_untyped_column() -> None:
    """Left out, or by the name of the first of all types: a date there is formatted."""
    bench = marked(VIDEO)
    tabled(bench, {})
    whole = bench.world.handle

    def handle(request: Request) -> Any:
        answer = whole(request)
        body = json.loads(answer.body or b"{}")
        for sheet in body.get("sheets", ()) if request.method == "GET" else ():
            for table in sheet.get("tables", ()):
                table["columnProperties"][-1]["columnType"] = "COLUMN_TYPE_UNSPECIFIED"
                answer = type(answer)(answer.status, answer.headers, json.dumps(body).encode())
        return answer

    bench.world.handle = handle  # type: ignore[method-assign]
    bench.sync()
    assert is_formatted(bench, VIDEO, "updated_at")
