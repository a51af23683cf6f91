"""`sheetsync doctor`: each line says ok, or what to do."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest
from support.command_line import Desk, call, share
from support.init_bench import InitBench, words

from sheetsync.cli.doctor import checks
from sheetsync.cli.options import Selection
from sheetsync.columns import header_of
from sheetsync.sandbox import sample


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
    assert result.exit_code == 5
    assert "FAIL  sheet 'sample': " in result.stdout
    assert "ok    TokPortal: " in result.stdout


def test_doctor_finds_a_sheet_that_is_shared_for_viewing_alone(desk: Desk) -> None:
    """Reading goes well, and so would every check of what was read: only a write tells."""
    desk.book.viewers.update(desk.book.shared_with)
    desk.book.shared_with.clear()
    result = desk.run("doctor")
    assert result.exit_code == 5
    assert re.search(
        r"^FAIL  sheet 'sample' editing: Google denies access \(The caller does not have permission\)\. "
        r"Share the sheet with \S+ as Editor",
        result.stdout,
        re.MULTILINE,
    )
    assert "ok    sheet 'sample' headers: " in result.stdout


def test_doctor_tries_a_write_that_changes_nothing(desk: Desk) -> None:
    """One call, of the kind that sync makes; not a cell, a note or a format is another one after it."""
    before = desk.book.sheet(sample.TAB).state()[:-2]
    assert "ok    sheet 'sample' editing: a write that changes nothing went through" in desk.run("doctor").stdout
    assert [call.kind for call in desk.world.calls].count("sheets.batchUpdate") == 1
    assert desk.book.sheet(sample.TAB).state()[:-2] == before


def test_doctor_tells_a_write_that_does_not_show_where_it_landed(desk: Desk) -> None:
    """What sync rests on: the headers in the answer of the very call that writes."""

    def renamed(_: object) -> None:
        desk.book.sheet(sample.TAB).set_value(0, 0, "Clip")

    desk.world.faults.edit("sheets.batchUpdate", do=renamed)
    assert (
        "FAIL  sheet 'sample' editing: the answer to a write does not show the header row" in desk.run("doctor").stdout
    )


def test_a_tracker_that_is_not_configured(desk: Desk) -> None:
    """A misspelt name is no reason to look at no sheet, and say that all is well."""
    result = desk.run("doctor", "--tracker", "smaple")
    assert result.exit_code == 2
    assert "There is no tracker 'smaple'. The configuration has: sample." in result.stderr


def test_doctor_names_a_gate_that_the_sheet_lacks(desk: Desk) -> None:
    """A name that is no column anywhere is a column of the team's own to the configuration: the sheet tells."""
    desk.edit("    worksheet:", "    require: [clinet, Client]\n    worksheet:")
    result = desk.run("doctor")
    assert result.exit_code == 2
    assert "gates: Tab 'Tracker' has no column 'clinet', which orders rest on" in result.stdout


def test_doctor_counts_codes_at_their_price(desk: Desk) -> None:
    """A price that was accepted counts; one that waits to be accepted is told."""
    desk.world.portal.price = 9
    desk.run("sync")
    assert "note  TokPortal: TokPortal took the order of video " in desk.run("doctor").stdout
    desk.run("sync", "--accept-price", "9")
    left = desk.world.portal.credits
    result = desk.run("doctor")
    assert f"{left} credits, enough for {left // 9} codes" in result.stdout
    assert "--accept-price" not in result.stdout


@pytest.mark.parametrize("begin", [0, 2 * 4096])
def test_a_ledger_that_is_damaged(desk: Desk, begin: int) -> None:
    """At its head or within: it fails, with what to do; and whatever else there is is checked."""
    desk.run("sync")
    state = desk.config.parent / "state.db"
    held = bytearray(state.read_bytes())
    held[begin : begin + 2000] = b"x" * 2000
    state.write_bytes(held)
    result = desk.run("doctor")
    assert result.exit_code == 2
    assert "ok    TokPortal: " in result.stdout
    assert re.search(r"^FAIL  ledger: .*state\.db", result.stdout, re.MULTILINE)
    assert re.search(r"move it away|name a file of sheetsync's own", result.stdout)


def test_a_disk_that_is_full(desk: Desk) -> None:
    """The next run could not keep what it does: told before it, with the disk's own word."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        result = desk.run("doctor")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result.exit_code == 2
    assert f"FAIL  ledger: the folder {desk.config.parent} cannot be written (File too large): " in result.stdout


@pytest.mark.parametrize("name", [".env", "state.db", "service-account.json"])
def test_files_that_others_can_read(desk: Desk, name: str) -> None:
    """Keys and codes are for their owner."""
    desk.run("sync")
    path = desk.config.parent / name
    path.chmod(0o644)
    assert f": {path} can be read by other users of this machine: chmod 600 {path}" in desk.run("doctor").stdout
    path.chmod(0o600)
    assert f"chmod 600 {path}" not in desk.run("doctor").stdout


def doctors_lines(config: Path) -> list[str]:
    return [check.line() for check in checks(Selection(config))]


def test_doctor_says_what_init_would_add(config: Path, empty: InitBench) -> None:
    share(config, empty)
    for column, header in enumerate(("Video ID", "Action")):
        empty.sheet.set_value(0, column, header)
    lines = doctors_lines(config)

    (note,) = [line for line in lines if "`sheetsync init` would add" in line]
    added = r"\d+ things to tab 'Tracker', \d+ things to tab 'Summary', 1 thing to the spreadsheet"
    told = f"note  sheet 'acme': `sheetsync init` would add {added}; `sheetsync init --dry-run` lists them"
    assert re.fullmatch(told, note)

    call(config, "init")
    assert "ok    sheet 'acme' layout: `sheetsync init` has nothing to add" in doctors_lines(config)


def test_doctor_compares_the_words_of_dropdowns(config: Path, empty: InitBench) -> None:
    share(config, empty)
    call(config, "init")
    offered = {"condition": {"type": "ONE_OF_LIST", "values": words("Request", "order", "correct")}}
    empty.person({"setDataValidation": {"range": empty.whole_column("action"), "rule": offered}})
    lines = doctors_lines(config)

    known = "sheetsync knows request, renew, correct"
    assert f"note  sheet 'acme' Action: the dropdown offers order; {known}" in lines
    assert f"note  sheet 'acme' Action: the dropdown does not offer renew; {known}" in lines


def test_doctor_finds_protections_that_would_stop_us(config: Path, empty: InitBench) -> None:
    share(config, empty)
    call(config, "init")
    range_ = {"sheetId": 0, "startColumnIndex": 2, "endColumnIndex": 4}
    empty.person({"addProtectedRange": {"protectedRange": {"range": range_, "description": "hands off"}}})
    lines = [line for line in doctors_lines(config) if "acme' protection" in line]

    assert len(lines) == 1
    assert lines[0].startswith("FAIL  sheet 'acme' protection: 'hands off' keeps sheetsync from writing Status, Spark")
    assert all(header_of(key, {}) not in lines[0] for key in ("stage", "expiry"))
