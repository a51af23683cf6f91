"""The files of `cron/` that are `sheetsync schedule`'s templates with example paths; run it to write them anew.

PYTHONPATH=. python -m tests.support.schedules
"""

from __future__ import annotations

from pathlib import Path

from sheetsync.cli.schedule import KINDS, rendered

CRON = Path(__file__).parents[2] / "cron"
FILES = tuple(name for names in KINDS.values() for name in names)

_COMMAND = "/opt/sheetsync/.venv/bin/sheetsync --config /etc/sheetsync/sheetsync.yaml"
_SECRETS = (".env", "service-account.json")
EXAMPLE = {
    "program": "/opt/sheetsync/.venv/bin/sheetsync",
    "command": _COMMAND,
    "cron_command": _COMMAND,
    "cron_log": "/var/log/sheetsync/sync.log",
    "config": "/etc/sheetsync/sheetsync.yaml",
    "folder": "/etc/sheetsync",
    "log": "/var/log/sheetsync/sync.log",
    "user": "sheetsync",
    "group": "sheetsync",
    "mailto": "ops@example.com",
    "longest": "330",
    "secret_files": " ".join(f"/etc/sheetsync/{name}" for name in _SECRETS),
    "secrets": "\n".join(f"LoadCredential={name}:/etc/sheetsync/{name}" for name in _SECRETS),
    "from_files": " ".join(f"--from-file={name}=/etc/sheetsync/{name}" for name in _SECRETS),
    "writable": "StateDirectory=sheetsync\nStateDirectoryMode=0700",
    "home": "yes",
    "version": "1",
}

if __name__ == "__main__":
    for file in FILES:
        (CRON / file).write_text(rendered(file, EXAMPLE), encoding="utf-8")
