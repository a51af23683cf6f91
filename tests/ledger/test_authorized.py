"""What the ledger keeps of TikTok's words: of each code the last, no time forgotten, and no code or token in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ledger_calls import LATER, NOW, StoppedClock, kinds

from sheetsync.authorizations import Authorization, Trouble, code_name
from sheetsync.ledger.authorized import Authorized
from sheetsync.ledger.store import Ledger

ENDS = NOW + timedelta(days=9)
SAID = Authorization(code_name("#secret"), "v1", "7000000000000000001", "in use", "", NOW, ENDS, NOW)


def book(ledger: Ledger, now: object = NOW, tracker: str = "acme") -> Authorized:
    return ledger.authorized(tracker, "run1", StoppedClock(now))  # type: ignore[arg-type]


def test_the_last_word_counts_and_no_time_is_forgotten(ledger: Ledger) -> None:
    """A code that is not accepted any more has the end that it had."""
    book(ledger).keep([SAID])
    refused = replace(SAID, state="not accepted", refusal="40002: no", starts=None, ends=None, asked_at=LATER)
    book(ledger, LATER).keep([refused])
    assert ledger.known("acme").authorizations == {SAID.code: replace(refused, starts=NOW, ends=ENDS)}
    assert ledger.known("other").authorizations == {}


def test_history_tells_of_what_is_new(ledger: Ledger) -> None:
    """The same word again is no news; a state, a refusal and an end are."""
    for said in (SAID, replace(SAID, asked_at=LATER), replace(SAID, ends=LATER), replace(SAID, state="expired")):
        book(ledger).keep([said])
    book(ledger).keep([])
    assert kinds(ledger) == ["tiktok", "tiktok", "tiktok"]
    assert "#secret" not in str(ledger.history("v1"))


def test_since_when_there_is_trouble(ledger: Ledger) -> None:
    """Until TikTok lets us look: another token that fails, too, is the same trouble."""
    assert book(ledger).trouble() is None
    book(ledger).troubled("no", "token one")
    book(ledger, LATER).troubled("still no", "token two")
    assert book(ledger).trouble() == Trouble("still no", "token two", NOW, LATER)
    assert book(ledger, tracker="other").trouble() is None
    book(ledger).relieved()
    assert book(ledger).trouble() is None
