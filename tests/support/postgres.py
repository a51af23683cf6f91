"""A real PostgreSQL for tests: one server for each process that tests, and an empty schema for each ledger.

`sheetsync.state.Server` addresses come out; the server goes with its process.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
import pytest

from sheetsync.state import Server

MISSING = "no PostgreSQL server is installed (Debian's package postgresql)"
_numbers = itertools.count(1)
LIBRARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))


def or_skip() -> None:
    """Skip a test where no server can be had: never in CI."""
    if not LIBRARIES:
        assert not os.environ.get("CI"), MISSING
        pytest.skip(MISSING)


@cache
def address() -> str:
    """Start a server; its address, without a schema. Everything is gone with this process."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    run("initdb", "-D", str(folder / "data"), "-U", "sheetsync", "-A", "trust", "-N", "--locale=C.UTF-8", own=folder)
    # fsync off: these ledgers need not outlive the machine
    fast = "-F -c listen_addresses='' -c full_page_writes=off -c jit=off -c max_connections=200"
    options = f"-k {folder} {fast}"
    run("pg_ctl", "-D", str(folder / "data"), "-l", str(folder / "log"), "-w", "-o", options, "start")
    atexit.register(_gone, folder, os.getpid())
    return f"postgresql://sheetsync@/postgres?host={folder}"


def restart() -> None:
    """Every connection is cut, and the server is back."""
    stop()
    start()


def stop() -> None:
    """Every connection is cut, and none is made."""
    run("pg_ctl", "-D", f"{_folder()}/data", "-w", "-m", "immediate", "stop")


def start() -> None:
    """The server is back, with what it was started with before."""
    options = (_folder() / "data/postmaster.opts").read_text().strip().split(" ", 1)[1]
    run("pg_ctl", "-D", f"{_folder()}/data", "-l", f"{_folder()}/log", "-w", "-o", options, "start")


def _folder() -> Path:
    return Path(address().partition("host=")[2])


def run(program: str, *arguments: str, own: Path | None = None) -> None:
    """A program of PostgreSQL's, as an unprivileged user: it refuses to be root's."""
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
    if user and own:
        os.chown(own, user.pw_uid, user.pw_gid)
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    command = [str(LIBRARIES[-1] / program), *arguments]
    done = subprocess.run(command, cwd="/", capture_output=program == "initdb", text=True, **as_user)  # type: ignore[call-overload]
    assert not done.returncode, done.stderr


def _gone(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # not a child that was forked
        run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-s", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def fresh() -> Server:
    """An empty database of one's own: a schema."""
    return named(f"ledger_{os.getpid()}_{next(_numbers)}")


def named(schema: str) -> Server:
    """The database in a schema, which is made where it is not there."""
    told(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    return Server(f"{address()}&options=-csearch_path%3D{schema}")


def told(sql: str) -> list[tuple[object, ...]]:
    """What the server says, past the ledger."""
    with psycopg.connect(address(), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []
