"""`python -m tests.benchmarks.startup`: CPU of `sheetsync --help`, as a multiple of `python -c pass`."""

from __future__ import annotations

import resource
import subprocess
import sys

ROUNDS = 7


def cpu_seconds(command: list[str]) -> float:
    """The least CPU time, user and system, of several starts."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(ROUNDS))


def main() -> None:
    bare = cpu_seconds([sys.executable, "-c", "pass"])
    for name, arguments in (("--help", ["--help"]), ("sync --help", ["sync", "--help"])):
        ours = cpu_seconds([sys.executable, "-m", "sheetsync", *arguments])
        print(f"sheetsync {name}: {ours:.3f} s CPU, {ours / bare:.1f} x python -c pass ({bare:.3f} s)")


if __name__ == "__main__":
    main()
