"""`sheetsync doctor`: each line says ok, or what to do."""

from __future__ import annotations

from pathlib import Path

from support.command_line import Desk, call, share
from support.init_bench import InitBench, words

from sheetsync.cli.doctor import checks
from sheetsync.cli.options import Selection
from sheetsync.columns import MACHINE_KEYS, header_of
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
    assert result.exit_code == 1
    assert "FAIL  sheet 'sample': " in result.stdout
    assert "ok    TokPortal: " in result.stdout


def doctors_lines(config: Path) -> list[str]:
    return [check.line() for check in checks(Selection(config))]


def test_doctor_says_what_init_would_add(config: Path, empty: InitBench) -> None:
    share(config, empty)
    for column, header in enumerate(("Video ID", "Action")):
        empty.sheet.set_value(0, column, header)
    lines = doctors_lines(config)

    missing = [line for line in lines if "is missing; `sheetsync init` adds it" in line]
    assert len(missing) == len(MACHINE_KEYS)
    assert "note  sheet 'acme': 'Spark code' is missing; `sheetsync init` adds it" in missing

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
