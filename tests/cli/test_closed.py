"""A key file or a ledger in a folder that this user may not enter: each command says so, with the way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.closed import closed
from support.command_line import Desk


@pytest.fixture
def key(desk: Desk) -> Iterator[Path]:
    """The key file is in such a folder."""
    path = desk.config.parent / "closed" / "service-account.json"
    path.parent.mkdir()
    (desk.config.parent / path.name).rename(path)
    desk.edit("credentials: service-account.json", "credentials: closed/service-account.json")
    with closed(path.parent):
        yield path


@pytest.fixture
def state(desk: Desk) -> Iterator[Path]:
    """The ledger is in such a folder."""
    (desk.config.parent / "closed").mkdir()
    desk.edit("state: state.db", "state: closed/state.db")
    with closed(desk.config.parent / "closed"):
        yield desk.config.parent / "closed" / "state.db"


@pytest.mark.parametrize("command", ["sync", "plan", "report"])
def test_a_key_that_is_needed(desk: Desk, key: Path, command: str) -> None:
    """Exit 2, with its path, the reason and what to do."""
    result = desk.run(command)
    assert result.exit_code == 2
    assert f"{key}: cannot be read: Permission denied; let the user who runs sheetsync read it" in result.output


@pytest.mark.parametrize("command", [("status",), ("schedule",), ("ledger", "check"), ("config", "check")])
def test_a_key_that_is_not_needed(desk: Desk, key: Path, command: tuple[str, ...]) -> None:
    """As one that is not there: no reason to tell nothing."""
    result = desk.run(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    if command == ("config", "check"):
        assert f"key file {key} (cannot be read: Permission denied; let the user" in result.stdout


def test_the_doctor_goes_on_without_the_key(desk: Desk, key: Path) -> None:
    """What else there is is checked."""
    result = desk.run("doctor")
    assert result.exit_code == 2
    assert f"FAIL  Google key: {key}: cannot be read: Permission denied; let " in result.stdout
    assert "ok    TokPortal: " in result.stdout
    assert "ok    ledger: " in result.stdout


def test_systemd_is_to_hand_it_over(desk: Desk, key: Path) -> None:
    """It reads the key as root: whether we may does not matter."""
    assert f"LoadCredential=service-account.json:{key}\n" in desk.run("schedule", "systemd").stdout


def test_dotenv_of_somebody_else(desk: Desk) -> None:
    """Whose it has to be is said; the variable that is then missing, too."""
    dotenv = desk.config.parent / ".env"
    with closed(dotenv):
        result = desk.run("status")
    assert result.exit_code == 2
    told = (
        f"{dotenv}: cannot be read (Permission denied); expected a UTF-8 text that the user who runs sheetsync may read"
    )
    assert told in result.stderr


@pytest.mark.parametrize(
    "command",
    [("config", "check"), ("ledger", "check"), ("ledger", "backup", "copy.db"), ("status",), ("plan",), ("sync",)],
)
def test_a_ledger(desk: Desk, state: Path, command: tuple[str, ...]) -> None:
    """Exit 2, with its path, the reason and what to do; nothing is ordered."""
    result = desk.run(*command)
    assert result.exit_code == 2
    assert f"{state}: the file cannot be " in result.stderr
    assert (
        "(Permission denied); let the user who runs sheetsync into its folder (chown), or change `state`"
        in result.stderr
    )
    assert "portal.order" not in [call.kind for call in desk.world.calls]


def test_the_doctor_names_the_ledger(desk: Desk, state: Path) -> None:
    """And has checked the rest."""
    result = desk.run("doctor")
    assert result.exit_code == 2
    assert f"FAIL  ledger: {state}: the file cannot be opened (Permission denied); let the user" in result.stdout
    assert "ok    TokPortal: " in result.stdout
