"""The outbox: what was decided, what is over, and whose turn it is to send."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_calls import NOW, recorder, request
from support.builders import TRACKER

from sheetsync.alerts.alert import Alert, Kind
from sheetsync.alerts.digest import Message, messages
from sheetsync.clock import Clock
from sheetsync.ledger.outbox import Outbox
from sheetsync.ledger.store import Ledger
from sheetsync.receivers import Alerting, Receiver
from sheetsync.steps import RowSeen

HERE, THERE = Receiver("https://here/token"), Receiver("https://there/token")
ALERTING = Alerting(to=(HERE,))
FIRST = Alert("a/1", Kind.ENDS, "acme", "It ends.", "v1", "@mia", "Crumbly", subject="a", moment=NOW)
SECOND = Alert("a/2", Kind.WAITS, "acme", "It waits.", "v2", client="Crumbly")
CLAIM = timedelta(minutes=4)


class Held(Clock):
    """A clock that is moved by hand."""

    at = NOW

    def now(self):  # type: ignore[no-untyped-def]
        return self.at


@pytest.fixture
def clock() -> Held:
    return Held()


@pytest.fixture
def outbox(path: Path, clock: Held) -> Outbox:
    return Ledger(path).outbox(clock)


def waiting(outbox: Outbox, clock: Held, alerting: Alerting = ALERTING) -> list[Message]:
    return list(messages(outbox.open(), alerting, outbox.heard, clock.now()))


class TestRecord:
    def test_decided_once(self, outbox: Outbox, clock: Held) -> None:
        """The same alert decided again is no other one, also by another process; its words are the newest."""
        outbox.record([FIRST], {"acme": 0})
        clock.at += timedelta(hours=1)
        outbox.record([replace(FIRST, text="It ends soon.")], {"acme": 0})
        (told,) = outbox.open()
        assert (told.alert.text, told.decided_at) == ("It ends soon.", NOW)

    def test_over(self, outbox: Outbox, clock: Held) -> None:
        """What is not so any more is not sent; where it is so again, it is."""
        outbox.record([FIRST, SECOND], {"acme": 0})
        outbox.record([SECOND], {"acme": 0})
        assert [told.alert for told in outbox.open()] == [SECOND]
        outbox.record([FIRST, SECOND], {"acme": 0})
        assert [told.alert for told in outbox.open()] == [FIRST, SECOND]

    def test_another_tracker(self, outbox: Outbox) -> None:
        """What was not looked at is not over."""
        outbox.record([FIRST], {"acme": 0})
        outbox.record([], {"other": 0})
        assert [told.alert for told in outbox.open()] == [FIRST]

    def test_what_happened_before_is_old(self, path: Path, clock: Held) -> None:
        """From the first look on events are news, each once."""
        with Ledger(path) as ledger:
            outbox = ledger.outbox(clock)
            recorder(ledger).observe([request(code="#old")])
            facts = outbox.facts("acme")
            assert facts.happenings == ()
            outbox.record([], {"acme": facts.cursor})
            recorder(ledger).observe([request(code="#new")])
            facts = outbox.facts("acme")
            assert [event.kind for event in facts.happenings] == ["code"]
            assert facts.known_codes == {request().id}
            outbox.record([], {"acme": facts.cursor})
            assert outbox.facts("acme").happenings == ()

    def test_off(self, path: Path, clock: Held) -> None:
        """Where nobody is to be told, what happens until somebody is will be old."""
        with Ledger(path) as ledger:
            outbox = ledger.outbox(clock)
            outbox.off()
            outbox.record([FIRST], {"acme": 0})
            outbox.off()
            assert outbox.open() == ()
            recorder(ledger).observe([request(code="#new")])
            assert outbox.facts("acme").happenings == ()


class TestClaim:
    def test_two_processes(self, path: Path, clock: Held) -> None:
        """Both know the same message: one sends it."""
        with Ledger(path) as one, Ledger(path) as two:
            first, second = one.outbox(clock), two.outbox(clock)
            first.record([FIRST], {"acme": 0})
            (message,), (same,) = waiting(first, clock), waiting(second, clock)
            assert message == same
            assert [first.claim(message, CLAIM), second.claim(same, CLAIM)] == [True, False]
            assert waiting(second, clock) == []
            first.answered(message, is_sent=True, is_clear=True, problem="answered 204")
            assert [waiting(first, clock), waiting(second, clock)] == [[], []]
            assert not second.claim(same, CLAIM)

    def test_a_crash_between_send_and_mark(self, outbox: Outbox, clock: Held) -> None:
        """The same message, with the same id, once the claim has run out; what is new comes in another."""
        outbox.record([FIRST], {"acme": 0})
        (message,) = waiting(outbox, clock)
        assert outbox.claim(message, CLAIM)
        outbox.record([FIRST, SECOND], {"acme": 0})
        assert waiting(outbox, clock) == []
        clock.at += CLAIM
        again, new = waiting(outbox, clock)
        assert (again.id, again.alerts) == (message.id, (FIRST,))
        assert new.alerts == (SECOND,)
        assert new.id != message.id

    def test_a_definite_no(self, outbox: Outbox, clock: Held) -> None:
        """It joins what has come since."""
        outbox.record([FIRST], {"acme": 0})
        (message,) = waiting(outbox, clock)
        outbox.claim(message, CLAIM)
        outbox.answered(message, is_sent=False, is_clear=True, problem="answered 500")
        outbox.record([FIRST, SECOND], {"acme": 0})
        clock.at += timedelta(minutes=5)
        (both,) = waiting(outbox, clock)
        assert both.alerts == (FIRST, SECOND)

    def test_to_each_its_own(self, outbox: Outbox, clock: Held) -> None:
        """One that fails rests by itself; an alert is closed when all were told."""
        both = Alerting(to=(HERE, THERE))
        outbox.record([FIRST], {"acme": 0})
        for message in waiting(outbox, clock, both):
            outbox.claim(message, CLAIM)
            outbox.answered(message, message.receiver == THERE, is_clear=True, problem="")
        clock.at += timedelta(minutes=5)
        assert [message.receiver for message in waiting(outbox, clock, both)] == [HERE]
        outbox.close([FIRST.id])
        assert waiting(outbox, clock, both) == []


def test_rows_keep_since_when(path: Path) -> None:
    """Since when a code is in use, and since when a row waits, whatever for, outlives the runs."""
    row = RowSeen("v1", hold="a", request_id="R1", code="#1", code_since=NOW, waits_since=NOW)
    later = NOW + timedelta(hours=1)
    for seen, since in (
        (row, (NOW, NOW)),
        (replace(row, hold="b", code_since=later, waits_since=later), (NOW, NOW)),
        (replace(row, hold="down", code_since=later, waits_since=None), (NOW, NOW)),
        (replace(row, hold="", code="#2", code_since=later, waits_since=None), (later, None)),
        (replace(row, code="#2", code_since=NOW, waits_since=later), (later, later)),
    ):
        with Ledger(path) as ledger:
            recorder(ledger).saw_rows([seen], is_all=True)
            (kept,) = ledger.rows_seen(TRACKER.name)
        assert (kept.code_since, kept.waits_since) == since
