"""A bench for `sheetsync doctor --live`: a spreadsheet in use, the check of it, and whether the book is as it was."""

from __future__ import annotations

from typing import Any

from sheetsync.live.google import GoogleCheck
from sheetsync.live.probe import Finding, settled
from sheetsync.live.recording import Exchanges
from sheetsync.sandbox.google import store
from support.bench import Bench


class LiveBench(Bench):
    """A tracker with two rows, beside a tab that is somebody's, with all that may lie on a tab."""

    def __init__(self, *quirks: str) -> None:
        super().__init__(("vid-a", "vid-b"))
        theirs = self.book.add_sheet("Theirs")
        for row, value in enumerate(("mark-1", "=1+1", 314159, "mark-6")):
            theirs.set_value(row, 1, value)
            theirs.set_note(row, 1, "mine")
        range_ = {"sheetId": theirs.sheet_id, "startRowIndex": 0, "endRowIndex": 3}
        theirs.attached["protectedRanges"] = [{"protectedRangeId": 7, "range": range_, "warningOnly": True}]
        theirs.basic_filter = {"range": range_}
        self.book.metadata.append({"metadataId": 5, "metadataKey": "theirs", "location": {"sheetId": theirs.sheet_id}})
        self.world.google.set_quirks(quirks)
        self.left_behind = ""
        self.heard = Exchanges()

    def check(self) -> list[Finding]:
        """What a live check of Google finds."""
        api = self.api()
        api.watch(self.heard.hear)
        check = GoogleCheck(api, self.tracker, self.clock, self.heard)
        try:
            return settled(check.findings())
        finally:
            self.left_behind = check.left_behind

    def whole_book(self) -> Any:
        """Everything in the spreadsheet that is anybody's, but for when it last changed."""
        held = store.dump_book(self.book)
        sheets = [{name: value for name, value in sheet.items() if name != "version"} for sheet in held["sheets"]]
        return {**held, "sheets": sheets, "version": 0, "modified": "", "ids": 0}


def different(findings: list[Finding]) -> set[str]:
    """The probes that saw something else."""
    return {finding.probe.name for finding in findings if finding.is_different}
