"""What a person at a terminal sees of a run, and what a pipe gets of the same one."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from itertools import pairwise
from pathlib import Path

import pytest
from support.command_line import Desk, sample_desk

from sheetsync.sandbox import sample

ORDERS = 60
"""With those of the sample this takes about a minute: TokPortal's rate limit is real."""
ROOT = Path(__file__).parent.parent.parent


def fill(desk: Desk, orders: int) -> None:
    """So many marked rows more, each of a video that can be ordered."""
    sheet = desk.book.sheet(sample.TAB)
    for number in range(len(sample.LINES) + 1, len(sample.LINES) + 1 + orders):
        video = desk.world.portal.new_id("video")
        desk.world.portal.add_video(video)
        for column, value in enumerate((video, "request", f"@creator.{number}", "Crumbly", "", "", "", True, True)):
            sheet.set_value(number, column, value)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "TERM": "xterm-256color", "COLUMNS": ""}


def command(desk: Desk) -> list[str]:
    return [sys.executable, "-m", "sheetsync", "-c", str(desk.config), "sync", "--allow-orders", "99"]


def seen_at_a_terminal(arguments: list[str], columns: int = 80) -> Iterator[tuple[float, str]]:
    """What a command writes to a terminal of so many columns, each piece with its time."""
    ours, its = pty.openpty()
    ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(arguments, stdin=its, stdout=its, stderr=its, env=environment(), close_fds=True):
        os.close(its)
        try:
            while piece := os.read(ours, 65536):
                yield time.monotonic(), piece.decode(errors="replace")
        except OSError:
            pass  # Linux's word for: the other end is closed
        finally:
            os.close(ours)


def piped(desk: Desk) -> subprocess.Popen[str]:
    """The command, begun, with nobody at a terminal."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command(desk), env=environment(), stdout=pipe, stderr=pipe, text=True)


@pytest.mark.long
def test_a_terminal_shows_how_far_it_is(desk: Desk, tmp_path: Path) -> None:
    """Something moves at least once a second until the end, counts up to the plan's orders, and 80 columns hold it all.

    The same through a pipe, at the same time: no escape code, and nothing of the progress.
    Two longer waits are the machine's, which other tests keep busy meanwhile.
    """
    (other := tmp_path / "pipe").mkdir()
    with sample_desk(other) as second:
        fill(desk, ORDERS)
        fill(second, ORDERS)
        with piped(second) as without:
            begun = time.monotonic()
            pieces = list(seen_at_a_terminal(command(desk)))
            said, complaints = without.communicate(timeout=120)
    assert f" {ORDERS + 4} ordered" in said
    assert "\x1b" not in said
    assert complaints == ""
    moments = [begun, *(at for at, _ in pieces)]
    waits = [later - earlier for earlier, later in pairwise(moments[1:])]
    text = "".join(piece for _, piece in pieces)
    left = "\n".join(screen(text))
    assert f"{ORDERS + 4} ordered" in " ".join(left.split()), left
    assert max(map(len, left.split("\n"))) <= 80
    assert re.search(rf"ordering.*\b\d+/{ORDERS + 4}\b", text), text[-5000:]
    assert sorted(waits)[-3] < 1.0
    assert "asking TokPortal" in text


def screen(text: str) -> list[str]:
    """What is left on the screen, without colours and links, once the progress is wiped away."""
    shown = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", text.rpartition("\x1b[2K")[2])
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "").strip("\n").split("\n")


def test_rows_fit_the_terminal(desk: Desk) -> None:
    """80 columns: whose row it is beside a short id, no word broken; the row's number leads to the row."""
    text = "".join(piece for _, piece in seen_at_a_terminal([*command(desk)[:-3], "plan"]))
    lines = screen(text)
    assert max(map(len, lines)) <= 80
    words = " ".join(" ".join(lines).split())
    assert "order row 2 @mia.bakes, Crumbly 47b8db25 7 credits" in words
    assert "hold row 9 @nina.draws, Inkbox 773e22e0 Action must be one of request, renew, correct, or empty." in words
    assert f"/edit#gid={desk.book.sheet(sample.TAB).sheet_id}&range=9:9" in text


def test_a_pipe_gets_plain_lines(desk: Desk) -> None:
    """No escape code, no progress: one fact a line."""
    fill(desk, 2)
    with piped(desk) as ran:
        said, complaints = ran.communicate(timeout=120)
    assert "\x1b" not in said
    assert complaints == ""


def test_an_encoding_that_lacks_a_character(desk: Desk) -> None:
    """What it lacks is escaped: a run that ordered tells it and ends well, and a document is the same one."""
    tab = desk.book.sheet(sample.TAB)
    wanted = "Zażółć \N{PARTY POPPER} é"
    tab.set_value(8, (*sample.PERSON, *sample.MACHINE).index("Creator"), wanted)  # the row that waits for a word

    def printed(*arguments: str) -> str:
        told = {**environment(), "PYTHONIOENCODING": "latin-1"}
        done = subprocess.run([*command(desk)[:5], *arguments], env=told, capture_output=True, check=True)
        assert done.stderr == b""
        return done.stdout.decode("latin-1")

    assert " 4 ordered" in printed("sync")
    assert "Za\\u017c\N{LATIN SMALL LETTER O WITH ACUTE}" in printed("status")
    (tracker,) = json.loads(printed("status", "--json"))["trackers"]
    assert wanted in [hold["creator"] for hold in tracker["holds"]]
