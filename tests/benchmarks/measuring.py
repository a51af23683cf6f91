"""What a command costs: CPU time and memory at its highest, of its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# A process begins with the highest memory of the one that starts it: one in between, which is small, starts it.
_BETWEEN = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
out = process.stdout.read()
_, status, used = os.wait4(process.pid, 0)
code = process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, code, out]))
"""


@dataclass(frozen=True)
class Cost:
    """What a process used: `cpu` in seconds, user and system, `memory` in MB; and what it said."""

    cpu: float
    memory: float
    out: str


def cost_of(command: Sequence[str], folder: Path | None = None) -> Cost:
    """Run a command to its end. Raises RuntimeError if it fails."""
    between = [sys.executable, "-S", "-c", _BETWEEN, *command]
    told = subprocess.run(between, cwd=folder, env=os.environ, stdout=subprocess.PIPE, check=True).stdout
    cpu, memory, code, out = json.loads(told)
    if code:
        raise RuntimeError(f"{' '.join(command)}: exit code {code}\n{out}")
    return Cost(cpu, memory, out)
