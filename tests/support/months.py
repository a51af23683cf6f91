"""A tracker over several months, played on the sandbox: two clients, renewals, a correction, refunds, rows that go.

Run in tests/ as `python -m support.months FOLDER`: the report of it in every form, so that one can look at it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sheetsync.columns import header_of
from sheetsync.ledger.store import Ledger
from sheetsync.reporting.lines import Source, statement_of
from sheetsync.reporting.statement import Asked, Statement
from sheetsync.sheet.reading import Reader
from support.bench import Bench

MORE = (
    *("creator", "campaign", "market", "video_url", "creator_owner", "paid_owner", "renewal_owner", "approval_owner"),
    *("paid_status", "spend", "currency", "conversions", "invoice_status", "proof", "caption_final", "sound_cleared"),
)
ROWS = {
    "vid-a": ("@mia.bakes", "Crumbly", "Autumn launch", "US"),
    "vid-b": ("@kitchen.kai", "Crumbly", "Autumn launch", "UK"),
    "vid-c": ("@joaoruns", "Strido", "Marathon app", "BR"),
    "vid-d": ("@lenafit", "Strido", "Marathon app", "DE"),
    "vid-e": ("@ravi.eats", "Crumbly", "Advent", "UK"),
    "vid-f": ("@tomtech", "Strido", "Trail", "US"),
}
CLIENT = {video: row[1] for video, row in ROWS.items()}


def statement_of_bench(bench: Bench, asked: Asked | None = None) -> Statement:
    """The report of a bench's tracker as of now."""
    known = bench.ledger.known("acme")
    events = {video: bench.ledger.history(video, "acme") for video in known.videos}
    snapshot = Reader(bench.api(), bench.tracker, bench.clock).read()
    source = Source(bench.tracker, snapshot, known, events)
    return statement_of([source], bench.clock.now(), bench.ledger.balance("acme"), asked or Asked())


class Months:
    """From April to July 2026."""

    def __init__(self, time_zone: str = "Etc/GMT") -> None:
        self.bench = Bench(tuple(ROWS), time_zone=time_zone, start=datetime(2026, 4, 10, 9, 0, tzinfo=UTC))
        self.bench.sheet.insert_columns(len(self.bench.headers), len(MORE))
        for at, key in enumerate(MORE, start=len(self.bench.headers)):
            self.bench.sheet.set_value(0, at, header_of(key, {}))
        for video, (creator, client, campaign, market) in ROWS.items():
            cells = {"creator": creator, "client": client, "campaign": campaign, "market": market}
            url = f"https://www.tiktok.com/{creator}/video/74{len(video)}"
            cells |= {"video_url": url, "approval_owner": "Ann", "paid_owner": "Paul", "renewal_owner": "Rita"}
            for key, value in cells.items():
                self.bench.type(video, key, value)
            for key in ("caption_final", "sound_cleared"):
                self.bench.type(video, key, True)

    def order(self, mark: str, *videos: str, days: float = 5) -> None:
        """People mark rows, a run orders, managers work, another run sees it; then some days pass."""
        self.bench.mark(mark, *videos)
        self.bench.sync()
        for hours in (2, 5, 9):
            self.bench.later(hours=hours)
            self.bench.world.portal.manager_work()
            self.bench.sync()
        self.bench.later(days=days)
        self.bench.sync()

    def cancelled(self, mark: str, video: str, days: float) -> None:
        """An order that TokPortal cancels so many days later."""
        self.bench.mark(mark, video)
        self.bench.sync()
        self.bench.later(days=days)
        self.bench.world.portal.cancel(video)
        self.bench.sync()

    def play(self) -> None:
        """Charges in April, May, June and July; a refund in the month of its charge, and one in the next."""
        self.order("request", "vid-a", "vid-b", "vid-c")
        self.cancelled("request", "vid-d", days=16)
        self.bench.type("vid-b", "feedback", "Ads Manager says auth_code_not_found")
        self.order("correct", "vid-b")
        self.order("renew", "vid-a", days=15)
        self.cancelled("request", "vid-e", days=1)
        self.order("request", "vid-e", "vid-f", days=3)
        self.cancelled("renew", "vid-c", days=2)

    def go_on(self) -> None:
        """A row goes, and a month later a code is renewed."""
        self.bench.sheet.delete_rows(self.bench.line("vid-f"))
        self.bench.sync(allow_shrunken=True)
        self.bench.later(days=9)
        self.order("renew", "vid-b", days=14)
        for video, spend, conversions in (("vid-a", 1234.5, 87), ("vid-b", 410, 12)):
            cells = {"spend": spend, "conversions": conversions, "currency": "EUR", "invoice_status": "paid"}
            for key, value in cells.items():
                self.bench.type(video, key, value)
        self.bench.type("vid-a", "paid_status", "spending")

    def statement(self, asked: Asked | None = None) -> Statement:
        """The report as of now."""
        return statement_of_bench(self.bench, asked)

    def books(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """What TokPortal's own books say of each client and month: charged, refunded."""
        found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        portal = self.bench.world.portal
        for movement in portal.ledger:
            if movement.request_id:
                client = CLIENT[portal.by_id[movement.request_id].video_id]
                found[client, f"{movement.at:%Y-%m}"][movement.amount > 0] += abs(movement.amount)
        return {key: (charged, refunded) for key, (charged, refunded) in found.items()}

    def lose_the_ledger(self) -> None:
        """The next run begins with an empty one, and learns from the sheet."""
        self.bench.ledger = Ledger(None)
        self.bench.sync()


def main(folder: Iterable[str]) -> None:
    """Every form of the report, into a folder."""
    from sheetsync.reporting.calendar import calendar_of
    from sheetsync.reporting.page import page_of
    from sheetsync.reporting.table import csv_of
    from sheetsync.reporting.workbook import workbook_of

    months, into = Months(), Path(*folder)
    into.mkdir(parents=True, exist_ok=True)
    months.play()
    months.go_on()
    statement = months.statement()
    (into / "report.html").write_text(page_of(statement), encoding="utf-8")
    (into / "report.csv").write_text(csv_of(statement), encoding="utf-8", newline="")
    (into / "report.xlsx").write_bytes(workbook_of(statement))
    (into / "report.ics").write_bytes(calendar_of(statement))


if __name__ == "__main__":
    main(sys.argv[1:])
