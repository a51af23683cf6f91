"""Route tables: which function answers a method and a path.

Owns how a pattern is read and matched. Does not own any route: each side keeps its table beside its functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import unquote

Handler = TypeVar("Handler")

ANY = "*"
"""The method of a route that serves whatever the routes above it have left."""

_PLACE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")


@dataclass(frozen=True, slots=True)
class Route(Generic[Handler]):
    """A method, a path pattern, what answers there, and the name that log, hooks and faults know such a call by.

    `{name}` in a pattern is one segment of the path, `{name:regex}` whatever the expression matches.
    """

    method: str
    pattern: str
    handler: Handler
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Found(Generic[Handler]):
    """The route of a call, and what stood in the places of its pattern, percent-decoded."""

    route: Route[Handler]
    places: Mapping[str, str]


class Routes(Generic[Handler]):
    """A table of routes; the first one that fits is taken."""

    def __init__(self, *routes: Route[Handler]) -> None:
        self._table = [(route, _compiled(route.pattern)) for route in routes]
        # The same few paths are asked again and again in a run: each is searched for once.
        self.find = lru_cache(maxsize=8192)(self._find)

    def _find(self, method: str, path: str) -> Found[Handler] | None:
        for route, pattern in self._table:
            fits = pattern.fullmatch(path) if route.method in (ANY, method) else None
            if fits is not None:
                return Found(route, {name: unquote(text) for name, text in fits.groupdict().items()})
        return None


def _compiled(pattern: str) -> re.Pattern[str]:
    source, end = "", 0
    for place in _PLACE.finditer(pattern):
        source += re.escape(pattern[end : place.start()]) + f"(?P<{place[1]}>{place[2] or '[^/]+'})"
        end = place.end()
    return re.compile(source + re.escape(pattern[end:]), re.DOTALL)
