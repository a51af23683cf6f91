"""The live check of Google Sheets: scratch tabs in the user's own spreadsheet, some dozen calls, and the tabs' end.

Owns the order of the calls, and that the tabs go whatever happens; what is sent and what it should come to is
`bench.py`'s and `cases.py`'s. Touches no other tab.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from sheetsync.clock import Clock
from sheetsync.errors import SheetsyncError
from sheetsync.live import bench, scratch
from sheetsync.live.cases import CASES, Case, told
from sheetsync.live.probe import NOT_TRIED, REFUSED, TAKEN, Finding, Probe
from sheetsync.live.recording import Exchanges
from sheetsync.model import Tracker
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.requests import ANSWER_FIELDS, quoted
from sheetsync.template.spreadsheet import spreadsheet_of

Json = dict[str, Any]
Answer = Mapping[str, Any]
T = TypeVar("T")

SKEW = timedelta(seconds=60)
QUOTA = Probe(
    "headers that tell of quotas", "none", "Nothing to do. Please report it: sheetsync could make use of them.", False
)


class GoogleCheck:
    """One check of one spreadsheet. `left_behind` says why the scratch tabs are still there, if they are."""

    def __init__(self, api: SheetsAPI, tracker: Tracker, clock: Clock, heard: Exchanges) -> None:
        self._api, self._tracker, self._clock, self._heard = api, tracker, clock, heard
        self._made: list[int] = []
        self._is_sure = True  # whether just those tabs are there
        self.left_behind = ""

    def findings(self) -> list[Finding]:
        """Everything, in the order of the table. Raises what keeps any of it from being tried."""
        try:
            return self._tried()
        finally:
            self._remove()

    def _tried(self) -> list[Finding]:
        there = self._tabs()
        new_id = spreadsheet_of({"sheets": there}).new_id
        ids = {title: new_id(nth) for nth, title in enumerate((*scratch.TITLES, scratch.NO_SUCH_TAB))}
        clocks = self._clocks()
        refused = self._make(ids, scratch.removing(scratch.recognised(there)))
        sheet_id = ids[scratch.BENCH]
        answers = self._cases(sheet_id, CASES)
        bad = (
            bench.past_the_grid(sheet_id),
            bench.half_bad(sheet_id, ids[scratch.NO_SUCH_TAB]),
            bench.unknown_tab(sheet_id),
        )
        refusals = [*map(self._outcome, bad), self._reads_no_such_tab()]
        made_table, table = self._table(ids[scratch.TABLE])
        table_range = [f"{quoted(scratch.TABLE)}!A2:B2"] if made_table else []
        values, *beside = self._api.values(self._tracker.spreadsheet, quoted(scratch.BENCH), *table_range)
        shown = self._api.metadata(self._tracker.spreadsheet, bench.READ_FIELDS, list(map(quoted, scratch.TITLES[:3])))
        rows = bench.lines(values, shown, sheet_id)
        cases = [bench.of_case(case, answers[case.name], rows, sheet_id) for case in CASES]
        in_table = [_values_of(finding, beside) for finding in table]
        of_tabs = bench.of_tabs(shown, refused, self._tracker)
        return [*cases, *bench.of_refusals(refusals, rows), *in_table, *of_tabs, *clocks]

    def _tabs(self) -> list[Any]:
        return list(self._api.metadata(self._tracker.spreadsheet, scratch.TABS_OF_ALL).get("sheets", []))

    def _clocks(self) -> list[Finding]:
        headers = self._heard.last.headers
        quotas = sorted(name for name in headers if "ratelimit" in name.lower() or "quota" in name.lower())
        return [
            clock_finding("Google's", _date(headers.get("Date", "")), self._clock.now()),
            Finding(QUOTA, ", ".join(quotas) or "none"),
        ]

    def _send(self, requests: Sequence[Json], fields: str = "spreadsheetId", **shown: Any) -> Answer | str:
        """The answer to a batch, or what Google said where it refused it (400). Raises what else keeps it away."""
        body = {"requests": list(requests), **shown}
        return self._asked(lambda: self._api.update(self._tracker.spreadsheet, body, fields))

    def _asked(self, call: Callable[[], T]) -> T | str:
        heard = len(self._heard.all)
        try:
            return call()
        except SheetsyncError as error:
            if len(self._heard.all) > heard and self._heard.last.status == 400:
                return str(error)
            raise

    def _create(self, requests: Sequence[Json], ids: Sequence[int]) -> str:
        """Send a batch that makes tabs; what Google said where it refused; that it made none then is not sure."""
        was_sure, self._is_sure = self._is_sure, False
        answer = self._send(requests)
        if isinstance(answer, str):
            return answer
        self._made += ids
        self._is_sure = was_sure
        return ""

    def _make(self, ids: Mapping[str, int], removing: Sequence[Json]) -> str:
        """The tabs, and what earlier checks left gone; what Google said to `init` on them, where it refused that."""
        tabs, init = bench.making(ids, self._tracker)
        made = [ids[title] for title in scratch.TITLES[:3]]
        refused = self._create([*removing, *tabs, *init], made)
        if refused and (again := self._create([*removing, *tabs], made)):
            raise SheetsyncError(f"The scratch tabs could not be made. {again}")
        return refused

    def _cases(self, sheet_id: int, cases: Sequence[Case]) -> dict[str, Answer | str]:
        """Fill and write the rows of cases in two calls; where one is refused, by halves, until it is known whose."""
        answer = self._send(**bench.filling(sheet_id, cases))
        if not isinstance(answer, str):
            answer = self._send(fields=bench.WRITE_FIELDS, **bench.writing(sheet_id, cases))
        if not isinstance(answer, str) or len(cases) == 1:
            return dict.fromkeys((case.name for case in cases), answer)
        half = len(cases) // 2
        return {**self._cases(sheet_id, cases[:half]), **self._cases(sheet_id, cases[half:])}

    def _outcome(self, body: Json) -> str:
        return REFUSED if isinstance(self._send(fields=ANSWER_FIELDS, **body), str) else TAKEN

    def _reads_no_such_tab(self) -> str:
        read = self._asked(lambda: self._api.values(self._tracker.spreadsheet, quoted(scratch.NO_SUCH_TAB)))
        return REFUSED if isinstance(read, str) else "read as empty"

    def _table(self, sheet_id: int) -> tuple[bool, list[Finding]]:
        """Whether a table could be made, and what is known then of what it takes."""
        table, values = bench.table_making(sheet_id), bench.table_values(sheet_id)
        refused = self._create([*table, *values], [sheet_id])
        if refused and self._create(table, [sheet_id]):
            return False, [Finding(probe, NOT_TRIED, refused) for probe in (bench.VALUES, bench.FORMATS)]
        formats = self._send(bench.table_formats(sheet_id))
        return True, [
            Finding(bench.VALUES, REFUSED if refused else TAKEN, refused),
            Finding(bench.FORMATS, REFUSED if isinstance(formats, str) else TAKEN),
        ]

    def _remove(self) -> None:
        """The tabs go; those alone that this check is known to have made, or that bear title and mark."""
        try:
            if ids := self._made if self._is_sure else scratch.recognised(self._tabs()):
                self._api.update(self._tracker.spreadsheet, {"requests": scratch.removing(ids)}, "spreadsheetId")
        except SheetsyncError as error:
            self.left_behind = str(error)


def clock_finding(whose: str, there: datetime | None, here: datetime) -> Finding:
    """How far this machine's clock is off another's."""
    advice = "Set this machine's clock (for example with ntp): sign-ins would fail."
    probe = Probe(f"{whose} clock", "agrees", advice)
    if there is None:
        return Finding(probe, NOT_TRIED, "the answer bears no date")
    seconds = int(abs((here - there).total_seconds()))
    return Finding(probe, "agrees" if seconds <= SKEW.total_seconds() else f"{seconds} s off")


def _date(header: str) -> datetime | None:
    with suppress(ValueError):
        return parsedate_to_datetime(header)
    return None


def _values_of(finding: Finding, beside: Sequence[Sequence[Sequence[Any]]]) -> Finding:
    """What stands in the table, where values were taken there."""
    if finding.probe is not bench.VALUES or finding.seen != TAKEN:
        return finding
    cells = beside[0][0] if beside and beside[0] else ()
    return Finding(bench.VALUES, "; ".join(map(told, cells)) or "empty")
