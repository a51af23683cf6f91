"""How calls leave this machine: loopback at once, all else as HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE say.

Owns what the clients of Google and of TokPortal have to do alike, though their libraries read different variables.
"""

import os
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from sheetsync.errors import ConfigError

Heard = Callable[[str, str, bytes, int, Mapping[str, str], bytes], None]
"""Is told of a call: method, address, what was sent; and of its answer: status, headers, what came."""

AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
NOT_TRUSTED = (
    " Its certificate is not trusted here: if a proxy with certificates of its own stands in between, name the file of "
    "its authority (PEM) in the environment, as SSL_CERT_FILE."
)
WRONG_PROXY = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: expected http://host:port or https://host:port"
NOBODY_HERE = " Nobody serves that address of this machine: start `sheetsync sandbox`, or name the real services."
NOT_THROUGH = " The proxy that HTTPS_PROXY names did not let the call through."


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: no proxy is asked for it, whatever the environment says."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def stays_here(url: str) -> bool:
    """Whether an address is on this machine."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def authorities() -> str | None:
    """The file of certificate authorities that the environment names; None: those that the libraries bring along.

    Raises ConfigError where it is no such file.
    """
    name = next((name for name in AUTHORITIES if os.environ.get(name)), None)
    if name is None:
        return None
    path = os.environ[name]
    try:
        trusting(path)
    except OSError as error:
        raise ConfigError([f"{name}: {path} is no file of certificates (PEM): {error.strerror}"]) from None
    return path


@cache
def trusting(path: str) -> ssl.SSLContext:
    """What trusts the authorities of a file alone. Raises OSError where it is no such file."""
    # once: to read hundreds of certificates takes longer than a call
    return ssl.create_default_context(cafile=path)


def hint(error: BaseException) -> str:
    """What a person may have to set where no connection came about; the error's own text may name secrets."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return NOT_TRUSTED
    said = f"{type(error).__name__} {error}".casefold()
    if "connection refused" in said and stays_here(str(getattr(getattr(error, "request", None), "url", ""))):
        return NOBODY_HERE
    return NOT_THROUGH if "proxy" in said else ""
