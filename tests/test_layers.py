"""The rooms of the design (section 8), held by reading the imports: which file may know what."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sheetsync"
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
ROOMS = [name for name in MODULES if not name.startswith("sandbox")]

# From the top down. A room may import from the layers below its own, and from its own where PEERS has it.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("demo", "doctor", "history", "status"),
    ("report", "clients", "setup"),
    ("reconcile",),
    ("execute", "alerts"),
    ("sheets", "tokportal", "ledger", "template_summary"),
    ("answers", "records", "sheets_api", "template"),
    ("database",),
    ("lock", "rate", "logs", "summary"),
    ("plan", "projection", "placing", "repair"),
    ("likeness",),
    ("config", "layout", "looks"),
    ("columns", "yamlfile"),
    ("model", "clock"),
    ("errors", "__init__"),
)
LAYER = {name: len(LAYERS) - index for index, names in enumerate(LAYERS) for name in names}
PEERS = {"plan", "projection", "placing", "repair"}

PURE = (
    *("plan", "projection", "columns", "likeness", "placing", "repair", "model", "errors"),
    *("layout", "looks", "summary", "template", "template_summary"),
)
PURE_LIBRARY = {
    "__future__", "bisect", "collections", "dataclasses", "datetime", "decimal", "difflib", "enum", "functools",
    "hashlib", "heapq", "itertools", "json", "math", "operator", "re", "string", "textwrap", "types", "typing",
    "unicodedata", "zoneinfo",
}  # fmt: skip
ONLY_IN = {
    "gspread": {"sheets_api"},
    "google": {"sheets_api"},
    "requests": {"sheets_api"},
    "httpx": {"tokportal", "alerts"},
    "sqlite3": {"ledger", "database"},
}
CLOCKS = {"clock", "sandbox.world"}
CLOCK_CALLS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 450, 60


@cache
def tree(name: str) -> ast.Module:
    """The parsed source of a module."""
    return ast.parse(MODULES[name].read_text())


@cache
def imports(name: str) -> tuple[str, ...]:
    """Every module that a module imports, in full, wherever in the file the import stands."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[str]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = ["sheetsync", *name.split(".")][: -node.level] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def rooms_of(name: str) -> set[str]:
    """The rooms of the package that a module imports; `sandbox` for all of the sandbox."""
    found = set()
    for module in imports(name):
        first, _, rest = module.partition(".")
        if first == "sheetsync":
            room = rest.split(".")[0]
            # `from sheetsync import __version__` asks the package itself, not one of its rooms.
            found.add(room if room in ROOMS or room == "sandbox" else "__init__")
    return found


def calls(name: str, attributes: set[str]) -> list[str]:
    """The calls of methods with these names, as `line: source`."""
    return [
        f"{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in attributes
    ]


@pytest.mark.parametrize("name", ROOMS)
def test_imports_go_downwards(name: str) -> None:
    """A room imports only from below itself; a new file has to be given its layer here."""
    assert name in LAYER, f"give {name}.py a layer in LAYERS"
    for room in rooms_of(name) - {"sandbox"}:
        is_peer = room in PEERS and name in PEERS
        assert LAYER.get(room, 0) < LAYER[name] or is_peer, f"{name} must not import {room}"


def test_no_room_imports_itself_by_a_detour() -> None:
    """There is no circle of imports, not even among the pure peers."""
    unfinished = {name: rooms_of(name) - {"sandbox"} for name in ROOMS}
    while unfinished:
        free = {name for name, needed in unfinished.items() if not needed & unfinished.keys()}
        assert free, f"a circle among {sorted(unfinished)}"
        unfinished = {name: needed for name, needed in unfinished.items() if name not in free}


@pytest.mark.parametrize("name", [name for name in PURE if name in MODULES])
def test_pure_rooms_know_no_world(name: str) -> None:
    """What decides about money imports no file, network, clock or log: only values and other pure rooms."""
    for module in imports(name):
        first = module.split(".")[0]
        assert first in PURE_LIBRARY or first == "sheetsync", f"{name} must not import {module}"
    assert rooms_of(name) <= {*PURE, "__init__"}


@pytest.mark.parametrize("name", MODULES)
def test_a_library_is_known_to_one_room(name: str) -> None:
    """gspread, httpx and SQL can each be replaced by changing one file."""
    for module in imports(name):
        owners = ONLY_IN.get(module.split(".")[0])
        assert owners is None or name in owners, f"{name} must not import {module}: that is for {owners}"


@pytest.mark.parametrize("name", [name for name in ROOMS if name not in ("execute", "tokportal")])
def test_only_execute_spends(name: str) -> None:
    """Nothing but execute.py orders a code or sends a correction."""
    assert calls(name, {"order", "correct"}) == []


@pytest.mark.parametrize("name", [name for name in ROOMS if name not in ("cli", "__main__", "demo")])
def test_the_program_does_not_know_its_sandbox(name: str) -> None:
    """Only the commands start the sandbox; the rest cannot tell it from Google and TokPortal."""
    assert "sandbox" not in rooms_of(name)


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("sandbox")])
def test_the_sandbox_knows_nothing_of_the_package(name: str) -> None:
    """The sandbox is written from the APIs' documents: it cannot share a mistake with the program."""
    assert rooms_of(name) <= {"sandbox"}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in CLOCKS])
def test_time_comes_from_one_clock(name: str) -> None:
    """Nobody looks at the machine's clock behind the back of the one that was passed in."""
    used = [ast.unparse(node) for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)]

    assert [text for text in used if text.endswith(CLOCK_CALLS)] == []
    assert not {"time.time", "time.time_ns"} & set(imports(name))


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_stay_small(name: str) -> None:
    """A file can be read in one sitting, and a function on one screen."""
    assert len(MODULES[name].read_text().splitlines()) <= MOST_LINES
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_LINES_OF_A_FUNCTION, f"{name}.{node.name} has {lines} lines"


def test_the_lists_above_name_no_library_that_is_not_there() -> None:
    """A misspelt name in PURE_LIBRARY would allow nothing and say nothing."""
    assert set(sys.stdlib_module_names) >= PURE_LIBRARY


def test_the_branch_gate_names_files_that_are_there() -> None:
    """A renamed file does not slip out of the gate of .ci/run."""
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())
    gated = settings["tool"]["coverage"]["run"]["include"]

    assert [path for path in gated if not (PACKAGE.parent / path).exists()] == []
    assert {
        f"sheetsync/{name}.py" for name in ("plan", "projection", "columns", "execute", "placing", "repair", "likeness")
    } <= set(gated)
