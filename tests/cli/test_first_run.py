"""A first run that meets what first runs meet: each command says where, and the one thing to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.bench import TAB
from support.command_line import call, share
from support.init_bench import InitBench, words

from sheetsync.sandbox import people
from sheetsync.sandbox.google.service_account import EMAIL

OWN = (
    ("Creator", "Video ID", "Action", "Status", "Feedback"),
    ("@mia", "vid-a", "request", "", ""),
    ("@joao", "vid-b", "", "", ""),
)
Make = Callable[[InitBench], object]


def refused(reason: str) -> Make:
    """Google says this to every call."""
    return lambda bench: setattr(bench.world.google, "refuses", reason)


def share_as_viewer(bench: InitBench) -> None:
    bench.book.viewers.update(bench.book.shared_with)
    bench.book.shared_with.clear()


def name_it_otherwise(bench: InitBench) -> None:
    bench.sheet.title = "Codes"


def make_a_table(bench: InitBench) -> None:
    people.convert_to_table(bench.world, bench.book, TAB, {"Status": "TEXT"}, "Codes")


def add_a_dropdown(bench: InitBench) -> None:
    rule = {"condition": {"type": "ONE_OF_LIST", "values": words("live", "dead")}, "strict": True}
    bench.person({"setDataValidation": {"range": bench.whole_column("status"), "rule": rule}})


def add_a_dropdown_that_holds(bench: InitBench) -> None:
    add_a_dropdown(bench)
    bench.book.is_strict = True


def protect_a_column(bench: InitBench) -> None:
    at = bench.at("status")
    range_ = {"sheetId": 0, "startColumnIndex": at, "endColumnIndex": at + 1}
    bench.person({"addProtectedRange": {"protectedRange": {"range": range_, "description": "Mia's"}}})


def filter_a_row(bench: InitBench) -> None:
    hidden = {"columnIndex": bench.at("video_id"), "filterCriteria": {"hiddenValues": ["vid-a"]}}
    bench.sheet.basic_filter = {"range": {"startRowIndex": 0}, "filterSpecs": [hidden]}


def merge_two_cells(bench: InitBench) -> None:
    at = bench.at("action")
    area = {"startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": at, "endColumnIndex": at + 2}
    bench.sheet.attached["merges"] = [{"sheetId": 0, **area}]
    bench.sheet.touch()


@dataclass(frozen=True)
class Case:
    """What people have made of the sheet, before `init` or after; what each command then says, in this order."""

    make: Make
    says: Mapping[str, tuple[int, str]]
    prepared: bool = False
    charged: int = 0


API_OFF = (
    f"The Google Sheets API is not enabled in the project of {EMAIL}. Enable it at https://console.developers.google."
    "com/apis/api/sheets.googleapis.com/overview?project=123456789012 , wait a few minutes, then run again."
)
VIEWER = (
    f"Google denies access (The caller does not have permission). Share the sheet with {EMAIL} as Editor (button Share "
    "in the sheet), then run again."
)
WRONG_TAB = (
    "Tracker 'acme': the spreadsheet has no tab 'Tracker'. It has: 'Codes'. Renamed? Rename it back, or "
    "name it under `worksheet:`. For a new tracker, `sheetsync init` makes the tab."
)
EXCEL = (
    "`spreadsheet:` names an Excel file in Drive, which no program can edit there. Open it, choose File > Save as "
    "Google Sheets, and put the address of the new file into the configuration."
)
TRASHED = (
    "There is no such spreadsheet. Check `spreadsheet:` in the configuration (id or whole URL); if that is right, the "
    "file was deleted, and its owner can restore it from the trash of Google Drive."
)
TABLE = (
    "the table 'Codes' is served like any tab. It brings colours and a filter and, in its typed columns (Status), "
    "formats and dropdowns: sheetsync sets none there"
)
DROPDOWN = (
    "'Status' has a dropdown or rule of its own; what sheetsync writes may count as wrong there, or be refused: take "
    "it off (Data > Data validation)"
)
DROPDOWN_REFUSED = (
    "Google Sheets refused a write (400: Invalid requests[0].updateCells: The data you entered in cell D2 violates the "
    "data validation rules set on this cell.). Take the dropdown off that column (Data > Data validation)."
)
PROTECTED = f"'Mia's' keeps sheetsync from writing Status: let {EMAIL} edit it (Data > Protect sheets and ranges)"
WAITS = "hold  row 2  vid-a  Waits: "
ORDERED = "1 ordered, 7 credits charged"

CASES = {
    "API off": Case(
        refused("api_disabled"),
        {
            "doctor": (5, f"FAIL  sheet 'acme': {API_OFF}"),
            "init": (5, f"Error: {API_OFF}"),
            "plan": (5, f"tracker acme: there is no plan.\n  {API_OFF}\nNothing was ordered or written.\n"),
            "sync": (5, f"tracker acme: stopped before anything was done.\n  {API_OFF}"),
        },
    ),
    "shared as Viewer": Case(share_as_viewer, {"doctor": (5, f"editing: {VIEWER}"), "init": (5, f"Error: {VIEWER}")}),
    "shared as Viewer, prepared by somebody": Case(
        share_as_viewer,
        {"doctor": (5, f"editing: {VIEWER}"), "plan": (0, "1 order, 7"), "sync": (5, VIEWER)},
        prepared=True,
    ),
    "wrong tab name": Case(
        name_it_otherwise,
        {"doctor": (2, f"FAIL  sheet 'acme': {WRONG_TAB}"), "plan": (2, WRONG_TAB), "sync": (2, WRONG_TAB)},
    ),
    "Excel file": Case(
        refused("office_file"),
        {"doctor": (2, f"FAIL  sheet 'acme': {EXCEL}"), **dict.fromkeys(("init", "plan", "sync"), (2, EXCEL))},
    ),
    "trashed file": Case(
        refused("trashed"),
        {
            "doctor": (2, f"FAIL  sheet 'acme': {TRASHED}"),
            "init": (2, TRASHED),
            "plan": (2, TRASHED),
            "sync": (2, TRASHED),
        },
    ),
    "table": Case(
        make_a_table,
        {"init": (0, f"note: {TABLE}"), "doctor": (0, f"note  sheet 'acme': {TABLE}"), "sync": (0, ORDERED)},
        charged=7,
    ),
    "strict dropdown in a machine column": Case(
        add_a_dropdown,
        {"init": (0, "added"), "doctor": (0, f"note  sheet 'acme': {DROPDOWN}"), "sync": (0, ORDERED)},
        charged=7,
    ),
    "strict dropdown, should Google hold it against us": Case(
        add_a_dropdown_that_holds,
        {"init": (0, "added"), "doctor": (0, DROPDOWN), "sync": (1, f"vid-a  Not ordered: {DROPDOWN_REFUSED}")},
    ),
    "protected column": Case(
        protect_a_column,
        {"init": (5, f"Error: In tab 'Tracker' {PROTECTED}. Nothing was changed."), "doctor": (5, PROTECTED)},
    ),
    "protected column, once prepared": Case(
        protect_a_column,
        {
            "doctor": (5, f"FAIL  sheet 'acme' protection: {PROTECTED}"),
            "sync": (0, f"{WAITS}let sheetsync edit Status, which a protected range keeps from it."),
        },
        prepared=True,
    ),
    "filtered tab": Case(
        filter_a_row,
        {"init": (0, "added"), "doctor": (0, "ok    sheet 'acme' layout"), "sync": (0, ORDERED)},
        charged=7,
    ),
    "merged cell": Case(
        merge_two_cells,
        {
            "init": (0, "added"),
            "doctor": (0, "note  sheet 'acme' row 2: unmerge the cells that hide Status"),
            "sync": (0, f"{WAITS}unmerge the cells that hide Status."),
        },
    ),
}


@pytest.fixture
def empty() -> InitBench:
    """A tracker that people have kept by hand; by the clock of this machine, which `doctor` compares."""
    bench = InitBench(*OWN, start=datetime.now(UTC))
    for video in ("vid-a", "vid-b"):
        bench.world.portal.add_video(video)
    return bench


@pytest.mark.parametrize("name", CASES)
def test_what_a_first_run_says(name: str, empty: InitBench, config: Path) -> None:
    """The exit code of each command, and the sentence; nothing is charged but where all goes well."""
    case = CASES[name]
    share(config, empty)
    if case.prepared:
        assert call(config, "init").exit_code == 0
    case.make(empty)
    for command, (code, said) in case.says.items():
        result = call(config, command)
        assert said in result.output, command
        assert result.exit_code == code, (command, result.output)
    assert empty.charged("vid-a") == case.charged
