"""The sandbox over real sockets: keep-alive, lost and late answers, loopback only, and a restart from its file."""

from __future__ import annotations

import http.client
import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from google.auth.transport.requests import Request as GoogleRequest
from google.oauth2.service_account import Credentials

from sandbox.portal_calls import PATH, VIDEO
from sheetsync.sandbox.server import Server
from sheetsync.sandbox.world import World


@pytest.fixture
def server() -> Iterator[Server]:
    world = World()
    world.portal.add_video(VIDEO)
    with Server(world) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": server.world.portal.key}
    with httpx.Client(base_url=server.url, headers=headers, timeout=5, trust_env=False) as client:
        yield client


def signed_in(key_file: Path) -> str:
    """A token, by google-auth."""
    credentials = Credentials.from_service_account_file(key_file, scopes=["https://example.com/any"])
    credentials.refresh(GoogleRequest())
    return str(credentials.token)


def test_one_connection_serves_many_calls(server: Server) -> None:
    """HTTP/1.1 keep-alive: the same socket, also after an error."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    seen = set()
    for path in (PATH, "/api/ext/nowhere", PATH):
        connection.request("GET", path, headers={"X-API-Key": server.world.portal.key})
        connection.getresponse().read()
        assert connection.sock is not None
        seen.add(connection.sock.getsockname())
    connection.close()
    assert len(seen) == 1
    assert [call.status for call in server.world.calls] == [200, 404, 200]


def test_starting_is_quick() -> None:
    """Under 0.3 seconds from nothing to the first answer."""
    begin = time.perf_counter()
    with Server(World()) as server:
        httpx.get(server.url + "/_sandbox/state", trust_env=False)
        assert time.perf_counter() - begin < 0.3


def test_only_loopback() -> None:
    """Another address is refused before anything listens."""
    with pytest.raises(ValueError, match="loopback"):
        Server(World(), host="0.0.0.0")
    with pytest.raises(ValueError, match="loopback"):
        Server(World(), host="example.com")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_pages_of_other_sites_are_kept_out(server: Server, client: httpx.Client, headers: dict[str, str]) -> None:
    """Neither a foreign name for this address nor a foreign page's script gets in."""
    assert client.post("/_sandbox/clock", json={"advance_seconds": 60}, headers=headers).status_code == 403
    assert server.world.clock.now() == World().clock.now()


def test_a_lost_answer_closes_the_socket(server: Server, client: httpx.Client) -> None:
    """The order took place; the client sees a connection that ended without an answer, and may connect again."""
    server.world.faults.add("portal.order", fault="lost_after")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post(PATH, json={})
    assert len(server.world.portal.requests) == 1
    assert client.get(PATH).json()["data"]["status"] == "pending"


@pytest.mark.parametrize(("fault", "orders"), [("slow", 0), ("slow_after", 1)])
def test_a_client_that_does_not_wait(server: Server, client: httpx.Client, fault: str, orders: int) -> None:
    """It times out; whether the order took place depends on when the service was slow."""
    server.world.faults.add("portal.order", fault=fault, seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={}, timeout=0.1)
    time.sleep(0.4)
    assert len(server.world.portal.requests) == orders


@pytest.mark.parametrize("fault", ["slow", "slow_after"])
def test_a_client_that_waits(server: Server, client: httpx.Client, fault: str) -> None:
    """A slow answer is an answer."""
    server.world.faults.add("portal.order", fault=fault, seconds=0.1)
    assert client.post(PATH, json={}).status_code == 201
    assert len(server.world.portal.requests) == 1


def test_an_answer_that_drips(server: Server, client: httpx.Client) -> None:
    """It comes whole, a byte at a time; to a client that looks at each read alone it never takes too long."""
    server.world.faults.add("portal.order", fault="drip", seconds=0.001)
    begin = time.perf_counter()
    answer = client.post(PATH, json={}, timeout=0.2)
    assert time.perf_counter() - begin > 0.001 * len(answer.content)
    assert answer.status_code == 201
    assert client.get(PATH).json()["data"]["status"] == "pending"


def test_a_service_that_falls_silent(server: Server, client: httpx.Client) -> None:
    """The order takes place, and no answer ever comes; the server stops all the same."""
    server.world.faults.add("portal.order", fault="silent")
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json={}, timeout=0.1)
    assert len(server.world.portal.requests) == 1


def test_others_are_served_meanwhile(server: Server, client: httpx.Client) -> None:
    """A slow call does not hold up the others."""
    server.world.faults.add("portal.order", fault="slow", seconds=1)
    slow = threading.Thread(target=client.post, args=(PATH,), kwargs={"json": {}})
    slow.start()
    begin = time.perf_counter()
    assert client.get(PATH).status_code == 200
    assert time.perf_counter() - begin < 0.5
    slow.join()


def test_many_clients_order_one_video_at_once(server: Server, client: httpx.Client) -> None:
    """One lock round the world: one order wins, and one charge is made."""
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.post(PATH, json={}).status_code)) for _ in "123456"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert server.world.portal.credits == 1240


def test_what_is_no_http_request_with_a_length(server: Server, client: httpx.Client) -> None:
    """A chunked body is refused, as is one without end; the server goes on."""
    answer = client.post(PATH, content=iter([b"{}"]))
    assert answer.status_code == 411
    assert client.get(PATH).status_code == 200


def test_a_client_that_goes_away_in_the_middle(server: Server, client: httpx.Client) -> None:
    """Half a request does nothing, and nobody is told."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nhalf".encode())
    assert client.get(PATH).json() == {"data": None}


def test_stopping_is_noticed(server: Server) -> None:
    """Open connections close, and nothing listens any more."""
    client = httpx.Client(base_url=server.url, timeout=2, trust_env=False)
    client.get("/_sandbox/state")
    server.stop()
    with pytest.raises(httpx.TransportError):
        client.get("/_sandbox/state")
    client.close()


def test_a_restart_from_the_file(tmp_path: Path) -> None:
    """Same credits, requests, cells, keys and service account: a client does not notice."""
    path, key_file = tmp_path / "world.json", tmp_path / "key.json"
    world = World(path=path)
    world.portal.add_video(VIDEO)
    with Server(world) as server:
        port = server.port
        server.write_service_account(key_file)
        email = json.loads(key_file.read_text())["client_email"]
        book = world.google.create_spreadsheet("Ledger", tabs=("Tracker",), share_with=[email])
        cells = f"/v4/spreadsheets/{book.id}/values/Tracker!A1:B1"
        token = {"Authorization": f"Bearer {signed_in(key_file)}"}
        written = {"values": [["Video ID", VIDEO]]}
        httpx.put(server.url + cells + "?valueInputOption=RAW", json=written, headers=token, trust_env=False)
        with httpx.Client(base_url=server.url, headers={"X-API-Key": world.portal.key}, trust_env=False) as client:
            first = client.post(PATH, json={}, headers={"Idempotency-Key": "k"})
    with Server(World.load(path), port=port) as server:
        again = server.world
        assert (again.portal.credits, len(again.portal.requests)) == (1240, 1)
        for bearer in (token, {"Authorization": f"Bearer {signed_in(key_file)}"}):
            answer = httpx.get(server.url + cells, headers=bearer, trust_env=False)
            assert answer.json()["values"] == written["values"]
        headers = {"X-API-Key": world.portal.key, "Idempotency-Key": "k"}
        replay = httpx.post(server.url + PATH, json={}, headers=headers, trust_env=False)
        assert replay.content == first.content
        assert replay.headers["Idempotent-Replayed"] == "true"


def test_a_service_account_file(server: Server, tmp_path: Path) -> None:
    """As Google writes it, readable by its owner alone, and signing in here."""
    path = tmp_path / "key.json"
    server.write_service_account(path, email="robot@sandbox.test")
    written = json.loads(path.read_text())
    assert (written["type"], written["token_uri"]) == ("service_account", server.url + "/token")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_control_over_http(server: Server, client: httpx.Client) -> None:
    """Clock, managers, faults, switches, people and books, as the README's reader uses them."""

    def post(name: str, **body: object) -> dict[str, object]:
        answer = client.post(f"/_sandbox/{name}", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.json()
        return found

    book = str(post("spreadsheets", title="Ledger", tabs=["Tracker"], share_with="robot@x")["id"])
    for row, text in enumerate(["Video ID", "b", "a"]):
        post("cell", book=book, tab="Tracker", row=row, column=0, value=text)
    post("people", do="sort", book=book, tab="Tracker", by="Video ID")
    assert [row[0] for row in server.world.google.book(book).sheet("Tracker").table()] == ["Video ID", "a", "b"]
    assert post("clock", advance_seconds=60)["clock"] == "2026-06-16T10:23:00+00:00"
    assert post("clock", now=True)["clock"] == "2026-06-16T10:22:00+00:00"
    assert post("clock", set="2026-07-01T00:00:00Z")["clock"] == "2026-07-01T00:00:00+00:00"
    post("videos", video_id="new", manager=False)
    post("edit", do="add_tab", book=book)
    assert post("edit", do="redo", book=book) == {"refused": "There is nothing left of that."}
    assert [tab.title for tab in server.world.google.book(book).sheets] == ["Tracker", "Sheet2"]
    client.post(PATH, json={})
    assert post("managers", do="work") == {"moved": 1}
    assert post("managers", do="submit", video_id=VIDEO, code="#x") == {"status": "in_review"}
    assert post("managers", do="set_status", video_id=VIDEO, status="expired") == {"status": "expired"}
    post("managers", do="auto", delays_seconds={"accept": 5})
    post("switches", price=8, credits=50, quota=True, google_refuses="office_file", hidden_debit="yes")
    post("switches", google_quirks=["find_ignores_case"])
    assert server.world.google.book(book).quirks == {"find_ignores_case"}
    post("switches", google_quirks=[])
    post("faults", kind="portal.poll", fault="503")
    assert client.get(PATH).status_code == 503
    post("faults", kind="portal.poll", edit={"do": "delete_row", "book": book, "tab": "Tracker", "key": "a"})
    client.get(PATH)
    post("faults", kind="*", nth=9)
    assert client.delete("/_sandbox/faults").json() == {"faults": []}
    state = client.get("/_sandbox/state").json()
    assert (state["credits"], state["videos"], state["requests"]) == (50, 2, {"expired": 1})
    assert state["books"] == {book: "Ledger"}
    assert server.world.google.book(book).sheet("Tracker").rows_used == 2


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("clock", {}),
        ("managers", {"do": "dance"}),
        ("managers", {"do": "accept", "video_id": "nobody"}),
        ("people", {"do": "sort", "book": "none", "tab": "x", "by": "y"}),
        ("people", {"do": "shout"}),
        ("edit", {"do": "shout", "book": "none"}),
        ("faults", {"kind": "portal", "fault": "418"}),
        ("switches", {"open_request": 1}),
        ("switches", {"google_refuses": "everything"}),
        ("switches", {"google_quirks": ["moody"]}),
        ("videos", {"nonsense": 1}),
        ("clock", []),
    ],
)
def test_control_calls_that_make_no_sense(client: httpx.Client, name: str, body: object) -> None:
    """400 and a sentence, never a failure of the sandbox."""
    answer = client.post(f"/_sandbox/{name}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
