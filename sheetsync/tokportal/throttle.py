"""The pace of calls to TokPortal: a token bucket that obeys what the server says.

Owns how long a call has to wait. Sends nothing and knows no HTTP library.
Source: reference/tokportal.md 6.1 (120 requests a minute for one key, `X-RateLimit-Remaining`, `Retry-After`).
"""

from __future__ import annotations

import re
import threading
from datetime import datetime
from email.utils import parsedate_to_datetime

from sheetsync.clock import Clock

PER_MINUTE = 120
"""Requests that TokPortal allows one API key in a minute."""

BURST = 60
"""Tokens of a full bucket: half of the server's, so that a run of usual size is not slowed down, and two machines with
one key still get by. Where the server counts less than that, `X-RateLimit-Remaining` lowers them."""

_LONGEST_HOLD = 86_400.0
_ROUNDING = 1e-6


class TokenBucket:
    """A token bucket for several threads; a call takes one token, two come back each second."""

    def __init__(self, clock: Clock, per_minute: int = PER_MINUTE, burst: int = BURST) -> None:
        self._clock = clock
        self._per_second = per_minute / 60
        self._burst = float(burst)
        self._tokens = self._burst
        # The instant that `_tokens` speaks of; it lies in the future while the server wants no calls.
        self._at = clock.monotonic()
        self._slept_until = self._at
        self._lock = threading.Lock()

    def take(self, patience: float) -> float:
        """Wait for a token and take it: 0.0. If that needs more than `patience` seconds: those seconds, not waited."""
        while True:
            with self._lock:
                now = self._now()
                ready = self._ready(now)
                if ready <= now + _ROUNDING:
                    self._tokens -= 1
                    return 0.0
            if ready - now > patience:
                return ready - now
            # Slept without the lock, so that others may see how long they have to wait; who wakes first gets the token.
            self._clock.sleep(ready - now)
            with self._lock:
                self._slept_until = max(self._slept_until, ready)

    def lower(self, remaining: int) -> None:
        """The server counts so many calls left. Never raises the tokens: other machines may share the key."""
        with self._lock:
            self._ready(self._now())
            self._tokens = min(self._tokens, float(remaining))

    def hold(self, seconds: float) -> None:
        """The server wants no call for so long (429). One token stands ready at the end of that time, no more."""
        with self._lock:
            now = self._now()
            self._ready(now)
            # Answers of calls that went out together may each ask: the longest silence counts.
            self._at = max(self._at, now + min(seconds, _LONGEST_HOLD))
            self._tokens = 1.0

    def _now(self) -> float:
        """The clock, but what was slept has passed: a clock that stands still must not hang a run."""
        return max(self._clock.monotonic(), self._slept_until)

    def _ready(self, now: float) -> float:
        """Refill up to now; the instant at which the next token is there."""
        if now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
            self._at = now
        return self._at + max(0.0, 1.0 - self._tokens) / self._per_second


def http_date(text: str | None) -> datetime | None:
    """An HTTP date header as an aware instant; None where it is absent or unreadable."""
    try:
        found = parsedate_to_datetime(text or "")
        return found if found.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after(header: str | None, body: object, now: datetime) -> float:
    """Seconds the server asks to wait, 0.0 if it does not say: the larger of the `Retry-After` header
    (seconds or an HTTP date) and `retry_after_seconds` of the body, which differ in TokPortal's own sample
    (reference/tokportal.md 6.1). `now` is the server's own time where it told it.
    """
    seconds = 0.0
    if header and re.fullmatch(r"[0-9]{1,9}", header.strip()):
        seconds = float(header)
    elif date := http_date(header):
        seconds = (date - now).total_seconds()
    # JSON can hold a number that no float does: it is bounded first.
    if isinstance(body, int | float) and not isinstance(body, bool) and body > seconds:
        seconds = float(min(body, _LONGEST_HOLD))
    return min(max(0.0, seconds), _LONGEST_HOLD)
