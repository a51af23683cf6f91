"""TokPortal's rate limit: a bucket of tokens for each key.

Source: reference/tokportal.md section 6.1 (120 tokens, two a second, the headers, the 429).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from math import ceil
from typing import Any

from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.tokportal.switches import Switches

BUCKET_SIZE = 120.0
REFILL_PER_SECOND = 2.0


@dataclass(slots=True)
class Bucket:
    """The tokens a key has left, as of a moment."""

    tokens: float
    at: datetime

    def refill(self, now: datetime) -> None:
        """Bring the tokens up to now."""
        # People set the sandbox's clock back; a bucket is not emptied by that.
        refill = max((now - self.at).total_seconds() * REFILL_PER_SECOND, 0.0)
        self.tokens, self.at = min(BUCKET_SIZE, self.tokens + refill), now

    def take(self) -> bool:
        """Use up a token; False where there is none."""
        there = self.tokens >= 1
        self.tokens -= there
        return there

    def headers(self) -> dict[str, str]:
        """What every answer says of the limit."""
        full_again = self.at.timestamp() + (BUCKET_SIZE - self.tokens) / REFILL_PER_SECOND
        return {
            "x-ratelimit-limit": "120",
            "x-ratelimit-remaining": str(int(self.tokens)),
            "x-ratelimit-reset": str(ceil(full_again)),
        }


class RateLimit:
    """The buckets of all keys."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, key: str, now: datetime) -> Bucket:
        """The bucket of a key, refilled."""
        bucket = self._buckets.setdefault(key, Bucket(BUCKET_SIZE, now))
        bucket.refill(now)
        return bucket

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {key: [bucket.tokens, bucket.at.isoformat()] for key, bucket in self._buckets.items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self._buckets = {key: Bucket(tokens, datetime.fromisoformat(at)) for key, (tokens, at) in saved.items()}


def too_many(switches: Switches, now: datetime, seconds: int) -> Refused:
    """429: by default the header says less than the body, as in the documents' own sample; both are kept apart."""
    mode = switches.retry_after
    header = str(seconds + 1 if mode == "header_larger" else seconds)
    if mode == "http_date":
        header = format_datetime(now + timedelta(seconds=seconds + 1), usegmt=True)
    body = seconds + 1 if mode == "body_larger" else seconds
    return Refused(429, "rate_limit", "Rate limit exceeded.", {"retry_after_seconds": body}, retry_after=header)
