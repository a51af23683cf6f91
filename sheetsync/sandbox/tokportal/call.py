"""What a handler of TokPortal's API is given and what it returns, and the JSON of both.

Owns bodies as they are read and written. Does not own routes (api.py) or what a call does (its handler).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sheetsync.sandbox.tokportal.idempotency import Idempotency
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.tokportal.records import ApiKey
from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.wire import Request

_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


@dataclass(frozen=True, slots=True)
class Call:
    """One call whose key was accepted; `places` is what stood in the places of its route's pattern."""

    portal: Portal
    idempotency: Idempotency
    request: Request
    key: ApiKey
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers; `headers` come on top of those that every answer has."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def encode(payload: object) -> bytes:
    """JSON as TokPortal writes it."""
    return _ENCODE(payload).encode()


def ok(payload: object) -> Answer:
    """200 with JSON."""
    return Answer(200, encode(payload))


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused."""
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused(400, "invalid_request", "The body must be JSON.") from None
    if not isinstance(found, dict):
        raise Refused(400, "invalid_request", "The body must be a JSON object.")
    return found


def stamp(moment: datetime) -> str:
    """A time as the API writes it: whole seconds, `Z`."""
    return moment.isoformat(timespec="seconds")[:19] + "Z"
