"""`sheetsync config check`: the file alone, without a call to anybody."""

from __future__ import annotations

import pytest
from support.closed import heeding_bits
from support.command_line import Desk


def test_what_was_understood(desk: Desk) -> None:
    """Paths in full, each tracker with its tab; the API key is not shown; nobody is called."""
    result = desk.run("config", "check")
    assert result.exit_code == 0
    assert "1 tracker, nothing wrong" in result.stdout
    assert f"state: {desk.config.parent / 'state.db'} (made at the first sync)" in result.stdout
    assert "tracker sample: tab 'Tracker' of " in result.stdout
    assert desk.world.portal.key not in result.stdout
    assert desk.world.calls == []


def test_what_is_wrong(desk: Desk) -> None:
    """All at once, with file and line, exit 2."""
    desk.edit("worksheet:", "workshet:")
    desk.edit("tokportal:", "tokprotal:")
    result = desk.run("config", "check")
    assert result.exit_code == 2
    assert result.stderr.count(f"{desk.config}:") >= 2


def test_a_key_file_that_is_not_there(desk: Desk) -> None:
    """Said beside its path; whether a key works is told by `doctor`."""
    (desk.config.parent / "service-account.json").unlink()
    assert "service-account.json (there is no such file)" in desk.run("config", "check").stdout


@pytest.mark.parametrize(
    ("file", "wrong"), [("m.prom", ""), ("gone/m.prom", "gone does not exist"), ("shut/m.prom", "may not")]
)
def test_a_file_for_metrics(desk: Desk, file: str, wrong: str) -> None:
    """Where it cannot be written, `config check` and `doctor` say so; a run would only warn in its log."""
    desk.config.write_text(f"{desk.config.read_text()}run: {{metrics_file: {file}}}\n")
    (shut := desk.config.parent / "shut").mkdir(mode=0o500)
    with heeding_bits():
        checked, doctor = desk.run("config", "check"), desk.run("doctor")
    shut.chmod(0o700)
    assert (checked.exit_code, doctor.exit_code) == (0, 0)
    assert f"  metrics: {desk.config.parent}/{file}" in checked.stdout
    assert wrong in checked.stdout
    told = f"note  metrics: {desk.config.parent}/{file} cannot be written, and runs go on without: "
    assert (told in doctor.stdout, wrong in doctor.stdout) == (bool(wrong), True)
