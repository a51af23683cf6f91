"""`python -m tests.benchmarks`: all of them, one after the other; about three quarters of an hour."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = """
startup
polls --long
script
runs
runs --every-row 100000
journal
news
cells
workers
shape
capacity
capacity --real
"""


def main() -> None:
    for name, *options in map(str.split, BENCHMARKS.strip().splitlines()):
        print(f"== {' '.join([name, *options])}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}", *options], check=True)


if __name__ == "__main__":
    main()
