"""A day of real processes under cron's bare environment, shortened. The whole one: `python -m tests.day`."""

import logging
from pathlib import Path

import pytest

from alerts.day import SHORT, SHORT_CUT, play

pytestmark = pytest.mark.long


def test_everybody_is_told_and_all_books_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trouble comes up, the alerts are those of the oracle, and no run overlaps another on one tracker."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # troubles of the days before are part of the story
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    seen = play(tmp_path, SHORT, seed=1, cut=SHORT_CUT)
    assert {"cut": 5, "full": 3, "kill": 3, "stop": 3, "met": 2, "race": 4}.items() <= seen.items()
    assert seen.keys() >= {"code ends", "code received", "runs fail", "runs are good again", "books agreed"}
