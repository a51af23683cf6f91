"""The local TokPortal's lists: credit history, accounts, bundles, videos; with its pagination.

Owns the shapes of the lists. Does not own what is in them (portal.py). The video lists are as thin as the documents
that could be read. Source: reference/tokportal.md sections 8 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sheetsync.sandbox.tokportal.portal import Movement, Portal, Refused, Video
from sheetsync.sandbox.wire import Request

ACCOUNT_ID = "5a1d0c2e-7b34-4f6a-9c1e-2f8b6d3a9e01"
BUNDLE_ID = "b7e4f9a2-1c58-4d03-8e6b-90f1a2c3d4e5"


class Page(Exception):
    """An answer that is not JSON."""

    def __init__(self, status: int, content_type: str, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.content_type = content_type
        self.body = body


def has(rest: Sequence[str]) -> bool:
    """Whether GET /api/ext/<rest> is one of the lists."""
    return rest in (["accounts"], ["bundles"], ["analytics", "export", "videos"]) or (
        len(rest) >= 3
        and ((rest[0] == "accounts" and rest[2:] in (["analytics", "videos"], ["bundles"])) or _is_bundle(rest))
    )


def _is_bundle(rest: Sequence[str]) -> bool:
    return rest[0] == "bundles" and rest[2:] == ["videos"]


def answer(portal: Portal, request: Request, path: str) -> dict[str, Any]:
    """One of the lists by which video ids are found."""
    mine = [video for video in portal.videos.values() if video.owner == "me"]
    match path.split("/"):
        case ["accounts"]:
            return _paged([_account()], request)
        case ["bundles"] | ["accounts", _, "bundles"]:
            return _paged([_bundle(len(mine))], request)
        case ["bundles", bundle, "videos"]:
            return {"data": [_bundle_video(video, n) for n, video in enumerate(mine, 1)] if bundle == BUNDLE_ID else []}
        case ["accounts", _, "analytics", "videos"]:
            return _paged([{"id": video.id, "platform": video.platform} for video in mine], request)
    lines = ["video_id,platform", *(f"{video.id},{video.platform}" for video in mine), ""]
    raise Page(200, "text/csv; charset=utf-8", "\r\n".join(lines).encode())


def _account() -> dict[str, Any]:
    return {"id": ACCOUNT_ID, "platform": "tiktok", "username": "sandbox", "country": "US"}


def _bundle(size: int) -> dict[str, Any]:
    return {
        "id": BUNDLE_ID,
        "platform": "tiktok",
        "status": "completed",
        "title": "Sandbox",
        "external_ref": None,
        "videos_quantity": size,
        "saved_account_id": ACCOUNT_ID,
    }


def _bundle_video(video: Video, position: int) -> dict[str, Any]:
    status = "finalized" if video.finalized else "in_review"
    return {"id": video.id, "position": position, "status": status, "external_ref": None, "name": f"Video {position}"}


def history(portal: Portal, request: Request) -> dict[str, Any]:
    """Movements of credits, the newest first."""
    first, end = _day(request, "date_from"), _day(request, "date_to")
    end = end and end + timedelta(days=1)
    chosen = [
        (n, m)
        for n, m in enumerate(portal.ledger, 1)
        if (first is None or m.at >= first) and (end is None or m.at < end)
    ]
    return _paged([_movement(n, movement) for n, movement in reversed(chosen)], request)


def _movement(n: int, movement: Movement) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-9000-{n:012x}",
        "type": "debit" if movement.amount < 0 else "credit",
        "amount": movement.amount,
        "description": movement.reason,
        "breakdown": {},
        "balance_after": movement.balance_after,
        "created_at": movement.at.isoformat(timespec="seconds")[:19] + "Z",
    }


def _paged(items: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    page, per_page = _number(request, "page", 1, 10**9), _number(request, "per_page", 25, 100)
    start = (page - 1) * per_page
    counts = {"page": page, "per_page": per_page, "total": len(items), "total_pages": -(-len(items) // per_page)}
    return {"data": items[start : start + per_page], "pagination": counts}


def _number(request: Request, name: str, default: int, highest: int) -> int:
    text = request.param(name) or str(default)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= highest:
        raise Refused(400, "invalid_request", f"{name} must be 1 to {highest}.", {"field": name})
    return int(text)


def _day(request: Request, name: str) -> datetime | None:
    text = request.param(name)
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text[:10]), time(), UTC)
    except ValueError:
        raise Refused(400, "invalid_request", f"{name} must be a date.", {"field": name}) from None
