"""The lists by which video ids are found: accounts, bundles, videos; and TokPortal's pagination.

Owns the shapes of the lists. Does not own what is in them (portal.py). The rows of
videos are as thin as the documents that could be read; what is open there, switches decide.
Source: reference/tokportal.md sections 8 and 9.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from typing import Any

from sheetsync.sandbox.tokportal.call import Answer, Call, ok
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.records import Account, Bundle, Video
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.wire import Request

Item = dict[str, Any]


def _mine(portal: Portal, **where: str) -> list[Video]:
    mine = (video for video in portal.videos.values() if video.owner == "me")
    return [video for video in mine if all(getattr(video, name) == value for name, value in where.items())]


def accounts(call: Call) -> Answer:
    """GET /accounts, with the mail address that no program should keep (tokportal.md section 9)."""
    return _listed(call, [_account(account) for account in call.portal.accounts.values()])


def _account(account: Account) -> Item:
    return {
        **asdict(account),
        "visible_name": account.username.title(),
        "biography": "",
        "profile_url": f"https://www.tiktok.com/@{account.username}",
        "tokmail_email": f"{account.username}@tokmail.example",
    }


def bundles(call: Call) -> Answer:
    """GET /bundles, and those of an account."""
    account = call.places.get("account")
    found = (bundle for bundle in call.portal.bundles.values() if account in (None, bundle.account_id))
    return _listed(call, [_bundle(call.portal, bundle) for bundle in found])


def _bundle(portal: Portal, bundle: Bundle) -> Item:
    return {
        "id": bundle.id,
        "platform": "tiktok",
        "country": portal.accounts[bundle.account_id].country,
        "status": bundle.status,
        "title": bundle.title,
        "external_ref": None,
        "videos_quantity": len(_mine(portal, bundle_id=bundle.id)),
        "saved_account_id": bundle.account_id,
    }


def bundle_videos(call: Call) -> Answer:
    """GET /bundles/{bundle}/videos: all at once, without pages (tokportal.md section 9)."""
    videos = _mine(call.portal, bundle_id=call.places["bundle"])
    return ok(
        _shaped(call.portal, {"data": [_bundle_video(call.portal, video, n) for n, video in enumerate(videos, 1)]})
    )


def _bundle_video(portal: Portal, video: Video, position: int) -> Item:
    shown: Item = {
        portal.switches.video_key: video.id,
        "position": position,
        "status": "finalized" if video.finalized else "in_review",
        "external_ref": None,
        "name": video.title or f"Video {position}",
    }
    if video.finalized_at:
        shown["finalized_at"] = video.finalized_at
    if portal.switches.post_link in ("tiktok_url", "post_url"):
        shown[portal.switches.post_link] = _post(portal, video)
    return shown


def _post(portal: Portal, video: Video) -> str | None:
    """The post that a video became: its number is drawn from the video's id."""
    number = int.from_bytes(blake2b(video.id.encode(), digest_size=7).digest())
    username = portal.accounts[portal.bundles[video.bundle_id].account_id].username
    return f"https://www.tiktok.com/@{username}/video/7{number:018}" if video.live_link else None


def account_videos(call: Call) -> Answer:
    """GET /accounts/{account}/analytics/videos: what it shows depends on the plan."""
    portal = call.portal
    if portal.switches.analytics == 403:
        raise Refused(403, "analytics_plan", "Your plan does not include video analytics.")
    of_account = [bundle.id for bundle in portal.bundles.values() if bundle.account_id == call.places["account"]]
    videos = [video for video in _mine(portal) if video.bundle_id in of_account]
    rows: list[Item] = [
        {"id": video.id, "platform": video.platform}
        | ({"url": _post(portal, video)} if portal.switches.post_link != "none" else {})
        for video in videos
    ]
    if portal.switches.analytics == "bare":
        return ok({"tier": "starter", "access": "limited", "videos": rows})
    return _listed(call, rows)


def exported_videos(call: Call) -> Answer:
    """GET /analytics/export/videos: CSV, not JSON."""
    rows = ["video_id,platform", *(f"{video.id},{video.platform}" for video in _mine(call.portal)), ""]
    return Answer(200, "\r\n".join(rows).encode(), {"content-type": "text/csv; charset=utf-8"})


def _listed(call: Call, items: list[Item]) -> Answer:
    return ok(_shaped(call.portal, paged(items, call.request)))


def _shaped(portal: Portal, body: Item) -> Any:
    """A list as it is documented, or as it might come."""
    if portal.switches.pagination == "missing":
        body.pop("pagination", None)
    shape = portal.switches.list_shape
    return body["data"] if shape == "bare" else {"items": body["data"]} if shape == "other" else body


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
