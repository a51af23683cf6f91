"""A bench whose TokPortal answers what TokPortal itself would never: answers are changed on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sheetsync.sandbox.wire import Request, Response
from sheetsync.tokportal.client import TokPortal
from support.bench import Bench
from support.inprocess import HttpxTransport

VIDEO = "vid-a"
ALL = ("vid-a", "vid-b", "vid-c", "vid-d", "vid-e")
Change = Callable[[Request, Response], Response]


class Doctored(Bench):
    """A bench whose TokPortal answers pass through `change`; `bodies` are those of the orders, as they were sent."""

    change: Change | None = None

    def __init__(self, videos: Sequence[str] = (VIDEO,), **settings: Any) -> None:
        super().__init__(videos, **settings)
        self.bodies: list[bytes] = []
        self.keys: list[str] = []

    def portal(self) -> TokPortal:
        def handle(request: Request) -> Response:
            if request.method == "POST":
                self.bodies.append(request.body)
                self.keys.append(request.headers["idempotency-key"])
            answer = self.world.handle(request)
            return self.change(request, answer) if self.change else answer

        return TokPortal(
            self.world.portal.key, "https://app.tokportal.com", self.clock, HttpxTransport(handle, self.clock.sleep)
        )

    def with_code(self, video: str = VIDEO, status: str = "finalized") -> str:
        """An earlier order of this video's, with its code in the row; the request's id."""
        self.mark("request", video)
        self.sync()
        self.world.portal.submit(video)
        if status == "finalized":
            self.world.portal.deliver(video)
        self.later(minutes=2)
        self.sync()
        assert self.cell(video, "status") == status
        self.bodies.clear()
        self.keys.clear()
        return str(self.cell(video, "request_id"))

    def kinds_in_history(self, video: str = VIDEO) -> list[str]:
        return [event.kind for event in self.ledger.history(video, self.tracker.name)]


def body_of(answer: Response, **changes: Any) -> Response:
    """The answer with other values beside `data`; None takes one away."""
    body = json.loads(answer.body)
    for name, value in changes.items():
        if value is None:
            body.pop(name, None)
        else:
            body[name] = value
    return Response(answer.status, answer.headers, json.dumps(body).encode())


def orders(change: Change) -> Change:
    """Change the answers to accepted orders alone."""
    return lambda request, answer: (
        change(request, answer) if request.method == "POST" and answer.status == 201 else answer
    )


def polls(change: Change) -> Change:
    return lambda request, answer: (
        change(request, answer) if request.path.endswith("ad-code-request") and (request.method == "GET") else answer
    )


def blind(request: Request, answer: Response) -> Response:
    """TokPortal's look lags behind: it shows no request yet."""
    return Response(200, answer.headers, b'{"data":null}')
