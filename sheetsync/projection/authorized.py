"""PURE: what TikTok said of a code, for its row: the notes, and which ad account is asked about it.

Owns that. When a code ends is `window.py`'s, which codes are asked about when the plan's.
"""

import re

from sheetsync import notes
from sheetsync.authorizations import GOOD_STATES, NOT_TOLD
from sheetsync.columns import key_text, shown_instant
from sheetsync.model import Entry, Row, Tracker
from sheetsync.projection.window import RowContext, known_expiry, told_by_tiktok

LARGEST_EXACT = 2**53
"""A number above it lost digits when it was typed: an ad account's id has 19."""

_OF_THE_POST = re.compile(
    "video_(unavailable|deleted)|mention_multiple|illegal_item|story_video|carousel_duet|multi_duet", re.IGNORECASE
)


def advertiser_of(row: Row, tracker: Tracker) -> str:
    """The ad account that is asked about a row's code: its Ad account, where that holds an id, else the tracker's."""
    cell = row.cells.get("ad_account", "")
    is_exact = isinstance(cell, str) or (not isinstance(cell, bool) and abs(cell) < LARGEST_EXACT)
    text = key_text(cell) if is_exact else ""
    return text if re.fullmatch("[0-9]{5,25}", text, re.ASCII) else tracker.tiktok.advertiser_id


def tiktok_notes(context: RowContext, entry: Entry) -> list[str]:
    """What the person should know of it: two ends that differ, a code or post that is not good any more."""
    tracker, told, header = context.tracker, told_by_tiktok(context, entry), context.header
    if told is None:
        is_meant = tracker.tiktok.is_on and entry.request.platform != "instagram"
        is_nowhere = is_meant and not advertiser_of(context.row, tracker)
        return [notes.no_ad_account(header("ad_account"))] if is_nowhere else []
    said, typed = [], known_expiry(context, entry)
    if typed and told.ends and typed != told.ends:
        ends = (shown_instant(each, context.time_zone) for each in (typed, told.ends))
        said.append(notes.two_ends(header("known_expiry"), *ends))
    if told.state == NOT_TOLD:
        said.append(notes.code_not_told(told.refusal))
    elif told.refusal:
        is_of_the_post = _OF_THE_POST.search(told.refusal)
        said.append(notes.post_refused(told.refusal) if is_of_the_post else notes.code_refused(told.refusal))
    elif told.state not in GOOD_STATES:
        said.append(notes.code_state(told.state))
    return said
