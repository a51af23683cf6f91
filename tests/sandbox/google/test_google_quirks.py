"""Merging by request, and the switches by which Google does one thing otherwise."""

from __future__ import annotations

import pytest

from sandbox.google_side import Side, message, text, write
from sheetsync.sandbox.google import store
from sheetsync.sandbox.google.service import Google

CELLS = {"startRowIndex": 0, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2}


def test_merging_keeps_what_stands_at_the_top_left() -> None:
    """The cells under it are emptied, and swallow what is written later."""
    side = Side()
    side.batch(write(0, 0, text("kept"), text("lost")))
    side.batch({"mergeCells": {"range": CELLS, "mergeType": "MERGE_ALL"}}, write(1, 1, text("swallowed")))
    assert side.sheet.table() == [["kept"]]
    assert "MERGE_ALL only" in message(side.try_batch({"mergeCells": {"range": CELLS, "mergeType": "MERGE_ROWS"}}))


def test_switches_hold_for_every_book_and_are_kept() -> None:
    """Also for one that is made later; an unknown one changes nothing."""
    side = Side()
    side.google.set_quirks(["text_as_formula"])
    with pytest.raises(ValueError, match="there is no quirk moody"):
        side.google.set_quirks(["moody"])
    later = side.google.create_spreadsheet("Later")
    side.batch(write(0, 0, text("=1")))
    assert later.quirks == side.book.quirks == {"text_as_formula"}
    assert side.sheet.value(0, 0) == "=1"
    assert side.get(fields="sheets(data(rowData(values(userEnteredValue))))") == {
        "sheets": [{"data": [{"rowData": [{"values": [{"userEnteredValue": {"formulaValue": "=1"}}]}]}]}]
    }
    again = Google(lambda: side.now, 0)
    again.restore(side.google.dump())
    assert {book.quirks for book in again.books.values()} == {frozenset({"text_as_formula"})}
    assert store.restore_book(store.dump_book(side.book), lambda: side.now).quirks == frozenset()
