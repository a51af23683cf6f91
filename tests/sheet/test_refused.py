"""What Google refuses is told with Google's reason and the one thing to do (design 3.6)."""

from __future__ import annotations

import pytest
from support.bench import Bench

from sheetsync.errors import CredentialsError
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
