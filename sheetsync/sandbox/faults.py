"""Faults of the network and of the services, and people's edits, each at the n-th call of a kind.

Owns when something goes wrong, and what each kind of fault does to the call and lets the peer see. Does not own the
calls themselves (world.py). Source: reference/tokportal.md section 6.1 (429); Google's bodies come from errors.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from sheetsync.sandbox.google import errors as google_errors
from sheetsync.sandbox.google.calls import READ_KINDS
from sheetsync.sandbox.google.errors import ApiError
from sheetsync.sandbox.tiktok import api as tiktok
from sheetsync.sandbox.tokportal.api import PortalApi
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.wire import ConnectionLost, Drips, Request, Response, Slow, TimedOut, json_response

World = TypeVar("World")
When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Ongoing:
    """A call at which something goes wrong, and what a fault may do with it.

    `serve` lets it happen: the answer, and whether anything changed. `delay` lets it happen in so many seconds.
    """

    kind: str
    request: Request
    portal_api: PortalApi
    tiktok_api: tiktok.TikTokApi
    serve: Callable[[], tuple[Response, bool]]
    delay: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ends: the answer, or what the peer meets in place of one; and whether anything changed by then."""

    response: Response | None
    effect: bool
    failure: Exception | None = None
    arrived: bool = True
    """Whether the service saw the call by now: people's edits after a call need a call."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong at a call; each kind of fault is a type. `seconds` matters to those that take time."""

    name: str
    seconds: float = 1.0

    def strike(self, call: Ongoing) -> Outcome:
        """What becomes of the call."""
        raise NotImplementedError


class ErrorAnswer(Fault):
    """The service answers with an error in its own words: no effect. The name is the status."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        error = _ERRORS[self.name]
        if call.kind.startswith("portal."):
            return Outcome(call.portal_api.refusal(call.request, error.portal(call.portal_api)), False)
        if call.kind.startswith("tiktok."):
            return Outcome(call.tiktok_api.answer(*error.tiktok), False)
        if call.kind == "google.token":
            return Outcome(json_response(*error.token), False)
        return Outcome(error.google(call.kind).response(), False)


class HtmlAnswer(Fault):
    """Something before the service answers with a page: no effect."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        return Outcome(Response(502, {"content-type": "text/html; charset=UTF-8"}, _HTML_502), False)


class SlowRequest(Fault):
    """The peer waits; where it is still there after `seconds`, the call happens and is answered."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        return Outcome(None, False, Slow(self.seconds), arrived=False)


class SlowAnswer(Fault):
    """The call happens at once; its answer is given after `seconds`."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        response, effect = call.serve()
        return Outcome(None, effect, Slow(self.seconds, response))


class SilentAnswer(Fault):
    """The call happens at once; the connection stays open, and nothing ever comes of it."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        return Outcome(None, call.serve()[1], Slow(math.inf))


class DrippingAnswer(Fault):
    """The call happens at once; its answer comes a byte at a time, one every `seconds`."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        response, effect = call.serve()
        return Outcome(None, effect, Drips(self.seconds, response))


class LateEffect(Fault):
    """The peer gives up, and the call happens all the same, `seconds` later on the sandbox's clock."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        call.delay(self.seconds)
        return Outcome(None, False, TimedOut(call.kind), arrived=False)


class GarbledAnswer(Fault):
    """The call happens; half of its answer arrives, with the headers of a whole one."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        whole, effect = call.serve()
        headers = {name: value for name, value in whole.headers.items() if name != "content-length"}
        return Outcome(Response(whole.status, headers, whole.body[: len(whole.body) // 2]), effect)


class LostRequest(Fault):
    """The connection breaks before the service has seen the call."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        return Outcome(None, False, ConnectionLost(call.kind), arrived=False)


class LostAnswer(Fault):
    """The call happens, and the connection breaks before its answer arrives."""

    __slots__ = ()

    def strike(self, call: Ongoing) -> Outcome:
        _, effect = call.serve()
        return Outcome(None, effect, ConnectionLost(call.kind))


# The names by which tests, the control endpoint and the sandbox's file know the faults: the only place they are read.
_BY_NAME: Mapping[str, type[Fault]] = {
    "429": ErrorAnswer,
    "500": ErrorAnswer,
    "503": ErrorAnswer,
    "html502": HtmlAnswer,
    "401": ErrorAnswer,
    "403": ErrorAnswer,
    "slow": SlowRequest,
    "slow_after": SlowAnswer,
    "late": LateEffect,
    "garbled": GarbledAnswer,
    "lost_before": LostRequest,
    "lost_after": LostAnswer,
    "silent": SilentAnswer,
    "drip": DrippingAnswer,
}
FAULTS = tuple(_BY_NAME)
ANSWERS = tuple(name for name, kind in _BY_NAME.items() if kind in (ErrorAnswer, HtmlAnswer))
"""Faults that answer instead of the service: no effect."""


def fault_named(name: str, seconds: float = 1.0) -> Fault:
    """The fault of a name. Raises ValueError where there is none."""
    if name not in _BY_NAME:
        raise ValueError(f"there is no fault {name!r}; faults: {', '.join(FAULTS)}")
    return _BY_NAME[name](name, seconds)


@dataclass(frozen=True, slots=True)
class Edit(Generic[World]):
    """A person's edit, just before or just after a call."""

    do: Callable[[World], object]
    when: When


@dataclass(slots=True)
class Rule(Generic[World]):
    """Something that happens at the n-th call of a kind, and for `times` calls from there on."""

    kind: str
    event: Fault | Edit[World]
    nth: int = 1
    times: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        if self.nth < 1 or self.times < 1:
            raise ValueError("nth and times are at least 1")

    def matches(self, kind: str) -> bool:
        """Whether it looks at calls of this kind."""
        return self.kind in ("*", kind) or kind.startswith(self.kind + ".")


class Faults(Generic[World]):
    """What will go wrong. Rules are counted independently of each other, from the moment they are added."""

    def __init__(self) -> None:
        self.rules: list[Rule[World]] = []
        self.struck = 0

    def add(self, kind: str, nth: int = 1, fault: str = "500", times: int = 1, seconds: float = 1.0) -> Rule[World]:
        """A fault by its name; `kind` may be a prefix (`portal`, `sheets`, `values`) or `*`. Raises ValueError."""
        self.rules.append(Rule(kind, fault_named(fault, seconds), nth, times))
        return self.rules[-1]

    def edit(
        self,
        kind: str,
        nth: int = 1,
        when: When = "before",
        do: Callable[[World], object] | None = None,
        times: int = 1,
    ) -> Rule[World]:
        """A person's edit just before or just after the call takes effect. Raises ValueError."""
        if do is None or when not in ("before", "after"):
            raise ValueError("an edit needs something to do, and `when` is before or after")
        self.rules.append(Rule(kind, Edit(do, when), nth, times))
        return self.rules[-1]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.rules.clear()

    def take(self, kind: str) -> list[Fault | Edit[World]]:
        """What happens at this call; counts the call."""
        striking = []
        for rule in self.rules:
            if rule.matches(kind):
                rule.seen += 1
                if rule.nth <= rule.seen < rule.nth + rule.times:
                    striking.append(rule.event)
        if striking:
            self.struck += 1
            self.rules = [rule for rule in self.rules if rule.seen < rule.nth + rule.times - 1]
        return striking

    def dump(self) -> list[dict[str, Any]]:
        """The faults as JSON. An edit is a function and cannot be kept."""
        return [
            {
                "kind": rule.kind,
                "nth": rule.nth,
                "times": rule.times,
                "fault": rule.event.name,
                "seconds": rule.event.seconds,
                "seen": rule.seen,
            }
            for rule in self.rules
            if isinstance(rule.event, Fault)
        ]

    def waiting(self) -> list[str]:
        """What is still to come, in words."""
        return [
            f"{rule.event.name if isinstance(rule.event, Fault) else 'people edit'} at "
            f"{rule.kind.replace('*', 'any call')}, {rule.nth + rule.times - 1 - rule.seen} more"
            for rule in self.rules
        ]

    def restore(self, saved: list[Mapping[str, Any]]) -> None:
        """Takes over what `dump` gave."""
        self.rules = [
            Rule(held["kind"], fault_named(held["fault"], held["seconds"]), held["nth"], held["times"], held["seen"])
            for held in saved
        ]


class _Error(NamedTuple):
    """An error in the words of TokPortal, of Google's token endpoint, of Google's APIs (by kind of call), of TikTok.

    TikTok's are (code, message, nothing, HTTP status): most of its errors are a 200.
    """

    portal: Callable[[PortalApi], Refused]
    token: tuple[dict[str, str], int]
    google: Callable[[str], ApiError]
    tiktok: tuple[int, str, None, int]


_ERRORS: Mapping[str, _Error] = {
    "429": _Error(
        lambda api: api.too_many(1),
        ({"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"}, 429),
        lambda kind: google_errors.quota_exceeded("Read" if kind in READ_KINDS else "Write"),
        (tiktok.TOO_MANY, "Too many requests. Please retry in some time.", None, 429),
    ),
    "500": _Error(
        lambda _: Refused(500, "internal", "Internal server error."),
        ({"error": "internal_failure", "error_description": "Backend Error"}, 500),
        lambda _: google_errors.internal(),
        (tiktok.FAILED, "System error.", None, 500),
    ),
    "503": _Error(
        lambda _: Refused(503, "unavailable", "Service unavailable."),
        ({"error": "temporarily_unavailable", "error_description": "Service unavailable"}, 503),
        lambda _: google_errors.unavailable(),
        (tiktok.BUSY, "Service is busy.", None, 200),
    ),
    "401": _Error(
        lambda _: Refused(401, "invalid_key", "Invalid API key."),
        # The token endpoint has no 401: an account that is gone is an invalid grant, Sheets reference 1.4.
        ({"error": "invalid_grant", "error_description": "Invalid grant: account not found"}, 400),
        lambda _: google_errors.unauthenticated(True),
        (tiktok.NO_TOKEN, "Access token is incorrect or has been revoked.", None, 200),
    ),
    "403": _Error(
        lambda _: Refused(403, "scope", "This API key does not allow this."),
        ({"error": "unauthorized_client", "error_description": "Unauthorized"}, 403),
        lambda _: google_errors.forbidden(),
        (tiktok.NO_PERMISSION, "No permission to operate advertiser.", None, 200),
    ),
}

_HTML_502 = b"""<!DOCTYPE html>
<html lang=en><meta charset=utf-8><title>Error 502 (Server Error)!!1</title>
<p><b>502.</b> <ins>That's an error.</ins>
<p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.
</html>
"""
