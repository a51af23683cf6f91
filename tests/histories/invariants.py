"""What must hold at every moment of a history: issue 4's eight invariants, judged on calls and cells as they happen.

The judge sits at the wire: it sees each call before and after it takes effect, what the sheet was when a run read it,
and what people typed since. It never asks the program what is right.

A *wish* is one mark that a person typed (or made anew by changing what the row is compared by). An order is licensed
by a wish that the run saw in its last read of the sheet, in a row that showed TokPortal's latest request as the run
saw it last, and that no charge has served yet, refunded ones aside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from support import ledgers

from histories.desk import ACTION, KEY, MACHINE, ROW, Desk, Machine
from histories.seen import (
    CHANGES,
    Answer,
    Damage,
    Line,
    Place,
    Read,
    Run,
    Violation,
    Wish,
    cells_of,
    done,
    due,
    gates_open,
    id_in,
    shown,
    text,
)
from sheetsync.ledger.store import Ledger
from sheetsync.sandbox.google.grid import Sheet
from sheetsync.sandbox.wire import Request
from sheetsync.sandbox.world import Call
from sheetsync.sync.report import Report


class Judge:
    """Watches one desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.judge = self
        self.violations: list[Violation] = []
        self.runs: list[Run] = []
        self.wishes: dict[str, list[Wish]] = {}
        self.posts: dict[str, Wish] = {}
        self.tries: Counter[str] = Counter()
        self.heard: dict[str, dict[str, list[Answer]]] = {"A": {}, "B": {}}
        self.damages: dict[Place, Damage] = {}
        self.either: dict[Place, list[Any]] = {}
        self.litter: dict[str, set[tuple[str, Any]]] = {}
        self.carried: dict[str, set[Any]] = {}  # by row: what another video had cost whose id was typed over there
        self.kept: dict[str, set[tuple[str, str, str]]] = {"A": set(), "B": set()}
        self.kills = Counter[str]()  # of a machine's runs in a row
        self.saw: dict[str, tuple[str, str]] = {}  # what a row with a mark showed before a write changed its Request ID
        self.lost = False
        self.unsaid: set[str] = set()  # rows with a mark that is put back, whose note people typed over
        self.odd: set[str] = set()  # rows that were copied or had a twin, or whose video id or machine cells were typed
        self.refunds: dict[str, set[str]] = {"A": set(), "B": set()}  # the requests that each was told to be cancelled
        self.spenders: dict[str, set[str]] = {}  # the machines that have sent orders for a video
        self.unclear: dict[str, set[str]] = {}  # the keys of a video's orders, but for those that were refused
        self.untold: set[str] = set()  # the videos for whose order TokPortal named no price
        self.garbled = -1
        self.diary: list[str] | None = None
        self.muted: frozenset[int] = frozenset()  # invariants that are not judged
        self.wire: Any = None  # in a wider world, the judge of its orders
        self._before, self._tokens = list[Line](), list[str]()
        self._key = ("", "")
        self._asked, self._away = "", list[tuple[Sheet, list[Line], list[str]]]()
        self._held: dict[Place, Damage] = {}  # the damages as a write finds them
        self._counted = 0
        self._is_displaced = False
        self.charges = 0

    def say(self, invariant: int, what: str) -> None:
        """A violation, kept until the step is over: raised here, the program might swallow it."""
        if invariant not in self.muted:
            self.violations.append(Violation(invariant, what))

    # --- what people do ------------------------------------------------------------------------------------------

    def wished(self, row: str, word: str = "") -> None:
        """A mark is about to be typed."""
        self.touched(row, ACTION)
        video = text(self.desk.cell(row, KEY))
        stale = [answer for heard in self.heard.values() for answer in heard.get(video, ())]
        self.wishes.setdefault(row, []).append(Wish(row, word, stale=stale))

    def touched(self, row: str, token: str) -> None:
        """A person types into a cell: what stood there is no longer anybody's to put back."""
        damage = self.damages.pop((row, token), None)
        self.either.pop((row, token), None)
        if damage and damage.by in [run.machine for run in self.runs]:
            self.either[row, token] = [damage.was]  # it may be on its way to put back what stood there (a limit)
        if token in (KEY, "Request ID"):
            self.saw.pop(row, None)
        for run in self.runs:
            run.typed.add((row, token))

    def compared_anew(self, row: str) -> None:
        """A person changes what a standing mark is compared by: it now asks for something else."""
        if self.desk.cell(row, ACTION) != "":
            self.wishes.setdefault(row, []).append(Wish(row, ""))

    def rekeyed(self, row: str) -> None:
        """A person is about to change a video id: what a write hit there by mistake is of no video."""
        self.touched(row, KEY)
        self.compared_anew(row)
        if self.spenders.get(text(self.desk.cell(row, KEY)), set()) - {"A"}:
            # what the other ledger paid for the old video looks like an old charge of the new one (a limit)
            self.littered(row, "Credits charged", self.desk.cell(row, "Credits charged"))
        elif self.spenders.get(text(self.desk.cell(row, KEY))) and not ledgers.is_shared():
            # so it does to the ledger that did not see it (the same limit)
            self.carried.setdefault(row, set()).add(self.desk.cell(row, "Credits charged"))
        twins = self.twins(row)
        self.odd |= twins  # what was typed in a row that was not the first of its video counts from now on
        for place in [place for place in self.damages if place[0] == row]:
            if place[1] in MACHINE:
                self.littered(*place, self.desk.cell(*place))
                del self.damages[place]
            elif len(twins) > 1:
                self._excuse(place)  # another row answers to the video id now: it is not looked for further (a limit)

    def columns_changed(self) -> None:
        """Columns move after a run that ended with a write astray: what it hit cannot be told any more (a limit)."""
        at_work = [run.machine for run in self.runs]
        for place, damage in list(self.damages.items()):
            if damage.by not in at_work:
                self._excuse(place)

    def tab_copied(self) -> None:
        """A copy takes the tab's place, with whatever stood in it: what a run puts right, it does in the tab it hit."""
        for place in list(self.damages):
            self._excuse(place)

    def column_gone(self, token: str) -> None:
        """A column was deleted, with whatever stood in it."""
        self.damages = {place: damage for place, damage in self.damages.items() if place[1] != token}

    def _excuse(self, place: Place) -> None:
        damage, visible = self.damages.pop(place), self._visible(place)
        self.either[place] = [damage.was, *visible]
        for value in visible:
            self.littered(*place, value)

    def littered(self, row: str, token: str, value: Any) -> None:
        """A person types into a machine cell."""
        self.litter.setdefault(row, set()).add((token, value))
        self.odd.add(row)
        if token == "Sync note" and text(self.desk.cell(row, token)).startswith("This mark is done"):
            # its note alone says that a mark which a script puts back is served, where the ledger was lost (a limit)
            self.unsaid.add(row)
            self._forgotten(row, [machine.ledger for machine in self.desk.machines])

    def _forgotten(self, row: str, left: Sequence[Ledger]) -> None:
        """A mark that none of these ledgers knows to be served is a wish."""
        known = (ledger.known(self.desk.tracker.name).served for ledger in left)
        if not any(text(self.desk.cell(row, KEY)) in served for served in known):
            self.wishes.setdefault(row, []).append(Wish(row, ""))

    def deleted(self, row: str) -> None:
        """A row is about to go."""
        self.odd |= self.twins(row)
        self.damages = {place: damage for place, damage in self.damages.items() if place[0] != row}

    def copied(self, row: str, new: str) -> None:
        """A row was copied, with whatever stood in it."""
        if self.desk.cell(new, ACTION) != "":
            self.wishes[new] = [Wish(new, "")]
        self.litter[new] = {(token, self.desk.cell(new, token)) for token in MACHINE}
        self.odd |= {row, new}
        at_work = [run.machine for run in self.runs]
        for (at, token), damage in list(self.damages.items()):
            if at == row:
                self.either[new, token] = [damage.was, self.desk.cell(new, token)]
                if damage.by in at_work:
                    self._excuse((at, token))  # it may put back what stood there in the copy (a limit)
        for (at, token), values in list(self.either.items()):
            if at == row:
                self.either.setdefault((new, token), values)

    def state_lost(self, machine: Machine) -> None:
        """A ledger is gone or old: nobody knows any more what its last write hit by mistake (a stated limit)."""
        self.lost = True
        for row in self.unsaid & {*self.desk.row_ids()}:
            self._forgotten(row, [other.ledger for other in self.desk.machines if other is not machine])
        self.heard[machine.name] = {}
        self.kept[machine.name].clear()
        for place, damage in list(self.damages.items()):
            if damage.by is machine:
                self._excuse(place)

    def twins(self, row: str) -> set[str]:
        """The rows with the video id of a row, itself among them."""
        video = text(self.desk.cell(row, KEY))
        return {other for other in self.desk.typed if text(self.desk.cell(other, KEY)) == video}

    def _visible(self, place: Place) -> list[Any]:
        row, token = place
        return [self.desk.cell(row, token)] if row in self.desk.row_ids() else []

    # --- calls ---------------------------------------------------------------------------------------------------

    def tried(self, kind: str, request: Request) -> None:
        """A run is about to make a call, whatever strikes it first: an order of this key is no first one any more."""
        if kind == "portal.order":
            key, video = request.headers.get("idempotency-key", ""), unquote(request.path.split("/")[4])
            self.tries[key] += 1
            # a run that is killed at this very moment cannot know whether it was sent
            self.unclear.setdefault(video, set()).add(key)

    def before(self, kind: str, request: Request) -> None:
        """A call is about to take effect."""
        if not self.runs:
            return
        if kind in CHANGES:
            self.runs[-1].changes.append(kind)
        if kind == "portal.order":
            self._sent(self.runs[-1], request)
        elif kind == "values.batchGet":
            self._asked = next((value for name, value in request.query if name == "ranges"), "")
        elif kind == "sheets.batchUpdate":
            self._away = [(sheet, list(sheet.rows), tokens) for sheet, _, tokens in self.desk.put_away]
            self.runs[-1].fresh.clear()
            self._before, self._tokens = list(self.desk.sheet.rows), self.desk.header_tokens()
            body = json.loads(request.body)
            if not self._tells_itself(self.runs[-1], body):
                self.desk.sheet.displaced = 0
            self._is_displaced = bool(self.desk.sheet.displaced)
            self._meant(self.runs[-1], body)

    def after(self, index: int, kind: str) -> None:
        """A call has taken effect; its answer is on its way, unless it is lost."""
        self.count_charges()
        if not self.runs:
            return
        run, call = self.runs[-1], self.desk.world.calls[index]
        heard = 200 <= call.status < 300 and index != self.garbled
        if kind == "sheets.batchUpdate":
            self._wrote(run)
        elif kind == "values.batchGet" and heard:
            self._has_read(run)
        elif kind == "portal.order" and 400 <= call.status < 500:
            video, key = self._key
            self.unclear[video].discard(key)
        elif kind in ("portal.poll", "portal.order") and heard:
            if kind == "portal.order" and not self.desk.portal.tells_price:
                self.untold.add(self._key[0])
            self._answered(run, unquote(call.path.split("/")[4]), call)
        elif kind == "portal.correct" and heard:
            found = self.desk.portal.by_id[unquote(call.path.rpartition("/")[2])]
            run.answers.setdefault(found.video_id, []).append(Answer(found.id, found.status, found.code))

    def _has_read(self, run: Run) -> None:
        """What a run reads of its tab is what it goes by; another tab it reads only for what an earlier run owes."""
        sheet, tokens = self.desk.tab(self._asked)
        run.tab = run.tab or sheet
        if sheet is run.tab:
            held = {row: list(wishes) for row, wishes in self.wishes.items()}
            hit = {place: damage.was for place, damage in self.damages.items() if damage.by is run.machine}
            run.typed.clear()
            run.read = Read(list(sheet.rows), tokens, held, hit, frozenset(self.desk.names))

    def _answered(self, run: Run, video: str, call: Call) -> None:
        found = self.desk.portal.latest(video)
        if self.wire and call.kind == "portal.poll":
            found = self.wire.told(call)
            if self.wire.known_older(run, video, found):
                return  # no answer: nothing may be done on it
        answer = Answer(found.id, found.status, found.code) if found else None
        run.latest[video] = answer
        run.fresh.add(video)
        among = self.desk.portal.by_video.get(video, [])
        run.known[video] = among.index(found) + 1 if found else 0
        if answer:
            run.answers.setdefault(video, []).append(answer)

    def count_charges(self) -> None:
        """1: no wish is charged twice, whenever the orders sent for it take effect."""
        requests = self.desk.portal.requests
        for request in requests[self._counted :]:
            if request.ordered_by != "api" or (self.desk.beside and request.video_id in self.desk.beside.videos):
                continue
            self.charges += 1
            wish = self.posts.get(request.idempotency_key or "")
            if wish is None:
                self.say(1, f"{request.video_id} was charged without an order that the judge saw")
                continue
            if wish.served:
                self.say(1, f"{request.video_id} was charged twice for one mark in row {wish.row}")
            wish.charges.append(request)
        self._counted = len(requests)

    # --- 1, 2: orders ----------------------------------------------------------------------------------------------

    def _sent(self, run: Run, request: Request) -> None:
        video = unquote(request.path.split("/")[4])
        key = request.headers.get("idempotency-key", "")
        self.spenders.setdefault(video, set()).add(run.machine.name)
        self._key = video, key
        intent = run.machine.ledger.known(self.desk.tracker.name).unsettled.get(video)
        if not key or intent is None or (intent.idempotency_key, intent.body) != (key, request.body.decode()):
            self.say(1, f"an order for {video} was sent without its intent on disk")
        if video not in run.claimed and not self._claimed_before(run, video):
            self.say(1, f"an order for {video} was sent without a claim in the sheet")
        if video not in run.fresh:
            self.say(1, f"an order for {video} was sent without a look at TokPortal since the claim")
        latest = run.latest.get(video)
        standing = self.desk.portal.open_request(video)
        if standing and latest and standing.id == latest.id:
            self.say(2, f"an order for {video} was sent although {standing.status} {standing.id} is open")
        wishes = list(self._licences(run, video, latest, key))
        if not wishes:
            self.say(1, f"an order for {video} was sent without a wish; TokPortal's latest: {latest}")
        self.posts[key] = next((wish for wish in wishes if not wish.served), Wish("", "") if not wishes else wishes[0])
        if wishes and self.posts[key].told(self.desk.portal.by_video.get(video, ())[: run.known.get(video, 0)]):
            self.say(1, f"an order for {video} was sent for a mark that has been charged (row {wishes[0].row})")

    def _claimed_before(self, run: Run, video: str) -> bool:
        """Whether a claim of an earlier run, which was killed, stood when this one read the sheet."""
        return run.read is not None and any(row["Status"] == "ordering" for row in run.read.rows(video))

    def _licences(self, run: Run, video: str, latest: Answer | None, key: str) -> Iterator[Wish]:
        """The wishes that this order may serve."""
        if run.read is None:
            return
        again = self.tries[key] > 1
        marked = [(row, mark) for row in run.read.rows(video) for mark in self._marks(row)]
        for row, mark in marked:
            shows = [row["Request ID"], *self.either.get((row[ROW], "Request ID"), ())]
            is_due = any(due(mark, id_in(value), latest) for value in shows)
            if not again and not (is_due and gates_open(row, run.read.names)):
                continue
            wishes = run.read.wishes.get(row[ROW], [])
            # a mark that the program wrote back is the mark of then
            yield from [wish for wish in wishes if wish.word in ("", mark)][-1:]

    def _marks(self, row: Mapping[str, Any]) -> Iterator[str]:
        """What asks for an order in a row: the mark there, or one that a write hit and that may be put back."""
        for value in (row[ACTION], *self.either.get((row[ROW], ACTION), ())):
            if text(value).casefold() in ("request", "renew"):
                yield text(value).casefold()

    # --- 3: cells --------------------------------------------------------------------------------------------------

    def _meant(self, run: Run, body: Mapping[str, Any]) -> None:
        """What a write is to say, by the row and the column that stood there when the run read them."""
        if run.read is None:
            self.say(3, "a write before anything was read")
            return
        rows_at = run.read.tokens.index(ROW)
        for request in body["requests"]:
            for line, column, value in cells_of(request, self.desk.sheet.sheet_id):
                token = run.read.tokens[column] if column < len(run.read.tokens) else ""
                run.meant[text(run.read.at(line, rows_at)), token] = value
                if token == "Sync note":
                    run.notes.add((run.read.key(line), value))

    def _tells_itself(self, run: Run, body: Mapping[str, Any]) -> bool:
        """Whether a write carries a cell of ours, by which it can be found in other rows.

        What only puts cells of people back nobody can tell from what they type.
        """
        tokens, sheet = run.read.tokens if run.read else [], self.desk.sheet.sheet_id
        columns = {column for each in body["requests"] for _, column, _ in cells_of(each, sheet)}
        return any(column < len(tokens) and tokens[column] in MACHINE for column in columns)

    def _claimed_away(self, run: Run) -> None:
        """A run whose tab was put away goes on in that tab: it is its id."""
        for sheet, before, tokens in self._away:
            changed = (line for n, line in enumerate(sheet.rows) if n >= len(before) or line is not before[n])
            claims = (line for line in changed if shown(line[tokens.index("Status")]) == "ordering")
            run.claimed |= {text(shown(line[tokens.index(KEY)])) for line in claims}

    def _wrote(self, run: Run) -> None:
        self._claimed_away(run)
        top = self.desk.top
        if self.desk.sheet.rows[top] is not self._before[top]:
            self.desk.pin(self._before[top], self._tokens)
        tokens, hit_before = self.desk.header_tokens(), len(self.damages)
        self._held = dict(self.damages)
        rows_at = tokens.index(ROW)
        for number, line in enumerate(self.desk.sheet.rows):
            was = self._before[number] if number < len(self._before) else []
            if line is was:
                continue
            row = text(shown(was[rows_at])) if rows_at < len(was) else ""
            for column in range(len(line)):
                old = shown(was[column]) if column < len(was) else ""
                new = shown(line[column])
                token = tokens[column] if column < len(tokens) else ""
                if token == "Status" and new == "ordering" and tokens.index(KEY) < len(line):
                    run.claimed.add(text(shown(line[tokens.index(KEY)])))
                if new != old or type(new) is not type(old):
                    self._changed(run, number, row, column, token, old, new)
            # a mark whose column moved in that instant cannot be hit: Google has no write by header
            stood = ACTION in run.read.tokens and run.read.tokens.index(ACTION) == tokens.index(ACTION)
            if stood and len(self.damages) == hit_before and self._line_then(run, row) == number:
                self._atomic(row, was, line, tokens)

    def _atomic(self, row: str, was: Line, line: Line, tokens: list[str]) -> None:
        """1: a row never shows the request that was ordered for its mark while the mark still stands."""
        at, action = tokens.index("Request ID"), tokens.index(ACTION)
        id_was, id_now = (text(shown(cells[at])) if at < len(cells) else "" for cells in (was, line))
        mark = text(shown(line[action])).casefold() if action < len(line) else ""
        # what a formula makes cannot be cleared: its row shows what was ordered, and the mark stands
        stuck = row in self.desk.refilled or (row in self.desk.typed and self.desk.is_formula(row, ACTION))
        # nor what a person protects in the midst of a run: the program leaves it out, and says so in the row
        stuck = stuck or (row in self.desk.row_ids() and self.desk.is_protected(row, ACTION))
        changed = mark != "" and id_now != id_was and not stuck
        wishes = [w for w in self.wishes.get(row, ()) if w.word in ("", mark)][-1:] if changed else []
        for request in (request for wish in wishes for request in wish.charges):
            if request.id == id_now:
                self.say(1, f"row {row} shows {id_now}, and the mark {mark!r} that it was ordered for still stands")

    def _changed(self, run: Run, line: int, row: str, column: int, token: str, old: Any, new: Any) -> None:
        place = (row, token)
        if self.diary is not None:
            self.diary.append(f"        {run.machine.name} writes {row} {token}: {old!r} -> {new!r}")
        damage = self.damages.get(place)
        if damage and new == damage.was:
            del self.damages[place]
            return
        if place in self.either and token not in MACHINE and new in self.either[place]:
            return
        if not self._is_beside_the_rows(run, line, token, old):
            self._changed_in_a_row(run, line, row, column, token, old, new)

    def _is_beside_the_rows(self, run: Run, line: int, token: str, old: Any) -> bool:
        """Whether a write hit the header line, or what stands above it."""
        if run.read is None or line < self.desk.top or (line == 0 and not self.wire):
            self.say(3, f"a write to line {line + 1}")
            return True
        if line == self.desk.top:
            self.damages.setdefault((ROW, token), Damage(old, run.machine)).by = run.machine
            return True
        return False

    def _changed_in_a_row(self, run: Run, line: int, row: str, column: int, token: str, old: Any, new: Any) -> None:
        place, read = (row, token), run.read
        assert read
        key = self._key_before(run, row, line)
        if row and token == "Request ID" and self.desk.cell(row, ACTION) != "":
            hit = self.damages.get((row, ACTION))
            was, at = self._before[line], self.desk.column(ACTION)
            # by what stood there before: the same write may have hit it
            mark = text(hit.was if hit else shown(was[at]) if at < len(was) else "").casefold()
            if self.saw.get(row, ("", ""))[0] != mark:  # that of another mark is over
                self.saw[row] = mark, text(self._stood(place, old))
        meant = read.tokens[column] if column < len(read.tokens) else ""
        if row and token == meant == ACTION and new == "" and self._is_its_mark(run, row, line):
            self.damages.pop(place, None)
            # where columns moved since an earlier write went astray, nobody can tell what stood there
            told = [self._stood(place, old), *(v for v in self.either.get(place, ()) if v != "")]
            self._cleared(run, row, read.key(line), [text(mark).casefold() for mark in told])
        elif not row or read.key(line) != key or meant != token or token == ACTION:
            self._astray(run, place, key, old, new)
        elif token in MACHINE:
            self.damages.pop(place, None)
        elif self._line_then(run, row) != line or self._is_displaced:
            self._astray(run, place, key, old, new)  # a row with the same key, or one that was not meant
        else:
            self.say(3, f"{token} of row {row} was changed from {old!r} to {new!r}")

    def _key_before(self, run: Run, row: str, line: int) -> str:
        """The video id of a row as a write found it, whatever the same write made of it; where an earlier one of this
        machine had hit it by mistake, what is to be put back."""
        if not row:
            return ""
        hit, was, at = self._held.get((row, KEY)), self._before[line], self._tokens.index(KEY)
        if hit and hit.by is run.machine:
            return text(hit.was)
        return text(shown(was[at])) if at < len(was) else ""

    def _stood(self, place: Place, visible: Any) -> Any:
        """What a write found in a cell; where an earlier one had hit it by mistake, what is to be put back."""
        hit = self._held.get(place)
        return hit.was if hit else visible

    def _astray(self, run: Run, place: Place, key: str, old: Any, new: Any) -> None:
        row, token = place
        then = self._key_then(run, row)
        if token in MACHINE and row and then is None:
            return  # of a row that came since the read: what it must say is judged in the end
        if token in MACHINE and then not in (None, key):
            # somebody changed the video id since: its machine cells are of no video
            self.littered(row, token, new)
        elif token not in MACHINE and row in self.desk.typed and (then is None or place in run.typed):
            # a row or a text that came since the read: nobody can know what stood there (a limit)
            self.either[place] = [old, new, "", *self._as_read(run, place)]
        elif token in MACHINE and self._as_read(run, place) not in ([], [old]) and run.meant.get(place, ...) != old:
            return  # another machine has written it since: this one cannot know what; the end judges what it says
        else:
            self.damages.setdefault(place, Damage(old, run.machine)).by = run.machine

    def _as_read(self, run: Run, place: Place) -> list[Any]:
        line, read = self._line_then(run, place[0]), run.read
        return [read.at(line, read.tokens.index(place[1]))] if read and line and place[1] in read.tokens else []

    def _key_then(self, run: Run, row: str) -> str | None:
        """The video id of a row when the run read it; None if there was no such row."""
        line = self._line_then(run, row)
        return run.read.key(line) if run.read and line else None

    def _line_then(self, run: Run, row: str) -> int | None:
        """Where a row stood when the run read it; None if there was no such row."""
        read = run.read
        if read is None or ROW not in read.tokens:
            return None
        at = read.tokens.index(ROW)
        return next((n for n in range(1, len(read.lines)) if read.at(n, at) == row), None)

    def _is_its_mark(self, run: Run, row: str, line: int) -> bool:
        """Whether a row was meant by what was written to a line: it stood there, or it is the only one of that video.

        Where somebody changed the video id just before, it is as if they had done it just after.
        """
        then, read = self._line_then(run, row), run.read
        if read is None or then == line:
            return read is not None
        twins = [n for n in range(1, len(read.lines)) if read.key(n) == read.key(line)]
        return len(twins) < 2 and read.key(line) in (text(self.desk.cell(row, KEY)), self._key_then(run, row))

    def _cleared(self, run: Run, row: str, video: str, marks: Sequence[str]) -> None:
        """The Action cell is emptied only when its mark is done, as TokPortal told this run: one of those it may be."""
        mark = marks[0]
        before = next(line for line in self._before if text(shown(line[self.desk.column(ROW)])) == row)
        column = self.desk.column("Request ID")
        place, visible = (row, "Request ID"), shown(before[column]) if column < len(before) else ""
        # what another machine has hit by mistake, this one cannot know
        others = place in self.damages and self.damages[place].by is not run.machine
        saw = text(visible if others else self._stood(place, visible))
        word, first = self.saw.pop(row, (mark, saw))
        # typed again since, or not: the same mark in a row whose write was seen to land is the one it was
        saw = saw if others or word != mark else first
        stale = [answer for wish in self.wishes.get(row, ())[-1:] for answer in wish.stale]
        heard = self.heard[run.machine.name].get(video, [])
        told = [*run.answers.get(video, []), *(answer for answer in heard if all(answer is not old for old in stale))]
        # what was ordered for this very mark serves it, whatever has become of the request since
        own = {request.id for wish in self.wishes.get(row, ())[-1:] for request in wish.charges}
        shows = [saw, *map(text, self.either.get(place, ()))]
        may_be = [(word, shown_id) for word in marks for shown_id in shows]
        if not any(done(*each, answer) or answer.id in own for answer in told for each in may_be):
            self.say(3, f"the mark {mark!r} of row {row} was cleared; TokPortal told {told}, the row shows {saw!r}")
        self.desk.typed[row][ACTION] = ""
        at = self.desk.column("Status")
        if mark != "correct" and not self._paid(row, mark, at < len(before) and shown(before[at]) == "ordering"):
            run.unpaid.add(row)

    def _paid(self, row: str, mark: str, claimed: bool) -> bool:
        """Whether something was ordered for a mark; where a claim of a killed run stands, for any earlier one."""
        wishes = [wish for wish in self.wishes.get(row, ()) if claimed or wish.word in ("", mark)]
        return any(wish.charges for wish in wishes[0 if claimed else -1 :])

    # --- the end of a run ------------------------------------------------------------------------------------------

    def ended(self, run: Run, report: Report) -> None:
        """3 for a run that came to its end."""
        self.kills[run.machine.name] = 0
        self.count_charges()
        self._settled(run)
        # what a run did not come to write, the next one may: it need not be told again
        kept = self.heard[run.machine.name] if report.exit_code else {}
        told = {} if report.exit_code == 0 else run.answers
        self.heard[run.machine.name] = kept | {video: [*kept.get(video, []), *more] for video, more in told.items()}
        if report.exit_code == 0:
            every = (answer for told in run.answers.values() for answer in told)
            self.refunds[run.machine.name] |= {answer.id for answer in every if answer.status == "cancelled"}
            for place in [place for place, damage in self.damages.items() if self._is_taken_away(place, damage)]:
                del self.damages[place]
                self.desk.typed[place[0]][ACTION] = ""
            for place, damage in self.damages.items():
                if damage.by is run.machine:
                    self.say(
                        3, f"the run says that all is done, but {place} was hit by mistake: it said {damage.was!r}"
                    )

    def _meant_so(self, run: Run, place: Place) -> bool:
        """Whether two rows were given the same value and changed places: it stands where it should."""
        row, token = place
        video, cell = text(self.desk.cell(row, KEY)), self.desk.cell(row, token)
        # what a note says of other rows depends on where they stand: after a sort the one of a twin may be right
        meant = run.meant.get(place, ...) == cell or (token == "Sync note" and (video, cell) in run.notes)
        if meant and token == ACTION:
            self.desk.typed[row][ACTION] = self.desk.cell(row, ACTION)
        return meant

    def killed(self, run: Run) -> None:
        """What was told to a run that was killed, the next one may act upon."""
        self._settled(run)
        name = run.machine.name
        self.kills[name] += 1
        for damage in self.damages.values():
            if damage.by is run.machine and not damage.kills:
                damage.kills = self.kills[name]
        for video, told in run.answers.items():
            self.heard[name].setdefault(video, []).extend(told)

    def _is_taken_away(self, place: Place, damage: Damage) -> bool:
        """Whether a mark is gone since two runs were killed in a row: it may cost credits, and does not come back by
        guess ("Not promised")."""
        return place[1] == ACTION and damage.kills > 1 and place[0] != ROW and self.desk.cell(*place) == ""

    def _settled(self, run: Run) -> None:
        """Forget damage that is none: what stands there was meant to."""
        there, held = self.desk.row_ids(), self.damages
        gone = {p for p in held if p[0] not in there or self._meant_so(run, p) or self._own_row(p)}
        self.damages = {p: d for p, d in held.items() if p[0] == ROW or p not in gone}

    def _own_row(self, place: Place) -> bool:
        """Whether only the moment of a change is wrong, in a row with a twin: which one changed is anybody's guess."""
        row, token = place
        return token == "Updated at" and len(self.twins(row)) > 1
