"""`sheetsync config check`: the configuration as it was understood, without a call to anybody."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import count
from sheetsync.config.load import Config
from sheetsync.ledger.opening import exists
from sheetsync.state import Server


@click.group()
def config() -> None:
    """Look at the configuration alone: no network, no ledger."""


@config.command()
@selecting()
def check(selection: Selection) -> None:
    """Say how the configuration was understood, or what is wrong with it: every problem, with file and line (exit 2).

    Whether keys, sheets and services work as well is told by `sheetsync doctor`.
    """
    click.echo(plain("\n".join(_understood(selection.load()[0]))))


def _understood(config: Config) -> Iterator[str]:
    yield f"{config.path}: {count(len(config.trackers), 'tracker')}, nothing wrong"
    key = config.google.credentials
    named = f"{key}{_unread(key)}" if key else "none: Application Default Credentials"
    yield f"  google: {config.google.api_url}, key file {named}"
    yield f"  tokportal: {config.tokportal.api_url}, with a key"
    is_new = not isinstance(config.state, Server) and not exists(config.state)
    yield f"  state: {config.state}" + (" (made at the first sync)" if is_new else "")
    if config.run.metrics_file:
        wrong = unwritable(config.run.metrics_file)
        yield f"  metrics: {config.run.metrics_file}" + (f" ({wrong})" if wrong else "")
    for tracker in config.trackers:
        yield f"  tracker {tracker.name}: tab '{tracker.worksheet}' of {tracker.spreadsheet}"


def _unread(path: Path) -> str:
    """A remark on a file that cannot be read: only a run needs it."""
    try:
        path.open().close()
    except FileNotFoundError:
        return " (there is no such file)"
    except OSError as error:
        return f" (cannot be read: {error.strerror}; let the user who runs sheetsync read it)"
    return ""


def unwritable(path: Path) -> str:
    """Why a file cannot be written, and what to do; empty if it can."""
    # a pipe or a device is written itself; beside a file its next version is made
    target = path if os.path.exists(path) and not os.path.isfile(path) else path.parent
    if os.access(target, os.W_OK, effective_ids=True):
        return ""
    if not os.path.exists(target):
        return f"the folder {target} does not exist, or is closed to this user: make it, or open it"
    return f"this user may not write into {target}: let them"
