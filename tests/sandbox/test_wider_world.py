"""What the sandbox has for the wider world of histories: stale polls, prices not told, formulas, refilled cells."""

from __future__ import annotations

from sandbox.portal_calls import VIDEO, order, poll
from sheetsync.sandbox.google import batch_cells, filters
from sheetsync.sandbox.google.cells import Cell, Formula, effective
from sheetsync.sandbox.google.edit import Edit
from sheetsync.sandbox.world import World


def portal() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    return world


def test_a_stale_poll_names_the_request_before_the_latest() -> None:
    """Once for each stale answer that was asked for; before the first request there was none."""
    world = portal()
    first = order(world).json()["data"]["ad_code_request_id"]
    world.portal.stale_polls[VIDEO] = 1
    assert poll(world) is None
    assert (poll(world) or {})["ad_code_request_id"] == first
    world.portal.deliver(world.portal.submit(VIDEO).video_id)
    second = order(world).json()["data"]["ad_code_request_id"]
    world.portal.stale_polls[VIDEO] = 2
    assert [(poll(world) or {})["ad_code_request_id"] for _ in range(3)] == [first, first, second]


def test_a_price_that_is_not_told() -> None:
    """The credits are taken all the same."""
    world = portal()
    world.portal.tells_price = False
    answer = order(world).json()
    assert "credits_charged" not in answer
    assert answer["credits_remaining"] == world.portal.credits == 1240


def test_a_formula_that_is_a_text_shows_it_and_is_not_replaced() -> None:
    """findReplace leaves cells with formulas out, whatever they show."""
    sheet = World().google.create_spreadsheet("Book").sheets[0]
    sheet.set_value(0, 0, Formula('="renew"'))
    cell = sheet.cell(0, 0)
    assert cell is not None
    assert (cell.shown, effective(cell)) == ("renew", {"stringValue": "renew"})
    found = {"find": "renew", "replacement": "", "matchEntireCell": True, "sheetId": sheet.sheet_id}
    assert batch_cells.KINDS["findReplace"][0](Edit(sheet.book, sheet.book.owner), found) == {"findReplace": {}}
    assert sheet.value(0, 0) == '="renew"'


def test_a_sheet_recalculates_after_each_change() -> None:
    """A cell that is put back at once cannot be cleared."""
    sheet = World().google.create_spreadsheet("Book").sheets[0]
    sheet.recalculate = lambda: sheet.put(0, 0, Cell("renew"))
    sheet.set_value(0, 0, None)
    assert sheet.value(0, 0) == "renew"


def test_what_is_written_under_a_merged_cell_is_swallowed() -> None:
    """The first cell of a merge holds a value, and the others none."""
    sheet = World().google.create_spreadsheet("Book").sheets[0]
    sheet.attached["merges"] = [
        {"startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 0, "endColumnIndex": 2},
    ]
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 2)):
        sheet.set_value(row, column, "x")
    assert [[sheet.value(row, column) for column in range(3)] for row in range(2)] == [
        ["x", None, None],
        [None, None, "x"],
    ]


def test_sorting_through_a_filter_leaves_hidden_rows_where_they_are() -> None:
    """The rows that are shown change places among each other."""
    sheet = World().google.create_spreadsheet("Book").sheets[0]
    for row, value in enumerate(("head", 3, 2, 1)):
        sheet.set_value(row, 0, value)
    sheet.basic_filter = {"filterSpecs": [{"columnIndex": 0, "filterCriteria": {"hiddenValues": ["2"]}}]}
    filters.sort_shown(sheet, 0, ascending=True)
    assert [sheet.value(row, 0) for row in range(4)] == ["head", 1, 2, 3]
