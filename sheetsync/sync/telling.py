"""Telling people: after the runs of all trackers, what is so is decided, kept in the ledger, and sent (design 1.7).

Owns the order: on disk before it is sent, marked after. Nothing in here stops a run, or changes its exit code.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sheetsync.alerts.alert import Told
from sheetsync.alerts.channels import SEND_SECONDS, send
from sheetsync.alerts.deciding import of_purse, of_tracker
from sheetsync.alerts.digest import messages, receivers_of
from sheetsync.clock import Clock
from sheetsync.errors import SheetsyncError
from sheetsync.ledger.outbox import Outbox
from sheetsync.ledger.store import Ledger
from sheetsync.model import Tracker
from sheetsync.receivers import Alerting

log = logging.getLogger(__name__)

KEPT_FOR_ALERTS = 20
"""Seconds of a run's time that are kept for telling, where somebody is to be told."""

CLAIM = timedelta(minutes=4)
"""For so long a message belongs to the process that is sending it: longer than a send, shorter than cron's pause."""


def tell(
    alerting: Alerting, trackers: Sequence[Tracker], ledger: Ledger, clock: Clock, api_key: str, is_whole: bool = True
) -> None:
    """Decide what there is to tell of these trackers, and tell it. A run for some videos (not `is_whole`) has not seen
    the others: it only sends what waits, and leaves deciding to the next run.
    """
    try:
        outbox = ledger.outbox(clock)
        if not alerting.receivers:
            outbox.off()
            return
        if is_whole:
            _decide(alerting, trackers, outbox, clock, api_key)
        _send(alerting, outbox, clock)
    except SheetsyncError as error:
        log.warning("alerts wait for the next run: %s", error)
    except KeyboardInterrupt:
        log.warning("alerts wait for the next run: stopped by Ctrl-C")
    except Exception as error:
        log.warning("alerts wait for the next run: something unexpected: %s", type(error).__name__)


def _decide(alerting: Alerting, trackers: Sequence[Tracker], outbox: Outbox, clock: Clock, api_key: str) -> None:
    purse, now = outbox.purse(api_key), clock.now()
    facts = [(tracker, outbox.facts(tracker.name)) for tracker in trackers]
    found = [alert for each in facts for alert in of_tracker(*each, alerting, bool(purse.lock), now)]
    found += of_purse(purse, alerting)
    # what nobody would be told is not kept: whoever is named later is told what is so then
    kept = [alert for alert in found if receivers_of(alert, alerting, outbox.heard)]
    outbox.record(kept, {tracker.name: seen.cursor for tracker, seen in facts})


def _send(alerting: Alerting, outbox: Outbox, clock: Clock) -> None:
    failed: set[str] = set()
    for message in messages(outbox.open(), alerting, outbox.heard, clock.now()):
        receiver = message.receiver
        if receiver.key in failed or clock.left() < 1 or not outbox.claim(message, CLAIM):
            continue
        answer = send(message, clock.now(), min(SEND_SECONDS, clock.left()))
        outbox.answered(message, answer.is_sent, answer.is_clear, answer.text)
        if answer.is_sent:
            log.info("alerts: %s was told of %d, message %s", receiver.label, len(message.alerts), message.id)
        else:
            failed.add(receiver.key)
            log.warning("alerts: %s %s; it is tried again", receiver.label, answer.text)

    def is_told(told: Told) -> bool:
        tried = (told.delivery(each.key) for each in receivers_of(told.alert, alerting, outbox.heard))
        return all(each and each.sent_at for each in tried)

    outbox.close([told.alert.id for told in outbox.open() if is_told(told)])
