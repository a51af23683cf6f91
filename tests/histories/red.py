"""Histories that went wrong before a hole of issue 9 was mended: played by `python -m tests.soak --red`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Story:
    """A shrunk history and the world it needs; `seed` drew it, with the rules of that day."""

    world: str
    seed: int
    steps: tuple[tuple[Any, ...], ...]


RED: dict[int, Story] = {}
