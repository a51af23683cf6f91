"""`sheetsync report`: what a period, a client or a campaign cost and brought, for finance and for clients.

Owns what is read (the sheets, once; the ledger; nothing at TokPortal), the files, and the summary for a terminal.
"""

import os
import re
from calendar import monthrange
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import date, datetime
from functools import partial
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.render import attributes, count, shown, stamp, table
from sheetsync.columns import normal
from sheetsync.errors import ConfigError, MissingExtra
from sheetsync.reporting.lines import Source, statement_of
from sheetsync.reporting.statement import Asked, Line, Statement
from sheetsync.reporting.table import csv_of
from sheetsync.sheet.reading import Reader
from sheetsync.sheet.writing import as_repaired
from sheetsync.sync.clients import Clients

EXTRA = "report"
RENDERERS = {"html": "page", "xlsx": "workbook", "ics": "calendar"}
"""What needs a library that is not always there, by its option."""

DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--month", metavar="YYYY-MM", help="This month alone.")
@click.option("--from", "first", type=DAY, metavar="DATE", help="From this day on, as 2026-06-01.")
@click.option("--to", "last", type=DAY, metavar="DATE", help="Up to this day, and with it.")
@click.option("--client", default="", metavar="NAME", help="Only this client's.")
@click.option("--campaign", default="", metavar="NAME", help="Only this campaign's.")
@click.option("--html", type=FILE, metavar="FILE", help="One page with all of it, to read, print and send.")
@click.option("--csv", type=FILE, metavar="FILE", help="A line for each code.")
@click.option("--xlsx", type=FILE, metavar="FILE", help="The same for Excel, with totals and events.")
@click.option("--ics", type=FILE, metavar="FILE", help="When codes in use end, as a calendar; whatever the period.")
@selecting("trackers", "as_json")
def report(
    selection: Selection,
    month: str | None,
    first: datetime | None,
    last: datetime | None,
    client: str,
    campaign: str,
    **files: Path | None,
) -> None:
    """Tell what codes cost and brought: totals, each code with its row and its story. Changes nothing but its files.

    \b
    Example:
      sheetsync report --month 2026-06 --client Crumbly --html june.html --xlsx june.xlsx
    Without a file: the totals, as text or (--json) all of it. Page, workbook and calendar need the extra `report`.
    """
    asked = Asked(*_period(month, first and first.date(), last and last.date()), client, campaign)
    wanted = {kind: _target(path) for kind, path in files.items() if path}
    render = {kind: _renderer(kind) for kind in wanted}
    for path in wanted.values():
        # before anything is read: a report takes a while
        if not os.path.isdir(path.parent):
            raise ConfigError([f"{path}: the folder does not exist; make it, or name another file"])
    read = _read(selection)
    statement = read(asked)
    _look_for_names(statement)
    # a calendar is of what runs, whatever the period
    of = {kind: read(replace(asked, first=None, last=None)) if kind == "ics" else statement for kind in wanted}
    made = {kind: render[kind](of[kind]) for kind in wanted}
    for kind, path in wanted.items():
        _write(path, made[kind])
    text = "\n".join([_text(statement), *(f"  wrote {path}" for path in wanted.values())])
    click.echo(shown(selection, _json(statement), text))


def _period(month: str | None, first: date | None, last: date | None) -> tuple[date | None, date | None]:
    if month is not None:
        if first or last:
            raise click.UsageError("--month is a period of its own: leave out --from and --to, or --month.")
        found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", month)
        if not found:
            raise click.UsageError(f"--month: '{month}' is no month; expected one such as 2026-06.")
        year, number = int(found[1]), int(found[2])
        return date(year, number, 1), date(year, number, monthrange(year, number)[1])
    if first and last and first > last:
        raise click.UsageError(f"--from {first} is after --to {last}.")
    return first, last


def _renderer(kind: str) -> Callable[[Statement], bytes]:
    """What makes a file of a report. Raises MissingExtra."""
    if kind == "csv":
        return lambda statement: csv_of(statement).encode()
    try:
        module = import_module(f"sheetsync.reporting.{RENDERERS[kind]}")
    except ModuleNotFoundError as error:
        raise MissingExtra(f"--{kind}", EXTRA, str(error.name)) from error
    make = getattr(module, f"{RENDERERS[kind]}_of")

    def render(statement: Statement) -> bytes:
        made = make(statement)
        return made if isinstance(made, bytes) else str(made).encode()

    return render


def _read(selection: Selection) -> Callable[[Asked], Statement]:
    """What a report is made from. Raises what loading the configuration and reading a sheet raise."""
    config, trackers = selection.load()
    with Clients(config, read_only=True) as clients:
        ledger, sources = clients.ledger, []
        for tracker in trackers:
            pending = ledger.recorder(tracker.name, "", clients.clock).pending_write()
            snapshot = as_repaired(Reader(clients.sheets, tracker, clients.clock).read(), pending)
            known = ledger.known(tracker.name)
            events = {video: ledger.history(video, tracker.name) for video in known.videos}
            sources.append(Source(tracker, snapshot, known, events))
        balances = [told for tracker in trackers if (told := ledger.balance(tracker.name))]
        balance = max(balances, key=itemgetter(1), default=None)
        return partial(statement_of, sources, clients.clock.now(), balance)


def _look_for_names(statement: Statement) -> None:
    """Raises UsageError for a client or campaign that no row is of: the report would be empty for a misspelt name."""
    asked = statement.asked
    for what, name, names in (
        ("client", asked.client, statement.clients),
        ("campaign", asked.campaign, statement.campaigns),
    ):
        if name and normal(name) not in names:
            there = ", ".join(sorted(filter(None, names))) or "none"
            raise click.UsageError(f"--{what}: no row is of '{name}'. There are: {there}.")


def _target(path: Path) -> Path:
    """The file at the end of all links. A pipe stays as it is named: what that leads to is no path."""
    return path if _is_stream(path) else Path(os.path.realpath(path))


def _is_stream(path: Path) -> bool:
    """Whether it is a pipe or a device."""
    return os.path.exists(path) and not os.path.isfile(path)


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, and to be read by its owner alone, since it may hold codes; a file there keeps its mode.

    Raises ConfigError where it cannot be written.
    """
    try:
        if _is_stream(path):
            path.write_bytes(content)  # a pipe or a device, which no file may take the place of
            return
        with NamedTemporaryFile(dir=path.parent, prefix=".sheetsync-", delete=False) as file:
            made = Path(file.name)
            try:
                file.write(content)
                file.flush()
                with suppress(FileNotFoundError):
                    made.chmod(path.stat().st_mode & 0o777)
                made.replace(path)
            except BaseException:
                made.unlink(missing_ok=True)
                raise
    except BrokenPipeError:
        raise  # who reads has had enough, which is no mistake in the name
    except OSError as error:
        raise ConfigError([f"{path}: the report cannot be written ({error.strerror}); name another file"]) from error


def _text(statement: Statement) -> str:
    """The totals, for a terminal."""
    asked, total = statement.asked, statement.in_all
    about = [f"client {asked.client}"] * bool(asked.client) + [f"campaign {asked.campaign}"] * bool(asked.campaign)
    title = ", ".join([f"report of tracker {', '.join(statement.trackers)}: {asked.period}", *about])
    lines = [(*each, each.spent) for each in (*statement.totals, total._replace(client="in all"))]
    money = table([("client", "month", "charged", "refunded", "spent"), *lines])
    ends = sorted(line.ends for line in statement.in_use if line.ends and line.ends > statement.made_at)
    next_end = f", the next ends {ends[0]:%Y-%m-%d %H:%M}" if ends else ""
    said = [f"  {count(len(statement.in_use), 'code')} in use{next_end}"]
    if statement.balance:
        said.append(f"  {statement.balance[0]} credits left at {stamp(statement.balance[1])}")
    if statement.unpriced:
        said.append(f"  of {count(statement.unpriced, 'order')} nobody told the price: not in these sums")
    return "\n".join([title, money, *said])


def _json(statement: Statement) -> dict[str, Any]:
    """All of it, as a document."""
    return {
        "made_at": statement.made_at.isoformat(timespec="seconds"),
        **{name: value and str(value) for name, value in asdict(statement.asked).items()},
        "trackers": statement.trackers,
        "credits_left": statement.balance[0] if statement.balance else None,
        "unknown_prices": statement.unpriced,
        "totals": [{**total._asdict(), "spent": total.spent} for total in statement.totals],
        "codes": [_line_json(line) for line in statement.lines],
        "events": [
            {"tracker": story.tracker, "video_id": story.video, "at": at.isoformat(), "text": text}
            for story in statement.stories
            for at, text in story.events
        ],
    }


def _line_json(line: Line) -> dict[str, Any]:
    moments = {name: getattr(line, name) for name in ("asked_at", "received_at", "ends")}
    return {
        "video_id": line.video,
        **attributes(line, "tracker", "client", "row", "link", "state", "request_id", "status", "codes", "is_in_use"),
        **{name: at and at.isoformat(timespec="seconds") for name, at in moments.items()},
        **attributes(line, "charged", "refunded", "approvals", "cells"),
    }
