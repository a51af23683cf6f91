"""The options that commands share, and what they select: one Selection, which a command is called with.

Owns their names, their help, and how the configuration is found. What a command does with them is its own file's.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sheetsync.config.load import Config, default_path, load
from sheetsync.model import Tracker

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

MOST_CREDITS = 10**6
"""What no account has: a larger number is a slip of the finger."""

OPTIONS: Mapping[str, Decorator] = {
    "trackers": click.option(
        "--tracker", "trackers", multiple=True, metavar="NAME", help="Only this tracker. Repeatable."
    ),
    "videos": click.option("--video", "videos", multiple=True, metavar="ID", help="Only this video. Repeatable."),
    "as_json": click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    "allow_orders": click.option(
        "--allow-orders",
        type=click.IntRange(0, MOST_CREDITS),
        metavar="N",
        help="Up to N orders in this run, whatever the limit.",
    ),
    "accept_price": click.option(
        "--accept-price",
        type=click.IntRange(1, MOST_CREDITS),
        metavar="N",
        help="An ad code may cost up to N credits from now on.",
    ),
    "allow_shrunken": click.option(
        "--allow-shrunken", is_flag=True, help="Go on although most open requests have lost their rows."
    ),
}
"""The options, by the field of a Selection that each fills."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a command is asked to work on, and how to answer. An option that a command does not have keeps its default.

    Without `trackers` or `videos` all of them are meant. The allowances lift a limit for this once.
    """

    config_path: Path | None = None
    trackers: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    as_json: bool = False
    allow_orders: int | None = None
    allow_shrunken: bool = False
    accept_price: int | None = None

    def path(self) -> Path:
        """The configuration file that the options, the environment or the folder name."""
        return self.config_path or default_path(os.environ)

    def load(self) -> tuple[Config, list[Tracker]]:
        """The configuration, and the trackers selected in it.

        Raises ConfigError; UsageError for a tracker that is not configured.
        """
        config = load(self.path(), os.environ)
        known = {tracker.name: tracker for tracker in config.trackers}
        for name in self.trackers:
            if name not in known:
                raise click.UsageError(f"There is no tracker '{name}'. The configuration has: {', '.join(known)}.")
        return config, [known[name] for name in self.trackers or known]


def selecting(*names: str) -> Decorator:
    """Give a command some of OPTIONS, and the Selection that they make as its first argument."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def select(**values: Any) -> Any:
            chosen = {name: values.pop(name) for name in names}
            return command(Selection(click.get_current_context().obj, **chosen), **values)

        decorated: Callable[..., Any] = select
        # click lists options from the last decorator to the first
        for name in reversed(names):
            decorated = OPTIONS[name](decorated)
        return decorated

    return decorate
