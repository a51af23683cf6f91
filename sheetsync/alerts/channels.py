"""Sending one message to one receiver: JSON to a webhook, mail by SMTP, anything else by apprise, if it is installed.

Owns the deadline of a send, what each answer or silence means, and words for it that show no address: it may hold a
token. When and what is sent, and how often, is decided elsewhere.
"""

from __future__ import annotations

import importlib
import json
import logging
import smtplib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial

import httpx

from sheetsync import __version__
from sheetsync.alerts.digest import Message
from sheetsync.network import stays_here
from sheetsync.receivers import TLS_PORT, Mail

SEND_SECONDS = 10.0
"""How long a send may take as a whole."""

_SHOWN = ("id", "kind", "tracker", "video_id", "creator", "client", "owner", "text", "link")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a receiver answered. Where it is not clear, the message may have arrived."""

    text: str
    is_sent: bool = False
    is_clear: bool = True


def send(message: Message, now: datetime, seconds: float = SEND_SECONDS) -> Answer:
    """Send, and say what came of it, in so many seconds at most. Raises nothing."""
    receiver = message.receiver
    if mail := receiver.mail:
        return _within(seconds, partial(_by_mail, mail, message, now, seconds))
    by_url = partial(_by_webhook, message, seconds) if receiver.is_web else partial(_by_apprise, message)
    return _within(seconds, by_url)


def _within(seconds: float, call: Callable[[], Answer]) -> Answer:
    """The answer, if it comes in time: libraries count their time-outs anew with every byte."""
    answers: list[Answer] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:
            # the type alone: the text of an unforeseen error may hold the address
            answers.append(Answer(f"failed unexpectedly ({type(error).__name__})", is_clear=False))

    # a daemon, so that one that hangs does not keep the process
    thread = threading.Thread(target=run, name="alert", daemon=True)
    thread.start()
    thread.join(seconds)
    return next(iter(answers), Answer("did not answer in time", is_clear=False))


def _by_webhook(message: Message, seconds: float) -> Answer:
    body = {
        "id": message.id,
        "client": message.client,
        "subject": message.subject,
        "text": f"{message.subject}\n\n{message.text}",
        "alerts": [{name: asdict(alert)[name] for name in _SHOWN} for alert in message.alerts],
    }
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.id,
        "User-Agent": f"sheetsync/{__version__}",
    }
    # half a character that came out of a cell is no reason to fail
    content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    try:
        url = message.receiver.url
        answer = httpx.post(url, content=content, headers=headers, timeout=seconds, trust_env=not stays_here(url))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.ProxyError):
        return Answer("cannot be reached")
    except httpx.HTTPError:
        return Answer("gave no answer", is_clear=False)
    return Answer(f"answered {answer.status_code}", is_sent=answer.is_success)


def _by_mail(mail: Mail, message: Message, now: datetime, seconds: float) -> Answer:
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message.subject, mail.sender, ", ".join(mail.to)
    letter["Date"], letter["Message-ID"] = format_datetime(now), f"<{message.id}@sheetsync>"
    letter.set_content(message.text.encode(errors="replace").decode())
    sending = False
    try:
        server = _mail_server(mail, seconds)
        try:
            sending = True
            refused = server.send_message(letter)
        finally:
            # what the server took is on its way, however it says goodbye
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        code = getattr(error, "smtp_code", None)
        return Answer(f"refused it (SMTP {code})" if code else "refused the recipients")
    except (OSError, smtplib.SMTPException) as error:
        what = "gave no answer" if sending else "cannot be reached"
        return Answer(f"{what} ({type(error).__name__})", is_clear=not sending)
    return Answer(f"took it, but refused {len(refused)} recipients" if refused else "took it", is_sent=True)


def _mail_server(mail: Mail, seconds: float) -> smtplib.SMTP:
    if mail.port == TLS_PORT:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            mail.host, mail.port, timeout=seconds, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=seconds)
    try:
        if mail.starttls and mail.port != TLS_PORT:
            server.starttls(context=ssl.create_default_context())
        if mail.user:
            server.login(mail.user, mail.password)
    except BaseException:
        server.close()
        raise
    return server


def _by_apprise(message: Message) -> Answer:
    try:
        # Any: it is an extra, which types need not know
        apprise = importlib.import_module("apprise")
    except ImportError:
        return Answer("needs apprise: pip install apprise")
    # its lines show addresses
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    sender = apprise.Apprise()
    if not sender.add(message.receiver.url):
        return Answer("is no address that apprise knows")
    if sender.notify(title=message.subject, body=message.text):
        return Answer("took it", is_sent=True)
    return Answer("did not take it")
