"""PURE: is this the same row? By what people wrote into rows, they are known again where key and place are not enough.

Owns similarity, and every question about which row of one read is which row of another, or which column that was
renamed: people sort, insert, copy, delete and retype between our read and our write, and a write that went astray may
have hit the key itself. What follows from the answer is `verification.py`'s and `repair.py`'s.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, product, zip_longest
from types import MappingProxyType
from typing import Self

from sheetsync.columns import index_key, key_text, normal, same, says, to_serial
from sheetsync.model import Lock, Scalar, Snapshot
from sheetsync.sheet.edits import Edit, Landed, Sent, SetCell, by_row, header_at, key_at, key_header, machine_headers

KEY_WEIGHT = 100
"""A key tells a row better than anything else that stands in it."""

Content = Mapping[str, Scalar]
"""What stands in a row, by header; columns without a header left out."""


def content(headers: Sequence[Scalar], cells: Sequence[Scalar], without: Set[str] = frozenset()) -> Content:
    """What stands in a row, by header."""
    named = ((normal(header), cell) for header, cell in zip_longest(headers, cells[: len(headers)], fillvalue=""))
    return {header: cell for header, cell in named if header and header not in without}


def similarity(one: Content, other: Content, key_header: str) -> int:
    """How many cells are the same less those that differ; the key counts for all, and two keys are two rows."""
    # two keys that differ are two rows, however much else people copied from one to the other
    keys = one.get(key_header), other.get(key_header)
    if all(keys) and keys[0] != keys[1]:
        return 0
    return sum(
        (KEY_WEIGHT if header == key_header else 1) if same(cell, other[header]) else -1
        for header, cell in one.items()
        # what is empty in both tells nothing: blank rows are not like each other
        if header in other and (cell != "" or other[header] != "")
    )


def most_similar(row: Content, others: Mapping[int, Content], key_header: str) -> tuple[int, ...]:
    """The rows that have most in common with a row; none if what they have in common is less than what differs."""
    scores = {number: similarity(row, other, key_header) for number, other in others.items()}
    most = max(scores.values(), default=0)
    return tuple(number for number, score in scores.items() if score == most > 0)


class RowIndex:
    """The rows of a snapshot below its header, by number, by key and by content; of renamed columns by other names."""

    def __init__(self, snapshot: Snapshot, names: Mapping[str, str] = MappingProxyType({})) -> None:
        self.key_header = key_header(snapshot)
        self._headers = [names.get(name, name) for name in map(normal, snapshot.headers)]
        self.numbers = range(2, len(snapshot.grid) + 1)
        self._keys = {**dict.fromkeys(self.numbers, ""), **{row.number: row.key for row in snapshot.rows}}
        self._by_key: dict[str, list[int]] = {}
        for number, key in self._keys.items():
            self._by_key.setdefault(key, []).append(number)
        self._snapshot = snapshot
        self._contents: dict[int, Content] = {}
        self._to_come: dict[frozenset[tuple[str, Scalar]], dict[int, None]] = {}
        self._sayings: dict[str, dict[object, set[int]]] = {}
        self._merges: dict[int, list[Lock]] = {}
        for lock in (lock for lock in snapshot.locks if lock.is_merge):
            for number in range(lock.top + 1, int(min(lock.bottom, len(snapshot.grid))) + 1):
                self._merges.setdefault(number, []).append(lock)

    def key(self, number: int) -> str:
        """The video id that stands in a row."""
        return self._keys[number]

    def with_key(self, key: str) -> Sequence[int]:
        """The rows with a key; there is none with none."""
        return self._by_key.get(key, ()) if key else ()

    def without_key(self) -> Sequence[int]:
        """The rows whose key is still to come."""
        return self._by_key.get("", ())

    def may_be(self, key: str, number: int) -> Mapping[int, int]:
        """The rows that one with this key may be, each with how many say the same: those of the key (without one, of
        every key), and those whose key is still to come. Of these thousands may say the same: once each, as row
        `number` where that is among them.
        """
        keyed = self.with_key(key) if key else [n for n in self.numbers if self._keys[n]]
        if not self._to_come:
            for n in self.without_key():
                self._to_come.setdefault(_filled(self._content(n)), {})[n] = None
        to_come = {number if number in alike else next(iter(alike)): len(alike) for alike in self._to_come.values()}
        return dict.fromkeys(keyed, 1) | to_come

    def contents(self, numbers: Iterable[int] | None = None, without: Set[str] = frozenset()) -> Mapping[int, Content]:
        """What stands in some rows, or in all."""
        return {
            number: {header: cell for header, cell in self._content(number).items() if header not in without}
            for number in (self.numbers if numbers is None else numbers)
        }

    def saying(self, header: str, cell: Scalar) -> set[int]:
        """The rows that say just that under a header. By an index: both may be thousands."""
        if header not in self._sayings:
            index = self._sayings[header] = {}
            for number in self.numbers:
                index.setdefault(index_key(self._content(number).get(header, ""), "UTC"), set()).add(number)
        return self._sayings[header].get(index_key(cell, "UTC"), set())

    def _content(self, number: int) -> Content:
        # most questions are about a few rows of thousands
        if number not in self._contents:
            self._contents[number] = content(self._headers, self._snapshot.grid[number - 1])
        return self._contents[number]

    def hidden(self, number: int, columns: Iterable[int]) -> frozenset[int]:
        """Those of some columns that lie under a merged cell in a row. By an index: both may be thousands."""
        merges = self._merges.get(number)
        return frozenset(c for c in columns if any(m.covers(number, c) for m in merges)) if merges else frozenset()

    def changed_since(self, earlier: Self) -> list[int]:
        """Those of its own rows that do not stand in an earlier snapshot, cell by cell; columns that are gone aside."""
        gone = set(earlier._headers) - set(self._headers)
        there = set(map(_filled, earlier.contents(without=gone).values()))
        return [number for number, row in self.contents().items() if _filled(row) not in there]


def _filled(row: Content) -> frozenset[tuple[str, Scalar]]:
    # a column that is new is empty at first, and no change
    return frozenset((header, cell) for header, cell in row.items() if cell != "")


@dataclass(frozen=True, slots=True)
class Aftermath:
    """A write, a read made since, and the rows of the reads before and after it.

    `was_called` are the names that renamed columns had in the read before, by those they have now.
    """

    sent: Sent
    after: Snapshot
    then: RowIndex
    now: RowIndex
    was_called: Mapping[str, str]

    @classmethod
    def of(cls, sent: Sent, after: Snapshot) -> Self:
        """Both reads indexed."""
        was_called = _was_called(sent, after)
        return cls(sent, after, RowIndex(sent.before), RowIndex(after, was_called), was_called)

    def names_as_read(self, headers: Sequence[Scalar]) -> list[str]:
        """The headers under which a write landed; those that were renamed, by the names that were read."""
        then, now = list(map(normal, self.sent.before.headers)), list(map(normal, self.after.headers))
        shown = _as_renamed_since(list(map(normal, headers)), now)
        # of what stands there now, what the columns say has told already which came and which was renamed
        open_then = ["" if name in self.was_called.values() and name not in shown else name for name in then]
        only_then = renamed(open_then, ["" if name in now and name not in then else name for name in shown])
        names = {**only_then, **self.was_called}
        return [names.get(name, name) for name in shown]

    def holds(self, row: int, column: int, edit: Edit) -> bool:
        """Whether a cell says what was written: an instant in the time zone that the spreadsheet had then."""
        return says(self.after.cell(row, column), edit.value, self.sent.before.time_zone)


def renamed(
    was: Sequence[Scalar], now: Sequence[Scalar], alike: Callable[[int, int], int] = lambda old, new: 0
) -> dict[str, str]:
    """The names that columns had before they were renamed, by those they have since: names of one of the two alone.

    By how much of what they say is alike (less than nothing: another column), then by their place; else one after the
    other, if as many names came as are gone.
    """
    gone, came = _only_in(was, now), _only_in(now, was)
    found: dict[int, int] = {}
    pairs = [(-alike(old, new), new != old, abs(n - m), new, old) for (n, new), (m, old) in product(came, gone)]
    for unlike, is_elsewhere, _, new, old in sorted(pairs):
        is_told = unlike < 0 or (unlike == 0 and (not is_elsewhere or len(gone) == len(came)))
        if is_told and new not in found and old not in found.values():
            found[new] = old
    return {header_at(now, new): header_at(was, old) for new, old in found.items()}


def _as_renamed_since(shown: Sequence[str], now: Sequence[str]) -> list[str]:
    """Names by those that came in their places since; as they were if columns have moved since."""
    pairs = list(zip_longest(shown, now, fillvalue=""))
    if any(name != new and (not name or not new or name in now or new in shown) for name, new in pairs):
        return list(shown)
    return [new for _, new in pairs]


def _only_in(some: Sequence[Scalar], others: Sequence[Scalar]) -> list[tuple[int, int]]:
    """The columns whose names are no others', numbered from the first."""
    there = {"", *map(normal, others)}
    return list(enumerate(column for column, header in enumerate(some) if normal(header) not in there))


def _was_called(sent: Sent, after: Snapshot) -> dict[str, str]:
    """The names that columns had in the read before a write, by those they have in one made since."""
    before, rows_hit = sent.before, len(list(by_row(sent.edits)))

    def alike(old: int, new: int) -> int:
        said = _sayings(before, old)
        same_still = (said & _sayings(after, new)).total()
        # in a row that it hit, the write may have taken away what tells
        return same_still or (0 if said.total() <= rows_hit else -1)

    return renamed(before.headers, after.headers, alike)


def _sayings(snapshot: Snapshot, column: int) -> Counter[object]:
    cells = (snapshot.cell(number, column) for number in range(2, len(snapshot.grid) + 1))
    return Counter(index_key(cell, "UTC") for cell in cells if cell != "")


def row_before(
    seen: Content, number: int, then: RowIndex, now: RowIndex, without: Set[str] = frozenset()
) -> int | None:
    """Which row of before the write it was that a write reached at row `number`, by what was seen in it.

    same place      the row of that number, if it says just that
    moved, edited   the row most like it
    key typed since a row without a key then, most like it
    key typed over  the row of that number, if it says all else that it said, and a row with its key is gone; not where
                    a row that had the new key said all that too: that one may have been moved here, and by that key the
                    row is told in any case
    duplicate       of rows equally alike, the one of that number
    inserted        None: it is like no row, or the row it is like is found again, more alike, elsewhere
    """
    key = key_text(seen.get(then.key_header, ""))
    # without a key it may be any; with one, a row whose key was still to come
    may_be, rivals = then.may_be(key, number), now.may_be(key, number)
    old = then.contents(may_be, without)
    if number in old and old[number] == seen:
        return number
    was = then.key(number) if key and number in then.numbers else ""
    if len(now.with_key(was)) < len(then.with_key(was)):
        keyless = without | {then.key_header}
        said = _filled(then.contents([number], keyless)[number])
        twins = map(_filled, then.contents(then.with_key(key), keyless).values())
        if said and said not in twins and said == _filled({h: cell for h, cell in seen.items() if h not in keyless}):
            return number
    equals = most_similar(seen, old, then.key_header)
    # a row of before that is found again in another one, with the same key: then this one came in between
    score = similarity(seen, old[equals[0]], then.key_header) if equals else 0
    others = now.contents(rivals, without)
    closer = {
        n: [m for m, other in others.items() if similarity(other, old[n], then.key_header) > score] for n in equals
    }
    free = [n for n in equals if not closer[n]]
    if not free and sum(rivals[m] for m in {*chain(*closer.values())}) < sum(may_be[n] for n in equals):
        free = list(equals)  # duplicates that were the same, and fewer others than there were
    return number if number in free else next(iter(free), None)


def rows_hit_now(
    before: int | None,
    key: str,
    cells: Sequence[Edit],
    headers: Sequence[Scalar],
    seen: Sequence[Scalar],
    of: Aftermath,
) -> tuple[int, ...]:
    """Where the row that a write reached stands now; `before` and `key` say which row it was, `seen` what it said.

    moved           the row of its key
    duplicate       those most like what the answer showed: by what is neither ours nor was hit (a later write may have
                    changed the rest in one of them alone), then by all
    key overwritten also rows that carry as their key what was written over it
    key to come     those without a key that carry most of what was written: of these rows thousands may say the same
    inserted        every row that was not there before may be it, and nothing in it is to be kept
    the headers     none but a copy of them: they are put back before anything else
    key typed over  the row that is like it, and like no other row of before
    deleted         none
    """
    then, now = of.then, of.now
    if before is None and not then.with_key(key):
        if normal(key) == then.key_header:
            return tuple(now.with_key(key))
        # a row that came in between: whatever was not there before may be it
        return tuple(n for n in now.numbers if not now.key(n) or not then.with_key(now.key(n)))
    hit = {header_at(headers, e.column) for e in cells if isinstance(e, SetCell)}
    if before is not None and not then.key(before) and (carrying := _carrying(cells, list(map(normal, headers)), of)):
        return most_similar(content(headers, seen), now.contents(carrying), now.key_header) or carrying
    overwritten = [e for e in cells if isinstance(e, SetCell) and header_at(headers, e.column) == now.key_header]
    candidates = list(_still_itself(before, key, hit, of))
    if overwritten:
        key_column = of.after.columns["video_id"]
        candidates += [n for n in now.numbers if any(of.holds(n, key_column, edit) for edit in overwritten)]
    if not candidates:
        return _rekeyed(before, hit, of) if before is not None else ()
    if len(set(candidates)) == 1:
        return (candidates[0],)
    ours = machine_headers(of.sent.before) | hit
    alike = most_similar(content(headers, seen, ours), now.contents(candidates, ours), now.key_header)
    shown = content(headers, seen, {now.key_header} if overwritten else frozenset())
    return most_similar(shown, now.contents(alike or candidates), now.key_header)


def _still_itself(before: int | None, key: str, hit: Set[str], of: Aftermath) -> Iterable[int]:
    """The rows with the key of a row; where it was one of several and one is gone, not those that are like another."""
    then, rows = of.then.with_key(key), of.now.with_key(key)
    if before is None or len(rows) >= len(then):
        return rows
    ours = machine_headers(of.sent.before) | hit
    old = of.then.contents(then, ours)
    alike = {n: most_similar(row, old, of.then.key_header) for n, row in of.now.contents(rows, ours).items()}
    return [n for n in rows if before in (alike[n] or [before])]


def _rekeyed(before: int, hit: Set[str], of: Aftermath) -> tuple[int, ...]:
    """The rows that are like row `before` alone, whatever key stands in them now, or what the write put there."""
    ours = machine_headers(of.sent.before) | {of.then.key_header} | hit
    old = dict(of.then.contents(without=ours))
    lost = old.pop(before)

    def is_like_no_other(number: int, row: Content) -> bool:
        score = similarity(row, lost, of.then.key_header)
        # the row of its key first: it is most like that one, as long as nobody has typed over the key
        others = chain(map(old.get, of.then.with_key(of.now.key(number))), old.values())
        return score > 0 and all(similarity(row, other, of.then.key_header) < score for other in filter(None, others))

    return tuple(n for n, row in of.now.contents(without=ours).items() if is_like_no_other(n, row))


def _carrying(cells: Sequence[Edit], names: Sequence[str], of: Aftermath) -> tuple[int, ...]:
    """The rows without a key that carry most of what was written to a row; none if they carry nothing of it."""
    keyless, found = {*of.now.without_key()}, Counter[int]()
    for edit in cells:
        if isinstance(edit, SetCell) and edit.value != "":
            said = edit.value
            cell = to_serial(said, of.sent.before.time_zone) if isinstance(said, datetime) else said
            found.update(of.now.saying(header_at(names, edit.column), cell) & keyless)
    most = max(found.values(), default=0)
    return tuple(sorted(n for n, many in found.items() if many == most))


def row_meant_now(edit: Edit, of: Aftermath) -> tuple[int, ...]:
    """Where the row that an edit was meant for stands now.

    same place      that one, if no row with its key is more like it
    moved           the row of its key
    duplicate       those most like it
    deleted         none
    """
    ours = machine_headers(of.sent.before)
    meant = of.then.contents([edit.row], ours)[edit.row]
    rows = most_similar(meant, of.now.contents(of.now.with_key(edit.key), ours), of.then.key_header)
    return (edit.row,) if edit.row in rows else rows


def are_rows_meant(rows: Iterable[int], landed: Landed, before: Snapshot) -> bool:
    """Whether, of duplicates, it is the meant one that a written row holds: they may have changed places."""
    then, ours = RowIndex(before), machine_headers(before)
    for row in rows:
        duplicates = then.with_key(key_at(before, row))
        if len(duplicates) > 1:
            seen = content(landed.headers, landed.rows[row], ours)
            best = most_similar(seen, then.contents(duplicates, ours), then.key_header)
            if best and row not in best:
                return False
    return True
