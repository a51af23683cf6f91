"""A code that people keep in a row without a request: what is said beside it comes and goes with it (design 5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from support.bench import PERSON, Bench

from sheetsync.columns import MACHINE_KEYS, header_of, to_serial
from sheetsync.ledger.rows import to_columns
from sheetsync.ledger.store import Ledger
from sheetsync.steps import KeptRow

HEADERS = [header_of(key, {}) for key in (*PERSON, *MACHINE_KEYS, "received_at", "paid_status")]
SAID = ("expires_at", "expiry", "stage", "missing")


class Kept(Bench):
    """One row in which somebody keeps a code of their own."""

    def __init__(self) -> None:
        super().__init__(["vid-a"], headers=HEADERS)
        self.keep("vid-a")

    def keep(self, video: str, turn: int = 0) -> None:
        """It is typed, and a run tells of it."""
        self.type(video, "spark_code", "#theirs", turn)
        self.sync()

    def said(self, turn: int = 0) -> dict[str, object]:
        return {key: self.cell("vid-a", key, turn) for key in SAID}

    def serial(self, days: float) -> float:
        moment: datetime = self.clock.now() + timedelta(days=days)
        return to_serial(moment, "Etc/GMT")

    def upgrade(self) -> None:
        """An earlier version kept the ends of a video's rows alone, and not whose they are."""
        (seen,) = self.ledger.rows_seen("acme")
        pooled = KeptRow(worked_out=tuple(sorted({ends for row in seen.kept for ends in row.worked_out})))
        with self.ledger._db.transaction():
            cells = to_columns(replace(seen, kept=(pooled,)))
            self.ledger._db.execute("UPDATE row_seen SET kept = ? WHERE video_id = 'vid-a'", cells["kept"])


NOTHING = dict.fromkeys(SAID, "")


@pytest.fixture
def bench() -> Kept:
    return Kept()


def test_it_is_taken_out(bench: Kept) -> None:
    """Expiry, Stage and Missing go with it: a row without a code raises no alarm."""
    assert bench.said() == {"expires_at": "", "expiry": "no window", "stage": "received", "missing": "window"}
    bench.type("vid-a", "spark_code", "")
    assert (bench.sync().exit_code, bench.said()) == (0, NOTHING)
    assert bench.sync().cells_written == 0


@pytest.mark.parametrize(("column", "days"), [("received_at", -29), ("known_expiry", 1)])
def test_its_end_goes_too(bench: Kept, column: str, days: float) -> None:
    """Expires at was worked out from what people typed beside the code, and is again if one comes back."""
    bench.type("vid-a", column, bench.serial(days))
    bench.sync()
    assert (bench.cell("vid-a", "expiry"), bench.cell("vid-a", "expires_at")) == ("renewal needed", bench.serial(1))
    bench.type("vid-a", "spark_code", "")
    bench.sync()
    assert bench.said() == NOTHING
    bench.keep("vid-a")
    assert bench.cell("vid-a", "expires_at") == bench.serial(1)


@pytest.mark.parametrize(("column", "days"), [("received_at", -29), ("known_expiry", 1)])
def test_code_and_date_are_taken_out_at_once(bench: Kept, column: str, days: float) -> None:
    """The end that was worked out goes with both, and is not taken for the end of a code that comes later."""
    bench.type("vid-a", column, bench.serial(days))
    bench.sync()
    bench.type("vid-a", column, "")
    bench.type("vid-a", "spark_code", "")
    bench.sync()
    assert bench.said() == NOTHING
    bench.later(days=10)
    bench.type("vid-a", "spark_code", "#another")
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == ("", "no window")


@pytest.mark.parametrize("fails", [False, True])
def test_only_the_date_is_taken_out(bench: Kept, fails: bool) -> None:
    """Nobody knows the end any more, also where the first write that should say so fails."""
    bench.type("vid-a", "known_expiry", bench.serial(1))
    bench.sync()
    bench.type("vid-a", "known_expiry", "")
    if fails:
        bench.world.faults.add("sheets.batchUpdate", fault="403", times=1)
        bench.sync()
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == ("", "no window")


def test_another_code_is_typed_over_it(bench: Kept) -> None:
    """The date that stands beside it was the other one's, and so is the end that was worked out from it."""
    bench.type("vid-a", "known_expiry", bench.serial(30))
    bench.sync()
    bench.type("vid-a", "spark_code", "#another")
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == ("", "no window")
    assert bench.cell("vid-a", "sync_note").startswith("Known expiry was typed for another code")


def test_an_end_that_is_no_date(bench: Kept) -> None:
    """What people write there in words is theirs, whatever was worked out before."""
    bench.type("vid-a", "known_expiry", bench.serial(30))
    bench.sync()
    bench.type("vid-a", "known_expiry", "")
    bench.type("vid-a", "expires_at", "ask Mia")
    bench.sync()
    assert bench.cell("vid-a", "expires_at") == "ask Mia"


def test_an_end_that_people_typed_stays(bench: Kept) -> None:
    """Nothing else in the row gives that date."""
    bench.type("vid-a", "expires_at", bench.serial(1))
    bench.sync()
    bench.type("vid-a", "spark_code", "")
    bench.sync()
    assert bench.said() == {**NOTHING, "expires_at": bench.serial(1)}


def test_words_of_their_own_stay(bench: Kept) -> None:
    """Also where they stand in a column of ours: only what is said of codes is taken back."""
    bench.type("vid-a", "spark_code", "")
    for column in ("expiry", "stage", "missing"):
        bench.type("vid-a", column, "ask Mia")
    bench.sync()
    assert bench.said() == {"expires_at": "", "expiry": "ask Mia", "stage": "ask Mia", "missing": "ask Mia"}


def test_the_same_words_where_no_code_was(bench: Kept) -> None:
    """A tracker that was kept by hand before says `ok` as well: without a code that a run saw, it is its people's."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-b")
    bench.type("vid-b", "expiry", "ok")
    bench.type("vid-b", "stage", "spending")
    bench.sync()
    bench.sync()
    assert (bench.cell("vid-b", "expiry"), bench.cell("vid-b", "stage")) == ("ok", "spending")


def test_the_write_that_takes_them_back_fails(bench: Kept) -> None:
    """What was there is remembered until nothing of it is left."""
    bench.type("vid-a", "spark_code", "")
    bench.world.faults.add("sheets.batchUpdate", fault="403", times=1)
    assert bench.sync().exit_code != 0
    assert bench.cell("vid-a", "stage") == "received"
    bench.sync()
    assert bench.said() == NOTHING


def test_of_two_rows_the_second_is_emptied(bench: Kept) -> None:
    """Each row of a video goes by what stands in it."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.keep("vid-a", 1)
    bench.type("vid-a", "spark_code", "", 1)
    bench.sync()
    assert (bench.cell("vid-a", "stage"), bench.said(1)) == ("received", NOTHING)


@pytest.mark.parametrize("is_upgraded", [False, True])
@pytest.mark.parametrize("turn", [0, 1])
def test_of_two_rows_each_has_an_end_of_its_own(bench: Kept, turn: int, is_upgraded: bool) -> None:
    """Where one loses what its end was worked out from, that end goes: nobody has typed it."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.type("vid-a", "received_at", bench.serial(-10), 1)
    bench.type("vid-a", "spark_code", "#another", 1)
    bench.sync()
    assert [bench.cell("vid-a", "expires_at", n) for n in (0, 1)] == [bench.serial(10), bench.serial(20)]
    if is_upgraded:
        bench.upgrade()
    bench.type("vid-a", "received_at", "", turn)
    bench.sync()
    stays = 1 - turn
    assert (bench.cell("vid-a", "expires_at", turn), bench.cell("vid-a", "expiry", turn)) == ("", "no window")
    assert bench.cell("vid-a", "expires_at", stays) == bench.serial(10 + 10 * stays)
    assert bench.sync().cells_written == 0


@pytest.mark.parametrize("code", ["#theirs", "#another"])
@pytest.mark.parametrize("is_later", [False, True])
def test_a_typed_end_that_is_what_the_other_row_works_out(bench: Kept, code: str, is_later: bool) -> None:
    """Each row has an end of its own: the date is its people's, whatever was worked out beside it, or before it."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "spark_code", code, 1)
    bench.type("vid-a", "received_at", bench.serial(-20))
    if is_later:
        bench.sync()
    bench.type("vid-a", "expires_at", bench.serial(10), 1)
    for _ in range(2):
        bench.sync()
        assert (bench.cell("vid-a", "expires_at", 1), bench.cell("vid-a", "expiry", 1)) == (bench.serial(10), "ok")
    bench.type("vid-a", "received_at", "")
    bench.sync()
    assert [bench.cell("vid-a", "expires_at", n) for n in (0, 1)] == ["", bench.serial(10)]


def test_a_typed_end_of_the_second_row_as_an_order_is_made(bench: Kept) -> None:
    """The ledger takes the code in with it, also where it is what was worked out for the first row."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "spark_code", "#another", 1)
    bench.type("vid-a", "received_at", bench.serial(-29))
    bench.type("vid-a", "expires_at", bench.serial(1), 1)
    bench.sync()
    ends = bench.clock.now() + timedelta(days=1)
    bench.mark("request", "vid-a")
    bench.sync()
    kept = {entry.request.code: entry.ends for entry in bench.ledger.known("acme").generations("vid-a")}
    assert kept == {None: None, "#theirs": ends, "#another": ends}


def test_rows_are_moved(bench: Kept) -> None:
    """A row is known by its code: its end goes with what it came from, wherever it stands, and no typed one does."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "spark_code", "#another", 1)
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.type("vid-a", "expires_at", bench.serial(10), 1)
    bench.sync()
    bench.sheet.rows[1], bench.sheet.rows[2] = bench.sheet.rows[2], bench.sheet.rows[1]
    bench.type("vid-a", "received_at", "", 1)
    bench.sync()
    assert [bench.cell("vid-a", "spark_code", n) for n in (0, 1)] == ["#another", "#theirs"]
    assert [bench.cell("vid-a", "expires_at", n) for n in (0, 1)] == [bench.serial(10), ""]


def test_a_row_is_copied(bench: Kept) -> None:
    """The copy brings an end that was worked out: without what it came from, nobody knows of it."""
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.sync()
    for column in ("video_id", "spark_code", "expires_at", "expiry", "stage"):
        bench.sheet.set_value(2, bench.column(column), bench.cell("vid-a", column))
    bench.sync()
    assert [bench.cell("vid-a", "expires_at", n) for n in (0, 1)] == [bench.serial(10), ""]
    assert bench.cell("vid-a", "expiry", 1) == "no window"


def test_a_row_is_copied_over_another(bench: Kept) -> None:
    """So does a copy that lies over a row that was there."""
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "spark_code", "#another", 1)
    bench.sync()
    for column in ("spark_code", "expires_at"):
        bench.type("vid-a", column, bench.cell("vid-a", column), 1)
    bench.sync()
    assert [bench.cell("vid-a", "expires_at", n) for n in (0, 1)] == [bench.serial(10), ""]


def test_an_end_is_worked_out_anew_and_cannot_be_written(bench: Kept) -> None:
    """The one before still stands there: it is none that people typed either."""
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.sync()
    bench.type("vid-a", "received_at", bench.serial(-10))
    bench.world.faults.add("sheets.batchUpdate", fault="403", times=1)
    bench.sync()
    assert bench.cell("vid-a", "expires_at") == bench.serial(10)
    bench.type("vid-a", "received_at", "")
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == ("", "no window")


def test_an_order_takes_its_place(bench: Kept) -> None:
    """From then on the row says what the ledger knows, and nothing is left over."""
    bench.type("vid-a", "spark_code", "")
    bench.mark("request", "vid-a")
    bench.sync()
    assert (bench.cell("vid-a", "stage"), bench.cell("vid-a", "expiry")) == ("requested", "")
    assert bench.charged("vid-a") == 7


def test_another_machine_has_a_ledger_that_never_saw_the_code(bench: Kept) -> None:
    """It leaves what it finds; the machine that said it takes it back."""
    bench.type("vid-a", "spark_code", "")
    bench.sync(Ledger(None))
    assert bench.cell("vid-a", "stage") == "received"
    bench.sync()
    assert bench.said() == NOTHING


@pytest.mark.parametrize("error", ["Loading...", "#REF!"])
@pytest.mark.parametrize("column", ["received_at", "authorization_days", "expires_at"])
def test_a_cell_that_its_end_rests_on_shows_an_error(bench: Kept, column: str, error: str) -> None:
    """The alarm goes on by what it said before, as the note says; the formula stays, and once mended it counts anew."""
    values = {"expires_at": bench.serial(2)}
    if column != "expires_at":
        values = {"received_at": bench.serial(-5), "authorization_days": 7}
    for key, value in values.items():
        bench.type("vid-a", key, value)
    bench.sync()
    before = bench.said()
    assert before["expiry"] == "renewal needed"
    bench.type("vid-a", column, error)
    for _ in range(2):
        bench.sync()
        assert bench.said() == {**before, **({column: error} if column in SAID else {})}
        assert "what it said before counts" in bench.cell("vid-a", "sync_note")
    assert bench.sync().cells_written == 0
    bench.later(days=2)
    bench.sync()
    assert bench.cell("vid-a", "expiry") == "expired"
    bench.type("vid-a", column, values[column])
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "sync_note")) == (before["expires_at"], "")


def test_another_code_while_a_cell_shows_an_error(bench: Kept) -> None:
    """What was said before was said of the other code."""
    bench.type("vid-a", "received_at", bench.serial(-29))
    bench.sync()
    bench.type("vid-a", "received_at", "#REF!")
    bench.type("vid-a", "spark_code", "#another")
    bench.sync()
    assert bench.cell("vid-a", "expiry") == "no window"


@pytest.mark.parametrize("code", ["#theirs", "#another"])
@pytest.mark.parametrize("turn", [0, 1])
def test_of_two_rows_one_shows_an_error(bench: Kept, code: str, turn: int) -> None:
    """Each goes on by what stood in it, and is told so."""
    bench.sheet.set_value(2, bench.column("video_id"), "vid-a")
    bench.type("vid-a", "spark_code", code, 1)
    bench.type("vid-a", "received_at", bench.serial(-20))
    bench.type("vid-a", "received_at", bench.serial(-28), 1)
    bench.sync()
    before = [bench.said(n) for n in (0, 1)]
    assert [said["expiry"] for said in before] == ["ok", "renewal needed"]
    bench.type("vid-a", "received_at", "Loading...", turn)
    for _ in range(2):
        bench.sync()
        assert [bench.said(n) for n in (0, 1)] == before
    assert bench.sync().cells_written == 0


def test_the_known_expiry_is_taken_out_while_a_cell_shows_an_error(bench: Kept) -> None:
    """It says nothing any more: what Received at said before counts, and no alarm waits for the date that is gone."""
    bench.type("vid-a", "received_at", bench.serial(-28))
    bench.type("vid-a", "known_expiry", bench.serial(60))
    bench.sync()
    assert bench.cell("vid-a", "expiry") == "ok"
    bench.type("vid-a", "known_expiry", "")
    bench.type("vid-a", "received_at", "Loading...")
    bench.sync()
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == (bench.serial(2), "renewal needed")


@pytest.mark.parametrize(
    ("column", "corrected", "value"),
    [("authorization_days", "received_at", -35), ("received_at", "authorization_days", 5)],
)
def test_one_cell_is_corrected_while_the_other_shows_an_error(
    bench: Kept, column: str, corrected: str, value: int
) -> None:
    """What can be read counts at once, with what the other said before."""
    bench.type("vid-a", "received_at", bench.serial(-5))
    bench.type("vid-a", "authorization_days", 30)
    bench.sync()
    bench.type("vid-a", column, "#N/A")
    bench.sync()
    assert bench.cell("vid-a", "expires_at") == bench.serial(25)
    bench.type("vid-a", corrected, bench.serial(value) if corrected == "received_at" else value)
    bench.sync()
    ends = bench.serial(-5 if corrected == "received_at" else 0)
    assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == (ends, "expired")


def test_the_whole_row_is_being_loaded(bench: Kept) -> None:
    """What was said beside the code counts on when that is there again, and the others are not yet."""
    bench.type("vid-a", "received_at", bench.serial(-28))
    bench.sync()
    before = bench.said()
    bench.type("vid-a", "spark_code", "Loading...")
    bench.type("vid-a", "received_at", "Loading...")
    bench.sync()
    bench.type("vid-a", "spark_code", "#theirs")
    bench.sync()
    assert bench.said() == before


@pytest.mark.parametrize("columns", [("received_at",), ("authorization_days",), ("received_at", "authorization_days")])
def test_a_cell_shows_an_error_after_an_upgrade(bench: Kept, columns: tuple[str, ...]) -> None:
    """An earlier version kept no more than the end: it counts on."""
    bench.type("vid-a", "received_at", bench.serial(-5))
    bench.type("vid-a", "authorization_days", 7)
    bench.sync()
    before = bench.said()
    assert before["expires_at"] == bench.serial(2)
    bench.upgrade()
    for column in columns:
        bench.type("vid-a", column, "Loading...")
    for _ in range(2):
        bench.sync()
        assert bench.said() == before


@pytest.mark.parametrize("shown", ["", "#REF!"])
def test_a_typed_end_beside_an_error_after_an_upgrade(bench: Kept, shown: str) -> None:
    """It counts on, and stays its people's: it was not worked out from the cell that shows an error."""
    bench.type("vid-a", "expires_at", bench.serial(2))
    bench.sync()
    bench.upgrade()
    shows = shown or bench.serial(2)
    bench.type("vid-a", "expires_at", shows)
    for received_at in ("Loading...", ""):
        bench.type("vid-a", "received_at", received_at)
        bench.sync()
        assert (bench.cell("vid-a", "expires_at"), bench.cell("vid-a", "expiry")) == (shows, "renewal needed")


@pytest.mark.parametrize("shown", ["Loading...", "#REF!", True])
def test_its_cell_shows_an_error_before_it_is_taken_out(bench: Kept, shown: object) -> None:
    """What was said beside the code goes with it all the same: nothing is left over of a code that is not there."""
    bench.type("vid-a", "known_expiry", bench.serial(1))
    bench.sync()
    bench.type("vid-a", "spark_code", shown)  # type: ignore[arg-type]
    for _ in range(2):
        bench.sync()
    bench.type("vid-a", "known_expiry", "")
    bench.type("vid-a", "spark_code", "")
    bench.sync()
    assert bench.said() == NOTHING
    assert bench.sync().cells_written == 0


@pytest.mark.parametrize("order", [("vid-a", "vid-b"), ("vid-b", "vid-a")])
@pytest.mark.parametrize("at_once", [True, False])
def test_one_code_of_two_videos(order: tuple[str, str], at_once: bool) -> None:
    """Both are ordered: until its own request has one, each row goes on showing the code that people typed there."""
    bench = Bench(["vid-a", "vid-b"], headers=HEADERS)
    for video in order:
        bench.type(video, "spark_code", "#theirs")
    bench.sync()
    for marked in [order] if at_once else [(video,) for video in order]:
        bench.mark("request", *marked)
        bench.sync()
        bench.later(minutes=5)
    assert bench.sync().cells_written == 0
    assert [(bench.cell(v, "status"), bench.cell(v, "spark_code")) for v in order] == [("pending", "#theirs")] * 2
    assert [bench.charged(video) for video in order] == [7, 7]


@pytest.mark.parametrize("said", ["", "live"])
def test_the_row_of_a_video_is_added_again(said: str) -> None:
    """The code that people keep there runs, the one that the ledger knows has expired: theirs stays in use."""
    bench = Bench(["vid-a"], headers=HEADERS)
    bench.mark("request", "vid-a")
    bench.sync()
    bench.world.portal.submit("vid-a", "#one")
    bench.world.portal.deliver("vid-a")
    bench.sync()
    bench.sheet.delete_rows(bench.line("vid-a"))
    bench.sync()
    bench.later(days=60)
    bench.sheet.set_value(5, bench.column("video_id"), "vid-a")
    for key, value in (("spark_code", "#theirs"), ("status", said)):
        bench.type("vid-a", key, value)
    bench.type("vid-a", "received_at", to_serial(bench.clock.now() - timedelta(days=3), "Etc/GMT"))
    bench.sync()
    told = {key: bench.cell("vid-a", key) for key in ("spark_code", "expiry", "status")}
    assert told == {"spark_code": "#theirs", "expiry": "ok", "status": "finalized"}
    assert bench.sync().cells_written == 0


ERRORS = ("Loading...", "#REF!")


@pytest.mark.parametrize("error", ERRORS)
def test_its_cell_shows_an_error_as_another_is_ordered(bench: Kept, error: str) -> None:
    """Written over, it would be lost: the order waits until it can be read, and it stays in use."""
    bench.type("vid-a", "spark_code", error)
    bench.sync()
    bench.mark("request", "vid-a")
    for _ in range(2):
        bench.sync()
        assert (bench.charged("vid-a"), bench.cell("vid-a", "spark_code")) == (0, error)
    bench.type("vid-a", "spark_code", "#theirs")
    bench.sync()
    assert (bench.charged("vid-a"), bench.cell("vid-a", "action")) == (7, "")
    assert (bench.cell("vid-a", "status"), bench.cell("vid-a", "spark_code")) == ("pending", "#theirs")
    assert bench.sync().cells_written == 0


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("then", ["#theirs", ""])
def test_its_cell_shows_an_error_as_a_request_is_taken_over(bench: Kept, error: str, then: str) -> None:
    """That costs nothing and is done; its row shows the request once the code can be read, or was taken out."""
    bench.type("vid-a", "spark_code", error)
    bench.world.portal.order_elsewhere("vid-a")
    bench.mark("request", "vid-a")
    for _ in range(3):
        bench.sync()
        assert (bench.cell("vid-a", "spark_code"), bench.cell("vid-a", "request_id")) == (error, "")
    assert (bench.sync().cells_written, bench.cell("vid-a", "action")) == (0, "")
    bench.type("vid-a", "spark_code", then)
    bench.sync()
    assert (bench.cell("vid-a", "status"), bench.cell("vid-a", "spark_code")) == ("pending", then)
    assert bench.sync().cells_written == 0


@pytest.mark.parametrize("error", ERRORS)
def test_its_cell_shows_an_error_as_a_lost_order_is_found(bench: Kept, error: str) -> None:
    """So also where the order was sent while the code could be read."""
    bench.world.faults.add("portal.order", fault="lost_after", times=1)
    bench.world.faults.add("portal.poll", fault="500", nth=3, times=20)
    bench.mark("request", "vid-a")
    bench.sync()
    assert bench.ledger.unsettled() == 1
    bench.world.faults.clear()
    bench.type("vid-a", "spark_code", error)
    bench.later(minutes=5)
    bench.sync()
    assert (bench.charged("vid-a"), bench.cell("vid-a", "spark_code")) == (7, error)
    bench.type("vid-a", "spark_code", "#theirs")
    bench.sync()
    assert (bench.cell("vid-a", "status"), bench.cell("vid-a", "spark_code")) == ("pending", "#theirs")


@pytest.mark.parametrize("error", ["Loading...", "#REF!"])
@pytest.mark.parametrize("mark", ["", "request"])
def test_a_code_beside_a_request_that_nobody_knows_shows_an_error(mark: str, error: str) -> None:
    """Another account's, say: it stays as long as it can be read, and while it cannot; nothing is ordered then."""
    bench = Bench(["vid-a"])
    bench.type("vid-a", "request_id", "other-17")
    bench.type("vid-a", "spark_code", "#theirs")
    bench.sync()
    bench.type("vid-a", "spark_code", error)
    bench.mark(mark, "vid-a")
    for writes in (None, 0):
        report = bench.sync()
        assert (bench.cell("vid-a", "spark_code"), bench.cell("vid-a", "request_id")) == (error, "other-17")
        assert writes in (None, report.sheets_write)
    assert bench.charged("vid-a") == 0
    bench.type("vid-a", "spark_code", "#theirs")
    bench.sync()
    bench.sync()
    assert (bench.cell("vid-a", "spark_code"), bench.charged("vid-a")) == ("#theirs", 7 if mark else 0)
