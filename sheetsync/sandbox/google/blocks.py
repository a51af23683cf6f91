"""Rows of large sheets in files of their own, block by block: what has not changed is not written again.

Owns these files. What is in them is `store.py`'s, and the file that names them is the world's, which is put in place
after them: a kill in between leaves files that nobody names, and the next save takes them away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from operator import is_
from pathlib import Path
from typing import Any
from uuid import uuid4

from sheetsync.sandbox.google.grid import Row
from sheetsync.sandbox.google.store import Key, dump_rows

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    rows: list[Row]


class Blocks:
    """The blocks of one world, in a folder beside its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved: dict[Key, _Block] = {}
        self._current: dict[Key, _Block] = {}

    def keep(self, key: Key, rows: list[Row], full: bool) -> Json:
        """What stands for a block in the world's file: its rows where they are few, else the name of their file."""
        if not full:
            return dump_rows(rows)
        block = self._saved.get(key)
        if block is None or not self._is_on_disk(block, rows):
            block = _Block(f"{uuid4().hex}.json", rows)
            self._folder.mkdir(exist_ok=True)
            text = json.dumps(dump_rows(rows), ensure_ascii=False, separators=(",", ":"))
            (self._folder / block.name).write_text(text, encoding="utf-8")
        self._current[key] = block
        return {"file": block.name}

    def _is_on_disk(self, block: _Block, rows: list[Row]) -> bool:
        # Rows are replaced, never changed in place: the same rows are the same text.
        same = len(block.rows) == len(rows) and all(map(is_, block.rows, rows))
        return same and (self._folder / block.name).exists()

    def read(self, held: Json) -> Json:
        """The rows that `keep` gave something for."""
        if "file" not in held:
            return held
        found: Json = json.loads((self._folder / held["file"]).read_text(encoding="utf-8"))
        return found

    def saved(self) -> None:
        """To be called once the world's file is in place: files that it does not name are no longer needed."""
        self._saved, self._current = self._current, {}
        named = {block.name for block in self._saved.values()}
        for path in self._folder.glob("*.json"):
            if path.name not in named:
                path.unlink()
