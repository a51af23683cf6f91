"""Field masks: `a,b(c,d/e),x.y` compiled once into a tree, and used to build or pick only what was asked for.

A mask is a dict from name to the mask below it; None means everything below.
Source: reference/google-sheets.md section 2.2 (dots or slashes; nothing matching gives skeletons).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Mask = dict[str, Any] | None


class BadMask(Exception):
    """A mask that cannot be read; the argument is the path at fault."""


@lru_cache(maxsize=512)
def compile_mask(text: str) -> Mask:
    """Reads a mask; None (everything) for `*`. Raises BadMask."""
    if text.strip() == "*":
        return None
    tree, rest = _listed(text.replace(" ", ""), text)
    if rest:
        raise BadMask(text)
    return tree


def _listed(text: str, whole: str) -> tuple[Mask, str]:
    tree: Mask = {}
    while True:
        text = _one(text, tree, whole)
        if not text.startswith(","):
            return (None if tree is not None and "*" in tree else tree), text
        text = text[1:]


def _one(text: str, tree: Mask, whole: str) -> str:
    """Takes one path, with its parentheses, off the front of the text and into the tree."""
    end = next((index for index, char in enumerate(text) if char in ",()"), len(text))
    names = text[:end].replace("/", ".").split(".")
    if not all(names) or tree is None:
        raise BadMask(whole)
    below: Mask = None
    text = text[end:]
    if text.startswith("("):
        below, text = _listed(text[1:], whole)
        if not text.startswith(")"):
            raise BadMask(whole)
        text = text[1:]
    for name in reversed(names[1:]):
        below = None if name == "*" else {name: below}
    _merge(tree, names[0], below)
    return text


def _merge(tree: dict[str, Any], name: str, below: Mask) -> None:
    held = tree.get(name, {})
    if held is None or below is None:
        tree[name] = None
        return
    for key, value in below.items():
        _merge(held, key, value)
    tree[name] = held


def below(mask: Mask, name: str) -> Mask:
    """The mask under a name that is wanted."""
    return None if mask is None else mask[name]


def pick(value: Any, mask: Mask) -> Any:
    """What the mask leaves of a value."""
    if mask is None:
        return value
    if isinstance(value, list):
        return [pick(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: pick(value[name], under) for name, under in mask.items() if name in value}


def overlay(old: dict[str, Any], new: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """The old object with the masked fields taken from the new one; what the new one lacks is cleared."""
    if mask is None:
        return {key: value for key, value in new.items() if value is not None}
    result = dict(old)
    for name, under in mask.items():
        value = new.get(name)
        if under is not None and (isinstance(value, dict) or isinstance(old.get(name), dict)):
            value = overlay(old.get(name) or {}, value or {}, under) or None
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result
