"""How a run is stopped from outside: by SIGTERM (a reboot, systemd, Kubernetes) or by Ctrl-C.

Owns the handlers of both. What a run does that has to end is the clock's and the run's.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stoppable(stop_all: Callable[[], None]) -> Iterator[None]:
    """Within it, the first signal lets the call in hand end and no other begin; a second ends the process at once.

    `stop_all` sees to the first: a clock's `stop`, or a worker's, which has several.
    An order in hand is thus recorded with its answer. After a second signal it is looked for, as after any kill.
    """

    def stop(*_: object) -> None:
        stop_all()
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if sys.stderr.isatty():
            # not by way of a stream, which may be in the middle of a line
            os.write(2, b"\nStopping after the call in hand; once more to stop at once.\n")

    before = {each: signal.signal(each, stop) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
