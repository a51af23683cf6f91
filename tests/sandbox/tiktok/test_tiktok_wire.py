"""The local TikTok speaks as the documents say: a 200 whatever happens, and what happened in its body's `code`."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from sheetsync.sandbox.page.codes import codes
from sheetsync.sandbox.tiktok.records import ADVERTISER, GONE, TOKEN
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import World


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, what: str, token: str = TOKEN, **query: str) -> dict[str, Any]:
    query = {"advertiser_id": ADVERTISER, **query}
    path = f"/open_api/v1.3/tt_video/{what}/"
    answer = world.handle(Request("GET", path, tuple(query.items()), {"access-token": token}))
    assert answer.status == 200
    told: dict[str, Any] = answer.json()
    return told


def test_a_code_is_told_before_it_is_applied(world: World) -> None:
    """Its time runs from when it was made, in UTC without saying so."""
    post = world.tiktok.authorize("#a", days=7)
    told = ask(world, "info", auth_code="#a")
    assert (told["code"], told["data"]["item_info"]["auth_code"]) == (0, "#a")
    assert told["data"]["auth_info"]["auth_end_time"] == f"{post.starts + timedelta(days=7):%Y-%m-%d %H:%M:%S}"
    assert ask(world, "list")["data"]["list"] == []


def test_what_an_ad_account_applied_is_listed_by_pages(world: World) -> None:
    for number in range(120):
        world.tiktok.apply(world.tiktok.authorize(f"#{number}").code)
    pages = [ask(world, "list", page=str(page), page_size="50") for page in (1, 2, 3)]
    assert [len(page["data"]["list"]) for page in pages] == [50, 50, 20]
    assert pages[0]["data"]["page_info"]["total_page"] == 3
    assert ask(world, "list", page_size="51")["code"] == 40002


def test_creators_change_their_minds(world: World) -> None:
    """Extended, switched off, authorized anew; the post goes."""
    ends = world.tiktok.authorize("#a", days=30).ends
    assert world.tiktok.extend("#a", 30).ends == ends + timedelta(days=30)
    world.tiktok.revoke("#a")
    assert ask(world, "info", auth_code="#a")["message"] == "auth_code_not_found"
    world.clock.advance(timedelta(days=3))
    assert world.tiktok.authorize("#a", days=30).ends == world.clock.now() + timedelta(days=30)
    world.tiktok.set_status("#a", GONE)
    assert ask(world, "info", auth_code="#a")["data"]["item_info"]["status"] == GONE


@pytest.mark.parametrize(("token", "advertiser", "code"), [("other", ADVERTISER, 40105), (TOKEN, "1", 40001)])
def test_who_may_not_look(world: World, token: str, advertiser: str, code: int) -> None:
    assert ask(world, "list", token, advertiser_id=advertiser)["code"] == code


def test_a_code_that_a_manager_submits_is_a_creator_s(world: World) -> None:
    """The page shows it, and it is still known after the sandbox was started anew."""
    world.portal.add_video("vid-a")
    world.portal.order_elsewhere("vid-a")
    code = world.portal.submit("vid-a").code
    page = world.handle(Request("GET", "/")).body.decode()
    assert f"<code>{code}</code>".replace("+", "+") in page.replace("&#x27;", "'")
    assert ask(world, "info", auth_code=str(code))["code"] == 0


def test_it_is_kept_in_the_sandbox_s_file(tmp_path: Any) -> None:
    world = World(path=tmp_path / "world.json")
    world.tiktok.apply(world.tiktok.authorize("#a").code)
    world.save()
    assert World.load(tmp_path / "world.json").tiktok.dump() == world.tiktok.dump()


def post(world: World, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = world.handle(Request("POST", "/_sandbox/tiktok", body=json.dumps(body).encode()))
    return answer.status, answer.json()


def test_what_the_page_s_buttons_do(world: World) -> None:
    """Each button of a code, as its body is sent; then the other one of each pair stands there."""
    world.tiktok.authorize("#a")
    for _ in range(2):
        for body in codes(world.tiktok)[0][1].values():
            assert post(world, dict(body))[0] == 200
    world.tiktok.revoke("#a")
    assert [*codes(world.tiktok)[0][1]] == ["apply", "authorize", "extend by 30 days", "private"]


def test_what_it_cannot_do(world: World) -> None:
    """Refused in words; a switch is set by its name."""
    assert post(world, {"do": "dump"}) == (400, {"error": {"message": ANY}})
    assert post(world, {"do": "revoke", "code": "#no"})[0] == 400
    assert post(world, {"posts": {}})[0] == 400
    assert post(world, {"refuses": 50002, "days": 7})[1]["days"] == 7
    assert ask(world, "list")["code"] == 50002
