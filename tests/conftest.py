"""Puts this directory on the import path, for `inprocess`, `sandbox.google_side` and `contract.samples`; and the switch
that holds a whole run of tests against Google's own schema.
"""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from support import ledgers
from support.held import held_against_google

# The tests start some hundreds of processes. Where bytecode is not kept, each compiles all of sheetsync, and each test
# worker all of the tests: that takes longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# mutmut runs a test in the same process again and again, each time from another instance
settings.register_profile(
    "mutmut", suppress_health_check=[HealthCheck.differing_executors], database=None, deadline=None, derandomize=True
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--google-schema",
        action="store_true",
        help="hold every Sheets call of the program and every answer of the sandbox against Google's own schema "
        "(needs the contract extra)",
    )
    parser.addoption(
        "--ledger", choices=ledgers.KINDS, default="sqlite", help="where the ledgers of tests/protocol are kept"
    )


def pytest_configure(config: pytest.Config) -> None:
    ledgers.choose(config.getoption("--ledger"))


def pytest_xdist_auto_num_workers() -> int:
    """Three for two cores: a third of the time tests wait, for processes, servers and a browser."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait come first, to one worker: the others compute meanwhile, and nobody waits alone at the end."""
    items.sort(key=lambda item: not item.get_closest_marker("waits"))


@pytest.fixture(autouse=True)
def google_schema_where_asked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Does nothing without the option."""
    if not request.config.getoption("--google-schema"):
        yield
        return
    with held_against_google():
        yield
