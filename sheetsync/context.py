"""What log lines are about: said by the run, read by whoever formats a line.

Owns that it follows the run into its threads (a pool's `initializer=ABOUT.set`), and ends with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 (a Mapping is never changed)
"""`run_id` and `tracker`, where there are any."""


@contextmanager
def about(**more: str) -> Iterator[None]:
    """Within it, lines are about this too."""
    token = ABOUT.set({**ABOUT.get(), **more})
    try:
        yield
    finally:
        ABOUT.reset(token)
