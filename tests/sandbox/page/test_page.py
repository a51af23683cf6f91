"""The page: what a newcomer sees of the sheet and of TokPortal, and that it needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

import pytest

from sandbox.portal_calls import VIDEO, order
from sheetsync.sandbox import people
from sheetsync.sandbox.google import a1, conditional
from sheetsync.sandbox.google.cells import Cell, Formula
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    return world


@pytest.fixture
def sheet(world: World) -> Sheet:
    sheet = world.google.create_spreadsheet("Spark codes", tabs=("Tracker",)).sheet("Tracker")
    for column, header in enumerate(["Video ID", "Expiry", "Credits", "Caption final"]):
        sheet.set_value(0, column, header)
    sheet.set_value(1, 0, VIDEO)
    sheet.set_value(1, 1, "expired")
    sheet.set_value(1, 2, 7)
    return sheet


def page(world: World) -> str:
    answer = world.handle(Request("GET", "/"))
    assert answer.status == 200
    return answer.body.decode()


def cell(world: World, row: int, column: int) -> str:
    """The HTML of a cell."""
    found = re.search(rf'<td data-r="{row}" data-c="{column}".*?</td>', page(world))
    assert found is not None
    return found[0]


def test_a_page_before_anything_was_made() -> None:
    """It says that there is nothing yet."""
    html = page(World())
    assert "no spreadsheet yet" in html
    assert "No ad code has been ordered yet" in html


def test_the_page_needs_nothing_from_elsewhere(world: World, sheet: Sheet) -> None:
    """No address of any other host."""
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)[^\"')\s]*//", page(world))


def test_the_bar(world: World) -> None:
    """Clock, credits, and the buttons."""
    html = page(world)
    for text in ("2026-06-16 10:22", "1,247", "Managers work", "+1 hour", "+1 day", "Now", "Trouble"):
        assert text in html


def test_cells_and_their_row_numbers(world: World, sheet: Sheet) -> None:
    """Every used cell is there, with a few empty rows to type into."""
    assert VIDEO in cell(world, 1, 0)
    assert '<th class="n" scope="row">2</th>' in page(world)
    assert cell(world, 3, 0).endswith("<span></span></td>")


def test_text_of_people_is_only_text(world: World, sheet: Sheet) -> None:
    """Cells, notes, titles and notes to managers cannot bring in HTML."""
    nasty = '<script>alert("x")</script>'
    sheet.set_value(1, 0, nasty)
    sheet.set_note(1, 0, '"><b>')
    world.google.create_spreadsheet(nasty, tabs=(nasty,))
    world.portal.add_video('"\\<b>')
    world.portal.order_elsewhere('"\\<b>', note=nasty)
    html = page(world)
    assert "<script>alert" not in html
    assert "<b>" not in html


def test_formats_and_notes(world: World, sheet: Sheet) -> None:
    """Colours as the format says them, notes as tooltips, dates in their number format."""
    green = {"backgroundColorStyle": {"rgbColor": {"green": 1}}, "textFormat": {"bold": True}}
    sheet.put(0, 0, Cell("Video ID", green, "The key"))
    sheet.put(1, 2, Cell(46204.5, {"numberFormat": {"type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm"}}))
    sheet.touch()
    assert "background:#00ff00;font-weight:600;" in cell(world, 0, 0)
    assert 'title="The key"' in cell(world, 0, 0)
    assert "2026-07-01 12:00" in cell(world, 1, 2)


def test_checkboxes_and_dropdowns(world: World, sheet: Sheet) -> None:
    """Ticks are drawn; a list of values is a menu that also shows a value not on the list."""
    boolean = {"condition": {"type": "BOOLEAN"}}
    choices = {"condition": {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": v} for v in ("request", "renew")]}}
    sheet.put(1, 3, Cell(True, None, None, boolean))
    sheet.put(2, 3, Cell(None, None, None, boolean))
    sheet.put(1, 1, Cell("requst", None, None, choices))
    sheet.touch()
    assert "☑" in cell(world, 1, 3)
    assert "☐" in cell(world, 2, 3)
    assert "[&quot;request&quot;, &quot;renew&quot;]" in cell(world, 1, 1)
    assert "<span>requst</span>" in cell(world, 1, 1)


def test_a_cell_typed_into(world: World, sheet: Sheet) -> None:
    """As a person types: a date becomes a date, a tick stays a tick."""
    people.type_at(world, sheet.book, "Tracker", 1, 2, "2026-07-01")
    people.type_at(world, sheet.book, "Tracker", 1, 3, True)
    assert (sheet.value(1, 2), sheet.value(1, 3)) == (46204, True)


def test_a_conditional_colour(world: World, sheet: Sheet) -> None:
    """The first rule that holds colours the cell."""
    red = {"backgroundColorStyle": {"rgbColor": {"red": 1}}}
    area = {"sheetId": sheet.sheet_id, "startRowIndex": 1, "startColumnIndex": 1, "endColumnIndex": 2}
    condition = {"type": "TEXT_EQ", "values": [{"userEnteredValue": "expired"}]}
    sheet.attached["conditionalFormats"] = [
        {"ranges": [area], "gradientRule": {}},
        {"ranges": [area], "booleanRule": {"condition": condition, "format": red}},
    ]
    assert "background:#ff0000;" in cell(world, 1, 1)
    assert "background" not in cell(world, 2, 1)


@pytest.mark.parametrize(
    ("formula", "row", "holds"),
    [
        ('=$B2="expired"', 1, True),
        ('=$B2="EXPIRED"', 1, True),
        ('=$B2="expired"', 2, False),
        ('=B$2="expired"', 2, True),
        ("=$C2>=7", 1, True),
        ("=$C2<7", 2, True),
        ('=AND($B2<>"", $C2=7)', 1, True),
        ("=OR(ISBLANK($B2), NOT($C2=7))", 2, True),
        ("=LEN($B2)>0", 2, False),
        ('=($B2="expired")', 1, True),
        ("=VLOOKUP($B2, 1)", 1, False),
        ("=$B2 + ", 1, False),
        ("=AND(", 1, False),
        ('="x', 1, False),
        ("=TRUE", 1, True),
        ("=$B2=1 2", 1, False),
    ],
)
def test_custom_formulas(sheet: Sheet, formula: str, row: int, holds: bool) -> None:
    """Comparisons and simple functions are evaluated, relative to the first row; anything else colours nothing."""
    condition = {"type": "CUSTOM_FORMULA", "values": [{"userEnteredValue": formula}]}
    assert conditional.holds(condition, sheet, row, 1, (1, 1)) is holds


@pytest.mark.parametrize(
    ("kind", "operand", "row", "column", "holds"),
    [
        ("TEXT_CONTAINS", "PIRE", 1, 1, True),
        ("TEXT_NOT_CONTAINS", "PIRE", 1, 1, False),
        ("TEXT_STARTS_WITH", "exp", 1, 1, True),
        ("TEXT_ENDS_WITH", "red", 1, 1, True),
        ("BLANK", "", 2, 1, True),
        ("NOT_BLANK", "", 2, 1, False),
        ("NUMBER_EQ", "7", 1, 2, True),
        ("NUMBER_LESS", "7", 1, 2, False),
        ("NUMBER_LESS_THAN_EQ", "7", 1, 2, True),
        ("NUMBER_GREATER", "6.5", 1, 2, True),
        ("NUMBER_GREATER_THAN_EQ", "8", 1, 2, False),
        ("NUMBER_GREATER", "6", 1, 1, False),
        ("DATE_BEFORE", "today", 1, 1, False),
    ],
)
def test_simple_conditions(sheet: Sheet, kind: str, operand: str, row: int, column: int, holds: bool) -> None:
    """Texts without regard to case, blanks, numbers; a kind that is not known colours nothing."""
    condition: dict[str, Any] = {"type": kind, "values": [{"userEnteredValue": operand}]}
    assert conditional.holds(condition, sheet, row, column, (1, 1)) is holds


def test_requests_of_tokportal(world: World) -> None:
    """Each request with its status, code, credits, and what its manager can do next."""
    order(world, {"note": "Q3"})
    html = page(world)
    assert "Q3" in html
    assert '<span class="status pending">' in html
    assert ">accept</button>" in html
    world.portal.cancel(VIDEO)
    assert "-7 +7" in page(world)


def test_videos_that_cannot_be_ordered(world: World) -> None:
    """The list of videos says why."""
    world.portal.add_video("bad", manager=False, live_link=False)
    assert "no live link, no manager" in page(world)


def test_the_area_of_a_rule_without_bounds(sheet: Sheet) -> None:
    """A rule for a whole column reaches to the end of the sheet."""
    assert a1.area_of({"startColumnIndex": 1, "endColumnIndex": 2}, 1000, 26) == (0, 1000, 1, 2)


def test_a_long_text_ends_where_the_next_cell_is_filled(world: World, sheet: Sheet) -> None:
    """It runs on over empty cells, up to the first one that is not; a filled neighbour clips it at once."""
    sheet.set_value(3, 0, "a text that is far too long for one column " * 3)
    assert "class=over style=width:660px" in cell(world, 3, 0)
    sheet.set_value(3, 2, "x")
    assert "class=over style=width:220px" in cell(world, 3, 0)
    sheet.set_value(3, 1, "x")
    assert "over" not in cell(world, 3, 0)


def test_what_an_editor_opens_with(world: World, sheet: Sheet) -> None:
    """A formula, and an apostrophe before a text that would be read as something else."""
    sheet.put(1, 1, Cell(Formula("=A1")))
    sheet.put(1, 2, Cell("007"))
    sheet.touch()
    assert 'data-typed="=A1"' in cell(world, 1, 1)
    assert 'data-typed="&#x27;007"' in cell(world, 1, 2)


def test_kept_columns_warn(world: World, sheet: Sheet) -> None:
    """Cells under a protection say which words are said before they take typing; cells it leaves free do not."""
    lying = {"startColumnIndex": 1, "endColumnIndex": 2}
    free = {"startRowIndex": 2, "endRowIndex": 3, **lying}
    held = {"range": lying, "warningOnly": True, "description": "sheetsync's", "unprotectedRanges": [free]}
    sheet.attached["protectedRanges"] = [held]
    assert 'data-warnings="[&quot;sheetsync&#x27;s&quot;]"' in page(world)
    assert 'data-warning="0"' in cell(world, 1, 1)
    assert "data-warning" not in cell(world, 2, 1)
    assert "data-warning" not in cell(world, 1, 2)


def test_troubles_that_wait(world: World, sheet: Sheet) -> None:
    """What was switched on is named until it has struck."""
    world.faults.add("portal.order", fault="lost_after")
    world.faults.edit("sheets.batchUpdate", do=lambda _: None, times=2)
    html = page(world)
    assert "lost_after at portal.order, 1 more" in html
    assert "people edit at sheets.batchUpdate, 2 more" in html


def test_people_let_loose(world: World, sheet: Sheet) -> None:
    """The tracker's rows can be made to move at each write: up, then down."""
    assert "People sort Tracker as it writes" in page(world)
    sheet.set_value(2, 0, "0")
    seen = []
    for _ in range(2):
        people.stir_rows(world, sheet.book, "Tracker", "Video ID")
        seen.append(sheet.value(1, 0))
    assert seen == ["0", VIDEO]


def test_accounts_bundles_and_videos(world: World) -> None:
    """What `fill` finds is to be seen, whose it is, and which of it no code can be ordered for; another can be made."""
    bundle = world.portal.add_bundle("mia.bakes", "Autumn & more", "BR")
    world.portal.add_bundle("mia.bakes", "Off", status="cancelled")
    world.portal.add_video("vid-1", bundle_id=bundle.id, title="The <first>")
    world.portal.add_video("vid-2", bundle_id=bundle.id, finalized=False)
    html = page(world)
    where = "<td>@mia.bakes, BR<td>Autumn &amp; more, completed<td>"
    assert f"{where}<code>vid-1</code><td>The &lt;first&gt;<td>tiktok<td>yes" in html
    assert f"{where}<code>vid-2</code><td><td>tiktok<td>not finalized" in html
    assert "<td>@mia.bakes, BR<td>Off, cancelled<td colspan=4>no video yet" in html
    body = json.dumps({"bundle_id": bundle.id}).encode()
    assert escape(body.decode()) in html
    made = json.loads(world.handle(Request("POST", "/_sandbox/videos", body=body)).body)["video_id"]
    assert f"{where}<code>{made}</code><td><td>tiktok<td>yes" in page(world)
