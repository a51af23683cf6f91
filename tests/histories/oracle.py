"""A slow, separate oracle: what every cell of a tracker must say after a run, by design 3 and 5 read anew.

It is fed with the lines of the sheet as people left them and with the sandbox's own record of ad code requests,
remembers which of them a run has looked at, and knows nothing of the program: its dates, its table of marks and its
stages are its own. The words of the notes are those of `test_notes.py`, by situation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from projection.test_notes import LOOKING, STANDING, WAITING

Line = Mapping[str, Any]
"""A row of the sheet: the cells by header, empty ones left out; under `#` its row number."""

MACHINE = (
    "Status", "Spark code", "Sync note", "Stage", "Requested at", "Submitted at", "Delivered at", "Expires at",
    "Expiry", "Missing", "Credits charged", "Credits left", "Request ID", "Updated at",
)  # fmt: skip
DATES = ("Requested at", "Submitted at", "Delivered at", "Expires at", "Updated at")
PRICE = 7
PICK = "pick the date, or type it as 2026-04-03."


@dataclass(frozen=True)
class Seen:
    """An ad code request as a run saw it last, and how it came to the tracker."""

    id: str
    status: str
    platform: str
    created: datetime
    submitted: datetime | None
    delivered: datetime | None
    code: str
    origin: str = "found"
    charged: int | None = None
    left: int | None = None

    @property
    def open(self) -> bool:
        return self.status not in ("finalized", "cancelled")

    @property
    def usable(self) -> str:
        """The code, unless its request was cancelled."""
        return "" if self.status == "cancelled" else self.code


@dataclass
class Verdict:
    """What a run has to do: the marks that are done, the rows that wait and why, the orders, the reports."""

    done: dict[str, str] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    renewals: list[str] = field(default_factory=list)
    again: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    refused: bool = False
    uncertain: bool = False


class Oracle:
    """Lives through the same history as the program. `portal` is the sandbox's record."""

    def __init__(self, portal: Any, zone: str, days: int, warn_hours: int, most_orders: int, keep: int) -> None:
        self.portal, self.zone = portal, ZoneInfo(zone)
        self.days, self.warn, self.most_orders, self.keep = days, timedelta(hours=warn_hours), most_orders, keep
        self.seen: dict[str, Seen] = {}
        self.posts: dict[str, list[tuple[int, str]]] = {}
        """The rows of each post, by its number: line and video."""
        self.lost: dict[str, tuple[str, datetime]] = {}
        """Videos with an order that was lost on its way: the mark that asked for it, and when it was sent."""

    # --- before the run: what has to be done ----------------------------------------------------------------------

    def judge(self, lines: Sequence[Line], now: datetime, most_orders: int | None = None) -> Verdict:
        """What the next run has to do about the marks (the table of design 3); it may send `most_orders`."""
        verdict = Verdict()
        acting: dict[str, Line] = {}
        for line in lines:
            if _text(line, "Video ID") and _text(line, "Action"):
                acting.setdefault(_text(line, "Video ID"), line)
        self._look(lines, acting)
        for video, line in acting.items():
            if video in self.lost:
                self._settle(video, line, now, verdict)
            else:
                self._mark(video, line, verdict)
        for video in [video for video in self.lost if video not in acting]:
            if self._settled(video, now):
                del self.lost[video]  # nobody wants it any more, and it never happened
            else:
                verdict.uncertain = True
        self._limits(verdict, self.most_orders if most_orders is None else most_orders)
        return verdict

    def _look(self, lines: Sequence[Line], acting: Mapping[str, Line]) -> None:
        """Every mark, every open request, every id that is not known: each is looked at (design 3.2)."""
        strange = [v for line in lines if (v := _text(line, "Video ID")) and self._is_strange(v, line)]
        for video in {*acting, *strange, *self.lost, *(v for v, seen in self.seen.items() if seen.open)}:
            self._see(video)

    def _is_strange(self, video: str, line: Line) -> bool:
        known = self.seen.get(video)
        return _text(line, "Request ID") not in ("", known.id if known else "")

    def _see(self, video: str, origin: str = "") -> None:
        """Take over what TokPortal says of a video now; a code or time that it no longer tells stays."""
        told = self.portal.latest(video)
        if told is None:
            return
        old = self.seen.get(video)
        if old is None or old.id != told.id:
            old = Seen(told.id, "", told.platform, _second(told.created_at), None, None, "")
        self.seen[video] = replace(
            old,
            status=told.status,
            submitted=_second(told.submitted_at) or old.submitted,
            delivered=_second(told.delivered_at) or old.delivered,
            code=told.code or old.code,
            origin=origin or old.origin,
        )

    def _settled(self, video: str, now: datetime) -> bool:
        """Whether a minute has passed since the order: before, nobody can tell "never" from "not yet"."""
        return now - self.lost[video][1] >= timedelta(minutes=1)

    def _settle(self, video: str, line: Line, now: datetime, verdict: Verdict) -> None:
        """An order was lost: it is sent again while its mark stands, else given up."""
        if not self._settled(video, now):
            verdict.waits[video], verdict.uncertain = LOOKING, True
            return
        if _text(line, "Action").lower() == self.lost[video][0]:
            verdict.again[video] = self.lost.pop(video)
            self._will_order(video, verdict.again[video][0], verdict)
        else:
            del self.lost[video]
            self._mark(video, line, verdict)

    def _mark(self, video: str, line: Line, verdict: Verdict) -> None:
        mark, shown, latest = _text(line, "Action").lower(), _text(line, "Request ID"), self.seen.get(video)
        if mark not in ("request", "renew", "correct"):
            verdict.waits[video] = WAITING["unknown word"][1]
        elif mark == "correct":
            self._correct(video, line, latest, verdict)
        elif latest is None:
            if mark == "request":
                self._order(video, mark, line, verdict)
            else:
                verdict.waits[video] = WAITING["renew without a code"][1]
        elif mark == "request" and latest.status == "cancelled" and shown in ("", latest.id):
            self._order(video, mark, line, verdict)
        elif shown != latest.id:
            # what the mark asks for has already happened
            elsewhere = latest.open and mark == "request" and not shown
            self._adopt(video, mark, "open" if elsewhere else self._already(latest, shown), verdict)
        elif latest.open and mark == "request":
            self._adopt(video, mark, "open", verdict)
        elif latest.open:
            verdict.waits[video] = WAITING["renew while one is open"][1]
        elif mark == "request":
            verdict.waits[video] = WAITING["request where a code is"][1]
        else:
            self._order(video, mark, line, verdict)

    @staticmethod
    def _already(latest: Seen, shown: str) -> str:
        return "existing" if not shown and not latest.open else "renewed"

    def _adopt(self, video: str, mark: str, origin: str, verdict: Verdict) -> None:
        self._see(video, origin)
        verdict.done[video] = mark

    def _correct(self, video: str, line: Line, latest: Seen | None, verdict: Verdict) -> None:
        feedback, same = _text(line, "Feedback"), latest is not None and _text(line, "Request ID") == latest.id
        if latest and same and latest.status == "pending_corrections":
            verdict.done[video] = "correct"  # it is reported already
        elif latest is None or not latest.usable:
            verdict.waits[video] = WAITING["correct without a code"][1]
        elif not same or _text(line, "Spark code") != latest.code:
            changed = WAITING["correct after the code has changed"][1]
            verdict.waits[video] = changed.replace("#R1", latest.code)
        elif latest.status not in ("in_review", "finalized"):
            verdict.waits[video] = WAITING["correct in another status"][1].replace("accepted", latest.status)
        elif not feedback:
            verdict.waits[video] = WAITING["correct without feedback"][1]
        elif not 3 <= len(feedback) <= 500:
            verdict.waits[video] = WAITING["correct with too little feedback"][1].replace("2", str(len(feedback)), 1)
        else:
            verdict.reports.append(video)
            verdict.done[video] = "correct"

    def _order(self, video: str, mark: str, line: Line, verdict: Verdict) -> None:
        """The gates: what must be put right before a credit is spent."""
        wanting = []
        if len(_text(line, "Note")) > 500:
            wanting.append(f"Note has {len(_text(line, 'Note'))} characters, TokPortal takes 500")
        if _text(line, "Platform").lower() not in ("", "tiktok", "instagram"):
            wanting.append("Platform must be tiktok or instagram")
        unticked = [name for name in ("Caption final", "Sound cleared") if line.get(name) is not True]
        if unticked:
            wanting.append(f"tick {', '.join(unticked)}")
        if wanting:
            verdict.waits[video] = f"Waits: {'; '.join(wanting)}."
        else:
            self._will_order(video, mark, verdict)

    @staticmethod
    def _will_order(video: str, mark: str, verdict: Verdict) -> None:
        (verdict.renewals if mark == "renew" else verdict.orders).append(video)
        verdict.done[video] = mark

    def _limits(self, verdict: Verdict, most_orders: int) -> None:
        """More orders than a run may send are not sent at all; else the credits suffice for the upper rows first."""
        in_order = [video for video in verdict.done if video in (*verdict.orders, *verdict.renewals)]
        if len(in_order) > most_orders:
            verdict.refused = True
            why = (
                f"Waits: more rows are marked than one run may order ({self.most_orders}). Clear the marks that are "
                "not meant, or ask whoever runs sheetsync to allow them."
            )
            for video in in_order:
                self._withdraw(video, why, verdict)
            return
        affordable = max(0, self.portal.credits - self.keep) // PRICE
        poor = WAITING["the credits suffice, but are to be kept"][1].replace("100", str(self.keep))
        for video in in_order[affordable:]:
            self._withdraw(video, poor if self.keep else WAITING["the credits do not suffice"][1], verdict)

    def _withdraw(self, video: str, why: str, verdict: Verdict) -> None:
        if video in verdict.again:
            self.lost[video] = verdict.again[video]
        del verdict.done[video]
        verdict.waits[video] = why
        for orders in (verdict.orders, verdict.renewals):
            if video in orders:
                orders.remove(video)

    # --- after the run: what the cells say ------------------------------------------------------------------------

    def refresh(self, video: str) -> None:
        """Something of ours has reached TokPortal, and the run has looked after it."""
        self._see(video)

    def ordered(self, video: str, told: bool) -> None:
        """An order was charged; its answer reached us, or was lost on the way back."""
        self._see(video)
        (moved,) = [m for m in self.portal.ledger if m.request_id == self.seen[video].id and m.amount < 0]
        left = moved.balance_after if told else None
        self.seen[video] = replace(self.seen[video], origin="ordered", charged=PRICE, left=left)

    def never_arrived(self, video: str, now: datetime, verdict: Verdict) -> None:
        """An order was lost on the way: the row says that sheetsync looks first."""
        self.lost[video] = verdict.done.pop(video), now
        verdict.waits[video], verdict.uncertain = LOOKING, True

    def cells(self, lines: Sequence[Line], verdict: Verdict, now: datetime) -> list[dict[str, Any]]:
        """Every line as it must stand after the run; of several values in a tuple each will do."""
        acting: dict[str, str] = {}
        places: dict[str, list[int]] = {}
        shown: dict[str, str] = {}
        for line in lines:
            video, mark = _text(line, "Video ID"), _text(line, "Action").lower()
            if video:
                places.setdefault(video, []).append(line["#"])
            if video and mark and video not in acting:
                acting[video], shown[video] = mark, _text(line, "Request ID")
        self.posts = {}
        for line in lines:
            if _text(line, "Video ID") and (post := _post(line)):
                self.posts.setdefault(post, []).append((line["#"], _text(line, "Video ID")))
        after = []
        for line in lines:
            video = _text(line, "Video ID")
            if video:
                twins = [n for n in places[video] if n != line["#"]]
                served = verdict.done.get(video), shown.get(video)
                why = verdict.waits.get(video, "") if _text(line, "Action").lower() == acting.get(video) else ""
                after.append(self._line(line, twins, served, why, now))
                if video in (*verdict.orders, *verdict.renewals):
                    # claimed: Status said `ordering` for a moment, perhaps in its twins, too
                    times = after[-1].get("Updated at"), self._serial(now)
                    after[-1]["Updated at"] = times if twins else times[1]
            else:
                after.append(dict(line))
        return after

    def _line(
        self, line: Line, twins: Sequence[int], served: tuple[str | None, str | None], why: str, now: datetime
    ) -> dict[str, Any]:
        after, latest = dict(line), self.seen.get(_text(line, "Video ID"))
        mark = _text(line, "Action").lower()
        if mark and (mark, _text(line, "Request ID")) == served:
            mark = ""
            del after["Action"]
        if latest and not (mark and _text(line, "Request ID") != latest.id):
            after |= self._request(line, latest, mark, now)
        elif not latest and _text(line, "Request ID"):
            # the row shows a request that its video does not have
            after |= dict.fromkeys(MACHINE[:-1], "")
        after["Sync note"] = self._note(line, latest, mark, why, twins)
        after = {name: cell for name, cell in after.items() if cell != ""}
        if after != line:
            after["Updated at"] = self._serial(now)
        return after

    def _request(self, line: Line, latest: Seen, mark: str, now: datetime) -> dict[str, Any]:
        ends, expiry = self.window(line, latest, now)
        same = _text(line, "Request ID") == latest.id
        waits_for_old_code = mark == "correct" and _text(line, "Spark code") != latest.usable
        return {
            "Status": latest.status,
            "Spark code": line.get("Spark code", "") if waits_for_old_code else latest.usable,
            "Stage": self.stage(line, latest, expiry),
            "Requested at": self._serial(latest.created),
            "Submitted at": self._serial(latest.submitted),
            "Delivered at": self._serial(latest.delivered),
            "Expires at": self._serial(ends),
            "Expiry": expiry,
            "Missing": self.missing(line, latest, expiry),
            "Credits charged": latest.charged if latest.charged else line.get("Credits charged", "") if same else "",
            "Credits left": latest.left if latest.left is not None else line.get("Credits left", "") if same else "",
            "Request ID": latest.id,
        }

    def window(self, line: Line, latest: Seen, now: datetime) -> tuple[datetime | None, str]:
        """Known expiry, else created_at + Authorization days; instants are compared in UTC."""
        if not latest.usable:
            return None, ""
        ends = self.typed_date(line.get("Known expiry", ""))
        if not isinstance(ends, datetime):
            if latest.platform == "instagram":
                return None, "no window"
            ends = latest.created + timedelta(days=_days(line.get("Authorization days", "")) or self.days)
        if now >= ends:
            return ends, "expired"
        return ends, "renewal needed" if now >= ends - self.warn else "ok"

    @staticmethod
    def stage(line: Line, latest: Seen, expiry: str) -> str:
        """The first that holds."""
        paid = _text(line, "Paid status").lower()
        if paid == "retired":
            return "retired"
        if expiry == "expired":
            return "expired"
        if expiry == "renewal needed":
            return "renewal needed"
        if paid in ("spending", "paused", "activated"):
            return paid
        if latest.usable:
            return "received"
        return "requested" if latest.open else ""

    @staticmethod
    def missing(line: Line, latest: Seen, expiry: str) -> str:
        """The fields still empty once a code is there; columns that the sheet does not have do not count."""
        if not latest.usable:
            return ""
        wanted = ["Creator owner", "Paid owner", "Renewal owner", "Market", "Campaign", "Objective"]
        wanted += ["Video URL", "Creator"]
        if expiry == "renewal needed":
            wanted.append("Renewal decision")
        if _text(line, "Paid status").lower() == "retired":
            wanted.append("Retirement reason")
        empty = [name for name in wanted if not _text(line, name)]
        return ", ".join(empty + ["window"] * (expiry == "no window"))

    def _note(self, line: Line, latest: Seen | None, mark: str, why: str, twins: Sequence[int]) -> str:
        said = [why] if mark and why else [self._standing(latest)] if latest else []
        if latest:
            problem = self.typed_date(line.get("Known expiry", ""))
            if isinstance(problem, str):
                said.append(f"Known expiry: {problem}")
            days = line.get("Authorization days", "")
            if days != "" and _days(days) is None:
                said.append(f"Authorization days: '{days}' is no number of days; use 7, 30, 60, 180 or 365.")
        if twins and (latest or mark):
            said.append(f"Duplicate of row {', '.join(map(str, twins))}: one of them acts, all show the same.")
        others = [str(n) for n, video in self.posts.get(_post(line), ()) if video != _text(line, "Video ID")]
        if others and (latest or mark):
            said.append(f"Same Video URL as row {', '.join(others)}, under another Video ID: one of the two is wrong.")
        return " ".join(part for part in said if part)

    @staticmethod
    def _standing(latest: Seen) -> str:
        known = ("pending", "accepted", "in_review", "pending_corrections", "finalized", "cancelled")
        if latest.status not in known:
            return STANDING["a status unknown today"][1].replace("disputed", latest.status)
        if latest.status in ("cancelled", "pending_corrections"):
            return STANDING["cancelled" if latest.status == "cancelled" else "reported"][1]
        if latest.origin == "open":
            return "" if latest.code else STANDING["taken over while open"][1]
        texts = {"existing": STANDING["taken over when finished"][1], "renewed": STANDING["taken over, a renewal"][1]}
        return texts.get(latest.origin, "")

    # --- dates: days since 1899-12-30 on the wall clock of the sheet ----------------------------------------------

    def _serial(self, moment: datetime | None) -> float | str:
        if moment is None:
            return ""
        wall = moment.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
        since = wall - datetime(1899, 12, 30)
        return since.days + since.seconds / 86400

    def typed_date(self, cell: Any) -> datetime | str | None:
        """The instant that a person typed; None for an empty cell; what to tell them where it is no date."""
        if cell == "":
            return None
        if isinstance(cell, int | float):
            days = int(cell)
            wall = datetime(1899, 12, 30) + timedelta(days=days, seconds=round((cell - days) * 86400))
        elif re.fullmatch(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", cell):
            wall = datetime.strptime(cell if " " in cell else f"{cell} 00:00", "%Y-%m-%d %H:%M")
        else:
            return f"'{cell}' can be read in two ways or none; {PICK}"
        # an hour that comes twice in autumn: the earlier, since this is the earliest moment at which it can end
        return min(wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _days(cell: Any) -> int | None:
    """A whole number of days; None for anything else."""
    found = re.fullmatch(r"(\d+)( days)?", str(cell))
    return int(found[1]) if found and int(found[1]) > 0 else None


def _text(line: Line, name: str) -> str:
    return str(line.get(name, "")).strip()


def _post(line: Line) -> str:
    """The post of the quarter's links: its number."""
    return _text(line, "Video URL").partition("/video/")[2].partition("?")[0].strip("/")


def _second(moment: datetime | None) -> Any:
    """TokPortal tells whole seconds."""
    return moment and moment.replace(microsecond=0)
