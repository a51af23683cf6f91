"""What keeps orders back until a person moves: a price, a gate that vanished, cells that are protected, a formula."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.bench import Bench
from support.doctored import ALL, VIDEO

from sheetsync.columns import letter
from sheetsync.ledger.store import Ledger
from sheetsync.projection import summary
from sheetsync.sandbox.google.cells import Cell, Formula
from sheetsync.sandbox.wire import Request
from sheetsync.steps import Hold


class Killed(BaseException):
    """The process is gone."""


HEADERS = ("Caption final", "Sound cleared")


def marked(*videos: str, **settings: object) -> Bench:
    """A tracker of these videos, all marked."""
    bench = Bench(videos, **settings)
    bench.mark("request", *videos)
    return bench


class TestPrice:
    """A price other than expected locks the orders of its API key until a person accepts one."""

    def test_one_order_and_no_more(self) -> None:
        """Not in this run, not in the next ones; codes go on being fetched, and the row says what allows it."""
        bench = marked(*ALL)
        bench.world.portal.price = 70
        assert bench.sync().ordered == 1
        bench.world.portal.submit(VIDEO)
        for _ in range(3):
            bench.later(minutes=5)
            report = bench.sync()
            assert (report.exit_code, report.ordered) == (3, 0)
        assert sum(map(bench.charged, ALL)) == 70
        assert bench.cell(VIDEO, "spark_code") != ""
        assert "--accept-price" in str(report.error)
        assert "accept the price" in bench.cell("vid-b", "sync_note")

    def test_a_price_that_is_not_told_locks_too(self) -> None:
        """Nobody knows what the next one costs."""
        bench = marked(*ALL[:3])
        bench.world.portal.tells_price = False
        bench.sync()
        bench.later(minutes=5)
        assert bench.sync().exit_code == 3
        assert bench.kinds().count("portal.order") == 1

    def test_another_tracker_of_the_key(self) -> None:
        """The lock is the key's: a second tracker on the same machine orders nothing."""
        ledger = Ledger(None)
        first, second = marked(VIDEO), marked("vid-b")
        second.world.portal.key = first.world.portal.key
        first.world.portal.price = 9
        first.sync(ledger)
        assert second.sync(ledger).exit_code == 3
        assert second.charged("vid-b") == 0

    def test_a_plan_knows_of_it_without_a_ledger(self) -> None:
        """The Summary tab is all that is left: `plan` says what `sync` would, and records nothing."""
        bench = marked(*ALL[:2])
        bench.book.add_sheet("Summary").set_value(0, 0, summary.title(bench.tracker))
        bench.world.portal.price = 9
        bench.sync()
        bench.ledger = Ledger(None)
        bench.later(minutes=5)
        report = bench.sync(plan_only=True)
        assert (report.exit_code, report.plan.orders) == (3, ())
        assert bench.ledger.price(bench.portal().fingerprint).lock == ""

    def test_accepted(self) -> None:
        """From then on it is the price in budgets, in notes and for what is assumed; an order may cost at most that."""
        bench = marked(*ALL, keep_credits=1100)
        bench.world.portal.price = 70
        bench.sync()
        bench.later(minutes=5)
        report = bench.sync(accept_price=70)
        assert (report.exit_code, report.ordered, bench.world.portal.credits) == (0, 1, 1107)
        assert bench.cell("vid-c", "sync_note").startswith("Not enough credits: a code costs 70 beyond the 1100")
        bench.world.portal.price = 71
        bench.world.portal.credits = 5000
        bench.later(minutes=5)
        assert bench.sync().ordered == 1
        bench.later(minutes=5)
        assert bench.sync().exit_code == 3

    @pytest.mark.parametrize("is_lost", [False, True])
    def test_accepted_while_another_tracker_has_no_run(self, is_lost: bool) -> None:
        """Its Summary tab still says the lock that was lifted: its next run orders, and takes it out."""
        bench, other, ledger = marked(VIDEO, "vid-b"), marked("vid-c"), Ledger(None)
        other.tracker = replace(other.tracker, name="other")
        for each in (bench, other):
            each.book.add_sheet("Summary").set_value(0, 0, summary.title(each.tracker))
            each.world.portal.key, each.world.portal.price = bench.world.portal.key, 9
        assert (bench.sync(ledger).exit_code, other.sync(ledger).exit_code) == (3, 3)
        ledger = Ledger(None) if is_lost else ledger
        bench.later(minutes=5)
        assert bench.sync(ledger, accept_price=9).ordered == 1
        assert "vid-a" in str(other.book.sheet("Summary").value(0, 3))
        assert (other.sync(ledger).exit_code, other.book.sheet("Summary").value(0, 3)) == (0, None)
        assert other.charged("vid-c") == 9

    @pytest.mark.parametrize("is_lost", [False, True])
    def test_two_locks_while_another_tracker_has_no_run(self, is_lost: bool) -> None:
        """Its tab says the first of them: that was lifted as well, also where the ledger is new and only a tab told of
        it to the very run that locks anew."""
        bench, other, ledger = marked(*ALL[:4]), marked("vid-c"), Ledger(None)
        other.tracker = replace(other.tracker, name="other")
        other.world.portal.key = bench.world.portal.key
        for each in (bench, other) if is_lost else (other,):
            each.book.add_sheet("Summary").set_value(0, 0, summary.title(each.tracker))
        bench.world.portal.price = 9
        assert (bench.sync(ledger).exit_code, other.sync(ledger).exit_code) == (3, 3)
        ledger = Ledger(None) if is_lost else ledger
        bench.later(minutes=5)
        bench.world.portal.price = 11
        assert bench.sync(ledger, accept_price=9).exit_code == 3
        bench.later(minutes=5)
        assert bench.sync(ledger, accept_price=11).ordered == 2
        assert "9 credits" in str(other.book.sheet("Summary").value(0, 3))
        assert (other.sync(ledger).exit_code, other.charged("vid-c")) == (0, 7)

    def test_cheaper_than_accepted(self) -> None:
        """A lower price than a person accepted locks nothing."""
        bench = marked(*ALL[:2])
        bench.world.portal.price = 9
        assert bench.sync(accept_price=10).ordered == 2

    def test_too_many_marks_are_told_at_the_accepted_price(self) -> None:
        """The sentence that invites to allow them says what that would cost."""
        bench = marked(*ALL, max_orders_per_run=4)
        bench.world.portal.price = 9
        report = bench.sync(accept_price=9)
        assert report.exit_code == 3
        assert "5 orders (45 credits, rows 2 to 6)" in str(report.error)


class TestGates:
    """A gate fails shut."""

    @pytest.mark.parametrize("header", HEADERS)
    def test_a_default_approval_that_was_there(self, header: str) -> None:
        """Renamed, it holds every order, by name, exit 2; put back, the mark is served."""
        bench = Bench(ALL[:2], headers=[*Bench().headers, *HEADERS])
        at = [bench.headers.index(name) for name in HEADERS]
        for line in (1, 2):
            for column in at:
                bench.sheet.set_value(line, column, True)
        bench.sync()
        column = bench.headers.index(header)
        bench.sheet.set_value(0, column, "Something else")
        bench.mark("request", *ALL[:2])
        report = bench.sync()
        assert (report.exit_code, sum(map(bench.charged, ALL[:2]))) == (2, 0)
        assert f"put back the column {header}" in bench.cell(VIDEO, "sync_note")
        bench.sheet.set_value(0, column, header)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7

    def test_a_tab_that_never_had_it(self) -> None:
        """Left out of the config, an approval is asked for only where there is a column for it."""
        bench = marked(VIDEO)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7

    @pytest.mark.parametrize("settings", [{"approve": ("caption_final",)}, {"require": ("market",)}])
    def test_a_named_column_that_is_not_there(self, settings: dict[str, tuple[str, ...]]) -> None:
        """What the config names is asked for always."""
        bench = marked(VIDEO, **settings)
        report = bench.sync()
        assert (report.exit_code, bench.charged(VIDEO)) == (2, 0)
        assert "no column" in str(report.error)

    @pytest.mark.parametrize(
        ("settings", "shut", "note"),
        [
            ({"approve": ("Legal OK",)}, "no", "Waits: tick Legal OK."),
            ({"approve": ("Legal OK",)}, False, "Waits: tick Legal OK."),
            ({"require": ("Legal OK",)}, None, "Waits: fill in Legal OK."),
        ],
    )
    def test_a_column_of_the_teams_own(self, settings: dict[str, tuple[str, ...]], shut: object, note: str) -> None:
        """It is found by its header, wherever it stands; a row that changes before its claim is not ordered."""
        bench = Bench(ALL[:2], headers=["legal  ok", *Bench().headers], **settings)
        bench.mark("request", *ALL[:2])
        for line, says in ((1, shut), (2, True)):
            bench.sheet.set_value(line, 0, says)
        assert (bench.sync().exit_code, bench.cell(VIDEO, "sync_note")) == (0, note)
        assert list(map(bench.charged, ALL[:2])) == [0, 7]
        bench.sheet.set_value(1, 0, True)
        bench.world.faults.edit("sheets.batchUpdate", do=lambda _: bench.sheet.set_value(1, 0, shut))
        assert bench.sync().ordered == 0
        bench.sheet.set_value(1, 0, True)
        assert (bench.sync().ordered, bench.charged(VIDEO)) == (1, 7)

    def test_a_column_of_the_teams_own_that_is_gone_or_doubled(self) -> None:
        """Gone, it holds every order; of two of a name nobody knows which is meant."""
        bench = Bench(ALL[:1], headers=[*Bench().headers, "Legal OK"], approve=("Legal OK",))
        at = len(bench.headers) - 1
        bench.sheet.set_value(1, at, True)
        bench.mark("request", VIDEO)
        for header, beside in (("Legal", None), ("Legal OK", "LEGAL OK")):
            bench.sheet.set_value(0, at, header)
            bench.sheet.set_value(0, at + 1, beside)
            report = bench.sync()
            assert (report.exit_code, bench.charged(VIDEO)) == (2, 0)
            assert "'Legal OK'" in str(report.error)

    @pytest.mark.parametrize("shown", ["#N/A", "#REF!", "#DIV/0!", "Loading..."])
    @pytest.mark.parametrize("settings", [{"require": ("client",)}, {"approve": ("client",)}, {}])
    def test_a_formula_that_came_to_nothing(self, settings: dict[str, tuple[str, ...]], shown: str) -> None:
        """It is not filled in, and no note goes to a manager: the row says which cell to mend, and is ordered then."""
        bench = Bench(ALL[:2], **settings)
        key = "client" if settings else "note"
        bench.mark("request", *ALL[:2])
        bench.type(ALL[1], key, "Acme")
        bench.type(VIDEO, key, "Acme")
        cell = Cell(Formula("=VLOOKUP(A2, Clients!A:B, 2)"))
        cell.shown = shown
        bench.sheet.put(bench.line(VIDEO), bench.column(key), cell)
        report = bench.sync()
        assert (report.exit_code, list(map(bench.charged, ALL[:2]))) == (0, [0, 7])
        assert bench.cell(VIDEO, "sync_note") == f"Waits: mend {key.capitalize()}, which shows {shown}."
        bench.type(VIDEO, key, "Acme")
        assert (bench.sync().exit_code, bench.charged(VIDEO)) == (0, 7)

    def test_without_a_mark_nothing_is_wrong(self) -> None:
        """Codes are fetched, whatever orders would rest on."""
        assert Bench(ALL, approve=("caption_final",)).sync().exit_code == 0


class TestProtected:
    """Cells that sheetsync may not write."""

    @staticmethod
    def protect(bench: Bench, key: str, **more: object) -> None:
        """Somebody keeps a column for themselves."""
        at = bench.column(key)
        area = {"sheetId": bench.sheet.sheet_id, "startRowIndex": 1, "startColumnIndex": at, "endColumnIndex": at + 1}
        held = {"protectedRangeId": 7, "range": area, "editors": {"users": [bench.book.owner]}, **more}
        bench.sheet.attached["protectedRanges"] = [held]
        bench.sheet.touch()

    @pytest.mark.parametrize("key", ["action", "request_id", "credits_left"])
    def test_nothing_is_ordered_for_such_a_row(self, key: str) -> None:
        """What was ordered could not be written, nor the mark be cleared."""
        bench = marked(VIDEO)
        self.protect(bench, key)
        bench.sync()
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, "request")
        assert "protected range" in bench.cell(VIDEO, "sync_note")

    def test_a_warning_keeps_nobody_out(self) -> None:
        """`init` itself makes such ranges."""
        bench = marked(VIDEO)
        self.protect(bench, "request_id", warningOnly=True)
        assert bench.sync().exit_code == 0
        assert bench.charged(VIDEO) == 7

    def test_an_exception_within_the_range(self) -> None:
        """Its unprotected ranges may be written."""
        bench = marked(VIDEO, "vid-b")
        area = {"sheetId": bench.sheet.sheet_id, "startRowIndex": 1, "endRowIndex": 2}
        self.protect(bench, "request_id", unprotectedRanges=[area])
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (7, 0)


class TestProtectedRows:
    """A row that sheetsync may not write, among others: Google does nothing of a call that hits it."""

    @staticmethod
    def protect(bench: Bench, **area: int) -> None:
        """Somebody keeps rows, or all of the tab, for themselves."""
        held = {"protectedRangeId": 7, "range": {"sheetId": bench.sheet.sheet_id, **area}}
        bench.sheet.attached["protectedRanges"] = [held | {"editors": {"users": [bench.book.owner]}}]
        bench.sheet.touch()

    @staticmethod
    def free(bench: Bench) -> None:
        """It was a mistake."""
        bench.sheet.attached["protectedRanges"] = []
        bench.sheet.touch()

    def test_a_marked_one(self) -> None:
        """The others are ordered and shown, also when their codes come; this one is named in the output."""
        bench = marked(*ALL[:3])
        self.protect(bench, startRowIndex=3, endRowIndex=4)
        report = bench.sync()
        assert (report.exit_code, list(map(bench.charged, ALL[:3]))) == (0, [7, 7, 0])
        assert [bench.cell(video, "status") for video in ALL[:3]] == ["pending", "pending", ""]
        assert [(hold.row, "protected range" in hold.reason) for hold in report.holds] == [(4, True)]
        bench.world.portal.submit(VIDEO)
        bench.later(minutes=5)
        bench.sync()
        assert bench.cell(VIDEO, "spark_code") != ""
        self.free(bench)
        bench.sync()
        assert (bench.charged(ALL[2]), bench.cell(ALL[2], "status")) == (7, "pending")

    def test_one_whose_order_is_open(self) -> None:
        """Its code is named as what cannot be shown, the others get theirs, and it gets its own once it may."""
        bench = marked(*ALL[:2])
        bench.sync()
        self.protect(bench, startRowIndex=1, endRowIndex=2)
        for video in ALL[:2]:
            bench.world.portal.submit(video)
        bench.later(minutes=5)
        report = bench.sync()
        assert [bench.cell(video, "spark_code") != "" for video in ALL[:2]] == [False, True]
        assert (report.exit_code, [(hold.video_id, hold.row) for hold in report.holds]) == (0, [(VIDEO, 2)])
        assert bench.sync().sheets_write == 0
        self.free(bench)
        bench.sync()
        assert bench.cell(VIDEO, "spark_code") != ""

    def test_one_cell_of_a_row(self) -> None:
        """The rest of the row is written, and its note says what is missing."""
        bench = marked(VIDEO)
        bench.sync()
        bench.world.portal.submit(VIDEO)
        at = bench.column("spark_code")
        self.protect(bench, startRowIndex=1, startColumnIndex=at, endColumnIndex=at + 1)
        bench.later(minutes=5)
        assert bench.sync().exit_code == 0
        assert (bench.cell(VIDEO, "status"), bench.cell(VIDEO, "spark_code")) == ("in_review", "")
        assert "let sheetsync edit Spark code" in bench.cell(VIDEO, "sync_note")
        assert bench.sync().sheets_write == 0

    def hit(self, *, is_row: bool) -> Bench:
        """A held mark's note and time land one column off; the row, or Request ID, is protected before the repair."""
        bench = Bench(ALL[:2])
        bench.mark("correct", VIDEO)

        def protect(_: object) -> None:
            at = bench.column("request_id")
            column = {"startRowIndex": 1, "startColumnIndex": at, "endColumnIndex": at + 1}
            self.protect(bench, **({"startRowIndex": 1, "endRowIndex": 2} if is_row else column))

        bench.world.faults.edit("sheets.batchUpdate", do=lambda _: bench.sheet.insert_columns(0))
        bench.world.faults.edit("sheets.batchUpdate", when="after", do=protect)
        report = bench.sync()
        assert (report.exit_code, report.unplaced) == (1, [VIDEO])
        assert isinstance(bench.cell(VIDEO, "request_id"), float)
        return bench

    @pytest.mark.parametrize("is_row", [False, True])
    def test_what_was_hit_and_protected_before_it_was_put_back(self, is_row: bool) -> None:
        """It is owed as long as it cannot be paid: no run says that all is done. Once it can, it is paid."""
        bench = self.hit(is_row=is_row)
        again = bench.sync()
        assert (again.exit_code, again.unplaced, again.sheets_write) == (1, [VIDEO], 0)
        assert f"{letter(bench.column('request_id'))}2, which a write hit by mistake: let " in again.warnings[0]
        bench.mark("request", ALL[1])
        other = bench.sync()
        # a column that cannot be written lets nothing be ordered
        assert (other.exit_code, other.unplaced, bench.charged(ALL[1])) == (1, [VIDEO], 7 if is_row else 0)
        self.free(bench)
        assert (bench.sync().exit_code, bench.cell(VIDEO, "request_id")) == (0, "")
        assert bench.sync().sheets_write == 0

    def test_a_column_of_the_teams_that_was_hit_and_protected(self) -> None:
        """What stands there is no word of theirs: the mark waits, the note says for what, and no run writes again."""
        bench = Bench([VIDEO])
        bench.type(VIDEO, "client", "Acme")
        bench.mark("request", VIDEO)

        def protect(_: object) -> None:
            at = bench.column("client")
            self.protect(bench, startRowIndex=1, startColumnIndex=at, endColumnIndex=at + 1)

        bench.world.faults.edit("sheets.batchUpdate", do=lambda _: bench.sheet.insert_columns(0))
        bench.world.faults.edit("sheets.batchUpdate", when="after", do=protect)
        bench.sync()
        assert bench.cell(VIDEO, "client") == "ordering"
        bench.later(minutes=5)
        bench.sync()
        said = "Waits: let sheetsync edit Client, where it has to put back what a write hit by mistake."
        assert (bench.cell(VIDEO, "sync_note"), bench.charged(VIDEO)) == (said, 0)
        bench.later(minutes=5)
        assert bench.sync().sheets_write == 0
        self.free(bench)
        assert bench.sync().exit_code == 0
        assert (bench.cell(VIDEO, "client"), bench.charged(VIDEO)) == ("Acme", 7)

    def test_what_was_hit_and_protected_is_its_peoples_once_they_change_it(self) -> None:
        """The debt is over with the cell that was hit."""
        bench = self.hit(is_row=False)
        bench.type(VIDEO, "request_id", "")
        assert bench.sync().exit_code == 0

    def test_the_whole_tab(self) -> None:
        """Nobody would see what is in it: the run fails, and names whom to let in."""
        bench = marked(VIDEO)
        bench.sync()
        bench.world.portal.submit(VIDEO)
        self.protect(bench)
        bench.later(minutes=5)
        report = bench.sync()
        assert report.exit_code == 5
        assert "bot@sandbox" in str(report.error)

    def test_a_mark_that_cannot_be_cleared_is_no_new_wish_later(self) -> None:
        """Somebody renewed in the dashboard, so the mark is done; its cell is free again after that one's code came."""
        bench = marked(VIDEO)
        bench.sync()
        TestMarksThatNobodyTyped.deliver(bench)
        bench.mark("renew", VIDEO)
        bench.world.portal.order_elsewhere(VIDEO)
        at = bench.column("action")
        self.protect(bench, startRowIndex=1, startColumnIndex=at, endColumnIndex=at + 1)
        bench.sync()
        TestMarksThatNobodyTyped.deliver(bench)
        self.free(bench)
        bench.later(minutes=5)
        bench.sync()
        assert (bench.charged(VIDEO), len(bench.requests(VIDEO))) == (14, 2)
        assert bench.cell(VIDEO, "sync_note").startswith("This mark is done")


class TestMerged:
    """Cells that lie under a merged one: whatever is written there, they stay empty."""

    @staticmethod
    def merge(bench: Bench, first: str, last: str) -> None:
        """Somebody merges neighbouring cells of the first row."""
        left, right = bench.column(first), bench.column(last)
        for at in range(left + 1, right + 1):
            bench.sheet.set_value(1, at, None)
        area = {"startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": left, "endColumnIndex": right + 1}
        bench.sheet.attached["merges"] = [{"sheetId": bench.sheet.sheet_id, **area}]
        bench.sheet.touch()

    def test_nothing_is_ordered_for_such_a_row(self) -> None:
        """It would be paid for, and not be seen."""
        bench = marked(VIDEO, "vid-b")
        self.merge(bench, "status", "spark_code")
        assert bench.sync().exit_code == 0
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)
        assert bench.cell(VIDEO, "sync_note") == "Waits: unmerge the cells that hide Spark code."

    @pytest.mark.parametrize(("first", "last"), [("status", "spark_code"), ("sync_note", "updated_at")])
    def test_what_can_be_seen_is_written_once(self, first: str, last: str) -> None:
        """The next run is quiet, and once the cells are cells again they say what is known."""
        bench = marked(VIDEO)
        bench.sync()
        bench.world.portal.submit(VIDEO)
        self.merge(bench, first, last)
        bench.later(minutes=5)
        bench.sync()
        assert (bench.cell(VIDEO, "status"), bench.cell(VIDEO, last)) == ("in_review", "")
        assert "unmerge" in bench.cell(VIDEO, "sync_note")
        assert bench.sync().sheets_write == 0
        del bench.sheet.attached["merges"]
        bench.sync()
        assert bench.cell(VIDEO, last) != ""
        assert "unmerge" not in bench.cell(VIDEO, "sync_note")

    def test_a_note_that_cannot_be_seen_is_printed(self) -> None:
        """The run's output names the row."""
        bench = Bench([VIDEO, "vid-b"])
        self.merge(bench, "spark_code", "sync_note")
        (hold,) = bench.sync().holds
        assert hold == Hold(VIDEO, 2, "To see all of this row, unmerge the cells that hide Sync note.", in_note=False)

    def test_its_twin_is_not_told_so(self) -> None:
        """What one of two rows cannot show is not said in the note of the other, which can."""
        bench = Bench([VIDEO, VIDEO])
        self.merge(bench, "spark_code", "sync_note")
        bench.type(VIDEO, "action", "request", 1)
        for _ in range(3):
            bench.sync()
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "action", 1)) == (7, "")
        assert bench.cell(VIDEO, "sync_note", 1) == "Duplicate of row 2: one of them acts, all show the same."

    def test_it_is_printed_once(self) -> None:
        """A mark that waits has its reason printed anyway."""
        bench = marked(VIDEO)
        self.merge(bench, "spark_code", "sync_note")
        assert len(bench.sync().holds) == 1

    def test_a_merge_in_the_gap_of_the_claim(self) -> None:
        """The claim is not seen, so that nothing is ordered."""
        bench = marked(VIDEO)
        bench.world.faults.edit("sheets.batchUpdate", do=lambda _: self.merge(bench, "action", "status"))
        bench.sync()
        assert bench.charged(VIDEO) == 0


class TestMarksThatNobodyTyped:
    def test_a_formula_never_orders(self) -> None:
        """The claim's answer shows it; the row says so, and the next run is quiet."""
        bench = Bench([VIDEO])
        bench.sheet.set_value(bench.line(VIDEO), bench.column("action"), Formula('="request"'))
        bench.sync()
        assert bench.charged(VIDEO) == 0
        assert bench.cell(VIDEO, "sync_note").startswith("Action holds a formula")
        calls = len(bench.kinds())
        bench.sync()
        assert "sheets.batchUpdate" not in bench.kinds()[calls:]

    def test_a_formula_in_the_place_of_a_mark_whose_order_is_unsettled(self) -> None:
        """It is not sent again for it, and runs are quiet: its row is claimed no more than a formula's."""
        bench = marked(VIDEO)
        bench.world.faults.add("portal.order", fault="lost_before")
        bench.sync()
        bench.sheet.set_value(bench.line(VIDEO), bench.column("action"), Formula('="request"'))
        bench.later(minutes=2)
        bench.sync()
        assert bench.cell(VIDEO, "sync_note").startswith("Action holds a formula")
        assert (bench.sync().cells_written, bench.charged(VIDEO)) == (0, 0)
        bench.mark("request", VIDEO)
        bench.later(minutes=21)
        bench.sync()
        assert bench.charged(VIDEO) == 7

    def test_a_mark_that_comes_back_is_no_new_wish(self) -> None:
        """Whatever puts it back as it is cleared: it is served once, the row says so, and an emptied cell ends it."""
        bench = marked(VIDEO)
        bench.sync()
        self.deliver(bench)
        bench.mark("renew", VIDEO)
        at = bench.line(VIDEO), bench.column("action")
        bench.sheet.recalculate = lambda: bench.sheet.put(*at, Cell("renew"))
        for _ in range(4):
            bench.sync()
            assert bench.cell(VIDEO, "sync_note").startswith("This mark is done, but could not be cleared.")
            self.deliver(bench)
        assert bench.sync(Ledger(None)).ordered == 0
        assert bench.charged(VIDEO) == 14
        bench.sheet.recalculate = None
        bench.type(VIDEO, "action", "")
        bench.sync()
        assert bench.cell(VIDEO, "sync_note").startswith("Another code of this video may still run, until")
        bench.mark("renew", VIDEO)
        bench.sync()
        assert bench.charged(VIDEO) == 21

    def test_a_report_that_comes_back_hides_no_new_code(self) -> None:
        """It is done: the row shows the code that the manager sent, and the reported one no more."""
        bench = marked(VIDEO)
        bench.sync()
        self.deliver(bench)
        bench.sync()
        bench.type(VIDEO, "feedback", "does not work")
        bench.mark("correct", VIDEO)
        at = bench.line(VIDEO), bench.column("action")
        bench.sheet.recalculate = lambda: bench.sheet.put(*at, Cell("correct"))
        assert bench.sync().corrected == 1
        bench.world.portal.submit(VIDEO)
        bench.later(minutes=5)
        for ledger in (bench.ledger, bench.ledger, Ledger(None)):
            bench.sync(ledger)
            bench.later(minutes=5)
            assert bench.cell(VIDEO, "spark_code") == bench.requests(VIDEO)[0].code
            assert bench.cell(VIDEO, "sync_note").startswith("This mark is done, but could not be cleared.")
        assert bench.kinds().count("portal.correct") == 1

    @pytest.mark.parametrize("end", ["lost", "killed"])
    def test_a_mark_that_comes_back_in_a_write_that_nobody_saw_land(self, end: str) -> None:
        """Neither the run whose answer was lost nor the one after a kill takes it for a new wish; the row says so."""
        bench = marked(VIDEO)
        bench.sync()
        self.deliver(bench)
        bench.mark("renew", VIDEO)
        at = bench.line(VIDEO), bench.column("action")
        bench.sheet.recalculate = lambda: bench.sheet.put(*at, Cell("renew"))

        def dies(moment: str, index: int, kind: str, request: Request) -> None:
            if moment == "after" and kind == "sheets.batchUpdate" and bench.charged(VIDEO) == 14:
                raise Killed

        if end == "lost":
            bench.world.faults.add("sheets.batchUpdate", nth=2, fault="lost_after")
            bench.sync()
        else:
            bench.world.hooks.append(dies)
            with pytest.raises(Killed):
                bench.sync()
            bench.world.hooks.remove(dies)
        self.deliver(bench)
        for _ in range(3):
            bench.sync()
            assert bench.cell(VIDEO, "sync_note").startswith("This mark is done, but could not be cleared.")
        assert bench.charged(VIDEO) == 14

    def test_a_mark_that_another_machine_serves_meanwhile(self) -> None:
        """What its row says of it stays, whatever the run that came too late has to say: nobody orders it again."""
        bench, theirs = marked(VIDEO, "vid-b"), Ledger(None)
        bench.type("vid-b", "platform", "youtube")
        bench.sync()
        self.deliver(bench)
        bench.mark("renew", VIDEO)
        at = bench.line(VIDEO), bench.column("action")
        bench.sheet.recalculate = lambda: bench.sheet.put(*at, Cell("renew"))
        bench.world.faults.edit("portal.poll", nth=2, do=lambda _: bench.sync(theirs))
        bench.sync()
        assert bench.cell(VIDEO, "sync_note").startswith("This mark is done, but could not be cleared.")
        for ledger in (bench.ledger, theirs, bench.ledger):
            self.deliver(bench)
            bench.sync(ledger)
        assert bench.charged(VIDEO) == 14

    def test_a_mark_that_a_killed_run_did_not_come_to_clear(self) -> None:
        """Its write never left: the next one takes the order over, clears the mark, and a later one is a new wish."""
        bench = marked(VIDEO)

        def dies(moment: str, index: int, kind: str, request: Request) -> None:
            if moment == "before" and kind == "sheets.batchUpdate" and bench.charged(VIDEO):
                raise Killed

        bench.world.hooks.append(dies)
        with pytest.raises(Killed):
            bench.sync()
        bench.world.hooks.remove(dies)
        self.deliver(bench)
        assert (bench.cell(VIDEO, "action"), bench.cell(VIDEO, "sync_note"), bench.charged(VIDEO)) == ("", "", 7)
        bench.mark("renew", VIDEO)
        bench.sync()
        assert bench.charged(VIDEO) == 14

    @staticmethod
    def deliver(bench: Bench) -> None:
        """The manager works, and the row shows it."""
        if bench.requests(VIDEO)[-1].status == "pending":
            bench.world.portal.submit(VIDEO)
            bench.world.portal.deliver(VIDEO)
        bench.later(minutes=5)
        bench.sync()
