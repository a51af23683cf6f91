"""What a command costs: CPU time and memory at its highest, of its own process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen


@dataclass(frozen=True)
class Cost:
    """What a process used: `cpu` in seconds, user and system, `memory` in MB; and what it said."""

    cpu: float
    memory: float
    out: str


def cost_of(command: Sequence[str], folder: Path | None = None, **environment: str) -> Cost:
    """Run a command to its end. Raises RuntimeError if it fails."""
    env = {**os.environ, **environment}
    with Popen(command, cwd=folder, env=env, stdout=PIPE, stderr=DEVNULL, text=True) as process:
        assert process.stdout
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{out}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out)
