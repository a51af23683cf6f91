"""What the bodies of TokPortal's answers come to: values, or that they cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokportal_wire import (
    CALLS,
    CODE,
    DATA,
    KEY,
    NOW,
    ORDERED,
    VIDEO,
    App,
    ok,
    order,
    portal,
)

from sheetsync.errors import CallRefused, CallUncertain, SheetsyncError, Unavailable
from sheetsync.tokportal import parsing


def test_latest_reads_the_documented_answer() -> None:
    """Every field of the API page arrives, times in UTC and whole seconds."""
    data = {
        **DATA,
        "status": "in_review",
        "code": CODE,
        "submitted_at": "2026-06-16T16:05:00.987654321+02:00",
        "delivered_at": None,
        "something_new": {"x": 1},
    }
    found = portal(App(ok({"data": data}))).latest(VIDEO)
    assert found is not None
    assert (found.id, found.video_id, found.status, found.code) == ("req-1", VIDEO, "in_review", CODE)
    assert (found.platform, found.note) == ("tiktok", "Q3")
    assert (found.created_at, found.delivered_at) == (NOW, None)
    assert found.submitted_at == datetime(2026, 6, 16, 14, 5, tzinfo=UTC)


def test_null_data_means_no_request() -> None:
    """Only an explicit null says that a video has no ad code request."""
    assert portal(App(ok({"data": None}))).latest(VIDEO) is None


UNREADABLE: dict[str, object] = {
    "no object": [],
    "no data": {},
    "data is a list": {"data": []},
    "data is false": {"data": False},
    "data null beside an error": {"data": None, "error": {"code": "X"}},
    "no id": {"data": {**DATA, "ad_code_request_id": None}},
    "empty id": {"data": {**DATA, "ad_code_request_id": ""}},
    "blank id": {"data": {**DATA, "ad_code_request_id": " "}},
    "id with blanks around": {"data": {**DATA, "ad_code_request_id": "req-1 "}},
    "id too long": {"data": {**DATA, "ad_code_request_id": "x" * 201}},
    "id with half a character": {"data": {**DATA, "ad_code_request_id": "x\ud800"}},
    "id is a number": {"data": {**DATA, "ad_code_request_id": 7}},
    "no status": {"data": {**DATA, "status": None}},
    "code is a number": {"data": {**DATA, "code": 7}},
    "code too long": {"data": {**DATA, "code": "x" * 5001}},
    "code with a line break": {"data": {**DATA, "code": "a\nb"}},
    "another video": {"data": {**DATA, "video_id": "another"}},
    "video id is a number": {"data": {**DATA, "video_id": 7}},
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_does_not_say_enough_is_no_observation(payload: object) -> None:
    """An answer that cannot be trusted is never read as "no request", upon which an order would follow."""
    with pytest.raises(Unavailable, match="cannot be read"):
        portal(App(ok(payload))).latest(VIDEO)


@pytest.mark.parametrize("payload", [*UNREADABLE.values(), {"data": None}])
def test_an_unreadable_answer_to_an_order_is_uncertain(payload: object) -> None:
    """The order was answered with success: it may have been charged, so GET decides."""
    app = App(ok(payload, 201))
    with pytest.raises(CallUncertain):
        order(portal(app))
    assert len(app.seen) == 1


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("code", "", None),
        ("code", "  ", None),
        ("code", f" {CODE}\n", CODE),
        ("code", "=1+1", "=1+1"),
        ("status", "Something_new", "Something_new"),
        ("platform", None, ""),
        ("platform", 7, ""),
        ("note", "x" * 600, "x" * 500),
        ("video_id", VIDEO.upper(), VIDEO),
        ("video_id", None, VIDEO),
        ("created_at", "2026-06-16T10:22:00+00:00", NOW),
        ("created_at", "2026-06-16T12:22:00.5+02:00", NOW),
        ("created_at", "2026-06-16T10:22:00", None),
        ("created_at", "2026-06-16", None),
        ("created_at", "yesterday", None),
        ("created_at", 1781605320, None),
        ("created_at", "9999-12-31T23:59:59-23:59", None),
        ("created_at", "0001-01-01T00:00:00+23:59", None),
    ],
)
def test_optional_fields_are_read_with_tolerance(field: str, value: object, expected: object) -> None:
    """What the sheet can do without never spoils an answer."""
    found = portal(App(ok({"data": {**DATA, field: value}}))).latest(VIDEO)
    assert getattr(found, field) == expected


def test_order_reads_credits_beside_data() -> None:
    """The credits stand beside `data`, not in it (API page, "Response (201)")."""
    done = order(portal(App(ok(ORDERED, 201))))
    assert (done.request.id, done.credits_charged, done.credits_remaining, done.replayed) == ("req-1", 7, 1240, False)


def test_a_replay_is_told_apart() -> None:
    """`Idempotent-Replayed: true` marks an answer for which nothing was charged again."""
    assert order(portal(App(ok(ORDERED, 201, Idempotent_Replayed="true")))).replayed


@pytest.mark.parametrize("odd", [True, 7.0, "7", None, [], float("nan"), 10**30, -7])
def test_odd_charges_are_no_charges(odd: object) -> None:
    """A charge is a whole number that a cell can hold, or unknown; the order itself stays accepted."""
    answer = httpx.Response(201, content=json.dumps({**ORDERED, "credits_charged": odd}))
    assert order(portal(App(answer))).credits_charged is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"total_credits": 1250, "credits": 1}, 1250),
        ({"credits": 1250}, 1250),
        ({"total_credits": None, "credits": 3}, 3),
        ({"total_credits": 0}, 0),
        ({"total_credits": -5}, -5),
        ({"total_credits": "1250"}, 1250),
        ({"total_credits": " 1250.9 "}, 1250),
        ({"credits": 1250.5}, 1250),
        ({"credits": -0.5}, -1),
    ],
)
def test_balance_reads_both_shapes(data: object, expected: int) -> None:
    """`total_credits ?? credits` (reference/tokportal.md 8), also as text or with a fraction, which buys nothing."""
    assert portal(App(ok({"data": data}))).balance() == expected


@pytest.mark.parametrize(
    "data",
    [None, {}, {"credits": True}, {"credits": "1,250"}, {"credits": 1e300}, {"total_credits": "9" * 99}, [], 1250],
)
def test_an_unreadable_balance_is_no_balance(data: object) -> None:
    """No order is made upon a guessed balance."""
    with pytest.raises(Unavailable, match="balance"):
        portal(App(ok({"data": data}))).balance()


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": "Just words"}', "", "Just words"),
        (b'{"error": {"message": "m"}}', "", "m"),
        (b'{"code": "C", "message": "m"}', "C", "m"),
        (b'{"error": "words", "code": "C"}', "C", "words"),
        (b'{"error": {"code": 7, "message": ["m"]}}', "", ""),
        (b"plain text", "", "plain text"),
        (b"<html><b>403</b></html>", "", "a web page instead of an answer"),
        (b"", "", ""),
        (b"[1]", "", ""),
        (b'{"error": {"message": "a\\u0000\\n\\ud800\\u202e b"}}', "", "a b"),
        (json.dumps({"error": {"message": "x" * 999}}).encode(), "", "x" * 300),
    ],
)
def test_error_bodies_of_any_shape(body: bytes, code: str, message: str) -> None:
    """What a refusal says is kept in one clean line, whatever its envelope."""
    with pytest.raises(CallRefused) as caught:
        portal(App(httpx.Response(400, content=body))).latest(VIDEO)
    assert (caught.value.code, caught.value.message) == (code, message)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Code AbC9/x+Qz7mN4pL2== cannot be corrected", "Code *** cannot be corrected"),
        ("Code #short12345 is bad", "Code *** is bad"),
        ("'#abc.def.ghi12345': no", "'***': no"),
        ("ad_code 'IGpc8sKfl2JDk3Zq0x81Ab' exists", "ad_code '***' exists"),
        ("code:aB3dE5gH7jK9lM1nO3pQ5", "code:***"),
        ("[aB3dE5gH7jK9lM1nO3pQ5], `aB3dE5gH7jK9lM1nO3pQ5`", "[***], `***`"),
        ("“aB3dE5gH7jK9lM1nO3pQ5” auth_code:%23aB3dE5gH7jK9lM1nO3pQ5", "“***” auth_code:%***"),
        ("auth_code=aB3dE5gH7jK9lM1nO3pQ5", "***"),
        ("Request 6f1a2b3c-0000-4000-8000-00000000000a is open", None),
        ("See https://app.tokportal.com/Videos/123456 (support req_c33cedce35493fc82dfad8ee5206e23e)", None),
        ("Task #42 is blocked until 2026-11-30T18:00:00Z", None),
        ("x1Y" * 5000, "***"),
        ("1" * 20_000, "1" * 300),
        ("1" * 200_000, ""),
    ],
    ids=lambda text: str(text)[:30],
)
def test_a_code_that_an_error_quotes(message: str, shown: str | None) -> None:
    """Whatever its spelling it is masked; ids, addresses and times stay readable."""
    told = parsing.problem(json.dumps({"error": {"code": "C", "message": message}}).encode(), KEY)
    assert told == ("C", message if shown is None else shown)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"1" * 10_000, b"\xff\xfe\x00", b"NaN", b"null"])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_monstrous_bodies_are_only_unreadable(body: bytes, status: int) -> None:
    """Depth beyond Python's stack and numbers beyond its limit are answers that cannot be read, no more."""
    for call, run in CALLS.items():
        if (call, status) != ("correct", 200):
            with pytest.raises(SheetsyncError):
                run(portal(App(httpx.Response(status, content=body))))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | _JSON)
def test_plain_text_is_one_short_line_that_can_be_stored(value: object) -> None:
    """What goes into a cell and a log encodes, has no control characters and keeps its length."""
    text = parsing.plain(value, 50, KEY)
    text.encode()
    assert len(text) <= 50
    assert all(ord(character) >= 32 for character in text)
