"""Each channel against a real receiver on loopback, which answers, refuses, hangs, drips, or drops the connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.receivers import Hook, Post, certificate, free_port, hook, post

from sheetsync.alerts.alert import Alert, Kind
from sheetsync.alerts.channels import Answer, send
from sheetsync.alerts.digest import Message
from sheetsync.receivers import Mail, Receiver

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
LINK = "https://docs.google.com/spreadsheets/d/1abc/edit#gid=7&range=5:5"
ALERT = Alert("a/1", Kind.ENDS, "acme", "The code ends.", "vid-1", "@miá", "Crumbly", "Ana", LINK)


def sent(receiver: Receiver, seconds: float = 5.0) -> Answer:
    return send(Message("id-1", receiver, (ALERT,), "Crumbly"), NOW, seconds)


@pytest.fixture(name="hook")
def _hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with hook() as made:
        yield made


@pytest.fixture(name="post")
def _post() -> Iterator[Post]:
    with post() as made:
        yield made


def mail(port: int, **settings: object) -> Receiver:
    values = {"starttls": False, "port": port, **settings}
    return Receiver(mail=Mail("127.0.0.1", "sheetsync@example.com", ("ana@example.com", "bo@example.com"), **values))  # type: ignore[arg-type]


class TestWebhook:
    def test_json(self, hook: Hook) -> None:
        """The whole message, as JSON, with its id: as text for chats, and alert by alert for programs."""
        assert sent(Receiver(hook.url + "/token")) == Answer("answered 204", is_sent=True)
        body = hook.got[0]
        assert (body["id"], body["client"], body["subject"]) == ("id-1", "Crumbly", "sheetsync: code ends (Crumbly)")
        assert "Owner: Ana" in body["text"]
        assert LINK in body["text"]
        assert body["alerts"] == [
            {"id": "a/1", "kind": "code ends", "tracker": "acme", "video_id": "vid-1", "creator": "@miá"}
            | {"client": "Crumbly", "owner": "Ana", "text": "The code ends.", "link": LINK}
        ]
        assert hook.headers[0]["Idempotency-Key"] == "id-1"

    @pytest.mark.parametrize("status", [302, 400, 401, 429, 500, 503])
    def test_no(self, hook: Hook, status: int) -> None:
        """An answer that is no yes is a definite no: a redirect is not followed, it may lead anywhere."""
        hook.mode = status
        assert sent(Receiver(hook.url)) == Answer(f"answered {status}")
        assert hook.tried == 1

    def test_nobody_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A connection that was not made sent nothing."""
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert sent(Receiver(f"http://127.0.0.1:{free_port()}/token")) == Answer("cannot be reached")

    @pytest.mark.parametrize("mode", ["hang", "drip", "drop"])
    def test_no_answer(self, hook: Hook, mode: str) -> None:
        """Without a whole answer in time nobody knows; the send ends by its deadline, whatever drips."""
        hook.mode, before = mode, time.monotonic()
        answer = sent(Receiver(hook.url), 0.5)
        assert (answer.is_sent, answer.is_clear) == (False, False)
        assert time.monotonic() - before < 2

    def test_half_a_character(self, hook: Hook) -> None:
        """Whatever came out of a cell can be sent."""
        odd = Alert("a/1", Kind.ENDS, "acme", "half \ud83d", "vid-1", "\ud83d")
        assert send(Message("id-1", Receiver(hook.url), (odd,)), NOW).is_sent


class TestMail:
    def test_letter(self, post: Post) -> None:
        """One letter to all addresses, with the message's id as its own."""
        assert sent(mail(post.port)) == Answer("took it", is_sent=True)
        letter = post.letters[0]
        assert post.envelopes == [("sheetsync@example.com", ("ana@example.com", "bo@example.com"))]
        assert letter["Subject"] == "sheetsync: code ends (Crumbly)"
        assert letter["Message-ID"] == "<id-1@sheetsync>"
        assert letter["Date"].datetime == NOW
        assert "@miá, Crumbly, vid-1 (tracker acme): The code ends." in letter.get_content()

    def test_signed_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Over TLS, which begins before the name and the password are sent."""
        public, context = certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        with post(context) as secure:
            settings = Mail("localhost", "a@example.com", ("b@example.com",), secure.port, "ana", "secret")
            assert sent(Receiver(mail=settings)) == Answer("took it", is_sent=True)
            assert secure.signed_in == ["\0ana\0secret"]

    def test_wrong_password(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The server's own words may quote what was sent: its number is told alone."""
        public, context = certificate(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        with post(context) as secure:
            settings = Mail("localhost", "a@example.com", ("b@example.com",), secure.port, "ana", "wrong")
            assert sent(Receiver(mail=settings)) == Answer("refused it (SMTP 535)")

    def test_a_server_nobody_vouches_for(self, tmp_path: Path) -> None:
        """No password goes to a server whose certificate is not known."""
        _, context = certificate(tmp_path)
        with post(context) as secure:
            settings = Mail("localhost", "a@example.com", ("b@example.com",), secure.port, "ana", "secret")
            assert sent(Receiver(mail=settings)) == Answer("cannot be reached (SSLCertVerificationError)")
            assert secure.signed_in == []

    def test_a_server_without_tls(self, post: Post) -> None:
        """Where TLS is asked for, nothing is sent without it."""
        assert sent(mail(post.port, starttls=True)) == Answer("cannot be reached (SMTPNotSupportedError)")
        assert post.letters == []

    @pytest.mark.parametrize(
        ("mode", "text"), [("refuse", "refused it (SMTP 554)"), ("nobody", "refused the recipients")]
    )
    def test_no(self, post: Post, mode: str, text: str) -> None:
        """A definite no."""
        post.mode = mode
        assert sent(mail(post.port)) == Answer(text)
        assert post.letters == []

    def test_nobody_there(self) -> None:
        """A connection that was not made sent nothing."""
        assert sent(mail(free_port())) == Answer("cannot be reached (ConnectionRefusedError)")

    def test_lost_after_the_letter(self, post: Post) -> None:
        """The letter may be on its way: nobody knows."""
        post.mode = "drop"
        answer = sent(mail(post.port))
        assert (answer.is_sent, answer.is_clear) == (False, False)
        assert len(post.letters) == 1

    def test_hangs(self, post: Post) -> None:
        """A server that says nothing is left by the deadline."""
        post.mode, before = "hang", time.monotonic()
        assert not sent(mail(post.port), 0.5).is_sent
        assert time.monotonic() - before < 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # apprise's own, as it is imported
class TestApprise:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("apprise")

    def test_sent(self, hook: Hook) -> None:
        """Any address that apprise knows; here its own JSON."""
        assert sent(Receiver(hook.url.replace("http://", "json://") + "/token")) == Answer("took it", is_sent=True)
        assert hook.got[0]["title"] == "sheetsync: code ends (Crumbly)"
        assert "The code ends." in hook.got[0]["message"]

    def test_no(self, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
        """Its word is all there is; its log lines, which show addresses, are not."""
        hook.mode = 500
        assert sent(Receiver(hook.url.replace("http://", "json://") + "/token")) == Answer("did not take it")
        assert caplog.text == ""

    def test_unknown(self) -> None:
        """An address that apprise does not know."""
        assert sent(Receiver("nonsense://token")) == Answer("is no address that apprise knows")


def test_apprise_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the answer says how to install it."""
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    assert sent(Receiver("slack://token")) == Answer("needs apprise: pip install apprise")
