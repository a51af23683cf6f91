"""`sheetsync doctor` compares the books: the column with the ledger, the ledger with TokPortal's credit history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support.command_line import Desk
from support.doctored import body_of
from support.profile import cases

from sheetsync.sandbox import sample
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.wire import Request, Response

COLUMN = (*sample.PERSON, *sample.MACHINE).index("Credits charged")


def sheet(desk: Desk) -> Sheet:
    return desk.book.sheet(sample.TAB)


def lines(desk: Desk, name: str) -> list[str]:
    """What doctor says under a name, without it; no remark makes it fail."""
    result = desk.run("doctor")
    assert result.exit_code == 0, result.stdout
    found = re.findall(rf"^(ok|note|FAIL) +{name}: (.*)$", result.stdout, re.MULTILINE)
    return [f"{word}: {text}" for word, text in found]


def of_column(desk: Desk) -> list[str]:
    return lines(desk, "sheet 'sample' credits")


def of_history(desk: Desk) -> list[str]:
    return lines(desk, "credits")


def renewed_and_cancelled(desk: Desk) -> str:
    """Four orders (28 credits), a renewal of the first (7) that is cancelled (-7); returns its video."""
    video = sample.video_of(desk.book, 0)
    desk.run("sync")
    for _ in range(3):
        desk.world.portal.manager_work()
    desk.run("sync")
    sheet(desk).set_value(1, 1, "renew")
    desk.run("sync")
    desk.world.portal.cancel(video)
    desk.run("sync")
    return video


class TestTheColumn:
    def test_it_adds_up(self, desk: Desk) -> None:
        """Before anything was ordered, and after a renewal that was refunded."""
        assert of_column(desk) == ["ok: 'Credits charged' adds up to 0 credits, as in the ledger"]
        renewed_and_cancelled(desk)
        assert sum(desk.cell(line, "Credits charged") or 0 for line in range(12)) == 28
        assert of_column(desk) == ["ok: 'Credits charged' adds up to 28 credits, as in the ledger"]

    def test_rows_that_say_something_else(self, desk: Desk) -> None:
        """Each is named, with what becomes of it; a number as text adds nothing, and is told as one."""
        desk.run("sync")
        for line, said in ((1, 21), (2, "7"), (9, 5)):
            sheet(desk).set_value(line, COLUMN, said)
        first, second, third = (sample.video_of(desk.book, line - 1) for line in (1, 2, 9))
        says, mends = "'Credits charged' says", "the next sync makes them agree"
        assert of_column(desk) == [
            "note: 'Credits charged' adds up to 40 credits; by the ledger it should be 28",
            f"note: tab 'Tracker' row 2 (video {first}): {says} 21 where the ledger has 7; {mends}",
            f"note: tab 'Tracker' row 3 (video {second}): {says} '7' where the ledger has 7; {mends}",
            f"note: tab 'Tracker' row 10 (video {third}): {says} 5 where the ledger has nothing; "
            "nothing was ever ordered there: empty the cell",
        ]
        sheet(desk).set_value(9, COLUMN, None)
        desk.run("sync")
        assert of_column(desk) == ["ok: 'Credits charged' adds up to 28 credits, as in the ledger"]

    def test_many_rows_that_say_something_else(self, desk: Desk) -> None:
        """With the ledger lost every row knows more: a few are named, the others counted."""
        for line in range(1, 9):
            sheet(desk).set_value(line, COLUMN, line)
        found = of_column(desk)
        assert found[0] == "note: 'Credits charged' adds up to 36 credits; by the ledger it should be 0"
        assert (len(found), found[-1]) == (7, "note: and 3 more rows say something else than the ledger")

    def test_a_copied_row(self, desk: Desk) -> None:
        """Of duplicates the first shows what the video cost; a copy that shows it too is named until a sync."""
        desk.run("sync")
        cells = [sheet(desk).value(1, column) for column in range(len(sample.PERSON) + len(sample.MACHINE))]
        for column, value in enumerate(cells):
            sheet(desk).set_value(13, column, value)
        assert "row 14" in of_column(desk)[1]
        desk.run("sync")
        assert of_column(desk) == ["ok: 'Credits charged' adds up to 28 credits, as in the ledger"]

    def test_rows_that_are_gone(self, desk: Desk) -> None:
        """What their videos have cost stands nowhere else; free ones are not worth a word."""
        video = renewed_and_cancelled(desk)
        taken_over = sample.video_of(desk.book, sample.ORDERED_IN_DASHBOARD)
        for gone in (taken_over, video):
            sheet(desk).delete_rows(next(n for n in range(12) if sample.video_of(desk.book, n) == gone) + 1, 1)
        assert of_column(desk) == [
            "ok: 'Credits charged' adds up to 21 credits, as in the ledger",
            f"note: 1 video without a row have cost 7 credits: {video} 7",
        ]

    def test_an_order_of_which_nobody_told_the_price(self, desk: Desk) -> None:
        """It is in no sum, and that is said."""
        desk.world.portal.tells_price = False
        desk.run("sync")
        assert of_column(desk)[-1] == "note: of 1 order nobody told the price: not in these sums"
        (ordered,) = [r for r in desk.world.portal.requests if r.ordered_by == "api"]
        assert f"(video {ordered.video_id}, ordered here, price not told)" in of_history(desk)[1]


class TestTheHistory:
    def test_before_the_first_sync(self, desk: Desk) -> None:
        """There is nothing to compare: TokPortal is not asked for it."""
        assert of_history(desk) == []
        assert not any("history" in call.path for call in desk.world.calls)

    def test_what_agrees_and_what_others_did(self, desk: Desk) -> None:
        """Each of our charges and refunds is found; the dashboard's orders and everything else is summed."""
        renewed_and_cancelled(desk)
        portal = desk.world.portal
        portal.order_elsewhere(sample.video_of(desk.book, 2))
        portal.spend_elsewhere(32)
        before = portal.credits, desk.book.sheet(sample.TAB).table()
        agrees, elsewhere, others = of_history(desk)
        net = "35 - 7 = 28 credits (5 orders, 1 refund)"
        assert re.fullmatch(
            rf"ok: since ....-..-.. this ledger paid {re.escape(net)}; .* credit history agrees", agrees
        )
        moment = r"....-..-.. ..:.. UTC"
        taken_over = sample.video_of(desk.book, sample.ORDERED_IN_DASHBOARD)
        told = rf"{moment}( \(video {taken_over}, taken over\))?, {moment}( \(video {taken_over}, taken over\))?"
        whose = r"for ad codes that this ledger has no charge of \(dashboard, or another machine\)"
        # the sandbox began a moment ago: what the sample's dashboard did, before the ledger's first event, is no part
        assert re.fullmatch(rf"note: -(7|14) credits \([12] x\) {whose}: ({told}|{moment})", elsewhere)
        assert "spent in the dashboard: -32 credits (1 x)" in others
        assert (portal.credits, desk.book.sheet(sample.TAB).table()) == before

    def test_a_charge_and_a_refund_that_tokportal_does_not_show(self, desk: Desk) -> None:
        """Both are named, with video and tracker: somebody has to ask TokPortal."""
        video = renewed_and_cancelled(desk)
        portal = desk.world.portal
        ours = [request for request in portal.requests if request.ordered_by == "api"]
        kept = {request.id for request in ours[:-1]}
        portal.ledger = [movement for movement in portal.ledger if movement.request_id in kept]
        agrees, charge, refund = of_history(desk)
        assert agrees.endswith("; TokPortal's credit history lacks 1 charge and 1 refund")
        assert agrees.startswith("note: ")
        about = rf"{ours[-1].id} \(video {video}, tracker sample, .* UTC\), which TokPortal's history does not show"
        assert re.fullmatch(rf"note: the ledger knows 7 credits charged for request {about}", charge)
        assert re.fullmatch(rf"note: the ledger knows 7 credits refunded for request {about}", refund)

    def test_a_refund_from_before_the_ledger(self, desk: Desk) -> None:
        """The ledger was lost: what its rows tell of earlier days cannot be missed."""
        video = sample.video_of(desk.book, sample.AGING)
        for header, value in (("Credits charged", 7), ("Status", "pending"), ("Requested at", 40000)):
            sheet(desk).set_value(sample.AGING + 1, (*sample.PERSON, *sample.MACHINE).index(header), value)
        portal = desk.world.portal
        portal.set_status(video, "in_review")
        desk.world.clock.set(desk.world.clock.now() - timedelta(days=2))
        portal.cancel(video)
        desk.world.clock.set(desk.world.clock.now() + timedelta(days=2))
        desk.run("sync")
        assert desk.cell(sample.AGING, "Credits charged") == 0
        assert "this ledger paid 28 credits (4 orders); TokPortal's credit history agrees" in of_history(desk)[0]

    @pytest.mark.parametrize("fault", cases(["401", "403", "html502", "garbled"], ["403"]))
    def test_a_history_that_cannot_be_had(self, desk: Desk, fault: str) -> None:
        """One remark, never a failure: nothing rests on it."""
        desk.run("sync")
        desk.world.faults.add("portal.other", fault=fault, times=9)
        (line,) = of_history(desk)
        assert line.startswith("note: TokPortal's credit history was not compared: ")


Item = dict[str, Any]


def named(item: Item) -> None:
    """TokPortal names the request, deep in the breakdown, and no time that fits."""
    item["breakdown"] = {"items": [{"reference": item.pop("request_id")}]}
    item["created_at"] = item["created_at"].replace("2026", "2027").replace("2025", "2027")


def unsigned(item: Item) -> None:
    item["amount"] = abs(item["amount"])


def undescribed(item: Item) -> None:
    for name in ("description", "breakdown", "id", "balance_after"):
        del item[name]


def told_by_type_alone(item: Item) -> None:
    item["amount"] = abs(item["amount"])
    item["type"] = "usage"


def without_amount(item: Item) -> None:
    item["amount"] = str(item["amount"])


SHAPES: list[Callable[[Item], object]] = [named, unsigned, undescribed]


def reshaped(desk: Desk, reshape: Callable[[Item], object], pagination: Item | None) -> list[str]:
    """What doctor says of a history that TokPortal tells in this shape."""
    requests = {f"00000000-0000-4000-9000-{n:012x}": m.request_id for n, m in enumerate(desk.world.portal.ledger, 1)}
    honest, pages = desk.world.handle, list[bytes]()

    def handle(request: Request) -> Response:
        answer = honest(request)
        if not request.path.endswith("/credits/history"):
            return answer
        pages.append(answer.body)
        items = json.loads(pages[0])["data"]  # whichever page is asked for
        for item in items:
            item["request_id"] = requests[item["id"]]
            reshape(item)
        return body_of(answer, data=items, pagination=pagination)

    desk.world.handle = handle  # type: ignore[method-assign]
    return of_history(desk)


@pytest.mark.parametrize("reshape", SHAPES, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("pagination", [{"page": 1, "total_pages": 1}, None], ids=["pages", "no-pages"])
def test_shapes_of_the_history(desk: Desk, reshape: Callable[[Item], object], pagination: Item | None) -> None:
    """In whichever shape TokPortal tells it, each of our charges and refunds is found (reference Q16)."""
    renewed_and_cancelled(desk)
    found = reshaped(desk, reshape, pagination)
    assert re.fullmatch(r"ok: .* = 28 credits .*; TokPortal's credit history agrees", found[0])


def test_what_others_did_in_many_words(desk: Desk) -> None:
    """Summed by what it is of, the largest first; a few orders of the dashboard are named, the others counted."""
    desk.run("sync")
    portal = desk.world.portal
    for amount, reason in (
        (-32, "account_creation"),
        (-2, "Video slot #4"),
        (-2, "video slot 5"),
        (-1, "Video slot: b"),
    ):
        portal._move(amount, reason)
    for _ in range(7):
        portal._move(-9, "Spark code")
    elsewhere, others = of_history(desk)[1:]
    assert re.match(r"note: -(63|70|77) credits \(\d+ x\) for ad codes that this ledger has no charge of", elsewhere)
    assert re.search(r"UTC, and \d+ more$", elsewhere)
    assert re.search(r"account creation: -32 credits \(1 x\); video slot: -5 credits \(3 x\)$", others)


def test_a_history_that_is_not_whole(desk: Desk) -> None:
    """What was read is compared, and that there is more is said."""
    renewed_and_cancelled(desk)
    found = reshaped(desk, named, {"page": 1, "total_pages": 9})
    assert re.fullmatch(r"note: the history is long: compared from ....-..-.. to ....-..-.. only", found[0])


def test_a_history_that_does_not_tell_debits(desk: Desk) -> None:
    """Nothing is made of it: each charge would seem to be missing."""
    renewed_and_cancelled(desk)
    found = reshaped(desk, told_by_type_alone, None)
    assert found == ["note: TokPortal's credit history does not tell what was spent from what came in: not compared"]


def test_movements_that_cannot_be_read(desk: Desk) -> None:
    """They are counted: what they were may be what is missing."""
    renewed_and_cancelled(desk)
    found = reshaped(desk, without_amount, None)
    assert re.fullmatch(r"note: \d+ movements of TokPortal's credit history cannot be read", found[0])
    assert found[1].endswith("; TokPortal's credit history lacks 5 charges and 1 refund")
    assert (found[-1], len(found)) == ("note: and 1 more charges and refunds that TokPortal does not show", 8)
