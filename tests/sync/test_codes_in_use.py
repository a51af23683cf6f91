"""The code in use (design 2 and 5): what a row says for every state of an earlier code and of the latest request.

Each pair is played on the sandbox with the ledger that lived through it, with a new one, and with an older copy.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pytest
from support.bench import PERSON
from support.doctored import VIDEO, Doctored
from support.profile import cases

from sheetsync import notes
from sheetsync.columns import MACHINE_KEYS, header_of, shown_instant, to_serial
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.tokportal.portal import AdCodeRequest

ZONE = "Etc/GMT"
HEADERS = [header_of(key, {}) for key in (*PERSON, *MACHINE_KEYS, "paid_status", "renewal_decision", "received_at")]
KNOWN_EXPIRY = notes.expiry_of_another_code("Known expiry")


class Renewed(Doctored):
    """One video with an earlier code (or none), and its latest request; `earlier` is its code, `ends` its end."""

    def __init__(self, folder: Path, earlier: str) -> None:
        super().__init__(headers=HEADERS)
        self.path, self.old = folder / "state.db", folder / "old.db"
        self.ledger = Ledger(self.path, durable=False)
        self.earlier, self.ends = "", ""
        if earlier == "typed":
            ends = self.clock.now() + timedelta(days=20)
            self.type(VIDEO, "spark_code", "#typed by people")
            self.type(VIDEO, "known_expiry", to_serial(ends, ZONE))
            self.earlier, self.ends = "#typed by people", shown_instant(ends, ZONE)
            self.sync()
        elif earlier != "none":
            self.with_code()
            (request,) = self.requests(VIDEO)
            self.earlier = str(request.code)
            self.ends = shown_instant(request.created_at + timedelta(days=30), ZONE)
            self.later(days={"runs": 10, "renewal needed": 28, "expired": 31}[earlier])
            self.sync()
        self.ledger.close()
        copyfile(self.path, self.old)
        self.ledger = Ledger(self.path, durable=False)
        self.mark("renew" if earlier in ("runs", "renewal needed", "expired") else "request", VIDEO)
        assert self.sync().credits_charged == 7

    @property
    def latest(self) -> AdCodeRequest:
        return self.requests(VIDEO)[-1]

    @property
    def latest_end(self) -> str:
        return shown_instant(self.latest.created_at + timedelta(days=30), ZONE)

    def forget(self, ledger: str) -> None:
        """The ledger is lost, or put back to the copy made before the latest order."""
        if ledger != "kept":
            self.ledger.close()
            self.ledger = Ledger(None) if ledger == "lost" else Ledger(self.old, durable=False)


def _submitted(bench: Renewed) -> None:
    bench.world.portal.submit(VIDEO)
    bench.sync()


def _reported(bench: Renewed) -> None:
    _submitted(bench)
    bench.world.portal.reopen(bench.latest, "does not work")


def _cancelled_with_code(bench: Renewed) -> None:
    _reported(bench)
    bench.sync()
    bench.world.portal.cancel(VIDEO)


def _finalized(bench: Renewed) -> None:
    _submitted(bench)
    bench.world.portal.deliver(VIDEO)


LATEST: dict[str, Callable[[Renewed], object]] = {
    "pending": lambda bench: None,
    "accepted": lambda bench: bench.world.portal.accept(VIDEO),
    "in review": _submitted,
    "reported": _reported,
    "finalized": _finalized,
    "cancelled": lambda bench: bench.world.portal.cancel(VIDEO),
    "cancelled with its code": _cancelled_with_code,
    "unknown": lambda bench: bench.world.portal.set_status(VIDEO, "disputed"),
}
EARLIER, NEWEST, NONE = "the earlier code", "the latest request's code", "no code"
UNDER_WAY, SHOWN = notes.RENEWAL_UNDER_WAY, notes.EARLIER_CODE_SHOWN
UNKNOWN = notes.unknown_status("disputed")
SAYS: dict[str, dict[str, tuple[str, str, tuple[str, ...]]]] = {
    # the state of the latest request: by that of the earlier code, which code is shown, its Expiry, what the note says
    "pending": {
        "none": (NONE, "", ()),
        "runs": (EARLIER, "ok", (UNDER_WAY,)),
        "renewal needed": (EARLIER, "renewal needed", (UNDER_WAY,)),
        "expired": (EARLIER, "expired", (UNDER_WAY,)),
        "typed": (EARLIER, "ok", (UNDER_WAY,)),
    },
    "in review": {
        "none": (NEWEST, "ok", ()),
        "runs": (NEWEST, "ok", ("other",)),
        "renewal needed": (NEWEST, "ok", ("other",)),
        "expired": (NEWEST, "ok", ()),
        "typed": (NEWEST, "ok", ("other", KNOWN_EXPIRY)),
    },
    "reported": {
        "none": (NEWEST, "ok", (notes.REPORTED,)),
        "runs": (EARLIER, "ok", (notes.REPORTED, UNDER_WAY, "newest")),
        "renewal needed": (EARLIER, "renewal needed", (notes.REPORTED, UNDER_WAY, "newest")),
        "expired": (NEWEST, "ok", (notes.REPORTED,)),
        "typed": (EARLIER, "ok", (notes.REPORTED, UNDER_WAY, "newest")),
    },
    "cancelled": {
        "none": (NONE, "", (notes.CANCELLED,)),
        "runs": (EARLIER, "ok", (notes.CANCELLED, SHOWN)),
        "renewal needed": (EARLIER, "renewal needed", (notes.CANCELLED, SHOWN)),
        "expired": (EARLIER, "expired", (notes.CANCELLED, SHOWN)),
        "typed": (EARLIER, "ok", (notes.CANCELLED, SHOWN)),
    },
}
SAYS["accepted"] = SAYS["pending"]
SAYS["finalized"] = SAYS["in review"]
SAYS["cancelled with its code"] = {
    state: (code, word, (notes.CODE_CANCELLED, *said)) for state, (code, word, said) in SAYS["cancelled"].items()
}
SAYS["unknown"] = {state: (code, word, (UNKNOWN, *said)) for state, (code, word, said) in SAYS["pending"].items()}


@pytest.mark.parametrize("ledger", cases(["kept", "lost", "old"], ["lost"]))
@pytest.mark.parametrize("latest", list(LATEST))
@pytest.mark.parametrize("earlier", ["none", "runs", "renewal needed", "expired", "typed"])
def test_what_the_row_says(tmp_path: Path, earlier: str, latest: str, ledger: str) -> None:
    """The table of SAYS, whatever became of the ledger; what no row and no TokPortal can tell a new one is left out."""
    bench = Renewed(tmp_path, earlier)
    LATEST[latest](bench)
    bench.sync()
    bench.forget(ledger)
    bench.sync()
    which, word, said = SAYS[latest][earlier]
    row, request = bench.row(VIDEO), bench.latest
    code = {EARLIER: bench.earlier, NEWEST: request.codes[-1] if request.codes else "", NONE: ""}[which]
    assert (row.get("spark_code", ""), row.get("expiry", "")) == (code, word)
    assert (row["status"], row["request_id"]) == (request.status, request.id)
    # the end is that of the code that is shown
    end = {EARLIER: bench.ends, NEWEST: bench.latest_end, NONE: ""}[which]
    if (earlier, which, ledger) == ("typed", NEWEST, "lost"):
        end = bench.ends  # without memory a typed date holds, whichever code it was typed for
    shown = "" if "expires_at" not in row else float(row["expires_at"])
    assert shown == "" if end == "" else abs(float(shown) - _serial(end)) * 86400 < 61
    stage = word if word in ("renewal needed", "expired") else "received" if code else ""
    assert row.get("stage", "") == (stage or ("requested" if request.status != "cancelled" else ""))
    # to the credit, in whatever ledger
    assert row.get("credits_charged", 0) == bench.charged(VIDEO)
    if (earlier, which, ledger) == ("typed", NEWEST, "old"):
        said = (KNOWN_EXPIRY,)  # the copy is from before the order, which took the typed code into the ledger
    assert set(_told(bench, said, ledger, which)) <= set(_sentences(bench, row.get("sync_note", "")))
    # nothing changes from now on
    changed = bench.sync()
    assert (changed.cells_written, changed.ordered, bench.row(VIDEO)) == (0, 0, row)


def _serial(moment: str) -> float:
    return to_serial(datetime.fromisoformat(moment).replace(tzinfo=UTC), ZONE)


def _told(bench: Renewed, said: tuple[str, ...], ledger: str, which: str) -> list[str]:
    """The sentences that the note has to hold."""
    others = {"other": bench.ends, "newest": bench.latest_end}
    told = [notes.others_run([others[part]]) if part in others else part for part in said]
    if ledger == "lost":
        # a code that is not shown is nowhere else
        told = [part for part in told if not part.startswith("Another code") and part != KNOWN_EXPIRY]
    if ledger == "lost" and which == EARLIER:
        told.append(notes.NOT_CONFIRMED)
    return told


def _sentences(bench: Renewed, note: str) -> list[str]:
    every = [
        notes.RENEWAL_UNDER_WAY, notes.EARLIER_CODE_SHOWN, notes.REPORTED, notes.CANCELLED, notes.CODE_CANCELLED,
        notes.NOT_CONFIRMED, KNOWN_EXPIRY, UNKNOWN,
        *(notes.others_run([end]) for end in (bench.ends, bench.latest_end)),
    ]  # fmt: skip
    return [sentence for sentence in every if sentence in note]


@pytest.mark.parametrize("earlier", ["runs", "typed"])
def test_a_report_that_meets_a_new_ledger_is_answered_once(tmp_path: Path, earlier: str) -> None:
    """The first run of a new ledger takes the earlier code from the row before it decides what its mark waits for."""
    bench = Renewed(tmp_path, earlier)
    bench.forget("lost")
    bench.type(VIDEO, "feedback", "does not work")
    bench.mark("correct", VIDEO)
    bench.sync()
    note = str(bench.row(VIDEO)["sync_note"])
    assert note.startswith(notes.EARLIER_CODE)
    assert (bench.sync().cells_written, bench.row(VIDEO)["sync_note"]) == (0, note)


@pytest.mark.parametrize("since", ["renewed", "cancelled"])
def test_a_code_that_came_after_the_copy_of_the_ledger_was_made(tmp_path: Path, since: str) -> None:
    """Nobody but the row knows it: it goes into the ledger before the row tells of something else."""
    bench = Renewed(tmp_path, "none")
    bench.ledger.close()
    copyfile(bench.path, bench.old)
    bench.ledger = Ledger(bench.path, durable=False)
    _submitted(bench)
    code = bench.latest.codes[-1]
    bench.later(days=1)
    if since == "cancelled":
        bench.world.portal.cancel(VIDEO)
    else:
        bench.world.portal.deliver(VIDEO)
        bench.world.portal.order_elsewhere(VIDEO)
    bench.forget("old")
    bench.sync()
    assert bench.cell(VIDEO, "spark_code") == (code if since == "renewed" else "")
    said = notes.RENEWAL_UNDER_WAY if since == "renewed" else notes.CODE_CANCELLED
    assert said in str(bench.row(VIDEO)["sync_note"])
    assert bench.sync().cells_written == 0
