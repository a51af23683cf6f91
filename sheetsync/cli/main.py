"""The commands: options -> Config -> clients -> `run_once` -> report.

Owns options, exit codes and where output goes (results to stdout, log to stderr). Everything heavy is imported
inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sheetsync import __version__
from sheetsync.errors import SheetsyncError

if TYPE_CHECKING:
    from sheetsync.config.load import Config
    from sheetsync.model import Tracker
    from sheetsync.sync.run import Report


class Stop(click.ClickException):
    """An error of ours on its way out: advice on stderr, exit code as in design 7."""

    def __init__(self, error: SheetsyncError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares it on the class, and reads the instance


class Group(click.Group):
    """The command group; the one place where errors become advice."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Nobody at a terminal or in a cron mail gets a traceback, unless asked for with -v."""
        try:
            return super().invoke(ctx)
        except SheetsyncError as error:
            raise Stop(error) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            raise
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            raise Stop(
                SheetsyncError(
                    f"Something unexpected happened: {type(error).__name__}. What was done is in the ledger, and the "
                    "next run goes on from there. Run the command with -v to see where, and report it."
                )
            ) from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration file. [$SHEETSYNC_CONFIG, else ./sheetsync.yaml]",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every call (never keys or codes) to stderr.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, verbose: bool, log_format: str) -> None:
    """Keep a shared Google Sheet of TikTok Spark codes in step with TokPortal.

    People mark rows in the sheet; sheetsync orders the codes (7 credits each), polls them and writes what came
    back. Try it without any account: sheetsync demo
    """
    ctx.obj = config_path
    _start_logging(verbose, log_format)


def _start_logging(verbose: bool, log_format: str) -> None:
    from sheetsync.cli.logs import formatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("sheetsync").setLevel(
        logging.DEBUG if verbose else logging.INFO if log_format == "json" else logging.WARNING
    )


Command = Callable[..., Any]


def selection(command: Command) -> Command:
    """The options of commands that work on trackers."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
        click.option("--video", "videos", multiple=True, metavar="ID", help="Only this video. Repeatable."),
        click.option("--tracker", "names", multiple=True, metavar="NAME", help="Only this tracker. Repeatable."),
    ):
        command = option(command)
    return command


# --- plan and sync --------------------------------------------------------------------------------------------


@cli.command()
@selection
@click.option("--allow-orders", type=click.IntRange(0), metavar="N", help="Plan up to N orders.")
@click.option("--allow-shrunken", is_flag=True, help="Accept that open requests have lost their rows.")
@click.pass_obj
def plan(
    path: Path | None,
    names: Sequence[str],
    videos: Sequence[str],
    as_json: bool,
    allow_orders: int | None,
    allow_shrunken: bool,
) -> None:
    """Show what `sync` would do and what it would cost. Orders and writes nothing.

    \b
    Example:
      sheetsync plan --tracker acme
    """
    from sheetsync.cli import render as report

    reports, _ = _run(path, names, videos, allow_orders, allow_shrunken, plan_only=True)
    if as_json:
        _print_json(report.plan_json(reports))
    else:
        for found in reports:
            click.echo(report.plan_text(found, found.credits_left))
        click.echo("Nothing was ordered or written; `sheetsync sync` carries this out.")
    sys.exit(report.exit_code(reports))


@cli.command()
@selection
@click.option(
    "--allow-orders", type=click.IntRange(0), metavar="N", help="Send up to N orders in this run, whatever the limit."
)
@click.option("--allow-shrunken", is_flag=True, help="Go on although most open requests have lost their rows.")
@click.pass_obj
def sync(
    path: Path | None,
    names: Sequence[str],
    videos: Sequence[str],
    as_json: bool,
    allow_orders: int | None,
    allow_shrunken: bool,
) -> None:
    """Order what is marked, poll what is open, write what came back. This is the command for cron.

    \b
    Exit code: 0 done, 1 incomplete (the next run goes on), 2 configuration, 3 refused: too many orders or a
    shrunken sheet, 4 another run is at work, 5 credentials or permission.
    """
    from sheetsync.cli import render as report

    reports, (run_id, started, finished) = _run(path, names, videos, allow_orders, allow_shrunken, plan_only=False)
    if as_json:
        _print_json(report.sync_json(run_id, started, finished, reports))
    else:
        for found in reports:
            click.echo(report.sync_text(found))
    sys.exit(report.exit_code(reports))


def _run(
    path: Path | None,
    names: Sequence[str],
    videos: Sequence[str],
    allow_orders: int | None,
    allow_shrunken: bool,
    plan_only: bool,
) -> tuple[list[Report], tuple[str, Any, Any]]:
    from sheetsync.plan.marks import Allowed
    from sheetsync.sync.clients import Clients
    from sheetsync.sync.run import Request, run_id_for, run_once

    config = load_config(path)
    with Clients(config, read_only=plan_only) as clients:
        started = clients.clock.now()
        run_id = run_id_for(started)
        request = Request(
            run_id,
            config.run.poll_seconds,
            frozenset(videos),
            Allowed(allow_orders, allow_shrunken),
            plan_only,
        )
        reports = [
            run_once(tracker, clients.sheets, clients.portal, clients.ledger, clients.clock, request)
            for tracker in chosen(config, names)
        ]
        return reports, (run_id, started, clients.clock.now())


def load_config(path: Path | None) -> Config:
    """The configuration that the options, the environment or the folder name."""
    from sheetsync.config import load as config

    return config.load(path or config.default_path(os.environ), os.environ)


def chosen(config: Config, names: Sequence[str]) -> list[Tracker]:
    """The trackers that --tracker names, or all."""
    known = {tracker.name: tracker for tracker in config.trackers}
    for name in names:
        if name not in known:
            raise click.UsageError(f"There is no tracker '{name}'. The configuration has: {', '.join(known)}.")
    return [known[name] for name in names] if names else list(config.trackers)


def _print_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


# --- the rest -------------------------------------------------------------------------------------------------


@cli.command()
@click.option("--tracker", "names", multiple=True, metavar="NAME", help="Only this tracker. Repeatable.")
@click.option("--dry-run", is_flag=True, help="Say what is missing, and send nothing.")
@click.pass_obj
def init(path: Path | None, names: Sequence[str], dry_run: bool) -> None:
    """Prepare the sheet: headers, dropdowns, colours, the Summary tab. Adds what is missing, and removes nothing.

    Make the spreadsheet yourself and share it with the service account as Editor.
    """
    from sheetsync.cli import setup
    from sheetsync.clock import Clock
    from sheetsync.sheet import api as sheets_api

    config = load_config(path)
    api = sheets_api.connect(config.google.credentials, config.google.api_url, Clock())
    for line in setup.run(api, chosen(config, names), dry_run):
        click.echo(line)


@cli.command()
@click.option("--tracker", "names", multiple=True, metavar="NAME", help="Only this tracker. Repeatable.")
@click.pass_obj
def doctor(path: Path | None, names: Sequence[str]) -> None:
    """Check configuration, keys, sheets and TokPortal; each line says ok, or what to do. Changes nothing."""
    from sheetsync.cli import doctor as checks

    ok = True
    for line in checks.run(path, os.environ, names):
        ok = ok and line.ok is not False
        click.echo(line.line())
    sys.exit(0 if ok else 1)


@cli.command()
@selection
@click.pass_obj
def status(path: Path | None, names: Sequence[str], videos: Sequence[str], as_json: bool) -> None:
    """Tell what the ledger knows: last run, balance, open requests, codes. Asks nobody, changes nothing."""
    from sheetsync.cli import status as state
    from sheetsync.ledger.store import Ledger

    config = load_config(path)
    with Ledger(config.state, read_only=True) as ledger:
        found = [state.of(ledger, tracker.name, videos) for tracker in chosen(config, names)]
    if as_json:
        _print_json({"trackers": [state.as_json(tracker) for tracker in found]})
    else:
        click.echo("\n".join(state.as_text(tracker) for tracker in found))


@cli.command()
@click.argument("key")
@click.option("--tracker", "name", metavar="NAME", help="Only this tracker's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_obj
def history(path: Path | None, key: str, name: str | None, as_json: bool) -> None:
    """Tell the whole story of one video: every order, code, charge, status change and correction.

    \b
    KEY is the video id. Example:
      sheetsync history 47b8db25-ca2e-48b9-a751-1045b7e3b5bb
    """
    from sheetsync.cli import history as story
    from sheetsync.ledger.store import Ledger

    config = load_config(path)
    if name:
        chosen(config, [name])
    with Ledger(config.state, read_only=True) as ledger:
        events, generations = ledger.history(key, name), ledger.entries(key, name)
    if not events:
        raise Stop(SheetsyncError(f"The ledger knows no video '{key}'. Is it the id in the key column?"))
    if as_json:
        _print_json(story.as_json(key, events, generations))
    else:
        click.echo(story.as_text(key, events, generations))


@cli.command()
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the demo's files in this folder.")
def demo(keep: Path | None) -> None:
    """Show the whole story on a sandbox: no account, no network, under 20 seconds."""
    from sheetsync.cli import demo as story

    story.tell(click.echo, keep)


@cli.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sheetsync-sandbox"),
    show_default=True,
    help="Where its state, a ready sheetsync.yaml, key file and .env go.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0 takes any free port.")
def sandbox(folder: Path, port: int) -> None:
    """Serve a local Google Sheets and a local TokPortal until stopped, to try sheetsync by hand."""
    from sheetsync.sandbox import serve

    serve.serve(folder, port, click.echo)


def main() -> NoReturn:
    """The console script."""
    cli(prog_name="sheetsync")
    raise SystemExit(0)
