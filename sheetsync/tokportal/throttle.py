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

BURST = 120
"""Tokens of a full bucket: as many as the server's. Where that counts fewer, `X-RateLimit-Remaining` lowers them."""

UNTOLD = 60
"""So many of them are left alone until an answer has told what there is: others may use the same key."""

_LONGEST_HOLD = 86_400.0
_ROUNDING = 1e-6
_WINDOW_SECONDS = 60.0
_WHOLE_SECONDS = 3.0  # instants are told in whole seconds, and the answer was on its way
_UNANSWERED_SECONDS = 1.0


class TokenBucket:
    """A token bucket for several threads; a call takes one token, which comes back after SPACING seconds."""

    def __init__(self, clock: Clock, untold: int = UNTOLD) -> None:
        self._clock, self._untold = clock, untold
        # All that there is to know: how many tokens there are now follows from when none is missing any more.
        self._full_at = self._slept_until = clock.monotonic()
        self._window = _Window()
        self._lock = threading.Lock()

    def take(self, patience: float, leave: int = 0) -> float:
        """Wait for a token and take it, while `leave` others are left: 0.0.

        If that needs more than `patience` seconds: those seconds, not waited.
        """
        while True:
            with self._lock:
                now = self._now()
                tokens = BURST - 1 - max(leave, self._untold)
                wait = max(self._full_at - tokens * SPACING - now, self._window.wait(now))
                if wait <= _ROUNDING:
                    self._full_at = max(self._full_at, now) + SPACING
                    self._window.take(now)
                    return 0.0
            if wait > patience:
                return wait
            # Slept without the lock, so that others may see how long they have to wait; who wakes first gets the token.
            self._clock.sleep(wait)
            patience -= wait
            with self._lock:
                self._slept_until = max(self._slept_until, now + wait)

    def told(self, remaining: int, full_in: float | None = None) -> None:
        """The server counts so many calls left, and all of them in so many seconds.

        Never more than are counted here: calls under way may not be in its figure, and others may share the key.
        """
        with self._lock:
            self._window.told(self._now(), remaining, full_in)
        self._drain(remaining, 0.0)

    def hold(self, seconds: float) -> None:
        """The server wants no call for so long (429). One token stands ready at the end of that time, no more."""
        self._drain(1, min(seconds, _LONGEST_HOLD))

    def _drain(self, tokens: int, seconds: float) -> None:
        """No more than so many tokens in so many seconds; where several answers ask, the emptiest bucket counts."""
        with self._lock:
            self._untold = 0
            self._full_at = max(self._full_at, self._now() + seconds + (BURST - tokens) * SPACING)

    def _now(self) -> float:
        """The clock, but what was slept has passed: a clock that stands still must not hang a run."""
        return max(self._clock.monotonic(), self._slept_until)


class _Window:
    """What is left of the server's minute, should it count in minutes, in which nothing comes back before they end.

    The documents call it a bucket, which tells itself: what it lacks, and when it will be full, are two a second.
    """

    def __init__(self) -> None:
        self._is_one, self._ends, self._left = False, 0.0, 0
        self._sent = 0  # before the first answer: it may count none of them
        self._is_asking = True  # the next answer tells of a window of which nothing is known

    def wait(self, now: float) -> float:
        """Seconds until a call may be sent."""
        return self._ends - now if self._is_one and self._left <= 0 else 0.0

    def take(self, now: float) -> None:
        """A call is sent. The first one after a window's end goes alone: its answer tells what there is."""
        self._sent += 1
        self._left -= 1
        if self._is_one and now >= self._ends:
            self._is_asking, self._left, self._ends = True, 0, now + _UNANSWERED_SECONDS

    def told(self, now: float, remaining: int, full_in: float | None) -> None:
        """An answer says what is left, and in how many seconds nothing is missing."""
        if full_in is None or not 0 <= full_in <= _WINDOW_SECONDS + _WHOLE_SECONDS:
            return
        if not self._is_one:
            self._is_one = abs(full_in - (BURST - remaining) * SPACING) > _WHOLE_SECONDS
            # whatever is under way is not in its figure
            remaining -= self._sent - 1
        if self._is_asking:
            self._is_asking = not self._is_one
            self._left, self._ends = remaining, now + min(full_in + 1, _WINDOW_SECONDS)
        self._left = min(self._left, remaining)


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
