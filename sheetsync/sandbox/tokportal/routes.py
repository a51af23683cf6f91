"""The local TokPortal's HTTP: keys, scopes, rate limit, idempotency, dry runs, the routes of ad codes and credits.

Owns what is on the wire. Does not own orders and credits (portal.py) or the lists of videos (portal_lists.py).
Source: sources/ad-code-request.txt; reference/tokportal.md sections 1, 2, 4 to 8; version 2026-05-25.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from math import ceil
from typing import Any
from urllib.parse import unquote

from sheetsync.sandbox.tokportal import lists as portal_lists
from sheetsync.sandbox.tokportal.portal import DRY_RUN_PREFIX, AdCodeRequest, ApiKey, Portal, Refused
from sheetsync.sandbox.wire import Request, Response

BUCKET_SIZE = 120.0
REFILL_PER_SECOND = 2.0
_SAFE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a method and a path lead; `handler` names a method of PortalApi."""

    kind: str
    handler: str
    id: str = ""


@dataclass(slots=True)
class Bucket:
    tokens: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer to the first call with an idempotency key."""

    fingerprint: str
    status: int
    body: bytes
    at: datetime


_VIDEO = {"POST": ("portal.order", "order"), "GET": ("portal.poll", "poll")}
_FIXED = {
    ("GET", "/api/ext/credits/balance"): Route("portal.balance", "balance"),
    ("GET", "/api/ext/me"): Route("portal.me", "me"),
    ("GET", "/api/ext/credits/history"): Route("portal.other", "history"),
    ("GET", "/api/ext/credit-costs"): Route("portal.other", "costs"),
}
_NOWHERE = Route("portal.other", "nowhere")
_WRONG_METHOD = Route("portal.other", "wrong_method")


@lru_cache(maxsize=8192)
def route(method: str, path: str) -> Route:
    """The route of a call, whether or not it exists."""
    fixed = _FIXED.get((method, path))
    if fixed is not None:
        return fixed
    match path.split("/"):
        case ["", "api", "ext", "videos", video, "ad-code-request"] if video:
            kind, handler = _VIDEO.get(method, ("portal.other", "wrong_method"))
            return Route(kind, handler, unquote(video))
        case ["", "api", "ad-code-requests", request_id] if request_id:
            return Route("portal.correct", "correct", unquote(request_id)) if method == "PATCH" else _WRONG_METHOD
        case ["", "api", "ext", *rest] if method == "GET" and portal_lists.has(rest):
            return Route("portal.other", "lists", "/".join(rest))
    return _NOWHERE


class PortalApi:
    """Answers HTTP calls out of a Portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.in_flight: set[str] = set()
        self._buckets: dict[str, Bucket] = {}
        self._remembered: dict[str, Remembered] = {}
        self._answered = 0

    @staticmethod
    def kind(request: Request) -> str:
        return route(request.method, request.path).kind

    def handle(self, request: Request) -> Response:
        """Authenticate, count, route. Every answer carries the version, stability and request-id headers."""
        headers = self._standard_headers(request)
        found = route(request.method, request.path)
        try:
            if found.handler == "correct":
                self._check_patch_route()
            key = self._authenticate(request, bearer=found.handler == "correct")
            self._take_token(key, headers)
            self._check_scope(key, request.method)
            status, body = getattr(self, f"_{found.handler}")(request, found.id, key, headers)
        except Refused as refused:
            headers.update(refused.headers)
            status, body = refused.status, _ENCODE(refused.payload(self.portal.switches)).encode()
        except portal_lists.Page as page:
            headers["content-type"] = page.content_type
            status, body = page.status, page.body
        return Response(status, headers, body)

    def refusal(self, request: Request, refused: Refused) -> Response:
        """An answer that is not the portal's own choice: a fault."""
        headers = self._standard_headers(request) | refused.headers
        return Response(refused.status, headers, _ENCODE(refused.payload(self.portal.switches)).encode())

    # A call that is still running: its idempotency key is in flight.

    def starts(self, request: Request) -> None:
        self.in_flight |= _key_name(request)

    def ends(self, request: Request) -> None:
        self.in_flight -= _key_name(request)

    # Every call

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
        """The token bucket of the key: 120, refilled by two a second."""
        if self.portal.switches.rate_limit == "off":
            return
        now = self.portal.now()
        bucket = self._buckets.get(key.key)
        if bucket is None:
            bucket = self._buckets[key.key] = Bucket(BUCKET_SIZE, now)
        refill = (now - bucket.at).total_seconds() * REFILL_PER_SECOND
        bucket.tokens, bucket.at = min(BUCKET_SIZE, bucket.tokens + max(refill, 0.0)), now
        allowed = bucket.tokens >= 1
        bucket.tokens -= allowed
        headers["x-ratelimit-limit"] = "120"
        headers["x-ratelimit-remaining"] = str(int(bucket.tokens))
        headers["x-ratelimit-reset"] = str(ceil(now.timestamp() + (BUCKET_SIZE - bucket.tokens) / REFILL_PER_SECOND))
        if not allowed:
            raise self.too_many(ceil((1 - bucket.tokens) / REFILL_PER_SECOND))

    def too_many(self, seconds: int) -> Refused:
        """429: by default the header says less than the body, as in the documents' own sample; both are kept apart."""
        mode = self.portal.switches.retry_after
        header = str(seconds + 1 if mode == "header_larger" else seconds)
        if mode == "http_date":
            header = format_datetime(self.portal.now() + timedelta(seconds=seconds + 1), usegmt=True)
        body = seconds + 1 if mode == "body_larger" else seconds
        return Refused(429, "rate_limit", "Rate limit exceeded.", {"retry_after_seconds": body}, retry_after=header)

    # Ordering

    def _order(self, request: Request, video_id: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        wants_dry = request.headers.get("x-tokportal-dry-run", "").lower() == "true"
        if wants_dry and self.portal.switches.dry_run == "simulated":
            return 201, self._simulate(request, video_id)
        idempotency_key = request.headers.get("idempotency-key", "")
        if not idempotency_key or self.portal.switches.honour_idempotency == "no":
            return 201, self._place(request, video_id, idempotency_key or None)
        return self._order_once(request, video_id, f"{key.key}\n{idempotency_key}", headers)

    def _order_once(self, request: Request, video_id: str, name: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """The first answer to an idempotency key is the answer to it for as long as the key is remembered."""
        switches = self.portal.switches
        idempotency_key = name.partition("\n")[2]
        if name in self.in_flight and switches.key_in_flight == 409:
            raise Refused(409, "key_in_flight", "The first call with this idempotency key has not ended.")
        fingerprint = hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()
        first = self._recall(name)
        if first is not None:
            if first.fingerprint != fingerprint and switches.key_reuse != "replayed":
                raise Refused(switches.key_reuse, "key_reuse", "This idempotency key was used with another body.")
            headers["idempotent-replayed"] = "true"
            return first.status, first.body
        try:
            status, body = 201, self._place(request, video_id, idempotency_key)
        except Refused as refused:
            if switches.failed_keys == "executed":
                raise
            status, body = refused.status, _ENCODE(refused.payload(switches)).encode()
        self._remembered[name] = Remembered(fingerprint, status, body, self.portal.now())
        return status, body

    def _recall(self, name: str) -> Remembered | None:
        first = self._remembered.get(name)
        lasts = {"24h": timedelta(hours=24), "1m": timedelta(minutes=1)}.get(self.portal.switches.key_memory)
        if first is not None and lasts is not None and self.portal.now() - first.at > lasts:
            return None
        return first

    def _place(self, request: Request, video_id: str, idempotency_key: str | None) -> bytes:
        if video_id.startswith(DRY_RUN_PREFIX):
            raise Refused(400, "dry_run_id", "This id comes from a dry run.")
        note, platform = self._order_body(request)
        placed = self.portal.order(video_id, note=note, platform=platform, key=idempotency_key)
        data = self.render(placed, full=False)
        return self._ordered(data, {"credits_charged": placed.charged, "credits_remaining": self.portal.credits})

    def _simulate(self, request: Request, video_id: str) -> bytes:
        """Same validation, same errors, same price; nothing happens and nothing is reserved."""
        note, platform = self._order_body(request)
        portal = self.portal
        video = portal.check_order(video_id, platform)
        synthetic = DRY_RUN_PREFIX + hashlib.blake2b(video_id.encode(), digest_size=6).hexdigest()
        now = portal.now()
        data = self.render(AdCodeRequest(synthetic, video.id, video.platform, note, now, now, 0), full=False)
        cost = {
            "credits_charged": 0,
            "credits_would_charge": portal.price,
            "credits_remaining": portal.credits,
            "cost_breakdown": {"ad_code_request": portal.price, "total": portal.price},
            "dry_run": True,
            "dry_run_notice": "Simulated: nothing was created and no credits were charged.",
        }
        return self._ordered(data, cost)

    @staticmethod
    def _ordered(data: dict[str, Any], beside: Mapping[str, Any]) -> bytes:
        return _ENCODE({"data": data, **beside}).encode()

    def _order_body(self, request: Request) -> tuple[str | None, str | None]:
        if not request.body and self.portal.switches.empty_body == "accepted":
            return None, None
        body = _json_object(request.body)
        note, platform = body.get("note"), body.get("platform")
        if note is not None and not isinstance(note, str):
            raise Refused(400, "invalid_request", "note must be a string.", {"field": "note"})
        if note and self._length(note) > 500:
            raise Refused(400, "invalid_request", "note must be at most 500 characters.", {"field": "note"})
        if platform is not None and not isinstance(platform, str):
            raise Refused(400, "invalid_request", "platform must be a string.", {"field": "platform"})
        return note, platform

    def _length(self, text: str) -> int:
        if self.portal.switches.note_counts == "utf16":
            return len(text.encode("utf-16-le")) // 2
        return len(text)

    # Polling and correcting

    def _poll(self, request: Request, video_id: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        latest = self.portal.latest(video_id)
        if latest is None or self.portal.videos[video_id].owner != "me":
            self._check_poll(video_id)
            return 200, b'{"data":null}'
        return 200, _ENCODE({"data": self.render(latest)}).encode()

    def _check_poll(self, video_id: str) -> None:
        if self.portal.switches.poll_unknown_video == "error":
            self.portal.visible_video(video_id)

    def render(self, request: AdCodeRequest, *, full: bool = True) -> dict[str, Any]:
        """An ad code request as the API shows it; the answer to an order lacks the two later times."""
        data: dict[str, Any] = {
            "ad_code_request_id": request.id,
            "video_id": request.video_id,
            "status": request.status,
            "platform": request.platform,
            "code": request.code,
            "note": request.note,
            "created_at": self._time(request.created_at),
        }
        if full:
            data["submitted_at"] = self._time(request.submitted_at)
            data["delivered_at"] = self._time(request.delivered_at)
        if self.portal.switches.extra_fields == "yes":
            data["authorization"] = {"expires_at": None, "kind": "spark"}
        return data

    def _time(self, moment: datetime | None) -> str | None:
        if moment is None:
            return None
        if self.portal.switches.timestamps == "offset":
            return moment.isoformat(timespec="microseconds")
        return moment.isoformat(timespec="seconds")[:19] + "Z"

    def _check_patch_route(self) -> None:
        """The correction stands in no list of operations, so it may be gone, and then not even in JSON."""
        mode = self.portal.switches.patch_route
        if mode == "html":
            raise portal_lists.Page(404, "text/html; charset=utf-8", b"<!DOCTYPE html><title>404</title><h1>404</h1>")
        if mode == 404:
            raise Refused(404, "route", "Not found.")
        if mode == 405:
            raise Refused(405, "method", "Method not allowed.")

    def _correct(self, request: Request, request_id: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        if request_id.startswith(DRY_RUN_PREFIX):
            raise Refused(400, "dry_run_id", "This id comes from a dry run.")
        body = _json_object(request.body)
        if body.get("status") != "pending_corrections":
            raise Refused(400, "invalid_request", "status must be pending_corrections.", {"field": "status"})
        feedback = body.get("feedback") or ""
        shortest, longest = (3, 500) if self.portal.switches.feedback_length == "3-500" else (0, 100_000)
        if not isinstance(feedback, str) or not shortest <= len(feedback) <= longest:
            raise Refused(400, "invalid_request", "feedback must be 3 to 500 characters.", {"field": "feedback"})
        found = self.portal.by_id.get(request_id)
        if found is None or self.portal.videos[found.video_id].owner != "me":
            raise Refused(404, "unknown_request", "Ad code request not found.")
        self.portal.reopen(found, feedback)
        return 200, _ENCODE({"data": self.render(found)}).encode()

    # Credits and profile

    def _balance(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        return 200, _ENCODE({"data": self._balance_data()}).encode()

    def _balance_data(self) -> dict[str, Any]:
        portal = self.portal
        credits = portal.credits
        if portal.switches.balance_lags == "yes":
            credits = portal.balance_at(portal.now() - timedelta(seconds=60))
        if portal.switches.balance_shape == "old":
            return {"credits": credits}
        if portal.switches.balance_shape == "neither":
            return {"amount": credits}
        changed = portal.ledger[-1].at.isoformat(timespec="microseconds")
        later = {"expiring_within_7_days": 0, "upcoming_expirations": [], "last_updated": changed}
        return {"total_credits": credits, **later}

    def _me(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        return 200, _ENCODE({"data": {"email": "you@example.com", "credits": self.portal.credits}}).encode()

    def _costs(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        """No source names the ad code's price in this answer, so it is left out."""
        costs = {"account_creation": 32, "video_upload": 2, "video_edit": 3}
        return 200, _ENCODE({"data": {"costs": costs}}).encode()

    def _history(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        return 200, _ENCODE(portal_lists.history(self.portal, request)).encode()

    def _lists(self, request: Request, path: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        return 200, _ENCODE(portal_lists.answer(self.portal, request, path)).encode()

    def _nowhere(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        raise Refused(404, "route", "Not found.")

    def _wrong_method(self, request: Request, _: str, key: ApiKey, headers: dict[str, str]) -> tuple[int, bytes]:
        raise Refused(405, "method", "Method not allowed.")

    # Persistence

    def dump(self) -> dict[str, Any]:
        remembered = {
            name: [r.fingerprint, r.status, r.body.decode(), r.at.isoformat()] for name, r in self._remembered.items()
        }
        buckets = {key: [bucket.tokens, bucket.at.isoformat()] for key, bucket in self._buckets.items()}
        return {
            "remembered": remembered,
            "buckets": buckets,
            "in_flight": sorted(self.in_flight),
            "answered": self._answered,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._answered = saved["answered"]
        self.in_flight = set(saved["in_flight"])
        self._buckets = {k: Bucket(tokens, datetime.fromisoformat(at)) for k, (tokens, at) in saved["buckets"].items()}
        self._remembered = {
            name: Remembered(fingerprint, status, body.encode(), datetime.fromisoformat(at))
            for name, (fingerprint, status, body, at) in saved["remembered"].items()
        }


def _key_name(request: Request) -> set[str]:
    key = request.headers.get("idempotency-key")
    return {f"{request.headers.get('x-api-key', '')}\n{key}"} if key else set()


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused(400, "invalid_request", "The body must be JSON.") from None
    if not isinstance(found, dict):
        raise Refused(400, "invalid_request", "The body must be a JSON object.")
    return found
