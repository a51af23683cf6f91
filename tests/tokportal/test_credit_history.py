"""The credit history at the wire: read page by page, in any shape, for people to look at."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tokportal_wire import KEY, NOW, App, no, ok, portal

from sheetsync.errors import CallRefused, CredentialsError, Unavailable
from sheetsync.tokportal.client import PAGES

SAMPLE = {
    "id": "m-1",
    "type": "debit",
    "amount": -52,
    "description": "Ad code request",
    "breakdown": {"parts": [{"ad_code_request_id": "req-1"}]},
    "balance_after": 100,
    "created_at": "2026-06-16T10:22:00Z",
}


def page(*items: object, **pagination: int) -> httpx.Response:
    return ok({"data": list(items), **({"pagination": pagination} if pagination else {})})


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {**SAMPLE, "id": f"m-{number}", **changes}


def test_the_documented_sample() -> None:
    """Every word of it counts as an id that it may name; the day before is asked for as well."""
    app = App(page(SAMPLE, page=1, total_pages=1))
    history = portal(app).history(NOW)
    (movement,) = history.movements
    assert (movement.at, movement.amount, movement.kind) == (NOW, -52, "Ad code request")
    assert {"req-1", "m-1", "debit"} < movement.words
    assert (history.unreadable, history.is_whole) == (0, True)
    assert app.seen[0].url.params["date_from"] == "2026-06-15"
    assert (app.seen[0].method, app.seen[0].headers["X-API-Key"]) == ("GET", KEY)


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"amount": 7}, -7),
        ({"amount": 7, "type": "credit"}, 7),
        ({"amount": -7, "type": None}, -7),
        ({"amount": 7, "type": "spending"}, 7),
        ({"description": None, "breakdown": None, "id": None}, -52),
    ],
)
def test_what_a_movement_may_look_like(changes: dict[str, Any], amount: int) -> None:
    (movement,) = portal(App(page({**SAMPLE, **changes}))).history(NOW).movements
    assert movement.amount == amount


@pytest.mark.parametrize(
    "item", [None, 7, {}, {**SAMPLE, "amount": "7"}, {**SAMPLE, "amount": 7.5}, {**SAMPLE, "created_at": "today"}]
)
def test_what_is_no_movement(item: object) -> None:
    """It is counted, not guessed; what is older than what was asked for is left out."""
    history = portal(App(page(item, SAMPLE, {**SAMPLE, "id": "old", "created_at": "2026-06-15T10:22:00Z"}))).history(
        NOW
    )
    assert (len(history.movements), history.unreadable, history.is_whole) == (1, 1, True)


def test_pages_are_turned() -> None:
    """A movement that comes meanwhile moves the others to the next page: none counts twice."""
    app = App(page(item(2), item(1), page=1, total_pages=2), page(item(1), item(0), page=2, total_pages=2))
    history = portal(app).history(NOW)
    assert [movement.id for movement in history.movements] == ["m-2", "m-1", "m-0"]
    assert [request.url.params["page"] for request in app.seen] == ["1", "2"]
    assert history.is_whole


def test_a_server_that_knows_no_pages() -> None:
    """The same page again says that there is no other; that these are all is not certain."""
    app = App(page(item(1), page=1, total_pages=5))
    history = portal(app).history(NOW)
    assert (len(app.seen), len(history.movements), history.is_whole) == (2, 1, False)


def test_a_history_without_end() -> None:
    """It is read so far, and no further."""
    app = App(*(page(*(item(100 * n + m) for m in range(100))) for n in range(PAGES + 5)))
    history = portal(app).history(NOW)
    assert (len(app.seen), len(history.movements), history.is_whole) == (PAGES, PAGES * 100, False)


@pytest.mark.parametrize("payload", [None, [], {}, {"data": None}, {"data": {"rows": []}}, {"data": "none"}])
def test_an_answer_that_is_no_history(payload: object) -> None:
    with pytest.raises(Unavailable, match="credit history cannot be read"):
        portal(App(ok(payload))).history(NOW)


@pytest.mark.parametrize(
    ("status", "error"), [(401, CredentialsError), (403, CallRefused), (404, CallRefused), (500, Unavailable)]
)
def test_a_key_that_may_not_read_it(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        portal(App(no(status))).history(NOW)
