"""PURE: rows of different videos whose Video URL leads to one post: one of them is wrong, or a post is paid for twice.

Owns when that is said. It stands at the end of a note: why a mark waits, and how a request stands, come first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sheetsync import notes
from sheetsync.columns import post_of
from sheetsync.model import Known, Row, Scalar
from sheetsync.projected import Target


def told_of_same_post(said: Iterable[Target], rows: Sequence[Row], known: Known) -> tuple[Target, ...]:
    """What rows should say, with the numbers of the rows of another video and the same post; `rows` are all there are.

    A row without a mark and without a request is left alone (design 3): it is only named.
    """
    said = tuple(said)
    told = {target.row.number: post for target in said if _may_be_told(target, known) and (post := _post(target.row))}
    posts: dict[str, list[Row]] = {post: [] for post in told.values()}
    ends = {post.rpartition("/")[2].casefold() for post in posts}
    is_host = any("/" not in post for post in posts)
    for row in rows:
        # most rows' posts are nobody else's: what they end with tells it at once
        if row.key and (is_host or _end(row) in ends) and (post := _post(row)) in posts:
            posts[post].append(row)
    return tuple(_told(target, _others(target.row, posts.get(told.get(target.row.number, ""), ()))) for target in said)


def _may_be_told(target: Target, known: Known) -> bool:
    return bool(target.row.mark) or target.row.key in known.latest


def _others(row: Row, rows: Iterable[Row]) -> list[int]:
    return [other.number for other in rows if other.key != row.key]


def _url(row: Row) -> Scalar:
    return row.cells.get("video_url", "") if row.url is None else row.url


def _post(row: Row) -> str:
    return post_of(_url(row))


def _end(row: Row) -> str:
    """The last segment of the path of a row's Video URL, if it has one."""
    return str(_url(row)).strip().partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2].casefold()


def _told(target: Target, others: Sequence[int]) -> Target:
    # a note that is left as it is (TokPortal was not reached) is not known here
    if not others or "sync_note" not in target.values:
        return target
    note = f"{target.values['sync_note']} {notes.same_post(others)}".strip()[: notes.LONGEST]
    return replace(target, values={**target.values, "sync_note": note})
