"""What TikTok is asked with, and what it says of a code, as frozen values. Owns no more than that."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

TIKTOK_URL = "https://business-api.tiktok.com"

IN_USE, NOT_APPLIED, VALID, EXPIRED = "in use", "not applied", "valid", "expired"
NOT_ACCEPTED, NOT_TOLD, DELETED = "not accepted", "not told", "deleted by its owner"
GOOD_STATES = ("", VALID, NOT_APPLIED, IN_USE, EXPIRED)
"""States of a code that need no word beside Expiry."""


@dataclass(frozen=True, slots=True)
class Access:
    """How TikTok is reached for one tracker (design 6). Without a token it is not asked, and nothing of it counts.

    `advertiser_id` is the ad account that is asked, where a row's Ad account is none.
    """

    access_token: str = field(default="", repr=False)
    advertiser_id: str = ""
    api_url: str = TIKTOK_URL

    @property
    def is_on(self) -> bool:
        """Whether TikTok is asked."""
        return self.access_token != ""

    @property
    def fingerprint(self) -> str:
        """Names the token in the ledger."""
        return sha256(self.access_token.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What TikTok said of one code, which is known by its name alone; instants are UTC.

    `state` is the word for it; `refusal` why TikTok does not accept it, in its own words. `starts` and `ends` are None
    where it never told them.
    """

    code: str
    video_id: str
    advertiser_id: str
    state: str
    refusal: str
    starts: datetime | None
    ends: datetime | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why TikTok does not let us look, since when, and when it was last tried; `token` is a fingerprint."""

    text: str
    token: str
    since: datetime
    asked_at: datetime


def plain_code(code: str) -> str:
    """A code as TikTok knows it: one that was copied out of an address is percent-encoded."""
    return re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), code.strip())


def code_name(code: str) -> str:
    """What a code is known by where it must not stand: of 10,000 no two share it, as they might a fingerprint."""
    return sha256(plain_code(code).encode(errors="surrogatepass")).hexdigest()[:32]
