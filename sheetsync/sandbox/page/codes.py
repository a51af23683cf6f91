"""TikTok's codes for the page: what each says of itself, and what creators and ad accounts can do to it.

Owns which buttons a code has. Does not own the table (page.py), nor what the buttons do (control.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sheetsync.sandbox.tiktok.records import ADVERTISER, AUTHORIZED, PRIVATE, PUBLIC, Post, TikTok

Acts = Mapping[str, Mapping[str, Any]]


def codes(tiktok: TikTok) -> Sequence[tuple[Sequence[str], Acts]]:
    """Each code, newest first: its cells, and the body of each button by its words."""
    return [(_cells(post), _acts(post)) for post in reversed(tiktok.posts.values())]


def _cells(post: Post) -> Sequence[str]:
    times = (f"{moment:%Y-%m-%d %H:%M}" for moment in (post.starts, post.ends))
    return post.code, *times, post.authorization, post.status, ", ".join(post.applied_by)


def _acts(post: Post) -> Acts:
    code = {"code": post.code}
    apply = "unbind" if ADVERTISER in post.applied_by else "apply"
    switch = "revoke" if post.authorization == AUTHORIZED else "authorize"
    private = post.status == PUBLIC
    return {
        apply: {"do": apply, **code},
        switch: {"do": switch, **code},
        "extend by 30 days": {"do": "extend", "days": 30, **code},
        "private" if private else "public": {"do": "set_status", "status": PRIVATE if private else PUBLIC, **code},
    }
