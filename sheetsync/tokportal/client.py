"""The TokPortal client: what is asked over HTTP, and what each answer or silence means.

Owns the requests, the retries of reads, and the mapping of everything that can go wrong to the error tree. Does not
decide whether to order, keeps no record, and never repeats an order after anything unclear: that belongs to execute.py
and the ledger (design 4). What a body says is in answers.py, how fast calls may follow each other in rate.py.
Sources: sources/ad-code-request.txt (the API page, which decides), reference/tokportal.md.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from urllib.parse import quote

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from sheetsync import __version__
from sheetsync.clock import Clock
from sheetsync.errors import CallRefused, CallUncertain, CredentialsError, Unavailable
from sheetsync.model import AdCodeRequest
from sheetsync.tokportal import parsing as answers
from sheetsync.tokportal.throttle import Bucket, http_date, retry_after

CONNECT_SECONDS = 10
READ_SECONDS = 30
LONGEST_WAIT = 60.0
"""Seconds that a call waits at most because TokPortal asks for it; for more, the next run is soon enough."""

ATTEMPTS = 4
"""Times a read is sent at most."""

RESENDS = 3
"""Times an order or correction is sent again at most, and only after 429, which says that nothing was done."""

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
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


class _NotSent(Exception):
    """TokPortal asked for a longer silence than a call waits: nothing left this machine."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"TokPortal asks to wait another {seconds:.0f} s")


class _NoAnswer(Exception):
    """The call ended without an answer; `passing` if trying again may help."""

    def __init__(self, text: str, passing: bool) -> None:
        self.passing = passing
        super().__init__(text)


class _Passing(Unavailable):
    """A read that failed in a way that passes; `told` are the seconds TokPortal asked to wait."""

    def __init__(self, text: str, told: float = 0.0) -> None:
        self.told = told
        super().__init__(text)


class TokPortal:
    """TokPortal for one API key; may be shared by several threads.

    Raises CredentialsError at once for a key that no HTTP header can carry: a library's own error would print it.
    """

    def __init__(self, api_key: str, api_url: str, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        if not re.fullmatch(r"[!-~]+", api_key):
            raise CredentialsError(
                "The TokPortal API key is empty or holds characters that no key has: check tokportal.api_key."
            )
        self.calls = 0
        self._key, self._url, self._clock = api_key, api_url.rstrip("/"), clock
        self._bucket = Bucket(clock)
        self._server_time: datetime | None = None
        self._lock = threading.Lock()
        self._http = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            headers={"Accept": "application/json", "X-TokPortal-Client": f"sheetsync/{__version__}"},
            # The key alone says who calls; no cookie of the web app is kept or sent.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def __enter__(self) -> TokPortal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def server_time(self) -> datetime | None:
        """TokPortal's clock as its last dated answer told it (the `Date` header); None before any."""
        return self._server_time

    def balance(self) -> int:
        """Credits left: `total_credits`, in older answers `credits` (reference/tokportal.md 8).

        Raises CredentialsError for 401 and 403 (this is the first call of a run: question Q14 there),
        Unavailable for anything else that is not a balance.
        """
        response = self._get("/api/ext/credits/balance")
        if response.status_code in (401, 403):
            raise self._credentials(response)
        if not response.is_success:
            raise Unavailable(self._describe(response))
        try:
            return answers.balance(response.content)
        except answers.Unreadable as error:
            raise Unavailable(f"TokPortal's credit balance cannot be read: {error}") from None

    def latest(self, video_id: str) -> AdCodeRequest | None:
        """The latest ad code request of a video, None if there is none (API page, "Get / Poll the Code").

        Raises CallRefused for a definite 4xx, CredentialsError for 401, Unavailable for everything unclear,
        after up to four attempts.
        """
        response = self._get(_video_path(video_id))
        if response.status_code == 401:
            raise self._credentials(response)
        if response.is_client_error:
            raise self._refusal(response)
        if not response.is_success:
            raise Unavailable(self._describe(response))
        try:
            return answers.latest(response.content, video_id)
        except answers.Unreadable as error:
            raise Unavailable(f"TokPortal's answer cannot be read: {error}") from None

    def order(self, video_id: str, body: str, idempotency_key: str) -> Ordered:
        """Order an ad code: 7 credits (API page, "Request an Ad Code"). `body` is sent byte for byte.

        Raises CallRefused for a definite 4xx, also for a 429 that outlasts the waiting (nothing was ordered),
        CredentialsError for 401, CallUncertain where the order may have been placed: GET decides (design 4).
        """
        headers = {"X-API-Key": self._key, "Idempotency-Key": idempotency_key}
        response = self._change("POST", _video_path(video_id), headers, body)
        if response.status_code == 401:
            raise self._credentials(response)
        self._demand_success(response)
        try:
            request, charged, remaining = answers.ordered(response.content, video_id)
        except answers.Unreadable as error:
            raise CallUncertain(f"TokPortal's answer to the order cannot be read: {error}") from None
        replayed = response.headers.get("Idempotent-Replayed", "").strip().lower() == "true"
        return Ordered(request, charged, remaining, replayed)

    def correct(self, request_id: str, feedback: str) -> None:
        """Report a code that does not work (API page, "Using the code"): free, outside `/api/ext`, with Bearer.

        Any 2xx will do, whatever its body; a GET tells what it changed. Raises CallRefused for a 4xx, 401 included
        (it is not known whether this route takes API keys: reference/tokportal.md Q4), CallUncertain for the rest.
        """
        body = json.dumps({"status": "pending_corrections", "feedback": feedback})
        headers = {"Authorization": f"Bearer {self._key}"}
        self._demand_success(self._change("PATCH", f"/api/ad-code-requests/{_segment(request_id)}", headers, body))

    def _get(self, path: str) -> httpx.Response:
        """Read, again where a failure may pass. By attempts, not by time: a held clock would never end it."""
        retrying = Retrying(
            sleep=self._clock.sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause,
            retry=retry_if_exception_type(_Passing),
            reraise=True,
        )
        return retrying(self._get_once, path)

    def _get_once(self, path: str) -> httpx.Response:
        try:
            response = self._send("GET", path, {"X-API-Key": self._key})
        except _NotSent as error:
            raise Unavailable(f"{error}; nothing was asked") from None
        except _NoAnswer as error:
            raise (_Passing if error.passing else Unavailable)(str(error)) from error
        if response.status_code not in _PASSING:
            return response
        told = self._told(response)
        if told > LONGEST_WAIT:
            raise Unavailable(f"{self._describe(response)}; it asks to wait {told:.0f} s")
        raise _Passing(self._describe(response), told)

    def _change(self, method: str, path: str, headers: Mapping[str, str], body: str) -> httpx.Response:
        """Send what changes something, and again only after 429: the last answer, which may be a 429 too."""
        # surrogatepass: half a character that came out of a cell is TokPortal's to refuse, not a crash.
        content = body.encode(errors="surrogatepass")
        headers = {**headers, "Content-Type": "application/json"}
        waited = 0.0
        for resend in range(RESENDS + 1):
            try:
                response = self._send(method, path, headers, content)
            except _NotSent as error:
                raise CallRefused(429, "", f"{error}; nothing was sent", "") from None
            except _NoAnswer as error:
                raise CallUncertain(f"{error}; it may have been done all the same") from error
            pause = max(self._told(response), 2.0**resend)
            waited += pause
            if response.status_code != 429 or resend == RESENDS or waited > LONGEST_WAIT:
                break
            self._clock.sleep(pause)
        return response

    def _send(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None) -> httpx.Response:
        """One HTTP request, at the allowed pace. Raises _NotSent or _NoAnswer."""
        if seconds := self._bucket.take(LONGEST_WAIT):
            raise _NotSent(seconds)
        with self._lock:
            self.calls += 1
        started = self._clock.monotonic()
        try:
            response = self._http.request(method, self._url + path, headers=headers, content=content)
        except _HTTPX_ERRORS as error:
            _log.debug("%s %s: %s", method, path, type(error).__name__)
            raise _no_answer(error) from error
        milliseconds = (self._clock.monotonic() - started) * 1000
        request_id = self._request_id(response)
        _log.debug("%s %s: %d, %s, %.0f ms", method, path, response.status_code, request_id or "-", milliseconds)
        self._observe(response)
        return response

    def _observe(self, response: httpx.Response) -> None:
        """Take from an answer what concerns all calls: the server's time and the pace it allows."""
        self._server_time = http_date(response.headers.get("Date")) or self._server_time
        remaining = response.headers.get("X-RateLimit-Remaining", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", remaining):
            self._bucket.lower(int(remaining))
        if response.status_code == 429:
            self._bucket.hold(max(1.0, self._told(response)))

    def _told(self, response: httpx.Response) -> float:
        """Seconds that the answer asks to wait. A date is compared with the answer's own, so no clock need be right."""
        now = http_date(response.headers.get("Date")) or self._clock.now()
        return retry_after(response.headers.get("Retry-After"), answers.asked_seconds(response.content), now)

    def _demand_success(self, response: httpx.Response) -> None:
        """Raise for what is not a 2xx. 408 is no refusal: the server gave up waiting, perhaps after it had acted."""
        if response.is_client_error and response.status_code != 408:
            raise self._refusal(response)
        if not response.is_success:
            raise CallUncertain(f"{self._describe(response)}; it may have been done all the same")

    def _refusal(self, response: httpx.Response) -> CallRefused:
        code, message = self._problem(response)
        return CallRefused(response.status_code, code, message, self._request_id(response))

    def _credentials(self, response: httpx.Response) -> CredentialsError:
        return CredentialsError(f"{self._describe(response)}. Check tokportal.api_key: its value, scope and expiry.")

    def _describe(self, response: httpx.Response) -> str:
        """An answer in words: status, error code, message and support id."""
        if response.is_redirect:
            return f"TokPortal answered {response.status_code}, a redirect: check tokportal.api_url"
        named = " ".join(part for part in (str(response.status_code), *self._problem(response)) if part).rstrip(".")
        request_id = self._request_id(response)
        return f"TokPortal answered {named}" + (f" (support id {request_id})" if request_id else "")

    def _problem(self, response: httpx.Response) -> tuple[str, str]:
        code, message = answers.problem(response.content)
        return answers.plain(code, 80, self._key), answers.plain(message, 300, self._key)

    def _request_id(self, response: httpx.Response) -> str:
        found = (response.headers.get(name) for name in _REQUEST_ID_HEADERS)
        return answers.plain(next(filter(None, found), ""), 100, self._key)


def _pause(state: RetryCallState) -> float:
    """Seconds before a read is sent again: what TokPortal asked for, at least a growing, jittered pause."""
    error = state.outcome.exception() if state.outcome else None
    told = error.told if isinstance(error, _Passing) else 0.0
    return max(told, wait_exponential_jitter(initial=1, max=8)(state))


def _no_answer(error: Exception) -> _NoAnswer:
    """A failure of httpx in plain words; its own text is left out, since it may quote what was sent."""
    passing = isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)
    return _NoAnswer(next(text for kind, text in _WORDS if isinstance(error, kind)), passing)


# The first class that fits gives the words.
_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, f"No connection to TokPortal within {CONNECT_SECONDS} s"),
    (httpx.PoolTimeout, "No connection to TokPortal was free in time"),
    (httpx.TimeoutException, f"TokPortal did not answer within {READ_SECONDS} s"),
    (httpx.ConnectError, "No connection to TokPortal"),
    (httpx.ProxyError, "The proxy did not let the call through to TokPortal"),
    (httpx.UnsupportedProtocol, "TokPortal's address cannot be used: check tokportal.api_url"),
    (httpx.InvalidURL, "TokPortal's address cannot be used: check tokportal.api_url"),
    (httpx.TransportError, "The connection to TokPortal was lost"),
    (Exception, "TokPortal's answer could not be received"),
)


def _segment(text: str) -> str:
    """One path segment: a slash in an id stays inside it, and an id of dots does not climb."""
    quoted = quote(text, safe="", errors="surrogatepass")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _video_path(video_id: str) -> str:
    return f"/api/ext/videos/{_segment(video_id)}/ad-code-request"
