"""The ledger on a real PostgreSQL: alone in a transaction, connections that are lost, and who holds a tracker."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Thread

import psycopg
import pytest
from ledger_calls import LATER, NOW, begin, kinds, recorder, request
from support import postgres

from sheetsync.errors import ConfigError, Locked, TakenOver, Unavailable
from sheetsync.ledger import database
from sheetsync.ledger.postgres import PostgreSQL
from sheetsync.ledger.store import Ledger
from sheetsync.model import IntentState
from sheetsync.state import Server

INSERT = "INSERT INTO balance (tracker, credits, told_at) VALUES (?, 1, '')"


def cut(ledger: Ledger) -> None:
    """The server ends the connections of this ledger, the one that holds a tracker too."""
    database = ledger._db
    assert isinstance(database, PostgreSQL)
    for connection in (database._connection, *database._holders.values()):
        postgres.told(f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")


class TestTransactions:
    def test_numbers_are_given_once(self, server: Server) -> None:
        """Threads with a connection each append events: each has its own number, and none is lost."""

        def work(tracker: str) -> None:
            with Ledger(server) as ledger:
                for n in range(20):
                    recorder(ledger, tracker=tracker).adopt(request(f"{tracker}-{n}", f"v{n}"), "adopted")  # type: ignore[arg-type]

        with Ledger(server) as ledger:
            threads = [Thread(target=work, args=(f"t{n}",)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            ids = [number for (number,) in ledger._db.select("SELECT id FROM event ORDER BY id")]
            assert ids == list(range(1, 81))

    def test_busy(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who waits too long for another's transaction is told so."""
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
        with (
            Ledger(server) as one,
            Ledger(server) as two,
            one._db.transaction(),
            pytest.raises(Unavailable) as told,
        ):
            begin(two)
        assert told.match("without it no order is sent")
        with Ledger(server) as one:
            assert begin(one).state is IntentState.SENDING

    def test_all_or_nothing(self, server: Server) -> None:
        """An error half way leaves nothing, and the connection goes on."""
        with Ledger(server) as ledger:
            with suppress(KeyError), ledger._db.transaction():
                ledger._db.execute(INSERT, "a")
                raise KeyError
            assert ledger.balance("a") is None
            recorder(ledger).set_balance(5)
            assert ledger.balance("acme") == (5, NOW)

    def test_texts_that_no_database_holds(self, server: Server) -> None:
        """Half a surrogate pair and a NUL are replaced; what else TokPortal tells is kept as it is."""
        with Ledger(server) as ledger:
            recorder(ledger).observe([request(note="a\ud800b\0c % ? ü", code="#%s")])
            entry = ledger.known("acme").latest["v1"]
            assert (entry.request.note, entry.request.code) == ("a?b\N{REPLACEMENT CHARACTER}c % ? ü", "#%s")


class TestLostConnections:
    def test_before_a_transaction(self, server: Server) -> None:
        """The method that finds it out says so and did nothing; the next one has a connection."""
        with Ledger(server) as ledger:
            cut(ledger)
            with pytest.raises(Unavailable):
                begin(ledger)
            assert begin(ledger).id == 1

    def test_within_a_transaction(self, server: Server) -> None:
        """Half a transaction is none, and what follows within it is not recorded alone."""
        with Ledger(server) as ledger:
            with suppress(Unavailable), ledger._db.transaction():
                ledger._db.execute(INSERT, "a")
                cut(ledger)
                with suppress(psycopg.Error):
                    ledger._db.execute(INSERT, "b")
                with pytest.raises(Unavailable):
                    ledger._db.select("SELECT 1")
                with pytest.raises(psycopg.Error):
                    ledger._db.execute(INSERT, "c")
            assert ledger._db.select("SELECT tracker FROM balance") == []

    @pytest.mark.parametrize("is_done", [True, False])
    def test_at_the_commit(self, server: Server, is_done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        """An answer to COMMIT that is lost: the server is asked what became of it, and that is what is said."""
        with Ledger(server) as ledger:
            _lose_the_answer(ledger, is_done)
            if is_done:
                assert begin(ledger).id == 1
            else:
                with pytest.raises(Unavailable):
                    begin(ledger)
            assert kinds(ledger) == (["intent"] if is_done else [])

    def test_nobody_can_be_asked(self, server: Server) -> None:
        """Nor does the server answer: uncertain, whatever it is; the next look tells."""
        with Ledger(server) as ledger:
            _lose_the_answer(ledger, is_done=True)
            ledger._db._server = Server("postgresql://sheetsync:geheim@127.0.0.1:1/nowhere")  # type: ignore[attr-defined]
            with pytest.raises(Unavailable, match="next run finds out") as caught:
                begin(ledger)
            assert "geheim" not in str(caught.value)
            ledger._db._server = server  # type: ignore[attr-defined]
            assert kinds(ledger) == ["intent"]

    def test_server_restarted(self, server: Server) -> None:
        """What was committed is there, and a ledger that was open goes on."""
        with Ledger(server) as ledger:
            begin(ledger)
            postgres.restart()
            with pytest.raises(Unavailable):
                recorder(ledger).set_balance(3)
            recorder(ledger).set_balance(4)
            assert kinds(ledger) == ["intent"]


class TestHolding:
    def test_one_at_a_time(self, server: Server) -> None:
        """Two ledgers exclude each other for a tracker, for that one only, and the second is told whom it waits for."""
        with Ledger(server) as one, Ledger(server) as two:
            with one.lock("acme", "run1", NOW), two.lock("a/b ü", "", NOW):
                with pytest.raises(Locked) as caught, two.lock("acme", "run2", LATER):
                    pass
                assert caught.value.age_seconds == 300
                assert caught.value.holder.startswith(f"pid {os.getpid()} on ")
                assert caught.value.holder.endswith(", run1")
            with two.lock("acme", "", NOW):
                pass

    def test_each_schema_is_a_ledger(self, server: Server) -> None:
        """Two ledgers in one database hold trackers of one name."""
        with (
            Ledger(server) as one,
            Ledger(postgres.fresh()) as two,
            one.lock("acme", "", NOW),
            two.lock("acme", "", NOW),
        ):
            assert begin(one).id == begin(two).id == 1

    def test_lost_and_nobody_came(self, server: Server) -> None:
        """A cut connection alone stops nobody: nobody else has ordered since."""
        with Ledger(server) as ledger, ledger.lock("acme", "run1", NOW):
            cut(ledger)
            with pytest.raises(Unavailable):
                begin(ledger)
            assert begin(ledger).state is IntentState.SENDING

    @pytest.mark.parametrize(
        "act",
        [
            lambda ledger, intent: recorder(ledger).begin("v2", intent.mark, None, "{}"),
            lambda ledger, intent: recorder(ledger).resending(intent),
            lambda ledger, intent: recorder(ledger).accepted(intent, request(), 7, 93),
            lambda ledger, intent: recorder(ledger).refused(intent, 422, "no"),
            lambda ledger, intent: recorder(ledger).uncertain(intent, "?"),
            lambda ledger, intent: recorder(ledger).lapse(intent),
            lambda ledger, intent: recorder(ledger).correcting(request(code="#a"), "text"),
            lambda ledger, intent: recorder(ledger).begin_write("{}"),
        ],
    )
    def test_taken_over(self, server: Server, act: Callable[[Ledger, object], object]) -> None:
        """Whoever has lost its tracker records nothing about money any more: begins, sends again, settles nothing."""
        with Ledger(server) as slow, Ledger(server) as other, slow.lock("acme", "slow", NOW):
            intent = begin(slow)
            cut(slow)
            with other.lock("acme", "other", LATER):
                before = (kinds(other), other.known("acme").unsettled)
                with pytest.raises(Unavailable):
                    slow.known("acme")  # finds out that it was cut off
                with pytest.raises(TakenOver, match="other") as caught:
                    act(slow, intent)
                assert caught.value.exit_code == 4
                assert (kinds(other), other.known("acme").unsettled) == before

    def test_tried_in_vain(self, server: Server) -> None:
        """A second run within one process that does not get the tracker leaves the first one's fence in its place."""
        with Ledger(server) as slow, Ledger(server) as other, slow.lock("acme", "slow", NOW):
            with pytest.raises(Locked), slow.lock("acme", "slow too", LATER):
                pass
            cut(slow)
            with other.lock("acme", "other", LATER):
                with pytest.raises(Unavailable):
                    slow.known("acme")
                with pytest.raises(TakenOver):
                    begin(slow)

    def test_the_minute_begins_anew(self, server: Server) -> None:
        """Who takes over from a run that did not end waits its minute from then on, by its own clock."""
        with Ledger(server) as slow, Ledger(server) as other, slow.lock("acme", "slow", NOW):
            begin(slow)
            cut(slow)
            with other.lock("acme", "other", LATER):
                assert other.known("acme").unsettled["v1"].created_at == LATER

    def test_a_run_that_ended(self, server: Server) -> None:
        """After a run that ended by itself, also by an error, no POST is on its way: its minute goes on."""
        with Ledger(server) as ledger:
            with suppress(KeyError), ledger.lock("acme", "run1", NOW):
                begin(ledger)
                raise KeyError
            with ledger.lock("acme", "run2", NOW + timedelta(hours=1)):
                assert ledger.known("acme").unsettled["v1"].created_at == NOW


class TestOpening:
    def test_looking_makes_nothing(self, server: Server) -> None:
        """Read only, a database without a ledger is an empty one, and stays without."""
        with Ledger(server, read_only=True) as ledger:
            assert ledger.first_event() is None
        schema = str(server).rpartition("search_path=")[2]
        assert postgres.told(f"SELECT tablename FROM pg_tables WHERE schemaname = '{schema}'") == []

    def test_one_moment(self, server: Server) -> None:
        """A plan sees what was there when it began, whatever a run writes meanwhile; and may write nothing."""
        with Ledger(server) as writing:
            begin(writing)
            with Ledger(server, read_only=True) as ledger:
                assert kinds(ledger) == ["intent"]
                begin(writing, "v2")
                assert list(ledger.known("acme").unsettled) == ["v1"]
                with pytest.raises(ConfigError, match="may not be written"):
                    begin(ledger, "v3")

    def test_another_programs(self, server: Server) -> None:
        """A schema with somebody's tables is left alone."""
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (id int)")
        with pytest.raises(ConfigError, match="another program"):
            Ledger(server)

    def test_newer_and_older(self, server: Server) -> None:
        """A newer ledger is not touched; an older one is brought up to date by a run, not by a look."""
        Ledger(server).close()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)")
            with pytest.raises(ConfigError, match="older sheetsync"):
                Ledger(server, read_only=True)
            connection.execute("INSERT INTO schema_version VALUES (1000, 'of the future')")
        with pytest.raises(ConfigError, match="newer sheetsync"):
            Ledger(server)

    def test_nobody_there(self) -> None:
        """A server that does not answer is for later, one that does not let us in is for a person; no password."""
        with pytest.raises(Unavailable, match="does the server run") as caught:
            Ledger(Server("postgresql://me:geheim@127.0.0.1:1/db"))
        with pytest.raises(ConfigError, match="let us in") as refused:
            Ledger(Server(postgres.address().replace("sheetsync@", "nobody:geheim@")))
        for error in (caught, refused):
            assert "geheim" not in repr(error.value)
            assert error.value.__suppress_context__  # no traceback shows what the library said


def _lose_the_answer(ledger: Ledger, is_done: bool) -> None:
    """The next COMMIT of this ledger has no answer; it is done, or not."""
    connection = ledger._db._connection  # type: ignore[attr-defined]
    execute = connection.execute

    def once(sql: str, *rest: object) -> object:
        if sql != "COMMIT":
            return execute(sql, *rest)
        if is_done:
            execute(sql)
        cut(ledger)
        return execute("SELECT 1")

    connection.execute = once
