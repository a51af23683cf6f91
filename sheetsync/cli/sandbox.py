"""`sheetsync sandbox`: a local Google Sheets and TokPortal to try sheetsync by hand."""

from pathlib import Path

import click

from sheetsync.sandbox.serve import serve


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
        serve(folder, port, click.echo, schema=schema)
    except LookupError as error:
        raise click.UsageError(str(error)) from error
