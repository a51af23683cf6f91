"""PURE: a write that was begun and whose end nobody saw, as text that outlives a crash.

Owns the format. Where the text is kept is the ledger's business; what puts such a write right is `repair.py`'s.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sheetsync.columns import rows_of, zone
from sheetsync.lines import as_lines
from sheetsync.model import Snapshot
from sheetsync.sheet.edits import ClearMark, Edit, Landed, Sent, SetCell


def to_journal(writes: Iterable[Sent]) -> str:
    """Writes that are not known to stand where they should, with all that is needed to put back what they hit."""
    texts, read = list[str](), None
    for sent in writes:
        # the calls of a write are made from one read: a tab of thousands of rows is not kept once for each
        texts.append(_write_to_json(sent, with_grid=sent.before is not read))
        read = sent.before
    return f"[{', '.join(texts)}]"


def from_journal(text: str) -> tuple[Sent, ...]:
    """The writes of a run that was killed, the reads they were made from, and where they landed if that was seen.

    Raises ValueError, LookupError, TypeError for what another version wrote.
    """
    writes, grid = list[Sent](), None
    for data in json.loads(text):
        grid = data["grid"] if grid is None or data["grid"] is not None else grid
        writes.append(_write_from_json({**data, "grid": grid}))
    return tuple(writes)


def _write_to_json(sent: Sent, with_grid: bool) -> str:
    before, landed = sent.before, sent.landed
    rest = {
        "edits": [_edit_to_json(edit) for edit in sent.edits],
        "tab": before.sheet_id,
        "columns": dict(before.columns),
        "time_zone": before.time_zone,
        "read_at": before.read_at.isoformat(),
        "landed": landed and _landed_to_json(landed),
    }
    # the text of most lines is at hand: a whole tab is not made anew of its cells
    grid = as_lines(before.grid).to_json() if with_grid else "null"
    return f'{{"grid": {grid}, {json.dumps(rest, ensure_ascii=False)[1:]}'


def _landed_to_json(landed: Landed) -> dict[str, object]:
    lines, guessed = [*landed.rows.items()], sorted(landed.guessed)
    return {"headers": landed.headers, "lines": lines, "later": landed.is_later, "guessed": guessed}


def _landed_from_json(data: Mapping[str, Any]) -> Landed:
    guessed = frozenset(data["guessed"])
    return Landed(data["headers"], dict(data["lines"]), is_later=data["later"], guessed=guessed)


def _edit_to_json(edit: Edit) -> list[object]:
    # [row, column, key, value, whether the value is an instant, the mark if it is one to clear]
    place = [edit.row, edit.column, edit.key]
    if isinstance(edit, ClearMark):
        return [*place, "", False, edit.mark]
    if isinstance(edit.value, datetime):
        return [*place, edit.value.isoformat(), True, ""]
    return [*place, edit.value, False, ""]


def _write_from_json(data: Mapping[str, Any]) -> Sent:
    grid, columns = tuple(tuple(cells) for cells in data["grid"]), dict(data["columns"])
    if not {"video_id", "action", "updated_at"} <= columns.keys():
        raise ValueError("nothing that this version could have written")
    zone(data["time_zone"])
    before = Snapshot(
        sheet_id=data["tab"],
        title="",
        time_zone=data["time_zone"],
        columns=columns,
        rows=rows_of(grid, columns),
        grid=grid,
        read_at=datetime.fromisoformat(data["read_at"]),
    )
    landed = data["landed"] and _landed_from_json(data["landed"])
    return Sent(tuple(_edit_from_json(*edit) for edit in data["edits"]), landed, before)


def _edit_from_json(row: int, column: int, key: str, value: Any, is_instant: bool, mark: str) -> Edit:
    if mark:
        return ClearMark(row, column, key, mark)
    return SetCell(row, column, key, datetime.fromisoformat(value) if is_instant else value)
