"""Each paid call of the real command, held at the wire against the config by a judge who knows nothing else.

A proxy stands between the command and both services (`support/proxy.py`); its judge (`support/proxy_judge.py`) reads
the parsed YAML and the calls. `test_proxy_judge.py` shows that it can fail.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.office import opened
from support.profile import cases
from support.spending import FIVE, GAPS, LIMITED, SCENARIOS, STRICT, Settings, in_the_gap, lost


def breaches(folder: Path, scenario: Callable[..., None], settings: Settings, *more: Any) -> list[Any]:
    """What the judge found in a scenario; it must have seen whatever was ordered by the API."""
    with opened(folder, **settings) as office:
        scenario(office, *more)
        assert office.judge.orders >= sum(request.ordered_by == "api" for request in office.world.portal.requests)
        return office.judge.breaches


@pytest.mark.parametrize("name", cases(SCENARIOS, list(SCENARIOS)[::3]))
def test_each_order_keeps_the_rules(tmp_path: Path, name: str) -> None:
    """Nothing that was sent breaks a rule, and what was wanted came to pass."""
    assert breaches(tmp_path, *SCENARIOS[name]) == []


@pytest.mark.parametrize("gap", GAPS)
def test_a_row_that_changes_before_its_claim(tmp_path: Path, gap: str) -> None:
    """Whatever changes in a row since it was read is seen before it costs anything."""
    assert breaches(tmp_path, in_the_gap, STRICT, gap) == []


@pytest.mark.parametrize(
    "fault", cases(["lost_before", "lost_after", "500", "garbled", "html502", "429"], ["lost_after", "429"])
)
def test_lost_answers(tmp_path: Path, fault: str) -> None:
    """Whatever becomes of an answer: the same key, the same body, and never more than one order."""
    assert breaches(tmp_path, lost, {"one": {}}, fault) == []


# --- real processes --------------------------------------------------------------------------------------------------


def struck_down(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


@pytest.mark.parametrize("when", cases(["before", "after"], ["after"]))
def test_processes(tmp_path: Path, when: Any) -> None:
    """Real processes in real time, the first killed at its second order: the second order is not sent anew at once."""
    with opened(tmp_path, real_time=True, **LIMITED) as office:
        office.rows(*FIVE[:3], action="request")
        running: list[subprocess.Popen[str]] = []
        office.world.faults.edit("portal.order", nth=2, when=when, do=lambda _: struck_down(running[0]))
        running.append(office.start())
        running[0].wait(60)
        assert running[0].returncode == -signal.SIGKILL
        code, told = office.run()
        assert code in (0, 1)
        assert told["trackers"][0]["ordered"] in (1, 2)
        assert sorted(office.ordered()) == list(FIVE[:3])
        assert office.judge.breaches == []
