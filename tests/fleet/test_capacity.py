"""What fleets carry: the boundaries of the formula, and a simulated fleet that does as it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.arithmetic import (
    CONNECTIONS,
    Fleets,
    Load,
    Run,
    breaks_first,
    connections,
    most_open_requests,
    most_trackers,
    uses,
)
from benchmarks.simulated import World

from sheetsync import fleet

QUIET = Run()


@pytest.mark.parametrize(("minutes", "trackers"), [(5, 146), (15, 439), (60, 1756)])
def test_a_service_account_carries_thirty_quiet_runs_a_minute(minutes: int, trackers: int) -> None:
    """60 reads in 61.5 s, two for each run."""
    assert most_trackers(Fleets(), minutes, QUIET) == trackers


@pytest.mark.parametrize(
    ("accounts", "projects", "trackers", "first"),
    [
        (1, 1, 146, "service account"),
        (5, 1, 731, "service account"),
        (6, 1, 750, "Google Cloud project"),
        (60, 1, 750, "Google Cloud project"),
        (6, 2, 878, "service account"),
    ],
)
def test_a_sixth_account_needs_a_second_project(accounts: int, projects: int, trackers: int, first: str) -> None:
    """Five accounts are within the 300 reads of their project."""
    fleets = Fleets(accounts=accounts, projects=projects)
    assert most_trackers(fleets, 5, QUIET) == trackers
    assert breaks_first(fleets, Load(trackers, 0, 5), QUIET)[0] == first


@pytest.mark.parametrize(("keys", "requests"), [(1, 575), (2, 1151), (4, 2302)])
def test_a_key_carries_115_polls_a_minute(keys: int, requests: int) -> None:
    """120 in 61.5 s, of which orders have two."""
    assert most_open_requests(keys, 5) == requests


PAGE = Path(fleet.__file__).with_name("README.md").read_text()
PERIODS = (5, 15, 60)
ROWS = {
    "1": Fleets(),
    "2": Fleets(accounts=2),
    "5": Fleets(accounts=5),
    "6, one Google Cloud project": Fleets(accounts=6),
    "6, two projects": Fleets(accounts=6, projects=2),
}


@pytest.mark.parametrize("row", ROWS)
def test_the_page_says_how_many_trackers(row: str) -> None:
    """Quiet runs, and with orders in half of them, at each period."""
    both = [[most_trackers(ROWS[row], minutes, run) for run in (QUIET, Run(reads=3.0))] for minutes in PERIODS]
    assert f"| {row} | " + " | ".join(f"{quiet:,} / {busy:,}" for quiet, busy in both) + " |" in PAGE


@pytest.mark.parametrize("keys", [1, 2, 4])
def test_the_page_says_how_many_open_requests(keys: int) -> None:
    """At each period."""
    assert f"| {keys} | " + " | ".join(f"{most_open_requests(keys, each):,}" for each in PERIODS) + " |" in PAGE


def test_at_the_boundary_all_is_used_and_nothing_more() -> None:
    """The last tracker that fits, and the first that does not."""
    assert uses(Fleets(), Load(146, 0, 5), QUIET)["service account"] <= 1
    assert uses(Fleets(), Load(147, 0, 5), QUIET)["service account"] > 1
    assert uses(Fleets(), Load(1, 575, 5), QUIET)["TokPortal key"] <= 1
    assert uses(Fleets(), Load(1, 576, 5), QUIET)["TokPortal key"] > 1


@pytest.mark.parametrize(
    ("fleets", "load", "run", "first"),
    [
        (Fleets(), Load(100, 0, 5), QUIET, "service account"),
        (Fleets(accounts=6), Load(100, 0, 5), QUIET, "Google Cloud project"),
        (Fleets(), Load(100, 500, 5), QUIET, "TokPortal key"),
        (Fleets(concurrency=1), Load(100, 0, 5), Run(latency=4.0), "runs at once"),
        (Fleets(), Load(100, 0, 5), Run(cpu=3.0), "workers' processors"),
        (Fleets(), Load(100, 0, 5), Run(transaction_seconds=0.4), "ledger"),
    ],
)
def test_what_breaks_first(fleets: Fleets, load: Load, run: Run, first: str) -> None:
    """Each limit can be the one."""
    assert breaks_first(fleets, load, run)[0] == first


def test_a_postgresql_as_it_is_installed_lets_six_workers_in() -> None:
    """With four runs at once each."""
    assert connections(Fleets(workers=6)) <= CONNECTIONS < connections(Fleets(workers=7))


@pytest.mark.parametrize(
    ("fleets", "load", "what"), [(Fleets(), Load(220, 0, 5), "runs"), (Fleets(), Load(40, 863, 5), "polls")]
)
def test_a_simulated_fleet_with_too_much_to_do_does_what_the_formula_says(
    fleets: Fleets, load: Load, what: str
) -> None:
    """An hour of virtual time."""
    _, used = breaks_first(fleets, load, QUIET)
    asked = (load.trackers if what == "runs" else load.open_requests) * 60 / load.minutes
    done = World(fleets, load, QUIET).play(1800.0, 3600.0).counts[what]
    assert done == pytest.approx(asked / used, rel=0.05)
