"""`sheetsync fill` as a shell calls it, and as a part of `sync`; and what the configuration may say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sandbox.portal_calls import call
from support.command_line import Desk, sample_desk

from sheetsync.config.load import load
from sheetsync.errors import ConfigError
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox import sample

FILL = """    fill:
      run: every
      columns: {campaign: bundle}
      accounts: [{account: "@Mia.Bakes", client: Acme}]
"""


def with_fill(desk: Desk, text: str = FILL) -> None:
    desk.edit("    worksheet: Tracker\n", f"    worksheet: Tracker\n{text}")


def new_video(desk: Desk) -> str:
    portal = desk.world.portal
    video = portal.new_id("video")
    portal.add_video(video, bundle_id=portal.add_bundle("mia.bakes", "Spring").id)
    return video


def texts(desk: Desk, video: str) -> list[str]:
    return [str(cell) for line in desk.book.sheet(sample.TAB).table() if video in line for cell in line if cell]


def figures(desk: Desk) -> dict[str, Any]:
    """What a sync as JSON says of its only tracker."""
    (tracker,) = json.loads(desk.run("sync", "--json").stdout)["trackers"]
    return dict(tracker)


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    """A dry run names the row; the command adds it, with what the configuration says; again it adds nothing."""
    with sample_desk(tmp_path) as desk:
        video = new_video(desk)
        with_fill(desk)
        dry = desk.run("fill", "--dry-run")
        assert dry.exit_code == 0
        assert "1 row would be added, 12 there already" in dry.output
        assert video in dry.output
        assert texts(desk, video) == []
        done = desk.run("fill")
        assert (done.exit_code, "1 row added, 12 there already" in done.output) == (0, True)
        assert texts(desk, video) == [video, "Acme", "Spring"]
        assert "0 rows added, 13 there already" in desk.run("fill").output


def test_a_sync_that_fills(tmp_path: Path) -> None:
    """With `run: every` a sync adds the row after its own work; without, it asks for no list."""
    with sample_desk(tmp_path) as desk:
        video = new_video(desk)
        desk.run("sync")
        assert texts(desk, video) == []
        assert "portal.other" not in [call.kind for call in desk.world.calls]
        assert "filled" not in figures(desk)
        with_fill(desk)
        assert "1 row added" in desk.run("sync").output
        assert texts(desk, video) == [video, "Acme", "Spring"]
        assert figures(desk)["filled"] == 0
        new_video(desk)
        assert figures(desk)["filled"] == 1


def test_what_waits_for_a_person_is_no_failure_of_a_sync(tmp_path: Path) -> None:
    """A row with a post and no id is told by `fill`; cron would mail about it for days. A refusal is one."""
    with sample_desk(tmp_path) as desk:
        with_fill(desk, "    fill: {run: every}\n")
        column = len(sample.PERSON) + len(sample.MACHINE)
        desk.book.sheet(sample.TAB).set_value(0, column, "Video URL")
        video = new_video(desk)
        bundle = desk.world.portal.videos[video].bundle_id
        (told,) = call(desk.world, "GET", f"/api/ext/bundles/{bundle}/videos").json()["data"]
        desk.book.sheet(sample.TAB).set_value(14, column, told["tiktok_url"])
        assert f"paste there: {video}" in desk.run("fill").output
        assert desk.run("sync").exit_code == 0
        desk.world.portal.switches.set({"list_shape": "other"})
        done = desk.run("sync")
        assert (done.exit_code, "fill: TokPortal's list of accounts cannot be read" in done.output) == (1, True)


@pytest.mark.parametrize("line", ["run: often", "columns: {action: title}", "columns: {client: mail}", "account: []"])
def test_what_the_configuration_cannot_say(tmp_path: Path, line: str) -> None:
    """No mark, no machine column, no field that there is not."""
    with sample_desk(tmp_path) as desk:
        with_fill(desk, f"    fill:\n      {line}\n")
        with pytest.raises(ConfigError):
            load(desk.config, {})


def test_two_fills_at_once(tmp_path: Path) -> None:
    """The second one says who is at work, and does nothing."""
    with sample_desk(tmp_path) as desk:
        config = load(desk.config, {})
        with Ledger(config.state) as ledger, ledger.lock("sample", "another", desk.world.clock.now()):
            second = desk.run("fill")
        assert second.exit_code == 4
        assert "another run" in second.output
