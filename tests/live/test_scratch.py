"""Scratch tabs: whatever happens to a check, no other tab is touched, and the next one removes what stayed."""

from __future__ import annotations

from typing import Any

import pytest
from support.live_bench import LiveBench, different
from support.profile import cases

from sheetsync.errors import NotFound, Unavailable
from sheetsync.live.scratch import BENCH, MARK, TITLES
from sheetsync.sandbox.wire import Request


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


def kill_at(bench: LiveBench, nth: int, when: str) -> None:
    """The process is killed before or after its nth call; no later call of it is made."""
    first = len(bench.world.calls)

    def hook(moment: str, index: int, kind: str, request: Request) -> None:
        if index - first > nth or (index - first == nth and moment == when):
            raise Killed

    bench.world.hooks.append(hook)


CALLS = 14


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", cases(range(CALLS), range(0, CALLS, 3)))
def test_killed_at_any_call(nth: int, when: str) -> None:
    """Other tabs are never touched; the next check finds all as expected, and leaves the book as it was."""
    bench = LiveBench()
    before = bench.whole_book()
    kill_at(bench, nth, when)
    if nth < CALLS - 1:
        with pytest.raises(Killed):
            bench.check()
    else:
        bench.check()
    bench.world.hooks.clear()
    there = bench.whole_book()
    others = [sheet for sheet in there["sheets"] if sheet["title"] not in TITLES]
    assert others == before["sheets"]
    assert all(sheet["properties"].get("hidden") for sheet in there["sheets"] if sheet["title"] in TITLES)
    assert different(bench.check()) == set()
    assert bench.whole_book() == before


@pytest.mark.parametrize("nth", cases(range(1, CALLS), range(2, CALLS, 3)))
@pytest.mark.parametrize("fault", ["500", "lost_after", "garbled"])
def test_a_call_without_a_clear_answer(nth: int, fault: str) -> None:
    """It ends the check; the tabs are removed at once, also where nobody knows whether they were made."""
    bench = LiveBench()
    before = bench.whole_book()
    bench.world.faults.add("*", nth=nth, fault=fault, times=1)
    try:
        bench.check()
    except Unavailable:
        pass
    else:
        # a read is made again; of the last call, which removes, nothing rests on its answer
        assert "GET" in {call.method for call in bench.world.calls if call.status != 200} or nth == CALLS - 1
    if bench.left_behind:
        assert nth == CALLS - 1
        bench.check()
    assert bench.whole_book() == before


@pytest.mark.parametrize("nth", range(CALLS - 2))
def test_stopped_by_ctrl_c(nth: int) -> None:
    """The tabs are removed before it ends, also where the very call that makes them was interrupted."""
    bench = LiveBench()
    before = bench.whole_book()

    def hook(moment: str, index: int, kind: str, request: Request) -> None:
        if (index, moment) == (nth, "after"):
            raise KeyboardInterrupt

    bench.world.hooks.append(hook)
    with pytest.raises(KeyboardInterrupt):
        bench.check()
    assert bench.whole_book() == before


def test_a_refused_batch_that_made_tabs_all_the_same() -> None:
    """That a refusal undoes all is yet to be proved: what it left is looked for, and removed."""
    bench = LiveBench("refused_batch_stays_half_done", "colour_rules_refused")
    before = bench.whole_book()
    with pytest.raises(Exception, match="could not be made"):
        bench.check()
    assert bench.whole_book() == before


def test_a_tab_that_only_bears_the_name_is_left_alone() -> None:
    """A person may have called one so: it is named, and nothing is made beside it."""
    bench = LiveBench()
    bench.book.add_sheet(BENCH).set_value(0, 0, "mine")
    before = bench.whole_book()
    with pytest.raises(NotFound, match="does not bear sheetsync's mark, so it is left alone"):
        bench.check()
    assert bench.whole_book() == before


def test_a_tab_that_only_bears_the_mark_is_left_alone() -> None:
    """Who renames a tab of ours keeps it."""
    bench = LiveBench()
    kept = bench.book.add_sheet("Kept")
    where: Any = {"locationType": "SHEET", "sheetId": kept.sheet_id}
    bench.book.metadata.append({"metadataId": 9, "metadataKey": MARK, "visibility": "DOCUMENT", "location": where})
    before = bench.whole_book()
    assert different(bench.check()) == set()
    assert bench.whole_book() == before


def test_ids_that_are_taken_are_not_chosen() -> None:
    """A tab of somebody's bears the id that would have been the first."""
    bench = LiveBench()
    bench.book.add_sheet("Others", 1_000_001).set_value(0, 0, "mine")
    before = bench.whole_book()
    assert different(bench.check()) == set()
    assert bench.whole_book() == before


def test_a_tab_made_meanwhile_with_the_same_id_is_not_removed() -> None:
    """Somebody else's new tab got the id between our look and our batch: that is refused, and theirs stays."""
    bench = LiveBench()
    bench.world.faults.edit(
        "sheets.batchUpdate", do=lambda _: bench.book.add_sheet("New", 1_000_001).set_value(0, 0, "mine")
    )
    with pytest.raises(Exception, match="could not be made"):
        bench.check()
    assert [sheet.title for sheet in bench.book.sheets] == ["Tracker", "Theirs", "New"]
    assert bench.book.sheet("New").value(0, 0) == "mine"
