"""The TokPortal client: what is asked over HTTP, and what each answer or silence means.

Owns the requests, the retries of reads, and the mapping of everything that can go wrong to the error tree. Does not
decide whether to order, keeps no record, and never repeats an order after anything unclear: that belongs to execute.py
and the ledger (design 4). What a body says is parsing.py's, how fast calls may follow each other throttle.py's.
Sources: sources/ad-code-request.txt (the API page, which decides), reference/tokportal.md.
"""

from __future__ import annotations

import json
import logging
import random
import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from http.cookiejar import CookieJar, DefaultCookiePolicy
from math import inf
from ssl import SSLContext
from typing import Any
from urllib.parse import quote

import httpx

from sheetsync import __version__
from sheetsync.budget import Budget, waited
from sheetsync.clock import Clock
from sheetsync.errors import (
    CallNotSent,
    CallRefused,
    CallUncertain,
    ConfigError,
    CredentialsError,
    OutOfTime,
    Unavailable,
)
from sheetsync.model import AdCodeRequest
from sheetsync.network import Heard, authorities, hint, stays_here, trusting
from sheetsync.tokportal import listing, parsing
from sheetsync.tokportal.throttle import TokenBucket, http_date, retry_after

CONNECT_SECONDS = 10
CALL_SECONDS = 30
"""How long a call may take as a whole, from connecting (once the name is looked up) to the last byte of its answer."""

LONGEST_WAIT = 60.0
"""Seconds that a call waits at most because TokPortal asks for it; for more, the next run is soon enough."""

PAGES, PER_PAGE = 50, 100
"""How much of the credit history is read at most."""

ATTEMPTS = 4
"""Times a call is sent at most, where it may be repeated at all."""

# Server or way were busy or broken for the moment.
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
# The one status that says, by its meaning, that nothing was done.
_NOTHING_DONE = frozenset({429})
_HTTPX_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
_REQUEST_ID_HEADERS = ("x-tokportal-request-id", "x-request-id", "request-id", "x-vercel-id")  # as the SDKs look

_log = logging.getLogger("sheetsync.tokportal")


@dataclass(frozen=True, slots=True)
class Ordered:
    """An accepted order. Credits are None where the answer did not tell them; `replayed` means not charged again."""

    request: AdCodeRequest
    credits_charged: int | None
    credits_remaining: int | None
    replayed: bool


class _Transient(Unavailable):
    """A read that got no answer, where another attempt may get one."""


class TokPortal:
    """TokPortal for one API key; may be shared by several threads.

    `calls` counts the requests sent; `server_time` is TokPortal's clock as its last dated answer told it (the `Date`
    header), None before any; `fingerprint` names the API key in the ledger. `budget`: what all with this key share.
    Raises CredentialsError at once for a key that no HTTP header can carry: a library's own error would print it.
    """

    def __init__(
        self,
        api_key: str,
        api_url: str,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
        budget: Budget | None = None,
    ) -> None:
        if not re.fullmatch(r"[!-~]+", api_key):
            raise CredentialsError(
                "The TokPortal API key is empty or holds characters that no key has: check tokportal.api_key."
            )
        self.calls = 0
        self.server_time: datetime | None = None
        self.fingerprint = sha256(api_key.encode()).hexdigest()[:16]
        self._key, self._url, self._clock = api_key, api_url.rstrip("/"), clock
        self._bucket, self._budget, self._lock = TokenBucket(clock), budget, threading.Lock()
        self._this = threading.local()  # `ends`: when this thread's call has to be over
        self._http = _http_client(api_url, transport)

    def __enter__(self) -> TokPortal:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def watch(self, heard: Heard) -> None:
        """Tell of every answer from now on."""

        def tell(got: httpx.Response) -> None:
            asked = got.request
            heard(asked.method, str(asked.url), asked.content, got.status_code, got.headers, got.read())

        self._http.event_hooks = {"response": [tell]}

    def balance(self) -> int:
        """Credits left: `total_credits`, in older answers `credits` (reference/tokportal.md 8).

        Raises CredentialsError for 401 and 403 (this is the first call of a run: question Q14 there),
        Unavailable for anything else that is not a balance.
        """
        response = self._get("/api/ext/credits/balance")
        if response.status_code in (401, 403):
            raise self._credentials(response)
        if not response.is_success:
            raise self._unavailable(response)
        try:
            return parsing.balance(response.content)
        except parsing.Unreadable as error:
            raise Unavailable(f"TokPortal's credit balance cannot be read: {error}") from None

    def history(self, since: datetime) -> parsing.History:
        """Movements of credits since then, of all PAGES at most: to be shown, never to decide upon (reference Q16).

        Raises CallRefused, CredentialsError, or Unavailable, also where it cannot be read.
        """
        # whose days these are is not said: one more does for every zone
        query = f"per_page={PER_PAGE}&date_from={since - timedelta(days=1):%Y-%m-%d}"
        found: dict[str, parsing.Movement] = {}
        unreadable = 0
        for page in range(1, PAGES + 1):
            response = self._get(f"/api/ext/credits/history?page={page}&{query}")
            self._raise_for_status(response)
            try:
                told = parsing.movements(response.content, page, PER_PAGE, self._key)
            except parsing.Unreadable as error:
                raise Unavailable(f"TokPortal's credit history cannot be read: {error}") from None
            # a movement that comes while pages are turned moves the others to the next page
            new = {movement.id: movement for movement in told.movements if movement.id not in found}
            found, unreadable = found | new, unreadable + told.unreadable
            if told.is_whole or not new:
                break
        return parsing.History(tuple(m for m in found.values() if m.at >= since), unreadable, told.is_whole)

    def listed(self, number: int, *path: str) -> listing.Page:
        """One page of the list at a path of ids and words. Raises CallRefused, CredentialsError, Unavailable."""
        where = "/".join(map(_segment, path))
        response = self._get(f"/api/ext/{where}?page={number}&per_page={PER_PAGE}")
        self._raise_for_status(response)
        try:
            return listing.page(response.content, number, PER_PAGE, self._key)
        except parsing.Unreadable as error:
            raise Unavailable(f"TokPortal's list of {path[-1]} cannot be read: {error}") from None

    def latest(self, video_id: str, leave: int = 0) -> AdCodeRequest | None:
        """The latest ad code request of a video, None if there is none (API page, "Get / Poll the Code").

        Waits until the rate limit leaves `leave` other calls besides. Raises CallRefused for a definite 4xx,
        CredentialsError for 401, Unavailable for everything unclear, after up to four attempts.
        """
        response = self._get(_video_path(video_id), leave)
        self._raise_for_status(response)
        try:
            return parsing.latest(response.content, video_id)
        except parsing.Unreadable as error:
            raise Unavailable(f"TokPortal's answer cannot be read: {error}") from None

    def order(self, video_id: str, body: str, idempotency_key: str, not_after: float) -> Ordered:
        """Order an ad code: 7 credits (API page, "Request an Ad Code"). `body` is sent byte for byte.

        `not_after` is a monotonic instant of the clock, looked at as the last thing before the bytes go. Raises
        CallNotSent after it, CallRefused for a definite 4xx, also for a 429 that outlasts the waiting (nothing was
        ordered), CredentialsError for 401, CallUncertain where the order may have been placed: GET decides (design 4).
        """
        headers = {"X-API-Key": self._key, "Idempotency-Key": idempotency_key}
        response = self._change("POST", _video_path(video_id), headers, body, not_after)
        self._raise_for_status(response)
        try:
            request, charged, remaining = parsing.ordered(response.content, video_id)
        except parsing.Unreadable as error:
            raise CallUncertain(f"The answer cannot be read: {error}", parsing.charge(response.content)) from None
        replayed = response.headers.get("Idempotent-Replayed", "").strip().lower() == "true"
        return Ordered(request, charged, remaining, replayed)

    def correct(self, request_id: str, feedback: str) -> None:
        """Report a code that does not work (API page, "Using the code"): free, outside `/api/ext`, with Bearer.

        A 2xx or a redirect says nothing, whatever its body: a GET tells what it changed. Raises CallRefused for a 4xx,
        401 included (it is not known whether this route takes API keys: reference/tokportal.md Q4), CallUncertain for
        the rest.
        """
        body = json.dumps({"status": "pending_corrections", "feedback": feedback})
        headers = {"Authorization": f"Bearer {self._key}"}
        response = self._change("PATCH", f"/api/ad-code-requests/{_segment(request_id)}", headers, body)
        if response.status_code // 100 != 3:
            self._raise_for_status(response, credentials=())

    def _get(self, path: str, leave: int = 0) -> httpx.Response:
        """Read: any answer. Raises Unavailable."""
        return self._call("GET", path, {"X-API-Key": self._key}, leave=leave)

    def _change(
        self, method: str, path: str, headers: Mapping[str, str], body: str, not_after: float = inf
    ) -> httpx.Response:
        """Send what changes something: any answer, also a 429. Raises CallRefused, CallNotSent, CallUncertain."""
        # surrogatepass: half a character that came out of a cell is TokPortal's to refuse, not a crash.
        content = body.encode(errors="surrogatepass")
        try:
            return self._call(method, path, {**headers, "Content-Type": "application/json"}, content, not_after)
        except Unavailable as error:  # the shared budget's: all else that may befall a change has a name of its own
            raise CallNotSent(str(error)) from error

    def _call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        not_after: float = inf,
        leave: int = 0,
    ) -> httpx.Response:
        """Send, and again where that is safe: the last answer. Raises as `_send` does.

        Ends by attempts and by seconds slept, not by the time that passed: a held clock would never end it.
        """
        is_read = method == "GET"
        # A change is never repeated after a lost answer or a 5xx: it may have been done, and would be charged twice.
        repeatable = _TRANSIENT_STATUSES if is_read else _NOTHING_DONE
        attempt, waited = 0, 0.0
        while True:
            # Reads go out from many threads, which must not all come back at once; changes go one by one.
            pause = 2.0**attempt + (random.random() if is_read else 0.0)
            attempt += 1
            try:
                response = self._send(method, path, headers, content, not_after, leave)
            except _Transient:
                if attempt == ATTEMPTS or pause >= self._clock.left_to_ask():
                    raise
            else:
                if response.status_code not in repeatable or attempt == ATTEMPTS:
                    return response
                asked = self._retry_after(response)
                pause = max(pause, asked)
                # A change must not be sent long after its row was looked at, so its waits are bounded together.
                if (asked if is_read else waited + pause) > LONGEST_WAIT or pause >= self._clock.left_to_ask():
                    return response
            waited += pause
            self._clock.sleep(pause)

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None, not_after: float, leave: int
    ) -> httpx.Response:
        """One HTTP request, at the allowed pace.

        Without an answer, raises Unavailable for a read, CallUncertain for a change; CallRefused or CallNotSent for
        one not sent.
        """
        is_read = method == "GET"
        patience = min(LONGEST_WAIT, self._clock.left_to_ask())
        if seconds := self._bucket.take(patience, leave) or waited(self._budget, self._clock, patience, not is_read):
            # TokPortal wants a longer silence than a call waits: nothing leaves this machine.
            wait = f"TokPortal asks to wait another {seconds:.0f} s; nothing was"
            raise Unavailable(f"{wait} asked") if is_read else CallRefused(429, "", f"{wait} sent", "")
        started = self._clock.monotonic()
        seconds = min(CALL_SECONDS, self._clock.asks_until - started)
        if started > not_after or seconds <= 0:
            # The bucket, a 429 or a sleeping machine took the time: what was looked at may be true no more.
            raise OutOfTime if is_read else CallNotSent("Too much time went by; nothing was sent")
        with self._lock:
            self.calls += 1
        self._this.ends = started + seconds
        timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        try:
            response = self._http.request(
                method,
                self._url + path,
                headers=headers,
                content=content,
                timeout=timeout,
                extensions={"trace": self._bound},
            )
        except _HTTPX_ERRORS as error:
            _log.debug("%s %s: %s", method, path, type(error).__name__)
            # Its own text is left out, since it may quote what was sent.
            words = next(words for kind, words in _WORDS if isinstance(error, kind))
            what = words.format(self._url.partition("://")[2].partition("/")[0]) + hint(error)
            if not is_read:
                # Even a connection that was refused counts as sent: an order is looked for, never taken for undone.
                raise CallUncertain(f"{what}; it may have been done all the same") from error
            passes = isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)
            raise (_Transient if passes else Unavailable)(what) from error
        milliseconds = (self._clock.monotonic() - started) * 1000
        request_id = self._request_id(response)
        _log.debug("%s %s: %d, %s, %.0f ms", method, path, response.status_code, request_id or "-", milliseconds)
        self._observe(response)
        return response

    def _bound(self, event: str, about: Mapping[str, Any]) -> None:
        """httpcore tells of each connection that it makes: what is read from it is bounded by the call it is read for.

        httpx itself counts its time-out anew with every byte that comes.
        """
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            stream = about["return_value"]
            stream.read = partial(self._read_in_time, stream.read)

    def _read_in_time(self, read: Callable[..., bytes], most: int, timeout: float | None = None) -> bytes:
        left = self._this.ends - self._clock.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("the time of the call is over")
        return read(most, timeout=left)

    def _observe(self, response: httpx.Response) -> None:
        """Take from an answer what concerns all calls: the server's time and the pace it allows."""
        self.server_time = http_date(response.headers.get("Date")) or self.server_time
        remaining, full_at = (_number(response.headers.get(f"X-RateLimit-{name}")) for name in ("Remaining", "Reset"))
        if remaining is not None:
            told_at = http_date(response.headers.get("Date")) or self._clock.now()
            self._bucket.told(remaining, None if full_at is None else full_at - told_at.timestamp())
        if response.status_code == 429:
            self._bucket.hold(max(1.0, self._retry_after(response)))

    def _retry_after(self, response: httpx.Response) -> float:
        """Seconds that the answer asks to wait. A date is compared with the answer's own, so no clock need be right."""
        now = http_date(response.headers.get("Date")) or self._clock.now()
        return retry_after(response.headers.get("Retry-After"), parsing.retry_after_seconds(response.content), now)

    def _raise_for_status(self, response: httpx.Response, credentials: Collection[int] = (401,)) -> None:
        """Nothing for a 2xx. `credentials` are the statuses that are about the key rather than about this call."""
        if response.is_success:
            return
        if response.status_code in credentials:
            raise self._credentials(response)
        is_read = response.request.method == "GET"
        # 408 is no refusal: the server gave up waiting, perhaps after it had acted. A 429 says that nothing was done,
        # which a change has to know, and of a read only that it has to wait.
        if response.is_client_error and response.status_code not in ((408, 429) if is_read else (408,)):
            problem = parsing.problem(response.content, self._key)
            raise CallRefused(response.status_code, *problem, self._request_id(response))
        # A redirect or a 5xx says nothing of what happened before it.
        if is_read:
            raise self._unavailable(response)
        raise CallUncertain(f"{self._describe(response)}; it may have been done all the same")

    def _unavailable(self, response: httpx.Response) -> Unavailable:
        asked = self._retry_after(response)
        wait = f"; it asks to wait {asked:.0f} s" if asked > LONGEST_WAIT else ""
        return Unavailable(self._describe(response) + wait)

    def _credentials(self, response: httpx.Response) -> CredentialsError:
        return CredentialsError(f"{self._describe(response)}. Check tokportal.api_key: its value, scope and expiry.")

    def _describe(self, response: httpx.Response) -> str:
        """An answer in words: status, error code, message and support id."""
        if response.is_redirect:
            return f"TokPortal answered {response.status_code}, a redirect: check tokportal.api_url"
        problem = parsing.problem(response.content, self._key)
        named = " ".join(part for part in (str(response.status_code), *problem) if part).rstrip(".")
        request_id = self._request_id(response)
        return f"TokPortal answered {named}" + (f" (support id {request_id})" if request_id else "")

    def _request_id(self, response: httpx.Response) -> str:
        found = (response.headers.get(name) for name in _REQUEST_ID_HEADERS)
        return parsing.plain(next(filter(None, found), ""), 100, self._key)


def sandbox_time(api_url: str) -> datetime | None:
    """What time it is in the sandbox that answers at this address of loopback; None where it is none, or is silent."""
    try:
        answer = httpx.head(f"{api_url}/", timeout=2.0, trust_env=False)
    except httpx.HTTPError:
        return None  # the first call of the run says so in its own words
    return http_date(answer.headers.get("Date")) if answer.headers.get("Server") == "sandbox" else None


def _http_client(api_url: str, transport: httpx.BaseTransport | None) -> httpx.Client:
    """Raises ConfigError for a proxy, or a file of certificate authorities, that cannot be used."""
    is_here = stays_here(api_url)
    trusted = None if is_here else authorities()
    try:
        return httpx.Client(
            transport=transport,
            trust_env=not is_here,
            verify=trusting(trusted) if trusted else _trusting_as_usual(not is_here),
            follow_redirects=False,
            headers={"Accept": "application/json", "X-TokPortal-Client": f"sheetsync/{__version__}"},
            # The key alone says who calls; no cookie of the web app is kept or sent.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        # its text quotes the address, which may hold a password
        raise ConfigError(
            ["HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: expected http://host:port or https://host:port"]
        ) from None


@cache
def _trusting_as_usual(trust_env: bool) -> SSLContext:
    return httpx.create_ssl_context(trust_env=trust_env)


# The first class that fits gives the words; where nothing was reached, they name what was called.
_WORDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (httpx.ConnectTimeout, "No connection to TokPortal at {} in time"),
    (httpx.PoolTimeout, "No connection to TokPortal was free in time"),
    (httpx.TimeoutException, "TokPortal did not answer in time"),
    (httpx.ConnectError, "No connection to TokPortal at {}"),
    (httpx.ProxyError, "The proxy did not let the call through to TokPortal"),
    ((httpx.UnsupportedProtocol, httpx.InvalidURL), "TokPortal's address cannot be used: check tokportal.api_url"),
    (httpx.TransportError, "The connection to TokPortal was lost"),
    (Exception, "TokPortal's answer could not be received"),
)


def _number(header: str | None) -> int | None:
    return int(header) if header and re.fullmatch(r"[ \t]*[0-9]{1,10}[ \t]*", header) else None


def _segment(text: str) -> str:
    """One path segment: a slash in an id stays inside it, and an id of dots does not climb."""
    quoted = quote(text, safe="", errors="surrogatepass")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _video_path(video_id: str) -> str:
    return f"/api/ext/videos/{_segment(video_id)}/ad-code-request"
