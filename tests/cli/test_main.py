"""What all commands share: stdout and stderr, errors nobody thought of, help, and what is written about them."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.command_line import Desk

from sheetsync import columns
from sheetsync.cli.main import COMMANDS, cli, command
from sheetsync.cli.options import Selection
from sheetsync.errors import Unavailable
from sheetsync.ledger.recorder import Recorder
from sheetsync.sandbox import sample
from sheetsync.sync import run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_results_on_stdout_and_log_on_stderr(desk: Desk, log_format: str) -> None:
    """With -v the log tells every call, beside the document; neither keys nor codes are in it."""
    result = desk.run("sync", "--json", options=("-v", "--log-format", log_format))
    assert json.loads(result.stdout)["exit_code"] == 0
    lines = result.stderr.splitlines()
    assert any("ordered, 7 credits" in line for line in lines)
    if log_format == "json":
        assert all({"at", "level", "logger", "message"} <= set(json.loads(line)) for line in lines)
    codes = [request.code for request in desk.world.portal.requests if request.code]
    assert codes
    assert not any(secret in result.stderr for secret in (desk.world.portal.key, *codes))


def explode(*_: object, **__: object) -> None:
    """Something nobody thought of."""
    raise RuntimeError("the secret sk_123")


def explode_with(error: Exception) -> None:
    """Something the machine does."""
    raise error


def test_an_unexpected_error_shows_no_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a run it is that tracker's: it says what to do, with exit code 1; -v tells where it happened."""
    monkeypatch.setattr(run, "make_plan", explode)
    result = desk.run("sync")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "Something unexpected happened: RuntimeError" in result.stdout
    assert "Run the command with -v" in result.stdout
    verbose = CliRunner().invoke(cli, ["-v", "-c", str(desk.config), "sync"], catch_exceptions=False)
    assert "in explode" in verbose.stderr
    assert "sk_123" not in result.output + verbose.output


def test_an_unexpected_error_outside_a_run_shows_no_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same advice on stderr; with -v, the error goes up for whoever looks for it."""
    monkeypatch.setattr(Selection, "load", explode)
    result = desk.run("sync")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Something unexpected happened: RuntimeError" in result.stderr
    assert "sk_123" not in result.stderr
    with pytest.raises(RuntimeError):
        CliRunner().invoke(cli, ["-v", "-c", str(desk.config), "sync"], catch_exceptions=False)


def test_the_output_goes_to_a_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own words say what is to be done."""
    full = OSError(errno.ENOSPC, "the secret sk_123", "/dev/full")
    monkeypatch.setattr(click, "echo", lambda text="", **to: explode_with(full) if not to.get("err") else None)
    result = desk.run("status")
    assert (result.exit_code, "OSError (No space left on device)" in result.stderr) == (1, True)
    assert "sk_123" not in result.stderr


def test_what_was_charged_is_told_though_recording_the_run_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that fails at the very end: orders were sent, and nobody reads that nothing was done."""

    def full(*_: object) -> None:
        raise Unavailable("state.db: the disk is full")

    monkeypatch.setattr(Recorder, "record_run", full)
    result = desk.run("sync")
    assert result.exit_code == 1
    assert "credits charged" in result.stdout
    assert "the disk is full" in result.stdout


def commands_in_readme() -> list[str]:
    """The names in the first column of the README's table of commands, several of them in one row."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Commands\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    return [words.split()[0] for row in rows for words in re.findall(r"`([^`]+)`", row)]


def test_the_readme_has_every_command() -> None:
    """And no other."""
    assert sorted(commands_in_readme()) == sorted(cli.commands)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_each_command_has_help(name: str) -> None:
    """What it does, and every option of it."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert command(name).help
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in result.stdout
            assert parameter.help


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_own_help_says(name: str) -> None:
    """It is printed without importing them; whatever the width, it is their own first sentence."""
    for width in (30, 60, 1000):
        assert cli.commands[name].get_short_help_str(width) == command(name).get_short_help_str(width)
    assert COMMANDS[name] == command(name).get_short_help_str(1000)


def test_the_samples_headers_are_the_columns() -> None:
    """The sandbox knows nothing of the package, so it types the headers out: all that it needs, some of people's."""
    owners = {column.header: column.owner for column in columns.COLUMNS}
    machine = [columns.BY_KEY[key].header for key in columns.MACHINE_KEYS]
    assert sorted(sample.MACHINE) == sorted(machine)
    assert {owners[header] for header in sample.PERSON} == {columns.Owner.PERSON}
