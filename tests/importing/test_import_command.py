"""`sheetsync import` as a shell calls it: a preview, a question, and what was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.command_line import Desk, sample_desk

from sheetsync.cli.main import cli
from sheetsync.config.load import load
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox import people, sample


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The sample tracker, and a file for two of its rows."""
    monkeypatch.delenv("TOKPORTAL_API_KEY", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with sample_desk(tmp_path) as desk:
        write(desk, "Maple", "Oak")
        yield desk


def file(desk: Desk) -> Path:
    return desk.config.parent / "week.csv"


def write(desk: Desk, *campaigns: str) -> None:
    lines = [f"{sample.video_of(desk.book, number)},{campaign}\n" for number, campaign in enumerate(campaigns)]
    file(desk).write_text("".join(["video_id,campaign\n", *lines]), encoding="utf-8")


def call(desk: Desk, *options: str, typed: str = "") -> Result:
    arguments = ["-c", str(desk.config), "import", str(file(desk)), "--columns", "campaign", *options]
    return CliRunner().invoke(cli, arguments, input=typed)


def campaigns(desk: Desk) -> list[str]:
    return [desk.cell(line, "Campaign") for line in (0, 1, 2)]


def test_it_shows_asks_and_writes(desk: Desk) -> None:
    """Without an answer nothing is written; after `y` just what was shown; then nothing is left to do."""
    dry = call(desk, "--dry-run")
    assert dry.exit_code == 0
    assert "2 lines in" in dry.output
    assert "2 cells to write, 0 say it already." in dry.output
    assert "Campaign  Autumn launch -> Maple" in dry.output
    assert "Nothing was written." in dry.output
    assert call(desk, typed="n\n").exit_code == 1
    assert call(desk).exit_code == 1
    assert campaigns(desk) == ["Autumn launch", "Marathon app", "Marathon app"]
    done = call(desk, typed="y\n")
    assert (done.exit_code, "2 cells written." in done.output) == (0, True)
    assert campaigns(desk) == ["Maple", "Oak", "Marathon app"]
    again = call(desk, "--yes")
    assert (again.exit_code, "0 cells to write, 2 say it already." in again.output) == (0, True)


def test_a_write_that_google_does_not_take_on(desk: Desk) -> None:
    """It says that some of it may be missing, and another call writes that."""
    desk.world.faults.add("sheets.batchUpdate", fault="403")
    done = call(desk, "--yes")
    assert (done.exit_code, "call it again, and it shows what is missing" in done.output) == (5, True)
    assert call(desk, "--yes").exit_code == 0
    assert campaigns(desk) == ["Maple", "Oak", "Marathon app"]


def test_without_a_question(desk: Desk) -> None:
    """For scripts."""
    assert call(desk, "--yes").exit_code == 0
    assert campaigns(desk) == ["Maple", "Oak", "Marathon app"]


def test_a_cell_that_is_left_is_named(desk: Desk) -> None:
    """With tab, header, row and why; exit code 3; the other one is written."""
    people.copy_row(desk.world, desk.book, sample.TAB, sample.video_of(desk.book, 0), 9)
    done = call(desk, "--yes")
    assert done.exit_code == 3
    assert "left: tab 'Tracker', 'Campaign', row 2" in done.output
    assert "rows 2, 9 have the same Video ID" in done.output
    assert campaigns(desk)[1] == "Oak"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--columns", "status"), "is a column that sheetsync itself writes"),
        (("--columns", "spend"), "there is no column 'Spend'"),
        (("--tracker", "other"), "There is no tracker 'other'"),
        (("--key", "creator"), "known by their Video ID alone"),
    ],
)
def test_how_it_cannot_be_called(desk: Desk, options: tuple[str, str], text: str) -> None:
    """Exit code 2, and nothing is asked of anybody."""
    done = call(desk, *options)
    assert (done.exit_code, text in done.output) == (2, True)
    assert desk.world.calls == []


def test_a_column_that_the_tab_does_not_have(desk: Desk) -> None:
    """`init` adds it."""
    file(desk).write_text(f"video_id,spend\n{sample.video_of(desk.book, 0)},12\n", encoding="utf-8")
    done = call(desk, "--columns", "spend", "--yes")
    assert (done.exit_code, "tab 'Tracker' has no column 'Spend'" in done.output) == (2, True)


def test_two_trackers(desk: Desk) -> None:
    """One has to be named."""
    text = desk.config.read_text(encoding="utf-8")
    other = text[text.index("  - name: sample") :].replace("sample", "other").replace("Tracker", "Other")
    desk.config.write_text(text + other, encoding="utf-8")
    done = call(desk, "--yes")
    assert (done.exit_code, "Say which tracker" in done.output) == (2, True)
    assert call(desk, "--yes", "--tracker", "sample").exit_code == 0


def test_while_a_run_is_at_work(desk: Desk) -> None:
    """It waits for nobody, and does nothing; a dry run looks all the same."""
    config = load(desk.config, {})
    with Ledger(config.state) as ledger, ledger.lock("sample", "another", desk.world.clock.now()):
        assert call(desk, "--yes").exit_code == 4
        assert call(desk, "--dry-run").exit_code == 0
    assert campaigns(desk)[0] == "Autumn launch"


def test_long_lists_are_cut_unless_asked_for(desk: Desk) -> None:
    """Twenty cells, and how many more; a dry run tells them all."""
    at = sample.PERSON.index("Campaign")
    for line in range(13, 31):
        desk.book.sheet(sample.TAB).set_value(line, 0, f"vid-{line}")
        desk.book.sheet(sample.TAB).set_value(line, at, "old")
    write(desk, *["new"] * 30)
    assert "... and 10 more; --dry-run tells all" in call(desk, typed="n\n").output
    assert call(desk, "--dry-run").output.count("-> new") == 30
