"""What TokPortal's documents leave open: each switch, and what it changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.portal_calls import PATH, VIDEO, books_balance, call, correct, order, poll
from sheetsync.sandbox.tokportal.switches import CHOICES
from sheetsync.sandbox.wire import TimedOut
from sheetsync.sandbox.world import World

UUID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def world() -> World:
    world = World()
    world.portal.add_video(VIDEO)
    return world


def switch(world: World, **values: Any) -> None:
    world.portal.switches.set(values)


def in_review(world: World) -> None:
    order(world)
    world.portal.submit(VIDEO)


def deliver(world: World) -> None:
    in_review(world)
    world.portal.deliver(VIDEO)


def test_an_unknown_switch_or_value_changes_nothing(world: World) -> None:
    """All or nothing, with a message that names what there is."""
    before = world.portal.switches.dump()
    with pytest.raises(ValueError, match="there is no switch"):
        world.portal.switches.set({"open_request": 400, "nonsense": 1})
    with pytest.raises(ValueError, match="must be one of"):
        world.portal.switches.set({"open_request": 418})
    assert world.portal.switches.dump() == before


def test_the_first_choice_is_the_default(world: World) -> None:
    """The documented or likelier behaviour comes first."""
    assert world.portal.switches.dump() == {name: values[0] for name, values in CHOICES.items()}


@pytest.mark.parametrize("status", CHOICES["open_request"])
@pytest.mark.parametrize("names", CHOICES["error_names"])
def test_open_request_and_error_names(world: World, status: int, names: str) -> None:
    """The status, and a code of either invented family, or none at all; a message is always there."""
    switch(world, open_request=status, error_names=names)
    order(world)
    answer = order(world)
    error = answer.json()["error"]
    assert answer.status == status
    assert ("code" in error) == (names != "missing")
    assert error["message"]


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("not_finalized", {"finalized": False}),
        ("no_live_link", {"live_link": False}),
        ("no_manager", {"manager": False}),
        ("coverage_block", {"coverage": False}),
        ("foreign_video", {"owner": "someone else"}),
    ],
)
def test_the_status_of_a_refusal(world: World, name: str, lacking: dict[str, Any]) -> None:
    """Every value of the switch is the status of the answer, and nothing is ordered."""
    world.portal.add_video(VIDEO, **lacking)
    for status in CHOICES[name]:
        switch(world, **{name: status})
        assert order(world).status == status
    assert world.portal.requests == []


@pytest.mark.parametrize("status", CHOICES["post_after_finalized"])
def test_post_after_finalized(world: World, status: int) -> None:
    """A second code is sold, or refused."""
    switch(world, post_after_finalized=status)
    deliver(world)
    assert order(world).status == status
    assert world.portal.credits == (1233 if status == 201 else 1240)


def test_instagram(world: World) -> None:
    """Refused in June 2026, served in the newer documents."""
    world.portal.add_video(VIDEO, platform="instagram")
    assert order(world).status == 400
    switch(world, instagram="served")
    assert order(world, {"platform": "instagram"}).status == 201


def test_empty_body(world: World) -> None:
    """The page calls every field optional; the operation list calls the body required."""
    switch(world, empty_body=400)
    assert call(world, "POST").status == 400
    switch(world, empty_body="accepted")
    assert call(world, "POST").status == 201


def test_note_counts(world: World) -> None:
    """Whether an emoji counts as one character or, as in JavaScript, as two."""
    switch(world, note_counts="utf16")
    assert order(world, {"note": "🎬" * 251}).status == 400
    switch(world, note_counts="characters")
    assert order(world, {"note": "🎬" * 251}).status == 201


def test_poll_unknown_video(world: World) -> None:
    """A poll for a foreign or unknown video is an error, or looks as if nothing had been ordered."""
    world.portal.add_video("theirs", owner="someone else")
    paths = [f"/api/ext/videos/{video}/ad-code-request" for video in ("nobody", "theirs")]
    assert [call(world, "GET", path).status for path in paths] == [404, 403]
    switch(world, poll_unknown_video="null")
    assert [call(world, "GET", path).json() for path in paths] == [{"data": None}, {"data": None}]


def test_write_key_polls(world: World) -> None:
    """Whether a key for writing may also poll."""
    world.portal.add_key("sk_w", "write")
    assert call(world, "GET", x_api_key="sk_w").status == 403
    switch(world, write_key_polls="allowed")
    assert call(world, "GET", x_api_key="sk_w").status == 200


def test_extra_fields_and_timestamps(world: World) -> None:
    """Fields of the future, and times with an offset instead of Z."""
    switch(world, extra_fields="yes", timestamps="offset")
    order(world)
    data = poll(world)
    assert data is not None
    assert "authorization" in data
    assert data["created_at"] == "2026-06-16T10:22:00.000000+00:00"


@pytest.mark.parametrize(("value", "status"), [("closed", 201), ("open", 409)])
def test_future_status(world: World, value: str, status: int) -> None:
    """A status that no document knows is shown as it is, and may or may not block another order."""
    switch(world, future_status=value)
    in_review(world)
    world.portal.set_status(VIDEO, "expired")
    data = poll(world)
    assert data is not None
    assert data["status"] == "expired"
    assert order(world).status == status


def test_honour_idempotency(world: World) -> None:
    """An API that ignores the key protects nobody: a resent order is a second order once the first is closed."""
    switch(world, honour_idempotency="no")
    order(world, idempotency_key=UUID)
    assert order(world, idempotency_key=UUID).status == 409
    world.portal.submit(VIDEO)
    world.portal.deliver(VIDEO)
    assert order(world, idempotency_key=UUID).status == 201
    assert world.portal.credits == 1233


@pytest.mark.parametrize(("value", "status"), [("replayed", 402), ("executed", 201)])
def test_failed_keys(world: World, value: str, status: int) -> None:
    """Whether the refusal sticks to the key after its cause is gone."""
    switch(world, failed_keys=value)
    world.portal.credits = 0
    assert order(world, idempotency_key=UUID).status == 402
    world.portal.credits = 100
    answer = order(world, idempotency_key=UUID)
    assert answer.status == status
    assert ("idempotent-replayed" in answer.headers) == (value == "replayed")


@pytest.mark.parametrize("value", CHOICES["key_reuse"])
def test_key_reuse(world: World, value: object) -> None:
    """The same key with another body is an error, or silently the first answer."""
    switch(world, key_reuse=value)
    order(world, {"note": "a"}, idempotency_key=UUID)
    assert order(world, {"note": "b"}, idempotency_key=UUID).status == (201 if value == "replayed" else value)
    assert len(world.portal.requests) == 1


@pytest.mark.parametrize(("value", "status"), [(409, 409), ("blocked", 201)])
def test_key_in_flight(world: World, value: object, status: int) -> None:
    """While the first call still runs, its key is busy, or a second call overtakes it: one order in either case."""
    switch(world, key_in_flight=value)
    world.faults.add("portal.order", fault="late", seconds=30)
    with pytest.raises(TimedOut):
        order(world, idempotency_key=UUID)
    assert order(world, idempotency_key=UUID).status == status
    world.clock.advance(timedelta(seconds=30))
    assert len(world.portal.requests) == 1
    assert world.portal.credits == 1240


@pytest.mark.parametrize(("value", "hours", "status"), [("24h", 25, 409), ("forever", 25, 201), ("1m", 1, 409)])
def test_key_memory(world: World, value: str, hours: int, status: int) -> None:
    """After that time the key is forgotten, and the call is a new one."""
    switch(world, key_memory=value)
    order(world, idempotency_key=UUID)
    assert order(world, idempotency_key=UUID).status == 201
    world.clock.advance(timedelta(hours=hours))
    assert order(world, idempotency_key=UUID).status == status


@pytest.mark.parametrize("value", CHOICES["patch_route"])
def test_patch_route(world: World, value: object) -> None:
    """The correction is in no list of operations: it may not exist, and answer as the site does."""
    switch(world, patch_route=value)
    in_review(world)
    answer = correct(world)
    assert answer.status == {"present": 200, "html": 404, "page": 200}.get(str(value), value)
    assert ("html" in answer.headers["content-type"]) == (value in ("html", "page"))
    assert (world.portal.requests[0].status == "in_review") == (value != "present")


@pytest.mark.parametrize("value", CHOICES["patch_finalized"])
def test_patch_finalized(world: World, value: int) -> None:
    """Whether a delivered code can still be reported."""
    switch(world, patch_finalized=value)
    deliver(world)
    assert correct(world).status == value
    assert world.portal.requests[0].status == ("pending_corrections" if value == 200 else "finalized")


def test_feedback_length(world: World) -> None:
    """A sister endpoint wants 3 to 500 characters."""
    in_review(world)
    switch(world, feedback_length="3-500")
    assert [correct(world, text).status for text in ("", "ab", "x" * 501)] == [400, 400, 400]
    switch(world, feedback_length="any")
    assert correct(world, "").status == 200


@pytest.mark.parametrize("value", CHOICES["corrections_keep_code"])
def test_corrections_keep_code(world: World, value: str) -> None:
    """Whether the reported code is still shown while the manager makes another."""
    switch(world, corrections_keep_code=value)
    in_review(world)
    correct(world)
    data = poll(world)
    assert data is not None
    assert (data["code"] is not None) == (value == "yes")
    assert len(world.portal.requests[0].codes) == 1


@pytest.mark.parametrize("value", CHOICES["reopen_clears_delivered_at"])
def test_reopen_clears_delivered_at(world: World, value: str) -> None:
    """Whether a reopened request still says when it was delivered."""
    switch(world, reopen_clears_delivered_at=value)
    deliver(world)
    correct(world)
    assert (world.portal.requests[0].delivered_at is None) == (value == "yes")


@pytest.mark.parametrize("value", CHOICES["resubmit_renews_submitted_at"])
def test_resubmit_renews_submitted_at(world: World, value: str) -> None:
    """Whether the time of the second code replaces that of the first."""
    switch(world, resubmit_renews_submitted_at=value)
    in_review(world)
    first = world.portal.requests[0].submitted_at
    correct(world)
    world.clock.advance(timedelta(hours=1))
    world.portal.submit(VIDEO)
    assert (world.portal.requests[0].submitted_at != first) == (value == "yes")


def test_hidden_debit(world: World) -> None:
    """A due Coverage period is taken along with the order: the balance falls by more than was charged."""
    switch(world, hidden_debit="yes")
    body = order(world).json()
    assert (body["credits_charged"], body["credits_remaining"]) == (7, 1215)
    assert [m.amount for m in world.portal.ledger[1:]] == [-7, -25]
    assert books_balance(world)


@pytest.mark.parametrize(
    ("value", "field", "shown"),
    [
        ("new", "total_credits", 1247),
        ("old", "credits", 1247),
        ("text", "total_credits", "1247"),
        ("fraction", "total_credits", 1247.5),
        ("neither", None, None),
    ],
)
def test_balance_shape(world: World, value: str, field: str | None, shown: object) -> None:
    """Both documented shapes, with another kind of number too, and one that has neither field."""
    switch(world, balance_shape=value)
    data = call(world, "GET", "/api/ext/credits/balance").json()["data"]
    assert data.get("total_credits", data.get("credits")) == shown
    assert field is None or field in data


def test_balance_lags(world: World) -> None:
    """The balance may be a minute behind the orders."""
    switch(world, balance_lags="yes")
    world.clock.advance(timedelta(minutes=2))
    order(world)
    path = "/api/ext/credits/balance"
    assert call(world, "GET", path).json()["data"]["total_credits"] == 1247
    world.clock.advance(timedelta(minutes=1))
    assert call(world, "GET", path).json()["data"]["total_credits"] == 1240


def test_a_dry_run_that_is_none(world: World) -> None:
    """Where the header is not looked at, the order is real, and the answer shows it."""
    switch(world, dry_run="executed")
    body = order(world, x_tokportal_dry_run="true").json()
    assert "dry_run" not in body
    assert body["credits_charged"] == 7
    assert world.portal.credits == 1240


def test_rate_limit_off(world: World) -> None:
    """Off, for tests that are about something else."""
    switch(world, rate_limit="off")
    assert {call(world, "GET").status for _ in range(130)} == {200}


@pytest.mark.parametrize(
    ("value", "header", "body"),
    [
        ("body_larger", "1", 2),
        ("header_larger", "2", 1),
        ("equal", "1", 1),
        ("http_date", "Tue, 16 Jun 2026 10:22:02 GMT", 1),
    ],
)
def test_retry_after(world: World, value: str, header: str, body: int) -> None:
    """Header and body may differ either way, and the header may be a date."""
    switch(world, retry_after=value)
    world.faults.add("portal", fault="429")
    answer = call(world, "GET", PATH)
    assert answer.headers["retry-after"] == header
    assert answer.json()["error"]["details"]["retry_after_seconds"] == body
