"""What TokPortal's account managers do with ad code requests: by hand, step by step, or by themselves as time passes.

Owns the transitions pending -> accepted -> in_review -> finalized, corrections and cancelling. Does not own the record
of them (portal.py). Source: sources/ad-code-request.txt (statuses); reference/tokportal.md section 2.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sheetsync.sandbox.tokportal.portal import AdCodeRequest, Portal


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a request stays in a status before its manager moves it on."""

    accept: timedelta = timedelta(minutes=10)
    submit: timedelta = timedelta(hours=2)
    deliver: timedelta = timedelta(hours=24)

    def after(self, status: str) -> timedelta | None:
        if status == "pending":
            return self.accept
        if status in ("accepted", "pending_corrections"):
            return self.submit
        return self.deliver if status == "in_review" else None


class Managers:
    """All managers; they see the open requests and nothing else."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self.delays: Delays | None = None
        self._next: datetime | None = None
        self._seen = -1

    def accept(self, request: AdCodeRequest, at: datetime) -> None:
        _require(request, "pending")
        self._portal.change(request, "accepted", at)

    def submit(self, request: AdCodeRequest, at: datetime, code: str | None = None) -> None:
        _require(request, "pending", "accepted", "pending_corrections")
        self._portal.submit_code(request, code or self._portal.new_code(), at)

    def deliver(self, request: AdCodeRequest, at: datetime) -> None:
        _require(request, "in_review")
        request.delivered_at = at
        self._portal.change(request, "finalized", at)

    def cancel(self, request: AdCodeRequest, at: datetime) -> None:
        _require(request, "pending", "accepted", "in_review", "pending_corrections")
        self._portal.refund(request, at)

    def step(self, request: AdCodeRequest, at: datetime) -> None:
        """One step forward."""
        if request.status == "pending":
            self.accept(request, at)
        elif request.status in ("accepted", "pending_corrections"):
            self.submit(request, at)
        elif request.status == "in_review":
            self.deliver(request, at)

    def by_video(self, do: Callable[..., None], video_id: str, *args: Any) -> AdCodeRequest:
        """Do it to the video's open request."""
        request = self._portal.open_request(video_id)
        if request is None:
            raise LookupError(f"there is no open ad code request for {video_id}")
        do(request, self._portal.now(), *args)
        return request

    def work(self) -> int:
        """One step for every open request; says how many moved."""
        portal = self._portal
        moving = [request for request in portal.requests if portal.is_open(request)]
        for request in moving:
            self.step(request, portal.now())
        return len(moving)

    def catch_up(self) -> None:
        """Do what fell due since the last look, each step at its own moment."""
        if self.delays is None:
            return
        if self._seen != self._portal.version:
            self._plan()
        while self._next is not None and self._next <= self._portal.now():
            due, request = min(self._due(), key=lambda item: item[0])
            self.step(request, due)
            self._plan()

    def _plan(self) -> None:
        self._next = min((due for due, _ in self._due()), default=None)
        self._seen = self._portal.version

    def _due(self) -> list[tuple[datetime, AdCodeRequest]]:
        assert self.delays is not None
        found = []
        for request in self._portal.requests:
            wait = self.delays.after(request.status)
            if wait is not None:
                found.append((request.since + wait, request))
        return found

    def dump(self) -> dict[str, float] | None:
        delays = self.delays
        if delays is None:
            return None
        return {name: getattr(delays, name).total_seconds() for name in ("accept", "submit", "deliver")}

    def restore(self, saved: Mapping[str, float] | None) -> None:
        self.delays = None
        if saved is not None:
            self.delays = Delays(**{name: timedelta(seconds=value) for name, value in saved.items()})
        self._seen = -1


def _require(request: AdCodeRequest, *statuses: str) -> None:
    if request.status not in statuses:
        raise ValueError(f"a manager cannot do that to a request that is {request.status}")
