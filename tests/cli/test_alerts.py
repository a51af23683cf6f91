"""`sheetsync alerts`: what it prints of what was told, and how each receiver answers a test; and never an address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import Desk
from support.receivers import Hook, Post, hook, post

TOKEN = "s3cr3t-token"


@pytest.fixture(name="hook")
def _hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hook() as made:
        yield made


@pytest.fixture(name="post")
def _post() -> Iterator[Post]:
    with post() as made:
        yield made


def told_at(desk: Desk, hook: Hook, more: str = "") -> None:
    """The sample's configuration, with receivers."""
    with desk.config.open("a", encoding="utf-8") as config:
        config.write(f"alerts:\n  to: ['{hook.url}/{TOKEN}'{more}]\n  failing_runs: 1\n")


def test_nobody(desk: Desk) -> None:
    """Without receivers there is nothing to list, and nobody to try."""
    listed, tried = desk.run("alerts", "list"), desk.run("alerts", "test")
    assert (listed.exit_code, listed.output) == (0, "No alert was decided yet.\n")
    assert tried.exit_code == 2
    assert "nobody is to be told: name receivers under `alerts: to:`" in tried.output


def test_every_receiver_is_tried(desk: Desk, hook: Hook, post: Post) -> None:
    """Each with one message, and how it answered; 1 where one did not take it."""
    mail = f", {{host: 127.0.0.1, port: {post.port}, from: a@example.com, to: ana@example.com, starttls: no}}"
    told_at(desk, hook, mail)
    result = desk.run("alerts", "test")
    assert result.exit_code == 0
    assert result.output.splitlines()[0].startswith(f"ok    {hook.url}")
    assert result.output.splitlines()[1] == "ok    mail to ana@example.com: took it"
    assert [message["subject"] for message in hook.got] == ["sheetsync: test"]
    assert [letter["Subject"] for letter in post.letters] == ["sheetsync: test"]
    hook.mode = 403
    result = desk.run("alerts", "test")
    assert result.exit_code == 1
    assert "answered 403" in result.output
    assert TOKEN not in result.output


def test_what_was_told(desk: Desk, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    """When, of what, to whom, and how often it was tried; the exit code of a sync is its own."""
    told_at(desk, hook)
    hook.mode = 500
    desk.world.faults.add("sheets", fault="500", times=100)
    assert desk.run("sync", options=("-v",)).exit_code == 1
    listed = desk.run("alerts", "list")
    assert "runs fail  (demo)" in listed.output or "runs fail" in listed.output
    assert "answered 500, 1 attempt, next " in listed.output
    (alert,) = json.loads(desk.run("alerts", "list", "--json").output)["alerts"]
    assert alert["kind"] == "runs fail"
    assert alert["deliveries"][0]["attempts"] == 1
    assert alert["waiting"] == []
    for text in (listed.output, json.dumps(alert), caplog.text):
        assert TOKEN not in text


def test_a_plan_tells_nobody(desk: Desk, hook: Hook) -> None:
    """It changes nothing, and it does not look after people."""
    told_at(desk, hook)
    desk.world.faults.add("sheets", fault="500", times=100)
    desk.run("plan")
    assert hook.tried == 0


@pytest.mark.long
def test_a_receiver_that_hangs(desk: Desk, hook: Hook, tmp_path: Path) -> None:
    """The run ends all the same, and says what it did."""
    told_at(desk, hook)
    hook.mode = "hang"
    desk.world.faults.add("sheets", fault="403", times=100)
    result = desk.run("sync", "--json")
    assert json.loads(result.stdout)["exit_code"] == result.exit_code != 0
