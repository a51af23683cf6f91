"""A month of three trackers, judged after every run by an oracle of its own. A finer one: `python -m tests.month`."""

from pathlib import Path

import pytest

from alerts.month import play

pytestmark = pytest.mark.long

EVERY = {
    *("code ends", "code received", "correction answered", "request cancelled", "row waits", "credits low"),
    *("price not expected", "run refused", "runs fail", "runs are good again"),
}


def test_everybody_is_told_just_what_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of alert comes up, and each receiver gets each once, when it is due, and nothing else."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seen = play(tmp_path, minutes=90, days=30, seed=1)
    assert seen.keys() >= EVERY
