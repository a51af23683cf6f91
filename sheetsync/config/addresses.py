"""What an address of a receiver, of the ledger's server, a service or a sheet means, and what is wrong with one.

It may hold a token or a password: words on one that can hold any do not show it, not even as it was written.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from sheetsync.config.positions import AS_WRITTEN
from sheetsync.network import is_loopback
from sheetsync.receivers import TLS_PORT, Mail, Receiver
from sheetsync.state import Server, is_server

EXAMPLE = "https://..., smtp://user:password@host:587/?from=a@b.c&to=d@e.f, or a URL of apprise"

SERVER = "postgresql://user@host:5432/database"
IN_PASSWORDS = "(in a password, other characters than letters and digits as %..)"

# "d/e/..." is a page published to the web: it has no id that the API would take.
_SHEET_URL = re.compile(r"https?://[^/]+/(?:.*/)?spreadsheets/(?:u/\d+/)?d/(?!e/)([A-Za-z0-9_-]+)(?:[/?#].*)?")


def receiver_at(text: str) -> Receiver | str:
    """The receiver at an address, or what is wrong with it: words that do not show it."""
    text = text.strip()
    scheme = text.partition("://")[0].casefold()
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) or "://" not in text or re.search(r"\s", text):
        return f"is not an address; expected {EXAMPLE}"
    if scheme == "smtp":
        mail = _mail_at(text)
        return mail if isinstance(mail, str) else Receiver(mail=mail)
    if scheme in ("http", "https"):
        return _wrong_url(text) or Receiver(text)
    if not find_spec("apprise"):
        return f"is no https:// or smtp:// address; for those of apprise: pip install apprise ({EXAMPLE})"
    return Receiver(text)


def spreadsheet_id(text: str) -> str:
    """The id in a spreadsheet's URL; any other text as it is, without blanks around it."""
    url = _SHEET_URL.fullmatch(text.strip())
    return url[1] if url else text.strip()


def server_at(text: str) -> Server | str:
    """The PostgreSQL database at an address, or what is wrong with it: words that do not show it."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        _, _ = parts.port, parts.query and parse_qs(parts.query, strict_parsing=True)
    except ValueError:
        return f"is not an address; expected {SERVER} {IN_PASSWORDS}"
    if not parts.path.strip("/") or parts.fragment or re.search(r"\s", text):
        return f"names no database; expected {SERVER} {IN_PASSWORDS}"
    if not find_spec("psycopg"):
        return "is on PostgreSQL, which needs psycopg: pip install -c constraints.txt '.[postgres]'"
    # the user ends at the last @ here, at the first one for PostgreSQL's own library, which then tells the rest of a
    # password as a host that it does not find
    sign_in, at, places = parts.netloc.rpartition("@")
    user, colon, password = sign_in.partition(":")
    spelled = f"{quote(unquote(user), safe='')}{colon}{quote(unquote(password), safe='')}{at}{places}"
    return Server(f"{parts.scheme}://{spelled}{parts.path}{'?' if parts.query else ''}{parts.query}")


def state_at(text: str) -> Server | Path | str:
    """Where a ledger is, or what is wrong with it: words that do not show it. What looks like an address is no path."""
    if is_server(text):
        return server_at(text)
    scheme = re.match(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*://|postgres(?:ql)?:)", text, re.IGNORECASE)
    return f"is no address of a PostgreSQL; expected {SERVER}, or a path" if scheme else Path(text)


def _wrong_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host:
        return f"is not an address; expected {EXAMPLE}"
    if parts.scheme == "http" and not is_loopback(host):
        return "would be told in the clear; expected https:// (http:// is for 127.0.0.1 and localhost)"
    return ""


def _mail_at(text: str) -> Mail | str:
    try:
        parts = urlsplit(text)
        query, port = parse_qs(parts.query, strict_parsing=True), parts.port or 587
        (sender,), to = query.pop("from"), tuple(one.strip() for one in ",".join(query.pop("to")).split(","))
        (word,) = query.pop("starttls", ["yes"])
    except (ValueError, KeyError):
        sender, to, word, query = "", (), "", {}
    if not sender or not parts.hostname or query or word not in ("yes", "no"):
        return "is no mail address; expected smtp://user:password@host:587/?from=a@b.c&to=d@e.f,g@h.i"
    signed_in = unquote(parts.username or ""), unquote(parts.password or "")
    mail = Mail(parts.hostname, sender, to, port, *signed_in, starttls=word == "yes")
    return wrong_mail(mail) or mail


def wrong_mail(mail: Mail) -> str:
    """What is wrong with mail settings; empty if nothing."""
    if not all(re.fullmatch(r"[^\s@,<>]+@[^\s@,<>]+", one) for one in (mail.sender, *mail.to)) or not mail.to:
        return "names what is no mail address under from or to; expected a@b.c"
    if bool(mail.user) != bool(mail.password):
        return "has a user or a password alone; expected both, or neither"
    if not (mail.starttls or mail.port == TLS_PORT or is_loopback(mail.host)):
        return "would send mail in the clear; expected starttls: yes (no is for 127.0.0.1 and localhost)"
    return ""


def wrong_address(text: str) -> str:
    """What is wrong with a service's address; plain http, which anyone on the way can read, is for loopback alone."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    # what stands before an @ or in a query may be a password or a token
    shown = "" if re.search("[@?#]", text) else f"{AS_WRITTEN} "
    if not host or parts.scheme not in ("http", "https") or re.search(r"\s", text):
        return f"{shown}is not an address; expected https://host"
    if parts.username is not None or parts.query or parts.fragment:
        return f"{shown}has more than a host and a path; expected https://host"
    if parts.scheme == "http" and not is_loopback(host):
        return f"{AS_WRITTEN} would send keys in the clear; expected https:// (http:// is for 127.0.0.1 and localhost)"
    return ""
