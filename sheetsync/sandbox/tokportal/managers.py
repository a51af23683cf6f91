"""What TokPortal's account managers do with ad code requests: by hand, step by step, or by themselves as time passes.

Owns the transitions pending -> accepted -> in_review -> finalized, corrections and cancelling. Does not own the record
of them (portal.py). Source: sources/ad-code-request.txt (statuses); reference/tokportal.md section 2.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sheetsync.sandbox.tokportal.records import AdCodeRequest


class Orders(Protocol):
    """What managers need of TokPortal: its requests, and the ways they change. `version` grows with every change."""

    @property
    def requests(self) -> Sequence[AdCodeRequest]: ...
    @property
    def version(self) -> int: ...
    @property
    def now(self) -> Callable[[], datetime]: ...
    def is_open(self, request: AdCodeRequest) -> bool: ...
    def open_request(self, video_id: str) -> AdCodeRequest | None: ...
    def new_code(self) -> str: ...
    def change(self, request: AdCodeRequest, status: str, at: datetime) -> None: ...
    def submit_code(self, request: AdCodeRequest, code: str, at: datetime) -> None: ...
    def refund(self, request: AdCodeRequest, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Delays:
    """How long a request stays in a status before its manager moves it on."""

    accept: timedelta = timedelta(minutes=10)
    submit: timedelta = timedelta(hours=2)
    deliver: timedelta = timedelta(hours=24)

    def after(self, status: str) -> timedelta | None:
        """The wait in a status; None where no manager moves a request on."""
        match status:
            case "pending":
                return self.accept
            case "accepted" | "pending_corrections":
                return self.submit
            case "in_review":
                return self.deliver
        return None


class Managers:
    """All managers; they see the open requests and nothing else."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.delays: Delays | None = None
        self._next: datetime | None = None
        self._seen = -1

    def accept(self, request: AdCodeRequest, at: datetime) -> None:
        """pending -> accepted. Raises ValueError in any other status."""
        _require(request, "pending")
        self._orders.change(request, "accepted", at)

    def submit(self, request: AdCodeRequest, at: datetime, code: str | None = None) -> None:
        """A code is handed in: the request is in review. Raises ValueError in any other status."""
        _require(request, "pending", "accepted", "pending_corrections")
        self._orders.submit_code(request, code or self._orders.new_code(), at)

    def deliver(self, request: AdCodeRequest, at: datetime) -> None:
        """in_review -> finalized: the code is delivered. Raises ValueError in any other status."""
        _require(request, "in_review")
        request.delivered_at = at
        self._orders.change(request, "finalized", at)

    def cancel(self, request: AdCodeRequest, at: datetime) -> None:
        """An open request is given up, and what it cost is given back. Raises ValueError in any other status."""
        _require(request, "pending", "accepted", "in_review", "pending_corrections")
        self._orders.refund(request, at)

    def step(self, request: AdCodeRequest, at: datetime) -> None:
        """One step forward."""
        match request.status:
            case "pending":
                self.accept(request, at)
            case "accepted" | "pending_corrections":
                self.submit(request, at)
            case "in_review":
                self.deliver(request, at)

    def by_video(self, do: Callable[..., None], video_id: str, *args: Any) -> AdCodeRequest:
        """Do it to the video's open request."""
        request = self._orders.open_request(video_id)
        if request is None:
            raise LookupError(f"there is no open ad code request for {video_id}")
        do(request, self._orders.now(), *args)
        return request

    def work(self) -> int:
        """One step for every open request; says how many moved."""
        orders = self._orders
        moving = [request for request in orders.requests if orders.is_open(request)]
        for request in moving:
            self.step(request, orders.now())
        return len(moving)

    def catch_up(self) -> None:
        """Do what fell due since the last look, each step at its own moment."""
        if self.delays is None:
            return
        # Every call of the API looks here first: the due times are worked out only after something has changed.
        if self._seen != self._orders.version:
            self._plan()
        while self._next is not None and self._next <= self._orders.now():
            due, request = min(self._due(), key=lambda item: item[0])
            self.step(request, due)
            self._plan()

    def _plan(self) -> None:
        self._next = min((due for due, _ in self._due()), default=None)
        self._seen = self._orders.version

    def _due(self) -> list[tuple[datetime, AdCodeRequest]]:
        assert self.delays is not None
        found = []
        for request in self._orders.requests:
            wait = self.delays.after(request.status)
            if wait is not None:
                found.append((request.since + wait, request))
        return found

    def dump(self) -> dict[str, float] | None:
        """The delays in seconds; None where managers wait to be told."""
        delays = self.delays
        if delays is None:
            return None
        return {name: getattr(delays, name).total_seconds() for name in ("accept", "submit", "deliver")}

    def restore(self, saved: Mapping[str, float] | None) -> None:
        """Takes over what `dump` gave."""
        self.delays = None
        if saved is not None:
            self.delays = Delays(**{name: timedelta(seconds=value) for name, value in saved.items()})
        self._seen = -1


def _require(request: AdCodeRequest, *statuses: str) -> None:
    if request.status not in statuses:
        raise ValueError(f"a manager cannot do that to a request that is {request.status}")
