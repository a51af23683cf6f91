"""The line of a printed crontab, run as cron runs it: by sh, under cron's bare environment and its rule for %."""

from __future__ import annotations

import subprocess

EVERY = "*/5 * * * * "
BARE = {"HOME": "/", "LOGNAME": "nobody", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}


def command_of(crontab: str) -> str:
    """The one command of a crontab."""
    (line,) = [line for line in crontab.splitlines() if line.startswith(EVERY)]
    command = line.removeprefix(EVERY).replace(r"\%", "\0")
    assert "%" not in command
    return command.replace("\0", "%")


def start(command: str) -> subprocess.Popen[str]:
    """Let cron start it: a group of processes, whose leader is the shell."""
    return subprocess.Popen(
        ["/bin/sh", "-c", command],
        env=BARE,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
