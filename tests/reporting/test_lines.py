"""What each line of a report says: whose code it is, how long it may run, what people typed, who approved it."""

from __future__ import annotations

from datetime import UTC, date, datetime

from support.bench import Bench
from support.months import Months, statement_of_bench

from sheetsync.reporting.charts import charts_of
from sheetsync.reporting.statement import Asked, Line, Statement
from sheetsync.reporting.table import table_of


def lines(statement: Statement, video: str) -> list[Line]:
    return [line for line in statement.lines if line.video == video]


def test_a_renewed_code(played: Months) -> None:
    """Each of its codes is a line; what people typed of the row as a whole stands in one of them alone."""
    old, new = lines(played.statement(), "vid-a")
    first, second = played.bench.requests("vid-a")
    assert (old.codes, new.codes) == ((first.code,), (second.code,))
    assert [line.is_in_use for line in (old, new)] == [False, True]
    assert [line.state for line in (old, new)] == ["expired", "expired"]
    assert [line.text("spend") for line in (old, new)] == ["", "1234.5"]
    assert [line.text("conversions") for line in (old, new)] == ["", "87"]
    assert {line.text("paid_owner") for line in (old, new)} == {"Paul"}
    assert (new.asked_at, new.ends) == (second.created_at, datetime(2026, 6, 6, 17, tzinfo=UTC))
    assert new.link.endswith(f"/{played.bench.book.id}/edit#gid={played.bench.sheet.sheet_id}&range=2:2")


def test_a_corrected_code_is_one_line(played: Months) -> None:
    """With both its codes, the older first, and the time of the first."""
    line = lines(played.statement(), "vid-b")[0]
    (request,) = (r for r in played.bench.requests("vid-b") if len(r.codes) == 2)
    assert line.codes == tuple(request.codes)
    assert line.received_at == datetime(2026, 4, 10, 16, tzinfo=UTC)


def test_who_approved_it(played: Months) -> None:
    """What the order rested on, with each order its own."""
    first, second = lines(played.statement(), "vid-a")
    assert first.approvals == ("2026-04-10 09:00 ticked: Caption final, Sound cleared; Approval owner: Ann",)
    assert second.approvals[0].startswith("2026-05-07 17:00 ticked: ")


def test_a_row_that_is_gone(played: Months) -> None:
    """Its last order tells whose it was, the ledger what it cost and until when it runs."""
    (line,) = lines(played.statement(), "vid-f")
    assert (line.row, line.link, line.client, line.text("creator")) == (None, "", "Strido", "@tomtech")
    assert (line.ends, line.state, line.charged) == (datetime(2026, 6, 23, 9, tzinfo=UTC), "renewal needed", 7)
    story = next(story for story in played.statement().stories if story.video == "vid-f")
    assert (story.name, story.client) == ("@tomtech", "Strido")
    assert story.events[-1] == (datetime(2026, 5, 25, 1, tzinfo=UTC), "status in_review -> finalized")


def test_what_was_typed_for_a_code_outlives_its_row() -> None:
    """A typed end, and the days that its row had."""
    bench = Bench(["vid-a", "vid-b"])
    bench.type("vid-a", "authorization_days", 7)
    bench.mark("request", "vid-a", "vid-b")
    for _ in range(3):
        bench.sync()
        bench.world.portal.manager_work()
    bench.type("vid-b", "known_expiry", "2026-09-01")
    bench.sync()
    before = [line.ends for line in statement_of_bench(bench).lines]
    assert before == [datetime(2026, 6, 23, 10, 22, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)]
    bench.sheet.delete_rows(1, 2)
    bench.sync(allow_shrunken=True)
    assert [line.ends for line in statement_of_bench(bench).lines] == before
    assert {line.client for line in statement_of_bench(bench).lines} == {"no row"}


def test_periods(played: Months) -> None:
    """A code is told in each period in which it may run, its charge in one of them."""

    def told(first: date, last: date) -> set[tuple[str, int, int]]:
        return {(line.video, line.charged, line.refunded) for line in played.statement(Asked(first, last)).lines}

    april, may = (date(2026, 4, 1), date(2026, 4, 30)), (date(2026, 5, 11), date(2026, 5, 31))
    assert told(*april) == {("vid-a", 7, 0), ("vid-b", 7, 0), ("vid-c", 7, 0), ("vid-d", 7, 0)}
    assert told(*may) == {("vid-a", 0, 0), ("vid-e", 7, 7), ("vid-e", 7, 0), ("vid-f", 7, 0), ("vid-c", 7, 7)}
    assert told(date(2026, 5, 2), date(2026, 5, 2)) >= {("vid-d", 0, 7)}
    assert told(date(2025, 1, 1), date(2025, 12, 31)) == set()
    assert told(date(2026, 7, 8), date(2026, 7, 8)) == {("vid-b", 0, 0)}


def test_a_cancelled_code_runs_no_more() -> None:
    """It is told in the periods of its order and its refund, with the code that it had brought."""
    months = Months()
    months.bench.mark("request", "vid-a")
    months.bench.sync()
    for _ in range(2):
        months.bench.world.portal.manager_work()
    months.bench.sync()
    months.bench.later(days=21)
    months.bench.world.portal.cancel("vid-a")
    months.bench.sync()
    (line,) = months.statement(Asked(first=date(2026, 5, 1), last=date(2026, 5, 31))).lines
    assert (line.state, len(line.codes), line.charged, line.refunded) == ("cancelled", 1, 0, 7)
    assert months.statement(Asked(first=date(2026, 5, 2))).lines == ()


def test_one_client_and_one_campaign(played: Months) -> None:
    """Nothing of another client's, nor the balance, which is all clients'."""
    found = played.statement(Asked(client="Strido", campaign="marathon  APP"))
    assert {line.video for line in found.lines} == {story.video for story in found.stories} == {"vid-c", "vid-d"}
    assert found.balance is None
    assert not any(" left" in text for story in found.stories for _, text in story.events)


def test_a_code_that_people_typed() -> None:
    """It has no request and cost nothing; a row without a code or a request is no line."""
    months = Months()
    bench = months.bench
    bench.type("vid-a", "spark_code", "#from-the-creator")
    bench.type("vid-a", "expires_at", "2026-05-01")
    bench.type("vid-b", "market", "")
    (line,) = months.statement().lines
    assert (line.codes, line.request_id, line.is_in_use) == (("#from-the-creator",), "", True)
    assert (line.state, line.charged, line.ends) == ("received", 0, datetime(2026, 5, 1, tzinfo=UTC))
    months.order("request", "vid-a")
    typed, ordered = months.statement().lines
    assert (typed.codes, typed.request_id, typed.state) == (("#from-the-creator",), "", "may still run")
    assert (ordered.is_in_use, ordered.charged) == (True, 7)


def test_requests_without_a_code() -> None:
    """What TokPortal says of them."""
    months = Months()
    months.bench.mark("request", "vid-a", "vid-b", "vid-c")
    months.bench.sync()
    months.bench.world.portal.cancel("vid-b")
    months.bench.world.portal.set_status("vid-c", "finalized")
    months.bench.sync()
    states = {line.video: line.state for line in months.statement().lines}
    assert states == {"vid-a": "requested", "vid-b": "cancelled", "vid-c": "finalized"}


def test_a_renewal_under_way_and_a_code_that_was_reported() -> None:
    """The earlier code is in use; what became of the others is said beside."""
    months = Months()
    months.order("request", "vid-a", "vid-b")
    months.bench.mark("renew", "vid-a", "vid-b")
    months.bench.sync()
    assert [line.state for line in lines(months.statement(), "vid-a")] == ["received", "requested"]
    for _ in range(2):
        months.bench.world.portal.manager_work()
    months.bench.sync()
    assert [line.state for line in lines(months.statement(), "vid-b")] == ["may still run", "received"]
    months.bench.type("vid-b", "feedback", "does not work")
    months.bench.mark("correct", "vid-b")
    months.bench.sync()
    assert [line.state for line in lines(months.statement(), "vid-b")] == ["received", "reported"]


def test_of_duplicates_the_first_row_counts(played: Months) -> None:
    """A copied row makes no second line."""
    months = Months()
    months.order("request", "vid-a")
    line = months.bench.line("vid-b")
    months.bench.sheet.set_value(line, months.bench.column("video_id"), "vid-a")
    months.bench.type("vid-a", "client", "Copied", turn=1)
    (line_told,) = months.statement().lines
    assert (line_told.client, line_told.row) == ("Crumbly", 2)


def test_text_that_no_file_may_hold() -> None:
    """Control characters, halves of a surrogate pair and turns of the writing direction are shown as what they are."""
    months = Months()
    months.order("request", "vid-a")
    months.bench.type("vid-a", "creator", " a\x00b\x1bc\u202ed\nünï ")
    (line,) = months.statement().lines
    assert line.name == "a\ufffdb\ufffdc\ufffdd\nünï"


def test_the_table_leaves_out_what_nobody_typed(played: Months) -> None:
    """Of people's columns those that say something, in any line."""
    headers, rows = table_of(played.statement())
    assert "Spend" in headers
    assert "Contract" not in headers
    assert all(len(row) == len(headers) for row in rows)


class TestCharts:
    def test_what_they_count(self, played: Months) -> None:
        """The same figures as the lines and the totals."""
        charts = {chart.key: chart for chart in charts_of(played.statement())}
        assert charts["expiries"].says == "3 of 5 codes in use end today or later."
        assert (charts["expiries"].labels[0], charts["expiries"].labels[-1]) == ("04 May 2026", "06 Jul 2026")
        assert {series.name: series.values for series in charts["expiries"].series} == {
            "ended": (1, 0, 0, 0, 1, 0, 0, 0, 0, 0),
            "to come": (0, 0, 0, 0, 0, 0, 0, 2, 0, 1),
        }
        assert charts["waits"].says == "Half of 7 codes came within 7.0 hours."
        assert dict(zip(charts["waits"].labels, charts["waits"].series[0].values, strict=True))["6-12"] == 7
        assert charts["credits"].labels == ("2026-04", "2026-05", "2026-06")
        assert [s.values for s in charts["credits"].series] == [(28, 35, 7), (0, -21, 0)]
        assert charts["stages"].labels == ("UK", "US", "BR")
        assert {s.name: s.values for s in charts["stages"].series} == {
            "received": (1, 0, 0),
            "renewal needed": (1, 1, 0),
            "expired": (0, 1, 1),
        }

    def test_nothing_to_show(self) -> None:
        """No chart without figures."""
        assert charts_of(Months().statement()) == ()
