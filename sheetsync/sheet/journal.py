"""PURE: a write that was begun and whose end nobody saw, as text that outlives a crash.

Owns the format. Where the text is kept is the ledger's business; what puts such a write right is `repair.py`'s.

The read that a write was made from is kept whole, and packed: people may sort rows and move columns between the two,
so that any cell may be hit, and nothing else tells what stood there or which row it was.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sheetsync.columns import rows_of, zone
from sheetsync.lines import as_lines
from sheetsync.model import Snapshot
from sheetsync.sheet.edits import ClearMark, Edit, Landed, Sent, SetCell

LEVEL = 3
"""In about the time that reading the text takes; the highest level saves a fifth more, and takes ten times as long."""

NOT_PACKED = "["
"""How a journal begins that an earlier version wrote."""


def to_journal(writes: Iterable[Sent]) -> str:
    """Writes that are not known to stand where they should, with all that is needed to put back what they hit."""
    packer = zlib.compressobj(LEVEL)
    # a part at a time: the text of a whole tab is never there at once
    packed = [packer.compress(part) for part in _to_json(writes)]
    return b64encode(b"".join([*packed, packer.flush()])).decode()


def from_journal(text: str) -> tuple[Sent, ...]:
    """The writes of a run that was killed, the reads they were made from, and where they landed if that was seen.

    Raises ValueError, LookupError, TypeError for what another version wrote.
    """
    writes, before = list[Sent](), None
    for data in json.loads(text if text.startswith(NOT_PACKED) else _unpacked(text)):
        if before is None or data["grid"] is not None:
            before = _read_from_json(data)
        landed = data["landed"] and _landed_from_json(data["landed"])
        writes.append(Sent(tuple(_edit_from_json(*edit) for edit in data["edits"]), landed, before))
    return tuple(writes)


def _unpacked(text: str) -> bytes:
    try:
        return zlib.decompress(b64decode(text, validate=True))
    except zlib.error as error:
        raise ValueError("no journal") from error


def _to_json(writes: Iterable[Sent]) -> Iterator[bytes]:
    read, comma = None, b""
    yield b"["
    for sent in writes:
        # the calls of a write are made from one read: a tab of thousands of rows is not kept once for each
        yield comma + b'{"grid": '
        yield from as_lines(sent.before.grid).to_json() if sent.before is not read else [b"null"]
        yield b", " + json.dumps(_rest(sent))[1:].encode()
        read, comma = sent.before, b", "
    yield b"]"


def _rest(sent: Sent) -> dict[str, object]:
    """A write without the cells of the read that it was made from."""
    before, landed = sent.before, sent.landed
    return {
        "edits": [_edit_to_json(edit) for edit in sent.edits],
        "tab": before.sheet_id,
        "columns": dict(before.columns),
        "time_zone": before.time_zone,
        "read_at": before.read_at.isoformat(),
        "landed": landed and _landed_to_json(landed),
    }


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


def _read_from_json(data: Mapping[str, Any]) -> Snapshot:
    grid, columns = tuple(tuple(cells) for cells in data["grid"]), dict(data["columns"])
    if not {"video_id", "action", "updated_at"} <= columns.keys():
        raise ValueError("nothing that this version could have written")
    zone(data["time_zone"])
    return Snapshot(
        sheet_id=data["tab"],
        title="",
        time_zone=data["time_zone"],
        columns=columns,
        rows=rows_of(grid, columns),
        grid=grid,
        read_at=datetime.fromisoformat(data["read_at"]),
    )


def _edit_from_json(row: int, column: int, key: str, value: Any, is_instant: bool, mark: str) -> Edit:
    if mark:
        return ClearMark(row, column, key, mark)
    return SetCell(row, column, key, datetime.fromisoformat(value) if is_instant else value)
