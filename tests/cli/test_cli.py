"""The commands as a shell sees them: exit codes, what is on stdout and stderr, and their JSON (design 7).

They run against the sandbox over real HTTP, with the configuration that the sandbox itself writes.
"""

from __future__ import annotations

import fcntl
import json
import logging
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from sheetsync import columns
from sheetsync.cli.main import cli
from sheetsync.sandbox import sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from sheetsync.sync import run as reconcile

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Desk:
    """The sandbox with its sample tracker, and a folder with a configuration for it."""

    world: World
    book: Spreadsheet
    config: Path
    server: Server

    def run(self, *arguments: str, options: tuple[str, ...] = ()) -> Result:
        """The command. Tests have no traceback to look at: there must be none."""
        result = CliRunner().invoke(cli, ["-c", str(self.config), *options, *arguments])
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def cell(self, line: int, header: str) -> Any:
        """A cell of a sample line."""
        return self.book.sheet(sample.TAB).value(line + 1, (*sample.PERSON, *sample.MACHINE).index(header))

    def edit(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A sandbox in real time on a free port."""
    monkeypatch.delenv("TOKPORTAL_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    world = World(real_time=True)
    book = sample.fill(world)
    level, handlers = logging.getLogger("sheetsync").level, logging.getLogger().handlers[:]
    with Server(world) as server:
        server.write_service_account(tmp_path / "service-account.json")
        yield Desk(world, book, sample.write_config(tmp_path, server.url, book, world.portal.key), server)
    # the command sets up logging for a process of its own
    logging.getLogger("sheetsync").setLevel(level)
    logging.getLogger().handlers[:] = handlers


# --- what the commands do -------------------------------------------------------------------------------------


def test_plan_orders_nothing(desk: Desk) -> None:
    """It prints each step with its price and each row that waits with its reason, and changes nothing."""
    before = desk.book.sheet(sample.TAB).table()
    result = desk.run("plan")
    assert (result.exit_code, result.stderr) == (0, "")
    video = sample.video_of(desk.book, 0)
    assert re.search(rf"^  order +row 2 +{video} +7 credits$", result.stdout, re.MULTILINE)
    assert re.search(r"^  hold +row 9 .*Action must be one of", result.stdout, re.MULTILINE)
    assert "4 orders, 28 credits; balance 1233 -> 1205" in result.stdout
    assert result.stdout.endswith("Nothing was ordered or written; `sheetsync sync` carries this out.\n")
    assert desk.book.sheet(sample.TAB).table() == before
    assert desk.world.portal.credits == 1233


def test_plan_as_json(desk: Desk) -> None:
    """The same as one document: steps, holds and their price."""
    document = json.loads(desk.run("plan", "--json").stdout)
    (tracker,) = document["trackers"]
    steps = [(step["step"], step["row"], step["credits"]) for step in tracker["steps"]]
    assert document["exit_code"] == 0
    assert steps == [("order", 2, 7), ("order", 3, 7), ("order", 6, 7), ("adopt", 8, 0), ("order", 11, 7)]
    assert (tracker["credits"], tracker["credits_left"]) == (28, 1233)
    assert [hold["row"] for hold in tracker["holds"]] == [5, 9]


@pytest.mark.parametrize("synced", [False, True])
def test_looking_leaves_no_trace(desk: Desk, synced: bool) -> None:
    """`plan`, `status` and `history` change no byte in the folder and make no file there, before a first sync or after.

    Nor do they wait for a sync: they take no lock.
    """
    folder, video = desk.config.parent, sample.video_of(desk.book, 0)
    if synced:
        desk.run("sync")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert ("state.db" in before) is synced
    codes = [desk.run(*words).exit_code for words in (("plan",), ("status",), ("history", video))]
    assert codes == [0, 0, 0 if synced else 1]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    if synced:
        with held(folder / "state.db.sample.lock"):
            assert desk.run("plan").exit_code == 0


SYNC_KEYS = ["run_id", "started_at", "finished_at", "trackers", "exit_code"]
TRACKER_KEYS = {
    "name", "rows", "ordered", "renewed", "adopted", "corrected", "polled", "codes_received", "cells_written",
    "renewal_needed", "expired", "holds", "uncertain", "deferred", "credits_charged", "credits_left", "calls", "error",
}  # fmt: skip


def test_sync_as_json(desk: Desk) -> None:
    """The document has the keys of design 7, `warnings` besides; its figures are those of the run."""
    result = desk.run("sync", "--json")
    document = json.loads(result.stdout)
    (tracker,) = document["trackers"]
    assert list(document) == SYNC_KEYS
    assert set(tracker) - {"warnings"} == TRACKER_KEYS
    assert set(tracker["calls"]) == {"sheets_read", "sheets_write", "tokportal"}
    assert [set(hold) for hold in tracker["holds"]] == [{"video_id", "row", "reason"}] * 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["started_at"])
    assert (tracker["rows"], tracker["ordered"], tracker["adopted"]) == (12, 4, 1)
    assert (tracker["credits_charged"], tracker["credits_left"], tracker["error"]) == (28, 1205, None)
    assert (document["exit_code"], result.exit_code) == (0, 0)


def test_sync_then_again_then_status(desk: Desk) -> None:
    """The first orders and writes, the second has nothing to do, and `status` tells it without asking anybody."""
    first = desk.run("sync")
    assert "4 ordered, 1 taken over, 28 credits charged, 1205 left" in first.stdout
    assert desk.cell(0, "Status") == "pending"
    second = desk.run("sync")
    assert second.stdout.startswith("tracker sample: 12 rows, 7 videos looked at: nothing to do")
    calls = len(desk.world.calls)
    status = desk.run("status")
    assert "1205 credits at " in status.stdout
    assert "tracker sample: last run " in status.stdout
    assert "6 videos: 1 finalized, 5 pending" in status.stdout
    (tracker,) = json.loads(desk.run("status", "--json").stdout)["trackers"]
    assert (tracker["credits_left"], len(tracker["videos"]), tracker["last_run"]["exit_code"]) == (1205, 6, 0)
    assert len(desk.world.calls) == calls


def test_one_video_alone(desk: Desk) -> None:
    """`--video` narrows a run to the rows that are named."""
    video = sample.video_of(desk.book, 1)
    (tracker,) = json.loads(desk.run("sync", "--json", "--video", video).stdout)["trackers"]
    assert (tracker["ordered"], tracker["holds"]) == (1, [])
    assert (desk.cell(1, "Status"), desk.cell(0, "Status")) == ("pending", None)


def test_doctor_finds_all_well(desk: Desk) -> None:
    """Each line says ok, or what to do; remarks do not make it fail; nothing is changed."""
    before = desk.book.sheet(sample.TAB).table()
    result = desk.run("doctor")
    assert result.exit_code == 0
    assert {line[:4] for line in result.stdout.splitlines() if not line.startswith(" ")} <= {"ok  ", "note"}
    assert "ok    TokPortal: the API key works; 1233 credits, enough for 176 codes" in result.stdout
    assert desk.book.sheet(sample.TAB).table() == before


def test_doctor_finds_a_sheet_that_is_not_shared(desk: Desk) -> None:
    """What fails is told with the way out, the rest is checked all the same."""
    desk.book.shared_with.clear()
    result = desk.run("doctor")
    assert result.exit_code == 1
    assert "FAIL  sheet 'sample': " in result.stdout
    assert "ok    TokPortal: " in result.stdout


def test_a_tracker_that_is_not_configured(desk: Desk) -> None:
    """The trackers that there are are named."""
    for command in ("plan", "sync", "status"):
        result = desk.run(command, "--tracker", "other")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "There is no tracker 'other'. The configuration has: sample." in result.stderr


# --- exit codes -----------------------------------------------------------------------------------------------


def test_exit_1_when_tokportal_does_not_answer(desk: Desk) -> None:
    """Incomplete: the next run goes on."""
    desk.world.faults.add("portal.order", fault="lost_before")
    result = desk.run("sync")
    assert result.exit_code == 1
    assert "An order was sent and its answer was lost" in result.stdout


def test_exit_2_when_a_header_is_missing(desk: Desk) -> None:
    """The header is named, with the command that adds it; nothing is ordered."""
    desk.book.sheet(sample.TAB).set_value(0, (*sample.PERSON, *sample.MACHINE).index("Stage"), "Phase")
    result = desk.run("sync")
    assert result.exit_code == 2
    assert "missing: 'Stage'. Run `sheetsync init`" in result.stdout
    assert desk.world.portal.credits == 1233


def test_exit_2_when_the_configuration_is_wrong(desk: Desk) -> None:
    """File, line and what is expected, on stderr."""
    desk.edit("worksheet:", "worksheets:")
    result = desk.run("sync", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{desk.config}:12: trackers[0].worksheets" in result.stderr


def test_exit_3_when_a_plan_is_too_big(desk: Desk) -> None:
    """Nothing is spent; the message says the command that allows it, and that command does."""
    desk.edit("    worksheet:", "    max_orders_per_run: 3\n    worksheet:")
    result = desk.run("sync")
    assert result.exit_code == 3
    assert desk.world.portal.credits == 1233
    (allowing,) = re.findall(r"If they are meant: sheetsync (sync --allow-orders 4)", result.stdout)
    assert desk.run(*allowing.split()).exit_code == 0
    assert desk.world.portal.credits == 1205


def test_exit_4_when_another_run_is_at_work(desk: Desk) -> None:
    """The other is left alone: no call is made."""
    desk.run("plan")
    calls = len(desk.world.calls)
    with held(desk.config.parent / "state.db.sample.lock"):
        result = desk.run("sync")
    assert result.exit_code == 4
    assert "Tracker 'sample' is being synced by another run" in result.stdout
    assert len(desk.world.calls) == calls


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The lock file as another process holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("close", ["the sheet is not shared", "the API key is revoked"])
def test_exit_5_when_we_are_not_let_in(desk: Desk, close: str) -> None:
    """Credentials or permission, at Google or TokPortal: somebody has to mend it, nothing is spent."""
    if close == "the sheet is not shared":
        desk.book.shared_with.clear()
    else:
        desk.world.portal.keys[desk.world.portal.key].revoked = True
    result = desk.run("sync")
    assert result.exit_code == 5
    assert desk.world.portal.credits == 1233


# --- stdout, stderr, and what nobody should see ---------------------------------------------------------------


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


def test_an_unexpected_error_shows_no_traceback(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do, with exit code 1; with -v, the error goes up for whoever looks for it."""
    monkeypatch.setattr(reconcile, "make_plan", explode)
    result = desk.run("sync")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Something unexpected happened: RuntimeError" in result.stderr
    assert "Run the command with -v" in result.stderr
    assert "sk_123" not in result.stderr
    with pytest.raises(RuntimeError):
        CliRunner().invoke(cli, ["-v", "-c", str(desk.config), "sync"], catch_exceptions=False)


# --- what is written elsewhere about the commands -------------------------------------------------------------


def commands_in_readme() -> list[str]:
    """The names in the README's table of commands."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Commands\n")[1].split("\n## ")[0]
    return [row.split()[0] for row in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)]


def test_the_readme_has_every_command() -> None:
    """And no other."""
    assert sorted(commands_in_readme()) == sorted(cli.commands)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_each_command_has_help(name: str) -> None:
    """What it does, and every option of it."""
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert cli.commands[name].help
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in result.stdout
            assert parameter.help


def test_the_samples_headers_are_the_columns() -> None:
    """The sandbox knows nothing of the package, so it types the headers out: all of the machine's, some of people's."""
    owners = {column.header: column.owner for column in columns.COLUMNS}
    machine = [header for header, owner in owners.items() if owner is columns.Owner.MACHINE]
    assert sorted(sample.MACHINE) == sorted(machine)
    assert {owners[header] for header in sample.PERSON} == {columns.Owner.PERSON}


def test_the_command_of_the_crontab(desk: Desk) -> None:
    """Its line, with the settings of the sandbox, is a run; the exit codes that need nobody print nothing."""
    (line,) = re.findall(r"^\*/5 \* \* \* \* (.*)$", (ROOT / "cron/sheetsync.cron").read_text("utf-8"), re.MULTILINE)
    assert "%" not in line  # cron makes a new line of it
    program, *arguments = shlex.split(line.split(">>")[0])
    assert program.endswith("/bin/sheetsync")
    assert arguments.count("/etc/sheetsync/sheetsync.yaml") == 1
    settings = {"/etc/sheetsync/sheetsync.yaml": str(desk.config)}
    result = CliRunner().invoke(cli, [settings.get(argument, argument) for argument in arguments])
    assert result.exit_code == 0
    assert "4 ordered" in result.stdout
    assert all(json.loads(entry) for entry in result.stderr.splitlines())
    assert "case $code in 0|1|4) ;;" in line
