"""PURE: what has to be right in a row before a credit is spent, and the body of the order that is sent then.

Owns the checks of the key cell and the gates of design 3. Which marks lead to an order is `marks.py`'s, whether the
credits suffice `limits.py`'s.
"""

import json
import re
from collections.abc import Collection
from dataclasses import replace

from sheetsync import notes
from sheetsync.columns import (
    OURS,
    PLATFORMS,
    Kind,
    header_of,
    hidden_headers,
    is_error,
    kind_of,
    length,
    locked_headers,
    ticked,
)
from sheetsync.model import Known, Row, Tracker
from sheetsync.projection.cells import hides_a_code
from sheetsync.steps import Hold

NOTE_LIMIT = 500
DEFAULT_APPROVALS = ("caption_final", "sound_cleared")
"""What a code locks, and what an ad must not use: asked for wherever a sheet has these columns (design 3)."""

TRAIL_LENGTH = 80
"""Characters of a cell that are kept with an order: a name or a word, not an essay."""

TOLD_OF_A_ROW = ("video_url", "creator", "client", "campaign", "market")
URL_LENGTH = 200

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{2,127}")


def key_problem(row: Row) -> str | None:
    """Why the key cannot be a TokPortal video id; None if it can. Raises nothing."""
    cell = row.cells.get("video_id", "")
    if not row.key:
        return notes.KEY_MISSING
    if is_error(cell):
        # `Loading...` would pass for an id: TokPortal knows no such video, and its row would be emptied
        return notes.key_shows(row.key)
    # TikTok post ids have 19 digits; Sheets makes numbers of them, which lose digits. TokPortal's ids are UUIDs
    if not isinstance(cell, str) or (row.key.isdigit() and len(row.key) >= 15):
        return notes.KEY_IS_A_NUMBER
    if "/" in row.key:
        return notes.KEY_IS_A_LINK
    if not _ID.fullmatch(row.key):
        # a zero-width space, say, that came with a paste: without it the id may be right
        seen = "".join(filter(str.isprintable, row.key))
        return notes.KEY_INVISIBLE if seen != row.key and _ID.fullmatch(seen) else notes.KEY_IMPOSSIBLE
    return None


def with_default_approvals(tracker: Tracker, known: Known, columns: Collection[str]) -> Tracker:
    """The tracker with its approvals named: those of the config, else the default ones that the sheet has or had."""
    if tracker.approve is not None:
        return tracker
    asked = tuple(key for key in DEFAULT_APPROVALS if key in columns or key in known.columns_seen)
    return replace(tracker, approve=asked)


def absent_gates(tracker: Tracker, columns: Collection[str]) -> list[str]:
    """Headers of the columns that orders rest on and that the sheet does not have."""
    return [header_of(key, tracker.columns) for key in tracker.gates if key not in columns]


def _asked(row: Row, tracker: Tracker) -> tuple[list[str], list[str]]:
    """The columns of the row that have to be ticked, and those that have to be filled in.

    An approval that is no checkbox (an owner's name, a date) is given by filling it in. What a team's own column holds
    nobody knows here: an approval there is a tick, or one of the words for it, so that a `no` never passes for a yes.
    """
    boxes = {key for key in tracker.gates if kind_of(key) is Kind.CHECKBOX}
    boxes |= {key for key in tracker.approve or () if kind_of(key) is None}
    asked = dict.fromkeys(key for key in tracker.gates if key in row.columns)
    return [key for key in asked if key in boxes], [key for key in asked if key not in boxes]


def _says(row: Row, key: str) -> str:
    """What is filled in; an unticked box is empty, though its cell says FALSE, and so is what shows an error."""
    cell = row.cells.get(key, "")
    return "" if cell is False or is_error(cell) else row.text(key)


def failed_gates(row: Row, tracker: Tracker) -> list[str]:
    """What must be put right in the row before it may cost credits (design 3, gates)."""
    tracker = with_default_approvals(tracker, Known(), row.columns)
    failed = []
    note, platform = row.text("note"), row.text("platform").casefold()
    if _UUID.fullmatch(row.key) and row.key != row.key.lower():
        # to TokPortal the same video as in small letters, which another row may hold: each would order a code of it
        failed.append(notes.SMALL_LETTERS)
    if length(note) > NOTE_LIMIT:
        failed.append(f"Note has {length(note)} characters, TokPortal takes {NOTE_LIMIT}")
    if platform and platform not in PLATFORMS:
        failed.append(f"Platform must be {' or '.join(PLATFORMS)}")
    to_tick, to_fill = _asked(row, tracker)
    # a formula that found nothing, or whose source cannot be reached, says nothing about anything; a code that it hides
    # has to be known before it is written over
    needed = ("note", "spark_code", *to_fill) if hides_a_code(row) else ("note", *to_fill)
    wrong = {key: row.text(key) for key in needed if is_error(row.cells.get(key, ""))}
    failed += [notes.mend(header_of(key, tracker.columns), text) for key, text in wrong.items()]
    empty = [header_of(key, tracker.columns) for key in to_fill if key not in wrong and not _says(row, key)]
    if empty:
        failed.append(f"fill in {', '.join(empty)}")
    # fails shut: a header that somebody renamed must not let every row through
    absent = absent_gates(tracker, row.columns)
    if absent:
        failed.append(f"put back the column {', '.join(absent)}, or have the configuration say what it is called now")
    unticked = [header_of(key, tracker.columns) for key in to_tick if not ticked(row.cells.get(key, ""))]
    if unticked:
        failed.append(f"tick {', '.join(unticked)}")
    if locked := locked_headers(row, tracker.columns, (*OURS, "action")):
        # what was ordered could not be written into the row, nor its mark be cleared
        failed.append(notes.let_edit(locked))
    if row.owed:
        # what stands there is our own, and may pass for an approval
        failed.append(notes.let_put_back(sorted(row.owed)))
    if hidden := hidden_headers(row, tracker.columns):
        failed.append(notes.unmerge(hidden))
    return failed


def held_back(row: Row, tracker: Tracker) -> Hold | None:
    """The hold of a row whose gates are not all open; behind them is an order, whatever becomes of its request."""
    failed = failed_gates(row, tracker)
    return Hold(row.key, row.number, notes.waits(failed), may_order=True) if failed else None


def order_body(row: Row) -> str:
    """The exact JSON body of an order (API page, Request Body); it is sent again byte for byte."""
    # what is empty is left out: TokPortal's own default is meant then
    fields = {"note": row.text("note"), "platform": row.text("platform").casefold()}
    return json.dumps({name: text for name, text in fields.items() if text}, ensure_ascii=False)


def approval_trail(row: Row, tracker: Tracker) -> dict[str, object]:
    """Who let an order pass, in the words of its row: the boxes ticked, what was filled in, and the Approval owner.

    And whose it is: once the row is gone, nothing else tells.
    """
    to_tick, to_fill = _asked(row, tracker)
    owner = () if "approval_owner" in to_fill else ("approval_owner",)
    filled = {header_of(key, tracker.columns): row.text(key)[:TRAIL_LENGTH] for key in (*to_fill, *owner)}
    trail = {
        "ticked": [header_of(key, tracker.columns) for key in to_tick],
        "filled": {header: text for header, text in filled.items() if text},
        "row": {key: text for key in TOLD_OF_A_ROW if (text := row.text(key)[:URL_LENGTH])},
    }
    return {part: found for part, found in trail.items() if found}


def order_basis(row: Row, tracker: Tracker) -> tuple[str, str, str, bool]:
    """All that an order rests on: mark, what the row shows, what TokPortal is told, whether the gates are open.

    An order is sent only while this stands as it stood when it was planned (design 4.1).
    """
    return *row.wish, order_body(row), not failed_gates(row, tracker)
