"""The error tree: types with fields, and the one place that turns them into advice.

    SheetsyncError                    exit code
    |-- ConfigError                   2   every problem of the configuration at once
    |-- HeaderError                   2   a header is missing or doubled
    |-- GateColumnMissing             2   an approval, or a required column, is not in the sheet
    |-- BadImport                     2   a file that cannot be imported as it is
    |-- NoKeyColumn                   2   a tab that is no tracker yet, and may be somebody's other work
    |-- NotFound                      2   a spreadsheet or tab that is not there
    |-- UnknownVideos                 2   videos that a command names, and that are nowhere
    |-- UnknownNote                   2   a text that is no Sync note
    |-- CopyFailed                    2   a copy of the ledger that cannot be written
    |-- MissingExtra                  2   a library that was not installed with the program
    |-- UnknownTimeZone               2   the spreadsheet's zone is not known on this machine
    |-- Refused                       3   the plan exceeds a limit, or the sheet has shrunk
    |-- Locked                        4   another run holds the tracker
    |-- TakenOver                     4   another run has taken it, while this one was cut off or stood still
    |-- CredentialsError              5   Google or TokPortal does not let us in
    |-- Unexpected                    1   a mistake of ours
    |-- Interrupted                   1   a person or the machine stopped the run
    `-- Unavailable                   1   something did not answer; the next run goes on
        `-- OutOfTime                 1   the run has to end; the next one goes on

Errors of single calls to TokPortal and TikTok, which the plan and the protocol tell apart (design 4):

    |-- CallRefused                   1   a definite 4xx: nothing was done
    |-- CallNotSent                   1   too late to be sent: nothing was done
    |-- CallUncertain                 1   no clear answer: it may have been done
    `-- CodeRefused                   1   TikTok does not accept a code

Owns no I/O. Every message says what, why, and what to do next.
"""

from collections.abc import Sequence

MENDED_BY_A_PERSON = (2, 3, 5)
"""Exit codes that no later run gets rid of by itself."""

MOST_PROBLEMS = 20
"""So many complaints about a file are shown: who has got the wrong file need not read of each line."""


class SheetsyncError(Exception):
    """Base of all errors that a user may see; `exit_code` as in design 7."""

    exit_code = 1


class ConfigError(SheetsyncError):
    """The configuration cannot be used; `problems` are lines `file:line: key: what is wrong, what is expected`."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class HeaderError(SheetsyncError):
    """Headers that the tracker needs are missing, or stand twice."""

    exit_code = 2

    def __init__(
        self,
        tab: str,
        missing: Sequence[str],
        doubled: Sequence[tuple[str, Sequence[str]]],
        broken: Sequence[str] = (),
        unknown: Sequence[str] = (),
        keys: Sequence[str] = (),
    ) -> None:
        self.tab, self.missing, self.doubled, self.broken = tab, tuple(missing), tuple(doubled), tuple(broken)
        self.unknown, self.keys = tuple(unknown), tuple(keys)
        lines = [f"The header row (row 1) of tab '{tab}' cannot be used:"]
        if missing:
            names = ", ".join(f"'{name}'" for name in missing)
            # the name that a column has now is what tells a renamed one, which `init` would only add anew
            renamed = f" Renamed? sheetsync does not know {', '.join(unknown)}." if unknown else ""
            lines.append(f"  missing: {names}.{renamed}")
            named = "; ".join(f"{key}: ..." for key in keys)
            lines.append(f"  Rename it back, or say in the configuration what it is called: `columns: {{{named}}}`.")
            lines.append("  `sheetsync init` adds machine columns that are gone (beside a renamed one, a second one).")
        if missing and broken:
            lines.append(f"  {', '.join(broken)} shows #REF!: its formula finds no room. Type the header itself.")
        for name, cells in doubled:
            lines.append(f"  '{name}' stands in {' and '.join(cells)}: keep one of them, rename the other.")
        lines.append("Nothing was read further, ordered or written.")
        super().__init__("\n".join(lines))


class GateColumnMissing(SheetsyncError):
    """A column that orders rest on is not in the sheet: none is sent without it."""

    exit_code = 2

    def __init__(self, tab: str, headers: Sequence[str]) -> None:
        self.tab, self.headers = tab, tuple(headers)
        names = ", ".join(f"'{header}'" for header in headers)
        super().__init__(
            f"Tab '{tab}' has no column {names}, which orders rest on (`approve` or `require`), so none was sent. Put "
            "the header back, or have the configuration say what it is called now; codes are still fetched."
        )


class BadImport(SheetsyncError):
    """A file that cannot be imported as it is; `problems` are lines `file:line: what is wrong`, all of them."""

    exit_code = 2

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - MOST_PROBLEMS
        tail = [f"... and {more} more"] if more > 0 else []
        super().__init__("\n".join([*self.problems[:MOST_PROBLEMS], *tail, "Nothing was written."]))


class NoKeyColumn(SheetsyncError):
    """A tab has headers, but none for the key: it may well be somebody's other work."""

    exit_code = 2

    def __init__(self, tab: str, header: str) -> None:
        self.tab, self.header = tab, header
        super().__init__(
            f"Tab '{tab}' has headers, but no '{header}', so `sheetsync init` leaves it alone. Put that header over "
            "the column that is to hold TokPortal's video ids, or say under `columns: video_id:` what yours is called, "
            "or name another tab under `worksheet:` (a new one is made). Nothing was changed."
        )


class NotFound(SheetsyncError):
    """A spreadsheet or a tab is not there."""

    exit_code = 2


class UnknownVideos(SheetsyncError):
    """Videos that a command was called with, and that are not `where` it looks: most likely mistyped."""

    exit_code = 2

    def __init__(self, where: str, videos: Sequence[str]) -> None:
        self.where, self.videos = where, tuple(videos)
        names = ", ".join(f"'{video}'" for video in videos)
        super().__init__(f"{where} {names}. Is it the id in the key column?")


class UnknownNote(SheetsyncError):
    """A text that `explain` was called with, and that is no Sync note."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__("No note of sheetsync's says that. Paste the text of the Sync note cell, in quotes.")


class CopyFailed(SheetsyncError):
    """A copy of the ledger that cannot be written; nothing is left of it."""

    exit_code = 2

    def __init__(self, target: str, why: str) -> None:
        self.target, self.why = target, why
        super().__init__(
            f"{target}: the copy cannot be written ({why}): make room there, or name a file in another folder. The "
            "ledger is as it was, and nothing is left of the copy."
        )


class MissingExtra(SheetsyncError):
    """What was asked for needs a library that is only installed on request."""

    exit_code = 2

    def __init__(self, what: str, extra: str, library: str) -> None:
        self.what, self.extra, self.library = what, extra, library
        super().__init__(
            f"{what} needs the library {library}, which is not installed. In the folder that sheetsync was installed "
            f"from: pip install -c constraints.txt '.[{extra}]'"
        )


class LibraryMissing(SheetsyncError):
    """This Python is not the one that sheetsync was installed for."""

    exit_code = 2

    def __init__(self, library: str) -> None:
        self.library = library
        super().__init__(
            f"The library {library} is not installed for this Python: run sheetsync from its virtual environment "
            "(.venv/bin/sheetsync), or install it there again (README)."
        )


class UnknownTimeZone(SheetsyncError):
    """The spreadsheet is kept in a time zone that this machine does not know: no date in it could be told."""

    exit_code = 2

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"The spreadsheet's time zone '{name}' is not known here. Choose another under File > Settings, or update "
            "this machine's zones (pip install --upgrade tzdata). Nothing was ordered or written."
        )


class Unexpected(SheetsyncError):
    """A mistake of ours, or a failure of the machine in the system's `words`: what was done is in the ledger."""

    def __init__(self, error: BaseException, words: str = "") -> None:
        what = f"{type(error).__name__} ({words})" if words else type(error).__name__
        super().__init__(
            f"Something unexpected happened: {what}. What was done is in the ledger, and the next run "
            "goes on from there. Run the command with -v to see where, and report it."
        )


class Interrupted(SheetsyncError):
    """Ctrl-C or SIGTERM: what was done is in the ledger; `unsettled` orders may have been placed or not."""

    def __init__(self, unsettled: int) -> None:
        self.unsettled = unsettled
        looks = " Whether they were placed, the next run finds out by looking; none is charged twice."
        super().__init__(
            f"Stopped (Ctrl-C or SIGTERM); orders on the way: {unsettled or 'none'}.{looks if unsettled else ''} What "
            "was done is in the ledger. Run `sheetsync sync` to go on, and to put the sheet right."
        )


class Refused(SheetsyncError):
    """The plan is not carried out; the message says what would allow it."""

    exit_code = 3


class Locked(SheetsyncError):
    """Another run works on this tracker."""

    exit_code = 4

    def __init__(self, tracker: str, holder: str, age_seconds: int | None) -> None:
        self.tracker, self.holder, self.age_seconds = tracker, holder, age_seconds
        age = "" if age_seconds is None else f", started {age_seconds} s ago"
        super().__init__(
            f"Tracker '{tracker}' is being synced by another run ({holder}{age}). "
            "Nothing was done; wait for it to end, the next run goes on."
        )


class TakenOver(SheetsyncError):
    """Another run has taken the tracker over: this one may record, order and write nothing any more."""

    exit_code = 4

    def __init__(self, tracker: str, holder: str) -> None:
        self.tracker, self.holder = tracker, holder
        super().__init__(
            f"Tracker '{tracker}' was taken over by another run ({holder}), since this one was cut off from the ledger "
            "or stood still. From then on it did nothing. An order of its own that was on its way, the other finds out "
            "by looking; none is charged twice."
        )


class CredentialsError(SheetsyncError):
    """Google or TokPortal does not accept who we are, or what we may do."""

    exit_code = 5


class KeptOut(CredentialsError):
    """A protected range keeps us from all that would have to be written in a tab, notes included."""

    def __init__(self, title: str, account: str) -> None:
        self.title, self.account = title, account
        super().__init__(
            f"A protected range stops sheetsync: it can write nothing in the rows of tab '{title}'. Let "
            f"{account or 'the service account'} edit the machine columns (Data > Protect sheets and ranges)."
        )


class Unavailable(SheetsyncError):
    """A service did not answer usefully; nothing is known to have happened."""


class OutOfTime(Unavailable):
    """The run has to end (`run.max_seconds`): nothing more is asked or written."""

    def __init__(self) -> None:
        super().__init__("The run had to end (`run: max_seconds:`, or it was stopped) before this; the next goes on.")


class CallRefused(SheetsyncError):
    """TokPortal said a definite no (4xx): nothing was done, nothing was charged."""

    def __init__(self, http_status: int, code: str, message: str, request_id: str) -> None:
        self.http_status, self.code, self.message, self.request_id = http_status, code, message, request_id
        named = " ".join(part for part in (str(http_status), code) if part)
        tail = f" (support id {request_id})" if request_id else ""
        super().__init__(f"TokPortal said no: {named}: {message or 'no message'}{tail}")


class CallNotSent(SheetsyncError):
    """Too much time went by before an order could be sent: nothing left this machine, and it has to be looked again."""


class CallUncertain(SheetsyncError):
    """A call ended without a clear answer; only a look at TokPortal can tell whether it happened.

    `charged` is what an answer to an order told that it cost, though nothing else of it could be read.
    """

    def __init__(self, what: str, charged: int | None = None) -> None:
        self.charged = charged
        super().__init__(what)


class CodeRefused(SheetsyncError):
    """TikTok does not accept a code, or does not tell us of it (not `is_told`); `answer` is what it said."""

    def __init__(self, answer: str, is_told: bool = True) -> None:
        self.answer, self.is_told = answer, is_told
        super().__init__(f"TikTok does not accept the code ({answer})")
