"""What the oracle knows of a video's codes: every generation, what people typed of each code, and when each ends.

Told by design 2 and 5 read anew: its choice of the code in use, its dates and its memory are its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Line = Mapping[str, Any]
"""A row of the sheet: the cells by header, empty ones left out; under `#` its row number."""

PICK = "pick the date, or type it as 2026-04-03."
OF_A_CODE = ("Known expiry", "Paid status", "Renewal decision")
NEXT = ""
"""In the place of a code: the one that comes next."""


@dataclass(frozen=True)
class Seen:
    """An ad code request as a run saw it last, and how it came to the tracker; or, without a time, a typed code.

    `days` are those that its row had while it was the latest; `ends` is what a row told of a typed code.
    """

    id: str
    status: str
    platform: str
    created: datetime | None
    submitted: datetime | None
    delivered: datetime | None
    code: str
    origin: str = "found"
    charged: int | None = None
    left: int | None = None
    days: int | None = None
    ends: datetime | None = None

    @property
    def open(self) -> bool:
        return self.status not in ("finalized", "cancelled")

    @property
    def usable(self) -> str:
        """The code, unless its request was cancelled."""
        return "" if self.status == "cancelled" else self.code


@dataclass(frozen=True)
class Code:
    """A code that was not cancelled, and where it stands in its time."""

    of: Seen
    ends: datetime | None
    word: str

    @property
    def text(self) -> str:
        return self.of.usable

    @property
    def runs(self) -> bool:
        return self.word != "expired"


@dataclass
class Said:
    """What people typed into one cell: what it said last, and what it said of each code."""

    last: Any
    of: dict[str, Any] = field(default_factory=dict)


class Authorizations:
    """The codes of all videos."""

    def __init__(self, zone: str, days: int, warn_hours: int) -> None:
        self.zone, self.days, self.warn = ZoneInfo(zone), days, timedelta(hours=warn_hours)
        self.generations: dict[str, list[Seen]] = {}
        """Of each video, newest first; typed codes, which nobody knows the age of, last, and among them those taken in
        later first; of those of one run, the first row's.
        """
        self.first: dict[str, Line] = {}
        """The first row of each video, as it was last read."""
        self.said: dict[tuple[str, str], Said] = {}
        self.worked_out: dict[str, set[datetime]] = {}
        """By video, the ends of codes of people's own that followed from Known expiry or Received at."""

    @property
    def latest(self) -> dict[str, Seen]:
        return {video: found[0] for video, found in self.generations.items()}

    def enter(self, video: str, seen: Seen) -> None:
        """The latest request, anew or for the first time."""
        found = self.generations.setdefault(video, [])
        if found and found[0].id == seen.id:
            found[0] = seen
        else:
            found.insert(0, seen)

    # --- reading what people typed -------------------------------------------------------------------------------

    def read(self, lines: Sequence[Line]) -> None:
        """A run reads the sheet: each value is of the code that its row shows."""
        self.first = {text(line, "Video ID"): line for line in reversed(lines) if text(line, "Video ID")}
        for video, line in self.first.items():
            for column in OF_A_CODE:
                self._read(video, column, line.get(column, ""), text(line, "Spark code"))

    def _read(self, video: str, column: str, value: Any, shown: str) -> None:
        said = self.said.get((video, column))
        if said is None:
            if value != "":
                self.said[video, column] = Said(value, {shown: value})
            return
        if shown and NEXT in said.of:
            typed = said.of.pop(NEXT)  # the code that it was typed for has come
            said.of[shown] = typed if typed != "" else said.of.get(shown, "")
        if value != said.last or type(value) is not type(said.last):
            said.last = said.of[shown] = value

    def of_code(self, video: str, column: str, code: str) -> Any:
        """What people said of a code."""
        said = self.said.get((video, column))
        return said.of.get(code, said.of.get(NEXT, "")) if said else ""

    def keep_days(self) -> None:
        """The days that the rows have now are those of the latest requests."""
        for video, line in self.first.items():
            found = self.generations.get(video)
            if found and found[0].created:
                found[0] = replace(found[0], days=number_of_days(line.get("Authorization days", "")) or self.days)

    def take_in(self, lines: Sequence[Line]) -> None:
        """Codes that people typed where a request is now known stay in the books; of several, the first row's first."""
        taken = Counter[str]()
        keys: dict[str, set[str]] = {}
        for line in lines:
            keys.setdefault(text(line, "Spark code"), set()).add(text(line, "Video ID"))
        known = {seen.code for found in self.generations.values() for seen in found}
        for line in lines:
            video, code = text(line, "Video ID"), text(line, "Spark code")
            is_typed = code and not text(line, "Request ID") and code not in known and keys[code] == {video}
            if is_typed and video in self.generations:
                found = self.generations[video]
                at = next((n for n, seen in enumerate(found) if not seen.created), len(found))
                found.insert(at + taken[video], self.typed(line))
                taken[video] += 1
                known.add(code)

    def typed(self, line: Line) -> Seen:
        """A code that came from elsewhere: Received at + days, else a date in Expires at, gives its end."""
        received, typed = self.date(line.get("Received at", "")), self.date(line.get("Expires at", ""))
        if self.is_worked_out(line):
            typed = None  # that was the program's, because of what stood beside the code
        days, platform = number_of_days(line.get("Authorization days", "")), text(line, "Platform").lower()
        ends = typed if isinstance(typed, datetime) else None
        if isinstance(received, datetime) and platform != "instagram":
            ends = received + timedelta(days=days or self.days)
        return Seen("", "", platform, None, None, None, text(line, "Spark code"), ends=ends)

    def is_worked_out(self, line: Line) -> bool:
        """Whether Expires at says what once followed from Known expiry or Received at, and nobody typed."""
        typed = self.date(line.get("Expires at", ""))
        return typed in self.worked_out.get(text(line, "Video ID"), ())

    # --- codes and their ends ------------------------------------------------------------------------------------

    def codes(self, line: Line, now: datetime) -> list[Code]:
        """All codes of a row's video that were not cancelled, newest first."""
        video = text(line, "Video ID")
        found = self.generations.get(video, [])
        if not found and text(line, "Spark code") and not text(line, "Request ID"):
            found = [self.typed(line)]
            known = self.date(self.of_code(video, "Known expiry", found[0].code))
            if isinstance(known, datetime) or isinstance(self.date(line.get("Received at", "")), datetime):
                end = self.end(video, found[0])
                if end:
                    self.worked_out.setdefault(video, set()).add(end.replace(microsecond=0))
        ends = [(seen, self.end(video, seen)) for seen in found if seen.usable]
        return [Code(seen, end, self.word(end, now)) for seen, end in ends]

    def end(self, video: str, seen: Seen) -> datetime | None:
        """The earliest moment at which the authorization of a code can end."""
        known = self.date(self.of_code(video, "Known expiry", seen.code))
        if isinstance(known, datetime):
            return known
        if seen.created is None or seen.platform == "instagram":
            return seen.ends
        days = seen.days
        if days is None or seen.id == self.latest[video].id:
            days = number_of_days(self.first.get(video, {}).get("Authorization days", "")) or self.days
        return seen.created + timedelta(days=days)

    def word(self, ends: datetime | None, now: datetime) -> str:
        if ends is None:
            return "no window"
        if now >= ends:
            return "expired"
        return "renewal needed" if now >= ends - self.warn else "ok"

    @staticmethod
    def in_use(codes: Sequence[Code]) -> Code | None:
        """The newest that runs and was not reported; else the newest reported; else the newest expired.

        One without an end does not come before a later one that has ended.
        """
        first = next((n for n, code in enumerate(codes) if not code.runs), len(codes))
        running = [code for n, code in enumerate(codes) if code.runs and (code.ends or n < first)]
        for code in running:
            if code.of.status != "pending_corrections":
                return code
        if running:
            return running[0]
        return codes[0] if codes else None

    # --- dates: days since 1899-12-30 on the wall clock of the sheet -----------------------------------------------

    def serial(self, moment: datetime | None) -> float | str:
        if moment is None:
            return ""
        wall = moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
        since = wall - datetime(1899, 12, 30)
        return since.days + since.seconds / 86400

    def date(self, cell: Any) -> datetime | str | None:
        """The instant that a person typed; None for an empty cell; what to tell them where it is no date."""
        if cell == "":
            return None
        if isinstance(cell, int | float):
            days = int(cell)
            wall = datetime(1899, 12, 30) + timedelta(days=days, seconds=round((cell - days) * 86400))
        elif re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", cell):
            wall = datetime.strptime(cell if " " in cell else f"{cell} 00:00", "%Y-%m-%d %H:%M")
        else:
            return f"'{cell}' can be read in two ways or none; {PICK}"
        # an hour that comes twice in autumn: the earlier, since this is the earliest moment at which it can end
        return min(wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def number_of_days(cell: Any) -> int | None:
    """A whole number of days; None for anything else."""
    found = re.fullmatch(r"(\d+)( days)?", str(cell))
    return int(found[1]) if found and int(found[1]) > 0 else None


def text(line: Line, name: str) -> str:
    return str(line.get(name, "")).strip()
