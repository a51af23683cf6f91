"""The commands with a ledger on a real PostgreSQL server: moved there, looked at, synced, and copied back."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import postgres
from support.command_line import Desk

from sheetsync.sandbox import sample

PASSWORD = "geheim"


@pytest.fixture
def url() -> str:
    postgres.or_skip()
    return postgres.fresh().url.replace("sheetsync@", f"sheetsync:{PASSWORD}@")


def keep_state_at(desk: Desk, url: str) -> None:
    lines = desk.config.read_text().splitlines()
    desk.config.write_text("\n".join([*(line for line in lines if not line.startswith("state:")), f"state: {url}", ""]))


def test_moved_to_a_server_and_back(desk: Desk, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is ordered or written anew for the move; every command works there, and none shows the password."""
    assert desk.run("sync").exit_code == 0
    before, credits = desk.book.sheet(sample.TAB).table(), desk.world.portal.credits
    status = desk.run("status").stdout
    results = [desk.run("ledger", "copy", str(desk.config.parent / "state.db"), url)]
    assert results[0].exit_code == 0, results[0].output
    assert "Both say the same" in results[0].stdout
    keep_state_at(desk, url)
    monkeypatch.setenv("LEDGER", url)

    for command in ("plan", "status", "doctor", "sync", "ledger check", "ledger export"):
        result = desk.run(*command.split())
        assert result.exit_code in ((0, 1) if command == "doctor" else (0,)), (command, result.output)
        assert not any("FAIL" in line and "ledger" in line for line in result.output.splitlines())
        results.append(result)
    assert results[2].stdout == status

    assert (desk.book.sheet(sample.TAB).table(), desk.world.portal.credits) == (before, credits)
    refused = desk.run("ledger", "backup", str(tmp_path / "copy.db"))
    assert refused.exit_code == 2
    assert "ledger copy" in refused.output
    again = desk.run("ledger", "rebuild")
    assert again.exit_code == 3
    back = desk.run("ledger", "copy", "${LEDGER}", str(tmp_path / "back.db"))
    assert back.exit_code == 0
    unknown = desk.run("ledger", "copy", "${LEDGERS}", str(tmp_path / "again.db"))
    assert unknown.exit_code == 2
    assert "the environment variable LEDGERS is not set" in unknown.output
    assert not any(PASSWORD in each.output for each in (*results, refused, again, back))


def test_server_is_gone(desk: Desk) -> None:
    """A run without its ledger orders nothing and says why, without the password."""
    keep_state_at(desk, f"postgresql://me:{PASSWORD}@127.0.0.1:1/codes")
    credits = desk.world.portal.credits

    for command in ("sync", "status", "doctor", "plan"):
        result = desk.run(command)
        assert result.exit_code == 1
        assert "without it no order is sent" in result.output
        assert PASSWORD not in result.output
    assert desk.world.portal.credits == credits


def test_a_worker_whose_server_is_away(desk: Desk) -> None:
    """It ends, as its help says, with 1: what runs it starts it again."""
    keep_state_at(desk, "postgresql://sheetsync@127.0.0.1:1/sheetsync")
    result = desk.run("worker")
    assert result.exit_code == 1
    assert "does the server run?" in result.stderr
    told = "Exit code: 0 stopped, 1 the ledger's server did not answer at the start, 2 configuration."
    assert told in " ".join(desk.run("worker", "--help").stdout.split())
