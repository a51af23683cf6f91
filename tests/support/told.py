"""A bench with receivers: after each run what there is to tell is told, as the command does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sheetsync import columns
from sheetsync.ledger.store import Ledger
from sheetsync.receivers import Alerting, Receiver
from sheetsync.sync.telling import tell
from support.bench import Bench
from support.receivers import Hook

OWNERS = ("renewal_owner", "paid_owner", "creator_owner")
PERSON = ("video_id", "action", "feedback", "authorization_days", "known_expiry", "client", "creator")
KEYS = (*PERSON, *OWNERS, "paid_status", "received_at", *columns.MACHINE_KEYS)


class Watched(Bench):
    """One tracker whose alerts go to `hook`."""

    def __init__(self, *videos: str, to: Hook, settings: Any = None, **alerting: Any) -> None:
        super().__init__(videos, headers=[columns.header_of(key, {}) for key in KEYS], **(settings or {}))
        self.hook, self.read = to, 0
        self.alerting = Alerting(**{"to": (Receiver(to.url),), **alerting})

    def run(self, ledger: Ledger | None = None, **wanted: Any) -> int:
        """A run, and the telling after it; its exit code."""
        report = self.sync(ledger, **wanted)
        self.tell(ledger, is_whole="videos" not in wanted)
        self.later(seconds=1)
        return report.exit_code

    def tell(self, ledger: Ledger | None = None, is_whole: bool = True) -> None:
        with self.portal() as portal:
            tell(self.alerting, [self.tracker], ledger or self.ledger, self.clock, portal.fingerprint, is_whole)

    def quiet(self) -> None:
        """From now on nobody is to be told."""
        self.alerting = replace(self.alerting, to=())

    def news(self) -> list[dict[str, Any]]:
        """The messages since the last look."""
        found, self.read = self.hook.got[self.read :], len(self.hook.got)
        assert not [code for code in self.codes() if code in str(found)]
        return found

    def codes(self) -> list[str]:
        """Every code that there is."""
        return [request.code for request in self.world.portal.requests if request.code]

    def told(self) -> list[tuple[str, str]]:
        """What was told since the last look, as (kind, video)."""
        return [(alert["kind"], alert["video_id"]) for message in self.news() for alert in message["alerts"]]

    def coded(self, *videos: str, mark: str = "request") -> None:
        """Order, let the managers deliver, and run until the codes are there."""
        self.mark(mark, *videos)
        self.run()
        for video in videos:
            self.deliver(video)
        self.run()

    def deliver(self, video: str) -> None:
        """A manager sends the code of the latest request."""
        self.world.portal.submit(video)
        self.world.portal.deliver(video)
