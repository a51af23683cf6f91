"""What TikTok said of a tracker's codes, and whether it lets us look.

Owns that record, in which a code has its name and a token its fingerprint. Decides nothing: what is asked is the
plan's. Each method that writes is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from sheetsync.authorizations import Authorization, Trouble
from sheetsync.clock import Clock
from sheetsync.ledger import rows
from sheetsync.ledger.database import Database


def authorizations(database: Database, tracker: str) -> Mapping[str, Authorization]:
    """What TikTok last said of each code of a tracker, by the code's name."""
    told = database.read(Authorization, "tiktok_code WHERE tracker = ?", tracker)
    return {authorization.code: authorization for authorization in told}


def trouble(database: Database, tracker: str) -> Trouble | None:
    """Why TikTok does not let us look at a tracker's codes, as far as is known."""
    return next(iter(database.read(Trouble, "tiktok_trouble WHERE tracker = ?", tracker)), None)


class Authorized:
    """The record for one tracker, in one run; made by `Ledger.authorized`. Errors as for `Ledger`."""

    def __init__(self, database: Database, tracker: str, run_id: str, clock: Clock) -> None:
        self._db, self._tracker, self._run_id, self._clock = database, tracker, run_id, clock

    def trouble(self) -> Trouble | None:
        """Why TikTok does not let us look, as far as is known."""
        return trouble(self._db, self._tracker)

    def keep(self, told: Iterable[Authorization]) -> None:
        """TikTok said this. A time that it no longer tells stays; what is new stands in the history of its video."""
        with self._db.transaction():
            known = authorizations(self._db, self._tracker)
            for new in told:
                old = known.get(new.code)
                if old:
                    new = replace(new, starts=new.starts or old.starts, ends=new.ends or old.ends)
                self._upsert("tiktok_code", ("tracker", "code"), rows.to_columns(new))
                if old is None or (old.state, old.refusal, old.ends) != (new.state, new.refusal, new.ends):
                    self._event(new)

    def troubled(self, text: str, token: str) -> None:
        """TikTok did not let us look: since now, unless it was so before. `token` is the fingerprint of it."""
        with self._db.transaction():
            now, before = self._clock.now(), self.trouble()
            since = before.since if before else now
            self._upsert("tiktok_trouble", ("tracker",), rows.to_columns(Trouble(text, token, since, now)))

    def relieved(self) -> None:
        """It let us look."""
        with self._db.transaction():
            self._db.execute("DELETE FROM tiktok_trouble WHERE tracker = ?", self._tracker)

    def _event(self, told: Authorization) -> None:
        ends = rows.to_text(told.ends) if told.ends else None
        detail = {"name": told.code[:8], "state": told.state, "refusal": told.refusal, "ends": ends}
        columns = {"id": self._db.next_id("event"), "at": rows.to_text(rows.to_utc(self._clock.now()))}
        columns |= {"video_id": told.video_id, "run_id": self._run_id, "kind": "tiktok", "detail": json.dumps(detail)}
        self._upsert("event", ("id",), columns)

    def _upsert(self, table: str, key: tuple[str, ...], columns: Mapping[str, object]) -> None:
        values = {"tracker": self._tracker, **columns}
        others = ", ".join(f"{name} = excluded.{name}" for name in values if name not in key)
        names, places = ", ".join(values), ", ".join("?" * len(values))
        self._db.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT ({', '.join(key)}) DO UPDATE SET {others}",
            *values.values(),
        )
