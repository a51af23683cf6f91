"""PURE: the code in use: which of a video's codes its row shows (design 2 and 5).

Owns the choice, and which other codes may still run. When a code ends is `window.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sheetsync.model import Entry, Row
from sheetsync.projection.kept_end import typed_code
from sheetsync.projection.window import RowContext, Window, code_in, usable_code, window_of


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a video: the request that brought it, and the time it may be used."""

    entry: Entry
    window: Window

    @property
    def text(self) -> str:
        """The code itself."""
        return usable_code(self.entry.request)

    @property
    def is_reported(self) -> bool:
        """Whether somebody reported that it does not work, and no other one has come."""
        return self.entry.request.status == "pending_corrections"

    @property
    def runs(self) -> bool:
        """Whether it may still run; one without a known end may."""
        return self.window.word != "expired"


def codes(context: RowContext) -> tuple[Code, ...]:
    """Every code of the row's video that was not cancelled, newest first.

    A code that people typed into a row without a request is one as well.
    """
    # what a row alone once told of a video that has no request, and that no row shows any more, was another video's
    is_known = context.entry is not None or context.row.shown_id != ""
    generations = context.known.generations(context.row.key) if is_known else ()
    if is_typed(context.row, generations):
        generations = (typed_code(context),)
    return tuple(Code(entry, window_of(context, entry)) for entry in generations if usable_code(entry.request))


def is_typed(row: Row, generations: Sequence[Entry]) -> bool:
    """Whether the code in a row, if there is one, is its people's own: nothing was ever requested there."""
    return bool(code_in(row)) and not row.shown_id and not generations


def in_use(found: Sequence[Code]) -> Code | None:
    """The newest that runs and was not reported; else the newest reported one; else the newest expired one.

    Of one whose end nobody knows it is not said that it has outlived a later one: it would hide that this has ended.
    """
    ended = next((n for n, code in enumerate(found) if not code.runs), len(found))
    running = [code for n, code in enumerate(found) if code.runs and (code.window.ends or n < ended)]
    working = [code for code in running if not code.is_reported]
    return next(iter([*working, *running, *found]), None)
