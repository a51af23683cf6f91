"""HTTP sessions in which an answer is there, whole, within its time: requests counts its time-out anew with every byte.

Owns how an answer is read from a socket, and that loopback is reached past any proxy. What is asked is api.py's.
"""

from __future__ import annotations

import io
import json
import socket
from http.client import HTTPResponse
from typing import Any

import google.auth.credentials
import requests
from google.auth.exceptions import TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from sheetsync.clock import Clock
from sheetsync.errors import ConfigError
from sheetsync.network import WRONG_PROXY, authorities

_CLOCK = Clock()


class _InTime(io.RawIOBase):
    """What a socket brings before its time-out, counted once, is over."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._bytes = sock, sock.makefile("rb", buffering=0)
        self._ends = _CLOCK.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """The next bytes. Raises TimeoutError."""
        left = self._ends - _CLOCK.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the answer is over")
        self._socket.settimeout(left)
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        """Let the socket go."""
        self._bytes.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer for whose headers and body together there is one time-out."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_InTime(sock))


class _Plain(HTTPConnection):
    response_class = _Answer


class _Secure(HTTPSConnection):
    response_class = _Answer


class _Adapter(HTTPAdapter):
    def __init__(self, authorities: str | None) -> None:
        super().__init__()
        self._authorities = authorities

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Requests itself knows REQUESTS_CA_BUNDLE alone, and httpx SSL_CERT_FILE."""
        return super().send(request, **{**options, "verify": self._authorities or options.get("verify", True)})

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools of connections through a proxy. Raises ConfigError for one of a kind that is not known here."""
        if not proxy.casefold().startswith(("http://", "https://")):
            # not quoted: the address may hold a password
            raise ConfigError([WRONG_PROXY])
        return super().proxy_manager_for(proxy, **options)

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        """The pool of connections for a request, through a proxy or not."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
        return pool


class NoToken(TransportError):
    """What came from the token service with a 200 is no token: the page of a proxy that asks to log in, say."""


class Tokens(Request):
    """The calls of google-auth for a token: it takes any answer with a 200 for one.

    A token is asked for by POST, whatever signs in; what is asked by GET (a machine of Google's, of itself) is none.
    """

    def __call__(self, url: str, method: str = "GET", *given: Any, **named: Any) -> Any:
        """The answer. Raises NoToken."""
        answer = super().__call__(url, method, *given, **named)  # type: ignore[no-untyped-call]  # untyped library
        if method == "POST" and answer.status == 200 and not _has_token(answer.data):
            raise NoToken("no token in the answer")  # type: ignore[no-untyped-call]  # untyped library
        return answer


def _has_token(body: bytes) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    # by which name depends on who signs in: access_token, id_token, accessToken
    return isinstance(said, dict) and any("token" in name.casefold() for name in said)


def session_for(auth: google.auth.credentials.Credentials | None, direct: bool) -> requests.Session:
    """A session that signs in with `auth`; `direct` goes past whatever proxy the machine has, also for the token.

    Raises ConfigError for a file of certificate authorities that cannot be used.
    """
    trusted = None if direct else authorities()
    tokens = requests.Session()
    made = AuthorizedSession(auth, auth_request=Tokens(tokens))  # type: ignore[no-untyped-call]  # untyped library
    for each in (made, tokens):
        each.trust_env = not direct
        for scheme in ("https://", "http://"):
            each.mount(scheme, _Adapter(trusted))
    return made
