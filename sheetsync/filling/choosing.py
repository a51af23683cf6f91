"""PURE: which videos become rows, and what stands in them.

Owns the filters, the compare with the tracker's rows, and the fields. Never a mark, nor a cell of a row that is there.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sheetsync.columns import post_of
from sheetsync.fills import Fill
from sheetsync.model import Row, Snapshot

LANDS_WITHIN = timedelta(seconds=200)
"""So long a write without an answer may still land: Google gives up after 180 s (Sheets reference 3.1)."""


@dataclass(frozen=True, slots=True)
class Video:
    """A finalized video as TokPortal's lists tell it.

    `fields` are those that the configuration may name, `day` is what `--since` looks at.
    """

    id: str
    fields: Mapping[str, str]
    day: date | None = None

    @property
    def key(self) -> str:
        """The id for comparison: a UUID is the same in either case."""
        return self.id.casefold()


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of some videos: the new rows (texts by 0-based column, by id), and why others do not.

    `present` have a row, `removed` had one that people took away, `waiting` may still land, `told` is for people.
    """

    rows: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    present: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()


def is_wanted(video: Video, fill: Fill, since: date | None) -> bool:
    """Whether a video passes the filters. Without a day it passes `since`: nothing is left out by a guess."""
    if since and video.day and video.day < since:
        return False
    said = {name: text.casefold() for name, text in video.fields.items()}
    countries = [country.casefold() for country in fill.country]
    return (
        (not countries or said.get("country", "") in countries)
        and _names_one(fill.bundle, said.get("bundle", ""), said.get("bundle_ref", ""))
        and _names_one(fill.title, said.get("title", ""))
    )


def _names_one(words: Sequence[str], *texts: str) -> bool:
    return not words or any(word.casefold() in text for word in words for text in texts)


def choose(
    videos: Iterable[Video],
    snapshot: Snapshot,
    fill: Fill,
    met: Set[str],
    sending: Mapping[str, datetime],
    now: datetime,
    most: int,
) -> Choice:
    """Which of these videos become rows of this very snapshot: `most` of them. `sending` says when each was sent."""
    keys = {row.key.casefold() for row in snapshot.rows}
    posts = {post: row for row in reversed(snapshot.rows) if (post := post_of(row.cells.get("video_url", "")))}
    new_posts: dict[str, str] = {}
    rows: dict[str, Mapping[int, str]] = {}
    present, removed, waiting, told = set(), set(), set(), []
    for video in {video.key: video for video in videos}.values():
        post = post_of(video.fields.get("video_url", ""))
        if video.key in keys:
            present.add(video.id)
        elif video.id in met:
            removed.add(video.id)
        elif post in posts:
            told.append(_same_post(video, posts[post]))
        elif post and post in new_posts:
            told.append(f"{video.id} leads to the same post as {new_posts[post]}: not added.")
        elif video.id in sending and now - sending[video.id] < LANDS_WITHIN:
            waiting.add(video.id)
        elif len(rows) < most:
            rows[video.id] = cells_of(video, snapshot.columns, fill)
            new_posts[post] = video.id
    return Choice(rows, frozenset(present), frozenset(removed), frozenset(waiting), tuple(told))


def _same_post(video: Video, row: Row) -> str:
    if row.key:
        return f"{video.id} leads to the post of row {row.number}, whose Video ID is another: not added."
    return f"Row {row.number} has this post and no Video ID; paste there: {video.id}"


def cells_of(video: Video, columns: Mapping[str, int], fill: Fill) -> Mapping[int, str]:
    """The texts of a new row by 0-based column; a constant of the account goes before a field."""
    constants = {**fill.accounts.get(video.fields.get("account", "").lstrip("@").casefold(), {})}
    told = {column: video.fields.get(name, "") for column, name in fill.columns.items()} | constants
    texts = {columns[column]: text for column, text in told.items() if text and column in columns}
    return {**texts, columns["video_id"]: video.id}
