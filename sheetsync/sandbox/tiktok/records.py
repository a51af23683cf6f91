"""What TikTok keeps: posts whose creators have authorized them, and the ad accounts that applied their codes.

Owns the records and what creators and ad accounts do to them. Does not own how they are told (api.py).
Source: reference/peers.md 1.1 (a code's time begins when it is made, an extension adds days), 1.4 (words for states).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TOKEN = "sandbox-tiktok-token"
ADVERTISER = "7000000000000000001"
"""The token and the ad account that there always are."""

AUTHORIZED, SWITCHED_OFF = "AUTHORIZED", "UNAUTHORIZED"
PUBLIC, PRIVATE, GONE = "HESITATE_RECOMMEND", "ONLY_AUTHOR_SEE", "USER_DELETE"
DAYS = 30


@dataclass(slots=True)
class Post:
    """A post with its code: from when to when it may be advertised, and by which ad accounts the code was applied."""

    code: str
    item_id: str
    starts: datetime
    ends: datetime
    authorization: str = AUTHORIZED
    status: str = PUBLIC
    applied_by: list[str] = field(default_factory=list)


class TikTok:
    """Everything TikTok knows of codes. `tokens` maps an access token to the ad accounts that it may read.

    `version` grows with every change; `days` is for how long creators authorize; `refuses` is a code that every call
    is answered with, should it not be 0.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.posts: dict[str, Post] = {}
        self.tokens: dict[str, list[str]] = {TOKEN: [ADVERTISER]}
        self.days, self.refuses, self.version = DAYS, 0, 0

    def post(self, code: str) -> Post:
        """The post of a code. Raises LookupError."""
        if code not in self.posts:
            raise LookupError(f"TikTok knows no code {code!r}")
        return self.posts[code]

    def authorize(self, code: str, starts: datetime | None = None, days: int | None = None) -> Post:
        """A creator makes a code, or authorizes its post anew: the time begins again."""
        begins = starts or self.now()
        ends = begins + timedelta(days=self.days if days is None else days)
        known = self.posts.get(code)
        if known is None:
            self.posts[code] = Post(code, str(7_300_000_000_000_000_000 + len(self.posts)), begins, ends)
        else:
            known.starts, known.ends, known.authorization = begins, ends, AUTHORIZED
        self.version += 1
        return self.posts[code]

    def extend(self, code: str, days: int) -> Post:
        """The creator adds days to what is left."""
        self.post(code).ends += timedelta(days=days)
        return self._changed(code)

    def revoke(self, code: str) -> Post:
        """The creator switches the authorization off: ads with the post stop."""
        self.post(code).authorization = SWITCHED_OFF
        return self._changed(code)

    def set_status(self, code: str, status: str) -> Post:
        """The post becomes private, public or goes; any word, also one that no document names."""
        self.post(code).status = status
        return self._changed(code)

    def apply(self, code: str, advertiser: str = ADVERTISER) -> Post:
        """Somebody pastes the code in Ads Manager."""
        self.post(code).applied_by.append(advertiser)
        return self._changed(code)

    def unbind(self, code: str, advertiser: str = ADVERTISER) -> Post:
        """The ad account lets the post go."""
        self.post(code).applied_by.remove(advertiser)
        return self._changed(code)

    def _changed(self, code: str) -> Post:
        self.version += 1
        return self.posts[code]

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "posts": [
                [p.code, p.item_id, p.starts.isoformat(), p.ends.isoformat(), p.authorization, p.status, p.applied_by]
                for p in self.posts.values()
            ],
            "tokens": self.tokens,
            "days": self.days,
            "refuses": self.refuses,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Takes over what `dump` gave."""
        for code, item, starts, ends, *rest in saved["posts"]:
            self.posts[code] = Post(code, item, datetime.fromisoformat(starts), datetime.fromisoformat(ends), *rest)
        self.tokens, self.days, self.refuses = saved["tokens"], saved["days"], saved["refuses"]
