"""`sheetsync config check`: the configuration as it was understood, without a call to anybody."""

from collections.abc import Iterator

import click

from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import count
from sheetsync.config.load import Config
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
    absent = " (there is no such file)" if key and not key.exists() else ""
    yield f"  google: {config.google.api_url}, key file {key or 'none: Application Default Credentials'}{absent}"
    yield f"  tokportal: {config.tokportal.api_url}, with a key"
    is_new = not isinstance(config.state, Server) and not config.state.exists()
    yield f"  state: {config.state}" + (" (made at the first sync)" if is_new else "")
    for tracker in config.trackers:
        yield f"  tracker {tracker.name}: tab '{tracker.worksheet}' of {tracker.spreadsheet}"
