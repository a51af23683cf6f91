"""Tells a dead-man's-switch service that a run begins and how it ended; it raises the alarm when it hears nothing.

Owns what is told of which exit code, and that telling stops nothing: no run waits longer than SECONDS for it. The
address is a secret, for who has it can keep the alarm silent: of it only the host gets into a log.
"""

import logging
from contextvars import copy_context
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from sheetsync import __version__
from sheetsync.errors import MENDED_BY_A_PERSON, SheetsyncError
from sheetsync.network import stays_here

SECONDS = 5
"""How long a ping may take, from looking up the name to the last byte of its answer."""

MOST_CHARACTERS = 10_000

log = logging.getLogger(__name__)


class Switch:
    """One run for a service at `url`; None: there is no such service. Use it round the whole run."""

    def __init__(self, url: str | None) -> None:
        self._url, self._host = url, urlsplit(url or "").hostname
        self._under_way: Thread | None = None

    def __enter__(self) -> Self:
        self._ping("/start", "")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, SheetsyncError):
            self.ended(error.exit_code, str(error))
        self._wait()

    def ended(self, exit_code: int, text: str) -> None:
        """The run is over. Of one that the next run goes on with nothing is told: silence is what counts."""
        if exit_code == 0 or exit_code in MENDED_BY_A_PERSON:
            self._ping("" if exit_code == 0 else "/fail", f"exit code {exit_code}\n{text}")

    def _ping(self, suffix: str, text: str) -> None:
        if self._url:
            self._wait()  # the service must not hear of an end before its beginning
            parts = urlsplit(self._url)
            url = parts._replace(path=parts.path.rstrip("/") + suffix).geturl()
            # a thread, because no time-out bounds a name server that is silent, or an answer that drips
            arguments = (self._post, url, text[:MOST_CHARACTERS].encode())
            self._under_way = Thread(target=copy_context().run, args=arguments, daemon=True)
            self._under_way.start()

    def _wait(self) -> None:
        if self._under_way:
            self._under_way.join(SECONDS)
            if self._under_way.is_alive():
                log.warning("The ping to %s took too long; the run goes on without it.", self._host)
            self._under_way = None

    def _post(self, url: str, body: bytes) -> None:
        headers = {"User-Agent": f"sheetsync/{__version__}", "Content-Type": "text/plain; charset=utf-8"}
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=SECONDS, trust_env=not stays_here(url))
        except Exception as error:
            # its own text may hold the address
            log.warning("The ping to %s got no answer (%s).", self._host, type(error).__name__)
        else:
            if not answer.is_success:
                log.warning("The ping to %s was answered %d: check run.ping_url.", self._host, answer.status_code)
