"""A slow, separate oracle: what every cell of a tracker must say after a run, by design 3 and 5 read anew.

It is fed with the lines of the sheet as people left them and with the sandbox's own record of ad code requests,
remembers which of them a run has looked at, and knows nothing of the program: its dates, its table of marks and its
stages are its own. The words of the notes are those of `test_notes.py`, by situation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from projection.test_notes import LOOKING, STANDING, WAITING

from histories.authorizations import Authorizations, Code, Line, Seen, number_of_days, text
from sheetsync import notes

MACHINE = (
    "Status", "Spark code", "Sync note", "Stage", "Requested at", "Submitted at", "Delivered at", "Expires at",
    "Expiry", "Missing", "Credits charged", "Credits left", "Request ID", "Updated at",
)  # fmt: skip
DATES = ("Requested at", "Submitted at", "Delivered at", "Expires at", "Updated at")
PRICE = 7


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
        self.portal, self.most_orders, self.keep = portal, most_orders, keep
        self.books = Authorizations(zone, days, warn_hours)
        self.braked: set[tuple[str, str]] = set()
        """The wishes (video, mark) that the last run found too many, or still being taken away."""
        self.posts: dict[str, list[tuple[int, str]]] = {}
        """The rows of each post, by its number: line and video."""
        self.lost: dict[str, tuple[str, datetime]] = {}
        """Videos with an order that was lost on its way: the mark that asked for it, and when it was sent."""

    @property
    def seen(self) -> Mapping[str, Seen]:
        """The latest request of each video, as a run saw it last."""
        return self.books.latest

    # --- before the run: what has to be done ----------------------------------------------------------------------

    def judge(self, lines: Sequence[Line], now: datetime, most_orders: int | None = None) -> Verdict:
        """What the next run has to do about the marks (the table of design 3); it may send `most_orders`."""
        verdict = Verdict()
        acting: dict[str, Line] = {}
        for line in lines:
            if text(line, "Video ID") and text(line, "Action"):
                acting.setdefault(text(line, "Video ID"), line)
        self.books.read(lines)
        self._look(lines, acting, now)
        self.books.keep_days()
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

    def _look(self, lines: Sequence[Line], acting: Mapping[str, Line], now: datetime) -> None:
        """Every mark, every open request, every id that is not known: each is looked at (design 3.2)."""
        strange = [v for line in lines if (v := text(line, "Video ID")) and self._is_strange(v, line, now)]
        for video in {*acting, *strange, *self.lost, *(v for v, seen in self.seen.items() if seen.open)}:
            self._see(video)

    def _is_strange(self, video: str, line: Line, now: datetime) -> bool:
        """Whether the row shows a request that is not known, or something else than it should of the one that is."""
        known, shown = self.seen.get(video), text(line, "Request ID")
        if known is None or shown != known.id:
            return shown != ""
        used = self.books.in_use(self.books.codes(line, now))
        return (text(line, "Status"), text(line, "Spark code")) != (known.status, used.text if used else "")

    def _see(self, video: str, origin: str = "") -> None:
        """Take over what TokPortal says of a video now; a code or time that it no longer tells stays."""
        told = self.portal.latest(video)
        if told is None:
            return
        old = self.seen.get(video)
        if old is None or old.id != told.id:
            old = Seen(told.id, "", told.platform, _second(told.created_at), None, None, "")
        now = replace(
            old,
            status=told.status,
            submitted=_second(told.submitted_at) or old.submitted,
            delivered=_second(told.delivered_at) or old.delivered,
            code=told.code or old.code,
            origin=origin or old.origin,
        )
        self.books.enter(video, now)

    def _settled(self, video: str, now: datetime) -> bool:
        """Whether a minute has passed since the order: before, nobody can tell "never" from "not yet"."""
        return now - self.lost[video][1] >= timedelta(minutes=1)

    def _settle(self, video: str, line: Line, now: datetime, verdict: Verdict) -> None:
        """An order was lost: it is sent again while its mark stands, else given up."""
        if not self._settled(video, now):
            verdict.waits[video], verdict.uncertain = LOOKING, True
            return
        if text(line, "Action").lower() == self.lost[video][0]:
            self._order(video, self.lost[video][0], line, verdict)
            if video in verdict.done:
                verdict.again[video] = self.lost.pop(video)
        else:
            del self.lost[video]
            self._mark(video, line, verdict)

    def _mark(self, video: str, line: Line, verdict: Verdict) -> None:
        mark, shown, latest = text(line, "Action").lower(), text(line, "Request ID"), self.seen.get(video)
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
        feedback, same = text(line, "Feedback"), latest is not None and text(line, "Request ID") == latest.id
        if latest and (same or not latest.usable) and self._is_earlier(video, line, latest):
            verdict.waits[video] = notes.EARLIER_CODE
        elif latest and same and latest.status == "pending_corrections":
            verdict.done[video] = "correct"  # it is reported already
        elif latest is None or not latest.usable:
            verdict.waits[video] = WAITING["correct without a code"][1]
        elif not same or text(line, "Spark code") != latest.code:
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

    def _is_earlier(self, video: str, line: Line, latest: Seen) -> bool:
        """Whether the row shows the code of an earlier request; a typed one is of none."""
        shown, earlier = text(line, "Spark code"), self.books.generations[video][1:]
        return shown not in ("", latest.code) and shown in [seen.code for seen in earlier if seen.id]

    def _order(self, video: str, mark: str, line: Line, verdict: Verdict) -> None:
        """The gates: what must be put right before a credit is spent."""
        wanting = []
        if len(text(line, "Note")) > 500:
            wanting.append(f"Note has {len(text(line, 'Note'))} characters, TokPortal takes 500")
        if text(line, "Platform").lower() not in ("", "tiktok", "instagram"):
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
        """More orders than a run may send are not sent at all; the credits suffice for the upper rows first."""
        in_order = [video for video in verdict.done if video in (*verdict.orders, *verdict.renewals)]
        wishes = {(video, verdict.done[video]) for video in in_order}
        if len(in_order) > most_orders:
            verdict.refused = True
            why = (
                f"Waits: more rows are marked than one run may order ({self.most_orders}). Clear the marks that are "
                "not meant, or ask whoever runs sheetsync to allow them."
            )
            for video in in_order:
                self._withdraw(video, why, verdict)
            self.braked = wishes
            return
        if most_orders == self.most_orders and self.braked - wishes:
            self.braked = wishes
            for video in in_order:
                self._withdraw(video, WAITING["marks are being cleared"][1], verdict)
            return
        self.braked = set()
        # an order of which nobody knows the end may cost credits yet: it comes first, sent again or not
        in_order.sort(key=lambda video: video not in verdict.again)
        affordable = max(0, (self.portal.credits - self.keep) // PRICE - len(self.lost))
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
        self.books.enter(video, replace(self.seen[video], origin="ordered", charged=PRICE, left=left))

    def never_arrived(self, video: str, now: datetime, verdict: Verdict) -> None:
        """An order was lost on the way: the row says that sheetsync looks first."""
        self.lost[video] = verdict.done.pop(video), now
        verdict.waits[video], verdict.uncertain = LOOKING, True

    def cells(self, lines: Sequence[Line], verdict: Verdict, now: datetime) -> list[dict[str, Any]]:
        """Every line as it must stand after the run; of several values in a tuple each will do."""
        self.books.take_in(lines)
        acting: dict[str, str] = {}
        places: dict[str, list[int]] = {}
        shown: dict[str, str] = {}
        for line in lines:
            video, mark = text(line, "Video ID"), text(line, "Action").lower()
            if video:
                places.setdefault(video, []).append(line["#"])
            if video and mark and video not in acting:
                acting[video], shown[video] = mark, text(line, "Request ID")
        self.posts = {}
        for line in lines:
            if text(line, "Video ID") and (post := _post(line)):
                self.posts.setdefault(post, []).append((line["#"], text(line, "Video ID")))
        after = []
        for line in lines:
            video = text(line, "Video ID")
            if video:
                twins = [n for n in places[video] if n != line["#"]]
                served = verdict.done.get(video), shown.get(video)
                why = verdict.waits.get(video, "") if text(line, "Action").lower() == acting.get(video) else ""
                after.append(self._line(line, twins, served, why, now))
                if video in (*verdict.orders, *verdict.renewals):
                    # claimed: Status said `ordering` for a moment, perhaps in its twins, too
                    times = after[-1].get("Updated at"), self.books.serial(now)
                    after[-1]["Updated at"] = times if twins else times[1]
            else:
                after.append(dict(line))
        return after

    def _line(
        self, line: Line, twins: Sequence[int], served: tuple[str | None, str | None], why: str, now: datetime
    ) -> dict[str, Any]:
        after, latest = dict(line), self.seen.get(text(line, "Video ID"))
        mark = text(line, "Action").lower()
        if mark and (mark, text(line, "Request ID")) == served:
            mark = ""
            del after["Action"]
        codes = self.books.codes(line, now)
        if latest:
            after |= self._request(line, latest, mark, codes, now)
            after["Credits charged"] = "" if any(n < line["#"] for n in twins) else self.cost(text(line, "Video ID"))
        elif text(line, "Request ID"):
            # the row shows a request that its video does not have
            after |= dict.fromkeys(MACHINE[:-1], "")
        elif codes:
            after |= self._of_code(line, codes[0].text, codes[0].ends, now)
            if not self.books.is_worked_out(line):
                after["Expires at"] = after["Expires at"] or line.get("Expires at", "")
        after["Sync note"] = self._note(line, mark, why, twins, str(after.get("Spark code", "")), codes)
        after = {name: cell for name, cell in after.items() if cell != ""}
        if after != line:
            after["Updated at"] = self.books.serial(now)
        return after

    def cost(self, video: str) -> int | str:
        """What a video has cost, refunds deducted; empty where nobody told anything."""
        told = [seen for seen in self.books.generations[video] if seen.charged is not None]
        return sum(0 if seen.status == "cancelled" else seen.charged or 0 for seen in told) if told else ""

    def _request(self, line: Line, latest: Seen, mark: str, codes: Sequence[Code], now: datetime) -> dict[str, Any]:
        used, shown = self.books.in_use(codes), text(line, "Spark code")
        if mark and text(line, "Request ID") != latest.id:
            return self._frozen(line, now)
        same = text(line, "Request ID") == latest.id
        after = {
            "Status": latest.status,
            "Spark code": used.text if used else "",
            "Requested at": self.books.serial(latest.created),
            "Submitted at": self.books.serial(latest.submitted),
            "Delivered at": self.books.serial(latest.delivered),
            **self._of_code(line, used.text if used else "", used.ends if used else None, now, latest),
            "Credits left": latest.left if latest.left is not None else line.get("Credits left", "") if same else "",
            "Request ID": latest.id,
        }
        if mark == "correct" and shown != after["Spark code"]:
            # it waits for the code that its person tried
            after |= {name: line.get(name, "") for name in ("Spark code", "Expires at", "Missing")}
            after |= self._frozen(line, now)
        return after

    def _frozen(self, line: Line, now: datetime) -> dict[str, Any]:
        """A mark that waits keeps code and window; Expiry and Stage go on with time."""
        ends, shown = self.books.date(line.get("Expires at", "")), text(line, "Spark code")
        if not (shown and isinstance(ends, datetime)):
            return {}
        said = self._of_code(line, shown, ends, now)
        return {name: said[name] for name in ("Expiry", "Stage")}

    def _of_code(
        self, line: Line, code: str, ends: datetime | None, now: datetime, latest: Seen | None = None
    ) -> dict[str, Any]:
        expiry = self.books.word(ends, now) if code else ""
        return {
            "Expires at": self.books.serial(ends),
            "Expiry": expiry,
            "Stage": self.stage(line, code, expiry, latest),
            "Missing": self.missing(line, code, expiry),
        }

    def retired(self, line: Line, code: str) -> bool:
        """Retired is said of one code, the one that was shown."""
        said = str(self.books.of_code(text(line, "Video ID"), "Paid status", code)).strip().lower()
        return text(line, "Paid status").lower() == "retired" and (said == "retired" or not code)

    def stage(self, line: Line, code: str, expiry: str, latest: Seen | None) -> str:
        """The first that holds."""
        paid = text(line, "Paid status").lower()
        if self.retired(line, code):
            return "retired"
        if expiry == "expired":
            return "expired"
        if expiry == "renewal needed":
            return "renewal needed"
        if paid in ("spending", "paused", "activated"):
            return paid
        if code:
            return "received"
        return "requested" if latest and latest.open else ""

    def missing(self, line: Line, code: str, expiry: str) -> str:
        """The fields still empty once a code is there; columns that the sheet does not have do not count."""
        if not code:
            return ""
        wanted = ["Creator owner", "Paid owner", "Renewal owner", "Market", "Campaign", "Objective"]
        wanted += ["Video URL", "Creator"]
        if self.retired(line, code):
            wanted.append("Retirement reason")
        empty = [name for name in wanted if not text(line, name)]
        decided = str(self.books.of_code(text(line, "Video ID"), "Renewal decision", code)).strip()
        if expiry == "renewal needed" and not (decided and text(line, "Renewal decision")):
            empty.append("Renewal decision")
        return ", ".join(empty + ["window"] * (expiry == "no window"))

    def _unreadable(self, line: Line, is_kept: bool) -> list[str]:
        """The cells about the window that say nothing that can be read; of a kept code, those that tell its end too."""
        said = []
        days = line.get("Authorization days", "")
        for column in ("Known expiry", *(("Received at", "Expires at") if is_kept else ())):
            problem = self.books.date(line.get(column, ""))
            said += [f"{column}: {problem}"] if isinstance(problem, str) else []
        if days != "" and number_of_days(days) is None:
            told = f"Authorization days: '{days}' is no number of days; use 7, 30, 60, 180 or 365."
            said.insert(sum(part.startswith("Known") for part in said), told)
        return said

    def _note(self, line: Line, mark: str, why: str, twins: Sequence[int], code: str, codes: Sequence[Code]) -> str:
        video, shown = text(line, "Video ID"), next((one for one in codes if one.text == code), None)
        latest = self.seen.get(video)
        said = [why] if mark and why else [self._standing(latest)] if latest else []
        if self._is_dead(video, code):
            said.insert(1 if mark and why else 0, notes.CODE_CANCELLED)
        if shown and latest and shown.of is not latest:
            said.append(notes.RENEWAL_UNDER_WAY if latest.open else notes.EARLIER_CODE_SHOWN)
        others = [code.ends for code in codes if code is not shown and code.runs]
        if others:
            zone = self.books.zone
            said.append(
                notes.others_run([f"{ends.astimezone(zone):%Y-%m-%d %H:%M}" if ends else "" for ends in others])
            )
        if shown:
            said += self._of_another(line, shown.text)
        if latest or shown:
            said += self._unreadable(line, is_kept=not latest)
        if twins and (latest or mark or shown):
            said.append(f"Duplicate of row {', '.join(map(str, twins))}: one of them acts, all show the same.")
        others = [str(n) for n, video in self.posts.get(_post(line), ()) if video != text(line, "Video ID")]
        if others and (latest or mark):
            said.append(f"Same Video URL as row {', '.join(others)}, under another Video ID: one of the two is wrong.")
        return " ".join(part for part in said if part)

    def _is_dead(self, video: str, code: str) -> bool:
        """Whether the row showed, or still shows, a code that TokPortal has cancelled since."""
        cancelled = [seen for seen in self.books.generations.get(video, ()) if seen.status == "cancelled" and seen.code]
        return code in [seen.code for seen in cancelled] or self.seen.get(video) in cancelled

    def _of_another(self, line: Line, code: str) -> list[str]:
        """What stands in the row and was said of another code."""
        video, said = text(line, "Video ID"), []
        stands = text(self.books.first[video], "Known expiry")
        if stands and self.books.of_code(video, "Known expiry", code) == "":
            said.append(notes.expiry_of_another_code("Known expiry"))
        if text(line, "Paid status").lower() == "retired" and not self.retired(line, code):
            said.append(notes.retired_another_code("Paid status"))
        return said

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


def _post(line: Line) -> str:
    """The post of the quarter's links: its number."""
    return text(line, "Video URL").partition("/video/")[2].partition("?")[0].strip("/")


def _second(moment: datetime | None) -> Any:
    """TokPortal tells whole seconds."""
    return moment and moment.replace(microsecond=0)
