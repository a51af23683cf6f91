"""Who may call the sandbox's Google: tokens, sharing, quotas; and the real clients against it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import google
import gspread
import httpx
import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.auth.credentials import AnonymousCredentials
from gspread.utils import ValidationConditionType
from support.inprocess import HttpxTransport, RequestsAdapter

from sandbox.google_side import BOT, OTHER_BOT, Side, message
from sheetsync.sandbox.google.oauth import GOOGLE_AUDIENCE, GRANT_TYPE
from sheetsync.sandbox.wire import ConnectionLost, Request, Response, TimedOut

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def assertion(key: rsa.RSAPrivateKey = KEY, *, alg: str = "RS256", **claims: str) -> str:
    """A signed JWT as google-auth makes it."""
    parts = [{"typ": "JWT", "alg": alg}, {"iss": BOT, "aud": GOOGLE_AUDIENCE, **claims}]
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def token_call(side: Side, jwt: str, grant: str = GRANT_TYPE) -> Response:
    numbers = KEY.public_key().public_numbers()
    side.google.oauth.register(BOT, numbers.n, numbers.e, "http://127.0.0.1:8080/token")
    body = urlencode({"grant_type": grant, "assertion": jwt}).encode()
    return side.handle(Request("POST", "/token", (), {}, body))


@pytest.mark.parametrize("audience", [GOOGLE_AUDIENCE, "http://127.0.0.1:8080/token"])
def test_a_token_for_a_signed_assertion(audience: str) -> None:
    """Both audiences that google-auth versions sign are accepted; the token works for an hour of the clock."""
    side = Side()
    answer = side.ok(token_call(side, assertion(aud=audience)))
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    token = answer["access_token"]
    assert side.call("GET", "", token=token).status == 200
    side.pass_time(3600)
    assert side.call("GET", "", token=token).status == 401


@pytest.mark.parametrize(
    ("jwt", "said"),
    [
        (assertion(rsa.generate_private_key(public_exponent=65537, key_size=2048)), "Invalid JWT Signature."),
        (assertion(iss="stranger@x"), "Invalid grant: account not found"),
        (assertion(alg="none"), "Invalid grant: account not found"),
        (assertion(aud="https://elsewhere"), "Invalid JWT: Failed audience check."),
        ("nonsense", "Invalid JWT: not a JSON Web Token."),
    ],
)
def test_an_assertion_that_is_not_accepted(jwt: str, said: str) -> None:
    """400 invalid_grant, which google-auth does not try again."""
    response = token_call(Side(), jwt)
    assert (response.status, response.json()) == (400, {"error": "invalid_grant", "error_description": said})


def test_these_tests_do_not_pass_for_google() -> None:
    """A folder named `google` on the import path would hide google-auth, or mix with it."""
    assert Path(__file__).parent not in map(Path, google.__path__)


def test_who_may_call() -> None:
    """No token and a wrong one: 401; not shared: 403; no such book: 404; a viewer reads but does not write."""
    side = Side()
    assert side.call("GET", "", token=None).status == 401
    assert side.call("GET", "", token="stale").status == 401
    assert message(side.call("GET", "", token="other")) == "The caller does not have permission"
    assert message(side.call("GET", "", book="x")) == "Requested entity was not found."
    side.book.viewers.add(OTHER_BOT)
    assert side.call("GET", "", token="other").status == 200
    assert side.call("POST", "/values/A1:clear", {}, token="other").status == 403


@pytest.mark.parametrize(("asked", "lines"), [({}, 4), ({"prettyPrint": "true"}, 4), ({"prettyPrint": "false"}, 1)])
def test_answers_are_indented_unless_asked_not_to(asked: dict[str, str], lines: int) -> None:
    """Over the wire, an answer of one line is half as long."""
    side = Side()
    side.google.pretty = True
    shown = side.call("GET", "/values/A1", **asked).body.decode()
    assert len(shown.splitlines()) == lines


def test_sixty_reads_and_sixty_writes_a_minute() -> None:
    """Counted apart, per account, anew each minute, and only when switched on."""
    side = Side()
    side.google.quota = True
    assert {side.call("GET", "/values/A1").status for _ in range(60)} == {200}
    refused = side.call("GET", "/values:batchGet", ranges=["A1"])
    assert refused.status == 429
    assert refused.json()["error"]["details"][0]["metadata"]["quota_limit"] == "ReadRequestsPerMinutePerUser"
    assert side.call("POST", "/values/A1:clear", {}).status == 200
    assert side.call("GET", "", token="owner").status == 200
    side.pass_time(60)
    assert side.call("GET", "").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v4/spreadsheets", 501),
        ("/v4/spreadsheets/x/sheets/0:copyTo", 501),
        ("/v4/spreadsheets/x/values:batchGetByDataFilter", 501),
        ("/v4/spreadsheets/x/pictures", 404),
        ("/drive/v3/files/x/copy", 404),
    ],
)
def test_what_the_sandbox_does_not_have(path: str, status: int) -> None:
    """501 for what Google has and the sandbox has not built, 404 for what there is nowhere; never a failure."""
    assert Side().handle(Request("POST", path, (), {"authorization": "Bearer bot"})).status == status


def test_paths_of_others_are_not_answered() -> None:
    """The world asks the next side."""
    assert Side().google.handle(Request("GET", "/api/ext/videos")) is None


@pytest.fixture
def book() -> tuple[Side, gspread.Spreadsheet]:
    side = Side("Bob's tab/1", "Summary")
    session = requests.Session()
    session.mount("https://", RequestsAdapter(side.handle))
    session.headers["Authorization"] = "Bearer bot"
    client = gspread.Client(auth=AnonymousCredentials(), session=session)  # type: ignore[no-untyped-call]
    return side, client.open_by_key(side.book.id)


def test_gspread_reads_and_writes(book: tuple[Side, gspread.Spreadsheet]) -> None:
    """gspread's own calls, on a tab whose title needs quoting and escaping."""
    side, opened = book
    tab: Any = opened.worksheet("Bob's tab/1")
    tab.update([["Video ID", "Status"], ["007", 1]], "A1")
    tab.update_acell("B3", "=A1")
    tab.append_row(["v9"], table_range="A1")
    tab.insert_row(["v0"], 2)
    tab.sort((1, "asc"), range="A2:B5")
    tab.update_note("A2", "why")
    tab.add_validation("B2:B9", ValidationConditionType.one_of_list, ["a", "b"])
    tab.freeze(rows=1)
    tab.batch_clear(["B2:B5"])
    assert [row[0] for row in side.sheet.table()] == ["Video ID", "007", "v0", "v9"]
    assert tab.get_note("A2") == "why"
    assert tab.get_all_values()[0] == ["Video ID", "Status"]
    assert opened.worksheets()[0].frozen_row_count == 1


def test_gspread_names_what_is_missing(book: tuple[Side, gspread.Spreadsheet]) -> None:
    """Refusals come out as gspread's errors for the real ones."""
    _, opened = book
    with pytest.raises(gspread.WorksheetNotFound):
        opened.worksheet("Gone")
    with pytest.raises(gspread.exceptions.APIError, match="Unable to parse range: Gone!A1"):
        opened.values_get("Gone!A1")


@pytest.mark.parametrize(
    ("fault", "in_requests", "in_httpx"),
    [
        (ConnectionLost, requests.exceptions.ConnectionError, httpx.RemoteProtocolError),
        (TimedOut, requests.exceptions.ReadTimeout, httpx.ReadTimeout),
    ],
)
def test_an_answer_that_never_comes(
    fault: type[Exception], in_requests: type[Exception], in_httpx: type[Exception]
) -> None:
    """In process, a lost answer is the error that each library raises for it on a real line."""

    def lose(_: Request) -> Response:
        raise fault

    session = requests.Session()
    session.mount("http://", RequestsAdapter(lose))
    with pytest.raises(in_requests):
        session.get("http://127.0.0.1/x")
    with httpx.Client(transport=HttpxTransport(lose)) as client, pytest.raises(in_httpx):
        client.get("http://127.0.0.1/x")


def test_both_libraries_bring_path_query_and_body_as_they_are() -> None:
    """Paths stay encoded, queries are decoded, header names are lower case."""
    seen: list[Request] = []

    def keep(request: Request) -> Response:
        seen.append(request)
        return Response(201, {"X-Id": "1"}, b'{"a": 1}')

    session = requests.Session()
    session.mount("http://", RequestsAdapter(keep))
    url, params = "http://127.0.0.1/v/%27a%27%21A1", {"q": "a b&c", "e": ""}
    first = session.post(url, params=params, json={"k": "v"}, headers={"X-Key": "y"})
    with httpx.Client(transport=HttpxTransport(keep)) as client:
        second = client.post(url, params=params, json={"k": "v"}, headers={"X-Key": "y"})
    assert (first.status_code, first.json(), first.headers["x-id"]) == (201, {"a": 1}, "1")
    assert (second.status_code, second.json(), second.headers["x-id"]) == (201, {"a": 1}, "1")
    for request in seen:
        assert (request.path, request.query) == ("/v/%27a%27%21A1", (("q", "a b&c"), ("e", "")))
        assert (json.loads(request.body), request.headers["x-key"]) == ({"k": "v"}, "y")
