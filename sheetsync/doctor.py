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

from sheetsync import config as configuration
from sheetsync import sheets_api
from sheetsync.clock import Clock
from sheetsync.columns import MACHINE_KEYS, header_of
from sheetsync.config import Config
from sheetsync.errors import ConfigError, SheetsyncError
from sheetsync.model import PRICE, Snapshot, Tracker
from sheetsync.plan import acting, key_problem
from sheetsync.sheets import Sheet
from sheetsync.sheets_api import SheetsAPI
from sheetsync.tokportal import TokPortal

SKEW_LIMIT = 60
"""Seconds by which this machine's clock may differ: Google refuses sign-ins from clocks minutes off."""


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
        return
    yield Check(name, True, f"tab '{snapshot.title}' is readable, time zone {snapshot.time_zone}")
    yield Check(
        f"{name} headers", True, f"{len(snapshot.columns)} columns found, all {len(MACHINE_KEYS)} machine columns"
    )
    yield from _rows(name, tracker, snapshot)


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
