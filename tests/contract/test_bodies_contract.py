"""A part of `python -m tests.bodies --schema`: each request and answer is held against Google's own schema."""

import pytest

pytest.importorskip("googleapiclient", reason="needs the `contract` extra")

from bodies import send
from support.held import held_against_google


def test_no_body_makes_the_sandbox_fail() -> None:
    """Each is answered, in Google's words; what is refused leaves nothing behind, and what is not can be shown."""
    with held_against_google(refusals=True):
        answered = send(1200, seed=4)
    assert answered[200] > 200
