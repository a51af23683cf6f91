"""`sheetsync report` as a shell calls it: its files, its summary, and what it says where something is missing."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from support.command_line import Desk

from sheetsync.sandbox import sample

COLUMNS = (*sample.PERSON, *sample.MACHINE)
FORMS = ("html", "csv", "xlsx", "ics")


@pytest.fixture
def delivered(desk: Desk) -> Desk:
    """The sample's four orders, each with its code."""
    desk.run("sync")
    for _ in range(3):
        desk.world.portal.manager_work()
    desk.run("sync")
    return desk


def document(desk: Desk, *arguments: str) -> Any:
    result = desk.run("report", "--json", *arguments)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def month(desk: Desk) -> str:
    """This one, where the sheet is."""
    return f"{desk.world.clock.now().astimezone(ZoneInfo('Europe/Berlin')):%Y-%m}"


def files(folder: Path, *forms: str) -> list[str]:
    return [word for form in forms for word in (f"--{form}", str(folder / f"report.{form}"))]


def test_before_the_first_sync(desk: Desk) -> None:
    """Nothing was spent; that is no error."""
    result = desk.run("report")
    assert result.exit_code == 0
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "report of tracker sample: all time",
        "client month charged refunded spent",
        "in all 0 0 0",
        "0 codes in use",
    ]


def test_the_summary(delivered: Desk) -> None:
    """Totals by client and month; no code in it. The sheet is read once, TokPortal is not asked, nothing is written."""
    before, state = len(delivered.world.calls), (delivered.config.parent / "state.db").read_bytes()
    result = delivered.run("report")
    assert [call.kind for call in delivered.world.calls[before:]] == [
        "google.token",
        "sheets.get",
        "values.batchGet",
    ]
    assert (delivered.config.parent / "state.db").read_bytes() == state
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[2] == f"Crumbly {month(delivered)} 7 0 7"
    assert "in all 28 0 28" in lines
    assert lines[-2].startswith("6 codes in use, the next ends ")
    assert lines[-1].startswith(f"{delivered.world.portal.credits} credits left at ")
    assert "#" not in result.stdout


def test_all_files(delivered: Desk, tmp_path: Path) -> None:
    """Each is named when it is written; they say the same. Whoever does not own them cannot read them."""
    result = delivered.run("report", *files(tmp_path, *FORMS))
    assert result.exit_code == 0
    assert [line.split()[-1] for line in result.stdout.splitlines()[-4:]] == files(tmp_path, *FORMS)[1::2]
    made = {form: tmp_path / f"report.{form}" for form in FORMS}
    assert {path.stat().st_mode & 0o777 for path in made.values()} == {0o600}
    rows = list(csv.DictReader(made["csv"].read_text(encoding="utf-8-sig").splitlines()))
    assert sum(int(row["Credits charged"] or 0) for row in rows) == 28
    assert load_workbook(made["xlsx"])["Codes"].max_row == 1 + len(rows)
    assert made["ics"].read_bytes().count(b"BEGIN:VEVENT\r\n") == 6
    page = made["html"].read_text(encoding="utf-8")
    assert all(request.code in page for request in delivered.world.portal.requests if request.code)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".sheetsync")]


def test_a_file_that_is_there_keeps_its_mode(delivered: Desk, tmp_path: Path) -> None:
    """A calendar that others subscribe to, say; through a link the file behind it is written."""
    (tmp_path / "shared.ics").write_text("old")
    (tmp_path / "shared.ics").chmod(0o644)
    (tmp_path / "report.ics").symlink_to(tmp_path / "shared.ics")
    assert delivered.run("report", *files(tmp_path, "ics")).exit_code == 0
    assert (tmp_path / "shared.ics").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "shared.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")
    assert (tmp_path / "report.ics").is_symlink()


def test_periods(delivered: Desk) -> None:
    """A month, or days; the calendar is of what runs, whatever the period."""
    assert sum(total["spent"] for total in document(delivered, "--month", month(delivered))["totals"]) == 28
    early = document(delivered, "--from", "2020-01-01", "--to", "2020-12-31")
    assert (early["codes"], early["totals"], early["first"], early["last"]) == ([], [], "2020-01-01", "2020-12-31")
    calendar = delivered.config.parent / "report.ics"
    assert delivered.run("report", "--month", "2020-02", *files(calendar.parent, "ics")).exit_code == 0
    assert calendar.read_bytes().count(b"BEGIN:VEVENT\r\n") == 6


def test_one_client(delivered: Desk) -> None:
    """Nothing of the others, nor the balance."""
    found = document(delivered, "--client", "crumbly", "--campaign", "Autumn launch")
    assert {code["client"] for code in found["codes"]} == {"Crumbly"}
    assert found["credits_left"] is None
    (code,) = found["codes"]
    assert (code["charged"], code["state"], code["cells"]["creator"]) == (7, "received", "@mia.bakes")
    assert code["approvals"][0].endswith(" ticked: Caption final, Sound cleared")
    (events,) = {event["video_id"] for event in found["events"]}
    assert events == code["video_id"]


def test_an_order_without_a_price(desk: Desk) -> None:
    """It is said that the sums lack it."""
    desk.world.portal.tells_price = False
    desk.run("sync")
    assert "of 1 order nobody told the price: not in these sums" in desk.run("report").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--month", "2026-06", "--from", "2026-06-01"), "leave out --from and --to, or --month"),
        (("--month", "2026-13"), "'2026-13' is no month; expected one such as 2026-06"),
        (("--from", "2026-06-02", "--to", "2026-06-01"), "--from 2026-06-02 is after --to 2026-06-01"),
        (("--from", "June"), "does not match the format"),
        (("--client", "Crumbley"), "--client: no row is of 'Crumbley'. There are: crumbly, dermalia, inkbox"),
        (("--campaign", "x"), "--campaign: no row is of 'x'. There are: "),
        (("--tracker", "x"), "There is no tracker 'x'"),
        (("--csv", "/nowhere/report.csv"), "/nowhere/report.csv: the folder does not exist; make it"),
    ],
)
def test_what_cannot_be_asked(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    """It says what is wrong, with exit code 2."""
    result = desk.run("report", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_a_pipe(delivered: Desk, tmp_path: Path) -> None:
    """What is no file is written into, and stays what it is: nobody's device becomes a file full of codes."""
    pipe, read = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8-sig")))
    reader.start()
    assert delivered.run("report", "--csv", str(pipe)).exit_code == 0
    reader.join(timeout=30)
    assert pipe.is_fifo()
    assert "Video ID" in read[0]


def test_a_folder_that_may_not_be_written(delivered: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file; what was there stays as it was."""
    there = tmp_path / "report.csv"
    there.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    result = delivered.run("report", *files(tmp_path, "csv"))
    assert result.exit_code == 2
    assert f"{there}: the report cannot be written (No space left on device)" in " ".join(result.stderr.split())
    assert there.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in (".yaml", ".json", ".db")].count(
        "report.csv"
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".sheetsync")]


class Absent(MetaPathFinder):
    """A library that is not installed."""

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname.split(".")[0] == self.library:
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)


@pytest.mark.parametrize(
    ("library", "form"), [("jinja2", "html"), ("matplotlib", "html"), ("openpyxl", "xlsx"), ("icalendar", "ics")]
)
def test_without_the_extra(
    delivered: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, form: str
) -> None:
    """It says which line installs it, before anything is asked; CSV and text need none of it."""
    for name in [
        name for name in sys.modules if name.split(".")[0] == library or name.startswith("sheetsync.reporting.")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(library), *sys.meta_path])
    calls = len(delivered.world.calls)
    result = delivered.run("report", *files(tmp_path, form))
    assert (result.exit_code, len(delivered.world.calls)) == (2, calls)
    assert f"--{form} needs the library {library}" in result.stderr
    assert "pip install -c constraints.txt '.[report]'" in " ".join(result.stderr.split())
    assert delivered.run("report", *files(tmp_path, "csv")).exit_code == 0


def test_a_sheet_that_cannot_be_read(desk: Desk, tmp_path: Path) -> None:
    """No report of half of it."""
    desk.world.faults.add("sheets", fault="403", times=9)
    result = desk.run("report", *files(tmp_path, "csv"))
    assert result.exit_code == 5
    assert not (tmp_path / "report.csv").exists()


@pytest.mark.long
def test_it_leaves_its_files_alone(delivered: Desk, tmp_path: Path) -> None:
    """As a process of its own, with a home folder that is not there: nothing is made but what was asked for."""
    home, out = tmp_path / "home", tmp_path / "out"
    out.mkdir()
    environ = {key: value for key, value in os.environ.items() if key not in ("MPLCONFIGDIR", "XDG_CACHE_HOME")}
    command = (sys.executable, "-m", "sheetsync", "-c", str(delivered.config), "report", *files(out, *FORMS))
    ran = subprocess.run(
        command, env={**environ, "HOME": str(home), "TMPDIR": str(out)}, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert {path.name for path in out.iterdir()} == {f"report.{form}" for form in FORMS}
    assert not home.exists()


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        ("{command} --csv /dev/stdout | head -n 1", "Tracker,"),
        ("{command} --csv /dev/stdout | cat", "Crumbly,"),
        ("{command} --csv >(cat >{folder}/read); wait $!; cat {folder}/read", "Crumbly,"),
    ],
)
def test_another_command_reads_it(delivered: Desk, tmp_path: Path, line: str, shows: str) -> None:
    """As a shell hands it over: by a pipe that has no name of its own, and that may be closed before all is read."""
    command = f"{sys.executable} -m sheetsync -c {delivered.config} report"
    done = subprocess.run(
        ["bash", "-c", line.format(command=command, folder=tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shows in done.stdout
