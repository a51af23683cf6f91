"""What `doctor` says of TikTok: one line for each token. Nothing where it is not."""

from collections.abc import Iterator, Mapping, Sequence

from sheetsync.authorizations import Access
from sheetsync.clock import Clock
from sheetsync.errors import SheetsyncError
from sheetsync.model import Tracker
from sheetsync.tiktok.client import TikTok

Found = tuple[bool | None, str, int]
"""Whether it is fine (None: a remark), the words, and the exit code if not."""


def of_tiktok(trackers: Sequence[Tracker], clock: Clock) -> Iterator[Found]:
    """Each token is tried with its ad accounts, up to the first that it may not read."""
    asked: dict[tuple[str, str], list[Tracker]] = {}
    for tracker in trackers:
        if tracker.tiktok.is_on:
            asked.setdefault((tracker.tiktok.access_token, tracker.tiktok.api_url), []).append(tracker)
    for having in asked.values():
        accesses = (tracker.tiktok for tracker in having)
        yield _tried({access.advertiser_id: access for access in accesses if access.advertiser_id}, having, clock)


def _tried(accounts: Mapping[str, Access], having: Sequence[Tracker], clock: Clock) -> Found:
    names = ", ".join(tracker.name for tracker in having)
    if not accounts:
        return None, f"the token was not tried: each row's Ad account names its ad account ({names})", 0
    try:
        for advertiser, access in accounts.items():
            tiktok = TikTok(access, clock)
            try:
                tiktok.applied(advertiser, page=1, per_page=1)
            finally:
                tiktok.close()
    except SheetsyncError as error:
        return False, f"{error} ({names})", error.exit_code
    return True, f"the token may read ad account {', '.join(accounts)} ({names})", 0
