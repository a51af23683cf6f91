"""What TokPortal keeps: accounts, bundles, videos, ad code requests, movements of credits, API keys.

Owns the records and how they are written to the sandbox's file. Does not own the rules that change them (portal.py,
managers.py). Source: sources/ad-code-request.txt; reference/tokportal.md sections 2, 4 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

CLOSED = ("finalized", "cancelled")
STATUSES = ("pending", "accepted", "in_review", "pending_corrections", *CLOSED)
ACCOUNT_ID = "5a1d0c2e-7b34-4f6a-9c1e-2f8b6d3a9e01"
BUNDLE_ID = "b7e4f9a2-1c58-4d03-8e6b-90f1a2c3d4e5"
"""The account and the bundle that there always are: a video that names none is in these."""

_TIMES = ("at", "created_at", "since", "submitted_at", "delivered_at")


@dataclass(slots=True)
class Video:
    """A TokPortal video, with what decides whether an ad code can be ordered for it."""

    id: str
    platform: str = "tiktok"
    finalized: bool = True
    live_link: bool = True
    manager: bool = True
    coverage: bool = True
    owner: str = "me"
    bundle_id: str = BUNDLE_ID
    title: str = ""
    finalized_at: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A TikTok account that TokPortal runs."""

    id: str = ACCOUNT_ID
    username: str = "sandbox"
    country: str = "US"
    platform: str = "tiktok"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An order of videos for one account."""

    id: str = BUNDLE_ID
    account_id: str = ACCOUNT_ID
    title: str = "Sandbox"
    status: str = "completed"


@dataclass(slots=True)
class AdCodeRequest:
    """One ad code request, with its history."""

    id: str
    video_id: str
    platform: str
    note: str | None
    created_at: datetime
    since: datetime
    charged: int
    idempotency_key: str | None = None
    ordered_by: str = "api"
    status: str = "pending"
    code: str | None = None
    codes: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)
    submitted_at: datetime | None = None
    delivered_at: datetime | None = None
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of credits; the balance is the sum of all of them."""

    at: datetime
    amount: int
    reason: str
    request_id: str | None
    balance_after: int


@dataclass(slots=True)
class ApiKey:
    """A key of the account; scope is `*`, `read`, `write` or `read,write`."""

    key: str
    scope: str = "*"
    revoked: bool = False

    def may(self, verb: str) -> bool:
        """Whether the key may `read` or `write`."""
        return self.scope == "*" or verb in self.scope.split(",")


def plain(record: AdCodeRequest | Movement) -> dict[str, Any]:
    """A record as JSON."""
    values = asdict(record)
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


def dated(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record from what `plain` gave."""
    return {name: datetime.fromisoformat(v) if name in _TIMES and v else v for name, v in item.items()}
