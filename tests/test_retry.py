from __future__ import annotations

import random

import pytest

from tiles.retry import ATTEMPTS, OTHER_WRITERS, Clock, Pauses, attempts


def slept(pauses: Pauses, seed: int = 1) -> list[float]:
    """Return the pauses of someone who tries for as long as is allowed."""
    found: list[float] = []
    assert list(attempts(Clock(sleep=found.append, rng=random.Random(seed)), pauses)) == list(range(pauses.attempts))
    return found


@pytest.mark.parametrize(
    ("pauses", "longest"),
    [
        (Pauses(5, 0.25, 30.0, (1.0, 1.0)), [0.25, 0.5, 1.0, 2.0]),
        (Pauses(5, 0.25, 0.6, (1.0, 1.0)), [0.25, 0.5, 0.6, 0.6]),
        (Pauses(3, 20.0, 30.0, (1.5, 1.5)), [30.0, 30.0]),
        (Pauses(1, 1.0, 1.0), []),
    ],
)
def test_pauses_double(pauses: Pauses, longest: list[float]) -> None:
    """Each pause is twice the one before, up to the longest one; there is none before the first try."""
    assert slept(pauses) == longest


def test_pauses_are_never_twice_the_same() -> None:
    """Who collides is not to collide again: each pause is somewhere in its range, by chance."""
    for spread in ((0.0, 1.0), (0.5, 1.5)):
        pauses = Pauses(9, 1.0, 1e9, spread)
        for at, (one, other) in enumerate(zip(slept(pauses, 1), slept(pauses, 2), strict=True)):
            assert one != other
            assert spread[0] * 2**at <= one <= spread[1] * 2**at


def test_other_writers() -> None:
    """A run gives up after 200 tries; pauses begin with 10 ms at most, and none is longer than a second."""
    found = slept(OTHER_WRITERS)
    assert OTHER_WRITERS.attempts == ATTEMPTS
    assert len(found) == 199
    assert found[0] <= 0.01
    assert max(found) <= 1.0
    assert sum(found) > 60
