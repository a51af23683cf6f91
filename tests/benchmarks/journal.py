"""`python -m tests.benchmarks.journal`: how much the journal of a write keeps on disk, beside the tab that was read.

A write of 100 codes in trackers of 100 to 100,000 rows of 45 columns. The tab counts as the JSON text of its cells, and
the CPU of packing it is compared with what `json.loads` takes for that text.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

from sheetsync.clock import Clock
from sheetsync.columns import MACHINE_KEYS, bind
from sheetsync.lines import Lines, RowMaker
from sheetsync.model import Snapshot
from sheetsync.sandbox import sample
from sheetsync.sandbox.world import World
from sheetsync.sheet.edits import Sent, SetCell
from sheetsync.sheet.journal import to_journal
from tests.benchmarks.runs import CHANGES, KEYS, fill

SIZES = (100, 5_000, 100_000)


def read(rows: int) -> tuple[Snapshot, str]:
    """A tab of so many rows as a run has read it, and its cells as JSON text."""
    book = World().google.create_spreadsheet("Spark codes", "Europe/Berlin", (sample.TAB,))
    fill(book, rows, every_row=True)
    sheet = book.sheet(sample.TAB)
    cells = ([sheet.value(n, at) for at in range(len(KEYS))] for n in range(rows + 1))
    lines = [["" if cell is None else cell for cell in line] for line in cells]
    texts = [json.dumps(line, separators=(",", ":")) for line in lines]
    maker = RowMaker(lambda headers: bind(headers, {}).columns)
    kept = Lines([maker.keep(line, text) for line, text in zip(lines, texts, strict=True)])
    made = Snapshot(0, sample.TAB, "Europe/Berlin", maker.columns, tuple(maker.rows), kept, Clock().now())
    return made, f"[{','.join(texts)}]"


def seconds(work: Callable[[], object]) -> float:
    """The CPU that it takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measured(rows: int) -> None:
    """Print one size."""
    tab, text = read(rows)
    code = "#" + "k" * 60
    written = [
        SetCell(number, tab.columns[key], tab.rows[number - 2].key, code)
        for number in range(2, min(CHANGES, rows) + 2)
        for key in MACHINE_KEYS
    ]
    write = Sent(tuple(written), None, tab)
    size, loads = len(to_journal([write])), seconds(lambda: json.loads(text))
    took = seconds(lambda: to_journal([write]))
    print(
        f"{rows:7,} rows: the tab {len(text) / 1e6:6.2f} MB, the journal {size / 1e6:6.2f} MB "
        f"({len(text) / size:.1f} to 1); packed in {took:.3f} s, {took / loads:.2f} x json.loads",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.journal", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=SIZES)
    for rows in parser.parse_args().rows:
        measured(rows)


if __name__ == "__main__":
    main()
