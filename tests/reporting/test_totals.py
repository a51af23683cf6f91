"""What a report adds up to over months that are played: as the ledger's and TokPortal's books, to the credit."""

from __future__ import annotations

from collections import Counter
from datetime import date

from support.months import Months

from sheetsync.reporting.statement import Asked, Statement

APRIL = Asked(date(2026, 4, 1), date(2026, 4, 30))
MAY = Asked(date(2026, 5, 1), date(2026, 5, 31))
JUNE = Asked(date(2026, 6, 1), date(2026, 6, 30))


def totals(statement: Statement) -> dict[tuple[str, str], tuple[int, int]]:
    return {(total.client, total.month): (total.charged, total.refunded) for total in statement.totals}


def agrees(months: Months) -> None:
    """The report, the ledger and TokPortal's balance say the same."""
    statement, known, portal = months.statement(), months.bench.ledger.known("acme"), months.bench.world.portal
    spent = statement.in_all.spent
    assert spent == sum(known.cost(video) or 0 for video in known.videos)
    assert spent == portal.ledger[0].amount - portal.credits
    assert statement.in_all == statement.in_all._replace(
        charged=sum(line.charged for line in statement.lines), refunded=sum(line.refunded for line in statement.lines)
    )


def test_totals_by_client_and_month(played: Months) -> None:
    """Renewals, refunds of the same month and of the month after, a row that is gone: as in TokPortal's books."""
    assert totals(played.statement()) == {
        ("Crumbly", "2026-04"): (14, 0),
        ("Crumbly", "2026-05"): (21, 7),
        ("Crumbly", "2026-06"): (7, 0),
        ("Strido", "2026-04"): (14, 0),
        ("Strido", "2026-05"): (14, 14),
    }
    assert totals(played.statement()) == played.books()
    agrees(played)
    balance = played.statement().balance
    assert balance is not None
    assert balance[0] == played.bench.world.portal.credits


def test_periods_and_clients_add_up_to_the_whole(played: Months) -> None:
    """No credit counts twice, and none is lost between two reports."""
    whole = totals(played.statement())
    by_month = [totals(played.statement(asked)) for asked in (APRIL, MAY, JUNE)]
    assert {key: value for part in by_month for key, value in part.items()} == whole
    assert sum(map(len, by_month)) == len(whole)
    by_client = [totals(played.statement(Asked(client=name))) for name in ("crumbly ", "Strido")]
    assert by_client[0] | by_client[1] == whole
    assert {client for client, _ in by_client[0]} == {"Crumbly"}


def test_months_are_those_of_the_sheet() -> None:
    """An order at ten in the evening of the last day in UTC is of the next month in Berlin, as people read it there."""
    found = {}
    for time_zone in ("Etc/GMT", "Europe/Berlin"):
        months = Months(time_zone)
        months.bench.later(days=20, hours=13)
        months.order("request", "vid-a")
        (found[time_zone],) = totals(months.statement())
        assert bool(months.statement(APRIL).totals) == (time_zone == "Etc/GMT")
    assert found == {"Etc/GMT": ("Crumbly", "2026-04"), "Europe/Berlin": ("Crumbly", "2026-05")}


def test_a_lost_ledger_begins_with_what_the_sheet_says() -> None:
    """What nobody can tell the month of counts as earlier; from then on each charge and refund has its month again."""
    months = Months()
    months.play()
    spent = months.statement().in_all.spent
    months.lose_the_ledger()
    first = months.statement()
    assert first.in_all.spent == spent == 42
    # vid-a was renewed: its row says 14, and nothing of what the first of its codes cost
    assert totals(first)["Crumbly", "earlier"] == (14, 0)
    agrees(months)
    months.go_on()
    agrees(months)
    after = totals(months.statement())
    assert after["Crumbly", "2026-06"] == (7, 0)
    # that row went before the new ledger could see an order of it
    assert after["no row", "2026-05"] == (7, 0)
    by_client = Counter[str]()
    for (client, _), (charged, refunded) in after.items():
        by_client["Strido" if client == "no row" else client] += charged - refunded
    books = Counter[str]()
    for (client, _), (charged, refunded) in months.books().items():
        books[client] += charged - refunded
    assert by_client == books
    assert not any(total.month == "earlier" for total in months.statement(JUNE).totals)


def test_a_refund_of_what_a_lost_ledger_had_charged() -> None:
    """Of a request that is open when the ledger is lost, the row tells the charge: its refund counts."""
    months = Months()
    months.order("request", "vid-a")
    months.bench.mark("request", "vid-c")
    months.bench.sync()
    months.lose_the_ledger()
    months.bench.world.portal.cancel("vid-c")
    months.bench.sync()
    agrees(months)
    assert totals(months.statement())["Strido", "2026-04"] == (7, 7)


def test_another_price_and_one_that_nobody_told() -> None:
    """What was charged counts, whatever it was; what nobody told is counted, not guessed."""
    months = Months()
    months.bench.world.portal.price = 9
    months.bench.sync(accept_price=9)
    months.order("request", "vid-a")
    agrees(months)
    months.bench.world.portal.tells_price = False
    months.order("request", "vid-c")
    statement = months.statement()
    assert (statement.in_all.spent, statement.unpriced) == (9, 1)
    assert months.statement(Asked(first=date(2026, 5, 1))).unpriced == 0
