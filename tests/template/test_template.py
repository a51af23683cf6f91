"""What `init` adds to a tab, rule by rule; a tab is described, never served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sheetsync.columns import BY_KEY, GROUPS, MACHINE_KEYS, Kind, header_of
from sheetsync.errors import HeaderError, NoKeyColumn
from sheetsync.model import Tracker
from sheetsync.template import batch, style, tracker_tab
from sheetsync.template.spreadsheet import (
    Cell,
    Condition,
    ConditionalFormat,
    GridRange,
    ProtectedRange,
    Spreadsheet,
    Tab,
    Table,
    column_range,
)

TRACKER = Tracker("acme", "sheet-id", "Tracker")
ADDING = {
    "addSheet", "appendDimension", "updateCells", "updateSheetProperties", "updateDimensionProperties", "repeatCell",
    "setDataValidation", "addProtectedRange", "addConditionalFormatRule", "setBasicFilter", "addChart",
}  # fmt: skip
FULL = tuple(BY_KEY[key].header for key in style.ORDER)
LAST = (len(FULL) - 7, len(FULL))  # the machine columns that end a new tab
OWN = ("Creator", "Video ID", "Ideas", "Action", "Paid status")


def tab(headers: Sequence[str] = OWN, *rows: Sequence[Cell], **fields: Any) -> Tab:
    """A tab with these headers, and 100 rows, all of which are read."""
    cells = (tuple(Cell(value) for value in headers), *map(tuple, rows))
    return Tab(0, "Tracker", **{"row_count": 100, "column_count": 60, "cells": cells, "rows_read": 100, **fields})


def column(at: int, **cells: Cell) -> list[list[Cell]]:
    """Rows 2 to 100 with one filled column; `row7=…` for what stands in row 7."""
    return [[*[Cell()] * at, cells.get(f"row{row}", Cell())] for row in range(2, 101)]


def changes(of: Tab | None, tracker: Tracker = TRACKER) -> tuple[batch.Change, ...]:
    return tracker_tab.changes(Spreadsheet((of,) if of else ()), tracker)


def requests(of: Tab | None, kind: str, tracker: Tracker = TRACKER) -> list[dict[str, Any]]:
    return [change.request[kind] for change in changes(of, tracker) if kind in change.request]


def told(of: Tab, what: str) -> str:
    """The items told under one kind of change."""
    return ", ".join(name for change in changes(of) if change.what == what for name in change.where)


def appended(of: Tab | None, tracker: Tracker = TRACKER) -> list[str]:
    """The headers that are written, in order."""
    runs = [update for update in requests(of, "updateCells", tracker) if update["fields"] == "userEnteredValue"]
    ordered = sorted(runs, key=lambda update: update["start"]["columnIndex"])
    return [c["userEnteredValue"]["stringValue"] for update in ordered for c in update["rows"][0]["values"]]


def places(of: Tab, kind: str) -> set[int]:
    """The columns that requests of a kind reach."""
    found: set[int] = set()
    for request in requests(of, kind):
        range_ = request["range"]
        found |= set(range(range_["startColumnIndex"], range_["endColumnIndex"]))
    return found


def test_the_order_of_a_new_tab_has_every_column_once() -> None:
    assert sorted(style.ORDER) == sorted(BY_KEY)
    assert style.ORDER[:2] == ("video_id", "action")


ALWAYS = {
    *("video_id", "action", *MACHINE_KEYS, "feedback", "note", "platform", "authorization_days", "known_expiry"),
    *("caption_final", "sound_cleared"),
}
BEFORE_GROUPS = {
    *("video_url", "creator", "client", "brand", "campaign", "objective", "market", "language", "ad_account"),
    *("creator_owner", "paid_owner", "usage_rights", "post_status", "paid_status", "spend", "conversions"),
    *("renewal_decision", "retirement_reason", "invoice_status", "proof"),
}
"""The optional columns that `init` made when there were no groups."""


@pytest.mark.parametrize("of", [None, tab(()), tab(("", " "))])
@pytest.mark.parametrize(
    ("groups", "optional"),
    [
        (None, BEFORE_GROUPS | {"renewal_owner"}),
        ((), set()),
        (("rights", "owners"), {*GROUPS["rights"], *GROUPS["owners"]}),
        (tuple(GROUPS), BY_KEY.keys() - ALWAYS),
    ],
)
def test_an_empty_tab_gets_the_columns_of_its_groups_in_order(
    of: Tab | None, groups: tuple[str, ...] | None, optional: set[str]
) -> None:
    """What goes with an order, and the default approvals, are there whatever groups a team takes."""
    wanted = [BY_KEY[key].header for key in style.ORDER if key in ALWAYS | optional]
    assert appended(of, replace(TRACKER, groups=groups)) == wanted


def test_a_column_is_in_one_group_at_most_and_no_group_decides_what_a_run_needs() -> None:
    grouped = [key for keys in GROUPS.values() for key in keys]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == BY_KEY.keys() - ALWAYS


def test_the_readme_says_which_columns_are_in_which_group() -> None:
    readme = (Path(__file__).parent.parent.parent / "sheetsync/template/README.md").read_text()
    for group, keys in GROUPS.items():
        boxes = {key: " ☑" if BY_KEY[key].kind is Kind.CHECKBOX else "" for key in keys}
        assert f"| {group} | {', '.join(BY_KEY[key].header + boxes[key] for key in keys)} |" in readme


def test_a_missing_tab_is_made_wide_enough() -> None:
    properties = requests(None, "addSheet")[0]["properties"]

    assert properties["title"] == "Tracker"
    assert properties["gridProperties"]["columnCount"] == len(appended(None))
    assert requests(None, "appendDimension") == []


def test_a_tab_with_headers_gets_the_machine_columns_alone_on_its_right() -> None:
    """Its people have chosen their own columns."""
    assert appended(tab()) == [BY_KEY[key].header for key in style.ORDER if key in MACHINE_KEYS]
    first = min(u["start"]["columnIndex"] for u in requests(tab(), "updateCells") if u["fields"] == "userEnteredValue")
    assert first == len(OWN)


def test_a_column_without_a_header_is_not_run_over() -> None:
    """Somebody keeps remarks in a column without a header: ours come after it."""
    of = tab(OWN, [*[Cell()] * 7, Cell("a remark")])
    assert min(u["start"]["columnIndex"] for u in requests(of, "updateCells") if "Value" in u["fields"]) == 8


def test_a_narrow_tab_is_widened_by_what_is_needed() -> None:
    of = tab(column_count=6)
    assert requests(of, "appendDimension")[0]["length"] == len(OWN) + len(MACHINE_KEYS) - 6


def test_renamed_headers_are_found_and_used() -> None:
    tracker = Tracker("acme", "id", "Tracker", columns={"video_id": "Clip", "status": "TokPortal status"})
    headers = appended(tab(("Clip", "Action")), tracker)

    assert "TokPortal status" in headers
    assert not {"Status", "Clip", "Video ID"} & set(headers)


def test_a_missing_action_column_is_added() -> None:
    """Without it nothing can be marked."""
    assert appended(tab(("Video ID",)))[0] == "Action"


def test_a_tab_that_is_no_tracker_is_left_alone() -> None:
    with pytest.raises(NoKeyColumn, match="no 'Video ID'"):
        changes(tab(("Invoice", "Sum")))


def test_a_header_that_stands_twice_stops_init() -> None:
    with pytest.raises(HeaderError, match="'Status' stands in B1 and C1"):
        changes(tab(("Video ID", "Status", "status")))


@pytest.mark.parametrize("of", [None, tab(()), tab(), tab(FULL), tab((*OWN, "Status"), *column(1, row5=Cell("v")))])
def test_nothing_is_ever_removed_or_moved(of: Tab | None) -> None:
    assert {kind for change in changes(of) for kind in change.request} <= ADDING


def test_only_our_columns_are_formatted() -> None:
    """`Ideas` is a column of theirs: nothing is set on it."""
    reached = places(tab(), "repeatCell") | places(tab(), "setDataValidation")
    noted = [u for u in requests(tab(), "updateCells") if u["fields"] == "note"]

    assert OWN.index("Ideas") not in reached
    assert all(u["start"]["columnIndex"] != 2 for u in noted)
    assert "Ideas" not in told(tab(), "header notes") + told(tab(), "header colours") + told(tab(), "column widths")


def test_a_header_with_a_note_or_a_colour_keeps_it() -> None:
    cells = (Cell("Video ID", frozenset({"note"})), Cell("Action", frozenset({"backgroundColor"})))
    of = tab((), **{"cells": (cells,)})

    assert "Video ID" not in told(of, "header notes").split(", ")
    assert "Action" not in told(of, "header colours").split(", ")
    assert "Action" in told(of, "header notes").split(", ")


def test_headers_in_a_banded_table_keep_its_colours() -> None:
    of = tab(banded_ranges=(GridRange(0, 50, 0, 5),))
    assert not {"Video ID", "Action"} & set(told(of, "header colours").split(", "))
    assert "Status" in told(of, "header colours")


def test_a_note_says_who_writes_the_column() -> None:
    assert "sheetsync writes this column" in style.note(BY_KEY["status"])
    assert "People write this column; sheetsync only reads it." in style.note(BY_KEY["client"])
    assert "only reads it" not in style.note(BY_KEY["action"])  # it empties the cell


def test_people_and_machine_headers_differ_in_colour() -> None:
    styles = [
        style.header_cell(BY_KEY[key])["userEnteredFormat"]["backgroundColorStyle"]
        for key in ("video_id", "action", "status")
    ]
    assert styles[0] == styles[1] != styles[2]


def test_only_action_refuses_other_words() -> None:
    rules = {key: style.data_validation(BY_KEY[key]) for key in BY_KEY}
    assert [key for key, rule in rules.items() if rule and rule.get("strict")] == ["action"]
    assert {key for key, rule in rules.items() if rule} >= {"platform", "objective", "post_status", "paid_status"}


def test_a_column_with_a_dropdown_of_its_own_keeps_it() -> None:
    """A rule in one cell makes the column theirs: no second list is mixed in."""
    own = Cell("live", frozenset({"dataValidation"}), Condition("ONE_OF_LIST", ("live", "dead")))
    assert told(tab(OWN, *column(4, row9=own)), "dropdowns") == "Action"


def test_our_own_dropdown_is_completed() -> None:
    """Rows that were added below have none yet."""
    ours = Cell("", frozenset({"dataValidation"}), style.validation(BY_KEY["action"]))
    of = tab(OWN, *column(3, **{f"row{n}": ours for n in range(2, 60)}))
    ranges = [r["range"] for r in requests(of, "setDataValidation") if r["range"]["startColumnIndex"] == 3]

    assert [(r["startRowIndex"], r["endRowIndex"]) for r in ranges] == [(59, 100)]


def test_words_in_a_checkbox_column_are_not_marked_as_wrong() -> None:
    of = tab(("Video ID", "Action", "Caption final"), *column(2, row3=Cell("yes")))
    assert told(of, "checkboxes") == ""


def test_cells_with_a_format_keep_it() -> None:
    theirs = Cell(46000, frozenset({"numberFormat"}))
    of = tab(("Video ID", "Action", "Known expiry"), *column(2, row4=theirs))
    ranges = [r["range"] for r in requests(of, "repeatCell") if r["range"]["startColumnIndex"] == 2]

    assert [(r["startRowIndex"], r["endRowIndex"]) for r in ranges] == [(1, 3), (4, 100)]


def test_a_column_formatted_in_many_pieces_is_left_alone() -> None:
    striped = {
        f"row{n}": Cell("", frozenset({"backgroundColor", "wrapStrategy", "numberFormat"})) for n in range(2, 100, 2)
    }
    of = tab(("Video ID", "Action", "Status"), *column(2, **striped))
    assert "Status" not in told(of, "cell formats").split(", ")


def test_formats_reach_below_the_lines_rows_read() -> None:
    of = tab(row_count=5000)
    assert {r["range"]["endRowIndex"] for r in requests(of, "repeatCell")} == {5000}


@pytest.mark.parametrize(
    ("key", "pattern"),
    [("video_id", "@"), ("spark_code", "@"), ("request_id", "@"), ("known_expiry", "yyyy-mm-dd"),
     ("expires_at", "yyyy-mm-dd hh:mm"), ("updated_at", "yyyy-mm-dd hh:mm")],
)  # fmt: skip
def test_ids_stay_text_and_dates_are_unmistakable(key: str, pattern: str) -> None:
    assert style.cell_format(BY_KEY[key])["numberFormat"]["pattern"] == pattern


def test_widths_that_people_have_set_stay() -> None:
    of = tab(widths=(100, 80, 100, 100, 100))
    assert "Video ID" not in told(of, "column widths").split(", ")
    assert "Creator" in told(of, "column widths").split(", ")


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (tab(), "header row and columns up to B"),
        (tab(frozen_rows=2), "columns up to B"),
        (tab(frozen_columns=1), "header row"),
        (tab(frozen_rows=1, frozen_columns=4), ""),
        (tab(("a", "b", "c", "d", "Video ID")), "header row"),  # four columns more would fill a small screen
        (tab(merges=(GridRange(0, 2, 1, 4),)), ""),  # a merged cell across the edge: Google would refuse
    ],
)
def test_freezing(of: Tab, words: str) -> None:
    assert told(of, "frozen") == words


def test_machine_columns_that_stand_together_share_one_warning() -> None:
    of = tab(FULL)
    found = [r["protectedRange"] for r in requests(of, "addProtectedRange")]

    assert [(f["range"]["startColumnIndex"], f["range"]["endColumnIndex"]) for f in found] == [(2, 11), LAST]
    assert all(f["warningOnly"] and "editors" not in f for f in found)


def test_a_column_that_is_protected_already_gets_no_second_warning() -> None:
    of = tab(FULL, protected_ranges=(ProtectedRange(GridRange(left=3, right=11)), ProtectedRange(GridRange(0, 1))))
    found = [r["protectedRange"]["range"] for r in requests(of, "addProtectedRange")]
    assert [(f["startColumnIndex"], f["endColumnIndex"]) for f in found] == [(2, 3), LAST]


def test_a_rule_is_found_by_what_it_says_whatever_its_colour() -> None:
    at = FULL.index("Expiry")
    there = ConditionalFormat((column_range(at, 1),), Condition("TEXT_EQ", ("expired",)))
    elsewhere = ConditionalFormat((column_range(0, 1),), Condition("TEXT_EQ", ("renewal needed",)))
    of = tab(FULL, conditional_formats=(there, elsewhere))

    assert "Expiry that says expired" not in told(of, "a colour for")
    assert "Expiry that says renewal needed" in told(of, "a colour for")


def test_rules_of_people_come_first() -> None:
    of = tab(FULL, conditional_formats=(ConditionalFormat((GridRange(),), Condition("CUSTOM_FORMULA", ("=TRUE",))),))
    assert [r["index"] for r in requests(of, "addConditionalFormatRule")] == list(range(1, 2 + len(style.COLOUR_RULES)))


NO_KEY = "=(LEN(TRIM($B2))=0)>(LEN(TRIM($D2))=0)"


@pytest.mark.parametrize(
    ("formula", "is_ours"),
    [(NO_KEY, True), (NO_KEY.replace("$B2", "$AC7"), True), (NO_KEY.replace("=0", " = 0"), True), ("=$B2=0", False)],
)
def test_a_mark_without_a_video_id_is_red_and_found_again_wherever_columns_stand(formula: str, is_ours: bool) -> None:
    """Google rewrites the places in a formula as columns move and rows go."""
    (rule,) = (r["rule"] for r in requests(tab(), "addConditionalFormatRule") if "CUSTOM_FORMULA" in str(r))
    there = ConditionalFormat((column_range(OWN.index("Action"), 1),), Condition("CUSTOM_FORMULA", (formula,)))

    assert rule["ranges"] == [{"sheetId": 0, "startRowIndex": 1, "startColumnIndex": 3, "endColumnIndex": 4}]
    assert rule["booleanRule"]["condition"]["values"] == [{"userEnteredValue": NO_KEY}]
    assert rule["booleanRule"]["format"] == {"backgroundColorStyle": style.RED}
    assert ("Action without Video ID" not in told(tab(conditional_formats=(there,)), "a colour for")) is is_ours


TABLE = Table("Codes", GridRange(0, 9, 0, 3), {}, {})
MERGED = GridRange(3, 5, 0, 2)


@pytest.mark.parametrize("theirs", [{"has_filter": True}, {"tables": (TABLE,)}, {"merges": (MERGED,)}])
def test_no_second_filter_and_none_where_google_refuses_one(theirs: dict[str, Any]) -> None:
    assert requests(tab(**theirs), "setBasicFilter") == []
    assert len(requests(tab(), "setBasicFilter")) == 1


def test_sentences_name_everything_once() -> None:
    lines = batch.sentences(changes(tab()))
    assert len({line.split(": ")[1] for line in lines}) == len(lines)
    machine = next(line for line in lines if "headers for sheetsync" in line)
    assert all(header_of(key, {}) in machine for key in MACHINE_KEYS)


@pytest.mark.parametrize(
    ("filled", "rows_read", "row_count", "runs"),
    [
        ((), 1, 1, []),
        ((), 2, 1000, [(1, 1000)]),
        ((1, 2, 3), 4, 4, []),
        ((2,), 4, 4, [(1, 2), (3, 4)]),
        ((3,), 4, 1000, [(1, 3)]),  # the last row read has it, so the rest is taken to have it
        ((1,), 4, 1000, [(2, 1000)]),
    ],
)
def test_ranges_without(filled: Sequence[int], rows_read: int, row_count: int, runs: list[tuple[int, int]]) -> None:
    """Runs of rows without something: filled up to the end where the last row read lacks it."""
    cells = tuple((Cell("", frozenset({"wrapStrategy"} if row in filled else ())),) for row in range(rows_read))
    of = Tab(0, "Tracker", row_count, 5, cells=cells, rows_read=rows_read)
    assert [(found.top, found.bottom) for found in of.ranges_without("wrapStrategy", 0)] == runs
