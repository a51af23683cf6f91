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

SPACING = 0.5
"""Seconds from one call to the next in the long run: TokPortal allows one API key 120 requests a minute."""

BURST = 60
"""Tokens of a full bucket: half of the server's, so that a run of usual size is not slowed down, and two machines with
one key still get by. Where the server counts less than that, `X-RateLimit-Remaining` lowers them."""

_LONGEST_HOLD = 86_400.0
_ROUNDING = 1e-6


class TokenBucket:
    """A token bucket for several threads; a call takes one token, which comes back after SPACING seconds."""

    def __init__(self, clock: Clock, burst: int = BURST) -> None:
        self._clock, self._burst = clock, burst
        # All that there is to know: how many tokens there are now follows from when none is missing any more.
        self._full_at = self._slept_until = clock.monotonic()
        self._lock = threading.Lock()

    def take(self, patience: float) -> float:
        """Wait for a token and take it: 0.0. If that needs more than `patience` seconds: those seconds, not waited."""
        while True:
            with self._lock:
                now = self._now()
                wait = self._full_at - (self._burst - 1) * SPACING - now
                if wait <= _ROUNDING:
                    self._full_at = max(self._full_at, now) + SPACING
                    return 0.0
            if wait > patience:
                return wait
            # Slept without the lock, so that others may see how long they have to wait; who wakes first gets the token.
            self._clock.sleep(wait)
            with self._lock:
                self._slept_until = max(self._slept_until, now + wait)

    def lower(self, remaining: int) -> None:
        """The server counts so many calls left. Never raises the tokens: other machines may share the key."""
        self._drain(remaining, 0.0)

    def hold(self, seconds: float) -> None:
        """The server wants no call for so long (429). One token stands ready at the end of that time, no more."""
        self._drain(1, min(seconds, _LONGEST_HOLD))

    def _drain(self, tokens: int, seconds: float) -> None:
        """No more than so many tokens in so many seconds; where several answers ask, the emptiest bucket counts."""
        with self._lock:
            self._full_at = max(self._full_at, self._now() + seconds + (self._burst - tokens) * SPACING)

    def _now(self) -> float:
        """The clock, but what was slept has passed: a clock that stands still must not hang a run."""
        return max(self._clock.monotonic(), self._slept_until)


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
