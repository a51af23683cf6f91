"""Few configurations in which every two values of any two switches come together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

Choice = dict[str, Any]
Pair = frozenset[tuple[str, Any]]


def all_pairs(choices: Mapping[str, Sequence[Any]]) -> list[Choice]:
    """Configurations that cover every pair of values; greedy, and the same each time."""
    left = pairs_of(choices)
    found: list[Choice] = []
    while left:
        chosen = dict(sorted(max(left, key=_order)))
        for name in choices:
            if name not in chosen:
                chosen[name] = max(choices[name], key=lambda value, name=name: _gain(chosen, name, value, left))
        left -= {frozenset(pair) for pair in combinations(chosen.items(), 2)}
        found.append(chosen)
    return found


def pairs_of(choices: Mapping[str, Sequence[Any]]) -> set[Pair]:
    """Every two values of any two switches."""
    return {
        frozenset(((one, a), (other, b)))
        for one, other in combinations(choices, 2)
        for a, b in product(choices[one], choices[other])
    }


def _gain(chosen: Choice, name: str, value: Any, left: set[Pair]) -> int:
    return sum(frozenset((item, (name, value))) in left for item in chosen.items())


def _order(pair: Pair) -> list[str]:
    return sorted(map(str, pair))
