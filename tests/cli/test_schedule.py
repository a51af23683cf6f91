"""`schedule`: files with this machine's paths, of which those for cron are run as cron runs them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support import cron
from support.command_line import Desk
from support.schedules import CRON, EXAMPLE, FILES

from sheetsync.cli.schedule import rendered
from sheetsync.config.load import load


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_cron_are_what_the_command_prints(name: str) -> None:
    """With example paths; `python -m tests.support.schedules` writes them anew."""
    text = (CRON / name).read_text(encoding="utf-8")
    assert text == rendered(name, EXAMPLE)
    assert "@" not in text.replace("ops@example.com", "").replace("~@", "").replace("=@system", "").replace(" @res", "")


def moved(desk: Desk, name: str) -> Path:
    """The desk's settings, in a folder whose name no shell and no cron takes as it is."""
    folder = desk.config.parent / name
    folder.mkdir()
    for file in ("sheetsync.yaml", "service-account.json", ".env"):
        (desk.config.parent / file).rename(folder / file)
    return folder / "sheetsync.yaml"


def as_cron_runs(crontab: str) -> subprocess.CompletedProcess[str]:
    """The one command of a crontab, to its end."""
    process = cron.start(cron.command_of(crontab))
    out, errors = process.communicate()
    return subprocess.CompletedProcess("sh", process.returncode, out, errors)


@pytest.mark.parametrize("folder", ["plain", '50% of $it\'s "all" here'])
def test_the_crontab_is_a_run(desk: Desk, folder: str) -> None:
    """It orders, prints nothing, and its log is JSON to the last line."""
    config = moved(desk, folder)
    crontab = desk.run("schedule", options=("-c", str(config))).stdout
    done = as_cron_runs(crontab)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = [json.loads(line) for line in (config.parent / "sync.log").read_text().splitlines()]
    assert (lines[-1]["exit_code"], lines[-1]["ordered"], lines[-1]["tracker"]) == (0, 4, "sample")


@pytest.mark.parametrize(
    ("fault", "said"), [pytest.param("503", "", marks=pytest.mark.long), ("401", "sheetsync ended with 5; see ")]
)
def test_cron_mails_what_somebody_has_to_mend(desk: Desk, fault: str, said: str) -> None:
    """One line for those exit codes, none for the others; the log tells the rest."""
    desk.world.faults.add("portal", fault=fault, times=1000)
    done = as_cron_runs(desk.run("schedule", "cron").stdout)
    assert done.stdout == (f"{said}{desk.config.parent}/sync.log\n" if said else "")
    assert all(json.loads(line) for line in (desk.config.parent / "sync.log").read_text().splitlines())


def test_a_log_folder_that_is_not_there(desk: Desk) -> None:
    """Cron mails that, too: nothing is silent."""
    crontab = desk.run("schedule", "cron").stdout.replace(f"{desk.config.parent}/sync.log", "/no/such/folder/sync.log")
    done = as_cron_runs(crontab)
    assert "/no/such/folder/sync.log" in done.stderr
    assert "sheetsync ended with 2" in done.stdout


def test_systemd_on_this_machine(desk: Desk) -> None:
    """Both files, with the user, the folder of the ledger and of the metrics, and the secrets that are there."""
    desk.config.write_text(desk.config.read_text() + "run:\n  max_seconds: 200\n  metrics_file: /srv/prom/s.prom\n")
    folder = desk.config.parent
    (folder / "out").mkdir()
    assert desk.run("schedule", "systemd", "--user", "ada", "--write", str(folder / "out")).stdout == ""
    service, timer = ((folder / "out" / f"sheetsync.{kind}").read_text().splitlines() for kind in ("service", "timer"))
    assert {
        "User=ada",
        "TimeoutStartSec=260",
        f"LoadCredential=.env:{folder}/.env",
        f"LoadCredential=service-account.json:{folder}/service-account.json",
        f"ReadWritePaths={folder}",
        "ReadWritePaths=-/srv/prom",
    } <= set(service)
    assert "OnCalendar=*:0/5" in timer
    printed = desk.run("schedule", "systemd", "--user", "ada").stdout
    assert printed.count("### sheetsync.") == 2


@pytest.mark.parametrize("secrets", [(".env", "service-account.json"), ()])
def test_the_secrets_are_those_of_the_user(desk: Desk, secrets: tuple[str, ...]) -> None:
    """Who gives them to root has a service that runs, and no command that works by hand."""
    folder = desk.config.parent
    if not secrets:
        desk.edit("${TOKPORTAL_API_KEY}", desk.world.portal.key)
        (folder / ".env").unlink()
        (folder / "service-account.json").unlink()
    files = " ".join(f"{folder}/{name}" for name in secrets or (".env",))
    lines = desk.run("schedule", "systemd", "--user", "ada").stdout.splitlines()
    assert {f"#   chown ada: {files}", f"#   chmod 600 {files}"} <= set(lines)


def test_the_folder_that_systemd_makes(desk: Desk) -> None:
    """Below /var/lib, as in the example."""
    desk.edit("state: state.db", "state: /var/lib/codes/state.db")
    printed = desk.run("schedule", "systemd").stdout
    assert "\nStateDirectory=codes\nStateDirectoryMode=0700\n" in printed
    assert "ReadWritePaths" not in printed


@pytest.mark.parametrize("state", ["state: /var/lib/codes/state.db", "state: postgresql://u@h/d"])
def test_the_folder_of_another_program(desk: Desk, state: str) -> None:
    """Where the metrics go: systemd must neither give it to us nor close it to those who read them."""
    desk.edit("state: state.db", state)
    desk.config.write_text(desk.config.read_text() + "run:\n  metrics_file: /var/lib/node_exporter/s.prom\n")
    lines = desk.run("schedule", "systemd").stdout.splitlines()
    assert "ReadWritePaths=-/var/lib/node_exporter" in lines
    own = ["StateDirectory=codes"] if "codes" in state else []
    assert [line for line in lines if line.startswith("StateDirectory=")] == own


def test_secrets_that_systemd_hands_over(desk: Desk, tmp_path: Path) -> None:
    """The service reads those; what is called by hand reads the files beside the settings."""
    given = tmp_path / "credentials"
    given.mkdir()
    for name in (".env", "service-account.json"):
        (tmp_path / name).rename(given / name)
    assert desk.run("sync").exit_code == 2
    config = load(desk.config, {"CREDENTIALS_DIRECTORY": str(given)})
    assert config.google.credentials == given / "service-account.json"
    assert config.tokportal.api_key == desk.world.portal.key


def test_what_is_handed_over_by_another_name_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    """A service of its own may have other credentials there."""
    config = load(desk.config, {"CREDENTIALS_DIRECTORY": str(tmp_path / "nothing")})
    assert config.google.credentials == tmp_path / "service-account.json"


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("k8s", ("--from-file=sheetsync.yaml={folder}/sheetsync.yaml", "--from-file=.env={folder}/.env")),
        ("logrotate", ('"{folder}/sync.log" {{',)),
    ],
)
def test_the_others(desk: Desk, kind: str, parts: tuple[str, ...]) -> None:
    """With this machine's paths."""
    printed = desk.run("schedule", kind).stdout
    assert [part for part in parts if part.format(folder=desk.config.parent) not in printed] == []
