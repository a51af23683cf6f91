"""`state:` names a link to a file on another disk: which is made there, private, or missed together with its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
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
