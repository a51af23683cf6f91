"""`sheetsync sandbox`: a local Google Sheets and TokPortal to try sheetsync by hand."""

import sys
from pathlib import Path
from shlex import join, quote
from shutil import which

import click

from sheetsync.errors import SheetsyncError
from sheetsync.sandbox.serve import Unservable, serve


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sheetsync-sandbox"),
    show_default=True,
    help="Where its state, a ready sheetsync.yaml, key file and .env go.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True, help="0 takes any free port.")
@click.option("--schema", is_flag=True, help="Hold every Sheets call against Google's own schema (extra: contract).")
def sandbox(folder: Path, port: int, schema: bool) -> None:
    """Serve a local Google Sheets and a local TokPortal until stopped, to try sheetsync by hand."""
    try:
        serve(folder, port, as_called(), click.echo, schema=schema)
    except Unservable as error:
        raise SheetsyncError(str(error)) from None
    except LookupError as error:
        raise click.UsageError(str(error)) from error


def as_called() -> str:
    """How this program can be called from any folder: by its name where the shell finds just this, else by its path."""
    here = Path(sys.argv[0])
    if here.suffix == ".py" or not here.exists():
        return join([sys.executable, "-m", "sheetsync"])
    if (found := which(here.name)) and Path(found).resolve() == here.resolve():
        return here.name
    return quote(str(here.absolute()))
