"""TikTok says when: what it tells replaces the estimate, and whatever it does not tell stops nothing (design 5)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support.tiktoks import ACCESS, KEYS, VIDEO, Asking, whole

from sheetsync.authorizations import Access
from sheetsync.columns import to_serial
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.tiktok.records import ADVERTISER, PRIVATE, TOKEN
from sheetsync.sandbox.wire import Request, Response
from sheetsync.tiktok import parsing

OTHER = "7000000000000000002"


def test_what_tiktok_says_replaces_the_estimate() -> None:
    """The creator chose 7 days, whatever was asked for; once it is applied, the row says so."""
    bench = Asking()
    bench.world.tiktok.days = 7
    post = bench.with_code()
    bench.sync()
    assert bench.ends() == whole(post.ends)
    assert bench.says() == ("ok", "TikTok", "not applied")
    bench.world.tiktok.apply(post.code)
    bench.later(hours=1)
    bench.sync()
    assert bench.says() == ("ok", "TikTok", "in use")
    assert bench.cell(VIDEO, "sync_note") == ""


def test_without_the_token_nothing_changes_and_nobody_is_asked() -> None:
    """Columns of these names are the team's own then, whatever stands in them."""
    bench, plain = Asking(access=Access(advertiser_id=ADVERTISER)), Asking(access=Access())
    for each in (bench, plain):
        each.world.tiktok.days = 7
        each.with_code()
        each.type(VIDEO, "code_state", "ours")
        assert each.sync().remarks == []
        assert each.asked() == []
        assert each.says() == ("ok", "", "ours")
    assert bench.row(VIDEO) == plain.row(VIDEO)


def test_a_token_that_was_taken_away_again() -> None:
    """The estimate is back; what was told counts for nothing."""
    bench = Asking()
    bench.world.tiktok.days = 7
    bench.with_code()
    bench.sync()
    told = bench.ends()
    bench.tracker = bench.tracker.__class__("acme", bench.book.id, "Tracker")
    calls = len(bench.asked())
    bench.later(days=1)
    bench.sync()
    assert bench.ends() != told
    assert len(bench.asked()) == calls


def test_a_sheet_without_the_optional_columns() -> None:
    """Expires at is told all the same."""
    bench = Asking(keys=[key for key in KEYS if key not in ("expiry_source", "code_state")])
    bench.world.tiktok.days = 7
    post = bench.with_code()
    assert bench.sync().exit_code == 0
    assert bench.ends() == whole(post.ends)


def test_a_second_run_asks_and_writes_nothing() -> None:
    """What was said is kept: news of it is not expected within minutes. A new machine asks for itself."""
    bench = Asking()
    bench.with_code()
    bench.sync()
    calls = len(bench.asked())
    bench.later(minutes=5)
    assert bench.sync().cells_written == 0
    assert len(bench.asked()) == calls
    assert bench.sync(Ledger(None)).cells_written == 0
    assert len(bench.asked()) > calls


def test_a_known_expiry_and_tiktok() -> None:
    """The earlier of the two holds, and the note says both."""
    bench = Asking()
    post = bench.with_code()
    bench.sync()
    bench.type(VIDEO, "known_expiry", to_serial(whole(post.ends, days=-2), "Etc/GMT"))
    bench.sync()
    assert (bench.ends(), bench.says()) == (whole(post.ends, days=-2), ("ok", "typed", "not applied"))
    assert "the earlier one counts" in bench.cell(VIDEO, "sync_note")
    bench.type(VIDEO, "known_expiry", to_serial(whole(post.ends, days=2), "Etc/GMT"))
    bench.sync()
    assert (bench.ends(), bench.says()) == (whole(post.ends), ("ok", "TikTok", "not applied"))


def test_a_post_that_goes_private_and_a_code_that_is_switched_off() -> None:
    """The row says so; what was said of the end stays. A code that nobody applied and that is off is not accepted."""
    bench = Asking()
    post = bench.with_code()
    bench.world.tiktok.set_status(post.code, PRIVATE)
    bench.sync()
    assert bench.says() == ("ok", "TikTok", "post no longer public")
    assert "TikTok says of this code: post no longer public." in bench.cell(VIDEO, "sync_note")
    bench.world.tiktok.revoke(post.code)
    bench.later(days=1)
    bench.sync()
    assert bench.says() == ("ok", "TikTok", "not accepted")
    assert "Mark correct, with the reason in Feedback." in bench.cell(VIDEO, "sync_note")
    assert bench.ends() == whole(post.ends)
    assert post.code not in bench.cell(VIDEO, "sync_note")


def test_a_corrected_code_is_asked_about_at_once() -> None:
    """The manager sends another one."""
    bench = Asking()
    post = bench.with_code()
    bench.world.tiktok.revoke(post.code)
    bench.sync()
    bench.type(VIDEO, "feedback", "TikTok does not know it")
    bench.mark("correct", VIDEO)
    bench.sync()
    bench.world.portal.submit(VIDEO)
    bench.later(minutes=5)
    bench.sync()
    assert bench.says() == ("ok", "TikTok", "not applied")
    assert bench.cell(VIDEO, "sync_note") == ""


def test_a_renewal_that_brings_the_same_code_again() -> None:
    """What was said before it is of the time before: the estimate holds until TikTok was asked anew."""
    bench = Asking()
    post = bench.with_code()
    bench.sync()
    bench.later(days=29)
    bench.mark("renew", VIDEO)
    bench.sync()
    bench.world.tiktok.extend(post.code, 30)
    bench.later(minutes=5)
    bench.world.portal.submit(VIDEO, post.code)
    bench.world.portal.deliver(VIDEO)
    bench.world.faults.add("tiktok", fault="503", times=9)
    bench.sync()
    assert bench.says()[:2] == ("ok", "estimate")
    bench.world.faults.clear()
    bench.later(minutes=5)
    bench.sync()
    assert (bench.ends(), bench.says()[:2]) == (whole(post.ends), ("ok", "TikTok"))


def test_the_row_s_ad_account_is_asked_before_the_tracker_s() -> None:
    """One that holds a name is none; without both nobody is asked, and the note says what is missing."""
    bench = Asking(videos=("vid-a", "vid-b"), access=Access(TOKEN))
    bench.world.tiktok.tokens[TOKEN].append(OTHER)
    bench.type("vid-b", "ad_account", OTHER)
    post = bench.with_code("vid-b")
    bench.world.tiktok.apply(post.code, OTHER)
    bench.with_code("vid-a")
    bench.sync()
    assert bench.says("vid-b") == ("ok", "TikTok", "in use")
    assert bench.says("vid-a") == ("ok", "estimate", "")
    assert "TikTok is not asked about this code" in bench.cell("vid-a", "sync_note")
    bench.type("vid-a", "ad_account", "Acme US")
    bench.tracker = Asking(access=ACCESS).tracker.__class__("acme", bench.book.id, "Tracker", tiktok=ACCESS)
    bench.sync()
    assert bench.says("vid-a") == ("ok", "TikTok", "not applied")


def test_retired_and_long_ended_codes_are_not_asked_about() -> None:
    """Nobody expects news of them."""
    bench = Asking()
    bench.with_code()
    bench.sync()
    bench.type(VIDEO, "paid_status", "retired")
    bench.later(days=2)
    bench.sync()
    calls = len(bench.asked())
    bench.later(days=2)
    bench.sync()
    assert len(bench.asked()) == calls
    bench.type(VIDEO, "paid_status", "")
    bench.sync()
    assert len(bench.asked()) > calls
    bench.later(days=70)
    bench.sync()
    calls = len(bench.asked())
    bench.later(days=2)
    bench.sync()
    assert len(bench.asked()) == calls


def test_an_account_with_many_posts() -> None:
    """One page tells of 50 codes: asking for each would be a call each."""
    videos = [f"vid-{n:03}" for n in range(60)]
    bench = Asking(videos, max_orders_per_run=100)
    for n in range(70):
        bench.world.tiktok.apply(bench.world.tiktok.authorize(f"#of somebody else {n}").code)
    bench.mark("request", *videos)
    bench.sync()
    for video in videos:
        bench.world.tiktok.apply(bench.world.tiktok.authorize(str(bench.world.portal.submit(video).code)).code)
    bench.later(minutes=5)
    bench.sync()
    bench.later(minutes=5)
    bench.sync()
    assert {bench.says(video) for video in videos} == {("ok", "TikTok", "in use")}
    assert set(bench.asked()) == {"tiktok.list"}


def test_a_plan_and_a_run_for_some_videos() -> None:
    """A plan asks nobody: nothing of it follows from an end. A run for one video asks of that one alone."""
    bench = Asking(videos=("vid-a", "vid-b"))
    for video in ("vid-a", "vid-b"):
        bench.with_code(video)
    calls = len(bench.asked())
    bench.sync(plan_only=True)
    assert len(bench.asked()) == calls
    bench.sync(Ledger(None), videos=frozenset({"vid-b"}))
    assert bench.asked()[calls:] == ["tiktok.list", "tiktok.info"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_call(tmp_path: Path, moment: str) -> None:
    """The next run finishes the work: each mark was paid for once, each row says what TikTok says."""
    for index in range(100):
        bench = Asking(videos=("vid-a", "vid-b"))
        bench.ledger = Ledger(tmp_path / f"{moment}{index}.db", durable=False)
        bench.world.tiktok.days = 7
        post = bench.with_code()
        bench.world.tiktok.apply(post.code)
        bench.mark("request", "vid-b")
        if not _killed(bench, index, moment):
            break
        bench.ledger.close()
        bench.ledger = Ledger(tmp_path / f"{moment}{index}.db", durable=False)
        for _ in range(2):
            bench.later(minutes=5)
            bench.sync()
        assert (bench.ends(), bench.says()) == (whole(post.ends), ("ok", "TikTok", "in use"))
        assert [bench.charged(video) for video in ("vid-a", "vid-b")] == [7, 7]
    assert index > 8


def test_a_code_that_people_typed() -> None:
    """It came from elsewhere, and TikTok knows it all the same."""
    bench = Asking()
    post = bench.world.tiktok.authorize("#typed by people", days=9)
    bench.type(VIDEO, "spark_code", post.code)
    bench.sync()
    assert (bench.ends(), bench.says()) == (whole(post.ends), ("ok", "TikTok", "not applied"))
    bench.world.tiktok.extend(post.code, 30)
    bench.later(days=1)
    bench.sync()
    assert bench.ends() == whole(post.ends)


def test_a_code_that_the_token_may_not_read() -> None:
    """The others are told of; what is wrong stands in its row."""
    bench = Asking(videos=("vid-a", "vid-b"))
    posts = [bench.with_code("vid-a"), bench.with_code("vid-b")]
    whole_answer = bench.world.tiktok_api.handle

    def handle(request: Request) -> Response:
        if request.param("auth_code") == posts[0].code:
            return bench.world.tiktok_api.answer(40001, f"No permission to read {posts[0].code}")
        return whole_answer(request)

    bench.world.tiktok_api.handle = handle  # type: ignore[method-assign]
    bench.later(days=1)
    assert bench.sync().remarks == []
    assert (bench.says("vid-a")[2], bench.says("vid-b")[2]) == ("not told", "not applied")
    assert "(40001: No permission to read ...)" in bench.cell("vid-a", "sync_note")


class Crash(BaseException):
    """The process dies: nothing may catch it."""


def _killed(bench: Asking, index: int, moment: str) -> bool:
    first = len(bench.world.calls)

    def kill(when: str, number: int, kind: str, request: Request) -> None:
        if (when, number - first) == (moment, index):
            raise Crash

    bench.world.hooks.append(kill)
    try:
        bench.sync()
    except Crash:
        return True
    finally:
        bench.world.hooks.remove(kill)
    return False


class TestTrouble:
    """A token that TikTok does not take, and every other trouble, stops nothing else."""

    @pytest.mark.parametrize("fault", ["401", "403"])
    def test_a_token_that_is_not_taken(self, fault: str) -> None:
        """The run serves, and ends with 0; it notes the trouble, and tries again in an hour."""
        bench = Asking(videos=("vid-a", "vid-b"))
        bench.with_code()
        bench.world.faults.add("tiktok", fault=fault, times=999)
        bench.mark("request", "vid-b")
        report = bench.sync()
        assert (report.exit_code, report.ordered, bench.says()[:2]) == (0, 1, ("ok", "estimate"))
        assert [remark for remark in report.remarks if "tiktok.access_token" in remark] == report.remarks != []
        calls = len(bench.asked())
        bench.later(minutes=30)
        assert bench.sync().remarks == report.remarks
        assert len(bench.asked()) == calls
        bench.world.faults.clear()
        bench.later(minutes=31)
        assert bench.sync().remarks == []
        assert bench.says()[:2] == ("ok", "TikTok")

    def test_another_token_is_tried_at_once(self) -> None:
        """Who puts in a new one need not wait."""
        bench = Asking(access=Access("expired", ADVERTISER))
        bench.with_code()
        assert bench.sync().remarks != []
        bench.tracker = bench.tracker.__class__("acme", bench.book.id, "Tracker", tiktok=ACCESS)
        assert bench.sync().remarks == []
        assert bench.says()[1] == "TikTok"

    def test_a_token_that_no_header_carries(self) -> None:
        bench = Asking(access=Access("tok\nen", ADVERTISER))
        bench.with_code()
        (remark,) = bench.sync().remarks
        assert "characters that no token has" in remark

    @pytest.mark.parametrize(
        "fault", ["429", "500", "503", "html502", "garbled", "lost_before", "lost_after", "slow", "silent"]
    )
    def test_no_answer(self, fault: str) -> None:
        """Busy, gone, slow or unreadable: the estimate holds, nothing is noted, and the next run asks again."""
        bench = Asking()
        bench.with_code()
        bench.world.faults.add("tiktok", fault=fault, times=99)
        started = bench.clock.now()
        report = bench.sync()
        assert (report.exit_code, report.remarks, bench.says()[:2]) == (0, [], ("ok", "estimate"))
        assert bench.clock.now() - started < timedelta(minutes=2)
        assert 1 <= len(bench.asked()) <= 6
        bench.world.faults.clear()
        bench.sync()
        assert bench.says()[1] == "TikTok"

    @pytest.mark.parametrize("fault", ["429", "503", "lost_after"])
    def test_a_passing_trouble_is_waited_for(self, fault: str) -> None:
        """Twice busy, then well: in the same run."""
        bench = Asking()
        bench.with_code()
        bench.world.faults.add("tiktok.info", fault=fault, times=2)
        bench.sync()
        assert bench.says()[1] == "TikTok"

    @pytest.mark.parametrize(
        "body",
        [
            *(b"{}", b"[]", b"null", b'{"code":true}', b'{"code":"0"}', b'{"code":0}', b'{"code":0,"data":[]}'),
            b'{"code":0,"data":{"list":[1,{"item_info":7}],"page_info":{"total_page":"9"},"auth_info":"x"}}',
            b'{"code":0,"data":{"auth_info":{"auth_end_time":"soon"},"item_info":{"status":7,"auth_code":null}}}',
            b'{"code":0,"data":{"auth_info":{"auth_end_time":"9999-99-99 00:00:00","ad_auth_status":""}}}',
        ],
    )
    def test_shapes_unknown_today(self, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
        """Nothing is made of them, and nothing stops."""
        bench = Asking()
        bench.with_code()
        monkeypatch.setattr(bench.world.tiktok_api, "handle", lambda _: Response(200, {}, body))
        assert bench.sync().exit_code == 0
        assert bench.says() == ("ok", "estimate", "")

    def test_a_state_that_no_document_names(self) -> None:
        """It is shown as it is, on one line and not at length."""
        bench = Asking()
        post = bench.with_code()
        post.authorization = "FROZEN\nBY " + "x" * 500
        bench.sync()
        state = bench.says()[2]
        assert state.startswith("FROZEN BY xxx")
        assert len(state) == 100

    def test_ten_calls_a_second_at_most(self) -> None:
        """Also across trackers and pages."""
        videos = [f"vid-{n:02}" for n in range(25)]
        bench = Asking(videos)
        bench.mark("request", *videos)
        bench.sync()
        for video in videos:
            bench.world.portal.submit(video)
        bench.later(minutes=5)
        bench.sync()
        bench.later(minutes=5)
        bench.sync()
        times = [call.at for call in bench.world.calls if call.kind.startswith("tiktok.")]
        assert len(times) > 25
        assert all(later - at >= timedelta(seconds=0.999) for at, later in zip(times, times[10:], strict=False))

    def test_an_account_that_does_not_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A run has seconds for TikTok, not minutes, however many pages it tells of."""
        bench = Asking()
        bench.with_code()
        one = b'{"code":0,"data":{"list":[],"page_info":{"total_page":1000000}}}'

        def slowly(request: Request) -> Response:
            bench.later(seconds=2)
            return Response(200, {}, one)

        monkeypatch.setattr(bench.world.tiktok_api, "handle", slowly)
        started = bench.clock.now()
        assert bench.sync().exit_code == 0
        assert bench.clock.now() - started < timedelta(seconds=60)


def test_the_token_and_the_codes_stand_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the log, whatever goes wrong, nor in the ledger's tables on TikTok, its export, the sheet."""
    caplog.set_level(logging.DEBUG)
    token = "a-very-secret-token"
    bench = Asking(access=Access(token, ADVERTISER))
    bench.world.tiktok.tokens = {token: [ADVERTISER]}
    bench.ledger = Ledger(tmp_path / "state.db", durable=False)
    post = bench.with_code()
    bench.sync()
    said: list[Any] = []
    for fault in ("401", "403", "429", "500", "503", "html502", "garbled", "lost_after", "silent"):
        bench.world.faults.add("tiktok", fault=fault, times=3)
        bench.later(days=1)
        said += bench.sync().remarks
    bench.world.tiktok.refuses = 40002
    bench.later(days=1)
    said += bench.sync().remarks
    bench.world.tiktok.refuses, bench.world.tiktok.posts = 0, {}
    bench.later(days=1)
    said += [bench.sync().remarks, bench.cell(VIDEO, "sync_note"), repr(bench.tracker)]
    trouble = [bench.ledger.authorized("acme", "", bench.clock).trouble(), bench.ledger.known("acme").authorizations]
    said += [trouble, [event for event in bench.ledger.history(VIDEO) if event.kind == "tiktok"]]
    assert said != []
    assert token not in f"{said} {caplog.text} {bench.table()}"
    for form in (post.code, quote(post.code, safe=""), post.code[5:25]):
        assert form not in f"{said} {caplog.text}"
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("spell", [str, lambda code: quote(code, safe="")], ids=["plain", "quoted"])
def test_a_code_that_the_cut_of_a_message_falls_on(spell: Callable[[str], str]) -> None:
    """Most of a code is still one: it is taken out before the message is cut to what a row can say."""
    code = "#" + "aB3/" * 30
    body = json.dumps({"code": 40002, "message": f"auth_code: {spell(code)} is invalid"}).encode()
    assert parsing.answer(body, TOKEN, code, quote(code, safe="")).message == "auth_code: ... is invalid"
