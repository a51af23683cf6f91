"""The TokPortal client against the sandbox: a real httpx client, without sockets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import inf

import httpx
import pytest
from support.bench import SandboxClock
from tokportal_wire import (
    URL,
    VIDEO,
)

from sheetsync.errors import CallRefused, CallUncertain, Unavailable
from sheetsync.sandbox.wire import ConnectionLost, Request, TimedOut
from sheetsync.sandbox.world import World
from sheetsync.tokportal.client import TokPortal


def _at(world: World) -> Callable[[httpx.Request], httpx.Response]:
    """The sandbox behind a real httpx client, without sockets."""

    def app(request: httpx.Request) -> httpx.Response:
        path, _, _ = request.url.raw_path.decode().partition("?")
        try:
            found = world.handle(Request(request.method, path, (), dict(request.headers), request.content))
        except TimedOut as error:
            raise httpx.ReadTimeout(str(error)) from error
        except ConnectionLost as error:
            raise httpx.ReadError(str(error)) from error
        return httpx.Response(found.status, headers=dict(found.headers), content=found.body)

    return app


@pytest.fixture
def world() -> World:
    made = World()
    made.portal.add_video(VIDEO)
    return made


@pytest.fixture
def client(world: World) -> TokPortal:
    return TokPortal(world.portal.key, URL, SandboxClock(world), httpx.MockTransport(_at(world)))


def test_a_code_from_order_to_correction(world: World, client: TokPortal) -> None:
    """Order, poll, correct and poll again, with the credits that go with it."""
    before = client.balance()
    assert client.latest(VIDEO) is None
    done = client.order(VIDEO, '{"note":"Q3"}', "key-1", inf)
    assert (done.credits_charged, done.credits_remaining) == (7, before - 7)
    submitted = world.portal.submit(VIDEO)
    found = client.latest(VIDEO)
    assert found is not None
    assert (found.id, found.status, found.code) == (done.request.id, "in_review", submitted.code)
    client.correct(found.id, "Code rejected in Ads Manager")
    again = client.latest(VIDEO)
    assert again is not None
    assert again.status == "pending_corrections"


def test_the_same_key_and_body_is_a_replay(world: World, client: TokPortal) -> None:
    """The second lock: a repeated order with the same key is charged once."""
    first, second = (client.order(VIDEO, "{}", "key-1", inf) for _ in range(2))
    assert (first.replayed, second.replayed) == (False, True)
    assert first.request == second.request
    assert len(world.portal.requests) == 1


@pytest.mark.parametrize("fault", ["500", "503", "html502", "slow_after", "garbled", "lost_before", "lost_after"])
def test_an_order_that_meets_a_fault_is_uncertain_and_charged_at_most_once(
    world: World, client: TokPortal, fault: str
) -> None:
    """Whether or not it took effect, the client sends one order and claims nothing."""
    world.faults.add("portal.order", fault=fault)
    with pytest.raises(CallUncertain):
        client.order(VIDEO, "{}", "key-1", inf)
    assert client.calls == 1
    assert len(world.portal.requests) <= 1


@pytest.mark.parametrize("mode", ["body_larger", "header_larger", "equal", "http_date"])
def test_a_429_in_every_documented_form_is_waited_out(world: World, client: TokPortal, mode: str) -> None:
    """However TokPortal says how long, the order follows after it, once."""
    world.portal.switches.set({"retry_after": mode})
    world.faults.add("portal.order", fault="429")
    start = world.clock.now()
    assert client.order(VIDEO, "{}", "key-1", inf).credits_charged == 7
    assert world.clock.now() - start >= timedelta(seconds=1)
    assert len(world.portal.requests) == 1


@pytest.mark.parametrize("mode", [404, 405, "html"])
def test_a_correction_route_that_is_gone_is_a_refusal(world: World, client: TokPortal, mode: object) -> None:
    """The correction stands in no list of operations: its absence is an answer, also as a web page."""
    world.portal.switches.set({"patch_route": mode})
    with pytest.raises(CallRefused):
        client.correct(client.order(VIDEO, "{}", "key-1", inf).request.id, "does not work")


@pytest.mark.parametrize(
    ("shape", "readable"),
    [("new", True), ("old", True), ("text", True), ("fraction", True), ("neither", False)],
)
def test_balance_shapes_of_the_sandbox(world: World, client: TokPortal, shape: str, readable: bool) -> None:
    """Both documented shapes are read; with neither, nothing is guessed."""
    world.portal.switches.set({"balance_shape": shape})
    if readable:
        assert client.balance() == world.portal.credits
    else:
        with pytest.raises(Unavailable):
            client.balance()


def test_five_hundred_polls_meet_no_429(world: World, client: TokPortal) -> None:
    """The pace stays within the bucket of the server."""
    for _ in range(500):
        client.latest(VIDEO)
    assert client.calls == 500
