"""PURE: what a body of TikTok's Business API says. What is not known is kept as it came, or left out.

Source: reference/peers.md 1.4 (shapes, words for states; times are UTC and do not say so).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sheetsync.authorizations import DELETED, EXPIRED, IN_USE, NOT_APPLIED, VALID

LONGEST = 100  # characters of TikTok's own words that are shown
PLAUSIBLE_YEARS = range(2000, 2100)

_OF_CODE = {"NOT_USED": NOT_APPLIED, "IN_USE": IN_USE, "EXPIRED": EXPIRED, "DELETED": DELETED}
_OF_POST = {
    "ONLY_AUTHOR_SEE": "post no longer public",
    "USER_DELETE": "post deleted by its owner",
    "AUDIT_DELETE": "post removed by TikTok",
}
_PUBLIC = ("", "HESITATE_RECOMMEND")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)


class Unreadable(Exception):
    """A body that says nothing that can be understood."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The frame: `code` 0 is success, whatever the HTTP status; `message` has no secrets."""

    code: int
    message: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """What TikTok tells of a post and its code; words that are not told are empty."""

    code: str
    starts: datetime | None
    ends: datetime | None
    authorization: str
    status: str

    def state(self, is_applied: bool | None) -> str:
        """The word for it. `is_applied` is None where nobody knows whether the ad account has applied the code."""
        if self.status not in _PUBLIC:
            return _OF_POST.get(self.status, self.status)
        if self.authorization == "AUTHORIZED":
            return VALID if is_applied is None else IN_USE if is_applied else NOT_APPLIED
        return _OF_CODE.get(self.authorization, self.authorization)


def answer(body: bytes, *secrets: str) -> Answer:
    """The frame of a body; its message names none of these. Raises Unreadable."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    code = found.get("code") if isinstance(found, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        raise Unreadable("it has no code")
    data = found.get("data")
    return Answer(code, plain(found.get("message"), *secrets), data if isinstance(data, dict) else {})


def plain(text: object, *secrets: str) -> str:
    """TikTok's own words as they may be shown: one line, not long, and never with the token or the code."""
    words = " ".join((text if isinstance(text, str) else "").split())
    # before it is cut: most of a code is still one
    for secret in filter(None, secrets):
        words = words.replace(secret, "...")
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST]


def posts(data: Mapping[str, Any], secret: str) -> Iterator[Post]:
    """The posts of a list; what is none is left out."""
    found = data.get("list")
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and (told := post(item, secret)).code:
            yield told


def pages(data: Mapping[str, Any]) -> int:
    """Of how many pages a list has; one where it does not say."""
    told = _part(data, "page_info").get("total_page")
    return told if isinstance(told, int) and told > 0 else 1


def post(data: Mapping[str, Any], secret: str) -> Post:
    """A post, as far as it is told."""
    item, authorization = _part(data, "item_info"), _part(data, "auth_info")
    starts, ends = _time(authorization.get("auth_start_time")), _time(authorization.get("auth_end_time"))
    return Post(
        code=str(item.get("auth_code") or "").strip(),
        starts=starts,
        # an end before the beginning is none
        ends=None if starts and ends and ends < starts else ends,
        authorization=plain(authorization.get("ad_auth_status"), secret),
        status=plain(item.get("status"), secret),
    )


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _time(text: object) -> datetime | None:
    if not (isinstance(text, str) and _TIME.fullmatch(text.strip())):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year in PLAUSIBLE_YEARS else None
