"""`sheetsync init` on spreadsheets as people have them, against the sandbox's Google."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from support.bench import EMAIL, TAB, Bench
from support.command_line import call, share
from support.init_bench import ROWS, InitBench, words
from support.profile import cases
from support.xlsx import workbook

from sheetsync.cli.init import init_trackers
from sheetsync.columns import BY_KEY, GROUPS, MACHINE_KEYS, USUAL_GROUPS
from sheetsync.errors import CredentialsError, HeaderError, NoKeyColumn
from sheetsync.sandbox.google import conditional
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.colours import with_twins
from sheetsync.template import style

NOTHING = ["tracker acme: nothing is missing; nothing was changed"]
VIDEO = "3fae88e2-7d43-4bb7-a2f1-4c6ce6f1c0de"
OWN = (
    ("Creator", "Video ID", "Ideas", "Action", "Caption final", "Paid status"),
    ("@mia", VIDEO, "a dance", "", True, "live"),
    ("@joao", "", "", "", "", ""),
)


@pytest.fixture
def own() -> InitBench:
    """A tab with columns, words and formats of its people."""
    bench = InitBench(*OWN)
    sheet = bench.sheet
    sheet.put(0, 0, Cell("Creator", {"backgroundColor": {"red": 1}}, "who made it"))
    sheet.put(2, 5, Cell(None, None, None, {"condition": {"type": "ONE_OF_LIST", "values": words("live", "dead")}}))
    sheet.column_properties.extend([{"pixelSize": 70}, None])
    return bench


def frozen(bench: InitBench) -> Any:
    """Everything of a spreadsheet, to compare."""
    return [(sheet.title, sheet.state()[:-2]) for sheet in bench.book.sheets]


def test_an_empty_spreadsheet_becomes_a_tracker_with_one_write(empty: InitBench) -> None:
    """Everything comes at once or not at all."""
    lines = empty.init()

    wanted = {key for group in USUAL_GROUPS for key in GROUPS[group]} | (BY_KEY.keys() - set(chain(*GROUPS.values())))
    assert empty.headers_now() == [BY_KEY[key].header for key in style.ORDER if key in wanted]
    assert [sheet.title for sheet in empty.book.sheets] == [TAB, "Summary"]
    assert empty.writes() == 1
    assert lines[0] == "tracker acme: added"
    assert any(line.startswith("  tab 'Tracker': headers for people: Video ID, Action, Creator") for line in lines)


def test_a_second_init_sends_no_change(empty: InitBench) -> None:
    empty.init()
    before = frozen(empty)

    assert empty.init() == NOTHING
    assert empty.writes() == 1
    assert frozen(empty) == before


def test_a_row_that_a_filter_hides_gets_its_dropdown_too(own: InitBench) -> None:
    """Google leaves such rows out unless it is asked not to: whoever shows them later would find none."""
    own.sheet.basic_filter = {"filterSpecs": [{"columnIndex": 0, "filterCriteria": {"hiddenValues": ["@mia"]}}]}
    own.init()

    cells = [own.sheet.cell(row, own.at("action")) for row in (1, 2)]
    assert [bool(cell and cell.validation) for cell in cells] == [True, True]


def test_a_missing_tab_is_made_beside_the_others() -> None:
    bench = InitBench(("their own",), tab="Budget")
    bench.init()

    assert [sheet.title for sheet in bench.book.sheets] == ["Budget", TAB, "Summary"]
    assert bench.book.sheet("Budget").table() == [["their own"]]
    assert bench.init() == NOTHING


def test_dry_run_says_what_is_missing_and_sends_nothing(empty: InitBench) -> None:
    before = frozen(empty)
    lines = empty.init(dry_run=True)

    assert lines[0] == "tracker acme: init would add"
    assert lines[-1] == "  Nothing was sent; `sheetsync init` does it."
    assert (empty.writes(), frozen(empty)) == (0, before)
    assert lines[1:-1] == empty.init()[1:]


def test_two_reads_and_one_write(empty: InitBench) -> None:
    empty.init()
    assert empty.kinds() == ["sheets.get", "sheets.get", "sheets.batchUpdate"]


def test_a_tab_with_an_empty_header_row_is_a_new_one() -> None:
    """Somebody has pasted video ids and left the headers to us."""
    bench = InitBench((), (VIDEO,))
    bench.init()

    assert bench.headers_now()[0] == "Video ID"
    assert bench.cell(VIDEO, "video_id") == VIDEO


def test_what_the_columns_got(empty: InitBench) -> None:
    """Notes, colours, dropdowns, checkboxes, formats and widths are in the sheet."""
    empty.init()
    sheet = empty.sheet
    action, ticked = sheet.cell(1, empty.at("action")), sheet.cell(ROWS - 1, empty.at("caption_final"))
    header, status = sheet.cell(0, empty.at("status")), sheet.cell(1, empty.at("status"))

    assert action is not None
    assert action.validation == style.data_validation(BY_KEY["action"])
    assert ticked is not None
    assert ticked.validation == {"condition": {"type": "BOOLEAN"}}
    assert header is not None
    assert "sheetsync writes this column" in str(header.note)
    assert header.format == with_twins(style.header_cell(BY_KEY["status"])["userEnteredFormat"])
    assert status is not None
    assert status.format == with_twins({"backgroundColorStyle": style.PALE})
    assert sheet.grid_properties == {"frozenRowCount": 1, "frozenColumnCount": 1}
    assert sheet.column_properties[empty.at("sync_note")] == {"pixelSize": 340}


def test_own_columns_and_formats_stay_as_they_are(own: InitBench) -> None:
    """Values, order, widths, colours, notes and dropdowns of people are untouched."""
    own.init()
    table, sheet = own.table(), own.sheet

    assert [tuple(line[: len(OWN[0])]) for line in table] == list(OWN)
    creator, unsaid = sheet.cell(0, 0), sheet.cell(0, 2)
    assert creator is not None
    assert (creator.note, creator.format) == ("who made it", {"backgroundColor": {"red": 1}})
    assert unsaid is not None
    assert (unsaid.note, unsaid.format) == (None, None)
    assert sheet.column_properties[0] == {"pixelSize": 70}
    assert [cell.validation for line in (1, 2) if (cell := sheet.cell(line, 5)) and cell.validation] == [
        {"condition": {"type": "ONE_OF_LIST", "values": words("live", "dead")}}
    ]


def test_own_columns_get_the_machine_columns_on_their_right(own: InitBench) -> None:
    own.init()
    added = own.headers_now()[len(OWN[0]) :]

    assert added == [BY_KEY[key].header for key in style.ORDER if key in MACHINE_KEYS]
    assert own.init() == NOTHING


def test_named_groups_come_into_a_tab_that_has_columns_of_its_own() -> None:
    """The config asks for them by name: what is there under another header is not made again."""
    bench = InitBench(*OWN, groups=("rights", "approval"), columns={"contract": "Ideas"})
    bench.init()
    added = bench.headers_now()[len(OWN[0]) :]

    assert [header for header in added if header not in {BY_KEY[key].header for key in MACHINE_KEYS}] == [
        *("Post live", "Comments checked", "Landing page ready", "Approval owner", "Received at"),
        "Excluded categories",
    ]
    assert [tuple(line[: len(OWN[0])]) for line in bench.table()] == list(OWN)
    assert bench.init() == NOTHING


def test_a_new_tab_has_the_groups_that_are_named_and_no_others(empty: InitBench) -> None:
    bench = InitBench(groups=("owners",))
    bench.init()

    assert {"Renewal owner", "Caption final", "Feedback", "Status"} <= {*bench.headers_now()}
    assert not {"Client", "Spend", "Usage rights", "Contract"} & {*bench.headers_now()}
    assert bench.init() == NOTHING


def test_renamed_headers(own: InitBench) -> None:
    """A sheet that calls its columns otherwise is completed in its own words."""
    bench = InitBench(("Clip", "To do"), columns={"video_id": "Clip", "action": "To do", "status": "Where it stands"})
    bench.init()

    assert "Where it stands" in bench.headers_now()
    assert bench.headers_now()[:2] == ["Clip", "To do"]
    assert bench.init() == NOTHING


def test_a_doubled_header_stops_init() -> None:
    bench = InitBench(("Video ID", "Action", "Status", "Status"))
    with pytest.raises(HeaderError, match="'Status' stands in C1 and D1"):
        bench.init()
    assert bench.writes() == 0


def test_a_tab_that_is_somebody_elses_work_is_left_alone() -> None:
    bench = InitBench(("Invoice", "Sum"), (1, 2))
    with pytest.raises(NoKeyColumn):
        bench.init()
    assert bench.writes() == 0


def test_a_tab_named_summary_that_is_somebody_elses_is_left_alone(empty: InitBench) -> None:
    empty.book.add_sheet("Summary").set_value(0, 0, "Q3 at a glance")
    lines = empty.init()

    assert empty.summary.table() == [["Q3 at a glance"]]
    assert "tab 'Summary' is left alone" in lines[-1]
    assert empty.init() == [*NOTHING, lines[-1]]


def test_a_spreadsheet_that_is_not_shared_says_with_whom_to_share_it(empty: InitBench) -> None:
    empty.book.shared_with.clear()
    with pytest.raises(CredentialsError, match=f"Share the sheet with {EMAIL} as Editor"):
        empty.init()


Deletion = Callable[[InitBench], dict[str, Any]]
DELETIONS: dict[str, tuple[Deletion, str]] = {
    "a note": (
        lambda b: {
            "repeatCell": {"range": {**b.whole_column("expiry"), "startRowIndex": 0}, "cell": {}, "fields": "note"}
        },
        "updateCells",
    ),
    "a header's colour": (
        lambda b: {
            "repeatCell": {
                "range": {**b.whole_column("stage"), "startRowIndex": 0, "endRowIndex": 1},
                "cell": {},
                "fields": "userEnteredFormat",
            }
        },
        "updateCells",
    ),
    "a dropdown": (lambda b: {"setDataValidation": {"range": b.whole_column("action")}}, "setDataValidation"),
    "checkboxes": (lambda b: {"setDataValidation": {"range": b.whole_column("caption_final")}}, "setDataValidation"),
    "a date format": (
        lambda b: {
            "repeatCell": {
                "range": b.whole_column("expires_at"),
                "cell": {},
                "fields": "userEnteredFormat.numberFormat",
            }
        },
        "repeatCell",
    ),
    "a width": (
        lambda b: {
            "updateDimensionProperties": {
                "range": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 7, "endIndex": 8},
                "properties": {"pixelSize": 100},
                "fields": "pixelSize",
            }
        },
        "updateDimensionProperties",
    ),
    "the frozen row": (
        lambda b: {"updateSheetProperties": {"properties": {"sheetId": 0}, "fields": "gridProperties.frozenRowCount"}},
        "updateSheetProperties",
    ),
    "the filter": (lambda b: {"clearBasicFilter": {"sheetId": 0}}, "setBasicFilter"),
    "a colour rule": (
        lambda b: {"deleteConditionalFormatRule": {"sheetId": 0, "index": 3}},
        "addConditionalFormatRule",
    ),
    "the colour of a mark without a video id": (
        lambda b: {"deleteConditionalFormatRule": {"sheetId": 0, "index": len(style.COLOUR_RULES)}},
        "addConditionalFormatRule",
    ),
    "a warning": (
        lambda b: {
            "deleteProtectedRange": {"protectedRangeId": b.sheet.attached["protectedRanges"][1]["protectedRangeId"]}
        },
        "addProtectedRange",
    ),
    "a chart": (
        lambda b: {"deleteEmbeddedObject": {"objectId": b.summary.attached["charts"][0]["chartId"]}},
        "addChart",
    ),
    "a word of the summary": (
        lambda b: {
            "repeatCell": {
                "range": {
                    "sheetId": b.summary.sheet_id,
                    "startRowIndex": 6,
                    "endRowIndex": 7,
                    "startColumnIndex": 0,
                    "endColumnIndex": 1,
                },
                "cell": {},
                "fields": "userEnteredValue",
            }
        },
        "updateCells",
    ),
}


@pytest.mark.parametrize("what", cases(DELETIONS, list(DELETIONS)[::3]))
def test_what_somebody_deleted_comes_back_alone(empty: InitBench, what: str) -> None:
    delete, kind = DELETIONS[what]
    empty.init()
    empty.person(delete(empty))

    assert empty.missing_kinds() == [kind]
    empty.init()
    assert empty.init() == NOTHING


def test_a_deleted_column_comes_back_on_the_right(empty: InitBench) -> None:
    """Its rule went with it; only what hangs on that column is added."""
    empty.init()
    at = empty.at("expiry")
    empty.person(
        {"deleteDimension": {"range": {"sheetId": 0, "dimension": "COLUMNS", "startIndex": at, "endIndex": at + 1}}}
    )
    lines = empty.init()

    assert empty.headers_now()[-1] == "Expiry"
    assert all(line.split(": ", 2)[2].startswith("Expiry") for line in lines[1:] if "room for" not in line)
    assert empty.init() == NOTHING


def test_a_deleted_summary_comes_back(empty: InitBench) -> None:
    empty.init()
    empty.person({"deleteSheet": {"sheetId": empty.summary.sheet_id}})

    assert all(line.startswith("  tab 'Summary'") for line in empty.init()[1:])
    assert empty.init() == NOTHING


def test_what_people_change_stays_changed(empty: InitBench) -> None:
    """Another colour for a rule, another note, a wider column, a chart of another kind: all theirs."""
    empty.init()
    rule = empty.sheet.attached["conditionalFormats"][0]
    chart = empty.summary.attached["charts"][0]
    other = {**rule["booleanRule"], "format": {"backgroundColor": {"blue": 1}}}
    pie = {"title": "Ours", "pieChart": {"domain": chart["spec"]["basicChart"]["domains"][0]["domain"]}}
    empty.person({"updateConditionalFormatRule": {"index": 0, "rule": {**rule, "booleanRule": other}}})
    chart["spec"] = pie
    empty.sheet.set_note(0, 0, "the id from TokPortal's list")
    empty.sheet.column_properties[0] = {"pixelSize": 400}

    assert empty.init() == NOTHING


def test_columns_may_be_moved_after_init(empty: InitBench) -> None:
    """Everything is found where it stands now."""
    empty.init()
    source = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 7, "endIndex": 8}
    empty.person({"moveDimension": {"source": source, "destinationIndex": 3}})
    empty.person({"moveDimension": {"source": {**source, "startIndex": 0, "endIndex": 1}, "destinationIndex": 2}})

    assert [kind for kind in empty.missing_kinds() if kind != "addProtectedRange"] == []


def test_a_whole_run_after_init(empty: InitBench) -> None:
    """Mark, sync, managers, sync: the code stands in the row, and the next run is quiet."""
    empty.init()
    empty.add_row(VIDEO, "request", creator="@mia", client="Crumbly")
    ordered = empty.sync()
    empty.later(hours=2)
    for _ in range(3):
        empty.world.portal.manager_work()
    received = empty.sync()
    before = empty.writes()
    quiet = empty.sync()

    assert (ordered.error, ordered.ordered, received.codes_received) == (None, 1, 1)
    assert empty.cell(VIDEO, "stage") == "received"
    assert "Campaign" in empty.cell(VIDEO, "missing")
    assert (quiet.exit_code, quiet.cells_written, empty.writes()) == (0, 0, before)
    assert empty.init() == NOTHING


@pytest.mark.parametrize(
    ("video", "mark", "red"), [("", "request", True), (" ", "renew", True), (VIDEO, "request", False), ("", "", False)]
)
def test_a_mark_without_a_video_id_is_red(empty: InitBench, video: str, mark: str, red: bool) -> None:
    """It cannot be said in its row: a note is written and verified by the key of a row."""
    empty.init()
    empty.sheet.set_value(4, empty.at("video_id"), video or None)
    empty.sheet.set_value(4, empty.at("action"), mark or None)
    shown = conditional.format_of(empty.sheet, 4, empty.at("action")) or {}
    assert (shown.get("backgroundColorStyle") == style.RED) is red


def test_init_in_the_middle_of_a_trackers_life() -> None:
    """A sheet that was synced for weeks without init: its dates have formats already, its rows stay as they are."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    bench.sync()
    before = bench.table()
    lines = list(init_trackers(bench.api(), [bench.tracker], False))

    assert bench.table() == before
    assert not any("headers for" in line for line in lines)
    assert list(init_trackers(bench.api(), [bench.tracker], False)) == NOTHING
    assert bench.sync().cells_written == 0


def test_several_trackers_in_one_spreadsheet() -> None:
    """Each has its tab and its summary."""
    bench = InitBench()
    first, second = (
        type(bench.tracker)(name, bench.book.id, name.title(), summary_tab=f"Summary {name.title()}")
        for name in ("acme", "beta")
    )
    list(init_trackers(bench.api(), [first, second], False))

    titles = [sheet.title for sheet in bench.book.sheets[1:]]
    assert titles == ["Acme", "Summary Acme", "Beta", "Summary Beta"]
    assert len({sheet.sheet_id for sheet in bench.book.sheets}) == 5


def test_the_sheet_as_an_xlsx_file(empty: InitBench) -> None:
    """Someone who opens it sees whose columns are whose, and what needs doing."""
    empty.init()
    empty.add_row(VIDEO, "reqest")
    empty.sync()
    held = BytesIO()
    workbook(empty.book).save(held)
    seen = load_workbook(held)["Tracker"]
    at = {cell.value: cell for cell in seen[1]}

    assert at["Video ID"].fill.fgColor.rgb == at["Client"].fill.fgColor.rgb != at["Status"].fill.fgColor.rgb
    assert "People write this column" in at["Client"].comment.text
    assert seen.freeze_panes == "B2"
    assert seen.column_dimensions["A"].width > 40
    assert {'"request,renew,correct"', '"TRUE,FALSE"'} <= {v.formula1 for v in seen.data_validations.dataValidation}
    assert "Action must be one of" in seen.cell(2, at["Sync note"].column).value
    assert len(seen.conditional_formatting) == len({rule.key for rule in style.COLOUR_RULES} | {"action"})


def test_the_command(config: Path, empty: InitBench) -> None:
    share(config, empty)
    dry = call(config, "init", "--dry-run")
    done = call(config, "init", "--tracker", "acme")
    again = call(config, "init")

    assert (dry.exit_code, done.exit_code, again.exit_code) == (0, 0, 0), done.output
    assert "Nothing was sent" in dry.output
    assert len(dry.output.splitlines()) > 10
    assert len(done.output.splitlines()) < 10
    assert "headers for people (30), headers for sheetsync (14)" in done.output
    assert again.output == NOTHING[0] + "\n"
    assert call(config, "init", "--tracker", "nobody").exit_code == 2


def test_the_command_without_permission(config: Path) -> None:
    """Exit code 5, and the e-mail to share with."""
    refused = call(config, "init")
    assert refused.exit_code == 5
    assert "Share the sheet with" in refused.output
