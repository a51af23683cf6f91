"""The files of a report, read back by other programs: the same figures, text as text, nothing from elsewhere."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import vobject
from openpyxl import load_workbook
from support.months import Months

from sheetsync.model import Scalar
from sheetsync.reporting.calendar import calendar_of
from sheetsync.reporting.page import page_of
from sheetsync.reporting.statement import Statement
from sheetsync.reporting.table import csv_of
from sheetsync.reporting.workbook import workbook_of

FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A1")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"


def hostile(statement: Statement, **cells: Scalar) -> Statement:
    """The same, with these words in its first line."""
    first, *others = statement.lines
    client = str(cells.get("client", first.client))
    return replace(statement, lines=(replace(first, client=client, cells={**first.cells, **cells}), *others))


def rows_of_csv(statement: Statement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_of(statement).removeprefix("\ufeff"), newline="")))


class TestCsv:
    def test_it_adds_up(self, played: Months) -> None:
        """Each code with its figures, in local time; the columns add up to the totals."""
        statement, rows = played.statement(), rows_of_csv(played.statement())
        assert sum(int(row["Credits charged"] or 0) for row in rows) == statement.in_all.charged == 70
        assert sum(int(row["Credits refunded"] or 0) for row in rows) == statement.in_all.refunded == 21
        (used,) = (row for row in rows if row["Video ID"] == "vid-a" and row["In use"])
        assert (used["Spend"], used["Conversions"], used["Invoice status"]) == ("1234.5", "87", "paid")
        assert (used["Window from"], used["Window until"]) == ("2026-05-07 17:00", "2026-06-06 17:00")
        assert used["Spark code"] == played.bench.requests("vid-a")[1].code
        assert (used["Row"], used["Credits of"]) == ("2", "2026-05")

    @pytest.mark.parametrize("text", FORMULAS)
    def test_no_text_is_a_formula(self, played: Months, text: str) -> None:
        """An apostrophe goes before it; a number with a minus stays one."""
        row = rows_of_csv(hostile(played.statement(), creator=text, spend=-1.5))[0]
        assert row["Creator"] == f"'{text}"
        assert row["Spend"] == "-1.5"

    def test_excel_takes_it_for_utf_8(self, played: Months) -> None:
        """By the mark of order."""
        assert csv_of(played.statement()).encode().startswith(b"\xef\xbb\xbf")


class TestWorkbook:
    def read(self, statement: Statement) -> Any:
        return load_workbook(io.BytesIO(workbook_of(statement)))

    def test_it_adds_up(self, played: Months) -> None:
        """Numbers are numbers, instants are instants; totals and events have a sheet each."""
        statement = played.statement()
        book = self.read(statement)
        assert book.sheetnames == ["Codes", "Totals", "Events"]
        headers, *rows = book["Codes"].iter_rows(values_only=True)
        told = [dict(zip(headers, row, strict=True)) for row in rows]
        assert sum(row["Credits charged"] or 0 for row in told) == 70
        (used,) = (row for row in told if row["Video ID"] == "vid-a" and row["In use"])
        assert (used["Spend"], used["Window until"]) == (1234.5, datetime(2026, 6, 6, 17))
        assert list(book["Totals"].iter_rows(values_only=True))[1:] == [
            *((*total, total.spent) for total in statement.totals),
            ("in all", None, 70, 21, 49),
        ]
        assert book["Events"].max_row == 1 + sum(len(story.events) for story in statement.stories)

    @pytest.mark.parametrize("text", FORMULAS)
    def test_no_text_is_a_formula(self, played: Months, text: str) -> None:
        """It stands there as it was typed, and as text also when somebody edits it."""
        sheet = self.read(hostile(played.statement(), creator=text))["Codes"]
        cell = next(cell for cell in sheet[2] if cell.value == text)
        assert (cell.data_type, cell.quotePrefix) == ("s", True)

    def test_a_text_that_is_too_long_for_a_cell(self, played: Months) -> None:
        """It is cut: Excel would call the file damaged."""
        sheet = self.read(hostile(played.statement(), creator="x" * 40_000))["Codes"]
        assert max(len(str(cell.value)) for cell in sheet[2]) == 32_767


class TestCalendar:
    def events(self, statement: Statement) -> list[Any]:
        text = calendar_of(statement).decode()
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        return list(vobject.readOne(text).contents.get("vevent", ()))

    def test_the_ends_of_codes_in_use(self, played: Months) -> None:
        """One event each, at its end, with a link to its row and an alarm 72 hours before; never a code."""
        statement = played.statement()
        events = self.events(statement)
        assert {(event.summary.value, event.dtstart.value) for event in events} == {
            (f"Spark code ends: {line.name} ({line.client})", line.ends) for line in statement.in_use
        }
        assert {event.valarm.trigger.value for event in events} == {timedelta(hours=-72)}
        (event,) = (event for event in events if "@mia.bakes" in event.summary.value)
        assert event.url.value.endswith("#gid=0&range=2:2")
        assert "Paid owner: Paul\nRenewal owner: Rita" in event.description.value
        codes = [code for request in played.bench.world.portal.requests for code in request.codes]
        assert not any(code in calendar_of(statement).decode().replace("\r\n ", "") for code in codes)

    def test_an_event_keeps_its_id(self) -> None:
        """When the end is corrected, or the code is, so that importing again moves it; a renewal is another event."""
        months = Months()
        months.order("request", "vid-a", "vid-b")
        ids = {event.summary.value: event.uid.value for event in self.events(months.statement())}
        months.bench.type("vid-a", "known_expiry", "2026-05-05")
        months.bench.type("vid-b", "feedback", "does not work")
        months.order("correct", "vid-b")
        again = self.events(months.statement())
        assert {event.summary.value: event.uid.value for event in again} == ids
        assert datetime(2026, 5, 5, tzinfo=UTC) in {event.dtstart.value for event in again}
        assert len(set(ids.values())) == 2
        months.order("renew", "vid-a")
        renewed = {event.summary.value: event.uid.value for event in self.events(months.statement())}
        assert {name for name in ids if ids[name] != renewed[name]} == {"Spark code ends: @mia.bakes (Crumbly)"}

    def test_no_alarm_for_what_is_retired_and_no_event_without_an_end(self, played: Months) -> None:
        """A person has said the last word on it."""
        first, second, *others = played.statement().in_use
        lines = (replace(first, state="retired"), replace(second, ends=None), *others)
        events = self.events(replace(played.statement(), lines=lines))
        assert len(events) == len(others) + 1
        assert [event.summary.value for event in events if "valarm" not in event.contents] == [
            f"Spark code ends: {first.name} ({first.client})"
        ]


class Page(HTMLParser):
    """What stands in a page: each element with its attributes, each text, and what is not closed."""

    VOID = frozenset({"meta", "link", "br", "img", "path", "use", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


class TestPage:
    def test_it_needs_nothing_from_elsewhere(self, played: Months) -> None:
        """No script, no address that a browser would fetch, each element closed, each id once."""
        text = page_of(played.statement())
        page = Page(text)
        assert page.open == []
        assert not {"script", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
        assert page.all("link") == [{"rel": "icon", "href": "data:,"}]
        assert not re.search(r"url\((?!#)|@import", text)
        ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
        assert [name for name, times in ids.items() if times > 1] == []
        inner = [str(value) for _, attributes in page.elements for value in attributes.values()]
        used = {ref for value in inner for ref in re.findall(r"^#([\w-]+)$|url\(#([\w-]+)\)", value)}
        assert {name for pair in used for name in pair if name} <= set(ids)

    def test_it_can_be_read_by_all(self, played: Months) -> None:
        """A language, one h1, headers with a scope, and a sentence for each drawing, with its figures as a table."""
        page = Page(page_of(played.statement()))
        assert page.all("html") == [{"lang": "en"}]
        assert len(page.all("h1")) == len(page.all("main")) == 1
        assert all("scope" in header for header in page.all("th"))
        drawings = page.all("svg")
        assert [drawing["role"] for drawing in drawings] == ["img"] * 4
        assert drawings[2]["aria-label"] == "Credits by month. 70 credits were charged, 21 came back: 49 spent."
        assert len(page.all("details")) == 4

    def test_its_figures(self, played: Months) -> None:
        """The totals, each code with its link, its end, its owner and its story."""
        statement = played.statement()
        text = page_of(statement)
        shown = re.sub(r"\s+", " ", " ".join(Page(text).texts))
        for total in statement.totals:
            assert f"{total.month} {total.charged} {total.refunded} {total.spent}" in shown
        assert "in all 70 21 49" in shown
        assert "Spend 1,234.50 EUR" in shown
        assert "2026-05-07 17:00 to 2026-06-06 17:00" in shown
        assert f"balance was 1,198 credits at {statement.balance and statement.balance[1]:%Y-%m-%d %H:%M}" in shown
        codes = [code for request in played.bench.world.portal.requests for code in request.codes]
        assert all(code in shown for code in codes)
        assert {attributes["href"] for attributes in Page(text).all("a")} == {
            *(str(line.cells["video_url"]) for line in statement.lines),
            *(line.link for line in statement.lines if line.link),
        }

    def test_what_comes_from_outside_is_text(self, played: Months) -> None:
        """In cells, names, drawings and the title; an address that is none is no link."""
        cells = dict.fromkeys(("creator", "client", "campaign", "market", "paid_owner", "invoice_status"), HOSTILE)
        links = {"video_url": "javascript:alert(1)", "proof": "data:text/html,x"}
        statement = hostile(played.statement(), **cells, **links, spend="about 1.200")
        statement = replace(statement, asked=replace(statement.asked, client=HOSTILE))
        page = Page(page_of(statement))
        assert page.open == []
        assert not {"script", "img"} & {tag for tag, _ in page.elements}
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
        assert all(str(a["href"]).startswith("https://") for a in page.all("a"))
        assert sum(HOSTILE in text for text in page.texts) >= 7
        assert any("Spend about 1.200" in text for text in page.texts)

    def test_many_markets_and_weeks(self, played: Months) -> None:
        """The smaller markets are told as one, of a long time the last year; a name is no formula of mathematics."""
        lines = [
            replace(line, cells={**line.cells, "market": f"${n}$"}, ends=line.ends + timedelta(weeks=20 * n))
            for n, line in enumerate(played.statement().in_use * 3)
            if line.ends
        ]
        page = Page(page_of(replace(played.statement(), lines=tuple(lines))))
        assert "others" in page.texts
        assert "$0$" in page.texts

    def test_nothing_in_the_period(self) -> None:
        """It says so."""
        page = Page(page_of(Months().statement()))
        assert "There is no code or request in this period." in page.texts
        assert page.open == []

    def test_the_same_report_is_the_same_file(self, played: Months) -> None:
        """Two of one moment do not differ."""
        assert page_of(played.statement()) == page_of(played.statement())
