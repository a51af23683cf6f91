"""Two rows of different videos with one Video URL say so: a code is paid for by the Video ID, and one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.bench import Bench
from support.builders import entry, known, request, row

from sheetsync import notes
from sheetsync.columns import BY_KEY
from sheetsync.model import Known, Row
from sheetsync.projected import Target
from sheetsync.projection.posts import told_of_same_post

LINK, SAME = "https://www.tiktok.com/@mia/video/1", "tiktok.com/@mia/video/1/?lang=de"
SAYS = "Same Video URL as row {}, under another Video ID: one of the two is wrong."
HEADERS = [*Bench().headers, "Video URL"]


def note(of: Row, *others: Row, ledger: Known | None = None, said: str = "") -> str:
    """The note of a row beside others."""
    (target,) = told_of_same_post([Target(of, {"sync_note": said})], [of, *others], ledger or Known())
    return str(target.values["sync_note"])


MARKED = row(2, action="request", video_url=LINK)


@pytest.mark.parametrize(
    ("others", "text"),
    [
        pytest.param([row(5, "vid-b", video_url=SAME)], SAYS.format(5), id="another video"),
        pytest.param([row(5, "vid-b", video_url=SAME), row(9, "vid-c", video_url=LINK)], SAYS.format("5, 9"), id="two"),
        pytest.param([row(5, video_url=LINK)], "", id="a duplicate: said elsewhere"),
        pytest.param([row(5, "", video_url=LINK)], "", id="a row that is being typed"),
        pytest.param([row(5, "vid-b", video_url=LINK + "2")], "", id="another post"),
        pytest.param([row(5, "vid-b")], "", id="no address"),
    ],
)
def test_who_is_named(others: list[Row], text: str) -> None:
    assert note(MARKED, *others) == text


def test_rows_without_an_address_have_nothing_in_common() -> None:
    assert note(row(2, action="request"), row(5, "vid-b")) == ""
    assert note(row(2, action="request", video_url="tbd"), row(5, "vid-b", video_url="tbd")) == ""


def test_a_row_that_nobody_marked_and_nothing_was_ordered_for_is_left_alone() -> None:
    other = row(5, "vid-b", video_url=SAME)
    assert note(row(2, video_url=LINK), other) == ""
    assert note(row(2, video_url=LINK), other, ledger=known(entry(request()))) == SAYS.format(5)


def test_it_comes_after_what_else_there_is_to_say() -> None:
    """A note that is as long as it may be is cut, not grown; one that stays as it is stays."""
    other = row(5, "vid-b", video_url=SAME)
    assert note(MARKED, other, said="Waits: tick Caption final.") == "Waits: tick Caption final. " + SAYS.format(5)
    assert len(note(MARKED, other, said="x" * notes.LONGEST)) == notes.LONGEST
    kept = Target(MARKED, {"status": ""})
    assert told_of_same_post([kept], [MARKED, other], Known()) == (kept,)


def test_it_stands_in_the_readme_beside_the_texts() -> None:
    assert f"| {SAYS.format(5)} |" in (Path(notes.__file__).parent / "README.md").read_text()


class TestInARun:
    """The whole program."""

    def bench(self) -> Bench:
        bench = Bench(["vid-a", "vid-b", "vid-c"], headers=HEADERS)
        for video, url in (("vid-a", LINK), ("vid-b", SAME), ("vid-c", LINK + "2")):
            bench.type(video, "video_url", url)
        bench.mark("request", "vid-a")
        bench.sync()
        return bench

    def test_both_say_so_once_both_have_something_to_say(self) -> None:
        """The second is ordered all the same: whether it is a mistake, a person knows. Put right, both fall silent."""
        bench = self.bench()
        assert [bench.cell(video, "sync_note") for video in ("vid-a", "vid-b", "vid-c")] == [SAYS.format(3), "", ""]
        bench.mark("request", "vid-b")
        assert bench.sync().ordered == 1
        assert bench.cell("vid-b", "sync_note") == SAYS.format(2)
        bench.type("vid-b", "video_url", LINK + "3")
        bench.sync()
        assert bench.cell("vid-a", "sync_note") == bench.cell("vid-b", "sync_note") == ""

    def test_a_run_of_some_videos_sees_the_others(self) -> None:
        """It says the same as a run of all: nothing changes to and fro."""
        bench = self.bench()
        assert bench.sync(videos=frozenset({"vid-a"})).cells_written == 0
        assert bench.sync().cells_written == 0

    def test_a_sorted_sheet_names_the_rows_as_they_stand_now(self) -> None:
        bench = self.bench()
        bench.sheet.insert_rows(1, 1)
        bench.later(minutes=5)
        bench.sync()
        assert bench.cell("vid-a", "sync_note") == SAYS.format(4)
        assert bench.sync().cells_written == 0

    def test_where_there_is_no_such_column(self) -> None:
        bench = Bench(["vid-a"])
        bench.mark("request", "vid-a")
        assert BY_KEY["video_url"].header not in bench.headers
        assert bench.sync().exit_code == 0
