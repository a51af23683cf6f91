"""The log: lines on stderr, as text for people or as JSON for programs, to the last one.

Owns what a line holds, and that with JSON nothing else gets there: warnings of libraries and errors that nobody
caught are lines like any other.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import Any

from sheetsync.cli.plain import one_line
from sheetsync.context import ABOUT

log = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time (UTC), level, logger, run id, tracker and message, and its `figures` where it has some."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "run_id": None,
            "tracker": None,
            **ABOUT.get(),
            "message": record.getMessage(),
            **getattr(record, "figures", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return one_line(json.dumps(line, ensure_ascii=False))


class TextFormatter(logging.Formatter):
    """One line each, whatever stands in it."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's local time, level and message."""
        return one_line(super().format(record))


def start(verbose: bool, log_format: str) -> None:
    """From now on the log goes to stderr in this form."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = TextFormatter("%(asctime)s %(levelname)s %(message)s")
    handler.setFormatter(JsonFormatter() if log_format == "json" else as_text)
    # the libraries' own lines hold URLs and bodies: of theirs only warnings are passed on, whatever -v says
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    quiet = logging.INFO if log_format == "json" else logging.WARNING
    logging.getLogger("sheetsync").setLevel(logging.DEBUG if verbose else quiet)
    logging.captureWarnings(True)


def is_json() -> bool:
    """Whether whoever reads the log is a program."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def catch_the_rest() -> None:
    """What Python itself would write to stderr, whatever it comes from, becomes a line too."""
    for place, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        setattr(place, name, _hook(getattr(place, name)))


def _hook(pythons: Any) -> Any:
    def told(*what: Any) -> None:
        if not is_json():
            pythons(*what)
            return
        # of threads and of destructors Python gives one value, whose first three fields these are
        kind, error, at = what if len(what) == 3 else (what[0].exc_type, what[0].exc_value, what[0].exc_traceback)
        log.critical("%s", kind.__name__, exc_info=(kind, error, at))

    return told
