"""What people do to cells beside merging and protecting them (test_locks.py): hide, filter, fill by formula, chips."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.bench import EMAIL, Bench
from support.doctored import VIDEO

from sheetsync.sandbox.google.cells import Cell, Formula


def marked(*videos: str) -> Bench:
    bench = Bench(videos)
    bench.mark("request", *videos)
    return bench


def delivered(bench: Bench) -> None:
    """The manager hands the code in, and a run shows it."""
    bench.world.portal.submit(VIDEO)
    bench.later(minutes=5)
    bench.sync()


def hide_the_row(bench: Bench) -> None:
    bench.sheet.row_properties = [None, {"hiddenByUser": True}]


def hide_a_column(bench: Bench) -> None:
    bench.sheet.column_properties = [None] * bench.column("status") + [{"hiddenByUser": True}]


def filter_the_row(bench: Bench) -> None:
    criteria = {"columnIndex": bench.column("video_id"), "filterCriteria": {"hiddenValues": [VIDEO]}}
    bench.sheet.basic_filter = {"range": {"startRowIndex": 0}, "filterSpecs": [criteria]}


@pytest.mark.parametrize("hide", [hide_the_row, hide_a_column, filter_the_row])
def test_what_is_hidden_is_served_as_what_is_seen(hide: Callable[[Bench], None]) -> None:
    """Ordered, written and cleared: nobody has to show a row for it."""
    bench = marked(VIDEO, "vid-b")
    hide(bench)
    assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, 7, "")
    delivered(bench)
    assert bench.cell(VIDEO, "status") == "in_review"
    assert bench.cell(VIDEO, "spark_code") == bench.requests(VIDEO)[-1].code
    assert bench.sync().sheets_write == 0


class TestSpilled:
    """Cells that a formula in another one fills."""

    @staticmethod
    def formula(bench: Bench, row: int, key: str, text: str) -> None:
        bench.sheet.set_value(row, bench.column(key), Formula(text))

    def test_a_mark_that_spills_orders_nothing(self) -> None:
        """In the formula's own row and in those it fills; typed over, it is a mark like any."""
        bench = Bench([VIDEO, "vid-b"])
        self.formula(bench, 1, "action", '={"request";"request"}')
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 0)
        assert bench.cell("vid-b", "sync_note").startswith("Action holds a formula")
        bench.mark("", VIDEO)
        bench.mark("request", "vid-b")
        bench.later(hours=2)
        bench.sync()
        assert (bench.charged(VIDEO), bench.charged("vid-b")) == (0, 7)

    def test_a_mark_typed_over_a_formula_that_stood_for_days(self) -> None:
        """Nobody can tell it from the one before until it is claimed: it is tried three times an hour all the same."""
        bench = Bench([VIDEO])
        self.formula(bench, 1, "action", '="request"')
        for _ in range(12):
            bench.sync()
            bench.later(hours=6)
        bench.sync()
        bench.mark("request", VIDEO)
        bench.later(minutes=21)
        assert (bench.sync().ordered, bench.charged(VIDEO)) == (1, 7)

    def test_video_ids_that_spill_are_video_ids(self) -> None:
        """A list of them is often kept elsewhere."""
        bench = marked(VIDEO, "vid-b")
        for row in (1, 2):
            bench.sheet.set_value(row, bench.column("video_id"), None)
        self.formula(bench, 1, "video_id", f'={{"{VIDEO}";"vid-b"}}')
        assert (bench.sync().exit_code, bench.charged("vid-b"), bench.sync().sheets_write) == (0, 7, 0)

    @pytest.mark.parametrize(("key", "text"), [("client", '={"c","x"}'), ("stage", '={"x";"y"}')])
    def test_sheetsync_writes_its_cells(self, key: str, text: str) -> None:
        """What spilled there is gone; a person's formula stays, and shows Google's own word for it."""
        bench = marked(VIDEO)
        self.formula(bench, 1, key, text)
        assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (0, 7, "pending")
        assert bench.cell(VIDEO, "stage") == "requested"
        if key == "client":
            cell = bench.sheet.cell(1, bench.column("client"))
            assert cell
            assert (cell.value, cell.shown) == (text, "#REF!")
        assert bench.sync().sheets_write == 0

    def test_a_header_that_fills_its_column(self) -> None:
        """The claim takes its room: the header is an error now, nothing is ordered, and the cell is named."""
        bench = marked(VIDEO)
        self.formula(bench, 0, "status", '={"Status";"x"}')
        report = bench.sync()
        assert (report.exit_code, bench.charged(VIDEO)) == (2, 0)
        assert "  I1 shows #REF!: its formula finds no room. Type the header itself.\n" in str(report.error)
        bench.sheet.set_value(0, 8, "Status")
        bench.later(hours=1)
        assert (bench.sync().exit_code, bench.charged(VIDEO)) == (0, 7)

    def test_a_cell_that_cannot_be_emptied(self) -> None:
        """What is paid is shown; the run is no success, and names the cell."""
        bench = marked(VIDEO)
        self.formula(bench, 0, "sync_note", '={"Sync note";"x"}')
        report = bench.sync()
        assert (report.exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "status")) == (1, 7, "pending")
        assert report.warnings == ["A formula in another cell fills K2, which sheetsync has to empty: delete it."]
        bench.sheet.set_value(0, 10, "Sync note")
        assert (bench.sync().exit_code, bench.sync().sheets_write) == (0, 0)


CHIPS = {"chipRuns": [{"startIndex": 0, "chip": {"personProperties": {"email": "mia@example.com"}}}]}


class TestChips:
    """Smart chips: what is read of one is the text it shows."""

    def put(self, bench: Bench, key: str, text: str) -> tuple[int, int]:
        place = bench.line(VIDEO), bench.column(key)
        bench.sheet.put(*place, Cell(text, extra=CHIPS))
        return place

    def test_a_chip_in_a_persons_cell_stays(self) -> None:
        """Also in the row's own note, which is sent along as text."""
        bench = marked(VIDEO)
        places = [self.put(bench, "client", "Mia"), self.put(bench, "note", "by Mia")]
        bench.sync()
        assert bench.charged(VIDEO) == 7
        assert bench.requests(VIDEO)[-1].note == "by Mia"
        cells = [bench.sheet.cell(*place) for place in places]
        assert [cell and cell.extra for cell in cells] == [CHIPS] * 2

    def test_a_chip_in_sheetsyncs_own_cell_is_written_over(self) -> None:
        bench = marked(VIDEO)
        place = self.put(bench, "status", "Mia")
        assert (bench.sync().exit_code, bench.cell(VIDEO, "status")) == (0, "pending")
        cell = bench.sheet.cell(*place)
        assert cell is not None
        assert cell.extra is None

    def test_a_mark_and_a_video_id_as_chips(self) -> None:
        """A chip is cleared as any text is."""
        bench = marked(VIDEO)
        self.put(bench, "action", "request")
        self.put(bench, "video_id", VIDEO)
        assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, 7, "")


class TestSeveralChosen:
    """Dropdowns that take several words: Google tells them in one text, with commas."""

    def test_two_marks_are_none(self) -> None:
        """Which one is meant nobody knows; the row says what there is to choose."""
        bench = Bench([VIDEO])
        bench.mark("request, renew", VIDEO)
        assert (bench.sync().exit_code, bench.charged(VIDEO), bench.cell(VIDEO, "action")) == (0, 0, "request, renew")
        assert bench.cell(VIDEO, "sync_note").startswith("Action must be one of request, renew, correct")

    def test_two_platforms_are_none(self) -> None:
        bench = marked(VIDEO)
        bench.type(VIDEO, "platform", "tiktok, instagram")
        bench.sync()
        assert (bench.charged(VIDEO), bench.cell(VIDEO, "sync_note")) == (
            0,
            "Waits: Platform must be tiktok or instagram.",
        )


class TestEditors:
    """Of a protected range Google's word for this account decides, whoever is named."""

    @staticmethod
    def protect(bench: Bench, key: str, **more: object) -> None:
        at = bench.column(key)
        area = {"sheetId": bench.sheet.sheet_id, "startColumnIndex": at, "endColumnIndex": at + 1}
        bench.sheet.attached["protectedRanges"] = [{"protectedRangeId": 7, "range": area, **more}]

    @pytest.mark.parametrize(
        ("more", "charged"),
        [
            ({"editors": {"users": ["eve@example.com", EMAIL]}}, 7),  # who else may, only the owner is told
            ({"editors": {"users": ["eve@example.com"]}, "warningOnly": True}, 7),
            ({"editors": {"users": ["eve@example.com"]}}, 0),
        ],
    )
    def test_a_run(self, more: dict[str, object], charged: int) -> None:
        bench = marked(VIDEO)
        self.protect(bench, "request_id", **more)
        bench.sync()
        assert bench.charged(VIDEO) == charged


class TestVideoIdsThatShowAnError:
    """A list that is imported from elsewhere comes to nothing for a moment."""

    @pytest.mark.parametrize("shown", ["Loading...", "#REF!", "#N/A"])
    def test_its_rows_keep_what_they_say(self, shown: str) -> None:
        """Nobody asks TokPortal about such a word, nothing is ordered for it, and no cell of ours is emptied."""
        bench = marked(VIDEO)
        bench.sync()
        bench.world.portal.submit(VIDEO)
        bench.later(hours=1)
        bench.sync()
        line, at = bench.line(VIDEO), bench.column("video_id")
        bench.sheet.set_value(line, at, shown)
        bench.sheet.set_value(line, bench.column("action"), "renew")
        before, asked = bench.table()[line], len(bench.world.calls)
        assert bench.sync().exit_code == 0
        after = bench.table()[line]
        note = {bench.column("sync_note"), bench.column("updated_at")}
        assert [cell for n, cell in enumerate(after) if n not in note] == [
            cell for n, cell in enumerate(before) if n not in note
        ]
        assert after[bench.column("sync_note")].startswith(f"This Video ID shows {shown} now")
        assert not [c for c in bench.world.calls[asked:] if c.kind.startswith("portal.") and shown[:7] in c.path]
        bench.sheet.set_value(line, at, VIDEO)
        bench.sync()
        assert bench.charged(VIDEO) == 7, "a renewal waits until its code is finished"
