"""`sheetsync status` tells from the ledger alone what may run, what waits for whom, and what it cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from support.command_line import Desk

from sheetsync.model import fingerprint
from sheetsync.sandbox import sample

AGING, HELD, FIRST = sample.AGING, 3, 0
COLUMNS = (*sample.PERSON, *sample.MACHINE)


def sync(desk: Desk, exit_code: int = 0) -> None:
    assert desk.run("sync").exit_code == exit_code


def status(desk: Desk, *arguments: str) -> list[str]:
    """What it prints, table columns by one blank; no service is asked."""
    calls = len(desk.world.calls)
    result = desk.run("status", *arguments)
    assert (result.exit_code, len(desk.world.calls)) == (0, calls)
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def document(desk: Desk, *arguments: str) -> dict[str, Any]:
    (tracker,) = json.loads(desk.run("status", "--json", *arguments).stdout)["trackers"]
    assert isinstance(tracker, dict)
    return tracker


def delivered(desk: Desk) -> None:
    """The sample's orders, each with its code."""
    sync(desk)
    for _ in range(3):
        desk.world.portal.manager_work()
    sync(desk)


def test_before_the_first_sync(desk: Desk) -> None:
    assert status(desk) == ["tracker sample: never synced", "0 videos: none ordered yet"]
    found = document(desk)
    assert (found["last_run"], found["last_good_run"], found["codes_in_use"], found["holds"]) == (None, None, [], [])


def test_runs_that_went_wrong(desk: Desk) -> None:
    """The last run, and the last good one."""
    desk.world.faults.add("sheets", fault="403", times=9)
    sync(desk, 5)
    first = status(desk)
    assert first[0].endswith(", exit code 5")
    assert first[1] == "no good run is known"
    desk.world.faults.clear()
    sync(desk)
    good = document(desk)["last_run"]
    assert status(desk)[0] == f"tracker sample: last run {good['finished_at']}, exit code 0"
    desk.world.faults.add("sheets", fault="403", times=9)
    sync(desk, 5)
    assert status(desk)[1] == f"last good run {good['finished_at']}"
    assert document(desk)["last_good_run"] == good


def test_rows_that_wait(desk: Desk) -> None:
    """Each with creator and client and why, until a run finds it served; the ledger alone tells it."""
    sync(desk)
    video = sample.video_of(desk.book, HELD)
    assert f"{video} @kitchen.kai Crumbly Waits: tick Caption final." in status(desk)
    hold = {"video_id": video, "creator": "@kitchen.kai", "client": "Crumbly", "reason": "Waits: tick Caption final."}
    assert hold in document(desk)["holds"]
    desk.book.sheet(sample.TAB).set_value(HELD + 1, COLUMNS.index("Caption final"), True)
    sync(desk)
    assert not any("@kitchen.kai Crumbly Waits" in line for line in status(desk))
    assert len(document(desk)["holds"]) == 1


def test_a_run_of_one_video_keeps_what_is_known_of_the_others(desk: Desk) -> None:
    """And a row that is gone is no longer spoken of, once a whole run has seen that."""
    sync(desk)
    held = [hold["video_id"] for hold in document(desk)["holds"]]
    assert desk.run("sync", "--video", sample.video_of(desk.book, FIRST)).exit_code == 0
    assert [hold["video_id"] for hold in document(desk)["holds"]] == held
    line = next(n for n in range(12) if sample.video_of(desk.book, n) == held[0])
    desk.book.sheet(sample.TAB).delete_rows(line + 1, 1)
    sync(desk)
    assert [hold["video_id"] for hold in document(desk)["holds"]] == held[1:]


def test_codes_in_use(desk: Desk) -> None:
    """Counted by where they stand now, with what ends next; a code is never printed."""
    delivered(desk)
    lines, found = status(desk), document(desk)
    assert "6 codes in use: 5 ok, 1 renewal needed" in lines
    video, (request,) = sample.video_of(desk.book, AGING), desk.world.portal.by_video[sample.video_of(desk.book, AGING)]
    (due,) = [code for code in found["codes_in_use"] if code["expiry"] == "renewal needed"]
    assert due == {
        "video_id": video,
        "creator": "@emma.reads",
        "client": "Inkbox",
        "request_id": request.id,
        "fingerprint": fingerprint(str(request.code)),
        "expires_at": due["expires_at"],
        "expiry": "renewal needed",
    }
    assert f"{video} @emma.reads Inkbox {fingerprint(str(request.code))} {due['expires_at']}" in lines
    codes = [code for one in desk.world.portal.requests for code in one.codes]
    assert len(codes) == 6
    assert not any(code in desk.run("status", *form).stdout for code in codes for form in ((), ("--json",)))


def test_where_a_code_stands_is_told_as_of_now(desk: Desk) -> None:
    """By the end that the last run saw, and the hours that the tracker warns before it."""
    delivered(desk)
    desk.edit("    worksheet:", "    warn_hours: 1\n    worksheet:")
    assert "6 codes in use: 6 ok" in status(desk)


def test_codes_without_an_end_and_codes_that_ended(desk: Desk) -> None:
    """A code that people typed counts like any other."""
    typed = sample.video_of(desk.book, 2)
    desk.book.sheet(sample.TAB).set_value(3, COLUMNS.index("Spark code"), "#from-the-creator")
    desk.edit("    worksheet:", "    authorization_days: 20\n    worksheet:")
    delivered(desk)
    assert "7 codes in use: 5 ok, 1 expired, 1 no window" in status(desk)
    (code,) = [code for code in document(desk)["codes_in_use"] if code["video_id"] == typed]
    assert (code["expiry"], code["expires_at"], code["creator"]) == ("no window", None, "@lenafit")
    told = desk.run("history", typed).stdout
    assert told.endswith("\n0 ad code requests\n\ncode in use: #from-the-creator, typed by people, no end known\n")


def test_a_renewal_under_way(desk: Desk) -> None:
    """The open request says that it is one, and the earlier code goes on being the one in use."""
    delivered(desk)
    video = sample.video_of(desk.book, FIRST)
    desk.book.sheet(sample.TAB).set_value(FIRST + 1, 1, "renew")
    sync(desk)
    old, new = desk.world.portal.by_video[video]
    assert any(line.startswith(f"{video} @mia.bakes Crumbly pending (renewal) ") for line in status(desk))
    (told,) = document(desk, "--video", video)["videos"]
    assert (told["request_id"], told["is_renewal"], told["credits_charged"]) == (new.id, True, 14)
    (code,) = document(desk, "--video", video)["codes_in_use"]
    assert code["request_id"] == old.id


def test_spending(desk: Desk) -> None:
    """This month, in all, less refunds; of one video alone, if it is named; an order without a price says so."""
    delivered(desk)
    first, second = (sample.video_of(desk.book, line) for line in (0, 1))
    desk.book.sheet(sample.TAB).set_value(1, 1, "renew")
    sync(desk)
    assert "spent 35 credits this month, 35 in all, less refunds" in status(desk)
    desk.world.portal.cancel(first)
    desk.world.portal.tells_price = False
    desk.book.sheet(sample.TAB).set_value(2, 1, "renew")
    desk.run("sync")
    untold = "; of 1 order nobody told the price"
    assert f"spent 28 credits this month, 28 in all, less refunds{untold}" in status(desk)
    assert f"spent 7 credits this month, 7 in all, less refunds{untold}" in status(desk, "--video", second)
    assert document(desk, "--video", first)["spent"] == {"this_month": 7, "total": 7, "unknown_prices": 0}


def test_spending_of_earlier_months(desk: Desk) -> None:
    """The order of four weeks ago: its row tells what it cost, which is no spending of today."""
    for header, value in (("Credits charged", 7), ("Status", "finalized"), ("Requested at", 40000)):
        desk.book.sheet(sample.TAB).set_value(AGING + 1, COLUMNS.index(header), value)
    sync(desk)
    (old,), now = desk.world.portal.by_video[sample.video_of(desk.book, AGING)], datetime.now(UTC)
    this_month = 35 if old.created_at.month == now.month else 28
    assert document(desk)["spent"] == {"this_month": this_month, "total": 35, "unknown_prices": 0}


def test_a_code_that_was_typed_before_an_order(desk: Desk) -> None:
    """`history` tells it as a generation of its own, which the order renews."""
    video = sample.video_of(desk.book, FIRST)
    desk.book.sheet(sample.TAB).set_value(FIRST + 1, COLUMNS.index("Spark code"), "#from-the-creator")
    sync(desk)
    told = desk.run("history", video).stdout
    (request,) = desk.world.portal.by_video[video]
    typed = fingerprint("#from-the-creator")
    assert f"  1. {typed}  cost unknown  #from-the-creator  typed by people\n" in told
    assert f"  2. {request.id}  pending  7 credits  no code  renewal of {typed}\n" in told
    assert told.endswith("\ncode in use: #from-the-creator, typed by people, no end known\n")


def test_a_code_that_only_its_row_knows(desk: Desk) -> None:
    """The ledger is new, and TokPortal tells of no request: `history` says whose word it is."""
    video, table = sample.video_of(desk.book, 2), desk.book.sheet(sample.TAB)
    for header, value in {
        "Request ID": "req-old",
        "Status": "finalized",
        "Requested at": 46000,
        "Submitted at": 46001,
        "Spark code": "#from-the-row",
        "Credits charged": 14,
    }.items():
        table.set_value(3, COLUMNS.index(header), value)
    desk.run("sync")
    told = desk.run("history", video).stdout
    assert "  1. req-old  finalized  cost unknown  #from-the-row  told by its row, not confirmed\n" in told
    assert "\ncode in use: #from-the-row, of req-old, until 20" in told
    assert document(desk, "--video", video)["spent"]["total"] == 14
