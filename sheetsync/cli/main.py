"""The command group, the border where errors become advice, and logging.

Owns what all commands share at their edge: exit codes of errors, and where output goes (results to stdout, log to
stderr). Each command has a file of its own, which imports what is heavy inside its functions, so that `--help`
answers at once.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from sheetsync import __version__
from sheetsync.cli.demo import demo
from sheetsync.cli.doctor import doctor
from sheetsync.cli.history import history
from sheetsync.cli.init import init
from sheetsync.cli.plan import plan
from sheetsync.cli.sandbox import sandbox
from sheetsync.cli.status import status
from sheetsync.cli.sync import sync
from sheetsync.errors import SheetsyncError


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
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own: it ends the process as the shell expects
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            # the type alone: the message of an unforeseen error may hold a key or a code
            advice = (
                f"Something unexpected happened: {type(error).__name__}. What was done is in the ledger, and the "
                "next run goes on from there. Run the command with -v to see where, and report it."
            )
            raise Stop(SheetsyncError(advice)) from error


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


for _command in (demo, doctor, history, init, plan, sandbox, status, sync):
    cli.add_command(_command)


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
        return json.dumps(line, ensure_ascii=False)


def _start_logging(verbose: bool, log_format: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    as_text = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else as_text)
    # the libraries' own lines hold URLs and bodies: of theirs only warnings are passed on, whatever -v says
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    quiet = logging.INFO if log_format == "json" else logging.WARNING
    logging.getLogger("sheetsync").setLevel(logging.DEBUG if verbose else quiet)


def main() -> NoReturn:
    """The console script."""
    cli(prog_name="sheetsync")
    raise SystemExit(0)
