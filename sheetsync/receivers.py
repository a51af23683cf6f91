"""Who is told, as frozen values: receivers, and the settings of alerts (design 6).

Owns the types, and how a receiver is named without its secrets: an address may hold a token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain

TLS_PORT = 465
"""The port at which a mail server speaks TLS from the first byte."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server, and whom it is asked to write to."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = True


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where somebody is reached: by mail, else at a URL, `https://` by JSON and any other by apprise."""

    url: str = field(default="", repr=False)
    mail: Mail | None = None

    @property
    def key(self) -> str:
        """What the ledger knows it by: a changed password is the same receiver, a changed URL may be another."""
        told = f"{self.mail.sender} {self.mail.to}" if self.mail else self.url
        return sha256(told.encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def label(self) -> str:
        """Its name for people, without secrets."""
        if self.mail:
            return f"mail to {', '.join(self.mail.to)}"
        scheme, _, rest = self.url.partition("://")
        # of other addresses even the host may be a token
        host = re.split(r"[/?#\\]", rest)[0].rpartition("@")[2] if self.is_web else "..."
        return f"{scheme}://{host} ({self.key[:4]})"

    @property
    def is_web(self) -> bool:
        """Whether it is sent JSON."""
        return self.url.partition("://")[0].casefold() in ("http", "https")


@dataclass(frozen=True, slots=True)
class Below:
    """A mark for the balance: so many credits, or the credits that so many codes cost."""

    number: int
    in_codes: bool = False

    def credits(self, price: int) -> int:
        """The mark in credits."""
        return self.number * price if self.in_codes else self.number


@dataclass(frozen=True, slots=True)
class Alerting:
    """Section `alerts` (design 6). `owners` are by the name in the sheet, casefolded; `of_tracker` by its name."""

    owners: Mapping[str, Receiver] = field(default_factory=dict)
    to: tuple[Receiver, ...] = ()
    of_tracker: Mapping[str, tuple[Receiver, ...]] = field(default_factory=dict)
    ladder_hours: tuple[int, ...] = (168, 72, 24, 0)
    credits_below: Below = Below(70)
    failing_runs: int = 3

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """All that there are, each once."""
        found: dict[str, Receiver] = {}
        for each in (*self.to, *chain.from_iterable(self.of_tracker.values()), *self.owners.values()):
            found.setdefault(each.key, each)
        return tuple(found.values())
