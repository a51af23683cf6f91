"""The log as JSON: whatever happens, each line is one object that says when, in which run and for which tracker."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import Result
from support.command_line import Desk

from sheetsync.cli.options import Selection

AS_JSON = ("--log-format", "json")


def lines_of(result: Result) -> list[dict[str, Any]]:
    """Both streams as they reach a log file that takes both."""
    return [json.loads(line) for line in result.output.splitlines()]


def test_each_line_tells_its_run_and_tracker(desk: Desk) -> None:
    """Also those of the threads that poll, and of calls; the last one sums up the run."""
    lines = lines_of(desk.run("sync", options=("-v", *AS_JSON)))
    assert len({line["run_id"] for line in lines}) == 1
    assert {line["tracker"] for line in lines} == {"sample"}
    assert sum("GET /api/ext/videos" in line["message"] for line in lines) > 3
    last = lines[-1]
    assert (last["message"], last["level"], last["exit_code"]) == ("run ended with exit code 0", "info", 0)
    assert (last["ordered"], last["credits_charged"], last["holds"]) == (4, 28, 2)


@pytest.mark.parametrize(
    ("fault", "code", "level"), [("401", 5, "error"), pytest.param("503", 1, "warning", marks=pytest.mark.long)]
)
def test_a_run_that_failed_says_why(desk: Desk, fault: str, code: int, level: str) -> None:
    """In its last line, with its exit code; what needs nobody is a warning."""
    desk.world.faults.add("portal", fault=fault, times=1000)
    result = desk.run("sync", options=AS_JSON)
    last = lines_of(result)[-1]
    assert (result.exit_code, last["exit_code"], last["level"]) == (code, code, level)
    assert last["message"].startswith(f"run ended with exit code {code}: ")
    assert "TokPortal" in last["message"]


def test_a_document_beside_it_is_one_line(desk: Desk) -> None:
    """So that both may go to one file."""
    *_, document = lines_of(desk.run("status", "--json", options=AS_JSON))
    assert document["trackers"][0]["name"] == "sample"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((*AS_JSON, "--no-such-option"), ("sync",)),
        (("--log-format=json", "--no-such-option"), ("sync",)),
        (AS_JSON, ("synk",)),
        (AS_JSON, ("sync", "--no-such-option")),
        (AS_JSON, ("sync", "--tracker", "nobody")),
        (AS_JSON, ()),
    ],
)
def test_usage_errors(desk: Desk, options: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Wherever on the command line the mistake is."""
    result = desk.run(*words, options=options)
    (line,) = lines_of(result)
    assert (result.exit_code, line["exit_code"], line["level"]) == (2, 2, "error")


def test_usage_errors_for_people(desk: Desk) -> None:
    """As everywhere else, with a hint."""
    result = desk.run("sync", "--no-such-option")
    assert result.exit_code == 2
    assert "Try 'cli sync --help' for help." in result.stderr


def test_a_configuration_that_cannot_be_used(desk: Desk) -> None:
    """All its problems, in one line."""
    desk.edit("worksheet:", "worksheets:")
    (line,) = lines_of(desk.run("sync", options=AS_JSON))
    assert (line["exit_code"], line["run_id"], line["tracker"]) == (2, None, None)
    assert "is not a known key" in line["message"]


def test_an_unexpected_error(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its advice, and nothing of what it said."""

    def explode(_: object) -> None:
        raise RuntimeError("the secret sk_123")

    monkeypatch.setattr(Selection, "load", explode)
    (line,) = lines_of(desk.run("sync", options=AS_JSON))
    assert line["message"].startswith("Something unexpected happened: RuntimeError")
    assert "sk_123" not in str(line)


TROUBLE = """
import threading, warnings
from sheetsync.cli import logs
logs.catch_the_rest()
{start}
warnings.warn("an old library", FutureWarning)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
class Broken:
    def __del__(self):
        raise ValueError
Broken()
[][0]
"""


def stderr_of(start: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", TROUBLE.format(start=start)], capture_output=True, text=True)
    return done.returncode, done.stderr


def test_what_python_itself_would_write() -> None:
    """Warnings, and errors of threads, destructors and of the program, each a line; the exit code is as ever."""
    code, errors = stderr_of('logs.start(False, "json")')
    lines = [json.loads(line) for line in errors.splitlines()]
    assert code == 1
    assert [line["level"] for line in lines] == ["warning", "critical", "critical", "critical"]
    assert "FutureWarning: an old library" in lines[0]["message"]
    assert [line["message"] for line in lines[1:]] == ["ZeroDivisionError", "ValueError", "IndexError"]
    assert all("Traceback" in line["traceback"] for line in lines[1:])


def test_what_python_writes_for_people() -> None:
    """As it always does."""
    code, errors = stderr_of('logs.start(False, "text")')
    assert code == 1
    assert errors.count("Traceback (most recent call last)") == 3
