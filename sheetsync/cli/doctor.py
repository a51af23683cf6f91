"""`sheetsync doctor`: look at everything a sync needs, in the order in which it needs it.

Owns the checks and their words. Changes nothing, orders nothing; each check says ok or what to do.
"""

import os
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from sheetsync.cli import credits
from sheetsync.cli.config import unwritable
from sheetsync.cli.init import missing, read_spreadsheet
from sheetsync.cli.live import Options, live
from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import count
from sheetsync.cli.tiktok import of_tiktok
from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, MACHINE_KEYS, OURS, bind, header_of, hidden_headers
from sheetsync.config.load import Config
from sheetsync.errors import ConfigError, CredentialsError, GateColumnMissing, HeaderError, SheetsyncError
from sheetsync.ledger.lock import lock_path
from sheetsync.ledger.opening import exists
from sheetsync.ledger.sqlite import MEND, folder_of
from sheetsync.ledger.store import Ledger
from sheetsync.live.scratch import TITLES
from sheetsync.model import Price, Snapshot, Tracker
from sheetsync.notes import unmerge
from sheetsync.plan.gates import absent_gates, key_problem
from sheetsync.plan.limits import CONFIRM
from sheetsync.plan.situation import acting
from sheetsync.sheet.api import SheetsAPI, connect
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import may_write
from sheetsync.state import Server, State
from sheetsync.sync.clients import clock_for
from sheetsync.template import theirs
from sheetsync.template.spreadsheet import Tab
from sheetsync.tokportal.client import TokPortal

SKEW_LIMIT = 60
"""Seconds by which this machine's clock may differ: Google refuses sign-ins from clocks minutes off."""

ROOM = 1_000_000
"""Bytes that must fit beside the ledger: its next runs write far less."""

ACTED_ON = ("action", "platform", "paid_status")
"""Columns whose words decide what sheetsync does; in other dropdowns a team may have words of its own."""


@click.command()
@selecting("trackers")
@click.option("--live", "is_live", is_flag=True, help="Try on the services themselves what the safety rests on.")
@click.option("--yes", is_flag=True, help="With --live: do not ask before it starts.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="With --live: what went to and fro, redacted."
)
@click.option("--live-correct", is_flag=True, help="With --live: also whether corrections take the API key.")
def doctor(selection: Selection, is_live: bool, yes: bool, save: Path | None, live_correct: bool) -> None:
    """Check configuration, keys, sheets and TokPortal; each line says ok, or what to do. Changes nothing.

    With --live it tries, in hidden scratch tabs of your own spreadsheet, what sheetsync relies on: what stays text,
    what a write changes and shows, what is refused. The tabs are removed at the end, or by the next such check; nothing
    is ordered. Exit code 1 if something differs, or could not be tried, that money or the cells of people rest on.
    """
    if is_live:
        sys.exit(0 if live(selection, Options(yes, save, live_correct)) else 1)
    if yes or save or live_correct:
        raise click.UsageError("--yes, --save and --live-correct go with --live.")
    failed = []
    for check in checks(selection):
        if check.ok is False:
            failed.append(check)
        else:
            click.echo(plain(check.line()))
    # last, where somebody who runs it at a terminal looks first
    for check in failed:
        click.echo(click.style(plain(check.line()), fg="red"))
    sys.exit(max((check.exit_code for check in failed), default=0))


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, whether it is fine, and what to do if not. `ok` None: a remark, not a failure.

    `exit_code` is that of a check that failed (design 7).
    """

    name: str
    ok: bool | None
    text: str
    exit_code: int = 1

    def line(self) -> str:
        """The check as it is printed."""
        word = {True: "ok  ", False: "FAIL", None: "note"}[self.ok]
        return f"{word}  {self.name}: " + self.text.replace("\n", "\n      ")


def failure(name: str, error: SheetsyncError) -> Check:
    """A check that ended with this error."""
    return Check(name, False, str(error), error.exit_code)


def checks(selection: Selection) -> Iterator[Check]:
    """All checks, as they are made; what a failed one makes pointless is left out."""
    return _until_failure("configuration", _configuration(selection))


def _until_failure(name: str, found: Iterator[Check]) -> Iterator[Check]:
    """Checks, with the error that ends them, if one does, as the last."""
    try:
        yield from found
    except SheetsyncError as error:
        yield failure(name, error)


def _configuration(selection: Selection) -> Iterator[Check]:
    """The file, and then all that it names."""
    config, trackers = selection.load()
    clock = clock_for(config)
    yield Check("configuration", True, f"{config.path}: {len(config.trackers)} tracker(s)")
    yield from _kept_private("configuration", config.path.parent / ".env")
    yield from _until_failure("Google key", _google(config, trackers, clock))
    yield from _until_failure("TokPortal", _tokportal(config, clock))
    yield from (Check("TikTok", *found) for found in of_tiktok(trackers, clock))
    yield from _until_failure("ledger", _ledger(config))
    metrics = config.run.metrics_file
    if metrics and (wrong := unwritable(metrics)):
        yield Check("metrics", None, f"{metrics} cannot be written, and runs go on without: {wrong}")


def _google(config: Config, trackers: Sequence[Tracker], clock: Clock) -> Iterator[Check]:
    api = connect(config.google.credentials, config.google.api_url, clock)
    yield from _key_file(config.google.credentials, api.email)
    for tracker in trackers:
        yield from _tracker(tracker, api, clock, config.state)


def _key_file(path: Path | None, email: str) -> Iterator[Check]:
    if path is None:
        yield Check("Google key", None, "Application Default Credentials are used (no `google: credentials:`)")
        return
    yield Check("Google key", True, f"service account {email or '(no e-mail)'}")
    yield from _kept_private("Google key", path)


def _kept_private(name: str, path: Path) -> Iterator[Check]:
    """A file that holds keys or codes."""
    # other systems have no such bits
    if os.name == "posix" and os.path.exists(path) and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Check(name, None, f"{path} can be read by other users of this machine: chmod 600 {path}")


def _tracker(tracker: Tracker, api: SheetsAPI, clock: Clock, state: State) -> Iterator[Check]:
    name = f"sheet '{tracker.name}'"
    reader = Reader(api, tracker, clock)
    try:
        seen = reader.look()
    except SheetsyncError as error:
        yield failure(name, error)
        return
    yield Check(name, True, f"tab '{seen.title}' is readable, time zone {seen.time_zone}")
    yield from _until_failure(f"{name} editing", _editing(f"{name} editing", reader, seen))
    try:
        snapshot = reader.bound(seen)
    except HeaderError as error:
        yield failure(name, error)
        # there is still much that `init` can tell
        yield from _template(name, tracker, api)
        return
    found = f"{len(snapshot.columns)} columns found, all {len(MACHINE_KEYS)} machine columns"
    yield Check(f"{name} headers", True, found)
    if absent := absent_gates(tracker, snapshot.columns):
        yield failure(f"{name} gates", GateColumnMissing(snapshot.title, absent))
    yield from _template(name, tracker, api)
    yield from _rows(name, tracker, snapshot)
    # what is wrong with the ledger is told in its own turn
    with suppress(SheetsyncError), Ledger(state, read_only=True) as ledger:
        known = ledger.known(tracker.name)
        if known.is_rebuilt:
            yield Check(f"{name} orders", None, f"none is sent until somebody confirms the rebuilt ledger: `{CONFIRM}`")
        books = credits.of_sheet(tracker, snapshot, known)
        yield from (Check(f"{name} credits", ok, text) for ok, text in books)


def _editing(name: str, reader: Reader, seen: Snapshot) -> Iterator[Check]:
    """Only a write tells whether the sheet is shared for more than viewing."""
    if may_write(reader, seen):
        yield Check(name, True, "a write that changes nothing went through, and showed where it landed")
    else:
        text = "the answer to a write does not show the header row as it was read: run doctor again; if it stays, tell"
        yield Check(name, False, f"{text} whoever maintains sheetsync")


def _template(name: str, tracker: Tracker, api: SheetsAPI) -> Iterator[Check]:
    """What `init` would add, and what people have set that is in our way."""
    try:
        spreadsheet = read_spreadsheet(api, tracker)
        changes, remarks = missing(spreadsheet, tracker)
    except SheetsyncError:
        return  # told when the tab was read
    tab = spreadsheet.tab(tracker.worksheet)
    if tab is None:
        return
    if changes:
        places = Counter(place for place, _ in dict.fromkeys((change.tab, change.what) for change in changes))
        added = ", ".join(f"{count(kinds, 'thing')} to {place}" for place, kinds in places.items())
        yield Check(name, None, f"`sheetsync init` would add {added}; `sheetsync init --dry-run` lists them")
    else:
        yield Check(f"{name} layout", True, "`sheetsync init` has nothing to add")
    yield from (Check(name, None, remark) for remark in remarks)
    if any(spreadsheet.tab(title) for title in TITLES):
        yield Check(name, None, "a live check left scratch tabs; the next `sheetsync doctor --live` removes them")
    columns = bind(tab.headers, tracker.columns).columns
    for key in (key for key in ACTED_ON if key in columns):
        yield from _dropdown(f"{name} {header_of(key, tracker.columns)}", tab, columns[key], BY_KEY[key].choices)
    for key in (key for key in OURS if key in columns):
        if any(cell.validation.kind for cell in tab.below_header(columns[key])):
            wrong = "what sheetsync writes may count as wrong there, or be refused"
            way_out = f"{wrong}: take it off (Data > Data validation)"
            yield Check(name, None, f"'{header_of(key, tracker.columns)}' has a dropdown or rule of its own; {way_out}")
    yield from (
        failure(f"{name} protection", CredentialsError(stop)) for stop in theirs.protections(tab, tracker, api.email)
    )


def _dropdown(name: str, tab: Tab, column: int, known: Sequence[str]) -> Iterator[Check]:
    offered = dict.fromkeys(word for cell in tab.below_header(column) for word in cell.validation.values)
    read_as = {word: word.casefold().strip() for word in offered}
    foreign = [word for word in offered if read_as[word] not in known]
    lacks = [word for word in known if word not in read_as.values()]
    knows = f"sheetsync knows {', '.join(known)}"
    if foreign:
        yield Check(name, None, f"the dropdown offers {', '.join(foreign)}; {knows}")
    if offered and lacks:
        yield Check(name, None, f"the dropdown does not offer {', '.join(lacks)}; {knows}")


def _rows(name: str, tracker: Tracker, snapshot: Snapshot) -> Iterator[Check]:
    keyed = [row for row in snapshot.rows if row.key]
    yield Check(f"{name} rows", True, f"{len(keyed)} with a video id, {len(acting(keyed))} marked")
    for row in acting(snapshot.rows):
        if problem := key_problem(row):
            yield Check(f"{name} row {row.number}", None, f"{header_of('video_id', tracker.columns)}: {problem}")
    for row in keyed:
        if hidden := hidden_headers(row, tracker.columns):
            yield Check(f"{name} row {row.number}", None, unmerge(hidden))
    for video, times in Counter(row.key for row in keyed).items():
        if times > 1:
            numbers = ", ".join(str(row.number) for row in keyed if row.key == video)
            yield Check(f"{name} rows", None, f"video {video} stands in rows {numbers}; one of them acts")


def _tokportal(config: Config, clock: Clock) -> Iterator[Check]:
    with TokPortal(config.tokportal.api_key, config.tokportal.api_url, clock) as portal:
        credits, price = portal.balance(), _price(config, portal.fingerprint)
        enough = f"{credits} credits, enough for {credits // price.credits} codes"
        yield Check("TokPortal", True, f"the API key works; {enough}")
        if price.lock:
            yield Check("TokPortal", None, f"{price.lock} No order is sent until `sheetsync sync --accept-price N`")
        if portal.server_time:
            yield _clock_skew(portal.server_time, clock.now())
        with suppress(SheetsyncError), Ledger(config.state, read_only=True) as ledger:
            yield from _credit_history(portal, ledger)


def _credit_history(portal: TokPortal, ledger: Ledger) -> Iterator[Check]:
    since = ledger.first_event()
    if since is None:
        return  # no order yet that could be compared
    try:
        since = since.replace(microsecond=0)  # as TokPortal tells times
        history = portal.history(since - credits.CLOCKS_APART)
    except SheetsyncError as error:
        yield Check("credits", None, f"TokPortal's credit history was not compared: {error}")
        return
    found = credits.of_account(ledger.all_entries(), history, since, ledger.unsettled())
    yield from (Check("credits", ok, text) for ok, text in found)


def _clock_skew(server: datetime, here: datetime) -> Check:
    seconds = int(abs((here - server).total_seconds()))
    if seconds <= SKEW_LIMIT:
        return Check("clock", True, "agrees with TokPortal's")
    advice = f"this machine's clock is {seconds} s off TokPortal's: set it (for example with ntp)"
    return Check("clock", False, advice)


def _price(config: Config, fingerprint: str) -> Price:
    """What a code costs as far as the ledger knows; what is wrong with the ledger is told in its own turn."""
    try:
        with Ledger(config.state, read_only=True) as ledger:
            return ledger.price(fingerprint)
    except SheetsyncError:
        return Price()


def _ledger(config: Config) -> Iterator[Check]:
    state = config.state
    # of a server, opening it is the test; with writing, a doctor would change what it looks at
    sound = Check("ledger", True, f"{state}" + ("" if exists(state) else " (made at the first sync)"))
    if isinstance(state, Server):
        yield sound
        return
    try:
        # only writing tells whether there is room, and leave
        with tempfile.TemporaryFile(dir=folder_of(state)) as probe:
            probe.write(bytes(ROOM))
    except OSError as error:
        advice = "make room, change its owner, or `state:`"
        text = f"the folder {folder_of(state)} cannot be written ({error.strerror}): {advice}"
        yield failure("ledger", ConfigError([text]))
    locks = [path for tracker in config.trackers if (path := lock_path(state, tracker.name)).exists()]
    if shut := [str(path) for path in locks if not os.access(path, os.R_OK | os.W_OK)]:
        # another user's run made them: ours could not begin
        yield failure("ledger", ConfigError([f"{', '.join(shut)}: cannot be opened; give them to who runs sheetsync"]))
    with Ledger(state, read_only=True) as ledger:
        damage = ledger.damage()
    if damage:
        yield failure("ledger", ConfigError([f"{state} is damaged ({damage}): {MEND}"]))
    else:
        yield sound
    yield from _kept_private("ledger", state)
