"""`sheetsync doctor`: look at everything a sync needs, in the order in which it needs it.

Owns the checks and their words. Changes nothing, orders nothing; each check says ok or what to do.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sheetsync.cli import setup
from sheetsync.clock import Clock
from sheetsync.columns import BY_KEY, MACHINE_KEYS, bind, header_of
from sheetsync.config import load as configuration
from sheetsync.config.load import Config
from sheetsync.errors import ConfigError, HeaderError, SheetsyncError
from sheetsync.model import PRICE, Snapshot, Tracker
from sheetsync.plan.marks import acting, key_problem
from sheetsync.sheet import api as sheets_api
from sheetsync.sheet.api import SheetsAPI
from sheetsync.sheet.writing import Sheet
from sheetsync.template import tracker_tab as template
from sheetsync.template.spreadsheet import Area, Tab
from sheetsync.tokportal.client import TokPortal

SKEW_LIMIT = 60
"""Seconds by which this machine's clock may differ: Google refuses sign-ins from clocks minutes off."""


ACTED_ON = ("action", "platform", "paid_status")
"""Columns whose words decide what sheetsync does; in other dropdowns a team may have words of its own."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, whether it is fine, and what to do if not. `ok` None: a remark, not a failure."""

    name: str
    ok: bool | None
    text: str

    def line(self) -> str:
        """The check as it is printed."""
        word = {True: "ok  ", False: "FAIL", None: "note"}[self.ok]
        return f"{word}  {self.name}: " + self.text.replace("\n", "\n      ")


class NoJournal:
    """A sheet that is only read needs no journal."""

    def pending(self) -> str | None:
        """Nothing was begun."""
        return None

    def begin(self, payload: str) -> None:
        """Never called: the doctor writes nothing."""
        raise AssertionError("the doctor writes nothing")

    def end(self) -> None:
        """Never called."""


def run(path: Path | None, environ: Mapping[str, str], names: Sequence[str]) -> Iterator[Check]:
    """All checks, as they are made; what a failed one makes pointless is left out."""
    place = path or configuration.default_path(environ)
    try:
        config = configuration.load(place, environ)
    except ConfigError as error:
        yield Check("configuration", False, str(error))
        return
    yield Check("configuration", True, f"{place}: {len(config.trackers)} tracker(s)")
    clock = Clock()
    yield from _key_file(config)
    try:
        api = sheets_api.connect(config.google.credentials, config.google.api_url, clock)
    except SheetsyncError as error:
        yield Check("Google key", False, str(error))
    else:
        for tracker in config.trackers:
            if not names or tracker.name in names:
                yield from _tracker(tracker, api, clock)
    yield from _tokportal(config, clock)
    yield from _state(config)


def _key_file(config: Config) -> Iterator[Check]:
    path = config.google.credentials
    if path is None:
        yield Check("Google key", None, "Application Default Credentials are used (no `google: credentials:`)")
        return
    try:
        info = sheets_api.key_file(path)
    except ConfigError:
        return  # told when connecting
    yield Check("Google key", True, f"service account {info.get('client_email', '(no e-mail)')}")
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Check("Google key", None, f"{path} can be read by other users of this machine: chmod 600 {path}")


def _tracker(tracker: Tracker, api: SheetsAPI, clock: Clock) -> Iterator[Check]:
    name = f"sheet '{tracker.name}'"
    try:
        snapshot = Sheet(api, tracker, clock, NoJournal()).read()
    except SheetsyncError as error:
        yield Check(name, False, str(error))
        if isinstance(error, HeaderError):
            yield from _layout(name, tracker, api)
        return
    yield Check(name, True, f"tab '{snapshot.title}' is readable, time zone {snapshot.time_zone}")
    yield Check(
        f"{name} headers", True, f"{len(snapshot.columns)} columns found, all {len(MACHINE_KEYS)} machine columns"
    )
    yield from _layout(name, tracker, api)
    yield from _rows(name, tracker, snapshot)


def _layout(name: str, tracker: Tracker, api: SheetsAPI) -> Iterator[Check]:
    """What `init` would add, and what people have set that is in our way."""
    try:
        book = setup.look(api, tracker)
        tab = book.tab(tracker.worksheet)
        missing = setup.lacks(book, tracker)
    except SheetsyncError:
        return  # told when the tab was read
    if tab is None:
        return
    for key in template.lacking(tab, tracker):
        yield Check(name, None, f"'{header_of(key, tracker.columns)}' is missing; `sheetsync init` adds it")
    yield from _init(name, missing)
    places = bind(tab.headers, tracker.columns).columns
    for key in ACTED_ON:
        if key in places:
            yield from _dropdown(f"{name} {header_of(key, tracker.columns)}", tab, places[key], BY_KEY[key].choices)
    yield from _protections(f"{name} protection", tab, tracker, places, api.email)


def _init(name: str, missing: setup.Lacks) -> Iterator[Check]:
    kinds = {f"{change.tab}: {change.what}": None for change in missing.changes}
    if kinds:
        yield Check(name, None, "`sheetsync init` would add " + "; ".join(kinds))
    else:
        yield Check(f"{name} layout", True, "`sheetsync init` has nothing to add")
    yield from (Check(name, None, remark) for remark in missing.remarks)


def _dropdown(name: str, tab: Tab, column: int, known: Sequence[str]) -> Iterator[Check]:
    offered = dict.fromkeys(word for cell in tab.below_header(column) for word in cell.words)
    words = {word.casefold().strip() for word in offered}
    foreign = [word for word in offered if word.casefold().strip() not in known]
    lacking = [word for word in known if word not in words]
    knows = f"sheetsync knows {', '.join(known)}"
    if foreign:
        yield Check(name, None, f"the dropdown offers {', '.join(foreign)}; {knows}")
    if offered and lacking:
        yield Check(name, None, f"the dropdown does not offer {', '.join(lacking)}; {knows}")


def _protections(name: str, tab: Tab, tracker: Tracker, places: Mapping[str, int], email: str) -> Iterator[Check]:
    """Ranges that people keep for themselves, over cells that sheetsync writes."""
    ours = {
        key: Area(1, tab.line_count, places[key], places[key] + 1) for key in (*MACHINE_KEYS, "action") if key in places
    }
    for held in tab.protections:
        kept = [
            header_of(key, tracker.columns)
            for key, cells in ours.items()
            if held.area.meets(cells) and not any(free.covers(cells) for free in held.free)
        ]
        if held.stops_us and kept:
            what = f"'{held.description}'" if held.description else "a protected range"
            yield Check(
                name,
                False,
                f"{what} keeps sheetsync from writing {', '.join(kept)}: let {email or 'the service account'} edit it "
                "(Data > Protect sheets and ranges)",
            )


def _rows(name: str, tracker: Tracker, snapshot: Snapshot) -> Iterator[Check]:
    rows = [row for row in snapshot.rows if row.key]
    yield Check(f"{name} rows", True, f"{len(rows)} with a video id, {len(acting(rows))} marked")
    key = header_of("video_id", tracker.columns)
    for row in acting(snapshot.rows):
        problem = key_problem(row)
        if problem:
            yield Check(f"{name} row {row.number}", None, f"{key}: {problem}")
    seen: dict[str, list[str]] = {}
    for row in rows:
        seen.setdefault(row.key, []).append(str(row.number))
    for video, numbers in seen.items():
        if len(numbers) > 1:
            yield Check(f"{name} rows", None, f"video {video} stands in rows {', '.join(numbers)}; one of them acts")


def _tokportal(config: Config, clock: Clock) -> Iterator[Check]:
    try:
        with TokPortal(config.tokportal.api_key, config.tokportal.api_url, clock) as portal:
            credits = portal.balance()
            yield Check("TokPortal", True, f"the API key works; {credits} credits, enough for {credits // PRICE} codes")
            yield from _skew(portal.server_time(), clock.now())
    except SheetsyncError as error:
        yield Check("TokPortal", False, str(error))


def _skew(server: datetime | None, here: datetime) -> Iterator[Check]:
    if server is None:
        return
    seconds = int(abs((here - server).total_seconds()))
    if seconds > SKEW_LIMIT:
        yield Check(
            "clock", False, f"this machine's clock is {seconds} s off TokPortal's: set it (for example with ntp)"
        )
    else:
        yield Check("clock", True, "agrees with TokPortal's")


def _state(config: Config) -> Iterator[Check]:
    folder = config.state.parent
    if os.access(folder, os.W_OK):
        yield Check("ledger", True, f"{config.state}" + ("" if config.state.exists() else " (made at the first sync)"))
    else:
        yield Check("ledger", False, f"the folder {folder} cannot be written: change its owner, or `state:`")
