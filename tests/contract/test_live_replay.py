"""What `doctor --live --save` wrote on a real spreadsheet, sent once more, to the sandbox: it answers as Google did.

A file that a user sends goes into `tests/contract/live/`, and is played with the others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.bench import EMAIL
from support.live_bench import LiveBench

from sheetsync.live.recording import SPREADSHEET, Exchange, redacted
from sheetsync.live.scratch import TITLES
from sheetsync.sandbox.google.quirks import NAMES
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import World

SENT_BY_USERS = sorted((Path(__file__).parent / "live").glob("*.json"))
OF_THE_BOOK = ("timeZone", "autoRecalc")

Saved = list[dict[str, Any]]


def saved_here(*quirks: str) -> Saved:
    """What a check of the sandbox would save."""
    bench = LiveBench(*quirks)
    bench.check()
    saved: Saved = json.loads(json.dumps([redacted(each, [bench.book.id]) for each in bench.heard.all]))
    return saved


def compared(got: Any) -> Any:
    """An answer without what belongs to that spreadsheet: its other tabs, its zone, and ids that Google chose."""
    if isinstance(got, list):
        return [compared(held) for held in got if not _is_of_others(held)]
    if isinstance(got, dict):
        return {
            name: compared(held)
            for name, held in got.items()
            if name not in OF_THE_BOOK and not (name.endswith("Id") and name not in ("sheetId", "spreadsheetId"))
        }
    return got


def _is_of_others(held: Any) -> bool:
    properties = held.get("properties", {}) if isinstance(held, dict) else {}
    return properties.get("title", TITLES[0]) not in TITLES


def differences(saved: Saved) -> list[str]:
    """The calls that the sandbox answers otherwise."""
    world = World()
    book = world.google.create_spreadsheet("Codes", share_with=(EMAIL,))
    world.google.oauth.allow("token", EMAIL)
    found = []
    for each in (each for each in saved if each["service"] == "google"):
        path = each["path"].replace(SPREADSHEET, book.id)
        sent = b"" if each["sent"] is None else json.dumps(each["sent"]).encode()
        query = tuple((name, value) for name, value in each["query"])
        answer = world.handle(Request(each["method"], path, query, {"authorization": "Bearer token"}, sent))
        again = redacted(Exchange(each["method"], path, sent, answer.status, {}, answer.body), [book.id])
        if (again["status"], compared(again["got"])) != (each["status"], compared(each["got"])):
            found.append(f"{each['method']} {each['path']}: {json.dumps(each['got'])[:500]}")
    return found


def test_the_sandbox_answers_as_google_did() -> None:
    """Where it does not, the sandbox is wrong."""
    told = {path.stem: differences(json.loads(path.read_text(encoding="utf-8"))["exchanges"]) for path in SENT_BY_USERS}
    assert {name: found for name, found in told.items() if found} == {}


def test_what_was_saved_here_is_answered_alike() -> None:
    """The file holds all that a replay needs."""
    saved = saved_here()
    assert len(saved) == 13
    assert differences(saved) == []


@pytest.mark.parametrize("quirk", sorted(NAMES - {"quota_headers_are_told"}))
def test_a_file_from_elsewhere_tells_the_difference(quirk: str) -> None:
    """A Google that behaves otherwise leaves its trace in the file."""
    assert differences(saved_here(quirk))
