"""`python -m tests.benchmarks.script`: the calls of a plain gspread script beside those of a run, for one busy job.

1,000 rows, 100 open requests, all of which have their codes by now. The script is what users write: all records, a GET
for each open request, and `update_cell` for each cell that changes (status, code, the two instants). A second script
collects its cells into one `batch_update`: fewest calls, and nobody looks where they land once somebody has sorted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import gspread
import httpx

from tests.benchmarks.runs import Desk

ROWS = 1_000
STATUS, CODE, SUBMITTED, DELIVERED, REQUEST = (
    *("Status", "Spark code", "Submitted at", "Delivered at"),
    "Request ID",
)
Change = tuple[int, int, object]


def changes(desk: Desk, worksheet: gspread.Worksheet) -> list[Change]:
    """Row, column and new value of each cell that a poll of the open requests changes."""
    headers = worksheet.row_values(1)
    found: list[Change] = []
    with httpx.Client(base_url=desk.server.url, headers={"X-API-Key": desk.world.portal.key}) as client:
        for number, record in enumerate(worksheet.get_all_records(), start=2):
            if not record[REQUEST] or record[STATUS] in ("finalized", "cancelled"):
                continue
            data = client.get(f"/api/ext/videos/{record['Video ID']}/ad-code-request").json()["data"]
            said = (data["status"], data["code"], data["submitted_at"], data["delivered_at"])
            for header, value in zip((STATUS, CODE, SUBMITTED, DELIVERED), said, strict=True):
                found.append((number, headers.index(header) + 1, value))
    return found


def one_by_one(worksheet: gspread.Worksheet, found: list[Change]) -> None:
    """A call for each cell."""
    for row, column, value in found:
        worksheet.update_cell(row, column, value)


def collected(worksheet: gspread.Worksheet, found: list[Change]) -> None:
    """One call for all cells."""
    cells = [{"range": gspread.utils.rowcol_to_a1(row, at), "values": [[value]]} for row, at, value in found]
    worksheet.batch_update(cells)


def sheets_calls(job: Callable[[Desk], None]) -> int:
    """How many calls of Sheets a job takes, in a tracker in which each open request has just got its code."""
    with TemporaryDirectory() as folder:
        desk = Desk(ROWS, Path(folder))
        with desk.server:
            desk.run()
            desk.deliver_all()
            desk.world.portal.switches.set({"rate_limit": "off"})  # the scripts know none
            desk.calls.clear()
            job(desk)
            return sum(number for kind, number in desk.calls.items() if kind.startswith(("sheets.", "values.")))


def scripted(write: Callable[[gspread.Worksheet, list[Change]], None]) -> Callable[[Desk], None]:
    """The job as a script."""

    def job(desk: Desk) -> None:
        account = gspread.service_account(desk.folder / "service-account.json")
        account.http_client.session.trust_env = False
        sends = account.http_client.request

        def here(method: str, endpoint: str, *args: object, **kwargs: object) -> object:
            return sends(method, endpoint.replace("https://sheets.googleapis.com", desk.server.url), *args, **kwargs)

        account.http_client.request = here  # type: ignore[method-assign, assignment]
        worksheet = account.open_by_key(desk.book.id).sheet1
        write(worksheet, changes(desk, worksheet))

    return job


def main() -> None:
    argparse.ArgumentParser(prog="python -m tests.benchmarks.script", description=__doc__).parse_args()
    ours = sheets_calls(lambda desk: json.dumps(desk.run()[1]) and None)
    print(
        f"sheetsync: {ours} calls of Sheets for {ROWS:,} rows and 100 codes, each cell seen to be in the row of its key"
    )
    for name, write in (("a call for each cell", one_by_one), ("one call for all cells", collected)):
        theirs = sheets_calls(scripted(write))
        print(f"a gspread script, {name}: {theirs} calls, {theirs / ours:.1f} x")


if __name__ == "__main__":
    main()
