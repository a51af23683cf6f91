"""`python -m tests.benchmarks.runs`: quiet and busy runs of `sheetsync sync` in trackers of 100 to 100,000 rows.

Each row has 45 columns, most of them filled; a tenth of the rows, 1,000 at most, have a code, and 100 an open request.
A busy run meets a code for each of those; a quiet one finds nothing new. Prints calls, bytes, CPU and memory of the
run's own process, each beside what `json.loads` takes for the bytes of the read.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sheetsync.clock import Clock
from sheetsync.columns import BY_TIKTOK, COLUMNS, MACHINE_KEYS, Kind, header_of, to_serial
from sheetsync.ledger.store import Ledger
from sheetsync.model import AdCodeRequest
from sheetsync.sandbox import sample
from sheetsync.sandbox.google.cells import Cell
from sheetsync.sandbox.google.grid import Spreadsheet
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.wire import Request, Response
from sheetsync.sandbox.world import World
from tests.benchmarks.measuring import Cost, cost_of

SIZES = (100, 1_000, 10_000, 100_000)
CHANGES, MOST_CODES = 100, 1_000
LEFT_OUT = (
    *("feedback", "currency", "creator_region", "product_availability", "posting_time", "excluded_categories"),
    *("post_live", "comments_checked", "landing_page_ready", "prompt", "spend_window", "performance_snapshot"),
    *("received_at", "contract", "retirement_reason", "comments", *BY_TIKTOK),
)
KEYS = tuple(column.key for column in COLUMNS if column.key not in LEFT_OUT)
NEVER_FILLED = (*MACHINE_KEYS, "action", "known_expiry")
OF_A_CODE = ("paid_status", "renewal_decision")
LOADS = (
    "import json, sys, time; text = open(sys.argv[1], 'rb').read(); started = time.process_time(); json.loads(text); "
    "print(time.process_time() - started)"
)


class Desk:
    """A tracker of so many rows, served; and what its calls came to."""

    def __init__(self, rows: int, folder: Path, every_row: bool = False) -> None:
        self.world, self.folder = World(real_time=True, record_bodies=False), folder
        self.world.google.quota = False
        self.book = self.world.google.create_spreadsheet("Spark codes", "Europe/Berlin", (sample.TAB,))
        self.videos = fill(self.book, rows, every_row)
        self.open = self.videos[: min(CHANGES, rows)]
        self.calls, self.bytes, self.largest = Counter[str](), Counter[str](), b""
        self._order(self.videos[: _requests(rows)])
        self._handle, self.world.handle = self.world.handle, self._counted  # type: ignore[method-assign]
        self.server = Server(self.world)
        self.world.google.pretty = False  # as the program asks for
        self.server.write_service_account(folder / "service-account.json")
        self.book.shared_with.add("sheetsync@sandbox.iam.gserviceaccount.com")
        self.config = sample.write_config(folder, self.server.url, self.book, self.world.portal.key)

    def _counted(self, request: Request) -> Response:
        answer = self._handle(request)
        kind = self.world.kind(request) or "other"
        self.calls[kind] += 1
        self.bytes[kind] += len(answer.body)
        self.largest = max(self.largest, answer.body, key=len)
        return answer

    def _order(self, videos: Sequence[str]) -> None:
        """A request for each of these, in TokPortal's books and in the ledger; those that are not open have a code."""
        portal, ledger = self.world.portal, Ledger(self.folder / "state.db")
        portal.credits = 7 * len(videos)
        for video in videos:
            portal.add_video(video)
            portal.order_elsewhere(video)
        for video in videos[len(self.open) :]:
            self._deliver(video)
        recorder = ledger.recorder("sample", "run-0", Clock())
        told = (portal.latest(video) for video in videos)
        recorder.observe(
            AdCodeRequest(
                *(one.id, one.video_id, one.status, "tiktok", one.code, one.note),
                *(one.created_at, one.submitted_at, one.delivered_at),
            )
            for one in told
            if one
        )
        ledger.close()

    def _deliver(self, video: str) -> None:
        self.world.portal.accept(video)
        self.world.portal.submit(video)
        self.world.portal.deliver(video)

    def deliver_all(self) -> None:
        """Managers hand in the code of every open request."""
        with self.server.lock:
            for video in self.open:
                self._deliver(video)

    def run(self) -> tuple[Cost, dict[str, object]]:
        """One `sheetsync sync`, a minute after the last one: what it cost, and what it told of itself."""
        with self.server.lock:
            self.world.clock.advance(timedelta(minutes=1))
        self.calls.clear()
        self.bytes.clear()
        self.largest = b""
        cost = cost_of([sys.executable, "-m", "sheetsync", "-c", str(self.config), "sync", "--json"], self.folder)
        return cost, json.loads(cost.out)["trackers"][0]


def fill(book: Spreadsheet, rows: int, every_row: bool) -> list[str]:
    """Believable cells: names and places recur, links, notes and spends are each row's own.

    With `every_row` people have filled in what belongs to a code also where there is none yet.
    """
    draw = random.Random(rows)
    sheet = book.sheet(sample.TAB)
    sheet.row_count, sheet.column_count = rows + 1, len(KEYS)
    kinds = {column.key: column for column in COLUMNS}
    sheet.put_part(0, 0, [Cell(header_of(key, {})) for key in KEYS])
    videos = [f"{draw.getrandbits(128):032x}" for _ in range(rows)]
    now = Clock().now()

    def cell(key: str, video: str, has_code: bool) -> Cell | None:
        column = kinds[key]
        if key == "video_id":
            return Cell(video)
        if key in NEVER_FILLED or draw.random() < 0.1 or (key in OF_A_CODE and not has_code):
            return None
        if column.kind is Kind.CHECKBOX:
            return Cell(draw.random() < 0.5)
        if column.kind is Kind.NUMBER:
            return Cell(30.0 if key == "authorization_days" else round(draw.random() * 1000, 2))
        if column.kind is Kind.DATE:
            return Cell(to_serial(now - timedelta(hours=draw.randrange(9999)), "Etc/GMT"))
        if key in ("video_url", "proof", "landing_page"):
            return Cell(f"https://www.tiktok.com/@creator{draw.randrange(500)}/video/{video[:19]}")
        if key in ("note", "usage_rights"):
            return Cell(f"Hook {draw.randrange(10**6)}, final cut for the autumn launch")
        return Cell(draw.choice(column.choices) if column.choices else f"{column.header} {draw.randrange(40)}")

    for number, video in enumerate(videos, start=1):
        sheet.put_part(number, 0, [cell(key, video, every_row or number <= _requests(rows)) for key in KEYS])
    return videos


def _requests(rows: int) -> int:
    """How many videos have an ad code request, open or not."""
    return min(CHANGES, rows) + min(rows // 10, MOST_CODES)


def measured(rows: int, folder: Path, every_row: bool) -> None:
    """Print the runs of one size."""
    desk = Desk(rows, folder, every_row)
    with desk.server:
        _, told = desk.run()
        assert not told["error"], told["error"]
        desk.deliver_all()
        for name in ("busy", "quiet"):
            cost, told = desk.run()
            (folder / "answer.json").write_bytes(desk.largest)
            loads = float(subprocess.check_output([sys.executable, "-c", LOADS, str(folder / "answer.json")]))
            assert not told["error"], told["error"]
            calls, total = told["calls"], sum(desk.bytes.values())
            assert isinstance(calls, dict)
            print(
                f"{rows:7,} rows, {name:5}: Sheets {calls['sheets_read']} reads, {calls['sheets_write']} writes; "
                f"TokPortal {calls['tokportal']:3}; {told['cells_written']:4} cells; {total / 1e6:6.2f} MB; "
                f"{cost.cpu:5.2f} s CPU (json.loads {loads:.3f} s: {cost.cpu / loads:5.1f} x, less a second "
                f"{max(cost.cpu - 1, 0) / loads:4.1f} x); {cost.memory:4.0f} MB at most",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.runs", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=SIZES)
    parser.add_argument("--every-row", action="store_true", help="Paid status and Renewal decision in every row")
    parser.add_argument("--one", action="store_true", help="in this process")
    options = parser.parse_args()
    for rows in options.rows:
        if options.one:
            with TemporaryDirectory() as folder:
                measured(rows, Path(folder), options.every_row)
        else:
            # a process for each size: what one leaves behind is not another's
            one = ["--one", *["--every-row"] * options.every_row, str(rows)]
            subprocess.run([sys.executable, "-m", "tests.benchmarks.runs", *one], check=True)


if __name__ == "__main__":
    main()
