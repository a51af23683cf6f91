"""What TokPortal denies is told in the row it concerns, marked or not (design 1, promise 3)."""

from __future__ import annotations

import pytest
from support.doctored import VIDEO, Doctored, polls

from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.wire import Request, Response

OTHER = "vid-b"


class Retyped(Doctored):
    """A row was ordered for, its video id typed over, and the ledger lost: its cells are all that is left."""

    def __init__(self, *others: str) -> None:
        super().__init__((VIDEO, *others))
        self.shown = self.with_code()
        self.world.portal.add_video(OTHER)
        self.type(VIDEO, "video_id", OTHER)
        self.ledger = Ledger(None)


class TestARetypedVideoId:
    def test_the_row_names_the_request_that_it_shows(self) -> None:
        """Its code may still run, so that it stays; but not without a word."""
        bench = Retyped()
        report = bench.sync()
        assert (bench.cell(OTHER, "request_id"), report.exit_code) == (bench.shown, 0)
        assert bench.cell(OTHER, "sync_note").startswith(f"TokPortal knows no request though {bench.shown} was seen")
        assert [(hold.video_id, hold.row) for hold in report.holds] == [(OTHER, 2)]

    def test_the_note_goes_with_the_mistake(self) -> None:
        """The video id as it was: TokPortal names the request that the row shows."""
        bench = Retyped()
        bench.sync()
        bench.type(OTHER, "video_id", VIDEO)
        assert bench.sync().holds == []
        assert (bench.cell(VIDEO, "request_id"), bench.cell(VIDEO, "sync_note")) == (bench.shown, "")

    def test_a_marked_duplicate_does_not_hide_it(self) -> None:
        """Each of the rows says so; nothing is ordered."""
        bench = Retyped(OTHER)
        bench.type(OTHER, "action", "request", turn=1)
        bench.sync()
        assert all(bench.shown in bench.cell(OTHER, "sync_note", turn) for turn in (0, 1))
        assert bench.charged(OTHER) == 0


@pytest.mark.parametrize("status", [403, 404])
def test_an_open_request_that_is_no_longer_shown(status: int) -> None:
    """It waits for a person, though nobody marked its row; the note goes once TokPortal shows it again."""
    bench = Doctored()
    bench.mark("request", VIDEO)
    bench.sync()

    def refused(request: Request, answer: Response) -> Response:
        return Response(status, answer.headers, b'{"error": {"code": "GONE", "message": "not yours"}}')

    bench.change = polls(refused)
    assert [hold.row for hold in bench.sync().holds] == [2]
    assert "does not show this video" in bench.cell(VIDEO, "sync_note")
    assert bench.cell(VIDEO, "status") == "pending"
    bench.change = None
    bench.sync()
    assert bench.cell(VIDEO, "sync_note") == ""


class TestNotHeard:
    """Open rows without a mark, and a TokPortal that says nothing of them."""

    @staticmethod
    def opened(*videos: str) -> Doctored:
        """Their orders are under way."""
        bench = Doctored(videos)
        bench.mark("request", *videos)
        bench.sync()
        bench.later(minutes=5)
        return bench

    @pytest.mark.parametrize("fault", ["503", "garbled", "lost_before"])
    def test_of_none(self, fault: str) -> None:
        """Codes may be there that nobody sees: the run is incomplete and says why."""
        bench = self.opened(VIDEO, OTHER)
        bench.world.faults.add("portal.poll", fault=fault, times=99)
        report = bench.sync()
        assert (report.exit_code, report.deferred) == (1, 2)
        assert "TokPortal" in report.warnings[0]

    @pytest.mark.parametrize(("mark", "left"), [("please", 2), ("request", 1)])
    def test_of_none_beside_a_mark(self, mark: str, left: int) -> None:
        """A mark that was not reached is told as such; one that waits for its person hides no open request."""
        bench = self.opened(VIDEO, OTHER)
        bench.mark(mark, VIDEO)
        bench.world.faults.add("portal.poll", fault="503", times=99)
        assert bench.sync().deferred == left

    def test_of_one(self) -> None:
        """That is its row's matter, and said there once it lasts; the other row's code comes."""
        bench = self.opened(VIDEO, OTHER)
        bench.world.portal.submit(OTHER)
        bench.change = polls(lambda asked, told: Response(200, {}, b"<html>") if f"/{VIDEO}/" in asked.path else told)
        report = bench.sync()
        assert (report.exit_code, report.deferred, report.warnings) == (0, 1, [])
        assert bench.cell(OTHER, "spark_code") != ""
        assert bench.cell(VIDEO, "sync_note") == ""
        bench.later(hours=25)
        assert bench.sync().exit_code == 0
        assert bench.cell(VIDEO, "sync_note").startswith("TokPortal's last answer about this video is more than a day")
        bench.change = None
        bench.sync()
        assert bench.cell(VIDEO, "sync_note") == ""
