"""What of a wide table of cases the README's line plays; `.ci/run` plays all of it.

Owns nothing but the mark: a case that is not `quick` is `long`.
"""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

LONG = pytest.mark.long


def cases(values: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """Cases for `parametrize`: those of `quick` as they are, the others marked `long`. A tuple is several arguments."""
    return [
        value if value in quick else pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=LONG)
        for value in values
    ]
