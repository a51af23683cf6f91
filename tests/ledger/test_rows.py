"""Values and rows: each value comes back as it was, from columns that the released tables have."""

from __future__ import annotations

from typing import Any

import pytest
from ledger_calls import LATER, NOW, request

from sheetsync.ledger.rows import column_list, from_row, to_columns
from sheetsync.ledger.sqlite import SQLite
from sheetsync.ledger.store import Run
from sheetsync.model import Entry, Intent, IntentState, Mark, Origin, Refusal
from sheetsync.steps import KeptRow, RowSeen

VALUES: dict[str, Any] = {
    "ad_code_request": Entry(request(code="#a", created_at=NOW), Origin.ADOPTED_OPEN, 0, None, LATER),
    "intent": Intent(1, "v1", Mark.RENEW, None, "key", "{}", "run1", NOW, IntentState.UNCERTAIN),
    "refusal": Refusal("v1", Mark.CORRECT, 409, "no", 2, LATER),
    "run": Run("run1", NOW, LATER, 3, "text"),
    "row_seen": RowSeen("v1", ends=NOW, kept=(KeptRow("code 1", (NOW, LATER), NOW, 30, LATER), KeptRow())),
}


@pytest.mark.parametrize("table", VALUES)
def test_there_and_back(table: str) -> None:
    """A value is what it was, kinds and instants included."""
    value = VALUES[table]
    columns = to_columns(value)
    assert ", ".join(columns) == column_list(type(value))
    again = from_row(type(value), [*columns.values(), "of another column"])
    assert again == value
    assert repr(again) == repr(value)


@pytest.mark.parametrize("table", VALUES)
def test_columns_are_in_the_table(table: str) -> None:
    """A field that is renamed in the model must not look for a column that no released file has."""
    database = SQLite(None)
    there = {*database.columns(table)}
    assert set(to_columns(VALUES[table])) <= there
    database.close()
