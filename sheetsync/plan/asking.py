"""PURE: which codes TikTok is asked about in a run: no more often than news of them can be expected.

Owns the pauses. How TikTok is asked, and in how much time, is `sync/asking.py`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sheetsync.authorizations import IN_USE, Authorization, code_name
from sheetsync.model import Known, Row, Tracker
from sheetsync.projection.authorized import advertiser_of
from sheetsync.projection.in_use import Code, codes
from sheetsync.projection.window import RowContext, is_of_this, is_retired

SOON, SELDOM = timedelta(hours=1), timedelta(days=1)
"""A code that ads use, that is new or near its end may be extended, applied or switched off at any time, and a page of
50 costs one call; of any other code one day's news is news enough."""

NEAR_THE_END, NEW = timedelta(days=7), timedelta(days=1)
FORGOTTEN = timedelta(days=30)
"""Of a code that ended so long ago nobody expects anything."""


@dataclass(slots=True)
class Inquiry:
    """What one ad account is asked: `codes` (code, video id) by the code's name, and of these the names that are due,
    those first that were asked about longest ago."""

    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)


def inquiries(
    rows: Sequence[Row], known: Known, now: datetime, time_zone: str, tracker: Tracker
) -> Mapping[str, Inquiry]:
    """What TikTok is asked in this run, by ad account; of those for which nothing is due, nothing."""
    found: dict[str, Inquiry] = {}
    asked: set[str] = set()
    for row in rows:
        advertiser = advertiser_of(row, tracker)
        context = RowContext(row, time_zone, tracker, now, known)
        for code in codes(context) if advertiser else ():
            name = code_name(code.text)
            if name in asked or code.entry.request.platform == "instagram":
                continue  # of duplicates the first row counts
            asked.add(name)
            inquiry = found.setdefault(advertiser, Inquiry())
            inquiry.codes[name] = code.text, row.key
            if _is_of_use(context, code) and _is_due(code, known.authorizations.get(name), advertiser, now):
                inquiry.due.append(name)
    for inquiry in found.values():
        inquiry.due.sort(key=lambda name: _last(known.authorizations.get(name)))
    return {advertiser: inquiry for advertiser, inquiry in found.items() if inquiry.due}


def _last(told: Authorization | None) -> str:
    return told.asked_at.isoformat() if told else ""


def _is_of_use(context: RowContext, code: Code) -> bool:
    """Whether somebody may still use it."""
    ends = code.window.ends
    is_over = ends is not None and context.now - ends > FORGOTTEN
    return not is_over and not is_retired(context, code.text)


def _is_due(code: Code, told: Authorization | None, advertiser: str, now: datetime) -> bool:
    request, ends = code.entry.request, code.window.ends
    if told is None or told.advertiser_id != advertiser or not is_of_this(request, told):
        return True
    since = request.submitted_at or request.created_at
    is_new = since is not None and now - since < NEW
    is_lively = told.state == IN_USE or is_new or (ends is not None and abs(ends - now) < NEAR_THE_END)
    # abs: the clock of this machine may have been set back
    return abs(now - told.asked_at) >= (SOON if is_lively and not told.refusal else SELDOM)
