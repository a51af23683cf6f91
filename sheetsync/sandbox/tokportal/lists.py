"""The lists by which video ids are found: accounts, bundles, videos; and TokPortal's pagination.

Owns the shapes of the lists. Does not own what is in them (portal.py). The video lists are as thin as the documents
that could be read. Source: reference/tokportal.md sections 8 and 9.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from sheetsync.sandbox.tokportal.call import Answer, Call, ok
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.records import Video
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.wire import Request

ACCOUNT_ID = "5a1d0c2e-7b34-4f6a-9c1e-2f8b6d3a9e01"
BUNDLE_ID = "b7e4f9a2-1c58-4d03-8e6b-90f1a2c3d4e5"


def _mine(portal: Portal) -> list[Video]:
    return [video for video in portal.videos.values() if video.owner == "me"]


def accounts(call: Call) -> Answer:
    """GET /accounts: the sandbox has one."""
    account = {"id": ACCOUNT_ID, "platform": "tiktok", "username": "sandbox", "country": "US"}
    return ok(paged([account], call.request))


def bundles(call: Call) -> Answer:
    """GET /bundles, and those of an account: the sandbox has one, with all videos."""
    bundle = {
        "id": BUNDLE_ID,
        "platform": "tiktok",
        "status": "completed",
        "title": "Sandbox",
        "external_ref": None,
        "videos_quantity": len(_mine(call.portal)),
        "saved_account_id": ACCOUNT_ID,
    }
    return ok(paged([bundle], call.request))


def bundle_videos(call: Call) -> Answer:
    """GET /bundles/{bundle}/videos: all at once, without pages (tokportal.md section 9)."""
    videos = _mine(call.portal) if call.places["bundle"] == BUNDLE_ID else []
    return ok({"data": [_bundle_video(video, n) for n, video in enumerate(videos, 1)]})


def _bundle_video(video: Video, position: int) -> dict[str, Any]:
    status = "finalized" if video.finalized else "in_review"
    return {"id": video.id, "position": position, "status": status, "external_ref": None, "name": f"Video {position}"}


def account_videos(call: Call) -> Answer:
    """GET /accounts/{account}/analytics/videos."""
    return ok(paged([{"id": video.id, "platform": video.platform} for video in _mine(call.portal)], call.request))


def exported_videos(call: Call) -> Answer:
    """GET /analytics/export/videos: CSV, not JSON."""
    rows = ["video_id,platform", *(f"{video.id},{video.platform}" for video in _mine(call.portal)), ""]
    return Answer(200, "\r\n".join(rows).encode(), {"content-type": "text/csv; charset=utf-8"})


def paged(items: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """One page of a list, as `page` and `per_page` ask. Raises Refused."""
    page, per_page = _number(request, "page", 1, 10**9), _number(request, "per_page", 25, 100)
    start = (page - 1) * per_page
    counts = {"page": page, "per_page": per_page, "total": len(items), "total_pages": -(-len(items) // per_page)}
    return {"data": items[start : start + per_page], "pagination": counts}


def _number(request: Request, name: str, default: int, highest: int) -> int:
    text = request.param(name) or str(default)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= highest:
        raise Refused(400, "invalid_request", f"{name} must be 1 to {highest}.", {"field": name})
    return int(text)


def day(request: Request, name: str) -> datetime | None:
    """A day of the query, as its first moment. Raises Refused."""
    text = request.param(name)
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text[:10]), time(), UTC)
    except ValueError:
        raise Refused(400, "invalid_request", f"{name} must be a date.", {"field": name}) from None
