"""What `doctor` and `sync` say of TikTok, over real sockets: nothing where it is not asked, else one line."""

from __future__ import annotations

import logging

import pytest
from support.command_line import Desk

from sheetsync.sandbox.tiktok.records import ADVERTISER, TOKEN


def asking(desk: Desk, token: str = TOKEN, advertiser: str = ADVERTISER) -> None:
    """Have TikTok asked, as the configuration says it."""
    told = f'{{access_token: "{token}", advertiser_id: "{advertiser}", api_url: {desk.server.url}}}'
    desk.edit("    worksheet:", f"    tiktok: {told}\n    worksheet:")


def test_where_it_is_not_asked(desk: Desk) -> None:
    """No line, no call."""
    assert "TikTok" not in desk.run("doctor").stdout
    desk.run("sync")
    assert not [call for call in desk.world.calls if call.kind.startswith("tiktok")]


def test_a_token_that_works(desk: Desk) -> None:
    """With what it may read; and sync asks about the code that there is."""
    asking(desk)
    assert f"ok    TikTok: the token may read ad account {ADVERTISER} (sample)" in desk.run("doctor").stdout
    desk.run("sync")
    assert "tiktok.info" in [call.kind for call in desk.world.calls]


@pytest.mark.parametrize(("token", "advertiser"), [("wrong-token", ADVERTISER), (TOKEN, "7999999999999999999")])
def test_a_token_that_does_not(desk: Desk, caplog: pytest.LogCaptureFixture, token: str, advertiser: str) -> None:
    """One line that fails, with what to check; sync notes it, and does the rest."""
    caplog.set_level(logging.DEBUG)
    asking(desk, token, advertiser)
    result = desk.run("doctor")
    assert result.exit_code == 5
    (line,) = [line for line in result.stdout.splitlines() if "TikTok" in line]
    assert line.startswith(f"FAIL  TikTok: TikTok does not let us read ad account {advertiser} (40")
    assert "tiktok.access_token" in line
    result = desk.run("sync")
    assert result.exit_code == 0
    assert "  note: TikTok does not let us read ad account" in result.stdout
    assert " ordered" in result.stdout
    assert token not in result.output + caplog.text


def test_two_trackers_with_one_token(desk: Desk) -> None:
    """One line."""
    asking(desk, "wrong-token")
    config = desk.config.read_text()
    first = config[config.index("  - name: sample") :]
    second = first.replace("name: sample", "name: other").replace("worksheet: Tracker", "worksheet: Other")
    desk.config.write_text(config + "\n" + second)
    lines = [line for line in desk.run("doctor").stdout.splitlines() if "TikTok" in line and "FAIL" in line]
    assert [line.endswith("(sample, other)") for line in lines] == [True]


def test_no_ad_account_in_the_configuration(desk: Desk) -> None:
    """Each row names its own: nothing can be tried, and that is said."""
    asking(desk)
    desk.edit(f'advertiser_id: "{ADVERTISER}", ', "")
    assert "note  TikTok: the token was not tried: each row's Ad account" in desk.run("doctor").stdout


def test_the_lines_that_the_sandbox_writes(desk: Desk) -> None:
    """Take the # away, and it works."""
    desk.edit("    # tiktok:", "    tiktok:")
    assert "ok    TikTok: " in desk.run("doctor").stdout
