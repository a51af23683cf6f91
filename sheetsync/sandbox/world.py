"""The sandbox as a whole: one clock, a Google, a TokPortal, a TikTok, their faults, the log of calls, and its file.

Owns dispatch and persistence; here the parts, which do not know each other, are put together. Does not own what
a service does, nor sockets (server.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sheetsync.sandbox import control
from sheetsync.sandbox.clock import Clock
from sheetsync.sandbox.faults import Edit, Fault, Faults, Ongoing, Outcome, When
from sheetsync.sandbox.google.blocks import Blocks
from sheetsync.sandbox.google.calls import WRITE_KINDS
from sheetsync.sandbox.google.service import Google
from sheetsync.sandbox.page.editing import Hand
from sheetsync.sandbox.tiktok.api import TikTokApi
from sheetsync.sandbox.tiktok.records import TikTok
from sheetsync.sandbox.tokportal.api import PortalApi
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.wire import Request, Response, json_response

_KEPT = WRITE_KINDS | {"google.token", "portal.order", "portal.correct"}  # a refusal, too, may leave something behind
Hook = Callable[[str, int, str, Request], None]


@dataclass(slots=True)
class Call:
    """One call as the services saw it; status 0: the peer got no answer."""

    index: int
    at: datetime
    kind: str
    method: str
    path: str
    status: int
    body_in: bytes
    body_out: bytes
    effect: bool


@dataclass(frozen=True, slots=True)
class Delayed:
    """A call whose client has given up and which takes effect later."""

    due: datetime
    request: Request


class World:
    """Everything a client of the services can reach."""

    def __init__(
        self,
        *,
        start: datetime | None = None,
        path: Path | None = None,
        real_time: bool = False,
        seed: int = 0,
        record_bodies: bool = True,
    ) -> None:
        self.clock = Clock(start, real_time=real_time)
        self.path = path
        self.google = Google(self.clock.now, seed)
        self.portal = Portal(self.clock.now, seed)
        self.portal_api = PortalApi(self.portal)
        self.tiktok = TikTok(self.clock.now)
        self.tiktok_api = TikTokApi(self.tiktok)
        self.faults: Faults[World] = Faults()
        self.hand = Hand()
        self.calls: list[Call] = []
        self.hooks: list[Hook] = []
        self.delayed: list[Delayed] = []
        self.record_bodies = record_bodies
        self.clock.on_change = self._time_moved
        self._saved: tuple[int, ...] = ()
        self._blocks = None if path is None else Blocks(path.with_name(path.name + ".rows"))

    def handle(self, request: Request) -> Response:
        """Answer one call, or raise what the peer sees instead: ConnectionLost or TimedOut."""
        kind = self.kind(request)
        if not kind:
            return control.answer(self, request)
        self.settle()
        for hook in self.hooks:
            hook("before", len(self.calls), kind, request)
        return self._handle_with(self.faults.take(kind), kind, request)

    def kind(self, request: Request) -> str:
        """The kind of a call; empty for the page and the control endpoints."""
        if request.path.startswith("/open_api/"):
            return self.tiktok_api.kind(request)
        return self.portal_api.kind(request) if request.path.startswith("/api/") else self.google.kind(request)

    def _handle_with(self, striking: list[Fault | Edit[World]], kind: str, request: Request) -> Response:
        """A call at which something may happen: edits before, the fault (the first one wins), edits after."""
        self._edit(striking, "before")
        fault = next((event for event in striking if isinstance(event, Fault)), None)
        serve = partial(self._serve, kind, request)
        if fault is None:
            outcome = Outcome(*serve())
        else:
            sides = self.portal_api, self.tiktok_api
            outcome = fault.strike(Ongoing(kind, request, *sides, serve, partial(self._delay, request)))
        if outcome.arrived:
            self._edit(striking, "after")
        self._end(kind, request, outcome.response, outcome.effect)
        if outcome.response is None:
            assert outcome.failure is not None, "a call without an answer says what its peer meets"
            raise outcome.failure
        return outcome.response

    def resume(self, request: Request) -> Response:
        """Handle a call that the fault `slow` held up, once its time has come: no further fault, no hooks before."""
        kind = self.kind(request)
        response, effect = self._serve(kind, request)
        self._end(kind, request, response, effect)
        return response

    def _edit(self, striking: list[Fault | Edit[World]], when: When) -> None:
        for event in striking:
            if isinstance(event, Edit) and event.when == when:
                event.do(self)

    def _serve(self, kind: str, request: Request) -> tuple[Response, bool]:
        """The answer of the service, and whether anything changed."""
        if kind.startswith("portal."):
            before = self.portal.version
            response = self.portal_api.handle(request)
            return response, self.portal.version != before
        if kind.startswith("tiktok."):
            self.creators_authorize()
            return self.tiktok_api.handle(request), False
        answered = self.google.handle(request)
        if answered is None:
            return json_response({"error": {"code": 404, "message": "Not found."}}, 404), False
        return answered, kind in WRITE_KINDS and answered.status < 300

    def _end(self, kind: str, request: Request, response: Response | None, effect: bool) -> None:
        """Record, save, and let hooks raise: in this order, so that a client's crash never undoes an effect."""
        calls = self.calls
        status, out = (0, b"") if response is None else (response.status, response.body)
        body_in, body_out = (request.body, out) if self.record_bodies else (b"", b"")
        calls.append(
            Call(len(calls), self.clock.now(), kind, request.method, request.path, status, body_in, body_out, effect)
        )
        if self.path is not None and (kind in _KEPT or self._version() != self._saved):
            self.save()
        for hook in self.hooks:
            hook("after", len(calls) - 1, kind, request)

    def creators_authorize(self) -> None:
        """Each code that a manager submitted is one that a creator has made, so TikTok knows it."""
        for request in self.portal.requests:
            if request.code and request.platform == "tiktok" and request.code not in self.tiktok.posts:
                self.tiktok.authorize(request.code, request.submitted_at)

    def settle(self) -> None:
        """Let happen what has fallen due by now."""
        if self.delayed:
            self._run_delayed()
        self.portal.managers.catch_up()

    def _time_moved(self) -> None:
        self.settle()
        self.changed()

    def _delay(self, request: Request, seconds: float) -> None:
        self.delayed.append(Delayed(self.clock.now() + timedelta(seconds=seconds), request))
        self.portal_api.starts(request)

    def _run_delayed(self) -> None:
        now = self.clock.now()
        due = [call for call in self.delayed if call.due <= now]
        self.delayed = [call for call in self.delayed if call.due > now]
        for call in due:
            self.portal_api.ends(call.request)
            self._serve(self.kind(call.request), call.request)

    def changed(self) -> None:
        """To be called after a change that is not a call: the file, if there is one, is written."""
        if self.path is not None:
            self.save()

    def save(self) -> None:
        """Write the world to its file, whole or not at all."""
        if self.path is None or self._blocks is None:
            raise ValueError("this world has no file")
        state = {
            "version": 1,
            "clock": self.clock.dump(),
            "google": self.google.dump(self._blocks),
            "portal": self.portal.dump(),
            "portal_api": self.portal_api.dump(),
            "tiktok": self.tiktok.dump(),
            "faults": self.faults.dump(),
            "delayed": [_plain_delayed(call) for call in self.delayed],
        }
        # Put in place in one step: a kill in the middle of writing leaves the old file.
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(json.dumps(state, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        os.replace(draft, self.path)
        self._blocks.saved()
        self._saved = self._version()

    def _version(self) -> tuple[int, ...]:
        """Changes whenever time, people or faults changed something that a read would not."""
        return self.portal.version, self.tiktok.version, self.faults.struck, len(self.delayed)

    @classmethod
    def load(cls, path: Path) -> World:
        """A world as it was saved; the log of calls starts empty."""
        state = json.loads(path.read_text(encoding="utf-8"))
        world = cls(path=path)
        world.clock.restore(state["clock"])
        world.google.restore(state["google"], world._blocks)
        world.portal.restore(state["portal"])
        world.portal_api.restore(state["portal_api"])
        if "tiktok" in state:  # not in the file of an earlier version
            world.tiktok.restore(state["tiktok"])
        world.faults.restore(state["faults"])
        world.delayed = [_delayed(item) for item in state["delayed"]]
        return world


def _plain_delayed(call: Delayed) -> dict[str, Any]:
    request = call.request
    return {
        "due": call.due.isoformat(),
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": request.body.decode(),
    }


def _delayed(item: dict[str, Any]) -> Delayed:
    query = tuple((name, value) for name, value in item["query"])
    request = Request(item["method"], item["path"], query, item["headers"], item["body"].encode())
    return Delayed(datetime.fromisoformat(item["due"]), request)
