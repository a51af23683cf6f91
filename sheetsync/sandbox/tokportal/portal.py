"""The local TokPortal's state: videos, ad code requests, keys, credits, and what happens in its dashboard.

Owns the rules of an order and the book of credits. Does not own the records (records.py), HTTP (api.py) or the
managers' work (managers.py). Source: sources/ad-code-request.txt; reference/tokportal.md sections 2, 3, 4 and 8.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sheetsync.sandbox.tokportal.managers import Delays, Managers
from sheetsync.sandbox.tokportal.records import (
    ACCOUNT_ID,
    BUNDLE_ID,
    CLOSED,
    STATUSES,
    Account,
    AdCodeRequest,
    ApiKey,
    Bundle,
    Movement,
    Video,
    dated,
    plain,
)
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.tokportal.switches import Switches

COVERAGE_RENEWAL = 25
DRY_RUN_PREFIX = "00000000-0000-4000-8000-"


class Portal:
    """TokPortal behind its API. `version` grows with every change, so that a caller can tell a read from a write."""

    def __init__(self, now: Callable[[], datetime], seed: int = 0, credits: int = 1247) -> None:
        self.now = now
        self.switches = Switches()
        self.price = 7
        self.tells_price = True
        self.stale_polls: dict[str, int] = {}
        self.ill: set[str] = set()
        self.videos: dict[str, Video] = {}
        self.accounts = {ACCOUNT_ID: Account()}
        self.bundles = {BUNDLE_ID: Bundle()}
        self.requests: list[AdCodeRequest] = []
        self.by_video: dict[str, list[AdCodeRequest]] = {}
        self.by_id: dict[str, AdCodeRequest] = {}
        self.ledger: list[Movement] = []
        self.keys: dict[str, ApiKey] = {}
        self.version = 0
        self._seed = seed
        self._drawn = 0
        self._balance = 0
        self.managers = Managers(self)
        self.key = "sk_" + self.draw("key", 32).hex()
        self.add_key(self.key)
        self._move(credits, "credits bought")

    def draw(self, purpose: str, size: int) -> bytes:
        """Bytes that look random and are the same for the same seed."""
        self._drawn += 1
        return hashlib.blake2b(f"{self._seed}/{purpose}/{self._drawn}".encode(), digest_size=size).digest()

    def new_id(self, purpose: str = "id") -> str:
        """A version-4 UUID."""
        h = self.draw(purpose, 16).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def new_code(self) -> str:
        """A code as TikTok writes them: `#`, then base64, with the `+`, `/` and `=` that a sheet may interpret."""
        text = b64encode(self.draw("code", 47)).decode()
        return f"#{text[:9]}+{text[9:30]}/{text[30:]}"

    def add_video(
        self,
        video_id: str,
        *,
        platform: str = "tiktok",
        finalized: bool = True,
        live_link: bool = True,
        manager: bool = True,
        coverage: bool = True,
        owner: str = "me",
        bundle_id: str = BUNDLE_ID,
        title: str = "",
        finalized_at: str = "",
    ) -> Video:
        """Put a video into TokPortal; the flags decide whether an ad code can be ordered for it."""
        of_bundle = bundle_id, title, finalized_at
        video = Video(video_id, platform, finalized, live_link, manager, coverage, owner, *of_bundle)
        self.videos[video_id] = video
        self.version += 1
        return video

    def add_bundle(self, username: str, title: str, country: str = "US", status: str = "completed") -> Bundle:
        """A bundle of videos, in an account of that name, which is made where there is none."""
        found = (account for account in self.accounts.values() if account.username == username)
        account = next(found, None) or Account(self.new_id("account"), username, country)
        bundle = Bundle(self.new_id("bundle"), account.id, title, status)
        self.accounts[account.id], self.bundles[bundle.id] = account, bundle
        self.version += 1
        return bundle

    def add_key(self, key: str, scope: str = "*", revoked: bool = False) -> ApiKey:
        """A key; scope is `*`, `read`, `write` or `read,write`."""
        self.keys[key] = ApiKey(key, scope, revoked)
        self.version += 1
        return self.keys[key]

    @property
    def credits(self) -> int:
        """The balance."""
        return self._balance

    @credits.setter
    def credits(self, value: int) -> None:
        self._move(value - self._balance, "balance set in the sandbox")

    def spend_elsewhere(self, amount: int) -> None:
        """Someone spends credits in the dashboard."""
        self._move(-amount, "spent in the dashboard")

    def _move(self, amount: int, reason: str, request_id: str | None = None) -> None:
        self._balance += amount
        self.ledger.append(Movement(self.now(), amount, reason, request_id, self._balance))
        self.version += 1

    def balance_at(self, moment: datetime) -> int:
        """The balance after all movements up to that moment."""
        return next((m.balance_after for m in reversed(self.ledger) if m.at <= moment), 0)

    def latest(self, video_id: str) -> AdCodeRequest | None:
        """The latest ad code request of a video, which is the only one the API shows."""
        history = self.by_video.get(video_id)
        return history[-1] if history else None

    def polled(self, video_id: str) -> AdCodeRequest | None:
        """What a poll of a video is told: the latest request, or, from a replica that lags, the one before it."""
        if video_id in self.ill:
            raise Refused(500, "internal", "Internal server error.")
        behind = self.stale_polls.pop(video_id, 0)
        if behind > 1:
            self.stale_polls[video_id] = behind - 1
        history = self.by_video.get(video_id, [])
        at = len(history) - (2 if behind else 1)
        return history[at] if at >= 0 else None

    def is_open(self, request: AdCodeRequest) -> bool:
        """Whether a request stands in the way of another order for its video."""
        # A status that is in no document, put there by set_status, is whatever the switch says.
        if request.status in STATUSES:
            return request.status not in CLOSED
        return self.switches.future_status == "open"

    def open_request(self, video_id: str) -> AdCodeRequest | None:
        """The newest open request of a video."""
        return next((r for r in reversed(self.by_video.get(video_id, ())) if self.is_open(r)), None)

    def visible_video(self, video_id: str) -> Video:
        """The caller's video, or the refusal that a foreign or unknown one gets."""
        video = self.videos.get(video_id)
        if video is None:
            raise Refused(404, "unknown_video", "Video not found.")
        if video.owner == "me":
            return video
        if self.switches.foreign_video == 404:
            raise Refused(404, "unknown_video", "Video not found.")
        raise Refused(403, "foreign_video", "This video belongs to another workspace.")

    def check_order(self, video_id: str, platform: str | None) -> Video:
        """The prerequisites of an order, in the order of the API page; raises Refused at the first that is not met."""
        video = self.visible_video(video_id)
        switches = self.switches
        # The order of the checks is the order in which the API page lists the prerequisites (ad-code-request.txt).
        served = ("tiktok", "instagram") if switches.instagram == "served" else ("tiktok",)
        wanted = platform or video.platform
        if wanted not in served or wanted != video.platform:
            raise Refused(400, "platform", f"Ad codes are not available for {wanted} on this video.")
        if not video.finalized:
            raise Refused(switches.not_finalized, "not_finalized", "The video must be finalized.")
        if not video.live_link:
            raise Refused(switches.no_live_link, "no_live_link", "The video has no live post link.")
        if not video.manager:
            raise Refused(switches.no_manager, "no_manager", "No account manager is assigned.")
        if not video.coverage:
            raise Refused(switches.coverage_block, "coverage_block", "TokPortal Coverage is not active.")
        self._check_earlier(video_id)
        self._check_credits()
        return video

    def _check_earlier(self, video_id: str) -> None:
        earlier = self.open_request(video_id)
        if earlier is not None:
            details = {"ad_code_request_id": earlier.id, "current_status": earlier.status}
            raise Refused(
                self.switches.open_request, "open_request", "An ad code request is already in progress.", details
            )
        last = self.latest(video_id)
        if last is not None and last.status == "finalized" and self.switches.post_after_finalized == 409:
            raise Refused(409, "already_finalized", "An ad code was already delivered for this video.")

    def _check_credits(self) -> None:
        if self._balance < self.price:
            details = {
                "required": self.price,
                "available": self._balance,
                "missing": self.price - self._balance,
                "breakdown": {"ad_code_request": self.price},
            }
            raise Refused(402, "credits", "Insufficient credits.", details)

    def order(
        self,
        video_id: str,
        *,
        note: str | None = None,
        platform: str | None = None,
        key: str | None = None,
        by: str = "api",
    ) -> AdCodeRequest:
        """Create a request and take the credits, both or neither."""
        video = self.check_order(video_id, platform)
        now = self.now()
        request = AdCodeRequest(
            self.new_id(), video_id, video.platform, note, now, now, self.price, idempotency_key=key, ordered_by=by
        )
        self.enter(request)
        self._move(-self.price, "ad code request", request.id)
        # A due Coverage period may renew by itself just before an order: tokportal.md section 2.4, question Q6.
        if self.switches.hidden_debit == "yes":
            self._move(-COVERAGE_RENEWAL, "coverage renewal", request.id)
        return request

    def enter(self, request: AdCodeRequest) -> None:
        """Add a request to the record."""
        self.requests.append(request)
        self.by_video.setdefault(request.video_id, []).append(request)
        self.by_id[request.id] = request

    def order_elsewhere(self, video_id: str, note: str | None = None) -> AdCodeRequest:
        """Someone orders in the dashboard, under the same rules."""
        return self.order(video_id, note=note, by="dashboard")

    def change(self, request: AdCodeRequest, status: str, at: datetime) -> None:
        """The request enters a status."""
        request.status = status
        request.since = at
        self.version += 1

    def submit_code(self, request: AdCodeRequest, code: str, at: datetime) -> None:
        """The manager hands in a code, the first or a new one after a correction."""
        if request.submitted_at is None or self.switches.resubmit_renews_submitted_at == "yes":
            request.submitted_at = at
        request.code = code
        request.codes.append(code)
        self.change(request, "in_review", at)

    def reopen(self, request: AdCodeRequest, feedback: str) -> None:
        """A correction: the task goes back to the manager. Raises Refused where its status does not allow it."""
        # The documents call finalized terminal and let a delivered code be corrected all the same: tokportal.md 2.6.
        allowed = ("in_review", "finalized") if self.switches.patch_finalized == 200 else ("in_review",)
        other = self.open_request(request.video_id)
        if request.status not in allowed or other not in (None, request):
            details = {"current_status": request.status, "allowed_statuses": list(allowed)}
            raise Refused(409, "correction_status", "The request cannot be corrected in its status.", details)
        request.feedback.append(feedback)
        if self.switches.corrections_keep_code == "no":
            request.code = None
        if self.switches.reopen_clears_delivered_at == "yes":
            request.delivered_at = None
        self.change(request, "pending_corrections", self.now())

    def refund(self, request: AdCodeRequest, at: datetime) -> None:
        """A cancelled request gives back what it cost, once."""
        request.code = None
        self.change(request, "cancelled", at)
        owed = request.charged - request.refunded
        request.refunded += owed
        if owed:
            self._move(owed, "ad code request refunded", request.id)

    def accept(self, video_id: str) -> AdCodeRequest:
        """The manager takes the video's open request on. Raises LookupError where there is none."""
        return self.managers.by_video(self.managers.accept, video_id)

    def submit(self, video_id: str, code: str | None = None) -> AdCodeRequest:
        """The manager hands in a code for the video's open request, or a drawn one."""
        return self.managers.by_video(self.managers.submit, video_id, code)

    def deliver(self, video_id: str) -> AdCodeRequest:
        """The code of the video's open request is approved."""
        return self.managers.by_video(self.managers.deliver, video_id)

    def cancel(self, video_id: str) -> AdCodeRequest:
        """The video's open request is cancelled and refunded."""
        return self.managers.by_video(self.managers.cancel, video_id)

    def manager_work(self) -> int:
        """One step forward for every open request; says how many moved."""
        return self.managers.work()

    def auto_managers(self, delays: Delays | None) -> None:
        """From now on managers act by themselves as the sandbox's time passes; None: they no longer do."""
        self.managers.delays = delays
        self.version += 1

    def set_status(self, video_id: str, status: str) -> AdCodeRequest:
        """Put the latest request into any status, also one that is not in today's documents."""
        request = self.latest(video_id)
        if request is None:
            raise LookupError(f"there is no ad code request for {video_id}")
        self.change(request, status, self.now())
        return request

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "seed": self._seed,
            "drawn": self._drawn,
            "price": self.price,
            "tells_price": self.tells_price,
            "stale_polls": self.stale_polls,
            "ill": sorted(self.ill),
            "key": self.key,
            "switches": self.switches.dump(),
            "keys": [asdict(key) for key in self.keys.values()],
            "videos": [asdict(video) for video in self.videos.values()],
            "accounts": [asdict(account) for account in self.accounts.values()],
            "bundles": [asdict(bundle) for bundle in self.bundles.values()],
            "requests": [plain(request) for request in self.requests],
            "ledger": [plain(movement) for movement in self.ledger],
            "managers": self.managers.dump(),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self._seed, self._drawn = saved["seed"], saved["drawn"]
        self.price, self.key = saved["price"], saved["key"]
        self.tells_price, self.stale_polls = saved.get("tells_price", True), dict(saved.get("stale_polls", {}))
        self.ill = set(saved.get("ill", ()))
        self.switches.set(saved["switches"])
        self.keys = {item["key"]: ApiKey(**item) for item in saved["keys"]}
        self.videos = {item["id"]: Video(**item) for item in saved["videos"]}
        self.accounts |= {item["id"]: Account(**item) for item in saved.get("accounts", ())}
        self.bundles |= {item["id"]: Bundle(**item) for item in saved.get("bundles", ())}
        self.requests, self.by_video, self.by_id = [], {}, {}
        for item in saved["requests"]:
            self.enter(AdCodeRequest(**dated(item)))
        self.ledger = [Movement(**dated(item)) for item in saved["ledger"]]
        self._balance = sum(movement.amount for movement in self.ledger)
        self.managers.restore(saved["managers"])
        self.version += 1
