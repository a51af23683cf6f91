"""`sheetsync alerts`: what was told, to whom, and what waits (`list`); whether receivers can be reached (`test`).

Owns the words. A receiver is shown by its label, which holds no token and no password.
"""

import sys
from typing import Any

import click

from sheetsync.alerts.alert import Alert, Delivery, Kind, Told
from sheetsync.alerts.channels import send
from sheetsync.alerts.digest import Message, receivers_of
from sheetsync.cli.options import Selection, selecting
from sheetsync.cli.plain import plain
from sheetsync.cli.render import attributes, count, shown, stamp, table
from sheetsync.clock import Clock
from sheetsync.errors import ConfigError
from sheetsync.ledger.store import Ledger
from sheetsync.receivers import Receiver


@click.group()
def alerts() -> None:
    """Tell what was told to whom and what waits, or send every receiver a test."""


@alerts.command("list")
@click.option("--last", default=50, type=click.IntRange(1), show_default=True, help="How many, the newest first.")
@selecting("trackers", "as_json")
def list_(selection: Selection, last: int) -> None:
    """Tell which alerts there were, and to whom each was sent, or is to be. Asks nobody, changes nothing."""
    config, trackers = selection.load()
    names = {"", *(tracker.name for tracker in trackers)}
    with Ledger(config.state, read_only=True) as ledger:
        outbox = ledger.outbox(Clock())
        found = [told for told in outbox.newest(last) if told.alert.tracker in names]
        waiting = {
            told.alert.id: [
                receiver
                for receiver in receivers_of(told.alert, config.alerting, outbox.heard)
                if told.is_open and told.delivery(receiver.key) is None
            ]
            for told in found
        }
    document = {"alerts": [_json(told, waiting[told.alert.id]) for told in found]}
    lines = [line for told in found for line in _lines(told, waiting[told.alert.id])]
    click.echo(shown(selection, document, "\n".join(lines) or "No alert was decided yet."))


def _lines(told: Told, waiting: list[Receiver]) -> list[str]:
    alert = told.alert
    over = f"; over since {stamp(told.over_at)}" if told.over_at else ""
    about = ", ".join(filter(None, (alert.tracker, alert.client, alert.creator, alert.video_id)))
    said = [(each.label, _became(each, told)) for each in told.deliveries]
    said += [(each.label, "waits to be sent") for each in waiting]
    heading = f"{stamp(told.decided_at)}  {alert.kind}{over}" + (f"  ({about})" if about else "")
    return [plain(heading), table([[alert.text], *([f"-> {label}: {became}"] for label, became in said)])]


def _became(delivery: Delivery, told: Told) -> str:
    tries = count(delivery.attempts, "attempt")
    if delivery.sent_at:
        return f"sent {stamp(delivery.sent_at)}, {tries}, message {delivery.message}"
    problem = delivery.problem or "interrupted"
    then = f"next {stamp(delivery.retry_at)}" if told.is_open else "given up, as it is over"
    return f"{problem}, {tries}, {then}"


def _json(told: Told, waiting: list[Receiver]) -> dict[str, Any]:
    about = attributes(told.alert, "id", "kind", "tracker", "video_id", "creator", "client", "owner", "text", "link")
    names = ("receiver", "label", "message", "attempts", "retry_at", "sent_at", "problem")
    return {
        **about,
        **attributes(told, "decided_at", "over_at"),
        "deliveries": [attributes(each, *names) for each in told.deliveries],
        "waiting": [each.label for each in waiting],
    }


@alerts.command("test")
@selecting()
def test(selection: Selection) -> None:
    """Send one test message to every receiver, and tell how each answered."""
    config, _ = selection.load()
    receivers = config.alerting.receivers
    if not receivers:
        raise ConfigError([f"{config.path}: nobody is to be told: name receivers under `alerts: to:` or `owners:`"])
    now = Clock().now()
    failed = False
    for receiver in receivers:
        alert = Alert(
            f"test/{stamp(now)}", Kind.TEST, "", "A test: sheetsync can reach you here. Nothing is to be done."
        )
        answer = send(Message(f"test-{receiver.key}-{now:%Y%m%dT%H%M%SZ}", receiver, (alert,)), now)
        failed = failed or not answer.is_sent
        click.echo(plain(f"{'ok  ' if answer.is_sent else 'FAIL'}  {receiver.label}: {answer.text}"))
    sys.exit(1 if failed else 0)
