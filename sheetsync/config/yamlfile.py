"""Reads values out of a YAML file with their lines, and collects every problem on the way.

Owns what is common to all settings: positions, `${NAME}` and the `.env` file beside it, known keys, texts, whole
numbers, addresses, paths and lists. Which settings there are, and how they hang together, is `config.py`'s.
No value that came from the environment or from `.env` is ever put into a message: it may be a key.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from sheetsync.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENV_LINE = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
    (?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>(?!["']).*?))\s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE,
)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its dotted key, its 1-based line, and its node (None: the key is not in the file)."""

    key: str
    line: int
    node: yaml.Node | None


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of the file whose keys have been checked."""

    key: str
    line: int
    nodes: Mapping[str, yaml.Node]

    def at(self, name: str) -> Place:
        """The place of one of its keys; a key that is left out has the line of the section."""
        node = self.nodes.get(name)
        return Place(_joined(self.key, name), line_of(node) if node else self.line, node)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number: its unit, its default, and its bounds, both allowed."""

    unit: str
    default: int
    low: int
    high: int


def read(path: Path) -> yaml.MappingNode:
    """The file as a node with positions. Raises ConfigError: missing, unreadable, no YAML, no mapping.

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
        raise ConfigError([f"{path}:{line_of(root)}: the file is {_kind(root)}; expected `key: value` lines"])
    return root


class Reader:
    """Turns nodes into values. What is wrong is noted, and None or the default stands in for it meanwhile."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path, self.environ = path, environ
        self._problems: list[tuple[int, str]] = []

    @property
    def problems(self) -> list[str]:
        """All that is wrong, in the order of the file; what is wrong with `.env` comes first."""
        return [text for _, text in sorted(self._problems, key=lambda problem: problem[0])]

    def problem(self, place: Place, text: str) -> None:
        """Note what is wrong at a place, and what is expected there."""
        self._problems.append((place.line, f"{self.path}:{place.line}: {place.key}: {text}"))

    def section(self, place: Place, known: Collection[str]) -> Section:
        """A mapping with none but the known keys, each once. A section that is left out or empty has no keys."""
        nodes: dict[str, yaml.Node] = {}
        if isinstance(place.node, yaml.MappingNode):
            for key_node, node in place.node.value:
                self._add(place, nodes, key_node, node, known)
        elif not _is_nothing(place.node):
            self.problem(place, f"is {_kind(place.node)}; expected a mapping, such as `{next(iter(known))}: ...`")
        return Section(place.key, place.line, nodes)

    def _add(
        self, place: Place, nodes: dict[str, yaml.Node], key_node: yaml.Node, node: yaml.Node, known: Collection[str]
    ) -> None:
        name = key_node.value if isinstance(key_node, yaml.ScalarNode) else _kind(key_node)
        here = Place(_joined(place.key, name), line_of(key_node), node)
        if name not in known:
            self.problem(here, f"is not a known key; {nearest(name, known)}")
        elif name in nodes:
            self.problem(here, f"stands twice (first on line {line_of(nodes[name])}); expected once")
        else:
            nodes[name] = node

    def items(self, place: Place, expected: str) -> Iterator[Place]:
        """The items of a list, as `key[0]`, `key[1]` and so on; none when the key is left out."""
        if isinstance(place.node, yaml.SequenceNode):
            for index, node in enumerate(place.node.value):
                yield Place(f"{place.key}[{index}]", line_of(node), node)
        elif place.node is not None:
            self.problem(place, f"is {_kind(place.node)}; expected {expected}")

    def text(self, place: Place, expected: str, default: str | None = None) -> str | None:
        """A text with its variables filled in, not empty. Without a default, the key must be there."""
        if place.node is None:
            if default is None:
                self.problem(place, f"is missing; expected {expected}")
            return default
        if not isinstance(place.node, yaml.ScalarNode):
            self.problem(place, f"is {_kind(place.node)}; expected {expected}")
            return None
        value = "" if _is_nothing(place.node) else self._filled(place, place.node.value)
        if value is not None and not value.strip():
            self.problem(place, f"is empty; expected {expected}")
            return None
        return value

    def _filled(self, place: Place, text: str) -> str | None:
        """The text with every `${NAME}` replaced; None when one cannot be."""
        values = [self._variable(place, match) for match in _VARIABLE.finditer(text)]
        if None in values:
            return None
        filled = iter(values)
        return _VARIABLE.sub(lambda _: next(filled) or "", text)

    def _variable(self, place: Place, match: re.Match[str]) -> str | None:
        name = match[1]
        if not _VARIABLE_NAME.fullmatch(name) or not match[0].endswith("}"):
            self.problem(place, f"'{match[0]}' names no variable; expected ${{NAME}}, of letters, digits and _")
            return None
        value = self.environ[name] if name in self.environ else self._dotenv.get(name)
        if value is None:
            self.problem(
                place,
                f"the environment variable {name} is not set; "
                f"expected `export {name}=...`, or a line `{name}=...` in {self._dotenv_path}",
            )
        return value

    @property
    def _dotenv_path(self) -> Path:
        return self.path.parent / ".env"

    @cached_property
    def _dotenv(self) -> Mapping[str, str]:
        """The variables of the `.env` file; none when there is no such file."""
        try:
            lines = self._dotenv_path.read_text(encoding="utf-8-sig").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            self._problems.append((0, f"{self._dotenv_path}: cannot be read ({reason(error)}); expected a UTF-8 text"))
            return {}
        values: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            match = _ENV_LINE.fullmatch(line)
            if match:
                values[match["name"]] = match["double"] or match["single"] or match["bare"] or ""
            elif line.strip() and not line.lstrip().startswith("#"):
                # The line itself is not shown: it may hold a key.
                self._problems.append((0, f"{self._dotenv_path}:{number}: is not understood; expected NAME=value"))
        return values

    def whole(self, place: Place, kind: Whole) -> int:
        """A whole number within its bounds; the default when it is left out (or wrong)."""
        expected = f"{kind.unit}, for example {kind.default}"
        text = self.text(place, expected, str(kind.default))
        if text is None:
            return kind.default
        if not re.fullmatch(r"[+-]?[0-9]{1,12}", text.strip()):
            self.problem(place, f"{shown(place)} is not a whole number; expected {expected}")
            return kind.default
        if not kind.low <= int(text) <= kind.high:
            self.problem(place, f"{shown(place)} is out of bounds; expected {kind.low} to {kind.high} {kind.unit}")
        return int(text)

    def url(self, place: Place, default: str) -> str:
        """An address without a closing slash; plain http, which anyone on the way can read, for loopback alone."""
        text = self.text(place, f"an address, for example {default}", default)
        wrong = _wrong_url(text) if text is not None else ""
        if wrong:
            self.problem(place, f"{shown(place)} {wrong}")
        return (text or default).rstrip("/")

    def file(self, place: Place, default: str) -> Path:
        """An absolute path; a relative one is relative to the configuration file, and `~` is the home folder."""
        text = self.text(place, f"a path, for example {default}", default) or default
        try:
            return self.path.absolute().parent / Path(text).expanduser()
        except RuntimeError:
            self.problem(place, f"{shown(place)} begins with a home folder that is not known; expected another path")
            return Path(default)

    def keys(self, place: Place, known: Collection[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of column keys, each once and out of `known`; the default when it is left out."""
        if place.node is None:
            return default
        found: list[str] = []
        for item in self.items(place, f"a list such as [{next(iter(known))}], or [] for none"):
            key = self.text(item, "a column key")
            if key is None:
                continue
            if key not in known:
                self.problem(item, f"{shown(item)} cannot stand here; {nearest(key, known)}")
            elif key in found:
                self.problem(item, f"{shown(item)} stands twice; expected once")
            found.append(key)
        return tuple(found)


def line_of(node: yaml.Node) -> int:
    """The 1-based line on which a node begins."""
    return int(node.start_mark.line) + 1


def shown(place: Place) -> str:
    """A value as the file has it, for a message: its variables are not filled in."""
    text = place.node.value if isinstance(place.node, yaml.ScalarNode) else ""
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def nearest(word: str, known: Collection[str]) -> str:
    """What was probably meant, as the end of a message."""
    close = difflib.get_close_matches(word.strip().lower().replace(" ", "_"), known, n=1)
    return f"expected {close[0]}?" if close else f"expected one of {', '.join(known)}"


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, without its path."""
    return error.strerror or "unknown" if isinstance(error, OSError) else "it is not UTF-8"


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _kind(node: yaml.Node | None) -> str:
    # The value is left out on purpose: a key written one level too high must not end up in a log.
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "empty" if _is_nothing(node) else "a text"


def _is_nothing(node: yaml.Node | None) -> bool:
    """Left out, or written without a value (`key:`, `key: ~`, `key: null`)."""
    return node is None or (isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NOTHING)


def _syntax(error: yaml.YAMLError) -> str:
    """A YAML error as `line: what is wrong`; the line's text is left out, for it may hold a key."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        hint = "; indent with spaces, not tabs" if "'\\t'" in (error.problem or "") else ""
        return f"{error.problem_mark.line + 1}: this is not YAML: {error.problem}{hint}"
    return " this is not YAML: it holds a character that YAML does not allow"


def _wrong_url(text: str) -> str:
    """What is wrong with an address; empty when nothing is."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address; expected https://host"
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", text):
        return "is not an address; expected https://host"
    if parts.username is not None or parts.query or parts.fragment:
        return "has more than a host and a path; expected https://host"
    if parts.scheme == "http" and not _is_loopback(host):
        return "would send keys in the clear; expected https:// (http:// is for 127.0.0.1 and localhost)"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
