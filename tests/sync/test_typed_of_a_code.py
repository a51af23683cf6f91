"""What people type about a code, while cells show errors and a renewal brings the same code again (design 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.bench import PERSON, Bench

from sheetsync import notes
from sheetsync.columns import MACHINE_KEYS, from_serial, header_of, to_serial

VIDEO = "vid-a"
ZONE = "Etc/GMT"
CODE = "#the_same_again"
MORE = ("paid_status", "market", "campaign", "creator")
ERRORS = ("Loading...", "#N/A", "#REF!")


def delivered(bench: Bench) -> None:
    bench.world.portal.submit(VIDEO, CODE)
    bench.world.portal.deliver(VIDEO)
    bench.later(minutes=5)
    bench.sync()


def with_code(more: tuple[str, ...] = MORE, **typed: object) -> Bench:
    """A code, and what is typed beside it."""
    bench = Bench([VIDEO], headers=[header_of(key, {}) for key in (*PERSON, *MACHINE_KEYS, *more)])
    for key, value in typed.items():
        bench.type(VIDEO, key, value)  # type: ignore[arg-type]
    bench.mark("request", VIDEO)
    bench.sync()
    delivered(bench)
    return bench


def said(bench: Bench) -> list[object]:
    return [bench.cell(VIDEO, key) for key in ("expires_at", "expiry", "stage", "sync_note")]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("column", ["known_expiry", "authorization_days"])
def test_a_formula_that_shows_an_error_for_a_while(column: str, error: str) -> None:
    """The alarm that it raised goes on: what it said before counts until it says something else."""
    bench = with_code(authorization_days=7)
    bench.later(days=5)
    if column == "known_expiry":
        bench.type(VIDEO, "known_expiry", to_serial(bench.clock.now() + timedelta(days=1), ZONE))
    bench.sync()
    before, value = said(bench), bench.cell(VIDEO, column)
    assert before[1:3] == ["renewal needed", "renewal needed"]
    bench.type(VIDEO, column, error)
    bench.sync()
    assert said(bench)[:3] == before[:3]
    assert error in bench.cell(VIDEO, "sync_note")
    bench.type(VIDEO, column, value)
    bench.sync()
    assert said(bench) == before


@pytest.mark.parametrize("error", ERRORS)
def test_days_that_show_an_error_as_a_renewal_is_ordered(error: str) -> None:
    """The code in use keeps the days that it had."""
    bench = with_code(authorization_days=7)
    bench.later(days=5)
    bench.sync()
    ends = bench.cell(VIDEO, "expires_at")
    bench.type(VIDEO, "authorization_days", error)
    bench.mark("renew", VIDEO)
    bench.sync()
    bench.type(VIDEO, "authorization_days", 7)
    bench.sync()
    assert (bench.charged(VIDEO), bench.cell(VIDEO, "expires_at"), bench.cell(VIDEO, "expiry")) == (
        14,
        ends,
        "renewal needed",
    )


@pytest.mark.parametrize("days", [28, 31])
def test_a_renewal_that_brings_the_same_code(days: int) -> None:
    """A date, and the word that it is retired, were about the one before: the row shows the new window, and asks."""
    bench = with_code()
    bench.type(VIDEO, "known_expiry", to_serial(bench.clock.now() + timedelta(days=29), ZONE))
    bench.sync()
    bench.later(days=days)
    bench.type(VIDEO, "paid_status", "retired")
    bench.sync()
    assert bench.cell(VIDEO, "stage") == "retired"
    bench.mark("renew", VIDEO)
    bench.sync()
    delivered(bench)
    new = bench.requests(VIDEO)[-1]
    assert bench.cell(VIDEO, "spark_code") == CODE
    assert from_serial(bench.cell(VIDEO, "expires_at"), ZONE) == new.created_at + timedelta(days=30)
    assert (bench.cell(VIDEO, "expiry"), bench.cell(VIDEO, "stage")) == ("ok", "received")
    note = bench.cell(VIDEO, "sync_note")
    assert notes.expiry_of_another_code("Known expiry") in note
    assert notes.retired_another_code("Paid status") in note
    assert bench.sync().cells_written == 0

    ends = to_serial(bench.clock.now() + timedelta(days=9), ZONE)
    bench.type(VIDEO, "known_expiry", ends)
    bench.type(VIDEO, "paid_status", "")
    bench.sync()
    assert (bench.cell(VIDEO, "expires_at"), bench.cell(VIDEO, "sync_note")) == (pytest.approx(ends, abs=1e-5), "")


@pytest.mark.parametrize("column", ["market", "campaign", "creator"])
def test_a_field_that_shows_an_error_is_missing(column: str) -> None:
    """It says nothing: the row is not ready."""
    bench = with_code(**{column: "#N/A"})
    assert header_of(column, {}) in bench.cell(VIDEO, "missing").split(", ")


@pytest.mark.parametrize("error", ERRORS)
def test_a_renewal_decision_that_shows_an_error(error: str) -> None:
    """Nothing is decided by it; one that was made before stands."""
    bench = with_code(("renewal_decision",), authorization_days=7)
    bench.later(days=5)
    bench.type(VIDEO, "renewal_decision", error)
    bench.sync()
    assert bench.cell(VIDEO, "missing") == "Renewal decision"
    bench.type(VIDEO, "renewal_decision", "renew")
    bench.sync()
    bench.type(VIDEO, "renewal_decision", error)
    bench.sync()
    assert bench.cell(VIDEO, "missing") == ""


def test_a_date_in_a_new_row_above_that_shows_no_code_yet() -> None:
    """It is of the newest code from the first run on, and of no other: the next run has nothing to write."""
    bench = with_code()
    first = bench.requests(VIDEO)[-1]
    bench.later(days=3)
    bench.world.portal.order_elsewhere(VIDEO)
    bench.sheet.insert_rows(1)
    bench.sheet.set_value(1, bench.column("video_id"), VIDEO)
    ends = to_serial(bench.clock.now() + timedelta(days=9), ZONE)
    bench.type(VIDEO, "known_expiry", ends)
    bench.world.portal.submit(VIDEO, "#another")
    bench.world.portal.deliver(VIDEO)
    bench.later(minutes=5)
    bench.mark("request", VIDEO)
    bench.sync()
    said = [(bench.cell(VIDEO, "spark_code", n), bench.cell(VIDEO, "expires_at", n)) for n in (0, 1)]
    assert said == [("#another", pytest.approx(ends, abs=1e-5))] * 2
    still = f"{first.created_at + timedelta(days=30):%Y-%m-%d}"
    assert all(still in bench.cell(VIDEO, "sync_note", n) for n in (0, 1))
    assert bench.sync().cells_written == 0
