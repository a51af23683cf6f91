"""A drill for whoever is paged: a trouble is planted in a small set-up, cron goes on, and the pager tells of it.

    python -m tests.drill 1 --folder /tmp/drill     # 1 to 6; do not read further if you are the one who is to find it

The folder is the machine: settings, ledger, `crontab`, `sync.log`, `mail.txt` (what cron mailed) and `pager.txt`. The
sandbox stands for Google and TokPortal; its page, which pager.txt names, is the sheet in a browser. Ends when a run is
good again, and says how many minutes that took.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sheetsync.sandbox import sample
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World
from tests.support.pings import Pings, listening

RUN = re.compile(r"^\*/5 \* \* \* \* (.*)$", re.MULTILINE)


@dataclass
class Machine:
    """A folder that is a machine, and the sheet it works on."""

    folder: Path
    world: World
    book: Spreadsheet

    def edit(self, name: str, old: str, new: str) -> None:
        """Somebody changes a file."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def cron(self) -> None:
        """One run, as cron makes it; what it prints is mailed."""
        found = RUN.search((self.folder / "crontab").read_text())
        command = found[1].replace(r"\%", "%") if found else "true"
        environment = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LOGNAME": "sheetsync"}
        done = subprocess.run(
            ["/bin/sh", "-c", command], env=environment, cwd=self.folder, capture_output=True, text=True
        )
        if mail := done.stdout + done.stderr:
            with (self.folder / "mail.txt").open("a") as mails:
                mails.write(f"{time.strftime('%H:%M:%S')} Cron: {mail}")


def moved_environment(machine: Machine) -> None:
    """The virtual environment was moved; the crontab names the old place. Nothing runs, and cron mails about it."""
    text = (machine.folder / "crontab").read_text()
    machine.edit("crontab", RUN.findall(text)[0].split()[0], "/opt/sheetsync/.venv/bin/sheetsync")


def renamed_header(machine: Machine) -> None:
    """Somebody renamed a machine column. Exit code 2, told by the ping."""
    sheet = machine.book.sheet(sample.TAB)
    column = sheet.table()[0].index("Sync note")
    sheet.set_value(0, column, "What the robot says")


def many_marks(machine: Machine) -> None:
    """Somebody pasted thirty new videos, all marked: more orders than the limit. Exit code 3."""
    sheet = machine.book.sheet(sample.TAB)
    headers, *rows = sheet.table()
    for number in range(len(rows) + 1, len(rows) + 31):
        video = machine.world.portal.new_id("video")
        machine.world.portal.add_video(video)
        for header, value in {
            "Video ID": video,
            "Action": "request",
            "Caption final": True,
            "Sound cleared": True,
        }.items():
            sheet.set_value(number, headers.index(header), value)


def damaged_ledger(machine: Machine) -> None:
    """The disk had a fault: most of the ledger is gone. Exit code 2."""
    for side in machine.folder.glob("state.db-*"):
        side.unlink()
    ledger = machine.folder / "state.db"
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:4096] + b"\0" * (len(whole) - 4096))


def wrong_address(machine: Machine) -> None:
    """Somebody put another address for TokPortal into the settings: every run ends with 1, and pings only begin."""
    text = (machine.folder / "sheetsync.yaml").read_text()
    url = re.findall(r"api_url: (\S+)", text)[-1]
    head, _, tail = text.rpartition(url)
    (machine.folder / "sheetsync.yaml").write_text(f"{head}http://127.0.0.1:9{tail}")


def old_key(machine: Machine) -> None:
    """The API key was replaced at TokPortal; the new one lies in `vault.txt`. Exit code 5."""
    (machine.folder / "vault.txt").write_text(f"TokPortal's new API key: {machine.world.portal.key}\n")
    machine.edit(".env", machine.world.portal.key, "tok_live_0ld0ld0ld0ld")


TROUBLES: Sequence[Callable[[Machine], None]] = (
    moved_environment,
    renamed_header,
    many_marks,
    damaged_ledger,
    wrong_address,
    old_key,
)


def settings(machine: Machine, server: Server, pings: Pings) -> None:
    """The machine is set up, and one run was good."""
    folder = machine.folder
    server.write_service_account(folder / "service-account.json")
    config = sample.write_config(folder, server.url, machine.book, machine.world.portal.key)
    config.write_text(config.read_text() + f"run:\n  ping_url: {pings.url}\n")
    command = [sys.executable, "-m", "sheetsync", "-c", str(config), "schedule", "cron"]
    crontab = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (folder / "crontab").write_text(crontab)
    machine.cron()
    assert pings.events == ["/start", ""], (folder / "sync.log").read_text()


def play(machine: Machine, pings: Pings, say: Callable[[str], None], every: float, grace: float) -> None:
    """Cron goes on; alarms as a dead-man's-switch service raises them, until a run is good again."""
    good = time.monotonic()
    alarm = 0.0
    while True:
        heard = len(pings.told)
        machine.cron()
        for event, body in pings.told[heard:]:
            if event == "/fail" and not alarm:
                alarm = time.monotonic()
                say(f"ALARM  sheetsync reports a failure:\n{body}")
            elif event == "" and alarm:
                say(f"UP     a run was good, {(time.monotonic() - alarm) / 60:.1f} minutes after the alarm.")
                return
            elif event == "":
                good = time.monotonic()
        if not alarm and time.monotonic() - good > grace:
            alarm = time.monotonic()
            heard_of = "runs begin, none is good" if len(pings.told) > 2 else "nothing was heard"
            say(f"ALARM  sheetsync is down: no good run for {grace:.0f} s; {heard_of}.")
        time.sleep(every)


def main() -> None:
    """Plant one trouble and play on."""
    parser = argparse.ArgumentParser(description="A drill for whoever is paged.")
    parser.add_argument("trouble", type=int, choices=range(1, len(TROUBLES) + 1))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--every", type=float, default=15, help="seconds between two runs of cron")
    parser.add_argument("--grace", type=float, default=60, help="seconds without a good run until the alarm")
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    folder = given.folder.resolve()

    def say(text: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)
        with (folder / "pager.txt").open("a") as pager:
            pager.write(line + "\n")

    world = World(real_time=True)
    machine = Machine(folder, world, sample.fill(world))
    with Server(world) as server, listening() as pings:
        settings(machine, server, pings)
        TROUBLES[given.trouble - 1](machine)
        say(f"READY  the machine is {folder}, the sheet {server.url}/ in a browser.")
        play(machine, pings, say, given.every, given.grace)


if __name__ == "__main__":
    main()
