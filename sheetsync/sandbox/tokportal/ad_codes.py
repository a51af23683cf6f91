"""The three calls for ad codes: order one, poll it, send it back for correction.

Owns their bodies and what is checked in them. Does not own orders and credits (portal.py).
Source: sources/ad-code-request.txt; reference/tokportal.md sections 2, 4, 6.2 and 7 (dry runs).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sheetsync.sandbox.tokportal.call import Answer, Call, encode, json_object, ok, stamp
from sheetsync.sandbox.tokportal.idempotency import Remembered, name_of
from sheetsync.sandbox.tokportal.portal import DRY_RUN_PREFIX
from sheetsync.sandbox.tokportal.records import AdCodeRequest
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.tokportal.switches import Switches


def order(call: Call) -> Answer:
    """POST: create a request and take the credits, or only say what would happen (dry run)."""
    headers, switches = call.request.headers, call.portal.switches
    if headers.get("x-tokportal-dry-run", "").lower() == "true" and switches.dry_run == "simulated":
        return _simulate(call)
    idempotency_key = headers.get("idempotency-key", "")
    if not idempotency_key or switches.honour_idempotency == "no":
        return _place(call, idempotency_key or None)
    return _place_once(call, idempotency_key)


def _place_once(call: Call, idempotency_key: str) -> Answer:
    portal, request = call.portal, call.request
    name = name_of(call.key.key, idempotency_key)
    fingerprint = hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()
    first = call.idempotency.recall(name, fingerprint, portal.switches, portal.now())
    if first is not None:
        return Answer(first.status, first.body, {"idempotent-replayed": "true"})
    try:
        answer = _place(call, idempotency_key)
    except Refused as refused:
        # Whether a refusal, too, is kept under its key is not said: tokportal.md section 13.
        if portal.switches.failed_keys == "executed":
            raise
        answer = Answer(refused.status, encode(refused.payload(portal.switches)))
    call.idempotency.remember(name, Remembered(fingerprint, answer.status, answer.body, portal.now()))
    return answer


def _place(call: Call, idempotency_key: str | None) -> Answer:
    portal, video_id = call.portal, call.places["video"]
    _refuse_dry_run_id(video_id)
    note, platform = _order_body(call)
    placed = portal.order(video_id, note=note, platform=platform, key=idempotency_key)
    cost = {"credits_charged": placed.charged, "credits_remaining": portal.credits}
    if not portal.tells_price:
        del cost["credits_charged"]
    return Answer(201, encode({"data": shape(placed, portal.switches, full=False), **cost}))


def _simulate(call: Call) -> Answer:
    """Same validation, same errors, same price; nothing happens and nothing is reserved."""
    note, platform = _order_body(call)
    portal, video_id = call.portal, call.places["video"]
    video = portal.check_order(video_id, platform)
    synthetic = DRY_RUN_PREFIX + hashlib.blake2b(video_id.encode(), digest_size=6).hexdigest()
    now = portal.now()
    simulated = AdCodeRequest(synthetic, video.id, video.platform, note, now, now, 0)
    cost = {
        "credits_charged": 0,
        "credits_would_charge": portal.price,
        "credits_remaining": portal.credits,
        "cost_breakdown": {"ad_code_request": portal.price, "total": portal.price},
        "dry_run": True,
        "dry_run_notice": "Simulated: nothing was created and no credits were charged.",
    }
    return Answer(201, encode({"data": shape(simulated, portal.switches, full=False), **cost}))


def _refuse_dry_run_id(given: str) -> None:
    if given.startswith(DRY_RUN_PREFIX):
        raise Refused(400, "dry_run_id", "This id comes from a dry run.")


def _order_body(call: Call) -> tuple[str | None, str | None]:
    """Note and platform."""
    switches = call.portal.switches
    if not call.request.body and switches.empty_body == "accepted":
        return None, None
    body = json_object(call.request.body)
    note, platform = body.get("note"), body.get("platform")
    if note is not None and not isinstance(note, str):
        raise Refused(400, "invalid_request", "note must be a string.", {"field": "note"})
    if note and _length(note, switches) > 500:
        raise Refused(400, "invalid_request", "note must be at most 500 characters.", {"field": "note"})
    if platform is not None and not isinstance(platform, str):
        raise Refused(400, "invalid_request", "platform must be a string.", {"field": "platform"})
    return note, platform


def _length(text: str, switches: Switches) -> int:
    # "Characters" may mean UTF-16 units, as in JavaScript: an emoji then counts two.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if switches.note_counts == "utf16" else len(text)


def poll(call: Call) -> Answer:
    """GET: the latest request of a video, null where there is none."""
    portal, video_id = call.portal, call.places["video"]
    latest = portal.polled(video_id)
    if latest is not None and portal.videos[video_id].owner == "me":
        return ok({"data": shape(latest, portal.switches)})
    if portal.switches.poll_unknown_video == "error":
        portal.visible_video(video_id)
    return ok({"data": None})


def correction_gate(switches: Switches) -> Answer | None:
    """The correction stands in no list of operations, so it may be gone, and then not even in JSON."""
    match switches.patch_route:
        case "html":
            page = b"<!DOCTYPE html><title>404</title><h1>404</h1>"
            return Answer(404, page, {"content-type": "text/html; charset=utf-8"})
        case 404:
            raise Refused(404, "route", "Not found.")
        case 405:
            raise Refused(405, "method", "Method not allowed.")
        # the web app answers in place of an API: with its own page, or by the way to its sign-in
        case "page":
            page = b"<!DOCTYPE html><title>TokPortal</title><div id=app></div>"
            return Answer(200, page, {"content-type": "text/html; charset=utf-8"})
        case 302:
            return Answer(302, b"", {"location": "/login"})
    return None


def correct(call: Call) -> Answer:
    """PATCH: the code is sent back to the manager, with feedback."""
    portal, request_id = call.portal, call.places["request"]
    _refuse_dry_run_id(request_id)
    body = json_object(call.request.body)
    if body.get("status") != "pending_corrections":
        raise Refused(400, "invalid_request", "status must be pending_corrections.", {"field": "status"})
    feedback = body.get("feedback") or ""
    shortest, longest = (3, 500) if portal.switches.feedback_length == "3-500" else (0, 100_000)
    if not isinstance(feedback, str) or not shortest <= _length(feedback, portal.switches) <= longest:
        raise Refused(400, "invalid_request", "feedback must be 3 to 500 characters.", {"field": "feedback"})
    found = portal.by_id.get(request_id)
    if found is None or portal.videos[found.video_id].owner != "me":
        raise Refused(404, "unknown_request", "Ad code request not found.")
    portal.reopen(found, feedback)
    return ok({"data": shape(found, portal.switches)})


def shape(request: AdCodeRequest, switches: Switches, *, full: bool = True) -> dict[str, Any]:
    """An ad code request as the API shows it; the answer to an order lacks the two later times."""
    data: dict[str, Any] = {
        "ad_code_request_id": request.id,
        "video_id": request.video_id,
        "status": request.status,
        "platform": request.platform,
        "code": request.code,
        "note": request.note,
        "created_at": _time(request.created_at, switches),
    }
    if full:
        data["submitted_at"] = _time(request.submitted_at, switches)
        data["delivered_at"] = _time(request.delivered_at, switches)
    if switches.extra_fields == "yes":
        data["authorization"] = {"expires_at": None, "kind": "spark"}
    return data


def _time(moment: datetime | None, switches: Switches) -> str | None:
    if moment is None:
        return None
    return moment.isoformat(timespec="microseconds") if switches.timestamps == "offset" else stamp(moment)
