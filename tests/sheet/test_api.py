"""The calls to Google Sheets: what they rely on in google-auth, held against the library itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from google.oauth2.service_account import Credentials
from support.inprocess import RequestsAdapter

from sheetsync.clock import Clock
from sheetsync.errors import Unavailable
from sheetsync.sandbox.google.service_account import write_service_account
from sheetsync.sandbox.wire import Request, Response
from sheetsync.sandbox.world import World
from sheetsync.sheet.api import SheetsAPI, connect

LOOPBACK = "http://127.0.0.1:9"
LOOKUP = "_is_regional_access_boundary_lookup_required"


class Hasty(Clock):
    """A clock that waits for nothing."""

    def sleep(self, seconds: float) -> None:
        pass


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("google") / "service-account.json"
    write_service_account(World().google.oauth, path, f"{LOOPBACK}/token")
    return path


def signed_in(api: SheetsAPI) -> Any:
    """The credentials of a client, with a token that does not run out."""
    auth: Any = api.session.credentials  # type: ignore[attr-defined]
    auth.token, auth.expiry = "token", datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1)
    return auth


def test_google_auth_asks_what_we_answer(key_file: Path) -> None:
    """The private method by which a trial run stays on the machine is there, and decides: google-auth calls it."""
    asked: list[bool] = []
    auth = signed_in(connect(key_file, "https://sheets.googleapis.com", Hasty()))
    assert callable(getattr(Credentials, LOOKUP))
    setattr(auth, LOOKUP, lambda: asked.append(True))

    auth.before_request(None, "GET", "https://sheets.googleapis.com/v4", {})

    assert asked == [True]


@pytest.mark.parametrize(("api_url", "required"), [(LOOPBACK, False), ("https://sheets.googleapis.com", True)])
def test_only_a_trial_run_keeps_google_auth_from_looking_things_up(
    key_file: Path, api_url: str, required: bool
) -> None:
    """A sandbox's account is nobody's at Google; the real one is used as the library means it."""
    assert getattr(signed_in(connect(key_file, api_url, Hasty())), LOOKUP)() is required


@pytest.mark.parametrize("has_token", [False, True], ids=["token call", "sheets call"])
def test_loopback_is_reached_without_a_proxy(key_file: Path, monkeypatch: pytest.MonkeyPatch, has_token: bool) -> None:
    """Whatever proxy the machine has, neither the token call nor the others go through it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.test:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    seen: list[tuple[str | None, Any]] = []

    def send(self: object, request: requests.PreparedRequest, **settings: Any) -> requests.Response:
        seen.append((request.url, dict(settings["proxies"])))
        raise requests.ConnectionError

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    api = connect(key_file, LOOPBACK, Hasty())
    if has_token:
        signed_in(api)

    with pytest.raises(Unavailable):
        api.metadata("some-id", "sheets")

    assert {url.removeprefix(LOOPBACK).split("?")[0] for url, _ in seen if url} == {
        "/v4/spreadsheets/some-id" if has_token else "/token"
    }
    assert [proxies for _, proxies in seen if proxies] == []


def test_answers_are_asked_for_without_blanks() -> None:
    """Each of them: it halves what a run receives."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.param("prettyPrint"))
        return Response(200, {"content-type": "application/json"}, b'{"valueRanges": [{}]}')

    session = requests.Session()
    session.mount("https://", RequestsAdapter(answer))
    api = SheetsAPI(None, Clock(), "https://sheets.googleapis.com", "bot@example.com", session)
    api.metadata("id", "sheets")
    api.values("id", "A1")
    api.update("id", {"requests": []}, "spreadsheetId")
    assert asked == ["false"] * 3


@pytest.mark.parametrize("write", [True, False], ids=["write", "read"])
def test_no_redirect_is_followed(write: bool) -> None:
    """Codes and the token go to nobody but the address of the configuration."""
    asked: list[str] = []

    def elsewhere(request: Request) -> Response:
        asked.append(request.path)
        return Response(302, {"location": "https://elsewhere.example/v4/x"}, b"")

    session = requests.Session()
    session.mount("https://", RequestsAdapter(elsewhere))
    api = SheetsAPI(None, Clock(), "https://sheets.googleapis.com", "bot@example.com", session)
    with pytest.raises(Unavailable, match="redirect"):
        api.update("id", {"requests": []}, "spreadsheetId") if write else api.values("id", "A1")
    assert len(asked) == 1


class TokenService(BaseHTTPRequestHandler):
    """Answers any call for a token with `body`."""

    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *said: object) -> None:
        pass


@pytest.mark.parametrize("body", [b"<html>Log in to this network</html>", b"{}", b'"words"', b"[]", b"null", b""])
def test_a_page_in_the_place_of_a_token(tmp_path: Path, body: bytes) -> None:
    """A network that asks to log in answers for Google, with a 200: it is named, and the key is not blamed."""
    service = type("Service", (TokenService,), {"body": body})
    with HTTPServer(("127.0.0.1", 0), service) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        key = tmp_path / "key.json"
        write_service_account(World().google.oauth, key, f"http://127.0.0.1:{server.server_port}/token")
        with pytest.raises(Unavailable, match="token service answered without a token"):
            connect(key, LOOPBACK, Hasty()).metadata("id", "fields")
        server.shutdown()
