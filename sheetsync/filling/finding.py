"""Asks TokPortal for finalized videos: accounts, their bundles, the bundles' videos; analytics for links alone.

Owns which lists are read, and how their pages follow each other. What a row of a list says is `tokportal/listing.py`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sheetsync.errors import CallRefused, Unavailable
from sheetsync.filling.choosing import Video
from sheetsync.tokportal.client import TokPortal
from sheetsync.tokportal.listing import Item

NEVER_FINAL = frozenset({"draft", "pending_setup", "cancelled"})
"""Bundles without a video that an ad code can be ordered for (reference/tokportal.md 9)."""


@dataclass(slots=True)
class Finder:
    """Reads the lists of one API key. `remarks` are lines for people, `unreadable` rows of lists that have no id."""

    portal: TokPortal
    remarks: list[str] = field(default_factory=list)
    unreadable: int = 0
    _has_analytics: bool = True

    def accounts(self) -> list[Item]:
        """All accounts. Raises CallRefused, CredentialsError, Unavailable, as all here do."""
        return self._all("accounts")

    def videos(self, account: Item) -> list[Video]:
        """The finalized videos of an account, each once."""
        found: dict[str, Video] = {}
        for bundle in self._all("accounts", account.id, "bundles"):
            if bundle.words.get("status") not in NEVER_FINAL:
                for video in self._all("bundles", bundle.id, "videos"):
                    if video.words.get("status") == "finalized":
                        found[video.id] = _video(account, bundle, video)
        return list(found.values())

    def with_links(self, account: Item, videos: list[Video]) -> list[Video]:
        """The same videos, those without a link with the one that analytics tells; its other rows are not trusted.

        Analytics knows ids of its own: only a row under a video's id says something of that video.
        """
        if not self._has_analytics:
            return videos
        try:
            posts = self._all("accounts", account.id, "analytics", "videos")
        except (CallRefused, Unavailable) as error:
            self._has_analytics = False
            self.remarks.append(
                f"Analytics tells no links of posts; Video URL stays empty where bundles do not: {error}"
            )
            return videos
        links = {post.id: post.words["url"] for post in posts if "url" in post.words}
        return [_linked(video, links) for video in videos]

    def _all(self, *path: str) -> list[Item]:
        found: dict[str, Item] = {}
        number = 1
        while True:
            page = self.portal.listed(number, *path)
            new = {item.id: item for item in page.items if item.id not in found}
            found, number = found | new, number + 1
            self.unreadable += page.unreadable
            # without counts, the last page is known by bringing nothing new
            if page.is_last or not new:
                return list(found.values())


def _video(account: Item, bundle: Item, video: Item) -> Video:
    name = account.words.get("username", "").lstrip("@")
    fields = {
        "account": f"@{name}" if name else "",
        "country": account.words.get("country") or bundle.words.get("country", ""),
        "platform": video.words.get("platform") or bundle.words.get("platform") or account.words.get("platform", ""),
        "bundle": bundle.words.get("title", ""),
        "bundle_ref": bundle.words.get("ref", ""),
        "title": video.words.get("title", ""),
        "video_ref": video.words.get("ref", ""),
        "video_url": video.words.get("url", ""),
    }
    told = (holder.words.get(name, "") for name in ("finalized_at", "created_at") for holder in (video, bundle))
    return Video(video.id, fields, next((day for day in map(_day, told) if day), None))


def _linked(video: Video, links: Mapping[str, str]) -> Video:
    if video.fields["video_url"] or video.id not in links:
        return video
    return Video(video.id, {**video.fields, "video_url": links[video.id]}, video.day)


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None
