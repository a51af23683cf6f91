"""PURE: the rows that a run has to look into: a tab has many more than there are requests.

Owns which these are: rows that tell of a request, a mark or a window, those whose video the ledger knows of, and the
duplicates of both. Of any other row nothing follows (design 3): it is counted, and named where it shares a post. What
people decide there of the next code is read once that comes.
"""

from collections.abc import Collection, Sequence

from sheetsync.model import Known, Row


def concerned(rows: Sequence[Row], known: Known, videos: Collection[str] = ()) -> list[Row]:
    """Those of these rows that a run has to look into, in their order; `videos` are looked at in any case."""
    keys = {row.key for row in rows if not row.is_plain}
    keys |= known.videos | known.unsettled.keys() | known.refusals.keys() | known.served.keys()
    keys |= {video for video, _ in known.braked}
    # what was typed where there was no code is the next one's, whenever it is read; of a code that is gone, news counts
    keys |= {video for (video, _), typed in known.typed.items() if any(typed.by_code)}
    keys.update(videos)
    # rows without a key are no duplicates of each other
    return [row for row in rows if not row.is_plain or (row.key and row.key in keys)]
