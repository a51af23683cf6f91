"""PURE: rows of the ledger's tables <-> the frozen values of the model.

Owns how a value is stored: a column for each field, in the fields' order, and an instant as ISO-8601 text in UTC of one
fixed width, so that it sorts as text. Owns also how what is told anew joins what was known. Holds no SQL, does no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, get_type_hints

from sheetsync.alerts.alert import Kind
from sheetsync.model import AdCodeRequest, Entry, IntentState, Mark, Origin, Refusal
from sheetsync.steps import KeptRow, RowSeen

# The tables call by its kind what the model calls an id; only there do the names differ.
_COLUMN_NAMES: Mapping[Any, str] = {(AdCodeRequest, "id"): "request_id"}


def to_utc(moment: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive datetime: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC)


def to_text(moment: datetime) -> str:
    """An aware instant as the tables hold it."""
    return to_utc(moment).isoformat(timespec="microseconds")


_FROM_CELL: Mapping[Any, Callable[[Any], Any]] = {
    **{kind: kind for kind in (Mark, Origin, IntentState, Kind, bool)},
    datetime: datetime.fromisoformat,
    datetime | None: lambda text: text and datetime.fromisoformat(text),
    tuple[datetime, ...]: lambda text: tuple(map(datetime.fromisoformat, (text or "").split())),
    tuple[KeptRow, ...]: lambda text: tuple(_kept_row(cells) for cells in json.loads(text or "[]")),
    Mapping[str, object]: json.loads,
}


@cache
def _fields(kind: Any) -> tuple[tuple[str, str, Any], ...]:
    """The fields of a frozen value: name, column, type. A value within it has no column: its own stand in its place."""
    # The annotations are text; resolving them costs more than a row, so each kind is asked once.
    types = get_type_hints(kind)
    return tuple((f.name, _COLUMN_NAMES.get((kind, f.name), f.name), types[f.name]) for f in fields(kind))


def column_list(kind: Any) -> str:
    """The columns of a frozen value as a SELECT names them for `from_row`."""
    return _columns(kind)


@cache
def _columns(kind: Any) -> str:
    return ", ".join(column_list(part) if is_dataclass(part) else column for _, column, part in _fields(kind))


@cache
def _readers(kind: Any) -> tuple[Callable[[Iterator[Any]], Any], ...]:
    """What takes the cells of each field of a frozen value."""
    return tuple(
        partial(from_row, part) if is_dataclass(part) else partial(_read, _FROM_CELL.get(part))
        for *_, part in _fields(kind)
    )


def _read(convert: Callable[[Any], Any] | None, cells: Iterator[Any]) -> Any:
    return convert(next(cells)) if convert else next(cells)


def from_row(kind: Any, row: Iterable[Any]) -> Any:
    """The frozen value whose columns a row begins with."""
    cells = iter(row)  # of a value within a value, the same iterator: it takes its cells where the outer one stands
    return kind(*[read(cells) for read in _readers(kind)])


def to_columns(value: Any) -> dict[str, object]:
    """The cells of a frozen value by column. Raises ValueError for a naive instant."""
    columns: dict[str, object] = {}
    for name, column, kind in _fields(value.__class__):
        part = getattr(value, name)
        columns |= to_columns(part) if is_dataclass(kind) else {column: _cell(part)}
    return columns


def _cell(value: Any) -> object:
    if isinstance(value, tuple):
        is_of_rows = value and isinstance(value[0], KeptRow)
        return json.dumps([*map(to_columns, value)]) if is_of_rows else " ".join(map(to_text, value))
    return to_text(value) if isinstance(value, datetime) else value


def _kept_row(cells: Mapping[str, object]) -> KeptRow:
    row: KeptRow = from_row(KeptRow, (cells.get(column) for _, column, _ in _fields(KeptRow)))
    return row


def merged(old: Entry | None, new: Entry) -> Entry:
    """What is known after `new` was told: nothing told never erases what was known.

    How a mark came by the request is as the last mark did; merely finding it says nothing of that.
    """
    if old is None:
        return new
    untold = [field.name for field in fields(AdCodeRequest) if not getattr(new.request, field.name)]
    request = replace(new.request, **{name: getattr(old.request, name) for name in untold})
    is_confirmed = old.origin is Origin.IMPORTED
    return Entry(
        request,
        old.origin if new.origin is Origin.FOUND and not is_confirmed else new.origin,
        # 0 credits were told, and stay told; only None is nothing
        old.credits_charged if new.credits_charged is None else new.credits_charged,
        old.credits_left if new.credits_left is None else new.credits_left,
        new.seen_at,
        old.authorization_days,
        # what a row told of the end gives way to what TokPortal tells
        new.ends,
    )


def repeated(old: Refusal, new: Refusal) -> Refusal:
    """`new` as a further no to the same mark, if it is one.

    A no that differs in its support id alone keeps the earlier text, so that the row's note does not change.
    """
    if old.mark is not new.mark:
        return new
    same = old.http_status == new.http_status and _without_support_id(old.text) == _without_support_id(new.text)
    return replace(new, attempts=old.attempts + 1, text=old.text if same else new.text)


def seen_again(old: RowSeen | None, new: RowSeen) -> RowSeen:
    """`new`, with the instants since when the same code is in use, and since when the row waits, whatever for."""
    if old is None:
        return new
    is_same_code = (old.request_id, old.code) == (new.request_id, new.code)
    return replace(
        new,
        code_since=old.code_since if is_same_code and old.code_since else new.code_since,
        # a service that fails meanwhile makes a wait neither shorter nor longer
        waits_since=old.waits_since if new.hold and old.waits_since else new.waits_since,
    )


def _without_support_id(text: str) -> str:
    return text.partition(" (support id")[0]
