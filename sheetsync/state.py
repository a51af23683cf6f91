"""Where the ledger is: a file, or a PostgreSQL server at an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL database. Printed it shows no password; `url` does, and is for the connection alone."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        user, at, places = parts.netloc.rpartition("@")
        told = [(name, value) for name, value in parse_qsl(parts.query) if "password" not in name.casefold()]
        shown = urlencode(told, safe="/=,")
        return f"{parts.scheme}://{user.partition(':')[0]}{at}{places}{parts.path}{'?' if shown else ''}{shown}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        parts = urlsplit(self.url)
        told = [parts.netloc.rpartition("@")[0].partition(":")[2]]
        told += [value for name, value in parse_qsl(parts.query) if "password" in name.casefold()]
        return tuple(secret for each in told for secret in (each, unquote(each)) if secret)


State = Path | Server


def is_server(text: str) -> bool:
    """Whether `state` names a server: anything else with no such scheme is a path."""
    return text.strip().partition("://")[0].casefold() in SCHEMES and "://" in text
