"""PURE: one page of TokPortal's lists (accounts, bundles, videos): bytes in, whitelisted words out.

Owns which words of a row are kept, and under which of several names they may come (reference/tokportal.md 9: the shapes
of video rows are in no document). All else, mail addresses above all, is dropped here. Raises nothing but Unreadable.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sheetsync.columns import post_of
from sheetsync.tokportal.parsing import Unreadable, plain

_NAMES: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "platform": ("platform",),
    "country": ("country",),
    "username": ("username",),
    "title": ("title", "name", "description"),
    "ref": ("external_ref",),
    "url": ("tiktok_url", "post_url", "video_url", "live_url", "permalink", "share_url", "url"),
    "finalized_at": ("finalized_at",),
    "created_at": ("published_at", "created_at"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One account, bundle or video: its id, and what is kept of it."""

    id: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its items, how many could not be read, and whether it is the last one."""

    items: tuple[Item, ...]
    unreadable: int
    is_last: bool


def page(content: bytes, number: int, per_page: int, key: str) -> Page:
    """A page of a list, in an envelope with `data` or bare. Raises Unreadable for any other shape."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise Unreadable("no list stands in it (`data`)")
    items = tuple(item for item in (_item(row, key) for row in rows) if item)
    pagination = body.get("pagination") if isinstance(body, dict) else None
    pages = pagination.get("total_pages") if isinstance(pagination, dict) else None
    is_last = number >= pages if isinstance(pages, int) else len(rows) < per_page
    return Page(items, len(rows) - len(items), is_last or not rows)


def _item(row: object, key: str) -> Item | None:
    if not isinstance(row, dict):
        return None
    found = plain(row.get("id") or row.get("video_id") or row.get("bundle_id"), 200, key)
    words = {name: _word(row, name, key) for name in _NAMES}
    return Item(found, {name: word for name, word in words.items() if word}) if found else None


def _word(row: Mapping[str, object], name: str, key: str) -> str:
    told = (plain(row.get(candidate), 500, key) for candidate in _NAMES[name])
    return next((word for word in told if word and (name != "url" or post_of(word))), "")
