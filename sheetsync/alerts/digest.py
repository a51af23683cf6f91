"""PURE: who is told of an alert, and what a message says: one digest for each receiver and client, grouped by owner.

Owns the receivers of an alert, the grouping, and the words round the alerts. Sending is `channels.py`'s.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import chain, groupby

from sheetsync.alerts.alert import Alert, Kind, Told
from sheetsync.columns import normal
from sheetsync.receivers import Alerting, Receiver

_ORDER = tuple(Kind)
NO_OWNER = "nobody is named as owner"


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver is sent: alerts of one client, or of the program itself. The same alerts have the same id."""

    id: str
    receiver: Receiver
    alerts: tuple[Alert, ...]
    client: str = ""

    @property
    def subject(self) -> str:
        """A line that says what it is about."""
        first, more = self.alerts[0], len(self.alerts) - 1
        about = self.client or first.tracker
        return one_line(
            f"sheetsync: {first.kind}" + (f", and {more} more" if more else "") + (f" ({about})" if about else "")
        )

    @property
    def text(self) -> str:
        """The alerts, by their owners."""
        lines: list[str] = []
        for owner, alerts in groupby(self.alerts, key=lambda alert: (alert.video_id != "", one_line(alert.owner))):
            if owner[0]:
                lines += [f"Owner: {owner[1] or NO_OWNER}"]
            lines += [line for alert in alerts for line in _lines(alert)]
        return "\n".join([*lines, "", f"sheetsync message {self.id}", ""])


def receivers_of(alert: Alert, alerting: Alerting, heard: Callable[[str], frozenset[str]]) -> tuple[Receiver, ...]:
    """Whom an alert concerns: the tracker's receivers, else those of all, and its owner.

    That runs are good again concerns those who have heard that they were not.
    """
    to = alerting.of_tracker.get(alert.tracker, alerting.to)
    if not alert.tracker and not to:
        to = tuple(chain.from_iterable(alerting.of_tracker.values()))
    owner = alerting.owners.get(normal(alert.owner))
    found = {each.key: each for each in (*to, *([owner] if owner else []))}
    if alert.kind is Kind.GOOD:
        told = heard(alert.id.removesuffix("/good"))
        found = {key: each for key, each in found.items() if key in told}
    return tuple(found.values())


def messages(
    open_alerts: Sequence[Told], alerting: Alerting, heard: Callable[[str], frozenset[str]], now: datetime
) -> Iterator[Message]:
    """What is to be sent now, those first that may have been interrupted. A receiver that failed rests as a whole."""
    waiting: dict[str, list[Told]] = {}
    receivers: dict[str, Receiver] = {}
    for told in open_alerts:
        for receiver in receivers_of(told.alert, alerting, heard):
            tried = told.delivery(receiver.key)
            if not (tried and tried.sent_at):
                receivers[receiver.key] = receiver
                waiting.setdefault(receiver.key, []).append(told)
    tried_often = {key: max(_attempts(each, key) for each in told) for key, told in waiting.items()}
    # who has not failed goes first: a receiver that is down must not take the time of the others
    for key in sorted(waiting, key=lambda key: tried_often[key]):
        if not any((tried := each.delivery(key)) and tried.rests(now) for each in waiting[key]):
            yield from _of_receiver(receivers[key], waiting[key])


def _attempts(told: Told, key: str) -> int:
    tried = told.delivery(key)
    return tried.attempts if tried else 0


def _of_receiver(receiver: Receiver, waiting: Sequence[Told]) -> Iterator[Message]:
    def group(told: Told) -> tuple[bool, str, str]:
        tried = told.delivery(receiver.key)
        return not (tried and tried.message), tried.message if tried else "", _client(told.alert)

    for (_, message, _), several in groupby(sorted(waiting, key=group), key=group):
        alerts = tuple(sorted((told.alert for told in several), key=_place))
        named = "\n".join([receiver.key, *sorted(alert.id for alert in alerts)])
        name = message or sha256(named.encode(errors="surrogatepass")).hexdigest()[:20]
        yield Message(name, receiver, alerts, one_line(alerts[0].client))


def _client(alert: Alert) -> str:
    """What may stand in one message: a client's rows; of those without a client one tracker's; what is of no row."""
    if not alert.video_id:
        return ""
    return f"client {normal(alert.client)}" if alert.client else f"tracker {alert.tracker}"


def _place(alert: Alert) -> tuple[object, ...]:
    """The order in a message: by owner, what is urgent first."""
    moment = alert.moment.isoformat() if alert.moment else ""
    kind = _ORDER.index(alert.kind)
    return alert.video_id != "", not alert.owner, one_line(alert.owner), kind, moment, alert.tracker, alert.video_id


def _lines(alert: Alert) -> Iterator[str]:
    about = ", ".join(filter(None, (alert.creator, alert.client, alert.video_id)))
    where = f"{about} (tracker {alert.tracker}): " if about else f"Tracker {alert.tracker}: " if alert.tracker else ""
    yield one_line(f"- {where}{alert.text}")
    if alert.link:
        yield f"  {alert.link}"


def one_line(text: str) -> str:
    """What people typed, as a part of a line: no line end, nothing that a mail or a terminal would act on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
