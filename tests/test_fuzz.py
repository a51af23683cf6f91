"""The edges, with whatever may come: never a traceback, never a charge without a record, never a cell that changes
by being read and written back.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bench import Bench

from sheetsync import columns
from sheetsync.columns import BadCell
from sheetsync.config import load as config
from sheetsync.errors import ConfigError
from sheetsync.model import Row
from sheetsync.sandbox import wire

quick = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

scalars = st.one_of(st.text(max_size=30), st.integers(-(10**17), 10**17), st.floats(allow_nan=False), st.booleans())
instants = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
zones = st.sampled_from(["Etc/GMT", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "GMT-07:00", "GMT+05:45"])
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)),
    max_leaves=12,
)


@quick
@given(moment=instants, zone=zones)
def test_an_instant_survives_the_cell(moment: datetime, zone: str) -> None:
    """Written and read back it is the same; in the hour that comes twice a year twice, the earlier one is meant."""
    serial = columns.to_serial(moment, zone)
    again = columns.from_serial(serial, zone)
    assert columns.says(serial, moment, zone)
    assert columns.says(serial, again, zone)
    assert again <= moment


@quick
@given(cell=scalars, zone=zones)
def test_any_cell_is_read_or_refused_in_words(cell: Any, zone: str) -> None:
    """A person's cell is a value, empty, or a BadCell that says what is expected."""
    for read in (lambda: columns.instant(cell, zone), lambda: columns.days(cell)):
        with suppress(BadCell):
            read()
    columns.ticked(cell)
    columns.key_text(cell)


@quick
@given(lines=st.lists(st.lists(scalars, max_size=8), max_size=6))
def test_any_grid_becomes_rows(lines: list[list[Any]]) -> None:
    """Whatever people put into a tab, it is rows, or headers that are named as missing or doubled."""
    binding = columns.bind(lines[0] if lines else (), {})
    rows = columns.rows_of(lines, binding.columns)
    assert all(isinstance(row, Row) and row.key == row.key.strip() for row in rows)


@quick
@given(text=st.one_of(st.text(max_size=200), json_values.map(lambda value: json.dumps(value))))
def test_any_file_is_a_configuration_or_named_problems(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Never a traceback: the problems come with file and line."""
    path = tmp_path_factory.mktemp("config") / "sheetsync.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(ConfigError) as caught:
        config.load(path, {})
    assert caught.value.problems
    assert all(str(path) in problem for problem in caught.value.problems)


@quick
@given(noise=st.lists(st.tuples(st.integers(0, 600), st.sampled_from(list(" :-[]{}#&*!|>'\"%@`\t\n0aé"))), max_size=6))
def test_a_damaged_example_is_read_or_refused(
    noise: list[tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The example with characters typed over: still settings, or problems in words."""
    text = list((Path(__file__).parent.parent / "config.example.yaml").read_text(encoding="utf-8"))
    for at, character in noise:
        text[at % len(text)] = character
    path = tmp_path_factory.mktemp("config") / "sheetsync.yaml"
    path.write_text("".join(text), encoding="utf-8")
    with suppress(ConfigError):
        config.load(path, {})


ANSWERS = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    json_values.map(lambda value: json.dumps({"data": value, "credits_charged": 7}).encode()),
    st.just(b"[" * 100_000),
    st.just(b'{"data":{"code":"' + b"x" * 1_000_000 + b'"}}'),
)


@settings(quick, max_examples=60)
@given(
    body=ANSWERS,
    status=st.sampled_from([200, 201, 204, 301, 400, 402, 404, 409, 422, 429, 500, 503]),
    kind=st.sampled_from(["portal.order", "portal.poll", "portal.balance"]),
    nth=st.integers(0, 2),
)
def test_any_answer_of_tokportal(body: bytes, status: int, kind: str, nth: int) -> None:
    """Whatever one call answers, the run ends in order, a charge has a record, and later runs charge no second time."""
    bench = Bench(["vid-a", "vid-b"])
    bench.mark("request", "vid-a", "vid-b")
    handle, seen = bench.world.handle, []

    def garbling(request: wire.Request) -> wire.Response:
        seen.append(bench.world.kind(request))
        spoiled = seen[-1] == kind and seen.count(kind) == nth + 1
        if spoiled and 400 <= status < 500:
            return wire.Response(status, {}, body)  # a definite no: nothing was done
        answer = handle(request)
        return wire.Response(status, answer.headers, body) if spoiled else answer

    bench.world.handle = garbling  # type: ignore[method-assign]
    bench.sync()
    for request in bench.world.portal.requests:
        known = bench.ledger.known("acme")
        entry = known.latest.get(request.video_id)
        assert request.video_id in known.unsettled or (entry and entry.request.id == request.id)
    bench.world.handle = handle  # type: ignore[method-assign]
    for _ in range(3):
        bench.later(hours=7)
        report = bench.sync()
    assert report.exit_code == 0
    assert [bench.charged(video) for video in ("vid-a", "vid-b")] == [7, 7]
    assert [bench.cell(video, "action") for video in ("vid-a", "vid-b")] == ["", ""]
