"""`sheetsync history` of a renewed and corrected video reads as a story, for people and for programs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.bench import Bench

from sheetsync.cli.main import cli
from sheetsync.ledger.store import Ledger

VIDEO = "vid-a"
FEEDBACK = "Ads Manager says auth_code_not_found"
CONFIG = """\
google:
  api_url: http://127.0.0.1:1
tokportal:
  api_key: sk_never_used
  api_url: http://127.0.0.1:1
state: state.db
trackers:
  - name: acme
    spreadsheet: book
    worksheet: Tracker
"""


@dataclass(frozen=True)
class Told:
    """A video whose code was ordered, reported, resubmitted, renewed, and whose renewal was cancelled."""

    config: Path
    first: str
    second: str
    codes: tuple[str, ...]

    def history(self, *arguments: str) -> Result:
        """The command; nothing answers where its services should be."""
        return CliRunner().invoke(cli, ["-c", str(self.config), "history", *arguments])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Eight days, one run a day at 09:00 UTC, in a spreadsheet of another time zone."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "sheetsync.yaml").write_text(CONFIG, encoding="utf-8")
    bench = Bench([VIDEO, "vid-b"], time_zone="Asia/Kolkata", start=datetime(2026, 6, 16, 9, 0, tzinfo=UTC))
    portal = bench.world.portal
    with Ledger(folder / "state.db") as bench.ledger:
        for day in (
            lambda: bench.mark("request", VIDEO),
            lambda: portal.accept(VIDEO),
            lambda: portal.submit(VIDEO),
            lambda: report(bench),
            lambda: portal.submit(VIDEO),
            lambda: portal.deliver(VIDEO),
            lambda: bench.mark("renew", VIDEO),
            lambda: portal.cancel(VIDEO),
        ):
            day()
            assert bench.sync().exit_code == 0
            bench.later(days=1)
    first, second = bench.requests(VIDEO)
    return Told(folder / "sheetsync.yaml", first.id, second.id, tuple(first.codes))


def report(bench: Bench) -> None:
    """The media buyer says why the code does not work."""
    bench.type(VIDEO, "feedback", FEEDBACK)
    bench.mark("correct", VIDEO)


def keyless(text: str) -> str:
    """Idempotency keys are new every time."""
    return re.sub(r"\b[0-9a-f]{32}\b", "KEY", text)


def test_the_story_in_the_terminal(told: Told) -> None:
    """Every charge, status, code, report and renewal in its order, in UTC; then both generations with their price."""
    result = told.history(VIDEO)
    old, new = told.codes
    assert result.exit_code == 0
    assert keyless(result.stdout) == (
        f"video {VIDEO}  (tracker acme; times in UTC)\n"
        "\n"
        "  2026-06-16 09:00:00  about to order (request), key KEY\n"
        f"  2026-06-16 09:00:00  ordered (request): 7 credits, 1240 left; request {told.first}\n"
        "  2026-06-17 09:00:00  status pending -> accepted\n"
        "  2026-06-18 09:00:00  status accepted -> in_review\n"
        f"  2026-06-18 09:00:00  code received: {old}\n"
        f"  2026-06-19 09:00:00  about to report code {old}: {FEEDBACK}\n"
        "  2026-06-19 09:00:00  status in_review -> pending_corrections\n"
        f"  2026-06-19 09:00:00  code {old} reported as not working\n"
        "  2026-06-20 09:00:00  status pending_corrections -> in_review\n"
        f"  2026-06-20 09:00:00  code received: {new}\n"
        "  2026-06-21 09:00:00  status in_review -> finalized\n"
        "  2026-06-22 09:00:00  about to order (renew), key KEY\n"
        f"  2026-06-22 09:00:00  ordered (renew): 7 credits, 1233 left; request {told.second}\n"
        "  2026-06-23 09:00:00  status pending -> cancelled\n"
        "\n"
        "2 ad code requests:\n"
        "\n"
        f"  1. {told.first}  finalized  7 credits  {old}, then {new}\n"
        f"  2. {told.second}  cancelled  7 credits, refunded  no code  renewal of {told.first}\n"
        "\n"
        f"code in use: {new}, of {told.first}, until 2026-07-16 09:00:00\n"
    )
    assert result.stderr == ""


def test_who_let_an_order_pass(tmp_path: Path) -> None:
    """The approvals that were ticked, what had to be filled in, and the Approval owner, as they stood at the claim."""
    config = tmp_path / "sheetsync.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    bench = Bench([VIDEO], headers=[*Bench().headers, "Post live", "Approval owner"], require=("client", "post_live"))
    for key, value in {"client": "Crumbly", "post_live": True, "approval_owner": "Ann", "action": "request"}.items():
        bench.type(VIDEO, key, value)
    with Ledger(tmp_path / "state.db") as bench.ledger:
        bench.sync()
    result = Told(config, "", "", ()).history(VIDEO)
    assert "about to order (request), key KEY; ticked: Post live; Client: Crumbly; Approval owner: Ann\n" in keyless(
        result.stdout
    )


def test_a_row_that_waits_for_its_first_order(tmp_path: Path) -> None:
    """Nothing has happened yet; what is known is told: that it waits, what for, and where it stands."""
    config = tmp_path / "sheetsync.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    bench = Bench([VIDEO], require=("client",))
    bench.mark("request", VIDEO)
    with Ledger(tmp_path / "state.db") as bench.ledger:
        bench.sync()
    waiting = Told(config, "", "", ())
    result = waiting.history(VIDEO)
    link = "https://docs.google.com/spreadsheets/d/book/edit#gid=0&range=2:2"
    assert result.exit_code == 0
    header, requests, waits = result.stdout.split("\n\n")
    assert (header, requests) == (f"video {VIDEO}  (tracker acme; times in UTC)", "0 ad code requests")
    assert re.fullmatch(rf"waits: .*Client.*  {re.escape(link)}\n", waits)
    document = json.loads(waiting.history(VIDEO, "--json").stdout)
    (hold,) = document["holds"]
    assert (document["events"], document["requests"], document["codes_in_use"]) == ([], [], [])
    assert (hold["tracker"], hold["link"], "Client" in hold["reason"]) == ("acme", link, True)


def test_the_story_for_programs(told: Told) -> None:
    """The same as one document: the same events in the same order, with all their details."""
    result = told.history(VIDEO, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert list(document) == ["video_id", "events", "requests", "codes_in_use", "holds"]
    assert [(event["at"], event["kind"], told_of(event["detail"])) for event in document["events"]] == [
        ("2026-06-16T09:00:00Z", "intent", ["request"]),
        ("2026-06-16T09:00:00Z", "ordered", [told.first, "request", 7, 1240]),
        ("2026-06-17T09:00:00Z", "status", [told.first, "pending", "accepted"]),
        ("2026-06-18T09:00:00Z", "status", [told.first, "accepted", "in_review"]),
        ("2026-06-18T09:00:00Z", "code", [told.first, told.codes[0]]),
        ("2026-06-19T09:00:00Z", "correction intent", [told.first, told.codes[0], FEEDBACK]),
        ("2026-06-19T09:00:00Z", "status", [told.first, "in_review", "pending_corrections"]),
        ("2026-06-19T09:00:00Z", "correction sent", [told.first, told.codes[0]]),
        ("2026-06-20T09:00:00Z", "status", [told.first, "pending_corrections", "in_review"]),
        ("2026-06-20T09:00:00Z", "code", [told.first, told.codes[1]]),
        ("2026-06-21T09:00:00Z", "status", [told.first, "in_review", "finalized"]),
        ("2026-06-22T09:00:00Z", "intent", ["renew", told.first]),
        ("2026-06-22T09:00:00Z", "ordered", [told.second, "renew", 7, 1233]),
        ("2026-06-23T09:00:00Z", "status", [told.second, "pending", "cancelled"]),
    ]
    assert {event["tracker"] for event in document["events"]} == {"acme"}
    assert [event["run_id"] for event in document["events"]][::13] == ["run-1", "run-8"]


def told_of(detail: dict[str, Any]) -> list[Any]:
    """What an event tells, without numbers and keys of intents."""
    order = ("request_id", "mark", "from", "to", "code", "feedback", "previous_id", "credits_charged", "credits_left")
    return [detail[name] for name in order if detail.get(name) is not None]


def test_both_generations_for_programs(told: Told) -> None:
    """Each request with its price, its times, and every code it ever carried: the renewal erases nothing."""
    document = json.loads(told.history(VIDEO, "--json").stdout)
    first, second = document["requests"]
    assert first == {
        "tracker": "acme",
        "request_id": told.first,
        "status": "finalized",
        "origin": "ordered",
        "credits_charged": 7,
        "renewal_of": None,
        "codes": [
            {"received_at": "2026-06-18T09:00:00Z", "code": told.codes[0]},
            {"received_at": "2026-06-20T09:00:00Z", "code": told.codes[1]},
        ],
        "created_at": "2026-06-16T09:00:00Z",
        "submitted_at": "2026-06-20T09:00:00Z",
        "delivered_at": "2026-06-21T09:00:00Z",
    }
    assert (second["request_id"], second["status"], second["codes"]) == (told.second, "cancelled", [])
    assert (second["credits_charged"], second["created_at"]) == (7, "2026-06-22T09:00:00Z")
    assert second["renewal_of"] == told.first
    shown = {"request_id": told.first, "code": told.codes[1], "expires_at": "2026-07-16T09:00:00Z"}
    assert document["codes_in_use"] == [{"tracker": "acme", **shown}]


def test_codes_that_the_story_tells_are_those_that_were_delivered(told: Told) -> None:
    """A correction brings another code."""
    assert len(set(told.codes)) == 2


def test_a_tracker_that_is_named(told: Told) -> None:
    """Its story alone; one that is not configured is a matter of usage."""
    assert told.history(VIDEO, "--tracker", "acme").stdout == told.history(VIDEO).stdout
    unknown = told.history(VIDEO, "--tracker", "other")
    assert unknown.exit_code == 2
    assert "The configuration has: acme." in unknown.stderr


@pytest.mark.parametrize("key", ["vid-x", "vid-b"])
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_video_that_the_ledger_does_not_know(told: Told, key: str, form: tuple[str, ...]) -> None:
    """Unknown, or a row that nothing ever happened to: exit code 2, and advice on stderr, for programs too."""
    result = told.history(key, *form)
    assert result.exit_code == 2
    assert result.stderr == f"Error: The ledger knows no video '{key}'. Is it the id in the key column?\n"
