"""`python -m tests.benchmarks.startup`: CPU of `--help` of each command, as a multiple of `python -c pass`."""

from __future__ import annotations

import argparse
import sys

from sheetsync.cli.main import cli
from tests.benchmarks.measuring import cost_of

ROUNDS = 5


def cpu_seconds(command: list[str]) -> float:
    """The least CPU time, user and system, of several starts."""
    return min(cost_of(command).cpu for _ in range(ROUNDS))


def main() -> None:
    argparse.ArgumentParser(prog="python -m tests.benchmarks.startup", description=__doc__).parse_args()
    bare = cpu_seconds([sys.executable, "-c", "pass"])
    print(f"python -c pass: {bare:.3f} s CPU")
    for name in ("", *sorted(cli.commands)):
        arguments = [name, "--help"] if name else ["--help"]
        ours = cpu_seconds([sys.executable, "-m", "sheetsync", *arguments])
        print(f"sheetsync {' '.join(arguments):16} {ours:.3f} s CPU, {ours / bare:5.1f} x", flush=True)


if __name__ == "__main__":
    main()
