"""Calls to the local TokPortal, for the tests of it."""

from __future__ import annotations

import json

from sheetsync.sandbox.wire import Request, Response
from sheetsync.sandbox.world import World

VIDEO = "0b9c3f0e-58a6-4b0e-9a53-0f6f5f1c7a01"
PATH = f"/api/ext/videos/{VIDEO}/ad-code-request"


def call(world: World, method: str, path: str = PATH, body: object = None, **headers: str) -> Response:
    """A call with the default key; header names with `_` for `-`."""
    given = {"x-api-key": world.portal.key} | {name.replace("_", "-"): value for name, value in headers.items()}
    path, _, query = path.partition("?")
    pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part))
    return world.handle(Request(method, path, pairs, given, b"" if body is None else json.dumps(body).encode()))


def order(world: World, body: object = None, **headers: str) -> Response:
    return call(world, "POST", body={} if body is None else body, **headers)


def poll(world: World) -> dict[str, object] | None:
    data: dict[str, object] | None = call(world, "GET").json()["data"]
    return data


def correct(world: World, feedback: str = "Code rejected", key: str | None = None) -> Response:
    request_id = world.portal.requests[-1].id
    bearer = {"authorization": f"Bearer {key or world.portal.key}", "x-api-key": ""}
    body = {"status": "pending_corrections", "feedback": feedback}
    return call(world, "PATCH", f"/api/ad-code-requests/{request_id}", body, **bearer)


def books_balance(world: World) -> bool:
    portal = world.portal
    return portal.credits == sum(movement.amount for movement in portal.ledger) == portal.ledger[-1].balance_after
