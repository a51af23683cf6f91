"""Idempotency keys: the first answer to a key is the answer to it for as long as the key is remembered.

Owns what is remembered and what is under way. Does not own what an order does (ad_codes.py).
Source: reference/tokportal.md section 6.2; what it leaves open is a switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sheetsync.sandbox.tokportal.refused import Refused
from sheetsync.sandbox.tokportal.switches import Switches
from sheetsync.sandbox.wire import Request

_MEMORY: Mapping[str, timedelta] = {"24h": timedelta(hours=24), "1m": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer to the first call with an idempotency key."""

    fingerprint: str
    status: int
    body: bytes
    at: datetime


class Idempotency:
    """What is known of the idempotency keys; a key belongs to the API key that it came with."""

    def __init__(self) -> None:
        self._in_flight: set[str] = set()
        self._remembered: dict[str, Remembered] = {}

    def starts(self, request: Request) -> None:
        """A call begins that takes effect later: its key is in flight until then."""
        self._in_flight |= _names(request)

    def ends(self, request: Request) -> None:
        """The call that began has taken effect."""
        self._in_flight -= _names(request)

    def recall(self, name: str, fingerprint: str, switches: Switches, now: datetime) -> Remembered | None:
        """The first answer to a key, if there was one. Raises Refused where the key may not be used (again)."""
        if name in self._in_flight and switches.key_in_flight == 409:
            raise Refused(409, "key_in_flight", "The first call with this idempotency key has not ended.")
        first = self._remembered.get(name)
        lasts = _MEMORY.get(switches.key_memory)
        if first is None or (lasts is not None and now - first.at > lasts):
            return None
        if first.fingerprint != fingerprint and switches.key_reuse != "replayed":
            raise Refused(switches.key_reuse, "key_reuse", "This idempotency key was used with another body.")
        return first

    def remember(self, name: str, first: Remembered) -> None:
        """Keep the first answer to a key."""
        self._remembered[name] = first

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON."""
        remembered = {
            name: [r.fingerprint, r.status, r.body.decode(), r.at.isoformat()] for name, r in self._remembered.items()
        }
        return {"remembered": remembered, "in_flight": sorted(self._in_flight)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Takes over what `dump` gave."""
        self._in_flight = set(saved["in_flight"])
        self._remembered = {
            name: Remembered(fingerprint, status, body.encode(), datetime.fromisoformat(at))
            for name, (fingerprint, status, body, at) in saved["remembered"].items()
        }


def name_of(api_key: str, idempotency_key: str) -> str:
    """How a key is kept: two accounts may use the same one."""
    return f"{api_key}\n{idempotency_key}"


def _names(request: Request) -> set[str]:
    key = request.headers.get("idempotency-key")
    return {name_of(request.headers.get("x-api-key", ""), key)} if key else set()
