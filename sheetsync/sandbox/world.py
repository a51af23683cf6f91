"""The sandbox as a whole: one clock, a Google, a TokPortal, their faults, the log of calls, and one file to keep it in.

Owns time, dispatch and persistence. Does not own what either service does, nor sockets (server.py).
This is the only file of the sandbox that reads the real clock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from sheetsync.sandbox import control, faults
from sheetsync.sandbox.faults import Faults, Rule, Slow
from sheetsync.sandbox.google.service import Google
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.routes import PortalApi
from sheetsync.sandbox.wire import ConnectionLost, Request, Response, TimedOut, json_response

START = datetime(2026, 6, 16, 10, 22, tzinfo=UTC)
_WRITES = frozenset(
    ["sheets.batchUpdate", "values.update", "values.batchUpdate", "values.append", "values.clear", "values.batchClear"]
)
_KEPT = _WRITES | {"google.token", "portal.order", "portal.correct"}  # a refusal, too, may leave something behind
Hook = Callable[[str, int, str, Request], None]


class Clock:
    """The sandbox's time: stands still until it is moved, or is real time plus an offset."""

    def __init__(self, start: datetime | None = None, *, real_time: bool = False) -> None:
        self.real_time = real_time
        self.on_change: Callable[[], None] | None = None
        self._still = START
        self._offset = timedelta()
        if start is not None or not real_time:
            self._put(start or START)

    def now(self) -> datetime:
        return _real_now() + self._offset if self.real_time else self._still

    def advance(self, step: timedelta) -> None:
        self.set(self.now() + step)

    def set(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("the clock needs a time zone")
        self._put(moment)
        if self.on_change is not None:
            self.on_change()

    def _put(self, moment: datetime) -> None:
        self._still = moment.astimezone(UTC)
        if self.real_time:
            self._offset = self._still - _real_now()

    def dump(self) -> dict[str, Any]:
        return {"still": self._still.isoformat(), "offset": self._offset.total_seconds(), "real_time": self.real_time}

    def restore(self, saved: dict[str, Any]) -> None:
        self.real_time = saved["real_time"]
        self._still = datetime.fromisoformat(saved["still"])
        self._offset = timedelta(seconds=saved["offset"])


def _real_now() -> datetime:
    return datetime.now(UTC)


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
    """Everything a client of both services can reach."""

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
        self.faults = Faults()
        self.calls: list[Call] = []
        self.hooks: list[Hook] = []
        self.delayed: list[Delayed] = []
        self.record_bodies = record_bodies
        self.clock.on_change = self._time_moved
        self._saved: tuple[int, ...] = ()

    def handle(self, request: Request) -> Response:
        """Answer one call, or raise what the peer sees instead: ConnectionLost or TimedOut."""
        kind = self.kind(request)
        if not kind:
            return control.answer(self, request)
        self.settle()
        for hook in self.hooks:
            hook("before", len(self.calls), kind, request)
        if not self.faults.rules:
            response, effect = self._serve(kind, request)
            self._end(kind, request, response, effect)
            return response
        return self._handle_with(self.faults.take(kind), kind, request)

    def kind(self, request: Request) -> str:
        """The kind of a call; empty for the page and the control endpoints."""
        if request.path.startswith("/api/"):
            return self.portal_api.kind(request)
        return self.google.kind(request) if request.path.startswith(("/v4/", "/drive/", "/token")) else ""

    def _handle_with(self, striking: list[Rule], kind: str, request: Request) -> Response:
        """A call at which something happens: edits before, the fault (the first one wins), edits after."""
        self._edit(striking, "before")
        rule = next((rule for rule in striking if rule.fault), None)
        fault = rule.fault if rule else ""
        seconds = rule.seconds if rule else 0.0
        if fault in ("slow", "late", "lost_before"):
            self._lose_before(fault, seconds, kind, request)
        if fault in faults.ANSWERS:
            response, effect = faults.answer(fault, kind, request, self.portal_api), False
        else:
            response, effect = self._serve(kind, request)
        self._edit(striking, "after")
        if fault in ("slow_after", "lost_after"):
            self._end(kind, request, None, effect)
            raise Slow(seconds, response) if fault == "slow_after" else ConnectionLost(kind)
        if fault == "garbled":
            response = faults.garbled(response)
        self._end(kind, request, response, effect)
        return response

    def resume(self, request: Request) -> Response:
        """Handle a call that the fault `slow` held up, once its time has come: no further fault, no hooks before."""
        kind = self.kind(request)
        response, effect = self._serve(kind, request)
        self._end(kind, request, response, effect)
        return response

    def _lose_before(self, fault: str, seconds: float, kind: str, request: Request) -> NoReturn:
        if fault == "late":
            self._delay(request, seconds)
        self._end(kind, request, None, False)
        if fault == "lost_before":
            raise ConnectionLost(kind)
        raise Slow(seconds) if fault == "slow" else TimedOut(kind)

    def _edit(self, striking: list[Rule], when: str) -> None:
        for rule in striking:
            if rule.edit is not None and rule.when == when:
                rule.edit(self)

    def _serve(self, kind: str, request: Request) -> tuple[Response, bool]:
        """The answer of the service, and whether anything changed."""
        if kind.startswith("portal."):
            before = self.portal.version
            response = self.portal_api.handle(request)
            return response, self.portal.version != before
        answered = self.google.handle(request)
        if answered is None:
            return json_response({"error": {"code": 404, "message": "Not found."}}, 404), False
        return answered, kind in _WRITES and answered.status < 300

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

    # Time

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
            side = self.portal_api if call.request.path.startswith("/api/") else self.google
            side.handle(call.request)

    # Persistence

    def changed(self) -> None:
        """To be called after a change that is not a call: the file, if there is one, is written."""
        if self.path is not None:
            self.save()

    def save(self) -> None:
        """Write the world to its file, whole or not at all."""
        if self.path is None:
            raise ValueError("this world has no file")
        state = {
            "version": 1,
            "clock": self.clock.dump(),
            "google": self.google.dump(),
            "portal": self.portal.dump(),
            "portal_api": self.portal_api.dump(),
            "faults": self.faults.dump(),
            "delayed": [_plain_delayed(call) for call in self.delayed],
        }
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(json.dumps(state, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        os.replace(draft, self.path)
        self._saved = self._version()

    def _version(self) -> tuple[int, ...]:
        """Changes whenever time, people or faults changed something that a read would not."""
        return self.portal.version, self.faults.struck, len(self.delayed)

    @classmethod
    def load(cls, path: Path) -> World:
        """A world as it was saved; the log of calls starts empty."""
        state = json.loads(path.read_text(encoding="utf-8"))
        world = cls(path=path)
        world.clock.restore(state["clock"])
        world.google.restore(state["google"])
        world.portal.restore(state["portal"])
        world.portal_api.restore(state["portal_api"])
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
