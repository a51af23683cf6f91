"""What `init` and the summary send, against Google's own description of the Sheets API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from support.held import held_against_google
from support.init_bench import InitBench

from sheetsync.columns import GROUPS

Groups = tuple[str, ...] | None
VIDEO = "3fae88e2-7d43-4bb7-a2f1-4c6ce6f1c0de"


@pytest.fixture(autouse=True)
def _held() -> Iterator[None]:
    """Every Sheets call is held against the discovery document."""
    with held_against_google():
        yield


@pytest.mark.parametrize(
    ("lines", "tab", "groups"),
    [
        pytest.param((), "Tracker", None, id="an empty spreadsheet"),
        pytest.param((), "Budget", tuple(GROUPS), id="no such tab"),
        pytest.param((("Creator", "Video ID", "Action"), ("@mia", "v-1")), "Tracker", None, id="own columns"),
        pytest.param((("Video ID", "Contract"), ("v-1", 7)), "Tracker", ("rights", "approval"), id="named groups"),
    ],
)
def test_init_and_the_runs_after_it(lines: Sequence[Sequence[str | int]], tab: str, groups: Groups) -> None:
    """Every request has the shape that Google describes, and so has every answer of the sandbox."""
    bench = InitBench(*lines, tab=tab, groups=groups)
    assert len(bench.init()) > 10
    assert len(bench.init()) == 1
    bench.add_row(VIDEO, "request", creator="=1+1")
    for hours in (0, 1, 3, 24 * 28):
        bench.later(hours=hours)
        bench.world.portal.manager_work()
        assert bench.sync().error is None
    assert bench.says("B3") is not None


def test_what_is_restored_is_described_too() -> None:
    """The requests that put one thing back."""
    bench = InitBench()
    bench.init()
    bench.person(
        {"clearBasicFilter": {"sheetId": 0}},
        {"deleteConditionalFormatRule": {"sheetId": 0, "index": 0}},
        {"setDataValidation": {"range": bench.whole_column("action")}},
        {"deleteSheet": {"sheetId": bench.summary.sheet_id}},
    )
    bench.init()
    assert len(bench.init()) == 1
