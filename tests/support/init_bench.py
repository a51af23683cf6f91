"""A bench for `sheetsync init`: the spreadsheet as a person has it, init on it, and what people do to it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sheetsync import columns
from sheetsync.cli.init import init_trackers, missing, read_spreadsheet
from sheetsync.model import Scalar
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.wire import Request
from support.bench import TAB, Bench

Json = dict[str, Any]
ROWS = 80  # of the tab: fewer than Google's 1000, all of which init would read


class InitBench(Bench):
    """A tracker whose spreadsheet has one empty tab, as a new one has, unless `rows` of it are given."""

    def __init__(self, *rows: Sequence[Scalar], tab: str = TAB, **settings: Any) -> None:
        super().__init__(**settings)
        self.book.sheets.clear()
        sheet = self.book.add_sheet(tab, 0, rows=ROWS)
        self.world.google.oauth.allow("person", self.book.owner)
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.set_value(at, column, value)

    def init(self, dry_run: bool = False) -> list[str]:
        """What `sheetsync init` prints."""
        return list(init_trackers(self.api(), [self.tracker], dry_run))

    def missing_kinds(self) -> list[str]:
        """The kinds of request that init would send."""
        changes, _ = missing(read_spreadsheet(self.api(), self.tracker), self.tracker)
        return [kind for change in changes for kind in change.request]

    def writes(self) -> int:
        """Batches sent so far."""
        return self.kinds().count("sheets.batchUpdate")

    def person(self, *requests: Json) -> None:
        """Somebody edits the spreadsheet in the browser."""
        path = f"/v4/spreadsheets/{self.book.id}:batchUpdate"
        body = json.dumps({"requests": list(requests)}).encode()
        answer = self.world.handle(Request("POST", path, (), {"authorization": "Bearer person"}, body))
        assert answer.status == 200, answer.body

    def headers_now(self) -> list[Any]:
        return list(self.sheet.table()[0])

    @property
    def summary(self) -> Sheet:
        return self.book.sheet(self.tracker.summary_tab)

    def says(self, place: str) -> Any:
        """A cell of the Summary tab by its name, such as B3."""
        column = ord(place[0]) - ord("A")
        return self.summary.value(int(place[1:]) - 1, column)

    def at(self, key: str) -> int:
        return self.column(key)

    def whole_column(self, key: str) -> Json:
        at = self.at(key)
        return {"sheetId": self.sheet.sheet_id, "startRowIndex": 1, "startColumnIndex": at, "endColumnIndex": at + 1}

    def add_row(self, video: str, mark: str = "", **cells: Scalar) -> None:
        """A person adds a row to the initialised tracker, with its approvals ticked."""
        self.world.portal.add_video(video)
        row = max((n + 1 for n, cells in enumerate(self.table()) if cells[self.at("video_id")]), default=1)
        filled = {"video_id": video, "action": mark, "caption_final": True, "sound_cleared": True, **cells}
        there = columns.bind([cell or "" for cell in self.headers_now()], self.tracker.columns).columns
        for key, value in filled.items():
            if key in there and value != "":
                self.sheet.set_value(row, self.at(key), value)


def words(*choices: str) -> list[dict[str, str]]:
    """The values of a dropdown."""
    return [{"userEnteredValue": word} for word in choices]
