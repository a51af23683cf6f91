"""The local TokPortal as the API page describes it: ordering, polling, statuses, money."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.portal_calls import PATH, VIDEO, books_balance, call, correct, order, poll
from sheetsync.sandbox.tokportal.managers import Delays
from sheetsync.sandbox.tokportal.portal import Refused
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    return world


def test_an_order_is_answered_as_on_the_api_page(world: World) -> None:
    """201 with `data` and, beside it, what was charged and what is left."""
    answer = order(world, {"note": "For our Q3 Spark Ads campaign"})
    request = world.portal.requests[0]
    assert answer.status == 201
    assert answer.json() == {
        "data": {
            "ad_code_request_id": request.id,
            "video_id": VIDEO,
            "status": "pending",
            "platform": "tiktok",
            "code": None,
            "note": "For our Q3 Spark Ads campaign",
            "created_at": "2026-06-16T10:22:00Z",
        },
        "credits_charged": 7,
        "credits_remaining": 1240,
    }


def test_an_order_and_its_debit_go_together(world: World) -> None:
    """Seven credits leave the book with the request they were paid for."""
    order(world)
    assert [(m.amount, m.request_id) for m in world.portal.ledger][1:] == [(-7, world.portal.requests[0].id)]
    assert world.portal.credits == 1240
    assert books_balance(world)


def test_a_video_without_a_request(world: World) -> None:
    """Polling a video that never had a request gives null, not an error."""
    assert poll(world) is None


def test_the_way_of_a_request(world: World) -> None:
    """pending, accepted, in_review, finalized; the code is there from in_review on."""
    order(world)
    seen = []
    for _ in range(4):
        data = poll(world)
        assert data is not None
        seen.append((data["status"], data["code"] is not None))
        world.portal.manager_work()
    assert seen == [("pending", False), ("accepted", False), ("in_review", True), ("finalized", True)]


def test_times_of_a_request(world: World) -> None:
    """submitted_at and delivered_at are null until they happen."""
    order(world)
    world.clock.advance(timedelta(hours=3, minutes=43))
    world.portal.submit(VIDEO)
    data = poll(world)
    assert data is not None
    assert (data["submitted_at"], data["delivered_at"]) == ("2026-06-16T14:05:00Z", None)


def test_a_code_looks_like_a_formula_or_a_tag(world: World) -> None:
    """Codes carry the characters that spreadsheets are tempted to interpret."""
    order(world)
    world.portal.submit(VIDEO)
    code = world.portal.requests[0].code
    assert code is not None
    assert code.startswith("#")
    assert set("+/=") <= set(code)


def test_a_cancelled_request_is_refunded_once(world: World) -> None:
    """The seven credits come back, and the book shows both movements."""
    order(world)
    world.portal.cancel(VIDEO)
    assert [m.amount for m in world.portal.ledger] == [1247, -7, 7]
    assert world.portal.requests[0].refunded == 7
    with pytest.raises(LookupError):
        world.portal.cancel(VIDEO)
    assert books_balance(world)


@pytest.mark.parametrize("status", ["pending", "accepted", "in_review", "pending_corrections"])
def test_a_second_order_while_one_is_open(world: World, status: str) -> None:
    """One request in progress per video: the second is refused and costs nothing."""
    order(world)
    world.portal.set_status(VIDEO, status)
    assert order(world).status == 409
    assert len(world.portal.requests) == 1
    assert world.portal.credits == 1240


def test_an_order_after_the_last_one_was_delivered(world: World) -> None:
    """A new order is a new request, charged again; polling shows the newer one."""
    order(world)
    for _ in range(3):
        world.portal.manager_work()
    assert order(world).status == 201
    data = poll(world)
    assert data is not None
    assert data["ad_code_request_id"] == world.portal.requests[1].id
    assert world.portal.credits == 1233


def test_too_few_credits(world: World) -> None:
    """402 with what is required, available and missing; nothing is created."""
    world.portal.credits = 5
    answer = order(world)
    assert answer.status == 402
    error = answer.json()["error"]
    assert error["code"] == "INSUFFICIENT_CREDITS"
    assert {**error["details"], "breakdown": None} == {
        "required": 7,
        "available": 5,
        "missing": 2,
        "breakdown": None,
    }
    assert world.portal.requests == []
    assert books_balance(world)


@pytest.mark.parametrize(
    ("lacking", "status"),
    [
        ({"finalized": False}, 409),
        ({"live_link": False}, 409),
        ({"manager": False}, 400),
        ({"coverage": False}, 409),
        ({"platform": "instagram"}, 400),
        ({"owner": "someone else"}, 403),
    ],
)
def test_a_video_that_cannot_be_ordered(world: World, lacking: dict[str, object], status: int) -> None:
    """Every prerequisite of the API page is checked before any credit is taken."""
    world.portal.add_video(VIDEO, **lacking)  # type: ignore[arg-type]
    assert order(world).status == status
    assert world.portal.requests == []
    assert world.portal.credits == 1247


def test_an_unknown_video(world: World) -> None:
    """404 with the documented code."""
    answer = call(world, "POST", "/api/ext/videos/nobody/ad-code-request", {})
    assert (answer.status, answer.json()["error"]["code"]) == (404, "VIDEO_NOT_FOUND")


@pytest.mark.parametrize(
    "body", [{"note": "x" * 501}, {"note": 5}, {"platform": 5}, {"platform": "youtube"}, [], "text"]
)
def test_a_body_that_is_not_valid(world: World, body: object) -> None:
    """400, and nothing is ordered."""
    assert order(world, body).status == 400
    assert world.portal.requests == []


def test_a_note_of_500_characters(world: World) -> None:
    """The limit itself is allowed, and the note reaches the manager whole."""
    assert order(world, {"note": "ü" * 500, "platform": "tiktok"}).status == 201
    assert world.portal.requests[0].note == "ü" * 500


def test_a_body_that_is_not_json(world: World) -> None:
    """400 in the portal's own envelope."""
    answer = world.handle(Request("POST", PATH, (), {"x-api-key": world.portal.key}, b"{"))
    assert answer.status == 400
    assert "message" in answer.json()["error"]


def test_a_correction_of_a_submitted_code(world: World) -> None:
    """The task reopens for the manager, who hands in another code; it is free."""
    order(world)
    world.portal.submit(VIDEO)
    assert correct(world).status == 200
    request = world.portal.requests[0]
    assert (request.status, request.feedback) == ("pending_corrections", ["Code rejected"])
    world.portal.manager_work()
    assert request.status == "in_review"
    assert request.codes == [*dict.fromkeys(request.codes)]
    assert len(request.codes) == 2
    assert world.portal.credits == 1240


@pytest.mark.parametrize("status", ["pending", "accepted", "pending_corrections", "cancelled"])
def test_a_correction_of_a_request_without_a_code(world: World, status: str) -> None:
    """Only a submitted or delivered code can be reported."""
    order(world)
    world.portal.set_status(VIDEO, status)
    assert correct(world).status == 409
    assert world.portal.requests[0].feedback == []


def test_a_correction_wants_the_key_as_bearer(world: World) -> None:
    """Outside /api/ext the header X-API-Key is not looked at."""
    order(world)
    world.portal.submit(VIDEO)
    path = f"/api/ad-code-requests/{world.portal.requests[0].id}"
    answer = call(world, "PATCH", path, {"status": "pending_corrections", "feedback": "bad"})
    assert answer.status == 401
    assert world.portal.requests[0].status == "in_review"


def test_a_correction_of_an_unknown_request(world: World) -> None:
    """404; and another status than pending_corrections is not for clients."""
    bearer = {"authorization": f"Bearer {world.portal.key}"}
    body = {"status": "pending_corrections", "feedback": "bad"}
    assert call(world, "PATCH", "/api/ad-code-requests/none", body, **bearer).status == 404
    assert call(world, "PATCH", "/api/ad-code-requests/none", {"status": "finalized"}, **bearer).status == 400


def test_managers_who_work_by_themselves(world: World) -> None:
    """As the sandbox's time passes each step happens at its own moment, however far the clock jumps."""
    world.portal.auto_managers(Delays())
    order(world)
    world.clock.advance(timedelta(minutes=9))
    assert world.portal.requests[0].status == "pending"
    world.clock.advance(timedelta(days=3))
    data = poll(world)
    assert data is not None
    assert (data["status"], data["submitted_at"]) == ("finalized", "2026-06-16T12:32:00Z")


def test_things_that_happen_in_the_dashboard(world: World) -> None:
    """Orders and spending elsewhere are under the same rules and in the same book."""
    world.portal.order_elsewhere(VIDEO)
    world.portal.spend_elsewhere(40)
    assert world.portal.requests[0].ordered_by == "dashboard"
    assert world.portal.credits == 1200
    with pytest.raises(Refused):
        world.portal.order_elsewhere(VIDEO)
    assert books_balance(world)


def test_a_price_that_changes(world: World) -> None:
    """What was paid is what comes back, whatever the price is by then."""
    order(world)
    world.portal.price = 9
    world.portal.cancel(VIDEO)
    assert world.portal.credits == 1247
    assert order(world).json()["credits_charged"] == 9
    assert books_balance(world)


def test_managers_cannot_do_just_anything(world: World) -> None:
    """A step that does not follow from the status is refused."""
    order(world)
    with pytest.raises(ValueError, match="pending"):
        world.portal.deliver(VIDEO)
