"""A bench whose tracker has TikTok asked, over the same wire as the rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sheetsync.authorizations import Access
from sheetsync.clock import Clock
from sheetsync.columns import BY_TIKTOK, MACHINE_KEYS, from_serial, header_of
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.tiktok.records import ADVERTISER, TOKEN, Post
from sheetsync.sync.report import Report
from sheetsync.tiktok.client import TikTok
from support.bench import PERSON, Bench
from support.inprocess import HttpxTransport

ACCESS = Access(TOKEN, ADVERTISER)
KEYS = (*PERSON, "ad_account", "paid_status", *MACHINE_KEYS, *BY_TIKTOK)
VIDEO = "vid-a"


class Asking(Bench):
    """One tracker; a video's code has the video's own creator, who authorizes it as it is submitted."""

    def __init__(self, videos: Sequence[str] = (VIDEO,), access: Access = ACCESS, **settings: Any) -> None:
        headers = [header_of(key, {}) for key in settings.pop("keys", KEYS)]
        super().__init__(videos, headers, start=datetime(2026, 6, 1, 9, tzinfo=UTC), tiktok=access, **settings)

    def client(self, access: Access, clock: Clock) -> TikTok:
        return TikTok(access, clock, HttpxTransport(self.world.handle, self.clock.sleep))

    def sync(self, ledger: Ledger | None = None, **wanted: Any) -> Report:
        return super().sync(ledger, tiktok=self.client, **wanted)

    def with_code(self, video: str = VIDEO) -> Post:
        """An order with its code; TikTok's side of it, of which no run knows as yet."""
        self.mark("request", video)
        self.sync()
        code = str(self.world.portal.submit(video).code)
        self.world.portal.deliver(video)
        self.world.creators_authorize()
        self.later(minutes=5)
        return self.world.tiktok.post(code)

    def asked(self) -> list[str]:
        """The kinds of the calls to TikTok so far."""
        return [kind for kind in self.kinds() if kind.startswith("tiktok.")]

    def ends(self, video: str = VIDEO) -> datetime | None:
        cell = self.cell(video, "expires_at")
        return None if cell == "" else from_serial(cell, "Etc/GMT")

    def says(self, video: str = VIDEO) -> tuple[str, str, str]:
        """Expiry, Expiry source and Code state."""
        return self.cell(video, "expiry"), self.cell(video, "expiry_source"), self.cell(video, "code_state")


def whole(moment: datetime, **more: float) -> datetime:
    """To the second, as TikTok and the sheet tell times."""
    return (moment + timedelta(**more)).replace(microsecond=0)
