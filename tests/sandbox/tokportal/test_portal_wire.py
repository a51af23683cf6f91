"""The local TokPortal's HTTP: headers, keys, rate limit, idempotency, dry runs, credits and lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.portal_calls import PATH, VIDEO, call, correct, order, poll
from sheetsync.sandbox.wire import Request, Response
from sheetsync.sandbox.world import World

UUID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def world() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    return world


def code_of(answer: Response) -> object:
    return answer.json()["error"].get("code")


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [("GET", PATH, "default"), ("GET", "/api/ext/nowhere", "default"), ("GET", PATH, ""), ("PUT", PATH, "default")],
)
def test_every_answer_says_version_and_request_id(world: World, method: str, path: str, key: str) -> None:
    """Errors included."""
    headers = {"x_api_key": world.portal.key if key else ""}
    answer = call(world, method, path, **headers)
    assert answer.headers["x-tokportal-api-version"] == "2026-05-25"
    assert answer.headers["x-tokportal-api-stability"] == "stable"
    assert len(answer.headers["x-tokportal-request-id"]) == 36


def test_a_request_id_of_the_callers_own(world: World) -> None:
    """Safe ASCII up to 128 characters comes back; anything else is replaced."""
    assert call(world, "GET", x_request_id="run-1").headers["x-tokportal-request-id"] == "run-1"
    for unsafe in ("a b", "x" * 129, "é"):
        assert call(world, "GET", x_request_id=unsafe).headers["x-tokportal-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("key", "code"), [("", "AUTH_MISSING_KEY"), ("sk_0", "AUTH_INVALID_KEY"), ("sk_old", "AUTH_REVOKED_KEY")]
)
def test_a_key_that_does_not_open(world: World, key: str, code: str) -> None:
    """401 with the documented code, without rate limit headers, without effect."""
    world.portal.add_key("sk_old", revoked=True)
    answer = order(world, x_api_key=key)
    assert (answer.status, code_of(answer)) == (401, code)
    assert "x-ratelimit-limit" not in answer.headers
    assert world.portal.requests == []


@pytest.mark.parametrize(
    ("scope", "polls", "orders"), [("*", 200, 201), ("read", 200, 403), ("write", 403, 201), ("read,write", 200, 201)]
)
def test_scopes_of_a_key(world: World, scope: str, polls: int, orders: int) -> None:
    """read: GET only; write: the rest only."""
    world.portal.add_key("sk_x", scope)
    assert call(world, "GET", x_api_key="sk_x").status == polls
    assert order(world, x_api_key="sk_x").status == orders


def test_the_rate_limit(world: World) -> None:
    """120 calls at once, then two a second; header and body of the 429 name different waits."""
    answers = [call(world, "GET") for _ in range(121)]
    assert [answer.status for answer in answers[118:]] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[118:]] == ["1", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit"] == "120"
    assert int(answers[0].headers["x-ratelimit-reset"]) == world.clock.now().timestamp() + 1
    assert answers[120].headers["retry-after"] == "1"
    assert answers[120].json()["error"]["details"] == {"retry_after_seconds": 2}
    world.clock.advance(timedelta(seconds=1))
    assert [call(world, "GET").status for _ in range(3)] == [200, 200, 429]


def test_each_key_has_its_own_bucket(world: World) -> None:
    """One program's calls do not slow another's key."""
    world.portal.add_key("sk_x")
    for _ in range(121):
        call(world, "GET")
    assert call(world, "GET", x_api_key="sk_x").status == 200


def test_an_order_sent_twice_with_one_key(world: World) -> None:
    """The second answer is the first one, marked, and nothing is charged for it."""
    first = order(world, {"note": "a"}, idempotency_key=UUID)
    second = order(world, {"note": "a"}, idempotency_key=UUID)
    assert (second.status, second.body) == (201, first.body)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-tokportal-request-id"] != first.headers["x-tokportal-request-id"]
    assert [call.effect for call in world.calls] == [True, False]
    assert world.portal.credits == 1240
    assert world.portal.requests[0].idempotency_key == UUID


def test_two_orders_with_two_keys(world: World) -> None:
    """Another key is another order, which the open one forbids."""
    order(world, idempotency_key=UUID)
    assert order(world, idempotency_key=UUID[::-1]).status == 409
    assert world.portal.credits == 1240


def test_a_dry_run(world: World) -> None:
    """Looks like an order, says that it is none, and changes nothing."""
    version = world.portal.version
    answer = order(world, {"note": "n"}, x_tokportal_dry_run="true")
    body = answer.json()
    assert answer.status == 201
    assert body["dry_run"] is True
    assert (body["credits_charged"], body["credits_would_charge"], body["credits_remaining"]) == (0, 7, 1247)
    assert body["cost_breakdown"]["total"] == 7
    assert body["dry_run_notice"].startswith("Simulated: ")
    assert body["data"]["ad_code_request_id"].startswith("00000000-0000-4000-8000-")
    assert (world.portal.version, world.portal.requests) == (version, [])


def test_a_dry_run_of_what_would_be_refused(world: World) -> None:
    """Same validation, same errors."""
    world.portal.credits = 6
    assert order(world, x_tokportal_dry_run="true").status == 402
    assert order(world, {"note": 1}, x_tokportal_dry_run="true").status == 400


def test_an_id_from_a_dry_run_used_for_real(world: World) -> None:
    """Refused with the documented code."""
    answer = call(world, "POST", "/api/ext/videos/00000000-0000-4000-8000-0123456789ab/ad-code-request", {})
    assert code_of(answer) == "DRY_RUN_ID_IN_LIVE_REQUEST"


def test_balance_and_profile(world: World) -> None:
    """Both tell the same number of credits."""
    order(world)
    assert call(world, "GET", "/api/ext/credits/balance").json()["data"]["total_credits"] == 1240
    assert call(world, "GET", "/api/ext/me").json()["data"]["credits"] == 1240
    assert call(world, "GET", "/api/ext/credit-costs").status == 200


def test_the_history_of_credits(world: World) -> None:
    """The newest movement first, page by page; date_to includes its day."""
    order(world)
    world.clock.advance(timedelta(days=1))
    world.portal.cancel(VIDEO)
    page = call(world, "GET", "/api/ext/credits/history?page=1&per_page=2").json()
    assert [(row["type"], row["amount"], row["balance_after"]) for row in page["data"]] == [
        ("credit", 7, 1247),
        ("debit", -7, 1240),
    ]
    assert page["pagination"] == {"page": 1, "per_page": 2, "total": 3, "total_pages": 2}
    day = call(world, "GET", "/api/ext/credits/history?date_from=2026-06-16&date_to=2026-06-16").json()
    assert [row["amount"] for row in day["data"]] == [-7, 1247]
    assert call(world, "GET", "/api/ext/credits/history?per_page=101").status == 400
    assert call(world, "GET", "/api/ext/credits/history?date_from=soon").status == 400


def test_finding_video_ids(world: World) -> None:
    """By account and by bundle; other people's videos are not in the lists."""
    world.portal.add_video("theirs", owner="someone else")
    account = call(world, "GET", "/api/ext/accounts").json()["data"][0]["id"]
    bundle = call(world, "GET", "/api/ext/bundles").json()["data"][0]["id"]
    for path in (f"accounts/{account}/analytics/videos", f"bundles/{bundle}/videos"):
        assert [row["id"] for row in call(world, "GET", f"/api/ext/{path}").json()["data"]] == [VIDEO]
    assert VIDEO in call(world, "GET", "/api/ext/analytics/export/videos").body.decode()


def test_routes_that_do_not_exist(world: World) -> None:
    """404 and 405 in the portal's envelope."""
    assert call(world, "GET", "/api/ext/nowhere").status == 404
    assert call(world, "PUT").status == 405
    assert world.handle(Request("GET", "/nowhere")).status == 404


def test_kinds_of_calls(world: World) -> None:
    """The log names each call by its kind."""
    order(world)
    poll(world)
    world.portal.submit(VIDEO)
    correct(world)
    for path in ("/api/ext/credits/balance", "/api/ext/me", "/api/ext/credits/history"):
        call(world, "GET", path)
    kinds = [call.kind.partition(".")[2] for call in world.calls]
    assert kinds == ["order", "poll", "correct", "balance", "me", "other"]
