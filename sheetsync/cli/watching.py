"""What a person at a terminal sees while a run is at work: what is being done, how far it is, seconds left.

Owns the drawing, on stderr. Where nobody watches (cron, a pipe), nothing is drawn and nothing is imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sheetsync.sync.progress import Progress, silent


@contextmanager
def watching() -> Iterator[Progress]:
    """What a run tells its progress to; on a terminal a line of it stands there until the block is left."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left:"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("reading the sheet", total=None)

        def tell(doing: str, done: int, of: int) -> None:
            if drawn.tasks[0].description != doing:
                drawn.reset(task, description=doing, total=of)
            drawn.update(task, completed=done, total=of)

        yield tell
