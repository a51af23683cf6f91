"""The local TokPortal's HTTP: the route table, and what every call goes through: keys, scopes, rate limit, headers.

Owns the frame of an answer. Does not own what a call does: ad_codes.py, credits.py, lists.py.
Source: sources/ad-code-request.txt; reference/tokportal.md sections 1, 2, 4 to 8; version 2026-05-25.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NoReturn

from sheetsync.sandbox.routing import ANY, Found, Route, Routes
from sheetsync.sandbox.tokportal import ad_codes, credits, lists, rate_limit
from sheetsync.sandbox.tokportal.call import Answer, Call, encode
from sheetsync.sandbox.tokportal.idempotency import Idempotency
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.rate_limit import REFILL_PER_SECOND, RateLimit
from sheetsync.sandbox.tokportal.records import ApiKey
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.tokportal.switches import Switches
from sheetsync.sandbox.wire import Request, Response

_SAFE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What answers at a route. `gate` is asked first, before the key; `bearer`: the key comes as a bearer token."""

    answer: Callable[[Call], Answer]
    gate: Callable[[Switches], Answer | None] = lambda _: None
    bearer: bool = False


def _nowhere(_: Call) -> NoReturn:
    raise Refused(404, "route", "Not found.")


def _wrong_method(_: Call) -> NoReturn:
    raise Refused(405, "method", "Method not allowed.")


_OTHER = "portal.other"
_AD_CODE = "/api/ext/videos/{video}/ad-code-request"
# Unlike the rest of the API, the correction takes its key as a bearer token: tokportal.md section 4.
_CORRECTION = "/api/ad-code-requests/{request}"
ROUTES: Routes[Endpoint] = Routes(
    Route("POST", _AD_CODE, Endpoint(ad_codes.order), "portal.order"),
    Route("GET", _AD_CODE, Endpoint(ad_codes.poll), "portal.poll"),
    Route("PATCH", _CORRECTION, Endpoint(ad_codes.correct, ad_codes.correction_gate, bearer=True), "portal.correct"),
    Route("GET", "/api/ext/credits/balance", Endpoint(credits.balance), "portal.balance"),
    Route("GET", "/api/ext/me", Endpoint(credits.me), "portal.me"),
    Route("GET", "/api/ext/credits/history", Endpoint(credits.history), _OTHER),
    Route("GET", "/api/ext/credit-costs", Endpoint(credits.costs), _OTHER),
    Route("GET", "/api/ext/accounts", Endpoint(lists.accounts), _OTHER),
    Route("GET", "/api/ext/bundles", Endpoint(lists.bundles), _OTHER),
    Route("GET", "/api/ext/accounts/{account}/bundles", Endpoint(lists.bundles), _OTHER),
    Route("GET", "/api/ext/bundles/{bundle}/videos", Endpoint(lists.bundle_videos), _OTHER),
    Route("GET", "/api/ext/accounts/{account}/analytics/videos", Endpoint(lists.account_videos), _OTHER),
    Route("GET", "/api/ext/analytics/export/videos", Endpoint(lists.exported_videos), _OTHER),
    Route(ANY, _AD_CODE, Endpoint(_wrong_method), _OTHER),
    Route(ANY, _CORRECTION, Endpoint(_wrong_method), _OTHER),
    Route(ANY, "{anything:.*}", Endpoint(_nowhere), _OTHER),
)


def _route(request: Request) -> Found[Endpoint]:
    found = ROUTES.find(request.method, request.path)
    assert found is not None, "the last route takes every call"
    return found


class PortalApi:
    """Answers HTTP calls out of a Portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self._idempotency = Idempotency()
        self._rate_limit = RateLimit()
        self._answered = 0

    @staticmethod
    def kind(request: Request) -> str:
        """How the log, hooks and faults call this call."""
        return _route(request).route.kind

    def handle(self, request: Request) -> Response:
        """Authenticate, count, route. Every answer carries the version, stability and request-id headers."""
        headers = self._standard_headers(request)
        try:
            answer = self._answer(request, headers)
        except Refused as refused:
            answer = self._refusal(refused)
        return Response(answer.status, headers | dict(answer.headers), answer.body)

    def _answer(self, request: Request, headers: dict[str, str]) -> Answer:
        found = _route(request)
        endpoint = found.route.handler
        closed = endpoint.gate(self.portal.switches)
        if closed is not None:
            return closed
        key = self._authenticate(request, bearer=endpoint.bearer)
        # A call is counted before its scope is looked at: a key that may not write runs dry all the same.
        self._take_token(key, headers)
        self._check_scope(key, request.method)
        return endpoint.answer(Call(self.portal, self._idempotency, request, key, found.places))

    def _refusal(self, refused: Refused) -> Answer:
        return Answer(refused.status, encode(refused.payload(self.portal.switches)), refused.headers)

    def refusal(self, request: Request, refused: Refused) -> Response:
        """An answer that is not the portal's own choice: a fault."""
        answer = self._refusal(refused)
        return Response(answer.status, self._standard_headers(request) | dict(answer.headers), answer.body)

    def starts(self, request: Request) -> None:
        """A call begins that takes effect later: its idempotency key is in flight."""
        self._idempotency.starts(request)

    def ends(self, request: Request) -> None:
        """The call that began takes effect now."""
        self._idempotency.ends(request)

    def _standard_headers(self, request: Request) -> dict[str, str]:
        own = request.headers.get("x-request-id", "")
        if not (own and _SAFE_ID.fullmatch(own)):
            self._answered += 1
            own = "req_" + hashlib.blake2b(b"%d" % self._answered, digest_size=16).hexdigest()
        return {
            "content-type": "application/json; charset=utf-8",
            "x-tokportal-api-version": "2026-05-25",
            "x-tokportal-api-stability": "stable",
            "x-tokportal-request-id": own,
        }

    def _authenticate(self, request: Request, *, bearer: bool) -> ApiKey:
        if bearer:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            given = given.strip() if scheme.lower() == "bearer" else ""
        else:
            given = request.headers.get("x-api-key", "")
        if not given:
            raise Refused(401, "missing_key", "Missing API key.")
        key = self.portal.keys.get(given)
        if key is None:
            raise Refused(401, "invalid_key", "Invalid API key.")
        if key.revoked:
            raise Refused(401, "revoked_key", "This API key has been revoked.")
        return key

    def _check_scope(self, key: ApiKey, method: str) -> None:
        if key.may("read" if method in _READS else "write"):
            return
        if method in _READS and self.portal.switches.write_key_polls == "allowed":
            return
        raise Refused(403, "scope", f"This API key does not allow {method}.")

    def _take_token(self, key: ApiKey, headers: dict[str, str]) -> None:
        """Counts the call against its key's bucket; a refusal says how full it is, too."""
        if self.portal.switches.rate_limit == "off":
            return
        bucket = self._rate_limit.bucket(key.key, self.portal.now())
        allowed = bucket.take()
        headers.update(bucket.headers())
        if not allowed:
            raise self.too_many(ceil((1 - bucket.tokens) / REFILL_PER_SECOND))

    def too_many(self, seconds: int) -> Refused:
        """429, to be tried again after so many seconds."""
        return rate_limit.too_many(self.portal.switches, self.portal.now(), seconds)

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {**self._idempotency.dump(), "buckets": self._rate_limit.dump(), "answered": self._answered}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self._answered = saved["answered"]
        self._idempotency.restore(saved)
        self._rate_limit.restore(saved["buckets"])
