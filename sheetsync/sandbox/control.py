"""The sandbox's own endpoints under /_sandbox/ and the page at /: clock, managers, people, faults, switches, books.

Owns their names and JSON. Does not own what they set off. Neither Google nor TokPortal has any of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sheetsync.sandbox import people
from sheetsync.sandbox.page import page
from sheetsync.sandbox.tokportal.managers import Delays
from sheetsync.sandbox.wire import Request, Response, json_response

if TYPE_CHECKING:
    from sheetsync.sandbox.world import World

Body = dict[str, Any]


def answer(world: World, request: Request) -> Response:
    """Answer a call that is neither Google's nor TokPortal's."""
    if request.method == "GET" and request.path == "/":
        world.settle()
        html = page.render(world)
        return Response(200, {"content-type": "text/html; charset=utf-8"}, html.encode())
    endpoint = _ENDPOINTS.get((request.method, request.path))
    if endpoint is None:
        return json_response({"error": {"message": f"there is no {request.method} {request.path}"}}, 404)
    world.settle()
    try:
        return json_response(endpoint(world, _object(request.body)))
    except (LookupError, ValueError, TypeError, RuntimeError) as problem:
        return json_response({"error": {"message": str(problem).strip("'\"")}}, 400)


def _object(body: bytes) -> Body:
    found = json.loads(body or b"{}")
    if not isinstance(found, dict):
        raise ValueError("the body must be a JSON object")
    return found


def state(world: World, _: Body) -> Body:
    """What stands on top of the page."""
    portal = world.portal
    statuses = [request.status for request in portal.requests]
    return {
        "clock": world.clock.now().isoformat(timespec="seconds"),
        "credits": portal.credits,
        "key_hint": portal.key[:7] + "…" + portal.key[-4:],
        "videos": len(portal.videos),
        "requests": {status: statuses.count(status) for status in sorted(set(statuses))},
        "charged": sum(request.charged for request in portal.requests),
        "refunded": sum(request.refunded for request in portal.requests),
        "calls": len(world.calls),
        "revision": page.revision(world),
        "books": {book.id: book.title for book in world.google.books.values()},
        "faults": world.faults.dump(),
        "switches": portal.switches.dump(),
    }


def _clock(world: World, body: Body) -> Body:
    if "set" in body:
        world.clock.set(datetime.fromisoformat(str(body["set"]).replace("Z", "+00:00")))
    else:
        world.clock.advance(timedelta(seconds=float(body["advance_seconds"])))
    return {"clock": world.clock.now().isoformat(timespec="seconds")}


def _managers(world: World, body: Body) -> Body:
    """`work`, `auto`, `set_status`, or accept, submit, deliver, cancel with a video_id."""
    portal = world.portal
    do = body.get("do", "work")
    if do == "work":
        result: Body = {"moved": portal.manager_work()}
    elif do == "auto":
        portal.auto_managers(_delays(body.get("delays_seconds", {})))
        result = {"auto": portal.managers.dump()}
    elif do == "set_status":
        result = {"status": portal.set_status(body["video_id"], str(body["status"])).status}
    elif do in ("accept", "submit", "deliver", "cancel"):
        extra = {"code": body["code"]} if do == "submit" and "code" in body else {}
        result = {"status": getattr(portal, do)(body["video_id"], **extra).status}
    else:
        raise ValueError(f"managers cannot {do!r}: work, auto, accept, submit, deliver, cancel, set_status")
    world.changed()
    return result


def _delays(seconds: dict[str, float] | None) -> Delays | None:
    return None if seconds is None else Delays(**{name: timedelta(seconds=value) for name, value in seconds.items()})


def _people(world: World, body: Body) -> Body:
    """`{"do": "sort", "book": …, "tab": …, …}`: the rest are the arguments of the edit."""
    named_edit(body)(world)
    return {"done": body["do"]}


def named_edit(body: Body) -> Callable[[World], None]:
    """An edit of people.py by name, with its arguments."""
    arguments = dict(body)
    name = arguments.pop("do", None)
    if name not in people.EDITS:
        raise ValueError(f"people cannot {name!r}: {', '.join(people.EDITS)}")
    return lambda world: people.EDITS[name](world, **arguments)


def _cell(world: World, body: Body) -> Body:
    """`{"book", "tab", "row", "column", "value"}`, counted from 0: typed as a person types."""
    people.type_at(world, body["book"], body["tab"], int(body["row"]), int(body["column"]), body["value"])
    return {"done": True}


def _faults(world: World, body: Body) -> Body:
    """A fault, or with `edit` an edit by people, at the nth call of a kind."""
    arguments = dict(body)
    if "edit" in arguments:
        world.faults.edit(do=named_edit(arguments.pop("edit")), **arguments)
    else:
        world.faults.add(**arguments)
    world.changed()
    return {"faults": world.faults.dump()}


def _no_faults(world: World, _: Body) -> Body:
    world.faults.clear()
    world.changed()
    return {"faults": []}


def _switches(world: World, body: Body) -> Body:
    """Switches by name; also `price`, `credits` and Google's `quota`."""
    values = dict(body)
    price, credits = values.pop("price", world.portal.price), values.pop("credits", None)
    quota = values.pop("quota", world.google.quota)
    world.portal.switches.set(values)
    world.portal.price, world.google.quota = int(price), bool(quota)
    if credits is not None:
        world.portal.credits = int(credits)
    world.changed()
    return world.portal.switches.dump()


def _spreadsheets(world: World, body: Body) -> Body:
    tabs = tuple(body.get("tabs") or ("Sheet1",))
    book = world.google.create_spreadsheet(body.get("title", "Untitled"), body.get("time_zone", "Etc/GMT"), tabs)
    share = body.get("share_with") or []
    book.shared_with.update([share] if isinstance(share, str) else share)
    world.changed()
    return {"id": book.id}


def _videos(world: World, body: Body) -> Body:
    """`{"video_id": …}` with the properties of `Portal.add_video`."""
    video = world.portal.add_video(**body)
    world.changed()
    return {"video_id": video.id}


_ENDPOINTS: dict[tuple[str, str], Callable[[World, Body], Body]] = {
    ("GET", "/_sandbox/state"): state,
    ("POST", "/_sandbox/clock"): _clock,
    ("POST", "/_sandbox/managers"): _managers,
    ("POST", "/_sandbox/people"): _people,
    ("POST", "/_sandbox/cell"): _cell,
    ("POST", "/_sandbox/faults"): _faults,
    ("DELETE", "/_sandbox/faults"): _no_faults,
    ("POST", "/_sandbox/switches"): _switches,
    ("POST", "/_sandbox/spreadsheets"): _spreadsheets,
    ("POST", "/_sandbox/videos"): _videos,
}
