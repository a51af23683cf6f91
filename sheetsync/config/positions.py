"""A YAML file as nodes: plain values for the checks, and for each value its line and its text as written.

Owns reading YAML, and where in the file a value stands. Does not know which settings there are (`settings.py`), nor
what `${NAME}` stands for (`variables.py`): texts are the file's own here, so they may be shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sheetsync.errors import ConfigError

Location = tuple[str | int, ...]
"""The way to a value, as pydantic gives it: keys of mappings, indexes of lists."""

Problem = tuple[int, str]
"""A line of the file, and what is wrong there: the key and a sentence."""

AS_WRITTEN = "<as written>"
"""Stands at the beginning of a sentence for the text that the file has, its variables not filled in."""

_DEEPEST = 7
"""Steps to the deepest setting, an address within a tracker's own receiver: what lies below (an anchor may hold
itself) is not looked at."""

_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class Document:
    """A YAML file: its `values` as dicts, lists and texts (None where a value is left out), and where each stands.

    `repeated` are the problems of keys that stand twice in a mapping; the first counts.
    Raises ConfigError for a file that is missing, unreadable, no YAML or no mapping.
    """

    def __init__(self, path: Path) -> None:
        root = _read(path)
        self.repeated: list[Problem] = []
        self._nodes: dict[Location, tuple[yaml.Node, yaml.Node]] = {}
        self.values = self._plain((), root, root)

    def find(self, location: Location) -> tuple[yaml.Node, yaml.Node]:
        """A value, and its key (which may stand above it); of one that is not there, what should hold it."""
        while location not in self._nodes:
            location = location[:-1]
        return self._nodes[location]

    def problem(self, location: Location, sentence: str, of_key: bool = False) -> Problem:
        """What is wrong with a value, or with the key itself."""
        value, name = self.find(location)
        if sentence.startswith(AS_WRITTEN):
            written = value.value if isinstance(value, yaml.ScalarNode) else ""
            shown = written if len(written) <= 60 else f"{written[:57]}..."
            sentence = f"'{shown}'{sentence.removeprefix(AS_WRITTEN)}"
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
        return line_of(name if of_key else value), f"{key}: {sentence}"

    def _plain(self, at: Location, key: yaml.Node, node: yaml.Node) -> Any:
        self._nodes[at] = node, key
        if isinstance(node, yaml.ScalarNode):
            return None if _is_nothing(node) else node.value
        if len(at) > _DEEPEST:
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self._plain((*at, index), item, item) for index, item in enumerate(node.value)]
        values: dict[str, Any] = {}
        for key, value in node.value:
            # Half a character, which YAML can escape, is no key that pydantic takes.
            name = key.value.encode(errors="replace").decode() if isinstance(key, yaml.ScalarNode) else kind(key)
            if name in values:
                first = line_of(self._nodes[*at, name][1])
                _, text = self.problem((*at, name), f"stands twice (first on line {first}); expected once")
                self.repeated.append((line_of(key), text))
            else:
                values[name] = self._plain((*at, name), key, value)
        return values


def _read(path: Path) -> yaml.MappingNode:
    """The file as a node with positions. Raises ConfigError as Document does.

    Every scalar stays the text it was written as: YAML 1.1 would make `010` an 8 and `on` a truth value.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.BaseLoader)
    except FileNotFoundError as error:
        raise ConfigError(
            [f"{path}: there is no such file; `sheetsync sandbox` writes one to try, for real copy config.example.yaml"]
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read ({reason(error)}); expected a YAML file in UTF-8"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}:{_syntax(error)}"]) from error
    if root is None:
        raise ConfigError([f"{path}:1: the file is empty; copy config.example.yaml and fill it in"])
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([f"{path}:{line_of(root)}: the file is {kind(root)}; expected `key: value` lines"])
    return root


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, without its path."""
    return error.strerror or "unknown" if isinstance(error, OSError) else "it is not UTF-8"


def line_of(node: yaml.Node) -> int:
    """The 1-based line on which a node begins."""
    return int(node.start_mark.line) + 1


def kind(node: yaml.Node) -> str:
    """What a value is, in words. The value is left out: a key written one level too high must not end up in a log."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "empty" if _is_nothing(node) else "a text"


def _is_nothing(node: yaml.Node) -> bool:
    """Written without a value (`key:`, `key: ~`, `key: null`)."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NOTHING


def _syntax(error: yaml.YAMLError) -> str:
    """A YAML error as `line: what is wrong`; the line's text is left out, for it may hold a key."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        hint = "; indent with spaces, not tabs" if "'\\t'" in (error.problem or "") else ""
        return f"{error.problem_mark.line + 1}: this is not YAML: {error.problem}{hint}"
    return " this is not YAML: it holds a character that YAML does not allow"
