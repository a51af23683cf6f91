"""PURE: rows of different videos whose Video URL leads to one post: one of them is wrong, or a post is paid for twice.

Owns when that is said. It stands at the end of a note: why a mark waits, and how a request stands, come first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sheetsync import notes
from sheetsync.columns import post_of
from sheetsync.model import Known, Row
from sheetsync.projected import Target


def told_of_same_post(said: Iterable[Target], rows: Sequence[Row], known: Known) -> tuple[Target, ...]:
    """What rows should say, with the numbers of the rows of another video and the same post; `rows` are all there are.

    A row without a mark and without a request is left alone (design 3): it is only named.
    """
    posts: dict[str, list[Row]] = {}
    for row in rows:
        if row.key and (post := _post(row)):
            posts.setdefault(post, []).append(row)
    return tuple(
        _told(target, [other.number for other in posts.get(_post(target.row), ()) if other.key != target.row.key])
        if target.row.mark or target.row.key in known.latest
        else target
        for target in said
    )


def _post(row: Row) -> str:
    return post_of(row.cells.get("video_url", ""))


def _told(target: Target, others: Sequence[int]) -> Target:
    # a note that is left as it is (TokPortal was not reached) is not known here
    if not others or "sync_note" not in target.values:
        return target
    note = f"{target.values['sync_note']} {notes.same_post(others)}".strip()[: notes.LONGEST]
    return replace(target, values={**target.values, "sync_note": note})
