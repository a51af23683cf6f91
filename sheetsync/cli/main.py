"""The command group, the border where errors become advice, and logging.

Owns what all commands share at their edge: exit codes of errors, and where output goes (results to stdout, log to
stderr). Each command has a file of its own, which is imported when the command is called, so that `--help` answers
at once.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from sheetsync import __version__
from sheetsync.cli.plain import one_line, plain
from sheetsync.errors import SheetsyncError, Unexpected

COMMANDS = {
    "alerts": "Tell what was told to whom and what waits, or send every receiver a test.",
    "demo": "Show the whole story on a sandbox: no account, no network, under 20 seconds.",
    "doctor": "Check configuration, keys, sheets and TokPortal; each line says ok, or what to do.",
    "history": "Tell the whole story of one video: every order, code, charge, status change and correction.",
    "init": "Prepare the sheet: headers, dropdowns, colours, the Summary tab.",
    "plan": "Show what `sync` would do and what it would cost.",
    "sandbox": "Serve a local Google Sheets and a local TokPortal until stopped, to try sheetsync by hand.",
    "status": "Tell what the ledger knows: runs, balance, spending, codes in use, what waits.",
    "sync": "Order what is marked, poll what is open, write what came back.",
}
"""The commands, each with the first sentence of its own help: the list of them is printed without importing any."""


class Stop(click.ClickException):
    """An error of ours on its way out: advice on stderr, exit code as in design 7."""

    def __init__(self, error: SheetsyncError) -> None:
        super().__init__(plain(str(error)))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares it on the class, and reads the instance


def command(name: str) -> click.Command:
    """One of COMMANDS, imported from its file with all that it needs."""
    found: click.Command = getattr(import_module(f"sheetsync.cli.{name}"), name)
    return found


class Group(click.Group):
    """The command group: commands are imported as they are called, and errors become advice in this one place."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, from its own file: what the group lists are only names and their help."""
        name, listed, rest = super().resolve_command(ctx, args)
        # None: a shell completes the words of a command that there is not
        return name, listed and command(str(name)), rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Nobody at a terminal or in a cron mail gets a traceback, unless asked for with -v."""
        try:
            return super().invoke(ctx)
        except SheetsyncError as error:
            raise Stop(error) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own: it ends the process as the shell expects
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            # the type alone: the message of an unforeseen error may hold a key or a code
            raise Stop(Unexpected(error)) from error


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


for _name, _help in COMMANDS.items():
    cli.add_command(click.Command(_name, help=_help))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time (UTC), level, logger and message."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return one_line(json.dumps(line, ensure_ascii=False))


class TextFormatter(logging.Formatter):
    """One line each, whatever stands in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's local time, level and message."""
        return one_line(super().format(record))


def _start_logging(verbose: bool, log_format: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    as_text = TextFormatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else as_text)
    # the libraries' own lines hold URLs and bodies: of theirs only warnings are passed on, whatever -v says
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    quiet = logging.INFO if log_format == "json" else logging.WARNING
    logging.getLogger("sheetsync").setLevel(logging.DEBUG if verbose else quiet)


def main() -> None:
    """The console script."""
    cli(prog_name="sheetsync")
