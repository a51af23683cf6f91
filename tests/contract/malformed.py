"""The program's own requests, and what a slip of the pen would make of each of them: malformed by rule, not by hand.

Google's schema says at each place which values there are; every rule makes one that there is not. A variant is a whole
request that differs from the well-formed one in a single place.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sandbox.google_side import Side
from support.init_bench import InitBench

from sheetsync.columns import GROUPS
from sheetsync.sandbox import people
from sheetsync.sandbox.google.schema import Schema
from sheetsync.sandbox.wire import Request, Response

Json = dict[str, Any]

_WRONG: dict[str, tuple[Any, ...]] = {
    "string": (7, {}),
    "integer": ("many", 1.5, 2**31),
    "number": ("much", []),
    "boolean": ("perhaps", 1),
}
_NO_TAB = 987_654
_ENDS = {"startRowIndex": "endRowIndex", "startColumnIndex": "endColumnIndex", "startIndex": "endIndex"}
_REQUIRED = frozenset(("fields", "dimension", "ranges", "booleanRule", "spec", "length", "type", "find", "condition"))


class Variant(NamedTuple):
    """A malformed request: by which rule, at which place."""

    rule: str
    where: str
    request: Json


@dataclass(slots=True)
class Sample:
    """One request as the program sent it, with those before it in its batch, and the world that it was sent to."""

    google: Json
    path: str
    before: list[Json]
    request: Json

    @property
    def kind(self) -> str:
        return next(iter(self.request))

    def side(self) -> Side:
        """A Google in which the well-formed request is accepted."""
        side = Side()
        side.google.restore(copy.deepcopy(self.google))
        if self.before:
            assert self.send(side, *self.before).status == 200
        return side

    def send(self, side: Side, *requests: Json) -> Response:
        body = json.dumps({"requests": requests}).encode()
        return side.handle(Request("POST", self.path, (), {"authorization": "Bearer token"}, body))


@dataclass(slots=True)
class _Recorder:
    """Stands before a bench's Google and keeps one sample of each shape of request."""

    bench: InitBench
    samples: dict[str, Sample] = field(default_factory=dict)

    def __post_init__(self) -> None:
        handle = self.bench.world.handle

        def recording(request: Request) -> Response:
            if request.path.endswith(":batchUpdate"):
                self.keep(request)
            return handle(request)

        self.bench.world.handle = recording  # type: ignore[method-assign]  # the wire, with a reader on it

    def keep(self, request: Request) -> None:
        requests = json.loads(request.body)["requests"]
        fresh = [index for index, one in enumerate(requests) if _shape(one) not in self.samples]
        world = json.loads(json.dumps(self.bench.world.google.dump())) if fresh else {}
        for index in fresh:
            sample = Sample(world, request.path, requests[:index], requests[index])
            self.samples.setdefault(_shape(requests[index]), sample)


def _shape(value: Any) -> str:
    """Which names a request has, wherever they are: two of one shape would be malformed in the same ways."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_shape(held)}" for name, held in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_shape(item) for item in value})) + "]"
    return type(value).__name__


def programs_requests() -> list[Sample]:
    """What init, runs, repairs and the summary send in a story of a few days; all of it was accepted."""
    narrow = InitBench(("Video ID", "Action"))
    narrow.sheet.column_count = 2
    recorder = _Recorder(narrow)
    narrow.init()
    bench = InitBench(tab="Budget", groups=tuple(GROUPS))
    recorder = _Recorder(bench, recorder.samples)
    bench.init()
    for number in range(3):
        bench.add_row(f"3fae88e2-7d43-4bb7-a2f1-4c6ce6f1c0d{number}", "request", creator="=1+1")
    bench.world.faults.edit(
        "sheets.batchUpdate", do=lambda world: people.insert_column(world, bench.book, "Tracker", "Status", "New")
    )
    for hours in (0, 1, 3, 24 * 28):
        bench.later(hours=hours)
        bench.world.portal.manager_work()
        assert bench.sync().error is None
    return list(recorder.samples.values())


def variants(schema: Schema, request: Json) -> Iterator[Variant]:
    """Every malformed variant of a request that the rules make."""
    for rule, where, changed in _of_message(schema, "Request", request, ""):
        yield Variant(rule, where, changed)


Change = tuple[str, str, Any]


def _of_message(schema: Schema, name: str, value: Json, at: str) -> Iterator[Change]:
    properties = schema.messages[name]["properties"]
    yield "unknown nested field", at, {**value, "surprise": 1}
    if at:
        yield "a text for a message", at, "text"
        yield "a list for a message", at, [value]
    for one, held in value.items():
        rest = {other: kept for other, kept in value.items() if other != one}
        if one + "s" not in properties:
            yield "misspelt field", f"{at}.{one}", {**rest, one + "s": held}
        if one in _REQUIRED:
            yield "missing required", f"{at}.{one}", rest
        for rule, where, changed in _of_value(schema, properties[one], held, f"{at}.{one}"):
            yield rule, where, {**value, one: changed}
    yield from _of_indexes(value, at)


def _of_value(schema: Schema, spec: Json, value: Any, at: str) -> Iterator[Change]:
    if "$ref" in spec:
        yield from _of_message(schema, spec["$ref"], value, at)
    elif spec["type"] == "array":
        yield "a text for a list", at, "text"
        for rule, where, changed in _of_value(schema, spec["items"], value[0], f"{at}[0]") if value else ():
            yield rule, where, [changed, *value[1:]]
    elif spec.get("format") == "google-fieldmask":
        yield from (("bad mask", at, mask) for mask in (f"{value},surprise", f"({value}", f"{value}.surprise", ""))
    else:
        yield from (("wrong type", at, wrong) for wrong in _WRONG[spec["type"]])
        if "enum" in spec:
            yield from (("wrong enum", at, wrong) for wrong in ("NO_SUCH_VALUE", value.lower(), ""))


def _of_indexes(value: Json, at: str) -> Iterator[Change]:
    """Ranges that lie on no tab, end before they start, or begin before the first line."""
    if isinstance(value.get("sheetId"), int) and not at.startswith(".addSheet"):
        yield "no such tab", at, {**value, "sheetId": _NO_TAB}
    for start, end in _ENDS.items():
        if value.get(end):
            yield "start after end", at, {**value, start: value[end] + 1}
        if start in value:
            yield "negative index", at, {**value, start: -1}
    yield from (("negative index", at, {**value, one: -1}) for one in ("rowIndex", "columnIndex") if one in value)
