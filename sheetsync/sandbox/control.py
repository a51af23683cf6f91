"""The sandbox's own endpoints under /_sandbox/ and the page at /: clock, managers, people, faults, switches, books.

Owns their names and JSON. Does not own what they set off. None of the services has any of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sheetsync.sandbox import people
from sheetsync.sandbox.faults import Faults
from sheetsync.sandbox.google.errors import WRITE_REFUSALS
from sheetsync.sandbox.google.quirks import checked
from sheetsync.sandbox.page import page
from sheetsync.sandbox.page.editing import Hand
from sheetsync.sandbox.routing import Route, Routes
from sheetsync.sandbox.tokportal.managers import Delays
from sheetsync.sandbox.tokportal.portal import Portal
from sheetsync.sandbox.wire import Request, Response, json_response

Body = dict[str, Any]


class Controlled(page.Shown, Protocol):
    """What the endpoints show and change, beside what the page shows.

    `settle` lets happen what fell due; `changed` is told after a change.
    """

    @property
    def faults(self) -> Faults[Any]: ...
    @property
    def hand(self) -> Hand: ...
    def settle(self) -> None: ...
    def changed(self) -> None: ...


def answer(world: Controlled, request: Request) -> Response:
    """Answer a call that is none of the services'."""
    found = _ROUTES.find(request.method, request.path)
    if found is None:
        return json_response({"error": {"message": f"there is no {request.method} {request.path}"}}, 404)
    world.settle()
    return found.route.handler(world, request)


def _page(world: Controlled, _: Request) -> Response:
    return Response(200, {"content-type": "text/html; charset=utf-8"}, page.render(world).encode())


Handler = Callable[[Controlled, Request], Response]


def _json(endpoint: Callable[[Controlled, Body], Body]) -> Handler:
    """A handler of a function from one JSON object to another; what it cannot do is a 400."""

    def handler(world: Controlled, request: Request) -> Response:
        try:
            return json_response(endpoint(world, _object(request.body)))
        except (LookupError, ValueError, TypeError, RuntimeError) as problem:
            return json_response({"error": {"message": str(problem).strip("'\"")}}, 400)

    return handler


def _object(body: bytes) -> Body:
    found = json.loads(body or b"{}")
    if not isinstance(found, dict):
        raise ValueError("the body must be a JSON object")
    return found


def state(world: Controlled, _: Body) -> Body:
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


def _clock(world: Controlled, body: Body) -> Body:
    """`set` to a time, `advance_seconds`, or `now`: true."""
    if body.get("now"):
        world.clock.reset()
    elif "set" in body:
        world.clock.set(datetime.fromisoformat(str(body["set"]).replace("Z", "+00:00")))
    else:
        world.clock.advance(timedelta(seconds=float(body["advance_seconds"])))
    return {"clock": world.clock.now().isoformat(timespec="seconds")}


def _managers(world: Controlled, body: Body) -> Body:
    """`work`, `auto`, `set_status`, or accept, submit, deliver, cancel with a video_id."""
    do = body.get("do", "work")
    if do not in _MANAGERS:
        raise ValueError(f"managers cannot {do!r}: {', '.join(_MANAGERS)}")
    result = _MANAGERS[do](world.portal, body)
    world.changed()
    return result


def _auto(portal: Portal, body: Body) -> Body:
    portal.auto_managers(_delays(body.get("delays_seconds", {})))
    return {"auto": portal.managers.dump()}


def _submit(portal: Portal, body: Body) -> Body:
    # A code that is given as null is no code: one is drawn.
    return {"status": portal.submit(body["video_id"], body.get("code")).status}


_MANAGERS: Mapping[str, Callable[[Portal, Body], Body]] = {
    "work": lambda portal, _: {"moved": portal.manager_work()},
    "auto": _auto,
    "accept": lambda portal, body: {"status": portal.accept(body["video_id"]).status},
    "submit": _submit,
    "deliver": lambda portal, body: {"status": portal.deliver(body["video_id"]).status},
    "cancel": lambda portal, body: {"status": portal.cancel(body["video_id"]).status},
    "set_status": lambda portal, body: {"status": portal.set_status(body["video_id"], str(body["status"])).status},
}


def _delays(seconds: dict[str, float] | None) -> Delays | None:
    return None if seconds is None else Delays(**{name: timedelta(seconds=value) for name, value in seconds.items()})


def _people(world: Controlled, body: Body) -> Body:
    """`{"do": "sort", "book": …, "tab": …, …}`: the rest are the arguments of the edit."""
    named_edit(body)(world)
    return {"done": body["do"]}


def named_edit(body: Body) -> Callable[[people.Place], None]:
    """An edit of people.py by name, with its arguments. Raises ValueError for an unknown name."""
    arguments = dict(body)
    name = arguments.pop("do", None)
    if name not in people.EDITS:
        raise ValueError(f"people cannot {name!r}: {', '.join(people.EDITS)}")
    return lambda place: people.EDITS[name](place, **arguments)


def _cell(world: Controlled, body: Body) -> Body:
    """`{"book", "tab", "row", "column", "value"}`, counted from 0: typed as a person types."""
    people.type_at(world, body["book"], body["tab"], int(body["row"]), int(body["column"]), body["value"])
    return {"done": True}


def _edit(world: Controlled, body: Body) -> Body:
    """What the page's own person does, and undoes: see page/editing.py. `refused` says why nothing was done."""
    book = world.google.book(body["book"])
    try:
        world.hand.edit(book, body)
    except (LookupError, ValueError) as problem:
        return {"refused": str(problem)}
    world.changed()
    return {"done": body["do"]}


def _faults(world: Controlled, body: Body) -> Body:
    """A fault, or with `edit` an edit by people, at the nth call of a kind."""
    arguments = dict(body)
    if "edit" in arguments:
        world.faults.edit(do=named_edit(arguments.pop("edit")), **arguments)
    else:
        world.faults.add(**arguments)
    world.changed()
    return {"faults": world.faults.dump()}


def _no_faults(world: Controlled, _: Body) -> Body:
    world.faults.clear()
    world.changed()
    return {"faults": []}


def _switches(world: Controlled, body: Body) -> Body:
    """Switches by name; also `price`, `credits`, Google's `quota`, in `google_refuses` what it refuses all with, and in
    `google_quirks` a list of what it does otherwise than the program relies on.
    """
    values = dict(body)
    price, credits = values.pop("price", world.portal.price), values.pop("credits", None)
    quota = values.pop("quota", world.google.quota)
    refuses = str(values.pop("google_refuses", world.google.refuses))
    if refuses and refuses not in WRITE_REFUSALS:
        raise ValueError(f"google_refuses must be empty or one of {', '.join(WRITE_REFUSALS)}, not {refuses!r}")
    quirks = checked(values.pop("google_quirks", world.google.quirks))
    world.portal.switches.set(values)
    world.google.set_quirks(quirks)
    world.portal.price, world.google.quota, world.google.refuses = int(price), bool(quota), refuses
    if credits is not None:
        world.portal.credits = int(credits)
    world.changed()
    return world.portal.switches.dump()


def _spreadsheets(world: Controlled, body: Body) -> Body:
    tabs = tuple(body.get("tabs") or ("Sheet1",))
    book = world.google.create_spreadsheet(body.get("title", "Untitled"), body.get("time_zone", "Etc/GMT"), tabs)
    share = body.get("share_with") or []
    book.shared_with.update([share] if isinstance(share, str) else share)
    world.changed()
    return {"id": book.id}


def _videos(world: Controlled, body: Body) -> Body:
    """`{"video_id": …}`, or a new id where none is given, with the properties of `Portal.add_video`."""
    video = world.portal.add_video(**{"video_id": world.portal.new_id("video"), **body})
    world.changed()
    return {"video_id": video.id}


def _tiktok(world: Controlled, body: Body) -> Body:
    """`{"do": "apply", "code": ...}` and the other arguments of a method of TikTok; or `refuses`, `days`, `tokens`."""
    arguments = dict(body)
    do = arguments.pop("do", None)
    if do is None:
        for name, value in arguments.items():
            setattr(world.tiktok, _one_of(name, ("refuses", "days", "tokens")), value)
    else:
        getattr(world.tiktok, _one_of(do, _CREATORS))(**arguments)
    world.changed()
    return world.tiktok.dump()


def _one_of(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise ValueError(f"TikTok has no {word!r}: {', '.join(known)}")
    return word


_CREATORS = ("authorize", "extend", "revoke", "set_status", "apply", "unbind")

_ROUTES: Routes[Handler] = Routes(
    Route("GET", "/", _page),
    Route("GET", "/_sandbox/state", _json(state)),
    Route("POST", "/_sandbox/clock", _json(_clock)),
    Route("POST", "/_sandbox/managers", _json(_managers)),
    Route("POST", "/_sandbox/people", _json(_people)),
    Route("POST", "/_sandbox/cell", _json(_cell)),
    Route("POST", "/_sandbox/edit", _json(_edit)),
    Route("POST", "/_sandbox/faults", _json(_faults)),
    Route("DELETE", "/_sandbox/faults", _json(_no_faults)),
    Route("POST", "/_sandbox/switches", _json(_switches)),
    Route("POST", "/_sandbox/spreadsheets", _json(_spreadsheets)),
    Route("POST", "/_sandbox/videos", _json(_videos)),
    Route("POST", "/_sandbox/tiktok", _json(_tiktok)),
)
