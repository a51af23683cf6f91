"""What the ledger tells: of a tracker, of a video, of a sheet that shrank. Trackers are kept apart."""

from __future__ import annotations

from ledger_calls import LATER, NOW, PAUSE, begin, kinds, recorder, request

from sheetsync.ledger.store import Ledger
from sheetsync.model import Known


class TestTrackers:
    def test_same_video_in_two_trackers(self, ledger: Ledger) -> None:
        """One client's codes, intents, refusals, writes and balance are never another's."""
        recorder(ledger).observe([request(code="#secret")])
        recorder(ledger).refused(begin(ledger), 422, "no", PAUSE)
        begin(ledger)
        recorder(ledger).corrected(request(code="#secret"))
        recorder(ledger).begin_write("{}")
        recorder(ledger).set_balance(100)
        recorder(ledger, LATER).record_run(NOW, 0, "{}")
        assert ledger.known("other") == Known()
        assert (ledger.history("v1", "other"), ledger.entries("v1", "other")) == ((), ())
        assert (
            recorder(ledger, tracker="other").pending_write(),
            ledger.balance("other"),
            ledger.last_run("other"),
        ) == (None, None, None)
        assert ledger.gone_open("other", []) == (0, 0)

    def test_same_video_changes_apart(self, ledger: Ledger) -> None:
        """The same request in two trackers is two entries with histories of their own."""
        begin(ledger, tracker="other")
        recorder(ledger).observe([request(status="pending")])
        recorder(ledger, tracker="other").observe([request(status="cancelled")])
        begin(ledger)
        assert ledger.known("acme").latest["v1"].request.status == "pending"
        assert kinds(ledger, tracker="acme") == ["found", "intent"]
        assert kinds(ledger) == ["intent", "found", "found", "intent"]
        assert {generation.tracker for generation in ledger.entries("v1")} == {"acme", "other"}


class TestFigures:
    def test_charges_are_net_of_refunds(self, ledger: Ledger) -> None:
        """What was cancelled came back; what nobody charged for, or told the price of, is no charge."""
        orders = (request("r1", "v1", created_at=NOW), 7), (request("r2", "v2"), 9), (request("r3", "v3"), 7)
        for ordered, credits in (*orders, (request("r4", "v4"), None)):
            recorder(ledger).accepted(begin(ledger, ordered.video_id), ordered, credits, None)
        recorder(ledger).observe([request("r3", "v3", "cancelled"), request("r5", "v5")])
        charges = {(charge.video_id, charge.credits) for charge in ledger.charges("acme")}
        assert charges == {("v1", 7), ("v2", 9)}
        assert {charge.at for charge in ledger.charges("acme")} == {NOW}
        assert ledger.charges("other") == ()

    def test_the_last_good_run(self, ledger: Ledger) -> None:
        """The last that ended with 0, whatever came after it."""
        assert ledger.last_good_run("acme") is None
        recorder(ledger, NOW).record_run(NOW, 0, "")
        recorder(ledger, LATER, "run2").record_run(LATER, 1, "")
        assert ledger.last_good_run("acme") == NOW
        assert ledger.last_good_run("other") is None


class TestShrunkenSheet:
    def test_open_requests_gone(self, ledger: Ledger) -> None:
        """Only open requests whose video is no longer in the sheet count as gone."""
        rows = [
            request("r1", "v1"),
            request("r2", "v2"),
            request("r3", "v3", "finalized"),
            request("r4", "v4", "new word"),
        ]
        recorder(ledger).observe(rows)
        assert ledger.gone_open("acme", ["v1", "other"]) == (3, 2)
        assert ledger.gone_open("acme", {"v1": 1, "v2": 2, "v4": 4}) == (3, 0)

    def test_released(self, ledger: Ledger) -> None:
        """What somebody allowed to be gone no longer counts, though it is still observed, until it is back."""
        recorder(ledger).observe([request("r1", "v1"), request("r2", "v2")])
        recorder(ledger).release(["v1", "unknown"])
        recorder(ledger).release(["v1"])
        recorder(ledger, LATER, "run2").observe([request("r1", "v1")])
        assert ledger.gone_open("acme", ["v2"]) == (1, 0)
        assert kinds(ledger) == ["found", "released"]
        assert ledger.gone_open("acme", ["v1", "v2"]) == (2, 0)
        recorder(ledger).end_releases(["v1", "v2"])
        assert ledger.gone_open("acme", ["v2"]) == (2, 1)


class TestRuns:
    def test_last_run(self, ledger: Ledger) -> None:
        """The last run is the one that started last; recorded twice, the second summary holds."""
        recorder(ledger, LATER, "run2").record_run(LATER, 0, "second")
        recorder(ledger, LATER).record_run(NOW, 1, "first")
        recorder(ledger, LATER, "run2").record_run(LATER, 4, "corrected")
        last = ledger.last_run("acme")
        assert last is not None
        assert (last.run_id, last.started_at, last.exit_code, last.summary) == ("run2", LATER, 4, "corrected")

    def test_balance(self, ledger: Ledger) -> None:
        """The balance is the last one told, with its time."""
        assert ledger.balance("acme") is None
        recorder(ledger).set_balance(100)
        recorder(ledger, LATER).set_balance(93)
        assert ledger.balance("acme") == (93, LATER)
