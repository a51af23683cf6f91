"""`sheetsync schedule`: what lets this machine run sheetsync every five minutes, with its real paths.

Owns what is put into the templates of `schedules/`. The files of the folder `cron/` are these, with example paths.
"""

import grp
import os
import pwd
import shlex
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import click

from sheetsync import __version__
from sheetsync.cli.options import Selection, selecting
from sheetsync.config.load import Config
from sheetsync.errors import ConfigError

KINDS: Mapping[str, tuple[str, ...]] = {
    "cron": ("sheetsync.cron",),
    "logrotate": ("sheetsync.logrotate",),
    "systemd": ("sheetsync.service", "sheetsync.timer"),
    "k8s": ("cronjob.yaml",),
}
"""The files of each kind of schedule."""


@click.command()
@selecting()
@click.argument("kind", type=click.Choice(list(KINDS)), default="cron")
@click.option("--user", help="Who runs it.  [default: you]")
@click.option("--write", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Write it to this folder.")
def schedule(selection: Selection, kind: str, user: str | None, write: Path | None) -> None:
    """Print what runs sheetsync every five minutes, with this machine's paths.

    For cron, systemd or Kubernetes. `sheetsync schedule cron | crontab -` replaces your crontab; beside it the log
    needs what `sheetsync schedule logrotate` prints.
    """
    values = values_for(selection.load()[0], user or pwd.getpwuid(os.getuid()).pw_name)
    for name in KINDS[kind]:
        text = rendered(name, values)
        if write:
            _write(write / name, text)
        elif len(KINDS[kind]) == 1:
            click.echo(text, nl=False)
        else:
            click.echo(f"### {name}\n{text}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written ({error.strerror}); name another folder"]) from error


def rendered(name: str, values: Mapping[str, str]) -> str:
    """A template with its values in their places."""
    text = files("sheetsync.cli").joinpath("schedules", name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _home(config: Config) -> Path:
    """The folder that runs write into: the ledger's, where that is a file."""
    return config.state.parent if isinstance(config.state, Path) else config.path.absolute().parent


def values_for(config: Config, user: str) -> dict[str, str]:
    """What stands in the templates, for this machine."""
    path = config.path.absolute()
    dotenv, key_file = path.parent / ".env", config.google.credentials
    secrets = [secret for secret in (dotenv, key_file) if secret and not _is_absent(secret)]
    command, log = f"{_program()} --config {shlex.quote(str(path))}", _home(config) / "sync.log"
    folders = [_home(config), *([config.run.metrics_file.parent] if config.run.metrics_file else [])]
    return {
        "program": _program(),
        "command": _for_systemd(command),
        # cron makes a new line of a %
        "cron_command": command.replace("%", r"\%"),
        "cron_log": shlex.quote(str(log)).replace("%", r"\%"),
        "config": str(path),
        "folder": str(path.parent),
        "log": str(log),
        "user": user,
        "group": _group(user),
        "mailto": user,
        "longest": str(config.run.max_seconds + 60),
        "secret_files": shlex.join(map(str, secrets or [dotenv])),
        "secrets": "\n".join(_for_systemd(f"LoadCredential={file.name}:{file}") for file in secrets),
        "from_files": " ".join(f"--from-file={file.name}={file}" for file in secrets),
        "writable": "\n".join(_writable(config)),
        "home": "read-only" if _is_at_home(path, Path(_program()), *folders) else "yes",
        "version": __version__,
    }


def _is_absent(secret: Path) -> bool:
    """Of one that is closed to us, nobody can say: it counts as there."""
    try:
        secret.stat()
    except OSError as error:
        return not isinstance(error, PermissionError)
    return False


def _program() -> str:
    script = Path(sysconfig.get_path("scripts"), "sheetsync")
    return shlex.quote(str(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m sheetsync"


def _for_systemd(text: str) -> str:
    """To systemd a % begins a specifier, and in a command a $ a variable."""
    return text.replace("%", "%%").replace("$", "$$")


def _group(user: str) -> str:
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return user  # one who is still to be made


def _writable(config: Config) -> Iterator[str]:
    """The folders that a run writes into."""
    home, metrics = _home(config), config.run.metrics_file
    if isinstance(config.state, Path) and home.parent == Path("/var/lib"):
        # systemd makes the ledger's by itself, gives it to the user and closes it to others: so no other program's
        yield f"StateDirectory={_for_systemd(home.name)}\nStateDirectoryMode=0700"
    else:
        yield _read_write(str(home))
    if metrics and metrics.parent != home:
        # -: one that is not there is no reason not to run
        yield _read_write(f"-{metrics.parent}")


def _read_write(folder: str) -> str:
    return _for_systemd(f"ReadWritePaths={shlex.quote(folder)}")


def _is_at_home(*paths: Path) -> bool:
    """Whether some of it is where ProtectHome=yes would hide it."""
    return any(path.is_relative_to(home) for path in paths for home in ("/home", "/root", "/run/user"))
