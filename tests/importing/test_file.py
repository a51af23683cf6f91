"""What a file may look like, and what is said of one that does not: with its name and the line, all at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sheetsync.errors import MOST_PROBLEMS, BadImport
from sheetsync.importing.table import Table, chosen_columns, read_table, values_of

COLUMNS = ("spend", "prompt")
HEAD = "video_id,spend,prompt\n"


def read(data: str | bytes, key: str = "video_id", columns: tuple[str, ...] = COLUMNS) -> Table:
    return read_table("w.csv", data.encode() if isinstance(data, str) else data, key, columns, {"spend": "Kosten"})


@pytest.mark.parametrize(
    "data",
    [
        "video_id,spend,prompt,rest\nv1,1.5,hello,x\n\nv2,2,,\n",
        "Prompt,KOSTEN,Video ID\r\nhello,1.5,v1\r\n,2,v2",
        "\ufeffvideo id,kosten,prompt\nv1, 1.5 ,hello\nv2,2,\n",
    ],
    ids=["by key", "by header", "from Excel"],
)
def test_files_that_are_read(data: str) -> None:
    """Columns by key or by header, in any order, others left out; what Excel puts before it is no part of it."""
    lines = read(data).lines
    assert [(line.key, line.texts) for line in lines] == [
        ("v1", {"spend": "1.5", "prompt": "hello"}),
        ("v2", {"spend": "2"}),
    ]


def test_another_name_of_the_key() -> None:
    """`--key` says what the file calls it; a column of another meaning is none."""
    assert read("Ad,spend,prompt\nv1,1,x\n", key="ad").lines[0].key == "v1"
    with pytest.raises(BadImport, match="known by their Video ID alone"):
        read("video_url,spend,prompt\nv1,1,x\n", key="video_url")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "w.csv:1: the file is empty"),
        ("video_id;spend;prompt\nv1;1;x\n", "w.csv:1: the fields are separated by semicolons, not by commas"),
        ("video_id\tspend\tprompt\n", "w.csv:1: the fields are separated by tabs"),
        (HEAD.encode("utf-16"), "w.csv:1: is UTF-16 text"),
        (HEAD.encode() + b"v1,1,a\nv2,1,caf\xe9\n", "w.csv:3: is not UTF-8 text"),
        ("video_id,prompt\nv1,x\n", "w.csv:1: there is no column 'Kosten'; the file has 'video_id', 'prompt'"),
        ("video,spend,prompt\n", "w.csv:1: there is no column 'video_id' (`--key` says"),
        ("video_id,spend,prompt,Kosten\n", "w.csv:1: 'Kosten' stands there 2 times"),
        (f"{HEAD}v1,1,234.50,x\n", "w.csv:2: 4 fields, and 3 in the header"),
        (f'{HEAD}v1,1,"two\nlines"\nv1,2,\n', "w.csv:4: 'v1' stands in line 2 already"),
        (f"{HEAD},1,x\n", "w.csv:2: there is no Video ID"),
        (f'{HEAD}v1,1,x\nv2,1,"x\n', "w.csv:3: cannot be read as CSV"),
    ],
)
def test_files_that_are_not(data: str | bytes, problem: str) -> None:
    """Each names the file and the line, and that nothing was written."""
    with pytest.raises(BadImport) as caught:
        read(data)
    assert str(caught.value).startswith(problem)
    assert str(caught.value).endswith("Nothing was written.")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["status"], "'Status' is a column that sheetsync itself writes"),
        (["Spark code"], "'Spark code' is a column"),
        (["action"], "'Action' holds marks"),
        (["Video ID"], "'Video ID' is what rows are known by"),
        (["Remarks"], "sheetsync knows no column 'Remarks'"),
        ([" "], "no column is named"),
    ],
)
def test_columns_that_may_not_be_named(names: list[str], problem: str) -> None:
    """Only those that people write."""
    with pytest.raises(BadImport) as caught:
        chosen_columns(names, {})
    assert problem in str(caught.value)


def test_columns_are_named_by_key_or_header() -> None:
    """Each once."""
    assert chosen_columns(["spend", " Landing page", "Kosten"], {"spend": "Kosten"}) == ("spend", "landing_page")


def values(column: str, text: str) -> object:
    table = read_table("w.csv", f'video_id,{column}\nv1,"{text}"\n'.encode(), "video_id", [column], {})
    return values_of(table, "Europe/Berlin", {"v1"})["v1"][column]


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("spend", "1234.5", 1234.5),
        ("conversions", "-3", -3),
        ("known_expiry", "2026-08-01", datetime(2026, 7, 31, 22, tzinfo=UTC)),
        ("known_expiry", "2026-08-01T12:00:00Z", datetime(2026, 8, 1, 12, tzinfo=UTC)),
        ("post_live", "TRUE", True),
        ("post_live", "no", False),
        ("prompt", "=1+1", "=1+1"),
        ("prompt", "007", "007"),
        ("landing_page", "2026-08-01", "2026-08-01"),
    ],
)
def test_what_a_text_becomes(column: str, text: str, value: object) -> None:
    """By the kind of its column, and nothing else."""
    found = values(column, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("column", "text"),
    [
        *(("spend", text) for text in ("1,234.50", "1.234,5", "12 €", "$5", "N/A", "1e3", "٣")),
        *(("known_expiry", text) for text in ("03/04/2026", "46000", "2026-02-30")),
        ("post_live", "perhaps"),
        ("prompt", "x" * 50_001),
    ],
)
def test_texts_that_could_be_read_in_two_ways(column: str, text: str) -> None:
    """None is guessed: the file's line is named, with its column."""
    with pytest.raises(BadImport) as caught:
        values(column, text)
    assert caught.value.problems[0].startswith("w.csv:2: ")


def test_all_complaints_at_once_but_not_thousands() -> None:
    """Ids that the tab does not know, each with its line; of many, the first ones."""
    table = read(HEAD + "".join(f"v{n},1,x\n" for n in range(30)))
    with pytest.raises(BadImport) as caught:
        values_of(table, "UTC", {"v3"})
    assert caught.value.problems[3] == "w.csv:6: no row of the tab has the Video ID 'v4'"
    assert len(caught.value.problems) == 29
    assert len(str(caught.value).splitlines()) == MOST_PROBLEMS + 2
