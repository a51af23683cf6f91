"""What is told, to whom, in whole runs on the sandbox: what a receiver on loopback got is all that is looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.receivers import Hook
from support.receivers import hook as hook_context
from support.told import Watched

from sheetsync.columns import to_serial
from sheetsync.ledger import database
from sheetsync.ledger.store import Ledger
from sheetsync.receivers import Below, Receiver

VIDEO = "vid-1"
ENDS = "code ends"
Watch = Callable[..., Watched]


@pytest.fixture(name="hook")
def _hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with hook_context() as made:
        yield made


@pytest.fixture
def watch(hook: Hook) -> Watch:
    """A bench whose tracker has run once, so that what happens from now on is news."""

    def watch(*videos: str, **settings: object) -> Watched:
        bench = Watched(*(videos or (VIDEO,)), to=hook, **settings)
        bench.run()
        return bench

    return watch


@pytest.fixture
def coded(watch: Watch) -> Watched:
    """A code in use of which its receipt was told, and that ends after thirty days."""
    bench = watch()
    bench.type(VIDEO, "creator", "@mia")
    bench.type(VIDEO, "client", "Crumbly")
    bench.type(VIDEO, "renewal_owner", "Ana")
    bench.coded(VIDEO)
    assert bench.told() == [("code received", VIDEO)]
    return bench


def before_end(bench: Watched, **time: float) -> None:
    """The time is so long before the end of the first code, or of the one that a renewal brought."""
    ends = bench.requests(VIDEO)[-1].created_at + timedelta(days=30)
    bench.world.clock.advance(ends - timedelta(**time) - bench.clock.now())


class TestWhatHappens:
    def test_a_code_is_told_once(self, watch: Watch, hook: Hook) -> None:
        """With whose it is and where its row stands, and never with the code."""
        bench = watch(VIDEO, "vid-2")
        for key, value in {"creator": "@mia", "client": "Crumbly", "paid_owner": "Ana"}.items():
            bench.type("vid-2", key, value)
        bench.coded("vid-2")
        (message,) = bench.news()
        (alert,) = message["alerts"]
        assert alert["creator"] == "@mia"
        assert alert["client"] == message["client"] == "Crumbly"
        assert alert["owner"] == "Ana"
        assert alert["link"] == (
            f"https://docs.google.com/spreadsheets/d/{bench.book.id}/edit#gid={bench.sheet.sheet_id}&range=3:3"
        )
        bench.run()
        assert bench.told() == []

    def test_a_correction_is_answered(self, coded: Watched) -> None:
        """The report is the person's own doing: what comes back is told."""
        coded.type(VIDEO, "feedback", "rejected")
        coded.mark("correct", VIDEO)
        coded.run()
        assert coded.told() == []
        coded.deliver(VIDEO)
        coded.run()
        assert coded.told() == [("correction answered", VIDEO)]

    def test_a_request_is_cancelled(self, watch: Watch) -> None:
        """Somebody has to decide whether to order again."""
        bench = watch()
        bench.mark("request", VIDEO)
        bench.run()
        bench.world.portal.cancel(VIDEO)
        bench.run()
        bench.run()
        assert bench.told() == [("request cancelled", VIDEO)]

    def test_a_code_that_only_its_row_knew(self, coded: Watched) -> None:
        """A lost ledger learns it from the row: it was told when it came."""
        with Ledger(None) as fresh:
            coded.run(fresh)
            coded.run(fresh)
        assert coded.told() == []


class TestLadder:
    def test_each_step_once(self, coded: Watched) -> None:
        """A week, three days, a day before, and at the end."""
        for hours, told in ((169, False), (168, True), (167, False), (72, True), (24, True), (1, False), (0, True)):
            before_end(coded, hours=hours)
            coded.run()
            coded.later(minutes=5)
            coded.run()
            assert coded.told() == [(ENDS, VIDEO)] * told, hours
        coded.later(days=20)
        coded.run()
        assert coded.told() == []

    def test_a_week_without_running(self, coded: Watched) -> None:
        """Of several steps that passed at once the most urgent is told, and none of the others later."""
        before_end(coded, hours=20)
        coded.run()
        (message,) = coded.news()
        assert "ends within 24 hours" in message["text"]
        before_end(coded, hours=19)
        coded.run()
        assert coded.told() == []

    def test_a_step_as_long_as_the_window_is_left_out(self, watch: Watch) -> None:
        """A code for seven days is no news on its first day."""
        bench = watch()
        bench.type(VIDEO, "authorization_days", 7)
        bench.coded(VIDEO)
        bench.run()
        assert bench.told() == [("code received", VIDEO)]
        bench.later(days=4)
        bench.run()
        assert bench.told() == [(ENDS, VIDEO)]

    def test_a_renewal_under_way(self, coded: Watched) -> None:
        """Nobody has to decide any more, and the code that takes over ends the ladder of the earlier one."""
        before_end(coded, hours=80)
        coded.mark("renew", VIDEO)
        coded.run()
        coded.news()
        coded.later(hours=8)
        coded.run()
        (message,) = coded.news()
        assert "A renewal is under way" in message["text"]
        coded.deliver(VIDEO)
        coded.run()
        assert coded.told() == [("code received", VIDEO)]
        coded.later(days=4)
        coded.run()
        assert coded.told() == []

    def test_a_retired_code(self, coded: Watched) -> None:
        """That was a person's last word on it."""
        coded.type(VIDEO, "paid_status", "retired")
        for hours in (168, 72, 24, 0):
            before_end(coded, hours=hours)
            coded.run()
        assert coded.told() == []

    def test_an_end_that_moves(self, coded: Watched) -> None:
        """An estimate that is made exact is the same end; days more are another one."""
        before_end(coded, hours=71)
        coded.run()
        assert coded.told() == [(ENDS, VIDEO)]
        ends = coded.clock.now() + timedelta(hours=80)
        coded.type(VIDEO, "known_expiry", to_serial(ends, "Etc/GMT"))
        coded.run()
        coded.later(hours=10)
        coded.run()
        assert coded.told() == []
        coded.type(VIDEO, "known_expiry", to_serial(ends + timedelta(days=9), "Etc/GMT"))
        coded.run()
        assert coded.told() == []
        coded.later(days=9)
        coded.run()
        assert coded.told() == [(ENDS, VIDEO)]

    def test_google_is_down(self, coded: Watched) -> None:
        """An end comes also while the sheet cannot be read."""
        before_end(coded, hours=71)
        coded.world.faults.add("sheets", fault="500", times=1000)
        assert coded.run() == 1
        assert coded.told() == [(ENDS, VIDEO)]

    def test_a_code_that_had_ended_when_it_came(self, watch: Watch) -> None:
        """Rows of last year, pasted in, are old news."""
        bench = watch()
        bench.type(VIDEO, "spark_code", "#typed")
        bench.type(VIDEO, "received_at", to_serial(bench.clock.now() - timedelta(days=60), "Etc/GMT"))
        bench.run()
        assert bench.told() == []


class TestRuns:
    def test_a_refused_run_once(self, watch: Watch) -> None:
        """Not every five minutes; again when it was good in between."""
        bench = watch(VIDEO, "vid-2", settings={"max_orders_per_run": 1})
        for _ in range(2):
            bench.mark("request", VIDEO, "vid-2")
            assert [bench.run() for _ in range(4)] == [3] * 4
            assert bench.told() == [("run refused", "")]
            for video in (VIDEO, "vid-2"):
                bench.type(video, "action", None)
            assert bench.run() == 0

    def test_failing_runs_and_the_first_good_one(self, watch: Watch) -> None:
        """Three in a row; then nothing until one is good."""
        bench = watch()
        bench.world.faults.add("sheets", fault="500", times=10_000)
        said = []
        for _ in range(6):
            assert bench.run() == 1
            said.append(bench.told())
        assert said == [[], [], [("runs fail", "")], [], [], []]
        bench.world.faults.clear()
        assert bench.run() == 0
        assert bench.told() == [("runs are good again", "")]
        bench.run()
        assert bench.told() == []

    def test_two_failing_runs(self, watch: Watch) -> None:
        """That is what the next run is for: nobody hears of it, nor that it is over."""
        bench = watch()
        bench.world.faults.add("sheets", fault="500", times=10_000)
        bench.run()
        bench.run()
        bench.world.faults.clear()
        bench.run()
        assert bench.told() == []

    def test_rows_that_wait(self, watch: Watch) -> None:
        """For more than a day, once; what they wait for is in the message, a day's outage does not start it anew."""
        bench = watch()
        bench.mark("renew", VIDEO)
        bench.run()
        bench.later(hours=23, minutes=59)
        bench.run()
        assert bench.told() == []
        bench.later(minutes=5)
        bench.run()
        (message,) = bench.news()
        assert "Nothing to renew" in message["text"]
        bench.later(days=3)
        bench.run()
        assert bench.told() == []

    def test_some_videos(self, coded: Watched) -> None:
        """A run for some videos has not seen the others: it tells nothing that the next whole run does not know."""
        before_end(coded, hours=71)
        coded.run(videos=frozenset({"vid-2"}))
        assert coded.told() == []
        coded.run()
        assert coded.told() == [(ENDS, VIDEO)]


class TestPurse:
    @pytest.mark.parametrize("mark", [Below(70), Below(10, in_codes=True)])
    def test_credits(self, watch: Watch, mark: Below) -> None:
        """Once when they fall below the mark, and again after they were above it."""
        bench = watch(*(f"vid-{n}" for n in range(6)), credits_below=mark)
        for turn in range(2):
            bench.world.portal.credits = 80
            for number, told in enumerate(([], [("credits low", "")], [])):
                bench.mark("request", f"vid-{turn * 3 + number}")
                bench.run()
                assert bench.told() == told, (turn, number)

    def test_a_price_that_was_not_expected(self, watch: Watch) -> None:
        """Once; that runs are refused until somebody accepts it is the same matter."""
        bench = watch(VIDEO, "vid-2")
        bench.world.portal.price = 9
        bench.mark("request", VIDEO)
        bench.run()
        assert bench.told() == [("price not expected", "")]
        bench.mark("request", "vid-2")
        bench.run()
        bench.run()
        assert bench.told() == []
        bench.run(accept_price=9)
        assert bench.told() == []


class TestReceivers:
    def test_clients_are_never_mixed(self, watch: Watch, hook: Hook) -> None:
        """One message for each client, grouped by owner; rows without a client are the tracker's."""
        bench = watch(*(f"vid-{n}" for n in range(4)))
        for number, (client, owner) in enumerate((("Crumbly", "Ana"), ("Strido", "Ana"), ("crumbly ", "Bo"), ("", ""))):
            bench.type(f"vid-{number}", "client", client or None)
            bench.type(f"vid-{number}", "creator_owner", owner or None)
        bench.coded(*(f"vid-{n}" for n in range(4)))
        found = [[alert["video_id"] for alert in message["alerts"]] for message in bench.news()]
        assert sorted(found) == [["vid-0", "vid-2"], ["vid-1"], ["vid-3"]]
        text = next(message["text"] for message in hook.got if message["client"] == "Crumbly")
        assert text.index("Owner: Ana") < text.index("vid-0") < text.index("Owner: Bo") < text.index("vid-2")
        assert "Strido" not in text

    def test_an_owner_is_reached_where_the_settings_say(self, watch: Watch, hook: Hook) -> None:
        """The first owner that the row names, whatever the case; who is told anyhow is told once."""
        with hook_context() as ana:
            bench = watch(VIDEO, "vid-2", owners={"ana": Receiver(ana.url), "bo": Receiver(hook.url)})
            bench.type(VIDEO, "renewal_owner", " ANA")
            bench.type(VIDEO, "paid_owner", "Bo")
            bench.type("vid-2", "creator_owner", "Bo")
            bench.coded(VIDEO, "vid-2")
            assert [alert["video_id"] for message in ana.got for alert in message["alerts"]] == [VIDEO]
            assert sorted(bench.told()) == [("code received", VIDEO), ("code received", "vid-2")]

    def test_a_tracker_has_its_own(self, watch: Watch) -> None:
        """In the place of those of all."""
        with hook_context() as own:
            bench = watch(of_tracker={"acme": (Receiver(own.url),)})
            bench.coded(VIDEO)
            assert bench.told() == []
            assert len(own.got) == 1

    def test_nobody(self, watch: Watch) -> None:
        """Without a receiver nothing is kept: what happens meanwhile is old when there is one."""
        bench = watch(VIDEO, "vid-2")
        asked = bench.alerting
        bench.quiet()
        bench.coded(VIDEO)
        bench.run()
        assert bench.ledger.outbox(bench.clock).newest(9) == ()
        bench.alerting = asked
        bench.run()
        assert bench.told() == []
        bench.coded("vid-2")
        assert bench.told() == [("code received", "vid-2")]


class TestDown:
    def test_for_a_day(self, coded: Watched, hook: Hook) -> None:
        """What is still so comes once, in one message; what was overtaken does not come."""
        hook.mode = 503
        before_end(coded, hours=80)
        for _ in range(36):
            coded.later(hours=1)
            coded.run()
        assert hook.tried < 40
        hook.mode = 204
        coded.later(hours=1)
        coded.run()
        # 72 hours, and then the renewal, came while it was down
        (message,) = coded.news()
        assert [alert["text"][:24] for alert in message["alerts"]] == ["The code ends within 72 "]
        coded.later(hours=5)
        coded.run()
        assert coded.told() == []

    def test_what_is_over(self, watch: Watch, hook: Hook) -> None:
        """Runs that failed while the receiver was down too, and are good again, concern nobody."""
        bench = watch()
        hook.mode = 500
        bench.world.faults.add("sheets", fault="500", times=10_000)
        for _ in range(4):
            bench.run()
        bench.world.faults.clear()
        bench.run()
        hook.mode = 204
        bench.later(hours=2)
        bench.run()
        assert bench.told() == []

    def test_a_message_that_may_have_come(self, coded: Watched, hook: Hook) -> None:
        """It comes again with the same id; what is new comes in another."""
        hook.mode = "drop"
        before_end(coded, hours=168)
        coded.run()
        (first,) = coded.news()
        coded.later(minutes=1)
        coded.run()
        assert coded.news() == []
        hook.mode = 204
        coded.later(minutes=5)
        coded.run()
        (again,) = coded.news()
        assert (again["id"], again["alerts"]) == (first["id"], first["alerts"])
        coded.later(hours=2)
        coded.run()
        assert coded.told() == []

    def test_pauses_grow(self, coded: Watched, hook: Hook) -> None:
        """Every five minutes at first, every hour in the end."""
        hook.mode = 500
        before_end(coded, hours=60)
        tries = []
        for minute in range(0, 300, 5):
            coded.run()
            if hook.tried > len(tries) + 1:  # the first was told of the code itself
                tries.append(minute)
            coded.later(minutes=5)
        assert tries == [0, 5, 15, 35, 70, 130, 190, 250]

    def test_one_does_not_keep_the_others(self, coded: Watched, hook: Hook) -> None:
        """Each receiver has its own pauses, and an alert is told to each once."""
        with hook_context() as other:
            coded.alerting = type(coded.alerting)(to=(Receiver(other.url), *coded.alerting.to))
            other.mode = 500
            before_end(coded, hours=60)
            coded.run()
            assert coded.told() == [(ENDS, VIDEO)]
            other.mode = 204
            coded.later(minutes=5)
            coded.run()
            assert [a["kind"] for message in other.got for a in message["alerts"]] == [ENDS]
            assert coded.told() == []

    def test_a_clock_that_was_set_back(self, coded: Watched, hook: Hook) -> None:
        """What it had put down for later is not waited for."""
        hook.mode = 500
        before_end(coded, hours=20)
        coded.run()
        hook.mode = 204
        coded.later(hours=-3)
        coded.run()
        assert coded.told() == [(ENDS, VIDEO)]

    def test_the_run_is_over(self, coded: Watched) -> None:
        """Nothing is sent after its end; the next one does."""
        before_end(coded, hours=71)
        coded.clock.ends_in(0)
        coded.tell()
        assert coded.told() == []
        coded.clock.ends_in(60)
        coded.tell()
        assert coded.told() == [(ENDS, VIDEO)]

    def test_the_ledger_cannot_be_written(self, coded: Watched, tmp_path: Path) -> None:
        """Nothing is sent that could not be marked, and the run goes on."""
        before_end(coded, hours=71)
        coded.ledger._db._connection.execute("PRAGMA query_only = 1")
        coded.tell()
        assert coded.told() == []
        coded.ledger._db._connection.execute("PRAGMA query_only = 0")
        coded.tell()
        assert coded.told() == [(ENDS, VIDEO)]


class TestUpgrade:
    def test_old_facts_are_not_told(self, hook: Hook, tmp_path: Path) -> None:
        """A ledger of before alerts: only codes now within the ladder are told, with their most urgent step."""
        bench = Watched("vid-old", VIDEO, "vid-new", to=hook)
        bench.quiet()
        bench.ledger = Ledger(tmp_path / "state.db", durable=False)
        bench.coded("vid-old")
        bench.later(days=20)
        bench.coded(VIDEO)
        bench.later(days=20)
        bench.coded("vid-new")
        bench.later(days=9)
        bench.ledger.close()
        back_to(tmp_path / "state.db", 5)
        bench.ledger = Ledger(tmp_path / "state.db", durable=False)
        bench.alerting = Watched(to=hook).alerting
        bench.run()
        assert bench.told() == [(ENDS, VIDEO)]
        assert "ends within 24 hours" in hook.got[0]["text"]
        bench.run()
        assert bench.told() == []


def back_to(path: Path, version: int) -> None:
    """Undo the later migrations: the file as this version left it."""
    kept = "tracker, video_id, creator, client, hold, request_id, code, ends"
    with sqlite3.connect(path) as connection:
        for table in (
            "alert",
            "delivery",
            "alert_cursor",
            "run_gone",
            "filled",
            "fence",
            "tiktok_code",
            "tiktok_trouble",
        ):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"CREATE TABLE kept AS SELECT {kept} FROM row_seen")
        connection.execute("DROP TABLE row_seen")
        for statement in database.MIGRATIONS[4][1]:
            connection.execute(statement)
        connection.execute("INSERT INTO row_seen SELECT * FROM kept")
        connection.execute("DROP TABLE kept")
        connection.execute("ALTER TABLE price DROP COLUMN lifted")
        connection.execute("DELETE FROM schema_version WHERE version > ?", (version,))
    connection.close()
