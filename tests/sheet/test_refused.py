"""What Google refuses is told with Google's reason and the one thing to do (design 3.6)."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

import pytest
from support.bench import EMAIL, Bench

from sheetsync.errors import CredentialsError
from sheetsync.sandbox.google.errors import ApiError
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import may_write

VIDEO = "vid-a"

FIRST_RUN = {
    "api_disabled": (
        5,
        "The Google Sheets API is not enabled in the project of bot@sandbox.iam.gserviceaccount.com. Enable it at "
        "https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=123456789012 , wait a "
        "few minutes, then run again.",
    ),
    "scopes": (
        5,
        "Google's credentials here do not reach to spreadsheets. Name a service-account key file under `google: "
        "credentials:`, or sign in again with `gcloud auth application-default login --scopes=https://"
        "www.googleapis.com/auth/cloud-platform,https://www.googleapis.com/auth/spreadsheets`.",
    ),
    "office_file": (
        2,
        "`spreadsheet:` names an Excel file in Drive, which no program can edit there. Open it, choose File > Save as "
        "Google Sheets, and put the address of the new file into the configuration.",
    ),
}


@pytest.mark.parametrize("refusal", FIRST_RUN)
@pytest.mark.parametrize("kind", ["sheets.get", "sheets.batchUpdate"])
def test_what_a_first_run_meets_is_told_with_the_way_out(refusal: str, kind: str) -> None:
    """Whether it is met by the first read or, changed in mid-run, by a write: the URL is whole, and nothing is paid."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    bench.world.faults.edit(kind, do=lambda world: setattr(world.google, "refuses", refusal))

    report = bench.sync()

    assert (report.exit_code, str(report.error)) == FIRST_RUN[refusal]
    assert bench.charged(VIDEO) == 0

    bench.world.google.refuses = ""
    bench.later(minutes=30)
    assert bench.sync().ordered == 1


REFUSED = (
    "Google Sheets refused a write (400: Invalid requests[0].updateCells: You can't set the number format of cells in "
    "a typed column.)."
)


def test_a_refused_claim_says_why_nothing_was_ordered() -> None:
    """Nobody changed the row: what Google says against the write stands in the hold, the error and the exit code."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    bench.world.google.refuses = "typed_column"

    report = bench.sync()

    assert [hold.reason for hold in report.holds] == [f"Not ordered: {REFUSED}"]
    assert (report.exit_code, str(report.error), bench.charged(VIDEO)) == (1, REFUSED, 0)

    bench.world.google.refuses = ""
    bench.later(minutes=30)
    assert (bench.sync().ordered, bench.cell(VIDEO, "sync_note")) == (1, "")


def test_a_write_that_is_refused_once_more_than_it_is_tried() -> None:
    """The order is paid, its row cannot be written: the run is no success, and says Google's reason."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    bench.world.faults.edit("sheets.batchUpdate", 2, do=lambda world: setattr(world.google, "refuses", "typed_column"))

    report = bench.sync()

    assert (report.ordered, report.exit_code, str(report.error)) == (1, 1, REFUSED)
    again = bench.sync()
    assert (again.ordered, again.exit_code, str(again.error), bench.charged(VIDEO)) == (0, 1, REFUSED, 7)
    bench.world.google.refuses = ""
    assert (bench.sync().exit_code, bench.cell(VIDEO, "status"), bench.charged(VIDEO)) == (0, "pending", 7)


def test_a_write_past_the_grid_is_no_refusal_to_tell() -> None:
    """Somebody deletes the last row in that instant: the tab is read again, and there is nothing left to write."""
    bench = Bench([VIDEO])
    bench.mark("request", VIDEO)
    bench.world.faults.edit("sheets.batchUpdate", 2, do=lambda _: _cut_to_its_header(bench))

    report = bench.sync()

    assert (report.exit_code, report.error) == (0, None)


def _cut_to_its_header(bench: Bench) -> None:
    del bench.sheet.rows[1:]
    bench.sheet.row_count = 1
    bench.sheet.touch()


def test_a_write_that_changes_nothing_tells_whether_it_may() -> None:
    """Shared with an editor, with headers that end in an empty cell; renamed in that instant; shared with a viewer."""
    bench = Bench([VIDEO])
    bench.sheet.set_note(0, bench.sheet.column_count - 1, "an empty cell")
    reader = Reader(bench.api(), bench.tracker, bench.clock)
    seen, before = reader.look(), bench.table()
    assert may_write(reader, seen)
    assert bench.table() == before

    bench.sheet.set_value(0, 0, "Clip")
    assert not may_write(reader, seen)

    bench.book.viewers.update(bench.book.shared_with)
    bench.book.shared_with.clear()
    with pytest.raises(CredentialsError, match="as Editor"):
        may_write(reader, seen)


class TestQuota:
    def used_up(self, word: Literal["Read", "Write"]) -> Bench:
        """The minute has just begun, and others have used up its calls."""
        bench = Bench([VIDEO])
        bench.mark("request", VIDEO)
        bench.later(seconds=60 - bench.clock.now().second)
        bench.world.google.quota = True
        with suppress(ApiError):
            for _ in range(60):
                bench.world.google.spend(word, EMAIL)
        return bench

    @pytest.mark.parametrize("word", ["Read", "Write"])
    def test_the_minute_is_outlasted(self, word: Literal["Read", "Write"]) -> None:
        """A quota is refilled each minute: the run waits for that, and does all it has to."""
        bench = self.used_up(word)
        assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (0, 7, "pending")

    @pytest.mark.parametrize(("left", "waits"), [(None, 65), (30, 30)])
    def test_no_longer_than_that(self, left: int | None, waits: int) -> None:
        """In all, and within the run's time."""
        bench = self.used_up("Read")
        bench.world.faults.add("sheets.get", fault="429", times=999)
        if left:
            bench.clock.ends_in(left)
        begin = bench.clock.monotonic()
        report = bench.sync()
        assert (report.exit_code, str(report.error)) == (
            1,
            "Google Sheets asks for fewer calls (quota of 60 a minute).",
        )
        waited = bench.clock.monotonic() - begin
        assert waited < waits if left else waited == pytest.approx(waits, abs=0.01)

    def test_other_troubles_are_not_waited_for_so_long(self) -> None:
        """Five tries, as ever."""
        bench = Bench([VIDEO])
        bench.world.faults.add("sheets.get", fault="503", times=999)
        assert bench.sync().exit_code == 1
        assert bench.kinds().count("sheets.get") == 5
