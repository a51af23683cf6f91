"""`python -m tests.benchmarks`: all of them, one after the other; about half an hour."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (("startup",), ("polls", "--long"), ("script",), ("runs",), ("cells",), ("news",), ("workers",))


def main() -> None:
    for name, *options in BENCHMARKS:
        print(f"== {' '.join([name, *options])}", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}", *options], check=True)


if __name__ == "__main__":
    main()
