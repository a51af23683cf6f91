"""The command group, and the border where errors become advice.

Owns what all commands share at their edge: exit codes of errors, and where output goes (results to stdout, the log to
stderr). Each command has a file of its own, which is imported when the command is called, so that `--help` answers at
once.
"""

import gc
import logging
import os
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import IO, Any

import click

from sheetsync import __version__
from sheetsync.cli import logs
from sheetsync.cli.plain import plain, show_all
from sheetsync.errors import LibraryMissing, SheetsyncError, Unexpected

log = logging.getLogger(__name__)

COMMANDS = {
    "alerts": "Tell what was told to whom and what waits, or send every receiver a test.",
    "config": "Look at the configuration alone: no network, no ledger.",
    "demo": "Show the whole story on a sandbox: no account, no network, under 20 seconds.",
    "doctor": "Check configuration, keys, sheets and TokPortal; each line says ok, or what to do.",
    "explain": "Say what a Sync note means and what to do.",
    "fill": "Add a row for each finalized video at TokPortal that the tracker lacks.",
    "history": "Tell the whole story of one video: every order, code, charge, status change and correction.",
    "import": "Write columns of a CSV file into existing rows, by their Video ID, once it has been shown what changes.",
    "init": "Prepare the sheet: headers, dropdowns, colours, the Summary tab.",
    "ledger": "Look after the ledger: check, back up, export or copy it, and rebuild it after a loss.",
    "plan": "Show what `sync` would do and what it would cost.",
    "report": "Tell what codes cost and brought: totals, each code with its row and its story.",
    "sandbox": "Serve a local Google Sheets and a local TokPortal until stopped, to try sheetsync by hand.",
    "schedule": "Print what runs sheetsync every five minutes, with this machine's paths.",
    "status": "Tell what the ledger knows: runs, balance, spending, codes in use, what waits.",
    "sync": "Order what is marked, poll what is open, write what came back.",
    "worker": "Run every tracker every few minutes, together with any number of other workers.",
}
"""The commands, each with the first sentence of its own help: the list of them is printed without importing any."""


class Stop(click.ClickException):
    """An error on its way out: advice on stderr, or a line of the log; exit code as in design 7."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(plain(message))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares it on the class, and reads the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """As click does, unless programs read stderr."""
        if logs.is_json():
            log.error("%s", self.message, extra={"figures": {"exit_code": self.exit_code}})
        else:
            super().show(file)


def command(name: str) -> click.Command:
    """One of COMMANDS, imported from its file with all that it needs."""
    word = f"{name}_" if iskeyword(name) else name
    found: click.Command = getattr(import_module(f"sheetsync.cli.{word}"), word)
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

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """The options before the command. Where one of them is wrong, how the log is wanted is not read yet."""
        given = " ".join(args)
        try:
            return super().make_context(info_name, args, *rest, **extra)
        except click.UsageError as error:
            if "--log-format json" in given.replace("=", " "):
                logs.start(False, "json")
            raise _stop(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Nobody at a terminal or in a cron mail gets a traceback, unless asked for with -v."""
        logs.start(ctx.params["verbose"], ctx.params["log_format"])
        try:
            return super().invoke(ctx)
        except SheetsyncError as error:
            raise Stop(str(error), error.exit_code) from error
        except click.ClickException as error:
            raise _stop(error) from error
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own: it ends the process as the shell expects
        except ModuleNotFoundError as error:
            raise Stop(str(LibraryMissing(error.name or "")), LibraryMissing.exit_code) from error
        except Exception as error:
            if ctx.params.get("verbose"):
                raise
            # the type alone: the message of an unforeseen error may hold a key or a code. What the system says of a
            # full disk, to which the output goes, holds neither
            words = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
            raise Stop(str(Unexpected(error, words)), Unexpected.exit_code) from error


def _stop(error: click.ClickException) -> click.ClickException:
    """An error of click's: its own words with the usage for people, a line for programs."""
    return Stop(error.format_message(), error.exit_code) if logs.is_json() else error


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


for _name, _help in COMMANDS.items():
    cli.add_command(click.Command(_name, help=_help))


def main() -> None:
    """The console script."""
    # what a run makes of a big tab lives to its end: to look for garbage in it again and again cost a fifth of a run
    gc.set_threshold(100_000, 50, 100)
    logs.catch_the_rest()
    show_all()
    cli(prog_name="sheetsync")
