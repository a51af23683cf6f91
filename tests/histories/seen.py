"""What the judge of a history keeps of it, and the few facts it judges by: design 3's table, told a second time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from histories.desk import KEY, ROW, Machine
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sync.report import Report

CHANGES = ("portal.order", "portal.correct", "sheets.batchUpdate")
Line = list[Any]
Place = tuple[str, str]
"""A row and a column, by their identities."""


@dataclass(slots=True, eq=False)
class Wish:
    """One mark that a person made; `charges` were ordered for it, `stale` is what runs had been told by then."""

    row: str
    word: str
    charges: list[AdCodeRequest] = field(default_factory=list)
    stale: list[Answer] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """Whether credits were spent on it, and not given back."""
        return any(not request.refunded for request in self.charges)

    def told(self, among: Sequence[AdCodeRequest]) -> bool:
        """Whether one of these requests shows that it is served."""
        return any(not request.refunded and request in among for request in self.charges)


@dataclass(frozen=True, slots=True)
class Answer:
    """A request as TokPortal told it to a run."""

    id: str
    status: str
    code: str | None


@dataclass(slots=True)
class Read:
    """The sheet as a run read it, and the wishes that stood in it."""

    lines: list[Line]
    tokens: list[str]
    wishes: Mapping[str, list[Wish]]
    hit: Mapping[Place, Any]
    names: frozenset[str]  # the columns whose headers are not renamed

    def at(self, line: int, column: int) -> Any:
        """A cell; beyond the end, empty; where a write had hit it by mistake, what is to be put back."""
        if self.hit:
            place = (self._raw(line, self.tokens.index(ROW)), self.tokens[column] if column < len(self.tokens) else "")
            if place in self.hit:
                return self.hit[place]
        return self._raw(line, column)

    def _raw(self, line: int, column: int) -> Any:
        cells = self.lines[line] if line < len(self.lines) else []
        return shown(cells[column]) if column < len(cells) else ""

    def key(self, line: int) -> str:
        """The video id in a line."""
        return text(self.at(line, self.tokens.index(KEY)))

    def rows(self, key: str) -> Iterator[dict[str, Any]]:
        """The rows with a key, by column."""
        for line in range(1, len(self.lines)):
            if self.key(line) == key:
                yield {token: self.at(line, n) for n, token in enumerate(self.tokens)}


@dataclass(slots=True)
class Run:
    """What a run did and saw so far. `known` counts a video's requests at its last answer; `people` edited."""

    machine: Machine
    first_call: int
    read: Read | None = None
    tab: Sheet | None = None  # the one that it read first: its own
    latest: dict[str, Answer | None] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    claimed: set[str] = field(default_factory=set)
    changes: list[str] = field(default_factory=list)
    meant: dict[Place, Any] = field(default_factory=dict)  # by video and by row, and column
    notes: set[Place] = field(default_factory=set)  # by video, what was ever meant for a note of it
    people: bool = False
    typed: set[Place] = field(default_factory=set)  # by people, since the run read the sheet last
    away: timedelta = timedelta()  # passed meanwhile, and not because of its own calls and waits
    unpaid: set[str] = field(default_factory=set)  # rows whose mark was cleared without having been charged


@dataclass(slots=True)
class Damage:
    """A cell that a write hit by mistake, with what stood there; `by` has to put it back."""

    was: Any
    by: Machine
    kills: int = 0  # of how many runs in a row it was the last, and which hit it


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must never be: which invariant, and what was seen."""

    invariant: int
    text: str


def cells_of(request: Mapping[str, Any], sheet_id: int) -> Iterator[tuple[int, int, Any]]:
    """Line, column and value of each cell that a request of a write is to change in the tracker."""
    if "findReplace" in request:
        area, new = request["findReplace"]["range"], request["findReplace"].get("replacement", "")
        if area.get("sheetId", 0) == sheet_id:
            yield area["startRowIndex"], area["startColumnIndex"], new
        return
    start = request["updateCells"]["start"]
    if start.get("sheetId", 0) == sheet_id:
        for column, cell in enumerate(request["updateCells"]["rows"][0]["values"], start["columnIndex"]):
            yield start["rowIndex"], column, next(iter(cell.get("userEnteredValue", {"": ""}).values()))


def reached_the_sheet(report: Report) -> bool:
    """Whether the run came as far as its last write; an error that stops it before that is told by its exit code."""
    # with a key that TokPortal refuses nothing is asked, and the sheet is written all the same
    return report.error is None or report.exit_code == 3 or "tokportal.api_key" in str(report.error)


ID = re.compile(r"(?=.*[0-9_-])(?=.*[A-Za-z])[\w.:-]+")
"""What may be a request's id: letters, and with them digits or hyphens."""


def id_in(cell: Any) -> str:
    """The request that a row shows: a word that can be no id is none."""
    said = text(cell)
    return said if ID.fullmatch(said) else ""


def due(mark: str, saw: str, latest: Answer | None) -> bool:
    """Design 3's table: whether the mark orders, given what the row shows and TokPortal's latest request."""
    if mark == "request":
        return latest is None or (latest.status == "cancelled" and saw in ("", latest.id))
    return latest is not None and saw == latest.id and latest.status in ("finalized", "cancelled")


def gates_open(row: Mapping[str, Any], names: frozenset[str]) -> bool:
    note = text(row["Note"]) if "Note" in names else ""
    return row["Caption final"] is True and len(note) <= 500


def done(mark: str, saw: str, answer: Answer) -> bool:
    """Design 3's table: whether the mark is done, given what the row shows and a request that TokPortal told of."""
    if mark == "request":
        return (answer.id != saw and not (answer.status == "cancelled" and not saw)) or is_open(answer)
    if mark == "renew":
        return answer.id != saw
    return mark == "correct" and answer.status == "pending_corrections"


def is_open(answer: Answer) -> bool:
    return answer.status not in ("finalized", "cancelled")


def shown(cell: Any) -> Any:
    """What a cell of the sandbox shows; empty is the empty text."""
    return "" if cell is None or cell.value is None else cell.shown


def text(value: Any) -> str:
    """A cell as trimmed text."""
    return value.strip() if isinstance(value, str) else str(value)
