"""Asks TikTok about codes, one call after the other, within the time that a run has for it.

Owns the order of the calls and when to stop. Which codes are due is the plan's, what an answer says `tiktok/`'s. What
TikTok does not tell, or not let us see, stops nothing else of the run.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sheetsync.authorizations import NOT_ACCEPTED, NOT_TOLD, Access, Authorization, code_name
from sheetsync.clock import Clock
from sheetsync.errors import CodeRefused, CredentialsError, Unavailable
from sheetsync.plan.asking import Inquiry
from sheetsync.tiktok.client import TikTok
from sheetsync.tiktok.parsing import Post

log = logging.getLogger(__name__)

SECONDS = 30
"""So much of a run's time is TikTok's at most: what is not reached is the next run's."""

MOST_PAGES = 100
"""Of an ad account with more posts the rest is asked for by code."""

SILENT_LIMIT = 3
"""After so many calls in a row without an answer the rest is left for the next run."""


@dataclass(slots=True)
class Told:
    """What TikTok said: of codes, and why it did not let us look. `is_heard` if it let us look anywhere."""

    codes: list[Authorization] = field(default_factory=list)
    trouble: str = ""
    is_heard: bool = False


def ask(
    inquiries: Mapping[str, Inquiry], access: Access, client: Callable[[Access, Clock], TikTok], clock: Clock
) -> Told:
    """Ask what is due, for one run of one tracker."""
    try:
        tiktok = client(access, clock)
    except CredentialsError as error:
        return Told(trouble=str(error))
    try:
        return _Asker(tiktok, clock).ask(inquiries)
    finally:
        tiktok.close()


class _Asker:
    def __init__(self, tiktok: TikTok, clock: Clock) -> None:
        self._tiktok, self._clock, self._told, self._silent = tiktok, clock, Told(), 0
        self._until = clock.monotonic() + min(SECONDS, clock.left_to_ask() / 4)

    def ask(self, inquiries: Mapping[str, Inquiry]) -> Told:
        """All that there was time for."""
        for advertiser, inquiry in inquiries.items():
            try:
                self._account(advertiser, inquiry)
            except CredentialsError as error:
                self._told.trouble = self._told.trouble or str(error)
            except Unavailable as error:
                log.info("%s", error)
        return self._told

    def _goes_on(self) -> bool:
        return self._clock.monotonic() < self._until and self._silent < SILENT_LIMIT

    def _account(self, advertiser: str, inquiry: Inquiry) -> None:
        listed: set[str] = set()
        is_whole = False
        for post, is_last in self._listed(advertiser):
            is_whole = is_whole or is_last
            if post and (name := code_name(post.code)) in inquiry.codes:
                listed.add(name)
                self._tell(name, inquiry, advertiser, post, post.state(is_applied=True))
        for name in inquiry.due:
            if name not in listed and self._goes_on():
                self._one(name, inquiry, advertiser, is_applied=False if is_whole else None)

    def _listed(self, advertiser: str) -> Iterator[tuple[Post | None, bool]]:
        """The posts whose codes the ad account has applied, as far as there is time; True once that is all of them."""
        for page in range(1, MOST_PAGES + 1):
            if not self._goes_on():
                return
            try:
                posts, pages = self._tiktok.applied(advertiser, page)
            except Unavailable:
                self._silent += 1
                raise
            self._silent, self._told.is_heard = 0, True
            yield from ((post, False) for post in posts)
            if page >= pages:
                yield None, True
                return

    def _one(self, name: str, inquiry: Inquiry, advertiser: str, is_applied: bool | None) -> None:
        try:
            post = self._tiktok.code(advertiser, inquiry.codes[name][0])
        except CodeRefused as refused:
            state = NOT_ACCEPTED if refused.is_told else NOT_TOLD
            self._tell(name, inquiry, advertiser, None, state, refused.answer)
        except Unavailable as error:
            self._silent += 1
            log.info("%s", error)
            return
        else:
            self._tell(name, inquiry, advertiser, post, post.state(is_applied))
        self._silent = 0

    def _tell(
        self, name: str, inquiry: Inquiry, advertiser: str, post: Post | None, state: str, refusal: str = ""
    ) -> None:
        starts, ends = (post.starts, post.ends) if post else (None, None)
        video, now = inquiry.codes[name][1], self._clock.now()
        self._told.codes.append(Authorization(name, video, advertiser, state, refusal, starts, ends, now))
