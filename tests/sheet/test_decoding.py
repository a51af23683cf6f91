"""What a read of values says, decoded a part at a time: the same as all at once, wherever a part ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetsync.sheet import decoding
from sheetsync.sheet.decoding import NotAnObject, ranges_of
from sheetsync.sheet.requests import landed_in

CELLS = st.text(max_size=8) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
RANGES = st.lists(st.lists(st.lists(CELLS, max_size=4), max_size=4), max_size=3)


def kept(content: bytes) -> list[list[Any]]:
    return ranges_of(content, lambda at: lambda line, text: (line, json.loads(text)))


@settings(max_examples=200, deadline=None)
@given(ranges=RANGES, part=st.integers(1, 40), indent=st.none() | st.just(2), raw=st.booleans())
def test_a_part_may_end_anywhere(ranges: list[Any], part: int, indent: int | None, raw: bool) -> None:
    """Within a number, an escape, a character of several bytes: cells and text of each line are as they were sent."""
    answer = {"spreadsheetId": "1é", "valueRanges": [{"range": "A", "values": lines} for lines in ranges]}
    content = json.dumps(answer, indent=indent, ensure_ascii=raw).encode(errors="surrogatepass")
    try:
        content.decode()
    except UnicodeDecodeError:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "PART", part)
        assert kept(content) == [[(line, line) for line in lines] for lines in ranges]


@pytest.mark.parametrize("answer", [{}, {"valueRanges": None}, {"valueRanges": []}, {"spreadsheetId": 7}])
def test_an_answer_without_ranges_has_none(answer: object) -> None:
    assert kept(json.dumps(answer).encode()) == []


def test_a_range_without_values_is_empty() -> None:
    """Google leaves `values` out where nothing is there."""
    assert kept(b'{"valueRanges": [{"range": "Tracker!A1:B2"}, {}]}') == [[], []]


def test_what_is_no_object_is_told_apart_from_what_is_cut_off() -> None:
    with pytest.raises(NotAnObject):
        kept(b"[1]")
    whole = b'{"valueRanges": [{"values": [["a", 1]]}]}'
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"missing|garbled|list|behind|decode|utf"):
            kept(whole[:end])


@pytest.mark.parametrize(
    "content",
    [b'{"valueRanges": [{"values": ["a"]}]}', b"{} {}", b'{"a" 1}', b"{\xff}", b'{"valueRanges": [{} {}]}', b""],
)
def test_garbage_is_an_error_of_its_own(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"missing|garbled|list|behind|decode|utf"):
        kept(content)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        *(("N_A", "#N/A"), ("REF", "#REF!"), ("DIVIDE_BY_ZERO", "#DIV/0!"), ("NAME", "#NAME?"), ("VALUE", "#VALUE!")),
        *(("NUM", "#NUM!"), ("NULL_VALUE", "#NULL!"), ("ERROR", "#ERROR!"), ("LOADING", "Loading...")),
        ("NEW_KIND", "#ERROR!"),
    ],
)
def test_the_answer_to_a_write_shows_an_error_as_a_read_does(kind: str, shown: str) -> None:
    """What an order rests on is compared by its text: a row whose formula came to nothing has not changed."""
    cell = {"effectiveValue": {"errorValue": {"type": kind, "message": "Did not find value."}}}
    data = [{"rowData": [{"values": [cell]}]}]
    assert landed_in([{"updatedSpreadsheet": {"sheets": [{"data": data}]}}], 0).headers == [shown]
