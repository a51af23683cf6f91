"""`sheetsync explain`: what a Sync note means and what to do, from the list that stands beside the texts.

Owns how a note is found in that list: names, numbers and dates in it are those of the row, and a note may say several
things, so words are compared.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from importlib.resources import files

import click

from sheetsync.cli.plain import plain
from sheetsync.errors import UnknownNote

_FOREIGN = re.compile(r"'[^']*'|\([^)]*\)")
"""What a text quotes, or adds in brackets, is the row's own, or TokPortal's."""

ALIKE = 0.6
"""Of a text's words so many must stand in the note, in their order; the others are the row's own."""


@click.command()
@click.argument("note", nargs=-1, required=True)
def explain(note: tuple[str, ...]) -> None:
    """Say what a Sync note means and what to do.

    \b
    Paste the note, in quotes. Example:
      sheetsync explain "Not enough credits: a code costs 7. Top up at TokPortal."
    """
    found = list(explained(" ".join(note)))
    if not found:
        raise UnknownNote
    click.echo(plain("\n\n".join(f"{text}\n  -> {todo}" for text, todo in found)))


def explained(note: str) -> Iterator[tuple[str, str]]:
    """The texts that a note is made of, each with what to do: the one that explains most of it first."""
    left = _words(note)
    texts = [(_words(_FOREIGN.sub(" ", text)), text, todo) for text, todo in listed()]
    while left:
        words, text, todo = max(texts, key=lambda entry: _alike(entry[0], left))
        if not any(_alike(words, left)):
            return
        yield text, todo
        for block in SequenceMatcher(None, words, left, autojunk=False).get_matching_blocks():
            left[block.b : block.b + block.size] = [""] * block.size


def _alike(words: Sequence[str], left: Sequence[str]) -> tuple[int, float]:
    """How many words of a text stand in what is left of the note, and their share of the text; none below ALIKE."""
    number = sum(block.size for block in SequenceMatcher(None, words, left, autojunk=False).get_matching_blocks())
    share = number / len(words)
    return (number, share) if share >= ALIKE else (0, 0.0)


def listed() -> Iterator[tuple[str, str]]:
    """Every text that a Sync note can show, with what to do, as `notes/README.md` has them."""
    table = files("sheetsync.notes").joinpath("README.md").read_text(encoding="utf-8")
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 2 and cells[0] not in ("it says", "---"):
            yield cells[0], cells[1]


def _words(text: str) -> list[str]:
    # what is no word is the row's own: a number, a date, an id
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.casefold())
