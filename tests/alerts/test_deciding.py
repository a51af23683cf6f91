"""What there is to tell, as tables: facts in, alerts out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sheetsync.alerts.alert import Alert, Happening, Kind, PurseFacts, RunEnded, TrackerFacts
from sheetsync.alerts.deciding import of_purse, of_tracker
from sheetsync.model import Tracker
from sheetsync.receivers import Alerting, Below
from sheetsync.steps import RowSeen

NOW = datetime(2026, 6, 20, 9, tzinfo=UTC)
TRACKER = Tracker("acme", "1abc", "Tracker")
ROW = RowSeen(
    "v1",
    "@mia",
    "Crumbly",
    request_id="R1",
    code="#code",
    owner="Ana",
    place="gid=7&range=5:5",
    begins=NOW - timedelta(days=20),
    code_since=NOW - timedelta(days=19),
)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def decided(facts: TrackerFacts, now: datetime = NOW, is_locked: bool = False, **settings: object) -> list[Alert]:
    return of_tracker(TRACKER, facts, Alerting(**settings), is_locked, now)  # type: ignore[arg-type]


def about(row: RowSeen, now: datetime = NOW, told: tuple[Alert, ...] = (), **settings: object) -> list[Alert]:
    return decided(TrackerFacts({"v1": row}, told={alert.subject: alert for alert in told}), now, **settings)


def ends_in(time: timedelta, **fields: object) -> RowSeen:
    return replace(ROW, ends=NOW + time, **fields)  # type: ignore[arg-type]


class TestLadder:
    @pytest.mark.parametrize(
        ("left", "step"),
        [(168.01, None), (168, 168), (72.01, 168), (72, 72), (24, 24), (23.9, 24), (0.01, 24), (0, 0), (-300, 0)],
    )
    def test_step(self, left: float, step: int | None) -> None:
        """The very second of a step is the step already; the most urgent that has passed is told."""
        found = [alert.subject.rpartition("/")[2] for alert in about(ends_in(hours(left)))]
        assert found == ([] if step is None else [str(step)])

    @pytest.mark.parametrize(("days", "steps"), [(8, 1), (7, 0), (6, 0)])
    def test_the_whole_window(self, days: int, steps: int) -> None:
        """A step as long as the window, or longer, is left out; without a known beginning none is."""
        row = ends_in(hours(100), begins=NOW + hours(100) - timedelta(days=days))
        assert len(about(row)) == steps
        assert len(about(replace(row, begins=None))) == 1

    def test_an_end_before_its_beginning(self) -> None:
        """A date of the past that somebody typed leaves no step."""
        assert about(ends_in(hours(1), begins=NOW + hours(2))) == []

    @pytest.mark.parametrize(
        "fields",
        [{"is_retired": True}, {"code_since": None}, {"code_since": NOW}, {"code_since": NOW + hours(1), "ends": NOW}],
    )
    def test_nobody_has_to_do_anything(self, fields: dict[str, object]) -> None:
        """Retired, seen by an earlier version alone, or ended before it was seen in use."""
        assert about(replace(ends_in(hours(-1)), **fields)) == []  # type: ignore[arg-type]

    def test_no_end_no_ladder(self) -> None:
        """A code without a window, and a ladder without steps."""
        assert about(ROW) == []
        assert about(ends_in(hours(1)), ladder_hours=()) == []

    def test_told_already(self) -> None:
        """The same step of the same end has the same id, whatever was told of it since."""
        (first,) = about(ends_in(hours(70)))
        assert about(ends_in(hours(90)), NOW + hours(20), (first,)) == [
            replace(about(ends_in(hours(90)), NOW + hours(20))[0], id=first.id, moment=first.moment)
        ]
        (other,) = about(ends_in(hours(94)), NOW + hours(24), (first,))
        assert other.id != first.id

    def test_a_more_urgent_step_was_told(self) -> None:
        """An end that moves out by less than a day goes no step back."""
        (day,) = about(ends_in(hours(20)))
        assert about(ends_in(hours(40)), told=(day,)) == []
        (again,) = about(ends_in(hours(45)), told=(day,))
        assert again.subject.endswith("/72")

    def test_words(self) -> None:
        """What to do; while a renewal is under way nothing. Never the code."""
        texts = [about(ends_in(hours(left), is_renewing=new))[0].text for left in (70, -1) for new in (False, True)]
        before, after = (
            "The code ends within 72 hours, on 2026-06-23 07:00 UTC",
            "The code ended on 2026-06-20 08:00 UTC",
        )
        under_way = "A renewal is under way: its code takes over when it is delivered."
        assert texts == [
            f"{before}. Decide: mark renew, or retire it.",
            f"{before}. {under_way}",
            f"{after}. Stop the ads that use it, or mark renew; retire what is not renewed.",
            f"{after}. {under_way}",
        ]

    def test_whose_it_is(self) -> None:
        """As its row says, with the link to it."""
        (alert,) = about(ends_in(hours(1)))
        assert (alert.creator, alert.client, alert.owner) == ("@mia", "Crumbly", "Ana")
        assert alert.link == "https://docs.google.com/spreadsheets/d/1abc/edit#gid=7&range=5:5"


class TestHappenings:
    CODE = Happening(5, "v1", "code", {"request_id": "R1", "code": "#code"})

    @staticmethod
    def change(before: str, after: str) -> Happening:
        return Happening(4, "v1", "status", {"request_id": "R1", "from": before, "to": after})

    def kinds(self, *events: Happening, **facts: object) -> list[Kind]:
        latest = {"v1": ("R1", "cancelled")}
        return [a.kind for a in decided(TrackerFacts({}, events, latest=latest, **facts))]  # type: ignore[arg-type]

    def test_each_kind(self) -> None:
        """By what the events of one request come to."""
        imported = Happening(4, "v1", "imported", {"request_id": "R1"})
        assert self.kinds(self.CODE) == [Kind.RECEIVED]
        assert self.kinds(self.change("accepted", "in_review"), self.CODE) == [Kind.RECEIVED]
        assert self.kinds(imported, self.CODE) == []
        assert self.kinds(self.CODE, known_codes=frozenset({"R1"})) == [Kind.ANSWERED]
        assert self.kinds(self.change("pending_corrections", "in_review"), self.CODE) == [Kind.ANSWERED]
        assert self.kinds(self.change("pending_corrections", "finalized")) == [Kind.ANSWERED]
        assert self.kinds(self.change("pending_corrections", "under_dispute")) == []
        assert self.kinds(self.change("accepted", "in_review")) == []
        assert self.kinds(self.change("pending_corrections", "cancelled")) == [Kind.CANCELLED]
        assert self.kinds(self.CODE, self.change("in_review", "cancelled")) == [Kind.CANCELLED]

    def test_the_same_code_again(self) -> None:
        """A manager who finds nothing wrong says so."""
        (alert,) = decided(TrackerFacts(happenings=(self.change("pending_corrections", "in_review"),)))
        assert "with the same code" in alert.text

    def test_overtaken(self) -> None:
        """Of a video the newest is told; of a cancelled request nothing once there is another."""
        waiting = Alert("a", Kind.RECEIVED, "acme", "", "v1", subject="R0")
        facts = TrackerFacts(happenings=(self.CODE,), open=(waiting,))
        assert [alert.subject for alert in decided(facts)] == ["R1"]
        gone = Alert("a", Kind.CANCELLED, "acme", "", "v1", subject="R0")
        assert decided(TrackerFacts(open=(gone,), latest={"v1": ("R1", "pending")})) == []
        assert decided(TrackerFacts(open=(gone,), latest={"v1": ("R0", "cancelled")})) == [gone]


class TestRuns:
    @staticmethod
    def facts(*codes: int, **more: object) -> TrackerFacts:
        runs = tuple(RunEnded(NOW + hours(n), code, "why") for n, code in enumerate(codes))
        return TrackerFacts(runs=runs, **more)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("codes", "kinds"),
        [
            ((), []),
            ((1, 1), []),
            ((1, 2, 5), [Kind.FAILING]),
            ((1, 1, 1, 1), [Kind.FAILING]),
            ((3,), [Kind.REFUSED]),
            ((3, 3, 3, 3), [Kind.REFUSED]),
            ((3, 1), []),
            ((1, 1, 3, 1), [Kind.FAILING]),
        ],
    )
    def test_kinds(self, codes: tuple[int, ...], kinds: list[Kind]) -> None:
        """Since the last good run; one that was refused worked, and fails none."""
        assert [alert.kind for alert in decided(self.facts(*codes))] == kinds

    def test_one_matter_has_one_id(self) -> None:
        """However many runs it lasts."""
        assert decided(self.facts(1, 1, 1))[0].id == decided(self.facts(1, 1, 1, 1))[0].id
        assert decided(self.facts(3))[0].id == decided(self.facts(3, 1, 3))[0].id

    def test_a_locked_price(self) -> None:
        """It is told by itself."""
        assert decided(self.facts(3), is_locked=True) == []

    def test_good_again(self) -> None:
        """After runs that were told to fail, once one is good."""
        (failing,) = decided(self.facts(1, 1, 1))
        told = {failing.subject: failing}
        (good,) = decided(TrackerFacts(last_good=NOW + hours(5), told=told))
        assert (good.kind, good.id) == (Kind.GOOD, f"{failing.id}/good")
        assert decided(TrackerFacts(last_good=NOW - hours(5), told=told)) == []
        assert decided(TrackerFacts(last_good=NOW + hours(5))) == []

    def test_a_run_without_words(self) -> None:
        """Its exit code says something."""
        (alert,) = decided(TrackerFacts(runs=(RunEnded(NOW, 1, ""),)), failing_runs=1)
        assert alert.text.endswith("the last one: exit code 1")


class TestWaiting:
    @pytest.mark.parametrize(("since", "told"), [(24, 0), (24.1, 1)])
    def test_more_than_a_day(self, since: float, told: int) -> None:
        """The very day is not more than one."""
        row = RowSeen("v1", hold="Waits: fill in Client.", waits_since=NOW - hours(since))
        assert [alert.kind for alert in about(row)] == [Kind.WAITS] * told
        assert about(replace(row, hold="")) == []


class TestPurse:
    @pytest.mark.parametrize(
        ("mark", "credits", "told"),
        [(Below(70), 70, 0), (Below(70), 69, 1), (Below(10, True), 90, 0), (Below(10, True), 89, 1), (Below(0), 0, 0)],
    )
    def test_credits(self, mark: Below, credits: int, told: int) -> None:
        """Below the mark, in credits or in codes at their price."""
        purse = PurseFacts(balance=(credits, NOW), price=9)
        assert len(list(of_purse(purse, Alerting(credits_below=mark)))) == told

    def test_low_already(self) -> None:
        """The alert that says so stays the same, with the newest number."""
        low = Alert("credits/1", Kind.CREDITS, "", "old")
        (alert,) = of_purse(PurseFacts(balance=(8, NOW), low=low), Alerting())
        assert alert == replace(low, text="8 credits are left, enough for 1 code. Top up at TokPortal.")

    def test_nothing_known(self) -> None:
        """No balance, no lock."""
        assert list(of_purse(PurseFacts(), Alerting())) == []
