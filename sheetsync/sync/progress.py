"""How far a run is, for whoever watches: the steps tell it, the command line shows it, and nobody else needs it."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many of how many are done; from any thread."""


def silent(doing: str, done: int, of: int) -> None:
    """Nobody watches."""
