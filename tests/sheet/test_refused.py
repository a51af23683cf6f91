"""What Google refuses is told with Google's reason and the one thing to do (design 3.6)."""

from __future__ import annotations

import pytest
from support.bench import Bench

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
