"""`sheetsync doctor --live` as a shell calls it: question, table, exit code, what it saves, that it costs nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.command_line import Desk
from support.profile import cases

from sheetsync.live.scratch import TITLES
from sheetsync.sandbox import sample
from sheetsync.sandbox.world import Call


def google(desk: Desk) -> list[Call]:
    return [call for call in desk.world.calls if not call.kind.startswith("portal.")]


def differing(text: str) -> list[str]:
    """The lines of the table that say that something is different."""
    return [line for line in text.splitlines() if line.startswith(("  DIFFERENT", "  differs", "  -  "))]


def test_all_as_expected(desk: Desk) -> None:
    """Few calls, little time, nothing spent, and the spreadsheet has the tabs and cells that it had."""
    before, started = desk.book.sheet(sample.TAB).state()[:-2], time.monotonic()
    result = desk.run("doctor", "--live", "--yes", "--live-correct")
    assert result.exit_code == 0
    assert "All 44 as expected." in result.stdout
    assert "All 5 as expected." in result.stdout
    assert not differing(result.stdout)
    assert time.monotonic() - started < 20
    assert len(google(desk)) <= 15
    assert [call.kind for call in desk.world.calls if call.kind.startswith("portal.")] == [
        "portal.balance", "portal.poll", "portal.correct", "portal.correct"
    ]  # fmt: skip
    assert desk.book.sheet(sample.TAB).state()[:-2] == before
    assert [sheet.title for sheet in desk.book.sheets] == [sample.TAB]


def test_a_known_video_is_asked_about(desk: Desk) -> None:
    """Once an order has been made there is an answer to read; still nothing is ordered or pretended."""
    desk.run("sync")
    before, first = desk.world.portal.dump()["requests"], len(desk.world.calls)
    assert desk.run("doctor", "--live", "--yes").exit_code == 0
    assert [call.kind for call in desk.world.calls[first:]].count("portal.poll") == 2
    assert not {"portal.order", "portal.correct"} & {call.kind for call in desk.world.calls[first:]}
    assert desk.world.portal.dump()["requests"] == before


def test_a_difference_that_safety_rests_on(desk: Desk) -> None:
    """Exit code 1; what it means, and what to do, stands below the table."""
    desk.world.google.set_quirks(["find_ignores_case"])
    result = desk.run("doctor", "--live", "--yes")
    assert result.exit_code == 1
    assert len(differing(result.stdout)) == 1
    assert 'DIFFERENT  a mark in other letters         text "Mark-2"' in result.stdout
    assert (
        "a mark in other letters: empty\n  sheetsync empties a served Action cell by this call alone. Do not run sync"
        in result.stdout
    )
    assert "1 of 44 not as expected." in result.stdout


def test_a_difference_that_nothing_rests_on(desk: Desk) -> None:
    """It is told, and is no failure."""
    desk.world.google.set_quirks(["table_takes_formats"])
    result = desk.run("doctor", "--live", "--yes")
    assert result.exit_code == 0
    assert "differs  a date format in a table" in result.stdout


@pytest.mark.parametrize(
    ("switch", "value", "probe", "code"),
    [
        ("balance_shape", "neither", "DIFFERENT  the credit balance ", 1),
        ("poll_unknown_video", "null", "differs  a video id that is nobody's ", 0),
        ("error_names", "missing", "", 0),
        *(("patch_route", way, "differs  corrections with an API key ", 0) for way in (404, 405, "html", "page", 302)),
    ],
)
def test_what_differs_at_tokportal(desk: Desk, switch: str, value: str | int, probe: str, code: int) -> None:
    """Each has its own line; a route that takes no keys turns ours away as it does a stranger's."""
    desk.world.portal.switches.set({switch: value})
    result = desk.run("doctor", "--live", "--yes", "--live-correct")
    assert result.exit_code == code
    assert len(differing(result.stdout)) == bool(probe)
    assert probe in result.stdout


def test_a_clock_that_is_wrong(desk: Desk) -> None:
    """Both services tell the time: this machine's is ten minutes behind theirs."""
    desk.world.clock.advance(timedelta(minutes=10))
    result = desk.run("doctor", "--live", "--yes")
    assert result.exit_code == 1
    assert [line.split()[1] for line in differing(result.stdout)] == ["Google's", "TokPortal's"]
    assert "Set this machine's clock" in result.stdout


def test_what_is_saved_may_be_shown(desk: Desk, tmp_path: Path) -> None:
    """Everything that went to and fro, without keys, tokens, ids, mail addresses, codes, or the names of tabs."""
    desk.run("sync")
    desk.world.portal.manager_work()
    desk.run("sync")
    desk.book.sheet(sample.TAB).title = "Secret launch"
    desk.edit(f"worksheet: {sample.TAB}", "worksheet: Secret launch")
    saved = tmp_path / "live.json"
    result = desk.run("doctor", "--live", "--yes", "--live-correct", "--save", str(saved))
    assert result.exit_code == 0
    text = saved.read_text(encoding="utf-8")
    held = json.loads(text)
    assert len(held["findings"]) == 49
    assert {each["service"] for each in held["exchanges"]} == {"google", "tokportal"}
    account = json.loads((tmp_path / "service-account.json").read_text())
    portal = desk.world.portal
    videos = [request.video_id for request in portal.requests]
    codes = [code for request in portal.requests if (code := request.code)]
    secrets = [portal.key, desk.book.id, account["client_email"], "Bearer", "Secret launch", *videos, *codes]
    assert videos
    assert [secret for secret in secrets if secret in text] == []


def test_what_fails_is_saved_as_well(desk: Desk, tmp_path: Path) -> None:
    """A first run that Google refuses is the evidence that is wanted most."""
    desk.book.shared_with.clear()
    saved = tmp_path / "live.json"
    result = desk.run("doctor", "--live", "--yes", "--save", str(saved))
    assert result.exit_code == 5
    assert [each["status"] for each in json.loads(saved.read_text())["exchanges"]] == [403]
    assert "@" not in saved.read_text()


def test_the_number_of_a_project_is_not_saved(desk: Desk, tmp_path: Path) -> None:
    """Google names it where the API is not enabled: in a text, in an address, in the details."""
    desk.world.google.refuses = "api_disabled"
    saved = tmp_path / "live.json"
    assert desk.run("doctor", "--live", "--yes", "--save", str(saved)).exit_code == 5
    assert "SERVICE_DISABLED" in saved.read_text()
    assert "123456789012" not in saved.read_text()


def test_a_file_that_cannot_be_written(desk: Desk, tmp_path: Path) -> None:
    """It is told, with its name; what was found stands above it."""
    result = desk.run("doctor", "--live", "--yes", "--save", str(tmp_path / "no" / "live.json"))
    assert result.exit_code == 2
    assert "All 44 as expected." in result.stdout
    assert "live.json: cannot be written: No such file or directory" in result.stderr


def test_shared_for_viewing_alone(desk: Desk) -> None:
    """Nothing could be made, so there is nothing to remove: the way out is the usual one."""
    desk.book.viewers.update(desk.book.shared_with)
    desk.book.shared_with.clear()
    result = desk.run("doctor", "--live", "--yes")
    assert result.exit_code == 5
    assert "Share the sheet with" in result.stderr


def test_nobody_is_there_to_answer(desk: Desk) -> None:
    """Not on a terminal it does not start by itself."""
    result = desk.run("doctor", "--live")
    assert result.exit_code == 2
    assert "--live asks before it starts, and here is nobody to answer: add --yes." in result.stderr
    assert desk.world.calls == []


@pytest.mark.parametrize("option", [["--yes"], ["--save", "x.json"], ["--live-correct"]])
def test_options_that_go_with_live(desk: Desk, option: list[str]) -> None:
    """Alone they would promise what plain doctor does not do."""
    result = desk.run("doctor", *option)
    assert result.exit_code == 2
    assert "--yes, --save and --live-correct go with --live." in result.stderr
    assert not Path("x.json").exists()


@pytest.mark.parametrize(("answer", "code"), cases([("n", 1), ("y", 0)], [("y", 0)]))
def test_it_asks_on_a_terminal(desk: Desk, answer: str, code: int) -> None:
    """What it is about to do is told; no is no."""
    mine, theirs = pty.openpty()
    os.write(mine, f"{answer}\n".encode())
    command = [sys.executable, "-m", "sheetsync", "-c", str(desk.config), "doctor", "--live"]
    ended = subprocess.run(command, stdin=theirs, capture_output=True, text=True, timeout=60, check=False)
    os.close(mine)
    os.close(theirs)
    assert ended.returncode == code
    assert "No other tab is touched, and nothing is ordered. Go on? [y/N]:" in ended.stdout
    assert bool(google(desk)) == (answer == "y")


def test_tabs_that_could_not_be_removed(desk: Desk) -> None:
    """It is told; plain doctor reminds of them; the next check removes them."""
    desk.world.faults.add("sheets.batchUpdate", nth=9, fault="503", times=1)
    result = desk.run("doctor", "--live", "--yes")
    assert result.exit_code == 0
    assert "The scratch tabs are still there; the next `sheetsync doctor --live` removes them: " in result.stderr
    assert [sheet.title for sheet in desk.book.sheets] == [sample.TAB, *TITLES]
    assert "note  sheet 'sample': a live check left scratch tabs" in desk.run("doctor").stdout
    assert desk.run("doctor", "--live", "--yes").exit_code == 0
    assert [sheet.title for sheet in desk.book.sheets] == [sample.TAB]


def test_two_trackers_of_one_spreadsheet(desk: Desk) -> None:
    """It is the spreadsheet that is tried: once."""
    text = desk.config.read_text(encoding="utf-8")
    other = text[text.index("  - name: sample") :].replace("sample", "other", 1)
    desk.config.write_text(text + other.replace(sample.TAB, "Other"), encoding="utf-8")
    result = desk.run("doctor", "--live", "--yes")
    assert result.stdout.count("Google Sheets, spreadsheet of tracker") == 1
