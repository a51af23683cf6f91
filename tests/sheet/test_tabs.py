"""The tab is its id for a whole run, and the header row is its first: what people do to either in mid-run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.bench import TAB, Bench
from support.story import Crash

from sheetsync.sandbox.google.grid import Sheet

VIDEO, OTHER = "vid-a", "vid-b"


def marked() -> Bench:
    """Two rows, the first one with a mark."""
    bench = Bench([VIDEO, OTHER])
    bench.mark("request", VIDEO)
    return bench


def at_write(bench: Bench, nth: int, happens: Callable[[], object], *, killed: bool = False) -> None:
    """Just before the write of that number, somebody does something; the run may be killed once it has landed."""
    bench.world.faults.edit("sheets.batchUpdate", nth=nth, do=lambda _: happens())
    writes = []

    def kill(moment: str, _: int, kind: str, __: object) -> None:
        if kind == "sheets.batchUpdate" and moment == "after":
            writes.append(kind)
            if killed and len(writes) == nth:
                raise Crash

    bench.world.hooks.append(kill)


def renamed(bench: Bench) -> None:
    """The month ends: the tab gets another name."""
    bench.sheet.title = "October"
    bench.book.touch()


def swapped(bench: Bench) -> Sheet:
    """The tab gets another name, and one that holds the same in another order gets its own; returns the old one."""
    old = bench.sheet
    renamed(bench)
    new = bench.book.add_sheet(TAB, None, old.row_count, old.column_count)
    for number, line in enumerate([old.rows[0], *reversed(old.rows[1:])]):
        new.put_part(number, 0, list(line))
    return old


def said(sheet: Sheet) -> list[tuple[str, str, str]]:
    """Video ID, Action and Status of each row of a tab."""
    table = [["" if cell is None else cell for cell in line] for line in sheet.table()]
    at = [table[0].index(header) for header in ("Video ID", "Action", "Status")]
    return [tuple(line[n] if n < len(line) else "" for n in at) for line in table[1:]]  # type: ignore[misc]  # three


class TestRenamed:
    @pytest.mark.parametrize("nth", [1, 2])
    def test_in_the_gap_of_a_write(self, nth: int) -> None:
        """The run goes on in the tab that it began with: a title is not an identity."""
        bench = marked()
        tab = bench.sheet
        at_write(bench, nth, lambda: renamed(bench))
        report = bench.sync()
        assert (report.exit_code, report.error) == (0, None)
        assert said(tab) == [(VIDEO, "", "pending"), (OTHER, "", "")]

    def test_before_the_last_read(self) -> None:
        """A read by the old title would find nothing."""
        bench = marked()
        tab = bench.sheet
        bench.world.faults.edit("portal.order", do=lambda _: renamed(bench))
        assert bench.sync().exit_code == 0
        assert said(tab)[0] == (VIDEO, "", "pending")

    def test_deleted(self) -> None:
        """What was ordered is in the ledger; the run says which tab is gone."""
        bench = marked()
        at_write(bench, 2, lambda: (swapped(bench), bench.book.sheets.remove(bench.book.sheet("October"))))
        report = bench.sync()
        assert (report.exit_code, report.ordered) == (2, 1)
        assert "The tab was deleted while this run" in str(report.error)
        assert [entry.request.status for entry in bench.ledger.known("acme").latest.values()] == ["pending"]


class TestSwapped:
    @pytest.mark.parametrize("nth", [1, 2])
    def test_in_the_gap_of_a_write(self, nth: int) -> None:
        """Everything lands in the tab that was read; the new one, in which rows stand elsewhere, is the next run's."""
        bench = marked()
        tabs = [bench.sheet]
        at_write(bench, nth, lambda: swapped(bench))
        assert bench.sync().exit_code == 0
        assert said(tabs[0]) == [(VIDEO, "", "pending"), (OTHER, "", "")]
        assert bench.sync().exit_code == 0
        assert said(bench.sheet) == [(OTHER, "", ""), (VIDEO, "", "pending")]
        assert bench.charged(VIDEO) == 7

    def test_and_the_run_is_killed(self) -> None:
        """What its write hit in the tab that was put away is put right there, by a run on the new one."""
        bench = marked()
        old = bench.sheet

        def sorted_and_swapped() -> None:
            old.rows[1:] = reversed(old.rows[1:])
            swapped(bench)

        at_write(bench, 1, sorted_and_swapped, killed=True)
        with pytest.raises(Crash):
            bench.sync()
        assert said(old) == [(OTHER, "", "ordering"), (VIDEO, "request", "")]
        assert bench.sync().exit_code == 0
        assert said(old) == [(OTHER, "", ""), (VIDEO, "request", "")]
        assert bench.charged(VIDEO) == 7

    def test_and_the_tab_that_was_hit_is_gone(self) -> None:
        """There is nothing to be put right any more; the new tab is served."""
        bench = marked()
        at_write(bench, 1, lambda: swapped(bench), killed=True)
        with pytest.raises(Crash):
            bench.sync()
        bench.book.sheets.remove(bench.book.sheet("October"))
        assert bench.sync().exit_code == 0
        assert said(bench.sheet) == [(OTHER, "", ""), (VIDEO, "", "pending")]


class TestRowAbove:
    """Somebody inserts a row above the headers: what was meant for the first row lands in the headers."""

    @pytest.mark.parametrize("nth", [1, 2])
    def test_headers_are_put_back(self, nth: int) -> None:
        """At once, though the run must stop: no header is in row 1. Once the row is gone, all is well again."""
        bench = marked()
        bench.mark("renew", OTHER)
        headers = list(bench.headers)
        at_write(bench, nth, lambda: bench.sheet.insert_rows(0))
        assert bench.sync().exit_code == 2
        assert bench.table()[1][: len(headers)] == headers
        bench.sheet.delete_rows(0)
        assert bench.sync().exit_code == 0
        assert said(bench.sheet) == [(VIDEO, "", "pending"), (OTHER, "renew", "")]
        assert bench.charged(VIDEO) == 7

    def test_the_row_is_taken_away_again(self) -> None:
        """Headers in row 1 that hold what was written are put back there, and the run goes on."""
        bench = marked()
        headers = list(bench.headers)
        at_write(bench, 1, lambda: bench.sheet.insert_rows(0))
        bench.world.hooks.append(
            lambda moment, _, kind, __: (
                (kind == "sheets.batchUpdate" and moment == "after" and bench.table()[0][0] == "")
                and bench.sheet.delete_rows(0)
            )
        )
        assert bench.sync().exit_code == 0
        assert bench.table()[0][: len(headers)] == headers
        assert said(bench.sheet) == [(VIDEO, "", "pending"), (OTHER, "", "")]

    @pytest.mark.parametrize("nth", [1, 2])
    def test_the_row_is_taken_away_just_as_the_headers_are_put_back(self, nth: int) -> None:
        """They land in the first row: this very run puts them where they belong, and that row right."""
        bench = marked()
        bench.mark("renew", OTHER)
        headers = list(bench.headers)
        at_write(bench, nth, lambda: bench.sheet.insert_rows(0))
        at_write(bench, nth + 1, lambda: bench.sheet.delete_rows(0))
        assert bench.sync().exit_code == 0
        assert bench.table()[0][: len(headers)] == headers
        assert said(bench.sheet) == [(VIDEO, "", "pending"), (OTHER, "renew", "")]
        assert bench.charged(VIDEO) == 7

    def test_a_header_that_somebody_renamed(self) -> None:
        """What no write has hit is nobody's to put back: the run says what is missing."""
        bench = marked()
        bench.sheet.set_value(0, bench.column("status"), "State")
        report = bench.sync()
        assert (report.exit_code, bench.table()[0][bench.headers.index("Status")]) == (2, "State")
