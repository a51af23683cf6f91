"""TikTok says when: what it tells replaces the estimate, and whatever it does not tell stops nothing (design 5)."""

from __future__ import annotations

from support.tiktoks import VIDEO, Asking, whole


def test_what_tiktok_says_replaces_the_estimate() -> None:
    """The creator chose 7 days, whatever was asked for."""
    bench = Asking()
    bench.world.tiktok.days = 7
    post = bench.with_code()
    bench.sync()
    assert bench.ends() == whole(post.ends)
    assert bench.says() == ("ok", "TikTok", "not applied")
    bench.world.tiktok.apply(post.code)
    bench.later(hours=1)
    bench.sync()
    assert bench.says() == ("ok", "TikTok", "in use")
    assert bench.cell(VIDEO, "sync_note") == ""
