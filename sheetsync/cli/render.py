"""What commands print with: a table, a number with its noun, an instant, a document. Prints nothing itself."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sheetsync.cli.logs import is_json
from sheetsync.cli.options import Selection
from sheetsync.cli.plain import one_line, plain


def table(lines: Sequence[Sequence[object]]) -> str:
    """Cells in columns, two spaces apart, indented."""
    texts = [[one_line(str(cell)) for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    aligned = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in texts)
    return "\n".join("  " + line.rstrip() for line in aligned)


def count(number: int, thing: str) -> str:
    """A number with its noun."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def stamp(moment: datetime) -> str:
    """An instant as ISO text in UTC, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def attributes(thing: object, *names: str) -> dict[str, Any]:
    """Some attributes of a thing, as a part of a document that calls them by the same names."""
    return {name: getattr(thing, name) for name in names}


def shown(selection: Selection, document: Any, text: str = "") -> str:
    """What a command prints: with --json the document, as one, for programs; else the text, for people.

    Instants in the document are printed as `stamp` has them. Beside a log of JSON lines it is one line, too.
    """
    indent = None if is_json() else 2
    return plain(json.dumps(document, indent=indent, ensure_ascii=False, default=stamp) if selection.as_json else text)
