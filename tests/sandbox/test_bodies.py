"""A part of what `python -m tests.bodies` sends, to the sandbox as it is without Google's schema."""

from bodies import send


def test_no_body_makes_the_sandbox_fail() -> None:
    """Each is answered, in Google's words; what is refused leaves nothing behind, and what is not can be shown."""
    answered = send(1200, seed=3)
    assert set(answered) <= {200, 400, 501}
    assert answered[200] > 200
