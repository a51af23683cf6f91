"""Faults of the network and of both services, and people's edits, each at the n-th call of a kind.

Owns when something goes wrong and what the peer then sees. Does not own the calls themselves (world.py).
Source: reference/tokportal.md section 6.1 (429); Google's bodies come from google_errors.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sheetsync.sandbox.google import errors as google_errors
from sheetsync.sandbox.tokportal.portal import Refused
from sheetsync.sandbox.wire import Request, Response, TimedOut, json_response

if TYPE_CHECKING:
    from sheetsync.sandbox.tokportal.routes import PortalApi
    from sheetsync.sandbox.world import World

ANSWERS = ("429", "500", "503", "html502", "401", "403")
"""Faults that answer instead of the service: no effect."""
FAULTS = (*ANSWERS, "slow", "slow_after", "late", "garbled", "lost_before", "lost_after")


class Slow(TimedOut):
    """No answer in time. The server waits `seconds`, then gives `answer` or, where there is none, handles the call."""

    def __init__(self, seconds: float, answer: Response | None = None) -> None:
        super().__init__(f"no answer within {seconds} seconds")
        self.seconds = seconds
        self.answer = answer


@dataclass(slots=True)
class Rule:
    """Something that happens at the n-th call of a kind, and for `times` calls from there on."""

    kind: str
    nth: int = 1
    times: int = 1
    fault: str = ""
    seconds: float = 1.0
    edit: Callable[[World], object] | None = None
    when: Literal["before", "after"] = "before"
    seen: int = 0

    def matches(self, kind: str) -> bool:
        return self.kind in ("*", kind) or kind.startswith(self.kind + ".")


class Faults:
    """What will go wrong. Rules are counted independently of each other, from the moment they are added."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.struck = 0

    def add(self, kind: str, nth: int = 1, fault: str = "500", times: int = 1, seconds: float = 1.0) -> Rule:
        """A fault; `kind` may be a prefix (`portal`, `sheets`, `values`) or `*`."""
        if fault not in FAULTS:
            raise ValueError(f"there is no fault {fault!r}; faults: {', '.join(FAULTS)}")
        return self._add(Rule(kind, nth, times, fault, seconds))

    def edit(
        self,
        kind: str,
        nth: int = 1,
        when: Literal["before", "after"] = "before",
        do: Callable[[World], object] | None = None,
        times: int = 1,
    ) -> Rule:
        """A person's edit just before or just after the call takes effect."""
        if do is None or when not in ("before", "after"):
            raise ValueError("an edit needs something to do, and `when` is before or after")
        return self._add(Rule(kind, nth, times, edit=do, when=when))

    def _add(self, rule: Rule) -> Rule:
        if rule.nth < 1 or rule.times < 1:
            raise ValueError("nth and times are at least 1")
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def take(self, kind: str) -> list[Rule]:
        """The rules that strike at this call; counts the call."""
        striking = []
        for rule in self.rules:
            if rule.matches(kind):
                rule.seen += 1
                if rule.nth <= rule.seen < rule.nth + rule.times:
                    striking.append(rule)
        if striking:
            self.struck += 1
            self.rules = [rule for rule in self.rules if rule.seen < rule.nth + rule.times - 1]
        return striking

    def dump(self) -> list[dict[str, Any]]:
        """Rules that are not edits: an edit is a function and cannot be kept."""
        names = ("kind", "nth", "times", "fault", "seconds", "seen")
        return [{name: getattr(rule, name) for name in names} for rule in self.rules if rule.edit is None]

    def restore(self, saved: list[Mapping[str, Any]]) -> None:
        self.rules = [Rule(**rule) for rule in saved]


def answer(fault: str, kind: str, request: Request, portal_api: PortalApi) -> Response:
    """What a service answers when it fails."""
    if fault == "html502":
        return Response(502, {"content-type": "text/html; charset=UTF-8"}, _HTML_502)
    if kind.startswith("portal."):
        return portal_api.refusal(request, _portal_failure(fault, portal_api))
    if kind == "google.token":
        return json_response(*_TOKEN_FAILURES[fault])
    return _google_failure(fault, kind)


def garbled(whole: Response) -> Response:
    """The first half of an answer, with the headers of a whole one."""
    headers = {name: value for name, value in whole.headers.items() if name != "content-length"}
    return Response(whole.status, headers, whole.body[: len(whole.body) // 2])


def _portal_failure(fault: str, portal_api: PortalApi) -> Refused:
    if fault == "429":
        return portal_api.too_many(1)
    status, case, message = {
        "500": (500, "internal", "Internal server error."),
        "503": (503, "unavailable", "Service unavailable."),
        "401": (401, "invalid_key", "Invalid API key."),
        "403": (403, "scope", "This API key does not allow this."),
    }[fault]
    return Refused(status, case, message)


_TOKEN_FAILURES: dict[str, tuple[dict[str, str], int]] = {
    "429": ({"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"}, 429),
    "500": ({"error": "internal_failure", "error_description": "Backend Error"}, 500),
    "503": ({"error": "temporarily_unavailable", "error_description": "Service unavailable"}, 503),
    "401": ({"error": "invalid_grant", "error_description": "Invalid grant: account not found"}, 400),
    "403": ({"error": "unauthorized_client", "error_description": "Unauthorized"}, 403),
}

_READS = ("sheets.get", "values.get", "values.batchGet")


def _google_failure(fault: str, kind: str) -> Response:
    if fault == "429":
        return google_errors.quota_error("Read" if kind in _READS else "Write")
    if fault in ("401", "403"):
        return (google_errors.unauthenticated(True) if fault == "401" else google_errors.forbidden()).response()
    return google_errors.internal_error() if fault == "500" else google_errors.unavailable_error()


_HTML_502 = b"""<!DOCTYPE html>
<html lang=en><meta charset=utf-8><title>Error 502 (Server Error)!!1</title>
<p><b>502.</b> <ins>That's an error.</ins>
<p>The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.
</html>
"""
