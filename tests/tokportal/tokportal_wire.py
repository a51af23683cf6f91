"""TokPortal at the wire, as its client's tests see it: a list of answers, a still clock, and the four calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import httpx

from sheetsync.clock import Clock
from sheetsync.tokportal.client import TokPortal

KEY = "sk_" + "5ec7e7" * 10
CODE = "#TTSpark_AbC123XyZ"
URL = "https://tokportal.test"
VIDEO = "6f1c2a5e-0000-4000-8000-00000000abcd"
NOW = datetime(2026, 6, 16, 10, 22, tzinfo=UTC)
DATA = {
    "ad_code_request_id": "req-1",
    "video_id": VIDEO,
    "status": "pending",
    "platform": "tiktok",
    "code": None,
    "note": "Q3",
    "created_at": "2026-06-16T10:22:00Z",
}
ORDERED = {"data": DATA, "credits_charged": 7, "credits_remaining": 1240}


class StillClock(Clock):
    """Time that moves only when somebody sleeps; remembers for how long."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.naps: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.elapsed += seconds


class App:
    """TokPortal as a list of answers: one for each request, the last one for all that follow."""

    def __init__(self, *given_answers: httpx.Response | Exception) -> None:
        self.answers = list(given_answers)
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def portal(app: Callable[[httpx.Request], httpx.Response], clock: Clock | None = None) -> TokPortal:
    return TokPortal(KEY, URL, clock or StillClock(), httpx.MockTransport(app))


def ok(payload: object, status: int = 200, **headers: str) -> httpx.Response:
    content = json.dumps(payload).encode()
    return httpx.Response(status, content=content, headers={name.replace("_", "-"): v for name, v in headers.items()})


def no(status: int, code: str = "SOME_CODE", message: str = "Some words.", **headers: str) -> httpx.Response:
    return ok({"error": {"code": code, "message": message}}, status, **headers)


def order(client: TokPortal, body: str = "{}") -> Any:
    return client.order(VIDEO, body, "key-1", inf)


CALLS: dict[str, Callable[[TokPortal], object]] = {
    "balance": lambda client: client.balance(),
    "latest": lambda client: client.latest(VIDEO),
    "order": order,
    "correct": lambda client: client.correct("req-1", "does not work"),
}
READS = ("balance", "latest")
CHANGES = ("order", "correct")
