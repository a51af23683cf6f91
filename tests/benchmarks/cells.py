"""`python -m tests.benchmarks.cells`: what a cell costs the sandbox in sheets of different size; the ratio stays flat.

Prints CPU time per cell of an answer with effective values, of values.get, of the first save and of taking it up again;
and of a write that changes one cell of a world that is kept in a file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import World

COLUMNS = 25
TOKEN = {"authorization": "Bearer token"}
ONE_CELL = {"start": {"rowIndex": 5}, "rows": [{"values": [{"userEnteredValue": {"stringValue": "x"}}]}]}


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU time."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measured(cells: int, folder: Path) -> dict[str, float]:
    """Seconds by what was done, and the memory at its highest in MB."""
    path = folder / "world.json"
    world = World(path=path, record_bodies=False)
    book = world.google.create_spreadsheet("Codes")
    world.google.oauth.allow("token", book.owner)
    world.google.pretty = True
    sheet = book.sheets[0]
    sheet.row_count, sheet.column_count = cells // COLUMNS, COLUMNS
    for row in range(sheet.row_count):
        sheet.put_part(row, 0, [Cell(f"{row}-{at}" if at % 3 else row * 1.5) for at in range(COLUMNS)])

    def call(verb: str, tail: str, body: bytes = b"", *query: tuple[str, str]) -> None:
        answer = world.handle(Request(verb, f"/v4/spreadsheets/{book.id}{tail}", query, TOKEN, body))
        assert answer.status == 200

    write = json.dumps({"requests": [{"updateCells": {**ONE_CELL, "fields": "userEnteredValue"}}]}).encode()
    fields = ("fields", "sheets.data.rowData.values.effectiveValue")
    found = {
        "first save": cpu(world.save),
        "taken up again": cpu(lambda: World.load(path)),
        "effective values": cpu(lambda: call("GET", "", b"", fields)),
        "the same, compact": cpu(lambda: call("GET", "", b"", fields, ("prettyPrint", "false"))),
        "values.get": cpu(lambda: call("GET", "/values/Sheet1")),
        "one cell, saved": cpu(lambda: call("POST", ":batchUpdate", write)),
    }
    return {**found, "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cells", description=__doc__)
    parser.add_argument("millions", type=float, nargs="*", default=[0.25, 0.5, 1.0])
    parser.add_argument("--one", action="store_true", help="print the figures of one size as JSON")
    options = parser.parse_args()
    if options.one:
        with TemporaryDirectory() as folder:
            print(json.dumps(measured(int(options.millions[0] * 1e6), Path(folder))))
        return
    first: dict[str, float] = {}
    for size in options.millions:
        # a process for each size: its memory at its highest is its own
        command = [sys.executable, "-m", "tests.benchmarks.cells", "--one", str(size)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        per_cell = {name: seconds / size for name, seconds in found.items()}
        first = first or per_cell
        print(f"{size:g} million cells:")
        for name, value in found.items():
            unit = "MB" if name == "MB" else "s"
            print(f"  {name:18} {value:8.2f} {unit:2}  per cell {per_cell[name] / first[name]:.2f} x the first size")


if __name__ == "__main__":
    main()
