"""The months that several tests look at, played once."""

from __future__ import annotations

import pytest
from support.months import Months


@pytest.fixture(scope="package")
def played() -> Months:
    """From April to June; tests read it, and change nothing."""
    months = Months()
    months.play()
    months.go_on()
    return months
