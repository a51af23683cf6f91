"""The story end to end, by the commands alone: from an empty spreadsheet to codes in rows that nobody typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from support.bench import TAB
from support.command_line import call, share
from support.init_bench import InitBench

from sheetsync.sandbox.server import Server


@pytest.fixture
def bench() -> InitBench:
    """A spreadsheet with nothing in it, and TokPortal with two accounts beside its own, and four finalized videos."""
    bench = InitBench()
    portal = bench.world.portal
    for name, size in (("mia.bakes", 3), ("joaoruns", 1)):
        bundle = portal.add_bundle(name, "Autumn")
        for _ in range(size):
            portal.add_video(portal.new_id("video"), bundle_id=bundle.id)
    portal.add_video(portal.new_id("video"), bundle_id=bundle.id, finalized=False)
    return bench


@pytest.fixture
def config(bench: InitBench, tmp_path: Path) -> Iterator[Path]:
    with Server(bench.world) as server:
        key = tmp_path / "service-account.json"
        server.write_service_account(key)
        path = tmp_path / "sheetsync.yaml"
        path.write_text(
            f"google: {{credentials: {key}, api_url: {server.url}}}\n"
            f"tokportal: {{api_key: {bench.world.portal.key}, api_url: {server.url}}}\n"
            f"state: {tmp_path}/state.db\n"
            f"trackers: [{{name: acme, spreadsheet: {bench.book.id}, worksheet: {TAB}, "
            "fill: {accounts: [{account: mia.bakes, client: Crumbly}]}}]\n"
        )
        share(path, bench)
        yield path


def test_from_an_empty_tab_to_codes(bench: InitBench, config: Path) -> None:
    """`init`, `fill`, marks, `sync`, the manager, `sync`: codes in the marked rows, paid once; `fill` adds nothing."""
    world = bench.world

    def ran(*words: str) -> Result:
        result = call(config, *words)
        assert result.exit_code == 0, result.output
        return result

    ran("init")
    assert "3 accounts looked through: 4 rows added" in ran("fill").output
    filled = [line for line in bench.table()[1:] if line[bench.column("video_id")]]
    videos = [str(line[bench.column("video_id")]) for line in filled]
    assert set(videos) == {video.id for video in world.portal.videos.values() if video.finalized}
    assert {line[bench.column("action")] for line in filled} == {""}
    assert [bench.cell(video, "creator") for video in videos] == ["@mia.bakes"] * 3 + ["@joaoruns"]
    assert [bench.cell(video, "client") for video in videos] == ["Crumbly"] * 3 + [""]

    marked, others = videos[1:], videos[:1]
    for video in marked:
        bench.type(video, "action", "request")
        bench.type(video, "caption_final", True)
        bench.type(video, "sound_cleared", True)
    assert "3 ordered, 21 credits charged" in ran("sync").output
    for video in marked:
        world.portal.submit(video)
        world.portal.deliver(video)
    assert "3 codes received" in ran("sync").output
    for video in marked:
        assert bench.cell(video, "spark_code") == bench.requests(video)[-1].code
        assert (bench.cell(video, "status"), bench.cell(video, "action")) == ("finalized", "")
        # what a filled row lacks shows at once
        assert "Ad account" in bench.cell(video, "missing")
    assert [bench.charged(video) for video in (*others, *marked)] == [0, 7, 7, 7]

    before = bench.table()
    assert "0 rows added, 4 there already" in ran("fill").output
    assert "nothing to do" in ran("sync").output
    assert bench.table() == before
