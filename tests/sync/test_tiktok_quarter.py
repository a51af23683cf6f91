"""A quarter with TikTok asked: codes that are extended, switched off, authorized anew, applied and let go.

The oracle in here is written apart from the program: it keeps what TikTok's side was when a call was answered, and says
from the design what each row should show; it knows no code of the program beyond the names of columns.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from support.tiktoks import Asking

from sheetsync.columns import to_serial
from sheetsync.sandbox.tiktok.records import ADVERTISER, AUTHORIZED, GONE, PRIVATE, PUBLIC, SWITCHED_OFF
from sheetsync.sandbox.tokportal.portal import AdCodeRequest
from sheetsync.sandbox.wire import Request

VIDEOS = tuple(f"vid-{n:02}" for n in range(10))
DAYS, HOUR, DAY = 91, timedelta(hours=1), timedelta(days=1)
ZONE = "Etc/GMT"
WORDS = {PRIVATE: "post no longer public", GONE: "post deleted by its owner"}


@dataclass
class Said:
    """What TikTok said of a code when it was last asked."""

    at: datetime
    state: str
    ends: datetime | None


@dataclass
class Quarter:
    """The people, creators and troubles of three months; `told` is what the oracle has seen TikTok say."""

    seed: int
    told: dict[str, Said] = field(default_factory=dict)
    typed: dict[str, datetime] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    well_since: datetime | None = None

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.bench = Asking(VIDEOS)
        self.tiktok = self.bench.world.tiktok
        self.bench.world.hooks.append(self._heard)
        self.is_listed = False
        self.asked: dict[str, list[datetime]] = {}
        self.well_since = self.now

    @property
    def now(self) -> datetime:
        return self.bench.clock.now()

    # --- the wire ----------------------------------------------------------------------------------------------

    def _heard(self, moment: str, _: int, kind: str, request: Request) -> None:
        if moment != "after" or not kind.startswith("tiktok.") or self.tiktok.refuses:
            return
        posts = self.tiktok.posts
        if kind == "tiktok.list":
            self.is_listed = True
            for code, post in posts.items():
                if ADVERTISER in post.applied_by:
                    state = "in use" if post.authorization == AUTHORIZED else post.authorization
                    self.told[code] = Said(self.now, WORDS.get(post.status, state), post.ends)
            return
        code = request.param("auth_code")
        self.asked.setdefault(code, []).append(self.now)
        if posts[code].authorization == SWITCHED_OFF:
            before = self.told.get(code)
            self.told[code] = Said(self.now, "not accepted", before.ends if before else None)
        else:
            state = WORDS.get(posts[code].status, "not applied" if self.is_listed else "valid")
            self.told[code] = Said(self.now, state, posts[code].ends)

    # --- what happens ------------------------------------------------------------------------------------------

    def live(self) -> None:
        ends = self.now + DAYS * DAY
        while self.now < ends:
            for _ in range(self.rng.randint(0, 3)):
                self.rng.choice(HAPPENINGS)(self, self.rng.choice(VIDEOS))
            before = self.now
            self.is_listed = False
            report = self.bench.sync()
            assert report.exit_code == 0, report.why
            for video in VIDEOS:
                self.judge(video, before)
            self.bench.later(minutes=self.rng.choice((5, 45, 200, 400, 700)))

    def open(self, video: str) -> AdCodeRequest | None:
        found = self.bench.requests(video)
        return found[-1] if found and found[-1].status not in ("finalized", "cancelled") else None

    def code(self, video: str) -> str:
        """The newest code, empty where there is none, or where another one is on its way."""
        found = self.bench.requests(video)
        return str(found[-1].code or "") if found and not self.open(video) else ""

    # --- the oracle --------------------------------------------------------------------------------------------

    def codes(self, video: str) -> Iterator[tuple[str, datetime, str, str]]:
        """Each code of a video with its end, who says so and its state; newest first. A code may come twice."""
        for request in reversed(self.bench.requests(video)):
            if not request.code or request.submitted_at is None:
                continue
            said = self.told.get(request.code)
            # TokPortal tells whole seconds: what was said within that one may have been said before
            if said and said.at < request.submitted_at.replace(microsecond=0) + timedelta(seconds=1):
                said = None
            typed = self.typed.get(request.code)
            ends, source = (request.created_at + 30 * DAY).replace(microsecond=0), "estimate"
            if typed or (said and said.ends):
                told = said.ends.replace(microsecond=0) if said and said.ends else None
                ends, source = min((each, word) for each, word in ((typed, "a"), (told, "b")) if each)
                source = {"a": "typed", "b": "TikTok"}[source]
            yield request.code, ends, source, said.state if said else ""

    def judge(self, video: str, before: datetime) -> None:
        """The row says what the oracle says, of the code that the design puts into use."""
        found = list(self.codes(video))
        if not found:
            return
        edges = (edge for _, ends, *_ in found for edge in (ends, ends - 3 * DAY))
        if any(before - timedelta(seconds=2) <= edge <= self.now for edge in edges):
            return  # it changed in the middle of the run
        code, ends, source, state = next((each for each in found if each[1] > self.now), found[0])
        word = "expired" if self.now >= ends else "renewal needed" if self.now >= ends - 3 * DAY else "ok"
        row = self.bench.row(video)
        shown = row.get("spark_code"), self.bench.ends(video), row.get("expiry"), row.get("expiry_source")
        assert shown == (code, ends, word, source), (self.seed, video, self.now, shown, found)
        assert row.get("code_state", "") == state, (self.seed, video, self.now, found)
        self.met |= {word, source, state}
        self._is_fresh(code, ends)

    def _is_fresh(self, code: str, ends: datetime) -> None:
        """Nothing is older than a day, and near the end than an hour, unless TikTok was not to be asked."""
        if self.well_since is None or self.now - ends > 30 * DAY or self.now - self.well_since < HOUR + DAY / 2:
            return
        said = self.told[code]
        assert self.now - said.at <= DAY + timedelta(minutes=1), (self.seed, code)
        if said.state not in ("not accepted",) and abs(ends - self.now) < 7 * DAY:
            assert self.now - said.at <= HOUR, (self.seed, code)


def order(quarter: Quarter, video: str) -> None:
    """The first code of a video."""
    if not quarter.bench.requests(video):
        quarter.bench.mark("request", video)


def renew(quarter: Quarter, video: str) -> None:
    """Another one; what was typed of the one before goes."""
    if quarter.code(video) and quarter.rng.random() < 0.3:
        if quarter.bench.cell(video, "known_expiry") != "":
            quarter.bench.type(video, "known_expiry", None)
            quarter.typed.pop(quarter.code(video), None)
            quarter.bench.sync()
        quarter.bench.mark("renew", video)


def submit(quarter: Quarter, video: str) -> None:
    """The manager sends a code that the creator made for so long; or the same again, extended."""
    request = quarter.open(video)
    if request is None:
        return
    before = [each.code for each in quarter.bench.requests(video)[:-1] if each.code]
    quarter.tiktok.days = quarter.rng.choice((7, 30, 60))
    same = before[-1] if before and quarter.rng.random() < 0.5 else None
    if same and quarter.tiktok.posts[same].authorization == AUTHORIZED:
        quarter.tiktok.extend(same, 30)
        quarter.met.add("the same code again")
    else:
        same = None
    quarter.bench.world.portal.submit(video, same)
    quarter.bench.world.portal.deliver(video)
    quarter.bench.world.creators_authorize()


def apply(quarter: Quarter, video: str) -> None:
    """Applied in Ads Manager, or let go."""
    if code := quarter.code(video):
        is_applied = ADVERTISER in quarter.tiktok.posts[code].applied_by
        (quarter.tiktok.unbind if is_applied and quarter.rng.random() < 0.3 else lambda _: None)(code)
        if not is_applied:
            quarter.tiktok.apply(code)


def change_mind(quarter: Quarter, video: str) -> None:
    """The creator switches off, authorizes anew, extends, hides the post or shows it again."""
    code = quarter.code(video)
    if not code:
        return
    tiktok, post = quarter.tiktok, quarter.tiktok.posts[code]
    kind = quarter.rng.choice(("switch", "switch", "extend", "hide", "show", "show"))
    quarter.met.add(f"{kind} {post.authorization}")
    if kind == "switch" and post.authorization == AUTHORIZED:
        tiktok.revoke(code)
    elif kind == "switch":
        tiktok.authorize(code, days=quarter.rng.choice((7, 30)))
    elif kind == "extend":
        tiktok.extend(code, quarter.rng.choice((7, 30)))
    else:
        tiktok.set_status(code, PUBLIC if kind == "show" else quarter.rng.choice((PRIVATE, GONE)))


def type_date(quarter: Quarter, video: str) -> None:
    """A date from Ads Manager, before or after the true one; or it is taken out again."""
    code = quarter.code(video)
    if not code or quarter.bench.cell(video, "spark_code") != code or quarter.bench.cell(video, "action") != "":
        return
    if quarter.rng.random() < 0.4:
        quarter.bench.type(video, "known_expiry", None)
        quarter.typed.pop(code, None)
    else:
        days = quarter.rng.choice((-9, -2, 3, 12))
        moment = (quarter.tiktok.posts[code].ends + days * DAY).replace(minute=0, second=0, microsecond=0)
        quarter.bench.type(video, "known_expiry", to_serial(moment, ZONE))
        quarter.typed[code] = moment


def trouble(quarter: Quarter, _: str) -> None:
    """TikTok is busy, or the token expires; and some days later all is well."""
    if quarter.rng.random() < 0.15:
        quarter.tiktok.refuses = quarter.rng.choice((40105, 50002, 60001))
        quarter.well_since = None
        quarter.met.add(str(quarter.tiktok.refuses))
    elif quarter.tiktok.refuses and quarter.rng.random() < 0.7:
        quarter.tiktok.refuses, quarter.well_since = 0, quarter.now


HAPPENINGS = (order, order, renew, submit, submit, apply, change_mind, change_mind, type_date, trouble)
EVERYTHING = {
    *("ok", "renewal needed", "expired", "typed", "TikTok", "estimate", "the same code again", "40105", "50002"),
    *("in use", "not applied", "not accepted", "post no longer public", "post deleted by its owner", SWITCHED_OFF),
    *(f"switch {AUTHORIZED}", f"switch {SWITCHED_OFF}", f"extend {AUTHORIZED}"),
}


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_quarter(seed: int) -> None:
    """Every row says in every run what the oracle says, and no word is older than news can be."""
    quarter = Quarter(seed)
    quarter.live()
    assert EVERYTHING - quarter.met == set()
