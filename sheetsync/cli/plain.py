"""Text on its way out of the program: cells, tab names and ids come from outside, and a terminal obeys what it reads.

Owns what may reach a terminal or a log. Imports nothing heavy: errors go out through here before anything is loaded.
"""

import codecs
import json
import re
import sys
import unicodedata
from io import TextIOWrapper

_LINE_ENDS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_TURNS_TEXT = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text without what a terminal would act on: control characters, and turns of the writing direction.

    Line ends and tabs stay: they are the program's own where they are left (`one_line` takes those of others).
    """
    kept = (c if c in "\n\t" or unicodedata.category(c) != "Cc" else "\ufffd" for c in text)
    return _TURNS_TEXT.sub("\ufffd", "".join(kept))


def one_line(text: str) -> str:
    """The same for a cell or a log line, which must not look like two."""
    return plain(_LINE_ENDS.sub(" ", text))


def show_all() -> None:
    """From now on what a terminal's encoding lacks is printed as JSON escapes it: a document stays one, and a run that
    ordered does not fail at the telling."""
    codecs.register_error("escaped", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="escaped")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
