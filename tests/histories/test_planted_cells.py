"""Tests of the tests, by hole: bugs about where a write lands, about starvation and time (`planting.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from support.bench import SandboxClock

from histories.planting import Bug, Patch
from sheetsync.model import Snapshot
from sheetsync.sheet import landing, matching, reading, repair, requests
from sheetsync.sheet.reading import Reader
from sheetsync.sync import run

pytestmark = pytest.mark.long


def tab_by_its_title(patch: Patch) -> None:
    """The tab is whatever bears the name by now, in what is read and in what a write's answer shows."""
    look, landed_in = Reader.look, requests.landed_in

    def any_tab(answers: Iterable[Any], _: int) -> Any:
        told = list(answers)
        shown = told[0]["updatedSpreadsheet"]["sheets"]
        tab = next(sheet for sheet in shown if sheet.get("data"))
        return landed_in(told, tab["properties"].get("sheetId", 0))

    def named(self: Reader, sheet_id: int | None = None) -> Snapshot:
        seen = look(self)
        return seen if sheet_id is None else replace(seen, sheet_id=sheet_id)

    patch.setattr(Reader, "look", named)
    patch.setattr(requests, "landed_in", any_tab)


def headers_left_as_they_are(patch: Patch) -> None:
    """A row above the headers is the team's affair, and what was written into them too."""
    patch.setattr(repair, "headers_to_restore", lambda *_: ())


def columns_never_come_and_go(patch: Patch) -> None:
    """Where nobody saw a write land, the columns stood as they stand now, or as they were read."""
    patch.setattr(landing, "chain", lambda known, _: known)


def landing_guessed_anew(patch: Patch) -> None:
    """What a later read tells of where a write landed is forgotten, and found out again from what stands there then."""
    repairs_for = repair.repairs_for

    def forgetful(writes: Iterable[Any], after: Snapshot) -> Any:
        made = tuple(writes)
        return made, *repairs_for(made, after)[1:]

    patch.setattr(repair, "repairs_for", forgetful)


def emptiness_tells_nothing(patch: Patch) -> None:
    """Rows of which a write only emptied cells are taken for unharmed."""
    carriers = landing._carriers

    def filled(*given: Any) -> Any:
        return [one for one in carriers(*given) if any(edit.value != "" for edit in one.edits)]

    patch.setattr(landing, "_carriers", filled)


def rows_to_come_are_all_alike(patch: Patch) -> None:
    """A row whose Video ID is still to come, and that a write hit, is told by what people have written there alone."""
    patch.setattr(matching, "_carrying", lambda *_: ())


def tables_are_overlooked(patch: Patch) -> None:
    """Dates are sent with their format wherever they stand."""
    patch.setattr(reading, "_typed", lambda *_: ())


def the_same_ones_first(patch: Patch) -> None:
    """Videos are asked about by their names, however long ago each was looked at."""
    due: Callable[..., Sequence[str]] = run.due
    patch.setattr(run, "due", lambda *given: tuple(sorted(due(*given))))


def no_end_of_a_run(patch: Patch) -> None:
    """A run may take as long as it likes."""
    patch.setattr(SandboxClock, "ends_in", lambda self, seconds: None, raising=False)


def refused_key_stops_all(patch: Patch) -> None:
    """A key that TokPortal refuses ends the run before the sheet is written."""

    def asked(self: run.Run, rows: Any, known: Any, snapshot: Snapshot, tracker: Any) -> Any:
        if run.needs_balance(rows):
            self.report.credits_left = self._balance()
        return self._observe(rows, known, snapshot, tracker)

    patch.setattr(run.Run, "_asked", asked)


BUGS = {
    "the tab by its title": Bug(tab_by_its_title, (1, 3, 7, 112), "tabs"),
    "headers left as they are": Bug(headers_left_as_they_are, (7,), "above"),
    "columns never come and go": Bug(columns_never_come_and_go, (3,), "undone"),
    "a landing guessed anew": Bug(landing_guessed_anew, (3, 115), "strays"),
    "emptiness tells nothing": Bug(emptiness_tells_nothing, (3, 115), "strays"),
    "rows to come are all alike": Bug(rows_to_come_are_all_alike, (3,), "boxes"),
    "tables are overlooked": Bug(tables_are_overlooked, (7,), "tables"),
    "the same ones first": Bug(the_same_ones_first, (117,), "starvation"),
    "no end of a run": Bug(no_end_of_a_run, (119,), "dripping"),
    "a refused key stops all": Bug(refused_key_stops_all, (6, 9)),
}


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_found(name: str, monkeypatch: Patch) -> None:
    """By the machine itself, within CI's budget."""
    assert BUGS[name].is_found(monkeypatch)
