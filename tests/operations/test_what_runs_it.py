"""The files of `cron/`, and what `schedule` prints here, under the eyes of the tools that will read them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from cli.conftest import desk
from support.command_line import Desk
from support.schedules import CRON

from sheetsync.config.load import load
from sheetsync.state import Server

__all__ = ["desk"]

VERSIONS = ("1.30", "1.34", "1.37")


def said(*command: str | Path) -> str:
    """What a tool says of it, on both streams; it has to exit with 0."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def units(desk: Desk) -> Path:
    """The folder with the units of this machine, whose program and paths are there."""
    folder = desk.config.parent / "units"
    folder.mkdir()
    desk.run("schedule", "systemd", "--user", "sheetsync", "--write", str(folder))
    return folder


def test_systemd_takes_the_units(units: Path) -> None:
    """Without a word: of a misspelt key it says so, and exits with 0."""
    assert said("systemd-analyze", "verify", units / "sheetsync.service", units / "sheetsync.timer") == ""


def test_systemd_sees_a_mistake(units: Path) -> None:
    """The test above would notice."""
    service = units / "sheetsync.service"
    service.write_text(service.read_text().replace("ProtectProc=", "ProtectProcs="))
    assert "ProtectProcs" in said("systemd-analyze", "verify", service)


def test_the_service_is_hardened() -> None:
    """2.0 of 10 at most, by systemd's own measure (0 is best); of most services it is 9."""
    said("systemd-analyze", "security", "--offline=true", "--threshold=20", CRON / "sheetsync.service")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("where", ["cron", "here"])
def test_kubernetes_takes_the_cronjob(desk: Desk, where: str, version: str) -> None:
    """Strictly: an unknown key is an error."""
    text = (CRON / "cronjob.yaml").read_text() if where == "cron" else desk.run("schedule", "k8s").stdout
    documents = list(yaml.safe_load_all(text))
    assert [document["kind"] for document in documents] == ["PersistentVolumeClaim", "CronJob"]
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
    job = documents[1]["spec"]
    job["concurrencyPolicies"] = job.pop("concurrencyPolicy")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(documents[1], version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_the_deployment(version: str) -> None:
    """Strictly: an unknown key is an error."""
    deployment = yaml.safe_load((CRON / "deployment.yaml").read_text())
    kubernetes_validate.validate(deployment, version, strict=True)
    deployment["spec"]["replica"] = deployment["spec"].pop("replicas")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, version, strict=True)


def test_compose_takes_the_file(tmp_path: Path) -> None:
    """By the published schema, which notices a mistake."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    said(checker, "--builtin-schema", "vendor.compose-spec", CRON / "compose.yaml")
    mistaken = tmp_path / "compose.yaml"
    mistaken.write_text((CRON / "compose.yaml").read_text().replace("depends_on:", "depend_on:"))
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", mistaken], capture_output=True, text=True
    )
    assert (done.returncode, "depend_on" in done.stdout) == (1, True)


def test_both_start_workers_with_the_settings_they_ask_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is one of ours, and the `state:` of their first lines is an address, its password from outside."""
    compose = yaml.safe_load((CRON / "compose.yaml").read_text())["services"]["worker"]
    (container,) = yaml.safe_load((CRON / "deployment.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    assert compose["command"] == container["args"]
    assert compose["image"] == container["image"]
    *options, command = container["args"]
    assert desk.run(command, "--help", options=tuple(options)).exit_code == 0
    monkeypatch.setenv("DATABASE_PASSWORD", "4f1a")
    for name in ("compose.yaml", "deployment.yaml"):
        (address,) = re.findall(r"state: (postgresql://[^\s`]+)", (CRON / name).read_text())
        desk.config.write_text(re.sub(r"^state:.*$", f"state: {address}", desk.config.read_text(), flags=re.MULTILINE))
        state = load(desk.config, os.environ).state
        assert isinstance(state, Server)
        assert "sheetsync:4f1a@" in state.url


def test_a_forge_takes_the_workflow() -> None:
    """By the published schema of GitHub's workflows; Forgejo reads the same."""
    checker = Path(sys.executable).with_name("check-jsonschema")
    said(checker, "--builtin-schema", "vendor.github-workflows", CRON / "forge-workflow.yml")


def test_logrotate_rotates(desk: Desk) -> None:
    """The log is moved away, and the next run opens a new one."""
    folder = desk.config.parent
    folder.chmod(0o755)
    (folder / "sync.log").write_text("{}\n")
    settings = folder / "logrotate.conf"
    settings.write_text(desk.run("schedule", "logrotate").stdout)
    settings.chmod(0o644)
    said("logrotate", "--force", "--state", folder / "rotated", settings)
    assert not (folder / "sync.log").exists()
    assert [path.name for path in folder.glob("sync.log*")] == ["sync.log.1.gz"]
