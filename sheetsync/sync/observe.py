"""Asks TokPortal about the videos that are due, on a small pool of threads, within the time of the run (design 3.2).

Owns when to stop asking. Which videos are due, and in which order, is the plan's.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sheetsync import notes
from sheetsync.clock import Clock
from sheetsync.context import ABOUT
from sheetsync.errors import CallRefused, Unavailable
from sheetsync.model import Failure, HoldKind, Observation
from sheetsync.sync.progress import Progress, silent
from sheetsync.tokportal.client import TokPortal

log = logging.getLogger(__name__)

POLLERS = 8
"""Threads that poll: a full bucket of 120 is used in 15 answers' time each, and at 4 s an answer still 2 a second."""

SILENT_LIMIT = 5
"""After so many unanswered polls in a row TokPortal is taken to be down; the rest is left for the next run."""


class Poller:
    """Polls for one run; `seconds` is the time it may take, from now on, `leave` how many calls it leaves to others."""

    def __init__(
        self,
        portal: TokPortal,
        clock: Clock,
        seconds: float,
        threads: int = POLLERS,
        progress: Progress = silent,
        leave: int = 0,
    ) -> None:
        self._portal, self._clock, self._threads, self._progress = portal, clock, threads, progress
        self._leave = leave
        self._until = clock.monotonic() + seconds
        self._silent = 0
        self.trouble = ""  # why TokPortal was not heard, if it was asked and has said nothing about any video

    def observe(self, videos: Sequence[str]) -> Mapping[str, Observation]:
        """What TokPortal says about each video; those that the time did not reach are left out.

        Raises CredentialsError.
        """
        if self._threads <= 1 or len(videos) <= 1:
            answers = self._counted(map(self._poll, videos), len(videos))
        else:
            # threads only wait for answers; the ledger is written by the caller, from one thread
            with ThreadPoolExecutor(self._threads, "poll", ABOUT.set, (ABOUT.get(),)) as pool:
                answers = self._counted(pool.map(self._poll, videos), len(videos))
        found = {answer.video_id: answer for answer in answers if answer}
        if any(not seen.failure or seen.failure.is_final for seen in found.values()):
            self.trouble = ""
        return found

    def _counted(self, answers: Iterable[Observation | None], total: int) -> list[Observation | None]:
        found = []
        for answer in answers:
            found.append(answer)
            self._progress("asking TokPortal", len(found), total)
        return found

    def _poll(self, video_id: str) -> Observation | None:
        # the run's own end may have come nearer: somebody stopped it
        is_over = self._clock.monotonic() > min(self._until, self._clock.asks_until)
        if is_over or self._silent >= SILENT_LIMIT:
            return None
        try:
            request = self._portal.latest(video_id, self._leave)
        except CallRefused as no:
            answer = " ".join(part for part in (str(no.http_status), no.code) if part)
            refused = Failure(HoldKind.PERSON, notes.video_not_shown(answer, no.message))
            return Observation(video_id, failure=refused)
        except Unavailable as error:
            self._silent += 1
            self.trouble = str(error)
            log.info("video %s: %s", video_id, error)
            return Observation(video_id, failure=Failure(HoldKind.NEXT_RUN, notes.NO_ANSWER))
        # one answer shows that TokPortal is there; a lost count between threads only asks a few times more
        self._silent = 0
        return Observation(video_id, request)
