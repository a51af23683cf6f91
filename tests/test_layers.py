"""The rooms of the design (section 8), held by reading the imports: which file may know what."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sheetsync"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def room(name: str) -> str:
    """The folder that a module is in; a file at the top of the package is a room of its own."""
    return name.split(".")[0]


ROOMS = [name for name in MODULES if room(name) != "sandbox"]

# From the top down. A room is a folder, or a file of the vocabulary; it may import itself and the rooms below its own.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("live", "health", "fleet"),
    ("sync",),
    ("reporting", "filling", "importing"),
    ("sheet", "tokportal", "tiktok", "ledger", "template"),
    ("plan",),
    ("projection", "alerts"),
    ("config",),
    ("lines",),
    ("columns",),
    ("notes", "steps", "projected", "receivers"),
    ("budget",),
    ("model", "clock", "context", "network", "state"),
    ("errors", "fills", "authorizations", "__init__"),
)
LAYER = {name: len(LAYERS) - index for index, names in enumerate(LAYERS) for name in names}

SHEET_IO = {"sheet", "sheet.api", "sheet.reading", "sheet.session", "sheet.writing"}
PURE_ROOMS = {
    "plan",
    "projection",
    "template",
    "lines",
    "columns",
    "notes",
    "steps",
    "projected",
    "receivers",
    "model",
    "fills",
    "authorizations",
    "errors",
}
LIVE_IO = {"live.google", "live.portal", "live.recording"}
# a report is made by libraries that read their own files, and its page from files beside it
MADE_BY_LIBRARIES = {f"reporting.{name}" for name in ("page", "drawing", "workbook", "calendar")}
PURE_FILLING = {"filling", "filling.choosing", "filling.appending"}
PURE_IMPORTING = {"importing", "importing.table", "importing.comparing"}
PURE_ALERTS = {"alerts", "alerts.alert", "alerts.deciding", "alerts.digest"}
PURE = [
    name
    for name in ROOMS
    if room(name) in PURE_ROOMS
    or (room(name) == "sheet" and name not in SHEET_IO)
    or (room(name) == "live" and name not in LIVE_IO)
    or (room(name) == "reporting" and name not in MADE_BY_LIBRARIES)
    or name in PURE_ALERTS
    or name in PURE_FILLING
    or name in PURE_IMPORTING
    or name == "tiktok.parsing"
]

# The same for the sandbox, whose parts are its folders and files. `world` puts together what does not know each other.
SANDBOX_LAYERS = (
    ("serve",),
    ("server", "sample"),
    ("world",),
    ("control",),
    ("page", "faults", "people"),
    ("google", "tokportal", "tiktok"),
    ("routing",),
    ("wire", "clock", "__init__"),
)
SANDBOX_LAYER = {name: len(SANDBOX_LAYERS) - index for index, names in enumerate(SANDBOX_LAYERS) for name in names}
SANDBOX = [name for name in MODULES if name.split(".")[0] == "sandbox"]

PURE_LIBRARY = {
    "__future__", "base64", "bisect", "codecs", "collections", "csv", "dataclasses", "datetime", "decimal", "difflib",
    "enum", "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re", "statistics", "string",
    "textwrap", "types", "typing", "unicodedata", "zlib", "zoneinfo",
}  # fmt: skip
ONLY_IN = {
    "gspread": {"sheet.api"},
    "google": {"sheet.api", "sheet.session"},
    "requests": {"sheet.api", "sheet.session"},
    "urllib3": {"sheet.session"},
    "httpx": {"tokportal.client", "tiktok.client", "health.ping", "alerts.channels"},
    "smtplib": {"alerts.channels"},
    "apprise": {"alerts.channels"},
    "prometheus_client": {"health.metrics"},
    "sqlite3": {"ledger.sqlite"},
    "psycopg": {"ledger.postgres", "ledger.budgets"},
    "procrastinate": {"fleet.engine"},
    "psycopg_pool": {"fleet.engine"},
    "pydantic": {"config.load", "config.settings"},
    "pydantic_core": {"config.load", "config.settings"},
    "rich": {"cli.watching", "cli.rows"},
    "yaml": {"config.positions"},
    "dotenv": {"config.variables"},
    "jinja2": {"reporting.page"},
    "matplotlib": {"reporting.drawing"},
    "openpyxl": {"reporting.workbook"},
    "icalendar": {"reporting.calendar"},
    "cryptography": {"sandbox.google.oauth", "sandbox.google.service_account"},
}
CLOCKS = {"clock", "sandbox.clock"}
CLOCK_CALLS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns")
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 450, 60


@cache
def tree(name: str) -> ast.Module:
    """The parsed source of a module."""
    return ast.parse(MODULES[name].read_text())


@cache
def imports(name: str) -> tuple[str, ...]:
    """Every name that a module imports, in full, wherever in the file the import stands."""
    found = []
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: imports are written in full"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


@cache
def modules_of(name: str) -> frozenset[str]:
    """The modules of the package that a module imports; `__init__` for the package itself."""
    found = set()
    for imported in imports(name):
        first, _, rest = imported.partition(".")
        if first == "sheetsync":
            # `from sheetsync.model import Row` asks the module, `from sheetsync import __version__` the package
            parts = rest.split(".")
            whole, without_name = ".".join(parts), ".".join(parts[:-1])
            found.add(whole if whole in MODULES else without_name or "__init__")
    return frozenset(found - {name})


def part(name: str) -> str:
    """The folder or file of the sandbox that one of its modules is in or is."""
    return name.split(".")[1] if "." in name else "__init__"


def folder(name: str) -> str:
    """The folder that holds a module, or the file that is one by itself: rooms, and the parts of the sandbox."""
    return f"sandbox.{part(name)}" if room(name) == "sandbox" else room(name)


def circle(graph: dict[str, set[str]]) -> set[str]:
    """What is left of a graph when all that leads nowhere is taken away again and again: its circles."""
    left = dict(graph)
    while free := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in free}
    return set(left)


def calls(name: str, attributes: set[str]) -> list[str]:
    """The calls of methods with these names, as `line: source`."""
    return [
        f"{node.lineno}: {ast.unparse(node.func)}"
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in attributes
    ]


@pytest.mark.parametrize("name", ROOMS)
def test_imports_go_downwards(name: str) -> None:
    """A room imports only from below itself; a new one has to be given its layer here."""
    assert room(name) in LAYER, f"give {room(name)} a layer in LAYERS"
    for needed in {room(module) for module in modules_of(name)} - {room(name), "sandbox"}:
        assert LAYER[needed] < LAYER[room(name)], f"{name} must not import {needed}"


def test_no_file_imports_itself_by_a_detour() -> None:
    """There is no circle of files, not even of imports for types alone."""
    assert circle({name: set(modules_of(name)) for name in MODULES}) == set()


def test_no_folder_imports_itself_by_a_detour() -> None:
    """There is no circle of folders."""
    graph: dict[str, set[str]] = {}
    for name in MODULES:
        needed = {folder(module) for module in modules_of(name)} - {folder(name)}
        graph.setdefault(folder(name), set()).update(needed)
    assert circle(graph) == set()


@pytest.mark.parametrize("name", SANDBOX)
def test_imports_of_the_sandbox_go_downwards(name: str) -> None:
    """So they do in the sandbox: its two services know nothing of each other, nor of the world they are in."""
    assert part(name) in SANDBOX_LAYER, f"give {part(name)} a layer in SANDBOX_LAYERS"
    for needed in {part(module) for module in modules_of(name) if room(module) == "sandbox"} - {part(name)}:
        assert SANDBOX_LAYER[needed] < SANDBOX_LAYER[part(name)], f"{name} must not import {needed}"


@pytest.mark.parametrize("name", PURE)
def test_pure_rooms_know_no_world(name: str) -> None:
    """What decides about money imports no file, network, clock or log: only values and other pure rooms."""
    for module in imports(name):
        first = module.split(".")[0]
        assert first in PURE_LIBRARY or first == "sheetsync", f"{name} must not import {module}"
    assert modules_of(name) <= {*PURE, "__init__"}


@pytest.mark.parametrize("name", MODULES)
def test_a_library_is_known_to_one_room(name: str) -> None:
    """gspread, httpx and SQL can each be replaced by changing one file."""
    for module in imports(name):
        owners = ONLY_IN.get(module.split(".")[0])
        assert owners is None or name in owners, f"{name} must not import {module}: that is for {owners}"


@pytest.mark.parametrize("name", [name for name in ROOMS if name not in ("sync.execute", "tokportal.client")])
def test_only_execute_spends(name: str) -> None:
    """Nothing but execute.py orders a code or sends a correction."""
    assert calls(name, {"order", "correct"}) == []


@pytest.mark.parametrize("name", [name for name in ROOMS if room(name) != "cli"])
def test_the_program_does_not_know_its_sandbox(name: str) -> None:
    """Only the commands start the sandbox; the rest cannot tell it from Google and TokPortal."""
    assert "sandbox" not in map(room, modules_of(name))


@pytest.mark.parametrize("name", SANDBOX)
def test_the_sandbox_knows_nothing_of_the_package(name: str) -> None:
    """The sandbox is written from the APIs' documents: it cannot share a mistake with the program."""
    assert {room(module) for module in modules_of(name)} <= {"sandbox"}


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

    assert [path for path in gated if not list(PACKAGE.parent.glob(path))] == []
    assert {path for pattern in gated for path in PACKAGE.parent.glob(pattern)} >= {
        PACKAGE / f"{name}.py"
        for name in ("columns", "plan/marks", "projection/cells", "sync/execute", "sheet/verification", "sheet/repair")
    }
