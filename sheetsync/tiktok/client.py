"""The TikTok client: what is asked over HTTP, how fast, and what each answer or silence means.

Owns the two calls, their pace and retries, and the mapping of what goes wrong to the error tree. It only reads. What a
body says is parsing.py's; which codes are asked about, and what follows, is the plan's.
Source: reference/peers.md 1.4 (success is `code: 0` in a 200; at most 10 calls a second; 429 and the busy codes).
"""

import logging
import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import httpx

from sheetsync import __version__
from sheetsync.authorizations import Access, plain_code
from sheetsync.clock import Clock
from sheetsync.errors import CodeRefused, CredentialsError, OutOfTime, Unavailable
from sheetsync.network import authorities, hint, stays_here, trusting
from sheetsync.tiktok import parsing

SPACING = 0.1
"""Seconds before each call: no more than 10 a second, whichever tracker's."""

CALL_SECONDS, CONNECT_SECONDS = 10, 5
"""How long a call may take as a whole."""

ATTEMPTS, LONGEST_WAIT = 3, 10.0
PER_PAGE = 50

_BUSY = frozenset({40100, 50002, 60001})
_BAD_TOKEN = frozenset({40101, 40102, 40103, 40104, 40105})
_NO_PERMISSION = 40001
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})

_log = logging.getLogger("sheetsync.tiktok")
# where somebody has httpx tell of its calls, it tells their addresses: these name a code
logging.getLogger("httpx").addFilter(lambda record: "auth_code=" not in record.getMessage())


class _Busy(Exception):
    """Another attempt may get an answer; `seconds` is how long TikTok asks to wait, the text what it was."""

    def __init__(self, what: str, seconds: float = 0.0) -> None:
        super().__init__(what)
        self.seconds = seconds


class TikTok:
    """TikTok's Business API for one access token. Use it from one thread; `calls` counts the requests sent.

    Raises CredentialsError at once for a token that no HTTP header can carry.
    """

    def __init__(self, access: Access, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        if not re.fullmatch("[!-~]+", access.access_token):
            raise CredentialsError("The TikTok access token holds characters that no token has: check access_token.")
        self.calls = 0
        self._token, self._url, self._clock = access.access_token, access.api_url.rstrip("/"), clock
        self._ends = 0.0  # when the call under way has to be over
        is_here = stays_here(self._url)
        trusted = None if is_here else authorities()
        self._http = httpx.Client(
            transport=transport,
            trust_env=not is_here,
            verify=trusting(trusted) if trusted else True,
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": f"sheetsync/{__version__}"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def applied(self, advertiser_id: str, page: int, per_page: int = PER_PAGE) -> tuple[list[parsing.Post], int]:
        """A page of the posts whose codes an ad account has applied, and how many pages there are.

        Raises CredentialsError for any definite no: this call names no code; Unavailable for what is unclear.
        """
        told = self._ask("list", advertiser_id=advertiser_id, page=page, page_size=per_page)
        if told.code:
            self._not_allowed(told, advertiser_id)
        return list(parsing.posts(told.data, self._token)), parsing.pages(told.data)

    def code(self, advertiser_id: str, code: str) -> parsing.Post:
        """The post of a code, whether it was applied or not.

        Raises CodeRefused where TikTok does not accept the code, or does not tell us of it; else as `applied`.
        """
        code = plain_code(code)
        told = self._ask("info", advertiser_id=advertiser_id, auth_code=code)
        if told.code in _BAD_TOKEN:
            self._not_allowed(told, advertiser_id)
        if told.code:
            answer = ": ".join(filter(None, (str(told.code), told.message)))
            raise CodeRefused(answer, is_told=told.code != _NO_PERMISSION)
        return parsing.post(told.data, self._token)

    def _not_allowed(self, told: parsing.Answer, advertiser_id: str) -> NoReturn:
        raise CredentialsError(
            f"TikTok does not let us read ad account {advertiser_id} ({told.code}: {told.message or 'no message'}). "
            "Check the tracker's tiktok.access_token (its value, expiry and scope) and the ad account's id."
        )

    def _ask(self, what: str, **query: object) -> parsing.Answer:
        """An answer, after up to ATTEMPTS calls. Raises Unavailable, CredentialsError."""
        for attempt in range(ATTEMPTS):
            try:
                return self._call(what, query)
            except _Busy as busy:
                pause = max(busy.seconds, 2.0**attempt + random.random())
                if attempt == ATTEMPTS - 1 or pause > min(LONGEST_WAIT, self._clock.left_to_ask()):
                    raise Unavailable(str(busy)) from None
                self._clock.sleep(pause)
        raise AssertionError("the last attempt ends it")

    def _call(self, what: str, query: dict[str, object]) -> parsing.Answer:
        self._clock.sleep(SPACING)
        seconds = min(CALL_SECONDS, self._clock.left_to_ask())
        if seconds <= 0:
            raise OutOfTime
        self._ends = self._clock.monotonic() + seconds
        self.calls += 1
        path = f"/open_api/v1.3/tt_video/{what}/"
        try:
            response = self._http.get(
                # the code's + and # are part of it, not of the address
                f"{self._url}{path}?{urlencode(query)}",
                headers={"Access-Token": self._token},
                timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
                extensions={"trace": self._bound},
            )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            # its own text is left out: it may quote the address, which names the code
            _log.debug("GET %s: %s", path, type(error).__name__)
            raise _Busy(f"TikTok did not answer ({type(error).__name__}).{hint(error)}") from None
        _log.debug("GET %s: %d", path, response.status_code)
        return self._answer(response, str(query.get("auth_code", "")))

    def _answer(self, response: httpx.Response, code: str) -> parsing.Answer:
        status = response.status_code
        if status in _TRANSIENT_STATUSES:
            raise _Busy(f"TikTok answered {status}", _seconds(response.headers.get("Retry-After")))
        try:
            told = parsing.answer(response.content, self._token, code, quote(code, safe=""))
        except parsing.Unreadable as error:
            if status in (401, 403):
                raise CredentialsError(f"TikTok answered {status}: check the tracker's tiktok.access_token.") from None
            raise Unavailable(f"TikTok's answer ({status}) cannot be read: {error}") from None
        if told.code in _BUSY:
            raise _Busy(f"TikTok is busy ({told.code}: {told.message})")
        if status in (401, 403) and not told.code:
            raise Unavailable(f"TikTok's answer ({status}) contradicts itself")
        return told

    def _bound(self, event: str, about: dict[str, Any]) -> None:
        """What is read from a connection is bounded by the call: httpx counts its time-out anew with every byte."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            stream = about["return_value"]
            stream.read = partial(self._read_in_time, stream.read)

    def _read_in_time(self, read: Callable[..., bytes], most: int, timeout: float | None = None) -> bytes:
        left = self._ends - self._clock.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("the time of the call is over")
        return read(most, timeout=left)


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and re.fullmatch("[0-9]{1,6}", retry_after.strip()) else 0.0
