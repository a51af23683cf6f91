"""The local TikTok's HTTP: what its Business API tells of codes.

Owns the frame of an answer: whatever happens it is a 200, and `code` in its body says what happened (peers.md 1.4).
Does not own what creators do (records.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from math import ceil
from typing import Any

from sheetsync.sandbox.routing import ANY, Route, Routes
from sheetsync.sandbox.tiktok.records import SWITCHED_OFF, Post, TikTok
from sheetsync.sandbox.wire import Request, Response

Json = dict[str, Any]
MOST_A_PAGE, USUAL_A_PAGE = 50, 20

NO_TOKEN, NO_PERMISSION, BAD_PARAMETER, NOWHERE = 40105, 40001, 40002, 40007
TOO_MANY, BUSY, FAILED = 40100, 50002, 50000


class Refused(Exception):
    """TikTok does not do what was asked: the code and the words that it answers."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _list(tiktok: TikTok, request: Request) -> Json:
    """tt_video/list/: the posts whose codes an ad account has applied."""
    advertiser = request.param("advertiser_id")
    page, size = (_number(request, name, usual) for name, usual in (("page", 1), ("page_size", USUAL_A_PAGE)))
    if not 1 <= size <= MOST_A_PAGE or page < 1:
        raise Refused(BAD_PARAMETER, f"page_size: must be between 1 and {MOST_A_PAGE}")
    posts = [post for post in tiktok.posts.values() if advertiser in post.applied_by]
    told = {"page": page, "page_size": size, "total_number": len(posts), "total_page": max(1, ceil(len(posts) / size))}
    return {"list": [_told(post) for post in posts[(page - 1) * size : page * size]], "page_info": told}


def _info(tiktok: TikTok, request: Request) -> Json:
    """tt_video/info/: the post of one code, applied or not. A code that its creator switched off is none any more."""
    post = tiktok.posts.get(request.param("auth_code"))
    if post is None or (post.authorization == SWITCHED_OFF and not post.applied_by):
        raise Refused(BAD_PARAMETER, "auth_code_not_found")
    return _told(post)


def _number(request: Request, name: str, usual: int) -> int:
    text = request.param(name, str(usual))
    if not text.isdecimal():
        raise Refused(BAD_PARAMETER, f"{name}: Not a valid integer.")
    return int(text)


def _told(post: Post) -> Json:
    return {
        "item_info": {
            "item_id": post.item_id,
            "item_type": "VIDEO",
            "status": post.status,
            "text": "",
            "auth_code": post.code,
        },
        "auth_info": {
            "ad_auth_status": post.authorization,
            "auth_start_time": stamp(post.starts),
            "auth_end_time": stamp(post.ends),
            "invite_start_time": stamp(post.starts),
        },
        "user_info": {"identity_id": "sandbox", "identity_type": "AUTH_CODE", "tiktok_name": "sandbox"},
        "video_info": {"duration": 15.0},
    }


def stamp(moment: datetime) -> str:
    """A time as TikTok tells it: UTC, without saying so."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _nowhere(_: TikTok, request: Request) -> Json:
    raise Refused(NOWHERE, f"there is no {request.method} {request.path}")


Endpoint = Callable[[TikTok, Request], Json]
_V = "/open_api/v1.3/tt_video"
ROUTES: Routes[Endpoint] = Routes(
    Route("GET", f"{_V}/list/", _list, "tiktok.list"),
    Route("GET", f"{_V}/info/", _info, "tiktok.info"),
    Route(ANY, "{anything:.*}", _nowhere, "tiktok.other"),
)


class TikTokApi:
    """Answers HTTP calls out of a TikTok."""

    def __init__(self, tiktok: TikTok) -> None:
        self.tiktok = tiktok
        self._answered = 0

    @staticmethod
    def kind(request: Request) -> str:
        """How the log, hooks and faults call this call."""
        found = ROUTES.find(request.method, request.path)
        assert found is not None, "the last route takes every call"
        return found.route.kind

    def handle(self, request: Request) -> Response:
        """Look at the token, then route."""
        found = ROUTES.find(request.method, request.path)
        assert found is not None, "the last route takes every call"
        try:
            self._check(request)
            return self.answer(0, "OK", found.route.handler(self.tiktok, request))
        except Refused as refused:
            return self.answer(refused.code, str(refused))

    def _check(self, request: Request) -> None:
        if self.tiktok.refuses:
            raise Refused(self.tiktok.refuses, "Refused by a switch of the sandbox.")
        accounts = self.tiktok.tokens.get(request.headers.get("access-token", ""))
        if accounts is None:
            raise Refused(NO_TOKEN, "Access token is incorrect or has been revoked.")
        if request.param("advertiser_id") not in accounts:
            raise Refused(NO_PERMISSION, "No permission to operate advertiser.")

    def answer(self, code: int, message: str, data: Json | None = None, status: int = 200) -> Response:
        """The frame of every answer."""
        self._answered += 1
        body = {"code": code, "message": message, "request_id": f"2026{self._answered:028d}", "data": data or {}}
        return Response(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())
