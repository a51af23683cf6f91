"""`state:` names a link to a file on another disk: which is made there, private, or missed together with its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.closed import closed, heeding_bits
from support.command_line import Desk


@pytest.fixture
def disk(desk: Desk) -> Path:
    """The folder that the link leads to; the file is still to be made there."""
    folder = desk.config.parent / "disk"
    folder.mkdir()
    (desk.config.parent / "state.db").symlink_to(folder / "codes.db")
    return folder


@pytest.mark.parametrize("command", [("sync",), ("ledger", "rebuild")])
def test_it_is_made_for_the_eyes_of_its_owner(desk: Desk, disk: Path, command: tuple[str, ...]) -> None:
    """It holds codes, and so do the files beside it; the link stays a link."""
    assert desk.run(*command).exit_code == 0
    assert (desk.config.parent / "state.db").is_symlink()
    assert "codes.db" in {path.name for path in disk.iterdir()}
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in disk.iterdir() if path.stat().st_mode & 0o077} == {}


COMMANDS = [
    ("config", "check"),
    ("ledger", "check"),
    ("ledger", "backup", "copy.db"),
    ("status",),
    ("plan",),
    ("sync",),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_its_disk_is_not_there(desk: Desk, disk: Path, command: tuple[str, ...]) -> None:
    """The folder is named; no word of a first sync, nor of a rebuild, beside which the ledger would live on."""
    disk.rmdir()
    result = desk.run(*command)
    assert result.exit_code == 2
    told = f"state.db: the folder {disk} does not exist; mount or make it, or change `state`"
    assert told in result.stderr
    assert "rebuild" not in result.output
    assert "portal.order" not in [call.kind for call in desk.world.calls]


def test_the_doctor_misses_its_disk(desk: Desk, disk: Path) -> None:
    """As the run would; the rest is checked all the same."""
    disk.rmdir()
    result = desk.run("doctor")
    assert result.exit_code == 2
    assert f"FAIL  ledger: {desk.config.parent}/state.db: the folder {disk} does not exist; mount" in result.stdout
    assert "ok    TokPortal: " in result.stdout


def test_the_doctor_tries_the_disk_itself(desk: Desk, disk: Path) -> None:
    """Not the folder of the link."""
    with closed(desk.config.parent / "disk"):
        assert f"FAIL  ledger: {desk.config.parent}/state.db: the file cannot be opened" in desk.run("doctor").stdout
    disk.chmod(0o500)
    with heeding_bits():
        assert f"FAIL  ledger: the folder {disk} cannot be written (Permission denied)" in desk.run("doctor").stdout
    disk.chmod(0o700)


@pytest.mark.parametrize("command", [*COMMANDS, ("doctor",)])
def test_it_leads_to_itself(desk: Desk, command: tuple[str, ...]) -> None:
    """No file can be there: said as it is."""
    link = desk.config.parent / "state.db"
    link.symlink_to(link)
    result = desk.run(*command)
    assert result.exit_code == 2
    assert f"{link}: the file cannot be opened (Too many levels of symbolic links)" in result.output
